/*-------------------------------------------------------------------------
 *
 * stat.h
 *		Counters of accounts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_ACCOUNT_STAT_H
#define ROOST_ACCOUNT_STAT_H

extern bool roost_account_stat_try(int64 account_id, int64 followers, int64 following, int64 posts);

/* called between SPI_connect() and SPI_finish() */
extern void roost_account_stat_add(int64 account_id, int64 followers, int64 following, int64 posts);

#endif							/* ROOST_ACCOUNT_STAT_H */
