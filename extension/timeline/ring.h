/*-------------------------------------------------------------------------
 *
 * ring.h
 *		A bounded list of post ids, newest first, in five bytes an entry.
 *
 * Positions hold the distance from the id before, so that a new newest id is
 * one write.  A distance that does not fit takes a second position, a place
 * without an id on the way.  Plain memory without pointers, no PostgreSQL: it
 * lies in shared memory and in unit tests.  The positions lie apart from the
 * ring, so that the rings of many boxes can stand close together.
 *
 * Every id above `floor` that was given to the ring is in it.  An id at or
 * below the floor is not wanted; when there is no room the oldest goes and the
 * floor rises to it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_RING_H
#define ROOST_TIMELINE_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TIMELINE_RING_ENTRY		5	/* bytes */
#define TIMELINE_RING_ROOM_MIN	4

/*
 * Values below the span are distances, the others are places without an id:
 * so many spans further.  Ids are milliseconds << 16, so a span is 4.66 hours.
 */
#define TIMELINE_RING_SPAN		((UINT64_C(1) << 40) - (UINT64_C(1) << 24))

typedef struct TimelineRing
{
	int64_t		newest;			/* id at the head; meaningless when empty */
	int64_t		oldest;			/* id at the tail; meaningless when empty */
	int64_t		floor;
	uint16_t	room;			/* positions there are */
	uint16_t	used;			/* positions in use, with or without an id */
	uint16_t	head;			/* position of the newest */
	uint16_t	unused;
} TimelineRing;

/* Makes an empty ring that is complete above the floor. */
extern void roost_ring_init(TimelineRing *ring, int room, int64_t floor);

/* Puts an id where it belongs; false: it is there already, or at most the floor. */
extern bool roost_ring_insert(TimelineRing *ring, uint8_t *data, int64_t id);

/*
 * Fills an empty ring with n ids, newest first, complete above the floor; as
 * many as there is room for, the floor rises to the first that is left out.
 */
extern void roost_ring_fill(TimelineRing *ring, uint8_t *data, const int64_t *ids, int n, int64_t floor);

/*
 * Returns up to max ids between before and after (both exclusive), newest
 * first.  The caller compares with the floor what it could not get.  While
 * somebody changes the ring the result is rubbish, but nothing else happens.
 */
extern int	roost_ring_read(const TimelineRing *ring, const uint8_t *data, int64_t before, int64_t after,
							int64_t *ids, int max);

static inline uint64_t
ring_get(const uint8_t *data, int position)
{
	const uint8_t *entry = data + position * TIMELINE_RING_ENTRY;
	uint32_t	low;

	memcpy(&low, entry, sizeof(low));
	return low | (uint64_t) entry[4] << 32;
}

static inline void
ring_set(uint8_t *data, int position, uint64_t value)
{
	uint8_t    *entry = data + position * TIMELINE_RING_ENTRY;
	uint32_t	low = (uint32_t) value;

	memcpy(entry, &low, sizeof(low));
	entry[4] = (uint8_t) (value >> 32);
}

static inline int
ring_next(const TimelineRing *ring, int position)
{
	return position + 1 == ring->room ? 0 : position + 1;
}

/*
 * Drops the oldest of at least two ids, and the place without an id after it.
 */
static inline void
ring_forget(TimelineRing *ring, const uint8_t *data)
{
	int			position = ring->head + 2 - ring->used; /* of the second oldest */
	uint64_t	distance;

	if (position < 0)
		position += ring->room;
	else if (position >= ring->room)
		position -= ring->room;
	ring->floor = ring->oldest;
	ring->used--;
	distance = ring_get(data, position);
	if (distance >= TIMELINE_RING_SPAN)
	{
		ring->used--;
		distance = (distance - TIMELINE_RING_SPAN) * TIMELINE_RING_SPAN + ring_get(data, ring_next(ring, position));
	}
	ring->oldest += distance;
}

/*
 * roost_ring_insert() of an id that is most likely newer than all others.
 */
static inline bool
roost_ring_push(TimelineRing *ring, uint8_t *data, int64_t id)
{
	uint64_t	distance = (uint64_t) id - (uint64_t) ring->newest;

	if (__builtin_expect(ring->used == 0 || id <= ring->newest || distance >= TIMELINE_RING_SPAN, 0))
		return roost_ring_insert(ring, data, id);
	if (ring->used == ring->room)
		ring_forget(ring, data);
	ring->used++;
	ring->head = ring_next(ring, ring->head);
	ring_set(data, ring->head, distance);
	ring->newest = id;
	return true;
}

#endif							/* ROOST_TIMELINE_RING_H */
