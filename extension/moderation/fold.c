/*-------------------------------------------------------------------------
 *
 * fold.c
 *		What a reader sees of a text, as code points that can be compared.
 *
 * One pass takes every code point apart (NFKD with the case folded; styled
 * letters and digits of all scripts are plain ones), drops what is not seen,
 * and makes of any run of spaces one.  More than two marks over or under one
 * letter are ornament: all of that letter's go.  What is left is put in
 * canonical order and composed, so that the result is in NFKC.
 *
 * Scripts are looked at word by word.  Where Latin letters stand beside others
 * that all look like Latin ones, the word is Latin; where it is the Latin ones
 * that look like the others', and these are more and some of them are hardly
 * alike, it is theirs.  A word of one script stays what
 * it is, unless the form asks for look-alikes.
 *
 * Time and memory are linear in the text.  Nothing here needs a server.
 * Invalid UTF-8 counts as U+FFFD, a byte each.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/fold.h"

#include <string.h>

#include "moderation/fold_tables.h"

#define MARKS_MAX			2	/* of any letter */
#define LETTER_MARKS_MAX	4	/* of its own script */
#define HANGUL_FIRST		0xac00
#define HANGUL_LAST			0xd7a3

#define COUNT(table) ((int) (sizeof(table) / sizeof((table)[0])))

/* What is known of a code point */
typedef struct FoldEntry
{
	uint32_t	code;			/* 0: an empty place of the cache */
	uint32_t	single;			/* what it becomes, if it is one */
	uint16_t	at;				/* what it becomes, in the pool */
	uint8_t		length;			/* how many; 0: only a single */
	uint8_t		class;			/* of the single */
	uint8_t		combining;
	char		look;
	bool		weak;
} FoldEntry;

/* Code points that were looked up last; a function of the tables alone. */
static FoldEntry fold_cache[1024];

static const FoldEntry *fold_entry(uint32_t code);
static uint32_t fold_single(uint32_t code);
static char fold_look(uint32_t code);
static uint8_t fold_combining_class(uint32_t code);
static size_t fold_order(FoldGlyph *glyphs, size_t start, size_t n);
static void fold_scripts(FoldGlyph *glyphs, size_t n, FoldForm form);
static void fold_word(FoldGlyph *word, size_t n, FoldForm form);
static uint32_t fold_reverse(uint32_t latin, uint8_t class);
static size_t fold_compose(FoldGlyph *glyphs, size_t n);
static uint32_t fold_pair(uint32_t first, uint32_t second);

static inline uint8_t
fold_ascii_class(uint32_t code)
{
	return code >= 'a' && code <= 'z' ? FOLD_LATIN : code >= '0' && code <= '9' ? FOLD_DIGIT :
		code == '$' ? FOLD_CURRENCY : code == '^' || code == '`' ? FOLD_PICTURE : FOLD_SIGN;
}

/*
 * Finds the row of a table with first and last that holds a code point; -1
 * if there is none.
 */
#define FOLD_FIND(table, code, found) \
	do { \
		int			low_ = 0; \
		int			high_ = COUNT(table) - 1; \
		(found) = -1; \
		while (low_ <= high_) \
		{ \
			int			middle_ = (low_ + high_) / 2; \
			if ((table)[middle_].last < (code)) \
				low_ = middle_ + 1; \
			else if ((table)[middle_].first > (code)) \
				high_ = middle_ - 1; \
			else \
			{ \
				(found) = middle_; \
				break; \
			} \
		} \
	} while (0)

/*
 * Writes the form of a text to glyphs, which have FOLD_BOUND(length) places,
 * and returns how many there are.
 */
