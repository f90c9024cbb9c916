/*-------------------------------------------------------------------------
 *
 * log.c
 *		Reads the log and mailboxes by their indexes.
 *
 * Both are partitioned by ranges of seq.  A reader goes through the partitions
 * in the order of their bounds and looks into the index of each: no plan, so one row costs a few microseconds, and a thousand short
 * scans (what each of a thousand accounts did) little more.  What was opened
 * in a partition stays open until the end of the reading.
 *
 * Rows from roost_log_end_seq() on have not reached the disk and are not read;
 * that is asked after the snapshot was taken.
 *
 * Kept in the backend: the oids of the values of roost.feed_kind, as long as
 * the type has the same oid.
 *
 *-------------------------------------------------------------------------
 */
#include "feed/log.h"

#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_enum.h"
#include "executor/tuptable.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "core/core.h"
#include "feed/feed.h"

const char *const roost_feed_kind_names[FEED_KINDS] = {
	"post_created", "post_updated", "post_deleted", "follow_created", "follow_deleted", "like_created", "like_deleted",
	"follow_request_created", "follow_request_deleted", "account_deleted", "events_lost", "account_updated", "session_revoked",
	"filter_changed", "post_hidden", "post_released",
	"message_created", "message_edited", "message_deleted", "message_reacted", "message_hidden", "message_delivered", "message_read",
	"conversation_created", "conversation_updated", "conversation_settings", "conversation_cleared",
	"member_added", "member_removed", "member_changed",
	"friend_requested", "friend_request_cancelled", "friend_request_rejected", "friend_accepted", "friend_removed",
	"key_changed", "key_low", "envelope_created", "notification_read"
};
const char *const roost_mail_kind_names[MAIL_KINDS] = {
	"follow", "follow_request", "like", "retweet", "quote", "reply", "mention", "friend_request", "friend_accepted"
};

static const char *const table_names[FEED_TABLES] = {"feed_log", "mailbox"};

/* The table of an order, and what its index begins with: columns, from 1 */
static const FeedTable order_table[LOG_ORDERS] = {
	[LOG_BY_MAILBOX] = FEED_TABLE_MAILBOX
};
static const AttrNumber order_columns[LOG_ORDERS][2] = {
	[LOG_BY_SEQ] = {LOG_SEQ + 1, 0},
	[LOG_BY_ACCOUNT] = {LOG_ACCOUNT_ID + 1, LOG_SEQ + 1},
	[LOG_BY_ROOM] = {LOG_ROOM_ID + 1, LOG_SEQ + 1},
	[LOG_BY_MAILBOX] = {BOX_ACCOUNT_ID + 1, BOX_SEQ + 1},
};

static Oid	kind_type = InvalidOid;
static Oid	kind_oids[FEED_KINDS];

static void log_load_kinds(Oid type);
static FeedKind log_kind(Oid value);
static Relation log_open_parent(const char *name);
static void log_list_parts(LogReader *reader, FeedTable table);
static void log_open(LogReader *reader, LogPart *part, LogOrder order);
static Oid	log_index(Relation table, LogOrder order);
static void log_start(LogReader *reader, LogPart *part, LogOrder order);
static void log_row(TupleTableSlot *slot, LogRow *row);

/*
 * Returns the first row that is not to be read yet.
 */
int64
roost_log_end_seq(void)
{
	int64		from = 0;

	if (roost_core_is_home())
	{
		LWLockAcquire(roost_feed_shared->lock, LW_SHARED);
		from = roost_feed_shared->unflushed_from;
		LWLockRelease(roost_feed_shared->lock);
	}
	return from == 0 ? PG_INT64_MAX : from;
}

/*
 * Begins to read under the active snapshot.
 */
void
roost_log_begin(LogReader *reader)
{
	memset(reader, 0, sizeof(LogReader));
	reader->snapshot = GetActiveSnapshot();
	reader->end_seq = roost_log_end_seq();
	for (int table = 0; table < FEED_TABLES; table++)
	{
		reader->tables[table].parent = log_open_parent(table_names[table]);
		log_list_parts(reader, table);
	}
	log_load_kinds(TupleDescAttr(RelationGetDescr(reader->tables[FEED_TABLE_LOG].parent), LOG_KIND)->atttypid);
}

