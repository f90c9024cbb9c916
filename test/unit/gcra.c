/*
 * The rate limiter's table: the arithmetic, several rules at once, eviction,
 * clocks that step back, and threads that fight over the last unit.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limit/gcra.c"

#define SECOND 1000000
#define THREADS 4

static int	tests = 0;
static int	failures = 0;

static void
check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

static _Atomic uint64_t evicted;

static GcraTable
table_make(uint64_t size)
{
	GcraTable	table = {.size = size,.evicted = &evicted};

	table.entries = calloc(size, sizeof(GcraEntry));
	atomic_store(&evicted, 0);
	return table;
}

static bool
take(const GcraTable *table, uint64_t key, int64_t interval, int64_t burst, int64_t cost, int64_t now, GcraResult *result)
{
	GcraRule	rule = {.key = key,.interval = interval,.burst = burst};

	return roost_gcra_take(table, &rule, 1, cost, now, result);
}

/* Beside the table, a plain model of the bucket: units that drip back. */
static void
test_model(void)
{
	GcraTable	table = table_make(64);
	double		level = 0;
	int64_t		now = 1000 * (int64_t) SECOND;
	int64_t		last = now;
	bool		same = true;

	srand(7);
	for (int i = 0; i < 100000; i++)
	{
		GcraResult	result;
		int64_t		cost = rand() % 4;
		bool		expected;

		now += rand() % (5 * SECOND);
		level -= (double) (now - last) / (2 * SECOND);
		level = level < 0 ? 0 : level;
		last = now;
		expected = level + cost <= 5 + 1e-9;
		if (expected)
			level += cost;
		same &= take(&table, 42, 2 * SECOND, 5, cost, now, &result) == expected;
		same &= result.remaining == (int64_t) (5 - level + 1e-9);
	}
	check(same, "100000 takes agree with a bucket that drips");
	free(table.entries);
}

static void
test_rules(void)
{
	GcraTable	table = table_make(64);
	GcraRule	rules[] = {{1, SECOND, 10}, {2, SECOND, 2}, {3, SECOND, 10}};
	GcraResult	results[3];
	int64_t		now = SECOND;

	check(roost_gcra_take(&table, rules, 3, 1, now, results) &&
		  roost_gcra_take(&table, rules, 3, 1, now, results), "two units of three rules");
	check(!roost_gcra_take(&table, rules, 3, 1, now, results), "not a third, since one rule has only two");
	check(!results[1].allowed && results[1].retry == SECOND && results[1].remaining == 0, "that rule says when");
	check(roost_gcra_take(&table, rules, 3, 0, now, results) && results[0].remaining == 8 && results[2].remaining == 8,
		  "nothing was taken of the other two");
	check(roost_gcra_forget(&table, 2) && !roost_gcra_forget(&table, 99), "forgets what it knows");
	check(roost_gcra_take(&table, rules, 3, 2, now, results) && results[0].remaining == 6, "then there is room again");
	free(table.entries);
}

static void
test_clock(void)
{
	GcraTable	table = table_make(64);
	GcraResult	result;
	int64_t		now = 1000 * (int64_t) SECOND;

	take(&table, 5, SECOND, 3, 3, now, &result);
	now -= 500 * (int64_t) SECOND;
	check(!take(&table, 5, SECOND, 3, 1, now, &result) && result.retry == SECOND, "after a step back: a full bucket, no more");
	check(take(&table, 5, SECOND, 3, 1, now + SECOND, &result), "which drips");
	take(&table, 6, 1000 * (int64_t) SECOND, 3, 3, now, &result);
	check(!take(&table, 6, SECOND, 3, 1, now, &result) && result.reset == 3 * SECOND, "so after a limit was made smaller");
	free(table.entries);
}

static void
test_extremes(void)
{
	GcraTable	table = table_make(64);
	GcraResult	result;
	int64_t		now = 2000000000 * (int64_t) SECOND;
	int64_t		year = 366 * 86400 * (int64_t) SECOND;

	check(!take(&table, 5, year, 10, 1000000, now, &result) && result.retry == year, "more than there can be, of the slowest limit");
	check(take(&table, 5, year, 10, 10, now, &result) && result.reset == 10 * year && result.remaining == 0, "all of it");
	check(!take(&table, 5, year, 10, INT64_MAX, now, &result), "any number is too many");
	check(take(&table, 6, 1, 1000000, 1000000, now, &result) && result.reset == SECOND, "of the fastest limit");
	free(table.entries);
}

