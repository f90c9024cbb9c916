/*-------------------------------------------------------------------------
 *
 * long_poll.c
 *		Long polls: GET /events?after=&wait=.
 *
 * The database is asked first, as for any route, so tokens, limits, channels
 * and cursors are its business.  If nothing has happened and the caller wants
 * to wait, roost.event_list() says so in a header that is for us alone:
 *
 *		Roost-Wait: ACCOUNT SESSION CURSOR SECONDS CHANNEL...
 *
 * Then the request waits as a subscriber of the hub that goes on from this
 * cursor, so nothing that happens in between is lost.  The first batch is its
 * answer; the caller asks again with the cursor of that.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "event.h"
#include "long_poll.h"
#include "problem.h"

#define PATH "/events"

/* How a poll ends */
typedef enum PollEnd
{
	POLL_EVENTS = 1,
	POLL_NOTHING,				/* the time is over, or the gateway stops */
	POLL_RESET,					/* what was missed is not known */
	POLL_REVOKED,
	POLL_FAILED
} PollEnd;

typedef struct Poll
{
	EventClient client;
	Cursor		cursor;			/* where it began, or was set back to */
	HubFrame   *frame;			/* its events */
} Poll;

/* Returns the poll of a subscriber. */
static Poll *
poll_of(Subscriber *subscriber)
{
	return container_of(subscriber, Poll, client.subscriber);
}

/* Makes the answer of a batch. */
static void
poll_render(const HubBatch *batch, uint64_t mask, uint64_t own, Buffer *into)
{
	char		where[HUB_CURSOR_SIZE];
	const char *separator = "";

	buffer_append_text(into, "{\"events\":[");
	for (int i = 0; i < batch->count; i++)
		if (mask >> i & 1)
		{
			buffer_append_text(into, separator);
			hub_item_json(&batch->items[i], own >> i & 1, into);
			separator = ",";
		}
	cursor_format(batch->cursor, where);
	buffer_printf(into, "],\"cursor\":\"%s\",\"recovered\":true}", where);
}

/* Takes the first batch. */
static void
poll_send(Subscriber *subscriber, HubFrame *frame)
{
	Poll	   *poll = poll_of(subscriber);

	if (frame->events == 0 || poll->client.how > 0)
		return;					/* signals are not for those who come and go */
	poll->frame = hub_frame_keep(frame);
	event_finish(&poll->client, POLL_EVENTS);
}

/* Makes nothing of a signal. */
static void
poll_render_signal(const char *event, const char *data, size_t length, Buffer *into)
{
}

/* The log does not go on from the cursor. */
static void
poll_reset(Subscriber *subscriber, Cursor cursor)
{
	poll_of(subscriber)->cursor = cursor;
	event_finish(&poll_of(subscriber)->client, POLL_RESET);
}

/* It is known whether the log goes on from the cursor. */
static void
poll_resumed(Subscriber *subscriber, bool recovered, Cursor cursor)
{
	if (!recovered)
		poll_reset(subscriber, cursor);
}

/* The session is revoked. */
static void
poll_revoked(Subscriber *subscriber)
{
	event_finish(&poll_of(subscriber)->client, POLL_REVOKED);
}

/* The database cannot be asked. */
static void
poll_failed(Subscriber *subscriber)
{
	event_finish(&poll_of(subscriber)->client, POLL_FAILED);
}

/* The time is over. */
static void
poll_due(EventClient *client)
{
	Poll	   *poll = container_of(client, Poll, client);
	Cursor		cursor = hub_cursor(&client->subscriber);

	if (cursor.epoch == poll->cursor.epoch && cursor.seq > poll->cursor.seq)
		poll->cursor = cursor;
	event_finish(client, POLL_NOTHING);
}

/* Answers without events. */
static void
poll_answer_empty(Request *request, Cursor cursor, bool recovered)
{
	char		where[HUB_CURSOR_SIZE];
	char		body[HUB_CURSOR_SIZE + 64];

	cursor_format(cursor, where);
	snprintf(body, sizeof(body), "{\"events\":[],\"cursor\":\"%s\",\"recovered\":%s}", where, recovered ? "true" : "false");
	answer_start(request, 200);
	answer_send(request, body, strlen(body), false);
}

