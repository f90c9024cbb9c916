/*-------------------------------------------------------------------------
 *
 * bind.c
 *		Binds path, query string, body and request context to the named
 *		arguments of a function.
 *
 * An argument is bound at most once.  Fields that the function does not have,
 * that are given twice, or that only the context may fill are errors, and so
 * are missing arguments without a default.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/api.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

static void bind_context(ApiRequest *request);
static void bind_path(ApiRequest *request);
static void bind_query(ApiRequest *request);
static char *bind_decode_query(RoostSlice in);
static void bind_field(ApiRequest *request, const char *name, const ApiValue *value);
static int	bind_argument(ApiRequest *request, const char *name);
static void bind_defaults(ApiRequest *request);
static Datum bind_default(ApiArgument *argument, bool *isnull);
static void bind_page(ApiRequest *request);

/*
 * Fills in the arguments of the request's function.
 */
void
roost_api_bind(ApiRequest *request)
{
	int			nargs = request->function->nargs;

	request->values = palloc0(Max(nargs, 1) * sizeof(Datum));
	request->nulls = palloc0(Max(nargs, 1) * sizeof(bool));
	request->bound = palloc0(Max(nargs, 1) * sizeof(bool));
	bind_context(request);
	bind_path(request);
	bind_query(request);
	if (request->method != API_GET)
		roost_api_body_parse(request, bind_field);
	bind_defaults(request);
	bind_page(request);
}

/*
 * Binds what only the server knows: who asks and from where.
 */
static void
bind_context(ApiRequest *request)
{
	for (int i = 0; i < request->function->nargs; i++)
	{
		ApiArgument *argument = &request->function->arguments[i];
		ApiValue	value = {.kind = API_VALUE_NULL};
		int64		id = 0;

		switch (argument->source)
		{
			case API_INPUT:
				continue;
			case API_ACTOR_ID:
				id = request->account_id;
				break;
			case API_SESSION_ID:
				id = request->session_id;
				break;
			case API_DEVICE_ID:
				id = request->device_id;
				break;
			case API_CLIENT_ADDRESS:
				value.text = pnstrdup(request->address.data, request->address.length);
				break;
			case API_USER_AGENT:
				{
					RoostSlice	agent;

					if (roost_uri_header(request->headers, "user-agent", &agent))
						value.text = pnstrdup(agent.data, agent.length);
					break;
				}
		}
		if (id != 0)
			value.text = psprintf(INT64_FORMAT, id);
		if (value.text && value.text[0] != '\0')
		{
			value.kind = API_VALUE_QUERY;
			value.length = strlen(value.text);
		}
		request->field = argument->name;
		request->values[i] = roost_api_value(request, &argument->type, &value, &request->nulls[i]);
		request->bound[i] = true;
	}
	request->field = NULL;
}

/*
 * Binds the parameters of the path.
 */
static void
bind_path(ApiRequest *request)
{
	for (int i = 0; i < request->route->nparams; i++)
	{
		ApiValue	value = {.kind = API_VALUE_QUERY};

		value.text = pnstrdup(request->params[i].data, request->params[i].length);
		value.length = request->params[i].length;
		bind_field(request, request->route->params[i], &value);
	}
}

/*
 * Binds the query string.  An array argument may be given several times, the
 * values are put together.
 */
static void
bind_query(ApiRequest *request)
{
	RoostSlice	rest = request->query;
	RoostSlice	raw_name;
	RoostSlice	raw_value;
	StringInfo	lists = NULL;	/* one an argument */

	while (roost_uri_next_pair(&rest, &raw_name, &raw_value))
	{
		char	   *name = bind_decode_query(raw_name);
		char	   *text = bind_decode_query(raw_value);
		ApiValue	value = {.kind = API_VALUE_QUERY,.text = text,.length = strlen(text)};
		int			i = bind_argument(request, name);

		if (request->function->arguments[i].type.kind != API_ARRAY)
		{
			bind_field(request, name, &value);
			continue;
		}
		if (lists == NULL)
			lists = palloc0(request->function->nargs * sizeof(StringInfoData));
		if (lists[i].data == NULL)
			initStringInfo(&lists[i]);
		else
			appendStringInfoChar(&lists[i], ',');
		appendStringInfoString(&lists[i], text);
	}
	for (int i = 0; lists && i < request->function->nargs; i++)
	{
		ApiValue	value = {.kind = API_VALUE_QUERY,.text = lists[i].data,.length = lists[i].len};

		if (lists[i].data)
			bind_field(request, request->function->arguments[i].name, &value);
	}
}

