/*-------------------------------------------------------------------------
 *
 * presence.c
 *		Who is online: the table in shared memory.
 *
 * Gateways tell which accounts have connections to them (roost_presence_beat).
 * For each account the table has the set of its gateways, one bit each, so that
 * several devices at several gateways are one account online.
 *
 *		no entry -> ONLINE -> LEAVING -> OFFLINE
 *
 * An account without a gateway is LEAVING for roost.presence_grace, and nobody
 * is told; then it is OFFLINE, which is told and remembered as long as there is
 * room.  Coming back from LEAVING is no event.
 *
 * Gateways.  There are PRESENCE_GATEWAYS places, named by their bit.  A gateway
 * that has not been heard of for PRESENCE_PATIENCE_US, and one that tells
 * everything anew, retires from its place (in the second case it has taken a
 * new one before, so that none of its accounts is without).  The worker takes
 * the bit of a retired place out of all entries, a piece at a time; only then
 * can the place be had again.  A gateway without a place is told so, and tells
 * everything.
 *
 * Bound: as many entries as fit into roost.presence_memory.  Those OFFLINE for
 * longest make room for others; when there are none, an account is refused:
 * it counts as offline and the refusal is counted.
 *
 * After a crash or a restart the table is empty and nobody knows who has gone
 * since.  Until roost.presence_settle after the first beat, accounts come in
 * without an event, since most were online before; those a gateway says have
 * left it are LEAVING, and are told in time.
 *
 * presence_lock guards all of it, and is held for PRESENCE_PIECE accounts at
 * most.  It is taken before those of typing and of the ring of signals.
 *
 *-------------------------------------------------------------------------
 */
#include "live/presence.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "live/signal.h"
#include "live/typing.h"
#include "roost.h"

#define PRESENCE_MEMORY_MIN			64
#define PRESENCE_MEMORY_DEFAULT		8192
#define PRESENCE_MEMORY_MAX			(4 * 1024 * 1024)
#define PRESENCE_GRACE_MIN			0
#define PRESENCE_GRACE_DEFAULT		10000
#define PRESENCE_GRACE_MAX			3600000
#define PRESENCE_SETTLE_MIN			0
#define PRESENCE_SETTLE_DEFAULT		15000
#define PRESENCE_SETTLE_MAX			3600000

#define PRESENCE_GATEWAYS		256
#define PRESENCE_WORDS			(PRESENCE_GATEWAYS / 64)
#define PRESENCE_PATIENCE_US	(15 * USECS_PER_SEC)
#define PRESENCE_PIECE			4096
#define PRESENCE_NONE			(-1)

typedef enum PresenceState
{
	PRESENCE_ONLINE,
	PRESENCE_LEAVING,
	PRESENCE_OFFLINE,
	PRESENCE_STATES
} PresenceState;

/* Bits of gateways */
typedef struct PresenceSet
{
	uint64		words[PRESENCE_WORDS];
} PresenceSet;

typedef struct PresenceEntry
{
	int64		account_id;		/* 0: not in use */
	int64		since_us;		/* online, or offline */
	int64		left_us;		/* by its last gateway */
	PresenceSet gateways;
	PresenceState state;
	int32		next;			/* in the chain, or of those not in use */
	int32		older;			/* of those in the same state, not ONLINE */
	int32		newer;
} PresenceEntry;

typedef struct PresenceGateway
{
	int64		id;				/* 0: not in use */
	int64		beat_us;
	bool		retired;
} PresenceGateway;

typedef struct PresenceList
{
	int64		count;
	int32		oldest;
	int32		newest;
} PresenceList;

typedef struct PresenceShared
{
	RoostPresenceStat stat;
	int64		settled_us;		/* when events begin, or 0: nobody came yet */
	int32		num_gateways;	/* places that have ever been in use */
	int32		retired;		/* places to be taken out of entries */
	int32		unused;
	PresenceList lists[PRESENCE_STATES];	/* in the order of left_us; of
											 * those ONLINE only the count */
	PresenceGateway gateways[PRESENCE_GATEWAYS];
	PresenceEntry entries[FLEXIBLE_ARRAY_MEMBER];
} PresenceShared;

static int	presence_memory;	/* GUCs; kB, ms */
static int	presence_grace;
static int	presence_settle;

