/*-------------------------------------------------------------------------
 *
 * http2.c
 *		HTTP/2 (RFC 9113), framed by nghttp2.
 *
 * A stream is a Request, kept in the connection's list until the stream
 * closes.  A stream that closes while its request is at the database cuts the
 * tie; the answer is thrown away.  A stream that is not complete after
 * body-timeout is answered with 408.  One that was answered before it was
 * complete is reset behind its answer, so that it does not stay open.
 *
 * Bounds: MAX_STREAMS open streams a connection, each with a head of at most
 * header-limit and a body of at most body-limit; all bodies of a connection
 * together are at most BODIES times body-limit, then 503.  Answers that wait
 * for the client are bounded by conn.c, pieces of answers that go on by
 * stream-output-limit, and a few times that for a connection.  A stream whose client takes less than
 * PROGRESS_MIN of an answer in write-timeout is reset; a connection whose
 * socket takes nothing for that long is closed.
 *
 * Sent away (ENHANCE_YOUR_CALM) is who, in one second, ends more than
 * RESET_LIMIT streams early, or makes us end them by breaking the rules; sends
 * more than CONTROL_LIMIT frames that carry nothing (those that answer our
 * DATA do not count); or unpacks headers of more than HEADER_BOMB times
 * header-limit.  nghttp2 bounds what it has to acknowledge, the settings in a
 * frame and the CONTINUATIONs of a head by itself.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include <nghttp2/nghttp2.h>

#include "config.h"
#include "http2.h"
#include "log.h"
#include "metrics.h"

#define MAX_STREAMS 100
#define RESET_LIMIT 200
#define HEADER_ROOM 64
#define BODIES 4
#define CONTROL_LIMIT 1000
#define HEADER_BOMB 4
#define PROGRESS_MIN (16 * 1024)
#define STREAMS_UNREAD 4		/* times stream-output-limit, of a connection */

typedef struct Stream
{
	ListNode	node;
	Request    *request;
	double		opened;
	size_t		head_length;	/* of all headers, kept or not */
	size_t		body_length;
	size_t		held;			/* of the answer */
	double		progressed;		/* when the client had taken enough of it */
	size_t		progress;		/* how much that was */
	bool		complete;		/* the request has come */
	bool		reset;			/* by us */
	bool		refused;		/* answered before it was complete */
} Stream;

typedef struct Http2
{
	ListNode	node;
	Conn	   *conn;
	nghttp2_session *session;
	List		streams;
	size_t		body_length;	/* of all streams */
	size_t		held;			/* of the answers of all streams */
	double		second;			/* when counting began */
	int			resets;			/* since then */
	int			controls;		/* since then, less what was allowed */
	bool		misbehaved;
} Http2;

static List sessions;
static bool sessions_made;

/* Sends a client away. */
static void
http2_misbehave(Http2 *http2, const char *how)
{
	if (http2->misbehaved)
		return;
	http2->misbehaved = true;
	metrics->misbehaved++;
	log_write(LOG_DEBUG, "an HTTP/2 client is sent away: %s", how);
	nghttp2_session_terminate_session(http2->session, NGHTTP2_ENHANCE_YOUR_CALM);
	http2->conn->close_after = true;
}

/* Starts to count again every second. */
static void
http2_count(Http2 *http2)
{
	double		now = ev_time();

	if (now - http2->second < 1)
		return;
	http2->second = now;
	http2->resets = http2->controls = 0;
}

/* The header of a frame has come. */
static int
on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *header, void *arg)
{
	Http2	   *http2 = arg;

	if (header->type == NGHTTP2_HEADERS || (header->type == NGHTTP2_DATA && header->length > 0))
		return 0;
	http2_count(http2);
	if (++http2->controls > CONTROL_LIMIT)
		http2_misbehave(http2, "too many frames that carry nothing");
	return 0;
}

/* A frame has been sent. */
static int
on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	Http2	   *http2 = arg;
	Stream	   *stream;

	if (frame->hd.type == NGHTTP2_DATA)
		http2->controls = Max(http2->controls - 2, -CONTROL_LIMIT); /* a WINDOW_UPDATE of
																	 * stream and connection */
	if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (stream && !stream->complete)
		nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
	return 0;
}

/* Answers with an error before the request is complete. */
static void
stream_refuse(Stream *stream, const char *sqlstate, const char *detail)
{
	if (stream->refused || stream->complete)
		return;
	stream->refused = true;
	request_fail(stream->request, sqlstate, detail);
}

/* A request begins. */
static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	Http2	   *http2 = arg;
	Stream	   *stream;

	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	stream = memory_new(sizeof(Stream));
	stream->opened = ev_time();
	stream->request = request_new(http2->conn, 2);
	stream->request->stream = frame->hd.stream_id;
	list_append(&http2->streams, &stream->node);
	nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
	conn_enter(http2->conn, CONN_MULTIPLEX);
	return 0;
}

