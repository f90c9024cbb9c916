/*-------------------------------------------------------------------------
 *
 * hub.c
 *		Events on their way from the log to the clients of this process:
 *		how far the log is, and reading it.
 *
 * While there is a subscriber, or somebody watches, the hub follows the log.
 * It begins at the log's end.  The doorbell says that there is more; so does
 * the answer to a question a second, which finds what the doorbell has missed.
 * Rows are read in order, one question at a time, into memory (hub_row.c);
 * batches of them are delivered (hub_batch.c).
 *
 *		position <= front <= rows_last() <= target
 *
 * position: delivered; front: in the batch that waits for its answers; then
 * what has been read, and what is known to be there.
 *
 * The log does not go on when its epoch is another one, when it ends before
 * what was read, or when it begins after it.  Then everybody is told (`reset`)
 * and the hub goes on from the new end.
 *
 * All work is done from the loop, in hub_work(), which others ask for with
 * hub_soon(); so nobody is called from within a call into the hub.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "doorbell.h"
#include "hub_internal.h"
#include "log.h"
#include "metrics.h"

#define ASK_EVERY 1.0
#define READ_ROWS "64"
#define READ_AHEAD 192			/* rows that wait to be delivered */

HubState	hub;

static ev_timer soon;
static HubChangeHandler watcher;

/* how far the log is */
static PoolQuery position_query;
static bool asking;
static bool ask_again;			/* what was asked is too old already */
static int64_t asked_at;		/* what had been read then */
static double ask_at;
static double asked_time;
static double confirmed;		/* when the position was the end of the log */
static double confirmable;		/* it will have been when the position is at
								 * confirm_at */
static int64_t confirm_at;
static int64_t unrung;			/* found by asking; the doorbell has not said
								 * so yet */
static bool broken;				/* the log did not go on where it should */

/* reading */
static PoolQuery read_query;
static char read_after[24];
static bool reading;
static int64_t reading_epoch;
static int64_t reading_after;
static double read_at;
static int	read_failures;

_Static_assert((int) METRICS_TRANSPORTS == (int) HUB_TRANSPORTS, "a counter for every transport");

/* Returns how long to wait after so many failures. */
double
hub_retry_pause(int tries)
{
	double		pause = HUB_FIRST_RETRY * (double) (1 << Min(tries, 10));

	return Min(pause, HUB_LAST_RETRY) * (0.5 + drand48() / 2);
}

/* Lets hub_work() be called from the loop. */
void
hub_soon(void)
{
	if (hub.loop && !ev_is_active(&soon))
		ev_timer_start(hub.loop, &soon);
}

/* Returns whether the log must be followed. */
static bool
hub_is_needed(void)
{
	return hub.everybody.count > 0 || watcher != NULL;
}

/* Tells who watches what a row changes. */
static void
watch_row(const HubRow *row)
{
	bool		new_post = row->event && (strcmp(row->event, "tweet:new") == 0 || strcmp(row->event, "tweet:retweeted") == 0);
	HubChange	change = {row->seq, row->touched, row->hard, new_post};

	if (watcher && row->lost)
		watcher(NULL);
	if (watcher && (*row->touched || new_post || row->lost))
		watcher(&change);
}

/* Goes on from another place, of which nothing has been read. */
static void
hub_move(int64_t epoch, int64_t seq)
{
	batch_drop();
	rows_clear(seq);
	hub.epoch = epoch;
	hub.position = hub.front = hub.target = seq;
	confirmable = 0;
	unrung = 0;
	broken = false;
	session_check();
	filter_forget_all();
	if (watcher)
		watcher(NULL);
}

/* Begins to follow the log. */
static void
hub_begin(int64_t epoch, int64_t last)
{
	hub_move(epoch, last);
	catchup_positioned();
}

/* Tells a subscriber that the log did not go on. */
static void
reset_call(Subscriber *subscriber)
{
	catchup_restart(subscriber);
	subscriber->kind->reset(subscriber, hub_position());
}

