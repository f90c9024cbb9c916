/*
 * Outboxes and inboxes one by one: who may build them and when, what they are
 * complete for, what makes room, what is pulled, rates, reading while they are
 * written.
 */
#include "test/unit/timeline_memory.h"

#define TORN_READS	500			/* between which the box has changed */

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

	memory_make();
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

	memory_make();
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

	memory_make();
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
	uint64		random = 1;
	int			count = 0;
	bool		good = true;
	int			max;

	memory_make();
	for (int i = 0; i < 200000 && good; i++)
	{
		int			k = random_pick(&random, lengthof(model));
		bool		pulled = random_pick(&random, 3) > 0;
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

	memory_make();
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

	memory_make();
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
	test_building();
	test_floor();
	test_eviction();
	test_pulled();
	test_rates();
	test_torn();
	printf("1..%d\n", tests);
	return failures > 0;
}
