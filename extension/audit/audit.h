/*-------------------------------------------------------------------------
 *
 * audit.h
 *		The audit trail: what the parts of the module share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_AUDIT_H
#define ROOST_AUDIT_H

#include "utils/jsonb.h"

/* What is to be said of something that was done; ids of 0 are unknown. */
typedef struct AuditEntry
{
	const char *action;
	const char *object_type;
	const char *object_id;		/* or NULL */
	int64		account_id;		/* whom it concerns */
	int64		actor_id;		/* who did it, if the caller knows */
	bool		by_trigger;
	Jsonb	   *detail;
} AuditEntry;

extern int	roost_audit_retention;	/* seconds; 0: for ever */
extern int	roost_audit_log_interval;	/* seconds; 0: never */

/* the worker seals: it may take entries away that it has put into the chain */
extern bool roost_audit_sealing;

/* an entry is written that says who does it: no other may be put in */
extern bool roost_audit_writing;

extern void roost_audit_failures(void);
extern void roost_audit_write(AuditEntry *entry);
extern int64 roost_audit_actor(void);

#endif							/* ROOST_AUDIT_H */
