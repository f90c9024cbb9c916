/*-------------------------------------------------------------------------
 *
 * heap.c
 *		The newest ids of those that are given to it, each once.
 *
 * A binary heap with the oldest on top.  Ids that are in it, or have been, are
 * also in a hash table, so that one that is given twice is found at once; what
 * has fallen out of the heap is too old to come in again.  The table has four
 * places for each that is wanted, and is made anew when half full.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "timeline/cache.h"

static bool heap_meets(TimelineHeap *heap, int64 id);
static int	id_compare_newest(const void *a, const void *b);

/*
 * Begins a heap for the newest `want` ids between the two.
 */
void
roost_timeline_heap_init(TimelineHeap *heap, int64 before_id, int64 after_id, int want)
{
	uint32		places = pg_nextpower2_32(Max(want, 2) * 4);

	heap->before_id = before_id;
	heap->after_id = after_id;
	heap->want = want;
	heap->count = 0;
	heap->ids = palloc(want * sizeof(int64));
	heap->met = palloc0(places * sizeof(int64));
	heap->met_mask = places - 1;
	heap->num_met = 0;
}

/*
 * Takes an id; returns false if it is too old, as all older ones are.
 */
bool
roost_timeline_heap_add(TimelineHeap *heap, int64 id)
{
	int64	   *ids = heap->ids;
	int			hole;

	if (id >= heap->before_id)
		return true;
	if (id <= heap->after_id || (heap->count == heap->want && (heap->want == 0 || id <= ids[0])))
		return false;
	if (heap_meets(heap, id))
		return true;

	if (heap->count < heap->want)
	{
		for (hole = heap->count++; hole > 0 && ids[(hole - 1) / 2] > id; hole = (hole - 1) / 2)
			ids[hole] = ids[(hole - 1) / 2];
		ids[hole] = id;
		return true;
	}
	hole = 0;
	for (int child = 1; child < heap->count; child = 2 * hole + 1)
	{
		if (child + 1 < heap->count && ids[child + 1] < ids[child])
			child++;
		if (ids[child] >= id)
			break;
		ids[hole] = ids[child];
		hole = child;
	}
	ids[hole] = id;
	return true;
}

/*
 * Puts the ids in order, newest first; returns how many there are.
 */
int
roost_timeline_heap_sort(TimelineHeap *heap)
{
	qsort(heap->ids, heap->count, sizeof(int64), id_compare_newest);
	return heap->count;
}

/*
 * Remembers an id; returns whether it was known.
 */
static bool
heap_meets(TimelineHeap *heap, int64 id)
{
	uint32		place = (uint32) (((uint64) id * UINT64CONST(0x9E3779B97F4A7C15)) >> 32) & heap->met_mask;

	while (heap->met[place] != 0)
	{
		if (heap->met[place] == id)
			return true;
		place = (place + 1) & heap->met_mask;
	}
	heap->met[place] = id;
	if (++heap->num_met > heap->met_mask / 2)
	{
		memset(heap->met, 0, (heap->met_mask + 1) * sizeof(int64));
		heap->num_met = 0;
		for (int i = 0; i < heap->count; i++)
			(void) heap_meets(heap, heap->ids[i]);
		(void) heap_meets(heap, id);
	}
	return false;
}

static int
id_compare_newest(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? 1 : x > y ? -1 : 0;
}
