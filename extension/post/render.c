/*-------------------------------------------------------------------------
 *
 * render.c
 *		Posts as JSON, without composites in between.
 *
 * What is written is byte for byte what core/json.c writes of roost.post.
 *
 * A post is rendered once for everybody, with gaps for its counters and what
 * the viewer has done to it, and for the site's address, which may be set
 * anew.  What is written for a viewer is put together from such copies, those
 * of this page and those in shared memory alike.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "core/json.h"
#include "core/stamp.h"
#include "post/view.h"

PG_FUNCTION_INFO_V1(roost_post_hydrate_json);

#define LITERAL(out, text) appendBinaryStringInfo(out, text, sizeof(text) - 1)

static void render_embed(RoostPage *page, Post *post, StringInfo out);
static void render_rest(const Post *post, StringInfo out);
static void render_state(const Post *post, StringInfo out);
static void render_address(StringInfo out);
static void render_keep(RoostPage *page, Post *post);
static void render_head(const Post *post, StringInfo out);
static void render_counts(const Post *post, StringInfo out);
static void render_tail(const Post *post, StringInfo out);

/*
 * roost_internal.post_hydrate_json(viewer_id, ids) returns the posts that the
 * viewer may see, in the order of ids, as a JSON array.
 */
Datum
roost_post_hydrate_json(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	RoostPage  *page;
	Datum	   *ids;
	bool	   *nulls;
	int			n;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	appendStringInfoCharMacro(&out, '[');
	if (!PG_ARGISNULL(1))
	{
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &ids, &nulls, &n);
		page = roost_page_begin(PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0));
		roost_page_expect(page, (int64 *) ids, n);
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!nulls[i] && roost_page_json(page, DatumGetInt64(ids[i]), &out))
				appendStringInfoCharMacro(&out, ',');
		}
		roost_page_end(page);
		if (out.data[out.len - 1] == ',')
			out.len--;
	}
	appendStringInfoCharMacro(&out, ']');
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_TEXT_P(out.data);
}

/*
 * Appends the post as an object; false: nothing to be seen.
 */
bool
roost_page_json(RoostPage *page, int64 id, StringInfo out)
{
	Post	   *post = roost_view_post(page, id);
	Post	   *retweeted = NULL;
	Post	   *quoted = NULL;

	if (!roost_page_shows(page, id))
		return false;
	if (post->facts.retweet_of_id != 0)
		retweeted = roost_view_post(page, post->facts.retweet_of_id);
	if (post->facts.quote_of_id != 0)
		quoted = roost_view_post(page, post->facts.quote_of_id);
	if (quoted != NULL && page->neutral && (!quoted->everyone || roost_page_has_blocks(page, quoted->facts.author_id)))
		quoted = NULL;
	if (page->address.data == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(page->context);

		initStringInfo(&page->address);
		render_address(&page->address);
		MemoryContextSwitchTo(caller);
	}
	render_embed(page, post, out);
	if (retweeted == NULL && quoted == NULL)
	{
		LITERAL(out, ",\"retweet_of\":null,\"quote_of\":null");
		render_rest(post, out);
		return true;
	}
	LITERAL(out, ",\"retweet_of\":");
	if (retweeted != NULL)
	{
		render_embed(page, retweeted, out);
		render_rest(retweeted, out);
	}
	else
		LITERAL(out, "null");
	LITERAL(out, ",\"quote_of\":");
	if (quoted != NULL)
	{
		render_embed(page, quoted, out);
		render_rest(quoted, out);
	}
	else
		LITERAL(out, "null");
	render_rest(post, out);
	return true;
}

/*
 * Appends what roost.post and roost.post_embed have first.
 */
static void
render_embed(RoostPage *page, Post *post, StringInfo out)
{
	const PostCopy *copy;
	const char *json;

	if (post->copy == NULL)
		roost_view_render(page, post);
	roost_view_count(page, post);
	copy = post->copy;
	json = POST_COPY_JSON(copy);
	appendBinaryStringInfo(out, json, copy->gap);
	render_counts(post, out);
	appendBinaryStringInfo(out, json + copy->gap, copy->address - copy->gap);
	appendBinaryStringInfo(out, page->address.data, page->address.len);
	appendBinaryStringInfo(out, json + copy->address, copy->rest - copy->address);
}

/*
 * Appends what they have last, with the brace.
 */
static void
render_rest(const Post *post, StringInfo out)
{
	appendBinaryStringInfo(out, POST_COPY_JSON(post->copy) + post->copy->rest, post->copy->length - post->copy->rest);
}

/*
 * Appends the site's address as a part of a JSON string.
 */
