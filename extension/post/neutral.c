/*-------------------------------------------------------------------------
 *
 * neutral.c
 *		Posts as they look to nobody in particular, and who may see them.
 *
 * What is sent to many is rendered once.  A neutral page has every post of an
 * active account, whoever may see it, with what it retweets; of what it quotes,
 * what everybody may see.  So who gets such a post must be allowed to see it
 * and what it retweets: that is asked here, of everybody or of one account, by
 * the same rule as everywhere (roost_post_judge).
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "post/view.h"

static bool neutral_is_seen(RoostPage *page, const Post *post, int64 viewer_id);

/*
 * Begins such a page under the active snapshot.
 */
RoostPage *
roost_page_begin_neutral(void)
{
	RoostPage  *page = roost_page_begin(0);

	page->neutral = true;
	return page;
}

/*
 * Returns whether everybody may see what is shown of a post.
 */
bool
roost_page_is_public(RoostPage *page, int64 id)
{
	Post	   *post = roost_view_post(page, id);
	Post	   *original;

	if (post == NULL || !post->everyone || post->facts.retweet_of_id == 0)
		return post != NULL && post->everyone;
	original = roost_view_post(page, post->facts.retweet_of_id);
	return original != NULL && original->everyone;
}

/*
 * Returns whether an account may see what is shown of a post.
 */
bool
roost_page_is_seen_by(RoostPage *page, int64 id, int64 viewer_id)
{
	Post	   *post = roost_view_post(page, id);

	return post != NULL && neutral_is_seen(page, post, viewer_id) &&
		(post->facts.retweet_of_id == 0 ||
		 ((post = roost_view_post(page, post->facts.retweet_of_id)) != NULL && neutral_is_seen(page, post, viewer_id)));
}

static bool
neutral_is_seen(RoostPage *page, const Post *post, int64 viewer_id)
{
	PostVerdict verdict = roost_view_judge(post, viewer_id);

	return verdict == POST_SEEN ||
		(verdict == POST_SEEN_BY_FOLLOWERS && roost_page_follows(page, viewer_id, post->facts.author_id));
}

/*
 * Returns whether an account follows another one, or is it.
 */
bool
roost_page_follows(RoostPage *page, int64 viewer_id, int64 account_id)
{
	return viewer_id != 0 &&
		(viewer_id == account_id || roost_post_read(&page->reader, LOOKUP_FOLLOW, 2, viewer_id, account_id) != NULL);
}

/*
 * Fills in more of a post; false: there is nothing to be seen.
 */
bool
roost_page_details(RoostPage *page, int64 id, RoostPostDetails *details)
{
	Post	   *post = roost_view_post(page, id);

	memset(details, 0, sizeof(RoostPostDetails));
	if (post == NULL || !roost_page_shows(page, id) || !roost_view_load(page, post))
		return false;
	details->visibility = roost_post_visibility_letter(DatumGetObjectId(post->values[POST_VISIBILITY]));
	if (!post->nulls[POST_REPLY_TO_ID])
		details->reply_to_id = DatumGetInt64(post->values[POST_REPLY_TO_ID]);
	details->num_mentions = roost_post_mentioned(post->nulls[POST_MENTION_IDS] ? (Datum) 0 : post->values[POST_MENTION_IDS],
												 &details->mention_ids);
	details->hashtags = post->nulls[POST_HASHTAGS] ? (Datum) 0 : post->values[POST_HASHTAGS];
	return true;
}

/*
 * Returns how many like a post, 0 if there is none.
 */
int64
roost_page_like_count(RoostPage *page, int64 id)
{
	Post	   *post = roost_view_post(page, id);

	if (post == NULL)
		return 0;
	roost_view_count(page, post);
	return post->counts[STAT_LIKE_COUNT];
}

/*
 * Returns whether an account is there, whether it is active and whether it is
 * private.
 */
bool
roost_page_account(RoostPage *page, int64 account_id, bool *active, bool *is_private)
{
	Author	   *author = roost_view_author(page, account_id);

	*active = author != NULL && author->active;
	*is_private = author != NULL && author->is_private;
	return author != NULL;
}

/*
 * Appends an account as roost.author; false: there is none that is active.
 */
bool
roost_page_author_json(RoostPage *page, int64 account_id, StringInfo out)
{
	Author	   *author = roost_view_author(page, account_id);

	if (author == NULL || !author->active)
		return false;
	roost_view_render_author(author, out);
	return true;
}
