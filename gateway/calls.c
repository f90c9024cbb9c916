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
 * When the connection that listens is there again, it is asked what came after
 * the last number that was heard (roost.live_call_missed); what is heard of
 * these meanwhile or afterwards is not asked for again: the worker may not have
 * notified of it yet.  When it is there for the first time,
 * or nobody needed it before, the answer only says how far the numbers are: what
 * was said before anybody listened is told to nobody.
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
static int	asking_count;		/* -1: what was missed */
static Buffer asking;			/* an array of numbers */
static PoolQuery call_query;
static bool call_under_way;
static bool missed;				/* it is to be asked what was */
static int64_t heard;			/* the last number */
static bool known;				/* those after it are for somebody */
static bool beginning;			/* those that are asked for are not */
static int64_t missed_after;	/* of what was missed */
static int64_t delivered;		/* the last one of what was missed */

static void calls_run(void);

/* Lets go of numbers after one up to another that wait: they have been delivered. */
static void
calls_forget(int64_t after, int64_t last)
{
	int			kept = 0;

	for (int i = 0; i < waiting_count; i++)
		if (waiting[i] <= after || waiting[i] > last)
			waiting[kept++] = waiting[i];
	waiting_count = kept;
	heard = Max(heard, last);
	delivered = Max(delivered, last);
}

/* The database has said what the signals say. */
static void
on_calls(PoolQuery *query, const PGresult *result)
{
	int			found = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : 0;
	int64_t		last = 0;
	bool		old = asking_count < 0 && beginning;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		log_warning("could not ask for signals of calls: %s", PQresultErrorMessage(result));
	if (asking_count >= 0)
		metrics->signals_dropped += (uint64_t) (asking_count - found);
	for (int i = 0; i < found; i++)
	{
		last = strtoll(PQgetvalue(result, i, COLUMN_N), NULL, 10);
		if (old)
			continue;
		hub_call(PQgetvalue(result, i, COLUMN_TOLD), strtoll(PQgetvalue(result, i, COLUMN_SESSION), NULL, 10),
				 PQgetvalue(result, i, COLUMN_EVENT), PQgetvalue(result, i, COLUMN_DATA), (size_t) PQgetlength(result, i, COLUMN_DATA));
	}
	if (old)
	{
		heard = Max(heard, last);
		missed_after = Max(missed_after, last);
	}
	else if (asking_count < 0)
		calls_forget(missed_after, last);
	call_under_way = false;
	calls_run();
}

/* The database cannot be asking. */
static void
on_calls_failure(PoolQuery *query, PoolFailure failure)
{
	metrics->signals_dropped += (uint64_t) (Max(asking_count, 0) + waiting_count);
	waiting_count = 0;
	call_under_way = false;
}

/* Asks for what was missed, or for all that wait. */
static void
calls_run(void)
{
	if (call_under_way || (waiting_count == 0 && !missed))
		return;
	asking.length = 0;
	call_under_way = true;
	call_query = (PoolQuery)
	{
		.statement = missed ? STATEMENT_LIVE_CALL_MISSED : STATEMENT_LIVE_CALL,.on_result = on_calls,.on_failure = on_calls_failure
	};
	if (missed)
	{
		missed = false;
		beginning = !known;
		known = true;
		asking_count = -1;
		buffer_append_number(&asking, (uint64_t) missed_after);
		buffer_append(&asking, "", 1);
		call_query.values[0] = asking.data;
		pool_submit(LANE_FAST, &call_query);
		return;
	}
	for (int i = 0; i < waiting_count; i++)
	{
		buffer_append(&asking, i == 0 ? "{" : ",", 1);
		buffer_append_number(&asking, (uint64_t) waiting[i]);
	}
	buffer_append(&asking, "}", 2);
	asking_count = waiting_count;
	waiting_count = 0;
	call_query.values[0] = asking.data;
	pool_submit(LANE_FAST, &call_query);
}

/* A signal has come. */
void
calls_add(int64_t n)
{
	heard = Max(heard, n);
	if (!hub_has_messages() || n <= delivered)
		return;
	if (waiting_count == CALLS_MAX)
		metrics->signals_dropped++;
	else
		waiting[waiting_count++] = n;
	calls_run();
}

/* It listens; signals may have come that were not heard.  Of those that came while nobody wanted any nobody is told. */
void
calls_missed(bool first)
{
	if (first || !hub_has_messages())
		known = false;
	/* not asked yet for what was missed before: from there on */
	if (!missed)
		missed_after = heard;
	missed = true;
	calls_run();
}
