/*-------------------------------------------------------------------------
 *
 * stream_resume.c
 *		What somebody has missed: the events of some channels after a position
 *		of the log.
 *
 * They are those that roost.stream_read() gives and the hub would have routed
 * to the channels.  Rows that may be among them are collected in pieces, in the
 * order of seq; of each the event is made, and it is looked at more closely.
 * stream_find.c finds the pieces.
 *
 * A call ends when it has `limit` events, or when it has spent RESUME_BUDGET;
 * it says how far it has come.
 *
 * Home is what one followed at the time: whom one follows now, with what the
 * log says of one's follows since then undone, and done again row by row.  Who
 * follows very many is looked up when a row is about it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/plan.h"
#include "live/stream_resume.h"
#include "post/read.h"

#define RESUME_COLUMNS		6
#define RESUME_CHANNELS		1000	/* at most */
#define RESUME_LIMIT		1000	/* events at once, at most */
#define RESUME_BUDGET		20000	/* rows of the log; everything else in
									 * their measure */
#define RESUME_FOLLOWEES	4096	/* of more, each is asked for when it is
									 * met */
#define RESUME_OWN			20000	/* own rows, looked through for follows */

PG_FUNCTION_INFO_V1(roost_stream_resume);

static bool resume_is_possible(Resume *resume, int64 epoch, int64 *present_epoch);
static void resume_channels(Resume *resume, ArrayType *array);
static void resume_channel(Resume *resume, text *channel);
static void resume_follows(Resume *resume);
static void resume_run(Resume *resume);
static void resume_look(Resume *resume, const LogRow *row);
static bool resume_is_home(Resume *resume, const StreamEvent *event);
static bool resume_wants(Resume *resume, const StreamEvent *event, bool notified);
static const char *resume_topics(const Resume *resume, const StreamEvent *event);
static bool resume_has_topic(const Resume *resume, const StringInfoData *topics);
static void resume_put(Resume *resume, int64 seq, int part, const char *event, bool home, const char *topics, const char *data);

/*
 * roost.stream_resume(account_id, epoch, after, channels, limit)
 */
Datum
roost_stream_resume(PG_FUNCTION_ARGS)
{
	Resume		resume = {0};
	int64		epoch;

	resume.info = (ReturnSetInfo *) fcinfo->resultinfo;
	resume.account_id = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	resume.seq = PG_ARGISNULL(2) ? -1 : PG_GETARG_INT64(2);
	resume.limit = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4);
	if (resume.limit < 1 || resume.limit > RESUME_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("limit must be between 1 and %d", RESUME_LIMIT),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "limit")));

	InitMaterializedSRF(fcinfo, 0);
	if (!resume_is_possible(&resume, PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1), &epoch))
	{
		resume_put(&resume, resume.last_seq, 0, "reset", false, NULL, epoch == 0 ? NULL : psprintf(INT64_FORMAT, epoch));
		return (Datum) 0;
	}
	if (!PG_ARGISNULL(3))
		resume_channels(&resume, PG_GETARG_ARRAYTYPE_P(3));

	roost_stream_begin(&resume.reader);
	resume.reader.log.end_seq = Min(resume.reader.log.end_seq, resume.last_seq + 1);
	initStringInfo(&resume.data);
	resume_run(&resume);
	roost_stream_end(&resume.reader);
	resume_put(&resume, resume.seq, resume.seq < resume.last_seq ? 1 : 0, NULL, false, NULL, NULL);
	return (Datum) 0;
}

/*
 * Returns whether the log goes on from a cursor; says where it stands.
 */
static bool
resume_is_possible(Resume *resume, int64 epoch, int64 *present_epoch)
{
	static SPIPlanPtr plan = NULL;
	int64		first_seq;
	bool		isnull;
	HeapTuple	tuple;

	SPI_connect();
	roost_plan_keep(&plan, "SELECT p.epoch::bigint, p.first_seq, p.last_seq FROM roost.feed_position() p", 0, NULL);
	if (SPI_execute_plan(plan, NULL, NULL, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read the state of the log");
	tuple = SPI_tuptable->vals[0];
	*present_epoch = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
	if (isnull)
		*present_epoch = 0;
	first_seq = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
	resume->last_seq = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 3, &isnull));
	SPI_finish();
	return epoch != 0 && epoch == *present_epoch && resume->seq >= first_seq - 1 && resume->seq <= resume->last_seq;
}

