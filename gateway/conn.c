/*-------------------------------------------------------------------------
 *
 * conn.c
 *		Client connections: bytes in, bytes out, time limits.
 *
 * libwebsockets owns the sockets, as a guest in our libev loop, in its "raw"
 * role; what the bytes mean is read by http1.c, http2.c and ws.c.  The HTTP of
 * libwebsockets 4.1 is not used, because it hides what an API must see: it
 * closes without an answer when a head is too long or malformed, decodes and
 * normalises paths, knows no chunked bodies, and drops every HTTP/2 header
 * that it has no token for (Idempotency-Key, X-CSRF-Token).
 *
 * A connection is always in one state, which is a list; conn_enter() alone
 * moves it.  All connections of a list have the same time limit, so conn_tick()
 * looks only at the heads of the lists, and a request costs no timer.
 *
 * Every event ends in conn_settle(), which decides what the socket waits for:
 * - Reading stops while an HTTP/1 request is being answered and while output
 *   waits.  So a client that has closed its half still gets its answer, one
 *   that does not read cannot make us buffer without end, and neither spins.
 *   Whether it is gone altogether is asked now and then, while its request
 *   waits for a database connection (conn_check_waiting).  While an answer
 *   waits for something to happen, or goes on (CONN_STREAM), a little is read:
 *   who closes its half then is gone.
 * - An answer of HTTP/1 without TLS is written at once, headers and body in
 *   one call, from where they are (conn_send): nearly always the kernel takes
 *   it all, and neither a copy nor another turn of the loop is needed.
 * - What it does not take, and everything else, is written when libwebsockets
 *   says that it may, at most WRITE_SIZE at a time, because it keeps what the
 *   kernel does not take.
 *
 * What waits for clients is counted: beyond output-limit in all, or
 * ANSWERS_LIMIT of one connection, no more is asked of the database.
 *
 *-------------------------------------------------------------------------
 */
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cache_store.h"
#include "config.h"
#include "conn.h"
#include "http1.h"
#include "http2.h"
#include "log.h"
#include "metrics.h"
#include "peer.h"
#include "request.h"
#include "tls.h"
#include "ws.h"

#define WRITE_SIZE (64 * 1024)
#define OUT_LIMIT (256 * 1024)
#define ANSWERS_LIMIT (8 * 1024 * 1024)
#define IN_KEEP 2048
#define IN_AHEAD (16 * 1024)	/* read while an answer waits for something */
#define GONE_AFTER 1.0
#define LINGER_TIMEOUT 2000

static struct lws_context *context;
static struct lws_vhost *vhost;
static struct ev_loop *conn_loop;
static lws_sorted_usec_list_t heartbeat;
static List states[CONN_STATES];
static bool draining;
static Buffer cipher;

static int	on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length);

static const struct lws_protocols protocols[] = {
	{"client", on_event, 0, 0, 0, NULL, WRITE_SIZE},
	{NULL, NULL, 0, 0, 0, NULL, 0}
};

/* Passes on what libwebsockets complains about. */
static void
on_lws_log(int level, const char *line)
{
	char		copy[400];

	lws_strncpy(copy, line, sizeof(copy));
	copy[strcspn(copy, "\n")] = '\0';
	log_write(level == LLL_ERR ? LOG_WARNING : LOG_DEBUG, "libwebsockets: %s", copy);
}

/*
 * libwebsockets looks at its time limits only when a timer of its own fires:
 * keep one going.
 */
static void
on_heartbeat(lws_sorted_usec_list_t *timer)
{
	lws_sul_schedule(context, 0, timer, on_heartbeat, 500 * LWS_US_PER_MS);
}

