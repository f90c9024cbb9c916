/*-------------------------------------------------------------------------
 *
 * handle.c
 *		roost.handle(): one HTTP request, one function call.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "api/api.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(roost_api_handle);

ApiRequest *roost_api_request = NULL;

/*
 * Memory at the end of the heap that a backend keeps.  By default it gives back
 * all but 128 kB after each large answer, and has to fault it in again for the
 * next one, which costs more than filling it.
 */
#define HANDLE_HEAP_KEPT	(2 * 1024 * 1024)

static void handle_keep_heap(void);
static RoostSlice handle_argument(FunctionCallInfo fcinfo, int number);
static text *handle_serve(ApiRequest *request);

/*
 * roost.handle(method, path, query, headers, body, client_address) returns
 * the answer to an HTTP request.
 */
Datum
roost_api_handle(PG_FUNCTION_ARGS)
{
	ApiRequest	request = {0};
	MemoryContext caller = CurrentMemoryContext;
	text	   *volatile answer = NULL;

	handle_keep_heap();
	request.outer = roost_api_request;
	request.method_name = handle_argument(fcinfo, 0);
	request.path = handle_argument(fcinfo, 1);
	request.query = handle_argument(fcinfo, 2);
	request.headers = handle_argument(fcinfo, 3);
	request.body = handle_argument(fcinfo, 4);
	request.address = handle_argument(fcinfo, 5);
	initStringInfo(&request.headers_out);
	initStringInfo(&request.members);

	/* a function may call handle, and so on */
	check_stack_depth();
	PG_TRY();
	{
		roost_api_request = &request;
		answer = handle_serve(&request);
		roost_api_request = request.outer;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		roost_api_request = request.outer;
		if (request.running)
			request.function->running = false;
		roost_api_rethrow(&request, error);
	}
	PG_END_TRY();

	PG_RETURN_TEXT_P(answer);
}

/*
 * Tells the C library, once, what to keep.
 */
static void
handle_keep_heap(void)
{
#ifdef __GLIBC__
	static bool told = false;

	if (told)
		return;
	told = true;
	mallopt(M_TRIM_THRESHOLD, HANDLE_HEAP_KEPT);
	mallopt(M_MMAP_THRESHOLD, HANDLE_HEAP_KEPT / 2);
#endif
}

/*
 * Returns an argument's text, or an empty one for NULL.
 */
static RoostSlice
handle_argument(FunctionCallInfo fcinfo, int number)
{
	RoostSlice	slice = {"", 0};

	if (!PG_ARGISNULL(number))
	{
		text	   *argument = PG_GETARG_TEXT_PP(number);

		slice.data = VARDATA_ANY(argument);
		slice.length = VARSIZE_ANY_EXHDR(argument);
	}
	return slice;
}

/*
 * Returns the answer to a request.
 */
static text *
handle_serve(ApiRequest *request)
{
	text	   *answer;

	roost_api_route_find(request);
	if (request->route == NULL)
	{
		request->no_body = true;
		return roost_api_answer(request);
	}
	request->status = request->route->status;
	roost_api_authenticate(request);
	roost_api_limit(request);
	if ((answer = roost_api_idempotency_replay(request)) != NULL)
		return answer;
	roost_api_bind(request);
	roost_api_limit_target(request);
	roost_api_call(request);
	answer = roost_api_answer(request);
	roost_api_idempotency_store(request, answer);
	return answer;
}
