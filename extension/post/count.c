/*-------------------------------------------------------------------------
 *
 * count.c
 *		Counters of posts and of their authors, kept by statement triggers.
 *
 * A statement's rows are added up first, so a bulk load writes each counter
 * once.  A counter is a handful of rows ("slots") whose sum is the number: the
 * writer adds to a slot that no other transaction holds, or makes a new one.
 * Writers therefore never wait for each other, and cannot deadlock, whatever
 * the order in which they come by posts.
 *
 * The counter of an author takes no statement, so the trigger of posts has the
 * rights of its owner only where there are hashtags or other posts' counters.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/pg_prng.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "account/stat.h"
#include "core/owner.h"
#include "core/plan.h"
#include "post/read.h"

PG_FUNCTION_INFO_V1(roost_post_count);
PG_FUNCTION_INFO_V1(roost_post_like_count);
PG_FUNCTION_INFO_V1(roost_post_stat_add);

/* Columns of roost_data.post_stat, in the order of the table */
enum
{
	COUNT_LIKE,
	COUNT_RETWEET,
	COUNT_REPLY,
	COUNT_QUOTE,
	COUNTS
};

/* What is to be added to the counters of one post, or of one author */
typedef struct Delta
{
	int64		id;
	int64		n[COUNTS];		/* for an author, n[0] is the posts */
} Delta;

typedef struct DeltaList
{
	Delta	   *delta;
	int			count;
	int			room;
} DeltaList;

static Tuplestorestate *trigger_rows(FunctionCallInfo fcinfo, int *sign);
static void deltas_add(DeltaList *list, int64 id, int what, int64 n);
static void deltas_merge(DeltaList *list);
static void post_stat_add(const Delta *delta);
static void hashtags_add(Datum hashtags, int64 post_id);

/*
 * Returns a column of the slot, or 0 where it is null.
 */
static int64
slot_int64(TupleTableSlot *slot, int attno)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, attno, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/*
 * Returns the number of a column, which must exist.
 */
static int
column(Relation relation, const char *name)
{
	int			attno = SPI_fnumber(RelationGetDescr(relation), name);

	if (attno <= 0)
		elog(ERROR, "table \"%s\" has no column \"%s\"", RelationGetRelationName(relation), name);
	return attno;
}

/*
 * roost_internal.post_count(): statement trigger of roost_data.post.
 */
Datum
roost_post_count(PG_FUNCTION_ARGS)
{
	int			sign;
	Tuplestorestate *rows = trigger_rows(fcinfo, &sign);
	Relation	relation = ((TriggerData *) fcinfo->context)->tg_relation;
	int			id = column(relation, "id");
	int			author_id = column(relation, "author_id");
	int			reply_to_id = column(relation, "reply_to_id");
	int			quote_of_id = column(relation, "quote_of_id");
	int			retweet_of_id = column(relation, "retweet_of_id");
	int			hashtags = column(relation, "hashtags");
	int			visibility = column(relation, "visibility");
	int			state = SPI_fnumber(RelationGetDescr(relation), "state");	/* of a later version */
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsMinimalTuple);
	DeltaList	posts = {0};
	DeltaList	authors = {0};
	RoostOwner	owner = {0};

	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		int64		other;
		bool		isnull;
		Datum		tags;

		deltas_add(&authors, slot_int64(slot, author_id), 0, sign);
		if ((other = slot_int64(slot, reply_to_id)) != 0)
			deltas_add(&posts, other, COUNT_REPLY, sign);
		if ((other = slot_int64(slot, quote_of_id)) != 0)
			deltas_add(&posts, other, COUNT_QUOTE, sign);
		if ((other = slot_int64(slot, retweet_of_id)) != 0)
			deltas_add(&posts, other, COUNT_RETWEET, sign);

		tags = slot_getattr(slot, hashtags, &isnull);
		if (!isnull && sign > 0 &&
			roost_post_enum_letter(DatumGetObjectId(slot_getattr(slot, visibility, &isnull))) == 'p' &&
			(state <= 0 || roost_post_enum_letter(DatumGetObjectId(slot_getattr(slot, state, &isnull))) == 'v'))
		{
			roost_owner_begin(&owner, fcinfo->flinfo->fn_oid);
			hashtags_add(tags, slot_int64(slot, id));
		}
	}
	ExecDropSingleTupleTableSlot(slot);

	deltas_merge(&authors);
	for (int i = 0; i < authors.count; i++)
	{
		if (roost_account_stat_try(authors.delta[i].id, 0, 0, authors.delta[i].n[0]))
			continue;
		roost_owner_begin(&owner, fcinfo->flinfo->fn_oid);
		roost_account_stat_add(authors.delta[i].id, 0, 0, authors.delta[i].n[0]);
	}
	deltas_merge(&posts);
	if (posts.count > 0)
		roost_owner_begin(&owner, fcinfo->flinfo->fn_oid);
	for (int i = 0; i < posts.count; i++)
		post_stat_add(&posts.delta[i]);
	roost_owner_end(&owner);
	return PointerGetDatum(NULL);
}

