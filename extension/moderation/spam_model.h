/*-------------------------------------------------------------------------
 *
 * spam_model.h
 *		The weights of the spam model, as a backend keeps them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_SPAM_MODEL_H
#define ROOST_MODERATION_SPAM_MODEL_H

#include "moderation/spam.h"

/* An open hash table of 2^n places */
typedef struct SpamWeight
{
	uint64_t	hash;			/* 0: an empty place */
	float		weight;
} SpamWeight;

typedef struct SpamModel
{
	SpamWeight *weights;
	uint32_t	mask;
	int			count;			/* of weights, without the bias */
	bool		has_bias;
	float		bias;
} SpamModel;

extern const SpamModel *roost_moderation_spam_model(void);
extern float roost_moderation_spam_weight(const SpamModel *model, uint64_t hash);
extern double roost_moderation_spam_sum(const SpamModel *model, const SpamFeatures *features);

#endif							/* ROOST_MODERATION_SPAM_MODEL_H */
