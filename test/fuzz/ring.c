/*
 * ring.c
 *		libFuzzer driver for the ring of a timeline: any sequence of distances
 *		forth and back keeps it sorted, within its room and above its floor.
 *		clang -g -O1 -fsanitize=fuzzer,address,undefined -Iextension test/fuzz/ring.c
 */
#include "timeline/ring.c"

#include <stdlib.h>

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int			room = size > 0 ? TIMELINE_RING_ROOM_MIN + data[0] % 60 : TIMELINE_RING_ROOM_MIN;
	uint8_t    *positions = malloc(room * TIMELINE_RING_ENTRY);
	int64_t    *ids = malloc((room + 1) * sizeof(int64_t));
	int64_t		id = INT64_C(1) << 61;
	TimelineRing ring;

	memset(positions, 0xff, room * TIMELINE_RING_ENTRY);
	roost_ring_init(&ring, room, 0);
	/* each step: a direction, a power of two and a little on top */
	for (size_t i = 1; i + 1 < size; i += 2)
	{
		int64_t		distance = (INT64_C(1) << data[i] % 58) + data[i + 1] / 2;
		int			count;

		id += data[i + 1] % 2 ? distance : -distance;
		if (id <= 0 || id > INT64_MAX - (INT64_C(1) << 60))
			id = INT64_C(1) << 61;
		if (data[i] % 3 == 0)
			roost_ring_insert(&ring, positions, id);
		else
			roost_ring_push(&ring, positions, id);
		count = roost_ring_read(&ring, positions, INT64_MAX, INT64_MIN, ids, room + 1);
		if (count > ring.used || ring.used > ring.room || (count > 0 && ids[count - 1] <= ring.floor))
			abort();
		for (int k = 1; k < count; k++)
			if (ids[k] >= ids[k - 1])
				abort();
	}
	free(positions);
	free(ids);
	return 0;
}
