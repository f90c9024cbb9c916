/*-------------------------------------------------------------------------
 *
 * queue.c
 *		The event queue: committed events on their way to the worker.
 *
 * A ring of roost.event_queue_size events in shared memory, written by every
 * committing backend and read by the worker alone.  queue_lock guards all of
 * QueueShared but `sleeping`.  Writers copy a whole transaction's events
 * under it, so they stand together and in order; which of two transactions
 * comes first is not promised to be their commit order.
 *
 * The worker takes events (`taken`) and says when it has applied them
 * (`applied`); their places are free from then on.  So whoever wants to know
 * what the worker's caches do not have yet looks from `applied` to `written`.
 * These two and the generation are stored under the lock and may be read
 * without it: who copies events and then still finds the same `applied` has
 * whole ones.
 *
 * If there is no room the events are dropped and the generation goes up: the
 * reader must then forget what it derived from events and build it anew.
 * That also happens when the commit queue lost events, and when the worker
 * could not apply what it took; then before `applied` moves past it.
 *
 * The worker's latch is set only when the worker sleeps, or when the queue is
 * more than half full.  The worker says that it sleeps before it looks at the
 * queue for the last time; a writer looks after it has written.  So one of the
 * two notices, and one writer of many sets the latch.  It does so without the
 * lock, since the kernel likes to run the worker at once; the latch is in
 * shared memory, and one whose owner has ended is set in vain.
 *
 * After a crash the queue is empty and the generation starts anew; the worker
 * treats its own start as a loss.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"

#include "core/clock.h"
#include "core/commit.h"
#include "core/pending.h"
#include "live/queue.h"
#include "roost.h"

#define EVENT_QUEUE_SIZE_MIN		64
#define EVENT_QUEUE_SIZE_DEFAULT	65536
#define EVENT_QUEUE_SIZE_MAX		(16 * 1024 * 1024)
#define EVENT_QUEUE_PEEK_MAX		4096	/* events that a reader looks
											 * through */
#define EVENT_QUEUE_PEEK_TRIES		8

typedef struct QueueShared
{
	pg_atomic_uint32 sleeping;	/* the reader wants its latch set */

	/* stored under queue_lock, in the order in which a reader must find them */
	pg_atomic_uint64 generation;
	pg_atomic_uint64 written;
	pg_atomic_uint64 applied;

	/* guarded by queue_lock */
	uint64		taken;
	Latch	   *latch;			/* of the reader, or NULL */
	int64		filled_us;		/* when the first event came to an empty queue */
	RoostEvent	events[FLEXIBLE_ARRAY_MEMBER];
} QueueShared;

static int	queue_size;			/* GUC */
static QueueShared *queue_shared = NULL;
static LWLock *queue_lock = NULL;

/*
 * Counts a loss; the caller holds the lock.
 */
static void
queue_lose(void)
{
	pg_atomic_write_u64(&queue_shared->generation,
						pg_atomic_read_u64(&queue_shared->generation) + 1);
	pg_write_barrier();
}

/*
 * Puts the events of a committed transaction in.  Neither fails nor
 * allocates: it runs after the commit.
 */
void
roost_queue_push(const RoostEvent *events, int count)
{
	uint64		written;
	bool		filling;

	LWLockAcquire(queue_lock, LW_EXCLUSIVE);
	written = pg_atomic_read_u64(&queue_shared->written);
	if (events == NULL || count > queue_size - (int) (written - pg_atomic_read_u64(&queue_shared->applied)))
		queue_lose();
	else
	{
		if (written == queue_shared->taken)
			queue_shared->filled_us = roost_clock_us();
		for (int i = 0; i < count; i++)
			queue_shared->events[(written + i) % queue_size] = events[i];
		written += count;
		pg_write_barrier();
		pg_atomic_write_u64(&queue_shared->written, written);
	}
	filling = written - queue_shared->taken > queue_size / 2;
	LWLockRelease(queue_lock);

	pg_memory_barrier();
	if (filling ||
		(pg_atomic_read_u32(&queue_shared->sleeping) != 0 &&
		 pg_atomic_exchange_u32(&queue_shared->sleeping, 0) != 0))
		roost_queue_wake();
}

/*
 * Makes the caller the reader.
 */
void
roost_queue_attach(Latch *latch)
{
	LWLockAcquire(queue_lock, LW_EXCLUSIVE);
	queue_shared->latch = latch;
	/* the reader before may have died half way */
	queue_lose();
	pg_atomic_write_u64(&queue_shared->applied, queue_shared->taken);
	LWLockRelease(queue_lock);
}

void
roost_queue_detach(void)
{
	LWLockAcquire(queue_lock, LW_EXCLUSIVE);
	queue_shared->latch = NULL;
	LWLockRelease(queue_lock);
	pg_atomic_write_u32(&queue_shared->sleeping, 0);
}

/*
 * Takes events; returns how many, and the generation they belong to.
 */
int
roost_queue_take(RoostEvent *events, int count, uint64 *generation)
{
	uint64		written;
	int			n = 0;

	LWLockAcquire(queue_lock, LW_EXCLUSIVE);
	written = pg_atomic_read_u64(&queue_shared->written);
	while (n < count && queue_shared->taken < written)
		events[n++] = queue_shared->events[queue_shared->taken++ % queue_size];
	if (queue_shared->taken < written)
		queue_shared->filled_us = roost_clock_us();
	*generation = pg_atomic_read_u64(&queue_shared->generation);
	LWLockRelease(queue_lock);

	return n;
}

/*
 * Says that all that was taken has been applied; or, if something has missed
 * it, that what was derived from events is void.
 */
