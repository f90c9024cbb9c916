/*-------------------------------------------------------------------------
 *
 * record.c
 *		What becomes of what policies said.
 *
 * What is recorded is written by SQL functions, with the rights of the owner
 * of the trigger: who may write posts need not have any on other tables.
 *
 * A case is opened by an AFTER trigger, when the row is there.  What is to have
 * one is listed until then, in the memory of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "api/api.h"
#include "core/clock.h"
#include "moderation/record.h"
#include "moderation/verdict.h"

#define RECORD_ARGUMENTS	11

/* What is held and has no case yet */
typedef struct HeldSubject
{
	char		subject[POLICY_SUBJECT_LENGTH];
	int64		id;
} HeldSubject;

static List *held_subjects = NIL;
static LocalTransactionId held_in = InvalidLocalTransactionId;

static Oid	record_owner(Oid function);
static Datum record_array(Datum *elements, int count, Oid type);

/*
 * Keeps what policies said about a text, in its transaction.
 */
void
roost_moderation_record(ModerationText *text, ModerationJudgement *judgement, Oid trigger)
{
	Oid			types[RECORD_ARGUMENTS] = {TEXTOID, INT8OID, INT8OID, INT8OID, TEXTARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID,
	TEXTARRAYOID, BOOLARRAYOID, TEXTARRAYOID};
	int			count = list_length(judgement->verdicts);
	Datum		values[RECORD_ARGUMENTS];
	Datum	   *columns[RECORD_ARGUMENTS];

	for (int i = 4; i < RECORD_ARGUMENTS; i++)
		columns[i] = palloc(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		ModerationVerdict *verdict = list_nth(judgement->verdicts, i);

		columns[4][i] = CStringGetTextDatum(verdict->policy);
		columns[5][i] = CStringGetTextDatum(roost_moderation_signal_name(verdict->signal));
		columns[6][i] = Float8GetDatum(verdict->score);
		columns[7][i] = Float8GetDatum(verdict->threshold);
		columns[8][i] = CStringGetTextDatum(roost_moderation_action_name(verdict->action));
		columns[9][i] = BoolGetDatum(verdict->dry_run);
		columns[10][i] = CStringGetTextDatum(verdict->explanation);
	}
	values[0] = CStringGetTextDatum(text->subject);
	values[1] = Int64GetDatum(text->subject_id);
	values[2] = Int64GetDatum(text->account.account_id);
	values[3] = Int64GetDatum((int64) hash_bytes_extended((const unsigned char *) text->text, text->length, 0));
	values[4] = record_array(columns[4], count, TEXTOID);
	values[5] = record_array(columns[5], count, TEXTOID);
	values[6] = record_array(columns[6], count, FLOAT8OID);
	values[7] = record_array(columns[7], count, FLOAT8OID);
	values[8] = record_array(columns[8], count, TEXTOID);
	values[9] = record_array(columns[9], count, BOOLOID);
	values[10] = record_array(columns[10], count, TEXTOID);
	roost_moderation_as_owner(trigger, "SELECT roost_internal.verdict_add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
							  RECORD_ARGUMENTS, types, values, NULL);
}

/*
 * Refuses a text.  What the policy looks for stays untold.
 */
void
roost_moderation_refuse(ModerationText *text, ModerationJudgement *judgement, const char *field)
{
	ModerationVerdict *verdict = judgement->decisive;
	const char *message = verdict->message != NULL ? verdict->message : "this is not accepted here";
	RoostRefusal refusal = {
		.at = roost_clock_us(),
		.account_id = text->account.account_id,
		.subject_id = strcmp(text->subject, "profile") == 0 ? text->subject_id : 0,
		.text_hash = (int64) hash_bytes_extended((const unsigned char *) text->text, text->length, 0),
		.score = verdict->score,
		.threshold = verdict->threshold,
	};

	strlcpy(refusal.subject, text->subject, VERDICT_SUBJECT_LENGTH);
	strlcpy(refusal.policy, verdict->policy, VERDICT_NAME_LENGTH);
	strlcpy(refusal.signal, roost_moderation_signal_name(verdict->signal), VERDICT_SIGNAL_LENGTH);
	roost_verdict_refused(&refusal);

	if (verdict->signal == SIGNAL_RATE)
	{
		if (roost_api_request != NULL && judgement->retry_after > 0)
			roost_api_header(roost_api_request, "Retry-After", psprintf(INT64_FORMAT, judgement->retry_after));
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("%s", message)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("%s", message),
			 err_generic_string(PG_DIAG_COLUMN_NAME, field)));
}

/*
 * Notes that a text is held, until its case can be opened.
 */
void
roost_moderation_hold(ModerationText *text)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	HeldSubject *held = palloc(sizeof(HeldSubject));

	if (!roost_moderation_any_held())
		held_subjects = NIL;
	held_in = MyProc->lxid;
	strlcpy(held->subject, text->subject, POLICY_SUBJECT_LENGTH);
	held->id = text->subject_id;
	held_subjects = lappend(held_subjects, held);
	MemoryContextSwitchTo(old);
}

/*
 * Returns whether anything is held that has no case yet.
 */
bool
roost_moderation_any_held(void)
{
	/* the list is gone with its transaction */
	return held_in == MyProc->lxid && held_subjects != NIL;
}

/*
 * Opens a case for what is held, if it is.
 */
void
roost_moderation_open_case(Oid trigger, const char *subject, int64 id)
{
	ListCell   *cell;

	if (!roost_moderation_any_held())
		return;
	foreach(cell, held_subjects)
	{
		HeldSubject *held = lfirst(cell);
		Oid			types[2] = {TEXTOID, INT8OID};
		Datum		values[2] = {CStringGetTextDatum(subject), Int64GetDatum(id)};

		if (held->id != id || strcmp(held->subject, subject) != 0)
			continue;
		held_subjects = foreach_delete_current(held_subjects, cell);
		roost_moderation_as_owner(trigger, "SELECT roost_internal.verdict_case($1, $2)", 2, types, values, NULL);
		return;
	}
}

/*
 * Executes a query with the rights of a function's owner.
 */
void
roost_moderation_as_owner(Oid function, const char *query, int nargs, Oid *types, Datum *values, const char *nulls)
{
	Oid			user;
	int			context;
	int			result;

	roost_moderation_owner_begin(function, &user, &context);
	SPI_connect();
	result = SPI_execute_with_args(query, nargs, types, values, nulls, false, 0);
	if (result < 0)
		elog(ERROR, "could not record what policies said: %s", SPI_result_code_string(result));
	SPI_finish();
	SetUserIdAndSecContext(user, context);
}

/*
 * Takes the rights of a function's owner, until SetUserIdAndSecContext(user,
 * context).
 */
void
roost_moderation_owner_begin(Oid function, Oid *user, int *context)
{
	GetUserIdAndSecContext(user, context);
	SetUserIdAndSecContext(record_owner(function), *context | SECURITY_LOCAL_USERID_CHANGE);
}

static Oid
record_owner(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

static Datum
record_array(Datum *elements, int count, Oid type)
{
	switch (type)
	{
		case TEXTOID:
			return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
		case BOOLOID:
			return PointerGetDatum(construct_array(elements, count, BOOLOID, 1, true, TYPALIGN_CHAR));
		default:
			Assert(type == FLOAT8OID);
			return PointerGetDatum(construct_array(elements, count, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	}
}
