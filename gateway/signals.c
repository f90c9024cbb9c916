/*-------------------------------------------------------------------------
 *
 * signals.c
 *		Signals of the database: presence, typing and calls.
 *
 * The background worker notifies on channel roost_signal.  What somebody here
 * would get waits in a queue of at most QUEUE_MAX signals; more are
 * dropped and counted.  roost.live_see() is asked which of the viewers may
 * see them, about ASK_SIGNALS signals and ASK_VIEWERS viewers at a time and one
 * question after the other, so that signals keep their order; then the hub
 * delivers.  Of accounts that have just come the hub does not know yet whom
 * they follow; so that they miss nothing, the database is asked about that, too.  If the database cannot be asked, all that wait are dropped:
 * signals are never sent late.  What came while nobody
 * listened is missed, but for calls (calls.c).
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "calls.h"
#include "doorbell.h"
#include "hub.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"
#include "signals.h"

#define SIGNAL_CHANNEL "roost_signal"
#define CALL_PREFIX "call:"
#define QUEUE_MAX 4096
#define ASK_SIGNALS 64
#define ASK_VIEWERS 10000

typedef struct Signal
{
	ListNode	node;
	int64_t		account_id;
	int64_t		asked;			/* the viewers up to this one are done with */
	const char *event;
	const char *kind;			/* of presence, for the database; NULL: not */
	bool		in_doubt;		/* for those of `doubtful`, if they follow the
								 * account; else for all others */
	Buffer		doubtful;		/* accounts that have just come, ascending */
	char		at[32];
	char		channel[HUB_CHANNEL_SIZE];
} Signal;

/* A signal in the question under way, and where its viewers are. */
typedef struct Asked
{
	Signal	   *signal;
	int			first;
	int			count;
	bool		last;			/* no more viewers */
	const char *data;			/* in the answer */
} Asked;

static List queue;
static Asked asked[ASK_SIGNALS];
static int	asked_count;
static Buffer viewers;			/* of all of them, int64_t */
static Buffer account_ids;
static Buffer channels;
static Buffer viewer_ids;
static PoolQuery see_query;
static bool under_way;

static void queue_run(void);

/* The events, and the kinds of presence: for any viewer, and for one that must follow the account. */
static const char *const events[][3] = {
	{"user:online", "online", "online_followed"},
	{"user:offline", "offline", "offline_followed"},
	{"typing:start", NULL, NULL},
	{"typing:stop", NULL, NULL}
};

static void
signal_free(Signal *signal)
{
	buffer_free(&signal->doubtful);
	free(signal);
}

/* Drops what waits. */
static void
queue_drop(void)
{
	ListNode   *node;

	while ((node = list_first(&queue)) != NULL)
	{
		list_remove(&queue, node);
		signal_free(container_of(node, Signal, node));
		metrics->signals_dropped++;
	}
}

/* Returns the index of an event; -1 if it is unknown. */
static int
event_find(const char *name)
{
	for (size_t i = 0; i < lengthof(events); i++)
		if (name && strcmp(events[i][0], name) == 0)
			return (int) i;
	return -1;
}

/* Makes a signal of an element of the notification; returns NULL if it is none. */
static Signal *
signal_make(json_t *element)
{
	int			event = event_find(json_string_value(json_array_get(element, 0)));
	const char *account = json_string_value(json_array_get(element, 1));
	const char *channel = json_string_value(json_array_get(element, 2));
	const char *at = json_string_value(json_array_get(element, 3));
	Signal	   *made;

	if (event < 0 || account == NULL || channel == NULL || at == NULL ||
		strspn(channel, "abcdefghijklmnopqrstuvwxyz0123456789:") != strlen(channel) ||
		strlen(channel) >= HUB_CHANNEL_SIZE || strlen(at) >= sizeof(made->at) ||
		(*channel == '\0') != (events[event][1] != NULL))
		return NULL;
	made = memory_new(sizeof(Signal));
	made->account_id = strtoll(account, NULL, 10);
	made->asked = -1;
	made->event = events[event][0];
	made->kind = events[event][1];
	snprintf(made->at, sizeof(made->at), "%s", at);
	snprintf(made->channel, sizeof(made->channel), "%s", channel);
	return made;
}

/* Leaves of a sorted list from a place on what is not in another one. */
static void
viewers_subtract(Buffer *from, size_t start, const Buffer *others)
{
	int64_t    *ids = (int64_t *) (from->data + start);
	size_t		count = (from->length - start) / sizeof(int64_t);
	const int64_t *other = (const int64_t *) others->data;
	const int64_t *end = other + others->length / sizeof(int64_t);
	size_t		kept = 0;

	if (count == 0 || other == end)
		return;
	for (size_t i = 0; i < count; i++)
	{
		while (other < end && *other < ids[i])
			other++;
		if (other == end || *other != ids[i])
			ids[kept++] = ids[i];
	}
	from->length = start + kept * sizeof(int64_t);
}