static Relation
log_open_parent(const char *name)
{
	Oid			relid = get_relname_relid(name, get_namespace_oid("roost_data", false));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table roost_data.%s does not exist", name),
				 errhint("Run SELECT roost.install().")));
	return table_open(relid, AccessShareLock);
}

/*
 * Closes what was opened.  After an error the resource owner does it.
 */
void
roost_log_end(LogReader *reader)
{
	for (int order = 0; order < LOG_ORDERS; order++)
	{
		FeedTable	table = order_table[order];

		for (int i = 0; i < reader->tables[table].num_parts; i++)
		{
			LogPart    *part = &reader->tables[table].parts[i];

			if (part->open[order].table == NULL)
				continue;
			ExecDropSingleTupleTableSlot(part->open[order].slot);
			index_endscan(part->open[order].scan);
			index_close(part->open[order].index, AccessShareLock);
			table_close(part->open[order].table, AccessShareLock);
		}
	}
	for (int table = 0; table < FEED_TABLES; table++)
		table_close(reader->tables[table].parent, AccessShareLock);
}

/*
 * Looks up the values of roost.feed_kind.
 */
static void
log_load_kinds(Oid type)
{
	if (type == kind_type)
		return;
	kind_type = InvalidOid;
	for (int i = 0; i < FEED_KINDS; i++)
	{
		kind_oids[i] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
									   ObjectIdGetDatum(type), CStringGetDatum(roost_feed_kind_names[i]));
		if (!OidIsValid(kind_oids[i]))
			elog(ERROR, "type roost.feed_kind has no value \"%s\"", roost_feed_kind_names[i]);
	}
	kind_type = type;
}

static FeedKind
log_kind(Oid value)
{
	for (int i = 0; i < FEED_KINDS; i++)
	{
		if (kind_oids[i] == value)
			return i;
	}
	elog(ERROR, "value %u of roost.feed_kind is not known", value);
}

/*
 * Lists the partitions of a table.
 */
static void
log_list_parts(LogReader *reader, FeedTable table)
{
	PartitionDesc desc = RelationGetPartitionDesc(reader->tables[table].parent, true);
	PartitionBoundInfo bounds = desc->boundinfo;
	LogPart    *part;

	if (desc->nparts == 0)
		return;
	part = reader->tables[table].parts = palloc0(desc->nparts * sizeof(LogPart));

	/*
	 * bounds->indexes[i] is the partition that ends at datums[i]; -1: a gap
	 * does
	 */
	for (int i = 1; i < bounds->ndatums; i++)
	{
		if (bounds->indexes[i] < 0)
			continue;
		part->from_seq = DatumGetInt64(bounds->datums[i - 1][0]);
		part->to_seq = DatumGetInt64(bounds->datums[i][0]);
		part->relid = desc->oids[bounds->indexes[i]];
		part++;
	}
	reader->tables[table].num_parts = part - reader->tables[table].parts;
}

/*
 * Opens a partition and its index for an order.
 */
static void
log_open(LogReader *reader, LogPart *part, LogOrder order)
{
	Relation	table = table_open(part->relid, AccessShareLock);
	Relation	index = index_open(log_index(table, order), AccessShareLock);

	part->open[order].slot = table_slot_create(table, NULL);
	part->open[order].scan = index_beginscan(table, index, reader->snapshot, order == LOG_BY_SEQ ? 1 : 2, 0);
	part->open[order].index = index;
	part->open[order].table = table;
}

/*
 * Returns the index of a partition whose columns are those of an order.
 */
static Oid
log_index(Relation table, LogOrder order)
{
	List	   *indexes = RelationGetIndexList(table);
	ListCell   *lc;
	Oid			found = InvalidOid;

	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for index %u", lfirst_oid(lc));
		index = (Form_pg_index) GETSTRUCT(tuple);
		if (index->indisvalid && index->indkey.values[0] == order_columns[order][0] &&
			(index->indnkeyatts == 1) == (order_columns[order][1] == 0) &&
			(index->indnkeyatts == 1 || index->indkey.values[1] == order_columns[order][1]))
			found = lfirst_oid(lc);
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	if (!OidIsValid(found))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s lacks an index", RelationGetRelationName(table)),
				 errhint("Run SELECT roost.install().")));
	return found;
}

/*
 * Returns the number of the first partition of a table that goes beyond a seq.
 */
static int
log_part_beyond(const LogReader *reader, FeedTable table, int64 seq)
{
	int			part = 0;

	while (part < reader->tables[table].num_parts && reader->tables[table].parts[part].to_seq <= seq)
		part++;
	return part;
}

