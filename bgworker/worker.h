/*-------------------------------------------------------------------------
 *
 * worker.h
 *		The background worker: what a step is, and what others may know.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_WORKER_H
#define ROOST_WORKER_H

#include "core/event.h"

/*
 * One kind of background work.  A module defines its step and lists it in
 * worker_steps[] (worker.c).
 *
 * `run` is called when the period has passed (every turn for 0) and `due`, if
 * there is one, agrees.  `events` is called with every batch of committed
 * events, in order, and with (NULL, 0) when an unknown number of them has
 * been lost, also when the worker starts.  Either may be NULL.
 *
 * With `transaction`, both run in one of their own with an active snapshot,
 * and only while the extension and its tables are installed; events that
 * come before that are lost to the step.  Without it they may only touch
 * memory and files.  An error is logged and the step pauses, longer each
 * time; the other steps go on.
 *
 * `wait`, if there is one, says in how many milliseconds at the latest the step
 * wants another turn, or -1.
 *
 * `skip` is called instead of `events` for every batch that the step has not
 * processed to its end: because of an error, or while it pauses.  It is the
 * last chance to make void what lacks these events, before they count as
 * applied.  It must not fail, and has no transaction.  Without it everything
 * that was derived from events is void (core/pending.h, generation).
 */
typedef struct RoostWorkerStep
{
	const char *name;			/* as shown in pg_stat_activity */
	int			period_ms;
	bool		transaction;
	bool		primary_only;	/* not on a standby */
	bool		on_sync;		/* also when somebody waits for a turn */
	bool		(*due) (void);
	int			(*wait) (void);
	void		(*run) (void);
	void		(*events) (const RoostEvent *events, int count);
	void		(*skip) (void);
} RoostWorkerStep;

/* Steps of modules, each defined in its own file. */
extern const RoostWorkerStep roost_audit_step;
extern const RoostWorkerStep roost_feed_step;
extern const RoostWorkerStep roost_feed_keep_step;
extern const RoostWorkerStep roost_follow_step;
extern const RoostWorkerStep roost_fanout_step;
extern const RoostWorkerStep roost_lockout_step;
extern const RoostWorkerStep roost_limit_step;
extern const RoostWorkerStep roost_maintenance_step;
extern const RoostWorkerStep roost_reuse_step;
extern const RoostWorkerStep roost_search_step;
extern const RoostWorkerStep roost_signal_step;
extern const RoostWorkerStep roost_trend_step;
extern const RoostWorkerStep roost_verdict_step;

#endif							/* ROOST_WORKER_H */