void
roost_queue_applied(bool missed)
{
	LWLockAcquire(queue_lock, LW_EXCLUSIVE);
	if (missed)
		queue_lose();
	pg_atomic_write_u64(&queue_shared->applied, queue_shared->taken);
	LWLockRelease(queue_lock);
}

/*
 * Copies the events of these kinds that are not applied; returns how many, or
 * ROOST_PENDING_UNKNOWN.  They are not overwritten while `applied` stays.
 */
int
roost_queue_peek(uint32 kinds, RoostEvent *events, int max)
{
	for (int try = 0; try < EVENT_QUEUE_PEEK_TRIES; try++)
	{
		uint64		applied = pg_atomic_read_u64(&queue_shared->applied);
		uint64		written;
		int			n = 0;

		pg_read_barrier();
		written = pg_atomic_read_u64(&queue_shared->written);
		pg_read_barrier();
		if (written - applied > EVENT_QUEUE_PEEK_MAX)
			return ROOST_PENDING_UNKNOWN;
		for (uint64 i = applied; i < written && n <= max; i++)
		{
			const RoostEvent *event = &queue_shared->events[i % queue_size];

			if ((kinds & ROOST_EVENT_BIT(event->kind)) == 0)
				continue;
			if (n < max)
				events[n] = *event;
			n++;
		}
		pg_read_barrier();
		if (pg_atomic_read_u64(&queue_shared->applied) == applied)
			return n <= max ? n : ROOST_PENDING_UNKNOWN;
	}
	return ROOST_PENDING_UNKNOWN;
}

/*
 * Returns the lowest id of a post or follow whose creation has not been taken,
 * or 0.
 */
int64
roost_queue_lowest(void)
{
	int64		lowest = 0;
	uint64		written;

	LWLockAcquire(queue_lock, LW_SHARED);
	written = pg_atomic_read_u64(&queue_shared->written);
	for (uint64 i = queue_shared->taken; i < written; i++)
	{
		int64		id = roost_event_created_id(&queue_shared->events[i % queue_size]);

		if (id != 0 && (lowest == 0 || id < lowest))
			lowest = id;
	}
	LWLockRelease(queue_lock);
	return lowest;
}

/*
 * Returns the generation.
 */
uint64
roost_queue_generation(void)
{
	return pg_atomic_read_u64(&queue_shared->generation);
}

/*
 * Announces that the reader is going to sleep; returns false if there is
 * something to read.
 */
bool
roost_queue_sleep(void)
{
	bool		empty;

	pg_atomic_write_u32(&queue_shared->sleeping, 1);
	pg_memory_barrier();

	LWLockAcquire(queue_lock, LW_SHARED);
	empty = queue_shared->taken == pg_atomic_read_u64(&queue_shared->written);
	LWLockRelease(queue_lock);
	return empty;
}

/*
 * Says that the reader is awake, and needs no latch.
 */
void
roost_queue_awake(void)
{
	pg_atomic_write_u32(&queue_shared->sleeping, 0);
}

/*
 * Wakes the reader, if there is one.
 */
void
roost_queue_wake(void)
{
	Latch	   *latch;

	LWLockAcquire(queue_lock, LW_SHARED);
	latch = queue_shared->latch;
	LWLockRelease(queue_lock);
	if (latch != NULL)
		SetLatch(latch);
}

/*
 * Fills in the queue's figures.
 */
void
roost_queue_stat(RoostQueueStat *stat)
{
	LWLockAcquire(queue_lock, LW_SHARED);
	stat->generation = pg_atomic_read_u64(&queue_shared->generation);
	stat->written = pg_atomic_read_u64(&queue_shared->written);
	stat->taken = queue_shared->taken;
	stat->oldest_us = stat->written == stat->taken ? 0 : queue_shared->filled_us;
	LWLockRelease(queue_lock);
	stat->size = queue_size;
}

static void
queue_define_gucs(void)
{
	DefineCustomIntVariable("roost.event_queue_size",
							"Sets how many committed events may wait for the worker.",
							"When more come, what the worker keeps is built anew: slower, never wrong. An event takes 48 bytes.",
							&queue_size,
							EVENT_QUEUE_SIZE_DEFAULT,
							EVENT_QUEUE_SIZE_MIN,
							EVENT_QUEUE_SIZE_MAX,
							PGC_POSTMASTER,
							0,
							NULL, NULL, NULL);
}

static Size
queue_shmem_size(void)
{
	return add_size(offsetof(QueueShared, events),
					mul_size(queue_size, sizeof(RoostEvent)));
}

static void
queue_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	queue_shared = area;
	queue_lock = &locks[0].lock;
	if (found)
		return;
	memset(queue_shared, 0, offsetof(QueueShared, events));
	pg_atomic_init_u32(&queue_shared->sleeping, 0);
	pg_atomic_init_u64(&queue_shared->generation, 0);
	pg_atomic_init_u64(&queue_shared->written, 0);
	pg_atomic_init_u64(&queue_shared->applied, 0);
}

/*
 * Takes every kind of event that changes what the worker keeps.
 */
static void
queue_init(void)
{
	for (int kind = 0; kind < ROOST_EVENT_KINDS; kind++)
	{
		if (kind != ROOST_EVENT_SESSION_REVOKED)
			roost_commit_handle(kind, roost_queue_push);
	}
}

const RoostModule roost_queue_module = {
	.name = "roost event queue",
	.define_gucs = queue_define_gucs,
	.shmem_size = queue_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = queue_shmem_init,
	.init = queue_init,
};
