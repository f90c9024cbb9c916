/*-------------------------------------------------------------------------
 *
 * key.h
 *		The signing keys of this database, prepared for use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_KEY_H
#define ROOST_KEY_H

#include "account/signature.h"

/* One row of roost_data.signing_key; times in microseconds since 1970. */
typedef struct RoostKey
{
	char		kid[ROOST_JWT_KID_MAX + 1];
	RoostSignatureKey signature;
	char	   *header;			/* base64url of the header that roost writes */
	size_t		header_length;
	int64		created_at;
	int64		not_before;		/* signs from then on */
	int64		retired_at;		/* accepted until then */
} RoostKey;

extern const RoostKey *roost_key_by_header(const char *header, size_t length);
extern const RoostKey *roost_key_by_kid(RoostJwtText kid);
extern const RoostKey *roost_key_signer(int64 now);
extern void roost_key_init(void);

#endif							/* ROOST_KEY_H */
