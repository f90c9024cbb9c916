/*-------------------------------------------------------------------------
 *
 * followers.c
 *		Who follows an account, for the worker's fan-out.
 *
 * Lists are read from the index of follow (followee_id, id DESC) INCLUDE
 * (follower_id), under the active snapshot; the table is only looked at where
 * the visibility map does not vouch for it.  Lists that have been read are
 * kept.
 *
 * Kept: pages of FOLLOWERS_PAGE ids, chained to lists.  A list's first page
 * carries its account, count and last page, and is found by a hash table over
 * the accounts.  Pages are allocated in segments as they are needed, never
 * given back one by one, and all have one size, so that the process does not
 * grow however lists come and go.
 *
 * Bound: roost.timeline_follower_memory.  A list that would take more than a
 * quarter of it is not kept; its ids go through a buffer.  When there is no
 * free page the clock goes over the lists, and one that was not used since it
 * last came by is dropped.
 *
 * How lists stay true: a list shows the state of some snapshot.  For every
 * follow or unfollow that the worker comes across, the pair is looked up in
 * the table, under a snapshot that was taken after the event had left the
 * queue, and put into the list or taken out accordingly.  So each pair stands
 * as it was after the newest of its events that has been processed, or later;
 * in which order the events came does not matter.  When events were lost
 * everything is forgotten.
 *
 * Only the worker uses this: no locks, and memory of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "bgworker/followers.h"

#define FOLLOWERS_MEMORY_MIN		64	/* kB */
#define FOLLOWERS_MEMORY_DEFAULT	(64 * 1024)
#define FOLLOWERS_MEMORY_MAX		(1024 * 1024 * 1024)

#define FOLLOWERS_PAGE		60	/* ids in a page of 512 bytes */
#define FOLLOWERS_SEGMENT	128 /* pages allocated at once */
#define FOLLOWERS_CHUNK		2048	/* ids given to a sink at once */
#define FOLLOWERS_LIST_PART	4	/* of the memory, for one list at most */
#define NO_PAGE				PG_UINT32_MAX

typedef struct FollowersPage
{
	uint32		next;			/* page of the list, or free page, or NO_PAGE */
	uint32		count;			/* ids in this page */
	/* only in a list's first page */
	bool		first;			/* this is one */
	bool		used;			/* since the clock came by */
	uint32		hash_next;		/* list with the same hash, or NO_PAGE */
	uint32		last;			/* page of the list */
	uint32		pages;
	int64		account_id;
	int64		ids[FOLLOWERS_PAGE];
} FollowersPage;

static int	followers_memory;	/* GUC, kB */

/* What is kept */
static MemoryContext followers_context = NULL;
static FollowersPage **segments = NULL;
static uint32 *buckets = NULL;	/* first pages of lists, or NO_PAGE */
static uint32 bucket_mask;
static uint32 max_pages = 0;	/* for this much memory */
static uint32 num_pages = 0;	/* allocated */
static uint32 free_page = NO_PAGE;
static uint32 clock_hand = 0;
static FollowersStat followers_stat;

/* What is open between begin and end */
static struct
{
	Relation	table;
	Relation	list_index;		/* (followee_id, id DESC) */
	Relation	pair_index;		/* (follower_id, followee_id) */
	IndexScanDesc list_scan;
	IndexScanDesc pair_scan;
	TupleTableSlot *slot;
	Buffer		visibility;		/* page of the visibility map */
}			reading;

/* Ids on their way to a sink */
typedef struct FollowersFlow
{
	FollowersSink sink;
	void	   *arg;
	int			count;
	int64		ids[FOLLOWERS_CHUNK];
} FollowersFlow;

static void followers_setup(void);
static uint32 *followers_bucket(int64 account_id);
static uint32 followers_find(int64 account_id);
static int64 followers_walk_list(uint32 first, FollowersFlow *flow);
static int64 followers_walk_index(int64 account_id, FollowersFlow *flow);
static void flow_put(FollowersFlow *flow, const int64 *ids, int n);
static void flow_end(FollowersFlow *flow);
static uint32 chain_begin(int64 account_id);
static bool chain_append(uint32 first, int64 id);
static void chain_enter(uint32 first);
static void chain_free(uint32 first);
static void chain_remove(uint32 first, int64 id);
static void chain_cut(uint32 first);
static uint32 page_take(uint32 keep);
static void page_free(uint32 number);
static void page_evict(uint32 keep);
static void followers_open(void);
static Oid	followers_relation(const char *name, Oid schema);
static bool followers_pair_exists(int64 follower_id, int64 followee_id);

