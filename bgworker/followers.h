/*-------------------------------------------------------------------------
 *
 * followers.h
 *		Who follows an account, for the worker's fan-out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_FOLLOWERS_H
#define ROOST_FOLLOWERS_H

typedef struct FollowersStat
{
	int64		hits;			/* walks of a list that was in memory */
	int64		misses;			/* walks that read the index */
	int64		lists;
	int64		bytes;
} FollowersStat;

/* Takes some of an account's followers */
typedef void (*FollowersSink) (const int64 *follower_ids, int n, void *arg);

extern void roost_followers_define_gucs(void);

/* Everything else is called between these two, in a transaction. */
extern void roost_followers_begin(void);
extern void roost_followers_end(void);

/* Gives all followers to the sink (or none, NULL); returns how many there are. */
extern int64 roost_followers_walk(int64 account_id, FollowersSink sink, void *arg);

/* Somebody has followed or unfollowed. */
extern void roost_followers_changed(int64 follower_id, int64 followee_id);

extern void roost_followers_drop(int64 account_id);
extern void roost_followers_forget(void);	/* at any time */
extern void roost_followers_stat(FollowersStat *stat);	/* at any time */

#endif							/* ROOST_FOLLOWERS_H */
