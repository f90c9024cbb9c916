/*-------------------------------------------------------------------------
 *
 * pool_connection.c
 *		One connection to a server: made, kept, given queries, read.
 *
 * Results come back in the order of the connection's queries (FIFO).  Each
 * query has a Sync of its own, so an error aborts only itself; a query is over
 * when its Sync comes back.  Output is flushed once a turn of the loop.
 *
 * A connection is in one state (see ConnectionState); connection_enter() alone
 * moves it.  When it breaks, its queries fail at once and it is made again
 * after a pause that doubles up to RETRY_MAX, with jitter.  A server that does
 * not answer for longer than the lane's statement_timeout and GRACE is taken
 * for dead.
 *
 * What only some connections are asked, but often, is prepared together with
 * the first such query; and again, under another name, when the server says
 * that it has forgotten it, or that its result has changed (an update).
 *
 * After a query that may write, the position is asked for on the same
 * connection, before the answer is handed out.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"
#include "metrics.h"
#include "pool_internal.h"

#define RETRY_MIN 0.1
#define RETRY_MAX 5.0
#define GRACE 2.0
#define STRANGER_PATIENCE 10.0	/* until the URL may lead to another server */

static const struct
{
	const char *name;
	const char *sql;
	int			parameters;
	bool		prepared;		/* before the connection is used */
	bool		often;			/* when it is first asked on a connection */
}			statements[STATEMENT_COUNT] = {
	{"handle", "SELECT roost.handle($1, $2, $3, $4, $5, $6)", 6, true},
	{"config", "SELECT roost.gateway_config()", 0, true},
	{"position", "SELECT roost.gateway_position()", 0, true},
	{"stat", "SELECT roost.gateway_stat()", 0, false},
	{"stream_open", "SELECT * FROM roost.stream_open($1, $2)", 2, false},
	{"stream_check", "SELECT session_id FROM roost.stream_check($1, $2)", 2, false},
	{"stream_position", "SELECT epoch, first_seq, last_seq FROM roost.stream_position()", 0, false},
	{"stream_home", "SELECT seq, followee_ids FROM roost.stream_home($1)", 1, false},
	{"stream_filters", "SELECT account_id FROM roost.stream_filters($1)", 1, false},
	{"stream_read", "SELECT seq, event, everyone, strangers, home_id, topics, account_ids, target_ids, notify, follow, filter, revoked, touched, hard, lost,"
	" room, told, data FROM roost.stream_read($1, $2, $3)", 3, false, true},
	{"stream_data", "SELECT seq, data, everyone, strangers, told FROM roost.stream_data($1)", 1, false, true},
	{"stream_see", "SELECT seq, viewer_id FROM roost.stream_see($1, $2)", 2, false, true},
	{"stream_notify", "SELECT seq, account_id, data FROM roost.stream_notify($1, $2)", 2, false},
	{"stream_resume", "SELECT seq, part, event, home, topics, data FROM roost.stream_resume($1, $2, $3, $4, $5)", 5, false},
	{"live_beat", "SELECT roost.live_beat($1, $2, $3, $4)", 4, false},
	{"live_signal", "SELECT roost.live_signal($1, $2, $3)", 3, false},
	{"live_see", "SELECT * FROM roost.live_see($1, $2, $3)", 3, false},
	{"live_call", "SELECT n, event, session_id, array_to_string(told, ' '), data FROM roost.live_call($1)", 1, false},
	{"live_call_missed", "SELECT n, event, session_id, array_to_string(told, ' '), data FROM roost.live_call_missed($1)", 1, false},
	{"live_call_send", "SELECT roost.live_call_send($1, $2, $3, $4, $5, $6)", 6, false},
};

_Static_assert((int) STATEMENT_COUNT <= 32, "Connection.prepared has a bit for every statement");

static const Oid handle_types[POOL_MAX_PARAMETERS] = {25, 25, 25, 25, 25, 25};	/* text */

static void connection_start(Connection *connection);

