/*-------------------------------------------------------------------------
 *
 * pool_internal.h
 *		What the files of the pool share.
 *
 * pool.c				lanes and what waits in them, start and end
 * pool_connection.c	connections: made, given queries, read
 * pool_standby.c		where servers are, which standby takes a query
 *
 *-------------------------------------------------------------------------
 */
#ifndef POOL_INTERNAL_H
#define POOL_INTERNAL_H

#include "config.h"
#include "metrics.h"
#include "pool.h"

#define POSITION_EVERY 0.25
#define POSITION_SOONER 0.02

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
	uint32_t	prepared;		/* statements that were prepared when they
								 * were first asked; bit n: PoolStatement n */
	uint32_t	generation;		/* their names have it */
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

extern struct ev_loop *pool_loop;
extern Server pool_servers[1 + CONFIG_STANDBYS];
extern int	pool_server_count;

/* pool.c */
extern void queries_fail(List *queries, PoolFailure failure);
extern bool lane_is_up(const Lane *lane);
extern bool lane_is_starting(const Lane *lane);
extern void lane_dispatch(Lane *lane);
extern int	lane_limit(LaneKind kind);
extern void lane_submit(Lane *lane, PoolQuery *query, int limit);

/* pool_connection.c */
extern void connection_begin(Connection *connection);
extern void connection_end(Connection *connection);
extern void connection_send(Connection *connection, PoolQuery *query);
extern void connection_flush(Connection *connection);
extern void connection_tick(Connection *connection);

/* pool_standby.c */
extern bool result_position(const PGresult *result, ServerPosition *position);
extern void connection_note(Connection *connection, const ServerPosition *position, double asked);
extern void connection_check_init(Connection *connection);
extern void connection_check(Connection *connection);
extern bool connection_is_due(const Connection *connection, double every);
extern bool standby_is_usable(Server *server, Position need, bool *reaches);
extern void primary_tick(void);
extern void standby_name(const char *url, int number, char *name, size_t size);

/* Returns whether a connection takes queries, as far as its server is concerned. */
static inline bool
connection_is_usable(const Connection *connection)
{
	return connection->state == CONNECTION_READY &&
		(connection->lane->server->standby == NULL ||
		 (connection->is_standby && position_age(connection->as_of) * 1000 <= config.read_max_lag));
}

/* Returns whether a server has what a query must see. */
static inline bool
connection_reaches(const Connection *connection, Position need)
{
	return connection->lane->server->standby == NULL || position_reached(connection->position, need);
}

#endif							/* POOL_INTERNAL_H */
