/*-------------------------------------------------------------------------
 *
 * policy.c
 *		Policies, as a backend keeps them.
 *
 * The table is small, so a backend reads it whole when it first needs it and
 * again after a change: a statement trigger announces one as a change of the
 * relation.  It is read with the newest snapshot and without regard to the
 * caller's rights, who need not have any.  Where the table is missing there
 * are no policies.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "account/table_read.h"
#include "core/invalidation.h"
#include "moderation/policy.h"

static const char *const signal_names[SIGNALS] = {
	[SIGNAL_PROFANITY] = "profanity",
	[SIGNAL_SPAM] = "spam",
	[SIGNAL_GIBBERISH] = "gibberish",
	[SIGNAL_URL] = "url",
	[SIGNAL_CAPITALS] = "capitals",
	[SIGNAL_REPETITION] = "repetition",
	[SIGNAL_LOOKALIKE] = "lookalike",
	[SIGNAL_RATE] = "rate",
	[SIGNAL_DUPLICATE] = "duplicate",
	[SIGNAL_REPEAT] = "repeat",
	[SIGNAL_MENTIONS] = "mentions",
	[SIGNAL_STRANGERS] = "strangers",
	[SIGNAL_HASHTAGS] = "hashtags",
	[SIGNAL_LINKS] = "links",
};

static const char *const action_names[ACTIONS] = {
	[ACTION_ALLOW] = "allow",
	[ACTION_LABEL] = "label",
	[ACTION_LIMIT] = "limit",
	[ACTION_HOLD] = "hold",
	[ACTION_REJECT] = "reject",
};

static MemoryContext policy_context = NULL;
static bool policy_loaded = false;
static Oid	policy_relation = InvalidOid;

/* sorted by subject and priority */
static ModerationPolicy *policies = NULL;
static int	num_policies = 0;

static void policy_relation_changed(Oid relid);
static void policy_load(void);
static void policy_read(void);
static bool policy_row(HeapTuple tuple, TupleDesc desc, ModerationPolicy *policy);
static Datum policy_column(HeapTuple tuple, TupleDesc desc, const char *name, bool *isnull);
static char *policy_text(HeapTuple tuple, TupleDesc desc, const char *name);
static char **policy_list(HeapTuple tuple, TupleDesc desc, const char *name, int *count);
static int	policy_name_find(const char *const *names, int count, const char *name);
static int	policy_compare(const void *a, const void *b);

/*
 * Registers for changes of the table.
 */
void
roost_moderation_policy_init(void)
{
	roost_invalidation_register(policy_relation_changed);
}

static void
policy_relation_changed(Oid relid)
{
	/* while the table is missing, any new one may be it */
	if (!OidIsValid(relid) || !OidIsValid(policy_relation) || relid == policy_relation)
		policy_loaded = false;
}

const char *
roost_moderation_signal_name(ModerationSignal signal)
{
	return signal_names[signal];
}

const char *
roost_moderation_action_name(ModerationAction action)
{
	return action_names[action];
}

/*
 * Returns the policies of a subject; see policy.h.
 */
const ModerationPolicy *
roost_moderation_policies(const char *subject, int *count)
{
	int			first = 0;
	int			end;

	policy_load();
	while (first < num_policies && strcmp(policies[first].subject, subject) != 0)
		first++;
	for (end = first; end < num_policies; end++)
	{
		if (strcmp(policies[end].subject, subject) != 0)
			break;
	}
	*count = end - first;
	return policies + first;
}

/*
 * Reads the table, unless what we have is still good.
 */
static void
policy_load(void)
{
	Oid			schema;

	if (policy_loaded)
		return;
	if (policy_context == NULL)
		policy_context = AllocSetContextCreate(TopMemoryContext, "roost moderation policies",
											   ALLOCSET_SMALL_SIZES);
	num_policies = 0;
	policies = NULL;
	MemoryContextReset(policy_context);

	schema = get_namespace_oid("roost_data", true);
	policy_relation = OidIsValid(schema) ? get_relname_relid("moderation_policy", schema) : InvalidOid;
	/* a change that we learn of while reading makes us read again */
	policy_loaded = true;
	if (!OidIsValid(policy_relation))
		return;

	PG_TRY();
	{
		policy_read();
	}
	PG_CATCH();
	{
		policy_loaded = false;
		PG_RE_THROW();
	}
	PG_END_TRY();
}

