/*-------------------------------------------------------------------------
 *
 * key.c
 *		The signing keys of this database, and making new ones.
 *
 * Keys are rows of roost_data.signing_key.  A backend reads them when it
 * first needs one and keeps them prepared, with the exact header of the
 * tokens that roost signs with each: a token's first part is compared with
 * that before anybody reads it as JSON.  A statement trigger on the table
 * invalidates its relcache entry.  When the change has committed, that
 * reaches all backends, also those on a standby, at the beginning of their
 * next transaction, and they read the keys again.
 *
 * The table is read without SQL and without regard to privileges: whoever
 * may call a function that verifies tokens need not be able to read keys.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/base64.h"
#include "account/key.h"
#include "account/table_read.h"
#include "core/clock.h"
#include "core/invalidation.h"

PG_FUNCTION_INFO_V1(roost_key_material);
PG_FUNCTION_INFO_V1(roost_key_changed);

#define KEY_MAX			64		/* keys that are not retired */
#define KEY_KID_BYTES	9

/* columns of roost_data.signing_key */
enum
{
	KEY_KID = 1,
	KEY_ALGORITHM,
	KEY_SECRET,
	KEY_PUBLIC_KEY,
	KEY_CREATED_AT,
	KEY_NOT_BEFORE,
	KEY_RETIRED_AT
};

static RoostKey *keys = NULL;
static int	num_keys = 0;

/* The keys are those of key_loaded if that is still key_generation. */
static uint64 key_generation = 1;
static uint64 key_loaded = 0;
static Oid	key_relation = InvalidOid;

static void key_ensure(void);
static void key_load(void);
static bool key_read(HeapTuple tuple, TupleDesc desc, RoostKey *key);
static void key_make_header(RoostKey *key);
static void key_forget(void);

/*
 * Returns the key whose tokens have this first part, or NULL.
 */
const RoostKey *
roost_key_by_header(const char *header, size_t length)
{
	key_ensure();
	for (int i = 0; i < num_keys; i++)
	{
		if (keys[i].header_length == length && memcmp(keys[i].header, header, length) == 0)
			return &keys[i];
	}
	return NULL;
}

/*
 * Returns the key of a name, or NULL.
 */
const RoostKey *
roost_key_by_kid(RoostJwtText kid)
{
	key_ensure();
	for (int i = 0; i < num_keys; i++)
	{
		if (roost_jwt_text_equal(kid, keys[i].kid))
			return &keys[i];
	}
	return NULL;
}

/*
 * Returns the newest key that may sign now; an error when there is none.
 */
const RoostKey *
roost_key_signer(int64 now)
{
	const RoostKey *signer = NULL;

	key_ensure();
	for (int i = 0; i < num_keys; i++)
	{
		const RoostKey *key = &keys[i];

		if (key->not_before > now || key->retired_at <= now)
			continue;
		if (signer == NULL || key->not_before > signer->not_before ||
			(key->not_before == signer->not_before && key->created_at > signer->created_at))
			signer = key;
	}
	if (signer == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no key to sign tokens with"),
				 errhint("Run SELECT roost.install(), or SELECT roost.key_rotate().")));
	return signer;
}

/*
 * Reads the keys unless they are here.
 */
static void
key_ensure(void)
{
	if (unlikely(key_loaded != key_generation))
		key_load();
}

/*
 * Reads the keys that are not retired.
 */
static void
key_load(void)
{
	uint64		generation = key_generation;
	int64		now = roost_clock_us();
	RoostTableRead read;
	HeapTuple	tuple;

	key_forget();
	if (!roost_table_read_begin(&read, "signing_key", 0, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("roost is not installed in this database"),
				 errhint("Run SELECT roost.install().")));
	key_relation = RelationGetRelid(read.relation);
	if (keys == NULL)
		keys = MemoryContextAllocZero(TopMemoryContext, KEY_MAX * sizeof(RoostKey));
	while ((tuple = roost_table_read_next(&read)) != NULL && num_keys < KEY_MAX)
	{
		RoostKey   *key = &keys[num_keys];

		if (!key_read(tuple, RelationGetDescr(read.relation), key))
			continue;
		if (key->retired_at <= now)
		{
			roost_signature_key_close(&key->signature);
			continue;
		}
		key_make_header(key);
		num_keys++;
	}
	roost_table_read_end(&read);
	key_loaded = generation;
}

/*
 * Fills a key from its row; false when that does not make a key.
 */
