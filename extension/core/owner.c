/*-------------------------------------------------------------------------
 *
 * owner.c
 *		Takes the rights of a function's owner where they are needed.
 *
 * What SECURITY DEFINER SET search_path = pg_catalog, pg_temp does for a whole
 * function, and which takes more time than many a trigger: at the end of each
 * call PostgreSQL looks through all settings.  A trigger that rarely executes a
 * statement does this around the statements alone.  An error takes it back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/syscache.h"

#include "core/owner.h"

/*
 * From here on statements of SPI have the rights of the function's owner, and
 * find names in pg_catalog alone.  Nothing happens if that is so already.
 */
void
roost_owner_begin(RoostOwner *owner, Oid function)
{
	HeapTuple	tuple;

	if (owner->begun)
		return;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	GetUserIdAndSecContext(&owner->user, &owner->context);
	SetUserIdAndSecContext(((Form_pg_proc) GETSTRUCT(tuple))->proowner, owner->context | SECURITY_LOCAL_USERID_CHANGE);
	ReleaseSysCache(tuple);
	owner->settings = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", superuser() ? PGC_SUSET : PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	SPI_connect();
	owner->begun = true;
}

/*
 * Gives the rights back, if they were taken.
 */
void
roost_owner_end(RoostOwner *owner)
{
	if (!owner->begun)
		return;
	SPI_finish();
	AtEOXact_GUC(true, owner->settings);
	SetUserIdAndSecContext(owner->user, owner->context);
	owner->begun = false;
}
