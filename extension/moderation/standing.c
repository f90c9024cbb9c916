/*-------------------------------------------------------------------------
 *
 * standing.c
 *		What is known about an account whose text is judged.
 *
 * Each table is read when it is first needed, which for most posts is never:
 * policies look at the scores first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "account/table_read.h"
#include "core/clock.h"
#include "moderation/setting.h"
#include "moderation/standing.h"
#include "moderation/threshold.h"

static void standing_read_row(AccountStanding *account);
static void standing_read_counts(AccountStanding *account);
static void standing_read_burden(AccountStanding *account);
static bool standing_begin(RoostTableRead *read, const char *table, int64 account_id);
static Datum standing_column(RoostTableRead *read, HeapTuple tuple, const char *name);

/*
 * Returns how long the account has been there, in microseconds; one that is
 * not there yet is as new as can be.
 */
int64
roost_standing_age(AccountStanding *account)
{
	standing_read_row(account);
	return account->age;
}

/*
 * Returns whether policies for new accounts apply.
 */
bool
roost_standing_is_new(AccountStanding *account)
{
	if (roost_standing_age(account) < roost_moderation_new_account_age * USECS_PER_SEC)
		return true;
	if (roost_moderation_new_account_posts == 0)
		return false;
	standing_read_counts(account);
	return account->posts < roost_moderation_new_account_posts;
}

int64
roost_standing_followers(AccountStanding *account)
{
	standing_read_counts(account);
	return account->followers;
}

/*
 * Returns whether the account's role is one of a list.
 */
bool
roost_standing_has_role(AccountStanding *account, char **roles, int num_roles)
{
	if (num_roles == 0)
		return false;
	standing_read_row(account);
	for (int i = 0; i < num_roles && account->exists; i++)
	{
		if (strcmp(account->role, roles[i]) == 0)
			return true;
	}
	return false;
}

bool
roost_standing_is_verified(AccountStanding *account)
{
	standing_read_row(account);
	return account->is_verified;
}

/*
 * Returns a reputation that the account's is not below, for less than that
 * one costs.
 */
double
roost_standing_worst(AccountStanding *account)
{
	standing_read_burden(account);
	return roost_reputation(0, account->burden);
}

/*
 * Returns the account's reputation.
 */
double
roost_standing_reputation(AccountStanding *account)
{
	standing_read_row(account);
	standing_read_counts(account);
	standing_read_burden(account);
	return roost_reputation(roost_reputation_standing((double) account->age / USECS_PER_DAY, account->posts), account->burden);
}

static void
standing_read_row(AccountStanding *account)
{
	RoostTableRead read;
	HeapTuple	tuple;

	if (account->row_read)
		return;
	account->row_read = true;
	if (!standing_begin(&read, "account", account->account_id))
		return;
	tuple = roost_table_read_next(&read);
	if (tuple != NULL)
	{
		account->exists = true;
		account->age = roost_clock_us() -
			roost_clock_from_timestamp(DatumGetTimestampTz(standing_column(&read, tuple, "created_at")));
		account->is_verified = DatumGetBool(standing_column(&read, tuple, "is_verified"));
		strlcpy(account->role, TextDatumGetCString(standing_column(&read, tuple, "role")), STANDING_ROLE_LENGTH);
	}
	roost_table_read_end(&read);
}

static void
standing_read_counts(AccountStanding *account)
{
	RoostTableRead read;
	HeapTuple	tuple;

	if (account->counts_read)
		return;
	account->counts_read = true;
	if (!standing_begin(&read, "account_stat", account->account_id))
		return;
	while ((tuple = roost_table_read_next(&read)) != NULL)
	{
		account->posts += DatumGetInt64(standing_column(&read, tuple, "post_count"));
		account->followers += DatumGetInt64(standing_column(&read, tuple, "follower_count"));
	}
	roost_table_read_end(&read);
}

/*
 * Sums up what speaks against the account; see sql/moderation/reputation.sql.
 */
static void
standing_read_burden(AccountStanding *account)
{
	RoostTableRead read;
	HeapTuple	tuple;

	if (account->burden_read)
		return;
	account->burden_read = true;
	if (!standing_begin(&read, "account_reputation", account->account_id))
		return;
	while ((tuple = roost_table_read_next(&read)) != NULL)
	{
		double		weight = DatumGetFloat8(standing_column(&read, tuple, "weight"));
		int64		age = roost_clock_us() -
		roost_clock_from_timestamp(DatumGetTimestampTz(standing_column(&read, tuple, "updated_at")));

		weight *= exp2(-Max(age, 0) / ((double) roost_moderation_half_life * USECS_PER_SEC));
		if (strcmp(TextDatumGetCString(standing_column(&read, tuple, "kind")), "filter") == 0)
			weight = Min(weight, 1);
		account->burden += weight;
	}
	roost_table_read_end(&read);
}

/*
 * Begins to read the rows of an account; false if there cannot be any.
 */
static bool
standing_begin(RoostTableRead *read, const char *table, int64 account_id)
{
	ScanKeyData key;

	if (account_id == 0)
		return false;
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(account_id));
	return roost_table_read_begin(read, table, 1, &key);
}

static Datum
standing_column(RoostTableRead *read, HeapTuple tuple, const char *name)
{
	bool		isnull;
	AttrNumber	attribute = get_attnum(RelationGetRelid(read->relation), name);
	Datum		value = attribute == InvalidAttrNumber ? (isnull = true, (Datum) 0) :
	heap_getattr(tuple, attribute, RelationGetDescr(read->relation), &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("relation \"%s\" has no column \"%s\"", RelationGetRelationName(read->relation), name),
				 errhint("Run SELECT roost.install().")));
	return value;
}
