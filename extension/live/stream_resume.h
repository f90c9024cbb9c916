/*-------------------------------------------------------------------------
 *
 * stream_resume.h
 *		What somebody has missed: between finding rows and looking at them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_STREAM_RESUME_H
#define ROOST_STREAM_RESUME_H

#include "postgres.h"

#include "funcapi.h"
#include "utils/hsearch.h"

#include "live/stream.h"

#define RESUME_COST_SOURCE	8	/* to look for an account in an index, in rows
								 * of the log */
#define RESUME_COST_LOOK	8	/* to look at a row more closely */
#define RESUME_COST_EVENT	20	/* to make an event */

/* A follow or its end */
typedef struct Toggle
{
	int64		seq;
	int64		account_id;
	bool		followed;
} Toggle;

/* What is known of an account */
typedef struct Source
{
	int64		account_id;
	bool		wanted;			/* its acts may be: it is one of the below at
								 * times, or oneself */
	bool		followed;		/* at the present row */
	bool		channel;		/* user:<id> */
} Source;

/* A conversation that the account is a member of */
typedef struct Room
{
	int64		id;
	int64		since_id;		/* what was before this id is not for it */
} Room;

typedef struct Resume
{
	StreamReader reader;
	ReturnSetInfo *info;
	StringInfoData data;

	/* the channels */
	int64		account_id;		/* 0: nobody */
	bool		home;
	bool		notifications;
	bool		messages;
	bool		public;
	bool		hashtags;
	int64	   *post_ids;
	int			num_posts;
	text	  **channels;
	int			num_channels;
	int64	   *conversation_ids;	/* conversation:<id> */
	int			num_conversations;
	HTAB	   *sources;		/* Source, by account_id */
	Room	   *rooms;			/* those of the channels, ascending */
	int			num_rooms;
	bool		many;			/* not all that are followed are there */

	Toggle	   *toggles;
	int			num_toggles;
	int			next_toggle;

	/* the rows that are looked at more closely; in the order of seq at last */
	LogRow	   *rows;
	int			num_rows;
	int			limit;

	int64		seq;			/* everything up to it is covered */
	int64		last_seq;
	int64		budget;
	int			count;			/* of events that were found */
} Resume;

/* stream_find.c */
extern Source *roost_resume_source(Resume *resume, int64 account_id);
extern const Source *roost_resume_known(Resume *resume, int64 account_id);
extern int64 roost_resume_find(Resume *resume);

/* stream_resume_room.c */
extern void roost_resume_rooms(Resume *resume);
extern bool roost_resume_room(const Resume *resume, const LogRow *row);

#endif							/* ROOST_STREAM_RESUME_H */
