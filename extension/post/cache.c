/*-------------------------------------------------------------------------
 *
 * cache.c
 *		Rendered posts in shared memory.
 *
 * Kept: PostCopy's, each what a post looks like to everybody, as it was read
 * from the tables.  A copy is good for a snapshot if the stamps of the post's
 * row and of its author's account are good for it and have the copy's
 * versions; the stamp of the counters speaks for these alone, so that a post
 * that everybody likes is not rendered for each like.  Who finds a copy asks
 * the stamps; this file does not.  Copies of tables that have been truncated,
 * rewritten or replaced have another epoch.
 *
 * Bound: roost.post_cache_memory, in POST_CACHE_PARTITIONS equal parts.  A post
 * belongs to the part that its id's hash says.  A part has an index and a log:
 *
 *	index	buckets of BUCKET_SLOTS slots, each the id of a post and the
 *			position of its copy in the log.  When a bucket is full, the oldest
 *			copy of those not used lately is forgotten.
 *	log		a ring of bytes, in which copies lie in the order in which they
 *			came.  Positions count on for ever; the place of one is its
 *			remainder.  What lies between tail and head is there.
 *
 * Eviction is the clock's: room for a new copy is made at the tail, and what is
 * there and was used since it was last looked at moves to the head, but at most
 * CHANCES of them for one new copy.  Also, nothing older than
 * roost.post_cache_ttl is used.
 *
 * Locks: a part's lock is held for every write to the part, and by nobody else:
 * it is taken last, and nothing is done under it but copying.  Readers take no
 * lock.  A reader takes the position from the index, copies what is there, and
 * then looks whether the tail has passed it.  A writer moves the tail before
 * it writes over anything, and makes a copy known after it has written it.
 * Counters are the only thing that changes in place; `changing` is odd
 * meanwhile, and another number afterwards.
 *
 * After a crash the cache is empty, like all of shared memory.  Nothing in it is
 * needed: a reader that finds nothing reads the tables, and stores.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/guc.h"
#include "utils/inval.h"

#include "core/clock.h"
#include "core/core.h"
#include "core/debug_point.h"
#include "post/cache.h"

PG_FUNCTION_INFO_V1(roost_post_cache_stat);

/* roost.post_cache_memory, in kilobytes; 0: there is none */
#define POST_CACHE_MEMORY_MIN		0
#define POST_CACHE_MEMORY_DEFAULT	(64 * 1024)
#define POST_CACHE_MEMORY_MAX		(64 * 1024 * 1024)
#define POST_CACHE_MEMORY_LEAST		2048

/* roost.post_cache_ttl, in seconds */
#define POST_CACHE_TTL_MIN		1
#define POST_CACHE_TTL_DEFAULT	(15 * 60)
#define POST_CACHE_TTL_MAX		86400

#define BUCKET_SLOTS	8
#define CHANCES			4

/* bytes of a log for each slot of its index: copies are larger than this */
#define BYTES_PER_SLOT	512

/* positions are multiples of this, so their lowest bit is free */
#define ALIGNMENT		64
#define USED			UINT64CONST(1)

/* what is fetched in advance of an entry: most are not longer */
#define PREFETCH_LINE	64
#define PREFETCH_LINES	12

typedef struct Slot
{
	pg_atomic_uint64 id;
	pg_atomic_uint64 place;		/* position, and whether it was used lately */
} Slot;

/* What lies in a log; an entry without a copy fills the end of the ring */
typedef struct Entry
{
	uint32		size;			/* with this struct, a multiple of ALIGNMENT */
	pg_atomic_uint32 changing;
	PostCopy	copy;
} Entry;

#define ENTRY_HEAD		offsetof(Entry, copy)
#define ENTRY_SIZE(copy_size) TYPEALIGN(ALIGNMENT, ENTRY_HEAD + (copy_size))

typedef struct Part
{
	pg_atomic_uint64 head;
	pg_atomic_uint64 tail;

	/* guarded by the part's lock */
	uint64		copies;			/* known ones */
	uint64		stored;
	uint64		evicted;
	char		padding[PG_CACHE_LINE_SIZE];
} Part;

typedef struct CacheShared
{
	pg_atomic_uint64 hits;
	pg_atomic_uint64 misses;
	pg_atomic_uint64 recounts;
	Part		parts[POST_CACHE_PARTITIONS];
} CacheShared;