/* One header of a request. */
static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
		  const uint8_t *value, size_t value_length, uint8_t flags, void *arg)
{
	Stream	   *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	Request    *request;
	bool		fits = true;

	if (stream == NULL)
		return 0;
	stream->head_length += name_length + value_length;
	if (stream->head_length > (size_t) config.header_limit * HEADER_BOMB)
	{
		http2_misbehave(arg, "headers that unpack to too much");
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	if (stream->refused || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	request = stream->request;
	if (request->message.head.length + name_length + value_length > (size_t) config.header_limit)
		fits = false;
#define IS(text) (name_length == sizeof(text) - 1 && memcmp(name, text, sizeof(text) - 1) == 0)
	else if (IS(":method"))
	{
		size_t		length = Min(value_length, HTTP_MAX_METHOD);

		memcpy(request->message.method_name, value, length);
		request->message.method_name[length] = '\0';
		request->message.method = http_method(request->message.method_name);
	}
	else if (IS(":path"))
	{
		if (!message_set_target(&request->message, (const char *) value, value_length))
			stream_refuse(stream, "RO400", "The target must be a path.");
	}
	else if (IS(":authority"))
		fits = message_add_header(&request->message, "host", 4, (const char *) value, value_length);
	else if (*name != ':' && !(IS("host") && request_header(request, "host")))
		fits = message_add_header(&request->message, (const char *) name, name_length, (const char *) value, value_length);
#undef IS
	if (!fits)
		stream_refuse(stream, "RO431", "The headers are too long.");
	return 0;
}

/* A piece of a request's body. */
static int
on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t length, void *arg)
{
	Http2	   *http2 = arg;
	Stream	   *stream = nghttp2_session_get_stream_user_data(session, id);

	if (stream == NULL || stream->refused)
		return 0;
	if (stream->request->message.body.length + length > (size_t) config.body_limit)
	{
		stream_refuse(stream, "RO413", "The body is longer than this server takes.");
		return 0;
	}
	if (http2->body_length + length > (size_t) config.body_limit * BODIES)
	{
		stream_refuse(stream, "RO503", "Too many bodies are arriving on this connection.");
		return 0;
	}
	stream->body_length += length;
	http2->body_length += length;
	stream->request->message.has_body = true;
	buffer_append(&stream->request->message.body, data, length);
	return 0;
}

/* A frame is complete, perhaps the last of a request. */
static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	Stream	   *stream;

	if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
		!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (stream == NULL || stream->refused || stream->complete)
		return 0;
	stream->complete = true;
	request_run(stream->request);
	return 0;
}

/* Gives a stream and its request back. */
static void
stream_free(Stream *stream)
{
	Request    *request = stream->request;

	if (request->status == 0 || request->on_gone)
		request_abandon(request);
	else
		request_free(request);
	free(stream);
}

/* A stream has ended, by its answer or by the client. */
static int
on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
	Http2	   *http2 = arg;
	Stream	   *stream = nghttp2_session_get_stream_user_data(session, id);

	if (stream == NULL)
		return 0;
	nghttp2_session_set_stream_user_data(session, id, NULL);
	list_remove(&http2->streams, &stream->node);
	http2->body_length -= stream->body_length;
	http2->held -= stream->held;
	http2_count(http2);
	if (error != NGHTTP2_NO_ERROR && ++http2->resets > RESET_LIMIT)
		http2_misbehave(http2, "too many streams that end early");
	stream_free(stream);
	if (http2->streams.count == 0)
		conn_enter(http2->conn, CONN_IDLE);
	return 0;
}

/* Returns the callbacks, made once. */
static nghttp2_session_callbacks *
http2_callbacks(void)
{
	static nghttp2_session_callbacks *callbacks;

	if (callbacks == NULL)
	{
		nghttp2_session_callbacks_new(&callbacks);
		nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
		nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
		nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
		nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
		nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
		nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
		nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	}
	return callbacks;
}

/* Makes a connection speak HTTP/2. */
void
http2_start(Conn *conn)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 256 * 1024},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t) config.header_limit},
	};
	Http2	   *http2 = memory_new(sizeof(Http2));

	if (!sessions_made)
		list_init(&sessions);
	sessions_made = true;
	http2->conn = conn;
	list_init(&http2->streams);
	list_append(&sessions, &http2->node);
	conn->http2 = http2;
	if (nghttp2_session_server_new(&http2->session, http2_callbacks(), http2) != 0)
		log_fatal("out of memory for HTTP/2");
	nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings, lengthof(settings));
	nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0, 1024 * 1024);
	conn_enter(conn, CONN_IDLE);
}

