/*-------------------------------------------------------------------------
 *
 * post.c
 *		Policies about posts: the row trigger of roost_data.post.
 *
 * Every post that is written or edited is judged, whatever way it comes; not
 * those of retweets (the trigger's condition), nor what is imported
 * (roost.moderation_enabled is off there).  What policies decide goes into the
 * row itself: its state and its labels.
 *
 * An edit is judged anew.  What it may take back is what policies had set
 * (roost_data.post_judgement), not what a moderator has; and nothing but a
 * moderator releases a post that is held.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "account/table_read.h"
#include "core/invalidation.h"
#include "moderation/content.h"
#include "moderation/judge.h"
#include "moderation/record.h"
#include "moderation/setting.h"
#include "moderation/trigger.h"
#include "post/read.h"

PG_FUNCTION_INFO_V1(roost_moderation_post);
PG_FUNCTION_INFO_V1(roost_moderation_post_held);

typedef enum Column
{
	COLUMN_ID,
	COLUMN_AUTHOR_ID,
	COLUMN_TEXT,
	COLUMN_CONTENT_WARNING,
	COLUMN_LANGUAGE,
	COLUMN_MENTION_IDS,
	COLUMN_HASHTAGS,
	COLUMN_URLS,
	COLUMN_MEDIA,
	COLUMN_QUOTE_OF_ID,
	COLUMN_STATE,
	COLUMN_LABELS,
	COLUMNS
} Column;

static const char *const column_names[COLUMNS] = {
	"id", "author_id", "text", "content_warning", "language", "mention_ids", "hashtags", "urls", "media", "quote_of_id", "state", "labels"
};

/* In the order of their severity, as roost.post_state. */
typedef enum PostState
{
	STATE_VISIBLE,
	STATE_LIMITED,
	STATE_HELD,
	STATE_REMOVED,
	STATES
} PostState;

static const char *const state_names[STATES] = {"visible", "limited", "held", "removed"};

/* One version of the row */
typedef struct PostRow
{
	Datum		value[COLUMNS];
	bool		null[COLUMNS];
	PostState	state;
} PostRow;

/* What policies had made of it */
typedef struct PostMark
{
	bool		found;
	PostState	state;
	List	   *labels;
} PostMark;

static Oid	column_relation = InvalidOid;
static AttrNumber column_numbers[COLUMNS];

static void post_relation_changed(Oid relid);
static void post_columns(Relation relation);
static void post_read(Relation relation, HeapTuple tuple, PostRow *row);
static bool post_is_same(const PostRow *old, const PostRow *new);
static void post_content(const PostRow *row, ModerationText *content);
static HeapTuple post_apply(TriggerData *trigger, Oid function, HeapTuple tuple, const PostRow *old, const PostRow *new,
							ModerationText *content, ModerationJudgement *judgement);
static void post_mark_read(int64 post_id, PostMark *mark);
static void post_mark_write(Oid function, const ModerationText *content, PostState state, List *labels);
static PostState post_action_state(ModerationAction action);
static List *post_labels(Datum labels);
static Datum post_labels_array(List *labels);
static bool post_has_label(List *labels, const char *label);
static PostState state_of(Oid value);
static Oid	state_value(Oid type, PostState state);

/*
 * Registers for changes of the table.
 */
void
roost_moderation_post_init(void)
{
	roost_invalidation_register(post_relation_changed);
}

static void
post_relation_changed(Oid relid)
{
	if (!OidIsValid(relid) || relid == column_relation)
		column_relation = InvalidOid;
}

/*
 * roost_internal.post_judge(), a trigger, asks the policies about a post.
 */