static PresenceShared *presence_shared = NULL;
static int32 *presence_buckets = NULL;
static LWLock *presence_lock = NULL;
static int32 presence_num_entries;
static uint32 presence_num_buckets; /* a power of two */

static int	gateway_find(int64 gateway_id);
static int	gateway_take(int64 gateway_id, int64 now_us);
static void gateway_retire(int place);
static bool gateway_forget(int64 now_us, PresenceSet *retired);
static void presence_arrive(int64 account_id, int place, int64 now_us);
static void presence_leave(int64 account_id, int place, int64 now_us);
static void presence_left(PresenceEntry *entry, int64 now_us);
static void presence_take_out(const PresenceSet *retired, int64 now_us);
static bool presence_end(int64 now_us);
static void presence_set_state(PresenceEntry *entry, PresenceState state);
static int32 *presence_bucket(int64 account_id);
static PresenceEntry *presence_find(int64 account_id);
static PresenceEntry *presence_new(int64 account_id, int64 now_us);
static void presence_drop(PresenceEntry *entry);

static inline int32
presence_index(const PresenceEntry *entry)
{
	return entry - presence_shared->entries;
}

static inline bool
presence_is_alone(const PresenceEntry *entry)
{
	uint64		any = 0;

	for (int i = 0; i < PRESENCE_WORDS; i++)
		any |= entry->gateways.words[i];
	return any == 0;
}

/*
 * A gateway tells who has come and gone; with `entire`, online has everybody
 * who is connected to it.  Returns whether it must tell everything.
 */
bool
roost_presence_beat(int64 gateway_id, const int64 *online, int num_online,
					const int64 *offline, int num_offline, bool entire)
{
	int64		now = roost_clock_us();
	int			before;
	int			place;
	int			done = 0;

	LWLockAcquire(presence_lock, LW_EXCLUSIVE);
	presence_shared->stat.beats++;
	if (presence_shared->settled_us == 0)
		presence_shared->settled_us = now + presence_settle * INT64CONST(1000);
	before = gateway_find(gateway_id);
	place = entire ? gateway_take(gateway_id, now) : before;
	if (place >= 0)
		presence_shared->gateways[place].beat_us = now;

	/* another one may come between two pieces, and find it late */
	while (place >= 0 && done < num_online + num_offline)
	{
		if (done < num_online)
			presence_arrive(online[done], place, now);
		else
			presence_leave(offline[done - num_online], place, now);
		if (++done % PRESENCE_PIECE == 0)
		{
			LWLockRelease(presence_lock);
			LWLockAcquire(presence_lock, LW_EXCLUSIVE);
			if (presence_shared->gateways[place].id != gateway_id || presence_shared->gateways[place].retired)
				place = -1;
		}
	}
	if (place >= 0 && before >= 0 && before != place && presence_shared->gateways[before].id == gateway_id)
		gateway_retire(before);
	LWLockRelease(presence_lock);
	return place < 0;
}

/*
 * Returns whether an account is online, and since when that is so (0: nobody
 * knows).
 */
bool
roost_presence_look(int64 account_id, int64 *since_us)
{
	PresenceEntry *entry;
	bool		online;

	LWLockAcquire(presence_lock, LW_SHARED);
	entry = presence_find(account_id);
	online = entry != NULL && entry->state != PRESENCE_OFFLINE;
	*since_us = entry == NULL ? 0 : entry->since_us;
	LWLockRelease(presence_lock);
	return online;
}

/*
 * Copies the counters.
 */
void
roost_presence_stat(RoostPresenceStat *stat)
{
	LWLockAcquire(presence_lock, LW_SHARED);
	*stat = presence_shared->stat;
	stat->online = presence_shared->lists[PRESENCE_ONLINE].count;
	stat->leaving = presence_shared->lists[PRESENCE_LEAVING].count;
	stat->offline = presence_shared->lists[PRESENCE_OFFLINE].count;
	LWLockRelease(presence_lock);
	stat->room = presence_num_entries;
}

/*
 * Returns when roost_presence_work() is to be called, or 0.
 */
