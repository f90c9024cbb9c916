/*-------------------------------------------------------------------------
 *
 * duplicate.c
 *		Nearly the same text, written by others or again.
 *
 * Every post that is long enough leaves a fingerprint in
 * roost_data.post_fingerprint, every message to who has not answered in
 * roost_data.message_fingerprint: a simhash (simhash.h), of which similar texts
 * differ in few bits, and keys by which similar ones are found.  The keys are
 * the DUPLICATE_KEYS smallest among the hashes of the text's pairs of
 * neighbouring words: whoever changes one word changes two pairs, so at least
 * two of four keys stay.  Texts that are no copies, but happen to have a key in
 * common, rarely have two, and seldom is their simhash near.  A text has a row
 * for each of its keys.  A look-up reads those with its own keys by the index
 * (key, time), the newest first, and counts the rows with DUPLICATE_COMMON keys in
 * common that differ in no more than roost.moderation_duplicate_distance bits, by
 * account.  It looks at no more than DUPLICATE_ROWS_MAX rows of a key, so neither a
 * flood of copies nor words that everybody uses make it slow.
 *
 * Look-ups see what has committed by now, and what their own transaction
 * wrote in earlier statements: of copies that are written at the very same
 * moment none sees the others.  A flood takes longer than that.
 *
 * Tables are read and written directly, not by SQL: both happen with every
 * post, and writers need no rights on the table.
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
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "core/compat.h"
#include "moderation/duplicate.h"
#include "moderation/setting.h"

#define DUPLICATE_ROWS_MAX	64	/* that are looked at for a key */
#define DUPLICATE_COMMON	2	/* keys that copies have in common */

/* columns of roost_data.post_fingerprint, and of message_fingerprint */
enum
{
	FINGERPRINT_KEY = 1,
	FINGERPRINT_AT,
	FINGERPRINT_POST_ID,
	FINGERPRINT_AUTHOR_ID,
	FINGERPRINT_SIMHASH,
	FINGERPRINT_KEY1,
	FINGERPRINT_COLUMNS = FINGERPRINT_KEY1 + DUPLICATE_KEYS - 1
};

/* A look-up */
typedef struct DuplicateSearch
{
	const Fingerprint *fingerprint;
	int64		author_id;
	int64		post_id;
	DuplicateFinding *finding;
	int64		accounts[DUPLICATE_ACCOUNTS_MAX];
	int64		copies[DUPLICATE_COPIES_MAX];
} DuplicateSearch;

static bool duplicate_is_post(const char *subject);
static Oid	duplicate_relation(const char *name);
static void duplicate_scan(DuplicateSearch *search, IndexScanDesc scan, int32 key, TimestampTz since, TupleTableSlot *slot);
static void duplicate_count(DuplicateSearch *search, TupleTableSlot *slot);
static void duplicate_enter(Relation table, Oid index_id, TupleTableSlot **slots, int count);
static int	duplicate_common(const Fingerprint *fingerprint, TupleTableSlot *slot);
static bool duplicate_note(int64 *ids, int *count, int max, int64 id);

/*
 * Counts who has written nearly the same lately.
 */
