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
 * the step fails.  Then the log is completed from the tables: everything is
 * looked for there that the log might lack, and what it does lack is added, as
 * if its event had come late.  What is new has a new id; what leaves no row
 * with a new id behind (updates, deletions) has left a trace in
 * roost_data.feed_trace.  So "might lack" means: has an id from the horizon on,
 * which is stored with the log.  Ids identify: the id of a post, like, follow
 * or request is given once, and each is created once and deleted once.
 *
 * The horizon.  roost_pending_horizon() says below which id no transaction that
 * runs or is prepared has made one.  All others have put their events into the
 * queue by then, or have lost them.  So once the worker has logged the queue up
 * to where it ended at that moment, and nothing was lost, that horizon holds for
 * the log.  The step hears of a loss that was there before a batch was taken at
 * the latest after that batch; so it waits for two more.
 *
 * After completing from a snapshot, events of transactions that it sees are in
 * the log already, and are passed over when they come.
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
 * The tables may be there but not yet complete: while a dump is being restored.
 * Nothing is written before the triggers and keys are there, which come last.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

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
#define FEED_CHUNK			1000	/* rows written at once while completing */
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

/*
 * What was changed or undone lately, and may be created only now: the events of
 * two transactions need not come in the order of their commits.  Nothing below
 * the horizon is kept, for of that everything has come.
 */
typedef struct LateKey
{
	int64		what;			/* FeedKind of the creation */
	int64		id;
	int64		account_id;
} LateKey;

typedef struct LateEntry
{
	LateKey		key;
	int64		id;				/* what it can concern has no greater id */
	bool		gone;
} LateEntry;

static HTAB *feed_late = NULL;

/* What the last completion has seen */
static uint64 seen_xmax = 0;
static TransactionId seen_xmin;
static TransactionId *seen_running = NULL;
static int	seen_count = 0;

/* The doorbell: rows from..to have not been announced yet. */
static int64 ring_from = 0;
static int64 ring_to = 0;
static bool ring_now = false;	/* some are told to rooms */
static int64 rung_ms = 0;
static StringInfoData ring_text;	/* its cursor is -1 if it got too long */

static void feed_events(const RoostEvent *events, int count);
static void feed_skip(void);
static bool feed_row(const RoostEvent *event, FeedRow *row);
static bool feed_is_seen(uint64 xid);
static bool feed_is_late(FeedRow *row);
static void feed_late_friend(FeedRow *row);
static LateEntry *feed_late_note(const LateKey *key, int64 id);
static void feed_late_forget(void);
static void feed_write(FeedRow *rows, int count);
static void feed_advance(void);
static void feed_save(bool always);
static void feed_begin(void);
static void feed_complete(void);
static bool feed_is_ready(void);
static bool feed_load(void);
static void feed_add_missing(Snapshot snapshot);
static void feed_see(Snapshot snapshot);
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
		if (feed_row(&events[i], &rows[n]) && !feed_is_late(&rows[n]))
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
 * Makes a row of an event; false: it is not logged, or has been already.
 */
