/*-------------------------------------------------------------------------
 *
 * judge.c
 *		Asks the policies about a text.
 *
 * For nearly every text no policy fires, and then nothing is read but the
 * text: a policy looks at the score first, and only if that is enough for an
 * account with the worst reputation, at the account.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "api/api.h"
#include "api/request.h"
#include "limit/limit.h"
#include "moderation/judge.h"
#include "moderation/setting.h"
#include "moderation/threshold.h"

static bool judge_ask(const ModerationPolicy *policy, ModerationText *text, bool trial, double *score, double *threshold,
					  int64 *retry_after);
static bool judge_concerns(const ModerationPolicy *policy, ModerationText *text);
static bool judge_language(const ModerationPolicy *policy, const char *language);
static bool judge_rate(const ModerationPolicy *policy, ModerationText *text, int64 *retry_after);
static double judge_reputation(const ModerationPolicy *policy, ModerationText *text);
static ModerationVerdict *judge_verdict(const ModerationPolicy *policy, ModerationText *text, double score, double threshold,
										bool fires);

static inline bool
signal_is_share(ModerationSignal signal)
{
	return signal <= SIGNAL_RATE;
}

/*
 * Asks the policies of the text's subject in their order; returns whether
 * there is anything to do or to record.  In a trial nothing is counted, and
 * every policy has a verdict.
 */
bool
roost_moderation_judge(ModerationText *text, bool trial, ModerationJudgement *judgement)
{
	int			count;
	const ModerationPolicy *policy = roost_moderation_policies(text->subject, &count);
	bool		allowed = false;

	memset(judgement, 0, sizeof(*judgement));
	for (; count > 0; count--, policy++)
	{
		double		score = 0;
		double		threshold = policy->threshold;
		ModerationVerdict *verdict;
		bool		fires;

		if (!policy->enabled && !trial)
			continue;
		if (policy->signal == SIGNAL_DUPLICATE || policy->signal == SIGNAL_REPEAT)
			judgement->keep = true;
		if (allowed && !trial)
			continue;
		fires = judge_ask(policy, text, trial, &score, &threshold, &judgement->retry_after);
		if (!fires && !trial)
			continue;

		if (fires && policy->action == ACTION_ALLOW && !policy->dry_run && policy->enabled)
			allowed = true;
		if (policy->action == ACTION_ALLOW && !policy->dry_run && !trial)
			continue;
		verdict = judge_verdict(policy, text, score, threshold, fires);
		judgement->verdicts = lappend(judgement->verdicts, verdict);
		if (!fires || policy->dry_run)
			continue;
		if (policy->label != NULL)
			judgement->labels = lappend(judgement->labels, pstrdup(policy->label));
		if (policy->action == ACTION_REJECT && judgement->action < ACTION_REJECT)
			judgement->decisive = verdict;
		judgement->action = Max(judgement->action, policy->action);
		/* what is refused needs no more reasons */
		if (policy->action == ACTION_REJECT && !trial)
			break;
	}
	return judgement->verdicts != NIL;
}

/*
 * Returns whether a policy fires, with the score and the threshold for this
 * account.
 */
static bool
judge_ask(const ModerationPolicy *policy, ModerationText *text, bool trial, double *score, double *threshold, int64 *retry_after)
{
	bool		share = signal_is_share(policy->signal);
	double		least;
	double		reputation;
	double		below;

	if (!judge_language(policy, text->language))
		return false;
	if (policy->signal == SIGNAL_RATE)
	{
		/* counting is an effect: only for whom it concerns */
		if (trial || roost_api_request == NULL || !judge_concerns(policy, text))
			return false;
		*score = judge_rate(policy, text, retry_after) ? 1 : 0;
		return *score >= policy->threshold;
	}

	least = policy->adaptive ? roost_reputation_threshold(policy->threshold, share, REPUTATION_LEAST) : policy->threshold;
	/* a look-up for each of them, and there are not that many */
	if (policy->signal == SIGNAL_STRANGERS && text->num_mentions < least && !trial)
		return false;
	*score = roost_moderation_signal(text, policy->signal);
	if (*score < least && !trial)
		return false;
	reputation = judge_reputation(policy, text);
	*threshold = roost_reputation_threshold(policy->threshold, share, reputation);
	below = roost_reputation_threshold(policy->below, share, reputation);
	return *score >= *threshold && *score < below && judge_concerns(policy, text);
}

/*
 * Returns the reputation that moves the policy's threshold.
 */
static double
judge_reputation(const ModerationPolicy *policy, ModerationText *text)
{
	if (!policy->adaptive || text->account.account_id == 0)
		return 0;
	return roost_standing_reputation(&text->account);
}

/*
 * Returns whether a policy is about the account.
 */
static bool
judge_concerns(const ModerationPolicy *policy, ModerationText *text)
{
	AccountStanding *account = &text->account;

	if (policy->new_accounts && !roost_standing_is_new(account))
		return false;
	if (policy->account_age > 0 && roost_standing_age(account) >= policy->account_age)
		return false;
	if (policy->followers > 0 && roost_standing_followers(account) >= policy->followers)
		return false;
	if (roost_standing_has_role(account, policy->exempt_roles, policy->num_exempt_roles))
		return false;
	return !policy->exempt_verified || !roost_standing_is_verified(account);
}

/*
 * Returns whether a policy is about texts in this language: en means en-GB,
 * too.
 */
static bool
judge_language(const ModerationPolicy *policy, const char *language)
{
	if (policy->num_languages == 0)
		return true;
	for (int i = 0; i < policy->num_languages && language != NULL; i++)
	{
		size_t		length = strlen(policy->languages[i]);

		if (pg_strncasecmp(language, policy->languages[i], length) == 0 && (language[length] == '\0' || language[length] == '-'))
			return true;
	}
	return false;
}

/*
 * Takes a unit of the policy's rate limit; true if there was none left.
 */
static bool
judge_rate(const ModerationPolicy *policy, ModerationText *text, int64 *retry_after)
{
	RoostLimitState state;
	RoostRequestOrigin origin;

	if (policy->limit_class == NULL || text->account.account_id == 0)
		return false;
	memset(&state, 0, sizeof(state));
	if (roost_limit_take(policy->limit_class, text->account.account_id,
						 roost_api_request_origin(&origin) ? origin.address : NULL, NULL, 1, &state))
		return false;
	*retry_after = state.retry_after;
	return true;
}

/*
 * Makes a record of what a policy said.
 */
static ModerationVerdict *
judge_verdict(const ModerationPolicy *policy, ModerationText *text, double score, double threshold, bool fires)
{
	ModerationVerdict *verdict = palloc0(sizeof(ModerationVerdict));
	StringInfoData explanation;

	strlcpy(verdict->policy, policy->name, POLICY_NAME_LENGTH);
	verdict->signal = policy->signal;
	verdict->action = policy->action;
	verdict->enabled = policy->enabled;
	verdict->dry_run = policy->dry_run;
	verdict->fires = fires;
	verdict->score = score;
	verdict->threshold = threshold;
	verdict->message = policy->message != NULL ? pstrdup(policy->message) : NULL;
	if (fires)
	{
		initStringInfo(&explanation);
		roost_moderation_explain(text, verdict->signal, &explanation);
		verdict->explanation = explanation.data;
	}
	return verdict;
}