/* Prepares for connections. */
void
conn_start(struct ev_loop *loop)
{
	struct lws_context_creation_info info = {0};
	void	   *loops[1] = {loop};

	for (int i = 0; i < CONN_STATES; i++)
		list_init(&states[i]);
	conn_loop = loop;
	lws_set_log_level(LLL_ERR, on_lws_log);
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	info.protocols = protocols;
	info.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
	info.foreign_loops = loops;
	info.gid = (gid_t) -1;
	info.uid = (uid_t) -1;
	info.pt_serv_buf_size = 16 * 1024;
	context = lws_create_context(&info);
	if (context == NULL)
		log_fatal("could not start libwebsockets (is libwebsockets-evlib-ev installed?)");
	vhost = lws_create_vhost(context, &info);
	if (vhost == NULL)
		log_fatal("could not make a virtual host of libwebsockets");
	on_heartbeat(&heartbeat);
}

/* Gives a connection and all it owns back; its requests go on without it. */
static void
conn_free(Conn *conn)
{
	list_remove(&states[conn->state], &conn->node);
	peer_leave(&conn->peer, PEER_CONNECTIONS);
	metrics->clients--;
	metrics->output -= conn->held;
	if (conn->http2)
		http2_free(conn);
	if (conn->ws)
		ws_free(conn);
	if (conn->request)
		request_abandon(conn->request);
	tls_free(conn->tls);
	buffer_free(&conn->reader.in);
	buffer_free(&conn->out);
	buffer_free(&conn->answer);
	cache_entry_release(conn->tail_entry);
	free(conn);
}

/* Takes a socket that has just been accepted, and is counted as one of its peer. */
void
conn_accept(int fd, const Address *peer)
{
	lws_adopt_desc_t adopt = {0};
	Conn	   *conn = memory_new(sizeof(Conn));
	struct lws *wsi;

	conn->peer = *peer;
	conn->entered = ev_now(conn_loop);
	list_append(&states[CONN_IDLE], &conn->node);
	metrics->clients++;
	metrics->accepted++;
	conn->reading = true;
	if (tls_is_on())
	{
		conn->tls = tls_new();
		conn_enter(conn, CONN_HEAD);
	}
	adopt.vh = vhost;
	adopt.type = LWS_ADOPT_SOCKET;
	adopt.fd.sockfd = fd;
	adopt.vh_prot_name = "client";
	adopt.opaque = conn;
	wsi = lws_adopt_descriptor_vhost_via_info(&adopt);
	if (wsi == NULL)
	{
		if (!conn->closed)
			close(fd);
		conn_free(conn);
		return;
	}
	conn->wsi = wsi;
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
}

/* Moves a connection to another state, or renews its time there: the only place that does. */
void
conn_enter(Conn *conn, ConnState state)
{
	/* nothing brings the dead back, and what lingers only dies */
	if (conn->state == CONN_DEAD || (conn->state == CONN_LINGER && state != CONN_DEAD))
		return;
	list_remove(&states[conn->state], &conn->node);
	conn->state = state;
	conn->entered = ev_now(conn_loop);
	list_append(&states[state], &conn->node);
}

/* Returns whether there is something to write. */
static bool
conn_has_output(Conn *conn)
{
	return conn->out.length > 0 || conn->tail_length > 0 || tls_has_output(conn->tls) ||
		(conn->http2 && http2_has_output(conn));
}

/* Returns whether more input is wanted now. */
static bool
conn_wants_input(Conn *conn)
{
	if (lws_partial_buffered(conn->wsi))
		return false;
	if (conn->state == CONN_LINGER)
		return true;
	if (conn->ws)
		return ws_wants_input(conn);
	if (conn->http2 || (conn->tls && !tls_is_established(conn->tls)))
		return conn->out.length < OUT_LIMIT;
	if (conn->state == CONN_STREAM)
		return conn->reader.in.length < IN_AHEAD;
	return conn->state != CONN_BUSY && conn->state != CONN_WRITING;
}

/* Counts again what waits for the client of a connection. */
static void
conn_count_output(Conn *conn)
{
	size_t		held = conn->out.length + conn->answer.length + (conn->http2 ? http2_held(conn) : 0) +
	(conn->tail_entry ? conn->tail_length : 0);

	metrics->output += held;
	metrics->output -= conn->held;
	conn->held = held;
}

