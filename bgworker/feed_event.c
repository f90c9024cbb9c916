/*-------------------------------------------------------------------------
 *
 * feed_event.c
 *		Which events are logged, and as what.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bgworker/feed.h"

/*
 * Makes a row of an event; false: it is not logged, or has been already.
 */
bool
roost_feed_row(const RoostEvent *event, FeedRow *row)
{
	const int64 *value = event->value;

	memset(row, 0, sizeof(FeedRow));
	switch (event->kind)
	{
		case ROOST_EVENT_POST_CREATED:
		case ROOST_EVENT_POST_UPDATED:
		case ROOST_EVENT_POST_DELETED:
			row->kind = event->kind == ROOST_EVENT_POST_CREATED ? FEED_POST_CREATED :
				event->kind == ROOST_EVENT_POST_UPDATED ? FEED_POST_UPDATED : FEED_POST_DELETED;
			row->id = row->post_id = value[0];
			row->account_id = row->author_id = value[1];
			row->retweet_of_id = value[2];
			row->reply_to_account_id = value[3];
			row->refers = (event->flags & (ROOST_EVENT_HAS(0) | ROOST_EVENT_HAS(1))) != 0;
			row->held = row->kind == FEED_POST_CREATED && (event->flags & ROOST_EVENT_HAS(2)) != 0;
			if (row->kind == FEED_POST_UPDATED && (event->flags & ROOST_EVENT_HAS(2)) != 0)
				row->target_id = row->account_id;
			if (row->held)
				row->author_id = 0;
			break;
		case ROOST_EVENT_POST_HIDDEN:
		case ROOST_EVENT_POST_RELEASED:
			row->kind = event->kind == ROOST_EVENT_POST_HIDDEN ? FEED_POST_HIDDEN : FEED_POST_RELEASED;
			row->id = value[0];
			row->account_id = row->author_id = value[1];
			row->post_id = value[2];
			row->retweet_of_id = value[3];
			break;
		case ROOST_EVENT_FILTER_CHANGED:
			row->kind = FEED_FILTER_CHANGED;
			row->id = value[0];
			row->account_id = value[1];
			row->target_id = value[2];
			break;
		case ROOST_EVENT_LIKE_CREATED:
		case ROOST_EVENT_LIKE_DELETED:
			row->kind = event->kind == ROOST_EVENT_LIKE_CREATED ? FEED_LIKE_CREATED : FEED_LIKE_DELETED;
			row->post_id = value[0];
			row->account_id = value[1];
			row->id = value[2];
			break;
		case ROOST_EVENT_FOLLOW_CREATED:
		case ROOST_EVENT_FOLLOW_DELETED:
		case ROOST_EVENT_FOLLOW_REQUEST_CREATED:
		case ROOST_EVENT_FOLLOW_REQUEST_DELETED:
			row->kind = event->kind == ROOST_EVENT_FOLLOW_CREATED ? FEED_FOLLOW_CREATED :
				event->kind == ROOST_EVENT_FOLLOW_DELETED ? FEED_FOLLOW_DELETED :
				event->kind == ROOST_EVENT_FOLLOW_REQUEST_CREATED ? FEED_REQUEST_CREATED : FEED_REQUEST_DELETED;
			row->account_id = value[0];
			row->target_id = value[1];
			row->id = value[2];
			break;
		case ROOST_EVENT_ACCOUNT_DELETED:
		case ROOST_EVENT_ACCOUNT_UPDATED:
		case ROOST_EVENT_PROFILE_UPDATED:
			row->kind = event->kind == ROOST_EVENT_ACCOUNT_DELETED ? FEED_ACCOUNT_DELETED : FEED_ACCOUNT_UPDATED;
			row->id = row->account_id = value[0];
			break;
		case ROOST_EVENT_SESSION_REVOKED:
			if (event->flags & ROOST_EVENT_DELETE)
				return false;
			row->kind = FEED_SESSION_REVOKED;
			row->id = value[0];
			break;
		case ROOST_EVENT_MESSAGE_CREATED:
			row->kind = FEED_MESSAGE_CREATED;
			row->id = row->message_id = value[0];
			row->account_id = value[1];
			row->room_id = row->conversation_id = value[2];
			break;
		case ROOST_EVENT_ROOM_TOLD:
			if (event->label < FEED_ROOM_KINDS || event->label >= FEED_KINDS)
				return false;
			row->kind = event->label;
			row->id = value[0];
			row->account_id = value[1];
			row->target_id = value[2];
			row->room_id = value[3];
			row->conversation_id = value[4];
			row->message_id = value[5];
			break;
		default:
			return false;
	}
	return !roost_feed_is_seen(event->xid);
}
