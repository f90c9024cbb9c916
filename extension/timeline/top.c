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
 * visibility, the reader's follows and what it has muted.  Orders, and what a
 * reader has been shown, are kept by top_kept.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "api/api.h"
#include "core/clock.h"
#include "core/id.h"
#include "roost.h"
#include "timeline/home.h"
#include "timeline/rank.h"
#include "timeline/top.h"

PG_FUNCTION_INFO_V1(roost_timeline_top);
PG_FUNCTION_INFO_V1(roost_timeline_explain);

#define TOP_LIMIT_DEFAULT	20

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

int			roost_rank_memory;	/* GUCs; kB */
int			roost_rank_seen_delay;	/* seconds */
double		roost_rank_seen;
static int	top_candidates;
static int	top_interactions;
static int	top_half_life;		/* seconds */
static double top_counter[RANK_COUNTERS];
static double top_affinity;
static double top_diversity;
static double top_diversity_floor;

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
	weights->seen = roost_rank_seen;
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
	numbers_hash *shown = roost_top_shown_read(top->reader_id);
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
	uint16		tag = roost_top_tag();

	roost_rank_cursors(entries, top->count, tag, top->cursors);
	for (int i = 0; i < top->count; i++)
		top->ids[i] = entries[i].id;
	roost_top_list_keep(top, tag);
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
		!roost_top_list_find(&top, top.before != PG_INT64_MAX ? top.before : top.after))
	{
		kept = false;
		if (limit > 0)
			top_rank_list(&top);
	}
	top_cut(&top, limit, kept, post_ids);
	roost_top_shown_write(top.reader_id, post_ids, top_count_shown(top.count));
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
	shown = roost_top_shown_read(top->reader_id);
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
							&roost_rank_seen_delay,
							TOP_DELAY_DEFAULT, TOP_DELAY_MIN, TOP_DELAY_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.rank_memory",
							"Sets the memory for ranked home timelines and for which posts readers have seen.",
							"About 20 kB for each reader of the order top.",
							&roost_rank_memory,
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
					"1 turns it off.", &roost_rank_seen, 0.5, TOP_FACTOR_MIN, TOP_FACTOR_MAX);
}

const RoostModule roost_timeline_top_module = {
	.name = "roost timeline top",
	.define_gucs = top_define_gucs,
	.shmem_size = roost_top_shmem_size,
	.num_lwlocks = TOP_LOCKS,
	.shmem_init = roost_top_shmem_init,
};