/* Returns whether so many bytes wait for clients that no more questions should be asked. */
bool
conn_output_is_full(const Conn *conn)
{
	return conn->held >= ANSWERS_LIMIT || metrics->output >= (uint64_t) config.output_limit;
}

/* Decides what the socket waits for; to be called after anything that changes a connection. */
void
conn_settle(Conn *conn)
{
	bool		reading;
	bool		waiting;

	if (conn->wsi == NULL)
		return;
	conn_count_output(conn);
	if (conn->state == CONN_DEAD)
	{
		lws_callback_on_writable(conn->wsi);	/* where it is closed */
		return;
	}
	reading = conn_wants_input(conn);
	if (reading != conn->reading)
	{
		conn->reading = reading;
		lws_rx_flow_control(conn->wsi, reading);
	}
	waiting = conn_has_output(conn);
	if (!waiting && !lws_partial_buffered(conn->wsi))
		conn->blocked = 0;
	else if (conn->blocked == 0)
		conn->blocked = ev_now(conn_loop);
	if (conn->ws)
		ws_settle(conn);
	if (waiting || (conn->close_after && conn->state != CONN_LINGER))
		lws_callback_on_writable(conn->wsi);
}

/* Hands plain bytes to the protocol that is spoken. */
static void
conn_understand(Conn *conn, const char *data, size_t length)
{
	if (conn->http2)
		http2_receive(conn, data, length);
	else if (conn->ws)
		ws_receive(conn, data, length);
	else
		http1_receive(conn, data, length);
}

/* Takes bytes from the socket. */
static void
conn_receive(Conn *conn, const char *data, size_t length)
{
	static Buffer plain;

	metrics->bytes_in += length;
	if (conn->state == CONN_LINGER || conn->state == CONN_DEAD || conn->close_after)
		return;
	if (conn->tls == NULL)
	{
		conn_understand(conn, data, length);
		return;
	}
	plain.length = 0;
	if (!tls_receive(conn->tls, data, length, &plain))
	{
		/* what it has to say about that (an alert) is still sent */
		conn->close_after = true;
		return;
	}
	if (conn->http2 == NULL && tls_is_established(conn->tls) && tls_is_http2(conn->tls))
		http2_start(conn);
	if (plain.length > 0)
		conn_understand(conn, plain.data, plain.length);
	/* connected in advance, as browsers do */
	else if (conn->state == CONN_HEAD && conn->reader.in.length == 0 && tls_is_established(conn->tls))
		conn_enter(conn, CONN_IDLE);
}

/* Closes our half when everything is written, and waits for the client to close its own. */
static void
conn_close_half(Conn *conn)
{
	conn_enter(conn, CONN_LINGER);
	shutdown(lws_get_socket_fd(conn->wsi), SHUT_WR);
}

/* Writes once; returns false when the connection is broken. */
static bool
conn_write_some(Conn *conn, const char *data, size_t length)
{
	metrics->bytes_out += length;
	return lws_write(conn->wsi, (unsigned char *) data, length, LWS_WRITE_RAW) >= (int) length;
}

/* Returns how much memory for output is kept: streams are many, and mostly silent. */
static size_t
conn_keeps(const Conn *conn)
{
	return conn->request && conn->request->streaming ? 0 : OUT_LIMIT / 16;
}

/* Some bytes of the tail have gone. */
static void
conn_take_tail(Conn *conn, size_t length)
{
	conn->tail += length;
	conn->tail_length -= length;
	if (conn->tail_length == 0 && conn->tail_entry)
	{
		cache_entry_release(conn->tail_entry);
		conn->tail_entry = NULL;
	}
}

/*
 * Writes what there is, as far as the socket takes it now.  What is broken or
 * full shows when the socket is written the usual way.
 */
