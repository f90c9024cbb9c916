/*-------------------------------------------------------------------------
 *
 * cache.c
 *		Answers for everybody, kept until what they show changes.
 *
 * Kept are answers to GET requests without any credential, on routes of which
 * the database says so.  Such a request is asked with nothing of its client
 * but host and scheme, so the answer can depend on nothing else.
 *
 * An entry knows the ids that stand in it, and its stamp: the row of the log
 * of events up to which the hub had read when the database was asked.  Everything
 * up to that row was committed, so the answer shows it.  The hub tells, row by
 * row, which ids have changed since (cache_change.c).  So whether an entry is
 * valid is known, not hoped for: no id of it has changed after its stamp.  An
 * entry that has just been found valid is stamped anew.
 *
 * - A hard change (an edit, a deletion, who may see it) ends an entry: it is
 *   not served again.
 * - After a soft change (a counter), or at the end of its life, it may be
 *   served for cache-stale longer than it was last known to be valid, while
 *   one question is under way that replaces it.
 * - When the hub does not follow the log any more, nobody knows, and the
 *   database is asked; with cache-offline, entries are served for so long
 *   all the same.
 * - When the hub has missed something, or the routes have changed, everything
 *   is dropped.
 *
 * Questions are in cache_flight.c: one for all who want the same.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "cache.h"
#include "cache_change.h"
#include "config.h"
#include "guard.h"
#include "gzip.h"
#include "hub.h"
#include "metrics.h"

#define FOLLOW_PATIENCE 3.0		/* since the hub was last at the end of the
								 * log */
#define TIME_LIFE 60.0			/* of what is kept by its age alone */
#define QUERY_PARTS 16
#define SEEN 4096				/* a power of two */
#define GZIP_MIN 1024
#define PACK_AGAIN 1.0			/* after compression failed, for want of its
								 * budget */

static bool started;
static bool lost;				/* what is known of changes begins at the next
								 * position */
static int64_t told;			/* the last row that was told; the hub may
								 * still have to deliver it */
static int64_t known_epoch;
static unsigned resets;
static unsigned known_routes;
static Buffer key;
static uint16_t seen[SEEN];

/* Returns how often everything became void. */
unsigned
cache_resets(void)
{
	return resets;
}

/* Drops everything. */
static void
cache_clear(void)
{
	metrics->cache_invalidated += store_count();
	store_clear();
	resets++;
}

/* Checks an entry before the older half of what is known is forgotten. */
static void
entry_renew(CacheEntry *entry)
{
	CacheContent *content = &entry->content;
	int64_t		seq = Max(hub_position().seq, told);
	Change		change = change_since(content->ids, content->id_count, content->kind == CACHE_LIST, content->stamp);

	if (change == CHANGE_NONE || (change == CHANGE_SOFT && content->kind == CACHE_TIME))
		content->stamp = Max(content->stamp, seq);
	else
	{
		metrics->cache_invalidated++;
		store_drop(entry);
	}
}

/* The hub has read a row of the log; NULL: it may have missed some. */
static void
on_change(const HubChange *change)
{
	const char *touched;

	if (change == NULL)
	{
		cache_clear();
		lost = true;
		told = 0;
		return;
	}
	if (lost)
		change_reset(change->seq);
	lost = false;
	if (change_is_full())
	{
		store_each(entry_renew);
		change_forget();
	}
	told = change->seq;
	touched = change->touched ? change->touched : "";
	while (*touched)
	{
		char	   *end;
		long long	id = strtoll(touched, &end, 10);

		if (end == touched)
			break;
		change_note(id, change->seq, change->hard);
		touched = end;
	}
	if (change->hard || change->new_post)
		change_note_list(change->seq);
}

/* Begins to follow what changes. */
void
cache_start(void)
{
	lost = true;
	started = config.cache_size > 0;
	if (started)
		hub_watch(on_change);
}

/* The settings have been read again. */
void
cache_reload(void)
{
	cache_clear();
	if (!started && config.cache_size > 0)
		cache_start();
}

/* Called a few times a second: tells how much is kept. */
void
cache_tick(void)
{
	metrics->cache_entries = store_count();
	metrics->cache_bytes = store_bytes();
	metrics->cache_evicted = store_evicted();
}

/* Gives everything back. */
void
cache_stop(void)
{
	store_clear();
	change_reset(0);
	buffer_free(&key);
	started = false;
}

/*
 * Gives what an answer that is asked for now is at least as new as; returns
 * false if that, or what changes afterwards, is not known.
 */
bool
cache_stamp(int64_t *epoch, int64_t *seq)
{
	Cursor		position = hub_position();

	if (position.epoch == 0 || ev_time() - hub_confirmed() > FOLLOW_PATIENCE)
		return false;
	if (position.epoch != known_epoch)
	{
		cache_clear();
		lost = true;
		known_epoch = position.epoch;
	}
	if (lost)
		change_reset(position.seq);
	lost = false;
	*epoch = position.epoch;
	*seq = Max(position.seq, told);
	return true;
}

