/*-------------------------------------------------------------------------
 *
 * signature.c
 *		Signatures of tokens: HS256 (HMAC-SHA-256) and EdDSA (Ed25519).
 *
 * HMAC begins both of its passes with a block that depends on the key only,
 * so a prepared key holds the two states after that block.  This uses
 * OpenSSL's own SHA-256 directly: its general interface takes 100 ns longer
 * for a token, and its re-initialization without a key is broken in some
 * releases in use.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "account/signature.h"

static void signature_hmac_open(RoostSignatureKey *key, const uint8 *secret, int length);
static void signature_hmac(const RoostSignatureKey *key, const char *message, size_t length,
						   uint8 *tag);
static bool signature_ed25519_verify(const RoostSignatureKey *key, const char *message, size_t length,
									 const uint8 *signature);

/*
 * Prepares a key; false when its parts do not make a key of the algorithm.
 * EdDSA needs the secret (its 32-byte seed) or the public key.
 */
bool
roost_signature_key_open(RoostSignatureKey *key, RoostJwtAlgorithm algorithm,
						 const uint8 *secret, int secret_length,
						 const uint8 *public_key, int public_length)
{
	memset(key, 0, sizeof(*key));
	key->algorithm = algorithm;
	switch (algorithm)
	{
		case ROOST_JWT_HS256:
			if (secret_length < ROOST_SIGNATURE_SECRET_MIN || secret_length > ROOST_SIGNATURE_SECRET_MAX)
				return false;
			signature_hmac_open(key, secret, secret_length);
			return true;
		case ROOST_JWT_EDDSA:
			if (secret_length == ROOST_SIGNATURE_ED25519_KEY)
				key->pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, secret_length);
			else if (secret_length == 0 && public_length == ROOST_SIGNATURE_ED25519_KEY)
				key->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, public_length);
			return key->pkey != NULL;
		default:
			return false;
	}
}

/*
 * Forgets a key.
 */
void
roost_signature_key_close(RoostSignatureKey *key)
{
	EVP_PKEY_free(key->pkey);
	OPENSSL_cleanse(key, sizeof(*key));
}

/*
 * Signs a message and returns the length of the signature, 0 on failure.
 */
int
roost_signature_make(const RoostSignatureKey *key, const char *message, size_t length,
					 uint8 *signature)
{
	EVP_MD_CTX *context;
	size_t		signature_length = ROOST_SIGNATURE_BYTES_MAX;

	if (key->algorithm == ROOST_JWT_HS256)
	{
		signature_hmac(key, message, length, signature);
		return SHA256_DIGEST_LENGTH;
	}
	context = EVP_MD_CTX_new();
	if (context == NULL ||
		EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) != 1 ||
		EVP_DigestSign(context, signature, &signature_length, (const uint8 *) message, length) != 1)
		signature_length = 0;
	EVP_MD_CTX_free(context);
	return signature_length;
}

/*
 * Returns whether a signature is the key's for the message.
 */
bool
roost_signature_verify(const RoostSignatureKey *key, const char *message, size_t length,
					   const uint8 *signature, size_t signature_length)
{
	uint8		tag[SHA256_DIGEST_LENGTH];

	switch (key->algorithm)
	{
		case ROOST_JWT_HS256:
			if (signature_length != SHA256_DIGEST_LENGTH)
				return false;
			signature_hmac(key, message, length, tag);
			return CRYPTO_memcmp(tag, signature, SHA256_DIGEST_LENGTH) == 0;
		case ROOST_JWT_EDDSA:
			return signature_length == 2 * ROOST_SIGNATURE_ED25519_KEY &&
				signature_ed25519_verify(key, message, length, signature);
		default:
			return false;
	}
}

/*
 * Computes the states after the first block of both passes.
 */
static void
signature_hmac_open(RoostSignatureKey *key, const uint8 *secret, int length)
{
	uint8		block[SHA256_CBLOCK] = {0};
	SHA256_CTX	context;

	if (length > SHA256_CBLOCK)
		SHA256(secret, length, block);
	else
		memcpy(block, secret, length);

	for (int i = 0; i < SHA256_CBLOCK; i++)
		block[i] ^= 0x36;
	SHA256_Init(&context);
	SHA256_Update(&context, block, SHA256_CBLOCK);
	memcpy(key->inner, context.h, sizeof(key->inner));

	for (int i = 0; i < SHA256_CBLOCK; i++)
		block[i] ^= 0x36 ^ 0x5c;
	SHA256_Init(&context);
	SHA256_Update(&context, block, SHA256_CBLOCK);
	memcpy(key->outer, context.h, sizeof(key->outer));

	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(&context, sizeof(context));
}

/*
 * Sets up a hash as if it had taken one block, with the state after it.
 */
static inline void
signature_hmac_resume(SHA256_CTX *context, const uint32 *state)
{
	memcpy(context->h, state, sizeof(context->h));
	context->Nl = SHA256_CBLOCK * 8;
	context->Nh = 0;
	context->num = 0;
	context->md_len = SHA256_DIGEST_LENGTH;
}

/*
 * Computes HMAC-SHA-256 of a message.
 */
static void
signature_hmac(const RoostSignatureKey *key, const char *message, size_t length, uint8 *tag)
{
	SHA256_CTX	context;

	signature_hmac_resume(&context, key->inner);
	SHA256_Update(&context, message, length);
	SHA256_Final(tag, &context);
	signature_hmac_resume(&context, key->outer);
	SHA256_Update(&context, tag, SHA256_DIGEST_LENGTH);
	SHA256_Final(tag, &context);
}

/*
 * Returns whether an Ed25519 signature is the key's for the message.
 */
static bool
signature_ed25519_verify(const RoostSignatureKey *key, const char *message, size_t length,
						 const uint8 *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool		result;

	result = context != NULL &&
		EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
		EVP_DigestVerify(context, signature, 2 * ROOST_SIGNATURE_ED25519_KEY,
						 (const uint8 *) message, length) == 1;
	EVP_MD_CTX_free(context);
	return result;
}
