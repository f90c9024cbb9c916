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
 * among them, and events may come twice.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_PENDING_H
#define ROOST_PENDING_H

#include "core/event.h"

#define ROOST_PENDING_UNKNOWN	(-1)

/* a set of kinds of events */
#define ROOST_EVENT_BIT(kind)	(((uint32) 1) << (kind))

/*
 * Copies the pending events of these kinds; returns how many, or
 * ROOST_PENDING_UNKNOWN if there are more than max or some are not known.
 * Then the caller reads the tables.  A caller whose own transaction has
 * written (GetTopTransactionIdIfAny() is valid) reads the tables anyway.
 */
extern int	roost_pending_read(uint32 kinds, RoostEvent *events, int max);

/*
 * Returns an id such that events that are not applied yet, of transactions
 * that run, are prepared or wait in the queue, are about rows whose ids (made
 * by roost_id_next()) are not below it.
 */
extern int64 roost_pending_horizon(void);

/*
 * Returns the generation of events: when it changes, events were lost, and
 * everything that was derived from them under another generation is void.
 */
extern uint64 roost_pending_generation(void);

#endif							/* ROOST_PENDING_H */