/*
 * Takes the channels apart.  Those of which the log knows nothing mean nothing.
 */
static void
resume_channels(Resume *resume, ArrayType *array)
{
	HASHCTL		control = {.keysize = sizeof(int64),.entrysize = sizeof(Source)};
	Datum	   *channels;
	bool	   *nulls;
	int			n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("channels must be a plain list")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &channels, &nulls, &n);
	if (n > RESUME_CHANNELS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("too many channels"),
				 errdetail("At most %d.", RESUME_CHANNELS),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "channels")));

	resume->sources = hash_create("accounts of a stream", 256, &control, HASH_ELEM | HASH_BLOBS);
	resume->channels = palloc(Max(n, 1) * sizeof(text *));
	resume->post_ids = palloc(Max(n, 1) * sizeof(int64));
	resume->conversation_ids = palloc(Max(n, 1) * sizeof(int64));
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			resume_channel(resume, DatumGetTextPP(channels[i]));
	}
}

static void
resume_channel(Resume *resume, text *channel)
{
	char	   *name = text_to_cstring(channel);
	int64		id = 0;

	resume->channels[resume->num_channels++] = channel;
	if (strcmp(name, "home") == 0)
		resume->home = resume->account_id != 0;
	else if (strcmp(name, "notifications") == 0)
		resume->notifications = resume->account_id != 0;
	else if (strcmp(name, "messages") == 0)
		resume->messages = resume->account_id != 0;
	else if (strcmp(name, "public") == 0)
		resume->public = true;
	else if (strncmp(name, "hashtag:", 8) == 0)
		resume->hashtags = true;
	else if (strncmp(name, "user:", 5) == 0 && sscanf(name + 5, INT64_FORMAT, &id) == 1)
		roost_resume_source(resume, id)->channel = true;
	else if (strncmp(name, "post:", 5) == 0 && sscanf(name + 5, INT64_FORMAT, &id) == 1)
		resume->post_ids[resume->num_posts++] = id;
	else if (resume->account_id != 0 && strncmp(name, "conversation:", 13) == 0 && sscanf(name + 13, INT64_FORMAT, &id) == 1)
		resume->conversation_ids[resume->num_conversations++] = id;
	pfree(name);
}

/*
 * Finds whom the account followed when the missed rows begin, and what it has
 * changed since.  Who has done more than RESUME_OWN things since then gets what
 * those did whom it follows now.
 */
static void
resume_follows(Resume *resume)
{
	LogReader  *log = &resume->reader.log;
	PostReader	posts;
	LogRow		row;
	int64	   *ids = palloc(sizeof(int64));
	int			count = 0;
	int			room = 64;
	int			read = 0;

	roost_post_reader_begin(&posts);
	ids = roost_post_read_followees(&posts, resume->account_id, RESUME_FOLLOWEES, ids, &count);
	roost_post_reader_end(&posts);
	resume->many = count == RESUME_FOLLOWEES;
	for (int i = 0; i < count; i++)
		roost_resume_source(resume, ids[i])->followed = true;

	resume->toggles = palloc(room * sizeof(Toggle));
	roost_log_seek(log, LOG_BY_ACCOUNT, resume->account_id, resume->seq);
	while (roost_log_next(log, LOG_BY_ACCOUNT, &row))
	{
		if (++read > RESUME_OWN)
		{
			resume->num_toggles = 0;
			break;
		}
		if (row.kind != FEED_FOLLOW_CREATED && row.kind != FEED_FOLLOW_DELETED)
			continue;
		if (resume->num_toggles == room)
			resume->toggles = repalloc(resume->toggles, (room *= 2) * sizeof(Toggle));
		resume->toggles[resume->num_toggles++] = (Toggle)
		{
			row.seq, row.target_id, row.kind == FEED_FOLLOW_CREATED
		};
	}
	for (int i = resume->num_toggles - 1; i >= 0; i--)
		roost_resume_source(resume, resume->toggles[i].account_id)->followed = !resume->toggles[i].followed;
}

/*
 * Goes through the missed rows piece by piece.
 */
