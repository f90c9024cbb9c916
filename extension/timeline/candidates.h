/*-------------------------------------------------------------------------
 *
 * candidates.h
 *		The ids that may belong on a reader's home timeline, or on that of a
 *		list of accounts, newest first.
 *
 * All that the active snapshot may show is among them; so is what it does not
 * see or the reader may not see.  Whoever takes them looks at the posts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_CANDIDATES_H
#define ROOST_TIMELINE_CANDIDATES_H

#include "post/read.h"
#include "timeline/newest.h"

/* more pending posts than these send readers to the tables */
#define TIMELINE_PENDING_MAX	256

typedef struct TimelineCandidates
{
	/* filled in by the caller */
	int64		reader_id;
	bool		own;			/* the reader's own posts, too */
	const int64 *members;		/* sorted: their posts, not those of whom the
								 * reader follows; or NULL */
	int			num_members;
	int64		before_id;		/* exclusive; moves on with what is returned */
	int64		after_id;		/* exclusive */
	TimelineWants wants;		/* NULL, or which replies need not be left out */
	void	   *wants_arg;

	bool		done;			/* there are no more */

	/* private */
	PostReader	reader;
	int64	   *authors;		/* the reader, then whom it follows, or the
								 * members; NULL: not read */
	int			num_authors;
} TimelineCandidates;

/* What is pending for a reader */
typedef struct TimelinePending
{
	bool		graph;			/* whom it follows is changing */
	int			count;			/* posts of those it follows, and its own */
	int64		ids[TIMELINE_PENDING_MAX];
} TimelinePending;

extern void roost_timeline_candidates_begin(TimelineCandidates *c);
extern int	roost_timeline_candidates_next(TimelineCandidates *c, int want, int room, int64 *ids);
extern void roost_timeline_candidates_end(TimelineCandidates *c);

/* Returns whether an id is among n sorted ones. */
extern bool roost_timeline_is_among(int64 id, const int64 *ids, int n);

/* for build.c */
extern void roost_timeline_candidates_authors(TimelineCandidates *c);
extern bool roost_timeline_candidates_pending(TimelineCandidates *c, TimelinePending *pending);
extern void roost_timeline_candidates_merge(TimelineCandidates *c, const int64 *authors, int n,
											TimelineHeap *heap, bool raw);

#endif							/* ROOST_TIMELINE_CANDIDATES_H */
