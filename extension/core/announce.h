/*-------------------------------------------------------------------------
 *
 * announce.h
 *		What each backend is about to commit, for others to see.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_ANNOUNCE_H
#define ROOST_ANNOUNCE_H

#include "core/event.h"

/* Events of the transaction that this backend commits: fill, publish, retract. */
extern void roost_announce_begin(void);
extern void roost_announce_add(const RoostEvent *event);
extern void roost_announce_overflow(void);
extern void roost_announce_publish(void);
extern void roost_announce_retract(void);

/* A lower bound of the ids that this backend's transaction has made, or 0. */
extern void roost_announce_hold(int64 id);
extern int64 roost_announce_held(void);
extern void roost_announce_let_go(void);

/* For readers: copies events (-1: some are not known), the lowest bound held (0: none). */
extern int	roost_announce_read(uint32 kinds, RoostEvent *events, int max);
extern int64 roost_announce_lowest(void);

#endif							/* ROOST_ANNOUNCE_H */
