/*-------------------------------------------------------------------------
 *
 * top_kept.c
 *		Orders of home timelines, and which posts readers have been shown.
 *
 * Of each reader the orders of its timeline are kept, and which posts it has
 * been shown, and when: the newest TOP_SHOWN of them.  That is all that reading
 * writes, so it works in STABLE functions and on standbys.
 *
 * Shared memory (roost.rank_memory) is an array of sets.  A reader belongs to
 * one set by its id; a set has TOP_WAYS lists and TOP_WAYS readers, of which
 * those longest unused make room.  Everything in a set is guarded by one of
 * TOP_LOCKS locks.  After a restart all of it is forgotten.
 *
 * Only roost.database uses shared memory.  In others, and with
 * roost.rank_memory = 0, all pages are ranked anew, and nothing counts as seen.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/atomics.h"

#include "core/clock.h"
#include "core/core.h"
#include "timeline/rank.h"
#include "timeline/top.h"

#define TOP_SHOWN			256
#define TOP_WAYS			4

/* The order of a reader's timeline */
typedef struct TopList
{
	int64		reader_id;		/* 0: free */
	uint64		used;			/* tick of the last use */
	uint16		tag;
	uint8		replies;
	bool		own;
	int			count;
	int64		ids[TOP_LIST];
	int64		cursors[TOP_LIST];	/* falling */
} TopList;

typedef struct TopShown
{
	int64		post_id;
	uint32		at;				/* seconds since 1970 */
	uint32		count;
} TopShown;

/* What a reader has been shown */
typedef struct TopReader
{
	int64		reader_id;		/* 0: free */
	uint64		used;
	int			count;
	int			next;			/* the next one to be overwritten */
	TopShown	shown[TOP_SHOWN];
} TopReader;

typedef struct TopSet
{
	TopList		lists[TOP_WAYS];
	TopReader	readers[TOP_WAYS];
} TopSet;

typedef struct TopShared
{
	pg_atomic_uint64 tick;
	uint32		num_sets;
	TopSet		sets[FLEXIBLE_ARRAY_MEMBER];
} TopShared;

static TopShared *top_shared = NULL;
static LWLockPadded *top_locks = NULL;

/*
 * Returns the set of a reader, locked, or NULL: nothing is kept here.
 */
static TopSet *
top_lock(int64 reader_id, LWLockMode mode, LWLock **lock)
{
	uint32		set;

	if (top_shared == NULL || top_shared->num_sets == 0 || !roost_core_is_home())
		return NULL;
	set = (uint32) ((uint64) reader_id * UINT64CONST(0x9E3779B97F4A7C15) >> 32) % top_shared->num_sets;
	*lock = &top_locks[set % TOP_LOCKS].lock;
	LWLockAcquire(*lock, mode);
	return &top_shared->sets[set];
}

/*
 * Finds the list that a cursor names, and copies it; false: it is gone.
 */
bool
roost_top_list_find(Top *top, int64 cursor)
{
	LWLock	   *lock;
	TopSet	   *set = top_lock(top->reader_id, LW_EXCLUSIVE, &lock);
	bool		found = false;

	if (set == NULL)
		return false;
	for (int i = 0; i < TOP_WAYS && !found; i++)
	{
		TopList    *list = &set->lists[i];

		if (list->reader_id != top->reader_id || list->tag != RANK_CURSOR_TAG(cursor) ||
			list->replies != top->replies || list->own != top->own)
			continue;
		for (int k = 0; k < list->count && !found; k++)
			found = list->cursors[k] == cursor;
		if (!found)
			continue;
		top->count = list->count;
		memcpy(top->ids, list->ids, list->count * sizeof(int64));
		memcpy(top->cursors, list->cursors, list->count * sizeof(int64));
		list->used = pg_atomic_fetch_add_u64(&top_shared->tick, 1);
	}
	LWLockRelease(lock);
	return found;
}

/*
 * Keeps a list.
 */
void
roost_top_list_keep(const Top *top, uint16 tag)
{
	LWLock	   *lock;
	TopSet	   *set = top_lock(top->reader_id, LW_EXCLUSIVE, &lock);
	TopList    *list;

	if (set == NULL)
		return;
	list = &set->lists[0];
	for (int i = 1; i < TOP_WAYS; i++)
		if (set->lists[i].used < list->used)
			list = &set->lists[i];
	list->reader_id = top->reader_id;
	list->used = pg_atomic_fetch_add_u64(&top_shared->tick, 1);
	list->tag = tag;
	list->replies = top->replies;
	list->own = top->own;
	list->count = top->count;
	memcpy(list->ids, top->ids, top->count * sizeof(int64));
	memcpy(list->cursors, top->cursors, top->count * sizeof(int64));
	LWLockRelease(lock);
}

