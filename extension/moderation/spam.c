/*-------------------------------------------------------------------------
 *
 * spam.c
 *		What of a text tells spam from other texts.
 *
 * A text becomes a set of named features:
 *
 *	- its words in the form that fold.c calls bare, so that look-alikes and
 *	  invisible characters hide nothing.  A number is "#" and its length, a
 *	  word with digits has one 0 for each run of them ("150p" is "0p"), and if the
 *	  digits look like letters inside, the word that is meant.  Links, mail
 *	  addresses and mentions are one word each, "~url", "~mail" and "~name";
 *	- pairs of neighbouring words, "one two";
 *	- four letters of a word in a row, names that begin with ".": ".free", with _
 *	  where the word begins and ends, so that its other forms are known, too;
 *	- what it looks like, names that begin with "=": length, parts of capitals
 *	  and digits, links, signs of money, telephone numbers, exclamation marks.
 *
 * Words and pairs count less the more there are: 3 by the root of their
 * number each, letters 2 by the root of theirs, so that a long text is no surer
 * than its words.  All others count 1.  The sum of values times weights is the logarithm of the odds.
 *
 * The first SPAM_TEXT_MAX bytes and SPAM_FEATURES_MAX features count.  Nothing
 * here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/spam.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_MAX		28		/* bytes of a word in a name */
#define GRAM				4	/* letters in a row */
#define GRAMS_MAX			1536	/* features that they may take */
#define SHAPES_ROOM			48	/* features that are kept free for shapes */
#define SPAM_PLACES_FIRST	512 /* for hashes of features, to begin with */

/* What is counted on the way */
typedef struct SpamShape
{
	int			letters;
	int			capitals;
	int			digits;
	int			exclamations;
	int			questions;
	int			currencies;
	int			pictures;
	int			foreign;		/* letters that are not Latin */
	int			words;
	int			word_letters;
	int			shouted;		/* words in capitals */
	int			links;
	int			mails;
	int			names;
	int			tags;
	int			numbers_long;	/* as telephone numbers are */
	int			numbers_short;	/* as short codes are */
	int			repeated;
	int			disguised;
	int			prices;
	int			percents;
	int			others;			/* other signs */
	int			lines;
} SpamShape;

typedef struct SpamToken
{
	char		name[TOKEN_MAX + 4];
	size_t		length;
} SpamToken;

static size_t spam_token(const FoldGlyph *glyphs, size_t n, size_t i, SpamToken *token, SpamShape *shape,
						 SpamFeatures *features);
static size_t spam_number(const FoldGlyph *glyphs, size_t n, size_t i, SpamToken *token, SpamShape *shape);
static void spam_word(const FoldGlyph *word, size_t n, SpamToken *token, SpamShape *shape, SpamFeatures *features);
static void spam_shapes(const SpamShape *shape, size_t length, int hidden, SpamFeatures *features);
static void spam_bucket(SpamFeatures *features, const char *name, double value, const double *bounds, int n);
static void spam_places(SpamFeatures *features, uint32_t places);
static void spam_grams(const SpamToken *token, SpamFeatures *features);
static int	spam_hidden(const char *text, size_t length);

/*
 * Puts the features of a text together.  The glyphs are scratch, with
 * FOLD_BOUND(length) places or FOLD_BOUND(SPAM_TEXT_MAX), whichever is less.
 */
void
roost_moderation_spam_features(const char *text, size_t length, FoldGlyph *glyphs, SpamFeatures *features)
{
	/* a character that is cut counts as one, as anything that is not UTF-8 */
	if (length > SPAM_TEXT_MAX)
		length = SPAM_TEXT_MAX;
	while (length > 0 && length == SPAM_TEXT_MAX && ((unsigned char) text[length - 1] & 0xc0) == 0x80)
		length--;
	roost_moderation_spam_features_of(text, length, glyphs, roost_moderation_fold(text, length, FOLD_BARE, glyphs), features);
}

/*
 * The same of a text of at most SPAM_TEXT_MAX bytes that has been folded to
 * FOLD_BARE.
 */
