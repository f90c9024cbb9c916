/*-------------------------------------------------------------------------
 *
 * event.h
 *		What has happened: the fixed-size record that row triggers append and
 *		that reaches its handler when the transaction has committed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_EVENT_H
#define ROOST_EVENT_H

/* Every kind of event: symbol and the name used in triggers and statistics. */
#define ROOST_EVENT_LIST(X) \
	X(POST_CREATED, "post_created") \
	X(POST_UPDATED, "post_updated") \
	X(POST_DELETED, "post_deleted") \
	X(FOLLOW_CREATED, "follow_created") \
	X(FOLLOW_DELETED, "follow_deleted") \
	X(LIKE_CREATED, "like_created") \
	X(LIKE_DELETED, "like_deleted") \
	X(BOOKMARK_CREATED, "bookmark_created") \
	X(BOOKMARK_DELETED, "bookmark_deleted") \
	X(ACCOUNT_CREATED, "account_created") \
	X(ACCOUNT_UPDATED, "account_updated") \
	X(ACCOUNT_DELETED, "account_deleted") \
	X(SESSION_REVOKED, "session_revoked") \
	X(JOB_ADDED, "job_added") \
	X(FOLLOW_REQUEST_CREATED, "follow_request_created") \
	X(FOLLOW_REQUEST_DELETED, "follow_request_deleted") \
	X(PROFILE_UPDATED, "profile_updated") \
	X(FILTER_CHANGED, "filter_changed") \
	X(POST_HIDDEN, "post_hidden") \
	X(POST_RELEASED, "post_released") \
	X(MESSAGE_CREATED, "message_created") \
	X(ROOM_TOLD, "room_told")

#define ROOST_EVENT_SYMBOL(symbol, name) ROOST_EVENT_##symbol,
typedef enum RoostEventKind
{
	ROOST_EVENT_LIST(ROOST_EVENT_SYMBOL)
	ROOST_EVENT_KINDS
} RoostEventKind;
#undef ROOST_EVENT_SYMBOL

#define ROOST_EVENT_VALUES	6

/* how many columns may be asked for being null or not, or for one of some values */
#define ROOST_EVENT_ASKED	8

/* flags: what the statement was, which values are null, what was asked and is so */
#define ROOST_EVENT_INSERT	0x01
#define ROOST_EVENT_UPDATE	0x02
#define ROOST_EVENT_DELETE	0x04
#define ROOST_EVENT_NULL(i) (0x10 << (i))
#define ROOST_EVENT_HAS(i)	(0x400 << (i))

typedef struct RoostEvent
{
	uint16		kind;			/* RoostEventKind */
	uint16		label;			/* place of the enum column's value in its
								 * type, from 0 */
	uint32		flags;
	uint64		xid;			/* full id of the transaction */
	int64		value[ROOST_EVENT_VALUES];
} RoostEvent;

extern const char *roost_event_name(int kind);
extern int64 roost_event_created_id(const RoostEvent *event);

#endif							/* ROOST_EVENT_H */
