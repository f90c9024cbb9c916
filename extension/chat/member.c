/*-------------------------------------------------------------------------
 *
 * member.c
 *		The conversations that an account is a member of, kept in memory.
 *
 * An account may have thousands of conversations.  Whoever wants a page of them
 * in the order of their newest messages, or what it has missed in all of them,
 * would have to look each one up: a microsecond or two for each.  To keep their
 * order where a message is written would cost a group of a thousand a thousand
 * writes a message.  So lists are kept here, for those who read them:
 *
 *	which conversations an account has, and what it has set for them, is good
 *	for a version of the stamp "member" of the account;
 *	the newest message of each is good for a version of the stamp
 *	"conversation" of that.
 *
 * A reader copies the list of the account, looks at the stamp of each entry (some
 * nanoseconds), reads those conversations again in which something has been
 * written since, and puts them back.  What the stamps do not allow, it reads from
 * the tables (core/stamp.h): on standbys, in transactions that have written, under
 * old snapshots.  So it always has what its snapshot shows.
 *
 * Shared memory (roost.conversation_memory) is an array of sets, and an area in
 * which the lists lie.  An account belongs to one set by its id; a set has
 * MEMBER_WAYS lists, of which the one longest unused makes room.  While the area
 * is full, sets make room in turn.  A list that would take more than a quarter of
 * it is not kept.  A set, and the lists that it names, are guarded by one of
 * MEMBER_LOCKS locks; those of the area are taken under it.  After a restart
 * everything is read anew.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "utils/dsa.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "chat/member.h"
#include "core/clock.h"
#include "core/core.h"
#include "core/stamp.h"
#include "roost.h"

#define CONVERSATION_MEMORY_DEFAULT	(16 * 1024) /* kB */
#define CONVERSATION_MEMORY_MIN		0
#define CONVERSATION_MEMORY_MAX		(16 * 1024 * 1024)

#define MEMBER_LOCKS		16
#define MEMBER_WAYS			4
#define MEMBER_SET_MEMORY	8192	/* bytes of lists, for each set */
#define MEMBER_AREA_MIN		(512 * 1024)	/* of less nothing is kept */
#define MEMBER_EVICT_MAX	256 /* sets are asked for room */
#define MEMBER_AHEAD		8	/* stamps are fetched so early */

typedef struct MemberList
{
	int64		account_id;		/* 0: free */
	uint64		used;			/* tick of the last use */
	uint64		build;			/* no other list has it */
	dsa_pointer entries;		/* ChatMember */
	uint32		version;		/* of the account's stamp */
	int			count;
} MemberList;

typedef struct MemberSet
{
	MemberList	ways[MEMBER_WAYS];
} MemberSet;

typedef struct MemberShared
{
	pg_atomic_uint64 tick;
	pg_atomic_uint32 hand;		/* the next set that is asked for room */
	uint32		num_sets;		/* 0: nothing is kept */
	MemberSet	sets[FLEXIBLE_ARRAY_MEMBER];
} MemberShared;

static int	conversation_memory = CONVERSATION_MEMORY_DEFAULT;

static MemberShared *member_shared = NULL;
static LWLockPadded *member_locks = NULL;
static dsa_area *member_area = NULL;	/* this backend's */

static void members_scan(PostReader *reader, int64 account_id, ChatMembers *members);
static bool members_refresh(PostReader *reader, int64 account_id, ChatMembers *members);
static void member_read_last(PostReader *reader, int64 account_id, ChatMember *member);
static int	member_compare(const void *left, const void *right);
static bool members_copy(int64 account_id, uint32 version, ChatMembers *members);
static void members_keep(int64 account_id, uint32 version, const ChatMembers *members);
static void members_put_back(int64 account_id, const ChatMembers *members);

/*
 * Reads the conversations of an account.
 */
void
roost_members_read(PostReader *reader, int64 account_id, bool newest, ChatMembers *members)
{
	uint32		version = 0;
	bool		good = roost_stamp_read(ROOST_STAMP_MEMBER, account_id, reader->snapshot, &version);
	bool		found = good && members_copy(account_id, version, members);
	bool		changed;

	if (!found)
		members_scan(reader, account_id, members);
	changed = newest && members_refresh(reader, account_id, members);
	if (good && !found)
		members_keep(account_id, version, members);
	else if (changed && members->build != 0)
		members_put_back(account_id, members);
}

