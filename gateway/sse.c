/*-------------------------------------------------------------------------
 *
 * sse.c
 *		Streams of server-sent events: GET /events/stream.
 *
 * A request goes through these steps, each of which may answer with an error:
 * the query string is read, stream.c finds out who asks, the hub takes the
 * channels, and the answer begins, in pieces, until the client or we end it.
 * From then on little more than the Sse and its Request stay.
 *
 * What a reader sees as the id of its last event is a cursor.  Only the last
 * event of a row of the log has one, so that nobody resumes between two events
 * of one row.  Heartbeats have nothing but an id: browsers take it, and show
 * no event.
 *
 * One timer a stream serves heartbeats and the end of the token.  It is not
 * set again by every event: when it is due, it looks how long ago the last one
 * was.
 *
 * A client that leaves more than stream-output-limit unread, or takes nothing
 * for write-timeout, is cut off; it comes back with its cursor.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "config.h"
#include "event.h"
#include "event_query.h"
#include "problem.h"
#include "sse.h"
#include "stream.h"

#define PATH "/events/stream"
#define HEARTBEAT 15.0
#define RETRY "retry: 2000\n\n"

/* How a stream ends */
typedef enum SseEnd
{
	SSE_CLOSED = 1,				/* the gateway stops, the session is revoked,
								 * the hub cannot go on */
	SSE_EXPIRED,				/* the token has */
	SSE_SLOW					/* the client does not read */
} SseEnd;

typedef struct Sse
{
	EventClient client;
	double		expires_at;		/* 0: never */
	double		sent;			/* the last time something was */
	bool		foreign;		/* the cursor is none of ours */
	Cursor		from;			/* epoch 0: from now on */
} Sse;

static const EventKind sse_kind;

/* Returns the stream of a subscriber. */
static Sse *
sse_of(Subscriber *subscriber)
{
	return container_of(subscriber, Sse, client.subscriber);
}

/* Returns whether a path is that of the streams. */
bool
sse_is_path(const char *path)
{
	return strcmp(route_without_base(path), PATH) == 0;
}

/* Sends bytes; a client that does not take them is cut off. */
static void
sse_write(Sse *sse, const char *data, size_t length)
{
	sse->sent = ev_time();
	if (answer_piece(sse->client.request, data, length))
		return;
	metrics->events_slow[HUB_EVENT_STREAM]++;
	event_finish(&sse->client, SSE_SLOW);
}

/* Sends an event of the stream itself; `resumable` gives it the cursor as its id. */
static void
sse_tell(Sse *sse, const char *event, Cursor cursor, bool resumable, const char *more)
{
	static Buffer text;
	char		where[HUB_CURSOR_SIZE];

	cursor_format(cursor, where);
	text.length = 0;
	buffer_printf(&text, "event: %s\n", event);
	if (resumable)
		buffer_printf(&text, "id: %s\n", where);
	buffer_printf(&text, "data: {\"cursor\":\"%s\"%s}\n\n", where, more);
	sse_write(sse, text.data, text.length);
}

/* Sets the timer to the next heartbeat, or to the end of the token if that is sooner. */
static void
sse_set_timer(Sse *sse)
{
	double		now = ev_time();
	double		next = sse->sent + HEARTBEAT - now;

	if (sse->expires_at > 0)
		next = Min(next, sse->expires_at - now);
	event_timer(&sse->client, Max(next, 0.01));
}

/* It is time for a heartbeat, or the token expires. */
static void
sse_due(EventClient *client)
{
	Sse		   *sse = container_of(client, Sse, client);
	double		now = ev_time();
	Cursor		cursor = hub_cursor(&client->subscriber);
	char		where[HUB_CURSOR_SIZE];
	char		text[HUB_CURSOR_SIZE + 8] = ":\n\n";

	if (sse->expires_at > 0 && now >= sse->expires_at)
	{
		static const char expired[] = "event: expired\ndata: {}\n\n";

		sse_write(sse, expired, sizeof(expired) - 1);
		event_finish(client, SSE_EXPIRED);
		return;
	}
	if (now - sse->sent >= HEARTBEAT)
	{
		if (cursor.epoch > 0)
		{
			cursor_format(cursor, where);
			snprintf(text, sizeof(text), "id: %s\n\n", where);
		}
		sse_write(sse, text, strlen(text));
	}
	if (client->how == 0)
		sse_set_timer(sse);
}