void
roost_moderation_spam_features_of(const char *text, size_t length, const FoldGlyph *glyphs, size_t n, SpamFeatures *features)
{
	SpamShape	shape = {0};
	SpamToken	last = {.name = "^",.length = 1};

	features->count = 0;
	memset(features->counts, 0, sizeof(features->counts));
	spam_places(features, SPAM_PLACES_FIRST);
	for (size_t i = 0; i < length; i++)
		shape.lines += text[i] == '\n';

	for (size_t i = 0; i < n;)
	{
		SpamToken	token = {.length = 0};
		char		pair[SPAM_NAME_MAX];

		i = spam_token(glyphs, n, i, &token, &shape, features);
		if (token.length == 0)
			continue;
		roost_moderation_spam_add(features, SPAM_WORD, token.name, token.length);
		spam_grams(&token, features);
		memcpy(pair, last.name, last.length);
		pair[last.length] = ' ';
		memcpy(pair + last.length + 1, token.name, token.length);
		roost_moderation_spam_add(features, SPAM_WORD, pair, last.length + 1 + token.length);
		last = token;
	}
	spam_shapes(&shape, n, spam_hidden(text, length), features);
	features->values[SPAM_WORD] = (float) (3 / sqrt(features->counts[SPAM_WORD] + 1e-9));
	features->values[SPAM_GRAM] = (float) (2 / sqrt(features->counts[SPAM_GRAM] + 1e-9));
	features->values[SPAM_SHAPE] = 1;
}

/*
 * Reads what begins at glyph i, a word or a sign, and returns where it ends.
 */
static size_t
spam_token(const FoldGlyph *glyphs, size_t n, size_t i, SpamToken *token, SpamShape *shape, SpamFeatures *features)
{
	const FoldGlyph *glyph = &glyphs[i];
	size_t		end = i;
	bool		mail = false;
	bool		first = i == 0 || !roost_moderation_spam_is_word(glyph - 1);

	if (first && roost_moderation_spam_link(glyphs, n, i, &end, &mail, features))
	{
		strcpy(token->name, mail ? "~mail" : "~url");
		token->length = strlen(token->name);
		shape->links += !mail;
		shape->mails += mail;
		return end;
	}
	if ((glyph->code == '@' || glyph->code == '#') && first && i + 1 < n && roost_moderation_spam_is_word(glyph + 1))
	{
		if (glyph->code == '#')
		{
			shape->tags++;
			return i + 1;
		}
		shape->names++;
		for (end = i + 1; end < n && (roost_moderation_spam_is_word(&glyphs[end]) || glyphs[end].code == '_');)
			end++;
		strcpy(token->name, "~name");
		token->length = 5;
		return end;
	}
	if (glyph->class == FOLD_DIGIT && first)
	{
		end = spam_number(glyphs, n, i, token, shape);
		if (end > i)
			return end;
	}
	if (roost_moderation_spam_is_word(glyph))
	{
		/* of scripts without spaces each character is a word */
		if (FOLD_IS_UNSPACED(glyph->class))
			end = i + 1;
		else
			while (end < n && (roost_moderation_spam_is_word(&glyphs[end]) && !FOLD_IS_UNSPACED(glyphs[end].class)))
				end++;
		/* don't, it's */
		if (end + 1 < n && (glyphs[end].code == '\'' || glyphs[end].code == 0x2019) && FOLD_IS_LETTER(glyphs[end + 1].class))
		{
			size_t		tail = end + 1;

			while (tail < n && FOLD_IS_LETTER(glyphs[tail].class))
				tail++;
			if (tail - end <= 3)
			{
				spam_word(glyphs + i, end - i, token, shape, features);
				return tail;
			}
		}
		spam_word(glyphs + i, end - i, token, shape, features);
		return end;
	}
	switch (glyph->class)
	{
		case FOLD_CURRENCY:
			shape->currencies++;
			token->name[0] = '$';
			token->length = 1;
			break;
		case FOLD_PICTURE:
			shape->pictures++;
			break;
		case FOLD_SPACE:
			break;
		default:
			shape->exclamations += glyph->code == '!';
			shape->questions += glyph->code == '?';
			shape->percents += glyph->code == '%';
			shape->others += glyph->code == '*' || glyph->code == '=' || glyph->code == '>' || glyph->code == '<' ||
				glyph->code == '~' || glyph->code == '_' || glyph->code == '|' || glyph->code == '+';
			if (i > 1 && glyph->code == glyphs[i - 1].code && glyph->code == glyphs[i - 2].code)
				shape->repeated++;
			break;
	}
	return i + 1;
}

