/*-------------------------------------------------------------------------
 *
 * announce.c
 *		What each backend is about to commit, for others to see.
 *
 * Every backend has a slot in shared memory.  Before its transaction commits
 * it puts the transaction's events there, up to ANNOUNCE_EVENTS of them, or
 * says that there are more; then it sets its bit in a bitmap.  When the events
 * have reached the event queue, or the transaction has aborted, it clears the
 * bit.  So whoever holds a snapshot that sees the transaction's rows finds the
 * events here, or, looking there afterwards, in the queue.  A reader with
 * nothing announced reads the bitmap and no more.
 *
 * Nothing is locked.  Only its owner writes a slot, and only while its bit is
 * clear; `sequence` is odd meanwhile.  A reader that finds it odd, or changed
 * while it copied, passes on: the transaction whose bit it saw has reached the
 * queue, and the slot's next one announces itself after the reader's snapshot
 * was taken.  Only `overflow` may be set later, for events that come between
 * announcement and commit.
 *
 * The slot also holds a lower bound of the ids that the transaction has made.
 * It is stored before the first id is taken from the counter, so that someone
 * who reads the counter first and the slots afterwards misses no id below the
 * counter's value.
 *
 * Slots are numbered like the server's process slots; only the first
 * MaxBackends of these run transactions.  After a crash all of this is new.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "storage/proc.h"

#include "core/announce.h"
#include "core/pending.h"
#include "roost.h"

#define ANNOUNCE_EVENTS	8

typedef struct AnnounceSlot
{
	pg_atomic_uint64 first_id;	/* no id of the transaction is below; 0: none */
	pg_atomic_uint32 sequence;	/* odd while the rest is being written */
	pg_atomic_uint32 overflow;	/* there are events that are not here */
	int			count;
	RoostEvent	events[ANNOUNCE_EVENTS];
} AnnounceSlot;

typedef union AnnounceSlotPadded
{
	AnnounceSlot slot;
	char		padding[TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(AnnounceSlot))];
} AnnounceSlotPadded;

static pg_atomic_uint64 *announce_bitmap = NULL;
static AnnounceSlotPadded *announce_slots = NULL;
static int	announce_words;

/* What this backend has in its slot. */
static bool announce_published = false;
static int64 announce_first_id = 0;

/*
 * Returns the number of this backend's slot.
 */
static inline int
announce_self(void)
{
	int			self = (int) (MyProc - ProcGlobal->allProcs);

	Assert(self >= 0 && self < MaxBackends);
	return self;
}

/*
 * Begins to fill this backend's slot.
 */
void
roost_announce_begin(void)
{
	AnnounceSlot *slot = &announce_slots[announce_self()].slot;

	Assert(!announce_published);
	pg_atomic_write_u32(&slot->sequence, pg_atomic_read_u32(&slot->sequence) + 1);
	pg_write_barrier();
	pg_atomic_write_u32(&slot->overflow, 0);
	slot->count = 0;
}

/*
 * Adds an event.
 */
void
roost_announce_add(const RoostEvent *event)
{
	AnnounceSlot *slot = &announce_slots[announce_self()].slot;

	if (slot->count < ANNOUNCE_EVENTS)
		slot->events[slot->count++] = *event;
	else
		pg_atomic_write_u32(&slot->overflow, 1);
}

/*
 * Says that there are events which are not in the slot; also after it was
 * published.
 */
void
roost_announce_overflow(void)
{
	pg_atomic_write_u32(&announce_slots[announce_self()].slot.overflow, 1);
	pg_memory_barrier();
}

/*
 * Lets others see the slot.
 */
void
roost_announce_publish(void)
{
	int			self = announce_self();
	AnnounceSlot *slot = &announce_slots[self].slot;

	pg_write_barrier();
	pg_atomic_write_u32(&slot->sequence, pg_atomic_read_u32(&slot->sequence) + 1);
	pg_atomic_fetch_or_u64(&announce_bitmap[self / 64], UINT64CONST(1) << (self % 64));
	announce_published = true;
}

/*
 * Takes the announcement back, if there is one.
 */
void
roost_announce_retract(void)
{
	int			self;

	if (!announce_published)
		return;
	self = announce_self();
	pg_atomic_fetch_and_u64(&announce_bitmap[self / 64], ~(UINT64CONST(1) << (self % 64)));
	announce_published = false;
}

