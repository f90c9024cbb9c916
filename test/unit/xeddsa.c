/*
 * xeddsa.c
 *		Signatures of the Signal protocol: those that libsignal makes, those of
 *		RFC 8032 with their keys converted, and what is altered in any bit.
 *		Every input ends at a page that cannot be read.
 */
#include "key/xeddsa.c"

#include <openssl/rand.h>

#include "tap.h"

/* made by libsignal: identity key, message, signature; with both signs */
static const char *const libsignal_vectors[][3] = {
	{"056d0168726315d5a562041d91de97c50ab5886af7751482fae7f0fc7e18c07b26", "6d6573736167652030", "840bf5575c7bf9ebe9cc85cc26c94273f98944074f3d47419c661961cb89bc0da7ff82c255827fc0c8c48f68640b9f82a2b7af55bc56b49d463dc30a3e8ee20a"},
	{"0532ad5b397f4c5617c78678f3a377db3b21e7dd102a47a1c67e6d8e770aa7e821", "6d6573736167652031", "e633dadd9404116185d43aa114cc34aa54fc037ff7026ade8374a3ebd9fcdf6feaafb72e97a893742ca33a5e25073b761b05ec755ec614c492e9364e87efd587"},
	{"050e3dab7af5feda29500f5dc16d12dee3ceedd9178bd665303117c3bf1b4d300a", "6d6573736167652032", "43b772bb6794f386b73787bfc2da17d8d4597e6f86ac64fd812fa4e2352dd742447e6aa183e849ba1d080eb4a4591560b8e667db7d8aae0fc82a3c8e46312b0d"},
	{"05073034492d1d3d50b5ce3a2459494ed3e3bdf254a9e4b8dcbe0a362bb1eae76c", "6d6573736167652033", "b61bb04c4b9c7502b1a48676de2470570a8fa216a2b4114651ad4dd8bb4a2010669952bcf4dddbf9ef38e68c8fe4f6907db1fbdaaefeb23a694e5aee29584b0c"},
	{"051ad293da45d592f41ce443ec1e0a386a73a1b290d9c720d131c70d46408d6369", "052949108ea3bd23781e463b54a22bf0ee132e93dea016f3d2e9382df4d8345c45", "14f2fd278c0c447b02bc1fd174a363a36e800381f53ab8adc3e60074716f4438410d9d3d4ca12ec3e67da0e4f85725bc1cba54e9716163baa1a84ec76f2a5706"},
};

