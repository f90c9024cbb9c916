/*-------------------------------------------------------------------------
 *
 * log.h
 *		The error log (standard error) and the access log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LOG_H
#define LOG_H

#include "util.h"

typedef enum LogLevel
{
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG
} LogLevel;

extern void log_write(LogLevel level, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern void log_fatal(const char *format,...)
			__attribute__((format(printf, 1, 2), noreturn));
extern void log_set_level(LogLevel level);

extern void log_access_open(const char *pattern);
extern void log_access_rotate(void);
extern Buffer *log_access_buffer(void);
extern void log_access_end(void);
extern void log_access_flush(void);
extern uint64_t log_access_dropped(void);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif							/* LOG_H */
