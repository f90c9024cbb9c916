/*-------------------------------------------------------------------------
 *
 * hub_server.h
 *		A loop, a log and a database for the hub, made here.
 *
 * Questions are answered by the log (hub_log.h), late, in another order, as
 * errors or never, by what it was when they were asked or is when they are
 * answered.  The clock only moves when a test moves it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HUB_SERVER_H
#define HUB_SERVER_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/config.h"
#include "gateway/doorbell.h"
#include "gateway/hub_internal.h"
#include "gateway/metrics.h"
#include "test/unit/hub_log.h"

#define FROM_MEMORY 256			/* as in catchup.c */

Config		config = {.slow_connections = 2};
static Metrics counters;
Metrics    *metrics = &counters;

static int	tests = 0;
static int	failed = 0;

static void
ok(bool passed, const char *name)
{
	tests++;
	failed += !passed;
	printf("%s %d - %s\n", passed ? "ok" : "not ok", tests, name);
}

/* Says why a walk has failed; only the first reasons are worth reading. */
static int	complaints;

/* Complains about what nobody here needs to know (hub.c). */
static void check_question(const PoolQuery *query);

static void
__attribute__((format(printf, 1, 2)))
complain(const char *format,...)
{
	va_list		args;

	if (complaints++ >= 10)
		return;
	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* ---- the loop ---- */

static double now;
static ev_timer *soon_timer;

ev_tstamp
ev_now(struct ev_loop *loop)
{
	return now;
}

ev_tstamp
ev_time(void)
{
	return now;
}

void
ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	timer->active = 1;
	soon_timer = timer;
}

void
ev_timer_stop(struct ev_loop *loop, ev_timer *timer)
{
	timer->active = 0;
}

/* ---- the doorbell ---- */

static DoorbellHandler rung;
static bool listening;

void
doorbell_on(const char *channel, DoorbellHandler handler)
{
	rung = handler;
}

void
doorbell_start(struct ev_loop *loop)
{
}

void
doorbell_stop(void)
{
}

bool
doorbell_is_up(void)
{
	return listening;
}

void
doorbell_need(bool needed)
{
	bool		before = listening;

	listening = needed;
	if (needed && !before)
		rung(NULL);
}

/* ---- answers ---- */

#define RESULT_ROWS 1000
#define RESULT_COLUMNS 18

struct pg_result
{
	bool		error;
	int			rows;
	int			columns;
	char	   *values[RESULT_ROWS][RESULT_COLUMNS];
};

ExecStatusType
PQresultStatus(const PGresult *result)
{
	return result->error ? PGRES_FATAL_ERROR : PGRES_TUPLES_OK;
}

char *
PQresultErrorMessage(const PGresult *result)
{
	return "made up";
}

int
PQntuples(const PGresult *result)
{
	return result->rows;
}

int
PQnfields(const PGresult *result)
{
	return result->columns;
}

char *
PQgetvalue(const PGresult *result, int row, int column)
{
	char	   *value = result->values[row][column];

	if (row >= result->rows || column >= result->columns)
		abort();
	return value ? value : "";
}

int
PQgetlength(const PGresult *result, int row, int column)
{
	return (int) strlen(PQgetvalue(result, row, column));
}

/* Sets a value of the row that is being made. */
static void
__attribute__((format(printf, 3, 4)))
set(PGresult *result, int column, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	if (vasprintf(&result->values[result->rows][column], format, args) < 0)
		abort();
	va_end(args);
}

/* Appends an id to a list. */
static void
list_id(char *list, size_t size, int id)
{
	size_t		length = strlen(list);

	if (id)
		snprintf(list + length, size - length, "%s%d", length ? " " : "", id);
}

/* Writes the accounts that are told of a row. */
static void
answer_told(PGresult *result, int column, const Event *event)
{
	char		told[64] = "";

	for (int account = 1; account <= ACCOUNTS; account++)
		if (event->told << 1 >> account & 1)
			list_id(told, sizeof(told), account);
	set(result, column, "%s", told);
}

