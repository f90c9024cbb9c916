/*-------------------------------------------------------------------------
 *
 * idmap.h
 *		A map from ids to what has been looked up of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_POST_IDMAP_H
#define ROOST_POST_IDMAP_H

/* The thing of an id, or NULL for none */
typedef struct IdEntry
{
	int64		id;
	char		status;
	void	   *thing;
} IdEntry;

#define SH_PREFIX idmap
#define SH_ELEMENT_TYPE IdEntry
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) ((uint32) (((uint64) (key) * UINT64CONST(0x9E3779B97F4A7C15)) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

#endif							/* ROOST_POST_IDMAP_H */