void
conn_send(Conn *conn)
{
	struct iovec parts[2] = {{conn->out.data, conn->out.length}, {(void *) conn->tail, conn->tail_length}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t		sent;

	if (conn->tls || conn->http2 || conn->processing || conn->blocked > 0 ||
		(conn->state != CONN_WRITING && conn->state != CONN_STREAM) || lws_partial_buffered(conn->wsi))
		return;
	sent = sendmsg(lws_get_socket_fd(conn->wsi), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent <= 0)
		return;
	metrics->bytes_out += (uint64_t) sent;
	if ((size_t) sent < conn->out.length)
	{
		buffer_remove(&conn->out, (size_t) sent);
		return;
	}
	sent -= (ssize_t) conn->out.length;
	buffer_trim(&conn->out, conn_keeps(conn));
	conn_take_tail(conn, (size_t) sent);
}

/* Puts at most WRITE_SIZE bytes into the output, as far as there are any. */
static void
conn_fill(Conn *conn)
{
	size_t		room = conn->out.length < WRITE_SIZE ? WRITE_SIZE - conn->out.length : 0;
	size_t		part = Min(room, conn->tail_length);

	if (conn->http2)
		http2_fill(conn, WRITE_SIZE);
	buffer_append(&conn->out, conn->tail, part);
	conn_take_tail(conn, part);
	if (conn->tail_length == 0 && conn->answer.data)
		buffer_free(&conn->answer);
}

/* Called when the socket takes bytes; returns false when the connection is to be closed. */
static bool
conn_write(Conn *conn)
{
	size_t		length;

	if (conn->state == CONN_DEAD)
		return false;
	conn->blocked = 0;
	conn_fill(conn);
	length = Min(conn->out.length, WRITE_SIZE);
	if (conn->tls)
	{
		cipher.length = 0;
		if (!tls_send(conn->tls, conn->out.data, length, &cipher))
			return false;
		if (cipher.length > 0 && !conn_write_some(conn, cipher.data, cipher.length))
			return false;
	}
	else if (length > 0 && !conn_write_some(conn, conn->out.data, length))
		return false;
	if (length == conn->out.length)
		buffer_trim(&conn->out, conn_keeps(conn));
	else
		buffer_remove(&conn->out, length);

	if (conn->state == CONN_WRITING)
		conn_enter(conn, CONN_WRITING);
	if (conn_has_output(conn) || lws_partial_buffered(conn->wsi))
		return true;
	if (conn->close_after)
	{
		if (conn->tls)
		{
			cipher.length = 0;
			tls_close(conn->tls, &cipher);
			if (cipher.length > 0 && !conn_write_some(conn, cipher.data, cipher.length))
				return false;
		}
		if (conn->state != CONN_LINGER)
			conn_close_half(conn);
	}
	else if (conn->state == CONN_WRITING)
		http1_next(conn);
	return true;
}

/* What libwebsockets tells us about a socket; a negative result closes it. */
static int
on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
	Conn	   *conn;

	switch (reason)
	{
		case LWS_CALLBACK_RAW_RX:
		case LWS_CALLBACK_RAW_WRITEABLE:
		case LWS_CALLBACK_RAW_CLOSE:
			conn = lws_get_opaque_user_data(wsi);
			break;
		default:
			return 0;
	}
	if (conn == NULL)
		return 0;
	if (reason == LWS_CALLBACK_RAW_CLOSE)
	{
		lws_set_opaque_user_data(wsi, NULL);
		conn->closed = true;
		if (conn->wsi)
			conn_free(conn);
		return 0;
	}
	if (reason == LWS_CALLBACK_RAW_RX)
		conn_receive(conn, in, length);
	else if (!conn_write(conn))
		return -1;
	if (conn->reader.in.length == 0 && (conn->reader.in.size > IN_KEEP || conn->state == CONN_STREAM))
		buffer_free(&conn->reader.in);
	conn_settle(conn);
	return 0;
}

