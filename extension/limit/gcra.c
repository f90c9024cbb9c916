/*-------------------------------------------------------------------------
 *
 * gcra.c
 *		The generic cell rate algorithm over a fixed table, without locks.
 *
 * Kept for each key is its theoretical arrival time (TAT): when the bucket
 * will be full again.  Taking a unit moves it one interval on; it may lie at
 * most `burst` intervals ahead of now.  So an entry whose TAT has passed says
 * the same as no entry, and may be taken over by another key at any time:
 * that is the whole eviction.
 *
 * The table is 16-way associative: a key lives anywhere in one block.  If no
 * entry of the block is free or expired, the one that expires first gives way
 * (it is forgiven its debt), which is counted.
 *
 * Key and TAT are two words, each changed by compare and swap.  When an entry
 * changes hands while somebody counts on it, the unit is taken back and the
 * key looked up again; for that moment the new key may seem to have one unit
 * less.  Two backends that enter one key at the same time choose the same
 * entry, unless another one of the block expires in between; then the key has
 * two, of which only the first counts from then on.
 *
 * A TAT further ahead than the burst allows comes from a clock that has
 * stepped back, or from a limit that was made smaller; it is moved to just
 * that far when somebody looks at it.
 *
 *-------------------------------------------------------------------------
 */
#include "limit/gcra.h"

#include <stddef.h>
#include <stdint.h>

static GcraEntry *gcra_block(const GcraTable *table, uint64_t key);
static void gcra_prefetch(const GcraTable *table, uint64_t key);
static int64_t gcra_tat(const GcraRule *rule, GcraEntry *entry, int64_t now);
static void gcra_look(const GcraRule *rule, int64_t tat, int64_t cost, int64_t now,
					  GcraResult *result);
static bool gcra_consume(const GcraTable *table, const GcraRule *rule, GcraEntry **entry,
						 int64_t cost, int64_t now, GcraResult *result);
static GcraEntry *gcra_find(const GcraTable *table, uint64_t key);
static GcraEntry *gcra_enter(const GcraTable *table, uint64_t key, int64_t now);
static GcraEntry *gcra_victim(GcraEntry *block, int64_t now, uint64_t *owner, int64_t *tat);

/*
 * Takes `cost` units of every rule, or of none if one of them has not enough.
 * Returns whether it took them.  A cost of 0 only looks.
 */
bool
roost_gcra_take(const GcraTable *table, const GcraRule *rules, int count,
				int64_t cost, int64_t now, GcraResult *results)
{
	GcraEntry  *entries[GCRA_RULES_MAX];
	bool		allowed = count <= GCRA_RULES_MAX;
	int			taken = 0;

	for (int i = 0; i < count && allowed; i++)
		gcra_prefetch(table, rules[i].key);

	for (int i = 0; i < count && i < GCRA_RULES_MAX; i++)
	{
		entries[i] = gcra_find(table, rules[i].key);
		gcra_look(&rules[i], gcra_tat(&rules[i], entries[i], now), cost, now, &results[i]);
		allowed &= results[i].allowed;
	}
	if (!allowed || cost == 0)
		return allowed;

	while (taken < count &&
		   gcra_consume(table, &rules[taken], &entries[taken], cost, now, &results[taken]))
		taken++;
	if (taken == count)
		return true;

	/* somebody else was faster with the last unit: give the others back */
	while (taken-- > 0)
		atomic_fetch_sub(&entries[taken]->tat, cost * rules[taken].interval);
	return false;
}

/*
 * Forgets what a key has used; returns whether it was known.
 */
bool
roost_gcra_forget(const GcraTable *table, uint64_t key)
{
	GcraEntry  *entry = gcra_find(table, key);

	if (entry != NULL)
		atomic_store(&entry->tat, 0);
	return entry != NULL;
}

/*
 * Puts a saved entry back; returns whether it was still worth it.
 */
bool
roost_gcra_restore(const GcraTable *table, uint64_t key, int64_t tat, int64_t now)
{
	if (key == 0 || tat <= now)
		return false;
	atomic_store(&gcra_enter(table, key, now)->tat, tat);
	return true;
}

/*
 * Returns the block in which a key may be.
 */
static GcraEntry *
gcra_block(const GcraTable *table, uint64_t key)
{
	return &table->entries[key & (table->size - 1) & ~(uint64_t) (GCRA_BLOCK - 1)];
}

/*
 * Brings the cache lines of a key's block closer.
 */
