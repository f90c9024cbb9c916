/*-------------------------------------------------------------------------
 *
 * failure.c
 *		Failed logins, for the audit trail.
 *
 * A failed login ends in an error, which takes back all that its transaction
 * did.  So it is counted here, in shared memory, and the worker writes the
 * entry "login.failed": the first one of an account at once, and what follows
 * within a minute as one entry with their number.  Logins under a name that
 * nobody has are counted together, as those of account 0.
 *
 * There are FAILURE_ENTRIES counters, of all databases; only those of the
 * database that owns the shared memory are written.  When all are in use, what
 * comes is counted with account 0, so that nothing is lost but whose it was.  A
 * stop of the server loses what has not been written: a minute at most.  The
 * lock guards everything but the number waiting.
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
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "audit/audit.h"
#include "core/clock.h"
#include "core/core.h"
#include "core/json.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_audit_login_failed);

#define FAILURE_ENTRIES		1024
#define FAILURE_PAUSE_US	(60 * USECS_PER_SEC)	/* between entries of an
													 * account */

typedef struct FailureEntry
{
	int64		account_id;		/* 0: nobody's */
	int32		failures;		/* not written yet; 0: the entry is free */
	int64		first_us;
	int64		last_us;
	int64		written_us;		/* when the former ones were */
} FailureEntry;

typedef struct FailureShared
{
	pg_atomic_uint32 waiting;	/* entries with failures */
	FailureEntry entries[FAILURE_ENTRIES];	/* the first one is nobody's */
} FailureShared;

static FailureShared *failure_shared = NULL;
static LWLock *failure_lock = NULL;

static FailureEntry *failure_find(int64 account_id);
static void failure_write(const FailureEntry *entry);

/*
 * roost_internal.audit_login_failed(account_id) counts a failed login, whatever
 * becomes of the transaction.
 */
Datum
roost_audit_login_failed(PG_FUNCTION_ARGS)
{
	int64		now = roost_clock_us();
	FailureEntry *entry;

	if (!roost_core_is_home() || RecoveryInProgress())
		PG_RETURN_VOID();
	LWLockAcquire(failure_lock, LW_EXCLUSIVE);
	entry = failure_find(PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0));
	if (entry->failures == 0)
	{
		entry->first_us = now;
		pg_atomic_fetch_add_u32(&failure_shared->waiting, 1);
	}
	entry->failures++;
	entry->last_us = now;
	LWLockRelease(failure_lock);
	PG_RETURN_VOID();
}

/*
 * Returns the entry of an account; the caller holds the lock.  A new one takes
 * the place of the one that was written longest ago.
 */
static FailureEntry *
failure_find(int64 account_id)
{
	FailureEntry *oldest = NULL;

	for (int i = 1; i < FAILURE_ENTRIES && account_id != 0; i++)
	{
		FailureEntry *entry = &failure_shared->entries[i];

		if (entry->account_id == account_id)
			return entry;
		if (entry->failures == 0 && (oldest == NULL || entry->written_us < oldest->written_us))
			oldest = entry;
	}
	if (oldest == NULL)
		return &failure_shared->entries[0];
	memset(oldest, 0, sizeof(FailureEntry));
	oldest->account_id = account_id;
	return oldest;
}

/*
 * Writes entries for what was counted; called by the worker, in a transaction.
 */
void
roost_audit_failures(void)
{
	FailureEntry *taken;
	int			count = 0;
	int64		now = roost_clock_us();

	if (pg_atomic_read_u32(&failure_shared->waiting) == 0)
		return;
	taken = palloc(FAILURE_ENTRIES * sizeof(FailureEntry));
	LWLockAcquire(failure_lock, LW_EXCLUSIVE);
	for (int i = 0; i < FAILURE_ENTRIES; i++)
	{
		FailureEntry *entry = &failure_shared->entries[i];

		if (entry->failures == 0 || (entry->written_us != 0 && now - entry->written_us < FAILURE_PAUSE_US && now >= entry->written_us))
			continue;
		taken[count++] = *entry;
		entry->failures = 0;
		entry->written_us = now;
		pg_atomic_fetch_sub_u32(&failure_shared->waiting, 1);
	}
	LWLockRelease(failure_lock);

	for (int i = 0; i < count; i++)
		failure_write(&taken[i]);
	pfree(taken);
}

/*
 * Writes one.
 */
static void
failure_write(const FailureEntry *failure)
{
	AuditEntry	entry = {0};
	StringInfoData detail;

	entry.action = "login.failed";
	entry.object_type = "account";
	if (failure->account_id != 0)
		entry.object_id = psprintf(INT64_FORMAT, failure->account_id);
	entry.account_id = failure->account_id;
	initStringInfo(&detail);
	appendStringInfo(&detail, "{\"count\": %d, \"first_at\": ", failure->failures);
	roost_json_timestamptz(&detail, roost_clock_timestamp(failure->first_us));
	appendStringInfoString(&detail, ", \"last_at\": ");
	roost_json_timestamptz(&detail, roost_clock_timestamp(failure->last_us));
	appendStringInfoChar(&detail, '}');
	entry.detail = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(detail.data)));
	roost_audit_write(&entry);
}

static Size
failure_shmem_size(void)
{
	return sizeof(FailureShared);
}

static void
failure_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	failure_shared = area;
	failure_lock = &locks[0].lock;
	if (found)
		return;
	memset(area, 0, sizeof(FailureShared));
	pg_atomic_init_u32(&failure_shared->waiting, 0);
}

const RoostModule roost_audit_failure_module = {
	.name = "roost audit failures",
	.shmem_size = failure_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = failure_shmem_init,
};
