/*-------------------------------------------------------------------------
 *
 * cookie.c
 *		Tokens in cookies, for browsers that should not see them.
 *
 * roost_access and roost_refresh are httpOnly; roost_csrf is random and
 * readable, for the page to send back in x-csrf-token.  All are SameSite=Lax,
 * and Secure except on plain http to localhost.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/api.h"
#include "core/base64.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#define COOKIE_CSRF_BYTES	24

static void cookie_set(ApiRequest *request, const char *name, const char *value, const char *max_age,
					   bool readable);
static bool cookie_insecure(ApiRequest *request);
static int	cookie_attribute(TupleDesc desc, const char *name);
static char *cookie_text(TupleDesc desc, int i, const Datum *values, const bool *nulls);

/*
 * Returns whether the client asked for cookies.
 */
bool
roost_api_cookie_wanted(ApiRequest *request)
{
	RoostSlice	value;

	return roost_uri_header(request->headers, "x-roost-cookies", &value) &&
		value.length == 1 && value.data[0] == '1';
}

/*
 * Sets the cookies of a result with the attributes access_token,
 * refresh_token and expires_in, and makes the tokens null in it.
 */
void
roost_api_cookie_tokens(ApiRequest *request, TupleDesc desc, Datum *values, bool *nulls)
{
	int			access = cookie_attribute(desc, "access_token");
	int			refresh = cookie_attribute(desc, "refresh_token");
	int			expires = cookie_attribute(desc, "expires_in");
	uint8		random[COOKIE_CSRF_BYTES];
	char		csrf[ROOST_BASE64_ENCODED(COOKIE_CSRF_BYTES) + 1];
	const char *refresh_life = GetConfigOption("roost.token_refresh_ttl", true, false);

	if (access < 0 || nulls[access])
		return;
	if (!pg_strong_random(random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not make a random number")));
	csrf[roost_base64_encode(ROOST_BASE64_URL, random, sizeof(random), csrf)] = '\0';
	if (refresh_life == NULL)
		refresh_life = "604800";

	cookie_set(request, "roost_access", cookie_text(desc, access, values, nulls),
			   expires < 0 || nulls[expires] ? refresh_life : cookie_text(desc, expires, values, nulls), false);
	nulls[access] = true;
	if (refresh >= 0 && !nulls[refresh])
	{
		cookie_set(request, "roost_refresh", cookie_text(desc, refresh, values, nulls), refresh_life, false);
		nulls[refresh] = true;
	}
	cookie_set(request, "roost_csrf", csrf, refresh_life, true);
}

/*
 * Takes the cookies away, if the client has them.
 */
void
roost_api_cookie_clear(ApiRequest *request)
{
	RoostSlice	cookies;
	RoostSlice	value;

	if (!roost_uri_header(request->headers, "cookie", &cookies) ||
		!(roost_uri_cookie(cookies, "roost_access", &value) ||
		  roost_uri_cookie(cookies, "roost_refresh", &value)))
		return;
	cookie_set(request, "roost_access", "", "0", false);
	cookie_set(request, "roost_refresh", "", "0", false);
	cookie_set(request, "roost_csrf", "", "0", true);
}

/* adds one Set-Cookie header */
static void
cookie_set(ApiRequest *request, const char *name, const char *value, const char *max_age, bool readable)
{
	roost_api_header(request, "Set-Cookie",
					 psprintf("%s=%s; Path=/; Max-Age=%s; SameSite=Lax%s%s", name, value, max_age,
							  readable ? "" : "; HttpOnly",
							  cookie_insecure(request) ? "" : "; Secure"));
}

/* whether the client came over plain http to this very machine */
static bool
cookie_insecure(ApiRequest *request)
{
	RoostSlice	proto;
	RoostSlice	host;
	static const char *const locals[] = {"localhost", "127.0.0.1", "[::1]"};

	if (roost_uri_header(request->headers, "x-forwarded-proto", &proto) &&
		!(proto.length == 4 && memcmp(proto.data, "http", 4) == 0))
		return false;
	if (!roost_uri_header(request->headers, "host", &host))
		return false;
	for (int i = 0; i < lengthof(locals); i++)
	{
		size_t		length = strlen(locals[i]);

		if (host.length >= length && memcmp(host.data, locals[i], length) == 0 &&
			(host.length == length || host.data[length] == ':'))
			return true;
	}
	return false;
}

/* the number of an attribute, or -1 */
static int
cookie_attribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return i;
	}
	return -1;
}

/* an attribute's value as text */
static char *
cookie_text(TupleDesc desc, int i, const Datum *values, const bool *nulls)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(TupleDescAttr(desc, i)->atttypid, &output, &varlena);
	return OidOutputFunctionCall(output, values[i]);
}
