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
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#define Min(a, b) ((a) < (b) ? (a) : (b))

#define EVENTS_MAX	(1 << 20)	/* numbers of events that are counted apart */
#define TIMES_MAX	(8 * 1000 * 1000)
#define READ_SIZE	(256 * 1024)
#define READY_SECONDS	60
#define CONNECTING_MAX	256
#define REST_SECONDS	5		/* for what is on its way at the end */

typedef struct Socket
{
	int			fd;
	bool		upgraded;
	bool		ready;
	char	   *rest;			/* the beginning of a frame */
	size_t		length;
	size_t		size;
} Socket;

static enum
{
	ROOST, WS, SIO
}			kind;
static Socket *sockets;
static int	socket_count;
static int	reached_count;		/* of them, that should get events */
static int	ready_count;
static int	poll_fd;
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

/* Ends the program with a reason. */
static void
fail(const char *what, const char *detail)
{
	fprintf(stderr, "live: %s: %s\n", what, detail);
	exit(1);
}

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

/* Connects to a port of this machine. */
static int
dial(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,.sin_port = htons((uint16_t) port)};
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int			one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
		fail("connect", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Writes all bytes of a small message. */
static void
put(int fd, const void *data, size_t length)
{
	if (write(fd, data, length) != (ssize_t) length)
		fail("write", strerror(errno));
}

/* Sends a frame; its mask is all zeroes. */
static void
send_frame(Socket *s, int opcode, const char *payload, size_t length)
{
	unsigned char frame[600] = {(unsigned char) (0x80 | opcode)};
	size_t		head = length < 126 ? 6 : 8;

	if (length > sizeof(frame) - 8)
		fail("frame", "too long");
	frame[1] = (unsigned char) (0x80 | (length < 126 ? length : 126));
	if (length >= 126)
	{
		frame[2] = (unsigned char) (length >> 8);
		frame[3] = (unsigned char) length;
	}
	memcpy(frame + head, payload, length);
	put(s->fd, frame, head + length);
}

static void
send_text(Socket *s, const char *text)
{
	send_frame(s, 1, text, strlen(text));
}

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

/* Understands one frame; returns its length, or 0 if it is not complete. */
static size_t
take_frame(Socket *s, const unsigned char *data, size_t length)
{
	size_t		head = 2;
	size_t		size;

	if (length < 2)
		return 0;
	size = data[1] & 127;
	if (size >= 126)
	{
		int			more = size == 126 ? 2 : 8;

		if (length < 2 + (size_t) more)
			return 0;
		size = 0;
		for (int i = 0; i < more; i++)
			size = size << 8 | data[2 + i];
		head += (size_t) more;
	}
	if (length < head + size)
		return 0;
	switch (data[0] & 15)
	{
		case 1:
			on_message(s, (const char *) data + head, size);
			break;
		case 8:
			fail("closed by the server", size >= 2 ? strndupa((const char *) data + head + 2, size - 2) : "without a reason");
			break;
		case 9:
			send_frame(s, 10, (const char *) data + head, size);
			break;
	}
	return head + size;
}

/* Understands the answer to the handshake; returns its length, or 0 if it is not complete. */
static size_t
take_upgrade(Socket *s, const char *data, size_t length)
{
	const char *end = memmem(data, length, "\r\n\r\n", 4);

	if (end == NULL)
		return 0;
	if (strncmp(data, "HTTP/1.1 101", 12) != 0)
		fail("no upgrade", strndupa(data, length));
	s->upgraded = true;
	if (kind == WS)
		become_ready(s);
	if (kind == ROOST)
	{
		char		frame[512];

		snprintf(frame, sizeof(frame), "{\"type\":\"subscribe\",\"id\":1,\"channels\":%s}", channels);
		send_text(s, frame);
	}
	return (size_t) (end + 4 - data);
}

/* Understands as much as there is; keeps the rest. */
static void
take(Socket *s, char *data, size_t length)
{
	size_t		done = 0;
	size_t		step;

	do
	{
		step = s->upgraded ? take_frame(s, (unsigned char *) data + done, length - done) :
			take_upgrade(s, data + done, length - done);
		done += step;
	} while (step > 0);
	if (s->size < length - done)
		s->rest = realloc(s->rest, s->size = length - done);
	memmove(s->rest, data + done, length - done);
	s->length = length - done;
}

/* Reads what has come to a socket. */
static void
on_readable(Socket *s)
{
	static char buffer[2 * READ_SIZE];
	ssize_t		got;

	for (;;)
	{
		if (s->length > READ_SIZE)
			fail("frame", "too long");
		memcpy(buffer, s->rest, s->length);
		got = read(s->fd, buffer + s->length, READ_SIZE);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0)
			fail("read", got == 0 ? "closed by the server" : strerror(errno));
		take(s, buffer, s->length + (size_t) got);
		if (got < READ_SIZE)
			return;
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

static void
watch(int fd, void *arg)
{
	struct epoll_event event = {.events = EPOLLIN,.data.ptr = arg};

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
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
		char		request[2000];
		int			length;

		length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
						  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
						  kind == SIO ? "/socket.io/?EIO=4&transport=websocket" : kind == WS ? "/ws" : "/api/v1/stream",
						  kind == ROOST ? "Sec-WebSocket-Protocol: roost.v1\r\nAuthorization: Bearer " : "",
						  kind == ROOST ? tokens[i % token_count] : "", kind == ROOST ? "\r\n" : "");
		sockets[i].fd = dial(port);
		put(sockets[i].fd, request, (size_t) length);
		watch(sockets[i].fd, &sockets[i]);
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
