/*-------------------------------------------------------------------------
 *
 * hub_filter.c
 *		Which of the accounts that are here must be asked about everything.
 *
 * What everybody may see is delivered without a question, except to accounts
 * that have muted words: only the database knows whether they are in a post.
 * Of every account here it is asked once whether it has any, many at a time;
 * until that is known, it counts as one that has.  A row of the log says when
 * what an account filters has changed.  As soon as it has been read, what is
 * known of the account is void and asked for again; the answer to a question
 * that was asked before is not taken.
 *
 * Whom an account blocks or mutes is not kept here: the database does not call
 * what such an author does for everyone.  But rows that are in memory may have
 * been for everyone before, so each account remembers the last row that says
 * that a filter between it and others has changed; for what was read before it
 * came, that is the end of the batch of that time.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "hub_internal.h"
#include "log.h"
#include "metrics.h"

#define CHUNK 1000				/* accounts in a question */

static List waiting;			/* HubAccount.filter_node, to be asked about */
static List asked;				/* the question that is under way is about
								 * these */
static bool asking;
static PoolQuery query;
static Buffer ids;
static int	filtering;			/* accounts that are not known to filter
								 * nothing */
static int	failures;
static double not_before;

/* An account is to be asked about. */
static void
filter_wait(HubAccount *account)
{
	account->filter = FILTER_WAITING;
	list_append(&waiting, &account->filter_node);
	hub_soon();
}

/* Takes an account out of the list in which it is. */
static void
filter_take_out(HubAccount *account)
{
	if (account->filter == FILTER_WAITING)
		list_remove(&waiting, &account->filter_node);
	else if (account->filter == FILTER_ASKED)
		list_remove(&asked, &account->filter_node);
	filtering -= account->filter != FILTER_NONE;
}

/* An account has come. */
void
filter_enter(HubAccount *account)
{
	account->filter_seq = hub.front;
	filtering++;
	filter_wait(account);
}

/* An account has gone. */
void
filter_leave(HubAccount *account)
{
	filter_take_out(account);
}

/* What is known of an account is void. */
static void
filter_forget(HubAccount *account)
{
	if (account->filter == FILTER_WAITING)
		return;
	filter_take_out(account);
	filtering++;
	filter_wait(account);
}

/* The same, of one of all: anything may have changed up to the last row that was read. */
static void
filter_forget_one(HubAccount *account)
{
	account->filter_seq = rows_last();
	filter_forget(account);
}

/* Forgets everything. */
void
filter_forget_all(void)
{
	account_each(filter_forget_one);
}

/* A row has been read. */
void
filter_note(const HubRow *row)
{
	const char *list = row->filter;
	HubAccount *account;
	int64_t		id;

	if (row->lost)
		filter_forget_all();
	for (bool first = true; id_next(&list, &id); first = false)
	{
		account = account_find(id);
		if (account == NULL)
			continue;
		account->filter_seq = row->seq;
		if (first)
			filter_forget(account);
	}
}

/* Returns whether an account must be asked also about what is for everyone. */
bool
filter_asks(const HubAccount *account)
{
	return account->filter != FILTER_NONE;
}

/* Returns whether there is such an account. */
bool
filter_any(void)
{
	return filtering > 0;
}

/* The question is over: those of whom nothing is known now wait again. */
static void
asked_clear(void)
{
	asking = false;
	while (asked.count > 0)
	{
		HubAccount *account = container_of(list_first(&asked), HubAccount, filter_node);

		list_remove(&asked, &account->filter_node);
		filter_wait(account);
	}
}

/* The database has answered: these have muted words. */
static void
on_filters(PoolQuery *answered, const PGresult *result)
{
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		log_error("could not ask which accounts have muted words: %s", PQresultErrorMessage(result));
		not_before = ev_now(hub.loop) + hub_retry_pause(failures++);
		asked_clear();
		return;
	}
	failures = 0;
	for (int i = 0; i < PQntuples(result); i++)
	{
		HubAccount *account = account_find(strtoll(PQgetvalue(result, i, 0), NULL, 10));

		if (account == NULL || account->filter != FILTER_ASKED)
			continue;
		list_remove(&asked, &account->filter_node);
		account->filter = FILTER_SOME;
	}
	while (asked.count > 0)
	{
		HubAccount *account = container_of(list_first(&asked), HubAccount, filter_node);

		list_remove(&asked, &account->filter_node);
		account->filter = FILTER_NONE;
		filtering--;
	}
	asking = false;
	hub_soon();
}

/* The database cannot be reached. */
static void
on_filters_failure(PoolQuery *answered, PoolFailure failure)
{
	not_before = ev_now(hub.loop) + hub_retry_pause(failures++);
	asked_clear();
}

/* Asks about accounts that wait. */
void
filter_run(void)
{
	if (asking || waiting.count == 0 || hub.epoch == 0 || ev_now(hub.loop) < not_before)
		return;
	ids.length = 0;
	for (int n = 0; n < CHUNK && waiting.count > 0; n++)
	{
		HubAccount *account = container_of(list_first(&waiting), HubAccount, filter_node);

		list_remove(&waiting, &account->filter_node);
		account->filter = FILTER_ASKED;
		list_append(&asked, &account->filter_node);
		buffer_append(&ids, n ? "," : "{", 1);
		buffer_append_number(&ids, (uint64_t) account->id);
	}
	buffer_append(&ids, "}", 2);
	query = (PoolQuery)
	{
		.statement = STATEMENT_STREAM_FILTERS,.values =
		{
			ids.data
		},.on_result = on_filters,.on_failure = on_filters_failure
	};
	asking = true;
	metrics->hub_questions++;
	pool_submit(LANE_FAST, &query);
}

/* Begins with nothing. */
void
filter_start(void)
{
	list_init(&waiting);
	list_init(&asked);
}
