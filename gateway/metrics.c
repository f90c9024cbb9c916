/*-------------------------------------------------------------------------
 *
 * metrics.c
 *		Counters of every process that shares the port, in Prometheus text.
 *
 * The counters of a process are one slot of a table in shared memory that the
 * supervisor makes before it forks.  A process writes only its own slot, with
 * plain stores; whichever process is asked for /metrics adds all slots up, so
 * the figures are those of the whole port.  A process that takes the place of
 * a crashed one goes on counting where that stopped.
 *
 * Route 0 is "unmatched".  The table of routes is bounded; what does not fit
 * counts as unmatched.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "metrics.h"

static const double bucket_seconds[METRICS_BUCKETS] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
};
static const int close_codes[METRICS_CLOSE_CODES] = {
	0, 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 4401, 4403, 4408, 4409
};
static const char *const lane_names[METRICS_LANES] = {"fast", "write", "slow", "gateway"};
static const char *const transports[METRICS_TRANSPORTS] = {"websocket", "events", "poll"};

Metrics    *metrics;

static Metrics *slots;
static int	slot_count;

/* Makes the table for that many processes. */
void
metrics_init(int processes)
{
	slots = mmap(NULL, sizeof(Metrics) * (size_t) processes, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED)
		log_fatal("could not map memory for metrics");
	slot_count = processes;
}

