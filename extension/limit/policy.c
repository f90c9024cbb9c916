/*-------------------------------------------------------------------------
 *
 * policy.c
 *		Policies and exemptions, as a backend keeps them.
 *
 * Both tables are small, so a backend reads them whole when it first needs
 * them and again after a change: a statement trigger on each table announces
 * it as a change of the relation.  They are read with the newest snapshot and
 * without regard to the caller's rights, who need not have any.  Where the
 * tables are missing there are no policies.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "core/invalidation.h"
#include "limit/policy.h"

typedef struct LimitNetwork
{
	int			family;
	int			bits;
	unsigned char bytes[16];
} LimitNetwork;

static MemoryContext policy_context = NULL;
static bool policy_loaded = false;
static Oid	policy_relation = InvalidOid;
static Oid	exemption_relation = InvalidOid;

/* sorted by class */
static LimitPolicy *policies = NULL;
static int	num_policies = 0;

/* sorted */
static int64 *exempt_accounts = NULL;
static int	num_exempt_accounts = 0;
static LimitNetwork *exempt_networks = NULL;
static int	num_exempt_networks = 0;

static void policy_relation_changed(Oid relid);
static void policy_load(void);
static void policy_scan(Oid relid, void (*row) (HeapTuple tuple, TupleDesc desc, Oid relid));
static void policy_row(HeapTuple tuple, TupleDesc desc, Oid relid);
static void exemption_row(HeapTuple tuple, TupleDesc desc, Oid relid);
static void *policy_grow(void *array, int count, Size size);
static Datum policy_column(HeapTuple tuple, TupleDesc desc, Oid relid, const char *name, bool *isnull);
static LimitKey policy_key(const char *name);
static int	policy_compare(const void *a, const void *b);
static int	account_compare(const void *a, const void *b);

/*
 * Registers for changes of the tables.
 */
void
roost_limit_policy_init(void)
{
	roost_invalidation_register(policy_relation_changed);
}

static void
policy_relation_changed(Oid relid)
{
	/* while a table is missing, any new one may be it */
	if (!OidIsValid(relid) || relid == policy_relation || relid == exemption_relation ||
		!OidIsValid(policy_relation) || !OidIsValid(exemption_relation))
		policy_loaded = false;
}

/*
 * Returns the policies of a class, and how many there are.
 */