/* RFC 8032, section 7.1, tests 1 to 3: key, message, signature of Ed25519 */
static const char *const rfc8032_vectors[][3] = {
	{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
	{"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
	{"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static size_t
unhex(const char *hex, uint8_t *out)
{
	size_t		length = strlen(hex) / 2;

	for (size_t i = 0; i < length; i++)
		sscanf(hex + 2 * i, "%2hhx", &out[i]);
	return length;
}

/* verifies copies that end where reading ends, one after the other */
static bool
verify(const uint8_t *key, size_t key_length, const uint8_t *message, size_t length,
	   const uint8_t *signature, size_t signature_length)
{
	bool		whole = roost_xeddsa_verify(key, key_length, message, length, signature, signature_length);

	if (roost_xeddsa_verify((const uint8_t *) guarded((const char *) key, key_length), key_length, message, length, signature, signature_length) != whole ||
		roost_xeddsa_verify(key, key_length, (const uint8_t *) guarded((const char *) message, length), length, signature, signature_length) != whole ||
		roost_xeddsa_verify(key, key_length, message, length, (const uint8_t *) guarded((const char *) signature, signature_length), signature_length) != whole)
		abort();
	return whole;
}

/* u = (1 + y) / (1 - y) */
static void
edwards_to_point(const uint8_t *edwards, uint8_t *key)
{
	uint8_t		y[POINT_BYTES];
	BN_CTX	   *context = BN_CTX_new();
	BIGNUM	   *prime = BN_lebin2bn(curve_prime, POINT_BYTES, NULL);
	BIGNUM	   *above;
	BIGNUM	   *below = BN_new();
	BIGNUM	   *one = BN_new();

	memcpy(y, edwards, POINT_BYTES);
	y[POINT_BYTES - 1] &= 0x7f;
	above = BN_lebin2bn(y, POINT_BYTES, NULL);
	BN_one(one);
	BN_mod_sub(below, one, above, prime, context);
	BN_mod_add(above, above, one, prime, context);
	BN_mod_inverse(below, below, prime, context);
	BN_mod_mul(above, above, below, prime, context);
	key[0] = ROOST_KEY_TYPE_CURVE;
	BN_bn2lebinpad(above, key + 1, POINT_BYTES);
	BN_free(one);
	BN_free(below);
	BN_free(above);
	BN_free(prime);
	BN_CTX_free(context);
}

/* whether a point agrees on something with anybody */
static bool
agrees(const uint8_t *u)
{
	uint8_t		seed[POINT_BYTES];
	uint8_t		secret[POINT_BYTES];
	size_t		length = sizeof(secret);
	EVP_PKEY   *own;
	EVP_PKEY   *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, u, POINT_BYTES);
	EVP_PKEY_CTX *context;
	bool		done;

	RAND_bytes(seed, sizeof(seed));
	own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, seed, sizeof(seed));
	context = EVP_PKEY_CTX_new(own, NULL);
	done = EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, peer) == 1 &&
		EVP_PKEY_derive(context, secret, &length) == 1;
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return done;
}

static void
test_libsignal(void)
{
	for (size_t i = 0; i < sizeof(libsignal_vectors) / sizeof(libsignal_vectors[0]); i++)
	{
		uint8_t		key[64];
		uint8_t		message[64];
		uint8_t		signature[64];
		size_t		length = unhex(libsignal_vectors[i][1], message);
		size_t		key_length = unhex(libsignal_vectors[i][0], key);
		bool		refused = true;
		char		name[80];

		unhex(libsignal_vectors[i][2], signature);
		snprintf(name, sizeof(name), "a signature by libsignal, sign %d", signature[63] >> 7);
		ok(verify(key, key_length, message, length, signature, 64), name);

		for (int bit = 0; bit < 64 * 8; bit++)
		{
			signature[bit / 8] ^= 1 << bit % 8;
			refused = refused && !verify(key, key_length, message, length, signature, 64);
			signature[bit / 8] ^= 1 << bit % 8;
		}
		ok(refused, "with any bit of the signature altered it is refused");
		refused = true;
		for (size_t bit = 0; bit < 33 * 8; bit++)
		{
			key[bit / 8] ^= 1 << bit % 8;
			refused = refused && !verify(key, key_length, message, length, signature, 64);
			key[bit / 8] ^= 1 << bit % 8;
		}
		ok(refused, "with any bit of the key altered it is refused");
		refused = true;
		for (size_t bit = 0; bit < length * 8; bit++)
		{
			message[bit / 8] ^= 1 << bit % 8;
			refused = refused && !verify(key, key_length, message, length, signature, 64);
			message[bit / 8] ^= 1 << bit % 8;
		}
		ok(refused, "with any bit of the message altered it is refused");
		ok(!verify(key, key_length, message, length - 1, signature, 64) && !verify(key, key_length - 1, message, length, signature, 64) &&
		   !verify(key, key_length, message, length, signature, 63), "with anything shorter it is refused");
	}
}

static void
test_rfc8032(void)
{
	for (size_t i = 0; i < sizeof(rfc8032_vectors) / sizeof(rfc8032_vectors[0]); i++)
	{
		uint8_t		edwards[POINT_BYTES];
		uint8_t		key[ROOST_KEY_CURVE_BYTES];
		uint8_t		again[POINT_BYTES];
		uint8_t		message[64];
		uint8_t		signature[64];
		size_t		length = unhex(rfc8032_vectors[i][1], message);
		uint8_t		sign;

		unhex(rfc8032_vectors[i][0], edwards);
		unhex(rfc8032_vectors[i][2], signature);
		sign = edwards[POINT_BYTES - 1] & 0x80;
		edwards_to_point(edwards, key);
		edwards[POINT_BYTES - 1] &= 0x7f;
		ok(point_to_edwards(key + 1, again) && memcmp(again, edwards, POINT_BYTES) == 0, "a key of RFC 8032 comes back");
		signature[63] |= sign;
		ok(verify(key, sizeof(key), message, length, signature, 64), "a signature of RFC 8032 with its sign");
		signature[63] ^= 0x80;
		ok(!verify(key, sizeof(key), message, length, signature, 64), "and with the other sign it is refused");
	}
}

/* s + L is another spelling of s */
static void
test_order(void)
{
	static const uint8_t order[POINT_BYTES] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10
	};
	uint8_t		key[64];
	uint8_t		message[64];
	uint8_t		signature[64];
	size_t		length = unhex(libsignal_vectors[0][1], message);
	uint8_t		sign;
	int			carry = 0;

	unhex(libsignal_vectors[0][0], key);
	unhex(libsignal_vectors[0][2], signature);
	sign = signature[63] & 0x80;
	signature[63] &= 0x7f;
	for (int i = 0; i < POINT_BYTES; i++)
	{
		carry += signature[32 + i] + order[i];
		signature[32 + i] = carry & 255;
		carry >>= 8;
	}
	signature[63] |= sign;
	ok(!verify(key, 33, message, length, signature, 64), "a second spelling of a signature is refused");
}

