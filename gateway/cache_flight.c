/*-------------------------------------------------------------------------
 *
 * cache_flight.c
 *		Questions whose answers are kept: one for all who want the same.
 *
 * A flight asks Redis, if there is one, and then the database.  Requests that
 * want the same wait for it, at most WAITING of them.  It belongs to nobody:
 * clients may go.  When the answer has come, it is kept if it can be, and all
 * who wait get it.  If it is none to keep (an error, say), it is for the first
 * one only, which was asked for; the others ask for themselves.
 *
 * While a flight is under way, what it asked for may change.  Who came after
 * that must not get the answer: then all but the first one ask again.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <openssl/sha.h>

#include "cache.h"
#include "cache_change.h"
#include "cache_value.h"
#include "config.h"
#include "log.h"
#include "metrics.h"
#include "problem.h"
#include "redis.h"

#define BUCKETS 256				/* a power of two */
#define WAITING 1000
#define REDIS_KEY_SIZE (64 + 2 * SHA256_DIGEST_LENGTH)
#define SHARE_SKEW 60.0			/* by which clocks of gateways may differ */

struct CacheFlight
{
	CacheFlight *next;			/* in its bucket */
	uint32_t	hash;
	List		waiting;		/* requests, by their queries, which are not
								 * used otherwise */
	PoolQuery	query;
	RedisGet   *get;
	Route		route;
	unsigned	resets;			/* when it began */
	int64_t		epoch;
	int64_t		stamp;			/* of the question */
	double		asked;
	size_t		key_length;
	Buffer		text;			/* the key, and what the query points to */
	size_t		path;			/* where that begins in text */
	size_t		query_string;	/* 0: none */
	size_t		headers;
	size_t		client;
};

static CacheFlight *flights[BUCKETS];
static int64_t found_ids[CACHE_MAX_IDS];

/* Returns what a key is looked up by. */
static uint32_t
flight_hash(const char *key, size_t length)
{
	uint32_t	hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) key[i]) * 16777619u;
	return hash;
}

/* Returns the flight of a key, or NULL. */
CacheFlight *
flight_find(const char *key, size_t length)
{
	uint32_t	hash = flight_hash(key, length);
	CacheFlight *flight = flights[hash & (BUCKETS - 1)];

	while (flight && !(flight->hash == hash && flight->key_length == length && memcmp(flight->text.data, key, length) == 0))
		flight = flight->next;
	return flight;
}

/* Adds a text with its NUL to those of a flight; returns where. */
static size_t
flight_text(CacheFlight *flight, const char *text)
{
	size_t		at = flight->text.length;

	buffer_append(&flight->text, text, strlen(text) + 1);
	return at;
}

/*
 * Makes a flight for what a request asks.  Of its headers the database gets
 * only those that are part of the key, so that nothing else can matter.
 */
CacheFlight *
flight_new(const Request *request, const char *key, size_t length)
{
	CacheFlight *flight = memory_new(sizeof(CacheFlight));
	CacheFlight **bucket;
	const char *query = message_query(&request->message);
	const char *host = request_header(request, "host");

	list_init(&flight->waiting);
	flight->hash = flight_hash(key, length);
	flight->key_length = length;
	flight->route = request->route;
	flight->resets = cache_resets();
	buffer_append(&flight->text, key, length);
	buffer_append(&flight->text, "", 1);
	flight->path = flight_text(flight, message_path(&request->message));
	if (query)
		flight->query_string = flight_text(flight, query);
	flight->client = flight_text(flight, request->address_text);
	flight->headers = flight->text.length;
	buffer_printf(&flight->text, "x-request-id: %s\nx-forwarded-proto: %s\n", request->id, request->secure ? "https" : "http");
	if (host)
		buffer_printf(&flight->text, "host: %s\n", host);
	buffer_append(&flight->text, "", 1);
	bucket = &flights[flight->hash & (BUCKETS - 1)];
	flight->next = *bucket;
	*bucket = flight;
	return flight;
}

/* Lets a request wait for a flight; returns false if too many do. */
bool
flight_join(CacheFlight *flight, Request *request)
{
	if (flight->waiting.count >= WAITING)
		return false;
	request->pending = true;
	request->lane = (int) flight->route.lane;
	list_append(&flight->waiting, &request->query.node);
	return true;
}

