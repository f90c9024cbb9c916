/*-------------------------------------------------------------------------
 *
 * ws.c
 *		WebSockets: the protocol on a connection (RFC 6455).
 *
 * A third protocol beside http1.c and http2.c: ws_upgrade.c makes a Ws of a
 * connection whose handshake was right, and what its messages mean is up to
 * the WsKind, the sub-protocol (ws_roost.c, and ws_echo here).
 *
 * An idle socket has its Conn and its Ws and no buffer at all.  What is sent
 * goes to the kernel at once, from where it lies; only what the kernel does
 * not take is copied into Conn.out.  While frames of the client are being
 * understood everything gathers there, and is written once at the end.
 *
 * Bounds: a message is at most stream-frame-limit long (1009).  A socket may
 * send stream-frame-rate frames and stream-byte-rate bytes a second, on
 * average over BURST seconds (1008).  Of what the client does not take, we
 * hold stream-output-limit bytes, and besides the answers of its calls, of
 * which there are few at once; one event more and it is cut off (4409).  If
 * the kernel takes nothing for write-timeout, it is cut off, too.  No input is
 * read meanwhile, so that a client cannot make us answer without reading.
 *
 * Time: all sockets stand in CONN_SOCKET in the order in which something came
 * from them.  After stream-heartbeat without a byte it is asked (ping), after
 * another one closed (4408).  A message must be complete within body-timeout
 * (1008), or else every socket could hold one that is not.
 *
 * Closing: our close frame is the last thing that is written; then our half of
 * the connection is closed, and what still comes is thrown away until the
 * client closes its half (CONN_LINGER).  That is the whole closing handshake,
 * whoever began it.  A Ws lives as long as its Conn; WsKind.end is called as
 * soon as nothing can be sent any more.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "config.h"
#include "log.h"
#include "metrics.h"
#include "peer.h"
#include "problem.h"
#include "ws.h"

#define BURST 10.0

static List blocked_sockets;	/* in the order of Ws.blocked */

