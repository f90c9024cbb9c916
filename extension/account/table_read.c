/*-------------------------------------------------------------------------
 *
 * table_read.c
 *		Reads a small table of roost_data without SQL.
 *
 * Some functions that anybody may call need rows that nobody may read:
 * signing keys, revocations.  They see what has committed by now, also in a
 * transaction whose snapshot is older.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "account/table_read.h"

/*
 * Begins to read a table; false when there is no such table.  With keys, its
 * primary key's index is used, whose columns they must name.
 */
bool
roost_table_read_begin(RoostTableRead *read, const char *table, int num_keys, ScanKey keys)
{
	Oid			schema = get_namespace_oid("roost_data", true);
	Oid			relid = OidIsValid(schema) ? get_relname_relid(table, schema) : InvalidOid;
	Oid			index = InvalidOid;

	if (!OidIsValid(relid))
		return false;
	read->relation = table_open(relid, AccessShareLock);
	if (num_keys > 0)
		index = RelationGetPrimaryKeyIndex(read->relation);
	read->snapshot = RegisterSnapshot(IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot());
	read->scan = systable_beginscan(read->relation, index, OidIsValid(index), read->snapshot, num_keys, keys);
	return true;
}

/*
 * Returns the next row, or NULL.
 */
HeapTuple
roost_table_read_next(RoostTableRead *read)
{
	return systable_getnext(read->scan);
}

/*
 * Ends reading.
 */
void
roost_table_read_end(RoostTableRead *read)
{
	systable_endscan(read->scan);
	UnregisterSnapshot(read->snapshot);
	table_close(read->relation, AccessShareLock);
}
