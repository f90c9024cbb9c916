/*-------------------------------------------------------------------------
 *
 * spam_fit.c
 *		Logistic regression over sparse samples.
 *
 * Stochastic gradient descent in which each weight has a rate of its own
 * (AdaGrad), with an L2 penalty on the weights that a sample touches.  Samples
 * come in an order that is drawn anew for each epoch from the seed, so that the
 * same samples, order and settings give the same weights.
 *
 * What the sums mean is measured on samples that are held out: a slope and a
 * shift (Platt) turn them into odds.
 *
 * Nothing here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/spam_fit.h"

#include <math.h>
#include <string.h>

static uint64_t
fit_random(uint64_t *state)
{
	uint64_t	x = (*state += UINT64_C(0x9e3779b97f4a7c15));

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline double
fit_probability(double sum)
{
	return 1 / (1 + exp(-sum));
}

static inline void
fit_step(float *weight, float *square, double gradient, double rate)
{
	*square += (float) (gradient * gradient);
	*weight -= (float) (rate * gradient / sqrt(*square + 1e-6));
}

/*
 * Learns weights, num_features of them; squares and order are scratch, one a
 * feature and one a sample.
 */
void
roost_moderation_fit(const FitProblem *problem, bool use_held, float *weights, float *squares, uint32_t *order, FitPulse pulse)
{
	uint64_t	state = problem->seed;
	size_t		n = 0;

	memset(weights, 0, problem->num_features * sizeof(float));
	memset(squares, 0, problem->num_features * sizeof(float));
	for (size_t i = 0; i < problem->num_samples; i++)
		if (use_held || !problem->samples[i].is_held)
			order[n++] = (uint32_t) i;

	for (int epoch = 0; epoch < problem->epochs; epoch++)
	{
		for (size_t i = n; i > 1; i--)
		{
			size_t		k = fit_random(&state) % i;
			uint32_t	other = order[i - 1];

			order[i - 1] = order[k];
			order[k] = other;
		}
		for (size_t i = 0; i < n; i++)
		{
			const FitSample *sample = &problem->samples[order[i]];
			const FitTerm *terms = problem->terms + sample->first;
			double		miss = fit_probability(roost_moderation_fit_sum(problem, weights, sample)) - sample->is_spam;

			fit_step(&weights[0], &squares[0], miss, problem->rate);
			for (uint32_t k = 0; k < sample->count; k++)
			{
				uint32_t	f = terms[k].feature;

				fit_step(&weights[f], &squares[f], miss * terms[k].value + problem->l2 * weights[f], problem->rate);
			}
			if (i % 1024 == 0 && pulse != NULL)
				pulse();
		}
	}
}

/*
 * Returns the sum of the sample's values times weights.
 */
double
roost_moderation_fit_sum(const FitProblem *problem, const float *weights, const FitSample *sample)
{
	const FitTerm *terms = problem->terms + sample->first;
	double		sum = weights[0];

	for (uint32_t k = 0; k < sample->count; k++)
		sum += weights[terms[k].feature] * terms[k].value;
	return sum;
}

/*
 * Finds the slope and shift that make the held samples likeliest, by Newton's
 * method; 1 and 0 if they are too few to tell.
 */
void
roost_moderation_fit_calibrate(const FitProblem *problem, const float *weights, double *slope, double *shift)
{
	size_t		spam = 0;
	size_t		other = 0;

	*slope = 1;
	*shift = 0;
	for (size_t i = 0; i < problem->num_samples; i++)
	{
		if (problem->samples[i].is_held)
			*(problem->samples[i].is_spam ? &spam : &other) += 1;
	}
	if (spam < 20 || other < 20)
		return;
	for (int round = 0; round < 30; round++)
	{
		/* a weak pull towards 1 and 0 keeps separable samples finite */
		double		g1 = (*slope - 1) * 0.5;
		double		g0 = *shift * 0.5;
		double		h11 = 0.5;
		double		h10 = 0;
		double		h00 = 0.5;
		double		determinant;
		double		d1;
		double		d0;

		for (size_t i = 0; i < problem->num_samples; i++)
		{
			const FitSample *sample = &problem->samples[i];
			double		sum;
			double		p;

			if (!sample->is_held)
				continue;
			sum = roost_moderation_fit_sum(problem, weights, sample);
			p = fit_probability(*slope * sum + *shift);
			g1 += (p - sample->is_spam) * sum;
			g0 += p - sample->is_spam;
			h11 += p * (1 - p) * sum * sum;
			h10 += p * (1 - p) * sum;
			h00 += p * (1 - p);
		}
		determinant = h11 * h00 - h10 * h10;
		d1 = (h00 * g1 - h10 * g0) / determinant;
		d0 = (h11 * g0 - h10 * g1) / determinant;
		*slope -= d1;
		*shift -= d0;
		if (fabs(d1) + fabs(d0) < 1e-9)
			break;
	}
	if (!(*slope > 0.2 && *slope < 5 && fabs(*shift) < 5))
	{
		*slope = 1;
		*shift = 0;
	}
}

/*
 * Measures the weights on the held samples.
 */
void
roost_moderation_fit_measure(const FitProblem *problem, const float *weights, double slope, double shift, FitMetrics *metrics)
{
	size_t		found = 0;
	size_t		right = 0;
	size_t		good = 0;

	memset(metrics, 0, sizeof(FitMetrics));
	for (size_t i = 0; i < problem->num_samples; i++)
	{
		const FitSample *sample = &problem->samples[i];
		double		sum;

		if (!sample->is_held)
			continue;
		sum = slope * roost_moderation_fit_sum(problem, weights, sample) + shift;
		metrics->samples++;
		metrics->spam += sample->is_spam;
		metrics->loss += sample->is_spam ? log1p(exp(-sum)) : log1p(exp(sum));
		found += sum > 0;
		right += sum > 0 && sample->is_spam;
		good += (sum > 0) == sample->is_spam;
	}
	if (metrics->samples > 0)
	{
		metrics->loss /= metrics->samples;
		metrics->accuracy = (double) good / metrics->samples;
	}
	metrics->precision = found > 0 ? (double) right / found : 0;
	metrics->recall = metrics->spam > 0 ? (double) right / metrics->spam : 0;
}
