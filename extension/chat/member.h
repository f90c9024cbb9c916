/*-------------------------------------------------------------------------
 *
 * member.h
 *		The conversations that an account is a member of.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_CHAT_MEMBER_H
#define ROOST_CHAT_MEMBER_H

#include "post/read.h"

#define MEMBER_NOT_ARCHIVED	(-1)
#define MEMBER_NOT_MUTED	0

typedef struct ChatMember
{
	int64		conversation_id;
	int64		since_id;
	int64		archived_id;	/* or MEMBER_NOT_ARCHIVED */
	int64		muted_until;	/* microseconds since 1970; PG_INT64_MAX: for
								 * good; or MEMBER_NOT_MUTED */
	int64		last_id;		/* its newest message; 0: none, -1: there is
								 * no such conversation */
	uint32		version;		/* of the stamp that last_id goes with */
	bool		known;			/* there is one */
	bool		changed;		/* last_id is newer than what is kept */
	bool		pinned;
	bool		quiet;			/* direct, and begun by the other one: not
								 * shown while it has no message */
} ChatMember;

typedef struct ChatMembers
{
	int			count;
	ChatMember *list;			/* by conversation_id, ascending */
	uint64		build;			/* of what is kept; 0: it is not */
} ChatMembers;

/*
 * Reads the conversations of an account as the reader's snapshot shows them;
 * the list is palloc'ed.  last_id and quiet are only right with `newest`.
 */
extern void roost_members_read(PostReader *reader, int64 account_id, bool newest, ChatMembers *members);

#endif							/* ROOST_CHAT_MEMBER_H */
