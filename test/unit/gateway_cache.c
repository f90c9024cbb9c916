/*
 * gateway_cache.c
 *		The gateway's cache: what has changed since, entries and their bound,
 *		the ids in an answer, and values of Redis, of which every shorter form
 *		and every damaged byte must be refused.  What is read lies before a
 *		page that cannot be read.
 */
#define CHANGE_LIMIT 100

#include "gateway/cache_change.c"
#undef FIRST_SIZE
#define seed store_seed
#include "gateway/cache_store.c"
#undef seed
#include "gateway/cache_value.c"
#include "gateway/log.c"
#include "gateway/redis_url.c"
#include "gateway/util.c"

#include <jansson.h>

#include "test/unit/tap.h"

/* Returns what has happened to one id after a row. */
static Change
since(int64_t id, int64_t seq)
{
	return change_since(&id, 1, false, seq);
}

static void
test_changes(void)
{
	const int64_t two[] = {5, 6};

	change_reset(10);
	ok(since(5, 9) == CHANGE_UNKNOWN && since(5, 10) == CHANGE_NONE, "before the start nothing is known, after it nothing has changed");
	change_note(5, 11, false);
	ok(since(5, 10) == CHANGE_SOFT && since(5, 11) == CHANGE_NONE && since(6, 10) == CHANGE_NONE, "a soft change");
	change_note(6, 12, true);
	change_note(6, 13, false);
	ok(since(6, 11) == CHANGE_HARD && since(6, 12) == CHANGE_SOFT && since(6, 13) == CHANGE_NONE, "a hard one, with a soft one after it");
	ok(change_since(two, 2, false, 10) == CHANGE_HARD && change_since(two, 2, false, 12) == CHANGE_SOFT, "the worst of several ids");
	ok(change_since(two, 0, true, 13) == CHANGE_NONE, "no list has changed");
	change_note_list(14);
	ok(change_since(two, 0, true, 13) == CHANGE_SOFT && change_since(two, 0, false, 13) == CHANGE_NONE, "lists have changed");
	change_note(0, 15, true);
	change_note(-1, 15, true);
	ok(since(5, 14) == CHANGE_NONE, "what is no id is not noted");
}

static void
test_forgetting(void)
{
	int64_t		seq = 1000;
	bool		right = true;

	change_reset(seq);
	change_note(1, ++seq, false);
	for (int round = 0; round < 5; round++)
	{
		int64_t		began = seq;

		for (int64_t id = 2; !change_is_full(); id++)
			change_note(id + round * 1000, ++seq, id % 2 == 0);
		for (int64_t id = 2; id < 90; id++)
			right &= since(id + round * 1000, began) == (id % 2 == 0 ? CHANGE_HARD : CHANGE_SOFT);
		change_forget();
		right &= since(2 + round * 1000, began) == CHANGE_HARD;
		right &= since(1, 1000) == (round == 0 ? CHANGE_SOFT : CHANGE_UNKNOWN);
	}
	ok(right, "all changes of the last two generations are known, of what is older nothing is");
	ok(since(77777, seq) == CHANGE_NONE && since(77777, seq - 150) != CHANGE_SOFT, "an id that never changed is valid as far back as all is known");
	ok(generations[0].count + generations[1].count <= 2 * CHANGE_LIMIT, "the table is bounded");
}

/* Makes a content with a key and a body of some length. */
static CacheContent
content_of(const char *name, size_t body_length)
{
	static char body[100000];
	static const int64_t ids[] = {3, 4};
	static const char head[] = "etag: W/\"abc\"\r\ncache-control: no-cache\r\ncontent-type: application/json\r\n";
	CacheContent content = {.kind = CACHE_IDS,.stamp = 7,.made = 1000,.expires = 1700,.key = name,.key_length = strlen(name),
		.ids = ids,.id_count = 2,.head = head,.head_length = sizeof(head) - 1,.type_length = 32,
		.tag = head + 6,.tag_length = 7,.body = body,.body_length = body_length
	};

	memset(body, 'b', sizeof(body));
	return content;
}

/* Puts a content into the store. */
static void
put(const char *name, size_t body_length, size_t limit)
{
	CacheContent content = content_of(name, body_length);

	cache_entry_release(store_put(&content, limit));
}

/* Returns the entry of a key. */
static CacheEntry *
find(const char *name)
{
	return store_find(name, strlen(name));
}

