/*-------------------------------------------------------------------------
 *
 * read.c
 *		Look-ups by key in the tables that a post is put together from, and
 *		that say who may see it (viewer.c).
 *
 * A page of posts takes some hundred look-ups in seven indexes.  They are made
 * straight on the indexes, under the active snapshot: a tenth of the cost of a
 * query for a single post, and no plan that could turn out wrong because the
 * tables were small or never analyzed when it was made.
 *
 * Kept in each backend: the oids of tables and indexes and the numbers of the
 * columns, looked up by name.  They are forgotten when one of these relations
 * may have changed.
 *
 *-------------------------------------------------------------------------
 */
#include "post/read.h"

#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "core/invalidation.h"

/*
 * What is read, and of which columns the number must be known.  Tables that
 * have not been updated yet lack the columns named by `later` and those behind
 * it, or are not there at all.
 */
static const struct
{
	const char *table;
	const char *index;
	const char *columns[LOOKUP_COLUMNS_MAX + 1];
	const char *later;			/* the table's name: all of it */
}			lookups[LOOKUPS] = {

	[LOOKUP_POST] = {"post", "post_pkey", {
			"id", "author_id", "thread_id", "reply_to_id", "reply_to_account_id", "quote_of_id", "retweet_of_id",
			"created_at", "edited_at", "pinned_at", "visibility", "language", "text", "content_warning",
	"mention_ids", "hashtags", "mentions", "urls", "media", "state", "labels"}, "state"},
	[LOOKUP_ACCOUNT] = {"account", "account_pkey", {
	"id", "username", "display_name", "avatar_url", "is_private", "status", "limited_at"}, "limited_at"},
	[LOOKUP_STAT] = {"post_stat", "post_stat_pkey", {"like_count", "retweet_count", "reply_count", "quote_count"}},
	[LOOKUP_LIKE] = {"post_like", "post_like_pkey", {"post_id"}},
	[LOOKUP_RETWEET] = {"post", "post_author_id_retweet_of_id_idx", {"retweet_of_id"}},
	[LOOKUP_BOOKMARK] = {"post_bookmark", "post_bookmark_pkey", {"post_id"}},
	[LOOKUP_FOLLOW] = {"follow", "follow_pkey"},
	[LOOKUP_HANDLE] = {"account_handle", "account_handle_pkey", {"account_id"}},
	[LOOKUP_AUTHOR] = {"post", "post_author_id_id_idx"},
	[LOOKUP_FOLLOWEES] = {"follow", "follow_follower_id_id_idx"},
	[LOOKUP_ACCOUNT_STAT] = {"account_stat", "account_stat_pkey", {"following_count"}},
	[LOOKUP_FEED_STATE] = {"feed_state", "feed_state_pkey", {"epoch", "horizon"}},
	[LOOKUP_FEED_TRACE] = {"feed_trace", "feed_trace_pkey", {"id", "kind", "account_id"}},
	[LOOKUP_BLOCK] = {"account_block", "account_block_pkey", {"blocked_id"}, "account_block"},
	[LOOKUP_BLOCKED_BY] = {"account_block", "account_block_blocked_id_account_id_idx", {"account_id"}, "account_block"},
	[LOOKUP_MUTE] = {"account_mute", "account_mute_pkey", {"muted_id", "expires_at"}, "account_mute"},
	[LOOKUP_MUTED_BY] = {"account_mute", "account_mute_muted_id_idx", {"account_id"}, "account_mute"},
	[LOOKUP_MUTED_WORD] = {"muted_word", "muted_word_pkey", {"folded", "whole_word", "expires_at"}, "muted_word"},
	[LOOKUP_MEMBER] = {"conversation_member", "conversation_member_account_id_idx", {
	"conversation_id", "since_id", "archived_id", "muted", "muted_until", "pinned_at"}},
	[LOOKUP_CONVERSATION] = {"conversation", "conversation_pkey", {"last_message_id", "kind", "created_by"}},
	[LOOKUP_MESSAGE] = {"message", "message_pkey", {"id"}},
};

