/*-------------------------------------------------------------------------
 *
 * lockout.c
 *		Counts failed logins, by account and by address, and locks them.
 *
 * A failed login ends in an error, which takes back all that its transaction
 * did.  So failures are counted in shared memory, at once and whether or not
 * the transaction commits.  The worker writes what has changed to
 * roost_data.login_lockout within one of its turns, and is woken for that;
 * the first who needs the counters after a start reads them from there.  So
 * they outlive a restart, and a crash but for its last moments.
 *
 * Up to a threshold failures cost nothing.  From then on each one locks the
 * account or address for a while: roost.lockout_delay, doubled with every
 * further failure up to roost.lockout_max_delay.  A success forgets the
 * account's failures, not the address's: its owner might be guessing others'
 * passwords between logins to an account of his own.  Failures are forgotten
 * after roost.lockout_decay without another.  An address is an IPv4 address
 * or the first 64 bits of an IPv6 address, and is kept as a number that does
 * not show it.
 *
 * There are roost.lockout_entries counters for each of the two kinds, in
 * buckets of BUCKET_ENTRIES.  In a full bucket the entry goes that is
 * nearest to being forgotten; floods of addresses never touch accounts.
 * Counters of databases that do not own the shared memory live here, too,
 * but are not saved.  The lock guards everything but the number of changes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <openssl/sha.h>

#include "access/htup_details.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "account/table_read.h"
#include "bgworker/worker.h"
#include "core/clock.h"
#include "core/core.h"
#include "live/queue.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_lockout_failed);
PG_FUNCTION_INFO_V1(roost_lockout_unlock);
PG_FUNCTION_INFO_V1(roost_lockout_locked);
PG_FUNCTION_INFO_V1(roost_lockout_stat);

#define LOCKOUT_ENTRIES_MIN			128
#define LOCKOUT_ENTRIES_DEFAULT		16384
#define LOCKOUT_ENTRIES_MAX			(4 * 1024 * 1024)
#define LOCKOUT_ACCOUNT_DEFAULT		5
#define LOCKOUT_ADDRESS_DEFAULT		50
#define LOCKOUT_FAILURES_MIN		1
#define LOCKOUT_FAILURES_MAX		100000
#define LOCKOUT_DELAY_MIN			1
#define LOCKOUT_DELAY_DEFAULT		30
#define LOCKOUT_DELAY_MAX			SECS_PER_DAY
#define LOCKOUT_MAX_DELAY_DEFAULT	SECS_PER_HOUR
#define LOCKOUT_DECAY_MIN			60
#define LOCKOUT_DECAY_DEFAULT		(12 * SECS_PER_HOUR)
#define LOCKOUT_DECAY_MAX			(30 * SECS_PER_DAY)

#define BUCKET_ENTRIES	8
#define SAVE_BATCH		256		/* counters that are saved in one statement */

typedef enum LockoutKind
{
	LOCKOUT_ACCOUNT,
	LOCKOUT_ADDRESS,
	LOCKOUT_KINDS
} LockoutKind;

static const char *const lockout_kind_names[LOCKOUT_KINDS] = {"account", "address"};

/* One counter; times in microseconds since 1970. */
typedef struct LockoutEntry
{
	int64		key;			/* 0: free */
	Oid			database;
	int32		failures;		/* 0: to be deleted from the table */
	int64		last_failed;
	int64		locked_until;
	bool		dirty;			/* not saved yet */
} LockoutEntry;

typedef struct LockoutShared
{
	pg_atomic_uint32 num_dirty; /* saved by the worker when not 0 */

	/* guarded by the lock */
	Oid			loaded;			/* the database whose table has been read */

	/* those of accounts, then those of addresses */
	LockoutEntry entries[FLEXIBLE_ARRAY_MEMBER];
} LockoutShared;

/* columns of roost_data.login_lockout */
enum
{
	LOCKOUT_KIND = 1,
	LOCKOUT_KEY,
	LOCKOUT_FAILURES,
	LOCKOUT_LAST_FAILED_AT,
	LOCKOUT_LOCKED_UNTIL
};

