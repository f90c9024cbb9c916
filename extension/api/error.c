/*-------------------------------------------------------------------------
 *
 * error.c
 *		Errors on their way out of a request.
 *
 * An error keeps its SQLSTATE, unless a right is missing that the server's own
 * roles should have: that is a fault of the server.  What callers can do
 * something about (HTTP status below 500) is kept out of the server log, loses
 * the server's inner context, and never quotes a row of a table.  The response
 * headers that belong to the error, and the members that a function has added
 * to it, stand in its context, one line each.
 *
 * The log hook keeps parameters of roost.handle(), roost.stream_open() and of
 * signals out of the log, which log_statement and log_min_duration_statement
 * would write there: bodies hold passwords, tokens are secrets, and what is said
 * of a call is for who is called.  Errors of signals, which are requests of
 * clients, too, do not get there either.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/api.h"
#include "gateway/errcodes.h"
#include "mb/pg_wchar.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"

/* longest field name that an error repeats, in bytes */
#define ERROR_FIELD_MAX		128

static emit_log_hook_type error_previous_hook = NULL;

static void error_explain_value(ApiRequest *request, ErrorData *error);
static void error_explain_constraint(ErrorData *error);
static const char *error_field(const char *field);
static void error_log(ErrorData *error);
static bool error_is_of(const char *function);
static bool error_is_of_client(const ErrorData *error);
static bool error_is_of_server_right(const ErrorData *error);
static bool error_logs_statement(const ErrorData *error);

/*
 * Puts the log hook in place.
 */
void
roost_api_error_init(void)
{
	error_previous_hook = emit_log_hook;
	emit_log_hook = error_log;
}

/*
 * Raises an error about a field, whose name is quoted before what is said.
 */
void
roost_api_field_error(int sqlstate, const char *field, const char *what)
{
	field = error_field(field);
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("\"%s\" %s", field, what),
			 err_generic_string(PG_DIAG_COLUMN_NAME, field)));
}

/*
 * Raises an error again in the form in which it leaves roost.handle().
 */
void
roost_api_rethrow(ApiRequest *request, ErrorData *error)
{
	char		sqlstate[6];
	int			status;
	StringInfoData context;
	RoostSlice	ignored;

	/* a right that the server's own roles lack is not the client's fault */
	if (error_is_of_server_right(error))
		error->sqlerrcode = ERRCODE_INTERNAL_ERROR;

	strlcpy(sqlstate, unpack_sql_state(error->sqlerrcode), sizeof(sqlstate));
	status = roost_errcode_find(sqlstate)->status;

	if (request->field)
		error_explain_value(request, error);
	else if (status < 500)
		error_explain_constraint(error);

	if (status == 401)
		roost_api_header(request, "WWW-Authenticate",
						 error->sqlerrcode == ERRCODE_ROOST_INVALID_TOKEN ?
						 "Bearer error=\"invalid_token\"" : "Bearer");
	if (status == 401 && request->by_refresh_cookie)
		roost_api_cookie_clear(request);
	if (status == 503 &&
		!roost_uri_header((RoostSlice) {request->headers_out.data, request->headers_out.len},
						  "Retry-After", &ignored))
		roost_api_header(request, "Retry-After", "1");

	initStringInfo(&context);
	for (char *line = strtok(request->headers_out.data, "\n"); line; line = strtok(NULL, "\n"))
		appendStringInfo(&context, "%sroost-header: %s", context.len > 0 ? "\n" : "", line);
	for (char *line = strtok(request->members.data, "\n"); line; line = strtok(NULL, "\n"))
		appendStringInfo(&context, "%sroost-member: %s", context.len > 0 ? "\n" : "", line);
	if (status < 500)
	{
		error->output_to_server = false;
		error->context = NULL;
	}
	if (error->context)
		error->context = psprintf("%s%s%s", context.data, context.len > 0 ? "\n" : "", error->context);
	else if (context.len > 0)
		error->context = context.data;
	ReThrowError(error);
}

/*
 * Says what is wrong with a field's value: the field's name, and the rule of
 * its type in words.
 */
