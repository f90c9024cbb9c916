/*-------------------------------------------------------------------------
 *
 * redis.c
 *		What a timeline kept in Redis costs, in the way most applications
 *		keep it: a list of ids for each reader.
 *
 *		redis PORT fill READERS LENGTH		lists timeline:1 .. READERS
 *		redis PORT fanout READERS FOLLOWERS SECONDS
 *		redis PORT ids READERS SECONDS
 *		redis PORT page READERS SECONDS
 *
 * fanout: LPUSH to so many random lists a post, pipelined by 2,000, and LTRIM to
 * 800 for one push in a hundred.  ids: LRANGE 0 49, one after the other.  page:
 * the same and MGET of 50 posts.  Prints key=value figures; CPU is what Redis
 * itself says it used.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <hiredis/hiredis.h>

#define PIPELINE	2000
#define POSTS		100000
#define LATENCIES	1000000

static redisContext *redis;
static uint64_t random_state = 42;

static void check(void *reply);
static void fill(int readers, int length);
static void fanout(int readers, int followers, double seconds);
static void read_pages(int readers, double seconds, int hydrate);
static double cpu_seconds(void);
static double now(void);
static uint64_t random_below(uint64_t n);
static int	compare(const void *a, const void *b);

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	redis = argc > 3 ? redisConnect("127.0.0.1", atoi(argv[1])) : NULL;
	if (redis == NULL || redis->err)
	{
		fprintf(stderr, "usage: redis PORT fill|fanout|ids|page …; or no Redis there\n");
		return 2;
	}
	if (strcmp(what, "fill") == 0 && argc == 5)
		fill(atoi(argv[3]), atoi(argv[4]));
	else if (strcmp(what, "fanout") == 0 && argc == 6)
		fanout(atoi(argv[3]), atoi(argv[4]), atof(argv[5]));
	else if (strcmp(what, "ids") == 0 && argc == 5)
		read_pages(atoi(argv[3]), atof(argv[4]), 0);
	else if (strcmp(what, "page") == 0 && argc == 5)
		read_pages(atoi(argv[3]), atof(argv[4]), 1);
	else
		return 2;
	redisFree(redis);
	return 0;
}

static void
check(void *reply)
{
	if (reply == NULL || ((redisReply *) reply)->type == REDIS_REPLY_ERROR)
	{
		fprintf(stderr, "redis: %s\n", reply ? ((redisReply *) reply)->str : redis->errstr);
		exit(1);
	}
	freeReplyObject(reply);
}

/* Takes the replies of all commands that were appended. */
static void
take(int n)
{
	void	   *reply;

	while (n-- > 0)
	{
		if (redisGetReply(redis, &reply) != REDIS_OK)
			reply = NULL;
		check(reply);
	}
}

static void
fill(int readers, int length)
{
	int			waiting = 0;
	char		body[400];

	check(redisCommand(redis, "FLUSHALL"));
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = 0;
	for (int i = 1; i <= POSTS; i++)
	{
		redisAppendCommand(redis, "SET post:%d {\"id\":%d,\"text\":\"%s\"}", i, i, body);
		if (++waiting == PIPELINE)
			take(waiting), waiting = 0;
	}
	take(waiting);
	for (int r = 1; r <= readers; r++)
	{
		size_t		size = 0;
		char	   *command = malloc(64 + (size_t) length * 24);

		size += sprintf(command, "RPUSH timeline:%d", r);
		for (int i = 0; i < length; i++)
			size += sprintf(command + size, " %d", (int) (1 + random_below(POSTS)));
		check(redisCommand(redis, command));
		free(command);
	}
}

static void
fanout(int readers, int followers, double seconds)
{
	double		cpu = cpu_seconds();
	double		start = now();
	uint64_t	deliveries = 0;
	int			waiting = 0;

	while (now() - start < seconds)
	{
		int			post = (int) (1 + random_below(POSTS));

		for (int i = 0; i < followers; i++)
		{
			int			reader = (int) (1 + random_below(readers));

			redisAppendCommand(redis, "LPUSH timeline:%d %d", reader, post);
			waiting++;
			if (++deliveries % 100 == 0)
			{
				redisAppendCommand(redis, "LTRIM timeline:%d 0 799", reader);
				waiting++;
			}
			if (waiting >= PIPELINE)
				take(waiting), waiting = 0;
		}
	}
	take(waiting);
	printf("per_second=%.0f per_cpu_second=%.0f\n", deliveries / (now() - start), deliveries / (cpu_seconds() - cpu));
}

static void
read_pages(int readers, double seconds, int hydrate)
{
	double	   *latency = malloc(LATENCIES * sizeof(double));
	int			n = 0;
	double		cpu = cpu_seconds();
	double		start = now();

	while (now() - start < seconds && n < LATENCIES)
	{
		double		from = now();
		redisReply *ids = redisCommand(redis, "LRANGE timeline:%d 0 49", (int) (1 + random_below(readers)));

		if (ids == NULL || ids->type != REDIS_REPLY_ARRAY)
			exit(1);
		if (hydrate)
		{
			char		keys[51][32];
			const char *command[51] = {"MGET"};

			for (size_t i = 0; i < ids->elements && i < 50; i++)
			{
				snprintf(keys[i], sizeof(keys[i]), "post:%s", ids->element[i]->str);
				command[i + 1] = keys[i];
			}
			check(redisCommandArgv(redis, (int) ids->elements + 1, command, NULL));
		}
		freeReplyObject(ids);
		latency[n++] = (now() - from) * 1e6;
	}
	cpu = cpu_seconds() - cpu;
	qsort(latency, n, sizeof(double), compare);
	printf("per_second=%.0f p50_us=%.1f p99_us=%.1f cpu_us=%.1f\n", n / (now() - start),
		   latency[n / 2], latency[n * 99 / 100], cpu * 1e6 / n);
	free(latency);
}

/* Returns what Redis says it has used. */
static double
cpu_seconds(void)
{
	redisReply *reply = redisCommand(redis, "INFO cpu");
	double		user = 0;
	double		kernel = 0;
	const char *p;

	if (reply == NULL || reply->str == NULL)
		exit(1);
	if ((p = strstr(reply->str, "used_cpu_sys:")) != NULL)
		kernel = atof(p + 13);
	if ((p = strstr(reply->str, "used_cpu_user:")) != NULL)
		user = atof(p + 14);
	freeReplyObject(reply);
	return user + kernel;
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* xorshift64* */
static uint64_t
random_below(uint64_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * UINT64_C(2685821657736338717) >> 32) % n;
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}
