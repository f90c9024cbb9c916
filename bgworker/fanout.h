/*-------------------------------------------------------------------------
 *
 * fanout.h
 *		From events to outboxes and inboxes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_FANOUT_H
#define ROOST_FANOUT_H

#include "core/event.h"

/*
 * Applies events to the caches, in the worker, in a transaction with an active
 * snapshot that was taken after the events were received.  (NULL, 0): an
 * unknown number of them has been lost.  After an error nothing is known any
 * more: call roost_fanout_skip(), and (NULL, 0) before the next events.
 */
extern void roost_fanout_apply(const RoostEvent *events, int count);
extern void roost_fanout_skip(void);

#endif							/* ROOST_FANOUT_H */