/* Takes bytes from the client. */
void
http2_receive(Conn *conn, const char *data, size_t length)
{
	ssize_t		taken;

	conn->processing = true;
	taken = nghttp2_session_mem_recv(conn->http2->session, (const uint8_t *) data, length);
	conn->processing = false;

	/*
	 * the connection is beyond repair; what nghttp2 has to say about it is
	 * still sent
	 */
	if (taken < 0 || (!nghttp2_session_want_read(conn->http2->session) && !nghttp2_session_want_write(conn->http2->session)))
		conn->close_after = true;
}

/* Returns whether nghttp2 has something to send. */
bool
http2_has_output(Conn *conn)
{
	return nghttp2_session_want_write(conn->http2->session);
}

/* Returns how many bytes of answers wait for the client. */
size_t
http2_held(Conn *conn)
{
	return conn->http2->held;
}

/* Adds frames to the output, until it has that many bytes. */
void
http2_fill(Conn *conn, size_t limit)
{
	Http2	   *http2 = conn->http2;

	while (conn->out.length < limit)
	{
		const uint8_t *data;
		ssize_t		length = nghttp2_session_mem_send(http2->session, &data);

		if (length <= 0)
		{
			conn->close_after |= length < 0;
			break;
		}
		buffer_append(&conn->out, data, (size_t) length);
	}
	if (!nghttp2_session_want_read(http2->session) && !nghttp2_session_want_write(http2->session))
		conn->close_after = true;
}

/* Gives nghttp2 the next bytes of an answer's body. */
static ssize_t
on_read_body(nghttp2_session *session, int32_t id, uint8_t *into, size_t length, uint32_t *flags,
			 nghttp2_data_source *source, void *arg)
{
	Request    *request = source->ptr;
	size_t		part = Min(length, request->answer_length - request->answer_sent);

	memcpy(into, request->answer + request->answer_sent, part);
	request->answer_sent += part;
	if (request->answer_sent == request->answer_length)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t) part;
}

/* Gives nghttp2 the next bytes of a body that comes in pieces. */
static ssize_t
on_read_pieces(nghttp2_session *session, int32_t id, uint8_t *into, size_t length, uint32_t *flags,
			   nghttp2_data_source *source, void *arg)
{
	Http2	   *http2 = arg;
	Request    *request = source->ptr;
	Stream	   *stream = nghttp2_session_get_stream_user_data(session, id);
	Buffer	   *pieces = &request->answer_body;
	size_t		part = Min(length, pieces->length - request->answer_sent);

	if (part == 0 && !request->ended)
		return NGHTTP2_ERR_DEFERRED;
	if (part > 0)
		memcpy(into, pieces->data + request->answer_sent, part);
	request->answer_sent += part;
	if (stream)
	{
		stream->progressed = ev_time();
		stream->held -= part;
		http2->held -= part;
	}
	if (request->answer_sent == pieces->length)
	{
		buffer_free(pieces);
		request->answer_sent = 0;
		if (request->ended)
			*flags |= NGHTTP2_DATA_FLAG_EOF;
	}
	return (ssize_t) part;
}

/* Hands the head of an answer, and what reads its body, to nghttp2. */
static Stream *
http2_submit(Request *request, const nghttp2_data_provider *body)
{
	Conn	   *conn = request->conn;
	Stream	   *stream = nghttp2_session_get_stream_user_data(conn->http2->session, request->stream);
	nghttp2_nv	headers[HEADER_ROOM];
	char		status[4] = {(char) ('0' + request->status / 100), (char) ('0' + request->status / 10 % 10),
		(char) ('0' + request->status % 10), '\0'
	};
	char	   *line = request->answer_head.data;
	char	   *end = line + request->answer_head.length;
	size_t		count = 0;

	headers[count++] = (nghttp2_nv)
	{
		(uint8_t *) ":status", (uint8_t *) status, 7, 3, NGHTTP2_NV_FLAG_NONE
	};
	while (line < end && count < HEADER_ROOM)
	{
		char	   *stop = memchr(line, '\r', (size_t) (end - line));
		char	   *colon = memchr(line, ':', (size_t) (stop - line));

		headers[count++] = (nghttp2_nv)
		{
			(uint8_t *) line, (uint8_t *) colon + 2, (size_t) (colon - line), (size_t) (stop - colon - 2), NGHTTP2_NV_FLAG_NONE
		};
		line = stop + 2;
	}
	stream->progressed = ev_time();
	nghttp2_submit_response(conn->http2->session, request->stream, headers, count, body);
	return stream;
}

