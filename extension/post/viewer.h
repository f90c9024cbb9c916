/*-------------------------------------------------------------------------
 *
 * viewer.h
 *		Who may see a post, and who wants to be shown it: the one rule.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_POST_VIEWER_H
#define ROOST_POST_VIEWER_H

#include "post/read.h"
#include "post/words.h"

/* What decides who may see a post */
typedef struct PostRule
{
	int64		author_id;
	char		visibility;		/* first letters */
	char		state;
	bool		is_private;		/* the author's account */
	bool		is_limited;
	bool		active;
	int			num_mentions;
	const int64 *mention_ids;
} PostRule;

/* Whether a viewer may see a post, as far as the post itself says */
typedef enum PostVerdict
{
	POST_HIDDEN,
	POST_SEEN,					/* unless one has blocked the other */
	POST_SEEN_BY_FOLLOWERS		/* besides, if the viewer follows the author */
} PostVerdict;

struct idmap_hash;

/*
 * An account that looks at posts, and what has been looked up of it.  It sees
 * what its reader's snapshot shows.
 */
typedef struct PostViewer
{
	int64		id;				/* 0: a stranger */
	PostReader *reader;
	MemoryContext context;		/* NULL: remembers nothing */
	uint8		facts;			/* 0: not known yet */
	bool		stamped;		/* the facts are those of the version */
	uint32		version;
	struct idmap_hash *followed;	/* anything for an account that it follows */
	struct idmap_hash *apart;	/* one of the two has blocked the other */
	struct idmap_hash *muted;
	PostWords  *words;
} PostViewer;

/* Returns whether a column account.status says that the account is active. */
extern bool roost_post_is_active(Datum status);

extern void roost_viewer_begin(PostViewer *viewer, PostReader *reader, MemoryContext context, int64 id);

extern PostVerdict roost_post_judge(const PostRule *rule, int64 viewer_id);

/* Returns whether the viewer may see a post. */
extern bool roost_viewer_sees(PostViewer *viewer, const PostRule *rule);

/* Returns whether the viewer follows the account, or is it. */
extern bool roost_viewer_follows(PostViewer *viewer, int64 account_id);

/* Returns whether the viewer has blocked anybody, or was blocked by anybody. */
extern bool roost_viewer_has_blocks(PostViewer *viewer);

/* Returns whether one of the two has blocked the other. */
extern bool roost_viewer_is_apart(PostViewer *viewer, int64 account_id);

/*
 * Of posts that come unasked: whether the viewer has muted anything at all,
 * whether the author, whether it has muted words, and whether there are any in a post (its text, its
 * warning and its text[] of folded hashtags, each 0 if there is none).
 */
extern bool roost_viewer_mutes_any(PostViewer *viewer);
extern bool roost_viewer_mutes(PostViewer *viewer, int64 author_id);
extern bool roost_viewer_has_words(PostViewer *viewer);
extern bool roost_viewer_mutes_words(PostViewer *viewer, Datum body, Datum warning, Datum hashtags);

#endif							/* ROOST_POST_VIEWER_H */
