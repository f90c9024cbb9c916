/*-------------------------------------------------------------------------
 *
 * request.h
 *		A request from its head to its answer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "conn.h"
#include "message.h"
#include "pool.h"

#define REQUEST_ID_SIZE 65

struct CacheEntry;
struct StreamIdentity;
struct Request;
typedef void (*StreamOpened) (struct Request *request, const struct StreamIdentity *identity);

#define REQUEST_CALL 3			/* the version of a call through a WebSocket */

typedef struct Request
{
	Conn	   *conn;			/* NULL when the client is gone */
	int			version;		/* 1 or 2, or REQUEST_CALL */
	int32_t		stream;			/* of HTTP/2 */
	Message		message;		/* what was asked */
	double		received;		/* when it was complete */

	/* what we know about it */
	char		id[REQUEST_ID_SIZE];
	Address		address;		/* of the client, behind trusted proxies */
	char		address_text[ADDRESS_TEXT_SIZE];
	bool		secure;			/* the client speaks TLS to us or to a trusted
								 * proxy */
	bool		from_proxy;
	Route		route;
	int			lane;			/* of metrics */

	/* at the database */
	bool		pending;
	PoolQuery	query;
	bool		at_standby;
	uint64_t	client;			/* who asks, for reader.c; 0: no credential */
	StreamOpened opened;		/* of a stream: what comes next */
	Buffer		forward;		/* the headers as lines */

	/* with the cache */
	const char *cached;			/* what the header X-Cache says, or NULL */
	struct CacheEntry *entry;	/* that has the answer, or NULL */
	bool		cache_again;	/* it has asked a second time */

	/* the answer */
	char		position[POSITION_TEXT_SIZE];	/* after a write, or empty */
	int			status;
	bool		is_page;		/* a page for people, with its own security
								 * headers */
	bool		is_strict;		/* a page of the console, with stricter ones */
	bool		has_type;
	bool		has_cache;
	bool		has_tag;
	bool		has_cookie;
	bool		has_retry;
	Buffer		answer_head;	/* lines "name: value\r\n" */
	Buffer		answer_body;	/* of HTTP/2 and compressed ones */
	const char *answer;
	size_t		answer_length;
	size_t		answer_sent;	/* of HTTP/2 */

	/* an answer that waits for something to happen, or goes on */
	bool		streaming;		/* its body comes in pieces */
	bool		ended;			/* and has come */
	void	   *owner;
	void		(*on_gone) (struct Request *request);	/* the client is gone */
} Request;

extern void request_set_draining(void);
extern bool request_is_draining(void);
extern Request *request_new(Conn *conn, int version);
extern void request_free(Request *request);
extern void request_abandon(Request *request);
extern void request_give_up(Request *request);
extern void request_run(Request *request);
extern void request_submit(Request *request);
extern void request_fail(Request *request, const char *sqlstate, const char *detail);

/* Returns the first header of that name (in lower case), or NULL. */
static inline const char *
request_header(const Request *request, const char *name)
{
	return message_header(&request->message, name);
}

/* for those who answer: status, headers, then the body (which is copied unless it lasts) */
extern void answer_start(Request *request, int status);
extern void answer_header(Request *request, const char *name, const char *value);
extern void answer_header_line(Request *request, const char *line, size_t length);
extern void answer_log_start(Buffer *line, double received, const char *id, const char *address, const char *method,
							 const char *path);
extern void answer_send(Request *request, const char *body, size_t length, bool lasting);

/*
 * or in pieces: answer_stream(), answer_piece() until it returns false because
 * the client leaves too much unread, answer_end() or answer_cut()
 */
extern void answer_wait(Request *request);
extern void answer_stream(Request *request);
extern bool answer_piece(Request *request, const char *data, size_t length);
extern void answer_end(Request *request);
extern void answer_cut(Request *request);
extern void answer_stream_log(const Request *request);

#endif							/* REQUEST_H */
