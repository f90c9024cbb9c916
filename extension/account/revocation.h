/*-------------------------------------------------------------------------
 *
 * revocation.h
 *		Sessions and accounts whose access tokens are no longer accepted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_REVOCATION_H
#define ROOST_REVOCATION_H

#include "storage/lwlock.h"

#define ROOST_REVOCATION_LOCKS	2

extern bool roost_revocation_check(int64 session_id, int64 account_id, int64 now);
extern void roost_revocation_define_gucs(void);
extern Size roost_revocation_shmem_size(void);
extern void roost_revocation_shmem_init(void *area, LWLockPadded *locks, bool found);
extern void roost_revocation_init(void);

#endif							/* ROOST_REVOCATION_H */
