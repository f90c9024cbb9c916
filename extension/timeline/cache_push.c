/*-------------------------------------------------------------------------
 *
 * cache_push.c
 *		Outboxes and inboxes: what the worker puts into them.
 *
 * A delivery waits for memory three times, and does next to nothing in
 * between: the index, the head of the box, the place in its block.  So boxes
 * are treated in blocks, one access of all of them after the other, each
 * fetched ahead; the waits then overlap.  The lock is taken for a few blocks
 * at a time, so that builders need not wait long.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "timeline/box.h"

#define PUSH_BLOCKS	4

static int	push_block(const TimelineTable *table, uint64 era, const int64 *reader_ids, int n, int64 author_id, int64 id);
static bool push_one(const TimelineTable *table, int slot, int64 author_id, int64 id);
static bool push_is_pulled(const TimelineTable *table, int slot, int64 author_id);

/*
 * Puts a post into the inboxes of these readers, as far as they have one and
 * do not pull its author; returns how many took it.
 */
int
roost_timeline_cache_push(const int64 *reader_ids, int n, int64 author_id, int64 id)
{
	const TimelineTable *table = &roost_timeline_tables[TIMELINE_INBOX];
	int			taken = 0;

	for (int from = 0; from < n;)
	{
		int			end = Min(from + PUSH_BLOCKS * TIMELINE_BLOCK, n);
		uint64		era;

		LWLockAcquire(table->lock, LW_SHARED);
		era = timeline_era(table);
		for (; from < end; from += TIMELINE_BLOCK)
			taken += push_block(table, era, reader_ids + from, Min(TIMELINE_BLOCK, end - from), author_id, id);
		LWLockRelease(table->lock);
	}
	timeline_count(table, TIMELINE_DELIVERIES, taken);
	timeline_count(table, TIMELINE_UNDELIVERED, n - taken);
	return taken;
}

static int
push_block(const TimelineTable *table, uint64 era, const int64 *reader_ids, int n, int64 author_id, int64 id)
{
	uint32		homes[TIMELINE_BLOCK];
	int			slots[TIMELINE_BLOCK];
	int			found = 0;
	int			good = 0;
	int			taken = 0;

	for (int i = 0; i < n; i++)
	{
		homes[i] = timeline_home(table, reader_ids[i]);
		__builtin_prefetch(&table->index[homes[i]], 0);
	}
	for (int i = 0; i < n; i++)
	{
		int			slot = timeline_find_from(table, reader_ids[i], homes[i]);

		if (slot == TIMELINE_NO_SLOT)
			continue;
		__builtin_prefetch(&table->boxes[slot], 1);
		slots[found++] = slot;
	}
	for (int i = 0; i < found; i++)
	{
		const TimelineBox *box = &table->boxes[slots[i]];

		if (box->era != era)
			continue;
		__builtin_prefetch(timeline_block(table, slots[i]) + (box->ring.head + 1) * TIMELINE_RING_ENTRY, 1);
		slots[good++] = slots[i];
	}
	for (int i = 0; i < good; i++)
		taken += push_one(table, slots[i], author_id, id);
	return taken;
}

/*
 * Puts a post into one box that is in the index.
 */
static inline bool
push_one(const TimelineTable *table, int slot, int64 author_id, int64 id)
{
	TimelineBox *box = &table->boxes[slot];
	bool		taken;

	timeline_box_lock(box);
	if (unlikely((box->pulled_mask & timeline_pulled_bit(author_id)) != 0) && push_is_pulled(table, slot, author_id))
		taken = false;
	else
		taken = roost_ring_push(&box->ring, timeline_block(table, slot), id);
	timeline_box_unlock(box);
	return taken;
}

/*
 * Returns whether an inbox's reader pulls this author.
 */
static bool
push_is_pulled(const TimelineTable *table, int slot, int64 author_id)
{
	int			n = table->boxes[slot].num_pulled;
	const int64 *pulled = timeline_pulled(table, slot, n);

	for (int i = 0; i < n; i++)
	{
		if (pulled[i] == author_id)
			return true;
	}
	return false;
}

/*
 * Puts a post into its author's outbox, if there is one.
 */
void
roost_timeline_cache_append(int64 author_id, int64 id)
{
	const TimelineTable *table = &roost_timeline_tables[TIMELINE_OUTBOX];
	bool		taken = false;
	int			slot;

	LWLockAcquire(table->lock, LW_SHARED);
	slot = timeline_find(table, author_id);
	if (slot != TIMELINE_NO_SLOT && table->boxes[slot].era == timeline_era(table))
		taken = push_one(table, slot, author_id, id);
	LWLockRelease(table->lock);
	timeline_count(table, taken ? TIMELINE_DELIVERIES : TIMELINE_UNDELIVERED, 1);
}
