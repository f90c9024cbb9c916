/*-------------------------------------------------------------------------
 *
 * redis.h
 *		Values in Redis, for all gateways that share it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REDIS_H
#define REDIS_H

#include <ev.h>

#include "util.h"

/* Where Redis is, as redis-url says it. */
typedef struct RedisAddress
{
	char		host[256];		/* or empty, with a socket */
	char		socket[108];
	int			port;
	int			database;
	char		user[128];
	char		password[512];
} RedisAddress;

typedef struct RedisGet RedisGet;

/* Gets a value, or NULL: there is none, or Redis did not say so in time. */
typedef void (*RedisHandler) (void *owner, const char *value, size_t length);

extern const char *redis_url_parse(const char *url, RedisAddress *address);

extern void redis_start(struct ev_loop *loop);
extern void redis_tick(void);
extern void redis_stop(void);
extern bool redis_is_up(void);

extern RedisGet *redis_get(const char *key, size_t limit, RedisHandler handler, void *owner);
extern void redis_cancel(RedisGet *get);
extern void redis_set(const char *key, const char *value, size_t length, int seconds);

#endif							/* REDIS_H */
