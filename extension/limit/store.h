/*-------------------------------------------------------------------------
 *
 * store.h
 *		The shared memory of the limits, and the file that it survives in.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_LIMIT_STORE_H
#define ROOST_LIMIT_STORE_H

#include "limit/gcra.h"

#define LIMIT_COUNTERS	256

/* How often a policy has refused. */
typedef struct LimitCounter
{
	_Atomic uint64_t policy;	/* its id, or 0 */
	_Atomic uint64_t denied;
} LimitCounter;

/* The entries follow, at the next cache line. */
typedef struct LimitShared
{
	uint64		seed;			/* of the keys; set before backends exist */
	_Atomic uint64_t checks;
	_Atomic uint64_t denied;
	_Atomic uint64_t evicted;
	_Atomic int64_t dumped_us;	/* when the file was last written, or 0 */
	LimitCounter counters[LIMIT_COUNTERS];
} LimitShared;

extern LimitShared *roost_limit_shared;

extern GcraTable roost_limit_table(void);
extern void roost_limit_store_init(void);

#endif							/* ROOST_LIMIT_STORE_H */
