/*-------------------------------------------------------------------------
 *
 * stream.c
 *		What the gateway asks for streams: who opens one, what the log says, who
 *		may see it.
 *
 * See docs/live.md.  Here are the functions; stream_event.c makes the events,
 * stream_see.c decides who may see them, stream_resume.c finds what somebody has missed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "account/token.h"
#include "api/api.h"
#include "limit/limit.h"
#include "live/stream.h"

#define STREAM_LIMIT_CLASS	"stream"
#define STREAM_OPEN_COLUMNS	3
#define STREAM_READ_COLUMNS	18
#define STREAM_DATA_COLUMNS	5
#define STREAM_READ_MAX		10000	/* rows at once */
#define STREAM_LIST_MAX		100000	/* in an argument */

PG_FUNCTION_INFO_V1(roost_stream_open);
PG_FUNCTION_INFO_V1(roost_stream_read);
PG_FUNCTION_INFO_V1(roost_stream_data_list);
PG_FUNCTION_INFO_V1(roost_stream_see);
PG_FUNCTION_INFO_V1(roost_stream_notify);

static void stream_refuse(const char *why) pg_attribute_noreturn();
static bool stream_account_is_active(int64 account_id);
static void stream_limit(int64 account_id, const char *address);
static void stream_put(ReturnSetInfo *info, const LogRow *row, const StreamEvent *event);
static void stream_put_data(ReturnSetInfo *info, StreamReader *reader, const LogRow *row);
static Datum stream_text(const StringInfoData *text, bool *isnull);
static Datum stream_id_text(int64 id, bool *isnull);
static bool stream_find(StreamReader *reader, int64 seq, LogRow *row);
static int	stream_pairs(FunctionCallInfo fcinfo, const int64 **seqs, const int64 **ids);
static const int64 *stream_array(FunctionCallInfo fcinfo, int argument, int *count);

/*
 * roost.stream_open(token, client_address) returns who opens a stream: nulls
 * without a token.
 */
Datum
roost_stream_open(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[STREAM_OPEN_COLUMNS] = {0};
	bool		nulls[STREAM_OPEN_COLUMNS] = {true, true, true};
	RoostIdentity identity = {0};
	char	   *address = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!PG_ARGISNULL(0))
	{
		text	   *token = PG_GETARG_TEXT_PP(0);
		const char *why = NULL;

		if (!roost_token_authenticate(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token), &identity, &why))
			stream_refuse(why);
		if (!stream_account_is_active(identity.account_id))
			stream_refuse("its account is not active");
		values[0] = Int64GetDatum(identity.account_id);
		values[1] = Int64GetDatum(identity.session_id);
		values[2] = Float8GetDatum(identity.expires_at / (double) USECS_PER_SEC);
		memset(nulls, false, sizeof(nulls));
	}
	stream_limit(identity.account_id, address != NULL && address[0] != '\0' ? address : NULL);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * Raises what roost.handle() raises.
 */
static void
stream_refuse(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_ROOST_INVALID_TOKEN),
			 errmsg("the access token is not valid"),
			 why != NULL ? errdetail("%s", why) : 0,
			 errcontext("roost-header: WWW-Authenticate: Bearer error=\"invalid_token\"")));
}

/*
 * Returns whether an account is there, and active.
 */
static bool
stream_account_is_active(int64 account_id)
{
	RoostPage  *page = roost_page_begin_neutral();
	bool		active;
	bool		is_private;

	(void) roost_page_account(page, account_id, &active, &is_private);
	roost_page_end(page);
	return active;
}

/*
 * Takes one unit of the rate limits of streams.
 */
static void
stream_limit(int64 account_id, const char *address)
{
	RoostLimitState state = {0};

	if (roost_limit_take(STREAM_LIMIT_CLASS, account_id, address, NULL, 1, &state))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ROOST_TOO_MANY_REQUESTS),
			 errmsg("too many requests"),
			 errdetail("Try again in " INT64_FORMAT " s.", state.retry_after),
			 errcontext("roost-header: Retry-After: " INT64_FORMAT, state.retry_after)));
}

/*
 * roost.stream_read(after, limit, rooms) returns the rows of the log after a seq.
 */
