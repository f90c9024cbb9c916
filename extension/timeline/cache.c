/*-------------------------------------------------------------------------
 *
 * cache.c
 *		Outboxes and inboxes: their memory, their index, who must go.
 *
 * Two tables of boxes lie in the main segment of shared memory, sized by
 * roost.timeline_memory and split by roost.timeline_outbox_share.  Each has
 *
 *	-	an index, open addressing with linear probing, half full at most, the
 *		owner's id within the entry;
 *	-	the heads of the boxes, one cache line each (TimelineBox);
 *	-	their blocks: the ring's positions, pulled accounts, and the owner.
 *
 * A delivery so touches three lines: index, head, and the place in the block.
 *
 * Locks.  A table's lock guards its index and which box is whose: SHARED to
 * look for a box and while one reads or writes it, EXCLUSIVE to enter, begin
 * anew, evict or drop one.  Under the SHARED lock there are the worker, which
 * pushes, and builders, who publish: they lock the single box (its sequence is
 * odd meanwhile), and readers look again if it has changed.  The order is
 * table, box; nobody holds two tables or two boxes.
 *
 * Void boxes.  A box carries the era in which it began, which is the
 * generation of events and an epoch of the table; in another one it counts as
 * missing and is the first to be reused.
 *
 * Eviction.  Who needs a slot and finds none free turns the hand of a clock:
 * boxes that were read since it came by last get another round; that one was
 * built does not count, so who reads once goes before who comes again.  After
 * CLOCK_STEPS the next best goes, so that the lock is not held for long.
 * Boxes that are being built stay, unless their builder has been away for a
 * second: errors and killed sessions leave such boxes behind.
 *
 * After a crash shared memory is made anew and everything is missing.
 *
 * cache_build.c builds boxes, cache_push.c fills them, cache_read.c reads
 * inboxes, merge.c merges outboxes, pulled.c knows who is not pushed,
 * cache_stat.c counts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/guc.h"

#include "core/clock.h"
#include "roost.h"
#include "timeline/box.h"

#define TIMELINE_MEMORY_MIN			256 /* kB */
#define TIMELINE_MEMORY_DEFAULT		(128 * 1024)
#define TIMELINE_MEMORY_MAX			(1024 * 1024 * 1024)

#define TIMELINE_OUTBOX_SHARE_MIN		5	/* percent */
#define TIMELINE_OUTBOX_SHARE_DEFAULT	25
#define TIMELINE_OUTBOX_SHARE_MAX		95

#define INDEX_PER_SLOT				2
#define TIMELINE_LOCKS				3	/* outboxes, inboxes, pulled authors */
#define CLOCK_STEPS					128
#define DROP_AT_ONCE				64

TimelineTable roost_timeline_tables[TIMELINE_KINDS];

static int	timeline_memory;	/* GUCs */
static int	timeline_outbox_share;

static Size cache_measure(TimelineKind kind);
static int	cache_take_slot(TimelineTable *table);
static int	cache_evict(TimelineTable *table);
static void cache_index_add(TimelineTable *table, int64 owner_id, int slot);
static void cache_index_remove(TimelineTable *table, int64 owner_id);

static void
cache_define_gucs(void)
{
	DefineCustomIntVariable("roost.timeline_memory",
							"Sets the memory for timelines.",
							"An inbox takes 4.1 kB, an outbox 0.6 kB. Whoever has none reads the tables, which is slower.",
							&timeline_memory,
							TIMELINE_MEMORY_DEFAULT,
							TIMELINE_MEMORY_MIN,
							TIMELINE_MEMORY_MAX,
							PGC_POSTMASTER,
							GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.timeline_outbox_share",
							"Sets the share of outboxes in the memory for timelines, in percent.",
							"The rest is for inboxes.",
							&timeline_outbox_share,
							TIMELINE_OUTBOX_SHARE_DEFAULT,
							TIMELINE_OUTBOX_SHARE_MIN,
							TIMELINE_OUTBOX_SHARE_MAX,
							PGC_POSTMASTER,
							0,
							NULL, NULL, NULL);
}

/*
 * Returns how much memory the parts of a table take: index, heads and blocks.
 */
static inline Size
cache_index_size(const TimelineTable *table)
{
	return TYPEALIGN(PG_CACHE_LINE_SIZE, table->index_size * sizeof(TimelineEntry));
}

static inline Size
cache_boxes_size(const TimelineTable *table)
{
	return TYPEALIGN(PG_CACHE_LINE_SIZE, table->num_slots * sizeof(TimelineBox));
}

