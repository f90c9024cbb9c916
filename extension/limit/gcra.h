/*-------------------------------------------------------------------------
 *
 * gcra.h
 *		The generic cell rate algorithm over a fixed table, without locks.
 *		Plain C: knows nothing of PostgreSQL, so that it is tested without.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_GCRA_H
#define ROOST_GCRA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A key may be anywhere in one block, which is four cache lines. */
#define GCRA_BLOCK		16
/* so many rules at once */
#define GCRA_RULES_MAX	32

typedef struct GcraEntry
{
	_Atomic uint64_t key;		/* 0: never used */
	_Atomic int64_t tat;		/* theoretical arrival time, µs since 1970 */
} GcraEntry;

typedef struct GcraTable
{
	GcraEntry  *entries;
	uint64_t	size;			/* a power of two, at least GCRA_BLOCK */
	_Atomic uint64_t *evicted;	/* counts live entries that gave way */
} GcraTable;

/* One key and its limit: `burst` units at once, then one every `interval`. */
typedef struct GcraRule
{
	uint64_t	key;			/* not 0 */
	int64_t		interval;		/* µs */
	int64_t		burst;
} GcraRule;

typedef struct GcraResult
{
	bool		allowed;
	int64_t		remaining;		/* units left */
	int64_t		reset;			/* µs until all of them are back */
	int64_t		retry;			/* µs until the units asked for are there */
} GcraResult;

extern bool roost_gcra_take(const GcraTable *table, const GcraRule *rules, int count,
							int64_t cost, int64_t now, GcraResult *results);
extern bool roost_gcra_forget(const GcraTable *table, uint64_t key);
extern bool roost_gcra_restore(const GcraTable *table, uint64_t key, int64_t tat, int64_t now);

#endif							/* ROOST_GCRA_H */