/*
 * Reads a number, with what groups it; one that goes on as a word is none.
 */
static size_t
spam_number(const FoldGlyph *glyphs, size_t n, size_t i, SpamToken *token, SpamShape *shape)
{
	size_t		end = i;
	size_t		digits = 0;
	size_t		all = 0;
	size_t		k = i;

	while (end < n && glyphs[end].class == FOLD_DIGIT)
		end++;
	digits = end - i;
	if (end < n && FOLD_IS_LETTER(glyphs[end].class))
		return i;

	/* a telephone number in groups */
	for (; k < n && k < i + 24; k++)
	{
		if (glyphs[k].class == FOLD_DIGIT)
			all++;
		else if (k + 1 >= n || glyphs[k + 1].class != FOLD_DIGIT ||
				 (glyphs[k].code != ' ' && glyphs[k].code != '-' && glyphs[k].code != '.' && glyphs[k].code != '/'))
			break;
	}
	if (all >= 9 && all > digits && digits <= 5)
	{
		digits = all;
		end = k;
	}
	else if (end + 1 < n && (glyphs[end].code == ',' || glyphs[end].code == '.') && glyphs[end + 1].class == FOLD_DIGIT)
	{
		/* 1,000 and 1.50 */
		for (k = end; k < n && k < end + 16 && (glyphs[k].class == FOLD_DIGIT || glyphs[k].code == ',' || glyphs[k].code == '.'); k++)
			digits += glyphs[k].class == FOLD_DIGIT;
		end = k;
	}
	shape->digits += (int) digits;
	shape->numbers_long += digits >= 9 && digits <= 15;
	shape->numbers_short += digits == 5 || digits == 6;
	if ((i > 0 && glyphs[i - 1].class == FOLD_CURRENCY) || (i > 1 && glyphs[i - 2].class == FOLD_CURRENCY) ||
		(end < n && glyphs[end].class == FOLD_CURRENCY))
		shape->prices++;
	token->length = (size_t) snprintf(token->name, sizeof(token->name), "#%d", digits > 16 ? 16 : (int) digits);
	return end;
}

/*
 * Reads a word.
 */
static void
spam_word(const FoldGlyph *word, size_t n, SpamToken *token, SpamShape *shape, SpamFeatures *features)
{
	static const char letters[] = "oizeasgtbg";
	size_t		length = 0;
	size_t		digits = 0;
	size_t		capitals = 0;
	bool		inside = false;

	for (size_t i = 0; i < n; i++)
	{
		bool		digit = word[i].class == FOLD_DIGIT;

		digits += digit;
		capitals += word[i].upper;
		inside |= digit && i > 0 && i + 1 < n && FOLD_IS_LETTER(word[i - 1].class) && FOLD_IS_LETTER(word[i + 1].class);
		shape->foreign += FOLD_IS_LETTER(word[i].class) && word[i].class != FOLD_LATIN;
		if (i > 1 && word[i].code == word[i - 1].code && word[i].code == word[i - 2].code)
		{
			shape->repeated += i == 2 || word[i].code != word[i - 3].code;
			continue;
		}
		if (digit && i > 0 && word[i - 1].class == FOLD_DIGIT)
			continue;
		if (length + 4 <= TOKEN_MAX)
			length += roost_moderation_encode(digit ? '0' : word[i].code, token->name + length);
	}
	token->length = length;
	shape->letters += (int) (n - digits);
	shape->digits += (int) digits;
	shape->capitals += (int) capitals;
	shape->words++;
	shape->word_letters += (int) n;
	shape->shouted += n >= 3 && capitals == n - digits && capitals >= 3;
	if (inside && digits * 2 <= n && n >= 4 && n <= TOKEN_MAX)
	{
		char		meant[TOKEN_MAX + 4];
		size_t		used = 0;

		for (size_t i = 0; i < n && used + 4 <= TOKEN_MAX; i++)
		{
			uint32_t	code = word[i].code;

			if (code >= '0' && code <= '9')
				code = (unsigned char) letters[code - '0'];
			used += roost_moderation_encode(code, meant + used);
		}
		shape->disguised++;
		roost_moderation_spam_add(features, SPAM_WORD, meant, used);
	}
}