/* Returns how many seconds an answer lives at most; not the same for all, so that they do not end together. */
double
cache_life(CacheKind kind)
{
	double		part = drand48();

	return kind == CACHE_TIME ? Min(TIME_LIFE, config.cache_ttl / 1000.0) * (0.85 + 0.15 * part)
		: config.cache_ttl / 1000.0 * (0.85 + 0.3 * part);
}

/* Returns whether a segment of the path is a number. */
static bool
segment_is_number(const char *segment, size_t length)
{
	if (length > 19)
		return false;
	for (size_t i = 0; i < length; i++)
		if (segment[i] < '0' || segment[i] > '9')
			return false;
	return length > 0;
}

/* Returns whether every segment that is an id is given as its number, by which changes are known. */
static bool
path_names_ids(const Request *request)
{
	const char *path = route_without_base(message_path(&request->message));
	const char *segment;
	size_t		length;
	uint32_t	ids = request->route.id_segments;

	for (; ids != 0 && (segment = text_token(&path, '/', &length)) != NULL; ids >>= 1)
		if ((ids & 1) && !segment_is_number(segment, length))
			return false;
	return true;
}

/* Returns whether an answer to a request may be one for everybody. */
static bool
cache_may(const Request *request)
{
	const char *query = message_query(&request->message);
	size_t		length;

	return !request->message.has_body && !request_header(request, "authorization") &&
		!request_header(request, "roost-position") && !request_header(request, "idempotency-key") &&
		!guard_cookie(request, "roost_access", &length) && !guard_cookie(request, "roost_refresh", &length) &&
		!guard_cookie(request, "roost_position", &length) &&
		(query == NULL || strstr(query, "token") == NULL) && path_names_ids(request);
}

/* Orders parts of a query. */
static int
part_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Adds a query with its parts in order; returns false if there are too many. */
static bool
key_add_query(const char *query)
{
	char		copy[CACHE_MAX_KEY];
	char	   *parts[QUERY_PARTS];
	char	   *rest = copy;
	char	   *part;
	size_t		count = 0;

	if (strlen(query) >= sizeof(copy))
		return false;
	strcpy(copy, query);
	while ((part = strsep(&rest, "&")) != NULL)
	{
		if (*part == '\0')
			continue;
		if (count == QUERY_PARTS)
			return false;
		parts[count++] = part;
	}
	qsort(parts, count, sizeof(char *), part_compare);
	for (size_t i = 0; i < count; i++)
	{
		buffer_append(&key, i == 0 ? "?" : "&", 1);
		buffer_append_text(&key, parts[i]);
	}
	return true;
}

/* Makes the key of a request: path, query, scheme and host; returns false if it is too long. */
static bool
key_make(const Request *request)
{
	const char *query = message_query(&request->message);
	const char *host = request_header(request, "host");

	key.length = 0;
	buffer_append_text(&key, message_path(&request->message));
	if (query && !key_add_query(query))
		return false;
	buffer_append_text(&key, request->secure ? "\nhttps://" : "\nhttp://");
	if (host)
		buffer_append_text(&key, host);
	return key.length <= CACHE_MAX_KEY;
}

/* What an entry is good for */
typedef enum EntryState
{
	ENTRY_VALID,
	ENTRY_STALE,				/* for now; another answer is needed */
	ENTRY_VOID
} EntryState;

/* Finds out whether an entry, which may be NULL, is valid at a position. */
static EntryState
entry_check(CacheEntry *entry, int64_t seq, double now)
{
	CacheContent *content;
	Change		change = CHANGE_NONE;

	if (entry == NULL)
		return ENTRY_VOID;
	content = &entry->content;
	if (content->stamp < seq)
		change = change_since(content->ids, content->id_count, content->kind == CACHE_LIST, content->stamp);
	if (change == CHANGE_SOFT && content->kind == CACHE_TIME)
		change = CHANGE_NONE;
	if (change == CHANGE_NONE && now < content->expires)
	{
		content->stamp = Max(content->stamp, seq);
		entry->verified = now;
		return ENTRY_VALID;
	}
	if (change <= CHANGE_SOFT && (now - entry->verified) * 1000 <= config.cache_stale)
		return ENTRY_STALE;
	metrics->cache_invalidated++;
	store_drop(entry);
	return ENTRY_VOID;
}

/* Returns whether an entry may be served though the log cannot be followed. */
static bool
entry_is_good_offline(CacheEntry *entry, double now)
{
	CacheContent *content;

	if (entry == NULL || (now - hub_confirmed()) * 1000 > config.cache_offline)
		return false;
	content = &entry->content;
	return now < content->expires &&
		change_since(content->ids, content->id_count, content->kind == CACHE_LIST, content->stamp) == CHANGE_NONE;
}

/* Returns whether the client has the answer of an entry. */
static bool
entry_is_known(const Request *request, const CacheEntry *entry)
{
	const char *known = request_header(request, "if-none-match");
	const CacheContent *content = &entry->content;
	const char *quote = content->tag ? memchr(content->tag, '"', content->tag_length) : NULL;

	/* weak comparison: the part in quotes decides */
	return known && quote &&
		(strcmp(known, "*") == 0 ||
		 memmem(known, strlen(known), quote, (size_t) (content->tag + content->tag_length - quote)) != NULL);
}

