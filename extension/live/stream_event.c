/*-------------------------------------------------------------------------
 *
 * stream_event.c
 *		Makes events for clients of rows of the log.
 *
 * An event is made once for all who get it: first where it goes, and, if
 * anybody wants it, its data.  These depend on no reader; posts come from a
 * neutral page (post/neutral.c), so from shared memory where they can.
 * Everything is as the snapshot shows it: a row whose post is gone meanwhile
 * says nothing, that of the deletion speaks.  Who may see it is in stream_see.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/json.h"
#include "core/plan.h"
#include "live/stream.h"

#define LITERAL(out, text) appendBinaryStringInfo(out, text, sizeof(text) - 1)

static void event_post(StreamReader *reader, const LogRow *row, StreamEvent *event);
static void event_post_touched(const LogRow *row, StreamEvent *event);
static void event_post_topics(StreamReader *reader, const LogRow *row, const RoostPostDetails *post, StreamEvent *event);
static void event_post_lists(StreamReader *reader, const LogRow *row, const RoostPostDetails *post, StreamEvent *event);
static void event_post_hidden(StreamReader *reader, const LogRow *row, StreamEvent *event);
static void event_post_deleted(StreamReader *reader, const LogRow *row, StreamEvent *event);
static void event_like(StreamReader *reader, const LogRow *row, StreamEvent *event);
static void event_follow(StreamReader *reader, const LogRow *row, StreamEvent *event);
static void event_account(StreamReader *reader, const LogRow *row, StreamEvent *event);
static void event_filter(StreamReader *reader, const LogRow *row, StreamEvent *event);
static bool event_is_hidden(const RoostPostDetails *post);
static void data_id(StringInfo data, const char *name, int64 id);
static bool data_account(int64 account_id, StringInfo data);
static char *event_ask(SPIPlanPtr *plan, const char *query, int nargs, Datum *values);

/*
 * Begins to read under the active snapshot.
 */
void
roost_stream_begin(StreamReader *reader)
{
	roost_log_begin(&reader->log);
	initStringInfo(&reader->event.topics);
	initStringInfo(&reader->event.notify);
	initStringInfo(&reader->event.touched);
	initStringInfo(&reader->event.told);
	initStringInfo(&reader->event.data);
	reader->rooms = false;
	reader->page = roost_page_begin_neutral();
}

/*
 * Closes what was opened.
 */
void
roost_stream_end(StreamReader *reader)
{
	roost_page_end(reader->page);
	roost_log_end(&reader->log);
}

/*
 * Says where the event of a row goes, not what it looks like; the answer is good
 * until the next one.
 */
const StreamEvent *
roost_stream_event(StreamReader *reader, const LogRow *row)
{
	StreamEvent *event = &reader->event;

	memset(event, 0, offsetof(StreamEvent, topics));
	resetStringInfo(&event->topics);
	resetStringInfo(&event->notify);
	resetStringInfo(&event->touched);
	if (row->room_id != 0)
	{
		roost_stream_room(reader, row, event);
		return event;
	}
	switch (row->kind)
	{
		case FEED_POST_CREATED:
		case FEED_POST_UPDATED:
		case FEED_POST_RELEASED:
			event_post(reader, row, event);
			break;
		case FEED_POST_HIDDEN:
			event_post_hidden(reader, row, event);
			break;
		case FEED_POST_DELETED:
			event_post_deleted(reader, row, event);
			break;
		case FEED_LIKE_CREATED:
		case FEED_LIKE_DELETED:
			event_like(reader, row, event);
			break;
		case FEED_FOLLOW_CREATED:
		case FEED_FOLLOW_DELETED:
		case FEED_REQUEST_CREATED:
			event_follow(reader, row, event);
			break;
		case FEED_ACCOUNT_UPDATED:
		case FEED_ACCOUNT_DELETED:
			event_account(reader, row, event);
			break;
		case FEED_SESSION_REVOKED:
			event->revoked = row->id;
			break;
		case FEED_EVENTS_LOST:
			event->lost = true;
			break;
		case FEED_FILTER_CHANGED:
			event_filter(reader, row, event);
			break;
		default:
			break;
	}
	return event;
}

/*
 * Adds what a row about a post changes for those who keep answers.
 */
static void
event_post_touched(const LogRow *row, StreamEvent *event)
{
	event->hard = row->kind != FEED_POST_CREATED;
	roost_stream_word(&event->touched, "", row->post_id);
	roost_stream_word(&event->touched, "", row->account_id);
	roost_stream_word(&event->touched, "", row->retweet_of_id);
}

