/*-------------------------------------------------------------------------
 *
 * store.c
 *		The file in which the limits survive a restart.
 *
 * Written by the postmaster at shutdown and by the worker every minute that
 * something was counted; read when shared memory is made, so also after a
 * crash, which then forgives the last minute.  It holds the seed and the
 * entries whose time has not passed: header, entries, checksum.  It is
 * written to a temporary name and renamed, so that it is whole or the old
 * one.  A file that is damaged or of another version is ignored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "storage/ipc.h"

#include "bgworker/worker.h"
#include "core/clock.h"
#include "limit/store.h"

#define STORE_FILE		"pg_stat/roost_limit.stat"
#define STORE_TEMP_FILE	STORE_FILE ".tmp"
#define STORE_MAGIC		0x524c494d
#define STORE_VERSION	1
#define STORE_PERIOD_MS	60000

typedef struct StoreHeader
{
	uint32		magic;
	uint32		version;
	uint64		seed;
	uint64		count;
} StoreHeader;

typedef struct StoreEntry
{
	uint64		key;
	int64		tat;
} StoreEntry;

static uint64 store_checks = 0; /* when this process last wrote the file */

static void store_shutdown(int code, Datum arg);
static void store_read(void);
static bool store_read_file(FILE *file);
static bool store_is_due(void);
static void store_write(void);
static bool store_write_file(FILE *file);
static bool store_put(FILE *file, const void *data, Size length, pg_crc32c *crc);

/*
 * Reads the file, and has it written at shutdown.  Called when shared memory
 * is made, by the postmaster.
 */
void
roost_limit_store_init(void)
{
	store_read();
	if (!IsUnderPostmaster)
		on_shmem_exit(store_shutdown, (Datum) 0);
}

static void
store_shutdown(int code, Datum arg)
{
	/* after a crash shared memory is not to be trusted */
	if (code == 0 && roost_limit_shared != NULL)
		store_write();
}

static void
store_read(void)
{
	FILE	   *file = AllocateFile(STORE_FILE, PG_BINARY_R);

	if (file == NULL)
	{
		if (errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", STORE_FILE)));
		return;
	}
	if (!store_read_file(file))
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("ignoring invalid data in file \"%s\"", STORE_FILE)));
	FreeFile(file);
}

/*
 * Puts the entries of the file into the table, once the checksum is known to
 * be right; returns false if it is not.
 */
static bool
store_read_file(FILE *file)
{
	GcraTable	table = roost_limit_table();
	StoreHeader header;
	StoreEntry *entries;
	pg_crc32c	crc;
	pg_crc32c	found;
	Size		length;
	struct stat info;
	bool		good;

	if (fread(&header, sizeof(header), 1, file) != 1 || fstat(fileno(file), &info) != 0 ||
		header.magic != STORE_MAGIC || header.version != STORE_VERSION)
		return false;

	/* the file's size also bounds what a damaged header makes us allocate */
	if (header.count > info.st_size / sizeof(StoreEntry))
		return false;
	length = header.count * sizeof(StoreEntry);
	if (info.st_size != sizeof(header) + length + sizeof(crc))
		return false;

	entries = MemoryContextAllocHuge(CurrentMemoryContext, length + 1);
	good = fread(entries, 1, length, file) == length && fread(&found, sizeof(found), 1, file) == 1;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, &header, sizeof(header));
	COMP_CRC32C(crc, entries, length);
	FIN_CRC32C(crc);
	good = good && EQ_CRC32C(crc, found);
	if (good)
	{
		int64		now = roost_clock_us();

		roost_limit_shared->seed = header.seed;
		for (uint64 i = 0; i < header.count; i++)
			(void) roost_gcra_restore(&table, entries[i].key, entries[i].tat, now);
	}
	pfree(entries);
	return good;
}

static bool
store_is_due(void)
{
	return atomic_load(&roost_limit_shared->checks) != store_checks;
}

/*
 * Writes the file; a failure is logged.
 */
static void
store_write(void)
{
	FILE	   *file;
	bool		good;

	store_checks = atomic_load(&roost_limit_shared->checks);

	file = AllocateFile(STORE_TEMP_FILE, PG_BINARY_W);
	good = file != NULL && store_write_file(file);
	if (file != NULL && FreeFile(file) != 0)
		good = false;
	if (!good)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not write file \"%s\": %m", STORE_TEMP_FILE)));
		unlink(STORE_TEMP_FILE);
		return;
	}
	if (durable_rename(STORE_TEMP_FILE, STORE_FILE, LOG) == 0)
		atomic_store(&roost_limit_shared->dumped_us, roost_clock_us());
}

static bool
store_write_file(FILE *file)
{
	GcraTable	table = roost_limit_table();
	StoreHeader header = {
		.magic = STORE_MAGIC,
		.version = STORE_VERSION,
		.seed = roost_limit_shared->seed,
	};
	int64		now = roost_clock_us();
	uint64		written = 0;
	pg_crc32c	crc;

	/* entries come and go meanwhile: count first, then write at most as many */
	for (uint64 i = 0; i < table.size; i++)
		header.count += atomic_load(&table.entries[i].tat) > now;

	INIT_CRC32C(crc);
	if (!store_put(file, &header, sizeof(header), &crc))
		return false;
	for (uint64 i = 0; i < table.size && written < header.count; i++)
	{
		StoreEntry	entry = {
			.key = atomic_load(&table.entries[i].key),
			.tat = atomic_load(&table.entries[i].tat),
		};

		if (entry.tat <= now)
			continue;
		if (!store_put(file, &entry, sizeof(entry), &crc))
			return false;
		written++;
	}
	for (; written < header.count; written++)
	{
		StoreEntry	nothing = {0};

		if (!store_put(file, &nothing, sizeof(nothing), &crc))
			return false;
	}
	FIN_CRC32C(crc);
	return fwrite(&crc, sizeof(crc), 1, file) == 1;
}

static bool
store_put(FILE *file, const void *data, Size length, pg_crc32c *crc)
{
	COMP_CRC32C(*crc, data, length);
	return fwrite(data, length, 1, file) == 1;
}

const RoostWorkerStep roost_limit_step = {
	.name = "limit store",
	.period_ms = STORE_PERIOD_MS,
	.on_sync = true,
	.due = store_is_due,
	.run = store_write,
};
