/*-------------------------------------------------------------------------
 *
 * hydrate.c
 *		Posts as composites, for SQL.
 *
 * A post is put together with its author, its counters and what the reader has
 * done to it; the post that it retweets or quotes is a post like any other.
 * What the reader may not see is as if it did not exist.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "api/items.h"
#include "post/view.h"

PG_FUNCTION_INFO_V1(roost_post_hydrate);
PG_FUNCTION_INFO_V1(roost_post_page);
PG_FUNCTION_INFO_V1(roost_post_one);
PG_FUNCTION_INFO_V1(roost_post_done);
PG_FUNCTION_INFO_V1(roost_post_get);
PG_FUNCTION_INFO_V1(roost_post_visible);

/* Attributes of roost.post_embed, and those that roost.post has in addition */
typedef enum PostAttribute
{
	OUT_ID,
	OUT_AUTHOR,
	OUT_TEXT,
	OUT_CREATED_AT,
	OUT_EDITED_AT,
	OUT_VISIBILITY,
	OUT_REPLY_TO_ID,
	OUT_REPLY_TO_ACCOUNT_ID,
	OUT_THREAD_ID,
	OUT_QUOTE_OF_ID,
	OUT_LIKE_COUNT,
	OUT_RETWEET_COUNT,
	OUT_REPLY_COUNT,
	OUT_QUOTE_COUNT,
	OUT_LIKED,
	OUT_RETWEETED,
	OUT_BOOKMARKED,
	OUT_PINNED,
	OUT_MENTIONS,
	OUT_HASHTAGS,
	OUT_URLS,
	OUT_MEDIA,
	OUT_LANGUAGE,
	OUT_CONTENT_WARNING,
	OUT_URL,
	OUT_SAME_COUNT,				/* roost.post_embed has state and labels next */
	OUT_RETWEET_OF = OUT_SAME_COUNT,
	OUT_QUOTE_OF,
	OUT_CURSOR,
	OUT_STATE,
	OUT_LABELS,
	OUT_COUNT
} PostAttribute;

#define OUT_EMBED_COUNT	(OUT_SAME_COUNT + 2)

StaticAssertDecl(OUT_COUNT == ROOST_PAGE_ATTRIBUTES, "attributes of roost.post");

static int	hydrate_arguments(FunctionCallInfo fcinfo, int64 **ids, int64 **cursors);
static void hydrate_rows(FunctionCallInfo fcinfo, RoostPage *page, const int64 *ids, const int64 *cursors, int n);
static Datum hydrate_one(FunctionCallInfo fcinfo, int64 viewer_id, int64 id);
static void hydrate_describe(RoostPage *page, TupleDesc desc);
static void hydrate_values(RoostPage *page, Post *post, Datum *values, bool *nulls);
static void hydrate_state(RoostPage *page, const Post *post, Datum *values, bool *nulls);
static Datum hydrate_author(RoostPage *page, Author *author);
static Datum hydrate_embed(RoostPage *page, Post *post);

/*
 * roost_internal.post_hydrate(viewer_id, ids, cursors) returns the posts that
 * the viewer may see, in the order of ids.
 */
Datum
roost_post_hydrate(PG_FUNCTION_ARGS)
{
	RoostPage  *page;
	int64	   *ids = NULL;
	int64	   *cursors = NULL;
	int			n = hydrate_arguments(fcinfo, &ids, &cursors);

	page = roost_page_begin(PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0));
	hydrate_rows(fcinfo, page, ids, cursors, n);
	roost_page_end(page);
	return (Datum) 0;
}

/*
 * roost_internal.post_page(viewer_id, ids, cursors) is the same for functions
 * behind routes that return its rows as they are.
 */
Datum
roost_post_page(PG_FUNCTION_ARGS)
{
	RoostPage  *page;
	int64	   *ids = NULL;
	int64	   *cursors = NULL;
	int			n = hydrate_arguments(fcinfo, &ids, &cursors);

	page = roost_page_begin(PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0));
	roost_page_return(fcinfo, page, ids, cursors, n);
	roost_page_end(page);
	return (Datum) 0;
}

/*
 * Returns the number of ids, which are put into *ids with the cursors beside
 * them.
 */
