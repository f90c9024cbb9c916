/*
 * What a text looks like, the keys of its copies, and how reputation moves
 * thresholds: hostile texts end at a page that cannot be read.
 */
#include "tap.h"

#include "moderation/fold.c"
#include "moderation/shape.c"
#include "moderation/threshold.h"

#define KEYS 4

static FoldGlyph *glyphs;

static size_t
fold(const char *text)
{
	size_t		length = strlen(text);

	return roost_moderation_fold(guarded(text, length), length, FOLD_BARE, glyphs);
}

static TextShape
shape_of(const char *text)
{
	TextShape	shape;

	roost_moderation_shape(glyphs, fold(text), &shape);
	return shape;
}

/* Returns how many keys two texts have in common. */
static int
common(const char *first, const char *second)
{
	uint32_t	a[KEYS];
	uint32_t	b[KEYS];
	int			count = 0;

	roost_moderation_shingles(glyphs, fold(first), a, KEYS);
	roost_moderation_shingles(glyphs, fold(second), b, KEYS);
	for (int i = 0; i < KEYS; i++)
	{
		bool		found = false;

		for (int j = 0; j < KEYS; j++)
			found |= a[i] == b[j];
		count += found;
	}
	return count;
}

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void
test_shape(void)
{
	char		long_text[16000];

	ok(shape_of("").letters == 0 && shape_of("").capitals == 0, "an empty text");
	ok(shape_of("@somebody @else_1 hi").letters == 2, "mentions are no letters of it");
	ok(shape_of("mail me@example.org").letters == 16, "an address is no mention");
	ok(shape_of("NO").capitals == 0, "few letters are no shouting");
	ok(near(shape_of("THIS IS ALL IN CAPITALS NOW").capitals, 1), "shouting");
	ok(near(shape_of("ABCDEFGHIJ abcdefghij").capitals, 0.5), "half of it");
	ok(near(shape_of("spam spam spam spam spam spam spam spam").repetition, 7.0 / 8), "the same word");
	ok(shape_of("eight different words are in this short text").repetition == 0, "different words");
	ok(near(shape_of("!!!!!!!!!!!!!!!!!!!!!!!!!").repetition, 1), "one character");
	ok(shape_of("one two three").repetition == 0, "of few words nothing is said");

	for (size_t i = 0; i + 1 < sizeof(long_text); i++)
		long_text[i] = i % 3 == 2 ? ' ' : 'a' + (i * 7 + i / 26) % 26;
	long_text[sizeof(long_text) - 1] = '\0';
	ok(shape_of(long_text).words == WORDS_MAX, "no more words than are counted");
	ok(shape_of("@").letters == 0 && shape_of("@@@@ @ _").letters == 0, "only signs of mentions");
}

static void
test_keys(void)
{
	const char *text = "buy the very best watches at half the price today from our shop";
	uint32_t	keys[KEYS];
	char		word[16];
	int			least = KEYS;

	ok(common(text, text) == KEYS, "the same text");
	ok(common(text, "BUY the  very best WATCHES at half, the price today! from our shop") == KEYS, "case, spacing and signs make no difference");
	ok(common(text, "@bob buy the very best watches at half the price today from our shop") == KEYS, "nor do mentions");
	ok(common(text, "my grandmother keeps three cats and a very old dog in her garden") == 0, "another text");

	/* whichever word is changed, two keys stay */
	for (int changed = 0; changed < 13; changed++)
	{
		char		copy[200] = "";
		char		source[200];
		char	   *rest = source;
		int			n = 0;

		strcpy(source, text);
		snprintf(word, sizeof(word), "zzz%d", changed);
		for (char *token; (token = strsep(&rest, " ")) != NULL; n++)
		{
			strcat(copy, n == changed ? word : token);
			strcat(copy, " ");
		}
		if (common(text, copy) < least)
			least = common(text, copy);
	}
	ok(least >= 2, "of a text with one word changed two keys stay");

	roost_moderation_shingles(glyphs, fold("word"), keys, KEYS);
	ok(keys[0] == keys[KEYS - 1] && keys[0] != UINT32_MAX, "one word has one key");
	roost_moderation_shingles(glyphs, fold(""), keys, KEYS);
	ok(keys[0] == UINT32_MAX, "none has none");
	ok(common("of the it is in an or of to be", "of the big it is old in an") < KEYS, "common words come last");
}

static void
test_thresholds(void)
{
	ok(near(roost_reputation(1, 0), 1) && near(roost_reputation(0, 0), 0), "from 0 to 1 without burden");
	ok(roost_reputation(1, 1e6) > -2 && roost_reputation(0, 1e6) < -1.99, "not below -2");
	ok(near(roost_reputation_standing(180, 200), 1) && near(roost_reputation_standing(1000, 1e6), 1), "standing ends at 1");
	ok(near(roost_reputation_standing(-5, 100), 0), "nor is it below 0");
	ok(near(roost_reputation_threshold(0.9, true, 0), 0.9), "without reputation nothing moves");
	ok(near(log(roost_reputation_threshold(0.9, true, -1) / (1 - roost_reputation_threshold(0.9, true, -1))), log(9) - 1), "the odds change by e");
	ok(near(roost_reputation_threshold(1, true, -2), 1) && near(roost_reputation_threshold(1, true, 1), 1), "certainty stays certainty");
	ok(near(roost_reputation_threshold(20, false, 1), 40) && near(roost_reputation_threshold(20, false, -2), 5), "counts double and halve");
	ok(near(roost_reputation_threshold(1, false, -2), 1), "a count is at least 1");
	ok(near(roost_reputation_threshold(6, false, 0.001), 6), "counts are whole numbers");
	ok(isinf(roost_reputation_threshold(INFINITY, false, -2)), "no bound stays none");
}

int
main(void)
{
	glyphs = malloc(FOLD_BOUND(65536) * sizeof(FoldGlyph));
	test_shape();
	test_keys();
	test_thresholds();
	printf("1..%d\n", tests);
	free(glyphs);
	return failed > 0;
}
