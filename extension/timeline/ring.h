/*-------------------------------------------------------------------------
 *
 * ring.h
 *		A bounded list of post ids, newest first, in five bytes an entry.
 *
 * Positions hold the distance from the id before, so that a new newest id is
 * one write.  A distance that does not fit takes several positions, all but
 * the last of them without an id.  Plain memory without pointers, no
 * PostgreSQL: it lies in shared memory and in unit tests.
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

#define TIMELINE_RING_ENTRY		5	/* bytes */

typedef struct TimelineRing
{
	int64_t		newest;			/* id at the head; meaningless when empty */
	int64_t		oldest;			/* id (or place without one) at the tail */
	int64_t		floor;
	uint16_t	room;			/* positions there are */
	uint16_t	used;			/* positions in use, with or without an id */
	uint16_t	head;			/* position of the newest */
	uint16_t	unused;
	uint8_t		data[];			/* room * TIMELINE_RING_ENTRY */
} TimelineRing;

/* Makes an empty ring that is complete above the floor. */
extern void roost_ring_init(TimelineRing *ring, int room, int64_t floor);

/* Puts an id where it belongs; false: it is there already, or at most the floor. */
extern bool roost_ring_insert(TimelineRing *ring, int64_t id);

/*
 * Fills an empty ring with n ids, newest first, complete above the floor; as
 * many as there is room for, the floor rises to the first that is left out.
 */
extern void roost_ring_fill(TimelineRing *ring, const int64_t *ids, int n, int64_t floor);

/*
 * Returns up to max ids between before and after (both exclusive), newest
 * first.  The caller compares with the floor what it could not get.
 */
extern int	roost_ring_read(const TimelineRing *ring, int64_t before, int64_t after, int64_t *ids, int max);

#endif							/* ROOST_TIMELINE_RING_H */
