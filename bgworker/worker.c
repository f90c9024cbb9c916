/*-------------------------------------------------------------------------
 *
 * worker.c
 *		The background worker: a loop over the steps.
 *
 * A turn resolves prepared transactions, empties the event queue into the
 * steps that want events, and runs the steps that are due; then the worker
 * sleeps until the next one is, or until an event comes.  It is the queue's
 * only reader.
 *
 * An event that comes to a sleeping worker wakes it and is taken at once.
 * Events that come thick and fast are taken in batches, and their writers need
 * not wake it: turns with events begin at least a gap apart.  The gap doubles
 * after a turn with more than GAP_CROWD events and halves after one with few,
 * between GAP_MIN_US and GAP_MAX_US.  So an event waits for GAP_MAX_US and the
 * work of two turns at most, and where events are rare for GAP_MIN_US.  A
 * queue that is half full, or somebody who waits for a turn, ends the pause; a
 * worker that does not keep up has none.  What one call of a step gets, a
 * batch, grows up to BATCH_MAX as long as as many are waiting.  A turn takes
 * no more events than there were when it began, so that the wait for a turn is
 * bounded, too.
 *
 * Memory: worker_context lives as long as the process, turn_context is reset
 * after every call of a step.  Each call has a transaction of its own.
 *
 * Lock order: a step's transaction locks roost_data.feed_state before any other
 * table, and so does roost.uninstall(), which locks all of them.  So neither has
 * what the other wants.
 *
 * On a standby the worker runs too, without the steps that write.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "bgworker/follow.h"
#include "bgworker/shared.h"
#include "bgworker/worker.h"
#include "core/clock.h"
#include "core/commit.h"
#include "core/core.h"
#include "core/debug_point.h"
#include "live/queue.h"
#include "roost.h"

#define BATCH_MIN				1024
#define BATCH_MAX				4096
#define GAP_MIN_US				500
#define GAP_MAX_US				4000
#define GAP_CROWD				4	/* events in a turn */
#define WORKER_LOOK_MS			2000	/* for the tables, or promotion */
#define WORKER_DOUBT_MS			200 /* for the end of prepared transactions */
#define WORKER_FAIL_MIN_MS		1000
#define WORKER_FAIL_MAX_MS		300000

PGDLLEXPORT void roost_worker_main(Datum main_arg) pg_attribute_noreturn();

static const RoostWorkerStep adopt_step = {
	.name = "adopt prepared transactions",
	.period_ms = 0,
	.transaction = true,
	.primary_only = true,
	.due = roost_commit_adoptable,
	.run = roost_commit_adopt,
};

/* What the worker does, in this order. */
static const RoostWorkerStep *const worker_steps[] = {
	&adopt_step,
	&roost_fanout_step,
	&roost_lockout_step,
	&roost_verdict_step,
	&roost_reuse_step,
	&roost_limit_step,
	&roost_feed_step,
	&roost_feed_keep_step,
	&roost_signal_step,
	&roost_follow_step,
	&roost_maintenance_step,
	&roost_trend_step,
	&roost_search_step,
	&roost_audit_step,
};

/* How a step stands; times are those of worker_now(). */
typedef struct StepState
{
	int64		due_ms;			/* when it runs next */
	int64		retry_ms;		/* not before, after an error */
	int			fail_ms;		/* its pause after the last error, or 0 */
	bool		lost;			/* it has missed events and was not told */
} StepState;

static StepState step_states[lengthof(worker_steps)];
static MemoryContext turn_context = NULL;
static RoostEvent *worker_batch = NULL;
static int	worker_batch_size = BATCH_MIN;
static uint64 worker_generation = 0;
static uint64 worker_taken = 0; /* events of this turn */
static int64 worker_turn_us = 0;	/* its beginning */
static int64 worker_gap_us = GAP_MIN_US;
static bool worker_ready = false;	/* extension and tables are installed */
static bool worker_standby = false;

static void worker_start(void);
static void worker_leave(int code, Datum arg);
static void worker_turn(void);
static void worker_look(bool sync);
static void worker_drain(void);
static void worker_apply(int count, int64 since_us);
static void worker_count(int count, int64 since_us);
static bool worker_offer(const RoostEvent *events, int count);
static void worker_run_due(bool sync);
static bool step_may_run(const RoostWorkerStep *step);
static void step_lock_tables(void);
static void step_call(int index, bool run, const RoostEvent *events, int count);
static int64 worker_memory(bool sync);
static void worker_sleep(void);
static void worker_pause(void);
static bool worker_wanted(void);
static int64 worker_now_us(void);

