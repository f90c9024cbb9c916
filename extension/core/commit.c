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
 * PREPARE TRANSACTION moves the list to shared memory (commit_doubt.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "core/announce.h"
#include "core/commit.h"
#include "core/commit_doubt.h"
#include "core/core.h"
#include "core/debug_point.h"
#include "core/pending.h"
#include "core/stamp.h"
#include "roost.h"

#define COMMIT_EVENTS_FIRST	64
#define COMMIT_EVENTS_KEEP	1024	/* larger lists are freed after use */
#define COMMIT_EVENTS_MAX	65536

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
		roost_commit_dispatch_lost();
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
	TransactionId xid;

	commit_closing = true;
	if (commit_count == 0 && !commit_lost && roost_stamp_touched(&stamps) == 0)
		return;

	xid = GetTopTransactionId();
	commit_slot = roost_commit_doubt_reserve();
	roost_commit_doubt_fill(commit_slot, xid, commit_events, commit_count, commit_lost);
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
		roost_commit_doubt_prepared(commit_slot);
		commit_slot = -1;
		roost_stamp_forget();
	}
	commit_reset();
}

/*
 * Gives one event to its handler.
 */
void
roost_commit_dispatch(const RoostEvent *event)
{
	commit_handlers[event->kind] (event, 1);
}

/*
 * Tells every handler, once, that events were lost.
 */
void
roost_commit_dispatch_lost(void)
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

static void
commit_init(void)
{
	RegisterXactCallback(commit_xact_callback, NULL);
	RegisterSubXactCallback(commit_subxact_callback, NULL);
}

const RoostModule roost_commit_module = {
	.name = "roost commit",
	.shmem_size = roost_commit_doubt_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = roost_commit_doubt_shmem_init,
	.init = commit_init,
};