/*
 * Notes, before the first id of the transaction is made, that none is below.
 */
void
roost_announce_hold(int64 id)
{
	if (announce_first_id != 0)
		return;
	announce_first_id = id;
	pg_atomic_write_u64(&announce_slots[announce_self()].slot.first_id, (uint64) id);
	pg_memory_barrier();
}

int64
roost_announce_held(void)
{
	return announce_first_id;
}

/*
 * Forgets the transaction's ids.
 */
void
roost_announce_let_go(void)
{
	if (announce_first_id == 0)
		return;
	announce_first_id = 0;
	pg_memory_barrier();
	pg_atomic_write_u64(&announce_slots[announce_self()].slot.first_id, 0);
}

/*
 * Copies the events of these kinds out of a slot; returns how many, -1 if some
 * are not known or there is no room.
 */
static int
announce_slot_read(AnnounceSlot *slot, uint32 kinds, RoostEvent *events, int max)
{
	AnnounceSlot copy;
	uint32		sequence = pg_atomic_read_u32(&slot->sequence);
	uint32		overflow;
	int			found = 0;

	pg_read_barrier();
	overflow = pg_atomic_read_u32(&slot->overflow);
	copy.count = slot->count;
	memcpy(copy.events, slot->events, Min((uint32) copy.count, ANNOUNCE_EVENTS) * sizeof(RoostEvent));
	pg_read_barrier();
	if (sequence % 2 != 0 || pg_atomic_read_u32(&slot->sequence) != sequence)
		return 0;
	if (overflow)
		return ROOST_PENDING_UNKNOWN;

	for (int i = 0; i < copy.count; i++)
	{
		if ((kinds & ROOST_EVENT_BIT(copy.events[i].kind)) == 0)
			continue;
		if (found == max)
			return ROOST_PENDING_UNKNOWN;
		events[found++] = copy.events[i];
	}
	return found;
}

/*
 * Copies announced events of these kinds; returns how many, or -1.
 */
int
roost_announce_read(uint32 kinds, RoostEvent *events, int max)
{
	int			found = 0;

	for (int word = 0; word < announce_words; word++)
	{
		uint64		bits = pg_atomic_read_u64(&announce_bitmap[word]);

		pg_read_barrier();
		while (bits != 0)
		{
			int			i = pg_rightmost_one_pos64(bits);
			int			n = announce_slot_read(&announce_slots[word * 64 + i].slot, kinds,
											   events + found, max - found);

			if (n < 0)
				return n;
			found += n;
			bits &= bits - 1;
		}
	}
	return found;
}

/*
 * Returns the lowest bound of ids that any backend holds, or 0.
 */
int64
roost_announce_lowest(void)
{
	int64		lowest = 0;

	for (int i = 0; i < MaxBackends; i++)
	{
		int64		id = (int64) pg_atomic_read_u64(&announce_slots[i].slot.first_id);

		if (id != 0 && (lowest == 0 || id < lowest))
			lowest = id;
	}
	return lowest;
}

static Size
announce_bitmap_size(void)
{
	return TYPEALIGN(PG_CACHE_LINE_SIZE, (MaxBackends + 63) / 64 * sizeof(pg_atomic_uint64));
}

static Size
announce_shmem_size(void)
{
	return add_size(announce_bitmap_size(), mul_size(MaxBackends, sizeof(AnnounceSlotPadded)));
}

static void
announce_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	announce_bitmap = area;
	announce_slots = (AnnounceSlotPadded *) ((char *) area + announce_bitmap_size());
	announce_words = (MaxBackends + 63) / 64;
	if (found)
		return;

	memset(area, 0, announce_shmem_size());
	for (int i = 0; i < announce_words; i++)
		pg_atomic_init_u64(&announce_bitmap[i], 0);
	for (int i = 0; i < MaxBackends; i++)
	{
		pg_atomic_init_u64(&announce_slots[i].slot.first_id, 0);
		pg_atomic_init_u32(&announce_slots[i].slot.sequence, 0);
		pg_atomic_init_u32(&announce_slots[i].slot.overflow, 0);
	}
}

const RoostModule roost_announce_module = {
	.name = "roost announcements",
	.shmem_size = announce_shmem_size,
	.shmem_init = announce_shmem_init,
};
