/*-------------------------------------------------------------------------
 *
 * event.c
 *		The row trigger that appends events to the commit queue.
 *
 * One C function serves every table: the kind of event and the columns that
 * become its values are arguments of the trigger, so that it works on
 * whatever relation it stands (a partition, a shard with another name).  Of
 * a column whose name ends in a question mark the event only says whether it
 * is not null; of one that is written column=label|label whether it has one of
 * these values of its enum, or has had it before an update.  The value of one
 * column of an enum can go along, as its place among the values of its type.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "core/commit.h"
#include "core/stamp.h"

PG_FUNCTION_INFO_V1(roost_event_emit);
PG_FUNCTION_INFO_V1(roost_event_lose);
PG_FUNCTION_INFO_V1(roost_event_forget);

#define EVENT_LABELS	4

#define EVENT_NAME(symbol, name) [ROOST_EVENT_##symbol] = name,
static const char *const event_names[ROOST_EVENT_KINDS] = {
	ROOST_EVENT_LIST(EVENT_NAME)
};
#undef EVENT_NAME

/* A trigger's arguments, looked up once a statement. */
typedef struct EventTrigger
{
	int			kind;
	int			num_values;
	AttrNumber	attribute[ROOST_EVENT_VALUES];
	Oid			type[ROOST_EVENT_VALUES];
	AttrNumber	label;			/* 0: none */
	int			num_asked;
	AttrNumber	asked[ROOST_EVENT_ASKED];
	int			num_labels[ROOST_EVENT_ASKED];	/* 0: whether it is not null */
	Oid			labels[ROOST_EVENT_ASKED][EVENT_LABELS];
} EventTrigger;

static EventTrigger *event_trigger_parse(TriggerData *trigdata, MemoryContext context);
static void event_trigger_refuse(TriggerData *trigdata) pg_attribute_noreturn();
static void event_trigger_ask(EventTrigger *args, TriggerData *trigdata, char *name);
static bool event_has(const EventTrigger *args, int i, HeapTuple row, TupleDesc desc);
static AttrNumber event_column(Relation relation, const char *name);
static int	event_kind(const char *name);
static int64 event_value(Datum value, Oid type);
static uint16 event_label(Oid value);

/*
 * Returns the name of a kind.
 */
const char *
roost_event_name(int kind)
{
	return event_names[kind];
}

/*
 * Returns the id of the post or follow that an event says was created, or 0.
 */
int64
roost_event_created_id(const RoostEvent *event)
{
	switch (event->kind)
	{
		case ROOST_EVENT_POST_CREATED:
			return event->value[0];
		case ROOST_EVENT_FOLLOW_CREATED:
			return event->value[2];
		default:
			return 0;
	}
}

/*
 * roost_internal.event_emit('kind', 'column', …) appends an event for the row.
 */
Datum
roost_event_emit(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	EventTrigger *args = fcinfo->flinfo->fn_extra;
	RoostEvent	event = {0};
	HeapTuple	row;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.event_emit() must be an AFTER ROW trigger")));

	if (args == NULL)
		args = fcinfo->flinfo->fn_extra =
			event_trigger_parse(trigdata, fcinfo->flinfo->fn_mcxt);

	row = trigdata->tg_trigtuple;
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		event.flags = ROOST_EVENT_INSERT;
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		event.flags = ROOST_EVENT_DELETE;
	else
	{
		event.flags = ROOST_EVENT_UPDATE;
		row = trigdata->tg_newtuple;
	}

	event.kind = args->kind;
	for (int i = 0; i < args->num_values; i++)
	{
		bool		isnull;
		Datum		value = heap_getattr(row, args->attribute[i],
										 RelationGetDescr(trigdata->tg_relation), &isnull);

		if (isnull)
			event.flags |= ROOST_EVENT_NULL(i);
		else
			event.value[i] = event_value(value, args->type[i]);
	}
	if (args->label != 0)
	{
		bool		isnull;
		Datum		value = heap_getattr(row, args->label, RelationGetDescr(trigdata->tg_relation), &isnull);

		event.label = isnull ? 0 : event_label(DatumGetObjectId(value));
	}
	for (int i = 0; i < args->num_asked; i++)
	{
		TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

		if (event_has(args, i, row, desc) ||
			(args->num_labels[i] > 0 && (event.flags & ROOST_EVENT_UPDATE) && event_has(args, i, trigdata->tg_trigtuple, desc)))
			event.flags |= ROOST_EVENT_HAS(i);
	}
	roost_commit_append(&event);

	return PointerGetDatum(NULL);
}

/*
 * roost_internal.event_lose(): something has changed that events cannot say.
 */
