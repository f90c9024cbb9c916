/*-------------------------------------------------------------------------
 *
 * position.c
 *		How far the write-ahead log of this server has come.
 *
 * A gateway that reads from standbys asks every server for its position:
 * standbys, to know how old their answers are, and the primary right after a
 * write on the same connection, to know what the writer must be able to see.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#if PG_VERSION_NUM >= 150000
#include "access/xlogrecovery.h"
#endif
#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(roost_api_gateway_position);

/*
 * roost.gateway_position() returns "system timeline lsn commit role".
 *
 * lsn is what a standby has replayed, or what is safe on the primary's disk:
 * everything that was committed with synchronous_commit before the call.
 * commit is where the last transaction of this session that wrote anything
 * has ended, also one that did not wait for the disk.
 */
Datum
roost_api_gateway_position(PG_FUNCTION_ARGS)
{
	bool		standby = RecoveryInProgress();
	TimeLineID	timeline = 0;
	XLogRecPtr	lsn = standby ? GetXLogReplayRecPtr(&timeline) : GetFlushRecPtr(&timeline);

	PG_RETURN_TEXT_P(cstring_to_text(psprintf(UINT64_FORMAT " %u %X/%X %X/%X %s", GetSystemIdentifier(), timeline,
											  LSN_FORMAT_ARGS(lsn), LSN_FORMAT_ARGS(XactLastCommitEnd),
											  standby ? "standby" : "primary")));
}
