/*-------------------------------------------------------------------------
 *
 * secret.c
 *		Random tokens, their digests, and comparison in constant time.
 *
 * Tokens that only have to be unguessable (refresh tokens, links in mails)
 * are random bytes; tables hold their digests.  They have so many bits that
 * the digest needs neither salt nor slowness.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "core/base64.h"
#include "core/compat.h"

PG_FUNCTION_INFO_V1(roost_secret_random_token);
PG_FUNCTION_INFO_V1(roost_secret_token_digest);
PG_FUNCTION_INFO_V1(roost_secret_equal);

#define SECRET_BYTES_MIN	16
#define SECRET_BYTES_MAX	256

/*
 * roost_internal.random_token(bytes) returns random bytes as base64url.
 */
Datum
roost_secret_random_token(PG_FUNCTION_ARGS)
{
	int			length = PG_GETARG_INT32(0);
	uint8		bytes[SECRET_BYTES_MAX];
	char		token[ROOST_BASE64_ENCODED(SECRET_BYTES_MAX)];
	size_t		n;

	if (length < SECRET_BYTES_MIN || length > SECRET_BYTES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a random token has between %d and %d bytes", SECRET_BYTES_MIN, SECRET_BYTES_MAX)));
	if (!pg_strong_random(bytes, length))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not get random bytes")));
	n = roost_base64_encode(ROOST_BASE64_URL, bytes, length, token);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(token, n));
}

/*
 * roost_internal.token_digest(token) returns the SHA-256 of a token.
 */
Datum
roost_secret_token_digest(PG_FUNCTION_ARGS)
{
	text	   *token = PG_GETARG_TEXT_PP(0);
	bytea	   *digest = palloc(VARHDRSZ + SHA256_DIGEST_LENGTH);

	SET_VARSIZE(digest, VARHDRSZ + SHA256_DIGEST_LENGTH);
	SHA256((unsigned char *) VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token), (unsigned char *) VARDATA(digest));
	PG_RETURN_BYTEA_P(digest);
}

/*
 * roost_internal.equal_constant_time(a, b) returns whether two strings of
 * bytes are equal, in a time that depends on their length only.
 */
Datum
roost_secret_equal(PG_FUNCTION_ARGS)
{
	bytea	   *a = PG_GETARG_BYTEA_PP(0);
	bytea	   *b = PG_GETARG_BYTEA_PP(1);

	PG_RETURN_BOOL(VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
				   CRYPTO_memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0);
}
