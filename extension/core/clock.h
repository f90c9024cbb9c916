/*-------------------------------------------------------------------------
 *
 * clock.h
 *		The one source of time: milliseconds and microseconds since 1970.
 *
 * In debug builds a test may freeze the clock, for its own session or for
 * the whole server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_CLOCK_H
#define ROOST_CLOCK_H

#include <time.h>

#include "datatype/timestamp.h"

/* microseconds between 1970 and 2000, where PostgreSQL's time begins */
#define ROOST_CLOCK_EPOCH_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

#ifdef ROOST_DEBUG
extern int64 roost_clock_us(void);
#else
/*
 * Returns the time in microseconds since 1970.
 */
static inline int64
roost_clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64) ts.tv_sec * USECS_PER_SEC + ts.tv_nsec / 1000;
}
#endif

/*
 * Returns the time in milliseconds since 1970.
 */
static inline int64
roost_clock_ms(void)
{
	return roost_clock_us() / 1000;
}

/*
 * Returns PostgreSQL's form of a time in microseconds since 1970.
 */
static inline TimestampTz
roost_clock_timestamp(int64 us)
{
	return us - ROOST_CLOCK_EPOCH_US;
}

/*
 * Returns the microseconds since 1970 of PostgreSQL's form of a time.
 */
static inline int64
roost_clock_from_timestamp(TimestampTz at)
{
	return at + ROOST_CLOCK_EPOCH_US;
}

#endif							/* ROOST_CLOCK_H */
