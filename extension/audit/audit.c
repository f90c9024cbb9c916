/*-------------------------------------------------------------------------
 *
 * audit.c
 *		Writes entries of the audit trail, and knows who acts.
 *
 * An entry is a row of roost_data.audit_entry, written with the transaction
 * that it tells of.  So it is there exactly if that was committed, and nobody
 * waits for anybody.  The background worker puts committed entries in order
 * and seals them (bgworker/audit.c, sql/audit/seal.sql).
 *
 * Who acts: the account of the HTTP request that this backend serves.  Where
 * there is none (a login, a caller in SQL), the account that a function has
 * noted for the statement that runs now; a note is void in the next statement,
 * so that what follows by hand in the same transaction is nobody's.  The
 * database role stands in every entry beside that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "api/request.h"
#include "audit/audit.h"
#include "core/clock.h"
#include "core/plan.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_audit_add);
PG_FUNCTION_INFO_V1(roost_audit_actor_note);

#define AUDIT_RETENTION_DEFAULT		0
#define AUDIT_RETENTION_MAX			(20 * 365 * 86400)
#define AUDIT_LOG_INTERVAL_DEFAULT	3600
#define AUDIT_LOG_INTERVAL_MAX		(7 * 86400)

#define AUDIT_COLUMNS	16
#define CAUSE_SIZE		128

int			roost_audit_retention;
int			roost_audit_log_interval;
static bool audit_address;		/* GUC */

/* Who acts in the statement that runs now. */
typedef struct AuditNote
{
	LocalTransactionId transaction;
	TimestampTz statement;
	int64		actor_id;
	char		cause[CAUSE_SIZE];
} AuditNote;

static AuditNote audit_note;

static const AuditNote *audit_noted(void);
static const char *audit_source(const AuditEntry *entry, const AuditNote *note);
static Datum audit_text(const char *value, char *null);
static Datum audit_number(int64 value, char *null);

/*
 * roost_internal.audit_add(action, object_type, object_id, detail, actor_id)
 * adds an entry.
 */
Datum
roost_audit_add(PG_FUNCTION_ARGS)
{
	AuditEntry	entry = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("action and object type of an audit entry must not be null")));
	entry.action = text_to_cstring(PG_GETARG_TEXT_PP(0));
	entry.object_type = text_to_cstring(PG_GETARG_TEXT_PP(1));
	entry.detail = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
	if (!PG_ARGISNULL(2))
	{
		entry.object_id = psprintf(INT64_FORMAT, PG_GETARG_INT64(2));
		if (strcmp(entry.object_type, "account") == 0)
			entry.account_id = PG_GETARG_INT64(2);
	}
	if (entry.account_id == 0 && entry.detail != NULL && JB_ROOT_IS_OBJECT(entry.detail))
	{
		JsonbValue	buffer;
		JsonbValue *value = getKeyJsonValueFromContainer(&entry.detail->root, "account_id", strlen("account_id"), &buffer);

		if (value != NULL && value->type == jbvNumeric)
			entry.account_id = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
		else if (value != NULL && value->type == jbvString)
			entry.account_id = strtoll(pnstrdup(value->val.string.val, value->val.string.len), NULL, 10);
	}
	if (!PG_ARGISNULL(4))
		entry.actor_id = PG_GETARG_INT64(4);
	roost_audit_write(&entry);
	PG_RETURN_VOID();
}

/*
 * roost_internal.audit_actor(actor_id, cause) notes who acts in this
 * statement, and by what.
 */
Datum
roost_audit_actor_note(PG_FUNCTION_ARGS)
{
	audit_note.transaction = MyProc->lxid;
	audit_note.statement = GetCurrentStatementStartTimestamp();
	audit_note.actor_id = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	audit_note.cause[0] = '\0';
	if (!PG_ARGISNULL(1))
		text_to_cstring_buffer(PG_GETARG_TEXT_PP(1), audit_note.cause, CAUSE_SIZE);
	PG_RETURN_VOID();
}

/*
 * Returns the account that acts now, or 0.
 */
int64
roost_audit_actor(void)
{
	RoostRequestOrigin origin;
	const AuditNote *note = audit_noted();

	if (roost_api_request_origin(&origin) && origin.account_id != 0)
		return origin.account_id;
	return note != NULL ? note->actor_id : 0;
}

/*
 * Adds an entry.  The caller's rights must be those of the owner.
 */
