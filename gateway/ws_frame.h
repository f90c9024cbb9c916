/*-------------------------------------------------------------------------
 *
 * ws_frame.h
 *		What a text of roost.v1 says, without a connection.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WS_FRAME_H
#define WS_FRAME_H

#include <jansson.h>

#include "util.h"

/* The members that a frame may have. */
typedef enum FrameMember
{
	FRAME_TYPE,
	FRAME_ID,
	FRAME_TOKEN,
	FRAME_CHANNELS,
	FRAME_CURSOR,
	FRAME_METHOD,
	FRAME_PATH,
	FRAME_HEADERS,
	FRAME_BODY,
	FRAME_EVENT,
	FRAME_CHANNEL,
	FRAME_DATA,
	FRAME_TO,
	FRAME_MEMBERS
} FrameMember;

/* A piece of the frame's text; data is NULL if it is not there. */
typedef struct FrameText
{
	const char *data;
	size_t		length;
} FrameText;

typedef struct Frame
{
	FrameText	members[FRAME_MEMBERS];
	const char *sqlstate;		/* what is wrong with it */
	const char *problem;
} Frame;

extern bool frame_read(const char *text, size_t length, Frame *frame);
extern bool frame_only(Frame *frame, unsigned allowed);
extern json_t *frame_json(const Frame *frame, FrameMember member);
extern char *frame_string(const Frame *frame, FrameMember member);

#define FRAME_HAS(member) (1u << (member))

#endif							/* WS_FRAME_H */