const LimitPolicy *
roost_limit_policy_class(const char *class_name, int *count)
{
	int			low = 0;
	int			high;

	policy_load();

	/* the first that is not below the class */
	for (high = num_policies; low < high;)
	{
		int			middle = (low + high) / 2;

		if (strcmp(policies[middle].class_name, class_name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*count = 0; low + *count < num_policies; (*count)++)
	{
		if (strcmp(policies[low + *count].class_name, class_name) != 0)
			break;
	}
	return policies + low;
}

/*
 * Returns all policies, and how many there are.
 */
const LimitPolicy *
roost_limit_policy_all(int *count)
{
	policy_load();
	*count = num_policies;
	return policies;
}

/*
 * Returns whether an account or an address is exempt from all limits.
 */
bool
roost_limit_policy_exempts(int64 account_id, const LimitAddress *address)
{
	policy_load();

	if (account_id != 0 && num_exempt_accounts > 0 &&
		bsearch(&account_id, exempt_accounts, num_exempt_accounts, sizeof(int64), account_compare))
		return true;

	for (int i = 0; i < num_exempt_networks && address->family != 0; i++)
	{
		const LimitNetwork *network = &exempt_networks[i];

		if (network->family == address->family &&
			bitncmp(network->bytes, address->bytes, network->bits) == 0)
			return true;
	}
	return false;
}

/*
 * Reads an address as the gateway writes it.  An IPv4 address mapped into
 * IPv6 is the IPv4 address.
 */
void
roost_limit_address_parse(const char *text, LimitAddress *address)
{
	static const unsigned char mapped[12] = {[10] = 0xff,[11] = 0xff};

	memset(address, 0, sizeof(LimitAddress));
	if (text == NULL)
		return;
	if (inet_pton(AF_INET, text, address->bytes) == 1)
		address->family = 4;
	else if (inet_pton(AF_INET6, text, address->bytes) == 1)
	{
		address->family = 6;
		if (memcmp(address->bytes, mapped, sizeof(mapped)) == 0)
		{
			address->family = 4;
			memmove(address->bytes, address->bytes + 12, 4);
			memset(address->bytes + 4, 0, 12);
		}
	}
}

/*
 * Returns what distinguishes a policy's entries from those of the others,
 * also of other databases.
 */
uint64
roost_limit_policy_id(const char *class_name, const char *name)
{
	uint64		id = hash_bytes_extended((const unsigned char *) class_name, strlen(class_name), MyDatabaseId);

	return hash_bytes_extended((const unsigned char *) name, strlen(name), id);
}

/*
 * Reads the tables, unless what we have is still good.
 */
static void
policy_load(void)
{
	Oid			schema;

	if (policy_loaded)
		return;

	if (policy_context == NULL)
		policy_context = AllocSetContextCreate(TopMemoryContext, "roost limit policies",
											   ALLOCSET_SMALL_SIZES);
	num_policies = num_exempt_accounts = num_exempt_networks = 0;
	policies = NULL;
	exempt_accounts = NULL;
	exempt_networks = NULL;
	MemoryContextReset(policy_context);

	schema = get_namespace_oid("roost_data", true);
	policy_relation = OidIsValid(schema) ? get_relname_relid("limit_policy", schema) : InvalidOid;
	exemption_relation = OidIsValid(schema) ? get_relname_relid("limit_exemption", schema) : InvalidOid;

	/* a change that we learn of while reading makes us read again */
	policy_loaded = true;
	if (OidIsValid(policy_relation))
		policy_scan(policy_relation, policy_row);
	if (OidIsValid(exemption_relation))
		policy_scan(exemption_relation, exemption_row);

	if (num_policies > 0)
		qsort(policies, num_policies, sizeof(LimitPolicy), policy_compare);
	if (num_exempt_accounts > 0)
		qsort(exempt_accounts, num_exempt_accounts, sizeof(int64), account_compare);
}

/*
 * Calls a function for every row of a table.
 */
static void
policy_scan(Oid relid, void (*row) (HeapTuple tuple, TupleDesc desc, Oid relid))
{
	Relation	rel = table_open(relid, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	MemoryContext old = MemoryContextSwitchTo(policy_context);
	HeapTuple	tuple;

	PG_TRY();
	{
		while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
			row(tuple, RelationGetDescr(rel), relid);
	}
	PG_CATCH();
	{
		policy_loaded = false;
		PG_RE_THROW();
	}
	PG_END_TRY();

	MemoryContextSwitchTo(old);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
}

static void
policy_row(HeapTuple tuple, TupleDesc desc, Oid relid)
{
	bool		isnull;
	LimitPolicy *policy;
	Interval   *period;
	int64		units;

	if (!DatumGetBool(policy_column(tuple, desc, relid, "enabled", &isnull)))
		return;

	policies = policy_grow(policies, num_policies, sizeof(LimitPolicy));
	policy = &policies[num_policies++];
	strlcpy(policy->class_name,
			TextDatumGetCString(policy_column(tuple, desc, relid, "class", &isnull)), LIMIT_NAME_LENGTH);
	strlcpy(policy->name,
			TextDatumGetCString(policy_column(tuple, desc, relid, "name", &isnull)), LIMIT_NAME_LENGTH);
	policy->id = roost_limit_policy_id(policy->class_name, policy->name);
	policy->key = policy_key(TextDatumGetCString(policy_column(tuple, desc, relid, "key", &isnull)));

	units = DatumGetInt32(policy_column(tuple, desc, relid, "limit", &isnull));
	period = DatumGetIntervalP(policy_column(tuple, desc, relid, "period", &isnull));
	policy->interval = Max((period->time + period->day * USECS_PER_DAY +
							period->month * (DAYS_PER_MONTH * USECS_PER_DAY)) / units, 1);
	policy->burst = DatumGetInt32(policy_column(tuple, desc, relid, "burst", &isnull));
}

static void
exemption_row(HeapTuple tuple, TupleDesc desc, Oid relid)
{
	bool		isnull;
	Datum		value;

	value = policy_column(tuple, desc, relid, "account_id", &isnull);
	if (!isnull)
	{
		exempt_accounts = policy_grow(exempt_accounts, num_exempt_accounts, sizeof(int64));
		exempt_accounts[num_exempt_accounts++] = DatumGetInt64(value);
	}

	value = policy_column(tuple, desc, relid, "network", &isnull);
	if (!isnull)
	{
		inet	   *network = DatumGetInetPP(value);
		LimitNetwork *kept;

		exempt_networks = policy_grow(exempt_networks, num_exempt_networks, sizeof(LimitNetwork));
		kept = &exempt_networks[num_exempt_networks++];
		kept->family = ip_family(network) == PGSQL_AF_INET ? 4 : 6;
		kept->bits = ip_bits(network);
		memcpy(kept->bytes, ip_addr(network), ip_addrsize(network));
	}
}

/*
 * Returns an array with room for one more; it grows at powers of two.
 */
static void *
policy_grow(void *array, int count, Size size)
{
	if (array == NULL)
		return palloc0(size);
	if ((count & (count - 1)) == 0)
		return repalloc(array, mul_size(size, count * 2));
	return array;
}

static Datum
policy_column(HeapTuple tuple, TupleDesc desc, Oid relid, const char *name, bool *isnull)
{
	AttrNumber	attribute = get_attnum(relid, name);

	if (attribute == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", name, get_rel_name(relid)),
				 errhint("Run SELECT roost.install().")));
	return heap_getattr(tuple, attribute, desc, isnull);
}

static LimitKey
policy_key(const char *name)
{
	if (strcmp(name, "account") == 0)
		return LIMIT_KEY_ACCOUNT;
	if (strcmp(name, "address") == 0)
		return LIMIT_KEY_ADDRESS;
	if (strcmp(name, "target") == 0)
		return LIMIT_KEY_TARGET;
	return LIMIT_KEY_ACCOUNT_OR_ADDRESS;
}

static int
policy_compare(const void *a, const void *b)
{
	const LimitPolicy *left = a;
	const LimitPolicy *right = b;
	int			order = strcmp(left->class_name, right->class_name);

	return order != 0 ? order : strcmp(left->name, right->name);
}

static int
account_compare(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return (left > right) - (left < right);
}
