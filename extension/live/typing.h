/*-------------------------------------------------------------------------
 *
 * typing.h
 *		Who is writing something, and where.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TYPING_H
#define ROOST_TYPING_H

#include "postgres.h"

typedef struct RoostTypingStat
{
	int64		typing;			/* accounts and channels now */
	int64		swallowed;		/* starts that came too soon after another */
	int64		evicted;		/* that were ended to make room */
} RoostTypingStat;

extern void roost_typing_leave(int64 account_id, int64 now_us);
extern void roost_typing_expire(int64 now_us);
extern int64 roost_typing_due(void);
extern void roost_typing_stat(RoostTypingStat *stat);

#endif							/* ROOST_TYPING_H */
