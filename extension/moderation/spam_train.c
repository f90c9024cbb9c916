/*-------------------------------------------------------------------------
 *
 * spam_train.c
 *		roost.spam_train(): weights from labelled samples.
 *
 * The samples are read through a cursor and kept as features, about 8 bytes
 * each, with a dictionary of names.  Features that fewer than min_count samples
 * have are left out, and so is what is new when the dictionary is full.
 *
 * A part of the samples is held out.  From the rest weights are learnt; the
 * max_features that move the most samples are chosen, and what they do is
 * measured and calibrated on the samples held out.  Then weights are learnt
 * again from all, under the same choice and calibration, and replace the rows
 * of the table.  One entry of the audit trail tells of it; whatever else changes
 * the table has an entry by the trigger below.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/moderation.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "moderation/spam.h"
#include "moderation/spam_fit.h"

PG_FUNCTION_INFO_V1(roost_moderation_spam_train);
PG_FUNCTION_INFO_V1(roost_moderation_weight_audit);

#define TRAIN_FETCH			500
#define TRAIN_SAMPLES_MAX	5000000
#define TRAIN_FEATURES_MAX	5000000
#define TRAIN_UNKNOWN		UINT32_MAX

typedef struct TrainFeature
{
	uint64_t	hash;
	uint32_t	count;			/* samples that have it */
	uint32_t	id;				/* in the problem; 0: left out */
	bool		chosen;
	char	   *name;
} TrainFeature;

typedef struct TrainState
{
	TrainFeature *features;
	uint32_t	num_features;
	uint32_t	features_room;
	uint32_t   *places;			/* feature + 1 by hash */
	uint32_t	mask;
	FitTerm    *terms;
	size_t		num_terms;
	size_t		terms_room;
	FitSample  *samples;
	size_t		num_samples;
	size_t		samples_room;
	size_t		num_spam;
	SpamFeatures *scratch;
	FoldGlyph  *glyphs;
} TrainState;

/* whether it is spam_train() that changes the table */
static bool train_writing = false;

typedef struct TrainChoice
{
	uint32_t	feature;
	float		strength;
} TrainChoice;

static void train_read(TrainState *state, double holdout, uint64_t seed);
static void train_sample(TrainState *state, text *value, bool is_spam, double holdout, uint64_t seed);
static uint32_t train_feature(TrainState *state, uint64_t hash, const char *name);
static uint32_t train_number(TrainState *state, int min_count);
static void train_choose(TrainState *state, const float *weights, int max_features);
static void train_forget(const TrainState *state, float *weights);
static int	train_write(TrainState *state, const float *weights, double slope, double shift);
static void train_audit(const char *action, const char *detail);
static int	train_choice_compare(const void *a, const void *b);
static void train_pulse(void);

/*
 * roost.spam_train(epochs, l2, seed, max_features, min_count, holdout)
 */
