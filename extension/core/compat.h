/*-------------------------------------------------------------------------
 *
 * compat.h
 *		What differs between the versions of PostgreSQL, 15 to 17.
 *
 * The newest spelling is the one to write; here it is made true for the
 * older versions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_COMPAT_H
#define ROOST_COMPAT_H

#include "postgres.h"
#include "common/jsonapi.h"

/* 16 took the macros of variable-length values out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 16 let the actions of the JSON parser return errors. */
#if PG_VERSION_NUM >= 160000
typedef JsonParseErrorType RoostJsonAction;
#define ROOST_JSON_ACTION_DONE() return JSON_SUCCESS
#else
typedef void RoostJsonAction;
#define ROOST_JSON_ACTION_DONE() return
#endif

/* 17 took the lexer's memory as its first argument, and text that it leaves alone. */
#if PG_VERSION_NUM < 170000
#define makeJsonLexContextCstringLen(lex, json, len, encoding, need_escapes) \
	makeJsonLexContextCstringLen(unconstify(char *, json), len, encoding, need_escapes)
#endif

/* 17 renamed what holds the next transaction id. */
#if PG_VERSION_NUM < 170000
#define TransamVariables ShmemVariableCache
#endif

/* 17 lets an index keep something until it is told that the last row is in. */
#if PG_VERSION_NUM < 170000
#define index_insert_cleanup(index, info) ((void) 0)
#endif

/* 16 tells which indexes need a new version of a row; before it was all or none. */
#if PG_VERSION_NUM >= 160000
#define RoostUpdateIndexes TU_UpdateIndexes
#define ROOST_UPDATE_NO_INDEX TU_None
#else
#define RoostUpdateIndexes bool
#define ROOST_UPDATE_NO_INDEX false
#endif

#endif							/* ROOST_COMPAT_H */
