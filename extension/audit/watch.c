/*-------------------------------------------------------------------------
 *
 * watch.c
 *		The trigger that adds entries to the audit trail.
 *
 * Its arguments are read once for every prepared call and kept with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "audit/audit.h"
#include "core/json.h"

PG_FUNCTION_INFO_V1(roost_audit_watch);

#define WATCH_KEYS		4

typedef struct WatchColumn
{
	AttrNumber	number;
	bool		secret;			/* only that it has changed is said */
	bool		key;
	int16		length;
	bool		by_value;
} WatchColumn;

typedef struct WatchTrigger
{
	const char *type;
	int			num_keys;
	AttrNumber	keys[WATCH_KEYS];
	AttrNumber	account;		/* whom the row concerns, or 0 */
	AttrNumber	owner;			/* who may change it without an entry, or 0 */
	int			num_columns;
	WatchColumn *columns;		/* the keys first */
} WatchTrigger;

static WatchTrigger *watch_parse(TriggerData *data, MemoryContext context);
static AttrNumber watch_column(TriggerData *data, const char *name);
static void watch_add_column(WatchTrigger *watch, TupleDesc desc, AttrNumber number, bool secret, bool key);
static Jsonb *watch_detail(const WatchTrigger *watch, TupleDesc desc, HeapTuple old, HeapTuple new, bool *changed);
static bool watch_differs(const WatchColumn *column, TupleDesc desc, HeapTuple old, HeapTuple new);
static void watch_member(StringInfo out, const WatchColumn *column, TupleDesc desc, HeapTuple row);
static char *watch_key(const WatchTrigger *watch, TupleDesc desc, HeapTuple row);
static int64 watch_account(AttrNumber column, TupleDesc desc, HeapTuple row);

/*
 * roost_internal.audit_watch('type', 'key column', 'column', …) adds an entry
 * for a row that has been inserted, deleted or changed in one of the columns,
 * or for a table that has been emptied.
 */
