/*-------------------------------------------------------------------------
 *
 * presence.c
 *		Tells the database which accounts are connected to this process.
 *
 * The hub says when an account has its first subscriber or has lost its last
 * one.  These changes are told with roost.live_beat(), the first after a pause
 * at once, the next BEAT_GAP later; without changes there is an empty beat every
 * BEAT_PERIOD.  One beat is under way at a time, so they arrive in order.  A
 * change is kept until the database has answered; at most CHANGES_MAX of them.
 *
 * Everything is told when the database asks for it (it does not know this
 * process: it was started anew, or has not heard of it for too long), when a
 * beat may or may not have arrived, when there were too many changes to be kept,
 * and every ENTIRE_PERIOD in case that something has gone wrong unseen.
 *
 * There are no beats before the first account has come.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "hub.h"
#include "log.h"
#include "pool.h"
#include "presence.h"

#define BEAT_GAP 0.1
#define BEAT_PERIOD 5.0
#define BEAT_RETRY 1.0
#define ENTIRE_PERIOD 300.0
#define COMPLAIN_PERIOD 60.0
#define CHANGES_MAX 65536

typedef struct Change
{
	int64_t		account_id;
	int64_t		present;
} Change;

static struct ev_loop *presence_loop;
static ev_timer beat_timer;
static char gateway_id[24];
static Buffer changes;			/* that are not known to have arrived, oldest
								 * first */
static size_t changes_told;		/* bytes of them in the beat under way */
static bool entire = true;		/* the next beat tells everything */
static bool told_entire;		/* the one under way does */
static bool leaving;
static double beaten;			/* time of the last beat */
static double entire_beaten;
static Buffer online;
static Buffer offline;
static PoolQuery beat_query;
static bool beat_under_way;

/* Sets when the next beat is due. */
static void
beat_schedule(double pause)
{
	if (presence_loop == NULL)
		return;
	ev_timer_stop(presence_loop, &beat_timer);
	ev_timer_set(&beat_timer, Max(pause, 0), 0);
	ev_timer_start(presence_loop, &beat_timer);
}

/* Compares two changes by account; those of one account keep their order. */
static int
change_compare(const void *left, const void *right)
{
	const Change *a = left;
	const Change *b = right;

	if (a->account_id != b->account_id)
		return a->account_id < b->account_id ? -1 : 1;
	return (a > b) - (a < b);
}

/* Leaves of the changes of each account only the last one. */
static void
changes_compact(void)
{
	size_t		count = changes.length / sizeof(Change);
	size_t		kept = 0;
	Change	   *list = (Change *) changes.data;
	Change	   *sorted;

	if (count < 2)
		return;

	/* places in `changes` say which came first */
	sorted = memory_new(count * sizeof(Change));
	for (size_t i = 0; i < count; i++)
		sorted[i] = (Change)
	{
		list[i].account_id, (int64_t) i << 1 | list[i].present
	};
	qsort(sorted, count, sizeof(Change), change_compare);
	for (size_t i = 0; i < count; i++)
	{
		if (kept == 0 || list[kept - 1].account_id != sorted[i].account_id)
			kept++;
		list[kept - 1] = (Change)
		{
			sorted[i].account_id, sorted[i].present & 1
		};
	}
	free(sorted);
	changes.length = kept * sizeof(Change);
}

/* Appends an account to the array of those online. */
static void
online_add(int64_t account_id, bool present)
{
	buffer_append_text(&online, online.length > 1 ? "," : "");
	buffer_append_number(&online, (uint64_t) account_id);
}

/* Makes the arrays of the next beat. */
static void
beat_render(void)
{
	const Change *list = (const Change *) changes.data;

	online.length = 0;
	offline.length = 0;
	buffer_append_text(&online, "{");
	buffer_append_text(&offline, "{");
	if (entire && !leaving)
		hub_each_account(online_add);
	for (size_t i = 0; i < changes.length / sizeof(Change); i++)
		if (!list[i].present)
		{
			buffer_append_text(&offline, offline.length > 1 ? "," : "");
			buffer_append_number(&offline, (uint64_t) list[i].account_id);
		}
		else if (!entire)
			online_add(list[i].account_id, true);
	buffer_append(&online, "}", 2);
	buffer_append(&offline, "}", 2);
}

