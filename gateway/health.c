/*-------------------------------------------------------------------------
 *
 * health.c
 *		/health and /metrics, and the gateway's own questions to the database.
 *
 * /health is a text that is made once a second of what the database says to
 * GET /health, with the gateway's own state added, so that being asked often costs nothing and a database that
 * hangs does not hang the answer.  The same tick reads roost.gateway_config()
 * after a connection was made, after SIGHUP and every CONFIG_EVERY seconds.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "health.h"
#include "log.h"
#include "metrics.h"
#include "stat.h"

#define HEALTH_EVERY 1.0
#define HEALTH_PATIENCE 3.0		/* without an answer for so long, the database
								 * is down */
#define CONFIG_EVERY 10.0

static PoolQuery health_query;
static PoolQuery config_query;
static bool health_asked;
static bool config_asked;
static double next_health;
static double next_config;
static double last_answer;
static double asked_at;
static uint64_t known_connects;
static int	health_status;
static Buffer health_text;
static Buffer database_text;	/* what the database said, a JSON object */
static double started;

/* Makes the text that /health answers. */
static void
health_render(bool up)
{
	int			standbys = pool_standbys_usable();
	bool		starting = up && !route_is_loaded();

	metrics->database_up = up;
	health_status = (up && !starting) || standbys > 0 ? 200 : 503;
	health_text.length = 0;
	if (starting)
		buffer_append_text(&health_text, "{\"status\":\"starting\"");
	else if (up && database_text.length > 0)
		buffer_append(&health_text, database_text.data, database_text.length - 1);
	else
		buffer_printf(&health_text, "{\"status\":\"%s\"", up ? "ok" : standbys > 0 ? "degraded" : "unavailable");
	buffer_printf(&health_text, ",\"database\":\"%s\",\"gateway\":{\"version\":\"%s\",\"uptime_seconds\":%lld",
				  up ? "ok" : "unavailable", ROOST_VERSION, (long long) (ev_time() - started));
	if (config.read_count > 0)
		buffer_printf(&health_text, ",\"standbys\":%d,\"standbys_healthy\":%d", config.read_count, standbys);
	buffer_append(&health_text, "}}\n", 3);
}

/* The database answered GET /health: "STATUS\n...\n\n{...}". */
static void
on_health(PoolQuery *query, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool		up = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
	const char *text = up ? PQgetvalue(result, 0, 0) : "";
	const char *body = strstr(text, "\n\n");

	health_asked = false;
	database_text.length = 0;
	if (up && atoi(text) >= 500)
		up = false;
	if (body && body[2] == '{' && body[3] != '}')
	{
		buffer_append_text(&database_text, body + 2);
		while (database_text.length > 0 && database_text.data[database_text.length - 1] != '}')
			database_text.length--;
	}
	/* a database without the route answers all the same */
	up |= sqlstate && strcmp(sqlstate, "RO404") == 0;
	if (up)
		last_answer = ev_time();
	health_render(up);
}

/* The database could not be asked. */
static void
on_health_failure(PoolQuery *query, PoolFailure failure)
{
	health_asked = false;
	if (failure != POOL_FULL)
		health_render(false);
}

/* The database told its routes. */
static void
on_config(PoolQuery *query, const PGresult *result)
{
	config_asked = false;
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
	{
		route_load(PQgetvalue(result, 0, 0), (size_t) PQgetlength(result, 0, 0));
		if (metrics->database_up)
			health_render(true);
	}
	else
		log_error("could not read roost.gateway_config(): %s", PQresultErrorMessage(result));
}

/* The database could not be asked; the next tick tries again. */
static void
on_config_failure(PoolQuery *query, PoolFailure failure)
{
	config_asked = false;
	next_config = 0;
}

/* Prepares the first answer. */
void
health_start(void)
{
	started = ev_time();
	health_query = (PoolQuery)
	{
		.statement = STATEMENT_HANDLE,.values =
		{
			"GET", "/health", NULL, "", NULL, "127.0.0.1"
		},
			.on_result = on_health,.on_failure = on_health_failure
	};
	config_query = (PoolQuery)
	{
		.statement = STATEMENT_CONFIG,.on_result = on_config,.on_failure = on_config_failure
	};
	health_render(false);
}

/* Asks for the routes again. */
void
health_reload(void)
{
	next_config = 0;
}

/* Called a few times a second: asks the database what is due. */
void
health_tick(void)
{
	double		now = ev_time();
	uint64_t	connects = metrics->lanes[LANE_FAST].connects;
	bool		reconnected = connects != known_connects;

	stat_tick();
	known_connects = connects;
	if (health_asked && now - asked_at > HEALTH_PATIENCE)
		health_render(false);
	if (!health_asked && (now >= next_health || reconnected))
	{
		next_health = now + HEALTH_EVERY;
		asked_at = now;
		health_asked = true;
		pool_submit(LANE_FAST, &health_query);
	}
	if (!config_asked && (now >= next_config || reconnected) && (pool_is_up(LANE_FAST) || pool_standbys_usable() > 0))
	{
		next_config = now + CONFIG_EVERY;
		config_asked = true;
		if (pool_is_up(LANE_FAST) || !pool_submit_standby(LANE_FAST, &config_query, 0))
			pool_submit(LANE_FAST, &config_query);
	}
}

/* Answers /metrics, when the servers have said what they count. */
static void
metrics_answer(Request *request)
{
	if (!network_list_has(&config.metrics_networks, &request->address) ||
		(!request->from_proxy && (request_header(request, "x-forwarded-for") || request_header(request, "forwarded"))))
	{
		request_fail(request, "42501", "Metrics are not for this address; see the option metrics-allow.");
		return;
	}
	stat_answer(request);
}

/* Answers the request if it is for /health or /metrics; returns whether it did. */
bool
health_answer(Request *request, const char *path)
{
	static int	health_route;
	static int	metrics_route_index;
	bool		is_health = strcmp(path, "/health") == 0 ||
	(path[0] == '/' && strcmp(route_without_base(path), "/health") == 0);

	if (!is_health && strcmp(path, "/metrics") != 0)
		return false;
	if (health_route == 0)
	{
		health_route = metrics_route("GET", "/health");
		metrics_route_index = metrics_route("GET", "/metrics");
	}
	request->route.metric = is_health ? health_route : metrics_route_index;
	if (request->message.method != METHOD_GET && request->message.method != METHOD_HEAD)
	{
		request_fail(request, "RO405", "Only GET and HEAD are possible here.");
		return true;
	}
	if (!is_health)
	{
		metrics_answer(request);
		return true;
	}
	answer_start(request, health_status);
	answer_send(request, health_text.data, health_text.length, false);
	return true;
}