static int	lockout_entries;
static int	lockout_failures[LOCKOUT_KINDS];
static int	lockout_delay;
static int	lockout_max_delay;
static int	lockout_decay;

static LockoutShared *lockout_shared = NULL;
static LWLock *lockout_lock = NULL;
static uint32 lockout_num_buckets = 0;	/* of each kind; a power of two */

static bool lockout_is_saved(void);
static void lockout_ensure_loaded(void);
static void lockout_take_row(HeapTuple tuple, TupleDesc desc);
static LockoutEntry *lockout_bucket(LockoutKind kind, Oid database, int64 key);
static LockoutEntry *lockout_find(LockoutKind kind, int64 key);
static LockoutEntry *lockout_get(LockoutKind kind, int64 key);
static void lockout_count(LockoutKind kind, int64 key, int64 now);
static void lockout_forget(LockoutKind kind, int64 key);
static int64 lockout_until(LockoutKind kind, int64 key, int64 now);
static int64 lockout_forgotten_at(const LockoutEntry *entry);
static void lockout_dirty(LockoutEntry *entry);
static int64 lockout_address_key(text *address);
static bool lockout_is_dirty(void);
static void lockout_save(void);
static int	lockout_collect(LockoutEntry *batch, LockoutKind *kinds, Oid database);
static void lockout_save_batch(const LockoutEntry *batch, const LockoutKind *kinds, int count);
static void lockout_save_again(const LockoutEntry *batch, const LockoutKind *kinds, int count);

/*
 * Define the settings of the module.
 */
