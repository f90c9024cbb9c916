/*-------------------------------------------------------------------------
 *
 * config.c
 *		What an operator can set: flags, environment, file.
 *
 * One row in options[] is a setting; its name is the flag (--body-limit), the
 * environment variable (ROOST_GATEWAY_BODY_LIMIT) and the line of the file
 * (body-limit = 1MB).  A flag wins over the environment, that over the file,
 * that over the default.  A list is set as a whole by the first of them that
 * names it, with one value a flag or line.  On SIGHUP the three are read again: what says
 * "reload" takes effect, the rest waits for a restart.  A file with an error
 * changes nothing.
 *
 * Passwords never come by flag, where every user of the machine sees them.
 *
 *-------------------------------------------------------------------------
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "config.h"
#include "log.h"
#include "redis.h"

#define FILE_LIMIT (256 * 1024)

typedef enum OptionKind
{
	OPTION_TEXT,
	OPTION_LIST,				/* texts, one a line; also with ; between */
	OPTION_NUMBER,
	OPTION_BYTES,				/* 64kB, 1MB */
	OPTION_TIME,				/* 250ms, 10s, 5min: milliseconds inside */
	OPTION_BOOL
} OptionKind;

typedef struct Option
{
	const char *name;
	OptionKind	kind;
	size_t		offset;
	const char *standard;
	long		min;
	long		max;
	bool		reload;
	const char *help;
} Option;

#define TEXT(name, field, standard, reload, help) \
	{name, OPTION_TEXT, offsetof(Config, field), standard, 0, 0, reload, help}
#define LIST(name, field, help) \
	{name, OPTION_LIST, offsetof(Config, field), "", 0, 0, false, help}
#define VALUE(name, kind, field, standard, min, max, reload, help) \
	{name, kind, offsetof(Config, field), standard, min, max, reload, help}

#ifndef ROOST_STATIC_DIR
#define ROOST_STATIC_DIR ""
#endif

