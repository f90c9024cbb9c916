/*-------------------------------------------------------------------------
 *
 * pool.c
 *		Pipelined connections to PostgreSQL, in lanes.
 *
 * A lane has connections of its own, so that commits and slow statements never
 * stand before fast ones.  What is submitted goes to a connection of its lane:
 * the first one with fewer than PACK_DEPTH statements in flight (batches cost
 * the server less than spreading), else the least busy one below the lane's
 * depth, else it waits in the lane's queue, in order.  The queue is bounded;
 * when it is full, or no connection is usable, the query fails at once.  What
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

typedef enum ConnectionState
{
	CONNECTION_DOWN,			/* waits for retry_at; next: CONNECTING */
	CONNECTION_CONNECTING,		/* PQconnectPoll; next: PREPARING, DOWN */
	CONNECTION_PREPARING,		/* statements are being prepared; next: READY,
								 * DOWN */
	CONNECTION_READY			/* takes queries; next: DOWN */
} ConnectionState;

typedef struct Lane Lane;

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
} Connection;

struct Lane
{
	const char *name;
	int			count;
	int			depth;
	int			timeout;		/* milliseconds */
	Connection *connections;
	List		queue;			/* PoolQuery */
	LaneMetrics *metrics;
};

static const struct
{
	const char *name;
	const char *sql;
	int			parameters;
}			statements[STATEMENT_COUNT] = {
	{"handle", "SELECT roost.handle($1, $2, $3, $4, $5, $6)", 6},
	{"config", "SELECT roost.gateway_config()", 0},
};

static const Oid handle_types[POOL_MAX_PARAMETERS] = {25, 25, 25, 25, 25, 25};	/* text */

static struct ev_loop *pool_loop;
static ev_prepare pool_prepare;
static Lane lanes[LANE_COUNT];

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
		query->on_failure(query, failure);
	}
}

/* Returns whether a lane has a usable connection. */
static bool
lane_is_up(const Lane *lane)
{
	for (int i = 0; i < lane->count; i++)
		if (lane->connections[i].state == CONNECTION_READY)
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
				  "database connection of lane \"%s\": %s", lane->name, why);
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
	if (!lane_is_up(lane))
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
	list_append(&connection->in_flight, &query->node);
	connection->lane->metrics->in_flight++;
	if (!PQsendQueryPrepared(connection->pg, name, parameters, query->values, NULL, NULL, 0) ||
		!PQpipelineSync(connection->pg))
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

/* Takes one result of the oldest query, or its Sync. */
static bool
connection_take(Connection *connection, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	ListNode   *node = list_first(&connection->in_flight);
	PoolQuery  *query = node ? container_of(node, PoolQuery, node) : NULL;

	if (connection->state == CONNECTION_PREPARING)
	{
		if (status == PGRES_PIPELINE_SYNC)
			connection_enter(connection, CONNECTION_READY);
		else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		{
			char		why[512];

			snprintf(why, sizeof(why), "could not prepare: %s", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) ?
					 PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : "unknown error");
			connection_fail(connection, POOL_LOST, why);
			return false;
		}
		return true;
	}
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
	list_remove(&connection->in_flight, node);
	connection->lane->metrics->in_flight--;
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
		alive = connection_take(connection, result);
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
		sent = PQsendPrepare(connection->pg, statements[i].name, statements[i].sql,
							 statements[i].parameters, handle_types);
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

/* Starts to make a connection. */
static void
connection_start(Connection *connection)
{
	char		name[64];

	/* what comes after the connection string wins over it */
	const char *keywords[8] = {"dbname", "fallback_application_name", "client_encoding"};
	const char *values[8] = {config.database_url, name, "UTF8"};
	char	   *password = NULL;

	snprintf(name, sizeof(name), "roost-gateway %s", connection->lane->name);
	if (*config.password_file)
	{
		password = text_load_file(config.password_file, 4096, NULL);
		if (password)
		{
			password[strcspn(password, "\r\n")] = '\0';
			keywords[3] = "password";
			values[3] = password;
		}
		else
			log_error("could not read the password file \"%s\"", config.password_file);
	}
	connection_enter(connection, CONNECTION_CONNECTING);
	connection->pg = PQconnectStartParams(keywords, values, 1);
	if (password)
	{
		explicit_bzero(password, strlen(password));
		free(password);
	}
	if (connection->pg == NULL || PQstatus(connection->pg) == CONNECTION_BAD)
	{
		connection_fail_libpq(connection);
		return;
	}
	PQsetNoticeProcessor(connection->pg, ignore_notice, NULL);
	connection_watch(connection, EV_WRITE);
}

/* Returns the connection that should take the next query of a lane, or NULL. */
static Connection *
lane_choose(Lane *lane)
{
	Connection *best = NULL;
	bool		pack = lane->depth >= PACK_DEPTH;

	for (int i = 0; i < lane->count; i++)
	{
		Connection *connection = &lane->connections[i];

		if (connection->state != CONNECTION_READY || connection->in_flight.count >= lane->depth)
			continue;
		if (pack && connection->in_flight.count < PACK_DEPTH)
			return connection;
		if (best == NULL || connection->in_flight.count < best->in_flight.count)
			best = connection;
	}
	return best;
}

