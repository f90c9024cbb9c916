/*-------------------------------------------------------------------------
 *
 * moderation.c
 *		The analyzers of text as SQL functions, and the tables that they keep.
 *
 * Words, hosts and weights are small tables.  A backend reads one whole when it
 * first needs it, and again after a change: a statement trigger announces it as
 * a change of the relation.  They are read with the newest snapshot and without
 * regard to the caller's rights, who need not have any.  Where a table is
 * missing it counts as empty.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/moderation.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "account/table_read.h"
#include "core/invalidation.h"
#include "moderation/gibberish.h"
#include "moderation/simhash.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_moderation_text_normalize);
PG_FUNCTION_INFO_V1(roost_moderation_text_skeleton);
PG_FUNCTION_INFO_V1(roost_moderation_gibberish_score);
PG_FUNCTION_INFO_V1(roost_moderation_text_simhash);
PG_FUNCTION_INFO_V1(roost_moderation_simhash_distance);
PG_FUNCTION_INFO_V1(roost_moderation_simhash_keys);

static ModerationTable *const moderation_tables[] = {
	&roost_moderation_word_table, &roost_moderation_host_table, &roost_moderation_weight_table
};

static void moderation_init(void);
static void moderation_relation_changed(Oid relid);
static Datum moderation_text(const FoldGlyph *glyphs, size_t n);

const RoostModule roost_moderation_module = {
	.name = "roost moderation",
	.init = moderation_init,
};

static void
moderation_init(void)
{
	roost_invalidation_register(moderation_relation_changed);
}

static void
moderation_relation_changed(Oid relid)
{
	for (int i = 0; i < lengthof(moderation_tables); i++)
	{
		ModerationTable *table = moderation_tables[i];

		/* while a table is missing, any new one may be it */
		if (!OidIsValid(relid) || relid == table->relid || !OidIsValid(table->relid))
			table->loaded = false;
	}
}

/*
 * Returns whether the caller must read the table, into table->context, which
 * is empty then.
 */
