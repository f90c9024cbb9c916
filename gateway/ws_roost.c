/*-------------------------------------------------------------------------
 *
 * ws_roost.c
 *		The sub-protocol roost.v1: events, and calls, in JSON.
 *
 * docs/live.md says what is sent and answered.  Frames are understood in
 * order; while the database is asked about a token those behind it wait
 * (ws_pause).  Calls (ws_call.c) and signals (ws_ask.c) run beside each other,
 * ROOST_AT_ONCE at most.
 *
 * Events come from the hub as frames that are complete, made once for all
 * sockets that get the same.
 *
 * A socket has one timer.  With a token it tells that this expires, and ends
 * the socket when it has; without one it ends a socket that has not subscribed
 * to anything.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "config.h"
#include "errcodes.h"
#include "ws_roost.h"

#define EXPIRING 60.0			/* seconds before the token does */
#define TEXT_KEEP (64 * 1024)
#define HOST_LIMIT 255
#define BEGIN_IDS 4096			/* bytes of ids that wait */

static Buffer text;				/* that is being made */

/* Adds the id of a frame as it came. */
void
roost_append_id(Buffer *into, const FrameText *id)
{
	buffer_append_text(into, "\"id\":");
	if (id && id->data)
		buffer_append(into, id->data, id->length);
	else
		buffer_append(into, "null", 4);
}

/* Begins a text; the members of it follow, each with its comma before it. */
Buffer *
roost_text(const char *type, const FrameText *id)
{
	text.length = 0;
	buffer_printf(&text, "{\"type\":\"%s\"", type);
	if (id)
	{
		buffer_append(&text, ",", 1);
		roost_append_id(&text, id);
	}
	return &text;
}

/* Ends a text and sends it. */
void
roost_send(RoostSocket *socket, Buffer *into)
{
	buffer_append(into, "}", 1);
	ws_send(&socket->ws, WS_TEXT, into->data, into->length);
	buffer_trim(into, TEXT_KEEP);
}

/* Sends what is wrong with a frame. */
void
roost_error(RoostSocket *socket, const FrameText *id, const char *sqlstate, const char *detail)
{
	static const FrameText none;
	const RoostErrcode *error = roost_errcode_find(sqlstate);
	Buffer	   *into = roost_text("error", id ? id : &none);

	buffer_printf(into, ",\"status\":%d,\"code\":\"%s\",\"detail\":", error->status, error->name);
	buffer_append_json(into, detail && *detail ? detail : error->title);
	roost_send(socket, into);
}

/* Adds a cursor, null if it is not known yet. */
static void
append_cursor(Buffer *into, Cursor cursor)
{
	char		position[HUB_CURSOR_SIZE];

	cursor_format(cursor, position);
	if (cursor.epoch == 0)
		buffer_append_text(into, ",\"cursor\":null");
	else
		buffer_printf(into, ",\"cursor\":\"%s\"", position);
}

/* Adds when the token expires. */
static void
append_expiry(Buffer *into, const RoostSocket *socket)
{
	time_t		seconds = (time_t) socket->expires_at;
	char		stamp[32];
	struct tm	tm;

	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	buffer_printf(into, ",\"expires_at\":\"%s.%03dZ\"", stamp, (int) ((socket->expires_at - (double) seconds) * 1000));
}

/* Returns whether so much is in flight that nothing more is begun. */
bool
roost_is_busy(const RoostSocket *socket)
{
	return socket->calls.count + socket->questions.count >= ROOST_AT_ONCE;
}

/* Tells that a token was accepted. */
void
roost_ready(RoostSocket *socket, const FrameText *id)
{
	static const FrameText none;
	Buffer	   *into = roost_text("ready", id ? id : &none);

	buffer_printf(into, ",\"account_id\":\"%lld\",\"session_id\":\"%lld\"",
				  (long long) socket->subscriber.account_id, (long long) socket->subscriber.session_id);
	append_expiry(into, socket);
	roost_send(socket, into);
}

/* Returns whether a socket has channels. */
static bool
has_channels(const RoostSocket *socket)
{
	return socket->subscriber.flags != 0 || socket->subscriber.topic_count > 0;
}

/* The token expires, or none has come. */
static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	RoostSocket *socket = container_of(timer, RoostSocket, timer);
	double		now = ev_time();

	if (socket->subscriber.account_id == 0)
		ws_close(&socket->ws, 4401, "neither a token nor a subscription");
	else if (now >= socket->expires_at)
		ws_close(&socket->ws, 4401, "the token has expired");
	else
	{
		if (now >= socket->expires_at - EXPIRING)
		{
			Buffer	   *into = roost_text("expiring", NULL);

			socket->warned = true;
			append_expiry(into, socket);
			roost_send(socket, into);
		}
		if (!socket->ws.closing)
			roost_schedule(socket);
	}
}