/* Appends the viewers that have not been asked about; returns how many there are. */
static int
signal_viewers(const Signal *signal, Buffer *into)
{
	size_t		start = into->length;
	size_t		skipped = 0;
	size_t		count;
	int64_t    *ids;

	if (signal->in_doubt)
		buffer_append(into, signal->doubtful.data, signal->doubtful.length);
	else
	{
		hub_signal_viewers(signal->account_id, signal->kind ? NULL : signal->channel, into);
		viewers_subtract(into, start, &signal->doubtful);
	}
	count = (into->length - start) / sizeof(int64_t);
	ids = (int64_t *) (into->data + start);
	while (skipped < count && ids[skipped] <= signal->asked)
		skipped++;
	if (skipped > 0)
		memmove(ids, ids + skipped, (count - skipped) * sizeof(int64_t));
	into->length -= skipped * sizeof(int64_t);
	return (int) (count - skipped);
}

/*
 * Makes another signal for those of whom it is not known whether they follow
 * the account; returns NULL if there is nobody.  They get it by this one only,
 * even if it is known when its turn comes.
 */
static Signal *
signal_make_doubtful(Signal *signal)
{
	static Buffer certain;
	Signal	   *made;

	if (signal->kind == NULL)
		return NULL;
	hub_signal_doubtful(signal->account_id, &signal->doubtful);
	if (signal->doubtful.length == 0)
		return NULL;
	certain.length = 0;
	hub_signal_viewers(signal->account_id, NULL, &certain);
	viewers_subtract(&signal->doubtful, 0, &certain);
	if (signal->doubtful.length == 0)
		return NULL;
	made = memory_new(sizeof(Signal));
	*made = *signal;
	made->kind = events[event_find(signal->event)][2];
	made->in_doubt = true;
	made->doubtful = (Buffer) {0};
	buffer_append(&made->doubtful, signal->doubtful.data, signal->doubtful.length);
	return made;
}

/* Lets a signal wait, if somebody here would get it and there is room. */
static void
queue_add(Signal *signal)
{
	static Buffer probe;

	probe.length = 0;
	if (signal_viewers(signal, &probe) == 0)
		signal_free(signal);
	else if (queue.count >= QUEUE_MAX)
	{
		signal_free(signal);
		metrics->signals_dropped++;
	}
	else
		list_append(&queue, &signal->node);
}

/* Returns the number of a signal of a call; 0 if it is another one. */
static int64_t
call_number(json_t *element)
{
	const char *event = json_string_value(json_array_get(element, 0));
	const char *channel = json_string_value(json_array_get(element, 2));

	if (event == NULL || channel == NULL || strncmp(event, CALL_PREFIX, strlen(CALL_PREFIX)) != 0 ||
		strncmp(channel, CALL_PREFIX, strlen(CALL_PREFIX)) != 0)
		return 0;
	return strtoll(channel + strlen(CALL_PREFIX), NULL, 10);
}

/* Called with a notification. */
static void
on_notification(const char *payload)
{
	json_t	   *list = payload ? json_loads(payload, 0, NULL) : NULL;
	json_t	   *element;
	size_t		index;

	if (payload == NULL)
		calls_missed(!doorbell_has_listened());

	json_array_foreach(list, index, element)
	{
		int64_t		call = call_number(element);
		Signal	   *signal = signal_make(element);
		Signal	   *doubtful = signal ? signal_make_doubtful(signal) : NULL;

		if (call > 0)
		{
			metrics->signals++;
			calls_add(call);
		}
		if (signal == NULL)
			continue;
		metrics->signals++;
		queue_add(signal);
		if (doubtful)
			queue_add(doubtful);
	}
	json_decref(list);
	queue_run();
}

/* Sends a signal to those that may see it. */
static void
asked_deliver(const Asked *ask, const int64_t *seen, int count)
{
	const Signal *signal = ask->signal;
	const char *channel = signal->kind ? NULL : signal->channel;
	char		data[128];

	if (count == 0)
		return;
	if (signal->kind)
	{
		int			length = snprintf(data, sizeof(data), "{\"account_id\":\"%lld\",\"at\":\"%s\"}", (long long) signal->account_id, signal->at);

		hub_signal(signal->account_id, NULL, seen, count, signal->event, data, (size_t) length);
	}
	else if (ask->data)
		hub_signal(signal->account_id, channel, seen, count, signal->event, ask->data, strlen(ask->data));
}

/* Ends the question under way: signals of which all viewers were asked about are done. */
static void
asked_finish(void)
{
	under_way = false;
	for (int i = 0; i < asked_count; i++)
		if (asked[i].last)
			signal_free(asked[i].signal);
	asked_count = 0;
	buffer_trim(&viewers, 65536);
	buffer_trim(&account_ids, 65536);
	buffer_trim(&channels, 65536);
	buffer_trim(&viewer_ids, 65536);
}