static void
render_address(StringInfo out)
{
	StringInfoData plain;
	StringInfoData quoted;

	initStringInfo(&plain);
	initStringInfo(&quoted);
	roost_view_address(&plain);
	roost_json_string(&quoted, plain.data, plain.len);
	appendBinaryStringInfo(out, quoted.data + 1, quoted.len - 2);
}

/*
 * Renders a post, and keeps what it looks like.
 */
void
roost_view_render(RoostPage *page, Post *post)
{
	MemoryContext caller = MemoryContextSwitchTo(page->context);
	StringInfo	out = &page->scratch;
	PostCopy	head = {.facts = post->facts};
	PostRule	rule;
	int			base;

	roost_view_rule(post, &rule);
	head.is_private = rule.is_private;
	head.is_limited = rule.is_limited;
	head.visibility = rule.visibility;
	head.state = rule.state;
	head.num_mentions = rule.num_mentions;
	head.everyone = roost_post_judge(&rule, 0) == POST_SEEN;
	if (out->data == NULL)
		initStringInfo(out);
	resetStringInfo(out);
	appendStringInfoSpaces(out, MAXALIGN(sizeof(PostCopy)));
	appendBinaryStringInfo(out, (const char *) rule.mention_ids, head.num_mentions * sizeof(int64));
	base = out->len;
	render_head(post, out);
	head.gap = out->len - base;
	render_tail(post, out);

	/* the path is a string of its own; the address comes behind its quote */
	if (page->url.data == NULL)
		initStringInfo(&page->url);
	resetStringInfo(&page->url);
	roost_view_path(post, &page->url);
	head.address = out->len - base + 1;
	roost_json_string(out, page->url.data, page->url.len);
	head.rest = out->len - base;
	render_state(post, out);
	head.length = out->len - base;
	head.size = out->len;
	memcpy(out->data, &head, sizeof(PostCopy));
	post->copy = palloc(out->len);
	memcpy(post->copy, out->data, out->len);
	MemoryContextSwitchTo(caller);
	if (page->cache.on)
		render_keep(page, post);
}

/*
 * Puts a post into shared memory if it is what other snapshots may show, too.
 */
static void
render_keep(RoostPage *page, Post *post)
{
	PostCopy   *copy = post->copy;
	Snapshot	snapshot = page->reader.snapshot;

	if (!roost_stamp_read(ROOST_STAMP_POST, copy->facts.id, snapshot, &copy->post_version) ||
		!roost_stamp_read(ROOST_STAMP_ACCOUNT, copy->facts.author_id, snapshot, &copy->account_version))
		return;
	roost_view_count(page, post);
	memcpy(copy->counts, post->counts, sizeof(copy->counts));
	copy->counted = roost_stamp_read(ROOST_STAMP_COUNT, copy->facts.id, snapshot, &copy->count_version);
	roost_post_cache_store(&page->cache, copy);
}

/* Appends an id, or null. */
static void
render_id(StringInfo out, const Post *post, PostColumn column)
{
	if (post->nulls[column])
		LITERAL(out, "null");
	else
	{
		appendStringInfoCharMacro(out, '"');
		roost_json_int64(out, DatumGetInt64(post->values[column]));
		appendStringInfoCharMacro(out, '"');
	}
}

