/*
 * Features of texts and the fit of weights to samples.
 */
#include "tap.h"

#include "moderation/fold.c"
#include "moderation/spam.c"
#include "moderation/spam_link.c"
#include "moderation/spam_fit.c"

typedef const char *Name;

static FoldGlyph glyphs[FOLD_BOUND(SPAM_TEXT_MAX)];
static char names[SPAM_FEATURES_MAX * SPAM_NAME_MAX];
static SpamFeatures features = {.names = names};

static void
take(const char *text, size_t length)
{
	roost_moderation_spam_features(guarded(text, length), length, glyphs, &features);
	for (int i = 0; i < features.count; i++)
	{
		const char *name = names + (size_t) i * SPAM_NAME_MAX;

		if (roost_moderation_spam_hash(name, strlen(name)) != features.hashes[i])
			abort();
	}
}

static bool
has(const char *name)
{
	for (int i = 0; i < features.count; i++)
		if (strcmp(names + (size_t) i * SPAM_NAME_MAX, name) == 0)
			return true;
	return false;
}

static void
has_all(const char *text, const Name *expected)
{
	take(text, strlen(text));
	for (; *expected != NULL; expected++)
	{
		char		what[256];

		snprintf(what, sizeof(what), "%s has %s", text, *expected);
		ok(has(*expected), what);
	}
}

static void
names_of(void)
{
	has_all("Win \xc2\xa3" "1,000 now", (Name[]) {"win", "#4", "$", "$ #4", "#4 now", "^ win", "=prices:1", "=currencies:1", NULL});
	has_all("call 0800 555 1234", (Name[]) {"#11", "=long_numbers:1", NULL});
	has_all("text 87121 150p", (Name[]) {"#5", "0p", "=short_codes:1", NULL});
	has_all("see www.example.com/x and bit.ly/abc", (Name[]) {"~url", "~.com", "~.ly", "=links:2", NULL});
	has_all("mail me@example.org", (Name[]) {"~mail", "=mails:1", NULL});
	has_all("@ada #free", (Name[]) {"~name", "free", "=names:1", "=tags:1", NULL});
	has_all("buy v1agra", (Name[]) {"v0agra", "viagra", "=disguised:1", NULL});
	has_all("FREE PRIZE", (Name[]) {"free", "=shouted:6", "=capitals:6", NULL});
	has_all("fr\xe2\x80\x8b" "ee", (Name[]) {"free", "=hidden:1", NULL});
	has_all("fr\xd0\xb5" "e", (Name[]) {"free", NULL});
	has_all("http://x.example", (Name[]) {"=link_alone", NULL});
	has_all("viagra ab", (Name[]) {"._via", ".iagr", ".gra_", NULL});
	has_all("\xd0\xb4\xd0\xbe\xd0\xbc\xd0\xb0", (Name[]) {"._\xd0\xb4\xd0\xbe\xd0\xbc", ".\xd0\xb4\xd0\xbe\xd0\xbc\xd0\xb0", NULL});
	has_all("visit kidsmedia . com now", (Name[]) {"~url", "=link_spaced", "=links:1", "~url now", NULL});
	has_all("http://a.example.org/b?x=1&aff_id=7", (Name[]) {"~/example.org", "~.org", "=link_path", "=link_query", "=link_referral", NULL});
	has_all("bit.ly/abc", (Name[]) {"~/bit.ly", "=link_path", NULL});
	take("the end . company news", 22);
	ok(!has("=link_spaced") && !has("~url"), "a sentence that ends is no link");
	take("see http://a.example.org/aff", 28);
	ok(!has("=link_query") && !has("=link_referral"), "a path is no query");
	take("", 0);
	ok(features.count == 0, "nothing has none");
	take("a a a a a a a a a", 17);
	ok(has("a") && has("a a") && features.counts[SPAM_WORD] == 3, "each once");
	ok(roost_moderation_spam_value(&features, 0) > 1.7f && roost_moderation_spam_value(&features, features.count - 1) == 1, "words share what they count");
}

