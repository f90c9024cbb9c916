/*-------------------------------------------------------------------------
 *
 * cache_debug.c
 *		For tests: the cache of timelines, as SQL functions of debug builds.
 *
 * Nothing in the extension's SQL refers to them; tests declare them where they
 * need them.  A building is known by its kind, its owner and a bigint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#ifdef ROOST_DEBUG

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "timeline/box.h"

PG_FUNCTION_INFO_V1(roost_timeline_debug_begin);
PG_FUNCTION_INFO_V1(roost_timeline_debug_publish);
PG_FUNCTION_INFO_V1(roost_timeline_debug_inbox);
PG_FUNCTION_INFO_V1(roost_timeline_debug_merge);
PG_FUNCTION_INFO_V1(roost_timeline_debug_push);
PG_FUNCTION_INFO_V1(roost_timeline_debug_append);
PG_FUNCTION_INFO_V1(roost_timeline_debug_drop);
PG_FUNCTION_INFO_V1(roost_timeline_debug_drop_all);
PG_FUNCTION_INFO_V1(roost_timeline_debug_pull);
PG_FUNCTION_INFO_V1(roost_timeline_debug_is_pulled);

static TimelineKind debug_kind(text *name);
static int64 *debug_ids(ArrayType *array, int *n);
static Datum debug_array(const int64 *ids, int n);

/*
 * begin(kind text, owner_id bigint, version integer) returns a
 * building, or NULL
 */
