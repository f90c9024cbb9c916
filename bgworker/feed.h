/*-------------------------------------------------------------------------
 *
 * feed.h
 *		Rows of the log and entries of mailboxes on their way into the tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_WORKER_FEED_H
#define ROOST_WORKER_FEED_H

#include "core/event.h"
#include "feed/log.h"
#include "lib/stringinfo.h"
#include "utils/snapshot.h"

/* A row of roost_data.feed_log; 0 where there is nothing */
typedef struct FeedRow
{
	FeedKind	kind;
	bool		again;			/* its entries may be there */
	bool		refers;			/* the post quotes or mentions, or may do so */
	bool		held;			/* the post was held when it was made */
	bool		undone;			/* what undoes it was logged already */
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
} FeedRow;

/* A row of roost_data.mailbox */
typedef struct MailRow
{
	MailKind	kind;
	int64		account_id;
	int64		seq;
	int64		actor_id;
	int64		post_id;
	int64		group_id;		/* what it is told together with, or 0 */
} MailRow;

#define FEED_DAY_US			(INT64CONST(86400) * USECS_PER_SEC)

typedef struct FeedPartition
{
	int64		from_seq;
	int64		to_seq;			/* not in it */
	Oid			relid;
	Oid			actor_index;	/* of a mailbox */
} FeedPartition;

/* feed_partition.c: the partitions, and where days begin */
extern void roost_feed_partition_load(void);
extern const char *roost_feed_partition_parent(FeedTable table);
extern const FeedPartition *roost_feed_partition_last(FeedTable table);
extern const FeedPartition *roost_feed_partition_of(FeedTable table, int64 seq);
extern const FeedPartition *roost_feed_partition_since(FeedTable table, int64 seq);
extern const FeedPartition *roost_feed_partition_next(FeedTable table, const FeedPartition *partition);
extern void roost_feed_partition_add(FeedTable table, int64 seq, int64 count);
extern void roost_feed_day_begin(int64 seq, int64 now_us);
extern int64 roost_feed_day_since(int64 id);

/* feed_table.c: what is written to the tables */
extern void roost_feed_table_load(void);
extern void roost_feed_table_log(const FeedRow *rows, int count, int64 now_us);
extern void roost_feed_table_mail(const MailRow *rows, int count, int64 now_us);
extern int	roost_feed_table_find(int64 actor_id, int64 post_id, MailRow **rows);
extern void roost_feed_table_withdraw(const MailRow *like, int64 from_seq, int64 before_seq, bool once);
extern void roost_feed_table_leave(int64 account_id);
extern int	roost_feed_kind_of(const char *name);

/* feed.c: how the log stands; false while it is to be completed */
extern bool roost_feed_position(int64 *seq, int64 *horizon);
extern void roost_feed_keep_from(int64 first, int64 since);

/* feed_event.c: rows of events */
extern bool roost_feed_row(const RoostEvent *event, FeedRow *row);

/* feed_late.c: what was changed or undone, and may be created only now */
extern void roost_feed_late_begin(void);
extern bool roost_feed_is_late(FeedRow *row, int64 horizon);
extern void roost_feed_late_forget(int64 horizon);

/* feed_complete.c: what the tables have and the log lacks */
typedef void (*FeedWriter) (FeedRow *rows, int count);
extern bool roost_feed_is_ready(void);
extern void roost_feed_add_missing(int64 since, int64 horizon, int64 horizon_seq, FeedWriter write);
extern void roost_feed_see(Snapshot snapshot);
extern bool roost_feed_is_seen(uint64 xid);

/* feed_mail.c: whom rows concern */
extern void roost_feed_mail_forget(void);
extern void roost_feed_mail(FeedRow *rows, int count, int64 since, int64 now_us, StringInfo doorbell);

#endif							/* ROOST_WORKER_FEED_H */