static const Option options[] = {
	TEXT("listen", listen, "127.0.0.1", false, "address to listen at; 0.0.0.0 or :: for all"),
	VALUE("port", OPTION_NUMBER, port, "8080", 1, 65535, false, "port to listen at"),
	TEXT("database-url", database_url, "dbname=roost", false, "libpq connection string or URI, without a password"),
	LIST("read-url", read_url, "the same for a hot standby that serves reads; may be given several times"),
	VALUE("read-max-lag", OPTION_TIME, read_max_lag, "5s", 500, 600000, true, "how far a standby may be behind and serve reads"),
	TEXT("password-file", password_file, "", false, "file with the database password, readable by its owner only (or use PGPASSFILE)"),
	TEXT("static-dir", static_dir, ROOST_STATIC_DIR, true, "folder with the pages of /, /docs and /admin"),
	VALUE("workers", OPTION_NUMBER, workers, "1", 1, 64, false, "processes that share the port"),
	TEXT("tls-cert", tls_cert, "", true, "certificate chain (PEM); turns TLS and HTTP/2 by ALPN on"),
	TEXT("tls-key", tls_key, "", true, "private key of the certificate (PEM)"),
	VALUE("max-connections", OPTION_NUMBER, max_connections, "10000", 1, 1000000, false, "client connections a process holds"),
	VALUE("address-connections", OPTION_NUMBER, address_connections, "1000", 1, 1000000, true, "client connections of one address, or one /64 of IPv6, that a process holds"),
	VALUE("stream-connections", OPTION_NUMBER, stream_connections, "200", 1, 1000000, true, "streams of events of one address, or one /64 of IPv6, that a process holds (then 429)"),
	VALUE("output-limit", OPTION_BYTES, output_limit, "256MB", 1 << 20, 2047 << 20, true, "answers that a process holds for slow clients (then 503)"),
	VALUE("body-limit", OPTION_BYTES, body_limit, "1MB", 1024, 64 << 20, true, "longest request body (413)"),
	VALUE("header-limit", OPTION_BYTES, header_limit, "16kB", 1024, 256 << 10, true, "longest request line and headers (431)"),
	VALUE("header-timeout", OPTION_TIME, header_timeout, "10s", 100, 600000, true, "time for the head of a request (408)"),
	VALUE("body-timeout", OPTION_TIME, body_timeout, "30s", 100, 3600000, true, "time for the body of a request (408)"),
	VALUE("write-timeout", OPTION_TIME, write_timeout, "30s", 100, 3600000, true, "time a client may leave an answer unread"),
	VALUE("idle-timeout", OPTION_TIME, idle_timeout, "5s", 100, 3600000, true, "time a connection is kept without a request"),
	VALUE("stop-timeout", OPTION_TIME, stop_timeout, "10s", 0, 600000, true, "time for requests in flight when stopping"),
	VALUE("fast-connections", OPTION_NUMBER, fast_connections, "2", 1, 64, false, "database connections of the fast lane"),
	VALUE("fast-depth", OPTION_NUMBER, fast_depth, "16", 1, 256, false, "statements in flight on each of them"),
	VALUE("fast-timeout", OPTION_TIME, fast_timeout, "5s", 10, 3600000, false, "statement_timeout of the fast lane"),
	VALUE("write-connections", OPTION_NUMBER, write_connections, "8", 1, 64, false, "database connections of the write lane"),
	VALUE("write-depth", OPTION_NUMBER, write_depth, "4", 1, 256, false, "statements in flight on each of them"),
	VALUE("write-lane-timeout", OPTION_TIME, write_timeout_sql, "10s", 10, 3600000, false, "statement_timeout of the write lane"),
	VALUE("slow-connections", OPTION_NUMBER, slow_connections, "2", 1, 64, false, "database connections of the slow lane, one statement at a time"),
	VALUE("slow-timeout", OPTION_TIME, slow_timeout, "30s", 10, 3600000, false, "statement_timeout of the slow lane"),
	VALUE("queue-limit", OPTION_NUMBER, queue_limit, "1024", 0, 1000000, true, "requests waiting in the fast and in the write lane (then 503)"),
	VALUE("slow-queue-limit", OPTION_NUMBER, slow_queue_limit, "64", 0, 1000000, true, "requests waiting in the slow lane (then 503)"),
	VALUE("connect-timeout", OPTION_TIME, connect_timeout, "5s", 100, 600000, false, "time to connect to the database"),
	VALUE("cache-size", OPTION_BYTES, cache_size, "64MB", 0, 2047 << 20, true, "memory for answers that everybody may see; 0 for none"),
	VALUE("cache-ttl", OPTION_TIME, cache_ttl, "12min", 1000, 3600000, true, "how long they are kept at most"),
	VALUE("cache-stale", OPTION_TIME, cache_stale, "2s", 0, 60000, true, "how long an old one may be served while it is replaced"),
	VALUE("cache-offline", OPTION_TIME, cache_offline, "0", 0, 3600000, true, "how long they are served when the database cannot be reached"),
	TEXT("redis-url", redis_url, "", false, "redis://host:port/database or unix:/path: share them with other gateways"),
	TEXT("redis-password-file", redis_password_file, "", true, "file with the password of Redis, readable by its owner only"),
	TEXT("redis-prefix", redis_prefix, "roost:", false, "what names in Redis begin with"),
	TEXT("access-log", access_log, "-", true, "file of the access log, - for standard output, off for none; access-%a.log: a file each weekday (UTC)"),
	TEXT("log-level", log_level, "info", true, "error, warning, info or debug"),
	TEXT("cors-origins", cors_origins, "", true, "origins that browsers may call from, comma-separated; * for all, then without cookies"),
	VALUE("cors-max-age", OPTION_NUMBER, cors_max_age, "600", 0, 86400, true, "seconds that browsers keep a preflight answer"),
	TEXT("trusted-proxies", trusted_proxies, "", true, "networks whose word about the client is believed"),
	TEXT("forwarded-header", forwarded_header, "x-forwarded-for", true, "where they say it: x-forwarded-for or forwarded"),
	TEXT("metrics-allow", metrics_allow, "127.0.0.0/8,::1", true, "networks that may read /metrics"),
	VALUE("gzip", OPTION_BOOL, gzip, "on", 0, 0, true, "compress JSON longer than 1 kB"),
	VALUE("stream-frame-limit", OPTION_BYTES, stream_frame_limit, "64kB", 1024, 64 << 20, true, "longest message of a WebSocket (1009)"),
	VALUE("stream-frame-rate", OPTION_NUMBER, stream_frame_rate, "100", 1, 1000000, true, "frames a second that a WebSocket may send, over ten seconds (1008)"),
	VALUE("stream-byte-rate", OPTION_BYTES, stream_byte_rate, "128kB", 1024, 1 << 30, true, "bytes a second that a WebSocket may send, over ten seconds (1008)"),
	VALUE("stream-output-limit", OPTION_BYTES, stream_output_limit, "256kB", 16 << 10, 64 << 20, true, "events that wait for the client of a stream; then it is cut off"),
	VALUE("stream-heartbeat", OPTION_TIME, stream_heartbeat, "25s", 100, 3600000, true, "silence after which a WebSocket is asked for a sign of life"),
	VALUE("stream-auth-timeout", OPTION_TIME, stream_auth_timeout, "30s", 100, 3600000, true, "time a WebSocket is kept without a token and a subscription"),
	VALUE("stream-echo", OPTION_BOOL, stream_echo, "off", 0, 0, true, "offer roost.echo, a sub-protocol for tests of conformance"),
	VALUE("stream-query-token", OPTION_BOOL, stream_query_token, "on", 0, 0, true, "take the token of a stream from ?access_token= as well"),
	VALUE("gzip-percent", OPTION_NUMBER, gzip_percent, "20", 1, 100, true, "share of the CPU that compression may take"),
};

