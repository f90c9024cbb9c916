/*-------------------------------------------------------------------------
 *
 * list.c
 *		One page of the timeline of a list: what its members post.
 *
 * The caller has read the members under the snapshot under which the page is
 * read.  Candidates come from their outboxes; a list has no inbox.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#include "timeline/home.h"

PG_FUNCTION_INFO_V1(roost_timeline_list_ids);
PG_FUNCTION_INFO_V1(roost_timeline_list_posts);

#define LIST_LIMIT_DEFAULT	20
#define LIST_LIMIT_MAX		100000

static int	list_page(FunctionCallInfo fcinfo, RoostPage *page, int64 **ids);
static int64 *list_members(ArrayType *array, int *count);
static int	id_compare(const void *a, const void *b);

/*
 * roost_internal.timeline_list_ids(reader_id, member_ids, limit, before_id,
 * after_id, replies) returns the ids of a page, newest first.
 */
Datum
roost_timeline_list_ids(PG_FUNCTION_ARGS)
{
	RoostPage  *page = roost_page_begin(PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0));
	int64	   *ids;
	int			n = list_page(fcinfo, page, &ids);
	Datum	   *values = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		values[i] = Int64GetDatum(ids[i]);
	roost_page_end(page);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * roost_internal.timeline_list_page(reader_id, member_ids, limit, before_id,
 * after_id, replies) returns the posts of a page, newest first.
 */
Datum
roost_timeline_list_posts(PG_FUNCTION_ARGS)
{
	RoostPage  *page = roost_page_begin(PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0));
	int64	   *ids;
	int			n = list_page(fcinfo, page, &ids);

	roost_page_return(fcinfo, page, ids, NULL, n);
	roost_page_end(page);
	return (Datum) 0;
}

/*
 * Finds the ids of the page that the arguments ask for; returns how many.
 */
static int
list_page(FunctionCallInfo fcinfo, RoostPage *page, int64 **ids)
{
	int			limit = PG_ARGISNULL(2) ? LIST_LIMIT_DEFAULT : PG_GETARG_INT32(2);
	int64	   *members;
	int			n;

	*ids = NULL;
	limit = Max(Min(limit, LIST_LIMIT_MAX), 0);
	if (limit == 0 || PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		return 0;
	members = list_members(PG_GETARG_ARRAYTYPE_P(1), &n);
	*ids = palloc(limit * sizeof(int64));
	return roost_timeline_list_page(page, PG_GETARG_INT64(0), members, n, limit, PG_GETARG_INT64(3), PG_GETARG_INT64(4),
									PG_ARGISNULL(5) ? TIMELINE_REPLIES_NONE : roost_timeline_replies(PG_GETARG_OID(5)), *ids);
}

/*
 * Returns the ids of an array sorted, each once.
 */
static int64 *
list_members(ArrayType *array, int *count)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int64	   *ids;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	ids = palloc(Max(n, 1) * sizeof(int64));
	*count = 0;
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			ids[(*count)++] = DatumGetInt64(values[i]);
	if (*count < 2)
		return ids;
	qsort(ids, *count, sizeof(int64), id_compare);
	n = *count;
	*count = 1;
	for (int i = 1; i < n; i++)
		if (ids[i] != ids[*count - 1])
			ids[(*count)++] = ids[i];
	return ids;
}

static int
id_compare(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}
