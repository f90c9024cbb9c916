/*-------------------------------------------------------------------------
 *
 * strategy.h
 *		How home timelines come about.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_STRATEGY_H
#define ROOST_TIMELINE_STRATEGY_H

typedef enum TimelineStrategy
{
	TIMELINE_PUSH,				/* posts go into inboxes */
	TIMELINE_PULL,				/* readers merge outboxes */
	TIMELINE_HYBRID				/* those of large accounts */
} TimelineStrategy;

extern int	roost_timeline_strategy;	/* a TimelineStrategy */
extern int	roost_timeline_push_limit;	/* followers */

extern const char *roost_timeline_strategy_name(int strategy);

#endif							/* ROOST_TIMELINE_STRATEGY_H */
