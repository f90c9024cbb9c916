/*-------------------------------------------------------------------------
 *
 * key.c
 *		Public keys of devices: settings, base64, and what makes a key.
 *
 * Keys come in base64 of either alphabet, with or without padding, because
 * libraries differ; they are written with the standard one and padding, which
 * all of them read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "core/base64.h"
#include "key/key.h"
#include "key/xeddsa.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_key_bytes);
PG_FUNCTION_INFO_V1(roost_key_base64);
PG_FUNCTION_INFO_V1(roost_key_valid);
PG_FUNCTION_INFO_V1(roost_key_signature_valid);

#define KEY_PREKEY_MAX_MIN			1
#define KEY_PREKEY_MAX_DEFAULT		200
#define KEY_PREKEY_MAX_MAX			1000
#define KEY_LOW_WATER_MIN			0
#define KEY_LOW_WATER_DEFAULT		20
#define KEY_LOW_WATER_MAX			1000
#define KEY_DEVICE_MAX_MIN			1
#define KEY_DEVICE_MAX_DEFAULT		10
#define KEY_DEVICE_MAX_MAX			127
#define KEY_DEVICE_RETENTION_MIN	86400
#define KEY_DEVICE_RETENTION_DEFAULT (90 * 86400)
#define KEY_DEVICE_RETENTION_MAX	(10 * 365 * 86400)

static int	key_prekey_max;
int			roost_key_low_water;
static int	key_device_max;
static int	key_device_retention;

/*
 * roost_internal.key_bytes(value) returns what a text in base64 stands for,
 * null if it is none.
 */
Datum
roost_key_bytes(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	const char *letters = VARDATA_ANY(value);
	int			length = VARSIZE_ANY_EXHDR(value);
	bytea	   *bytes = palloc(VARHDRSZ + ROOST_BASE64_DECODED(length) + 1);
	RoostBase64Alphabet alphabet = ROOST_BASE64_STANDARD;
	int			n;

	for (int i = 0; i < length; i++)
	{
		if (letters[i] == '-' || letters[i] == '_')
			alphabet = ROOST_BASE64_URL;
	}
	/* padding, if there is any, must fill the last four letters */
	if (length % 4 == 0 && length > 0 && letters[length - 1] == '=')
		length -= letters[length - 2] == '=' ? 2 : 1;
	n = roost_base64_decode(alphabet, letters, length, (uint8_t *) VARDATA(bytes));
	if (n < 0)
		PG_RETURN_NULL();
	SET_VARSIZE(bytes, VARHDRSZ + n);
	PG_RETURN_BYTEA_P(bytes);
}

/*
 * Returns bytes as base64 with padding.
 */
text *
roost_key_text(Datum bytes)
{
	bytea	   *value = DatumGetByteaPP(bytes);
	size_t		length = VARSIZE_ANY_EXHDR(value);
	text	   *result = palloc(VARHDRSZ + ROOST_BASE64_ENCODED(length) + 2);
	char	   *letters = VARDATA(result);
	size_t		n = roost_base64_encode(ROOST_BASE64_STANDARD, (const uint8_t *) VARDATA_ANY(value), length, letters);

	while (n % 4 != 0)
		letters[n++] = '=';
	SET_VARSIZE(result, VARHDRSZ + n);
	return result;
}

/*
 * roost_internal.key_base64(value) returns bytes as base64 with padding.
 */
Datum
roost_key_base64(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(roost_key_text(PG_GETARG_DATUM(0)));
}

/*
 * roost_internal.key_valid(key, is_kyber) returns whether bytes are a public
 * key.
 */
Datum
roost_key_valid(PG_FUNCTION_ARGS)
{
	bytea	   *key = PG_GETARG_BYTEA_PP(0);
	const uint8_t *bytes = (const uint8_t *) VARDATA_ANY(key);
	size_t		length = VARSIZE_ANY_EXHDR(key);

	PG_RETURN_BOOL(PG_GETARG_BOOL(1) ? roost_key_kyber_valid(bytes, length) : roost_key_curve_valid(bytes, length));
}

/*
 * roost.key_signature_valid(identity_key, message, signature) returns whether
 * the owner of the identity key has signed the message.
 */
Datum
roost_key_signature_valid(PG_FUNCTION_ARGS)
{
	bytea	   *identity_key = PG_GETARG_BYTEA_PP(0);
	bytea	   *message = PG_GETARG_BYTEA_PP(1);
	bytea	   *signature = PG_GETARG_BYTEA_PP(2);

	PG_RETURN_BOOL(roost_xeddsa_verify((const uint8_t *) VARDATA_ANY(identity_key), VARSIZE_ANY_EXHDR(identity_key),
									   (const uint8_t *) VARDATA_ANY(message), VARSIZE_ANY_EXHDR(message),
									   (const uint8_t *) VARDATA_ANY(signature), VARSIZE_ANY_EXHDR(signature)));
}

/*
 * Defines the settings of the key module; sql/key reads them.
 */
static void
key_define_gucs(void)
{
	DefineCustomIntVariable("roost.key_device_max",
							"Most devices with keys that an account can have.",
							NULL,
							&key_device_max,
							KEY_DEVICE_MAX_DEFAULT, KEY_DEVICE_MAX_MIN, KEY_DEVICE_MAX_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.key_device_retention",
							"Time after which a device that fetches and publishes nothing loses its keys.",
							NULL,
							&key_device_retention,
							KEY_DEVICE_RETENTION_DEFAULT, KEY_DEVICE_RETENTION_MIN, KEY_DEVICE_RETENTION_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.key_low_water",
							"Number of one-time prekeys of a kind below which a device is told to publish more.",
							"0 never tells.",
							&roost_key_low_water,
							KEY_LOW_WATER_DEFAULT, KEY_LOW_WATER_MIN, KEY_LOW_WATER_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.key_prekey_max",
							"Most one-time prekeys of a kind that are kept for a device.",
							NULL,
							&key_prekey_max,
							KEY_PREKEY_MAX_DEFAULT, KEY_PREKEY_MAX_MIN, KEY_PREKEY_MAX_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
}

const RoostModule roost_key_module = {
	.name = "roost key",
	.define_gucs = key_define_gucs,
};
