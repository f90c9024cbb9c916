/*-------------------------------------------------------------------------
 *
 * token.h
 *		Access tokens: who sends a request.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_TOKEN_H
#define ROOST_TOKEN_H

#include "account/jwt.h"

/* What a valid access token says; times in microseconds since 1970. */
typedef struct RoostIdentity
{
	int64		account_id;
	int64		session_id;
	int64		device_id;		/* 0: none */
	int64		issued_at;
	int64		expires_at;
} RoostIdentity;

extern bool roost_token_authenticate(const char *token, int length,
									 RoostIdentity *identity, const char **why);
extern bool roost_token_is_now(const RoostJwtClaims *claims, int64 now, const char **why);
extern int64 roost_token_lifetime(void);

#endif							/* ROOST_TOKEN_H */
