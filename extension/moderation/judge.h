/*-------------------------------------------------------------------------
 *
 * judge.h
 *		Asks the policies about a text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_JUDGE_H
#define ROOST_MODERATION_JUDGE_H

#include "nodes/pg_list.h"

#include "moderation/signal.h"

/* What one policy said. */
typedef struct ModerationVerdict
{
	char		policy[POLICY_NAME_LENGTH];
	ModerationSignal signal;
	ModerationAction action;
	bool		enabled;
	bool		dry_run;
	bool		fires;
	double		score;
	double		threshold;
	char	   *message;		/* or NULL */
	char	   *explanation;	/* JSON */
} ModerationVerdict;

/* What all of them said. */
typedef struct ModerationJudgement
{
	ModerationAction action;	/* the strictest that is no dry run */
	ModerationVerdict *decisive;	/* of a rejection */
	List	   *verdicts;		/* of those that fired, or in a trial all */
	List	   *labels;			/* C strings */
	bool		keep;			/* the fingerprint of the text is to be kept */
	int64		retry_after;	/* seconds, of a rejection for its rate */
} ModerationJudgement;

extern bool roost_moderation_judge(ModerationText *text, bool trial, ModerationJudgement *judgement);

#endif							/* ROOST_MODERATION_JUDGE_H */
