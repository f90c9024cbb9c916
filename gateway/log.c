/*-------------------------------------------------------------------------
 *
 * log.c
 *		The error log (standard error) and the access log.
 *
 * Both are JSON, one object a line.  Access lines gather in a buffer that is
 * written when it has LOG_FLUSH_SIZE bytes and by the loop's tick, so a
 * request costs no system call.  A reader that does not keep up with a pipe
 * loses lines, which are counted, and never holds up requests.
 *
 * The name of the access log may hold conversions of strftime, in UTC: then a
 * new file begins when the name changes.  One that was last written days ago is
 * emptied first, so that "access-%a.log" keeps a week.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define LOG_FLUSH_SIZE (32 * 1024)
#define LOG_KEEP_SIZE (1024 * 1024)
#define LOG_STALE_SECONDS (2 * 24 * 60 * 60)

static LogLevel log_level = LOG_INFO;
static int	access_fd = -1;
static char access_pattern[PATH_MAX];
static char access_path[PATH_MAX];
static Buffer access_buffer;
static uint64_t access_dropped;

/* Sets what the error log leaves out. */
void
log_set_level(LogLevel level)
{
	log_level = level;
}

/* Writes one line to the error log. */
static void
log_line(LogLevel level, const char *format, va_list args)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	char		message[2048];
	char		stamp[32];
	struct timespec now;
	struct tm	tm;
	Buffer		line = {0};

	vsnprintf(message, sizeof(message), format, args);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	buffer_printf(&line, "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"pid\":%d,\"message\":",
				  stamp, (int) (now.tv_nsec / 1000000), names[level], (int) getpid());
	buffer_append_json(&line, message);
	buffer_append(&line, "}\n", 2);
	if (write(STDERR_FILENO, line.data, line.length) < 0)
	{
		/* there is no other place to complain */
	}
	buffer_free(&line);
}

/* Writes one line to the error log, if its level is wanted. */
void
log_write(LogLevel level, const char *format,...)
{
	va_list		args;

	if (level > log_level)
		return;
	va_start(args, format);
	log_line(level, format, args);
	va_end(args);
}

/* Writes one line to the error log and ends the process. */
void
log_fatal(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	log_line(LOG_ERROR, format, args);
	va_end(args);
	exit(1);
}

/* Works out what the access log is called now. */
static void
log_access_name(char *path, time_t now)
{
	struct tm	tm;

	gmtime_r(&now, &tm);
	if (strchr(access_pattern, '%') == NULL || strftime(path, PATH_MAX, access_pattern, &tm) == 0)
		strcpy(path, access_pattern);
}

/*
 * Opens the access log, or opens it again after a rotation: a path, "-" for
 * standard output, or "off".
 */
void
log_access_open(const char *pattern)
{
	time_t		now = time(NULL);
	int			fd = -1;

	log_access_flush();
	snprintf(access_pattern, sizeof(access_pattern), "%s", pattern);
	log_access_name(access_path, now);
	if (strcmp(access_path, "-") == 0)
		fd = STDOUT_FILENO;
	else if (strcmp(access_path, "off") != 0)
	{
		struct stat status;
		bool		stale = strchr(pattern, '%') != NULL && stat(access_path, &status) == 0 &&
		now - status.st_mtime > LOG_STALE_SECONDS;

		fd = open(access_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (stale ? O_TRUNC : 0), 0640);
		if (fd < 0)
		{
			log_error("could not open access log \"%s\": %s", access_path, strerror(errno));
			return;
		}
	}
	if (access_fd > STDERR_FILENO)
		close(access_fd);
	access_fd = fd;
}

/* Begins a new file if the access log has another name by now. */
void
log_access_rotate(void)
{
	char		path[PATH_MAX];
	char		pattern[PATH_MAX];

	if (access_fd < 0 || strchr(access_pattern, '%') == NULL)
		return;
	log_access_name(path, time(NULL));
	if (strcmp(path, access_path) == 0)
		return;
	strcpy(pattern, access_pattern);
	log_access_open(pattern);
}

/* Returns the buffer to write a line to, or NULL if there is no access log. */
Buffer *
log_access_buffer(void)
{
	return access_fd >= 0 ? &access_buffer : NULL;
}

/* Says that a line is complete. */
void
log_access_end(void)
{
	if (access_buffer.length >= LOG_FLUSH_SIZE)
		log_access_flush();
}

/* Writes what has gathered, as far as that does not block. */
void
log_access_flush(void)
{
	size_t		done = 0;
	struct stat status;
	bool		may_block;

	if (access_fd < 0 || access_buffer.length == 0)
		return;
	may_block = fstat(access_fd, &status) == 0 && !S_ISREG(status.st_mode);
	while (done < access_buffer.length)
	{
		struct pollfd ready = {.fd = access_fd,.events = POLLOUT};
		size_t		chunk = access_buffer.length - done;
		ssize_t		n;

		if (may_block)
		{
			/* a pipe that is ready takes at least PIPE_BUF bytes */
			if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
				break;
			chunk = Min(chunk, PIPE_BUF);
		}
		n = write(access_fd, access_buffer.data + done, chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t) n;
	}
	buffer_remove(&access_buffer, done);
	if (access_buffer.length > LOG_KEEP_SIZE)
	{
		/* keep the start, which may be the rest of a line */
		char	   *end = memchr(access_buffer.data, '\n', access_buffer.length);
		size_t		keep = (size_t) (end - access_buffer.data) + 1;

		for (size_t i = keep; i < access_buffer.length; i++)
			access_dropped += access_buffer.data[i] == '\n';
		access_buffer.length = keep;
	}
	if (access_buffer.length == 0)
		buffer_trim(&access_buffer, 2 * LOG_FLUSH_SIZE);
}

/* Returns how many lines were lost. */
uint64_t
log_access_dropped(void)
{
	return access_dropped;
}
