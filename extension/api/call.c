/*-------------------------------------------------------------------------
 *
 * call.c
 *		Calls the function of a request and writes its result as JSON.
 *
 * The function is called through its FmgrInfo, without a query around it: a
 * set-returning function gets a ReturnSetInfo as the executor would make it,
 * and may answer in either of its modes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/api.h"
#include "catalog/pg_type.h"
#include "core/json.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

/* the rows of a set, as they are written */
typedef struct CallRows
{
	ApiRequest *request;
	const RoostJsonPlan *plan;
	int			position;		/* number of the attribute cursor or id, or -1 */
} CallRows;

/* bytes that a body has room for from the start, at least and at most */
#define CALL_BODY_FIRST		1024
#define CALL_BODY_MOST		(256 * 1024)

static void call_body_begin(ApiRequest *request);
static void call_body_end(ApiRequest *request);
static void call_value(ApiRequest *request, FunctionCallInfo fcinfo);
static void call_missing(ApiRequest *request);
static void call_set(ApiRequest *request, FunctionCallInfo fcinfo);
static void call_rows_begin(CallRows *rows, ApiRequest *request);
static void call_rows_each(CallRows *rows, FunctionCallInfo fcinfo, ReturnSetInfo *info, Datum value);
static void call_rows_stored(CallRows *rows, ReturnSetInfo *info);
static bool call_rows_add(CallRows *rows, const Datum *values, const bool *nulls);
static char *call_rows_position(CallRows *rows, const Datum *values, const bool *nulls);
static void call_page_end(ApiRequest *request);
static void call_tokens(ApiRequest *request, Datum value);

/*
 * Calls the function; its result becomes the body.
 */
void
roost_api_call(ApiRequest *request)
{
	ApiFunction *function = request->function;
	FmgrInfo   *info = roost_api_function_info(function, &request->running);

	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);

	function->running |= request->running;
	call_body_begin(request);
	InitFunctionCallInfoData(*fcinfo, info, function->nargs, function->collation, NULL, NULL);
	for (int i = 0; i < function->nargs; i++)
	{
		fcinfo->args[i].value = request->values[i];
		fcinfo->args[i].isnull = request->nulls[i];
	}
	request->calling = true;
	if (function->set)
		call_set(request, fcinfo);
	else
		call_value(request, fcinfo);
	request->calling = false;
	call_body_end(request);
	if (request->running)
	{
		function->ready = true;
		function->running = false;
		request->running = false;
	}
}

/*
 * Makes room for the body: as much as this function's largest one took, so
 * that writing it moves nothing.
 */
static void
call_body_begin(ApiRequest *request)
{
	StringInfo	body = &request->body_out;

	body->maxlen = Max(request->function->body_size, CALL_BODY_FIRST);
	body->data = palloc(body->maxlen);
	resetStringInfo(body);
}

/*
 * Remembers how large the body has become, within bounds.
 */
static void
call_body_end(ApiRequest *request)
{
	if (request->body_out.maxlen > request->function->body_size && request->body_out.maxlen <= CALL_BODY_MOST)
		request->function->body_size = request->body_out.maxlen;
}

/*
 * Returns whether a strict function may not be called.
 */
static bool
call_is_null(ApiRequest *request)
{
	for (int i = 0; request->function->strict && i < request->function->nargs; i++)
	{
		if (request->nulls[i])
			return true;
	}
	return false;
}

/*
 * Calls a function with one result.
 */
static void
call_value(ApiRequest *request, FunctionCallInfo fcinfo)
{
	ApiFunction *function = request->function;
	bool		isnull = call_is_null(request);
	Datum		value = (Datum) 0;

	if (!isnull)
	{
		value = FunctionCallInvoke(fcinfo);
		isnull = fcinfo->isnull;
	}
	if (isnull && function->result != VOIDOID && !request->value_written)
		call_missing(request);
	if (function->result == VOIDOID)
	{
		request->no_body = true;
		if (request->status == 200)
			request->status = 204;
		if (request->route->cookies)
			roost_api_cookie_clear(request);
	}
	else if (request->value_written)
		;
	else if (!isnull && request->route->cookies && roost_api_cookie_wanted(request) &&
			 type_is_rowtype(function->result))
		call_tokens(request, value);
	else
		roost_json_value(&request->body_out, roost_json_plan(function->result), value, isnull);
}

/*
 * Refuses to answer null for a built-in function that is not described as null
 * at times: what it was asked for, or has just written, is no longer there for
 * the caller, because another transaction has committed between two of its
 * statements.  What it has written is undone.
 */
static void
call_missing(ApiRequest *request)
{
	if (request->route->builtin && !request->function->may_be_null)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the object does not exist any more"),
				 errdetail("It went away, or out of sight, while the request was served; nothing was done.")));
}

/*
 * Moves the tokens of a result into cookies and writes the rest.
 */
static void
call_tokens(ApiRequest *request, Datum value)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(header),
												   HeapTupleHeaderGetTypMod(header));
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));
	HeapTupleData tuple = {.t_data = header,.t_len = HeapTupleHeaderGetDatumLength(header)};

	heap_deform_tuple(&tuple, desc, values, nulls);
	roost_api_cookie_tokens(request, desc, values, nulls);
	roost_json_row(&request->body_out, roost_json_plan_row(desc), values, nulls);
}

/*
 * Calls a function that returns a set.
 */