/*
 * Reads them from the table.
 */
static void
members_scan(PostReader *reader, int64 account_id, ChatMembers *members)
{
	const AttrNumber *columns = roost_post_columns(LOOKUP_MEMBER);
	int			room = 64;
	TupleTableSlot *slot;

	members->count = 0;
	members->build = 0;
	members->list = palloc(room * sizeof(ChatMember));
	for (slot = roost_post_read(reader, LOOKUP_MEMBER, 1, account_id, 0); slot != NULL; slot = roost_post_read_next(reader, LOOKUP_MEMBER))
	{
		ChatMember *member;
		Datum		value;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (members->count == room)
			members->list = repalloc_huge(members->list, (room *= 2) * sizeof(ChatMember));
		member = &members->list[members->count++];
		memset(member, 0, sizeof(ChatMember));
		member->conversation_id = DatumGetInt64(slot_getattr(slot, columns[MEMBER_CONVERSATION_ID], &isnull));
		member->since_id = DatumGetInt64(slot_getattr(slot, columns[MEMBER_SINCE_ID], &isnull));
		value = slot_getattr(slot, columns[MEMBER_ARCHIVED_ID], &isnull);
		member->archived_id = isnull ? MEMBER_NOT_ARCHIVED : DatumGetInt64(value);
		if (DatumGetBool(slot_getattr(slot, columns[MEMBER_MUTED], &isnull)))
		{
			value = slot_getattr(slot, columns[MEMBER_MUTED_UNTIL], &isnull);
			member->muted_until = isnull || TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(value)) ? PG_INT64_MAX :
				DatumGetTimestampTz(value) + ROOST_CLOCK_EPOCH_US;
		}
		(void) slot_getattr(slot, columns[MEMBER_PINNED_AT], &isnull);
		member->pinned = !isnull;
	}
	if (members->count > 1)
		qsort(members->list, members->count, sizeof(ChatMember), member_compare);
}

static int
member_compare(const void *left, const void *right)
{
	int64		a = ((const ChatMember *) left)->conversation_id;
	int64		b = ((const ChatMember *) right)->conversation_id;

	return (a > b) - (a < b);
}

/*
 * Reads the newest message of each conversation again whose stamp is another
 * one, or says nothing; returns whether there is anything new to keep.
 */
static bool
members_refresh(PostReader *reader, int64 account_id, ChatMembers *members)
{
	bool		changed = false;

	for (int i = 0; i < members->count; i++)
	{
		ChatMember *member = &members->list[i];
		uint32		version = 0;
		bool		good;

		if (i + MEMBER_AHEAD < members->count)
			roost_stamp_prefetch(ROOST_STAMP_CONVERSATION, member[MEMBER_AHEAD].conversation_id);
		good = roost_stamp_read(ROOST_STAMP_CONVERSATION, member->conversation_id, reader->snapshot, &version);
		if (good && member->known && member->version == version)
			continue;
		CHECK_FOR_INTERRUPTS();
		member_read_last(reader, account_id, member);
		member->known = good;
		member->version = version;
		member->changed = good;
		changed |= good;
	}
	return changed;
}

/*
 * Reads the newest message of a conversation from the table.
 */
static void
member_read_last(PostReader *reader, int64 account_id, ChatMember *member)
{
	const AttrNumber *columns = roost_post_columns(LOOKUP_CONVERSATION);
	TupleTableSlot *slot = roost_post_read(reader, LOOKUP_CONVERSATION, 1, member->conversation_id, 0);
	Datum		value;
	bool		isnull;

	member->last_id = -1;
	if (slot == NULL)
		return;
	value = slot_getattr(slot, columns[CONVERSATION_LAST_MESSAGE_ID], &isnull);
	member->last_id = isnull ? 0 : DatumGetInt64(value);
	value = slot_getattr(slot, columns[CONVERSATION_CREATED_BY], &isnull);
	member->quiet = (isnull || DatumGetInt64(value) != account_id) &&
		roost_post_enum_letter(DatumGetObjectId(slot_getattr(slot, columns[CONVERSATION_KIND], &isnull))) == 'd';
}

/*
 * Returns the area of lists, in this backend.
 */