/*
 * A post, a retweet, or a change of one.  One that is held or removed is told to
 * its author alone; so is that it is not any more, for others it is new then.
 */
static void
event_post(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	const RoostPostFacts *facts = roost_page_find(reader->page, row->post_id);
	bool		changed = row->kind == FEED_POST_UPDATED;
	bool		own = changed && row->target_id != 0;
	RoostPostDetails post;

	event_post_touched(row, event);
	if (!roost_page_details(reader->page, row->post_id, &post))
		return;
	roost_stream_word(&event->touched, "", post.reply_to_id);
	roost_stream_word(&event->touched, "", facts->quote_of_id);
	if (row->kind == FEED_POST_CREATED ? row->author_id == 0 || event_is_hidden(&post) : !changed && event_is_hidden(&post))
		return;

	event->event = changed ? "tweet:updated" : row->retweet_of_id != 0 ? "tweet:retweeted" : "tweet:new";
	roost_stream_reach(reader, row, &event->everyone, &event->strangers);
	if (row->kind != FEED_POST_RELEASED)
		event->account_id = row->account_id;
	if (!own && !event_is_hidden(&post))
	{
		event->home_id = row->account_id;
		event_post_topics(reader, row, &post, event);
	}
	if (row->target_id != row->account_id)
		roost_stream_mailed(reader, row->target_id, row->seq, &event->notify);
	if (row->reply_to_account_id != row->target_id)
		roost_stream_mailed(reader, row->reply_to_account_id, row->seq, &event->notify);
	for (int i = 0; i < post.num_mentions; i++)
	{
		if (post.mention_ids[i] != row->target_id && post.mention_ids[i] != row->reply_to_account_id)
			roost_stream_mailed(reader, post.mention_ids[i], row->seq, &event->notify);
	}
	/* an entry for whom it quotes comes with the row that releases it */
	if (row->kind == FEED_POST_RELEASED || own)
		roost_stream_mailed(reader, roost_page_author(reader->page, row->retweet_of_id != 0 ? row->retweet_of_id : facts->quote_of_id), row->seq, &event->notify);
}

/*
 * The topics of a post: its author; the post that it answers or retweets, or
 * itself when it has changed; its hashtags; the public timeline.
 */
static void
event_post_topics(StreamReader *reader, const LogRow *row, const RoostPostDetails *post, StreamEvent *event)
{
	roost_stream_word(&event->topics, "user:", row->account_id);
	roost_stream_word(&event->topics, "post:", row->kind == FEED_POST_UPDATED ? row->post_id :
					  row->retweet_of_id != 0 ? row->retweet_of_id : post->reply_to_id);
	if (post->state == 'v')
		event_post_lists(reader, row, post, event);
}

/*
 * The topics of a post that are lists of many: its hashtags, the public
 * timeline.  What private and limited accounts write is not in them.
 */
static void
event_post_lists(StreamReader *reader, const LogRow *row, const RoostPostDetails *post, StreamEvent *event)
{
	bool		active;
	bool		is_private;

	if (post->visibility != 'p' || roost_page_is_limited(reader->page, row->account_id) ||
		!roost_page_account(reader->page, row->account_id, &active, &is_private) || is_private)
		return;
	if (post->hashtags != (Datum) 0)
	{
		Datum	   *tags;
		bool	   *nulls;
		int			n;

		deconstruct_array(DatumGetArrayTypeP(post->hashtags), TEXTOID, -1, false, TYPALIGN_INT, &tags, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (nulls[i])
				continue;
			appendStringInfoString(&event->topics, event->topics.len > 0 ? " hashtag:" : "hashtag:");
			appendBinaryStringInfo(&event->topics, VARDATA_ANY(tags[i]), VARSIZE_ANY_EXHDR(tags[i]));
		}
		pfree(tags);
		pfree(nulls);
	}
	if (event->strangers && post->reply_to_id == 0 && row->retweet_of_id == 0)
		appendStringInfoString(&event->topics, event->topics.len > 0 ? " public" : "public");
}

/*
 * A post that was held or removed, for all but its author: it is gone.  One that
 * was limited is gone from the lists of many.  If it is there again by now,
 * nothing is said of it.
 */
static void
event_post_hidden(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	RoostPostDetails post;

	event_post_touched(row, event);
	if (!roost_page_details(reader->page, row->post_id, &post) || post.state == 'v')
		return;
	roost_stream_word(&event->touched, "", post.reply_to_id);
	event->event = "tweet:deleted";
	roost_stream_reach(reader, row, &event->everyone, &event->strangers);
	if (event_is_hidden(&post))
	{
		event->home_id = row->account_id;
		roost_stream_word(&event->topics, "user:", row->account_id);
		roost_stream_word(&event->topics, "post:", row->post_id);
	}
	event_post_lists(reader, row, &post, event);
	if (event->home_id == 0 && event->topics.len == 0)
		event->event = NULL;
}

