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
 * pool_connection.c makes the connections and hands out results,
 * pool_standby.c knows where servers are and chooses among standbys.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "metrics.h"
#include "pool_internal.h"

#define PACK_DEPTH 8

struct ev_loop *pool_loop;
Server		pool_servers[1 + CONFIG_STANDBYS];	/* the first is the primary */
int			pool_server_count;

static ev_prepare pool_prepare;

/* Fails every query of a list. */
void
queries_fail(List *queries, PoolFailure failure)
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
bool
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
bool
lane_is_starting(const Lane *lane)
{
	for (int i = 0; i < lane->count; i++)
		if (lane->connections[i].state != CONNECTION_DOWN && lane->connections[i].pause == 0)
			return true;
	return false;
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
void
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
int
lane_limit(LaneKind kind)
{
	return kind == LANE_SLOW ? config.slow_queue_limit : config.queue_limit;
}

/* Runs a query in a lane of a server. */
void
lane_submit(Lane *lane, PoolQuery *query, int limit)
{
	Connection *connection = lane->queue.count == 0 ? lane_choose(lane, query) : NULL;

	query->again = false;
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
	lane_submit(&pool_servers[0].lanes[kind], query, lane_limit(kind));
}

/* Runs a query in the fast lane of a server: the primary is 0. */
void
pool_submit_server(int server, PoolQuery *query)
{
	lane_submit(&pool_servers[server].lanes[LANE_FAST], query, lane_limit(LANE_FAST));
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
	return lane_is_up(&pool_servers[0].lanes[kind]);
}

/* Called once a turn, before the loop waits: one flush for all that was sent. */
static void
on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	for (int s = 0; s < pool_server_count; s++)
		for (int l = 0; l < LANE_COUNT; l++)
			for (int i = 0; i < pool_servers[s].lanes[l].count; i++)
				if (pool_servers[s].lanes[l].connections[i].dirty)
					connection_flush(&pool_servers[s].lanes[l].connections[i]);
}

/* Called a few times a second: looks after connections and positions. */
void
pool_tick(void)
{
	for (int s = 0; s < pool_server_count; s++)
	{
		bool		reaches;

		for (int l = 0; l < LANE_COUNT; l++)
			for (int i = 0; i < pool_servers[s].lanes[l].count; i++)
				connection_tick(&pool_servers[s].lanes[l].connections[i]);
		if (s > 0)
			pool_servers[s].standby->usable = standby_is_usable(&pool_servers[s], (Position) {0}, &reaches);
	}
	if (pool_server_count > 1)
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
		lane->connections[i].lane = lane;
		connection_begin(&lane->connections[i]);
	}
}

/* Sets a server up. */
static void
server_start(const char *url, StandbyMetrics *standby)
{
	Server	   *server = &pool_servers[pool_server_count++];

	server->url = url;
	server->standby = standby;
	lane_start(server, LANE_FAST, "fast", config.fast_connections, config.fast_depth, config.fast_timeout);
	lane_start(server, LANE_WRITE, "write", standby ? 0 : config.write_connections, config.write_depth, config.write_timeout_sql);
	lane_start(server, LANE_SLOW, "slow", config.slow_connections, 1, config.slow_timeout);
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
		connection_end(&lane->connections[i]);
	queries_fail(&lane->queue, POOL_DOWN);
	free(lane->connections);
	lane->connections = NULL;
	lane->count = 0;
}

/* Ends all connections, those to the primary last: it gets what standbys leave. */
void
pool_stop(void)
{
	ev_prepare_stop(pool_loop, &pool_prepare);
	for (int s = pool_server_count - 1; s >= 0; s--)
		for (int l = 0; l < LANE_COUNT; l++)
			lane_stop(&pool_servers[s].lanes[l]);
}
