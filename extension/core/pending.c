/*-------------------------------------------------------------------------
 *
 * pending.c
 *		What has been committed, or is about to be, and has not reached the
 *		worker's caches.
 *
 * An event is in one of three places from before its transaction can be seen
 * until the worker has applied it, and enters the next before it leaves the
 * one before: the announcement of its backend or, if the transaction was
 * prepared, a slot of commit.c; then the event queue.  Readers look in this
 * order.  Nothing is kept here.
 *
 * With nothing pending a reader loads the bitmap of announcements and four
 * values, and takes no lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "port/atomics.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/announce.h"
#include "core/commit.h"
#include "core/core.h"
#include "core/guard.h"
#include "core/id.h"
#include "core/pending.h"
#include "live/queue.h"

PG_FUNCTION_INFO_V1(roost_pending_events);
PG_FUNCTION_INFO_V1(roost_pending_horizon_sql);
PG_FUNCTION_INFO_V1(roost_pending_generation_sql);

#define PENDING_EVENTS_MAX	1000
#define PENDING_VALUES		4	/* no kind that can be asked for has more */

/* among the 32 bits that caches remember of a generation */
#define PENDING_RECOVERY_BIT	(UINT64CONST(1) << 31)

/*
 * Copies the pending events of these kinds.
 */
int
roost_pending_read(uint32 kinds, RoostEvent *events, int max)
{
	int			found;
	int			n;

	Assert((kinds & ~ROOST_PENDING_KINDS) == 0);

	if (!roost_core_is_home() || RecoveryInProgress() ||
		TransactionIdIsValid(GetTopTransactionIdIfAny()) || !roost_guard_holds())
		return ROOST_PENDING_UNKNOWN;

	pg_read_barrier();
	found = roost_announce_read(kinds, events, max);
	if (found < 0)
		return ROOST_PENDING_UNKNOWN;

	pg_read_barrier();
	n = roost_commit_doubt_read(kinds, events + found, max - found);
	if (n < 0)
		return ROOST_PENDING_UNKNOWN;
	found += n;

	pg_read_barrier();
	n = roost_queue_peek(kinds, events + found, max - found);
	if (n < 0)
		return ROOST_PENDING_UNKNOWN;
	pg_read_barrier();

	return found + n;
}

/*
 * Returns a lower bound of the ids of what the worker has not heard of.  The
 * counter is read first: who announces an id later than we look makes it later
 * than that.
 */
int64
roost_pending_horizon(void)
{
	int64		horizon = roost_id_lowest();
	int64		lowest[3];
	bool		known;

	pg_memory_barrier();
	lowest[0] = roost_announce_lowest();
	pg_read_barrier();
	lowest[1] = roost_commit_doubt_lowest(&known);
	pg_read_barrier();
	lowest[2] = roost_queue_lowest();

	for (int i = 0; i < lengthof(lowest); i++)
	{
		if (lowest[i] != 0)
			horizon = Min(horizon, lowest[i]);
	}
	return known ? horizon : 0;
}

/*
 * Returns the generation of events.  That of a standby is another one than
 * that of the primary which it becomes.
 */
uint64
roost_pending_generation(void)
{
	return roost_queue_generation() | (RecoveryInProgress() ? PENDING_RECOVERY_BIT : 0);
}

/*
 * roost_internal.pending_events() returns the pending events, or one row of
 * kind "unknown".
 */
Datum
roost_pending_events(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RoostEvent *events = palloc(PENDING_EVENTS_MAX * sizeof(RoostEvent));
	int			count = roost_pending_read(ROOST_PENDING_KINDS, events, PENDING_EVENTS_MAX);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < Max(count, count == ROOST_PENDING_UNKNOWN ? 1 : 0); i++)
	{
		Datum		values[2];
		Datum		numbers[PENDING_VALUES];
		bool		nulls[2] = {false, count == ROOST_PENDING_UNKNOWN};

		values[0] = CStringGetTextDatum(nulls[1] ? "unknown" : roost_event_name(events[i].kind));
		for (int j = 0; j < PENDING_VALUES && !nulls[1]; j++)
			numbers[j] = Int64GetDatum(events[i].value[j]);
		values[1] = nulls[1] ? (Datum) 0 :
			PointerGetDatum(construct_array(numbers, PENDING_VALUES, INT8OID, 8, true, TYPALIGN_DOUBLE));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * roost_internal.pending_horizon()
 */
Datum
roost_pending_horizon_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(roost_pending_horizon());
}

/*
 * roost_internal.pending_generation()
 */
Datum
roost_pending_generation_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) roost_pending_generation());
}
