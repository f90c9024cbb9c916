/*-------------------------------------------------------------------------
 *
 * verdict.c
 *		What policies refused, on its way to the table.
 *
 * What a policy says of a post is a row of roost_data.moderation_verdict,
 * written in the post's transaction.  A refusal ends that transaction, and
 * with it the row would go.  So a refusal is put into a ring in shared memory
 * at once, and the worker, which is woken for that, writes it to the table
 * within one of its turns.  It outlives whatever becomes of the transaction,
 * and a restart, but not a crash before that turn.
 *
 * The ring holds the last VERDICT_RING refusals of the database that owns the
 * shared memory; elsewhere, and on a standby, nothing is put into it.  When it
 * is full, the oldest is lost and counted.  The lock guards everything; the
 * number of waiting ones is also read without it, to see whether there is
 * work.  Entries leave the ring when they have been written, so an error of
 * the worker loses none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "port/atomics.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "bgworker/worker.h"
#include "core/clock.h"
#include "core/core.h"
#include "core/debug_point.h"
#include "live/queue.h"
#include "moderation/policy.h"
#include "moderation/setting.h"
#include "moderation/trigger.h"
#include "moderation/verdict.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_verdict_stat);

#define VERDICT_RING	1024
#define VERDICT_BATCH	128		/* refusals that are written in one statement */
#define VERDICT_COLUMNS	9

typedef struct VerdictShared
{
	pg_atomic_uint32 waiting;	/* written - taken */

	/* guarded by the lock */
	uint64		written;		/* refusals ever put in */
	uint64		taken;			/* those of them that have left */
	uint64		lost;			/* those of them that nobody has written */
	RoostRefusal entries[VERDICT_RING];
} VerdictShared;

static VerdictShared *verdict_shared = NULL;
static LWLock *verdict_lock = NULL;

static bool verdict_is_due(void);
static void verdict_save(void);
static uint64 verdict_copy(RoostRefusal *batch, int *count);
static void verdict_save_batch(const RoostRefusal *batch, int count);

/*
 * Notes a refusal, whatever becomes of the transaction.
 */
void
roost_verdict_refused(const RoostRefusal *refusal)
{
	if (!roost_core_is_home() || RecoveryInProgress())
		return;
	LWLockAcquire(verdict_lock, LW_EXCLUSIVE);
	if (verdict_shared->written - verdict_shared->taken == VERDICT_RING)
	{
		verdict_shared->taken++;
		verdict_shared->lost++;
	}
	verdict_shared->entries[verdict_shared->written++ % VERDICT_RING] = *refusal;
	pg_atomic_write_u32(&verdict_shared->waiting, verdict_shared->written - verdict_shared->taken);
	LWLockRelease(verdict_lock);
	roost_queue_wake();
}

/*
 * Returns whether there is something to write.
 */
static bool
verdict_is_due(void)
{
	return pg_atomic_read_u32(&verdict_shared->waiting) > 0;
}

/*
 * Writes what is there; called by the worker, in a transaction.
 */
static void
verdict_save(void)
{
	RoostRefusal *batch = palloc(VERDICT_BATCH * sizeof(RoostRefusal));
	uint64		end;
	int			count;

	ROOST_DEBUG_POINT("verdict_save");
	for (int saved = 0; saved < VERDICT_RING; saved += count)
	{
		end = verdict_copy(batch, &count);
		if (count == 0)
			break;
		verdict_save_batch(batch, count);

		LWLockAcquire(verdict_lock, LW_EXCLUSIVE);
		verdict_shared->taken = Max(verdict_shared->taken, end);
		pg_atomic_write_u32(&verdict_shared->waiting, verdict_shared->written - verdict_shared->taken);
		LWLockRelease(verdict_lock);
	}
}

/*
 * Copies the oldest refusals; returns the number of the first one behind them.
 */
