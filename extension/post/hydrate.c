/*-------------------------------------------------------------------------
 *
 * hydrate.c
 *		Puts posts together as their readers see them.
 *
 * Each post is read once with its author, its counters and what the reader has
 * done to it; the post that it retweets or quotes is a post like any other.
 * What the reader may not see is as if it did not exist.  Everything is read
 * under the caller's snapshot, so counters fit to what else it sees.  Those
 * who only want to know what can be seen get just that.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "core/core.h"
#include "post/read.h"

PG_FUNCTION_INFO_V1(roost_post_hydrate);
PG_FUNCTION_INFO_V1(roost_post_one);
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
	OUT_EMBED_COUNT,
	OUT_RETWEET_OF = OUT_EMBED_COUNT,
	OUT_QUOTE_OF,
	OUT_CURSOR,
	OUT_COUNT
} PostAttribute;

typedef struct Author
{
	bool		is_private;
	bool		active;
	text	   *username;
	Datum		composite;		/* roost.author */
} Author;

typedef struct Post
{
	int64		id;
	Author	   *author;
	Datum		values[POST_COLUMNS];
	bool		nulls[POST_COLUMNS];
	int64		counts[STAT_COLUMNS];
	bool		liked;
	bool		retweeted;
	bool		bookmarked;
} Post;

/* What has been looked up: the Author or Post of an id, or NULL for none */
typedef struct IdEntry
{
	int64		id;
	char		status;
	void	   *thing;
} IdEntry;

#define SH_PREFIX idmap
#define SH_ELEMENT_TYPE IdEntry
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) ((uint32) (((uint64) (key) * UINT64CONST(0x9E3779B97F4A7C15)) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

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

typedef struct Hydration
{
	PostReader	reader;
	int64		viewer_id;		/* 0: a stranger */
	Mark		likes;
	Mark		retweets;
	Mark		bookmarks;
	idmap_hash *authors;
	idmap_hash *posts;
	TupleDesc	desc;			/* roost.post, or NULL: only what can be seen */
	TupleDesc	embed_desc;		/* roost.post_embed */
	TupleDesc	author_desc;	/* roost.author */
	StringInfoData url;
} Hydration;

static void hydration_begin(Hydration *h, int64 viewer_id, TupleDesc desc, int size);
static void hydration_end(Hydration *h);
static bool hydrate(Hydration *h, int64 id, int64 cursor, Datum *values, bool *nulls);
static Post *post_find(Hydration *h, int64 id);
static Post *post_read(Hydration *h, int64 id);
static void post_read_counts(Hydration *h, Post *post);
static bool is_marked(Hydration *h, Mark *mark, int64 id);
static Author *author_find(Hydration *h, int64 id);
static void post_values(Hydration *h, const Post *post, Datum *values, bool *nulls);
static Datum post_embed(Hydration *h, const Post *post);
static Datum post_url(Hydration *h, const Post *post);
static Datum hydrate_one(FunctionCallInfo fcinfo, int64 viewer_id, int64 id);

/*
 * roost_internal.post_hydrate(viewer_id, ids, cursors) returns the posts that
 * the viewer may see, in the order of ids.
 */
Datum
roost_post_hydrate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	Hydration	h;
	Datum	   *ids;
	Datum	   *cursors = NULL;
	bool	   *id_nulls;
	bool	   *cursor_nulls = NULL;
	int			n = 0;
	int			ncursors = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1))
		return (Datum) 0;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &ids, &id_nulls, &n);
	if (!PG_ARGISNULL(2))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &cursors, &cursor_nulls, &ncursors);
	if (n == 0)
		return (Datum) 0;

	hydration_begin(&h, PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0), info->setDesc, n);
	for (int i = 0; i < n; i++)
	{
		Datum		values[OUT_COUNT];
		bool		nulls[OUT_COUNT];
		int64		id = DatumGetInt64(ids[i]);
		int64		cursor = i < ncursors && !cursor_nulls[i] ? DatumGetInt64(cursors[i]) : id;

		CHECK_FOR_INTERRUPTS();
		if (!id_nulls[i] && hydrate(&h, id, cursor, values, nulls))
			tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
	}
	hydration_end(&h);
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