static void
test_store(void)
{
	CacheEntry *entry;
	char		name[32];
	size_t		limit = 64 * 1024;
	bool		bounded = true;
	Buffer		packed = {0};

	ok(find("/a") == NULL && store_count() == 0 && store_bytes() == 0, "an empty store");
	put("/a", 10, limit);
	entry = find("/a");
	ok(entry && entry->content.body_length == 10 && memcmp(entry->content.head, "etag", 4) == 0 &&
	   memcmp(entry->content.tag, "W/\"abc\"", 7) == 0 && entry->content.ids[1] == 4, "an entry has its own copy of everything");
	cache_entry_keep(entry);
	put("/a", 20, limit);
	ok(find("/a") != entry && store_count() == 1 && entry->content.body_length == 10 && !entry->stored, "an entry is replaced, and who uses the old one still can");
	cache_entry_release(entry);
	put("/b", 10, limit);
	put("/c", 900, limit);
	ok(find("/c") == NULL, "what is larger than a part of the limit is not kept");
	store_touch(find("/a"));
	for (int i = 0; i < 3000; i++)
	{
		snprintf(name, sizeof(name), "/many/%d", i);
		put(name, 10, limit);
		bounded &= store_bytes() <= limit;
		if (find("/a"))
			store_touch(find("/a"));
	}
	ok(bounded && store_evicted() > 0 && store_count() > 50, "the store is bounded");
	ok(find("/a") && find("/b") == NULL && find("/many/0") == NULL && find("/many/2999"), "what was not used for the longest time goes first");
	buffer_append_text(&packed, "squeezed");
	entry = find("/a");
	store_pack(entry, &packed, limit);
	ok(entry->packed && memcmp(entry->packed, "squeezed", 8) == 0 && store_bytes() <= limit, "a compressed form counts, too");
	buffer_free(&packed);
	store_clear();
	ok(store_count() == 0 && store_bytes() == 0 && find("/a") == NULL, "everything can be dropped, and no byte stays counted");
}

/* Returns whether a path and a body have exactly these ids, in order. */
static bool
ids_are(const char *path, const char *body, int count, const int64_t *expected)
{
	static int64_t ids[CACHE_MAX_IDS];
	size_t		length = strlen(body);
	int			found = cache_ids(path, guarded(body, length), length, ids);

	return found == count && memcmp(ids, expected, sizeof(int64_t) * (size_t) count) == 0;
}

/* Adds the ids of a document as a parser sees them. */
static void
ids_walk(const json_t *value, const char *name, int64_t ids[CACHE_MAX_IDS], int *count)
{
	size_t		length = name ? strlen(name) : 0;
	bool		is_id = length >= 2 && (strcmp(name + length - 2, "id") == 0 || (length >= 3 && strcmp(name + length - 3, "ids") == 0));
	const char *key;
	json_t	   *child;
	size_t		index;

	json_object_foreach((json_t *) value, key, child)
		ids_walk(child, key, ids, count);
	json_array_foreach(value, index, child)
		ids_walk(child, name, ids, count);
	if (is_id && json_is_string(value) && json_string_length(value) > 0 && strspn(json_string_value(value), "0123456789") == json_string_length(value))
		ids[(*count)++] = atoll(json_string_value(value));
	else if (is_id && json_is_integer(value) && json_integer_value(value) > 0)
		ids[(*count)++] = json_integer_value(value);
}

/* Makes a random document. */
static json_t *
document(int depth)
{
	static const char *const names[] = {"id", "post_id", "text", "account_ids", "items", "author", "idea", "\"id\":\"7\"", "a\"id", "di"};
	static const char *const texts[] = {"12", "99999999999999999999", "id\":\"5", "\\\"id\":\"8\"", "0", "", "x1", "9223372036854775807"};
	json_t	   *value;

	switch (rand() % (depth > 4 ? 3 : 5))
	{
		case 0:
			return json_string(texts[(size_t) rand() % lengthof(texts)]);
		case 1:
			return json_integer(rand());
		case 2:
			return json_null();
		case 3:
			value = json_object();
			for (int i = rand() % 5; i > 0; i--)
				json_object_set_new(value, names[(size_t) rand() % lengthof(names)], document(depth + 1));
			return value;
		default:
			value = json_array();
			for (int i = rand() % 4; i > 0; i--)
				json_array_append_new(value, json_string(texts[(size_t) rand() % 2 * 7]));
			return value;
	}
}

