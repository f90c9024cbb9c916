/*-------------------------------------------------------------------------
 *
 * stream.c
 *		Who opens a stream, and posts as streams show them.
 *
 * See docs/live.md.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "account/token.h"
#include "api/api.h"
#include "limit/limit.h"
#include "post/page.h"
#include "post/read.h"

#define STREAM_LIMIT_CLASS	"stream"
#define STREAM_OPEN_COLUMNS	3

PG_FUNCTION_INFO_V1(roost_stream_open);
PG_FUNCTION_INFO_V1(roost_stream_post);

static void stream_refuse(const char *why) pg_attribute_noreturn();
static bool stream_account_is_active(int64 account_id);
static void stream_limit(int64 account_id, const char *address);

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
	PostReader	reader;
	TupleTableSlot *slot;
	bool		active = false;

	roost_post_reader_begin(&reader);
	slot = roost_post_read(&reader, LOOKUP_ACCOUNT, 1, account_id, 0);
	if (slot != NULL)
	{
		bool		isnull;
		text	   *status = DatumGetTextPP(slot_getattr(slot, roost_post_columns(LOOKUP_ACCOUNT)[ACCOUNT_STATUS], &isnull));

		active = VARSIZE_ANY_EXHDR(status) == strlen("active") &&
			memcmp(VARDATA_ANY(status), "active", strlen("active")) == 0;
	}
	roost_post_reader_end(&reader);
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
 * roost_internal.stream_post(post_id) returns a post as a JSON object that does
 * not depend on its reader, and whether everybody may see it.
 */
Datum
roost_stream_post(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	StringInfoData json;
	RoostPage  *page;
	int64		id = PG_GETARG_INT64(0);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	initStringInfo(&json);
	page = roost_page_begin_neutral();
	nulls[0] = !roost_page_json(page, id, &json);
	values[0] = PointerGetDatum(cstring_to_text_with_len(json.data, json.len));
	values[1] = BoolGetDatum(roost_page_is_public(page, id));
	roost_page_end(page);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
