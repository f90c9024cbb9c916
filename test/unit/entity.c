/*
 * Entities in texts: rules, positions, and texts that end where no byte may be
 * read.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "post/entity.c"

static int	tests = 0;
static int	failures = 0;
static char *room_end;			/* a page follows that may not be touched */
static size_t room;

static void
check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

/*
 * Returns what is found in the text, as "u3-9:text m\xe2\x80\xa6", kind, start, end.
 */
static const char *
found_in(const char *data, size_t length)
{
	static char out[65536];
	static uint32_t scratch[ENTITY_SCRATCH(262144)];
	char	   *copy = room_end - length;
	Entity	   *found;
	int			n;
	int			at = 0;
	int			bound;

	memcpy(copy, data, length);
	bound = roost_entity_bound(copy, length);
	found = malloc(sizeof(Entity) * (bound + 1));
	n = roost_entity_scan(copy, length, scratch, found);
	out[0] = '\0';
	if (n > bound)
		return "more than the bound";
	for (int i = 0; i < n && at < (int) sizeof(out) - 1000; i++)
		at += sprintf(out + at, "%s%c%d-%d:%.*s", i ? " " : "", "umhc"[found[i].kind], found[i].start, found[i].path_end,
					  found[i].length > 200 ? 200 : found[i].length, copy + found[i].offset);
	free(found);
	return out;
}

static void
is(const char *data, const char *expected)
{
	const char *got = found_in(data, strlen(data));

	check(strcmp(got, expected) == 0, data);
	if (strcmp(got, expected) != 0)
		printf("# got \"%s\"\n# expected \"%s\"\n", got, expected);
}

/*
 * Puts all texts of up to four of these pieces through, valid or not.
 */
static void
all_mixtures(void)
{
	static const char *const pieces[] = {
		"@", "#", "$", ".", "a", "com", "http://", "/", "(", ")", "?", "-", "_", " ", "\xe3\x81\x82", "\xef\xbc\x83",
		"\xef", "\xf0\x9f", "\x80", "\xff", ":", "x1", "t.co/", "xn--", "\xd8\xa7"
	};
	int			n = lengthof(pieces);
	bool		good = true;

	for (int i = 0; i < n * n * n * n; i++)
	{
		char		data[64];
		int			length = 0;

		for (int k = 0, rest = i; k < 4; k++, rest /= n)
		{
			memcpy(data + length, pieces[rest % n], strlen(pieces[rest % n]));
			length += strlen(pieces[rest % n]);
		}
		good &= strcmp(found_in(data, length), "more than the bound") != 0;
	}
	check(good, "every mixture of four pieces stays within bounds");
}

static void
long_texts(void)
{
	static const char *const pieces[] = {"@a ", "#a", "a.", "a.co ", "\xe3\x81\x82.", "\xe3\x81\x82_\xe3\x81\x82.", "(", "http://", "-.com", "$A ", "#\xe3\x81\x82", "a@", "./", "http://a.co/(", "com."};
	static char data[262144];
	bool		good = true;

	for (size_t i = 0; i < lengthof(pieces); i++)
	{
		size_t		length = 0;

		for (; length + strlen(pieces[i]) <= 65536; length += strlen(pieces[i]))
			memcpy(data + length, pieces[i], strlen(pieces[i]));
		good &= strcmp(found_in(data, length), "more than the bound") != 0;
	}
	check(good, "64 KiB of anything");
}

int
main(void)
{
	size_t		page = sysconf(_SC_PAGESIZE);
	char	   *area;

	room = page * 64;
	area = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED || mprotect(area + room, page, PROT_NONE) != 0)
	{
		printf("Bail out! no memory\n");
		return 1;
	}
	room_end = area + room;

	is("", "");
	is("nothing", "");
	is("@ada", "m0-4:ada");
	is("@ada@example.org", "");
	is("mail ada@example.org", "");
	is("@ada/list-1 x", "m0-11:ada");
	is("@ada/1list", "m0-4:ada");
	is("rt@ada: @bob", "m2-6:ada m8-12:bob");
	is("@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "m0-31:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	is("@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "");
	is("\xef\xbc\xa0" "ada", "m0-4:ada");
	is("\xe6\x97\xa5\xe6\x9c\xac@ada\xe8\xaa\x9e", "m2-6:ada");
	is("#a #1 #1a a#b &#c #", "h0-2:a h6-9:1a");
	is("#a#b", "");
	is("\xef\xbc\x83\xe3\x82\xbf\xe3\x82\xb0\xe3\x80\x82", "h0-3:\xe3\x82\xbf\xe3\x82\xb0");
	is("1\xef\xb8\x8f\xe2\x83\xa3 #\xef\xb8\x8f\xe2\x83\xa3", "");
	is("$ROOST $x.y $toolong $1", "c0-6:ROOST c7-11:x.y");
	is("example.com", "u0-11:example.com");
	is("example.notatld", "");
	is("see http://example.com/a_(b).", "u4-28:http://example.com/a_(b)");
	is("(example.com/x?y=z&w), ok", "u1-20:example.com/x?y=z&w");
	is("HTTPS://EXAMPLE.ORG:8080/Path", "u0-29:HTTPS://EXAMPLE.ORG:8080/Path");
	is("http://example.com/@ada#tag", "u0-27:http://example.com/@ada#tag");
	is("x@example.com", "");
	is("a.b.c.d.example.co.uk", "u0-21:a.b.c.d.example.co.uk");
	is("http://user:pass@example.com", "");
	is("http://[::1]/", "");
	is("javascript:alert(1)", "");
	is("http://xn--bcher-kva.example.com", "u0-32:http://xn--bcher-kva.example.com");
	is("http://b\xc3\xbc" "cher.example.com/", "u0-26:http://b\xc3\xbc" "cher.example.com/");
	is("http://\xe3\x81\x82\xe3\x81\x82.\xe3\x81\xbf\xe3\x82\x93\xe3\x81\xaa", "u0-13:http://\xe3\x81\x82\xe3\x81\x82.\xe3\x81\xbf\xe3\x82\x93\xe3\x81\xaa");
	check(strcmp(found_in("@ada\0@bob", 9), "m0-4:ada m5-9:bob") == 0, "a zero byte parts words");
	check(strcmp(found_in("#\xff", 2), "") == 0, "a stray byte");
	check(strcmp(found_in("@ada \xe3\x81", 7), "m0-4:ada") == 0, "a sequence cut off at the end");
	check(strcmp(found_in("\xc0\x63\xc0\xa3\xe0\x80\xa3\x61", 8), "") == 0, "signs in disguise");
	all_mixtures();
	long_texts();

	printf("1..%d\n", tests);
	return failures > 0;
}
