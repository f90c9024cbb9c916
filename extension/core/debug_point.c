/*-------------------------------------------------------------------------
 *
 * debug_point.c
 *		Named places in the code where a test can make a session wait.
 *
 * A point is an advisory lock whose key is the hash of its name, in a class
 * that SQL's advisory locks do not use.  Arming takes it exclusively for the
 * session; a session that reaches the point takes it shared and lets go at
 * once.  So the isolation tester sees the waiting session as blocked, and a
 * test that dies releases what it armed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"

#include "core/debug_point.h"

PG_FUNCTION_INFO_V1(roost_debug_point_arm);
PG_FUNCTION_INFO_V1(roost_debug_point_release);

#ifdef ROOST_DEBUG

/* SQL's advisory locks have 1 or 2 here */
#define DEBUG_POINT_CLASS	0x526f

static void debug_point_tag(LOCKTAG *tag, const char *name);

/*
 * Waits while another session has the point armed.
 */
void
roost_debug_point(const char *name)
{
	LOCKTAG		tag;

	debug_point_tag(&tag, name);
	(void) LockAcquire(&tag, ShareLock, true, false);
	LockRelease(&tag, ShareLock, true);
}

static void
debug_point_tag(LOCKTAG *tag, const char *name)
{
	uint32		hash = hash_bytes((const unsigned char *) name, strlen(name));

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, 0, hash, DEBUG_POINT_CLASS);
}

#else

static void
debug_point_unsupported(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("debug points do not exist in this build"),
			 errhint("Build roost with ROOST_DEBUG=1.")));
}

#endif							/* ROOST_DEBUG */

/*
 * roost_internal.debug_point_arm(name) makes other sessions wait at a point.
 */
Datum
roost_debug_point_arm(PG_FUNCTION_ARGS)
{
#ifdef ROOST_DEBUG
	LOCKTAG		tag;

	debug_point_tag(&tag, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	(void) LockAcquire(&tag, ExclusiveLock, true, false);
#else
	debug_point_unsupported();
#endif
	PG_RETURN_VOID();
}

/*
 * roost_internal.debug_point_release(name) lets the waiting sessions go on;
 * returns false if this session had not armed the point.
 */
Datum
roost_debug_point_release(PG_FUNCTION_ARGS)
{
#ifdef ROOST_DEBUG
	LOCKTAG		tag;

	debug_point_tag(&tag, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_BOOL(LockRelease(&tag, ExclusiveLock, true));
#else
	debug_point_unsupported();
	PG_RETURN_NULL();
#endif
}
