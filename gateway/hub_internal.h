/*-------------------------------------------------------------------------
 *
 * hub_internal.h
 *		What the files of the hub share.
 *
 * hub.c			follows the log: position, reading
 * hub_batch.c		rows that are delivered together, and what is asked of them
 * hub_batch_deliver.c	who gets which of them
 * hub_row.c		the rows that were read last
 * hub_room.c		rows that are told to rooms
 * hub_channel.c	names of channels, cursors
 * hub_topic.c		who subscribes to what
 * hub_home.c		who of them follows whom
 * hub_filter.c		who of them must be asked about everything
 * hub_deliver.c	items, masks, frames: what is sent to whom
 * hub_signal.c		signals
 * hub_client.c		what owners of subscribers call
 * hub_session.c	revoked sessions
 * catchup.c		who gets what it missed before it is live
 *
 *-------------------------------------------------------------------------
 */
#ifndef HUB_INTERNAL_H
#define HUB_INTERNAL_H

#include "hub.h"
#include "map.h"
#include "pool.h"

#define HUB_FIRST_RETRY 0.1
#define HUB_LAST_RETRY 5.0
#define HUB_TRIES 20			/* until a row that cannot be delivered is
								 * given up */

/* Channels that are not topics of the log */
#define HUB_HOME 1
#define HUB_NOTIFICATIONS 2
#define HUB_PRESENCE 4
#define HUB_MESSAGES 8
#define HUB_FLAGS 4				/* how many there are */
#define HUB_HOMES (HUB_HOME | HUB_PRESENCE) /* these need to know whom the
											 * account follows */

typedef struct HubChannel
{
	char		name[HUB_CHANNEL_SIZE];
	uint8_t		flag;			/* 0: a topic */
} HubChannel;

/* A topic that has subscribers. */
typedef struct HubSlot
{
	Subscriber *subscriber;
	int			place;			/* index in its topics */
} HubSlot;

typedef struct HubTopic
{
	MapEntry	entry;
	HubSlot    *slots;			/* in no order */
	int			count;
	int			size;
	char		name[];
} HubTopic;

struct HubPlace
{
	HubTopic   *topic;
	int			slot;			/* index in its slots */
};

/* One end of "follows": the number of the other one, and the index of the edge there. */
typedef struct HubEdge
{
	uint32_t	other;
	uint32_t	place;
} HubEdge;

typedef struct HubEdges
{
	HubEdge    *list;			/* in no order */
	uint32_t	count;
	uint32_t	size;
} HubEdges;

/* Whom an account follows, while it has a subscriber that needs to know. */
typedef enum HomeState
{
	HOME_NONE,					/* nobody needs it; next: WAITING */
	HOME_WAITING,				/* to be asked for; next: ASKED, NONE */
	HOME_ASKED,					/* next: READY, WAITING, NONE */
	HOME_READY					/* kept up to date; next: NONE, WAITING */
} HomeState;

/* Whether an account that has subscribers has muted words; unless NONE, it is asked about everything. */
typedef enum FilterState
{
	FILTER_WAITING,				/* not known, to be asked for; next: ASKED */
	FILTER_ASKED,				/* next: NONE, SOME, WAITING */
	FILTER_NONE,				/* next: WAITING */
	FILTER_SOME					/* next: WAITING */
} FilterState;

/* An account that has subscribers. */
struct HubAccount
{
	MapEntry	entry;
	int64_t		id;
	List		subscribers;
	int			homes;			/* of them with home or presence */
	int			notifications;	/* of them with notifications */
	uint32_t	number;			/* for edges */
	uint64_t	batch;			/* that these two are about */
	uint64_t	asked;			/* bit i: it is asked about row i of the batch */
	uint64_t	visible;		/* bit i: may see row i of the batch */
	FilterState filter;
	ListNode	filter_node;	/* WAITING, ASKED */
	int64_t		filter_seq;		/* the last row that says that a filter has
								 * changed that concerns it */
	HomeState	home;
	ListNode	home_node;		/* WAITING: of those to be asked for */
	int64_t		home_seq;		/* READY: the position that was read */
	HubEdges	followees;
};

/* A row of the log; its texts lie behind it. */
typedef struct HubRow
{
	int64_t		seq;
	int64_t		home_id;		/* 0: nobody's */
	int64_t		revoked;		/* 0: nothing */
	bool		everyone;		/* no account need be asked, unless it has
								 * muted words */
	bool		strangers;		/* who has no account may see it */
	bool		hard;
	bool		lost;
	bool		room;			/* for those who are told, and nobody else;
								 * they need not be asked */
	bool		fresh;			/* what it says came with it */
	const char *event;			/* NULL: nothing for clients */
	const char *topics;			/* lists are "" if they are empty */
	const char *account_ids;
	const char *target_ids;
	const char *notify;
	const char *follow;
	const char *filter;			/* account, and whom it is about */
	const char *touched;
	char	   *told;			/* accounts; NULL: not known */
	char	   *data;			/* NULL: nobody wanted it, or there is none */
	size_t		told_length;
	size_t		data_length;
	size_t		size;			/* of all but told and data */
	char		texts[];
} HubRow;

/* Where the hub is. */
typedef struct HubState
{
	struct ev_loop *loop;
	int64_t		epoch;			/* 0: not known, nothing is read */
	int64_t		position;		/* delivered up to here */
	int64_t		front;			/* of the batch whose questions are asked;
								 * else position */
	int64_t		target;			/* as far as the log is known to go */
	uint64_t	batch;			/* number of the batch */
	int			subscribers;
	int			rooms;			/* of them with messages, and topics of rooms */
	int			notified;		/* of them with notifications */
	List		everybody;		/* Subscriber.node */
} HubState;

