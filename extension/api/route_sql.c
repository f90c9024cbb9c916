/*-------------------------------------------------------------------------
 *
 * route_sql.c
 *		Small SQL helpers of the api module: cursors, extension scripts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/extension.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "core/compat.h"

PG_FUNCTION_INFO_V1(roost_api_cursor_id);
PG_FUNCTION_INFO_V1(roost_api_in_extension_script);

/*
 * roost_internal.cursor_id(cursor) returns the number a cursor stands for.
 */
Datum
roost_api_cursor_id(PG_FUNCTION_ARGS)
{
	text	   *cursor = PG_GETARG_TEXT_PP(0);
	const char *p = VARDATA_ANY(cursor);
	const char *end = p + VARSIZE_ANY_EXHDR(cursor);
	int64		value = 0;
	bool		valid = p < end;

	for (; valid && p < end; p++)
		valid = *p >= '0' && *p <= '9' &&
			!__builtin_mul_overflow(value, 10, &value) &&
			!__builtin_add_overflow(value, *p - '0', &value);
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid cursor"),
				 errhint("Use the value of \"next\" from the page before."),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "before")));
	PG_RETURN_INT64(value);
}

/*
 * roost_internal.in_extension_script() returns whether roost's own install
 * or update script is running.
 */
Datum
roost_api_in_extension_script(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(creating_extension &&
				   CurrentExtensionObject == get_extension_oid("roost", true));
}
