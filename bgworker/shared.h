/*-------------------------------------------------------------------------
 *
 * shared.h
 *		What launcher, worker and backends know of each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_WORKER_SHARED_H
#define ROOST_WORKER_SHARED_H

#include "core/event.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"

/* What the worker is doing; next states in the comments. */
typedef enum WorkerState
{
	WORKER_STOPPED,				/* -> NO_DATABASE, NO_SLOT, STARTING */
	WORKER_NO_DATABASE,			/* -> NO_SLOT, STARTING */
	WORKER_NO_SLOT,				/* -> NO_DATABASE, STARTING */
	WORKER_STARTING,			/* -> NOT_INSTALLED, RUNNING, STANDBY, STOPPED */
	WORKER_NOT_INSTALLED,		/* -> RUNNING, STANDBY, STOPPED */
	WORKER_RUNNING,				/* -> NOT_INSTALLED, STOPPED */
	WORKER_STANDBY				/* -> NOT_INSTALLED, RUNNING, STOPPED */
} WorkerState;

/* What the fan-out has done since the worker started */
typedef struct WorkerFanout
{
	int			strategy;		/* that it follows, a TimelineStrategy */
	int			push_limit;
	int64		posts;
	int64		pulled_posts;	/* of accounts that are not pushed */
	int64		deliveries;		/* to inboxes */
	int64		spent_us;
	int64		pulled_accounts;
	int64		list_hits;		/* lists of followers, see followers.c */
	int64		list_misses;
	int64		lists;
	int64		list_bytes;
} WorkerFanout;

typedef struct WorkerShared
{
	LWLock	   *lock;			/* guards everything below but the condition */

	WorkerState state;
	int			pid;			/* of the worker, or 0 */
	int64		started_us;
	int64		turned_us;		/* end of the last turn */
	uint64		turns_begun;
	uint64		turns_done;
	uint64		turns_wanted;	/* up to here a sync waits */
	uint64		failures;		/* steps that ended in an error */
	uint64		losses;			/* times that events were lost */
	int			failing;		/* steps whose last call ended in one */
	uint64		events[ROOST_EVENT_KINDS];
	int64		batch_since_us; /* oldest event of the batch in work, or 0 */
	uint64		batches;
	int			last_batch;		/* events */
	int			max_batch;
	int64		last_delay_us;	/* from the oldest event of a batch until it
								 * was applied */
	int64		max_delay_us;
	int64		gap_us;			/* between busy turns, at least */
	int64		memory_bytes;	/* of the worker's own */
	WorkerFanout fanout;

	ConditionVariable turned;	/* broadcast at the end of a turn */
} WorkerShared;

extern WorkerShared *roost_worker_shared;

extern void roost_worker_set_state(WorkerState state);
extern const char *roost_worker_state_name(WorkerState state);

#endif							/* ROOST_WORKER_SHARED_H */
