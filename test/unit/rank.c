/*
 * The formula of ranked home timelines: each term alone, extremes, orders that
 * must come out whatever the order of what is given, and cursors.
 */
#include <stdio.h>
#include <string.h>

#include "timeline/rank.c"

#define MS(ms)	((int64_t) (ms) << 16)
#define NOW		INT64_C(1700000000000)
#define HOUR	3600000.0

static int	tests = 0;
static int	failures = 0;

static void
check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

static const RankWeights plain = {
	.half_life = HOUR,.counter = {1, 2, 3, 4},.affinity = 0.5,.diversity = 1,.diversity_floor = 1,.seen = 0.5,
};

/* Returns whether two numbers are the same but for rounding. */
static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b) + 1e-12);
}

/* Returns an entry of an account, that many milliseconds from NOW. */
static RankEntry
entry(int64_t account_id, double at)
{
	return (RankEntry) {.id = MS(NOW + (int64_t) at) + account_id,.account_id = account_id};
}

/* Returns a ranked entry alone. */
static RankEntry
alone(const RankWeights *weights, RankEntry e)
{
	roost_rank(weights, &e, 1);
	return e;
}

static void
terms(void)
{
	RankEntry	e = alone(&plain, entry(1, 0));

	check(e.engagement == 1 && e.affinity == 1 && e.seen == 1 && e.diversity == 1 && e.place == NOW,
		  "nothing happened: its place is its time");
	e = entry(1, 0);
	memcpy(e.counts, (int64_t[]) {1, 1, 1, 1}, sizeof(e.counts));
	e = alone(&plain, e);
	check(e.engagement == 11 && near(e.place, NOW + HOUR * log2(11)), "counters, each with its weight");
	e = entry(1, 0);
	e.counts[RANK_LIKE] = 1;
	e = alone(&plain, e);
	check(e.place == NOW + HOUR, "twice the score is a half-life of youth");
	e = entry(1, 0);
	e.interaction = 3;
	e = alone(&plain, e);
	check(e.affinity == 2 && e.place == NOW + HOUR, "affinity");
	e = entry(1, 0);
	e.seen_count = 2;
	e = alone(&plain, e);
	check(e.seen == 0.25 && e.place == NOW - 2 * HOUR, "seen twice");
	e.seen_count = 1000000;
	e = alone(&plain, e);
	check(e.seen == 0.0625, "seen often counts as four times");
	check(near(roost_rank_decay(&plain, HOUR), 0.5) && roost_rank_decay(&plain, 0) == 1, "decay");
	check(roost_rank_decay(&plain, 1e18) == 0, "decay of what is too old");
}

static void
extremes(void)
{
	RankWeights wild = {.half_life = 365 * 24 * HOUR,.counter = {1e6, 1e6, 1e6, 1e6},.affinity = 1e6,
	.diversity = 0.01,.diversity_floor = 0.01,.seen = 0.01};
	RankWeights none = {.half_life = 1,.diversity = 1,.diversity_floor = 1,.seen = 1};
	RankEntry	entries[6] = {entry(1, 0), entry(1, -1), entry(2, 0), entry(3, 0), entry(1, 1), entry(4, 0)};
	int64_t		cursors[6];
	bool		good = true;

	for (int i = 0; i < RANK_COUNTERS; i++)
	{
		entries[0].counts[i] = INT64_MAX;
		entries[1].counts[i] = INT64_MIN;
		entries[2].counts[i] = -1;
	}
	entries[0].interaction = 1e300;
	entries[1].interaction = -5;
	entries[2].seen_count = INT32_MAX;
	entries[3].id = INT64_MAX;
	entries[4].id = 0;
	roost_rank(&wild, entries, 6);
	for (int i = 0; i < 6; i++)
		good = good && isfinite(entries[i].place) && isfinite(entries[i].engagement) && entries[i].engagement >= 1 &&
			entries[i].affinity >= 1 && (i == 0 || entries[i].place <= entries[i - 1].place);
	check(good, "the largest and the smallest numbers give finite places");
	roost_rank_cursors(entries, 6, 65535, cursors);
	for (int i = 0; i < 6; i++)
		good = good && cursors[i] > 0 && RANK_CURSOR_TAG(cursors[i]) == 65535 && (i == 0 || cursors[i] < cursors[i - 1]);
	check(good, "and cursors that fall");
	roost_rank(&none, entries, 6);
	for (int i = 1; i < 6; i++)
		good = good && entries[i].id < entries[i - 1].id;
	check(good, "without weights the newest comes first");
	roost_rank(&wild, entries, 0);
	roost_rank_cursors(entries, 0, 0, cursors);
	check(true, "no entries");
}

