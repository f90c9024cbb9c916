/*-------------------------------------------------------------------------
 *
 * follow.c
 *		The step of a standby's worker that follows the log of events.
 *
 * On a standby nothing happens but replay.  The step reads new rows of
 * roost_data.feed_log, in order, and applies them to this server's own caches
 * as the primary's worker applies events.  timeline/standby.h says how readers
 * know what has not come that far.
 *
 * LISTEN is impossible in recovery, so it looks: as long as rows come every
 * FOLLOW_MIN_MS, else after twice the time before, up to FOLLOW_MAX_MS; and
 * only if anything was replayed since, so that a quiet standby runs no query.
 *
 * It begins anew, with empty caches, at the end of the log as its snapshot
 * sees it: at the start, when the epoch of the log is another one (a new
 * primary), when rows are gone that it has not read, and when the log says
 * that events were lost.  Boxes that begin later are filled from indexes that
 * have everything the log has.
 *
 * Where it is stands in shared memory, so that a new worker goes on there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#if PG_VERSION_NUM >= 150000
#include "access/xlogrecovery.h"
#endif
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "bgworker/fanout.h"
#include "bgworker/follow.h"
#include "bgworker/shared.h"
#include "bgworker/worker.h"
#include "core/debug_point.h"
#include "core/plan.h"
#include "timeline/standby.h"

#define FOLLOW_MIN_MS	5
#define FOLLOW_MAX_MS	100
#define FOLLOW_BATCH	1024

/* The log, as the snapshot sees it */
typedef struct FollowLog
{
	int64		epoch;
	int64		first_seq;
	int64		last_seq;
	int64		horizon;
	int64		horizon_seq;
} FollowLog;

static XLogRecPtr follow_replayed = InvalidXLogRecPtr;	/* at the last look */
static int	follow_interval = FOLLOW_MIN_MS;
static bool follow_applying = false;	/* an error has interrupted it */

static bool follow_due(void);
static int	follow_wait(void);
static void follow_run(void);
static bool follow_read_log(FollowLog *log);
static void follow_begin(const FollowLog *log);
static bool follow_rows(const FollowLog *log, StandbyProgress *progress);
static int	follow_fetch(int64 after, RoostEvent *events, int64 *last, bool *lost);
static bool follow_event(HeapTuple tuple, TupleDesc desc, RoostEvent *event, bool *lost);
static void follow_count(const RoostEvent *events, int count);

/*
 * Returns whether something was replayed since the last look.
 */
static bool
follow_due(void)
{
	XLogRecPtr	replayed;

	if (!RecoveryInProgress())
		return false;
	replayed = GetXLogReplayRecPtr(NULL);
	if (replayed == follow_replayed)
	{
		follow_interval = Min(follow_interval * 2, FOLLOW_MAX_MS);
		return false;
	}
	follow_replayed = replayed;
	return true;
}

static int
follow_wait(void)
{
	return RecoveryInProgress() ? follow_interval : -1;
}

/*
 * Applies what is new in the log.
 */
static void
follow_run(void)
{
	StandbyProgress progress;
	FollowLog	log;

	if (follow_applying)
	{
		roost_fanout_skip();
		roost_standby_stop();
		follow_applying = false;
	}
	ROOST_DEBUG_POINT("follow");
	roost_standby_progress(&progress);

	SPI_connect();
	if (!follow_read_log(&log))
		roost_standby_stop();
	else if (!progress.following || progress.epoch != log.epoch ||
			 log.first_seq > progress.applied_seq + 1 || log.last_seq < progress.applied_seq)
		follow_begin(&log);
	else
	{
		int64		before = progress.applied_seq;

		if (!follow_rows(&log, &progress))
			follow_begin(&log);
		follow_interval = progress.applied_seq > before ? FOLLOW_MIN_MS : Min(follow_interval * 2, FOLLOW_MAX_MS);
	}
	SPI_finish();
}

/*
 * Returns a column as a number, 0 where it is null.
 */
