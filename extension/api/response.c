/*-------------------------------------------------------------------------
 *
 * response.c
 *		Headers and the final form of an answer: "STATUS\n", lines
 *		"Name: value\n", an empty line, the body.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/api.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(roost_api_request_header);
PG_FUNCTION_INFO_V1(roost_api_response_header);
PG_FUNCTION_INFO_V1(roost_api_response_status);
PG_FUNCTION_INFO_V1(roost_api_problem_member);

/* bytes that the members of a problem may have together */
#define RESPONSE_MEMBERS_MAX (512 * 1024)

/* longest name of a member */
#define RESPONSE_MEMBER_NAME_MAX 32

static void response_link(ApiRequest *request, StringInfo links, const char *relation,
						  const char *argument, const char *cursor);
static void response_origin(ApiRequest *request, StringInfo out);
static void response_validators(ApiRequest *request);
static void response_etag(StringInfo body, char *tag);
static bool response_not_modified(ApiRequest *request, const char *tag);

/*
 * Adds a header to the answer, also when it becomes an error.
 */
void
roost_api_header(ApiRequest *request, const char *name, const char *value)
{
	appendStringInfo(&request->headers_out, "%s: %s\n", name, value);
}

/*
 * roost.request_header(name) returns a header of the request, or NULL.
 */
Datum
roost_api_request_header(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	RoostSlice	value;

	for (char *p = name; *p; p++)
		*p = pg_ascii_tolower((unsigned char) *p);
	if (roost_api_request == NULL || strcmp(name, "authorization") == 0 || strcmp(name, "cookie") == 0 ||
		!roost_uri_header(roost_api_request->headers, name, &value))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(value.data, value.length));
}

/*
 * roost.response_header(name, value) adds a header to the answer.
 */
Datum
roost_api_response_header(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *value = text_to_cstring(PG_GETARG_TEXT_PP(1));
	bool		valid = name[0] != '\0';

	for (char *p = name; *p; p++)
		valid = valid && (isalnum((unsigned char) *p) || *p == '-') && (unsigned char) *p < 0x80;
	for (char *p = value; *p; p++)
		valid = valid && (unsigned char) *p >= ' ' && *p != 0x7f;
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid response header"),
				 errdetail("A name has letters, digits and \"-\", a value no control characters.")));
	if (roost_api_request)
		roost_api_header(roost_api_request, name, value);
	PG_RETURN_VOID();
}

/*
 * roost.response_status(status) sets the status of a success.
 */
Datum
roost_api_response_status(PG_FUNCTION_ARGS)
{
	int			status = PG_GETARG_INT32(0);

	if (status < 200 || status > 399 || status == 304)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid response status %d", status),
				 errdetail("It must be between 200 and 399; failures are errors.")));
	if (roost_api_request)
		roost_api_request->status = status;
	PG_RETURN_VOID();
}

/*
 * roost.problem_member(name, value) adds a member to the problem that the
 * answer becomes if the function fails.
 */
Datum
roost_api_problem_member(PG_FUNCTION_ARGS)
{
	static const char *const taken[] = {"type", "title", "status", "code", "detail", "hint", "field", "instance", "request_id"};
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Jsonb	   *value = PG_GETARG_JSONB_P(1);
	size_t		length = strlen(name);
	bool		valid = length > 0 && length <= RESPONSE_MEMBER_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz_") == length;

	for (int i = 0; i < lengthof(taken); i++)
		valid = valid && strcmp(name, taken[i]) != 0;
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid member of a problem"),
				 errdetail("A name has 1 to %d of a-z and \"_\", and is none of those that every problem has.", RESPONSE_MEMBER_NAME_MAX)));
	if (roost_api_request)
	{
		StringInfo	members = &roost_api_request->members;
		char	   *json = JsonbToCString(NULL, &value->root, VARSIZE(value));

		if (members->len + length + strlen(json) > RESPONSE_MEMBERS_MAX)
		{
			resetStringInfo(members);
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("the members of the problem are too large"),
					 errdetail("Together they may have %d bytes.", RESPONSE_MEMBERS_MAX)));
		}
		appendStringInfo(members, "%s: %s\n", name, json);
	}
	PG_RETURN_VOID();
}

/*
 * Adds the header Link to a page: the older page first, then the newer one; or
 * the newer one where the oldest come first, which only takes "after".
 */
void
roost_api_link(ApiRequest *request)
{
	StringInfoData links;

	initStringInfo(&links);
	if (request->function->before < 0)
	{
		if (request->next && request->function->after >= 0)
			response_link(request, &links, "next", "after", request->next);
	}
	else
	{
		if (request->next)
			response_link(request, &links, "next", "before", request->next);
		if (request->previous && request->function->after >= 0)
			response_link(request, &links, "prev", "after", request->previous);
	}
	if (links.len > 0)
		roost_api_header(request, "Link", links.data);
}

/*
 * Appends one link: the request's own address with another position.  A link
 * backwards forgets both positions, a link forwards keeps "after".
 */
