/*-------------------------------------------------------------------------
 *
 * fanout.c
 *		From events to outboxes and inboxes.
 *
 * A post goes into its author's outbox, and into the inboxes of its followers
 * and of the author itself; there its readers find it (timeline/cache.h).
 *
 * Strategies.  push: as above.  hybrid: not into the inboxes of followers of
 * an account that has more than roost.timeline_push_limit of them; who builds
 * an inbox is told so (roost_timeline_cache_is_pulled()) and merges the
 * account's outbox in.  pull: into outboxes alone; should a session with
 * another setting have built an inbox, it is dropped.
 *
 * Why this is exact:
 *
 *	-	A post is pushed to a list of followers that is as new as any follow
 *		or unfollow which has been applied (followers.c).  An inbox is built
 *		only when no follow or unfollow of its reader is pending.
 *	-	Dropping an inbox instead of pushing to it is always right: one that
 *		is entered later is filled from an index that has the post.
 *	-	When an account changes sides, the new side is told first, then the
 *		inboxes of all its followers are dropped.  An inbox that was entered
 *		before is gone; the builder of one that is entered later asks after
 *		that, and hears of the new side.  (It must ask after entering it, and
 *		read posts after asking.)
 *	-	All this happens before the events count as applied.  When it fails
 *		half way, or events were missed, everything is dropped.
 *
 * On which side an account stands is looked at when it posts (its list is
 * walked then, and counted) and, on the pulled side, when somebody unfollows
 * it: it comes back below half of the limit.  At the start, after a loss and
 * when the settings have changed, the pulled side is made anew from the
 * counters in account_stat.
 *
 * Kept, in the worker's memory: the accounts on the pulled side, as many as
 * the cache has room for; the others stay on the pushed side.  And lists of
 * followers, see followers.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "portability/instr_time.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "bgworker/fanout.h"
#include "bgworker/followers.h"
#include "bgworker/shared.h"
#include "bgworker/worker.h"
#include "core/debug_point.h"
#include "core/plan.h"
#include "timeline/cache.h"
#include "timeline/strategy.h"

#define FANOUT_CHECK_MS		10000	/* for other settings, or other tables */

/* An account on the pulled side */
typedef struct PulledAccount
{
	int64		account_id;		/* key */
	bool		check;			/* somebody has unfollowed it */
} PulledAccount;

/* The tables that the caches were made from, and the settings */
typedef struct FanoutBase
{
	Oid			tables[2];
	Oid			files[2];
	int			strategy;
	int			push_limit;
} FanoutBase;

static HTAB *pulled = NULL;
static bool pulled_check = false;	/* some are to be checked */
static bool pulled_full = false;	/* and the log says so */
static FanoutBase fanout_base;
static bool fanout_known = false;	/* fanout_base and pulled are filled */
static WorkerFanout fanout_stat;	/* since the worker's start */

static void fanout_look(void);
static void fanout_begin_anew(const FanoutBase *base);
static FanoutBase fanout_base_now(void);
static void fanout_pull_large(void);
static void fanout_event(const RoostEvent *event);
static void fanout_post(int64 author_id, int64 id);
static void fanout_follow(int64 follower_id, int64 followee_id, bool created);
static bool fanout_pull(int64 account_id);
static void fanout_check_pulled(void);
static int64 fanout_count_followers(int64 account_id);
static void fanout_publish(void);

/* Where a post goes */
typedef struct FanoutTarget
{
	int64		author_id;
	int64		id;
} FanoutTarget;

static void
push_sink(const int64 *reader_ids, int n, void *arg)
{
	FanoutTarget *target = arg;

	fanout_stat.deliveries += roost_timeline_cache_push(reader_ids, n, target->author_id, target->id);
}

static void
drop_sink(const int64 *reader_ids, int n, void *arg)
{
	roost_timeline_cache_drop(TIMELINE_INBOX, reader_ids, n);
}

/*
 * Applies a batch.
 */