/*
 * Adds what stands in a row in a word.
 */
static void
spam_grams(const SpamToken *token, SpamFeatures *features)
{
	char		marked[TOKEN_MAX + 8];
	uint8_t		starts[TOKEN_MAX + 8];
	char		name[GRAM * 4 + 2] = ".";
	size_t		length = token->length + 2;
	int			n = 0;

	if (token->name[0] == '#' || token->name[0] == '~' || token->name[0] == '$' || features->counts[SPAM_GRAM] >= GRAMS_MAX)
		return;
	marked[0] = '_';
	memcpy(marked + 1, token->name, token->length);
	marked[length - 1] = '_';
	for (size_t i = 0; i < length; i++)
		if (((unsigned char) marked[i] & 0xc0) != 0x80)
			starts[n++] = (uint8_t) i;
	starts[n] = (uint8_t) length;
	for (int i = 0; i + GRAM <= n && n >= 5; i++)
	{
		size_t		bytes = starts[i + GRAM] - starts[i];

		memcpy(name + 1, marked + starts[i], bytes);
		roost_moderation_spam_add(features, SPAM_GRAM, name, bytes + 1);
	}
}

static void
spam_shapes(const SpamShape *shape, size_t length, int hidden, SpamFeatures *features)
{
	static const double lengths[] = {15, 30, 60, 100, 140, 200, 400, 1000};
	static const double parts[] = {0.001, 0.05, 0.12, 0.25, 0.5, 0.8};
	static const double counts[] = {1, 2, 3, 5, 9};
	static const double averages[] = {3.3, 3.8, 4.3, 5, 6};
	double		letters = shape->letters > 0 ? shape->letters : 1;
	double		words = shape->words > 0 ? shape->words : 1;

	spam_bucket(features, "=length", length, lengths, 8);
	spam_bucket(features, "=capitals", shape->capitals / letters, parts, 6);
	spam_bucket(features, "=digits", shape->digits / (length > 0 ? (double) length : 1), parts, 6);
	spam_bucket(features, "=shouted", shape->shouted / words, parts, 6);
	spam_bucket(features, "=exclamations", shape->exclamations, counts, 5);
	spam_bucket(features, "=questions", shape->questions, counts, 3);
	spam_bucket(features, "=links", shape->links, counts, 4);
	spam_bucket(features, "=mails", shape->mails, counts, 2);
	spam_bucket(features, "=names", shape->names, counts, 4);
	spam_bucket(features, "=tags", shape->tags, counts, 5);
	spam_bucket(features, "=currencies", shape->currencies, counts, 3);
	spam_bucket(features, "=prices", shape->prices, counts, 3);
	spam_bucket(features, "=percents", shape->percents, counts, 2);
	spam_bucket(features, "=pictures", shape->pictures, counts, 5);
	spam_bucket(features, "=long_numbers", shape->numbers_long, counts, 2);
	spam_bucket(features, "=short_codes", shape->numbers_short, counts, 2);
	spam_bucket(features, "=repeated", shape->repeated, counts, 4);
	spam_bucket(features, "=signs", shape->others, counts, 5);
	spam_bucket(features, "=disguised", shape->disguised, counts, 3);
	spam_bucket(features, "=hidden", hidden, counts, 4);
	spam_bucket(features, "=foreign", shape->foreign / letters, parts, 6);
	spam_bucket(features, "=lines", shape->lines, counts, 5);
	spam_bucket(features, "=word_length", shape->word_letters / words, averages, 5);
	if (shape->links > 0 && shape->words < 6)
		roost_moderation_spam_add(features, SPAM_SHAPE, "=link_alone", 11);
	if (shape->prices > 0 && (shape->numbers_long > 0 || shape->numbers_short > 0))
		roost_moderation_spam_add(features, SPAM_SHAPE, "=price_and_number", 17);
	if (shape->links > 0 && shape->exclamations > 0)
		roost_moderation_spam_add(features, SPAM_SHAPE, "=link_and_exclamation", 21);
}

