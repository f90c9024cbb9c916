/*-------------------------------------------------------------------------
 *
 * ws_upgrade.c
 *		The handshake of WebSockets (RFC 6455, section 4.2).
 *
 * What is wrong with it is answered as HTTP, also a token that is not valid,
 * so that a client without a socket knows why.  Extensions are never agreed
 * on: permessage-deflate costs tens of kilobytes a socket.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <strings.h>

#include "config.h"
#include "metrics.h"
#include "problem.h"
#include "stream.h"
#include "ws.h"

/* Returns whether the client wants another protocol than HTTP on this connection. */
static bool
wants_websocket(const Request *request)
{
	const char *upgrade = request_header(request, "upgrade");
	const char *connection = request_header(request, "connection");

	return upgrade && connection && http_list_has(connection, "upgrade") && http_list_has(upgrade, "websocket");
}

/*
 * Chooses the sub-protocol: the first of the client's that we know; *named is
 * false if it names none.  Returns NULL if we know none of them.
 */
static const WsKind *
choose_kind(const Request *request, bool *named)
{
	*named = false;
	for (int i = 0; i < request->message.header_count; i++)
	{
		const char *list = request->message.head.data + request->message.headers[i].value;
		const char *name;
		size_t		length;

		if (strcmp(request->message.head.data + request->message.headers[i].name, "sec-websocket-protocol") != 0)
			continue;
		*named = true;
		while ((name = text_token(&list, ',', &length)) != NULL)
		{
			if (strlen(ws_roost.name) == length && memcmp(name, ws_roost.name, length) == 0)
				return &ws_roost;
			if (config.stream_echo && strlen(ws_echo.name) == length && memcmp(name, ws_echo.name, length) == 0)
				return &ws_echo;
		}
	}
	return *named ? NULL : &ws_roost;
}

/* Returns the only header of that name, or NULL. */
static const char *
only_header(const Request *request, const char *name)
{
	const char *value = NULL;

	for (int i = 0; i < request->message.header_count; i++)
		if (strcmp(request->message.head.data + request->message.headers[i].name, name) == 0)
		{
			if (value)
				return NULL;
			value = request->message.head.data + request->message.headers[i].value;
		}
	return value;
}

/* Returns NULL, or what is wrong with the handshake, with its SQLSTATE. */
static const char *
handshake_problem(const Request *request, const char **sqlstate)
{
	const char *version = only_header(request, "sec-websocket-version");

	*sqlstate = "RO426";
	if (!wants_websocket(request) || request->version != 1)
		return "Here a WebSocket is opened, over HTTP/1.1; send Upgrade: websocket and Connection: Upgrade.";
	if (version == NULL || strcmp(version, "13") != 0)
		return "The version of a WebSocket must be 13.";
	*sqlstate = "RO400";
	if (request->message.http10 || request->message.has_body)
		return "The handshake of a WebSocket is of HTTP/1.1 and has no body.";
	return NULL;
}

/* The token is valid, or there was none. */
static void
on_open(Request *request, const StreamIdentity *identity)
{
	char		accept[WS_ACCEPT_SIZE];
	bool		named;
	const WsKind *kind = choose_kind(request, &named);

	ws_accept_key(request_header(request, "sec-websocket-key"), accept);
	ws_start(request, kind, identity, accept, named);
}

/* Opens a WebSocket. */
static void
upgrade(Request *request)
{
	const char *key = only_header(request, "sec-websocket-key");
	char		accept[WS_ACCEPT_SIZE];
	const char *sqlstate;
	const char *problem = handshake_problem(request, &sqlstate);
	bool		named;

	if (problem)
		problem_send(request, sqlstate, problem, NULL, NULL);
	else if (key == NULL || !ws_accept_key(key, accept))
		request_fail(request, "RO400", "There must be one header Sec-WebSocket-Key, of 16 bytes in base64.");
	else if (choose_kind(request, &named) == NULL)
		request_fail(request, "RO400", "The sub-protocol known here is roost.v1.");
	else
		stream_open(request, on_open);
}

/* Returns whether the request is for a WebSocket, and was taken. */
bool
ws_upgrade(Request *request, const char *path)
{
	static int	metric;

	if (request->version == REQUEST_CALL)
		return false;
	if (*path == '/' && strcmp(route_without_base(path), "/stream") == 0)
	{
		if (metric == 0)
			metric = metrics_route("GET", "/stream");
		request->route.metric = metric;
		if (request->message.method != METHOD_GET)
			request_fail(request, "RO405", "Only GET is possible here.");
		else
			upgrade(request);
		return true;
	}
	if (!wants_websocket(request))
		return false;
	if (route_loads() == 0)		/* nor is it known below which path */
		request_fail(request, "RO503", "The gateway starts, or has no database yet; try again.");
	else
		request_fail(request, "RO404", "No WebSocket is offered at this path.");
	return true;
}