static uint64
verdict_copy(RoostRefusal *batch, int *count)
{
	uint64		start;

	LWLockAcquire(verdict_lock, LW_SHARED);
	start = verdict_shared->taken;
	*count = Min(verdict_shared->written - start, VERDICT_BATCH);
	for (int i = 0; i < *count; i++)
		batch[i] = verdict_shared->entries[(start + i) % VERDICT_RING];
	LWLockRelease(verdict_lock);
	return start + *count;
}

/*
 * Writes refusals to the table.
 */
static void
verdict_save_batch(const RoostRefusal *batch, int count)
{
	static const Oid elements[VERDICT_COLUMNS] = {TIMESTAMPTZOID, TEXTOID, INT8OID, INT8OID, INT8OID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID};
	Oid			types[VERDICT_COLUMNS] = {TIMESTAMPTZARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
	FLOAT8ARRAYOID, FLOAT8ARRAYOID};
	Datum	   *columns[VERDICT_COLUMNS];
	Datum		values[VERDICT_COLUMNS];

	for (int i = 0; i < VERDICT_COLUMNS; i++)
		columns[i] = palloc(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		columns[0][i] = TimestampTzGetDatum(roost_clock_timestamp(batch[i].at));
		columns[1][i] = CStringGetTextDatum(batch[i].subject);
		columns[2][i] = Int64GetDatum(batch[i].subject_id);
		columns[3][i] = Int64GetDatum(batch[i].account_id);
		columns[4][i] = Int64GetDatum(batch[i].text_hash);
		columns[5][i] = CStringGetTextDatum(batch[i].policy);
		columns[6][i] = CStringGetTextDatum(batch[i].signal);
		columns[7][i] = Float8GetDatum(batch[i].score);
		columns[8][i] = Float8GetDatum(batch[i].threshold);
	}
	for (int i = 0; i < VERDICT_COLUMNS; i++)
	{
		bool		is_text = elements[i] == TEXTOID;

		values[i] = PointerGetDatum(construct_array(columns[i], count, elements[i], is_text ? -1 : 8, !is_text && FLOAT8PASSBYVAL,
													is_text ? TYPALIGN_INT : TYPALIGN_DOUBLE));
	}

	SPI_connect();
	if (SPI_execute_with_args("SELECT roost_internal.verdict_save($1, $2, $3, $4, $5, $6, $7, $8, $9)",
							  VERDICT_COLUMNS, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not save what was refused");
	SPI_finish();
}

/*
 * roost_internal.verdict_stat() returns how many refusals there have been,
 * how many wait for the worker, and how many are lost.
 */
Datum
roost_verdict_stat(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	LWLockAcquire(verdict_lock, LW_SHARED);
	values[0] = Int64GetDatum((int64) verdict_shared->written);
	values[1] = Int64GetDatum((int64) (verdict_shared->written - verdict_shared->taken));
	values[2] = Int64GetDatum((int64) verdict_shared->lost);
	LWLockRelease(verdict_lock);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static Size
verdict_shmem_size(void)
{
	return sizeof(VerdictShared);
}

/*
 * Creates the ring, or attaches to it.
 */
static void
verdict_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	verdict_shared = area;
	verdict_lock = &locks[0].lock;
	if (found)
		return;
	memset(area, 0, sizeof(VerdictShared));
	pg_atomic_init_u32(&verdict_shared->waiting, 0);
}

/*
 * Registers for changes of what backends keep.
 */
static void
verdict_init(void)
{
	roost_moderation_policy_init();
	roost_moderation_post_init();
}

const RoostModule roost_verdict_module = {
	.name = "roost verdict",
	.define_gucs = roost_moderation_define_settings,
	.shmem_size = verdict_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = verdict_shmem_init,
	.init = verdict_init,
};

const RoostWorkerStep roost_verdict_step = {
	.name = "save what was refused",
	.period_ms = 0,
	.transaction = true,
	.primary_only = true,
	.due = verdict_is_due,
	.run = verdict_save,
};
