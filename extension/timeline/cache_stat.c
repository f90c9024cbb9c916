/*-------------------------------------------------------------------------
 *
 * cache_stat.c
 *		Outboxes and inboxes: roost.stat_timeline.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "timeline/box.h"

PG_FUNCTION_INFO_V1(roost_timeline_cache_stat);

#define CACHE_STAT_COLUMNS	16

static int64 stat_sum(const TimelineTable *table, TimelineCounter counter);

/*
 * roost_internal.timeline_stat() returns one row for each kind of boxes.
 */
Datum
roost_timeline_cache_stat(PG_FUNCTION_ARGS)
{
	static const char *const names[TIMELINE_KINDS] = {"outbox", "inbox"};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			pulled_max;
	int			pulled = roost_timeline_pulled_count(&pulled_max);

	InitMaterializedSRF(fcinfo, 0);

	for (TimelineKind kind = 0; kind < TIMELINE_KINDS; kind++)
	{
		const TimelineTable *table = &roost_timeline_tables[kind];
		Size		bytes = table->block_size + sizeof(TimelineBox);
		Datum		values[CACHE_STAT_COLUMNS];
		bool		nulls[CACHE_STAT_COLUMNS] = {false};
		int			used;
		int			i = 0;

		LWLockAcquire(table->lock, LW_SHARED);
		used = table->shared->used;
		LWLockRelease(table->lock);

		values[i++] = CStringGetTextDatum(names[kind]);
		values[i++] = Int64GetDatum(used);
		values[i++] = Int64GetDatum(table->num_slots);
		values[i++] = Int64GetDatum((int64) (used * bytes));
		values[i++] = Int64GetDatum((int64) (table->num_slots * bytes + table->index_size * sizeof(TimelineEntry)));
		for (TimelineCounter counter = 0; counter < TIMELINE_COUNTERS; counter++)
			values[i++] = Int64GetDatum(stat_sum(table, counter));
		values[i++] = Int64GetDatum(pg_atomic_read_u32(&table->shared->epoch));
		nulls[i] = kind != TIMELINE_INBOX;
		values[i++] = Int64GetDatum(pulled);
		nulls[i] = kind != TIMELINE_INBOX;
		values[i++] = Int64GetDatum(pulled_max);
		Assert(i == CACHE_STAT_COLUMNS);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static int64
stat_sum(const TimelineTable *table, TimelineCounter counter)
{
	uint64		sum = 0;

	for (int i = 0; i < TIMELINE_STRIPES; i++)
		sum += pg_atomic_read_u64(&table->shared->stripes[i].counters[counter]);
	return (int64) sum;
}