/*
 * A deletion.  What the post was is not known any more: of a private account
 * only its followers are told, and when the account is not there either, and so
 * not whether it was private, only who knows the post's id.
 */
static void
event_post_deleted(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	bool		known = roost_stream_is_active(reader, row->account_id);

	event_post_touched(row, event);
	/* for the post that it answered, in which its author shows */
	roost_stream_word(&event->touched, "", row->reply_to_account_id);

	event->event = "tweet:deleted";
	roost_stream_reach(reader, row, &event->everyone, &event->strangers);
	if (known)
	{
		event->home_id = event->account_id = row->account_id;
		roost_stream_word(&event->topics, "user:", row->account_id);
	}
	roost_stream_word(&event->topics, "post:", row->post_id);
	if (known && event->strangers && row->retweet_of_id == 0)
		LITERAL(&event->topics, " public");
}

/*
 * A like, or its end.
 */
static void
event_like(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	roost_stream_word(&event->touched, "", row->post_id);
	if (!roost_page_shows(reader->page, row->post_id) || !roost_stream_is_active(reader, row->account_id))
		return;
	event->event = row->kind == FEED_LIKE_CREATED ? "tweet:liked" : "tweet:unliked";
	roost_stream_reach(reader, row, &event->everyone, &event->strangers);
	event->account_id = row->account_id;
	roost_stream_word(&event->topics, "post:", row->post_id);
	if (row->kind == FEED_LIKE_CREATED)
		roost_stream_mailed(reader, row->target_id, row->seq, &event->notify);
	if (event->notify.len > 0)
		event->target_id = row->target_id;
}

/*
 * A follow or its end, or a request to follow: for the two accounts only.
 */
static void
event_follow(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	if (row->kind != FEED_REQUEST_CREATED)
	{
		event->follow = row->kind == FEED_FOLLOW_CREATED ? '+' : '-';
		roost_stream_word(&event->touched, "", row->account_id);
		roost_stream_word(&event->touched, "", row->target_id);
	}
	if (!roost_stream_is_active(reader, row->account_id) || !roost_stream_is_active(reader, row->target_id))
		return;
	event->event = row->kind == FEED_FOLLOW_CREATED ? "user:followed" :
		row->kind == FEED_FOLLOW_DELETED ? "user:unfollowed" : "user:follow_requested";
	roost_stream_reach(reader, row, &event->everyone, &event->strangers);
	event->account_id = row->account_id;
	if (row->kind != FEED_FOLLOW_DELETED)
		roost_stream_mailed(reader, row->target_id, row->seq, &event->notify);
	if (event->notify.len > 0)
		event->target_id = row->target_id;
}

/*
 * A profile that has changed, or an account that is gone.
 */
static void
event_account(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	event->hard = true;
	roost_stream_word(&event->touched, "", row->id);
	if (row->kind == FEED_ACCOUNT_UPDATED)
	{
		if (!roost_stream_is_active(reader, row->id))
			return;
		event->account_id = row->id;
	}
	event->event = row->kind == FEED_ACCOUNT_UPDATED ? "user:updated" : "user:deleted";
	roost_stream_reach(reader, row, &event->everyone, &event->strangers);
	roost_stream_word(&event->topics, "user:", row->id);
}

/*
 * A block, a mute or a muted word is new or gone: for those who keep who may see
 * what, and for other devices of the account.  The other one is never told.
 */
static void
event_filter(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	event->filter = true;
	if (row->target_id == 0 || !roost_stream_is_active(reader, row->account_id))
		return;
	event->event = "relationship:changed";
	roost_stream_reach(reader, row, &event->everyone, &event->strangers);
	event->account_id = row->account_id;
}

/*
 * Appends what the event of a row looks like; false: it has none.
 */
