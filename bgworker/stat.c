/*-------------------------------------------------------------------------
 *
 * stat.c
 *		What SQL may ask about the worker, and how it waits for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "bgworker/shared.h"
#include "core/clock.h"
#include "core/commit.h"
#include "live/queue.h"
#include "timeline/strategy.h"

PG_FUNCTION_INFO_V1(roost_worker_stat);
PG_FUNCTION_INFO_V1(roost_worker_event_stat);
PG_FUNCTION_INFO_V1(roost_worker_sync);

#define WORKER_STAT_COLUMNS 32

static uint64 worker_sync_request(void);
static bool worker_sync_reached(uint64 target);

/*
 * roost_internal.worker_stat() returns one row about the worker.
 */
Datum
roost_worker_stat(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[WORKER_STAT_COLUMNS];
	bool		nulls[WORKER_STAT_COLUMNS] = {false};
	RoostQueueStat queue;
	WorkerShared worker;
	int64		lag;
	int64		events = 0;
	int			i = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	roost_queue_stat(&queue);
	LWLockAcquire(roost_worker_shared->lock, LW_SHARED);
	worker = *roost_worker_shared;
	LWLockRelease(roost_worker_shared->lock);
	for (int kind = 0; kind < ROOST_EVENT_KINDS; kind++)
		events += worker.events[kind];
	if (worker.batch_since_us != 0)
		queue.oldest_us = worker.batch_since_us;
	lag = queue.oldest_us == 0 ? 0 : Max(roost_clock_us() - queue.oldest_us, 0);

	nulls[i] = worker.pid == 0;
	values[i++] = Int32GetDatum(worker.pid);
	values[i++] = CStringGetTextDatum(roost_worker_state_name(worker.state));
	nulls[i] = worker.pid == 0;
	values[i++] = TimestampTzGetDatum(roost_clock_timestamp(worker.started_us));
	nulls[i] = worker.turned_us == 0;
	values[i++] = TimestampTzGetDatum(roost_clock_timestamp(worker.turned_us));
	values[i++] = Float8GetDatum(lag / 1000000.0);
	values[i++] = Int64GetDatum((int64) (queue.written - queue.taken));
	values[i++] = Int64GetDatum(queue.size);
	values[i++] = Int64GetDatum(events);
	values[i++] = Int64GetDatum((int64) worker.losses);
	values[i++] = Int32GetDatum(roost_commit_in_doubt());
	values[i++] = Int64GetDatum((int64) worker.turns_done);
	values[i++] = Int64GetDatum((int64) worker.failures);
	values[i++] = BoolGetDatum(RecoveryInProgress());
	values[i++] = Int32GetDatum(worker.failing);
	values[i++] = Int64GetDatum((int64) worker.batches);
	values[i++] = Int32GetDatum(worker.last_batch);
	values[i++] = Int32GetDatum(worker.max_batch);
	values[i++] = Float8GetDatum(worker.last_delay_us / 1000000.0);
	values[i++] = Float8GetDatum(worker.max_delay_us / 1000000.0);
	values[i++] = Float8GetDatum(worker.gap_us / 1000000.0);
	values[i++] = Int64GetDatum(worker.memory_bytes);
	nulls[i] = worker.fanout.strategy < 0;
	values[i++] = CStringGetTextDatum(roost_timeline_strategy_name(worker.fanout.strategy));
	nulls[i] = worker.fanout.strategy < 0;
	values[i++] = Int32GetDatum(worker.fanout.push_limit);
	values[i++] = Int64GetDatum(worker.fanout.posts);
	values[i++] = Int64GetDatum(worker.fanout.pulled_posts);
	values[i++] = Int64GetDatum(worker.fanout.deliveries);
	values[i++] = Float8GetDatum(worker.fanout.spent_us / 1000000.0);
	values[i++] = Int64GetDatum(worker.fanout.pulled_accounts);
	values[i++] = Int64GetDatum(worker.fanout.list_hits);
	values[i++] = Int64GetDatum(worker.fanout.list_misses);
	values[i++] = Int64GetDatum(worker.fanout.lists);
	values[i++] = Int64GetDatum(worker.fanout.list_bytes);
	Assert(i == WORKER_STAT_COLUMNS);

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * roost_internal.worker_event_stat() returns how many events of each kind the
 * worker has seen since the server started.
 */
Datum
roost_worker_event_stat(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	WorkerShared worker;

	InitMaterializedSRF(fcinfo, 0);

	LWLockAcquire(roost_worker_shared->lock, LW_SHARED);
	worker = *roost_worker_shared;
	LWLockRelease(roost_worker_shared->lock);

	for (int kind = 0; kind < ROOST_EVENT_KINDS; kind++)
	{
		Datum		values[2] = {
			CStringGetTextDatum(roost_event_name(kind)),
			Int64GetDatum((int64) worker.events[kind])
		};
		bool		nulls[2] = {false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * roost.worker_sync(timeout) waits for a turn of the worker that begins from
 * now on; returns false if there was none in time.
 */
Datum
roost_worker_sync(PG_FUNCTION_ARGS)
{
	Interval   *timeout = PG_GETARG_INTERVAL_P(0);
	TimestampTz end;
	uint64		target;
	bool		reached;

	end = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												  TimestampTzGetDatum(GetCurrentTimestamp()),
												  IntervalPGetDatum(timeout)));

	target = worker_sync_request();
	ConditionVariablePrepareToSleep(&roost_worker_shared->turned);
	roost_queue_wake();
	while (!(reached = worker_sync_reached(target)))
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);

		if (left <= 0)
			break;
		(void) ConditionVariableTimedSleep(&roost_worker_shared->turned,
										   Min(left, 60000), PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();

	PG_RETURN_BOOL(reached);
}

/*
 * Asks for a turn and returns its number.
 */
static uint64
worker_sync_request(void)
{
	uint64		target;

	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	target = roost_worker_shared->turns_begun + 1;
	roost_worker_shared->turns_wanted = Max(roost_worker_shared->turns_wanted, target);
	LWLockRelease(roost_worker_shared->lock);
	return target;
}

static bool
worker_sync_reached(uint64 target)
{
	bool		reached;

	LWLockAcquire(roost_worker_shared->lock, LW_SHARED);
	reached = roost_worker_shared->turns_done >= target;
	LWLockRelease(roost_worker_shared->lock);
	return reached;
}
