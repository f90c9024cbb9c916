/*-------------------------------------------------------------------------
 *
 * bundle.c
 *		Handing out bundles: each one-time prekey once.
 *
 * Everything is read by its index under one snapshot, so no prekey comes with an
 * identity key that is not its own.  A prekey is taken by deleting its row
 * without waiting: who else is deleting it has it, and the next one is tried.
 * So fetchers do not wait for each other, and who fails leaves the key behind.
 *
 * As statements (locking a row, deleting it, counting the rest) this took most
 * of the time of a request.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "core/compat.h"
#include "core/plan.h"
#include "key/key.h"

PG_FUNCTION_INFO_V1(roost_key_bundle_take);

/* Columns of roost_data.key_device */
enum
{
	DEVICE_ACCOUNT_ID, DEVICE_NUMBER, DEVICE_DEVICE_ID, DEVICE_REGISTRATION_ID, DEVICE_IDENTITY_KEY,
	DEVICE_SIGNED_PREKEY_ID, DEVICE_SIGNED_PREKEY, DEVICE_SIGNED_PREKEY_SIGNATURE,
	DEVICE_KYBER_PREKEY_ID, DEVICE_KYBER_PREKEY, DEVICE_KYBER_PREKEY_SIGNATURE,
	DEVICE_LINKED_AT, DEVICE_SIGNED_PREKEY_AT, DEVICE_KYBER_PREKEY_AT, DEVICE_USED_AT,
	DEVICE_LOW_TOLD_AT, DEVICE_PREKEY_EPOCH, DEVICE_PREKEY_FROM, DEVICE_KYBER_PREKEY_FROM
};

/* Columns of roost_data.key_prekey */
enum
{
	PREKEY_ACCOUNT_ID, PREKEY_NUMBER, PREKEY_ID, PREKEY_IS_KYBER, PREKEY_KEY, PREKEY_SIGNATURE
};

/* Attributes of roost.key_bundle */
enum
{
	BUNDLE_DEVICE, BUNDLE_REGISTRATION_ID, BUNDLE_IDENTITY_KEY, BUNDLE_SIGNED_PREKEY, BUNDLE_PREKEY, BUNDLE_KYBER_PREKEY,
	BUNDLE_ATTRIBUTES
};

#define KEY_ATTRIBUTES_MAX	4	/* id, key, signature, last_resort */
#define BUNDLE_SKIP_SHARE	0.02	/* of the fetches note where prekeys begin */
#define DEVICES_AT_FIRST	8

/* A table that is read by its primary key */
typedef struct KeyTable
{
	Relation	table;
	Relation	index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
} KeyTable;

static void key_table_open(KeyTable *open, const char *name, LOCKMODE mode);
static void key_table_seek(KeyTable *open, ScanKey keys, int nkeys);
static void key_table_close(KeyTable *open);
static Datum bundle_make(TupleDesc desc, const Datum *device, KeyTable *prekeys, bool one_time, int low, bool *is_low);
static bool prekey_take(KeyTable *prekeys, const Datum *device, bool is_kyber, int low, Datum *key, bool *is_low);
static bool prekey_delete(KeyTable *prekeys, bool *there);
static Datum bundle_part(Oid type, Datum *values);
static void bundle_tell(const Datum *device);
static void bundle_skip(const Datum *device);

/*
 * roost_internal.key_bundle_take(account_id, number, one_time) returns the
 * bundles of the devices of an account, or of one.
 */
Datum
roost_key_bundle_take(PG_FUNCTION_ARGS)
{
	int64		account_id = PG_GETARG_INT64(0);
	bool		one = !PG_ARGISNULL(1);
	bool		one_time = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	Oid			type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	TupleDesc	desc;
	Datum	   *bundles = palloc(DEVICES_AT_FIRST * sizeof(Datum));
	int			room = DEVICES_AT_FIRST;
	int			count = 0;
	KeyTable	devices;
	KeyTable	prekeys;
	ScanKeyData keys[2];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (one_time)
		PreventCommandIfReadOnly("DELETE");
	desc = lookup_rowtype_tupdesc(type, -1);
	key_table_open(&devices, "key_device", AccessShareLock);
	key_table_open(&prekeys, "key_prekey", RowExclusiveLock);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(account_id));
	if (one)
		ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum((int16) Min(PG_GETARG_INT32(1), PG_INT16_MAX)));
	key_table_seek(&devices, keys, one ? 2 : 1);
	while (index_getnext_slot(devices.scan, ForwardScanDirection, devices.slot))
	{
		const Datum *device = devices.slot->tts_values;
		bool		is_low = false;

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(devices.slot);
		if (count == room)
			bundles = repalloc(bundles, (room *= 2) * sizeof(Datum));
		bundles[count++] = bundle_make(desc, device, &prekeys, one_time,
									   devices.slot->tts_isnull[DEVICE_LOW_TOLD_AT] ? roost_key_low_water : 0, &is_low);
		if (is_low)
			bundle_tell(device);

		/*
		 * now and then, because it locks the row of the device; by the
		 * generator of SQL
		 */
		if (one_time && DatumGetFloat8(DirectFunctionCall1(drandom, (Datum) 0)) < BUNDLE_SKIP_SHARE)
			bundle_skip(device);
	}
	key_table_close(&prekeys);
	key_table_close(&devices);
	ReleaseTupleDesc(desc);
	if (one && count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the device does not exist"),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "device")));
	PG_RETURN_ARRAYTYPE_P(construct_array(bundles, count, type, -1, false, TYPALIGN_DOUBLE));
}