static inline FollowersPage *
page_at(uint32 number)
{
	return &segments[number / FOLLOWERS_SEGMENT][number % FOLLOWERS_SEGMENT];
}

void
roost_followers_define_gucs(void)
{
	DefineCustomIntVariable("roost.timeline_follower_memory",
							"Sets the memory in which the worker keeps lists of followers.",
							"Eight bytes a follower. The lists of accounts that have not posted for longest make room; a list that is not kept is read from its index for every post.",
							&followers_memory,
							FOLLOWERS_MEMORY_DEFAULT,
							FOLLOWERS_MEMORY_MIN,
							FOLLOWERS_MEMORY_MAX,
							PGC_SIGHUP,
							GUC_UNIT_KB,
							NULL, NULL, NULL);
}

/*
 * Starts reading under the active snapshot.
 */
void
roost_followers_begin(void)
{
	uint32		pages = (uint64) followers_memory * 1024 / sizeof(FollowersPage);

	StaticAssertStmt(sizeof(FollowersPage) == 512, "a page is 512 bytes");
	memset(&reading, 0, sizeof(reading));
	if (pages != max_pages)
		roost_followers_forget();
	max_pages = pages;
}

/*
 * Closes what has been opened.  After an error the resource owner does it.
 */
void
roost_followers_end(void)
{
	if (reading.table == NULL)
		return;
	ExecDropSingleTupleTableSlot(reading.slot);
	index_endscan(reading.list_scan);
	index_endscan(reading.pair_scan);
	index_close(reading.list_index, AccessShareLock);
	index_close(reading.pair_index, AccessShareLock);
	table_close(reading.table, AccessShareLock);
	if (BufferIsValid(reading.visibility))
		ReleaseBuffer(reading.visibility);
	memset(&reading, 0, sizeof(reading));
}

/*
 * Gives all followers of an account to the sink, and keeps the list.
 */
int64
roost_followers_walk(int64 account_id, FollowersSink sink, void *arg)
{
	FollowersFlow flow;
	uint32		first;
	int64		count;

	flow.sink = sink;
	flow.arg = arg;
	flow.count = 0;

	first = followers_find(account_id);
	if (first != NO_PAGE)
	{
		followers_stat.hits++;
		page_at(first)->used = true;
		count = followers_walk_list(first, &flow);
	}
	else
	{
		followers_stat.misses++;
		count = followers_walk_index(account_id, &flow);
	}
	flow_end(&flow);
	return count;
}

/*
 * Brings the followee's list, if it is kept, to what the table says of the
 * pair.
 */
void
roost_followers_changed(int64 follower_id, int64 followee_id)
{
	uint32		first = followers_find(followee_id);

	if (first == NO_PAGE)
		return;
	chain_remove(first, follower_id);
	if (followers_pair_exists(follower_id, followee_id) && !chain_append(first, follower_id))
		chain_free(first);
}

/*
 * Forgets one list.
 */
void
roost_followers_drop(int64 account_id)
{
	uint32		first = followers_find(account_id);

	if (first != NO_PAGE)
		chain_free(first);
}

/*
 * Forgets everything, and gives the memory back.
 */
void
roost_followers_forget(void)
{
	if (followers_context != NULL)
		MemoryContextReset(followers_context);
	segments = NULL;
	buckets = NULL;
	num_pages = 0;
	free_page = NO_PAGE;
	clock_hand = 0;
	followers_stat.lists = 0;
	followers_stat.bytes = 0;
}

void
roost_followers_stat(FollowersStat *stat)
{
	*stat = followers_stat;
	stat->bytes = followers_context == NULL ? 0 : MemoryContextMemAllocated(followers_context, false);
}

/*
 * Makes the hash table and the table of segments.
 */
static void
followers_setup(void)
{
	uint32		num_buckets = 16;

	if (followers_context == NULL)
		followers_context = AllocSetContextCreate(TopMemoryContext, "roost followers", ALLOCSET_DEFAULT_SIZES);
	while (num_buckets < max_pages / 2)
		num_buckets *= 2;
	segments = MemoryContextAllocHuge(followers_context,
									  (max_pages / FOLLOWERS_SEGMENT + 1) * sizeof(FollowersPage *));
	buckets = MemoryContextAllocHuge(followers_context, num_buckets * sizeof(uint32));
	memset(buckets, 0xff, num_buckets * sizeof(uint32));
	bucket_mask = num_buckets - 1;
}