Datum
roost_moderation_post(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool		update;
	HeapTuple	tuple;
	PostRow		old;
	PostRow		new;
	ModerationText content;
	ModerationJudgement judgement;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.post_judge() must be a BEFORE trigger for each row")));
	update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	tuple = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	if (!roost_moderation_enabled)
		return PointerGetDatum(tuple);

	post_columns(trigger->tg_relation);
	post_read(trigger->tg_relation, tuple, &new);
	if (update)
	{
		post_read(trigger->tg_relation, trigger->tg_trigtuple, &old);
		if (old.state == STATE_REMOVED || post_is_same(&old, &new))
			return PointerGetDatum(tuple);
	}

	memset(&content, 0, sizeof(content));
	content.subject = "post";
	content.subject_id = DatumGetInt64(new.value[COLUMN_ID]);
	content.account.account_id = DatumGetInt64(new.value[COLUMN_AUTHOR_ID]);
	post_content(&new, &content);

	roost_moderation_judge(&content, false, &judgement);
	if (judgement.action == ACTION_REJECT)
		roost_moderation_refuse(&content, &judgement, "text");
	if (judgement.keep && roost_moderation_fingerprint(&content))
		roost_duplicate_keep(content.subject, &content.fingerprint, content.account.account_id, content.subject_id);
	if (judgement.verdicts != NIL)
		roost_moderation_record(&content, &judgement, fcinfo->flinfo->fn_oid);
	if (judgement.action == ACTION_HOLD)
		roost_moderation_hold(&content);
	if (judgement.action > ACTION_ALLOW || (update && (old.state != STATE_VISIBLE || !old.null[COLUMN_LABELS])))
		tuple = post_apply(trigger, fcinfo->flinfo->fn_oid, tuple, update ? &old : NULL, &new, &content, &judgement);
	return PointerGetDatum(tuple);
}

/*
 * roost_internal.post_held(), a trigger, opens a case for a post that
 * policies have held.
 */
Datum
roost_moderation_post_held(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	PostRow		row;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.post_held() must be an AFTER trigger for each row")));
	if (roost_moderation_any_held())
	{
		post_columns(trigger->tg_relation);
		post_read(trigger->tg_relation, TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple, &row);
		roost_moderation_open_case(fcinfo->flinfo->fn_oid, "post", DatumGetInt64(row.value[COLUMN_ID]));
	}
	return PointerGetDatum(NULL);
}

/*
 * Finds the columns by their names.
 */
static void
post_columns(Relation relation)
{
	if (column_relation == RelationGetRelid(relation))
		return;
	for (int i = 0; i < COLUMNS; i++)
	{
		column_numbers[i] = get_attnum(RelationGetRelid(relation), column_names[i]);
		if (column_numbers[i] == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of relation \"%s\" does not exist", column_names[i], RelationGetRelationName(relation)),
					 errhint("Run SELECT roost.install().")));
	}
	column_relation = RelationGetRelid(relation);
}

static void
post_read(Relation relation, HeapTuple tuple, PostRow *row)
{
	TupleDesc	desc = RelationGetDescr(relation);
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));

	heap_deform_tuple(tuple, desc, values, nulls);
	for (int i = 0; i < COLUMNS; i++)
	{
		row->value[i] = values[column_numbers[i] - 1];
		row->null[i] = nulls[column_numbers[i] - 1];
	}
	/* a row without them cannot stay: the columns are NOT NULL */
	row->state = row->null[COLUMN_STATE] ? STATE_VISIBLE : state_of(DatumGetObjectId(row->value[COLUMN_STATE]));
	for (int i = COLUMN_ID; i <= COLUMN_AUTHOR_ID; i++)
	{
		if (row->null[i])
			row->value[i] = Int64GetDatum(0);
	}
}

/*
 * Returns whether an update leaves all as it is that is judged.
 */
static bool
post_is_same(const PostRow *old, const PostRow *new)
{
	static const Column judged[] = {COLUMN_TEXT, COLUMN_CONTENT_WARNING, COLUMN_MEDIA};

	for (int i = 0; i < lengthof(judged); i++)
	{
		Column		column = judged[i];

		if (old->null[column] != new->null[column] ||
			(!old->null[column] && !datum_image_eq(old->value[column], new->value[column], false, -1)))
			return false;
	}
	return true;
}

