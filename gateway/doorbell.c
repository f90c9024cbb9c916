/*-------------------------------------------------------------------------
 *
 * doorbell.c
 *		The connection that listens for notifications of the database.
 *
 * It does nothing else, so that no statement stands before a notification. It
 * is made while somebody needs it, and made again after a pause that doubles
 * up to RETRY_MAX, with jitter.  A server that is gone without a word is
 * noticed by TCP's keepalives and by a question every ASK_EVERY seconds that
 * must be answered within connect-timeout.
 *
 * What was notified while it was down is lost.  So every handler is told when
 * it listens again, and asks for itself.
 *
 *-------------------------------------------------------------------------
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "doorbell.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"

#define RETRY_MIN 0.1
#define RETRY_MAX 5.0
#define ASK_EVERY 5.0
#define CHANNELS 4

typedef enum DoorbellState
{
	DOORBELL_DOWN,				/* waits, if it is needed; next: CONNECTING */
	DOORBELL_CONNECTING,		/* PQconnectPoll; next: LISTENING, DOWN */
	DOORBELL_LISTENING,			/* LISTEN is sent; next: READY, DOWN */
	DOORBELL_READY,				/* next: ASKING, DOWN */
	DOORBELL_ASKING				/* whether the server is there; next: READY,
								 * DOWN */
} DoorbellState;

static struct
{
	const char *name;
	DoorbellHandler handler;
}			channels[CHANNELS];
static int	channel_count;

static struct ev_loop *doorbell_loop;
static DoorbellState state;
static bool needed;
static bool listened;			/* since it is needed */
static bool complained;
static double pause_length;
static PGconn *pg;
static ev_io io;
static ev_timer timer;			/* DOWN: retry; READY: ask; else: give up */

/* Moves to another state: the only place that does. */
static void
doorbell_enter(DoorbellState next)
{
	double		give_up = config.connect_timeout / 1000.0;

	state = next;
	ev_timer_stop(doorbell_loop, &timer);
	if (next == DOORBELL_DOWN)
	{
		pause_length = Min(Max(pause_length * 2, RETRY_MIN), RETRY_MAX);
		ev_timer_set(&timer, pause_length * (0.5 + drand48() / 2), 0.);
	}
	else
		ev_timer_set(&timer, next == DOORBELL_READY ? ASK_EVERY : give_up, 0.);
	if (needed)
		ev_timer_start(doorbell_loop, &timer);
	metrics->doorbell_up = next >= DOORBELL_READY;
}

/* Chooses what the socket waits for; it may be another one than before. */
static void
doorbell_watch(int events)
{
	ev_io_stop(doorbell_loop, &io);
	ev_io_set(&io, PQsocket(pg), events);
	ev_io_start(doorbell_loop, &io);
}

/* Ends the connection, if there is one. */
static void
doorbell_hang_up(void)
{
	ev_io_stop(doorbell_loop, &io);
	PQfinish(pg);
	pg = NULL;
	doorbell_enter(DOORBELL_DOWN);
}

/* Gives a broken connection up. */
static void
doorbell_fail(const char *why)
{
	log_write(complained ? LOG_DEBUG : LOG_WARNING, "connection that listens to the database: %.*s",
			  (int) strcspn(why, "\n"), why);
	complained = true;
	doorbell_hang_up();
}

/* Sends a statement. */
static void
doorbell_send(const char *sql, DoorbellState next)
{
	doorbell_enter(next);
	if (!PQsendQuery(pg, sql) || PQflush(pg) < 0)
		doorbell_fail(PQerrorMessage(pg));
	else
		doorbell_watch(EV_READ | EV_WRITE);
}

/* Asks for the notifications of all channels. */
static void
doorbell_listen(void)
{
	Buffer		sql = {0};

	for (int i = 0; i < channel_count; i++)
		buffer_printf(&sql, "LISTEN \"%s\";", channels[i].name);
	buffer_append(&sql, "", 1);
	if (PQsetnonblocking(pg, 1) < 0)
		doorbell_fail(PQerrorMessage(pg));
	else
		doorbell_send(sql.data, DOORBELL_LISTENING);
	buffer_free(&sql);
}

/* It listens, or the server has answered: tells the handlers what they need to know. */
static void
doorbell_settle(void)
{
	bool		again = state == DOORBELL_LISTENING;

	doorbell_enter(DOORBELL_READY);
	if (!again)
		return;
	pause_length = 0;
	complained = false;
	metrics->doorbell_connects++;
	for (int i = 0; i < channel_count && state == DOORBELL_READY; i++)
		channels[i].handler(NULL);
	listened = true;
}