static bool
feed_row(const RoostEvent *event, FeedRow *row)
{
	const int64 *value = event->value;

	memset(row, 0, sizeof(FeedRow));
	switch (event->kind)
	{
		case ROOST_EVENT_POST_CREATED:
		case ROOST_EVENT_POST_UPDATED:
		case ROOST_EVENT_POST_DELETED:
			row->kind = event->kind == ROOST_EVENT_POST_CREATED ? FEED_POST_CREATED :
				event->kind == ROOST_EVENT_POST_UPDATED ? FEED_POST_UPDATED : FEED_POST_DELETED;
			row->id = row->post_id = value[0];
			row->account_id = row->author_id = value[1];
			row->retweet_of_id = value[2];
			row->reply_to_account_id = value[3];
			row->refers = (event->flags & (ROOST_EVENT_HAS(0) | ROOST_EVENT_HAS(1))) != 0;
			row->held = row->kind == FEED_POST_CREATED && (event->flags & ROOST_EVENT_HAS(2)) != 0;
			if (row->kind == FEED_POST_UPDATED && (event->flags & ROOST_EVENT_HAS(2)) != 0)
				row->target_id = row->account_id;
			if (row->held)
				row->author_id = 0;
			break;
		case ROOST_EVENT_POST_HIDDEN:
		case ROOST_EVENT_POST_RELEASED:
			row->kind = event->kind == ROOST_EVENT_POST_HIDDEN ? FEED_POST_HIDDEN : FEED_POST_RELEASED;
			row->id = value[0];
			row->account_id = row->author_id = value[1];
			row->post_id = value[2];
			row->retweet_of_id = value[3];
			break;
		case ROOST_EVENT_FILTER_CHANGED:
			row->kind = FEED_FILTER_CHANGED;
			row->id = value[0];
			row->account_id = value[1];
			row->target_id = value[2];
			break;
		case ROOST_EVENT_LIKE_CREATED:
		case ROOST_EVENT_LIKE_DELETED:
			row->kind = event->kind == ROOST_EVENT_LIKE_CREATED ? FEED_LIKE_CREATED : FEED_LIKE_DELETED;
			row->post_id = value[0];
			row->account_id = value[1];
			row->id = value[2];
			break;
		case ROOST_EVENT_FOLLOW_CREATED:
		case ROOST_EVENT_FOLLOW_DELETED:
		case ROOST_EVENT_FOLLOW_REQUEST_CREATED:
		case ROOST_EVENT_FOLLOW_REQUEST_DELETED:
			row->kind = event->kind == ROOST_EVENT_FOLLOW_CREATED ? FEED_FOLLOW_CREATED :
				event->kind == ROOST_EVENT_FOLLOW_DELETED ? FEED_FOLLOW_DELETED :
				event->kind == ROOST_EVENT_FOLLOW_REQUEST_CREATED ? FEED_REQUEST_CREATED : FEED_REQUEST_DELETED;
			row->account_id = value[0];
			row->target_id = value[1];
			row->id = value[2];
			break;
		case ROOST_EVENT_ACCOUNT_DELETED:
		case ROOST_EVENT_ACCOUNT_UPDATED:
		case ROOST_EVENT_PROFILE_UPDATED:
			row->kind = event->kind == ROOST_EVENT_ACCOUNT_DELETED ? FEED_ACCOUNT_DELETED : FEED_ACCOUNT_UPDATED;
			row->id = row->account_id = value[0];
			break;
		case ROOST_EVENT_SESSION_REVOKED:
			if (event->flags & ROOST_EVENT_DELETE)
				return false;
			row->kind = FEED_SESSION_REVOKED;
			row->id = value[0];
			break;
		case ROOST_EVENT_MESSAGE_CREATED:
			row->kind = FEED_MESSAGE_CREATED;
			row->id = row->message_id = value[0];
			row->account_id = value[1];
			row->room_id = row->conversation_id = value[2];
			break;
		case ROOST_EVENT_ROOM_TOLD:
			if (event->label < FEED_ROOM_KINDS || event->label >= FEED_KINDS)
				return false;
			row->kind = event->label;
			row->id = value[0];
			row->account_id = value[1];
			row->target_id = value[2];
			row->room_id = value[3];
			row->conversation_id = value[4];
			row->message_id = value[5];
			break;
		default:
			return false;
	}
	return !feed_is_seen(event->xid);
}

/*
 * Returns whether the last completion has seen a transaction's rows.
 */
static bool
feed_is_seen(uint64 xid)
{
	if (xid >= seen_xmax)
		return false;
	if (TransactionIdPrecedes((TransactionId) xid, seen_xmin))
		return true;
	for (int i = 0; i < seen_count; i++)
	{
		if (seen_running[i] == (TransactionId) xid)
			return false;
	}
	return true;
}

/*
 * Returns whether a row says that something was created which is gone already.
 * Notes what was changed or undone for those that come after it.
 */
static bool
feed_is_late(FeedRow *row)
{
	LateKey		key = {.id = row->id,.account_id = row->account_id};
	LateEntry  *entry;

	switch (row->kind)
	{
		case FEED_POST_CREATED:
		case FEED_LIKE_CREATED:
		case FEED_FOLLOW_CREATED:
		case FEED_REQUEST_CREATED:
			key.what = row->kind;
			entry = hash_search(feed_late, &key, HASH_FIND, NULL);
			row->again = entry != NULL && row->retweet_of_id == 0;
			return entry != NULL && entry->gone;
		case FEED_POST_UPDATED:
		case FEED_POST_DELETED:
			key.what = FEED_POST_CREATED;
			break;
		case FEED_LIKE_DELETED:
			key.what = FEED_LIKE_CREATED;
			break;
		case FEED_FOLLOW_DELETED:
			key.what = FEED_FOLLOW_CREATED;
			break;
		case FEED_REQUEST_DELETED:
			key.what = FEED_REQUEST_CREATED;
			break;
		default:
			feed_late_friend(row);
			return false;
	}
	if (row->id >= feed_horizon)
	{
		entry = feed_late_note(&key, row->id);
		entry->gone = entry->gone || row->kind != FEED_POST_UPDATED;
	}
	return false;
}

