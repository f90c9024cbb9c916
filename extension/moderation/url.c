/*-------------------------------------------------------------------------
 *
 * url.c
 *		What a link is made of, and what of it is meant to deceive.
 *
 * Links are read as browsers do, not as standards would have them: blanks
 * around them, tabs and line ends inside do not count, a backslash is a slash, a host may be
 * percent-encoded, an IPv4 address may be one number, octal or hexadecimal.
 * What the reader believes to see and where the link leads are then compared
 * by the callers (url_report.c).
 *
 * A host has three forms: as a resolver gets it, with its labels decoded, and
 * its skeleton, in which look-alikes are equal.  Time is linear in the link.
 * Nothing here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX	256

static size_t url_clean(const char *url, size_t length, char *out);
static const char *url_scheme(const char *p, const char *end, UrlParts *parts);
static void url_authority(const char *p, const char *end, UrlParts *parts);
static void url_host(const char *p, const char *end, UrlParts *parts);
static bool url_ipv4(const char *host, UrlParts *parts);
static bool url_number(const char **p, uint64_t *value, bool *odd);
static void url_labels(UrlParts *parts);
static bool url_is_whole(const char *label, size_t length);
static void url_encode(UrlParts *parts);
static bool url_append(char *out, size_t *used, uint32_t code);
static int	url_hexadecimal(char c);

static inline char
url_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/*
 * Takes a link apart.
 */
void
roost_moderation_url_parse(const char *url, size_t length, UrlParts *parts)
{
	char	   *copy;
	const char *p;
	const char *end;
	const char *authority_end;
	bool		special;

	memset(parts, 0, sizeof(UrlParts));
	parts->port = -1;
	parts->domain = parts->host;
	if (length > URL_LENGTH_MAX)
		length = URL_LENGTH_MAX;
	copy = malloc(length + 1);
	if (copy == NULL)
		return;
	length = url_clean(url, length, copy);
	end = copy + length;
	p = url_scheme(copy, end, parts);
	special = parts->scheme[0] == '\0' || strcmp(parts->scheme, "http") == 0 || strcmp(parts->scheme, "https") == 0 ||
		strcmp(parts->scheme, "ftp") == 0 || strcmp(parts->scheme, "ws") == 0 || strcmp(parts->scheme, "wss") == 0;
	parts->is_script = strcmp(parts->scheme, "javascript") == 0 || strcmp(parts->scheme, "data") == 0 ||
		strcmp(parts->scheme, "vbscript") == 0 || strcmp(parts->scheme, "file") == 0 || strcmp(parts->scheme, "blob") == 0;

	if (special || (end - p >= 2 && p[0] == '/' && p[1] == '/'))
	{
		while (p < end && (*p == '/' || (special && *p == '\\')))
			p++;
		authority_end = p;
		while (authority_end < end && strchr("/?#", *authority_end) == NULL && !(special && *authority_end == '\\'))
			authority_end++;
		url_authority(p, authority_end, parts);
		parts->path_length = end - authority_end;
	}
	free(copy);
}

/*
 * Copies a link without what browsers ignore; no byte of the copy is 0.
 */
static size_t
url_clean(const char *url, size_t length, char *out)
{
	size_t		n = 0;

	while (length > 0 && (unsigned char) url[0] <= ' ')
	{
		url++;
		length--;
	}
	while (length > 0 && (unsigned char) url[length - 1] <= ' ')
		length--;
	for (size_t i = 0; i < length; i++)
	{
		if (url[i] != '\t' && url[i] != '\n' && url[i] != '\r' && url[i] != '\0')
			out[n++] = url[i];
	}
	out[n] = '\0';
	return n;
}

/*
 * Reads the scheme, if there is one, and returns where the rest begins.
 */
static const char *
url_scheme(const char *p, const char *end, UrlParts *parts)
{
	const char *colon = p;
	size_t		length;

	while (colon < end && ((url_lower(*colon) >= 'a' && url_lower(*colon) <= 'z') ||
						   (colon > p && ((*colon >= '0' && *colon <= '9') || strchr("+-.", *colon) != NULL))))
		colon++;
	length = colon - p;
	if (colon == end || *colon != ':' || length == 0 || length >= sizeof(parts->scheme))
		return p;

	/* a host with a port is no scheme */
	if (colon + 1 < end && colon[1] >= '0' && colon[1] <= '9')
	{
		const char *digit = colon + 1;

		while (digit < end && *digit >= '0' && *digit <= '9')
			digit++;
		if (digit == end || strchr("/?#\\", *digit) != NULL)
			return p;
	}
	for (size_t i = 0; i < length; i++)
		parts->scheme[i] = url_lower(p[i]);
	parts->scheme[length] = '\0';
	return colon + 1;
}