bool
roost_stream_data(StreamReader *reader, const LogRow *row, StringInfo data)
{
	if (row->room_id != 0)
		return roost_stream_room_data(row, data);
	switch (row->kind)
	{
		case FEED_POST_CREATED:
		case FEED_POST_UPDATED:
		case FEED_POST_RELEASED:
			LITERAL(data, "{\"post\":");
			if (!roost_page_json(reader->page, row->post_id, data))
				return false;
			break;
		case FEED_POST_DELETED:
		case FEED_POST_HIDDEN:
			data_id(data, "{\"post_id\":", row->post_id);
			data_id(data, ",\"author_id\":", row->account_id);
			break;
		case FEED_LIKE_CREATED:
		case FEED_LIKE_DELETED:
			data_id(data, "{\"post_id\":", row->post_id);
			data_id(data, ",\"author_id\":", row->author_id);
			LITERAL(data, ",\"account\":");
			if (!roost_page_shows(reader->page, row->post_id) || !roost_page_author_json(reader->page, row->account_id, data))
				return false;
			LITERAL(data, ",\"like_count\":");
			roost_json_int64(data, roost_page_like_count(reader->page, row->post_id));
			break;
		case FEED_FOLLOW_CREATED:
		case FEED_FOLLOW_DELETED:
		case FEED_REQUEST_CREATED:
			LITERAL(data, "{\"account\":");
			if (!roost_page_author_json(reader->page, row->account_id, data))
				return false;
			LITERAL(data, ",\"target\":");
			if (!roost_page_author_json(reader->page, row->target_id, data))
				return false;
			break;
		case FEED_ACCOUNT_UPDATED:
			LITERAL(data, "{\"account\":");
			if (!data_account(row->id, data))
				return false;
			break;
		case FEED_ACCOUNT_DELETED:
			data_id(data, "{\"account_id\":", row->id);
			break;
		case FEED_FILTER_CHANGED:
			if (row->target_id == 0)
				return false;
			data_id(data, "{\"account_id\":", row->target_id);
			break;
		default:
			return false;
	}
	LITERAL(data, "}");
	return true;
}

/*
 * Appends a name and an id.
 */
static void
data_id(StringInfo data, const char *name, int64 id)
{
	appendStringInfoString(data, name);
	appendStringInfoCharMacro(data, '"');
	roost_json_int64(data, id);
	appendStringInfoCharMacro(data, '"');
}

/*
 * Appends an account as roost.account; false: it is not active.
 */
static bool
data_account(int64 account_id, StringInfo data)
{
	static SPIPlanPtr plan = NULL;
	Datum		id = Int64GetDatum(account_id);
	char	   *json = event_ask(&plan, "SELECT roost_internal.to_json(h) FROM roost_internal.account_hydrate(NULL, ARRAY[$1]) h", 1, &id);

	if (json == NULL)
		return false;
	appendStringInfoString(data, json);
	pfree(json);
	return true;
}

/*
 * Returns whether only its author sees a post.
 */
static bool
event_is_hidden(const RoostPostDetails *post)
{
	return post->state != 'v' && post->state != 'l';
}

/*
 * Returns the data of notification:new for an entry in a mailbox; NULL if the
 * account may not see it or does not want it.
 */
char *
roost_stream_notification(int64 account_id, int64 seq)
{
	static SPIPlanPtr plan = NULL;
	Datum		values[2] = {Int64GetDatum(account_id), Int64GetDatum(seq)};

	return event_ask(&plan, "SELECT '{\"notification\":' OPERATOR(pg_catalog.||) roost_internal.notification_item($1, $2) OPERATOR(pg_catalog.||) '}'",
					 2, values);
}

/*
 * Returns the text that a query answers, in the current memory context, or
 * NULL.  It sees what the active snapshot shows.
 */
static char *
event_ask(SPIPlanPtr *plan, const char *query, int nargs, Datum *values)
{
	Oid			types[2] = {INT8OID, INT8OID};
	MemoryContext caller = CurrentMemoryContext;
	char	   *answer = NULL;

	SPI_connect();
	roost_plan_keep(plan, query, nargs, types);
	if (SPI_execute_plan(*plan, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not ask for the data of an event");
	if (SPI_processed > 0)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);

		if (text != NULL)
			answer = MemoryContextStrdup(caller, text);
	}
	SPI_finish();
	return answer;
}

/*
 * Adds an account to a list if it has an entry of the row in its mailbox.
 */
void
roost_stream_mailed(StreamReader *reader, int64 account_id, int64 seq, StringInfo list)
{
	if (account_id != 0 && roost_log_is_mailed(&reader->log, account_id, seq))
		roost_stream_word(list, "", account_id);
}

/*
 * Adds a word to a list, unless the id is 0.
 */
void
roost_stream_word(StringInfo list, const char *prefix, int64 id)
{
	if (id == 0)
		return;
	if (list->len > 0)
		appendStringInfoCharMacro(list, ' ');
	appendStringInfoString(list, prefix);
	roost_json_int64(list, id);
}
