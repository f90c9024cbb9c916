/*-------------------------------------------------------------------------
 *
 * signal.c
 *		Signals on their way to the gateways: presence, typing and calls.
 *
 * A ring of SIGNAL_RING signals in shared memory.  Backends and the worker put
 * them in; the worker takes them out and notifies (bgworker/signal.c).  Nothing
 * is ever written to disk, and nobody waits: when the ring is full the oldest
 * goes and is counted.  A signal that was taken stays readable until another
 * one needs its place (roost_internal.signal_list).
 *
 * signal_lock guards all of it.  It is the last lock that is taken, after that
 * of typing and that of presence.  After a crash the ring is empty.
 *
 *-------------------------------------------------------------------------
 */
#include "live/signal.h"

#include "fmgr.h"
#include "funcapi.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_signal_list);

#define SIGNAL_RING			16384
#define SIGNAL_LIST_MAX		1000
#define SIGNAL_LIST_COLUMNS	5

typedef struct SignalShared
{
	RoostSignalStat stat;
	RoostSignal signals[SIGNAL_RING];
} SignalShared;

static SignalShared *signal_shared = NULL;
static LWLock *signal_lock = NULL;

/*
 * Returns the name that clients know.
 */
const char *
roost_signal_name(RoostSignalKind kind)
{
	static const char *const names[ROOST_SIGNAL_KINDS] = {
		"user:online", "user:offline", "typing:start", "typing:stop",
		"call:offer", "call:answer", "call:candidate", "call:hangup", "call:ringing"
	};

	return names[kind];
}

/*
 * Puts a signal in; the worker is woken by the caller.  Neither fails nor
 * allocates.
 */
void
roost_signal_push(RoostSignalKind kind, int64 account_id, const char *channel, int64 at_us)
{
	RoostSignalStat *stat = &signal_shared->stat;
	RoostSignal *signal;

	LWLockAcquire(signal_lock, LW_EXCLUSIVE);
	if (stat->written - stat->taken == SIGNAL_RING)
	{
		stat->taken++;
		stat->dropped++;
	}
	signal = &signal_shared->signals[stat->written++ % SIGNAL_RING];
	signal->account_id = account_id;
	signal->at_us = at_us;
	signal->kind = kind;
	strlcpy(signal->channel, channel, sizeof(signal->channel));
	LWLockRelease(signal_lock);
}

/*
 * Returns whether there is something to take.
 */
bool
roost_signal_waits(void)
{
	RoostSignalStat stat;

	roost_signal_stat(&stat);
	return stat.taken < stat.written;
}

/*
 * Takes signals; returns how many.
 */
int
roost_signal_take(RoostSignal *signals, int max)
{
	RoostSignalStat *stat = &signal_shared->stat;
	int			n = 0;

	LWLockAcquire(signal_lock, LW_EXCLUSIVE);
	while (n < max && stat->taken < stat->written)
		signals[n++] = signal_shared->signals[stat->taken++ % SIGNAL_RING];
	LWLockRelease(signal_lock);
	return n;
}

/*
 * Counts what became of signals that were taken.
 */
void
roost_signal_notified(int dropped, int notifies)
{
	LWLockAcquire(signal_lock, LW_EXCLUSIVE);
	signal_shared->stat.dropped += dropped;
	signal_shared->stat.notifies += notifies;
	LWLockRelease(signal_lock);
}

/*
 * Copies the counters.
 */
void
roost_signal_stat(RoostSignalStat *stat)
{
	LWLockAcquire(signal_lock, LW_SHARED);
	*stat = signal_shared->stat;
	LWLockRelease(signal_lock);
}

/*
 * roost_internal.signal_list(after) returns the newest signals, in order.
 */
Datum
roost_signal_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RoostSignal *signals = palloc(SIGNAL_LIST_MAX * sizeof(RoostSignal));
	uint64		first;
	uint64		end;

	InitMaterializedSRF(fcinfo, 0);

	LWLockAcquire(signal_lock, LW_SHARED);
	end = signal_shared->stat.written;
	first = Max((uint64) Max(PG_GETARG_INT64(0), 0), end > SIGNAL_LIST_MAX ? end - SIGNAL_LIST_MAX : 0);
	for (uint64 i = first; i < end; i++)
		signals[i - first] = signal_shared->signals[i % SIGNAL_RING];
	LWLockRelease(signal_lock);

	for (uint64 i = first; i < end; i++)
	{
		const RoostSignal *signal = &signals[i - first];
		Datum		values[SIGNAL_LIST_COLUMNS];
		bool		nulls[SIGNAL_LIST_COLUMNS] = {false};

		values[0] = Int64GetDatum((int64) i + 1);
		values[1] = CStringGetTextDatum(roost_signal_name(signal->kind));
		values[2] = Int64GetDatum(signal->account_id);
		values[3] = CStringGetTextDatum(signal->channel);
		values[4] = TimestampTzGetDatum(roost_clock_timestamp(signal->at_us));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static Size
signal_shmem_size(void)
{
	return sizeof(SignalShared);
}

static void
signal_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	signal_shared = area;
	signal_lock = &locks[0].lock;
	if (!found)
		memset(&signal_shared->stat, 0, sizeof(signal_shared->stat));
}

const RoostModule roost_signal_module = {
	.name = "roost signal",
	.shmem_size = signal_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = signal_shmem_init,
};