/* Makes a row of stream_read; with the accounts of rooms, if they are wanted, and some data. */
static void
answer_row(PGresult *result, int64_t seq, bool rooms)
{
	const Event *event = &events[seq];
	char		mailed[64] = "";

	for (int account = 1; account <= ACCOUNTS; account++)
		if (event->mailed >> account & 1)
			list_id(mailed, sizeof(mailed), account);
	set(result, 0, "%lld", (long long) seq);
	set(result, 1, "%s", event->event ? event->event : "");
	set(result, 2, "%s", for_everyone(seq) ? "t" : "f");
	set(result, 3, "%s", event->everyone && !event->room ? "t" : "f");
	if (event->author)
		set(result, 4, "%d", event->author);
	set(result, 5, "%s", event->topics);
	if (event->account)
		set(result, 6, "%d", event->account);
	if (event->target)
		set(result, 7, "%d", event->target);
	set(result, 8, "%s", mailed);
	if (event->follower && !event->lost)
		set(result, 9, "%c %d %d", event->follows ? '+' : '-', event->follower, event->followee);
	if (event->filter)
		set(result, 10, "%d %d", event->filter, event->filtered);
	if (event->revoked)
		set(result, 11, "%lld", (long long) event->revoked);
	set(result, 13, "f");
	set(result, 14, "%s", event->lost ? "t" : "f");
	set(result, 15, "%s", event->room ? "t" : "f");
	if (event->room && event->event && rooms)
	{
		answer_told(result, 16, event);
		if (chance(700))
			set(result, 17, "{%lld}", (long long) seq);
	}
	else if (event->room && strcmp(event->topics, "notifications") == 0)
		answer_told(result, 16, event);
	result->rows++;
}

/* Reads the next number of an array. */
static bool
array_next(const char **array, int64_t *number)
{
	char	   *end;

	if (**array == '\0' || **array == '}')
		return false;
	*number = strtoll(*array + 1, &end, 10);
	*array = end;
	return end[-1] != '{';
}

/* Returns whether a list of channels has one. */
static bool
channels_have(const char *channels, const char *name)
{
	char		quoted[HUB_CHANNEL_SIZE + 2];

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	return strstr(channels, quoted) != NULL;
}

/* Returns whether one of the topics of a row is in a list of channels. */
static bool
topics_match(const char *topics, const char *channels)
{
	const char *word;
	size_t		length;

	while ((word = word_next(&topics, &length)) != NULL)
	{
		char		name[HUB_CHANNEL_SIZE];

		snprintf(name, sizeof(name), "%.*s", (int) length, word);
		if (channels_have(channels, name))
			return true;
	}
	return false;
}

/* Returns whether an account is told of a row of a room. */
static bool
is_told(const Event *event, int account)
{
	return account > 0 && event->room && (event->told << 1 >> account & 1);
}

