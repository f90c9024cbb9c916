/*-------------------------------------------------------------------------
 *
 * guard.h
 *		Whether the triggers are there that tell caches of changes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_GUARD_H
#define ROOST_GUARD_H

extern bool roost_guard_good;

extern bool roost_guard_check(void);

/*
 * Returns whether every change of rows is announced.  Call it in a transaction
 * of roost's database that has not written, without a lightweight lock: it may
 * look into the catalogs.
 */
static inline bool
roost_guard_holds(void)
{
	return roost_guard_good || roost_guard_check();
}

#endif							/* ROOST_GUARD_H */
