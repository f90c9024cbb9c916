/*-------------------------------------------------------------------------
 *
 * ws.h
 *		WebSockets: the protocol on a connection.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WS_H
#define WS_H

#include "request.h"
#include "stream.h"
#include "ws_parse.h"

typedef struct Ws Ws;

/* A sub-protocol. */
typedef struct WsKind
{
	const char *name;
	size_t		size;			/* of what has a Ws as its first member */
	/* The handshake is done. */
	void		(*open) (Ws *ws, const Request *request, const StreamIdentity *identity);
	/* A message has come; there is a NUL behind it. */
	void		(*message) (Ws *ws, WsOpcode opcode, char *data, size_t length);
	/* The request of a call has its answer. */
	void		(*answer) (Ws *ws, Request *request);
	/* Nothing can be sent or received any more; called once. */
	void		(*end) (Ws *ws);
} WsKind;

struct Ws
{
	const WsKind *kind;
	Conn	   *conn;
	Address		address;		/* of the client, behind trusted proxies */
	bool		closing;		/* our close frame is sent, or was not
								 * possible */
	bool		paused;			/* frames wait, see ws_pause() */
	bool		pinged;			/* nothing has come since our ping */
	uint16_t	code;			/* with which it was closed; 0: not yet */
	WsReader	reader;
	double		opened;
	double		frames_at;		/* when the allowances are used up to nothing */
	double		bytes_at;
	ListNode	blocked_node;	/* in the list of those whose output waits */
	double		blocked;		/* since when; 0: it does not */
	size_t		answers;		/* bytes of answers among the output */
	double		message_at;		/* when the message began that is not complete */
	uint64_t	frames_in;
	uint64_t	frames_out;
	uint64_t	bytes_out;
	char	   *path;			/* of the handshake; id lies behind it */
	const char *id;
};

/* from ws_upgrade.c */
extern bool ws_upgrade(Request *request, const char *path);

/* for conn.c, http1.c and answer.c */
extern void ws_answer(Request *request);
extern void ws_receive(Conn *conn, const char *data, size_t length);
extern void ws_take_over(Conn *conn);
extern bool ws_wants_input(const Conn *conn);
extern void ws_settle(Conn *conn);
extern void ws_time_out(Conn *conn);
extern void ws_tick(void);
extern void ws_free(Conn *conn);

/* for sub-protocols */
extern void ws_start(Request *request, const WsKind *kind, const StreamIdentity *identity, const char *accept, bool named);
extern void ws_send(Ws *ws, WsOpcode opcode, const char *data, size_t length);
extern void ws_send_answer(Ws *ws, const char *frame, size_t length);
extern void ws_send_frame(Ws *ws, const char *frame, size_t length);
extern void ws_finish_frame(Buffer *buffer, size_t start);
extern void ws_close(Ws *ws, int code, const char *reason);
extern void ws_pause(Ws *ws);
extern void ws_go_on(Ws *ws);

extern const WsKind ws_roost;
extern const WsKind ws_echo;

#endif							/* WS_H */
