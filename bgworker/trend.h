/*-------------------------------------------------------------------------
 *
 * trend.h
 *		The worker's step that computes trends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_WORKER_TREND_H
#define ROOST_WORKER_TREND_H

extern void roost_trend_define_gucs(void);

#endif							/* ROOST_WORKER_TREND_H */
