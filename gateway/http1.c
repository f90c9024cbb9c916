/*-------------------------------------------------------------------------
 *
 * http1.c
 *		HTTP/1.1 and HTTP/1.0 on a connection.
 *
 * Bytes gather in Conn.reader, where http1_parse.c reads them, until a head is
 * complete, which becomes a Request; then the body moves into it.  Requests of
 * one connection are answered one after the other; those that the gateway
 * answers itself may share a write.  After bytes that are malformed the
 * connection is closed, and so it is after an answer in pieces.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <strings.h>

#include "config.h"
#include "http1.h"
#include "http2.h"
#include "metrics.h"
#include "ws.h"

#define OUT_ENOUGH (64 * 1024)

/* Answers with an error, after which the connection is closed. */
static void
http1_fail(Conn *conn, const char *sqlstate, const char *detail)
{
	Request    *request = conn->request;

	if (request == NULL)
		request = conn->request = request_new(conn, 1);
	request->message.keep_alive = false;
	http1_reader_clear(&conn->reader);
	conn_enter(conn, CONN_BUSY);
	request_fail(request, sqlstate, detail);
}

/* Answers with what is wrong with the bytes. */
static void
http1_refuse(Conn *conn)
{
	http1_fail(conn, conn->reader.sqlstate, conn->reader.problem);
}