/* Takes a flight out of the table, so that nobody joins it any more. */
static void
flight_land(CacheFlight *flight)
{
	CacheFlight **link = &flights[flight->hash & (BUCKETS - 1)];

	while (*link != flight)
		link = &(*link)->next;
	*link = flight->next;
}

/* Returns the next request that waits and whose client is still there, or NULL. */
static Request *
flight_next(CacheFlight *flight)
{
	ListNode   *node;

	while ((node = list_first(&flight->waiting)) != NULL)
	{
		Request    *request = container_of(node, Request, query.node);

		list_remove(&flight->waiting, node);
		request->pending = false;
		if (request->conn)
			return request;
		request_free(request);
	}
	return NULL;
}

/* Gives a flight back; those who still wait ask for themselves. */
static void
flight_free(CacheFlight *flight)
{
	Request    *request;

	while ((request = flight_next(flight)) != NULL)
		request_submit(request);
	buffer_free(&flight->text);
	free(flight);
}

/* Lets all who still wait ask again, once. */
static void
flight_again(CacheFlight *flight)
{
	Request    *request;

	while ((request = flight_next(flight)) != NULL)
	{
		bool		first = !request->cache_again;

		request->cache_again = true;
		if (!first || !cache_answer(request))
			request_submit(request);
	}
}

/* Serves everybody who waits with an entry; the first one gets the lines of `more`, too. */
static void
flight_serve(CacheFlight *flight, CacheEntry *entry, const char *how, const Buffer *more)
{
	Request    *request;

	while ((request = flight_next(flight)) != NULL)
	{
		cache_send(request, entry, how, more);
		how = "HIT";
		more = NULL;
	}
}

/* Returns what has changed of a content since its stamp. */
static Change
content_change(const CacheContent *content)
{
	Change		change = change_since(content->ids, content->id_count, content->kind == CACHE_LIST, content->stamp);

	return change == CHANGE_SOFT && content->kind == CACHE_TIME ? CHANGE_NONE : change;
}

/* Makes the name under which Redis has the answer; another list of routes has other answers. */
static void
redis_name(const CacheFlight *flight, char name[REDIS_KEY_SIZE])
{
	static Buffer text;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char	   *to = name + snprintf(name, REDIS_KEY_SIZE - 2 * SHA256_DIGEST_LENGTH, "%scache:", config.redis_prefix);

	text.length = 0;
	buffer_append_text(&text, ROOST_VERSION "\n");
	buffer_append_text(&text, route_version());
	buffer_append(&text, "\n", 1);
	buffer_append(&text, flight->text.data, flight->key_length);
	SHA256((const unsigned char *) text.data, text.length, digest);
	for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
		to += sprintf(to, "%02x", digest[i]);
}

/* Stores an answer for the other gateways. */
static void
flight_share(const CacheFlight *flight, const CacheContent *content)
{
	static Buffer value;
	char		name[REDIS_KEY_SIZE];
	double		left = content->expires - ev_time();

	if (!redis_is_up() || left < 1)
		return;
	redis_name(flight, name);
	cache_value_write(content, flight->epoch, &value);
	if (value.length <= (size_t) config.cache_size / 64)
		redis_set(name, value.data, value.length, (int) left);
	buffer_trim(&value, 64 * 1024);
}

/* Returns whether Cache-Control says that an answer is for everybody. */
static bool
control_is_public(const char *value, size_t length)
{
	char		copy[128];

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, value, length);
	copy[length] = '\0';
	return strcasestr(copy, "private") == NULL && strcasestr(copy, "no-store") == NULL;
}

