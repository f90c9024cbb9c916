/*-------------------------------------------------------------------------
 *
 * ws_call.c
 *		The sub-protocol roost.v1: calls, which are requests in a frame.
 *
 * A call becomes a Request like one of HTTP, with the socket's token as
 * Authorization, and goes through request_run(): the same routes, lanes,
 * limits and errors.  Its answer becomes one frame.  Of the headers only those
 * are taken that make sense for a call; who asks, from where and for which
 * host, the handshake has told.
 *
 * When the socket ends its calls are abandoned, as those of HTTP: what waits
 * for the database is dropped.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "config.h"
#include "ws_roost.h"

#define FRAME_KEEP (64 * 1024)

typedef struct RoostCall
{
	ListNode	node;
	Request    *request;
	size_t		id_length;
	char		id[];
} RoostCall;

static const char *const call_headers[] = {
	"accept-language", "idempotency-key", "if-none-match", "roost-position", "x-request-id"
};

/* Returns whether a header of a call is taken. */
static bool
header_is_taken(const char *name)
{
	for (size_t i = 0; i < lengthof(call_headers); i++)
		if (strcasecmp(call_headers[i], name) == 0)
			return true;
	return false;
}

/* Takes the headers of a call; returns NULL, or what is wrong. */
static const char *
take_headers(Message *message, const Frame *frame)
{
	json_t	   *headers = frame_json(frame, FRAME_HEADERS);
	const char *problem = NULL;
	const char *name;
	json_t	   *value;

	if (frame->members[FRAME_HEADERS].data && !json_is_object(headers))
		problem = "The member headers must be an object of texts.";
	json_object_foreach(headers, name, value)
	{
		const char *text = json_string_value(value);

		if (text == NULL)
			problem = "The member headers must be an object of texts.";
		else if (!header_is_taken(name))
			problem = "The headers of a call are Accept-Language, Idempotency-Key, If-None-Match, Roost-Position and X-Request-Id.";
		else
			for (const char *c = text; *c; c++)
				if (((unsigned char) *c < 0x20 && *c != '\t') || *c == 0x7f)
					problem = "A header holds a control character.";
		if (problem || !message_add_header(message, name, strlen(name), text, strlen(text)))
			break;
	}
	json_decref(headers);
	return problem;
}

/* Adds the headers that the socket knows. */
static void
add_headers(Message *message, const RoostSocket *socket)
{
	if (socket->host)
		message_add_header(message, "host", 4, socket->host, strlen(socket->host));
	if (socket->token)
	{
		Buffer		value = {0};

		buffer_printf(&value, "Bearer %s", socket->token);
		message_add_header(message, "authorization", 13, value.data, value.length);
		explicit_bzero(value.data, value.length);
		buffer_free(&value);
	}
	if (message->has_body)
		message_add_header(message, "content-type", 12, "application/json", 16);
}

/* Fills a message with what a frame asks; returns NULL, or what is wrong, with its SQLSTATE. */
static const char *
read_call(Message *message, const RoostSocket *socket, Frame *frame, const char **sqlstate)
{
	const FrameText *body = &frame->members[FRAME_BODY];
	char	   *method = frame_string(frame, FRAME_METHOD);
	char	   *path = frame_string(frame, FRAME_PATH);
	const char *problem = NULL;

	*sqlstate = "22023";
	if (method == NULL || path == NULL)
	{
		*sqlstate = frame->members[FRAME_PATH].data ? "ROTYP" : "ROMIS";
		problem = "A call has a method and a path, which are texts.";
	}
	else if (strlen(method) > HTTP_MAX_METHOD || !http_is_token(method))
		problem = "The method is not a word.";
	else if (*path != '/' || strlen(path) > (size_t) config.header_limit || !message_set_target(message, path, strlen(path)))
		problem = "The path must begin with / and have no spaces.";
	else
	{
		strcpy(message->method_name, method);
		message->method = http_method(method);
		if (body->data && !(body->length == 4 && memcmp(body->data, "null", 4) == 0))
		{
			buffer_append(&message->body, body->data, body->length);
			message->has_body = true;
		}
		problem = take_headers(message, frame);
		add_headers(message, socket);
	}
	free(method);
	free(path);
	return problem;
}

/* Returns whether a path, in which characters may be escaped, is a name. */
static bool
path_is(const char *path, const char *name)
{
	for (; *path && *name; path++, name++)
	{
		int			high = *path == '%' ? http_hex_digit(path[1]) : -1;
		int			low = high >= 0 ? http_hex_digit(path[2]) : -1;

		if (*name != (low >= 0 ? (char) (high << 4 | low) : *path))
			return false;
		path += low >= 0 ? 2 : 0;
	}
	return *path == *name;
}

/* Returns whether a path is of what the gateway itself does: streams, which have no answer, and what only operators ask. */
static bool
path_is_no_call(const char *path)
{
	static const char *const names[] = {"/stream", "/events", "/events/stream", "/metrics", "/health"};

	path = route_without_base(path);
	for (size_t i = 0; i < lengthof(names); i++)
		if (path_is(path, names[i]))
			return true;
	return false;
}