Datum
roost_audit_watch(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	WatchTrigger *watch = fcinfo->flinfo->fn_extra;
	TupleDesc	desc;
	HeapTuple	old;
	HeapTuple	new;
	const char *verb;
	bool		changed = false;
	AuditEntry	entry = {0};

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		(!TRIGGER_FIRED_FOR_ROW(data->tg_event) && !TRIGGER_FIRED_BY_TRUNCATE(data->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.audit_watch() must be an AFTER ROW or TRUNCATE trigger")));
	if (data->tg_trigger->tgnargs < 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.audit_watch() needs the type of the object as its first argument")));
	entry.by_trigger = true;
	entry.object_type = data->tg_trigger->tgargs[0];
	if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
	{
		entry.action = psprintf("%s.truncate", entry.object_type);
		roost_audit_write(&entry);
		return PointerGetDatum(NULL);
	}

	if (watch == NULL)
		watch = fcinfo->flinfo->fn_extra = watch_parse(data, fcinfo->flinfo->fn_mcxt);
	desc = RelationGetDescr(data->tg_relation);
	verb = TRIGGER_FIRED_BY_INSERT(data->tg_event) ? "create" : TRIGGER_FIRED_BY_DELETE(data->tg_event) ? "delete" : "update";
	old = TRIGGER_FIRED_BY_INSERT(data->tg_event) ? NULL : data->tg_trigtuple;
	new = TRIGGER_FIRED_BY_INSERT(data->tg_event) ? data->tg_trigtuple :
		TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : NULL;

	if (watch->owner != 0 && roost_audit_actor() != 0 &&
		roost_audit_actor() == watch_account(watch->owner, desc, old != NULL ? old : new))
		return PointerGetDatum(NULL);

	entry.detail = watch_detail(watch, desc, old, new, &changed);
	if (!changed)
		return PointerGetDatum(NULL);
	entry.action = psprintf("%s.%s", watch->type, verb);
	entry.object_id = watch_key(watch, desc, new != NULL ? new : old);
	if (watch->account != 0)
		entry.account_id = watch_account(watch->account, desc, new != NULL ? new : old);
	roost_audit_write(&entry);
	return PointerGetDatum(NULL);
}

/*
 * Returns the trigger's arguments, checked.
 */
static WatchTrigger *
watch_parse(TriggerData *data, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	WatchTrigger *watch = palloc0(sizeof(WatchTrigger));
	TupleDesc	desc = RelationGetDescr(data->tg_relation);
	int			num_arguments = data->tg_trigger->tgnargs;
	char	  **arguments = data->tg_trigger->tgargs;

	watch->type = pstrdup(arguments[0]);
	watch->columns = palloc0((num_arguments + WATCH_KEYS) * sizeof(WatchColumn));
	if (num_arguments > 1)
	{
		char	   *keys = pstrdup(arguments[1]);
		char	   *rest = keys;

		for (char *name = strsep(&rest, ","); name != NULL; name = strsep(&rest, ","))
		{
			if (watch->num_keys == WATCH_KEYS)
				ereport(ERROR,
						(errcode(ERRCODE_TOO_MANY_ARGUMENTS),
						 errmsg("trigger \"%s\" names too many key columns", data->tg_trigger->tgname)));
			watch->keys[watch->num_keys++] = watch_column(data, name);
			watch_add_column(watch, desc, watch_column(data, name), false, true);
		}
	}
	for (int i = 2; i < num_arguments; i++)
	{
		const char *name = arguments[i];
		int			length = strlen(name);
		bool		secret = length > 1 && name[length - 1] == '!';

		if (name[0] == '@')
			watch->account = watch_column(data, name + 1);
		else if (name[0] == '~')
			watch->owner = watch_column(data, name + 1);
		else
			watch_add_column(watch, desc, watch_column(data, secret ? pnstrdup(name, length - 1) : name), secret, false);
	}
	MemoryContextSwitchTo(caller);
	return watch;
}

/*
 * Returns the number of a column.
 */
static AttrNumber
watch_column(TriggerData *data, const char *name)
{
	int			number = SPI_fnumber(RelationGetDescr(data->tg_relation), name);

	if (number <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("trigger \"%s\" names column \"%s\", which table \"%s\" does not have",
						data->tg_trigger->tgname, name, RelationGetRelationName(data->tg_relation))));
	return number;
}

static void
watch_add_column(WatchTrigger *watch, TupleDesc desc, AttrNumber number, bool secret, bool key)
{
	WatchColumn *column = &watch->columns[watch->num_columns++];
	Form_pg_attribute attribute = TupleDescAttr(desc, number - 1);

	column->number = number;
	column->secret = secret;
	column->key = key;
	column->length = attribute->attlen;
	column->by_value = attribute->attbyval;
}

/*
 * Returns what is to be said of a change: {"old": {…}, "new": {…}, "changed":
 * […]}; and whether there is one.
 */
static Jsonb *
watch_detail(const WatchTrigger *watch, TupleDesc desc, HeapTuple old, HeapTuple new, bool *changed)
{
	StringInfoData before;
	StringInfoData after;
	StringInfoData secrets;
	StringInfoData out;

	*changed = old == NULL || new == NULL;
	initStringInfo(&before);
	initStringInfo(&after);
	initStringInfo(&secrets);
	for (int i = 0; i < watch->num_columns; i++)
	{
		const WatchColumn *column = &watch->columns[i];

		if (old != NULL && new != NULL && !watch_differs(column, desc, old, new))
			continue;
		if (old != NULL && new != NULL)
			*changed = true;
		else if (column->key)
			continue;			/* the entry names it */
		if (column->secret)
		{
			if (old != NULL && new != NULL)
			{
				appendStringInfoString(&secrets, secrets.len > 0 ? ", " : "");
				roost_json_string(&secrets, NameStr(TupleDescAttr(desc, column->number - 1)->attname),
								  strlen(NameStr(TupleDescAttr(desc, column->number - 1)->attname)));
			}
			continue;
		}
		if (old != NULL)
			watch_member(&before, column, desc, old);
		if (new != NULL)
			watch_member(&after, column, desc, new);
	}
	if (!*changed || before.len + after.len + secrets.len == 0)
		return NULL;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	if (before.len > 0)
		appendStringInfo(&out, "\"old\": {%s}", before.data);
	if (after.len > 0)
		appendStringInfo(&out, "%s\"new\": {%s}", out.len > 1 ? ", " : "", after.data);
	if (secrets.len > 0)
		appendStringInfo(&out, "%s\"changed\": [%s]", out.len > 1 ? ", " : "", secrets.data);
	appendStringInfoChar(&out, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/*
 * Returns whether a column differs between two rows.
 */
static bool
watch_differs(const WatchColumn *column, TupleDesc desc, HeapTuple old, HeapTuple new)
{
	bool		old_null;
	bool		new_null;
	Datum		old_value = heap_getattr(old, column->number, desc, &old_null);
	Datum		new_value = heap_getattr(new, column->number, desc, &new_null);

	if (old_null || new_null)
		return old_null != new_null;
	return !datum_image_eq(old_value, new_value, column->by_value, column->length);
}

/* appends "name": value */
static void
watch_member(StringInfo out, const WatchColumn *column, TupleDesc desc, HeapTuple row)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, column->number - 1);
	bool		isnull;
	Datum		value = heap_getattr(row, column->number, desc, &isnull);

	appendStringInfoString(out, out->len > 0 ? ", " : "");
	roost_json_string(out, NameStr(attribute->attname), strlen(NameStr(attribute->attname)));
	appendStringInfoString(out, ": ");
	/* ids are strings in JSON */
	if (attribute->atttypid == INT8OID && !isnull)
		appendStringInfo(out, "\"" INT64_FORMAT "\"", DatumGetInt64(value));
	else
		roost_json_value(out, roost_json_plan(attribute->atttypid), value, isnull);
}

/*
 * Returns the name of a row: its key columns with slashes between them.
 */
static char *
watch_key(const WatchTrigger *watch, TupleDesc desc, HeapTuple row)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < watch->num_keys; i++)
	{
		char	   *value = SPI_getvalue(row, desc, watch->keys[i]);

		appendStringInfo(&out, "%s%s", i > 0 ? "/" : "", value != NULL ? value : "");
	}
	return out.data;
}

/*
 * Returns the account that stands in a column, or 0.
 */
static int64
watch_account(AttrNumber column, TupleDesc desc, HeapTuple row)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	return isnull || TupleDescAttr(desc, column - 1)->atttypid != INT8OID ? 0 : DatumGetInt64(value);
}
