/*-------------------------------------------------------------------------
 *
 * cache_change.h
 *		Which ids have changed, and at which rows of the log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_CHANGE_H
#define CACHE_CHANGE_H

#include "util.h"

typedef enum Change
{
	CHANGE_NONE,
	CHANGE_SOFT,				/* a counter, or a list may have one more */
	CHANGE_HARD,				/* what stood there must not be shown any more */
	CHANGE_UNKNOWN				/* it is too long ago to be known */
} Change;

extern void change_reset(int64_t seq);
extern void change_note(int64_t id, int64_t seq, bool hard);
extern void change_note_list(int64_t seq);
extern bool change_is_full(void);
extern void change_forget(void);
extern Change change_since(const int64_t *ids, size_t count, bool list, int64_t seq);

#endif							/* CACHE_CHANGE_H */
