/*-------------------------------------------------------------------------
 *
 * strategy.c
 *		Settings that say how home timelines come about.
 *
 * Timelines are the same with each strategy, also while sessions and the
 * worker have different values: the worker decides who is pushed to whom, and
 * says so in the cache (roost_timeline_cache_is_pulled()); a session decides
 * only what it reads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "roost.h"
#include "timeline/strategy.h"

#define TIMELINE_PUSH_LIMIT_MIN		0
#define TIMELINE_PUSH_LIMIT_DEFAULT	10000
#define TIMELINE_PUSH_LIMIT_MAX		1000000000

static const struct config_enum_entry strategy_options[] = {
	{"push", TIMELINE_PUSH, false},
	{"pull", TIMELINE_PULL, false},
	{"hybrid", TIMELINE_HYBRID, false},
	{NULL, 0, false}
};

int			roost_timeline_strategy = TIMELINE_HYBRID;
int			roost_timeline_push_limit = TIMELINE_PUSH_LIMIT_DEFAULT;

/*
 * Returns a strategy as people read it; "" for none.
 */
const char *
roost_timeline_strategy_name(int strategy)
{
	for (int i = 0; strategy_options[i].name != NULL; i++)
	{
		if (strategy_options[i].val == strategy)
			return strategy_options[i].name;
	}
	return "";
}

static void
strategy_define_gucs(void)
{
	DefineCustomEnumVariable("roost.timeline_strategy",
							 "Sets how home timelines come about: push, pull or hybrid.",
							 "push puts a post into its readers' inboxes, pull merges the outboxes of followed accounts when a timeline is read, hybrid does what is cheaper. They differ in speed alone.",
							 &roost_timeline_strategy,
							 TIMELINE_HYBRID,
							 strategy_options,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("roost.timeline_push_limit",
							"Sets up to how many followers an account's posts are pushed to inboxes by the strategy hybrid.",
							"Those of larger accounts are merged in when a timeline is read. An account comes back below half of it.",
							&roost_timeline_push_limit,
							TIMELINE_PUSH_LIMIT_DEFAULT,
							TIMELINE_PUSH_LIMIT_MIN,
							TIMELINE_PUSH_LIMIT_MAX,
							PGC_SIGHUP,
							0,
							NULL, NULL, NULL);
}

const RoostModule roost_timeline_strategy_module = {
	.name = "roost timeline strategy",
	.define_gucs = strategy_define_gucs,
};
