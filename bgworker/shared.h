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
	uint64		events[ROOST_EVENT_KINDS];

	ConditionVariable turned;	/* broadcast at the end of a turn */
} WorkerShared;

extern WorkerShared *roost_worker_shared;

extern void roost_worker_set_state(WorkerState state);
extern const char *roost_worker_state_name(WorkerState state);

#endif							/* ROOST_WORKER_SHARED_H */
