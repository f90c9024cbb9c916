/*-------------------------------------------------------------------------
 *
 * http1.c
 *		HTTP/1.1 and HTTP/1.0 (RFC 9112), read strictly.
 *
 * Bytes gather in Conn.in until a head is complete, which becomes a Request;
 * then the body, by length or in chunks, moves into it.  Requests of one
 * connection are answered one after the other; those that the gateway answers
 * itself may share a write.
 *
 * What two servers could read differently is refused, so that nothing can be
 * smuggled past a proxy: bare line feeds, white space before a colon, folded
 * lines, Content-Length twice or beside Transfer-Encoding, codings other than
 * chunked.  After such an error the connection is closed.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <strings.h>

#include "config.h"
#include "http1.h"
#include "http2.h"
#include "metrics.h"

#define OUT_ENOUGH (64 * 1024)
#define CHUNK_LINE_LIMIT 256
#define TRAILER_LIMIT 4096

static const char http2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum
{
	CHUNK_NONE,					/* the body has a length */
	CHUNK_SIZE,
	CHUNK_DATA,
	CHUNK_END,					/* the line end behind the data */
	CHUNK_TRAILER
};

/* Answers with an error, after which the connection is closed. */
static void
http1_fail(Conn *conn, const char *sqlstate, const char *detail)
{
	Request    *request = conn->request;

	if (request == NULL)
		request = conn->request = request_new(conn, 1);
	request->keep_alive = false;
	conn->in.length = conn->scanned = 0;
	conn_enter(conn, CONN_BUSY);
	request_fail(request, sqlstate, detail);
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
parse_request_line(Request *request, const char *line, const char *end, const char **sqlstate)
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
	request->http10 = version[7] == '0';
	*sqlstate = "RO501";
	if (space - line > HTTP_MAX_METHOD)
		return "This method is not known here; see the header Allow.";
	memcpy(request->method_name, line, (size_t) (space - line));
	request->method_name[space - line] = '\0';
	*sqlstate = "RO400";
	if (!http_is_token(request->method_name))
		return "The method is not a word.";
	request->method = http_method(request->method_name);
	if (!request_set_target(request, space + 1, (size_t) (second - space - 1)) ||
		(*request_path(request) == '*' && request->method != METHOD_OPTIONS))
		return "The target must be a path.";
	return NULL;
}

/* Reads one header line; returns NULL, or the error. */
static const char *
parse_header_line(Request *request, const char *line, const char *end, const char **sqlstate)
{
	const char *colon = memchr(line, ':', (size_t) (end - line));
	const char *value;
	RequestHeader *header;

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
	if (!request_add_header(request, line, (size_t) (colon - line), value, (size_t) (end - value)))
		return "There are too many headers.";
	header = &request->headers[request->header_count - 1];
	*sqlstate = "RO400";
	/* also refuses NUL bytes in the name, which make it shorter */
	if (!http_is_token(request->head.data + header->name) ||
		strlen(request->head.data + header->name) != (size_t) (colon - line))
		return "A header's name is not a word.";
	return NULL;
}

/* Finds out how the body comes; returns NULL, or the error. */
static const char *
parse_framing(Conn *conn, Request *request, const char **sqlstate)
{
	const char *coding = NULL;
	const char *length = NULL;
	const char *connection = request_header(request, "connection");
	int			hosts = 0;
	int64_t		number;

	*sqlstate = "RO400";
	for (int i = 0; i < request->header_count; i++)
	{
		const char *name = request->head.data + request->headers[i].name;
		const char *value = request->head.data + request->headers[i].value;

		if (strcmp(name, "host") == 0)
			hosts++;
		else if (strcmp(name, "content-length") == 0)
		{
			if (length)
				return "Content-Length stands there twice.";
			length = value;
		}
		else if (strcmp(name, "transfer-encoding") == 0)
		{
			if (coding)
				return "Transfer-Encoding stands there twice.";
			coding = value;
		}
	}
	request->keep_alive = request->http10 ? connection && http_list_has(connection, "keep-alive") :
		!(connection && http_list_has(connection, "close"));
	if (hosts > 1 || (hosts == 0 && !request->http10))
		return "There must be one header Host.";
	if (strpbrk(request_header(request, "host") ? request_header(request, "host") : "", " ,/@\\"))
		return "The header Host is malformed.";
	if (coding && length)
		return "Content-Length and Transfer-Encoding exclude each other.";
	if (coding)
	{
		if (request->http10)
			return "HTTP/1.0 has no Transfer-Encoding.";
		*sqlstate = "RO501";
		if (strcasecmp(coding, "chunked") != 0)
			return "The only transfer coding known here is chunked.";
		request->has_body = true;
		conn->chunk_state = CHUNK_SIZE;
	}
	else if (length)
	{
		number = parse_length(length);
		if (number < 0)
			return "Content-Length is not a number.";
		*sqlstate = "RO413";
		if (number > config.body_limit)
			return "The body is longer than this server takes.";
		request->content_length = (uint64_t) number;
		request->has_body = number > 0;
		conn->chunk_state = CHUNK_NONE;
		conn->body_rest = (uint64_t) number;
	}
	return NULL;
}