int64
roost_presence_due(void)
{
	int64		due = 0;

	LWLockAcquire(presence_lock, LW_SHARED);
	if (presence_shared->retired > 0)
		due = 1;
	else
	{
		const PresenceList *leaving = &presence_shared->lists[PRESENCE_LEAVING];

		if (leaving->oldest != PRESENCE_NONE)
			due = presence_shared->entries[leaving->oldest].left_us + presence_grace * INT64CONST(1000);
		for (int i = 0; i < presence_shared->num_gateways; i++)
		{
			const PresenceGateway *gateway = &presence_shared->gateways[i];

			if (gateway->id != 0 && (due == 0 || gateway->beat_us + PRESENCE_PATIENCE_US < due))
				due = gateway->beat_us + PRESENCE_PATIENCE_US;
		}
	}
	LWLockRelease(presence_lock);
	return due;
}

/*
 * Forgets gateways that are silent, and lets accounts go offline.
 */
void
roost_presence_work(void)
{
	int64		now = roost_clock_us();
	PresenceSet retired;

	if (gateway_forget(now, &retired))
		presence_take_out(&retired, now);
	while (presence_end(now))
		;
}

/*
 * Returns the place of a gateway, or -1.
 */
static int
gateway_find(int64 gateway_id)
{
	for (int i = 0; i < presence_shared->num_gateways; i++)
	{
		if (presence_shared->gateways[i].id == gateway_id && !presence_shared->gateways[i].retired)
			return i;
	}
	return -1;
}

/*
 * Gives a place to a gateway; returns -1 if there is none.
 */
static int
gateway_take(int64 gateway_id, int64 now_us)
{
	for (int i = 0; i < PRESENCE_GATEWAYS; i++)
	{
		if (presence_shared->gateways[i].id != 0)
			continue;
		presence_shared->gateways[i] = (PresenceGateway)
		{
			.id = gateway_id,.beat_us = now_us
		};
		presence_shared->num_gateways = Max(presence_shared->num_gateways, i + 1);
		presence_shared->stat.gateways++;
		return i;
	}
	presence_shared->stat.refused++;
	return -1;
}

static void
gateway_retire(int place)
{
	if (presence_shared->gateways[place].retired)
		return;
	presence_shared->gateways[place].retired = true;
	presence_shared->retired++;
	presence_shared->stat.gateways--;
}

/*
 * Retires gateways that are silent; returns whether there are places to be
 * taken out of entries, and which.
 */
static bool
gateway_forget(int64 now_us, PresenceSet *retired)
{
	bool		any;

	memset(retired, 0, sizeof(PresenceSet));
	LWLockAcquire(presence_lock, LW_EXCLUSIVE);
	for (int i = 0; i < presence_shared->num_gateways; i++)
	{
		PresenceGateway *gateway = &presence_shared->gateways[i];

		if (gateway->id != 0 && !gateway->retired && gateway->beat_us + PRESENCE_PATIENCE_US <= now_us)
		{
			gateway_retire(i);
			presence_shared->stat.lost++;
		}
		if (gateway->retired)
			retired->words[i / 64] |= UINT64CONST(1) << (i % 64);
	}
	any = presence_shared->retired > 0;
	LWLockRelease(presence_lock);
	return any;
}

/*
 * Notes that an account has a connection to a gateway.
 */
static void
presence_arrive(int64 account_id, int place, int64 now_us)
{
	PresenceEntry *entry = presence_find(account_id);
	bool		known = entry != NULL;

	if (!known)
		entry = presence_new(account_id, now_us);
	if (entry == NULL)
		return;
	if (!known || entry->state == PRESENCE_OFFLINE)
	{
		entry->since_us = now_us;
		if (known || now_us >= presence_shared->settled_us)
			roost_signal_push(ROOST_SIGNAL_ONLINE, account_id, "", now_us);
	}
	presence_set_state(entry, PRESENCE_ONLINE);
	entry->gateways.words[place / 64] |= UINT64CONST(1) << (place % 64);
}

/*
 * Notes that it has none any more.
 */
static void
presence_leave(int64 account_id, int place, int64 now_us)
{
	PresenceEntry *entry = presence_find(account_id);

	if (entry == NULL && now_us < presence_shared->settled_us)
		entry = presence_new(account_id, now_us);
	if (entry == NULL || entry->state != PRESENCE_ONLINE)
		return;
	entry->gateways.words[place / 64] &= ~(UINT64CONST(1) << (place % 64));
	if (presence_is_alone(entry))
		presence_left(entry, now_us);
}