void
roost_duplicate_find(const char *subject, const Fingerprint *fingerprint, int64 author_id, int64 post_id, DuplicateFinding *finding)
{
	bool		post = duplicate_is_post(subject);
	Oid			relid = duplicate_relation(post ? "post_fingerprint" : "message_fingerprint");
	TimestampTz since = roost_clock_timestamp(roost_clock_us() - roost_moderation_duplicate_window * USECS_PER_SEC);
	Oid			index_id = duplicate_relation(post ? "post_fingerprint_key_at_idx" : "message_fingerprint_key_at_idx");
	DuplicateSearch search;
	Relation	table;
	Relation	index;
	Snapshot	snapshot;
	IndexScanDesc scan;
	TupleTableSlot *slot;

	memset(finding, 0, sizeof(*finding));
	finding->distance = 64;
	if (!OidIsValid(relid) || !OidIsValid(index_id))
		return;
	search.fingerprint = fingerprint;
	search.author_id = author_id;
	search.post_id = post_id;
	search.finding = finding;

	table = table_open(relid, AccessShareLock);
	index = index_open(index_id, AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(table, NULL);
	scan = index_beginscan(table, index, snapshot, 2, 0);
	for (int i = 0; i < DUPLICATE_KEYS; i++)
	{
		/* of a short text they may be the same */
		if (i == 0 || fingerprint->keys[i] != fingerprint->keys[i - 1])
			duplicate_scan(&search, scan, (int32) fingerprint->keys[i], since, slot);
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
}

/*
 * Keeps the fingerprint of a text.
 */
void
roost_duplicate_keep(const char *subject, const Fingerprint *fingerprint, int64 author_id, int64 post_id)
{
	Oid			relid = duplicate_relation(duplicate_is_post(subject) ? "post_fingerprint" : "message_fingerprint");
	TimestampTz now = roost_clock_timestamp(roost_clock_us());
	TupleTableSlot *slots[DUPLICATE_KEYS];
	int			count = 0;
	Relation	table;
	List	   *indexes;
	ListCell   *cell;

	if (!OidIsValid(relid))
		return;
	table = table_open(relid, RowExclusiveLock);
	for (int i = 0; i < DUPLICATE_KEYS; i++)
	{
		TupleTableSlot *slot;

		if (i > 0 && fingerprint->keys[i] == fingerprint->keys[i - 1])
			continue;
		slot = slots[count++] = table_slot_create(table, NULL);
		/* columns that it does not come with are null */
		memset(slot->tts_isnull, true, RelationGetNumberOfAttributes(table) * sizeof(bool));
		memset(slot->tts_isnull, false, FINGERPRINT_COLUMNS * sizeof(bool));
		slot->tts_values[FINGERPRINT_KEY - 1] = Int32GetDatum((int32) fingerprint->keys[i]);
		slot->tts_values[FINGERPRINT_AT - 1] = TimestampTzGetDatum(now);
		slot->tts_values[FINGERPRINT_POST_ID - 1] = Int64GetDatum(post_id);
		slot->tts_values[FINGERPRINT_AUTHOR_ID - 1] = Int64GetDatum(author_id);
		slot->tts_values[FINGERPRINT_SIMHASH - 1] = Int64GetDatum((int64) fingerprint->simhash);
		for (int k = 0; k < DUPLICATE_KEYS; k++)
			slot->tts_values[FINGERPRINT_KEY1 - 1 + k] = Int32GetDatum((int32) fingerprint->keys[k]);
		ExecStoreVirtualTuple(slot);
	}
	table_multi_insert(table, slots, count, GetCurrentCommandId(true), 0, NULL);
	indexes = RelationGetIndexList(table);
	foreach(cell, indexes)
		duplicate_enter(table, lfirst_oid(cell), slots, count);
	list_free(indexes);
	for (int i = 0; i < count; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	table_close(table, NoLock);
}

/*
 * Enters rows into an index, if it takes any yet: while one is built
 * concurrently its file is empty at first.  The rows were all written at the
 * same time, so an index that summarizes times takes those of a page as one.
 */
static void
duplicate_enter(Relation table, Oid index_id, TupleTableSlot **slots, int count)
{
	Relation	index = index_open(index_id, RowExclusiveLock);
	IndexInfo  *info = BuildIndexInfo(index);
	bool		brin = index->rd_rel->relam == BRIN_AM_OID;
	bool		times = brin && info->ii_NumIndexAttrs == 1 && info->ii_IndexAttrNumbers[0] == FINGERPRINT_AT;
	EState	   *estate = NULL;
	ExprState  *predicate = NULL;

	/* not those that the table comes with */
	if (info->ii_Predicate != NIL || info->ii_Expressions != NIL)
	{
		estate = CreateExecutorState();
		predicate = ExecPrepareQual(info->ii_Predicate, estate);
		times = false;
	}
	for (int i = 0; i < count && info->ii_ReadyForInserts; i++)
	{
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS];

		if (estate != NULL)
		{
			GetPerTupleExprContext(estate)->ecxt_scantuple = slots[i];
			if (!ExecQual(predicate, GetPerTupleExprContext(estate)))
				continue;
		}
		if (times && i > 0 &&
			ItemPointerGetBlockNumber(&slots[i]->tts_tid) == ItemPointerGetBlockNumber(&slots[i - 1]->tts_tid))
			continue;
		FormIndexDatum(info, slots[i], estate, values, nulls);
		(void) index_insert(index, values, nulls, &slots[i]->tts_tid, table,
							info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
	}
	index_insert_cleanup(index, info);
	if (estate != NULL)
		FreeExecutorState(estate);
	index_close(index, NoLock);
}

/*
 * Returns whether texts of this kind are compared with posts; else it is with
 * messages.
 */
static bool
duplicate_is_post(const char *subject)
{
	return strncmp(subject, "message", strlen("message")) != 0;
}

static Oid
duplicate_relation(const char *name)
{
	Oid			schema = get_namespace_oid("roost_data", true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

/*
 * Looks at the newest rows with the same key.
 */
static void
duplicate_scan(DuplicateSearch *search, IndexScanDesc scan, int32 key, TimestampTz since, TupleTableSlot *slot)
{
	ScanKeyData keys[2];
	int			rows = 0;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(key));
	ScanKeyInit(&keys[1], 2, BTGreaterStrategyNumber, F_TIMESTAMPTZ_GT, TimestampTzGetDatum(since));
	index_rescan(scan, keys, 2, NULL, 0);
	while (rows++ < DUPLICATE_ROWS_MAX && index_getnext_slot(scan, BackwardScanDirection, slot))
		duplicate_count(search, slot);
}

/*
 * Counts a row, if its text is near.
 */
static void
duplicate_count(DuplicateSearch *search, TupleTableSlot *slot)
{
	DuplicateFinding *finding = search->finding;
	int64		post_id;
	int64		author_id;
	int			distance;

	slot_getsomeattrs(slot, FINGERPRINT_COLUMNS);
	distance = pg_popcount64(search->fingerprint->simhash ^ (uint64) DatumGetInt64(slot->tts_values[FINGERPRINT_SIMHASH - 1]));
	post_id = DatumGetInt64(slot->tts_values[FINGERPRINT_POST_ID - 1]);
	author_id = DatumGetInt64(slot->tts_values[FINGERPRINT_AUTHOR_ID - 1]);
	if (distance > roost_moderation_duplicate_distance || post_id == search->post_id ||
		duplicate_common(search->fingerprint, slot) < DUPLICATE_COMMON)
		return;
	if (author_id == search->author_id)
		duplicate_note(search->copies, &finding->copies, DUPLICATE_COPIES_MAX, post_id);
	else
		duplicate_note(search->accounts, &finding->accounts, DUPLICATE_ACCOUNTS_MAX, author_id);
	finding->distance = Min(finding->distance, distance);
}

/*
 * Returns how many keys a row has in common with what is looked for.
 */
static int
duplicate_common(const Fingerprint *fingerprint, TupleTableSlot *slot)
{
	int			common = 0;

	for (int i = 0; i < DUPLICATE_KEYS; i++)
	{
		bool		found = false;

		for (int j = 0; j < DUPLICATE_KEYS && !found; j++)
			found = (int32) fingerprint->keys[i] == DatumGetInt32(slot->tts_values[FINGERPRINT_KEY1 - 1 + j]);
		common += found;
	}
	return common;
}

/*
 * Adds an id to those seen, unless it is there.
 */
static bool
duplicate_note(int64 *ids, int *count, int max, int64 id)
{
	for (int i = 0; i < *count; i++)
	{
		if (ids[i] == id)
			return false;
	}
	if (*count == max)
		return false;
	ids[(*count)++] = id;
	return true;
}
