/*-------------------------------------------------------------------------
 *
 * pool.h
 *		Pipelined connections to PostgreSQL, in lanes, to the primary and to
 *		standbys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef POOL_H
#define POOL_H

#include <libpq-fe.h>
#include <ev.h>

#include "position.h"
#include "route.h"

#define POOL_MAX_PARAMETERS 6

/* The statements a gateway knows; those that are often used are prepared. */
typedef enum PoolStatement
{
	STATEMENT_HANDLE,			/* roost.handle(method, path, query, headers,
								 * body, address) */
	STATEMENT_CONFIG,			/* roost.gateway_config() */
	STATEMENT_POSITION,			/* roost.gateway_position(), with standbys */
	STATEMENT_STAT,				/* roost.gateway_stat() */
	STATEMENT_STREAM_OPEN,		/* these and the rest: docs/live.md */
	STATEMENT_STREAM_CHECK,
	STATEMENT_STREAM_POSITION,
	STATEMENT_STREAM_HOME,
	STATEMENT_STREAM_FILTERS,
	STATEMENT_STREAM_READ,
	STATEMENT_STREAM_DATA,
	STATEMENT_STREAM_SEE,
	STATEMENT_STREAM_NOTIFY,
	STATEMENT_STREAM_RESUME,
	STATEMENT_LIVE_BEAT,
	STATEMENT_LIVE_SIGNAL,
	STATEMENT_LIVE_SEE,
	STATEMENT_LIVE_CALL,
	STATEMENT_LIVE_CALL_MISSED,
	STATEMENT_LIVE_CALL_SEND,
	STATEMENT_COUNT
} PoolStatement;

typedef enum PoolFailure
{
	POOL_FULL,					/* too many requests wait */
	POOL_DOWN,					/* no connection; the statement was not sent */
	POOL_LOST,					/* the connection broke; nobody knows whether
								 * it ran */
	POOL_TIMEOUT				/* the database did not answer in time */
} PoolFailure;

/*
 * One statement; embedded in what asks, which keeps it and the texts it
 * points to until exactly one of the two functions has been called, or
 * pool_cancel() has returned true.
 */
typedef struct PoolQuery
{
	ListNode	node;
	PoolStatement statement;
	const char *values[POOL_MAX_PARAMETERS];
	bool		writes;			/* ask for the position after it */
	bool		preparing;		/* its statement is prepared with it */
	bool		again;			/* it has been sent once before */
	bool		anyway;			/* also at a standby that takes no reads */
	Position	need;			/* of a standby */
	Position	wrote;			/* the answer, 0/0 if nothing was written */
	double		sent;
	struct Lane *waiting;		/* in the queue of this lane, or NULL */
	PGresult   *held;			/* its result, while the position is to come */
	void		(*on_result) (struct PoolQuery *query, const PGresult *result);
	void		(*on_failure) (struct PoolQuery *query, PoolFailure failure);
} PoolQuery;

extern PGconn *pool_connect(const char *url, const char *purpose);
extern void pool_start(struct ev_loop *loop);
extern void pool_submit(LaneKind lane, PoolQuery *query);
extern bool pool_submit_standby(LaneKind lane, PoolQuery *query, uint64_t client);
extern void pool_submit_server(int server, PoolQuery *query);
extern int	pool_standbys_usable(void);
extern bool pool_cancel(PoolQuery *query);
extern void pool_tick(void);
extern void pool_stop(void);
extern bool pool_is_up(LaneKind lane);

#endif							/* POOL_H */
