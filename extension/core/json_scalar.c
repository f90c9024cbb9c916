/*-------------------------------------------------------------------------
 *
 * json_scalar.c
 *		Writes values of scalar types as JSON.
 *
 * roost.id and domains over it are decimal strings, other integers and numeric
 * numbers, floats the shortest number that reads back (NaN and infinities are
 * null), timestamps RFC 3339 in UTC with milliseconds, bytea base64url without
 * padding, json and jsonb as they are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "core/base64.h"
#include "core/json.h"
#include "core/json_scalar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

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
 * Returns the writer of a type over a base type, or NULL if it has none of its
 * own.
 */
JsonWriter
roost_json_scalar_writer(Oid type, Oid base)
{
	if (json_is_id(type))
		return json_write_id;
	switch (base)
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
