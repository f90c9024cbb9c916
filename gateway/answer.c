/*-------------------------------------------------------------------------
 *
 * answer.c
 *		The answer to a request: headers, compression, log line, counters.
 *
 * Whoever answers calls answer_start(), answer_header() any number of times,
 * and answer_send() once, after which the request is no longer theirs.  What
 * every answer needs is added here: date, request id, security headers, CORS.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "config.h"
#include "gzip.h"
#include "guard.h"
#include "http1.h"
#include "http2.h"
#include "log.h"
#include "metrics.h"
#include "long_poll.h"
#include "problem.h"
#include "reader.h"
#include "request.h"
#include "ws.h"

#define GZIP_MIN 1024

static const char api_security[] =
"content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n"
"cross-origin-resource-policy: same-origin\r\n"
"referrer-policy: no-referrer\r\n"
"x-content-type-options: nosniff\r\n";

static const char page_security[] =
"content-security-policy: default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"
"cross-origin-opener-policy: same-origin\r\n"
"cross-origin-resource-policy: same-origin\r\n"
"referrer-policy: no-referrer\r\n"
"x-content-type-options: nosniff\r\n"
"x-frame-options: DENY\r\n";

/* The console: only its own scripts and styles, and no way from text to markup. */
static const char strict_security[] =
"content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
"cross-origin-opener-policy: same-origin\r\n"
"cross-origin-resource-policy: same-origin\r\n"
"referrer-policy: no-referrer\r\n"
"x-content-type-options: nosniff\r\n"
"x-frame-options: DENY\r\n";

static const char transport_security[] = "strict-transport-security: max-age=31536000; includeSubDomains\r\n";

/* Begins an answer. */
void
answer_start(Request *request, int status)
{
	request->status = status;
	request->answer_head.length = 0;
}

/* Notes what the common headers depend on; returns false for a header that is not for us to pass on. */
static bool
answer_note(Request *request, const char *line, size_t name_length)
{
	static const char *const ours[] = {"content-length", "transfer-encoding", "connection", "keep-alive", "date", "x-request-id",
	POLL_HEADER};

#define IS(name) (name_length == sizeof(name) - 1 && strncasecmp(line, name, name_length) == 0)
	for (size_t i = 0; i < lengthof(ours); i++)
		if (strlen(ours[i]) == name_length && strncasecmp(line, ours[i], name_length) == 0)
			return false;
	request->has_type |= IS("content-type");
	request->has_cache |= IS("cache-control");
	request->has_tag |= IS("etag");
	request->has_cookie |= IS("set-cookie");
	request->has_retry |= IS("retry-after");
#undef IS
	return true;
}

/* Adds a header given as "Name: value". */
void
answer_header_line(Request *request, const char *line, size_t length)
{
	Buffer	   *head = &request->answer_head;
	const char *colon = memchr(line, ':', length);
	size_t		name_length = colon ? (size_t) (colon - line) : 0;
	const char *value;

	if (name_length == 0 || memchr(line, '\r', length) || memchr(line, '\0', length) ||
		!answer_note(request, line, name_length))
		return;
	for (size_t i = 0; i < name_length; i++)
		if (strchr(" \t()<>@,;\\\"/[]?={}", line[i]) != NULL)
			return;
	for (value = colon + 1; value < line + length && *value == ' ';)
		value++;
	buffer_reserve(head, length + 4);
	for (size_t i = 0; i < name_length; i++)
		head->data[head->length++] = (char) (line[i] >= 'A' && line[i] <= 'Z' ? line[i] | 0x20 : line[i]);
	buffer_append(head, ": ", 2);
	buffer_append(head, value, (size_t) (line + length - value));
	buffer_append(head, "\r\n", 2);
}

/* Adds a header; the name is in lower case. */
void
answer_header(Request *request, const char *name, const char *value)
{
	answer_note(request, name, strlen(name));
	buffer_append_text(&request->answer_head, name);
	buffer_append(&request->answer_head, ": ", 2);
	buffer_append_text(&request->answer_head, value);
	buffer_append(&request->answer_head, "\r\n", 2);
}

/* Returns the microseconds since a request was complete. */
static uint64_t
answer_elapsed(const Request *request)
{
	double		elapsed = ev_time() - request->received;

	return elapsed > 0 ? (uint64_t) (elapsed * 1e6) : 0;
}

