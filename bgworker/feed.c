/*-------------------------------------------------------------------------
 *
 * feed.c
 *		The worker's step that logs what was committed.
 *
 * Every batch of events becomes rows of roost_data.feed_log and entries of
 * roost_data.mailbox, in one transaction.  The step is their only writer, so
 * seq is dense, and no row appears behind a reader's cursor.
 *
 * Completing.  Events are lost in a crash, when the queue overflows and when
 * the step fails.  Then the log is completed from the tables, from the horizon
 * on, which is stored with it (feed_complete.c).
 *
 * The horizon.  roost_pending_horizon() says below which id no transaction that
 * runs or is prepared has made one.  All others have put their events into the
 * queue by then, or have lost them.  So once the worker has logged the queue up
 * to where it ended at that moment, and nothing was lost, that horizon holds for
 * the log.  The step hears of a loss that was there before a batch was taken at
 * the latest after that batch; so it waits for two more.
 *
 * Epoch.  A cursor is (epoch, seq).  The epoch changes when the log may have
 * gone back, or elsewhere, behind the reader's back: another cluster, database
 * or table (a restored dump), another timeline (a promoted standby, recovery to
 * a point in time).  A crash does not change it: nobody has been told of rows
 * that a crash can take away (feed/feed.c).
 *
 * Doorbell.  After a batch has been flushed, one notification tells of all rows
 * since the last one.  The first after a pause comes at once, the next after
 * roost.notify_interval; what is told to a room comes at once, too: people wait
 * for it, and the pauses of the worker are enough then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "bgworker/feed.h"
#include "bgworker/shared.h"
#include "bgworker/worker.h"
#include "core/clock.h"
#include "core/debug_point.h"
#include "core/id.h"
#include "core/pending.h"
#include "core/plan.h"
#include "feed/feed.h"
#include "live/queue.h"

#define FEED_CHANNEL		"roost_feed"
#define FEED_TRY_MS			1000	/* between looks for complete tables */
#define FEED_SAVE_MS		100 /* between updates of roost_data.feed_state */
#define FEED_TICKS			128

/* How the log stands; read from the tables when it is completed. */
static bool feed_lost = true;	/* it is to be completed */
static int64 feed_tried_ms = 0;
static int64 feed_epoch = 0;
static int64 feed_seq = 0;		/* the last row */
static int64 feed_first = 0;	/* the first row that is kept */
static int64 feed_since = 0;
static int64 feed_horizon = 0;
static int64 feed_horizon_seq = 0;
static int64 feed_now_us = 0;	/* created_at of the last row */
static int64 feed_saved_ms = 0;

/* The horizon that holds once the queue has been logged up to `written`. */
static struct
{
	int64		horizon;		/* 0: none */
	uint64		written;
	uint64		generation;
	uint64		batch;
}			feed_candidate;
static uint64 feed_batches = 0; /* that the step was given */

/*
 * No row up to seq is about an id from `id` on; ascending.  When the list is
 * full every other pair goes.
 */
static struct
{
	int64		id;
	int64		seq;
}			feed_ticks[FEED_TICKS];
static int	feed_num_ticks = 0;

/* The doorbell: rows from..to have not been announced yet. */
static int64 ring_from = 0;
static int64 ring_to = 0;
static bool ring_now = false;	/* some are told to rooms */
static int64 rung_ms = 0;
static StringInfoData ring_text;	/* its cursor is -1 if it got too long */

static void feed_events(const RoostEvent *events, int count);
static void feed_skip(void);
static void feed_write(FeedRow *rows, int count);
static void feed_advance(void);
static void feed_save(bool always);
static void feed_begin(void);
static void feed_complete(void);
static bool feed_load(void);
static bool feed_due(void);
static int	feed_wait(void);
static void feed_settle(void);
static void feed_run(void);
static int64 feed_now_ms(void);

/*
 * Logs a batch of events, or completes the log.
 */
static void
feed_events(const RoostEvent *events, int count)
{
	FeedRow    *rows;
	int			n = 0;

	if (events == NULL)
	{
		feed_lost = true;
		feed_complete();
		return;
	}
	feed_batches++;
	if (feed_lost)
		return;

	rows = palloc(count * sizeof(FeedRow));
	for (int i = 0; i < count; i++)
	{
		if (roost_feed_row(&events[i], &rows[n]) && !roost_feed_is_late(&rows[n], feed_horizon))
			n++;
	}
	if (n == 0)
		return;
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	feed_write(rows, n);
	feed_advance();
	feed_save(false);
	ROOST_DEBUG_POINT("feed_commit");
}

