/*-------------------------------------------------------------------------
 *
 * cache_change.c
 *		Which ids have changed, and at which rows of the log.
 *
 * A table from an id to the last row of the log that changed it: softly (a
 * counter), and hard (anything else).  Rows come in order.  The table is two
 * generations of at most CHANGE_LIMIT ids: notes go into the present one; when
 * that is full, the one before is forgotten and the present one takes its
 * place.  What has been forgotten happened up to row `floor`: of anything that
 * is older nobody can say that it is still valid.  Each generation is a hash
 * table with open addressing, at most half full, which grows with its content.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <sys/random.h>

#include "cache_change.h"
#include "log.h"

#ifndef CHANGE_LIMIT
#define CHANGE_LIMIT 65536		/* ids a generation */
#endif
#define FIRST_SIZE 1024			/* a power of two, as all sizes */

typedef struct ChangeSlot
{
	int64_t		id;				/* 0: empty */
	int64_t		soft;			/* row of the last change; 0: none */
	int64_t		hard;
} ChangeSlot;

typedef struct Generation
{
	ChangeSlot *slots;
	size_t		size;
	size_t		count;
	int64_t		last;			/* the newest row in it */
} Generation;

static Generation generations[2];	/* the present one, and the one before */
static int64_t floor_seq;
static int64_t list_seq;		/* the last row that may have added to lists */
static uint64_t seed;

/* Returns the slot of an id, or the empty one where it belongs. */
static ChangeSlot *
slot_find(const Generation *generation, int64_t id)
{
	uint64_t	hash = ((uint64_t) id ^ seed) * UINT64_C(0x9e3779b97f4a7c15);
	size_t		at = (size_t) (hash ^ hash >> 32) & (generation->size - 1);

	while (generation->slots[at].id != 0 && generation->slots[at].id != id)
		at = (at + 1) & (generation->size - 1);
	return &generation->slots[at];
}

/* Makes room for as many ids again. */
static void
generation_grow(Generation *generation)
{
	Generation	grown = *generation;

	if (seed == 0 && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		log_fatal("no random numbers");
	grown.size = Max(generation->size * 2, FIRST_SIZE);
	grown.slots = memory_new(sizeof(ChangeSlot) * grown.size);
	for (size_t i = 0; i < generation->size; i++)
		if (generation->slots[i].id != 0)
			*slot_find(&grown, generation->slots[i].id) = generation->slots[i];
	free(generation->slots);
	*generation = grown;
}

/* Gives the memory of a generation back. */
static void
generation_free(Generation *generation)
{
	free(generation->slots);
	memset(generation, 0, sizeof(*generation));
}

/* Forgets everything: nothing is known of what happened up to a row. */
void
change_reset(int64_t seq)
{
	generation_free(&generations[0]);
	generation_free(&generations[1]);
	floor_seq = list_seq = seq;
}

/* Notes that a row has changed what an id stands for. */
void
change_note(int64_t id, int64_t seq, bool hard)
{
	Generation *generation = &generations[0];
	ChangeSlot *slot;

	if (id <= 0)
		return;
	if (generation->count * 2 >= generation->size)
		generation_grow(generation);
	slot = slot_find(generation, id);
	if (slot->id == 0)
	{
		slot->id = id;
		generation->count++;
	}
	if (hard)
		slot->hard = seq;
	else
		slot->soft = seq;
	generation->last = seq;
}

/* Notes that a row may have added something to any list. */
void
change_note_list(int64_t seq)
{
	list_seq = seq;
}

/* Returns whether it is time to forget the older half. */
bool
change_is_full(void)
{
	return generations[0].count >= CHANGE_LIMIT;
}

/* Forgets the older half. */
void
change_forget(void)
{
	floor_seq = Max(floor_seq, generations[1].last);
	generation_free(&generations[1]);
	generations[1] = generations[0];
	memset(&generations[0], 0, sizeof(generations[0]));
}

/* Returns the worst that has happened to any of the ids, and to lists, after a row. */
Change
change_since(const int64_t *ids, size_t count, bool list, int64_t seq)
{
	Change		worst = list && list_seq > seq ? CHANGE_SOFT : CHANGE_NONE;

	if (seq < floor_seq)
		return CHANGE_UNKNOWN;
	for (int g = 0; g < 2; g++)
	{
		const Generation *generation = &generations[g];

		if (generation->count == 0 || generation->last <= seq)
			continue;
		for (size_t i = 0; i < count; i++)
		{
			const ChangeSlot *slot = slot_find(generation, ids[i]);

			if (slot->hard > seq)
				return CHANGE_HARD;
			if (slot->soft > seq)
				worst = CHANGE_SOFT;
		}
	}
	return worst;
}
