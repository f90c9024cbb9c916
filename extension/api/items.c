/*-------------------------------------------------------------------------
 *
 * items.c
 *		Results that functions write straight as JSON.
 *
 * The state is the request's: what is written here, and rows that the function
 * returns, are counted together.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/api.h"
#include "api/items.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/*
 * Returns whether the function's result goes where the request's does.
 */
static bool
items_may_write(ApiRequest *request, FunctionCallInfo fcinfo)
{
	ApiFunction *function;

	if (request == NULL || !request->calling || !request->route->builtin)
		return false;
	function = request->function;
	if (function->oid == fcinfo->flinfo->fn_oid)
		return true;
	return function->desc != NULL && function->desc->tdtypeid != RECORDOID &&
		function->desc->tdtypeid == get_func_rettype(fcinfo->flinfo->fn_oid);
}

/*
 * Returns where to write the rows of a set, or NULL: return them.
 */
RoostItems *
roost_items_begin(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;

	if (info == NULL || !IsA(info, ReturnSetInfo) || (info->allowedModes & SFRM_Materialize) == 0 ||
		!items_may_write(roost_api_request, fcinfo) || !roost_api_request->function->set)
		return NULL;

	/* a set without rows */
	info->returnMode = SFRM_Materialize;
	info->setResult = NULL;
	info->setDesc = NULL;
	return roost_api_request;
}

/*
 * Returns what to append the next row to, or NULL: the page is full.
 */
StringInfo
roost_items_next(RoostItems *items)
{
	if (items->function->limit >= 0 && items->item_count == items->limit)
	{
		items->more_items = true;
		return NULL;
	}
	if (items->item_count > 0)
		appendStringInfoCharMacro(&items->body_out, ',');
	return &items->body_out;
}

/*
 * Counts the row that has been appended.
 */
void
roost_items_end(RoostItems *items, int64 cursor)
{
	char	   *position;

	items->item_count++;
	if (items->function->limit < 0 || (items->item_count != 1 && items->item_count != items->limit))
		return;
	/* it outlives the call */
	position = MemoryContextAlloc(GetMemoryChunkContext(items->headers_out.data), MAXINT8LEN + 1);
	pg_lltoa(cursor, position);
	if (items->item_count == 1)
		items->previous = position;
	if (items->item_count == items->limit)
		items->next = position;
}

/*
 * Returns what to append the one result of a function to, or NULL: return it.
 */
StringInfo
roost_items_value(FunctionCallInfo fcinfo)
{
	ApiRequest *request = roost_api_request;

	if (!items_may_write(request, fcinfo) || request->function->set || request->route->cookies ||
		request->function->oid != fcinfo->flinfo->fn_oid)
		return NULL;
	request->value_written = true;
	return &request->body_out;
}