/* Appends a text, or null. */
static void
render_text(StringInfo out, Datum value, bool isnull)
{
	text	   *string;

	if (isnull)
	{
		LITERAL(out, "null");
		return;
	}
	string = DatumGetTextPP(value);
	roost_json_string(out, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
}

/* Appends a point in time, or null. */
static void
render_time(StringInfo out, const Post *post, PostColumn column)
{
	if (post->nulls[column])
		LITERAL(out, "null");
	else
		roost_json_timestamptz(out, DatumGetTimestampTz(post->values[column]));
}

/* Appends a list; a post without one has an empty one. */
static void
render_list(StringInfo out, const Post *post, PostColumn column)
{
	if (post->nulls[column])
		LITERAL(out, "[]");
	else
		roost_json_value(out, roost_json_plan(column == POST_HASHTAGS || column == POST_LABELS ? TEXTARRAYOID : JSONBOID),
						 post->values[column], false);
}

/*
 * Appends what comes before the counters.
 */
static void
render_head(const Post *post, StringInfo out)
{
	char	   *visibility = DatumGetCString(DirectFunctionCall1(enum_out, post->values[POST_VISIBILITY]));

	LITERAL(out, "{\"id\":");
	render_id(out, post, POST_ID);
	LITERAL(out, ",\"author\":");
	roost_view_render_author(post->author, out);
	LITERAL(out, ",\"text\":");
	render_text(out, post->values[POST_TEXT], post->nulls[POST_TEXT]);
	LITERAL(out, ",\"created_at\":");
	render_time(out, post, POST_CREATED_AT);
	LITERAL(out, ",\"edited_at\":");
	render_time(out, post, POST_EDITED_AT);
	LITERAL(out, ",\"visibility\":");
	roost_json_string(out, visibility, strlen(visibility));
	pfree(visibility);
	LITERAL(out, ",\"reply_to_id\":");
	render_id(out, post, POST_REPLY_TO_ID);
	LITERAL(out, ",\"reply_to_account_id\":");
	render_id(out, post, POST_REPLY_TO_ACCOUNT_ID);
	LITERAL(out, ",\"thread_id\":");
	render_id(out, post, POST_THREAD_ID);
	LITERAL(out, ",\"quote_of_id\":");
	render_id(out, post, POST_QUOTE_OF_ID);
}

/*
 * Appends an account as roost.author.
 */
void
roost_view_render_author(const Author *author, StringInfo out)
{
	LITERAL(out, "{\"id\":\"");
	roost_json_int64(out, DatumGetInt64(author->values[ACCOUNT_ID]));
	LITERAL(out, "\",\"username\":");
	render_text(out, author->values[ACCOUNT_USERNAME], author->nulls[ACCOUNT_USERNAME]);
	LITERAL(out, ",\"display_name\":");
	render_text(out, author->values[ACCOUNT_DISPLAY_NAME], author->nulls[ACCOUNT_DISPLAY_NAME]);
	LITERAL(out, ",\"avatar_url\":");
	render_text(out, author->values[ACCOUNT_AVATAR_URL], author->nulls[ACCOUNT_AVATAR_URL]);
	appendStringInfoCharMacro(out, '}');
}

/* Appends a boolean. */
static void
render_bool(StringInfo out, bool value)
{
	if (value)
		LITERAL(out, "true");
	else
		LITERAL(out, "false");
}

/*
 * Appends the counters, and what the viewer has done to the post.
 */
static void
render_counts(const Post *post, StringInfo out)
{
	LITERAL(out, ",\"like_count\":");
	roost_json_int64(out, post->counts[STAT_LIKE_COUNT]);
	LITERAL(out, ",\"retweet_count\":");
	roost_json_int64(out, post->counts[STAT_RETWEET_COUNT]);
	LITERAL(out, ",\"reply_count\":");
	roost_json_int64(out, post->counts[STAT_REPLY_COUNT]);
	LITERAL(out, ",\"quote_count\":");
	roost_json_int64(out, post->counts[STAT_QUOTE_COUNT]);
	LITERAL(out, ",\"liked\":");
	render_bool(out, post->liked);
	LITERAL(out, ",\"retweeted\":");
	render_bool(out, post->retweeted);
	LITERAL(out, ",\"bookmarked\":");
	render_bool(out, post->bookmarked);
}

/*
 * Appends what comes last, with the brace.  Nobody is told that a post is
 * limited.
 */
static void
render_state(const Post *post, StringInfo out)
{
	char		letter = roost_post_state_letter(post->values[POST_STATE], post->nulls[POST_STATE]);

	LITERAL(out, ",\"state\":\"");
	if (letter == 'v' || letter == 'l')
		LITERAL(out, "visible");
	else
		appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(enum_out, post->values[POST_STATE])));
	LITERAL(out, "\",\"labels\":");
	render_list(out, post, POST_LABELS);
	LITERAL(out, "}");
}

/*
 * Appends what comes after the counters, up to the permalink.
 */
static void
render_tail(const Post *post, StringInfo out)
{
	LITERAL(out, ",\"pinned\":");
	render_bool(out, !post->nulls[POST_PINNED_AT]);
	LITERAL(out, ",\"mentions\":");
	render_list(out, post, POST_MENTIONS);
	LITERAL(out, ",\"hashtags\":");
	render_list(out, post, POST_HASHTAGS);
	LITERAL(out, ",\"urls\":");
	render_list(out, post, POST_URLS);
	LITERAL(out, ",\"media\":");
	render_list(out, post, POST_MEDIA);
	LITERAL(out, ",\"language\":");
	render_text(out, post->values[POST_LANGUAGE], post->nulls[POST_LANGUAGE]);
	LITERAL(out, ",\"content_warning\":");
	render_text(out, post->values[POST_CONTENT_WARNING], post->nulls[POST_CONTENT_WARNING]);
	LITERAL(out, ",\"url\":");
}
