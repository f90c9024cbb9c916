/*-------------------------------------------------------------------------
 *
 * gzip.h
 *		Compression within a budget.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GZIP_H
#define GZIP_H

#include "util.h"

extern bool gzip_compress(const char *data, size_t length, Buffer *into);

#endif							/* GZIP_H */
