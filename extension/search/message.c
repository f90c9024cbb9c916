/*-------------------------------------------------------------------------
 *
 * message.c
 *		Messages that are found, without an index.
 *
 * Texts of messages are in no index of search: it would take more room than
 * the messages.  A search reads the conversations of its reader instead,
 * newest message first, all of them in one order, and looks at each text.
 *
 * Ids come from the primary key (conversation_id, id) by the index alone,
 * some at a time for each conversation; a heap holds the newest of each.  A
 * conversation is not looked at before everything newer in the others has
 * been: so whatever is in the heap when the search stops is where it goes on.
 *
 * Bounded by the caller: messages looked at, and time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/tupmacs.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/binaryheap.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "tsearch/ts_utils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "post/viewer.h"
#include "search/token.h"
#include "search/vector.h"

PG_FUNCTION_INFO_V1(roost_search_message_scan);

#define SCAN_BATCH_MIN	16
#define SCAN_BATCH_MAX	256
#define SCAN_CLOCK_EACH	32		/* messages between two looks at the clock */
#define MARKS_MAX		12

typedef enum Column
{
	COLUMN_ID,
	COLUMN_SENDER_ID,
	COLUMN_REPLY_TO_ID,
	COLUMN_DELETED_AT,
	COLUMN_EXPIRES_AT,
	COLUMN_ENCRYPTED,
	COLUMN_ACTION,
	COLUMN_TEXT,
	COLUMN_MEDIA,
	COLUMNS
} Column;

static const char *const column_names[COLUMNS] = {
	"id", "sender_id", "reply_to_id", "deleted_at", "expires_at", "encrypted", "action", "text", "media"
};

typedef struct ScanItem
{
	int64		id;
	ItemPointerData tid;
} ScanItem;

/* A conversation */
typedef struct Stream
{
	int64		id;
	int64		low_id;			/* messages with a greater id are seen */
	bool		group;
	int64		before;			/* what is not read yet has smaller ids */
	int64		top;			/* nothing newer is left */
	int			batch;
	bool		more;			/* there may be some that are not read yet */
	ScanItem   *items;
	int			count;
	int			at;
} Stream;

typedef struct MessageScan
{
	int64		reader_id;
	TSQuery		query;			/* NULL: everything matches */
	SearchStems *stems;
	Snapshot	snapshot;
	Relation	table;
	Relation	index;
	IndexScanDesc scan;
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;
	AttrNumber	columns[COLUMNS];
	PostReader	reader;
	PostViewer	viewer;
	TimestampTz now;
	MemoryContext scratch;
	binaryheap *heap;
} MessageScan;

static void scan_open(MessageScan *scan);
static void scan_close(MessageScan *scan);
static int	stream_compare(Datum a, Datum b, void *arg);
static void stream_fill(MessageScan *scan, Stream *stream);
static bool message_is_found(MessageScan *scan, const Stream *stream, ScanItem *item);
static bool message_matches(MessageScan *scan);
static bool message_is_hidden(MessageScan *scan, int64 conversation_id, int64 message_id);
static int	media_read(Datum media, StringInfo text, const char **marks, int count);
static int64 *array_int64(ArrayType *array, int *count);
static bool *array_bool(ArrayType *array, int *count);
static Datum int64_array(const int64 *ids, int count);

/*
 * roost_internal.search_message_scan(reader_id, conversation_ids, low_ids,
 * top_ids, groups, before, query, language, limit, effort, time) returns the
 * newest messages that match, their conversations, and, where it has stopped
 * before the end, how far it has come.
 */