static uint32 *
followers_bucket(int64 account_id)
{
	return &buckets[((uint64) account_id * UINT64CONST(0x9E3779B97F4A7C15) >> 32) & bucket_mask];
}

/*
 * Returns the first page of an account's list, or NO_PAGE.
 */
static uint32
followers_find(int64 account_id)
{
	uint32		first;

	if (buckets == NULL)
		return NO_PAGE;
	first = *followers_bucket(account_id);
	while (first != NO_PAGE && page_at(first)->account_id != account_id)
		first = page_at(first)->hash_next;
	return first;
}

static int64
followers_walk_list(uint32 first, FollowersFlow *flow)
{
	int64		count = 0;

	for (uint32 number = first; number != NO_PAGE;)
	{
		FollowersPage *page = page_at(number);

		number = page->next;
		if (number != NO_PAGE)
			__builtin_prefetch(page_at(number));
		if (flow->sink != NULL)
			flow_put(flow, page->ids, page->count);
		count += page->count;
	}
	return count;
}

/*
 * Reads the index, and keeps what it finds if that is not too much.
 */
static int64
followers_walk_index(int64 account_id, FollowersFlow *flow)
{
	IndexScanDesc scan;
	ScanKeyData key;
	ItemPointer tid;
	uint32		first = chain_begin(account_id);
	int64		count = 0;

	followers_open();
	scan = reading.list_scan;
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(account_id));
	index_rescan(scan, &key, 1, NULL, 0);

	while ((tid = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		int64		id;
		bool		isnull;

		if (!VM_ALL_VISIBLE(reading.table, ItemPointerGetBlockNumber(tid), &reading.visibility) &&
			!index_fetch_heap(scan, reading.slot))
			continue;
		id = DatumGetInt64(index_getattr(scan->xs_itup, 3, scan->xs_itupdesc, &isnull));
		if (flow->sink != NULL)
			flow_put(flow, &id, 1);
		if (first != NO_PAGE && !chain_append(first, id))
		{
			chain_free(first);
			first = NO_PAGE;
		}
		if (++count % FOLLOWERS_CHUNK == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (first != NO_PAGE)
		chain_enter(first);
	return count;
}

static inline void
flow_put(FollowersFlow *flow, const int64 *ids, int n)
{
	if (flow->count + n > FOLLOWERS_CHUNK)
		flow_end(flow);
	for (int i = 0; i < n; i++)
		flow->ids[flow->count++] = ids[i];
}

static void
flow_end(FollowersFlow *flow)
{
	if (flow->count > 0)
		flow->sink(flow->ids, flow->count, flow->arg);
	flow->count = 0;
}

/*
 * Returns the first page of a new list that nobody can find yet, or NO_PAGE.
 */
static uint32
chain_begin(int64 account_id)
{
	uint32		first;
	FollowersPage *page;

	if (buckets == NULL)
		followers_setup();
	first = page_take(NO_PAGE);
	if (first == NO_PAGE)
		return NO_PAGE;
	page = page_at(first);
	page->first = false;		/* the clock leaves it alone */
	page->used = true;
	page->last = first;
	page->pages = 1;
	page->account_id = account_id;
	return first;
}

/*
 * Adds an id at the end; false: there is no room for it.
 */
static bool
chain_append(uint32 first, int64 id)
{
	FollowersPage *head = page_at(first);
	FollowersPage *page = page_at(head->last);

	if (page->count == FOLLOWERS_PAGE)
	{
		uint32		number;

		if (head->pages >= max_pages / FOLLOWERS_LIST_PART)
			return false;
		number = page_take(first);
		if (number == NO_PAGE)
			return false;
		page->next = number;
		head->last = number;
		head->pages++;
		page = page_at(number);
	}
	page->ids[page->count++] = id;
	return true;
}

/*
 * Takes an id out, if it is there; the last one takes its place.
 */
static void
chain_remove(uint32 first, int64 id)
{
	FollowersPage *head = page_at(first);
	FollowersPage *last = page_at(head->last);

	for (uint32 number = first; number != NO_PAGE; number = page_at(number)->next)
	{
		FollowersPage *page = page_at(number);

		for (int i = 0; i < page->count; i++)
		{
			if (page->ids[i] != id)
				continue;
			page->ids[i] = last->ids[--last->count];
			if (last->count == 0 && head->pages > 1)
				chain_cut(first);
			return;
		}
	}
}

/*
 * Gives back a list's last page, which is empty.
 */
static void
chain_cut(uint32 first)
{
	FollowersPage *head = page_at(first);
	uint32		number = first;

	while (page_at(number)->next != head->last)
		number = page_at(number)->next;
	page_free(head->last);
	page_at(number)->next = NO_PAGE;
	head->last = number;
	head->pages--;
}

/*
 * Makes a list known.
 */
static void
chain_enter(uint32 first)
{
	uint32	   *bucket = followers_bucket(page_at(first)->account_id);

	page_at(first)->first = true;
	page_at(first)->hash_next = *bucket;
	*bucket = first;
	followers_stat.lists++;
}

/*
 * Forgets a list, known or not, and gives its pages back.
 */
static void
chain_free(uint32 first)
{
	if (page_at(first)->first)
	{
		uint32	   *link = followers_bucket(page_at(first)->account_id);

		while (*link != first)
			link = &page_at(*link)->hash_next;
		*link = page_at(first)->hash_next;
		page_at(first)->first = false;
		followers_stat.lists--;
	}
	while (first != NO_PAGE)
	{
		uint32		next = page_at(first)->next;

		page_free(first);
		first = next;
	}
}

/*
 * Returns an empty page, or NO_PAGE; the list that begins with `keep` keeps
 * its own.
 */
static uint32
page_take(uint32 keep)
{
	uint32		number;

	if (free_page == NO_PAGE && num_pages + FOLLOWERS_SEGMENT <= max_pages)
	{
		segments[num_pages / FOLLOWERS_SEGMENT] =
			MemoryContextAlloc(followers_context, FOLLOWERS_SEGMENT * sizeof(FollowersPage));
		for (int i = 0; i < FOLLOWERS_SEGMENT; i++)
			page_free(num_pages++);
	}
	if (free_page == NO_PAGE)
		page_evict(keep);
	number = free_page;
	if (number != NO_PAGE)
	{
		free_page = page_at(number)->next;
		page_at(number)->next = NO_PAGE;
		page_at(number)->count = 0;
	}
	return number;
}

static void
page_free(uint32 number)
{
	page_at(number)->first = false;
	page_at(number)->next = free_page;
	free_page = number;
}

/*
 * Drops a list that was not used since the clock came by; after two rounds
 * there is none but `keep`.
 */
static void
page_evict(uint32 keep)
{
	for (uint64 i = 0; i < (uint64) num_pages * 2; i++)
	{
		uint32		number = clock_hand;
		FollowersPage *page = page_at(number);

		clock_hand = (clock_hand + 1) % num_pages;
		if (!page->first || number == keep)
			continue;
		if (!page->used)
		{
			chain_free(number);
			return;
		}
		page->used = false;
	}
}

/*
 * Opens the table and its indexes, once a turn.
 */
static void
followers_open(void)
{
	Oid			schema;

	if (reading.table != NULL)
		return;
	schema = get_namespace_oid("roost_data", false);
	reading.table = table_open(followers_relation("follow", schema), AccessShareLock);
	reading.list_index = index_open(followers_relation("follow_followee_id_id_idx", schema), AccessShareLock);
	reading.pair_index = index_open(followers_relation("follow_pkey", schema), AccessShareLock);
	reading.slot = table_slot_create(reading.table, NULL);
	reading.list_scan = index_beginscan(reading.table, reading.list_index, GetActiveSnapshot(), 1, 0);
	reading.list_scan->xs_want_itup = true;
	reading.pair_scan = index_beginscan(reading.table, reading.pair_index, GetActiveSnapshot(), 2, 0);
}

static Oid
followers_relation(const char *name, Oid schema)
{
	Oid			relid = get_relname_relid(name, schema);

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation roost_data.%s does not exist", name),
				 errhint("Run SELECT roost.install().")));
	return relid;
}

/*
 * Returns whether one follows the other, by the table.
 */
static bool
followers_pair_exists(int64 follower_id, int64 followee_id)
{
	ScanKeyData keys[2];

	followers_open();
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(follower_id));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(followee_id));
	index_rescan(reading.pair_scan, keys, 2, NULL, 0);
	return index_getnext_slot(reading.pair_scan, ForwardScanDirection, reading.slot);
}
