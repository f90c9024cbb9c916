/*-------------------------------------------------------------------------
 *
 * audit.c
 *		The worker's step that seals the audit trail.
 *
 * Every half second, and whenever somebody waits for a turn, it moves what has
 * been committed since from roost_data.audit_entry to the end of the chain,
 * in one transaction: an entry is in one of the two tables, whatever ends
 * when.  It is the chain's only writer, so numbers have no gaps.
 *
 * Entries are looked for by the transactions that wrote them: those that the
 * former look's snapshot did not see.  So entries that were sealed, but cannot
 * be cleaned up while an old transaction runs, cost nothing.  Now and then it
 * looks at all, for entries whose transaction numbers are not from here (a dump
 * brought them).
 *
 * The head of the chain is also kept in this process's memory.  If the table
 * says something else, somebody has changed the table: the log says so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "audit/audit.h"
#include "bgworker/worker.h"
#include "core/debug_point.h"
#include "core/plan.h"

#define AUDIT_PERIOD_MS		500
#define AUDIT_BATCH			1000
#define AUDIT_ALL_MS		60000

/* A place in the chain. */
typedef struct AuditHead
{
	int64		seq;
	char		hash[PG_SHA256_DIGEST_LENGTH];
} AuditHead;

static char *audit_snapshot = NULL; /* of the former look */
static TimestampTz audit_all_at = 0;	/* when it looked at all */
static TimestampTz audit_logged_at = 0;
static bool audit_known = false;	/* heads are known */
static AuditHead audit_before;	/* before the last step, and after it, if it
								 * was committed */
static AuditHead audit_after;

static void audit_run(void);
static bool audit_seal(void);
static bool audit_head(AuditHead *head, int seq_column, int hash_column);
static void audit_check(const AuditHead *head);
static void audit_log(void);

static void
audit_run(void)
{
	bool		again;

	if (!OidIsValid(get_relname_relid("audit_state", get_namespace_oid("roost_data", true))))
		return;					/* tables of an older release */

	if (TimestampDifferenceExceeds(audit_all_at, GetCurrentTimestamp(), AUDIT_ALL_MS))
	{
		if (audit_snapshot != NULL)
			pfree(audit_snapshot);
		audit_snapshot = NULL;
		audit_all_at = GetCurrentTimestamp();
	}

	roost_audit_failures();
	SPI_connect();
	roost_audit_sealing = true;
	PG_TRY();
	{
		again = audit_seal();
	}
	PG_FINALLY();
	{
		roost_audit_sealing = false;
	}
	PG_END_TRY();
	SPI_finish();
	ROOST_DEBUG_POINT("audit_sealed");
	if (!again)
		audit_log();
}

/*
 * Seals a batch; returns whether there may be more.
 */
static bool
audit_seal(void)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[2] = {TEXTOID, INT4OID};
	Datum		values[2];
	char		nulls[2] = {' ', ' '};
	AuditHead	from;
	bool		isnull;
	int64		sealed;
	char	   *snapshot;

	values[0] = audit_snapshot != NULL ? CStringGetTextDatum(audit_snapshot) : (Datum) 0;
	nulls[0] = audit_snapshot != NULL ? ' ' : 'n';
	values[1] = Int32GetDatum(AUDIT_BATCH);

	/* unless it succeeds, the next one looks at all */
	snapshot = audit_snapshot;
	audit_snapshot = NULL;
	if (snapshot != NULL)
		pfree(snapshot);

	roost_plan_keep(&plan, "SELECT s.sealed, s.snapshot, s.from_seq, s.from_hash, s.seq, s.hash FROM roost_internal.audit_seal($1, $2) s", 2, types);
	if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not seal the audit trail");

	sealed = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	snapshot = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	if (!audit_head(&from, 3, 4))
		return false;
	audit_check(&from);
	if (audit_head(&audit_after, 5, 6))
	{
		audit_before = from;
		audit_known = true;
		if (snapshot != NULL)
			audit_snapshot = MemoryContextStrdup(TopMemoryContext, snapshot);
	}
	return sealed == AUDIT_BATCH;
}

/*
 * Reads a head from a result; false if there is none.
 */
static bool
audit_head(AuditHead *head, int seq_column, int hash_column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, seq_column, &isnull);
	bytea	   *hash;

	if (isnull)
		return false;
	head->seq = DatumGetInt64(value);
	hash = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, hash_column, &isnull));
	memset(head->hash, 0, sizeof(head->hash));
	memcpy(head->hash, VARDATA_ANY(hash), Min(VARSIZE_ANY_EXHDR(hash), sizeof(head->hash)));
	return true;
}

/*
 * Says so if the chain does not end where this worker left it.
 */
static void
audit_check(const AuditHead *head)
{
	if (!audit_known ||
		(head->seq == audit_after.seq && memcmp(head->hash, audit_after.hash, sizeof(head->hash)) == 0) ||
		(head->seq == audit_before.seq && memcmp(head->hash, audit_before.hash, sizeof(head->hash)) == 0))
		return;
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the head of the audit trail was changed"),
			 errdetail("It was entry " INT64_FORMAT " and is entry " INT64_FORMAT ".", audit_after.seq, head->seq),
			 errhint("Call roost.audit_verify().")));
}

/*
 * Writes the head to the server log, now and then.
 */
static void
audit_log(void)
{
	char		hash[2 * PG_SHA256_DIGEST_LENGTH + 1];

	if (roost_audit_log_interval == 0 || !audit_known || audit_after.seq == 0 ||
		!TimestampDifferenceExceeds(audit_logged_at, GetCurrentTimestamp(), roost_audit_log_interval * 1000))
		return;
	audit_logged_at = GetCurrentTimestamp();
	hash[hex_encode(audit_after.hash, PG_SHA256_DIGEST_LENGTH, hash)] = '\0';
	ereport(LOG,
			(errmsg("audit trail: entry " INT64_FORMAT " has the hash %s", audit_after.seq, hash)));
}

const RoostWorkerStep roost_audit_step = {
	.name = "seal the audit trail",
	.period_ms = AUDIT_PERIOD_MS,
	.transaction = true,
	.primary_only = true,
	.on_sync = true,
	.run = audit_run,
};
