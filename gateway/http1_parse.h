/*-------------------------------------------------------------------------
 *
 * http1_parse.h
 *		The bytes of HTTP/1.1 requests, without connections.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HTTP1_PARSE_H
#define HTTP1_PARSE_H

#include "message.h"

typedef enum Http1Result
{
	HTTP1_MORE,					/* not complete yet */
	HTTP1_COMPLETE,
	HTTP1_HTTP2,				/* the client speaks HTTP/2 */
	HTTP1_BAD					/* sqlstate and problem say why; nothing more
								 * can be read */
} Http1Result;

/* Starts as zeros. */
typedef struct Http1Reader
{
	Buffer		in;				/* bytes not yet understood */
	size_t		start;			/* where they begin */
	size_t		scanned;		/* of these, known not to end the head */
	uint64_t	body_rest;		/* bytes of the body, or of the chunk, to come */
	size_t		trailer_rest;	/* bytes of trailers that may come */
	int			chunk_state;
	const char *sqlstate;
	const char *problem;
} Http1Reader;

extern void http1_reader_add(Http1Reader *reader, const char *data, size_t length);
extern void http1_reader_clear(Http1Reader *reader);
extern Http1Result http1_find_head(Http1Reader *reader, size_t *length);
extern Http1Result http1_read_head(Http1Reader *reader, size_t length, Message *message);
extern Http1Result http1_read_body(Http1Reader *reader, Message *message);

#endif							/* HTTP1_PARSE_H */
