/*-------------------------------------------------------------------------
 *
 * limit.c
 *		Rate limits: what is counted, and the functions of SQL.
 *
 * Shared memory holds a table of 16-byte entries (gcra.c) of roost.limit_size,
 * one for each policy and account, address or target that has lately used
 * something; without locks.  Its keys are hashes with a secret seed, so that
 * nobody can choose an address that shares a stranger's entry.  Next to it
 * are counters, each an atomic.  The table survives a restart in a file
 * (store.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "limit/gcra.h"
#include "limit/limit.h"
#include "limit/policy.h"
#include "limit/store.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_limit_hit);
PG_FUNCTION_INFO_V1(roost_limit_reset);
PG_FUNCTION_INFO_V1(roost_limit_stat);
PG_FUNCTION_INFO_V1(roost_limit_denied);

#define LIMIT_SIZE_MIN		64
#define LIMIT_SIZE_DEFAULT	(16 * 1024)
#define LIMIT_SIZE_MAX		(4 * 1024 * 1024)

#define LIMIT_COST_MAX		1000000

/* Who uses something; hashes of what is known about the caller, or 0. */
typedef struct LimitSubjects
{
	uint64		account;
	uint64		address;
	uint64		target;
} LimitSubjects;

/* The policies that apply to one call. */
typedef struct LimitRules
{
	int			count;
	GcraRule	rules[GCRA_RULES_MAX];
	uint64		policy[GCRA_RULES_MAX];
} LimitRules;

StaticAssertDecl(sizeof(GcraEntry) == 16, "entries are two words");

LimitShared *roost_limit_shared = NULL;

static bool limit_enabled;		/* GUC */
static int	limit_size;			/* GUC, kB */

static uint64 limit_entries(void);
static void limit_subjects(LimitSubjects *subjects, int64 account_id,
						   const LimitAddress *address, const char *address_text, const char *target);
static uint64 limit_hash(char kind, const void *data, Size length);
static void limit_rules_add(LimitRules *rules, const char *class_name, const LimitSubjects *subjects);
static uint64 limit_subject(const LimitPolicy *policy, const LimitSubjects *subjects);
static uint64 limit_entry_key(uint64 policy, uint64 subject);
static bool limit_take_rules(const LimitRules *rules, int64 cost, RoostLimitState *state);
static int	limit_nearest(const LimitRules *rules, const GcraResult *results, bool allowed);
static void limit_count_denied(uint64 policy);
static char *limit_text_argument(FunctionCallInfo fcinfo, int index);
static int	limit_forget(const LimitPolicy *policy, const LimitSubjects *subjects);

/*
 * Returns the table of entries.
 */
GcraTable
roost_limit_table(void)
{
	return (GcraTable)
	{
		.entries = (GcraEntry *) TYPEALIGN(PG_CACHE_LINE_SIZE, roost_limit_shared + 1),
			.size = limit_entries(),
			.evicted = &roost_limit_shared->evicted,
	};
}

/*
 * Takes one unit of the class "default" and of a class; see limit.h.
 */
bool
roost_limit_check(const char *limit_class, int64 account_id,
				  const char *address, const char *target, RoostLimitState *state)
{
	LimitSubjects subjects;
	LimitAddress parsed;
	LimitRules	rules = {.count = 0};

	if (state != NULL)
		memset(state, 0, sizeof(RoostLimitState));
	if (!limit_enabled || (limit_class != NULL && strcmp(limit_class, "none") == 0))
		return true;

	roost_limit_address_parse(address, &parsed);
	if (roost_limit_policy_exempts(account_id, &parsed))
		return true;

	limit_subjects(&subjects, account_id, &parsed, address, target);
	limit_rules_add(&rules, "default", &subjects);
	if (limit_class != NULL && strcmp(limit_class, "default") != 0)
		limit_rules_add(&rules, limit_class, &subjects);
	return limit_take_rules(&rules, 1, state);
}

/*
 * Takes units of one class; see limit.h.
 */
