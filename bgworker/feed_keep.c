/*-------------------------------------------------------------------------
 *
 * feed_keep.c
 *		The worker's step that looks after the log: what is old goes, there is
 *		room ahead, and traces go when they have been logged.
 *
 * It waits for nobody: who holds a lock on the tables for long, as pg_dump does,
 * only makes it do its work later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "bgworker/feed.h"
#include "bgworker/worker.h"
#include "core/id.h"
#include "core/plan.h"
#include "feed/feed.h"

#define KEEP_MS		60000
#define KEEP_TRACE_MS	60000	/* standbys look for traces while they are
								 * half as far behind (timeline/standby.c) */

static void keep_run(void);
static void keep_traces(int64 below);
static void keep_expire(void);
static void keep_ahead(FeedTable table, int64 seq);

/*
 * Looks after the log.
 */
static void
keep_run(void)
{
	int64		seq;
	int64		horizon;

	if (!roost_feed_position(&seq, &horizon))
		return;
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	keep_traces(horizon - ((int64) KEEP_TRACE_MS << ROOST_ID_MS_SHIFT));
	keep_expire();
	for (FeedTable table = 0; table < FEED_TABLES; table++)
		keep_ahead(table, seq);
}

/*
 * Removes the traces of what has been logged, those below an id.
 */
static void
keep_traces(int64 below)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(below)};

	SPI_connect();
	roost_plan_keep(&plan, "DELETE FROM roost_data.feed_trace t WHERE t.id OPERATOR(pg_catalog.<) $1", 1, types);
	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not remove traces");
	SPI_finish();
}

/*
 * Drops what is too old or too much.
 */
static void
keep_expire(void)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[3] = {INTERVALOID, INTERVALOID, INT8OID};
	Interval	events = {.time = (int64) roost_event_retention * USECS_PER_SEC};
	Interval	notifications = {.time = (int64) roost_notification_retention * USECS_PER_SEC};
	Datum		values[3] = {IntervalPGetDatum(&events), IntervalPGetDatum(&notifications), Int64GetDatum((int64) roost_event_size * 1024 * 1024)};
	int64		first;
	int64		since;
	bool		dropped;
	bool		isnull;

	SPI_connect();
	roost_plan_keep(&plan, "SELECT e.first_seq, e.since, e.dropped FROM roost_internal.feed_expire($1, $2, $3) e", 3, types);
	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not drop what is old of the log");
	first = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	since = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	dropped = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3, &isnull));
	SPI_finish();

	roost_feed_keep_from(first, since);
	if (dropped)
		roost_feed_table_load();
}

/*
 * Adds the next partition to a table when its last one is half full.
 */
static void
keep_ahead(FeedTable table, int64 seq)
{
	const FeedPartition *last = roost_feed_partition_last(table);

	if (last != NULL && last->to_seq - seq > (last->to_seq - last->from_seq) / 2)
		return;
	if (ConditionalLockRelationOid(get_relname_relid(roost_feed_partition_parent(table), get_namespace_oid("roost_data", false)),
								   ShareUpdateExclusiveLock))
		roost_feed_partition_add(table, seq + 1, 0);
}

const RoostWorkerStep roost_feed_keep_step = {
	.name = "keep the log",
	.period_ms = KEEP_MS,
	.transaction = true,
	.primary_only = true,
	.on_sync = true,
	.run = keep_run,
};