static void
test_keys(void)
{
	uint8_t		key[ROOST_KEY_KYBER_BYTES + 1] = {ROOST_KEY_TYPE_CURVE};
	uint8_t		signature[64] = {0};
	bool		refused = true;
	bool		same = true;

	for (size_t i = 0; i < sizeof(curve_small) / sizeof(curve_small[0]); i++)
	{
		memcpy(key + 1, curve_small[i], POINT_BYTES);
		refused = refused && !roost_key_curve_valid(key, 33) && !agrees(key + 1) && !verify(key, 33, key, 33, signature, 64);
	}
	ok(refused, "keys of small order are refused, and agree on nothing");
	memcpy(key + 1, curve_prime, POINT_BYTES);
	refused = !roost_key_curve_valid(key, 33);
	for (int i = 0; i < 18; i++)
	{
		key[1]++;
		refused = refused && !roost_key_curve_valid(key, 33);
	}
	ok(refused, "keys that are not reduced are refused");
	memset(key + 1, 0xff, POINT_BYTES);
	ok(!roost_key_curve_valid(key, 33), "so is the largest number");
	key[POINT_BYTES] = 0x80;
	ok(!roost_key_curve_valid(key, 33), "and one whose highest bit is set");
	for (int i = 0; i < 200; i++)
	{
		RAND_bytes(key + 1, POINT_BYTES);
		key[POINT_BYTES] &= 0x7f;
		key[0] = ROOST_KEY_TYPE_CURVE;
		same = same && roost_key_curve_valid(key, 33) == agrees(key + 1) && !roost_key_curve_valid(key, 32) && !roost_key_curve_valid(key, 34);
		key[0] = i == ROOST_KEY_TYPE_CURVE ? 0 : i;
		same = same && !roost_key_curve_valid(key, 33);
	}
	ok(same, "any other number of the type and length is a key");
	ok(!roost_key_curve_valid(key, 0) && !roost_key_kyber_valid(key, 0), "nothing is no key");

	memset(key, 0, sizeof(key));
	key[0] = ROOST_KEY_TYPE_KYBER;
	ok(roost_key_kyber_valid((const uint8_t *) guarded((const char *) key, 1569), 1569), "a Kyber key");
	ok(!roost_key_kyber_valid(key, 1568) && !roost_key_kyber_valid(key, 1570) && !roost_key_curve_valid(key, 1569), "of another length it is none");
	refused = true;
	for (int i = 0; i < KYBER_NUMBERS; i++)
	{
		uint8_t    *low = key + 1 + i / 2 * 3 + i % 2;

		for (int number = KYBER_PRIME - 1; number <= KYBER_PRIME; number++)
		{
			if (i % 2 == 0)
			{
				low[0] = number & 255;
				low[1] = number >> 8;
			}
			else
			{
				low[0] = (number & 15) << 4;
				low[1] = number >> 4;
			}
			refused = refused && roost_key_kyber_valid(key, 1569) == (number < KYBER_PRIME);
		}
		low[0] = low[1] = 0;
	}
	ok(refused, "each of its numbers is below the prime");
	key[0] = 7;
	ok(!roost_key_kyber_valid(key, 1569), "another type is refused");
}

int
main(void)
{
	test_libsignal();
	test_rfc8032();
	test_order();
	test_keys();
	printf("1..%d\n", tests);
	return failed > 0;
}