static void
hostile(void)
{
	static const char *const pieces[] = {
		"a ", "\xef\xb7\xba", "1", "1 ", "1-", "a.", "@a ", "http://", "\xff", "!", "a1", "\xe3\x81\x82", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ", "\xcc\x81", "a'b ", "a@", "$1 ", "\xf0\x9d\x93\xac"
	};
	static char text[65536];
	int			count = sizeof(pieces) / sizeof(pieces[0]);

	for (int i = 0; i < count; i++)
	{
		size_t		length = 0;

		for (; length + strlen(pieces[i]) <= sizeof(text); length += strlen(pieces[i]))
			memcpy(text + length, pieces[i], strlen(pieces[i]));
		take(text, length);
	}
	ok(true, "64 KiB of anything");
	for (size_t i = 0, k = 0; k + 8 < sizeof(text); i++)
		k += (size_t) snprintf(text + k, 8, "%c%c%c ", 'a' + (int) (i % 26), 'a' + (int) (i / 26 % 26), 'a' + (int) (i / 676 % 26));
	take(text, sizeof(text) - 16);
	ok(features.count <= SPAM_FEATURES_MAX && has("=length:8"), "more words than there is room for leave room for shapes");
	ok(features.counts[SPAM_GRAM] <= GRAMS_MAX && features.counts[SPAM_GRAM] > GRAMS_MAX / 2, "letters leave room for words");
	for (int i = 0; i < count * count * count; i++)
	{
		size_t		length = 0;

		for (int k = 0, rest = i; k < 3; k++, rest /= count)
		{
			memcpy(text + length, pieces[rest % count], strlen(pieces[rest % count]));
			length += strlen(pieces[rest % count]);
		}
		take(text, length);
	}
	ok(true, "every mixture of three pieces");
}

static void
fits(void)
{
	/*
	 * feature 1 speaks for spam in nine of ten samples, feature 2 says
	 * nothing
	 */
	static FitTerm terms[4000];
	static FitSample samples[2000];
	static uint32_t order[2000];
	float		weights[3];
	float		again[3];
	float		squares[3];
	FitProblem	problem = {.terms = terms,.samples = samples,.num_samples = 2000,.num_features = 3,.epochs = 20,.rate = 0.2,.seed = 7};
	FitMetrics	metrics;
	double		slope;
	double		shift;
	size_t		used = 0;

	for (int i = 0; i < 2000; i++)
	{
		bool		spam = i % 2 == 0;

		samples[i] = (FitSample) {.first = used,.is_spam = spam,.is_held = i % 7 == 0};
		if (spam == (i / 2 % 10 != 0))
			terms[used++] = (FitTerm) {1, 1};
		if (i / 7 % 2 == 0)
			terms[used++] = (FitTerm) {2, 1};
		samples[i].count = (uint32_t) (used - samples[i].first);
	}
	roost_moderation_fit(&problem, false, weights, squares, order, NULL);
	ok(weights[1] > 3 && weights[1] < 6, "a feature that tells");
	ok(fabs(weights[2]) < 0.5, "a feature that does not");
	roost_moderation_fit(&problem, false, again, squares, order, NULL);
	ok(memcmp(weights, again, sizeof(weights)) == 0, "the same again");
	roost_moderation_fit_calibrate(&problem, weights, &slope, &shift);
	roost_moderation_fit_measure(&problem, weights, slope, shift, &metrics);
	ok(slope > 0.5 && slope < 2 && fabs(shift) < 1, "calibrated");
	ok(metrics.samples == 286 && metrics.spam == 143 && metrics.accuracy > 0.85 && metrics.loss < 0.5, "measured on those held out");
	problem.l2 = 1;
	roost_moderation_fit(&problem, true, again, squares, order, NULL);
	ok(fabs(again[1]) < fabs(weights[1]), "a penalty makes weights small");
	ok(roost_moderation_spam_probability(0) == 0.5, "even odds");
}

int
main(void)
{
	names_of();
	hostile();
	fits();
	printf("1..%d\n", tests);
	return failed > 0;
}
