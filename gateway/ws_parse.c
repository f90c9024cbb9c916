/*-------------------------------------------------------------------------
 *
 * ws_parse.c
 *		The bytes of WebSockets (RFC 6455), read strictly.
 *
 * Knows nothing of connections: ws_read() is called with what has come until
 * it says WS_MORE, and stops at every frame's head, message and control frame.
 * How the bytes were cut into packets makes no difference.  What is wrong is
 * told as soon as the byte is there that makes it wrong: the first bad byte of
 * UTF-8, the head of a frame that would make its message longer than allowed.
 * So no more memory is used than for the bytes that have come.
 *
 * Extensions are never agreed on, so the reserved bits must be zero.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/evp.h>

#include "ws_parse.h"

static const char accept_salt[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* Notes what is wrong. */
static WsResult
reader_fail(WsReader *reader, int code, const char *problem)
{
	reader->code = (uint16_t) code;
	reader->problem = problem;
	return WS_BAD;
}

/* Checks the first two bytes of a head, as soon as they are there; returns NULL, or what is wrong. */
static const char *
head_problem(const WsReader *reader)
{
	unsigned	first = reader->head[0];
	unsigned	opcode = first & 0x0f;

	if (first & 0x70)
		return "a reserved bit is set";
	if (opcode > WS_PONG || (opcode > WS_BINARY && opcode < WS_CLOSE))
		return "the opcode is reserved";
	if (opcode >= WS_CLOSE && !(first & 0x80))
		return "a control frame is fragmented";
	if (opcode == WS_CONTINUATION && reader->opcode == 0)
		return "nothing is there to continue";
	if ((opcode == WS_TEXT || opcode == WS_BINARY) && reader->opcode != 0)
		return "a message begins before the last one has ended";
	if (reader->head_length < 2)
		return NULL;
	if (!(reader->head[1] & 0x80))
		return "a frame is not masked";
	if (opcode >= WS_CLOSE && (reader->head[1] & 0x7f) > WS_CONTROL_MAX)
		return "a control frame is too long";
	return NULL;
}

/* Returns how long the head is that has begun; two bytes of it are there. */
static size_t
head_size(const WsReader *reader)
{
	unsigned	length = reader->head[1] & 0x7f;

	return 2 + (length == 127 ? 8 : length == 126 ? 2 : 0) + sizeof(reader->mask);
}

/* Understands a complete head. */
static WsResult
head_understand(WsReader *reader, size_t limit)
{
	unsigned	opcode = reader->head[0] & 0x0f;
	unsigned	length = reader->head[1] & 0x7f;
	size_t		bytes = length == 127 ? 8 : length == 126 ? 2 : 0;

	reader->rest = bytes ? 0 : length;
	for (size_t i = 0; i < bytes; i++)
		reader->rest = reader->rest << 8 | reader->head[2 + i];
	memcpy(reader->mask, reader->head + 2 + bytes, sizeof(reader->mask));
	if (reader->rest >> 63)
		return reader_fail(reader, 1002, "the length is negative");
	if (bytes && reader->rest <= (bytes == 8 ? UINT64_C(0xffff) : WS_CONTROL_MAX))
		return reader_fail(reader, 1002, "the length is not written in the shortest way");
	reader->final = reader->head[0] >> 7;
	reader->turn = 0;
	reader->control_opcode = 0;
	if (opcode >= WS_CLOSE)
	{
		reader->control_opcode = (uint8_t) opcode;
		reader->control_length = 0;
	}
	else if (reader->rest > limit || reader->message.length + reader->rest > limit)
		return reader_fail(reader, 1009, "the message is longer than allowed");
	else if (opcode != WS_CONTINUATION)
		reader->opcode = (uint8_t) opcode;
	reader->head_length = 0;
	reader->in_payload = true;
	return WS_FRAME;
}

/* Takes bytes of a head. */
static WsResult
read_head(WsReader *reader, size_t limit, const char **data, size_t *length)
{
	while (*length > 0)
	{
		const char *problem;

		reader->head[reader->head_length++] = (unsigned char) **data;
		(*data)++;
		(*length)--;
		if (reader->head_length > 2 && reader->head_length < head_size(reader))
			continue;
		problem = head_problem(reader);
		if (problem)
			return reader_fail(reader, 1002, problem);
		if (reader->head_length >= 2 && reader->head_length == head_size(reader))
			return head_understand(reader, limit);
	}
	return WS_MORE;
}

/* Reads on in a text; returns false at the first byte that cannot be UTF-8. */
static bool
utf8_read(WsReader *reader, const unsigned char *text, size_t length)
{
	const unsigned char *end = text + length;

	for (; text < end; text++)
	{
		unsigned char c = *text;

		if (reader->utf8_rest > 0)
		{
			if (c < reader->utf8_low || c > reader->utf8_high)
				return false;
			reader->utf8_rest--;
			reader->utf8_low = 0x80;
			reader->utf8_high = 0xbf;
			continue;
		}
		if (c < 0x80)
			continue;
		if (c < 0xc2 || c > 0xf4)
			return false;
		reader->utf8_rest = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		/* no long forms, no surrogates, nothing behind U+10FFFF */
		reader->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
		reader->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	}
	return true;
}

