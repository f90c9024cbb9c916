/*-------------------------------------------------------------------------
 *
 * standing.h
 *		What is known about an account whose text is judged.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_STANDING_H
#define ROOST_MODERATION_STANDING_H

#include "datatype/timestamp.h"

#define STANDING_ROLE_LENGTH	64

/* Filled in as it is asked for; zero it and set account_id. */
typedef struct AccountStanding
{
	int64		account_id;		/* 0: nobody in particular */
	bool		row_read;		/* the account's row */
	bool		exists;
	int64		age;			/* microseconds */
	bool		is_verified;
	char		role[STANDING_ROLE_LENGTH];
	bool		counts_read;
	int64		posts;
	int64		followers;
	bool		burden_read;
	double		burden;
} AccountStanding;

extern int64 roost_standing_age(AccountStanding *account);
extern bool roost_standing_is_new(AccountStanding *account);
extern int64 roost_standing_followers(AccountStanding *account);
extern bool roost_standing_has_role(AccountStanding *account, char **roles, int num_roles);
extern bool roost_standing_is_verified(AccountStanding *account);
extern double roost_standing_worst(AccountStanding *account);
extern double roost_standing_reputation(AccountStanding *account);

#endif							/* ROOST_MODERATION_STANDING_H */