Datum
roost_search_message_scan(PG_FUNCTION_ARGS)
{
	MessageScan scan = {0};
	int			conversations;
	int			lows;
	int			tops;
	int64	   *conversation_ids = array_int64(PG_GETARG_ARRAYTYPE_P(1), &conversations);
	int64	   *low_ids = array_int64(PG_GETARG_ARRAYTYPE_P(2), &lows);
	int64	   *top_ids = array_int64(PG_GETARG_ARRAYTYPE_P(3), &tops);
	int			kinds;
	bool	   *groups = array_bool(PG_GETARG_ARRAYTYPE_P(4), &kinds);
	int64		before = PG_GETARG_INT64(5);
	int			limit = PG_GETARG_INT32(8);
	int			effort = PG_GETARG_INT32(9);
	TimestampTz deadline = GetCurrentTimestamp() + (int64) PG_GETARG_INT32(10) * 1000;
	int64	   *ids = palloc(sizeof(int64) * Max(limit, 1));
	int64	   *of = palloc(sizeof(int64) * Max(limit, 1));
	int64		stopped_id = 0;
	int			found = 0;
	int			looked = 0;
	Stream	   *streams;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (lows != conversations || tops != conversations || kinds != conversations)
		elog(ERROR, "arrays of different lengths");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	scan.reader_id = PG_GETARG_INT64(0);
	scan.query = PG_ARGISNULL(6) ? NULL : PG_GETARG_TSQUERY(6);
	scan.stems = palloc0(sizeof(SearchStems));
	scan.stems->context = CurrentMemoryContext;
	if (!PG_ARGISNULL(7))
	{
		text	   *language = PG_GETARG_TEXT_PP(7);

		scan.stems->dictionary = roost_search_dictionary(VARDATA_ANY(language), VARSIZE_ANY_EXHDR(language));
	}

	scan.heap = binaryheap_allocate(Max(conversations, 1), stream_compare, NULL);
	streams = palloc0(sizeof(Stream) * Max(conversations, 1));
	for (int i = 0; i < conversations; i++)
	{
		Stream	   *stream = &streams[i];

		stream->id = conversation_ids[i];
		stream->low_id = low_ids[i];
		stream->group = groups[i];
		stream->before = before;
		stream->top = Min(top_ids[i], before - 1);
		stream->batch = SCAN_BATCH_MIN;
		stream->more = true;
		if (stream->top > stream->low_id)
			binaryheap_add_unordered(scan.heap, PointerGetDatum(stream));
	}
	binaryheap_build(scan.heap);

	scan_open(&scan);
	while (!binaryheap_empty(scan.heap))
	{
		Stream	   *stream = (Stream *) DatumGetPointer(binaryheap_first(scan.heap));

		CHECK_FOR_INTERRUPTS();
		if (stream->at < stream->count)
		{
			ScanItem   *item = &stream->items[stream->at++];

			if (found == limit || looked >= effort ||
				(looked % SCAN_CLOCK_EACH == 0 && looked > 0 && GetCurrentTimestamp() > deadline))
			{
				stopped_id = item->id + 1;
				break;
			}
			looked++;
			if (message_is_found(&scan, stream, item))
			{
				ids[found] = item->id;
				of[found++] = stream->id;
			}
		}
		if (stream->at == stream->count && stream->more)
			stream_fill(&scan, stream);
		if (stream->at == stream->count)
			binaryheap_remove_first(scan.heap);
		else
		{
			stream->top = stream->items[stream->at].id;
			binaryheap_replace_first(scan.heap, PointerGetDatum(stream));
		}
	}
	scan_close(&scan);

	values[0] = int64_array(ids, found);
	values[1] = int64_array(of, found);
	values[2] = Int64GetDatum(stopped_id);
	nulls[2] = stopped_id == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static void
scan_open(MessageScan *scan)
{
	Oid			relid = get_relname_relid("message", get_namespace_oid("roost_data", false));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"roost_data.message\" does not exist"),
				 errhint("Run SELECT roost.install().")));
	scan->snapshot = GetActiveSnapshot();
	scan->table = table_open(relid, AccessShareLock);
	for (int i = 0; i < COLUMNS; i++)
	{
		scan->columns[i] = get_attnum(relid, column_names[i]);
		if (scan->columns[i] == InvalidAttrNumber)
			elog(ERROR, "column \"%s\" of roost_data.message does not exist", column_names[i]);
	}
	scan->index = index_open(RelationGetPrimaryKeyIndex(scan->table), AccessShareLock);
	scan->scan = index_beginscan(scan->table, scan->index, scan->snapshot, 3, 0);
	scan->scan->xs_want_itup = true;
	scan->fetch = table_index_fetch_begin(scan->table);
	scan->slot = table_slot_create(scan->table, NULL);
	scan->now = roost_clock_us() - (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	scan->scratch = AllocSetContextCreate(CurrentMemoryContext, "search of messages", ALLOCSET_DEFAULT_SIZES);
	roost_post_reader_begin(&scan->reader);
	roost_viewer_begin(&scan->viewer, &scan->reader, CurrentMemoryContext, scan->reader_id);
}

