/*
 * The timeline cache for programs that test it, with a server's needs made
 * here (server.h), chance and counting.
 */
#ifndef ROOST_TEST_TIMELINE_MEMORY_H
#define ROOST_TEST_TIMELINE_MEMORY_H

#include "test/unit/server.h"

#include <math.h>

#include "timeline/cache.c"
#include "timeline/cache_build.c"
#include "timeline/cache_push.c"
#include "timeline/cache_read.c"
#include "timeline/heap.c"
#include "timeline/merge.c"
#include "timeline/pulled.c"
#include "timeline/ring.c"

static int	tests = 0;
static int	failures = 0;

static void
check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

static uint64
random_next(uint64 *state)
{
	uint64		z = *state += UINT64CONST(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int
random_pick(uint64 *state, int n)
{
	return (int) (random_next(state) % n);
}

static int64
account_id(int account)
{
	return INT64CONST(0x1800000000000) + ((int64) account << 20);
}

/* Makes an empty cache, as small as can be. */
static void
memory_make(void)
{
	static void *memory = NULL;

	timeline_memory = TIMELINE_MEMORY_MIN;
	timeline_outbox_share = 15;
	free(memory);
	memory = aligned_alloc(128, TYPEALIGN(128, cache_shmem_size()));
	memset(memory, 0x5a, cache_shmem_size());
	cache_shmem_init(memory, server_lwlocks, false);
}

static int64
count_of(TimelineKind kind, TimelineCounter counter)
{
	uint64		sum = 0;

	for (int i = 0; i < TIMELINE_STRIPES; i++)
		sum += pg_atomic_read_u64(&roost_timeline_tables[kind].shared->stripes[i].counters[counter]);
	return (int64) sum;
}

#endif							/* ROOST_TEST_TIMELINE_MEMORY_H */
