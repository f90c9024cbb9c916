/*-------------------------------------------------------------------------
 *
 * commit_doubt.c
 *		Events of prepared transactions, until it is known how these end.
 *
 * PREPARE TRANSACTION moves a transaction's list to shared memory: a slot with
 * its id, and its events and stamps in a pool of chained entries.
 * There is a slot for every prepared transaction that can exist, and for every
 * backend that is about to prepare one; if the pool is full the slot says so,
 * and committing it counts as lost events, or as a change of all stamps.
 * Slots are reserved and filled before the transaction is prepared, where an
 * error is still allowed.  Nobody tells us of COMMIT PREPARED, so the worker
 * looks: once a transaction is no longer in progress it has either committed
 * (hand over) or not (forget).  Its events are pending until then; they leave
 * the slot after they have reached the handlers.
 *
 * After a crash the slots are gone while the prepared transactions are not.
 * The worker then adopts each of them with a slot that says "events lost".
 * Until it has done so any number of them may be there.
 *
 * commit_lock guards everything in CommitShared but the atomic values, and the
 * events of slots that are ENDING: their resolver alone changes these, and
 * frees them under the lock.  Handlers are called without it: they take locks
 * of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "storage/shmem.h"

#include "core/announce.h"
#include "core/commit.h"
#include "core/commit_doubt.h"
#include "core/debug_point.h"
#include "core/pending.h"
#include "core/stamp.h"

#define COMMIT_POOL_SIZE	4096

/* next states: FREE -> RESERVED -> PREPARED or FREE; PREPARED -> ENDING -> FREE */
typedef enum DoubtState
{
	DOUBT_FREE,
	DOUBT_RESERVED,				/* by a backend about to prepare */
	DOUBT_PREPARED,
	DOUBT_ENDING				/* somebody hands over its events */
} DoubtState;

typedef struct DoubtSlot
{
	DoubtState	state;
	bool		lost;			/* events are missing here */
	bool		all;			/* it changes all stamps */
	bool		adopted;		/* nothing is known of it */
	TransactionId xid;
	int64		first_id;		/* no id of it is below; 0: none */
	int			first;			/* event in the pool, -1 at the end */
	int			first_stamps;	/* the same for its stamps */
} DoubtSlot;

#define DOUBT_STAMPS	(sizeof(RoostEvent) / sizeof(uint32) - 1)

typedef struct DoubtEntry
{
	union
	{
		RoostEvent	event;
		struct
		{
			int			count;
			uint32		numbers[DOUBT_STAMPS];
		}			stamps;
	}			u;
	int			next;
} DoubtEntry;

typedef struct CommitShared
{
	pg_atomic_uint32 num_used;	/* slots that are not free */
	pg_atomic_uint32 adoptable; /* prepared transactions may lack a slot */

	/* guarded by commit_lock */
	int			num_slots;
	int			free;			/* first free entry of the pool, or -1 */
	DoubtEntry	pool[COMMIT_POOL_SIZE];
	DoubtSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} CommitShared;

static CommitShared *commit_shared = NULL;
static LWLock *commit_lock = NULL;

static int	commit_slot_reserve(void);
static int	commit_pool_take(void);
static bool commit_pool_fill(DoubtSlot *slot, const PendingEvent *events, int count);
static bool commit_pool_fill_stamps(DoubtSlot *slot);
static void commit_pool_free(int first);
static void commit_slot_free(DoubtSlot *slot);
static void commit_slot_finish(int index, TransactionId xid, bool committed);
static void commit_slot_release(DoubtSlot *slot, bool committed);
static void commit_slot_adopt(TransactionId xid);

/*
 * Returns the index of a slot that is ours now; an error if there is none.
 */
int
roost_commit_doubt_reserve(void)
{
	int			index = commit_slot_reserve();

	if (index < 0)
	{
		roost_commit_resolve();
		index = commit_slot_reserve();
	}
	if (index < 0)
		elog(ERROR, "no slot for a prepared transaction's events");
	return index;
}