Config		config;

static int	config_source;		/* changes with each file, environment or list
								 * of flags that is read */
static int	kept_argc;
static char **kept_argv;

/* Returns whether the field of an option is a text that it owns. */
static bool
option_is_text(const Option *option)
{
	return option->kind == OPTION_TEXT || option->kind == OPTION_LIST;
}

/* Returns the field of an option. */
static void *
option_field(Config *into, const Option *option)
{
	return (char *) into + option->offset;
}

/* Returns the option of a name, or NULL. */
static const Option *
option_find(const char *name, size_t length)
{
	for (size_t i = 0; i < lengthof(options); i++)
		if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0)
			return &options[i];
	return NULL;
}

/* Returns the factor of a unit in lower case, or 0. */
static long
unit_factor(OptionKind kind, const char *unit)
{
	static const struct
	{
		OptionKind	kind;
		const char *unit;
		long		factor;
	}			units[] = {
		{OPTION_NUMBER, "", 1}, {OPTION_BYTES, "", 1}, {OPTION_BYTES, "b", 1},
		{OPTION_BYTES, "kb", 1024}, {OPTION_BYTES, "mb", 1024 * 1024},
		{OPTION_TIME, "", 1000}, {OPTION_TIME, "ms", 1}, {OPTION_TIME, "s", 1000},
		{OPTION_TIME, "min", 60000},
	};

	while (*unit == ' ')
		unit++;
	for (size_t i = 0; i < lengthof(units); i++)
		if (units[i].kind == kind && strcasecmp(units[i].unit, unit) == 0)
			return units[i].factor;
	return 0;
}

/* Adds texts to a list, which begins anew when another source names it. */
static void
option_add(char **field, const Option *option, const char *value)
{
	static int	sources[lengthof(options)];
	int		   *last = &sources[option - options];
	char	   *list;

	if (*last != config_source || **field == '\0')
		list = memory_copy(value);
	else
	{
		size_t		length = strlen(*field);

		list = memory_new(length + strlen(value) + 2);
		snprintf(list, length + strlen(value) + 2, "%s\n%s", *field, value);
	}
	*last = config_source;
	free(*field);
	*field = list;
	for (char *c = list; *c; c++)
		if (*c == ';')
			*c = '\n';
}