/* Gives data to all signals of the same account and channel as one of them. */
static void
asked_set_data(int viewer, const char *data)
{
	int			found = 0;

	while (found + 1 < asked_count && asked[found + 1].first <= viewer)
		found++;
	for (int i = 0; i < asked_count; i++)
		if (asked[i].signal->account_id == asked[found].signal->account_id &&
			strcmp(asked[i].signal->channel, asked[found].signal->channel) == 0)
			asked[i].data = data;
}

/* The database has said who may see what. */
static void
on_see(PoolQuery *query, const PGresult *result)
{
	int64_t    *ids = (int64_t *) viewers.data;
	int			total = (int) (viewers.length / sizeof(int64_t));
	char	   *may;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		log_warning("could not ask who may see signals: %s", PQresultErrorMessage(result));
		metrics->signals_dropped += (uint64_t) asked_count;
		asked_finish();
		queue_drop();
		return;
	}
	may = memory_new((size_t) total + 1);
	memset(may, 0, (size_t) total + 1);
	for (int row = 0; row < PQntuples(result); row++)
	{
		int			n = atoi(PQgetvalue(result, row, 0));

		if (n < 1 || n > total)
			continue;
		may[n - 1] = 1;
		if (!PQgetisnull(result, row, 1))
			asked_set_data(n - 1, PQgetvalue(result, row, 1));
	}
	for (int i = 0; i < asked_count; i++)
	{
		int			seen = 0;

		for (int v = asked[i].first; v < asked[i].first + asked[i].count; v++)
			if (may[v])
				ids[asked[i].first + seen++] = ids[v];
		asked_deliver(&asked[i], ids + asked[i].first, seen);
	}
	free(may);
	asked_finish();
	queue_run();
}

/* The database cannot be asked. */
static void
on_see_failure(PoolQuery *query, PoolFailure failure)
{
	metrics->signals_dropped += (uint64_t) asked_count;
	asked_finish();
	queue_drop();
}

/* Takes signals into the question, until it is large enough. */
static void
asked_collect(void)
{
	ListNode   *node;

	viewers.length = 0;
	while (asked_count < ASK_SIGNALS && (node = list_first(&queue)) != NULL)
	{
		Signal	   *signal = container_of(node, Signal, node);
		int			first = (int) (viewers.length / sizeof(int64_t));
		int			count = signal_viewers(signal, &viewers);
		bool		last = first + count <= ASK_VIEWERS;

		if (!last)
		{
			/* as many as there is room for; the others come next */
			count = ASK_VIEWERS - first;
			viewers.length = ASK_VIEWERS * sizeof(int64_t);
			if (count == 0)
				break;
			signal->asked = ((int64_t *) viewers.data)[ASK_VIEWERS - 1];
		}
		else
			list_remove(&queue, node);
		if (count == 0)
		{
			signal_free(signal);
			continue;
		}
		asked[asked_count++] = (Asked)
		{
			signal, first, count, last, NULL
		};
		if (!last)
			break;
	}
}

/* Begins or ends the arrays of the question. */
static void
arrays_append(const char *text, size_t length)
{
	buffer_append(&account_ids, text, length);
	buffer_append(&channels, text, length);
	buffer_append(&viewer_ids, text, length);
}

/* Asks about the next signals. */
static void
queue_run(void)
{
	const int64_t *ids;

	if (under_way)
		return;
	asked_collect();
	if (asked_count == 0)
		return;
	ids = (const int64_t *) viewers.data;
	account_ids.length = channels.length = viewer_ids.length = 0;
	arrays_append("{", 1);
	for (int i = 0; i < asked_count; i++)
		for (int v = asked[i].first; v < asked[i].first + asked[i].count; v++)
		{
			const Signal *signal = asked[i].signal;

			if (v > 0)
				arrays_append(",", 1);
			buffer_append_number(&account_ids, (uint64_t) signal->account_id);
			buffer_append_text(&channels, signal->kind ? signal->kind : signal->channel);
			buffer_append_number(&viewer_ids, (uint64_t) ids[v]);
		}
	arrays_append("}", 2);
	under_way = true;
	memset(&see_query, 0, sizeof(see_query));
	see_query.statement = STATEMENT_LIVE_SEE;
	see_query.values[0] = account_ids.data;
	see_query.values[1] = channels.data;
	see_query.values[2] = viewer_ids.data;
	see_query.on_result = on_see;
	see_query.on_failure = on_see_failure;
	pool_submit(LANE_FAST, &see_query);
}

/* Begins to listen. */
void
signals_start(void)
{
	list_init(&queue);
	doorbell_on(SIGNAL_CHANNEL, on_notification);
}
