/*-------------------------------------------------------------------------
 *
 * top.c
 *		Home timelines in the order of their rank (rank.h).
 *
 * The newest entries of the timeline are ranked when a reader asks for its
 * first page.  Counters change, so the next page cannot be ranked anew without
 * repeating and losing posts: the whole order is kept in shared memory, and a
 * cursor names it.  A cursor is an entry's place in time with a tag of the
 * list in its low bits.  Where the list is gone (it made room for others, the
 * server was restarted, another server is asked) the entries are ranked anew,
 * and the page goes on below the cursor's place.  What a kept list says is the
 * order alone: every entry of a page is looked at anew, under the one rule of
 * visibility, the reader's follows and what it has muted.
 *
 * Of each reader it is also kept which posts it has been shown, and when: the
 * newest TOP_SHOWN of them.  That is all that reading writes, so it works in
 * STABLE functions and on standbys.
 *
 * Shared memory (roost.rank_memory) is an array of sets.  A reader belongs to
 * one set by its id; a set has TOP_WAYS lists and TOP_WAYS readers, of which
 * those longest unused make room.  Everything in a set is guarded by one of
 * TOP_LOCKS locks.  After a restart all of it is forgotten.
 *
 * Only roost.database uses shared memory.  In others, and with
 * roost.rank_memory = 0, all pages are ranked anew, and nothing counts as seen.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "api/api.h"
#include "core/clock.h"
#include "core/core.h"
#include "core/id.h"
#include "roost.h"
#include "timeline/home.h"
#include "timeline/rank.h"

PG_FUNCTION_INFO_V1(roost_timeline_top);
PG_FUNCTION_INFO_V1(roost_timeline_explain);

#define TOP_LIMIT_DEFAULT	20
#define TOP_LIST			1000
#define TOP_SHOWN			256
#define TOP_WAYS			4
#define TOP_LOCKS			16

#define TOP_CANDIDATES_MIN			10
#define TOP_CANDIDATES_DEFAULT		TOP_LIST
#define TOP_INTERACTIONS_MIN		0
#define TOP_INTERACTIONS_DEFAULT	100
#define TOP_INTERACTIONS_MAX		1000
#define TOP_MEMORY_MIN				0
#define TOP_MEMORY_DEFAULT			16384
#define TOP_MEMORY_MAX				(16 * 1024 * 1024)
#define TOP_HALF_LIFE_MIN			1
#define TOP_HALF_LIFE_DEFAULT		(4 * 3600)
#define TOP_HALF_LIFE_MAX			(365 * 86400)
#define TOP_DELAY_MIN				0
#define TOP_DELAY_DEFAULT			600
#define TOP_DELAY_MAX				(7 * 86400)
#define TOP_WEIGHT_MIN				0.0
#define TOP_WEIGHT_MAX				1000000.0
#define TOP_FACTOR_MIN				0.01
#define TOP_FACTOR_MAX				1.0

/* The order of a reader's timeline */
typedef struct TopList
{
	int64		reader_id;		/* 0: free */
	uint64		used;			/* tick of the last use */
	uint16		tag;
	uint8		replies;
	bool		own;
	int			count;
	int64		ids[TOP_LIST];
	int64		cursors[TOP_LIST];	/* falling */
} TopList;

typedef struct TopShown
{
	int64		post_id;
	uint32		at;				/* seconds since 1970 */
	uint32		count;
} TopShown;

/* What a reader has been shown */
typedef struct TopReader
{
	int64		reader_id;		/* 0: free */
	uint64		used;
	int			count;
	int			next;			/* the next one to be overwritten */
	TopShown	shown[TOP_SHOWN];
} TopReader;

typedef struct TopSet
{
	TopList		lists[TOP_WAYS];
	TopReader	readers[TOP_WAYS];
} TopSet;

typedef struct TopShared
{
	pg_atomic_uint64 tick;
	uint32		num_sets;
	TopSet		sets[FLEXIBLE_ARRAY_MEMBER];
} TopShared;

/* One call */
typedef struct Top
{
	RoostPage  *page;
	int64		reader_id;
	TimelineReplies replies;
	bool		own;
	int64		before;			/* PG_INT64_MAX: none */
	int64		after;			/* 0: none */
	int			count;
	int64	   *ids;
	int64	   *cursors;
} Top;

/* A number of an id */
typedef struct TopNumber
{
	int64		id;
	char		status;
	double		number;
} TopNumber;