bool
roost_limit_take(const char *limit_class, int64 account_id,
				 const char *address, const char *target, int64 cost, RoostLimitState *state)
{
	LimitSubjects subjects;
	LimitAddress parsed;
	LimitRules	rules = {.count = 0};

	if (state != NULL)
		memset(state, 0, sizeof(RoostLimitState));
	if (!limit_enabled)
		return true;

	roost_limit_address_parse(address, &parsed);
	if (roost_limit_policy_exempts(account_id, &parsed))
		return true;

	limit_subjects(&subjects, account_id, &parsed, address, target);
	limit_rules_add(&rules, limit_class, &subjects);
	return limit_take_rules(&rules, cost, state);
}

/*
 * Hashes what is known about the caller.  Of an IPv6 address the /64 counts,
 * since whoever has one address has all of them.
 */
static void
limit_subjects(LimitSubjects *subjects, int64 account_id,
			   const LimitAddress *address, const char *address_text, const char *target)
{
	memset(subjects, 0, sizeof(LimitSubjects));
	if (account_id != 0)
		subjects->account = limit_hash('a', &account_id, sizeof(account_id));
	if (address->family == 4)
		subjects->address = limit_hash('4', address->bytes, 4);
	else if (address->family == 6)
		subjects->address = limit_hash('6', address->bytes, 8);
	else if (address_text != NULL && address_text[0] != '\0')
		subjects->address = limit_hash('?', address_text, strlen(address_text));
	if (target != NULL)
		subjects->target = limit_hash('t', target, strlen(target));
}

static uint64
limit_hash(char kind, const void *data, Size length)
{
	uint64		hash = hash_bytes_extended(data, length, roost_limit_shared->seed + kind);

	return hash == 0 ? 1 : hash;
}

/*
 * Adds the policies of a class that apply.
 */
static void
limit_rules_add(LimitRules *rules, const char *class_name, const LimitSubjects *subjects)
{
	int			count;
	const LimitPolicy *policy = roost_limit_policy_class(class_name, &count);

	for (; count > 0 && rules->count < GCRA_RULES_MAX; count--, policy++)
	{
		uint64		subject = limit_subject(policy, subjects);

		if (subject == 0)
			continue;
		rules->policy[rules->count] = policy->id;
		rules->rules[rules->count++] = (GcraRule)
		{
			.key = limit_entry_key(policy->id, subject),
				.interval = policy->interval,
				.burst = policy->burst,
		};
	}
}

/*
 * Returns the hash of what a policy counts by, or 0 if that is not known.
 */
static uint64
limit_subject(const LimitPolicy *policy, const LimitSubjects *subjects)
{
	switch (policy->key)
	{
		case LIMIT_KEY_ACCOUNT:
			return subjects->account;
		case LIMIT_KEY_ADDRESS:
			return subjects->address;
		case LIMIT_KEY_ACCOUNT_OR_ADDRESS:
			return subjects->account != 0 ? subjects->account : subjects->address;
		case LIMIT_KEY_TARGET:
			return subjects->target;
	}
	return 0;
}

/*
 * Mixes policy and subject (both are hashes) into an entry's key.
 */
static uint64
limit_entry_key(uint64 policy, uint64 subject)
{
	uint64		key = (policy ^ (subject << 1 | subject >> 63)) * UINT64CONST(0x9e3779b97f4a7c15);

	key ^= key >> 32;
	return key == 0 ? 1 : key;
}

/*
 * Asks the table, and fills in the state.
 */
static bool
limit_take_rules(const LimitRules *rules, int64 cost, RoostLimitState *state)
{
	GcraTable	table = roost_limit_table();
	GcraResult	results[GCRA_RULES_MAX];
	bool		allowed;
	int			nearest;

	if (rules->count == 0)
		return true;

	allowed = roost_gcra_take(&table, rules->rules, rules->count, cost, roost_clock_us(), results);
	nearest = limit_nearest(rules, results, allowed);
	if (cost > 0)
		atomic_fetch_add_explicit(&roost_limit_shared->checks, 1, memory_order_relaxed);
	if (!allowed && cost > 0)
		limit_count_denied(rules->policy[nearest]);

	if (state != NULL)
	{
		state->limit = rules->rules[nearest].burst;
		state->remaining = results[nearest].remaining;
		state->reset = (results[nearest].reset + USECS_PER_SEC - 1) / USECS_PER_SEC;
		state->retry_after = (results[nearest].retry + USECS_PER_SEC - 1) / USECS_PER_SEC;
	}
	return allowed;
}

