/*-------------------------------------------------------------------------
 *
 * newest.h
 *		The newest posts of authors, by the index of their posts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_NEWEST_H
#define ROOST_TIMELINE_NEWEST_H

#include "post/read.h"
#include "timeline/cache.h"

/* Which replies a timeline shows */
typedef enum TimelineReplies
{
	TIMELINE_REPLIES_FOLLOWING, /* those to accounts that the reader knows */
	TIMELINE_REPLIES_ALL,
	TIMELINE_REPLIES_NONE
} TimelineReplies;

/* Returns whether a reply to the account is wanted. */
typedef bool (*TimelineWants) (void *arg, int64 reply_to_account_id);

extern TimelineReplies roost_timeline_replies(Oid value);
extern void roost_timeline_newest_read(PostReader *reader, int64 author_id, int64 before_id, TimelineHeap *heap,
									   TimelineWants wants, void *arg);
extern void roost_timeline_newest_raw(PostReader *reader, int64 author_id, int64 before_id, TimelineHeap *heap);

#endif							/* ROOST_TIMELINE_NEWEST_H */
