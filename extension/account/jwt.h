/*-------------------------------------------------------------------------
 *
 * jwt.h
 *		The form of a JSON Web Token: three parts, header and claims.
 *
 * Plain C without PostgreSQL, so that it can be tested and fuzzed alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_JWT_H
#define ROOST_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOST_JWT_LENGTH_MAX	8192	/* letters of a whole token */
#define ROOST_JWT_MEMBERS_MAX	32	/* members of a header or a set of claims */
#define ROOST_JWT_DEPTH_MAX		16	/* levels of JSON */
#define ROOST_JWT_KID_MAX		128

typedef enum RoostJwtAlgorithm
{
	ROOST_JWT_NO_ALGORITHM,		/* none, or one that is not offered */
	ROOST_JWT_HS256,
	ROOST_JWT_EDDSA
} RoostJwtAlgorithm;

/* A piece of the input; no final zero. */
typedef struct RoostJwtText
{
	const char *data;
	size_t		length;
} RoostJwtText;

/* The parts of a token, as they stand in it (base64url). */
typedef struct RoostJwtParts
{
	RoostJwtText header;
	RoostJwtText payload;
	RoostJwtText signature;
	RoostJwtText signed_part;	/* header, dot, payload */
} RoostJwtParts;

typedef enum RoostJwtType
{
	ROOST_JWT_STRING,
	ROOST_JWT_NUMBER,
	ROOST_JWT_OBJECT,
	ROOST_JWT_ARRAY,
	ROOST_JWT_LITERAL			/* true, false, null */
} RoostJwtType;

/*
 * One member of a JSON object.  The value of a string is what stands between
 * the quotes, escapes and all; names have no escapes.
 */
typedef struct RoostJwtMember
{
	RoostJwtText name;
	RoostJwtText value;
	RoostJwtType type;
} RoostJwtMember;

/* The parts of a header that matter. */
typedef struct RoostJwtHeader
{
	RoostJwtAlgorithm algorithm;
	RoostJwtText kid;			/* data is NULL when there is none */
	RoostJwtText typ;			/* likewise */
} RoostJwtHeader;

/* The registered claims, and roost's sid and did; 0 or NULL when absent. */
typedef struct RoostJwtClaims
{
	RoostJwtText iss;
	RoostJwtMember aud;			/* a string, or an array of strings */
	int64_t		sub;			/* an id: not as any other text */
	int64_t		sid;
	int64_t		did;
	bool		has_iat;
	bool		has_nbf;
	bool		has_exp;
	int64_t		iat;			/* seconds since 1970 */
	int64_t		nbf;
	int64_t		exp;
} RoostJwtClaims;

extern bool roost_jwt_split(const char *token, size_t length, RoostJwtParts *parts);
extern int	roost_jwt_members(const char *json, size_t length, RoostJwtMember *members);
extern bool roost_jwt_header(const char *json, size_t length, RoostJwtHeader *header,
							 const char **why);
extern bool roost_jwt_claims(const char *json, size_t length, bool ids, RoostJwtClaims *claims,
							 const char **why);
extern bool roost_jwt_audience(const RoostJwtMember *aud, const char *wanted);
extern bool roost_jwt_text_equal(RoostJwtText text, const char *string);
extern RoostJwtAlgorithm roost_jwt_algorithm(RoostJwtText name);
extern const char *roost_jwt_algorithm_name(RoostJwtAlgorithm algorithm);

#endif							/* ROOST_JWT_H */
