/*-------------------------------------------------------------------------
 *
 * follow.h
 *		Following the log of events on a standby.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_FOLLOW_H
#define ROOST_FOLLOW_H

extern void roost_follow_end(void);

#endif							/* ROOST_FOLLOW_H */
