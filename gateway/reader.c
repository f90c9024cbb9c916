/*-------------------------------------------------------------------------
 *
 * reader.c
 *		Whether a request may be answered by a standby.
 *
 * The database says which routes only read.  They go to a standby, unless what
 * the client has written has not arrived there.  A client is known by its
 * credential, the access token in Authorization or in the cookie roost_access;
 * what it has written, position.c remembers for all processes of the port.
 * The answer to a write says it, too, in the header Roost-Position, and to
 * browsers that live on cookies in the cookie roost_position: who sends either
 * back is safe with every gateway.  New tokens in an answer (of a login, say)
 * count as the credential of its client.
 *
 * What fails at a standby is asked once more at the primary: reading does no
 * harm when done twice.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <strings.h>

#include "config.h"
#include "guard.h"
#include "metrics.h"
#include "pool.h"
#include "reader.h"

#define COOKIE_AGE 600			/* seconds */

/* Finds out who asks, by what the client proves it with. */
static uint64_t
reader_client(const Request *request)
{
	const char *credential = request_header(request, "authorization");
	size_t		length;

	if (credential)
	{
		if (strncasecmp(credential, "bearer ", 7) == 0)
			credential += 7;
		return position_client(credential, strlen(credential));
	}
	credential = guard_cookie(request, "roost_access", &length);
	return credential && length > 0 ? position_client(credential, length) : 0;
}

/* Adds what the client itself says that it must see. */
static void
need_add(Position *need, const char *text)
{
	Position	position;

	if (text == NULL || !position_from_client(text, &position))
		return;
	need->timeline = Max(need->timeline, position.timeline);
	need->lsn = Max(need->lsn, position.lsn);
}

/* Asks a standby; returns false if the request is for the primary. */
bool
reader_submit(Request *request)
{
	PoolQuery  *query = &request->query;
	size_t		length;

	query->writes = false;
	request->at_standby = false;
	if (config.read_count == 0)
		return false;
	request->client = reader_client(request);
	if (!request->route.standby)
	{
		query->writes = true;
		return false;
	}
	query->need = position_need(request->client);
	need_add(&query->need, request_header(request, "roost-position"));
	need_add(&query->need, guard_cookie(request, "roost_position", &length));
	request->at_standby = true;
	if (pool_submit_standby(request->route.lane, query, request->client))
		return true;
	request->at_standby = false;
	return false;
}

/*
 * Asks the primary if a standby could not answer (sqlstate is NULL), or failed
 * because of what it is; returns whether it did.
 */
bool
reader_retry(Request *request, const char *sqlstate)
{
	static const char *const errors[] = {
		"40001",				/* a conflict with recovery */
		"40P01",				/* the same, while waiting for a lock */
		"57P01", "57P02", "57P03", "57P05", "08006",	/* it stops or starts */
		"25006"					/* the function wants to write after all */
	};
	bool		retry = sqlstate == NULL;

	if (!request->at_standby)
		return false;
	for (size_t i = 0; i < lengthof(errors) && !retry; i++)
		retry = strcmp(sqlstate, errors[i]) == 0;
	request->at_standby = false;
	if (!retry)
		return false;
	metrics->standby_retried++;
	request->pending = true;
	pool_submit(request->route.lane, &request->query);
	return true;
}

/* Notes the position for every value behind a mark in an answer. */
static void
note_credentials(const char *answer, size_t length, const char *mark, char end, Position position)
{
	const char *found;

	while ((found = memmem(answer, length, mark, strlen(mark))) != NULL)
	{
		const char *value = found + strlen(mark);
		const char *stop = memchr(value, end, length - (size_t) (value - answer));

		if (stop == NULL)
			return;
		position_wrote(position_client(value, (size_t) (stop - value)), position);
		length -= (size_t) (stop - answer);
		answer = stop;
	}
}

/* A write has been answered: notes it, and tells the client its position. */
void
reader_wrote(Request *request, const char *answer, size_t length)
{
	Position	position = request->query.wrote;

	if (!request->query.writes || position.lsn == 0)
		return;
	if (request->client)
		position_wrote(request->client, position);
	if (request->route.sensitive)
	{
		note_credentials(answer, length, "\"access_token\":\"", '"', position);
		note_credentials(answer, length, "roost_access=", ';', position);
	}
	if (position.lsn != UINT64_MAX)
		position_format(position, request->position);
}

/* Adds the headers that tell a client the position of its write. */
void
reader_headers(Request *request)
{
	char		cookie[128];
	size_t		length;

	if (request->position[0] == '\0')
		return;
	answer_header(request, "roost-position", request->position);
	if (!request->has_cookie && guard_cookie(request, "roost_access", &length) == NULL)
		return;
	snprintf(cookie, sizeof(cookie), "roost_position=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
			 request->position, COOKIE_AGE, request->secure ? "; Secure" : "");
	answer_header(request, "set-cookie", cookie);
}
