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
} StreamEvent;

/* What is open while rows are read */
typedef struct StreamReader
{
	LogReader	log;
	RoostPage  *page;
	StreamEvent event;			/* the last one */
} StreamReader;

/* stream_event.c; all of it is done in one memory context */
extern void roost_stream_begin(StreamReader *reader);
extern void roost_stream_end(StreamReader *reader);
extern const StreamEvent *roost_stream_event(StreamReader *reader, const LogRow *row);
extern bool roost_stream_data(StreamReader *reader, const LogRow *row, StringInfo data);

/* stream_see.c */
extern void roost_stream_reach(StreamReader *reader, const LogRow *row, bool *everyone, bool *strangers);
extern bool roost_stream_may_see(StreamReader *reader, const LogRow *row, int64 viewer_id);
extern bool roost_stream_is_active(StreamReader *reader, int64 account_id);

/* Returns the data of notification:new, or NULL. */
extern char *roost_stream_notification(int64 account_id, int64 seq);

#endif							/* ROOST_STREAM_H */
