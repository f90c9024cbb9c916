/*-------------------------------------------------------------------------
 *
 * shape.c
 *		What a text looks like, and what its copies have in common.
 *
 * Words are runs of letters and digits; in scripts without spaces every
 * character is one.  Mentions (@name) are left out: copies differ in them.
 *
 * capitals is the part of capitals among the letters A to Z, of texts with at
 * least CAPITALS_LETTERS of them.  repetition is the greater of two parts: of the words
 * that have been there before, of texts with at least REPETITION_WORDS, and of the
 * characters that stand in a run of RUN_LENGTH of the same or more, of texts
 * with at least REPETITION_GLYPHS.  Only the first WORDS_MAX words count.
 *
 * A shingle is the hash of two neighbouring words (of one alone where there is
 * no other).  The keys of a text are its smallest different ones: if two texts differ
 * in few words, they share most of them.  Two words with fewer than
 * COMMON_LETTERS letters together are in many texts (of the, it is) and come last.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/shape.h"

#define CAPITALS_LETTERS	20
#define REPETITION_WORDS	8
#define REPETITION_GLYPHS	20
#define RUN_LENGTH			5
#define COMMON_LETTERS		9
#define WORDS_MAX			1024
#define PLACES				(WORDS_MAX * 2) /* a power of two */

/* Where we are in a text */
typedef struct WordWalk
{
	const FoldGlyph *glyphs;
	size_t		n;
	size_t		at;
	int			letters;		/* of the word */
	FoldClass	class;			/* of its first letter */
	uint32_t	hash;
} WordWalk;

static bool walk_word(WordWalk *walk);
static void keys_add(uint32_t *keys, int num_keys, uint32_t key);
static double shape_runs(const FoldGlyph *glyphs, size_t n);
static uint32_t hash_mix(uint32_t hash);

static inline bool
is_word_part(const FoldGlyph *glyph)
{
	return glyph->class == FOLD_DIGIT || FOLD_IS_LETTER(glyph->class) || glyph->class == FOLD_LETTER_MARK;
}

/*
 * Measures a text.
 */
void
roost_moderation_shape(const FoldGlyph *glyphs, size_t n, TextShape *shape)
{
	WordWalk	walk = {.glyphs = glyphs,.n = n};
	uint32_t	seen[PLACES] = {0};
	int			repeated = 0;
	int			latin = 0;
	int			capitals = 0;
	double		runs = shape_runs(glyphs, n);

	shape->letters = shape->words = 0;
	shape->capitals = shape->repetition = 0;
	for (size_t i = 0; i < n; i++)
	{
		latin += glyphs[i].class == FOLD_LATIN;
		capitals += glyphs[i].upper;
	}
	if (latin >= CAPITALS_LETTERS)
		shape->capitals = (double) capitals / latin;

	while (shape->words < WORDS_MAX && walk_word(&walk))
	{
		uint32_t	place = walk.hash;

		shape->letters += walk.letters;
		shape->words++;
		while (seen[place % PLACES] != 0 && seen[place % PLACES] != walk.hash)
			place++;
		repeated += seen[place % PLACES] == walk.hash;
		seen[place % PLACES] = walk.hash;
	}
	if (shape->words >= REPETITION_WORDS)
		shape->repetition = (double) repeated / shape->words;
	if (runs > shape->repetition)
		shape->repetition = runs;
}

/*
 * Returns the keys of a text: its smallest shingles, in order, the last
 * one repeated where there are fewer.
 */
void
roost_moderation_shingles(const FoldGlyph *glyphs, size_t n, uint32_t *keys, int num_keys)
{
	WordWalk	walk = {.glyphs = glyphs,.n = n};
	uint32_t	last = 0;
	int			last_letters = 0;
	int			words = 0;

	for (int i = 0; i < num_keys; i++)
		keys[i] = UINT32_MAX;
	while (words < WORDS_MAX && walk_word(&walk))
	{
		if (words++ > 0)
		{
			uint32_t	key = hash_mix(last * UINT32_C(31) + walk.hash) >> 1;

			if (!FOLD_IS_UNSPACED(walk.class) && last_letters + walk.letters < COMMON_LETTERS)
				key |= UINT32_C(1) << 31;
			keys_add(keys, num_keys, key);
		}
		last = walk.hash;
		last_letters = walk.letters;
	}
	if (words == 1)
		keys_add(keys, num_keys, last);
	for (int i = 1; i < num_keys; i++)
	{
		if (keys[i] == UINT32_MAX)
			keys[i] = keys[i - 1];
	}
}

/*
 * Keeps a key, if it is among the smallest and not there.
 */
static void
keys_add(uint32_t *keys, int num_keys, uint32_t key)
{
	for (int i = 0; i < num_keys; i++)
	{
		uint32_t	kept = keys[i];

		if (key == kept)
			return;
		if (key < kept)
		{
			keys[i] = key;
			key = kept;
			/* what it takes the place of moves on; no other is equal to it */
		}
	}
}

/*
 * Goes to the next word; false if there is none.
 */
static bool
walk_word(WordWalk *walk)
{
	const FoldGlyph *glyphs = walk->glyphs;
	size_t		i = walk->at;
	uint32_t	hash = UINT32_C(2166136261);

	for (;;)
	{
		while (i < walk->n && !is_word_part(&glyphs[i]) && glyphs[i].code != '@')
			i++;
		if (i == walk->n)
			return false;
		if (glyphs[i].code != '@')
			break;
		i++;
		if (i >= 2 && is_word_part(&glyphs[i - 2]))
			continue;
		while (i < walk->n && (is_word_part(&glyphs[i]) || glyphs[i].code == '_'))
			i++;
	}

	walk->letters = 0;
	walk->class = glyphs[i].class;
	do
	{
		hash = (hash ^ glyphs[i].code) * UINT32_C(16777619);
		walk->letters++;
		i++;
	} while (i < walk->n && is_word_part(&glyphs[i]) && !FOLD_IS_UNSPACED(glyphs[i - 1].class) && !FOLD_IS_UNSPACED(glyphs[i].class));
	walk->at = i;
	walk->hash = hash_mix(hash);
	return true;
}

/*
 * Returns which part of the characters stands in long runs of one.
 */
static double
shape_runs(const FoldGlyph *glyphs, size_t n)
{
	size_t		seen = 0;
	size_t		inside = 0;

	for (size_t i = 0; i < n;)
	{
		size_t		end = i + 1;

		while (end < n && glyphs[end].code == glyphs[i].code)
			end++;
		if (glyphs[i].class != FOLD_SPACE)
		{
			seen += end - i;
			if (end - i >= RUN_LENGTH)
				inside += end - i;
		}
		i = end;
	}
	return seen >= REPETITION_GLYPHS ? (double) inside / seen : 0;
}

/*
 * Spreads a hash over all bits; never 0.
 */
static uint32_t
hash_mix(uint32_t hash)
{
	hash ^= hash >> 16;
	hash *= UINT32_C(0x85ebca6b);
	hash ^= hash >> 13;
	hash *= UINT32_C(0xc2b2ae35);
	hash ^= hash >> 16;
	return hash != 0 ? hash : 1;
}