/*
 * Returns a time in milliseconds that never steps back; not the frozen one.
 */
static inline int64
worker_now(void)
{
	return worker_now_us() / 1000;
}

/*
 * Entry point.  Leaves through die() on SIGTERM, or with the postmaster.
 */
void
roost_worker_main(Datum main_arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(roost_database, NULL, 0);

	worker_start();
	for (;;)
	{
		worker_turn();
		worker_sleep();
	}
}

static void
worker_start(void)
{
	MemoryContext worker_context = AllocSetContextCreate(TopMemoryContext, "roost worker",
														 ALLOCSET_DEFAULT_SIZES);

	turn_context = AllocSetContextCreate(worker_context, "roost worker turn",
										 ALLOCSET_DEFAULT_SIZES);
	worker_batch = MemoryContextAlloc(worker_context, BATCH_MAX * sizeof(RoostEvent));

	before_shmem_exit(worker_leave, (Datum) 0);
	roost_queue_attach(MyLatch);

	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	roost_worker_shared->state = WORKER_STARTING;
	roost_worker_shared->pid = MyProcPid;
	roost_worker_shared->started_us = roost_clock_us();
	roost_worker_shared->batch_since_us = 0;
	LWLockRelease(roost_worker_shared->lock);
}

static void
worker_leave(int code, Datum arg)
{
	roost_queue_detach();
	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	roost_worker_shared->pid = 0;
	roost_worker_shared->state = WORKER_STOPPED;
	LWLockRelease(roost_worker_shared->lock);
	ConditionVariableBroadcast(&roost_worker_shared->turned);
}

/*
 * Does everything there is to do now.
 */
static void
worker_turn(void)
{
	uint64		turn;
	int			failing = 0;
	int64		memory;
	bool		sync;

	worker_turn_us = worker_now_us();
	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	turn = ++roost_worker_shared->turns_begun;
	sync = roost_worker_shared->turns_wanted >= turn;
	LWLockRelease(roost_worker_shared->lock);

	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
	ROOST_DEBUG_POINT("worker_turn");

	worker_look(sync);
	roost_commit_resolve();
	worker_drain();
	worker_run_due(sync);
	pgstat_report_stat(false);
	for (int i = 0; i < lengthof(worker_steps); i++)
		failing += step_states[i].fail_ms > 0;
	memory = worker_memory(sync);

	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	roost_worker_shared->turns_done = turn;
	roost_worker_shared->failing = failing;
	roost_worker_shared->gap_us = worker_gap_us;
	roost_worker_shared->memory_bytes = memory;
	roost_worker_shared->turned_us = roost_clock_us();
	roost_worker_shared->state = !worker_ready ? WORKER_NOT_INSTALLED :
		worker_standby ? WORKER_STANDBY : WORKER_RUNNING;
	LWLockRelease(roost_worker_shared->lock);
	ConditionVariableBroadcast(&roost_worker_shared->turned);
}

/*
 * Looks where we are: on a standby or not, with or without tables.  While all
 * is well it does so only now and then, for busy turns are short.
 */
static void
worker_look(bool sync)
{
	static int64 looked_ms = 0;
	int64		now = worker_now();
	bool		standby;

	if (worker_ready && !worker_standby && !sync && now - looked_ms < WORKER_LOOK_MS)
		return;
	looked_ms = now;

	standby = RecoveryInProgress();
	if (worker_standby && !standby)
		roost_follow_end();
	worker_standby = standby;
	StartTransactionCommand();
	worker_ready = roost_core_is_installed();
	CommitTransactionCommand();
}

/*
 * Takes the waiting events out of the queue, up to those that were there at
 * the beginning, so that the other steps get their turn.
 */
