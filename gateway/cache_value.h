/*-------------------------------------------------------------------------
 *
 * cache_value.h
 *		Answers as they lie in Redis.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_VALUE_H
#define CACHE_VALUE_H

#include "cache_store.h"

extern void cache_value_write(const CacheContent *content, int64_t epoch, Buffer *into);
extern bool cache_value_read(const char *data, size_t length, CacheContent *content, int64_t *epoch,
							 int64_t ids[CACHE_MAX_IDS]);
extern bool cache_header_is_kept(const char *line, size_t length);

#endif							/* CACHE_VALUE_H */
