/*-------------------------------------------------------------------------
 *
 * search.c
 *		The worker's step that keeps the index of search.
 *
 * Everything is in tables (sql/search); roost_internal.search_run() follows the
 * log of events, and reads what was there before it.  A run takes
 * SEARCH_BATCH posts, so that timelines do not wait long.  When it has come to
 * the end the step rests for SEARCH_REST_MAX_MS, for the next run costs the less
 * the more there is for it.  Else it rests as long as the run took, and longer
 * while events wait: writers and their readers come first.
 *
 * What is in the index comes from tables alone, so a run that a crash undoes,
 * progress included, is done again; its commit need not be waited for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "executor/spi.h"
#include "utils/guc.h"

#include "bgworker/search.h"
#include "bgworker/worker.h"
#include "core/debug_point.h"
#include "live/queue.h"

#define SEARCH_LOOK_MS				1000
#define SEARCH_BATCH				100
#define SEARCH_REST_MIN_MS			5	/* while there is more to do */
#define SEARCH_REST_MAX_MS			100

#define SEARCH_PART_SIZE_MIN		100
#define SEARCH_PART_SIZE_DEFAULT	65536
#define SEARCH_PART_SIZE_MAX		10000000
#define SEARCH_EFFORT_MIN			100
#define SEARCH_EFFORT_DEFAULT		20000
#define SEARCH_EFFORT_MAX			10000000
#define SEARCH_TIME_MIN				1
#define SEARCH_TIME_DEFAULT			100
#define SEARCH_TIME_MAX				60000

static bool search_enabled;		/* GUCs */
static int	search_part_size;
static int	search_effort;
static int	search_time;		/* ms */

static bool search_behind = true;
static uint64 search_taken = 0; /* events that were taken before the last run */
static int64 search_run_us = 0; /* when it began */
static int64 search_rest_us = 0;	/* no run before this */

static int64 search_now_us(void);

void
roost_search_define_gucs(void)
{
	DefineCustomBoolVariable("roost.search_index",
							 "Lets the background worker index posts for search.",
							 "Turned on again, it catches up.",
							 &search_enabled,
							 true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.search_part_size",
							"Sets how many posts a part of the index of search holds.",
							"Parts that are full already stay as they are.",
							&search_part_size,
							SEARCH_PART_SIZE_DEFAULT, SEARCH_PART_SIZE_MIN, SEARCH_PART_SIZE_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.search_effort",
							"Sets how many posts or messages one search looks at before it gives what it has found.",
							"Its answer then says that it is partial.",
							&search_effort,
							SEARCH_EFFORT_DEFAULT, SEARCH_EFFORT_MIN, SEARCH_EFFORT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.search_time",
							"Sets after which time a search gives what it has found.",
							"Its answer then says that it is partial.",
							&search_time,
							SEARCH_TIME_DEFAULT, SEARCH_TIME_MIN, SEARCH_TIME_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
}

/*
 * Returns whether it is time: there is more to do, or events have been logged,
 * or it is a while since.
 */
static bool
search_due(void)
{
	int64		now = search_now_us();
	RoostQueueStat queue;

	roost_queue_stat(&queue);
	if (!search_enabled ||
		(!search_behind && queue.taken == search_taken && now - search_run_us < SEARCH_LOOK_MS * 1000))
		return false;
	search_behind = true;
	return now >= search_rest_us;
}

/*
 * Returns in how many milliseconds there is more to do, or -1.
 */
static int
search_wait(void)
{
	if (!search_enabled || !search_behind)
		return -1;
	return (int) (Max(search_rest_us - search_now_us(), 0) + 999) / 1000;
}

/*
 * Indexes some posts.
 */
static void
search_run(void)
{
	RoostQueueStat queue;
	char		query[100];
	bool		isnull;
	int64		took_us;

	roost_queue_stat(&queue);
	search_taken = queue.taken;
	search_run_us = search_now_us();

	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	snprintf(query, sizeof(query), "SELECT roost_internal.search_run(%d)", SEARCH_BATCH);
	SPI_connect();
	if (SPI_execute(query, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not index posts for search");
	search_behind = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	ROOST_DEBUG_POINT("search_commit");

	roost_queue_stat(&queue);
	took_us = (search_now_us() - search_run_us) * (queue.written > queue.taken ? 4 : 1);
	if (!search_behind)
		took_us = SEARCH_REST_MAX_MS * 1000;
	search_rest_us = search_now_us() + Min(Max(took_us, SEARCH_REST_MIN_MS * 1000), SEARCH_REST_MAX_MS * 1000);
}

/*
 * Returns a time in microseconds that never steps back; not the frozen one.
 */
static int64
search_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

const RoostWorkerStep roost_search_step = {
	.name = "search",
	.transaction = true,
	.primary_only = true,
	.due = search_due,
	.wait = search_wait,
	.run = search_run,
};
