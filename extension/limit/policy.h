/*-------------------------------------------------------------------------
 *
 * policy.h
 *		Policies and exemptions, as a backend keeps them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_LIMIT_POLICY_H
#define ROOST_LIMIT_POLICY_H

#define LIMIT_NAME_LENGTH	64

/* What a policy counts by; the column `key` holds the name. */
typedef enum LimitKey
{
	LIMIT_KEY_ACCOUNT,
	LIMIT_KEY_ADDRESS,
	LIMIT_KEY_ACCOUNT_OR_ADDRESS,
	LIMIT_KEY_TARGET
} LimitKey;

typedef struct LimitPolicy
{
	char		class_name[LIMIT_NAME_LENGTH];
	char		name[LIMIT_NAME_LENGTH];
	uint64		id;				/* hash of database, class and name */
	LimitKey	key;
	int64		interval;		/* µs a unit */
	int64		burst;
} LimitPolicy;

/* A client's address. */
typedef struct LimitAddress
{
	int			family;			/* 4, 6, or 0 if it is none */
	unsigned char bytes[16];
} LimitAddress;

extern void roost_limit_policy_init(void);
extern const LimitPolicy *roost_limit_policy_class(const char *class_name, int *count);
extern const LimitPolicy *roost_limit_policy_all(int *count);
extern uint64 roost_limit_policy_id(const char *class_name, const char *name);
extern bool roost_limit_policy_exempts(int64 account_id, const LimitAddress *address);
extern void roost_limit_address_parse(const char *text, LimitAddress *address);

#endif							/* ROOST_LIMIT_POLICY_H */
