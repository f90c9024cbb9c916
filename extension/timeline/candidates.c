/*-------------------------------------------------------------------------
 *
 * candidates.c
 *		The ids that may belong on a reader's home timeline, newest first.
 *
 * Read from the tables: whom the reader follows under the active snapshot,
 * then the newest posts of these, by the index of posts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "timeline/candidates.h"

static int	candidates_table(TimelineCandidates *c, int want, int64 *ids);
static int	candidates_take(TimelineCandidates *c, TimelineHeap *heap, int64 *ids);
static void candidates_authors(TimelineCandidates *c, int64 **authors, int *n);

/*
 * Begins to read under the active snapshot.
 */
void
roost_timeline_candidates_begin(TimelineCandidates *c)
{
	roost_post_reader_begin(&c->reader);
	c->authors = NULL;
	c->num_authors = 0;
	c->done = c->before_id <= c->after_id;
}

void
roost_timeline_candidates_end(TimelineCandidates *c)
{
	roost_post_reader_end(&c->reader);
}

/*
 * Returns how many ids it has put into `ids`: about `want` of them, at most
 * `room`.  If these are not all, c->done stays false.
 */
int
roost_timeline_candidates_next(TimelineCandidates *c, int want, int room, int64 *ids)
{
	return candidates_table(c, want, ids);
}

/*
 * Reads from the tables.
 */
static int
candidates_table(TimelineCandidates *c, int want, int64 *ids)
{
	TimelineHeap heap;
	int64	   *authors;
	int			n;

	roost_timeline_heap_init(&heap, c->before_id, c->after_id, want);
	candidates_authors(c, &authors, &n);
	for (int i = 0; i < n; i++)
		roost_timeline_newest_read(&c->reader, authors[i], c->before_id, &heap, c->wants, c->wants_arg);
	return candidates_take(c, &heap, ids);
}

/*
 * Takes the ids out of a heap that has seen all there is; what comes next is
 * older than they.
 */
static int
candidates_take(TimelineCandidates *c, TimelineHeap *heap, int64 *ids)
{
	int			n = roost_timeline_heap_sort(heap);

	memcpy(ids, heap->ids, n * sizeof(int64));
	pfree(heap->ids);
	c->done = n < heap->want;
	if (!c->done)
		c->before_id = ids[n - 1];
	return n;
}

/*
 * Finds out whose posts belong on the timeline.
 */
static void
candidates_authors(TimelineCandidates *c, int64 **authors, int *n)
{
	if (c->authors == NULL)
	{
		c->authors = palloc(sizeof(int64));
		c->authors[0] = c->reader_id;
		c->num_authors = 1;
		c->authors = roost_post_read_followees(&c->reader, c->reader_id, c->authors, &c->num_authors);
	}
	*authors = c->authors + (c->own ? 0 : 1);
	*n = c->num_authors - (c->own ? 0 : 1);
}
