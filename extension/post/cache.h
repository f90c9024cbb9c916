/*-------------------------------------------------------------------------
 *
 * cache.h
 *		Rendered posts in shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_POST_CACHE_H
#define ROOST_POST_CACHE_H

#include "post/page.h"
#include "post/read.h"
#include "storage/lwlock.h"

/*
 * A post as it looks to everybody: what decides who sees it, its counters, and
 * its JSON with gaps for the counters, what the viewer has done to it, and the
 * site's address.  Behind the struct come the ids of those it mentions, then
 * the JSON.
 */
typedef struct PostCopy
{
	RoostPostFacts facts;
	int64		counts[STAT_COLUMNS];
	int64		stored_ms;		/* since 1970 */
	uint32		size;			/* of everything, in bytes */
	uint32		epoch;			/* of the tables; see roost_post_read_epoch() */
	uint32		post_version;	/* stamps */
	uint32		account_version;
	uint32		count_version;
	bool		counted;		/* counts are those of count_version */
	bool		is_private;		/* the author's account; it is active */
	bool		is_limited;
	bool		everyone;		/* a stranger may see it */
	char		visibility;		/* first letters */
	char		state;
	int32		num_mentions;
	int32		gap;			/* where the counters belong */
	int32		address;		/* where the site's address belongs */
	int32		rest;			/* what roost.post has behind its embeds */
	int32		length;			/* of the JSON */
} PostCopy;

#define POST_COPY_MENTIONS(copy)	((int64 *) ((char *) (copy) + MAXALIGN(sizeof(PostCopy))))
#define POST_COPY_JSON(copy)	((char *) (POST_COPY_MENTIONS(copy) + (copy)->num_mentions))

/* Copies larger than this are not kept. */
#define POST_COPY_SIZE_MAX	8192

/* What a page takes from the cache, to be counted when it ends */
typedef struct PostCacheUse
{
	bool		on;
	uint32		epoch;
	int64		now_ms;
	uint64		hits;
	uint64		misses;
	uint64		recounts;
} PostCacheUse;

extern void roost_post_cache_begin(PostCacheUse *use);
extern void roost_post_cache_end(PostCacheUse *use);
extern void roost_post_cache_prefetch(const int64 *ids, int n);
extern PostCopy *roost_post_cache_find(PostCacheUse *use, int64 id);
extern void roost_post_cache_store(PostCacheUse *use, PostCopy *copy);
extern void roost_post_cache_recount(PostCacheUse *use, const PostCopy *copy);

extern void roost_post_cache_define_gucs(void);
extern Size roost_post_cache_shmem_size(void);
extern void roost_post_cache_shmem_init(void *area, LWLockPadded *locks, bool found);

#define POST_CACHE_PARTITIONS	32	/* and locks */

#endif							/* ROOST_POST_CACHE_H */