void
roost_fanout_apply(const RoostEvent *events, int count)
{
	instr_time	start;
	instr_time	end;

	INSTR_TIME_SET_CURRENT(start);
	ROOST_DEBUG_POINT("fanout_apply");

	if (events == NULL)
		fanout_known = false;
	roost_followers_begin();
	fanout_look();
	for (int i = 0; i < count; i++)
		fanout_event(&events[i]);
	fanout_check_pulled();
	roost_followers_end();

	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	fanout_stat.spent_us += INSTR_TIME_GET_MICROSEC(end);
	fanout_publish();
}

/*
 * Makes void what lacks events that were not applied.
 */
void
roost_fanout_skip(void)
{
	roost_timeline_cache_drop_all();
	fanout_known = false;
}

/*
 * Looks now and then, and when somebody waits for the worker, whether there is
 * another base to stand on.
 */
static void
fanout_run(void)
{
	roost_followers_begin();
	fanout_look();
	roost_followers_end();
	fanout_publish();
}

/*
 * Begins anew if the settings have changed, or the tables are not those that
 * they were (a dump was restored: nobody has told us of its rows).
 */
static void
fanout_look(void)
{
	FanoutBase	base = fanout_base_now();

	if (!fanout_known || memcmp(&base, &fanout_base, sizeof(base)) != 0)
		fanout_begin_anew(&base);
}

static void
fanout_begin_anew(const FanoutBase *base)
{
	HASHCTL		control = {
		.keysize = sizeof(int64),
		.entrysize = sizeof(PulledAccount),
	};

	fanout_known = false;
	roost_followers_forget();
	if (pulled != NULL)
		hash_destroy(pulled);
	pulled = hash_create("roost pulled accounts", 64, &control, HASH_ELEM | HASH_BLOBS);
	pulled_check = pulled_full = false;

	roost_timeline_cache_pull_clear();
	if (base->strategy == TIMELINE_HYBRID)
		fanout_pull_large();
	roost_timeline_cache_drop_all();
	fanout_base = *base;
	fanout_known = true;
}

static FanoutBase
fanout_base_now(void)
{
	static const char *const names[] = {"follow", "post"};
	Oid			schema = get_namespace_oid("roost_data", false);
	FanoutBase	base;

	memset(&base, 0, sizeof(base));
	base.strategy = roost_timeline_strategy;
	base.push_limit = roost_timeline_push_limit;
	for (int i = 0; i < lengthof(names); i++)
	{
		HeapTuple	tuple;

		base.tables[i] = get_relname_relid(names[i], schema);
		tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(base.tables[i]));
		if (!HeapTupleIsValid(tuple))
			continue;
		base.files[i] = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
		ReleaseSysCache(tuple);
	}
	return base;
}

/*
 * Puts the accounts with the most followers on the pulled side.
 */
static void
fanout_pull_large(void)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(roost_timeline_push_limit)};
	bool		isnull;

	SPI_connect();
	if (SPI_execute_with_args("SELECT account_id FROM roost_data.account_stat GROUP BY account_id"
							  " HAVING pg_catalog.sum(follower_count) OPERATOR(pg_catalog.>) $1"
							  " ORDER BY pg_catalog.sum(follower_count) DESC",
							  1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the numbers of followers");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		if (!fanout_pull(DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull))))
			break;
	}
	SPI_finish();
}

/*
 * Applies an event.  One that a post was changed or deleted brings nothing new:
 * inboxes have the ids of all posts.
 */
static void
fanout_event(const RoostEvent *event)
{
	switch (event->kind)
	{
		case ROOST_EVENT_POST_CREATED:
			fanout_post(event->value[1], event->value[0]);
			break;
		case ROOST_EVENT_FOLLOW_CREATED:
		case ROOST_EVENT_FOLLOW_DELETED:
			fanout_follow(event->value[0], event->value[1], event->kind == ROOST_EVENT_FOLLOW_CREATED);
			break;
		default:
			break;
	}
}

/*
 * Takes a post to its readers.
 */
