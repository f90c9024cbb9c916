/*-------------------------------------------------------------------------
 *
 * box.h
 *		What outboxes and inboxes look like in shared memory; for the files of
 *		the cache alone.  cache.c says how it all hangs together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_BOX_H
#define ROOST_TIMELINE_BOX_H

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/s_lock.h"

#include "core/pending.h"
#include "timeline/cache.h"
#include "timeline/ring.h"

#define TIMELINE_KINDS			2
#define TIMELINE_NO_SLOT		(-1)
#define TIMELINE_STRIPES		16
#define TIMELINE_BUILD_MS		1000	/* a builder that takes longer has
										 * gone */
#define TIMELINE_BLOCK			64	/* boxes that are fetched from memory
									 * together */

typedef enum TimelineState
{
	TIMELINE_FREE,
	TIMELINE_BUILDING,			/* known, takes what is pushed, shows nothing */
	TIMELINE_READY
} TimelineState;

/*
 * What is looked at first of a box, in one cache line.  All of them stand side
 * by side, their ids elsewhere (TimelineBlock).
 */
typedef struct TimelineBox
{
	pg_atomic_uint32 sequence;	/* odd: somebody writes */
	uint32		token;			/* another one whenever the box begins anew */
	uint32		version;		/* of the reader's graph; inboxes only */
	uint8		state;
	uint8		referenced;		/* read since the clock hand was here */
	uint16		num_pulled;
	uint64		pulled_mask;	/* timeline_pulled_bit() of each of them */
	uint64		era;			/* void unless it is timeline_era() */
	TimelineRing ring;
} TimelineBox;

/* What stands at the end of a box's block */
typedef struct TimelineOwner
{
	int64		id;
	int64		began_ms;		/* when its building began */
	uint32		reads;			/* in the time since */
	uint32		reads_since;	/* seconds since 1970 */
	int32		next_free;		/* of a free slot */
	uint32		unused;
} TimelineOwner;

/*
 * A block is a ring's positions, then the pulled accounts, then the owner.  An
 * inbox's is an odd number of cache lines, so that those of many boxes do not
 * compete for the same sets of the processor's cache.
 */
#define TIMELINE_INBOX_BLOCK	4032
#define TIMELINE_OUTBOX_BLOCK	512

StaticAssertDecl(sizeof(TimelineBox) == 64, "the head of a box is a cache line");
StaticAssertDecl(TIMELINE_INBOX_LENGTH * TIMELINE_RING_ENTRY + sizeof(TimelineOwner) == TIMELINE_INBOX_BLOCK,
				 "an inbox's block is full");
StaticAssertDecl(TIMELINE_OUTBOX_LENGTH * TIMELINE_RING_ENTRY + sizeof(TimelineOwner) == TIMELINE_OUTBOX_BLOCK,
				 "an outbox's block is full");

/* An entry of the index; the key is in it, so that one access decides */
typedef struct TimelineEntry
{
	int64		owner_id;
	uint32		slot;			/* + 1; 0: empty */
	uint32		unused;
} TimelineEntry;

typedef enum TimelineCounter
{
	TIMELINE_HITS,
	TIMELINE_MISSES,
	TIMELINE_BUILDS,
	TIMELINE_BUILDS_FAILED,
	TIMELINE_EVICTIONS,
	TIMELINE_DROPS,
	TIMELINE_DELIVERIES,
	TIMELINE_UNDELIVERED,
	TIMELINE_COUNTERS
} TimelineCounter;

/* Counters of some processes, in a cache line of their own */
typedef struct TimelineStripe
{
	pg_atomic_uint64 counters[TIMELINE_COUNTERS];
} TimelineStripe;

/* One kind of boxes, in shared memory */
typedef struct TimelineTableShared
{
	pg_atomic_uint32 epoch;		/* goes up when all of them become void */

	/* guarded by the table's lock, exclusive */
	int32		touched;		/* slots that were ever used */
	int32		used;			/* slots that are in the index */
	int32		free;			/* first free one of those touched */
	int32		hand;			/* where the clock looks next */

	TimelineStripe stripes[TIMELINE_STRIPES];
} TimelineTableShared;

/* The same, as this process finds it */
typedef struct TimelineTable
{
	TimelineTableShared *shared;
	LWLock	   *lock;
	TimelineEntry *index;
	TimelineBox *boxes;
	uint8	   *blocks;
	uint32		index_size;
	int32		num_slots;
	int			length;			/* positions of a ring without pulled accounts */
	int			block_size;
} TimelineTable;

extern TimelineTable roost_timeline_tables[TIMELINE_KINDS];

extern int	roost_timeline_table_enter(TimelineTable *table, int64 owner_id);
extern void roost_timeline_table_remove(TimelineTable *table, int64 owner_id, int slot);
extern bool roost_timeline_box_is_stale(const TimelineTable *table, int slot);
extern Size roost_timeline_pulled_size(void);
extern void roost_timeline_pulled_init(void *area, LWLock *lock, bool found);
extern int	roost_timeline_pulled_count(int *max);

