/*-------------------------------------------------------------------------
 *
 * message.h
 *		What a client asked: method, target, headers, body.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "http.h"

/* Where a header's name and value begin in Message.head; both end in NUL. */
typedef struct MessageHeader
{
	uint32_t	name;
	uint32_t	value;
} MessageHeader;

typedef struct Message
{
	bool		http10;
	bool		keep_alive;
	bool		has_body;
	Method		method;
	char		method_name[HTTP_MAX_METHOD + 1];
	Buffer		head;			/* path, query, names and values of headers */
	uint32_t	path;			/* where it begins in head */
	uint32_t	query_string;	/* 0: none */
	uint32_t	authority;		/* of a target "http://host/path"; 0: none */
	Buffer		body;
	int			header_count;
	MessageHeader headers[HTTP_MAX_HEADERS];
} Message;

extern void message_init(Message *message);
extern void message_reset(Message *message, size_t keep);
extern void message_free(Message *message);
extern void message_slim(Message *message);
extern uint32_t message_add_text(Message *message, const char *text, size_t length);
extern bool message_add_header(Message *message, const char *name, size_t name_length,
							   const char *value, size_t value_length);
extern const char *message_header(const Message *message, const char *name);
extern const char *message_path(const Message *message);
extern const char *message_query(const Message *message);
extern bool message_set_target(Message *message, const char *target, size_t length);

#endif							/* MESSAGE_H */
