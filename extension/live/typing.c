/*-------------------------------------------------------------------------
 *
 * typing.c
 *		Who is writing something, and where.
 *
 * Kept in shared memory for every account and channel in which it is writing,
 * or was a moment ago: when the last start was signalled, and when the last one
 * came.  A start within TYPING_DEBOUNCE_US of the last one that was signalled is
 * swallowed, even after a stop.  Writing ends when a stop comes, when the
 * account's last connection goes, or TYPING_PATIENCE_US after the last start,
 * swallowed or not (half a second more than the 3 seconds after which clients
 * say it again); for the last of these the worker calls roost_typing_expire().
 *
 * There are TYPING_ENTRIES entries, in chains by account, and in one list by
 * the time of the last start.  When all are in use the oldest ends early and is
 * counted.
 *
 * typing_lock guards all of it.  It is taken after that of presence and before
 * that of the ring of signals.  After a crash nobody is writing; whoever still
 * does says so again within seconds.
 *
 *-------------------------------------------------------------------------
 */
#include "live/typing.h"

#include "access/xlog.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "core/core.h"
#include "live/queue.h"
#include "live/signal.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_typing_start);
PG_FUNCTION_INFO_V1(roost_typing_stop);

#define TYPING_ENTRIES		4096
#define TYPING_BUCKETS		4096	/* a power of two */
#define TYPING_DEBOUNCE_US	(3 * USECS_PER_SEC)
#define TYPING_PATIENCE_US	(7 * USECS_PER_SEC / 2)
#define TYPING_NONE			(-1)

typedef struct TypingEntry
{
	int64		account_id;
	int64		signalled_us;	/* the last start that was */
	int64		started_us;		/* the last start that came */
	int32		next;			/* in the chain, or of those not in use */
	int32		older;			/* by the last start that came */
	int32		newer;
	bool		writing;		/* no stop was signalled since */
	char		channel[ROOST_CHANNEL_SIZE];
} TypingEntry;

typedef struct TypingShared
{
	RoostTypingStat stat;
	int32		unused;
	int32		oldest;
	int32		newest;
	int32		buckets[TYPING_BUCKETS];
	TypingEntry entries[TYPING_ENTRIES];
} TypingShared;

static TypingShared *typing_shared = NULL;
static LWLock *typing_lock = NULL;

static bool typing_start(int64 account_id, const char *channel, int64 now_us);
static bool typing_stop(int64 account_id, const char *channel, int64 now_us);
static int32 *typing_bucket(int64 account_id);
static TypingEntry *typing_find(int64 account_id, const char *channel);
static TypingEntry *typing_new(int64 account_id, const char *channel, int64 now_us);
static void typing_end(TypingEntry *entry, int64 now_us);
static void typing_free(TypingEntry *entry);
static void typing_list_append(TypingEntry *entry);
static void typing_list_remove(TypingEntry *entry);
static void typing_get_channel(text *name, char *channel);

static inline int32
typing_index(const TypingEntry *entry)
{
	return entry - typing_shared->entries;
}

/*
 * roost_internal.typing_start(account_id, channel) returns whether that was
 * signalled, not swallowed.
 */
Datum
roost_typing_start(PG_FUNCTION_ARGS)
{
	char		channel[ROOST_CHANNEL_SIZE];
	bool		signalled;

	typing_get_channel(PG_GETARG_TEXT_PP(1), channel);
	if (!roost_core_is_home())
		PG_RETURN_BOOL(false);
	PreventCommandDuringRecovery("typing_start()");
	signalled = typing_start(PG_GETARG_INT64(0), channel, roost_clock_us());
	if (signalled)
		roost_queue_wake();
	PG_RETURN_BOOL(signalled);
}

/*
 * roost_internal.typing_stop(account_id, channel) returns whether the account
 * was writing there.
 */