static inline uint64
timeline_hash(int64 id)
{
	uint64		h = (uint64) id;

	h = (h ^ (h >> 32)) * UINT64CONST(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

/* Returns where in the index an account belongs. */
static inline uint32
timeline_home(const TimelineTable *table, int64 owner_id)
{
	return (uint32) (((timeline_hash(owner_id) * UINT64CONST(0xd6e8feb86659fd93) >> 32) * table->index_size) >> 32);
}

/*
 * Returns an account's slot, from where it belongs in the index; under the lock.
 */
static inline int
timeline_find_from(const TimelineTable *table, int64 owner_id, uint32 at)
{
	for (;;)
	{
		const TimelineEntry *entry = &table->index[at];

		if (entry->slot == 0)
			return TIMELINE_NO_SLOT;
		if (entry->owner_id == owner_id)
			return (int) entry->slot - 1;
		if (++at == table->index_size)
			at = 0;
	}
}

static inline int
timeline_find(const TimelineTable *table, int64 owner_id)
{
	return timeline_find_from(table, owner_id, timeline_home(table, owner_id));
}

/*
 * Finds the slots of up to TIMELINE_BLOCK accounts, and fetches their boxes
 * from memory; under the lock.
 */
static inline void
timeline_find_block(const TimelineTable *table, const int64 *owner_ids, int n, int *slots)
{
	uint32		homes[TIMELINE_BLOCK];

	for (int i = 0; i < n; i++)
	{
		homes[i] = timeline_home(table, owner_ids[i]);
		__builtin_prefetch(&table->index[homes[i]], 0);
	}
	for (int i = 0; i < n; i++)
	{
		slots[i] = timeline_find_from(table, owner_ids[i], homes[i]);
		if (slots[i] != TIMELINE_NO_SLOT)
			__builtin_prefetch(&table->boxes[slots[i]], 0);
	}
}

static inline uint8 *
timeline_block(const TimelineTable *table, int slot)
{
	return table->blocks + (Size) slot * table->block_size;
}

static inline TimelineOwner *
timeline_owner(const TimelineTable *table, int slot)
{
	return (TimelineOwner *) (timeline_block(table, slot) + table->block_size - sizeof(TimelineOwner));
}

/* Returns the pulled accounts, when there are so many. */
static inline int64 *
timeline_pulled(const TimelineTable *table, int slot, int num_pulled)
{
	return (int64 *) timeline_owner(table, slot) - num_pulled;
}

static inline uint64
timeline_pulled_bit(int64 author_id)
{
	return UINT64CONST(1) << (timeline_hash(author_id) & 63);
}

/*
 * Returns what boxes must carry to be good.  Under the lock, so that a box
 * that is entered later is not older.
 */
static inline uint64
timeline_era(const TimelineTable *table)
{
	return roost_pending_generation() << 32 | pg_atomic_read_u32(&table->shared->epoch);
}

/* Whoever has locked a box is done soon, unless the kernel has stopped it. */
static inline void
timeline_box_wait(int spins)
{
	if (spins < 1000)
		pg_spin_delay();
	else
		pg_usleep(100);
}

/*
 * Writers of a box exclude each other; readers look whether it has changed.
 * Between the two nothing may fail.
 */
static inline void
timeline_box_lock(TimelineBox *box)
{
	for (int spins = 0;; spins++)
	{
		uint32		sequence = pg_atomic_read_u32(&box->sequence);

		if (sequence % 2 == 0 &&
			pg_atomic_compare_exchange_u32(&box->sequence, &sequence, sequence + 1))
			return;
		timeline_box_wait(spins);
	}
}

static inline void
timeline_box_unlock(TimelineBox *box)
{
	pg_write_barrier();
	pg_atomic_write_u32(&box->sequence, pg_atomic_read_u32(&box->sequence) + 1);
}

/* Reading a box while others may write it */
typedef struct TimelineLook
{
	uint32		sequence;
	int			tries;
} TimelineLook;

#define TIMELINE_LOOKS	8		/* then readers lock the box, too */

/* Begins to read a box. */
static inline void
timeline_look(TimelineBox *box, TimelineLook *look)
{
	if (unlikely(look->tries++ >= TIMELINE_LOOKS))
	{
		timeline_box_lock(box);
		return;
	}
	for (int spins = 0; (look->sequence = pg_atomic_read_u32(&box->sequence)) % 2 != 0; spins++)
		timeline_box_wait(spins);
	pg_read_barrier();
}

/* Returns whether the box is still what it was at the beginning. */
static inline bool
timeline_looked(TimelineBox *box, const TimelineLook *look)
{
	if (unlikely(look->tries > TIMELINE_LOOKS))
	{
		timeline_box_unlock(box);
		return true;
	}
	pg_read_barrier();
	return pg_atomic_read_u32(&box->sequence) == look->sequence;
}

static inline void
timeline_count(const TimelineTable *table, TimelineCounter counter, uint64 n)
{
	if (n > 0)
		(void) pg_atomic_fetch_add_u64(&table->shared->stripes[MyProcPid % TIMELINE_STRIPES].counters[counter], n);
}

#endif							/* ROOST_TIMELINE_BOX_H */
