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
	RoostLimitState state;
	bool		allowed;
	char	   *address;

	if (strcmp(request->route->limit_class, "none") == 0)
		return;
	address = pnstrdup(request->address.data, request->address.length);
	allowed = roost_limit_check(request->route->limit_class, request->account_id, address, NULL, &state);
	if (state.limit > 0)
	{
		char		number[32];

		pg_lltoa(state.limit, number);
		roost_api_header(request, "RateLimit-Limit", number);
		pg_lltoa(state.remaining, number);
		roost_api_header(request, "RateLimit-Remaining", number);
		pg_lltoa(state.reset, number);
		roost_api_header(request, "RateLimit-Reset", number);
	}
	request->limit_headers = request->headers_out.len;
	if (!allowed)
	{
		char		number[32];

		pg_lltoa(state.retry_after, number);
		roost_api_header(request, "Retry-After", number);
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_TOO_MANY_REQUESTS),
				 errmsg("too many requests"),
				 errdetail("Try again in %d s.", (int) state.retry_after)));
	}
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