typedef struct LookupCache
{
	Oid			table;			/* InvalidOid: not known */
	Oid			filenode;		/* of the table */
	Oid			index;
	AttrNumber	columns[LOOKUP_COLUMNS_MAX];
} LookupCache;

static LookupCache lookup_cache[LOOKUPS];

static const LookupCache *lookup_find(PostLookup what);
static void lookup_open(PostReader *reader, PostLookup what, int nkeys);
static void followees_begin(PostReader *reader, int64 follower_id);
static void lookup_seek(PostReader *reader, PostLookup what, ScanKey keys, int nkeys);
static bool lookup_row(PostReader *reader, PostLookup what, ScanDirection direction);
static ItemPointer lookup_tid(PostReader *reader, PostLookup what);
static IndexTuple lookup_index_next(PostReader *reader, PostLookup what);
static Oid	lookup_filenode(Oid table);
#ifdef ROOST_DEBUG
static void lookup_check(PostReader *reader, PostLookup what);
#endif
static void lookup_forget(Oid relid);

/*
 * Registers what forgets the cached oids.
 */
void
roost_post_read_init(void)
{
	roost_invalidation_register(lookup_forget);
}

/*
 * Starts reading under the active snapshot.
 */
void
roost_post_reader_begin(PostReader *reader)
{
	memset(reader, 0, sizeof(PostReader));
	reader->snapshot = GetActiveSnapshot();
	reader->context = CurrentMemoryContext;
}

/*
 * Closes what has been opened.  After an error the resource owner does it.
 */
void
roost_post_reader_end(PostReader *reader)
{
	for (int i = 0; i < LOOKUPS; i++)
	{
		if (reader->open[i].table == NULL)
			continue;
#ifdef ROOST_DEBUG
		lookup_check(reader, i);
#endif
		ExecDropSingleTupleTableSlot(reader->open[i].slot);
		index_endscan(reader->open[i].scan);
		index_close(reader->open[i].index, AccessShareLock);
		table_close(reader->open[i].table, AccessShareLock);
		if (BufferIsValid(reader->open[i].visibility))
			ReleaseBuffer(reader->open[i].visibility);
	}
}

/*
 * Returns the first row with the key, or NULL.  The slot is good until the
 * next look-up of the same kind.
 */
TupleTableSlot *
roost_post_read(PostReader *reader, PostLookup what, int nkeys, int64 first, int64 second)
{
	ScanKeyData keys[2];

	if (reader->open[what].table == NULL)
		lookup_open(reader, what, nkeys);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(first));
	if (nkeys > 1)
		ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(second));
	lookup_seek(reader, what, keys, nkeys);
	return roost_post_read_next(reader, what);
}

/*
 * Returns the row with the text as its key, or NULL.
 */
TupleTableSlot *
roost_post_read_text(PostReader *reader, PostLookup what, text *key)
{
	ScanKeyData scankey;

	if (reader->open[what].table == NULL)
		lookup_open(reader, what, 1);
	ScanKeyEntryInitialize(&scankey, 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID,
						   F_TEXTEQ, PointerGetDatum(key));
	lookup_seek(reader, what, &scankey, 1);
	return roost_post_read_next(reader, what);
}

/*
 * Returns the largest second key that is at most the given one, of the rows
 * with the first key, or -1.
 */
int64
roost_post_read_below(PostReader *reader, PostLookup what, int64 first, int64 second)
{
	ScanKeyData keys[2];
	TupleTableSlot *slot;
	bool		isnull;

	if (reader->open[what].table == NULL)
		lookup_open(reader, what, 2);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(first));
	ScanKeyInit(&keys[1], 2, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(second));
	lookup_seek(reader, what, keys, 2);
	slot = reader->open[what].slot;
	if (!lookup_row(reader, what, BackwardScanDirection))
		return -1;
	return DatumGetInt64(slot_getattr(slot, lookup_cache[what].columns[0], &isnull));
}

/*
 * Fills in the largest second keys of the rows with the first key, at most
 * `max`, falling; returns how many.
 */
