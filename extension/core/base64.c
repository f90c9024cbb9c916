/*-------------------------------------------------------------------------
 *
 * base64.c
 *		Base64 without padding, exact in both directions.
 *
 * There is exactly one text for every string of bytes: decoding refuses
 * padding, white space, letters of the other alphabet, a single letter left
 * over and unused bits that are not zero.  Otherwise one signature would
 * have many spellings.
 *
 *-------------------------------------------------------------------------
 */
#include "core/base64.h"

static const char base64_letters[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* value of each letter of the URL-safe alphabet, -1 for all others */
static const int8_t base64_values[256] = {
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
	-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63,
	-1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
};

/*
 * Returns the six bits that a letter stands for, or -1.
 */
static inline int
base64_value(RoostBase64Alphabet alphabet, char c)
{
	if (alphabet == ROOST_BASE64_STANDARD)
	{
		if (c == '+')
			c = '-';
		else if (c == '/')
			c = '_';
		else if (c == '-' || c == '_')
			return -1;
	}
	return base64_values[(unsigned char) c];
}

/*
 * Writes the text for length bytes to out, without a final zero, and returns
 * its length, ROOST_BASE64_ENCODED(length).
 */
size_t
roost_base64_encode(RoostBase64Alphabet alphabet,
					const uint8_t *in, size_t length, char *out)
{
	uint32_t	bits = 0;
	int			num_bits = 0;
	size_t		n = 0;

	for (size_t i = 0; i < length; i++)
	{
		bits = bits << 8 | in[i];
		for (num_bits += 8; num_bits >= 6; num_bits -= 6)
			out[n++] = base64_letters[bits >> (num_bits - 6) & 63];
	}
	if (num_bits > 0)
		out[n++] = base64_letters[bits << (6 - num_bits) & 63];

	if (alphabet == ROOST_BASE64_STANDARD)
	{
		for (size_t i = 0; i < n; i++)
		{
			if (out[i] == '-')
				out[i] = '+';
			else if (out[i] == '_')
				out[i] = '/';
		}
	}
	return n;
}

/*
 * Decodes with an alphabet that the compiler knows.
 */
static inline int
base64_decode(RoostBase64Alphabet alphabet, const char *in, size_t length, uint8_t *out)
{
	uint8_t    *start = out;
	uint32_t	bits;

	/* a letter that is none sets the highest bit, wherever it is shifted to */
	for (; length >= 4; in += 4, length -= 4, out += 3)
	{
		bits = (uint32_t) base64_value(alphabet, in[0]) << 18 | (uint32_t) base64_value(alphabet, in[1]) << 12 |
			(uint32_t) base64_value(alphabet, in[2]) << 6 | (uint32_t) base64_value(alphabet, in[3]);
		if (bits >> 31)
			return -1;
		out[0] = bits >> 16;
		out[1] = bits >> 8;
		out[2] = bits;
	}

	if (length == 2)
	{
		bits = (uint32_t) base64_value(alphabet, in[0]) << 6 | (uint32_t) base64_value(alphabet, in[1]);
		if (bits >> 31 || (bits & 15) != 0)
			return -1;
		*out++ = bits >> 4;
	}
	else if (length == 3)
	{
		bits = (uint32_t) base64_value(alphabet, in[0]) << 12 | (uint32_t) base64_value(alphabet, in[1]) << 6 |
			(uint32_t) base64_value(alphabet, in[2]);
		if (bits >> 31 || (bits & 3) != 0)
			return -1;
		*out++ = bits >> 10;
		*out++ = bits >> 2;
	}
	else if (length == 1)
		return -1;
	return out - start;
}

/*
 * Writes the bytes of a text to out, which has room for
 * ROOST_BASE64_DECODED(length) of them, and returns their number, or -1 when
 * the text is not what roost_base64_encode() would write.
 */
int
roost_base64_decode(RoostBase64Alphabet alphabet,
					const char *in, size_t length, uint8_t *out)
{
	return alphabet == ROOST_BASE64_URL ?
		base64_decode(ROOST_BASE64_URL, in, length, out) :
		base64_decode(ROOST_BASE64_STANDARD, in, length, out);
}
