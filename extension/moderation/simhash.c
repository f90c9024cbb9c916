/*-------------------------------------------------------------------------
 *
 * simhash.c
 *		A fingerprint of 64 bits that is alike for texts that are.
 *
 * Version 1; fingerprints are stored, so what is computed here may not change.
 *
 * The text is taken in the form that fold.c calls bare, in which case, marks,
 * styled letters, look-alikes and invisible characters make no difference.  Its
 * words are runs of letters and digits.  Left out: mentions (@name), all that is
 * no letter or digit, and repetitions of a letter beyond two.  A link counts with
 * its host alone, so that copies may differ in the path.  In scripts without
 * spaces every two neighbouring characters are a word.
 *
 * Each different word is a feature of weight 2, and the first four letters of
 * one that has six or more, a feature of weight 1: a changed ending costs
 * less than a changed word.  Order does not count.  A feature's hash is FNV-1a of 64 bits over
 * its UTF-8, mixed by the finalizer of MurmurHash3.  Bit b of the fingerprint is
 * set if the weights of the features that have it exceed the others'.
 *
 * With fewer than three different words there is nothing to be alike in: the
 * fingerprint is the hash of the words in order, and near means equal.  The
 * fingerprint of a text without words is the hash of its other characters; of an
 * empty one 0.
 *
 * The weight of words behind the first WORDS_MAX is lost.  Nothing here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/simhash.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX		512
#define FEW_WORDS		32
#define COUNT_BITS		11		/* of 3 * WORDS_MAX */
#define PREFIX_LETTERS	4
#define PREFIX_FROM		6
#define FNV_START		UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME		UINT64_C(0x100000001b3)

typedef struct SimhashFeatures
{
	uint64_t	words[WORDS_MAX];
	uint64_t	prefixes[WORDS_MAX];
	int			num_words;
	int			num_prefixes;
	uint64_t	all;			/* FNV-1a over all words, a space behind each */
} SimhashFeatures;

static uint64_t hash_code(uint64_t hash, uint32_t code);
static uint64_t hash_mix(uint64_t hash);
static size_t simhash_word(const FoldGlyph *glyphs, size_t n, size_t i, SimhashFeatures *features);
static void simhash_feature(const FoldGlyph *word, size_t n, SimhashFeatures *features);
static size_t simhash_link(const FoldGlyph *glyphs, size_t n, size_t i, size_t *host_end);
static int	simhash_unique(uint64_t *hashes, int n);
static void simhash_sort_few(uint64_t *hashes, int n);
static void simhash_count(const uint64_t *hashes, int n, int plane, uint64_t *counts);
static int	hash_compare(const void *a, const void *b);

static inline bool
is_word_part(const FoldGlyph *glyph)
{
	return glyph->class == FOLD_DIGIT || FOLD_IS_LETTER(glyph->class) || glyph->class == FOLD_LETTER_MARK;
}

/*
 * Returns the fingerprint of a text.
 */
uint64_t
roost_moderation_simhash(const FoldGlyph *glyphs, size_t n)
{
	SimhashFeatures features;
	uint64_t	counts[COUNT_BITS] = {0};
	int			all;
	uint64_t	result = 0;

	features.num_words = features.num_prefixes = 0;
	features.all = FNV_START;
	for (size_t i = 0; i < n && features.num_words < WORDS_MAX;)
		i = simhash_word(glyphs, n, i, &features);

	if (features.num_words == 0)
	{
		uint64_t	hash = FNV_START;
		bool		any = false;

		for (size_t i = 0; i < n; i++)
		{
			if (glyphs[i].class != FOLD_SPACE)
			{
				hash = hash_code(hash, glyphs[i].code);
				any = true;
			}
		}
		return any ? hash_mix(hash) : 0;
	}

	features.num_words = simhash_unique(features.words, features.num_words);
	features.num_prefixes = simhash_unique(features.prefixes, features.num_prefixes);
	if (features.num_words < 3)
		return hash_mix(features.all);
	simhash_count(features.words, features.num_words, 1, counts);
	simhash_count(features.prefixes, features.num_prefixes, 0, counts);
	all = 2 * features.num_words + features.num_prefixes;
	for (int bit = 0; bit < 64; bit++)
	{
		int			count = 0;

		for (int plane = 0; plane < COUNT_BITS; plane++)
			count |= (int) (counts[plane] >> bit & 1) << plane;
		result |= (uint64_t) (2 * count > all) << bit;
	}
	return result;
}

/*
 * Takes in what begins at glyph i, and returns where to go on.
 */