/* Hands the answer of a request to nghttp2; the request stays until its stream closes. */
void
http2_answer(Request *request)
{
	Conn	   *conn = request->conn;
	nghttp2_data_provider body = {.source.ptr = request,.read_callback = on_read_body};
	Stream	   *stream = http2_submit(request, request->answer_length > 0 ? &body : NULL);

	stream->held = request->entry ? request->answer_length : request->answer_body.length;
	conn->http2->held += stream->held;
	if (!conn->processing)
		conn_settle(conn);
}

/* Begins an answer whose body comes in pieces. */
void
http2_stream(Request *request)
{
	nghttp2_data_provider body = {.source.ptr = request,.read_callback = on_read_pieces};

	http2_submit(request, &body);
	if (!request->conn->processing)
		conn_settle(request->conn);
}

/* Goes on with an answer whose body has a new piece, or its end. */
static void
http2_resume(Request *request)
{
	Conn	   *conn = request->conn;

	nghttp2_session_resume_data(conn->http2->session, request->stream);
	if (!conn->processing)
		conn_settle(conn);
}

/* Adds a piece of the body; returns false if the client leaves too much unread. */
bool
http2_piece(Request *request, const char *data, size_t length)
{
	Http2	   *http2 = request->conn->http2;
	Stream	   *stream = nghttp2_session_get_stream_user_data(http2->session, request->stream);

	if (stream->reset)
		return true;			/* it is leaving */
	if (stream->held > 0 && (stream->held + length > (size_t) config.stream_output_limit ||
							 http2->held + length > (size_t) config.stream_output_limit * STREAMS_UNREAD))
		return false;
	if (stream->held == 0)
		stream->progressed = ev_time();
	if (request->answer_sent > request->answer_body.length / 2)
	{
		buffer_remove(&request->answer_body, request->answer_sent);
		request->answer_sent = 0;
	}
	buffer_append(&request->answer_body, data, length);
	stream->held += length;
	http2->held += length;
	http2_resume(request);
	return true;
}

/* Ends the body; the request stays until its stream closes. */
void
http2_end(Request *request)
{
	request->ended = true;
	http2_resume(request);
}

/* Resets the stream of a request. */
void
http2_cut(Request *request)
{
	Http2	   *http2 = request->conn->http2;
	Stream	   *stream = nghttp2_session_get_stream_user_data(http2->session, request->stream);

	if (stream->reset)
		return;
	stream->reset = true;
	nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, request->stream, NGHTTP2_CANCEL);
	if (!http2->conn->processing)
		conn_settle(http2->conn);
}

/* Tells the client that no more streams are taken; those that are open go on. */
void
http2_goodbye(Conn *conn)
{
	nghttp2_session *session = conn->http2->session;

	nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session),
						  NGHTTP2_NO_ERROR, NULL, 0);
	if (conn->http2->streams.count == 0)
		conn->close_after = true;
}

/* Refuses a request that does not become complete, and resets a stream whose answer is not taken. */
static void
stream_tick(Http2 *http2, Stream *stream, double now)
{
	Request    *request = stream->request;

	if (!stream->complete && !stream->refused && (now - stream->opened) * 1000 > config.body_timeout)
	{
		stream_refuse(stream, "RO408", "The request did not arrive in time.");
		return;
	}
	if (request->status == 0 || stream->reset)
		return;
	if (request->streaming ? stream->held == 0 : request->answer_sent >= stream->progress + PROGRESS_MIN)
	{
		stream->progress = request->answer_sent;
		stream->progressed = now;
	}
	else if ((now - stream->progressed) * 1000 > config.write_timeout)
		http2_cut(request);
}

/* Called a few times a second: ends what takes too long. */
void
http2_tick(void)
{
	double		now = ev_time();
	ListNode   *next;

	if (!sessions_made)
		return;
	for (ListNode *s = sessions.head.next; s != &sessions.head; s = next)
	{
		Http2	   *http2 = container_of(s, Http2, node);

		next = s->next;
		for (ListNode *n = http2->streams.head.next; n != &http2->streams.head; n = n->next)
			stream_tick(http2, container_of(n, Stream, node), now);
		if (http2->conn->blocked > 0 && (now - http2->conn->blocked) * 1000 > config.write_timeout)
			conn_kill(http2->conn);
	}
}

/* Ends HTTP/2 on a connection that is gone. */
void
http2_free(Conn *conn)
{
	Http2	   *http2 = conn->http2;
	ListNode   *node;

	while ((node = list_first(&http2->streams)) != NULL)
	{
		Stream	   *stream = container_of(node, Stream, node);

		list_remove(&http2->streams, node);
		stream_free(stream);
	}
	nghttp2_session_del(http2->session);
	list_remove(&sessions, &http2->node);
	conn->http2 = NULL;
	free(http2);
}