static bool
key_read(HeapTuple tuple, TupleDesc desc, RoostKey *key)
{
	Datum		values[KEY_RETIRED_AT];
	bool		nulls[KEY_RETIRED_AT];
	bytea	   *secret;
	bytea	   *public_key;
	char	   *algorithm;

	for (int i = 0; i < KEY_RETIRED_AT; i++)
		values[i] = heap_getattr(tuple, i + 1, desc, &nulls[i]);
	memset(key, 0, sizeof(*key));
	strlcpy(key->kid, TextDatumGetCString(values[KEY_KID - 1]), sizeof(key->kid));
	algorithm = TextDatumGetCString(values[KEY_ALGORITHM - 1]);
	secret = DatumGetByteaPP(values[KEY_SECRET - 1]);
	public_key = nulls[KEY_PUBLIC_KEY - 1] ? NULL : DatumGetByteaPP(values[KEY_PUBLIC_KEY - 1]);
	key->created_at = roost_clock_from_timestamp(DatumGetTimestampTz(values[KEY_CREATED_AT - 1]));
	key->not_before = roost_clock_from_timestamp(DatumGetTimestampTz(values[KEY_NOT_BEFORE - 1]));
	key->retired_at = nulls[KEY_RETIRED_AT - 1] ? PG_INT64_MAX :
		roost_clock_from_timestamp(DatumGetTimestampTz(values[KEY_RETIRED_AT - 1]));

	return roost_signature_key_open(&key->signature,
									roost_jwt_algorithm((RoostJwtText) {algorithm, strlen(algorithm)}),
									(uint8 *) VARDATA_ANY(secret), VARSIZE_ANY_EXHDR(secret),
									public_key ? (uint8 *) VARDATA_ANY(public_key) : NULL,
									public_key ? VARSIZE_ANY_EXHDR(public_key) : 0);
}

/*
 * Writes the first part of the tokens that are signed with a key.
 */
static void
key_make_header(RoostKey *key)
{
	char	   *json = psprintf("{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
								roost_jwt_algorithm_name(key->signature.algorithm), key->kid);

	key->header = MemoryContextAlloc(TopMemoryContext, ROOST_BASE64_ENCODED(strlen(json)));
	key->header_length = roost_base64_encode(ROOST_BASE64_URL, (uint8 *) json, strlen(json), key->header);
	pfree(json);
}

/*
 * Forgets all keys.
 */
static void
key_forget(void)
{
	while (num_keys > 0)
	{
		num_keys--;
		pfree(keys[num_keys].header);
		roost_signature_key_close(&keys[num_keys].signature);
	}
}

/*
 * Notes that the table of keys may have changed.
 */
static void
key_invalidate(Oid relid)
{
	if (relid == InvalidOid || relid == key_relation)
		key_generation++;
}

/*
 * Registers the callback; called once, when the library is loaded.
 */
void
roost_key_init(void)
{
	roost_invalidation_register(key_invalidate);
}

/*
 * roost_internal.key_material(algorithm) makes a key: its name, its secret
 * and, for EdDSA, its public part.
 */
Datum
roost_key_material(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	RoostJwtAlgorithm algorithm = roost_jwt_algorithm((RoostJwtText) {VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)});
	uint8		kid_bytes[KEY_KID_BYTES];
	char		kid[ROOST_BASE64_ENCODED(KEY_KID_BYTES)];
	uint8		secret[ROOST_SIGNATURE_SECRET_MIN];
	uint8		public_key[ROOST_SIGNATURE_ED25519_KEY];
	size_t		public_length = sizeof(public_key);
	Datum		values[3];
	bool		nulls[3] = {false, false, algorithm != ROOST_JWT_EDDSA};
	TupleDesc	desc;
	RoostSignatureKey key;

	if (algorithm == ROOST_JWT_NO_ALGORITHM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("algorithm \"%s\" is not offered", text_to_cstring(name)),
				 errhint("The algorithms are HS256 and EdDSA.")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!pg_strong_random(kid_bytes, sizeof(kid_bytes)) || !pg_strong_random(secret, sizeof(secret)) ||
		!roost_signature_key_open(&key, algorithm, secret, sizeof(secret), NULL, 0) ||
		(key.pkey && EVP_PKEY_get_raw_public_key(key.pkey, public_key, &public_length) != 1))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not make a key")));
	roost_signature_key_close(&key);

	roost_base64_encode(ROOST_BASE64_URL, kid_bytes, sizeof(kid_bytes), kid);
	values[0] = PointerGetDatum(cstring_to_text_with_len(kid, sizeof(kid)));
	values[1] = PointerGetDatum(cstring_to_text_with_len((char *) secret, sizeof(secret)));
	values[2] = PointerGetDatum(cstring_to_text_with_len((char *) public_key, public_length));
	OPENSSL_cleanse(secret, sizeof(secret));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * roost_internal.key_changed(), a trigger on roost_data.signing_key, makes
 * all backends read the keys again once the change has committed.
 */
Datum
roost_key_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this function is a trigger")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	PG_RETURN_POINTER(NULL);
}
