/*-------------------------------------------------------------------------
 *
 * id.c
 *		Makes identifiers that strictly increase on this node.
 *
 * Shared memory holds the newest tick (milliseconds << 6 | sequence) that
 * was given out, for all databases of the server together.  A new id takes
 * the larger of the clock's tick and the newest tick + 1, by compare and
 * swap: no lock.  So ids increase when the clock steps back, and a burst of
 * more than 64 in a millisecond borrows from the next one.
 *
 * Shared memory is gone after a crash, and a promoted standby never had it.
 * Therefore the sequence roost_data.id_high of each database holds a
 * millisecond below which all ids of that database lie.  A backend that
 * needs an id at or above what it knows of the sequence first moves it
 * ID_RESERVE_MS ahead.  setval() writes WAL before anybody can use the new
 * range, hence every commit record of a transaction that uses it comes later
 * in the WAL: whatever survives, the sequence's value survives too.
 *
 * After a start the first id of each database begins at its sequence's value
 * (at most a second ahead of the clock).  Shared memory keeps which databases
 * have done that, up to ID_DATABASES; in any more of them every new backend
 * does it, which is as safe and only runs up to a second ahead.  A value that
 * is above everything this node has reserved comes from a restored dump and
 * is respected as well.
 *
 * Before a transaction makes its first id it announces that it has made none
 * below (core/announce.h).
 *
 * The lock guards moving the sequence and everything but the tick.  It is
 * taken while holding a lock on the sequence, never the other way around.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lmgr.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "core/announce.h"
#include "core/clock.h"
#include "core/core.h"
#include "core/debug_point.h"
#include "core/id.h"
#include "core/invalidation.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_id_next_sql);
PG_FUNCTION_INFO_V1(roost_id_at);
PG_FUNCTION_INFO_V1(roost_id_floor);
PG_FUNCTION_INFO_V1(roost_id_time);
PG_FUNCTION_INFO_V1(roost_id_bucket);

#define ID_RESERVE_MS	1000
#define ID_DATABASES	64

typedef struct IdShared
{
	pg_atomic_uint64 tick;		/* the newest tick given out */

	/* guarded by the lock */
	int64		high;			/* largest sequence value known on this node */
	int			num_databases;
	Oid			databases[ID_DATABASES];	/* have begun since the start */
} IdShared;

static IdShared *id_shared = NULL;
static LWLock *id_lock = NULL;

/* What this backend knows: ids below this millisecond may be used. */
static int64 id_reserved = 0;
static Oid	id_sequence = InvalidOid;

static void id_reserve(int64 ms);
static int64 id_sequence_advance(Relation rel, int64 ms);
static bool id_database_begins(void);
static void id_tick_raise(int64 ms);
static Relation id_sequence_open(void);
static Oid	id_sequence_find(void);
static int64 id_ms_check(TimestampTz at);
static void id_relation_changed(Oid relid);

/*
 * Returns a new id, larger than every earlier id of this node.
 */
int64
roost_id_next(int32 bucket)
{
	uint64		old;
	uint64		tick;

	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot make an id during recovery")));
	PreventCommandIfReadOnly("roost_internal.id_next()");
	PreventCommandIfParallelMode("roost_internal.id_next()");

	if (id_reserved == 0)
		id_reserve(roost_clock_ms());
	if (roost_announce_held() == 0 && roost_core_is_home())
		roost_announce_hold(Max(roost_id_lowest(), 1));
	old = pg_atomic_read_u64(&id_shared->tick);
	for (;;)
	{
		tick = Max((uint64) roost_clock_ms() << ROOST_ID_SEQUENCE_BITS, old + 1);
		if ((int64) (tick >> ROOST_ID_SEQUENCE_BITS) >= id_reserved)
		{
			id_reserve((int64) (tick >> ROOST_ID_SEQUENCE_BITS));
			old = pg_atomic_read_u64(&id_shared->tick);
			continue;
		}
		if (pg_atomic_compare_exchange_u64(&id_shared->tick, &old, tick))
			break;
	}
	ROOST_DEBUG_POINT("id_made");

	return (int64) (tick << ROOST_ID_BUCKET_BITS) | (bucket & ROOST_ID_BUCKET_MASK);
}