extern HubState hub;

/* Returns whether a subscriber gets a row that it may see; those that catch up have other ways. */
static inline bool
row_is_next(const HubRow *row, const Subscriber *subscriber)
{
	return subscriber->catching == NULL && subscriber->seen < row->seq;
}

/* Returns the bit of a row of the batch. */
static inline uint64_t
row_bit(const HubRow *row)
{
	return (uint64_t) 1 << (row->seq - hub.position - 1);
}

/* hub.c */
extern void hub_need(void);
extern void hub_ask_position(void);
extern void hub_break(void);
extern void hub_soon(void);
extern double hub_retry_pause(int tries);

/* hub_channel.c */
extern bool channel_parse(const char *text, HubChannel *channel);
extern const char *channel_flag_name(uint8_t flag);

/* hub_row.c: rows from rows_first() to rows_last() are in memory */
extern HubRow *row_make(const PGresult *result, int line);
extern void rows_add(HubRow *row);
extern void row_set_data(HubRow *row, const char *data, size_t length);
extern void row_set_told(HubRow *row, const char *told, size_t length);
extern void row_drop_data(HubRow *row);
extern void row_free(HubRow *row);
extern void rows_clear(int64_t last);
extern HubRow *rows_get(int64_t seq);
extern const char *row_own_channel(const HubRow *row);
extern int64_t rows_first(void);
extern int64_t rows_last(void);
extern bool id_next(const char **list, int64_t *id);
extern int	id_compare(const void *left, const void *right);
extern bool id_is_in(const char *list, int64_t wanted);
extern const char *word_next(const char **list, size_t *length);

/* hub_room.c */
extern void room_count(const char *topic, int change);
extern bool room_wants(const HubRow *row, const Subscriber *subscriber);
extern bool room_is_wanted(const HubRow *row);
extern void room_each(const HubRow *row, void (*called) (const HubRow *row, Subscriber *subscriber, void *argument), void *argument);

/* hub_topic.c */
extern HubTopic *topic_find(const char *name, size_t length);
extern bool topic_has(const Subscriber *subscriber, const HubTopic *topic);
extern void topic_enter(Subscriber *subscriber, const char *name);
extern void topic_leave(Subscriber *subscriber, const char *name);
extern void topic_leave_all(Subscriber *subscriber);
extern HubAccount *account_find(int64_t id);
extern void account_enter(Subscriber *subscriber);
extern void account_leave(Subscriber *subscriber);
extern void account_each(void (*called) (HubAccount *account));

/* hub_home.c */
extern void home_need(HubAccount *account);
extern void home_release(HubAccount *account);
extern bool home_is_missing(const Subscriber *subscriber);
extern void home_each_missing(void (*called) (HubAccount *account, void *argument), void *argument);
extern void home_run(void);
extern bool home_concerns(const HubRow *row);
extern bool home_may_change(const HubRow *row, int64_t account_id);
extern void home_apply(const HubRow *row);
extern void home_forget_all(void);
extern const HubEdges *home_followers(int64_t author_id);
extern HubAccount *home_account(const HubEdge *edge);
extern bool home_follows(const HubAccount *account, int64_t author_id);
extern void home_start(void);

/* hub_filter.c */
extern void filter_enter(HubAccount *account);
extern void filter_leave(HubAccount *account);
extern void filter_note(const HubRow *row);
extern bool filter_asks(const HubAccount *account);
extern bool filter_any(void);
extern void filter_forget_all(void);
extern void filter_run(void);
extern void filter_start(void);

/* hub_batch.c */
extern bool batch_try(void);
extern void batch_drop(void);
extern void batch_start(void);

/* hub_batch_deliver.c */
extern void notice_add(int64_t seq, int64_t account_id, const char *data, size_t length);
extern void notices_clear(void);
extern void batch_deliver(void);

/* hub_deliver.c */
typedef void (*TurnHandler) (Subscriber *subscriber);
extern void turn_add(Subscriber *subscriber);
extern void turn_call(TurnHandler handler);
extern void turn_forget(Subscriber *subscriber);
extern uint64_t deliver_item(HubBatch *batch, int64_t seq, int part, const char *event, const char *own, const char *topics,
							 const char *data, size_t length);
extern void deliver_mark(Subscriber *subscriber, uint64_t item, bool own);
extern void deliver_send(HubBatch *batch, int64_t seq);
extern void deliver_signal(const char *event, const char *data, size_t length);
extern void deliver_send_to(HubBatch *batch, Cursor cursor, uint64_t own, Subscriber *subscriber);

/* catchup.c */
extern void catchup_begin(Subscriber *subscriber, int64_t seen);
extern void catchup_resume(Subscriber *subscriber, Cursor from);
extern void catchup_change(Subscriber *subscriber);
extern void catchup_home(Subscriber *subscriber);
extern void catchup_end(Subscriber *subscriber);
extern Cursor catchup_cursor(const Subscriber *subscriber);
extern bool catchup_has_begun(const Subscriber *subscriber);
extern void catchup_positioned(void);
extern bool catchup_survives_reset(const Subscriber *subscriber);
extern void catchup_restart(Subscriber *subscriber);
extern void catchup_settle(void);
extern void catchup_run(void);
extern void catchup_start(void);

/* hub_session.c */
extern void session_revoke(int64_t *ids, int count);
extern void session_enter(const Subscriber *subscriber);
extern void session_check(void);
extern void session_run(void);

#endif							/* HUB_INTERNAL_H */
