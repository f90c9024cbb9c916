/*-------------------------------------------------------------------------
 *
 * http1_parse.c
 *		The bytes of HTTP/1.1 and HTTP/1.0 requests (RFC 9112), read strictly.
 *
 * Knows nothing of connections: bytes are added to an Http1Reader, and what
 * they say goes into a Message.  How the bytes were cut into packets makes no
 * difference.  What is understood is skipped by an offset and dropped when
 * more bytes come, so that many small pieces cost no more than one.
 *
 * What two servers could read differently is refused, so that nothing can be
 * smuggled past a proxy: bare line feeds and carriage returns, white space
 * before a colon, folded lines, Content-Length twice or beside
 * Transfer-Encoding, codings other than chunked, a target whose host is not
 * that of the header Host.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <strings.h>

#include "config.h"
#include "http1_parse.h"

#define CHUNK_LINE_LIMIT 256
#define TRAILER_LIMIT 4096		/* of all trailers together */
#define LINE_MORE (-1)
#define LINE_BAD (-2)

static const char http2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum
{
	CHUNK_NONE,					/* the body has a length */
	CHUNK_SIZE,
	CHUNK_DATA,
	CHUNK_END,					/* the line end behind the data */
	CHUNK_TRAILER
};

/* Notes what is wrong. */
static Http1Result
reader_fail(Http1Reader *reader, const char *sqlstate, const char *problem)
{
	reader->sqlstate = sqlstate;
	reader->problem = problem;
	return HTTP1_BAD;
}

/* Returns the bytes that are not understood yet. */
static const char *
reader_data(const Http1Reader *reader)
{
	return reader->in.data ? reader->in.data + reader->start : "";
}

/* Returns how many they are. */
static size_t
reader_rest(const Http1Reader *reader)
{
	return reader->in.length - reader->start;
}

/* Says that bytes are understood. */
static void
reader_skip(Http1Reader *reader, size_t length)
{
	reader->start += length;
	if (reader->start == reader->in.length)
		reader->start = reader->in.length = 0;
}

/* Adds bytes that have come. */
void
http1_reader_add(Http1Reader *reader, const char *data, size_t length)
{
	if (reader->start > 0)
		buffer_remove(&reader->in, reader->start);
	reader->start = 0;
	buffer_append(&reader->in, data, length);
}

/* Forgets all bytes. */
void
http1_reader_clear(Http1Reader *reader)
{
	reader->in.length = reader->start = reader->scanned = 0;
}

/*
 * Looks for the end of a head; when it is complete, its length, the empty line
 * included, is in *length.
 */
Http1Result
http1_find_head(Http1Reader *reader, size_t *length)
{
	size_t		limit = (size_t) config.header_limit;
	const char *data;
	const char *feed;
	size_t		rest;

	/* empty lines before a request are allowed, and of no use */
	while (reader->scanned == 0 && reader_rest(reader) >= 2 && memcmp(reader_data(reader), "\r\n", 2) == 0)
		reader_skip(reader, 2);
	data = reader_data(reader);
	rest = reader_rest(reader);
	if (rest == 0)
		return HTTP1_MORE;
	if (*data != '\r' && (*data < 'A' || *data > 'Z') && (*data < 'a' || *data > 'z'))
		return reader_fail(reader, "RO400", "This is not HTTP.");
	if (rest >= 16 && memcmp(data, http2_preface, Min(rest, sizeof(http2_preface) - 1)) == 0)
		return rest < sizeof(http2_preface) - 1 ? HTTP1_MORE : HTTP1_HTTP2;
	while ((feed = memchr(data + reader->scanned, '\n', rest - reader->scanned)) != NULL)
	{
		size_t		line = reader->scanned;
		size_t		at = (size_t) (feed - data);

		if (at >= limit)
			break;
		if (at == line || data[at - 1] != '\r')
			return reader_fail(reader, "RO400", "A line ends in a line feed alone.");
		reader->scanned = at + 1;
		if (at == line + 1)
		{
			*length = at + 1;
			return HTTP1_COMPLETE;
		}
	}
	if (rest <= limit)
		return HTTP1_MORE;
	return memchr(data, '\n', limit) ? reader_fail(reader, "RO431", "The headers are too long.") :
		reader_fail(reader, "RO414", "The request line is too long.");
}

/* Returns the number of digits only, or -1. */
static int64_t
parse_length(const char *text)
{
	int64_t		number = 0;

	if (*text == '\0')
		return -1;
	for (; *text; text++)
	{
		if (*text < '0' || *text > '9')
			return -1;
		if (number > INT64_MAX / 10 - 9)
			number = INT64_MAX / 10 - 9;	/* too much in any case */
		number = number * 10 + (*text - '0');
	}
	return number;
}

