/*-------------------------------------------------------------------------
 *
 * value.c
 *		Turns values from JSON and query strings into values of SQL types.
 *
 * JSON is taken by its type: text wants a string, integers a number, and so
 * on; types without a JSON type of their own (times, uuid, enums …) want the
 * string their input function reads.  bigint also takes a string of digits,
 * because that is how ids are written.  Query strings have no types, so their
 * text may become anything but a composite.
 *
 * Input functions and domains raise their own errors; request->field and
 * request->type say what was being read, and error.c makes a sentence of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/api.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "core/base64.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static ApiKind value_kind(Oid base, Oid *element);
static const char *value_rule(Oid type, Oid base);
static const char *value_labels(Oid type);
static int	value_label_order(const void *a, const void *b);
static Datum value_base(ApiRequest *request, ApiType *type, const ApiValue *value);
static Datum value_integer(ApiType *type, const ApiValue *value);
static Datum value_bool(ApiType *type, const ApiValue *value);
static Datum value_json(ApiType *type, const ApiValue *value);
static Datum value_bytea(ApiType *type, const ApiValue *value);
static Datum value_input(ApiType *type, const ApiValue *value);
static Datum value_array(ApiRequest *request, ApiType *type, const ApiValue *value);
static Datum value_query_array(ApiRequest *request, ApiType *type, const ApiValue *value);
static Datum value_composite(ApiRequest *request, ApiType *type, const ApiValue *value);
static JsonbContainer *value_container(const ApiValue *value);
static void value_from_jsonb(const JsonbValue *from, ApiValue *value);
static void value_input_failed(const ApiType *type) pg_attribute_noreturn();
static void value_wrong_type(const ApiRequest *request, const char *expected) pg_attribute_noreturn();

/*
 * Fills in how a type takes its values; what it points to is made in the
 * given context, which must be current.
 */
void
roost_api_type_fill(ApiType *type, Oid oid, MemoryContext context)
{
	Oid			element = InvalidOid;
	Oid			function;

	type->context = context;
	type->type = oid;
	type->typmod = -1;
	type->base = getBaseTypeAndTypmod(oid, &type->typmod);
	type->domain = type->base != oid;
	type->name = format_type_be(type->base);
	type->rule = value_rule(oid, type->base);
	type->kind = value_kind(type->base, &element);
	if (type->kind == API_TEXT && type->typmod >= 0)
		type->kind = API_STRING;
	get_typlenbyvalalign(oid, &type->length, &type->by_value, &type->align);
	getTypeInputInfo(type->base, &function, &type->input_param);
	fmgr_info_cxt(function, &type->input, context);

	if (type->kind == API_ARRAY)
	{
		type->element = palloc0(sizeof(ApiType));
		roost_api_type_fill(type->element, element, context);
	}
	else if (type->kind == API_COMPOSITE)
	{
		type->desc = lookup_rowtype_tupdesc_copy(type->base, -1);
		type->attributes = palloc0(type->desc->natts * sizeof(ApiType));
		for (int i = 0; i < type->desc->natts; i++)
		{
			if (!TupleDescAttr(type->desc, i)->attisdropped)
				roost_api_type_fill(&type->attributes[i], TupleDescAttr(type->desc, i)->atttypid, context);
		}
	}
}

/*
 * Returns a value of a type.
 */
Datum
roost_api_value(ApiRequest *request, ApiType *type, const ApiValue *value, bool *isnull)
{
	Datum		result = (Datum) 0;

	request->type = type;
	*isnull = value->kind == API_VALUE_NULL;
	if (!*isnull)
		result = value_base(request, type, value);
	request->type = type;
	if (type->domain)
		domain_check(result, *isnull, type->type, &type->domain_cache, type->context);
	request->type = NULL;
	return result;
}

/*
 * Returns how a base type takes its values, and the element type of an array.
 */
static ApiKind
value_kind(Oid base, Oid *element)
{
	switch (base)
	{
		case TEXTOID:
			return API_TEXT;
		case BOOLOID:
			return API_BOOL;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return API_INTEGER;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return API_NUMBER;
		case JSONOID:
		case JSONBOID:
			return API_JSON;
		default:
			break;
	}
	*element = get_element_type(base);
	if (OidIsValid(*element))
		return API_ARRAY;
	return get_typtype(base) == TYPTYPE_COMPOSITE ? API_COMPOSITE : API_STRING;
}

