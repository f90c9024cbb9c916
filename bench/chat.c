/*-------------------------------------------------------------------------
 *
 * chat.c
 *		Messages from one WebSocket to others, through everything.
 *
 *		chat PORT RATE SECONDS SENDERS
 *
 * Standard input has a line for every socket: CONVERSATION TOKEN.  All of them
 * subscribe to ["messages"].  The first SENDERS write to their conversations in
 * turns, RATE messages a second together, with calls of POST /messages on their
 * sockets; the others are told.  A message has a mark with its number, and
 * should reach every other socket of its conversation once.
 *
 * Printed are the time from before a message is sent until a socket has read
 * it, and until its sender has read the answer, and how many were lost or came
 * twice.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#define PROGRAM "chat"
#include "websocket.h"

#define SOCKETS_MAX		20000
#define NUMBERS_MAX		(1 << 20)
#define READY_SECONDS	60
#define REST_SECONDS	5		/* for what is on its way at the end */
#define WARM_UP			20		/* messages that are not counted, or a second of
								 * them */
#define WORDS			9

typedef struct Member
{
	Socket		socket;			/* the first, so that one is the other */
	char	   *conversation;
	char	   *token;
	int			peers;			/* other sockets of its conversation */
	bool		sends;
} Member;

typedef struct Times
{
	float	   *list;
	uint64_t	count;
	uint64_t	size;
} Times;

static Member members[SOCKETS_MAX];
static int	member_count;
static int	sender_count;
static int	ready_count;

static uint64_t sent;
static uint64_t sent_at[NUMBERS_MAX];
static uint32_t wanted[NUMBERS_MAX];	/* sockets that have not got it */
static uint64_t missing;		/* all of these */
static uint64_t twice;
static uint64_t answered;
static bool counting;
static Times told;
static Times answers;

/* Notes how long something took. */
static void
times_add(Times *times, uint64_t since)
{
	if (!counting)
		return;
	if (times->count == times->size)
	{
		times->size = times->size ? times->size * 2 : 65536;
		times->list = realloc(times->list, times->size * sizeof(float));
	}
	times->list[times->count++] = (float) (now() - since) / 1e6f;
}

/* A socket is open. */
static void
on_open(Socket *s)
{
	send_text(s, "{\"type\":\"subscribe\",\"id\":1,\"channels\":[\"messages\"]}");
}

/* Takes the marks "~NUMBER~" of messages that have come. */
static void
take_marks(const char *data, size_t length)
{
	const char *end = data + length;
	const char *mark;

	while ((mark = memchr(data, '~', (size_t) (end - data))) != NULL)
	{
		char	   *after;
		uint64_t	number = strtoull(mark + 1, &after, 10);

		data = mark + 1;
		if (after == mark + 1 || *after != '~')
			continue;
		data = after + 1;
		if (number >= sent || wanted[number] == 0)
		{
			twice++;
			continue;
		}
		wanted[number]--;
		missing--;
		times_add(&told, sent_at[number]);
	}
}

/* Takes a text message. */
static void
on_message(Socket *s, const char *data, size_t length)
{
	Member	   *member = (Member *) s;
	const char *id;

	if (!s->ready && memmem(data, length, "\"subscribed\"", 12))
	{
		s->ready = true;
		ready_count++;
	}
	else if (memmem(data, length < 60 ? length : 60, "\"error\"", 7))
		fail("the gateway says", strndupa(data, length));
	else if (memmem(data, length < 60 ? length : 60, "\"response\"", 10) && (id = memmem(data, length, "\"id\":", 5)) != NULL)
	{
		if (!memmem(data, length, "\"status\":201", 12))
			fail("answer", strndupa(data, length));
		answered++;
		times_add(&answers, sent_at[strtoull(id + 5, NULL, 10) - 2]);
	}
	else if (!member->sends)
		take_marks(data, length);
}

/* Waits for at most so many milliseconds, and reads what has come. */
static void
pump(int milliseconds)
{
	struct epoll_event events[256];
	int			n = epoll_wait(poll_fd, events, 256, milliseconds);

	for (int i = 0; i < n; i++)
		on_readable(events[i].data.ptr);
}

/* Writes words of its own into a message: near copies are held back. */
static void
make_text(char *text, uint64_t number)
{
	static const char syllables[] = "bacodifugahejikolumanepirosatuvi";

	text += sprintf(text, "~%llu~", (unsigned long long) number);
	for (int i = 0; i < WORDS * 3; i++)
		text += sprintf(text, "%s%.2s", i % 3 ? "" : " ", syllables + 2 * (random() % 16));
}