/* Begins a line of the access log: when, who, what. */
void
answer_log_start(Buffer *line, double received, const char *id, const char *address, const char *method, const char *path)
{
	static char stamp[32];
	static time_t stamp_of;
	time_t		seconds = (time_t) received;

	if (seconds != stamp_of)
	{
		struct tm	tm;

		gmtime_r(&seconds, &tm);
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
		stamp_of = seconds;
	}
	buffer_append(line, "{\"time\":\"", 9);
	buffer_append_text(line, stamp);
	buffer_printf(line, ".%03dZ\",\"id\":\"%s\",\"address\":\"%s\",\"method\":", (int) ((received - (double) seconds) * 1000),
				  id, address);
	buffer_append_json(line, method);
	buffer_append(line, ",\"path\":", 8);
	buffer_append_json(line, path);
}

/* Returns the path of a request as the access log has it: a secret in it is a star.  To be freed. */
static char *
answer_log_path(const Request *request)
{
	char	   *path = memory_copy(message_path(&request->message));
	char	   *segment = path + (route_without_base(path) - path);

	for (int place = 0; place < 32 && *segment == '/'; place++)
	{
		char	   *end;

		segment++;
		end = segment + strcspn(segment, "/");
		if (request->route.secret_segments & (UINT32_C(1) << place) && end > segment)
		{
			*segment = '*';
			memmove(segment + 1, end, strlen(end) + 1);
			end = segment + 1;
		}
		segment = end;
	}
	return path;
}

/* Writes the line of the access log. */
static void
answer_log(const Request *request, uint64_t microseconds)
{
	Buffer	   *line = log_access_buffer();
	bool		is_call = request->version == REQUEST_CALL;
	char	   *path;

	if (line == NULL)
		return;
	path = request->route.secret_segments ? answer_log_path(request) : NULL;
	answer_log_start(line, request->received, request->id, request->address_text, request->message.method_name,
					 path ? path : message_path(&request->message));
	free(path);
	buffer_printf(line, ",\"status\":%d,\"bytes\":%zu,\"ms\":%u.%03u,\"http\":%d%s}\n", request->status, request->answer_length,
				  (unsigned) (microseconds / 1000), (unsigned) (microseconds % 1000), is_call ? 1 : request->version,
				  is_call ? ",\"ws\":true" : "");
	log_access_end();
}

/* Adds the headers that every answer has. */
static void
answer_common_headers(Request *request)
{
	Buffer	   *head = &request->answer_head;

	if (request->version == REQUEST_CALL)
	{
		/* the rest is about browsers and HTTP */
		reader_headers(request);
		answer_header(request, "x-request-id", request->id);
		return;
	}
	if (request->cached)
		answer_header(request, "x-cache", request->cached);
	if (!request->has_cache)
		answer_header(request, "cache-control", request->has_tag ? "private, no-cache" : "no-store");
	if (request->is_strict)
		buffer_append(head, strict_security, sizeof(strict_security) - 1);
	else if (request->is_page)
		buffer_append(head, page_security, sizeof(page_security) - 1);
	else
		buffer_append(head, api_security, sizeof(api_security) - 1);
	if (request->secure)
		buffer_append(head, transport_security, sizeof(transport_security) - 1);
	reader_headers(request);
	guard_cors_headers(request);
	buffer_append(head, "x-request-id: ", 14);
	buffer_append_text(head, request->id);
	buffer_append(head, "\r\ndate: ", 8);
	buffer_append_text(head, http_date());
	buffer_append(head, "\r\n", 2);
}

/* Compresses the body if that is wanted and worth it; returns whether it did. */
static bool
answer_compress(Request *request, const char *body, size_t length)
{
	const char *accepted;

	if (!config.gzip || request->version == REQUEST_CALL || length < GZIP_MIN || request->is_page || request->has_cookie || request->route.sensitive ||
		request->message.method == METHOD_HEAD)
		return false;
	buffer_append_text(&request->answer_head, "vary: Accept-Encoding\r\n");
	accepted = request_header(request, "accept-encoding");
	if (accepted == NULL || !http_accepts(accepted, "gzip") || !gzip_compress(body, length, &request->answer_body))
		return false;
	answer_header(request, "content-encoding", "gzip");
	return true;
}