Datum
roost_timeline_debug_begin(PG_FUNCTION_ARGS)
{
	TimelineBuild build;
	int64		packed;

	if (!roost_timeline_cache_begin(debug_kind(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT64(1), PG_GETARG_INT32(2), &build))
		PG_RETURN_NULL();
	packed = (int64) build.slot << 32 | build.token;
	PG_RETURN_INT64(packed);
}

/*
 * publish(kind text, owner_id bigint, build bigint, ids bigint[], floor bigint,
 * pulled bigint[]) returns boolean; NULL ids give the building up
 */
Datum
roost_timeline_debug_publish(PG_FUNCTION_ARGS)
{
	TimelineBuild build = {
		.kind = debug_kind(PG_GETARG_TEXT_PP(0)),
		.owner_id = PG_GETARG_INT64(1),
		.slot = (uint32) (PG_GETARG_INT64(2) >> 32),
		.token = (uint32) PG_GETARG_INT64(2),
	};
	int64	   *ids;
	int64	   *pulled;
	int			n;
	int			num_pulled;

	if (PG_ARGISNULL(3))
	{
		roost_timeline_cache_cancel(&build);
		PG_RETURN_NULL();
	}
	ids = debug_ids(PG_GETARG_ARRAYTYPE_P(3), &n);
	pulled = debug_ids(PG_GETARG_ARRAYTYPE_P(5), &num_pulled);
	PG_RETURN_BOOL(roost_timeline_cache_publish(&build, ids, n, PG_GETARG_INT64(4), pulled, num_pulled));
}

/*
 * inbox(reader_id bigint, version integer, before_id bigint, after_id bigint,
 * max integer, OUT floor bigint, OUT ids bigint[], OUT pulled bigint[])
 */
Datum
roost_timeline_debug_inbox(PG_FUNCTION_ARGS)
{
	TimelineInbox *inbox = palloc(sizeof(TimelineInbox));
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!roost_timeline_cache_inbox(PG_GETARG_INT64(0), PG_GETARG_INT32(1), PG_GETARG_INT64(2), PG_GETARG_INT64(3),
									PG_GETARG_INT32(4), inbox))
		PG_RETURN_NULL();
	values[0] = Int64GetDatum(inbox->floor);
	values[1] = debug_array(inbox->ids, inbox->count);
	values[2] = debug_array(inbox->pulled, inbox->num_pulled);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * merge(author_ids bigint[], before_id bigint, after_id bigint, want integer,
 * OUT ids bigint[], OUT missing bigint[], OUT exhausted bigint[])
 */
Datum
roost_timeline_debug_merge(PG_FUNCTION_ARGS)
{
	int			n;
	int64	   *author_ids = debug_ids(PG_GETARG_ARRAYTYPE_P(0), &n);
	TimelineRest *rest = palloc(n * sizeof(TimelineRest));
	int64	   *missing = palloc(n * sizeof(int64));
	int64	   *exhausted = palloc(n * sizeof(int64));
	int			num_missing = 0;
	int			num_exhausted = 0;
	int			num_rest;
	TimelineHeap heap;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	roost_timeline_heap_init(&heap, PG_GETARG_INT64(1), PG_GETARG_INT64(2), PG_GETARG_INT32(3));
	num_rest = roost_timeline_cache_merge(author_ids, n, &heap, rest);
	for (int i = 0; i < num_rest; i++)
	{
		if (rest[i].missing)
			missing[num_missing++] = rest[i].author_id;
		else
			exhausted[num_exhausted++] = rest[i].before_id;
	}
	values[0] = debug_array(heap.ids, roost_timeline_heap_sort(&heap));
	values[1] = debug_array(missing, num_missing);
	values[2] = debug_array(exhausted, num_exhausted);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * push(reader_ids bigint[], author_id bigint, id bigint) returns integer
 */
Datum
roost_timeline_debug_push(PG_FUNCTION_ARGS)
{
	int			n;
	int64	   *reader_ids = debug_ids(PG_GETARG_ARRAYTYPE_P(0), &n);

	PG_RETURN_INT32(roost_timeline_cache_push(reader_ids, n, PG_GETARG_INT64(1), PG_GETARG_INT64(2)));
}

/*
 * append(author_id bigint, id bigint) returns void
 */
Datum
roost_timeline_debug_append(PG_FUNCTION_ARGS)
{
	roost_timeline_cache_append(PG_GETARG_INT64(0), PG_GETARG_INT64(1));
	PG_RETURN_VOID();
}

/*
 * drop(kind text, owner_ids bigint[]) returns void
 */
Datum
roost_timeline_debug_drop(PG_FUNCTION_ARGS)
{
	int			n;
	int64	   *owner_ids = debug_ids(PG_GETARG_ARRAYTYPE_P(1), &n);

	roost_timeline_cache_drop(debug_kind(PG_GETARG_TEXT_PP(0)), owner_ids, n);
	PG_RETURN_VOID();
}

/*
 * drop_all(inboxes_only boolean) returns void
 */
Datum
roost_timeline_debug_drop_all(PG_FUNCTION_ARGS)
{
	if (PG_GETARG_BOOL(0))
		roost_timeline_cache_drop_inboxes();
	else
		roost_timeline_cache_drop_all();
	PG_RETURN_VOID();
}

/*
 * pull(author_id bigint, pulled boolean) returns boolean
 */
Datum
roost_timeline_debug_pull(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(roost_timeline_cache_pull_set(PG_GETARG_INT64(0), PG_GETARG_BOOL(1)));
}

/*
 * is_pulled(author_id bigint) returns boolean
 */
Datum
roost_timeline_debug_is_pulled(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(roost_timeline_cache_is_pulled(PG_GETARG_INT64(0)));
}

static TimelineKind
debug_kind(text *name)
{
	return strcmp(text_to_cstring(name), "inbox") == 0 ? TIMELINE_INBOX : TIMELINE_OUTBOX;
}

static int64 *
debug_ids(ArrayType *array, int *n)
{
	Datum	   *values;
	int64	   *ids;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, NULL, n);
	ids = palloc(*n * sizeof(int64));
	for (int i = 0; i < *n; i++)
		ids[i] = DatumGetInt64(values[i]);
	return ids;
}

static Datum
debug_array(const int64 *ids, int n)
{
	Datum	   *values = palloc(n * sizeof(Datum));

	for (int i = 0; i < n; i++)
		values[i] = Int64GetDatum(ids[i]);
	return PointerGetDatum(construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

#endif							/* ROOST_DEBUG */
