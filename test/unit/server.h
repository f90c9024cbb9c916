/*
 * What the timeline cache needs of a server, for programs that have none:
 * locks between threads, a clock that stands still until it is set, and the
 * cache's memory.  Include it once, before the files of the cache.
 */
#ifndef ROOST_TEST_SERVER_H
#define ROOST_TEST_SERVER_H

#ifndef ROOST_DEBUG
#define ROOST_DEBUG				/* the clock is a function then */
#endif

#include "postgres.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/core.h"
#include "core/pending.h"
#include "roost.h"
#include "storage/lwlock.h"
#include "access/xact.h"
#include "utils/guc.h"

/* those of libpgport are not linked */
#undef printf
#undef qsort

int			MyProcPid = 1;

static pthread_rwlock_t server_locks[3] =
{
	PTHREAD_RWLOCK_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER
};
static LWLockPadded server_lwlocks[3];
static _Atomic uint64 server_generation;
static _Atomic int64 server_now_us = INT64CONST(1700000000000000);

bool
LWLockAcquire(LWLock *lock, LWLockMode mode)
{
	pthread_rwlock_t *real = &server_locks[(LWLockPadded *) lock - server_lwlocks];

	if (mode == LW_SHARED)
		pthread_rwlock_rdlock(real);
	else
		pthread_rwlock_wrlock(real);
	return true;
}

void
LWLockRelease(LWLock *lock)
{
	pthread_rwlock_unlock(&server_locks[(LWLockPadded *) lock - server_lwlocks]);
}

int64
roost_clock_us(void)
{
	return server_now_us;
}

TimestampTz
GetCurrentStatementStartTimestamp(void)
{
	return roost_clock_timestamp(server_now_us);
}

uint64
roost_pending_generation(void)
{
	return server_generation;
}

bool
roost_core_is_home(void)
{
	return true;
}

void
pg_usleep(long us)
{
	sched_yield();
}

void *
palloc(Size size)
{
	return malloc(size);
}

void *
palloc0(Size size)
{
	return calloc(1, size);
}

void
pfree(void *pointer)
{
	free(pointer);
}

void
DefineCustomIntVariable(const char *name, const char *short_desc, const char *long_desc, int *value,
						int boot, int min, int max, GucContext context, int flags,
						GucIntCheckHook check, GucIntAssignHook assign, GucShowHook show)
{
	*value = boot;
}

#endif							/* ROOST_TEST_SERVER_H */
