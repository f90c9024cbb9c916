/*
 * event_query.c
 *		The query string of a stream of server-sent events: what is taken, what
 *		is refused, and that nothing is written beyond its room.
 */
/* links: gateway/http.c */
#include "gateway/event_query.c"
#include "gateway/log.c"
#include "gateway/util.c"

#include "test/unit/tap.h"

/* Reads a query string and says as a text what was found. */
static const char *
read_query(const char *text)
{
	static char found[4096];
	EventQuery	query;
	EventQueryProblem problem;

	if (!event_query_parse(text, &query, &problem))
		snprintf(found, sizeof(found), "%s %s", problem.sqlstate, problem.field ? problem.field : "");
	else
	{
		int			length = 0;

		for (int i = 0; i < query.count; i++)
			length += snprintf(found + length, sizeof(found) - (size_t) length, "[%s]", query.channels[i]);
		snprintf(found + length, sizeof(found) - (size_t) length, " %s %s", query.after ? query.after : "-", query.token ? query.token : "-");
	}
	event_query_free(&query);
	return found;
}

/* Compares what is found with what is expected. */
static void
check(const char *text, const char *expected)
{
	const char *found = read_query(text);
	char		name[512];

	snprintf(name, sizeof(name), "%.200s", text ? text : "no query");
	ok(strcmp(found, expected) == 0, name);
	if (strcmp(found, expected) != 0)
		printf("# %s, not %s\n", found, expected);
}

int
main(void)
{
	char		long_text[65536];
	EventQuery	query;
	EventQueryProblem problem;
	unsigned	state = 1;

	check(NULL, " - -");
	check("", " - -");
	check("&&&&", " - -");
	check("channels=home", "[home] - -");
	check("channels=home,public", "[home][public] - -");
	check("channels=home&channels=user%3A5,post:6", "[home][user:5][post:6] - -");
	check("channels=", "[] - -");
	check("channels", "[] - -");
	check("channels=a,,b", "[a][][b] - -");
	check("channels=hashtag:gr%C3%BCn%2ca+b", "[hashtag:gr\xc3\xbcn][a b] - -");
	check("after=1-2&access_token=x.y.z", " 1-2 x.y.z");
	check("%61fter=1-2", " 1-2 -");
	check("after=", "  -");
	check("after=1&after=1", "RODUP after");
	check("after=1&limit=5", "ROUNK limit");
	check("x", "ROUNK x");
	check("=x", "ROUNK ");
	check("channels=%", "RO400 ");
	check("channels=%4", "RO400 ");
	check("channels=%4x", "RO400 ");
	check("channels=%00", "RO400 ");
	check("channels=%0a", "RO400 ");
	check("channels=%ff", "RO400 ");
	check("channels=\xed\xa0\x80", "RO400 ");
	check("%zz=1", "RO400 ");

	memset(long_text, '&', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	check(long_text, " - -");
	strcpy(long_text, "channels=");
	for (int i = 0; i < 1000; i++)
		strcat(long_text, i ? ",a" : "a");
	ok(event_query_parse(long_text, &query, &problem) && query.count == HUB_CHANNELS + 1, "of too many channels one more than allowed is kept");
	event_query_free(&query);

	/* anything at all, for the sanitizers */
	for (int round = 0; round < 20000; round++)
	{
		static const char alphabet[] = "channels=after&access_token,%2c%41+%ff\x80";
		size_t		length = 0;

		while ((state = state * 1103515245 + 12345) >> 16 & 63 && length < 200)
			long_text[length++] = alphabet[(state >> 16) % (sizeof(alphabet) - 1)];
		long_text[length] = '\0';
		read_query(long_text);
	}
	ok(true, "any text is read without harm");
	printf("1..%d\n", tests);
	return failed > 0;
}