static void
scan_close(MessageScan *scan)
{
	roost_post_reader_end(&scan->reader);
	ExecDropSingleTupleTableSlot(scan->slot);
	table_index_fetch_end(scan->fetch);
	index_endscan(scan->scan);
	index_close(scan->index, AccessShareLock);
	table_close(scan->table, AccessShareLock);
	MemoryContextDelete(scan->scratch);
}

/*
 * The newest first.
 */
static int
stream_compare(Datum a, Datum b, void *arg)
{
	const Stream *left = (const Stream *) DatumGetPointer(a);
	const Stream *right = (const Stream *) DatumGetPointer(b);

	return left->top < right->top ? -1 : left->top > right->top ? 1 : 0;
}

/*
 * Reads the ids of the next messages of a conversation.
 */
static void
stream_fill(MessageScan *scan, Stream *stream)
{
	ScanKeyData keys[3];
	ItemPointer tid;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(stream->id));
	ScanKeyInit(&keys[1], 2, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(stream->low_id));
	ScanKeyInit(&keys[2], 2, BTLessStrategyNumber, F_INT8LT, Int64GetDatum(stream->before));
	index_rescan(scan->scan, keys, lengthof(keys), NULL, 0);
	stream->items = stream->items == NULL ? palloc(sizeof(ScanItem) * stream->batch) :
		repalloc(stream->items, sizeof(ScanItem) * stream->batch);
	stream->count = 0;
	stream->at = 0;
	while (stream->count < stream->batch && (tid = index_getnext_tid(scan->scan, BackwardScanDirection)) != NULL)
	{
		ScanItem   *item = &stream->items[stream->count++];
		bool		isnull;

		item->id = DatumGetInt64(index_getattr(scan->scan->xs_itup, 2, scan->scan->xs_itupdesc, &isnull));
		item->tid = *tid;
		stream->before = item->id;
	}
	stream->more = stream->count == stream->batch;
	stream->batch = Min(stream->batch * 2, SCAN_BATCH_MAX);
}

/*
 * Returns whether a message is there for the reader, and matches.
 */
static bool
message_is_found(MessageScan *scan, const Stream *stream, ScanItem *item)
{
	bool		call_again = false;
	bool		all_dead = false;
	bool		isnull;
	Datum		value;
	int64		sender_id;

	ExecClearTuple(scan->slot);
	do
	{
		if (!table_index_fetch_tuple(scan->fetch, &item->tid, scan->snapshot, scan->slot, &call_again, &all_dead))
			return false;
	} while (TTS_EMPTY(scan->slot));

	if (DatumGetBool(slot_getattr(scan->slot, scan->columns[COLUMN_ENCRYPTED], &isnull)) ||
		!(slot_getattr(scan->slot, scan->columns[COLUMN_ACTION], &isnull), isnull) ||
		!(slot_getattr(scan->slot, scan->columns[COLUMN_DELETED_AT], &isnull), isnull))
		return false;
	value = slot_getattr(scan->slot, scan->columns[COLUMN_EXPIRES_AT], &isnull);
	if (!isnull && DatumGetTimestampTz(value) <= scan->now)
		return false;
	if (!message_matches(scan) || message_is_hidden(scan, stream->id, item->id))
		return false;
	sender_id = DatumGetInt64(slot_getattr(scan->slot, scan->columns[COLUMN_SENDER_ID], &isnull));
	/* of two between whom there is a block, in a group neither sees the other */
	return !stream->group || sender_id == scan->reader_id || !roost_viewer_has_blocks(&scan->viewer) || !roost_viewer_is_apart(&scan->viewer, sender_id);
}

/*
 * Returns whether the message in the slot is what is looked for.
 */
