/*-------------------------------------------------------------------------
 *
 * feed.c
 *		The log of events: settings, what shared memory knows of it, and what
 *		SQL may ask.
 *
 * The worker does not wait for the disk when it commits a batch.  Until the
 * batch has been flushed, a crash of the server may take it away, and other
 * rows would get its numbers.  So nobody is told of it, and nobody may read it:
 * unflushed_from says where the rows begin that are not to be read.  The worker
 * sets it before it commits and clears it after it has flushed.  A reader looks
 * after it has taken its snapshot.  After a crash all that can be seen has come
 * from the disk, and shared memory is new.
 *
 * One lock guards all of it.
 *
 *-------------------------------------------------------------------------
 */
#include "feed/feed.h"

#include "fmgr.h"
#include "funcapi.h"
#include "access/htup_details.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "core/core.h"
#include "feed/log.h"
#include "roost.h"

#define EVENT_RETENTION_MIN		1
#define EVENT_RETENTION_DEFAULT	(8 * 86400) /* somebody is back after a week */
#define EVENT_RETENTION_MAX		(3650 * 86400)
#define NOTIFICATION_RETENTION_MIN		86400
#define NOTIFICATION_RETENTION_DEFAULT	(90 * 86400)
#define NOTIFICATION_RETENTION_MAX		(3650 * 86400)
#define EVENT_SIZE_MIN			0
#define EVENT_SIZE_DEFAULT		0
#define EVENT_SIZE_MAX			MAX_KILOBYTES
#define NOTIFY_INTERVAL_MIN		(-1)
#define NOTIFY_INTERVAL_DEFAULT	10
#define NOTIFY_INTERVAL_MAX		60000

#define FEED_STAT_COLUMNS		7

PG_FUNCTION_INFO_V1(roost_feed_end);
PG_FUNCTION_INFO_V1(roost_feed_stat);

RoostFeedShared *roost_feed_shared = NULL;
int			roost_event_retention;
int			roost_notification_retention;
int			roost_event_size;
int			roost_notify_interval;

/*
 * roost_internal.feed_end() returns the first row that is not to be read yet.
 */
Datum
roost_feed_end(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(roost_log_end_seq());
}

/*
 * roost_internal.feed_stat() returns the row of roost.stat_feed.
 */
Datum
roost_feed_stat(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[FEED_STAT_COLUMNS];
	bool		nulls[FEED_STAT_COLUMNS] = {false};
	RoostFeedShared feed;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	LWLockAcquire(roost_feed_shared->lock, LW_SHARED);
	feed = *roost_feed_shared;
	LWLockRelease(roost_feed_shared->lock);

	values[0] = Int64GetDatum((int64) feed.batches);
	values[1] = Int64GetDatum((int64) feed.rows);
	values[2] = Int64GetDatum((int64) feed.entries);
	values[3] = Int64GetDatum((int64) feed.notifies);
	values[4] = Int64GetDatum((int64) feed.completions);
	nulls[5] = feed.batch_us == 0;
	values[5] = TimestampTzGetDatum(roost_clock_timestamp(feed.batch_us));
	nulls[6] = feed.unflushed_from == 0;
	values[6] = Int64GetDatum(feed.unflushed_from);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static void
feed_define_gucs(void)
{
	DefineCustomIntVariable("roost.event_retention",
							"Sets how long the log of events keeps what has happened.",
							"Who has been away longer reads the tables. What is older goes within an eighth of this time.",
							&roost_event_retention,
							EVENT_RETENTION_DEFAULT,
							EVENT_RETENTION_MIN,
							EVENT_RETENTION_MAX,
							PGC_SIGHUP,
							GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.notification_retention",
							"Sets how long the mailboxes keep what others did to an account, for notifications.",
							"What is older goes within an eighth of this time.",
							&roost_notification_retention,
							NOTIFICATION_RETENTION_DEFAULT,
							NOTIFICATION_RETENTION_MIN,
							NOTIFICATION_RETENTION_MAX,
							PGC_SIGHUP,
							GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.event_size",
							"Sets how much disk the log of events and the mailboxes may take.",
							"When they take more, the oldest part goes, however young. 0: no limit.",
							&roost_event_size,
							EVENT_SIZE_DEFAULT,
							EVENT_SIZE_MIN,
							EVENT_SIZE_MAX,
							PGC_SIGHUP,
							GUC_UNIT_MB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.notify_interval",
							"Sets the least time between two notifications on channel roost_feed, and on roost_signal.",
							"The first event after a pause is notified at once. 0: with every batch, -1: never.",
							&roost_notify_interval,
							NOTIFY_INTERVAL_DEFAULT,
							NOTIFY_INTERVAL_MIN,
							NOTIFY_INTERVAL_MAX,
							PGC_SIGHUP,
							GUC_UNIT_MS,
							NULL, NULL, NULL);
}

static Size
feed_shmem_size(void)
{
	return sizeof(RoostFeedShared);
}

static void
feed_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	roost_feed_shared = area;
	if (found)
		return;
	memset(roost_feed_shared, 0, sizeof(RoostFeedShared));
	roost_feed_shared->lock = &locks[0].lock;
}

const RoostModule roost_feed_module = {
	.name = "roost feed",
	.define_gucs = feed_define_gucs,
	.shmem_size = feed_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = feed_shmem_init,
};
