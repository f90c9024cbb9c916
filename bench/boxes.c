/*-------------------------------------------------------------------------
 *
 * boxes.c
 *		Outboxes and inboxes alone: what one core does with them in memory.
 *
 *		boxes READERS AUTHORS FOLLOWERS ROUNDS
 *
 * It has the files of the extension inside, and locks between threads in the
 * place of the server's.  READERS inboxes and AUTHORS outboxes are filled, then
 * measured in turns: posts pushed to FOLLOWERS random inboxes, the newest 50
 * ids of a random inbox, the newest 50 of 200 and of 1,000 random outboxes.
 * Beside that the machine's limit: random read-modify-writes of 64 bytes over
 * the inboxes' memory, and random reads of an inbox's size.
 * Prints a line of figures a round.  With HUGE_PAGES in the environment the
 * memory asks for transparent huge pages.
 *
 *-------------------------------------------------------------------------
 */
#include "test/unit/server.h"

#include <sys/mman.h>
#include <time.h>

#include "timeline/cache.c"
#include "timeline/cache_build.c"
#include "timeline/cache_push.c"
#include "timeline/cache_read.c"
#include "timeline/heap.c"
#include "timeline/merge.c"
#include "timeline/pulled.c"
#include "timeline/ring.c"

#define LISTS		64			/* of followers */
#define PAGE		50

static uint64 random_state = 42;
static int64 next_id = INT64CONST(1700000000000) << 16;
static int64 sum;				/* of what is read, so that it is */