/*
 * The last gateway has let an account go.
 */
static void
presence_left(PresenceEntry *entry, int64 now_us)
{
	entry->left_us = now_us;
	presence_set_state(entry, PRESENCE_LEAVING);
	roost_typing_leave(entry->account_id, now_us);
}

/*
 * Takes retired gateways out of all entries, and frees their places.
 */
static void
presence_take_out(const PresenceSet *retired, int64 now_us)
{
	for (int32 from = 0; from < presence_num_entries; from += PRESENCE_PIECE)
	{
		int32		end = Min(from + PRESENCE_PIECE, presence_num_entries);

		LWLockAcquire(presence_lock, LW_EXCLUSIVE);
		for (int32 i = from; i < end; i++)
		{
			PresenceEntry *entry = &presence_shared->entries[i];

			if (entry->account_id == 0 || entry->state != PRESENCE_ONLINE)
				continue;
			for (int word = 0; word < PRESENCE_WORDS; word++)
				entry->gateways.words[word] &= ~retired->words[word];
			if (presence_is_alone(entry))
				presence_left(entry, now_us);
		}
		LWLockRelease(presence_lock);
	}

	LWLockAcquire(presence_lock, LW_EXCLUSIVE);
	for (int i = 0; i < PRESENCE_GATEWAYS; i++)
	{
		if ((retired->words[i / 64] >> (i % 64) & 1) == 0)
			continue;
		memset(&presence_shared->gateways[i], 0, sizeof(PresenceGateway));
		presence_shared->retired--;
	}
	LWLockRelease(presence_lock);
}

/*
 * Lets accounts go offline whose time of grace is over; returns whether there
 * may be more.
 */
static bool
presence_end(int64 now_us)
{
	PresenceList *leaving = &presence_shared->lists[PRESENCE_LEAVING];
	int64		grace_us = presence_grace * INT64CONST(1000);
	int			n = 0;

	LWLockAcquire(presence_lock, LW_EXCLUSIVE);
	while (n < PRESENCE_PIECE && leaving->oldest != PRESENCE_NONE)
	{
		PresenceEntry *entry = &presence_shared->entries[leaving->oldest];

		if (entry->left_us + grace_us > now_us)
			break;
		entry->since_us = entry->left_us;
		presence_set_state(entry, PRESENCE_OFFLINE);
		roost_signal_push(ROOST_SIGNAL_OFFLINE, entry->account_id, "", entry->since_us);
		n++;
	}
	LWLockRelease(presence_lock);
	return n == PRESENCE_PIECE;
}

/*
 * Moves an entry from the list of its state to the end of another one.
 */
static void
presence_set_state(PresenceEntry *entry, PresenceState state)
{
	PresenceList *list = &presence_shared->lists[entry->state];

	if (entry->state == state)
		return;
	list->count--;
	if (entry->state != PRESENCE_ONLINE)
	{
		if (entry->older != PRESENCE_NONE)
			presence_shared->entries[entry->older].newer = entry->newer;
		else
			list->oldest = entry->newer;
		if (entry->newer != PRESENCE_NONE)
			presence_shared->entries[entry->newer].older = entry->older;
		else
			list->newest = entry->older;
	}

	entry->state = state;
	list = &presence_shared->lists[state];
	list->count++;
	if (state == PRESENCE_ONLINE)
		return;
	entry->older = list->newest;
	entry->newer = PRESENCE_NONE;
	if (list->newest != PRESENCE_NONE)
		presence_shared->entries[list->newest].newer = presence_index(entry);
	else
		list->oldest = presence_index(entry);
	list->newest = presence_index(entry);
}

static int32 *
presence_bucket(int64 account_id)
{
	uint64		hash = hash_bytes_uint32_extended((uint32) account_id, (uint64) account_id >> 32);

	return &presence_buckets[hash & (presence_num_buckets - 1)];
}

static PresenceEntry *
presence_find(int64 account_id)
{
	for (int32 i = *presence_bucket(account_id); i != PRESENCE_NONE; i = presence_shared->entries[i].next)
	{
		if (presence_shared->entries[i].account_id == account_id)
			return &presence_shared->entries[i];
	}
	return NULL;
}

