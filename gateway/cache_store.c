/*-------------------------------------------------------------------------
 *
 * cache_store.c
 *		Answers that are kept, bounded, the least recently used go first.
 *
 * A hash table from keys to entries with a list by use.  Each entry is one
 * block of memory with all it consists of; a compressed body, made when
 * somebody wants it, is a second one.  Their sizes are bounded together by the
 * caller's limit, one entry by a LARGEST of it.  The hash begins at a random
 * number, so that nobody can choose keys that meet in one bucket.
 *
 * Answers are sent from where they lie: who does that keeps a reference, and
 * the last one frees the memory.  What is dropped but still being sent is not
 * counted here; connections count it with what waits for their clients.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <sys/random.h>

#include "cache_store.h"
#include "log.h"

#define FIRST_SIZE 1024			/* buckets; a power of two, as all sizes */
#define LARGEST 64				/* of the limit that one entry may take */
#define OVERHEAD 32				/* what malloc and the bucket cost an entry */

static CacheEntry **buckets;
static size_t bucket_count;
static List entries;
static size_t bytes;
static uint64_t evicted;
static uint64_t seed;

/* Returns how many bytes are kept. */
size_t
store_bytes(void)
{
	return bytes;
}

/* Returns how many entries are kept. */
size_t
store_count(void)
{
	return bucket_count ? (size_t) entries.count : 0;
}

/* Returns how many entries have gone to make room for others. */
uint64_t
store_evicted(void)
{
	return evicted;
}

/* Returns what a key is looked up by. */
static uint64_t
key_hash(const char *key, size_t length)
{
	uint64_t	hash = seed ^ length;
	uint64_t	word;

	for (; length >= sizeof(word); key += sizeof(word), length -= sizeof(word))
	{
		memcpy(&word, key, sizeof(word));
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, key, length);
	hash = (hash ^ word) * UINT64_C(0xd6e8feb86659fd93);
	return hash ^ hash >> 32;
}

/* Makes room for as many buckets again. */
static void
store_grow(void)
{
	CacheEntry **old = buckets;
	size_t		old_count = bucket_count;

	if (old_count == 0)
	{
		list_init(&entries);
		if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
			log_fatal("no random numbers");
	}
	bucket_count = Max(old_count * 2, FIRST_SIZE);
	buckets = memory_new(sizeof(CacheEntry *) * bucket_count);
	for (size_t i = 0; i < old_count; i++)
		while (old[i])
		{
			CacheEntry *entry = old[i];
			CacheEntry **bucket = &buckets[entry->hash & (bucket_count - 1)];

			old[i] = entry->next;
			entry->next = *bucket;
			*bucket = entry;
		}
	free(old);
}

/* Returns the link to the entry of a key, or to where it would be. */
static CacheEntry **
store_link(const char *key, size_t length, uint64_t hash)
{
	CacheEntry **link = &buckets[hash & (bucket_count - 1)];

	while (*link && !((*link)->hash == hash && (*link)->content.key_length == length &&
					  memcmp((*link)->content.key, key, length) == 0))
		link = &(*link)->next;
	return link;
}

/* Returns the entry of a key, or NULL. */
CacheEntry *
store_find(const char *key, size_t length)
{
	return bucket_count ? *store_link(key, length, key_hash(key, length)) : NULL;
}

/* Notes that an entry has been used. */
void
store_touch(CacheEntry *entry)
{
	if (entry->stored && entry->node.next != &entries.head)
	{
		list_remove(&entries, &entry->node);
		list_append(&entries, &entry->node);
	}
}

/* Uses an entry, until it is released. */
CacheEntry *
cache_entry_keep(CacheEntry *entry)
{
	entry->references++;
	return entry;
}

/* Gives an entry up; the last one to do so frees it. */
void
cache_entry_release(CacheEntry *entry)
{
	if (entry == NULL || --entry->references > 0)
		return;
	free(entry->packed);
	free(entry);
}

/* Takes an entry out of the store. */
void
store_drop(CacheEntry *entry)
{
	if (!entry->stored)
		return;
	*store_link(entry->content.key, entry->content.key_length, entry->hash) = entry->next;
	list_remove(&entries, &entry->node);
	bytes -= entry->size;
	entry->stored = false;
	cache_entry_release(entry);
}

/* Drops what was not used for the longest time, until the rest fits. */
static void
store_make_room(size_t limit)
{
	ListNode   *node;

	while (bytes > limit && (node = list_first(&entries)) != NULL)
	{
		evicted++;
		store_drop(container_of(node, CacheEntry, node));
	}
}

/* Copies a part of a content behind the others. */
static const char *
part_copy(char **to, const void *from, size_t length)
{
	char	   *start = *to;

	if (length > 0)
		memcpy(start, from, length);
	*to += length;
	return start;
}

/* Makes an entry of a content, with one reference. */
static CacheEntry *
entry_new(const CacheContent *content)
{
	size_t		ids_size = sizeof(int64_t) * content->id_count;
	size_t		size = sizeof(CacheEntry) + ids_size + content->key_length + content->head_length + content->body_length;
	CacheEntry *entry = memory_resize(NULL, size);
	CacheContent *copy = &entry->content;
	char	   *to = entry->data;

	memset(entry, 0, sizeof(*entry));
	*copy = *content;
	copy->ids = (const int64_t *) part_copy(&to, content->ids, ids_size);
	copy->key = part_copy(&to, content->key, content->key_length);
	copy->head = part_copy(&to, content->head, content->head_length);
	if (content->tag)
		copy->tag = copy->head + (content->tag - content->head);
	copy->body = part_copy(&to, content->body, content->body_length);
	entry->size = size + OVERHEAD;
	entry->references = 1;
	entry->verified = content->made;
	return entry;
}

