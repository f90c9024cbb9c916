/*-------------------------------------------------------------------------
 *
 * commit.h
 *		Events that reach shared memory when, and only when, their
 *		transaction commits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_COMMIT_H
#define ROOST_COMMIT_H

#include "core/event.h"

/*
 * Handles events of one kind after their commit, in the committing backend,
 * or in the worker for prepared transactions.  Must not fail or allocate.
 * Without events (NULL, 0), an unknown number of them has been lost: forget
 * everything that was derived from them.
 */
typedef void (*RoostCommitHandler) (const RoostEvent *events, int count);

extern void roost_commit_handle(RoostEventKind kind, RoostCommitHandler handler);
extern void roost_commit_append(const RoostEvent *event);
extern void roost_commit_lose(void);

/* Prepared transactions whose end is not known yet. */
extern int	roost_commit_in_doubt(void);
extern void roost_commit_resolve(void);
extern bool roost_commit_adoptable(void);
extern void roost_commit_adopt(void);
extern int	roost_commit_doubt_read(uint32 kinds, RoostEvent *events, int max);
extern int64 roost_commit_doubt_lowest(bool *known);

#endif							/* ROOST_COMMIT_H */
