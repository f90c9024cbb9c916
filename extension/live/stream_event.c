/*-------------------------------------------------------------------------
 *
 * stream_event.c
 *		Makes events for clients of rows of the log.
 *
 * An event is made once for all who get it: first where it goes, and, if
 * anybody wants it, its data.  These depend on no reader; posts come from a
 * neutral page (post/neutral.c), so from shared memory where they can.
 * Everything is as the snapshot shows it: a row whose post is gone meanwhile
 * says nothing, that of the deletion speaks.
 *
 * Who may see it is asked of the reader of posts, by the one rule; `everyone`
 * says that nobody need be asked.  Here is where blocks belong: an event by
 * somebody who has blocked anybody, or is blocked, is not for everyone.
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
static void event_post_topics(const LogRow *row, const RoostPostDetails *post, StreamEvent *event);
static void event_post_deleted(StreamReader *reader, const LogRow *row, StreamEvent *event);
static void event_like(StreamReader *reader, const LogRow *row, StreamEvent *event);
static void event_follow(StreamReader *reader, const LogRow *row, StreamEvent *event);
static void event_account(StreamReader *reader, const LogRow *row, StreamEvent *event);
static bool event_is_active(StreamReader *reader, int64 account_id);
static void event_mailed(StreamReader *reader, int64 account_id, int64 seq, StringInfo list);
static void event_word(StringInfo list, const char *prefix, int64 id);
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
	switch (row->kind)
	{
		case FEED_POST_CREATED:
		case FEED_POST_UPDATED:
			event_post(reader, row, event);
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
		case FEED_REQUEST_DELETED:
		case FEED_KINDS:
			break;
	}
	return event;
}

/*
 * A post, a retweet, or a change of one.
 */
static void
event_post(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	const RoostPostFacts *facts = roost_page_find(reader->page, row->post_id);
	RoostPostDetails post;

	event->hard = row->kind == FEED_POST_UPDATED;
	event_word(&event->touched, "", row->post_id);
	event_word(&event->touched, "", row->account_id);
	event_word(&event->touched, "", row->retweet_of_id);
	if (!roost_page_details(reader->page, row->post_id, &post))
		return;
	event_word(&event->touched, "", post.reply_to_id);
	event_word(&event->touched, "", facts->quote_of_id);

	event->event = row->kind == FEED_POST_UPDATED ? "tweet:updated" :
		row->retweet_of_id != 0 ? "tweet:retweeted" : "tweet:new";
	event->everyone = roost_stream_is_for_everyone(reader, row);
	event->home_id = event->account_id = row->account_id;
	event_post_topics(row, &post, event);
	event_mailed(reader, row->target_id, row->seq, &event->notify);
	if (row->reply_to_account_id != row->target_id)
		event_mailed(reader, row->reply_to_account_id, row->seq, &event->notify);
	for (int i = 0; i < post.num_mentions; i++)
	{
		if (post.mention_ids[i] != row->target_id && post.mention_ids[i] != row->reply_to_account_id)
			event_mailed(reader, post.mention_ids[i], row->seq, &event->notify);
	}
}

/*
 * The topics of a post: its author; the post that it answers or retweets, or
 * itself when it has changed; its hashtags; the public timeline.
 */
static void
event_post_topics(const LogRow *row, const RoostPostDetails *post, StreamEvent *event)
{
	event_word(&event->topics, "user:", row->account_id);
	event_word(&event->topics, "post:", row->kind == FEED_POST_UPDATED ? row->post_id :
			   row->retweet_of_id != 0 ? row->retweet_of_id : post->reply_to_id);
	if (post->visibility == 'p' && post->hashtags != (Datum) 0)
	{
		Datum	   *tags;
		bool	   *nulls;
		int			n;

		deconstruct_array(DatumGetArrayTypeP(post->hashtags), TEXTOID, -1, false, TYPALIGN_INT, &tags, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (nulls[i])
				continue;
			LITERAL(&event->topics, " hashtag:");
			appendBinaryStringInfo(&event->topics, VARDATA_ANY(tags[i]), VARSIZE_ANY_EXHDR(tags[i]));
		}
		pfree(tags);
		pfree(nulls);
	}
	if (event->everyone && post->visibility == 'p' && post->reply_to_id == 0 && row->retweet_of_id == 0)
		LITERAL(&event->topics, " public");
}

/*
 * A deletion.  What the post was is not known any more: of a private account
 * only its followers are told, and when the account is not there either, and so
 * not whether it was private, only who knows the post's id.
 */
static void
event_post_deleted(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	bool		known = event_is_active(reader, row->account_id);

	event->hard = true;
	event_word(&event->touched, "", row->post_id);
	event_word(&event->touched, "", row->account_id);
	event_word(&event->touched, "", row->retweet_of_id);
	/* for the post that it answered, in which its author shows */
	event_word(&event->touched, "", row->reply_to_account_id);

	event->event = "tweet:deleted";
	event->everyone = roost_stream_is_for_everyone(reader, row);
	if (known)
	{
		event->home_id = event->account_id = row->account_id;
		event_word(&event->topics, "user:", row->account_id);
	}
	event_word(&event->topics, "post:", row->post_id);
	if (known && event->everyone && row->retweet_of_id == 0)
		LITERAL(&event->topics, " public");
}