static void
url_authority(const char *p, const char *end, UrlParts *parts)
{
	const char *at = NULL;
	const char *colon = NULL;

	for (const char *q = p; q < end; q++)
		if (*q == '@')
			at = q;
	if (at != NULL)
	{
		parts->has_userinfo = true;
		p = at + 1;
	}
	for (const char *q = end; q > p && q[-1] != ']'; q--)
	{
		if (q[-1] == ':')
		{
			colon = q - 1;
			break;
		}
	}
	if (colon != NULL)
	{
		long		port = 0;

		for (const char *q = colon + 1; q < end; q++)
		{
			if (*q < '0' || *q > '9' || port > 65535)
			{
				port = -2;
				break;
			}
			port = port * 10 + (*q - '0');
		}
		parts->port = colon + 1 == end ? -1 : port < 0 || port > 65535 ? 65536 : (int) port;
		end = colon;
	}
	url_host(p, end, parts);
}

/*
 * Decodes and folds the host, and tells names from addresses.
 */
static void
url_host(const char *p, const char *end, UrlParts *parts)
{
	char		raw[URL_HOST_MAX];
	FoldGlyph	glyphs[FOLD_BOUND(URL_HOST_MAX)];
	size_t		length = 0;
	size_t		n;
	size_t		used = 0;
	unsigned char address[16];

	for (; p < end && length < sizeof(raw) - 1; p++)
	{
		int			high;
		int			low;

		if (*p == '%' && end - p >= 3 && (high = url_hexadecimal(p[1])) >= 0 && (low = url_hexadecimal(p[2])) >= 0)
		{
			raw[length++] = (char) (high << 4 | low);
			p += 2;
		}
		else
			raw[length++] = *p;
	}
	if (length >= 2 && raw[0] == '[' && raw[length - 1] == ']')
	{
		raw[length - 1] = '\0';
		parts->is_ip = inet_pton(AF_INET6, raw + 1, address) == 1;
		if (parts->is_ip)
		{
			static const unsigned char mapped[12] = {[10] = 0xff,[11] = 0xff};

			inet_ntop(AF_INET6, address, parts->ip, sizeof(parts->ip));
			parts->has_host = true;
			snprintf(parts->host, sizeof(parts->host), "[%s]", parts->ip);
			if (memcmp(address, mapped, sizeof(mapped)) == 0)
			{
				inet_ntop(AF_INET, address + sizeof(mapped), parts->ip, sizeof(parts->ip));
				parts->is_odd_ip = true;
			}
			strcpy(parts->unicode, parts->host);
			strcpy(parts->skeleton, parts->host);
			parts->domain = parts->host;
		}
		return;
	}

	for (size_t i = 0; i < length;)
	{
		uint32_t	code;

		i += roost_moderation_decode(raw + i, length - i, &code);
		parts->has_hidden |= roost_moderation_class(code) == FOLD_IGNORED || code == 0xfffd;
	}
	n = roost_moderation_fold(raw, length, FOLD_HOST, glyphs);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	code = glyphs[i].code;

		if (code == 0x3002 || code == 0xff0e || code == 0xff61 || code == 0x2024)
			code = '.';
		if (code == ' ' || (code < 0x80 && code < '-') || strchr("<>^`{|}\"", (int) (code < 0x80 ? code : 'a')) != NULL)
		{
			/* no browser goes where there are blanks */
			parts->has_hidden = true;
			if (code == ' ')
			{
				parts->host[0] = '\0';
				return;
			}
		}
		if (!url_append(parts->host, &used, code))
			break;
	}
	while (used > 0 && parts->host[used - 1] == '.')
		parts->host[--used] = '\0';
	parts->has_host = used > 0;
	if (!parts->has_host)
		return;
	if (url_ipv4(parts->host, parts))
	{
		strcpy(parts->unicode, parts->host);
		strcpy(parts->skeleton, parts->host);
		return;
	}
	url_labels(parts);
	url_encode(parts);
	roost_moderation_url_skeleton(parts->unicode, parts->skeleton);
	parts->domain = roost_moderation_url_domain(parts->host);
}

