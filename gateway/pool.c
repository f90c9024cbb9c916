/*-------------------------------------------------------------------------
 *
 * pool.c
 *		Pipelined connections to PostgreSQL, in lanes, to the primary and to
 *		standbys.
 *
 * The first server is the primary, the others are those of read-url.  A lane
 * of a server has connections of its own, so that commits and slow statements never
 * stand before fast ones.  What is submitted goes to a connection of its lane:
 * the first one with fewer than PACK_DEPTH statements in flight (batches cost
 * the server less than spreading), else the least busy one below the lane's
 * depth, else it waits in the lane's queue, in order.  The queue is bounded;
 * when it is full, or no connection is usable (except at the start, before the
 * first ones are made), the query fails at once.  What
 * still waits there can be taken back.
 *
 * On a connection, results come back in the order of its queries (FIFO).  Each
 * query has a Sync of its own, so an error aborts only itself; a query is over
 * when its Sync comes back.  Output is flushed once a turn of the loop.
 *
 * A connection is in one state (see ConnectionState); connection_enter() alone
 * moves it.  When it breaks, its queries fail at once and it is made again
 * after a pause that doubles up to RETRY_MAX, with jitter.  A server that does
 * not answer for longer than the lane's statement_timeout and GRACE is taken
 * for dead.
 *
 * A connection to a standby knows the position that its server had replayed
 * when it was asked last: at its start, then every POSITION_EVERY seconds,
 * sooner when a client needed more.  The position belongs to the connection,
 * not to the URL: another connection may lead to another server, and a server
 * that starts again may be further back, but what one session has seen stays.
 * It takes queries while the server is a standby of our primary and not older
 * than read-max-lag, and only those that need no more than it has.  A client
 * keeps to one standby as long as that is usable, so that its timeline is kept
 * in one memory.
 *
 * After a query that may write, the position is asked for on the same
 * connection, before the answer is handed out.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"

#define PACK_DEPTH 8
#define RETRY_MIN 0.1
#define RETRY_MAX 5.0
#define GRACE 2.0
#define POSITION_EVERY 0.25
#define POSITION_SOONER 0.02
#define STRANGER_PATIENCE 10.0	/* until the URL may lead to another server */

typedef enum ConnectionState
{
	CONNECTION_DOWN,			/* waits for retry_at; next: CONNECTING */
	CONNECTION_CONNECTING,		/* PQconnectPoll; next: PREPARING, DOWN */
	CONNECTION_PREPARING,		/* statements are being prepared; next: READY,
								 * DOWN */
	CONNECTION_READY			/* takes queries; next: DOWN */
} ConnectionState;

typedef struct Lane Lane;
typedef struct Server Server;

typedef struct Connection
{
	Lane	   *lane;
	ConnectionState state;
	PGconn	   *pg;
	ev_io		io;
	ev_timer	timer;			/* DOWN: retry; CONNECTING, PREPARING: give up */
	List		in_flight;		/* PoolQuery, oldest first */
	bool		answered;		/* the oldest has its result, its Sync is to
								 * come */
	bool		dirty;			/* has output to flush */
	bool		broken;			/* libpq refused a query; to be given up */
	double		pause;

	/* where the server is; of standbys, and of the primary's fast lane */
	PoolQuery	check;
	bool		checking;
	bool		is_standby;		/* one of our primary, when it was asked last */
	Position	position;
	double		as_of;			/* of position_as_of() */
	double		checked;		/* when it was asked last */
	double		made;			/* when it was ready */
} Connection;

struct Lane
{
	Server	   *server;
	const char *name;
	int			count;
	int			depth;
	int			timeout;		/* milliseconds */
	Connection *connections;
	List		queue;			/* PoolQuery */
	LaneMetrics *metrics;
};

struct Server
{
	const char *url;
	StandbyMetrics *standby;	/* NULL: the primary */
	int			logged;			/* that it is a standby (2), or is not (1) */
	Lane		lanes[LANE_COUNT];	/* a standby's write lane has no
									 * connections */
};