/* Returns whether the scan finds every id that a parser finds. */
static bool
scan_finds_all(unsigned start)
{
	static int64_t parsed[CACHE_MAX_IDS];
	static int64_t scanned[CACHE_MAX_IDS];
	int			count = 0;
	int			found;
	json_t	   *root;
	char	   *text;
	bool		all = true;

	srand(start);
	root = document(0);
	text = json_dumps(root, JSON_ENCODE_ANY | (start % 3 == 0 ? JSON_INDENT(2) : start % 3 == 1 ? JSON_COMPACT : 0));
	ids_walk(root, NULL, parsed, &count);
	found = cache_ids("", guarded(text, strlen(text)), strlen(text), scanned);
	for (int i = 0; i < count; i++)
	{
		bool		has = parsed[i] <= 0 || parsed[i] == INT64_MAX;

		for (int j = 0; j < found; j++)
			has |= scanned[j] == parsed[i];
		all &= has;
	}
	free(text);
	json_decref(root);
	return all;
}

static void
test_ids(void)
{
	const int64_t none[] = {0};
	const int64_t one[] = {17};
	const int64_t three[] = {5, 9, 17};
	static int64_t ids[CACHE_MAX_IDS];
	static char many[CACHE_MAX_IDS * 32];
	bool		all = true;
	char	   *to = many;

	ok(ids_are("/tweets/17/replies", "", 1, one) && ids_are("/tweets/17", "{}", 1, one) && ids_are("", "", 0, none), "the ids of a path");
	ok(ids_are("/users/17x/@5/a9", "{}", 0, none), "names with digits are no ids");
	ok(ids_are("/x", "{\"id\":\"17\",\"a\":{\"post_id\":9},\"b_id\":\"5\",\"c_id\":null,\"d_id\":\"17\"}", 3, three), "ids as texts and numbers, each once");
	ok(ids_are("/x", "{ \"id\" : \"17\", \"some_ids\" : [ \"5\" , 9 ] }", 3, three), "with white space, and in lists");
	ok(ids_are("/x", "{\"text\":\"\\\"id\\\":\\\"5\\\"\",\"id\":\"17\"}", 1, one), "not what a text says");
	ok(ids_are("/x", "{\"id\":\"99999999999999999999\",\"id\":\"-4\",\"id\":\"0\"}", 0, none), "no numbers that are no ids");
	for (size_t length = 0; length <= strlen("{\"ids\":[\"17\",\"5"); length++)
		cache_ids("/", guarded("{\"ids\":[\"17\",\"5", length), length, ids);
	ok(true, "an answer that is cut off");
	for (unsigned i = 0; i < 20000; i++)
		all &= scan_finds_all(i);
	ok(all, "all that a parser finds in 20000 random documents");
	for (int i = 0; i <= CACHE_MAX_IDS; i++)
		to += sprintf(to, "{\"id\":\"%d\"}", i + 1);
	ok(cache_ids("/", many, strlen(many), ids) == -1, "too many ids");
}

/* Returns whether a value can be read. */
static bool
value_reads(const char *data, size_t length)
{
	static int64_t ids[CACHE_MAX_IDS];
	CacheContent content;
	int64_t		epoch;

	return cache_value_read(guarded(data, length), length, &content, &epoch, ids);
}

/* Makes a value whose headers are these, with a sum that is right. */
static bool
head_reads(const char *head, size_t type_length)
{
	static Buffer value;
	CacheContent content = content_of("/a?b=c", 10);

	content.head = head;
	content.head_length = strlen(head);
	content.type_length = type_length;
	cache_value_write(&content, 42, &value);
	return value_reads(value.data, value.length);
}