size_t
roost_moderation_fold(const char *text, size_t length, FoldForm form, FoldGlyph *glyphs)
{
	size_t		n = 0;
	size_t		base = 0;		/* where the present letter's marks begin */
	int			marks = 0;
	int			letter_marks = 0;
	uint32_t	position = 0;
	bool		foreign = false;
	bool		composes = false;

	for (size_t i = 0; i < length; position++)
	{
		uint32_t	code = (unsigned char) text[i];
		const FoldEntry *entry;
		int			count;

		/* most texts are mostly this */
		if (code > ' ' && code < 0x7f)
		{
			bool		upper = code >= 'A' && code <= 'Z';

			if (n > base)
				n = fold_order(glyphs, base, n);
			marks = letter_marks = 0;
			glyphs[n].code = upper ? code + ('a' - 'A') : code;
			glyphs[n].position = position;
			glyphs[n].class = fold_ascii_class(glyphs[n].code);
			glyphs[n].look = 0;
			glyphs[n].weak = false;
			glyphs[n].upper = upper;
			base = ++n;
			i++;
			continue;
		}
		i += roost_moderation_decode(text + i, length - i, &code);
		entry = fold_entry(code);
		if (entry->class == FOLD_IGNORED)
			continue;
		count = entry->length > 0 ? entry->length : 1;
		for (int k = 0; k < count; k++)
		{
			uint32_t	part = entry->length > 0 ? fold_pool[entry->at + k] : entry->single;
			uint8_t		class = entry->length > 0 ? (uint8_t) roost_moderation_class(part) : entry->class;

			if (class == FOLD_MARK && (form >= FOLD_BARE || ++marks > MARKS_MAX))
			{
				/* ornament: none of the letter's marks is kept */
				if (form < FOLD_BARE && marks == MARKS_MAX + 1)
				{
					size_t		kept = base;

					for (size_t j = base; j < n; j++)
						if (glyphs[j].class != FOLD_MARK)
							glyphs[kept++] = glyphs[j];
					n = kept;
				}
				continue;
			}
			if (class == FOLD_LETTER_MARK && ++letter_marks > LETTER_MARKS_MAX)
				continue;
			if (class != FOLD_MARK && class != FOLD_LETTER_MARK)
			{
				if (n > base)
					n = fold_order(glyphs, base, n);
				marks = letter_marks = 0;
				if (class == FOLD_SPACE && n > 0 && glyphs[n - 1].class == FOLD_SPACE)
				{
					base = n;
					continue;
				}
				base = n + 1;
			}
			glyphs[n].code = class == FOLD_SPACE ? ' ' : part;
			glyphs[n].position = position;
			glyphs[n].class = class;
			glyphs[n].look = k == 0 ? entry->look : 0;
			glyphs[n].weak = k == 0 && entry->weak;
			glyphs[n].upper = false;
			foreign |= glyphs[n].look != 0;
			composes |= part >= 0x300;
			n++;
		}
	}
	n = fold_order(glyphs, base, n);
	if (form != FOLD_HOST && foreign)
		fold_scripts(glyphs, n, form);
	return composes ? fold_compose(glyphs, n) : n;
}

/*
 * Returns how many bytes the first code point takes.
 */
