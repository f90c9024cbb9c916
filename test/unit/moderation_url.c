/*
 * Links as browsers read them, and labels in punycode (with the samples of RFC
 * 3492).
 */
#include "tap.h"

#include "moderation/fold.c"
#include "moderation/punycode.c"
#include "moderation/url.c"

static UrlParts parts;

static const UrlParts *
parsed(const char *url)
{
	roost_moderation_url_parse(guarded(url, strlen(url)), strlen(url), &parts);
	return &parts;
}

static void
is_host(const char *url, const char *host)
{
	const UrlParts *p = parsed(url);
	const char *got = p->is_ip ? p->ip : p->host;

	ok(strcmp(got, host) == 0, url);
	if (strcmp(got, host) != 0)
		printf("# got \"%s\", expected \"%s\"\n", got, host);
}

static void
decodes(const char *label, const uint32_t *codes, int count)
{
	uint32_t	out[64];
	char		back[128];
	int			n = roost_moderation_punycode(guarded(label, strlen(label)), strlen(label), out, 64);
	int			bytes;

	ok(n == count && (n <= 0 || memcmp(out, codes, n * sizeof(uint32_t)) == 0), label);
	if (count <= 0)
		return;
	bytes = roost_moderation_punycode_encode(codes, count, back, sizeof(back));
	ok(bytes == (int) strlen(label) && strncasecmp(back, label, bytes) == 0, "and back");
}

static void
punycode(void)
{
	static const uint32_t arabic[] = {
		0x644, 0x64a, 0x647, 0x645, 0x627, 0x628, 0x62a, 0x643, 0x644, 0x645, 0x648, 0x634, 0x639, 0x631, 0x628, 0x64a, 0x61f
	};
	static const uint32_t chinese[] = {0x4ed6, 0x4eec, 0x4e3a, 0x4ec0, 0x4e48, 0x4e0d, 0x8bf4, 0x4e2d, 0x6587};
	static const uint32_t czech[] = {
		'p', 'r', 'o', 0x10d, 'p', 'r', 'o', 's', 't', 0x11b, 'n', 'e', 'm', 'l', 'u', 'v', 0xed, 0x10d, 'e', 's', 'k', 'y'
	};
	static const uint32_t japanese[] = {'3', 0x5e74, 'b', 0x7d44, 0x91d1, 0x516b, 0x5148, 0x751f};
	static const uint32_t umlaut[] = {'b', 0xfc, 'c', 'h', 'e', 'r'};

	decodes("egbpdaj6bu4bxfgehfvwxn", arabic, 17);
	decodes("ihqwcrb4cv8a8dqg056pqjye", chinese, 9);
	decodes("proprostnemluvesky-uyb24dma41a", czech, 22);
	decodes("3b-ww4c5e180e575a65lsy2b", japanese, 8);
	decodes("bcher-kva", umlaut, 6);
	decodes("", NULL, 0);
	decodes("99999999", NULL, -1);
	decodes("a-\x80", NULL, -1);
}