/*
 * Returns a lower bound of the ids to be made, or 0 if none has been made since
 * the start.
 */
int64
roost_id_lowest(void)
{
	uint64		tick = pg_atomic_read_u64(&id_shared->tick);

	return tick == 0 ? 0 : (int64) ((tick + 1) << ROOST_ID_BUCKET_BITS);
}

/*
 * Returns a bucket for an account, which has no owner but itself.
 */
int32
roost_id_random_bucket(void)
{
	return (int32) pg_prng_uint64_range(&pg_global_prng_state, 0, ROOST_ID_BUCKET_MASK);
}

/*
 * Makes a millisecond usable for this backend: moves the sequence past it
 * unless somebody else has.
 */
static void
id_reserve(int64 ms)
{
	Relation	rel = id_sequence_open();
	Oid			user;
	int			context;

	/* Whoever may make ids need not have rights on the sequence. */
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(rel->rd_rel->relowner, context | SECURITY_LOCAL_USERID_CHANGE);

	LWLockAcquire(id_lock, LW_EXCLUSIVE);
	id_reserved = id_sequence_advance(rel, ms);
	LWLockRelease(id_lock);

	SetUserIdAndSecContext(user, context);

	/* keep the lock: setval() does so, too */
	relation_close(rel, NoLock);
}

/*
 * Returns the millisecond below which ids may be made now; wants it to be
 * above the given one, but the caller has to look again, since the tick may
 * have been raised.
 */
static int64
id_sequence_advance(Relation rel, int64 ms)
{
	LOCAL_FCINFO(fcinfo, 1);
	int64		high = 0;

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = ObjectIdGetDatum(RelationGetRelid(rel));
	fcinfo->args[0].isnull = false;
	high = DatumGetInt64(pg_sequence_last_value(fcinfo));
	if (fcinfo->isnull)
		high = 0;

	if (id_database_begins() || high > id_shared->high)
	{
		id_tick_raise(high);
		id_shared->high = Max(id_shared->high, high);
		ms = Max(ms, high);
	}

	if (high <= ms)
	{
		high = ms + ID_RESERVE_MS;
		(void) DirectFunctionCall2(setval_oid,
								   ObjectIdGetDatum(RelationGetRelid(rel)),
								   Int64GetDatum(high));
		id_shared->high = Max(id_shared->high, high);
	}
	return high;
}

/*
 * Returns true if no id has been made in this database since the start, as
 * far as we remember.
 */
static bool
id_database_begins(void)
{
	for (int i = 0; i < id_shared->num_databases; i++)
	{
		if (id_shared->databases[i] == MyDatabaseId)
			return false;
	}
	if (id_shared->num_databases < ID_DATABASES)
		id_shared->databases[id_shared->num_databases++] = MyDatabaseId;
	else if (id_reserved != 0)
		return false;
	return true;
}

/*
 * Lets no id below a millisecond be made from now on.
 */
static void
id_tick_raise(int64 ms)
{
	uint64		floor = (uint64) ms << ROOST_ID_SEQUENCE_BITS;
	uint64		old = pg_atomic_read_u64(&id_shared->tick);

	while (old < floor &&
		   !pg_atomic_compare_exchange_u64(&id_shared->tick, &old, floor))
		;
}

/*
 * Returns the sequence, open and locked as setval() wants it, so that it
 * takes no further lock.
 */
static Relation
id_sequence_open(void)
{
	Relation	rel = NULL;

	if (OidIsValid(id_sequence))
		rel = try_relation_open(id_sequence, RowExclusiveLock);
	if (rel == NULL)
	{
		id_sequence = id_sequence_find();
		rel = relation_open(id_sequence, RowExclusiveLock);
	}
	return rel;
}