/*
 * The same for friends.  Requests and friendships have no id of their own here:
 * of two accounts a later row, with a greater id, undoes what an earlier one
 * says.  Both are logged; only the entry of what is undone must not come late.
 */
static void
feed_late_friend(FeedRow *row)
{
	LateKey		key = {.id = Min(row->account_id, row->target_id),.account_id = Max(row->account_id, row->target_id)};
	LateEntry  *entry;

	switch (row->kind)
	{
		case FEED_FRIEND_REQUESTED:
		case FEED_FRIEND_ACCEPTED:
			key.what = row->kind;
			entry = hash_search(feed_late, &key, HASH_FIND, NULL);
			row->undone = entry != NULL && entry->id > row->id;
			break;
		case FEED_FRIEND_REQUEST_CANCELLED:
		case FEED_FRIEND_REQUEST_REJECTED:
		case FEED_FRIEND_REMOVED:
			break;
		default:
			return;
	}
	if (row->kind == FEED_FRIEND_REQUESTED)
		return;
	key.what = row->kind == FEED_FRIEND_REMOVED ? FEED_FRIEND_ACCEPTED : FEED_FRIEND_REQUESTED;
	(void) feed_late_note(&key, row->id);
}

/*
 * Notes something for what may come after it.
 */
static LateEntry *
feed_late_note(const LateKey *key, int64 id)
{
	bool		found;
	LateEntry  *entry = hash_search(feed_late, key, HASH_ENTER, &found);

	if (!found)
		entry->gone = false;
	entry->id = found ? Max(entry->id, id) : id;
	return entry;
}

/*
 * Forgets what nothing can come for any more.
 */
static void
feed_late_forget(void)
{
	HASH_SEQ_STATUS status;
	LateEntry  *entry;

	hash_seq_init(&status, feed_late);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->id < feed_horizon)
			hash_search(feed_late, &entry->key, HASH_REMOVE, NULL);
	}
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
		feed_late_forget();
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
	HASHCTL		info = {.keysize = sizeof(LateKey),.entrysize = sizeof(LateEntry)};

	if (feed_late != NULL)
		hash_destroy(feed_late);
	feed_late = hash_create("roost feed", 256, &info, HASH_ELEM | HASH_BLOBS);
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
	if (!feed_is_ready())
		return;
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);

	feed_candidate.horizon = 0;
	feed_num_ticks = 0;
	roost_feed_mail_forget();
	roost_feed_table_load();
	goes_on = feed_load();
	feed_add_missing(GetActiveSnapshot());
	if (goes_on)
	{
		FeedRow		lost = {.kind = FEED_EVENTS_LOST};

		feed_write(&lost, 1);
	}
	feed_see(GetActiveSnapshot());
	feed_save(true);

	LWLockAcquire(roost_feed_shared->lock, LW_EXCLUSIVE);
	roost_feed_shared->completions++;
	roost_feed_shared->epoch = feed_epoch;
	LWLockRelease(roost_feed_shared->lock);
	ROOST_DEBUG_POINT("feed_complete");
	feed_lost = false;
}

/*
 * Returns whether the tables are there with all that a dump restores last.
 */