static int	cache_memory;		/* GUC */
static int	cache_ttl;			/* GUC */
static bool cache_enabled;		/* GUC */

/* of each part; 0: there is no cache */
static uint32 cache_buckets = 0;
static Size cache_log_size = 0;

static CacheShared *cache_shared = NULL;
static Slot *cache_slots = NULL;
static char *cache_logs = NULL;
static LWLockPadded *cache_locks = NULL;

/* Where a post belongs */
typedef struct Home
{
	Part	   *part;
	LWLock	   *lock;
	Slot	   *bucket;
	char	   *log;
} Home;

/*
 * Defines the settings of the cache.
 */
void
roost_post_cache_define_gucs(void)
{
	DefineCustomIntVariable("roost.post_cache_memory",
							"Sets how much shared memory keeps posts as they are written in answers.",
							"0 keeps none. Less than 2 MB counts as 2 MB.",
							&cache_memory,
							POST_CACHE_MEMORY_DEFAULT, POST_CACHE_MEMORY_MIN, POST_CACHE_MEMORY_MAX,
							PGC_POSTMASTER,
							GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.post_cache_ttl",
							"Sets how long a post that is kept may be used.",
							NULL,
							&cache_ttl,
							POST_CACHE_TTL_DEFAULT, POST_CACHE_TTL_MIN, POST_CACHE_TTL_MAX,
							PGC_SIGHUP,
							GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomBoolVariable("roost.post_cache",
							 "Lets this session use the posts that are kept in shared memory.",
							 "It makes no difference but to speed.",
							 &cache_enabled,
							 true,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);
}

/*
 * Works out the size of the parts.
 */
static void
cache_layout(void)
{
	Size		memory = (Size) Max(cache_memory, POST_CACHE_MEMORY_LEAST) * 1024 / POST_CACHE_PARTITIONS;
	Size		slots = memory / (BYTES_PER_SLOT + sizeof(Slot));

	cache_buckets = cache_memory > 0 ? slots / BUCKET_SLOTS : 0;
	cache_log_size = TYPEALIGN_DOWN(ALIGNMENT, memory - (Size) cache_buckets * BUCKET_SLOTS * sizeof(Slot));
}

Size
roost_post_cache_shmem_size(void)
{
	Size		slots;

	cache_layout();
	if (cache_buckets == 0)
		return MAXALIGN(sizeof(CacheShared));
	slots = (Size) cache_buckets * BUCKET_SLOTS * POST_CACHE_PARTITIONS;
	return MAXALIGN(sizeof(CacheShared)) + 2 * ALIGNMENT + slots * sizeof(Slot) +
		cache_log_size * POST_CACHE_PARTITIONS;
}

void
roost_post_cache_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	Size		slots;

	cache_layout();
	slots = (Size) cache_buckets * BUCKET_SLOTS * POST_CACHE_PARTITIONS;
	cache_shared = area;
	cache_locks = locks;
	cache_slots = (Slot *) TYPEALIGN(ALIGNMENT, (char *) area + MAXALIGN(sizeof(CacheShared)));
	cache_logs = (char *) TYPEALIGN(ALIGNMENT, cache_slots + slots);
	if (found)
		return;
	memset(cache_shared, 0, sizeof(CacheShared));
	pg_atomic_init_u64(&cache_shared->hits, 0);
	pg_atomic_init_u64(&cache_shared->misses, 0);
	pg_atomic_init_u64(&cache_shared->recounts, 0);
	for (int i = 0; i < POST_CACHE_PARTITIONS; i++)
	{
		/* a slot at position 0 is empty: nothing ever lies there */
		pg_atomic_init_u64(&cache_shared->parts[i].head, cache_log_size);
		pg_atomic_init_u64(&cache_shared->parts[i].tail, cache_log_size);
	}
	for (Size i = 0; i < slots; i++)
	{
		pg_atomic_init_u64(&cache_slots[i].id, 0);
		pg_atomic_init_u64(&cache_slots[i].place, 0);
	}
}

/*
 * Finds out whether the cache may be used under the active snapshot.  What
 * this transaction has written no stamp knows of; on a standby there are none.
 */
