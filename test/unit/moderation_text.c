/*
 * The forms of texts, listed words, gibberish and fingerprints: cases, bounds,
 * and texts that end where no byte may be read.
 */
#include "tap.h"

#include "moderation/fold.c"
#include "moderation/gibberish.c"
#include "moderation/simhash.c"
#include "moderation/word.c"
#include "moderation/word_hit.c"
#include "moderation/word_language.c"

#define LONG 65536

static FoldGlyph glyphs[FOLD_BOUND(LONG)];
static char scratch[WORD_SCRATCH(FOLD_BOUND(LONG))];

static size_t
fold(const char *text, size_t length, FoldForm form)
{
	size_t		n = roost_moderation_fold(guarded(text, length), length, form, glyphs);

	if (n > FOLD_BOUND(length))
		abort();
	return n;
}

static const char *
form_of(const char *text, FoldForm form)
{
	static char out[4096];
	size_t		n = fold(text, strlen(text), form);
	size_t		used = 0;

	for (size_t i = 0; i < n; i++)
		used += roost_moderation_encode(glyphs[i].code, out + used);
	out[used] = '\0';
	return out;
}

static void
reads(const char *text, FoldForm form, const char *expected)
{
	const char *got = form_of(text, form);

	ok(strcmp(got, expected) == 0, text);
	if (strcmp(got, expected) != 0)
		printf("# got \"%s\", expected \"%s\"\n", got, expected);
}

/* A set of some words */
static WordEntry entries[] = {
	{.word = "cock",.kind = "k",.language = "en",.severity = 0.7f,.whole = true},
	{.word = "ass",.kind = "k",.language = "en",.severity = 0.7f,.whole = true},
	{.word = "cunt",.kind = "k",.language = "en",.severity = 0.9f},
	{.word = "scunthorpe",.kind = "k",.language = "en",.severity = 0.5f,.allowed = true},
	{.word = "big black",.kind = "k",.language = "en",.severity = 0.4f,.whole = true},
	{.word = "raping",.kind = "k",.language = "en",.severity = 0.9f,.whole = true},
	{.word = "\xe3\x82\xbb\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9",.kind = "k",.language = "ja",.severity = 0.7f,.whole = true},
	{.word = "\xe8\x82\x9b\xe9\x96\x80",.kind = "k",.language = "ja",.severity = 0.7f,.whole = true},
	{.word = "fan",.kind = "k",.language = "sv",.severity = 0.7f,.whole = true},
	{.word = "\xf0\x9f\x96\x95",.kind = "k",.language = "",.severity = 0.7f,.whole = true},
	{.word = "\xd0\xb1\xd0\xbb\xd1\x8f",.kind = "k",.language = "ru",.severity = 0.7f,.whole = true},
};
static WordEdge edges[512];
static int32_t first[512];
static WordSet set = {.entries = entries,.edges = edges,.edge_mask = 511,.first = first,.num_nodes = 1,.room = 512};

static void
set_up(void)
{
	first[1] = -1;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
	{
		FoldGlyph	room[FOLD_BOUND(64)];
		uint32_t	symbols[WORD_MAX];
		int			n = roost_moderation_word_symbols(entries[i].word, strlen(entries[i].word), room, symbols);

		roost_moderation_word_add(&set, (int) i, symbols, n);
		set.num_entries++;
	}
}

static int
find(const char *text, size_t length, const char *language, WordHit *hits)
{
	size_t		n = fold(text, length, FOLD_BARE);
	const char *guessed = roost_moderation_word_language(glyphs, n, language);
	int			found = roost_moderation_word_find(&set, glyphs, n, language, guessed, scratch, hits, 0);

	return roost_moderation_word_settle(&set, hits, found);
}

static void
finds(const char *text, int expected)
{
	WordHit		hits[WORD_HITS];
	int			n = find(text, strlen(text), "en", hits);

	ok(n == expected, text);
	if (n != expected)
		printf("# %d hits, expected %d\n", n, expected);
}

