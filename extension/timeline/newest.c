/*-------------------------------------------------------------------------
 *
 * newest.c
 *		The newest posts of authors, by the index of their posts.
 *
 * Many authors are gone through one after the other, newest post first.  A
 * heap holds the newest ids found so far, as many as are wanted; once it is
 * full, nobody's posts older than its oldest matter.  So most authors cost one
 * probe of the index that finds nothing, however much they have written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "timeline/newest.h"

PG_FUNCTION_INFO_V1(roost_timeline_newest);

/* For roost_timeline_newest() */
typedef struct Newest
{
	TimelineReplies replies;
	int64	   *known;			/* accounts, sorted */
	int			num_known;
} Newest;

static bool newest_wants(void *arg, int64 reply_to_account_id);
static int64 heap_after(const TimelineHeap *heap);
static int64 *array_ids(ArrayType *array, int *count);
static int	id_compare(const void *a, const void *b);

/*
 * Puts an author's posts that the reader's snapshot sees into the heap, as far
 * as they are new enough.  Without `wants` every reply is wanted.
 */
void
roost_timeline_newest_read(PostReader *reader, int64 author_id, int64 before_id, TimelineHeap *heap,
						   TimelineWants wants, void *arg)
{
	int64		after_id = heap_after(heap);
	int64		id;
	int64		reply_to_account_id;

	before_id = Min(before_id, heap->before_id);
	if (before_id <= after_id)
		return;
	roost_post_read_range(reader, author_id, before_id, after_id);
	while (roost_post_read_range_next(reader, &id, &reply_to_account_id))
	{
		CHECK_FOR_INTERRUPTS();
		if (wants != NULL && reply_to_account_id != 0 && !wants(arg, reply_to_account_id))
			continue;
		if (!roost_timeline_heap_add(heap, id))
			return;
	}
}

/*
 * The same for all posts that any snapshot may see, and others.
 */
void
roost_timeline_newest_raw(PostReader *reader, int64 author_id, int64 before_id, TimelineHeap *heap)
{
	int64		after_id = heap_after(heap);
	int64		id;

	before_id = Min(before_id, heap->before_id);
	if (before_id <= after_id)
		return;
	roost_post_read_range(reader, author_id, before_id, after_id);
	while (roost_post_read_range_raw(reader, &id))
	{
		CHECK_FOR_INTERRUPTS();
		if (!roost_timeline_heap_add(heap, id))
			break;
	}
}

/*
 * Returns the id at and below which the heap wants nothing.
 */
static int64
heap_after(const TimelineHeap *heap)
{
	return heap->count == heap->want ? heap->ids[0] : heap->after_id;
}

/*
 * Returns the setting of a value of roost.timeline_replies.
 */
TimelineReplies
roost_timeline_replies(Oid value)
{
	char	   *label = DatumGetCString(DirectFunctionCall1(enum_out, ObjectIdGetDatum(value)));

	return strcmp(label, "all") == 0 ? TIMELINE_REPLIES_ALL :
		strcmp(label, "following") == 0 ? TIMELINE_REPLIES_FOLLOWING : TIMELINE_REPLIES_NONE;
}

/*
 * roost_internal.timeline_newest(author_ids, known_ids, limit, before_id,
 * after_id, replies) returns ids, newest first.  Version 0.1.0 of the
 * extension calls it.
 */
Datum
roost_timeline_newest(PG_FUNCTION_ARGS)
{
	Newest		newest = {0};
	TimelineHeap heap;
	PostReader	reader;
	int			num_authors;
	int64	   *authors;
	Datum	   *ids;
	int			count;

	for (int i = 0; i < 5; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT8OID));
	authors = array_ids(PG_GETARG_ARRAYTYPE_P(0), &num_authors);
	newest.known = array_ids(PG_GETARG_ARRAYTYPE_P(1), &newest.num_known);
	qsort(newest.known, newest.num_known, sizeof(int64), id_compare);
	newest.replies = PG_ARGISNULL(5) ? TIMELINE_REPLIES_NONE : roost_timeline_replies(PG_GETARG_OID(5));
	if (PG_GETARG_INT32(2) < 1)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT8OID));
	roost_timeline_heap_init(&heap, PG_GETARG_INT64(3), PG_GETARG_INT64(4), PG_GETARG_INT32(2));

	roost_post_reader_begin(&reader);
	for (int i = 0; i < num_authors; i++)
		roost_timeline_newest_read(&reader, authors[i], heap.before_id, &heap, newest_wants, &newest);
	roost_post_reader_end(&reader);

	count = roost_timeline_heap_sort(&heap);
	ids = palloc(Max(count, 1) * sizeof(Datum));
	for (int i = 0; i < count; i++)
		ids[i] = Int64GetDatum(heap.ids[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(ids, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * Returns whether an answer to the account is wanted.
 */
static bool
newest_wants(void *arg, int64 reply_to_account_id)
{
	Newest	   *newest = arg;

	return newest->replies == TIMELINE_REPLIES_ALL ||
		(newest->replies == TIMELINE_REPLIES_FOLLOWING &&
		 bsearch(&reply_to_account_id, newest->known, newest->num_known, sizeof(int64), id_compare) != NULL);
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
id_compare(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}
