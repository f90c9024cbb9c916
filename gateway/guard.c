/*-------------------------------------------------------------------------
 *
 * guard.c
 *		Cookies, CSRF and CORS: what browsers need.
 *
 * A request without Authorization takes its token from the cookie
 * roost_access.  Because a browser sends cookies with requests that other
 * sites cause, such a request, if it can change anything, must repeat the
 * cookie roost_csrf in the header X-CSRF-Token (another site can read neither)
 * and must not come from another origin that is not on the list.  Requests
 * with Authorization are not checked: no browser adds that by itself.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "config.h"
#include "guard.h"

static const char allowed_headers[] =
	"Authorization, Content-Type, Idempotency-Key, If-None-Match, X-CSRF-Token, X-Request-Id, X-Roost-Cookies";
static const char exposed_headers[] =
	"ETag, Link, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id, "
	"Idempotency-Replayed";

/* Returns the value of a cookie, or NULL. */
static const char *
cookie_find(const Request *request, const char *name, size_t *length)
{
	size_t		name_length = strlen(name);

	for (int i = 0; i < request->header_count; i++)
	{
		const char *cursor = request->head.data + request->headers[i].value;
		const char *pair;
		size_t		pair_length;

		if (strcmp(request->head.data + request->headers[i].name, "cookie") != 0)
			continue;
		while ((pair = text_token(&cursor, ';', &pair_length)) != NULL)
			if (pair_length > name_length && pair[name_length] == '=' && memcmp(pair, name, name_length) == 0)
			{
				*length = pair_length - name_length - 1;
				return pair + name_length + 1;
			}
	}
	return NULL;
}

/* Returns whether an origin is on the list; wildcard tells whether only by "*". */
static bool
origin_is_listed(const char *origin, bool *wildcard)
{
	const char *list = config.cors_origins;
	const char *item;
	size_t		length;

	*wildcard = false;
	while ((item = text_token(&list, ',', &length)) != NULL)
	{
		if (strlen(origin) == length && strncasecmp(item, origin, length) == 0)
		{
			*wildcard = false;
			return true;
		}
		if (length == 1 && *item == '*')
			*wildcard = true;
	}
	return *wildcard;
}

/* Returns whether an origin is the one that the request itself went to. */
static bool
origin_is_ours(const Request *request, const char *origin)
{
	const char *forwarded = request->from_proxy ? request_header(request, "x-forwarded-host") : NULL;
	const char *host = forwarded ? forwarded : request_header(request, "host");
	const char *scheme = request->secure ? "https://" : "http://";

	return host && strncasecmp(origin, scheme, strlen(scheme)) == 0 && strcasecmp(origin + strlen(scheme), host) == 0;
}

/* Returns why a request with cookies must not change anything, or NULL. */
static const char *
csrf_problem(const Request *request)
{
	const char *origin = request_header(request, "origin");
	const char *site = request_header(request, "sec-fetch-site");
	const char *header = request_header(request, "x-csrf-token");
	size_t		cookie_length = 0;
	const char *cookie = cookie_find(request, "roost_csrf", &cookie_length);
	bool		wildcard;

	if (origin ? !origin_is_ours(request, origin) && (!origin_is_listed(origin, &wildcard) || wildcard)
		: site && strcasecmp(site, "same-origin") != 0 && strcasecmp(site, "none") != 0)
		return "The request comes from another site.";
	if (header == NULL || cookie == NULL || cookie_length == 0 ||
		!text_equal_constant_time(header, strlen(header), cookie, cookie_length))
		return "The header X-CSRF-Token must repeat the cookie roost_csrf.";
	return NULL;
}

/*
 * Finds the token in the cookies of a request that has none of its own.
 * Returns false if the request has been answered, because it must not go on.
 */
bool
guard_check(Request *request, const char **token, size_t *token_length)
{
	size_t		refresh_length;
	const char *problem;

	if (request_header(request, "authorization") != NULL)
		return true;
	*token = cookie_find(request, "roost_access", token_length);
	if (*token_length == 0)
		*token = NULL;
	if (*token == NULL && !(request->route.cookies && cookie_find(request, "roost_refresh", &refresh_length)))
		return true;
	if (request->method == METHOD_GET || request->method == METHOD_HEAD)
		return true;
	problem = csrf_problem(request);
	if (problem)
		request_fail(request, "ROCSR", problem);
	return problem == NULL;
}

/* Adds what allows the origin of a request to read the answer. */
void
guard_cors_headers(Request *request)
{
	const char *origin;
	bool		wildcard;

	if (*config.cors_origins == '\0')
		return;
	buffer_append_text(&request->answer_head, "vary: Origin\r\n");
	origin = request_header(request, "origin");
	if (origin == NULL || !origin_is_listed(origin, &wildcard))
		return;
	answer_header(request, "access-control-allow-origin", wildcard ? "*" : origin);
	if (!wildcard)
		answer_header(request, "access-control-allow-credentials", "true");
	answer_header(request, "access-control-expose-headers", exposed_headers);
}

/* Adds the methods of a path under a name. */
static void
allow_header(Request *request, const char *name, unsigned methods)
{
	char		list[128] = "OPTIONS";

	if (methods & 1u << METHOD_GET)
		methods |= 1u << METHOD_HEAD;
	for (Method method = 0; method < METHOD_OPTIONS; method++)
		if (methods & 1u << method)
		{
			strcat(list, ", ");
			strcat(list, http_method_names[method]);
		}
	answer_header(request, name, list);
}

/* Answers OPTIONS: a preflight of CORS, or the question which methods there are. */
void
guard_answer_options(Request *request)
{
	const char *path = request_path(request);
	const char *origin = request_header(request, "origin");
	unsigned	methods = strcmp(path, "*") == 0 ? (1u << METHOD_OPTIONS) - 1 : route_methods(path);
	bool		wildcard;
	char		age[16];

	answer_start(request, 204);
	allow_header(request, "allow", methods);
	if (origin && request_header(request, "access-control-request-method") && origin_is_listed(origin, &wildcard))
	{
		snprintf(age, sizeof(age), "%d", config.cors_max_age);
		allow_header(request, "access-control-allow-methods", methods);
		answer_header(request, "access-control-allow-headers", allowed_headers);
		answer_header(request, "access-control-max-age", age);
	}
	answer_send(request, "", 0, true);
}
