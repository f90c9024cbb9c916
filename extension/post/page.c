/*-------------------------------------------------------------------------
 *
 * page.c
 *		Finds posts for one viewer, and what the viewer has to do with them.
 *
 * A page remembers every post, author and follow that it has looked up, also
 * those that are not there: posts of a page share authors, and what decides
 * that a post belongs on the page is what it is then written from.  Counters,
 * and what the viewer has done to a post, are looked up when the post is
 * written.  Everything is read under one snapshot, so it fits together.
 *
 * A post comes from shared memory (cache.c) if there is a copy and the stamps
 * of the post and of its author's account say that it is what this snapshot
 * shows; who may see it is decided for this viewer, from what the copy says.
 * Otherwise it comes from the tables, and what is rendered of it is kept if
 * the stamps say that the next snapshot may show it, too.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/core.h"
#include "core/debug_point.h"
#include "core/stamp.h"
#include "post/view.h"

/* posts of a page, with those that they retweet or quote */
#define PAGE_POSTS	64

/* what is fetched in advance of more posts would be gone when it is needed */
#define PAGE_EXPECTED	256

static Post *page_read(RoostPage *page, int64 id);
static PostCopy *page_recall(RoostPage *page, int64 id);
static bool page_may_see(RoostPage *page, Post *post);
static void page_sum(RoostPage *page, Post *post);
static void page_row(RoostPage *page, PostLookup what, int ncolumns, TupleTableSlot *slot,
					 Datum *values, bool *nulls);
static bool page_is_marked(RoostPage *page, Mark *mark, int64 id);

/*
 * Begins a page under the active snapshot.
 */
RoostPage *
roost_page_begin(int64 viewer_id)
{
	RoostPage  *page = palloc0(sizeof(RoostPage));

	page->context = CurrentMemoryContext;
	page->likes = (Mark) {LOOKUP_LIKE, -1, -1};
	page->retweets = (Mark) {LOOKUP_RETWEET, -1, -1};
	page->bookmarks = (Mark) {LOOKUP_BOOKMARK, -1, -1};
	page->authors = idmap_create(page->context, PAGE_POSTS, NULL);
	page->posts = idmap_create(page->context, PAGE_POSTS, NULL);
	roost_post_reader_begin(&page->reader);
	roost_viewer_begin(&page->viewer, &page->reader, page->context, viewer_id);
	roost_post_cache_begin(&page->cache);
	return page;
}

/*
 * Closes what the page has opened.
 */
void
roost_page_end(RoostPage *page)
{
	if (page->embed_desc != NULL)
		ReleaseTupleDesc(page->embed_desc);
	if (page->author_desc != NULL)
		ReleaseTupleDesc(page->author_desc);
	roost_post_cache_end(&page->cache);
	roost_post_reader_end(&page->reader);
}

/*
 * Says which posts a page that is still empty will look up first.
 */
void
roost_page_expect(RoostPage *page, const int64 *ids, int n)
{
	if (!page->cache.on || page->posts->members > 0)
		return;
	n = Min(n, PAGE_EXPECTED);
	for (int i = 0; i < n; i++)
	{
		roost_stamp_prefetch(ROOST_STAMP_POST, ids[i]);
		roost_stamp_prefetch(ROOST_STAMP_COUNT, ids[i]);
	}
	roost_post_cache_prefetch(ids, n);
}

/*
 * Returns a post that the viewer may see, or NULL.
 */
const RoostPostFacts *
roost_page_find(RoostPage *page, int64 id)
{
	Post	   *post = roost_view_post(page, id);

	return post ? &post->facts : NULL;
}

/*
 * Returns whether there is anything to be seen of a post: the post, and what
 * it retweets.
 */
bool
roost_page_shows(RoostPage *page, int64 id)
{
	Post	   *post = roost_view_post(page, id);

	return post != NULL &&
		(post->facts.retweet_of_id == 0 || roost_view_post(page, post->facts.retweet_of_id) != NULL);
}

/*
 * Returns whether the viewer follows the account, or is it.
 */
bool
roost_page_knows(RoostPage *page, int64 account_id)
{
	return roost_viewer_follows(&page->viewer, account_id);
}

/*
 * Returns whether the viewer has muted anything.
 */
bool
roost_page_mutes(RoostPage *page)
{
	return roost_viewer_mutes_any(&page->viewer);
}

/*
 * Returns whether the viewer wants to be shown a post that it may see, and what
 * that retweets.
 */
bool
roost_page_wants(RoostPage *page, int64 id)
{
	return !roost_viewer_mutes_any(&page->viewer) || roost_page_is_wanted_by(page, id, page->viewer.id);
}

/*
 * Returns whether a viewer wants to be shown a post, but for what it retweets.
 */
bool
roost_view_wants(RoostPage *page, PostViewer *viewer, Post *post)
{
	if (viewer->id == post->facts.author_id)
		return true;
	if (roost_viewer_mutes(viewer, post->facts.author_id))
		return false;
	if (post->facts.retweet_of_id != 0 || !roost_viewer_has_words(viewer))
		return true;
#define VALUE(column) (post->nulls[column] ? (Datum) 0 : post->values[column])
	return roost_view_load(page, post) &&
		!roost_viewer_mutes_words(viewer, VALUE(POST_TEXT), VALUE(POST_CONTENT_WARNING), VALUE(POST_HASHTAGS));
#undef VALUE
}

