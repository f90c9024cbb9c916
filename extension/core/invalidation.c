/*-------------------------------------------------------------------------
 *
 * invalidation.c
 *		One relcache callback for all modules.
 *
 * PostgreSQL has room for ten such callbacks in a backend, so the library
 * takes one and hands it on.  Modules register once, in their init function;
 * that runs in the postmaster and backends inherit the list.
 *
 * A change of a table's rows is no change of the relation.  Small tables that
 * are cached whole announce it as one, by a statement trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/inval.h"

#include "core/invalidation.h"

PG_FUNCTION_INFO_V1(roost_relation_changed);

#define INVALIDATION_CALLBACKS_MAX	32

static RoostRelationCallback invalidation_callbacks[INVALIDATION_CALLBACKS_MAX];
static int	invalidation_count = 0;

static void invalidation_relcache_callback(Datum arg, Oid relid);

/*
 * Calls the given function whenever a relation may have changed.  It must not
 * fail, and may not look at any table.
 */
void
roost_invalidation_register(RoostRelationCallback callback)
{
	if (invalidation_count == INVALIDATION_CALLBACKS_MAX)
		elog(ERROR, "too many invalidation callbacks");
	if (invalidation_count == 0)
		CacheRegisterRelcacheCallback(invalidation_relcache_callback, (Datum) 0);
	invalidation_callbacks[invalidation_count++] = callback;
}

static void
invalidation_relcache_callback(Datum arg, Oid relid)
{
	for (int i = 0; i < invalidation_count; i++)
		invalidation_callbacks[i] (relid);
}

/*
 * roost_internal.relation_changed(), a trigger, announces a change of its
 * table to all backends, when the transaction commits.
 */
Datum
roost_relation_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("roost_internal.relation_changed() must be a trigger")));

	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}