/* Copies payload without its mask. */
static void
unmask(WsReader *reader, char *into, const char *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		into[i] = (char) (from[i] ^ (char) reader->mask[(reader->turn + i) & 3]);
	reader->turn = (uint8_t) ((reader->turn + length) & 3);
}

/* Takes bytes of a payload. */
static WsResult
read_payload(WsReader *reader, const char **data, size_t *length)
{
	size_t		part = Min(*length, reader->rest);
	char	   *into;

	if (reader->control_opcode)
	{
		into = reader->control + reader->control_length;
		reader->control_length += (uint8_t) part;
	}
	else
	{
		buffer_reserve(&reader->message, part + 1);
		into = reader->message.data + reader->message.length;
		reader->message.length += part;
	}
	unmask(reader, into, *data, part);
	*data += part;
	*length -= part;
	reader->rest -= part;
	if (reader->control_opcode == 0 && reader->opcode == WS_TEXT &&
		!utf8_read(reader, (const unsigned char *) into, part))
		return reader_fail(reader, 1007, "a text is not UTF-8");
	if (reader->rest > 0)
		return WS_MORE;
	reader->in_payload = false;
	if (reader->control_opcode)
		return WS_CONTROL;
	if (!reader->final)
		return WS_FRAME;		/* never told: see ws_read() */
	if (reader->utf8_rest > 0)
		return reader_fail(reader, 1007, "a text ends in the middle of a character");
	return WS_MESSAGE;
}

/*
 * Reads on and moves *data and *length behind what is understood.  A message
 * may be at most that long.  After WS_MESSAGE the caller takes what it wants
 * and calls ws_next_message().
 */
WsResult
ws_read(WsReader *reader, size_t limit, const char **data, size_t *length)
{
	while (*length > 0 || (reader->in_payload && reader->rest == 0))
	{
		WsResult	result;

		if (!reader->in_payload)
			return read_head(reader, limit, data, length);
		result = read_payload(reader, data, length);
		if (result != WS_FRAME)
			return result;
	}
	return WS_MORE;
}

/* Forgets the message that is complete, and the memory of it. */
void
ws_next_message(WsReader *reader)
{
	buffer_free(&reader->message);
	reader->opcode = 0;
}

/*
 * Understands the close frame that has come: *code is 1005 if it says none.
 * Returns false if it is malformed.
 */
bool
ws_read_close(WsReader *reader, int *code)
{
	WsReader	reason = {0};
	const unsigned char *payload = (const unsigned char *) reader->control;

	*code = 1005;
	if (reader->control_length == 0)
		return true;
	if (reader->control_length == 1)
	{
		reader_fail(reader, 1002, "a close code is one byte long");
		return false;
	}
	*code = payload[0] << 8 | payload[1];
	if (*code < 1000 || *code > 4999 || (*code > 1014 && *code < 3000) || (*code >= 1004 && *code <= 1006))
	{
		reader_fail(reader, 1002, "the close code is not one to be sent");
		return false;
	}
	if (!utf8_read(&reason, payload + 2, reader->control_length - 2u) || reason.utf8_rest > 0)
	{
		reader_fail(reader, 1007, "the reason of a close is not UTF-8");
		return false;
	}
	return true;
}

/* Writes the head of a final frame of ours, which has no mask; returns its length. */
size_t
ws_frame_head(unsigned char head[WS_HEAD_MAX], WsOpcode opcode, size_t length)
{
	size_t		bytes = length > 0xffff ? 8 : length > WS_CONTROL_MAX ? 2 : 0;

	head[0] = (unsigned char) (0x80 | opcode);
	head[1] = (unsigned char) (bytes == 8 ? 127 : bytes == 2 ? 126 : length);
	for (size_t i = 0; i < bytes; i++)
		head[2 + i] = (unsigned char) ((uint64_t) length >> (8 * (bytes - 1 - i)));
	return 2 + bytes;
}

/* Makes the answer to a Sec-WebSocket-Key; returns false if that is not 16 bytes in base64. */
bool
ws_accept_key(const char *key, char accept[WS_ACCEPT_SIZE])
{
	unsigned char bytes[24];
	unsigned char digest[EVP_MAX_MD_SIZE];
	char		again[WS_ACCEPT_SIZE];
	char		salted[24 + sizeof(accept_salt)];

	if (strlen(key) != 24 || EVP_DecodeBlock(bytes, (const unsigned char *) key, 24) < 0)
		return false;
	/* only one way to write 16 bytes */
	EVP_EncodeBlock((unsigned char *) again, bytes, 16);
	if (strcmp(again, key) != 0)
		return false;
	memcpy(salted, key, 24);
	memcpy(salted + 24, accept_salt, sizeof(accept_salt));
	if (!EVP_Digest(salted, strlen(salted), digest, NULL, EVP_sha1(), NULL))
		return false;
	EVP_EncodeBlock((unsigned char *) accept, digest, 20);
	return true;
}
