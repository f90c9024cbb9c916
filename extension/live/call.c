/*-------------------------------------------------------------------------
 *
 * call.c
 *		What clients say to begin a call, on its way to the gateways.
 *
 * A ring of CALL_SLOTS texts of at most CALL_TEXT_SIZE bytes in shared memory.
 * A backend puts one in and a signal with its number after it (live/signal.h);
 * each gateway that hears of the signal fetches the text by the number, and
 * finds nothing if the ring has gone round since.  Nothing is ever written to
 * disk, and nobody waits: the oldest goes.
 *
 * call_lock guards all of it; no other lock is taken under it.  After a crash
 * the ring is empty, but the numbers that gateways may still have heard of are
 * not given out again: they begin with the time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/clock.h"
#include "core/core.h"
#include "live/queue.h"
#include "live/signal.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_call_put);
PG_FUNCTION_INFO_V1(roost_live_call);

#define CALL_SLOTS			256
#define CALL_TEXT_SIZE		20480
#define CALL_TOLD_MAX		32
#define CALL_FETCH_MAX		1000	/* numbers asked for at once */
#define CALL_COLUMNS		5

typedef struct CallSlot
{
	int64		n;				/* its number; 0: empty */
	int64		session_id;		/* that has said it, or 0 */
	RoostSignalKind kind;
	int			told_count;
	int			length;
	int64		told[CALL_TOLD_MAX];
	char		text[CALL_TEXT_SIZE];
} CallSlot;

typedef struct CallShared
{
	int64		written;		/* the last number */
	CallSlot	slots[CALL_SLOTS];
} CallShared;

static CallShared *call_shared = NULL;
static LWLock *call_lock = NULL;

static RoostSignalKind call_kind(text *event);
static int64 *call_ids(ArrayType *array, int max, const char *what, int *count);

/*
 * roost_internal.call_put(account_id, session_id, event, told, data) returns
 * the number; null in a database that no worker works for.
 */
Datum
roost_call_put(PG_FUNCTION_ARGS)
{
	RoostSignalKind kind = call_kind(PG_GETARG_TEXT_PP(2));
	text	   *data = PG_GETARG_TEXT_PP(4);
	int			length = VARSIZE_ANY_EXHDR(data);
	int			told_count;
	int64	   *told = call_ids(PG_GETARG_ARRAYTYPE_P(3), CALL_TOLD_MAX, "accounts", &told_count);
	char		channel[ROOST_CHANNEL_SIZE];
	CallSlot   *slot;
	int64		n;

	if (length > CALL_TEXT_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("data of a call is too large")));
	if (!roost_core_is_home())
		PG_RETURN_NULL();
	PreventCommandDuringRecovery("call_put()");

	LWLockAcquire(call_lock, LW_EXCLUSIVE);
	n = ++call_shared->written;
	slot = &call_shared->slots[n % CALL_SLOTS];
	slot->n = n;
	slot->session_id = PG_GETARG_INT64(1);
	slot->kind = kind;
	slot->told_count = told_count;
	slot->length = length;
	memcpy(slot->told, told, told_count * sizeof(int64));
	memcpy(slot->text, VARDATA_ANY(data), length);
	LWLockRelease(call_lock);

	snprintf(channel, sizeof(channel), "call:" INT64_FORMAT, n);
	roost_signal_push(kind, PG_GETARG_INT64(0), channel, roost_clock_us());
	roost_queue_wake();
	PG_RETURN_INT64(n);
}

/*
 * roost.live_call(ns) returns what was said under these numbers, as far as it
 * is still there, in their order.
 */
Datum
roost_live_call(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CallSlot   *copy = palloc(sizeof(CallSlot));
	int			count;
	int64	   *ns = call_ids(PG_GETARG_ARRAYTYPE_P(0), CALL_FETCH_MAX, "numbers", &count);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count && roost_core_is_home(); i++)
	{
		const CallSlot *slot = &call_shared->slots[Max(ns[i], 0) % CALL_SLOTS];
		Datum		values[CALL_COLUMNS];
		bool		nulls[CALL_COLUMNS] = {false};
		Datum		told[CALL_TOLD_MAX];
		bool		found;

		LWLockAcquire(call_lock, LW_SHARED);
		found = ns[i] > 0 && slot->n == ns[i];
		if (found)
			memcpy(copy, slot, offsetof(CallSlot, text) + slot->length);
		LWLockRelease(call_lock);
		if (!found)
			continue;
		for (int t = 0; t < copy->told_count; t++)
			told[t] = Int64GetDatum(copy->told[t]);
		values[0] = Int64GetDatum(copy->n);
		values[1] = CStringGetTextDatum(roost_signal_name(copy->kind));
		values[2] = Int64GetDatum(copy->session_id);
		values[3] = PointerGetDatum(construct_array(told, copy->told_count, INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE));
		values[4] = PointerGetDatum(cstring_to_text_with_len(copy->text, copy->length));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * Returns the kind of signal that an event is.
 */
static RoostSignalKind
call_kind(text *event)
{
	char	   *name = text_to_cstring(event);

	for (RoostSignalKind kind = ROOST_SIGNAL_CALL_FIRST; kind < ROOST_SIGNAL_KINDS; kind++)
	{
		if (strcmp(roost_signal_name(kind), name) == 0)
			return kind;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown event of a call")));
}

/*
 * Returns the elements of an array, without nulls.
 */
static int64 *
call_ids(ArrayType *array, int max, const char *what, int *count)
{
	Datum	   *elements;
	int64	   *ids;

	if (array_contains_nulls(array) || ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("at most %d %s, none of them null", max, what)));
	deconstruct_array(array, INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE, &elements, NULL, count);
	ids = palloc(Max(*count, 1) * sizeof(int64));
	for (int i = 0; i < *count; i++)
		ids[i] = DatumGetInt64(elements[i]);
	return ids;
}

static Size
call_shmem_size(void)
{
	return sizeof(CallShared);
}

static void
call_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	call_shared = area;
	call_lock = &locks[0].lock;
	if (found)
		return;
	call_shared->written = roost_clock_us();
	for (int i = 0; i < CALL_SLOTS; i++)
		call_shared->slots[i].n = 0;
}

const RoostModule roost_call_module = {
	.name = "roost call",
	.shmem_size = call_shmem_size,
	.num_lwlocks = 1,
	.shmem_init = call_shmem_init,
};