static void
fanout_post(int64 author_id, int64 id)
{
	FanoutTarget target = {author_id, id};
	int64		followers;

	fanout_stat.posts++;
	roost_timeline_cache_append(author_id, id);
	if (fanout_base.strategy == TIMELINE_PULL)
	{
		roost_timeline_cache_drop_inboxes();
		return;
	}

	push_sink(&author_id, 1, &target);
	if (hash_search(pulled, &author_id, HASH_FIND, NULL) != NULL)
	{
		fanout_stat.pulled_posts++;
		return;
	}
	followers = roost_followers_walk(author_id, push_sink, &target);
	if (fanout_base.strategy == TIMELINE_HYBRID && followers > fanout_base.push_limit &&
		fanout_pull(author_id))
	{
		ROOST_DEBUG_POINT("fanout_crossing");
		roost_followers_walk(author_id, drop_sink, NULL);
		roost_followers_drop(author_id);
	}
}

/*
 * Notes who follows whom.  The follower's inbox is void already, and stays:
 * it remembers how often it was read.
 */
static void
fanout_follow(int64 follower_id, int64 followee_id, bool created)
{
	PulledAccount *account = created ? NULL : hash_search(pulled, &followee_id, HASH_FIND, NULL);

	roost_followers_changed(follower_id, followee_id);
	if (account != NULL)
		account->check = pulled_check = true;
}

/*
 * Puts an account on the pulled side; false: there is no room.
 */
static bool
fanout_pull(int64 account_id)
{
	PulledAccount *account;

	if (!roost_timeline_cache_pull_set(account_id, true))
	{
		if (!pulled_full)
			ereport(WARNING,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("too many accounts have more than %d followers", fanout_base.push_limit),
					 errdetail("Posts of some of them are pushed to all their followers."),
					 errhint("Increase roost.timeline_push_limit.")));
		pulled_full = true;
		return false;
	}
	account = hash_search(pulled, &account_id, HASH_ENTER, NULL);
	account->check = false;
	return true;
}

/*
 * Brings accounts back that have become small.
 */
static void
fanout_check_pulled(void)
{
	HASH_SEQ_STATUS status;
	PulledAccount *account;

	if (!pulled_check)
		return;
	pulled_check = false;
	hash_seq_init(&status, pulled);
	while ((account = hash_seq_search(&status)) != NULL)
	{
		int64		account_id = account->account_id;

		if (!account->check)
			continue;
		account->check = false;
		if (fanout_count_followers(account_id) * 2 >= fanout_base.push_limit)
			continue;
		hash_search(pulled, &account_id, HASH_REMOVE, NULL);
		(void) roost_timeline_cache_pull_set(account_id, false);
		pulled_full = false;
		ROOST_DEBUG_POINT("fanout_crossing");
		roost_followers_walk(account_id, drop_sink, NULL);
	}
}

/*
 * Returns how many follow an account, by its counters.
 */
static int64
fanout_count_followers(int64 account_id)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(account_id)};
	bool		isnull;
	int64		count;

	SPI_connect();
	if (SPI_execute_plan(roost_plan_keep(&plan, "SELECT coalesce(pg_catalog.sum(follower_count), 0)::bigint"
										 " FROM roost_data.account_stat WHERE account_id OPERATOR(pg_catalog.=) $1", 1, types),
						 values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the number of followers");
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return count;
}

/*
 * Tells everybody what has been done.
 */
static void
fanout_publish(void)
{
	FollowersStat followers;

	roost_followers_stat(&followers);
	fanout_stat.strategy = fanout_base.strategy;
	fanout_stat.push_limit = fanout_base.push_limit;
	fanout_stat.pulled_accounts = hash_get_num_entries(pulled);
	fanout_stat.list_hits = followers.hits;
	fanout_stat.list_misses = followers.misses;
	fanout_stat.lists = followers.lists;
	fanout_stat.list_bytes = followers.bytes;

	LWLockAcquire(roost_worker_shared->lock, LW_EXCLUSIVE);
	roost_worker_shared->fanout = fanout_stat;
	LWLockRelease(roost_worker_shared->lock);
}

const RoostWorkerStep roost_fanout_step = {
	.name = "fan-out",
	.period_ms = FANOUT_CHECK_MS,
	.transaction = true,
	.on_sync = true,
	.run = fanout_run,
	.events = roost_fanout_apply,
	.skip = roost_fanout_skip,
};
