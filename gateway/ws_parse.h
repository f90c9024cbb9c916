/*-------------------------------------------------------------------------
 *
 * ws_parse.h
 *		The bytes of WebSockets (RFC 6455), without connections.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WS_PARSE_H
#define WS_PARSE_H

#include "util.h"

#define WS_CONTROL_MAX 125		/* longest payload of a control frame */
#define WS_HEAD_MAX 10			/* of frames that we send */
#define WS_ACCEPT_SIZE 29		/* of a Sec-WebSocket-Accept, with its NUL */

typedef enum WsOpcode
{
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10
} WsOpcode;

typedef enum WsResult
{
	WS_MORE,					/* all bytes are understood */
	WS_FRAME,					/* a frame begins; to be counted */
	WS_MESSAGE,					/* `message` is complete, of kind `opcode` */
	WS_CONTROL,					/* `control` is complete, of kind
								 * `control_opcode` */
	WS_BAD						/* code and problem say why; nothing more can
								 * be read */
} WsResult;

/* Starts as zeros. */
typedef struct WsReader
{
	uint64_t	rest;			/* of the frame's payload */
	Buffer		message;		/* what has come of it */
	const char *problem;
	uint16_t	code;			/* to close with */
	uint8_t		head_length;	/* what has come of a frame's head */
	uint8_t		in_payload;
	uint8_t		final;			/* the last frame of its message */
	uint8_t		opcode;			/* of the message; 0: none has begun */
	uint8_t		control_opcode; /* of the frame; 0: it is not one */
	uint8_t		control_length;
	uint8_t		turn;			/* which byte of the mask is next */
	uint8_t		utf8_rest;		/* bytes of a character to come */
	uint8_t		utf8_low;		/* between which the next of them must be */
	uint8_t		utf8_high;
	unsigned char mask[4];
	unsigned char head[14];
	char		control[WS_CONTROL_MAX];
} WsReader;

extern WsResult ws_read(WsReader *reader, size_t limit, const char **data, size_t *length);
extern bool ws_read_close(WsReader *reader, int *code);
extern void ws_next_message(WsReader *reader);
extern size_t ws_frame_head(unsigned char head[WS_HEAD_MAX], WsOpcode opcode, size_t length);
extern bool ws_accept_key(const char *key, char accept[WS_ACCEPT_SIZE]);

#endif							/* WS_PARSE_H */
