/*-------------------------------------------------------------------------
 *
 * standby.c
 *		On a standby: what its caches lack, and whom a reader follows.
 *
 * The worker of a standby (bgworker/follow.c) applies roost_data.feed_log to
 * outboxes and inboxes, as the worker of the primary applies events.  It says
 * in shared memory how far it is: rows up to applied_seq, and therefore every
 * post with an id below the horizon, are in the caches.
 *
 * Posts.  What a snapshot can see and the caches may lack is in the table with
 * an id from the horizon on, if the snapshot sees everything that the worker's
 * saw: the log leaves out what was deleted before it was logged.  Only imports
 * put older ids there, and leave a trace (roost_data.feed_trace) with a new id
 * in the same transaction: whoever sees such a trace does not know what is
 * pending.
 *
 * Whom a reader follows is numbered by two things that its snapshot says: how
 * many accounts (account_stat), and the newest follow's id.  Ids of follows
 * only grow, so after one change one of the two is another; imports leave a
 * trace.  After several the pair may be the old one again: so the worker forgets
 * it with each follow and unfollow that it applies.  A number (the version of
 * an inbox) stands for one such pair of one reader, as long as the pair is in
 * the table of versions; when it was forgotten or had to make room, the pair
 * gets another number and the inbox is void.  A number is given again only when
 * all inboxes were dropped since.
 *
 * An inbox is fed by lists of followers that the worker has read under its own
 * snapshot.  It is used, and built, only by snapshots that see everything which
 * that one saw, and for readers none of whose follows is above the horizon and
 * none of whose unfollows has left a trace there.  Then for every account that
 * the snapshot says is followed: its follow has been applied, which made the
 * inboxes there were void, so the inbox began later and was pushed to by lists
 * that have it.  And the other way round for those that are not.
 * The worker announces its snapshot before it uses it, and readers look again
 * after they have read (roost_standby_confirm()).
 *
 * Traces are kept for longer than TRACE_MS behind the horizon of the log.  If the worker is
 * further behind than that, nobody knows what is pending.
 *
 * After promotion nothing of this is used: snapshots are others, and what the
 * caches hold is void (roost_pending_generation() is another one in recovery).
 *
 * Locks: `lock` guards progress and the worker's snapshot; a partition of the
 * table of versions is guarded by one of the other locks.  Nobody holds two.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/pg_enum.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "core/core.h"
#include "core/debug_point.h"
#include "core/guard.h"
#include "core/id.h"
#include "core/pending.h"
#include "roost.h"
#include "timeline/box.h"
#include "timeline/standby.h"

#define STANDBY_XIDS_MAX	256
#define STANDBY_PARTITIONS	16
#define VERSIONS_PER_INBOX	2
#define VERSION_BIT			0x80000000	/* of a standby's versions */
#define VERSION_HALF_BITS	30
#define TRACE_MS			30000
#define STANDBY_STAT_COLUMNS	6

PG_FUNCTION_INFO_V1(roost_standby_stat);

/* columns of the lookups */
enum
{
	STATE_EPOCH,
	STATE_HORIZON
};
enum
{
	TRACE_ID,
	TRACE_KIND,
	TRACE_ACCOUNT_ID
};

/* Whom a reader follows */
typedef struct StandbyVersion
{
	int64		reader_id;		/* 0: free */
	int64		newest;			/* id of the newest follow, 0: none */
	int32		count;
	uint32		version;
} StandbyVersion;

typedef struct StandbyShared
{
	StandbyProgress progress;
	uint64		turn;			/* changes with the worker's snapshot */
	bool		snapshot_known;
	TransactionId xmax;
	int			xcnt;
	TransactionId xip[STANDBY_XIDS_MAX];	/* running then, ascending */

	pg_atomic_uint64 last_version;
	uint64		half;			/* of the versions that inboxes have; the
								 * worker's */
} StandbyShared;

static StandbyShared *standby_shared = NULL;
static LWLock *standby_lock = NULL;
static LWLockPadded *standby_version_locks = NULL;
static StandbyVersion *standby_versions = NULL;
static uint32 standby_num_versions = 0;

/* The worker's turn when roost_standby_version() said yes */
static uint64 standby_turn = 0;

static bool standby_is_usable(const PostReader *reader);
static bool standby_state_fits(PostReader *reader, const StandbyProgress *progress);
static int	standby_traces(PostReader *reader, int64 horizon, RoostEvent *events, int max);
static bool standby_sees_worker(Snapshot snapshot, StandbyProgress *progress, uint64 *turn);
static uint32 standby_place(int64 reader_id);
static void standby_number(int64 reader_id, int64 newest, int32 count, uint32 *version);
static void standby_renumber(void);
static bool trace_label_is(Oid kind, const char *label);
static int	xid_compare(const void *a, const void *b);

