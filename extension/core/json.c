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
 * Scalars are written as json_scalar.c says, those it does not know as the
 * string their output function gives.  The attribute "cursor" of a composite
 * is left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "core/invalidation.h"
#include "core/json.h"
#include "core/json_scalar.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(roost_json_to_json);

/* composites with more columns than this are taken apart in palloc'd arrays */
#define JSON_ROW_ON_STACK	64

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

	if ((plan->write = roost_json_scalar_writer(type, base)) != NULL)
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