static int
hydrate_arguments(FunctionCallInfo fcinfo, int64 **ids, int64 **cursors)
{
	Datum	   *values;
	Datum	   *positions = NULL;
	bool	   *nulls;
	bool	   *position_nulls = NULL;
	int			n;
	int			num_positions = 0;
	int			count = 0;

	if (PG_ARGISNULL(1))
		return 0;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	if (!PG_ARGISNULL(2))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &positions, &position_nulls, &num_positions);
	*ids = palloc(sizeof(int64) * Max(n, 1));
	*cursors = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			continue;
		(*ids)[count] = DatumGetInt64(values[i]);
		(*cursors)[count++] = DatumGetInt64(i < num_positions && !position_nulls[i] ? positions[i] : values[i]);
	}
	return count;
}

/*
 * Returns posts as a set of composites.
 */
static void
hydrate_rows(FunctionCallInfo fcinfo, RoostPage *page, const int64 *ids, const int64 *cursors, int n)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[OUT_COUNT];
	bool		nulls[OUT_COUNT];

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (roost_page_row(page, info->setDesc, ids[i], cursors ? cursors[i] : ids[i], values, nulls))
			tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
	}
}

/*
 * Returns posts as JSON where a request takes that, or as a set of composites.
 */
Datum
roost_page_return(FunctionCallInfo fcinfo, RoostPage *page, const int64 *ids, const int64 *cursors, int n)
{
	RoostItems *items = roost_items_begin(fcinfo);

	if (items == NULL)
	{
		hydrate_rows(fcinfo, page, ids, cursors, n);
		return (Datum) 0;
	}
	roost_page_expect(page, ids, n);
	for (int i = 0; i < n; i++)
	{
		StringInfo	out;

		CHECK_FOR_INTERRUPTS();
		if (!roost_page_shows(page, ids[i]))
			continue;
		if ((out = roost_items_next(items)) == NULL)
			break;
		roost_page_json(page, ids[i], out);
		roost_items_end(items, cursors ? cursors[i] : ids[i]);
	}
	return (Datum) 0;
}

/*
 * roost_internal.post_one(viewer_id, post_id) returns the post, or NULL.
 */
Datum
roost_post_one(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	return hydrate_one(fcinfo, PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0), PG_GETARG_INT64(1));
}

/* The post as the viewer (0: a stranger) sees it; an error if it does not. */
static Datum
hydrate_required(FunctionCallInfo fcinfo, bool given, int64 viewer_id, int64 post_id)
{
	Datum		post = 0;

	if (given)
		post = hydrate_one(fcinfo, viewer_id, post_id);
	if (!given || fcinfo->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the post does not exist"),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "post_id")));
	return post;
}

/*
 * roost_internal.post_done(viewer_id, post_id) is what a function returns that
 * did something to a post: it fails, and with it what was done, if the viewer
 * has lost sight of the post since the function looked.
 */
Datum
roost_post_done(PG_FUNCTION_ARGS)
{
	return hydrate_required(fcinfo, !PG_ARGISNULL(1), PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0),
							PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1));
}

/*
 * roost.post_get(post_id, actor_id) returns the post, or fails.
 */
Datum
roost_post_get(PG_FUNCTION_ARGS)
{
	return hydrate_required(fcinfo, !PG_ARGISNULL(0), PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1),
							PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0));
}

/*
 * roost_internal.post_visible(viewer_id, ids, seen) returns the ids that the
 * viewer may see, in their order, and the posts that they show (another one
 * for a retweet), without posts that have been seen, each once.
 */