/* The database has answered: says whether it wants to know everything. */
static void
beat_finish(bool wanted)
{
	double		now = ev_now(presence_loop);

	if (!wanted)
		buffer_remove(&changes, changes_told);
	if (!wanted && told_entire)
		entire_beaten = now;
	entire = entire || wanted || (now - entire_beaten >= ENTIRE_PERIOD && !leaving);
	if (wanted && told_entire)
		beat_schedule(BEAT_PERIOD); /* no room for us; later, perhaps */
	else if (changes.length > 0 || entire)
		beat_schedule(beaten + BEAT_GAP - now);
	else
		beat_schedule(BEAT_PERIOD);
	buffer_trim(&online, 65536);
	buffer_trim(&offline, 65536);
}

/* The database has answered. */
static void
on_beat(PoolQuery *query, const PGresult *result)
{
	static double complained;

	beat_under_way = false;
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
	{
		beat_finish(strcmp(PQgetvalue(result, 0, 0), "t") == 0);
		return;
	}
	if (complained == 0 || ev_now(presence_loop) - complained >= COMPLAIN_PERIOD)
	{
		log_warning("could not tell who is online: %s", PQresultErrorMessage(result));
		complained = ev_now(presence_loop);
	}
	entire = true;
	beat_schedule(BEAT_PERIOD);
}

/* It could not be asked, or nobody knows. */
static void
on_beat_failure(PoolQuery *query, PoolFailure failure)
{
	beat_under_way = false;
	entire = entire || told_entire || failure == POOL_LOST || failure == POOL_TIMEOUT;
	beat_schedule(BEAT_RETRY);
}

/* Called when a beat is due. */
static void
on_beat_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	if (beat_under_way)
		return;
	changes_compact();
	beat_render();
	changes_told = changes.length;
	told_entire = entire;
	entire = false;
	beaten = ev_now(loop);
	beat_under_way = true;
	memset(&beat_query, 0, sizeof(beat_query));
	beat_query.statement = STATEMENT_LIVE_BEAT;
	beat_query.values[0] = gateway_id;
	beat_query.values[1] = online.data;
	beat_query.values[2] = offline.data;
	beat_query.values[3] = told_entire ? "t" : "f";
	beat_query.on_result = on_beat;
	beat_query.on_failure = on_beat_failure;
	pool_submit(LANE_FAST, &beat_query);
}

/* An account has come or gone. */
static void
on_account(int64_t account_id, bool present)
{
	Change		change = {account_id, present};

	if (leaving)
		return;
	if (changes.length - (beat_under_way ? changes_told : 0) >= CHANGES_MAX * sizeof(Change))
	{
		/* what is under way must stay as it is */
		changes.length = beat_under_way ? changes_told : 0;
		entire = true;
	}
	buffer_append(&changes, &change, sizeof(change));
	if (!beat_under_way)
		beat_schedule(beaten + BEAT_GAP - ev_now(presence_loop));
}

/* Begins to look at who is there. */
void
presence_start(struct ev_loop *loop)
{
	uint64_t	id;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		log_fatal("could not make a random number");
	snprintf(gateway_id, sizeof(gateway_id), "%llu", (unsigned long long) (id >> 1 | 1));
	presence_loop = loop;
	ev_init(&beat_timer, on_beat_timer);
	hub_watch_accounts(on_account);
}

/* The process is going to end: says that everybody leaves. */
void
presence_leave(void)
{
	if (leaving || beaten == 0)
		return;
	leaving = true;
	entire = true;
	changes.length = beat_under_way ? changes_told : 0;
	if (!beat_under_way)
		beat_schedule(0);
}