/*
 * Returns the sentence that explains a type's values to a caller: the comment
 * of the nearest domain that has one, or the labels of an enum.
 */
static const char *
value_rule(Oid type, Oid base)
{
	while (get_typtype(type) == TYPTYPE_DOMAIN)
	{
		char	   *comment = GetComment(type, TypeRelationId, 0);
		HeapTuple	tuple;

		if (comment)
			return comment;
		tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
		if (!HeapTupleIsValid(tuple))
			break;
		type = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
		ReleaseSysCache(tuple);
	}
	return get_typtype(base) == TYPTYPE_ENUM ? value_labels(base) : NULL;
}

/*
 * Returns "One of: a, b, c." for an enum.
 */
static const char *
value_labels(Oid type)
{
	CatCList   *list = SearchSysCacheList1(ENUMTYPOIDNAME, ObjectIdGetDatum(type));
	Form_pg_enum *labels = palloc((list->n_members + 1) * sizeof(Form_pg_enum));
	StringInfoData text;

	for (int i = 0; i < list->n_members; i++)
		labels[i] = (Form_pg_enum) GETSTRUCT(&list->members[i]->tuple);
	qsort(labels, list->n_members, sizeof(Form_pg_enum), value_label_order);

	initStringInfo(&text);
	for (int i = 0; i < list->n_members; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "One of: ", NameStr(labels[i]->enumlabel));
	appendStringInfoChar(&text, '.');
	ReleaseCatCacheList(list);
	pfree(labels);
	return text.data;
}

/* puts the labels of an enum in their order */
static int
value_label_order(const void *a, const void *b)
{
	float4		left = (*(const Form_pg_enum *) a)->enumsortorder;
	float4		right = (*(const Form_pg_enum *) b)->enumsortorder;

	return (left > right) - (left < right);
}

/*
 * Returns a value of the base type, which is not null.
 */
static Datum
value_base(ApiRequest *request, ApiType *type, const ApiValue *value)
{
	switch (type->kind)
	{
		case API_TEXT:
			if (value->kind != API_VALUE_STRING && value->kind != API_VALUE_QUERY)
				value_wrong_type(request, "a string");
			return PointerGetDatum(cstring_to_text_with_len(value->text, value->length));
		case API_STRING:
			if (value->kind != API_VALUE_STRING && value->kind != API_VALUE_QUERY)
				value_wrong_type(request, "a string");
			if (type->base == BYTEAOID)
				return value_bytea(type, value);
			return value_input(type, value);
		case API_BOOL:
			if (value->kind != API_VALUE_TRUE && value->kind != API_VALUE_FALSE &&
				value->kind != API_VALUE_QUERY)
				value_wrong_type(request, "true or false");
			return value_bool(type, value);
		case API_INTEGER:
			if (value->kind != API_VALUE_NUMBER && value->kind != API_VALUE_QUERY &&
				!(value->kind == API_VALUE_STRING && type->base == INT8OID))
				value_wrong_type(request, type->base == INT8OID ? "an integer, or a string of digits" : "an integer");
			return value_integer(type, value);
		case API_NUMBER:
			if (value->kind != API_VALUE_NUMBER && value->kind != API_VALUE_QUERY)
				value_wrong_type(request, "a number");
			return value_input(type, value);
		case API_JSON:
			return value_json(type, value);
		case API_ARRAY:
			if (value->kind == API_VALUE_QUERY)
				return value_query_array(request, type, value);
			if (value->kind != API_VALUE_ARRAY)
				value_wrong_type(request, "an array");
			return value_array(request, type, value);
		case API_COMPOSITE:
			if (value->kind != API_VALUE_OBJECT)
				value_wrong_type(request, "an object");
			return value_composite(request, type, value);
	}
	pg_unreachable();
}

/*
 * Returns an integer of the type's width.
 */
