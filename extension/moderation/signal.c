/*-------------------------------------------------------------------------
 *
 * signal.c
 *		Scores of a text, each computed when it is first asked for.
 *
 * What several analyzers look at, the folded text, is made once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "mb/pg_wchar.h"
#include "utils/fmgroids.h"
#include "utils/json.h"

#include "account/table_read.h"
#include "moderation/gibberish.h"
#include "moderation/setting.h"
#include "moderation/shape.h"
#include "moderation/signal.h"
#include "moderation/simhash.h"
#include "moderation/spam_model.h"
#include "moderation/url.h"
#include "moderation/word_list.h"

#define STRANGERS_MAX	100		/* mentioned accounts that are looked up */
#define EXPLAIN_FEATURES	8
#define BRIEF_WORDS		10		/* words and pairs of words: five words */
#define BRIEF_SPAM		0.97	/* what fewer words prove at most */
#define EXPLAIN_HOSTS		8

static bool signal_is_beside(ModerationSignal signal);
static void signal_fold(ModerationText *text);
static double signal_profanity(ModerationText *text, StringInfo out);
static double signal_spam(ModerationText *text, StringInfo out);
static int	signal_strongest(const SpamModel *model, const SpamFeatures *features, const int *known, int num_known);
static double signal_url(ModerationText *text, StringInfo out);
static void signal_quote(StringInfo out, const char *string);
static double signal_strangers(ModerationText *text);
static void signal_copies(ModerationText *text);

/*
 * Returns a score of the text.
 */
double
roost_moderation_signal(ModerationText *text, ModerationSignal signal)
{
	double		score = 0;

	if (text->known[signal])
		return text->score[signal];
	switch (signal)
	{
		case SIGNAL_PROFANITY:
			signal_fold(text);
			score = signal_profanity(text, NULL);
			break;
		case SIGNAL_SPAM:
			score = signal_spam(text, NULL);
			break;
		case SIGNAL_URL:
			score = signal_url(text, NULL);
			break;
		case SIGNAL_GIBBERISH:
			signal_fold(text);
			score = roost_moderation_gibberish(text->glyphs, text->num_glyphs);
			break;
		case SIGNAL_CAPITALS:
			signal_fold(text);
			score = text->shape.capitals;
			break;
		case SIGNAL_REPETITION:
			signal_fold(text);
			score = text->shape.repetition;
			break;
		case SIGNAL_DUPLICATE:
			signal_copies(text);
			score = text->finding.accounts;
			break;
		case SIGNAL_REPEAT:
			signal_copies(text);
			score = text->finding.copies;
			break;
		case SIGNAL_MENTIONS:
			score = text->num_mentions;
			break;
		case SIGNAL_STRANGERS:
			score = signal_strangers(text);
			break;
		case SIGNAL_HASHTAGS:
			score = text->num_hashtags;
			break;
		case SIGNAL_LINKS:
			score = text->num_links;
			break;
		case SIGNAL_LOOKALIKE:
			score = text->lookalike != NULL ? 1 : 0;
			break;
		case SIGNAL_RATE:		/* not of the text */
		case SIGNALS:
			break;
	}
	if (text->beside != NULL && signal_is_beside(signal))
		score = Max(score, roost_moderation_signal(text->beside, signal));
	text->known[signal] = true;
	text->score[signal] = score;
	return score;
}

/*
 * Returns whether a signal is about what stands beside a text, too; of the two
 * the worse one counts.
 */
static bool
signal_is_beside(ModerationSignal signal)
{
	return signal == SIGNAL_PROFANITY || signal == SIGNAL_SPAM || signal == SIGNAL_URL;
}

/*
 * Writes as JSON what a score is made of; never the text.
 */
