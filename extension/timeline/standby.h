/*-------------------------------------------------------------------------
 *
 * standby.h
 *		On a standby: what its caches lack, and whom a reader follows.
 *
 * There are no events on a standby.  What takes their place, for snapshots
 * that were taken during recovery (snapshot->takenDuringRecovery):
 *
 *	roost_pending_read()	roost_standby_pending()
 *	roost_stamp_read()		roost_standby_version(), and after an inbox was
 *							read or built roost_standby_confirm(): false, it
 *							may not be used.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_STANDBY_H
#define ROOST_TIMELINE_STANDBY_H

#include "core/event.h"
#include "post/read.h"

extern int	roost_standby_pending(PostReader *reader, RoostEvent *events, int max);
extern bool roost_standby_version(PostReader *reader, int64 reader_id, uint32 *version);
extern bool roost_standby_confirm(void);

/* For the worker alone */
typedef struct StandbyProgress
{
	bool		following;
	int64		epoch;
	int64		applied_seq;	/* the last row of the log that was applied */
	int64		horizon;		/* all posts below it were applied */
} StandbyProgress;

extern void roost_standby_progress(StandbyProgress *progress);
extern void roost_standby_publish(const StandbyProgress *progress);
extern void roost_standby_begin_batch(Snapshot snapshot);
extern void roost_standby_forget(int64 reader_id);
extern void roost_standby_stop(void);

#endif							/* ROOST_TIMELINE_STANDBY_H */
