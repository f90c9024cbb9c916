/*-------------------------------------------------------------------------
 *
 * profile.c
 *		Policies about profiles, and trials of policies.
 *
 * A profile is judged as one text: user name, display name and bio, a line
 * each; and by the addresses of its pictures.  It has no state: what a policy
 * would label or limit is only recorded, and what is held opens a case, once the
 * row is there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "core/plan.h"
#include "moderation/content.h"
#include "moderation/judge.h"
#include "moderation/policy.h"
#include "moderation/record.h"
#include "moderation/setting.h"
#include "moderation/trigger.h"

PG_FUNCTION_INFO_V1(roost_moderation_profile);
PG_FUNCTION_INFO_V1(roost_moderation_trial);

#define TRIAL_COLUMNS	9

/* the texts, then the addresses */
static const char *const profile_fields[] = {"username", "display_name", "bio", "avatar_url", "header_url"};

#define PROFILE_NAMES	2		/* of the texts */
#define PROFILE_TEXTS	3

static HeapTuple profile_judge(TriggerData *trigger, Oid function);
static void profile_open_case(TriggerData *trigger, Oid function);
static const char *profile_field(TriggerData *trigger);
static void profile_lookalike(ModerationText *profile, Oid function, ArrayType *names, bool trial);

/*
 * roost_internal.profile_judge(), a trigger, asks the policies about a
 * profile, and opens a case for one that is held.
 */
Datum
roost_moderation_profile(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.profile_judge() must be a trigger for each row")));
	if (TRIGGER_FIRED_BEFORE(trigger->tg_event))
		return PointerGetDatum(profile_judge(trigger, fcinfo->flinfo->fn_oid));
	profile_open_case(trigger, fcinfo->flinfo->fn_oid);
	return PointerGetDatum(NULL);
}

/*
 * Judges a new version of a profile.
 */
static HeapTuple
profile_judge(TriggerData *trigger, Oid function)
{
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	tuple = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	const char *field;
	ModerationText profile;
	ModerationJudgement judgement;
	StringInfoData joined;
	Datum		names[PROFILE_NAMES];
	Datum		value;
	bool		isnull;

	if (!roost_moderation_enabled || (field = profile_field(trigger)) == NULL)
		return tuple;
	memset(&profile, 0, sizeof(profile));
	profile.subject = "profile";
	value = roost_moderation_row_value(trigger, tuple, "id", &isnull);
	profile.subject_id = profile.account.account_id = isnull ? 0 : DatumGetInt64(value);
	value = roost_moderation_row_value(trigger, tuple, "language", &isnull);
	profile.language = isnull ? NULL : TextDatumGetCString(value);

	initStringInfo(&joined);
	for (int i = 0; i < PROFILE_TEXTS; i++)
	{
		value = roost_moderation_row_value(trigger, tuple, profile_fields[i], &isnull);
		if (i < PROFILE_NAMES)
			names[i] = isnull ? CStringGetTextDatum("") : value;
		if (i > 0)
			appendStringInfoChar(&joined, '\n');
		if (!isnull)
		{
			struct varlena *part = PG_DETOAST_DATUM_PACKED(value);

			appendBinaryStringInfo(&joined, VARDATA_ANY(part), VARSIZE_ANY_EXHDR(part));
		}
	}
	profile.text = joined.data;
	profile.length = joined.len;
	roost_content_scan(&profile);
	roost_content_bare_urls(&profile);
	for (int i = PROFILE_TEXTS; i < lengthof(profile_fields); i++)
	{
		value = roost_moderation_row_value(trigger, tuple, profile_fields[i], &isnull);
		if (!isnull)
		{
			char	   *url = TextDatumGetCString(value);

			roost_content_url(&profile, url, strlen(url));
		}
	}
	profile_lookalike(&profile, function, construct_array(names, PROFILE_NAMES, TEXTOID, -1, false, TYPALIGN_INT), false);

	roost_moderation_judge(&profile, false, &judgement);
	if (judgement.action == ACTION_REJECT)
		roost_moderation_refuse(&profile, &judgement, field);
	if (judgement.verdicts != NIL)
		roost_moderation_record(&profile, &judgement, function);
	if (judgement.action == ACTION_HOLD)
		roost_moderation_hold(&profile);
	return tuple;
}

/*
 * Opens a case for a profile that is held, now that it is there.
 */
static void
profile_open_case(TriggerData *trigger, Oid function)
{
	bool		isnull;
	Datum		id;

	if (!roost_moderation_any_held())
		return;
	id = roost_moderation_row_value(trigger, TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple, "id", &isnull);
	if (!isnull)
		roost_moderation_open_case(function, "profile", DatumGetInt64(id));
}