Datum
roost_moderation_spam_train(PG_FUNCTION_ARGS)
{
	int			epochs = PG_GETARG_INT32(0);
	double		l2 = PG_GETARG_FLOAT4(1);
	int64		seed = PG_GETARG_INT64(2);
	int			max_features = PG_GETARG_INT32(3);
	int			min_count = PG_GETARG_INT32(4);
	double		holdout = PG_GETARG_FLOAT4(5);
	TrainState	state = {0};
	FitProblem	problem;
	FitMetrics	metrics;
	float	   *weights;
	float	   *squares;
	uint32_t   *order;
	double		slope;
	double		shift;
	int			written;
	MemoryContext context;
	MemoryContext old;
	Datum		values[9];
	bool		nulls[9] = {false};

	if (epochs < 1 || epochs > 1000 || !(l2 >= 0 && l2 <= 1) || max_features < 1 || min_count < 1 || !(holdout >= 0 && holdout <= 0.9))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid argument of training"),
				 errdetail("epochs is 1 to 1000, l2 0 to 1, holdout 0 to 0.9, max_features and min_count at least 1.")));

	context = AllocSetContextCreate(CurrentMemoryContext, "roost spam training", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(context);
	train_read(&state, holdout, (uint64_t) seed);
	if (state.num_spam == 0 || state.num_spam == state.num_samples)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there are not samples of both kinds"),
				 errdetail("There are %zu samples to learn from, of which %zu are spam.", state.num_samples, state.num_spam),
				 errhint("Insert labelled texts into roost_data.spam_sample.")));

	problem.num_features = train_number(&state, min_count);
	problem.terms = state.terms;
	problem.samples = state.samples;
	problem.num_samples = state.num_samples;
	problem.epochs = epochs;
	problem.l2 = l2;
	problem.rate = 0.1;
	problem.seed = (uint64_t) seed;
	weights = MemoryContextAllocHuge(context, problem.num_features * sizeof(float));
	squares = MemoryContextAllocHuge(context, problem.num_features * sizeof(float));
	order = MemoryContextAllocHuge(context, problem.num_samples * sizeof(uint32_t));

	roost_moderation_fit(&problem, false, weights, squares, order, train_pulse);
	train_choose(&state, weights, max_features);
	train_forget(&state, weights);
	roost_moderation_fit_calibrate(&problem, weights, &slope, &shift);
	roost_moderation_fit_measure(&problem, weights, slope, shift, &metrics);
	if (metrics.samples > 0)
	{
		roost_moderation_fit(&problem, true, weights, squares, order, train_pulse);
		train_forget(&state, weights);
	}
	written = train_write(&state, weights, slope, shift);
	train_audit("spam.train", psprintf("{\"samples\": %zu, \"spam\": %zu, \"features\": %d, \"seed\": " INT64_FORMAT "}",
									   state.num_samples, state.num_spam, written, seed));
	SPI_finish();
	MemoryContextSwitchTo(old);

	values[0] = Int64GetDatum((int64) state.num_samples);
	values[1] = Int64GetDatum((int64) state.num_spam);
	values[2] = Int32GetDatum(written);
	values[3] = Int64GetDatum((int64) metrics.samples);
	values[4] = Float8GetDatum(metrics.loss);
	values[5] = Float8GetDatum(metrics.precision);
	values[6] = Float8GetDatum(metrics.recall);
	values[7] = Float8GetDatum(metrics.accuracy);
	values[8] = Float8GetDatum(slope);
	for (int i = 4; i < 8; i++)
		nulls[i] = metrics.samples == 0;
	MemoryContextDelete(context);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(roost_moderation_desc(fcinfo), values, nulls)));
}

/*
 * Trigger: an entry for each statement that changes weights by hand.
 */
Datum
roost_moderation_weight_audit(PG_FUNCTION_ARGS)
{
	TriggerEvent event;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("not called as a trigger")));
	event = ((TriggerData *) fcinfo->context)->tg_event;
	if (!train_writing)
	{
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "could not connect to SPI");
		train_audit("spam_weight.change",
					TRIGGER_FIRED_BY_INSERT(event) ? "{\"operation\": \"insert\"}" :
					TRIGGER_FIRED_BY_UPDATE(event) ? "{\"operation\": \"update\"}" :
					TRIGGER_FIRED_BY_DELETE(event) ? "{\"operation\": \"delete\"}" : "{\"operation\": \"truncate\"}");
		SPI_finish();
	}
	return PointerGetDatum(NULL);
}

/*
 * Adds an entry about the model to the audit trail.
 */
static void
train_audit(const char *action, const char *detail)
{
	Datum		values[2] = {CStringGetTextDatum(action), CStringGetTextDatum(detail)};
	Oid			types[2] = {TEXTOID, TEXTOID};

	if (SPI_execute_with_args("SELECT roost_internal.audit_add($1, 'spam_model', NULL, $2::jsonb)", 2, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not add to the audit trail");
}

static void
train_pulse(void)
{
	CHECK_FOR_INTERRUPTS();
}

/*
 * Reads the samples to learn from, in the order of their ids.
 */
static void
train_read(TrainState *state, double holdout, uint64_t seed)
{
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr	plan = SPI_prepare("SELECT text, is_spam FROM roost_data.spam_sample WHERE NOT is_test ORDER BY id", 0, NULL);
	Portal		portal;

	if (plan == NULL)
		elog(ERROR, "could not prepare the query of samples: %s", SPI_result_code_string(SPI_result));
	MemoryContextSwitchTo(context);
	state->mask = (1 << 16) - 1;
	state->places = palloc0((state->mask + 1) * sizeof(uint32_t));
	state->scratch = palloc(sizeof(SpamFeatures));
	state->scratch->names = palloc((Size) SPAM_FEATURES_MAX * SPAM_NAME_MAX);
	state->glyphs = palloc(FOLD_BOUND(SPAM_TEXT_MAX) * sizeof(FoldGlyph));

	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, TRAIN_FETCH);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	row = SPI_tuptable->vals[i];
			bool		isnull;
			Datum		value = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull);
			Datum		is_spam = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull);
			text	   *copy = DatumGetTextPP(value);

			MemoryContextSwitchTo(context);
			train_sample(state, copy, DatumGetBool(is_spam), holdout, seed);
			CHECK_FOR_INTERRUPTS();
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	MemoryContextSwitchTo(context);
}

