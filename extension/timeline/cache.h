/*-------------------------------------------------------------------------
 *
 * cache.h
 *		Outboxes and inboxes in shared memory.
 *
 * An outbox holds the newest ids of one author's posts, an inbox those of the
 * accounts that one reader follows (and its own).  Both hold candidates: ids
 * of everything that any snapshot may show, deleted, hidden and uncommitted
 * posts among them.  Who reads them looks at the posts under its own snapshot.
 * What must not be missing is the other way round: a post above the floor that
 * a snapshot can see is in the ring, or in roost_pending_read().
 *
 * An inbox stands for the accounts that its reader followed when it was built.
 * It remembers the version of the reader's ROOST_STAMP_GRAPH; with another
 * version it is void.  Some followed accounts are not pushed to it; these are
 * listed in it (`pulled`) and their outboxes are merged in by who reads.
 *
 * Everything remembers roost_pending_generation() and is void under another.
 *
 *	reading		pending events, then the boxes, under the shared lock of the index
 *	building	roost_timeline_cache_begin() makes the box known, so that it gets
 *				what the worker pushes from now on; then the caller reads the
 *				index of posts without looking at their visibility (and pending
 *				events of followed accounts); roost_timeline_cache_publish() adds
 *				what it has found.
 *	pushing		the worker alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_CACHE_H
#define ROOST_TIMELINE_CACHE_H

#include "postgres.h"

#define TIMELINE_INBOX_LENGTH	800
#define TIMELINE_OUTBOX_LENGTH	96
#define TIMELINE_PULLED_MAX		64

typedef enum TimelineKind
{
	TIMELINE_OUTBOX,
	TIMELINE_INBOX
} TimelineKind;

/* A page of an inbox; ids of accounts whose outboxes belong to it */
typedef struct TimelineInbox
{
	int64		floor;			/* nothing is known at and below it */
	int			count;
	int			num_pulled;
	int64		pulled[TIMELINE_PULLED_MAX];
	int64		ids[TIMELINE_INBOX_LENGTH];
} TimelineInbox;

/* Reads up to max ids of a reader's inbox; false: there is none that is good. */
extern bool roost_timeline_cache_inbox(int64 reader_id, uint32 version, int64 before_id, int64 after_id,
									   int max, TimelineInbox *inbox);

/*
 * The newest `want` ids of many authors: a heap with the oldest on top.  Once
 * it is full nothing below its top matters.
 */
typedef struct TimelineHeap
{
	int64		before_id;		/* exclusive */
	int64		after_id;		/* exclusive */
	int			want;
	int			count;
	int64	   *ids;			/* room for want; each id once */
	int64	   *met;			/* hash table of ids (not 0) that came */
	uint32		met_mask;
	uint32		num_met;
} TimelineHeap;

extern void roost_timeline_heap_init(TimelineHeap *heap, int64 before_id, int64 after_id, int want);
extern bool roost_timeline_heap_add(TimelineHeap *heap, int64 id);	/* false: too old */
extern int	roost_timeline_heap_sort(TimelineHeap *heap);	/* newest first; count */

/* What an outbox could not say: read that author's posts below before_id. */
typedef struct TimelineRest
{
	int64		author_id;
	int64		before_id;
	bool		missing;		/* there is no outbox at all */
} TimelineRest;

/*
 * Merges the outboxes of n authors into the heap; returns how many of them
 * must be read further by index, into rest (room for n).
 */
extern int	roost_timeline_cache_merge(const int64 *author_ids, int n, TimelineHeap *heap, TimelineRest *rest);

/* Building */
typedef struct TimelineBuild
{
	TimelineKind kind;
	int64		owner_id;
	uint32		slot;
	uint32		token;
} TimelineBuild;

extern bool roost_timeline_cache_begin(TimelineKind kind, int64 owner_id, uint32 version, TimelineBuild *build);
extern bool roost_timeline_cache_publish(TimelineBuild *build, const int64 *ids, int n, int64 floor,
										 const int64 *pulled, int num_pulled);
extern void roost_timeline_cache_cancel(TimelineBuild *build);

/* How often an account reads its home timeline, and others post, per second (0: not known) */
extern double roost_timeline_cache_read_rate(int64 reader_id);
extern void roost_timeline_cache_post_rates(const int64 *author_ids, int n, double *rates);

/* How many boxes there is room for; once the settings are known */
extern int	roost_timeline_cache_room(TimelineKind kind);

/* For the worker alone */
extern int	roost_timeline_cache_push(const int64 *reader_ids, int n, int64 author_id, int64 id);
extern void roost_timeline_cache_append(int64 author_id, int64 id);
extern void roost_timeline_cache_drop(TimelineKind kind, const int64 *owner_ids, int n);
extern void roost_timeline_cache_drop_all(void);
extern void roost_timeline_cache_drop_inboxes(void);	/* cheap without any */

/* Authors who are not pushed to anybody; set by the worker, read by who builds */
extern bool roost_timeline_cache_pull_set(int64 author_id, bool pulled);	/* false: no room */
extern bool roost_timeline_cache_is_pulled(int64 author_id);
extern void roost_timeline_cache_pull_clear(void);

#endif							/* ROOST_TIMELINE_CACHE_H */
