/*-------------------------------------------------------------------------
 *
 * neutral.c
 *		Posts as they look to nobody in particular, and who may see them.
 *
 * What is sent to many is rendered once.  A neutral page has every post of an
 * active account, whoever may see it, with what it retweets; of what it quotes,
 * what everybody may see and nobody is kept from by a block.  So who gets such a
 * post must be allowed to see it and what it retweets: that is asked here, of
 * everybody or of one account, by the same rule as everywhere (viewer.c).  What
 * is found out of a viewer is kept with the page.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "post/view.h"

#define NEUTRAL_VIEWERS	16
#define NEUTRAL_AUTHORS	16

static PostViewer *neutral_viewer(RoostPage *page, int64 viewer_id);
static bool neutral_is_seen(PostViewer *viewer, const Post *post);

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
	PostViewer *viewer = neutral_viewer(page, viewer_id);
	Post	   *post = roost_view_post(page, id);

	if (post == NULL || !neutral_is_seen(viewer, post))
		return false;
	return post->facts.retweet_of_id == 0 ||
		((post = roost_view_post(page, post->facts.retweet_of_id)) != NULL && neutral_is_seen(viewer, post));
}

/*
 * Returns whether an account that may see what is shown of a post wants to.
 */
bool
roost_page_is_wanted_by(RoostPage *page, int64 id, int64 viewer_id)
{
	PostViewer *viewer = neutral_viewer(page, viewer_id);
	Post	   *post = roost_view_post(page, id);

	if (post == NULL || !roost_view_wants(page, viewer, post))
		return false;
	return post->facts.retweet_of_id == 0 ||
		((post = roost_view_post(page, post->facts.retweet_of_id)) != NULL && roost_view_wants(page, viewer, post));
}

/*
 * Returns a viewer of a neutral page.
 */
static PostViewer *
neutral_viewer(RoostPage *page, int64 viewer_id)
{
	IdEntry    *entry;
	bool		found;

	if (viewer_id == page->viewer.id)
		return &page->viewer;
	if (page->viewers == NULL)
		page->viewers = idmap_create(page->context, NEUTRAL_VIEWERS, NULL);
	entry = idmap_insert(page->viewers, viewer_id, &found);
	if (!found)
	{
		entry->thing = MemoryContextAlloc(page->context, sizeof(PostViewer));
		roost_viewer_begin(entry->thing, &page->reader, page->context, viewer_id);
	}
	return entry->thing;
}

static bool
neutral_is_seen(PostViewer *viewer, const Post *post)
{
	PostRule	rule;

	roost_view_rule(post, &rule);
	return roost_viewer_sees(viewer, &rule);
}

/*
 * Returns whether an account follows another one, or is it.
 */
bool
roost_page_follows(RoostPage *page, int64 viewer_id, int64 account_id)
{
	return roost_viewer_follows(neutral_viewer(page, viewer_id), account_id);
}

/*
 * Returns whether one of two accounts has blocked the other.
 */
bool
roost_page_is_apart(RoostPage *page, int64 viewer_id, int64 account_id)
{
	return roost_viewer_is_apart(neutral_viewer(page, viewer_id), account_id);
}

/*
 * Returns whether an account has blocked anybody, or was blocked.
 */
bool
roost_page_has_blocks(RoostPage *page, int64 account_id)
{
	return roost_viewer_has_blocks(neutral_viewer(page, account_id));
}

/*
 * Returns whether an account stands in no block, and nobody has muted it.
 */
bool
roost_page_is_free(RoostPage *page, int64 account_id)
{
	IdEntry    *entry;
	bool		found;

	if (account_id == 0)
		return true;
	if (page->free == NULL)
		page->free = idmap_create(page->context, NEUTRAL_AUTHORS, NULL);
	entry = idmap_insert(page->free, account_id, &found);
	if (!found)
		entry->thing = !roost_page_has_blocks(page, account_id) &&
			(!roost_post_is_there(LOOKUP_MUTED_BY) || roost_post_read(&page->reader, LOOKUP_MUTED_BY, 1, account_id, 0) == NULL) ? page : NULL;
	return entry->thing != NULL;
}

/*
 * Returns whether an account may see a post, whatever state it is in.
 */
bool
roost_page_was_seen_by(RoostPage *page, int64 id, int64 viewer_id)
{
	Post	   *post = roost_view_post(page, id);
	PostRule	rule;

	if (post == NULL)
		return false;
	roost_view_rule(post, &rule);
	rule.state = 'v';
	return roost_viewer_sees(neutral_viewer(page, viewer_id), &rule);
}

/*
 * Returns whether a viewer has muted an account.
 */
bool
roost_page_is_muted(RoostPage *page, int64 viewer_id, int64 account_id)
{
	return roost_viewer_mutes(neutral_viewer(page, viewer_id), account_id);
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
	details->visibility = roost_post_enum_letter(DatumGetObjectId(post->values[POST_VISIBILITY]));
	details->state = roost_post_state_letter(post->values[POST_STATE], post->nulls[POST_STATE]);
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
 * Returns whether an account is there, whether it is active, and whether it is
 * private or limited.
 */
bool
roost_page_account(RoostPage *page, int64 account_id, bool *active, bool *is_private)
{
	Author	   *author = roost_view_author(page, account_id);

	*active = author != NULL && author->active;
	*is_private = author != NULL && (author->is_private || author->is_limited);
	return author != NULL;
}

/*
 * Returns whether an account is limited.
 */
bool
roost_page_is_limited(RoostPage *page, int64 account_id)
{
	Author	   *author = roost_view_author(page, account_id);

	return author != NULL && author->is_limited;
}

/*
 * Returns the author of a post, or 0.
 */
int64
roost_page_author(RoostPage *page, int64 id)
{
	Post	   *post = id == 0 ? NULL : roost_view_post(page, id);

	return post == NULL ? 0 : post->facts.author_id;
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
