/*-------------------------------------------------------------------------
 *
 * ring.c
 *		A bounded list of post ids: what is not in the header.
 *
 * Seen from the tail, an id's distance from the one before it stands at the
 * id's own position; if it is too long, the whole spans of it stand one
 * position before (a place without an id) and the rest at its own.  There are
 * never two such places in a row, and none at the tail.  What stands at the
 * tail's position means nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "timeline/ring.h"

/* Where an id belongs: between two others */
typedef struct RingGap
{
	int64_t		newer;
	int64_t		older;
	int			position;		/* of the newer one */
	int			depth;			/* how many positions are above that */
	int			length;			/* positions from the older to the newer one */
} RingGap;

static bool ring_append_newest(TimelineRing *ring, uint8_t *data, int64_t id);
static bool ring_append_oldest(TimelineRing *ring, uint8_t *data, int64_t id);
static bool ring_locate(const TimelineRing *ring, const uint8_t *data, int64_t id, RingGap *gap);
static void ring_put(TimelineRing *ring, uint8_t *data, const RingGap *gap, int64_t id, int more);
static int	ring_put_distance(const TimelineRing *ring, uint8_t *data, int position, uint64_t distance);

/*
 * Returns how many positions a distance takes.
 */
static inline int
ring_length(uint64_t distance)
{
	return distance < TIMELINE_RING_SPAN ? 1 : 2;
}

static inline uint64_t
ring_distance(int64_t newer, int64_t older)
{
	return (uint64_t) newer - (uint64_t) older;
}

/*
 * Returns the position so many places from another one, either way.
 */
static inline int
ring_at(const TimelineRing *ring, int position, int places)
{
	position += places;
	if (position < 0)
		return position + ring->room;
	return position >= ring->room ? position - ring->room : position;
}

void
roost_ring_init(TimelineRing *ring, int room, int64_t floor)
{
	memset(ring, 0, sizeof(*ring));
	ring->room = (uint16_t) room;
	ring->floor = floor;
}

bool
roost_ring_insert(TimelineRing *ring, uint8_t *data, int64_t id)
{
	RingGap		gap;
	int			more;

	if (id <= ring->floor)
		return false;
	if (ring->used == 0)
	{
		ring->newest = ring->oldest = id;
		ring->used = 1;
		ring_set(data, ring->head, 0);
		return true;
	}
	if (id > ring->newest)
		return ring_append_newest(ring, data, id);
	if (id < ring->oldest)
		return ring_append_oldest(ring, data, id);
	if (id == ring->newest || !ring_locate(ring, data, id, &gap))
		return false;

	more = ring_length(ring_distance(gap.newer, id)) + ring_length(ring_distance(id, gap.older)) - gap.length;
	while (ring->used + more > ring->room)
	{
		ring_forget(ring, data);
		if (id < ring->oldest)
			return ring_append_oldest(ring, data, id);
	}
	ring_put(ring, data, &gap, id, more);
	return true;
}

/*
 * Puts a new newest id in.
 */
static bool
ring_append_newest(TimelineRing *ring, uint8_t *data, int64_t id)
{
	uint64_t	distance = ring_distance(id, ring->newest);
	int			length = ring_length(distance);

	while (ring->used + length > ring->room)
		ring_forget(ring, data);
	ring_put_distance(ring, data, ring_next(ring, ring->head), distance);
	ring->head = ring_at(ring, ring->head, length);
	ring->used += length;
	ring->newest = id;
	return true;
}

/*
 * Puts a new oldest id in; if there is no room it is the one to go.
 */
static bool
ring_append_oldest(TimelineRing *ring, uint8_t *data, int64_t id)
{
	uint64_t	distance = ring_distance(ring->oldest, id);
	int			length = ring_length(distance);

	if (ring->used + length > ring->room)
	{
		ring->floor = id;
		return false;
	}
	ring->used += length;
	ring->oldest = id;
	ring_set(data, ring_at(ring, ring->head, 1 - ring->used), 0);
	ring_put_distance(ring, data, ring_at(ring, ring->head, 2 - ring->used), distance);
	return true;
}