/*
 * Copies a transaction's events and stamps to its slot.
 */
void
roost_commit_doubt_fill(int index, TransactionId xid, const PendingEvent *events, int count, bool lost)
{
	DoubtSlot  *slot;

	LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	slot = &commit_shared->slots[index];
	slot->xid = xid;
	slot->first_id = roost_announce_held();
	slot->lost = lost || !commit_pool_fill(slot, events, count);
	slot->all = !commit_pool_fill_stamps(slot);
	LWLockRelease(commit_lock);

	if (slot->all)
		roost_stamp_touch_all();
	roost_stamp_mark(true);
}

/*
 * Leaves a slot to who resolves prepared transactions.
 */
void
roost_commit_doubt_prepared(int index)
{
	LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	commit_shared->slots[index].state = DOUBT_PREPARED;
	LWLockRelease(commit_lock);
}

/*
 * Returns the index of a slot that is ours now, or -1.
 */
static int
commit_slot_reserve(void)
{
	int			found = -1;

	LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	for (int i = 0; i < commit_shared->num_slots && found < 0; i++)
	{
		DoubtSlot  *slot = &commit_shared->slots[i];

		if (slot->state != DOUBT_FREE)
			continue;
		*slot = (DoubtSlot)
		{
			.state = DOUBT_RESERVED,.first = -1,.first_stamps = -1
		};
		pg_atomic_fetch_add_u32(&commit_shared->num_used, 1);
		found = i;
	}
	LWLockRelease(commit_lock);
	return found;
}

/*
 * Takes an entry out of the pool; -1 if there is none.
 */
static int
commit_pool_take(void)
{
	int			entry = commit_shared->free;

	if (entry >= 0)
		commit_shared->free = commit_shared->pool[entry].next;
	return entry;
}

/*
 * Puts the list into the pool, in order; returns false if there is no room.
 */
static bool
commit_pool_fill(DoubtSlot *slot, const PendingEvent *events, int count)
{
	for (int i = count - 1; i >= 0; i--)
	{
		int			entry = commit_pool_take();

		if (entry < 0)
			return false;
		commit_shared->pool[entry].u.event = events[i].event;
		commit_shared->pool[entry].next = slot->first;
		slot->first = entry;
	}
	return true;
}

/*
 * The same for the stamps.
 */
static bool
commit_pool_fill_stamps(DoubtSlot *slot)
{
	const uint32 *numbers;
	int			count = roost_stamp_touched(&numbers);
	int			entry;

	if (count == ROOST_STAMP_ALL)
		return false;
	for (int done = 0; done < count; done += commit_shared->pool[entry].u.stamps.count)
	{
		DoubtEntry *to;

		entry = commit_pool_take();
		if (entry < 0)
			return false;
		to = &commit_shared->pool[entry];
		to->u.stamps.count = Min(count - done, (int) DOUBT_STAMPS);
		memcpy(to->u.stamps.numbers, numbers + done, to->u.stamps.count * sizeof(uint32));
		to->next = slot->first_stamps;
		slot->first_stamps = entry;
	}
	return true;
}

/*
 * Gives a chain of entries back to the pool.
 */
static void
commit_pool_free(int first)
{
	while (first >= 0)
	{
		int			entry = first;

		first = commit_shared->pool[entry].next;
		commit_shared->pool[entry].next = commit_shared->free;
		commit_shared->free = entry;
	}
}

/*
 * Frees a slot and its entries; the caller holds the lock.
 */
static void
commit_slot_free(DoubtSlot *slot)
{
	commit_pool_free(slot->first);
	commit_pool_free(slot->first_stamps);
	slot->first = -1;
	slot->first_stamps = -1;
	slot->state = DOUBT_FREE;
	pg_atomic_fetch_sub_u32(&commit_shared->num_used, 1);
}

