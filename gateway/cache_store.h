/*-------------------------------------------------------------------------
 *
 * cache_store.h
 *		Answers that are kept, bounded, the least recently used go first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "route.h"
#include "util.h"

#define CACHE_MAX_KEY 2048
#define CACHE_MAX_IDS 4096

/* What an answer consists of; whoever fills it in owns what it points to. */
typedef struct CacheContent
{
	CacheKind	kind;
	int64_t		stamp;			/* the row of the log that it is as new as */
	double		made;			/* seconds since 1970 */
	double		expires;
	const char *key;
	size_t		key_length;
	const int64_t *ids;			/* that stand in it */
	size_t		id_count;
	const char *head;			/* lines "name: value\r\n", Content-Type last */
	size_t		head_length;
	size_t		type_length;	/* of that last line */
	const char *tag;			/* value of ETag, in head, or NULL */
	size_t		tag_length;
	const char *body;
	size_t		body_length;
} CacheContent;

/* An answer that is kept.  One that is used stays when it has been dropped. */
typedef struct CacheEntry
{
	ListNode	node;			/* from the least to the most recently used */
	struct CacheEntry *next;	/* in its bucket */
	uint64_t	hash;
	int			references;		/* of those who use it, and one if it is in
								 * the store */
	bool		stored;
	double		verified;		/* when it was valid for the last time */
	char	   *packed;			/* the body with gzip, or NULL */
	size_t		packed_length;
	double		pack_after;		/* when to try that */
	size_t		size;			/* of all */
	CacheContent content;		/* what it points to is behind it */
	char		data[];
} CacheEntry;

extern size_t store_bytes(void);
extern size_t store_count(void);
extern uint64_t store_evicted(void);
extern CacheEntry *store_find(const char *key, size_t length);
extern CacheEntry *store_put(const CacheContent *content, size_t limit);
extern void store_touch(CacheEntry *entry);
extern void store_pack(CacheEntry *entry, const Buffer *packed, size_t limit);
extern void store_drop(CacheEntry *entry);
extern void store_clear(void);
extern void store_each(void (*visit) (CacheEntry *entry));

extern CacheEntry *cache_entry_keep(CacheEntry *entry);
extern void cache_entry_release(CacheEntry *entry);

/* Finds the ids in a path and in a body; returns how many, or -1 if there are too many. */
extern int	cache_ids(const char *path, const char *body, size_t length, int64_t ids[CACHE_MAX_IDS]);

#endif							/* CACHE_STORE_H */