static const struct
{
	const char *name;
	const char *sql;
	int			parameters;
	bool		prepared;
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
	" room, told, data FROM roost.stream_read($1, $2, $3)", 3, false},
	{"stream_data", "SELECT seq, data, everyone, strangers, told FROM roost.stream_data($1)", 1, false},
	{"stream_see", "SELECT seq, viewer_id FROM roost.stream_see($1, $2)", 2, false},
	{"stream_notify", "SELECT seq, account_id, data FROM roost.stream_notify($1, $2)", 2, false},
	{"stream_resume", "SELECT seq, part, event, home, topics, data FROM roost.stream_resume($1, $2, $3, $4, $5)", 5, false},
	{"live_beat", "SELECT roost.live_beat($1, $2, $3, $4)", 4, false},
	{"live_signal", "SELECT roost.live_signal($1, $2, $3)", 3, false},
	{"live_see", "SELECT * FROM roost.live_see($1, $2, $3)", 3, false},
	{"live_call", "SELECT n, event, session_id, array_to_string(told, ' '), data FROM roost.live_call($1)", 1, false},
	{"live_call_send", "SELECT roost.live_call_send($1, $2, $3, $4, $5, $6)", 6, false},
};

static const Oid handle_types[POOL_MAX_PARAMETERS] = {25, 25, 25, 25, 25, 25};	/* text */

static struct ev_loop *pool_loop;
static ev_prepare pool_prepare;
static Server servers[1 + CONFIG_STANDBYS];
static int	server_count;

static void connection_start(Connection *connection);
static void connection_fail(Connection *connection, PoolFailure failure, const char *why);
static void lane_dispatch(Lane *lane);

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

/* Fails every query of a list. */
static void
fail_all(List *queries, PoolFailure failure)
{
	ListNode   *node;

	/* what the callbacks submit meanwhile goes elsewhere or fails by itself */
	for (int n = queries->count; n > 0 && (node = list_first(queries)) != NULL; n--)
	{
		PoolQuery  *query = container_of(node, PoolQuery, node);

		list_remove(queries, node);
		query->waiting = NULL;
		PQclear(query->held);
		query->held = NULL;
		query->on_failure(query, failure);
	}
}

/* Returns whether a lane has a connection. */
static bool
lane_is_up(const Lane *lane)
{
	for (int i = 0; i < lane->count; i++)
		if (lane->connections[i].state == CONNECTION_READY)
			return true;
	return false;
}

/*
 * Returns whether a query of a lane without a connection may wait for one: at
 * the start, until a first one is made or has failed.
 */