static void
diversity(void)
{
	RankWeights weights = plain;
	RankEntry	entries[5] = {entry(1, 0), entry(1, -1), entry(2, -0.4 * HOUR), entry(1, -2), entry(2, -0.41 * HOUR)};

	weights.diversity = 0.5;
	weights.diversity_floor = 0.2;
	roost_rank(&weights, entries, 5);
	check(entries[0].account_id == 1 && entries[1].account_id == 2 && entries[2].account_id == 1 &&
		  entries[3].account_id == 2 && entries[4].account_id == 1, "accounts take turns");
	check(entries[0].diversity == 1 && near(entries[2].diversity, 0.2 + 0.8 * 0.5) &&
		  near(entries[4].diversity, 0.2 + 0.8 * 0.25) && entries[4].above == 2, "the more above, the less");
	weights.diversity_floor = 1;
	roost_rank(&weights, entries, 5);
	check(entries[0].account_id == 1 && entries[1].account_id == 1 && entries[2].account_id == 1, "a floor of 1 turns it off");
}

/* Takes the best of those that are left, over and over; the definition. */
static void
slowly(const RankWeights *weights, RankEntry *entries, int n)
{
	for (int i = 0; i < n; i++)
	{
		int			best = i;
		double		best_place = -INFINITY;

		for (int k = i; k < n; k++)
		{
			RankEntry	e = alone(weights, entries[k]);

			for (int above = 0; above < i; above++)
				e.above += entries[above].account_id == e.account_id;
			e.place += weights->half_life * log2(weights->diversity_floor +
												 (1 - weights->diversity_floor) * pow(weights->diversity, e.above));
			if (e.place > best_place || (e.place == best_place && e.id > entries[best].id))
			{
				best = k;
				best_place = e.place;
			}
		}
		RankEntry	taken = entries[best];

		entries[best] = entries[i];
		entries[i] = taken;
	}
}

static void
definition(void)
{
	RankWeights weights = plain;
	uint64_t	seed = 42;
	bool		good = true;
	bool		same = true;

	weights.diversity = 0.7;
	weights.diversity_floor = 0.3;
	for (int round = 0; round < 50; round++)
	{
		RankEntry	entries[60];
		RankEntry	expected[60];
		RankEntry	turned[60];

		for (int i = 0; i < 60; i++)
		{
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			entries[i] = entry(1 + (seed >> 33) % 7, -(double) ((seed >> 36) % 50) * HOUR / 10 - i * 60);
			entries[i].counts[RANK_LIKE] = (seed >> 50) % 9;
			entries[i].interaction = (seed >> 54) % 3;
			entries[i].seen_count = (seed >> 60) % 2;
			turned[59 - i] = expected[i] = entries[i];
		}
		slowly(&weights, expected, 60);
		roost_rank(&weights, entries, 60);
		roost_rank(&weights, turned, 60);
		for (int i = 0; i < 60; i++)
		{
			good = good && entries[i].id == expected[i].id;
			same = same && entries[i].id == turned[i].id;
		}
	}
	check(good, "the order equals taking the best of those that are left");
	check(same, "and does not depend on the order of what is given");
}

int
main(void)
{
	terms();
	extremes();
	diversity();
	definition();
	printf("1..%d\n", tests);
	return failures > 0;
}
