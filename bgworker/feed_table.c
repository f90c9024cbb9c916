/*-------------------------------------------------------------------------
 *
 * feed_table.c
 *		The tables of the log, and what is written to them.
 *
 * The worker is the only one who writes there, so it writes straight into the
 * partitions: many rows to a page at once, and no plan that could turn out
 * wrong.  Kept in the worker: the oids of the two enums and the partitions
 * (feed_partition.c), read by roost_feed_table_load() whenever the log has to be
 * completed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "bgworker/feed.h"
#include "core/clock.h"

#define TABLE_SLOTS			256 /* rows written at once */

static Oid	kind_oids[FEED_KINDS];
static Oid	mail_oids[MAIL_KINDS];

/* A table that is being written */
typedef struct Writer
{
	Relation	relation;
	EState	   *estate;
	ResultRelInfo *result;
	TupleTableSlot *slots[TABLE_SLOTS];
	int			num_slots;		/* that were made */
	int			count;			/* that are filled */
} Writer;

static void load_enum(const char *type, const char *const *names, Oid *oids, int count);
static void check_places(const Oid *oids, int count, const char *type);
static void writer_begin(Writer *writer, Oid relid);
static TupleTableSlot *writer_slot(Writer *writer);
static void writer_flush(Writer *writer);
static void writer_end(Writer *writer);
static int	box_delete(const FeedPartition *partition, Oid index, ScanKey keys, int nkeys, const MailRow *like, int64 before_seq);

/*
 * Returns the kind of a name.
 */
int
roost_feed_kind_of(const char *name)
{
	for (int i = 0; i < FEED_KINDS; i++)
	{
		if (strcmp(roost_feed_kind_names[i], name) == 0)
			return i;
	}
	elog(ERROR, "kind \"%s\" of the log is not known", name);
}

/*
 * Reads what is kept of the catalog.
 */
void
roost_feed_table_load(void)
{
	load_enum("feed_kind", roost_feed_kind_names, kind_oids, FEED_KINDS);
	load_enum("mailbox_kind", roost_mail_kind_names, mail_oids, MAIL_KINDS);
	roost_feed_partition_load();
}

static void
load_enum(const char *type, const char *const *names, Oid *oids, int count)
{
	Oid			schema = get_namespace_oid("roost", false);
	Oid			typid = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
										CStringGetDatum(type), ObjectIdGetDatum(schema));

	for (int i = 0; i < count; i++)
	{
		oids[i] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
								  ObjectIdGetDatum(typid), CStringGetDatum(names[i]));
		if (!OidIsValid(oids[i]))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("type roost.%s has no value \"%s\"", type, names[i])));
	}
	check_places(oids, count, type);
}

/*
 * Checks that values stand in their type as they do here: events say their
 * places.
 */
static void
check_places(const Oid *oids, int count, const char *type)
{
	for (int i = 0; i < count; i++)
	{
		HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(oids[i]));

		if (!HeapTupleIsValid(tuple) || ((Form_pg_enum) GETSTRUCT(tuple))->enumsortorder != i + 1)
			elog(ERROR, "the values of type roost.%s are in another order", type);
		ReleaseSysCache(tuple);
	}
}

/*
 * Writes rows to the log; their seqs ascend.
 */
void
roost_feed_table_log(const FeedRow *rows, int count, int64 now_us)
{
	const FeedPartition *partition = NULL;
	Writer		writer;

	for (int i = 0; i < count; i++)
	{
		const FeedRow *row = &rows[i];
		TupleTableSlot *slot;
		const int64 ids[] = {row->seq, row->id, row->account_id, row->post_id, row->author_id, row->target_id,
		row->retweet_of_id, row->reply_to_account_id};
		const int64 rooms[] = {row->room_id, row->conversation_id, row->message_id};

		if (partition == NULL || row->seq >= partition->to_seq)
		{
			if (partition != NULL)
				writer_end(&writer);
			partition = roost_feed_partition_of(FEED_TABLE_LOG, row->seq);
			if (partition == NULL)
				elog(ERROR, "the log has no partition for row " INT64_FORMAT, row->seq);
			writer_begin(&writer, partition->relid);
		}
		slot = writer_slot(&writer);
		for (int k = 0; k < lengthof(ids); k++)
		{
			slot->tts_values[k] = Int64GetDatum(ids[k]);
			slot->tts_isnull[k] = ids[k] == 0 && k >= LOG_ACCOUNT_ID;
		}
		for (int k = 0; k < lengthof(rooms); k++)
		{
			slot->tts_values[LOG_ROOM_ID + k] = Int64GetDatum(rooms[k]);
			slot->tts_isnull[LOG_ROOM_ID + k] = rooms[k] == 0;
		}
		slot->tts_values[LOG_CREATED_AT] = TimestampTzGetDatum(roost_clock_timestamp(now_us));
		slot->tts_values[LOG_KIND] = ObjectIdGetDatum(kind_oids[row->kind]);
		slot->tts_isnull[LOG_CREATED_AT] = slot->tts_isnull[LOG_KIND] = false;
		ExecStoreVirtualTuple(slot);
	}
	if (partition != NULL)
		writer_end(&writer);
}

