/*-------------------------------------------------------------------------
 *
 * home.h
 *		One page of a home timeline, or of the timeline of a list.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_HOME_H
#define ROOST_TIMELINE_HOME_H

#include "post/page.h"
#include "timeline/newest.h"

/*
 * Fills in the ids of at most `limit` entries between the two ids (exclusive),
 * newest first; returns how many.  The page's viewer is the reader, and it has
 * looked up every post that the entries show.
 */
extern int	roost_timeline_home_page(RoostPage *page, int64 reader_id, int limit, int64 before_id, int64 after_id,
									 TimelineReplies replies, bool own, int64 *ids);

/* The same of what n accounts post, whose ids are sorted. */
extern int	roost_timeline_list_page(RoostPage *page, int64 reader_id, const int64 *member_ids, int n, int limit,
									 int64 before_id, int64 after_id, TimelineReplies replies, int64 *ids);

#endif							/* ROOST_TIMELINE_HOME_H */