/*
 * Returns the field that has changed, NULL if none has; of several the last.
 */
static const char *
profile_field(TriggerData *trigger)
{
	const char *changed = NULL;

	for (int i = 0; i < lengthof(profile_fields); i++)
	{
		bool		isnull;
		bool		old_isnull = true;
		Datum		value;
		Datum		old = (Datum) 0;

		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		{
			value = roost_moderation_row_value(trigger, trigger->tg_newtuple, profile_fields[i], &isnull);
			old = roost_moderation_row_value(trigger, trigger->tg_trigtuple, profile_fields[i], &old_isnull);
		}
		else
			value = roost_moderation_row_value(trigger, trigger->tg_trigtuple, profile_fields[i], &isnull);
		if (isnull || (!old_isnull && strcmp(TextDatumGetCString(value), TextDatumGetCString(old)) == 0))
			continue;
		/* a new account has a user name; what it says of itself may be empty */
		if (changed == NULL || VARSIZE_ANY_EXHDR(PG_DETOAST_DATUM_PACKED(value)) > 0)
			changed = profile_fields[i];
	}
	return changed;
}

/*
 * Finds out whose name a profile's may be taken for, if a policy asks.
 */
static void
profile_lookalike(ModerationText *profile, Oid function, ArrayType *names, bool trial)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[2] = {TEXTARRAYOID, INT8OID};
	Datum		values[2] = {PointerGetDatum(names), Int64GetDatum(profile->account.account_id)};
	int			count;
	const ModerationPolicy *policies = roost_moderation_policies(profile->subject, &count);
	MemoryContext caller = CurrentMemoryContext;
	bool		asked = false;
	Oid			user;
	int			context;

	for (int i = 0; i < count; i++)
		asked |= policies[i].signal == SIGNAL_LOOKALIKE && (policies[i].enabled || trial);
	if (!asked)
		return;
	roost_moderation_owner_begin(function, &user, &context);
	SPI_connect();
	if (SPI_execute_plan(roost_plan_keep(&plan, "SELECT roost_internal.profile_lookalike($1, $2)", lengthof(types), types), values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for similar names");
	if (SPI_processed == 1)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);

		profile->lookalike = name == NULL ? NULL : MemoryContextStrdup(caller, name);
	}
	SPI_finish();
	SetUserIdAndSecContext(user, context);
}

/*
 * roost_internal.moderation_trial(subject, text, language, account_id) says
 * what every policy of a subject would say of a text; nothing is recorded.
 */
Datum
roost_moderation_trial(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	struct varlena *value;
	ModerationText trial;
	ModerationJudgement judgement;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	memset(&trial, 0, sizeof(trial));
	trial.subject = text_to_cstring(PG_GETARG_TEXT_PP(0));
	value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	trial.text = VARDATA_ANY(value);
	trial.length = VARSIZE_ANY_EXHDR(value);
	if (!PG_ARGISNULL(2))
		trial.language = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (!PG_ARGISNULL(3))
		trial.account.account_id = PG_GETARG_INT64(3);
	trial.copies = true;
	roost_content_scan(&trial);
	roost_content_bare_urls(&trial);
	if (strcmp(trial.subject, "profile") == 0)
	{
		Datum		name = PG_GETARG_DATUM(1);

		profile_lookalike(&trial, fcinfo->flinfo->fn_oid, construct_array(&name, 1, TEXTOID, -1, false, TYPALIGN_INT), true);
	}

	roost_moderation_judge(&trial, true, &judgement);
	foreach(cell, judgement.verdicts)
	{
		ModerationVerdict *verdict = lfirst(cell);
		Datum		values[TRIAL_COLUMNS];
		bool		nulls[TRIAL_COLUMNS] = {false};

		values[0] = CStringGetTextDatum(verdict->policy);
		values[1] = CStringGetTextDatum(roost_moderation_signal_name(verdict->signal));
		values[2] = Float8GetDatum(verdict->score);
		values[3] = Float8GetDatum(verdict->threshold);
		values[4] = BoolGetDatum(verdict->fires);
		values[5] = CStringGetTextDatum(roost_moderation_action_name(verdict->action));
		values[6] = BoolGetDatum(verdict->enabled);
		values[7] = BoolGetDatum(verdict->dry_run);
		nulls[8] = verdict->explanation == NULL;
		values[8] = nulls[8] ? (Datum) 0 : CStringGetTextDatum(verdict->explanation);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