static void
train_sample(TrainState *state, text *value, bool is_spam, double holdout, uint64_t seed)
{
	SpamFeatures *features = state->scratch;
	FitSample  *sample;
	uint64_t	draw;

	roost_moderation_spam_features(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), state->glyphs, features);
	if (state->num_samples == TRAIN_SAMPLES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are more than %d samples", TRAIN_SAMPLES_MAX)));
	if (state->num_samples == state->samples_room)
	{
		state->samples_room = Max(state->samples_room * 2, 1024);
		state->samples = state->samples == NULL ? palloc(state->samples_room * sizeof(FitSample)) :
			repalloc_huge(state->samples, state->samples_room * sizeof(FitSample));
	}
	if (state->num_terms + features->count > state->terms_room)
	{
		state->terms_room = Max(state->terms_room * 2, 65536);
		state->terms = state->terms == NULL ? palloc(state->terms_room * sizeof(FitTerm)) :
			repalloc_huge(state->terms, state->terms_room * sizeof(FitTerm));
	}

	/* by what the text says, so that copies of it fall on one side */
	draw = roost_moderation_spam_hash(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)) ^ seed * UINT64CONST(0x9e3779b97f4a7c15);
	draw = (draw ^ draw >> 29) * UINT64CONST(0xbf58476d1ce4e5b9);
	sample = &state->samples[state->num_samples++];
	sample->first = state->num_terms;
	sample->is_spam = is_spam;
	sample->is_held = ldexp((double) (draw >> 11), -53) < holdout;
	state->num_spam += is_spam;
	for (int i = 0; i < features->count; i++)
	{
		FitTerm    *term = &state->terms[state->num_terms++];

		term->feature = train_feature(state, features->hashes[i], features->names + (size_t) i * SPAM_NAME_MAX);
		term->value = roost_moderation_spam_value(features, i);
		if (term->feature == TRAIN_UNKNOWN)
			state->num_terms--;
	}
	sample->count = (uint32_t) (state->num_terms - sample->first);
}

/*
 * Returns the number of a feature, which is counted, and new if need be;
 * TRAIN_UNKNOWN if there is no room for another.
 */
static uint32_t
train_feature(TrainState *state, uint64_t hash, const char *name)
{
	uint32_t	at = (uint32_t) (hash >> 32) & state->mask;
	TrainFeature *feature;

	for (; state->places[at] != 0; at = (at + 1) & state->mask)
	{
		feature = &state->features[state->places[at] - 1];
		if (feature->hash == hash)
		{
			feature->count++;
			return state->places[at] - 1;
		}
	}
	if (state->num_features == TRAIN_FEATURES_MAX)
		return TRAIN_UNKNOWN;
	if (state->num_features == state->features_room)
	{
		state->features_room = Max(state->features_room * 2, 4096);
		state->features = state->features == NULL ? palloc(state->features_room * sizeof(TrainFeature)) :
			repalloc_huge(state->features, state->features_room * sizeof(TrainFeature));
	}
	feature = &state->features[state->num_features++];
	feature->hash = hash;
	feature->count = 1;
	feature->id = 0;
	feature->chosen = false;
	feature->name = pstrdup(name);
	state->places[at] = state->num_features;
	if (state->num_features * 2 > state->mask)
	{
		state->mask = state->mask * 2 + 1;
		pfree(state->places);
		state->places = MemoryContextAllocHuge(CurrentMemoryContext, (state->mask + 1) * sizeof(uint32_t));
		memset(state->places, 0, (state->mask + 1) * sizeof(uint32_t));
		for (uint32_t i = 0; i < state->num_features; i++)
		{
			for (at = (uint32_t) (state->features[i].hash >> 32) & state->mask; state->places[at] != 0;)
				at = (at + 1) & state->mask;
			state->places[at] = i + 1;
		}
	}
	return state->num_features - 1;
}

