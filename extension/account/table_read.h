/*-------------------------------------------------------------------------
 *
 * table_read.h
 *		Reads a small table of roost_data without SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TABLE_READ_H
#define ROOST_TABLE_READ_H

#include "access/genam.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef struct RoostTableRead
{
	Relation	relation;
	SysScanDesc scan;
	Snapshot	snapshot;
} RoostTableRead;

extern bool roost_table_read_begin(RoostTableRead *read, const char *table, int num_keys, ScanKey keys);
extern HeapTuple roost_table_read_next(RoostTableRead *read);
extern void roost_table_read_end(RoostTableRead *read);

#endif							/* ROOST_TABLE_READ_H */
