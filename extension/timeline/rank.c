/*-------------------------------------------------------------------------
 *
 * rank.c
 *		How much an entry of a home timeline matters: the formula.
 *
 * Entries are sorted by their place without diversity.  In this order an
 * account's entries are counted, and each is moved down by how many stand
 * above it; what is further down moves further, so its entries keep their
 * order.  Sorted again, every entry is where it would be if one had always
 * taken the best of those that are left.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdlib.h>

#include "timeline/rank.h"

#define RANK_ID_SHIFT		16	/* ids are milliseconds << 16 | … */
#define RANK_PLACE_MAX		((INT64_C(1) << 46) - 1)	/* the year 4199 */

/* How many entries of an account have come by */
typedef struct RankAccount
{
	int64_t		account_id;
	int			count;			/* 0: free */
} RankAccount;

static void rank_factors(const RankWeights *weights, RankEntry *entry);
static void rank_diversify(const RankWeights *weights, RankEntry *entries, int n);
static int	rank_compare(const void *a, const void *b);

/*
 * Ranks n entries, the best first.
 */
void
roost_rank(const RankWeights *weights, RankEntry *entries, int n)
{
	for (int i = 0; i < n; i++)
		rank_factors(weights, &entries[i]);
	qsort(entries, n, sizeof(RankEntry), rank_compare);
	if (weights->diversity >= 1 || weights->diversity_floor >= 1)
		return;
	rank_diversify(weights, entries, n);
	qsort(entries, n, sizeof(RankEntry), rank_compare);
}

/*
 * Finds the factors that depend on the entry alone.
 */
static void
rank_factors(const RankWeights *weights, RankEntry *entry)
{
	int			seen_count = entry->seen_count > RANK_SEEN_MAX ? RANK_SEEN_MAX : entry->seen_count;

	entry->engagement = 1;
	for (int i = 0; i < RANK_COUNTERS; i++)
		if (entry->counts[i] > 0)
			entry->engagement += weights->counter[i] * (double) entry->counts[i];
	entry->affinity = entry->interaction > 0 ? 1 + weights->affinity * log2(1 + entry->interaction) : 1;
	entry->seen = 1;
	for (int i = 0; i < seen_count; i++)
		entry->seen *= weights->seen;
	entry->above = 0;
	entry->diversity = 1;

	entry->place = (double) (entry->id >> RANK_ID_SHIFT);
	if (entry->engagement > 1 || entry->affinity > 1 || entry->seen < 1)
		entry->place += weights->half_life * log2(entry->engagement * entry->affinity * entry->seen);
}

/*
 * Moves down what has others of its account above it, in sorted entries.
 */
static void
rank_diversify(const RankWeights *weights, RankEntry *entries, int n)
{
	size_t		size = 2;
	RankAccount *accounts;

	while (size < (size_t) n * 2)
		size *= 2;
	accounts = calloc(size, sizeof(RankAccount));
	if (accounts == NULL)
		return;
	for (int i = 0; i < n; i++)
	{
		RankEntry  *entry = &entries[i];
		size_t		at = (uint64_t) entry->account_id * UINT64_C(0x9E3779B97F4A7C15) >> 32;

		for (at &= size - 1; accounts[at].count > 0 && accounts[at].account_id != entry->account_id;)
			at = (at + 1) & (size - 1);
		accounts[at].account_id = entry->account_id;
		entry->above = accounts[at].count++;
		if (entry->above == 0)
			continue;
		entry->diversity = weights->diversity_floor +
			(1 - weights->diversity_floor) * pow(weights->diversity, entry->above);
		entry->place += weights->half_life * log2(entry->diversity);
	}
	free(accounts);
}

/*
 * Orders by place, the highest first, then by id, the newest first.
 */
static int
rank_compare(const void *a, const void *b)
{
	const RankEntry *x = a;
	const RankEntry *y = b;

	if (x->place != y->place)
		return x->place > y->place ? -1 : 1;
	return x->id > y->id ? -1 : x->id < y->id;
}

/*
 * Returns by what age alone divides the score of an entry.
 */
double
roost_rank_decay(const RankWeights *weights, double age)
{
	return exp2(-age / weights->half_life);
}

/*
 * Makes cursors of ranked entries.  Places that are equal, to a millisecond, or
 * before 1970 are moved up a little.
 */
void
roost_rank_cursors(const RankEntry *entries, int n, uint16_t tag, int64_t *cursors)
{
	int64_t		below = 0;

	for (int i = n - 1; i >= 0; i--)
	{
		double		place = floor(entries[i].place);
		int64_t		at = place < 1 ? 1 : place > RANK_PLACE_MAX ? RANK_PLACE_MAX : (int64_t) place;

		if (at <= below)
			at = below + 1;
		below = at;
		cursors[i] = at << 16 | tag;
	}
}