static void
call_set(ApiRequest *request, FunctionCallInfo fcinfo)
{
	ReturnSetInfo info = {.type = T_ReturnSetInfo};
	CallRows	rows;
	Datum		value;

	appendStringInfoString(&request->body_out, "{\"items\":[");
	if (call_is_null(request))
	{
		call_page_end(request);
		return;
	}
	info.econtext = CreateStandaloneExprContext();
	info.expectedDesc = request->function->desc;
	info.allowedModes = SFRM_ValuePerCall | SFRM_Materialize | SFRM_Materialize_Preferred;
	info.returnMode = SFRM_ValuePerCall;
	info.isDone = ExprSingleResult;
	fcinfo->resultinfo = (fmNodePtr) &info;

	value = FunctionCallInvoke(fcinfo);
	if (info.returnMode != SFRM_Materialize || info.setResult != NULL)
	{
		call_rows_begin(&rows, request);
		if (info.returnMode == SFRM_Materialize)
			call_rows_stored(&rows, &info);
		else
			call_rows_each(&rows, fcinfo, &info, value);
	}
	call_page_end(request);
	FreeExprContext(info.econtext, true);
}

/*
 * Begins to write rows.
 */
static void
call_rows_begin(CallRows *rows, ApiRequest *request)
{
	ApiFunction *function = request->function;

	memset(rows, 0, sizeof(CallRows));
	rows->request = request;
	rows->position = -1;
	if (function->scalar_set)
		rows->plan = roost_json_plan(TupleDescAttr(function->desc, 0)->atttypid);
	else
	{
		rows->plan = roost_json_plan_row(function->desc);
		rows->position = roost_json_attribute(rows->plan, "cursor");
		if (rows->position < 0)
			rows->position = roost_json_attribute(rows->plan, "id");
	}
}

/*
 * Writes the rows of a function that gives one at a time; the first value is
 * there already.
 */
static void
call_rows_each(CallRows *rows, FunctionCallInfo fcinfo, ReturnSetInfo *info, Datum value)
{
	ApiFunction *function = rows->request->function;
	int			natts = function->desc->natts;
	Datum	   *values = palloc(natts * sizeof(Datum));
	bool	   *nulls = palloc(natts * sizeof(bool));

	while (info->isDone != ExprEndResult)
	{
		values[0] = value;
		nulls[0] = fcinfo->isnull;
		if (!function->scalar_set && !fcinfo->isnull)
		{
			HeapTupleHeader header = DatumGetHeapTupleHeader(value);
			HeapTupleData tuple = {.t_data = header,.t_len = HeapTupleHeaderGetDatumLength(header)};

			heap_deform_tuple(&tuple, function->desc, values, nulls);
		}
		else if (!function->scalar_set)
			memset(nulls, true, natts);
		if (!call_rows_add(rows, values, nulls) || info->isDone == ExprSingleResult)
			return;
		CHECK_FOR_INTERRUPTS();
		fcinfo->isnull = false;
		value = FunctionCallInvoke(fcinfo);
	}
}

/*
 * Writes the rows of a function that gave them all at once.
 */
static void
call_rows_stored(CallRows *rows, ReturnSetInfo *info)
{
	TupleDesc	desc = rows->request->function->desc;
	TupleTableSlot *slot;

	for (int i = 0; i < desc->natts; i++)
	{
		if (info->setDesc->natts != desc->natts ||
			TupleDescAttr(info->setDesc, i)->atttypid != TupleDescAttr(desc, i)->atttypid)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a function behind a route returned other columns than declared")));
	}
	slot = MakeSingleTupleTableSlot(info->setDesc, &TTSOpsMinimalTuple);
	while (tuplestore_gettupleslot(info->setResult, true, false, slot))
	{
		slot_getallattrs(slot);
		if (!call_rows_add(rows, slot->tts_values, slot->tts_isnull))
			break;
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(info->setResult);
}

/*
 * Writes one row; false when the page is full.
 */
static bool
call_rows_add(CallRows *rows, const Datum *values, const bool *nulls)
{
	ApiRequest *request = rows->request;
	bool		page = request->function->limit >= 0;

	if (page && request->item_count == request->limit)
	{
		request->more_items = true;
		return false;
	}
	if (request->item_count > 0)
		appendStringInfoChar(&request->body_out, ',');
	if (request->function->scalar_set)
		roost_json_value(&request->body_out, rows->plan, values[0], nulls[0]);
	else
		roost_json_row(&request->body_out, rows->plan, values, nulls);
	request->item_count++;
	if (page && rows->position >= 0)
	{
		if (request->item_count == 1)
			request->previous = call_rows_position(rows, values, nulls);
		if (request->item_count == request->limit)
			request->next = call_rows_position(rows, values, nulls);
	}
	return true;
}

/*
 * Returns the cursor of a row.
 */
static char *
call_rows_position(CallRows *rows, const Datum *values, const bool *nulls)
{
	StringInfoData cursor;

	initStringInfo(&cursor);
	roost_json_attribute_value(&cursor, rows->plan, rows->position, values, nulls);
	if (cursor.data[0] != '"')
		return cursor.data;
	cursor.data[cursor.len - 1] = '\0';
	return cursor.data + 1;
}

/*
 * Ends the rows, and the page with its next position.
 */
static void
call_page_end(ApiRequest *request)
{
	appendStringInfoChar(&request->body_out, ']');
	if (request->function->limit >= 0)
	{
		if (request->more_items && request->next == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
					 errmsg("the rows of a page have no position"),
					 errhint("Give them an attribute \"cursor\" or \"id\".")));
		if (!request->more_items)
			request->next = NULL;
		appendStringInfoString(&request->body_out, ",\"next\":");
		if (request->next)
			roost_json_string(&request->body_out, request->next, strlen(request->next));
		else
			appendStringInfoString(&request->body_out, "null");
		roost_api_link(request);
	}
	appendStringInfoChar(&request->body_out, '}');
}
