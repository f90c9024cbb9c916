/*-------------------------------------------------------------------------
 *
 * punycode.c
 *		Decodes and encodes labels of internationalized host names (RFC 3492).
 *
 * Nothing here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/url.h"

#define PUNY_BASE		36
#define PUNY_TMIN		1
#define PUNY_TMAX		26
#define PUNY_SKEW		38
#define PUNY_DAMP		700
#define PUNY_BIAS		72
#define PUNY_FIRST		128

static int	puny_digit(char c);
static uint32_t puny_adapt(uint32_t delta, uint32_t points, bool first);

/*
 * Decodes what follows "xn--" in a label; returns the number of code points,
 * or -1 if it is malformed or has more than room.
 */
int
roost_moderation_punycode(const char *label, size_t length, uint32_t *codes, int room)
{
	uint32_t	n = PUNY_FIRST;
	uint32_t	i = 0;
	uint32_t	bias = PUNY_BIAS;
	int			count = 0;
	size_t		in = 0;

	for (size_t k = length; k > 0; k--)
	{
		if (label[k - 1] != '-')
			continue;
		for (; in < k - 1; in++)
		{
			if (count == room || (unsigned char) label[in] >= 0x80)
				return -1;
			codes[count++] = (unsigned char) label[in];
		}
		in = k;
		break;
	}
	while (in < length)
	{
		uint32_t	before = i;
		uint32_t	weight = 1;

		for (uint32_t k = PUNY_BASE;; k += PUNY_BASE)
		{
			int			digit = in < length ? puny_digit(label[in++]) : -1;
			uint32_t	threshold = k <= bias ? PUNY_TMIN : k >= bias + PUNY_TMAX ? PUNY_TMAX : k - bias;

			if (digit < 0 || (uint32_t) digit > (UINT32_MAX - i) / weight)
				return -1;
			i += digit * weight;
			if ((uint32_t) digit < threshold)
				break;
			if (weight > UINT32_MAX / (PUNY_BASE - threshold))
				return -1;
			weight *= PUNY_BASE - threshold;
		}
		bias = puny_adapt(i - before, count + 1, before == 0);
		if (i / (count + 1) > 0x10ffff - n || count == room)
			return -1;
		n += i / (count + 1);
		i %= count + 1;
		if (n >= 0xd800 && n <= 0xdfff)
			return -1;
		for (int k = count++; k > (int) i; k--)
			codes[k] = codes[k - 1];
		codes[i++] = n;
	}
	return count;
}

/*
 * Encodes a label's code points, without "xn--"; returns the number of bytes,
 * or -1 if they are more than room.
 */
int
roost_moderation_punycode_encode(const uint32_t *codes, int count, char *out, int room)
{
	uint32_t	n = PUNY_FIRST;
	uint32_t	delta = 0;
	uint32_t	bias = PUNY_BIAS;
	int			used = 0;
	int			basic;
	int			done;

	for (int i = 0; i < count; i++)
	{
		if (codes[i] >= PUNY_FIRST)
			continue;
		if (used == room)
			return -1;
		out[used++] = (char) codes[i];
	}
	basic = done = used;
	if (basic > 0)
	{
		if (used == room)
			return -1;
		out[used++] = '-';
	}
	while (done < count)
	{
		uint32_t	least = UINT32_MAX;

		for (int i = 0; i < count; i++)
			if (codes[i] >= n && codes[i] < least)
				least = codes[i];
		if (least - n > (UINT32_MAX - delta) / (done + 1))
			return -1;
		delta += (least - n) * (done + 1);
		n = least;
		for (int i = 0; i < count; i++)
		{
			uint32_t	q = delta;

			if (codes[i] < n)
				delta++;
			if (codes[i] != n)
				continue;
			for (uint32_t k = PUNY_BASE;; k += PUNY_BASE)
			{
				uint32_t	threshold = k <= bias ? PUNY_TMIN : k >= bias + PUNY_TMAX ? PUNY_TMAX : k - bias;
				uint32_t	digit = q < threshold ? q : threshold + (q - threshold) % (PUNY_BASE - threshold);

				if (used == room)
					return -1;
				out[used++] = (char) (digit < 26 ? 'a' + digit : '0' + digit - 26);
				if (q < threshold)
					break;
				q = (q - threshold) / (PUNY_BASE - threshold);
			}
			bias = puny_adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
		delta++;
		n++;
	}
	return used;
}

static int
puny_digit(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '0' && c <= '9')
		return c - '0' + 26;
	return -1;
}

static uint32_t
puny_adapt(uint32_t delta, uint32_t points, bool first)
{
	uint32_t	k = 0;

	delta = first ? delta / PUNY_DAMP : delta / 2;
	delta += delta / points;
	for (; delta > (PUNY_BASE - PUNY_TMIN) * PUNY_TMAX / 2; k += PUNY_BASE)
		delta /= PUNY_BASE - PUNY_TMIN;
	return k + (PUNY_BASE - PUNY_TMIN + 1) * delta / (delta + PUNY_SKEW);
}