/*
 * Goes to the rows after a seq.
 */
void
roost_log_seek(LogReader *reader, LogOrder order, int64 owner_id, int64 after)
{
	reader->at[order].part = log_part_beyond(reader, order_table[order], after + 1);
	reader->at[order].begun = false;
	reader->at[order].owner_id = owner_id;
	reader->at[order].after = after;
}

/*
 * Begins to look into a partition.
 */
static void
log_start(LogReader *reader, LogPart *part, LogOrder order)
{
	ScanKeyData keys[2];
	int			n = 0;

	if (part->open[order].table == NULL)
		log_open(reader, part, order);
	if (order != LOG_BY_SEQ)
		ScanKeyInit(&keys[n++], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(reader->at[order].owner_id));
	ScanKeyInit(&keys[n], n + 1, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(reader->at[order].after));
	index_rescan(part->open[order].scan, keys, n + 1, NULL, 0);
	reader->at[order].begun = true;
}

/*
 * Reads the next row; false: there is none.
 */
bool
roost_log_next(LogReader *reader, LogOrder order, LogRow *row)
{
	FeedTable	table = order_table[order];

	for (; reader->at[order].part < reader->tables[table].num_parts; reader->at[order].part++)
	{
		LogPart    *part = &reader->tables[table].parts[reader->at[order].part];
		TupleTableSlot *slot;

		if (!reader->at[order].begun)
		{
			if (part->from_seq >= reader->end_seq)
				return false;
			log_start(reader, part, order);
		}
		slot = part->open[order].slot;
		if (index_getnext_slot(part->open[order].scan, ForwardScanDirection, slot))
		{
			slot_getallattrs(slot);
			if (table == FEED_TABLE_MAILBOX)
				row->seq = DatumGetInt64(slot->tts_values[BOX_SEQ]);
			else
				log_row(slot, row);
			return row->seq < reader->end_seq;
		}
		reader->at[order].begun = false;
	}
	return false;
}

/*
 * Returns the last seq that the partition of the log with a seq has room for.
 */
int64
roost_log_part_end(const LogReader *reader, int64 seq)
{
	int			part = log_part_beyond(reader, FEED_TABLE_LOG, seq);

	return part < reader->tables[FEED_TABLE_LOG].num_parts ? reader->tables[FEED_TABLE_LOG].parts[part].to_seq - 1 : seq;
}

/*
 * Reads a row of the log out of its slot.
 */
static void
log_row(TupleTableSlot *slot, LogRow *row)
{
#define COLUMN(column) (slot->tts_isnull[column] ? 0 : DatumGetInt64(slot->tts_values[column]))
	row->seq = COLUMN(LOG_SEQ);
	row->id = COLUMN(LOG_ID);
	row->account_id = COLUMN(LOG_ACCOUNT_ID);
	row->post_id = COLUMN(LOG_POST_ID);
	row->author_id = COLUMN(LOG_AUTHOR_ID);
	row->target_id = COLUMN(LOG_TARGET_ID);
	row->retweet_of_id = COLUMN(LOG_RETWEET_OF_ID);
	row->reply_to_account_id = COLUMN(LOG_REPLY_TO_ACCOUNT_ID);
	row->room_id = COLUMN(LOG_ROOM_ID);
	row->conversation_id = COLUMN(LOG_CONVERSATION_ID);
	row->message_id = COLUMN(LOG_MESSAGE_ID);
#undef COLUMN
	row->kind = log_kind(DatumGetObjectId(slot->tts_values[LOG_KIND]));
}

/*
 * Returns whether an account has an entry of that row in its mailbox.
 */
bool
roost_log_is_mailed(LogReader *reader, int64 account_id, int64 seq)
{
	LogRow		row;

	const LogPart *part;

	roost_log_seek(reader, LOG_BY_MAILBOX, account_id, seq - 1);
	part = &reader->tables[FEED_TABLE_MAILBOX].parts[reader->at[LOG_BY_MAILBOX].part];
	/* it is in that partition, or there is none */
	return reader->at[LOG_BY_MAILBOX].part < reader->tables[FEED_TABLE_MAILBOX].num_parts && seq >= part->from_seq &&
		roost_log_next(reader, LOG_BY_MAILBOX, &row) && row.seq == seq;
}
