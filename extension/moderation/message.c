/*-------------------------------------------------------------------------
 *
 * message.c
 *		Policies about messages, and about what groups say of themselves.
 *
 * A message that is not encrypted is judged when it is written and when it is
 * edited: as a "message", and before the recipient of a direct conversation
 * has anything to do with its sender besides as a "message_request", the kind
 * of message that spam is.
 *
 * A message cannot be held: its sender would see it in a conversation, and
 * nobody but its recipients has any business to read it.  So what a policy
 * would hold is refused; what it would label or limit is delivered, and
 * recorded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "api/request.h"
#include "core/plan.h"
#include "moderation/content.h"
#include "moderation/judge.h"
#include "moderation/record.h"
#include "moderation/setting.h"
#include "moderation/trigger.h"

/* messages among which somebody else's is looked for first */
#define MESSAGE_LATELY	20

PG_FUNCTION_INFO_V1(roost_moderation_message);
PG_FUNCTION_INFO_V1(roost_moderation_group);

static bool message_judge(ModerationText *content, Oid function, const char *field);
static bool message_is_answered(Relation table, int64 conversation_id, int64 sender_id);
static bool message_is_request(Oid function, int64 conversation_id, int64 sender_id);
static bool subject_has_policies(const char *subject);
static bool row_changed(TriggerData *trigger, const char *name);

/*
 * roost_internal.message_judge(), a trigger, asks the policies about a
 * message.
 */
Datum
roost_moderation_message(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Oid			function = fcinfo->flinfo->fn_oid;
	HeapTuple	tuple;
	ModerationText content;
	int64		conversation_id;
	bool		isnull;
	Datum		value;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.message_judge() must be a BEFORE trigger for each row")));
	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	if (!roost_moderation_enabled || !(row_changed(trigger, "text") || row_changed(trigger, "media")))
		return PointerGetDatum(tuple);

	memset(&content, 0, sizeof(content));
	content.subject = "message";
	value = roost_moderation_row_value(trigger, tuple, "id", &isnull);
	content.subject_id = isnull ? 0 : DatumGetInt64(value);
	value = roost_moderation_row_value(trigger, tuple, "sender_id", &isnull);
	content.account.account_id = isnull ? 0 : DatumGetInt64(value);
	value = roost_moderation_row_value(trigger, tuple, "conversation_id", &isnull);
	conversation_id = isnull ? 0 : DatumGetInt64(value);
	value = roost_moderation_row_value(trigger, tuple, "text", &isnull);
	content.text = "";
	if (!isnull)
	{
		struct varlena *body = PG_DETOAST_DATUM_PACKED(value);

		content.text = VARDATA_ANY(body);
		content.length = VARSIZE_ANY_EXHDR(body);
	}
	roost_content_scan(&content);
	roost_content_bare_urls(&content);
	value = roost_moderation_row_value(trigger, tuple, "media", &isnull);
	if (!isnull)
	{
		roost_content_urls(&content, value, false);
		roost_content_descriptions(&content, value);
	}

	message_judge(&content, function, "text");
	if (subject_has_policies("message_request") && !message_is_answered(trigger->tg_relation, conversation_id, content.account.account_id) &&
		message_is_request(function, conversation_id, content.account.account_id))
	{
		content.subject = "message_request";
		content.copies = true;
		if (message_judge(&content, function, "text") && roost_moderation_fingerprint(&content))
			roost_duplicate_keep(content.subject, &content.fingerprint, content.account.account_id, content.subject_id);
	}
	return PointerGetDatum(tuple);
}

/*
 * roost_internal.group_judge(), a trigger, asks the policies about the title,
 * the description and the picture of a group.
 */