int
roost_post_read_marks(PostReader *reader, PostLookup what, int64 account_id, int64 *ids, int max)
{
	ScanKeyData keys[2];
	TupleTableSlot *slot;
	bool		isnull;
	int			count = 0;

	if (reader->open[what].table == NULL)
		lookup_open(reader, what, 2);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(account_id));
	ScanKeyInit(&keys[1], 2, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(PG_INT64_MAX));
	lookup_seek(reader, what, keys, 2);
	slot = reader->open[what].slot;
	while (count < max && lookup_row(reader, what, BackwardScanDirection))
		ids[count++] = DatumGetInt64(slot_getattr(slot, lookup_cache[what].columns[0], &isnull));
	return count;
}

/*
 * Returns the first row whose key is at least the given one, or NULL; the next
 * ones follow in order.
 */
TupleTableSlot *
roost_post_read_from(PostReader *reader, PostLookup what, int64 first)
{
	ScanKeyData key;

	if (reader->open[what].table == NULL)
		lookup_open(reader, what, 1);
	ScanKeyInit(&key, 1, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(first));
	lookup_seek(reader, what, &key, 1);
	return roost_post_read_next(reader, what);
}

/*
 * Returns the first row of all, or NULL.
 */
TupleTableSlot *
roost_post_read_all(PostReader *reader, PostLookup what)
{
	if (reader->open[what].table == NULL)
		lookup_open(reader, what, 0);
	lookup_seek(reader, what, NULL, 0);
	return roost_post_read_next(reader, what);
}

/*
 * Returns the next row with the key of the last look-up, or NULL.
 */
TupleTableSlot *
roost_post_read_next(PostReader *reader, PostLookup what)
{
	return lookup_row(reader, what, ForwardScanDirection) ? reader->open[what].slot : NULL;
}

/*
 * Begins to read an author's posts between two ids (exclusive), newest first.
 */
void
roost_post_read_range(PostReader *reader, int64 author_id, int64 before_id, int64 after_id)
{
	ScanKeyData keys[3];

	if (reader->open[LOOKUP_AUTHOR].table == NULL)
	{
		lookup_open(reader, LOOKUP_AUTHOR, lengthof(keys));
		reader->open[LOOKUP_AUTHOR].scan->xs_want_itup = true;
	}
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(author_id));
	ScanKeyInit(&keys[1], 2, BTLessStrategyNumber, F_INT8LT, Int64GetDatum(before_id));
	ScanKeyInit(&keys[2], 2, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after_id));
	lookup_seek(reader, LOOKUP_AUTHOR, keys, lengthof(keys));
}

/*
 * Returns the next of these posts (false: no more), and whom it answers or 0.
 */
bool
roost_post_read_range_next(PostReader *reader, int64 *id, int64 *reply_to_account_id)
{
	IndexTuple	tuple = lookup_index_next(reader, LOOKUP_AUTHOR);
	TupleDesc	desc = reader->open[LOOKUP_AUTHOR].scan->xs_itupdesc;
	Datum		reply;
	bool		isnull;

	if (tuple == NULL)
		return false;
	*id = DatumGetInt64(index_getattr(tuple, 2, desc, &isnull));
	reply = index_getattr(tuple, 4, desc, &isnull);
	*reply_to_account_id = isnull ? 0 : DatumGetInt64(reply);
	return true;
}

/*
 * Returns the next of these posts (false: no more) as it stands in the index:
 * one that any snapshot may see is among them, others too, and one may come
 * several times.
 */
bool
roost_post_read_range_raw(PostReader *reader, int64 *id)
{
	IndexScanDesc scan = reader->open[LOOKUP_AUTHOR].scan;
	bool		isnull;

	if (lookup_tid(reader, LOOKUP_AUTHOR) == NULL)
		return false;
	*id = DatumGetInt64(index_getattr(scan->xs_itup, 2, scan->xs_itupdesc, &isnull));
	return true;
}

/*
 * Appends the accounts that an account follows to `count` ids, which it may
 * move to make room; the array is palloc'ed.  It ends when there are `max` ids.
 */
