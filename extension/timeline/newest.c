/*-------------------------------------------------------------------------
 *
 * newest.c
 *		The newest posts of many authors.
 *
 * The authors are gone through one after the other, by the index of their
 * posts, newest first.  A heap holds the newest ids found so far, as many as
 * are wanted; once it is full, nobody's posts older than its oldest matter.
 * So most authors cost one probe of the index that finds nothing, however much
 * they have written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "post/read.h"

PG_FUNCTION_INFO_V1(roost_timeline_newest);

typedef enum NewestReplies
{
	REPLIES_ALL,
	REPLIES_FOLLOWING,
	REPLIES_NONE
} NewestReplies;

typedef struct Newest
{
	NewestReplies replies;
	ArrayType  *known;			/* accounts; only for REPLIES_FOLLOWING */
	int64	   *sorted;			/* the same, once needed */
	int			num_sorted;
	int			want;
	binaryheap *ids;			/* the oldest on top */
} Newest;

static NewestReplies newest_replies(Oid value);
static void newest_read(Newest *newest, PostReader *reader, int64 author_id, int64 before_id, int64 after_id);
static bool newest_wants(Newest *newest, int64 reply_to_account_id);
static int64 *array_ids(ArrayType *array, int *count);
static int	heap_compare(Datum a, Datum b, void *arg);
static int	id_compare(const void *a, const void *b);

/*
 * roost_internal.timeline_newest(author_ids, known_ids, limit, before_id,
 * after_id, replies) returns ids, newest first.
 */
Datum
roost_timeline_newest(PG_FUNCTION_ARGS)
{
	Newest		newest = {0};
	PostReader	reader;
	int			num_authors;
	int64	   *authors;
	Datum	   *ids;
	int			count;

	for (int i = 0; i < 5; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT8OID));
	authors = array_ids(PG_GETARG_ARRAYTYPE_P(0), &num_authors);
	newest.known = PG_GETARG_ARRAYTYPE_P(1);
	newest.want = PG_GETARG_INT32(2);
	newest.replies = PG_ARGISNULL(5) ? REPLIES_NONE : newest_replies(PG_GETARG_OID(5));
	if (newest.want < 1)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT8OID));
	newest.ids = binaryheap_allocate(newest.want, heap_compare, NULL);

	roost_post_reader_begin(&reader);
	for (int i = 0; i < num_authors; i++)
		newest_read(&newest, &reader, authors[i], PG_GETARG_INT64(3), PG_GETARG_INT64(4));
	roost_post_reader_end(&reader);

	count = newest.ids->bh_size;
	ids = palloc(Max(count, 1) * sizeof(Datum));
	for (int i = count - 1; i >= 0; i--)
		ids[i] = binaryheap_remove_first(newest.ids);
	PG_RETURN_ARRAYTYPE_P(construct_array(ids, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static NewestReplies
newest_replies(Oid value)
{
	char	   *label = DatumGetCString(DirectFunctionCall1(enum_out, ObjectIdGetDatum(value)));

	return strcmp(label, "all") == 0 ? REPLIES_ALL :
		strcmp(label, "following") == 0 ? REPLIES_FOLLOWING : REPLIES_NONE;
}

/*
 * Puts an author's posts into the heap, as far as they are new enough.
 */
static void
newest_read(Newest *newest, PostReader *reader, int64 author_id, int64 before_id, int64 after_id)
{
	binaryheap *ids = newest->ids;
	int64		id;
	int64		reply_to_account_id;

	if (ids->bh_size == newest->want)
		after_id = DatumGetInt64(binaryheap_first(ids));
	roost_post_read_range(reader, author_id, before_id, after_id);
	while (roost_post_read_range_next(reader, &id, &reply_to_account_id))
	{
		CHECK_FOR_INTERRUPTS();
		if (ids->bh_size == newest->want && id <= DatumGetInt64(binaryheap_first(ids)))
			return;
		if (!newest_wants(newest, reply_to_account_id))
			continue;
		if (ids->bh_size == newest->want)
			binaryheap_replace_first(ids, Int64GetDatum(id));
		else
			binaryheap_add(ids, Int64GetDatum(id));
	}
}

/*
 * Returns whether an answer to an account (0: no answer) is wanted.
 */
static bool
newest_wants(Newest *newest, int64 reply_to_account_id)
{
	if (reply_to_account_id == 0 || newest->replies == REPLIES_ALL)
		return true;
	if (newest->replies == REPLIES_NONE)
		return false;
	if (newest->sorted == NULL)
	{
		newest->sorted = array_ids(newest->known, &newest->num_sorted);
		qsort(newest->sorted, newest->num_sorted, sizeof(int64), id_compare);
	}
	return bsearch(&reply_to_account_id, newest->sorted, newest->num_sorted, sizeof(int64), id_compare) != NULL;
}

/*
 * Returns a copy of the ids of an array.
 */
static int64 *
array_ids(ArrayType *array, int *count)
{
	Datum	   *values;
	int64	   *ids;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	ids = palloc(Max(n, 1) * sizeof(int64));
	*count = 0;
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			ids[(*count)++] = DatumGetInt64(values[i]);
	return ids;
}

static int
heap_compare(Datum a, Datum b, void *arg)
{
	int64		x = DatumGetInt64(a);
	int64		y = DatumGetInt64(b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static int
id_compare(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}
