/*-------------------------------------------------------------------------
 *
 * case.c
 *		Settings of reports, cases and appeals; sql/moderation reads them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "roost.h"

/* limits of the settings, in seconds */
#define REPORT_RETENTION_MIN		3600
#define REPORT_RETENTION_DEFAULT	(180 * 86400)
#define APPEAL_WINDOW_MIN			3600
#define APPEAL_WINDOW_DEFAULT		(30 * 86400)

static int	report_retention;
static int	appeal_window;

/*
 * Define the settings of reports, cases and appeals.
 */
static void
case_define_gucs(void)
{
	DefineCustomIntVariable("roost.report_retention",
							"Time after which the texts and the evidence of a closed case are removed.",
							"What was decided stays.",
							&report_retention,
							REPORT_RETENTION_DEFAULT,
							REPORT_RETENTION_MIN,
							INT_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.appeal_window",
							"Time for which an account may appeal against a decision about it.",
							NULL,
							&appeal_window,
							APPEAL_WINDOW_DEFAULT,
							APPEAL_WINDOW_MIN,
							INT_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}

const RoostModule roost_case_module = {
	.name = "roost case",
	.define_gucs = case_define_gucs,
};