/*
 * roost_internal.post_like_count(): statement trigger of roost_data.post_like.
 */
Datum
roost_post_like_count(PG_FUNCTION_ARGS)
{
	int			sign;
	Tuplestorestate *rows = trigger_rows(fcinfo, &sign);
	Relation	relation = ((TriggerData *) fcinfo->context)->tg_relation;
	int			post_id = column(relation, "post_id");
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsMinimalTuple);
	DeltaList	posts = {0};

	SPI_connect();
	while (tuplestore_gettupleslot(rows, true, false, slot))
		deltas_add(&posts, slot_int64(slot, post_id), COUNT_LIKE, sign);
	ExecDropSingleTupleTableSlot(slot);
	deltas_merge(&posts);
	for (int i = 0; i < posts.count; i++)
		post_stat_add(&posts.delta[i]);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/*
 * roost_internal.post_stat_add(post_id, likes, retweets, replies, quotes)
 */
Datum
roost_post_stat_add(PG_FUNCTION_ARGS)
{
	Delta		delta = {.id = PG_GETARG_INT64(0)};

	for (int i = 0; i < COUNTS; i++)
		delta.n[i] = PG_GETARG_INT64(i + 1);
	SPI_connect();
	post_stat_add(&delta);
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * Returns the rows of the statement that fired the trigger, and whether they
 * count as more (1) or less (-1).
 */
static Tuplestorestate *
trigger_rows(FunctionCallInfo fcinfo, int *sign)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Tuplestorestate *rows = NULL;

	if (CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_AFTER(trigger->tg_event) &&
		TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
	{
		*sign = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? 1 : -1;
		rows = *sign > 0 ? trigger->tg_newtable : trigger->tg_oldtable;
	}
	if (rows == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("must be a trigger AFTER INSERT or DELETE FOR EACH STATEMENT with a transition table")));
	tuplestore_select_read_pointer(rows, tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND));
	tuplestore_rescan(rows);
	return rows;
}

static void
deltas_add(DeltaList *list, int64 id, int what, int64 n)
{
	if (list->count == list->room)
	{
		list->room = Max(list->room * 2, 8);
		list->delta = list->delta == NULL ? palloc(sizeof(Delta) * list->room) :
			repalloc_huge(list->delta, sizeof(Delta) * list->room);
	}
	list->delta[list->count] = (Delta)
	{
		.id = id
	};
	list->delta[list->count++].n[what] = n;
}

static int
delta_compare(const void *a, const void *b)
{
	int64		x = ((const Delta *) a)->id;
	int64		y = ((const Delta *) b)->id;

	return x < y ? -1 : x > y;
}

/*
 * Adds up the deltas of each id.
 */
