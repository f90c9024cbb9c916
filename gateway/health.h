/*-------------------------------------------------------------------------
 *
 * health.h
 *		/health and /metrics.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HEALTH_H
#define HEALTH_H

#include "request.h"

extern void health_start(void);
extern void health_tick(void);
extern void health_reload(void);
extern bool health_answer(Request *request, const char *path);

#endif							/* HEALTH_H */
