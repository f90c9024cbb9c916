/*-------------------------------------------------------------------------
 *
 * gibberish.c
 *		How much of a text is letters without sense.
 *
 * Each word is judged by its script's statistics of letters: is it likelier
 * that somebody wrote a word of a language, or struck keys at random?  The
 * more letters, the surer the answer, so a short word is hardly ever called
 * gibberish.  The text's score is the part of its letters that lies in such
 * words.
 *
 * Not judged, and not counted: links, addresses, hashtags, mentions, numbers and
 * hexadecimal ones.  Sense are words of up to three letters, abbreviations in
 * capitals, laughter (two different letters, or three with a vowel).  Names in camel case are judged hump
 * by hump.  A long word of mixed capitals, small letters and digits is random.
 * Of scripts without statistics every word is sense: what is random among
 * ideographs cannot be seen from single ones; Hangul is gibberish where it
 * is not in syllables.
 *
 * Time is linear in the text.  Nothing here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/gibberish.h"

#include <math.h>
#include <string.h>

#include "moderation/gibberish_tables.h"

#define WORD_LETTERS_MAX	48	/* of a word, that are judged */
#define WORD_LETTERS_MIN	4	/* shorter ones are sense */
#define TEXT_LETTERS_MIN	5
#define RANDOM_MIN			16	/* characters of random strings */
#define VOWELS				0x02208222	/* a, e, i, o, u and y, a being bit 1 */
#define PRIOR				4.0 /* how much surer than even it must be, in
								 * nats */

#define LENGTH(array) ((int) (sizeof(array) / sizeof((array)[0])))

/* The letters of a script, and their statistics */
typedef struct GibberishScript
{
	FoldClass	class;
	const uint16_t *letters;
	int			num_letters;
	const uint8_t *pairs;
} GibberishScript;

static const GibberishScript scripts[] = {
	{FOLD_CYRILLIC, cyrillic_letters, LENGTH(cyrillic_letters), cyrillic_pairs},
	{FOLD_GREEK, greek_letters, LENGTH(greek_letters), greek_pairs},
	{FOLD_HEBREW, hebrew_letters, LENGTH(hebrew_letters), hebrew_pairs},
	{FOLD_ARABIC, arabic_letters, LENGTH(arabic_letters), arabic_pairs},
};

/* What has been judged */
typedef struct GibberishSum
{
	double		letters;
	double		senseless;
} GibberishSum;

static size_t token_end(const FoldGlyph *glyphs, size_t n, size_t start);
static bool token_skipped(const FoldGlyph *token, size_t n);
static bool token_random(const FoldGlyph *token, size_t n);
static size_t word_end(const FoldGlyph *token, size_t n, size_t start);
static void word_judge(const FoldGlyph *word, size_t n, GibberishSum *sum);
static double latin_evidence(const uint8_t *word, int n);
static double script_evidence(const GibberishScript *script, const FoldGlyph *word, size_t n, int *letters);
static double hangul_evidence(const FoldGlyph *word, size_t n);

/*
 * Returns the score of a text, 0 (sense, or too short to tell) to 1.
 */
float
roost_moderation_gibberish(const FoldGlyph *glyphs, size_t n)
{
	GibberishSum sum = {0, 0};

	for (size_t i = 0; i < n;)
	{
		size_t		end = token_end(glyphs, n, i);

		if (end == i)
		{
			i++;
			continue;
		}
		if (!token_skipped(glyphs + i, end - i))
		{
			if (token_random(glyphs + i, end - i))
			{
				sum.letters += end - i;
				sum.senseless += end - i;
			}
			else
			{
				for (size_t k = i; k < end;)
				{
					size_t		stop = word_end(glyphs, end, k);

					if (stop > k)
						word_judge(glyphs + k, stop - k, &sum);
					k = stop > k ? stop : k + 1;
				}
			}
		}
		i = end;
	}
	return sum.letters < TEXT_LETTERS_MIN ? 0 : (float) (sum.senseless / sum.letters);
}

