/*-------------------------------------------------------------------------
 *
 * metrics.h
 *		Counters of every process that shares the port, in Prometheus text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef METRICS_H
#define METRICS_H

#include "config.h"
#include "util.h"

#define METRICS_ROUTES 512
#define METRICS_BUCKETS 14
#define METRICS_LANES 4			/* LaneKind, and the gateway itself */
#define METRICS_LANE_GATEWAY 3
#define METRICS_CLOSE_CODES 16
#define METRICS_TRANSPORTS 3	/* HubTransport */

typedef struct RouteMetrics
{
	char		method[8];
	char		pattern[112];
	uint64_t	classes[6];		/* by the first digit of the status */
} RouteMetrics;

typedef struct LaneMetrics
{
	uint64_t	queued;			/* now */
	uint64_t	in_flight;		/* now */
	uint64_t	connections;	/* now, usable ones */
	uint64_t	rejected;		/* queue full, or no connection */
	uint64_t	failed;			/* connection lost in the middle */
	uint64_t	cancelled;		/* client gone while it waited */
	uint64_t	connects;
	uint64_t	buckets[METRICS_BUCKETS + 1];
	uint64_t	microseconds;
} LaneMetrics;

typedef struct StandbyMetrics
{
	char		name[96];
	uint64_t	usable;			/* now */
	uint64_t	lag;			/* now, microseconds */
	uint64_t	requests;
	uint64_t	behind;			/* sent to the primary: a client needed more */
	LaneMetrics lanes[METRICS_LANES - 1];
} StandbyMetrics;

/* The counters of one process; only that process writes them. */
typedef struct Metrics
{
	int64_t		pid;			/* 0: the slot is not in use */
	double		started;		/* seconds since 1970 */
	uint64_t	clients;		/* now */
	uint64_t	accepted;
	uint64_t	refused;		/* connections over a limit */
	uint64_t	misbehaved;		/* connections ended for abuse of HTTP/2 */
	uint64_t	output;			/* now: bytes that wait for clients */
	uint64_t	bytes_in;
	uint64_t	bytes_out;
	uint64_t	requests[4];	/* by version, see Request */
	uint64_t	sockets;		/* now */
	uint64_t	sockets_opened;
	uint64_t	sockets_closed[METRICS_CLOSE_CODES];
	uint64_t	socket_frames_in;
	uint64_t	socket_frames_out;
	uint64_t	aborted;
	uint64_t	gzip_in;
	uint64_t	gzip_out;
	uint64_t	log_dropped;
	uint64_t	cache_hits;
	uint64_t	cache_stale;
	uint64_t	cache_misses;
	uint64_t	cache_refreshes;
	uint64_t	cache_invalidated;
	uint64_t	cache_evicted;
	uint64_t	cache_entries;	/* now */
	uint64_t	cache_bytes;	/* now */
	uint64_t	redis_hits;
	uint64_t	redis_misses;
	uint64_t	redis_errors;
	uint64_t	redis_connected;	/* now */
	uint64_t	database_up;	/* now */
	uint64_t	signals;		/* heard of presence, typing, calls */
	uint64_t	signals_dropped;
	LaneMetrics lanes[METRICS_LANES];

	/* streams of server-sent events, and long polls that wait */
	uint64_t	events_opened[METRICS_TRANSPORTS];
	uint64_t	events_refused[METRICS_TRANSPORTS]; /* too many of an address */
	uint64_t	events_slow[METRICS_TRANSPORTS];	/* not read */

	/* the hub */
	uint64_t	doorbell_up;	/* now */
	uint64_t	doorbell_connects;
	uint64_t	hub_subscribers[METRICS_TRANSPORTS];	/* now */
	uint64_t	hub_subscriptions;	/* now: to topics */
	uint64_t	hub_topics;		/* now */
	uint64_t	hub_accounts;	/* now */
	uint64_t	hub_edges;		/* now: who follows whom */
	uint64_t	hub_catching;	/* now */
	uint64_t	hub_lag;		/* now: rows known of but not delivered */
	uint64_t	hub_rows;
	uint64_t	hub_batches;
	uint64_t	hub_deliveries;
	uint64_t	hub_frames;
	uint64_t	hub_questions;
	uint64_t	hub_resumes_recovered;
	uint64_t	hub_resumes_lost;
	uint64_t	hub_resumes_failed;
	uint64_t	hub_resets;
	uint64_t	hub_revoked;
	uint64_t	hub_late;		/* found by asking, without the doorbell */

	uint64_t	standby_retried;	/* sent to the primary: a standby failed */
	int			standby_count;
	StandbyMetrics standbys[CONFIG_STANDBYS];
	int			route_count;
	RouteMetrics routes[METRICS_ROUTES];
} Metrics;

extern Metrics *metrics;

extern void metrics_init(int processes);
extern void metrics_attach(int process);
extern int	metrics_route(const char *method, const char *pattern);
extern void metrics_request(int route, int lane, int version, int status, uint64_t microseconds);
extern void metrics_socket_closed(int code);
extern void metrics_render(Buffer *into);

#endif							/* METRICS_H */