/* Reads the request line; returns NULL, or the error. */
static const char *
parse_request_line(Message *message, const char *line, const char *end, const char **sqlstate)
{
	const char *space = memchr(line, ' ', (size_t) (end - line));
	const char *second = space ? memchr(space + 1, ' ', (size_t) (end - space - 1)) : NULL;
	const char *version;

	*sqlstate = "RO400";
	if (space == NULL || second == NULL || space == line)
		return "The request line is not METHOD TARGET HTTP/1.1.";
	version = second + 1;
	if (end - version != 8 || memcmp(version, "HTTP/", 5) != 0 || version[6] != '.' ||
		version[5] < '0' || version[5] > '9' || version[7] < '0' || version[7] > '9')
		return "The request line does not end in HTTP/1.1.";
	*sqlstate = "RO505";
	if (version[5] != '1')
		return "Only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here.";
	message->http10 = version[7] == '0';
	*sqlstate = "RO501";
	if (space - line > HTTP_MAX_METHOD)
		return "This method is not known here; see the header Allow.";
	memcpy(message->method_name, line, (size_t) (space - line));
	message->method_name[space - line] = '\0';
	*sqlstate = "RO400";
	if (!http_is_token(message->method_name))
		return "The method is not a word.";
	message->method = http_method(message->method_name);
	if (!message_set_target(message, space + 1, (size_t) (second - space - 1)) ||
		(*message_path(message) == '*' && message->method != METHOD_OPTIONS))
		return "The target must be a path.";
	return NULL;
}

/* Reads one header line; returns NULL, or the error. */
static const char *
parse_header_line(Message *message, const char *line, const char *end, const char **sqlstate)
{
	const char *colon = memchr(line, ':', (size_t) (end - line));
	const char *value;
	MessageHeader *header;

	*sqlstate = "RO400";
	if (colon == NULL)
		return "A header line has no colon.";
	value = colon + 1;
	for (const char *c = value; c < end; c++)
		if (((unsigned char) *c < 0x20 && *c != '\t') || *c == 0x7f)
			return "A header holds a control character.";
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*sqlstate = "RO431";
	if (!message_add_header(message, line, (size_t) (colon - line), value, (size_t) (end - value)))
		return "There are too many headers.";
	header = &message->headers[message->header_count - 1];
	*sqlstate = "RO400";
	/* also refuses NUL bytes in the name, which make it shorter */
	if (!http_is_token(message->head.data + header->name) ||
		strlen(message->head.data + header->name) != (size_t) (colon - line))
		return "A header's name is not a word.";
	return NULL;
}

/* Returns whether a header stands there more than once. */
static bool
header_repeats(const Message *message, const char *name)
{
	int			count = 0;

	for (int i = 0; i < message->header_count; i++)
		count += strcmp(message->head.data + message->headers[i].name, name) == 0;
	return count > 1;
}

/* Checks which host is meant; returns NULL, or the error. */
static const char *
parse_host(const Message *message, const char **sqlstate)
{
	const char *host = message_header(message, "host");

	*sqlstate = "RO400";
	if (header_repeats(message, "host") || (host == NULL && !message->http10))
		return "There must be one header Host.";
	if (host && strpbrk(host, " \t,/@\\?#"))
		return "The header Host is malformed.";
	if (host && message->authority && strcasecmp(host, message->head.data + message->authority) != 0)
		return "The target and the header Host name different hosts.";
	return NULL;
}

/* Finds out how the body comes; returns NULL, or the error. */
static const char *
parse_framing(Http1Reader *reader, Message *message, const char **sqlstate)
{
	const char *connection = message_header(message, "connection");
	const char *coding = message_header(message, "transfer-encoding");
	const char *length = message_header(message, "content-length");
	int64_t		number;

	*sqlstate = "RO400";
	message->keep_alive = message->http10 ? connection && http_list_has(connection, "keep-alive") :
		!(connection && http_list_has(connection, "close"));
	if (header_repeats(message, "content-length"))
		return "Content-Length stands there twice.";
	if (header_repeats(message, "transfer-encoding"))
		return "Transfer-Encoding stands there twice.";
	if (coding && length)
		return "Content-Length and Transfer-Encoding exclude each other.";
	if (coding)
	{
		if (message->http10)
			return "HTTP/1.0 has no Transfer-Encoding.";
		*sqlstate = "RO501";
		if (strcasecmp(coding, "chunked") != 0)
			return "The only transfer coding known here is chunked.";
		message->has_body = true;
		reader->chunk_state = CHUNK_SIZE;
	}
	else if (length)
	{
		number = parse_length(length);
		if (number < 0)
			return "Content-Length is not a number.";
		*sqlstate = "RO413";
		if (number > config.body_limit)
			return "The body is longer than this server takes.";
		message->has_body = number > 0;
		reader->body_rest = (uint64_t) number;
	}
	return NULL;
}