int64 *
roost_post_read_followees(PostReader *reader, int64 follower_id, int max, int64 *ids, int *count)
{
	int			room = *count;
	IndexTuple	tuple;
	bool		isnull;

	followees_begin(reader, follower_id);
	while (*count < max && (tuple = lookup_index_next(reader, LOOKUP_FOLLOWEES)) != NULL)
	{
		if (*count == room)
		{
			room = Max(room * 2, 256);
			ids = repalloc(ids, room * sizeof(int64));
		}
		ids[(*count)++] = DatumGetInt64(index_getattr(tuple, 3, reader->open[LOOKUP_FOLLOWEES].scan->xs_itupdesc, &isnull));
	}
	return ids;
}

/*
 * Returns the id of the newest follow of an account, or 0.
 */
int64
roost_post_read_newest_follow(PostReader *reader, int64 follower_id)
{
	IndexTuple	tuple;
	bool		isnull;

	followees_begin(reader, follower_id);
	tuple = lookup_index_next(reader, LOOKUP_FOLLOWEES);
	return tuple == NULL ? 0 :
		DatumGetInt64(index_getattr(tuple, 2, reader->open[LOOKUP_FOLLOWEES].scan->xs_itupdesc, &isnull));
}

/*
 * Begins to read whom an account follows.
 */
static void
followees_begin(PostReader *reader, int64 follower_id)
{
	ScanKeyData key;

	if (reader->open[LOOKUP_FOLLOWEES].table == NULL)
	{
		lookup_open(reader, LOOKUP_FOLLOWEES, 1);
		reader->open[LOOKUP_FOLLOWEES].scan->xs_want_itup = true;
	}
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(follower_id));
	lookup_seek(reader, LOOKUP_FOLLOWEES, &key, 1);
}

/*
 * Returns the next entry of an index for a row that the snapshot sees, or
 * NULL.  The table is only looked at where the visibility map does not vouch
 * for it.
 */
static IndexTuple
lookup_index_next(PostReader *reader, PostLookup what)
{
	IndexScanDesc scan = reader->open[what].scan;
	ItemPointer tid;

	while ((tid = lookup_tid(reader, what)) != NULL)
	{
		if (VM_ALL_VISIBLE(scan->heapRelation, ItemPointerGetBlockNumber(tid), &reader->open[what].visibility) ||
			index_fetch_heap(scan, reader->open[what].slot))
			return scan->xs_itup;
		CHECK_FOR_INTERRUPTS();
	}
	return NULL;
}

/*
 * Returns the numbers of the table's columns, in the order of their enum.
 */
const AttrNumber *
roost_post_columns(PostLookup what)
{
	return lookup_find(what)->columns;
}

static void
lookup_open(PostReader *reader, PostLookup what, int nkeys)
{
	const LookupCache *cache = lookup_find(what);
	Relation	table = table_open(cache->table, AccessShareLock);
	Relation	index = index_open(cache->index, AccessShareLock);
	MemoryContext caller = MemoryContextSwitchTo(reader->context);

	reader->open[what].slot = table_slot_create(table, NULL);
	reader->open[what].scan = index_beginscan(table, index, reader->snapshot, nkeys, 0);
	MemoryContextSwitchTo(caller);
	reader->open[what].index = index;
	reader->open[what].table = table;
}

/*
 * Moves a scan to keys.  A scan allocates some of its memory when it comes to
 * need it (for what it copies of a page, for entries whose rows are dead), so
 * it may only be touched where that lives as long as itself.
 */
static void
lookup_seek(PostReader *reader, PostLookup what, ScanKey keys, int nkeys)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->context);

	index_rescan(reader->open[what].scan, keys, nkeys, NULL, 0);
	MemoryContextSwitchTo(caller);
}

#ifdef ROOST_DEBUG
/*
 * Makes sure that what a scan has allocated is the reader's.
 */