/*
 * Returns how many prepared transactions wait to be resolved.
 */
int
roost_commit_in_doubt(void)
{
	return (int) pg_atomic_read_u32(&commit_shared->num_used);
}

/*
 * Hands over or forgets the events of prepared transactions that have ended.
 */
void
roost_commit_resolve(void)
{
	if (roost_commit_in_doubt() == 0)
		return;

	for (int i = 0; i < commit_shared->num_slots; i++)
	{
		DoubtSlot	slot;

		LWLockAcquire(commit_lock, LW_SHARED);
		slot = commit_shared->slots[i];
		LWLockRelease(commit_lock);

		if (slot.state != DOUBT_PREPARED || TransactionIdIsInProgress(slot.xid))
			continue;
		commit_slot_finish(i, slot.xid, TransactionIdDidCommit(slot.xid));
	}
}

/*
 * Hands over the events of an ended transaction, then frees its slot.  Somebody
 * else may have been faster, and the slot may be another transaction's by now.
 */
static void
commit_slot_finish(int index, TransactionId xid, bool committed)
{
	DoubtSlot  *slot = &commit_shared->slots[index];
	bool		mine;

	LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	mine = slot->state == DOUBT_PREPARED && slot->xid == xid;
	if (mine)
		slot->state = DOUBT_ENDING;
	LWLockRelease(commit_lock);
	if (!mine)
		return;

	HOLD_INTERRUPTS();
	ROOST_DEBUG_POINT("commit_resolve");
	if (committed && slot->lost)
		roost_commit_dispatch_lost();
	else if (committed)
	{
		for (int i = slot->first; i >= 0; i = commit_shared->pool[i].next)
			roost_commit_dispatch(&commit_shared->pool[i].u.event);
	}
	commit_slot_release(slot, committed);
	ROOST_DEBUG_POINT("commit_resolved");

	LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	commit_slot_free(slot);
	LWLockRelease(commit_lock);
	RESUME_INTERRUPTS();
}

/*
 * Ends the marks of a slot's stamps.
 */
static void
commit_slot_release(DoubtSlot *slot, bool committed)
{
	if (slot->all)
	{
		roost_stamp_release(NULL, ROOST_STAMP_ALL, committed);
		return;
	}
	for (int i = slot->first_stamps; i >= 0; i = commit_shared->pool[i].next)
		roost_stamp_release(commit_shared->pool[i].u.stamps.numbers,
							commit_shared->pool[i].u.stamps.count, committed);
}

/*
 * Copies the events of these kinds of prepared transactions; returns how many,
 * or ROOST_PENDING_UNKNOWN.
 */
int
roost_commit_doubt_read(uint32 kinds, RoostEvent *events, int max)
{
	int			found = 0;

	if (roost_commit_adoptable())
		return ROOST_PENDING_UNKNOWN;
	if (roost_commit_in_doubt() == 0)
		return 0;

	LWLockAcquire(commit_lock, LW_SHARED);
	for (int i = 0; i < commit_shared->num_slots && found >= 0; i++)
	{
		DoubtSlot  *slot = &commit_shared->slots[i];

		if (slot->state != DOUBT_PREPARED && slot->state != DOUBT_ENDING)
			continue;
		if (slot->lost)
			found = ROOST_PENDING_UNKNOWN;
		for (int j = slot->first; j >= 0 && found >= 0; j = commit_shared->pool[j].next)
		{
			const RoostEvent *event = &commit_shared->pool[j].u.event;

			if ((kinds & ROOST_EVENT_BIT(event->kind)) == 0)
				continue;
			if (found == max)
				found = ROOST_PENDING_UNKNOWN;
			else
				events[found++] = *event;
		}
	}
	LWLockRelease(commit_lock);
	return found;
}

/*
 * Returns the lowest bound of ids that prepared transactions have made, or 0;
 * and whether they are known.
 */