static void
worker_drain(void)
{
	RoostQueueStat stat;
	uint64		end;

	roost_queue_stat(&stat);
	if (stat.oldest_us == 0)
		stat.oldest_us = roost_clock_us();	/* what comes now comes after this */
	end = stat.written;
	worker_taken = end - stat.taken;

	for (;;)
	{
		uint64		generation;
		int			count = roost_queue_take(worker_batch, worker_batch_size, &generation);

		if (count > 0)
			worker_apply(count, stat.oldest_us);
		if (generation != worker_generation)
		{
			worker_generation = generation;
			LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
			roost_worker_shared->losses++;
			LWLockRelease(roost_worker_shared->lock);
			(void) worker_offer(NULL, 0);
		}
		if (count == worker_batch_size)
			worker_batch_size = Min(worker_batch_size * 2, BATCH_MAX);
		else if (count < worker_batch_size / 4)
			worker_batch_size = Max(worker_batch_size / 2, BATCH_MIN);
		roost_queue_stat(&stat);
		if (stat.taken >= end)
			break;
	}
}

/*
 * Applies a batch, whose oldest event came at since_us.
 */
static void
worker_apply(int count, int64 since_us)
{
	bool		missed;

	/* a standby has none: it was promoted since we looked */
	if (worker_standby)
		worker_look(true);
	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	roost_worker_shared->batch_since_us = since_us;
	LWLockRelease(roost_worker_shared->lock);

	missed = worker_offer(worker_batch, count);
	ROOST_DEBUG_POINT("worker_applied");
	/* who waits for this batch finds it counted */
	worker_count(count, since_us);
	roost_queue_applied(missed);
	if (missed)
		worker_generation++;
}

static void
worker_count(int count, int64 since_us)
{
	int64		delay = Max(roost_clock_us() - since_us, 0);

	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
		roost_worker_shared->events[worker_batch[i].kind]++;
	roost_worker_shared->batch_since_us = 0;
	roost_worker_shared->batches++;
	roost_worker_shared->last_batch = count;
	roost_worker_shared->max_batch = Max(roost_worker_shared->max_batch, count);
	roost_worker_shared->last_delay_us = delay;
	roost_worker_shared->max_delay_us = Max(roost_worker_shared->max_delay_us, delay);
	LWLockRelease(roost_worker_shared->lock);
}

/*
 * Gives a batch of events, or the news of a loss, to the steps; returns whether
 * one of them has missed it and cannot say what that makes void.
 */
static bool
worker_offer(const RoostEvent *events, int count)
{
	bool		missed = false;

	for (int i = 0; i < lengthof(worker_steps); i++)
	{
		if (worker_steps[i]->events == NULL)
			continue;
		if (events == NULL || !step_may_run(worker_steps[i]))
			step_states[i].lost = true;
		else if (!step_states[i].lost)
			step_call(i, false, events, count);
		if (step_states[i].lost && worker_steps[i]->skip != NULL)
			worker_steps[i]->skip();
		else if (step_states[i].lost)
			missed = true;
	}
	return missed;
}

/*
 * Runs the steps whose time has come.
 */
static void
worker_run_due(bool sync)
{
	for (int i = 0; i < lengthof(worker_steps); i++)
	{
		const RoostWorkerStep *step = worker_steps[i];
		StepState  *state = &step_states[i];

		if (!step_may_run(step) || worker_now() < state->retry_ms)
			continue;
		if (state->lost && step->events != NULL)
			step_call(i, false, NULL, 0);
		if (step->run == NULL || (worker_now() < state->due_ms && !(sync && step->on_sync)))
			continue;
		if (step->due == NULL || step->due())
			step_call(i, true, NULL, 0);
		else
			state->due_ms = worker_now() + step->period_ms;
	}
}

static bool
step_may_run(const RoostWorkerStep *step)
{
	if (step->primary_only && worker_standby)
		return false;
	return worker_ready || !step->transaction;
}

/*
 * Waits, while nothing is locked yet, until nobody is dropping the tables.  Then
 * nobody does before the transaction ends.
 */
static void
step_lock_tables(void)
{
	(void) RangeVarGetRelid(makeRangeVar("roost_data", "feed_state", -1), AccessShareLock, true);
}

/*
 * Calls one step, and survives its errors.
 */
