/*-------------------------------------------------------------------------
 *
 * hub.h
 *		Events on their way from the log to the clients of this process.
 *
 * See docs/live.md.  A Subscriber is embedded in what a client has: a
 * WebSocket, a stream of server-sent events, a long poll.  Its owner fills in
 * the fields of the first group, calls hub_enter() once and hub_leave() at the
 * end; in between the hub calls the functions of its kind, from the event
 * loop, never from within a call of the owner into the hub.  These may call
 * hub_leave().
 *
 *-------------------------------------------------------------------------
 */
#ifndef HUB_H
#define HUB_H

#include <ev.h>

#include "util.h"

#define HUB_BATCH 64
#define HUB_CHANNELS 100
#define HUB_CHANNEL_SIZE 128	/* longest name, with its NUL */
#define HUB_CURSOR_SIZE 48

/* A position in the log: everything up to row seq */
typedef struct Cursor
{
	int64_t		epoch;
	int64_t		seq;
} Cursor;

/* One event; what it points to belongs to the batch. */
typedef struct HubItem
{
	int64_t		seq;
	int			part;			/* id is seq.part */
	const char *event;
	const char *own;			/* the channel that some who get it have it in
								 * besides: home, messages */
	const char *channels;		/* a JSON list's inside: "user:5","public";
								 * without own */
	size_t		channels_length;
	const char *data;			/* a JSON object */
	size_t		data_length;
} HubItem;

/* Events that came together. */
typedef struct HubBatch
{
	Cursor		cursor;			/* after all of them */
	int			count;
	HubItem		items[HUB_BATCH];
} HubBatch;

/* Bytes that several subscribers get. */
typedef struct HubFrame
{
	int			references;
	size_t		length;
	int			events;			/* that they hold */
	char		data[];
} HubFrame;

typedef struct Subscriber Subscriber;

/* How a subscriber is connected, for the metrics. */
typedef enum HubTransport
{
	HUB_WEBSOCKET,
	HUB_EVENT_STREAM,
	HUB_LONG_POLL,
	HUB_TRANSPORTS
} HubTransport;

typedef struct SubscriberKind
{
	HubTransport transport;

	/*
	 * Makes the bytes for the items that `mask` names (bit i: items[i]);
	 * those in `own` have the channel items[i].own as well.  Called once for
	 * all subscribers of a kind that get the same.
	 */
	void		(*render) (const HubBatch *batch, uint64_t mask, uint64_t own, Buffer *into);
	/* Sends them; they are kept only if hub_frame_keep() is called. */
	void		(*send) (Subscriber *subscriber, HubFrame *frame);
	/* Makes the bytes of a signal, {"event", "data"}. */
	void		(*render_signal) (const char *event, const char *data, size_t length, Buffer *into);

	/*
	 * hub_subscribe() could not say from where on, because the hub did not
	 * know yet how far the log is (nobody needed it before, or the database
	 * cannot be reached): now it does, and no event came before this call.
	 */
	void		(*begun) (Subscriber *subscriber, Cursor now);
	/* hub_resume() has been looked into; before what was missed. */
	void		(*resumed) (Subscriber *subscriber, bool recovered, Cursor cursor);
	/* The log does not go on: what was missed is not known. */
	void		(*reset) (Subscriber *subscriber, Cursor cursor);
	/* The session is revoked or the account gone. */
	void		(*revoked) (Subscriber *subscriber);

	/*
	 * Catching up failed (the database cannot be reached); the client should
	 * come again.
	 */
	void		(*failed) (Subscriber *subscriber);
} SubscriberKind;

typedef struct HubAccount HubAccount;
typedef struct HubPlace HubPlace;

struct Subscriber
{
	/* the owner's */
	const SubscriberKind *kind;
	int64_t		account_id;		/* 0: nobody */
	int64_t		session_id;

	/* the hub's */
	ListNode	node;			/* of all subscribers */
	ListNode	account_node;	/* of those of the account */
	HubAccount *account;
	struct HubCatchUp *catching;	/* NULL: live, or without channels */
	int64_t		seen;			/* has everything up to this row */
	uint8_t		flags;			/* home, notifications, presence, messages */
	uint8_t		topic_count;
	int			turn;			/* place among those that get something now */
	HubPlace   *topics;			/* its places in the lists of topics */
	uint64_t	mask;			/* in the present batch */
	uint64_t	own;
};

extern void hub_start(struct ev_loop *loop);
extern void hub_stop(void);
extern void hub_tick(void);