/* Answers stream_resume. */
static void
answer_resume(PGresult *result, const PoolQuery *query)
{
	int			account = query->values[0] ? atoi(query->values[0]) : 0;
	int64_t		seq = atoll(query->values[2]);
	const char *channels = query->values[3];
	bool		more = false;
	bool		state[AUTHORS + 1][AUTHORS + 1];
	int64_t		changed;

	result->columns = 6;
	if (atoll(query->values[1]) != log_epoch || seq < log_first - 1 || seq > log_last)
	{
		set(result, 0, "%lld", (long long) log_last);
		set(result, 2, "reset");
		set(result, 5, "%lld", (long long) log_epoch);
		result->rows++;
		return;
	}
	memcpy(state, follows_now, sizeof(state));
	for (int64_t s = log_last; s > seq; s--)
		follows_change(state, &events[s], true);
	while (seq < log_last && !more)
	{
		const Event *event = &events[++seq];
		bool		home = account && channels_have(channels, "home") &&
		(event->account == account || (event->author && state[account][event->author]));
		bool		notifications = account && channels_have(channels, "notifications");
		bool		told = is_told(event, account);
		bool		messages = told && channels_have(channels, "messages");

		if (event->event && (!event->room || told) && (home || messages || topics_match(event->topics, channels) || (notifications && event->target == account && wants(seq, account))) &&
			(event->everyone || may_see(seq, account)) && !is_filtered(seq, account, &changed))
		{
			set(result, 0, "%lld", (long long) seq);
			set(result, 1, "0");
			set(result, 2, "%s", event->event);
			set(result, 3, "%s", home ? "t" : "f");
			set(result, 4, "%s%s", messages ? "messages " : "", event->topics);
			set(result, 5, "{%lld}", (long long) seq);
			result->rows++;
		}
		if (notifications && (event->mailed >> account & 1) && wants(seq, account))
		{
			set(result, 0, "%lld", (long long) seq);
			set(result, 1, "1");
			set(result, 2, "notification:new");
			set(result, 3, "f");
			set(result, 5, "{%lld}", (long long) seq);
			result->rows++;
		}
		more = result->rows >= 100;
		follows_change(state, event, false);
	}
	set(result, 0, "%lld", (long long) seq);
	set(result, 1, "%d", more);
	result->rows++;
}

/* Answers a question about pairs. */
static void
answer_pairs(PGresult *result, const PoolQuery *query)
{
	const char *seqs = query->values[0];
	const char *accounts = query->values[1];
	int64_t		seq;
	int64_t		account = 0;
	int64_t		changed;

	result->columns = query->statement == STATEMENT_STREAM_SEE ? 2 : query->statement == STATEMENT_STREAM_DATA ? 5 : 3;
	while (array_next(&seqs, &seq) && (query->statement == STATEMENT_STREAM_DATA || array_next(&accounts, &account)))
	{
		if (query->statement == STATEMENT_STREAM_SEE ? is_filtered(seq, account, &changed) || !(events[seq].everyone || may_see(seq, account)) :
			query->statement == STATEMENT_STREAM_NOTIFY && !wants(seq, account))
			continue;
		set(result, 0, "%lld", (long long) seq);
		if (query->statement == STATEMENT_STREAM_DATA)
		{
			set(result, 1, "{%lld}", (long long) seq);
			set(result, 2, "%s", for_everyone(seq) ? "t" : "f");
			set(result, 3, "%s", events[seq].everyone && !events[seq].room ? "t" : "f");
			if (events[seq].room)
				answer_told(result, 4, &events[seq]);
		}
		else
			set(result, 1, "%lld", (long long) account);
		if (query->statement == STATEMENT_STREAM_NOTIFY)
			set(result, 2, "{%lld}", (long long) seq);
		result->rows++;
	}
}

/* Answers stream_check: a session is revoked if a row says so. */
static void
answer_check(PGresult *result, const PoolQuery *query)
{
	const char *sessions = query->values[0];
	int64_t		session;

	result->columns = 1;
	while (array_next(&sessions, &session))
		for (int64_t seq = log_first; seq <= log_last; seq++)
			if (events[seq].revoked == session)
			{
				set(result, 0, "%lld", (long long) session);
				result->rows++;
				break;
			}
}

/* Answers stream_filters: those who have muted words. */
static void
answer_filters(PGresult *result, const PoolQuery *query)
{
	const char *accounts = query->values[0];
	int64_t		account;

	result->columns = 1;
	while (array_next(&accounts, &account))
		if (account <= ACCOUNTS && words_now[account])
		{
			set(result, 0, "%lld", (long long) account);
			result->rows++;
		}
}

