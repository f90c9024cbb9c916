/*-------------------------------------------------------------------------
 *
 * candidates.h
 *		The ids that may belong on a reader's home timeline, newest first.
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

typedef struct TimelineCandidates
{
	/* filled in by the caller */
	int64		reader_id;
	bool		own;			/* the reader's own posts, too */
	int64		before_id;		/* exclusive; moves on with what is returned */
	int64		after_id;		/* exclusive */
	TimelineWants wants;		/* NULL, or which replies need not be left out */
	void	   *wants_arg;

	bool		done;			/* there are no more */

	/* private */
	PostReader	reader;
	int64	   *authors;		/* the reader, then whom it follows; NULL: not
								 * read */
	int			num_authors;
} TimelineCandidates;

extern void roost_timeline_candidates_begin(TimelineCandidates *c);
extern int	roost_timeline_candidates_next(TimelineCandidates *c, int want, int room, int64 *ids);
extern void roost_timeline_candidates_end(TimelineCandidates *c);

#endif							/* ROOST_TIMELINE_CANDIDATES_H */
