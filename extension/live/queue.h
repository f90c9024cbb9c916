/*-------------------------------------------------------------------------
 *
 * queue.h
 *		The event queue: committed events on their way to the worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_QUEUE_H
#define ROOST_QUEUE_H

#include "core/event.h"
#include "storage/latch.h"

typedef struct RoostQueueStat
{
	uint64		generation;		/* times that events were lost */
	uint64		written;		/* events ever put in */
	uint64		taken;			/* events ever taken out */
	int64		oldest_us;		/* when the oldest waiting one came, or 0 */
	int			size;
} RoostQueueStat;

/* writers */
extern void roost_queue_push(const RoostEvent *events, int count);

/* the reader: the worker */
extern void roost_queue_attach(Latch *latch);
extern void roost_queue_detach(void);
extern int	roost_queue_take(RoostEvent *events, int count, uint64 *generation);
extern void roost_queue_applied(bool missed);
extern bool roost_queue_sleep(void);
extern void roost_queue_awake(void);
extern void roost_queue_wake(void);

/* everybody, see pending.h */
extern int	roost_queue_peek(uint32 kinds, RoostEvent *events, int max);
extern int64 roost_queue_lowest(void);
extern uint64 roost_queue_generation(void);

extern void roost_queue_stat(RoostQueueStat *stat);

#endif							/* ROOST_QUEUE_H */