/*
 * roost.post_get(post_id, actor_id) returns the post, or fails.
 */
Datum
roost_post_get(PG_FUNCTION_ARGS)
{
	Datum		post = 0;

	if (!PG_ARGISNULL(0))
		post = hydrate_one(fcinfo, PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1), PG_GETARG_INT64(0));
	if (PG_ARGISNULL(0) || fcinfo->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the post does not exist"),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "post_id")));
	return post;
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
	Hydration	h;
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

	hydration_begin(&h, PG_GETARG_INT64(0), NULL, n);
	for (int i = 0; i < n; i++)
	{
		Post	   *post = post_find(&h, DatumGetInt64(ids[i]));
		Datum		shown = ids[i];

		CHECK_FOR_INTERRUPTS();
		if (post == NULL)
			continue;
		if (!post->nulls[POST_RETWEET_OF_ID])
			shown = post->values[POST_RETWEET_OF_ID];
		if (post_find(&h, DatumGetInt64(shown)) == NULL)
			continue;
		(void) idmap_insert(seen, DatumGetInt64(shown), &found);
		if (found)
			continue;
		ids[num_visible] = ids[i];
		posts[num_visible++] = shown;
	}
	hydration_end(&h);
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
	TupleDesc	desc = lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
	Hydration	h;
	Datum		values[OUT_COUNT];
	bool		nulls[OUT_COUNT];
	Datum		result = 0;

	hydration_begin(&h, viewer_id, desc, 1);
	if (hydrate(&h, id, id, values, nulls))
		result = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	else
		fcinfo->isnull = true;
	hydration_end(&h);
	ReleaseTupleDesc(desc);
	return result;
}

static void
hydration_begin(Hydration *h, int64 viewer_id, TupleDesc desc, int size)
{
	if (desc != NULL && desc->natts != OUT_COUNT)
		elog(ERROR, "roost.post has %d attributes instead of %d", desc->natts, OUT_COUNT);
	memset(h, 0, sizeof(Hydration));
	roost_post_reader_begin(&h->reader);
	h->viewer_id = viewer_id;
	h->likes = (Mark) {LOOKUP_LIKE, -1, -1};
	h->retweets = (Mark) {LOOKUP_RETWEET, -1, -1};
	h->bookmarks = (Mark) {LOOKUP_BOOKMARK, -1, -1};
	h->authors = idmap_create(CurrentMemoryContext, size, NULL);
	h->posts = idmap_create(CurrentMemoryContext, size * 2, NULL);
	if (desc == NULL)
		return;
	h->desc = desc;
	h->author_desc = lookup_rowtype_tupdesc(TupleDescAttr(desc, OUT_AUTHOR)->atttypid, -1);
	h->embed_desc = lookup_rowtype_tupdesc(TupleDescAttr(desc, OUT_QUOTE_OF)->atttypid, -1);
	initStringInfo(&h->url);
}

static void
hydration_end(Hydration *h)
{
	if (h->desc != NULL)
	{
		ReleaseTupleDesc(h->embed_desc);
		ReleaseTupleDesc(h->author_desc);
	}
	roost_post_reader_end(&h->reader);
}

/*
 * Fills in the attributes of roost.post, and returns whether there is anything
 * to be seen.
 */
