/*
 * hub.c
 *		The hub against a log and a database that are made here.
 *
 * Random walks: rows are logged, clients come, go, resume, take channels and
 * lose them, the doorbell is missed, answers come late, in another order, as
 * errors or never, the log begins anew.  At the end of a walk every client
 * must have what its channels say, in order and once, since it has been told
 * to begin.
 */
/* links: gateway/log.c gateway/util.c gateway/map.c gateway/hub.c gateway/hub_batch.c gateway/hub_channel.c gateway/hub_client.c gateway/hub_deliver.c gateway/hub_home.c gateway/hub_row.c gateway/hub_session.c gateway/hub_signal.c gateway/hub_topic.c gateway/catchup.c */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/config.h"
#include "gateway/doorbell.h"
#include "gateway/hub_internal.h"
#include "gateway/metrics.h"

#define ACCOUNTS 6				/* of clients, numbered from 1 */
#define AUTHORS 40				/* they and others */
#define CLIENTS 12
#define LOG_SIZE 40000
#define MAX_CHANNELS 5

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

static unsigned long random_state;

/* Returns a number below a limit. */
static unsigned
pick(unsigned limit)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (unsigned) (random_state >> 33) % limit;
}

/* Returns true so many times of a thousand. */
static bool
chance(unsigned permille)
{
	return pick(1000) < permille;
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

/* ---- the log ---- */

typedef struct Event
{
	const char *event;			/* NULL: nothing */
	bool		everyone;
	int			author;			/* home_id; 0: none */
	int			account;		/* account_ids; 0: none */
	int			target;			/* target_ids; 0: none */
	int			mailed;			/* bit n: notify has account n */
	char		topics[96];
	int			follower;		/* 0: none */
	int			followee;
	bool		follows;
	int64_t		revoked;
	bool		lost;			/* the follow has been lost */
} Event;

static Event events[LOG_SIZE];
static int64_t log_epoch;
static int64_t log_first;
static int64_t log_last;
static bool follows_now[AUTHORS + 1][AUTHORS + 1];
static int64_t next_session;
static unsigned follows;		/* of a thousand rows */
static unsigned breaks;			/* of a thousand steps */
static int64_t behind;			/* rows; so far the hub may be behind the
								 * database, whose homes are newer than the
								 * rows that are delivered */

/* Returns whether an account may see a row that is not for everyone. */
static bool
may_see(int64_t seq, int64_t account)
{
	return account > 0 && (seq * 7 + account * 3) % 5 < 3;
}

/* Returns whether an account wants an entry. */
static bool
wants(int64_t seq, int64_t account)
{
	return (seq + account) % 3 != 0;
}

/* Logs a row. */
static void
log_row(void)
{
	Event	   *event = &events[++log_last];
	int			author = 1 + (int) pick(chance(500) ? ACCOUNTS : AUTHORS);

	if (log_last >= LOG_SIZE)
		abort();
	memset(event, 0, sizeof(*event));
	if (chance(follows))
	{
		event->follower = author;
		event->followee = 1 + (int) pick(AUTHORS);
		event->follows = !follows_now[event->follower][event->followee];
		follows_now[event->follower][event->followee] = event->follows;
		event->lost = chance(50);
		if (event->lost)
			return;
		event->event = chance(700) ? "user:followed" : NULL;
		event->everyone = true;
		event->account = author;
		event->target = event->followee;
	}
	else if (chance(50))
		return;
	else
	{
		event->event = chance(800) ? "tweet:new" : "tweet:liked";
		event->everyone = chance(700);
		event->author = chance(800) ? author : 0;
		event->account = author;
		event->target = chance(200) ? 1 + (int) pick(ACCOUNTS) : 0;
		snprintf(event->topics, sizeof(event->topics), "user:%d post:%u%s%s", author, pick(5) + 1, chance(300) ? " hashtag:x" : "",
				 event->everyone ? " public" : "");
	}
	if (chance(300))
		event->mailed = (int) pick(1 << ACCOUNTS) << 1;
}

/* Takes a row back from what is known of follows, or applies it. */
static void
follows_change(bool state[AUTHORS + 1][AUTHORS + 1], const Event *event, bool back)
{
	if (event->follower)
		state[event->follower][event->followee] = event->follows != back;
}

/* ---- answers ---- */

#define RESULT_ROWS 1000
#define RESULT_COLUMNS 13

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

/* Makes a row of stream_read. */
static void
answer_row(PGresult *result, int64_t seq)
{
	const Event *event = &events[seq];
	char		mailed[64] = "";

	for (int account = 1; account <= ACCOUNTS; account++)
		if (event->mailed >> account & 1)
			list_id(mailed, sizeof(mailed), account);
	set(result, 0, "%lld", (long long) seq);
	set(result, 1, "%s", event->event ? event->event : "");
	set(result, 2, "%s", event->everyone ? "t" : "f");
	if (event->author)
		set(result, 3, "%d", event->author);
	set(result, 4, "%s", event->topics);
	if (event->account)
		set(result, 5, "%d", event->account);
	if (event->target)
		set(result, 6, "%d", event->target);
	set(result, 7, "%s", mailed);
	if (event->follower && !event->lost)
		set(result, 8, "%c %d %d", event->follows ? '+' : '-', event->follower, event->followee);
	if (event->revoked)
		set(result, 9, "%lld", (long long) event->revoked);
	set(result, 11, "f");
	set(result, 12, "%s", event->lost ? "t" : "f");
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

/* Answers stream_resume. */
static void
answer_resume(PGresult *result, const PoolQuery *query)
{
	int			account = query->values[0] ? atoi(query->values[0]) : 0;
	int64_t		seq = atoll(query->values[2]);
	const char *channels = query->values[3];
	bool		more = false;
	bool		state[AUTHORS + 1][AUTHORS + 1];

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

		if (event->event && (home || topics_match(event->topics, channels) || (notifications && event->target == account)) &&
			(event->everyone || may_see(seq, account)))
		{
			set(result, 0, "%lld", (long long) seq);
			set(result, 1, "0");
			set(result, 2, "%s", event->event);
			set(result, 3, "%s", home ? "t" : "f");
			set(result, 4, "%s", event->topics);
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

	result->columns = query->statement == STATEMENT_STREAM_NOTIFY ? 3 : 2;
	while (array_next(&seqs, &seq) && (query->statement == STATEMENT_STREAM_DATA || array_next(&accounts, &account)))
	{
		if (query->statement == STATEMENT_STREAM_SEE ? !may_see(seq, account) :
			query->statement == STATEMENT_STREAM_NOTIFY && !wants(seq, account))
			continue;
		set(result, 0, "%lld", (long long) seq);
		if (query->statement == STATEMENT_STREAM_DATA)
			set(result, 1, "{%lld}", (long long) seq);
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
				answer_row(result, seq);
			break;
		case STATEMENT_STREAM_HOME:
			result->columns = 2;
			for (int other = 1; other <= AUTHORS; other++)
				if (follows_now[atoi(query->values[0])][other])
					list_id(followees, sizeof(followees), other);
			set(result, 0, "%lld", (long long) log_last);
			set(result, 1, "%s", followees);
			result->rows = 1;
			break;
		case STATEMENT_STREAM_RESUME:
			answer_resume(result, query);
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

		if (chance(trouble / 4))
			result->error = true;
		one.result = NULL;
		one.query->on_result(one.query, result);
		answer_free(result);
	}
	answer_free(one.result);
}

/* ---- clients ---- */

typedef struct Client
{
	Subscriber	subscriber;
	bool		here;
	bool		known;			/* has been here, and may come back */
	bool		waits;			/* for begun or resumed */
	int			account;
	int			channel_count;
	char		channels[MAX_CHANNELS][HUB_CHANNEL_SIZE];
	int64_t		starts[MAX_CHANNELS];	/* -1: not known yet */
	Cursor		cursor;
	unsigned char got[LOG_SIZE];	/* bit 0: part 0, bit 1: part 1, bit 2: in
									 * home */
	int64_t		newest;			/* seq * 2 + part, in this stream */
} Client;

static Client clients[CLIENTS];

static Client *
client_of(Subscriber *subscriber)
{
	return container_of(subscriber, Client, subscriber);
}

/* Leaves, and keeps the cursor. */
static void
client_leave(Client *client)
{
	if (!client->here)
		return;
	client->here = false;
	hub_leave(&client->subscriber);
	memset(&client->subscriber, 0xee, sizeof(client->subscriber));
}

/* What clients do when something comes. */
static void
client_whim(void)
{
	if (chance(5))
		client_leave(&clients[pick(CLIENTS)]);
}

static void
on_render(const HubBatch *batch, uint64_t mask, uint64_t home, Buffer *into)
{
	buffer_printf(into, "%lld %lld %d\n", (long long) batch->cursor.epoch, (long long) batch->cursor.seq, __builtin_popcountll(mask));
	for (int i = 0; i < batch->count; i++)
		if (mask >> i & 1)
			buffer_printf(into, "%lld %d %d %s %.*s %.*s\n", (long long) batch->items[i].seq, batch->items[i].part,
						  (int) (home >> i & 1), batch->items[i].event,
						  (int) batch->items[i].channels_length, batch->items[i].channels_length ? batch->items[i].channels : "",
						  (int) batch->items[i].data_length, batch->items[i].data);
}

static void
on_send(Subscriber *subscriber, HubFrame *frame)
{
	Client	   *client = client_of(subscriber);
	char	   *text = strndup(frame->data, frame->length);
	char	   *line = text;
	long long	epoch;
	long long	cursor;
	int			count;

	if (sscanf(text, "%lld %lld %d", &epoch, &cursor, &count) != 3 || count != frame->events)
		abort();
	if (client->waits)
		complain("client %d got events before it was told to begin", (int) (client - clients));
	for (int i = 0; i < count; i++)
	{
		long long	seq;
		int			part;
		int			home;

		line = strchr(line, '\n') + 1;
		if (sscanf(line, "%lld %d %d", &seq, &part, &home) != 3)
			abort();
		if (seq * 2 + part <= client->newest)
			complain("client %d got %lld.%d after %lld.%lld", (int) (client - clients), seq, part,
					 (long long) client->newest / 2, (long long) client->newest % 2);
		if (seq > cursor + 1)
			complain("client %d got %lld with cursor %lld", (int) (client - clients), seq, cursor);
		client->newest = seq * 2 + part;
		client->got[seq] |= (unsigned char) (1 << part | home << 2);
	}
	client->cursor = (Cursor) {epoch, cursor};
	free(text);
	client_whim();
}

static void
on_render_signal(const char *event, const char *data, size_t length, Buffer *into)
{
}

/* Everything begins anew from a cursor. */
static void
client_restart(Client *client, Cursor cursor)
{
	client->cursor = cursor;
	memset(client->got, 0, sizeof(client->got));
	client->newest = cursor.seq * 2 + 1;
	for (int i = 0; i < client->channel_count; i++)
		client->starts[i] = cursor.seq;
}

static void
on_begun(Subscriber *subscriber, Cursor cursor)
{
	Client	   *client = client_of(subscriber);

	if (!client->waits)
		complain("a client that knew it was told to begin");
	client->waits = false;
	client_restart(client, cursor);
	client_whim();
}

static void
on_resumed(Subscriber *subscriber, bool recovered, Cursor cursor)
{
	Client	   *client = client_of(subscriber);

	if (!client->waits)
		complain("a client was told twice that it resumes");
	client->waits = false;
	if (!recovered)
		client_restart(client, cursor);
	else if (cursor.epoch != client->cursor.epoch || cursor.seq != client->cursor.seq)
		complain("a client resumes from another cursor");
	client_whim();
}

static void
on_reset(Subscriber *subscriber, Cursor cursor)
{
	client_of(subscriber)->waits = false;
	client_restart(client_of(subscriber), cursor);
	client_whim();
}

static void
on_revoked(Subscriber *subscriber)
{
	client_leave(client_of(subscriber));
}

static void
on_failed(Subscriber *subscriber)
{
	client_leave(client_of(subscriber));
}

static const SubscriberKind kinds[2] = {
	{HUB_WEBSOCKET, on_render, on_send, on_render_signal, on_begun, on_resumed, on_reset, on_revoked, on_failed},
	{HUB_LONG_POLL, on_render, on_send, on_render_signal, on_begun, on_resumed, on_reset, on_revoked, on_failed},
};

/* Chooses a channel that a client does not have. */
static void
client_choose(Client *client)
{
	static const char *const names[] = {"home", "notifications", "public", "hashtag:x", "user:1", "user:2", "user:3", "post:1", "post:2", "presence"};
	const char *name;

	for (int i = 0; i < 20 && client->channel_count < MAX_CHANNELS; i++)
	{
		bool		has = false;

		name = names[pick(lengthof(names))];
		for (int c = 0; c < client->channel_count; c++)
			has |= strcmp(client->channels[c], name) == 0;
		if (has || (client->account == 0 && (*name == 'h' || *name == 'n' || strcmp(name, "presence") == 0) && name[4] != 't'))
			continue;
		strcpy(client->channels[client->channel_count], name);
		client->starts[client->channel_count++] = -1;
		return;
	}
}

/* Enters a client that is not here. */
static void
client_enter(Client *client)
{
	client->subscriber.kind = &kinds[pick(2)];
	client->subscriber.account_id = client->account;
	client->subscriber.session_id = client->account ? ++next_session : 0;
	hub_enter(&client->subscriber);
	client->here = true;
}

/* Subscribes to the channels from one on. */
static void
client_subscribe(Client *client, int from)
{
	const char *names[MAX_CHANNELS];
	Cursor		cursor;

	for (int i = from; i < client->channel_count; i++)
		names[i - from] = client->channels[i];
	if (hub_subscribe(&client->subscriber, names, client->channel_count - from, &cursor) != HUB_OK)
		complain("could not subscribe");
	if (cursor.epoch == 0)
		client->waits = true;
	else if (from == 0)
	{
		client_restart(client, cursor);
		client->newest = 0;
	}
	for (int i = from; i < client->channel_count; i++)
		client->starts[i] = cursor.epoch ? cursor.seq : -1;
}

/* A client that is not here comes, with new channels or to resume. */
static void
client_come(Client *client)
{
	const char *names[MAX_CHANNELS];

	if (client->known && chance(800))
	{
		client_enter(client);
		for (int i = 0; i < client->channel_count; i++)
			names[i] = client->channels[i];
		client->waits = true;
		client->newest = 0;
		if (hub_resume(&client->subscriber, names, client->channel_count, client->cursor) != HUB_OK)
			complain("could not resume");
		return;
	}
	client->known = true;
	client->waits = false;
	client->account = chance(800) ? 1 + (int) pick(ACCOUNTS) : 0;
	client->channel_count = 0;
	client->cursor = (Cursor) {0, 0};
	do
		client_choose(client);
	while (client->channel_count == 0 || chance(500));
	client_enter(client);
	client_subscribe(client, 0);
}

/* A client that is here does something. */
static void
client_act(Client *client)
{
	int			count = client->channel_count;
	const char *name = client->channels[0];

	if (chance(400))
		client_leave(client);
	else if (chance(500) && !client->waits)
	{
		client_choose(client);
		if (client->channel_count > count)
			client_subscribe(client, count);
	}
	else if (count > 1)
	{
		hub_unsubscribe(&client->subscriber, &name, 1);
		memmove(client->channels[0], client->channels[1], sizeof(client->channels[0]) * (size_t) (count - 1));
		memmove(&client->starts[0], &client->starts[1], sizeof(client->starts[0]) * (size_t) (count - 1));
		client->channel_count--;
		/* what came by that channel alone is nobody's business any more */
		for (int i = 0; i < client->channel_count; i++)
			if (client->starts[i] >= 0)
				client->starts[i] = Max(client->starts[i], log_last);
	}
	else if (client->account && chance(300))
	{
		events[++log_last] = (Event) {.revoked = client->subscriber.session_id};
	}
}

/* ---- walks ---- */

/* The log goes on without its end, or without its beginning. */
static void
log_break(void)
{
	int64_t		most = pick(300);

	if (chance(500))
	{
		/* follows are undone like the rows that say so */
		for (int64_t lost = Min(most / 10, log_last - log_first); lost > 0; lost--)
		{
			follows_change(follows_now, &events[log_last--], true);
		}
		log_epoch++;
		for (int i = (int) pick(20); i > 0; i--)
			log_row();
	}
	else
		log_first = Max(log_first, log_last - most);
}

/* Rings, or forgets to. */
static void
ring(int64_t from)
{
	char		payload[128];

	if (!listening || chance(200))
		return;
	snprintf(payload, sizeof(payload), "{\"epoch\":\"%lld\",\"from\":%lld,\"to\":%lld}", (long long) log_epoch, (long long) from, (long long) log_last);
	rung(payload);
}

/* Does one thing. */
static void
step(bool quiet)
{
	Client	   *client = &clients[pick(CLIENTS)];

	now += pick(20) / 1000.0;
	if (soon_timer && soon_timer->active && chance(800))
	{
		soon_timer->active = 0;
		soon_timer->cb(NULL, soon_timer, 0);
	}
	if (asked_count > 0 && chance(700))
		pool_step();
	if (chance(100))
		hub_tick();
	if (quiet)
		return;
	if (chance(300))
	{
		int64_t		from = log_last + 1;

		for (int i = chance(20) ? 300 : (int) pick(5); i >= 0; i--)
			log_row();
		ring(from);
	}
	if (chance(100))
	{
		if (client->here)
			client_act(client);
		else
			client_come(client);
	}
	if (chance(breaks))
		log_break();
}

/*
 * Says what a client must have of a row: bits as in got; open: those that may
 * be either way.  follows: whether the account followed the author then;
 * changed: whether that changed soon after.
 */
static int
expected(const Client *client, int64_t seq, bool follows, bool changed, int *open)
{
	const Event *event = &events[seq];
	int			account = client->account;
	bool		must = false;
	bool		may = false;
	bool		home = false;
	bool		home_may = false;
	int			bits = 0;

	*open = 0;
	for (int i = 0; i < client->channel_count; i++)
	{
		const char *channel = client->channels[i];
		bool		mine = seq > client->starts[i];

		if (strcmp(channel, "home") == 0)
		{
			home = mine && (event->account == account || (follows && !changed));
			home_may = event->account == account || follows || changed;
			must |= home;
			may |= home_may;
		}
		else if (strcmp(channel, "notifications") == 0)
		{
			must |= mine && event->target == account;
			may |= event->target == account;
			if ((event->mailed >> account & 1) && wants(seq, account))
			{
				bits |= mine ? 2 : 0;
				*open |= mine ? 0 : 2;
			}
		}
		else
		{
			char		quoted[HUB_CHANNEL_SIZE + 2];

			snprintf(quoted, sizeof(quoted), "\"%s\"", channel);
			must |= mine && topics_match(event->topics, quoted);
			may |= topics_match(event->topics, quoted);
		}
	}
	if (event->event == NULL || (!event->everyone && !may_see(seq, account)))
		return bits;
	*open |= (may && !must ? 1 : 0) | (home_may && !home ? 4 : 0);
	return bits | (must ? 1 : 0) | (home ? 4 : 0);
}

/* Compares what a client has with what it should have. */
static void
client_check(const Client *client)
{
	int			number = (int) (client - clients);
	bool		state[AUTHORS + 1][AUTHORS + 1];
	int64_t		changes[AUTHORS + 1] = {0}; /* the next ones of the account */

	memcpy(state, follows_now, sizeof(state));
	if (client->waits || client->subscriber.catching)
		complain("client %d has not become live", number);
	for (int64_t seq = log_last; seq > Max(client->starts[0], 0); seq--)
	{
		const Event *event = &events[seq];
		int			open;
		int			want;

		follows_change(state, event, true);
		if (event->follower == client->account)
			changes[event->followee] = seq;
		want = expected(client, seq, event->author && state[client->account][event->author],
						event->author && changes[event->author] > 0 && changes[event->author] < seq + behind, &open);
		if ((client->got[seq] & ~open) != (want & ~open))
			complain("client %d, account %d: of %lld it has %d and should have %d (%d open); %s %s; it began at %lld", number, client->account,
					 (long long) seq, client->got[seq], want, open, event->event ? event->event : "-", event->topics,
					 (long long) client->starts[0]);
	}
}

/* Walks for some steps, then lets everything settle and looks. */
static void
walk(unsigned long seed, int steps, unsigned permille)
{
	char		name[64];
	int			before = complaints;

	random_state = seed;
	trouble = permille;
	follows = seed % 2 ? 50 : 200;
	behind = permille > 100 ? LOG_SIZE : permille ? 3000 : 300;
	breaks = seed % 5 == 0 ? 5 : seed % 5 < 3 ? 0 : 1;
	for (int i = 0; i < steps; i++)
		step(false);
	for (int i = 0; i < CLIENTS; i++)
		if (!clients[i].here)
			client_come(&clients[i]);
	trouble = 0;
	for (int i = 0; i < 3000; i++)
		step(true);
	/* the whims of the last steps */
	for (int i = 0; i < CLIENTS; i++)
		if (clients[i].here)
			client_check(&clients[i]);
	for (int i = 0; i < CLIENTS; i++)
		client_leave(&clients[i]);
	for (int i = 0; i < 200; i++)
		step(true);
	if (hub.everybody.count != 0 || counters.hub_topics != 0 || counters.hub_accounts != 0 || counters.hub_edges != 0 ||
		counters.hub_catching != 0 || counters.hub_subscriptions != 0 || listening || asked_count != 0)
		complain("something is left: %d subscribers, %d topics, %d accounts, %d edges, %d catching, %d subscriptions, %d asked",
				 hub.everybody.count, (int) counters.hub_topics, (int) counters.hub_accounts, (int) counters.hub_edges,
				 (int) counters.hub_catching, (int) counters.hub_subscriptions, asked_count);
	snprintf(name, sizeof(name), "walk %lu, %u of 1000 questions go wrong", seed, permille);
	ok(complaints == before, name);
}

/* Begins with an empty log. */
static void
log_begin(void)
{
	log_epoch += 1000;
	log_first = 1;
	log_last = 0;
	memset(follows_now, 0, sizeof(follows_now));
	for (int i = 0; i < CLIENTS; i++)
		clients[i].known = false;
	for (int i = 0; i < 50; i++)
		log_row();
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	config.log_level = "fatal";
	hub_start((struct ev_loop *) &now);
	for (unsigned long seed = 1; seed <= 30; seed++)
	{
		log_begin();
		walk(seed, 3000, seed % 3 == 0 ? 0 : seed % 3 == 1 ? 20 : 150);
	}
	ok(counters.hub_resumes_recovered > 100 && counters.hub_resumes_lost > 10 && counters.hub_resets > 10 && counters.hub_late > 0 &&
	   counters.hub_revoked > 0, "the walks have come everywhere");
	printf("1..%d\n", tests);
	return failed != 0;
}