/*
 * Called for a batch that was not logged.  Caches lack nothing because of that.
 */
static void
feed_skip(void)
{
	feed_lost = true;
}

/*
 * Appends rows to the log, with all that follows from them.
 */
static void
feed_write(FeedRow *rows, int count)
{
	int64		from = feed_seq + 1;

	for (int i = 0; i < count; i++)
	{
		rows[i].seq = ++feed_seq;
		ring_now |= rows[i].room_id != 0;
	}
	for (FeedTable table = 0; table < FEED_TABLES; table++)
	{
		while (roost_feed_partition_of(table, feed_seq) == NULL)
			roost_feed_partition_add(table, from, count);
	}
	feed_now_us = Max(feed_now_us, roost_clock_us());
	roost_feed_day_begin(from, feed_now_us);

	LWLockAcquire(roost_feed_shared->lock, LW_EXCLUSIVE);
	if (roost_feed_shared->unflushed_from == 0)
		roost_feed_shared->unflushed_from = from;
	roost_feed_shared->batches++;
	roost_feed_shared->rows += count;
	roost_feed_shared->batch_us = feed_now_us;
	LWLockRelease(roost_feed_shared->lock);

	if (ring_from == 0)
		ring_from = from;
	ring_to = feed_seq;
	roost_feed_mail(rows, count, feed_since, feed_now_us, &ring_text);
}

/*
 * Moves the horizon, if what it waited for has been logged now.
 */
static void
feed_advance(void)
{
	RoostQueueStat queue;

	roost_queue_stat(&queue);
	if (feed_candidate.horizon != 0 && queue.generation != feed_candidate.generation)
		feed_candidate.horizon = 0;
	if (feed_candidate.horizon != 0 && queue.taken >= feed_candidate.written && feed_batches >= feed_candidate.batch + 2)
	{
		int			n = 0;

		feed_horizon = Max(feed_horizon, feed_candidate.horizon);
		feed_candidate.horizon = 0;
		while (n < feed_num_ticks && feed_ticks[n].id <= feed_horizon)
			feed_horizon_seq = feed_ticks[n++].seq;
		feed_num_ticks -= n;
		memmove(feed_ticks, feed_ticks + n, feed_num_ticks * sizeof(feed_ticks[0]));
		roost_feed_late_forget(feed_horizon);
	}
	if (feed_candidate.horizon == 0)
	{
		/* first the horizon: who is not below it is in the queue */
		feed_candidate.horizon = roost_pending_horizon();
		roost_queue_stat(&queue);
		feed_candidate.batch = feed_batches;
		feed_candidate.written = queue.written;
		feed_candidate.generation = queue.generation;
	}
}

/*
 * Stores how the log stands, at most every FEED_SAVE_MS unless always.
 */
static void
feed_save(bool always)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[3] = {INT8OID, INT8OID, INT8OID};
	Datum		values[3];

	if (!always && feed_now_ms() - feed_saved_ms < FEED_SAVE_MS)
		return;
	feed_saved_ms = feed_now_ms();

	if (feed_num_ticks == FEED_TICKS)
	{
		for (int i = 1; i < FEED_TICKS; i += 2)
			feed_ticks[i / 2] = feed_ticks[i];
		feed_num_ticks /= 2;
	}
	feed_ticks[feed_num_ticks].id = roost_id_next(0);
	feed_ticks[feed_num_ticks++].seq = feed_seq;

	values[0] = Int64GetDatum(feed_seq);
	values[1] = Int64GetDatum(feed_horizon);
	values[2] = Int64GetDatum(feed_horizon_seq);
	SPI_connect();
	roost_plan_keep(&plan, "UPDATE roost_data.feed_state SET seq = $1, horizon = $2, horizon_seq = $3, updated_at = pg_catalog.now()",
					3, types);
	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_UPDATE || SPI_processed != 1)
		elog(ERROR, "could not update the state of the log");
	SPI_finish();
}

/*
 * Makes what the step keeps, empty.
 */
static void
feed_begin(void)
{
	roost_feed_late_begin();
	if (ring_text.data == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		initStringInfo(&ring_text);
		MemoryContextSwitchTo(before);
	}
}

/*
 * Completes the log from the tables.
 */
