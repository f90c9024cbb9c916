/*-------------------------------------------------------------------------
 *
 * roost.c
 *		Library load: GUCs, shared memory and workers of every module.
 *
 * The module table below is the whole list of what lives in shared memory.
 * _PG_init, the request hook and the startup hook are loops over it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/guc.h"

#include "roost.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static void roost_shmem_request(void);
static void roost_shmem_startup(void);

/* A module may use the modules above it. */
static const RoostModule *const roost_modules[] = {
	&roost_core_module,
	&roost_clock_module,
	&roost_announce_module,
	&roost_id_module,
	&roost_stamp_module,
	&roost_commit_module,
	&roost_queue_module,
	&roost_guard_module,
	&roost_loan_module,
	&roost_signal_module,
	&roost_call_module,
	&roost_typing_module,
	&roost_presence_module,
	&roost_limit_module,
	&roost_password_module,
	&roost_token_module,
	&roost_api_module,
	&roost_audit_module,
	&roost_audit_failure_module,
	&roost_lockout_module,
	&roost_account_module,
	&roost_reuse_module,
	&roost_post_module,
	&roost_verdict_module,
	&roost_post_viewer_module,
	&roost_feed_module,
	&roost_case_module,
	&roost_timeline_module,
	&roost_timeline_strategy_module,
	&roost_timeline_top_module,
	&roost_timeline_build_module,
	&roost_timeline_candidates_module,
	&roost_standby_module,
	&roost_moderation_module,
	&roost_friend_module,
	&roost_chat_module,
	&roost_member_module,
	&roost_key_module,
	&roost_envelope_module,
	&roost_worker_module,
};

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/*
 * Module load callback.
 */
void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("roost must be loaded via shared_preload_libraries"),
				 errhint("Add \"roost\" to shared_preload_libraries in postgresql.conf and restart the server.")));

	for (int i = 0; i < lengthof(roost_modules); i++)
	{
		if (roost_modules[i]->define_gucs)
			roost_modules[i]->define_gucs();
	}

	MarkGUCPrefixReserved("roost");

	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = roost_shmem_request;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = roost_shmem_startup;

	for (int i = 0; i < lengthof(roost_modules); i++)
	{
		if (roost_modules[i]->init)
			roost_modules[i]->init();
	}
}

/*
 * Reserve shared memory and locks.  Sizes may depend on GUCs, all of which
 * have their final values here.
 */
static void
roost_shmem_request(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();

	for (int i = 0; i < lengthof(roost_modules); i++)
	{
		const RoostModule *m = roost_modules[i];

		if (m->shmem_size == NULL)
			continue;
		RequestAddinShmemSpace(MAXALIGN(m->shmem_size()));
		if (m->num_lwlocks > 0)
			RequestNamedLWLockTranche(m->name, m->num_lwlocks);
	}
}

/*
 * Create each module's area, or attach to it.
 */
static void
roost_shmem_startup(void)
{
	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < lengthof(roost_modules); i++)
	{
		const RoostModule *m = roost_modules[i];
		void	   *area;
		bool		found;

		if (m->shmem_size == NULL)
			continue;
		area = ShmemInitStruct(m->name, m->shmem_size(), &found);
		m->shmem_init(area, m->num_lwlocks > 0 ? GetNamedLWLockTranche(m->name) : NULL, found);
	}
	LWLockRelease(AddinShmemInitLock);
}