/* Makes a request of a complete head. */
static void
http1_head(Conn *conn, size_t length)
{
	Request    *request = conn->request = request_new(conn, 1);
	const char *expect;

	if (http1_read_head(&conn->reader, length, &request->message) == HTTP1_BAD)
	{
		http1_refuse(conn);
		return;
	}
	expect = request_header(request, "expect");
	if (expect && strcasecmp(expect, "100-continue") != 0)
		http1_fail(conn, "RO417", "The only expectation known here is 100-continue.");
	else if (request->message.has_body)
	{
		conn_enter(conn, CONN_BODY);
		if (expect && !request->message.http10 && conn->reader.in.length == 0)
			buffer_append_text(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
	}
	else
	{
		conn_enter(conn, CONN_BUSY);
		request_run(request);
	}
}

/* Looks for the end of a head; returns whether it got any further. */
static bool
http1_scan_head(Conn *conn)
{
	Http1Reader *reader = &conn->reader;
	size_t		length;
	Http1Result result = http1_find_head(reader, &length);

	if (reader->in.length > 0 && conn->state != CONN_HEAD)
		conn_enter(conn, CONN_HEAD);
	if (result == HTTP1_COMPLETE)
		http1_head(conn, length);
	else if (result == HTTP1_BAD)
		http1_refuse(conn);
	else if (result == HTTP1_HTTP2 && conn->tls)
		http1_fail(conn, "RO505", "HTTP/2 is spoken here when ALPN agreed on it.");
	else if (result == HTTP1_HTTP2)
	{
		http2_start(conn);
		http2_receive(conn, reader->in.data + reader->start, reader->in.length - reader->start);
		http1_reader_clear(reader);
	}
	return result != HTTP1_MORE;
}

/* Reads on in a body; returns whether the request was run or refused. */
static bool
http1_body(Conn *conn)
{
	Request    *request = conn->request;

	switch (http1_read_body(&conn->reader, &request->message))
	{
		case HTTP1_COMPLETE:
			conn_enter(conn, CONN_BUSY);
			request_run(request);
			return true;
		case HTTP1_BAD:
			http1_refuse(conn);
			return true;
		default:
			return false;
	}
}

/* Understands as much as possible of what has come. */
static void
http1_process(Conn *conn)
{
	bool		further = true;

	if (conn->processing)
		return;
	conn->processing = true;
	while (further && conn->http2 == NULL && conn->ws == NULL && !conn->close_after && conn->state != CONN_DEAD && conn->state != CONN_LINGER)
	{
		if (conn->state == CONN_BODY)
			further = http1_body(conn);
		else if (conn->request || conn->tail_length > 0 || conn->out.length >= OUT_ENOUGH)
			break;
		else
			further = http1_scan_head(conn);
	}
	conn->processing = false;
	if (conn->ws)
		ws_take_over(conn);
}

/* Writes what waits, and goes on with what the client has sent meanwhile. */
static void
http1_flush(Conn *conn)
{
	while (conn->state == CONN_WRITING && conn->request == NULL)
	{
		conn_send(conn);
		if (conn->out.length > 0 || conn->tail_length > 0 || conn->close_after)
		{
			http1_process(conn);
			return;
		}
		http1_next(conn);
	}
}

/* Takes bytes from the client; while a stream goes on, nothing that it says matters. */
void
http1_receive(Conn *conn, const char *data, size_t length)
{
	if (conn->request && conn->request->streaming)
		return;
	http1_reader_add(&conn->reader, data, length);
	http1_process(conn);
	http1_flush(conn);
}

/* The output is written: wait for the next request, which may be here already, or for more of a stream. */
void
http1_next(Conn *conn)
{
	if (conn->request)
	{
		conn_enter(conn, CONN_STREAM);
		return;
	}
	conn_enter(conn, CONN_IDLE);
	if (conn->reader.in.length > 0)
		http1_process(conn);
	else if (request_is_draining())
		conn->close_after = true;
}

/* The head or the body did not come in time. */
void
http1_time_out(Conn *conn)
{
	http1_fail(conn, "RO408", conn->state == CONN_BODY ? "The body did not arrive in time." : "The headers did not arrive in time.");
}

/* Copies what is left of a body that does not last. */
static void
http1_keep(Conn *conn)
{
	const char *rest = conn->tail;
	size_t		length = conn->tail_length;

	conn->tail_length = 0;
	if (length <= OUT_ENOUGH)
	{
		buffer_append(&conn->out, rest, length);
		return;
	}
	/* in one piece of its own, so that writing a part moves nothing */
	buffer_append(&conn->answer, rest, length);
	conn->tail = conn->answer.data;
	conn->tail_length = length;
}

/* Writes the head of an answer; the connection ends after it unless it is kept alive. */
static void
http1_answer_head(Request *request, bool keep_alive)
{
	Buffer	   *out = &request->conn->out;

	buffer_reserve(out, 64 + request->answer_head.length);
	buffer_append(out, "HTTP/1.1 ", 9);
	buffer_append_number(out, (uint64_t) request->status);
	buffer_append(out, " ", 1);
	buffer_append_text(out, http_reason(request->status));
	buffer_append(out, "\r\n", 2);
	buffer_append(out, request->answer_head.data, request->answer_head.length);
	if (!keep_alive)
		buffer_append_text(out, "connection: close\r\n");
	else if (request->message.http10)
		buffer_append_text(out, "connection: keep-alive\r\n");
}

/* Writes the answer of a request and gives that back. */
void
http1_answer(Request *request, bool lasting)
{
	Conn	   *conn = request->conn;
	bool		keep_alive = request->message.keep_alive && !request_is_draining();

	http1_answer_head(request, keep_alive);
	buffer_append(&conn->out, "\r\n", 2);
	conn->close_after |= !keep_alive;
	conn->request = NULL;
	conn_enter(conn, CONN_WRITING);
	conn->tail = request->answer;
	conn->tail_length = request->answer_length;
	conn_send(conn);
	if (conn->tail_length > 0 && request->entry)
	{
		conn->tail_entry = request->entry;
		request->entry = NULL;
	}
	else if (!lasting && conn->tail_length > 0)
		http1_keep(conn);
	request_free(request);
	if (!conn->processing)
		http1_flush(conn);
	conn_settle(conn);
}

/* Begins an answer whose body comes in pieces; the connection ends with it. */
void
http1_stream(Request *request)
{
	Conn	   *conn = request->conn;

	http1_answer_head(request, false);
	if (!request->message.http10)
		buffer_append_text(&conn->out, "transfer-encoding: chunked\r\n");
	buffer_append(&conn->out, "\r\n", 2);
	if (!conn->processing)
		http1_reader_clear(&conn->reader);
	conn_enter(conn, CONN_STREAM);
	conn_settle(conn);
}

/* Writes what has been added to a stream, as far as the client takes it now. */
static void
http1_push(Conn *conn)
{
	conn_send(conn);
	if (conn->out.length > 0 && conn->state == CONN_STREAM)
		conn_enter(conn, CONN_WRITING);
	conn_settle(conn);
}

/* Writes a piece of the body; returns false if the client leaves too much unread. */
bool
http1_piece(Request *request, const char *data, size_t length)
{
	Conn	   *conn = request->conn;

	if (conn->close_after || conn->state == CONN_LINGER || conn->state == CONN_DEAD)
		return true;			/* it is leaving */
	if (conn->out.length > 0 && conn->out.length + length > (size_t) config.stream_output_limit)
		return false;
	if (request->message.http10)
		buffer_append(&conn->out, data, length);
	else
	{
		buffer_printf(&conn->out, "%zx\r\n", length);
		buffer_append(&conn->out, data, length);
		buffer_append(&conn->out, "\r\n", 2);
	}
	http1_push(conn);
	return true;
}

/* Ends the body, the request and the connection. */
void
http1_end(Request *request)
{
	Conn	   *conn = request->conn;

	if (!request->message.http10)
		buffer_append(&conn->out, "0\r\n\r\n", 5);
	conn->request = NULL;
	conn->close_after = true;
	conn_enter(conn, CONN_WRITING);
	request_free(request);
	conn_send(conn);
	conn_settle(conn);
}
