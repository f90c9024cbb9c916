/*-------------------------------------------------------------------------
 *
 * hub_session.c
 *		Sessions that are revoked while they have streams.
 *
 * A row of the log says it at once.  What may have been missed (rows that were
 * lost, a log that does not go on, a session that was revoked while its stream
 * was being opened) is asked for: all sessions every CHECK_EVERY seconds, and
 * sooner when there is a reason.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub_internal.h"
#include "log.h"
#include "metrics.h"

#define CHECK_EVERY 60.0
#define CHUNK 1000
#define RECENT 256				/* revocations; what is older is asked for in
								 * time */

static int64_t recent[RECENT];
static unsigned recent_count;
static double check_at;
static int64_t *to_check;		/* pairs of session and account */
static int	to_check_count;
static PoolQuery query;
static bool asking;
static Buffer sessions;
static Buffer accounts;

/* Tells an owner. */
static void
revoked_call(Subscriber *subscriber)
{
	metrics->hub_revoked++;
	subscriber->kind->revoked(subscriber);
}

/* Returns whether a subscriber is of a session or account that is in an ascending list. */
static bool
is_revoked(const Subscriber *subscriber, const int64_t *ids, int count)
{
	return subscriber->account_id != 0 &&
		(bsearch(&subscriber->session_id, ids, (size_t) count, sizeof(int64_t), id_compare) ||
		 bsearch(&subscriber->account_id, ids, (size_t) count, sizeof(int64_t), id_compare));
}

/* Ends all subscribers of sessions and accounts. */
static void
revoke_all(int64_t *ids, int count)
{
	ListNode   *head = &hub.everybody.head;

	qsort(ids, (size_t) count, sizeof(int64_t), id_compare);
	for (ListNode *node = head->next; node != head; node = node->next)
		if (is_revoked(container_of(node, Subscriber, node), ids, count))
			turn_add(container_of(node, Subscriber, node));
	turn_call(revoked_call);
}

/* Sessions or accounts have been revoked. */
void
session_revoke(int64_t *ids, int count)
{
	for (int i = 0; i < count; i++)
		recent[recent_count++ % RECENT] = ids[i];
	revoke_all(ids, count);
}

/* A subscriber enters with a session, which was good a moment ago. */
void
session_enter(const Subscriber *subscriber)
{
	for (int i = 0; i < RECENT && subscriber->account_id; i++)
		if (recent[i] == subscriber->account_id || recent[i] == subscriber->session_id)
			session_check();
}

/* Asks about all sessions soon. */
void
session_check(void)
{
	check_at = 0;
	hub_soon();
}

/* Notes all sessions. */
static void
check_begin(void)
{
	ListNode   *head = &hub.everybody.head;

	check_at = ev_now(hub.loop) + CHECK_EVERY;
	to_check_count = 0;
	to_check = memory_resize(to_check, sizeof(int64_t) * 2 * (size_t) Max(hub.everybody.count, 1));
	for (ListNode *node = head->next; node != head; node = node->next)
	{
		const Subscriber *subscriber = container_of(node, Subscriber, node);

		if (subscriber->session_id == 0)
			continue;
		to_check[2 * to_check_count] = subscriber->session_id;
		to_check[2 * to_check_count++ + 1] = subscriber->account_id;
	}
}

/* The database has answered. */
static void
on_check(PoolQuery *asked, const PGresult *result)
{
	int64_t		ids[CHUNK];
	int			count = Min(PQntuples(result), CHUNK);

	asking = false;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		log_error("could not ask about sessions: %s", PQresultErrorMessage(result));
		return;
	}
	for (int i = 0; i < count; i++)
		ids[i] = strtoll(PQgetvalue(result, i, 0), NULL, 10);
	if (count > 0)
		revoke_all(ids, count);
	hub_soon();
}

/* The database cannot be reached: they are asked for again in a second. */
static void
on_check_failure(PoolQuery *asked, PoolFailure failure)
{
	asking = false;
	to_check_count = 0;
	check_at = ev_now(hub.loop) + 1;
}

/* Asks about the next sessions. */
void
session_run(void)
{
	if (asking || hub.epoch == 0)
		return;
	if (to_check_count == 0 && ev_now(hub.loop) >= check_at)
		check_begin();
	if (to_check_count == 0)
		return;
	sessions.length = accounts.length = 0;
	for (int n = 0; n < CHUNK && to_check_count > 0; n++)
	{
		to_check_count--;
		buffer_append(&sessions, n ? "," : "{", 1);
		buffer_append_number(&sessions, (uint64_t) to_check[2 * to_check_count]);
		buffer_append(&accounts, n ? "," : "{", 1);
		buffer_append_number(&accounts, (uint64_t) to_check[2 * to_check_count + 1]);
	}
	buffer_append(&sessions, "}", 2);
	buffer_append(&accounts, "}", 2);
	query = (PoolQuery)
	{
		.statement = STATEMENT_STREAM_CHECK,.values =
		{
			sessions.data, accounts.data
		},
			.on_result = on_check,.on_failure = on_check_failure
	};
	asking = true;
	metrics->hub_questions++;
	pool_submit(LANE_FAST, &query);
}
