/*-------------------------------------------------------------------------
 *
 * event_query.c
 *		The query string of a stream of server-sent events.
 *
 * "channels" may be given several times and have commas; "after" and
 * "access_token" once.  As everywhere in the API, another name is an error.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "event_query.h"
#include "http.h"

/*
 * Appends a part of a query string with its escapes resolved and a NUL behind
 * it; returns NULL if that is no text.  The buffer must have room for it.
 */
static char *
query_decode(const char *from, const char *end, Buffer *into)
{
	char	   *start = into->data + into->length;
	char	   *to = start;

	for (; from < end; from++)
	{
		char		c = *from == '+' ? ' ' : *from;

		if (c == '%')
		{
			int			high = from + 1 < end ? http_hex_digit(from[1]) : -1;
			int			low = from + 2 < end ? http_hex_digit(from[2]) : -1;

			if (high < 0 || low < 0)
				return NULL;
			c = (char) (high << 4 | low);
			from += 2;
		}
		if ((unsigned char) c < 0x20 || c == 0x7f)
			return NULL;
		*to++ = c;
	}
	*to++ = '\0';
	into->length = (size_t) (to - into->data);
	return text_is_utf8(start, (size_t) (to - start - 1)) ? start : NULL;
}

/* Adds the channels of a list with commas; what is too many is cut off behind the first. */
static void
query_channels(char *list, EventQuery *query)
{
	while (list && query->count < (int) lengthof(query->channels))
	{
		char	   *comma = strchr(list, ',');

		if (comma)
			*comma = '\0';
		query->channels[query->count++] = list;
		list = comma ? comma + 1 : NULL;
	}
}

/* Takes one value; returns false if it may not be given, or not again. */
static bool
query_value(const char *name, char *value, EventQuery *query, EventQueryProblem *problem)
{
	const char **single = strcmp(name, "after") == 0 ? &query->after :
	strcmp(name, "access_token") == 0 ? &query->token : NULL;

	problem->field = name;
	if (strcmp(name, "channels") == 0)
		query_channels(value, query);
	else if (single == NULL)
	{
		problem->sqlstate = "ROUNK";
		problem->detail = "this field does not belong to the operation";
		return false;
	}
	else if (*single)
	{
		problem->sqlstate = "RODUP";
		problem->detail = "this field is given more than once";
		return false;
	}
	else
		*single = value;
	return true;
}

/* Reads a query string, NULL for none; returns false and says why if it cannot. */
bool
event_query_parse(const char *text, EventQuery *query, EventQueryProblem *problem)
{
	memset(query, 0, sizeof(*query));
	memset(problem, 0, sizeof(*problem));
	text = text ? text : "";
	/* at most two NULs for each "&" or "=", or none of them at the end */
	buffer_reserve(&query->text, 2 * strlen(text) + 2);
	while (*text)
	{
		const char *end = text + strcspn(text, "&");
		const char *equals = memchr(text, '=', (size_t) (end - text));
		char	   *name = query_decode(text, equals ? equals : end, &query->text);
		char	   *value = query_decode(equals ? equals + 1 : end, end, &query->text);

		if (name == NULL || value == NULL)
		{
			problem->sqlstate = "RO400";
			problem->detail = "The query string holds what is no text.";
			return false;
		}
		if (end > text && !query_value(name, value, query, problem))
			return false;
		text = *end ? end + 1 : end;
	}
	return true;
}

/* Gives the memory of a query back. */
void
event_query_free(EventQuery *query)
{
	buffer_free(&query->text);
}
