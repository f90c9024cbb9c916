/*-------------------------------------------------------------------------
 *
 * commit_doubt.h
 *		What a commit and prepared transactions know of each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_COMMIT_DOUBT_H
#define ROOST_COMMIT_DOUBT_H

#include "core/event.h"
#include "storage/lwlock.h"

/* An event of a transaction that goes on */
typedef struct PendingEvent
{
	RoostEvent	event;
	SubTransactionId subid;
} PendingEvent;

/* commit_doubt.c: a transaction that is about to be prepared */
extern int	roost_commit_doubt_reserve(void);
extern void roost_commit_doubt_fill(int index, TransactionId xid, const PendingEvent *events, int count, bool lost);
extern void roost_commit_doubt_prepared(int index);
extern Size roost_commit_doubt_shmem_size(void);
extern void roost_commit_doubt_shmem_init(void *area, LWLockPadded *locks, bool found);

/* commit.c: a prepared transaction that has committed */
extern void roost_commit_dispatch(const RoostEvent *event);
extern void roost_commit_dispatch_lost(void);

#endif							/* ROOST_COMMIT_DOUBT_H */