/*
 * A like, or its end.
 */
static void
event_like(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	event_word(&event->touched, "", row->post_id);
	if (!roost_page_shows(reader->page, row->post_id) || !event_is_active(reader, row->account_id))
		return;
	event->event = row->kind == FEED_LIKE_CREATED ? "tweet:liked" : "tweet:unliked";
	event->everyone = roost_stream_is_for_everyone(reader, row);
	event->account_id = row->account_id;
	event_word(&event->topics, "post:", row->post_id);
	if (row->kind == FEED_LIKE_CREATED)
		event_mailed(reader, row->target_id, row->seq, &event->notify);
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
		event_word(&event->touched, "", row->account_id);
		event_word(&event->touched, "", row->target_id);
	}
	if (!event_is_active(reader, row->account_id) || !event_is_active(reader, row->target_id))
		return;
	event->event = row->kind == FEED_FOLLOW_CREATED ? "user:followed" :
		row->kind == FEED_FOLLOW_DELETED ? "user:unfollowed" : "user:follow_requested";
	event->everyone = roost_stream_is_for_everyone(reader, row);
	event->account_id = row->account_id;
	if (row->kind != FEED_FOLLOW_DELETED)
		event_mailed(reader, row->target_id, row->seq, &event->notify);
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
	event_word(&event->touched, "", row->id);
	if (row->kind == FEED_ACCOUNT_UPDATED)
	{
		if (!event_is_active(reader, row->id))
			return;
		event->account_id = row->id;
	}
	event->event = row->kind == FEED_ACCOUNT_UPDATED ? "user:updated" : "user:deleted";
	event->everyone = roost_stream_is_for_everyone(reader, row);
	event_word(&event->topics, "user:", row->id);
}

/*
 * Returns whether nobody of those who get the event of a row need be asked.
 */
bool
roost_stream_is_for_everyone(StreamReader *reader, const LogRow *row)
{
	bool		active;
	bool		is_private;

	switch (row->kind)
	{
		case FEED_POST_CREATED:
		case FEED_POST_UPDATED:
		case FEED_LIKE_CREATED:
		case FEED_LIKE_DELETED:
			return roost_page_is_public(reader->page, row->post_id);
		case FEED_POST_DELETED:
			return roost_page_account(reader->page, row->account_id, &active, &is_private) && !is_private;
		default:
			return true;
	}
}

/*
 * Appends what the event of a row looks like; false: it has none.
 */
bool
roost_stream_data(StreamReader *reader, const LogRow *row, StringInfo data)
{
	switch (row->kind)
	{
		case FEED_POST_CREATED:
		case FEED_POST_UPDATED:
			LITERAL(data, "{\"post\":");
			if (!roost_page_json(reader->page, row->post_id, data))
				return false;
			break;
		case FEED_POST_DELETED:
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
		case FEED_REQUEST_DELETED:
		case FEED_SESSION_REVOKED:
		case FEED_EVENTS_LOST:
		case FEED_KINDS:
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
 * Returns whether the viewer (0: nobody) may see the event of a row.
 */
bool
roost_stream_may_see(StreamReader *reader, const LogRow *row, int64 viewer_id)
{
	bool		active;
	bool		is_private;

	switch (row->kind)
	{
		case FEED_POST_CREATED:
		case FEED_POST_UPDATED:
			return roost_page_is_seen_by(reader->page, row->post_id, viewer_id);
		case FEED_LIKE_CREATED:
		case FEED_LIKE_DELETED:
			return event_is_active(reader, row->account_id) && roost_page_is_seen_by(reader->page, row->post_id, viewer_id);
		case FEED_POST_DELETED:
			return roost_page_account(reader->page, row->account_id, &active, &is_private) &&
				(!is_private || roost_page_follows(reader->page, viewer_id, row->account_id));
		case FEED_FOLLOW_CREATED:
		case FEED_REQUEST_CREATED:
			return viewer_id != 0 && (viewer_id == row->account_id || viewer_id == row->target_id);
		case FEED_FOLLOW_DELETED:
			return viewer_id != 0 && viewer_id == row->account_id;
		case FEED_ACCOUNT_UPDATED:
			return event_is_active(reader, row->account_id);
		case FEED_ACCOUNT_DELETED:
			return true;
		case FEED_REQUEST_DELETED:
		case FEED_SESSION_REVOKED:
		case FEED_EVENTS_LOST:
		case FEED_KINDS:
			break;
	}
	return false;
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

static bool
event_is_active(StreamReader *reader, int64 account_id)
{
	bool		active;
	bool		is_private;

	return roost_page_account(reader->page, account_id, &active, &is_private) && active;
}

/*
 * Adds an account to a list if it has an entry of the row in its mailbox.
 */
static void
event_mailed(StreamReader *reader, int64 account_id, int64 seq, StringInfo list)
{
	if (account_id != 0 && roost_log_is_mailed(&reader->log, account_id, seq))
		event_word(list, "", account_id);
}

/*
 * Adds a word to a list, unless the id is 0.
 */
static void
event_word(StringInfo list, const char *prefix, int64 id)
{
	if (id == 0)
		return;
	if (list->len > 0)
		appendStringInfoCharMacro(list, ' ');
	appendStringInfoString(list, prefix);
	roost_json_int64(list, id);
}