int64
roost_commit_doubt_lowest(bool *known)
{
	int64		lowest = 0;

	*known = !roost_commit_adoptable();
	if (roost_commit_in_doubt() == 0)
		return 0;

	LWLockAcquire(commit_lock, LW_SHARED);
	for (int i = 0; i < commit_shared->num_slots; i++)
	{
		DoubtSlot  *slot = &commit_shared->slots[i];

		if (slot->state == DOUBT_FREE)
			continue;
		if (slot->adopted)
			*known = false;
		if (slot->first_id != 0 && (lowest == 0 || slot->first_id < lowest))
			lowest = slot->first_id;
	}
	LWLockRelease(commit_lock);
	return lowest;
}

/*
 * Returns whether prepared transactions may be there from before shared
 * memory was.
 */
bool
roost_commit_adoptable(void)
{
	return pg_atomic_read_u32(&commit_shared->adoptable) != 0;
}

/*
 * Makes slots for the prepared transactions that were there before shared
 * memory was; called by the worker, in a transaction, not during recovery.
 */
void
roost_commit_adopt(void)
{
	SPI_connect();
	if (SPI_execute("SELECT p.transaction FROM pg_catalog.pg_prepared_xact() p"
					" JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) p.dbid"
					" WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the prepared transactions");

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		commit_slot_adopt(DatumGetTransactionId(SPI_getbinval(SPI_tuptable->vals[i],
															  SPI_tuptable->tupdesc, 1, &isnull)));
	}
	SPI_finish();

	if (pg_atomic_exchange_u32(&commit_shared->adoptable, 0) != 0)
		roost_stamp_release(NULL, ROOST_STAMP_ALL, true);
}

/*
 * Makes a slot for a prepared transaction whose events nobody knows.
 */
static void
commit_slot_adopt(TransactionId xid)
{
	int			index = commit_slot_reserve();
	bool		known = false;

	if (index < 0)
		elog(ERROR, "no slot for a prepared transaction's events");

	LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	for (int i = 0; i < commit_shared->num_slots; i++)
	{
		if (commit_shared->slots[i].state != DOUBT_FREE && commit_shared->slots[i].xid == xid)
			known = true;
	}
	if (known)
		commit_slot_free(&commit_shared->slots[index]);
	else
	{
		commit_shared->slots[index].xid = xid;
		commit_shared->slots[index].adopted = true;
		commit_shared->slots[index].lost = true;
		commit_shared->slots[index].all = true;
		commit_shared->slots[index].state = DOUBT_PREPARED;
		roost_stamp_mark_all();
	}
	LWLockRelease(commit_lock);
}

/*
 * One slot for each prepared transaction, adopted or not, and one for each
 * backend that may be about to prepare.
 */
static int
commit_num_slots(void)
{
	return max_prepared_xacts == 0 ? 0 : 2 * max_prepared_xacts + MaxBackends;
}

Size
roost_commit_doubt_shmem_size(void)
{
	return add_size(offsetof(CommitShared, slots),
					mul_size(commit_num_slots(), sizeof(DoubtSlot)));
}

void
roost_commit_doubt_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	commit_shared = area;
	commit_lock = &locks[0].lock;
	if (found)
		return;

	memset(commit_shared, 0, roost_commit_doubt_shmem_size());
	pg_atomic_init_u32(&commit_shared->num_used, 0);
	pg_atomic_init_u32(&commit_shared->adoptable, commit_num_slots() > 0 ? 1 : 0);
	commit_shared->num_slots = commit_num_slots();
	for (int i = 0; i < COMMIT_POOL_SIZE; i++)
		commit_shared->pool[i].next = i + 1 < COMMIT_POOL_SIZE ? i + 1 : -1;
	for (int i = 0; i < commit_shared->num_slots; i++)
	{
		commit_shared->slots[i].first = -1;
		commit_shared->slots[i].first_stamps = -1;
	}
}
