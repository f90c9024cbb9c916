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
 * If there is no room the events are dropped and the generation goes up: the
 * reader must then forget what it derived from events and build it anew.
 * That also happens when the commit queue lost events.
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
#include "live/queue.h"
#include "roost.h"

#define EVENT_QUEUE_SIZE_MIN		64
#define EVENT_QUEUE_SIZE_DEFAULT	65536
#define EVENT_QUEUE_SIZE_MAX		(16 * 1024 * 1024)

typedef struct QueueShared
{
	pg_atomic_uint32 sleeping;	/* the reader wants its latch set */

	/* guarded by queue_lock */
	Latch	   *latch;			/* of the reader, or NULL */
	uint64		generation;
	uint64		written;
	uint64		read;
	int64		filled_us;		/* when the first event came to an empty queue */
	RoostEvent	events[FLEXIBLE_ARRAY_MEMBER];
} QueueShared;

static int	queue_size;			/* GUC */
static QueueShared *queue_shared = NULL;
static LWLock *queue_lock = NULL;

/*
 * Puts the events of a committed transaction in.  Neither fails nor
 * allocates: it runs after the commit.
 */
void
roost_queue_push(const RoostEvent *events, int count)
{
	bool		filling;

	LWLockAcquire(queue_lock, LW_EXCLUSIVE);
	if (events == NULL || count > queue_size - (int) (queue_shared->written - queue_shared->read))
		queue_shared->generation++;
	else
	{
		if (queue_shared->written == queue_shared->read)
			queue_shared->filled_us = roost_clock_us();
		for (int i = 0; i < count; i++)
			queue_shared->events[queue_shared->written++ % queue_size] = events[i];
	}
	filling = queue_shared->written - queue_shared->read > queue_size / 2;
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
	queue_shared->generation++; /* the reader before may have died half way */
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
 * Returns how many events it took out, and the generation they belong to.
 */
int
roost_queue_take(RoostEvent *events, int count, uint64 *generation)
{
	int			taken = 0;

	LWLockAcquire(queue_lock, LW_EXCLUSIVE);
	while (taken < count && queue_shared->read < queue_shared->written)
		events[taken++] = queue_shared->events[queue_shared->read++ % queue_size];
	if (queue_shared->read < queue_shared->written)
		queue_shared->filled_us = roost_clock_us();
	*generation = queue_shared->generation;
	LWLockRelease(queue_lock);

	return taken;
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
	empty = queue_shared->read == queue_shared->written;
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
	stat->generation = queue_shared->generation;
	stat->written = queue_shared->written;
	stat->read = queue_shared->read;
	stat->oldest_us = stat->written == stat->read ? 0 : queue_shared->filled_us;
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
