/*-------------------------------------------------------------------------
 *
 * invalidation.h
 *		Tells modules that a relation may have changed, so that they forget
 *		what they have cached from it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_INVALIDATION_H
#define ROOST_INVALIDATION_H

/* relid is InvalidOid when any relation may have changed */
typedef void (*RoostRelationCallback) (Oid relid);

extern void roost_invalidation_register(RoostRelationCallback callback);

#endif							/* ROOST_INVALIDATION_H */
