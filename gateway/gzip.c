/*-------------------------------------------------------------------------
 *
 * gzip.c
 *		Compression within a budget.
 *
 * Compressing a page of JSON costs ten times as much CPU as everything else
 * the gateway does for it.  So compression may take gzip-percent of the time:
 * it spends from an account that fills at that rate, up to BUDGET_MAX; when it
 * is empty, answers go out as they are.
 *
 *-------------------------------------------------------------------------
 */
#include <time.h>

#include <zlib.h>

#include "config.h"
#include "gzip.h"
#include "metrics.h"

#define LEVEL 1
#define BUDGET_MAX 0.05			/* seconds */

static z_stream stream;
static bool stream_made;
static double budget = BUDGET_MAX;
static double filled_at;

/* Returns a clock in seconds. */
static double
gzip_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/*
 * Puts the compressed bytes into a buffer; returns false if there is no budget
 * for it or nothing is gained.
 */
bool
gzip_compress(const char *data, size_t length, Buffer *into)
{
	double		start = gzip_clock();
	int			status;

	budget += (start - filled_at) * config.gzip_percent / 100.0;
	budget = Min(budget, BUDGET_MAX);
	filled_at = start;
	if (budget <= 0)
		return false;
	if (!stream_made)
		stream_made = deflateInit2(&stream, LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
	if (!stream_made)
		return false;
	into->length = 0;
	buffer_reserve(into, length);
	stream.next_in = (unsigned char *) data;
	stream.avail_in = (unsigned) length;
	stream.next_out = (unsigned char *) into->data;
	stream.avail_out = (unsigned) length;	/* more would be no gain */
	status = deflate(&stream, Z_FINISH);
	into->length = length - stream.avail_out;
	deflateReset(&stream);
	budget -= gzip_clock() - start;
	if (status != Z_STREAM_END)
		return false;
	metrics->gzip_in += length;
	metrics->gzip_out += into->length;
	return true;
}
