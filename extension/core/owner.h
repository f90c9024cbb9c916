/*-------------------------------------------------------------------------
 *
 * owner.h
 *		Takes the rights of a function's owner where they are needed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_OWNER_H
#define ROOST_OWNER_H

#include "postgres.h"

/* zero it */
typedef struct RoostOwner
{
	bool		begun;
	Oid			user;			/* as it was before */
	int			context;
	int			settings;
} RoostOwner;

extern void roost_owner_begin(RoostOwner *owner, Oid function);
extern void roost_owner_end(RoostOwner *owner);

#endif							/* ROOST_OWNER_H */
