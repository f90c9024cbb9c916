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
	TIMELINE_PUSH,				/* every post is put into its readers' inboxes */
	TIMELINE_PULL,				/* readers merge outboxes; there are no inboxes */
	TIMELINE_HYBRID				/* readers merge the outboxes of large accounts */
} TimelineStrategy;

extern int	roost_timeline_strategy;	/* a TimelineStrategy */
extern int	roost_timeline_push_limit;	/* followers */

#endif							/* ROOST_TIMELINE_STRATEGY_H */
