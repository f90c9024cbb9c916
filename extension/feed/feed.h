/*-------------------------------------------------------------------------
 *
 * feed.h
 *		The log of events: what the worker and readers share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_FEED_H
#define ROOST_FEED_H

#include "postgres.h"

#include "storage/lwlock.h"

typedef struct RoostFeedShared
{
	LWLock	   *lock;			/* guards everything below */

	int64		epoch;			/* of the last row known here */
	int64		last_seq;		/* ever written since the server started */
	int64		notified_seq;	/* the last one announced, or 0 */
	int64		unflushed_from; /* first row that may be lost in a crash, or 0 */
	int64		batch_us;		/* time of the last batch */
	uint64		batches;
	uint64		rows;
	uint64		entries;		/* of mailboxes */
	uint64		notifies;
	uint64		completions;
} RoostFeedShared;

extern RoostFeedShared *roost_feed_shared;

extern int	roost_event_retention;	/* seconds */
extern int	roost_notification_retention;	/* seconds */
extern int	roost_event_size;	/* MB, 0: no limit */
extern int	roost_notify_interval;	/* milliseconds, -1: never */

#endif							/* ROOST_FEED_H */