/* Makes a call of a request. */
static void
call_new(RoostSocket *socket, Request *request, const FrameText *id)
{
	RoostCall  *call = memory_new(sizeof(RoostCall) + id->length + 1);

	call->request = request;
	call->id_length = id->data ? id->length : 0;
	memcpy(call->id, id->data ? id->data : "", call->id_length);
	list_append(&socket->calls, &call->node);
	request->owner = call;
	request->secure = socket->secure;
	request->address = socket->ws.address;
	address_format(&request->address, request->address_text);
}

/* Runs a call. */
void
call_run(RoostSocket *socket, Frame *frame)
{
	const FrameText *id = &frame->members[FRAME_ID];
	const char *sqlstate = "ROUNK";
	const char *problem;
	Request    *request;

	if (!frame_only(frame, FRAME_HAS(FRAME_METHOD) | FRAME_HAS(FRAME_PATH) | FRAME_HAS(FRAME_HEADERS) | FRAME_HAS(FRAME_BODY)))
	{
		roost_error(socket, id, frame->sqlstate, frame->problem);
		return;
	}
	if (roost_is_busy(socket))
	{
		roost_error(socket, id, "53400", "At most 16 calls and signals run at once.");
		return;
	}
	request = request_new(socket->ws.conn, REQUEST_CALL);
	problem = read_call(&request->message, socket, frame, &sqlstate);
	if (problem)
	{
		request_free(request);
		roost_error(socket, id, sqlstate, problem);
		return;
	}
	call_new(socket, request, id);
	if (path_is_no_call(message_path(&request->message)))
		request_fail(request, "RO404", "Streams and what the gateway says of itself are not for calls.");
	else if (socket->ws.conn->out.length >= (size_t) config.stream_output_limit)
		request_fail(request, "RO503", "Too many answers wait for the client.");
	else
		request_run(request);
}

/* Returns the line behind a header line. */
static const char *
next_line(const char *line, const char *end)
{
	const char *feed = memchr(line, '\n', (size_t) (end - line));

	return feed ? feed + 1 : end;
}

/* Returns the first line from `line` on that begins so, or end. */
static const char *
find_header(const char *line, const char *end, const char *name, size_t length)
{
	while (line < end && ((size_t) (end - line) < length || memcmp(line, name, length) != 0))
		line = next_line(line, end);
	return line;
}

/* Adds the headers of an answer as members; those that stand there again are joined. */
static void
append_headers(Buffer *into, const char *first, const char *end)
{
	static Buffer value;

	for (const char *line = first; line < end; line = next_line(line, end))
	{
		size_t		length = strcspn(line, ":") + 2;	/* with ": " */

		if (find_header(first, line, line, length) < line)
			continue;
		value.length = 0;
		for (const char *same = line; same < end; same = find_header(next_line(same, end), end, line, length))
		{
			buffer_append(&value, ", ", value.length ? 2 : 0);
			buffer_append(&value, same + length, strcspn(same, "\r") - length);
		}
		buffer_append(&value, "", 1);
		buffer_printf(into, "%s\"%.*s\":", line == first ? "" : ",", (int) length - 2, line);
		buffer_append_json(into, value.data);
	}
}

/* Returns whether the body of an answer is JSON. */
static bool
answer_is_json(const Request *request)
{
	static const char name[] = "content-type: ";
	const char *end = request->answer_head.data + request->answer_head.length;
	const char *type = find_header(request->answer_head.data, end, name, sizeof(name) - 1);

	return type < end && memmem(type, strcspn(type, "\r"), "json", 4);
}

/* Adds the body of an answer as a value. */
static void
append_body(Buffer *into, const Request *request)
{
	if (request->answer_length == 0)
		buffer_append(into, "null", 4);
	else if (answer_is_json(request))
		buffer_append(into, request->answer, request->answer_length);
	else
	{
		char	   *copy = strndup(request->answer, request->answer_length);

		buffer_append_json(into, copy ? copy : "");
		free(copy);
	}
}

/* Sends the answer to a call. */
void
call_answer(Ws *ws, Request *request)
{
	static Buffer frame;
	RoostSocket *socket = container_of(ws, RoostSocket, ws);
	RoostCall  *call = request->owner;
	FrameText	id = {call->id_length ? call->id : NULL, call->id_length};

	frame.length = 0;
	buffer_reserve(&frame, WS_HEAD_MAX);
	frame.length = WS_HEAD_MAX;
	buffer_append_text(&frame, "{\"type\":\"response\",");
	roost_append_id(&frame, &id);
	buffer_printf(&frame, ",\"status\":%d,\"headers\":{", request->status);
	append_headers(&frame, request->answer_head.data, request->answer_head.data + request->answer_head.length);
	buffer_append_text(&frame, "},\"body\":");
	append_body(&frame, request);
	buffer_append(&frame, "}", 1);
	ws_finish_frame(&frame, 0);
	list_remove(&socket->calls, &call->node);
	free(call);
	request_free(request);
	ws_send_answer(ws, frame.data, frame.length);
	buffer_trim(&frame, FRAME_KEEP);
}

/* The socket is gone. */
void
call_forget(RoostSocket *socket)
{
	ListNode   *node;

	while ((node = list_first(&socket->calls)) != NULL)
	{
		RoostCall  *call = container_of(node, RoostCall, node);

		list_remove(&socket->calls, node);
		request_abandon(call->request);
		free(call);
	}
}
