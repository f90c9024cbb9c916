/*-------------------------------------------------------------------------
 *
 * items.h
 *		Results written straight as JSON.
 *
 * A C function that returns rows may be asked for them by a request that only
 * wants to see them as JSON.  Then it may write that itself and return nothing:
 *
 *	- the function behind a built-in route, called by the request itself;
 *	- a set-returning function of the same row type that the function behind a
 *	  built-in route calls, if that returns its rows as they are.
 *
 * What is written must be what core/json.c writes of the same rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_ITEMS_H
#define ROOST_ITEMS_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"

typedef struct ApiRequest RoostItems;

/* Returns where to write the rows of a set, or NULL: return them. */
extern RoostItems *roost_items_begin(FunctionCallInfo fcinfo);

/*
 * Returns what to append the next row to, or NULL: the page is full.  There
 * must be a next row.
 */
extern StringInfo roost_items_next(RoostItems *items);

/* The row has been appended; its position is the given one. */
extern void roost_items_end(RoostItems *items, int64 cursor);

/*
 * Returns what to append the one result of a function to, or NULL: return it.
 * Who has appended it returns NULL.
 */
extern StringInfo roost_items_value(FunctionCallInfo fcinfo);

#endif							/* ROOST_ITEMS_H */