/* Sets an option from a text; returns an explanation, or NULL when all is well. */
static const char *
option_set(Config *into, const Option *option, const char *value)
{
	static char why[160];
	char	   *end;
	long		number;
	long		factor;

	if (option->kind == OPTION_TEXT)
	{
		char	  **field = option_field(into, option);

		free(*field);
		*field = memory_copy(value);
		return NULL;
	}
	if (option->kind == OPTION_LIST)
	{
		option_add(option_field(into, option), option, value);
		return NULL;
	}
	if (option->kind == OPTION_BOOL)
	{
		bool		on = strcasecmp(value, "on") == 0 || strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0;

		if (!on && strcasecmp(value, "off") != 0 && strcasecmp(value, "false") != 0 && strcmp(value, "0") != 0)
			return "must be on or off";
		*(bool *) option_field(into, option) = on;
		return NULL;
	}
	errno = 0;
	number = strtol(value, &end, 10);
	factor = end == value ? 0 : unit_factor(option->kind, end);
	if (factor == 0)
		return option->kind == OPTION_TIME ? "must be a time like 250ms, 10s or 5min" :
			option->kind == OPTION_BYTES ? "must be a size like 16kB or 1MB" : "must be a number";
	if (errno != 0 || number > LONG_MAX / factor || number * factor < option->min || number * factor > option->max)
	{
		snprintf(why, sizeof(why), "must be from %ld to %ld%s", option->min, option->max,
				 option->kind == OPTION_TIME ? " milliseconds" : option->kind == OPTION_BYTES ? " bytes" : "");
		return why;
	}
	*(int *) option_field(into, option) = (int) (number * factor);
	return NULL;
}

/* Prints what --help promises. */
static void
print_help(void)
{
	puts("roost-gateway serves roost over HTTP.\n\n"
		 "Usage: roost-gateway [--name value | --name=value]...\n\n"
		 "Every option can also be an environment variable (ROOST_GATEWAY_BODY_LIMIT) or a line\n"
		 "of the file given with --config (body-limit = 1MB). Sizes take kB and MB, times ms, s and min.\n");
	printf("  --%-20s %s\n", "config", "file with settings");
	for (size_t i = 0; i < lengthof(options); i++)
		printf("  --%-20s %s%s%s%s\n", options[i].name, options[i].help,
			   *options[i].standard ? " [" : "", options[i].standard, *options[i].standard ? "]" : "");
	printf("  --%-20s %s\n  --%-20s %s\n", "help", "this text", "version", "the version");
	puts("\nSignals: SIGTERM and SIGINT finish the requests in flight and stop; SIGHUP reads the\n"
		 "configuration and the certificate again and opens the access log again.");
}

/* Reads "name = value" lines; returns an explanation, or NULL. */
static const char *
config_read_file(Config *into, const char *path)
{
	static char why[512];
	char	   *content = text_load_file(path, FILE_LIMIT, NULL);
	char	   *line;
	char	   *rest = content;
	int			number = 0;

	if (content == NULL)
	{
		snprintf(why, sizeof(why), "could not read \"%s\": %s", path, strerror(errno));
		return why;
	}
	why[0] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL && !why[0])
	{
		char	   *equals = strchr(line, '=');
		char	   *end;
		const char *problem;
		const Option *option;

		number++;
		while (isspace((unsigned char) *line))
			line++;
		if (*line == '\0' || *line == '#')
			continue;
		for (end = line + strlen(line); end > line && isspace((unsigned char) end[-1]);)
			*--end = '\0';
		if (equals == NULL)
		{
			snprintf(why, sizeof(why), "%s:%d: expected name = value", path, number);
			break;
		}
		for (end = equals; end > line && isspace((unsigned char) end[-1]);)
			end--;
		option = option_find(line, (size_t) (end - line));
		do
			equals++;
		while (isspace((unsigned char) *equals));
		problem = option ? option_set(into, option, equals) : "unknown setting";
		if (problem)
			snprintf(why, sizeof(why), "%s:%d: %.*s: %s", path, number, (int) (end - line), line, problem);
	}
	free(content);
	return why[0] ? why : NULL;
}

/* Reads the environment; returns an explanation, or NULL. */
static const char *
config_read_environment(Config *into)
{
	static char why[256];

	for (size_t i = 0; i < lengthof(options); i++)
	{
		char		name[64] = "ROOST_GATEWAY_";
		char	   *to = name + strlen(name);
		const char *value;
		const char *problem;

		for (const char *from = options[i].name; *from; from++)
			*to++ = (char) (*from == '-' ? '_' : toupper((unsigned char) *from));
		value = getenv(name);
		problem = value ? option_set(into, &options[i], value) : NULL;
		if (problem)
		{
			snprintf(why, sizeof(why), "%s: %s", name, problem);
			return why;
		}
	}
	return NULL;
}