Datum
roost_typing_stop(PG_FUNCTION_ARGS)
{
	char		channel[ROOST_CHANNEL_SIZE];
	bool		signalled;

	typing_get_channel(PG_GETARG_TEXT_PP(1), channel);
	if (!roost_core_is_home())
		PG_RETURN_BOOL(false);
	PreventCommandDuringRecovery("typing_stop()");
	signalled = typing_stop(PG_GETARG_INT64(0), channel, roost_clock_us());
	if (signalled)
		roost_queue_wake();
	PG_RETURN_BOOL(signalled);
}

/*
 * Copies the name of a channel, which is not to be cut off.
 */
static void
typing_get_channel(text *name, char *channel)
{
	if (VARSIZE_ANY_EXHDR(name) >= ROOST_CHANNEL_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("name of a channel is too long")));
	text_to_cstring_buffer(name, channel, ROOST_CHANNEL_SIZE);
}

/*
 * Notes that an account writes; returns whether to tell others.
 */
static bool
typing_start(int64 account_id, const char *channel, int64 now_us)
{
	TypingEntry *entry;
	bool		tell;

	LWLockAcquire(typing_lock, LW_EXCLUSIVE);
	entry = typing_find(account_id, channel);
	tell = entry == NULL || now_us - entry->signalled_us >= TYPING_DEBOUNCE_US;
	if (entry == NULL)
		entry = typing_new(account_id, channel, now_us);
	else
		typing_list_remove(entry);
	entry->started_us = now_us;
	typing_list_append(entry);
	if (tell)
	{
		entry->signalled_us = now_us;
		typing_shared->stat.typing += !entry->writing;
		entry->writing = true;
		roost_signal_push(ROOST_SIGNAL_TYPING_START, account_id, channel, now_us);
	}
	else
		typing_shared->stat.swallowed++;
	LWLockRelease(typing_lock);
	return tell;
}

/*
 * Notes that it does not write any more.  The entry stays, so that another
 * start at once is swallowed.
 */
static bool
typing_stop(int64 account_id, const char *channel, int64 now_us)
{
	TypingEntry *entry;
	bool		tell;

	LWLockAcquire(typing_lock, LW_EXCLUSIVE);
	entry = typing_find(account_id, channel);
	tell = entry != NULL && entry->writing;
	if (tell)
		typing_end(entry, now_us);
	LWLockRelease(typing_lock);
	return tell;
}

/*
 * Ends all that an account writes: its last connection has gone.
 */
void
roost_typing_leave(int64 account_id, int64 now_us)
{
	LWLockAcquire(typing_lock, LW_EXCLUSIVE);
	for (int32 i = *typing_bucket(account_id); i != TYPING_NONE; i = typing_shared->entries[i].next)
	{
		if (typing_shared->entries[i].account_id == account_id)
			typing_end(&typing_shared->entries[i], now_us);
	}
	LWLockRelease(typing_lock);
}

/*
 * Ends what has not been started again in time.
 */
void
roost_typing_expire(int64 now_us)
{
	LWLockAcquire(typing_lock, LW_EXCLUSIVE);
	while (typing_shared->oldest != TYPING_NONE)
	{
		TypingEntry *entry = &typing_shared->entries[typing_shared->oldest];

		if (entry->started_us + TYPING_PATIENCE_US > now_us)
			break;
		typing_end(entry, now_us);
		typing_free(entry);
	}
	LWLockRelease(typing_lock);
}

/*
 * Returns when roost_typing_expire() is to be called, or 0.
 */
int64
roost_typing_due(void)
{
	int64		due = 0;

	LWLockAcquire(typing_lock, LW_SHARED);
	if (typing_shared->oldest != TYPING_NONE)
		due = typing_shared->entries[typing_shared->oldest].started_us + TYPING_PATIENCE_US;
	LWLockRelease(typing_lock);
	return due;
}

/*
 * Copies the counters.
 */
void
roost_typing_stat(RoostTypingStat *stat)
{
	LWLockAcquire(typing_lock, LW_SHARED);
	*stat = typing_shared->stat;
	LWLockRelease(typing_lock);
}