/* Ends the stream. */
static void
sse_finish(EventClient *client)
{
	if (client->how == SSE_SLOW)
		answer_cut(client->request);	/* which releases the client, too */
	else
		answer_end(event_release(client));
}

/* The gateway stops. */
static void
sse_stop(EventClient *client)
{
	event_finish(client, SSE_CLOSED);
}

/* Tells the client where its stream begins. */
static void
sse_ready(Sse *sse, Cursor cursor, bool recovered)
{
	/* what was missed is still to come: its cursor stays where it is */
	bool		caught_up = sse->from.epoch == 0 || !recovered;

	sse_tell(sse, "ready", cursor, caught_up, recovered ? ",\"recovered\":true" : ",\"recovered\":false");
}

/* Subscribes; returns what is wrong.  The channels of who names none are those of GET /events. */
static HubProblem
sse_subscribe(Sse *sse, EventQuery *query, Cursor *now)
{
	Subscriber *subscriber = &sse->client.subscriber;

	if (query->count == 0 && subscriber->account_id == 0)
		query->channels[query->count++] = "public";
	else if (query->count == 0)
	{
		query->channels[query->count++] = "home";
		query->channels[query->count++] = "notifications";
	}
	if (sse->from.epoch > 0)
		return hub_resume(subscriber, query->channels, query->count, sse->from);
	return hub_subscribe(subscriber, query->channels, query->count, now);
}

/* Begins the answer. */
static void
sse_begin(Sse *sse, Cursor now)
{
	Request    *request = sse->client.request;

	answer_start(request, 200);
	answer_header(request, "content-type", "text/event-stream");
	answer_header(request, "x-accel-buffering", "no");
	if (request->message.method == METHOD_HEAD)
	{
		answer_send(event_release(&sse->client), "", 0, true);
		return;
	}
	answer_stream(request);
	sse_write(sse, RETRY, sizeof(RETRY) - 1);
	if (now.epoch > 0)
		sse_ready(sse, now, !sse->foreign);
	sse_set_timer(sse);
}

/* Finds the cursor to go on from: what a browser repeats is newer than what stands in the address. */
static void
sse_find_cursor(Sse *sse, const EventQuery *query)
{
	const char *cursor = request_header(sse->client.request, "last-event-id");

	if (cursor == NULL || *cursor == '\0')
		cursor = query->after;
	if (cursor && (!cursor_parse(cursor, &sse->from) || sse->from.epoch <= 0))
	{
		sse->foreign = true;
		sse->from = (Cursor) {0};
	}
}

/* Reads the query string; returns false if it has answered. */
static bool
sse_read_query(Request *request, EventQuery *query)
{
	EventQueryProblem problem;

	if (event_query_parse(message_query(&request->message), query, &problem))
		return true;
	problem_send(request, problem.sqlstate, problem.detail, NULL, problem.field);
	event_query_free(query);
	return false;
}

/* It is known who asks. */
static void
sse_opened(Request *request, const StreamIdentity *identity)
{
	EventQuery	query;
	Sse		   *sse;
	Cursor		now = {0};
	HubProblem	problem;

	if (request_is_draining())
	{
		request_fail(request, "RO503", "The gateway stops; try again.");
		return;
	}
	if (!sse_read_query(request, &query))
		return;
	if ((sse = (Sse *) event_new(request, &sse_kind)) == NULL)
	{
		event_query_free(&query);
		return;
	}
	sse->expires_at = identity->expires_at;
	sse_find_cursor(sse, &query);
	event_enter(&sse->client, identity->account_id, identity->session_id);
	problem = sse_subscribe(sse, &query, &now);
	event_query_free(&query);
	if (problem == HUB_OK)
		sse_begin(sse, now);
	else
		event_refuse(event_release(&sse->client), problem);
}

