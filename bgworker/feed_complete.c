/*-------------------------------------------------------------------------
 *
 * feed_complete.c
 *		Completing the log from the tables.
 *
 * Everything is looked for in the tables that the log might lack, and what it
 * does lack is added, as if its event had come late.  What is new has a new
 * id; what leaves no row with a new id behind (updates, deletions) has left a
 * trace in roost_data.feed_trace.  So "might lack" means: has an id from the
 * horizon on (feed.c).  Ids identify: the id of a post, like, follow or request
 * is given once, and each is created once and deleted once.
 *
 * After completing from a snapshot, events of transactions that it sees are in
 * the log already, and are passed over when they come.
 *
 * The tables may be there but not yet complete: while a dump is being restored.
 * Nothing is written before the triggers and keys are there, which come last.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "bgworker/feed.h"
#include "feed/feed.h"

#define FEED_CHUNK			1000	/* rows written at once */

/* What the last completion has seen */
static uint64 seen_xmax = 0;
static TransactionId seen_xmin;
static TransactionId *seen_running = NULL;
static int	seen_count = 0;

/*
 * Returns whether the tables are there with all that a dump restores last.
 */
bool
roost_feed_is_ready(void)
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
 * Gives what the tables have and the log has not to the writer.  If rows with old ids were
 * imported since the horizon, or tables truncated, it compares everything.
 */
void
roost_feed_add_missing(int64 since, int64 horizon, int64 horizon_seq, FeedWriter write)
{
	Oid			types[4] = {INT8OID, INT8OID, INT8OID, BOOLOID};
	Datum		values[4] = {Int64GetDatum(horizon), Int64GetDatum(horizon), Int64GetDatum(horizon_seq), BoolGetDatum(false)};
	FeedRow    *rows = palloc(FEED_CHUNK * sizeof(FeedRow));
	SPIPlanPtr	plan;
	Portal		portal;

	SPI_connect();
	if (SPI_execute_with_args("SELECT FROM roost_data.feed_trace t WHERE t.kind = 'events_lost' AND t.id OPERATOR(pg_catalog.>=) $1",
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the traces of imports");
	if (SPI_processed > 0)
	{
		values[0] = Int64GetDatum(since);
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
		write(rows, count);
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
void
roost_feed_see(Snapshot snapshot)
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
 * Returns whether the last completion has seen a transaction's rows.
 */
bool
roost_feed_is_seen(uint64 xid)
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