/* Sends the next message. */
static void
publish(void)
{
	Member	   *member = &members[sent % (uint64_t) sender_count];
	char		text[200];
	char		call[500];

	if (sent == NUMBERS_MAX)
		fail("messages", "too many");
	wanted[sent] = (uint32_t) member->peers;
	missing += (uint64_t) member->peers;
	sent_at[sent] = now();
	make_text(text, sent);
	snprintf(call, sizeof(call), "{\"id\":%llu,\"method\":\"POST\",\"path\":\"/messages\",\"body\":{\"conversation_id\":\"%s\",\"text\":\"%s\"}}",
			 (unsigned long long) sent + 2, member->conversation, text);
	sent++;
	send_text(&member->socket, call);
}

/* Reads the sockets' lines. */
static void
read_members(void)
{
	static char line[2000];

	while (member_count < SOCKETS_MAX && fgets(line, sizeof(line), stdin))
	{
		Member	   *member = &members[member_count++];
		char	   *token = strchr(line, ' ');

		if (token == NULL)
			fail("standard input", "a line has no token");
		*token++ = '\0';
		token[strcspn(token, "\n")] = '\0';
		member->conversation = strdup(line);
		member->token = strdup(token);
		member->sends = member_count <= sender_count;
	}
	for (int i = 0; i < sender_count; i++)
		for (int j = sender_count; j < member_count; j++)
			members[i].peers += strcmp(members[i].conversation, members[j].conversation) == 0;
}

/* Opens all sockets and waits until they are ready. */
static void
start(int port)
{
	uint64_t	until = now() + READY_SECONDS * 1000000000ull;

	for (int i = 0; i < member_count; i++)
	{
		char		headers[1500];

		snprintf(headers, sizeof(headers), "Sec-WebSocket-Protocol: roost.v1\r\nAuthorization: Bearer %s\r\n", members[i].token);
		open_socket(&members[i].socket, port, "/api/v1/stream", headers);
		while (i - ready_count >= 100 && now() < until)
			pump(10);
	}
	while (ready_count < member_count && now() < until)
		pump(50);
	if (ready_count < member_count)
		fail("sockets", "not all became ready");
}

/* Sends at a rate for a while, then waits for what is on its way. */
static void
run(double rate, double seconds, uint64_t most)
{
	uint64_t	next = now();
	uint64_t	end = next + (uint64_t) (seconds * 1e9);
	uint64_t	from = sent;

	while (now() < end && sent - from < most)
	{
		uint64_t	time = now();

		if (time >= next)
		{
			publish();
			next += (uint64_t) (1e9 / rate);
		}
		pump(next > time ? (int) ((next - time) / 1000000) : 0);
	}
	end = now() + REST_SECONDS * 1000000000ull;
	while ((missing > 0 || answered < sent) && now() < end)
		pump(5);
}

static int
compare(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return (x > y) - (x < y);
}

static void
print(const char *name, Times *times)
{
	if (times->count == 0)
		fail(name, "none has come");
	qsort(times->list, times->count, sizeof(float), compare);
	printf("%s_p50_ms=%.2f %s_p99_ms=%.2f %s_max_ms=%.1f ", name, times->list[times->count / 2], name, times->list[times->count * 99 / 100],
		   name, times->list[times->count - 1]);
}

int
main(int argc, char **argv)
{
	uint64_t	warm_up;

	if (argc < 5)
		fail("arguments", "see the head of chat.c");
	sender_count = atoi(argv[4]);
	read_members();
	if (sender_count < 1 || sender_count > member_count)
		fail("standard input", "there are not enough sockets");
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	start(atoi(argv[1]));
	warm_up = atof(argv[2]) > WARM_UP ? (uint64_t) atof(argv[2]) : WARM_UP;
	run(atof(argv[2]), READY_SECONDS, warm_up);
	counting = true;
	run(atof(argv[2]), atof(argv[3]), NUMBERS_MAX);
	print("told", &told);
	print("answer", &answers);
	printf("messages=%llu deliveries=%llu lost=%llu twice=%llu unanswered=%llu\n", (unsigned long long) (sent - warm_up), (unsigned long long) told.count,
		   (unsigned long long) missing, (unsigned long long) twice, (unsigned long long) (sent - answered));
	return 0;
}
