/*
 * Outboxes and inboxes beside a plain model of a small world, in which people
 * post and follow, a worker applies events late, readers build boxes and read
 * them, boxes are evicted, dropped and made void.  Whatever a reader's
 * snapshot shows must be pending, or in the boxes above their floors.
 * First one step after the other, then in several threads.
 */
#include "test/unit/timeline_memory.h"

#define ACCOUNTS	90			/* more than there is room for */
#define FOLLOWED	12
#define POSTS_MAX	60000
#define LATE_MAX	40			/* posts that wait for the worker */
#define BUILDS		4			/* at once in one thread */
#define THREADS		3			/* beside the worker's */
#define THREAD_POSTS	3000

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

static int
random_below(Walker *w, int n)
{
	return random_pick(&w->random_state, n);
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

	memory_make();
	num_posts = 0;
	first_waiting = 0;
	last_ms = INT64CONST(1700000000000);
	for (int i = 0; i < ACCOUNTS; i++)
	{
		for (int k = 0; k < FOLLOWED; k++)
			accounts[i].followed[k] = random_below(&w, k < 2 ? 3 : ACCOUNTS);
	}
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

int
main(void)
{
	for (int i = 0; i < ACCOUNTS; i++)
		pthread_mutex_init(&graph_mutex[i], NULL);
	test_alone();
	test_threads();
	printf("1..%d\n", tests);
	return failures > 0;
}