/* Chooses what the socket of a connection waits for. */
static void
connection_watch(Connection *connection, int events)
{
	ev_io	   *io = &connection->io;
	int			fd = PQsocket(connection->pg);

	if (ev_is_active(io) && io->fd == fd && (io->events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(pool_loop, io);
	ev_io_set(io, fd, events);
	ev_io_start(pool_loop, io);
}

/* Moves a connection to another state: the only place that does. */
static void
connection_enter(Connection *connection, ConnectionState state)
{
	double		give_up = config.connect_timeout / 1000.0;

	if (connection->state == CONNECTION_READY)
		connection->lane->metrics->connections--;
	connection->state = state;
	ev_timer_stop(pool_loop, &connection->timer);
	switch (state)
	{
		case CONNECTION_DOWN:
			connection->pause = Min(Max(connection->pause * 2, RETRY_MIN), RETRY_MAX);
			ev_timer_set(&connection->timer, connection->pause * (0.5 + drand48() / 2), 0.);
			ev_timer_start(pool_loop, &connection->timer);
			break;
		case CONNECTION_CONNECTING:
		case CONNECTION_PREPARING:
			ev_timer_set(&connection->timer, give_up, 0.);
			ev_timer_start(pool_loop, &connection->timer);
			break;
		case CONNECTION_READY:
			connection->pause = 0;
			connection->made = ev_now(pool_loop);
			connection->lane->metrics->connections++;
			connection->lane->metrics->connects++;
			break;
	}
}

/* Gives a broken connection up; its queries fail, and so do those that wait if it was the last. */
static void
connection_fail(Connection *connection, PoolFailure failure, const char *why)
{
	Lane	   *lane = connection->lane;
	List		lost;

	if (connection->state != CONNECTION_DOWN)
		log_write(connection->state == CONNECTION_READY || connection->pause == 0 ? LOG_WARNING : LOG_DEBUG,
				  "connection to %s, lane \"%s\": %s", lane->server->standby ? lane->server->standby->name : "the database",
				  lane->name, why);
	ev_io_stop(pool_loop, &connection->io);
	PQfinish(connection->pg);
	connection->pg = NULL;
	connection->dirty = connection->answered = connection->broken = false;
	connection_enter(connection, CONNECTION_DOWN);

	list_init(&lost);
	while (connection->in_flight.count > 0)
	{
		ListNode   *node = list_first(&connection->in_flight);

		list_remove(&connection->in_flight, node);
		list_append(&lost, node);
	}
	lane->metrics->in_flight -= (uint64_t) lost.count;
	lane->metrics->failed += (uint64_t) lost.count;
	queries_fail(&lost, failure);
	if (!lane_is_up(lane) && !lane_is_starting(lane))
	{
		lane->metrics->rejected += (uint64_t) lane->queue.count;
		queries_fail(&lane->queue, POOL_DOWN);
		lane->metrics->queued = (uint64_t) lane->queue.count;
	}
}

/* Gives a connection up with libpq's own words. */
static void
connection_fail_libpq(Connection *connection)
{
	char		why[512];
	size_t		length;

	snprintf(why, sizeof(why), "%s", PQerrorMessage(connection->pg));
	for (length = strlen(why); length > 0 && why[length - 1] == '\n';)
		why[--length] = '\0';
	connection_fail(connection, POOL_LOST, *why ? why : "closed by the server");
}

/* Sends a query on a connection. */
void
connection_send(Connection *connection, PoolQuery *query)
{
	const char *name = statements[query->statement].name;
	int			parameters = statements[query->statement].parameters;
	bool		often = statements[query->statement].often;
	uint32_t	bit = (uint32_t) 1 << query->statement;
	char		own_name[64];

	if (often)
	{
		snprintf(own_name, sizeof(own_name), "%s %u", name, connection->generation);
		name = own_name;
	}
	query->sent = ev_now(pool_loop);
	query->wrote = (Position) {0};
	query->preparing = often && (connection->prepared & bit) == 0;
	list_append(&connection->in_flight, &query->node);
	connection->lane->metrics->in_flight++;
	if (query->preparing)
	{
		connection->prepared |= bit;
		if (!PQsendPrepare(connection->pg, name, statements[query->statement].sql, parameters, NULL))
			connection->broken = true;
	}
	if (!(statements[query->statement].prepared || often ?
		  PQsendQueryPrepared(connection->pg, name, parameters, query->values, NULL, NULL, 0) :
		  PQsendQueryParams(connection->pg, statements[query->statement].sql, parameters, NULL, query->values, NULL, NULL, 0)) ||
		!PQpipelineSync(connection->pg))
		connection->broken = true;
	name = statements[STATEMENT_POSITION].name;
	if (query->writes && (!PQsendQueryPrepared(connection->pg, name, 0, NULL, NULL, NULL, 0) ||
						  !PQpipelineSync(connection->pg)))
		connection->broken = true;
	connection->dirty = true;
}

/* Sends what libpq has for the server, as far as that goes now. */
void
connection_flush(Connection *connection)
{
	int			rest;

	connection->dirty = false;
	rest = connection->broken ? -1 : PQflush(connection->pg);
	if (rest < 0)
		connection_fail_libpq(connection);
	else
		connection_watch(connection, rest ? EV_READ | EV_WRITE : EV_READ);
}

/* Takes a result while statements are being prepared. */
static bool
connection_take_preparing(Connection *connection, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	ServerPosition position;
	char		why[512];

	if (status == PGRES_PIPELINE_SYNC)
		connection_enter(connection, CONNECTION_READY);
	else if (result_position(result, &position))
		connection_note(connection, &position, connection->checked);
	else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
	{
		snprintf(why, sizeof(why), "could not prepare: %s", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) ?
				 PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : "unknown error");
		connection_fail(connection, POOL_LOST, why);
		return false;
	}
	return true;
}

/*
 * Takes an error of a statement that is prepared when it is first asked;
 * returns whether it is asked again, once: there is no such statement any more,
 * or its result has changed, so nothing was done.
 */
static bool
connection_take_error(Connection *connection, PoolQuery *query, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool		stale;

	if (!statements[query->statement].often || sqlstate == NULL)
		return false;
	stale = strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "0A000") == 0;
	if (stale || query->preparing)
	{
		connection->prepared = 0;
		connection->generation++;
	}
	if (!stale || query->again)
		return false;
	query->again = true;
	return true;
}

