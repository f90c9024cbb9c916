/*-------------------------------------------------------------------------
 *
 * jwk.c
 *		Verifies tokens of others, with keys given as JSON (RFC 7515, 7517).
 *
 * The key decides which algorithm is used, never the token: a key has one
 * algorithm, and the token's header must name that one.  A set of keys is
 * refused as a whole if it has two keys of one name, or both secret and
 * public keys, because a token could then choose among meanings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "account/signature.h"
#include "account/token.h"
#include "core/base64.h"
#include "core/clock.h"

PG_FUNCTION_INFO_V1(roost_jwk_jws_verify);
PG_FUNCTION_INFO_V1(roost_jwk_jwt_claims);
PG_FUNCTION_INFO_V1(roost_jwk_signature_valid);

#define JWK_KEYS_MAX	100		/* keys in a set */

/* What of a set of keys a token's header leads to. */
typedef struct JwkChoice
{
	JsonbContainer *key;		/* NULL: none */
	JsonbContainer *nameless;	/* a key without "kid" */
	int			num_keys;
	bool		secret;			/* there is a secret key in the set */
	bool		public;			/* there is a public key, of any kind */
} JwkChoice;

static bytea *jwk_payload(text *token, Jsonb *keys);
static void jwk_choose(Jsonb *keys, const RoostJwtHeader *header, JwkChoice *choice);
static void jwk_consider(JsonbContainer *key, const RoostJwtHeader *header, JwkChoice *choice);
static void jwk_check_names(JsonbContainer *set);
static bool jwk_open(JsonbContainer *jwk, RoostSignatureKey *key);
static bool jwk_may_verify(JsonbContainer *jwk);
static int	jwk_bytes(JsonbContainer *jwk, const char *name, uint8 *bytes, int size);
static bool jwk_member(JsonbContainer *jwk, const char *name, RoostJwtText *value);
static JsonbContainer *jwk_element(JsonbContainer *set, int i);
static void jwk_refuse(const char *why) pg_attribute_noreturn();
static void jwk_invalid(const char *why) pg_attribute_noreturn();

/*
 * roost.jws_verify(token, keys) returns the payload of a signed token.
 */
Datum
roost_jwk_jws_verify(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(jwk_payload(PG_GETARG_TEXT_PP(0), PG_GETARG_JSONB_P(1)));
}

/*
 * roost_internal.jwt_claims(token, keys) returns the claims of a signed token
 * whose times are right.
 */
Datum
roost_jwk_jwt_claims(PG_FUNCTION_ARGS)
{
	bytea	   *payload = jwk_payload(PG_GETARG_TEXT_PP(0), PG_GETARG_JSONB_P(1));
	int			length = VARSIZE(payload) - VARHDRSZ;
	char	   *json = pnstrdup(VARDATA(payload), length);
	RoostJwtClaims claims;
	const char *why;

	if (!roost_jwt_claims(json, length, false, &claims, &why))
		jwk_refuse(why);
	if (!roost_token_is_now(&claims, roost_clock_us(), &why))
		jwk_refuse(why);
	json = pg_any_to_server(json, length, PG_UTF8);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
}

/*
 * roost_internal.signature_valid(algorithm, key, message, signature) returns
 * whether a signature is right; the key is the secret (HS256) or the public
 * key (EdDSA).
 */
Datum
roost_jwk_signature_valid(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	bytea	   *key_bytes = PG_GETARG_BYTEA_PP(1);
	bytea	   *message = PG_GETARG_BYTEA_PP(2);
	bytea	   *signature = PG_GETARG_BYTEA_PP(3);
	RoostJwtAlgorithm algorithm = roost_jwt_algorithm((RoostJwtText) {VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)});
	bool		secret = algorithm == ROOST_JWT_HS256;
	RoostSignatureKey key;
	bool		result;

	if (!roost_signature_key_open(&key, algorithm,
								  (uint8 *) VARDATA_ANY(key_bytes), secret ? VARSIZE_ANY_EXHDR(key_bytes) : 0,
								  (uint8 *) VARDATA_ANY(key_bytes), VARSIZE_ANY_EXHDR(key_bytes)))
		PG_RETURN_BOOL(false);
	result = roost_signature_verify(&key, VARDATA_ANY(message), VARSIZE_ANY_EXHDR(message),
									(uint8 *) VARDATA_ANY(signature), VARSIZE_ANY_EXHDR(signature));
	roost_signature_key_close(&key);
	PG_RETURN_BOOL(result);
}