static bool
hydrate(Hydration *h, int64 id, int64 cursor, Datum *values, bool *nulls)
{
	Post	   *post = post_find(h, id);
	Post	   *other;

	if (post == NULL)
		return false;
	post_values(h, post, values, nulls);
	nulls[OUT_RETWEET_OF] = nulls[OUT_QUOTE_OF] = true;
	if (!post->nulls[POST_RETWEET_OF_ID])
	{
		other = post_find(h, DatumGetInt64(post->values[POST_RETWEET_OF_ID]));
		if (other == NULL)
			return false;
		values[OUT_RETWEET_OF] = post_embed(h, other);
		nulls[OUT_RETWEET_OF] = false;
	}
	if (!post->nulls[POST_QUOTE_OF_ID] &&
		(other = post_find(h, DatumGetInt64(post->values[POST_QUOTE_OF_ID]))) != NULL)
	{
		values[OUT_QUOTE_OF] = post_embed(h, other);
		nulls[OUT_QUOTE_OF] = false;
	}
	values[OUT_CURSOR] = Int64GetDatum(cursor);
	nulls[OUT_CURSOR] = false;
	return true;
}

/*
 * Returns the post if the viewer may see it, or NULL.
 */
static Post *
post_find(Hydration *h, int64 id)
{
	bool		found;
	IdEntry    *entry = idmap_insert(h->posts, id, &found);

	if (!found)
		entry->thing = post_read(h, id);
	return entry->thing;
}

/*
 * Copies a row and takes it apart: the columns in the order of their enum.
 */
static void
row_read(PostLookup what, int ncolumns, TupleTableSlot *slot, Datum *values, bool *nulls)
{
	const AttrNumber *columns = roost_post_columns(what);
	TupleDesc	desc = slot->tts_tupleDescriptor;
	Datum	   *all_values = palloc(sizeof(Datum) * desc->natts);
	bool	   *all_nulls = palloc(sizeof(bool) * desc->natts);

	heap_deform_tuple(ExecCopySlotHeapTuple(slot), desc, all_values, all_nulls);
	for (int i = 0; i < ncolumns; i++)
	{
		values[i] = all_values[columns[i] - 1];
		nulls[i] = all_nulls[columns[i] - 1];
	}
	pfree(all_values);
	pfree(all_nulls);
}

static Post *
post_read(Hydration *h, int64 id)
{
	TupleTableSlot *slot = roost_post_read(&h->reader, LOOKUP_POST, 1, id, 0);
	Post	   *post;

	if (slot == NULL)
		return NULL;
	post = palloc0(sizeof(Post));
	post->id = id;
	row_read(LOOKUP_POST, POST_COLUMNS, slot, post->values, post->nulls);
	post->author = author_find(h, DatumGetInt64(post->values[POST_AUTHOR_ID]));
	if (post->author == NULL ||
		!roost_post_may_see(&h->reader, h->viewer_id, DatumGetInt64(post->values[POST_AUTHOR_ID]),
							DatumGetObjectId(post->values[POST_VISIBILITY]),
							post->nulls[POST_MENTION_IDS] ? (Datum) 0 : post->values[POST_MENTION_IDS],
							post->author->is_private, post->author->active))
		return NULL;
	if (h->desc != NULL && post->nulls[POST_RETWEET_OF_ID])
		post_read_counts(h, post);	/* else they are the original's */
	return post;
}

/*
 * Reads a post's counters, and what the viewer has done to it.
 */
static void
post_read_counts(Hydration *h, Post *post)
{
	PostReader *reader = &h->reader;
	TupleTableSlot *slot = roost_post_read(reader, LOOKUP_STAT, 1, post->id, 0);
	const AttrNumber *columns = roost_post_columns(LOOKUP_STAT);

	for (; slot != NULL; slot = roost_post_read_next(reader, LOOKUP_STAT))
	{
		bool		isnull;

		for (int i = 0; i < STAT_COLUMNS; i++)
			post->counts[i] += DatumGetInt64(slot_getattr(slot, columns[i], &isnull));
	}
	if (h->viewer_id == 0)
		return;
	post->bookmarked = is_marked(h, &h->bookmarks, post->id);
	post->liked = post->counts[STAT_LIKE_COUNT] > 0 && is_marked(h, &h->likes, post->id);
	post->retweeted = post->counts[STAT_RETWEET_COUNT] > 0 && is_marked(h, &h->retweets, post->id);
}

