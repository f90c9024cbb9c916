/*-------------------------------------------------------------------------
 *
 * request.c
 *		A request from its head to its question to the database.
 *
 * http1.c and http2.c fill a Request and call request_run(), which finds out
 * who asks, lets guard.c object, and then either answers here (pages, /health,
 * /metrics) or submits roost.handle to the pool.  answer.c ends it.
 *
 * A request outlives its connection: when the client goes, request_abandon()
 * cuts the tie: what waits for the database is dropped, what the database says
 * later is thrown away.  Requests are
 * kept for reuse, at most FREE_LIMIT of them, with small buffers only.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>

#include "cache.h"
#include "config.h"
#include "guard.h"
#include "health.h"
#include "log.h"
#include "metrics.h"
#include "long_poll.h"
#include "problem.h"
#include "reader.h"
#include "request.h"
#include "sse.h"
#include "static.h"
#include "ws.h"

#define FREE_LIMIT 256
#define KEEP_SIZE (16 * 1024)
#define REQUEST_REST (sizeof(Request) - offsetof(Request, message) - sizeof(Message))	/* behind the message */

static Request *free_requests[FREE_LIMIT];
static int	free_count;
static bool draining;

/* From now on every answer is the last of its connection. */
void
request_set_draining(void)
{
	draining = true;
}

/* Returns whether the gateway is stopping. */
bool
request_is_draining(void)
{
	return draining;
}

/* Returns an empty request of a connection. */
Request *
request_new(Conn *conn, int version)
{
	Request    *request = free_count > 0 ? free_requests[--free_count] : memory_new(sizeof(Request));

	request->conn = conn;
	request->version = version;
	request->lane = METRICS_LANE_GATEWAY;
	request->secure = conn->tls != NULL;
	request->message.keep_alive = version == 2;
	message_init(&request->message);
	return request;
}

/* Gives a request back. */
void
request_free(Request *request)
{
	Buffer		forward = request->forward;
	Buffer		answer_head = request->answer_head;
	Buffer		answer_body = request->answer_body;

	cache_entry_release(request->entry);
	if (free_count == FREE_LIMIT)
	{
		message_free(&request->message);
		buffer_free(&forward);
		buffer_free(&answer_head);
		buffer_free(&answer_body);
		free(request);
		return;
	}
	message_reset(&request->message, KEEP_SIZE);
	buffer_trim(&forward, KEEP_SIZE);
	buffer_trim(&answer_head, KEEP_SIZE);
	buffer_trim(&answer_body, KEEP_SIZE);
	memset(request, 0, offsetof(Request, message));
	memset((char *) request + sizeof(Request) - REQUEST_REST, 0, REQUEST_REST);
	request->forward = forward;
	request->answer_head = answer_head;
	request->answer_body = answer_body;
	free_requests[free_count++] = request;
}

/* The client is gone: forget it, and the request too unless the database has it already. */
void
request_abandon(Request *request)
{
	if (request->on_gone)
		request->on_gone(request);
	if (request->streaming)
		answer_stream_log(request);
	else
		metrics->aborted++;
	request->conn = NULL;
	if (!request->pending || pool_cancel(&request->query))
		request_free(request);
}

/* Returns whether a request id of a client is one that we repeat. */
static bool
id_is_valid(const char *id)
{
	size_t		length = strlen(id);

	if (length < 8 || length >= REQUEST_ID_SIZE)
		return false;
	for (; *id; id++)
		if (!((*id >= '0' && *id <= '9') || (*id >= 'a' && *id <= 'z') || (*id >= 'A' && *id <= 'Z') ||
			  *id == '-' || *id == '_' || *id == '.'))
			return false;
	return true;
}

/* Makes a request id: 128 random bits. */
static void
id_make(char *id)
{
	static const char digits[] = "0123456789abcdef";
	static unsigned char random[4096];
	static size_t used = sizeof(random);

	if (used == sizeof(random))
	{
		/* never blocks once the system has started */
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			log_fatal("no random numbers");
		used = 0;
	}
	for (int i = 0; i < 16; i++, used++)
	{
		*id++ = digits[random[used] >> 4];
		*id++ = digits[random[used] & 15];
	}
	*id = '\0';
}

/*
 * Finds the client behind trusted proxies.  Only the header that these proxies
 * write counts, the other may be the client's own; and a proxy may write a line
 * of its own below the client's.
 */
static void
request_find_client(Request *request)
{
	bool		forwarded = strcmp(config.forwarded_header, "forwarded") == 0;

	for (int i = request->message.header_count - 1; i >= 0; i--)
		if (strcmp(request->message.head.data + request->message.headers[i].name, config.forwarded_header) == 0 &&
			!address_behind_proxies(&config.proxies, forwarded,
									request->message.head.data + request->message.headers[i].value, &request->address))
			return;
}