/*
 * Returns whether the host is an IPv4 address in any form that browsers take.
 */
static bool
url_ipv4(const char *host, UrlParts *parts)
{
	uint64_t	numbers[4];
	int			count = 0;
	bool		odd = false;
	uint64_t	value = 0;
	const char *p = host;

	for (;;)
	{
		if (count == 4 || !url_number(&p, &numbers[count], &odd))
			return false;
		count++;
		if (*p == '\0')
			break;
		if (*p++ != '.')
			return false;
	}
	for (int i = 0; i < count - 1; i++)
	{
		if (numbers[i] > 255)
			return false;
		value |= numbers[i] << (24 - 8 * i);
	}
	if (numbers[count - 1] >= UINT64_C(1) << (8 * (5 - count)))
		return false;
	value |= numbers[count - 1];
	snprintf(parts->ip, sizeof(parts->ip), "%u.%u.%u.%u", (unsigned) (value >> 24 & 255), (unsigned) (value >> 16 & 255),
			 (unsigned) (value >> 8 & 255), (unsigned) (value & 255));
	parts->is_ip = true;
	parts->is_odd_ip = odd || count < 4;
	return true;
}

static bool
url_number(const char **p, uint64_t *value, bool *odd)
{
	int			base = 10;
	const char *q = *p;

	if (*q < '0' || *q > '9')
		return false;
	if (q[0] == '0' && q[1] == 'x')
	{
		base = 16;
		q += 2;
	}
	else if (q[0] == '0' && q[1] >= '0' && q[1] <= '9')
	{
		base = 8;
		q++;
	}
	*odd |= base != 10;
	for (*value = 0; *q != '\0' && *q != '.'; q++)
	{
		int			digit = url_hexadecimal(*q);

		if (digit < 0 || digit >= base)
			return false;
		*value = *value * base + digit;
		if (*value > UINT32_MAX)
			return false;
	}
	*p = q;
	return true;
}

/*
 * Writes the host with its labels decoded, and looks at their scripts.
 */
static void
url_labels(UrlParts *parts)
{
	size_t		used = 0;
	bool		whole = false;

	for (const char *label = parts->host;;)
	{
		size_t		length = strcspn(label, ".");
		size_t		start = used;
		uint32_t	codes[LABEL_MAX];
		int			count = 0;
		bool		script[FOLD_CLASSES] = {false};
		int			scripts = 0;

		parts->labels++;
		if (length > 4 && strncmp(label, "xn--", 4) == 0)
		{
			parts->is_punycode = true;
			parts->is_encoded = true;
			count = roost_moderation_punycode(label + 4, length - 4, codes, LABEL_MAX);
			parts->is_malformed |= count < 0;
		}
		if (count <= 0)
		{
			count = 0;
			for (size_t i = 0; i < length && count < LABEL_MAX;)
				i += roost_moderation_decode(label + i, length - i, &codes[count++]);
		}
		for (int i = 0; i < count; i++)
		{
			FoldClass	class = roost_moderation_class(codes[i]);

			/* nothing that would end the host, or not be seen */
			if (class == FOLD_IGNORED || class == FOLD_SPACE || (codes[i] < 0x80 && strchr("/?#@:\\", (int) codes[i]) != NULL))
			{
				parts->is_malformed = true;
				continue;
			}
			if (FOLD_IS_LETTER(class))
				script[class] = true;
			if (!url_append(parts->unicode, &used, codes[i]))
				break;
		}
		scripts = script[FOLD_LATIN] + script[FOLD_CYRILLIC] + script[FOLD_GREEK] + script[FOLD_ARMENIAN] +
			script[FOLD_CHEROKEE] + script[FOLD_LETTER];
		parts->is_mixed |= scripts > 1;
		whole |= scripts == 1 && !script[FOLD_LATIN] && url_is_whole(parts->unicode + start, used - start);
		label += length;
		if (*label == '\0')
		{
			parts->is_whole = whole && script[FOLD_LATIN];
			break;
		}
		label++;
		if (!url_append(parts->unicode, &used, '.'))
			break;
	}
}

/*
 * Returns whether all letters of a label look like Latin ones.
 */
static bool
url_is_whole(const char *label, size_t length)
{
	FoldGlyph	glyphs[FOLD_BOUND(LABEL_MAX * 4)];
	size_t		n;

	if (length > LABEL_MAX * 4)
		return false;
	n = roost_moderation_fold(label, length, FOLD_HOST, glyphs);
	for (size_t i = 0; i < n; i++)
		if (FOLD_IS_LETTER(glyphs[i].class) && (glyphs[i].look == 0 || glyphs[i].weak))
			return false;
	return n > 1;
}

