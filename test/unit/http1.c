/*
 * http1.c
 *		The bytes of HTTP/1.1: what is understood, and what is refused because
 *		two servers could read it differently.  Every input is read whole, cut
 *		in two at every byte, and byte by byte, always from memory that ends at
 *		a page that cannot be read; the results must be the same.
 */
#include "gateway/http.c"
#include "gateway/http1_parse.c"
#include "gateway/log.c"
#include "gateway/message.c"
#include "gateway/util.c"

#include "test/unit/tap.h"

Config		config = {.header_limit = 2048,.body_limit = 1024};

/* Adds bytes to a reader in a buffer that is exactly full, so that sanitizers see one byte too many. */
static void
add(Http1Reader *reader, const char *data, size_t length)
{
	const char *from = guarded(data, length);

	http1_reader_add(reader, from, length);
	reader->in.size = Max(reader->in.length, 1);
	reader->in.data = memory_resize(reader->in.data, reader->in.size);
}

/* Writes what a message says, so that two can be compared. */
static void
describe(Buffer *into, const Message *message)
{
	buffer_printf(into, "%s %s ?%s host=%s 10=%d keep=%d body=%d\n", message->method_name, message_path(message),
				  message_query(message) ? message_query(message) : "-",
				  message->authority ? message->head.data + message->authority : "-",
				  message->http10, message->keep_alive, message->has_body);
	for (int i = 0; i < message->header_count; i++)
		buffer_printf(into, "%s: %s\n", message->head.data + message->headers[i].name, message->head.data + message->headers[i].value);
	buffer_append(into, message->body.data, message->body.length);
	buffer_append(into, "\n", 1);
}

/* A connection as http1.c leads it: heads and bodies until the bytes are used up. */
typedef struct Talk
{
	Http1Reader reader;
	Message		message;
	bool		in_body;
	Http1Result result;
	int			requests;
	Buffer		said;
} Talk;

/* Ends a request. */
static void
talk_next(Talk *talk)
{
	describe(&talk->said, &talk->message);
	message_free(&talk->message);
	memset(&talk->message, 0, sizeof(talk->message));
	talk->in_body = false;
	talk->requests++;
}

/* Reads as far as the bytes go. */
static void
talk_read(Talk *talk)
{
	size_t		length;

	while (talk->result != HTTP1_BAD && talk->result != HTTP1_HTTP2)
	{
		if (talk->in_body)
			talk->result = http1_read_body(&talk->reader, &talk->message);
		else if ((talk->result = http1_find_head(&talk->reader, &length)) == HTTP1_COMPLETE)
		{
			message_init(&talk->message);
			talk->result = http1_read_head(&talk->reader, length, &talk->message);
			talk->in_body = talk->message.has_body;
			if (talk->result == HTTP1_COMPLETE && talk->in_body)
				continue;
		}
		if (talk->result == HTTP1_MORE)
			return;
		if (talk->result == HTTP1_COMPLETE)
			talk_next(talk);
	}
}

/* Puts the input through in pieces: whole (0), cut at that byte, or byte by byte (-1). */
static Talk
talk_in_pieces(const char *input, size_t length, long cut)
{
	Talk		talk = {0};
	size_t		step = cut < 0 ? 1 : cut == 0 ? length : (size_t) cut;

	for (size_t at = 0; at < length && talk.result != HTTP1_BAD && talk.result != HTTP1_HTTP2; at += step, step = cut < 0 ? 1 : length - at)
	{
		add(&talk.reader, input + at, Min(step, length - at));
		talk_read(&talk);
	}
	buffer_printf(&talk.said, "end: %d %s %s, %zu bytes left", talk.result == HTTP1_COMPLETE ? HTTP1_MORE : talk.result,
				  talk.result == HTTP1_BAD ? talk.reader.sqlstate : "", talk.result == HTTP1_BAD ? talk.reader.problem : "",
				  talk.result == HTTP1_MORE ? talk.reader.in.length - talk.reader.start : 0);
	buffer_append(&talk.said, "", 1);
	return talk;
}

static void
talk_free(Talk *talk)
{
	buffer_free(&talk->reader.in);
	buffer_free(&talk->said);
	message_free(&talk->message);
}

/* Returns the whole reading of an input, after comparing all others with it. */
static Talk
talk(const char *input, size_t length, bool *same)
{
	Talk		whole = talk_in_pieces(input, length, 0);

	*same = true;
	for (long cut = -1; cut < (long) length; cut += cut == -1 ? 2 : 1)
	{
		Talk		pieces = talk_in_pieces(input, length, cut);

		if (strcmp(pieces.said.data, whole.said.data) != 0)
		{
			if (*same)
				printf("# cut at %ld:\n# %s\n# instead of\n# %s\n", cut, pieces.said.data, whole.said.data);
			*same = false;
		}
		talk_free(&pieces);
	}
	return whole;
}

