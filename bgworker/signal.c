/*-------------------------------------------------------------------------
 *
 * signal.c
 *		The worker's step that sends signals: presence, typing and calls.
 *
 * It lets pass what time brings about (accounts that go offline, gateways that
 * are silent, writing that nobody goes on with), takes the signals that wait
 * and notifies the gateways.  The first after a pause comes at once, the next
 * after roost.notify_interval, as with the log of events.  A notification holds
 * as many signals as fit:
 *
 *		[["typing:start", "<account>", "<channel>", "<time>"], ...]
 *
 * A signal that was taken and could not be sent is lost; they are never
 * resumed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "bgworker/shared.h"
#include "bgworker/worker.h"
#include "core/clock.h"
#include "feed/feed.h"
#include "live/presence.h"
#include "live/signal.h"
#include "live/typing.h"

#define SIGNAL_CHANNEL		"roost_signal"
#define SIGNAL_BATCH		4096	/* signals taken at once */
#define SIGNAL_PAYLOAD		7900	/* bytes; PostgreSQL takes less than 8000 */
#define SIGNAL_SIZE			192 /* of one, at most */

static int64 signal_rung_ms = 0;

static bool signal_due(void);
static int	signal_wait(void);
static void signal_run(void);
static int	signal_notify(const RoostSignal *signals, int count);
static void signal_append(StringInfo payload, const RoostSignal *signal);
static int64 signal_time_due(void);
static int64 signal_now_ms(void);

/*
 * Returns whether there is something to do.
 */
static bool
signal_due(void)
{
	bool		wanted;

	if (signal_wait() == 0)
		return true;
	/* who waits for the worker wants to have heard what it sends */
	LWLockAcquire(roost_worker_shared->lock, LW_SHARED);
	wanted = roost_worker_shared->turns_wanted >= roost_worker_shared->turns_begun;
	LWLockRelease(roost_worker_shared->lock);
	return wanted && roost_signal_waits();
}

/*
 * Returns in how many milliseconds there will be, or -1.
 */
static int
signal_wait(void)
{
	int64		due = signal_time_due();
	int64		wait = -1;

	if (due > 0)
		wait = Max((due - roost_clock_us() + 999) / 1000, 0);
	if (roost_signal_waits())
	{
		int64		ring = Max(signal_rung_ms + Max(roost_notify_interval, 0) - signal_now_ms(), 0);

		wait = wait < 0 ? ring : Min(wait, ring);
	}
	return (int) Min(wait, PG_INT32_MAX);
}

/*
 * Returns when time brings something about, or 0.
 */
static int64
signal_time_due(void)
{
	int64		presence = roost_presence_due();
	int64		typing = roost_typing_due();

	if (presence == 0 || typing == 0)
		return Max(presence, typing);
	return Min(presence, typing);
}

static void
signal_run(void)
{
	RoostSignal *signals;
	int			count;

	roost_presence_work();
	roost_typing_expire(roost_clock_us());

	signals = palloc(SIGNAL_BATCH * sizeof(RoostSignal));
	count = roost_signal_take(signals, SIGNAL_BATCH);
	if (count == 0)
		return;
	signal_rung_ms = signal_now_ms();
	if (roost_notify_interval < 0)
	{
		roost_signal_notified(count, 0);
		return;
	}
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	roost_signal_notified(0, signal_notify(signals, count));
}

/*
 * Notifies; returns how many notifications that took.
 */
static int
signal_notify(const RoostSignal *signals, int count)
{
	StringInfoData payload;
	int			notifies = 0;

	initStringInfo(&payload);
	for (int i = 0; i < count; i++)
	{
		appendStringInfoChar(&payload, payload.len == 0 ? '[' : ',');
		signal_append(&payload, &signals[i]);
		if (i + 1 < count && payload.len + SIGNAL_SIZE < SIGNAL_PAYLOAD)
			continue;
		appendStringInfoChar(&payload, ']');
		Async_Notify(SIGNAL_CHANNEL, payload.data);
		resetStringInfo(&payload);
		notifies++;
	}
	return notifies;
}

/*
 * Appends a signal.  Names of channels have nothing that JSON escapes
 * (roost_internal.may_signal).
 */
static void
signal_append(StringInfo payload, const RoostSignal *signal)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(roost_clock_timestamp(signal->at_us), NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "time of a signal is out of range");
	appendStringInfo(payload, "[\"%s\",\"" INT64_FORMAT "\",\"%s\",\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"]",
					 roost_signal_name(signal->kind), signal->account_id, signal->channel,
					 tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int) (fsec / 1000));
}

/*
 * Returns a time in milliseconds that never steps back.
 */
static int64
signal_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const RoostWorkerStep roost_signal_step = {
	.name = "send signals",
	.period_ms = 0,
	.transaction = true,
	.primary_only = true,
	.on_sync = true,
	.due = signal_due,
	.wait = signal_wait,
	.run = signal_run,
};
