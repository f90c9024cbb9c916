/*-------------------------------------------------------------------------
 *
 * cache_value.c
 *		Answers as they lie in Redis.
 *
 * A head of fixed size, then the ids, the key, the headers and the body, in
 * the byte order of little-endian machines.  Whoever reads a value trusts
 * nothing of it: magic number, version, lengths, sum, and every line of the
 * headers are checked, so that garbage is ignored and can neither crash the
 * gateway nor add headers to an answer that an answer of ours could not have.
 * The sum finds damage, not malice: who can write to Redis can forge answers.
 *
 *-------------------------------------------------------------------------
 */
#include <endian.h>
#include <strings.h>

#include "cache_value.h"

#define MAGIC UINT32_C(0x54534f52)	/* "ROST" */
#define VERSION 1
#define LONGEST_LIFE 3600.0		/* seconds; see cache-ttl */
#define BODY_LIMIT (64 * 1024 * 1024)
#define HEAD_LIMIT (64 * 1024)

/* The head of a value; times in microseconds since 1970. */
typedef struct ValueHead
{
	uint32_t	magic;
	uint32_t	version;
	uint64_t	sum;			/* of all behind it */
	int64_t		epoch;
	int64_t		stamp;
	int64_t		made;
	int64_t		expires;
	uint32_t	kind;
	uint32_t	id_count;
	uint32_t	key_length;
	uint32_t	head_length;
	uint32_t	type_length;
	uint32_t	body_length;
} ValueHead;

/* Returns the sum of what stands behind it in a value. */
static uint64_t
value_sum(const char *data, size_t length)
{
	const char *from = data + offsetof(ValueHead, epoch);
	uint64_t	sum = UINT64_C(0x9e3779b97f4a7c15) ^ length;
	uint64_t	word;

	length -= offsetof(ValueHead, epoch);
	for (; length >= sizeof(word); from += sizeof(word), length -= sizeof(word))
	{
		memcpy(&word, from, sizeof(word));
		sum = (sum ^ le64toh(word)) * UINT64_C(0xd6e8feb86659fd93);
		sum ^= sum >> 32;
	}
	word = 0;
	memcpy(&word, from, length);
	sum = (sum ^ le64toh(word)) * UINT64_C(0xd6e8feb86659fd93);
	return sum ^ sum >> 32;
}

/* Writes an answer. */
void
cache_value_write(const CacheContent *content, int64_t epoch, Buffer *into)
{
	ValueHead	head = {
		.magic = htole32(MAGIC),.version = htole32(VERSION),
		.epoch = (int64_t) htole64((uint64_t) epoch),.stamp = (int64_t) htole64((uint64_t) content->stamp),
		.made = (int64_t) htole64((uint64_t) (content->made * 1e6)),
		.expires = (int64_t) htole64((uint64_t) (content->expires * 1e6)),
		.kind = htole32(content->kind),.id_count = htole32((uint32_t) content->id_count),
		.key_length = htole32((uint32_t) content->key_length),
		.head_length = htole32((uint32_t) content->head_length),
		.type_length = htole32((uint32_t) content->type_length),
		.body_length = htole32((uint32_t) content->body_length)
	};

	into->length = 0;
	buffer_append(into, &head, sizeof(head));
	for (size_t i = 0; i < content->id_count; i++)
	{
		uint64_t	id = htole64((uint64_t) content->ids[i]);

		buffer_append(into, &id, sizeof(id));
	}
	buffer_append(into, content->key, content->key_length);
	buffer_append(into, content->head, content->head_length);
	buffer_append(into, content->body, content->body_length);
	head.sum = htole64(value_sum(into->data, into->length));
	memcpy(into->data, &head, sizeof(head));
}

/*
 * Returns whether a header line (without its end) is one that is kept: well
 * formed, and not about one request or one connection.
 */