Datum
roost_moderation_group(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	HeapTuple	tuple;
	ModerationText content;
	StringInfoData joined;
	RoostRequestOrigin origin;
	const char *field;
	bool		isnull;
	Datum		value;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.group_judge() must be a BEFORE trigger for each row")));
	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	field = row_changed(trigger, "description") ? "description" : row_changed(trigger, "title") ? "title" :
		row_changed(trigger, "avatar_url") ? "avatar_url" : NULL;
	if (!roost_moderation_enabled || field == NULL)
		return PointerGetDatum(tuple);

	initStringInfo(&joined);
	memset(&content, 0, sizeof(content));
	content.subject = "group";
	value = roost_moderation_row_value(trigger, tuple, "id", &isnull);
	content.subject_id = isnull ? 0 : DatumGetInt64(value);
	/* who changes it; by SQL nobody knows, but who made it */
	value = roost_moderation_row_value(trigger, tuple, "created_by", &isnull);
	content.account.account_id = roost_api_request_origin(&origin) && origin.account_id != 0 ? origin.account_id :
		isnull ? 0 : DatumGetInt64(value);
	value = roost_moderation_row_value(trigger, tuple, "title", &isnull);
	appendStringInfoString(&joined, isnull ? "" : TextDatumGetCString(value));
	value = roost_moderation_row_value(trigger, tuple, "description", &isnull);
	appendStringInfo(&joined, "\n%s", isnull ? "" : TextDatumGetCString(value));
	content.text = joined.data;
	content.length = joined.len;
	roost_content_scan(&content);
	roost_content_bare_urls(&content);
	value = roost_moderation_row_value(trigger, tuple, "avatar_url", &isnull);
	if (!isnull)
	{
		char	   *url = TextDatumGetCString(value);

		roost_content_url(&content, url, strlen(url));
	}
	message_judge(&content, fcinfo->flinfo->fn_oid, strcmp(field, "description") == 0 && joined.data[joined.len - 1] == '\n' ? "title" : field);
	return PointerGetDatum(tuple);
}

/*
 * Refuses a text that policies refuse or would hold, and records what the
 * others say.  Returns whether its fingerprint is to be kept.
 */
static bool
message_judge(ModerationText *content, Oid function, const char *field)
{
	ModerationJudgement judgement;
	ListCell   *cell;

	roost_moderation_judge(content, false, &judgement);
	foreach(cell, judgement.verdicts)
	{
		ModerationVerdict *verdict = lfirst(cell);

		/* words of a private text are for nobody else */
		verdict->explanation = "{}";
		if (verdict->action == ACTION_HOLD && judgement.action == ACTION_HOLD && !verdict->dry_run && judgement.decisive == NULL)
			judgement.decisive = verdict;
	}
	if (judgement.action >= ACTION_HOLD)
		roost_moderation_refuse(content, &judgement, field);
	if (judgement.verdicts != NIL)
		roost_moderation_record(content, &judgement, function);
	return judgement.keep;
}

/*
 * Returns whether somebody else has written lately: the usual case, for which no
 * question is needed.
 */
static bool
message_is_answered(Relation table, int64 conversation_id, int64 sender_id)
{
	Oid			primary = RelationGetPrimaryKeyIndex(table);
	AttrNumber	sender = get_attnum(RelationGetRelid(table), "sender_id");
	Relation	index;
	IndexScanDesc scan;
	ScanKeyData key;
	TupleTableSlot *slot;
	bool		answered = false;

	if (!OidIsValid(primary))
		return false;
	index = index_open(primary, AccessShareLock);
	slot = table_slot_create(table, NULL);
	scan = index_beginscan(table, index, GetActiveSnapshot(), 1, 0);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(conversation_id));
	index_rescan(scan, &key, 1, NULL, 0);
	for (int i = 0; i < MESSAGE_LATELY && !answered && index_getnext_slot(scan, BackwardScanDirection, slot); i++)
	{
		bool		isnull;

		answered = DatumGetInt64(slot_getattr(slot, sender, &isnull)) != sender_id;
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	return answered;
}

/*
 * Returns whether the recipient has nothing to do with the sender yet.
 */
static bool
message_is_request(Oid function, int64 conversation_id, int64 sender_id)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[2] = {INT8OID, INT8OID};
	Datum		values[2] = {Int64GetDatum(conversation_id), Int64GetDatum(sender_id)};
	bool		result = false;
	bool		isnull;
	Oid			user;
	int			context;

	roost_moderation_owner_begin(function, &user, &context);
	SPI_connect();
	if (SPI_execute_plan(roost_plan_keep(&plan, "SELECT roost_internal.message_is_request($1, $2)", 2, types), values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look at a conversation");
	if (SPI_processed == 1)
		result = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	SetUserIdAndSecContext(user, context);
	return result;
}

static bool
subject_has_policies(const char *subject)
{
	int			count;
	const ModerationPolicy *policies = roost_moderation_policies(subject, &count);

	for (int i = 0; i < count; i++)
	{
		if (policies[i].enabled)
			return true;
	}
	return false;
}

/*
 * Returns whether a column is another one than before, and not null.
 */
static bool
row_changed(TriggerData *trigger, const char *name)
{
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	bool		isnull;
	bool		old_isnull;
	Datum		value = roost_moderation_row_value(trigger, update ? trigger->tg_newtuple : trigger->tg_trigtuple, name, &isnull);
	Datum		old;

	if (isnull || !update)
		return !isnull;
	old = roost_moderation_row_value(trigger, trigger->tg_trigtuple, name, &old_isnull);
	return old_isnull || !datum_image_eq(value, old, false, -1);
}
