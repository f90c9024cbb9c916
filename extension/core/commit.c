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
 * Before the commit the events are announced (announce.c) and the stamps of
 * what they change are marked (stamp.c); both end after the handlers have had
 * the events.  So whoever sees the transaction's rows also sees, somewhere, its
 * events.  An error in between aborts the transaction, and ABORT takes both
 * back.  After the transaction is recorded as committed an error or exit is a
 * PANIC, after which shared memory is new.  What another extension's callback
 * writes between the announcement and the commit is announced as "more".
 *
 * PREPARE TRANSACTION moves the list to shared memory: a slot with the
 * transaction's id, and its events and stamps in a pool of chained entries.
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
#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "core/announce.h"
#include "core/commit.h"
#include "core/core.h"
#include "core/debug_point.h"
#include "core/pending.h"
#include "core/stamp.h"
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

static RoostCommitHandler commit_handlers[ROOST_EVENT_KINDS];

/* The events of this backend's transaction. */
static PendingEvent *commit_events = NULL;
static int	commit_count = 0;
static int	commit_size = 0;
static bool commit_lost = false;
static int	commit_slot = -1;	/* reserved for PREPARE */
static bool commit_closing = false; /* announced: what comes now is late */
static bool commit_announced = false;

static void commit_xact_callback(XactEvent event, void *arg);
static void commit_subxact_callback(SubXactEvent event, SubTransactionId subid,
									SubTransactionId parent, void *arg);
static void commit_touch(const RoostEvent *event);
static void commit_late(void);
static void commit_announce(void);
static void commit_hand_over(void);
static void commit_reset(void);
static void commit_prepare(void);
static void commit_prepared(void);
static int	commit_slot_reserve(void);
static int	commit_pool_take(void);
static bool commit_pool_fill(DoubtSlot *slot);
static bool commit_pool_fill_stamps(DoubtSlot *slot);
static void commit_pool_free(int first);
static void commit_slot_free(DoubtSlot *slot);
static void commit_slot_finish(int index, TransactionId xid, bool committed);
static void commit_slot_release(DoubtSlot *slot, bool committed);
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

	if (!roost_core_is_home())
		return;
	commit_touch(event);
	if (commit_handlers[event->kind] == NULL || commit_lost)
		return;

	if (commit_count == COMMIT_EVENTS_MAX)
	{
		roost_commit_lose();
		return;
	}
	if (commit_closing)
		commit_late();
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

/*
 * Counts the events of this transaction as lost, when it commits: something
 * has changed that they cannot say.
 */
void
roost_commit_lose(void)
{
	if (commit_lost || !roost_core_is_home())
		return;
	if (commit_closing)
		commit_late();
	commit_lost = true;
}

/*
 * Touches the stamps of what an event changes.
 */
static void
commit_touch(const RoostEvent *event)
{
	switch (event->kind)
	{
		case ROOST_EVENT_FOLLOW_CREATED:
		case ROOST_EVENT_FOLLOW_DELETED:
			roost_stamp_touch(ROOST_STAMP_GRAPH, event->value[0]);
			break;
		case ROOST_EVENT_POST_UPDATED:
		case ROOST_EVENT_POST_DELETED:
			roost_stamp_touch(ROOST_STAMP_POST, event->value[0]);
			break;
		case ROOST_EVENT_ACCOUNT_UPDATED:
		case ROOST_EVENT_ACCOUNT_DELETED:
			roost_stamp_touch(ROOST_STAMP_ACCOUNT, event->value[0]);
			break;
		default:
			break;
	}
}

/*
 * Announces that there is more than is announced: what comes after the
 * announcement, from another extension's callback.
 */
static void
commit_late(void)
{
	if (commit_slot >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot change rows of roost in a transaction that is being prepared")));
	if (!commit_announced)
		roost_announce_begin();
	roost_announce_overflow();
	if (!commit_announced)
		roost_announce_publish();
	commit_announced = true;
}

/*
 * Announces what the transaction is about to commit.
 */
static void
commit_announce(void)
{
	commit_closing = true;
	roost_stamp_mark(false);
	if (commit_lost)
	{
		commit_late();
		return;
	}
	for (int i = 0; i < commit_count; i++)
	{
		if ((ROOST_PENDING_KINDS & ROOST_EVENT_BIT(commit_events[i].event.kind)) == 0)
			continue;
		if (!commit_announced)
			roost_announce_begin();
		commit_announced = true;
		roost_announce_add(&commit_events[i].event);
	}
	if (commit_announced)
		roost_announce_publish();
}

static void
commit_xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			commit_announce();
			if (commit_announced)
				ROOST_DEBUG_POINT("commit_announced");
			break;
		case XACT_EVENT_PRE_PREPARE:
			commit_prepare();
			break;
		case XACT_EVENT_PREPARE:
			commit_prepared();
			break;
		case XACT_EVENT_COMMIT:
			if (commit_count > 0 || commit_lost)
			{
				ROOST_DEBUG_POINT("commit_done");
				commit_hand_over();
			}
			roost_stamp_end(true);
			commit_reset();
			break;
		case XACT_EVENT_ABORT:
			if (commit_slot >= 0)
				commit_prepared();
			roost_stamp_end(false);
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
}

/*
 * Ends the transaction: empties the list, takes back what was announced.
 */
static void
commit_reset(void)
{
	roost_announce_retract();
	roost_announce_let_go();
	commit_closing = false;
	commit_announced = false;
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
	const uint32 *stamps;
	DoubtSlot  *slot;
	TransactionId xid;

	commit_closing = true;
	if (commit_count == 0 && !commit_lost && roost_stamp_touched(&stamps) == 0)
		return;

	xid = GetTopTransactionId();
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
	slot->first_id = roost_announce_held();
	slot->lost = commit_lost || !commit_pool_fill(slot);
	slot->all = !commit_pool_fill_stamps(slot);
	LWLockRelease(commit_lock);

	if (slot->all)
		roost_stamp_touch_all();
	roost_stamp_mark(true);
}

/*
 * Leaves the slot to who resolves prepared transactions; also if preparing has
 * failed, since it may have been too late for that.
 */
static void
commit_prepared(void)
{
	if (commit_slot >= 0)
	{
		LWLockAcquire(commit_lock, LW_EXCLUSIVE);
		commit_shared->slots[commit_slot].state = DOUBT_PREPARED;
		LWLockRelease(commit_lock);
		commit_slot = -1;
		roost_stamp_forget();
	}
	commit_reset();
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
commit_pool_fill(DoubtSlot *slot)
{
	for (int i = commit_count - 1; i >= 0; i--)
	{
		int			entry = commit_pool_take();

		if (entry < 0)
			return false;
		commit_shared->pool[entry].u.event = commit_events[i].event;
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
		commit_dispatch_lost();
	else if (committed)
	{
		for (int i = slot->first; i >= 0; i = commit_shared->pool[i].next)
			commit_dispatch(&commit_shared->pool[i].u.event);
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
