/*-------------------------------------------------------------------------
 *
 * revocation.c
 *		Sessions and accounts whose access tokens are no longer accepted.
 *
 * The truth is roost_data.revocation: ids of sessions and accounts (they
 * never coincide), each kept for as long as a token of theirs could live.
 * Triggers on sessions and accounts write it.  A row trigger on it hands each
 * change to this file when its transaction commits, before the client hears
 * of the commit, so a revocation takes effect at once in every backend.
 *
 * Shared memory holds the same ids in roost.token_revocations slots, in
 * buckets of BUCKET_SLOTS: an id may stand in any slot of its bucket, which
 * is one cache line.  A slot whose entry has outlived all its tokens is used
 * again.  If a bucket is full, the table is asked as well until the entry
 * that found no room has ended.
 *
 * The set is read from the table by the first who needs it (after a start, a
 * restore, or when committed events were lost); until then, while a prepared
 * transaction is in doubt, on a standby and in databases that do not own the
 * shared memory, the table is asked by its primary key.
 *
 * Readers take no lock.  `loaded` names the table that the set is complete
 * for; `changes` counts what may take ids away from it.  A reader that finds
 * nothing and sees either of them moved has to ask the table.
 * The first lock guards all writing; the second is held while loading, and
 * taken before the first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/skey.h"
#include "access/stratnum.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "account/revocation.h"
#include "account/table_read.h"
#include "core/clock.h"
#include "core/commit.h"
#include "core/core.h"
#include "core/debug_point.h"
#include "core/invalidation.h"
#include "live/queue.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_revocation_check_sql);

#define TOKEN_REVOCATIONS_MIN		1024
#define TOKEN_REVOCATIONS_DEFAULT	65536
#define TOKEN_REVOCATIONS_MAX		(16 * 1024 * 1024)

#define BUCKET_SLOTS	8

/* columns of roost_data.revocation */
#define REVOCATION_ID			1
#define REVOCATION_EXPIRES_AT	3

typedef struct RevocationBucket
{
	pg_atomic_uint64 ids[BUCKET_SLOTS]; /* 0: free */
} RevocationBucket;

typedef struct RevocationShared
{
	pg_atomic_uint64 loaded;	/* database and table, 0: not loaded */
	pg_atomic_uint64 changes;	/* removals and losses */
	pg_atomic_uint64 full_until;	/* microseconds since 1970 */
} RevocationShared;

static int	token_revocations;	/* GUC */
static RevocationShared *revocation_shared = NULL;

/* Behind it the buckets, one cache line each; then the times, by slot. */
static RevocationBucket *revocation_buckets = NULL;
static int64 *revocation_expires = NULL;	/* guarded by the lock */
static uint32 revocation_num_buckets = 0;	/* a power of two */
static LWLock *revocation_lock = NULL;
static LWLock *revocation_load_lock = NULL;

/* The table, if this backend has looked since it last may have changed. */
static uint64 revocation_table = 0;

static bool revocation_is_loaded(void);
static void revocation_load(void);
static bool revocation_find(uint64 id);
static bool revocation_in_table(int64 id);
static void revocation_add(uint64 id, int64 expires);
static void revocation_remove(uint64 id);
static void revocation_not_installed(void);

/* Returns the bucket of an id. */
static inline uint32
revocation_bucket(uint64 id)
{
	return (uint32) (hash_bytes_uint32_extended((uint32) id, id >> 32) & (revocation_num_buckets - 1));
}

/*
 * Returns whether a session or its account has been revoked; now is in
 * microseconds since 1970.
 */
bool
roost_revocation_check(int64 session_id, int64 account_id, int64 now)
{
	uint64		changes = pg_atomic_read_u64(&revocation_shared->changes);

	pg_read_barrier();
	if (likely(revocation_is_loaded()))
	{
		__builtin_prefetch(&revocation_buckets[revocation_bucket(account_id)]);
		if (revocation_find(session_id) || revocation_find(account_id))
			return true;
		pg_read_barrier();
		if (pg_atomic_read_u64(&revocation_shared->changes) == changes &&
			revocation_is_loaded() &&
			pg_atomic_read_u64(&revocation_shared->full_until) <= (uint64) now)
			return false;
	}
	return revocation_in_table(session_id) || revocation_in_table(account_id);
}

/*
 * Returns whether the set in shared memory is the whole truth.
 */
