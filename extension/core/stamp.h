/*-------------------------------------------------------------------------
 *
 * stamp.h
 *		Versions of what others keep copies of, and whether a snapshot sees
 *		the newest one.
 *
 * A cache of committed rows is exact when three things hold: nobody is about
 * to commit a change of them, the reader's snapshot sees every change that
 * was committed, and the copy was made from that state.  A stamp answers the
 * first two and numbers the third:
 *
 *	1.	version = roost_stamp_read(...); false: read the tables instead.
 *	2.	A copy that remembers this version is good for this snapshot.
 *	3.	A copy made now, under this snapshot, may be kept with this version.
 *
 * Who changes such rows calls roost_stamp_touch() in its transaction, before
 * or after the change.  Before the transaction commits (or is prepared) every
 * touched stamp is marked, so that step 1 fails from before the change can be
 * seen until all that follows from the commit is done; then its version goes
 * up and it remembers which transactions a snapshot must see.
 *
 * Step 1 wants a snapshot that was taken before the call, and fails in a
 * transaction that has written (its snapshot shows what is not committed), in
 * a serializable one, on a standby, and while triggers are disabled that would
 * tell of changes (core/guard.h).  It may look into the catalogs, so call it
 * without a lightweight lock.
 *
 * What did not exist has no stamp that its creation touches: keep copies of
 * rows that are there, not the news that there are none.
 *
 * Stamps are hashed: two things may share one, which costs a needless miss
 * and never a wrong hit.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_STAMP_H
#define ROOST_STAMP_H

#include "utils/snapshot.h"

typedef enum RoostStampKind
{
	ROOST_STAMP_GRAPH,			/* whom an account follows */
	ROOST_STAMP_POST,			/* a post's row */
	ROOST_STAMP_COUNT,			/* a post's counters, which change far more
								 * often */
	ROOST_STAMP_ACCOUNT,		/* an account's row */
	ROOST_STAMP_VIEWER,			/* whom an account has blocked or muted, who
								 * has blocked it, and its muted words */
	ROOST_STAMP_MEMBER,			/* in which conversations an account is, and
								 * what it has set for them */
	ROOST_STAMP_CONVERSATION,	/* a conversation's newest message */
	ROOST_STAMP_KINDS
} RoostStampKind;

extern void roost_stamp_touch(RoostStampKind kind, int64 id);
extern void roost_stamp_touch_all(void);
extern void roost_stamp_prefetch(RoostStampKind kind, int64 id);
extern bool roost_stamp_read(RoostStampKind kind, int64 id, Snapshot snapshot, uint32 *version);

/* For commit.c: the stamps of a transaction, by number, or as many as there are. */
#define ROOST_STAMP_ALL		(-1)

extern int	roost_stamp_touched(const uint32 **numbers);
extern void roost_stamp_mark(bool closed);
extern void roost_stamp_mark_all(void);
extern void roost_stamp_end(bool committed);
extern void roost_stamp_forget(void);
extern void roost_stamp_release(const uint32 *numbers, int count, bool committed);

#endif							/* ROOST_STAMP_H */