static void
test_eviction(void)
{
	GcraTable	table = table_make(GCRA_BLOCK);
	GcraResult	result;
	int64_t		now = SECOND;
	bool		found = true;

	for (int i = 1; i <= GCRA_BLOCK; i++)
		take(&table, i, SECOND * i, 2, 1, now, &result);
	for (int i = 1; i <= GCRA_BLOCK; i++)
	{
		take(&table, i, SECOND * i, 2, 0, now, &result);
		found &= result.remaining == 1;
	}
	check(found && atomic_load(&evicted) == 0, "a block holds as many keys as it has entries");

	take(&table, 100, SECOND, 2, 1, now + SECOND, &result);
	check(atomic_load(&evicted) == 0, "an entry whose time has passed gives way");
	take(&table, 1, SECOND, 2, 0, now + SECOND, &result);
	check(result.remaining == 2, "without a difference to its key");
	take(&table, 101, SECOND, 2, 1, now + SECOND, &result);
	check(atomic_load(&evicted) == 1, "without one, a live entry gives way, and is counted");
	take(&table, 16, 16 * SECOND, 2, 0, now + SECOND, &result);
	check(result.remaining == 1, "not the one that lives longest");
	check(result.reset == 15 * SECOND, "whose time goes on");

	check(!roost_gcra_restore(&table, 200, now, now + SECOND) && !roost_gcra_restore(&table, 0, 99 * SECOND, now),
		  "an entry whose time has passed is not restored");
	check(roost_gcra_restore(&table, 200, now + 4 * SECOND, now + 2 * SECOND), "another one is");
	take(&table, 200, SECOND, 2, 0, now + 2 * SECOND, &result);
	check(result.remaining == 0, "with its debt");
	free(table.entries);
}

static GcraTable shared;
static _Atomic int granted;
static _Atomic int both;

static void *
fight(void *arg)
{
	GcraRule	rules[] = {{7, SECOND, 20000}, {8, SECOND, 15000}};
	GcraResult	results[2];

	for (int i = 0; i < 10000; i++)
	{
		atomic_fetch_add(&granted, roost_gcra_take(&shared, rules, 1, 1, SECOND, results));
		atomic_fetch_add(&both, roost_gcra_take(&shared, rules + 1, 1, 1, SECOND, results + 1));
	}
	return NULL;
}

static void *
fight_both(void *arg)
{
	GcraRule	rules[] = {{9, SECOND, 20000}, {10, SECOND, 15000}};
	GcraResult	results[2];

	for (int i = 0; i < 10000; i++)
		atomic_fetch_add(&both, roost_gcra_take(&shared, rules, 2, 1, SECOND, results));
	return NULL;
}

static void *
fight_evict(void *arg)
{
	GcraResult	result;
	unsigned	seed = (unsigned) (size_t) arg;

	for (int i = 0; i < 20000; i++)
		take(&shared, 1 + rand_r(&seed) % 64, SECOND, 5, 1, SECOND + i * 100, &result);
	return NULL;
}

static void
run_threads(void *(*body) (void *))
{
	pthread_t	threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, body, (void *) (i + 1));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void
test_threads(void)
{
	GcraResult	results[2];
	bool		sane = true;

	shared = table_make(64);
	run_threads(fight);
	check(atomic_load(&granted) == 20000, "threads get exactly as many units as there are");
	check(atomic_load(&both) == 15000, "of each key");

	atomic_store(&both, 0);
	run_threads(fight_both);
	take(&shared, 9, SECOND, 20000, 0, SECOND, &results[0]);
	take(&shared, 10, SECOND, 15000, 0, SECOND, &results[1]);
	check(atomic_load(&both) == 15000, "of two rules, as many as the smaller has");
	check(results[0].remaining == 5000 && results[1].remaining == 0, "and what one refuses is not taken of the other");
	free(shared.entries);

	/* keys that push each other out all the time */
	shared = table_make(GCRA_BLOCK);
	run_threads(fight_evict);
	for (int i = 0; i < GCRA_BLOCK; i++)
	{
		sane &= atomic_load(&shared.entries[i].key) >= 1 && atomic_load(&shared.entries[i].key) <= 64;
		sane &= atomic_load(&shared.entries[i].tat) <= 3 * SECOND + 6 * SECOND;
	}
	check(sane, "keys that push each other out leave a sane table");
	free(shared.entries);
}

int
main(void)
{
	test_model();
	test_rules();
	test_clock();
	test_extremes();
	test_eviction();
	test_threads();
	printf("1..%d\n", tests);
	return failures > 0;
}
