/*-------------------------------------------------------------------------
 *
 * log.h
 *		Rows of the log and of mailboxes: what they are, and reading them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_FEED_LOG_H
#define ROOST_FEED_LOG_H

#include "postgres.h"

#include "access/genam.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/* roost.feed_kind, in its order */
typedef enum FeedKind
{
	FEED_POST_CREATED,
	FEED_POST_UPDATED,
	FEED_POST_DELETED,
	FEED_FOLLOW_CREATED,
	FEED_FOLLOW_DELETED,
	FEED_LIKE_CREATED,
	FEED_LIKE_DELETED,
	FEED_REQUEST_CREATED,
	FEED_REQUEST_DELETED,
	FEED_ACCOUNT_DELETED,
	FEED_EVENTS_LOST,
	FEED_ACCOUNT_UPDATED,
	FEED_SESSION_REVOKED,
	FEED_FILTER_CHANGED,
	FEED_POST_HIDDEN,
	FEED_POST_RELEASED,
	/* from here on: what is told to a room */
	FEED_MESSAGE_CREATED,
	FEED_MESSAGE_EDITED,
	FEED_MESSAGE_DELETED,
	FEED_MESSAGE_REACTED,
	FEED_MESSAGE_HIDDEN,
	FEED_MESSAGE_DELIVERED,
	FEED_MESSAGE_READ,
	FEED_CONVERSATION_CREATED,
	FEED_CONVERSATION_UPDATED,
	FEED_CONVERSATION_SETTINGS,
	FEED_CONVERSATION_CLEARED,
	FEED_MEMBER_ADDED,
	FEED_MEMBER_REMOVED,
	FEED_MEMBER_CHANGED,
	FEED_FRIEND_REQUESTED,
	FEED_FRIEND_REQUEST_CANCELLED,
	FEED_FRIEND_REQUEST_REJECTED,
	FEED_FRIEND_ACCEPTED,
	FEED_FRIEND_REMOVED,
	FEED_KEY_CHANGED,
	FEED_KEY_LOW,
	FEED_ENVELOPE_CREATED,
	FEED_NOTIFICATION_READ,
	FEED_KINDS
} FeedKind;

#define FEED_ROOM_KINDS		FEED_MESSAGE_CREATED	/* the first of them */

/* roost.mailbox_kind, in its order */
typedef enum MailKind
{
	MAIL_FOLLOW,
	MAIL_REQUEST,
	MAIL_LIKE,
	MAIL_RETWEET,
	MAIL_QUOTE,
	MAIL_REPLY,
	MAIL_MENTION,
	MAIL_FRIEND_REQUEST,
	MAIL_FRIEND_ACCEPTED,
	MAIL_KINDS
} MailKind;

/* The tables that have partitions */
typedef enum FeedTable
{
	FEED_TABLE_LOG,
	FEED_TABLE_MAILBOX,
	FEED_TABLES
} FeedTable;

/* Columns of roost_data.feed_log, from 0 */
enum
{
	LOG_SEQ,
	LOG_ID,
	LOG_ACCOUNT_ID,
	LOG_POST_ID,
	LOG_AUTHOR_ID,
	LOG_TARGET_ID,
	LOG_RETWEET_OF_ID,
	LOG_REPLY_TO_ACCOUNT_ID,
	LOG_CREATED_AT,
	LOG_KIND,
	LOG_ROOM_ID,
	LOG_CONVERSATION_ID,
	LOG_MESSAGE_ID,
	LOG_COLUMNS
};

/* Columns of roost_data.mailbox, from 0 */
enum
{
	BOX_ACCOUNT_ID,
	BOX_SEQ,
	BOX_ACTOR_ID,
	BOX_POST_ID,
	BOX_GROUP_ID,
	BOX_CREATED_AT,
	BOX_KIND,
	BOX_DAY,
	BOX_COLUMNS
};

/* A row of the log as it was written; 0 where there is nothing */
typedef struct LogRow
{
	FeedKind	kind;
	int64		seq;
	int64		id;
	int64		account_id;
	int64		post_id;
	int64		author_id;
	int64		target_id;
	int64		retweet_of_id;
	int64		reply_to_account_id;
	int64		room_id;
	int64		conversation_id;
	int64		message_id;
} LogRow;

/* How rows are found */
typedef enum LogOrder
{
	LOG_BY_SEQ,					/* of the log */
	LOG_BY_ACCOUNT,				/* of the log, what one account did */
	LOG_BY_ROOM,				/* of the log, what was told to one room */
	LOG_BY_MAILBOX,				/* of one mailbox; only the seq */
	LOG_ORDERS
} LogOrder;

/* A partition, and what is open of it */
typedef struct LogPart
{
	int64		from_seq;
	int64		to_seq;			/* not in it */
	Oid			relid;
	struct
	{
		Relation	table;
		Relation	index;
		IndexScanDesc scan;
		TupleTableSlot *slot;
	}			open[LOG_ORDERS];
} LogPart;

typedef struct LogReader
{
	Snapshot	snapshot;
	int64		end_seq;		/* the first row that is not to be read yet */
	struct
	{
		Relation	parent;
		int			num_parts;
		LogPart    *parts;		/* ascending */
	}			tables[FEED_TABLES];
	struct
	{
		int			part;
		bool		begun;		/* in that part */
		int64		owner_id;
		int64		after;
	}			at[LOG_ORDERS];
} LogReader;

extern const char *const roost_feed_kind_names[FEED_KINDS];
extern const char *const roost_mail_kind_names[MAIL_KINDS];

extern int64 roost_log_end_seq(void);

/*
 * Reads under the active snapshot, without asking who may see what.  All of it
 * is done in one memory context.
 */
extern void roost_log_begin(LogReader *reader);
extern void roost_log_end(LogReader *reader);

/* Goes to the rows after a seq (of an account or a room where the order wants one); then reads one after the other. */
extern void roost_log_seek(LogReader *reader, LogOrder order, int64 owner_id, int64 after);
extern bool roost_log_next(LogReader *reader, LogOrder order, LogRow *row);

/* Returns the last seq that the partition with a seq has room for, or the seq where none has it. */
extern int64 roost_log_part_end(const LogReader *reader, int64 seq);

/* Returns whether an account has an entry of that row in its mailbox. */
extern bool roost_log_is_mailed(LogReader *reader, int64 account_id, int64 seq);

#endif							/* ROOST_FEED_LOG_H */
