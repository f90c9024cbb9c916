/*-------------------------------------------------------------------------
 *
 * pending.h
 *		What has been committed, or is about to be, and has not reached the
 *		worker's caches.
 *
 * Whoever reads a cache that the worker fills from events asks here first:
 *
 *	1.	roost_pending_read(): events that snapshots may see and the worker has
 *		not applied: of transactions at their commit, of prepared ones, and
 *		those in the queue.
 *	2.	the cache.
 *
 * In this order nothing slips through: an event leaves the first only after
 * it has reached the second.  Events of transactions that will abort may be
 * among them, and events may come twice.  The snapshot comes before both.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_PENDING_H
#define ROOST_PENDING_H

#include "core/event.h"

#define ROOST_PENDING_UNKNOWN	(-1)

/* a set of kinds of events */
#define ROOST_EVENT_BIT(kind)	(((uint32) 1) << (kind))

/* The kinds that may be asked for. */
#define ROOST_PENDING_KINDS \
	(ROOST_EVENT_BIT(ROOST_EVENT_POST_CREATED) | ROOST_EVENT_BIT(ROOST_EVENT_POST_UPDATED) | \
	 ROOST_EVENT_BIT(ROOST_EVENT_POST_DELETED) | ROOST_EVENT_BIT(ROOST_EVENT_FOLLOW_CREATED) | \
	 ROOST_EVENT_BIT(ROOST_EVENT_FOLLOW_DELETED))

/*
 * Copies the pending events of these kinds; returns how many, or
 * ROOST_PENDING_UNKNOWN if there are more than max or some are not known.
 * Then the caller reads the tables.  Never known: in a transaction that has
 * written, on a standby, and while triggers are disabled that would tell of
 * changes.  It may look into the catalogs, so call it without a lightweight
 * lock.
 */
extern int	roost_pending_read(uint32 kinds, RoostEvent *events, int max);

/*
 * Returns an id such that every post and follow whose transaction makes its id
 * (by roost_id_next()) and inserts it, and whose event the worker has not
 * taken, has an id that is not below it: of transactions that run, are
 * prepared, or wait in the queue.  What comes later has larger ids anyway.  0
 * while nobody knows, for there are prepared transactions from before a crash.
 *
 * The worker calls it when it has taken a batch, and writes down that all
 * below is known, together with what the batch says.  If events were lost
 * meanwhile, which the generation tells if it is read afterwards, that is not
 * so.  Not promised: imported rows with old ids, ids made in an earlier
 * transaction than the row.  It may go down again.
 */
extern int64 roost_pending_horizon(void);

/*
 * Returns the generation of events: when it changes, events were lost, and
 * everything that was derived from them under another generation is void.
 * Read it after roost_pending_read(), or before you begin to derive something.
 */
extern uint64 roost_pending_generation(void);

#endif							/* ROOST_PENDING_H */