/*
 * Writes labels of the host that are not ASCII as xn-- ones, as resolvers get
 * them; a host that is too long for that stays as it is.
 */
static void
url_encode(UrlParts *parts)
{
	char		encoded[URL_HOST_MAX];
	size_t		used = 0;

	for (const char *label = parts->host;;)
	{
		size_t		length = strcspn(label, ".");
		bool		ascii = true;

		for (size_t i = 0; i < length; i++)
			ascii &= (unsigned char) label[i] < 0x80;
		if (used + length + 2 > sizeof(encoded))
			return;
		if (ascii)
		{
			memcpy(encoded + used, label, length);
			used += length;
		}
		else
		{
			uint32_t	codes[LABEL_MAX];
			int			count = 0;
			int			bytes;

			for (size_t i = 0; i < length;)
			{
				if (count == LABEL_MAX)
					return;
				i += roost_moderation_decode(label + i, length - i, &codes[count++]);
			}
			if (used + 4 > sizeof(encoded))
				return;
			memcpy(encoded + used, "xn--", 4);
			bytes = roost_moderation_punycode_encode(codes, count, encoded + used + 4, (int) (sizeof(encoded) - used) - 6);
			if (bytes < 0)
				return;
			used += 4 + bytes;
			parts->is_punycode = true;
		}
		label += length;
		if (*label == '\0')
			break;
		encoded[used++] = '.';
		label++;
	}
	encoded[used] = '\0';
	strcpy(parts->host, encoded);
}

/*
 * Writes what a host looks like: letters of other scripts, digits and pairs of letters as
 * those that they are taken for.
 */
void
roost_moderation_url_skeleton(const char *host, char *out)
{
	FoldGlyph	glyphs[FOLD_BOUND(URL_HOST_MAX)];
	size_t		length = strnlen(host, URL_HOST_MAX - 1);
	size_t		n = roost_moderation_fold(host, length, FOLD_LOOKS, glyphs);
	size_t		used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	code = glyphs[i].code;
		uint32_t	next = i + 1 < n ? glyphs[i + 1].code : 0;

		if (code >= 0x80 && glyphs[i].look != 0)
			code = (unsigned char) glyphs[i].look;
		if (code == '0')
			code = 'o';
		else if (code == '1' || code == 'i')
			code = 'l';
		else if (code == '3')
			code = 'e';
		else if (code == '5')
			code = 's';
		else if (code == 'r' && next == 'n')
		{
			code = 'm';
			i++;
		}
		else if (code == 'v' && next == 'v')
		{
			code = 'w';
			i++;
		}
		else if (code == 'c' && next == 'l')
		{
			code = 'd';
			i++;
		}
		if (!url_append(out, &used, code))
			break;
	}
}

/*
 * Returns the part of a host that somebody registered, as far as its form
 * tells: the last two labels, or three where the last but one is a common
 * name under a country.
 */
const char *
roost_moderation_url_domain(const char *host)
{
	static const char *const second[] = {
		"co", "com", "org", "net", "gov", "edu", "ac", "ne", "or", "go", "gob", "nom", "ltd", "plc", "me", "mil", "gen", "web", "in"
	};
	const char *dots[3] = {NULL, NULL, NULL};

	for (const char *p = host; *p != '\0'; p++)
	{
		if (*p != '.')
			continue;
		dots[2] = dots[1];
		dots[1] = dots[0];
		dots[0] = p;
	}
	if (dots[1] == NULL)
		return host;
	if (strlen(dots[0] + 1) == 2)
	{
		size_t		length = dots[0] - dots[1] - 1;

		for (size_t i = 0; i < sizeof(second) / sizeof(second[0]); i++)
		{
			if (strlen(second[i]) == length && strncmp(dots[1] + 1, second[i], length) == 0)
				return dots[2] == NULL ? host : dots[2] + 1;
		}
	}
	return dots[1] + 1;
}

static bool
url_append(char *out, size_t *used, uint32_t code)
{
	if (*used + 5 > URL_HOST_MAX)
		return false;
	*used += roost_moderation_encode(code, out + *used);
	out[*used] = '\0';
	return true;
}

static int
url_hexadecimal(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = url_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