/*
 * Copies what the caches may lack of what the snapshot sees: posts as
 * post_created with id and author, unfollows as follow_deleted with the
 * follower.  Returns how many, or ROOST_PENDING_UNKNOWN.
 */
int
roost_standby_pending(PostReader *reader, RoostEvent *events, int max)
{
	const AttrNumber *columns;
	StandbyProgress progress;
	TupleTableSlot *slot;
	uint64		turn;
	int			n;

	if (!standby_is_usable(reader) || !standby_sees_worker(reader->snapshot, &progress, &turn))
		return ROOST_PENDING_UNKNOWN;
	ROOST_DEBUG_POINT("standby_pending");
	if (!standby_state_fits(reader, &progress))
		return ROOST_PENDING_UNKNOWN;
	n = standby_traces(reader, progress.horizon, events, max);
	if (n < 0)
		return ROOST_PENDING_UNKNOWN;

	columns = roost_post_columns(LOOKUP_POST);
	slot = roost_post_read_from(reader, LOOKUP_POST, progress.horizon);
	for (; slot != NULL; slot = roost_post_read_next(reader, LOOKUP_POST))
	{
		bool		isnull;

		if (n == max)
			return ROOST_PENDING_UNKNOWN;
		memset(&events[n], 0, sizeof(RoostEvent));
		events[n].kind = ROOST_EVENT_POST_CREATED;
		events[n].flags = ROOST_EVENT_INSERT;
		events[n].value[0] = DatumGetInt64(slot_getattr(slot, columns[POST_ID], &isnull));
		events[n++].value[1] = DatumGetInt64(slot_getattr(slot, columns[POST_AUTHOR_ID], &isnull));
	}
	return n;
}

/*
 * Finds the version of whom the reader follows; false if no inbox may be used.
 */
bool
roost_standby_version(PostReader *reader, int64 reader_id, uint32 *version)
{
	StandbyProgress progress;
	TupleTableSlot *slot;
	int64		newest;
	int64		count = 0;
	bool		isnull;

	if (!standby_is_usable(reader) || !standby_sees_worker(reader->snapshot, &progress, &standby_turn))
		return false;
	newest = roost_post_read_newest_follow(reader, reader_id);
	if (newest >= progress.horizon)
		return false;
	slot = roost_post_read(reader, LOOKUP_ACCOUNT_STAT, 1, reader_id, 0);
	for (; slot != NULL; slot = roost_post_read_next(reader, LOOKUP_ACCOUNT_STAT))
		count += DatumGetInt64(slot_getattr(slot, roost_post_columns(LOOKUP_ACCOUNT_STAT)[0], &isnull));
	if (count < 0 || count > PG_INT32_MAX)
		return false;
	standby_number(reader_id, newest, (int32) count, version);
	return true;
}

/*
 * Returns whether what was read or built since roost_standby_version() may be
 * used: the worker has not begun to use another snapshot.
 */
bool
roost_standby_confirm(void)
{
	bool		same;

	ROOST_DEBUG_POINT("standby_confirm");
	LWLockAcquire(standby_lock, LW_SHARED);
	same = standby_shared->progress.following && standby_shared->turn == standby_turn;
	LWLockRelease(standby_lock);
	return same && RecoveryInProgress();
}

/*
 * Returns whether this is a standby and the snapshot one of it.
 */
static bool
standby_is_usable(const PostReader *reader)
{
	return reader->snapshot->snapshot_type == SNAPSHOT_MVCC && reader->snapshot->takenDuringRecovery &&
		RecoveryInProgress() && roost_core_is_home() && roost_guard_holds();
}

/*
 * Returns whether the log that the snapshot sees is the one that the worker
 * follows, not too far ahead of it.
 */
static bool
standby_state_fits(PostReader *reader, const StandbyProgress *progress)
{
	const AttrNumber *columns = roost_post_columns(LOOKUP_FEED_STATE);
	TupleTableSlot *slot;
	int64		epoch;
	int64		horizon;
	bool		isnull;

	slot = roost_post_read_all(reader, LOOKUP_FEED_STATE);
	if (slot == NULL)
		return false;
	horizon = DatumGetInt64(slot_getattr(slot, columns[STATE_HORIZON], &isnull));
	epoch = DatumGetInt64(slot_getattr(slot, columns[STATE_EPOCH], &isnull));
	return !isnull && epoch == progress->epoch &&
		(horizon >> ROOST_ID_MS_SHIFT) - (progress->horizon >> ROOST_ID_MS_SHIFT) < TRACE_MS;
}

