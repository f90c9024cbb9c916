/*-------------------------------------------------------------------------
 *
 * stream.c
 *		Who opens a stream of events.
 *
 * The token comes by Authorization, by ?access_token= (if stream-query-token
 * is on: browsers can add no header to what they stream), or by the cookie
 * roost_access.  A cookie is sent by browsers whatever page asks, so then the
 * page must be of our own origin or of one of cors-origins.  Whether the token
 * is valid says the database.
 *
 * It is kept in Request.forward, which a stream needs for nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <strings.h>

#include "config.h"
#include "guard.h"
#include "problem.h"
#include "stream.h"

/* Adds a value of a query without its percent escapes; returns false if one is malformed. */
static bool
append_decoded(Buffer *into, const char *value, size_t length)
{
	for (const char *end = value + length; value < end; value++)
	{
		char		c = *value;

		if (c == '%')
		{
			int			high = end - value > 2 ? http_hex_digit(value[1]) : -1;
			int			low = high >= 0 ? http_hex_digit(value[2]) : -1;

			if (low < 0 || (high == 0 && low == 0))
				return false;
			c = (char) (high << 4 | low);
			value += 2;
		}
		buffer_append(into, &c, 1);
	}
	return true;
}

/* Takes the token of Authorization; returns NULL, or what is wrong. */
static const char *
token_of_header(const char *header, Buffer *token)
{
	if (strncasecmp(header, "bearer ", 7) != 0)
		return "The header Authorization must be \"Bearer <token>\".";
	header += 7;
	buffer_append_text(token, header + strspn(header, " "));
	return NULL;
}

/* Takes the token of the query, if there is one; returns NULL, or what is wrong. */
static const char *
token_of_query(const char *query, Buffer *token)
{
	static const char name[] = "access_token=";
	const char *pair;
	size_t		length;

	while (query && (pair = text_token(&query, '&', &length)) != NULL)
	{
		if (length < sizeof(name) - 1 || memcmp(pair, name, sizeof(name) - 1) != 0)
			continue;
		if (!config.stream_query_token)
			return "No token is taken from the query here; send it in the header Authorization or in the first frame.";
		if (token->length > 0 || !append_decoded(token, pair + sizeof(name) - 1, length - (sizeof(name) - 1)))
			return "The token in the query cannot be read.";
	}
	return NULL;
}

/* Finds the token, "" if there is none; returns false if the request has been answered. */
static bool
find_token(Request *request, Buffer *token)
{
	const char *header = request_header(request, "authorization");
	const char *problem = header ? token_of_header(header, token) : token_of_query(message_query(&request->message), token);
	const char *cookie;
	size_t		length;

	if (problem)
	{
		request_fail(request, "ROTOK", problem);
		return false;
	}
	if (header == NULL && token->length == 0 && (cookie = guard_cookie(request, "roost_access", &length)) != NULL)
	{
		if (!guard_site_is_known(request))
		{
			request_fail(request, "ROCSR", "The request comes from another site.");
			return false;
		}
		buffer_append(token, cookie, length);
	}
	buffer_append(token, "", 1);
	return true;
}

/* Understands the result of roost.stream_open(); returns false if it is an error. */
bool
stream_identity(const PGresult *result, StreamIdentity *identity)
{
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 || PQnfields(result) < 3)
		return false;
	identity->account_id = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	identity->session_id = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
	identity->expires_at = strtod(PQgetvalue(result, 0, 2), NULL);
	return true;
}

/* The database knows the token, or not. */
static void
on_opened(PoolQuery *query, const PGresult *result)
{
	Request    *request = container_of(query, Request, query);
	StreamIdentity identity = {.token = query->values[0]};

	request->pending = false;
	if (request->conn == NULL)
		request_free(request);
	else if (stream_identity(result, &identity))
		request->opened(request, &identity);
	else
		problem_from_result(request, result);
}

/* The database could not be asked. */
static void
on_failure(PoolQuery *query, PoolFailure failure)
{
	Request    *request = container_of(query, Request, query);

	request->pending = false;
	if (request->conn == NULL)
		request_free(request);
	else
		problem_from_failure(request, failure);
}

/*
 * Finds out who opens a stream with a request, and calls the function, now or
 * later; if the token is not valid, the request is answered instead.
 */
void
stream_open(Request *request, StreamOpened opened)
{
	PoolQuery  *query = &request->query;
	StreamIdentity nobody = {.token = ""};

	request->forward.length = 0;
	if (!find_token(request, &request->forward))
		return;
	if (*request->forward.data == '\0')
	{
		opened(request, &nobody);
		return;
	}
	request->opened = opened;
	query->statement = STATEMENT_STREAM_OPEN;
	query->values[0] = request->forward.data;
	query->values[1] = request->address_text;
	query->on_result = on_opened;
	query->on_failure = on_failure;
	request->lane = LANE_FAST;
	request->pending = true;
	pool_submit(LANE_FAST, query);
}