static size_t
simhash_word(const FoldGlyph *glyphs, size_t n, size_t i, SimhashFeatures *features)
{
	size_t		end = i;
	size_t		host_end;

	if (glyphs[i].code == '@' && (i == 0 || !is_word_part(&glyphs[i - 1])))
	{
		for (i++; i < n && (is_word_part(&glyphs[i]) || glyphs[i].code == '_');)
			i++;
		return i;
	}
	if (!is_word_part(&glyphs[i]))
		return i + 1;
	end = simhash_link(glyphs, n, i, &host_end);
	if (end > i)
	{
		size_t		start = i;

		while (start < host_end && glyphs[start].code != '/')
			start++;
		while (start < host_end && glyphs[start].code == '/')
			start++;
		simhash_feature(glyphs + (start < host_end ? start : i), host_end - (start < host_end ? start : i), features);
		return end;
	}
	if (FOLD_IS_UNSPACED(glyphs[i].class))
	{
		bool		pair = i + 1 < n && FOLD_IS_UNSPACED(glyphs[i + 1].class);

		if (pair || i == 0 || !FOLD_IS_UNSPACED(glyphs[i - 1].class))
			simhash_feature(glyphs + i, pair ? 2 : 1, features);
		return i + 1;
	}
	for (end = i; end < n && is_word_part(&glyphs[end]) && !FOLD_IS_UNSPACED(glyphs[end].class);)
		end++;
	simhash_feature(glyphs + i, end - i, features);
	return end;
}

static void
simhash_feature(const FoldGlyph *word, size_t n, SimhashFeatures *features)
{
	uint64_t	hash = FNV_START;
	uint64_t	prefix = 0;
	size_t		letters = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (i >= 2 && word[i].code == word[i - 1].code && word[i].code == word[i - 2].code)
			continue;
		hash = hash_code(hash, word[i].code);
		features->all = hash_code(features->all, word[i].code);
		if (++letters == PREFIX_LETTERS)
			prefix = hash_code(hash, '*');
	}
	features->all = hash_code(features->all, ' ');
	features->words[features->num_words++] = hash_mix(hash);
	if (letters >= PREFIX_FROM)
		features->prefixes[features->num_prefixes++] = hash_mix(prefix);
}

/*
 * Returns where a link ends that begins at glyph i, and its host; i if none
 * does.
 */
static size_t
simhash_link(const FoldGlyph *glyphs, size_t n, size_t i, size_t *host_end)
{
	size_t		k = i;
	bool		is_link = false;

	while (k < n && k < i + 8 && FOLD_IS_LETTER(glyphs[k].class))
		k++;
	if (k + 2 < n && glyphs[k].code == ':' && glyphs[k + 1].code == '/' && glyphs[k + 2].code == '/')
	{
		is_link = true;
		k += 3;
	}
	else if (k == i + 3 && k < n && glyphs[k].code == '.' && glyphs[i].code == 'w' && glyphs[i + 1].code == 'w' &&
			 glyphs[i + 2].code == 'w')
		is_link = true;
	if (!is_link)
		return i;
	while (k < n && glyphs[k].class != FOLD_SPACE && glyphs[k].code != '/' && glyphs[k].code != '?' && glyphs[k].code != '#')
		k++;
	*host_end = k;
	while (k < n && glyphs[k].class != FOLD_SPACE)
		k++;
	return k;
}

/*
 * Sorts hashes and returns how many different ones there are.
 */
static int
simhash_unique(uint64_t *hashes, int n)
{
	int			kept = 0;

	if (n == 0)
		return 0;
	if (n > FEW_WORDS)
		qsort(hashes, n, sizeof(uint64_t), hash_compare);
	else
		simhash_sort_few(hashes, n);
	for (int i = 1; i < n; i++)
		if (hashes[i] != hashes[kept])
			hashes[++kept] = hashes[i];
	return kept + 1;
}

/*
 * Sorts by insertion, which takes less time for as few words as posts have.
 */
static void
simhash_sort_few(uint64_t *hashes, int n)
{
	for (int i = 1; i < n; i++)
	{
		uint64_t	hash = hashes[i];
		int			k = i;

		for (; k > 0 && hashes[k - 1] > hash; k--)
			hashes[k] = hashes[k - 1];
		hashes[k] = hash;
	}
}

static int
hash_compare(const void *a, const void *b)
{
	uint64_t	left = *(const uint64_t *) a;
	uint64_t	right = *(const uint64_t *) b;

	return (left > right) - (left < right);
}

/*
 * Adds 2^plane to the count of each bit that a hash has.  Counts lie upright:
 * bit b of plane p is bit p of the count of bit b.
 */
static void
simhash_count(const uint64_t *hashes, int n, int plane, uint64_t *counts)
{
	for (int i = 0; i < n; i++)
	{
		uint64_t	carry = hashes[i];

		for (int p = plane; carry != 0 && p < COUNT_BITS; p++)
		{
			uint64_t	both = counts[p] & carry;

			counts[p] ^= carry;
			carry = both;
		}
	}
}

static uint64_t
hash_code(uint64_t hash, uint32_t code)
{
	char		bytes[4];
	size_t		length = roost_moderation_encode(code, bytes);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) bytes[i]) * FNV_PRIME;
	return hash;
}

static uint64_t
hash_mix(uint64_t hash)
{
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 33;
}