static void
words(void)
{
	static const char *const guilty[] = {
		"cock", "COCK", "cocks", "a cock.", "c0ck", "c o c k", "c.o.c.k", "c-o-c-k", "c.ock", "co-ck", "coooock", "ccccock", "c\xe2\x80\x8bo\xe2\x80\x8b" "ck",
		"\xd1\x81\xd0\xbe\xd1\x81k", "\xe2\x93\x92\xe2\x93\x9e\xe2\x93\x92\xe2\x93\x9a", "\xf0\x9d\x93\xac\xf0\x9d\x93\xb8\xf0\x9d\x93\xac\xf0\x9d\x93\xb4",
		"c\xcc\xb4\xcc\xa2o\xcc\xb5" "c\xcc\x81\xcc\xb6k\xcc\xb5", "c*ck", "(0ck", "#MyCockTale", "cock69", "@ss", "a$$", "4ss", "a55", "my cunts", "big  black", "big-black", "b1g bl4ck", "\xf0\x9f\x96\x95", "\xef\xbd\x83\xef\xbd\x8f\xef\xbd\x83\xef\xbd\x8b",
		"\xf0\x9f\x87\xa8\xf0\x9f\x87\xb4\xf0\x9f\x87\xa8\xf0\x9f\x87\xb0", "c\xc3\xb6" "ck"
	};
	static const char *const innocent[] = {
		"Scunthorpe", "cocktail", "Hancock", "peacock", "Cockburn", "assassin", "class", "mass", "assets", "a s s e t s", "rapping", "455", "A55", "$$", "http://cock.example/cock", "www.cock.example",
		"me@cock.example", "5f4dcc3b5aa765d61d8327deb882cf99", "fan", "co", "c", "", "  ", "bigger blackbird", "coc k", "**c**", "c*", "cockatoo", "#cocktails"
	};
	WordHit		hits[WORD_HITS];
	int			n;

	for (size_t i = 0; i < sizeof(guilty) / sizeof(guilty[0]); i++)
		finds(guilty[i], 1);
	for (size_t i = 0; i < sizeof(innocent) / sizeof(innocent[0]); i++)
		finds(innocent[i], 0);

	ok(roost_moderation_word_is_latin("en") && !roost_moderation_word_is_latin("am") && !roost_moderation_word_is_latin("zh") &&
	   roost_moderation_word_is_latin(" am") && roost_moderation_word_is_latin(""), "which languages have other letters");
	n = find("so c0ck it", 10, NULL, hits);
	ok(n == 1 && hits[0].start == 3 && hits[0].end == 7 && hits[0].disguised, "where it stands");
	ok(find("\xe8\x82\x9b\xe9\x96\x80\xe3\x81\xae", 9, "ja", hits) == 1, "scripts without spaces match inside");
	ok(find("\xe3\x82\xa8\xe3\x82\xbb\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9", 15, "ja", hits) == 0, "but not behind katakana: Essex");
	ok(find("\xe3\x81\xae\xe3\x82\xbb\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9", 15, "ja", hits) == 1, "behind hiragana");
	ok(find("\xd0\xb1\xd0\xbb\xd1\x8f", 6, "ru", hits) == 1, "a Cyrillic word stays Cyrillic");
	n = find("I am a fan of this team and you are not", 39, NULL, hits);
	ok(n == 1 && hits[0].severity < 0.3f, "words of other languages weigh less");
	n = find("fan", 3, NULL, hits);
	ok(n == 1 && hits[0].severity > 0.6f, "where the language is not known they weigh all");
	ok(find("och det var som fan", 19, NULL, hits) == 1 && hits[0].severity > 0.6f, "in their own, too");
	hits[0].severity = 0.5f;
	hits[1].severity = 0.5f;
	ok(roost_moderation_word_score(hits, 2) == 0.75f, "what two hits leave is multiplied");
}

