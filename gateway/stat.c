/*-------------------------------------------------------------------------
 *
 * stat.c
 *		What the servers count, as part of /metrics.
 *
 * Whoever asks for /metrics waits until the primary and all standbys have
 * answered roost.gateway_stat(), or PATIENCE seconds.  Whoever asks meanwhile
 * waits for the same answers.  What a server has not said by then is left out;
 * the gateway's own counters are always there.
 *
 * The database gives names, types, help and values; the gateway adds the
 * server as a label and holds no list of its own.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

#include <jansson.h>

#include "config.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"
#include "stat.h"

#define PATIENCE 2.0

/* One server; the primary is the first. */
typedef struct StatSource
{
	PoolQuery	query;
	bool		asked;			/* its answer is still to come */
	json_t	   *said;			/* NULL: nothing that can be read */
} StatSource;

static StatSource sources[1 + CONFIG_STANDBYS];
static List waiting;			/* of the queries of requests, which are not
								 * used otherwise */
static double asked_at;

/* Returns whether a text can be the name of a metric or a label. */
static bool
name_is_valid(const char *name)
{
	if (name == NULL || (*name >= '0' && *name <= '9') || *name == '\0')
		return false;
	for (; *name; name++)
		if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9') || *name == '_'))
			return false;
	return true;
}

/* Adds a text with what Prometheus wants escaped. */
static void
append_escaped(Buffer *into, const char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			buffer_append(into, "\\n", 2);
		else
		{
			if (*text == '\\' || *text == '"')
				buffer_append(into, "\\", 1);
			buffer_append(into, text, 1);
		}
}

/* Adds one sample of a server. */
static void
render_sample(Buffer *into, const char *name, int server, json_t *sample)
{
	json_t	   *value = json_object_get(sample, "value");
	const char *key;
	json_t	   *label;

	if (!json_is_number(value))
		return;
	buffer_printf(into, "%s{server=\"", name);
	append_escaped(into, server == 0 ? "primary" : metrics->standbys[server - 1].name);
	json_object_foreach(json_object_get(sample, "labels"), key, label)
		if (name_is_valid(key) && json_is_string(label))
	{
		buffer_printf(into, "\",%s=\"", key);
		append_escaped(into, json_string_value(label));
	}
	if (json_is_integer(value))
		buffer_printf(into, "\"} %lld\n", (long long) json_integer_value(value));
	else
		buffer_printf(into, "\"} %.9g\n", json_real_value(value));
}

/* Returns what a server says of a metric, or NULL. */
static json_t *
metric_find(int server, const char *name)
{
	size_t		index;
	json_t	   *metric;

	json_array_foreach(sources[server].said, index, metric)
	{
		const char *found = json_string_value(json_object_get(metric, "name"));

		if (found && strcmp(found, name) == 0)
			return metric;
	}
	return NULL;
}

/* Adds a metric with the samples of all servers, unless an earlier server has it: then it is there. */
static void
render_metric(Buffer *into, int server, json_t *metric)
{
	const char *name = json_string_value(json_object_get(metric, "name"));
	const char *type = json_string_value(json_object_get(metric, "type"));
	const char *help = json_string_value(json_object_get(metric, "help"));

	if (!name_is_valid(name) || !name_is_valid(type) || help == NULL || strchr(help, '\n') || strchr(help, '\\'))
		return;
	for (int s = 0; s < server; s++)
		if (metric_find(s, name))
			return;
	buffer_printf(into, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
	for (int s = server; s <= config.read_count; s++)
	{
		size_t		index;
		json_t	   *sample;

		json_array_foreach(json_object_get(metric_find(s, name), "samples"), index, sample)
			render_sample(into, name, s, sample);
	}
}

/* Answers everybody who waits. */
static void
stat_finish(void)
{
	static Buffer text;
	ListNode   *node;

	metrics->log_dropped = log_access_dropped();
	text.length = 0;
	metrics_render(&text);
	for (int s = 0; s <= config.read_count; s++)
	{
		size_t		index;
		json_t	   *metric;

		json_array_foreach(sources[s].said, index, metric)
			render_metric(&text, s, metric);
	}
	while ((node = list_first(&waiting)) != NULL)
	{
		Request    *request = container_of(container_of(node, PoolQuery, node), Request, query);

		list_remove(&waiting, node);
		request->pending = false;
		if (request->conn == NULL)
		{
			request_free(request);
			continue;
		}
		answer_start(request, 200);
		answer_header(request, "content-type", "text/plain; version=0.0.4; charset=utf-8");
		answer_send(request, text.data, text.length, false);
	}
}

/* A server has answered, or will not: when it was the last, so is everybody. */
static void
source_finish(StatSource *source, json_t *said)
{
	source->asked = false;
	json_decref(source->said);
	source->said = said;
	for (int s = 0; s <= config.read_count; s++)
		if (sources[s].asked)
			return;
	if (waiting.count > 0)
		stat_finish();
}

/* A server has answered. */
static void
on_stat(PoolQuery *query, const PGresult *result)
{
	json_t	   *said = NULL;

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		said = json_loadb(PQgetvalue(result, 0, 0), (size_t) PQgetlength(result, 0, 0), 0, NULL);
	else
		log_warning("could not read roost.gateway_stat(): %s", PQresultErrorMessage(result));
	source_finish(container_of(query, StatSource, query), said);
}

/* A server could not be asked. */
static void
on_stat_failure(PoolQuery *query, PoolFailure failure)
{
	source_finish(container_of(query, StatSource, query), NULL);
}

/* Answers /metrics, later. */
void
stat_answer(Request *request)
{
	if (waiting.head.next == NULL)
		list_init(&waiting);
	request->pending = true;
	list_append(&waiting, &request->query.node);
	if (waiting.count > 1)
		return;
	asked_at = ev_time();

	/* nobody is answered before all have been asked */
	for (int s = 0; s <= config.read_count; s++)
		if (!sources[s].asked)
		{
			sources[s].asked = true;
			json_decref(sources[s].said);
			sources[s].said = NULL;
			sources[s].query = (PoolQuery)
			{
				.statement = STATEMENT_STAT,.anyway = true,.on_result = on_stat,.on_failure = on_stat_failure
			};
			sources[s].query.sent = -1;
		}
	for (int s = 0; s <= config.read_count; s++)
		if (sources[s].asked && sources[s].query.sent < 0)
		{
			sources[s].query.sent = 0;
			pool_submit_server(s, &sources[s].query);
		}
}

/* Called a few times a second: does not let anybody wait for a server that hangs. */
void
stat_tick(void)
{
	if (waiting.count > 0 && ev_time() - asked_at > PATIENCE)
		stat_finish();
}
