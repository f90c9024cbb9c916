/*-------------------------------------------------------------------------
 *
 * message.c
 *		What a client asked: method, target, headers, body.
 *
 * The texts of a head lie one behind the other in one buffer, each with a NUL
 * behind it; what refers to them is an offset, since the buffer moves when it
 * grows.  Offset 0 is an empty text, so that 0 can mean "none".  Both versions
 * of HTTP fill a Message, after checking their limits.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <strings.h>

#include "message.h"

/* Makes an empty message of one whose buffers are empty. */
void
message_init(Message *message)
{
	message_add_text(message, "", 0);
}

/* Empties a message; buffers that have at most that much memory are kept for the next one. */
void
message_reset(Message *message, size_t keep)
{
	Buffer		head = message->head;
	Buffer		body = message->body;

	buffer_trim(&head, keep);
	buffer_trim(&body, keep);
	/* the list of headers needs no clearing: header_count says what counts */
	memset(message, 0, offsetof(Message, headers));
	message->head = head;
	message->body = body;
}

/* Gives the memory of a message back. */
void
message_free(Message *message)
{
	buffer_free(&message->head);
	buffer_free(&message->body);
}

/* Keeps nothing but method and path. */
void
message_slim(Message *message)
{
	Buffer		old = message->head;
	const char *path = message_path(message);

	memset(&message->head, 0, sizeof(message->head));
	buffer_reserve(&message->head, strlen(path) + 2);
	message_init(message);
	message->path = message_add_text(message, path, strlen(path));
	message->query_string = message->authority = 0;
	message->header_count = 0;
	buffer_free(&old);
	buffer_free(&message->body);
}

/* Keeps a text with the head; returns where. */
uint32_t
message_add_text(Message *message, const char *text, size_t length)
{
	uint32_t	at = (uint32_t) message->head.length;

	buffer_append(&message->head, text, length);
	buffer_append(&message->head, "", 1);
	return at;
}

/* Adds a header, with its name in lower case; returns false if there are too many. */
bool
message_add_header(Message *message, const char *name, size_t name_length,
				   const char *value, size_t value_length)
{
	MessageHeader *header;

	if (message->header_count == HTTP_MAX_HEADERS)
		return false;
	header = &message->headers[message->header_count++];
	header->name = message_add_text(message, name, name_length);
	for (char *c = message->head.data + header->name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char) (*c | 0x20);
	header->value = message_add_text(message, value, value_length);
	return true;
}

/* Returns the first header of that name (in lower case), or NULL. */
const char *
message_header(const Message *message, const char *name)
{
	for (int i = 0; i < message->header_count; i++)
		if (strcmp(message->head.data + message->headers[i].name, name) == 0)
			return message->head.data + message->headers[i].value;
	return NULL;
}

/* Returns the path, as it was sent. */
const char *
message_path(const Message *message)
{
	return message->path ? message->head.data + message->path : "";
}

/* Returns what stands behind the first "?" of the target, or NULL. */
const char *
message_query(const Message *message)
{
	return message->query_string ? message->head.data + message->query_string : NULL;
}

/*
 * Takes the target of the request line: "/path?query", the same behind
 * "http://host", or "*".  Returns false for anything else.
 */
bool
message_set_target(Message *message, const char *target, size_t length)
{
	const char *end = target + length;
	const char *mark;
	size_t		scheme = length > 7 && strncasecmp(target, "http://", 7) == 0 ? 7 :
	length > 8 && strncasecmp(target, "https://", 8) == 0 ? 8 : 0;

	for (const char *c = target; c < end; c++)
		if ((unsigned char) *c <= 0x20 || *c == 0x7f || *c == '#')
			return false;
	if (scheme > 0)
	{
		const char *authority = target + scheme;

		for (target = authority; target < end && *target != '/' && *target != '?';)
			target++;
		if (target == authority)
			return false;
		message->authority = message_add_text(message, authority, (size_t) (target - authority));
	}
	else if (length == 0 || (*target != '/' && !(length == 1 && *target == '*')))
		return false;
	mark = target < end ? memchr(target, '?', (size_t) (end - target)) : NULL;
	/* behind a host the path may be missing */
	message->path = target == end || target == mark ? message_add_text(message, "/", 1) :
		message_add_text(message, target, (size_t) ((mark ? mark : end) - target));
	if (mark)
		message->query_string = message_add_text(message, mark + 1, (size_t) (end - mark - 1));
	return true;
}