/* Checks what is read of a sequence of requests. */
static void
reads(const char *name, const char *input, size_t length, const char *expected)
{
	bool		same;
	Talk		whole = talk(input, length, &same);
	bool		good = same && strcmp(whole.said.data, expected) == 0;

	if (same && !good)
		printf("# got\n# %s\n", whole.said.data);
	ok(good, name);
	talk_free(&whole);
}

/* Checks that an input is refused with an error, and nothing of it becomes a request. */
static void
refused(const char *name, const char *input, size_t length, const char *sqlstate)
{
	bool		same;
	Talk		whole = talk(input, length, &same);
	bool		good = same && whole.result == HTTP1_BAD && strcmp(whole.reader.sqlstate, sqlstate) == 0 && whole.requests == 0;

	if (!good)
		printf("# got\n# %s\n", whole.said.data);
	ok(good, name);
	talk_free(&whole);
}

#define READS(name, input, expected) reads(name, input, sizeof(input) - 1, expected)
#define REFUSED(name, input, sqlstate) refused(name, input, sizeof(input) - 1, sqlstate)
#define HOST "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST
#define POST "POST / HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define MORE "end: 0  , 0 bytes left"

static void
test_requests(void)
{
	READS("a request", "GET /a%20b?c=d?e&f HTTP/1.1\r\nHOST:a\r\nX-Y: \t z \t\r\n\r\n",
		  "GET /a%20b ?c=d?e&f host=- 10=0 keep=1 body=0\nhost: a\nx-y: z\n\n" MORE);
	READS("several requests, one after the other",
		  "\r\n\r\n" POST "Content-Length: 3\r\n\r\nabc\r\n" GET "Connection: x, Close\r\n\r\n",
		  "POST / ?- host=- 10=0 keep=1 body=1\nhost: a\ncontent-length: 3\nabc\n"
		  "GET / ?- host=- 10=0 keep=0 body=0\nhost: a\nconnection: x, Close\n\n" MORE);
	READS("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n" "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		  "GET / ?- host=- 10=1 keep=0 body=0\n\nGET / ?- host=- 10=1 keep=1 body=0\nconnection: keep-alive\n\n" MORE);
	READS("chunks with extensions and trailers",
		  CHUNKED "3;a=\"b\"\r\nabc\r\n00000B \t;x\r\n0123456789\r\r\n0\r\nA: b\r\nC: d\r\n\r\n" GET "\r\n",
		  "POST / ?- host=- 10=0 keep=1 body=1\nhost: a\ntransfer-encoding: chunked\nabc0123456789\r\n"
		  "GET / ?- host=- 10=0 keep=1 body=0\nhost: a\n\n" MORE);
	READS("a body that looks like a request stays a body",
		  POST "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		  "POST / ?- host=- 10=0 keep=1 body=1\nhost: a\ncontent-length: 18\nGET / HTTP/1.1\r\n\r\n\n" MORE);
	READS("a body of length 0", POST "Content-Length: 000\r\n\r\n",
		  "POST / ?- host=- 10=0 keep=1 body=0\nhost: a\ncontent-length: 000\n\n" MORE);
	READS("a target with a host", "GET http://A/b?c HTTP/1.1\r\n" HOST "\r\n" "GET https://a HTTP/1.1\r\n" HOST "\r\n",
		  "GET /b ?c host=A 10=0 keep=1 body=0\nhost: a\n\nGET / ?- host=a 10=0 keep=1 body=0\nhost: a\n\n" MORE);
	READS("a target with a host and a query only", "GET http://a?/b HTTP/1.1\r\n" HOST "\r\n",
		  "GET / ?/b host=a 10=0 keep=1 body=0\nhost: a\n\n" MORE);
	READS("OPTIONS *", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * ?- host=- 10=0 keep=1 body=0\nhost: a\n\n" MORE);
	READS("the beginning of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "end: 2  , 0 bytes left");
	READS("an incomplete head", "GET / HTTP/1.1\r\nHost: a\r\n", "end: 0  , 25 bytes left");
}

static void
test_lines(void)
{
	REFUSED("a bare line feed behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "RO400");
	REFUSED("a bare line feed behind a header", "GET / HTTP/1.1\r\nHost: a\n\r\n", "RO400");
	REFUSED("a bare line feed as the empty line", GET "\n", "RO400");
	REFUSED("a bare carriage return in the request line", "GET / \rHTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a bare carriage return in a header", GET "A: b\rC: d\r\n\r\n", "RO400");
	REFUSED("two carriage returns", GET "A: b\r\r\n\r\n", "RO400");
	REFUSED("a carriage return before the request line", "\rGET / HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a NUL in the target", "GET /\0 HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a NUL in a header's name", GET "A\0: b\r\n\r\n", "RO400");
	REFUSED("a NUL in a header's value", GET "A: b\0c\r\n\r\n", "RO400");
	REFUSED("a folded header", GET "A: b\r\n c\r\n\r\n", "RO400");
	REFUSED("a folded first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "RO400");
	REFUSED("a folded header with a colon", GET "A: b\r\n\tC: d\r\n\r\n", "RO400");
	REFUSED("white space before the colon", GET "Content-Length : 3\r\n\r\nabc", "RO400");
	REFUSED("a header without a name", GET ": b\r\n\r\n", "RO400");
	REFUSED("a header without a colon", GET "A\r\n\r\n", "RO400");
	REFUSED("no version", "GET /\r\n" HOST "\r\n", "RO400");
	REFUSED("a version in small letters", "GET / http/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("HTTP/2.0 in a request line", "GET / HTTP/2.0\r\n" HOST "\r\n", "RO505");
	REFUSED("a tab between the words", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("two spaces", "GET /  HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a method with a separator", "G(T / HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a method that is too long", "ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n" HOST "\r\n", "RO501");
	REFUSED("an empty target", "GET  HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a target without a slash", "GET a HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("GET *", "GET * HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("bytes that are not HTTP", "\x16\x03\x01\x02", "RO400");
}

static void
test_hosts(void)
{
	REFUSED("no Host", "GET / HTTP/1.1\r\n\r\n", "RO400");
	REFUSED("two Hosts", GET HOST "\r\n", "RO400");
	REFUSED("a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "RO400");
	REFUSED("a Host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "RO400");
	REFUSED("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "RO400");
	REFUSED("a target with another host", "GET http://b/ HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a target with a user", "GET http://x@a/ HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a target with an empty host", "GET http:///b HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a target of another scheme", "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n", "RO400");
	REFUSED("a fragment in the target", "GET http://a/#b HTTP/1.1\r\n" HOST "\r\n", "RO400");
}

static void
test_framing(void)
{
	REFUSED("Content-Length beside Transfer-Encoding", POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "RO400");
	REFUSED("Transfer-Encoding beside Content-Length", POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "RO400");
	REFUSED("two Content-Lengths", POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "RO400");
	REFUSED("Content-Length twice the same", POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "RO400");
	REFUSED("a list of lengths", POST "Content-Length: 3, 3\r\n\r\nabc", "RO400");
	REFUSED("a length with a plus", POST "Content-Length: +3\r\n\r\nabc", "RO400");
	REFUSED("a length with a minus", POST "Content-Length: -3\r\n\r\nabc", "RO400");
	REFUSED("a length with a space inside", POST "Content-Length: 1 3\r\n\r\nabc", "RO400");
	REFUSED("a length in hexadecimal", POST "Content-Length: 0x3\r\n\r\nabc", "RO400");
	REFUSED("an empty length", POST "Content-Length:\r\n\r\nabc", "RO400");
	REFUSED("a length with a letter behind", POST "Content-Length: 3a\r\n\r\nabc", "RO400");
	REFUSED("a length over the limit", POST "Content-Length: 1025\r\n\r\n", "RO413");
	REFUSED("a length of 2^64 + 3", POST "Content-Length: 18446744073709551619\r\n\r\nabc", "RO413");
	REFUSED("a length of a hundred digits", POST "Content-Length: 9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999\r\n\r\n", "RO413");
	REFUSED("two Transfer-Encodings", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", "RO400");
	REFUSED("another coding", POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "RO501");
	REFUSED("chunked and identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n", "RO501");
	REFUSED("a coding that only looks like chunked", POST "Transfer-Encoding: xchunked\r\n\r\n", "RO501");
	REFUSED("an empty coding", POST "Transfer-Encoding:\r\n\r\n", "RO501");
	REFUSED("a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "RO400");
}

static void
test_chunks(void)
{
	REFUSED("no size", CHUNKED "\r\nabc\r\n", "RO400");
	REFUSED("an extension without a size", CHUNKED ";a\r\nabc\r\n", "RO400");
	REFUSED("a size with a sign", CHUNKED "+3\r\nabc\r\n", "RO400");
	REFUSED("a negative size", CHUNKED "-1\r\nabc\r\n", "RO400");
	REFUSED("a size with 0x", CHUNKED "0x3\r\nabc\r\n", "RO400");
	REFUSED("a space before the size", CHUNKED " 3\r\nabc\r\n", "RO400");
	REFUSED("something behind the size", CHUNKED "3 4\r\nabc\r\n", "RO400");
	REFUSED("a size of nine digits", CHUNKED "000000003\r\nabc\r\n", "RO400");
	REFUSED("a size of 2^64 + 3", CHUNKED "10000000000000003\r\nabc\r\n", "RO400");
	REFUSED("a size of 32 bits", CHUNKED "ffffffff\r\nabc\r\n", "RO413");
	REFUSED("a size over the limit", CHUNKED "401\r\nabc", "RO413");
	REFUSED("chunks over the limit together", CHUNKED "3\r\nabc\r\n3fe\r\n", "RO413");
	REFUSED("a chunk that is longer than its size", CHUNKED "3\r\nabcd\r\n", "RO400");
	REFUSED("a chunk without its end is refused at the first byte", CHUNKED "3\r\nabcd", "RO400");
	REFUSED("a chunk that is shorter than its size", CHUNKED "3\r\na\r\n0\r\n\r\n", "RO400");
	REFUSED("a chunk that ends in a line feed", CHUNKED "3\r\nabc\n", "RO400");
	REFUSED("a size that ends in a line feed", CHUNKED "3\nabc\r\n", "RO400");
	REFUSED("a carriage return in an extension", CHUNKED "3;a\rb\r\nabc\r\n", "RO400");
	REFUSED("a NUL in an extension", CHUNKED "3;\0\r\nabc\r\n", "RO400");
	REFUSED("a NUL behind a size", CHUNKED "3\0 4\r\nabc\r\n", "RO400");
	REFUSED("a line feed in a trailer", CHUNKED "0\r\nA: b\nGET / HTTP/1.1\r\n\r\n", "RO400");
	REFUSED("a NUL in a trailer", CHUNKED "0\r\nA: \0\r\n\r\n", "RO400");
}

/* Adds the same text n times. */
static void
repeat(Buffer *into, const char *text, int n)
{
	while (n-- > 0)
		buffer_append_text(into, text);
}

static void
test_limits(void)
{
	static const struct
	{
		const char *name;
		const char *start;
		const char *part;
		int			parts;
		const char *end;
		const char *sqlstate;
	}			long_ones[] = {
		{"a request line that is too long", "GET /", "a", 2048, " HTTP/1.1\r\n" HOST "\r\n", "RO414"},
		{"a request line that never ends", "GET /", "a", 2048, "", "RO414"},
		{"a header that is too long", GET "A: ", "a", 2048, "\r\n\r\n", "RO431"},
		{"a header's name that is too long", GET, "a", 2048, ": b\r\n\r\n", "RO431"},
		{"headers that are too long together", GET, "A: 0123456789012345678901234567890123456789\r\n", 60, "\r\n", "RO431"},
		{"a bare line feed behind the limit", GET "A: ", "a", 2048, "\n\r\n", "RO431"},
		{"too many headers", GET, "A:b\r\n", 100, "\r\n", "RO431"},
		{"an extension that is too long", CHUNKED "3;", "a", 256, "\r\nabc\r\n0\r\n\r\n", "RO400"},
		{"a trailer that is too long", CHUNKED "0\r\nA: ", "a", 4096, "\r\n\r\n", "RO400"},
		{"trailers that are too long together", CHUNKED "0\r\n", "A: 0123456789\r\n", 400, "\r\n", "RO400"},
	};
	Buffer		input = {0};
	bool		same;
	Talk		whole;

	for (size_t i = 0; i < lengthof(long_ones); i++)
	{
		input.length = 0;
		buffer_append_text(&input, long_ones[i].start);
		repeat(&input, long_ones[i].part, long_ones[i].parts);
		buffer_append_text(&input, long_ones[i].end);
		refused(long_ones[i].name, input.data, input.length, long_ones[i].sqlstate);
	}

	input.length = 0;
	buffer_append_text(&input, GET "A: ");
	repeat(&input, "a", 2048 - (int) input.length - 4);
	buffer_append_text(&input, "\r\n\r\n");
	whole = talk(input.data, input.length, &same);
	ok(same && input.length == 2048 && whole.requests == 1, "a head of exactly the limit passes");
	talk_free(&whole);

	input.length = 0;
	buffer_append_text(&input, CHUNKED);
	repeat(&input, "1\r\nx\r\n", 1024);
	buffer_append_text(&input, "0\r\n\r\n");
	whole = talk_in_pieces(input.data, input.length, 0);
	ok(whole.requests == 1, "a body of exactly the limit, in chunks of one byte, passes");
	talk_free(&whole);
	buffer_free(&input);
}

int
main(void)
{
	test_requests();
	test_lines();
	test_hosts();
	test_framing();
	test_chunks();
	test_limits();
	printf("1..%d\n", tests);
	return failed > 0;
}
