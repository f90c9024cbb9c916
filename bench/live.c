/*-------------------------------------------------------------------------
 *
 * live.c
 *		Many WebSockets that wait for events, and who publishes them.
 *
 *		live KIND PORT SOCKETS idle SECONDS PID
 *		live KIND PORT SOCKETS latency RATE SECONDS
 *		live KIND PORT SOCKETS throughput WINDOW SECONDS
 *		live KIND PORT SOCKETS hold SECONDS
 *
 * KIND is roost, ws or sio (socket.io).  Sockets of roost take their tokens
 * from standard input, one a line, over and over, and subscribe to the channels
 * of LIVE_CHANNELS (a JSON list, by default ["home"]).  Events are posts of
 * account LIVE_AUTHOR, made in the database of the environment (PGHOST ...);
 * for the peers they are messages in Redis at LIVE_REDIS_PORT.  Each has a mark
 * with the time and a number; every socket should get every event once, but
 * LIVE_KEPT_OUT of them none (their accounts have blocked or muted the author).
 *
 * idle prints what the process PID has grown by for each socket; latency the
 * time from before an event is published until a socket has read it; throughput
 * keeps WINDOW events on their way and prints deliveries a second; hold only
 * keeps the sockets, and prints what it has read.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <libpq-fe.h>

#define PROGRAM "live"
#include "websocket.h"

#define Min(a, b) ((a) < (b) ? (a) : (b))

#define EVENTS_MAX	(1 << 20)	/* numbers of events that are counted apart */
#define TIMES_MAX	(8 * 1000 * 1000)
#define READY_SECONDS	60
#define CONNECTING_MAX	256
#define REST_SECONDS	5		/* for what is on its way at the end */

static enum
{
	ROOST, WS, SIO
}			kind;
static Socket *sockets;
static int	socket_count;
static int	reached_count;		/* of them, that should get events */
static int	ready_count;
static char *channels = "[\"home\"]";
static char *tokens[100000];
static int	token_count;

/* the publisher */
static int	redis = -1;
static PGconn *database;
static char *author;
static int	unanswered;			/* posts whose answer is to come */
static uint64_t published;

/* what has come */
static uint64_t deliveries;
static uint64_t bytes;
static uint64_t complete;		/* events that every socket has */
static uint32_t *counts;
static float *times;
static uint64_t time_count;

static void
become_ready(Socket *s)
{
	ready_count += !s->ready;
	s->ready = true;
}

/* Counts the events of a message by their marks: "~TIME NUMBER~". */
static void
count_events(const char *data, size_t length)
{
	const char *end = data + length;
	const char *mark;
	uint64_t	came = 0;

	while ((mark = memchr(data, '~', (size_t) (end - data))) != NULL)
	{
		char	   *after;
		uint64_t	sent = strtoull(mark + 1, &after, 10);
		uint64_t	number = after > mark + 1 && *after == ' ' ? strtoull(after + 1, &after, 10) : 0;

		data = mark + 1;
		if (after <= mark + 1 || *after != '~')
			continue;
		data = after + 1;
		if (came == 0)
			came = now();
		deliveries++;
		if (time_count < TIMES_MAX)
			times[time_count++] = (float) (came - sent) / 1e3f;
		if (++counts[number % EVENTS_MAX] == (uint32_t) reached_count)
		{
			counts[number % EVENTS_MAX] = 0;
			complete++;
		}
	}
}

/* Takes a text message. */
static void
on_message(Socket *s, const char *data, size_t length)
{
	bytes += length;
	if (kind == SIO && length > 0 && data[0] == '0')
		send_text(s, "40");
	else if (kind == SIO && length == 1 && data[0] == '2')
		send_text(s, "3");
	else if (kind == SIO && length > 1 && data[0] == '4' && data[1] == '0')
		become_ready(s);
	else if (!s->ready && memmem(data, length, "\"subscribed\"", 12))
		become_ready(s);
	else if (memmem(data, Min(length, 60), "\"error\"", 7) && kind == ROOST)
		fail("the gateway says", strndupa(data, length));
	else
		count_events(data, length);
}

