/*-------------------------------------------------------------------------
 *
 * stamp.c
 *		Versions of what others keep copies of, and whether a snapshot sees
 *		the newest one.
 *
 * STAMP_ENTRIES stamps lie in shared memory, found by hashing kind and id.
 * They are never evicted; two things with the same stamp cost each other
 * copies, nothing more.  A stamp is
 *
 *	state		how many transactions are about to change it (low half), and how
 *				many changes were committed (high half): one atomic value.
 *	bound		the next transaction id as it was after the newest commit.
 *
 * A transaction keeps the numbers of the stamps that it touches in a list of
 * its own.  Before it can commit it adds 1 to the low half of each.  After its
 * rows have become visible, and its events have reached the queue, it sets the
 * bound and then, in one step, takes the 1 back and adds 1 to the version.
 * After an abort it only takes the 1 back.  Touches of aborted subtransactions
 * stay in the list; that is harmless.
 *
 * A reader with snapshot S loads the state, then the bound.  Low half 0 says
 * that each transaction that touched the stamp either has finished, and is
 * counted in the version, or had not begun to commit when S was taken, since S
 * is older than this load.  The first kind must be visible in S.  When such a
 * transaction T stored bound N, every id from N on was still to be assigned.  So
 * S.xmax > N says that one of these had ended when S was taken, hence T, too.
 * And S.xmin >= N says that all below N, T's among them, had ended.  Neither
 * holds for a snapshot taken before T ended, since nothing from N on had begun.
 *
 * A transaction that touches more than STAMP_TOUCHED_MAX things touches "all":
 * a stamp that every reader looks at besides its own.  What a reader gets is
 * the sum of both versions; as neither goes down, the same sum means that
 * neither has changed.
 *
 * PREPARE TRANSACTION hands the list to commit.c, which gives it back here
 * when it knows how the transaction has ended.  Until the worker has looked for
 * transactions that were prepared before shared memory was made, "all" is
 * about to be changed.
 *
 * On a standby nothing is touched, so snapshots taken there see no good stamp.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/qunique.h"
#include "port/atomics.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/compat.h"
#include "core/core.h"
#include "core/guard.h"
#include "core/stamp.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_stamp_changed);
PG_FUNCTION_INFO_V1(roost_stamp_read_sql);

#define STAMP_ENTRIES		131072	/* a power of two */
#define STAMP_TOUCHED_FIRST	64
#define STAMP_TOUCHED_KEEP	1024	/* larger lists are freed after use */
#define STAMP_TOUCHED_MAX	8192
#define STAMP_RECENT		8	/* of the list, searched for duplicates */

#define STAMP_FLIGHT(state)		((uint32) (state))
#define STAMP_VERSION(state)	((uint32) ((state) >> 32))
#define STAMP_VERSION_ONE		(UINT64CONST(1) << 32)

typedef struct Stamp
{
	pg_atomic_uint64 state;
	pg_atomic_uint64 bound;
} Stamp;

typedef struct StampShared
{
	Stamp		all;
	char		padding[PG_CACHE_LINE_SIZE - sizeof(Stamp)];
	Stamp		stamps[STAMP_ENTRIES];
} StampShared;

static const char *const stamp_kinds[ROOST_STAMP_KINDS] = {
	[ROOST_STAMP_GRAPH] = "graph",
	[ROOST_STAMP_POST] = "post",
	[ROOST_STAMP_COUNT] = "count",
	[ROOST_STAMP_ACCOUNT] = "account",
	[ROOST_STAMP_VIEWER] = "viewer",
	[ROOST_STAMP_MEMBER] = "member",
	[ROOST_STAMP_CONVERSATION] = "conversation",
};

StaticAssertDecl(ROOST_STAMP_KINDS == 7, "each kind of stamp has a name");

static StampShared *stamp_shared = NULL;

/* What this backend's transaction has touched. */
static uint32 *stamp_touched = NULL;
static int	stamp_count = 0;
static int	stamp_size = 0;
static bool stamp_all = false;	/* too many; the list is empty */
static bool stamp_marked = false;	/* they are marked in shared memory */
static bool stamp_closed = false;	/* they are known elsewhere, too */

