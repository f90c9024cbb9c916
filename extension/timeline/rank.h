/*-------------------------------------------------------------------------
 *
 * rank.h
 *		How much an entry of a home timeline matters: the formula.
 *
 *	score = engagement * affinity * diversity * seen * decay
 *
 *	engagement	1 + the counters of the post shown, each times its weight
 *	affinity	1 + weight * log2(1 + what the reader did to the author's posts)
 *	diversity	floor + (1 - floor) * d^k, where k entries of the same account
 *				stand above it
 *	seen		s^n, where the reader has been shown it n times
 *	decay		2^(-age / half-life)
 *
 * Only the decay depends on when one looks, and it moves all entries alike.
 * So an entry's place is the time at which one with the score 1 would have to
 * be made now to stand beside it:
 *
 *	place = time of the entry + half-life * log2(the other factors)
 *
 * Plain arithmetic without PostgreSQL, so that it lies in unit tests.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_RANK_H
#define ROOST_TIMELINE_RANK_H

#include <stdbool.h>
#include <stdint.h>

typedef enum RankCounter
{
	RANK_LIKE,
	RANK_REPLY,
	RANK_RETWEET,
	RANK_QUOTE,
	RANK_COUNTERS
} RankCounter;

#define RANK_SEEN_MAX	4		/* times that count */

typedef struct RankWeights
{
	double		half_life;		/* milliseconds, positive */
	double		counter[RANK_COUNTERS];
	double		affinity;
	double		diversity;		/* above 0, at most 1 */
	double		diversity_floor;	/* above 0, at most 1 */
	double		seen;			/* above 0, at most 1 */
} RankWeights;

typedef struct RankEntry
{
	/* given */
	int64_t		id;				/* of the entry: says its time, too */
	int64_t		account_id;		/* whose entry it is: the retweeter's */
	int64_t		post_id;		/* of the post it shows */
	int64_t		counts[RANK_COUNTERS];	/* of that post */
	double		interaction;	/* of the reader with the author, weighted */
	int			seen_count;

	/* found */
	double		engagement;
	double		affinity;
	int			above;			/* entries of the same account above it */
	double		diversity;
	double		seen;
	double		place;			/* milliseconds since 1970 */
} RankEntry;

/* Ranks n entries: fills in what is found, and puts the best first. */
extern void roost_rank(const RankWeights *weights, RankEntry *entries, int n);

/* Returns by what age alone divides the score of an entry that old (milliseconds). */
extern double roost_rank_decay(const RankWeights *weights, double age);

/*
 * Makes cursors of ranked entries: their places, and in the low 16 bits a tag.
 * They are positive, and each is smaller than the one before.
 */
extern void roost_rank_cursors(const RankEntry *entries, int n, uint16_t tag, int64_t *cursors);

#define RANK_CURSOR_TAG(cursor)		((uint16_t) (cursor))
#define RANK_CURSOR_PLACE(cursor)	((int64_t) (cursor) >> 16)

#endif							/* ROOST_TIMELINE_RANK_H */
