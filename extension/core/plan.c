/*-------------------------------------------------------------------------
 *
 * plan.c
 *		Statements that a backend prepares once.
 *
 * A plan is kept by its user in a static variable, for the life of the
 * backend.  It is generic: what these statements look up depends on no value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/plan.h"

/*
 * Returns the plan of a statement, making it if it is NULL.
 */
SPIPlanPtr
roost_plan_keep(SPIPlanPtr *plan, const char *sql, int nargs, Oid *types)
{
	if (*plan == NULL)
	{
		SPIPlanPtr	made = SPI_prepare_cursor(sql, nargs, types, CURSOR_OPT_GENERIC_PLAN);

		if (made == NULL || SPI_keepplan(made) != 0)
			elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
		*plan = made;
	}
	return *plan;
}