static size_t
token_end(const FoldGlyph *glyphs, size_t n, size_t start)
{
	while (start < n && glyphs[start].class != FOLD_SPACE)
		start++;
	return start;
}

/*
 * Returns whether a token is a link, an address, a tag, a mention or a number.
 */
static bool
token_skipped(const FoldGlyph *token, size_t n)
{
	size_t		digits = 0;
	size_t		hexadecimal = 0;
	size_t		alnum = 0;
	bool		dots = false;

	if (token[0].code == '#' || token[0].code == '@')
		return true;
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	code = token[i].code;
		bool		digit = token[i].class == FOLD_DIGIT;

		if (code == ':' && i + 2 < n && token[i + 1].code == '/' && token[i + 2].code == '/')
			return true;
		if (code == '@' && i > 0 && i + 1 < n)
			return true;
		dots |= code == '.' && i + 1 < n && i > 0 && FOLD_IS_LETTER(token[i + 1].class);
		alnum += digit || FOLD_IS_LETTER(token[i].class);
		digits += digit;
		hexadecimal += digit || (code >= 'a' && code <= 'f');
	}
	if (dots && n > 4)
		return true;
	return alnum == 0 || digits == alnum || (hexadecimal == alnum && digits * 5 >= alnum && alnum >= 6);
}

/*
 * Returns whether a token is a long one of all kinds of characters.
 */
static bool
token_random(const FoldGlyph *token, size_t n)
{
	size_t		count[3] = {0};
	size_t		changes = 0;
	int			last = -1;

	for (size_t i = 0; i < n; i++)
	{
		int			kind;

		if (token[i].code >= 0x80)
			return false;
		if (token[i].class == FOLD_DIGIT)
			kind = 0;
		else if (token[i].class == FOLD_LATIN)
			kind = token[i].upper ? 1 : 2;
		else if (strchr("+/=-_", (int) token[i].code) != NULL)
			continue;
		else
			return false;
		count[kind]++;
		changes += last >= 0 && kind != last;
		last = kind;
	}
	return n >= RANDOM_MIN && count[0] > 0 && count[1] > 0 && count[2] > 0 && changes * 3 >= n;
}

/*
 * Returns where a word that begins at start ends: another script begins, a
 * capital follows a small letter, or there is no letter.
 */
static size_t
word_end(const FoldGlyph *token, size_t n, size_t start)
{
	size_t		end = start;

	for (; end < n && FOLD_IS_LETTER(token[end].class); end++)
	{
		if (end > start && (token[end].class != token[start].class || (token[end].upper && !token[end - 1].upper)))
			break;
	}
	return end;
}

/*
 * Adds a word to the sum.
 */
static void
word_judge(const FoldGlyph *word, size_t n, GibberishSum *sum)
{
	uint8_t		letters[WORD_LETTERS_MAX];
	int			count = 0;
	int			capitals = 0;
	uint32_t	seen = 0;
	double		evidence = -PRIOR;

	if (n < WORD_LETTERS_MIN && word[0].class != FOLD_HANGUL)
	{
		sum->letters += n;
		return;
	}
	if (word[0].class == FOLD_LATIN)
	{
		for (size_t i = 0; i < n && count < WORD_LETTERS_MAX; i++)
		{
			uint32_t	letter = word[i].code >= 'a' && word[i].code <= 'z' ? word[i].code - 'a' + 1 : 0;

			capitals += word[i].upper;
			/* a letter drawn out is one */
			if (letter == 0 || (i >= 2 && word[i].code == word[i - 1].code && word[i].code == word[i - 2].code))
				continue;
			letters[count++] = (uint8_t) letter;
			seen |= 1u << letter;
		}
		if (count < WORD_LETTERS_MIN || __builtin_popcount(seen) <= 2 || (__builtin_popcount(seen) == 3 && (seen & VOWELS) != 0) || (capitals == (int) n && n <= 5))
		{
			sum->letters += count;
			return;
		}
		evidence = latin_evidence(letters, count);
	}
	else if (word[0].class == FOLD_HANGUL)
		evidence = hangul_evidence(word, n);
	else
	{
		for (int i = 0; i < LENGTH(scripts); i++)
		{
			if (scripts[i].class == word[0].class)
				evidence = script_evidence(&scripts[i], word, n, &count);
		}
	}
	sum->letters += n;
	sum->senseless += n / (1 + exp(PRIOR - evidence));
}