static Datum
value_integer(ApiType *type, const ApiValue *value)
{
	const char *p = value->text;
	const char *end = p + value->length;
	bool		negative = p < end && *p == '-';
	int64		number = 0;
	bool		fits = true;

	if (negative)
		p++;
	if (p == end)
		value_input_failed(type);
	for (; p < end; p++)
	{
		if (*p < '0' || *p > '9')
			value_input_failed(type);
		fits = fits && !__builtin_mul_overflow(number, 10, &number) &&
			!__builtin_sub_overflow(number, *p - '0', &number);
	}
	/* counted downwards, where there is one number more */
	fits = fits && (negative || number != PG_INT64_MIN);
	if (!negative)
		number = fits ? -number : 0;
	if (!fits ||
		(type->base == INT4OID && number != (int32) number) ||
		(type->base == INT2OID && number != (int16) number))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number out of range for type %s", type->name)));
	if (type->base == INT4OID)
		return Int32GetDatum((int32) number);
	if (type->base == INT2OID)
		return Int16GetDatum((int16) number);
	return Int64GetDatum(number);
}

/*
 * Returns a boolean.
 */
static Datum
value_bool(ApiType *type, const ApiValue *value)
{
	if (value->kind == API_VALUE_TRUE || strcmp(value->text, "true") == 0 || strcmp(value->text, "1") == 0)
		return BoolGetDatum(true);
	if (value->kind == API_VALUE_FALSE || strcmp(value->text, "false") == 0 || strcmp(value->text, "0") == 0)
		return BoolGetDatum(false);
	value_input_failed(type);
}

/*
 * Returns json or jsonb of any value.  A query string holds JSON text.
 */
static Datum
value_json(ApiType *type, const ApiValue *value)
{
	StringInfoData json;

	if (value->container == NULL && value->kind != API_VALUE_STRING)
		return value_input(type, value);

	initStringInfo(&json);
	if (value->kind == API_VALUE_STRING)
		escape_json(&json, value->text);
	else
		JsonbToCString(&json, value->container, -1);
	return InputFunctionCall(&type->input, json.data, type->input_param, type->typmod);
}

/*
 * Returns bytes written in base64url or base64, with or without padding.
 */
static Datum
value_bytea(ApiType *type, const ApiValue *value)
{
	bytea	   *bytes = palloc(VARHDRSZ + ROOST_BASE64_DECODED(value->length) + 1);
	bool		standard = memchr(value->text, '+', value->length) != NULL || memchr(value->text, '/', value->length) != NULL;
	size_t		letters = value->length;
	int			length;

	for (int i = 0; i < 2 && value->length % 4 == 0 && letters > 0 && value->text[letters - 1] == '='; i++)
		letters--;
	length = roost_base64_decode(standard ? ROOST_BASE64_STANDARD : ROOST_BASE64_URL, value->text, letters,
								 (uint8_t *) VARDATA(bytes));

	if (length < 0)
		value_input_failed(type);
	SET_VARSIZE(bytes, VARHDRSZ + length);
	return PointerGetDatum(bytes);
}

/*
 * Returns what the type's input function makes of a text.
 */
static Datum
value_input(ApiType *type, const ApiValue *value)
{
	return InputFunctionCall(&type->input, (char *) value->text, type->input_param, type->typmod);
}

/*
 * Returns an array of the elements of a JSON array.  Errors in an object tell
 * which one it is: "items[3].name".
 */
static Datum
value_array(ApiRequest *request, ApiType *type, const ApiValue *value)
{
	JsonbIterator *it = JsonbIteratorInit(value_container(value));
	JsonbIteratorToken token;
	JsonbValue	item;
	ArrayBuildState *state = initArrayResult(type->element->type, CurrentMemoryContext, false);
	const char *outer = request->field;
	int			number = 0;

	token = JsonbIteratorNext(&it, &item, true);
	while ((token = JsonbIteratorNext(&it, &item, true)) == WJB_ELEM)
	{
		ApiValue	element;
		bool		isnull;
		Datum		datum;

		value_from_jsonb(&item, &element);
		if (type->element->kind == API_COMPOSITE)
			request->field = psprintf("%s[%d]", outer, number++);
		datum = roost_api_value(request, type->element, &element, &isnull);
		state = accumArrayResult(state, datum, isnull, type->element->type, CurrentMemoryContext);
	}
	request->field = outer;
	return makeArrayResult(state, CurrentMemoryContext);
}

/*
 * Returns an array of the parts of a query value, which are separated by
 * commas.
 */