static Oid
id_sequence_find(void)
{
	Oid			schema = get_namespace_oid("roost_data", true);
	Oid			sequence = InvalidOid;

	if (OidIsValid(schema))
		sequence = get_relname_relid("id_high", schema);
	if (!OidIsValid(sequence) || get_rel_relkind(sequence) != RELKIND_SEQUENCE)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the tables of roost are not installed in this database"),
				 errhint("Run SELECT roost.install().")));
	return sequence;
}

/*
 * Forgets the sequence when it is dropped, replaced or altered.
 */
static void
id_relation_changed(Oid relid)
{
	if (relid == id_sequence || !OidIsValid(relid))
	{
		id_sequence = InvalidOid;
		id_reserved = 0;
	}
}

/*
 * roost_internal.id_next(owner_id) returns a new id in the owner's bucket, or
 * in a random one without an owner.
 */
Datum
roost_id_next_sql(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_INT64(roost_id_next(roost_id_random_bucket()));
	PG_RETURN_INT64(roost_id_next(roost_id_bucket_of(PG_GETARG_INT64(0))));
}

/*
 * roost_internal.id_at(created_at, owner_id, salt) returns the id of something
 * that comes from elsewhere, the same for the same arguments.
 */
Datum
roost_id_at(PG_FUNCTION_ARGS)
{
	int64		ms = id_ms_check(PG_GETARG_TIMESTAMPTZ(0));
	uint64		hash = PG_ARGISNULL(2) ? 0 : (uint64) PG_GETARG_INT64(2);
	int64		sequence;
	int64		bucket;

	hash = hash_bytes_uint32_extended((uint32) hash, hash ^ (uint64) PG_GETARG_TIMESTAMPTZ(0));
	sequence = hash >> (64 - ROOST_ID_SEQUENCE_BITS);
	bucket = PG_ARGISNULL(1) ? (int64) hash : PG_GETARG_INT64(1);

	PG_RETURN_INT64(ms << ROOST_ID_MS_SHIFT | sequence << ROOST_ID_BUCKET_BITS |
					(bucket & ROOST_ID_BUCKET_MASK));
}

/*
 * roost_internal.id_floor(at) returns the smallest id of a time.
 */
Datum
roost_id_floor(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(id_ms_check(PG_GETARG_TIMESTAMPTZ(0)) << ROOST_ID_MS_SHIFT);
}

/*
 * Returns the milliseconds since 1970 of a time an id can carry.
 */
static int64
id_ms_check(TimestampTz at)
{
	int64		ms;

	if (!TIMESTAMP_NOT_FINITE(at))
	{
		ms = roost_clock_from_timestamp(at) / 1000;
		if (roost_clock_from_timestamp(at) >= 0 && ms <= ROOST_ID_MS_MAX)
			return ms;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("time out of range for an id"),
			 errdetail("Ids carry times from 1970 to the year 6429.")));
}

/*
 * roost.id_time(id) returns when an id was made.
 */
Datum
roost_id_time(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(roost_clock_timestamp(roost_id_ms(PG_GETARG_INT64(0)) * 1000));
}

/*
 * roost.id_bucket(id) returns an id's bucket.
 */
Datum
roost_id_bucket(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(roost_id_bucket_of(PG_GETARG_INT64(0)));
}

static Size
id_shmem_size(void)
{
	return sizeof(IdShared);
}

static void
id_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	id_shared = area;
	id_lock = &locks[0].lock;
	if (found)
		return;
	memset(id_shared, 0, sizeof(IdShared));
	pg_atomic_init_u64(&id_shared->tick, 0);
}

/*
 * Registers for changes of the sequence.
 */
static void
id_init(void)
{
	roost_invalidation_register(id_relation_changed);
}

const RoostModule roost_id_module = {
	.name = "roost id",
	.shmem_size = id_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = id_shmem_init,
	.init = id_init,
};
