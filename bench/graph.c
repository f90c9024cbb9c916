/*-------------------------------------------------------------------------
 *
 * graph.c
 *		Writes the deterministic social graph that all benchmarks load.
 *
 *		graph SEED ACCOUNTS POSTS FOLDER
 *
 * FOLDER gets accounts.csv (n, name), follows.csv (follower, followee) and
 * posts.csv (n, author, text).  Followee popularity is Zipf(0.8) over a seeded
 * permutation; out-degree has a heavy tail from 20 to 400, mean about 50,
 * except three blocks of 100 readers that follow exactly 50, 200 and 1,000
 * accounts.  Half of the posts come from Zipf(0.6) authors, half from uniform
 * ones.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS_EACH	100		/* readers with a fixed number of followees */

static uint64_t random_state;

static void *allocate(size_t n, size_t size);
static double *zipf_table(int n, double s);
static int	zipf_draw(const double *table, int n);
static uint64_t random_next(void);
static double random_unit(void);
static FILE *create(const char *folder, const char *name);
static int	out_degree(int account, int naccounts);

int
main(int argc, char **argv)
{
	static const char *const words[] = {
		"lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing",
		"elit", "sed", "do", "eiusmod", "tempor", "incididunt", "ut",
		"labore", "et"
	};
	int			naccounts,
				nposts;
	uint32_t   *permutation;
	int		   *mark;
	double	   *followees,
			   *authors;
	uint64_t	nfollows = 0;
	FILE	   *f;

	if (argc != 5)
	{
		fprintf(stderr, "usage: graph SEED ACCOUNTS POSTS FOLDER\n");
		return 2;
	}
	random_state = strtoull(argv[1], NULL, 10);
	naccounts = atoi(argv[2]);
	nposts = atoi(argv[3]);
	if (naccounts < 2000 || nposts < 1)
	{
		fprintf(stderr, "graph: needs at least 2000 accounts and 1 post\n");
		return 2;
	}

	permutation = allocate(naccounts, sizeof(uint32_t));
	mark = allocate(naccounts + 1, sizeof(int));
	followees = zipf_table(naccounts, 0.8);
	authors = zipf_table(naccounts, 0.6);
	for (int i = 0; i < naccounts; i++)
		permutation[i] = i + 1;
	for (int i = naccounts - 1; i > 0; i--)
	{
		int			j = random_next() % (i + 1);
		uint32_t	t = permutation[i];

		permutation[i] = permutation[j];
		permutation[j] = t;
	}

	f = create(argv[4], "accounts.csv");
	for (int i = 1; i <= naccounts; i++)
		fprintf(f, "%d,user%d\n", i, i);
	fclose(f);

	f = create(argv[4], "follows.csv");
	for (int follower = 1; follower <= naccounts; follower++)
	{
		int			left = out_degree(follower, naccounts);

		while (left > 0)
		{
			int			followee = permutation[zipf_draw(followees, naccounts)];

			if (followee == follower || mark[followee] == follower)
				continue;
			mark[followee] = follower;
			fprintf(f, "%d,%d\n", follower, followee);
			left--;
			nfollows++;
		}
	}
	fclose(f);

	f = create(argv[4], "posts.csv");
	for (int i = 1; i <= nposts; i++)
	{
		uint32_t	author = (random_next() & 1) ?
			permutation[zipf_draw(authors, naccounts)] : 1 + random_next() % naccounts;
		int			nwords = 6 + random_next() % 24;

		fprintf(f, "%d,%u,", i, author);
		for (int w = 0; w < nwords; w++)
			fprintf(f, "%s%s", w ? " " : "", words[random_next() & 15]);
		fprintf(f, "\n");
	}
	fclose(f);

	printf("accounts=%d follows=%llu posts=%d\n", naccounts, (unsigned long long) nfollows, nposts);
	return 0;
}

/* Returns how many accounts an account follows. */
static int
out_degree(int account, int naccounts)
{
	int			degree = (int) (20.0 * pow(1.0 - random_unit(), -0.6));

	if (degree > 400)
		degree = 400;
	if (account <= READERS_EACH)
		degree = 50;
	else if (account <= 2 * READERS_EACH)
		degree = 200;
	else if (account <= 3 * READERS_EACH)
		degree = 1000;
	return degree < naccounts / 2 ? degree : naccounts / 2;
}

/* Returns zeroed memory, or exits. */
static void *
allocate(size_t n, size_t size)
{
	void	   *p = calloc(n, size);

	if (p == NULL)
	{
		fprintf(stderr, "graph: out of memory\n");
		exit(1);
	}
	return p;
}

/* Returns the cumulative distribution of Zipf(s) over n ranks. */
static double *
zipf_table(int n, double s)
{
	double	   *table = allocate(n, sizeof(double));
	double		sum = 0;

	for (int i = 0; i < n; i++)
		table[i] = sum += pow(i + 1, -s);
	for (int i = 0; i < n; i++)
		table[i] /= sum;
	return table;
}

/* Returns a rank drawn from the distribution. */
static int
zipf_draw(const double *table, int n)
{
	double		x = random_unit();
	int			low = 0,
				high = n - 1;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (table[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Returns 64 random bits (splitmix64: Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t
random_next(void)
{
	uint64_t	z = (random_state += 0x9E3779B97F4A7C15ull);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}

/* Returns a random number in [0, 1). */
static double
random_unit(void)
{
	return (random_next() >> 11) * (1.0 / 9007199254740992.0);
}

/* Opens FOLDER/NAME for writing, or exits. */
static FILE *
create(const char *folder, const char *name)
{
	char		path[4096];
	FILE	   *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (f == NULL)
	{
		fprintf(stderr, "graph: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return f;
}