static void
policy_read(void)
{
	RoostTableRead read;
	HeapTuple	tuple;
	int			room = 32;
	MemoryContext old;

	if (!roost_table_read_begin(&read, "moderation_policy", 0, NULL))
		return;
	old = MemoryContextSwitchTo(policy_context);
	policies = palloc(room * sizeof(ModerationPolicy));
	while ((tuple = roost_table_read_next(&read)) != NULL)
	{
		if (num_policies == room)
		{
			room *= 2;
			policies = repalloc(policies, room * sizeof(ModerationPolicy));
		}
		if (policy_row(tuple, RelationGetDescr(read.relation), &policies[num_policies]))
			num_policies++;
	}
	MemoryContextSwitchTo(old);
	roost_table_read_end(&read);
	if (num_policies > 0)
		qsort(policies, num_policies, sizeof(ModerationPolicy), policy_compare);
}

/*
 * Reads one row; false if a newer version's signal or action stands in it.
 */
static bool
policy_row(HeapTuple tuple, TupleDesc desc, ModerationPolicy *policy)
{
	bool		isnull;
	Datum		value;
	int			signal = policy_name_find(signal_names, SIGNALS, policy_text(tuple, desc, "signal"));
	int			action = policy_name_find(action_names, ACTIONS, policy_text(tuple, desc, "action"));

	if (signal < 0 || action < 0)
		return false;
	memset(policy, 0, sizeof(*policy));
	policy->signal = signal;
	policy->action = action;
	strlcpy(policy->name, policy_text(tuple, desc, "name"), POLICY_NAME_LENGTH);
	strlcpy(policy->subject, policy_text(tuple, desc, "subject"), POLICY_SUBJECT_LENGTH);
	policy->enabled = DatumGetBool(policy_column(tuple, desc, "enabled", &isnull));
	policy->dry_run = DatumGetBool(policy_column(tuple, desc, "dry_run", &isnull));
	policy->threshold = DatumGetFloat8(policy_column(tuple, desc, "threshold", &isnull));
	value = policy_column(tuple, desc, "below", &isnull);
	policy->below = isnull ? INFINITY : DatumGetFloat8(value);
	policy->adaptive = DatumGetBool(policy_column(tuple, desc, "adaptive", &isnull));
	policy->priority = DatumGetInt32(policy_column(tuple, desc, "priority", &isnull));

	policy->languages = policy_list(tuple, desc, "languages", &policy->num_languages);
	policy->new_accounts = DatumGetBool(policy_column(tuple, desc, "new_accounts", &isnull));
	value = policy_column(tuple, desc, "account_age", &isnull);
	if (!isnull)
	{
		Interval   *age = DatumGetIntervalP(value);

		policy->account_age = age->time + age->day * USECS_PER_DAY + age->month * (DAYS_PER_MONTH * USECS_PER_DAY);
	}
	value = policy_column(tuple, desc, "followers", &isnull);
	policy->followers = isnull ? 0 : DatumGetInt32(value);
	policy->exempt_roles = policy_list(tuple, desc, "exempt_roles", &policy->num_exempt_roles);
	policy->exempt_verified = DatumGetBool(policy_column(tuple, desc, "exempt_verified", &isnull));

	policy->label = policy_text(tuple, desc, "label");
	policy->message = policy_text(tuple, desc, "message");
	policy->limit_class = policy_text(tuple, desc, "limit_class");
	return true;
}

static Datum
policy_column(HeapTuple tuple, TupleDesc desc, const char *name, bool *isnull)
{
	AttrNumber	attribute = get_attnum(policy_relation, name);

	if (attribute == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"moderation_policy\" does not exist", name),
				 errhint("Run SELECT roost.install().")));
	return heap_getattr(tuple, attribute, desc, isnull);
}

/*
 * Returns a column of type text, or NULL.
 */
static char *
policy_text(HeapTuple tuple, TupleDesc desc, const char *name)
{
	bool		isnull;
	Datum		value = policy_column(tuple, desc, name, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * Returns a column of type text[] as a list, NULL if it is empty or NULL.
 */
static char **
policy_list(HeapTuple tuple, TupleDesc desc, const char *name, int *count)
{
	bool		isnull;
	Datum		value = policy_column(tuple, desc, name, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			num_elements;
	char	  **list;

	*count = 0;
	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &num_elements);
	list = palloc((num_elements + 1) * sizeof(char *));
	for (int i = 0; i < num_elements; i++)
	{
		if (!nulls[i])
			list[(*count)++] = TextDatumGetCString(elements[i]);
	}
	return *count > 0 ? list : NULL;
}

static int
policy_name_find(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count && name != NULL; i++)
	{
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

static int
policy_compare(const void *a, const void *b)
{
	const ModerationPolicy *left = a;
	const ModerationPolicy *right = b;
	int			order = strcmp(left->subject, right->subject);

	if (order == 0)
		order = (left->priority < right->priority) - (left->priority > right->priority);
	return order != 0 ? order : strcmp(left->name, right->name);
}