static int64
follow_int64(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, desc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/*
 * Reads how the log stands; returns false if there is none yet.
 */
static bool
follow_read_log(FollowLog *log)
{
	static SPIPlanPtr plan = NULL;
	Oid			schema = get_namespace_oid("roost_data", true);

	if (!OidIsValid(schema) || !OidIsValid(get_relname_relid("feed_state", schema)))
		return false;
	roost_plan_keep(&plan, "SELECT s.epoch, s.first_seq, greatest(s.seq, l.seq), s.horizon, s.horizon_seq"
					" FROM roost_data.feed_state s LEFT JOIN (SELECT t.seq FROM roost_data.feed_log t ORDER BY t.seq DESC LIMIT 1) l ON true",
					0, NULL);
	if (SPI_execute_plan(plan, NULL, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the state of the log");
	if (SPI_processed == 0)
		return false;
	log->epoch = follow_int64(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	log->first_seq = follow_int64(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	log->last_seq = follow_int64(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
	log->horizon = follow_int64(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 4);
	log->horizon_seq = follow_int64(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 5);
	SPI_freetuptable(SPI_tuptable);
	return log->epoch != 0;
}

/*
 * Begins at the end of the log, with empty caches.
 */
static void
follow_begin(const FollowLog *log)
{
	StandbyProgress progress = {
		.following = true,
		.epoch = log->epoch,
		.applied_seq = log->last_seq,
		.horizon = log->horizon,
	};

	roost_standby_stop();
	roost_fanout_skip();
	roost_standby_begin_batch(GetActiveSnapshot());
	follow_applying = true;
	roost_fanout_apply(NULL, 0);
	follow_applying = false;
	roost_standby_publish(&progress);
	follow_interval = FOLLOW_MIN_MS;
	ereport(LOG,
			(errmsg("timelines of this standby follow the log from " INT64_FORMAT " on", log->last_seq)));
}

/*
 * Applies the rows that have come; returns false if they cannot be applied one
 * by one.
 */
static bool
follow_rows(const FollowLog *log, StandbyProgress *progress)
{
	RoostEvent *events = palloc(FOLLOW_BATCH * sizeof(RoostEvent));
	bool		lost = false;

	while (progress->applied_seq < log->last_seq)
	{
		int64		last = progress->applied_seq;
		int			count = follow_fetch(progress->applied_seq, events, &last, &lost);

		if (lost || last == progress->applied_seq)
			return false;
		if (count > 0)
		{
			roost_standby_begin_batch(GetActiveSnapshot());
			ROOST_DEBUG_POINT("follow_apply");
			follow_applying = true;
			for (int i = 0; i < count; i++)
				if (events[i].kind != ROOST_EVENT_POST_CREATED)
					roost_standby_forget(events[i].value[0]);
			roost_fanout_apply(events, count);
			follow_applying = false;
			follow_count(events, count);
		}
		progress->applied_seq = last;
		roost_standby_publish(progress);
	}
	if (log->horizon_seq <= progress->applied_seq && log->horizon > progress->horizon)
	{
		roost_standby_begin_batch(GetActiveSnapshot());
		progress->horizon = log->horizon;
		roost_standby_publish(progress);
	}
	return true;
}

/*
 * Makes events of the next rows; returns how many.  lost: rows are missing, or
 * one says that events were lost.
 */
static int
follow_fetch(int64 after, RoostEvent *events, int64 *last, bool *lost)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(after)};
	int			count = 0;

	roost_plan_keep(&plan, "SELECT l.seq, l.kind::text, l.id, l.account_id, l.target_id, l.retweet_of_id, l.reply_to_account_id"
					" FROM roost_data.feed_log l WHERE l.seq OPERATOR(pg_catalog.>) $1 ORDER BY l.seq LIMIT 1024", 1, types);
	if (SPI_execute_plan(plan, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the log");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];

		if (follow_int64(tuple, SPI_tuptable->tupdesc, 1) != *last + 1)
			*lost = true;
		if (follow_event(tuple, SPI_tuptable->tupdesc, &events[count], lost))
			count++;
		++*last;
	}
	SPI_freetuptable(SPI_tuptable);
	return count;
}

/*
 * Makes an event of a row; returns false if caches do not need it.
 */
static bool
follow_event(HeapTuple tuple, TupleDesc desc, RoostEvent *event, bool *lost)
{
	char	   *kind = SPI_getvalue(tuple, desc, 2);

	memset(event, 0, sizeof(*event));
	if (strcmp(kind, "events_lost") == 0)
		*lost = true;
	else if (strcmp(kind, "post_created") == 0)
	{
		event->kind = ROOST_EVENT_POST_CREATED;
		event->flags = ROOST_EVENT_INSERT;
		event->value[0] = follow_int64(tuple, desc, 3);
		event->value[1] = follow_int64(tuple, desc, 4);
		event->value[2] = follow_int64(tuple, desc, 6);
		event->value[3] = follow_int64(tuple, desc, 7);
		return true;
	}
	else if (strcmp(kind, "follow_created") == 0 || strcmp(kind, "follow_deleted") == 0)
	{
		bool		created = strcmp(kind, "follow_created") == 0;

		event->kind = created ? ROOST_EVENT_FOLLOW_CREATED : ROOST_EVENT_FOLLOW_DELETED;
		event->flags = created ? ROOST_EVENT_INSERT : ROOST_EVENT_DELETE;
		event->value[0] = follow_int64(tuple, desc, 4);
		event->value[1] = follow_int64(tuple, desc, 5);
		event->value[2] = follow_int64(tuple, desc, 3);
		return true;
	}
	return false;
}

/*
 * Counts them among the events of roost.stat_event.
 */
static void
follow_count(const RoostEvent *events, int count)
{
	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
		roost_worker_shared->events[events[i].kind]++;
	LWLockRelease(roost_worker_shared->lock);
}

/*
 * The standby has become a primary: what was read from the log is not all that
 * was replayed.
 */
void
roost_follow_end(void)
{
	roost_standby_stop();
	roost_fanout_skip();
}

const RoostWorkerStep roost_follow_step = {
	.name = "follow the log",
	.period_ms = 0,
	.transaction = true,
	.due = follow_due,
	.wait = follow_wait,
	.run = follow_run,
};
