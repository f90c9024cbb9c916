/*-------------------------------------------------------------------------
 *
 * uri.c
 *		Takes paths, query strings and header lines apart.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "api/uri.h"

static int	uri_hex(char c);
static bool uri_is_blank(char c);
static void uri_trim(RoostSlice *slice);
static size_t uri_utf8_length(const unsigned char *p, size_t room);

/*
 * Cuts the next segment, without its slash, off a path; false at the end or
 * where the path does not go on with a slash.
 */
bool
roost_uri_next_segment(RoostSlice *rest, RoostSlice *segment)
{
	const char *end;

	if (rest->length == 0 || rest->data[0] != '/')
		return false;
	segment->data = rest->data + 1;
	end = memchr(segment->data, '/', rest->length - 1);
	segment->length = end ? (size_t) (end - segment->data) : rest->length - 1;
	rest->data += segment->length + 1;
	rest->length -= segment->length + 1;
	return true;
}

/*
 * Cuts the next name and value, still encoded, off a query string; false at
 * the end.  Empty pairs are passed over; without "=" the value is empty.
 */
bool
roost_uri_next_pair(RoostSlice *rest, RoostSlice *name, RoostSlice *value)
{
	while (rest->length > 0)
	{
		const char *end = memchr(rest->data, '&', rest->length);
		size_t		length = end ? (size_t) (end - rest->data) : rest->length;
		size_t		skip = end ? length + 1 : length;
		const char *equals = memchr(rest->data, '=', length);

		name->data = rest->data;
		name->length = equals ? (size_t) (equals - rest->data) : length;
		value->data = equals ? equals + 1 : rest->data + length;
		value->length = rest->data + length - value->data;
		rest->data += skip;
		rest->length -= skip;
		if (length > 0)
			return true;
	}
	return false;
}

/*
 * Decodes percent escapes, and in a query "+", into out, which has room for
 * the input's length.  Returns the length of the result, or which rule it
 * breaks.
 */
int
roost_uri_decode(RoostSlice in, bool query, char *out)
{
	const char *p = in.data;
	const char *end = in.data + in.length;
	char	   *q = out;
	RoostSlice	result;

	while (p < end)
	{
		char		c = *p++;

		if (c == '%')
		{
			int			high;
			int			low;

			if (end - p < 2 || (high = uri_hex(p[0])) < 0 || (low = uri_hex(p[1])) < 0)
				return ROOST_URI_BAD_ESCAPE;
			c = (char) (high << 4 | low);
			p += 2;
		}
		else if (c == '+' && query)
			c = ' ';
		if (c == '\0' || (!query && ((unsigned char) c < ' ' || c == 0x7f)))
			return ROOST_URI_BAD_CHARACTER;
		*q++ = c;
	}
	result.data = out;
	result.length = q - out;
	return roost_uri_valid_utf8(result) ? (int) result.length : ROOST_URI_BAD_UTF8;
}

/*
 * Returns whether a decoded segment is "." or "..".
 */
bool
roost_uri_is_dots(RoostSlice segment)
{
	return (segment.length == 1 && segment.data[0] == '.') ||
		(segment.length == 2 && memcmp(segment.data, "..", 2) == 0);
}

/*
 * Returns whether a text is valid UTF-8: shortest forms only, no surrogates,
 * nothing above U+10FFFF.
 */
bool
roost_uri_valid_utf8(RoostSlice text)
{
	const unsigned char *p = (const unsigned char *) text.data;
	const unsigned char *end = p + text.length;

	while (p < end)
	{
		size_t		length = uri_utf8_length(p, end - p);

		if (length == 0)
			return false;
		p += length;
	}
	return true;
}

/*
 * Finds a header by its lower-case name among lines "name: value"; the value
 * comes without surrounding blanks.
 */
bool
roost_uri_header(RoostSlice headers, const char *name, RoostSlice *value)
{
	size_t		name_length = strlen(name);
	const char *p = headers.data;
	const char *end = p + headers.length;

	while (p < end)
	{
		const char *line_end = memchr(p, '\n', end - p);

		if (line_end == NULL)
			line_end = end;
		if ((size_t) (line_end - p) > name_length && p[name_length] == ':' &&
			memcmp(p, name, name_length) == 0)
		{
			value->data = p + name_length + 1;
			value->length = line_end - value->data;
			uri_trim(value);
			return true;
		}
		p = line_end < end ? line_end + 1 : end;
	}
	return false;
}

/*
 * Finds a cookie by name in the value of the header "cookie".
 */
bool
roost_uri_cookie(RoostSlice cookies, const char *name, RoostSlice *value)
{
	size_t		name_length = strlen(name);
	const char *p = cookies.data;
	const char *end = p + cookies.length;

	while (p < end)
	{
		const char *next = memchr(p, ';', end - p);
		RoostSlice	pair = {p, (next ? next : end) - p};

		uri_trim(&pair);
		if (pair.length > name_length && pair.data[name_length] == '=' &&
			memcmp(pair.data, name, name_length) == 0)
		{
			value->data = pair.data + name_length + 1;
			value->length = pair.length - name_length - 1;
			return true;
		}
		p = next ? next + 1 : end;
	}
	return false;
}

/* the value of a hex digit, or -1 */
static int
uri_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* whether a character is a blank of a header */
static bool
uri_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* takes blanks off both ends */
static void
uri_trim(RoostSlice *slice)
{
	while (slice->length > 0 && uri_is_blank(slice->data[0]))
	{
		slice->data++;
		slice->length--;
	}
	while (slice->length > 0 && uri_is_blank(slice->data[slice->length - 1]))
		slice->length--;
}

/* the length of the character at p, or 0 if it is not valid UTF-8 */
static size_t
uri_utf8_length(const unsigned char *p, size_t room)
{
	size_t		length;
	unsigned int code;
	static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};

	if (p[0] < 0x80)
		return 1;
	length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || room < length)
		return 0;
	code = p[0] & (0x7f >> length);
	for (size_t i = 1; i < length; i++)
	{
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}