/*
 * Sends the answer.  The body is copied unless it is lasting; the request is
 * gone afterwards.
 */
void
answer_send(Request *request, const char *body, size_t length, bool lasting)
{
	uint64_t	microseconds = answer_elapsed(request);
	bool		no_body = request->status == 204 || request->status == 304;

	request->answer = body;
	request->answer_length = no_body ? 0 : length;
	request->answer_body.length = 0;
	if (!no_body && !lasting && answer_compress(request, body, length))
	{
		request->answer = request->answer_body.data;
		request->answer_length = request->answer_body.length;
		lasting = true;
	}
	if (!request->has_type && !no_body && length > 0)
		answer_header(request, "content-type", "application/json");
	answer_common_headers(request);
	if (!no_body && request->version != REQUEST_CALL)
	{
		buffer_append(&request->answer_head, "content-length: ", 16);
		buffer_append_number(&request->answer_head, request->answer_length);
		buffer_append(&request->answer_head, "\r\n", 2);
	}
	if (request->message.method == METHOD_HEAD)
		request->answer_length = 0;
	metrics_request(request->route.metric, request->lane, request->version, request->status, microseconds);
	answer_log(request, microseconds);
	if (request->version == REQUEST_CALL)
		ws_answer(request);
	else if (request->version == 2)
	{
		if (!lasting && request->answer_length > 0)
		{
			buffer_append(&request->answer_body, request->answer, request->answer_length);
			request->answer = request->answer_body.data;
		}
		http2_answer(request);
	}
	else
		http1_answer(request, lasting && request->answer != request->answer_body.data);
}

/* Keeps a request that waits for something to happen; on_gone is called when its client does not. */
void
answer_wait(Request *request)
{
	if (request->version == 1)
	{
		conn_enter(request->conn, CONN_STREAM);
		conn_settle(request->conn);
	}
}

/* Sends status and headers of an answer whose body comes in pieces. */
void
answer_stream(Request *request)
{
	answer_common_headers(request);
	metrics_request(request->route.metric, request->lane, request->version, request->status, answer_elapsed(request));
	request->streaming = true;
	request->answer_length = 0;
	buffer_free(&request->answer_body);
	if (request->version == 2)
		http2_stream(request);
	else
		http1_stream(request);
	message_slim(&request->message);
	buffer_free(&request->answer_head);
	buffer_free(&request->forward);
}

/* Sends a piece of the body; returns false, and does not send it, if the client leaves too much unread. */
bool
answer_piece(Request *request, const char *data, size_t length)
{
	request->answer_length += length;
	return request->version == 2 ? http2_piece(request, data, length) : http1_piece(request, data, length);
}

/* Writes the log line of an answer in pieces that has ended. */
void
answer_stream_log(const Request *request)
{
	answer_log(request, answer_elapsed(request));
}

/* Ends an answer in pieces; the request is gone afterwards. */
void
answer_end(Request *request)
{
	answer_stream_log(request);
	if (request->version == 2)
		http2_end(request);
	else
		http1_end(request);
}

/* Ends an answer in pieces whose client does not read; on_gone is called, soon. */
void
answer_cut(Request *request)
{
	if (request->version == 2)
		http2_cut(request);
	else
		conn_kill(request->conn);
}

/* Sends what roost.handle returned: "STATUS\nName: value\n...\n\nBODY". */
void
answer_from_handle(Request *request, const char *text, size_t length)
{
	const char *end = text + length;
	char	   *after;
	long		status = strtol(text, &after, 10);
	const char *line = after + 1;

	if (after == text || *after != '\n' || status < 200 || status > 599)
	{
		log_error("request %s: roost.handle returned no status", request->id);
		request_fail(request, "XX000", NULL);
		return;
	}
	answer_start(request, (int) status);
	while (line < end && *line != '\n')
	{
		const char *stop = memchr(line, '\n', (size_t) (end - line));

		if (stop == NULL)
			stop = end;
		answer_header_line(request, line, (size_t) (stop - line));
		line = stop + 1;
	}
	line = line < end ? line + 1 : end;
	answer_send(request, line, (size_t) (end - line), false);
}
