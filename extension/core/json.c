/*-------------------------------------------------------------------------
 *
 * json.c
 *		Writes values of any type as JSON.
 *
 * How a type is written is looked up once and kept as a plan in backend-local
 * memory: a writer function and, for composites, domains and arrays, the plans
 * of their parts.  One hash table from (type, typmod) to plan, one memory
 * context for all of them.  There are as many plans as types written, so no
 * bound is needed.
 *
 * When a type or a composite's columns change, all plans are marked stale;
 * the next roost_json_plan() throws the whole context away.  Nothing is freed
 * in the callback, because it may run in the middle of writing.
 *
 * What is written: roost.id and domains over it as decimal strings, other
 * integers and numeric as numbers, floats as the shortest number that reads
 * back (NaN and infinities as null), timestamps in RFC 3339 in UTC with
 * milliseconds, bytea in base64url without padding, json and jsonb as they
 * are, every other scalar type as the string its output function gives.
 * The attribute "cursor" of a composite is left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "core/base64.h"
#include "core/invalidation.h"
#include "core/json.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(roost_json_to_json);

/* composites with more columns than this are taken apart in palloc'd arrays */
#define JSON_ROW_ON_STACK	64

typedef void (*JsonWriter) (StringInfo out, const RoostJsonPlan *plan, Datum value);

/* one attribute of a composite */
typedef struct JsonAttribute
{
	const char *name;			/* as in the catalog; NULL if dropped */
	const char *label;			/* "name": with quotes, escapes and colon */
	int			label_length;
	const RoostJsonPlan *plan;
	bool		written;		/* dropped columns and "cursor" are not */
} JsonAttribute;

struct RoostJsonPlan
{
	JsonWriter	write;
	FmgrInfo	output;			/* json_write_output */
	int			natts;			/* json_write_composite */
	JsonAttribute *attributes;
	TupleDesc	desc;
	const RoostJsonPlan *element;	/* json_write_array */
	Oid			element_type;
	int16		element_length;
	bool		element_by_value;
	char		element_align;
};

typedef struct JsonPlanKey
{
	Oid			type;
	int32		typmod;
} JsonPlanKey;

typedef struct JsonPlanEntry
{
	JsonPlanKey key;
	RoostJsonPlan *plan;		/* NULL while it is being built */
} JsonPlanEntry;

static MemoryContext json_context = NULL;
static HTAB *json_plans = NULL;
static bool json_stale = false;

/* relations whose columns the plans rest on */
static Oid *json_relations = NULL;
static int	json_relation_count = 0;
static int	json_relation_room = 0;

static const RoostJsonPlan *json_plan(Oid type, int32 typmod);
static void json_plans_reset(void);
static void json_plan_fill(RoostJsonPlan *plan, Oid type, int32 typmod);
static JsonWriter json_scalar_writer(Oid type);
static bool json_is_id(Oid type);
static void json_plan_array(RoostJsonPlan *plan, Oid element);
static void json_plan_composite(RoostJsonPlan *plan, TupleDesc desc);
static void json_relation_remember(Oid relid);
static void json_type_changed(Datum arg, int cacheid, uint32 hashvalue);
static void json_relation_changed(Oid relid);

/*
 * Registers the callbacks that keep plans fresh.
 */
void
roost_json_init(void)
{
	CacheRegisterSyscacheCallback(TYPEOID, json_type_changed, (Datum) 0);
	roost_invalidation_register(json_relation_changed);
}

/*
 * roost_internal.to_json(anyelement) returns a value as JSON text.
 */
