/*-------------------------------------------------------------------------
 *
 * call.c
 *		What clients say to begin a call, on its way to the gateways.
 *
 * A ring of CALL_SLOTS texts of at most CALL_TEXT_SIZE bytes in shared memory.
 * A backend puts one in and a signal with its number after it (live/signal.h);
 * each gateway that hears of the signal fetches the text by the number, and
 * finds nothing if the ring has gone round since.  A gateway that could not hear
 * for a moment asks for what came after the last number that it knows.  Nothing is ever written to
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
PG_FUNCTION_INFO_V1(roost_live_call_missed);

#define CALL_SLOTS			256
#define CALL_TEXT_SIZE		20480
#define CALL_TOLD_MAX		32
#define CALL_FETCH_MAX		1000	/* numbers asked for at once */
#define CALL_COLUMNS		5
#define CALL_MISSED_US		INT64CONST(10000000)	/* older: too late */

typedef struct CallSlot
{
	int64		n;				/* its number; 0: empty */
	int64		session_id;		/* that has said it, or 0 */
	int64		at_us;
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

static bool call_copy(int64 n, int64 since_us, CallSlot *copy);
static void call_give(ReturnSetInfo *result, const CallSlot *copy);
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
	slot->at_us = roost_clock_us();
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
		if (call_copy(ns[i], 0, copy))
			call_give(result, copy);
	}
	return (Datum) 0;
}

/*
 * roost.live_call_missed(after) returns what was said after a number, as far as
 * it is still there and not too long ago, in the order of the numbers.
 */
Datum
roost_live_call_missed(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CallSlot   *copy = palloc(sizeof(CallSlot));
	int64		since_us = roost_clock_us() - CALL_MISSED_US;
	int64		written;
	int64		first;

	InitMaterializedSRF(fcinfo, 0);
	if (!roost_core_is_home())
		return (Datum) 0;
	LWLockAcquire(call_lock, LW_SHARED);
	written = call_shared->written;
	LWLockRelease(call_lock);
	first = Max(Min(PG_GETARG_INT64(0), written), written - CALL_SLOTS) + 1;
	for (int64 n = first; n <= written; n++)
	{
		if (call_copy(n, since_us, copy))
			call_give(result, copy);
	}
	return (Datum) 0;
}

/*
 * Copies what was said under a number, unless it is gone or was said before a
 * time.
 */
static bool
call_copy(int64 n, int64 since_us, CallSlot *copy)
{
	const CallSlot *slot = &call_shared->slots[Max(n, 0) % CALL_SLOTS];
	bool		found;

	LWLockAcquire(call_lock, LW_SHARED);
	found = n > 0 && slot->n == n && slot->at_us >= since_us;
	if (found)
		memcpy(copy, slot, offsetof(CallSlot, text) + slot->length);
	LWLockRelease(call_lock);
	return found;
}

/*
 * Puts it into a result.
 */
static void
call_give(ReturnSetInfo *result, const CallSlot *copy)
{
	Datum		values[CALL_COLUMNS];
	bool		nulls[CALL_COLUMNS] = {false};
	Datum		told[CALL_TOLD_MAX];

	for (int t = 0; t < copy->told_count; t++)
		told[t] = Int64GetDatum(copy->told[t]);
	values[0] = Int64GetDatum(copy->n);
	values[1] = CStringGetTextDatum(roost_signal_name(copy->kind));
	values[2] = Int64GetDatum(copy->session_id);
	values[3] = PointerGetDatum(construct_array(told, copy->told_count, INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE));
	values[4] = PointerGetDatum(cstring_to_text_with_len(copy->text, copy->length));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
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
