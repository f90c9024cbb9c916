/*-------------------------------------------------------------------------
 *
 * request.h
 *		What other modules may know of the request that is being answered.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_REQUEST_H
#define ROOST_REQUEST_H

/* Of a request; ids are 0 and texts NULL where there is nothing. */
typedef struct RoostRequestOrigin
{
	int64		account_id;		/* of its access token */
	int64		session_id;
	const char *function;		/* that answers it */
	const char *request_id;
	const char *address;
} RoostRequestOrigin;

extern bool roost_api_request_origin(RoostRequestOrigin *origin);

#endif							/* ROOST_REQUEST_H */