/* Hands out what was notified. */
static void
doorbell_notify(void)
{
	PGnotify   *notify;

	while (pg && (notify = PQnotifies(pg)) != NULL)
	{
		for (int i = 0; i < channel_count; i++)
			if (strcmp(channels[i].name, notify->relname) == 0)
				channels[i].handler(notify->extra);
		PQfreemem(notify);
	}
}

/* Reads what the server sent. */
static void
doorbell_read(void)
{
	if (!PQconsumeInput(pg))
	{
		doorbell_fail(PQerrorMessage(pg));
		return;
	}
	while (!PQisBusy(pg))
	{
		PGresult   *result = PQgetResult(pg);
		ExecStatusType status = PQresultStatus(result);

		if (result == NULL)
			break;
		PQclear(result);
		if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		{
			doorbell_fail(PQerrorMessage(pg));
			return;
		}
	}
	if (PQstatus(pg) == CONNECTION_BAD)
	{
		doorbell_fail(PQerrorMessage(pg));
		return;
	}
	if ((state == DOORBELL_LISTENING || state == DOORBELL_ASKING) && PQtransactionStatus(pg) == PQTRANS_IDLE)
		doorbell_settle();
	doorbell_notify();
}

/* Goes on with connecting. */
static void
doorbell_poll(void)
{
	switch (PQconnectPoll(pg))
	{
		case PGRES_POLLING_READING:
			doorbell_watch(EV_READ);
			break;
		case PGRES_POLLING_WRITING:
			doorbell_watch(EV_WRITE);
			break;
		case PGRES_POLLING_OK:
			doorbell_listen();
			break;
		default:
			doorbell_fail(PQerrorMessage(pg));
			break;
	}
}

/* Called when the socket is ready. */
static void
on_io(struct ev_loop *loop, ev_io *watcher, int events)
{
	if (state == DOORBELL_CONNECTING)
	{
		doorbell_poll();
		return;
	}
	if (events & EV_WRITE)
	{
		int			rest = PQflush(pg);

		if (rest < 0)
		{
			doorbell_fail(PQerrorMessage(pg));
			return;
		}
		doorbell_watch(rest ? EV_READ | EV_WRITE : EV_READ);
	}
	if (events & EV_READ)
		doorbell_read();
}

/* Starts to connect. */
static void
doorbell_connect(void)
{
	doorbell_enter(DOORBELL_CONNECTING);
	pg = pool_connect(config.database_url, "doorbell");
	if (pg == NULL || PQstatus(pg) == CONNECTION_BAD)
		doorbell_fail(pg ? PQerrorMessage(pg) : "out of memory");
	else
		doorbell_watch(EV_WRITE);
}

/* Called when a pause is over, when it is time to ask, or when the server is silent. */
static void
on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
	if (state == DOORBELL_DOWN)
		doorbell_connect();
	else if (state == DOORBELL_READY)
		doorbell_send("SELECT 1", DOORBELL_ASKING);
	else
		doorbell_fail("the server does not answer");
}

/* Names a channel and what is called with its notifications. */
void
doorbell_on(const char *channel, DoorbellHandler handler)
{
	if (channel_count == CHANNELS)
		log_fatal("too many channels to listen to");
	channels[channel_count].name = channel;
	channels[channel_count++].handler = handler;
}

/* Connects when somebody needs it, and hangs up when nobody does. */
void
doorbell_need(bool now)
{
	if (needed == now || doorbell_loop == NULL)
		return;
	needed = now;
	listened = false;
	pause_length = 0;
	if (needed)
		doorbell_connect();
	else
		doorbell_hang_up();
}

/* Returns whether it listens. */
bool
doorbell_is_up(void)
{
	return state >= DOORBELL_READY;
}

/* Returns whether it has listened before, since it is needed; for handlers. */
bool
doorbell_has_listened(void)
{
	return listened;
}

/* Gets ready; does not connect yet. */
void
doorbell_start(struct ev_loop *loop)
{
	doorbell_loop = loop;
	ev_init(&io, on_io);
	ev_init(&timer, on_timer);
}

/* Ends the connection. */
void
doorbell_stop(void)
{
	doorbell_need(false);
	doorbell_loop = NULL;
}
