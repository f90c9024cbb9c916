/*-------------------------------------------------------------------------
 *
 * inspect.c
 *		What stands in outboxes and inboxes, for tests.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/snapmgr.h"

#include "core/stamp.h"
#include "timeline/cache.h"

PG_FUNCTION_INFO_V1(roost_timeline_inbox);
PG_FUNCTION_INFO_V1(roost_timeline_outbox);

static Datum inspect_array(const int64 *ids, int n);

/*
 * roost_internal.timeline_inbox(reader_id) returns what a reader's inbox
 * holds, and whom its reader pulls; nulls without a good one.
 */
Datum
roost_timeline_inbox(PG_FUNCTION_ARGS)
{
	int64		reader_id = PG_GETARG_INT64(0);
	TimelineInbox *inbox = palloc(sizeof(TimelineInbox));
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};
	TupleDesc	desc;
	uint32		version;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (roost_stamp_read(ROOST_STAMP_GRAPH, reader_id, GetActiveSnapshot(), &version) &&
		roost_timeline_cache_inbox(reader_id, version, PG_INT64_MAX, 0, TIMELINE_INBOX_LENGTH, inbox))
	{
		values[0] = inspect_array(inbox->ids, inbox->count);
		values[1] = inspect_array(inbox->pulled, inbox->num_pulled);
		nulls[0] = nulls[1] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * roost_internal.timeline_outbox(author_id) returns what an author's outbox
 * holds; null without a good one.
 */
Datum
roost_timeline_outbox(PG_FUNCTION_ARGS)
{
	int64		author_id = PG_GETARG_INT64(0);
	TimelineHeap heap;
	TimelineRest rest;
	int			n;

	roost_timeline_heap_init(&heap, PG_INT64_MAX, 0, TIMELINE_OUTBOX_LENGTH);
	n = roost_timeline_cache_merge(&author_id, 1, &heap, &rest);
	if (n > 0 && rest.missing)
		PG_RETURN_NULL();
	n = roost_timeline_heap_sort(&heap);
	PG_RETURN_DATUM(inspect_array(heap.ids, n));
}

static Datum
inspect_array(const int64 *ids, int n)
{
	Datum	   *values = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		values[i] = Int64GetDatum(ids[i]);
	return PointerGetDatum(construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