/* Answers any question by the log as it is now. */
static PGresult *
answer(const PoolQuery *query)
{
	PGresult   *result = memory_new(sizeof(PGresult));
	char		followees[256] = "";

	switch (query->statement)
	{
		case STATEMENT_STREAM_POSITION:
			result->columns = 3;
			set(result, 0, "%lld", (long long) log_epoch);
			set(result, 1, "%lld", (long long) log_first);
			set(result, 2, "%lld", (long long) log_last);
			result->rows = 1;
			break;
		case STATEMENT_STREAM_READ:
			result->columns = RESULT_COLUMNS;
			for (int64_t seq = Max(atoll(query->values[0]) + 1, log_first); seq <= log_last && result->rows < 64; seq++)
				answer_row(result, seq, *query->values[2] == 't');
			break;
		case STATEMENT_STREAM_HOME:
			result->columns = 2;
			for (int other = 1; other <= AUTHORS; other++)
				if (atoi(query->values[0]) <= AUTHORS && follows_now[atoi(query->values[0])][other])
					list_id(followees, sizeof(followees), other);
			set(result, 0, "%lld", (long long) log_last);
			set(result, 1, "%s", followees);
			result->rows = 1;
			break;
		case STATEMENT_STREAM_RESUME:
			answer_resume(result, query);
			break;
		case STATEMENT_STREAM_FILTERS:
			answer_filters(result, query);
			break;
		case STATEMENT_STREAM_CHECK:
			answer_check(result, query);
			break;
		default:
			answer_pairs(result, query);
	}
	return result;
}

/* Lets go of an answer. */
static void
answer_free(PGresult *result)
{
	for (int row = 0; result && row < result->rows; row++)
		for (int column = 0; column < RESULT_COLUMNS; column++)
			free(result->values[row][column]);
	free(result);
}

/* ---- the pool ---- */

typedef struct Asked
{
	PoolQuery  *query;
	PGresult   *result;			/* made when it was asked, or NULL */
} Asked;

static Asked asked[256];
static int	asked_count;
static unsigned trouble;		/* of a thousand questions, how many go wrong */

bool
pool_is_up(LaneKind lane)
{
	return true;
}

void
pool_submit(LaneKind lane, PoolQuery *query)
{
	if (chance(trouble / 4))
	{
		query->on_failure(query, POOL_DOWN);
		return;
	}
	if (asked_count == lengthof(asked))
		abort();
	check_question(query);
	asked[asked_count++] = (Asked) {query, chance(500) ? answer(query) : NULL};
}

bool
pool_cancel(PoolQuery *query)
{
	if (chance(500))
		return false;
	for (int i = 0; i < asked_count; i++)
		if (asked[i].query == query)
		{
			answer_free(asked[i].result);
			asked[i] = asked[--asked_count];
			return true;
		}
	return false;
}

/*
 * The hub has been told whom an account follows.  If that is newer than the
 * rows that it delivers, or gives from memory, those go by the newer home: who
 * begins while the hub is behind does not get what it does not follow any more.
 */
static void
home_told(int account_id, int64_t seq)
{
	const HubAccount *account = account_find(account_id);

	if (account == NULL || account_id > ACCOUNTS || account->home != HOME_READY || account->home_seq != seq)
		return;
	for (int64_t s = Max(hub.position - FROM_MEMORY, 0) + 1; s <= seq; s++)
		home_reached[account_id][s] = Max(home_reached[account_id][s], seq);
}

/* Lets one question be answered. */
static void
pool_step(void)
{
	int			i = (int) pick((unsigned) asked_count);
	Asked		one = asked[i];

	/* what accounts follow comes late, when the hub is further already */
	if (one.query->statement == STATEMENT_STREAM_HOME && one.result && chance(800))
		return;
	asked[i] = asked[--asked_count];
	if (chance(trouble))
		one.query->on_failure(one.query, POOL_LOST);
	else
	{
		PGresult   *result = one.result ? one.result : answer(one.query);
		int			home;

		if (chance(trouble / 4))
			result->error = true;
		one.result = NULL;
		home = one.query->statement == STATEMENT_STREAM_HOME && !result->error ? atoi(one.query->values[0]) : 0;
		one.query->on_result(one.query, result);
		if (home)
			home_told(home, atoll(result->values[0][0]));
		answer_free(result);
	}
	answer_free(one.result);
}

#endif							/* HUB_SERVER_H */