static void stamp_list_make_room(void);

/*
 * Returns the number of the stamp of a thing.
 */
static inline uint32
stamp_number(RoostStampKind kind, int64 id)
{
	uint64		h = (uint64) id * UINT64CONST(0x9e3779b97f4a7c15) + (uint64) kind * UINT64CONST(0xbf58476d1ce4e5b9);

	h = (h ^ (h >> 32)) * UINT64CONST(0x94d049bb133111eb);
	return (uint32) (h >> 32) % STAMP_ENTRIES;
}

/*
 * Says that a transaction is about to change what the stamp stands for.
 */
static inline void
stamp_mark(Stamp *stamp)
{
	pg_atomic_fetch_add_u64(&stamp->state, 1);
}

/*
 * Says that it has, and is visible to snapshots that match the bound.
 */
static inline void
stamp_commit(Stamp *stamp, uint64 bound)
{
	uint64		old = pg_atomic_read_u64(&stamp->bound);

	while (old < bound && !pg_atomic_compare_exchange_u64(&stamp->bound, &old, bound))
		;
	pg_atomic_fetch_add_u64(&stamp->state, STAMP_VERSION_ONE - 1);
}

/*
 * Says that it has not.
 */
static inline void
stamp_abort(Stamp *stamp)
{
	pg_atomic_fetch_sub_u64(&stamp->state, 1);
}

/*
 * Returns the next transaction id.  It is read without the lock: a 64-bit load
 * is whole, and what must be counted was assigned before our transaction
 * ended, hence before the barriers of the locks that it ended under.
 */
static uint64
stamp_next_xid(void)
{
#ifdef PG_HAVE_8BYTE_SINGLE_COPY_ATOMICITY
	pg_memory_barrier();
	return ((volatile FullTransactionId *) &TransamVariables->nextXid)->value;
#else
	return U64FromFullTransactionId(ReadNextFullTransactionId());
#endif
}

static void
stamp_too_late(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot change rows of roost in a transaction that is being prepared")));
}

/*
 * Notes that this transaction changes what the stamp stands for.
 */
void
roost_stamp_touch(RoostStampKind kind, int64 id)
{
	uint32		number = stamp_number(kind, id);

	if (stamp_all || !roost_core_is_home())
		return;
	if (stamp_closed)
		stamp_too_late();
	for (int i = stamp_count - 1; i >= 0 && i >= stamp_count - STAMP_RECENT; i--)
	{
		if (stamp_touched[i] == number)
			return;
	}
	if (stamp_count == stamp_size)
		stamp_list_make_room();
	if (stamp_all)
		return;
	stamp_touched[stamp_count++] = number;
	if (stamp_marked)
		stamp_mark(&stamp_shared->stamps[number]);
}

/*
 * Notes that this transaction changes more than it can name.
 */
void
roost_stamp_touch_all(void)
{
	if (stamp_all || !roost_core_is_home())
		return;
	if (stamp_closed)
		stamp_too_late();
	stamp_all = true;
	if (stamp_marked)
	{
		stamp_mark(&stamp_shared->all);
		for (int i = 0; i < stamp_count; i++)
			stamp_abort(&stamp_shared->stamps[stamp_touched[i]]);
	}
	stamp_count = 0;
}