void
roost_audit_write(AuditEntry *entry)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[AUDIT_COLUMNS] = {TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, TEXTOID, TEXTOID,
	TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, JSONBOID};
	Datum		values[AUDIT_COLUMNS];
	char		nulls[AUDIT_COLUMNS];
	RoostRequestOrigin origin = {0};
	bool		request = roost_api_request_origin(&origin);
	const AuditNote *note = audit_noted();
	int64		actor_id = entry->actor_id != 0 ? entry->actor_id : roost_audit_actor();
	const char *cause = NULL;
	int			i = 0;

	if (request)
		cause = origin.function;
	else if (note != NULL && note->cause[0] != '\0')
		cause = note->cause;

	memset(nulls, ' ', sizeof(nulls));
	values[i++] = TimestampTzGetDatum(roost_clock_timestamp(roost_clock_us()));
#define TEXT_VALUE(value) (values[i] = audit_text((value), &nulls[i]), i++)
#define NUMBER_VALUE(value) (values[i] = audit_number((value), &nulls[i]), i++)
	TEXT_VALUE(entry->action);
	TEXT_VALUE(entry->object_type);
	TEXT_VALUE(entry->object_id);
	NUMBER_VALUE(entry->account_id);
	NUMBER_VALUE(actor_id);
	NUMBER_VALUE(origin.session_id);
	TEXT_VALUE(GetUserNameFromId(GetSessionUserId(), true));
	TEXT_VALUE(GetUserNameFromId(GetOuterUserId(), true));
	TEXT_VALUE(audit_source(entry, note));
	TEXT_VALUE(cause);
	TEXT_VALUE(application_name);
	TEXT_VALUE(audit_address ? origin.request_id : NULL);
	TEXT_VALUE(audit_address ? origin.address : NULL);
	values[i++] = Int64GetDatum((int64) U64FromFullTransactionId(GetTopFullTransactionId()));
	nulls[i] = entry->detail == NULL ? 'n' : ' ';
	values[i++] = PointerGetDatum(entry->detail);
	Assert(i == AUDIT_COLUMNS);

	SPI_connect();
	roost_plan_keep(&plan,
					"INSERT INTO roost_data.audit_entry (at, action, object_type, object_id, account_id, actor_id, session_id, session_role, role,"
					" source, cause, application, request_id, address, transaction, detail)"
					" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
					AUDIT_COLUMNS, types);
	roost_audit_writing = true;
	PG_TRY();
	{
		if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "could not write to the audit trail");
	}
	PG_FINALLY();
	{
		roost_audit_writing = false;
	}
	PG_END_TRY();
	SPI_finish();
}

/*
 * Returns the note of this statement, or NULL.
 */
static const AuditNote *
audit_noted(void)
{
	if (audit_note.statement != 0 && audit_note.transaction == MyProc->lxid &&
		audit_note.statement == GetCurrentStatementStartTimestamp())
		return &audit_note;
	return NULL;
}

/*
 * Returns by which way an entry has come.
 */
static const char *
audit_source(const AuditEntry *entry, const AuditNote *note)
{
	if (roost_api_request_origin(NULL))
		return "http";
	if (MyBgworkerEntry != NULL && strcmp(MyBgworkerEntry->bgw_type, "roost worker") == 0)
		return "worker";
	return entry->by_trigger && note == NULL ? "trigger" : "sql";
}

/* a text or null, for SPI */
static Datum
audit_text(const char *value, char *null)
{
	*null = value == NULL || value[0] == '\0' ? 'n' : ' ';
	return *null == 'n' ? (Datum) 0 : CStringGetTextDatum(value);
}

/* a number or null, for SPI */
static Datum
audit_number(int64 value, char *null)
{
	*null = value == 0 ? 'n' : ' ';
	return Int64GetDatum(value);
}

static void
audit_define_gucs(void)
{
	DefineCustomBoolVariable("roost.audit_address",
							 "Notes the client's network address and the request's id in the audit trail.",
							 "They stay there as long as the entry.",
							 &audit_address,
							 false,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.audit_log_interval",
							"Time between lines in the server log that say where the audit trail's chain stands.",
							"0 turns them off.",
							&roost_audit_log_interval,
							AUDIT_LOG_INTERVAL_DEFAULT, 0, AUDIT_LOG_INTERVAL_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.audit_retention",
							"Time after which entries of the audit trail are dropped, by whole months.",
							"0 keeps them for ever.",
							&roost_audit_retention,
							AUDIT_RETENTION_DEFAULT, 0, AUDIT_RETENTION_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}

const RoostModule roost_audit_module = {
	.name = "roost audit",
	.define_gucs = audit_define_gucs,
};