/*
 * Copies unfollows that have not been applied; returns how many, or -1 if rows
 * with old ids have been imported.
 */
static int
standby_traces(PostReader *reader, int64 horizon, RoostEvent *events, int max)
{
	const AttrNumber *columns = roost_post_columns(LOOKUP_FEED_TRACE);
	TupleTableSlot *slot = roost_post_read_from(reader, LOOKUP_FEED_TRACE, horizon);
	int			n = 0;

	for (int looked = 0; slot != NULL; slot = roost_post_read_next(reader, LOOKUP_FEED_TRACE), looked++)
	{
		bool		isnull;
		Oid			kind = DatumGetObjectId(slot_getattr(slot, columns[TRACE_KIND], &isnull));

		if (looked == max || trace_label_is(kind, "events_lost"))
			return -1;
		if (!trace_label_is(kind, "follow_deleted"))
			continue;
		memset(&events[n], 0, sizeof(RoostEvent));
		events[n].kind = ROOST_EVENT_FOLLOW_DELETED;
		events[n].flags = ROOST_EVENT_DELETE;
		events[n++].value[0] = DatumGetInt64(slot_getattr(slot, columns[TRACE_ACCOUNT_ID], &isnull));
	}
	return n;
}

/*
 * Returns whether a value of roost.feed_kind has this name.
 */
static bool
trace_label_is(Oid kind, const char *label)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(kind));
	bool		same;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for enum value %u", kind);
	same = strcmp(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel), label) == 0;
	ReleaseSysCache(tuple);
	return same;
}

/*
 * Returns whether a snapshot sees all that the worker's sees; fills in how far
 * the worker is, and its turn.
 */
static bool
standby_sees_worker(Snapshot snapshot, StandbyProgress *progress, uint64 *turn)
{
	bool		sees;

	if (snapshot->suboverflowed)
		return false;
	LWLockAcquire(standby_lock, LW_SHARED);
	*progress = standby_shared->progress;
	*turn = standby_shared->turn;
	sees = standby_shared->progress.following && standby_shared->snapshot_known &&
		TransactionIdFollowsOrEquals(snapshot->xmax, standby_shared->xmax);

	/* what runs for the snapshot must have run for the worker, too */
	for (int i = 0; i < snapshot->subxcnt && sees; i++)
		if (TransactionIdPrecedes(snapshot->subxip[i], standby_shared->xmax) &&
			bsearch(&snapshot->subxip[i], standby_shared->xip, standby_shared->xcnt, sizeof(TransactionId), xid_compare) == NULL)
			sees = false;
	LWLockRelease(standby_lock);
	return sees;
}

static int
xid_compare(const void *a, const void *b)
{
	TransactionId x = *(const TransactionId *) a;
	TransactionId y = *(const TransactionId *) b;

	return x < y ? -1 : x > y;
}

/*
 * Returns a reader's place in the table of versions.
 */
static uint32
standby_place(int64 reader_id)
{
	return hash_bytes_uint32_extended((uint32) reader_id, (uint64) reader_id >> 32) % standby_num_versions;
}

/*
 * Finds the number that stands for what a reader follows, or gives one.
 */
static void
standby_number(int64 reader_id, int64 newest, int32 count, uint32 *version)
{
	uint32		place = standby_place(reader_id);
	StandbyVersion *entry = &standby_versions[place];
	LWLock	   *lock = &standby_version_locks[place % STANDBY_PARTITIONS].lock;
	bool		found;

	LWLockAcquire(lock, LW_SHARED);
	found = entry->reader_id == reader_id && entry->newest == newest && entry->count == count;
	*version = entry->version;
	LWLockRelease(lock);
	if (found)
		return;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	if (entry->reader_id != reader_id || entry->newest != newest || entry->count != count)
	{
		entry->reader_id = reader_id;
		entry->newest = newest;
		entry->count = count;
		entry->version = VERSION_BIT | (uint32) pg_atomic_add_fetch_u64(&standby_shared->last_version, 1);
	}
	*version = entry->version;
	LWLockRelease(lock);
}

/*
 * The worker applies a follow or unfollow: the reader's inbox is void, also
 * when the pair is the same again.  Until that is published the snapshots that
 * see it use no inbox.
 */
void
roost_standby_forget(int64 reader_id)
{
	uint32		place = standby_place(reader_id);
	LWLock	   *lock = &standby_version_locks[place % STANDBY_PARTITIONS].lock;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	if (standby_versions[place].reader_id == reader_id)
		standby_versions[place].reader_id = 0;
	LWLockRelease(lock);
}