Datum
roost_stream_read(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext scratch;
	StreamReader reader;
	LogRow		row;
	int			limit;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("after and limit must not be null")));
	limit = PG_GETARG_INT32(1);
	if (limit < 1 || limit > STREAM_READ_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("limit must be between 1 and %d", STREAM_READ_MAX)));

	InitMaterializedSRF(fcinfo, 0);
	scratch = AllocSetContextCreate(CurrentMemoryContext, "row of a stream", ALLOCSET_DEFAULT_SIZES);
	roost_stream_begin(&reader);
	reader.rooms = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	roost_log_seek(&reader.log, LOG_BY_SEQ, 0, PG_GETARG_INT64(0));
	while (limit-- > 0 && roost_log_next(&reader.log, LOG_BY_SEQ, &row))
	{
		const StreamEvent *event = roost_stream_event(&reader, &row);
		MemoryContext caller = MemoryContextSwitchTo(scratch);

		CHECK_FOR_INTERRUPTS();
		stream_put(info, &row, event);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(scratch);
	}
	roost_stream_end(&reader);
	MemoryContextDelete(scratch);
	return (Datum) 0;
}

/*
 * Puts a row of the log and its event into the result.
 */
static void
stream_put(ReturnSetInfo *info, const LogRow *row, const StreamEvent *event)
{
	Datum		values[STREAM_READ_COLUMNS] = {0};
	bool		nulls[STREAM_READ_COLUMNS] = {false};
	char		words[2 * MAXINT8LEN + 4];
	int			n = 0;
	bool		says = event->event != NULL;

	values[n++] = Int64GetDatum(row->seq);
	nulls[n] = !says;
	values[n++] = says ? CStringGetTextDatum(event->event) : (Datum) 0;
	values[n++] = BoolGetDatum(event->everyone);
	values[n++] = BoolGetDatum(event->strangers);
	nulls[n] = !says || event->home_id == 0;
	values[n++] = Int64GetDatum(event->home_id);
	nulls[n] = !says;
	values[n] = stream_text(&event->topics, &nulls[n]), n++;
	nulls[n] = !says;
	values[n] = stream_id_text(event->account_id, &nulls[n]), n++;
	nulls[n] = !says;
	values[n] = stream_id_text(event->target_id, &nulls[n]), n++;
	nulls[n] = !says;
	values[n] = stream_text(&event->notify, &nulls[n]), n++;
	nulls[n] = event->follow == 0;
	if (event->follow != 0)
	{
		snprintf(words, sizeof(words), "%c " INT64_FORMAT " " INT64_FORMAT, event->follow, row->account_id, row->target_id);
		values[n] = CStringGetTextDatum(words);
	}
	n++;
	nulls[n] = !event->filter;
	if (event->filter)
	{
		snprintf(words, sizeof(words), INT64_FORMAT " " INT64_FORMAT, row->account_id, row->target_id);
		values[n] = CStringGetTextDatum(words);
	}
	n++;
	nulls[n] = event->revoked == 0;
	values[n++] = Int64GetDatum(event->revoked);
	values[n] = stream_text(&event->touched, &nulls[n]), n++;
	values[n++] = BoolGetDatum(event->hard);
	values[n++] = BoolGetDatum(event->lost);
	values[n++] = BoolGetDatum(event->room);
	nulls[n] = !says || !event->is_told;
	values[n] = stream_text(&event->told, &nulls[n]), n++;
	nulls[n] = !says || !event->has_data;
	values[n] = stream_text(&event->data, &nulls[n]), n++;
	Assert(n == STREAM_READ_COLUMNS);
	tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
}

/*
 * Returns a text; null if it is empty.
 */
static Datum
stream_text(const StringInfoData *text, bool *isnull)
{
	*isnull |= text->len == 0;
	return *isnull ? (Datum) 0 : PointerGetDatum(cstring_to_text_with_len(text->data, text->len));
}

/*
 * Returns an id as a list of one; null if there is none.
 */
static Datum
stream_id_text(int64 id, bool *isnull)
{
	char		text[MAXINT8LEN + 1];
	int			length;

	*isnull |= id == 0;
	if (*isnull)
		return (Datum) 0;
	length = pg_lltoa(id, text);
	return PointerGetDatum(cstring_to_text_with_len(text, length));
}

/*
 * roost.stream_data(seqs) returns what the events of rows look like, and
 * whether everybody may see that, and who has no account: all under one
 * snapshot, so that nothing goes to everybody that was hidden after the row had
 * been read.
 */