/*
 * Returns the rule that makes the caller wait longest, or else the one of
 * which the smallest part is left.
 */
static int
limit_nearest(const LimitRules *rules, const GcraResult *results, bool allowed)
{
	int			nearest = 0;

	for (int i = 1; i < rules->count; i++)
	{
		bool		nearer = allowed ?
		results[i].remaining * rules->rules[nearest].burst < results[nearest].remaining * rules->rules[i].burst :
		results[i].retry > results[nearest].retry;

		if (nearer)
			nearest = i;
	}
	return nearest;
}

/*
 * Counts a refusal, in total and for the policy if there is room.
 */
static void
limit_count_denied(uint64 policy)
{
	atomic_fetch_add_explicit(&roost_limit_shared->denied, 1, memory_order_relaxed);
	for (int i = 0; i < LIMIT_COUNTERS; i++)
	{
		LimitCounter *counter = &roost_limit_shared->counters[(policy + i) % LIMIT_COUNTERS];
		uint64_t	owner = 0;

		if (atomic_load(&counter->policy) != policy &&
			!atomic_compare_exchange_strong(&counter->policy, &owner, policy) && owner != policy)
			continue;
		atomic_fetch_add_explicit(&counter->denied, 1, memory_order_relaxed);
		return;
	}
}

/*
 * roost.limit_hit(class, account_id, address, target, cost) takes units and
 * says how things stand.
 */
Datum
roost_limit_hit(PG_FUNCTION_ARGS)
{
	char	   *class_name = limit_text_argument(fcinfo, 0);
	int64		account_id = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);
	char	   *address = limit_text_argument(fcinfo, 2);
	char	   *target = limit_text_argument(fcinfo, 3);
	int64		cost = PG_ARGISNULL(4) ? 1 : PG_GETARG_INT32(4);
	RoostLimitState state;
	TupleDesc	desc;
	Datum		values[5];
	bool		nulls[5] = {false};

	if (class_name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the class of a limit must not be null")));
	if (cost < 0 || cost > LIMIT_COST_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cost must be between 0 and %d", LIMIT_COST_MAX)));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	values[0] = BoolGetDatum(roost_limit_take(class_name, account_id, address, target, cost, &state));
	values[1] = Int64GetDatum(state.limit);
	values[2] = Int64GetDatum(state.remaining);
	values[3] = Int64GetDatum(state.reset);
	values[4] = Int64GetDatum(state.retry_after);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static char *
limit_text_argument(FunctionCallInfo fcinfo, int index)
{
	return PG_ARGISNULL(index) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(index));
}

/*
 * roost.limit_reset(class, account_id, address, target) forgets what has been
 * used; returns how many entries that were.
 */
Datum
roost_limit_reset(PG_FUNCTION_ARGS)
{
	char	   *class_name = limit_text_argument(fcinfo, 0);
	int64		account_id = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);
	char	   *address = limit_text_argument(fcinfo, 2);
	LimitAddress parsed;
	LimitSubjects subjects;
	const LimitPolicy *policy;
	int			count;
	int			forgotten = 0;

	roost_limit_address_parse(address, &parsed);
	limit_subjects(&subjects, account_id, &parsed, address, limit_text_argument(fcinfo, 3));
	policy = class_name != NULL ? roost_limit_policy_class(class_name, &count) :
		roost_limit_policy_all(&count);
	for (; count > 0; count--, policy++)
		forgotten += limit_forget(policy, &subjects);

	PG_RETURN_INT32(forgotten);
}

/*
 * Forgets a policy's entries of all that is known about the caller.
 */
