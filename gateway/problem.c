/*-------------------------------------------------------------------------
 *
 * problem.c
 *		Errors as application/problem+json (RFC 9457).
 *
 * Status, code and title come from the SQLSTATE, through the table that
 * extension/errcodes.txt generates.  Detail, hint and field are those of the
 * database's error, and so are members that a function has added to it (lines
 * "roost-member: name: JSON" of its context, roost.problem_member()); an error
 * of ours (5xx) says nothing to the client but the request's id, under which
 * the error log has the rest.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "errcodes.h"
#include "log.h"
#include "problem.h"

#define RETRY_AFTER "1"
#define CONTEXT_MARK "roost-"

/* Adds a member to the object, unless it has no value. */
static void
problem_member(Buffer *into, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	buffer_printf(into, ",\"%s\":", name);
	buffer_append_json(into, value);
}

/*
 * Returns the next line of an error's context that begins with a mark, and its
 * length without the mark; or NULL.  Such lines stand first: what comes after
 * another one may hold what a client has sent.
 */
static const char *
problem_context_next(const char **context, const char *mark, size_t *length)
{
	size_t		mark_length = strlen(mark);

	while (*context && strncmp(*context, CONTEXT_MARK, strlen(CONTEXT_MARK)) == 0)
	{
		const char *line = *context;

		*length = strcspn(line, "\n");
		*context += *length + (line[*length] == '\n');
		if (*length > mark_length && memcmp(line, mark, mark_length) == 0)
		{
			*length -= mark_length;
			return line + mark_length;
		}
	}
	return NULL;
}

/* Adds the members that an error's context carries: each is JSON already. */
static void
problem_context_members(Buffer *into, const char *context)
{
	const char *line;
	size_t		length;

	while ((line = problem_context_next(&context, "roost-member: ", &length)) != NULL)
	{
		const char *colon = memchr(line, ':', length);

		if (colon == NULL)
			continue;
		buffer_printf(into, ",\"%.*s\":", (int) (colon - line), line);
		buffer_append(into, colon + 1, line + length - (colon + 1));
	}
}

/* Sends an error; the headers that go with it have been added by the caller. */
static void
problem_finish(Request *request, const RoostErrcode *error, const char *detail, const char *hint, const char *field, const char *context)
{
	static Buffer body;

	if ((error->status == 503 || error->status == 429) && !request->has_retry)
		answer_header(request, "retry-after", RETRY_AFTER);
	answer_header(request, "content-type", "application/problem+json");
	body.length = 0;
	buffer_append_text(&body, "{\"type\":\"about:blank\",\"title\":");
	buffer_append_json(&body, error->title);
	buffer_printf(&body, ",\"status\":%d", error->status);
	problem_member(&body, "code", error->name);
	problem_member(&body, "detail", detail);
	problem_member(&body, "hint", hint);
	problem_member(&body, "field", field);
	problem_context_members(&body, context);
	problem_member(&body, "instance", message_path(&request->message));
	problem_member(&body, "request_id", request->id);
	buffer_append(&body, "}\n", 2);
	answer_send(request, body.data, body.length, false);
}

/* Sends an error of the gateway. */
void
problem_send(Request *request, const char *sqlstate, const char *detail, const char *hint, const char *field)
{
	const RoostErrcode *error = roost_errcode_find(sqlstate);

	answer_start(request, error->status);
	if (error->status == 405)
		answer_header(request, "allow", "GET, HEAD");	/* the gateway's own
														 * paths */
	else if (error->status == 426 && request->version == 1)
		answer_header_line(request, "upgrade: websocket", 18), answer_header(request, "sec-websocket-version", "13");
	else if (error->status == 501)
		answer_header(request, "allow", METHOD_LIST);
	else if (error->status == 401)
		answer_header(request, "www-authenticate", "Bearer");
	problem_finish(request, error, detail, hint, field, NULL);
}

/* Adds the response headers that an error's context carries. */
static void
problem_context_headers(Request *request, const char *context)
{
	const char *line;
	size_t		length;

	while ((line = problem_context_next(&context, "roost-header: ", &length)) != NULL)
		answer_header_line(request, line, length);
}

/*
 * Returns what an error of the database is and appends its detail, with a NUL
 * behind it; one of the server itself is logged, and has no detail.
 */
const RoostErrcode *
problem_of_result(const PGresult *result, const char *id, Buffer *detail)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *more = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const RoostErrcode *error = roost_errcode_find(sqlstate ? sqlstate : "XX000");

	if (error->status >= 500)
		log_error("request %s: %s %s: %s", id, sqlstate ? sqlstate : "?", error->name,
				  message ? message : PQresultErrorMessage(result));
	else
	{
		buffer_append_text(detail, message ? message : "");
		if (more && *more)
			buffer_printf(detail, "%s%s", detail->length ? ": " : "", more);
	}
	buffer_append(detail, "", 1);
	return error;
}

/* Sends an error that the database raised. */
void
problem_from_result(Request *request, const PGresult *result)
{
	Buffer		detail = {0};
	const RoostErrcode *error = problem_of_result(result, request->id, &detail);
	bool		tell = error->status < 500;
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);

	answer_start(request, error->status);
	problem_context_headers(request, context);
	problem_finish(request, error, detail.data, tell ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL,
				   tell ? PQresultErrorField(result, PG_DIAG_COLUMN_NAME) : NULL, tell ? context : NULL);
	buffer_free(&detail);
}

/* Returns the SQLSTATE and the detail of a question that the database did not answer. */
const char *
problem_of_failure(PoolFailure failure, const char **detail)
{
	switch (failure)
	{
		case POOL_FULL:
			*detail = "Too many requests are waiting; try again.";
			return "RO503";
		case POOL_DOWN:
			*detail = "The database cannot be reached; try again.";
			return "08006";
		case POOL_LOST:
			*detail = "The connection to the database broke; the operation may or may not have been done.";
			return "08006";
		case POOL_TIMEOUT:
			break;
	}
	*detail = "The database did not answer in time.";
	return "57014";
}

/* Sends an error because the database could not be asked. */
void
problem_from_failure(Request *request, PoolFailure failure)
{
	const char *detail;
	const char *sqlstate = problem_of_failure(failure, &detail);

	problem_send(request, sqlstate, detail,
				 failure == POOL_LOST ? "Try again, with the same Idempotency-Key if it changes anything." : NULL, NULL);
}
