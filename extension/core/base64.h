/*-------------------------------------------------------------------------
 *
 * base64.h
 *		Base64 without padding, in the URL-safe and the standard alphabet.
 *
 * Plain C without PostgreSQL, so that it can be tested and fuzzed alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_BASE64_H
#define ROOST_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum RoostBase64Alphabet
{
	ROOST_BASE64_URL,			/* RFC 4648 section 5: - and _ */
	ROOST_BASE64_STANDARD		/* RFC 4648 section 4: + and / */
} RoostBase64Alphabet;

/* the length of the text for n bytes, and the bytes in a text of n letters */
#define ROOST_BASE64_ENCODED(n) (((size_t) (n) * 4 + 2) / 3)
#define ROOST_BASE64_DECODED(n) ((size_t) (n) * 3 / 4)

extern size_t roost_base64_encode(RoostBase64Alphabet alphabet,
								  const uint8_t *in, size_t length, char *out);
extern int	roost_base64_decode(RoostBase64Alphabet alphabet,
								const char *in, size_t length, uint8_t *out);

#endif							/* ROOST_BASE64_H */
