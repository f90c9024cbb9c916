/*-------------------------------------------------------------------------
 *
 * word_hit.c
 *		What the words found in a text amount to.
 *
 * Nothing here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/word.h"

#include <stdlib.h>

static int	word_hit_compare(const void *a, const void *b);

/*
 * Orders the hits, drops what an exception or a longer hit covers, and
 * returns how many are left.
 */
int
roost_moderation_word_settle(const WordSet *set, WordHit *hits, int n)
{
	int			kept = 0;

	qsort(hits, n, sizeof(WordHit), word_hit_compare);
	for (int i = 0; i < n; i++)
	{
		bool		covered = set->entries[hits[i].entry].allowed;

		for (int k = 0; k < n && !covered; k++)
			covered = set->entries[hits[k].entry].allowed && hits[k].start <= hits[i].start && hits[k].end >= hits[i].end;
		if (covered)
			hits[i].severity = -1;
	}
	for (int i = 0; i < n; i++)
	{
		bool		covered = hits[i].severity < 0;

		for (int k = 0; k < kept && !covered; k++)
		{
			covered = hits[k].start <= hits[i].start && hits[k].end >= hits[i].end;
			if (covered && hits[k].severity < hits[i].severity)
				hits[k].severity = hits[i].severity;
		}
		if (!covered)
			hits[kept++] = hits[i];
	}
	return kept;
}

static int
word_hit_compare(const void *a, const void *b)
{
	const WordHit *left = a;
	const WordHit *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	if (left->end != right->end)
		return left->end > right->end ? -1 : 1;
	if (left->severity != right->severity)
		return left->severity > right->severity ? -1 : 1;
	return (left->entry > right->entry) - (left->entry < right->entry);
}

/*
 * Returns how bad the hits are together: 1 minus the product of what each
 * leaves.
 */
float
roost_moderation_word_score(const WordHit *hits, int n)
{
	float		left = 1;

	for (int i = 0; i < n; i++)
		left *= 1 - hits[i].severity;
	return 1 - left;
}
