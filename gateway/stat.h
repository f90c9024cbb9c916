/*-------------------------------------------------------------------------
 *
 * stat.h
 *		What the servers count, as part of /metrics.
 *
 *-------------------------------------------------------------------------
 */
#ifndef STAT_H
#define STAT_H

#include "request.h"

extern void stat_answer(Request *request);
extern void stat_tick(void);

#endif							/* STAT_H */
