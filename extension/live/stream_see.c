/*-------------------------------------------------------------------------
 *
 * stream_see.c
 *		Who may see the events of rows of the log.
 *
 * Who may see it, and wants to, is asked of the reader of posts, by the one
 * rule; `everyone` says that no account need be asked, unless it has muted words.
 * So an event by somebody who has blocked anybody, is blocked or is muted, is not
 * for everyone; but `strangers`, who have no account, may see it all the same.
 * What happens in a room is told to those whom the room names (stream_room.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "live/stream.h"

static bool see_is_apart(StreamReader *reader, int64 viewer_id, int64 account_id);

/*
 * Says whether none of the accounts that get the event of a row need be asked,
 * and whether those who have no account may see it.
 */
void
roost_stream_reach(StreamReader *reader, const LogRow *row, bool *everyone, bool *strangers)
{
	RoostPage  *page = reader->page;
	bool		active;
	bool		is_private;

	*everyone = true;
	*strangers = row->room_id == 0;
	switch (row->kind)
	{
		case FEED_POST_UPDATED:
			/* who gets it is its author */
			if (row->target_id != 0)
			{
				*strangers = false;
				return;
			}
			/* FALLTHROUGH */
		case FEED_POST_CREATED:
		case FEED_POST_RELEASED:
			*strangers = roost_page_is_public(page, row->post_id);
			*everyone = *strangers && roost_page_is_free(page, row->account_id) &&
				(row->retweet_of_id == 0 || roost_page_is_free(page, roost_page_author(page, row->retweet_of_id)));
			break;
		case FEED_POST_HIDDEN:
			/* everybody is asked: the author must not notice */
			*strangers = roost_page_was_seen_by(page, row->post_id, 0);
			*everyone = false;
			break;
		case FEED_LIKE_CREATED:
		case FEED_LIKE_DELETED:
			*strangers = roost_page_is_public(page, row->post_id) && !roost_page_is_limited(page, row->account_id);
			*everyone = *strangers && roost_page_is_free(page, row->account_id) && roost_page_is_free(page, row->author_id);
			break;
		case FEED_POST_DELETED:
			*strangers = roost_page_account(page, row->account_id, &active, &is_private) && !is_private;
			*everyone = *strangers && roost_page_is_free(page, row->account_id);
			break;
		case FEED_FOLLOW_CREATED:
		case FEED_FOLLOW_DELETED:
		case FEED_REQUEST_CREATED:
			*everyone = !roost_page_is_apart(page, row->account_id, row->target_id);
			break;
		case FEED_ACCOUNT_UPDATED:
			*everyone = roost_page_is_free(page, row->id);
			break;
		default:
			break;
	}
}

/*
 * Returns whether the viewer (0: nobody) may see the event of a row, and wants
 * to.
 */
bool
roost_stream_may_see(StreamReader *reader, const LogRow *row, int64 viewer_id)
{
	RoostPage  *page = reader->page;
	bool		own = viewer_id != 0 && viewer_id == row->account_id;
	bool		active;
	bool		is_private;

	if (row->room_id != 0)
		return viewer_id != 0 && roost_stream_room_tells(row, viewer_id);
	switch (row->kind)
	{
		case FEED_POST_UPDATED:
			if (row->target_id != 0)
				return own;
			/* FALLTHROUGH */
		case FEED_POST_CREATED:
		case FEED_POST_RELEASED:
			return roost_page_is_seen_by(page, row->post_id, viewer_id) && (own || roost_page_is_wanted_by(page, row->post_id, viewer_id));
		case FEED_POST_HIDDEN:
			return !own && roost_page_was_seen_by(page, row->post_id, viewer_id) && !roost_page_is_muted(page, viewer_id, row->account_id);
		case FEED_LIKE_CREATED:
		case FEED_LIKE_DELETED:
			if (!roost_stream_is_active(reader, row->account_id) || !roost_page_is_seen_by(page, row->post_id, viewer_id))
				return false;
			return own ||
				(!see_is_apart(reader, viewer_id, row->account_id) && roost_page_is_wanted_by(page, row->post_id, viewer_id) &&
				 (!roost_page_is_limited(page, row->account_id) || roost_page_follows(page, viewer_id, row->account_id)));
		case FEED_POST_DELETED:
			return roost_page_account(page, row->account_id, &active, &is_private) &&
				(own || ((!is_private || roost_page_follows(page, viewer_id, row->account_id)) && !see_is_apart(reader, viewer_id, row->account_id)));
		case FEED_FOLLOW_CREATED:
		case FEED_REQUEST_CREATED:
			return viewer_id != 0 && (own || viewer_id == row->target_id) && !roost_page_is_apart(page, row->account_id, row->target_id);
		case FEED_FOLLOW_DELETED:
			return own && !roost_page_is_apart(page, row->account_id, row->target_id);
		case FEED_ACCOUNT_UPDATED:
			return roost_stream_is_active(reader, row->account_id) && (own || !see_is_apart(reader, viewer_id, row->account_id));
		case FEED_ACCOUNT_DELETED:
			return true;
		case FEED_FILTER_CHANGED:
			return own;
		default:
			break;
	}
	return false;
}

/*
 * Returns whether nothing of what an account does is told to the viewer.
 */
static bool
see_is_apart(StreamReader *reader, int64 viewer_id, int64 account_id)
{
	return roost_page_is_apart(reader->page, viewer_id, account_id) || roost_page_is_muted(reader->page, viewer_id, account_id);
}

/*
 * Returns whether an account is there, and active.
 */
bool
roost_stream_is_active(StreamReader *reader, int64 account_id)
{
	bool		active;
	bool		is_private;

	return roost_page_account(reader->page, account_id, &active, &is_private) && active;
}