static inline Size
cache_blocks_size(const TimelineTable *table)
{
	return TYPEALIGN(PG_CACHE_LINE_SIZE, (Size) table->num_slots * table->block_size);
}

/*
 * Decides how large a table is; returns the memory it takes.
 */
static Size
cache_measure(TimelineKind kind)
{
	TimelineTable *table = &roost_timeline_tables[kind];
	Size		memory = (Size) timeline_memory * 1024;
	Size		outboxes = memory / 100 * timeline_outbox_share;

	memory = kind == TIMELINE_OUTBOX ? outboxes : memory - outboxes;
	table->length = kind == TIMELINE_OUTBOX ? TIMELINE_OUTBOX_LENGTH : TIMELINE_INBOX_LENGTH;
	table->block_size = kind == TIMELINE_OUTBOX ? TIMELINE_OUTBOX_BLOCK : TIMELINE_INBOX_BLOCK;
	table->num_slots = Min(memory / (table->block_size + sizeof(TimelineBox) + INDEX_PER_SLOT * sizeof(TimelineEntry)),
						   PG_INT32_MAX / INDEX_PER_SLOT - 1);
	table->index_size = (uint32) table->num_slots * INDEX_PER_SLOT;

	return TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(TimelineTableShared)) +
		cache_index_size(table) + cache_boxes_size(table) + cache_blocks_size(table);
}

/*
 * Returns how many boxes there is room for.
 */
int
roost_timeline_cache_room(TimelineKind kind)
{
	(void) cache_measure(kind);
	return roost_timeline_tables[kind].num_slots;
}

static Size
cache_shmem_size(void)
{
	return PG_CACHE_LINE_SIZE + cache_measure(TIMELINE_OUTBOX) + cache_measure(TIMELINE_INBOX) +
		roost_timeline_pulled_size();
}

static void
cache_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	uint8	   *at = (uint8 *) TYPEALIGN(PG_CACHE_LINE_SIZE, area);

	for (TimelineKind kind = 0; kind < TIMELINE_KINDS; kind++)
	{
		TimelineTable *table = &roost_timeline_tables[kind];

		Size		size = cache_measure(kind);

		table->lock = &locks[kind].lock;
		table->shared = (TimelineTableShared *) at;
		table->index = (TimelineEntry *) (at + TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(TimelineTableShared)));
		table->boxes = (TimelineBox *) ((uint8 *) table->index + cache_index_size(table));
		table->blocks = (uint8 *) table->boxes + cache_boxes_size(table);
		at += size;
		if (found)
			continue;
		memset(table->shared, 0, sizeof(*table->shared));
		memset(table->index, 0, table->index_size * sizeof(TimelineEntry));
		table->shared->free = TIMELINE_NO_SLOT;
		pg_atomic_init_u32(&table->shared->epoch, 0);
		for (int i = 0; i < TIMELINE_STRIPES; i++)
			for (int k = 0; k < TIMELINE_COUNTERS; k++)
				pg_atomic_init_u64(&table->shared->stripes[i].counters[k], 0);
	}
	roost_timeline_pulled_init(at, &locks[TIMELINE_KINDS].lock, found);
}

/*
 * Returns a slot for an account that has none, in the index already; none if
 * all others are being built.  Under the exclusive lock, like all that follow.
 */
int
roost_timeline_table_enter(TimelineTable *table, int64 owner_id)
{
	int			slot = cache_take_slot(table);

	if (slot == TIMELINE_NO_SLOT)
		return slot;
	memset(timeline_owner(table, slot), 0, sizeof(TimelineOwner));
	timeline_owner(table, slot)->id = owner_id;
	table->boxes[slot].referenced = false;
	cache_index_add(table, owner_id, slot);
	table->shared->used++;
	return slot;
}

/*
 * Makes an account's slot a free one.
 */
void
roost_timeline_table_remove(TimelineTable *table, int64 owner_id, int slot)
{
	TimelineBox *box = &table->boxes[slot];

	cache_index_remove(table, owner_id);
	table->shared->used--;
	box->state = TIMELINE_FREE;
	timeline_owner(table, slot)->next_free = table->shared->free;
	table->shared->free = slot;
}

/*
 * Returns whether a box that is being built has been left by its builder.
 */
bool
roost_timeline_box_is_stale(const TimelineTable *table, int slot)
{
	int64		age = roost_clock_ms() - timeline_owner(table, slot)->began_ms;

	return age < 0 || age >= TIMELINE_BUILD_MS; /* clocks may step back */
}

