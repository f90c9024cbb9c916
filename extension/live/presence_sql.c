/*-------------------------------------------------------------------------
 *
 * presence_sql.c
 *		What SQL may do with presence: beat, look, count.
 *
 *-------------------------------------------------------------------------
 */
#include "live/presence.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "core/core.h"
#include "live/queue.h"
#include "live/signal.h"
#include "live/typing.h"

PG_FUNCTION_INFO_V1(roost_live_beat);
PG_FUNCTION_INFO_V1(roost_presence_state);
PG_FUNCTION_INFO_V1(roost_presence_stat_sql);

#define PRESENCE_STATE_COLUMNS	3
#define PRESENCE_STAT_COLUMNS	14

static const int64 *presence_ids(ArrayType *array, int *count);

/*
 * roost.live_beat(gateway_id, online, offline, entire)
 */
Datum
roost_live_beat(PG_FUNCTION_ARGS)
{
	int64		gateway_id = PG_GETARG_INT64(0);
	bool		entire = PG_GETARG_BOOL(3);
	const int64 *online;
	const int64 *offline;
	int			num_online;
	int			num_offline;
	bool		unknown;

	if (gateway_id <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the id of a gateway must be positive")));
	online = presence_ids(PG_GETARG_ARRAYTYPE_P(1), &num_online);
	offline = presence_ids(PG_GETARG_ARRAYTYPE_P(2), &num_offline);
	if (!roost_core_is_home())
		PG_RETURN_BOOL(false);
	PreventCommandDuringRecovery("live_beat()");

	unknown = roost_presence_beat(gateway_id, online, num_online, offline, num_offline, entire);
	if (num_online + num_offline > 0 || entire)
		roost_queue_wake();
	PG_RETURN_BOOL(unknown);
}

/*
 * Returns the elements of an array of ids.
 */
static const int64 *
presence_ids(ArrayType *array, int *count)
{
	const int64 *ids = (const int64 *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a list of accounts must have one dimension and no nulls")));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	for (int i = 0; i < *count; i++)
	{
		if (ids[i] <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the id of an account must be positive")));
	}
	return ids;
}

/*
 * roost_internal.presence_state(account_ids) returns a row for each account.
 */
Datum
roost_presence_state(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			count;
	const int64 *ids = presence_ids(PG_GETARG_ARRAYTYPE_P(0), &count);
	bool		home = roost_core_is_home();

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		int64		since_us = 0;
		bool		online = home && roost_presence_look(ids[i], &since_us);
		Datum		values[PRESENCE_STATE_COLUMNS];
		bool		nulls[PRESENCE_STATE_COLUMNS] = {false};

		values[0] = Int64GetDatum(ids[i]);
		values[1] = BoolGetDatum(online);
		values[2] = TimestampTzGetDatum(roost_clock_timestamp(since_us));
		nulls[2] = since_us == 0;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * roost_internal.presence_stat() returns the row of roost.stat_presence.
 */
Datum
roost_presence_stat_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[PRESENCE_STAT_COLUMNS];
	bool		nulls[PRESENCE_STAT_COLUMNS] = {false};
	RoostPresenceStat presence;
	RoostTypingStat typing;
	RoostSignalStat sent;
	int			i = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	roost_presence_stat(&presence);
	roost_typing_stat(&typing);
	roost_signal_stat(&sent);

	values[i++] = Int64GetDatum(presence.online + presence.leaving);
	values[i++] = Int64GetDatum(presence.leaving);
	values[i++] = Int64GetDatum(presence.offline);
	values[i++] = Int64GetDatum(presence.room);
	values[i++] = Int64GetDatum(presence.gateways);
	values[i++] = Int64GetDatum((int64) presence.lost);
	values[i++] = Int64GetDatum((int64) presence.beats);
	values[i++] = Int64GetDatum((int64) presence.refused);
	values[i++] = Int64GetDatum(typing.typing);
	values[i++] = Int64GetDatum(typing.swallowed);
	values[i++] = Int64GetDatum(typing.evicted);
	values[i++] = Int64GetDatum((int64) sent.written);
	values[i++] = Int64GetDatum((int64) sent.dropped);
	values[i++] = Int64GetDatum((int64) sent.notifies);
	Assert(i == PRESENCE_STAT_COLUMNS);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