static int
stamp_compare(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

/*
 * Leaves each stamp once in the list.  Marked ones are counted, so they stay as
 * they are; the newest few have been compared when they came.
 */
static void
stamp_list_unique(void)
{
	if (stamp_marked || stamp_count <= STAMP_RECENT)
		return;
	qsort(stamp_touched, stamp_count, sizeof(uint32), stamp_compare);
	stamp_count = (int) qunique(stamp_touched, stamp_count, sizeof(uint32), stamp_compare);
}

/*
 * Makes room for another one in the list, or gives the list up.
 */
static void
stamp_list_make_room(void)
{
	if (stamp_size < STAMP_TOUCHED_MAX)
	{
		int			size = Max(stamp_size * 2, STAMP_TOUCHED_FIRST);

		stamp_touched = stamp_touched == NULL ?
			MemoryContextAlloc(TopMemoryContext, size * sizeof(uint32)) :
			repalloc(stamp_touched, size * sizeof(uint32));
		stamp_size = size;
		return;
	}

	stamp_list_unique();
	if (stamp_count > STAMP_TOUCHED_MAX * 3 / 4)
		roost_stamp_touch_all();
}

/*
 * Returns how many stamps the transaction has touched, and which; -1 for all.
 */
int
roost_stamp_touched(const uint32 **numbers)
{
	stamp_list_unique();
	*numbers = stamp_touched;
	return stamp_all ? ROOST_STAMP_ALL : stamp_count;
}

/*
 * Marks what the transaction has touched, before it can be seen.  Closed: it
 * may touch no more.
 */
void
roost_stamp_mark(bool closed)
{
	stamp_closed = closed;
	if (stamp_marked || (stamp_count == 0 && !stamp_all))
		return;
	stamp_list_unique();
	if (stamp_all)
		stamp_mark(&stamp_shared->all);
	for (int i = 0; i < stamp_count; i++)
		stamp_mark(&stamp_shared->stamps[stamp_touched[i]]);
	stamp_marked = true;
}

/*
 * Ends the marks of a transaction that has ended; count as above.
 */
void
roost_stamp_release(const uint32 *numbers, int count, bool committed)
{
	uint64		bound = committed ? stamp_next_xid() : 0;

	if (count == ROOST_STAMP_ALL)
	{
		if (committed)
			stamp_commit(&stamp_shared->all, bound);
		else
			stamp_abort(&stamp_shared->all);
		return;
	}
	for (int i = 0; i < count; i++)
	{
		if (committed)
			stamp_commit(&stamp_shared->stamps[numbers[i]], bound);
		else
			stamp_abort(&stamp_shared->stamps[numbers[i]]);
	}
}

/*
 * Marks all, for a transaction of which nothing is known.
 */
void
roost_stamp_mark_all(void)
{
	stamp_mark(&stamp_shared->all);
}

/*
 * Ends this backend's transaction.
 */
void
roost_stamp_end(bool committed)
{
	if (stamp_marked)
		roost_stamp_release(stamp_touched, stamp_all ? ROOST_STAMP_ALL : stamp_count, committed);
	roost_stamp_forget();
}

/*
 * Empties the list; what it has marked is somebody else's now.
 */
void
roost_stamp_forget(void)
{
	stamp_count = 0;
	stamp_all = false;
	stamp_marked = false;
	stamp_closed = false;
	if (stamp_size > STAMP_TOUCHED_KEEP)
	{
		pfree(stamp_touched);
		stamp_touched = NULL;
		stamp_size = 0;
	}
}

/*
 * Returns whether the snapshot sees every transaction that had finished when
 * the bound was stored.  Transaction ids are compared as the server does, with
 * 32 bits, which is right for all but bounds that are more than 2^31 old; those
 * are looked at again with 64.
 */
static bool
stamp_bound_matches(uint64 bound, Snapshot snapshot)
{
	int32		ahead = (int32) (snapshot->xmax - (uint32) bound);
	uint64		next;

	if (bound == 0 || ahead > 0 || (ahead == 0 && snapshot->xmin == snapshot->xmax))
		return true;

	next = stamp_next_xid();
	return next - (uint32) ((uint32) next - snapshot->xmax) > bound;
}

/*
 * Fetches a stamp that will be read into the processor's cache.
 */
void
roost_stamp_prefetch(RoostStampKind kind, int64 id)
{
	__builtin_prefetch(&stamp_shared->stamps[stamp_number(kind, id)]);
}

/*
 * Returns whether nobody is about to change what the stamp stands for and the
 * snapshot sees all changes that were committed; if so, their version.
 *
 * Whoever has changed anything, or must not see less than a serializable
 * transaction does, reads the tables.
 */
bool
roost_stamp_read(RoostStampKind kind, int64 id, Snapshot snapshot, uint32 *version)
{
	Stamp	   *stamp = &stamp_shared->stamps[stamp_number(kind, id)];
	uint64		all;
	uint64		own;

	if (snapshot == NULL || snapshot->snapshot_type != SNAPSHOT_MVCC ||
		snapshot->takenDuringRecovery || IsolationIsSerializable() ||
		TransactionIdIsValid(GetTopTransactionIdIfAny()) ||
		!roost_core_is_home() || !roost_guard_holds())
		return false;

	all = pg_atomic_read_u64(&stamp_shared->all.state);
	own = pg_atomic_read_u64(&stamp->state);
	pg_read_barrier();
	if (STAMP_FLIGHT(all) != 0 || STAMP_FLIGHT(own) != 0 ||
		!stamp_bound_matches(pg_atomic_read_u64(&stamp_shared->all.bound), snapshot) ||
		!stamp_bound_matches(pg_atomic_read_u64(&stamp->bound), snapshot))
		return false;

	*version = STAMP_VERSION(all) + STAMP_VERSION(own);
	return true;
}

/*
 * Returns the kind of a name.
 */
static RoostStampKind
stamp_kind(const char *name)
{
	for (int i = 0; i < ROOST_STAMP_KINDS; i++)
	{
		if (strcmp(stamp_kinds[i], name) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("stamp \"%s\" does not exist", name)));
}

/*
 * Touches the stamps of the things that the columns of a row name.
 */
static void
stamp_touch_row(RoostStampKind kind, Relation relation, HeapTuple row, char **names, int n)
{
	for (int i = 0; i < n; i++)
	{
		int			attribute = SPI_fnumber(RelationGetDescr(relation), names[i]);
		bool		isnull;
		Datum		value;

		if (attribute <= 0 || SPI_gettypeid(RelationGetDescr(relation), attribute) != INT8OID)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("relation \"%s\" has no column \"%s\" of type bigint",
							RelationGetRelationName(relation), names[i])));
		value = heap_getattr(row, attribute, RelationGetDescr(relation), &isnull);
		if (!isnull)
			roost_stamp_touch(kind, DatumGetInt64(value));
	}
}