static bool
feed_is_ready(void)
{
	Oid			schema = get_namespace_oid("roost_data", true);
	bool		isnull;
	bool		ready;

	if (!OidIsValid(schema) || !OidIsValid(get_relname_relid("feed_state", schema)) ||
		!OidIsValid(get_relname_relid("feed_trace", schema)) || !OidIsValid(get_relname_relid("feed_day", schema)) ||
		!OidIsValid(get_relname_relid("feed_log", schema)))
		return false;

	SPI_connect();
	if (SPI_execute("SELECT EXISTS (SELECT FROM roost_data.feed_state)"
					" AND (SELECT pg_catalog.count(*) FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND"
					"  (t.tgrelid, t.tgname) IN (SELECT c.oid, n.name FROM (VALUES ('post', 'post_insert_event'), ('post_like', 'post_like_insert_event'),"
					"   ('follow', 'follow_insert_event'), ('follow_request', 'follow_request_insert_event'), ('post', 'post_delete_trace'),"
					"   ('feed_trace', 'feed_trace_insert_event'), ('message', 'message_insert_event')) n (tab, name)"
					"   JOIN pg_catalog.pg_class c ON c.relname = n.tab AND c.relnamespace = 'roost_data'::pg_catalog.regnamespace)) = 7"
					" AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = 'roost_data'::pg_catalog.regnamespace"
					"  AND (c.relname ~ '^(feed_log|mailbox)(_[0-9]+)?$' OR c.relname IN ('feed_state', 'feed_trace', 'feed_day', 'account')) AND c.relkind IN ('r', 'p')"
					"  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid))",
					true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not look for the tables of the log");
	ready = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return ready;
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
 * What the log might lack: $1 from which id, $2 traces from which id, $3 what of
 * the log is new, $4 whether rows may be gone without a trace.
 */
static const char *const missing_query =
"WITH found AS ("
"  SELECT p.id AS at, 'post_created'::roost.feed_kind AS kind, p.id, p.author_id AS account_id, p.id AS post_id, NULL::bigint AS target_id,"
"   p.retweet_of_id, p.reply_to_account_id, p.quote_of_id IS NOT NULL OR p.mention_ids IS NOT NULL AS refers,"
"   p.state IN ('held', 'removed') AS held, NULL::bigint AS room_id, NULL::bigint AS conversation_id, NULL::bigint AS message_id"
"  FROM roost_data.post p WHERE p.id OPERATOR(pg_catalog.>=) $1"
"  UNION ALL SELECT t.id, 'like_created', t.id, t.account_id, t.post_id, NULL, NULL, NULL, false, false, NULL, NULL, NULL"
"  FROM roost_data.post_like t WHERE t.id OPERATOR(pg_catalog.>=) $1"
"  UNION ALL SELECT t.id, 'follow_created', t.id, t.follower_id, NULL, t.followee_id, NULL, NULL, false, false, NULL, NULL, NULL"
"  FROM roost_data.follow t WHERE t.id OPERATOR(pg_catalog.>=) $1"
"  UNION ALL SELECT t.id, 'follow_request_created', t.id, t.follower_id, NULL, t.followee_id, NULL, NULL, false, false, NULL, NULL, NULL"
"  FROM roost_data.follow_request t WHERE t.id OPERATOR(pg_catalog.>=) $1"
"  UNION ALL SELECT m.id, 'message_created', m.id, m.sender_id, NULL, NULL, NULL, NULL, false, false, m.conversation_id, m.conversation_id, m.id"
"  FROM roost_data.message m WHERE m.id OPERATOR(pg_catalog.>=) $1"
"  UNION ALL SELECT t.id, t.kind, t.row_id, t.account_id, t.post_id, t.target_id, t.retweet_of_id, t.reply_to_account_id, false, false,"
"   t.room_id, t.conversation_id, t.message_id"
"  FROM roost_data.feed_trace t WHERE t.id OPERATOR(pg_catalog.>=) $2 AND t.kind <> 'events_lost' AND t.kind <> 'post_updated'"
"  UNION ALL SELECT 9223372036854775807, g.kind, g.id, g.account_id, g.post_id, g.target_id, g.retweet_of_id, g.reply_to_account_id, false, false, NULL, NULL, NULL"
"  FROM roost_internal.feed_gone() g WHERE $4 AND NOT EXISTS (SELECT FROM roost_data.feed_trace t"
"   WHERE t.id OPERATOR(pg_catalog.>=) $2 AND t.kind = g.kind AND t.row_id = g.id AND t.account_id = g.account_id)"
" ), lacking AS ("
"  SELECT f.* FROM found f WHERE NOT EXISTS (SELECT FROM roost_data.feed_log l"
"   WHERE l.seq OPERATOR(pg_catalog.>) $3 AND l.kind = f.kind AND l.id = f.id AND coalesce(l.room_id, l.account_id) = coalesce(f.room_id, f.account_id)"
"   AND NOT EXISTS (SELECT FROM roost_data.feed_log d WHERE d.seq OPERATOR(pg_catalog.>) l.seq"
"    AND d.kind = roost_internal.feed_undoing(l.kind) AND d.id = l.id AND d.account_id = l.account_id))"
"  UNION ALL SELECT pg_catalog.max(t.id), t.kind, t.row_id, t.account_id, t.post_id,"
"   CASE WHEN pg_catalog.count(t.target_id) OPERATOR(pg_catalog.=) pg_catalog.count(*) THEN t.account_id END, t.retweet_of_id, t.reply_to_account_id, true, false,"
"   NULL, NULL, NULL"
"  FROM roost_data.feed_trace t WHERE t.id OPERATOR(pg_catalog.>=) $2 AND t.kind = 'post_updated' GROUP BY 2, 3, 4, 5, 7, 8"
" )"
" SELECT c.kind::text, c.id, c.account_id, c.post_id, c.target_id, c.retweet_of_id, c.reply_to_account_id, c.refers, c.held,"
"  c.room_id, c.conversation_id, c.message_id"
" FROM lacking c ORDER BY c.at";

/*
 * Returns a column of a row as a number, 0 where it is null.
 */
static int64
missing_int64(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, desc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/*
 * Makes a row of what the log lacks.
 */
static void
missing_row(HeapTuple tuple, TupleDesc desc, FeedRow *row)
{
	bool		isnull;

	memset(row, 0, sizeof(FeedRow));
	row->kind = roost_feed_kind_of(SPI_getvalue(tuple, desc, 1));
	row->id = missing_int64(tuple, desc, 2);
	row->account_id = missing_int64(tuple, desc, 3);
	row->post_id = missing_int64(tuple, desc, 4);
	row->target_id = missing_int64(tuple, desc, 5);
	row->retweet_of_id = missing_int64(tuple, desc, 6);
	row->reply_to_account_id = missing_int64(tuple, desc, 7);
	row->refers = DatumGetBool(SPI_getbinval(tuple, desc, 8, &isnull));
	row->held = DatumGetBool(SPI_getbinval(tuple, desc, 9, &isnull));
	row->room_id = missing_int64(tuple, desc, 10);
	row->conversation_id = missing_int64(tuple, desc, 11);
	row->message_id = missing_int64(tuple, desc, 12);
	if (row->kind == FEED_POST_CREATED || row->kind == FEED_POST_UPDATED || row->kind == FEED_POST_DELETED ||
		row->kind == FEED_POST_HIDDEN || row->kind == FEED_POST_RELEASED)
		row->author_id = row->held ? 0 : row->account_id;
}

/*
 * Adds what the tables have and the log has not.  If rows with old ids were
 * imported since the horizon, or tables truncated, it compares everything.
 */
static void
feed_add_missing(Snapshot snapshot)
{
	Oid			types[4] = {INT8OID, INT8OID, INT8OID, BOOLOID};
	Datum		values[4] = {Int64GetDatum(feed_horizon), Int64GetDatum(feed_horizon), Int64GetDatum(feed_horizon_seq), BoolGetDatum(false)};
	FeedRow    *rows = palloc(FEED_CHUNK * sizeof(FeedRow));
	SPIPlanPtr	plan;
	Portal		portal;

	SPI_connect();
	if (SPI_execute_with_args("SELECT FROM roost_data.feed_trace t WHERE t.kind = 'events_lost' AND t.id OPERATOR(pg_catalog.>=) $1",
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the traces of imports");
	if (SPI_processed > 0)
	{
		values[0] = Int64GetDatum(feed_since);
		values[2] = Int64GetDatum(0);
		values[3] = BoolGetDatum(true);
	}
	plan = SPI_prepare(missing_query, 4, types);
	if (plan == NULL)
		elog(ERROR, "could not prepare the look for what the log lacks: %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, values, NULL, true);
	for (;;)
	{
		int			count;

		SPI_cursor_fetch(portal, true, FEED_CHUNK);
		count = (int) SPI_processed;
		if (count == 0)
			break;
		for (int i = 0; i < count; i++)
			missing_row(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &rows[i]);
		SPI_freetuptable(SPI_tuptable);
		feed_write(rows, count);
	}
	SPI_cursor_close(portal);
	/* the log does not reach as far back as the mailboxes */
	if (DatumGetBool(values[3]) && SPI_execute("SELECT roost_internal.mailbox_sweep()", false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look after old entries of mailboxes");
	SPI_finish();
}

/*
 * Remembers what a snapshot sees.
 */
static void
feed_see(Snapshot snapshot)
{
	FullTransactionId next = ReadNextFullTransactionId();
	uint32		epoch = EpochFromFullTransactionId(next);

	if (snapshot->xmax > XidFromFullTransactionId(next))
		epoch--;
	seen_xmax = U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(epoch, snapshot->xmax));
	seen_xmin = snapshot->xmin;
	seen_count = 0;
	if (seen_running != NULL)
		pfree(seen_running);
	seen_running = MemoryContextAlloc(TopMemoryContext, Max(snapshot->xcnt, 1) * sizeof(TransactionId));
	memcpy(seen_running, snapshot->xip, snapshot->xcnt * sizeof(TransactionId));
	seen_count = snapshot->xcnt;
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
