/*-------------------------------------------------------------------------
 *
 * map.c
 *		Hash tables of objects that embed their entry.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "map.h"
#include "util.h"

#define MAP_MIN 64

/* Gives a table another size. */
static void
map_resize(Map *map, uint32_t size)
{
	MapEntry  **buckets = memory_new(sizeof(MapEntry *) * size);

	for (uint32_t i = 0; i < map->size; i++)
		for (MapEntry *entry = map->buckets[i], *next; entry; entry = next)
		{
			next = entry->next;
			entry->next = buckets[entry->hash & (size - 1)];
			buckets[entry->hash & (size - 1)] = entry;
		}
	free(map->buckets);
	map->buckets = buckets;
	map->size = size;
}

/* Adds an entry, which is in no table. */
void
map_add(Map *map, MapEntry *entry, uint32_t hash)
{
	MapEntry  **bucket;

	if (map->count >= map->size)
		map_resize(map, map->size ? map->size * 2 : MAP_MIN);
	bucket = &map->buckets[hash & (map->size - 1)];
	entry->hash = hash;
	entry->next = *bucket;
	*bucket = entry;
	map->count++;
}

/* Takes an entry out of its table. */
void
map_remove(Map *map, MapEntry *entry)
{
	MapEntry  **link = &map->buckets[entry->hash & (map->size - 1)];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	entry->next = NULL;
	if (--map->count > 0)
		return;
	free(map->buckets);
	*map = (Map) {0};
}
