/*-------------------------------------------------------------------------
 *
 * commit.c
 *		Events that reach shared memory when, and only when, their
 *		transaction commits.
 *
 * Shared memory is not transactional.  So a backend keeps the events of its
 * transaction in a list of its own.  Each event is marked with the
 * subtransaction that appended it; when that commits the mark becomes its
 * parent's, when it aborts the events go.  The list grows on append only, and
 * at XACT_EVENT_COMMIT is handed to the handlers of its kinds, where nothing
 * may fail or allocate.  It holds COMMIT_EVENTS_MAX events; a larger
 * transaction hands over none, but tells every handler that events were lost.
 *
 * PREPARE TRANSACTION moves the list to shared memory: a slot with the
 * transaction's id, and its events in a pool of chained entries.  There is a
 * slot for every prepared transaction that can exist, and for every backend
 * that is about to prepare one; if the pool is full the slot says so, and
 * committing it counts as lost events.  Slots are reserved and filled before
 * the transaction is prepared, where an error is still allowed.  Nobody tells
 * us of COMMIT PREPARED, so the worker looks: once a transaction is no longer
 * in progress it has either committed (hand over) or not (forget).
 *
 * After a crash the slots are gone while the prepared transactions are not.
 * The worker then adopts each of them with a slot that says "events lost".
 *
 * commit_lock guards everything in CommitShared but the atomic count.
 * Handlers are called without it: they take locks of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "core/commit.h"
#include "core/core.h"
#include "core/debug_point.h"
#include "roost.h"

#define COMMIT_EVENTS_FIRST	64
#define COMMIT_EVENTS_KEEP	1024	/* larger lists are freed after use */
#define COMMIT_EVENTS_MAX	65536
#define COMMIT_POOL_SIZE	4096

typedef struct PendingEvent
{
	RoostEvent	event;
	SubTransactionId subid;
} PendingEvent;

/* next states: FREE -> RESERVED -> PREPARED or FREE; PREPARED -> FREE */
typedef enum DoubtState
{
	DOUBT_FREE,
	DOUBT_RESERVED,				/* by a backend about to prepare */
	DOUBT_PREPARED
} DoubtState;

typedef struct DoubtSlot
{
	DoubtState	state;
	bool		lost;			/* events are missing here */
	TransactionId xid;
	int			first;			/* in the pool, -1 at the end */
} DoubtSlot;

typedef struct DoubtEvent
{
	RoostEvent	event;
	int			next;
} DoubtEvent;

typedef struct CommitShared
{
	pg_atomic_uint32 num_used;	/* slots that are not free */

	/* guarded by commit_lock */
	bool		adopted;
	int			num_slots;
	int			free;			/* first free entry of the pool, or -1 */
	DoubtEvent	pool[COMMIT_POOL_SIZE];
	DoubtSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} CommitShared;

static CommitShared *commit_shared = NULL;
static LWLock *commit_lock = NULL;

static RoostCommitHandler commit_handlers[ROOST_EVENT_KINDS];

/* The events of this backend's transaction. */
static PendingEvent *commit_events = NULL;
static int	commit_count = 0;
static int	commit_size = 0;
static bool commit_lost = false;
static int	commit_slot = -1;	/* reserved for PREPARE */

static void commit_xact_callback(XactEvent event, void *arg);
static void commit_subxact_callback(SubXactEvent event, SubTransactionId subid,
									SubTransactionId parent, void *arg);
static void commit_hand_over(void);
static void commit_reset(void);
static void commit_prepare(void);
static int	commit_slot_reserve(void);
static bool commit_pool_fill(DoubtSlot *slot);
static void commit_slot_free(DoubtSlot *slot);
static void commit_slot_finish(int index, bool committed);
static void commit_slot_adopt(TransactionId xid);
static void commit_dispatch(const RoostEvent *event);
static void commit_dispatch_lost(void);

/*
 * Sets the handler of a kind; called by modules in their init function.
 */
void
roost_commit_handle(RoostEventKind kind, RoostCommitHandler handler)
{
	commit_handlers[kind] = handler;
}

/*
 * Keeps an event until the current (sub)transaction ends.
 */