static void
step_call(int index, bool run, const RoostEvent *events, int count)
{
	const RoostWorkerStep *step = worker_steps[index];
	StepState  *state = &step_states[index];

	pgstat_report_activity(STATE_RUNNING, step->name);
	MemoryContextSwitchTo(turn_context);

	PG_TRY();
	{
		if (step->transaction)
		{
			SetCurrentStatementStartTimestamp();
			StartTransactionCommand();
			step_lock_tables();
			PushActiveSnapshot(GetTransactionSnapshot());
		}
		if (run)
			step->run();
		else
			step->events(events, count);
		if (step->transaction)
		{
			PopActiveSnapshot();
			CommitTransactionCommand();
		}
		state->fail_ms = 0;
		if (run)
			state->due_ms = worker_now() + step->period_ms;
		else if (events == NULL)
			state->lost = false;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(turn_context);
		HOLD_INTERRUPTS();
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		LWLockReleaseAll();
		RESUME_INTERRUPTS();

		state->fail_ms = Min(Max(state->fail_ms * 2, WORKER_FAIL_MIN_MS), WORKER_FAIL_MAX_MS);
		state->retry_ms = worker_now() + state->fail_ms;
		state->lost = true;
		LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
		roost_worker_shared->failures++;
		LWLockRelease(roost_worker_shared->lock);
	}
	PG_END_TRY();

	MemoryContextReset(turn_context);
}

/*
 * Returns how much memory the worker has allocated; measured now and then, for
 * there are many contexts.
 */
static int64
worker_memory(bool sync)
{
	static int64 measured_ms = 0;
	static int64 bytes = 0;
	int64		now = worker_now();

	if (sync || now - measured_ms >= WORKER_LOOK_MS)
	{
		measured_ms = now;
		bytes = MemoryContextMemAllocated(TopMemoryContext, true);
	}
	return bytes;
}

/*
 * Sleeps until a step is due, an event comes or somebody waits for a turn.
 */
static void
worker_sleep(void)
{
	int64		wake = worker_now() + 60 * 1000;

	if (!worker_ready || worker_standby)
		wake = worker_now() + WORKER_LOOK_MS;
	if (roost_commit_in_doubt() > 0)
		wake = Min(wake, worker_now() + WORKER_DOUBT_MS);
	for (int i = 0; i < lengthof(worker_steps); i++)
	{
		const RoostWorkerStep *step = worker_steps[i];

		if (!step_may_run(step))
			continue;
		if (step->run != NULL && step->period_ms > 0)
			wake = Min(wake, Max(step_states[i].due_ms, step_states[i].retry_ms));
		if (step->events != NULL && step_states[i].lost)
			wake = Min(wake, step_states[i].retry_ms);
		else if (step->wait != NULL && step->wait() >= 0)
			wake = Min(wake, Max(worker_now() + step->wait(), step_states[i].retry_ms));
	}

	pgstat_report_activity(STATE_IDLE, NULL);
	if (worker_taken > 0)
		worker_pause();
	if (roost_queue_sleep() && !worker_wanted() && wake > worker_now())
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 wake - worker_now(), PG_WAIT_EXTENSION);
	roost_queue_awake();
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/*
 * After a turn with events: waits until the next one may begin.
 */
static void
worker_pause(void)
{
	int64		left;

	if (worker_taken > GAP_CROWD)
		worker_gap_us = Min(worker_gap_us * 2, GAP_MAX_US);
	else if (worker_taken <= GAP_CROWD / 2)
		worker_gap_us = Max(worker_gap_us / 2, GAP_MIN_US);

	/* the latch knows nothing shorter than a millisecond */
	left = worker_turn_us + worker_gap_us - worker_now_us();
	if (left >= 1000 && !worker_wanted() &&
		(WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
				   left / 1000, PG_WAIT_EXTENSION) & WL_LATCH_SET) != 0)
		return;
	left = worker_turn_us + worker_gap_us - worker_now_us();
	if (left > 0 && !worker_wanted())
		pg_usleep(Min(left, 1000));
}

/*
 * Returns whether somebody waits for a turn that has not begun.
 */
static bool
worker_wanted(void)
{
	bool		wanted;

	LWLockAcquire(roost_worker_shared->lock, LW_SHARED);
	wanted = roost_worker_shared->turns_wanted > roost_worker_shared->turns_done;
	LWLockRelease(roost_worker_shared->lock);
	return wanted;
}

/*
 * Returns a time in microseconds that never steps back; not the frozen one.
 */
static int64
worker_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
