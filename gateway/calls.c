/*-------------------------------------------------------------------------
 *
 * calls.c
 *		What clients say to begin calls: signals that the database gives out.
 *
 * The notification of such a signal has a number; what it says, and to whom, is
 * asked for (roost.live_call), once for all clients of this process.  At most
 * QUEUE_MAX numbers wait; more are dropped and counted, as are those that the
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

#define QUEUE_MAX 1000

enum
{
	COLUMN_N, COLUMN_EVENT, COLUMN_SESSION, COLUMN_TOLD, COLUMN_DATA
};

static int64_t queue[QUEUE_MAX];
static int	queue_count;
static int	asked_count;
static Buffer asked;			/* an array of numbers */
static PoolQuery call_query;
static bool under_way;

static void queue_run(void);

/* The database has said what the signals say. */
static void
on_calls(PoolQuery *query, const PGresult *result)
{
	int			found = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : 0;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		log_warning("could not ask for signals of calls: %s", PQresultErrorMessage(result));
	metrics->signals_dropped += (uint64_t) (asked_count - found);
	for (int i = 0; i < found; i++)
		hub_call(PQgetvalue(result, i, COLUMN_TOLD), strtoll(PQgetvalue(result, i, COLUMN_SESSION), NULL, 10),
				 PQgetvalue(result, i, COLUMN_EVENT), PQgetvalue(result, i, COLUMN_DATA), (size_t) PQgetlength(result, i, COLUMN_DATA));
	under_way = false;
	queue_run();
}

/* The database cannot be asked. */
static void
on_calls_failure(PoolQuery *query, PoolFailure failure)
{
	metrics->signals_dropped += (uint64_t) (asked_count + queue_count);
	queue_count = 0;
	under_way = false;
}

/* Asks for all that wait. */
static void
queue_run(void)
{
	if (under_way || queue_count == 0)
		return;
	asked.length = 0;
	for (int i = 0; i < queue_count; i++)
	{
		buffer_append(&asked, i == 0 ? "{" : ",", 1);
		buffer_append_number(&asked, (uint64_t) queue[i]);
	}
	buffer_append(&asked, "}", 2);
	asked_count = queue_count;
	queue_count = 0;
	under_way = true;
	call_query = (PoolQuery)
	{
		.statement = STATEMENT_LIVE_CALL,.values =
		{
			asked.data
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
	if (queue_count == QUEUE_MAX)
		metrics->signals_dropped++;
	else
		queue[queue_count++] = n;
	queue_run();
}