/* Answers. */
static void
poll_finish(EventClient *client)
{
	Poll	   *poll = container_of(client, Poll, client);
	PollEnd		how = client->how;
	Cursor		cursor = poll->cursor;
	HubFrame   *frame = poll->frame ? hub_frame_keep(poll->frame) : NULL;
	Request    *request = event_release(client);

	if (how == POLL_REVOKED)
		request_fail(request, "ROTOK", "the session has been revoked");
	else if (how == POLL_FAILED)
		request_fail(request, "08006", "The database cannot be reached; try again.");
	else if (how == POLL_EVENTS)
	{
		answer_start(request, 200);
		answer_send(request, frame->data, frame->length, false);
	}
	else
		poll_answer_empty(request, cursor, how == POLL_NOTHING);
	if (frame)
		hub_frame_release(frame);
}

/* Gives back what a poll owns. */
static void
poll_release(EventClient *client)
{
	Poll	   *poll = container_of(client, Poll, client);

	if (poll->frame)
		hub_frame_release(poll->frame);
}

static const EventKind poll_kind = {
	.size = sizeof(Poll),
	.subscriber = {
		.transport = HUB_LONG_POLL,
		.render = poll_render,
		.send = poll_send,
		.render_signal = poll_render_signal,
		.resumed = poll_resumed,
		.reset = poll_reset,
		.revoked = poll_revoked,
		.failed = poll_failed,
	},
	.due = poll_due,
	.stop = poll_due,
	.finish = poll_finish,
	.release = poll_release,
};

/* Returns a copy of what the database says about waiting, or NULL. */
static char *
poll_find_header(const char *answer, size_t length)
{
	const char *end = memmem(answer, length, "\n\n", 2);
	const char *line = answer;

	while (end && (line = memchr(line, '\n', (size_t) (end - line))) != NULL)
		if (strncasecmp(++line, POLL_HEADER ": ", sizeof(POLL_HEADER ": ") - 1) == 0)
		{
			line += sizeof(POLL_HEADER ": ") - 1;
			return strndup(line, strcspn(line, "\n"));
		}
	return NULL;
}

/* Splits a list with spaces between its items, in place; returns how many there are. */
static int
poll_split(char *list, const char **items, int most)
{
	char	   *rest = NULL;
	int			count = 0;

	for (char *item = strtok_r(list, " ", &rest); item && count < most; item = strtok_r(NULL, " ", &rest))
		items[count++] = item;
	return count;
}

/* Waits for what the header says; returns false if that cannot be. */
static bool
poll_begin(Request *request, char *header)
{
	const char *items[4 + HUB_CHANNELS];
	int			count = poll_split(header, items, lengthof(items));
	Cursor		cursor;
	Poll	   *poll;

	if (count <= 4 || !cursor_parse(items[2], &cursor))
		return false;
	poll = (Poll *) event_new(request, &poll_kind);
	if (poll == NULL)
		return true;
	poll->cursor = cursor;
	event_enter(&poll->client, strtoll(items[0], NULL, 10), strtoll(items[1], NULL, 10));
	if (hub_resume(&poll->client.subscriber, items + 4, count - 4, cursor) != HUB_OK)
	{
		event_release(&poll->client);
		return false;
	}
	event_timer(&poll->client, strtod(items[3], NULL));
	answer_wait(request);
	return true;
}

/*
 * Waits for events if the database's answer to a poll has none and says so.
 * Returns false if the answer is to be sent.
 */
bool
poll_wait(Request *request, const char *answer, size_t length)
{
	char	   *header;
	bool		waits;

	if (request->message.method != METHOD_GET || request->version == REQUEST_CALL || request_is_draining() ||
		strcmp(route_without_base(message_path(&request->message)), PATH) != 0)
		return false;
	header = poll_find_header(answer, length);
	waits = header && poll_begin(request, header);
	free(header);
	return waits;
}
