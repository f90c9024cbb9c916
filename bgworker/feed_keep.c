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
#include "core/plan.h"
#include "feed/feed.h"

#define KEEP_MS		60000

static void keep_run(void);
static void keep_traces(int64 horizon);
static void keep_expire(void);
static void keep_ahead(int64 seq);

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
	keep_traces(horizon);
	keep_expire();
	keep_ahead(seq);
}

/*
 * Removes the traces of what has been logged.
 */
static void
keep_traces(int64 horizon)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(horizon)};

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
	Oid			types[2] = {INTERVALOID, INT8OID};
	Interval	retention = {.time = (int64) roost_event_retention * USECS_PER_SEC};
	Datum		values[2] = {IntervalPGetDatum(&retention), Int64GetDatum((int64) roost_event_size * 1024 * 1024)};
	int64		first;
	int64		since;
	bool		isnull;

	SPI_connect();
	roost_plan_keep(&plan, "SELECT e.first_seq, e.since FROM roost_internal.feed_expire($1, $2) e", 2, types);
	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not drop what is old of the log");
	first = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	since = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	SPI_finish();

	/* something went, so partitions may have gone */
	if (roost_feed_keep_from(first, since))
		roost_feed_table_load();
}

/*
 * Adds the next partition when the last one is half full.
 */
static void
keep_ahead(int64 seq)
{
	int			count;
	const FeedPartition *partitions = roost_feed_table_partitions(&count);
	Oid			schema = get_namespace_oid("roost_data", false);

	if (count > 0 &&
		partitions[count - 1].to_seq - seq > (partitions[count - 1].to_seq - partitions[count - 1].from_seq) / 2)
		return;
	if (!ConditionalLockRelationOid(get_relname_relid("feed_log", schema), ShareUpdateExclusiveLock) ||
		!ConditionalLockRelationOid(get_relname_relid("mailbox", schema), ShareUpdateExclusiveLock))
		return;
	roost_feed_table_add(seq + 1, 0);
}

const RoostWorkerStep roost_feed_keep_step = {
	.name = "keep the log",
	.period_ms = KEEP_MS,
	.transaction = true,
	.primary_only = true,
	.on_sync = true,
	.run = keep_run,
};