Datum
roost_json_to_json(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);

	initStringInfo(&out);
	roost_json_value(&out, roost_json_plan(type), PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * Returns how to write values of a type.
 */
const RoostJsonPlan *
roost_json_plan(Oid type)
{
	if (json_stale || json_plans == NULL)
		json_plans_reset();
	return json_plan(type, -1);
}

/*
 * Returns how to write rows of a descriptor, which may be an anonymous record;
 * an anonymous descriptor is given a typmod.
 */
const RoostJsonPlan *
roost_json_plan_row(TupleDesc desc)
{
	if (json_stale || json_plans == NULL)
		json_plans_reset();
	if (desc->tdtypeid == RECORDOID && desc->tdtypmod < 0)
		assign_record_type_typmod(desc);
	return json_plan(desc->tdtypeid, desc->tdtypmod);
}

/*
 * Writes one value.
 */
void
roost_json_value(StringInfo out, const RoostJsonPlan *plan, Datum value, bool isnull)
{
	if (isnull)
		appendBinaryStringInfo(out, "null", 4);
	else
		plan->write(out, plan, value);
}

/*
 * Writes a row as an object, without the attribute "cursor".
 */
void
roost_json_row(StringInfo out, const RoostJsonPlan *plan, const Datum *values, const bool *nulls)
{
	bool		first = true;

	appendStringInfoCharMacro(out, '{');
	for (int i = 0; i < plan->natts; i++)
	{
		const JsonAttribute *attribute = &plan->attributes[i];

		if (!attribute->written)
			continue;
		if (!first)
			appendStringInfoCharMacro(out, ',');
		first = false;
		appendBinaryStringInfo(out, attribute->label, attribute->label_length);
		roost_json_value(out, attribute->plan, values[i], nulls[i]);
	}
	appendStringInfoCharMacro(out, '}');
}

/*
 * Returns the number of a row's attribute, counted from 0, or -1.
 */
int
roost_json_attribute(const RoostJsonPlan *plan, const char *name)
{
	for (int i = 0; i < plan->natts; i++)
	{
		if (plan->attributes[i].name && strcmp(plan->attributes[i].name, name) == 0)
			return i;
	}
	return -1;
}

/*
 * Writes the value of one attribute of a row, also of "cursor".
 */
void
roost_json_attribute_value(StringInfo out, const RoostJsonPlan *plan, int attribute,
						   const Datum *values, const bool *nulls)
{
	roost_json_value(out, plan->attributes[attribute].plan, values[attribute], nulls[attribute]);
}

/*
 * Writes a string with quotes and escapes.
 */
void
roost_json_string(StringInfo out, const char *text, size_t length)
{
	const unsigned char *p = (const unsigned char *) text;
	const unsigned char *end = p + length;

	enlargeStringInfo(out, length + 2);
	appendStringInfoCharMacro(out, '"');
	while (p < end)
	{
		const unsigned char *run = p;

		while (p < end && *p >= ' ' && *p != '"' && *p != '\\')
			p++;
		appendBinaryStringInfo(out, (const char *) run, p - run);
		if (p == end)
			break;
		switch (*p)
		{
			case '"':
				appendBinaryStringInfo(out, "\\\"", 2);
				break;
			case '\\':
				appendBinaryStringInfo(out, "\\\\", 2);
				break;
			case '\n':
				appendBinaryStringInfo(out, "\\n", 2);
				break;
			case '\r':
				appendBinaryStringInfo(out, "\\r", 2);
				break;
			case '\t':
				appendBinaryStringInfo(out, "\\t", 2);
				break;
			default:
				appendStringInfo(out, "\\u%04x", *p);
				break;
		}
		p++;
	}
	appendStringInfoCharMacro(out, '"');
}

/*
 * Writes an integer.
 */
void
roost_json_int64(StringInfo out, int64 value)
{
	char		buffer[MAXINT8LEN + 1];
	int			length = pg_lltoa(value, buffer);

	appendBinaryStringInfo(out, buffer, length);
}

/*
 * Writes a date as YYYY-MM-DD, beyond four digits in ISO 8601's expanded form.
 */
static void
json_date(StringInfo out, int julian)
{
	char		buffer[32];
	char	   *p = buffer;
	int			year;
	int			month;
	int			day;

	j2date(julian, &year, &month, &day);
	if (year < 0 || year > 9999)
	{
		*p++ = year < 0 ? '-' : '+';
		p = pg_ultostr_zeropad(p, year < 0 ? -year : year, 6);
	}
	else
		p = pg_ultostr_zeropad(p, year, 4);
	*p++ = '-';
	p = pg_ultostr_zeropad(p, month, 2);
	*p++ = '-';
	p = pg_ultostr_zeropad(p, day, 2);
	appendBinaryStringInfo(out, buffer, p - buffer);
}

/*
 * Writes a point in time: date, T, time with milliseconds, and the zone.
 */
static void
json_timestamp(StringInfo out, Timestamp at, const char *zone)
{
	char		buffer[32];
	char	   *p = buffer;
	int64		day = at / USECS_PER_DAY;
	int64		rest = at % USECS_PER_DAY;

	if (TIMESTAMP_NOT_FINITE(at))
	{
		appendBinaryStringInfo(out, "null", 4);
		return;
	}
	if (rest < 0)
	{
		rest += USECS_PER_DAY;
		day--;
	}
	appendStringInfoCharMacro(out, '"');
	json_date(out, day + POSTGRES_EPOCH_JDATE);
	*p++ = 'T';
	p = pg_ultostr_zeropad(p, rest / USECS_PER_HOUR, 2);
	*p++ = ':';
	p = pg_ultostr_zeropad(p, rest / USECS_PER_MINUTE % 60, 2);
	*p++ = ':';
	p = pg_ultostr_zeropad(p, rest / USECS_PER_SEC % 60, 2);
	*p++ = '.';
	p = pg_ultostr_zeropad(p, rest / 1000 % 1000, 3);
	appendBinaryStringInfo(out, buffer, p - buffer);
	appendStringInfoString(out, zone);
	appendStringInfoCharMacro(out, '"');
}

/*
 * Writes a timestamptz.
 */
void
roost_json_timestamptz(StringInfo out, TimestampTz at)
{
	json_timestamp(out, at, "Z");
}

static void
json_write_bool(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	if (DatumGetBool(value))
		appendBinaryStringInfo(out, "true", 4);
	else
		appendBinaryStringInfo(out, "false", 5);
}

static void
json_write_int2(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	roost_json_int64(out, DatumGetInt16(value));
}

static void
json_write_int4(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	roost_json_int64(out, DatumGetInt32(value));
}

static void
json_write_int8(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	roost_json_int64(out, DatumGetInt64(value));
}

static void
json_write_oid(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	roost_json_int64(out, DatumGetObjectId(value));
}

static void
json_write_id(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	appendStringInfoCharMacro(out, '"');
	roost_json_int64(out, DatumGetInt64(value));
	appendStringInfoCharMacro(out, '"');
}

static void
json_write_float4(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	float4		number = DatumGetFloat4(value);
	char		buffer[FLOAT_SHORTEST_DECIMAL_LEN];

	if (isfinite(number))
	{
		int			length = float_to_shortest_decimal_bufn(number, buffer);

		appendBinaryStringInfo(out, buffer, length);
	}
	else
		appendBinaryStringInfo(out, "null", 4);
}

static void
json_write_float8(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	float8		number = DatumGetFloat8(value);
	char		buffer[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isfinite(number))
	{
		int			length = double_to_shortest_decimal_bufn(number, buffer);

		appendBinaryStringInfo(out, buffer, length);
	}
	else
		appendBinaryStringInfo(out, "null", 4);
}

static void
json_write_numeric(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	const char *digits = text[0] == '-' ? text + 1 : text;

	/* NaN and infinities have no number in JSON */
	appendStringInfoString(out, isdigit((unsigned char) digits[0]) ? text : "null");
	pfree(text);
}

static void
json_write_text(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	text	   *string = DatumGetTextPP(value);

	roost_json_string(out, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
	if ((Pointer) string != DatumGetPointer(value))
		pfree(string);
}

static void
json_write_date(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	DateADT		date = DatumGetDateADT(value);

	if (DATE_NOT_FINITE(date))
	{
		appendBinaryStringInfo(out, "null", 4);
		return;
	}
	appendStringInfoCharMacro(out, '"');
	json_date(out, date + POSTGRES_EPOCH_JDATE);
	appendStringInfoCharMacro(out, '"');
}

static void
json_write_timestamp(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	json_timestamp(out, DatumGetTimestamp(value), "");
}

static void
json_write_timestamptz(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	json_timestamp(out, DatumGetTimestampTz(value), "Z");
}

static void
json_write_bytea(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	bytea	   *bytes = DatumGetByteaPP(value);
	size_t		length = VARSIZE_ANY_EXHDR(bytes);

	enlargeStringInfo(out, ROOST_BASE64_ENCODED(length) + 2);
	appendStringInfoCharMacro(out, '"');
	out->len += roost_base64_encode(ROOST_BASE64_URL, (uint8_t *) VARDATA_ANY(bytes), length,
									out->data + out->len);
	appendStringInfoCharMacro(out, '"');
}

static void
json_write_json(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	text	   *json = DatumGetTextPP(value);

	appendBinaryStringInfo(out, VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json));
}

static void
json_write_jsonb(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	Jsonb	   *jsonb = DatumGetJsonbP(value);

	JsonbToCString(out, &jsonb->root, VARSIZE(jsonb));
}

static void
json_write_void(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	appendBinaryStringInfo(out, "null", 4);
}

/* any other scalar: the string its output function gives */
static void
json_write_output(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	char	   *text = OutputFunctionCall((FmgrInfo *) &plan->output, value);

	roost_json_string(out, text, strlen(text));
	pfree(text);
}

static void
json_write_composite(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	HeapTupleData tuple;
	Datum		values_on_stack[JSON_ROW_ON_STACK];
	bool		nulls_on_stack[JSON_ROW_ON_STACK];
	Datum	   *values = values_on_stack;
	bool	   *nulls = nulls_on_stack;

	if (plan->natts > JSON_ROW_ON_STACK)
	{
		values = palloc(plan->natts * sizeof(Datum));
		nulls = palloc(plan->natts * sizeof(bool));
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, plan->desc, values, nulls);
	roost_json_row(out, plan, values, nulls);
}

/* an anonymous record: only the value knows its shape */
static void
json_write_record(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	const RoostJsonPlan *shape = json_plan(HeapTupleHeaderGetTypeId(header),
										   HeapTupleHeaderGetTypMod(header));

	shape->write(out, shape, PointerGetDatum(header));
}

/*
 * Writes one dimension of an array; the elements are those of all dimensions
 * in row-major order.
 */
static void
json_array_dimension(StringInfo out, const RoostJsonPlan *plan, int ndim, const int *lengths,
					 Datum *values, bool *nulls, int *next)
{
	appendStringInfoCharMacro(out, '[');
	for (int i = 0; i < lengths[0]; i++)
	{
		if (i > 0)
			appendStringInfoCharMacro(out, ',');
		if (ndim > 1)
			json_array_dimension(out, plan, ndim - 1, lengths + 1, values, nulls, next);
		else
		{
			roost_json_value(out, plan->element, values[*next], nulls[*next]);
			(*next)++;
		}
	}
	appendStringInfoCharMacro(out, ']');
}

static void
json_write_array(StringInfo out, const RoostJsonPlan *plan, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *values;
	bool	   *nulls;
	int			count;
	int			next = 0;

	if (ARR_NDIM(array) == 0)
	{
		appendBinaryStringInfo(out, "[]", 2);
		return;
	}
	deconstruct_array(array, plan->element_type, plan->element_length, plan->element_by_value,
					  plan->element_align, &values, &nulls, &count);
	json_array_dimension(out, plan, ARR_NDIM(array), ARR_DIMS(array), values, nulls, &next);
}

/*
 * Returns the plan of a type, making it if necessary.
 */
static const RoostJsonPlan *
json_plan(Oid type, int32 typmod)
{
	JsonPlanKey key = {type, type == RECORDOID ? typmod : -1};
	JsonPlanEntry *entry;
	RoostJsonPlan *plan;
	MemoryContext caller;

	entry = hash_search(json_plans, &key, HASH_FIND, NULL);
	if (entry)
		return entry->plan;

	/* enter it when it is complete: looking up a type may fail */
	caller = MemoryContextSwitchTo(json_context);
	plan = palloc0(sizeof(RoostJsonPlan));
	json_plan_fill(plan, type, key.typmod);
	MemoryContextSwitchTo(caller);

	entry = hash_search(json_plans, &key, HASH_ENTER, NULL);
	entry->plan = plan;
	return plan;
}

/*
 * Forgets all plans.
 */
static void
json_plans_reset(void)
{
	HASHCTL		ctl = {.keysize = sizeof(JsonPlanKey),.entrysize = sizeof(JsonPlanEntry)};

	if (json_context)
		MemoryContextDelete(json_context);
	json_context = NULL;
	json_plans = NULL;
	json_relations = NULL;
	json_relation_count = 0;
	json_relation_room = 0;

	/* before the first look-up, so that a change during it is not missed */
	json_stale = false;
	json_context = AllocSetContextCreate(TopMemoryContext, "roost json plans",
										 ALLOCSET_DEFAULT_SIZES);
	ctl.hcxt = json_context;
	json_plans = hash_create("roost json plans", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * Fills in how a type is written.
 */
static void
json_plan_fill(RoostJsonPlan *plan, Oid type, int32 typmod)
{
	Oid			base = getBaseType(type);
	Oid			element;
	Oid			output;
	bool		varlena;


	if (json_is_id(type))
		plan->write = json_write_id;
	else if ((plan->write = json_scalar_writer(base)) != NULL)
		;
	else if (base == RECORDOID && typmod < 0)
		plan->write = json_write_record;
	else if (type_is_rowtype(base))
	{
		TupleDesc	desc = lookup_rowtype_tupdesc_copy(base, typmod);

		if (base != RECORDOID)
			json_relation_remember(get_typ_typrelid(base));
		json_plan_composite(plan, desc);
	}
	else if (OidIsValid(element = get_element_type(base)))
		json_plan_array(plan, element);
	else
	{
		getTypeOutputInfo(base, &output, &varlena);
		fmgr_info_cxt(output, &plan->output, json_context);
		plan->write = json_write_output;
	}
}

/*
 * Returns the writer of a base type that has its own, or NULL.
 */
static JsonWriter
json_scalar_writer(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return json_write_bool;
		case INT2OID:
			return json_write_int2;
		case INT4OID:
			return json_write_int4;
		case INT8OID:
			return json_write_int8;
		case OIDOID:
			return json_write_oid;
		case FLOAT4OID:
			return json_write_float4;
		case FLOAT8OID:
			return json_write_float8;
		case NUMERICOID:
			return json_write_numeric;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return json_write_text;
		case DATEOID:
			return json_write_date;
		case TIMESTAMPOID:
			return json_write_timestamp;
		case TIMESTAMPTZOID:
			return json_write_timestamptz;
		case BYTEAOID:
			return json_write_bytea;
		case JSONOID:
			return json_write_json;
		case JSONBOID:
			return json_write_jsonb;
		case VOIDOID:
			return json_write_void;
		default:
			return NULL;
	}
}

/*
 * Returns whether a type is the domain roost.id or a domain over it.
 */
static bool
json_is_id(Oid type)
{
	while (get_typtype(type) == TYPTYPE_DOMAIN)
	{
		HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
		Form_pg_type form;
		char	   *schema;
		bool		found;

		if (!HeapTupleIsValid(tuple))
			return false;
		form = (Form_pg_type) GETSTRUCT(tuple);
		schema = get_namespace_name(form->typnamespace);
		found = strcmp(NameStr(form->typname), "id") == 0 && form->typbasetype == INT8OID &&
			schema && strcmp(schema, "roost") == 0;
		type = form->typbasetype;
		ReleaseSysCache(tuple);
		if (found)
			return true;
	}
	return false;
}

/*
 * Fills in how an array is written.
 */
static void
json_plan_array(RoostJsonPlan *plan, Oid element)
{
	plan->write = json_write_array;
	plan->element_type = element;
	plan->element = json_plan(element, -1);
	get_typlenbyvalalign(element, &plan->element_length, &plan->element_by_value,
						 &plan->element_align);
}

/*
 * Fills in how a composite is written; the plan keeps the descriptor.
 */
static void
json_plan_composite(RoostJsonPlan *plan, TupleDesc desc)
{
	plan->write = json_write_composite;
	plan->desc = desc;
	plan->natts = desc->natts;
	plan->attributes = palloc0(desc->natts * sizeof(JsonAttribute));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute form = TupleDescAttr(desc, i);
		JsonAttribute *attribute = &plan->attributes[i];
		StringInfoData label;

		if (form->attisdropped)
			continue;
		attribute->name = pstrdup(NameStr(form->attname));
		attribute->plan = json_plan(form->atttypid, form->atttypmod);
		attribute->written = strcmp(attribute->name, "cursor") != 0;
		initStringInfo(&label);
		roost_json_string(&label, attribute->name, strlen(attribute->name));
		appendStringInfoChar(&label, ':');
		attribute->label = label.data;
		attribute->label_length = label.len;
	}
}

/*
 * Notes that plans rest on the columns of a relation.
 */
static void
json_relation_remember(Oid relid)
{
	if (json_relation_count == json_relation_room)
	{
		json_relation_room = Max(32, json_relation_room * 2);
		if (json_relations == NULL)
			json_relations = MemoryContextAlloc(json_context, json_relation_room * sizeof(Oid));
		else
			json_relations = repalloc(json_relations, json_relation_room * sizeof(Oid));
	}
	json_relations[json_relation_count++] = relid;
}

/*
 * Syscache callback: some type was changed or dropped.
 */
static void
json_type_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	json_stale = true;
}

/*
 * Relcache callback: marks the plans stale if one rests on the relation.
 */
static void
json_relation_changed(Oid relid)
{
	if (!OidIsValid(relid))
		json_stale = true;
	for (int i = 0; i < json_relation_count && !json_stale; i++)
		json_stale = json_relations[i] == relid;
}
