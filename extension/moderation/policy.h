/*-------------------------------------------------------------------------
 *
 * policy.h
 *		Policies, as a backend keeps them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_POLICY_H
#define ROOST_MODERATION_POLICY_H

#define POLICY_NAME_LENGTH	64
#define POLICY_SUBJECT_LENGTH	32

/* What a policy looks at; the column `signal` holds the name. */
typedef enum ModerationSignal
{
	SIGNAL_PROFANITY,			/* from 0 to 1 ... */
	SIGNAL_SPAM,
	SIGNAL_GIBBERISH,
	SIGNAL_URL,
	SIGNAL_CAPITALS,
	SIGNAL_REPETITION,
	SIGNAL_LOOKALIKE,
	SIGNAL_RATE,				/* ... to here */
	SIGNAL_DUPLICATE,
	SIGNAL_REPEAT,
	SIGNAL_MENTIONS,
	SIGNAL_STRANGERS,
	SIGNAL_HASHTAGS,
	SIGNAL_LINKS,
	SIGNALS
} ModerationSignal;

/* In the order of their severity. */
typedef enum ModerationAction
{
	ACTION_ALLOW,
	ACTION_LABEL,
	ACTION_LIMIT,
	ACTION_HOLD,
	ACTION_REJECT,
	ACTIONS
} ModerationAction;

typedef struct ModerationPolicy
{
	char		name[POLICY_NAME_LENGTH];
	char		subject[POLICY_SUBJECT_LENGTH];
	bool		enabled;
	bool		dry_run;
	ModerationSignal signal;
	ModerationAction action;
	double		threshold;
	double		below;			/* infinite without an upper bound */
	bool		adaptive;
	int			priority;

	/* whom it is about; NULL and 0: everybody */
	char	  **languages;
	int			num_languages;
	bool		new_accounts;
	int64		account_age;	/* microseconds */
	int			followers;
	char	  **exempt_roles;
	int			num_exempt_roles;
	bool		exempt_verified;

	char	   *label;			/* or NULL */
	char	   *message;
	char	   *limit_class;
} ModerationPolicy;

/*
 * Returns the policies of a subject in the order in which they are asked,
 * disabled ones too.  Valid until the next call.
 */
extern const ModerationPolicy *roost_moderation_policies(const char *subject, int *count);

extern const char *roost_moderation_signal_name(ModerationSignal signal);
extern const char *roost_moderation_action_name(ModerationAction action);
extern void roost_moderation_policy_init(void);

#endif							/* ROOST_MODERATION_POLICY_H */
