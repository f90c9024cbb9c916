/*-------------------------------------------------------------------------
 *
 * redis.c
 *		Values in Redis, for all gateways that share it.
 *
 * One connection (hiredis in our loop), pipelined.  Nobody waits for Redis
 * longer than PATIENCE, and nobody waits for it to be connected: when it is
 * not there, redis_get() says so at once.  A connection begins with AUTH,
 * SELECT and PING, and is up when all three are answered.  When it breaks, or
 * nothing has come for SILENCE seconds while answers were due, it is made
 * again after a pause that doubles up to RETRY_MAX, with jitter.  One line of
 * the log says that Redis is gone, one that it is back.
 *
 * Commands in flight are bounded by their number and by their bytes; beyond
 * that, values are not asked for and not stored.  Values longer than the
 * caller's limit are not fetched (GETRANGE).
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

/* the adapter is a header with functions, of which we use one */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <hiredis/adapters/libev.h>
#pragma GCC diagnostic pop

#include "config.h"
#include "log.h"
#include "metrics.h"
#include "redis.h"

#define PATIENCE 0.05
#define SILENCE 1.0
#define CONNECT_PATIENCE 2.0
#define RETRY_MIN 0.1
#define RETRY_MAX 5.0
#define COMMANDS_LIMIT 1024
#define BYTES_LIMIT (16 * 1024 * 1024)
#define PASSWORD_LIMIT 4096

typedef enum RedisState
{
	REDIS_DOWN,					/* waits for retry_at; next: REDIS_CONNECTING */
	REDIS_CONNECTING,			/* until PING is answered; next: REDIS_UP or
								 * REDIS_DOWN */
	REDIS_UP					/* next: REDIS_DOWN */
} RedisState;

/* A value that has been asked for. */
struct RedisGet
{
	ListNode	node;			/* of those that still wait, in order */
	double		sent;
	RedisHandler handler;		/* NULL: nobody wants it any more */
	void	   *owner;
};

static struct ev_loop *redis_loop;
static RedisAddress address;
static redisAsyncContext *context;
static RedisState state;
static double entered;
static double retry_at;
static double pause_length;
static bool complained;
static List waiting;
static ev_timer patience;
static int	commands;			/* in flight */
static size_t command_bytes;	/* of values in flight */
static double heard;			/* when an answer came last, or was not due */

/* Returns whether Redis can be asked now. */
bool
redis_is_up(void)
{
	return state == REDIS_UP;
}

/* Changes the state: the only place that does. */
static void
redis_enter(RedisState next)
{
	state = next;
	entered = ev_now(redis_loop);
	metrics->redis_connected = next == REDIS_UP;
}

/* The connection is gone, or could not be made. */
static void
redis_lost(const char *why)
{
	context = NULL;
	if (!complained)
		log_warning("Redis cannot be used: %s; answers come from the database meanwhile", why);
	complained = true;
	if (state == REDIS_UP)
		metrics->redis_errors++;
	pause_length = Min(Max(pause_length * 2, RETRY_MIN), RETRY_MAX);
	retry_at = ev_now(redis_loop) + pause_length * (0.5 + 0.5 * drand48());
	commands = 0;
	command_bytes = 0;
	redis_enter(REDIS_DOWN);
}

/* Ends the connection from outside its events. */
static void
redis_drop(const char *why)
{
	redisAsyncContext *old = context;

	redis_lost(why);
	redisAsyncFree(old);		/* answers all that waits with NULL */
}

/* hiredis: the connection has been made, or could not be. */
static void
on_connect(const redisAsyncContext *c, int status)
{
	if (c == context && status != REDIS_OK)
		redis_lost(c->errstr);
}

/* hiredis: the connection has ended. */
static void
on_disconnect(const redisAsyncContext *c, int status)
{
	if (c == context)
		redis_lost(status == REDIS_OK ? "the connection has ended" : c->errstr);
}

