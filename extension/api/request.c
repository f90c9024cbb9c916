/*-------------------------------------------------------------------------
 *
 * request.c
 *		Where the request comes from that is being answered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "api/api.h"
#include "api/request.h"

PG_FUNCTION_INFO_V1(roost_api_request_actor);
PG_FUNCTION_INFO_V1(roost_api_request_session);

/*
 * Returns whether this backend answers a request, and where that comes from;
 * origin may be NULL.
 */
bool
roost_api_request_origin(RoostRequestOrigin *origin)
{
	const ApiRequest *request = roost_api_request;
	RoostSlice	id;

	if (request == NULL || origin == NULL)
		return request != NULL;
	memset(origin, 0, sizeof(RoostRequestOrigin));
	if (request->authenticated)
	{
		origin->account_id = request->account_id;
		origin->session_id = request->session_id;
	}
	if (request->route != NULL)
		origin->function = request->route->function_name;
	if (roost_uri_header(request->headers, "x-request-id", &id) && id.length > 0)
		origin->request_id = pnstrdup(id.data, Min(id.length, 128));
	if (request->address.length > 0)
		origin->address = pnstrdup(request->address.data, Min(request->address.length, 64));
	return true;
}

/*
 * roost_internal.request_actor() returns the account of the request, or null.
 */
Datum
roost_api_request_actor(PG_FUNCTION_ARGS)
{
	if (roost_api_request == NULL || !roost_api_request->authenticated)
		PG_RETURN_NULL();
	PG_RETURN_INT64(roost_api_request->account_id);
}

/*
 * roost_internal.request_session() returns the session of the request, or null.
 */
Datum
roost_api_request_session(PG_FUNCTION_ARGS)
{
	if (roost_api_request == NULL || !roost_api_request->authenticated)
		PG_RETURN_NULL();
	PG_RETURN_INT64(roost_api_request->session_id);
}