static bool
lane_is_starting(const Lane *lane)
{
	for (int i = 0; i < lane->count; i++)
		if (lane->connections[i].state != CONNECTION_DOWN && lane->connections[i].pause == 0)
			return true;
	return false;
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
	fail_all(&lost, failure);
	if (!lane_is_up(lane) && !lane_is_starting(lane))
	{
		lane->metrics->rejected += (uint64_t) lane->queue.count;
		fail_all(&lane->queue, POOL_DOWN);
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
static void
connection_send(Connection *connection, PoolQuery *query)
{
	const char *name = statements[query->statement].name;
	int			parameters = statements[query->statement].parameters;

	query->sent = ev_now(pool_loop);
	query->wrote = (Position) {0};
	list_append(&connection->in_flight, &query->node);
	connection->lane->metrics->in_flight++;
	if (!(statements[query->statement].prepared ?
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
static void
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

/* Returns whether a result is that of roost.gateway_position(), and reads it. */
static bool
result_position(const PGresult *result, ServerPosition *position)
{
	return PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
		strcmp(PQfname(result, 0), "gateway_position") == 0 && position_parse(PQgetvalue(result, 0, 0), position);
}

/* Takes note of where a server says it is. */
static void
connection_note(Connection *connection, const ServerPosition *position, double asked)
{
	StandbyMetrics *standby = connection->lane->server->standby;
	bool		usable = position->standby && !position_is_stranger(position);

	connection->checked = asked;
	if (standby == NULL)
	{
		position_sample(position, asked);
		return;
	}
	if (connection->lane->server->logged != 1 + usable)
		log_info("%s %s", standby->name, usable ? "is a standby" :
				 position->standby ? "belongs to another cluster than the primary" : "is not a standby");
	connection->lane->server->logged = 1 + usable;
	connection->is_standby = usable;
	connection->position = position->at;
	connection->as_of = position_as_of(position->at);
	standby->lag = (uint64_t) (position_age(connection->as_of) * 1e6);
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

/* Asked for its position, the server has answered. */
static void
on_check(PoolQuery *query, const PGresult *result)
{
	Connection *connection = container_of(query, Connection, check);
	ServerPosition position;

	connection->checking = false;
	if (result_position(result, &position))
		connection_note(connection, &position, query->sent);
	else
		log_error("could not read roost.gateway_position(): %s", PQresultErrorMessage(result));
}

/* The connection broke meanwhile. */
static void
on_check_failure(PoolQuery *query, PoolFailure failure)
{
	container_of(query, Connection, check)->checking = false;
}

/* Asks for the position of the server; nobody waits behind it longer than for an empty statement. */
static void
connection_check(Connection *connection)
{
	connection->checking = true;
	connection_send(connection, &connection->check);
}

/* Returns whether it is time to ask for the position again. */
static bool
connection_is_due(const Connection *connection, double every)
{
	return connection->state == CONNECTION_READY && !connection->checking &&
		ev_now(pool_loop) - connection->checked >= every;
}

/* Returns whether a connection takes queries, as far as its server is concerned. */
static bool
connection_is_usable(const Connection *connection)
{
	return connection->state == CONNECTION_READY &&
		(connection->lane->server->standby == NULL ||
		 (connection->is_standby && position_age(connection->as_of) * 1000 <= config.read_max_lag));
}

/* Returns whether a server has what a query must see. */
static bool
connection_reaches(const Connection *connection, Position need)
{
	return connection->lane->server->standby == NULL || position_reached(connection->position, need);
}

/* Returns the connection that should take a query of a lane now, or NULL. */
static Connection *
lane_choose(Lane *lane, const PoolQuery *query)
{
	Connection *best = NULL;
	bool		pack = lane->depth >= PACK_DEPTH;

	for (int i = 0; i < lane->count; i++)
	{
		Connection *connection = &lane->connections[i];

		if (connection->in_flight.count >= lane->depth || connection->state != CONNECTION_READY)
			continue;
		if (!query->anyway && (!connection_is_usable(connection) || !connection_reaches(connection, query->need)))
			continue;
		if (pack && connection->in_flight.count < PACK_DEPTH)
			return connection;
		if (best == NULL || connection->in_flight.count < best->in_flight.count)
			best = connection;
	}
	return best;
}

/*
 * Returns whether a query that no connection of the lane takes now may wait
 * for one.  At a standby it may while one is busy or is being asked for its
 * position, which is done now if the last time was long ago.
 */
static bool
lane_may_wait(Lane *lane)
{
	bool		wait = lane->server->standby == NULL;

	for (int i = 0; i < lane->count && !wait; i++)
	{
		Connection *connection = &lane->connections[i];

		if (connection->state != CONNECTION_READY)
			continue;
		if (connection->in_flight.count < lane->depth && connection_is_due(connection, POSITION_SOONER))
			connection_check(connection);
		wait = connection->checking || connection->in_flight.count >= lane->depth;
	}
	return wait;
}

/* Sends what waits, as far as there is room. */
static void
lane_dispatch(Lane *lane)
{
	ListNode   *node;

	while ((node = list_first(&lane->queue)) != NULL)
	{
		PoolQuery  *query = container_of(node, PoolQuery, node);
		Connection *connection = lane_choose(lane, query);

		if (connection == NULL && lane_may_wait(lane))
			break;
		list_remove(&lane->queue, node);
		query->waiting = NULL;
		if (connection)
			connection_send(connection, query);
		else
			query->on_failure(query, POOL_DOWN);
	}
	lane->metrics->queued = (uint64_t) lane->queue.count;
}

/* Returns how many queries may wait in a lane. */
static int
lane_limit(LaneKind kind)
{
	return kind == LANE_SLOW ? config.slow_queue_limit : config.queue_limit;
}

/* Runs a query in a lane of a server. */
static void
lane_submit(Lane *lane, PoolQuery *query, int limit)
{
	Connection *connection = lane->queue.count == 0 ? lane_choose(lane, query) : NULL;

	if (connection)
		connection_send(connection, query);
	else if ((!lane_is_up(lane) && !lane_is_starting(lane)) || lane->queue.count >= limit)
	{
		lane->metrics->rejected++;
		query->on_failure(query, lane->queue.count >= limit ? POOL_FULL : POOL_DOWN);
	}
	else
	{
		list_append(&lane->queue, &query->node);
		query->waiting = lane;
		lane->metrics->queued = (uint64_t) lane->queue.count;
		if (lane->server->standby)
			lane_dispatch(lane);
	}
}

/*
 * Runs a query at the primary.  One of its functions is called exactly once,
 * perhaps before this one returns.
 */
void
pool_submit(LaneKind kind, PoolQuery *query)
{
	lane_submit(&servers[0].lanes[kind], query, lane_limit(kind));
}

/* Runs a query in the fast lane of a server: the primary is 0. */
void
pool_submit_server(int server, PoolQuery *query)
{
	lane_submit(&servers[server].lanes[LANE_FAST], query, lane_limit(LANE_FAST));
}

/* Returns whether a standby takes queries; reaches tells whether one that needs so much. */
static bool
standby_is_usable(Server *server, Position need, bool *reaches)
{
	Lane	   *lane = &server->lanes[LANE_FAST];
	bool		usable = false;

	*reaches = false;
	for (int i = 0; i < lane->count && !*reaches; i++)
		if (connection_is_usable(&lane->connections[i]))
		{
			usable = true;
			*reaches = connection_reaches(&lane->connections[i], need);
		}
	for (int i = 0; i < lane->count && usable && !*reaches; i++)
		if (connection_is_due(&lane->connections[i], POSITION_SOONER))
			connection_check(&lane->connections[i]);
	return usable;
}

/*
 * Runs a query at the standby that a client (0: anybody) keeps to, or at the
 * next one that is usable.  Returns false if it is for the primary: there is
 * no standby, or the client's has not come as far as the query needs.
 */
bool
pool_submit_standby(LaneKind kind, PoolQuery *query, uint64_t client)
{
	static unsigned turn;
	unsigned	count = (unsigned) server_count - 1;
	unsigned	first;

	if (server_count <= 1 || kind == LANE_WRITE)
		return false;
	first = client ? (unsigned) (client >> 32) : turn++;
	for (unsigned i = 0; i < count; i++)
	{
		Server	   *server = &servers[1 + (first % count + i) % count];
		Lane	   *lane = &server->lanes[kind];
		bool		reaches;

		if (!lane_is_up(lane) || lane->queue.count >= lane_limit(kind) || !standby_is_usable(server, query->need, &reaches))
			continue;
		if (!reaches)
		{
			server->standby->behind++;
			return false;
		}
		server->standby->requests++;
		lane_submit(lane, query, lane_limit(kind));
		return true;
	}
	return false;
}

/* Returns how many standbys take queries. */
int
pool_standbys_usable(void)
{
	int			usable = 0;

	for (int s = 1; s < server_count; s++)
		usable += servers[s].standby->usable > 0;
	return usable;
}

/*
 * Takes a query back that waits for a connection: none of its functions will be
 * called.  Returns false if it is at the database already.
 */
bool
pool_cancel(PoolQuery *query)
{
	Lane	   *lane = query->waiting;

	if (lane == NULL)
		return false;
	list_remove(&lane->queue, &query->node);
	query->waiting = NULL;
	lane->metrics->queued = (uint64_t) lane->queue.count;
	lane->metrics->cancelled++;
	return true;
}

/* Returns whether a lane of the primary has a connection. */
bool
pool_is_up(LaneKind kind)
{
	return lane_is_up(&servers[0].lanes[kind]);
}

/* Called once a turn, before the loop waits: one flush for all that was sent. */
static void
on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	for (int s = 0; s < server_count; s++)
		for (int l = 0; l < LANE_COUNT; l++)
			for (int i = 0; i < servers[s].lanes[l].count; i++)
				if (servers[s].lanes[l].connections[i].dirty)
					connection_flush(&servers[s].lanes[l].connections[i]);
}

/* Gives a connection up whose server is silent. */
static void
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

/* Asks the primary for its position, on one connection. */
static void
primary_tick(void)
{
	Lane	   *lane = &servers[0].lanes[LANE_FAST];

	for (int i = 0; i < lane->count; i++)
		if (lane->connections[i].state == CONNECTION_READY)
		{
			if (connection_is_due(&lane->connections[i], POSITION_EVERY))
				connection_check(&lane->connections[i]);
			return;
		}
}

/* Called a few times a second: looks after connections and positions. */
void
pool_tick(void)
{
	for (int s = 0; s < server_count; s++)
	{
		bool		reaches;

		for (int l = 0; l < LANE_COUNT; l++)
			for (int i = 0; i < servers[s].lanes[l].count; i++)
				connection_tick(&servers[s].lanes[l].connections[i]);
		if (s > 0)
			servers[s].standby->usable = standby_is_usable(&servers[s], (Position) {0}, &reaches);
	}
	if (server_count > 1)
		primary_tick();
}

/* Sets a lane up and starts its connections. */
static void
lane_start(Server *server, LaneKind kind, const char *name, int count, int depth, int timeout)
{
	Lane	   *lane = &server->lanes[kind];

	lane->server = server;
	lane->name = name;
	lane->count = count;
	lane->depth = depth;
	lane->timeout = timeout;
	lane->metrics = server->standby ? &server->standby->lanes[kind] : &metrics->lanes[kind];
	list_init(&lane->queue);
	lane->connections = memory_new(sizeof(Connection) * (size_t) count);
	for (int i = 0; i < count; i++)
	{
		Connection *connection = &lane->connections[i];

		connection->lane = lane;
		connection->check = (PoolQuery)
		{
			.statement = STATEMENT_POSITION,.on_result = on_check,.on_failure = on_check_failure
		};
		list_init(&connection->in_flight);
		ev_init(&connection->io, on_connection_io);
		ev_init(&connection->timer, on_connection_timer);
		connection_start(connection);
	}
}

/* Sets a server up. */
static void
server_start(const char *url, StandbyMetrics *standby)
{
	Server	   *server = &servers[server_count++];

	server->url = url;
	server->standby = standby;
	lane_start(server, LANE_FAST, "fast", config.fast_connections, config.fast_depth, config.fast_timeout);
	lane_start(server, LANE_WRITE, "write", standby ? 0 : config.write_connections, config.write_depth, config.write_timeout_sql);
	lane_start(server, LANE_SLOW, "slow", config.slow_connections, 1, config.slow_timeout);
}

/* Writes what a standby is called in metrics and logs: host:port, unless another one is called so. */
static void
standby_name(const char *url, int number, char *name, size_t size)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	const char *host = "";
	const char *port = "";

	for (PQconninfoOption *option = options; option && option->keyword; option++)
		if (option->val && strcmp(option->keyword, "host") == 0)
			host = option->val;
		else if (option->val && strcmp(option->keyword, "hostaddr") == 0 && *host == '\0')
			host = option->val;
		else if (option->val && strcmp(option->keyword, "port") == 0)
			port = option->val;
	snprintf(name, size, "%s%s%s", host, *port ? ":" : "", port);
	PQconninfoFree(options);
	for (char *c = name; *c; c++)
		if ((unsigned char) *c <= ' ' || *c == '"' || *c == '\\' || (unsigned char) *c > '~')
			*c = '_';
	for (int i = 0; i < number; i++)
		if (*name == '\0' || strcmp(metrics->standbys[i].name, name) == 0)
			snprintf(name, size, "standby %d", number + 1);
}

/* Starts the connections of all servers. */
void
pool_start(struct ev_loop *loop)
{
	pool_loop = loop;
	srand48((long) getpid() ^ (long) ev_time());
	ev_prepare_init(&pool_prepare, on_prepare);
	ev_prepare_start(loop, &pool_prepare);
	server_start(config.database_url, NULL);
	metrics->standby_count = config.read_count;
	for (int i = 0; i < config.read_count; i++)
	{
		standby_name(config.reads[i], i, metrics->standbys[i].name, sizeof(metrics->standbys[i].name));
		server_start(config.reads[i], &metrics->standbys[i]);
	}
}

/* Ends the connections of a lane; what is in flight fails. */
static void
lane_stop(Lane *lane)
{
	for (int i = 0; i < lane->count; i++)
	{
		Connection *connection = &lane->connections[i];

		ev_io_stop(pool_loop, &connection->io);
		ev_timer_stop(pool_loop, &connection->timer);
		PQfinish(connection->pg);
		connection->pg = NULL;
		fail_all(&connection->in_flight, POOL_DOWN);
	}
	fail_all(&lane->queue, POOL_DOWN);
	free(lane->connections);
	lane->connections = NULL;
	lane->count = 0;
}

/* Ends all connections, those to the primary last: it gets what standbys leave. */
void
pool_stop(void)
{
	ev_prepare_stop(pool_loop, &pool_prepare);
	for (int s = server_count - 1; s >= 0; s--)
		for (int l = 0; l < LANE_COUNT; l++)
			lane_stop(&servers[s].lanes[l]);
}