/*
 * Numbers the features that are common enough, takes the others out of the
 * samples, and returns how many weights there are with the bias.
 */
static uint32_t
train_number(TrainState *state, int min_count)
{
	uint32_t	n = 1;
	size_t		kept = 0;

	for (uint32_t i = 0; i < state->num_features; i++)
		if (state->features[i].count >= (uint32_t) min_count)
			state->features[i].id = n++;
	for (size_t s = 0; s < state->num_samples; s++)
	{
		FitSample  *sample = &state->samples[s];
		size_t		first = kept;

		for (uint32_t k = 0; k < sample->count; k++)
		{
			FitTerm		term = state->terms[sample->first + k];

			term.feature = state->features[term.feature].id;
			if (term.feature != 0)
				state->terms[kept++] = term;
		}
		sample->first = first;
		sample->count = (uint32_t) (kept - first);
	}
	return n;
}

/*
 * Chooses the features that are kept: all shapes, and what moves the most
 * samples.
 */
static void
train_choose(TrainState *state, const float *weights, int max_features)
{
	TrainChoice *choices = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) state->num_features + 1) * sizeof(TrainChoice));
	int			n = 0;

	for (uint32_t i = 0; i < state->num_features; i++)
	{
		float		weight = weights[state->features[i].id];

		if (state->features[i].id == 0 || weight == 0)
			continue;
		choices[n].feature = i;
		choices[n++].strength = fabsf(weight) * sqrtf((float) state->features[i].count) * (state->features[i].name[0] == '=' ? 1e3f : 1);
	}
	qsort(choices, n, sizeof(TrainChoice), train_choice_compare);
	for (int i = 0; i < n && i < max_features - 1; i++)
		state->features[choices[i].feature].chosen = true;
	pfree(choices);
}

/*
 * Forgets the weights of features that are not chosen.
 */
static void
train_forget(const TrainState *state, float *weights)
{
	for (uint32_t i = 0; i < state->num_features; i++)
		if (state->features[i].id != 0 && !state->features[i].chosen)
			weights[state->features[i].id] = 0;
}

/*
 * Replaces the rows of the table, and returns how many there are now.
 */
static int
train_write(TrainState *state, const float *weights, double slope, double shift)
{
	int			n = 1;
	Datum	   *names;
	Datum	   *figures;
	Datum		values[2];
	Oid			types[2] = {TEXTARRAYOID, FLOAT4ARRAYOID};

	for (uint32_t i = 0; i < state->num_features; i++)
		n += state->features[i].chosen;
	names = palloc(n * sizeof(Datum));
	figures = palloc(n * sizeof(Datum));
	names[0] = CStringGetTextDatum(SPAM_BIAS);
	figures[0] = Float4GetDatum((float4) (weights[0] * slope + shift));
	n = 1;
	for (uint32_t i = 0; i < state->num_features; i++)
	{
		TrainFeature *feature = &state->features[i];

		if (!feature->chosen)
			continue;
		names[n] = CStringGetTextDatum(feature->name);
		figures[n++] = Float4GetDatum((float4) (weights[feature->id] * slope));
	}
	values[0] = PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
	values[1] = PointerGetDatum(construct_array(figures, n, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
	/* one training after the other; who scores does not wait */
	train_writing = true;
	PG_TRY();
	{
		if (SPI_execute("LOCK TABLE roost_data.spam_weight IN SHARE ROW EXCLUSIVE MODE", false, 0) != SPI_OK_UTILITY ||
			SPI_execute("DELETE FROM roost_data.spam_weight", false, 0) != SPI_OK_DELETE ||
			SPI_execute_with_args("INSERT INTO roost_data.spam_weight (feature, weight) SELECT * FROM unnest($1, $2)",
								  2, types, values, NULL, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "could not write the weights");
	}
	PG_FINALLY();
	{
		train_writing = false;
	}
	PG_END_TRY();
	return n;
}

static int
train_choice_compare(const void *a, const void *b)
{
	const TrainChoice *left = a;
	const TrainChoice *right = b;

	if (left->strength != right->strength)
		return left->strength > right->strength ? -1 : 1;
	return (left->feature > right->feature) - (left->feature < right->feature);
}