static void
lockout_define_gucs(void)
{
	DefineCustomIntVariable("roost.lockout_entries",
							"Number of accounts, and of addresses, whose failed logins are counted.",
							"In shared memory; the ones nearest to being forgotten make room for others.",
							&lockout_entries,
							LOCKOUT_ENTRIES_DEFAULT, LOCKOUT_ENTRIES_MIN, LOCKOUT_ENTRIES_MAX,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.lockout_account_failures",
							"Number of failed logins at which an account is locked.",
							NULL,
							&lockout_failures[LOCKOUT_ACCOUNT],
							LOCKOUT_ACCOUNT_DEFAULT, LOCKOUT_FAILURES_MIN, LOCKOUT_FAILURES_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.lockout_address_failures",
							"Number of failed logins at which an address is locked.",
							"Many people may share an address.",
							&lockout_failures[LOCKOUT_ADDRESS],
							LOCKOUT_ADDRESS_DEFAULT, LOCKOUT_FAILURES_MIN, LOCKOUT_FAILURES_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.lockout_delay",
							"How long the first lock lasts.",
							"Every further failure doubles it.",
							&lockout_delay,
							LOCKOUT_DELAY_DEFAULT, LOCKOUT_DELAY_MIN, LOCKOUT_DELAY_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.lockout_max_delay",
							"How long a lock lasts at most.",
							NULL,
							&lockout_max_delay,
							LOCKOUT_MAX_DELAY_DEFAULT, LOCKOUT_DELAY_MIN, LOCKOUT_DELAY_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.lockout_decay",
							"After which time without another failure they are forgotten.",
							"Counted from the end of the lock, if there was one.",
							&lockout_decay,
							LOCKOUT_DECAY_DEFAULT, LOCKOUT_DECAY_MIN, LOCKOUT_DECAY_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
}

/*
 * roost_internal.login_failed(login_key, address) counts a failed login.
 */
Datum
roost_lockout_failed(PG_FUNCTION_ARGS)
{
	int64		now = roost_clock_us();
	int64		address = PG_ARGISNULL(1) ? 0 : lockout_address_key(PG_GETARG_TEXT_PP(1));

	lockout_ensure_loaded();
	LWLockAcquire(lockout_lock, LW_EXCLUSIVE);
	if (!PG_ARGISNULL(0))
		lockout_count(LOCKOUT_ACCOUNT, PG_GETARG_INT64(0), now);
	lockout_count(LOCKOUT_ADDRESS, address, now);
	LWLockRelease(lockout_lock);

	if (lockout_is_saved())
		roost_queue_wake();
	PG_RETURN_VOID();
}

/*
 * roost_internal.login_unlock(login_key, address) forgets the failures of an
 * account and of an address.
 */
Datum
roost_lockout_unlock(PG_FUNCTION_ARGS)
{
	int64		address = PG_ARGISNULL(1) ? 0 : lockout_address_key(PG_GETARG_TEXT_PP(1));

	lockout_ensure_loaded();
	LWLockAcquire(lockout_lock, LW_EXCLUSIVE);
	if (!PG_ARGISNULL(0))
		lockout_forget(LOCKOUT_ACCOUNT, PG_GETARG_INT64(0));
	lockout_forget(LOCKOUT_ADDRESS, address);
	LWLockRelease(lockout_lock);

	if (lockout_is_dirty() && lockout_is_saved())
		roost_queue_wake();
	PG_RETURN_VOID();
}

/*
 * roost_internal.login_locked(login_key, address) returns for how many more
 * seconds an account or address is locked, or NULL.
 */
Datum
roost_lockout_locked(PG_FUNCTION_ARGS)
{
	int64		now = roost_clock_us();
	int64		address = PG_ARGISNULL(1) ? 0 : lockout_address_key(PG_GETARG_TEXT_PP(1));
	int64		until = 0;

	lockout_ensure_loaded();
	LWLockAcquire(lockout_lock, LW_SHARED);
	if (!PG_ARGISNULL(0))
		until = lockout_until(LOCKOUT_ACCOUNT, PG_GETARG_INT64(0), now);
	until = Max(until, lockout_until(LOCKOUT_ADDRESS, address, now));
	LWLockRelease(lockout_lock);

	if (until <= now)
		PG_RETURN_NULL();
	PG_RETURN_INT32((until - now + USECS_PER_SEC - 1) / USECS_PER_SEC);
}

/*
 * Returns whether the counters of this database are saved in its table.
 */
static bool
lockout_is_saved(void)
{
	return roost_core_is_home() && !RecoveryInProgress();
}

/*
 * Reads the counters from the table, unless somebody has since the start.
 */
static void
lockout_ensure_loaded(void)
{
	RoostTableRead read;
	HeapTuple	tuple;
	bool		loaded;

	if (!lockout_is_saved())
		return;
	LWLockAcquire(lockout_lock, LW_SHARED);
	loaded = lockout_shared->loaded == MyDatabaseId;
	LWLockRelease(lockout_lock);
	if (loaded || !roost_table_read_begin(&read, "login_lockout", 0, NULL))
		return;

	LWLockAcquire(lockout_lock, LW_EXCLUSIVE);
	if (lockout_shared->loaded != MyDatabaseId)
	{
		while ((tuple = roost_table_read_next(&read)) != NULL)
			lockout_take_row(tuple, RelationGetDescr(read.relation));
		lockout_shared->loaded = MyDatabaseId;
	}
	LWLockRelease(lockout_lock);
	roost_table_read_end(&read);
}

/*
 * Takes over one row of the table; the caller holds the lock.
 */
static void
lockout_take_row(HeapTuple tuple, TupleDesc desc)
{
	Datum		values[LOCKOUT_LOCKED_UNTIL];
	bool		nulls[LOCKOUT_LOCKED_UNTIL];
	LockoutKind kind;
	LockoutEntry *entry;

	for (int i = 0; i < LOCKOUT_LOCKED_UNTIL; i++)
		values[i] = heap_getattr(tuple, i + 1, desc, &nulls[i]);
	kind = strcmp(TextDatumGetCString(values[LOCKOUT_KIND - 1]), lockout_kind_names[LOCKOUT_ADDRESS]) == 0 ?
		LOCKOUT_ADDRESS : LOCKOUT_ACCOUNT;

	entry = lockout_get(kind, DatumGetInt64(values[LOCKOUT_KEY - 1]));
	entry->failures = DatumGetInt32(values[LOCKOUT_FAILURES - 1]);
	entry->last_failed = roost_clock_from_timestamp(DatumGetTimestampTz(values[LOCKOUT_LAST_FAILED_AT - 1]));
	entry->locked_until = nulls[LOCKOUT_LOCKED_UNTIL - 1] ? 0 :
		roost_clock_from_timestamp(DatumGetTimestampTz(values[LOCKOUT_LOCKED_UNTIL - 1]));
}

/*
 * Returns the first entry of the bucket of a key.
 */
static LockoutEntry *
lockout_bucket(LockoutKind kind, Oid database, int64 key)
{
	uint32		hash = (uint32) hash_bytes_uint32_extended((uint32) key, (uint64) key >> 32 ^ (uint64) database << 32);

	return &lockout_shared->entries[(kind * lockout_num_buckets + (hash & (lockout_num_buckets - 1))) * BUCKET_ENTRIES];
}

/*
 * Returns the entry of a key, or NULL; the caller holds the lock.
 */
static LockoutEntry *
lockout_find(LockoutKind kind, int64 key)
{
	LockoutEntry *bucket = lockout_bucket(kind, MyDatabaseId, key);

	if (key == 0)
		return NULL;
	for (int i = 0; i < BUCKET_ENTRIES; i++)
	{
		if (bucket[i].key == key && bucket[i].database == MyDatabaseId)
			return &bucket[i];
	}
	return NULL;
}

/*
 * Returns the entry of a key, made if needed in place of the one that is
 * nearest to being forgotten; the caller holds the lock.
 */
static LockoutEntry *
lockout_get(LockoutKind kind, int64 key)
{
	LockoutEntry *bucket = lockout_bucket(kind, MyDatabaseId, key);
	LockoutEntry *entry = lockout_find(kind, key);

	if (entry != NULL)
		return entry;
	entry = bucket;
	for (int i = 1; i < BUCKET_ENTRIES && entry->key != 0; i++)
	{
		if (bucket[i].key == 0 || lockout_forgotten_at(&bucket[i]) < lockout_forgotten_at(entry))
			entry = &bucket[i];
	}
	if (entry->dirty)
		pg_atomic_fetch_sub_u32(&lockout_shared->num_dirty, 1);
	memset(entry, 0, sizeof(*entry));
	entry->key = key;
	entry->database = MyDatabaseId;
	return entry;
}

/*
 * Counts a failure, and locks from the threshold on; the caller holds the
 * lock.
 */
static void
lockout_count(LockoutKind kind, int64 key, int64 now)
{
	LockoutEntry *entry;
	int			over;

	if (key == 0)
		return;
	entry = lockout_get(kind, key);
	if (lockout_forgotten_at(entry) <= now)
	{
		entry->failures = 0;
		entry->locked_until = 0;
	}
	entry->failures = Min(entry->failures, PG_INT32_MAX - 1) + 1;
	entry->last_failed = now;
	over = entry->failures - lockout_failures[kind];
	if (over >= 0)
	{
		/* no shift beyond what the longest lock needs */
		int64		seconds = Min((int64) lockout_delay << Min(over, 20), lockout_max_delay);

		entry->locked_until = now + seconds * USECS_PER_SEC;
	}
	lockout_dirty(entry);
}

/*
 * Forgets the failures of a key; the caller holds the lock.
 */
static void
lockout_forget(LockoutKind kind, int64 key)
{
	LockoutEntry *entry = lockout_find(kind, key);

	if (entry == NULL || entry->failures == 0)
		return;
	entry->failures = 0;
	entry->locked_until = 0;
	lockout_dirty(entry);
}

/*
 * Returns until when a key is locked, 0 if it is not; the caller holds the
 * lock.
 */
static int64
lockout_until(LockoutKind kind, int64 key, int64 now)
{
	LockoutEntry *entry = lockout_find(kind, key);

	return entry != NULL && entry->locked_until > now ? entry->locked_until : 0;
}

/*
 * Returns when the failures of an entry are forgotten.
 */
static int64
lockout_forgotten_at(const LockoutEntry *entry)
{
	return Max(entry->last_failed, entry->locked_until) + lockout_decay * USECS_PER_SEC;
}

/*
 * Notes that an entry has to be saved; the caller holds the lock.
 */
static void
lockout_dirty(LockoutEntry *entry)
{
	if (!entry->dirty && lockout_is_saved())
	{
		entry->dirty = true;
		pg_atomic_fetch_add_u32(&lockout_shared->num_dirty, 1);
	}
}

/*
 * Returns the number that stands for an address; 0 when it is none.
 */
static int64
lockout_address_key(text *address)
{
	char	   *string = text_to_cstring(address);
	uint8		bytes[16];
	uint8		digest[SHA256_DIGEST_LENGTH];
	static const uint8 mapped[12] = {[10] = 0xff,[11] = 0xff};
	int			length;
	int64		key;

	if (inet_pton(AF_INET, string, bytes) == 1)
		length = 4;
	else if (inet_pton(AF_INET6, string, bytes) != 1)
		return 0;
	else if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
	{
		length = 4;
		memmove(bytes, bytes + sizeof(mapped), length);
	}
	else
		length = 8;

	SHA256(bytes, length, digest);
	memcpy(&key, digest, sizeof(key));
	return key != 0 ? key : 1;
}

/*
 * Returns whether there is something to save.
 */
static bool
lockout_is_dirty(void)
{
	return pg_atomic_read_u32(&lockout_shared->num_dirty) > 0;
}

/*
 * Saves what has changed; called by the worker, in a transaction.
 */
static void
lockout_save(void)
{
	LockoutEntry batch[SAVE_BATCH];
	LockoutKind kinds[SAVE_BATCH];
	volatile int count;			/* read after an error */

	lockout_ensure_loaded();
	while ((count = lockout_collect(batch, kinds, MyDatabaseId)) > 0)
	{
		PG_TRY();
		{
			lockout_save_batch(batch, kinds, count);
		}
		PG_CATCH();
		{
			lockout_save_again(batch, kinds, count);
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
}

/*
 * Takes up to SAVE_BATCH changed entries, which count as saved from now on;
 * those that have been reset make room.
 */
static int
lockout_collect(LockoutEntry *batch, LockoutKind *kinds, Oid database)
{
	uint32		entries = lockout_num_buckets * BUCKET_ENTRIES;
	int			count = 0;

	LWLockAcquire(lockout_lock, LW_EXCLUSIVE);
	for (uint32 i = 0; i < LOCKOUT_KINDS * entries && count < SAVE_BATCH; i++)
	{
		LockoutEntry *entry = &lockout_shared->entries[i];

		if (!entry->dirty || entry->database != database)
			continue;
		entry->dirty = false;
		pg_atomic_fetch_sub_u32(&lockout_shared->num_dirty, 1);
		kinds[count] = i / entries;
		batch[count++] = *entry;
		if (entry->failures == 0)
			memset(entry, 0, sizeof(*entry));
	}
	LWLockRelease(lockout_lock);
	return count;
}

/*
 * Writes entries to the table.
 */
static void
lockout_save_batch(const LockoutEntry *batch, const LockoutKind *kinds, int count)
{
	Oid			types[5] = {TEXTARRAYOID, INT8ARRAYOID, INT4ARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID};
	Datum		columns[5][SAVE_BATCH];
	Datum		values[5];

	for (int i = 0; i < count; i++)
	{
		columns[0][i] = CStringGetTextDatum(lockout_kind_names[kinds[i]]);
		columns[1][i] = Int64GetDatum(batch[i].key);
		columns[2][i] = Int32GetDatum(batch[i].failures);
		columns[3][i] = TimestampTzGetDatum(roost_clock_timestamp(batch[i].last_failed));
		columns[4][i] = TimestampTzGetDatum(roost_clock_timestamp(batch[i].locked_until));
	}
	values[0] = PointerGetDatum(construct_array(columns[0], count, TEXTOID, -1, false, TYPALIGN_INT));
	values[1] = PointerGetDatum(construct_array(columns[1], count, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[2] = PointerGetDatum(construct_array(columns[2], count, INT4OID, 4, true, TYPALIGN_INT));
	for (int i = 3; i < 5; i++)
		values[i] = PointerGetDatum(construct_array(columns[i], count, TIMESTAMPTZOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));

	SPI_connect();
	if (SPI_execute_with_args("SELECT roost_internal.lockout_save($1, $2, $3, $4, $5)",
							  5, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not save failed logins");
	SPI_finish();
}

/*
 * Takes back that entries count as saved.
 */
static void
lockout_save_again(const LockoutEntry *batch, const LockoutKind *kinds, int count)
{
	LWLockAcquire(lockout_lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
	{
		/* one that is there has been counted on meanwhile, or is this one */
		LockoutEntry *entry = lockout_find(kinds[i], batch[i].key);

		if (entry == NULL)
		{
			entry = lockout_get(kinds[i], batch[i].key);
			*entry = batch[i];
		}
		lockout_dirty(entry);
	}
	LWLockRelease(lockout_lock);
}

/*
 * roost_internal.lockout_stat() returns the counters of this database.
 */
Datum
roost_lockout_stat(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	uint32		entries = lockout_num_buckets * BUCKET_ENTRIES;
	int64		now = roost_clock_us();

	lockout_ensure_loaded();
	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i < LOCKOUT_KINDS * entries; i++)
	{
		LockoutEntry entry;
		Datum		values[5];
		bool		nulls[5] = {false};

		LWLockAcquire(lockout_lock, LW_SHARED);
		entry = lockout_shared->entries[i];
		LWLockRelease(lockout_lock);

		if (entry.key == 0 || entry.failures == 0 || entry.database != MyDatabaseId ||
			lockout_forgotten_at(&entry) <= now)
			continue;
		values[0] = CStringGetTextDatum(lockout_kind_names[i / entries]);
		values[1] = Int64GetDatum(entry.key);
		nulls[1] = i / entries == LOCKOUT_ADDRESS || entry.key < 0;
		values[2] = Int32GetDatum(entry.failures);
		values[3] = TimestampTzGetDatum(roost_clock_timestamp(entry.last_failed));
		values[4] = TimestampTzGetDatum(roost_clock_timestamp(entry.locked_until));
		nulls[4] = entry.locked_until == 0;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * Returns the size of the counters in shared memory.
 */
static Size
lockout_shmem_size(void)
{
	lockout_num_buckets = pg_nextpower2_32(lockout_entries) / BUCKET_ENTRIES;
	return add_size(offsetof(LockoutShared, entries),
					mul_size(LOCKOUT_KINDS * (Size) lockout_num_buckets, BUCKET_ENTRIES * sizeof(LockoutEntry)));
}

/*
 * Creates the counters, or attaches to them.
 */
static void
lockout_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	lockout_shared = area;
	lockout_lock = &locks[0].lock;
	if (found)
		return;
	memset(area, 0, lockout_shmem_size());
	pg_atomic_init_u32(&lockout_shared->num_dirty, 0);
}

const RoostModule roost_lockout_module = {
	.name = "roost lockout",
	.define_gucs = lockout_define_gucs,
	.shmem_size = lockout_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = lockout_shmem_init,
};

const RoostWorkerStep roost_lockout_step = {
	.name = "save failed logins",
	.period_ms = 0,
	.transaction = true,
	.primary_only = true,
	.due = lockout_is_dirty,
	.run = lockout_save,
};
