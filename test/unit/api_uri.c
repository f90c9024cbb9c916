/*-------------------------------------------------------------------------
 *
 * api_uri.c
 *		Tests how paths, query strings, headers and cookies are taken apart.
 *
 * Every input is put right before a page that may not be touched, so that
 * reading one byte too far ends the test.
 *
 *-------------------------------------------------------------------------
 */
#include "extension/api/uri.c"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM	65536

static int	count = 0;
static int	failures = 0;
static char *guarded = NULL;	/* the first byte that may not be touched */

static void
check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
	failures += !good;
}

/* a copy of the text that ends at the guard page */
static RoostSlice
guard(const char *text, size_t length)
{
	RoostSlice	slice = {guarded - length, length};

	memcpy(guarded - length, text, length);
	return slice;
}

static RoostSlice
guard_text(const char *text)
{
	return guard(text, strlen(text));
}

static bool
is(RoostSlice slice, const char *text)
{
	return slice.length == strlen(text) && memcmp(slice.data, text, slice.length) == 0;
}

/* decodes and compares; expected NULL: result is the error code */
static void
check_decode(const char *in, bool query, const char *expected, int result)
{
	static char out[ROOM];
	int			length = roost_uri_decode(guard_text(in), query, out);
	char		what[256];

	snprintf(what, sizeof(what), "decode %s \"%s\"", query ? "query" : "path", in);
	if (expected)
		check(length == (int) strlen(expected) && memcmp(out, expected, length) == 0, what);
	else
		check(length == result, what);
}

static void
test_decode(void)
{
	check_decode("", false, "", 0);
	check_decode("plain-_.~", false, "plain-_.~", 0);
	check_decode("a+b", false, "a+b", 0);
	check_decode("a+b", true, "a b", 0);
	check_decode("%41%2f%2F%25", false, "A//%", 0);
	check_decode("%c3%A9\xc3\xa9", false, "\xc3\xa9\xc3\xa9", 0);
	check_decode("%f0%9f%98%80", true, "\xf0\x9f\x98\x80", 0);
	check_decode("%", false, NULL, ROOST_URI_BAD_ESCAPE);
	check_decode("a%4", true, NULL, ROOST_URI_BAD_ESCAPE);
	check_decode("%4g", true, NULL, ROOST_URI_BAD_ESCAPE);
	check_decode("%g4", true, NULL, ROOST_URI_BAD_ESCAPE);
	check_decode("%%41", true, NULL, ROOST_URI_BAD_ESCAPE);
	check_decode("%00", false, NULL, ROOST_URI_BAD_CHARACTER);
	check_decode("%00", true, NULL, ROOST_URI_BAD_CHARACTER);
	check_decode("%0a", false, NULL, ROOST_URI_BAD_CHARACTER);
	check_decode("%0a", true, "\n", 0);
	check_decode("%7f", false, NULL, ROOST_URI_BAD_CHARACTER);
	check_decode("%ff", true, NULL, ROOST_URI_BAD_UTF8);
	check_decode("%c3", true, NULL, ROOST_URI_BAD_UTF8);
	check_decode("%c3(", true, NULL, ROOST_URI_BAD_UTF8);
	check_decode("%c0%af", true, NULL, ROOST_URI_BAD_UTF8);
	check_decode("%e0%80%af", true, NULL, ROOST_URI_BAD_UTF8);
	check_decode("%ed%a0%80", true, NULL, ROOST_URI_BAD_UTF8);
	check_decode("%f4%90%80%80", true, NULL, ROOST_URI_BAD_UTF8);
	check_decode("%f0%8f%bf%bf", true, NULL, ROOST_URI_BAD_UTF8);
	check_decode("%f5%80%80%80", true, NULL, ROOST_URI_BAD_UTF8);
	check_decode("%80", true, NULL, ROOST_URI_BAD_UTF8);
}

/* every code point is accepted in its shortest form, surrogates are not */
static void
test_utf8(void)
{
	int			wrong = 0;

	for (unsigned int c = 0; c < 0x110000; c++)
	{
		char		text[4];
		size_t		length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

		for (size_t i = length; i-- > 1;)
			text[i] = (char) (0x80 | ((c >> (6 * (length - 1 - i))) & 0x3f));
		text[0] = (char) (length == 1 ? c : ((0xf00 >> length) & 0xff) | (c >> (6 * (length - 1))));
		wrong += roost_uri_valid_utf8(guard(text, length)) != (c < 0xd800 || c > 0xdfff);
		for (size_t cut = 1; cut < length; cut++)
			wrong += roost_uri_valid_utf8(guard(text, cut));
	}
	check(wrong == 0, "every code point, whole and cut off");
}