/*
 * Opens a table of roost_data, to be read under the active snapshot.
 */
static void
key_table_open(KeyTable *open, const char *name, LOCKMODE mode)
{
	Oid			relid = get_relname_relid(name, get_namespace_oid("roost_data", false));
	Oid			index;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table roost_data.%s does not exist", name),
				 errhint("Run SELECT roost.install().")));
	open->table = table_open(relid, mode);
	index = RelationGetPrimaryKeyIndex(open->table);
	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table roost_data.%s has no primary key", name)));
	open->index = index_open(index, AccessShareLock);
	open->slot = table_slot_create(open->table, NULL);
	open->scan = NULL;
}

/*
 * Goes to the rows with some keys.
 */
static void
key_table_seek(KeyTable *open, ScanKey keys, int nkeys)
{
	if (open->scan == NULL)
		open->scan = index_beginscan(open->table, open->index, GetActiveSnapshot(), nkeys, 0);
	index_rescan(open->scan, keys, nkeys, NULL, 0);
}

/*
 * Closes a table.  After an error the resource owner does it.
 */
static void
key_table_close(KeyTable *open)
{
	ExecDropSingleTupleTableSlot(open->slot);
	if (open->scan != NULL)
		index_endscan(open->scan);
	index_close(open->index, NoLock);
	table_close(open->table, NoLock);
}

/*
 * Returns the bundle of a device.  is_low: it has fewer prekeys of a kind than
 * `low`.
 */
static Datum
bundle_make(TupleDesc desc, const Datum *device, KeyTable *prekeys, bool one_time, int low, bool *is_low)
{
	Datum		values[BUNDLE_ATTRIBUTES];
	bool		nulls[BUNDLE_ATTRIBUTES] = {false};
	Datum		key[KEY_ATTRIBUTES_MAX];

	Assert(desc->natts == BUNDLE_ATTRIBUTES);
	values[BUNDLE_DEVICE] = Int32GetDatum(DatumGetInt16(device[DEVICE_NUMBER]));
	values[BUNDLE_REGISTRATION_ID] = device[DEVICE_REGISTRATION_ID];
	values[BUNDLE_IDENTITY_KEY] = PointerGetDatum(roost_key_text(device[DEVICE_IDENTITY_KEY]));

	key[0] = device[DEVICE_SIGNED_PREKEY_ID];
	key[1] = PointerGetDatum(roost_key_text(device[DEVICE_SIGNED_PREKEY]));
	key[2] = PointerGetDatum(roost_key_text(device[DEVICE_SIGNED_PREKEY_SIGNATURE]));
	values[BUNDLE_SIGNED_PREKEY] = bundle_part(TupleDescAttr(desc, BUNDLE_SIGNED_PREKEY)->atttypid, key);

	nulls[BUNDLE_PREKEY] = !one_time || !prekey_take(prekeys, device, false, low, key, is_low);
	if (!nulls[BUNDLE_PREKEY])
		values[BUNDLE_PREKEY] = bundle_part(TupleDescAttr(desc, BUNDLE_PREKEY)->atttypid, key);

	key[3] = BoolGetDatum(!one_time || !prekey_take(prekeys, device, true, low, key, is_low));
	if (DatumGetBool(key[3]))
	{
		key[0] = device[DEVICE_KYBER_PREKEY_ID];
		key[1] = PointerGetDatum(roost_key_text(device[DEVICE_KYBER_PREKEY]));
		key[2] = PointerGetDatum(roost_key_text(device[DEVICE_KYBER_PREKEY_SIGNATURE]));
	}
	values[BUNDLE_KYBER_PREKEY] = bundle_part(TupleDescAttr(desc, BUNDLE_KYBER_PREKEY)->atttypid, key);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/*
 * Returns a composite of attributes that are not null.
 */
static Datum
bundle_part(Oid type, Datum *values)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);
	bool		nulls[KEY_ATTRIBUTES_MAX] = {false};
	HeapTuple	tuple;

	Assert(desc->natts <= KEY_ATTRIBUTES_MAX);
	tuple = heap_form_tuple(desc, values, nulls);
	ReleaseTupleDesc(desc);
	return HeapTupleGetDatum(tuple);
}