/* An answer has come. */
static void
redis_heard(void)
{
	commands--;
	heard = ev_now(redis_loop);
}

/* An answer of AUTH, SELECT or PING. */
static void
on_greeting(redisAsyncContext *c, void *reply, void *last)
{
	redisReply *answer = reply;

	if (c != context || answer == NULL)
		return;
	redis_heard();
	if (answer->type == REDIS_REPLY_ERROR)
	{
		char		why[256];

		/* what Redis says here has no password in it */
		snprintf(why, sizeof(why), "%.*s", (int) Min(answer->len, sizeof(why) - 1), answer->str);
		redis_lost(why);
		redisAsyncDisconnect(c);
		return;
	}
	if (last == NULL)
		return;
	redis_enter(REDIS_UP);
	pause_length = 0;
	log_info(complained ? "Redis is back" : "connected to Redis");
	complained = false;
}

/* Sends a command; returns whether it could. */
static bool
redis_command(redisCallbackFn *handler, void *owner, int count, const char **parts, const size_t *lengths)
{
	if (redisAsyncCommandArgv(context, handler, owner, count, parts, lengths) != REDIS_OK)
		return false;
	if (commands++ == 0)
		heard = ev_now(redis_loop);
	return true;
}

/* Says who we are; the password may be in a file, which is read each time. */
static void
redis_greet(void)
{
	char	   *content = *config.redis_password_file ? text_load_file(config.redis_password_file, PASSWORD_LIMIT, NULL) : NULL;
	const char *password = content ? content : address.password;
	char		number[16];
	const char *auth[3] = {"AUTH", address.user, password};
	const char *named[2] = {"AUTH", password};
	const char *select[2] = {"SELECT", number};
	const char *ping[1] = {"PING"};

	if (content)
		content[strcspn(content, "\r\n")] = '\0';
	else if (*config.redis_password_file)
		log_error("could not read the password file \"%s\"", config.redis_password_file);
	snprintf(number, sizeof(number), "%d", address.database);
	if (*password && address.user[0])
		redis_command(on_greeting, NULL, 3, auth, NULL);
	else if (*password)
		redis_command(on_greeting, NULL, 2, named, NULL);
	if (address.database != 0)
		redis_command(on_greeting, NULL, 2, select, NULL);
	redis_command(on_greeting, &address, 1, ping, NULL);
	if (content)
	{
		explicit_bzero(content, strlen(content));
		free(content);
	}
}

/* Begins to connect. */
static void
redis_connect(void)
{
	redis_enter(REDIS_CONNECTING);
	context = address.socket[0] ? redisAsyncConnectUnix(address.socket) : redisAsyncConnect(address.host, address.port);
	if (context == NULL)
	{
		redis_lost("out of memory");
		return;
	}
	if (context->err)
	{
		redis_drop(context->errstr);
		return;
	}
	redisLibevAttach(redis_loop, context);
	redisAsyncSetConnectCallback(context, on_connect);
	redisAsyncSetDisconnectCallback(context, on_disconnect);
	redis_greet();
}

/* Hands a value, or none, to whoever wants it. */
static void
get_finish(RedisGet *get, const char *value, size_t length)
{
	RedisHandler handler = get->handler;

	if (handler == NULL)
		return;
	get->handler = NULL;
	list_remove(&waiting, &get->node);
	handler(get->owner, value, length);
}

/* An answer of GETRANGE; NULL: the connection is gone. */
static void
on_value(redisAsyncContext *c, void *reply, void *arg)
{
	redisReply *answer = reply;
	RedisGet   *get = arg;
	bool		found = answer && answer->type == REDIS_REPLY_STRING && answer->len > 0;

	if (c == context && answer)
		redis_heard();
	if (answer && answer->type == REDIS_REPLY_ERROR)
		metrics->redis_errors++;
	get_finish(get, found ? answer->str : NULL, found ? answer->len : 0);
	free(get);
}

