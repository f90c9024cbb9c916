/*-------------------------------------------------------------------------
 *
 * pending.c
 *		What has been committed, or is about to be, and has not reached the
 *		worker's caches.
 *
 * An event is in one of three places from before its transaction can be seen
 * until the worker has applied it, and enters the next before it leaves the
 * one before: the announcement of its backend or, if the transaction was
 * prepared, a slot of commit.c; then the event queue.  Readers look in this
 * order.  Nothing is kept here.
 *
 * With nothing pending a reader loads the bitmap of announcements and four
 * values, and takes no lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "port/atomics.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "core/announce.h"
#include "core/commit.h"
#include "core/core.h"
#include "core/id.h"
#include "core/pending.h"
#include "live/queue.h"

/*
 * Copies the pending events of these kinds.
 */
int
roost_pending_read(uint32 kinds, RoostEvent *events, int max)
{
	int			found;
	int			n;

	Assert((kinds & ~ROOST_PENDING_KINDS) == 0);

	if (!roost_core_is_home() || RecoveryInProgress())
		return ROOST_PENDING_UNKNOWN;

	pg_read_barrier();
	found = roost_announce_read(kinds, events, max);
	if (found < 0)
		return ROOST_PENDING_UNKNOWN;

	pg_read_barrier();
	n = roost_commit_doubt_read(kinds, events + found, max - found);
	if (n < 0)
		return ROOST_PENDING_UNKNOWN;
	found += n;

	pg_read_barrier();
	n = roost_queue_peek(kinds, events + found, max - found);
	if (n < 0)
		return ROOST_PENDING_UNKNOWN;
	pg_read_barrier();

	return found + n;
}

/*
 * Returns a lower bound of the ids of what the worker has not heard of.  The
 * counter is read first: who announces an id later than we look makes it later
 * than that.
 */
int64
roost_pending_horizon(void)
{
	int64		horizon = roost_id_lowest();
	int64		lowest[3];
	bool		known;

	pg_memory_barrier();
	lowest[0] = roost_announce_lowest();
	pg_read_barrier();
	lowest[1] = roost_commit_doubt_lowest(&known);
	pg_read_barrier();
	lowest[2] = roost_queue_lowest();

	for (int i = 0; i < lengthof(lowest); i++)
	{
		if (lowest[i] != 0)
			horizon = Min(horizon, lowest[i]);
	}
	return known ? horizon : 0;
}

/*
 * Returns the generation of events.
 */
uint64
roost_pending_generation(void)
{
	return roost_queue_generation();
}
