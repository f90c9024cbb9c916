/*-------------------------------------------------------------------------
 *
 * spam.h
 *		What of a text tells spam from other texts, and a linear model of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_SPAM_H
#define ROOST_MODERATION_SPAM_H

#include "moderation/fold.h"

#define SPAM_NAME_MAX		64	/* bytes of a feature's name */
#define SPAM_TEXT_MAX		8192	/* bytes of a text that are looked at */
#define SPAM_FEATURES_MAX	4096	/* of a text */
#define SPAM_BIAS			"(bias)"

/* What a feature is; those of a kind count the same in a text */
typedef enum SpamKind
{
	SPAM_WORD,					/* words and pairs of words */
	SPAM_GRAM,					/* letters in a row */
	SPAM_SHAPE
} SpamKind;

/* The features of a text, each once */
typedef struct SpamFeatures
{
	int			count;
	int			counts[SPAM_SHAPE + 1];
	float		values[SPAM_SHAPE + 1];
	uint64_t	hashes[SPAM_FEATURES_MAX];
	uint8_t		kinds[SPAM_FEATURES_MAX];
	uint32_t	places;			/* of `seen` in use, a power of two */
	uint16_t	seen[SPAM_FEATURES_MAX * 2];	/* places by hash, count + 1 */

	/* names, where they are asked for: SPAM_NAME_MAX bytes each */
	char	   *names;
} SpamFeatures;

static inline bool
roost_moderation_spam_is_word(const FoldGlyph *glyph)
{
	return glyph->class == FOLD_DIGIT || FOLD_IS_LETTER(glyph->class) || glyph->class == FOLD_LETTER_MARK;
}

extern void roost_moderation_spam_features(const char *text, size_t length, FoldGlyph *glyphs, SpamFeatures *features);
extern void roost_moderation_spam_features_of(const char *text, size_t length, const FoldGlyph *glyphs, size_t n, SpamFeatures *features);
extern void roost_moderation_spam_add(SpamFeatures *features, SpamKind kind, const char *name, size_t length);
extern bool roost_moderation_spam_link(const FoldGlyph *glyphs, size_t n, size_t i, size_t *end, bool *mail, SpamFeatures *features);
extern uint64_t roost_moderation_spam_hash(const char *name, size_t length);
extern float roost_moderation_spam_value(const SpamFeatures *features, int i);
extern double roost_moderation_spam_probability(double sum);

#endif							/* ROOST_MODERATION_SPAM_H */
