/*
 * libFuzzer driver for the analyzers; the fuzzer's input ends where reading on
 * is found out.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -Iextension -D_GNU_SOURCE test/fuzz/moderation.c -lm
 */
#include <stdio.h>
#include <stdlib.h>

#include "moderation/fold.c"
#include "moderation/gibberish.c"
#include "moderation/punycode.c"
#include "moderation/simhash.c"
#include "moderation/spam.c"
#include "moderation/spam_link.c"
#include "moderation/url.c"
#include "moderation/word.c"
#include "moderation/word_hit.c"
#include "moderation/word_language.c"

static WordEntry entries[] = {
	{.word = "cock",.kind = "k",.language = "en",.severity = 0.7f,.whole = true},
	{.word = "cunt",.kind = "k",.language = "en",.severity = 0.9f},
	{.word = "scunthorpe",.kind = "k",.language = "en",.severity = 0.5f,.allowed = true},
	{.word = "a b c",.kind = "k",.language = "",.severity = 0.4f,.whole = true},
	{.word = "\xe3\x82\xbb\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9",.kind = "k",.language = "ja",.severity = 0.7f,.whole = true},
};
static WordEdge edges[256];
static int32_t first[256];
static WordSet set = {.entries = entries,.edges = edges,.edge_mask = 255,.first = first,.num_nodes = 1,.room = 256};

static void
set_up(void)
{
	first[1] = -1;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++, set.num_entries++)
	{
		FoldGlyph	room[FOLD_BOUND(64)];
		uint32_t	symbols[WORD_MAX];
		int			n = roost_moderation_word_symbols(entries[i].word, strlen(entries[i].word), room, symbols);

		roost_moderation_word_add(&set, (int) i, symbols, n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	FoldGlyph  *glyphs = malloc(FOLD_BOUND(size) * sizeof(FoldGlyph));
	SpamFeatures *features = malloc(sizeof(SpamFeatures));
	UrlParts   *parts = malloc(sizeof(UrlParts));
	WordHit		hits[WORD_HITS];
	uint32_t	codes[64];
	void	   *scratch;
	size_t		n;
	int			found;
	float		score;

	if (set.num_entries == 0)
		set_up();
	for (FoldForm form = FOLD_HOST; form <= FOLD_LOOKS; form++)
	{
		n = roost_moderation_fold(text, size, form, glyphs);
		if (n > FOLD_BOUND(size))
			abort();
		for (size_t i = 0; i < n; i++)
			if (glyphs[i].code > 0x10ffff || glyphs[i].position >= size || (i > 0 && glyphs[i].position < glyphs[i - 1].position && glyphs[i].class != FOLD_MARK && glyphs[i].class != FOLD_LETTER_MARK))
				abort();
	}
	n = roost_moderation_fold(text, size, FOLD_BARE, glyphs);
	scratch = malloc(WORD_SCRATCH(n));
	found = roost_moderation_word_find(&set, glyphs, n, NULL, roost_moderation_word_language(glyphs, n, NULL), scratch, hits, 0);
	found = roost_moderation_word_settle(&set, hits, found);
	for (int i = 0; i < found; i++)
		if (hits[i].start >= hits[i].end || hits[i].end > size)
			abort();
	score = roost_moderation_gibberish(glyphs, n);
	if (!(score >= 0 && score <= 1))
		abort();
	roost_moderation_simhash(glyphs, n);
	features->names = malloc((size_t) SPAM_FEATURES_MAX * SPAM_NAME_MAX);
	roost_moderation_spam_features(text, size, glyphs, features);
	if (features->count > SPAM_FEATURES_MAX || features->counts[SPAM_WORD] + features->counts[SPAM_GRAM] + features->counts[SPAM_SHAPE] != features->count)
		abort();
	roost_moderation_url_parse(text, size, parts);
	if (strlen(parts->host) >= URL_HOST_MAX || strlen(parts->unicode) >= URL_HOST_MAX || strlen(parts->skeleton) >= URL_HOST_MAX)
		abort();
	roost_moderation_punycode(text, size, codes, 64);
	free(scratch);
	free(features->names);
	free(features);
	free(parts);
	free(glyphs);
	return 0;
}
