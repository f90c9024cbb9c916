/*-------------------------------------------------------------------------
 *
 * trend.c
 *		The worker's step that computes trends.
 *
 * Everything is in tables (sql/trend); roost_internal.trend_run() looks at the
 * posts and likes since its last run.  A run looks at no more than TREND_BATCH
 * posts, so that timelines do not wait long; while there are more, the
 * next run follows in a second.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/guc.h"

#include "bgworker/trend.h"
#include "bgworker/worker.h"
#include "core/clock.h"

#define TREND_LOOK_MS				1000
#define TREND_BATCH					2000

#define TREND_INTERVAL_MIN			0
#define TREND_INTERVAL_DEFAULT		60
#define TREND_INTERVAL_MAX			86400
#define TREND_HALF_LIFE_MIN			1
#define TREND_HALF_LIFE_DEFAULT		(2 * 3600)
#define TREND_HALF_LIFE_MAX			(30 * 86400)
#define TREND_SUPPORT_MIN			1
#define TREND_SUPPORT_DEFAULT		5
#define TREND_SUPPORT_MAX			1000000
#define TREND_THRESHOLD_MIN			0.1
#define TREND_THRESHOLD_DEFAULT		3.0
#define TREND_THRESHOLD_MAX			1000.0

static int	trend_interval;		/* GUCs; seconds */
static int	trend_half_life;	/* seconds */
static int	trend_support;
static double trend_threshold;

static bool trend_behind = true;
static int64 trend_run_ms = 0;	/* when the last run began */

void
roost_trend_define_gucs(void)
{
	DefineCustomIntVariable("roost.trend_interval",
							"Sets how often the background worker computes trends.",
							"0 turns it off.",
							&trend_interval,
							TREND_INTERVAL_DEFAULT, TREND_INTERVAL_MIN, TREND_INTERVAL_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.trend_half_life",
							"Sets in which time a trend loses half its score when its burst is over.",
							NULL,
							&trend_half_life,
							TREND_HALF_LIFE_DEFAULT, TREND_HALF_LIFE_MIN, TREND_HALF_LIFE_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.trend_support",
							"Sets how many accounts a trend takes at least.",
							NULL,
							&trend_support,
							TREND_SUPPORT_DEFAULT, TREND_SUPPORT_MIN, TREND_SUPPORT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("roost.trend_threshold",
							 "Sets which score makes a trend.",
							 "In standard deviations above what is usual.",
							 &trend_threshold,
							 TREND_THRESHOLD_DEFAULT, TREND_THRESHOLD_MIN, TREND_THRESHOLD_MAX,
							 PGC_SUSET, 0, NULL, NULL, NULL);
}

/*
 * Returns whether it is time.
 */
static bool
trend_due(void)
{
	int64		now = roost_clock_ms();

	return trend_interval > 0 &&
		(trend_behind || now < trend_run_ms || now - trend_run_ms >= (int64) trend_interval * 1000);
}

/*
 * Looks at what is new.
 */
static void
trend_run(void)
{
	char		query[100];
	bool		isnull;

	trend_run_ms = roost_clock_ms();
	snprintf(query, sizeof(query), "SELECT roost_internal.trend_run(%d)", TREND_BATCH);
	SPI_connect();
	if (SPI_execute(query, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not compute trends");
	trend_behind = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
}

const RoostWorkerStep roost_trend_step = {
	.name = "trends",
	.period_ms = TREND_LOOK_MS,
	.transaction = true,
	.primary_only = true,
	.due = trend_due,
	.run = trend_run,
};
