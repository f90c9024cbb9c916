/*-------------------------------------------------------------------------
 *
 * feed_partition.c
 *		The partitions of the log and the mailbox, and where days begin.
 *
 * Kept in the worker: the partitions of both tables and the first row of each
 * day (roost_data.feed_day), read whenever the log has to be completed; one day
 * more is added when it begins, in the transaction that writes its first row.
 *
 * Entries stay in the mailbox for months, in many partitions.  What was undone
 * is withdrawn without asking all of them: an act is not logged before it is
 * done, so its entry is no older than its id, and mostly in the partition of
 * that day.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "bgworker/feed.h"
#include "core/clock.h"
#include "core/id.h"
#include "feed/feed.h"

#define PARTITION_SHARE		16	/* in the time for which rows are kept */
#define PARTITION_ROWS_MIN	8192
#define PARTITION_ROWS_MAX	(1 << 26)
#define MAILBOX_ROWS_MAX	(1 << 29)	/* readers ask them all */
#define PARTITION_ROW_BYTES 256 /* in both tables, with their indexes */
#define DAY_SLACK			1	/* days that the clock may have stepped back */

/* The first row of the log that was written on a day (since 1970) */
typedef struct FeedDay
{
	int64		day;
	int64		seq;
} FeedDay;

static const char *const table_names[FEED_TABLES] = {"feed_log", "mailbox"};
static FeedPartition *partitions[FEED_TABLES];
static int	num_partitions[FEED_TABLES];
static FeedDay *days = NULL;
static int	num_days = 0;

static void load_partitions(FeedTable table);
static void load_days(void);
static int64 partition_rows(FeedTable table, int64 seq);

/*
 * Reads what is kept of partitions and days.
 */
void
roost_feed_partition_load(void)
{
	for (FeedTable table = 0; table < FEED_TABLES; table++)
		load_partitions(table);
	load_days();
}

static void
load_partitions(FeedTable table)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(table_names[table])};
	FeedPartition *list;

	SPI_connect();
	if (SPI_execute_with_args("SELECT p.from_seq, p.to_seq, p.relation::oid, p.actor_index::oid"
							  " FROM roost_internal.feed_partitions() p WHERE p.parent = $1 ORDER BY 1",
							  1, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the partitions of the log");

	list = MemoryContextAlloc(TopMemoryContext, Max(SPI_processed, 1) * sizeof(FeedPartition));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull[4];
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		list[i].from_seq = DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull[0]));
		list[i].to_seq = DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull[1]));
		list[i].relid = DatumGetObjectId(SPI_getbinval(tuple, desc, 3, &isnull[2]));
		list[i].actor_index = DatumGetObjectId(SPI_getbinval(tuple, desc, 4, &isnull[3]));
		if (isnull[0] || isnull[1] || isnull[2] || (isnull[3] && table == FEED_TABLE_MAILBOX))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("a partition of roost_data.%s has not been made by roost", table_names[table])));
	}
	if (partitions[table] != NULL)
		pfree(partitions[table]);
	partitions[table] = list;
	num_partitions[table] = (int) SPI_processed;
	SPI_finish();
}

/*
 * Reads where days begin.
 */