/* The position after a query is there: now its answer may be handed out. */
static void
query_finish_write(PoolQuery *query, const PGresult *result)
{
	PGresult   *held = query->held;
	ServerPosition position;

	query->held = NULL;
	if (result_position(result, &position))
	{
		position_sample(&position, query->sent);
		query->wrote = position.commit;
	}
	else
	{
		log_error("could not read roost.gateway_position(): %s", PQresultErrorMessage(result));
		query->wrote = (Position) {0, UINT64_MAX};
	}
	query->on_result(query, held);
	PQclear(held);
}

/*
 * Takes one result of the oldest query, or its Sync; returns false if the
 * connection is given up.  What is kept of the result is set to NULL.
 */
static bool
connection_take(Connection *connection, PGresult **kept)
{
	PGresult   *result = *kept;
	ExecStatusType status = PQresultStatus(result);
	ListNode   *node = list_first(&connection->in_flight);
	PoolQuery  *query = node ? container_of(node, PoolQuery, node) : NULL;

	if (connection->state == CONNECTION_PREPARING)
		return connection_take_preparing(connection, result);
	if (status == PGRES_PIPELINE_SYNC)
		connection->answered = false;
	if (status == PGRES_PIPELINE_SYNC || connection->answered || query == NULL)
		return true;
	if (status == PGRES_FATAL_ERROR && PQstatus(connection->pg) == CONNECTION_BAD)
	{
		connection_fail_libpq(connection);
		return false;
	}
	if (query->preparing && status == PGRES_COMMAND_OK)
	{
		query->preparing = false;
		return true;
	}
	if (status == PGRES_FATAL_ERROR && connection_take_error(connection, query, result))
	{
		connection->answered = true;
		list_remove(&connection->in_flight, node);
		connection->lane->metrics->in_flight--;
		connection_send(connection, query);
		return true;
	}
	connection->answered = true;
	if (query->writes && query->held == NULL)
	{
		query->held = result;
		*kept = NULL;
		return true;
	}
	list_remove(&connection->in_flight, node);
	connection->lane->metrics->in_flight--;
	if (query->held)
		query_finish_write(query, result);
	else
		query->on_result(query, result);
	return true;
}