/*
 * Returns the decoded payload of a token that one of the keys has signed.
 */
static bytea *
jwk_payload(text *token, Jsonb *keys)
{
	RoostJwtParts parts;
	RoostJwtHeader header;
	RoostSignatureKey key;
	JwkChoice	choice;
	uint8		json[ROOST_BASE64_DECODED(ROOST_JWT_LENGTH_MAX)];
	uint8		signature[ROOST_SIGNATURE_BYTES_MAX];
	bytea	   *payload;
	int			length;
	bool		valid;
	const char *why;

	if (!roost_jwt_split(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token), &parts))
		jwk_refuse("it is malformed");
	length = roost_base64_decode(ROOST_BASE64_URL, parts.header.data, parts.header.length, json);
	if (length < 0)
		jwk_refuse("it is malformed");
	if (!roost_jwt_header((char *) json, length, &header, &why))
		jwk_refuse(why);

	jwk_choose(keys, &header, &choice);
	if (choice.key == NULL)
		jwk_refuse("its key is not known");
	if (!jwk_open(choice.key, &key))
		jwk_refuse("its key cannot be used");
	length = -1;
	if (parts.signature.length <= ROOST_BASE64_ENCODED(sizeof(signature)))
		length = roost_base64_decode(ROOST_BASE64_URL, parts.signature.data, parts.signature.length, signature);
	valid = key.algorithm == header.algorithm && length >= 0 &&
		roost_signature_verify(&key, parts.signed_part.data, parts.signed_part.length, signature, length);
	roost_signature_key_close(&key);
	if (!valid)
		jwk_refuse("its signature does not match");

	payload = palloc(VARHDRSZ + ROOST_BASE64_DECODED(parts.payload.length));
	length = roost_base64_decode(ROOST_BASE64_URL, parts.payload.data, parts.payload.length,
								 (uint8 *) VARDATA(payload));
	if (length < 0)
		jwk_refuse("it is malformed");
	SET_VARSIZE(payload, VARHDRSZ + length);
	return payload;
}

/*
 * Finds the key that a header means, in one key or a set of keys.
 */
static void
jwk_choose(Jsonb *keys, const RoostJwtHeader *header, JwkChoice *choice)
{
	JsonbValue	buffer;
	JsonbValue *set;

	memset(choice, 0, sizeof(*choice));
	if (!JB_ROOT_IS_OBJECT(keys))
		jwk_invalid("It must be a JSON object.");
	set = getKeyJsonValueFromContainer(&keys->root, "keys", 4, &buffer);
	if (set == NULL)
		jwk_consider(&keys->root, header, choice);
	else
	{
		if (set->type != jbvBinary || !JsonContainerIsArray(set->val.binary.data) ||
			JsonContainerSize(set->val.binary.data) > JWK_KEYS_MAX)
			jwk_invalid("Its member \"keys\" must be an array of at most 100 keys.");
		jwk_check_names(set->val.binary.data);
		for (int i = 0; i < JsonContainerSize(set->val.binary.data); i++)
			jwk_consider(jwk_element(set->val.binary.data, i), header, choice);
	}
	if (choice->secret && choice->public)
		jwk_invalid("It has both secret and public keys.");

	/* without a name on either side there must be nothing to choose */
	if (choice->num_keys == 1 && choice->key == NULL)
		choice->key = choice->nameless;
	else if (choice->num_keys > 1 && header->kid.data == NULL)
		choice->key = NULL;
}

/*
 * Counts a key, and chooses it if the header means it.
 */
static void
jwk_consider(JsonbContainer *key, const RoostJwtHeader *header, JwkChoice *choice)
{
	RoostJwtText value;

	choice->num_keys++;
	if (jwk_member(key, "kty", &value) && roost_jwt_text_equal(value, "oct"))
		choice->secret = true;
	else
		choice->public = true;
	if (!jwk_member(key, "kid", &value))
		choice->nameless = key;
	else if (header->kid.data == NULL ||
			 (value.length == header->kid.length && memcmp(value.data, header->kid.data, value.length) == 0))
		choice->key = key;
}

/*
 * Refuses a set in which two keys have the same name.
 */
