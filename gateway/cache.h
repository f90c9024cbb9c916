/*-------------------------------------------------------------------------
 *
 * cache.h
 *		Answers for everybody, kept until what they show changes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_H
#define CACHE_H

#include "cache_store.h"
#include "request.h"

extern void cache_start(void);
extern void cache_reload(void);
extern void cache_stop(void);
extern void cache_tick(void);
extern bool cache_answer(Request *request);

/* cache.c for cache_flight.c */
extern void cache_send(Request *request, CacheEntry *entry, const char *how, const Buffer *more);
extern bool cache_stamp(int64_t *epoch, int64_t *seq);
extern unsigned cache_resets(void);
extern double cache_life(CacheKind kind);

/* cache_flight.c: questions under way */
typedef struct CacheFlight CacheFlight;

extern CacheFlight *flight_find(const char *key, size_t length);
extern CacheFlight *flight_new(const Request *request, const char *key, size_t length);
extern bool flight_join(CacheFlight *flight, Request *request);
extern void flight_start(CacheFlight *flight);

#endif							/* CACHE_H */
