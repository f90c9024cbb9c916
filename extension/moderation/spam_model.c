/*-------------------------------------------------------------------------
 *
 * spam_model.c
 *		The weights of the spam model, roost.spam_score() and spam_explain().
 *
 * A backend keeps roost_data.spam_weight as a hash table, 16 bytes a place, in
 * the context of the table.  While the table is empty the weights are those
 * that roost brings along (spam_tables.h).
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/moderation.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "moderation/spam_model.h"
#include "moderation/spam_tables.h"

PG_FUNCTION_INFO_V1(roost_moderation_spam_score);
PG_FUNCTION_INFO_V1(roost_moderation_spam_explain);
PG_FUNCTION_INFO_V1(roost_moderation_spam_default);

ModerationTable roost_moderation_weight_table = {
	.name = "spam_weight",
	.columns = {"feature", "weight"},
};

static SpamModel spam_model;

static void spam_model_load(void);
static void spam_model_row(const Datum *values, const bool *nulls, void *arg);
static void spam_model_add(SpamModel *model, const char *feature, size_t length, float weight);
static void spam_model_room(SpamModel *model, uint32_t places);
static SpamFeatures *spam_text_features(text *value, bool names);

/*
 * roost.spam_score(text)
 */
Datum
roost_moderation_spam_score(PG_FUNCTION_ARGS)
{
	const SpamModel *model = roost_moderation_spam_model();
	SpamFeatures *features = spam_text_features(PG_GETARG_TEXT_PP(0), false);
	double		sum = roost_moderation_spam_sum(model, features);

	pfree(features);
	PG_RETURN_FLOAT4((float4) roost_moderation_spam_probability(sum));
}

/*
 * roost.spam_explain(text)
 */
Datum
roost_moderation_spam_explain(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const SpamModel *model = roost_moderation_spam_model();
	SpamFeatures *features = spam_text_features(PG_GETARG_TEXT_PP(0), true);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = -1; i < features->count; i++)
	{
		float		weight = i < 0 ? model->bias : roost_moderation_spam_weight(model, features->hashes[i]);
		float		value = i < 0 ? 1 : roost_moderation_spam_value(features, i);
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = CStringGetTextDatum(i < 0 ? SPAM_BIAS : features->names + (size_t) i * SPAM_NAME_MAX);
		values[1] = Float4GetDatum(value);
		values[2] = Float4GetDatum(weight);
		values[3] = Float4GetDatum(weight * value);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * roost_internal.spam_default() returns the weights that roost brings along.
 */
Datum
roost_moderation_spam_default(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < lengthof(spam_default); i++)
	{
		Datum		values[2];
		bool		nulls[2] = {false};

		values[0] = CStringGetTextDatum(spam_default[i].feature);
		values[1] = Float4GetDatum(spam_default[i].weight);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static SpamFeatures *
spam_text_features(text *value, bool names)
{
	size_t		length = Min(VARSIZE_ANY_EXHDR(value), SPAM_TEXT_MAX);
	FoldGlyph  *glyphs = palloc(FOLD_BOUND(length) * sizeof(FoldGlyph));
	SpamFeatures *features = palloc(sizeof(SpamFeatures));

	features->names = names ? palloc((Size) SPAM_FEATURES_MAX * SPAM_NAME_MAX) : NULL;
	roost_moderation_spam_features(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), glyphs, features);
	pfree(glyphs);
	return features;
}

/*
 * Returns the model in force.
 */
const SpamModel *
roost_moderation_spam_model(void)
{
	spam_model_load();
	return &spam_model;
}

/*
 * Returns the weight of a feature; 0 if it has none.
 */
float
roost_moderation_spam_weight(const SpamModel *model, uint64_t hash)
{
	for (uint32_t at = (uint32_t) (hash >> 40) & model->mask; model->weights[at].hash != 0; at = (at + 1) & model->mask)
		if (model->weights[at].hash == hash)
			return model->weights[at].weight;
	return 0;
}

/*
 * Returns the logarithm of the odds that a text is spam.
 */
double
roost_moderation_spam_sum(const SpamModel *model, const SpamFeatures *features)
{
	double		sum = model->bias;

	for (int i = 0; i < features->count; i++)
		sum += roost_moderation_spam_weight(model, features->hashes[i]) * roost_moderation_spam_value(features, i);
	return sum;
}

/*
 * Reads the table, unless what we have is still good.
 */
static void
spam_model_load(void)
{
	ModerationTable *table = &roost_moderation_weight_table;
	bool		current;

	if (!roost_moderation_table_begin(table))
		return;
	memset(&spam_model, 0, sizeof(spam_model));
	spam_model_room(&spam_model, 4096);
	roost_moderation_table_read(table, spam_model_row, NULL);
	current = table->loaded;
	table->loaded = false;
	if (spam_model.count == 0 && !spam_model.has_bias)
	{
		for (int i = 0; i < lengthof(spam_default); i++)
			spam_model_add(&spam_model, spam_default[i].feature, strlen(spam_default[i].feature), spam_default[i].weight);
	}
	table->loaded = current;
}

static void
spam_model_row(const Datum *values, const bool *nulls, void *arg)
{
	text	   *feature = DatumGetTextPP(values[0]);

	spam_model_add(&spam_model, VARDATA_ANY(feature), VARSIZE_ANY_EXHDR(feature), DatumGetFloat4(values[1]));
}

static void
spam_model_add(SpamModel *model, const char *feature, size_t length, float weight)
{
	uint64_t	hash = roost_moderation_spam_hash(feature, length);
	uint32_t	at;

	if (length == strlen(SPAM_BIAS) && memcmp(feature, SPAM_BIAS, length) == 0)
	{
		model->bias = weight;
		model->has_bias = true;
		return;
	}
	if ((uint32_t) model->count * 2 > model->mask)
		spam_model_room(model, (model->mask + 1) * 2);
	for (at = (uint32_t) (hash >> 40) & model->mask; model->weights[at].hash != 0;)
		at = (at + 1) & model->mask;
	model->weights[at].hash = hash;
	model->weights[at].weight = weight;
	model->count++;
}

/*
 * Gives the model more places.
 */
static void
spam_model_room(SpamModel *model, uint32_t places)
{
	MemoryContext context = roost_moderation_weight_table.context;
	SpamWeight *old = model->weights;
	uint32_t	old_places = old == NULL ? 0 : model->mask + 1;

	model->weights = MemoryContextAllocHuge(context, places * sizeof(SpamWeight));
	memset(model->weights, 0, places * sizeof(SpamWeight));
	model->mask = places - 1;
	for (uint32_t i = 0; i < old_places; i++)
	{
		uint32_t	at;

		if (old[i].hash == 0)
			continue;
		for (at = (uint32_t) (old[i].hash >> 40) & model->mask; model->weights[at].hash != 0;)
			at = (at + 1) & model->mask;
		model->weights[at] = old[i];
	}
	if (old != NULL)
		pfree(old);
}