void
roost_moderation_explain(ModerationText *text, ModerationSignal signal, StringInfo out)
{
	if (text->beside != NULL && signal_is_beside(signal) && text->known[signal] &&
		roost_moderation_signal(text->beside, signal) >= text->score[signal])
		text = text->beside;
	switch (signal)
	{
		case SIGNAL_PROFANITY:
			signal_profanity(text, out);
			break;
		case SIGNAL_SPAM:
			signal_spam(text, out);
			break;
		case SIGNAL_URL:
			signal_url(text, out);
			break;
		case SIGNAL_DUPLICATE:
		case SIGNAL_REPEAT:
			appendStringInfo(out, "{\"accounts\": %d, \"copies\": %d, \"distance\": %d, \"window\": %d}",
							 text->finding.accounts, text->finding.copies, text->finding.distance,
							 roost_moderation_duplicate_window);
			break;
		case SIGNAL_STRANGERS:
			appendStringInfo(out, "{\"mentions\": %d}", text->num_mentions);
			break;
		case SIGNAL_LOOKALIKE:
			appendStringInfoString(out, "{\"name\": ");
			signal_quote(out, text->lookalike != NULL ? text->lookalike : "");
			appendStringInfoChar(out, '}');
			break;
		default:
			appendStringInfoString(out, "{}");
			break;
	}
}

/*
 * Makes the text's fingerprint; false if copies of it mean nothing.
 */
bool
roost_moderation_fingerprint(ModerationText *text)
{
	if (text->printed)
		return text->has_fingerprint;
	text->printed = true;
	if (!text->copies || text->length < roost_moderation_duplicate_length)
		return false;
	signal_fold(text);
	if (text->shape.letters < roost_moderation_duplicate_length)
		return false;
	text->fingerprint.simhash = roost_moderation_simhash(text->glyphs, text->num_glyphs);
	roost_moderation_shingles(text->glyphs, text->num_glyphs, text->fingerprint.keys, DUPLICATE_KEYS);
	text->has_fingerprint = true;
	return true;
}

/*
 * Folds the text and measures it.
 */
static void
signal_fold(ModerationText *text)
{
	if (text->glyphs != NULL)
		return;
	text->glyphs = palloc_extended(FOLD_BOUND(text->length) * sizeof(FoldGlyph), MCXT_ALLOC_HUGE);
	text->num_glyphs = roost_moderation_fold(text->text, text->length, FOLD_BARE, text->glyphs);
	roost_moderation_shape(text->glyphs, text->num_glyphs, &text->shape);
}

/*
 * Looks for listed words; with out writes which.
 */
static double
signal_profanity(ModerationText *text, StringInfo out)
{
	WordHit		hits[WORD_HITS];
	int			count = roost_moderation_word_list_find(text->text, text->length, text->glyphs, text->num_glyphs, text->language, hits);

	if (out != NULL)
	{
		appendStringInfoString(out, "{\"words\": [");
		for (int i = 0; i < count; i++)
		{
			const WordEntry *entry = roost_moderation_word_list_entry(&hits[i]);

			appendStringInfoString(out, i > 0 ? ", {\"word\": " : "{\"word\": ");
			signal_quote(out, entry->word);
			appendStringInfoString(out, ", \"kind\": ");
			signal_quote(out, entry->kind);
			appendStringInfo(out, ", \"severity\": %.2f, \"disguised\": %s}", hits[i].severity, hits[i].disguised ? "true" : "false");
		}
		appendStringInfoString(out, "]}");
	}
	return roost_moderation_word_score(hits, count);
}

/*
 * Asks the spam model; with out writes the features that tell most.
 */