#define SH_PREFIX numbers
#define SH_ELEMENT_TYPE TopNumber
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) ((uint32) (((uint64) (key) * UINT64CONST(0x9E3779B97F4A7C15)) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

static TopShared *top_shared = NULL;
static LWLockPadded *top_locks = NULL;

static int	top_candidates;		/* GUCs */
static int	top_interactions;
static int	top_memory;			/* kB */
static int	top_half_life;		/* seconds */
static int	top_seen_delay;		/* seconds */
static double top_counter[RANK_COUNTERS];
static double top_affinity;
static double top_diversity;
static double top_diversity_floor;
static double top_seen;

static RankEntry *top_rank(Top *top, RankWeights *weights, int *count);
static void top_fill(RoostPage *page, RankEntry *entry, PostReader *reader, numbers_hash *interactions,
					 numbers_hash *shown);
static void top_rank_list(Top *top);
static bool top_shows(Top *top, int64 id, int64 *post_id);

/*
 * Takes the weights from the settings.
 */
static void
top_weights(RankWeights *weights)
{
	weights->half_life = top_half_life * 1000.0;
	memcpy(weights->counter, top_counter, sizeof(weights->counter));
	weights->affinity = top_affinity;
	weights->diversity = top_diversity;
	weights->diversity_floor = top_diversity_floor;
	weights->seen = top_seen;
}

/*
 * Returns the set of a reader, locked, or NULL: nothing is kept here.
 */
static TopSet *
top_lock(int64 reader_id, LWLockMode mode, LWLock **lock)
{
	uint32		set;

	if (top_shared == NULL || top_shared->num_sets == 0 || !roost_core_is_home())
		return NULL;
	set = (uint32) ((uint64) reader_id * UINT64CONST(0x9E3779B97F4A7C15) >> 32) % top_shared->num_sets;
	*lock = &top_locks[set % TOP_LOCKS].lock;
	LWLockAcquire(*lock, mode);
	return &top_shared->sets[set];
}

/*
 * Finds the list that a cursor names, and copies it; false: it is gone.
 */
static bool
top_list_find(Top *top, int64 cursor)
{
	LWLock	   *lock;
	TopSet	   *set = top_lock(top->reader_id, LW_EXCLUSIVE, &lock);
	bool		found = false;

	if (set == NULL)
		return false;
	for (int i = 0; i < TOP_WAYS && !found; i++)
	{
		TopList    *list = &set->lists[i];

		if (list->reader_id != top->reader_id || list->tag != RANK_CURSOR_TAG(cursor) ||
			list->replies != top->replies || list->own != top->own)
			continue;
		for (int k = 0; k < list->count && !found; k++)
			found = list->cursors[k] == cursor;
		if (!found)
			continue;
		top->count = list->count;
		memcpy(top->ids, list->ids, list->count * sizeof(int64));
		memcpy(top->cursors, list->cursors, list->count * sizeof(int64));
		list->used = pg_atomic_fetch_add_u64(&top_shared->tick, 1);
	}
	LWLockRelease(lock);
	return found;
}

/*
 * Keeps a list.
 */
static void
top_list_keep(const Top *top, uint16 tag)
{
	LWLock	   *lock;
	TopSet	   *set = top_lock(top->reader_id, LW_EXCLUSIVE, &lock);
	TopList    *list;

	if (set == NULL)
		return;
	list = &set->lists[0];
	for (int i = 1; i < TOP_WAYS; i++)
		if (set->lists[i].used < list->used)
			list = &set->lists[i];
	list->reader_id = top->reader_id;
	list->used = pg_atomic_fetch_add_u64(&top_shared->tick, 1);
	list->tag = tag;
	list->replies = top->replies;
	list->own = top->own;
	list->count = top->count;
	memcpy(list->ids, top->ids, top->count * sizeof(int64));
	memcpy(list->cursors, top->cursors, top->count * sizeof(int64));
	LWLockRelease(lock);
}

/*
 * Returns a tag for a new list.
 */
static uint16
top_tag(void)
{
	return top_shared == NULL ? 0 : (uint16) pg_atomic_fetch_add_u64(&top_shared->tick, 1);
}

/*
 * Returns what is kept of a reader in its set, or NULL.
 */
static TopReader *
top_reader_find(TopSet *set, int64 reader_id)
{
	for (int i = 0; i < TOP_WAYS; i++)
		if (set->readers[i].reader_id == reader_id)
			return &set->readers[i];
	return NULL;
}

/*
 * Returns how often the reader has been shown which posts, or NULL.
 */
static numbers_hash *
top_shown_read(int64 reader_id)
{
	uint32		now = (uint32) (roost_clock_ms() / 1000);
	numbers_hash *shown;
	TopReader	copy;
	TopReader  *reader;
	LWLock	   *lock;
	TopSet	   *set;

	if (top_seen >= 1 || (set = top_lock(reader_id, LW_SHARED, &lock)) == NULL)
		return NULL;
	reader = top_reader_find(set, reader_id);
	copy.count = 0;
	if (reader != NULL)
		memcpy(&copy, reader, offsetof(TopReader, shown) + reader->count * sizeof(TopShown));
	LWLockRelease(lock);

	if (copy.count == 0)
		return NULL;
	shown = numbers_create(CurrentMemoryContext, copy.count, NULL);
	for (int i = 0; i < copy.count; i++)
	{
		bool		found;
		bool		fresh = (int64) now - copy.shown[i].at < top_seen_delay;

		numbers_insert(shown, copy.shown[i].post_id, &found)->number = copy.shown[i].count - (fresh ? 1 : 0);
	}
	return shown;
}

/*
 * Remembers that a reader is shown a post now.
 */
static void
top_shown_add(TopReader *reader, int64 post_id, uint32 now)
{
	for (int i = 0; i < reader->count; i++)
	{
		TopShown   *shown = &reader->shown[i];

		if (shown->post_id != post_id)
			continue;
		/* a second look soon after is the same one */
		if ((int64) now - shown->at < top_seen_delay)
			return;
		shown->count = Min(shown->count + 1, RANK_SEEN_MAX);
		shown->at = now;
		return;
	}
	reader->shown[reader->next] = (TopShown) {post_id, now, 1};
	reader->next = (reader->next + 1) % TOP_SHOWN;
	reader->count = Min(reader->count + 1, TOP_SHOWN);
}

/*
 * Remembers the posts of a page.
 */
static void
top_shown_write(int64 reader_id, const int64 *post_ids, int n)
{
	uint32		now = (uint32) (roost_clock_ms() / 1000);
	TopReader  *reader;
	LWLock	   *lock;
	TopSet	   *set;

	if (top_seen >= 1 || n == 0 || (set = top_lock(reader_id, LW_EXCLUSIVE, &lock)) == NULL)
		return;
	reader = top_reader_find(set, reader_id);
	if (reader == NULL)
	{
		reader = &set->readers[0];
		for (int i = 1; i < TOP_WAYS; i++)
			if (set->readers[i].used < reader->used)
				reader = &set->readers[i];
		reader->reader_id = reader_id;
		reader->count = 0;
		reader->next = 0;
	}
	reader->used = pg_atomic_fetch_add_u64(&top_shared->tick, 1);
	for (int i = 0; i < n; i++)
		top_shown_add(reader, post_ids[i], now);
	LWLockRelease(lock);
}

/*
 * Adds to what the reader has done to an account's posts.
 */
static void
top_interact(numbers_hash *interactions, int64 account_id, double weight)
{
	bool		found;
	TopNumber  *entry = numbers_insert(interactions, account_id, &found);

	entry->number = (found ? entry->number : 0) + weight;
}

/*
 * Returns what the reader has done to whose posts: its likes of the newest
 * posts, and its own newest posts, which may be replies, retweets or quotes.
 */
static numbers_hash *
top_interactions_read(RoostPage *page, PostReader *reader, int64 reader_id)
{
	numbers_hash *interactions;
	int64		ids[TOP_INTERACTIONS_MAX];
	int64		id;
	int64		reply_to_account_id;
	const RoostPostFacts *facts;
	int			n;

	if (top_interactions == 0 || top_affinity == 0)
		return NULL;
	interactions = numbers_create(CurrentMemoryContext, top_interactions, NULL);
	n = roost_post_read_marks(reader, LOOKUP_LIKE, reader_id, ids, top_interactions);
	for (int i = 0; i < n; i++)
		if ((facts = roost_page_find(page, ids[i])) != NULL)
			top_interact(interactions, facts->author_id, top_counter[RANK_LIKE]);

	roost_post_read_range(reader, reader_id, PG_INT64_MAX, 0);
	for (n = 0; n < top_interactions && roost_post_read_range_next(reader, &id, &reply_to_account_id); n++)
	{
		if (reply_to_account_id != 0)
			top_interact(interactions, reply_to_account_id, top_counter[RANK_REPLY]);
		ids[n] = id;
	}
	for (int i = 0; i < n; i++)
	{
		facts = roost_page_find(page, ids[i]);
		if (facts == NULL || (facts->retweet_of_id == 0 && facts->quote_of_id == 0))
			continue;
		id = facts->retweet_of_id != 0 ? RANK_RETWEET : RANK_QUOTE;
		facts = roost_page_find(page, facts->retweet_of_id != 0 ? facts->retweet_of_id : facts->quote_of_id);
		if (facts != NULL)
			top_interact(interactions, facts->author_id, top_counter[id]);
	}
	(void) numbers_delete(interactions, reader_id);
	return interactions;
}

/*
 * Returns the number of an id, or 0.
 */
static double
top_number(numbers_hash *numbers, int64 id)
{
	TopNumber  *entry = numbers == NULL ? NULL : numbers_lookup(numbers, id);

	return entry == NULL ? 0 : entry->number;
}

/*
 * Fills in what is given of an entry whose id is known.
 */
static void
top_fill(RoostPage *page, RankEntry *entry, PostReader *reader, numbers_hash *interactions, numbers_hash *shown)
{
	static const StatColumn columns[RANK_COUNTERS] = {
		[RANK_LIKE] = STAT_LIKE_COUNT,
		[RANK_REPLY] = STAT_REPLY_COUNT,
		[RANK_RETWEET] = STAT_RETWEET_COUNT,
		[RANK_QUOTE] = STAT_QUOTE_COUNT,
	};
	const RoostPostFacts *facts = roost_page_find(page, entry->id);
	const RoostPostFacts *post = facts->retweet_of_id == 0 ? facts : roost_page_find(page, facts->retweet_of_id);
	const AttrNumber *numbers;
	TupleTableSlot *slot;

	entry->account_id = facts->author_id;
	entry->post_id = post->id;
	memset(entry->counts, 0, sizeof(entry->counts));
	slot = roost_post_read(reader, LOOKUP_STAT, 1, post->id, 0);
	numbers = roost_post_columns(LOOKUP_STAT);
	for (; slot != NULL; slot = roost_post_read_next(reader, LOOKUP_STAT))
	{
		bool		isnull;

		for (int i = 0; i < RANK_COUNTERS; i++)
			entry->counts[i] += DatumGetInt64(slot_getattr(slot, numbers[columns[i]], &isnull));
	}
	entry->interaction = Max(top_number(interactions, facts->author_id), top_number(interactions, post->author_id));
	entry->seen_count = (int) top_number(shown, post->id);
}

/*
 * Returns the newest entries of the timeline, ranked.
 */
static RankEntry *
top_rank(Top *top, RankWeights *weights, int *count)
{
	int64	   *ids = palloc(top_candidates * sizeof(int64));
	int			n = roost_timeline_home_page(top->page, top->reader_id, top_candidates, PG_INT64_MAX, 0,
											 top->replies, top->own, ids);
	RankEntry  *entries = palloc(Max(n, 1) * sizeof(RankEntry));
	numbers_hash *shown = top_shown_read(top->reader_id);
	numbers_hash *interactions;
	PostReader	reader;

	roost_post_reader_begin(&reader);
	interactions = top_interactions_read(top->page, &reader, top->reader_id);
	for (int i = 0; i < n; i++)
	{
		entries[i].id = ids[i];
		top_fill(top->page, &entries[i], &reader, interactions, shown);
		CHECK_FOR_INTERRUPTS();
	}
	roost_post_reader_end(&reader);
	top_weights(weights);
	roost_rank(weights, entries, n);
	*count = n;
	return entries;
}

/*
 * Makes a new list, and keeps it.
 */
static void
top_rank_list(Top *top)
{
	RankWeights weights;
	RankEntry  *entries = top_rank(top, &weights, &top->count);
	uint16		tag = top_tag();

	roost_rank_cursors(entries, top->count, tag, top->cursors);
	for (int i = 0; i < top->count; i++)
		top->ids[i] = entries[i].id;
	top_list_keep(top, tag);
}

/*
 * Returns whether an entry of a list still belongs on the timeline, and what
 * post it shows.
 */
static bool
top_shows(Top *top, int64 id, int64 *post_id)
{
	const RoostPostFacts *facts = roost_page_find(top->page, id);

	if (facts == NULL || !roost_page_knows(top->page, facts->author_id) ||
		(!top->own && facts->author_id == top->reader_id))
		return false;
	if (facts->reply_to_account_id != 0 && top->replies != TIMELINE_REPLIES_ALL &&
		(top->replies == TIMELINE_REPLIES_NONE || !roost_page_knows(top->page, facts->reply_to_account_id)))
		return false;
	*post_id = facts->retweet_of_id != 0 ? facts->retweet_of_id : id;
	return (facts->retweet_of_id == 0 || roost_page_find(top->page, facts->retweet_of_id) != NULL) &&
		roost_page_wants(top->page, id);
}

/*
 * Keeps the page in the list: at most `limit` entries after `before` and
 * above `after`; and puts the posts shown into post_ids.
 */
static void
top_cut(Top *top, int limit, bool kept, int64 *post_ids)
{
	int			n = 0;

	for (int i = 0; i < top->count && n < limit; i++)
	{
		int64		cursor = top->cursors[i];

		/* a list of another time has other tags */
		if (kept ? cursor >= top->before : RANK_CURSOR_PLACE(cursor) >= RANK_CURSOR_PLACE(top->before))
			continue;
		if (kept ? cursor <= top->after : RANK_CURSOR_PLACE(cursor) <= RANK_CURSOR_PLACE(top->after))
			break;
		if (!top_shows(top, top->ids[i], &post_ids[n]))
			continue;
		top->ids[n] = top->ids[i];
		top->cursors[n++] = cursor;
	}
	top->count = n;
}

/*
 * Returns how many of n entries the reader gets to see: a request asks for one
 * more than it shows.
 */
static int
top_count_shown(int n)
{
	ApiRequest *request = roost_api_request;

	return request != NULL && request->calling && request->function->limit >= 0 ? Min(n, request->limit) : n;
}

/*
 * roost_internal.timeline_top(reader_id, limit, before, after, replies, own)
 * returns a page of posts, the best first.
 */
Datum
roost_timeline_top(PG_FUNCTION_ARGS)
{
	int			limit = PG_ARGISNULL(1) ? TOP_LIMIT_DEFAULT : PG_GETARG_INT32(1);
	Top			top = {
		.reader_id = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0),
		.before = PG_ARGISNULL(2) ? PG_INT64_MAX : PG_GETARG_INT64(2),
		.after = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT64(3),
		.replies = PG_ARGISNULL(4) ? TIMELINE_REPLIES_NONE : roost_timeline_replies(PG_GETARG_OID(4)),
		.own = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5),
	};
	int64	   *post_ids;
	bool		kept = true;

	limit = Max(Min(limit, TOP_LIST), 0);
	top.ids = palloc(TOP_LIST * sizeof(int64));
	top.cursors = palloc(TOP_LIST * sizeof(int64));
	post_ids = palloc(Max(limit, 1) * sizeof(int64));
	top.page = roost_page_begin(top.reader_id);
	if ((top.before == PG_INT64_MAX && top.after == 0) ||
		!top_list_find(&top, top.before != PG_INT64_MAX ? top.before : top.after))
	{
		kept = false;
		if (limit > 0)
			top_rank_list(&top);
	}
	top_cut(&top, limit, kept, post_ids);
	top_shown_write(top.reader_id, post_ids, top_count_shown(top.count));
	roost_page_return(fcinfo, top.page, top.ids, top.cursors, top.count);
	roost_page_end(top.page);
	return (Datum) 0;
}

