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
#define SPAM_FEATURES_MAX	1024	/* of a text */
#define SPAM_BIAS			"(bias)"

/* The features of a text, each once */
typedef struct SpamFeatures
{
	int			count;
	int			tokens;			/* of them, words and pairs: they come first */
	float		token_value;	/* what each of these counts; the others count
								 * 1 */
	uint64_t	hashes[SPAM_FEATURES_MAX];
	uint16_t	seen[SPAM_FEATURES_MAX * 2];	/* places by hash, count + 1 */

	/* names, where they are asked for: SPAM_NAME_MAX bytes each */
	char	   *names;
} SpamFeatures;

extern void roost_moderation_spam_features(const char *text, size_t length, FoldGlyph *glyphs, SpamFeatures *features);
extern uint64_t roost_moderation_spam_hash(const char *name, size_t length);
extern float roost_moderation_spam_value(const SpamFeatures *features, int i);
extern double roost_moderation_spam_probability(double sum);

#endif							/* ROOST_MODERATION_SPAM_H */
