/*-------------------------------------------------------------------------
 *
 * redis_url.c
 *		Reads redis-url: redis://[user:password@]host[:port][/database], or
 *		unix:/path[?db=database].
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "redis.h"

#define REDIS_PORT 6379
#define DATABASE_MAX 65535

/* Copies a part of a URL with its percent-escapes decoded; returns false if it does not fit or is malformed. */
static bool
url_part(const char *from, size_t length, char *to, size_t size)
{
	while (length > 0)
	{
		char		byte = *from++;

		length--;
		if (byte == '%')
		{
			char		digits[3] = {0};
			char	   *end;

			if (length < 2)
				return false;
			memcpy(digits, from, 2);
			byte = (char) strtol(digits, &end, 16);
			if (end != digits + 2 || digits[0] == '+' || digits[0] == '-' || digits[0] == ' ' || byte == '\0')
				return false;
			from += 2;
			length -= 2;
		}
		if (--size == 0)
			return false;
		*to++ = byte;
	}
	*to = '\0';
	return true;
}

/* Reads a number that is all of a text. */
static bool
url_number(const char *from, size_t length, int max, int *number)
{
	long		value = 0;

	if (length == 0 || length > 5)
		return false;
	for (; length > 0; from++, length--)
	{
		if (*from < '0' || *from > '9')
			return false;
		value = value * 10 + (*from - '0');
	}
	*number = (int) value;
	return value <= max;
}

/* Reads "[user]:password" or "password"; returns whether it could. */
static bool
url_user(const char *from, size_t length, RedisAddress *address)
{
	const char *colon = memchr(from, ':', length);
	size_t		user = colon ? (size_t) (colon - from) : 0;

	if (colon == NULL)
		return url_part(from, length, address->password, sizeof(address->password));
	return url_part(from, user, address->user, sizeof(address->user)) &&
		url_part(colon + 1, length - user - 1, address->password, sizeof(address->password));
}

/* Reads "host[:port]" or "[address][:port]"; returns whether it could. */
static bool
url_host(const char *from, size_t length, RedisAddress *address)
{
	const char *end = from + length;
	const char *stop = length > 0 && *from == '[' ? memchr(from, ']', length) : NULL;
	const char *colon;

	if (length > 0 && *from == '[')
	{
		if (stop == NULL || !url_part(from + 1, (size_t) (stop - from - 1), address->host, sizeof(address->host)))
			return false;
		from = colon = stop + 1;
		if (from < end && *from != ':')
			return false;
		colon = from < end ? from : NULL;
	}
	else
	{
		colon = memchr(from, ':', length);
		if (!url_part(from, (size_t) ((colon ? colon : end) - from), address->host, sizeof(address->host)))
			return false;
	}
	return address->host[0] != '\0' &&
		(colon == NULL || (url_number(colon + 1, (size_t) (end - colon - 1), 65535, &address->port) && address->port > 0));
}

/* Reads redis-url; returns an explanation, or NULL.  No explanation repeats what may be a password. */
const char *
redis_url_parse(const char *url, RedisAddress *address)
{
	static const char tcp[] = "redis://";
	static const char local[] = "unix:";
	const char *end = url + strlen(url);
	const char *at;
	const char *slash;

	memset(address, 0, sizeof(*address));
	address->port = REDIS_PORT;
	if (strncmp(url, local, sizeof(local) - 1) == 0)
	{
		const char *path = url + sizeof(local) - 1;
		const char *mark = strchr(path, '?');

		if (strncmp(path, "//", 2) == 0)
			path += 2;
		if (*path != '/' || !url_part(path, (size_t) ((mark ? mark : end) - path), address->socket, sizeof(address->socket)))
			return "redis-url: must be unix:/path or unix:/path?db=0";
		if (mark && (strncmp(mark, "?db=", 4) != 0 ||
					 !url_number(mark + 4, (size_t) (end - mark - 4), DATABASE_MAX, &address->database)))
			return "redis-url: behind the path there may only be ?db= and a number";
		return NULL;
	}
	if (strncmp(url, "rediss://", 9) == 0)
		return "redis-url: TLS to Redis is not offered; use a private network or a tunnel";
	if (strncmp(url, tcp, sizeof(tcp) - 1) != 0)
		return "redis-url: must begin with redis:// or unix:";
	url += sizeof(tcp) - 1;
	at = strrchr(url, '@');
	if (at && !url_user(url, (size_t) (at - url), address))
		return "redis-url: user or password cannot be read; write other characters than letters and digits as %XX";
	if (at)
		url = at + 1;
	slash = strchr(url, '/');
	if (!url_host(url, (size_t) ((slash ? slash : end) - url), address))
		return "redis-url: host or port cannot be read";
	if (slash && slash[1] != '\0' && !url_number(slash + 1, (size_t) (end - slash - 1), DATABASE_MAX, &address->database))
		return "redis-url: behind the host there may only be the number of a database";
	return NULL;
}