Datum
roost_event_lose(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(((TriggerData *) fcinfo->context)->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.event_lose() must be an AFTER trigger")));

	roost_commit_lose();
	roost_stamp_touch_all();
	return PointerGetDatum(NULL);
}

/*
 * roost.cache_forget() does the same for whoever calls it.
 */
Datum
roost_event_forget(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("roost.cache_forget()");
	PreventCommandDuringRecovery("roost.cache_forget()");

	roost_commit_lose();
	roost_stamp_touch_all();
	PG_RETURN_VOID();
}

/*
 * Returns the trigger's arguments, checked.
 */
static EventTrigger *
event_trigger_parse(TriggerData *trigdata, MemoryContext context)
{
	EventTrigger *args = MemoryContextAllocZero(context, sizeof(EventTrigger));
	char	  **names = trigdata->tg_trigger->tgargs;
	int			num_names = trigdata->tg_trigger->tgnargs;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	if (num_names < 1)
		event_trigger_refuse(trigdata);
	args->kind = event_kind(names[0]);
	for (int i = 1; i < num_names; i++)
	{
		bool		ask = names[i][strcspn(names[i], "?=")] != '\0';
		AttrNumber	column;
		Oid			type;

		if (ask && args->num_asked == ROOST_EVENT_ASKED)
			event_trigger_refuse(trigdata);
		if (ask)
		{
			event_trigger_ask(args, trigdata, pstrdup(names[i]));
			continue;
		}
		column = event_column(trigdata->tg_relation, names[i]);
		type = SPI_gettypeid(desc, column);
		if (type_is_enum(type) ? args->label != 0 : args->num_values == ROOST_EVENT_VALUES)
			event_trigger_refuse(trigdata);
		if (type_is_enum(type))
		{
			args->label = column;
			continue;
		}
		if (type != INT8OID && type != INT4OID && type != INT2OID && type != BOOLOID && type != TIMESTAMPTZOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of relation \"%s\" cannot be part of an event",
							names[i], RelationGetRelationName(trigdata->tg_relation)),
					 errdetail("Events carry integers, booleans, timestamps with time zone and one enum.")));
		args->attribute[args->num_values] = column;
		args->type[args->num_values++] = type;
	}
	return args;
}

/*
 * Adds a column of which the event only says something: column? or
 * column=label|label.
 */
static void
event_trigger_ask(EventTrigger *args, TriggerData *trigdata, char *name)
{
	int			n = args->num_asked++;
	char	   *labels = name + strcspn(name, "?=");
	bool		equal = *labels == '=';
	Oid			type;
	char	   *label;

	*labels++ = '\0';
	args->asked[n] = event_column(trigdata->tg_relation, name);
	if (!equal)
		return;
	type = SPI_gettypeid(RelationGetDescr(trigdata->tg_relation), args->asked[n]);
	while ((label = strsep(&labels, "|")) != NULL)
	{
		Oid			value = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid, ObjectIdGetDatum(type), CStringGetDatum(label));

		if (!OidIsValid(value) || args->num_labels[n] == EVENT_LABELS)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("trigger \"%s\" cannot ask for value \"%s\" of column \"%s\"", trigdata->tg_trigger->tgname, label, name)));
		args->labels[n][args->num_labels[n]++] = value;
	}
}

/*
 * Returns whether a row has what is asked of a column.
 */
static bool
event_has(const EventTrigger *args, int i, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value;

	if (args->num_labels[i] == 0)
		return !heap_attisnull(row, args->asked[i], desc);
	value = heap_getattr(row, args->asked[i], desc, &isnull);
	for (int k = 0; k < args->num_labels[i] && !isnull; k++)
	{
		if (args->labels[i][k] == DatumGetObjectId(value))
			return true;
	}
	return false;
}

static void
event_trigger_refuse(TriggerData *trigdata)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("trigger \"%s\" needs a kind of event, up to %d columns and one of an enum",
					trigdata->tg_trigger->tgname, ROOST_EVENT_VALUES)));
}

/*
 * Returns the number of a column.
 */
static AttrNumber
event_column(Relation relation, const char *name)
{
	int			column = SPI_fnumber(RelationGetDescr(relation), name);

	if (column <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, RelationGetRelationName(relation))));
	return column;
}

/*
 * Returns the kind of a name.
 */
static int
event_kind(const char *name)
{
	for (int i = 0; i < ROOST_EVENT_KINDS; i++)
	{
		if (strcmp(event_names[i], name) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("event \"%s\" does not exist", name)));
}

/*
 * Returns a column's value; times become microseconds since 1970.
 */
static int64
event_value(Datum value, Oid type)
{
	switch (type)
	{
		case INT4OID:
			return DatumGetInt32(value);
		case INT2OID:
			return DatumGetInt16(value);
		case BOOLOID:
			return DatumGetBool(value);
		case TIMESTAMPTZOID:
			return roost_clock_from_timestamp(DatumGetTimestampTz(value));
		default:
			return DatumGetInt64(value);
	}
}

/*
 * Returns the place of a value in its enum, from 0.
 */
static uint16
event_label(Oid value)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	float4		place;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for value %u of an enum", value);
	place = ((Form_pg_enum) GETSTRUCT(tuple))->enumsortorder;
	ReleaseSysCache(tuple);
	return (uint16) (place - 1);
}
