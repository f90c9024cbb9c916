/*-------------------------------------------------------------------------
 *
 * build.h
 *		Building outboxes and inboxes, on the way of a read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_BUILD_H
#define ROOST_TIMELINE_BUILD_H

#include "timeline/cache.h"
#include "timeline/candidates.h"

/*
 * Builds the reader's inbox, whose graph has the version, unless it is better
 * off without one or what is pending forbids it; returns false then.  `keep`
 * says that it is never better off without.  What it has read, at least `want`
 * ids if there are as many, is in `inbox`, even if the inbox was lost again
 * meanwhile; `pending` is what was pending before that.
 */
extern bool roost_timeline_build_inbox(TimelineCandidates *c, uint32 version, bool keep, int want,
									   TimelinePending *pending, TimelineInbox *inbox);

/*
 * Builds the outbox of an author that has none, and puts its posts into the
 * heap; `rest` is then what is left to read.
 */
extern void roost_timeline_build_outbox(PostReader *reader, TimelineHeap *heap, TimelineRest *rest);

#endif							/* ROOST_TIMELINE_BUILD_H */