/* Returns whether Vary names only what no request has whose answer is kept. */
static bool
vary_is_known(const char *value, size_t length)
{
	static const char *const known[] = {"authorization", "cookie", "accept-encoding", "origin", "host"};
	char		copy[256];
	const char *list = copy;
	const char *item;

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, value, length);
	copy[length] = '\0';
	while ((item = text_token(&list, ',', &length)) != NULL)
	{
		bool		found = false;

		for (size_t i = 0; i < lengthof(known); i++)
			found |= strlen(known[i]) == length && strncasecmp(item, known[i], length) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* What has been found out about the headers of an answer. */
typedef struct AnswerHead
{
	Buffer		kept;			/* lines for everybody, Content-Type last */
	Buffer		own;			/* lines for the first one only */
	Buffer		type;			/* the line Content-Type */
	bool		control;		/* there is a Cache-Control, and it allows to
								 * keep the answer */
	bool		refused;		/* it must not be kept */
} AnswerHead;

/* Sorts one header of an answer. */
static void
head_add(AnswerHead *head, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	size_t		name = colon ? (size_t) (colon - line) : 0;
	Buffer		lower = {0};
	Buffer	   *into;
	const char *value;
	size_t		value_length;

#define IS(text) (name == sizeof(text) - 1 && strncasecmp(line, text, name) == 0)
	if (name == 0 || name + 2 > length || colon[1] != ' ')
	{
		head->refused = true;
		return;
	}
	value = colon + 2;
	value_length = length - name - 2;
	if (IS("cache-control"))
	{
		head->control = true;
		head->refused |= !control_is_public(value, value_length);
	}
	else if (IS("set-cookie"))
		head->refused = true;
	else if (IS("vary"))
		head->refused |= !vary_is_known(value, value_length);
	buffer_append(&lower, line, length);
	for (size_t i = 0; i < name; i++)
		if (lower.data[i] >= 'A' && lower.data[i] <= 'Z')
			lower.data[i] = (char) (lower.data[i] | 0x20);
	into = IS("content-type") ? &head->type : cache_header_is_kept(lower.data, length) ? &head->kept : &head->own;
	/* what answer.c makes itself is for nobody */
	if (!(IS("content-length") || IS("date") || IS("connection") || IS("transfer-encoding") || IS("x-request-id")))
	{
		buffer_append(into, lower.data, length);
		buffer_append(into, "\r\n", 2);
	}
	buffer_free(&lower);
#undef IS
}

/* Reads the headers of "STATUS\nName: value\n...\n\nBODY"; returns the body, or NULL if it is nothing to keep. */
static const char *
head_read(AnswerHead *head, const char *text, const char *end)
{
	const char *line = memchr(text, '\n', (size_t) (end - text));

	if (line == NULL || end - text < 4 || memcmp(text, "200\n", 4) != 0)
		return NULL;
	for (line++; line < end && *line != '\n';)
	{
		const char *stop = memchr(line, '\n', (size_t) (end - line));

		if (stop == NULL)
			return NULL;
		head_add(head, line, (size_t) (stop - line));
		line = stop + 1;
	}
	return line < end && head->control && !head->refused ? line + 1 : NULL;
}

/* Keeps an answer of the database; returns NULL if it cannot be kept, else a reference. */
static CacheEntry *
flight_keep(CacheFlight *flight, AnswerHead *head, const char *text, size_t length)
{
	const char *body = head_read(head, text, text + length);
	CacheContent content = {.kind = flight->route.cache,.stamp = flight->stamp,.key = flight->text.data,.key_length = flight->key_length};
	const char *tag;
	int			count;

	if (body == NULL || flight->resets != cache_resets())
		return NULL;
	content.body = body;
	content.body_length = (size_t) (text + length - body);
	count = cache_ids(route_without_base(flight->text.data + flight->path), body, content.body_length, found_ids);
	if (count < 0)
		return NULL;
	content.ids = found_ids;
	content.id_count = (size_t) count;
	content.type_length = head->type.length;
	buffer_append(&head->kept, head->type.data, head->type.length);
	content.head = head->kept.data;
	content.head_length = head->kept.length;
	tag = memmem(content.head, content.head_length, "etag: ", 6);
	if (tag && (tag == content.head || tag[-1] == '\n'))
	{
		content.tag = tag + 6;
		content.tag_length = (size_t) ((const char *) memchr(tag, '\r', (size_t) (content.head + content.head_length - tag)) - tag) - 6;
	}
	content.made = flight->asked;
	content.expires = flight->asked + cache_life(content.kind);
	if (content_change(&content) == CHANGE_NONE)
		flight_share(flight, &content);
	return store_put(&content, (size_t) config.cache_size);
}

/* The database has answered. */
static void
on_result(PoolQuery *query, const PGresult *result)
{
	CacheFlight *flight = container_of(query, CacheFlight, query);
	AnswerHead	head = {0};
	CacheEntry *entry = NULL;
	Request    *request;
	bool		answered = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 && !PQgetisnull(result, 0, 0);
	const char *text = answered ? PQgetvalue(result, 0, 0) : NULL;
	size_t		length = answered ? (size_t) PQgetlength(result, 0, 0) : 0;

	flight_land(flight);
	if (answered)
		entry = flight_keep(flight, &head, text, length);
	request = flight_next(flight);
	if (request && entry)
		cache_send(request, entry, "MISS", &head.own);
	else if (request && answered)
		answer_from_handle(request, text, length);
	else if (request)
		problem_from_result(request, result);
	if (entry && content_change(&entry->content) > CHANGE_SOFT)
	{
		metrics->cache_invalidated += entry->stored;
		store_drop(entry);
		flight_again(flight);
	}
	else if (entry && content_change(&entry->content) == CHANGE_SOFT && (ev_time() - flight->asked) * 1000 > config.cache_stale)
		flight_again(flight);
	else if (entry)
		flight_serve(flight, entry, "HIT", NULL);
	cache_entry_release(entry);
	buffer_free(&head.kept);
	buffer_free(&head.own);
	buffer_free(&head.type);
	flight_free(flight);
}

/* The database could not be asked; with standbys, those who wait try these. */
static void
on_failure(PoolQuery *query, PoolFailure failure)
{
	CacheFlight *flight = container_of(query, CacheFlight, query);
	Request    *request;

	flight_land(flight);
	while (config.read_count == 0 && (request = flight_next(flight)) != NULL)
		problem_from_failure(request, failure);
	flight_free(flight);
}

/* Asks the database. */
static void
flight_ask(CacheFlight *flight)
{
	PoolQuery  *query = &flight->query;
	const char *text = flight->text.data;

	/* what is not known to be followed is answered, but not kept */
	flight->asked = ev_time();
	if (!cache_stamp(&flight->epoch, &flight->stamp))
		flight->resets = cache_resets() - 1;
	*query = (PoolQuery)
	{
		.statement = STATEMENT_HANDLE,.on_result = on_result,.on_failure = on_failure
	};
	query->values[0] = "GET";
	query->values[1] = text + flight->path;
	query->values[2] = flight->query_string ? text + flight->query_string : NULL;
	query->values[3] = text + flight->headers;
	query->values[5] = text + flight->client;
	pool_submit(flight->route.lane, query);
}

/* Takes what another gateway has stored; returns a reference, or NULL if it is not valid. */
static CacheEntry *
flight_take(CacheFlight *flight, const char *value, size_t length)
{
	CacheContent content;
	int64_t		epoch;
	int64_t		our_epoch;
	int64_t		seq;
	double		now = ev_time();
	CacheEntry *entry;

	if (!cache_value_read(value, length, &content, &epoch, found_ids) || !cache_stamp(&our_epoch, &seq) ||
		epoch != our_epoch || flight->resets != cache_resets() || content.kind != flight->route.cache ||
		content.key_length != flight->key_length || memcmp(content.key, flight->text.data, flight->key_length) != 0 ||
		content.made > now + SHARE_SKEW || content.expires <= now || content_change(&content) != CHANGE_NONE)
		return NULL;
	content.stamp = Max(content.stamp, seq);
	entry = store_put(&content, (size_t) config.cache_size);
	entry->verified = now;
	return entry;
}

/* Redis has answered, or has nothing. */
static void
on_value(void *owner, const char *value, size_t length)
{
	CacheFlight *flight = owner;
	CacheEntry *entry = value ? flight_take(flight, value, length) : NULL;

	flight->get = NULL;
	if (entry == NULL)
	{
		metrics->redis_misses++;
		flight_ask(flight);
		return;
	}
	metrics->redis_hits++;
	flight_land(flight);
	flight_serve(flight, entry, "HIT", NULL);
	cache_entry_release(entry);
	flight_free(flight);
}

/* Sends a flight on its way. */
void
flight_start(CacheFlight *flight)
{
	char		name[REDIS_KEY_SIZE];

	if (redis_is_up())
	{
		redis_name(flight, name);
		flight->get = redis_get(name, (size_t) config.cache_size / 64, on_value, flight);
	}
	if (flight->get == NULL)
		flight_ask(flight);
}