static uint64
random_next(void)
{
	uint64		z = random_state += UINT64CONST(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int64
random_below(int64 n)
{
	return (int64) ((unsigned __int128) random_next() * (uint64) n >> 64);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* An account's id as roost makes them: accounts are some seconds apart */
static int64
account_id(int64 n)
{
	return ((INT64CONST(1600000000000) + n * 7919) << 16) | (n * 2654435761 % 1024);
}

static int64
new_id(void)
{
	next_id += (1 + random_below(20)) << 16;
	return next_id | random_below(1024);
}

static void
fill(TimelineKind kind, int64 owners, int length)
{
	int64	   *ids = malloc(length * sizeof(int64));
	TimelineBuild build;

	for (int64 i = 0; i < owners; i++)
	{
		/* outboxes: posts some minutes apart */
		int64		at = next_id;

		for (int k = 0; k < length; k++)
		{
			at -= kind == TIMELINE_OUTBOX ? (1 + random_below(3600000)) << 16 : (1 + random_below(60000)) << 16;
			ids[k] = at;
		}
		if (!roost_timeline_cache_begin(kind, account_id(i), 0, &build) ||
			!roost_timeline_cache_publish(&build, ids, length, ids[length - 1], NULL, 0))
			exit(1);
	}
	free(ids);
}

/* Random read-modify-writes of a cache line, a second */
static double
ceiling(int64 n)
{
	TimelineTable *table = &roost_timeline_tables[TIMELINE_INBOX];
	volatile uint64 *lines = (uint64 *) table->blocks;
	int64		num_lines = (int64) table->num_slots * table->block_size / 64;
	double		from = now();

	for (int64 i = 0; i < n; i++)
	{
		volatile uint64 *line = lines + random_below(num_lines) * 8;

		/* the boxes stay what they are */
		for (int k = 0; k < 8; k++)
			line[k] += 0;
	}
	return n / (now() - from);
}

/* Random copies of five lines: what 50 ids and a head take */
static double
copies(int64 n)
{
	TimelineTable *table = &roost_timeline_tables[TIMELINE_INBOX];
	double		from = now();

	for (int64 i = 0; i < n; i++)
	{
		uint64	   *at = (uint64 *) timeline_block(table, (int) random_below(table->num_slots));

		/* the next place depends on what was read, as a caller's does */
		for (int k = 0; k < 40; k += 8)
			sum += at[k];
		random_state += sum & 1;
	}
	return (now() - from) / n;
}

/* Deliveries a second, each post to so many of a list */
static double
pushes(int64 **lists, int length, int followers, int posts)
{
	double		from = now();
	int64		taken = 0;

	for (int i = 0; i < posts; i++)
		taken += roost_timeline_cache_push(lists[i % LISTS] + i * followers % (length - followers + 1), followers, account_id(i), new_id());
	if (taken != (int64) posts * followers)
		exit(1);
	return taken / (now() - from);
}

static double
reads(int64 readers, int64 n)
{
	static TimelineInbox inbox;
	double		from = now();

	for (int64 i = 0; i < n; i++)
	{
		if (!roost_timeline_cache_inbox(account_id(random_below(readers)), 0, PG_INT64_MAX, 0, PAGE, &inbox))
			exit(1);
		sum += inbox.ids[PAGE - 1];
		random_state += sum & 1;
	}
	return (now() - from) / n;
}

static double
merges(int64 authors, int followed, int64 n)
{
	TimelineRest *rest = malloc(followed * sizeof(TimelineRest));
	int64	   *lists = malloc(n * followed * sizeof(int64));
	double		from;
	double		took;

	for (int64 i = 0; i < n * followed; i++)
		lists[i] = account_id(random_below(authors));
	from = now();
	for (int64 i = 0; i < n; i++)
	{
		TimelineHeap heap;

		roost_timeline_heap_init(&heap, PG_INT64_MAX, 0, PAGE);
		if (roost_timeline_cache_merge(lists + i * followed, followed, &heap, rest) != 0)
			exit(1);
		sum += roost_timeline_heap_sort(&heap) + heap.ids[0];
		pfree(heap.ids);
		pfree(heap.met);
	}
	took = (now() - from) / n;
	free(rest);
	free(lists);
	return took;
}

int
main(int argc, char **argv)
{
	int64		readers = argc > 1 ? atol(argv[1]) : 200000;
	int64		authors = argc > 2 ? atol(argv[2]) : 100000;
	int			followers = argc > 3 ? atoi(argv[3]) : 10000;
	int			rounds = argc > 4 ? atoi(argv[4]) : 3;
	int64	   *lists[LISTS];
	Size		size;
	void	   *memory;

	/* just as much as that many boxes take */
	timeline_outbox_share = Max(5, (int) (authors * 608 * 100 / (authors * 608 + readers * 4128)) + 1);
	timeline_memory = (int) (Max(readers * 4128 * 100 / (100 - timeline_outbox_share), authors * 608 * 100 / timeline_outbox_share) / 1024 + 1000);
	size = cache_shmem_size();
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	if (getenv("HUGE_PAGES"))
		madvise(memory, size, MADV_HUGEPAGE);
	cache_shmem_init(memory, server_lwlocks, false);

	fill(TIMELINE_INBOX, readers, TIMELINE_INBOX_LENGTH);
	fill(TIMELINE_OUTBOX, authors, TIMELINE_OUTBOX_LENGTH);
	for (int i = 0; i < LISTS; i++)
	{
		lists[i] = malloc(followers * sizeof(int64));
		/* each once: every so many-th from a random one on, then mixed */
		for (int k = 0, n = (int) random_below(readers); k < followers; k++)
		{
			int			at = (int) random_below(k + 1);

			lists[i][k] = lists[i][at];
			lists[i][at] = account_id((n + k * (readers / followers)) % readers);
		}
	}

	for (int round = 0; round < rounds; round++)
	{
		double		limit = ceiling(5000000);
		double		pushed = pushes(lists, followers, followers, (int) Max(5000000 / followers, 1));
		double		pushed_few = pushes(lists, followers, Min(50, followers), 60000);
		double		copied = copies(300000);
		double		read = reads(readers, 300000);
		double		few = merges(authors, 200, 5000);
		double		many = merges(authors, 1000, 1000);

		printf("limit=%.1f push=%.1f push50=%.1f copy_ns=%.0f read_ns=%.0f merge200_us=%.2f merge1000_us=%.2f bytes=%.2f\n",
			   limit / 1e6, pushed / 1e6, pushed_few / 1e6, copied * 1e9, read * 1e9, few * 1e6, many * 1e6,
			   (TIMELINE_INBOX_BLOCK + sizeof(TimelineBox) + INDEX_PER_SLOT * sizeof(TimelineEntry)) / (double) TIMELINE_INBOX_LENGTH);
		fflush(stdout);
	}
	return sum == 0;
}