static Datum
value_query_array(ApiRequest *request, ApiType *type, const ApiValue *value)
{
	ArrayBuildState *state = initArrayResult(type->element->type, CurrentMemoryContext, false);
	const char *p = value->text;
	const char *end = p + value->length;

	while (value->length > 0 && p <= end)
	{
		const char *comma = memchr(p, ',', end - p);
		ApiValue	element = {.kind = API_VALUE_QUERY};
		bool		isnull;
		Datum		datum;

		element.length = (comma ? comma : end) - p;
		element.text = pnstrdup(p, element.length);
		datum = roost_api_value(request, type->element, &element, &isnull);
		state = accumArrayResult(state, datum, isnull, type->element->type, CurrentMemoryContext);
		p = comma ? comma + 1 : end + 1;
	}
	return makeArrayResult(state, CurrentMemoryContext);
}

/*
 * Returns a composite of the fields of a JSON object; what is not given is
 * null, what the type does not have is an error.
 */
static Datum
value_composite(ApiRequest *request, ApiType *type, const ApiValue *value)
{
	JsonbIterator *it = JsonbIteratorInit(value_container(value));
	JsonbValue	item;
	const char *outer = request->field;
	int			natts = type->desc->natts;
	Datum	   *values = palloc0(natts * sizeof(Datum));
	bool	   *nulls = palloc(natts * sizeof(bool));
	bool	   *given = palloc0(natts * sizeof(bool));
	ApiValue	absent = {.kind = API_VALUE_NULL};

	JsonbIteratorNext(&it, &item, true);
	while (JsonbIteratorNext(&it, &item, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(item.val.string.val, item.val.string.len);
		ApiValue	field;
		int			i = 0;

		request->field = psprintf("%s.%s", outer, name);
		while (i < natts && (TupleDescAttr(type->desc, i)->attisdropped ||
							 strcmp(NameStr(TupleDescAttr(type->desc, i)->attname), name) != 0))
			i++;
		if (i == natts)
			roost_api_field_error(ERRCODE_ROOST_UNKNOWN_FIELD, request->field, "is not a field of this operation");
		JsonbIteratorNext(&it, &item, true);
		value_from_jsonb(&item, &field);
		values[i] = roost_api_value(request, &type->attributes[i], &field, &nulls[i]);
		given[i] = true;
	}
	for (int i = 0; i < natts; i++)
	{
		if (given[i])
			continue;
		nulls[i] = true;
		request->field = psprintf("%s.%s", outer, NameStr(TupleDescAttr(type->desc, i)->attname));
		if (!TupleDescAttr(type->desc, i)->attisdropped)
			values[i] = roost_api_value(request, &type->attributes[i], &absent, &nulls[i]);
	}
	request->field = outer;
	return HeapTupleGetDatum(heap_form_tuple(type->desc, values, nulls));
}

/*
 * Returns an array or object in binary form.
 */
static JsonbContainer *
value_container(const ApiValue *value)
{
	if (value->container)
		return value->container;
	return &DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(value->text)))->root;
}

/*
 * Fills in a value from a part of an array or object.
 */
static void
value_from_jsonb(const JsonbValue *from, ApiValue *value)
{
	memset(value, 0, sizeof(ApiValue));
	switch (from->type)
	{
		case jbvNull:
			value->kind = API_VALUE_NULL;
			break;
		case jbvBool:
			value->kind = from->val.boolean ? API_VALUE_TRUE : API_VALUE_FALSE;
			value->text = from->val.boolean ? "true" : "false";
			value->length = strlen(value->text);
			break;
		case jbvNumeric:
			value->kind = API_VALUE_NUMBER;
			value->text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(from->val.numeric)));
			value->length = strlen(value->text);
			break;
		case jbvString:
			value->kind = API_VALUE_STRING;
			value->text = pnstrdup(from->val.string.val, from->val.string.len);
			value->length = from->val.string.len;
			break;
		case jbvBinary:
			value->kind = JsonContainerIsArray(from->val.binary.data) ? API_VALUE_ARRAY : API_VALUE_OBJECT;
			value->container = from->val.binary.data;
			break;
		default:
			elog(ERROR, "unexpected jsonb value %d", (int) from->type);
	}
}

/* raises: the type's own text form is not met */
static void
value_input_failed(const ApiType *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input for type %s", type->name)));
}

/* raises: another type of JSON value than expected */
static void
value_wrong_type(const ApiRequest *request, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_ROOST_WRONG_TYPE),
			 errmsg("\"%s\" must be %s", request->field, expected),
			 err_generic_string(PG_DIAG_COLUMN_NAME, request->field)));
}
