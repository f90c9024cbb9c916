/*-------------------------------------------------------------------------
 *
 * config.h
 *		What an operator can set.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "address.h"

#define CONFIG_STANDBYS 8

typedef struct Config
{
	/* where */
	char	   *listen;
	int			port;
	char	   *database_url;
	char	   *read_url;		/* one a line */
	char	   *password_file;
	char	   *static_dir;
	int			workers;

	/* TLS */
	char	   *tls_cert;
	char	   *tls_key;

	/* limits of a client; sizes in bytes, times in milliseconds */
	int			max_connections;
	int			address_connections;
	int			stream_connections;
	int			output_limit;
	int			body_limit;
	int			header_limit;
	int			header_timeout;
	int			body_timeout;
	int			write_timeout;
	int			idle_timeout;
	int			stop_timeout;

	/* database */
	int			fast_connections;
	int			fast_depth;
	int			fast_timeout;
	int			write_connections;
	int			write_depth;
	int			write_timeout_sql;
	int			slow_connections;
	int			slow_timeout;
	int			queue_limit;
	int			slow_queue_limit;
	int			connect_timeout;
	int			read_max_lag;

	/* cache */
	int			cache_size;
	int			cache_ttl;
	int			cache_stale;
	int			cache_offline;
	char	   *redis_url;
	char	   *redis_password_file;
	char	   *redis_prefix;

	/* behaviour */
	char	   *access_log;
	char	   *log_level;
	char	   *cors_origins;
	int			cors_max_age;
	char	   *trusted_proxies;
	char	   *forwarded_header;
	char	   *metrics_allow;
	bool		gzip;
	int			gzip_percent;
	bool		stream_query_token;
	bool		stream_echo;
	int			stream_frame_limit;
	int			stream_frame_rate;
	int			stream_byte_rate;
	int			stream_output_limit;
	int			stream_heartbeat;
	int			stream_auth_timeout;

	/* made from the above */
	int			read_count;
	char	   *reads[CONFIG_STANDBYS];
	NetworkList proxies;
	NetworkList metrics_networks;
} Config;

extern Config config;

extern void config_load(int argc, char **argv);
extern bool config_reload(void);

#endif							/* CONFIG_H */