static void
feed_complete(void)
{
	bool		goes_on;

	feed_begin();
	feed_tried_ms = feed_now_ms();
	if (!roost_feed_is_ready())
		return;
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);

	feed_candidate.horizon = 0;
	feed_num_ticks = 0;
	roost_feed_mail_forget();
	roost_feed_table_load();
	goes_on = feed_load();
	roost_feed_add_missing(feed_since, feed_horizon, feed_horizon_seq, feed_write);
	if (goes_on)
	{
		FeedRow		lost = {.kind = FEED_EVENTS_LOST};

		feed_write(&lost, 1);
	}
	roost_feed_see(GetActiveSnapshot());
	feed_save(true);

	LWLockAcquire(roost_feed_shared->lock, LW_EXCLUSIVE);
	roost_feed_shared->completions++;
	roost_feed_shared->epoch = feed_epoch;
	LWLockRelease(roost_feed_shared->lock);
	ROOST_DEBUG_POINT("feed_complete");
	feed_lost = false;
}

/*
 * Reads how the log stands; begins a new epoch where it has to.  Returns
 * whether the epoch goes on.
 */
static bool
feed_load(void)
{
	Oid			types[6] = {INT8OID, OIDOID, INT4OID, INT8OID, INT8OID, INT8OID};
	Datum		values[6];
	bool		isnull;
	bool		goes_on;
	int64		shared_epoch;
	int64		shared_seq;
	int64		notified_seq;
	HeapTuple	tuple;
	TupleDesc	desc;

	LWLockAcquire(roost_feed_shared->lock, LW_SHARED);
	shared_epoch = roost_feed_shared->epoch;
	shared_seq = roost_feed_shared->last_seq;
	notified_seq = roost_feed_shared->notified_seq;
	LWLockRelease(roost_feed_shared->lock);

	values[0] = Int64GetDatum((int64) GetSystemIdentifier());
	values[1] = ObjectIdGetDatum(MyDatabaseId);
	values[2] = Int32GetDatum((int32) GetWALInsertionTimeLine());
	values[3] = Int64GetDatum(roost_id_next(roost_id_random_bucket()));
	values[4] = Int64GetDatum(shared_epoch);
	values[5] = Int64GetDatum(shared_seq);
	SPI_connect();
	if (SPI_execute_with_args("WITH last AS ("
							  "  SELECT l.seq, l.created_at FROM roost_data.feed_log l ORDER BY l.seq DESC LIMIT 1"
							  " ), present AS ("
							  "  SELECT s.*, greatest(s.seq, l.seq) AS last_seq, l.created_at,"
							  "   (s.system_identifier, s.database_id, s.timeline, s.table_id) IS NOT DISTINCT FROM"
							  "   ($1, $2, $3, 'roost_data.feed_state'::pg_catalog.regclass::pg_catalog.oid)"
							  "   AND NOT (s.epoch = $5 AND greatest(s.seq, l.seq) < $6) AS goes_on"
							  "  FROM roost_data.feed_state s LEFT JOIN last l ON true"
							  " )"
							  " UPDATE roost_data.feed_state s SET system_identifier = $1, database_id = $2, timeline = $3,"
							  "  table_id = 'roost_data.feed_state'::pg_catalog.regclass::pg_catalog.oid,"
							  "  epoch = CASE WHEN p.goes_on THEN s.epoch ELSE $4 END"
							  " FROM present p"
							  " RETURNING s.epoch, p.last_seq, s.since, s.horizon, s.horizon_seq, p.goes_on, p.created_at, s.first_seq",
							  6, types, values, NULL, false, 0) != SPI_OK_UPDATE_RETURNING || SPI_processed != 1)
		elog(ERROR, "could not read the state of the log");
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	feed_epoch = DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull));
	feed_seq = DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull));
	feed_since = DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull));
	feed_horizon = DatumGetInt64(SPI_getbinval(tuple, desc, 4, &isnull));
	feed_horizon_seq = DatumGetInt64(SPI_getbinval(tuple, desc, 5, &isnull));
	goes_on = DatumGetBool(SPI_getbinval(tuple, desc, 6, &isnull));
	feed_first = DatumGetInt64(SPI_getbinval(tuple, desc, 8, &isnull));
	feed_now_us = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 7, &isnull));
	feed_now_us = isnull ? 0 : roost_clock_from_timestamp(feed_now_us);
	SPI_finish();

	/* what was logged and not announced, by us or a worker before */
	ring_from = ring_to = 0;
	resetStringInfo(&ring_text);
	if (goes_on && shared_epoch == feed_epoch && notified_seq > 0 && notified_seq < feed_seq)
	{
		ring_from = notified_seq + 1;
		ring_to = feed_seq;
		ring_text.cursor = -1;
	}
	return goes_on;
}

