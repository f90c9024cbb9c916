/*-------------------------------------------------------------------------
 *
 * guard.c
 *		Cookies, CSRF and CORS: what browsers need.
 *
 * Tokens in cookies are roost.handle's business, and so is the check that such
 * a request repeats the cookie roost_csrf in the header X-CSRF-Token.  What
 * only the gateway knows is which origins are its own and which are on the
 * list: a request that lives on cookies and may change anything must come from
 * one of them.  Requests with Authorization are not checked: no browser adds
 * that by itself.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "config.h"
#include "guard.h"
#include "sse.h"

static const char allowed_headers[] =
"Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Roost-Position, X-CSRF-Token, X-Request-Id, X-Roost-Cookies";
static const char exposed_headers[] =
"Age, ETag, Link, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Roost-Position, X-Request-Id, "
"Idempotency-Replayed, X-Cache";

/* Returns the value of a cookie, which is not empty, or NULL. */
const char *
guard_cookie(const Request *request, const char *name, size_t *length)
{
	size_t		name_length = strlen(name);

	for (int i = 0; i < request->message.header_count; i++)
	{
		const char *cursor = request->message.head.data + request->message.headers[i].value;
		const char *pair;

		if (strcmp(request->message.head.data + request->message.headers[i].name, "cookie") != 0)
			continue;
		while ((pair = text_token(&cursor, ';', length)) != NULL)
			if (*length > name_length && pair[name_length] == '=' && memcmp(pair, name, name_length) == 0)
			{
				*length -= name_length + 1;
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

/*
 * Returns false if another site's page caused the request, as far as the
 * browser says so, and that site is not on the list.
 */
bool
guard_site_is_known(const Request *request)
{
	const char *origin = request_header(request, "origin");
	const char *site = request_header(request, "sec-fetch-site");
	bool		wildcard;

	if (origin)
		return origin_is_ours(request, origin) || (origin_is_listed(origin, &wildcard) && !wildcard);
	return site == NULL || strcasecmp(site, "same-origin") == 0 || strcasecmp(site, "none") == 0;
}

/*
 * Returns false if the request has been answered, because another site's page
 * caused it and it would act with the cookies of this one.
 */
bool
guard_check(Request *request)
{
	size_t		length;

	if (request->message.method == METHOD_GET || request->message.method == METHOD_HEAD || request_header(request, "authorization"))
		return true;
	if (!guard_cookie(request, "roost_access", &length) && !guard_cookie(request, "roost_refresh", &length))
		return true;
	if (guard_site_is_known(request))
		return true;
	request_fail(request, "ROCSR", "The request comes from another site.");
	return false;
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
	const char *path = message_path(&request->message);
	const char *origin = request_header(request, "origin");
	unsigned	methods = strcmp(path, "*") == 0 ? (1u << METHOD_OPTIONS) - 1 :
	sse_is_path(path) ? 1u << METHOD_GET : route_methods(path);
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
