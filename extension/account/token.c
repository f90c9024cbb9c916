/*-------------------------------------------------------------------------
 *
 * token.c
 *		Access tokens: JSON Web Tokens that this server signs and verifies.
 *
 * A token names account (sub), session (sid), device (did) and its times.  It
 * is accepted when
 *	- its key is one of ours, its algorithm is that key's, and the signature
 *	  matches; nothing else of the token is looked at before that;
 *	- issuer and audience are exactly the configured ones;
 *	- the time lies between nbf and exp; it never lives longer than
 *	  roost.token_access_ttl after iat, so lowering that ends older ones too;
 *	- neither its session nor its account has been revoked.
 * Clocks may differ by roost.token_leeway seconds.
 *
 * After the first call in a backend no table is read (see key.c and
 * revocation.c for what is kept where).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "account/key.h"
#include "account/revocation.h"
#include "account/token.h"
#include "core/base64.h"
#include "core/clock.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_token_verify);
PG_FUNCTION_INFO_V1(roost_token_account);
PG_FUNCTION_INFO_V1(roost_token_make);
PG_FUNCTION_INFO_V1(roost_token_lifetime_sql);

/* limits of the settings, in seconds */
#define TOKEN_ACCESS_TTL_MIN		10
#define TOKEN_ACCESS_TTL_DEFAULT	(15 * 60)
#define TOKEN_ACCESS_TTL_MAX		SECS_PER_DAY
#define TOKEN_REFRESH_TTL_MIN		60
#define TOKEN_REFRESH_TTL_DEFAULT	(7 * SECS_PER_DAY)
#define TOKEN_REFRESH_TTL_MAX		(366 * SECS_PER_DAY)
#define TOKEN_LEEWAY_MIN			0
#define TOKEN_LEEWAY_DEFAULT		5
#define TOKEN_LEEWAY_MAX			60
#define TOKEN_NAME_DEFAULT			"roost"
#define TOKEN_NAME_MAX				200

#define TOKEN_JTI_BYTES				12

static char *token_issuer = NULL;
static char *token_audience = NULL;
static int	token_access_ttl = TOKEN_ACCESS_TTL_DEFAULT;
static int	token_refresh_ttl = TOKEN_REFRESH_TTL_DEFAULT;
static int	token_leeway = TOKEN_LEEWAY_DEFAULT;

static const RoostKey *token_key(const RoostJwtParts *parts, int64 now, const char **why);
static bool token_signature(const RoostKey *key, const RoostJwtParts *parts, const char **why);
static bool token_claims(const RoostJwtParts *parts, int64 now, RoostIdentity *identity,
						 const char **why);
static void token_identify(text *token, RoostIdentity *identity);
static char *token_payload(int64 account_id, int64 session_id, int64 device_id, int64 now);

/*
 * Allows only names that need no escapes in JSON.
 */
static bool
token_check_name(char **value, void **extra, GucSource source)
{
	if (**value == '\0' || strlen(*value) > TOKEN_NAME_MAX)
	{
		GUC_check_errdetail("It must have between 1 and %d characters.", TOKEN_NAME_MAX);
		return false;
	}
	for (const char *p = *value; *p != '\0'; p++)
	{
		if (*p < 0x21 || *p > 0x7e || *p == '"' || *p == '\\')
		{
			GUC_check_errdetail("It must consist of visible ASCII characters other than quote and backslash.");
			return false;
		}
	}
	return true;
}

/*
 * Define the settings of the module.
 */