static bool
revocation_is_loaded(void)
{
	if (RecoveryInProgress() || !roost_core_is_home() || roost_commit_in_doubt() > 0)
		return false;
	if (unlikely(revocation_table == 0))
	{
		Oid			schema = get_namespace_oid("roost_data", true);
		Oid			relid = OidIsValid(schema) ? get_relname_relid("revocation", schema) : InvalidOid;

		if (!OidIsValid(relid))
			revocation_not_installed();
		revocation_table = (uint64) MyDatabaseId << 32 | relid;
	}
	if (unlikely(pg_atomic_read_u64(&revocation_shared->loaded) != revocation_table))
		revocation_load();
	return pg_atomic_read_u64(&revocation_shared->loaded) == revocation_table;
}

/*
 * Makes the set equal to the table, unless somebody else is just doing that
 * or ids were taken away meanwhile.  What commits after our snapshot adds
 * itself.
 */
static void
revocation_load(void)
{
	RoostTableRead read;
	HeapTuple	tuple;
	uint64		changes;
	uint64		table = revocation_table;

	/* one that was prepared before a crash must be known to be in doubt */
	if (roost_commit_adoptable() || !LWLockConditionalAcquire(revocation_load_lock, LW_EXCLUSIVE))
		return;
	if (pg_atomic_read_u64(&revocation_shared->loaded) == table)
	{
		LWLockRelease(revocation_load_lock);
		return;
	}

	LWLockAcquire(revocation_lock, LW_EXCLUSIVE);
	pg_atomic_write_u64(&revocation_shared->loaded, 0);
	changes = pg_atomic_add_fetch_u64(&revocation_shared->changes, 1);
	for (uint32 i = 0; i < revocation_num_buckets * BUCKET_SLOTS; i++)
		pg_atomic_write_u64(&revocation_buckets[i / BUCKET_SLOTS].ids[i % BUCKET_SLOTS], 0);
	pg_atomic_write_u64(&revocation_shared->full_until, 0);
	LWLockRelease(revocation_lock);

	if (!roost_table_read_begin(&read, "revocation", 0, NULL))
		revocation_not_installed();
	ROOST_DEBUG_POINT("revocation_load");
	while ((tuple = roost_table_read_next(&read)) != NULL)
	{
		bool		isnull;
		TupleDesc	desc = RelationGetDescr(read.relation);
		int64		id = DatumGetInt64(heap_getattr(tuple, REVOCATION_ID, desc, &isnull));
		int64		expires = DatumGetTimestampTz(heap_getattr(tuple, REVOCATION_EXPIRES_AT, desc, &isnull));

		LWLockAcquire(revocation_lock, LW_EXCLUSIVE);
		revocation_add(id, roost_clock_from_timestamp(expires));
		LWLockRelease(revocation_lock);
	}
	roost_table_read_end(&read);

	LWLockAcquire(revocation_lock, LW_EXCLUSIVE);
	if (pg_atomic_read_u64(&revocation_shared->changes) == changes)
		pg_atomic_write_u64(&revocation_shared->loaded, table);
	LWLockRelease(revocation_lock);
	LWLockRelease(revocation_load_lock);
}

/*
 * Returns whether an id is in the set.
 */
static bool
revocation_find(uint64 id)
{
	RevocationBucket *bucket = &revocation_buckets[revocation_bucket(id)];

	for (int i = 0; i < BUCKET_SLOTS; i++)
	{
		if (pg_atomic_read_u64(&bucket->ids[i]) == id)
			return true;
	}
	return false;
}

/*
 * Returns whether an id is in the table.
 */