void
roost_post_cache_begin(PostCacheUse *use)
{
	memset(use, 0, sizeof(PostCacheUse));
	if (!cache_enabled || cache_buckets == 0 || RecoveryInProgress() || !roost_core_is_home() ||
		TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;

	/* a table may have been truncated, though this transaction locks none */
	AcceptInvalidationMessages();
	use->epoch = roost_post_read_epoch();
	use->now_ms = roost_clock_ms();
	use->on = true;
}

/*
 * Counts what a page has found.
 */
void
roost_post_cache_end(PostCacheUse *use)
{
	if (use->hits > 0)
		pg_atomic_fetch_add_u64(&cache_shared->hits, use->hits);
	if (use->misses > 0)
		pg_atomic_fetch_add_u64(&cache_shared->misses, use->misses);
	if (use->recounts > 0)
		pg_atomic_fetch_add_u64(&cache_shared->recounts, use->recounts);
	use->on = false;
}

static inline Home
cache_home(int64 id)
{
	uint64		hash = (uint64) id * UINT64CONST(0x9e3779b97f4a7c15);
	uint32		part;
	uint32		bucket;

	hash = (hash ^ (hash >> 32)) * UINT64CONST(0x94d049bb133111eb);
	part = (uint32) hash % POST_CACHE_PARTITIONS;
	bucket = (uint32) (((hash >> 32) * cache_buckets) >> 32);
	return (Home)
	{
		.part = &cache_shared->parts[part],
			.lock = &cache_locks[part].lock,
			.bucket = &cache_slots[((Size) part * cache_buckets + bucket) * BUCKET_SLOTS],
			.log = cache_logs + cache_log_size * part
	};
}

static inline Entry *
home_entry(const Home *home, uint64 position)
{
	return (Entry *) (home->log + position % cache_log_size);
}

/*
 * Returns the slot of a post whose copy is still in the log, and where; or
 * NULL.
 */
static Slot *
home_find(const Home *home, int64 id, uint64 *place)
{
	for (int i = 0; i < BUCKET_SLOTS; i++)
	{
		Slot	   *slot = &home->bucket[i];

		if (pg_atomic_read_u64(&slot->id) != (uint64) id)
			continue;
		*place = pg_atomic_read_u64(&slot->place);
		if ((*place & ~USED) >= pg_atomic_read_u64(&home->part->tail))
			return slot;
	}
	return NULL;
}

/*
 * Fetches what is kept of posts into the processor's cache, all of it at a
 * time: one after the other each would have to be waited for.
 */
void
roost_post_cache_prefetch(const int64 *ids, int n)
{
	for (int i = 0; i < n; i++)
	{
		Home		home = cache_home(ids[i]);

		__builtin_prefetch(home.bucket);
		__builtin_prefetch((char *) home.bucket + PREFETCH_LINE);
	}
	for (int i = 0; i < n; i++)
	{
		Home		home = cache_home(ids[i]);
		uint64		place;
		char	   *entry;

		if (home_find(&home, ids[i], &place) == NULL)
			continue;
		entry = (char *) home_entry(&home, place & ~USED);
		for (int line = 0; line < PREFETCH_LINES; line++)
			__builtin_prefetch(entry + line * PREFETCH_LINE);
	}
}

/*
 * Returns a palloc'ed copy of what is kept of a post, or NULL.
 */
PostCopy *
roost_post_cache_find(PostCacheUse *use, int64 id)
{
	Home		home = cache_home(id);
	uint64		place;
	Slot	   *slot = home_find(&home, id, &place);
	Entry	   *entry;
	PostCopy   *copy;
	uint32		size;
	uint32		before;
	uint32		after;

	if (slot == NULL)
		return NULL;
	pg_read_barrier();
	entry = home_entry(&home, place & ~USED);

	/* from here on the entry may be written over at any moment */
	before = pg_atomic_read_u32(&entry->changing);
	size = *(volatile uint32 *) &entry->copy.size;
	if (size < sizeof(PostCopy) || size > POST_COPY_SIZE_MAX ||
		(char *) entry + ENTRY_HEAD + size > home.log + cache_log_size)
		return NULL;
	pg_read_barrier();
	copy = palloc(size);
	memcpy(copy, &entry->copy, size);
	pg_read_barrier();
	after = pg_atomic_read_u32(&entry->changing);
	if (pg_atomic_read_u64(&home.part->tail) > (place & ~USED) ||
		copy->facts.id != id || copy->size != size ||
		copy->epoch != use->epoch || use->now_ms - copy->stored_ms > (int64) cache_ttl * 1000)
	{
		pfree(copy);
		return NULL;
	}
	if ((before & 1) != 0 || before != after)
		copy->counted = false;
	if ((place & USED) == 0)
		(void) pg_atomic_compare_exchange_u64(&slot->place, &place, place | USED);
	return copy;
}

/*
 * Makes room at the tail.  A copy that was used since it came moves to the head
 * while there are chances left.
 */
static void
home_make_room(Home *home, Size size)
{
	static char moved[ENTRY_SIZE(POST_COPY_SIZE_MAX)];
	Part	   *part = home->part;
	int			chances = CHANCES;

	while (pg_atomic_read_u64(&part->head) + size - pg_atomic_read_u64(&part->tail) > cache_log_size)
	{
		uint64		tail = pg_atomic_read_u64(&part->tail);
		Entry	   *entry = home_entry(home, tail);
		uint32		entry_size = entry->size;
		int64		id = entry->copy.facts.id;
		Home		other = id != 0 ? cache_home(id) : *home;
		uint64		place;
		Slot	   *slot = id != 0 ? home_find(&other, id, &place) : NULL;
		bool		known = slot != NULL && (place & ~USED) == tail;
		bool		moves = known && (place & USED) != 0 && chances-- > 0;

		if (moves)
			memcpy(moved, entry, entry_size);
		pg_atomic_write_u64(&part->tail, tail + entry_size);
		pg_write_barrier();
		if (moves)
		{
			uint64		head = pg_atomic_read_u64(&part->head);

			/* it has left as much room as it takes */
			if (head % cache_log_size + entry_size <= cache_log_size)
			{
				memcpy(home_entry(home, head), moved, entry_size);
				pg_write_barrier();
				pg_atomic_write_u64(&part->head, head + entry_size);
				pg_atomic_write_u64(&slot->place, head);
				continue;
			}
		}
		if (known)
		{
			part->copies--;
			part->evicted++;
			pg_atomic_write_u64(&slot->place, 0);
		}
	}
}

/*
 * Leaves the end of the ring empty.
 */
static void
home_fill_end(Home *home)
{
	Part	   *part = home->part;
	uint64		head;
	Size		rest;
	Entry	   *filler;

	/* what moves may fill it, or leave less of it */
	home_make_room(home, cache_log_size - pg_atomic_read_u64(&part->head) % cache_log_size);
	head = pg_atomic_read_u64(&part->head);
	rest = cache_log_size - head % cache_log_size;
	if (rest == cache_log_size)
		return;
	filler = home_entry(home, head);
	filler->size = rest;
	filler->copy.facts.id = 0;
	pg_write_barrier();
	pg_atomic_write_u64(&part->head, head + rest);
}

/*
 * Returns the slot for a post: its own, an empty one, or that of the oldest
 * copy that was not used lately.
 */
static Slot *
home_choose(Home *home, int64 id)
{
	uint64		tail = pg_atomic_read_u64(&home->part->tail);
	Slot	   *victim = NULL;
	Slot	   *empty = NULL;
	uint64		oldest = PG_UINT64_MAX;

	for (int i = 0; i < BUCKET_SLOTS; i++)
	{
		Slot	   *slot = &home->bucket[i];
		uint64		place = pg_atomic_read_u64(&slot->place);

		if (pg_atomic_read_u64(&slot->id) == (uint64) id)
		{
			if ((place & ~USED) >= tail)
				home->part->copies--;
			return slot;
		}
		if ((place & ~USED) < tail)
			empty = slot;
		else if (((place & USED) != 0 ? UINT64CONST(1) << 62 : 0) + place < oldest)
		{
			oldest = ((place & USED) != 0 ? UINT64CONST(1) << 62 : 0) + place;
			victim = slot;
		}
	}
	if (empty != NULL)
		return empty;
	for (int i = 0; i < BUCKET_SLOTS; i++)
		pg_atomic_write_u64(&home->bucket[i].place, pg_atomic_read_u64(&home->bucket[i].place) & ~USED);
	home->part->copies--;
	home->part->evicted++;
	return victim;
}

/*
 * Keeps a copy.
 */
void
roost_post_cache_store(PostCacheUse *use, PostCopy *copy)
{
	Home		home = cache_home(copy->facts.id);
	Size		size = ENTRY_SIZE(copy->size);
	Entry	   *entry;
	Slot	   *slot;
	uint64		head;

	if (copy->size > POST_COPY_SIZE_MAX)
		return;
	ROOST_DEBUG_POINT("post_cache_store");
	copy->stored_ms = use->now_ms;
	copy->epoch = use->epoch;
	LWLockAcquire(home.lock, LW_EXCLUSIVE);
	home_make_room(&home, size);
	head = pg_atomic_read_u64(&home.part->head);
	if (head % cache_log_size + size > cache_log_size)
	{
		home_fill_end(&home);
		home_make_room(&home, size);
		head = pg_atomic_read_u64(&home.part->head);
	}

	/* unless copies that moved have taken the room up to the next end */
	if (head % cache_log_size + size <= cache_log_size)
	{
		slot = home_choose(&home, copy->facts.id);
		pg_atomic_write_u64(&slot->place, 0);
		pg_atomic_write_u64(&slot->id, (uint64) copy->facts.id);
		entry = home_entry(&home, head);
		entry->size = size;
		pg_atomic_write_u32(&entry->changing, 0);
		memcpy(&entry->copy, copy, copy->size);
		pg_write_barrier();
		pg_atomic_write_u64(&home.part->head, head + size);
		pg_atomic_write_u64(&slot->place, head);
		home.part->copies++;
		home.part->stored++;
	}
	LWLockRelease(home.lock);
}

/*
 * Puts other counters into the copy that is kept.
 */
void
roost_post_cache_recount(PostCacheUse *use, const PostCopy *copy)
{
	Home		home = cache_home(copy->facts.id);
	uint64		place;

	use->recounts++;
	LWLockAcquire(home.lock, LW_EXCLUSIVE);
	if (home_find(&home, copy->facts.id, &place) != NULL)
	{
		Entry	   *entry = home_entry(&home, place & ~USED);
		uint32		changing = pg_atomic_read_u32(&entry->changing);

		pg_atomic_write_u32(&entry->changing, changing + 1);
		pg_write_barrier();
		memcpy(entry->copy.counts, copy->counts, sizeof(copy->counts));
		entry->copy.count_version = copy->count_version;
		entry->copy.counted = true;
		pg_write_barrier();
		pg_atomic_write_u32(&entry->changing, changing + 2);
	}
	LWLockRelease(home.lock);
}

/*
 * roost_internal.post_cache_stat() returns the row of roost.stat_post_cache.
 */
Datum
roost_post_cache_stat(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[9];
	bool		nulls[9] = {false};
	uint64		copies = 0;
	uint64		bytes = 0;
	uint64		stored = 0;
	uint64		evicted = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != lengthof(values))
		elog(ERROR, "post_cache_stat must return %d columns", (int) lengthof(values));
	for (int i = 0; i < POST_CACHE_PARTITIONS && cache_buckets > 0; i++)
	{
		Part	   *part = &cache_shared->parts[i];

		LWLockAcquire(&cache_locks[i].lock, LW_SHARED);
		copies += part->copies;
		bytes += pg_atomic_read_u64(&part->head) - pg_atomic_read_u64(&part->tail);
		stored += part->stored;
		evicted += part->evicted;
		LWLockRelease(&cache_locks[i].lock);
	}
	values[0] = Int64GetDatum(copies);
	values[1] = Int64GetDatum(bytes);
	values[2] = Int64GetDatum(cache_buckets > 0 ? roost_post_cache_shmem_size() : 0);
	values[3] = Int64GetDatum(pg_atomic_read_u64(&cache_shared->hits));
	values[4] = Int64GetDatum(pg_atomic_read_u64(&cache_shared->misses));
	values[5] = Int64GetDatum(pg_atomic_read_u64(&cache_shared->recounts));
	values[6] = Int64GetDatum(stored);
	values[7] = Int64GetDatum(evicted);
	values[8] = BoolGetDatum(cache_buckets > 0);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}