static void
token_define_gucs(void)
{
	DefineCustomStringVariable("roost.token_issuer",
							   "Issuer of access tokens (iss).",
							   "Tokens with another one are refused.",
							   &token_issuer, TOKEN_NAME_DEFAULT,
							   PGC_SIGHUP, 0, token_check_name, NULL, NULL);
	DefineCustomStringVariable("roost.token_audience",
							   "Audience of access tokens (aud).",
							   "Tokens for others are refused.",
							   &token_audience, TOKEN_NAME_DEFAULT,
							   PGC_SIGHUP, 0, token_check_name, NULL, NULL);
	DefineCustomIntVariable("roost.token_access_ttl",
							"How long an access token lives.",
							"Also tokens that were issued before the setting was lowered.",
							&token_access_ttl,
							TOKEN_ACCESS_TTL_DEFAULT, TOKEN_ACCESS_TTL_MIN, TOKEN_ACCESS_TTL_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.token_refresh_ttl",
							"How long a refresh token lives.",
							"Every refresh gives a new one with a new life.",
							&token_refresh_ttl,
							TOKEN_REFRESH_TTL_DEFAULT, TOKEN_REFRESH_TTL_MIN, TOKEN_REFRESH_TTL_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.token_leeway",
							"How far clocks may differ when a token's times are checked.",
							NULL,
							&token_leeway,
							TOKEN_LEEWAY_DEFAULT, TOKEN_LEEWAY_MIN, TOKEN_LEEWAY_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	roost_revocation_define_gucs();
}

/*
 * Registers callbacks.
 */
static void
token_init(void)
{
	roost_key_init();
	roost_revocation_init();
}

const RoostModule roost_token_module = {
	.name = "roost token revocation",
	.define_gucs = token_define_gucs,
	.shmem_size = roost_revocation_shmem_size,
	.num_lwlocks = ROOST_REVOCATION_LOCKS,
	.shmem_init = roost_revocation_shmem_init,
	.init = token_init,
};

/*
 * Returns whether a token is valid now, and says who it is; otherwise why
 * not, as the end of a sentence that is about the token.
 */
bool
roost_token_authenticate(const char *token, int length, RoostIdentity *identity, const char **why)
{
	int64		now = roost_clock_us();
	RoostJwtParts parts;
	const RoostKey *key;

	if (!roost_jwt_split(token, length, &parts))
	{
		*why = "it is malformed";
		return false;
	}
	key = token_key(&parts, now, why);
	if (key == NULL || !token_signature(key, &parts, why))
		return false;
	if (!token_claims(&parts, now, identity, why))
		return false;
	if (roost_revocation_check(identity->session_id, identity->account_id, now))
	{
		*why = "it has been revoked";
		return false;
	}
	return true;
}

/*
 * Returns whether a time, in microseconds since 1970, lies between a token's
 * times, as far as it has any; otherwise why not.
 */
bool
roost_token_is_now(const RoostJwtClaims *claims, int64 now, const char **why)
{
	now /= USECS_PER_SEC;
	if (claims->has_exp && now >= claims->exp + token_leeway)
		*why = "it has expired";
	else if ((claims->has_nbf && now + token_leeway < claims->nbf) ||
			 (claims->has_iat && now + token_leeway < claims->iat))
		*why = "it is not valid yet";
	else
		return true;
	return false;
}

/*
 * Returns the microseconds for which a token issued now may be accepted
 * anywhere: a revocation must be remembered that long.
 */
int64
roost_token_lifetime(void)
{
	return ((int64) token_access_ttl + 2 * TOKEN_LEEWAY_MAX) * USECS_PER_SEC;
}

/*
 * Returns the key that a token claims to be signed with, or NULL.
 */
static const RoostKey *
token_key(const RoostJwtParts *parts, int64 now, const char **why)
{
	const RoostKey *key = roost_key_by_header(parts->header.data, parts->header.length);
	uint8		json[ROOST_BASE64_DECODED(ROOST_JWT_LENGTH_MAX)];
	RoostJwtHeader header;
	int			length;

	if (unlikely(key == NULL))
	{
		length = roost_base64_decode(ROOST_BASE64_URL, parts->header.data, parts->header.length, json);
		if (length < 0)
		{
			*why = "it is malformed";
			return NULL;
		}
		if (!roost_jwt_header((char *) json, length, &header, why))
			return NULL;
		if (header.typ.data != NULL && !roost_jwt_text_equal(header.typ, "JWT"))
		{
			*why = "it is of another type";
			return NULL;
		}
		key = roost_key_by_kid(header.kid);
		if (key != NULL && key->signature.algorithm != header.algorithm)
		{
			*why = "its algorithm is not that of its key";
			return NULL;
		}
	}
	if (key == NULL || key->retired_at <= now)
	{
		*why = "its key is not known";
		return NULL;
	}
	return key;
}

/*
 * Returns whether a token is signed with a key.
 */
static bool
token_signature(const RoostKey *key, const RoostJwtParts *parts, const char **why)
{
	uint8		signature[ROOST_SIGNATURE_BYTES_MAX];
	int			length = -1;

	if (parts->signature.length <= ROOST_BASE64_ENCODED(sizeof(signature)))
		length = roost_base64_decode(ROOST_BASE64_URL, parts->signature.data, parts->signature.length, signature);
	if (length < 0 ||
		!roost_signature_verify(&key->signature, parts->signed_part.data, parts->signed_part.length,
								signature, length))
	{
		*why = "its signature does not match";
		return false;
	}
	return true;
}

/*
 * Returns whether the claims are for us and for now, and takes them over.
 */
static bool
token_claims(const RoostJwtParts *parts, int64 now, RoostIdentity *identity, const char **why)
{
	uint8		json[ROOST_BASE64_DECODED(ROOST_JWT_LENGTH_MAX)];
	RoostJwtClaims claims;
	int			length;

	length = roost_base64_decode(ROOST_BASE64_URL, parts->payload.data, parts->payload.length, json);
	if (length < 0)
	{
		*why = "it is malformed";
		return false;
	}
	if (!roost_jwt_claims((char *) json, length, true, &claims, why))
		return false;

	if (claims.sub == 0 || claims.sid == 0 || !claims.has_iat || !claims.has_exp)
	{
		*why = "one of its claims is missing";
		return false;
	}
	if (!roost_jwt_text_equal(claims.iss, token_issuer))
	{
		*why = "it is from another issuer";
		return false;
	}
	if (!roost_jwt_audience(&claims.aud, token_audience))
	{
		*why = "it is for another audience";
		return false;
	}
	claims.exp = Min(claims.exp, claims.iat + token_access_ttl);
	if (!roost_token_is_now(&claims, now, why))
		return false;

	identity->account_id = claims.sub;
	identity->session_id = claims.sid;
	identity->device_id = claims.did;
	identity->issued_at = claims.iat * USECS_PER_SEC;
	identity->expires_at = claims.exp * USECS_PER_SEC;
	return true;
}

/*
 * roost.token_verify(token) returns what a valid token says.
 */
Datum
roost_token_verify(PG_FUNCTION_ARGS)
{
	RoostIdentity identity;
	TupleDesc	desc = fcinfo->flinfo->fn_extra;
	Datum		values[5];
	bool		nulls[5] = {false};

	token_identify(PG_GETARG_TEXT_PP(0), &identity);
	if (desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		fcinfo->flinfo->fn_extra = desc = BlessTupleDesc(CreateTupleDescCopy(desc));
		MemoryContextSwitchTo(old);
	}
	values[0] = Int64GetDatum(identity.account_id);
	values[1] = Int64GetDatum(identity.session_id);
	values[2] = Int64GetDatum(identity.device_id);
	nulls[2] = identity.device_id == 0;
	values[3] = TimestampTzGetDatum(roost_clock_timestamp(identity.issued_at));
	values[4] = TimestampTzGetDatum(roost_clock_timestamp(identity.expires_at));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/*
 * roost.token_account(token) returns the account of a valid token.
 */
Datum
roost_token_account(PG_FUNCTION_ARGS)
{
	RoostIdentity identity;

	token_identify(PG_GETARG_TEXT_PP(0), &identity);
	PG_RETURN_INT64(identity.account_id);
}

/*
 * Fills in who a token is, or raises an error.
 */
static void
token_identify(text *token, RoostIdentity *identity)
{
	const char *why;

	if (!roost_token_authenticate(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token), identity, &why))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("access token is not accepted: %s", why)));
}