static void
test_values(void)
{
	static int64_t ids[CACHE_MAX_IDS];
	Buffer		value = {0};
	CacheContent content = content_of("/a?b=c", 3000);
	CacheContent copy;
	int64_t		epoch;
	bool		refused = true;

	cache_value_write(&content, -42, &value);
	ok(cache_value_read(guarded(value.data, value.length), value.length, &copy, &epoch, ids) && epoch == -42 && copy.stamp == 7 &&
	   copy.kind == CACHE_IDS && copy.made == 1000 && copy.expires == 1700 && copy.id_count == 2 && copy.ids[0] == 3 && copy.ids[1] == 4 &&
	   copy.key_length == 6 && memcmp(copy.key, "/a?b=c", 6) == 0 && copy.head_length == content.head_length &&
	   memcmp(copy.head, content.head, copy.head_length) == 0 && copy.type_length == 32 && copy.tag_length == 7 &&
	   memcmp(copy.tag, "W/\"abc\"", 7) == 0 && copy.body_length == 3000 && memcmp(copy.body, content.body, 3000) == 0, "what is written is read");
	for (size_t length = 0; length < value.length; length++)
		refused &= !value_reads(value.data, length);
	ok(refused, "every shorter form is refused");
	for (size_t i = 0; i < value.length; i++)
		for (int bit = 0; bit < 8; bit += i < 128 ? 1 : 7)
		{
			value.data[i] = (char) (value.data[i] ^ 1 << bit);
			refused &= !value_reads(value.data, value.length);
			value.data[i] = (char) (value.data[i] ^ 1 << bit);
		}
	ok(refused, "every damaged byte is noticed");
	buffer_append(&value, "", 1);
	ok(!value_reads(value.data, value.length) && !value_reads("", 0) && !value_reads("a foreign value", 15), "what is longer, or something else");
	srand(1);
	for (int i = 0; i < 20000; i++)
	{
		/* lengths and kinds that nobody writes, with the sum made right */
		ValueHead	head;

		memcpy(&head, value.data, sizeof(head));
		((uint32_t *) &head.kind)[rand() % 6] = (uint32_t) rand() >> rand() % 31;
		memcpy(value.data, &head, sizeof(head));
		head.sum = htole64(value_sum(value.data, value.length - 1));
		memcpy(value.data, &head, sizeof(head));
		value_reads(value.data, value.length - 1);
	}
	ok(true, "lies about lengths");
	ok(head_reads("etag: \"1\"\r\ncontent-type: a\r\n", 17) && head_reads("", 0), "headers that an answer may have");
	ok(!head_reads("set-cookie: a=b\r\n", 0) && !head_reads("content-length: 5\r\n", 0) && !head_reads("x-cache: HIT\r\n", 0) &&
	   !head_reads("access-control-allow-origin: *\r\n", 0), "headers that none of ours could have");
	ok(!head_reads("etag: \"1\"\n", 0) && !head_reads("etag: \"1\"", 0) && !head_reads("etag:\"1\"\r\n", 0) && !head_reads("a b: c\r\n", 0) &&
	   !head_reads("X: y\r\n", 0) && !head_reads("a: b\rc\r\n", 0) && !head_reads("\r\n", 0) && !head_reads("a: b\r\n\r\n", 0) &&
	   !head_reads("a: \001\r\n", 0), "headers that are malformed");
	ok(!head_reads("content-type: a\r\netag: \"1\"\r\n", 17) && !head_reads("etag: \"1\"\r\n", 5), "a length of Content-Type that is wrong");
	buffer_free(&value);
}

/* Returns whether a URL is read as that. */
static bool
url_is(const char *url, const char *host, int port, int database, const char *user, const char *password, const char *path)
{
	RedisAddress address;

	return redis_url_parse(url, &address) == NULL && strcmp(address.host, host) == 0 && address.port == port && address.database == database &&
		strcmp(address.user, user) == 0 && strcmp(address.password, password) == 0 && strcmp(address.socket, path) == 0;
}

static void
test_urls(void)
{
	static const char *const bad[] = {"", "localhost", "http://x", "rediss://x", "redis://", "redis://:6379", "redis://h:0", "redis://h:70000", "redis://h:6x",
		"redis://h/a", "redis://h/1/2", "redis://h/99999999", "redis://[::1", "redis://[::1]x", "redis://%4@h", "redis://%zz@h", "redis://%00@h",
		"unix:", "unix:relative", "unix:/s?x=1", "unix:/s?db=", "unix:/s?db=x"
	};
	RedisAddress address;
	char		url[2048] = "redis://";
	bool		refused = true;

	ok(url_is("redis://h", "h", 6379, 0, "", "", "") && url_is("redis://h:1/2", "h", 1, 2, "", "", "") && url_is("redis://[::1]:7/", "::1", 7, 0, "", "", ""), "hosts, ports, databases");
	ok(url_is("redis://u:p%40%3a@h/3", "h", 6379, 3, "u", "p@:", "") && url_is("redis://:pw@h", "h", 6379, 0, "", "pw", "") &&
	   url_is("redis://pw@h", "h", 6379, 0, "", "pw", ""), "users and passwords");
	ok(url_is("unix:/run/r.sock", "", 6379, 0, "", "", "/run/r.sock") && url_is("unix:///r?db=4", "", 6379, 4, "", "", "/r"), "sockets");
	for (size_t i = 0; i < lengthof(bad); i++)
		refused &= redis_url_parse(bad[i], &address) != NULL;
	memset(url + 8, 'h', 1000);
	refused &= redis_url_parse(url, &address) != NULL;
	strcpy(url + 1008, "@h");
	refused &= redis_url_parse(url, &address) != NULL;
	ok(refused, "what is none is refused");
	ok(strstr(redis_url_parse("redis://me:hush%zz@h", &address), "hush") == NULL, "no explanation repeats a password");
}

int
main(void)
{
	test_changes();
	test_forgetting();
	test_store();
	test_ids();
	test_values();
	test_urls();
	printf("1..%d\n", tests);
	return failed > 0;
}
