/*-------------------------------------------------------------------------
 *
 * spam_fit.h
 *		Logistic regression over sparse samples.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_SPAM_FIT_H
#define ROOST_MODERATION_SPAM_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One feature of a sample */
typedef struct FitTerm
{
	uint32_t	feature;
	float		value;
} FitTerm;

typedef struct FitSample
{
	size_t		first;			/* of its terms */
	uint32_t	count;
	bool		is_spam;
	bool		is_held;		/* not learnt from, but judged */
} FitSample;

/* Feature 0 is the bias: it is in every sample and needs no term. */
typedef struct FitProblem
{
	const FitTerm *terms;
	const FitSample *samples;
	size_t		num_samples;
	uint32_t	num_features;
	int			epochs;
	double		l2;
	double		rate;
	uint64_t	seed;
} FitProblem;

/* what the weights do to samples that they have not been learnt from */
typedef struct FitMetrics
{
	size_t		samples;
	size_t		spam;
	double		loss;			/* mean, in nats */
	double		precision;		/* at 0.5 */
	double		recall;
	double		accuracy;
} FitMetrics;

/* Called now and then, so that a long training can be stopped */
typedef void (*FitPulse) (void);

extern void roost_moderation_fit(const FitProblem *problem, bool use_held, float *weights, float *squares, uint32_t *order, FitPulse pulse);
extern double roost_moderation_fit_sum(const FitProblem *problem, const float *weights, const FitSample *sample);
extern void roost_moderation_fit_calibrate(const FitProblem *problem, const float *weights, double *slope, double *shift);
extern void roost_moderation_fit_measure(const FitProblem *problem, const float *weights, double slope, double shift, FitMetrics *metrics);

#endif							/* ROOST_MODERATION_SPAM_FIT_H */
