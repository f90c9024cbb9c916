/*-------------------------------------------------------------------------
 *
 * maintenance.c
 *		The worker's step that runs the maintenance where nobody else does.
 *
 * roost.maintenance_run() notes in a table when it ran.  The step looks there
 * and runs it only if that is roost.maintenance_interval ago, so that it
 * stands back behind pg_cron, in whichever database that is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "bgworker/maintenance.h"
#include "bgworker/worker.h"

#define MAINTENANCE_INTERVAL_MIN		0
#define MAINTENANCE_INTERVAL_DEFAULT	5400
#define MAINTENANCE_INTERVAL_MAX		(7 * 86400)
#define MAINTENANCE_LOOK_MS				60000

static int	maintenance_interval;	/* GUC, seconds */

static bool maintenance_enabled(void);
static void maintenance_run(void);

void
roost_maintenance_define_gucs(void)
{
	DefineCustomIntVariable("roost.maintenance_interval",
							"Sets after which time without maintenance the background worker runs it.",
							"Longer than pg_cron's hour, so that the worker steps in only where pg_cron does not run it. 0 turns it off.",
							&maintenance_interval,
							MAINTENANCE_INTERVAL_DEFAULT,
							MAINTENANCE_INTERVAL_MIN,
							MAINTENANCE_INTERVAL_MAX,
							PGC_SIGHUP,
							GUC_UNIT_S,
							NULL, NULL, NULL);
}

static bool
maintenance_enabled(void)
{
	return maintenance_interval > 0;
}

static void
maintenance_run(void)
{
	Oid			types[1] = {INTERVALOID};
	Interval	age = {.time = (int64) maintenance_interval * USECS_PER_SEC};
	Datum		values[1] = {IntervalPGetDatum(&age)};

	SPI_connect();
	if (SPI_execute_with_args("SELECT roost_internal.maintenance_run_due($1)",
							  1, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run the maintenance");
	SPI_finish();
}

const RoostWorkerStep roost_maintenance_step = {
	.name = "maintenance",
	.period_ms = MAINTENANCE_LOOK_MS,
	.transaction = true,
	.primary_only = true,
	.due = maintenance_enabled,
	.run = maintenance_run,
};