static void
response_link(ApiRequest *request, StringInfo links, const char *relation,
			  const char *argument, const char *cursor)
{
	RoostSlice	rest = request->query;
	RoostSlice	name;
	RoostSlice	value;

	appendStringInfo(links, "%s<", links->len > 0 ? ", " : "");
	response_origin(request, links);
	for (size_t i = 0; i < request->path.length; i++)
	{
		/* what would end the address early */
		if (strchr("<>\"", request->path.data[i]))
			appendStringInfo(links, "%%%02X", request->path.data[i]);
		else
			appendStringInfoChar(links, request->path.data[i]);
	}
	appendStringInfo(links, "?%s=%s", argument, cursor);
	while (roost_uri_next_pair(&rest, &name, &value))
	{
		bool		before = name.length == 6 && memcmp(name.data, "before", 6) == 0;
		bool		after = name.length == 5 && memcmp(name.data, "after", 5) == 0;

		if (before || (after && strcmp(argument, "after") == 0))
			continue;
		appendStringInfoChar(links, '&');
		for (const char *p = name.data; p < value.data + value.length; p++)
		{
			if ((unsigned char) *p <= ' ' || strchr("<>\"\\^`{|}\177", *p))
				appendStringInfo(links, "%%%02X", (unsigned char) *p);
			else
				appendStringInfoChar(links, *p);
		}
	}
	appendStringInfo(links, ">; rel=\"%s\"", relation);
}

/*
 * Appends scheme and host as the client sees them, or nothing if they are not
 * known, which leaves a relative address.
 */
static void
response_origin(ApiRequest *request, StringInfo out)
{
	RoostSlice	host;
	RoostSlice	proto;
	bool		https;

	if (!roost_uri_header(request->headers, "host", &host) || host.length == 0 || host.length > 255)
		return;
	for (size_t i = 0; i < host.length; i++)
	{
		unsigned char c = host.data[i];

		if (c >= 0x80 || !(isalnum(c) || strchr(".-:[]", c)))
			return;
	}
	https = roost_uri_header(request->headers, "x-forwarded-proto", &proto) &&
		proto.length == 5 && memcmp(proto.data, "https", 5) == 0;
	appendStringInfo(out, "%s://", https ? "https" : "http");
	appendBinaryStringInfo(out, host.data, host.length);
}

/*
 * Returns the whole answer.
 */
text *
roost_api_answer(ApiRequest *request)
{
	StringInfoData out;

	if (request->route && (request->route->sensitive || request->route->cookies))
		roost_api_header(request, "Cache-Control", "no-store");
	else if (request->method == API_GET && request->status == 200 && !request->no_body)
		response_validators(request);
	if (!request->no_body)
		roost_api_header(request, "Content-Type", "application/json; charset=utf-8");
	if (request->head && !request->no_body)
	{
		appendStringInfo(&request->headers_out, "Content-Length: %d\n", request->body_out.len);
		request->no_body = true;
	}

	out.maxlen = VARHDRSZ + 32 + request->headers_out.len + (request->no_body ? 0 : request->body_out.len);
	out.data = palloc(out.maxlen);
	out.len = VARHDRSZ;
	appendStringInfo(&out, "%d\n", request->status);
	appendBinaryStringInfo(&out, request->headers_out.data, request->headers_out.len);
	appendStringInfoCharMacro(&out, '\n');
	if (!request->no_body)
		appendBinaryStringInfo(&out, request->body_out.data, request->body_out.len);
	SET_VARSIZE(out.data, out.len);
	return (text *) out.data;
}

/*
 * Adds what lets a client keep the answer to a GET, and answers 304 if it has
 * it already.
 */
static void
response_validators(ApiRequest *request)
{
	char		tag[32];

	response_etag(&request->body_out, tag);
	roost_api_header(request, "ETag", tag);
	roost_api_header(request, "Cache-Control", request->authenticated ? "private, no-cache" : "no-cache");
	if (request->route->auth != API_AUTH_NONE)
		roost_api_header(request, "Vary", "Authorization, Cookie");
	if (response_not_modified(request, tag))
	{
		request->status = 304;
		request->no_body = true;
	}
}

/*
 * Writes the entity tag of a body: a hash of 64 bits.  Four lanes of eight
 * bytes a step do not wait for each other.
 */
static void
response_etag(StringInfo body, char *tag)
{
	const uint64 factor = UINT64CONST(0x9E3779B97F4A7C15);
	uint64		lane[4] = {body->len * factor, factor, ~factor, factor >> 1};
	uint64		hash;
	const char *p = body->data;
	int			left = body->len;

	while (left > 0)
	{
		uint64		word[4] = {0};

		memcpy(word, p, Min(left, 32));
		for (int i = 0; i < 4; i++)
		{
			lane[i] = (lane[i] ^ word[i]) * factor;
			lane[i] ^= lane[i] >> 32;
		}
		p += 32;
		left -= 32;
	}
	hash = lane[0];
	for (int i = 1; i < 4; i++)
	{
		hash = (hash ^ lane[i]) * factor;
		hash ^= hash >> 32;
	}
	snprintf(tag, 32, "W/\"%016llx\"", (unsigned long long) hash);
}

/*
 * Returns whether the client named the entity tag in if-none-match.
 */
static bool
response_not_modified(ApiRequest *request, const char *tag)
{
	RoostSlice	tags;

	/* weak comparison: the part in quotes decides */
	return roost_uri_header(request->headers, "if-none-match", &tags) &&
		((tags.length == 1 && tags.data[0] == '*') ||
		 strstr(pnstrdup(tags.data, tags.length), tag + 2) != NULL);
}