static void
load_days(void)
{
	FeedDay    *list;

	SPI_connect();
	if (SPI_execute("SELECT d.day - '1970-01-01'::pg_catalog.date, d.seq FROM roost_data.feed_day d ORDER BY d.day", false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the days of the log");
	list = MemoryContextAlloc(TopMemoryContext, Max(SPI_processed, 1) * sizeof(FeedDay));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		HeapTuple	tuple = SPI_tuptable->vals[i];

		list[i].day = DatumGetInt32(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
		list[i].seq = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
	}
	if (days != NULL)
		pfree(days);
	days = list;
	num_days = (int) SPI_processed;
	SPI_finish();
}

/*
 * Notes when a day begins: before the row is written that is its first.
 */
void
roost_feed_day_begin(int64 seq, int64 now_us)
{
	Oid			types[2] = {INT4OID, INT8OID};
	int64		day = now_us / FEED_DAY_US;
	Datum		values[2];

	if (num_days > 0 && days[num_days - 1].day >= day)
		return;
	values[0] = Int32GetDatum((int32) day);
	values[1] = Int64GetDatum(seq);
	SPI_connect();
	if (SPI_execute_with_args("INSERT INTO roost_data.feed_day (day, seq) VALUES ('1970-01-01'::pg_catalog.date OPERATOR(pg_catalog.+) $1, $2)",
							  2, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not note where a day of the log begins");
	SPI_finish();
	days = repalloc(days, (num_days + 1) * sizeof(FeedDay));
	days[num_days].day = day;
	days[num_days++].seq = seq;
}

/*
 * Returns from which seq on rows can be about something with this id.
 */
int64
roost_feed_day_since(int64 id)
{
	int64		day = roost_id_ms(id) / (FEED_DAY_US / 1000) - DAY_SLACK;
	int			low = 0;
	int			high = num_days;

	/* made by a clock that was ahead: it says nothing */
	if (num_days == 0 || day > days[num_days - 1].day)
		return 0;
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (days[middle].day <= day)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? days[low - 1].seq : 0;
}

const char *
roost_feed_partition_parent(FeedTable table)
{
	return table_names[table];
}

/*
 * Returns the last partition of a table, or NULL.
 */
const FeedPartition *
roost_feed_partition_last(FeedTable table)
{
	return num_partitions[table] > 0 ? &partitions[table][num_partitions[table] - 1] : NULL;
}

/*
 * Returns the partition for a seq, or NULL.
 */
const FeedPartition *
roost_feed_partition_of(FeedTable table, int64 seq)
{
	for (int i = num_partitions[table] - 1; i >= 0; i--)
	{
		const FeedPartition *partition = &partitions[table][i];

		if (seq >= partition->from_seq && seq < partition->to_seq)
			return partition;
	}
	return NULL;
}

/*
 * Returns the first partition that has the seq or later ones, or NULL.
 */
const FeedPartition *
roost_feed_partition_since(FeedTable table, int64 seq)
{
	int			first = num_partitions[table];

	while (first > 0 && partitions[table][first - 1].to_seq > seq)
		first--;
	return first < num_partitions[table] ? &partitions[table][first] : NULL;
}

/*
 * Returns the partition after another one, or NULL.
 */
const FeedPartition *
roost_feed_partition_next(FeedTable table, const FeedPartition *partition)
{
	return partition + 1 < partitions[table] + num_partitions[table] ? partition + 1 : NULL;
}

/*
 * Adds a partition that begins after the last one, or at seq, and holds at
 * least count rows.
 */
void
roost_feed_partition_add(FeedTable table, int64 seq, int64 count)
{
	Oid			types[3] = {TEXTOID, INT8OID, INT8OID};
	Datum		values[3];
	const FeedPartition *last = roost_feed_partition_last(table);
	int64		from = last != NULL ? Max(seq, last->to_seq) : seq;

	values[0] = CStringGetTextDatum(table_names[table]);
	values[1] = Int64GetDatum(from);
	values[2] = Int64GetDatum(from + Max(count, partition_rows(table, seq)));
	SPI_connect();
	if (SPI_execute_with_args("SELECT roost_internal.feed_partition_add($1, $2, $3)",
							  3, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not add a partition to the log");
	SPI_finish();
	load_partitions(table);
}

/*
 * Returns how many rows the next partition is to have: those of a sixteenth of
 * the time, or the room, for which rows are kept, at the pace since the last one
 * began, as far as the log reaches back.
 */
static int64
partition_rows(FeedTable table, int64 seq)
{
	const FeedPartition *last = roost_feed_partition_last(table);
	int			retention = table == FEED_TABLE_LOG ? roost_event_retention : roost_notification_retention;
	int64		rows = PARTITION_ROWS_MIN;

	if (last != NULL && seq > last->from_seq)
	{
		Oid			types[1] = {INT8OID};
		Datum		values[1] = {Int64GetDatum(last->from_seq)};
		int64		first = seq;
		double		age = 0;

		SPI_connect();
		if (SPI_execute_with_args("SELECT l.seq, l.created_at FROM roost_data.feed_log l WHERE l.seq OPERATOR(pg_catalog.>=) $1 ORDER BY l.seq",
								  1, types, values, NULL, false, 1) != SPI_OK_SELECT)
			elog(ERROR, "could not read the log");
		if (SPI_processed > 0)
		{
			HeapTuple	tuple = SPI_tuptable->vals[0];
			bool		isnull;
			TimestampTz at = DatumGetTimestampTz(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));

			first = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
			age = (roost_clock_us() - roost_clock_from_timestamp(at)) / 1000000.0;
		}
		SPI_finish();
		rows = (int64) Min((seq - first) / Max(age, 1) * retention / PARTITION_SHARE,
						   (double) (table == FEED_TABLE_LOG ? PARTITION_ROWS_MAX : MAILBOX_ROWS_MAX));
		rows = Min(rows, (last->to_seq - last->from_seq) * 4);
	}
	if (roost_event_size > 0)
		rows = Min(rows, (int64) roost_event_size * 1024 * 1024 / PARTITION_ROW_BYTES / PARTITION_SHARE);
	return Max(rows, PARTITION_ROWS_MIN);
}