static void
test_segments(void)
{
	RoostSlice	rest = guard_text("/a//b/");
	RoostSlice	s;

	check(roost_uri_next_segment(&rest, &s) && is(s, "a"), "first segment");
	check(roost_uri_next_segment(&rest, &s) && is(s, ""), "empty segment");
	check(roost_uri_next_segment(&rest, &s) && is(s, "b"), "third segment");
	check(roost_uri_next_segment(&rest, &s) && is(s, ""), "empty segment at the end");
	check(!roost_uri_next_segment(&rest, &s) && rest.length == 0, "end of the path");
	rest = guard_text("a/b");
	check(!roost_uri_next_segment(&rest, &s) && rest.length == 3, "no leading slash");
	rest = guard_text("");
	check(!roost_uri_next_segment(&rest, &s), "empty path");
	check(roost_uri_is_dots(guard_text(".")) && roost_uri_is_dots(guard_text("..")) &&
		  !roost_uri_is_dots(guard_text("...")) && !roost_uri_is_dots(guard_text("")) &&
		  !roost_uri_is_dots(guard_text("a.")), "dot segments");
}

static void
test_pairs(void)
{
	RoostSlice	rest = guard_text("&a=1&&b&c=&=d&e=f=g");
	RoostSlice	n;
	RoostSlice	v;

	check(roost_uri_next_pair(&rest, &n, &v) && is(n, "a") && is(v, "1"), "name and value");
	check(roost_uri_next_pair(&rest, &n, &v) && is(n, "b") && is(v, ""), "name alone");
	check(roost_uri_next_pair(&rest, &n, &v) && is(n, "c") && is(v, ""), "empty value");
	check(roost_uri_next_pair(&rest, &n, &v) && is(n, "") && is(v, "d"), "empty name");
	check(roost_uri_next_pair(&rest, &n, &v) && is(n, "e") && is(v, "f=g"), "equals sign in a value");
	check(!roost_uri_next_pair(&rest, &n, &v), "end of the query");
}

static void
test_headers(void)
{
	RoostSlice	v;
	const char *lines = "host: h\nx-a:\t b c \r\nx-ab: 2\nempty:\ncookie: a=1; ab=2;c=3 ; d";

	check(roost_uri_header(guard_text(lines), "host", &v) && is(v, "h"), "first header");
	check(roost_uri_header(guard_text(lines), "x-a", &v) && is(v, "b c"), "blanks around a value");
	check(roost_uri_header(guard_text(lines), "x-ab", &v) && is(v, "2"), "a name that begins like another");
	check(roost_uri_header(guard_text(lines), "empty", &v) && is(v, ""), "empty value");
	check(!roost_uri_header(guard_text(lines), "x", &v), "beginning of a name");
	check(!roost_uri_header(guard_text(lines), "x-abc", &v), "no such header");
	check(!roost_uri_header(guard_text(""), "a", &v), "no headers");
	check(!roost_uri_header(guard_text("host"), "host", &v), "a line without a colon");
	check(roost_uri_header(guard_text(lines), "cookie", &v), "last header");
	v = guard(v.data, v.length);
	{
		RoostSlice	c;

		check(roost_uri_cookie(v, "a", &c) && is(c, "1"), "first cookie");
		check(roost_uri_cookie(v, "ab", &c) && is(c, "2"), "second cookie");
		check(roost_uri_cookie(v, "c", &c) && is(c, "3"), "third cookie");
		check(!roost_uri_cookie(v, "d", &c), "a cookie without a value");
		check(!roost_uri_cookie(v, "b", &c), "end of a name");
	}
}

/* random bytes: nothing is read outside, and what is found lies inside */
static void
test_random(void)
{
	static const char alphabet[] = "%%%//..&==+;: \n\tabcookie0F\xc3\xa9\xff";
	static char out[ROOM];
	int			wrong = 0;

	srand(1);
	for (int i = 0; i < 200000; i++)
	{
		char		text[64];
		size_t		length = rand() % sizeof(text);
		RoostSlice	rest;
		RoostSlice	a;
		RoostSlice	b;
		int			decoded;

		for (size_t j = 0; j < length; j++)
			text[j] = alphabet[rand() % (sizeof(alphabet) - 1)];
		rest = guard(text, length);
		while (roost_uri_next_segment(&rest, &a))
			wrong += a.data + a.length > guarded;
		rest = guard(text, length);
		while (roost_uri_next_pair(&rest, &a, &b))
			wrong += a.data + a.length > guarded || b.data + b.length > guarded || a.length + b.length > length;
		if (roost_uri_header(guard(text, length), "a", &a))
			wrong += a.data + a.length > guarded;
		if (roost_uri_cookie(guard(text, length), "a", &a))
			wrong += a.data + a.length > guarded;
		decoded = roost_uri_decode(guard(text, length), i % 2, out);
		wrong += decoded > (int) length;
		if (decoded >= 0)
			wrong += !roost_uri_valid_utf8(guard(out, decoded)) || memchr(out, '\0', decoded) != NULL;
	}
	check(wrong == 0, "random input");
}

int
main(void)
{
	size_t		page = sysconf(_SC_PAGESIZE);
	char	   *area = mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED || mprotect(area + ROOM, page, PROT_NONE) != 0)
		return 1;
	guarded = area + ROOM;
	test_decode();
	test_utf8();
	test_segments();
	test_pairs();
	test_headers();
	test_random();
	printf("1..%d\n", count);
	return failures > 0;
}
