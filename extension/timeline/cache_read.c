/*-------------------------------------------------------------------------
 *
 * cache_read.c
 *		Outboxes and inboxes: a page of an inbox, and how often things happen.
 *
 * Under the shared lock a box stays its owner's, but the worker may push to it
 * meanwhile, or its builder publish.  So what was read counts only if the box
 * is unchanged after it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "core/clock.h"
#include "core/core.h"
#include "core/id.h"
#include "timeline/box.h"

#define READS_WINDOW_S	(2 * 86400) /* reads longer ago count less */
#define POSTS_LOOKED_AT	16

static bool read_inbox(const TimelineTable *table, int slot, uint32 version, int64 before_id, int64 after_id,
					   int max, TimelineInbox *inbox);
static void read_count(TimelineOwner *owner);
static uint32 read_seconds(void);
static void read_post_rates(const TimelineTable *table, int64 now, const int64 *author_ids, int n, double *rates);
static double read_post_rate(const TimelineTable *table, int slot, uint64 era, int64 now);

bool
roost_timeline_cache_inbox(int64 reader_id, uint32 version, int64 before_id, int64 after_id,
						   int max, TimelineInbox *inbox)
{
	const TimelineTable *table = &roost_timeline_tables[TIMELINE_INBOX];
	bool		good = false;
	int			slot;

	if (!roost_core_is_home())
		return false;

	LWLockAcquire(table->lock, LW_SHARED);
	slot = timeline_find(table, reader_id);
	if (slot != TIMELINE_NO_SLOT)
	{
		__builtin_prefetch(timeline_owner(table, slot), 1);
		good = read_inbox(table, slot, version, before_id, after_id, Min(max, TIMELINE_INBOX_LENGTH), inbox);
		if (!table->boxes[slot].referenced)
			table->boxes[slot].referenced = true;
		read_count(timeline_owner(table, slot));
	}
	LWLockRelease(table->lock);
	timeline_count(table, good ? TIMELINE_HITS : TIMELINE_MISSES, 1);
	return good;
}

/*
 * Reads a page of a box; false: it is void, or not ready.
 */
static bool
read_inbox(const TimelineTable *table, int slot, uint32 version, int64 before_id, int64 after_id,
		   int max, TimelineInbox *inbox)
{
	TimelineBox *box = &table->boxes[slot];
	uint64		era = timeline_era(table);
	TimelineLook look = {0};
	bool		good;

	do
	{
		timeline_look(box, &look);
		good = box->state == TIMELINE_READY && box->era == era && box->version == version;
		if (!good)
			continue;
		inbox->floor = box->ring.floor;
		inbox->num_pulled = Min(box->num_pulled, TIMELINE_PULLED_MAX);
		for (int i = 0; i < inbox->num_pulled; i++)
			inbox->pulled[i] = timeline_pulled(table, slot, inbox->num_pulled)[i];
		inbox->count = roost_ring_read(&box->ring, timeline_block(table, slot), before_id, after_id, inbox->ids, max);
	}
	while (!timeline_looked(box, &look));
	return good;
}

/*
 * Remembers that a timeline was read.  Two readers at once may count as one.
 */
static void
read_count(TimelineOwner *owner)
{
	uint32		now = read_seconds();

	if (owner->reads == 0)
		owner->reads_since = now;
	else if (now - owner->reads_since > READS_WINDOW_S)
	{
		/* forget half of it, so that the rate follows habits */
		owner->reads /= 2;
		owner->reads_since = now - (now - owner->reads_since) / 2;
	}
	owner->reads++;
}

/*
 * Returns when the statement began, which costs nothing to know.
 */
static uint32
read_seconds(void)
{
	return (uint32) (roost_clock_from_timestamp(GetCurrentStatementStartTimestamp()) / USECS_PER_SEC);
}

/*
 * Returns how often an account reads its home timeline, per second; 0: unknown.
 */
double
roost_timeline_cache_read_rate(int64 reader_id)
{
	const TimelineTable *table = &roost_timeline_tables[TIMELINE_INBOX];
	uint32		now = (uint32) (roost_clock_ms() / 1000);
	double		rate = 0;
	int			slot;

	LWLockAcquire(table->lock, LW_SHARED);
	slot = timeline_find(table, reader_id);
	if (slot != TIMELINE_NO_SLOT)
	{
		const TimelineOwner *owner = timeline_owner(table, slot);

		/* the first read began the time */
		if (owner->reads > 1)
			rate = (owner->reads - 1) / (double) Max((int64) now - owner->reads_since, 1);
	}
	LWLockRelease(table->lock);
	return rate;
}

/*
 * Says how often accounts post, per second; 0: unknown.  Boxes are fetched from
 * memory in blocks, like in cache_push.c.
 */
void
roost_timeline_cache_post_rates(const int64 *author_ids, int n, double *rates)
{
	const TimelineTable *table = &roost_timeline_tables[TIMELINE_OUTBOX];
	int64		now = roost_clock_ms();

	for (int from = 0; from < n; from += TIMELINE_BLOCK)
	{
		LWLockAcquire(table->lock, LW_SHARED);
		read_post_rates(table, now, author_ids + from, Min(TIMELINE_BLOCK, n - from), rates + from);
		LWLockRelease(table->lock);
	}
}

static void
read_post_rates(const TimelineTable *table, int64 now, const int64 *author_ids, int n, double *rates)
{
	uint64		era = timeline_era(table);
	int			slots[TIMELINE_BLOCK];

	timeline_find_block(table, author_ids, n, slots);
	for (int i = 0; i < n; i++)
	{
		if (slots[i] != TIMELINE_NO_SLOT)
			__builtin_prefetch(timeline_block(table, slots[i]) + table->boxes[slots[i]].ring.head * TIMELINE_RING_ENTRY, 0);
	}
	for (int i = 0; i < n; i++)
		rates[i] = slots[i] == TIMELINE_NO_SLOT ? 0 : read_post_rate(table, slots[i], era, now);
}

static double
read_post_rate(const TimelineTable *table, int slot, uint64 era, int64 now)
{
	TimelineBox *box = &table->boxes[slot];
	int64		ids[POSTS_LOOKED_AT];
	int			count;
	TimelineLook look = {0};

	do
	{
		timeline_look(box, &look);
		count = box->state == TIMELINE_READY && box->era == era ?
			roost_ring_read(&box->ring, timeline_block(table, slot), PG_INT64_MAX, 0, ids, POSTS_LOOKED_AT) : 0;
	}
	while (!timeline_looked(box, &look));

	if (count < 2)
		return 0;
	/* the oldest of them began the time */
	return (count - 1) * 1000.0 / (double) Max(now - roost_id_ms(ids[count - 1]), 1);
}