/* Sets the timer. */
void
roost_schedule(RoostSocket *socket)
{
	double		after;

	ev_timer_stop(EV_DEFAULT_UC_ & socket->timer);
	if (socket->subscriber.account_id)
		after = socket->expires_at - (socket->warned ? 0 : EXPIRING) - ev_time();
	else if (has_channels(socket))
		return;
	else
		after = config.stream_auth_timeout / 1000.0;
	ev_timer_set(&socket->timer, Max(after, 0.001), 0.);
	ev_timer_start(EV_DEFAULT_UC_ & socket->timer);
}

/* Makes a frame of a batch. */
static void
on_render(const HubBatch *batch, uint64_t mask, uint64_t own, Buffer *into)
{
	size_t		start = into->length;
	const char *comma = "";
	char		position[HUB_CURSOR_SIZE];

	buffer_reserve(into, WS_HEAD_MAX);
	into->length += WS_HEAD_MAX;
	cursor_format(batch->cursor, position);
	buffer_printf(into, "{\"type\":\"events\",\"cursor\":\"%s\",\"events\":[", position);
	for (int i = 0; i < batch->count; i++)
	{
		if (!(mask >> i & 1))
			continue;
		buffer_append_text(into, comma);
		hub_item_json(&batch->items[i], own >> i & 1, into);
		comma = ",";
	}
	buffer_append(into, "]}", 2);
	ws_finish_frame(into, start);
}

/* Makes a frame of a signal. */
static void
on_render_signal(const char *event, const char *data, size_t length, Buffer *into)
{
	size_t		start = into->length;

	buffer_reserve(into, WS_HEAD_MAX);
	into->length += WS_HEAD_MAX;
	buffer_printf(into, "{\"type\":\"signal\",\"event\":\"%s\",\"data\":", event);
	buffer_append(into, data, length);
	buffer_append(into, "}", 1);
	ws_finish_frame(into, start);
}

/* Sends a frame of events. */
static void
on_send(Subscriber *subscriber, HubFrame *frame)
{
	RoostSocket *socket = container_of(subscriber, RoostSocket, subscriber);

	ws_send_frame(&socket->ws, frame->data, frame->length);
}

/* Answers with all channels that the socket has. */
static void
answer_channels(RoostSocket *socket, const char *type, const FrameText *id, const Cursor *cursor)
{
	Buffer	   *into = roost_text(type, id);

	buffer_append_text(into, ",\"channels\":");
	hub_channels(&socket->subscriber, into);
	if (cursor)
		append_cursor(into, *cursor);
	roost_send(socket, into);
	if (!socket->ws.closing)
		roost_schedule(socket);
}

/* Keeps the id of a frame `subscribe` until its cursor is known. */
static void
begin_later(RoostSocket *socket, const FrameText *id)
{
	if (socket->begin_ids.length + id->length > BEGIN_IDS)
	{
		roost_error(socket, id, "53400", "Too many frames wait for their answer.");
		return;
	}
	buffer_append(&socket->begin_ids, id->data, id->length);
	buffer_append(&socket->begin_ids, "", 1);
	/* who has channels is not sent away meanwhile */
	roost_schedule(socket);
}

/* Answers the frames `subscribe` that have waited for their cursor. */
static void
begin_answer(RoostSocket *socket, Cursor cursor)
{
	Buffer		ids = socket->begin_ids;

	socket->begin_ids = (Buffer) {0};
	for (size_t start = 0; start < ids.length && !socket->ws.closing;)
	{
		FrameText	id = {ids.data + start, strlen(ids.data + start)};

		if (id.length == 0)
			id.data = NULL;
		start += id.length + 1;
		answer_channels(socket, "subscribed", &id, &cursor);
	}
	buffer_free(&ids);
}

/* The hub knows now from where on a socket gets what happens. */
static void
on_begun(Subscriber *subscriber, Cursor now)
{
	begin_answer(container_of(subscriber, RoostSocket, subscriber), now);
}

/* What a frame `resume` asked for is known. */
static void
on_resumed(Subscriber *subscriber, bool recovered, Cursor cursor)
{
	RoostSocket *socket = container_of(subscriber, RoostSocket, subscriber);
	FrameText	id = {socket->resume_id, socket->resume_id ? strlen(socket->resume_id) : 0};
	Buffer	   *into = roost_text("resumed", &id);

	buffer_printf(into, ",\"recovered\":%s,\"channels\":", recovered ? "true" : "false");
	hub_channels(subscriber, into);
	append_cursor(into, cursor);
	free(socket->resume_id);
	socket->resume_id = NULL;
	roost_send(socket, into);
	begin_answer(socket, cursor);
}

