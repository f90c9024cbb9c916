/*-------------------------------------------------------------------------
 *
 * xeddsa.h
 *		Public keys and signatures of the Signal protocol.
 *
 * Plain C without PostgreSQL, so that it can be tested alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_XEDDSA_H
#define ROOST_XEDDSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* the first byte of a serialized key says what it is */
#define ROOST_KEY_TYPE_CURVE	0x05
#define ROOST_KEY_TYPE_KYBER	0x08

#define ROOST_KEY_CURVE_BYTES	33	/* the type and a point of Curve25519 */
#define ROOST_KEY_KYBER_BYTES	1569	/* the type and a key of Kyber-1024 */
#define ROOST_KEY_SIGNATURE_BYTES 64

extern bool roost_key_curve_valid(const uint8_t *key, size_t length);
extern bool roost_key_kyber_valid(const uint8_t *key, size_t length);
extern bool roost_xeddsa_verify(const uint8_t *identity_key, size_t key_length,
								const uint8_t *message, size_t length,
								const uint8_t *signature, size_t signature_length);

#endif							/* ROOST_XEDDSA_H */
