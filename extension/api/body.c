/*-------------------------------------------------------------------------
 *
 * body.c
 *		Reads the fields of a JSON body.
 *
 * PostgreSQL's own parser does the work; this file listens to it, hands every
 * field of the outermost object on, and limits the depth.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/api.h"
#include "core/compat.h"
#include "mb/pg_wchar.h"

typedef struct BodyState
{
	ApiRequest *request;
	ApiFieldAction action;
	JsonLexContext *lex;
	int			depth;			/* open objects and arrays */
	char	   *name;			/* of the current field of the outermost
								 * object */
	const char *start;			/* of its value, if that is an object or array */
	ApiValueKind kind;
} BodyState;

static void body_check_media_type(ApiRequest *request);
static void body_failed(BodyState *state, JsonParseErrorType why) pg_attribute_noreturn();
static void body_open(BodyState *state, ApiValueKind kind);
static RoostJsonAction body_object_start(void *arg);
static RoostJsonAction body_array_start(void *arg);
static RoostJsonAction body_close(void *arg);
static RoostJsonAction body_field_start(void *arg, char *name, bool isnull);
static RoostJsonAction body_field_end(void *arg, char *name, bool isnull);
static RoostJsonAction body_scalar(void *arg, char *token, JsonTokenType type);

/*
 * Calls the action for every field of the body's object.  Without a body
 * there are none.
 */
void
roost_api_body_parse(ApiRequest *request, ApiFieldAction action)
{
	BodyState	state = {.request = request,.action = action};
	JsonSemAction actions = {0};
	JsonParseErrorType result;

	if (request->body.length == 0)
		return;
	body_check_media_type(request);

	/* it decodes strings */
	state.lex = makeJsonLexContextCstringLen(NULL, request->body.data, request->body.length,
											 GetDatabaseEncoding(), true);
	actions.semstate = &state;
	actions.object_start = body_object_start;
	actions.object_end = body_close;
	actions.array_start = body_array_start;
	actions.array_end = body_close;
	actions.object_field_start = body_field_start;
	actions.object_field_end = body_field_end;
	actions.scalar = body_scalar;
	result = pg_parse_json(state.lex, &actions);
	if (result != JSON_SUCCESS)
		body_failed(&state, result);
	request->field = NULL;
}

/*
 * Raises an error unless the body says it is JSON.
 */
static void
body_check_media_type(ApiRequest *request)
{
	RoostSlice	type;
	size_t		length;

	if (roost_uri_header(request->headers, "content-type", &type))
	{
		const char *semicolon = memchr(type.data, ';', type.length);

		length = semicolon ? semicolon - type.data : type.length;
		while (length > 0 && type.data[length - 1] == ' ')
			length--;
		if (length == 16 && pg_strncasecmp(type.data, "application/json", 16) == 0)
			return;
		if (length > 17 && pg_strncasecmp(type.data, "application/", 12) == 0 &&
			pg_strncasecmp(type.data + length - 5, "+json", 5) == 0)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_ROOST_UNSUPPORTED_MEDIA),
			 errmsg("the body must be JSON"),
			 errhint("Send the header Content-Type: application/json.")));
}

/*
 * Raises what the parser found wrong, without quoting the body.
 */
static void
body_failed(BodyState *state, JsonParseErrorType why)
{
	int			line = 1;
	const char *start = state->request->body.data;
	const char *end = start + state->request->body.length;
	const char *at = state->lex->token_start ? Min(state->lex->token_start, end) : end;

	if (why == JSON_UNICODE_CODE_POINT_ZERO || why == JSON_UNICODE_HIGH_ESCAPE ||
		why == JSON_UNICODE_HIGH_SURROGATE || why == JSON_UNICODE_LOW_SURROGATE)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("a string holds a character that cannot be stored"),
				 errdetail("NUL and single surrogates are not allowed."),
				 state->name ? err_generic_string(PG_DIAG_COLUMN_NAME, state->name) : 0));

	for (const char *p = start; p < at; p++)
	{
		if (*p == '\n')
		{
			line++;
			start = p + 1;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_ROOST_MALFORMED_JSON),
			 errmsg("the body is not valid JSON"),
			 errdetail("Line %d, byte %d.", line, (int) (at - start) + 1)));
}

/*
 * Counts an object or array in, and notes where a field's value begins.
 */
static void
body_open(BodyState *state, ApiValueKind kind)
{
	if (state->depth == 0 && kind != API_VALUE_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_WRONG_TYPE),
				 errmsg("the body must be an object")));
	if (state->depth == API_JSON_DEPTH_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_MALFORMED_JSON),
				 errmsg("the body is nested too deeply"),
				 errdetail("At most %d levels are read.", API_JSON_DEPTH_MAX)));
	if (state->depth == 1)
	{
		state->start = state->lex->token_start;
		state->kind = kind;
	}
	state->depth++;
}

static RoostJsonAction
body_object_start(void *arg)
{
	body_open(arg, API_VALUE_OBJECT);
	ROOST_JSON_ACTION_DONE();
}

static RoostJsonAction
body_array_start(void *arg)
{
	body_open(arg, API_VALUE_ARRAY);
	ROOST_JSON_ACTION_DONE();
}

static RoostJsonAction
body_close(void *arg)
{
	((BodyState *) arg)->depth--;
	ROOST_JSON_ACTION_DONE();
}

static RoostJsonAction
body_field_start(void *arg, char *name, bool isnull)
{
	BodyState  *state = arg;

	if (state->depth == 1)
	{
		state->name = name;
		state->start = NULL;
	}
	ROOST_JSON_ACTION_DONE();
}

/* hands an object or array on */
static RoostJsonAction
body_field_end(void *arg, char *name, bool isnull)
{
	BodyState  *state = arg;

	if (state->depth == 1 && state->start)
	{
		ApiValue	value = {.kind = state->kind};

		value.length = state->lex->prev_token_terminator - state->start;
		value.text = pnstrdup(state->start, value.length);
		state->action(state->request, state->name, &value);
		state->start = NULL;
		state->name = NULL;
	}
	ROOST_JSON_ACTION_DONE();
}

/* hands a scalar on */
static RoostJsonAction
body_scalar(void *arg, char *token, JsonTokenType type)
{
	BodyState  *state = arg;

	if (state->depth == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_WRONG_TYPE),
				 errmsg("the body must be an object")));
	if (state->depth == 1)
	{
		ApiValue	value = {.text = token,.length = strlen(token)};

		value.kind = type == JSON_TOKEN_STRING ? API_VALUE_STRING :
			type == JSON_TOKEN_NUMBER ? API_VALUE_NUMBER :
			type == JSON_TOKEN_TRUE ? API_VALUE_TRUE :
			type == JSON_TOKEN_FALSE ? API_VALUE_FALSE : API_VALUE_NULL;
		state->action(state->request, state->name, &value);
		state->name = NULL;
	}
	ROOST_JSON_ACTION_DONE();
}