/* Closes a connection at once, from outside its events. */
void
conn_kill(Conn *conn)
{
	conn_enter(conn, CONN_DEAD);
	lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

/* Does what a state demands when its time is over. */
static void
conn_time_out(Conn *conn)
{
	switch (conn->state)
	{
		case CONN_HEAD:
		case CONN_BODY:
			if (conn->tls && !tls_is_established(conn->tls))
				conn_kill(conn);
			else
			{
				http1_time_out(conn);
				conn_settle(conn);
			}
			break;
		case CONN_IDLE:
			if (conn->http2)
				http2_goodbye(conn);
			conn->close_after = true;
			conn_settle(conn);
			conn_enter(conn, CONN_WRITING);
			break;
		case CONN_SOCKET:
			ws_time_out(conn);
			break;
		default:
			conn_kill(conn);
			break;
	}
}

/*
 * Looks whether the client of a request that has waited for a while is still
 * there.  Its input is not read meanwhile, so the kernel is asked.
 */
static void
conn_check_waiting(Conn *conn)
{
	struct tcp_info info;
	socklen_t	length = sizeof(info);

	if (conn->request == NULL || !conn->request->pending || conn->request->query.waiting == NULL ||
		getsockopt(lws_get_socket_fd(conn->wsi), IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		return;
	if (info.tcpi_state == TCP_CLOSE)
		conn_kill(conn);
	else if (info.tcpi_state == TCP_CLOSE_WAIT)
		request_give_up(conn->request);
}

/* Drops the requests that wait for the database when their clients are gone. */
static void
conn_tick_busy(void)
{
	ListNode   *next;

	for (ListNode *node = states[CONN_BUSY].head.next; node != &states[CONN_BUSY].head; node = next)
	{
		Conn	   *conn = container_of(node, Conn, node);

		if (ev_now(conn_loop) - conn->entered < GONE_AFTER)
			break;
		next = node->next;		/* only this connection leaves the list */
		conn_check_waiting(conn);
	}
}

/* Called a few times a second: ends what takes too long. */
void
conn_tick(void)
{
	const int	limits[CONN_STATES] = {
		[CONN_IDLE] = draining ? 0 : config.idle_timeout,
		[CONN_HEAD] = config.header_timeout,
		[CONN_BODY] = config.body_timeout,
		[CONN_WRITING] = config.write_timeout,
		[CONN_SOCKET] = config.stream_heartbeat,
		[CONN_LINGER] = LINGER_TIMEOUT,
		[CONN_DEAD] = LINGER_TIMEOUT,
	};

	for (ConnState state = 0; state < CONN_STATES; state++)
	{
		double		now = ev_now(conn_loop);

		if (state == CONN_BUSY || state == CONN_STREAM || state == CONN_MULTIPLEX)
			continue;
		for (int n = states[state].count; n > 0 && states[state].count > 0; n--)
		{
			Conn	   *conn = container_of(list_first(&states[state]), Conn, node);

			if ((now - conn->entered) * 1000 < limits[state])
				break;
			conn_time_out(conn);
		}
	}
	conn_tick_busy();
	http2_tick();
	ws_tick();
}

/* Stops keeping connections: idle ones are closed now, others after their answer. */
void
conn_drain(void)
{
	draining = true;
	request_set_draining();
	for (ListNode *node = list_first(&states[CONN_MULTIPLEX]); node && node != &states[CONN_MULTIPLEX].head; node = node->next)
	{
		Conn	   *conn = container_of(node, Conn, node);

		http2_goodbye(conn);
		conn_settle(conn);
	}
	for (int n = states[CONN_SOCKET].count; n > 0; n--)
		ws_close(container_of(list_first(&states[CONN_SOCKET]), Conn, node)->ws, 1001, "the gateway stops");
	conn_tick();
}

/* Returns how many connections there are. */
int
conn_count(void)
{
	int			count = 0;

	for (ConnState state = 0; state < CONN_STATES; state++)
		count += states[state].count;
	return count;
}

/* Closes all connections. */
void
conn_stop(void)
{
	lws_context_destroy(context);
	buffer_free(&cipher);
}
