/*-------------------------------------------------------------------------
 *
 * limit.h
 *		Rate limits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_LIMIT_H
#define ROOST_LIMIT_H

/* How things stand with the policy that is nearest to its end. */
typedef struct RoostLimitState
{
	int64		limit;			/* units at once, or 0: no policy applied */
	int64		remaining;		/* units left */
	int64		reset;			/* seconds until all of them are back */
	int64		retry_after;	/* seconds until it is worth a retry */
} RoostLimitState;

/*
 * Takes one unit of every policy of the class "default" and of limit_class
 * (NULL for "default" alone, "none" to take nothing at all); returns false,
 * and takes nothing, if one of them has none left.  account_id is 0, address
 * and target are NULL where there is none; policies keyed by them then do not
 * apply.  state may be NULL.  Call it in a transaction.
 */
extern bool roost_limit_check(const char *limit_class, int64 account_id,
							  const char *address, const char *target,
							  RoostLimitState *state);

/* The same for any number of units of the class alone; 0 only looks. */
extern bool roost_limit_take(const char *limit_class, int64 account_id,
							 const char *address, const char *target, int64 cost,
							 RoostLimitState *state);

#endif							/* ROOST_LIMIT_H */
