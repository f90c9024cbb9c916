/*-------------------------------------------------------------------------
 *
 * calls.c
 *		What clients say to begin calls: signals that the database gives out.
 *
 * The notification of such a signal has a number; what it says, and to whom, is
 * asked for (roost.live_call), once for all clients of this process.  At most
 * CALLS_MAX numbers wait; more are dropped and counted, as are those that the
 * database does not know any more, or of which it cannot be asked: nothing of a
 * call is sent late.  One question at a time, so they keep their order.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "calls.h"
#include "hub.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"

#define CALLS_MAX 1000

enum
{
	COLUMN_N, COLUMN_EVENT, COLUMN_SESSION, COLUMN_TOLD, COLUMN_DATA
};

static int64_t waiting[CALLS_MAX];
static int	waiting_count;
static int	asking_count;
static Buffer asking;			/* an array of numbers */
static PoolQuery call_query;
static bool call_under_way;

static void calls_run(void);

/* The database has said what the signals say. */
static void
on_calls(PoolQuery *query, const PGresult *result)
{
	int			found = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : 0;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		log_warning("could not ask for signals of calls: %s", PQresultErrorMessage(result));
	metrics->signals_dropped += (uint64_t) (asking_count - found);
	for (int i = 0; i < found; i++)
		hub_call(PQgetvalue(result, i, COLUMN_TOLD), strtoll(PQgetvalue(result, i, COLUMN_SESSION), NULL, 10),
				 PQgetvalue(result, i, COLUMN_EVENT), PQgetvalue(result, i, COLUMN_DATA), (size_t) PQgetlength(result, i, COLUMN_DATA));
	call_under_way = false;
	calls_run();
}

/* The database cannot be asking. */
static void
on_calls_failure(PoolQuery *query, PoolFailure failure)
{
	metrics->signals_dropped += (uint64_t) (asking_count + waiting_count);
	waiting_count = 0;
	call_under_way = false;
}

/* Asks for all that wait. */
static void
calls_run(void)
{
	if (call_under_way || waiting_count == 0)
		return;
	asking.length = 0;
	for (int i = 0; i < waiting_count; i++)
	{
		buffer_append(&asking, i == 0 ? "{" : ",", 1);
		buffer_append_number(&asking, (uint64_t) waiting[i]);
	}
	buffer_append(&asking, "}", 2);
	asking_count = waiting_count;
	waiting_count = 0;
	call_under_way = true;
	call_query = (PoolQuery)
	{
		.statement = STATEMENT_LIVE_CALL,.values =
		{
			asking.data
		},.on_result = on_calls,.on_failure = on_calls_failure
	};
	pool_submit(LANE_FAST, &call_query);
}

/* A signal has come. */
void
calls_add(int64_t n)
{
	if (!hub_has_messages())
		return;
	if (waiting_count == CALLS_MAX)
		metrics->signals_dropped++;
	else
		waiting[waiting_count++] = n;
	calls_run();
}