static dsa_area *
member_attach(void)
{
	void	   *place = (char *) member_shared + MAXALIGN(offsetof(MemberShared, sets) + member_shared->num_sets * sizeof(MemberSet));
	MemoryContext caller;

	if (member_area != NULL)
		return member_area;
	caller = MemoryContextSwitchTo(TopMemoryContext);
	member_area = dsa_attach_in_place(place, NULL);
	dsa_pin_mapping(member_area);
	on_shmem_exit(dsa_on_shmem_exit_release_in_place, PointerGetDatum(place));
	MemoryContextSwitchTo(caller);
	return member_area;
}

/*
 * Returns whether lists are kept at all.
 */
static inline bool
member_is_on(void)
{
	return member_shared != NULL && member_shared->num_sets > 0 && roost_core_is_home();
}

/*
 * Returns a set, and its lock.
 */
static inline MemberSet *
member_set(uint32 number, LWLock **lock)
{
	*lock = &member_locks[number % MEMBER_LOCKS].lock;
	return &member_shared->sets[number];
}

/*
 * Returns the number of the set of an account.
 */
static inline uint32
member_set_number(int64 account_id)
{
	return (uint32) ((uint64) account_id * UINT64CONST(0x9E3779B97F4A7C15) >> 32) % member_shared->num_sets;
}

/*
 * Returns the list of an account in its set, which is locked, or NULL.
 */
static MemberList *
member_find(MemberSet *set, int64 account_id)
{
	for (int i = 0; i < MEMBER_WAYS; i++)
	{
		if (set->ways[i].account_id == account_id)
			return &set->ways[i];
	}
	return NULL;
}

/*
 * Lets go of a list; its set is locked.
 */
static void
member_drop(MemberList *list)
{
	if (list->account_id == 0)
		return;
	if (DsaPointerIsValid(list->entries))
		dsa_free(member_area, list->entries);
	memset(list, 0, sizeof(MemberList));
}

/*
 * Copies the list of an account; false: none of this version is kept.
 */
static bool
members_copy(int64 account_id, uint32 version, ChatMembers *members)
{
	LWLock	   *lock;
	MemberSet  *set;
	MemberList *list;
	bool		found = false;
	int			room;

	if (!member_is_on() || account_id == 0)
		return false;
	(void) member_attach();
	set = member_set(member_set_number(account_id), &lock);

	/* nothing may fail under the lock, so the room is made before */
	LWLockAcquire(lock, LW_SHARED);
	list = member_find(set, account_id);
	room = list != NULL && list->version == version ? list->count : -1;
	LWLockRelease(lock);
	if (room < 0)
		return false;
	members->list = MemoryContextAllocHuge(CurrentMemoryContext, Max(room, 1) * sizeof(ChatMember));

	LWLockAcquire(lock, LW_SHARED);
	list = member_find(set, account_id);
	if (list != NULL && list->version == version && list->count <= room)
	{
		found = true;
		members->count = list->count;
		members->build = list->build;
		if (list->count > 0)
			memcpy(members->list, dsa_get_address(member_area, list->entries), list->count * sizeof(ChatMember));
		/* several may write it at once, each a tick that has just been */
		list->used = pg_atomic_fetch_add_u64(&member_shared->tick, 1);
	}
	LWLockRelease(lock);
	return found;
}

/*
 * Makes room by letting go of the list of a set that is longest unused.
 */
static void
member_evict(void)
{
	uint32		number = pg_atomic_fetch_add_u32(&member_shared->hand, 1) % member_shared->num_sets;
	LWLock	   *lock;
	MemberSet  *set = member_set(number, &lock);
	MemberList *victim = NULL;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < MEMBER_WAYS; i++)
	{
		if (set->ways[i].account_id != 0 && (victim == NULL || set->ways[i].used < victim->used))
			victim = &set->ways[i];
	}
	if (victim != NULL)
		member_drop(victim);
	LWLockRelease(lock);
}

/*
 * Returns room for the entries of a list, or InvalidDsaPointer.
 */
static dsa_pointer
member_allocate(Size size)
{
	dsa_pointer entries = dsa_allocate_extended(member_area, size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);

	for (int i = 0; i < MEMBER_EVICT_MAX && !DsaPointerIsValid(entries); i++)
	{
		member_evict();
		entries = dsa_allocate_extended(member_area, size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);
	}
	return entries;
}

/*
 * Keeps a list.
 */