/* Answers a request for a stream; returns false if it is for something else. */
bool
sse_answer(Request *request, const char *path)
{
	EventQuery	query;

	if (!sse_is_path(path))
		return false;
	request->route.metric = metrics_route("GET", PATH);
	if (request->version == REQUEST_CALL)
		request_fail(request, "RO404", "A socket has its own stream.");
	else if (request->message.method != METHOD_GET && request->message.method != METHOD_HEAD)
		request_fail(request, "RO405", "Streams are read with GET.");
	else if (sse_read_query(request, &query))
	{
		/*
		 * it will be read again; who may not come in should hear of mistakes
		 * first
		 */
		event_query_free(&query);
		stream_open(request, sse_opened);
	}
	return true;
}

/* Begins an event: its name, and where its data stand. */
static void
sse_put_name(const char *event, Buffer *into)
{
	buffer_append(into, "event: ", 7);
	buffer_append_text(into, event);
	buffer_append(into, "\ndata: ", 7);
}

/* Ends an event, whose data begin at start and must be one line: line ends in JSON are white space. */
static void
sse_finish_data(Buffer *into, size_t start)
{
	for (char *c = into->data + start; c < into->data + into->length; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	buffer_append(into, "\n\n", 2);
}

/* Makes the events of a batch. */
static void
sse_render(const HubBatch *batch, uint64_t mask, uint64_t own, Buffer *into)
{
	for (int i = 0; i < batch->count; i++)
	{
		const HubItem *item = &batch->items[i];
		Cursor		cursor = {batch->cursor.epoch, item->seq};
		char		where[HUB_CURSOR_SIZE];
		size_t		start;
		uint64_t	rest = i + 1 < HUB_BATCH ? mask >> (i + 1) : 0;
		bool		last_of_row = rest == 0 || batch->items[i + 1 + __builtin_ctzll(rest)].seq != item->seq;

		if ((mask >> i & 1) == 0)
			continue;
		if (rest == 0)
			cursor = batch->cursor;
		if (last_of_row)
		{
			cursor_format(cursor, where);
			buffer_append(into, "id: ", 4);
			buffer_append_text(into, where);
			buffer_append(into, "\n", 1);
		}
		sse_put_name(item->event, into);
		start = into->length;
		hub_item_json(item, own >> i & 1, into);
		sse_finish_data(into, start);
	}
}

/* Sends what has been made for this client and others. */
static void
sse_send(Subscriber *subscriber, HubFrame *frame)
{
	sse_write(sse_of(subscriber), frame->data, frame->length);
}

/* Makes a signal, which has no id. */
static void
sse_render_signal(const char *event, const char *data, size_t length, Buffer *into)
{
	size_t		start;

	sse_put_name(event, into);
	start = into->length;
	buffer_append_text(into, "{\"event\":");
	buffer_append_json(into, event);
	buffer_append_text(into, ",\"data\":");
	buffer_append(into, data, length);
	buffer_append(into, "}", 1);
	sse_finish_data(into, start);
}

/* It is known whether the stream goes on from the client's cursor. */
static void
sse_resumed(Subscriber *subscriber, bool recovered, Cursor cursor)
{
	sse_ready(sse_of(subscriber), cursor, recovered);
}

/* It is known from where on the stream is. */
static void
sse_begun(Subscriber *subscriber, Cursor now)
{
	sse_ready(sse_of(subscriber), now, !sse_of(subscriber)->foreign);
}

/* The log does not go on. */
static void
sse_reset(Subscriber *subscriber, Cursor cursor)
{
	sse_tell(sse_of(subscriber), "reset", cursor, true, "");
}

/* The session is revoked, or catching up has failed: coming again, the client learns more. */
static void
sse_close(Subscriber *subscriber)
{
	event_finish(&sse_of(subscriber)->client, SSE_CLOSED);
}

static const EventKind sse_kind = {
	.size = sizeof(Sse),
	.subscriber = {
		.transport = HUB_EVENT_STREAM,
		.render = sse_render,
		.send = sse_send,
		.render_signal = sse_render_signal,
		.begun = sse_begun,
		.resumed = sse_resumed,
		.reset = sse_reset,
		.revoked = sse_close,
		.failed = sse_close,
	},
	.due = sse_due,
	.stop = sse_stop,
	.finish = sse_finish,
};
