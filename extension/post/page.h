/*-------------------------------------------------------------------------
 *
 * page.h
 *		Posts as one viewer sees them, under the active snapshot.
 *
 * One page is put together with one RoostPage: what it has looked up once it
 * does not look up again.  Everything is palloc'ed in the context in which the
 * page was begun.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_POST_PAGE_H
#define ROOST_POST_PAGE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

/* What decides whether a post belongs on a page; 0 where there is none */
typedef struct RoostPostFacts
{
	int64		id;
	int64		author_id;
	int64		reply_to_account_id;
	int64		retweet_of_id;
	int64		quote_of_id;
} RoostPostFacts;

/* attributes of roost.post */
#define ROOST_PAGE_ATTRIBUTES	30

typedef struct RoostPage RoostPage;

extern RoostPage *roost_page_begin(int64 viewer_id);	/* 0: a stranger */

/*
 * Begins a page of posts as they look to nobody in particular, whoever may see
 * them.  Of what they quote it has what everybody may see.
 */
extern RoostPage *roost_page_begin_neutral(void);

/*
 * Returns, of such a page, whether every stranger, or an account, may see what it
 * shows of a post; and whether the account, which may, wants to be shown it.
 * Accounts may not see what strangers do where one has blocked the other.
 */
extern bool roost_page_is_public(RoostPage *page, int64 id);
extern bool roost_page_is_seen_by(RoostPage *page, int64 id, int64 viewer_id);
extern bool roost_page_is_wanted_by(RoostPage *page, int64 id, int64 viewer_id);

/* Returns whether one of two accounts has blocked the other. */
extern bool roost_page_is_apart(RoostPage *page, int64 viewer_id, int64 account_id);

/* Returns whether an account has blocked anybody, or was blocked; and whether that is not so and nobody has muted it. */
extern bool roost_page_has_blocks(RoostPage *page, int64 account_id);
extern bool roost_page_is_free(RoostPage *page, int64 account_id);

/*
 * Returns whether an account (0: a stranger) may see a post, whatever state it
 * is in now: one that is held or removed, it may have seen before.
 */
extern bool roost_page_was_seen_by(RoostPage *page, int64 id, int64 viewer_id);

/* Returns whether a viewer has muted an account. */
extern bool roost_page_is_muted(RoostPage *page, int64 viewer_id, int64 account_id);

/* More of a post, in memory of the page; 0 where there is nothing */
typedef struct RoostPostDetails
{
	char		visibility;		/* first letters */
	char		state;
	int64		reply_to_id;
	const int64 *mention_ids;
	int			num_mentions;
	Datum		hashtags;		/* text[] */
} RoostPostDetails;

/* Fills in more of a post; false: there is nothing to be seen. */
extern bool roost_page_details(RoostPage *page, int64 id, RoostPostDetails *details);
extern int64 roost_page_like_count(RoostPage *page, int64 id);

/* Returns whether an account is there, whether it is active, and whether it is private or limited. */
extern bool roost_page_account(RoostPage *page, int64 account_id, bool *active, bool *is_private);

/* Returns whether an account is limited. */
extern bool roost_page_is_limited(RoostPage *page, int64 account_id);

/* Returns the author of a post, or 0. */
extern int64 roost_page_author(RoostPage *page, int64 id);

/* Returns whether an account follows another one, or is it. */
extern bool roost_page_follows(RoostPage *page, int64 viewer_id, int64 account_id);

/* Appends an account as roost.author; false: there is none that is active. */
extern bool roost_page_author_json(RoostPage *page, int64 account_id, StringInfo out);

extern void roost_page_end(RoostPage *page);

/* Says which posts an empty page will look up first; it only makes that faster. */
extern void roost_page_expect(RoostPage *page, const int64 *ids, int n);

/* Returns a post that the viewer may see, or NULL.  Says nothing of the post that it retweets. */
extern const RoostPostFacts *roost_page_find(RoostPage *page, int64 id);

/* Returns whether there is anything to be seen of a post: the post, and what it retweets. */
extern bool roost_page_shows(RoostPage *page, int64 id);

/* Returns whether the viewer follows the account, or is it. */
extern bool roost_page_knows(RoostPage *page, int64 account_id);

/* Returns whether the viewer wants to be shown a post that it may see but has not asked for, and what that retweets. */
extern bool roost_page_wants(RoostPage *page, int64 id);
extern bool roost_page_mutes(RoostPage *page);	/* false: it wants all of them */

/* Appends the post as the JSON object of roost.post; false: nothing to be seen. */
extern bool roost_page_json(RoostPage *page, int64 id, StringInfo out);

/*
 * Fills in the attributes of roost.post, whose descriptor is given; false:
 * nothing to be seen.  Read posts from new to old where you can: what the
 * viewer has done to them is found with fewer look-ups.
 */
extern bool roost_page_row(RoostPage *page, TupleDesc desc, int64 id, int64 cursor, Datum *values, bool *nulls);

/*
 * Returns posts as the result of a set-returning function of roost.post, with
 * these cursors (NULL: the ids); a request gets them as JSON.
 */
extern Datum roost_page_return(FunctionCallInfo fcinfo, RoostPage *page,
							   const int64 *ids, const int64 *cursors, int n);

#endif							/* ROOST_POST_PAGE_H */