static void
jwk_check_names(JsonbContainer *set)
{
	RoostJwtText names[JWK_KEYS_MAX];
	int			count = 0;

	for (int i = 0; i < JsonContainerSize(set); i++)
	{
		if (!jwk_member(jwk_element(set, i), "kid", &names[count]))
			continue;
		for (int j = 0; j < count; j++)
		{
			if (names[j].length == names[count].length &&
				memcmp(names[j].data, names[count].data, names[j].length) == 0)
				jwk_invalid("Two of its keys have the same \"kid\".");
		}
		count++;
	}
}

/*
 * Prepares a key; false when it is of no offered kind, or not for verifying
 * signatures.
 */
static bool
jwk_open(JsonbContainer *jwk, RoostSignatureKey *key)
{
	RoostJwtText value;
	RoostJwtAlgorithm algorithm = ROOST_JWT_NO_ALGORITHM;
	uint8		bytes[ROOST_SIGNATURE_SECRET_MAX];
	int			length;
	bool		opened;

	if (!jwk_member(jwk, "kty", &value))
		return false;
	if (roost_jwt_text_equal(value, "oct"))
		algorithm = ROOST_JWT_HS256;
	else if (roost_jwt_text_equal(value, "OKP") && jwk_member(jwk, "crv", &value) &&
			 roost_jwt_text_equal(value, "Ed25519"))
		algorithm = ROOST_JWT_EDDSA;
	if (algorithm == ROOST_JWT_NO_ALGORITHM ||
		(jwk_member(jwk, "alg", &value) && roost_jwt_algorithm(value) != algorithm) ||
		!jwk_may_verify(jwk))
		return false;

	length = jwk_bytes(jwk, algorithm == ROOST_JWT_HS256 ? "k" : "x", bytes, sizeof(bytes));
	if (length < 0)
		return false;
	opened = roost_signature_key_open(key, algorithm, bytes, algorithm == ROOST_JWT_HS256 ? length : 0,
									  bytes, length);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return opened;
}

/*
 * Returns whether a key's "use" and "key_ops" allow verifying signatures.
 */
static bool
jwk_may_verify(JsonbContainer *jwk)
{
	JsonbValue	buffer;
	JsonbValue	verify = {.type = jbvString,.val.string = {6, "verify"}};
	JsonbValue *member;

	member = getKeyJsonValueFromContainer(jwk, "use", 3, &buffer);
	if (member != NULL &&
		(member->type != jbvString || member->val.string.len != 3 || memcmp(member->val.string.val, "sig", 3) != 0))
		return false;
	member = getKeyJsonValueFromContainer(jwk, "key_ops", 7, &buffer);
	if (member == NULL)
		return true;
	return member->type == jbvBinary && JsonContainerIsArray(member->val.binary.data) &&
		findJsonbValueFromContainer(member->val.binary.data, JB_FARRAY, &verify) != NULL;
}

/*
 * Decodes a member of a key; returns the number of bytes, or -1.
 */
static int
jwk_bytes(JsonbContainer *jwk, const char *name, uint8 *bytes, int size)
{
	RoostJwtText value;

	if (!jwk_member(jwk, name, &value) || ROOST_BASE64_DECODED(value.length) > size)
		return -1;
	return roost_base64_decode(ROOST_BASE64_URL, value.data, value.length, bytes);
}

/*
 * Finds a member of a key that is a string.
 */
static bool
jwk_member(JsonbContainer *jwk, const char *name, RoostJwtText *value)
{
	JsonbValue	buffer;
	JsonbValue *member;

	if (jwk == NULL)
		return false;
	member = getKeyJsonValueFromContainer(jwk, name, strlen(name), &buffer);
	if (member == NULL || member->type != jbvString)
		return false;
	*value = (RoostJwtText) {member->val.string.val, member->val.string.len};
	return true;
}

/*
 * Returns one key of a set.
 */
static JsonbContainer *
jwk_element(JsonbContainer *set, int i)
{
	JsonbValue *element = getIthJsonbValueFromContainer(set, i);

	if (element != NULL && element->type == jbvBinary && JsonContainerIsObject(element->val.binary.data))
		return element->val.binary.data;
	jwk_invalid("One of its keys is not a JSON object.");
}

/*
 * Raises the error that a token is not accepted.
 */
static void
jwk_refuse(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("token is not accepted: %s", why)));
}

/*
 * Raises the error that a key or a set of keys cannot be used.
 */
static void
jwk_invalid(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("key or set of keys is not valid"),
			 errdetail("%s", why)));
}
