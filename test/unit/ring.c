/*
 * The ring of a timeline beside a plain sorted list: random operations over
 * ids that lie dense, sparse or years apart, in and out of order, twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "timeline/ring.c"

#define SEEDS		600
#define STEPS		1500
#define ROOM_MAX	200

static int	tests = 0;
static int	failures = 0;

static void
check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

static uint64_t random_state;

static uint64_t
random_next(void)
{
	random_state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t	z = random_state;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int64_t
random_below(int64_t n)
{
	return (int64_t) (random_next() % (uint64_t) n);
}

/* The plain list: every id ever given that is above the floor, newest first */
typedef struct Model
{
	int64_t		ids[STEPS * 2 + ROOM_MAX];
	int			count;
} Model;

static bool
model_add(Model *model, int64_t id)
{
	int			at = 0;

	while (at < model->count && model->ids[at] > id)
		at++;
	if (at < model->count && model->ids[at] == id)
		return false;
	memmove(&model->ids[at + 1], &model->ids[at], (model->count - at) * sizeof(int64_t));
	model->ids[at] = id;
	model->count++;
	return true;
}

static int
positions(const int64_t *ids, int n)
{
	int			length = n > 0;

	for (int i = 1; i < n; i++)
		length += (uint64_t) ids[i - 1] - ids[i] < TIMELINE_RING_SPAN ? 1 : 2;
	return length;
}

/* The ring's data ends where memory ends. */
static uint8_t *
guarded(int size)
{
	static uint8_t *page = NULL;
	long		length = sysconf(_SC_PAGESIZE);

	if (page == NULL)
	{
		page = mmap(NULL, 2 * length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED || mprotect(page + length, length, PROT_NONE) != 0)
			exit(1);
	}
	memset(page, 0xa5, length);
	return page + length - size;
}

/* Distances of every size, many of them near to where one takes more room */
static int64_t
random_distance(int style)
{
	switch (style == 4 ? random_below(4) : style)
	{
		case 0:
			return 1 + random_below(3);
		case 1:
			return 1 + random_below(INT64_C(1) << 32);
		case 2:
			return (int64_t) TIMELINE_RING_SPAN * (1 + random_below(3)) + random_below(5) - 2;
		default:
			return 1 + random_below(INT64_C(1) << 55);
	}
}

/*
 * Does the ring say what the list says?  It holds exactly the ids above its
 * floor, and the floor is no higher than the lack of room explains.
 */
static bool
same(const TimelineRing *ring, const uint8_t *data, const Model *model, int64_t first_floor)
{
	int64_t		ids[ROOM_MAX + 1];
	int			count = roost_ring_read(ring, data, INT64_MAX, INT64_MIN, ids, ROOM_MAX + 1);
	int			above = 0;

	while (above < model->count && model->ids[above] > ring->floor)
		above++;
	if (count != above || memcmp(ids, model->ids, count * sizeof(int64_t)) != 0)
		return false;
	if (ring->used > ring->room || ring->head >= ring->room || ring->used != positions(ids, count))
		return false;
	if (count > 0 && (ring->newest != ids[0] || ring->oldest != ids[count - 1]))
		return false;
	if (ring->floor == first_floor)
		return true;
	/* something was left out: there is no room for it */
	return above < model->count && ring->floor == model->ids[above] &&
		positions(model->ids, above + 1) > ring->room;
}

static bool
same_page(const TimelineRing *ring, const uint8_t *data, const Model *model)
{
	int64_t		ids[ROOM_MAX + 1];
	int64_t		before = model->count > 0 ? model->ids[random_below(model->count)] + random_below(3) - 1 : 5;
	int64_t		after = before - random_distance(4) * random_below(4);
	int			max = 1 + (int) random_below(ROOM_MAX);
	int			count;
	int			found = 0;

	if (after < ring->floor)
		after = ring->floor;
	count = roost_ring_read(ring, data, before, after, ids, max);
	for (int i = 0; i < model->count && found < max; i++)
	{
		if (model->ids[i] >= before || model->ids[i] <= after)
			continue;
		if (found >= count || ids[found] != model->ids[i])
			return false;
		found++;
	}
	return found == count;
}