bool
roost_moderation_table_begin(ModerationTable *table)
{
	if (table->loaded)
		return false;
	if (table->context == NULL)
		table->context = AllocSetContextCreate(TopMemoryContext, "roost moderation", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(table->context);
	return true;
}

/*
 * Calls a function for every row of the table, in table->context.
 */
void
roost_moderation_table_read(ModerationTable *table, ModerationRow row, void *arg)
{
	Oid			schema = get_namespace_oid("roost_data", true);
	RoostTableRead read;
	HeapTuple	tuple;
	AttrNumber	columns[MODERATION_COLUMNS_MAX];
	MemoryContext old;

	table->relid = OidIsValid(schema) ? get_relname_relid(table->name, schema) : InvalidOid;

	/* a change that we learn of while reading makes us read again */
	table->loaded = true;
	if (!OidIsValid(table->relid))
		return;
	PG_TRY();
	{
		for (int i = 0; i < MODERATION_COLUMNS_MAX && table->columns[i] != NULL; i++)
		{
			columns[i] = get_attnum(table->relid, table->columns[i]);
			if (columns[i] == InvalidAttrNumber)
				ereport(ERROR,
						(errcode(ERRCODE_UNDEFINED_COLUMN),
						 errmsg("column \"%s\" of relation \"%s\" does not exist", table->columns[i], table->name),
						 errhint("Run SELECT roost.install().")));
		}
		if (roost_table_read_begin(&read, table->name, 0, NULL))
		{
			while ((tuple = roost_table_read_next(&read)) != NULL)
			{
				Datum		values[MODERATION_COLUMNS_MAX];
				bool		nulls[MODERATION_COLUMNS_MAX];

				for (int i = 0; i < MODERATION_COLUMNS_MAX && table->columns[i] != NULL; i++)
					values[i] = heap_getattr(tuple, columns[i], RelationGetDescr(read.relation), &nulls[i]);
				old = MemoryContextSwitchTo(table->context);
				row(values, nulls, arg);
				MemoryContextSwitchTo(old);
			}
			roost_table_read_end(&read);
		}
	}
	PG_CATCH();
	{
		table->loaded = false;
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/*
 * Returns the text in the form asked for.
 */
FoldGlyph *
roost_moderation_glyphs(const text *value, FoldForm form, size_t *n)
{
	size_t		length = VARSIZE_ANY_EXHDR(value);
	FoldGlyph  *glyphs = palloc_extended(FOLD_BOUND(length) * sizeof(FoldGlyph), MCXT_ALLOC_HUGE);

	*n = roost_moderation_fold(VARDATA_ANY(value), length, form, glyphs);
	return glyphs;
}

/*
 * Returns the row type that the function returns.
 */
TupleDesc
roost_moderation_desc(FunctionCallInfo fcinfo)
{
	TupleDesc	desc = fcinfo->flinfo->fn_extra;

	if (desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		fcinfo->flinfo->fn_extra = desc = BlessTupleDesc(desc);
		MemoryContextSwitchTo(old);
	}
	return desc;
}

/*
 * roost.text_normalize(text)
 */
Datum
roost_moderation_text_normalize(PG_FUNCTION_ARGS)
{
	size_t		n;
	FoldGlyph  *glyphs = roost_moderation_glyphs(PG_GETARG_TEXT_PP(0), FOLD_READER, &n);

	PG_RETURN_DATUM(moderation_text(glyphs, n));
}

/*
 * roost.text_skeleton(text)
 */
Datum
roost_moderation_text_skeleton(PG_FUNCTION_ARGS)
{
	size_t		n;
	FoldGlyph  *glyphs = roost_moderation_glyphs(PG_GETARG_TEXT_PP(0), FOLD_LOOKS, &n);

	/* signs and pictures that are drawn like letters */
	for (size_t i = 0; i < n; i++)
		if (!FOLD_IS_LETTER(glyphs[i].class) && glyphs[i].code >= 0x80 && glyphs[i].look != 0)
			glyphs[i].code = (unsigned char) glyphs[i].look;
	PG_RETURN_DATUM(moderation_text(glyphs, n));
}

/*
 * Returns glyphs as text, without blanks around it.
 */
static Datum
moderation_text(const FoldGlyph *glyphs, size_t n)
{
	text	   *result;
	char	   *out;
	size_t		first = n > 0 && glyphs[0].class == FOLD_SPACE ? 1 : 0;

	if (n > first && glyphs[n - 1].class == FOLD_SPACE)
		n--;
	if (n * 4 + VARHDRSZ > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("text is too long")));
	result = palloc(n * 4 + VARHDRSZ);
	out = VARDATA(result);
	for (size_t i = first; i < n; i++)
		out += roost_moderation_encode(glyphs[i].code, out);
	SET_VARSIZE(result, out - (char *) result);
	return PointerGetDatum(result);
}

/*
 * roost.gibberish_score(text)
 */
Datum
roost_moderation_gibberish_score(PG_FUNCTION_ARGS)
{
	size_t		n;
	FoldGlyph  *glyphs = roost_moderation_glyphs(PG_GETARG_TEXT_PP(0), FOLD_BARE, &n);

	PG_RETURN_FLOAT4(roost_moderation_gibberish(glyphs, n));
}

/*
 * roost.text_simhash(text)
 */
Datum
roost_moderation_text_simhash(PG_FUNCTION_ARGS)
{
	size_t		n;
	FoldGlyph  *glyphs = roost_moderation_glyphs(PG_GETARG_TEXT_PP(0), FOLD_BARE, &n);

	PG_RETURN_INT64((int64) roost_moderation_simhash(glyphs, n));
}

/*
 * roost.simhash_distance(a, b)
 */
Datum
roost_moderation_simhash_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(pg_popcount64((uint64) (PG_GETARG_INT64(0) ^ PG_GETARG_INT64(1))));
}

/*
 * roost_internal.simhash_keys(simhash): of each of the eight bytes, its value
 * and its place.
 */
Datum
roost_moderation_simhash_keys(PG_FUNCTION_ARGS)
{
	uint64		simhash = (uint64) PG_GETARG_INT64(0);
	Datum		keys[SIMHASH_KEYS];

	for (int i = 0; i < SIMHASH_KEYS; i++)
		keys[i] = Int16GetDatum((int16) (i << 8 | (simhash >> (8 * i) & 0xff)));
	PG_RETURN_ARRAYTYPE_P(construct_array(keys, SIMHASH_KEYS, INT2OID, sizeof(int16), true, TYPALIGN_SHORT));
}
