/*-------------------------------------------------------------------------
 *
 * read.h
 *		Look-ups by key in the tables that a post is put together from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_POST_READ_H
#define ROOST_POST_READ_H

#include "postgres.h"

#include "access/genam.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/* A table and the index by which it is read */
typedef enum PostLookup
{
	LOOKUP_POST,				/* (id) */
	LOOKUP_ACCOUNT,				/* (id) */
	LOOKUP_STAT,				/* (post_id) */
	LOOKUP_LIKE,				/* (account_id, post_id) */
	LOOKUP_RETWEET,				/* (author_id, retweet_of_id) */
	LOOKUP_BOOKMARK,			/* (account_id, post_id) */
	LOOKUP_FOLLOW,				/* (follower_id, followee_id) */
	LOOKUP_HANDLE,				/* (username) */
	LOOKUP_AUTHOR,				/* (author_id, id DESC), by the index alone */
	LOOKUP_FOLLOWEES,			/* (follower_id, id DESC), by the index alone */
	LOOKUP_ACCOUNT_STAT,		/* (account_id) */
	LOOKUP_FEED_STATE,			/* its only row */
	LOOKUP_FEED_TRACE,			/* (id) */
	LOOKUP_BLOCK,				/* (account_id, blocked_id) */
	LOOKUP_BLOCKED_BY,			/* (blocked_id, account_id) */
	LOOKUP_MUTE,				/* (account_id, muted_id) */
	LOOKUP_MUTED_BY,			/* (muted_id) */
	LOOKUP_MUTED_WORD,			/* (account_id), in the order of id */
	LOOKUP_MEMBER,				/* (account_id), of conversations */
	LOOKUP_CONVERSATION,		/* (id) */
	LOOKUP_MESSAGE,				/* (conversation_id, id) */
	LOOKUPS
} PostLookup;

/* Columns of roost_data.post */
typedef enum PostColumn
{
	POST_ID,
	POST_AUTHOR_ID,
	POST_THREAD_ID,
	POST_REPLY_TO_ID,
	POST_REPLY_TO_ACCOUNT_ID,
	POST_QUOTE_OF_ID,
	POST_RETWEET_OF_ID,
	POST_CREATED_AT,
	POST_EDITED_AT,
	POST_PINNED_AT,
	POST_VISIBILITY,
	POST_LANGUAGE,
	POST_TEXT,
	POST_CONTENT_WARNING,
	POST_MENTION_IDS,
	POST_HASHTAGS,
	POST_MENTIONS,
	POST_URLS,
	POST_MEDIA,
	POST_STATE,
	POST_LABELS,
	POST_COLUMNS
} PostColumn;

/* Columns of roost_data.account */
typedef enum AccountColumn
{
	ACCOUNT_ID,
	ACCOUNT_USERNAME,
	ACCOUNT_DISPLAY_NAME,
	ACCOUNT_AVATAR_URL,
	ACCOUNT_IS_PRIVATE,
	ACCOUNT_STATUS,
	ACCOUNT_LIMITED_AT,
	ACCOUNT_COLUMNS
} AccountColumn;

/* Columns of roost_data.post_stat */
typedef enum StatColumn
{
	STAT_LIKE_COUNT,
	STAT_RETWEET_COUNT,
	STAT_REPLY_COUNT,
	STAT_QUOTE_COUNT,
	STAT_COLUMNS
} StatColumn;

/* Columns of roost_data.account_mute */
typedef enum MuteColumn
{
	MUTE_MUTED_ID,
	MUTE_EXPIRES_AT
} MuteColumn;

/* Columns of roost_data.muted_word */
typedef enum WordColumn
{
	WORD_FOLDED,
	WORD_WHOLE,
	WORD_EXPIRES_AT
} WordColumn;

/* Columns of roost_data.conversation_member */
typedef enum MemberColumn
{
	MEMBER_CONVERSATION_ID,
	MEMBER_SINCE_ID,
	MEMBER_ARCHIVED_ID,
	MEMBER_MUTED,
	MEMBER_MUTED_UNTIL,
	MEMBER_PINNED_AT
} MemberColumn;

/* Columns of roost_data.conversation */
typedef enum ConversationColumn
{
	CONVERSATION_LAST_MESSAGE_ID,
	CONVERSATION_KIND,
	CONVERSATION_CREATED_BY
} ConversationColumn;

#define LOOKUP_COLUMNS_MAX	POST_COLUMNS

/* What is open for reading; everything is opened when it is first needed */
typedef struct PostReader
{
	Snapshot	snapshot;
	MemoryContext context;		/* of what is open */
	struct
	{
		Relation	table;
		Relation	index;
		IndexScanDesc scan;
		TupleTableSlot *slot;
		Buffer		visibility; /* page of the visibility map */
	}			open[LOOKUPS];
} PostReader;

extern void roost_post_reader_begin(PostReader *reader);
extern void roost_post_reader_end(PostReader *reader);
extern TupleTableSlot *roost_post_read(PostReader *reader, PostLookup what, int nkeys, int64 first, int64 second);
extern TupleTableSlot *roost_post_read_text(PostReader *reader, PostLookup what, text *key);
extern int64 roost_post_read_below(PostReader *reader, PostLookup what, int64 first, int64 second);
extern int	roost_post_read_marks(PostReader *reader, PostLookup what, int64 account_id, int64 *ids, int max);
extern TupleTableSlot *roost_post_read_from(PostReader *reader, PostLookup what, int64 first);
extern TupleTableSlot *roost_post_read_all(PostReader *reader, PostLookup what);
extern int64 roost_post_read_newest_follow(PostReader *reader, int64 follower_id);
extern TupleTableSlot *roost_post_read_next(PostReader *reader, PostLookup what);
extern void roost_post_read_range(PostReader *reader, int64 author_id, int64 before_id, int64 after_id);
extern bool roost_post_read_range_next(PostReader *reader, int64 *id, int64 *reply_to_account_id);
extern bool roost_post_read_range_raw(PostReader *reader, int64 *id);
extern int64 *roost_post_read_followees(PostReader *reader, int64 follower_id, int max, int64 *ids, int *count);
extern const AttrNumber *roost_post_columns(PostLookup what);
extern bool roost_post_is_there(PostLookup what);
extern uint32 roost_post_read_epoch(void);
extern char roost_post_enum_letter(Oid value);
extern int	roost_post_mentioned(Datum mention_ids, const int64 **ids);

extern void roost_post_read_init(void);

/*
 * Returns the value of a column that tables of an older version lack; there it
 * is null.
 */
static inline Datum
roost_post_later_value(TupleTableSlot *slot, AttrNumber column, bool *isnull)
{
	*isnull = true;
	return column == InvalidAttrNumber ? (Datum) 0 : slot_getattr(slot, column, isnull);
}

/* Returns the first letter of a post's state, from its column. */
static inline char
roost_post_state_letter(Datum state, bool isnull)
{
	return isnull ? 'v' : roost_post_enum_letter(DatumGetObjectId(state));
}

#endif							/* ROOST_POST_READ_H */