static void
resume_run(Resume *resume)
{
	if (resume->num_channels == 0 || resume->seq == resume->last_seq)
	{
		resume->seq = resume->last_seq;
		return;
	}
	resume->budget = RESUME_BUDGET;
	resume->rows = palloc(resume->limit * sizeof(LogRow));
	if (resume->home)
	{
		roost_resume_source(resume, resume->account_id);
		resume_follows(resume);
	}
	roost_resume_rooms(resume);
	do
	{
		int64		upto = roost_resume_find(resume);

		for (int i = 0; i < resume->num_rows && resume->count < resume->limit; i++)
		{
			CHECK_FOR_INTERRUPTS();
			resume_look(resume, &resume->rows[i]);
			resume->seq = resume->rows[i].seq;
		}
		if (resume->count >= resume->limit)
			return;
		resume->seq = Max(resume->seq, upto);
	} while (resume->seq < resume->last_seq && resume->budget > 0);
}

/*
 * Looks at a row more closely: puts its event into the result, and its
 * notification.
 */
static void
resume_look(Resume *resume, const LogRow *row)
{
	const StreamEvent *event;
	char	   *notification = NULL;

	for (; resume->next_toggle < resume->num_toggles && resume->toggles[resume->next_toggle].seq <= row->seq; resume->next_toggle++)
		roost_resume_source(resume, resume->toggles[resume->next_toggle].account_id)->followed = resume->toggles[resume->next_toggle].followed;

	event = roost_stream_event(&resume->reader, row);
	if (event->event == NULL)
		return;
	if (resume->notifications && roost_log_is_mailed(&resume->reader.log, resume->account_id, row->seq))
		notification = roost_stream_notification(resume->account_id, row->seq);
	if (resume_wants(resume, event, notification != NULL) &&
		(resume->account_id == 0 ? event->strangers : roost_stream_may_see(&resume->reader, row, resume->account_id)))
	{
		resetStringInfo(&resume->data);
		if (roost_stream_data(&resume->reader, row, &resume->data))
			resume_put(resume, row->seq, 0, event->event, resume_is_home(resume, event), resume_topics(resume, event), resume->data.data);
	}
	if (notification != NULL)
		resume_put(resume, row->seq, 1, "notification:new", false, NULL, notification);
}

/*
 * Returns whether an event belongs to the home timeline.
 */
static bool
resume_is_home(Resume *resume, const StreamEvent *event)
{
	const Source *source;

	if (!resume->home)
		return false;
	if (event->account_id == resume->account_id)
		return true;
	source = event->home_id == 0 ? NULL : roost_resume_known(resume, event->home_id);
	return source != NULL && source->followed;
}

/*
 * Returns whether an event belongs to one of the channels; to notifications only
 * together with one.
 */
static bool
resume_wants(Resume *resume, const StreamEvent *event, bool notified)
{
	return resume_is_home(resume, event) ||
		(event->room && resume->messages) ||
		(notified && event->target_id == resume->account_id) ||
		resume_has_topic(resume, &event->topics);
}

/*
 * Returns the channels to be named with an event, besides home; NULL for none.
 */
static const char *
resume_topics(const Resume *resume, const StreamEvent *event)
{
	if (event->room && resume->messages)
		return event->topics.len > 0 ? psprintf("messages %s", event->topics.data) : "messages";
	return event->topics.len > 0 ? event->topics.data : NULL;
}

/*
 * Returns whether one of the topics is a channel.
 */
static bool
resume_has_topic(const Resume *resume, const StringInfoData *topics)
{
	for (const char *topic = topics->data; *topic != '\0';)
	{
		int			length = strcspn(topic, " ");

		for (int i = 0; i < resume->num_channels; i++)
		{
			if (VARSIZE_ANY_EXHDR(resume->channels[i]) == length && memcmp(VARDATA_ANY(resume->channels[i]), topic, length) == 0)
				return true;
		}
		topic += length;
		topic += strspn(topic, " ");
	}
	return false;
}

/*
 * Puts an event into the result.
 */
static void
resume_put(Resume *resume, int64 seq, int part, const char *event, bool home, const char *topics, const char *data)
{
	Datum		values[RESUME_COLUMNS] = {Int64GetDatum(seq), Int32GetDatum(part), 0, BoolGetDatum(home), 0, 0};
	bool		nulls[RESUME_COLUMNS] = {false, false, event == NULL, false, topics == NULL, data == NULL};

	if (event != NULL)
		values[2] = CStringGetTextDatum(event);
	if (topics != NULL)
		values[4] = CStringGetTextDatum(topics);
	if (data != NULL)
		values[5] = CStringGetTextDatum(data);
	tuplestore_putvalues(resume->info->setResult, resume->info->setDesc, values, nulls);
	resume->budget -= RESUME_COST_EVENT;
	resume->count++;
}