/* The log does not go on. */
static void
on_reset(Subscriber *subscriber, Cursor cursor)
{
	RoostSocket *socket = container_of(subscriber, RoostSocket, subscriber);
	Buffer	   *into = roost_text("reset", NULL);

	append_cursor(into, cursor);
	roost_send(socket, into);
	begin_answer(socket, cursor);
}

/* The session has been revoked, or has expired. */
static void
on_revoked(Subscriber *subscriber)
{
	RoostSocket *socket = container_of(subscriber, RoostSocket, subscriber);

	if (ev_time() >= socket->expires_at)
		ws_close(&socket->ws, 4401, "the token has expired");
	else
		ws_close(&socket->ws, 4403, "the session has been revoked");
}

/* What was missed cannot be read. */
static void
on_failed(Subscriber *subscriber)
{
	ws_close(&container_of(subscriber, RoostSocket, subscriber)->ws, 1011, "what was missed could not be read");
}

static const SubscriberKind roost_subscriber = {
	.render = on_render,
	.send = on_send,
	.render_signal = on_render_signal,
	.begun = on_begun,
	.resumed = on_resumed,
	.reset = on_reset,
	.revoked = on_revoked,
	.failed = on_failed,
};

/* Sends the error for a list of channels. */
static void
channel_error(RoostSocket *socket, const FrameText *id, HubProblem problem)
{
	switch (problem)
	{
		case HUB_OK:
			break;
		case HUB_UNKNOWN_CHANNEL:
			roost_error(socket, id, "22023", "There is no such channel.");
			break;
		case HUB_TOO_MANY:
			roost_error(socket, id, "22023", "A stream has at most 100 channels.");
			break;
		case HUB_NEEDS_TOKEN:
			roost_error(socket, id, "RO401", "One of these channels needs a token.");
			break;
		case HUB_NOT_FRESH:
			roost_error(socket, id, "55000", "Only a socket without channels can resume.");
			break;
	}
}

/*
 * Reads the list of channels of a frame; returns it as JSON, which the names
 * belong to, or NULL after an error.
 */
static json_t *
read_channels(RoostSocket *socket, const Frame *frame, const char *names[HUB_CHANNELS])
{
	json_t	   *list = frame_json(frame, FRAME_CHANNELS);
	json_t	   *name;
	size_t		index;
	bool		fine = json_is_array(list);
	bool		many = json_array_size(list) > HUB_CHANNELS;

	json_array_foreach(list, index, name)
	{
		fine &= json_is_string(name);
		if (!many)
			names[index] = json_string_value(name);
	}
	if (fine && !many)
		return list;
	if (fine)
		channel_error(socket, &frame->members[FRAME_ID], HUB_TOO_MANY);
	else
		roost_error(socket, &frame->members[FRAME_ID], "ROTYP", "The member channels must be a list of texts.");
	json_decref(list);
	return NULL;
}

/* Does a frame `subscribe` or `unsubscribe`. */
static void
do_subscribe(RoostSocket *socket, Frame *frame, bool on)
{
	const char *names[HUB_CHANNELS];
	json_t	   *list;
	Cursor		now = {0};
	HubProblem	problem = HUB_OK;

	if (!frame_only(frame, FRAME_HAS(FRAME_CHANNELS)))
	{
		roost_error(socket, &frame->members[FRAME_ID], frame->sqlstate, frame->problem);
		return;
	}
	list = read_channels(socket, frame, names);
	if (list == NULL)
		return;
	if (on)
		problem = hub_subscribe(&socket->subscriber, names, (int) json_array_size(list), &now);
	else
		hub_unsubscribe(&socket->subscriber, names, (int) json_array_size(list));
	json_decref(list);
	if (problem != HUB_OK)
		channel_error(socket, &frame->members[FRAME_ID], problem);
	else if (on && now.epoch == 0)
		begin_later(socket, &frame->members[FRAME_ID]);
	else
		answer_channels(socket, on ? "subscribed" : "unsubscribed", &frame->members[FRAME_ID], on ? &now : NULL);
}

/* Does a frame `resume`; it is answered later. */
static void
do_resume(RoostSocket *socket, Frame *frame)
{
	const FrameText *id = &frame->members[FRAME_ID];
	const char *names[HUB_CHANNELS];
	char	   *position;
	json_t	   *list;
	Cursor		from;
	HubProblem	problem;

	if (!frame_only(frame, FRAME_HAS(FRAME_CHANNELS) | FRAME_HAS(FRAME_CURSOR)))
	{
		roost_error(socket, id, frame->sqlstate, frame->problem);
		return;
	}
	position = frame_string(frame, FRAME_CURSOR);
	if (position == NULL || !cursor_parse(position, &from))
	{
		roost_error(socket, id, "22023", "The member cursor must be one that a stream has given.");
		free(position);
		return;
	}
	free(position);
	list = read_channels(socket, frame, names);
	if (list == NULL)
		return;
	problem = hub_resume(&socket->subscriber, names, (int) json_array_size(list), from);
	json_decref(list);
	channel_error(socket, id, problem);
	if (problem != HUB_OK)
		return;
	free(socket->resume_id);
	socket->resume_id = id->data ? strndup(id->data, id->length) : NULL;
	roost_schedule(socket);
}

