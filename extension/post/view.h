/*-------------------------------------------------------------------------
 *
 * view.h
 *		A page of posts from inside: what page.c finds and hydrate.c and
 *		render.c write.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_POST_VIEW_H
#define ROOST_POST_VIEW_H

#include "post/cache.h"
#include "post/idmap.h"
#include "post/page.h"
#include "post/read.h"
#include "post/viewer.h"

typedef struct Author
{
	bool		is_private;
	bool		is_limited;
	bool		active;
	Datum		values[ACCOUNT_COLUMNS];
	bool		nulls[ACCOUNT_COLUMNS];
	Datum		composite;		/* roost.author, once needed */
} Author;

typedef struct Post
{
	RoostPostFacts facts;
	PostCopy   *copy;			/* as it looks to everybody, once rendered */
	bool		recalled;		/* it comes from shared memory */
	bool		everyone;		/* a stranger may see it */

	/* its row, if it was read */
	bool		loaded;
	Author	   *author;
	Datum		values[POST_COLUMNS];
	bool		nulls[POST_COLUMNS];

	/* once roost_view_count() has been called */
	bool		counted;
	int64		counts[STAT_COLUMNS];
	bool		liked;
	bool		retweeted;
	bool		bookmarked;
} Post;

/*
 * What is known of the posts that the viewer has liked, retweeted or put
 * aside: none of the ids after "last" up to "from" is among them, and "last"
 * is (-1: nothing).  Pages run from new to old, so one look-up often answers
 * for many posts.
 */
typedef struct Mark
{
	PostLookup	what;
	int64		from;
	int64		last;
} Mark;

struct RoostPage
{
	MemoryContext context;
	PostReader	reader;
	PostCacheUse cache;
	PostViewer	viewer;
	bool		neutral;		/* whoever may see it */
	Mark		likes;
	Mark		retweets;
	Mark		bookmarks;
	idmap_hash *authors;		/* Author */
	idmap_hash *posts;			/* Post */
	idmap_hash *viewers;		/* others, of a neutral page */
	idmap_hash *free;			/* anything for an account that is free */
	StringInfoData url;
	StringInfoData scratch;
	StringInfoData address;		/* of the site, with JSON's escapes */

	/* of composites; NULL until one is made */
	TupleDesc	embed_desc;		/* roost.post_embed */
	TupleDesc	author_desc;	/* roost.author */
	Datum		visible;		/* of roost.post_state */
};

extern Post *roost_view_post(RoostPage *page, int64 id);
extern Author *roost_view_author(RoostPage *page, int64 id);
extern void roost_view_rule(const Post *post, PostRule *rule);
extern bool roost_view_wants(RoostPage *page, PostViewer *viewer, Post *post);
extern void roost_view_render_author(const Author *author, StringInfo out);
extern bool roost_view_load(RoostPage *page, Post *post);
extern void roost_view_count(RoostPage *page, Post *post);
extern void roost_view_path(const Post *post, StringInfo out);
extern void roost_view_address(StringInfo out);
extern void roost_view_render(RoostPage *page, Post *post);

#endif							/* ROOST_POST_VIEW_H */
