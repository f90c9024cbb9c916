/*-------------------------------------------------------------------------
 *
 * stream.h
 *		What a row of the log says to clients.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_STREAM_H
#define ROOST_STREAM_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "feed/log.h"
#include "post/page.h"

/* The columns of roost.stream_read(); lists are texts with spaces between, empty or NULL for none */
typedef struct StreamEvent
{
	const char *event;			/* NULL: nothing for clients */
	bool		everyone;		/* none of the accounts that get it need be
								 * asked, unless it has muted words */
	bool		strangers;		/* who has no account may see it */
	bool		hard;
	bool		lost;
	bool		room;			/* told to the accounts of a room, who need
								 * not be asked */
	bool		is_told;		/* told says which they are, as far as it was
								 * asked for */
	bool		has_data;		/* data says what it looks like */
	char		follow;			/* '+', '-' or 0 */
	bool		filter;			/* what an account filters has changed */
	int64		home_id;
	int64		account_id;		/* gets it in home, whoever it follows; 0:
								 * none */
	int64		target_id;		/* gets it in notifications; 0: none */
	int64		revoked;
	StringInfoData topics;
	StringInfoData notify;
	StringInfoData touched;
	StringInfoData told;
	StringInfoData data;
} StreamEvent;

/* What is open while rows are read */
typedef struct StreamReader
{
	LogReader	log;
	RoostPage  *page;
	bool		rooms;			/* events of rooms say who is told */
	StreamEvent event;			/* the last one */
} StreamReader;

/* stream_event.c; all of it is done in one memory context */
extern void roost_stream_begin(StreamReader *reader);
extern void roost_stream_end(StreamReader *reader);
extern const StreamEvent *roost_stream_event(StreamReader *reader, const LogRow *row);
extern bool roost_stream_data(StreamReader *reader, const LogRow *row, StringInfo data);
extern void roost_stream_mailed(StreamReader *reader, int64 account_id, int64 seq, StringInfo list);
extern void roost_stream_word(StringInfo list, const char *prefix, int64 id);

/* stream_room.c: rows of rooms */
extern void roost_stream_room(StreamReader *reader, const LogRow *row, StreamEvent *event);
extern bool roost_stream_room_is_conversation(const LogRow *row);
extern bool roost_stream_room_told(const LogRow *row, int most, StreamEvent *event);
extern bool roost_stream_room_data(const LogRow *row, StringInfo data);
extern bool roost_stream_room_tells(const LogRow *row, int64 viewer_id);

/* stream_see.c */
extern void roost_stream_reach(StreamReader *reader, const LogRow *row, bool *everyone, bool *strangers);
extern bool roost_stream_may_see(StreamReader *reader, const LogRow *row, int64 viewer_id);
extern bool roost_stream_is_active(StreamReader *reader, int64 account_id);

/* Returns the data of notification:new, or NULL. */
extern char *roost_stream_notification(int64 account_id, int64 seq);

#endif							/* ROOST_STREAM_H */
