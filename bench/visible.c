/*-------------------------------------------------------------------------
 *
 * visible.c
 *		From "the post is written" to "a follower's timeline shows it".
 *
 *		visible COUNT
 *
 * Reads lines "author follower" from standard input and takes them in turns: one
 * connection posts, another reads the follower's home timeline until the post
 * is on it.  Both are the database of the environment (PGHOST …).  Prints
 * p50_us, p99_us and max_us of the time from the writer's answer to the end of
 * the first read that shows the post, and how many reads that took.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#define PAIRS_MAX	10000

static char *call(PGconn *conn, const char *query, const char *first, const char *second);
static double now(void);
static int	compare(const void *a, const void *b);

int
main(int argc, char **argv)
{
	static char authors[PAIRS_MAX][24];
	static char followers[PAIRS_MAX][24];
	int			count = argc > 1 ? atoi(argv[1]) : 1000;
	int			pairs = 0;
	long		reads = 0;
	double	   *took = malloc(sizeof(double) * count);
	PGconn	   *writer = PQconnectdb("");
	PGconn	   *reader = PQconnectdb("");

	if (PQstatus(writer) != CONNECTION_OK || PQstatus(reader) != CONNECTION_OK)
	{
		fprintf(stderr, "visible: %s", PQerrorMessage(writer));
		return 1;
	}
	while (pairs < PAIRS_MAX && scanf("%23s %23s", authors[pairs], followers[pairs]) == 2)
		pairs++;
	if (pairs == 0)
		return 2;
	for (int i = 0; i < count; i++)
	{
		char	   *id = call(writer, "SELECT (roost.post_create($1, 'visible?')).id WHERE $2 <> ''", authors[i % pairs], "-");
		double		from = now();
		char	   *shown;
		int			found = 0;

		while (!found)
		{
			shown = call(reader, "SELECT $1 = ANY (roost_internal.timeline_home_ids($2, 50, 9223372036854775807, 0, 'following', true))",
						 id, followers[i % pairs]);
			found = strcmp(shown, "t") == 0;
			free(shown);
			reads++;
			if (now() - from > 10)
			{
				fprintf(stderr, "visible: post %s of %s is not on the timeline of %s after 10 s\n", id, authors[i % pairs], followers[i % pairs]);
				return 1;
			}
		}
		took[i] = (now() - from) * 1e6;
		free(id);
	}
	qsort(took, count, sizeof(double), compare);
	printf("p50_us=%.0f p99_us=%.0f max_us=%.0f reads=%.2f\n", took[count / 2], took[count * 99 / 100], took[count - 1], (double) reads / count);
	PQfinish(writer);
	PQfinish(reader);
	return 0;
}

/* Returns the first value of a query with two parameters. */
static char *
call(PGconn *conn, const char *query, const char *first, const char *second)
{
	const char *values[2] = {first, second};
	PGresult   *result = PQexecParams(conn, query, 2, NULL, values, NULL, NULL, 0);
	char	   *value;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
	{
		fprintf(stderr, "visible: %s", PQerrorMessage(conn));
		exit(1);
	}
	value = strdup(PQgetvalue(result, 0, 0));
	PQclear(result);
	return value;
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}