/* Returns whether a connection string holds a password. */
static bool
has_password(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *at = authority ? strchr(authority, '@') : NULL;
	const char *slash = authority ? strchr(authority + 3, '/') : NULL;
	const char *colon = authority ? strchr(authority + 3, ':') : NULL;

	return strcasestr(url, "password") != NULL ||
		(at && colon && colon < at && (slash == NULL || at < slash));
}

/*
 * Reads the flags, or only --config when into is NULL; returns an explanation,
 * or NULL.
 */
static const char *
config_read_flags(Config *into, char **config_file)
{
	static char why[256];

	for (int i = 1; i < kept_argc; i++)
	{
		const char *name = kept_argv[i];
		const char *equals = strchr(name, '=');
		const char *value;
		const char *problem = NULL;
		const Option *option;
		size_t		length;

		if (strncmp(name, "--", 2) != 0)
		{
			snprintf(why, sizeof(why), "unexpected argument \"%s\"", name);
			return why;
		}
		name += 2;
		length = equals ? (size_t) (equals - name) : strlen(name);
		value = equals ? equals + 1 : kept_argv[++i];
		option = option_find(name, length);
		if (option == NULL && !(length == 6 && memcmp(name, "config", 6) == 0))
			problem = "unknown option; try --help";
		else if (value == NULL)
			problem = "needs a value";
		else if (option == NULL)
			*config_file = (char *) value;
		else if ((option->offset == offsetof(Config, database_url) || option->offset == offsetof(Config, read_url)) &&
				 has_password(value))
			problem = "holds a password, which everyone on this machine could read; use --password-file or PGPASSFILE";
		else if (option->offset == offsetof(Config, redis_url) && strchr(value, '@'))
			problem = "holds a password, which everyone on this machine could read; use --redis-password-file";
		else if (into)
			problem = option_set(into, option, value);
		if (problem)
		{
			snprintf(why, sizeof(why), "--%.*s: %s", (int) length, name, problem);
			return why;
		}
	}
	return NULL;
}

/* Makes the list of standbys; returns false if there are too many. */
static bool
config_split_reads(Config *into)
{
	const char *list = into->read_url;
	const char *url;
	size_t		length;

	while ((url = text_token(&list, '\n', &length)) != NULL)
	{
		if (into->read_count == CONFIG_STANDBYS)
			return false;
		into->reads[into->read_count] = memory_new(length + 1);
		memcpy(into->reads[into->read_count++], url, length);
	}
	return true;
}

/* Checks that a file with a secret, if there is one, is for its owner only; returns an explanation, or NULL. */
static const char *
config_check_secret(const char *name, const char *path)
{
	static char why[512];
	struct stat status;

	if (*path == '\0')
		return NULL;
	if (stat(path, &status) < 0)
		snprintf(why, sizeof(why), "%s \"%s\": %s", name, path, strerror(errno));
	else if (status.st_mode & (S_IRWXG | S_IRWXO))
		snprintf(why, sizeof(why), "%s \"%s\" is open to others; chmod 600 it", name, path);
	else
		return NULL;
	return why;
}

/* Checks what concerns several options or needs reading; returns an explanation, or NULL. */
static const char *
config_check(Config *into)
{
	RedisAddress redis;
	const char *problem;

	if (!network_list_parse(into->trusted_proxies, &into->proxies))
		return "trusted-proxies: must be networks like 10.0.0.0/8, separated by commas";
	if (strcmp(into->forwarded_header, "x-forwarded-for") != 0 && strcmp(into->forwarded_header, "forwarded") != 0)
		return "forwarded-header: must be x-forwarded-for or forwarded";
	if (!network_list_parse(into->metrics_allow, &into->metrics_networks))
		return "metrics-allow: must be networks like 10.0.0.0/8, separated by commas";
	if ((*into->tls_cert == '\0') != (*into->tls_key == '\0'))
		return "tls-cert and tls-key go together";
	if (strcmp(into->log_level, "error") != 0 && strcmp(into->log_level, "warning") != 0 &&
		strcmp(into->log_level, "info") != 0 && strcmp(into->log_level, "debug") != 0)
		return "log-level: must be error, warning, info or debug";
	if (!config_split_reads(into))
		return "read-url: at most 8 standbys";
	if (strlen(into->redis_prefix) > 32)
		return "redis-prefix: at most 32 bytes";
	if (*into->redis_url && (problem = redis_url_parse(into->redis_url, &redis)) != NULL)
		return problem;
	explicit_bzero(&redis, sizeof(redis));
	if ((problem = config_check_secret("password-file", into->password_file)) != NULL)
		return problem;
	return config_check_secret("redis-password-file", into->redis_password_file);
}

