/*-------------------------------------------------------------------------
 *
 * stat.c
 *		Counters of accounts, without a hot row.
 *
 * A counter is a handful of rows ("slots") whose sum is the number: the writer
 * adds to a slot that no other transaction holds, or makes a new one.  Writers
 * therefore never wait for each other.  roost.maintenance_run() folds slots.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "fmgr.h"

#include "account/stat.h"
#include "core/plan.h"

PG_FUNCTION_INFO_V1(roost_account_stat_add_sql);

static bool stat_update(Datum *values);
static bool stat_insert(Datum *values);

/* account, followers, following, posts; and the slot */
static Oid	stat_types[] = {INT8OID, INT8OID, INT8OID, INT8OID, INT4OID};

/*
 * roost_internal.account_stat_add(account_id, followers, following, posts)
 */
Datum
roost_account_stat_add_sql(PG_FUNCTION_ARGS)
{
	SPI_connect();
	roost_account_stat_add(PG_GETARG_INT64(0), PG_GETARG_INT64(1), PG_GETARG_INT64(2), PG_GETARG_INT64(3));
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * Adds to the counters of an account.
 *
 * Under a fixed snapshot, adding to a slot that another transaction changed
 * since would fail; a slot of one's own never does.  Its number is random,
 * because the slots of transactions still open are unseen.
 */
void
roost_account_stat_add(int64 account_id, int64 followers, int64 following, int64 posts)
{
	Datum		values[] = {Int64GetDatum(account_id), Int64GetDatum(followers), Int64GetDatum(following),
	Int64GetDatum(posts), (Datum) 0};

	if (!IsolationUsesXactSnapshot() && stat_update(values))
		return;
	do
		values[4] = Int32GetDatum((int32) pg_prng_uint64_range(&pg_global_prng_state, 1, PG_INT32_MAX));
	while (!stat_insert(values));
}

/*
 * Adds to a slot that nobody holds; returns false if there is none.
 */
static bool
stat_update(Datum *values)
{
	static SPIPlanPtr plan = NULL;
	int			result;

	roost_plan_keep(&plan,
					"UPDATE roost_data.account_stat AS s SET"
					" follower_count = s.follower_count OPERATOR(pg_catalog.+) $2,"
					" following_count = s.following_count OPERATOR(pg_catalog.+) $3,"
					" post_count = s.post_count OPERATOR(pg_catalog.+) $4"
					" WHERE s.account_id OPERATOR(pg_catalog.=) $1 AND s.slot OPERATOR(pg_catalog.=)"
					" (SELECT t.slot FROM roost_data.account_stat AS t WHERE t.account_id OPERATOR(pg_catalog.=) $1"
					" ORDER BY t.slot LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)",
					4, stat_types);
	result = SPI_execute_plan(plan, values, NULL, false, 0);
	if (result != SPI_OK_UPDATE)
		elog(ERROR, "could not add to counters: %s", SPI_result_code_string(result));
	return SPI_processed > 0;
}

/*
 * Makes a new slot; returns false if there is one of that number.
 */
static bool
stat_insert(Datum *values)
{
	static SPIPlanPtr plan = NULL;
	int			result;

	roost_plan_keep(&plan,
					"INSERT INTO roost_data.account_stat (account_id, slot, follower_count, following_count, post_count)"
					" VALUES ($1, $5, $2, $3, $4) ON CONFLICT DO NOTHING",
					5, stat_types);
	result = SPI_execute_plan(plan, values, NULL, false, 0);
	if (result != SPI_OK_INSERT)
		elog(ERROR, "could not add to counters: %s", SPI_result_code_string(result));
	return SPI_processed > 0;
}
