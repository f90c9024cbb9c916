/*-------------------------------------------------------------------------
 *
 * auth.c
 *		Who sends a request, and whether it may be sent now.
 *
 * The access token comes in the header authorization, or in the cookie
 * roost_access.  What a browser sends of itself proves nothing, so a request
 * that lives on cookies must repeat the cookie roost_csrf in the header
 * x-csrf-token, unless it only reads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "account/token.h"
#include "api/api.h"
#include "limit/limit.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

static void auth_number_header(ApiRequest *request, const char *name, int64 number);
static void auth_too_many(ApiRequest *request, const RoostLimitState *state) pg_attribute_noreturn();
static bool auth_token(ApiRequest *request, RoostSlice *token);
static bool auth_cookie(ApiRequest *request, const char *name, RoostSlice *value);

/*
 * Fills in who sends the request, as far as its route wants to know.
 */
void
roost_api_authenticate(ApiRequest *request)
{
	RoostSlice	token;
	RoostIdentity identity;
	const char *why = NULL;

	if (request->route->cookies)
		auth_cookie(request, "roost_refresh", &request->refresh_cookie);
	if (request->route->auth == API_AUTH_NONE)
		return;
	if (!auth_token(request, &token))
	{
		if (request->route->auth == API_AUTH_USER)
			ereport(ERROR,
					(errcode(ERRCODE_ROOST_TOKEN_REQUIRED),
					 errmsg("an access token is required"),
					 errhint("Send the header Authorization: Bearer and the access token.")));
		return;
	}
	if (!roost_token_authenticate(token.data, token.length, &identity, &why))
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_INVALID_TOKEN),
				 errmsg("the access token is not valid"),
				 why ? errdetail("%s", why) : 0));
	request->authenticated = true;
	request->account_id = identity.account_id;
	request->session_id = identity.session_id;
	request->device_id = identity.device_id;
	if (request->by_cookie && request->method != API_GET)
		roost_api_check_csrf(request);
}

/*
 * Raises an error unless the request repeats the cookie roost_csrf in its
 * header.
 */
void
roost_api_check_csrf(ApiRequest *request)
{
	RoostSlice	cookie;
	RoostSlice	header;

	if (!auth_cookie(request, "roost_csrf", &cookie) || cookie.length == 0 ||
		!roost_uri_header(request->headers, "x-csrf-token", &header) ||
		header.length != cookie.length ||
		CRYPTO_memcmp(header.data, cookie.data, cookie.length) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_CSRF),
				 errmsg("the CSRF check failed"),
				 errhint("Send the value of the cookie roost_csrf in the header X-CSRF-Token.")));
}

/*
 * Takes one unit of the route's rate limit, and says what is left of it.
 */
void
roost_api_limit(ApiRequest *request)
{
	RoostLimitState state = {0};
	char	   *address;
	bool		allowed;

	if (strcmp(request->route->limit_class, "none") == 0)
		return;
	address = pnstrdup(request->address.data, request->address.length);
	allowed = roost_limit_check(request->route->limit_class, request->account_id,
								address[0] != '\0' ? address : NULL, NULL, &state);
	if (state.limit > 0)
	{
		auth_number_header(request, "RateLimit-Limit", state.limit);
		auth_number_header(request, "RateLimit-Remaining", state.remaining);
		auth_number_header(request, "RateLimit-Reset", state.reset);
	}
	request->limit_headers = request->headers_out.len;
	if (!allowed)
		auth_too_many(request, &state);
}

/*
 * Takes one unit of the policies that count by what the request is about: the
 * user name or e-mail address that somebody gives without being logged in.
 */
void
roost_api_limit_target(ApiRequest *request)
{
	int			i = request->function->target;
	RoostLimitState state = {0};
	char	   *target;

	if (i < 0 || request->nulls[i] || strcmp(request->route->limit_class, "none") == 0)
		return;
	target = TextDatumGetCString(request->values[i]);
	target += strspn(target, "@");
	target = asc_tolower(target, strlen(target));
	if (!roost_limit_take(request->route->limit_class, 0, NULL, target, 1, &state))
		auth_too_many(request, &state);
}

/* adds a header that is a number */
static void
auth_number_header(ApiRequest *request, const char *name, int64 number)
{
	char		text[MAXINT8LEN + 1];

	pg_lltoa(number, text);
	roost_api_header(request, name, text);
}

/* raises: the rate limit is used up */
static void
auth_too_many(ApiRequest *request, const RoostLimitState *state)
{
	auth_number_header(request, "Retry-After", state->retry_after);
	ereport(ERROR,
			(errcode(ERRCODE_ROOST_TOO_MANY_REQUESTS),
			 errmsg("too many requests"),
			 errdetail("Try again in " INT64_FORMAT " s.", state->retry_after)));
}

/*
 * Finds the access token; false if none was sent.
 */
static bool
auth_token(ApiRequest *request, RoostSlice *token)
{
	if (!roost_uri_header(request->headers, "authorization", token))
	{
		request->by_cookie = auth_cookie(request, "roost_access", token) && token->length > 0;
		return request->by_cookie;
	}
	if (token->length < 7 || pg_strncasecmp(token->data, "bearer ", 7) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_INVALID_TOKEN),
				 errmsg("the access token is not valid"),
				 errdetail("The header Authorization does not begin with \"Bearer\".")));
	token->data += 7;
	token->length -= 7;
	return true;
}

/*
 * Finds a cookie of the request.
 */
static bool
auth_cookie(ApiRequest *request, const char *name, RoostSlice *value)
{
	RoostSlice	cookies;

	return roost_uri_header(request->headers, "cookie", &cookies) &&
		roost_uri_cookie(cookies, name, value);
}