/*
 * Returns by how much keys struck at random explain a Latin word better than
 * any language, in nats.
 */
static double
latin_evidence(const uint8_t *word, int n)
{
	/* of each key, minus the logarithm: hands rest on the middle row */
	static const float home[27] = {
		[1] = 2.2,[2] = 5,[3] = 5,[4] = 2.1,[5] = 4,[6] = 2.1,[7] = 2.6,[8] = 2.6,[9] = 4,[10] = 2.2,[11] = 2.2,[12] = 2.4,[13] = 5,
		[14] = 5,[15] = 4,[16] = 4.5,[17] = 4,[18] = 4,[19] = 2.1,[20] = 4.2,[21] = 4.2,[22] = 4.8,[23] = 3.8,[24] = 5,[25] = 4.5,[26] = 5
	};
	int			language = 0;
	double		uniform = n * 3.39 + 2.1;
	double		resting = n * 0.13 + 2.1;
	int			before[2] = {0, 0};

	for (int i = 0; i <= n; i++)
	{
		int			letter = i < n ? word[i] : 0;

		language += gibberish_latin[(before[0] * 27 + before[1]) * 27 + letter];
		resting += home[letter];
		before[0] = before[1];
		before[1] = letter;
	}
	return (double) language / GIBBERISH_NATS - (uniform < resting ? uniform : resting) - 0.7;
}

/*
 * Does the same for a word of another script.
 */
static double
script_evidence(const GibberishScript *script, const FoldGlyph *word, size_t n, int *letters)
{
	double		language = 0;
	int			before = 0;

	*letters = 0;
	for (size_t i = 0; i <= n && *letters < WORD_LETTERS_MAX; i++)
	{
		int			low = 0;
		int			high = script->num_letters - 1;
		int			letter = i < n ? -1 : 0;

		while (letter < 0 && low <= high)
		{
			int			middle = (low + high) / 2;

			if (script->letters[middle] < word[i].code)
				low = middle + 1;
			else if (script->letters[middle] > word[i].code)
				high = middle - 1;
			else
				letter = middle + 1;
		}
		/* a letter of a language that was not counted */
		if (letter < 0)
			return -PRIOR;
		language += script->pairs[before * (script->num_letters + 1) + letter] / (double) GIBBERISH_NATS;
		before = letter;
		(*letters)++;
	}
	return language - (*letters - 1) * (log(script->num_letters < 33 ? script->num_letters : 33) + 0.13) - 2.1 - 0.7;
}

/*
 * Returns evidence where Hangul letters stand alone and are many different
 * ones; two of them, again and again, are laughter or tears.
 */
static double
hangul_evidence(const FoldGlyph *word, size_t n)
{
	uint32_t	distinct[3];
	int			num_distinct = 0;
	size_t		single = 0;

	for (size_t i = 0; i < n; i++)
	{
		int			k = 0;

		if (word[i].code >= 0xac00 && word[i].code <= 0xd7a3)
			continue;
		single++;
		while (k < num_distinct && distinct[k] != word[i].code)
			k++;
		if (k == num_distinct && num_distinct < 3)
			distinct[num_distinct++] = word[i].code;
	}
	return single >= 4 && single * 2 > n && num_distinct == 3 ? PRIOR + single : -PRIOR;
}