/*
 * Writes entries to mailboxes; their seqs do not descend.
 */
void
roost_feed_table_mail(const MailRow *rows, int count, int64 now_us)
{
	const FeedPartition *partition = NULL;
	Writer		writer;

	for (int i = 0; i < count; i++)
	{
		const MailRow *row = &rows[i];
		TupleTableSlot *slot;

		if (partition == NULL || row->seq >= partition->to_seq)
		{
			if (partition != NULL)
				writer_end(&writer);
			partition = roost_feed_partition_of(FEED_TABLE_MAILBOX, row->seq);
			if (partition == NULL)
				elog(ERROR, "the mailbox has no partition for row " INT64_FORMAT, row->seq);
			writer_begin(&writer, partition->relid);
		}
		slot = writer_slot(&writer);
		memset(slot->tts_isnull, false, BOX_COLUMNS * sizeof(bool));
		slot->tts_values[BOX_ACCOUNT_ID] = Int64GetDatum(row->account_id);
		slot->tts_values[BOX_SEQ] = Int64GetDatum(row->seq);
		slot->tts_values[BOX_ACTOR_ID] = Int64GetDatum(row->actor_id);
		slot->tts_values[BOX_POST_ID] = Int64GetDatum(row->post_id);
		slot->tts_isnull[BOX_POST_ID] = row->post_id == 0;
		slot->tts_values[BOX_GROUP_ID] = Int64GetDatum(row->group_id);
		slot->tts_values[BOX_CREATED_AT] = TimestampTzGetDatum(roost_clock_timestamp(now_us));
		slot->tts_values[BOX_KIND] = ObjectIdGetDatum(mail_oids[row->kind]);
		slot->tts_values[BOX_DAY] = DateADTGetDatum(now_us / FEED_DAY_US + UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE);
		ExecStoreVirtualTuple(slot);
	}
	if (partition != NULL)
		writer_end(&writer);
}

static void
writer_begin(Writer *writer, Oid relid)
{
	writer->relation = table_open(relid, RowExclusiveLock);
	writer->estate = CreateExecutorState();
	writer->result = makeNode(ResultRelInfo);
	InitResultRelInfo(writer->result, writer->relation, 1, NULL, 0);
	ExecOpenIndices(writer->result, false);
	writer->num_slots = 0;
	writer->count = 0;
}

/*
 * Returns an empty slot of the table.
 */
static TupleTableSlot *
writer_slot(Writer *writer)
{
	TupleTableSlot *slot;

	if (writer->count == TABLE_SLOTS)
		writer_flush(writer);
	if (writer->count == writer->num_slots)
		writer->slots[writer->num_slots++] = table_slot_create(writer->relation, NULL);
	slot = writer->slots[writer->count++];
	ExecClearTuple(slot);
	return slot;
}

/*
 * Writes what is in the slots.
 */
static void
writer_flush(Writer *writer)
{
	if (writer->count == 0)
		return;
	table_multi_insert(writer->relation, writer->slots, writer->count, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < writer->count; i++)
	{
		list_free(ExecInsertIndexTuples(writer->result, writer->slots[i], writer->estate, false, false, NULL, NIL
#if PG_VERSION_NUM >= 160000
										,false
#endif
										));
		ResetPerTupleExprContext(writer->estate);
	}
	writer->count = 0;
}

static void
writer_end(Writer *writer)
{
	writer_flush(writer);
	for (int i = 0; i < writer->num_slots; i++)
		ExecDropSingleTupleTableSlot(writer->slots[i]);
	ExecCloseIndices(writer->result);
	FreeExecutorState(writer->estate);
	table_close(writer->relation, NoLock);
}

/*
 * Fills in the keys for the entries of an actor about a post (0: none).
 */
static void
box_keys(ScanKey keys, int64 actor_id, int64 post_id)
{
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(actor_id));
	if (post_id != 0)
		ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(post_id));
	else
		ScanKeyEntryInitialize(&keys[1], SK_ISNULL | SK_SEARCHNULL, 2, InvalidStrategy, InvalidOid, InvalidOid,
							   InvalidOid, (Datum) 0);
}

/*
 * Reads an entry out of its slot.
 */
