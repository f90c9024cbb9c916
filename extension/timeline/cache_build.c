/*-------------------------------------------------------------------------
 *
 * cache_build.c
 *		Outboxes and inboxes: how they come about.
 *
 *		missing -> building -> ready -> missing
 *
 * A box is entered into the index before its builder reads the tables, so that
 * it takes what is pushed from then on.  Its token says whose building it is:
 * a box that begins anew is empty and has another one, so a builder whose box
 * was dropped, evicted or begun by somebody else can no longer publish.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/clock.h"
#include "core/core.h"
#include "timeline/box.h"

static bool build_is_wanted(const TimelineTable *table, int slot, uint32 version, uint64 era);
static void build_restart(TimelineTable *table, int slot, uint32 version, uint64 era);
static bool build_is_mine(const TimelineTable *table, const TimelineBuild *build);
static void build_fill(TimelineTable *table, int slot, const int64 *ids, int n, int64 floor,
					   const int64 *pulled, int num_pulled);

/*
 * Begins to build a box; false: there is a good one, somebody else is at it,
 * or there is no memory that could be spared.
 */
bool
roost_timeline_cache_begin(TimelineKind kind, int64 owner_id, uint32 version, TimelineBuild *build)
{
	TimelineTable *table = &roost_timeline_tables[kind];
	bool		wanted = false;
	int			slot;

	if (!roost_core_is_home())
		return false;

	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	slot = timeline_find(table, owner_id);
	if (slot == TIMELINE_NO_SLOT)
	{
		slot = roost_timeline_table_enter(table, owner_id);
		wanted = slot != TIMELINE_NO_SLOT;
	}
	else
		wanted = build_is_wanted(table, slot, version, timeline_era(table));
	if (wanted)
	{
		build_restart(table, slot, version, timeline_era(table));
		build->kind = kind;
		build->owner_id = owner_id;
		build->slot = slot;
		build->token = table->boxes[slot].token;
	}
	LWLockRelease(table->lock);
	return wanted;
}

/*
 * Returns whether a box is void, or left by its builder.
 */
static bool
build_is_wanted(const TimelineTable *table, int slot, uint32 version, uint64 era)
{
	const TimelineBox *box = &table->boxes[slot];

	if (box->era != era || box->version != version)
		return true;
	return box->state == TIMELINE_BUILDING && roost_timeline_box_is_stale(table, slot);
}

/*
 * Makes a box an empty one that is being built.  The exclusive lock keeps
 * everybody else away.
 */
static void
build_restart(TimelineTable *table, int slot, uint32 version, uint64 era)
{
	TimelineBox *box = &table->boxes[slot];

	box->token++;
	box->version = version;
	box->state = TIMELINE_BUILDING;
	box->num_pulled = 0;
	box->pulled_mask = 0;
	box->era = era;
	roost_ring_init(&box->ring, table->length, 0);
	timeline_owner(table, slot)->began_ms = roost_clock_ms();
}

/*
 * Adds what the builder has found, newest first, complete above the floor (0:
 * there are no more), and shows the box to readers; false: it is no longer the
 * builder's.  The pulled authors are those whose posts are not pushed to it.
 */
bool
roost_timeline_cache_publish(TimelineBuild *build, const int64 *ids, int n, int64 floor,
							 const int64 *pulled, int num_pulled)
{
	TimelineTable *table = &roost_timeline_tables[build->kind];
	TimelineBox *box = &table->boxes[build->slot];
	bool		mine;

	Assert(num_pulled >= 0 && num_pulled <= (build->kind == TIMELINE_INBOX ? TIMELINE_PULLED_MAX : 0));

	LWLockAcquire(table->lock, LW_SHARED);
	mine = build_is_mine(table, build) && box->era == timeline_era(table);
	if (mine)
	{
		timeline_box_lock(box);
		build_fill(table, build->slot, ids, n, floor, pulled, num_pulled);
		box->state = TIMELINE_READY;
		timeline_box_unlock(box);
	}
	LWLockRelease(table->lock);
	timeline_count(table, mine ? TIMELINE_BUILDS : TIMELINE_BUILDS_FAILED, 1);
	return mine;
}

static bool
build_is_mine(const TimelineTable *table, const TimelineBuild *build)
{
	const TimelineBox *box = &table->boxes[build->slot];

	return box->token == build->token && box->state == TIMELINE_BUILDING;
}

/*
 * Puts what was pushed meanwhile and what was found together.  Both are
 * complete above their floors, so the two are above the higher one.
 */
static void
build_fill(TimelineTable *table, int slot, const int64 *ids, int n, int64 floor,
		   const int64 *pulled, int num_pulled)
{
	TimelineBox *box = &table->boxes[slot];
	uint8	   *data = timeline_block(table, slot);
	int64		pushed[TIMELINE_INBOX_LENGTH];
	int64		merged[TIMELINE_INBOX_LENGTH + 1];
	int			num_pushed;
	int			count = 0;

	num_pushed = roost_ring_read(&box->ring, data, PG_INT64_MAX, PG_INT64_MIN, pushed, lengthof(pushed));
	floor = Max(floor, box->ring.floor);

	/* one more than there is room for: that one becomes the floor */
	for (int i = 0, k = 0; count < lengthof(merged) && (i < num_pushed || k < n);)
	{
		int64		id;

		if (k == n || (i < num_pushed && pushed[i] > ids[k]))
			id = pushed[i++];
		else
			id = ids[k++];
		if (count == 0 || merged[count - 1] != id)
			merged[count++] = id;
	}

	box->num_pulled = num_pulled;
	box->pulled_mask = 0;
	for (int i = 0; i < num_pulled; i++)
		box->pulled_mask |= timeline_pulled_bit(pulled[i]);
	if (num_pulled > 0)
		memcpy(timeline_pulled(table, slot, num_pulled), pulled, num_pulled * sizeof(int64));
	roost_ring_init(&box->ring, table->length - (num_pulled * sizeof(int64) + TIMELINE_RING_ENTRY - 1) / TIMELINE_RING_ENTRY, 0);
	roost_ring_fill(&box->ring, data, merged, count, floor);
}

/*
 * Gives a building up.
 */
void
roost_timeline_cache_cancel(TimelineBuild *build)
{
	TimelineTable *table = &roost_timeline_tables[build->kind];

	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	if (build_is_mine(table, build))
		roost_timeline_table_remove(table, build->owner_id, build->slot);
	LWLockRelease(table->lock);
	timeline_count(table, TIMELINE_BUILDS_FAILED, 1);
}
