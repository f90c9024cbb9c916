/*-------------------------------------------------------------------------
 *
 * conn.h
 *		Client connections: bytes in, bytes out, time limits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CONN_H
#define CONN_H

#include <libwebsockets.h>
#include <ev.h>

#include "address.h"
#include "http1_parse.h"

struct CacheEntry;
struct Http2;
struct Request;
struct Tls;
struct Ws;

/* A connection is in one of these lists, in the order in which it entered. */
typedef enum ConnState
{
	CONN_IDLE,					/* no request; closed after idle-timeout */
	CONN_HEAD,					/* a request head (or TLS handshake) is
								 * arriving; 408 after header-timeout */
	CONN_BODY,					/* a body is arriving; 408 after body-timeout */
	CONN_BUSY,					/* a request is being answered; the lane's
								 * time limit applies */
	CONN_WRITING,				/* an answer waits for the client; closed
								 * after write-timeout */
	CONN_STREAM,				/* HTTP/1: the answer goes on, or waits for
								 * something to happen; no limit */
	CONN_MULTIPLEX,				/* HTTP/2 with streams open */
	CONN_SOCKET,				/* a WebSocket; asked for a sign of life after
								 * stream-heartbeat without one */
	CONN_LINGER,				/* nothing more is sent; what comes is thrown
								 * away until the end */
	CONN_DEAD,					/* to be closed at the next chance */
	CONN_STATES
} ConnState;

typedef struct Conn
{
	ListNode	node;
	ConnState	state;
	double		entered;		/* time of entering the state */
	struct lws *wsi;			/* NULL while it is being adopted */
	bool		closed;
	bool		reading;
	bool		processing;		/* what has come is being understood */
	bool		close_after;	/* close when the output is written */
	Address		peer;
	struct Tls *tls;			/* NULL without TLS */
	struct Http2 *http2;		/* NULL for HTTP/1 */
	struct Ws  *ws;				/* NULL for HTTP */
	struct Request *request;	/* HTTP/1: arriving or being answered */
	Http1Reader reader;			/* HTTP/1 */
	Buffer		out;			/* bytes for the client, before TLS */
	const char *tail;			/* more of them, which stay where they are */
	size_t		tail_length;
	struct CacheEntry *tail_entry;	/* that they lie in, or NULL */
	Buffer		answer;			/* HTTP/1: a long answer, of which tail is the
								 * rest */
	size_t		held;			/* what is counted of all these in the bytes
								 * that wait */
	double		blocked;		/* since when output waits for the socket; 0:
								 * it does not */
} Conn;

extern void conn_start(struct ev_loop *loop);
extern void conn_accept(int fd, const Address *peer);
extern void conn_enter(Conn *conn, ConnState state);
extern void conn_settle(Conn *conn);
extern void conn_send(Conn *conn);
extern bool conn_output_is_full(const Conn *conn);
extern void conn_kill(Conn *conn);
extern void conn_tick(void);
extern void conn_drain(void);
extern int	conn_count(void);
extern void conn_stop(void);

#endif							/* CONN_H */
