/*-------------------------------------------------------------------------
 *
 * stat.c
 *		Counters of accounts, without a hot row.
 *
 * A counter is a handful of rows ("slots") whose sum is the number: the writer
 * adds to a slot that no other transaction holds, or makes a new one.  Writers
 * therefore never wait for each other.  roost.maintenance_run() folds slots.
 *
 * A slot is added to by the index, without a statement, since that happens with
 * every post: the first row is taken that can be locked at once, in its newest
 * version.  A table that is not as it comes, with triggers, rules, constraints,
 * or other columns or indexes, is written by a statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "account/stat.h"
#include "core/compat.h"
#include "core/debug_point.h"
#include "core/plan.h"

PG_FUNCTION_INFO_V1(roost_account_stat_add_sql);

/* Columns of roost_data.account_stat, as in stat_types */
enum
{
	STAT_ACCOUNT_ID = 1,
	STAT_SLOT,
	STAT_FOLLOWERS,
	STAT_FOLLOWING,
	STAT_POSTS,
	STAT_COLUMNS = STAT_POSTS
};

static bool stat_update(Datum *values, bool *possible);
static bool stat_is_plain(Relation table);
static bool stat_add(Relation table, Datum *values);
static bool stat_lock(Relation table, TupleTableSlot *slot, Snapshot snapshot, Datum account_id);
static void stat_change(Relation table, Relation index, TupleTableSlot *old, Datum *values);
static void stat_index(Relation table, Relation index, TupleTableSlot *slot);
static bool stat_update_by_statement(Datum *values);
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
	bool		possible;

	if (!IsolationUsesXactSnapshot() &&
		(stat_update(values, &possible) || (!possible && stat_update_by_statement(values))))
		return;
	do
		values[4] = Int32GetDatum((int32) pg_prng_uint64_range(&pg_global_prng_state, 1, PG_INT32_MAX));
	while (!stat_insert(values));
}

/*
 * The same where it takes no statement; else returns false and does nothing.
 */
bool
roost_account_stat_try(int64 account_id, int64 followers, int64 following, int64 posts)
{
	Datum		values[] = {Int64GetDatum(account_id), Int64GetDatum(followers), Int64GetDatum(following), Int64GetDatum(posts)};
	bool		possible;

	return !IsolationUsesXactSnapshot() && stat_update(values, &possible);
}

/*
 * Adds to a slot that nobody holds; returns false if there is none, or if it is
 * not possible without a statement.
 */
static bool
stat_update(Datum *values, bool *possible)
{
	Oid			schema = get_namespace_oid("roost_data", true);
	Oid			relid = OidIsValid(schema) ? get_relname_relid("account_stat", schema) : InvalidOid;
	Relation	table;
	bool		added = false;

	*possible = OidIsValid(relid) && !XactReadOnly;
	if (!*possible)
		return false;
	table = table_open(relid, RowExclusiveLock);
	*possible = stat_is_plain(table);
	if (*possible)
	{
		/* what our own statement has done is to be seen */
		CommandCounterIncrement();
		added = stat_add(table, values);
	}
	table_close(table, NoLock);
	return added;
}

/*
 * Returns whether nothing but its primary key has a say in what is written.
 */
static bool
stat_is_plain(Relation table)
{
	TupleDesc	desc = RelationGetDescr(table);
	Form_pg_class form = table->rd_rel;

	if (table->trigdesc != NULL || form->relhasrules || form->relrowsecurity || form->relhassubclass || form->relispartition ||
		form->relkind != RELKIND_RELATION || form->relreplident != REPLICA_IDENTITY_DEFAULT ||
		(desc->constr != NULL && (desc->constr->num_check > 0 || desc->constr->has_generated_stored)) ||
		desc->natts != STAT_COLUMNS)
		return false;
	for (int i = 0; i < STAT_COLUMNS; i++)
	{
		if (TupleDescAttr(desc, i)->atttypid != (i + 1 == STAT_SLOT ? INT4OID : INT8OID) || !TupleDescAttr(desc, i)->attnotnull)
			return false;
	}
	return list_length(RelationGetIndexList(table)) == 1 && OidIsValid(RelationGetPrimaryKeyIndex(table));
}

static bool
stat_add(Relation table, Datum *values)
{
	Relation	index = index_open(RelationGetPrimaryKeyIndex(table), RowExclusiveLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(table, NULL);
	IndexScanDesc scan = index_beginscan(table, index, snapshot, 1, 0);
	bool		locked = false;
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, values[0]);
	index_rescan(scan, &key, 1, NULL, 0);
	while (!locked && index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		ROOST_DEBUG_POINT("account_stat_found");
		locked = stat_lock(table, slot, snapshot, values[0]);
	}
	if (locked)
		stat_change(table, index, slot, values);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	index_close(index, NoLock);
	return locked;
}

/*
 * Locks the newest version of a row and reads it, if nobody else holds it.
 */
static bool
stat_lock(Relation table, TupleTableSlot *slot, Snapshot snapshot, Datum account_id)
{
	ItemPointerData tid = slot->tts_tid;
	TM_FailureData failure;
	TM_Result	result = table_tuple_lock(table, &tid, snapshot, slot, GetCurrentCommandId(false), LockTupleNoKeyExclusive,
										  LockWaitSkip, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);

	switch (result)
	{
		case TM_Ok:
			slot_getallattrs(slot);
			return slot->tts_values[STAT_ACCOUNT_ID - 1] == account_id;
		case TM_WouldBlock:
		case TM_Deleted:
			return false;
		default:
			elog(ERROR, "could not lock counters: %d", result);
	}
}

/*
 * Adds to a row that is locked.
 */
static void
stat_change(Relation table, Relation index, TupleTableSlot *old, Datum *values)
{
	TupleTableSlot *new = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsHeapTuple);
	TM_FailureData failure;
	LockTupleMode mode;
	TM_Result	result;
	RoostUpdateIndexes indexes;

	memcpy(new->tts_values, old->tts_values, STAT_COLUMNS * sizeof(Datum));
	memset(new->tts_isnull, false, STAT_COLUMNS * sizeof(bool));
	for (int i = STAT_FOLLOWERS; i <= STAT_POSTS; i++)
		new->tts_values[i - 1] = Int64GetDatum(DatumGetInt64(old->tts_values[i - 1]) + DatumGetInt64(values[i - STAT_SLOT]));
	ExecStoreVirtualTuple(new);
	result = table_tuple_update(table, &old->tts_tid, new, GetCurrentCommandId(true), InvalidSnapshot, InvalidSnapshot,
								true, &failure, &mode, &indexes);
	if (result != TM_Ok)
		elog(ERROR, "could not add to counters: %d", result);
	if (indexes != ROOST_UPDATE_NO_INDEX)
		stat_index(table, index, new);
	ExecDropSingleTupleTableSlot(new);
}

/*
 * Enters a new version of a row into the index, if it is not on the page of the
 * old one.
 */
static void
stat_index(Relation table, Relation index, TupleTableSlot *slot)
{
	IndexInfo  *info = BuildIndexInfo(index);
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];

	FormIndexDatum(info, slot, NULL, values, nulls);
	(void) index_insert(index, values, nulls, &slot->tts_tid, table, UNIQUE_CHECK_YES, true, info);
}

/*
 * The same by a statement.
 */
static bool
stat_update_by_statement(Datum *values)
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
