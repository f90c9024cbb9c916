/*
 * jwt.c
 *		The form of tokens: base64url, JSON, header and claims.  Every input
 *		ends at a page that cannot be read, so one byte too many is a crash.
 */
#include "account/jwt.c"
#include "core/base64.c"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int	tests = 0;
static int	failed = 0;

static void
ok(bool passed, const char *name)
{
	tests++;
	failed += !passed;
	printf("%s %d - %s\n", passed ? "ok" : "not ok", tests, name);
}

/* Returns a copy of the input that ends at a page that cannot be read. */
static char *
guarded(const char *input, size_t length)
{
	static char *end = NULL;

	if (end == NULL)
	{
		size_t		page = sysconf(_SC_PAGESIZE);
		size_t		size = 16 * page;
		char	   *area = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (area == MAP_FAILED || mprotect(area + size, page, PROT_NONE) != 0)
			abort();
		end = area + size;
	}
	memcpy(end - length, input, length);
	return end - length;
}

/* Returns the number of members, -1 if it is refused. */
static int
members(const char *json, size_t length)
{
	RoostJwtMember result[ROOST_JWT_MEMBERS_MAX];

	return roost_jwt_members(guarded(json, length), length, result);
}

/* Puts an input through everything that reads it. */
static void
read_all(const char *input, size_t length)
{
	RoostJwtParts parts;
	RoostJwtHeader header;
	RoostJwtClaims claims;
	const char *why;
	uint8_t		bytes[ROOST_BASE64_DECODED(ROOST_JWT_LENGTH_MAX)];
	char	   *copy = guarded(input, length);

	if (roost_jwt_split(copy, length, &parts) &&
		parts.header.length + parts.payload.length + parts.signature.length + 2 != length)
		abort();
	roost_jwt_header(copy, length, &header, &why);
	if (roost_jwt_claims(copy, length, true, &claims, &why))
		roost_jwt_audience(&claims.aud, "roost");
	if (roost_jwt_claims(copy, length, false, &claims, &why))
		roost_jwt_audience(&claims.aud, "roost");
	if (length <= ROOST_JWT_LENGTH_MAX)
	{
		char		again[ROOST_JWT_LENGTH_MAX + 4];
		int			n = roost_base64_decode(ROOST_BASE64_URL, copy, length, bytes);

		/* there is one text for every string of bytes */
		if (n >= 0 && (roost_base64_encode(ROOST_BASE64_URL, bytes, n, again) != length ||
					   memcmp(again, copy, length) != 0))
			abort();
	}
}

static const char *const good_json[] = {
	"{}", " { } ", "{\"a\":1}", "{\"a\":-0.5e+7,\"b\":[],\"c\":[{},[0,\"\"],true],\"d\":null}",
	"{\"\":\"\"}", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\uD83D\\uDe00\"}", "{\"\xc3\xa9\":\"\xe2\x82\xac\xf0\x9f\x90\xa6\xf4\x8f\xbf\xbf\"}",
	"\t\r\n{\"a\"\n:\t1 }\r\n", "{\"a\":0,\"A\":0}", "{\"a\":123456789012345678901234567890}",
};

static const char *const bad_json[] = {
	"", " ", "{", "}", "{]", "[]", "1", "null", "\"\"", "{}{}", "{},", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}",
	"{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "{\"\\u0061\":1}", "{\"a\":01}", "{\"a\":-}", "{\"a\":1.}", "{\"a\":.1}", "{\"a\":1e}", "{\"a\":1e+}", "{\"a\":+1}",
	"{\"a\":0x1}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":tru}", "{\"a\":True}", "{\"a\":nulll}", "{\"a\":[}", "{\"a\":[1,]}", "{\"a\":[1}", "{\"a\":[,]}",
	"{\"a\":\"", "{\"a\":\"\\", "{\"a\":\"\\x\"}", "{\"a\":\"\\u\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\u0000\"}",
	"{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\n\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\\ud800\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\ud83d\\u",
	"{\"a\":\"\n\"}", "{\"a\":\"\x01\"}", "{\"a\":\"\x80\"}", "{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xc1\xbf\"}", "{\"a\":\"\xe0\x80\x80\"}", "{\"a\":\"\xed\xa0\x80\"}",
	"{\"a\":\"\xf0\x80\x80\x80\"}", "{\"a\":\"\xf4\x90\x80\x80\"}", "{\"a\":\"\xf5\x80\x80\x80\"}", "{\"a\":\"\xe2\x82\"}", "{\"a\":\"\xe2\x82", "{\"a\":\"\xff\"}",
	"{\"a\":1}x", "{/**/}", "\xef\xbb\xbf{}",
};