/*
 * roost_internal.stamp_changed('kind', 'column', …) touches what a row belongs
 * to; TRUNCATE touches all.
 */
Datum
roost_stamp_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	char	  **args;
	int			n;
	RoostStampKind kind;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		trigdata->tg_trigger->tgnargs < 2 ||
		TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) == TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.stamp_changed() must be an AFTER ROW or TRUNCATE trigger with a kind and columns")));

	args = trigdata->tg_trigger->tgargs;
	n = trigdata->tg_trigger->tgnargs - 1;
	kind = stamp_kind(args[0]);
	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
	{
		roost_stamp_touch_all();
		return PointerGetDatum(NULL);
	}
	stamp_touch_row(kind, trigdata->tg_relation, trigdata->tg_trigtuple, args + 1, n);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		stamp_touch_row(kind, trigdata->tg_relation, trigdata->tg_newtuple, args + 1, n);
	return PointerGetDatum(NULL);
}

/*
 * roost_internal.stamp_read(kind, id) returns the version, or NULL.
 */
Datum
roost_stamp_read_sql(PG_FUNCTION_ARGS)
{
	RoostStampKind kind = stamp_kind(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	uint32		version;

	if (!roost_stamp_read(kind, PG_GETARG_INT64(1), GetActiveSnapshot(), &version))
		PG_RETURN_NULL();
	PG_RETURN_INT64(version);
}

static Size
stamp_shmem_size(void)
{
	return sizeof(StampShared);
}

static void
stamp_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	stamp_shared = area;
	if (found)
		return;

	memset(stamp_shared, 0, sizeof(StampShared));
	pg_atomic_init_u64(&stamp_shared->all.state, max_prepared_xacts > 0 ? 1 : 0);
	pg_atomic_init_u64(&stamp_shared->all.bound, 0);
	for (int i = 0; i < STAMP_ENTRIES; i++)
	{
		pg_atomic_init_u64(&stamp_shared->stamps[i].state, 0);
		pg_atomic_init_u64(&stamp_shared->stamps[i].bound, 0);
	}
}

const RoostModule roost_stamp_module = {
	.name = "roost stamps",
	.shmem_size = stamp_shmem_size,
	.shmem_init = stamp_shmem_init,
};