/* The attributes of roost.timeline_explanation */
typedef enum ExplainAttribute
{
	EXPLAIN_POST_ID,
	EXPLAIN_ENTRY_ID,
	EXPLAIN_PLACE,
	EXPLAIN_SCORE,
	EXPLAIN_AGE,
	EXPLAIN_DECAY,
	EXPLAIN_LIKES,
	EXPLAIN_REPLIES,
	EXPLAIN_RETWEETS,
	EXPLAIN_QUOTES,
	EXPLAIN_ENGAGEMENT,
	EXPLAIN_INTERACTION,
	EXPLAIN_AFFINITY,
	EXPLAIN_ABOVE,
	EXPLAIN_DIVERSITY,
	EXPLAIN_SEEN_COUNT,
	EXPLAIN_SEEN,
	EXPLAIN_ATTRIBUTES
} ExplainAttribute;

/*
 * Finds the ranked entry that shows a post; or what it would be as one of its
 * author's, if there is none (place 0).
 */
static RankEntry *
explain_entry(Top *top, int64 post_id, RankWeights *weights, int *place)
{
	int			n;
	RankEntry  *entries = top_rank(top, weights, &n);
	numbers_hash *shown;
	numbers_hash *interactions;
	PostReader	reader;

	for (int i = 0; i < n; i++)
	{
		if (entries[i].post_id != post_id)
			continue;
		*place = i + 1;
		return &entries[i];
	}
	*place = 0;
	entries[0].id = post_id;
	shown = top_shown_read(top->reader_id);
	roost_post_reader_begin(&reader);
	interactions = top_interactions_read(top->page, &reader, top->reader_id);
	top_fill(top->page, &entries[0], &reader, interactions, shown);
	roost_post_reader_end(&reader);
	roost_rank(weights, entries, 1);
	return &entries[0];
}