/* Returns whether an entry goes out compressed; the compressed body is made when it is wanted first. */
static bool
entry_pack(const Request *request, CacheEntry *entry)
{
	static Buffer packed;
	const char *accepted = request_header(request, "accept-encoding");

	if (accepted == NULL || !http_accepts(accepted, "gzip"))
		return false;
	if (entry->packed == NULL && request->received >= entry->pack_after)
	{
		entry->pack_after = request->received + PACK_AGAIN;
		if (gzip_compress(entry->content.body, entry->content.body_length, &packed))
			store_pack(entry, &packed, (size_t) config.cache_size);
		buffer_trim(&packed, 64 * 1024);
	}
	return entry->packed != NULL;
}

/* Adds the age of an entry. */
static void
send_age(Request *request, const CacheEntry *entry)
{
	double		age = ev_time() - entry->content.made;

	buffer_append(&request->answer_head, "age: ", 5);
	buffer_append_number(&request->answer_head, age > 0 ? (uint64_t) age : 0);
	buffer_append(&request->answer_head, "\r\n", 2);
}

/* Answers a request with an entry; more: lines of headers for this request only. */
void
cache_send(Request *request, CacheEntry *entry, const char *how, const Buffer *more)
{
	const CacheContent *content = &entry->content;
	const char *body = content->body;
	size_t		length = content->body_length;
	bool		known = entry_is_known(request, entry);

	answer_start(request, known ? 304 : 200);
	buffer_append(&request->answer_head, content->head, content->head_length - (known ? content->type_length : 0));
	if (more)
		buffer_append(&request->answer_head, more->data, more->length);
	send_age(request, entry);
	request->has_type = request->has_cache = request->has_tag = true;
	request->cached = how;
	request->entry = cache_entry_keep(entry);
	store_touch(entry);
	if (config.gzip && length >= GZIP_MIN && !known)
	{
		buffer_append_text(&request->answer_head, "vary: Accept-Encoding\r\n");
		if (entry_pack(request, entry))
		{
			answer_header(request, "content-encoding", "gzip");
			body = entry->packed;
			length = entry->packed_length;
		}
	}
	answer_send(request, body, length, true);
}

/* Returns whether a key has been asked for before; with standbys, the first question goes there and is not kept. */
static bool
key_was_seen(void)
{
	uint32_t	hash = 2166136261u;
	bool		again;

	for (size_t i = 0; i < key.length; i++)
		hash = (hash ^ (unsigned char) key.data[i]) * 16777619u;
	again = seen[hash & (SEEN - 1)] == (uint16_t) (hash >> 16 | 1);
	seen[hash & (SEEN - 1)] = (uint16_t) (hash >> 16 | 1);
	return again;
}

/* Asks for what is not kept, or waits for whoever asks; returns false if the request must ask by itself. */
static bool
cache_ask(Request *request)
{
	CacheFlight *flight = flight_find(key.data, key.length);

	metrics->cache_misses++;
	request->cached = "MISS";
	if (flight)
		return flight_join(flight, request);
	if (config.read_count > 0 && request->route.standby && !key_was_seen())
		return false;
	flight = flight_new(request, key.data, key.length);
	flight_join(flight, request);
	flight_start(flight);
	return true;
}

/* Serves an entry that has to be replaced, and sees to that. */
static void
cache_send_stale(Request *request, CacheEntry *entry)
{
	CacheFlight *flight = NULL;

	metrics->cache_stale++;
	if (flight_find(key.data, key.length) == NULL)
	{
		metrics->cache_refreshes++;
		flight = flight_new(request, key.data, key.length);
	}
	cache_entry_keep(entry);
	if (flight)
		flight_start(flight);
	cache_send(request, entry, "STALE", NULL);
	cache_entry_release(entry);
}

/* Answers a request from what is kept, or lets it wait for the database's answer; returns false if it is for the database. */
bool
cache_answer(Request *request)
{
	CacheEntry *entry;
	int64_t		epoch;
	int64_t		seq;
	double		now;

	if (request->route.cache == CACHE_NONE || !started || config.cache_size == 0)
		return false;
	request->cached = "BYPASS";
	if (known_routes != route_loads())
		cache_clear();
	known_routes = route_loads();
	if (!cache_may(request) || !key_make(request))
		return false;
	now = request->received;
	if (!cache_stamp(&epoch, &seq))
	{
		entry = store_find(key.data, key.length);
		if (!entry_is_good_offline(entry, now))
			return false;
		metrics->cache_stale++;
		cache_send(request, entry, "STALE", NULL);
		return true;
	}
	entry = store_find(key.data, key.length);
	switch (entry_check(entry, seq, now))
	{
		case ENTRY_VALID:
			metrics->cache_hits++;
			cache_send(request, entry, "HIT", NULL);
			return true;
		case ENTRY_STALE:
			cache_send_stale(request, entry);
			return true;
		case ENTRY_VOID:
			break;
	}
	return cache_ask(request);
}
