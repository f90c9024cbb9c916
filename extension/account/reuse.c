/*-------------------------------------------------------------------------
 *
 * reuse.c
 *		Sessions that end because a refresh token of theirs was used twice.
 *
 * The request that finds out fails, and its transaction with it.  So the
 * session is noted here, in shared memory, where the next refresh looks; the
 * worker, woken for that, revokes it in the table within one of its turns,
 * which ends its access tokens as well.
 *
 * Kept are the last REUSE_ENTRIES such sessions, of all databases, in a ring;
 * the oldest goes, which the worker has long seen to.  Only the database that
 * owns the shared memory has a worker; in others a session noted here is
 * refused as long as it stands in the ring.  Nothing is rebuilt after a
 * crash: what was lost with it is found out when the token is used again.
 * The lock guards everything but the number waiting.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/array.h"

#include "bgworker/worker.h"
#include "core/core.h"
#include "live/queue.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_reuse_session_kill);
PG_FUNCTION_INFO_V1(roost_reuse_session_killed);

#define REUSE_ENTRIES	1024

typedef struct ReuseEntry
{
	int64		session_id;		/* 0: free */
	Oid			database;
	bool		waiting;		/* for the worker */
} ReuseEntry;

typedef struct ReuseShared
{
	pg_atomic_uint32 num_waiting;

	/* guarded by the lock */
	uint32		next;			/* the entry to be written next: the oldest */
	ReuseEntry	entries[REUSE_ENTRIES];
} ReuseShared;

static ReuseShared *reuse_shared = NULL;
static LWLock *reuse_lock = NULL;

static bool reuse_contains(int64 session_id);
static void reuse_set_waiting(ReuseEntry *entry, bool waiting);
static void reuse_revoke(Datum *ids, int count);

/*
 * roost_internal.session_kill(session_id) ends a session, whatever becomes of
 * the transaction.
 */
Datum
roost_reuse_session_kill(PG_FUNCTION_ARGS)
{
	int64		session_id = PG_GETARG_INT64(0);
	bool		worker = roost_core_is_home() && !RecoveryInProgress();

	LWLockAcquire(reuse_lock, LW_EXCLUSIVE);
	if (!reuse_contains(session_id))
	{
		ReuseEntry *entry = &reuse_shared->entries[reuse_shared->next++ % REUSE_ENTRIES];

		reuse_set_waiting(entry, false);
		entry->session_id = session_id;
		entry->database = MyDatabaseId;
		reuse_set_waiting(entry, worker);
	}
	LWLockRelease(reuse_lock);

	if (worker)
		roost_queue_wake();
	PG_RETURN_VOID();
}

/*
 * roost_internal.session_killed(session_id) returns whether a session was
 * ended so, and the table may not say it yet.
 */
Datum
roost_reuse_session_killed(PG_FUNCTION_ARGS)
{
	bool		found;

	LWLockAcquire(reuse_lock, LW_SHARED);
	found = reuse_contains(PG_GETARG_INT64(0));
	LWLockRelease(reuse_lock);
	PG_RETURN_BOOL(found);
}

/*
 * Returns whether a session of this database is in the ring; the caller holds
 * the lock.
 */
static bool
reuse_contains(int64 session_id)
{
	for (int i = 0; i < REUSE_ENTRIES; i++)
	{
		if (reuse_shared->entries[i].session_id == session_id &&
			reuse_shared->entries[i].database == MyDatabaseId)
			return true;
	}
	return false;
}

/*
 * Sets whether an entry waits for the worker; the caller holds the lock.
 */
static void
reuse_set_waiting(ReuseEntry *entry, bool waiting)
{
	if (entry->waiting != waiting)
		pg_atomic_fetch_add_u32(&reuse_shared->num_waiting, waiting ? 1 : -1);
	entry->waiting = waiting;
}

/*
 * Returns whether there is something for the worker to do.
 */
static bool
reuse_is_waiting(void)
{
	return pg_atomic_read_u32(&reuse_shared->num_waiting) > 0;
}

/*
 * Revokes the sessions that wait for it; called by the worker, in a
 * transaction.
 */
static void
reuse_run(void)
{
	Datum		ids[REUSE_ENTRIES];
	bool		taken[REUSE_ENTRIES] = {false};
	int			count = 0;

	LWLockAcquire(reuse_lock, LW_EXCLUSIVE);
	for (int i = 0; i < REUSE_ENTRIES; i++)
	{
		ReuseEntry *entry = &reuse_shared->entries[i];

		taken[i] = entry->waiting && entry->database == MyDatabaseId;
		if (!taken[i])
			continue;
		ids[count++] = Int64GetDatum(entry->session_id);
		reuse_set_waiting(entry, false);
	}
	LWLockRelease(reuse_lock);

	PG_TRY();
	{
		reuse_revoke(ids, count);
	}
	PG_CATCH();
	{
		LWLockAcquire(reuse_lock, LW_EXCLUSIVE);
		for (int i = 0; i < REUSE_ENTRIES; i++)
		{
			if (taken[i])
				reuse_set_waiting(&reuse_shared->entries[i], true);
		}
		LWLockRelease(reuse_lock);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/*
 * Revokes sessions in the table.
 */
static void
reuse_revoke(Datum *ids, int count)
{
	Oid			types[1] = {INT8ARRAYOID};
	Datum		values[1] = {PointerGetDatum(construct_array(ids, count, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))};

	SPI_connect();
	if (SPI_execute_with_args("SELECT roost_internal.session_end($1)", 1, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not revoke sessions");
	SPI_finish();
}

static Size
reuse_shmem_size(void)
{
	return sizeof(ReuseShared);
}

/*
 * Creates the ring, or attaches to it.
 */
static void
reuse_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	reuse_shared = area;
	reuse_lock = &locks[0].lock;
	if (found)
		return;
	memset(area, 0, sizeof(ReuseShared));
	pg_atomic_init_u32(&reuse_shared->num_waiting, 0);
}

const RoostModule roost_reuse_module = {
	.name = "roost reuse",
	.shmem_size = reuse_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = reuse_shmem_init,
};

const RoostWorkerStep roost_reuse_step = {
	.name = "revoke sessions",
	.period_ms = 0,
	.transaction = true,
	.primary_only = true,
	.due = reuse_is_waiting,
	.run = reuse_run,
};
