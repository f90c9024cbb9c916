/*-------------------------------------------------------------------------
 *
 * map.h
 *		Hash tables of objects that embed their entry.
 *
 * Whoever looks for an object goes through the entries with its hash and
 * compares.  A table doubles when it is full and never shrinks but to nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MAP_H
#define MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct MapEntry
{
	struct MapEntry *next;
	uint32_t	hash;
} MapEntry;

typedef struct Map
{
	MapEntry  **buckets;
	uint32_t	size;			/* a power of two, or 0 */
	uint32_t	count;
} Map;

extern void map_add(Map *map, MapEntry *entry, uint32_t hash);
extern void map_remove(Map *map, MapEntry *entry);

/* Returns the next entry with the hash, from an entry of its bucket on. */
static inline MapEntry *
map_match(MapEntry *entry, uint32_t hash)
{
	while (entry && entry->hash != hash)
		entry = entry->next;
	return entry;
}

/* Returns the first entry with a hash, or NULL. */
static inline MapEntry *
map_first(const Map *map, uint32_t hash)
{
	return map->size == 0 ? NULL : map_match(map->buckets[hash & (map->size - 1)], hash);
}

/* Returns the next entry with the same hash, or NULL. */
static inline MapEntry *
map_next(const MapEntry *entry)
{
	return map_match(entry->next, entry->hash);
}

/* Returns the hash of a number. */
static inline uint32_t
map_hash_number(int64_t number)
{
	uint64_t	hash = (uint64_t) number * 0x9e3779b97f4a7c15;

	return (uint32_t) (hash ^ hash >> 32);
}

/* Returns the hash of bytes. */
static inline uint32_t
map_hash_bytes(const char *data, size_t length)
{
	uint64_t	hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) data[i]) * 0x100000001b3;
	return map_hash_number((int64_t) hash);
}

#endif							/* MAP_H */