/* Reads what the server sent and hands it out. */
static void
connection_read(Connection *connection)
{
	if (!PQconsumeInput(connection->pg))
	{
		connection_fail_libpq(connection);
		return;
	}
	while ((connection->in_flight.count > 0 || connection->answered ||
			connection->state == CONNECTION_PREPARING) && !PQisBusy(connection->pg))
	{
		PGresult   *result = PQgetResult(connection->pg);
		bool		alive;

		if (result == NULL)
			continue;			/* ends one statement; its Sync is still to
								 * come */
		alive = connection_take(connection, &result);
		PQclear(result);
		if (!alive)
			return;
	}
	if (PQstatus(connection->pg) == CONNECTION_BAD)
		connection_fail_libpq(connection);
	else if (connection->state == CONNECTION_READY)
		lane_dispatch(connection->lane);
}

/* Prepares the statements of a connection that has just been made. */
static void
connection_prepare(Connection *connection)
{
	char		settings[128];
	bool		sent;

	connection_enter(connection, CONNECTION_PREPARING);
	snprintf(settings, sizeof(settings),
			 "SELECT pg_catalog.set_config('statement_timeout', '%d', false)", connection->lane->timeout);
	sent = PQsetnonblocking(connection->pg, 1) == 0 && PQenterPipelineMode(connection->pg) &&
		PQsendQueryParams(connection->pg, settings, 0, NULL, NULL, NULL, NULL, 0);
	for (int i = 0; i < STATEMENT_COUNT && sent; i++)
		if (statements[i].prepared && (i != STATEMENT_POSITION || config.read_count > 0))
			sent = PQsendPrepare(connection->pg, statements[i].name, statements[i].sql,
								 statements[i].parameters, handle_types);
	connection->prepared = 0;
	connection->generation = 0;
	connection->is_standby = false;
	connection->checked = ev_now(pool_loop);
	if (config.read_count > 0 && sent)
		sent = PQsendQueryPrepared(connection->pg, statements[STATEMENT_POSITION].name, 0, NULL, NULL, NULL, 0);
	if (!sent || !PQpipelineSync(connection->pg))
		connection_fail_libpq(connection);
	else
		connection_flush(connection);
}

/* Goes on with making a connection. */
static void
connection_poll(Connection *connection)
{
	switch (PQconnectPoll(connection->pg))
	{
		case PGRES_POLLING_READING:
			/* the socket may be another one than before */
			ev_io_stop(pool_loop, &connection->io);
			connection_watch(connection, EV_READ);
			break;
		case PGRES_POLLING_WRITING:
			ev_io_stop(pool_loop, &connection->io);
			connection_watch(connection, EV_WRITE);
			break;
		case PGRES_POLLING_OK:
			connection_prepare(connection);
			break;
		default:
			connection_fail_libpq(connection);
			break;
	}
}

/* Called when the socket of a connection is ready. */
static void
on_connection_io(struct ev_loop *loop, ev_io *io, int events)
{
	Connection *connection = container_of(io, Connection, io);

	if (connection->state == CONNECTION_CONNECTING)
	{
		connection_poll(connection);
		return;
	}
	if (events & EV_WRITE)
		connection_flush(connection);
	if ((events & EV_READ) && connection->pg)
		connection_read(connection);
}

