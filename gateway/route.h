/*-------------------------------------------------------------------------
 *
 * route.h
 *		What the database says about its routes: which lane, which name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "http.h"

typedef enum LaneKind
{
	LANE_FAST,					/* reads; pipelined */
	LANE_WRITE,					/* commits, which wait for the disk */
	LANE_SLOW,					/* one statement at a time */
	LANE_COUNT
} LaneKind;

/* How answers may be kept that are for everybody, see docs/cache.md */
typedef enum CacheKind
{
	CACHE_NONE,
	CACHE_IDS,					/* until something changes whose id is in them */
	CACHE_LIST,					/* and anything new may belong to them */
	CACHE_TIME					/* for a while */
} CacheKind;

typedef struct Route
{
	LaneKind	lane;
	int			metric;			/* of metrics_route() */
	bool		sensitive;		/* the answer holds secrets */
	bool		standby;		/* may run on a standby: it only reads */
	CacheKind	cache;
	uint32_t	id_segments;	/* bit i: segment i of the path, without the
								 * base path, is an id */
	uint32_t	secret_segments;	/* the same, of what no log is to hold */
} Route;

extern bool route_load(const char *text, size_t length);
extern bool route_is_loaded(void);
extern Route route_find(Method method, const char *path);
extern unsigned route_methods(const char *path);
extern unsigned route_loads(void);
extern const char *route_version(void);
extern const char *route_without_base(const char *path);
extern const char *const *route_forwarded_headers(int *count);

#endif							/* ROUTE_H */
