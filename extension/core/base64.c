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
static const int8_t base64_values[128] = {
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
	-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63,
	-1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
};

static int	base64_value(RoostBase64Alphabet alphabet, char c);

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
 * Writes the bytes of a text to out, which has room for
 * ROOST_BASE64_DECODED(length) of them, and returns their number, or -1 when
 * the text is not what roost_base64_encode() would write.
 */
int
roost_base64_decode(RoostBase64Alphabet alphabet,
					const char *in, size_t length, uint8_t *out)
{
	size_t		i = 0;
	int			n = 0;
	int			a,
				b,
				c;

	for (; i + 4 <= length; i += 4)
	{
		int			d;

		a = base64_value(alphabet, in[i]);
		b = base64_value(alphabet, in[i + 1]);
		c = base64_value(alphabet, in[i + 2]);
		d = base64_value(alphabet, in[i + 3]);
		if ((a | b | c | d) < 0)
			return -1;
		out[n++] = a << 2 | b >> 4;
		out[n++] = b << 4 | c >> 2;
		out[n++] = c << 6 | d;
	}

	switch (length - i)
	{
		case 0:
			return n;
		case 2:
			a = base64_value(alphabet, in[i]);
			b = base64_value(alphabet, in[i + 1]);
			if ((a | b) < 0 || (b & 15) != 0)
				return -1;
			out[n++] = a << 2 | b >> 4;
			return n;
		case 3:
			a = base64_value(alphabet, in[i]);
			b = base64_value(alphabet, in[i + 1]);
			c = base64_value(alphabet, in[i + 2]);
			if ((a | b | c) < 0 || (c & 3) != 0)
				return -1;
			out[n++] = a << 2 | b >> 4;
			out[n++] = b << 4 | c >> 2;
			return n;
		default:
			return -1;
	}
}

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
	return (unsigned char) c < 128 ? base64_values[(unsigned char) c] : -1;
}