/*
 * Takes from the row what policies look at.
 */
static void
post_content(const PostRow *row, ModerationText *content)
{
	struct varlena *body = row->null[COLUMN_TEXT] ? NULL : PG_DETOAST_DATUM_PACKED(row->value[COLUMN_TEXT]);

	content->text = body != NULL ? VARDATA_ANY(body) : "";
	content->length = body != NULL ? VARSIZE_ANY_EXHDR(body) : 0;
	if (!row->null[COLUMN_CONTENT_WARNING])
	{
		struct varlena *warning = PG_DETOAST_DATUM_PACKED(row->value[COLUMN_CONTENT_WARNING]);

		roost_content_join(content, VARDATA_ANY(warning), VARSIZE_ANY_EXHDR(warning), content->text, content->length);
	}
	if (!row->null[COLUMN_LANGUAGE])
		content->language = TextDatumGetCString(row->value[COLUMN_LANGUAGE]);
	if (!row->null[COLUMN_MENTION_IDS])
		content->num_mentions = roost_post_mentioned(row->value[COLUMN_MENTION_IDS], &content->mentions);
	if (!row->null[COLUMN_HASHTAGS])
	{
		ArrayType  *hashtags = DatumGetArrayTypeP(row->value[COLUMN_HASHTAGS]);

		content->num_hashtags = ArrayGetNItems(ARR_NDIM(hashtags), ARR_DIMS(hashtags));
	}
	if (!row->null[COLUMN_URLS])
		roost_content_urls(content, row->value[COLUMN_URLS], true);
	roost_content_bare_urls(content);
	if (!row->null[COLUMN_MEDIA])
	{
		roost_content_urls(content, row->value[COLUMN_MEDIA], false);
		roost_content_descriptions(content, row->value[COLUMN_MEDIA]);
	}
	content->copies = row->null[COLUMN_QUOTE_OF_ID];
}

/*
 * Puts what was decided into the row, and notes what of it an edit may take
 * back.
 */
static HeapTuple
post_apply(TriggerData *trigger, Oid function, HeapTuple tuple, const PostRow *old, const PostRow *new,
		   ModerationText *content, ModerationJudgement *judgement)
{
	PostMark	mark = {.found = false};
	PostState	judged = post_action_state(judgement->action);
	PostState	state = new->state;
	List	   *labels = new->null[COLUMN_LABELS] ? NIL : post_labels(new->value[COLUMN_LABELS]);
	List	   *added = NIL;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	int			columns[2] = {column_numbers[COLUMN_STATE], column_numbers[COLUMN_LABELS]};
	ListCell   *cell;

	if (old != NULL)
		post_mark_read(content->subject_id, &mark);
	if (mark.found)
	{
		/* only a moderator releases */
		if (state == mark.state && state != STATE_HELD)
			state = STATE_VISIBLE;
		if (mark.state == STATE_HELD && new->state == STATE_HELD)
			judged = Max(judged, STATE_HELD);
		foreach(cell, mark.labels)
		{
			ListCell   *other;

			foreach(other, labels)
			{
				if (strcmp(lfirst(other), lfirst(cell)) == 0)
					labels = foreach_delete_current(labels, other);
			}
		}
	}
	foreach(cell, judgement->labels)
	{
		if (!post_has_label(labels, lfirst(cell)))
		{
			labels = lappend(labels, lfirst(cell));
			added = lappend(added, lfirst(cell));
		}
	}

	if (judged > state || added != NIL)
		post_mark_write(function, content, judged > state ? judged : STATE_VISIBLE, added);
	else if (mark.found && judged != STATE_HELD)
		post_mark_write(function, content, STATE_VISIBLE, NIL);
	state = Max(state, judged);

	values[0] = ObjectIdGetDatum(state_value(TupleDescAttr(RelationGetDescr(trigger->tg_relation), columns[0] - 1)->atttypid, state));
	values[1] = post_labels_array(labels);
	nulls[1] = labels == NIL;
	return heap_modify_tuple_by_cols(tuple, RelationGetDescr(trigger->tg_relation), 2, columns, values, nulls);
}