/*
 * Returns whether there is something to do besides logging.
 */
static bool
feed_due(void)
{
	bool		wanted;

	if (feed_wait() == 0)
		return true;
	/* who waits for the worker wants to read what it has logged */
	LWLockAcquire(roost_worker_shared->lock, LW_SHARED);
	wanted = roost_worker_shared->turns_wanted >= roost_worker_shared->turns_begun;
	LWLockRelease(roost_worker_shared->lock);
	return wanted && ring_from != 0;
}

/*
 * Returns in how many milliseconds there will be, or -1.
 */
static int
feed_wait(void)
{
	int64		due;

	if (feed_lost)
		due = feed_tried_ms + FEED_TRY_MS;
	else if (ring_from != 0)
		due = ring_now ? 0 : rung_ms + Max(roost_notify_interval, 0);
	else if (feed_horizon_seq < feed_seq)
		due = feed_saved_ms + FEED_SAVE_MS;
	else
		return -1;
	return (int) Max(due - feed_now_ms(), 0);
}

/*
 * While no events come: lets the horizon come past the last row.  The queue has
 * been looked at in this turn, so it counts as a batch.
 */
static void
feed_settle(void)
{
	if (feed_horizon_seq == feed_seq || feed_now_ms() - feed_saved_ms < FEED_SAVE_MS)
		return;
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	feed_batches++;
	feed_advance();
	feed_save(true);
}

/*
 * Flushes what was logged and rings the doorbell.
 */
static void
feed_run(void)
{
	if (feed_lost)
	{
		feed_complete();
		return;
	}
	if (ring_from == 0)
	{
		feed_settle();
		return;
	}
	XLogFlush(XactLastCommitEnd);
	LWLockAcquire(roost_feed_shared->lock, LW_EXCLUSIVE);
	roost_feed_shared->unflushed_from = 0;
	roost_feed_shared->last_seq = feed_seq;
	LWLockRelease(roost_feed_shared->lock);
	ROOST_DEBUG_POINT("feed_flushed");

	if (roost_notify_interval >= 0)
	{
		(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
		Async_Notify(FEED_CHANNEL,
					 psprintf("{\"epoch\":\"" INT64_FORMAT "\",\"from\":" INT64_FORMAT ",\"to\":" INT64_FORMAT "%s%s%s}",
							  feed_epoch, ring_from, ring_to,
							  ring_text.cursor < 0 ? "" : ",\"events\":[",
							  ring_text.cursor < 0 ? "" : ring_text.data,
							  ring_text.cursor < 0 ? "" : "]"));
		LWLockAcquire(roost_feed_shared->lock, LW_EXCLUSIVE);
		roost_feed_shared->notifies++;
		LWLockRelease(roost_feed_shared->lock);
	}
	LWLockAcquire(roost_feed_shared->lock, LW_EXCLUSIVE);
	roost_feed_shared->notified_seq = ring_to;
	LWLockRelease(roost_feed_shared->lock);
	rung_ms = feed_now_ms();
	ring_from = ring_to = 0;
	ring_now = false;
	resetStringInfo(&ring_text);
}

/*
 * Returns the last row and the horizon; false while the log is to be completed.
 */
bool
roost_feed_position(int64 *seq, int64 *horizon)
{
	*seq = feed_seq;
	*horizon = feed_horizon;
	return !feed_lost;
}

/*
 * Sets which row is the first, and from which id on the log has everything.
 * Rows have gone then, so the state must say which was the last.
 */
void
roost_feed_keep_from(int64 first, int64 since)
{
	if (first == feed_first)
		return;
	feed_first = first;
	feed_since = since;
	feed_save(true);
}

/*
 * Returns a time in milliseconds that never steps back.
 */
static int64
feed_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const RoostWorkerStep roost_feed_step = {
	.name = "log events",
	.period_ms = 0,
	.transaction = true,
	.primary_only = true,
	.due = feed_due,
	.wait = feed_wait,
	.run = feed_run,
	.events = feed_events,
	.skip = feed_skip,
};
