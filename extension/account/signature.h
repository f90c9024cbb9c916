/*-------------------------------------------------------------------------
 *
 * signature.h
 *		The signature algorithms of tokens, and a key prepared for use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_SIGNATURE_H
#define ROOST_SIGNATURE_H

#include <openssl/evp.h>

#include "account/jwt.h"

#define ROOST_SIGNATURE_BYTES_MAX	64	/* Ed25519 */
#define ROOST_SIGNATURE_SECRET_MIN	32	/* HS256: RFC 7518 section 3.2 */
#define ROOST_SIGNATURE_SECRET_MAX	1024
#define ROOST_SIGNATURE_ED25519_KEY	32

/*
 * A key ready to sign or verify.  HS256: the hash after the first block of
 * either pass.  EdDSA: OpenSSL's key, which has a secret part or not.
 */
typedef struct RoostSignatureKey
{
	RoostJwtAlgorithm algorithm;
	uint32		inner[8];
	uint32		outer[8];
	EVP_PKEY   *pkey;
} RoostSignatureKey;

extern bool roost_signature_key_open(RoostSignatureKey *key, RoostJwtAlgorithm algorithm,
									 const uint8 *secret, int secret_length,
									 const uint8 *public_key, int public_length);
extern void roost_signature_key_close(RoostSignatureKey *key);
extern int	roost_signature_make(const RoostSignatureKey *key, const char *message, size_t length,
								 uint8 *signature);
extern bool roost_signature_verify(const RoostSignatureKey *key, const char *message, size_t length,
								   const uint8 *signature, size_t signature_length);

#endif							/* ROOST_SIGNATURE_H */