/*
 * Sees to it that no inbox has a version of the half that begins anew, when
 * one has been used up.
 */
static void
standby_renumber(void)
{
	uint64		half = pg_atomic_read_u64(&standby_shared->last_version) >> VERSION_HALF_BITS;

	if (half == standby_shared->half)
		return;
	for (int i = 0; i < STANDBY_PARTITIONS; i++)
	{
		LWLockAcquire(&standby_version_locks[i].lock, LW_EXCLUSIVE);
		for (uint32 place = i; place < standby_num_versions; place += STANDBY_PARTITIONS)
			standby_versions[place].reader_id = 0;
		LWLockRelease(&standby_version_locks[i].lock);
	}
	roost_timeline_cache_drop_all();
	standby_shared->half = half;
}

/*
 * Says how far the worker is.
 */
void
roost_standby_progress(StandbyProgress *progress)
{
	LWLockAcquire(standby_lock, LW_SHARED);
	*progress = standby_shared->progress;
	LWLockRelease(standby_lock);
}

/*
 * The worker has applied rows.
 */
void
roost_standby_publish(const StandbyProgress *progress)
{
	LWLockAcquire(standby_lock, LW_EXCLUSIVE);
	standby_shared->progress = *progress;
	LWLockRelease(standby_lock);
}

/*
 * The worker is about to use lists of followers, or a horizon, that it reads
 * under this snapshot.
 */
void
roost_standby_begin_batch(Snapshot snapshot)
{
	standby_renumber();
	LWLockAcquire(standby_lock, LW_EXCLUSIVE);
	standby_shared->turn++;
	standby_shared->snapshot_known = snapshot->takenDuringRecovery && !snapshot->suboverflowed &&
		snapshot->subxcnt <= STANDBY_XIDS_MAX;
	if (standby_shared->snapshot_known)
	{
		standby_shared->xmax = snapshot->xmax;
		standby_shared->xcnt = snapshot->subxcnt;
		memcpy(standby_shared->xip, snapshot->subxip, snapshot->subxcnt * sizeof(TransactionId));
		qsort(standby_shared->xip, standby_shared->xcnt, sizeof(TransactionId), xid_compare);
	}
	LWLockRelease(standby_lock);
}

/*
 * Nobody follows any more.
 */
void
roost_standby_stop(void)
{
	LWLockAcquire(standby_lock, LW_EXCLUSIVE);
	standby_shared->turn++;
	standby_shared->progress.following = false;
	LWLockRelease(standby_lock);
}

/*
 * roost_internal.standby_stat() returns how far the worker is.
 */
Datum
roost_standby_stat(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[STANDBY_STAT_COLUMNS];
	bool		nulls[STANDBY_STAT_COLUMNS] = {0};
	StandbyProgress progress;
	uint64		turn;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	LWLockAcquire(standby_lock, LW_SHARED);
	progress = standby_shared->progress;
	turn = standby_shared->turn;
	LWLockRelease(standby_lock);

	progress.following = progress.following && RecoveryInProgress();
	nulls[1] = nulls[2] = nulls[3] = !progress.following;
	values[0] = BoolGetDatum(progress.following);
	values[1] = Int64GetDatum(progress.epoch);
	values[2] = Int64GetDatum(progress.applied_seq);
	values[3] = TimestampTzGetDatum(roost_clock_timestamp((progress.horizon >> ROOST_ID_MS_SHIFT) * 1000));
	values[4] = Int64GetDatum((int64) turn);
	values[5] = Int64GetDatum((int64) pg_atomic_read_u64(&standby_shared->last_version));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

static Size
standby_shmem_size(void)
{
	standby_num_versions = Max((uint32) roost_timeline_cache_room(TIMELINE_INBOX), 64) * VERSIONS_PER_INBOX;
	return add_size(CACHELINEALIGN(sizeof(StandbyShared)), mul_size(standby_num_versions, sizeof(StandbyVersion)));
}

static void
standby_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	standby_shared = area;
	standby_versions = (StandbyVersion *) ((char *) area + CACHELINEALIGN(sizeof(StandbyShared)));
	standby_lock = &locks[0].lock;
	standby_version_locks = &locks[1];
	if (found)
		return;
	memset(area, 0, standby_shmem_size());
	pg_atomic_init_u64(&standby_shared->last_version, 0);
}

const RoostModule roost_standby_module = {
	.name = "roost standby",
	.shmem_size = standby_shmem_size,
	.num_lwlocks = 1 + STANDBY_PARTITIONS,
	.shmem_init = standby_shmem_init,
};
