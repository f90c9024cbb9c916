/*-------------------------------------------------------------------------
 *
 * trace.c
 *		Rows that are inserted with ids of the past.
 *
 * The log's horizon, and standbys with it, rely on new rows having new ids.
 * Whoever inserts a row whose id was not made in the same transaction (an
 * import, a row that was moved, rows that replication brings) therefore leaves
 * a trace, once a subtransaction: then everything is looked for, not only what
 * has a new id.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "core/id.h"
#include "core/plan.h"

PG_FUNCTION_INFO_V1(roost_feed_trace_old);

/* Where the last trace was left */
static TransactionId traced_transaction = InvalidTransactionId;
static SubTransactionId traced_subtransaction = InvalidSubTransactionId;

/*
 * roost_internal.feed_trace_old('column'), an AFTER INSERT trigger for each
 * row, leaves a trace if the id in the column is older than the transaction.
 */
Datum
roost_feed_trace_old(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	int64		age_ms;
	int64		id;
	bool		isnull;
	int			column;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) || trigger->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.feed_trace_old() must be a trigger of INSERT for each row, with a column")));

	column = SPI_fnumber(RelationGetDescr(trigger->tg_relation), trigger->tg_trigger->tgargs[0]);
	if (column <= 0)
		elog(ERROR, "table \"%s\" has no column \"%s\"", RelationGetRelationName(trigger->tg_relation), trigger->tg_trigger->tgargs[0]);
	id = DatumGetInt64(heap_getattr(trigger->tg_trigtuple, column, RelationGetDescr(trigger->tg_relation), &isnull));

	age_ms = TimestampDifferenceMilliseconds(GetCurrentTransactionStartTimestamp(), GetCurrentTimestamp());
	if (isnull || id >> ROOST_ID_MS_SHIFT >= roost_clock_ms() - age_ms - 1 ||
		(GetTopTransactionId() == traced_transaction && GetCurrentSubTransactionId() == traced_subtransaction))
		return PointerGetDatum(NULL);

	SPI_connect();
	roost_plan_keep(&plan, "INSERT INTO roost_data.feed_trace (id, kind, row_id) VALUES (roost_internal.id_next(), 'events_lost', 0)", 0, NULL);
	if (SPI_execute_plan(plan, NULL, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not leave a trace");
	SPI_finish();
	traced_transaction = GetTopTransactionId();
	traced_subtransaction = GetCurrentSubTransactionId();
	return PointerGetDatum(NULL);
}