/* Reads a complete head, its empty line included, into an empty message. */
Http1Result
http1_read_head(Http1Reader *reader, size_t length, Message *message)
{
	const char *line = reader_data(reader);
	const char *end = line + length;
	const char *sqlstate = "RO400";
	const char *problem = NULL;

	reader->chunk_state = CHUNK_NONE;
	reader->body_rest = 0;
	buffer_reserve(&message->head, length + 2 * HTTP_MAX_HEADERS);
	for (bool first = true; problem == NULL; first = false)
	{
		const char *stop = memchr(line, '\r', (size_t) (end - line));

		if (stop[1] != '\n')
			return reader_fail(reader, "RO400", "A line holds a carriage return.");
		if (stop == line)
			break;
		problem = first ? parse_request_line(message, line, stop, &sqlstate) :
			parse_header_line(message, line, stop, &sqlstate);
		line = stop + 2;
	}
	if (problem == NULL)
		problem = parse_host(message, &sqlstate);
	if (problem == NULL)
		problem = parse_framing(reader, message, &sqlstate);
	if (problem)
		return reader_fail(reader, sqlstate, problem);
	reader_skip(reader, length);
	reader->scanned = 0;
	return HTTP1_COMPLETE;
}

/* Moves what has come of the body, or of the chunk, to the message; returns false if it is too long. */
static bool
body_take(Http1Reader *reader, Message *message)
{
	size_t		part = Min(reader_rest(reader), reader->body_rest);

	if (message->body.length + reader->body_rest > (uint64_t) config.body_limit)
		return false;
	buffer_append(&message->body, reader_data(reader), part);
	reader_skip(reader, part);
	reader->body_rest -= part;
	return true;
}

/*
 * Copies the next line of the chunked framing, which is shorter than size, and
 * skips it; returns its length, LINE_MORE or LINE_BAD.
 */
static int
chunk_line(Http1Reader *reader, char *line, size_t size)
{
	const char *data = reader_data(reader);
	size_t		rest = reader_rest(reader);
	const char *feed = memchr(data, '\n', Min(rest, size));
	size_t		length = feed ? (size_t) (feed - data) : rest;

	/*
	 * one byte less: the carriage return; checked before the line is
	 * complete, too
	 */
	for (size_t i = 0; i < length; i++)
		if (((unsigned char) data[i] < 0x20 && data[i] != '\t' && (data[i] != '\r' || i + 1 < length)) || data[i] == 0x7f)
			return LINE_BAD;
	if (feed == NULL)
		return rest < size - 1 || (rest == size - 1 && data[rest - 1] == '\r') ? LINE_MORE : LINE_BAD;
	if (length == 0 || data[length - 1] != '\r')
		return LINE_BAD;
	memcpy(line, data, length - 1);
	line[length - 1] = '\0';
	reader_skip(reader, length + 1);
	return (int) length - 1;
}

/* Reads the size of a chunk: hexadecimal digits, perhaps with an extension behind them. */
static bool
chunk_size(const char *line, uint64_t *size)
{
	int			digits = 0;

	for (*size = 0; digits < 8 && http_hex_digit(*line) >= 0; digits++, line++)
		*size = *size * 16 + (uint64_t) http_hex_digit(*line);
	while (digits > 0 && (*line == ' ' || *line == '\t'))
		line++;
	return digits > 0 && (*line == '\0' || *line == ';');
}

/* Understands one line of the chunked framing; returns HTTP1_MORE to go on. */
static Http1Result
chunk_understand(Http1Reader *reader, const char *line, int length)
{
	switch (reader->chunk_state)
	{
		case CHUNK_SIZE:
			if (!chunk_size(line, &reader->body_rest))
				return HTTP1_BAD;
			reader->chunk_state = reader->body_rest == 0 ? CHUNK_TRAILER : CHUNK_DATA;
			reader->trailer_rest = TRAILER_LIMIT;
			return HTTP1_MORE;
		case CHUNK_END:
			reader->chunk_state = CHUNK_SIZE;
			return length == 0 ? HTTP1_MORE : HTTP1_BAD;
		default:
			/* trailers are allowed, and of no use */
			reader->trailer_rest -= (size_t) length;
			return length == 0 ? HTTP1_COMPLETE : HTTP1_MORE;
	}
}

/* Reads on in the body of a message that has one. */
Http1Result
http1_read_body(Http1Reader *reader, Message *message)
{
	char		line[TRAILER_LIMIT + 2];
	Http1Result result = HTTP1_MORE;

	while (result == HTTP1_MORE)
	{
		int			length;

		if (reader->chunk_state == CHUNK_NONE || reader->chunk_state == CHUNK_DATA)
		{
			if (!body_take(reader, message))
				return reader_fail(reader, "RO413", "The body is longer than this server takes.");
			if (reader->body_rest > 0)
				return HTTP1_MORE;
			if (reader->chunk_state == CHUNK_NONE)
				return HTTP1_COMPLETE;
			reader->chunk_state = CHUNK_END;
		}
		length = chunk_line(reader, line, reader->chunk_state == CHUNK_SIZE ? CHUNK_LINE_LIMIT :
							reader->chunk_state == CHUNK_END ? 2 : reader->trailer_rest + 2);
		if (length == LINE_MORE)
			return HTTP1_MORE;
		result = length == LINE_BAD ? HTTP1_BAD : chunk_understand(reader, line, length);
	}
	return result == HTTP1_BAD ? reader_fail(reader, "RO400", "The chunks of the body are malformed.") : result;
}
