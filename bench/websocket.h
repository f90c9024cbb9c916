/*-------------------------------------------------------------------------
 *
 * websocket.h
 *		WebSockets of clients that measure: opened, written and read by hand, all
 *		in one epoll.
 *
 * Who includes it says what is to be done when a socket is open (on_open) and
 * with text messages (on_message), and names itself (PROGRAM).
 *
 *-------------------------------------------------------------------------
 */
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

#define READ_SIZE	(256 * 1024)

typedef struct Socket
{
	int			fd;
	bool		upgraded;
	bool		ready;
	char	   *rest;			/* the beginning of a frame */
	size_t		length;
	size_t		size;
} Socket;

static int	poll_fd;

static void on_open(Socket *s);
static void on_message(Socket *s, const char *data, size_t length);

/* Ends the program with a reason. */
static void
fail(const char *what, const char *detail)
{
	fprintf(stderr, PROGRAM ": %s: %s\n", what, detail);
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
	on_open(s);
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

/* Has a descriptor watched. */
static void
watch(int fd, void *arg)
{
	struct epoll_event event = {.events = EPOLLIN,.data.ptr = arg};

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* Opens a socket; headers end with a line break each. */
static void
open_socket(Socket *s, int port, const char *path, const char *headers)
{
	char		request[2000];
	int			length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
								  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, headers);

	s->fd = dial(port);
	put(s->fd, request, (size_t) length);
	watch(s->fd, s);
}
