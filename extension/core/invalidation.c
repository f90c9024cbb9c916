/*-------------------------------------------------------------------------
 *
 * invalidation.c
 *		One relcache callback for all modules.
 *
 * PostgreSQL has room for ten such callbacks in a backend, so the library
 * takes one and hands it on.  Modules register once, in their init function;
 * that runs in the postmaster and backends inherit the list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/inval.h"

#include "core/invalidation.h"

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