static void
forms(void)
{
	reads("Hello   World", FOLD_READER, "hello world");
	reads("\xef\xbc\xa8\xef\xbd\x89", FOLD_READER, "hi");
	reads("Stra\xc3\x9f" "e", FOLD_READER, "strasse");
	reads("e\xcc\x81", FOLD_READER, "\xc3\xa9");
	reads("\xc3\x89", FOLD_READER, "\xc3\xa9");
	reads("\xc3\xa9", FOLD_BARE, "e");
	reads("a\xcc\x81\xcc\x82\xcc\x83", FOLD_READER, "a");
	reads("\xe1\xba\xbf", FOLD_READER, "\xe1\xba\xbf");
	reads("e\xcc\x82\xcc\x81", FOLD_READER, "\xe1\xba\xbf");
	reads("q\xcc\x87\xcc\xa3", FOLD_READER, "q\xcc\xa3\xcc\x87");
	reads("p\xd0\xb0ypal", FOLD_READER, "paypal");
	reads("p\xd0\xb0ypal", FOLD_HOST, "p\xd0\xb0ypal");
	reads("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", FOLD_READER, "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
	reads("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2" "e\xd1\x82\xd1\x8b", FOLD_READER, "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\xd1\x8b");
	reads("\xd1\x81\xd0\xbe\xd1\x81", FOLD_READER, "\xd1\x81\xd0\xbe\xd1\x81");
	reads("\xd1\x81\xd0\xbe\xd1\x81", FOLD_LOOKS, "coc");
	reads("\xe3\x81\x8b\xe3\x82\x99", FOLD_READER, "\xe3\x81\x8c");
	reads("\xed\x95\x9c\xea\xb5\xad", FOLD_READER, "\xed\x95\x9c\xea\xb5\xad");
	reads("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", FOLD_READER, "\xed\x95\x9c");
	reads("a\xe2\x80\x8b\xc2\xad\xe2\x81\xa0" "b", FOLD_READER, "ab");
	reads("\xd9\xa1\xd9\xa2", FOLD_READER, "12");
	reads("\xff\xc0\x80\xed\xa0\x80", FOLD_READER, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static float
gibberish(const char *text)
{
	return roost_moderation_gibberish(glyphs, fold(text, strlen(text), FOLD_BARE));
}

static void
nonsense(void)
{
	static const char *const senseless[] = {
		"asdfkjhasdf", "qwertyuiop", "dfgkjh sdkfjh skdjfh", "wkejrh ajshd jkahsd", "aGVsbG8gd29ybGQ3NzNkZmdo", "\xcf\x83\xce\xb4\xcf\x86\xce\xb3\xce\xb7\xce\xbe\xce\xba\xce\xbb",
		"\xe3\x85\x81\xe3\x84\xb4\xe3\x85\x87\xe3\x84\xb9\xe3\x85\x81\xe3\x84\xb4"
	};
	static const char *const sense[] = {
		"", "ok", "The quick brown fox", "Krzysztof Szczepa\xc5\x84ski", "strengths", "hahahahaha lol", "getElementById(document)", "https://asdfkjh.example/sdkjfh", "#sdkjfhskdjfh", "@sdkjfhskdjfh",
		"5f4dcc3b5aa765d61d8327deb882cf99", "NASA HTML XKCD", "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xd0\xba\xd0\xb0\xd0\xba \xd0\xb4\xd0\xb5\xd0\xbb\xd0\xb0", "\xe3\x85\x8b\xe3\x85\x8b\xe3\x85\x8b\xe3\x85\x8b\xe3\x85\x8b", "\xe4\xbd\xa0\xe5\xa5\xbd",
		"Ich h\xc3\xa4tte gern ein St\xc3\xbc" "ck Schwarzw\xc3\xa4lder Kirschtorte"
	};

	for (size_t i = 0; i < sizeof(senseless) / sizeof(senseless[0]); i++)
		ok(gibberish(senseless[i]) > 0.8f, senseless[i]);
	for (size_t i = 0; i < sizeof(sense) / sizeof(sense[0]); i++)
		ok(gibberish(sense[i]) < 0.3f, sense[i]);
}

static uint64_t
simhash(const char *text)
{
	return roost_moderation_simhash(glyphs, fold(text, strlen(text), FOLD_BARE));
}

static int
distance(const char *a, const char *b)
{
	return __builtin_popcountll(simhash(a) ^ simhash(b));
}

/*
 * The vectors of docs/moderation.md: what is stored must stay comparable.
 */
static void
fingerprints(void)
{
	static const struct
	{
		const char *text;
		uint64_t	simhash;
	}			vectors[] = {
		{"", 0},
		{"Hello", UINT64_C(0xd3f581a73e1c6960)},
		{"The quick brown fox jumps over the lazy dog", UINT64_C(0xb2244c458289213a)},
		{"\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf\xe4\xb8\x96\xe7\x95\x8c", UINT64_C(0x251a80060c8108)},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
	{
		ok(simhash(vectors[i].text) == vectors[i].simhash, vectors[i].text);
		if (simhash(vectors[i].text) != vectors[i].simhash)
			printf("# got %llx\n", (unsigned long long) simhash(vectors[i].text));
	}
	ok(distance("Buy cheap pills at our new store today", "@ada BUY   cheap p\xc3\xadlls, at our new store today!!! \xf0\x9f\x94\xa5") == 0, "dressed up it is the same");
	ok(distance("Win at http://a.example/x1 right now friends", "Win at http://a.example/y2?z right now friends") == 0, "paths of links do not count");
	ok(distance("Buy cheap pills at our new store today", "Buy cheap drugs at our new store today") <= 16, "a word changed is near");
	ok(distance("Buy cheap pills at our new store today", "Nobody expected the match to end like this") > 18, "another text is not");
	ok(distance("good morning", "good night") > 10, "short texts are near only if equal");
	ok(simhash("\xf0\x9f\x94\xa5") != 0, "pictures alone are not nothing");
}

/*
 * Long texts of one kind, valid or not, and all mixtures of some pieces.
 */
static void
hostile(void)
{
	static const char *const pieces[] = {
		"a", "c", "co", "c.", "c ", "o", "*", "c*", "@", "$", "1", "\xcc\x81", "\xcc\xb5\xcc\xa3", "\xd0\xb0", "\xd1\x81\xd0\xbe", "\xef\xb7\xba", "\xff", "\xf0\x9f\x87\xa8", "\xe2\x80\x8b", "\xe3\x82\xbb\xe3\x83\x83",
		"\xe1\x84\x92\xe1\x85\xa1", "big ", "asdf", "http://", "w", "#", "\xe8\x82\x9b", "0", "(", "cock", "ass ", "\xcd\x85\xcc\x81"
	};
	static char text[LONG];
	int			count = sizeof(pieces) / sizeof(pieces[0]);
	WordHit		hits[WORD_HITS];
	bool		good = true;

	for (int i = 0; i < count; i++)
	{
		size_t		length = 0;

		for (; length + strlen(pieces[i]) <= LONG; length += strlen(pieces[i]))
			memcpy(text + length, pieces[i], strlen(pieces[i]));
		good &= find(text, length, NULL, hits) <= WORD_HITS;
		fold(text, length, FOLD_READER);
		fold(text, length, FOLD_LOOKS);
		roost_moderation_gibberish(glyphs, fold(text, length, FOLD_BARE));
		roost_moderation_simhash(glyphs, fold(text, length, FOLD_BARE));
	}
	ok(good, "64 KiB of anything");
	for (int i = 0; i < count * count * count; i++)
	{
		size_t		length = 0;

		for (int k = 0, rest = i; k < 3; k++, rest /= count)
		{
			memcpy(text + length, pieces[rest % count], strlen(pieces[rest % count]));
			length += strlen(pieces[rest % count]);
		}
		text[length] = '\0';
		find(text, length, "en", hits);
		gibberish(text);
		simhash(text);
	}
	ok(true, "every mixture of three pieces");
}

int
main(void)
{
	set_up();
	forms();
	words();
	nonsense();
	fingerprints();
	hostile();
	printf("1..%d\n", tests);
	return failed > 0;
}
