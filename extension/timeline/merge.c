/*-------------------------------------------------------------------------
 *
 * merge.c
 *		The newest posts of many outboxes.
 *
 * A heap keeps the newest ids, the oldest of them on top; once it is full,
 * that one is a threshold, and most outboxes have nothing above it.  So the
 * heads are looked at first, which have the newest ids; then no more outboxes
 * than ids that are wanted have others that matter.  Boxes are fetched from
 * memory in blocks, like in cache_push.c.
 *
 * An outbox knows nothing at and below its floor.  If that is above the
 * threshold in the end, the author's posts must be read from there on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/core.h"
#include "timeline/box.h"

#define MERGE_AT_ONCE	512		/* authors, under the lock */

typedef struct Merge
{
	const TimelineTable *table;
	uint64		era;
	TimelineHeap *heap;
	TimelineRest *rest;
	int			num_rest;
	int			num_missing;
} Merge;

/* An outbox that may have ids above the threshold */
typedef struct MergeBox
{
	int64		author_id;
	int64		newest;
	int			slot;
} MergeBox;

static void merge_some(Merge *merge, const int64 *author_ids, int n);
static int	merge_heads(Merge *merge, const int64 *author_ids, int n, MergeBox *boxes, int count);
static bool merge_look(const Merge *merge, int slot, int64 *newest, int64 *floor);
static void merge_ids(Merge *merge, const MergeBox *from);
static void merge_add_rest(Merge *merge, int64 author_id, int64 before_id, bool missing);
static int	merge_prune_rest(const Merge *merge);

/*
 * Returns the id that others must be above to matter.
 */
static inline int64
merge_threshold(const TimelineHeap *heap)
{
	return heap->count == heap->want && heap->want > 0 ? Max(heap->ids[0], heap->after_id) : heap->after_id;
}

int
roost_timeline_cache_merge(const int64 *author_ids, int n, TimelineHeap *heap, TimelineRest *rest)
{
	const TimelineTable *table = &roost_timeline_tables[TIMELINE_OUTBOX];
	Merge		merge = {.table = table,.heap = heap,.rest = rest};

	if (!roost_core_is_home())
	{
		/* in another database there is nothing in it */
		for (int i = 0; i < n; i++)
			merge_add_rest(&merge, author_ids[i], heap->before_id, true);
		return merge.num_rest;
	}

	for (int from = 0; from < n; from += MERGE_AT_ONCE)
	{
		LWLockAcquire(table->lock, LW_SHARED);
		merge.era = timeline_era(table);
		merge_some(&merge, author_ids + from, Min(MERGE_AT_ONCE, n - from));
		LWLockRelease(table->lock);
	}
	timeline_count(table, TIMELINE_MISSES, merge.num_missing);
	timeline_count(table, TIMELINE_HITS, n - merge.num_missing);
	return merge_prune_rest(&merge);
}

/*
 * Merges the outboxes of some authors, under the lock.
 */
static void
merge_some(Merge *merge, const int64 *author_ids, int n)
{
	MergeBox	boxes[MERGE_AT_ONCE];
	int			count = 0;

	for (int from = 0; from < n; from += TIMELINE_BLOCK)
		count = merge_heads(merge, author_ids + from, Min(TIMELINE_BLOCK, n - from), boxes, count);

	/* at most as many as are wanted are still of interest */
	for (int i = 0; i < count; i++)
	{
		const TimelineRing *ring = &merge->table->boxes[boxes[i].slot].ring;

		if (boxes[i].newest >= merge_threshold(merge->heap))
			__builtin_prefetch(timeline_block(merge->table, boxes[i].slot) + ring->head * TIMELINE_RING_ENTRY, 0);
	}
	for (int i = 0; i < count; i++)
	{
		if (boxes[i].newest >= merge_threshold(merge->heap))
			merge_ids(merge, &boxes[i]);
	}
}

/*
 * Looks at the heads of a block of outboxes, and adds the newest id of each;
 * those that may have more are added to the boxes, whose count it returns.
 */
static int
merge_heads(Merge *merge, const int64 *author_ids, int n, MergeBox *boxes, int count)
{
	const TimelineTable *table = merge->table;
	TimelineHeap *heap = merge->heap;
	int			slots[TIMELINE_BLOCK];

	timeline_find_block(table, author_ids, n, slots);
	for (int i = 0; i < n; i++)
	{
		MergeBox	box = {.author_id = author_ids[i],.slot = slots[i]};
		int64		floor;

		if (!merge_look(merge, slots[i], &box.newest, &floor))
		{
			merge->num_missing++;
			merge_add_rest(merge, author_ids[i], heap->before_id, true);
		}
		else if (box.newest > merge_threshold(heap))
		{
			(void) roost_timeline_heap_add(heap, box.newest);
			boxes[count++] = box;
		}
		else if (floor > merge_threshold(heap))
			merge_add_rest(merge, author_ids[i], Min(heap->before_id, floor + 1), false);
	}
	return count;
}

/*
 * Looks at the head of an outbox; false: there is none that is good.
 */
static inline bool
merge_look(const Merge *merge, int slot, int64 *newest, int64 *floor)
{
	TimelineBox *box;
	TimelineLook look = {0};
	bool		good;

	if (slot == TIMELINE_NO_SLOT)
		return false;
	box = &merge->table->boxes[slot];
	do
	{
		timeline_look(box, &look);
		good = box->state == TIMELINE_READY && box->era == merge->era;
		*newest = box->ring.used > 0 ? box->ring.newest : 0;
		*floor = box->ring.floor;
	}
	while (!timeline_looked(box, &look));
	if (good && !box->referenced)
		box->referenced = true;
	return good;
}

/*
 * Adds what an outbox has above the threshold.
 */
static void
merge_ids(Merge *merge, const MergeBox *from)
{
	TimelineBox *box = &merge->table->boxes[from->slot];
	const uint8 *data = timeline_block(merge->table, from->slot);
	TimelineHeap *heap = merge->heap;
	int64		ids[TIMELINE_OUTBOX_LENGTH];
	int64		floor;
	int			count;
	TimelineLook look = {0};

	do
	{
		timeline_look(box, &look);
		floor = box->ring.floor;
		count = roost_ring_read(&box->ring, data, heap->before_id, merge_threshold(heap), ids,
								Min(heap->want, TIMELINE_OUTBOX_LENGTH));
	}
	while (!timeline_looked(box, &look));

	for (int i = 0; i < count && roost_timeline_heap_add(heap, ids[i]); i++)
		;
	if (floor > merge_threshold(heap))
		merge_add_rest(merge, from->author_id, Min(heap->before_id, floor + 1), false);
}

static void
merge_add_rest(Merge *merge, int64 author_id, int64 before_id, bool missing)
{
	TimelineRest *rest = &merge->rest[merge->num_rest++];

	rest->author_id = author_id;
	rest->before_id = before_id;
	rest->missing = missing;
}

/*
 * Leaves out of the rest what does not matter any more now that the threshold
 * is where it is; returns how many are left.
 */
static int
merge_prune_rest(const Merge *merge)
{
	int64		threshold = merge_threshold(merge->heap);
	int			kept = 0;

	for (int i = 0; i < merge->num_rest; i++)
	{
		if (merge->rest[i].missing || merge->rest[i].before_id - 1 > threshold)
			merge->rest[kept++] = merge->rest[i];
	}
	return kept;
}
