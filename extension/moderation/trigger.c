/*-------------------------------------------------------------------------
 *
 * trigger.c
 *		What triggers of moderation read of rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "utils/rel.h"

#include "moderation/trigger.h"

/*
 * Returns the value of a column of the trigger's table.
 */
Datum
roost_moderation_row_value(TriggerData *trigger, HeapTuple tuple, const char *name, bool *isnull)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			number = SPI_fnumber(desc, name);

	if (number <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(trigger->tg_relation)),
				 errhint("Run SELECT roost.install().")));
	return heap_getattr(tuple, number, desc, isnull);
}
