/*-------------------------------------------------------------------------
 *
 * threshold.h
 *		How an account's reputation moves a threshold.
 *
 * Plain C: knows nothing of PostgreSQL, so that it can be tested alone.  The
 * formulas stand in docs/moderation.md and sql/moderation/reputation.sql.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_THRESHOLD_H
#define ROOST_MODERATION_THRESHOLD_H

#include <math.h>
#include <stdbool.h>

#define REPUTATION_LEAST	(-2.0)
#define REPUTATION_GREATEST	1.0
#define STANDING_DAYS		180
#define STANDING_POSTS		200

/*
 * Returns what speaks for an account, from 0 to 1.
 */
static inline double
roost_reputation_standing(double days, double posts)
{
	return fmax(fmin(days / STANDING_DAYS, 1), 0) * fmax(fmin(posts / STANDING_POSTS, 1), 0);
}

/*
 * Returns the reputation that comes of standing and burden.
 */
static inline double
roost_reputation(double standing, double burden)
{
	return standing / (1 + burden) - 2 * burden / (burden + 2);
}

/*
 * Returns a threshold for an account of this reputation: of scores between 0
 * and 1 the odds change by e to the reputation, counts by 2 to it, in whole
 * numbers.
 */
static inline double
roost_reputation_threshold(double threshold, bool share, double reputation)
{
	if (isinf(threshold) || reputation == 0)
		return threshold;
	if (!share)
		return fmax(round(threshold * exp2(reputation)), 1);
	if (threshold >= 1)
		return threshold;
	return 1 / (1 + exp(-(log(threshold / (1 - threshold)) + reputation)));
}

#endif							/* ROOST_MODERATION_THRESHOLD_H */