/* Takes the slot of this process. */
void
metrics_attach(int process)
{
	struct timespec now;

	metrics = &slots[process];
	metrics->clients = metrics->output = metrics->database_up = metrics->sockets = 0;
	metrics->doorbell_up = metrics->hub_subscriptions = metrics->hub_topics = metrics->hub_accounts = 0;
	metrics->hub_edges = metrics->hub_catching = metrics->hub_lag = 0;
	memset(metrics->hub_subscribers, 0, sizeof(metrics->hub_subscribers));
	metrics->cache_entries = metrics->cache_bytes = metrics->redis_connected = 0;
	for (int lane = 0; lane < METRICS_LANES; lane++)
		metrics->lanes[lane].queued = metrics->lanes[lane].in_flight = metrics->lanes[lane].connections = 0;
	for (int i = 0; i < CONFIG_STANDBYS; i++)
	{
		StandbyMetrics *standby = &metrics->standbys[i];

		standby->usable = standby->lag = 0;
		for (int lane = 0; lane < METRICS_LANE_GATEWAY; lane++)
			standby->lanes[lane].queued = standby->lanes[lane].in_flight = standby->lanes[lane].connections = 0;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	metrics->started = (double) now.tv_sec + (double) now.tv_nsec / 1e9;
	metrics->pid = getpid();
	metrics_route("", "unmatched");
}

/* Returns the index of a route's counters. */
int
metrics_route(const char *method, const char *pattern)
{
	RouteMetrics *route;

	if (strlen(method) >= sizeof(route->method) || strlen(pattern) >= sizeof(route->pattern))
		return 0;
	for (int i = 0; i < metrics->route_count; i++)
		if (strcmp(metrics->routes[i].pattern, pattern) == 0 && strcmp(metrics->routes[i].method, method) == 0)
			return i;
	if (metrics->route_count == METRICS_ROUTES)
		return 0;
	route = &metrics->routes[metrics->route_count];
	strcpy(route->method, method);
	strcpy(route->pattern, pattern);
	return metrics->route_count++;
}

/* Counts one answered request. */
void
metrics_request(int route, int lane, int version, int status, uint64_t microseconds)
{
	LaneMetrics *lane_metrics = &metrics->lanes[lane];
	int			bucket = 0;

	while (bucket < METRICS_BUCKETS && (double) microseconds > bucket_seconds[bucket] * 1e6)
		bucket++;
	lane_metrics->buckets[bucket]++;
	lane_metrics->microseconds += microseconds;
	metrics->routes[route].classes[status / 100 % 6]++;
	metrics->requests[version]++;
}

/* Counts a WebSocket that has ended; codes of clients' own count as 0. */
void
metrics_socket_closed(int code)
{
	int			i = METRICS_CLOSE_CODES - 1;

	while (i > 0 && close_codes[i] != code)
		i--;
	metrics->sockets_closed[i]++;
}

/* Adds the first lines of a metric. */
static void
metric_head(Buffer *into, const char *name, const char *type, const char *help)
{
	buffer_printf(into, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Returns the sum of a counter over all processes. */
static uint64_t
sum(size_t offset)
{
	uint64_t	total = 0;

	for (int i = 0; i < slot_count; i++)
		total += *(const uint64_t *) ((const char *) &slots[i] + offset);
	return total;
}

#define SUM(field) sum(offsetof(Metrics, field))

/* Adds a metric without labels. */
static void
metric_single(Buffer *into, const char *name, const char *type, const char *help, uint64_t value)
{
	metric_head(into, name, type, help);
	buffer_printf(into, "%s %llu\n", name, (unsigned long long) value);
}

/* Adds a metric with one line a lane of the database. */
static void
metric_lanes(Buffer *into, const char *name, const char *type, const char *help, size_t offset)
{
	metric_head(into, name, type, help);
	for (int lane = 0; lane < METRICS_LANE_GATEWAY; lane++)
		buffer_printf(into, "%s{lane=\"%s\"} %llu\n", name, lane_names[lane],
					  (unsigned long long) sum(offsetof(Metrics, lanes) + sizeof(LaneMetrics) * (size_t) lane + offset));
}

/* Adds a metric with one line a standby; lanes: the sum over its lanes. */
static void
metric_standbys(Buffer *into, const char *name, const char *type, const char *help, size_t offset, bool lanes)
{
	metric_head(into, name, type, help);
	for (int i = 0; i < metrics->standby_count; i++)
	{
		size_t		base = offsetof(Metrics, standbys) + sizeof(StandbyMetrics) * (size_t) i;
		uint64_t	value = lanes ? 0 : sum(base + offset);

		for (int lane = 0; lane < METRICS_LANE_GATEWAY && lanes; lane++)
			value += sum(base + offsetof(StandbyMetrics, lanes) + sizeof(LaneMetrics) * (size_t) lane + offset);
		buffer_printf(into, "%s{standby=\"%s\"} %llu\n", name, metrics->standbys[i].name, (unsigned long long) value);
	}
}

/* Adds how far standbys are behind, as the process says that has seen most of it. */
static void
metric_lags(Buffer *into)
{
	static const char *const name = "roost_gateway_standby_lag_seconds";

	metric_head(into, name, "gauge", "How old the answers of a standby are.");
	for (int i = 0; i < metrics->standby_count; i++)
	{
		uint64_t	lag = 0;

		for (int slot = 0; slot < slot_count; slot++)
			lag = Max(lag, slots[slot].standbys[i].lag);
		buffer_printf(into, "%s{standby=\"%s\"} %.6f\n", name, metrics->standbys[i].name, (double) lag / 1e6);
	}
}

/* Adds everything about standbys, if there are any. */
static void
metric_reads(Buffer *into)
{
#define STANDBY(name, type, help, field) \
	metric_standbys(into, "roost_gateway_standby_" name, type, help, offsetof(StandbyMetrics, field), false)
#define LANES(name, type, help, field) \
	metric_standbys(into, "roost_gateway_standby_" name, type, help, offsetof(LaneMetrics, field), true)

	if (metrics->standby_count == 0)
		return;
	STANDBY("healthy", "gauge", "Processes that send reads to a standby.", usable);
	metric_lags(into);
	STANDBY("requests_total", "counter", "Requests sent to a standby.", requests);
	STANDBY("behind_total", "counter", "Requests sent to the primary because the client's standby had not what the client has written.", behind);
	metric_single(into, "roost_gateway_standby_retried_total", "counter", "Requests sent to the primary after a standby failed.", SUM(standby_retried));
	LANES("connections", "gauge", "Usable connections to a standby.", connections);
	LANES("connects_total", "counter", "Connections made to a standby.", connects);
	LANES("in_flight", "gauge", "Requests at a standby, and questions for its position.", in_flight);
	LANES("queue", "gauge", "Requests waiting for a connection to a standby.", queued);
	LANES("failed_total", "counter", "Statements lost with their connection to a standby.", failed);
#undef STANDBY
#undef LANES
}

/* Adds everything about the cache, and about Redis if there is one. */
static void
metric_cache(Buffer *into)
{
#define CACHE(name, type, help, field) metric_single(into, "roost_gateway_" name, type, help, SUM(field))
	CACHE("cache_hits_total", "counter", "Answers from the cache.", cache_hits);
	CACHE("cache_stale_total", "counter", "Answers from the cache while another one was under way.", cache_stale);
	CACHE("cache_misses_total", "counter", "Requests whose answer may be kept but was not.", cache_misses);
	CACHE("cache_refreshes_total", "counter", "Questions that replaced an old answer.", cache_refreshes);
	CACHE("cache_invalidated_total", "counter", "Answers dropped because they had changed, or might have.", cache_invalidated);
	CACHE("cache_evicted_total", "counter", "Answers dropped to make room for others.", cache_evicted);
	CACHE("cache_entries", "gauge", "Answers that are kept.", cache_entries);
	CACHE("cache_bytes", "gauge", "Memory that they take.", cache_bytes);
	if (*config.redis_url == '\0')
		return;
	CACHE("redis_connected", "gauge", "Processes that have a connection to Redis.", redis_connected);
	CACHE("redis_hits_total", "counter", "Valid answers found in Redis.", redis_hits);
	CACHE("redis_misses_total", "counter", "Questions to which Redis had no valid answer, or none in time.", redis_misses);
	CACHE("redis_errors_total", "counter", "Errors of Redis, answers too late, and connections lost.", redis_errors);
#undef CACHE
}

/* Adds the counters of requests by route and class of status. */
static void
metric_routes(Buffer *into)
{
	metric_head(into, "roost_gateway_requests_total", "counter", "Requests answered, by route and class of status.");
	for (int i = 0; i < slot_count; i++)
		for (int r = 0; r < slots[i].route_count; r++)
		{
			const RouteMetrics *route = &slots[i].routes[r];
			uint64_t	classes[6] = {0};
			bool		counted = false;

			/*
			 * each route once, where it stands first, with all processes'
			 * counts
			 */
			for (int j = 0; j < slot_count; j++)
				for (int s = 0; s < slots[j].route_count; s++)
				{
					const RouteMetrics *other = &slots[j].routes[s];

					if (strcmp(other->pattern, route->pattern) != 0 || strcmp(other->method, route->method) != 0)
						continue;
					counted |= j < i;
					for (int c = 1; c < 6; c++)
						classes[c] += other->classes[c];
				}
			for (int c = 1; c < 6 && !counted; c++)
				if (classes[c] > 0)
					buffer_printf(into, "roost_gateway_requests_total{method=\"%s\",route=\"%s\",status=\"%dxx\"} %llu\n",
								  route->method, route->pattern, c, (unsigned long long) classes[c]);
		}
}

/* Adds the histogram of durations. */
static void
metric_durations(Buffer *into)
{
	static const char *const name = "roost_gateway_request_duration_seconds";

	metric_head(into, name, "histogram", "Time from the end of the request to the start of its answer.");
	for (int lane = 0; lane < METRICS_LANES; lane++)
	{
		size_t		offset = offsetof(Metrics, lanes) + sizeof(LaneMetrics) * (size_t) lane;
		uint64_t	count = 0;

		for (int b = 0; b <= METRICS_BUCKETS; b++)
		{
			count += sum(offset + offsetof(LaneMetrics, buckets) + sizeof(uint64_t) * (size_t) b);
			if (b < METRICS_BUCKETS)
				buffer_printf(into, "%s_bucket{lane=\"%s\",le=\"%g\"} %llu\n", name, lane_names[lane],
							  bucket_seconds[b], (unsigned long long) count);
		}
		buffer_printf(into, "%s_bucket{lane=\"%s\",le=\"+Inf\"} %llu\n%s_sum{lane=\"%s\"} %.6f\n%s_count{lane=\"%s\"} %llu\n",
					  name, lane_names[lane], (unsigned long long) count,
					  name, lane_names[lane], (double) sum(offset + offsetof(LaneMetrics, microseconds)) / 1e6,
					  name, lane_names[lane], (unsigned long long) count);
	}
}

/* Adds everything about WebSockets. */
static void
metric_sockets(Buffer *into)
{
	static const char *const name = "roost_gateway_sockets_closed_total";

	metric_single(into, "roost_gateway_sockets", "gauge", "Open WebSockets.", SUM(sockets));
	metric_single(into, "roost_gateway_sockets_opened_total", "counter", "WebSockets opened.", SUM(sockets_opened));
	metric_head(into, name, "counter", "WebSockets that have ended, by close code; 1006 is none, other is one of the client's own.");
	for (int i = 0; i < METRICS_CLOSE_CODES; i++)
	{
		uint64_t	count = sum(offsetof(Metrics, sockets_closed) + sizeof(uint64_t) * (size_t) i);

		if (i == 0 && count > 0)
			buffer_printf(into, "%s{code=\"other\"} %llu\n", name, (unsigned long long) count);
		else if (close_codes[i] > 0)
			buffer_printf(into, "%s{code=\"%d\"} %llu\n", name, close_codes[i], (unsigned long long) count);
	}
	metric_single(into, "roost_gateway_socket_frames_received_total", "counter", "Frames received from WebSockets.", SUM(socket_frames_in));
	metric_single(into, "roost_gateway_socket_frames_sent_total", "counter", "Frames sent to WebSockets.", SUM(socket_frames_out));
}

/* Adds everything about signals. */
static void
metric_signals(Buffer *into)
{
	metric_single(into, "roost_gateway_signals_total", "counter", "Signals of presence, typing and calls heard from the database.", SUM(signals));
	metric_single(into, "roost_gateway_signals_dropped_total", "counter", "Signals dropped: too many waited, or the database could not be asked.", SUM(signals_dropped));
}

/* Adds a metric of streams of server-sent events and long polls. */
static void
metric_events(Buffer *into, const char *name, const char *help, size_t offset)
{
	metric_head(into, name, "counter", help);
	for (int i = 1; i < METRICS_TRANSPORTS; i++)
		buffer_printf(into, "%s{transport=\"%s\"} %llu\n", name, transports[i],
					  (unsigned long long) sum(offset + sizeof(uint64_t) * (size_t) i));
}

/* Adds CPU and memory of the processes, as the kernel tells them. */
static void
metric_processes(Buffer *into)
{
	double		cpu = 0;
	uint64_t	resident = 0;
	uint64_t	processes = 0;
	double		started = 0;

	for (int i = 0; i < slot_count; i++)
	{
		char		path[64];
		char		text[1024];
		unsigned long user = 0;
		unsigned long system = 0;
		long		pages = 0;
		const char *after_name;
		FILE	   *file;
		size_t		length = 0;

		if (slots[i].pid == 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%lld/stat", (long long) slots[i].pid);
		file = fopen(path, "re");
		if (file)
		{
			length = fread(text, 1, sizeof(text) - 1, file);
			fclose(file);
		}
		text[length] = '\0';
		after_name = strrchr(text, ')');
		if (after_name == NULL ||
			sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %ld",
				   &user, &system, &pages) != 3)
			continue;
		cpu += (double) (user + system) / (double) sysconf(_SC_CLK_TCK);
		resident += (uint64_t) pages * (uint64_t) sysconf(_SC_PAGESIZE);
		processes++;
		if (started == 0 || slots[i].started < started)
			started = slots[i].started;
	}
	metric_head(into, "process_cpu_seconds_total", "counter", "CPU time of the processes that run now.");
	buffer_printf(into, "process_cpu_seconds_total %.2f\n", cpu);
	metric_single(into, "process_resident_memory_bytes", "gauge", "Resident memory of the processes.", resident);
	metric_head(into, "process_start_time_seconds", "gauge", "Start of the oldest process.");
	buffer_printf(into, "process_start_time_seconds %.3f\n", started);
	metric_single(into, "roost_gateway_processes", "gauge", "Processes that share the port.", processes);
}

/* Adds what the hub does. */
static void
metric_hub(Buffer *into)
{
	static const char *const resumes = "roost_gateway_hub_resumes_total";

	metric_head(into, "roost_gateway_hub_subscribers", "gauge", "Clients that follow what happens.");
	for (int i = 0; i < METRICS_TRANSPORTS; i++)
		buffer_printf(into, "roost_gateway_hub_subscribers{transport=\"%s\"} %llu\n", transports[i],
					  (unsigned long long) sum(offsetof(Metrics, hub_subscribers) + sizeof(uint64_t) * (size_t) i));
	metric_head(into, resumes, "counter", "Clients that came back, by whether they got all that they had missed.");
	buffer_printf(into, "%s{result=\"recovered\"} %llu\n%s{result=\"lost\"} %llu\n%s{result=\"failed\"} %llu\n",
				  resumes, (unsigned long long) SUM(hub_resumes_recovered), resumes, (unsigned long long) SUM(hub_resumes_lost),
				  resumes, (unsigned long long) SUM(hub_resumes_failed));
	metric_single(into, "roost_gateway_hub_subscriptions", "gauge", "Subscriptions to topics.", SUM(hub_subscriptions));
	metric_single(into, "roost_gateway_hub_topics", "gauge", "Topics with subscribers.", SUM(hub_topics));
	metric_single(into, "roost_gateway_hub_accounts", "gauge", "Accounts with subscribers.", SUM(hub_accounts));
	metric_single(into, "roost_gateway_hub_follows", "gauge", "Follows of accounts with subscribers that are kept in memory.", SUM(hub_edges));
	metric_single(into, "roost_gateway_hub_catching_up", "gauge", "Clients that get what they missed before what happens.", SUM(hub_catching));
	metric_single(into, "roost_gateway_hub_lag_rows", "gauge", "Rows of the log that are known of and not delivered yet.", SUM(hub_lag));
	metric_single(into, "roost_gateway_hub_rows_total", "counter", "Rows of the log that were read.", SUM(hub_rows));
	metric_single(into, "roost_gateway_hub_batches_total", "counter", "Batches of rows that were delivered.", SUM(hub_batches));
	metric_single(into, "roost_gateway_hub_deliveries_total", "counter", "Events that were given to clients.", SUM(hub_deliveries));
	metric_single(into, "roost_gateway_hub_frames_total", "counter", "Frames that were made for them.", SUM(hub_frames));
	metric_single(into, "roost_gateway_hub_questions_total", "counter", "Questions of the hub to the database besides rows and position.", SUM(hub_questions));
	metric_single(into, "roost_gateway_hub_resets_total", "counter", "Times that the log did not go on.", SUM(hub_resets));
	metric_single(into, "roost_gateway_hub_revoked_total", "counter", "Clients ended because their session was revoked.", SUM(hub_revoked));
	metric_single(into, "roost_gateway_hub_late_total", "counter", "Times that the log went on and no notification said so.", SUM(hub_late));
	metric_single(into, "roost_gateway_doorbell_up", "gauge", "Processes that listen to notifications of the database.", SUM(doorbell_up));
	metric_single(into, "roost_gateway_doorbell_connects_total", "counter", "Connections made to listen to notifications.", SUM(doorbell_connects));
}

/* Adds everything in Prometheus text format. */
void
metrics_render(Buffer *into)
{
	metric_head(into, "roost_gateway_build_info", "gauge", "Always 1; the version is a label.");
	buffer_printf(into, "roost_gateway_build_info{version=\"%s\"} 1\n", ROOST_VERSION);
	metric_routes(into);
	metric_durations(into);
	metric_head(into, "roost_gateway_protocol_requests_total", "counter", "Requests answered, by version of HTTP; ws: calls of WebSockets.");
	for (int version = 1; version <= 3; version++)
		buffer_printf(into, "roost_gateway_protocol_requests_total{version=\"%s\"} %llu\n",
					  version == 3 ? "ws" : version == 2 ? "2" : "1", (unsigned long long) SUM(requests[version]));
	metric_single(into, "roost_gateway_aborted_total", "counter", "Requests whose client was gone before the answer.", SUM(aborted));
	metric_single(into, "roost_gateway_clients", "gauge", "Open client connections.", SUM(clients));
	metric_single(into, "roost_gateway_accepted_total", "counter", "Client connections accepted.", SUM(accepted));
	metric_single(into, "roost_gateway_refused_total", "counter", "Client connections closed at once because there were too many.", SUM(refused));
	metric_single(into, "roost_gateway_misbehaved_total", "counter", "Client connections ended because they abused HTTP/2.", SUM(misbehaved));
	metric_single(into, "roost_gateway_output_bytes", "gauge", "Bytes of answers that wait for their clients.", SUM(output));
	metric_single(into, "roost_gateway_received_bytes_total", "counter", "Bytes received from clients.", SUM(bytes_in));
	metric_single(into, "roost_gateway_sent_bytes_total", "counter", "Bytes sent to clients.", SUM(bytes_out));
	metric_single(into, "roost_gateway_gzip_input_bytes_total", "counter", "Bytes given to compression.", SUM(gzip_in));
	metric_single(into, "roost_gateway_gzip_output_bytes_total", "counter", "Bytes that compression made of them.", SUM(gzip_out));
	metric_single(into, "roost_gateway_log_dropped_total", "counter", "Lines of the access log lost because its reader was too slow.", SUM(log_dropped));
	metric_single(into, "roost_gateway_database_up", "gauge", "Processes whose last question to the database was answered.", SUM(database_up));
	metric_lanes(into, "roost_gateway_lane_queue", "gauge", "Requests waiting for a database connection.", offsetof(LaneMetrics, queued));
	metric_lanes(into, "roost_gateway_lane_in_flight", "gauge", "Requests at the database.", offsetof(LaneMetrics, in_flight));
	metric_lanes(into, "roost_gateway_lane_connections", "gauge", "Usable database connections.", offsetof(LaneMetrics, connections));
	metric_lanes(into, "roost_gateway_lane_rejected_total", "counter", "Requests refused because the queue was full or no connection usable.", offsetof(LaneMetrics, rejected));
	metric_lanes(into, "roost_gateway_lane_failed_total", "counter", "Requests lost with their database connection.", offsetof(LaneMetrics, failed));
	metric_lanes(into, "roost_gateway_lane_cancelled_total", "counter", "Requests that waited in a queue and were dropped because their client was gone.", offsetof(LaneMetrics, cancelled));
	metric_lanes(into, "roost_gateway_lane_connects_total", "counter", "Database connections made.", offsetof(LaneMetrics, connects));
	metric_sockets(into);
	metric_events(into, "roost_gateway_events_opened_total", "Streams of server-sent events begun, and long polls that waited.", offsetof(Metrics, events_opened));
	metric_events(into, "roost_gateway_events_refused_total", "The same, refused because their address had too many.", offsetof(Metrics, events_refused));
	metric_events(into, "roost_gateway_events_slow_total", "The same, ended because their client did not read.", offsetof(Metrics, events_slow));
	metric_hub(into);
	metric_signals(into);
	metric_cache(into);
	metric_reads(into);
	metric_processes(into);
}
