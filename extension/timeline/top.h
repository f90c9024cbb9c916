/*-------------------------------------------------------------------------
 *
 * top.h
 *		Home timelines in the order of their rank: what top.c and top_kept.c
 *		share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TIMELINE_TOP_H
#define ROOST_TIMELINE_TOP_H

#include "post/page.h"
#include "storage/lwlock.h"
#include "timeline/newest.h"

#define TOP_LIST			1000	/* entries that are ranked */
#define TOP_LOCKS			16

/* One call */
typedef struct Top
{
	RoostPage  *page;
	int64		reader_id;
	TimelineReplies replies;
	bool		own;
	int64		before;			/* PG_INT64_MAX: none */
	int64		after;			/* 0: none */
	int			count;
	int64	   *ids;
	int64	   *cursors;
} Top;

/* A number of an id */
typedef struct TopNumber
{
	int64		id;
	char		status;
	double		number;
} TopNumber;

#define SH_PREFIX numbers
#define SH_ELEMENT_TYPE TopNumber
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) ((uint32) (((uint64) (key) * UINT64CONST(0x9E3779B97F4A7C15)) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

extern int	roost_rank_memory;
extern int	roost_rank_seen_delay;
extern double roost_rank_seen;

extern bool roost_top_list_find(Top *top, int64 cursor);
extern void roost_top_list_keep(const Top *top, uint16 tag);
extern uint16 roost_top_tag(void);
extern numbers_hash *roost_top_shown_read(int64 reader_id);
extern void roost_top_shown_write(int64 reader_id, const int64 *post_ids, int n);
extern Size roost_top_shmem_size(void);
extern void roost_top_shmem_init(void *area, LWLockPadded *locks, bool found);

#endif							/* ROOST_TIMELINE_TOP_H */