static bool
is_marked(Hydration *h, Mark *mark, int64 id)
{
	if (id > mark->from || id < mark->last)
	{
		mark->last = roost_post_read_below(&h->reader, mark->what, h->viewer_id, id);
		mark->from = id;
	}
	return id == mark->last;
}

/*
 * Returns the account, or NULL.
 */
static Author *
author_find(Hydration *h, int64 id)
{
	bool		found;
	IdEntry    *entry = idmap_insert(h->authors, id, &found);
	TupleTableSlot *slot;
	Datum		account[ACCOUNT_COLUMNS];
	bool		account_nulls[ACCOUNT_COLUMNS];
	Author	   *author;
	text	   *status;

	if (found)
		return entry->thing;
	entry->thing = NULL;
	slot = roost_post_read(&h->reader, LOOKUP_ACCOUNT, 1, id, 0);
	if (slot == NULL)
		return NULL;

	row_read(LOOKUP_ACCOUNT, ACCOUNT_COLUMNS, slot, account, account_nulls);
	author = entry->thing = palloc(sizeof(Author));
	author->is_private = DatumGetBool(account[ACCOUNT_IS_PRIVATE]);
	status = DatumGetTextPP(account[ACCOUNT_STATUS]);
	author->active = VARSIZE_ANY_EXHDR(status) == strlen("active") &&
		memcmp(VARDATA_ANY(status), "active", strlen("active")) == 0;
	author->username = DatumGetTextPP(account[ACCOUNT_USERNAME]);
	if (h->desc != NULL)
		author->composite = HeapTupleGetDatum(heap_form_tuple(h->author_desc, account, account_nulls));
	return author;
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
post_values(Hydration *h, const Post *post, Datum *values, bool *nulls)
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

	memset(nulls, false, OUT_EMBED_COUNT);
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
	values[OUT_AUTHOR] = post->author->composite;
	for (int i = 0; i < STAT_COLUMNS; i++)
		values[OUT_LIKE_COUNT + i] = Int64GetDatum(post->counts[i]);
	values[OUT_LIKED] = BoolGetDatum(post->liked);
	values[OUT_RETWEETED] = BoolGetDatum(post->retweeted);
	values[OUT_BOOKMARKED] = BoolGetDatum(post->bookmarked);
	values[OUT_PINNED] = BoolGetDatum(!post->nulls[POST_PINNED_AT]);
	values[OUT_URL] = post_url(h, post);
}

/*
 * Returns the post as roost.post_embed.
 */
static Datum
post_embed(Hydration *h, const Post *post)
{
	Datum		values[OUT_EMBED_COUNT];
	bool		nulls[OUT_EMBED_COUNT];

	post_values(h, post, values, nulls);
	return HeapTupleGetDatum(heap_form_tuple(h->embed_desc, values, nulls));
}

/*
 * Returns the permalink.  It does not repeat a text behind a warning.
 */
static Datum
post_url(Hydration *h, const Post *post)
{
	text	   *value = NULL;
	int			length = strlen(roost_public_url);

	if (post->nulls[POST_CONTENT_WARNING])
		value = DatumGetTextPP(post->values[POST_TEXT]);
	while (length > 0 && roost_public_url[length - 1] == '/')
		length--;
	resetStringInfo(&h->url);
	appendBinaryStringInfo(&h->url, roost_public_url, length);
	roost_post_path(&h->url, VARDATA_ANY(post->author->username), VARSIZE_ANY_EXHDR(post->author->username),
					post->id, value ? VARDATA_ANY(value) : "", value ? VARSIZE_ANY_EXHDR(value) : 0);
	return PointerGetDatum(cstring_to_text_with_len(h->url.data, h->url.len));
}