static int32 *
typing_bucket(int64 account_id)
{
	return &typing_shared->buckets[hash_bytes_uint32_extended((uint32) account_id, (uint64) account_id >> 32) % TYPING_BUCKETS];
}

static TypingEntry *
typing_find(int64 account_id, const char *channel)
{
	for (int32 i = *typing_bucket(account_id); i != TYPING_NONE; i = typing_shared->entries[i].next)
	{
		TypingEntry *entry = &typing_shared->entries[i];

		if (entry->account_id == account_id && strcmp(entry->channel, channel) == 0)
			return entry;
	}
	return NULL;
}

/*
 * Takes an entry, if need be the oldest one, and enters it into its chain.
 */
static TypingEntry *
typing_new(int64 account_id, const char *channel, int64 now_us)
{
	int32	   *bucket = typing_bucket(account_id);
	TypingEntry *entry;

	if (typing_shared->unused == TYPING_NONE)
	{
		entry = &typing_shared->entries[typing_shared->oldest];
		if (entry->writing)
			typing_shared->stat.evicted++;
		typing_end(entry, now_us);
		typing_free(entry);
	}
	entry = &typing_shared->entries[typing_shared->unused];
	typing_shared->unused = entry->next;
	memset(entry, 0, sizeof(TypingEntry));
	entry->account_id = account_id;
	strlcpy(entry->channel, channel, sizeof(entry->channel));
	entry->next = *bucket;
	*bucket = typing_index(entry);
	return entry;
}

/*
 * Says that the writing has ended, if it has not been said.
 */
static void
typing_end(TypingEntry *entry, int64 now_us)
{
	if (!entry->writing)
		return;
	entry->writing = false;
	typing_shared->stat.typing--;
	roost_signal_push(ROOST_SIGNAL_TYPING_STOP, entry->account_id, entry->channel, now_us);
}

/*
 * Takes an entry out of its chain and the list.
 */
static void
typing_free(TypingEntry *entry)
{
	int32	   *link = typing_bucket(entry->account_id);

	while (*link != typing_index(entry))
		link = &typing_shared->entries[*link].next;
	*link = entry->next;
	typing_list_remove(entry);
	entry->next = typing_shared->unused;
	typing_shared->unused = typing_index(entry);
}

static void
typing_list_append(TypingEntry *entry)
{
	entry->older = typing_shared->newest;
	entry->newer = TYPING_NONE;
	if (entry->older != TYPING_NONE)
		typing_shared->entries[entry->older].newer = typing_index(entry);
	else
		typing_shared->oldest = typing_index(entry);
	typing_shared->newest = typing_index(entry);
}

static void
typing_list_remove(TypingEntry *entry)
{
	if (entry->older != TYPING_NONE)
		typing_shared->entries[entry->older].newer = entry->newer;
	else
		typing_shared->oldest = entry->newer;
	if (entry->newer != TYPING_NONE)
		typing_shared->entries[entry->newer].older = entry->older;
	else
		typing_shared->newest = entry->older;
}

static Size
typing_shmem_size(void)
{
	return sizeof(TypingShared);
}

static void
typing_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	typing_shared = area;
	typing_lock = &locks[0].lock;
	if (found)
		return;
	memset(typing_shared, 0, sizeof(TypingShared));
	typing_shared->oldest = typing_shared->newest = TYPING_NONE;
	for (int32 i = 0; i < TYPING_BUCKETS; i++)
		typing_shared->buckets[i] = TYPING_NONE;
	for (int32 i = 0; i < TYPING_ENTRIES; i++)
		typing_shared->entries[i].next = i + 1 < TYPING_ENTRIES ? i + 1 : TYPING_NONE;
	typing_shared->unused = 0;
}

const RoostModule roost_typing_module = {
	.name = "roost typing",
	.shmem_size = typing_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = typing_shmem_init,
};