/*
 * Returns the post if the viewer may see it, or NULL.
 */
Post *
roost_view_post(RoostPage *page, int64 id)
{
	bool		found;
	IdEntry    *entry = idmap_insert(page->posts, id, &found);

	if (!found)
	{
		MemoryContext caller = MemoryContextSwitchTo(page->context);

		entry->thing = page_read(page, id);
		MemoryContextSwitchTo(caller);
	}
	return entry->thing;
}

/*
 * Reads a post; NULL: there is none, or the viewer may not see it.
 */
static Post *
page_read(RoostPage *page, int64 id)
{
	Post	   *post = palloc(sizeof(Post));

	post->facts.id = id;
	post->loaded = false;
	post->counted = false;
	post->everyone = false;
	post->liked = post->retweeted = post->bookmarked = false;
	memset(post->counts, 0, sizeof(post->counts));
	post->copy = page_recall(page, id);
	post->recalled = post->copy != NULL;
	if (post->recalled)
		post->facts = post->copy->facts;
	else if (!roost_view_load(page, post))
		return NULL;
	return page_may_see(page, post) ? post : NULL;
}

/*
 * Returns the copy of a post in shared memory if it is what the snapshot shows,
 * or NULL.
 */
static PostCopy *
page_recall(RoostPage *page, int64 id)
{
	PostCopy   *copy;
	uint32		version;

	if (!page->cache.on)
		return NULL;
	copy = roost_post_cache_find(&page->cache, id);
	if (copy != NULL &&
		roost_stamp_read(ROOST_STAMP_POST, id, page->reader.snapshot, &version) &&
		version == copy->post_version &&
		roost_stamp_read(ROOST_STAMP_ACCOUNT, copy->facts.author_id, page->reader.snapshot, &version) &&
		version == copy->account_version)
	{
		page->cache.hits++;
		return copy;
	}
	page->cache.misses++;
	return NULL;
}

/*
 * Reads a post and its author from the tables; false: there is none.
 */
bool
roost_view_load(RoostPage *page, Post *post)
{
	MemoryContext caller;
	TupleTableSlot *slot;

	if (post->loaded)
		return true;
	slot = roost_post_read(&page->reader, LOOKUP_POST, 1, post->facts.id, 0);
	if (slot == NULL)
		return false;
	caller = MemoryContextSwitchTo(page->context);
	page_row(page, LOOKUP_POST, POST_COLUMNS, slot, post->values, post->nulls);
	ROOST_DEBUG_POINT("post_read");
#define FACT(column) (post->nulls[column] ? 0 : DatumGetInt64(post->values[column]))
	post->facts.author_id = FACT(POST_AUTHOR_ID);
	post->facts.reply_to_account_id = FACT(POST_REPLY_TO_ACCOUNT_ID);
	post->facts.retweet_of_id = FACT(POST_RETWEET_OF_ID);
	post->facts.quote_of_id = FACT(POST_QUOTE_OF_ID);
#undef FACT
	post->author = roost_view_author(page, post->facts.author_id);
	MemoryContextSwitchTo(caller);
	post->loaded = post->author != NULL;
	return post->loaded;
}

/*
 * Returns whether the viewer may see a post, or somebody on a neutral page.
 */
static bool
page_may_see(RoostPage *page, Post *post)
{
	PostRule	rule;

	/* most posts, for most viewers */
	if (post->recalled && post->copy->everyone && !page->neutral && !roost_viewer_has_blocks(&page->viewer))
		return true;
	roost_view_rule(post, &rule);
	if (!page->neutral)
		return roost_viewer_sees(&page->viewer, &rule);
	post->everyone = roost_post_judge(&rule, 0) == POST_SEEN;
	return rule.active;
}

/*
 * Fills in what decides who may see a post.
 */
void
roost_view_rule(const Post *post, PostRule *rule)
{
	const PostCopy *copy = post->copy;

	rule->author_id = post->facts.author_id;
	if (post->recalled)
	{
		rule->visibility = copy->visibility;
		rule->state = copy->state;
		rule->is_private = copy->is_private;
		rule->is_limited = copy->is_limited;
		rule->active = true;
		rule->num_mentions = copy->num_mentions;
		rule->mention_ids = POST_COPY_MENTIONS(copy);
		return;
	}
	rule->visibility = roost_post_enum_letter(DatumGetObjectId(post->values[POST_VISIBILITY]));
	rule->state = roost_post_state_letter(post->values[POST_STATE], post->nulls[POST_STATE]);
	rule->is_private = post->author->is_private;
	rule->is_limited = post->author->is_limited;
	rule->active = post->author->active;
	rule->num_mentions = roost_post_mentioned(post->nulls[POST_MENTION_IDS] ? (Datum) 0 : post->values[POST_MENTION_IDS],
											  &rule->mention_ids);
}

/*
 * Returns the account, or NULL.
 */