/*
 * Adds the name with the number of bounds that the value reaches; none if it
 * reaches none.
 */
static void
spam_bucket(SpamFeatures *features, const char *name, double value, const double *bounds, int n)
{
	char		full[SPAM_NAME_MAX];
	int			reached = 0;
	size_t		length;

	while (reached < n && value >= bounds[reached])
		reached++;
	if (reached == 0)
		return;
	length = strlen(name);
	memcpy(full, name, length);
	full[length] = ':';
	full[length + 1] = (char) ('0' + reached);
	roost_moderation_spam_add(features, SPAM_SHAPE, full, length + 2);
}

/*
 * Adds a feature, unless the text has it already or there is no more room.
 */
void
roost_moderation_spam_add(SpamFeatures *features, SpamKind kind, const char *name, size_t length)
{
	uint64_t	hash = roost_moderation_spam_hash(name, length);
	uint32_t	mask = features->places - 1;
	uint32_t	at = (uint32_t) (hash >> 32) & mask;

	if (features->count >= SPAM_FEATURES_MAX - (kind == SPAM_SHAPE ? 0 : SHAPES_ROOM))
		return;
	for (; features->seen[at] != 0; at = (at + 1) & mask)
		if (features->hashes[features->seen[at] - 1] == hash)
			return;
	features->hashes[features->count] = hash;
	features->kinds[features->count] = (uint8_t) kind;
	features->counts[kind]++;
	if (features->names != NULL)
	{
		char	   *copy = features->names + (size_t) features->count * SPAM_NAME_MAX;

		memcpy(copy, name, length);
		copy[length] = '\0';
	}
	features->seen[at] = (uint16_t) ++features->count;
	if (features->count * 2 > features->places && features->places < SPAM_FEATURES_MAX * 2)
		spam_places(features, features->places * 2);
}

/*
 * Begins with that many places for hashes: no more than a short text needs are
 * emptied and touched.
 */
static void
spam_places(SpamFeatures *features, uint32_t places)
{
	features->places = places;
	memset(features->seen, 0, places * sizeof(features->seen[0]));
	for (int i = 0; i < features->count; i++)
	{
		uint32_t	at = (uint32_t) (features->hashes[i] >> 32) & (places - 1);

		while (features->seen[at] != 0)
			at = (at + 1) & (places - 1);
		features->seen[at] = (uint16_t) (i + 1);
	}
}

/*
 * Returns how many code points of a text are not seen, less those that belong
 * to emoji.
 */
static int
spam_hidden(const char *text, size_t length)
{
	int			hidden = 0;

	for (size_t i = 0; i < length;)
	{
		uint32_t	code;

		if ((unsigned char) text[i] < 0xc2)
		{
			i++;
			continue;
		}
		i += roost_moderation_decode(text + i, length - i, &code);
		hidden += code != 0xfe0f && code != 0x200d && !(code >= 0x1f3fb && code <= 0x1f3ff) && code < 0xe0000 &&
			roost_moderation_class(code) == FOLD_IGNORED;
	}
	return hidden;
}

/*
 * Returns the hash by which features are found: FNV-1a, mixed.
 */
uint64_t
roost_moderation_spam_hash(const char *name, size_t length)
{
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) name[i]) * UINT64_C(0x100000001b3);
	hash ^= hash >> 32;
	return hash * UINT64_C(0x9e3779b97f4a7c15);
}

/*
 * Returns what the i-th feature counts.
 */
float
roost_moderation_spam_value(const SpamFeatures *features, int i)
{
	return features->values[features->kinds[i]];
}

/*
 * Returns the probability of which the sum is the logarithm of the odds.
 */
double
roost_moderation_spam_probability(double sum)
{
	return 1 / (1 + exp(-sum));
}