/*
 * Returns a tag for a new list.
 */
uint16
roost_top_tag(void)
{
	return top_shared == NULL ? 0 : (uint16) pg_atomic_fetch_add_u64(&top_shared->tick, 1);
}

/*
 * Returns what is kept of a reader in its set, or NULL.
 */
static TopReader *
top_reader_find(TopSet *set, int64 reader_id)
{
	for (int i = 0; i < TOP_WAYS; i++)
		if (set->readers[i].reader_id == reader_id)
			return &set->readers[i];
	return NULL;
}

/*
 * Returns how often the reader has been shown which posts, or NULL.
 */
numbers_hash *
roost_top_shown_read(int64 reader_id)
{
	uint32		now = (uint32) (roost_clock_ms() / 1000);
	numbers_hash *shown;
	TopReader	copy;
	TopReader  *reader;
	LWLock	   *lock;
	TopSet	   *set;

	if (roost_rank_seen >= 1 || (set = top_lock(reader_id, LW_SHARED, &lock)) == NULL)
		return NULL;
	reader = top_reader_find(set, reader_id);
	copy.count = 0;
	if (reader != NULL)
		memcpy(&copy, reader, offsetof(TopReader, shown) + reader->count * sizeof(TopShown));
	LWLockRelease(lock);

	if (copy.count == 0)
		return NULL;
	shown = numbers_create(CurrentMemoryContext, copy.count, NULL);
	for (int i = 0; i < copy.count; i++)
	{
		bool		found;
		bool		fresh = (int64) now - copy.shown[i].at < roost_rank_seen_delay;

		numbers_insert(shown, copy.shown[i].post_id, &found)->number = copy.shown[i].count - (fresh ? 1 : 0);
	}
	return shown;
}

/*
 * Remembers that a reader is shown a post now.
 */
static void
top_shown_add(TopReader *reader, int64 post_id, uint32 now)
{
	for (int i = 0; i < reader->count; i++)
	{
		TopShown   *shown = &reader->shown[i];

		if (shown->post_id != post_id)
			continue;
		/* a second look soon after is the same one */
		if ((int64) now - shown->at < roost_rank_seen_delay)
			return;
		shown->count = Min(shown->count + 1, RANK_SEEN_MAX);
		shown->at = now;
		return;
	}
	reader->shown[reader->next] = (TopShown) {post_id, now, 1};
	reader->next = (reader->next + 1) % TOP_SHOWN;
	reader->count = Min(reader->count + 1, TOP_SHOWN);
}

/*
 * Remembers the posts of a page.
 */
void
roost_top_shown_write(int64 reader_id, const int64 *post_ids, int n)
{
	uint32		now = (uint32) (roost_clock_ms() / 1000);
	TopReader  *reader;
	LWLock	   *lock;
	TopSet	   *set;

	if (roost_rank_seen >= 1 || n == 0 || (set = top_lock(reader_id, LW_EXCLUSIVE, &lock)) == NULL)
		return;
	reader = top_reader_find(set, reader_id);
	if (reader == NULL)
	{
		reader = &set->readers[0];
		for (int i = 1; i < TOP_WAYS; i++)
			if (set->readers[i].used < reader->used)
				reader = &set->readers[i];
		reader->reader_id = reader_id;
		reader->count = 0;
		reader->next = 0;
	}
	reader->used = pg_atomic_fetch_add_u64(&top_shared->tick, 1);
	for (int i = 0; i < n; i++)
		top_shown_add(reader, post_ids[i], now);
	LWLockRelease(lock);
}

static uint32
top_num_sets(void)
{
	Size		room = (Size) roost_rank_memory * 1024;

	return room < offsetof(TopShared, sets) ? 0 : (room - offsetof(TopShared, sets)) / sizeof(TopSet);
}

Size
roost_top_shmem_size(void)
{
	return offsetof(TopShared, sets) + top_num_sets() * sizeof(TopSet);
}

void
roost_top_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	uint64		tick;

	top_shared = area;
	top_locks = locks;
	if (found)
		return;
	memset(area, 0, roost_top_shmem_size());
	/* so that cursors from before a restart rarely name a list of now */
	if (!pg_strong_random(&tick, sizeof(tick)))
		tick = (uint64) roost_clock_us();
	pg_atomic_init_u64(&top_shared->tick, (tick & 0xffff) + 1);
	top_shared->num_sets = top_num_sets();
}