Author *
roost_view_author(RoostPage *page, int64 id)
{
	bool		found;
	IdEntry    *entry = idmap_insert(page->authors, id, &found);
	TupleTableSlot *slot;
	Author	   *author;
	MemoryContext caller;

	if (found)
		return entry->thing;
	entry->thing = NULL;
	slot = roost_post_read(&page->reader, LOOKUP_ACCOUNT, 1, id, 0);
	if (slot == NULL)
		return NULL;
	caller = MemoryContextSwitchTo(page->context);
	author = entry->thing = palloc0(sizeof(Author));
	page_row(page, LOOKUP_ACCOUNT, ACCOUNT_COLUMNS, slot, author->values, author->nulls);
	MemoryContextSwitchTo(caller);
	author->is_private = DatumGetBool(author->values[ACCOUNT_IS_PRIVATE]);
	author->is_limited = !author->nulls[ACCOUNT_LIMITED_AT];
	author->active = roost_post_is_active(author->values[ACCOUNT_STATUS]);
	return author;
}

/*
 * Copies a row and takes it apart: the columns in the order of their enum.
 */
static void
page_row(RoostPage *page, PostLookup what, int ncolumns, TupleTableSlot *slot, Datum *values, bool *nulls)
{
	const AttrNumber *columns = roost_post_columns(what);
	TupleDesc	desc = slot->tts_tupleDescriptor;
	Datum	   *all_values = palloc(sizeof(Datum) * desc->natts);
	bool	   *all_nulls = palloc(sizeof(bool) * desc->natts);

	heap_deform_tuple(ExecCopySlotHeapTuple(slot), desc, all_values, all_nulls);
	for (int i = 0; i < ncolumns; i++)
	{
		bool		there = columns[i] != InvalidAttrNumber;

		values[i] = there ? all_values[columns[i] - 1] : (Datum) 0;
		nulls[i] = there ? all_nulls[columns[i] - 1] : true;
	}
	pfree(all_values);
	pfree(all_nulls);
}

/*
 * Finds a post's counters, and what the viewer has done to it.  A retweet has
 * none: they are its original's.
 */
void
roost_view_count(RoostPage *page, Post *post)
{
	PostCopy   *copy = post->copy;
	int64		id = post->facts.id;
	uint32		version;
	bool		known;

	if (post->counted || post->facts.retweet_of_id != 0)
		return;
	post->counted = true;
	known = page->cache.on && roost_stamp_read(ROOST_STAMP_COUNT, id, page->reader.snapshot, &version);
	if (known && post->recalled && copy->counted && copy->count_version == version)
		memcpy(post->counts, copy->counts, sizeof(post->counts));
	else
	{
		page_sum(page, post);
		if (known && post->recalled)
		{
			memcpy(copy->counts, post->counts, sizeof(post->counts));
			copy->count_version = version;
			copy->counted = true;
			roost_post_cache_recount(&page->cache, copy);
		}
	}
	if (page->viewer.id == 0)
		return;
	post->bookmarked = page_is_marked(page, &page->bookmarks, id);
	post->liked = post->counts[STAT_LIKE_COUNT] > 0 && page_is_marked(page, &page->likes, id);
	post->retweeted = post->counts[STAT_RETWEET_COUNT] > 0 && page_is_marked(page, &page->retweets, id);
}

/*
 * Adds up the counters of a post in its table.
 */
static void
page_sum(RoostPage *page, Post *post)
{
	TupleTableSlot *slot = roost_post_read(&page->reader, LOOKUP_STAT, 1, post->facts.id, 0);
	const AttrNumber *columns = roost_post_columns(LOOKUP_STAT);

	for (; slot != NULL; slot = roost_post_read_next(&page->reader, LOOKUP_STAT))
	{
		bool		isnull;

		for (int i = 0; i < STAT_COLUMNS; i++)
			post->counts[i] += DatumGetInt64(slot_getattr(slot, columns[i], &isnull));
	}
}

static bool
page_is_marked(RoostPage *page, Mark *mark, int64 id)
{
	if (id > mark->from || id < mark->last)
	{
		mark->last = roost_post_read_below(&page->reader, mark->what, page->viewer.id, id);
		mark->from = id;
	}
	return id == mark->last;
}

/*
 * Appends where people reach the site.
 */
void
roost_view_address(StringInfo out)
{
	int			length = strlen(roost_public_url);

	while (length > 0 && roost_public_url[length - 1] == '/')
		length--;
	appendBinaryStringInfo(out, roost_public_url, length);
}

/*
 * Appends the permalink of a post, without that address.  It does not repeat a
 * text behind a warning.
 */
void
roost_view_path(const Post *post, StringInfo out)
{
	text	   *username = DatumGetTextPP(post->author->values[ACCOUNT_USERNAME]);
	text	   *value = post->nulls[POST_CONTENT_WARNING] ? DatumGetTextPP(post->values[POST_TEXT]) : NULL;

	roost_post_path(out, VARDATA_ANY(username), VARSIZE_ANY_EXHDR(username), post->facts.id,
					value ? VARDATA_ANY(value) : "", value ? VARSIZE_ANY_EXHDR(value) : 0);
}
