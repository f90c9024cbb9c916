/*-------------------------------------------------------------------------
 *
 * guard.c
 *		Whether the triggers are there that tell caches of changes.
 *
 * Caches hear of changes from triggers.  While one of them is missing or
 * disabled (a dump is being restored, the library is newer than the tables,
 * somebody loads rows by hand) rows change without a word.  So whoever asks for
 * stamps or pending events asks here first, and reads the tables while not all
 * triggers are enabled, always.
 *
 * What was kept from before such a time is void afterwards, also if nobody
 * asked meanwhile: shared memory has a print of the triggers' rows in the
 * catalog (number, state, and the transaction that wrote the row), and who
 * finds another one counts a loss and a change of all stamps before it writes
 * its own there.
 *
 * A backend looks at the catalog once, and again after it has heard that one of
 * the tables, or any at all while something is missing, has changed.  It hears
 * of that at the beginning of its next transaction at the latest.  Disabling a
 * trigger waits for all writers, so nobody writes unannounced before that.
 *
 * The print also has the database: a copy of one that takes its name has the
 * same triggers, but other rows.
 *
 * guard_lock guards the print; the event queue's lock is taken under it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/guard.h"
#include "core/invalidation.h"
#include "core/stamp.h"
#include "live/queue.h"
#include "roost.h"

#define GUARD_TRIGGERS_MAX	6

typedef struct GuardTable
{
	const char *name;
	const char *triggers[GUARD_TRIGGERS_MAX];
} GuardTable;

static const GuardTable guard_tables[] = {
	{"account", {"account_update_event", "account_delete_event", "account_update_lose", "account_truncate_lose"}},
	{"follow", {"follow_insert_event", "follow_delete_event", "follow_update_lose", "follow_truncate_lose"}},
	{"post", {"post_insert_event", "post_update_event", "post_delete_event", "post_update_identity", "post_truncate_lose"}},
	{"post_stat", {"post_stat_stamp", "post_stat_truncate_stamp"}},
	{"account_block", {"account_block_stamp", "account_block_truncate_stamp"}},
	{"account_mute", {"account_mute_stamp", "account_mute_truncate_stamp"}},
	{"muted_word", {"muted_word_stamp", "muted_word_truncate_stamp"}},
	{"conversation", {"conversation_stamp"}},
	{"conversation_member", {"conversation_member_stamp", "conversation_member_update_stamp", "conversation_member_truncate_stamp"}},
};

typedef struct GuardShared
{
	uint64		print;			/* 0: nobody has looked */
} GuardShared;

static GuardShared *guard_shared = NULL;
static LWLock *guard_lock = NULL;

/* What this backend knows. */
bool		roost_guard_good = false;
static bool guard_looked = false;
static Oid	guard_relids[lengthof(guard_tables)];

static bool guard_look(uint64 *print);
static bool guard_look_at(const GuardTable *table, Oid relid, Relation triggers, uint64 *print);
static void guard_agree(uint64 print);

/*
 * Looks at the catalog, unless that has been done and nothing has changed.
 */
bool
roost_guard_check(void)
{
	uint64		print = hash_combine64(0, MyDatabaseId);

	if (guard_looked)
		return roost_guard_good;

	/* what is heard of while we look takes this back */
	guard_looked = true;
	if (!guard_look(&print))
		return false;
	guard_agree(print);
	roost_guard_good = guard_looked;
	return roost_guard_good;
}

/*
 * Returns whether all triggers are there, and their print.
 */
static bool
guard_look(uint64 *print)
{
	Oid			schema = get_namespace_oid("roost_data", true);
	Relation	triggers;
	bool		all = OidIsValid(schema);

	for (int i = 0; i < lengthof(guard_tables); i++)
	{
		guard_relids[i] = all ? get_relname_relid(guard_tables[i].name, schema) : InvalidOid;
		all = all && OidIsValid(guard_relids[i]);
	}
	if (!all)
		return false;

	triggers = table_open(TriggerRelationId, AccessShareLock);
	for (int i = 0; i < lengthof(guard_tables) && all; i++)
		all = guard_look_at(&guard_tables[i], guard_relids[i], triggers, print);
	table_close(triggers, AccessShareLock);
	return all;
}

/*
 * The same for one table; adds to the print.
 */
static bool
guard_look_at(const GuardTable *table, Oid relid, Relation triggers, uint64 *print)
{
	int			wanted = 0;
	int			found = 0;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	while (wanted < GUARD_TRIGGERS_MAX && table->triggers[wanted] != NULL)
		wanted++;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		for (int i = 0; i < wanted; i++)
		{
			if (strcmp(NameStr(trigger->tgname), table->triggers[i]) != 0 ||
				trigger->tgenabled != TRIGGER_FIRES_ALWAYS)
				continue;
			found++;
			*print = hash_combine64(*print, ((uint64) trigger->oid << 32) |
									HeapTupleHeaderGetRawXmin(tuple->t_data));
		}
	}
	systable_endscan(scan);
	return found == wanted;
}

/*
 * Makes void what was kept under another print.
 */
static void
guard_agree(uint64 print)
{
	LWLockAcquire(guard_lock, LW_EXCLUSIVE);
	if (guard_shared->print != print)
	{
		if (guard_shared->print != 0)
		{
			roost_stamp_mark_all();
			roost_queue_push(NULL, 0);
			roost_stamp_release(NULL, ROOST_STAMP_ALL, true);
		}
		guard_shared->print = print;
	}
	LWLockRelease(guard_lock);
}

/*
 * Looks again after one of the tables has changed.
 */
static void
guard_relation_changed(Oid relid)
{
	bool		mine = !OidIsValid(relid) || !roost_guard_good;

	for (int i = 0; i < lengthof(guard_tables) && !mine; i++)
		mine = guard_relids[i] == relid;
	if (mine)
	{
		guard_looked = false;
		roost_guard_good = false;
	}
}

static Size
guard_shmem_size(void)
{
	return sizeof(GuardShared);
}

static void
guard_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	guard_shared = area;
	guard_lock = &locks[0].lock;
	if (!found)
		memset(guard_shared, 0, sizeof(GuardShared));
}

static void
guard_init(void)
{
	roost_invalidation_register(guard_relation_changed);
}

const RoostModule roost_guard_module = {
	.name = "roost guard",
	.shmem_size = guard_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = guard_shmem_init,
	.init = guard_init,
};