/*
 * Reads what policies had made of a post.
 */
static void
post_mark_read(int64 post_id, PostMark *mark)
{
	RoostTableRead read;
	ScanKeyData key;
	HeapTuple	tuple;
	Datum		value;
	bool		isnull;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(post_id));
	if (!roost_table_read_begin(&read, "post_judgement", 1, &key))
		return;
	tuple = roost_table_read_next(&read);
	if (tuple != NULL)
	{
		mark->found = true;
		mark->state = state_of(DatumGetObjectId(heap_getattr(tuple, get_attnum(RelationGetRelid(read.relation), "state"),
															 RelationGetDescr(read.relation), &isnull)));
		value = heap_getattr(tuple, get_attnum(RelationGetRelid(read.relation), "labels"), RelationGetDescr(read.relation), &isnull);
		if (!isnull)
			mark->labels = post_labels(value);
	}
	roost_table_read_end(&read);
}

/*
 * Notes what policies have made of a post; visible and without labels there
 * is nothing to note.
 */
static void
post_mark_write(Oid function, const ModerationText *content, PostState state, List *labels)
{
	Oid			types[4] = {INT8OID, INT8OID, TEXTOID, TEXTARRAYOID};
	Datum		values[4] = {Int64GetDatum(content->subject_id), Int64GetDatum(content->account.account_id),
	CStringGetTextDatum(state_names[state]), post_labels_array(labels)};
	char		nulls[5] = {' ', ' ', ' ', labels == NIL ? 'n' : ' ', '\0'};

	roost_moderation_as_owner(function, "SELECT roost_internal.post_judgement_set($1, $2, $3, $4)", 4, types, values, nulls);
}

static PostState
post_action_state(ModerationAction action)
{
	return action == ACTION_LIMIT ? STATE_LIMITED : action == ACTION_HOLD ? STATE_HELD : STATE_VISIBLE;
}

/*
 * Returns the labels of an array, as C strings.
 */
static List *
post_labels(Datum labels)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	List	   *list = NIL;

	deconstruct_array(DatumGetArrayTypeP(labels), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			list = lappend(list, TextDatumGetCString(elements[i]));
	}
	return list;
}

static Datum
post_labels_array(List *labels)
{
	Datum	   *elements = palloc((list_length(labels) + 1) * sizeof(Datum));

	for (int i = 0; i < list_length(labels); i++)
		elements[i] = CStringGetTextDatum(list_nth(labels, i));
	return PointerGetDatum(construct_array(elements, list_length(labels), TEXTOID, -1, false, TYPALIGN_INT));
}

static bool
post_has_label(List *labels, const char *label)
{
	ListCell   *cell;

	foreach(cell, labels)
	{
		if (strcmp(lfirst(cell), label) == 0)
			return true;
	}
	return false;
}

/*
 * Returns the state that a value of roost.post_state is.
 */
static PostState
state_of(Oid value)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	PostState	state = STATE_VISIBLE;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for enum value %u", value);
	for (int i = 0; i < STATES; i++)
	{
		if (strcmp(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel), state_names[i]) == 0)
			state = i;
	}
	ReleaseSysCache(tuple);
	return state;
}

/*
 * Returns the value of roost.post_state that a state is.
 */
static Oid
state_value(Oid type, PostState state)
{
	Oid			value = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid, ObjectIdGetDatum(type), CStringGetDatum(state_names[state]));

	if (!OidIsValid(value))
		elog(ERROR, "cache lookup failed for state \"%s\"", state_names[state]);
	return value;
}