static void
box_read(TupleTableSlot *slot, MailRow *row)
{
	Oid			kind;

	slot_getallattrs(slot);
	row->account_id = DatumGetInt64(slot->tts_values[BOX_ACCOUNT_ID]);
	row->seq = DatumGetInt64(slot->tts_values[BOX_SEQ]);
	row->actor_id = DatumGetInt64(slot->tts_values[BOX_ACTOR_ID]);
	row->post_id = slot->tts_isnull[BOX_POST_ID] ? 0 : DatumGetInt64(slot->tts_values[BOX_POST_ID]);
	row->group_id = DatumGetInt64(slot->tts_values[BOX_GROUP_ID]);
	kind = DatumGetObjectId(slot->tts_values[BOX_KIND]);
	for (int i = 0; i < MAIL_KINDS; i++)
	{
		if (mail_oids[i] == kind)
			row->kind = i;
	}
}

/*
 * Returns how many entries there are of an actor about a post of its own, and
 * which.  What this transaction has written is among them.
 */
int
roost_feed_table_find(int64 actor_id, int64 post_id, MailRow **rows)
{
	ScanKeyData keys[2];
	int			count = 0;
	int			room = 16;

	*rows = palloc(room * sizeof(MailRow));
	box_keys(keys, actor_id, post_id);
	for (const FeedPartition *partition = roost_feed_partition_since(FEED_TABLE_MAILBOX, roost_feed_day_since(post_id));
		 partition != NULL; partition = roost_feed_partition_next(FEED_TABLE_MAILBOX, partition))
	{
		Relation	table = table_open(partition->relid, AccessShareLock);
		Relation	index = index_open(partition->actor_index, AccessShareLock);
		TupleTableSlot *slot = table_slot_create(table, NULL);
		IndexScanDesc scan = index_beginscan(table, index, SnapshotSelf, 2, 0);

		index_rescan(scan, keys, 2, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, slot))
		{
			if (count == room)
				*rows = repalloc(*rows, (room *= 2) * sizeof(MailRow));
			box_read(slot, &(*rows)[count++]);
		}
		index_endscan(scan);
		ExecDropSingleTupleTableSlot(slot);
		index_close(index, NoLock);
		table_close(table, NoLock);
	}
	return count;
}

/*
 * Removes the entries of an actor about a post (or none) that are older than
 * before_seq; of one kind and one account if these are given (-1 and 0: all).
 * None is older than from_seq.  With once there is one at most.
 */
void
roost_feed_table_withdraw(const MailRow *like, int64 from_seq, int64 before_seq, bool once)
{
	ScanKeyData keys[2];

	box_keys(keys, like->actor_id, like->post_id);
	for (const FeedPartition *partition = roost_feed_partition_since(FEED_TABLE_MAILBOX, from_seq);
		 partition != NULL; partition = roost_feed_partition_next(FEED_TABLE_MAILBOX, partition))
	{
		if (partition->from_seq >= before_seq ||
			(box_delete(partition, partition->actor_index, keys, 2, like, before_seq) > 0 && once))
			break;
	}
}

/*
 * Removes the mailbox of an account, and what it did from those of others.
 */
void
roost_feed_table_leave(int64 account_id)
{
	MailRow		all = {.kind = -1};
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(account_id));
	for (const FeedPartition *partition = roost_feed_partition_since(FEED_TABLE_MAILBOX, 0);
		 partition != NULL; partition = roost_feed_partition_next(FEED_TABLE_MAILBOX, partition))
	{
		Relation	table = table_open(partition->relid, RowExclusiveLock);
		Oid			primary;

		(void) RelationGetIndexList(table);
		primary = table->rd_pkindex;
		table_close(table, NoLock);
		box_delete(partition, partition->actor_index, &key, 1, &all, PG_INT64_MAX);
		box_delete(partition, primary, &key, 1, &all, PG_INT64_MAX);
	}
}

/*
 * Removes the entries of a partition that the keys lead to.  Somebody else may
 * be faster.
 */
static int
box_delete(const FeedPartition *partition, Oid indexid, ScanKey keys, int nkeys, const MailRow *like, int64 before_seq)
{
	Relation	table = table_open(partition->relid, RowExclusiveLock);
	Relation	index = index_open(indexid, RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	IndexScanDesc scan = index_beginscan(table, index, SnapshotSelf, nkeys, 0);
	int			count = 0;

	index_rescan(scan, keys, nkeys, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		MailRow		row;
		TM_FailureData failure;
		TM_Result	result;

		box_read(slot, &row);
		if (row.seq >= before_seq ||
			((int) like->kind >= 0 && row.kind != like->kind) ||
			(like->account_id != 0 && row.account_id != like->account_id))
			continue;
		result = table_tuple_delete(table, &slot->tts_tid, GetCurrentCommandId(true), SnapshotSelf,
									InvalidSnapshot, true, &failure, false);
		if (result == TM_Ok)
			count++;
		else if (result != TM_Deleted && result != TM_SelfModified)
			elog(ERROR, "could not remove an entry of a mailbox: %d", result);
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	table_close(table, NoLock);
	return count;
}