/*
 * Returns the terms of an entry's score as a row.
 */
static Datum
explain_row(FunctionCallInfo fcinfo, const RankEntry *entry, const RankWeights *weights, int place)
{
	Datum		values[EXPLAIN_ATTRIBUTES];
	bool		nulls[EXPLAIN_ATTRIBUTES] = {false};
	double		age = Max((double) (roost_clock_ms() - roost_id_ms(entry->id)), 0.0);
	double		decay = roost_rank_decay(weights, age);
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != EXPLAIN_ATTRIBUTES)
		elog(ERROR, "roost.timeline_explanation has other attributes");
	values[EXPLAIN_POST_ID] = Int64GetDatum(entry->post_id);
	values[EXPLAIN_ENTRY_ID] = Int64GetDatum(entry->id);
	values[EXPLAIN_PLACE] = Int32GetDatum(place);
	nulls[EXPLAIN_ENTRY_ID] = nulls[EXPLAIN_PLACE] = place == 0;
	values[EXPLAIN_SCORE] = Float8GetDatum(entry->engagement * entry->affinity * entry->diversity * entry->seen * decay);
	values[EXPLAIN_AGE] = Float8GetDatum(age / 1000);
	values[EXPLAIN_DECAY] = Float8GetDatum(decay);
	for (int i = 0; i < RANK_COUNTERS; i++)
		values[EXPLAIN_LIKES + i] = Float8GetDatum(weights->counter[i] * Max(entry->counts[i], 0));
	values[EXPLAIN_ENGAGEMENT] = Float8GetDatum(entry->engagement);
	values[EXPLAIN_INTERACTION] = Float8GetDatum(entry->interaction);
	values[EXPLAIN_AFFINITY] = Float8GetDatum(entry->affinity);
	values[EXPLAIN_ABOVE] = Int32GetDatum(entry->above);
	values[EXPLAIN_DIVERSITY] = Float8GetDatum(entry->diversity);
	values[EXPLAIN_SEEN_COUNT] = Int32GetDatum(entry->seen_count);
	values[EXPLAIN_SEEN] = Float8GetDatum(entry->seen);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*
 * roost.timeline_explain(actor_id, post_id) returns why a post stands where it
 * stands in the order "top".
 */
