/*-------------------------------------------------------------------------
 *
 * hold.c
 *		Keeps accounts from being deleted while something is done to them.
 *
 * An advisory lock of the account, in shared mode; who deletes it takes the
 * lock alone (sql/account/leave.sql).  Two accounts are locked in the order of
 * their keys, which nobody takes the other way round.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(roost_account_hold);

#define HOLD_CLASS	1919905651	/* as in sql/account/leave.sql */

static int32 hold_key(int64 account_id);
static void hold_lock(int32 key);

/*
 * roost_internal.account_hold(account_id, other_id)
 */
Datum
roost_account_hold(PG_FUNCTION_ARGS)
{
	int32		key;
	int32		other;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_VOID();
	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot hold an account during a parallel operation")));
	key = hold_key(PG_GETARG_INT64(PG_ARGISNULL(0) ? 1 : 0));
	other = PG_ARGISNULL(1) ? key : hold_key(PG_GETARG_INT64(1));
	hold_lock(Min(key, other));
	if (key != other)
		hold_lock(Max(key, other));
	PG_RETURN_VOID();
}

static int32
hold_key(int64 account_id)
{
	return DatumGetInt32(DirectFunctionCall1(hashint8, Int64GetDatum(account_id)));
}

/*
 * Locks as pg_advisory_xact_lock_shared() does.
 */
static void
hold_lock(int32 key)
{
	LOCKTAG		tag;

	/* 2: two keys of 32 bits */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) HOLD_CLASS, (uint32) key, 2);
	(void) LockAcquire(&tag, ShareLock, false, false);
}