/*
 * roost_internal.token_make(account_id, session_id, device_id) returns a new
 * access token.
 */
Datum
roost_token_make(PG_FUNCTION_ARGS)
{
	int64		now = roost_clock_us();
	const RoostKey *key = roost_key_signer(now);
	char	   *payload;
	size_t		payload_length;
	char	   *token;
	size_t		length;
	uint8		signature[ROOST_SIGNATURE_BYTES_MAX];
	int			signature_length;

	for (int i = 0; i < 3; i++)
	{
		if (i == 2 ? !PG_ARGISNULL(i) && PG_GETARG_INT64(i) <= 0 : PG_ARGISNULL(i) || PG_GETARG_INT64(i) <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a token needs an account and a session")));
	}
	payload = token_payload(PG_GETARG_INT64(0), PG_GETARG_INT64(1),
							PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2), now);
	payload_length = strlen(payload);

	token = palloc(key->header_length + ROOST_BASE64_ENCODED(payload_length) +
				   ROOST_BASE64_ENCODED(ROOST_SIGNATURE_BYTES_MAX) + 2);
	memcpy(token, key->header, key->header_length);
	length = key->header_length;
	token[length++] = '.';
	length += roost_base64_encode(ROOST_BASE64_URL, (uint8 *) payload, payload_length, token + length);

	signature_length = roost_signature_make(&key->signature, token, length, signature);
	if (signature_length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not sign a token")));
	token[length++] = '.';
	length += roost_base64_encode(ROOST_BASE64_URL, signature, signature_length, token + length);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(token, length));
}

/*
 * Returns the claims of a new token as JSON.
 */
static char *
token_payload(int64 account_id, int64 session_id, int64 device_id, int64 now)
{
	int64		seconds = now / USECS_PER_SEC;
	uint8		jti_bytes[TOKEN_JTI_BYTES];
	char		jti[ROOST_BASE64_ENCODED(TOKEN_JTI_BYTES)];
	char		device[40] = "";

	if (!pg_strong_random(jti_bytes, sizeof(jti_bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not get random bytes")));
	roost_base64_encode(ROOST_BASE64_URL, jti_bytes, sizeof(jti_bytes), jti);
	if (device_id != 0)
		snprintf(device, sizeof(device), "\"did\":\"" INT64_FORMAT "\",", device_id);
	return psprintf("{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"" INT64_FORMAT "\",\"sid\":\"" INT64_FORMAT "\",%s"
					"\"jti\":\"%.*s\",\"iat\":" INT64_FORMAT ",\"nbf\":" INT64_FORMAT ",\"exp\":" INT64_FORMAT "}",
					token_issuer, token_audience, account_id, session_id, device,
					(int) sizeof(jti), jti, seconds, seconds, seconds + token_access_ttl);
}

/*
 * roost_internal.token_lifetime() returns for how long a revocation must be
 * remembered.
 */
Datum
roost_token_lifetime_sql(PG_FUNCTION_ARGS)
{
	Interval   *result = palloc0(sizeof(Interval));

	result->time = roost_token_lifetime();
	PG_RETURN_INTERVAL_P(result);
}