/* Enters and leaves; a subscriber without channels gets signals to nobody and revocations only. */
extern void hub_enter(Subscriber *subscriber);
extern void hub_leave(Subscriber *subscriber);

/* The owner has another token of the same account. */
extern void hub_set_session(Subscriber *subscriber, int64_t session_id);

/* The owner has said who it is (it was nobody). */
extern void hub_set_account(Subscriber *subscriber, int64_t account_id, int64_t session_id);

/* What may be wrong with a list of channels. */
typedef enum HubProblem
{
	HUB_OK,
	HUB_UNKNOWN_CHANNEL,		/* 422 */
	HUB_TOO_MANY,				/* 422 */
	HUB_NEEDS_TOKEN,			/* 401 */
	HUB_NOT_FRESH				/* 409: resume after subscribe */
} HubProblem;

/*
 * Adds and removes channels.  hub_subscribe() begins with what happens from
 * now on, whose cursor it returns; if its epoch is 0, `begun` tells it later.
 * hub_resume() calls `resumed` later.  If there is a problem, nothing has
 * changed.
 */
extern HubProblem hub_subscribe(Subscriber *subscriber, const char *const *channels, int count, Cursor *now);
extern HubProblem hub_resume(Subscriber *subscriber, const char *const *channels, int count, Cursor from);
extern void hub_unsubscribe(Subscriber *subscriber, const char *const *channels, int count);

/* Appends the list of channels, with its brackets. */
extern void hub_channels(const Subscriber *subscriber, Buffer *json);
extern bool hub_has_channels(const Subscriber *subscriber);

/* How far the hub is, and how far a subscriber is; epoch 0 when that is not known yet. */
extern Cursor hub_position(void);
extern Cursor hub_cursor(const Subscriber *subscriber);
extern bool cursor_parse(const char *text, Cursor *cursor);
extern void cursor_format(Cursor cursor, char text[HUB_CURSOR_SIZE]);

/*
 * Signals, from signals.c: of an account in a channel, or (channel NULL) its
 * presence, which goes to channel presence of those who follow it and to
 * user:<account_id>; never to the account itself.  hub_signal_viewers()
 * appends the accounts of those who would get it, as int64_t, ascending, each
 * once, 0 for those without one.  hub_signal() sends it to those of them that
 * are in the list of viewers, and to each subscriber once.
 */
extern void hub_signal_viewers(int64_t account_id, const char *channel, Buffer *viewers);

/* The same for its presence, of those of whom the hub does not know yet whom they follow. */
extern void hub_signal_doubtful(int64_t account_id, Buffer *viewers);
extern void hub_signal(int64_t account_id, const char *channel, const int64_t *viewers, int count,
					   const char *event, const char *data, size_t length);

/* Sends a signal to those with messages of some accounts (ids with spaces between), but not to those with the session. */
extern void hub_call(const char *told, int64_t session_id, const char *event, const char *data, size_t length);

/* Returns whether somebody may have messages. */
extern bool hub_has_messages(void);

/*
 * An account has its first subscriber of this process, or has lost its last
 * one (presence.c).  The handler must not call into the hub.
 */
typedef void (*HubAccountHandler) (int64_t account_id, bool present);
extern void hub_watch_accounts(HubAccountHandler handler);

/* Calls the handler for every account that has one. */
extern void hub_each_account(HubAccountHandler handler);

/* Appends an event as JSON: {"id", "event", "channels", "data"}. */
extern void hub_item_json(const HubItem *item, bool own, Buffer *into);

extern HubFrame *hub_frame_keep(HubFrame *frame);
extern void hub_frame_release(HubFrame *frame);

/* Follow the log even without subscribers, and tell what changes (cache.c). */
typedef struct HubChange
{
	int64_t		seq;
	const char *touched;		/* ids with spaces between */
	bool		hard;			/* not only a counter */
	bool		new_post;		/* lists may have one more */
} HubChange;

/*
 * Rows in order, each as soon as it has been read, before hub_position() is
 * past it.  NULL: anything may have changed, up to the next row that is told,
 * or else to hub_position().
 */
typedef void (*HubChangeHandler) (const HubChange *change);
extern void hub_watch(HubChangeHandler handler);

/*
 * When hub_position() was the end of the log for the last time: the time
 * (ev_time) at which the question was sent whose answer says so; 0: never.
 */
extern double hub_confirmed(void);

#endif							/* HUB_H */