/* The log did not go on. */
static void
hub_reset(int64_t epoch, int64_t last)
{
	ListNode   *head = &hub.everybody.head;

	log_warning("the log of events did not go on after %lld-%lld; it goes on after %lld-%lld", (long long) hub.epoch,
				(long long) rows_last(), (long long) epoch, (long long) last);
	metrics->hub_resets++;
	hub_move(epoch, last);
	home_forget_all();
	for (ListNode *node = head->next; node != head; node = node->next)
	{
		Subscriber *subscriber = container_of(node, Subscriber, node);

		if (hub_has_channels(subscriber) && !catchup_survives_reset(subscriber))
			turn_add(subscriber);
	}
	turn_call(reset_call);
}

/* The log goes on at least to a row, as the doorbell says or was found by asking. */
static void
hub_aim(int64_t seq, bool rung)
{
	if (!rung && unrung > 0)
	{
		metrics->hub_late++;
		unrung = 0;
	}
	if (!rung && seq > hub.target)
		unrung = seq;
	if (rung && seq >= unrung)
		unrung = 0;
	hub.target = Max(hub.target, seq);
}

/* Takes note of the time at which the hub had everything. */
static void
hub_confirm(void)
{
	if (hub.epoch && confirmable > 0 && hub.position >= confirm_at)
	{
		confirmed = confirmable;
		confirmable = 0;
	}
}

/* Returns when the hub's position was the end of the log for the last time; 0 if it never was. */
double
hub_confirmed(void)
{
	return confirmed;
}

/* The database says how far the log is. */
static void
on_position(PoolQuery *query, const PGresult *result)
{
	int64_t		epoch;
	int64_t		first;
	int64_t		last;

	asking = false;
	hub_soon();
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
	{
		log_error("could not ask how far the log of events is: %s", PQresultErrorMessage(result));
		return;
	}
	epoch = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	first = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
	last = strtoll(PQgetvalue(result, 0, 2), NULL, 10);
	if (epoch == 0 || !hub_is_needed())
		return;					/* the worker has not begun yet */
	if (broken && ask_again)
		return;					/* this was asked before it broke */
	if (hub.epoch == 0)
		hub_begin(epoch, last);
	else if (epoch != hub.epoch || last < asked_at || first > rows_last() + 1 || broken)
		hub_reset(epoch, last);
	else
		hub_aim(last, false);
	confirmable = asked_time;
	confirm_at = last;
	hub_confirm();
}

/* The database cannot be reached. */
static void
on_position_failure(PoolQuery *query, PoolFailure failure)
{
	asking = false;
	ask_again = false;
	ask_at = ev_now(hub.loop) + HUB_FIRST_RETRY;
}

/* Asks how far the log is. */
void
hub_ask_position(void)
{
	if (asking || hub.loop == NULL)
	{
		ask_again = true;
		return;
	}
	asking = true;
	ask_again = false;
	ask_at = ev_now(hub.loop) + ASK_EVERY;
	asked_time = ev_time();
	asked_at = hub.epoch ? rows_last() : 0;
	position_query = (PoolQuery)
	{
		.statement = STATEMENT_STREAM_POSITION,.on_result = on_position,.on_failure = on_position_failure
	};
	pool_submit(LANE_FAST, &position_query);
}

/* Rows cannot be read or delivered: gives them up. */
void
hub_break(void)
{
	broken = true;
	hub_ask_position();
}

/* Takes the rows that were read; returns false if they do not go on where they should. */
static bool
read_take(const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++)
	{
		HubRow	   *row = row_make(result, i);

		if (row == NULL || row->seq != rows_last() + 1)
		{
			row_free(row);
			return false;
		}
		rows_add(row);
		metrics->hub_rows++;
		filter_note(row);
		watch_row(row);
	}
	/* what nobody sees is not there */
	hub.target = PQntuples(result) == 0 ? rows_last() : Max(hub.target, rows_last());
	return true;
}