/* A socket is open. */
static void
on_open(Socket *s)
{
	char		frame[512];

	if (kind == WS)
		become_ready(s);
	if (kind == ROOST)
	{
		snprintf(frame, sizeof(frame), "{\"type\":\"subscribe\",\"id\":1,\"channels\":%s}", channels);
		send_text(s, frame);
	}
}

/* Takes the answers to posts. */
static void
read_database(void)
{
	PGresult   *result;

	if (database == NULL)
		return;
	if (!PQconsumeInput(database))
		fail("database", PQerrorMessage(database));
	while (unanswered > 0 && !PQisBusy(database))
	{
		result = PQgetResult(database);
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
			unanswered--;
		else if (result && PQresultStatus(result) != PGRES_TUPLES_OK)
			fail("post", PQresultErrorMessage(result));
		PQclear(result);
	}
}

/* Waits for at most so many milliseconds, and reads what has come. */
static void
pump(int milliseconds)
{
	struct epoll_event events[256];
	int			n = epoll_wait(poll_fd, events, 256, milliseconds);

	for (int i = 0; i < n; i++)
	{
		if (events[i].data.ptr)
			on_readable(events[i].data.ptr);
		else
			read_database();
	}
}

/* Publishes an event. */
static void
publish(void)
{
	char		text[200];
	const char *values[2] = {author, text};

	snprintf(text, sizeof(text), "~%llu %llu~ lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore",
			 (unsigned long long) now(), (unsigned long long) published++);
	if (kind == ROOST)
	{
		if (!PQsendQueryPrepared(database, "post", 2, values, NULL, NULL, 0) || !PQpipelineSync(database) || PQflush(database) < 0)
			fail("post", PQerrorMessage(database));
		unanswered++;
	}
	else
	{
		char		json[400];
		char		command[600];
		int			length = snprintf(json, sizeof(json), "{\"type\":\"tweet\",\"id\":\"%llu\",\"author_id\":\"12345\",\"body\":\"%s\"}",
									  (unsigned long long) published + 1000000, text);
		int			size = snprintf(command, sizeof(command), "*3\r\n$7\r\nPUBLISH\r\n$4\r\nfeed\r\n$%d\r\n%s\r\n", length, json);

		put(redis, command, (size_t) size);
		while (recv(redis, command, sizeof(command), MSG_DONTWAIT) > 0)
			;
	}
}

/* Prepares to publish. */
static void
start_publisher(void)
{
	PGresult   *result;

	if (kind != ROOST)
	{
		redis = dial(atoi(getenv("LIVE_REDIS_PORT")));
		return;
	}
	author = getenv("LIVE_AUTHOR");
	database = PQconnectdb("");
	if (author == NULL || PQstatus(database) != CONNECTION_OK)
		fail("database", author ? PQerrorMessage(database) : "LIVE_AUTHOR is not set");
	result = PQprepare(database, "post", "SELECT (roost.post_create($1, $2)).id", 2, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail("database", PQerrorMessage(database));
	PQclear(result);
	PQsetnonblocking(database, 1);
	PQenterPipelineMode(database);
	watch(PQsocket(database), NULL);
}

/* Opens all sockets and waits until they are ready. */
static double
start_sockets(int port)
{
	uint64_t	from = now();

	for (int i = 0; i < socket_count; i++)
	{
		char		headers[1000] = "";

		if (kind == ROOST)
			snprintf(headers, sizeof(headers), "Sec-WebSocket-Protocol: roost.v1\r\nAuthorization: Bearer %s\r\n", tokens[i % token_count]);
		open_socket(&sockets[i], port, kind == SIO ? "/socket.io/?EIO=4&transport=websocket" : kind == WS ? "/ws" : "/api/v1/stream", headers);
		while (i - ready_count >= CONNECTING_MAX && now() - from < READY_SECONDS * 1000000000ull)
			pump(10);
	}
	while (ready_count < socket_count && now() - from < READY_SECONDS * 1000000000ull)
		pump(50);
	if (ready_count < socket_count)
		fail("sockets", "not all became ready");
	return (double) (now() - from) / 1e9;
}

/* Returns the resident memory of a process in kB. */
static long
resident(int pid)
{
	char		path[64];
	char		line[256];
	long		kb = 0;
	FILE	   *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file) && sscanf(line, "VmRSS: %ld", &kb) != 1)
		;
	if (file)
		fclose(file);
	return kb;
}

