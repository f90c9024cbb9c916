/*-------------------------------------------------------------------------
 *
 * roost.h
 *		The module table's row, shared by every part of the extension.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_H
#define ROOST_H

#include "storage/lwlock.h"

/*
 * Everything _PG_init() needs to know about one module.  Adding a module is
 * one row in roost_modules[] (roost.c); no other shared file changes.
 * Every callback may be NULL.
 */
typedef struct RoostModule
{
	const char *name;			/* shmem struct and lwlock tranche name */
	void		(*define_gucs) (void);
	Size		(*shmem_size) (void);
	int			num_lwlocks;
	void		(*shmem_init) (void *area, LWLockPadded *locks, bool found);
	void		(*init) (void); /* callbacks, hooks, workers */
} RoostModule;

/* Modules, in the order of the table; each is defined in its own file. */
extern const RoostModule roost_core_module;
extern const RoostModule roost_clock_module;
extern const RoostModule roost_announce_module;
extern const RoostModule roost_id_module;
extern const RoostModule roost_stamp_module;
extern const RoostModule roost_commit_module;
extern const RoostModule roost_queue_module;
extern const RoostModule roost_guard_module;
extern const RoostModule roost_loan_module;
extern const RoostModule roost_signal_module;
extern const RoostModule roost_call_module;
extern const RoostModule roost_typing_module;
extern const RoostModule roost_presence_module;
extern const RoostModule roost_worker_module;
extern const RoostModule roost_limit_module;
extern const RoostModule roost_password_module;
extern const RoostModule roost_token_module;
extern const RoostModule roost_api_module;
extern const RoostModule roost_audit_module;
extern const RoostModule roost_audit_failure_module;
extern const RoostModule roost_lockout_module;
extern const RoostModule roost_account_module;
extern const RoostModule roost_reuse_module;
extern const RoostModule roost_post_module;
extern const RoostModule roost_verdict_module;
extern const RoostModule roost_post_viewer_module;
extern const RoostModule roost_feed_module;
extern const RoostModule roost_case_module;
extern const RoostModule roost_timeline_module;
extern const RoostModule roost_timeline_strategy_module;
extern const RoostModule roost_timeline_top_module;
extern const RoostModule roost_timeline_build_module;
extern const RoostModule roost_timeline_candidates_module;
extern const RoostModule roost_standby_module;
extern const RoostModule roost_moderation_module;
extern const RoostModule roost_friend_module;
extern const RoostModule roost_chat_module;
extern const RoostModule roost_member_module;
extern const RoostModule roost_key_module;
extern const RoostModule roost_envelope_module;

#endif							/* ROOST_H */