/* The database has read rows. */
static void
on_read(PoolQuery *query, const PGresult *result)
{
	reading = false;
	hub_soon();
	if (reading_epoch != hub.epoch || reading_after != rows_last())
		return;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		log_error("could not read the log of events: %s", PQresultErrorMessage(result));
		read_at = ev_now(hub.loop) + hub_retry_pause(read_failures++);
		if (read_failures >= HUB_TRIES)
			hub_break();
		return;
	}
	read_failures = 0;
	if (!read_take(result))
		hub_break();
}

/* The database cannot be reached. */
static void
on_read_failure(PoolQuery *query, PoolFailure failure)
{
	reading = false;
	read_at = ev_now(hub.loop) + hub_retry_pause(read_failures);
	read_failures = Min(read_failures + 1, HUB_TRIES / 2);
}

/* Reads on, if there is more and room for it. */
static void
hub_read(void)
{
	if (reading || broken || rows_last() >= hub.target || rows_last() - hub.position >= READ_AHEAD ||
		ev_now(hub.loop) < read_at)
		return;
	reading = true;
	reading_epoch = hub.epoch;
	reading_after = rows_last();
	snprintf(read_after, sizeof(read_after), "%lld", (long long) reading_after);
	read_query = (PoolQuery)
	{
		.statement = STATEMENT_STREAM_READ,.values =
		{
			read_after, READ_ROWS, hub.rooms > 0 ? "t" : "f"
		},.on_result = on_read,.on_failure = on_read_failure
	};
	pool_submit(LANE_FAST, &read_query);
}

/* Called with what the doorbell says: {"epoch":"1","from":2,"to":3…}; NULL: it may have missed something. */
static void
on_bell(const char *payload)
{
	long long	epoch;
	long long	from;
	long long	to;

	if (hub.epoch && payload && sscanf(payload, " { \"epoch\" : \"%lld\" , \"from\" : %lld , \"to\" : %lld", &epoch, &from, &to) == 3 &&
		epoch == hub.epoch)
	{
		hub_aim(to, true);
		hub_read();
	}
	else
		hub_ask_position();
}

/* Forgets the log: nobody needs it. */
static void
hub_rest(void)
{
	doorbell_need(false);
	ask_at = 0;
	if (hub.epoch == 0)
		return;
	hub_move(0, 0);
}

/* Does what can be done now. */
static void
hub_work(void)
{
	if (!hub_is_needed())
	{
		hub_rest();
		return;
	}
	if (ask_again || ev_now(hub.loop) >= ask_at)
		hub_ask_position();
	if (hub.epoch)
	{
		home_run();
		filter_run();
		hub_read();
		do
			catchup_settle();
		while (batch_try());
		hub_read();
		hub_confirm();
	}
	catchup_run();
	session_run();
	metrics->hub_lag = (uint64_t) (hub.target - hub.position);
}

/* Called when something was asked for with hub_soon(). */
static void
on_soon(struct ev_loop *loop, ev_timer *timer, int events)
{
	hub_work();
}

/* Somebody has come or gone: follows the log, or rests soon. */
void
hub_need(void)
{
	if (hub.loop && hub_is_needed())
	{
		/* who begins hears all signals, so the doorbell comes first; it asks */
		if (hub.epoch == 0 && ask_at == 0 && !doorbell_is_up())
			ask_at = ev_now(hub.loop) + ASK_EVERY;
		doorbell_need(true);
	}
	if (hub.epoch == 0 || !hub_is_needed())
		hub_soon();
}

/* Follows the log even without subscribers, and tells what changes. */
void
hub_watch(HubChangeHandler handler)
{
	watcher = handler;
	hub_need();
}

/* Called a few times a second. */
void
hub_tick(void)
{
	hub_work();
}

/* Gets ready. */
void
hub_start(struct ev_loop *loop)
{
	list_init(&hub.everybody);
	home_start();
	filter_start();
	batch_start();
	catchup_start();
	ev_timer_init(&soon, on_soon, 0., 0.);
	hub.loop = loop;
	doorbell_start(loop);
	doorbell_on("roost_feed", on_bell);
	hub_need();
}

/* Stops; there are no subscribers any more. */
void
hub_stop(void)
{
	ev_timer_stop(hub.loop, &soon);
	doorbell_stop();
}
