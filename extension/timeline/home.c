/*-------------------------------------------------------------------------
 *
 * home.c
 *		One page of a home timeline, or of the timeline of a list.
 *
 * Candidates come newest first, in batches.  Each is looked at under the
 * active snapshot: whether the reader may see it and the post that it shows,
 * whether the reply is wanted, whether it has muted either, whether the page
 * shows that post already.  The page object keeps what was looked up, for who writes the posts out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "timeline/candidates.h"
#include "timeline/home.h"

PG_FUNCTION_INFO_V1(roost_timeline_home_ids);
PG_FUNCTION_INFO_V1(roost_timeline_home_posts);
PG_FUNCTION_INFO_V1(roost_timeline_ids);

#define HOME_LIMIT_DEFAULT	20
#define HOME_LIMIT_MAX		100000

/* The posts that a page shows */
typedef struct HomeShown
{
	int64		id;
	char		status;
} HomeShown;

#define SH_PREFIX shown
#define SH_ELEMENT_TYPE HomeShown
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) ((uint32) (((uint64) (key) * UINT64CONST(0x9E3779B97F4A7C15)) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

typedef struct Home
{
	RoostPage  *page;
	int64		reader_id;
	TimelineReplies replies;
	bool		own;
	bool		mutes;			/* not all of them are wanted */
	const int64 *members;		/* sorted; NULL: not of a list */
	int			num_members;
	shown_hash *shown;
} Home;

static int	home_fill(Home *home, int limit, int64 before_id, int64 after_id, int64 *ids);
static bool home_wants(void *arg, int64 reply_to_account_id);
static bool home_shows(Home *home, int64 id);
static ArrayType *ids_array(const int64 *ids, int n);

/*
 * Fills in the ids of a page; returns how many.
 */
int
roost_timeline_home_page(RoostPage *page, int64 reader_id, int limit, int64 before_id, int64 after_id,
						 TimelineReplies replies, bool own, int64 *ids)
{
	Home		home = {.page = page,.reader_id = reader_id,.replies = replies,.own = own};

	return home_fill(&home, limit, before_id, after_id, ids);
}

int
roost_timeline_list_page(RoostPage *page, int64 reader_id, const int64 *member_ids, int n, int limit,
						 int64 before_id, int64 after_id, TimelineReplies replies, int64 *ids)
{
	Home		home = {.page = page,.reader_id = reader_id,.replies = replies,.own = true,
	.members = member_ids,.num_members = n};

	return home_fill(&home, limit, before_id, after_id, ids);
}

/*
 * Fills in the ids of a page; returns how many.
 */
static int
home_fill(Home *home, int limit, int64 before_id, int64 after_id, int64 *ids)
{
	TimelineCandidates candidates = {
		.reader_id = home->reader_id,
		.own = home->own,
		.members = home->members,
		.num_members = home->num_members,
		.before_id = before_id,
		.after_id = after_id,
		.wants = home->replies == TIMELINE_REPLIES_ALL ? NULL : home_wants,
		.wants_arg = home,
	};
	int			want = limit + limit / 8 + 4;
	int			room = want * 2;
	int64	   *batch;
	int			count = 0;

	if (limit < 1)
		return 0;
	batch = palloc(room * sizeof(int64));
	home->mutes = roost_page_mutes(home->page);
	home->shown = shown_create(CurrentMemoryContext, limit, NULL);
	roost_timeline_candidates_begin(&candidates);
	while (count < limit && !candidates.done)
	{
		int			n = roost_timeline_candidates_next(&candidates, want, room, batch);

		roost_page_expect(home->page, batch, n);
		for (int i = 0; i < n && count < limit; i++)
			if (home_shows(home, batch[i]))
				ids[count++] = batch[i];
		if (want < room)
			want = room;
		else if (room < HOME_LIMIT_MAX)
			batch = repalloc(batch, (want = room *= 2) * sizeof(int64));
		CHECK_FOR_INTERRUPTS();
	}
	roost_timeline_candidates_end(&candidates);
	shown_destroy(home->shown);
	pfree(batch);
	return count;
}

/*
 * Returns whether an answer to the account is wanted.
 */
static bool
home_wants(void *arg, int64 reply_to_account_id)
{
	Home	   *home = arg;

	return home->replies == TIMELINE_REPLIES_ALL ||
		(home->replies == TIMELINE_REPLIES_FOLLOWING &&
		 (roost_page_knows(home->page, reply_to_account_id) ||
		  (home->members != NULL && roost_timeline_is_among(reply_to_account_id, home->members, home->num_members))));
}

/*
 * Returns whether a candidate belongs on the page, and remembers what it shows.
 */
static bool
home_shows(Home *home, int64 id)
{
	const RoostPostFacts *facts = roost_page_find(home->page, id);
	int64		shown = id;
	bool		found;

	if (facts == NULL ||
		(!home->own && facts->author_id == home->reader_id) ||
		(facts->reply_to_account_id != 0 && !home_wants(home, facts->reply_to_account_id)))
		return false;
	if (facts->retweet_of_id != 0)
	{
		shown = facts->retweet_of_id;
		if (roost_page_find(home->page, shown) == NULL)
			return false;
	}
	if (home->mutes && !roost_page_wants(home->page, id))
		return false;
	(void) shown_insert(home->shown, shown, &found);
	return !found;
}

/*
 * roost_internal.timeline_home_ids(reader_id, limit, before_id, after_id,
 * replies, own) returns the ids of a page, newest first.
 */
Datum
roost_timeline_home_ids(PG_FUNCTION_ARGS)
{
	int			limit = PG_ARGISNULL(1) ? HOME_LIMIT_DEFAULT : PG_GETARG_INT32(1);
	RoostPage  *page;
	int64	   *ids;
	int			n;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		limit = 0;
	limit = Max(Min(limit, HOME_LIMIT_MAX), 0);
	if (limit == 0)
		PG_RETURN_ARRAYTYPE_P(ids_array(NULL, 0));
	ids = palloc(limit * sizeof(int64));
	page = roost_page_begin(PG_GETARG_INT64(0));
	n = roost_timeline_home_page(page, PG_GETARG_INT64(0), limit, PG_GETARG_INT64(2), PG_GETARG_INT64(3),
								 PG_ARGISNULL(4) ? TIMELINE_REPLIES_NONE : roost_timeline_replies(PG_GETARG_OID(4)),
								 !PG_ARGISNULL(5) && PG_GETARG_BOOL(5), ids);
	roost_page_end(page);
	PG_RETURN_ARRAYTYPE_P(ids_array(ids, n));
}

/*
 * roost_internal.timeline_home_page(reader_id, limit, before_id, after_id,
 * replies, own) returns the posts of a page, newest first.
 */
Datum
roost_timeline_home_posts(PG_FUNCTION_ARGS)
{
	int			limit = PG_ARGISNULL(1) ? HOME_LIMIT_DEFAULT : PG_GETARG_INT32(1);
	int64		reader_id = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	RoostPage  *page = roost_page_begin(reader_id);
	int64	   *ids;
	int			n = 0;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		limit = 0;
	limit = Max(Min(limit, HOME_LIMIT_MAX), 0);
	ids = palloc(Max(limit, 1) * sizeof(int64));
	if (limit > 0)
		n = roost_timeline_home_page(page, reader_id, limit, PG_GETARG_INT64(2), PG_GETARG_INT64(3),
									 PG_ARGISNULL(4) ? TIMELINE_REPLIES_NONE : roost_timeline_replies(PG_GETARG_OID(4)),
									 !PG_ARGISNULL(5) && PG_GETARG_BOOL(5), ids);
	roost_page_return(fcinfo, page, ids, NULL, n);
	roost_page_end(page);
	return (Datum) 0;
}

/*
 * roost_internal.timeline_ids(reader_id, limit) returns the newest candidates.
 */
Datum
roost_timeline_ids(PG_FUNCTION_ARGS)
{
	TimelineCandidates candidates = {
		.reader_id = PG_GETARG_INT64(0),
		.own = true,
		.before_id = PG_INT64_MAX,
	};
	int			limit = Max(Min(PG_GETARG_INT32(1), HOME_LIMIT_MAX), 0);
	ArrayType  *array = ids_array(NULL, limit);
	int64	   *ids = (int64 *) ARR_DATA_PTR(array);
	int			count = 0;

	roost_timeline_candidates_begin(&candidates);
	while (count < limit && !candidates.done)
		count += roost_timeline_candidates_next(&candidates, limit - count, limit - count, ids + count);
	roost_timeline_candidates_end(&candidates);
	if (count < limit)
		array = ids_array(ids, count);
	PG_RETURN_ARRAYTYPE_P(array);
}

/*
 * Returns an array of n ids; without `ids` room for them.
 */
static ArrayType *
ids_array(const int64 *ids, int n)
{
	Size		size = (n == 0 ? sizeof(ArrayType) : ARR_OVERHEAD_NONULLS(1)) + n * sizeof(int64);
	ArrayType  *array = palloc0(size);

	SET_VARSIZE(array, size);
	array->ndim = n == 0 ? 0 : 1;
	array->elemtype = INT8OID;
	if (n == 0)
		return array;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	if (ids != NULL)
		memcpy(ARR_DATA_PTR(array), ids, n * sizeof(int64));
	return array;
}