/* Called when the first of those that wait has waited long enough. */
static void
on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
	ListNode   *node;

	while ((node = list_first(&waiting)) != NULL)
	{
		RedisGet   *get = container_of(node, RedisGet, node);
		double		left = get->sent + PATIENCE - ev_now(loop);

		if (left > 0)
		{
			ev_timer_set(timer, left, 0);
			ev_timer_start(loop, timer);
			return;
		}
		metrics->redis_errors++;
		get_finish(get, NULL, 0);
	}
}

/*
 * Asks for a value of at most so many bytes; returns NULL if Redis cannot be
 * asked.  The handler is called later, at the latest after PATIENCE.
 */
RedisGet *
redis_get(const char *key, size_t limit, RedisHandler handler, void *owner)
{
	char		last[24];
	const char *parts[4] = {"GETRANGE", key, "0", last};
	RedisGet   *get;

	if (state != REDIS_UP || commands >= COMMANDS_LIMIT)
		return NULL;
	snprintf(last, sizeof(last), "%zu", limit); /* one byte more shows that it
												 * is too long */
	get = memory_new(sizeof(RedisGet));
	if (!redis_command(on_value, get, 4, parts, NULL))
	{
		free(get);
		return NULL;
	}
	get->handler = handler;
	get->owner = owner;
	get->sent = ev_now(redis_loop);
	list_append(&waiting, &get->node);
	if (!ev_is_active(&patience))
	{
		ev_timer_set(&patience, PATIENCE, 0);
		ev_timer_start(redis_loop, &patience);
	}
	return get;
}

/* Forgets a question whose answer nobody wants any more. */
void
redis_cancel(RedisGet *get)
{
	list_remove(&waiting, &get->node);
	get->handler = NULL;
}

/* An answer of SETEX. */
static void
on_stored(redisAsyncContext *c, void *reply, void *arg)
{
	redisReply *answer = reply;

	if (c != context || answer == NULL)
		return;
	redis_heard();
	command_bytes -= (size_t) (uintptr_t) arg;
	if (answer->type == REDIS_REPLY_ERROR)
		metrics->redis_errors++;
}

/* Stores a value for some seconds, if Redis keeps up. */
void
redis_set(const char *key, const char *value, size_t length, int seconds)
{
	char		number[16];
	const char *parts[4] = {"SETEX", key, number, value};
	size_t		lengths[4] = {5, strlen(key), 0, length};

	if (state != REDIS_UP || commands >= COMMANDS_LIMIT || command_bytes + length > BYTES_LIMIT)
		return;
	lengths[2] = (size_t) snprintf(number, sizeof(number), "%d", Max(seconds, 1));
	if (redis_command(on_stored, (void *) (uintptr_t) length, 4, parts, lengths))
		command_bytes += length;
}

/* Begins to use Redis, if there is one. */
void
redis_start(struct ev_loop *loop)
{
	redis_loop = loop;
	list_init(&waiting);
	ev_init(&patience, on_patience);
	metrics->redis_connected = 0;
	if (*config.redis_url && redis_url_parse(config.redis_url, &address) == NULL)
		redis_connect();
}

/* Called a few times a second: connects again, and notices a connection that says nothing. */
void
redis_tick(void)
{
	double		now;

	if (*config.redis_url == '\0')
		return;
	now = ev_now(redis_loop);
	if (state == REDIS_DOWN && now >= retry_at)
		redis_connect();
	else if (state == REDIS_CONNECTING && now - entered > CONNECT_PATIENCE)
		redis_drop("it does not answer");
	else if (state == REDIS_UP && commands > 0 && now - heard > SILENCE)
		redis_drop("it does not answer any more");
}

/* Ends the connection. */
void
redis_stop(void)
{
	redisAsyncContext *old = context;

	context = NULL;
	state = REDIS_DOWN;
	if (old)
		redisAsyncFree(old);
	explicit_bzero(&address, sizeof(address));
}