static void
test_json(void)
{
	char		deep[64] = "";
	char		many[1024] = "{";
	bool		passed = true;

	for (size_t i = 0; i < sizeof(good_json) / sizeof(*good_json); i++)
	{
		if (members(good_json[i], strlen(good_json[i])) < 0)
			printf("# refused: %s\n", good_json[i]), passed = false;
	}
	ok(passed, "JSON is read");
	passed = true;
	for (size_t i = 0; i < sizeof(bad_json) / sizeof(*bad_json); i++)
	{
		if (members(bad_json[i], strlen(bad_json[i])) >= 0)
			printf("# accepted: %s\n", bad_json[i]), passed = false;
	}
	ok(passed, "what is not JSON is refused");
	ok(members("{\"a\":1}\0", 8) < 0 && members("{\"a\0\":1}", 8) < 0 && members("{\"a\":\"\\\0\"}", 9) < 0, "zero bytes are refused");

	passed = true;
	for (size_t i = 0; i < sizeof(good_json) / sizeof(*good_json); i++)
	{
		size_t		length = strlen(good_json[i]);

		while (length > 0 && strchr(" \t\r\n", good_json[i][length - 1]))
			length--;
		while (--length > 0)
			passed &= members(good_json[i], length) < 0;
	}
	ok(passed, "what is cut off is refused");

	strcpy(deep, "{\"a\":");
	memset(deep + 5, '[', 15);
	memset(deep + 20, ']', 15);
	strcpy(deep + 35, "}");
	ok(members(deep, 36) == 1, "16 levels are read");
	memset(deep + 5, '[', 16);
	memset(deep + 21, ']', 16);
	strcpy(deep + 37, "}");
	ok(members(deep, 38) < 0, "17 are refused");

	for (int i = 0; i < 33; i++)
	{
		sprintf(many + strlen(many), "%s\"%d\":%d", i ? "," : "", i, i);
		if (i == 31 || i == 32)
		{
			strcat(many, "}");
			ok(members(many, strlen(many)) == (i == 31 ? 32 : -1), i == 31 ? "32 members are read" : "33 are refused");
			many[strlen(many) - 1] = '\0';
		}
	}
}

static void
test_claims(void)
{
	static const char good[] = "{\"iss\":\"i\",\"aud\":[\"a\", \"b\\\"c\",\"roost\"],\"sub\":\"9223372036854775807\",\"sid\":\"2\",\"iat\":1.9,\"nbf\":0,\"exp\":999999999999}";
	RoostJwtClaims claims;
	RoostJwtHeader header;
	const char *why = NULL;
	static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"EdDSA\",\"kid\":\"k\"}";

	ok(roost_jwt_claims(good, strlen(good), true, &claims, &why) && claims.sub == INT64_MAX && claims.sid == 2 && claims.did == 0 &&
	   claims.iat == 1 && claims.has_nbf && claims.nbf == 0 && claims.exp == 999999999999 && roost_jwt_text_equal(claims.iss, "i"), "claims are read");
	ok(roost_jwt_audience(&claims.aud, "roost") && roost_jwt_audience(&claims.aud, "a") && !roost_jwt_audience(&claims.aud, "c") &&
	   !roost_jwt_audience(&claims.aud, "") && !roost_jwt_audience(&claims.aud, ", "), "an audience is one of the strings");
	ok(roost_jwt_header(head, strlen(head), &header, &why) && header.algorithm == ROOST_JWT_EDDSA && roost_jwt_text_equal(header.kid, "k"), "a header is read");
}

static void
test_base64(void)
{
	static const char *const bad[] = {"A", "AAAAA", "AB", "AAB", "AA==", "A+A/", "AAA ", "AAA\n", "\xc3\xa9", "AAA=", "A A A A "};
	uint8_t		in[256];
	uint8_t		out[256];
	char		text[400];
	bool		passed = true;

	for (int i = 0; i < 256; i++)
		in[i] = i * 167;
	for (int length = 0; length <= 256; length++)
	{
		size_t		n = roost_base64_encode(ROOST_BASE64_URL, in, length, text);

		passed &= n == ROOST_BASE64_ENCODED(length) &&
			roost_base64_decode(ROOST_BASE64_URL, guarded(text, n), n, out) == length && memcmp(in, out, length) == 0;
	}
	ok(passed, "base64url there and back");
	passed = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		passed &= roost_base64_decode(ROOST_BASE64_URL, guarded(bad[i], strlen(bad[i])), strlen(bad[i]), out) < 0;
	ok(passed, "anything else is refused");
}

/* Random changes of good inputs; deterministic. */
static void
test_fuzz(void)
{
	static const char alphabet[] = "{}[]\",:\\u0019dDeE+-.tfn al\xc3\xa9\x80\xff\x01";
	uint64_t	random = 42;
	char		input[2048];

	for (int round = 0; round < 200000; round++)
	{
		const char *seed = good_json[round % (sizeof(good_json) / sizeof(*good_json))];
		size_t		length = strlen(seed);
		int			changes = round % 7;

		memcpy(input, seed, length);
		for (int i = 0; i < changes; i++)
		{
			size_t		at;

			random = random * 6364136223846793005u + 1442695040888963407u;
			at = (random >> 33) % (length + 1);
			if ((random >> 20) % 3 == 0 && length < sizeof(input) / 2)
			{
				memmove(input + at + 1, input + at, length - at);
				input[at] = alphabet[(random >> 40) % (sizeof(alphabet) - 1)];
				length++;
			}
			else if ((random >> 20) % 3 == 1 && at < length)
				memmove(input + at, input + at + 1, --length - at);
			else if (at < length)
				input[at] = alphabet[(random >> 40) % (sizeof(alphabet) - 1)];
		}
		read_all(input, length);
	}
	ok(true, "no change of an input makes a reader go past its end");
}

int
main(void)
{
	test_json();
	test_claims();
	test_base64();
	test_fuzz();
	printf("1..%d\n", tests);
	return failed > 0;
}
