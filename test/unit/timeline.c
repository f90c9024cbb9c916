/*
 * Outboxes and inboxes beside a plain model of a small world, in which people
 * post and follow, a worker applies events late, readers build boxes and read
 * them, boxes are evicted, dropped and made void.  Whatever a reader's
 * snapshot shows must be pending, or in the boxes above their floors.
 * First one step after the other, then in several threads.
 */
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

#define ACCOUNTS	90			/* more than there is room for */
#define FOLLOWED	12
#define POSTS_MAX	60000
#define LATE_MAX	40			/* posts that wait for the worker */
#define BUILDS		4			/* at once in one thread */
#define THREADS		3			/* beside the worker's */
#define THREAD_POSTS	3000
#define TORN_READS	500			/* between which the box has changed */

static int	tests = 0;
static int	failures = 0;

static void
check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

typedef struct Post
{
	int64		id;
	int			author;
	_Atomic bool applied;
} Post;

typedef struct Account
{
	int			followed[FOLLOWED];
	uint32		version;
} Account;

/* The tables, the order of posts is that of their commit */
static Post posts[POSTS_MAX];
static _Atomic int num_posts;
static _Atomic int first_waiting;	/* all posts before are applied */
static Account accounts[ACCOUNTS];
static pthread_mutex_t posts_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t graph_mutex[ACCOUNTS];
static _Atomic int64 last_ms;
static _Atomic int complaints;
static _Atomic long pages_read;
static _Atomic long pages_missed;
static _Atomic long pages_full;

typedef struct Walker
{
	uint64		random_state;
	struct
	{
		TimelineBuild build;
		bool		active;
		int			account;
		uint32		version;
		int			followed[FOLLOWED];
		int			num_scanned;
		int64		ids[TIMELINE_INBOX_LENGTH + 100];
		int64		floor;
	}			builds[BUILDS];
	TimelineInbox inbox;
} Walker;

