/*-------------------------------------------------------------------------
 *
 * xeddsa.c
 *		Verifies XEdDSA signatures, and knows keys that are none.
 *
 * XEdDSA signs with a key for X25519, which is the u coordinate of a point in
 * Montgomery form.  The same point in Edwards form has y = (u - 1) / (u + 1);
 * the sign of its x is the highest bit of the signature.  With that bit moved
 * over to the key, what is left is a signature of Ed25519.
 *
 * All of it is public, so nothing need take constant time.
 *
 *-------------------------------------------------------------------------
 */
#include "key/xeddsa.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <string.h>

#define POINT_BYTES		32
#define KYBER_PRIME		3329
#define KYBER_NUMBERS	1024	/* of 12 bits each; a seed follows */

/* 2^255 - 19, least significant byte first */
static const uint8_t curve_prime[POINT_BYTES] = {
	0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f
};

/*
 * The points with which every secret agrees on zero, or nearly so: 0, 1, -1
 * and the two of order 8.
 */
static const uint8_t curve_small[][POINT_BYTES] = {
	{0},
	{1},
	{
		0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f
	},
	{
		0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00
	},
	{
		0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
		0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57
	},
};

static bool point_is_reduced(const uint8_t *u);
static bool point_to_edwards(const uint8_t *u, uint8_t *y);
static bool ed25519_verify(const uint8_t *key, const uint8_t *message, size_t length, const uint8_t *signature);

/*
 * Returns whether the bytes are a key for X25519 that somebody can have: of
 * its type, in the one way to write it, and not one with which all secrets
 * agree on the same.
 */
bool
roost_key_curve_valid(const uint8_t *key, size_t length)
{
	if (length != ROOST_KEY_CURVE_BYTES || key[0] != ROOST_KEY_TYPE_CURVE || !point_is_reduced(key + 1))
		return false;
	for (size_t i = 0; i < sizeof(curve_small) / sizeof(curve_small[0]); i++)
	{
		if (memcmp(key + 1, curve_small[i], POINT_BYTES) == 0)
			return false;
	}
	return true;
}

/*
 * Returns whether the bytes are a public key of Kyber-1024: all its numbers
 * are below the prime.
 */
bool
roost_key_kyber_valid(const uint8_t *key, size_t length)
{
	if (length != ROOST_KEY_KYBER_BYTES || key[0] != ROOST_KEY_TYPE_KYBER)
		return false;
	key++;
	for (int i = 0; i < KYBER_NUMBERS; i += 2, key += 3)
	{
		if ((key[0] | (key[1] & 15) << 8) >= KYBER_PRIME || (key[1] >> 4 | key[2] << 4) >= KYBER_PRIME)
			return false;
	}
	return true;
}

/*
 * Returns whether the owner of an identity key has signed the message.
 */
bool
roost_xeddsa_verify(const uint8_t *identity_key, size_t key_length,
					const uint8_t *message, size_t length,
					const uint8_t *signature, size_t signature_length)
{
	uint8_t		key[POINT_BYTES];
	uint8_t		plain[ROOST_KEY_SIGNATURE_BYTES];

	if (signature_length != ROOST_KEY_SIGNATURE_BYTES || !roost_key_curve_valid(identity_key, key_length) ||
		!point_to_edwards(identity_key + 1, key))
		return false;
	memcpy(plain, signature, sizeof(plain));
	key[POINT_BYTES - 1] |= plain[ROOST_KEY_SIGNATURE_BYTES - 1] & 0x80;
	plain[ROOST_KEY_SIGNATURE_BYTES - 1] &= 0x7f;
	return ed25519_verify(key, message, length, plain);
}

/*
 * Returns whether a number is below the prime.
 */
static bool
point_is_reduced(const uint8_t *u)
{
	for (int i = POINT_BYTES - 1; i >= 0; i--)
	{
		if (u[i] != curve_prime[i])
			return u[i] < curve_prime[i];
	}
	return false;
}

/*
 * Works out y = (u - 1) / (u + 1); false if u is -1.
 */
static bool
point_to_edwards(const uint8_t *u, uint8_t *y)
{
	bool		done = false;
	BN_CTX	   *context = BN_CTX_new();
	BIGNUM	   *prime = BN_lebin2bn(curve_prime, POINT_BYTES, NULL);
	BIGNUM	   *above = BN_lebin2bn(u, POINT_BYTES, NULL);
	BIGNUM	   *below = BN_lebin2bn(u, POINT_BYTES, NULL);
	BIGNUM	   *one = BN_new();

	if (context && prime && above && below && one &&
		BN_one(one) &&
		BN_mod_sub(above, above, one, prime, context) &&
		BN_mod_add(below, below, one, prime, context) &&
		!BN_is_zero(below) &&
		BN_mod_inverse(below, below, prime, context) &&
		BN_mod_mul(above, above, below, prime, context))
		done = BN_bn2lebinpad(above, y, POINT_BYTES) == POINT_BYTES;
	BN_free(one);
	BN_free(below);
	BN_free(above);
	BN_free(prime);
	BN_CTX_free(context);
	return done;
}

/*
 * Verifies a signature of Ed25519.  That s is below the order of the group,
 * and that the key is a point, is what OpenSSL checks.
 */
static bool
ed25519_verify(const uint8_t *key, const uint8_t *message, size_t length, const uint8_t *signature)
{
	EVP_PKEY   *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, POINT_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool		valid = pkey && context &&
	EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
	EVP_DigestVerify(context, signature, ROOST_KEY_SIGNATURE_BYTES, message, length) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	return valid;
}
