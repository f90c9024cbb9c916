/*-------------------------------------------------------------------------
 *
 * launcher.c
 *		Starts the worker, and starts it again.
 *
 * A process that connects to a database which does not exist dies with a log
 * line, again and again.  So the process that is registered with the server
 * has no database: it waits, quietly, until roost.database exists, starts the
 * worker there and waits for its end.  Then it pauses before it starts the
 * next: a second at first, twice as long after each worker that lived less
 * than a minute, a minute at most.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/shmem.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "bgworker/followers.h"
#include "bgworker/maintenance.h"
#include "bgworker/search.h"
#include "bgworker/shared.h"
#include "bgworker/trend.h"
#include "core/core.h"
#include "roost.h"

#define LAUNCHER_PAUSE_MIN_MS	1000
#define LAUNCHER_PAUSE_MAX_MS	60000
#define LAUNCHER_LOOK_MS		2000	/* for the database, or a free slot */

PGDLLEXPORT void roost_launcher_main(Datum main_arg) pg_attribute_noreturn();

WorkerShared *roost_worker_shared = NULL;

static bool launcher_database_exists(void);
static Oid	launcher_database_find(void);
static bool launcher_run_worker(bool *logged);
static void launcher_sleep(int ms);

/*
 * Entry point of the launcher.
 */
void
roost_launcher_main(Datum main_arg)
{
	int			pause = LAUNCHER_PAUSE_MIN_MS;
	bool		logged = false; /* that there is no free slot */

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	for (;;)
	{
		TimestampTz started = GetCurrentTimestamp();

		if (!launcher_database_exists())
		{
			roost_worker_set_state(WORKER_NO_DATABASE);
			launcher_sleep(LAUNCHER_LOOK_MS);
		}
		else if (!launcher_run_worker(&logged))
		{
			roost_worker_set_state(WORKER_NO_SLOT);
			launcher_sleep(LAUNCHER_LOOK_MS);
		}
		else
		{
			roost_worker_set_state(WORKER_STOPPED);
			if (TimestampDifferenceExceeds(started, GetCurrentTimestamp(), LAUNCHER_PAUSE_MAX_MS))
				pause = LAUNCHER_PAUSE_MIN_MS;
			launcher_sleep(pause);
			pause = Min(pause * 2, LAUNCHER_PAUSE_MAX_MS);
		}
	}
}

/*
 * Returns whether roost.database exists, and nobody is dropping it: a worker that
 * is started meanwhile would find none.  Who is has taken a lock on it.
 */
static bool
launcher_database_exists(void)
{
	Oid			database;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	database = launcher_database_find();
	if (OidIsValid(database))
	{
		LockSharedObject(DatabaseRelationId, database, 0, RowExclusiveLock);
		database = launcher_database_find();
	}
	CommitTransactionCommand();
	pgstat_report_stat(true);
	return OidIsValid(database);
}

/*
 * Finds roost.database.  Without a database there may be no index to look it up
 * with, so this reads all of pg_database.
 */
static Oid
launcher_database_find(void)
{
	Oid			found = InvalidOid;
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;

	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		if (database->datallowconn && strcmp(NameStr(database->datname), roost_database) == 0)
			found = database->oid;
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * Runs a worker to its end; returns false if none could be started.
 */
static bool
launcher_run_worker(bool *logged)
{
	BackgroundWorker worker = {
		.bgw_name = "roost worker",
		.bgw_type = "roost worker",
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_ConsistentState,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_library_name = "roost",
		.bgw_function_name = "roost_worker_main",
		.bgw_notify_pid = MyProcPid,
	};
	BackgroundWorkerHandle *handle;

	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
	{
		if (!*logged)
			ereport(LOG,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("no slot is free for the roost worker"),
					 errhint("Increase max_worker_processes.")));
		*logged = true;
		return false;
	}
	*logged = false;

	pgstat_report_activity(STATE_IDLE, NULL);
	if (WaitForBackgroundWorkerShutdown(handle) == BGWH_POSTMASTER_DIED)
		proc_exit(1);
	pfree(handle);
	return true;
}

/*
 * Sleeps all of the time, although workers that come and go set the latch.
 */
static void
launcher_sleep(int ms)
{
	long		left = ms;
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	pgstat_report_activity(STATE_IDLE, NULL);
	while (left > 0)
	{
		instr_time	passed;

		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 left, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		INSTR_TIME_SET_CURRENT(passed);
		INSTR_TIME_SUBTRACT(passed, start);
		left = ms - (long) INSTR_TIME_GET_MILLISEC(passed);
	}
}

/*
 * Notes what the worker is doing.
 */
void
roost_worker_set_state(WorkerState state)
{
	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	roost_worker_shared->state = state;
	LWLockRelease(roost_worker_shared->lock);
}

/*
 * Returns a state as people read it.
 */
const char *
roost_worker_state_name(WorkerState state)
{
	static const char *const names[] = {
		[WORKER_STOPPED] = "stopped",
		[WORKER_NO_DATABASE] = "no database",
		[WORKER_NO_SLOT] = "no slot",
		[WORKER_STARTING] = "starting",
		[WORKER_NOT_INSTALLED] = "not installed",
		[WORKER_RUNNING] = "running",
		[WORKER_STANDBY] = "standby",
	};

	return names[state];
}

static Size
launcher_shmem_size(void)
{
	return sizeof(WorkerShared);
}

static void
launcher_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	roost_worker_shared = area;
	if (found)
		return;
	memset(roost_worker_shared, 0, sizeof(WorkerShared));
	roost_worker_shared->lock = &locks[0].lock;
	roost_worker_shared->state = WORKER_STOPPED;
	roost_worker_shared->fanout.strategy = -1;
	ConditionVariableInit(&roost_worker_shared->turned);
}

static void
launcher_init(void)
{
	BackgroundWorker worker = {
		.bgw_name = "roost launcher",
		.bgw_type = "roost launcher",
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_ConsistentState,
		.bgw_restart_time = 5,
		.bgw_library_name = "roost",
		.bgw_function_name = "roost_launcher_main",
	};

	RegisterBackgroundWorker(&worker);
}

static void
launcher_define_gucs(void)
{
	roost_maintenance_define_gucs();
	roost_trend_define_gucs();
	roost_followers_define_gucs();
	roost_search_define_gucs();
}

const RoostModule roost_worker_module = {
	.name = "roost worker",
	.define_gucs = launcher_define_gucs,
	.shmem_size = launcher_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = launcher_shmem_init,
	.init = launcher_init,
};