/* Reads everything into a new configuration; returns an explanation, or NULL. */
static const char *
config_read(Config *into)
{
	char	   *path = getenv("ROOST_GATEWAY_CONFIG");
	const char *why;

	memset(into, 0, sizeof(*into));
	config_source++;
	for (size_t i = 0; i < lengthof(options); i++)
		option_set(into, &options[i], options[i].standard);
	if ((why = config_read_flags(NULL, &path)) != NULL)
		return why;
	config_source++;
	if (path && (why = config_read_file(into, path)) != NULL)
		return why;
	config_source++;
	if ((why = config_read_environment(into)) != NULL)
		return why;
	config_source++;
	if ((why = config_read_flags(into, &path)) != NULL ||
		(why = config_check(into)) != NULL)
		return why;
	return NULL;
}

/* Gives back what a configuration owns. */
static void
config_free(Config *old)
{
	for (size_t i = 0; i < lengthof(options); i++)
		if (option_is_text(&options[i]))
			free(*(char **) option_field(old, &options[i]));
	for (int i = 0; i < old->read_count; i++)
		free(old->reads[i]);
	free(old->proxies.networks);
	free(old->metrics_networks.networks);
}

/* Applies what concerns logging. */
static void
config_apply(void)
{
	log_set_level(config.log_level[0] == 'e' ? LOG_ERROR : config.log_level[0] == 'w' ? LOG_WARNING :
				  config.log_level[0] == 'i' ? LOG_INFO : LOG_DEBUG);
}

/* Sets config at start; answers --help and --version; exits with 2 on a mistake. */
void
config_load(int argc, char **argv)
{
	const char *why;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0)
		{
			print_help();
			exit(0);
		}
		else if (strcmp(argv[i], "--version") == 0)
		{
			puts("roost-gateway " ROOST_VERSION);
			exit(0);
		}
	kept_argc = argc;
	kept_argv = argv;
	why = config_read(&config);
	if (why)
	{
		fprintf(stderr, "roost-gateway: %s\n", why);
		exit(2);
	}
	config_apply();
}

/* Reads the configuration again; returns false, with nothing changed, on a mistake. */
bool
config_reload(void)
{
	Config		read;
	Config		reads;
	const char *why = config_read(&read);

	if (why)
	{
		log_error("configuration not changed: %s", why);
		config_free(&read);
		return false;
	}
	for (size_t i = 0; i < lengthof(options); i++)
	{
		const Option *option = &options[i];
		void	   *old = option_field(&config, option);
		void	   *new = option_field(&read, option);
		size_t		size = option_is_text(option) ? sizeof(char *) :
		option->kind == OPTION_BOOL ? sizeof(bool) : sizeof(int);
		char		keep[sizeof(char *)];

		if (option->reload)
			continue;
		if (option_is_text(option) ? strcmp(*(char **) old, *(char **) new) != 0 : memcmp(old, new, size) != 0)
			log_warning("\"%s\" changed; it takes effect after a restart", option->name);
		memcpy(keep, old, size);
		memcpy(old, new, size);
		memcpy(new, keep, size);
	}
	/* what was made of read-url stays with it */
	reads = read;
	memcpy(read.reads, config.reads, sizeof(config.reads));
	read.read_count = config.read_count;
	memcpy(config.reads, reads.reads, sizeof(reads.reads));
	config.read_count = reads.read_count;
	config_free(&config);
	config = read;
	config_apply();
	return true;
}