static void
error_explain_value(ApiRequest *request, ErrorData *error)
{
	const ApiType *type = request->type;
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	const char *field;

	if (category != ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION) &&
		category != ERRCODE_TO_CATEGORY(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION))
		return;
	field = error_field(request->field);
	error->column_name = (char *) field;
	error->hint = NULL;
	if (type == NULL)
		return;
	if (error->sqlerrcode == ERRCODE_NOT_NULL_VIOLATION)
		error->message = psprintf("\"%s\" must not be null", field);
	else if (error->sqlerrcode == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE)
		error->message = psprintf("\"%s\" is out of range", field);
	else if (type->domain || type->rule)
		error->message = psprintf("\"%s\" is not valid", field);
	else
		error->message = psprintf("\"%s\" is not a valid %s", field, type->name);
	error->detail = (char *) type->rule;
}

/*
 * Takes the row out of a table's constraint violation, and names the column
 * if there is only one.
 */
static void
error_explain_constraint(ErrorData *error)
{
	const char *open;
	const char *close;

	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) !=
		ERRCODE_TO_CATEGORY(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION) || error->table_name == NULL ||
		(error->constraint_name == NULL && error->sqlerrcode != ERRCODE_NOT_NULL_VIOLATION))
		return;
	open = error->detail ? strstr(error->detail, "Key (") : NULL;
	close = open ? strchr(open, ')') : NULL;
	if (error->column_name == NULL && close)
	{
		char	   *columns = pnstrdup(open + 5, close - open - 5);

		if (strpbrk(columns, ", (\"") == NULL)
			error->column_name = columns;
	}
	if (error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION)
		error->message = "there is one already";
	else if (error->sqlerrcode == ERRCODE_FOREIGN_KEY_VIOLATION)
		error->message = "a value refers to something that does not exist";
	else if (error->sqlerrcode == ERRCODE_NOT_NULL_VIOLATION)
		error->message = "a value must not be null";
	else
		error->message = "a value breaks a rule";
	error->detail = NULL;
}

/*
 * Returns a field's name at a length fit for an error.
 */
static const char *
error_field(const char *field)
{
	int			length = strlen(field);

	if (length <= ERROR_FIELD_MAX)
		return field;
	return pnstrdup(field, pg_mbcliplen(field, length, ERROR_FIELD_MAX));
}

/*
 * Log hook: keeps what clients send out of the log.  The caller frees the texts
 * of the error.
 */
static void
error_log(ErrorData *error)
{
	bool		signal = error_is_of("roost.live_signal") || error_is_of("roost.live_call_send");

	if (signal || error_is_of("roost.handle") || error_is_of("roost.stream_open"))
	{
		/* not valid UTF-8, no good token, too many: the client's fault */
		if ((error->sqlerrcode == ERRCODE_CHARACTER_NOT_IN_REPERTOIRE || error->sqlerrcode == ERRCODE_ROOST_INVALID_TOKEN ||
			 error->sqlerrcode == ERRCODE_ROOST_TOO_MANY_REQUESTS || (signal && error_is_of_client(error))) && error->elevel == ERROR)
			error->output_to_server = false;
		if (error->detail && error_logs_statement(error))
			error->detail = MemoryContextStrdup(error->assoc_context, "Parameters are not logged.");
		/* its last line would have them */
		if (log_parameter_max_length_on_error != 0)
			error->context = NULL;
	}
	if (error_previous_hook)
		error_previous_hook(error);
}

/*
 * Returns whether a right is missing that the server's own roles should have.
 */
static bool
error_is_of_server_right(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE && error->filename && strcmp(error->filename, "aclchk.c") == 0;
}

/*
 * Returns whether the statement that runs calls a function.
 */
static bool
error_is_of(const char *function)
{
	return debug_query_string && strstr(debug_query_string, function);
}

/*
 * Returns whether a client can do something about an error: its HTTP status is
 * below 500, and it is not a right that the server's own roles lack.
 */
static bool
error_is_of_client(const ErrorData *error)
{
	char		sqlstate[6];

	strlcpy(sqlstate, unpack_sql_state(error->sqlerrcode), sizeof(sqlstate));
	return roost_errcode_find(sqlstate)->status < 500 && !error_is_of_server_right(error);
}

/*
 * Returns whether this logs a statement with its parameters.  Told by the
 * message before its translation: the detail's words depend on the language
 * and on the version of PostgreSQL.
 */
static bool
error_logs_statement(const ErrorData *error)
{
	return error->elevel == LOG && error->message_id &&
		(strncmp(error->message_id, "duration: ", 10) == 0 ||
		 strcmp(error->message_id, "%s %s%s%s: %s") == 0);
}