/*
 * Takes the one-time prekey with the smallest id that nobody else is taking:
 * id, key and signature; false: there is none.  With `low`, looks whether fewer
 * than so many are left; those that others are taking still count.
 */
static bool
prekey_take(KeyTable *prekeys, const Datum *device, bool is_kyber, int low, Datum *key, bool *is_low)
{
	ScanKeyData keys[4];
	bool		taken = false;
	int			left = 0;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, device[DEVICE_ACCOUNT_ID]);
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT2EQ, device[DEVICE_NUMBER]);
	ScanKeyInit(&keys[2], 3, BTEqualStrategyNumber, F_BOOLEQ, BoolGetDatum(is_kyber));
	ScanKeyInit(&keys[3], 4, BTGreaterEqualStrategyNumber, F_INT4GE, device[is_kyber ? DEVICE_KYBER_PREKEY_FROM : DEVICE_PREKEY_FROM]);
	key_table_seek(prekeys, keys, lengthof(keys));
	while ((!taken || left < low) && index_getnext_slot(prekeys->scan, ForwardScanDirection, prekeys->slot))
	{
		bool		there = true;

		if (taken || !prekey_delete(prekeys, &there))
		{
			left += there;
			continue;
		}
		taken = true;
		slot_getallattrs(prekeys->slot);
		key[0] = prekeys->slot->tts_values[PREKEY_ID];
		key[1] = PointerGetDatum(roost_key_text(prekeys->slot->tts_values[PREKEY_KEY]));
		if (is_kyber)
			key[2] = PointerGetDatum(roost_key_text(prekeys->slot->tts_values[PREKEY_SIGNATURE]));
	}
	*is_low |= left < low;
	return taken;
}

/*
 * Deletes a row; false: somebody else is deleting it (it is still there) or has
 * done so.
 */
static bool
prekey_delete(KeyTable *prekeys, bool *there)
{
	Snapshot	snapshot = GetActiveSnapshot();
	TM_FailureData failure;
	TM_Result	result;

	/*
	 * as by the statement: another call in it still sees the row, and that it
	 * is gone
	 */
	(void) GetCurrentCommandId(true);
	result = table_tuple_delete(prekeys->table, &prekeys->slot->tts_tid, snapshot->curcid,
								snapshot, InvalidSnapshot, false, &failure, false);
	switch (result)
	{
		case TM_Ok:
			return true;
		case TM_BeingModified:
			*there = true;
			return false;
		case TM_SelfModified:
			*there = false;
			return false;
		case TM_Updated:
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				ereport(ERROR,
						(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						 errmsg("could not serialize access due to concurrent update")));
			*there = false;
			return false;
		default:
			elog(ERROR, "could not take a prekey: %d", result);
	}
}

/*
 * Has the account told that few one-time prekeys of a device are left.
 */
static void
bundle_tell(const Datum *device)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT8OID, INT4OID};
	Datum		values[] = {device[DEVICE_ACCOUNT_ID], Int32GetDatum(DatumGetInt16(device[DEVICE_NUMBER]))};

	SPI_connect();
	if (SPI_execute_plan(roost_plan_keep(&plan, "SELECT roost_internal.key_low_tell($1, $2)", lengthof(types), types),
						 values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not tell that few prekeys are left");
	SPI_finish();
}

/*
 * Notes in the row of a device where its prekeys begin.
 */
static void
bundle_skip(const Datum *device)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT8OID, INT4OID, INT4OID, INT4OID, INT4OID};
	Datum		values[] = {device[DEVICE_ACCOUNT_ID], Int32GetDatum(DatumGetInt16(device[DEVICE_NUMBER])),
	device[DEVICE_PREKEY_EPOCH], device[DEVICE_PREKEY_FROM], device[DEVICE_KYBER_PREKEY_FROM]};

	SPI_connect();
	if (SPI_execute_plan(roost_plan_keep(&plan, "SELECT roost_internal.key_prekey_skip($1, $2, $3, $4, $5)", lengthof(types), types),
						 values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not note where prekeys begin");
	SPI_finish();
}
