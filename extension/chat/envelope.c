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
#define ENVELOPE_MAX_DEFAULT		10000
#define ENVELOPE_MAX_MIN			10
#define ENVELOPE_MAX_MAX			10000000
#define ENVELOPE_SIZE_DEFAULT		(64 * 1024) /* kB */
#define ENVELOPE_SIZE_MIN			1024
#define ENVELOPE_SIZE_MAX			(1024 * 1024 * 1024)

/* read by functions in SQL */
static int	envelope_retention = ENVELOPE_RETENTION_DEFAULT;
static int	envelope_max = ENVELOPE_MAX_DEFAULT;
static int	envelope_max_size = ENVELOPE_SIZE_DEFAULT;

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
	DefineCustomIntVariable("roost.envelope_max",
							"Sets how many envelopes may wait for a device.",
							"Beyond that the senders of which the most wait lose their oldest ones there.",
							&envelope_max,
							ENVELOPE_MAX_DEFAULT, ENVELOPE_MAX_MIN, ENVELOPE_MAX_MAX,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.envelope_max_size",
							"Sets how much ciphertext may wait for a device.",
							"Beyond that the senders of which the most waits lose their oldest envelopes there.",
							&envelope_max_size,
							ENVELOPE_SIZE_DEFAULT, ENVELOPE_SIZE_MIN, ENVELOPE_SIZE_MAX,
							PGC_SUSET,
							GUC_UNIT_KB,
							NULL, NULL, NULL);
}

const RoostModule roost_envelope_module = {
	.name = "roost envelope",
	.define_gucs = envelope_define_gucs,
};
