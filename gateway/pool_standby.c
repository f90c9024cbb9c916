/*-------------------------------------------------------------------------
 *
 * pool_standby.c
 *		Where servers are, and which standby takes a query.
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
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

#include "log.h"
#include "metrics.h"
#include "pool_internal.h"

/* Returns whether a result is that of roost.gateway_position(), and reads it. */
bool
result_position(const PGresult *result, ServerPosition *position)
{
	return PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
		strcmp(PQfname(result, 0), "gateway_position") == 0 && position_parse(PQgetvalue(result, 0, 0), position);
}

/* Takes note of where a server says it is. */
void
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

/* Prepares what asks for the position. */
void
connection_check_init(Connection *connection)
{
	connection->check = (PoolQuery)
	{
		.statement = STATEMENT_POSITION,.on_result = on_check,.on_failure = on_check_failure
	};
}

/* Asks for the position of the server; nobody waits behind it longer than for an empty statement. */
void
connection_check(Connection *connection)
{
	connection->checking = true;
	connection_send(connection, &connection->check);
}

/* Returns whether it is time to ask for the position again. */
bool
connection_is_due(const Connection *connection, double every)
{
	return connection->state == CONNECTION_READY && !connection->checking &&
		ev_now(pool_loop) - connection->checked >= every;
}

/* Returns whether a standby takes queries; reaches tells whether one that needs so much. */
bool
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
	unsigned	count = (unsigned) pool_server_count - 1;
	unsigned	first;

	if (pool_server_count <= 1 || kind == LANE_WRITE)
		return false;
	first = client ? (unsigned) (client >> 32) : turn++;
	for (unsigned i = 0; i < count; i++)
	{
		Server	   *server = &pool_servers[1 + (first % count + i) % count];
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

	for (int s = 1; s < pool_server_count; s++)
		usable += pool_servers[s].standby->usable > 0;
	return usable;
}

/* Asks the primary for its position, on one connection. */
void
primary_tick(void)
{
	Lane	   *lane = &pool_servers[0].lanes[LANE_FAST];

	for (int i = 0; i < lane->count; i++)
		if (lane->connections[i].state == CONNECTION_READY)
		{
			if (connection_is_due(&lane->connections[i], POSITION_EVERY))
				connection_check(&lane->connections[i]);
			return;
		}
}

/* Writes what a standby is called in metrics and logs: host:port, unless another one is called so. */
void
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