/* Finds out who asks and under which id. */
static void
request_identify(Request *request)
{
	const char *id = request_header(request, "x-request-id");

	if (id && id_is_valid(id))
		strcpy(request->id, id);
	else
		id_make(request->id);
	request->received = ev_time();
	if (request->version == REQUEST_CALL)
		return;					/* the handshake has told */
	request->address = request->conn->peer;
	if (network_list_has(&config.proxies, &request->address))
	{
		const char *proto = request_header(request, "x-forwarded-proto");

		request->from_proxy = true;
		if (proto)
			request->secure = strcasecmp(proto, "https") == 0;
		request_find_client(request);
	}
	address_format(&request->address, request->address_text);
}

/* Answers with an error of the gateway itself. */
void
request_fail(Request *request, const char *sqlstate, const char *detail)
{
	if (request->id[0] == '\0')
		request_identify(request);
	problem_send(request, sqlstate, detail, NULL, NULL);
}

/* Adds one header line for roost.handle. */
static void
forward_line(Request *request, const char *name, const char *value)
{
	buffer_append_text(&request->forward, name);
	buffer_append(&request->forward, ": ", 2);
	buffer_append_text(&request->forward, value);
	buffer_append(&request->forward, "\n", 1);
}

/* Writes the headers that roost.handle wants to see. */
static void
request_forward(Request *request)
{
	int			count;
	const char *const *names = route_forwarded_headers(&count);

	request->forward.length = 0;
	for (int n = 0; n < count; n++)
	{
		const char *name = names[n];

		if (strcmp(name, "x-request-id") == 0)
			forward_line(request, name, request->id);
		else if (strcmp(name, "x-forwarded-proto") == 0)
			forward_line(request, name, request->secure ? "https" : "http");
		else if (strcmp(name, "x-forwarded-host") == 0 && !request->from_proxy)
			continue;
		else
			for (int i = 0; i < request->message.header_count; i++)
				if (strcmp(request->message.head.data + request->message.headers[i].name, name) == 0)
					forward_line(request, name, request->message.head.data + request->message.headers[i].value);
	}
	buffer_append(&request->forward, "", 1);
}

/* The database has answered. */
static void
on_result(PoolQuery *query, const PGresult *result)
{
	Request    *request = container_of(query, Request, query);

	request->pending = false;
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 && !PQgetisnull(result, 0, 0))
	{
		const char *answer = PQgetvalue(result, 0, 0);
		size_t		length = (size_t) PQgetlength(result, 0, 0);

		reader_wrote(request, answer, length);
		if (request->conn == NULL)
			request_free(request);
		else if (!poll_wait(request, answer, length))
			answer_from_handle(request, answer, length);
	}
	else if (request->conn == NULL)
		request_free(request);
	else if (!reader_retry(request, PQresultErrorField(result, PG_DIAG_SQLSTATE)))
		problem_from_result(request, result);
}

/* The database could not be asked. */
static void
on_failure(PoolQuery *query, PoolFailure failure)
{
	Request    *request = container_of(query, Request, query);

	request->pending = false;
	if (request->conn == NULL)
		request_free(request);
	else if (!reader_retry(request, NULL))
		problem_from_failure(request, failure);
}

/* Asks the database. */
void
request_submit(Request *request)
{
	PoolQuery  *query = &request->query;

	request_forward(request);
	query->statement = STATEMENT_HANDLE;
	query->values[0] = request->message.method == METHOD_HEAD ? "GET" : request->message.method_name;
	query->values[1] = message_path(&request->message);
	query->values[2] = message_query(&request->message);
	query->values[3] = request->forward.data;
	query->values[4] = NULL;
	query->values[5] = request->address_text;
	if (request->message.has_body)
	{
		buffer_append(&request->message.body, "", 1);
		query->values[4] = request->message.body.data;
	}
	query->on_result = on_result;
	query->on_failure = on_failure;
	request->lane = request->route.lane;
	request->pending = true;
	if (!reader_submit(request))
		pool_submit(request->route.lane, query);
}

/*
 * The client of a request that waits for the database seems to be gone.  What
 * has not been sent is not worth sending; one who has only closed its half may
 * ask again.
 */
void
request_give_up(Request *request)
{
	if (request->pending && pool_cancel(&request->query))
	{
		request->pending = false;
		request_fail(request, "RO503", "The client closed its half of the connection while the request waited.");
	}
}

/* Does what a complete request asks for. */
void
request_run(Request *request)
{
	const char *path = message_path(&request->message);

	request_identify(request);
	if (request->message.method == METHOD_OTHER)
	{
		request_fail(request, "RO501", "This method is not known here; see the header Allow.");
		return;
	}
	if (request->message.method == METHOD_OPTIONS)
	{
		guard_answer_options(request);
		return;
	}
	if (ws_upgrade(request, path) || health_answer(request, path))
		return;
	if (request->version != REQUEST_CALL && static_answer(request, path))
		return;
	if (request->message.has_body && memchr(request->message.body.data ? request->message.body.data : "", '\0', request->message.body.length))
	{
		request_fail(request, "ROJSN", "The body holds a NUL byte.");
		return;
	}
	if (conn_output_is_full(request->conn))
	{
		request_fail(request, "RO503", "Too many answers wait for clients that do not read them.");
		return;
	}
	request->route = route_find(request->message.method, path);
	if (guard_check(request) && !sse_answer(request, path) && !cache_answer(request))
		request_submit(request);
}
