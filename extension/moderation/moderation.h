/*-------------------------------------------------------------------------
 *
 * moderation.h
 *		What the files of the module share inside the server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_H
#define ROOST_MODERATION_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "funcapi.h"

#include "core/compat.h"
#include "moderation/fold.h"

#define MODERATION_COLUMNS_MAX	6

/* A small table that a backend keeps whole */
typedef struct ModerationTable
{
	const char *name;
	const char *columns[MODERATION_COLUMNS_MAX];	/* that are read */

	/* set when it is read */
	Oid			relid;
	bool		loaded;
	MemoryContext context;
} ModerationTable;

/* Takes one row: the columns in order. */
typedef void (*ModerationRow) (const Datum *values, const bool *nulls, void *arg);

extern ModerationTable roost_moderation_word_table;
extern ModerationTable roost_moderation_host_table;
extern ModerationTable roost_moderation_weight_table;

extern bool roost_moderation_table_begin(ModerationTable *table);
extern void roost_moderation_table_read(ModerationTable *table, ModerationRow row, void *arg);
extern FoldGlyph *roost_moderation_glyphs(const text *value, FoldForm form, size_t *n);
extern TupleDesc roost_moderation_desc(FunctionCallInfo fcinfo);

#endif							/* ROOST_MODERATION_H */