static int64_t
random_id(const Model *model, int style)
{
	int64_t		id = model->count > 0 ? model->ids[0] : INT64_C(1) << 60;

	switch (random_below(8))
	{
		case 0:					/* one that is there, or was */
			return model->count > 0 ? model->ids[random_below(model->count)] : id;
		case 1:					/* near to one that is there */
			return model->ids[model->count > 0 ? random_below(model->count) : 0] + random_below(3) - 1;
		case 2:					/* a little late */
			return id - random_distance(random_below(2));
		case 3:					/* very late */
			return id - random_distance(style) * (1 + random_below(10));
		default:
			return id + random_distance(style);
	}
}

static bool
walk(uint64_t seed)
{
	static Model model;
	int			room;
	int			style;
	int64_t		floor;
	TimelineRing ring;
	uint8_t    *data;

	random_state = seed;
	room = TIMELINE_RING_ROOM_MIN + (int) random_below(seed % 2 ? 12 : ROOM_MAX - TIMELINE_RING_ROOM_MIN);
	style = (int) random_below(5);
	floor = random_below(2) ? 0 : (INT64_C(1) << 60) - random_distance(style);
	data = guarded(room * TIMELINE_RING_ENTRY);
	model.count = 0;

	roost_ring_init(&ring, room, 0);
	if (random_below(2))
	{
		int64_t		id = INT64_C(1) << 60;
		int			n = (int) random_below(ROOM_MAX);

		for (int i = 0; i < n && id > 0; i++, id -= random_distance(style))
			model.ids[model.count++] = id;
		roost_ring_fill(&ring, data, model.ids, model.count, floor);
	}
	else
		roost_ring_init(&ring, room, floor);
	if (!same(&ring, data, &model, floor))
		return false;

	for (int step = 0; step < STEPS; step++)
	{
		int64_t		id = random_id(&model, style);
		int64_t		old_floor = ring.floor;
		bool		fresh;
		bool		taken;

		if (id <= 0 || id > INT64_MAX - (INT64_C(1) << 56))
			continue;
		fresh = model_add(&model, id);
		taken = random_below(2) ? roost_ring_push(&ring, data, id) : roost_ring_insert(&ring, data, id);
		if (taken != (fresh && id > old_floor && id > ring.floor))
			return false;
		if (!fresh && ring.floor != old_floor)
			return false;
		if (!same(&ring, data, &model, floor) || !same_page(&ring, data, &model))
			return false;
	}
	return true;
}

/* A million ids in order: the newest are there, and nothing else. */
static void
test_push(void)
{
	TimelineRing ring;
	uint8_t    *data = guarded(800 * TIMELINE_RING_ENTRY);
	int64_t		ids[801];
	bool		good = true;

	roost_ring_init(&ring, 800, 0);
	for (int64_t i = 1; i <= 1000000; i++)
		good = roost_ring_push(&ring, data, i << 16) && good;
	good = good && roost_ring_read(&ring, data, INT64_MAX, 0, ids, 801) == 800;
	for (int i = 0; i < 800; i++)
		good = good && ids[i] == (INT64_C(1000000) - i) << 16;
	check(good && ring.floor == INT64_C(999200) << 16, "a full ring holds the newest ids, the floor is the one before");
}

/* Whatever stands in a ring, reading it stays within bounds and ends. */
static void
test_torn(void)
{
	bool		good = true;

	random_state = 1;
	for (int i = 0; i < 20000; i++)
	{
		int			room = TIMELINE_RING_ROOM_MIN + (int) random_below(ROOM_MAX);
		uint8_t    *data = guarded(room * TIMELINE_RING_ENTRY);
		TimelineRing ring = {.newest = random_next(),.room = room,.used = random_below(room + 1),.head = random_below(room)};
		int64_t		ids[50];
		int			count;

		for (int byte = 0; byte < room * TIMELINE_RING_ENTRY; byte++)
			data[byte] = (uint8_t) random_next();
		count = roost_ring_read(&ring, data, INT64_MAX, INT64_MIN, ids, 50);
		good = good && count >= 0 && count <= 50;
	}
	check(good, "a ring that is being changed is read without harm");
}

int
main(void)
{
	bool		good = true;

	for (uint64_t seed = 1; seed <= SEEDS && good; seed++)
	{
		good = walk(seed);
		if (!good)
			printf("# seed %d\n", (int) seed);
	}
	check(good, "random operations: the ring holds what the list holds above the floor");
	test_push();
	test_torn();
	printf("1..%d\n", tests);
	return failures > 0;
}