static uint64
random_next(Walker *w)
{
	uint64		z = w->random_state += UINT64CONST(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int
random_below(Walker *w, int n)
{
	return (int) (random_next(w) % n);
}

static int64
account_id(int account)
{
	return INT64CONST(0x1800000000000) + ((int64) account << 20);
}

static void
complain(const char *what)
{
	if (complaints++ < 3)
		printf("# %s\n", what);
}

static bool
follows(const int *followed, int account)
{
	for (int i = 0; i < FOLLOWED; i++)
	{
		if (followed[i] == account)
			return true;
	}
	return false;
}

/* A post is in the table first, its event comes later. */
static void
do_post(Walker *w)
{
	Post	   *post;
	int64		gap = random_below(w, 20) == 0 ? random_below(w, 40000000) : random_below(w, 2000);
	int64		ms = last_ms += gap + 1;

	pthread_mutex_lock(&posts_mutex);
	if (num_posts < POSTS_MAX)
	{
		post = &posts[num_posts];
		/* some ids are older than their commit */
		post->id = (ms - random_below(w, 4) * random_below(w, 1000)) << 16 | num_posts;
		post->author = random_below(w, random_below(w, 3) == 0 ? 3 : ACCOUNTS);
		post->applied = false;
		num_posts++;
	}
	pthread_mutex_unlock(&posts_mutex);
}

/* The worker: the oldest event that waits, or one of the next ones */
static void
do_apply(Walker *w)
{
	int			at;
	int64		readers[ACCOUNTS + 1];
	int			n = 0;
	Post	   *post;

	while (first_waiting < num_posts && posts[first_waiting].applied)
		first_waiting++;
	at = first_waiting + random_below(w, 4);
	while (at > first_waiting && (at >= num_posts || posts[at].applied))
		at--;
	if (at >= num_posts)
		return;
	post = &posts[at];
	for (int i = 0; i < ACCOUNTS; i++)
	{
		pthread_mutex_lock(&graph_mutex[i]);
		if (follows(accounts[i].followed, post->author))
			readers[n++] = account_id(i);
		pthread_mutex_unlock(&graph_mutex[i]);
	}
	readers[n++] = 12345;		/* has no box */
	roost_timeline_cache_append(account_id(post->author), post->id);
	if (roost_timeline_cache_push(readers, n, account_id(post->author), post->id) >= n)
		complain("a box was pushed to that cannot be");
	if (random_below(w, 5) == 0)
		roost_timeline_cache_push(readers, n, account_id(post->author), post->id);
	post->applied = true;
}

/* A follow is a new version; posts that are pushed by then do not go along. */
static void
do_follow(Walker *w)
{
	int			i = random_below(w, ACCOUNTS);

	pthread_mutex_lock(&graph_mutex[i]);
	accounts[i].followed[random_below(w, FOLLOWED)] = random_below(w, ACCOUNTS);
	accounts[i].version++;
	pthread_mutex_unlock(&graph_mutex[i]);
}

static int
compare_newest(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Begins a box and looks at the tables; publishes it in another step. */
static void
do_begin(Walker *w, TimelineKind kind, int account)
{
	static __thread int64 ids[POSTS_MAX];
	int			k = random_below(w, BUILDS);
	int			limit = random_below(w, 4) == 0 ? random_below(w, 40) : TIMELINE_INBOX_LENGTH;
	int			n = 0;

	if (w->builds[k].active)
		return;
	w->builds[k].account = account;
	pthread_mutex_lock(&graph_mutex[w->builds[k].account]);
	w->builds[k].version = kind == TIMELINE_INBOX ? accounts[w->builds[k].account].version : 0;
	memcpy(w->builds[k].followed, accounts[w->builds[k].account].followed, sizeof(w->builds[k].followed));
	pthread_mutex_unlock(&graph_mutex[w->builds[k].account]);
	if (!roost_timeline_cache_begin(kind, account_id(w->builds[k].account), w->builds[k].version, &w->builds[k].build))
		return;
	w->builds[k].active = true;
	for (int i = num_posts - 1; i >= 0; i--)
	{
		if (kind == TIMELINE_OUTBOX ? posts[i].author == w->builds[k].account : follows(w->builds[k].followed, posts[i].author))
			ids[n++] = posts[i].id;
	}
	qsort(ids, n, sizeof(int64), compare_newest);
	w->builds[k].floor = n > limit ? ids[limit] : 0;
	w->builds[k].num_scanned = Min(n, limit);
	memcpy(w->builds[k].ids, ids, w->builds[k].num_scanned * sizeof(int64));
}

static void
do_publish(Walker *w)
{
	int			k = random_below(w, BUILDS);
	int64		pulled[TIMELINE_PULLED_MAX];
	int			num_pulled = 0;

	if (!w->builds[k].active)
		return;
	w->builds[k].active = false;
	if (random_below(w, 20) == 0)
	{
		roost_timeline_cache_cancel(&w->builds[k].build);
		return;
	}
	if (random_below(w, 40) == 0)
		return;					/* killed */
	/* the busiest three are pulled, by some */
	if (w->builds[k].build.kind == TIMELINE_INBOX && random_below(w, 2) == 0)
	{
		for (int i = 0; i < 3; i++)
		{
			if (follows(w->builds[k].followed, i))
				pulled[num_pulled++] = account_id(i);
		}
	}
	roost_timeline_cache_publish(&w->builds[k].build, w->builds[k].ids, w->builds[k].num_scanned, w->builds[k].floor, pulled, num_pulled);
}

static bool
has(const int64 *ids, int n, int64 id)
{
	for (int i = 0; i < n; i++)
	{
		if (ids[i] == id)
			return true;
	}
	return false;
}

/* Reads a page as a reader does: what the snapshot shows, what is pending, boxes. */
static void
do_read(Walker *w)
{
	int			i = random_below(w, ACCOUNTS);
	int			max = random_below(w, 2) ? 50 : TIMELINE_INBOX_LENGTH;
	int64		before = PG_INT64_MAX;
	int64		after = 0;
	uint32		version;
	int			followed[FOLLOWED];
	int			seen = num_posts;
	int			first = Max(seen - 3000, 0);
	bool	   *pending = malloc(seen + 1);
	int64		lowest;
	TimelineHeap heap;
	TimelineRest rest[TIMELINE_PULLED_MAX];
	int			num_rest = 0;

	if (seen > 0 && random_below(w, 3) == 0)
		before = posts[random_below(w, seen)].id + random_below(w, 2);
	if (seen > 0 && random_below(w, 3) == 0)
		after = posts[random_below(w, seen)].id;
	for (int k = first; k < seen; k++)
		pending[k] = !posts[k].applied;
	pthread_mutex_lock(&graph_mutex[i]);
	version = accounts[i].version;
	memcpy(followed, accounts[i].followed, sizeof(followed));
	pthread_mutex_unlock(&graph_mutex[i]);

	if (!roost_timeline_cache_inbox(account_id(i), version, before, after, max, &w->inbox))
	{
		pages_missed++;
		free(pending);
		do_begin(w, TIMELINE_INBOX, i);
		return;
	}
	pages_read++;
	roost_timeline_heap_init(&heap, before, after, max);
	for (int k = 0; k < w->inbox.count; k++)
		roost_timeline_heap_add(&heap, w->inbox.ids[k]);
	num_rest = roost_timeline_cache_merge(w->inbox.pulled, w->inbox.num_pulled, &heap, rest);
	roost_timeline_heap_sort(&heap);

	/* below this the page is silent */
	lowest = heap.count == max ? heap.ids[max - 1] : after;
	if (heap.count == max)
		pages_full++;
	if (w->inbox.floor > lowest && w->inbox.count < max)
		lowest = w->inbox.floor;
	for (int k = 0; k < num_rest; k++)
	{
		if (rest[k].missing)
			do_begin(w, TIMELINE_OUTBOX, (int) ((rest[k].author_id - account_id(0)) >> 20));
		lowest = Max(lowest, rest[k].before_id - 1);
	}

	for (int k = 0; k < heap.count; k++)
	{
		if (heap.ids[k] >= before || heap.ids[k] <= after || (k > 0 && heap.ids[k] >= heap.ids[k - 1]))
			complain("a page is out of order or bounds");
		if (!follows(followed, posts[heap.ids[k] & 0xffff].author))
			complain("a page has posts of somebody who is not followed");
	}
	for (int k = first; k < seen; k++)
	{
		if (posts[k].id > lowest && posts[k].id < before && posts[k].id > after && !pending[k] &&
			follows(followed, posts[k].author) && !has(heap.ids, heap.count, posts[k].id))
			complain("a page lacks a post");
	}
	free(heap.ids);
	free(heap.met);
	free(pending);
}

/* Outboxes of many authors, whether somebody follows them or not */
static void
do_merge(Walker *w)
{
	int64		authors[ACCOUNTS];
	TimelineRest rest[ACCOUNTS];
	TimelineHeap heap;
	int			want = 1 + random_below(w, 60);
	int			n = 1 + random_below(w, ACCOUNTS);
	int			first_author = random_below(w, ACCOUNTS);
	int			seen = num_posts;
	int			first = Max(seen - 3000, 0);
	bool	   *pending = malloc(seen + 1);
	int64		before = seen > 0 && random_below(w, 2) ? posts[random_below(w, seen)].id : PG_INT64_MAX;
	int			num_rest;
	int64		threshold;

	for (int k = first; k < seen; k++)
		pending[k] = !posts[k].applied;
	for (int i = 0; i < n; i++)
		authors[i] = account_id((first_author + i) % ACCOUNTS);
	roost_timeline_heap_init(&heap, before, 0, want);
	num_rest = roost_timeline_cache_merge(authors, n, &heap, rest);
	roost_timeline_heap_sort(&heap);
	threshold = heap.count == want ? heap.ids[want - 1] : 0;
	for (int k = first; k < seen; k++)
	{
		bool		known = posts[k].id > threshold && posts[k].id < before && !pending[k] &&
		(posts[k].author - first_author + ACCOUNTS) % ACCOUNTS < n;

		for (int i = 0; i < num_rest; i++)
			known = known && !(rest[i].author_id == account_id(posts[k].author) && posts[k].id < rest[i].before_id);
		if (known && !has(heap.ids, heap.count, posts[k].id))
			complain("a merge lacks a post");
	}
	free(heap.ids);
	free(heap.met);
	free(pending);
}

static void
do_lose(Walker *w)
{
	int64		owners[3] = {account_id(random_below(w, ACCOUNTS)), 77, account_id(random_below(w, ACCOUNTS))};

	switch (random_below(w, 30))
	{
		case 0:
			roost_timeline_cache_drop_all();
			break;
		case 1:
			roost_timeline_cache_drop_inboxes();
			break;
		case 2:
			server_generation++;
			break;
		case 3:
			server_now_us += random_below(w, 2000) * 1000;
			break;
		default:
			roost_timeline_cache_drop(random_below(w, 2), owners, 3);
	}
}

static void
step(Walker *w, bool worker)
{
	int			what = random_below(w, 100);

	if (worker)
	{
		if (what < 2)
			do_lose(w);
		else
			do_apply(w);
	}
	else if (what < 15)
		do_post(w);
	else if (what < 17)
		do_follow(w);
	else if (what < 35)
		do_begin(w, random_below(w, 2), random_below(w, ACCOUNTS));
	else if (what < 55)
		do_publish(w);
	else if (what < 85)
		do_read(w);
	else
		do_merge(w);
}

/* What the index says is what the slots say. */
static bool
is_consistent(const TimelineTable *table)
{
	int			entries = 0;
	int			free_slots = 0;

	for (uint32 i = 0; i < table->index_size; i++)
	{
		const TimelineEntry *entry = &table->index[i];

		if (entry->slot == 0)
			continue;
		entries++;
		if (timeline_owner(table, entry->slot - 1)->id != entry->owner_id || table->boxes[entry->slot - 1].state == TIMELINE_FREE ||
			timeline_find(table, entry->owner_id) != (int) entry->slot - 1)
			return false;
	}
	for (int slot = table->shared->free; slot != TIMELINE_NO_SLOT; slot = timeline_owner(table, slot)->next_free)
	{
		if (table->boxes[slot].state != TIMELINE_FREE || ++free_slots > table->num_slots)
			return false;
	}
	return entries == table->shared->used && entries + free_slots == table->shared->touched;
}

static void
world_make(uint64 seed)
{
	Walker		w = {.random_state = seed};
	static void *memory = NULL;

	timeline_memory = TIMELINE_MEMORY_MIN;
	timeline_outbox_share = 15;
	free(memory);
	memory = aligned_alloc(128, TYPEALIGN(128, cache_shmem_size()));
	memset(memory, 0x5a, cache_shmem_size());
	cache_shmem_init(memory, server_lwlocks, false);
	num_posts = 0;
	first_waiting = 0;
	last_ms = INT64CONST(1700000000000);
	for (int i = 0; i < ACCOUNTS; i++)
	{
		for (int k = 0; k < FOLLOWED; k++)
			accounts[i].followed[k] = random_below(&w, k < 2 ? 3 : ACCOUNTS);
	}
}

static int64
count_of(TimelineKind kind, TimelineCounter counter)
{
	uint64		sum = 0;

	for (int i = 0; i < TIMELINE_STRIPES; i++)
		sum += pg_atomic_read_u64(&roost_timeline_tables[kind].shared->stripes[i].counters[counter]);
	return (int64) sum;
}

/* One step after the other */
static void
test_alone(void)
{
	bool		consistent = true;
	int64		evictions[TIMELINE_KINDS] = {0};
	int64		failed = 0;

	for (uint64 seed = 1; seed <= 8; seed++)
	{
		static Walker w;

		memset(&w, 0, sizeof(w));
		w.random_state = seed;
		world_make(seed);
		for (int i = 0; i < 12000 && num_posts < 3000; i++)
		{
			step(&w, random_below(&w, 5) < 2 || num_posts - first_waiting > LATE_MAX);
			if (i % 100 == 0)
				consistent = consistent && is_consistent(&roost_timeline_tables[0]) && is_consistent(&roost_timeline_tables[1]);
		}
		evictions[0] += count_of(TIMELINE_OUTBOX, TIMELINE_EVICTIONS);
		evictions[1] += count_of(TIMELINE_INBOX, TIMELINE_EVICTIONS);
		failed += count_of(TIMELINE_INBOX, TIMELINE_BUILDS_FAILED);
	}
	check(complaints == 0, "nothing is missing and nothing is too much");
	check(consistent, "index, slots and free slots agree");
	printf("# %ld pages from boxes, %ld of them full, %ld missed; %ld + %ld evictions, %ld builds failed\n",
		   pages_read, pages_full, pages_missed, evictions[0], evictions[1], failed);
	check(pages_read > 3000 && pages_full > 1000 && evictions[0] > 50 && evictions[1] > 50 && failed > 50,
		  "and that has been looked at");
}

static bool
begin(TimelineKind kind, int64 owner_id, uint32 version, TimelineBuild *build)
{
	return roost_timeline_cache_begin(kind, owner_id, version, build);
}

static bool
publish(TimelineBuild *build, const int64 *ids, int n, int64 floor)
{
	return roost_timeline_cache_publish(build, ids, n, floor, NULL, 0);
}

/* Who may build, and when */
static void
test_building(void)
{
	TimelineBuild first;
	TimelineBuild second;
	TimelineInbox inbox;
	int64		ids[] = {30 << 16, 20 << 16};
	int64		reader = 1;

	world_make(1);
	check(begin(TIMELINE_INBOX, reader, 1, &first), "a missing box is begun");
	check(!begin(TIMELINE_INBOX, reader, 1, &second), "but not by two");
	check(!roost_timeline_cache_inbox(reader, 1, PG_INT64_MAX, 0, 50, &inbox), "nor is it read meanwhile");
	server_now_us += 1000000;
	check(begin(TIMELINE_INBOX, reader, 1, &second), "after a second another builder may take it over");
	check(!publish(&first, ids, 2, 0) && publish(&second, ids, 2, 0), "and only that one publishes");
	check(roost_timeline_cache_inbox(reader, 1, PG_INT64_MAX, 0, 50, &inbox) && inbox.count == 2 && inbox.floor == 0, "then it is read");
	check(!begin(TIMELINE_INBOX, reader, 1, &first), "a good box is not begun anew");
	check(begin(TIMELINE_INBOX, reader, 2, &first), "one of another version is");
	roost_timeline_cache_cancel(&first);
	check(roost_timeline_tables[TIMELINE_INBOX].shared->used == 0, "a building that is given up leaves nothing");
	begin(TIMELINE_INBOX, reader, 2, &first);
	publish(&first, ids, 2, 0);
	roost_timeline_cache_drop_inboxes();
	check(!roost_timeline_cache_inbox(reader, 2, PG_INT64_MAX, 0, 50, &inbox) && begin(TIMELINE_INBOX, reader, 2, &first),
		  "a void box is missing, and begun anew");
	server_generation++;
	check(!publish(&first, ids, 2, 0), "what became void while it was built is not published");
	check(begin(TIMELINE_INBOX, reader, 2, &first), "but begun anew at once");
	roost_timeline_cache_drop(TIMELINE_INBOX, &reader, 1);
	check(!publish(&first, ids, 2, 0), "nor is what was dropped");
	check(begin(TIMELINE_OUTBOX, reader, 0, &first) && publish(&first, NULL, 0, 0), "an author without posts has an outbox");
}

/* What is pushed while a box is built, more than it has room for */
static void
test_floor(void)
{
	TimelineBuild build;
	TimelineInbox inbox;
	int64		reader = 1;
	int64		ids[3] = {500 << 16, 60 << 16, 5 << 16};
	int64		pulled[TIMELINE_PULLED_MAX];

	world_make(1);
	begin(TIMELINE_INBOX, reader, 1, &build);
	for (int64 i = 1; i <= 900; i++)
		roost_timeline_cache_push(&reader, 1, 7, i << 16);
	publish(&build, ids, 3, 0);
	roost_timeline_cache_inbox(reader, 1, PG_INT64_MAX, 0, TIMELINE_INBOX_LENGTH, &inbox);
	check(inbox.count == 800 && inbox.floor == 100 << 16, "what was pushed out of a box while it was built raises its floor");

	for (int i = 0; i < TIMELINE_PULLED_MAX; i++)
		pulled[i] = 1000 + i;
	begin(TIMELINE_INBOX, reader, 2, &build);
	roost_timeline_cache_push(&reader, 1, 1003, 700 << 16);
	roost_timeline_cache_publish(&build, ids, 3, 0, pulled, TIMELINE_PULLED_MAX);
	check(roost_timeline_cache_push(&reader, 1, 1003, 800 << 16) == 0 && roost_timeline_cache_push(&reader, 1, 2000, 900 << 16) == 1,
		  "posts of pulled authors are not pushed, others are");
	for (int64 i = 1; i <= 2000; i++)
		roost_timeline_cache_push(&reader, 1, 7, (1000 + i) << 16);
	check(roost_timeline_cache_inbox(reader, 2, PG_INT64_MAX, 0, TIMELINE_INBOX_LENGTH, &inbox) &&
		  inbox.num_pulled == TIMELINE_PULLED_MAX && memcmp(inbox.pulled, pulled, sizeof(pulled)) == 0 &&
		  inbox.count == (800 * 5 - 64 * 8) / 5 && inbox.ids[0] == 3000 << 16 && inbox.floor == (3000 - inbox.count) << 16,
		  "pulled authors take their room from the posts, and keep it");
}

/* Who is read stays; boxes that are being built stay */
static void
test_eviction(void)
{
	TimelineBuild build;
	TimelineInbox inbox;
	int			slots;
	int			kept = 0;
	int			began = 0;

	world_make(1);
	slots = roost_timeline_tables[TIMELINE_INBOX].num_slots;
	for (int64 reader = 1; reader <= 10 * slots; reader++)
	{
		begin(TIMELINE_INBOX, reader, 1, &build);
		publish(&build, NULL, 0, 0);
		for (int64 faithful = 1; faithful <= slots / 2; faithful++)
			kept += roost_timeline_cache_inbox(faithful, 1, PG_INT64_MAX, 0, 50, &inbox) == (faithful <= reader);
	}
	check(kept == 10 * slots * (slots / 2) && count_of(TIMELINE_INBOX, TIMELINE_EVICTIONS) == 9 * slots,
		  "those who read again keep their inboxes while others come and go");
	roost_timeline_cache_drop_all();
	for (int64 reader = 1; reader <= 2 * slots; reader++)
		began += begin(TIMELINE_INBOX, 100000 + reader, 1, &build);
	check(began == slots, "a box that is being built does not make room");
	server_now_us += 1000000;
	check(begin(TIMELINE_INBOX, 99, 1, &build), "unless its builder has left it");
}

/* The set of pulled authors, beside an array of bits */
static void
test_pulled(void)
{
	static bool model[40000];
	Walker	   *w = calloc(1, sizeof(Walker));
	int			count = 0;
	bool		good = true;
	int			max;

	world_make(1);
	w->random_state = 1;
	for (int i = 0; i < 200000 && good; i++)
	{
		int			k = random_below(w, lengthof(model));
		bool		pulled = random_below(w, 3) > 0;
		bool		room = count < PULLED_MAX || !pulled || model[k];

		good = roost_timeline_cache_pull_set(account_id(k), pulled) == room;
		if (room)
		{
			count += pulled - model[k];
			model[k] = pulled;
		}
		good = good && roost_timeline_cache_is_pulled(account_id(k)) == model[k] && roost_timeline_pulled_count(&max) == count;
	}
	for (int k = 0; k < lengthof(model); k++)
		good = good && roost_timeline_cache_is_pulled(account_id(k)) == model[k];
	check(good && count > PULLED_MAX / 2, "the set of pulled authors holds those that are put into it, up to its bound");
	roost_timeline_cache_pull_clear();
	for (int k = 0; k < lengthof(model); k++)
		good = good && !roost_timeline_cache_is_pulled(account_id(k));
	check(good && roost_timeline_cache_pull_set(1, true), "cleared it is empty");
	free(w);
}

static double
post_rate(int64 author_id)
{
	int64		author_ids[100];
	double		rates[100];

	for (int i = 0; i < 100; i++)
		author_ids[i] = i == 70 ? author_id : 5000 + i;
	roost_timeline_cache_post_rates(author_ids, 100, rates);
	return rates[69] == 0 && rates[71] == 0 ? rates[70] : -1;
}

/* How often an account reads and posts */
static void
test_rates(void)
{
	TimelineBuild build;
	TimelineInbox inbox;
	int64		ids[TIMELINE_OUTBOX_LENGTH];
	int64		now = server_now_us / 1000;

	world_make(1);
	check(roost_timeline_cache_read_rate(1) == 0 && post_rate(1) == 0, "rates of strangers are not known");
	begin(TIMELINE_INBOX, 1, 1, &build);
	publish(&build, NULL, 0, 0);
	for (int i = 0; i < 361; i++)
	{
		roost_timeline_cache_inbox(1, 1, PG_INT64_MAX, 0, 50, &inbox);
		server_now_us += 10 * 1000000;
	}
	check(fabs(roost_timeline_cache_read_rate(1) - 0.1) < 0.001, "somebody reads every ten seconds");
	for (int i = 0; i < 300; i++)
	{
		server_now_us += INT64CONST(6) * 3600 * 1000000;
		roost_timeline_cache_inbox(1, 1, PG_INT64_MAX, 0, 50, &inbox);
	}
	check(fabs(roost_timeline_cache_read_rate(1) * 86400 - 4) < 0.5, "later only four times a day");

	server_now_us = now * 1000;
	for (int i = 0; i < lengthof(ids); i++)
		ids[i] = (now - i * 60000) << 16;
	begin(TIMELINE_OUTBOX, 1, 0, &build);
	publish(&build, ids, lengthof(ids), ids[lengthof(ids) - 1]);
	check(fabs(post_rate(1) - 1 / 60.0) < 1e-6, "somebody posts every minute");
	server_now_us += INT64CONST(45) * 60 * 1000000;
	check(fabs(post_rate(1) - 1 / 240.0) < 1e-6, "and has been silent for a while");
}

static void *
thread_walk(void *arg)
{
	Walker	   *w = arg;

	while (num_posts < THREAD_POSTS && complaints == 0)
	{
		if (num_posts - first_waiting > LATE_MAX)
			do_read(w);
		else
			step(w, false);
	}
	return NULL;
}

static void *
thread_worker(void *arg)
{
	Walker	   *w = arg;

	while (first_waiting < THREAD_POSTS && complaints == 0)
		step(w, true);
	return NULL;
}

/* The same with all of it at once */
static void
test_threads(void)
{
	Walker	   *walkers = calloc(THREADS + 1, sizeof(Walker));
	pthread_t	threads[THREADS + 1];

	world_make(99);
	pages_read = 0;
	for (int i = 0; i <= THREADS; i++)
	{
		walkers[i].random_state = 1000 + i;
		pthread_create(&threads[i], NULL, i < THREADS ? thread_walk : thread_worker, &walkers[i]);
	}
	for (int i = 0; i <= THREADS; i++)
		pthread_join(threads[i], NULL);
	check(complaints == 0, "nor with several threads");
	check(is_consistent(&roost_timeline_tables[0]) && is_consistent(&roost_timeline_tables[1]), "index, slots and free slots agree after them");
	printf("# %ld pages from boxes\n", pages_read);
	free(walkers);
}

static _Atomic bool torn_end;

/* Ids each of which is further from the one before */
static int64
stair(int64 step)
{
	return (step * (step + 1) / 2) << 8;
}

static void *
thread_push(void *arg)
{
	int64		reader = 1;

	for (int64 i = 1; !torn_end; i++)
	{
		roost_timeline_cache_push(&reader, 1, 7, stair(i));
		roost_timeline_cache_append(reader, stair(i));
	}
	return NULL;
}

/* Are they steps of that stair, one after the other? */
static bool
in_steps(const int64 *ids, int count)
{
	int64		step = count > 0 ? (int64) ((sqrtl(8.0L * (ids[0] >> 8) + 1) - 1) / 2 + 0.5L) : 0;

	for (int i = 0; i < count; i++)
	{
		if (ids[i] != stair(step - i))
			return false;
	}
	return true;
}

/* Reading a box that is pushed to all the time: either state, never a mixture */
static void
test_torn(void)
{
	static TimelineInbox inbox;
	TimelineBuild build;
	pthread_t	thread;
	int64		reader = 1;
	int			changes = 0;
	bool		good = true;

	world_make(1);
	begin(TIMELINE_INBOX, reader, 1, &build);
	publish(&build, NULL, 0, 0);
	begin(TIMELINE_OUTBOX, reader, 0, &build);
	publish(&build, NULL, 0, 0);
	pthread_create(&thread, NULL, thread_push, NULL);
	while (changes < TORN_READS && good)
	{
		int64		newest = inbox.ids[0];
		TimelineHeap heap;
		TimelineRest rest;

		good = roost_timeline_cache_inbox(reader, 1, PG_INT64_MAX, 0, TIMELINE_INBOX_LENGTH, &inbox) &&
			in_steps(inbox.ids, inbox.count);
		roost_timeline_heap_init(&heap, PG_INT64_MAX, 0, TIMELINE_OUTBOX_LENGTH);
		roost_timeline_cache_merge(&reader, 1, &heap, &rest);
		roost_timeline_heap_sort(&heap);
		good = good && in_steps(heap.ids, heap.count);
		free(heap.ids);
		free(heap.met);
		changes += inbox.ids[0] > newest;
	}
	torn_end = true;
	pthread_join(thread, NULL);
	check(good, "a box is read whole while the worker pushes to it");
}

int
main(void)
{
	for (int i = 0; i < ACCOUNTS; i++)
		pthread_mutex_init(&graph_mutex[i], NULL);
	test_building();
	test_floor();
	test_eviction();
	test_pulled();
	test_rates();
	test_torn();
	test_alone();
	test_threads();
	printf("1..%d\n", tests);
	return failures > 0;
}