Datum
roost_post_visible(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	RoostPage  *page;
	idmap_hash *seen;
	Datum	   *ids;
	Datum	   *seen_ids;
	Datum	   *posts;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	bool		found;
	int			n;
	int			num_seen;
	int			num_visible = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != lengthof(values))
		elog(ERROR, "post_visible must return two columns");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &ids, NULL, &n);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &seen_ids, NULL, &num_seen);
	posts = palloc(sizeof(Datum) * Max(n, 1));
	seen = idmap_create(CurrentMemoryContext, n + num_seen, NULL);
	for (int i = 0; i < num_seen; i++)
		(void) idmap_insert(seen, DatumGetInt64(seen_ids[i]), &found);

	page = roost_page_begin(PG_GETARG_INT64(0));
	for (int i = 0; i < n; i++)
	{
		const RoostPostFacts *post = roost_page_find(page, DatumGetInt64(ids[i]));
		Datum		shown = ids[i];

		CHECK_FOR_INTERRUPTS();
		if (post == NULL)
			continue;
		if (post->retweet_of_id != 0)
			shown = Int64GetDatum(post->retweet_of_id);
		if (roost_page_find(page, DatumGetInt64(shown)) == NULL)
			continue;
		(void) idmap_insert(seen, DatumGetInt64(shown), &found);
		if (found)
			continue;
		ids[num_visible] = ids[i];
		posts[num_visible++] = shown;
	}
	roost_page_end(page);
	values[0] = PointerGetDatum(construct_array(ids, num_visible, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[1] = PointerGetDatum(construct_array(posts, num_visible, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*
 * Returns one post as a composite, or NULL.
 */
static Datum
hydrate_one(FunctionCallInfo fcinfo, int64 viewer_id, int64 id)
{
	RoostPage  *page = roost_page_begin(viewer_id);
	StringInfo	out;
	TupleDesc	desc;
	Datum		values[OUT_COUNT];
	bool		nulls[OUT_COUNT];
	Datum		result = 0;

	if (roost_page_shows(page, id) && (out = roost_items_value(fcinfo)) != NULL)
	{
		roost_page_json(page, id, out);
		roost_page_end(page);
		return result;
	}
	desc = lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
	if (roost_page_row(page, desc, id, id, values, nulls))
		result = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	else
		fcinfo->isnull = true;
	roost_page_end(page);
	ReleaseTupleDesc(desc);
	return result;
}

/*
 * Fills in the attributes of roost.post, and returns whether there is anything
 * to be seen.
 */
bool
roost_page_row(RoostPage *page, TupleDesc desc, int64 id, int64 cursor, Datum *values, bool *nulls)
{
	Post	   *post = roost_view_post(page, id);
	Post	   *other;

	if (!roost_page_shows(page, id) || !roost_view_load(page, post))
		return false;
	hydrate_describe(page, desc);
	hydrate_values(page, post, values, nulls);
	other = post->facts.retweet_of_id != 0 ? roost_view_post(page, post->facts.retweet_of_id) : NULL;
	nulls[OUT_RETWEET_OF] = other == NULL || !roost_view_load(page, other);
	if (!nulls[OUT_RETWEET_OF])
		values[OUT_RETWEET_OF] = hydrate_embed(page, other);
	other = post->facts.quote_of_id != 0 ? roost_view_post(page, post->facts.quote_of_id) : NULL;
	nulls[OUT_QUOTE_OF] = other == NULL || !roost_view_load(page, other);
	if (!nulls[OUT_QUOTE_OF])
		values[OUT_QUOTE_OF] = hydrate_embed(page, other);
	values[OUT_CURSOR] = Int64GetDatum(cursor);
	nulls[OUT_CURSOR] = false;
	if (desc->natts == OUT_COUNT)
		hydrate_state(page, post, &values[OUT_STATE], &nulls[OUT_STATE]);
	return true;
}

/*
 * Looks the types of the parts up, once a page.
 */
static void
hydrate_describe(RoostPage *page, TupleDesc desc)
{
	if (page->author_desc != NULL)
		return;
	/* before the extension is updated, a post has no state */
	if (desc->natts != OUT_COUNT && desc->natts != OUT_STATE)
		elog(ERROR, "roost.post has %d attributes instead of %d", desc->natts, OUT_COUNT);
	page->author_desc = lookup_rowtype_tupdesc(TupleDescAttr(desc, OUT_AUTHOR)->atttypid, -1);
	page->embed_desc = lookup_rowtype_tupdesc(TupleDescAttr(desc, OUT_QUOTE_OF)->atttypid, -1);
}

/*
 * Returns the empty list that stands for what a post has none of; they live as
 * long as the backend.
 */
static Datum
empty_json(void)
{
	static Datum empty = 0;

	if (empty == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		empty = DirectFunctionCall1(jsonb_in, CStringGetDatum("[]"));
		MemoryContextSwitchTo(old);
	}
	return empty;
}

static Datum
empty_array(void)
{
	static ArrayType *empty = NULL;

	if (empty == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		empty = construct_empty_array(TEXTOID);
		MemoryContextSwitchTo(old);
	}
	return PointerGetDatum(empty);
}

/*
 * Fills in the attributes that roost.post and roost.post_embed share.
 */
static void
hydrate_values(RoostPage *page, Post *post, Datum *values, bool *nulls)
{
	static const struct
	{
		PostAttribute out;
		PostColumn	column;
	}			same[] = {
		{OUT_ID, POST_ID},
		{OUT_TEXT, POST_TEXT},
		{OUT_CREATED_AT, POST_CREATED_AT},
		{OUT_EDITED_AT, POST_EDITED_AT},
		{OUT_VISIBILITY, POST_VISIBILITY},
		{OUT_REPLY_TO_ID, POST_REPLY_TO_ID},
		{OUT_REPLY_TO_ACCOUNT_ID, POST_REPLY_TO_ACCOUNT_ID},
		{OUT_THREAD_ID, POST_THREAD_ID},
		{OUT_QUOTE_OF_ID, POST_QUOTE_OF_ID},
		{OUT_MENTIONS, POST_MENTIONS},
		{OUT_HASHTAGS, POST_HASHTAGS},
		{OUT_URLS, POST_URLS},
		{OUT_MEDIA, POST_MEDIA},
		{OUT_LANGUAGE, POST_LANGUAGE},
		{OUT_CONTENT_WARNING, POST_CONTENT_WARNING},
	};

	memset(nulls, false, sizeof(bool) * OUT_SAME_COUNT);
	for (int i = 0; i < lengthof(same); i++)
	{
		values[same[i].out] = post->values[same[i].column];
		nulls[same[i].out] = post->nulls[same[i].column];
	}
	for (int i = OUT_MENTIONS; i <= OUT_MEDIA; i++)
		if (nulls[i])
		{
			values[i] = i == OUT_HASHTAGS ? empty_array() : empty_json();
			nulls[i] = false;
		}
	roost_view_count(page, post);
	values[OUT_AUTHOR] = hydrate_author(page, post->author);
	for (int i = 0; i < STAT_COLUMNS; i++)
		values[OUT_LIKE_COUNT + i] = Int64GetDatum(post->counts[i]);
	values[OUT_LIKED] = BoolGetDatum(post->liked);
	values[OUT_RETWEETED] = BoolGetDatum(post->retweeted);
	values[OUT_BOOKMARKED] = BoolGetDatum(post->bookmarked);
	values[OUT_PINNED] = BoolGetDatum(!post->nulls[POST_PINNED_AT]);
	if (page->url.data == NULL)
		initStringInfo(&page->url);
	resetStringInfo(&page->url);
	roost_view_address(&page->url);
	roost_view_path(post, &page->url);
	values[OUT_URL] = PointerGetDatum(cstring_to_text_with_len(page->url.data, page->url.len));
}

/*
 * Fills in the state and the labels of a post, which stand next to each other.
 * Nobody is told that a post is limited.
 */
static void
hydrate_state(RoostPage *page, const Post *post, Datum *values, bool *nulls)
{
	values[0] = post->values[POST_STATE];
	if (post->nulls[POST_STATE] || roost_post_enum_letter(DatumGetObjectId(values[0])) == 'l')
	{
		if (page->visible == (Datum) 0)
			page->visible = OidFunctionCall3(F_ENUM_IN, CStringGetDatum("visible"),
											 ObjectIdGetDatum(TupleDescAttr(page->embed_desc, OUT_SAME_COUNT)->atttypid),
											 Int32GetDatum(-1));
		values[0] = page->visible;
	}
	values[1] = post->nulls[POST_LABELS] ? empty_array() : post->values[POST_LABELS];
	nulls[0] = nulls[1] = false;
}

/*
 * Returns an account as roost.author.
 */
static Datum
hydrate_author(RoostPage *page, Author *author)
{
	if (author->composite == (Datum) 0)
	{
		MemoryContext caller = MemoryContextSwitchTo(page->context);

		author->composite = HeapTupleGetDatum(heap_form_tuple(page->author_desc, author->values, author->nulls));
		MemoryContextSwitchTo(caller);
	}
	return author->composite;
}

/*
 * Returns a post as roost.post_embed.
 */
static Datum
hydrate_embed(RoostPage *page, Post *post)
{
	Datum		values[OUT_EMBED_COUNT];
	bool		nulls[OUT_EMBED_COUNT];

	hydrate_values(page, post, values, nulls);
	if (page->embed_desc->natts == OUT_EMBED_COUNT)
		hydrate_state(page, post, &values[OUT_SAME_COUNT], &nulls[OUT_SAME_COUNT]);
	return HeapTupleGetDatum(heap_form_tuple(page->embed_desc, values, nulls));
}