size_t
roost_moderation_decode(const char *text, size_t length, uint32_t *code)
{
	const unsigned char *p = (const unsigned char *) text;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t		size = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
	uint32_t	value;

	if (size == 1)
	{
		*code = p[0];
		return 1;
	}
	*code = 0xfffd;
	if (size == 0 || size > length)
		return 1;
	value = p[0] & (0xff >> (size + 1));
	for (size_t i = 1; i < size; i++)
	{
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 1;
	*code = value;
	return size;
}

/*
 * Writes a code point, of at most four bytes, and returns their number.
 */
size_t
roost_moderation_encode(uint32_t code, char *out)
{
	if (code < 0x80)
	{
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (char) (0xc0 | code >> 6);
		out[1] = (char) (0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (char) (0xe0 | code >> 12);
		out[1] = (char) (0x80 | (code >> 6 & 0x3f));
		out[2] = (char) (0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char) (0xf0 | code >> 18);
	out[1] = (char) (0x80 | (code >> 12 & 0x3f));
	out[2] = (char) (0x80 | (code >> 6 & 0x3f));
	out[3] = (char) (0x80 | (code & 0x3f));
	return 4;
}

/*
 * Returns the class of a code point.
 */
FoldClass
roost_moderation_class(uint32_t code)
{
	int			row;

	if (code < 0x80)
	{
		uint32_t	lower = code | 0x20;

		if (lower >= 'a' && lower <= 'z')
			return FOLD_LATIN;
		if (code >= '0' && code <= '9')
			return FOLD_DIGIT;
	}
	FOLD_FIND(fold_classes, code, row);
	return row < 0 ? FOLD_SIGN : fold_classes[row].class;
}

static const FoldEntry *
fold_entry(uint32_t code)
{
	FoldEntry  *entry = &fold_cache[(code ^ code >> 10) % COUNT(fold_cache)];
	int			low = 0;
	int			high = COUNT(fold_several) - 1;

	if (entry->code == code && code != 0)
		return entry;
	entry->code = code;
	entry->length = 0;
	entry->single = fold_single(code);
	entry->look = fold_look(code);
	entry->weak = entry->look >= 'A' && entry->look <= 'Z';
	if (entry->weak)
		entry->look += 'a' - 'A';
	while (code >= 0x80 && low <= high)
	{
		int			middle = (low + high) / 2;

		if (fold_several[middle].code < code)
			low = middle + 1;
		else if (fold_several[middle].code > code)
			high = middle - 1;
		else
		{
			entry->at = fold_several[middle].at;
			entry->length = fold_several[middle].length;
			break;
		}
	}
	entry->class = roost_moderation_class(code);
	if (entry->class != FOLD_IGNORED)
		entry->class = roost_moderation_class(entry->single);
	return entry;
}

static uint32_t
fold_single(uint32_t code)
{
	int			row;

	if (code < 0x80)
		return code >= 'A' && code <= 'Z' ? code + 32 : code;
	FOLD_FIND(fold_ranges, code, row);
	if (row < 0 || (code - fold_ranges[row].first) % fold_ranges[row].step != 0)
		return code;
	return (uint32_t) ((int32_t) code + fold_ranges[row].distance);
}

static char
fold_look(uint32_t code)
{
	int			row;

	if (code < 0x80)
		return 0;
	FOLD_FIND(fold_looks, code, row);
	return row < 0 ? 0 : fold_looks[row].latin;
}

static uint8_t
fold_combining_class(uint32_t code)
{
	int			row;

	if (code < 0x300)
		return 0;
	FOLD_FIND(fold_combining, code, row);
	return row < 0 ? 0 : fold_combining[row].class;
}

/*
 * Puts the marks from start on into canonical order; there are few.
 */
static size_t
fold_order(FoldGlyph *glyphs, size_t start, size_t n)
{
	for (size_t i = start + 1; i < n; i++)
	{
		FoldGlyph	moving = glyphs[i];
		uint8_t		class = fold_combining_class(moving.code);
		size_t		to = i;

		if (class == 0)
			continue;
		for (; to > start && fold_combining_class(glyphs[to - 1].code) > class; to--)
			glyphs[to] = glyphs[to - 1];
		glyphs[to] = moving;
	}
	return n;
}

/*
 * Calls fold_word for every word: letters, with marks and digits between.
 */
static void
fold_scripts(FoldGlyph *glyphs, size_t n, FoldForm form)
{
	for (size_t i = 0; i < n;)
	{
		size_t		end = i;
		bool		foreign = false;

		for (; end < n && (FOLD_IS_LETTER(glyphs[end].class) || glyphs[end].class == FOLD_DIGIT ||
						   glyphs[end].class == FOLD_MARK || glyphs[end].class == FOLD_LETTER_MARK); end++)
			foreign |= glyphs[end].look != 0;
		if (foreign)
			fold_word(glyphs + i, end - i, form);
		i = end + 1;
	}
}

static void
fold_word(FoldGlyph *word, size_t n, FoldForm form)
{
	size_t		latin = 0;
	size_t		others = 0;
	size_t		distinct = 0;	/* of others, those that look like nothing
								 * Latin */
	size_t		foreign = 0;	/* of Latin ones, those that look like no
								 * other */
	size_t		weak = 0;
	bool		is_latin;
	uint8_t		class = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (word[i].class == FOLD_LATIN)
			latin++;
		else if (FOLD_IS_LETTER(word[i].class))
		{
			others++;
			distinct += word[i].look == 0;
			weak += word[i].weak;
			class = word[i].class;
		}
	}
	for (size_t i = 0; i < n && class != 0; i++)
		foreign += word[i].class == FOLD_LATIN && fold_reverse(word[i].code, class) == 0;

	is_latin = latin == 0 ? form == FOLD_LOOKS && distinct == 0 : foreign > 0 || (distinct == 0 && (weak == 0 || latin >= others));

	for (size_t i = 0; i < n; i++)
	{
		FoldGlyph  *glyph = &word[i];

		if (glyph->class == FOLD_LATIN)
		{
			/* the letters that are in Latin words already: strokes and hooks */
			if (glyph->look != 0 && form >= FOLD_BARE)
				glyph->code = (unsigned char) glyph->look;
			if (others > 0 && !is_latin && fold_reverse(glyph->code, class) != 0)
			{
				glyph->code = fold_reverse(glyph->code, class);
				glyph->class = class;
			}
		}
		else if (FOLD_IS_LETTER(glyph->class) && glyph->look != 0 && is_latin)
		{
			/* ideographs beside Latin letters are common */
			if (glyph->class >= FOLD_HEBREW && others > latin && form != FOLD_LOOKS)
				continue;
			if (latin > 0 && distinct > 0 && glyph->class >= FOLD_HEBREW)
				continue;
			glyph->code = (unsigned char) glyph->look;
			glyph->class = FOLD_LATIN;
		}
	}
}

/*
 * Returns the Cyrillic or Greek letter that a Latin one looks like, or 0.
 */
static uint32_t
fold_reverse(uint32_t latin, uint8_t class)
{
	/* the letters a to z */
	static const uint16_t cyrillic[26] = {
		0x430, 0x432, 0x441, 0, 0x435, 0, 0, 0x43d, 0x456, 0x458, 0x43a, 0, 0x43c,
		0x438, 0x43e, 0x440, 0, 0x433, 0x455, 0x442, 0x438, 0, 0x448, 0x445, 0x443, 0
	};
	static const uint16_t greek[26] = {
		0x3b1, 0x3b2, 0, 0, 0x3b5, 0, 0, 0x3b7, 0x3b9, 0, 0x3ba, 0, 0x3bc,
		0x3b7, 0x3bf, 0x3c1, 0, 0, 0, 0x3c4, 0x3c5, 0x3bd, 0x3c9, 0x3c7, 0x3c5, 0x3b6
	};

	if (latin < 'a' || latin > 'z')
		return 0;
	return class == FOLD_CYRILLIC ? cyrillic[latin - 'a'] : class == FOLD_GREEK ? greek[latin - 'a'] : 0;
}

/*
 * Composes what belongs together, in place, and returns how many are left.
 */
static size_t
fold_compose(FoldGlyph *glyphs, size_t n)
{
	size_t		kept = 0;
	size_t		starter = 0;
	bool		has_starter = false;
	uint8_t		last = 0;		/* combining class of the one kept last */

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	code = glyphs[i].code;
		uint8_t		class = code < 0x300 ? 0 : fold_combining_class(code);
		uint32_t	both = 0;

		if (has_starter && code >= 0x300 && (kept == starter + 1 || (class > last && class != 0)))
			both = fold_pair(glyphs[starter].code, code);
		if (both != 0)
		{
			glyphs[starter].code = both;
			continue;
		}
		glyphs[kept] = glyphs[i];
		if (class == 0)
		{
			starter = kept;
			has_starter = true;
		}
		last = class;
		kept++;
	}
	return kept;
}

static uint32_t
fold_pair(uint32_t first, uint32_t second)
{
	int			low = 0;
	int			high = COUNT(fold_pairs) - 1;

	/* Hangul by arithmetic: leading and vowel, then the trailing consonant */
	if (first >= 0x1100 && first < 0x1113 && second >= 0x1161 && second < 0x1176)
		return HANGUL_FIRST + ((first - 0x1100) * 21 + (second - 0x1161)) * 28;
	if (first >= HANGUL_FIRST && first <= HANGUL_LAST && (first - HANGUL_FIRST) % 28 == 0 &&
		second > 0x11a7 && second < 0x11c3)
		return first + (second - 0x11a7);
	while (low <= high)
	{
		int			middle = (low + high) / 2;
		const uint32_t *pair = fold_pairs[middle];

		if (pair[0] < first || (pair[0] == first && pair[1] < second))
			low = middle + 1;
		else if (pair[0] > first || pair[1] > second)
			high = middle - 1;
		else
			return pair[2];
	}
	return 0;
}