Datum
roost_timeline_explain(PG_FUNCTION_ARGS)
{
	Top			top = {.reader_id = PG_GETARG_INT64(0),.replies = TIMELINE_REPLIES_FOLLOWING,.own = true};
	int64		post_id = PG_GETARG_INT64(1);
	const RoostPostFacts *facts;
	RankWeights weights;
	RankEntry  *entry;
	Datum		result;
	int			place;

	top.page = roost_page_begin(top.reader_id);
	facts = roost_page_find(top.page, post_id);
	if (facts != NULL && facts->retweet_of_id != 0)
	{
		post_id = facts->retweet_of_id;
		facts = roost_page_find(top.page, post_id);
	}
	if (facts == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the post does not exist"),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "post_id")));
	entry = explain_entry(&top, post_id, &weights, &place);
	result = explain_row(fcinfo, entry, &weights, place);
	roost_page_end(top.page);
	return result;
}

/*
 * Defines a weight or a factor.
 */
static void
top_define_real(const char *name, const char *what, const char *more, double *value, double first,
				double min, double max)
{
	DefineCustomRealVariable(name, what, more, value, first, min, max, PGC_SUSET, 0, NULL, NULL, NULL);
}

static void
top_define_gucs(void)
{
	DefineCustomIntVariable("roost.rank_half_life",
							"Sets in which time an entry of a home timeline loses half its score.",
							"For the order top.",
							&top_half_life,
							TOP_HALF_LIFE_DEFAULT, TOP_HALF_LIFE_MIN, TOP_HALF_LIFE_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.rank_candidates",
							"Sets how many of the newest entries of a home timeline are ranked.",
							"For the order top.",
							&top_candidates,
							TOP_CANDIDATES_DEFAULT, TOP_CANDIDATES_MIN, TOP_LIST,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.rank_interactions",
							"Sets how many likes and how many own posts of the reader say whose posts it cares for.",
							"For the order top.",
							&top_interactions,
							TOP_INTERACTIONS_DEFAULT, TOP_INTERACTIONS_MIN, TOP_INTERACTIONS_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.rank_seen_delay",
							"Sets the time after which a post that was shown counts as seen.",
							"Who looks again before that finds the same order.",
							&top_seen_delay,
							TOP_DELAY_DEFAULT, TOP_DELAY_MIN, TOP_DELAY_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.rank_memory",
							"Sets the memory for ranked home timelines and for which posts readers have seen.",
							"About 20 kB for each reader of the order top.",
							&top_memory,
							TOP_MEMORY_DEFAULT, TOP_MEMORY_MIN, TOP_MEMORY_MAX,
							PGC_POSTMASTER, GUC_UNIT_KB, NULL, NULL, NULL);
	top_define_real("roost.rank_like", "Sets the weight of a like in the rank of a post.", NULL,
					&top_counter[RANK_LIKE], 1, TOP_WEIGHT_MIN, TOP_WEIGHT_MAX);
	top_define_real("roost.rank_reply", "Sets the weight of a reply in the rank of a post.", NULL,
					&top_counter[RANK_REPLY], 2, TOP_WEIGHT_MIN, TOP_WEIGHT_MAX);
	top_define_real("roost.rank_retweet", "Sets the weight of a retweet in the rank of a post.", NULL,
					&top_counter[RANK_RETWEET], 3, TOP_WEIGHT_MIN, TOP_WEIGHT_MAX);
	top_define_real("roost.rank_quote", "Sets the weight of a quote in the rank of a post.", NULL,
					&top_counter[RANK_QUOTE], 3, TOP_WEIGHT_MIN, TOP_WEIGHT_MAX);
	top_define_real("roost.rank_affinity", "Sets how much it matters what the reader has done to an author's posts.",
					"0 turns it off.", &top_affinity, 0.5, TOP_WEIGHT_MIN, TOP_WEIGHT_MAX);
	top_define_real("roost.rank_diversity", "Sets the factor for each entry of the same account that stands above.",
					"1 turns it off.", &top_diversity, 0.7, TOP_FACTOR_MIN, TOP_FACTOR_MAX);
	top_define_real("roost.rank_diversity_floor", "Sets the least that is left of a score by roost.rank_diversity.",
					NULL, &top_diversity_floor, 0.2, TOP_FACTOR_MIN, TOP_FACTOR_MAX);
	top_define_real("roost.rank_seen", "Sets the factor for each time that the reader has been shown a post.",
					"1 turns it off.", &top_seen, 0.5, TOP_FACTOR_MIN, TOP_FACTOR_MAX);
}

static uint32
top_num_sets(void)
{
	Size		room = (Size) top_memory * 1024;

	return room < offsetof(TopShared, sets) ? 0 : (room - offsetof(TopShared, sets)) / sizeof(TopSet);
}

static Size
top_shmem_size(void)
{
	return offsetof(TopShared, sets) + top_num_sets() * sizeof(TopSet);
}

static void
top_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	uint64		tick;

	top_shared = area;
	top_locks = locks;
	if (found)
		return;
	memset(area, 0, top_shmem_size());
	/* so that cursors from before a restart rarely name a list of now */
	if (!pg_strong_random(&tick, sizeof(tick)))
		tick = (uint64) roost_clock_us();
	pg_atomic_init_u64(&top_shared->tick, (tick & 0xffff) + 1);
	top_shared->num_sets = top_num_sets();
}

const RoostModule roost_timeline_top_module = {
	.name = "roost timeline top",
	.define_gucs = top_define_gucs,
	.shmem_size = top_shmem_size,
	.num_lwlocks = TOP_LOCKS,
	.shmem_init = top_shmem_init,
};