/* Goes on until a time, or all that was published has come. */
static void
rest(uint64_t until, bool all)
{
	while (now() < until && !(all && complete >= published))
		pump(5);
}

static int
compare(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return x < y ? -1 : x > y;
}

/* Publishes at a rate and prints how long events take. */
static void
measure_latency(double rate, double seconds)
{
	uint64_t	from = now();
	uint64_t	end = from + (uint64_t) (seconds * 1e9);
	uint64_t	next = from;
	uint64_t	before = published;

	while (now() < end)
	{
		uint64_t	time = now();

		if (time >= next)
		{
			publish();
			next += (uint64_t) (1e9 / rate);
		}
		pump(next > time ? (int) ((next - time) / 1000000) : 0);
	}
	rest(now() + REST_SECONDS * 1000000000ull, true);
	if (time_count == 0)
		fail("events", "none has come");
	qsort(times, time_count, sizeof(float), compare);
	printf("p50_ms=%.2f p99_ms=%.2f max_ms=%.1f lost=%llu bytes=%.0f\n", times[time_count / 2] / 1e3, times[time_count * 99 / 100] / 1e3,
		   times[time_count - 1] / 1e3, (unsigned long long) ((published - before) * (uint64_t) reached_count - deliveries),
		   (double) bytes / (double) deliveries);
}

/* Keeps events on their way and prints how many are delivered. */
static void
measure_throughput(int window, double seconds)
{
	uint64_t	from = now();
	uint64_t	end = from + (uint64_t) (seconds * 1e9);
	double		spent;

	while (now() < end)
	{
		while (published - complete < (uint64_t) window)
			publish();
		pump(5);
	}
	spent = (double) (now() - from) / 1e9;
	printf("deliveries=%.0f events=%.1f bytes=%.0f\n", (double) deliveries / spent, (double) deliveries / spent / reached_count,
		   (double) bytes / (double) deliveries);
}

int
main(int argc, char **argv)
{
	static char line[2000];
	long		before;
	double		took;

	if (argc < 6)
		fail("arguments", "see the head of live.c");
	kind = strcmp(argv[1], "roost") == 0 ? ROOST : strcmp(argv[1], "ws") == 0 ? WS : SIO;
	socket_count = atoi(argv[3]);
	reached_count = socket_count - (getenv("LIVE_KEPT_OUT") ? atoi(getenv("LIVE_KEPT_OUT")) : 0);
	sockets = calloc((size_t) socket_count, sizeof(Socket));
	counts = calloc(EVENTS_MAX, sizeof(uint32_t));
	times = malloc(TIMES_MAX * sizeof(float));
	if (getenv("LIVE_CHANNELS"))
		channels = getenv("LIVE_CHANNELS");
	while (kind == ROOST && token_count < 100000 && fgets(line, sizeof(line), stdin))
	{
		line[strcspn(line, "\n")] = '\0';
		tokens[token_count++] = strdup(line);
	}
	if (kind == ROOST && token_count == 0)
		fail("tokens", "there are none on standard input");
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	before = strcmp(argv[4], "idle") == 0 ? resident(atoi(argv[6])) : 0;
	took = start_sockets(atoi(argv[2]));
	if (strcmp(argv[4], "idle") == 0)
	{
		rest(now() + (uint64_t) (atof(argv[5]) * 1e9), false);
		printf("kib=%.2f rss_before=%ld connects=%.0f\n", (double) (resident(atoi(argv[6])) - before) / socket_count, before, socket_count / took);
		return 0;
	}
	if (strcmp(argv[4], "hold") == 0)
	{
		printf("ready\n");
		fflush(stdout);
		rest(now() + (uint64_t) (atof(argv[5]) * 1e9), false);
		printf("bytes=%llu\n", (unsigned long long) bytes);
		return 0;
	}
	if (argc < 7)
		fail("arguments", "see the head of live.c");
	start_publisher();
	for (int i = 0; i < 20; i++)
	{
		publish();
		rest(now() + 2000000000ull, true);
	}
	deliveries = bytes = time_count = 0;
	if (strcmp(argv[4], "latency") == 0)
		measure_latency(atof(argv[5]), atof(argv[6]));
	else
		measure_throughput(atoi(argv[5]), atof(argv[6]));
	return 0;
}