static double
signal_spam(ModerationText *text, StringInfo out)
{
	const SpamModel *model = roost_moderation_spam_model();
	FoldGlyph  *glyphs = NULL;
	SpamFeatures *features = palloc(sizeof(SpamFeatures));
	double		probability;

	features->names = out != NULL ? palloc((Size) SPAM_FEATURES_MAX * SPAM_NAME_MAX) : NULL;
	if (text->length <= SPAM_TEXT_MAX)
	{
		signal_fold(text);
		roost_moderation_spam_features_of(text->text, text->length, text->glyphs, text->num_glyphs, features);
	}
	else
	{
		glyphs = palloc(FOLD_BOUND(SPAM_TEXT_MAX) * sizeof(FoldGlyph));
		roost_moderation_spam_features(text->text, text->length, glyphs, features);
	}
	probability = roost_moderation_spam_probability(roost_moderation_spam_sum(model, features));
	if (features->counts[SPAM_WORD] < BRIEF_WORDS)
		probability = Min(probability, BRIEF_SPAM);
	if (out != NULL)
	{
		int			shown[EXPLAIN_FEATURES];
		int			count = 0;

		appendStringInfoString(out, "{\"features\": {");
		while (count < EXPLAIN_FEATURES && (shown[count] = signal_strongest(model, features, shown, count)) >= 0)
		{
			int			i = shown[count];

			appendStringInfoString(out, count > 0 ? ", " : "");
			signal_quote(out, features->names + (size_t) i * SPAM_NAME_MAX);
			appendStringInfo(out, ": %.2f",
							 roost_moderation_spam_weight(model, features->hashes[i]) * roost_moderation_spam_value(features, i));
			count++;
		}
		appendStringInfoString(out, "}}");
	}
	if (glyphs != NULL)
		pfree(glyphs);
	return probability;
}

/*
 * Returns the feature that speaks most for spam, but for those known; -1 if no
 * other does.
 */
static int
signal_strongest(const SpamModel *model, const SpamFeatures *features, const int *known, int num_known)
{
	int			strongest = -1;
	float		most = 0;

	for (int i = 0; i < features->count; i++)
	{
		float		contribution = roost_moderation_spam_weight(model, features->hashes[i]) * roost_moderation_spam_value(features, i);
		bool		is_known = false;

		for (int k = 0; k < num_known && !is_known; k++)
			is_known = known[k] == i;
		if (!is_known && contribution > most)
		{
			strongest = i;
			most = contribution;
		}
	}
	return strongest;
}

/*
 * Returns how bad the worst link is; with out writes the hosts of bad ones.
 */
static double
signal_url(ModerationText *text, StringInfo out)
{
	UrlParts   *parts = text->num_urls > 0 ? palloc(sizeof(UrlParts)) : NULL;
	double		worst = 0;
	int			shown = 0;

	if (out != NULL)
		appendStringInfoString(out, "{\"hosts\": {");
	for (int i = 0; i < text->num_urls; i++)
	{
		double		score = roost_moderation_url_score(text->urls[i].url, text->urls[i].length, parts);

		worst = Max(worst, score);
		if (out != NULL && score > 0 && shown < EXPLAIN_HOSTS)
		{
			appendStringInfoString(out, shown++ > 0 ? ", " : "");
			signal_quote(out, parts->is_ip ? parts->ip : parts->host);
			appendStringInfo(out, ": %.2f", score);
		}
	}
	if (out != NULL)
		appendStringInfoString(out, "}}");
	return worst;
}

/*
 * Writes a string as JSON; of one that was cut inside a character a mark.
 */
static void
signal_quote(StringInfo out, const char *string)
{
	escape_json(out, pg_verify_mbstr(PG_UTF8, string, strlen(string), true) ? string : "?");
}

/*
 * Counts the mentioned accounts that do not follow the author.
 */
static double
signal_strangers(ModerationText *text)
{
	int			strangers = 0;

	if (text->mentions == NULL || text->account.account_id == 0)
		return text->num_mentions;
	for (int i = 0; i < text->num_mentions && i < STRANGERS_MAX; i++)
	{
		RoostTableRead read;
		ScanKeyData keys[2];

		if (text->mentions[i] == text->account.account_id)
			continue;
		ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(text->mentions[i]));
		ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(text->account.account_id));
		if (!roost_table_read_begin(&read, "follow", 2, keys))
			return text->num_mentions;
		strangers += roost_table_read_next(&read) == NULL;
		roost_table_read_end(&read);
	}
	return strangers + Max(text->num_mentions - STRANGERS_MAX, 0);
}

/*
 * Looks for copies of the text.
 */
static void
signal_copies(ModerationText *text)
{
	if (text->known[SIGNAL_DUPLICATE] || text->known[SIGNAL_REPEAT])
		return;
	if (roost_moderation_fingerprint(text))
		roost_duplicate_find(text->subject, &text->fingerprint, text->account.account_id, text->subject_id, &text->finding);
}
