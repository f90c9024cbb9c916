/*-------------------------------------------------------------------------
 *
 * digest.c
 *		The hash of a row of the audit trail, and the trail's guard.
 *
 * The canonical form of a row is its values in the order of their columns,
 * each one as a length of four bytes (network order, 0xffffffff for null) and
 * that many bytes: integers as eight bytes, times as microseconds since
 * 2000-01-01 UTC in eight bytes (both in network order), texts in UTF-8, jsonb
 * as its text.  It depends on no setting and can be made in SQL: int8send(),
 * timestamptz_send(), convert_to().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "audit/audit.h"

PG_FUNCTION_INFO_V1(roost_audit_digest);
PG_FUNCTION_INFO_V1(roost_audit_guard);

bool		roost_audit_sealing = false;
bool		roost_audit_writing = false;

static void digest_value(StringInfo out, Oid type, Datum value);
static void digest_bytes(StringInfo out, const char *data, int length);

/*
 * roost_internal.audit_digest(VARIADIC "any") returns the SHA-256 of its
 * arguments in canonical form.
 */
Datum
roost_audit_digest(PG_FUNCTION_ARGS)
{
	pg_cryptohash_ctx *sha;
	StringInfoData canonical;
	bytea	   *result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	initStringInfo(&canonical);
	for (int i = 0; i < PG_NARGS(); i++)
	{
		if (PG_ARGISNULL(i))
			appendBinaryStringInfo(&canonical, "\xff\xff\xff\xff", 4);
		else
			digest_value(&canonical, get_fn_expr_argtype(fcinfo->flinfo, i), PG_GETARG_DATUM(i));
	}

	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	sha = pg_cryptohash_create(PG_SHA256);
	if (sha == NULL || pg_cryptohash_init(sha) < 0 ||
		pg_cryptohash_update(sha, (uint8 *) canonical.data, canonical.len) < 0 ||
		pg_cryptohash_final(sha, (uint8 *) VARDATA(result), PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute a hash: %s", sha != NULL ? pg_cryptohash_error(sha) : "out of memory");
	pg_cryptohash_free(sha);
	pfree(canonical.data);
	PG_RETURN_BYTEA_P(result);
}

/*
 * Appends a value in canonical form.
 */
static void
digest_value(StringInfo out, Oid type, Datum value)
{
	uint64		number;

	switch (type)
	{
		case INT8OID:
		case TIMESTAMPTZOID:
			number = pg_hton64((uint64) DatumGetInt64(value));
			digest_bytes(out, (char *) &number, sizeof(number));
			break;
		case TEXTOID:
		case BYTEAOID:
			{
				struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

				digest_bytes(out, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
				break;
			}
		case JSONBOID:
			{
				Jsonb	   *json = DatumGetJsonbP(value);
				char	   *string = JsonbToCString(NULL, &json->root, VARSIZE(json));

				digest_bytes(out, string, strlen(string));
				pfree(string);
				break;
			}
		default:
			elog(ERROR, "type %u has no canonical form", type);
	}
}

static void
digest_bytes(StringInfo out, const char *data, int length)
{
	uint32		size = pg_hton32((uint32) length);

	appendBinaryStringInfo(out, (char *) &size, sizeof(size));
	appendBinaryStringInfo(out, data, length);
}

/*
 * roost_internal.audit_guard() refuses what would take away from the audit
 * trail, or put something into it, unless the worker seals; entries are put in
 * by what says who adds them.
 */
Datum
roost_audit_guard(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.audit_guard() must be a trigger")));
	if (!roost_audit_sealing && !(roost_audit_writing && TRIGGER_FIRED_BY_INSERT(data->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the audit trail cannot be changed"),
				 errdetail("Rows of table \"%s\" are only added, and not by hand.", RelationGetRelationName(data->tg_relation))));
	return PointerGetDatum(data->tg_trigtuple);
}
