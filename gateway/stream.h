/*-------------------------------------------------------------------------
 *
 * stream.h
 *		Who opens a stream of events.
 *
 *-------------------------------------------------------------------------
 */
#ifndef STREAM_H
#define STREAM_H

#include "request.h"

/* Whom a token belongs to. */
typedef struct StreamIdentity
{
	int64_t		account_id;		/* 0: nobody */
	int64_t		session_id;
	double		expires_at;		/* seconds since 1970 */
	const char *token;			/* "" without one */
} StreamIdentity;

/*
 * Finds out who opens a stream with a request, and calls the function, now or
 * later; if the token is not valid, the request is answered instead.
 */
extern void stream_open(Request *request, StreamOpened opened);

/* Understands the result of roost.stream_open(); returns false if it is an error. */
extern bool stream_identity(const PGresult *result, StreamIdentity *identity);

#endif							/* STREAM_H */