static void
lookup_check(PostReader *reader, PostLookup what)
{
	BTScanOpaque scan = reader->open[what].scan->opaque;

	if ((scan->killedItems != NULL && GetMemoryChunkContext(scan->killedItems) != reader->context) ||
		(scan->currTuples != NULL && GetMemoryChunkContext(scan->currTuples) != reader->context))
		elog(PANIC, "the scan of table \"%s\" has memory that may be gone", lookups[what].table);
}
#endif

/*
 * Reads the next row into the slot; false: there is none.
 */
static bool
lookup_row(PostReader *reader, PostLookup what, ScanDirection direction)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->context);
	bool		there = index_getnext_slot(reader->open[what].scan, direction, reader->open[what].slot);

	MemoryContextSwitchTo(caller);
	return there;
}

/*
 * Returns the place of the next row, or NULL.
 */
static ItemPointer
lookup_tid(PostReader *reader, PostLookup what)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->context);
	ItemPointer tid = index_getnext_tid(reader->open[what].scan, ForwardScanDirection);

	MemoryContextSwitchTo(caller);
	return tid;
}

/*
 * Returns whether the table is there; only those of a later version may be
 * missing.
 */
bool
roost_post_is_there(PostLookup what)
{
	return lookups[what].later == NULL || OidIsValid(lookup_cache[what].table) ||
		OidIsValid(get_relname_relid(lookups[what].table, get_namespace_oid("roost_data", false)));
}

static const LookupCache *
lookup_find(PostLookup what)
{
	LookupCache *cache = &lookup_cache[what];
	LookupCache found = {0};
	bool		later = false;
	Oid			schema;

	if (OidIsValid(cache->table))
		return cache;

	schema = get_namespace_oid("roost_data", false);
	found.table = get_relname_relid(lookups[what].table, schema);
	found.index = get_relname_relid(lookups[what].index, schema);
	if (!OidIsValid(found.table) || !OidIsValid(found.index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table roost_data.%s or its index %s does not exist", lookups[what].table, lookups[what].index),
				 errhint("Run SELECT roost.install().")));
	for (int i = 0; lookups[what].columns[i] != NULL; i++)
	{
		found.columns[i] = get_attnum(found.table, lookups[what].columns[i]);
		later |= lookups[what].later != NULL && strcmp(lookups[what].columns[i], lookups[what].later) == 0;
		if (found.columns[i] == InvalidAttrNumber && !later)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table roost_data.%s has no column %s", lookups[what].table, lookups[what].columns[i]),
					 errhint("Run SELECT roost.install().")));
	}
	found.filenode = lookup_filenode(found.table);
	*cache = found;
	return cache;
}

/*
 * Returns the file in which a table lies.
 */
static Oid
lookup_filenode(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			filenode;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	filenode = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
	ReleaseSysCache(tuple);
	return filenode;
}

static void
lookup_forget(Oid relid)
{
	for (int i = 0; i < LOOKUPS; i++)
		if (!OidIsValid(relid) || relid == lookup_cache[i].table || relid == lookup_cache[i].index)
			lookup_cache[i].table = InvalidOid;
}

/*
 * Returns a number that is another one once the tables of posts, accounts or
 * counters have been truncated, rewritten or replaced.
 */
uint32
roost_post_read_epoch(void)
{
	return hash_combine(hash_combine(lookup_find(LOOKUP_POST)->filenode, lookup_find(LOOKUP_ACCOUNT)->filenode),
						lookup_find(LOOKUP_STAT)->filenode);
}

/*
 * Returns the first letter of a visibility or a state: they all differ.
 */
char
roost_post_enum_letter(Oid value)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	char		letter;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for enum value %u", value);
	letter = NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel)[0];
	ReleaseSysCache(tuple);
	return letter;
}

/*
 * Returns how many accounts the column mention_ids (0: null) names, and which.
 */
int
roost_post_mentioned(Datum mention_ids, const int64 **ids)
{
	ArrayType  *array;

	if (mention_ids == (Datum) 0)
		return 0;
	array = DatumGetArrayTypeP(mention_ids);
	if (ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT8OID)
		return 0;
	*ids = (const int64 *) ARR_DATA_PTR(array);
	return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}