bool
cache_header_is_kept(const char *line, size_t length)
{
	static const char *const never[] = {
		"age", "connection", "content-encoding", "content-length", "date", "keep-alive", "proxy-authenticate", "ratelimit",
		"ratelimit-limit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset", "retry-after", "roost-position", "server-timing",
		"set-cookie", "strict-transport-security", "te", "trailer", "transfer-encoding", "upgrade", "www-authenticate", "x-cache",
		"x-request-id"
	};
	const char *colon = memchr(line, ':', length);
	size_t		name = colon ? (size_t) (colon - line) : 0;

	if (name == 0 || name + 2 > length || colon[1] != ' ')
		return false;
	for (size_t i = 0; i < name; i++)
		if (!((line[i] >= 'a' && line[i] <= 'z') || (line[i] >= '0' && line[i] <= '9') || line[i] == '-' || line[i] == '_'))
			return false;
	for (size_t i = name; i < length; i++)
		if (((unsigned char) line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
			return false;
	for (size_t i = 0; i < lengthof(never); i++)
		if (strlen(never[i]) == name && memcmp(line, never[i], name) == 0)
			return false;
	return strncmp(line, "access-control-", sizeof("access-control-") - 1) != 0;
}

/* Checks the headers of a value and finds the entity tag in them. */
static bool
value_read_head(CacheContent *content)
{
	const char *line = content->head;
	const char *end = line + content->head_length;
	const char *last = line;

	while (line < end)
	{
		const char *stop = memchr(line, '\r', (size_t) (end - line));

		if (stop == NULL || stop + 1 >= end || stop[1] != '\n' || !cache_header_is_kept(line, (size_t) (stop - line)))
			return false;
		if (strncmp(line, "etag: ", 6) == 0)
		{
			content->tag = line + 6;
			content->tag_length = (size_t) (stop - line) - 6;
		}
		last = line;
		line = stop + 2;
	}
	return content->type_length == 0 ||
		(content->type_length == (size_t) (end - last) && strncmp(last, "content-type: ", 14) == 0);
}

/*
 * Reads an answer; returns false if it is none.  What the content points to is
 * the value itself, and ids.
 */
bool
cache_value_read(const char *data, size_t length, CacheContent *content, int64_t *epoch,
				 int64_t ids[CACHE_MAX_IDS])
{
	ValueHead	head;
	const char *from = data + sizeof(head);
	uint64_t	total;

	if (length < sizeof(head))
		return false;
	memcpy(&head, data, sizeof(head));
	memset(content, 0, sizeof(*content));
	content->kind = (CacheKind) le32toh(head.kind);
	content->id_count = le32toh(head.id_count);
	content->key_length = le32toh(head.key_length);
	content->head_length = le32toh(head.head_length);
	content->type_length = le32toh(head.type_length);
	content->body_length = le32toh(head.body_length);
	total = sizeof(head) + sizeof(int64_t) * (uint64_t) content->id_count + content->key_length + content->head_length +
		content->body_length;
	if (le32toh(head.magic) != MAGIC || le32toh(head.version) != VERSION || total != length ||
		content->id_count > CACHE_MAX_IDS || content->key_length > CACHE_MAX_KEY || content->head_length > HEAD_LIMIT ||
		content->body_length > BODY_LIMIT || content->type_length > content->head_length ||
		content->kind <= CACHE_NONE || content->kind > CACHE_TIME || le64toh(head.sum) != value_sum(data, length))
		return false;
	*epoch = (int64_t) le64toh((uint64_t) head.epoch);
	content->stamp = (int64_t) le64toh((uint64_t) head.stamp);
	content->made = (double) (int64_t) le64toh((uint64_t) head.made) / 1e6;
	content->expires = (double) (int64_t) le64toh((uint64_t) head.expires) / 1e6;
	if (content->stamp < 0 || content->made < 0 || content->expires < content->made ||
		content->expires - content->made > LONGEST_LIFE * 2)
		return false;
	for (size_t i = 0; i < content->id_count; i++, from += sizeof(int64_t))
	{
		uint64_t	id;

		memcpy(&id, from, sizeof(id));
		ids[i] = (int64_t) le64toh(id);
		if (ids[i] <= 0)
			return false;
	}
	content->ids = ids;
	content->key = from;
	content->head = content->key + content->key_length;
	content->body = content->head + content->head_length;
	return value_read_head(content);
}