static int
cache_take_slot(TimelineTable *table)
{
	TimelineTableShared *shared = table->shared;
	int			slot = shared->free;

	if (slot == TIMELINE_NO_SLOT && shared->touched < table->num_slots)
	{
		slot = shared->touched++;
		memset(&table->boxes[slot], 0, sizeof(TimelineBox));
		pg_atomic_init_u32(&table->boxes[slot].sequence, 0);
		return slot;
	}
	if (slot == TIMELINE_NO_SLOT)
	{
		slot = cache_evict(table);
		if (slot == TIMELINE_NO_SLOT)
			return slot;
		timeline_count(table, TIMELINE_EVICTIONS, 1);
		roost_timeline_table_remove(table, timeline_owner(table, slot)->id, slot);
	}
	shared->free = timeline_owner(table, slot)->next_free;
	return slot;
}

/*
 * Returns the slot whose box shall go.  No slot is free.
 */
static int
cache_evict(TimelineTable *table)
{
	TimelineTableShared *shared = table->shared;
	uint64		era = timeline_era(table);

	for (int step = 0; step < 2 * table->num_slots; step++)
	{
		int			slot = shared->hand;
		TimelineBox *box = &table->boxes[slot];

		shared->hand = slot + 1 == table->num_slots ? 0 : slot + 1;
		if (box->era != era)
			return slot;
		if (box->state == TIMELINE_BUILDING && !roost_timeline_box_is_stale(table, slot))
			continue;
		if (!box->referenced || step >= CLOCK_STEPS)
			return slot;
		box->referenced = false;
	}
	return TIMELINE_NO_SLOT;
}

static void
cache_index_add(TimelineTable *table, int64 owner_id, int slot)
{
	uint32		at = timeline_home(table, owner_id);

	while (table->index[at].slot != 0)
		at = at + 1 == table->index_size ? 0 : at + 1;
	table->index[at].owner_id = owner_id;
	table->index[at].slot = slot + 1;
}

/*
 * Takes an entry out, and moves those after it that it kept from their place.
 */
static void
cache_index_remove(TimelineTable *table, int64 owner_id)
{
	TimelineEntry *index = table->index;
	uint32		size = table->index_size;
	uint32		hole = timeline_home(table, owner_id);

	while (index[hole].owner_id != owner_id || index[hole].slot == 0)
		hole = hole + 1 == size ? 0 : hole + 1;

	for (uint32 at = hole + 1 == size ? 0 : hole + 1; index[at].slot != 0; at = at + 1 == size ? 0 : at + 1)
	{
		uint32		home = timeline_home(table, index[at].owner_id);

		/* it may go to the hole unless that is before its home */
		if ((at + size - home) % size < (at + size - hole) % size)
			continue;
		index[hole] = index[at];
		hole = at;
	}
	index[hole].slot = 0;
}

/*
 * Drops the boxes of these accounts, where they have one.
 */
void
roost_timeline_cache_drop(TimelineKind kind, const int64 *owner_ids, int n)
{
	TimelineTable *table = &roost_timeline_tables[kind];
	int			dropped = 0;

	for (int from = 0; from < n; from += DROP_AT_ONCE)
	{
		LWLockAcquire(table->lock, LW_EXCLUSIVE);
		for (int i = from; i < Min(from + DROP_AT_ONCE, n); i++)
		{
			int			slot = timeline_find(table, owner_ids[i]);

			if (slot == TIMELINE_NO_SLOT)
				continue;
			roost_timeline_table_remove(table, owner_ids[i], slot);
			dropped++;
		}
		LWLockRelease(table->lock);
	}
	timeline_count(table, TIMELINE_DROPS, dropped);
}

/*
 * Makes all boxes of a kind void.
 */
static void
cache_void(TimelineKind kind)
{
	(void) pg_atomic_fetch_add_u32(&roost_timeline_tables[kind].shared->epoch, 1);
}

void
roost_timeline_cache_drop_all(void)
{
	cache_void(TIMELINE_OUTBOX);
	cache_void(TIMELINE_INBOX);
}

void
roost_timeline_cache_drop_inboxes(void)
{
	if (((volatile TimelineTableShared *) roost_timeline_tables[TIMELINE_INBOX].shared)->used > 0)
		cache_void(TIMELINE_INBOX);
}

const RoostModule roost_timeline_module = {
	.name = "roost timeline",
	.define_gucs = cache_define_gucs,
	.shmem_size = cache_shmem_size,
	.num_lwlocks = TIMELINE_LOCKS,
	.shmem_init = cache_shmem_init,
};