static int
limit_forget(const LimitPolicy *policy, const LimitSubjects *subjects)
{
	GcraTable	table = roost_limit_table();
	LimitSubjects address_only = {.address = subjects->address};
	uint64		first = limit_subject(policy, subjects);
	uint64		second = limit_subject(policy, &address_only);
	int			forgotten = 0;

	if (first != 0)
		forgotten += roost_gcra_forget(&table, limit_entry_key(policy->id, first));
	if (second != 0 && second != first)
		forgotten += roost_gcra_forget(&table, limit_entry_key(policy->id, second));
	return forgotten;
}

/*
 * roost_internal.limit_stat() returns one row about the table of entries.
 */
Datum
roost_limit_stat(PG_FUNCTION_ARGS)
{
	GcraTable	table = roost_limit_table();
	int64		now = roost_clock_us();
	int64		live = 0;
	int64		dumped = atomic_load(&roost_limit_shared->dumped_us);
	TupleDesc	desc;
	Datum		values[7];
	bool		nulls[7] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	for (uint64 i = 0; i < table.size; i++)
		live += atomic_load_explicit(&table.entries[i].tat, memory_order_relaxed) > now;

	values[0] = BoolGetDatum(limit_enabled);
	values[1] = Int64GetDatum((int64) table.size);
	values[2] = Int64GetDatum(live);
	values[3] = Int64GetDatum((int64) atomic_load(&roost_limit_shared->checks));
	values[4] = Int64GetDatum((int64) atomic_load(&roost_limit_shared->denied));
	values[5] = Int64GetDatum((int64) atomic_load(&roost_limit_shared->evicted));
	nulls[6] = dumped == 0;
	values[6] = TimestampTzGetDatum(roost_clock_timestamp(dumped));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * roost_internal.limit_denied(class, name) returns how often a policy has
 * refused.
 */
Datum
roost_limit_denied(PG_FUNCTION_ARGS)
{
	uint64		policy = roost_limit_policy_id(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											   text_to_cstring(PG_GETARG_TEXT_PP(1)));

	for (int i = 0; i < LIMIT_COUNTERS; i++)
	{
		if (atomic_load(&roost_limit_shared->counters[i].policy) == policy)
			PG_RETURN_INT64((int64) atomic_load(&roost_limit_shared->counters[i].denied));
	}
	PG_RETURN_INT64(0);
}

static void
limit_define_gucs(void)
{
	DefineCustomBoolVariable("roost.limit_enabled",
							 "Turns the rate limits on.",
							 "Off, nothing is counted and everything allowed, for bulk work and benchmarks.",
							 &limit_enabled,
							 true,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("roost.limit_size",
							"Sets the memory for rate limits.",
							"16 bytes for each policy and account or address that has used something lately, rounded down to a power of two.",
							&limit_size,
							LIMIT_SIZE_DEFAULT,
							LIMIT_SIZE_MIN,
							LIMIT_SIZE_MAX,
							PGC_POSTMASTER,
							GUC_UNIT_KB,
							NULL, NULL, NULL);
}

/*
 * Returns the number of entries that fit into roost.limit_size.
 */
static uint64
limit_entries(void)
{
	return (uint64) 1 << pg_leftmost_one_pos64((uint64) limit_size * 1024 / sizeof(GcraEntry));
}

static Size
limit_shmem_size(void)
{
	return add_size(sizeof(LimitShared) + PG_CACHE_LINE_SIZE,
					mul_size(limit_entries(), sizeof(GcraEntry)));
}

static void
limit_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	roost_limit_shared = area;
	if (found)
		return;
	memset(area, 0, limit_shmem_size());
	if (!pg_strong_random(&roost_limit_shared->seed, sizeof(uint64)))
		elog(ERROR, "could not generate random values");
	roost_limit_store_init();
}

static void
limit_init(void)
{
	roost_limit_policy_init();
}

const RoostModule roost_limit_module = {
	.name = "roost limit",
	.define_gucs = limit_define_gucs,
	.shmem_size = limit_shmem_size,
	.shmem_init = limit_shmem_init,
	.init = limit_init,
};