/* Called when a pause is over, or a connection takes too long to make. */
static void
on_connection_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	Connection *connection = container_of(timer, Connection, timer);

	if (connection->state == CONNECTION_DOWN)
		connection_start(connection);
	else
		connection_fail(connection, POOL_TIMEOUT, "timed out while connecting");
}

/* Messages of the server to nobody are of no use here. */
static void
ignore_notice(void *arg, const char *message)
{
}

/*
 * Starts to make a connection to a server, called "roost-gateway PURPOSE" there;
 * the caller goes on with PQconnectPoll().
 */
PGconn *
pool_connect(const char *url, const char *purpose)
{
	char		name[64];

	/* what comes after the connection string wins over it */
	const char *keywords[] = {"keepalives_idle", "keepalives_interval", "keepalives_count",
	"dbname", "fallback_application_name", "client_encoding", NULL, NULL};
	const char *values[] = {"10", "5", "3", url, name, "UTF8", NULL, NULL};
	char	   *password = NULL;
	PGconn	   *pg;

	snprintf(name, sizeof(name), "roost-gateway %s", purpose);
	if (*config.password_file)
	{
		password = text_load_file(config.password_file, 4096, NULL);
		if (password)
		{
			password[strcspn(password, "\r\n")] = '\0';
			keywords[6] = "password";
			values[6] = password;
		}
		else
			log_error("could not read the password file \"%s\"", config.password_file);
	}
	pg = PQconnectStartParams(keywords, values, 1);
	if (password)
	{
		explicit_bzero(password, strlen(password));
		free(password);
	}
	if (pg)
		PQsetNoticeProcessor(pg, ignore_notice, NULL);
	return pg;
}

/* Starts to make a connection. */
static void
connection_start(Connection *connection)
{
	char		purpose[32];

	snprintf(purpose, sizeof(purpose), "%s%s", connection->lane->server->standby ? "read " : "", connection->lane->name);
	connection_enter(connection, CONNECTION_CONNECTING);
	connection->pg = pool_connect(connection->lane->server->url, purpose);
	if (connection->pg == NULL || PQstatus(connection->pg) == CONNECTION_BAD)
	{
		connection_fail_libpq(connection);
		return;
	}
	connection_watch(connection, EV_WRITE);
}

/* Gives a connection up whose server is silent. */
void
connection_tick(Connection *connection)
{
	Lane	   *lane = connection->lane;
	ListNode   *node = list_first(&connection->in_flight);

	/* with depth n, a statement may wait for n-1 others */
	double		patience = (lane->timeout / 1000.0 + GRACE) * Max(1, Min(lane->depth, 2));

	if (connection->state != CONNECTION_READY)
		return;
	if (node && ev_now(pool_loop) - container_of(node, PoolQuery, node)->sent > patience)
		connection_fail(connection, POOL_TIMEOUT, "the server does not answer");
	else if (lane->server->standby && !connection->is_standby && ev_now(pool_loop) - connection->made > STRANGER_PATIENCE)
		connection_fail(connection, POOL_LOST, "looking for a standby again");
	else if (lane->server->standby && connection->in_flight.count < lane->depth && connection_is_due(connection, POSITION_EVERY))
		connection_check(connection);
}

/* Sets a connection of a lane up, and starts to make it. */
void
connection_begin(Connection *connection)
{
	connection_check_init(connection);
	list_init(&connection->in_flight);
	ev_init(&connection->io, on_connection_io);
	ev_init(&connection->timer, on_connection_timer);
	connection_start(connection);
}

/* Ends a connection; what is in flight fails. */
void
connection_end(Connection *connection)
{
	ev_io_stop(pool_loop, &connection->io);
	ev_timer_stop(pool_loop, &connection->timer);
	PQfinish(connection->pg);
	connection->pg = NULL;
	queries_fail(&connection->in_flight, POOL_DOWN);
}
