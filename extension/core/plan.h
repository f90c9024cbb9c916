/*-------------------------------------------------------------------------
 *
 * plan.h
 *		Statements that a backend prepares once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_PLAN_H
#define ROOST_PLAN_H

#include "executor/spi.h"

extern SPIPlanPtr roost_plan_keep(SPIPlanPtr *plan, const char *sql, int nargs, Oid *types);

#endif							/* ROOST_PLAN_H */