/* Sends what waits, as far as there is room. */
static void
lane_dispatch(Lane *lane)
{
	Connection *connection;
	ListNode   *node;

	while ((node = list_first(&lane->queue)) != NULL && (connection = lane_choose(lane)) != NULL)
	{
		PoolQuery  *query = container_of(node, PoolQuery, node);

		list_remove(&lane->queue, node);
		query->waiting = NULL;
		connection_send(connection, query);
	}
	lane->metrics->queued = (uint64_t) lane->queue.count;
}

/*
 * Runs a query.  One of its functions is called exactly once, perhaps before
 * this one returns.
 */
void
pool_submit(LaneKind kind, PoolQuery *query)
{
	Lane	   *lane = &lanes[kind];
	Connection *connection = lane->queue.count == 0 ? lane_choose(lane) : NULL;
	int			limit = kind == LANE_SLOW ? config.slow_queue_limit : config.queue_limit;

	if (connection)
		connection_send(connection, query);
	else if (!lane_is_up(lane) || lane->queue.count >= limit)
	{
		lane->metrics->rejected++;
		query->on_failure(query, lane_is_up(lane) ? POOL_FULL : POOL_DOWN);
	}
	else
	{
		list_append(&lane->queue, &query->node);
		query->waiting = lane;
		lane->metrics->queued = (uint64_t) lane->queue.count;
	}
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

/* Returns whether a lane has a usable connection. */
bool
pool_is_up(LaneKind kind)
{
	return lane_is_up(&lanes[kind]);
}

/* Called once a turn, before the loop waits: one flush for all that was sent. */
static void
on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	for (int l = 0; l < LANE_COUNT; l++)
		for (int i = 0; i < lanes[l].count; i++)
			if (lanes[l].connections[i].dirty)
				connection_flush(&lanes[l].connections[i]);
}

/* Called a few times a second: gives up connections whose server is silent. */
void
pool_tick(void)
{
	for (int l = 0; l < LANE_COUNT; l++)
		for (int i = 0; i < lanes[l].count; i++)
		{
			Connection *connection = &lanes[l].connections[i];
			ListNode   *node = list_first(&connection->in_flight);

			/* with depth n, a statement may wait for n-1 others */
			double		patience = lanes[l].timeout / 1000.0 + GRACE;

			if (connection->state == CONNECTION_READY && node &&
				ev_now(pool_loop) - container_of(node, PoolQuery, node)->sent > patience * Max(1, Min(lanes[l].depth, 2)))
				connection_fail(connection, POOL_TIMEOUT, "the server does not answer");
		}
}

/* Sets a lane up and starts its connections. */
static void
lane_start(LaneKind kind, const char *name, int count, int depth, int timeout)
{
	Lane	   *lane = &lanes[kind];

	lane->name = name;
	lane->count = count;
	lane->depth = depth;
	lane->timeout = timeout;
	lane->metrics = &metrics->lanes[kind];
	list_init(&lane->queue);
	lane->connections = memory_new(sizeof(Connection) * (size_t) count);
	for (int i = 0; i < count; i++)
	{
		Connection *connection = &lane->connections[i];

		connection->lane = lane;
		list_init(&connection->in_flight);
		ev_init(&connection->io, on_connection_io);
		ev_init(&connection->timer, on_connection_timer);
		connection_start(connection);
	}
}

/* Starts the connections of all lanes. */
void
pool_start(struct ev_loop *loop)
{
	pool_loop = loop;
	srand48((long) getpid() ^ (long) ev_time());
	ev_prepare_init(&pool_prepare, on_prepare);
	ev_prepare_start(loop, &pool_prepare);
	lane_start(LANE_FAST, "fast", config.fast_connections, config.fast_depth, config.fast_timeout);
	lane_start(LANE_WRITE, "write", config.write_connections, config.write_depth, config.write_timeout_sql);
	lane_start(LANE_SLOW, "slow", config.slow_connections, 1, config.slow_timeout);
}

/* Ends all connections; what is in flight fails. */
void
pool_stop(void)
{
	ev_prepare_stop(pool_loop, &pool_prepare);
	for (int l = 0; l < LANE_COUNT; l++)
	{
		for (int i = 0; i < lanes[l].count; i++)
		{
			Connection *connection = &lanes[l].connections[i];

			ev_io_stop(pool_loop, &connection->io);
			ev_timer_stop(pool_loop, &connection->timer);
			PQfinish(connection->pg);
			connection->pg = NULL;
			fail_all(&connection->in_flight, POOL_DOWN);
		}
		fail_all(&lanes[l].queue, POOL_DOWN);
		free(lanes[l].connections);
		lanes[l].count = 0;
	}
}