static void
hosts(void)
{
	static const char *const loopback[] = {
		"http://127.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://0x7f.1", "http://127.0.1/", "http://%31%32%37.0.0.1/",
		"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "http://127\xe3\x80\x82" "0.0.1/", "http://127.0.0.1./"
	};

	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++)
	{
		is_host(loopback[i], "127.0.0.1");
		ok(parts.is_ip && parts.is_odd_ip == (i != 0 && i < 7), "is an address");
	}
	is_host("http://[::1]:8080/", "::1");
	ok(parts.port == 8080, "its port");
	is_host("http://[::ffff:1.2.3.4]/", "1.2.3.4");
	is_host("http://[::zz]/", "");
	is_host("http://1.2.3.256/", "1.2.3.256");
	is_host("http://08.1.1.1/", "08.1.1.1");
	is_host("HTTP://Example.COM/A", "example.com");
	is_host(" \t http:\\\\example.com\\x ", "example.com");
	is_host("ht\ntp://exa\tmple.com", "example.com");
	is_host("//example.com/x", "example.com");
	is_host("example.com:8080/x", "example.com");
	ok(parts.port == 8080 && parts.scheme[0] == '\0', "a port without a scheme");
	is_host("http://a:b@evil.example@real.example/", "real.example");
	ok(parts.has_userinfo, "what stands before the last @");
	is_host("http://real.example\\@evil.example/", "real.example");
	is_host("https://real.example#@evil.example/", "real.example");
	is_host("http://ex\xe2\x80\x8b" "ample.com/", "example.com");
	ok(parts.has_hidden, "hidden characters");
	is_host("http://b\xc3\xbc" "cher.example/", "xn--bcher-kva.example");
	ok(parts.is_punycode && strcmp(parts.unicode, "b\xc3\xbc" "cher.example") == 0, "both forms");
	is_host("http://xn--bcher-kva.example/", "xn--bcher-kva.example");
	ok(strcmp(parts.unicode, "b\xc3\xbc" "cher.example") == 0, "decoded");
	is_host("http://xn--99999999.example/", "xn--99999999.example");
	ok(parts.is_malformed, "cannot be decoded");
	is_host("http://p\xd0\xb0ypal.com/", "xn--pypal-4ve.com");
	ok(parts.is_mixed && strcmp(parts.skeleton, "paypal.com") == 0, "of two scripts");
	is_host("javascript:alert(1)", "");
	ok(parts.is_script, "a script");
	is_host("mailto:a@example.com", "");
	is_host("", "");
	is_host("http://", "");
	is_host("http:///example.com", "example.com");
	ok(parsed("http://example.com:99999/")->port > 65535, "a port that is none");
	ok(strcmp(parsed("http://a.b.example.co.uk/")->domain, "example.co.uk") == 0, "domain under a country");
	ok(strcmp(parsed("http://a.b.example.com/")->domain, "example.com") == 0, "domain");
	ok(strcmp(parsed("http://co.uk/")->domain, "co.uk") == 0, "a country's own");
	ok(strcmp(parsed("http://g00gle.com/")->skeleton, parsed("http://google.com/")->skeleton) == 0, "zeros look like o");
	ok(strcmp(parsed("http://paypa1.com/")->skeleton, "paypal.com") == 0, "one looks like l");
}

static void
hostile(void)
{
	static const char *const pieces[] = {
		"http://", "a", ".", "xn--", "xn--a-", "\xd0\xb0", "@", ":", "%", "%00", "%2e", "[", "]", "/", "\\", "0x", "9", "-", "\xe2\x80\x8b", "\xef\xb7\xba", "\xff", "#", "?"
	};
	static char url[65536];
	int			count = sizeof(pieces) / sizeof(pieces[0]);

	for (int i = 0; i < count; i++)
	{
		size_t		length = 0;

		for (; length + strlen(pieces[i]) <= sizeof(url); length += strlen(pieces[i]))
			memcpy(url + length, pieces[i], strlen(pieces[i]));
		roost_moderation_url_parse(guarded(url, length), length, &parts);
		memmove(url + 7, url, length - 7);
		memcpy(url, "http://", 7);
		roost_moderation_url_parse(guarded(url, length), length, &parts);
	}
	ok(true, "64 KiB of anything");
	for (int i = 0; i < count * count * count; i++)
	{
		size_t		length = 7;

		memcpy(url, "http://", 7);
		for (int k = 0, rest = i; k < 3; k++, rest /= count)
		{
			memcpy(url + length, pieces[rest % count], strlen(pieces[rest % count]));
			length += strlen(pieces[rest % count]);
		}
		roost_moderation_url_parse(guarded(url, length), length, &parts);
	}
	ok(true, "every mixture of three pieces");
}

int
main(void)
{
	punycode();
	hosts();
	hostile();
	printf("1..%d\n", tests);
	return failed > 0;
}