/*
 * Finds the gap for an id between the oldest and the newest; false: it is in
 * the ring.
 */
static bool
ring_locate(const TimelineRing *ring, const uint8_t *data, int64_t id, RingGap *gap)
{
	int64_t		place = ring->newest;
	int			position = ring->head;
	int			depth = 0;

	do
	{
		uint64_t	distance = ring_get(data, position);

		gap->newer = place;
		gap->position = position;
		gap->depth = depth;
		gap->length = 1;
		position = ring_at(ring, position, -1);
		/* the place without an id, if there is one, stands before */
		if (depth + 1 < ring->used && ring_get(data, position) >= TIMELINE_RING_SPAN)
		{
			distance += (ring_get(data, position) - TIMELINE_RING_SPAN) * TIMELINE_RING_SPAN;
			gap->length = 2;
			position = ring_at(ring, position, -1);
		}
		depth += gap->length;
		place -= distance;
	}
	while (place > id);
	gap->older = place;
	return place != id;
}

/*
 * Puts an id into its gap, by moving what is newer up.
 */
static void
ring_put(TimelineRing *ring, uint8_t *data, const RingGap *gap, int64_t id, int more)
{
	int			position = ring_at(ring, gap->position, 1 - gap->length);

	if (more > 0)
	{
		int			from = ring->head;
		int			to = ring_at(ring, from, more);

		ring->head = to;
		ring->used += more;
		for (int i = 0; i < gap->depth; i++)
		{
			ring_set(data, to, ring_get(data, from));
			from = ring_at(ring, from, -1);
			to = ring_at(ring, to, -1);
		}
	}
	position = ring_put_distance(ring, data, position, ring_distance(id, gap->older));
	ring_put_distance(ring, data, position, ring_distance(gap->newer, id));
}

/*
 * Writes a distance; returns the position after it.
 */
static int
ring_put_distance(const TimelineRing *ring, uint8_t *data, int position, uint64_t distance)
{
	if (distance >= TIMELINE_RING_SPAN)
	{
		ring_set(data, position, TIMELINE_RING_SPAN + distance / TIMELINE_RING_SPAN);
		position = ring_next(ring, position);
		distance %= TIMELINE_RING_SPAN;
	}
	ring_set(data, position, distance);
	return ring_next(ring, position);
}

void
roost_ring_fill(TimelineRing *ring, uint8_t *data, const int64_t *ids, int n, int64_t floor)
{
	int			kept = 0;
	int			position = 0;

	if (floor > ring->floor)
		ring->floor = floor;
	for (ring->used = 0; kept < n && ids[kept] > ring->floor; kept++)
	{
		int			length = kept == 0 ? 1 : ring_length(ring_distance(ids[kept - 1], ids[kept]));

		if (ring->used + length > ring->room)
		{
			ring->floor = ids[kept];
			break;
		}
		ring->used += length;
	}
	if (kept == 0)
		return;

	ring->newest = ids[0];
	ring->oldest = ids[kept - 1];
	ring->head = ring->used - 1;
	ring_set(data, position++, 0);
	for (int i = kept - 2; i >= 0; i--)
		position = ring_put_distance(ring, data, position, ring_distance(ids[i], ids[i + 1]));
}

int
roost_ring_read(const TimelineRing *ring, const uint8_t *data, int64_t before, int64_t after,
				int64_t *ids, int max)
{
	const volatile TimelineRing *shared = ring; /* read once each */
	int64_t		place = shared->newest;
	int			room = shared->room;
	int			left = shared->used;
	int			position = shared->head;
	int			count = 0;

	while (left > 0 && count < max && place > after)
	{
		uint64_t	distance = ring_get(data, position);

		left--;
		position = position == 0 ? room - 1 : position - 1;
		if (distance >= TIMELINE_RING_SPAN)
		{
			place -= (distance - TIMELINE_RING_SPAN) * TIMELINE_RING_SPAN;
			continue;
		}
		if (place < before)
			ids[count++] = place;
		place -= distance;
	}
	return count;
}