/*
 * Makes an entry of a content and keeps it in place of the one with its key,
 * if it is small enough.  The caller gets a reference.
 */
CacheEntry *
store_put(const CacheContent *content, size_t limit)
{
	CacheEntry *entry = entry_new(content);
	CacheEntry *old = store_find(content->key, content->key_length);

	if (old)
		store_drop(old);
	if (entry->size > limit / LARGEST)
		return entry;
	if (bucket_count == 0 || (size_t) entries.count >= bucket_count)
		store_grow();
	entry->hash = key_hash(content->key, content->key_length);
	entry->next = NULL;
	*store_link(content->key, content->key_length, entry->hash) = cache_entry_keep(entry);
	entry->stored = true;
	list_append(&entries, &entry->node);
	bytes += entry->size;
	store_make_room(limit);
	return entry;
}

/* Adds the compressed body to an entry. */
void
store_pack(CacheEntry *entry, const Buffer *packed, size_t limit)
{
	entry->packed = memory_resize(NULL, Max(packed->length, 1));
	memcpy(entry->packed, packed->data, packed->length);
	entry->packed_length = packed->length;
	entry->size += packed->length + OVERHEAD;
	if (!entry->stored)
		return;
	bytes += packed->length + OVERHEAD;
	store_make_room(limit);
}

/* Drops everything. */
void
store_clear(void)
{
	ListNode   *node;

	while (bucket_count && (node = list_first(&entries)) != NULL)
		store_drop(container_of(node, CacheEntry, node));
}

/* Calls a function for every entry; it may drop that one. */
void
store_each(void (*visit) (CacheEntry *entry))
{
	ListNode   *next;

	for (ListNode *node = bucket_count ? entries.head.next : NULL; node && node != &entries.head; node = next)
	{
		next = node->next;
		visit(container_of(node, CacheEntry, node));
	}
}

/* Returns the number that begins here, 0 if it can be no id, and where it ends. */
static int64_t
id_read(const char *from, const char *end, const char **after)
{
	int64_t		id = 0;
	int			digits = 0;

	for (; from < end && *from >= '0' && *from <= '9'; from++)
		if (++digits <= 19 && (id > (INT64_MAX - (*from - '0')) / 10))
			digits = 20;
		else if (digits <= 19)
			id = id * 10 + (*from - '0');
	*after = from;
	return digits > 0 && digits <= 19 ? id : 0;
}

/* Returns the first byte that is no white space. */
static const char *
skip_space(const char *from, const char *end)
{
	while (from < end && (*from == ' ' || *from == '\t' || *from == '\n' || *from == '\r'))
		from++;
	return from;
}

/* Adds an id; returns false if there is no room. */
static bool
id_add(int64_t ids[CACHE_MAX_IDS], int *count, int64_t id)
{
	if (id <= 0 || (*count > 0 && ids[*count - 1] == id))
		return true;
	if (*count == CACHE_MAX_IDS)
		return false;
	ids[(*count)++] = id;
	return true;
}

/* Adds the id or the list of ids that is the value of a key; returns false if there is no room. */
static bool
ids_add_value(int64_t ids[CACHE_MAX_IDS], int *count, const char *from, const char *end)
{
	bool		list;

	from = skip_space(from, end);
	if (from == end || *from != ':')
		return true;
	from = skip_space(from + 1, end);
	list = from < end && *from == '[';
	do
	{
		from += list;			/* the bracket, or a comma */
		from = skip_space(from, end);
		if (from < end && *from == '"')
			from++;
		if (!id_add(ids, count, id_read(from, end, &from)))
			return false;
		if (from < end && *from == '"')
			from++;
		from = skip_space(from, end);
	} while (list && from < end && *from == ',');
	return true;
}

/* Orders ids for qsort(). */
static int
id_compare(const void *a, const void *b)
{
	int64_t		left = *(const int64_t *) a;
	int64_t		right = *(const int64_t *) b;

	return (left > right) - (left < right);
}

/*
 * Finds the ids in a path (segments that are numbers) and in a body: the
 * numbers, as such or as strings, or lists of them, under keys that end in "id"
 * or "ids".  The body is JSON but is not parsed: what looks like such a key
 * inside a string would have its quotes escaped.  One id too many does no
 * harm.  Each id is given once.
 */
int
cache_ids(const char *path, const char *body, size_t length, int64_t ids[CACHE_MAX_IDS])
{
	const char *end = body + length;
	const char *quote = body;
	const char *path_end = path + strlen(path);
	int			count = 0;
	int			kept = 0;

	for (const char *slash = path; slash && slash < path_end; slash = memchr(slash, '/', (size_t) (path_end - slash)))
	{
		int64_t		id = id_read(slash + 1, path_end, &slash);

		if ((*slash == '/' || *slash == '\0') && !id_add(ids, &count, id))
			return -1;
	}
	while ((quote = memchr(quote, '"', (size_t) (end - quote))) != NULL)
	{
		bool		plural = quote - body >= 3 && quote[-1] == 's';
		const char *last = quote - plural;

		quote++;
		if (last - body < 2 || last[-1] != 'd' || last[-2] != 'i')
			continue;
		if (!ids_add_value(ids, &count, quote, end))
			return -1;
	}
	qsort(ids, (size_t) count, sizeof(int64_t), id_compare);
	for (int i = 0; i < count; i++)
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	return kept;
}
