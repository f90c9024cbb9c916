/*-------------------------------------------------------------------------
 *
 * loop.c
 *		The event loop of one process: listener, signals, tick, stop.
 *
 * One process, one thread, one libev loop; libwebsockets is a guest in it and
 * PostgreSQL's sockets are plain watchers.  The listener is ours, because the
 * libwebsockets of Debian cannot share a port: SO_REUSEPORT lets any number
 * of processes listen at the same one.
 *
 * Stopping: what waits to be accepted is accepted, the listener closes, idle
 * connections close, every answer is the last of its connection; when none is
 * left, or stop-timeout is over, the loop ends.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cache.h"
#include "config.h"
#include "conn.h"
#include "event.h"
#include "health.h"
#include "hub.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "peer.h"
#include "pool.h"
#include "presence.h"
#include "signals.h"
#include "redis.h"
#include "static.h"
#include "tls.h"

#define ACCEPT_BATCH 64
#define ACCEPT_PAUSE 0.1
#define COMPLAIN_EVERY 10.0
#define TICK 0.25
#define BACKLOG 4096

static struct ev_loop *loop;
static ev_io listener;
static ev_timer accept_pause;
static ev_timer tick;
static ev_signal stop_signals[2];
static ev_signal reload_signal;
static double stop_at;

/* Accepting failed: waits before it tries again, since the same would be reported again and again. */
static void
accept_fail(void)
{
	static double complained;

	if (ev_now(loop) - complained >= COMPLAIN_EVERY)
		log_warning("could not accept: %s", strerror(errno));
	complained = ev_now(loop);
	ev_io_stop(loop, &listener);
	ev_timer_again(loop, &accept_pause);
}

/* Returns whether one more connection of an address is allowed, and counts it. */
static bool
accept_is_allowed(const Address *address)
{
	bool		proxy = network_list_has(&config.proxies, address);

	return conn_count() < config.max_connections &&
		peer_enter(address, PEER_CONNECTIONS, proxy ? INT_MAX : config.address_connections);
}

/* Accepts at most that many connections; returns whether there may be more. */
static bool
accept_some(int most)
{
	while (most-- > 0)
	{
		struct sockaddr_storage from;
		Address		address;
		socklen_t	length = sizeof(from);
		int			one = 1;
		int			fd = accept4(listener.fd, (struct sockaddr *) &from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
		{
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				accept_fail();
			if (errno == ECONNABORTED || errno == EINTR)
				continue;
			return false;
		}
		address_from_socket(&from, &address);
		if (!accept_is_allowed(&address))
		{
			metrics->refused++;
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		conn_accept(fd, &address);
	}
	return true;
}

/* Called when connections wait. */
static void
on_accept(struct ev_loop *l, ev_io *io, int events)
{
	accept_some(ACCEPT_BATCH);
}

/* Called when it is worth trying to accept again. */
static void
on_accept_pause(struct ev_loop *l, ev_timer *timer, int events)
{
	ev_timer_stop(loop, timer);
	if (stop_at == 0)
		ev_io_start(loop, &listener);
}

/* Opens the port. */
static void
listen_start(void)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,.ai_socktype = SOCK_STREAM};
	struct addrinfo *address;
	char		port[16];
	int			one = 1;
	int			zero = 0;
	int			fd;
	int			error;

	snprintf(port, sizeof(port), "%d", config.port);
	error = getaddrinfo(config.listen, port, &hints, &address);
	if (error)
		log_fatal("listen \"%s\": %s", config.listen, gai_strerror(error));
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		log_fatal("could not make a socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		log_fatal("could not listen at %s port %d: %s", config.listen, config.port, strerror(errno));
	freeaddrinfo(address);
	ev_io_init(&listener, on_accept, fd, EV_READ);
	ev_io_start(loop, &listener);
	ev_init(&accept_pause, on_accept_pause);
	accept_pause.repeat = ACCEPT_PAUSE;
}

/* Called a few times a second: everything periodic. */
static void
on_tick(struct ev_loop *l, ev_timer *timer, int events)
{
	conn_tick();
	pool_tick();
	hub_tick();
	health_tick();
	redis_tick();
	cache_tick();
	log_access_flush();
	log_access_rotate();
	if (stop_at > 0 && (conn_count() == 0 || ev_now(loop) >= stop_at))
		ev_break(loop, EVBREAK_ALL);
}

/* Called on SIGTERM and SIGINT; the second time does not wait. */
static void
on_stop(struct ev_loop *l, ev_signal *watcher, int events)
{
	if (stop_at > 0)
	{
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	log_info("stopping; %d connections", conn_count());
	ev_timer_stop(loop, &accept_pause);
	while (accept_some(ACCEPT_BATCH))
		;
	ev_io_stop(loop, &listener);
	close(listener.fd);
	stop_at = ev_now(loop) + config.stop_timeout / 1000.0;
	presence_leave();
	conn_drain();
	event_drain();
	ev_timer_stop(loop, &tick);
	ev_timer_set(&tick, 0.02, 0.02);
	ev_timer_start(loop, &tick);
}

/* Called on SIGHUP. */
static void
on_reload(struct ev_loop *l, ev_signal *watcher, int events)
{
	log_info("reloading");
	if (!config_reload())
		return;
	log_access_open(config.access_log);
	static_load(config.static_dir);
	if (*config.tls_cert)
		tls_load(config.tls_cert, config.tls_key);
	health_reload();
	cache_reload();
}

/* Lets the process have as many files as connections need. */
static void
raise_file_limit(void)
{
	struct rlimit limit;
	rlim_t		wanted = (rlim_t) config.max_connections + 256;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	/* not more than needed either: libwebsockets has a table by file number */
	limit.rlim_cur = Min(wanted, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
		log_warning("only %llu open files are allowed; max-connections needs %llu",
					(unsigned long long) limit.rlim_cur, (unsigned long long) wanted);
}

/* Watches a signal. */
static void
signal_start(ev_signal *watcher, void (*called) (struct ev_loop *, ev_signal *, int), int number)
{
	ev_signal_init(watcher, called, number);
	ev_signal_start(loop, watcher);
}

/* Serves until it is told to stop; returns the exit status of the process. */
int
loop_run(int process)
{
	int			left;

	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	metrics_attach(process);
	loop = ev_default_loop(EVBACKEND_EPOLL);
	if (loop == NULL)
		log_fatal("could not make an event loop");
	log_access_open(config.access_log);
	if (*config.tls_cert && !tls_load(config.tls_cert, config.tls_key))
		return 1;
	static_load(config.static_dir);
	conn_start(loop);
	event_start(loop);
	health_start();
	pool_start(loop);
	hub_start(loop);
	signals_start();
	presence_start(loop);
	redis_start(loop);
	cache_start();
	signal_start(&stop_signals[0], on_stop, SIGTERM);
	signal_start(&stop_signals[1], on_stop, SIGINT);
	signal_start(&reload_signal, on_reload, SIGHUP);
	ev_timer_init(&tick, on_tick, 0.02, TICK);
	ev_timer_start(loop, &tick);
	listen_start();
	log_info("roost-gateway %s listens at %s port %d%s", ROOST_VERSION, config.listen, config.port,
			 tls_is_on() ? " with TLS" : "");
	ev_run(loop, 0);

	left = conn_count();
	if (left > 0)
		log_warning("stopped with %d connections open", left);
	conn_stop();
	hub_stop();
	redis_stop();
	pool_stop();
	cache_stop();
	log_access_flush();
	metrics->pid = 0;
	return 0;
}
