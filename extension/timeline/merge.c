/*-------------------------------------------------------------------------
 *
 * merge.c
 *		The newest posts of many outboxes.
 *
 * A heap keeps the newest ids, the oldest of them on top; once it is full,
 * that one is a threshold, and most outboxes have nothing above it.  The heads
 * of the boxes say so, hence only the others' ids are read.  Boxes are fetched
 * from memory in blocks, like in cache_push.c.
 *
 * An outbox knows nothing at and below its floor.  If that is above the
 * threshold in the end, the author's posts must be read from there on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"


#include "core/core.h"
#include "timeline/box.h"

#define MERGE_BLOCKS	8

typedef struct Merge
{
	const TimelineTable *table;
	uint64		era;
	TimelineHeap *heap;
	TimelineRest *rest;
	int			num_rest;
	int			num_missing;
} Merge;

static void merge_block(Merge *merge, const int64 *author_ids, int n);
static void merge_box(Merge *merge, int64 author_id, int slot);
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
		for (int i = 0; i < n; i++)
			merge_add_rest(&merge, author_ids[i], heap->before_id, true);
		return merge.num_rest;
	}

	for (int from = 0; from < n;)
	{
		int			end = Min(from + MERGE_BLOCKS * TIMELINE_BLOCK, n);

		LWLockAcquire(table->lock, LW_SHARED);
		merge.era = timeline_era(table);
		for (; from < end; from += TIMELINE_BLOCK)
			merge_block(&merge, author_ids + from, Min(TIMELINE_BLOCK, end - from));
		LWLockRelease(table->lock);
	}
	timeline_count(table, TIMELINE_MISSES, merge.num_missing);
	timeline_count(table, TIMELINE_HITS, n - merge.num_missing);
	return merge_prune_rest(&merge);
}

static void
merge_block(Merge *merge, const int64 *author_ids, int n)
{
	const TimelineTable *table = merge->table;
	int64		threshold = merge_threshold(merge->heap);
	uint32		homes[TIMELINE_BLOCK];
	int			slots[TIMELINE_BLOCK];

	for (int i = 0; i < n; i++)
	{
		homes[i] = timeline_home(table, author_ids[i]);
		__builtin_prefetch(&table->index[homes[i]], 0);
	}
	for (int i = 0; i < n; i++)
	{
		slots[i] = timeline_find_from(table, author_ids[i], homes[i]);
		if (slots[i] != TIMELINE_NO_SLOT)
			__builtin_prefetch(&table->boxes[slots[i]], 0);
	}
	for (int i = 0; i < n; i++)
	{
		const TimelineRing *ring;

		if (slots[i] == TIMELINE_NO_SLOT)
			continue;
		ring = &table->boxes[slots[i]].ring;
		if (ring->newest > threshold)
			__builtin_prefetch(timeline_block(table, slots[i]) + ring->head * TIMELINE_RING_ENTRY, 0);
	}
	for (int i = 0; i < n; i++)
		merge_box(merge, author_ids[i], slots[i]);
}

/*
 * Adds what an outbox has above the threshold.
 */
static void
merge_box(Merge *merge, int64 author_id, int slot)
{
	const TimelineTable *table = merge->table;
	TimelineHeap *heap = merge->heap;
	int64		threshold = merge_threshold(heap);
	int64		ids[TIMELINE_OUTBOX_LENGTH];
	int64		floor = 0;
	int			count = 0;
	bool		good = false;

	if (slot != TIMELINE_NO_SLOT)
	{
		TimelineBox *box = &table->boxes[slot];
		uint32		sequence;

		do
		{
			sequence = timeline_box_look(box);
			good = box->state == TIMELINE_READY && box->era == merge->era;
			floor = box->ring.floor;
			count = good && box->ring.newest > threshold ?
				roost_ring_read(&box->ring, timeline_block(table, slot), heap->before_id, threshold,
								ids, Min(heap->want, TIMELINE_OUTBOX_LENGTH)) : 0;
		}
		while (!timeline_box_unchanged(box, sequence));
		if (!box->referenced)
			box->referenced = true;
	}
	if (!good)
	{
		merge->num_missing++;
		merge_add_rest(merge, author_id, heap->before_id, true);
		return;
	}

	for (int i = 0; i < count && roost_timeline_heap_add(heap, ids[i]); i++)
		;
	if (floor > merge_threshold(heap))
		merge_add_rest(merge, author_id, Min(heap->before_id, floor + 1), false);
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