static void
deltas_merge(DeltaList *list)
{
	int			n = 0;

	if (list->count < 2)
		return;
	qsort(list->delta, list->count, sizeof(Delta), delta_compare);
	for (int i = 1; i < list->count; i++)
	{
		if (list->delta[i].id != list->delta[n].id)
			list->delta[++n] = list->delta[i];
		else
			for (int k = 0; k < COUNTS; k++)
				list->delta[n].n[k] += list->delta[i].n[k];
	}
	list->count = n + 1;
}

/*
 * Adds to a post's counters.  A post that is gone gets no new slot: what is
 * taken away from it has been taken away with it.
 *
 * Under a fixed snapshot, adding to a slot that another transaction changed
 * since would fail; a slot of one's own never does.
 */
static void
post_stat_add(const Delta *delta)
{
	static SPIPlanPtr update = NULL;
	static SPIPlanPtr insert = NULL;
	Oid			types[6] = {INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT4OID};
	Datum		values[6] = {Int64GetDatum(delta->id)};
	int			result;

	for (int i = 0; i < COUNTS; i++)
		values[i + 1] = Int64GetDatum(delta->n[i]);

	if (!IsolationUsesXactSnapshot())
	{
		roost_plan_keep(&update,
						"UPDATE roost_data.post_stat AS s SET"
						" like_count = s.like_count OPERATOR(pg_catalog.+) $2,"
						" retweet_count = s.retweet_count OPERATOR(pg_catalog.+) $3,"
						" reply_count = s.reply_count OPERATOR(pg_catalog.+) $4,"
						" quote_count = s.quote_count OPERATOR(pg_catalog.+) $5"
						" WHERE s.post_id OPERATOR(pg_catalog.=) $1 AND s.slot OPERATOR(pg_catalog.=)"
						" (SELECT t.slot FROM roost_data.post_stat AS t WHERE t.post_id OPERATOR(pg_catalog.=) $1"
						" ORDER BY t.slot LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)",
						5, types);
		result = SPI_execute_plan(update, values, NULL, false, 0);
		if (result != SPI_OK_UPDATE)
			elog(ERROR, "could not add to counters: %s", SPI_result_code_string(result));
		if (SPI_processed > 0)
			return;
	}

	/* a random slot: those of transactions still open are unseen */
	roost_plan_keep(&insert,
					"INSERT INTO roost_data.post_stat (post_id, slot, like_count, retweet_count, reply_count, quote_count)"
					" SELECT $1, $6, $2, $3, $4, $5"
					" WHERE $2 OPERATOR(pg_catalog.+) $3 OPERATOR(pg_catalog.+) $4 OPERATOR(pg_catalog.+) $5 OPERATOR(pg_catalog.>) 0"
					" OR EXISTS (SELECT FROM roost_data.post AS p WHERE p.id OPERATOR(pg_catalog.=) $1)",
					6, types);
	values[5] = Int32GetDatum((int32) pg_prng_uint64_range(&pg_global_prng_state, 1, PG_INT32_MAX));
	result = SPI_execute_plan(insert, values, NULL, false, 0);
	if (result != SPI_OK_INSERT)
		elog(ERROR, "could not add to counters: %s", SPI_result_code_string(result));
}

/*
 * Lists a post under its hashtags.
 */
static void
hashtags_add(Datum hashtags, int64 post_id)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[2] = {TEXTARRAYOID, INT8OID};
	Datum		values[2] = {hashtags, Int64GetDatum(post_id)};
	int			result;

	roost_plan_keep(&plan,
					"INSERT INTO roost_data.post_hashtag (hashtag, post_id)"
					" SELECT DISTINCT t, $2 FROM pg_catalog.unnest($1) AS t",
					2, types);
	result = SPI_execute_plan(plan, values, NULL, false, 0);
	if (result != SPI_OK_INSERT)
		elog(ERROR, "could not list hashtags: %s", SPI_result_code_string(result));
}