/*
 * Returns a decoded part of the query string.
 */
static char *
bind_decode_query(RoostSlice in)
{
	char	   *out = palloc(in.length + 1);
	int			length = roost_uri_decode(in, true, out);

	if (length == ROOST_URI_BAD_ESCAPE)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_MALFORMED_REQUEST),
				 errmsg("the query string holds a bad percent escape")));
	if (length < 0)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_MALFORMED_REQUEST),
				 errmsg("the query string is not valid UTF-8 without NUL")));
	out[length] = '\0';
	return out;
}

/*
 * Binds one field.
 */
static void
bind_field(ApiRequest *request, const char *name, const ApiValue *value)
{
	int			i = bind_argument(request, name);
	ApiArgument *argument = &request->function->arguments[i];

	if (request->bound[i])
		roost_api_field_error(ERRCODE_ROOST_DUPLICATE_FIELD, argument->name, "is given more than once");
	request->field = argument->name;
	request->values[i] = roost_api_value(request, &argument->type, value, &request->nulls[i]);
	request->bound[i] = true;
	request->field = NULL;
}

/*
 * Returns the number of the argument that a field names; raises an error if
 * there is none that a caller may set.
 */
static int
bind_argument(ApiRequest *request, const char *name)
{
	for (int i = 0; i < request->function->nargs; i++)
	{
		ApiArgument *argument = &request->function->arguments[i];

		if (argument->source == API_INPUT && strcmp(argument->name, name) == 0)
			return i;
	}
	roost_api_field_error(ERRCODE_ROOST_UNKNOWN_FIELD, name, "is not a field of this operation");
}

/*
 * Fills in the arguments that were not given.
 */
static void
bind_defaults(ApiRequest *request)
{
	for (int i = 0; i < request->function->nargs; i++)
	{
		ApiArgument *argument = &request->function->arguments[i];

		if (request->bound[i])
			continue;
		if (request->refresh_cookie.length > 0 && strcmp(argument->name, "refresh_token") == 0)
		{
			ApiValue	value = {.kind = API_VALUE_STRING};

			roost_api_check_csrf(request);
			request->by_refresh_cookie = true;
			value.text = pnstrdup(request->refresh_cookie.data, request->refresh_cookie.length);
			value.length = request->refresh_cookie.length;
			bind_field(request, argument->name, &value);
			continue;
		}
		if (!argument->has_default)
			roost_api_field_error(ERRCODE_ROOST_MISSING_FIELD, argument->name, "is required");
		request->values[i] = bind_default(argument, &request->nulls[i]);
	}
}

/*
 * Returns the value of an omitted argument.  One that is always the same is
 * kept from then on: domains leave their checks in the expression, and what
 * changes a domain throws the function's description away.
 */
static Datum
bind_default(ApiArgument *argument, bool *isnull)
{
	bool		keep;
	EState	   *estate;
	Datum		result;

	*isnull = argument->default_null;
	if (argument->default_expression == NULL)
		return argument->default_value;

	keep = !contain_mutable_functions((Node *) argument->default_expression);
	estate = CreateExecutorState();
	result = ExecEvalExprSwitchContext(ExecPrepareExpr(copyObject(argument->default_expression), estate),
									   GetPerTupleExprContext(estate), isnull);
	if (!*isnull)
	{
		MemoryContext caller = MemoryContextSwitchTo(keep ? argument->type.context : CurrentMemoryContext);

		result = datumCopy(result, argument->type.by_value, argument->type.length);
		MemoryContextSwitchTo(caller);
	}
	FreeExecutorState(estate);
	if (keep)
	{
		argument->default_value = result;
		argument->default_null = *isnull;
		argument->default_expression = NULL;
	}
	return result;
}

/*
 * Asks for one row more than the caller wants, which tells whether there is a
 * next page.
 */
static void
bind_page(ApiRequest *request)
{
	int			i = request->function->limit;

	if (i < 0)
		return;
	request->limit = request->nulls[i] ? API_PAGE_LIMIT_DEFAULT : DatumGetInt32(request->values[i]);
	if (request->limit < 1 || request->limit > roost_api_page_limit_max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"limit\" must be between 1 and %d", roost_api_page_limit_max),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "limit")));
	request->values[i] = Int32GetDatum(request->limit + 1);
	request->nulls[i] = false;
}
