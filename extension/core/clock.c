/*-------------------------------------------------------------------------
 *
 * clock.c
 *		Freezing the clock, in debug builds.
 *
 * Shared memory holds one number: the time at which the whole server's clock
 * stands still, or 0 while it runs.  A session may also freeze its own clock;
 * that one wins.  Without ROOST_DEBUG neither exists, and roost_clock_us() is
 * an inline function (clock.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "port/atomics.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_clock_now);
PG_FUNCTION_INFO_V1(roost_clock_freeze);

#ifdef ROOST_DEBUG

typedef struct ClockShared
{
	pg_atomic_uint64 frozen;	/* microseconds since 1970, or 0 */
} ClockShared;

static ClockShared *clock_shared = NULL;
static int64 clock_frozen = 0;	/* the same for this session */

/*
 * Returns the time in microseconds since 1970, as frozen as it may be.
 */
int64
roost_clock_us(void)
{
	struct timespec ts;

	if (clock_frozen != 0)
		return clock_frozen;
	if (clock_shared != NULL && pg_atomic_read_u64(&clock_shared->frozen) != 0)
		return (int64) pg_atomic_read_u64(&clock_shared->frozen);
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64) ts.tv_sec * USECS_PER_SEC + ts.tv_nsec / 1000;
}

static Size
clock_shmem_size(void)
{
	return sizeof(ClockShared);
}

static void
clock_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	clock_shared = area;
	if (!found)
		pg_atomic_init_u64(&clock_shared->frozen, 0);
}

#endif							/* ROOST_DEBUG */

/*
 * roost_internal.clock_now() returns the time of roost's clock.
 */
Datum
roost_clock_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(roost_clock_timestamp(roost_clock_us()));
}

/*
 * roost_internal.clock_freeze(at, everywhere) stops the clock at a time, or
 * lets it run again when the time is NULL.
 */
Datum
roost_clock_freeze(PG_FUNCTION_ARGS)
{
#ifdef ROOST_DEBUG
	int64		at = PG_ARGISNULL(0) ? 0 : roost_clock_from_timestamp(PG_GETARG_TIMESTAMPTZ(0));

	if (!PG_ARGISNULL(1) && PG_GETARG_BOOL(1))
		pg_atomic_write_u64(&clock_shared->frozen, (uint64) at);
	else
		clock_frozen = at;
#else
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the clock cannot be frozen in this build"),
			 errhint("Build roost with ROOST_DEBUG=1.")));
#endif
	PG_RETURN_VOID();
}

const RoostModule roost_clock_module = {
	.name = "roost clock",
#ifdef ROOST_DEBUG
	.shmem_size = clock_shmem_size,
	.shmem_init = clock_shmem_init,
#endif
};
