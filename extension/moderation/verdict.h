/*-------------------------------------------------------------------------
 *
 * verdict.h
 *		What policies refused, on its way to the table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_VERDICT_H
#define ROOST_VERDICT_H

#define VERDICT_NAME_LENGTH		64
#define VERDICT_SUBJECT_LENGTH	32
#define VERDICT_SIGNAL_LENGTH	16

/* One refusal; never the text itself. */
typedef struct RoostRefusal
{
	int64		at;				/* microseconds since 1970 */
	int64		account_id;
	int64		subject_id;		/* 0: it never came to be */
	int64		text_hash;
	double		score;
	double		threshold;
	char		subject[VERDICT_SUBJECT_LENGTH];
	char		policy[VERDICT_NAME_LENGTH];
	char		signal[VERDICT_SIGNAL_LENGTH];
} RoostRefusal;

extern void roost_verdict_refused(const RoostRefusal *refusal);

#endif							/* ROOST_VERDICT_H */