/* Writes what has gathered, as far as the kernel takes it now. */
static void
ws_flush(Ws *ws)
{
	Conn	   *conn = ws->conn;
	ssize_t		sent;

	if (conn->out.length == 0 || conn->tls || conn->processing || conn->blocked > 0 || lws_partial_buffered(conn->wsi))
		return;
	sent = send(lws_get_socket_fd(conn->wsi), conn->out.data, conn->out.length, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* what is broken shows when the socket is written the usual way */
	if (sent <= 0)
		return;
	metrics->bytes_out += (uint64_t) sent;
	buffer_remove(&conn->out, (size_t) sent);
}

/* Returns whether that many bytes more may wait for the client; if not, it is cut off. */
static bool
ws_has_room(Ws *ws, size_t length)
{
	size_t		events = ws->conn->out.length - Min(ws->answers, ws->conn->out.length);

	if (events == 0 || events + length <= (size_t) config.stream_output_limit)
		return true;
	ws_close(ws, 4409, "too slow");
	return false;
}

/* Counts a frame that is sent. */
static void
ws_count(Ws *ws, size_t length)
{
	ws->frames_out++;
	ws->bytes_out += length;
	metrics->socket_frames_out++;
}

/* Sends a complete frame, or adds it to what waits. */
static void
ws_put(Ws *ws, const char *frame, size_t length)
{
	Conn	   *conn = ws->conn;

	ws_count(ws, length);
	if (conn->out.length == 0 && conn->tls == NULL && !conn->processing && conn->blocked == 0 &&
		!lws_partial_buffered(conn->wsi))
	{
		ssize_t		sent = send(lws_get_socket_fd(conn->wsi), frame, length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0)
		{
			metrics->bytes_out += (uint64_t) sent;
			frame += sent;
			length -= (size_t) sent;
		}
		if (length == 0)
			return;
	}
	buffer_append(&conn->out, frame, length);
	if (!conn->processing)
		conn_settle(conn);
}

/* Sends a complete frame of events. */
void
ws_send_frame(Ws *ws, const char *frame, size_t length)
{
	if (!ws->closing && ws_has_room(ws, length))
		ws_put(ws, frame, length);
}

/* Sends a complete frame, the answer to a call, which the client has to take whatever its length. */
void
ws_send_answer(Ws *ws, const char *frame, size_t length)
{
	if (ws->closing)
		return;
	ws->answers += length;
	ws_put(ws, frame, length);
}

/* Adds a frame to the output. */
static void
ws_add(Ws *ws, WsOpcode opcode, const char *data, size_t length)
{
	unsigned char head[WS_HEAD_MAX];
	size_t		head_length = ws_frame_head(head, opcode, length);

	ws_count(ws, head_length + length);
	buffer_reserve(&ws->conn->out, head_length + length);
	buffer_append(&ws->conn->out, head, head_length);
	buffer_append(&ws->conn->out, data, length);
}

/* Sends a message or a control frame. */
void
ws_send(Ws *ws, WsOpcode opcode, const char *data, size_t length)
{
	if (ws->closing || !ws_has_room(ws, length + WS_HEAD_MAX))
		return;
	ws_add(ws, opcode, data, length);
	if (ws->conn->processing)
		return;
	ws_flush(ws);
	conn_settle(ws->conn);
}

/*
 * Makes a text frame of what stands in a buffer behind `start` and WS_HEAD_MAX
 * bytes for its head.
 */
void
ws_finish_frame(Buffer *buffer, size_t start)
{
	unsigned char head[WS_HEAD_MAX];
	size_t		payload = buffer->length - start - WS_HEAD_MAX;
	size_t		head_length = ws_frame_head(head, WS_TEXT, payload);

	memmove(buffer->data + start + head_length, buffer->data + start + WS_HEAD_MAX, payload);
	memcpy(buffer->data + start, head, head_length);
	buffer->length = start + head_length + payload;
}

/* Tells the sub-protocol that it is over. */
static void
ws_end(Ws *ws, int code)
{
	if (ws->closing)
		return;
	ws->closing = true;
	ws->code = (uint16_t) code;
	peer_leave(&ws->address, PEER_STREAMS);
	metrics->sockets--;
	metrics_socket_closed(code);
	buffer_free(&ws->reader.message);
	ws->kind->end(ws);
}

/* Closes a socket, saying why; code 1005: without a code. */
void
ws_close(Ws *ws, int code, const char *reason)
{
	Conn	   *conn = ws->conn;
	char		payload[WS_CONTROL_MAX];
	size_t		length = Min(strlen(reason), sizeof(payload) - 2);

	if (ws->closing)
		return;
	payload[0] = (char) (code >> 8);
	payload[1] = (char) code;
	memcpy(payload + 2, reason, length);
	ws_end(ws, code);
	ws_add(ws, WS_CLOSE, payload, code == 1005 ? 0 : length + 2);
	http1_reader_clear(&conn->reader);
	conn->close_after = true;
	conn_enter(conn, CONN_WRITING);
	conn_settle(conn);
}

/* Takes what is used from an allowance; returns whether there was enough. */
static bool
ws_afford(double *at, double cost)
{
	double		now = ev_now(EV_DEFAULT_UC);

	*at = Max(*at, now) + cost;
	return *at - now <= BURST;
}

/* Does what a control frame asks for. */
static void
ws_control(Ws *ws)
{
	WsReader   *reader = &ws->reader;
	int			code;

	if (reader->control_opcode == WS_PING)
		ws_send(ws, WS_PONG, reader->control, reader->control_length);
	else if (reader->control_opcode == WS_CLOSE)
	{
		if (ws_read_close(reader, &code))
			ws_close(ws, code, "");
		else
			ws_close(ws, reader->code, reader->problem);
	}
}

/* Hands a message to the sub-protocol. */
static void
ws_message(Ws *ws)
{
	Buffer		message = ws->reader.message;
	WsOpcode	opcode = ws->reader.opcode;

	memset(&ws->reader.message, 0, sizeof(message));
	ws_next_message(&ws->reader);
	message.data[message.length] = '\0';
	ws->kind->message(ws, opcode, message.data, message.length);
	buffer_free(&message);
}

/* Understands as much as possible of what has come; the rest is kept. */
static void
ws_understand(Ws *ws, const char *data, size_t length)
{
	Conn	   *conn = ws->conn;

	conn->processing = true;
	while (!ws->closing && !ws->paused)
	{
		WsResult	result = ws_read(&ws->reader, (size_t) config.stream_frame_limit, &data, &length);

		if (result == WS_MORE)
			break;
		if (result == WS_BAD)
			ws_close(ws, ws->reader.code, ws->reader.problem);
		else if (result == WS_MESSAGE)
		{
			ws->message_at = 0;
			ws_message(ws);
		}
		else if (result == WS_CONTROL)
			ws_control(ws);
		else
		{
			if (ws->message_at == 0 && ws->reader.control_opcode == 0)
				ws->message_at = ev_now(EV_DEFAULT_UC);
			ws->frames_in++;
			metrics->socket_frames_in++;
			if (!ws_afford(&ws->frames_at, 1.0 / config.stream_frame_rate))
				ws_close(ws, 1008, "too many frames");
		}
	}
	conn->processing = false;
	if (length > 0 && !ws->closing)
		http1_reader_add(&conn->reader, data, length);
	ws_flush(ws);
}

/* Takes bytes from the client. */
void
ws_receive(Conn *conn, const char *data, size_t length)
{
	Ws		   *ws = conn->ws;

	if (ws->closing)
		return;
	ws->pinged = false;
	if (conn->state == CONN_SOCKET)
		conn_enter(conn, CONN_SOCKET);
	if (!ws_afford(&ws->bytes_at, (double) length / config.stream_byte_rate))
		ws_close(ws, 1008, "too many bytes");
	else if (ws->message_at > 0 && (ev_now(EV_DEFAULT_UC) - ws->message_at) * 1000 > config.body_timeout)
		ws_close(ws, 1008, "the message takes too long");
	else if (ws->paused)
		http1_reader_add(&conn->reader, data, length);
	else
		ws_understand(ws, data, length);
}

/* Goes on with the bytes that have been kept. */
void
ws_take_over(Conn *conn)
{
	Buffer		kept = conn->reader.in;
	size_t		start = conn->reader.start;

	memset(&conn->reader, 0, sizeof(conn->reader));
	ws_understand(conn->ws, kept.data + start, kept.length - start);
	buffer_free(&kept);
}

/* Keeps what comes, until ws_go_on(): what follows depends on an answer. */
void
ws_pause(Ws *ws)
{
	ws->paused = true;
}

/* Goes on with what has come meanwhile. */
void
ws_go_on(Ws *ws)
{
	if (!ws->paused)
		return;
	ws->paused = false;
	if (ws->conn->processing)
		return;					/* the caller's caller does */
	ws_take_over(ws->conn);
	conn_settle(ws->conn);
}

/* Returns whether more input is wanted now. */
bool
ws_wants_input(const Conn *conn)
{
	return !conn->ws->closing && !conn->ws->paused && conn->out.length < (size_t) config.stream_output_limit;
}

/* Notes since when output waits, and frees buffers that are empty; for conn_settle(). */
void
ws_settle(Conn *conn)
{
	Ws		   *ws = conn->ws;

	if (conn->out.length == 0)
		buffer_free(&conn->out);
	ws->answers = Min(ws->answers, conn->out.length);
	if (ws->blocked == conn->blocked)
		return;
	if (ws->blocked > 0)
		list_remove(&blocked_sockets, &ws->blocked_node);
	ws->blocked = conn->blocked;
	if (ws->blocked > 0)
		list_append(&blocked_sockets, &ws->blocked_node);
}

/* Nothing has come for a heartbeat: asks, or gives up. */
void
ws_time_out(Conn *conn)
{
	Ws		   *ws = conn->ws;

	/* what is not read cannot be heard */
	if (ws->paused || conn->blocked > 0)
		conn_enter(conn, CONN_SOCKET);
	else if (ws->pinged)
		ws_close(ws, 4408, "no sign of life");
	else
	{
		ws->pinged = true;
		conn_enter(conn, CONN_SOCKET);
		ws_send(ws, WS_PING, "", 0);
	}
}

/* Ends those that take nothing; called a few times a second. */
void
ws_tick(void)
{
	for (int n = blocked_sockets.count; n > 0; n--)
	{
		Ws		   *ws = container_of(list_first(&blocked_sockets), Ws, blocked_node);

		if ((ev_now(EV_DEFAULT_UC) - ws->blocked) * 1000 < config.write_timeout)
			break;
		ws_end(ws, 4409);
		conn_kill(ws->conn);
	}
}

/* Writes the line of the access log. */
static void
ws_log(const Ws *ws)
{
	Buffer	   *line = log_access_buffer();
	double		seconds = Max(ev_time() - ws->opened, 0);
	char		address[ADDRESS_TEXT_SIZE];

	if (line == NULL)
		return;
	address_format(&ws->address, address);
	answer_log_start(line, ws->opened, ws->id, address, "GET", ws->path);
	buffer_printf(line, ",\"status\":101,\"bytes\":%llu,\"ms\":%.3f,\"http\":1,\"frames_in\":%llu,\"frames_out\":%llu,\"code\":%d}\n",
				  (unsigned long long) ws->bytes_out, seconds * 1000, (unsigned long long) ws->frames_in,
				  (unsigned long long) ws->frames_out, ws->code);
	log_access_end();
}

/* Gives the socket of a connection back, which ends. */
void
ws_free(Conn *conn)
{
	Ws		   *ws = conn->ws;

	ws_end(ws, 1006);
	if (ws->blocked > 0)
		list_remove(&blocked_sockets, &ws->blocked_node);
	ws_log(ws);
	free(ws->path);
	free(ws);
	conn->ws = NULL;
}

/* Writes what agrees to the handshake. */
static void
ws_agree(Request *request, const WsKind *kind, const char *accept, bool named)
{
	Buffer	   *out = &request->conn->out;

	buffer_append_text(out, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ");
	buffer_append_text(out, accept);
	if (named)
		buffer_printf(out, "\r\nsec-websocket-protocol: %s", kind->name);
	buffer_printf(out, "\r\nx-request-id: %s\r\ndate: %s\r\n\r\n", request->id, http_date());
}

/*
 * Makes a WebSocket of the connection of a request, which is used up; named:
 * the client has named the sub-protocol.
 */
void
ws_start(Request *request, const WsKind *kind, const StreamIdentity *identity, const char *accept, bool named)
{
	Conn	   *conn = request->conn;
	const char *path = message_path(&request->message);
	size_t		size = strlen(path) + 1;
	Ws		   *ws;

	if (request_is_draining())
	{
		request_fail(request, "RO503", "The gateway is stopping.");
		return;
	}
	if (!peer_enter(&request->address, PEER_STREAMS, config.stream_connections))
	{
		request_fail(request, "RO429", "This address has too many streams.");
		return;
	}
	if (blocked_sockets.head.next == NULL)
		list_init(&blocked_sockets);
	ws = memory_new(kind->size);
	ws->kind = kind;
	ws->conn = conn;
	ws->address = request->address;
	ws->opened = request->received;
	ws->path = memory_new(size + strlen(request->id) + 1);
	memcpy(ws->path, path, size);
	ws->id = strcpy(ws->path + size, request->id);
	metrics->sockets++;
	metrics->sockets_opened++;
	conn->ws = ws;
	conn->request = NULL;
	conn_enter(conn, CONN_SOCKET);
	ws_agree(request, kind, accept, named);
	kind->open(ws, request, identity);
	request_free(request);
	/* http1_process() does it otherwise */
	if (!conn->processing)
		ws_take_over(conn);
	conn_settle(conn);
}

/* Hands the answer to a call to the sub-protocol. */
void
ws_answer(Request *request)
{
	Ws		   *ws = request->conn->ws;

	ws->kind->answer(ws, request);
}

/* Sends back what has come. */
static void
echo_message(Ws *ws, WsOpcode opcode, char *data, size_t length)
{
	ws_send(ws, opcode, data, length);
}

static void
echo_open(Ws *ws, const Request *request, const StreamIdentity *identity)
{
}

static void
echo_end(Ws *ws)
{
}

/* For tests of conformance. */
const WsKind ws_echo = {
	.name = "roost.echo",
	.size = sizeof(Ws),
	.open = echo_open,
	.message = echo_message,
	.end = echo_end,
};