static bool
message_matches(MessageScan *scan)
{
	MemoryContext old;
	StringInfoData text;
	const char *marks[MARKS_MAX];
	int			count = 0;
	bool		isnull;
	bool		result;
	Datum		value;

	if (scan->query == NULL)
		return true;
	old = MemoryContextSwitchTo(scan->scratch);
	initStringInfo(&text);
	value = slot_getattr(scan->slot, scan->columns[COLUMN_TEXT], &isnull);
	if (!isnull)
	{
		struct varlena *body = PG_DETOAST_DATUM_PACKED(value);

		appendBinaryStringInfo(&text, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body));
	}
	marks[count++] = psprintf("from:" INT64_FORMAT, DatumGetInt64(slot_getattr(scan->slot, scan->columns[COLUMN_SENDER_ID], &isnull)));
	slot_getattr(scan->slot, scan->columns[COLUMN_REPLY_TO_ID], &isnull);
	if (!isnull)
		marks[count++] = "is:reply";
	value = slot_getattr(scan->slot, scan->columns[COLUMN_MEDIA], &isnull);
	if (!isnull)
		count = media_read(value, &text, marks, count);
	result = DatumGetBool(DirectFunctionCall2(ts_match_vq,
											  TSVectorGetDatum(roost_search_text_vector(text.data, text.len, scan->stems, marks, count)),
											  TSQueryGetDatum(scan->query)));
	MemoryContextSwitchTo(old);
	MemoryContextReset(scan->scratch);
	return result;
}

/*
 * Adds the descriptions of media to a text, and their kinds to its marks;
 * returns how many marks there are.
 */
static int
media_read(Datum media, StringInfo text, const char **marks, int count)
{
	Jsonb	   *json = DatumGetJsonbP(media);
	uint32		items = JB_ROOT_IS_ARRAY(json) ? JB_ROOT_COUNT(json) : 0;

	if (items > 0)
		marks[count++] = "has:media";
	for (uint32 i = 0; i < items; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(&json->root, i);
		JsonbValue	field;

		if (item->type != jbvBinary || !JsonContainerIsObject(item->val.binary.data))
			continue;
		if (count < MARKS_MAX && getKeyJsonValueFromContainer(item->val.binary.data, "type", strlen("type"), &field) != NULL &&
			field.type == jbvString)
			marks[count++] = psprintf("has:%.*s", field.val.string.len, field.val.string.val);
		if (getKeyJsonValueFromContainer(item->val.binary.data, "description", strlen("description"), &field) != NULL &&
			field.type == jbvString)
		{
			appendStringInfoChar(text, '\n');
			appendBinaryStringInfo(text, field.val.string.val, field.val.string.len);
		}
	}
	return count;
}

/*
 * Returns whether the reader has deleted a message for itself.
 */
static bool
message_is_hidden(MessageScan *scan, int64 conversation_id, int64 message_id)
{
	Oid			relid = get_relname_relid("message_hidden", RelationGetNamespace(scan->table));
	Relation	table = table_open(relid, AccessShareLock);
	Relation	index;
	SysScanDesc hidden;
	ScanKeyData keys[3];
	bool		result;

	index = index_open(RelationGetPrimaryKeyIndex(table), AccessShareLock);
	for (int i = 0; i < lengthof(keys); i++)
	{
		AttrNumber	column = index->rd_index->indkey.values[i];
		const char *name = NameStr(TupleDescAttr(RelationGetDescr(table), column - 1)->attname);

		ScanKeyInit(&keys[i], column, BTEqualStrategyNumber, F_INT8EQ,
					Int64GetDatum(strcmp(name, "conversation_id") == 0 ? conversation_id : strcmp(name, "account_id") == 0 ? scan->reader_id : message_id));
	}
	index_close(index, AccessShareLock);
	hidden = systable_beginscan(table, RelationGetPrimaryKeyIndex(table), true, scan->snapshot, lengthof(keys), keys);
	result = HeapTupleIsValid(systable_getnext(hidden));
	systable_endscan(hidden);
	table_close(table, AccessShareLock);
	return result;
}

static int64 *
array_int64(ArrayType *array, int *count)
{
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT8OID)
		elog(ERROR, "not an array of ids");
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (int64 *) ARR_DATA_PTR(array);
}

static bool *
array_bool(ArrayType *array, int *count)
{
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != BOOLOID)
		elog(ERROR, "not an array of booleans");
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (bool *) ARR_DATA_PTR(array);
}

static Datum
int64_array(const int64 *ids, int count)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = Int64GetDatum(ids[i]);
	return PointerGetDatum(construct_array(elements, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