void
roost_commit_append(const RoostEvent *event)
{
	Assert(event->kind < ROOST_EVENT_KINDS);

	if (commit_handlers[event->kind] == NULL || commit_lost || !roost_core_is_home())
		return;

	if (commit_count == COMMIT_EVENTS_MAX)
	{
		commit_lost = true;
		return;
	}
	if (commit_count == commit_size)
	{
		int			size = commit_size == 0 ? COMMIT_EVENTS_FIRST : commit_size * 2;

		if (commit_events == NULL)
			commit_events = MemoryContextAlloc(TopMemoryContext, size * sizeof(PendingEvent));
		else
			commit_events = repalloc(commit_events, size * sizeof(PendingEvent));
		commit_size = size;
	}
	commit_events[commit_count].event = *event;
	commit_events[commit_count].event.xid = U64FromFullTransactionId(GetTopFullTransactionId());
	commit_events[commit_count].subid = GetCurrentSubTransactionId();
	commit_count++;
}

static void
commit_xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (commit_count > 0 || commit_lost)
				commit_prepare();
			break;
		case XACT_EVENT_PREPARE:
			if (commit_slot >= 0)
			{
				LWLockAcquire(commit_lock, LW_EXCLUSIVE);
				commit_shared->slots[commit_slot].state = DOUBT_PREPARED;
				LWLockRelease(commit_lock);
				commit_slot = -1;
			}
			commit_reset();
			break;
		case XACT_EVENT_COMMIT:
			if (commit_count > 0 || commit_lost)
			{
				ROOST_DEBUG_POINT("commit_done");
				commit_hand_over();
			}
			break;
		case XACT_EVENT_ABORT:
			if (commit_slot >= 0)
			{
				LWLockAcquire(commit_lock, LW_EXCLUSIVE);
				commit_slot_free(&commit_shared->slots[commit_slot]);
				LWLockRelease(commit_lock);
				commit_slot = -1;
			}
			commit_reset();
			break;
		default:
			break;
	}
}

static void
commit_subxact_callback(SubXactEvent event, SubTransactionId subid,
						SubTransactionId parent, void *arg)
{
	/*
	 * Subtransaction ids increase, and what a finished child appended carries
	 * its parent's by now.  So all that belongs to this one is at the end.
	 */
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		while (commit_count > 0 && commit_events[commit_count - 1].subid >= subid)
			commit_count--;
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int i = commit_count - 1; i >= 0 && commit_events[i].subid == subid; i--)
			commit_events[i].subid = parent;
	}
}

/*
 * Gives the transaction's events to their handlers, in order; events of one
 * kind of handler that stand together go in one call.
 */
static void
commit_hand_over(void)
{
	RoostEvent *events = (RoostEvent *) commit_events;

	if (commit_lost)
	{
		commit_dispatch_lost();
		commit_reset();
		return;
	}

	/* pack them, in place, since handlers take plain events */
	for (int i = 1; i < commit_count; i++)
		memmove(&events[i], &commit_events[i].event, sizeof(RoostEvent));

	for (int from = 0, to; from < commit_count; from = to)
	{
		RoostCommitHandler handler = commit_handlers[events[from].kind];

		for (to = from + 1; to < commit_count; to++)
		{
			if (commit_handlers[events[to].kind] != handler)
				break;
		}
		handler(&events[from], to - from);
	}
	commit_reset();
}

/*
 * Empties the list.
 */
static void
commit_reset(void)
{
	commit_count = 0;
	commit_lost = false;
	if (commit_size > COMMIT_EVENTS_KEEP)
	{
		pfree(commit_events);
		commit_events = NULL;
		commit_size = 0;
	}
}

/*
 * Copies the list to shared memory, before the transaction is prepared.
 */
static void
commit_prepare(void)
{
	TransactionId xid = GetTopTransactionId();
	DoubtSlot  *slot;

	commit_slot = commit_slot_reserve();
	if (commit_slot < 0)
	{
		roost_commit_resolve();
		commit_slot = commit_slot_reserve();
	}
	if (commit_slot < 0)
		elog(ERROR, "no slot for a prepared transaction's events");

	LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	slot = &commit_shared->slots[commit_slot];
	slot->xid = xid;
	slot->lost = commit_lost || !commit_pool_fill(slot);
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
		slot->state = DOUBT_RESERVED;
		slot->xid = InvalidTransactionId;
		slot->lost = false;
		slot->first = -1;
		pg_atomic_fetch_add_u32(&commit_shared->num_used, 1);
		found = i;
	}
	LWLockRelease(commit_lock);
	return found;
}

