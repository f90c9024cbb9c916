/*-------------------------------------------------------------------------
 *
 * envelope.c
 *		Settings of envelopes, which wait for devices.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "roost.h"

#define ENVELOPE_RETENTION_DEFAULT	(30 * 24 * 3600)
#define ENVELOPE_RETENTION_MIN		3600
#define ENVELOPE_RETENTION_MAX		(10 * 365 * 24 * 3600)

/* read by functions in SQL */
static int	envelope_retention = ENVELOPE_RETENTION_DEFAULT;

/*
 * Define the settings of envelopes.
 */
static void
envelope_define_gucs(void)
{
	DefineCustomIntVariable("roost.envelope_retention",
							"Sets how long an envelope waits for its device.",
							"What is not acknowledged by then is deleted: the device has missed it.",
							&envelope_retention,
							ENVELOPE_RETENTION_DEFAULT, ENVELOPE_RETENTION_MIN, ENVELOPE_RETENTION_MAX,
							PGC_SIGHUP,
							GUC_UNIT_S,
							NULL, NULL, NULL);
}

const RoostModule roost_envelope_module = {
	.name = "roost envelope",
	.define_gucs = envelope_define_gucs,
};