static bool
revocation_in_table(int64 id)
{
	RoostTableRead read;
	ScanKeyData key;
	bool		found;

	ScanKeyInit(&key, REVOCATION_ID, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	if (!roost_table_read_begin(&read, "revocation", 1, &key))
		revocation_not_installed();
	found = roost_table_read_next(&read) != NULL;
	roost_table_read_end(&read);
	return found;
}

/*
 * Takes over changes of the table after their commit, and hands them to the
 * worker, which logs them.
 */
static void
revocation_commit(const RoostEvent *events, int count)
{
	LWLockAcquire(revocation_lock, LW_EXCLUSIVE);
	if (events == NULL)
	{
		pg_atomic_fetch_add_u64(&revocation_shared->changes, 1);
		pg_atomic_write_u64(&revocation_shared->loaded, 0);
	}
	for (int i = 0; i < count; i++)
	{
		if (events[i].flags & ROOST_EVENT_DELETE)
			revocation_remove(events[i].value[0]);
		else
			revocation_add(events[i].value[0], events[i].value[1]);
	}
	LWLockRelease(revocation_lock);
	if (events != NULL)
		roost_queue_push(events, count);
}

/*
 * Puts an id into the set, or notes that there was no room; the caller holds
 * the lock.
 */
static void
revocation_add(uint64 id, int64 expires)
{
	uint32		bucket = revocation_bucket(id);
	pg_atomic_uint64 *ids = revocation_buckets[bucket].ids;
	int64	   *ends = &revocation_expires[bucket * BUCKET_SLOTS];
	int64		now = roost_clock_us();
	int			slot = -1;

	if (expires <= now)
		return;
	for (int i = 0; i < BUCKET_SLOTS; i++)
	{
		uint64		found = pg_atomic_read_u64(&ids[i]);

		if (found == id)
		{
			ends[i] = Max(ends[i], expires);
			return;
		}
		if (slot < 0 && (found == 0 || ends[i] <= now))
			slot = i;
	}
	if (slot >= 0)
	{
		ends[slot] = expires;
		pg_atomic_write_u64(&ids[slot], id);
	}
	else if (pg_atomic_read_u64(&revocation_shared->full_until) < (uint64) expires)
		pg_atomic_write_u64(&revocation_shared->full_until, expires);
}

/*
 * Takes an id out of the set; the caller holds the lock.
 */
static void
revocation_remove(uint64 id)
{
	pg_atomic_uint64 *ids = revocation_buckets[revocation_bucket(id)].ids;

	pg_atomic_fetch_add_u64(&revocation_shared->changes, 1);
	for (int i = 0; i < BUCKET_SLOTS; i++)
	{
		if (pg_atomic_read_u64(&ids[i]) == id)
			pg_atomic_write_u64(&ids[i], 0);
	}
}

/*
 * Raises an error because the table is missing.
 */
static void
revocation_not_installed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("roost is not installed in this database"),
			 errhint("Run SELECT roost.install().")));
}

/*
 * Notes that the table may be another one now.
 */
static void
revocation_invalidate(Oid relid)
{
	if (relid == InvalidOid || relid == (Oid) revocation_table)
		revocation_table = 0;
}

/*
 * roost_internal.session_revoked(session_id) returns whether the access
 * tokens of a session, or of an account, are refused.
 */
Datum
roost_revocation_check_sql(PG_FUNCTION_ARGS)
{
	int64		id = PG_GETARG_INT64(0);

	PG_RETURN_BOOL(roost_revocation_check(id, id, roost_clock_us()));
}

/*
 * Define the settings of the module.
 */
void
roost_revocation_define_gucs(void)
{
	DefineCustomIntVariable("roost.token_revocations",
							"Number of revoked sessions that shared memory has room for.",
							"They stay there for roost.token_access_ttl; beyond it, tokens are looked up in a table.",
							&token_revocations,
							TOKEN_REVOCATIONS_DEFAULT, TOKEN_REVOCATIONS_MIN, TOKEN_REVOCATIONS_MAX,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
}

/*
 * Returns the size of the set in shared memory.
 */
Size
roost_revocation_shmem_size(void)
{
	revocation_num_buckets = pg_nextpower2_32(token_revocations) / BUCKET_SLOTS;
	return add_size(CACHELINEALIGN(sizeof(RevocationShared)),
					mul_size(revocation_num_buckets, sizeof(RevocationBucket) + BUCKET_SLOTS * sizeof(int64)));
}

/*
 * Creates the set, or attaches to it.
 */
void
roost_revocation_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	revocation_shared = area;
	revocation_buckets = (RevocationBucket *) ((char *) area + CACHELINEALIGN(sizeof(RevocationShared)));
	revocation_expires = (int64 *) &revocation_buckets[revocation_num_buckets];
	revocation_lock = &locks[0].lock;
	revocation_load_lock = &locks[1].lock;
	if (found)
		return;

	memset(area, 0, roost_revocation_shmem_size());
	pg_atomic_init_u64(&revocation_shared->loaded, 0);
	pg_atomic_init_u64(&revocation_shared->changes, 0);
	pg_atomic_init_u64(&revocation_shared->full_until, 0);
}

/*
 * Registers callbacks; called once, when the library is loaded.
 */
void
roost_revocation_init(void)
{
	roost_invalidation_register(revocation_invalidate);
	roost_commit_handle(ROOST_EVENT_SESSION_REVOKED, revocation_commit);
}