/*
 * Makes an entry, online and without gateways; returns NULL if there is no
 * room.
 */
static PresenceEntry *
presence_new(int64 account_id, int64 now_us)
{
	int32	   *bucket = presence_bucket(account_id);
	PresenceEntry *entry;

	if (presence_shared->unused == PRESENCE_NONE)
	{
		if (presence_shared->lists[PRESENCE_OFFLINE].oldest == PRESENCE_NONE)
		{
			presence_shared->stat.refused++;
			return NULL;
		}
		presence_drop(&presence_shared->entries[presence_shared->lists[PRESENCE_OFFLINE].oldest]);
	}
	entry = &presence_shared->entries[presence_shared->unused];
	presence_shared->unused = entry->next;
	memset(entry, 0, sizeof(PresenceEntry));
	entry->account_id = account_id;
	entry->since_us = now_us;
	entry->state = PRESENCE_ONLINE;
	presence_shared->lists[PRESENCE_ONLINE].count++;
	entry->next = *bucket;
	*bucket = presence_index(entry);
	return entry;
}

/*
 * Drops an entry.
 */
static void
presence_drop(PresenceEntry *entry)
{
	int32	   *link = presence_bucket(entry->account_id);

	presence_set_state(entry, PRESENCE_ONLINE);
	presence_shared->lists[PRESENCE_ONLINE].count--;
	while (*link != presence_index(entry))
		link = &presence_shared->entries[*link].next;
	*link = entry->next;
	entry->account_id = 0;
	entry->next = presence_shared->unused;
	presence_shared->unused = presence_index(entry);
}

static void
presence_define_gucs(void)
{
	DefineCustomIntVariable("roost.presence_memory",
							"Sets the memory for who is online.",
							"80 bytes for each account; those offline for longest make room. Whoever finds no room counts as offline.",
							&presence_memory,
							PRESENCE_MEMORY_DEFAULT, PRESENCE_MEMORY_MIN, PRESENCE_MEMORY_MAX,
							PGC_POSTMASTER,
							GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.presence_grace",
							"Sets how long an account without a connection still counts as online.",
							"Whoever comes back within it has not been away.",
							&presence_grace,
							PRESENCE_GRACE_DEFAULT, PRESENCE_GRACE_MIN, PRESENCE_GRACE_MAX,
							PGC_SIGHUP,
							GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.presence_settle",
							"Sets how long after a start of the server nobody is told that accounts are online.",
							"Counted from the first word of a gateway: most of them were online before.",
							&presence_settle,
							PRESENCE_SETTLE_DEFAULT, PRESENCE_SETTLE_MIN, PRESENCE_SETTLE_MAX,
							PGC_SIGHUP,
							GUC_UNIT_MS,
							NULL, NULL, NULL);
}

static Size
presence_shmem_size(void)
{
	Size		bytes = mul_size(presence_memory, 1024);

	presence_num_entries = bytes / (sizeof(PresenceEntry) + sizeof(int32));
	presence_num_buckets = pg_nextpower2_32(presence_num_entries) / 2;
	return add_size(offsetof(PresenceShared, entries),
					add_size(mul_size(presence_num_entries, sizeof(PresenceEntry)),
							 mul_size(presence_num_buckets, sizeof(int32))));
}

static void
presence_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	presence_shared = area;
	presence_buckets = (int32 *) &presence_shared->entries[presence_num_entries];
	presence_lock = &locks[0].lock;
	if (found)
		return;
	memset(presence_shared, 0, offsetof(PresenceShared, entries));
	for (int i = 0; i < PRESENCE_STATES; i++)
		presence_shared->lists[i].oldest = presence_shared->lists[i].newest = PRESENCE_NONE;
	for (uint32 i = 0; i < presence_num_buckets; i++)
		presence_buckets[i] = PRESENCE_NONE;
	for (int32 i = 0; i < presence_num_entries; i++)
	{
		presence_shared->entries[i].account_id = 0;
		presence_shared->entries[i].next = i + 1 < presence_num_entries ? i + 1 : PRESENCE_NONE;
	}
}

const RoostModule roost_presence_module = {
	.name = "roost presence",
	.define_gucs = presence_define_gucs,
	.shmem_size = presence_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = presence_shmem_init,
};
