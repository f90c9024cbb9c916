/*-------------------------------------------------------------------------
 *
 * turn.c
 *		The locks of who writes a message, before the row of the conversation.
 *
 * They are those of roost_internal.account_hold(), block_refuse() and
 * conversation_turn(), in the same order, without a statement for each.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"

#include "post/read.h"
#include "post/viewer.h"

PG_FUNCTION_INFO_V1(roost_chat_message_turn);

/* the first keys of advisory locks (sql/account/leave.sql, sql/graph/block.sql, sql/chat/conversation.sql) */
#define TURN_ACCOUNT	1919905651
#define TURN_PAIR		1919905654
#define TURN_CONVERSATION 1919905657

static void turn_hold_accounts(int64 account_id, int64 other_id);
static void turn_hold_pair(int64 account_id, int64 other_id);
static bool turn_is_blocked(int64 account_id, int64 other_id);
static int32 turn_hash(int64 id);

/*
 * roost_internal.message_turn(actor_id, other_id, conversation_id)
 */
Datum
roost_chat_message_turn(PG_FUNCTION_ARGS)
{
	int64		actor_id = PG_GETARG_INT64(0);
	int64		other_id = PG_ARGISNULL(1) ? actor_id : PG_GETARG_INT64(1);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	turn_hold_accounts(actor_id, other_id);
	if (other_id != actor_id)
	{
		turn_hold_pair(actor_id, other_id);
		if (turn_is_blocked(actor_id, other_id))
			PG_RETURN_BOOL(false);
	}
	DirectFunctionCall2(pg_advisory_xact_lock_int4, Int32GetDatum(TURN_CONVERSATION), Int32GetDatum(turn_hash(PG_GETARG_INT64(2))));
	PG_RETURN_BOOL(true);
}

/*
 * Keeps one or two accounts from being deleted.
 */
static void
turn_hold_accounts(int64 account_id, int64 other_id)
{
	int32		key = turn_hash(account_id);
	int32		other = turn_hash(other_id);

	DirectFunctionCall2(pg_advisory_xact_lock_shared_int4, Int32GetDatum(TURN_ACCOUNT), Int32GetDatum(Min(key, other)));
	if (other != key)
		DirectFunctionCall2(pg_advisory_xact_lock_shared_int4, Int32GetDatum(TURN_ACCOUNT), Int32GetDatum(Max(key, other)));
}

/*
 * Keeps blocks between two accounts out.
 */
static void
turn_hold_pair(int64 account_id, int64 other_id)
{
	uint64		key = DatumGetUInt64(DirectFunctionCall2(hashint8extended, Int64GetDatum(Min(account_id, other_id)),
														 Int64GetDatum(Max(account_id, other_id))));

	DirectFunctionCall2(pg_advisory_xact_lock_shared_int4, Int32GetDatum(TURN_PAIR), Int32GetDatum((int32) (key & PG_INT32_MAX)));
}

/*
 * Returns whether one of two accounts has blocked the other, as it is now that
 * they are held.
 */
static bool
turn_is_blocked(int64 account_id, int64 other_id)
{
	PostReader	reader;
	PostViewer	viewer;
	bool		apart;

	PushActiveSnapshot(GetTransactionSnapshot());
	roost_post_reader_begin(&reader);
	roost_viewer_begin(&viewer, &reader, NULL, account_id);
	apart = roost_viewer_is_apart(&viewer, other_id);
	roost_post_reader_end(&reader);
	PopActiveSnapshot();
	return apart;
}

/* hashint8() of SQL */
static int32
turn_hash(int64 id)
{
	return DatumGetInt32(DirectFunctionCall1(hashint8, Int64GetDatum(id)));
}