/* Does a frame `ping`. */
static void
do_ping(RoostSocket *socket, Frame *frame)
{
	Buffer	   *into;

	if (!frame_only(frame, 0))
	{
		roost_error(socket, &frame->members[FRAME_ID], frame->sqlstate, frame->problem);
		return;
	}
	into = roost_text("pong", &frame->members[FRAME_ID]);
	/* who resumes later must not begin after what it has missed */
	append_cursor(into, hub_has_channels(&socket->subscriber) ? hub_cursor(&socket->subscriber) : (Cursor) {0});
	roost_send(socket, into);
}

/* Does what a frame asks for. */
static void
do_frame(RoostSocket *socket, Frame *frame)
{
	const FrameText *type = &frame->members[FRAME_TYPE];

#define IS(name) (type->length == sizeof(name) + 1 && memcmp(type->data + 1, name, sizeof(name) - 1) == 0)
	if (type->data == NULL && frame->members[FRAME_METHOD].data)
		call_run(socket, frame);
	else if (type->data == NULL)
		roost_error(socket, &frame->members[FRAME_ID], "ROMIS", "A frame has a type, or a method and a path.");
	else if (IS("ping"))
		do_ping(socket, frame);
	else if (IS("subscribe"))
		do_subscribe(socket, frame, true);
	else if (IS("unsubscribe"))
		do_subscribe(socket, frame, false);
	else if (IS("resume"))
		do_resume(socket, frame);
	else if (IS("auth"))
		ask_auth(socket, frame);
	else if (IS("signal"))
		ask_signal(socket, frame);
	else
		roost_error(socket, &frame->members[FRAME_ID], "22023",
					"The type of a frame is auth, subscribe, unsubscribe, resume, signal or ping.");
#undef IS
}

/* A message has come. */
static void
roost_message(Ws *ws, WsOpcode opcode, char *data, size_t length)
{
	RoostSocket *socket = container_of(ws, RoostSocket, ws);
	Frame		frame;

	if (opcode == WS_BINARY)
		ws_close(ws, 1003, "only texts are understood here");
	else if (frame_read(data, length, &frame))
		do_frame(socket, &frame);
	else
		roost_error(socket, &frame.members[FRAME_ID], frame.sqlstate, frame.problem);
}

/* Returns the host that was asked for, or NULL; one that cannot be a host is not kept. */
static const char *
asked_host(const Request *request)
{
	const char *forwarded = request->from_proxy ? request_header(request, "x-forwarded-host") : NULL;
	const char *host = forwarded ? forwarded : request_header(request, "host");

	return host && strlen(host) <= HOST_LIMIT ? host : NULL;
}

/* The handshake is done. */
static void
roost_open(Ws *ws, const Request *request, const StreamIdentity *identity)
{
	RoostSocket *socket = container_of(ws, RoostSocket, ws);
	Buffer	   *into = roost_text("hello", NULL);

	list_init(&socket->calls);
	list_init(&socket->questions);
	ev_init(&socket->timer, on_timer);
	socket->secure = request->secure;
	socket->host = memory_copy(asked_host(request));
	socket->subscriber.kind = &roost_subscriber;
	socket->subscriber.account_id = identity->account_id;
	socket->subscriber.session_id = identity->session_id;
	hub_enter(&socket->subscriber);
	buffer_printf(into, ",\"version\":\"%s\",\"heartbeat\":%g", ROOST_VERSION, config.stream_heartbeat / 1000.0);
	roost_send(socket, into);
	if (identity->account_id)
	{
		socket->token = memory_copy(identity->token);
		socket->expires_at = identity->expires_at;
		roost_ready(socket, NULL);
	}
	if (!ws->closing)
		roost_schedule(socket);
}

/* Nothing can be sent any more. */
static void
roost_end(Ws *ws)
{
	RoostSocket *socket = container_of(ws, RoostSocket, ws);

	hub_leave(&socket->subscriber);
	ev_timer_stop(EV_DEFAULT_UC_ & socket->timer);
	call_forget(socket);
	ask_forget(socket);
	free(socket->token);
	free(socket->host);
	free(socket->resume_id);
	buffer_free(&socket->begin_ids);
	socket->token = socket->host = socket->resume_id = NULL;
}

const WsKind ws_roost = {
	.name = "roost.v1",
	.size = sizeof(RoostSocket),
	.open = roost_open,
	.message = roost_message,
	.answer = call_answer,
	.end = roost_end,
};