static void
gcra_prefetch(const GcraTable *table, uint64_t key)
{
	const GcraEntry *block = gcra_block(table, key);

	for (int i = 0; i < GCRA_BLOCK; i += 4)
		__builtin_prefetch(&block[i]);
}

/*
 * Returns the TAT of an entry, which may be NULL, no further ahead than the
 * rule allows.
 */
static int64_t
gcra_tat(const GcraRule *rule, GcraEntry *entry, int64_t now)
{
	int64_t		last = now + rule->burst * rule->interval;
	int64_t		tat = entry != NULL ? atomic_load(&entry->tat) : now;

	while (tat > last && !atomic_compare_exchange_weak(&entry->tat, &tat, last))
		;
	return tat > last ? last : tat;
}

/*
 * Fills in what a rule says to `cost` more units.  More than the burst are
 * never there; asking for one more than it says so, without an overflow.
 */
static void
gcra_look(const GcraRule *rule, int64_t tat, int64_t cost, int64_t now, GcraResult *result)
{
	int64_t		room = rule->burst * rule->interval;
	int64_t		asked = (cost > rule->burst ? rule->burst + 1 : cost) * rule->interval;
	int64_t		used = tat > now ? tat - now : 0;

	result->allowed = used + asked <= room;
	result->retry = result->allowed ? 0 : used + asked - room;
	if (result->allowed)
		used += asked;
	result->remaining = (room - used) / rule->interval;
	result->reset = used;
}

/*
 * Takes units of one rule; returns false if they are not there.  *entry is
 * where the key was found, or NULL; then where the units were taken.
 */
static bool
gcra_consume(const GcraTable *table, const GcraRule *rule, GcraEntry **entry,
			 int64_t cost, int64_t now, GcraResult *result)
{
	for (;;)
	{
		int64_t		tat;

		if (*entry == NULL)
			*entry = gcra_enter(table, rule->key, now);

		tat = gcra_tat(rule, *entry, now);
		do
		{
			gcra_look(rule, tat, cost, now, result);
			if (!result->allowed)
				return false;
		} while (!atomic_compare_exchange_weak(&(*entry)->tat, &tat, now + result->reset));

		if (atomic_load(&(*entry)->key) == rule->key)
			return true;

		/* it changed hands in between */
		atomic_fetch_sub(&(*entry)->tat, cost * rule->interval);
		*entry = gcra_find(table, rule->key);
	}
}

/*
 * Returns the entry of a key, or NULL.  Entries are used from the front of
 * the block and never become unused again.
 */
static GcraEntry *
gcra_find(const GcraTable *table, uint64_t key)
{
	GcraEntry  *block = gcra_block(table, key);

	for (int i = 0; i < GCRA_BLOCK; i++)
	{
		uint64_t	found = atomic_load_explicit(&block[i].key, memory_order_relaxed);

		if (found == key)
			return &block[i];
		if (found == 0)
			return NULL;
	}
	return NULL;
}

/*
 * Returns the entry of a key, making one if there is none.
 */
static GcraEntry *
gcra_enter(const GcraTable *table, uint64_t key, int64_t now)
{
	for (;;)
	{
		GcraEntry  *entry = gcra_find(table, key);
		uint64_t	owner;
		int64_t		tat;

		if (entry != NULL)
			return entry;

		entry = gcra_victim(gcra_block(table, key), now, &owner, &tat);
		if (!atomic_compare_exchange_strong(&entry->key, &owner, key))
			continue;
		if (tat > now)
		{
			atomic_fetch_add(table->evicted, 1);
			atomic_compare_exchange_strong(&entry->tat, &tat, now);
		}
		return entry;
	}
}

/*
 * Returns the first entry of a block that is unused or has expired, otherwise
 * the one that expires first; with what stands in it.
 */
static GcraEntry *
gcra_victim(GcraEntry *block, int64_t now, uint64_t *owner, int64_t *tat)
{
	GcraEntry  *victim = block;

	*owner = 0;
	*tat = INT64_MAX;
	for (int i = 0; i < GCRA_BLOCK; i++)
	{
		uint64_t	found = atomic_load(&block[i].key);
		int64_t		found_tat = found == 0 ? 0 : atomic_load(&block[i].tat);

		if (found_tat < *tat)
		{
			victim = &block[i];
			*owner = found;
			*tat = found_tat;
		}
		if (found_tat <= now)
			break;
	}
	return victim;
}
