/*-------------------------------------------------------------------------
 *
 * entity_class.h
 *		Classes of characters for entity.c, which alone includes this.
 *
 *-------------------------------------------------------------------------
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "post/entity_tables.h"

#define lengthof(array)		(sizeof(array) / sizeof((array)[0]))

static bool
in_ranges(uint32_t c, const CodeRange *ranges, int n)
{
	int			low = 0;

	while (low < n)
	{
		int			middle = (low + n) / 2;

		if (c > ranges[middle].last)
			low = middle + 1;
		else if (c < ranges[middle].first)
			n = middle;
		else
			return true;
	}
	return false;
}

static inline bool
is_ascii_letter(uint32_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline bool
is_ascii_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_ascii_alnum(uint32_t c)
{
	return is_ascii_letter(c) || is_ascii_digit(c);
}

static inline bool
is_name(uint32_t c)
{
	return is_ascii_alnum(c) || c == '_';
}

static bool
is_one_of(uint32_t c, const char *set)
{
	return c > 0 && c < 0x80 && strchr(set, (int) c) != NULL;
}

static bool
is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0D) || c == ' ' || c == 0x85 || c == 0xA0 ||
		c == 0x1680 || c == 0x180E || (c >= 0x2000 && c <= 0x200A) ||
		c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Marks that change the direction of the text: they separate, like spaces */
static bool
is_direction(uint32_t c)
{
	return c == 0x061C || c == 0x200E || c == 0x200F ||
		(c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static bool
is_byte_order_mark(uint32_t c)
{
	return c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

static bool
is_latin_accent(uint32_t c)
{
	return (c >= 0xC0 && c <= 0x24F && c != 0xD7 && c != 0xF7) ||
		c == 0x253 || c == 0x254 || c == 0x256 || c == 0x257 || c == 0x259 ||
		c == 0x25B || c == 0x263 || c == 0x268 || c == 0x26F || c == 0x272 ||
		c == 0x289 || c == 0x28B || c == 0x2BB ||
		(c >= 0x300 && c <= 0x36F) || (c >= 0x1E00 && c <= 0x1EFF);
}

/* Letters and marks: a hashtag has at least one */
static bool
is_tag_letter(uint32_t c)
{
	if (c < 0x80)
		return is_ascii_letter(c);
	return in_ranges(c, letter_ranges, lengthof(letter_ranges));
}

/* Letters and digits of any script */
static bool
is_word(uint32_t c)
{
	if (c < 0x80)
		return is_ascii_alnum(c);
	return in_ranges(c, letter_ranges, lengthof(letter_ranges)) || in_ranges(c, digit_ranges, lengthof(digit_ranges));
}

/* Thai, Lao, Tibetan, Burmese, Khmer, kana, bopomofo and Han */
static bool
is_spaceless(uint32_t c)
{
	return (c >= 0x0E00 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF) || (c >= 0x2E80 && c <= 0x312F) ||
		(c >= 0x31A0 && c <= 0x31FF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
		(c >= 0xF900 && c <= 0xFAFF) || (c >= 0x1AFF0 && c <= 0x1B16F) || (c >= 0x20000 && c <= 0x3FFFF);
}

/* What else a hashtag may contain: digits, joiners, and signs used inside words */
static bool
is_tag_other(uint32_t c)
{
	if (c < 0x80)
		return is_ascii_digit(c) || c == '_';
	switch (c)
	{
		case 0x00B7:
		case 0x05BE:
		case 0x05F3:
		case 0x05F4:
		case 0x0F0B:
		case 0x0F0C:
		case 0x200C:
		case 0x200D:
		case 0x3003:
		case 0x301C:
		case 0x309B:
		case 0x309C:
		case 0x30A0:
		case 0x30FB:
		case 0xA67E:
		case 0xFF5E:
			return true;
		default:
			return in_ranges(c, digit_ranges, lengthof(digit_ranges));
	}
}

/* A character of a host name's label, dash and underscore apart */
static bool
is_host(uint32_t c)
{
	if (c < 0x80)
		return is_ascii_alnum(c);
	return !is_space(c) && !is_direction(c) && !is_byte_order_mark(c);
}

static bool
is_path(uint32_t c)
{
	return is_ascii_alnum(c) || is_one_of(c, "!*';:=+,.$/%#[]-_~@|&") ||
		c == 0x2013 || (c >= 0x400 && c <= 0x4FF) || is_latin_accent(c);
}

static bool
is_path_end(uint32_t c)
{
	return is_ascii_alnum(c) || is_one_of(c, "+-=_#/") ||
		(c >= 0x400 && c <= 0x4FF) || is_latin_accent(c);
}

static bool
is_query(uint32_t c)
{
	return is_ascii_alnum(c) || is_one_of(c, "!?*'@();:&=+$/%#[]-_.,~|");
}

static bool
is_query_end(uint32_t c)
{
	return is_ascii_alnum(c) || is_one_of(c, "-_&=#/");
}