/* Makes a request of a complete head, its empty line included. */
static void
http1_head(Conn *conn, size_t length)
{
	Request    *request = conn->request = request_new(conn, 1);
	const char *line = conn->in.data;
	const char *end = conn->in.data + length;
	const char *sqlstate;
	const char *problem = NULL;
	const char *expect;
	bool		first = true;

	buffer_reserve(&request->head, length + 2 * HTTP_MAX_HEADERS);
	for (; problem == NULL; first = false)
	{
		const char *stop = memchr(line, '\r', (size_t) (end - line));

		if (stop == line)
			break;
		problem = stop[1] != '\n' ? (sqlstate = "RO400", "A line ends in a carriage return alone.") :
			first ? parse_request_line(request, line, stop, &sqlstate) :
			parse_header_line(request, line, stop, &sqlstate);
		line = stop + 2;
	}
	if (problem == NULL)
		problem = parse_framing(conn, request, &sqlstate);
	if (problem)
	{
		http1_fail(conn, sqlstate, problem);
		return;
	}
	buffer_remove(&conn->in, length);
	conn->scanned = 0;
	expect = request_header(request, "expect");
	if (expect && strcasecmp(expect, "100-continue") != 0)
		http1_fail(conn, "RO417", "The only expectation known here is 100-continue.");
	else if (request->has_body)
	{
		conn_enter(conn, CONN_BODY);
		if (expect && !request->http10 && conn->in.length == 0)
			buffer_append_text(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
	}
	else
	{
		conn_enter(conn, CONN_BUSY);
		request_run(request);
	}
}

/* Looks for the end of a head; returns whether it got any further. */
static bool
http1_scan_head(Conn *conn)
{
	Buffer	   *in = &conn->in;
	size_t		line;
	const char *feed;

	/* empty lines before a request are allowed, and of no use */
	while (conn->scanned == 0 && in->length >= 2 && in->data[0] == '\r' && in->data[1] == '\n')
		buffer_remove(in, 2);
	if (in->length == 0)
		return false;
	if (conn->state != CONN_HEAD)
		conn_enter(conn, CONN_HEAD);
	if (*in->data != '\r' && (*in->data < 'A' || *in->data > 'Z') && (*in->data < 'a' || *in->data > 'z'))
	{
		http1_fail(conn, "RO400", "This is not HTTP.");
		return true;
	}
	if (conn->tls == NULL && in->length >= 16 && memcmp(in->data, http2_preface, Min(in->length, sizeof(http2_preface) - 1)) == 0)
	{
		if (in->length < sizeof(http2_preface) - 1)
			return false;
		http2_start(conn);
		http2_receive(conn, in->data, in->length);
		in->length = 0;
		return false;
	}
	for (line = conn->scanned; (feed = memchr(in->data + line, '\n', in->length - line)) != NULL; line = conn->scanned)
	{
		size_t		at = (size_t) (feed - in->data);

		if (at == line || in->data[at - 1] != '\r')
		{
			http1_fail(conn, "RO400", "A line ends in a line feed alone.");
			return true;
		}
		conn->scanned = at + 1;
		if (conn->scanned > (size_t) config.header_limit)
			break;
		if (at == line + 1)
		{
			http1_head(conn, at + 1);
			return true;
		}
	}
	if (in->length > (size_t) config.header_limit)
	{
		bool		one_line = memchr(in->data, '\n', (size_t) config.header_limit) == NULL;

		http1_fail(conn, one_line ? "RO414" : "RO431",
				   one_line ? "The request line is too long." : "The headers are too long.");
		return true;
	}
	return false;
}

/* Moves what has come of the body to the request; returns false if it is too long. */
static bool
body_take(Conn *conn)
{
	Request    *request = conn->request;
	size_t		part = Min(conn->in.length, conn->body_rest);

	if (request->body.length + part > (size_t) config.body_limit)
	{
		http1_fail(conn, "RO413", "The body is longer than this server takes.");
		return false;
	}
	buffer_append(&request->body, conn->in.data, part);
	buffer_remove(&conn->in, part);
	conn->body_rest -= part;
	return true;
}

/* Takes the next line of the chunked framing out of the input; returns its length, -1 for not yet, -2 for malformed. */
static int
chunk_line(Conn *conn, char *line, size_t size)
{
	const char *feed = memchr(conn->in.data ? conn->in.data : "", '\n', conn->in.length);
	size_t		length;

	if (feed == NULL)
		return conn->in.length < size && (conn->chunk_state != CHUNK_END || conn->in.length == 0 ||
										  (conn->in.length == 1 && *conn->in.data == '\r')) ? -1 : -2;
	length = (size_t) (feed - conn->in.data);
	if (length == 0 || length >= size || feed[-1] != '\r')
		return -2;
	memcpy(line, conn->in.data, length - 1);
	line[length - 1] = '\0';
	buffer_remove(&conn->in, length + 1);
	return (int) length - 1;
}

/* Reads the size of a chunk: hexadecimal digits, perhaps with an extension behind them. */
static bool
chunk_size(const char *line, uint64_t *size)
{
	int			digits = 0;

	*size = 0;
	for (; digits < 8; digits++, line++)
	{
		int			digit = *line >= '0' && *line <= '9' ? *line - '0' :
		*line >= 'a' && *line <= 'f' ? *line - 'a' + 10 : *line >= 'A' && *line <= 'F' ? *line - 'A' + 10 : -1;

		if (digit < 0)
			break;
		*size = *size * 16 + (uint64_t) digit;
	}
	return digits > 0 && (*line == '\0' || *line == ';' || *line == ' ' || *line == '\t');
}

/* Reads a chunked body; returns whether it is complete. */
static bool
http1_chunks(Conn *conn)
{
	char		line[TRAILER_LIMIT];
	int			length;

	for (;;)
	{
		if (conn->chunk_state == CHUNK_DATA)
		{
			if (!body_take(conn) || conn->body_rest > 0)
				return false;
			conn->chunk_state = CHUNK_END;
		}
		length = chunk_line(conn, line, conn->chunk_state == CHUNK_TRAILER ? TRAILER_LIMIT : CHUNK_LINE_LIMIT);
		if (length == -1)
			return false;
		if (length < 0 || (conn->chunk_state == CHUNK_END && length > 0) ||
			(conn->chunk_state == CHUNK_SIZE && !chunk_size(line, &conn->body_rest)))
		{
			http1_fail(conn, "RO400", "The chunks of the body are malformed.");
			return false;
		}
		if (conn->chunk_state == CHUNK_TRAILER)
		{
			/*
			 * trailers are allowed, and of no use; they share the time limit
			 * of the body
			 */
			if (length == 0)
				return true;
		}
		else if (conn->chunk_state == CHUNK_END)
			conn->chunk_state = CHUNK_SIZE;
		else
			conn->chunk_state = conn->body_rest == 0 ? CHUNK_TRAILER : CHUNK_DATA;
	}
}

/* Reads on in a body; returns whether the request was run or refused. */
static bool
http1_body(Conn *conn)
{
	Request    *request = conn->request;

	if (conn->chunk_state != CHUNK_NONE ? !http1_chunks(conn) : !body_take(conn) || conn->body_rest > 0)
		return conn->request == NULL;
	conn_enter(conn, CONN_BUSY);
	request_run(request);
	return true;
}

/* Understands as much as possible of what has come. */
static void
http1_process(Conn *conn)
{
	bool		further = true;

	if (conn->processing)
		return;
	conn->processing = true;
	while (further && conn->http2 == NULL && !conn->close_after && conn->state != CONN_DEAD && conn->state != CONN_LINGER)
	{
		if (conn->state == CONN_BODY)
			further = http1_body(conn);
		else if (conn->request || conn->tail_length > 0 || conn->out.length >= OUT_ENOUGH)
			break;
		else
			further = http1_scan_head(conn);
	}
	conn->processing = false;
}

/* Takes bytes from the client. */
void
http1_receive(Conn *conn, const char *data, size_t length)
{
	buffer_append(&conn->in, data, length);
	http1_process(conn);
}

/* The output is written: wait for the next request, which may be here already. */
void
http1_next(Conn *conn)
{
	conn_enter(conn, CONN_IDLE);
	if (conn->in.length > 0)
		http1_process(conn);
	else if (request_is_draining())
		conn->close_after = true;
}

/* The head or the body did not come in time. */
void
http1_time_out(Conn *conn)
{
	http1_fail(conn, "RO408", conn->state == CONN_BODY ? "The body did not arrive in time." : "The headers did not arrive in time.");
}

/* Writes the answer of a request and gives that back. */
void
http1_answer(Request *request, bool lasting)
{
	Conn	   *conn = request->conn;
	Buffer	   *out = &conn->out;
	bool		keep_alive = request->keep_alive && !request_is_draining();

	buffer_reserve(out, 64 + request->answer_head.length + (lasting ? 0 : request->answer_length));
	buffer_append(out, "HTTP/1.1 ", 9);
	buffer_append_number(out, (uint64_t) request->status);
	buffer_append(out, " ", 1);
	buffer_append_text(out, http_reason(request->status));
	buffer_append(out, "\r\n", 2);
	buffer_append(out, request->answer_head.data, request->answer_head.length);
	if (!keep_alive)
		buffer_append_text(out, "connection: close\r\n");
	else if (request->http10)
		buffer_append_text(out, "connection: keep-alive\r\n");
	buffer_append(out, "\r\n", 2);
	if (lasting)
	{
		conn->tail = request->answer;
		conn->tail_length = request->answer_length;
	}
	else
		buffer_append(out, request->answer, request->answer_length);
	conn->close_after |= !keep_alive;
	conn->request = NULL;
	conn_enter(conn, CONN_WRITING);
	request_free(request);
	http1_process(conn);
	conn_settle(conn);
}
