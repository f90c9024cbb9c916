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
/* links: gateway/log.c gateway/util.c gateway/map.c gateway/hub.c gateway/hub_batch.c gateway/hub_batch_deliver.c gateway/hub_channel.c gateway/hub_client.c gateway/hub_deliver.c gateway/hub_filter.c gateway/hub_home.c gateway/hub_room.c gateway/hub_row.c gateway/hub_session.c gateway/hub_signal.c gateway/hub_topic.c gateway/catchup.c */
#include "test/unit/hub_server.h"

#define CLIENTS 12
#define MAX_CHANNELS 5

static int64_t next_session;
static unsigned breaks;			/* of a thousand steps */
static int	withheld;			/* rows that a filter has kept from a client */

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

/* Returns whether a client has a channel whose name begins so. */
static bool
client_has(const Client *client, const char *name)
{
	for (int i = 0; client->here && i < client->channel_count; i++)
		if (strncmp(client->channels[i], name, strlen(name)) == 0)
			return true;
	return false;
}

static void
check_question(const PoolQuery *query)
{
	bool		rooms = false;
	bool		notifications = false;
	const char *seqs = query->values[0];
	int64_t		seq;

	if (query->statement != STATEMENT_STREAM_READ && query->statement != STATEMENT_STREAM_DATA)
		return;
	for (int i = 0; i < CLIENTS; i++)
	{
		rooms |= client_has(&clients[i], "messages") || client_has(&clients[i], "conversation:");
		notifications |= client_has(&clients[i], "notifications");
	}
	if (query->statement == STATEMENT_STREAM_READ && (*query->values[2] == 't') != rooms)
		complain("rows of rooms are %s", rooms ? "not asked for" : "asked for in vain");
	while (query->statement == STATEMENT_STREAM_DATA && array_next(&seqs, &seq))
		if (events[seq].room && !rooms && !(notifications && strcmp(events[seq].topics, "notifications") == 0))
			complain("what row %lld of a room says is asked for in vain", (long long) seq);
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
		/* who resumes gets it among the channels */
		home |= strncmp(strchr(line, ':'), ":received \"messages\"", 20) == 0 || strncmp(strchr(line, ':'), ":read \"messages\"", 16) == 0;
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
	static const char *const names[] = {"home", "notifications", "public", "hashtag:x", "user:1", "user:2", "user:3", "post:1", "post:2", "presence",
	"messages", "conversation:1", "conversation:2"};
	const char *name;

	for (int i = 0; i < 20 && client->channel_count < MAX_CHANNELS; i++)
	{
		bool		has = false;

		name = names[pick(lengthof(names))];
		for (int c = 0; c < client->channel_count; c++)
			has |= strcmp(client->channels[c], name) == 0;
		if (has || (client->account == 0 && (*name == 'h' || *name == 'n' || strcmp(name, "presence") == 0 || strcmp(name, "messages") == 0) && name[4] != 't'))
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
			filters_undo(&events[log_last]);
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
 * changed: whether it may have been given by a home in which that has changed.
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
	int64_t		since;
	bool		filtered = is_filtered(seq, account, &since);
	bool		told = is_told(event, account);

	*open = 0;
	for (int i = 0; i < client->channel_count; i++)
	{
		const char *channel = client->channels[i];
		bool		mine = seq > client->starts[i];

		if (strcmp(channel, "home") == 0)
		{
			home |= mine && (event->account == account || (follows && !changed));
			home_may |= event->account == account || follows || changed;
			must |= home;
			may |= home_may;
		}
		else if (strcmp(channel, "notifications") == 0)
		{
			must |= mine && event->target == account && wants(seq, account);
			may |= event->target == account && wants(seq, account);
			must |= mine && told && strcmp(event->topics, "notifications") == 0;
			may |= told && strcmp(event->topics, "notifications") == 0;
			if ((event->mailed >> account & 1) && wants(seq, account))
			{
				bits |= mine ? 2 : 0;
				*open |= mine ? 0 : 2;
			}
		}
		else if (strcmp(channel, "messages") == 0)
		{
			must |= mine && told;
			may |= told;
			home |= mine && told;
			home_may |= told;
		}
		else if (!event->room || told)
		{
			char		quoted[HUB_CHANNEL_SIZE + 2];

			snprintf(quoted, sizeof(quoted), "\"%s\"", channel);
			must |= mine && topics_match(event->topics, quoted);
			may |= topics_match(event->topics, quoted);
		}
	}
	if (event->event == NULL || (!event->everyone && !may_see(seq, account)))
		return bits;
	if (seq <= since)
		*open |= may ? 5 : 0;	/* it may have been given before that */
	if (filtered)
	{
		withheld += must && seq > since;
		return bits;
	}
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
		int64_t		newest = home_reached[client->account][seq];
		int			open;
		int			want;

		follows_change(state, event, true);
		if (event->follower == client->account)
			changes[event->followee] = seq;
		want = expected(client, seq, event->author && state[client->account][event->author],
						event->author && changes[event->author] > 0 && changes[event->author] <= newest, &open);
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
	if (hub.everybody.count != 0 || hub.rooms != 0 || hub.notified != 0 || counters.hub_topics != 0 || counters.hub_accounts != 0 || counters.hub_edges != 0 ||
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
	memset(home_reached, 0, sizeof(home_reached));
	memset(words_at, 0, sizeof(words_at));
	memset(words_now, 0, sizeof(words_now));
	memset(apart_at, 0, sizeof(apart_at));
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
	   counters.hub_revoked > 0 && withheld > 1000, "the walks have come everywhere");
	printf("1..%d\n", tests);
	return failed != 0;
}