static void
members_keep(int64 account_id, uint32 version, const ChatMembers *members)
{
	Size		size = members->count * sizeof(ChatMember);
	dsa_pointer entries = InvalidDsaPointer;
	LWLock	   *lock;
	MemberSet  *set;
	MemberList *list;

	if (!member_is_on() || account_id == 0 || size > (Size) conversation_memory * 1024 / 4)
		return;
	(void) member_attach();
	if (size > 0)
	{
		ChatMember *copy;

		entries = member_allocate(size);
		if (!DsaPointerIsValid(entries))
			return;
		copy = dsa_get_address(member_area, entries);
		memcpy(copy, members->list, size);
		for (int i = 0; i < members->count; i++)
			copy[i].changed = false;
	}

	set = member_set(member_set_number(account_id), &lock);
	LWLockAcquire(lock, LW_EXCLUSIVE);
	list = member_find(set, account_id);
	if (list == NULL)
	{
		list = &set->ways[0];
		for (int i = 1; i < MEMBER_WAYS; i++)
		{
			if (set->ways[i].used < list->used)
				list = &set->ways[i];
		}
	}
	member_drop(list);
	list->account_id = account_id;
	list->version = version;
	list->count = members->count;
	list->entries = entries;
	list->used = list->build = pg_atomic_fetch_add_u64(&member_shared->tick, 1);
	LWLockRelease(lock);
}

/*
 * Puts what was read again back into the list that it was copied from, if that
 * is still there.
 */
static void
members_put_back(int64 account_id, const ChatMembers *members)
{
	LWLock	   *lock;
	MemberSet  *set = member_set(member_set_number(account_id), &lock);
	MemberList *list;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	list = member_find(set, account_id);
	if (list != NULL && list->build == members->build && list->count > 0)
	{
		ChatMember *kept = dsa_get_address(member_area, list->entries);

		for (int i = 0; i < members->count; i++)
		{
			if (!members->list[i].changed)
				continue;
			kept[i] = members->list[i];
			kept[i].changed = false;
		}
	}
	LWLockRelease(lock);
}

/*
 * Returns the number of sets, and the size of the area of lists.
 */
static uint32
member_num_sets(Size *area)
{
	Size		room = (Size) conversation_memory * 1024;
	uint32		sets = room / (MEMBER_SET_MEMORY + sizeof(MemberSet));

	*area = sets * (Size) MEMBER_SET_MEMORY;
	return *area < MEMBER_AREA_MIN ? 0 : sets;
}

static Size
member_shmem_size(void)
{
	Size		area;
	uint32		sets = member_num_sets(&area);

	return MAXALIGN(offsetof(MemberShared, sets) + sets * sizeof(MemberSet)) + (sets > 0 ? area : 0);
}

static void
member_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	Size		size;
	Size		head;
	dsa_area   *made;

	member_shared = area;
	member_locks = locks;
	if (found)
		return;
	member_shared->num_sets = member_num_sets(&size);
	head = MAXALIGN(offsetof(MemberShared, sets) + member_shared->num_sets * sizeof(MemberSet));
	memset(member_shared->sets, 0, member_shared->num_sets * sizeof(MemberSet));
	pg_atomic_init_u64(&member_shared->tick, 1);
	pg_atomic_init_u32(&member_shared->hand, 0);
	if (member_shared->num_sets == 0)
		return;
	made = dsa_create_in_place((char *) area + head, size, locks[0].lock.tranche, NULL);
	dsa_pin(made);
	dsa_set_size_limit(made, size);
	dsa_detach(made);
}

/*
 * Define the settings of lists of conversations.
 */
static void
member_define_gucs(void)
{
	DefineCustomIntVariable("roost.conversation_memory",
							"Sets the memory for lists of conversations.",
							"48 bytes for each conversation of each account that reads its list; those longest away make room.",
							&conversation_memory,
							CONVERSATION_MEMORY_DEFAULT, CONVERSATION_MEMORY_MIN, CONVERSATION_MEMORY_MAX,
							PGC_POSTMASTER,
							GUC_UNIT_KB,
							NULL, NULL, NULL);
}

const RoostModule roost_member_module = {
	.name = "roost conversations",
	.define_gucs = member_define_gucs,
	.shmem_size = member_shmem_size,
	.num_lwlocks = MEMBER_LOCKS,
	.shmem_init = member_shmem_init,
};