Datum
roost_stream_data_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	StreamReader reader;
	int			count;
	const int64 *seqs = stream_array(fcinfo, 0, &count);

	InitMaterializedSRF(fcinfo, 0);
	roost_stream_begin(&reader);
	for (int i = 0; i < count; i++)
	{
		StreamEvent *event = &reader.event;
		LogRow		row;

		CHECK_FOR_INTERRUPTS();
		if (!stream_find(&reader, seqs[i], &row))
			continue;
		resetStringInfo(&event->data);
		resetStringInfo(&event->told);
		if (row.room_id != 0 ? roost_stream_room_told(&row, PG_INT32_MAX, event) : roost_stream_data(&reader, &row, &event->data))
			stream_put_data(info, &reader, &row);
	}
	roost_stream_end(&reader);
	return (Datum) 0;
}

/*
 * Puts the data of a row's event into the result, and who may see it.
 */
static void
stream_put_data(ReturnSetInfo *info, StreamReader *reader, const LogRow *row)
{
	Datum		values[STREAM_DATA_COLUMNS];
	bool		nulls[STREAM_DATA_COLUMNS] = {false};
	bool		everyone;
	bool		strangers;

	roost_stream_reach(reader, row, &everyone, &strangers);
	values[0] = Int64GetDatum(row->seq);
	values[1] = stream_text(&reader->event.data, &nulls[1]);
	values[2] = BoolGetDatum(everyone);
	values[3] = BoolGetDatum(strangers);
	values[4] = stream_text(&reader->event.told, &nulls[4]);
	tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
	pfree(DatumGetPointer(values[1]));
	if (!nulls[4])
		pfree(DatumGetPointer(values[4]));
}

/*
 * Finds the row with a seq.
 */
static bool
stream_find(StreamReader *reader, int64 seq, LogRow *row)
{
	roost_log_seek(&reader->log, LOG_BY_SEQ, 0, seq - 1);
	return roost_log_next(&reader->log, LOG_BY_SEQ, row) && row->seq == seq;
}

/*
 * roost.stream_see(seqs, viewer_ids) returns the pairs whose account may see the
 * event of the row.
 */
Datum
roost_stream_see(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	StreamReader reader;
	LogRow		row = {0};
	bool		found = false;
	const int64 *seqs;
	const int64 *viewer_ids;
	int			count = stream_pairs(fcinfo, &seqs, &viewer_ids);

	InitMaterializedSRF(fcinfo, 0);
	roost_stream_begin(&reader);
	for (int i = 0; i < count; i++)
	{
		Datum		values[2] = {Int64GetDatum(seqs[i]), Int64GetDatum(viewer_ids[i])};
		bool		nulls[2] = {false, false};

		CHECK_FOR_INTERRUPTS();
		if (i == 0 || seqs[i] != seqs[i - 1])
			found = stream_find(&reader, seqs[i], &row);
		if (found && roost_stream_may_see(&reader, &row, viewer_ids[i]))
			tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
	}
	roost_stream_end(&reader);
	return (Datum) 0;
}

/*
 * roost.stream_notify(seqs, account_ids) returns the notifications of those
 * pairs that are one.
 */
Datum
roost_stream_notify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	const int64 *seqs;
	const int64 *account_ids;
	int			count = stream_pairs(fcinfo, &seqs, &account_ids);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		char	   *data;

		CHECK_FOR_INTERRUPTS();
		data = seqs[i] < roost_log_end_seq() ? roost_stream_notification(account_ids[i], seqs[i]) : NULL;
		if (data != NULL)
		{
			Datum		values[3] = {Int64GetDatum(seqs[i]), Int64GetDatum(account_ids[i]), CStringGetTextDatum(data)};
			bool		nulls[3] = {false, false, false};

			tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
			pfree(DatumGetPointer(values[2]));
			pfree(data);
		}
	}
	return (Datum) 0;
}

/*
 * Returns how many pairs two arrays of the same length hold, and which.
 */
static int
stream_pairs(FunctionCallInfo fcinfo, const int64 **seqs, const int64 **ids)
{
	int			count;
	int			others;

	*seqs = stream_array(fcinfo, 0, &count);
	*ids = stream_array(fcinfo, 1, &others);
	if (count != others)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("both lists must have the same length")));
	return count;
}

/*
 * Returns an argument that is a list of numbers without nulls.
 */
static const int64 *
stream_array(FunctionCallInfo fcinfo, int argument, int *count)
{
	ArrayType  *array;

	*count = 0;
	if (PG_ARGISNULL(argument))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an argument must be a plain list without nulls")));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (*count > STREAM_LIST_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a list has more than %d elements", STREAM_LIST_MAX)));
	return (const int64 *) ARR_DATA_PTR(array);
}