/*
 * Puts the list into the pool, in order; returns false if there is no room.
 */
static bool
commit_pool_fill(DoubtSlot *slot)
{
	for (int i = commit_count - 1; i >= 0; i--)
	{
		int			entry = commit_shared->free;

		if (entry < 0)
			return false;
		commit_shared->free = commit_shared->pool[entry].next;
		commit_shared->pool[entry].event = commit_events[i].event;
		commit_shared->pool[entry].next = slot->first;
		slot->first = entry;
	}
	return true;
}

/*
 * Frees a slot and its events; the caller holds the lock.
 */
static void
commit_slot_free(DoubtSlot *slot)
{
	while (slot->first >= 0)
	{
		int			entry = slot->first;

		slot->first = commit_shared->pool[entry].next;
		commit_shared->pool[entry].next = commit_shared->free;
		commit_shared->free = entry;
	}
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
		commit_slot_finish(i, TransactionIdDidCommit(slot.xid));
	}
}

/*
 * Takes the events of an ended transaction out of its slot and hands them
 * over.  Somebody else may have been faster.
 */
static void
commit_slot_finish(int index, bool committed)
{
	DoubtSlot  *slot = &commit_shared->slots[index];
	bool		lost;

	LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	if (slot->state != DOUBT_PREPARED)
	{
		LWLockRelease(commit_lock);
		return;
	}
	lost = slot->lost;
	while (committed && !lost && slot->first >= 0)
	{
		int			entry = slot->first;
		RoostEvent	event = commit_shared->pool[entry].event;

		slot->first = commit_shared->pool[entry].next;
		commit_shared->pool[entry].next = commit_shared->free;
		commit_shared->free = entry;

		/* nobody else touches the slot while it is reserved */
		slot->state = DOUBT_RESERVED;
		LWLockRelease(commit_lock);
		commit_dispatch(&event);
		LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	}
	commit_slot_free(slot);
	LWLockRelease(commit_lock);

	if (committed && lost)
		commit_dispatch_lost();
}

static void
commit_dispatch(const RoostEvent *event)
{
	commit_handlers[event->kind] (event, 1);
}

/*
 * Tells every handler, once, that events were lost.
 */
static void
commit_dispatch_lost(void)
{
	for (int i = 0; i < ROOST_EVENT_KINDS; i++)
	{
		bool		told = commit_handlers[i] == NULL;

		for (int j = 0; j < i && !told; j++)
			told = commit_handlers[j] == commit_handlers[i];
		if (!told)
			commit_handlers[i] (NULL, 0);
	}
}

/*
 * Returns whether prepared transactions may be there from before shared
 * memory was.
 */
bool
roost_commit_adoptable(void)
{
	bool		adopted;

	LWLockAcquire(commit_lock, LW_SHARED);
	adopted = commit_shared->adopted || commit_shared->num_slots == 0;
	LWLockRelease(commit_lock);
	return !adopted;
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

	LWLockAcquire(commit_lock, LW_EXCLUSIVE);
	commit_shared->adopted = true;
	LWLockRelease(commit_lock);
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
		commit_shared->slots[index].lost = true;
		commit_shared->slots[index].state = DOUBT_PREPARED;
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

static Size
commit_shmem_size(void)
{
	return add_size(offsetof(CommitShared, slots),
					mul_size(commit_num_slots(), sizeof(DoubtSlot)));
}

static void
commit_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	commit_shared = area;
	commit_lock = &locks[0].lock;
	if (found)
		return;

	memset(commit_shared, 0, commit_shmem_size());
	pg_atomic_init_u32(&commit_shared->num_used, 0);
	commit_shared->num_slots = commit_num_slots();
	for (int i = 0; i < COMMIT_POOL_SIZE; i++)
		commit_shared->pool[i].next = i + 1 < COMMIT_POOL_SIZE ? i + 1 : -1;
	for (int i = 0; i < commit_shared->num_slots; i++)
		commit_shared->slots[i].first = -1;
}

static void
commit_init(void)
{
	RegisterXactCallback(commit_xact_callback, NULL);
	RegisterSubXactCallback(commit_subxact_callback, NULL);
}

const RoostModule roost_commit_module = {
	.name = "roost commit",
	.shmem_size = commit_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = commit_shmem_init,
	.init = commit_init,
};
