/*-------------------------------------------------------------------------
 *
 * pulled.c
 *		The authors whose posts are not pushed to anybody.
 *
 * A set of ids in shared memory: open addressing with linear probing, three
 * quarters full at most; beyond that authors are pushed, whatever they cost.
 * pulled_lock guards changes.  Readers take no lock: they look at the sequence
 * before and after, which is odd while a change is made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "timeline/box.h"

#define PULLED_SIZE		16384	/* a power of two */
#define PULLED_MAX		(PULLED_SIZE / 4 * 3)

typedef struct PulledShared
{
	pg_atomic_uint32 sequence;	/* odd: somebody writes */
	uint32		count;
	int64		ids[PULLED_SIZE];	/* 0: empty */
} PulledShared;

static PulledShared *pulled_shared = NULL;
static LWLock *pulled_lock = NULL;

static uint32 pulled_find(int64 author_id);
static void pulled_remove(uint32 hole);

Size
roost_timeline_pulled_size(void)
{
	return sizeof(PulledShared);
}

void
roost_timeline_pulled_init(void *area, LWLock *lock, bool found)
{
	pulled_shared = area;
	pulled_lock = lock;
	if (found)
		return;
	memset(pulled_shared, 0, sizeof(PulledShared));
	pg_atomic_init_u32(&pulled_shared->sequence, 0);
}

int
roost_timeline_pulled_count(int *max)
{
	*max = PULLED_MAX;
	return ((volatile PulledShared *) pulled_shared)->count;
}

/*
 * Begins, or ends, a change under the lock.
 */
static void
pulled_begin(void)
{
	LWLockAcquire(pulled_lock, LW_EXCLUSIVE);
	(void) pg_atomic_fetch_add_u32(&pulled_shared->sequence, 1);
}

static void
pulled_end(void)
{
	(void) pg_atomic_fetch_add_u32(&pulled_shared->sequence, 1);
	LWLockRelease(pulled_lock);
}

/*
 * Puts an author into the set, or takes it out; false: there is no room.
 */
bool
roost_timeline_cache_pull_set(int64 author_id, bool pulled)
{
	bool		done = true;
	uint32		at;

	pulled_begin();
	at = pulled_find(author_id);
	if (!pulled && pulled_shared->ids[at] != 0)
	{
		pulled_remove(at);
		pulled_shared->count--;
	}
	else if (pulled && pulled_shared->ids[at] == 0)
	{
		done = pulled_shared->count < PULLED_MAX;
		if (done)
		{
			pulled_shared->ids[at] = author_id;
			pulled_shared->count++;
		}
	}
	pulled_end();
	return done;
}

bool
roost_timeline_cache_is_pulled(int64 author_id)
{
	uint32		sequence;
	bool		found;

	do
	{
		sequence = pg_atomic_read_u32(&pulled_shared->sequence);
		pg_read_barrier();
		found = ((volatile PulledShared *) pulled_shared)->count > 0 && pulled_shared->ids[pulled_find(author_id)] != 0;
		pg_read_barrier();
	}
	while (sequence % 2 != 0 || pg_atomic_read_u32(&pulled_shared->sequence) != sequence);
	return found;
}

void
roost_timeline_cache_pull_clear(void)
{
	pulled_begin();
	memset(pulled_shared->ids, 0, sizeof(pulled_shared->ids));
	pulled_shared->count = 0;
	pulled_end();
}

static uint32
pulled_home(int64 author_id)
{
	return (uint32) (timeline_hash(author_id) % PULLED_SIZE);
}

/*
 * Returns where an author is, or the empty place where it belongs.  While the
 * set changes it may return any place.
 */
static uint32
pulled_find(int64 author_id)
{
	uint32		at = pulled_home(author_id);

	for (int i = 0; i < PULLED_SIZE; i++)
	{
		int64		id = ((volatile PulledShared *) pulled_shared)->ids[at];

		if (id == author_id || id == 0)
			break;
		at = (at + 1) % PULLED_SIZE;
	}
	return at;
}

/*
 * Empties a place, and moves what that place kept from its own.
 */
static void
pulled_remove(uint32 hole)
{
	int64	   *ids = pulled_shared->ids;

	for (uint32 at = (hole + 1) % PULLED_SIZE; ids[at] != 0; at = (at + 1) % PULLED_SIZE)
	{
		if ((at - pulled_home(ids[at])) % PULLED_SIZE < (at - hole) % PULLED_SIZE)
			continue;
		ids[hole] = ids[at];
		hole = at;
	}
	ids[hole] = 0;
}
