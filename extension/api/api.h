/*-------------------------------------------------------------------------
 *
 * api.h
 *		What the parts of the api module share: requests, routes, arguments.
 *
 * A request walks through the files in this order: handle.c (reads it, holds
 * it together), route.c (which function), auth.c (who), idempotency.c (seen
 * before?), body.c and bind.c (arguments), call.c (call and write the result),
 * response.c (headers), error.c (when anything fails).
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_API_H
#define ROOST_API_H

#include "access/tupdesc.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "nodes/primnodes.h"
#include "utils/elog.h"

#include "api/uri.h"

/* SQLSTATEs of class RO, see errcodes.txt */
#define ERRCODE_ROOST_MALFORMED_REQUEST		MAKE_SQLSTATE('R','O','4','0','0')
#define ERRCODE_ROOST_TOKEN_REQUIRED		MAKE_SQLSTATE('R','O','4','0','1')
#define ERRCODE_ROOST_ROUTE_NOT_FOUND		MAKE_SQLSTATE('R','O','4','0','4')
#define ERRCODE_ROOST_METHOD_NOT_ALLOWED	MAKE_SQLSTATE('R','O','4','0','5')
#define ERRCODE_ROOST_KEY_REUSED			MAKE_SQLSTATE('R','O','4','0','9')
#define ERRCODE_ROOST_BODY_TOO_LARGE		MAKE_SQLSTATE('R','O','4','1','3')
#define ERRCODE_ROOST_UNSUPPORTED_MEDIA		MAKE_SQLSTATE('R','O','4','1','5')
#define ERRCODE_ROOST_TOO_MANY_REQUESTS		MAKE_SQLSTATE('R','O','4','2','9')
#define ERRCODE_ROOST_CSRF					MAKE_SQLSTATE('R','O','C','S','R')
#define ERRCODE_ROOST_DUPLICATE_FIELD		MAKE_SQLSTATE('R','O','D','U','P')
#define ERRCODE_ROOST_MALFORMED_JSON		MAKE_SQLSTATE('R','O','J','S','N')
#define ERRCODE_ROOST_MISSING_FIELD			MAKE_SQLSTATE('R','O','M','I','S')
#define ERRCODE_ROOST_INVALID_TOKEN			MAKE_SQLSTATE('R','O','T','O','K')
#define ERRCODE_ROOST_WRONG_TYPE			MAKE_SQLSTATE('R','O','T','Y','P')
#define ERRCODE_ROOST_UNKNOWN_FIELD			MAKE_SQLSTATE('R','O','U','N','K')

/* rows a page holds unless asked, and at most (roost.api_page_limit_max) */
#define API_PAGE_LIMIT_DEFAULT	20
#define API_PAGE_LIMIT_MIN		1
#define API_PAGE_LIMIT_MAX		200
#define API_PAGE_LIMIT_MAX_MAX	10000

#define API_BASE_PATH_DEFAULT	"/api/v1"

/* path segments, and levels of JSON */
#define API_SEGMENTS_MAX		32
#define API_JSON_DEPTH_MAX		64

/* how a type takes its values */
typedef enum ApiKind
{
	API_TEXT,					/* text itself: any string */
	API_STRING,					/* a string for the type's input function */
	API_BOOL,
	API_INTEGER,				/* smallint, integer, bigint */
	API_NUMBER,					/* numeric and floats */
	API_JSON,					/* json, jsonb: anything */
	API_ARRAY,
	API_COMPOSITE
} ApiKind;

typedef struct ApiType
{
	Oid			type;
	Oid			base;			/* under all domains */
	int32		typmod;			/* of the base type */
	ApiKind		kind;
	bool		domain;
	MemoryContext context;		/* this lives in */
	void	   *domain_cache;	/* of domain_check() */
	FmgrInfo	input;
	Oid			input_param;
	const char *name;			/* for messages */
	const char *rule;			/* sentence that explains valid values, or
								 * NULL */
	struct ApiType *element;	/* API_ARRAY */
	int16		length;			/* as an element of an array */
	bool		by_value;
	char		align;
	TupleDesc	desc;			/* API_COMPOSITE */
	struct ApiType *attributes;
} ApiType;

/* where an argument's value comes from */
typedef enum ApiSource
{
	API_INPUT,
	API_ACTOR_ID,
	API_SESSION_ID,
	API_DEVICE_ID,
	API_CLIENT_ADDRESS,
	API_USER_AGENT
} ApiSource;

typedef struct ApiArgument
{
	const char *name;
	ApiSource	source;
	ApiType		type;
	bool		has_default;
	Expr	   *default_expression; /* NULL when the value is known */
	Datum		default_value;
	bool		default_null;
} ApiArgument;

/* a function behind a route, resolved at its first call */
typedef struct ApiFunction
{
	Oid			oid;
	MemoryContext context;		/* of fmgr's caches; reset after errors */
	FmgrInfo	info;
	bool		ready;			/* info may be used; false from a call to its
								 * success */
	bool		running;		/* a call of it is under way */
	bool		keeps_info;		/* info may be used again */
	int			nargs;
	ApiArgument *arguments;
	int			limit;			/* number of the argument "limit", or -1 */
	int			before;
	int			after;
	int			target;			/* identifier or email, counted by limits */
	bool		set;
	bool		strict;
	Oid			result;
	Oid			collation;
	TupleDesc	desc;			/* of the rows of a set, or NULL */
	bool		scalar_set;		/* rows are bare values */
	bool		may_be_null;	/* its description says when */
	int			body_size;		/* room that its answers take */
} ApiFunction;

typedef enum ApiMethod
{
	API_GET,
	API_POST,
	API_PUT,
	API_PATCH,
	API_DELETE,
	API_METHODS
} ApiMethod;

typedef enum ApiAuth
{
	API_AUTH_NONE,
	API_AUTH_OPTIONAL,
	API_AUTH_USER
} ApiAuth;

typedef struct ApiRoute
{
	ApiMethod	method;
	const char *path;
	const char *function_name;
	ApiFunction *function;		/* NULL until first used */
	ApiAuth		auth;
	const char *limit_class;
	int			status;
	bool		cookies;
	bool		sensitive;
	bool		builtin;
	int			nparams;
	const char *params[API_SEGMENTS_MAX];	/* argument names, in the path's
											 * order */
} ApiRoute;

/* one value as it came in */
typedef enum ApiValueKind
{
	API_VALUE_NULL,
	API_VALUE_TRUE,
	API_VALUE_FALSE,
	API_VALUE_NUMBER,			/* text: the number */
	API_VALUE_STRING,			/* text: decoded */
	API_VALUE_OBJECT,			/* text: raw JSON, or container */
	API_VALUE_ARRAY,
	API_VALUE_QUERY				/* text: decoded, of no type */
} ApiValueKind;

struct JsonbContainer;

typedef struct ApiValue
{
	ApiValueKind kind;
	const char *text;			/* ends in NUL after length bytes */
	int			length;
	struct JsonbContainer *container;	/* instead of text, inside arrays and
										 * composites */
} ApiValue;

typedef struct ApiIdempotency ApiIdempotency;

typedef struct ApiRequest
{
	struct ApiRequest *outer;	/* the request whose function called handle */

	/* as it came in */
	RoostSlice	method_name;
	RoostSlice	path;			/* raw, with the base path */
	RoostSlice	query;
	RoostSlice	headers;
	RoostSlice	body;
	RoostSlice	address;
	RoostSlice	segments[API_SEGMENTS_MAX]; /* decoded, without the base path */
	int			nsegments;
	ApiMethod	method;
	bool		head;

	/* what was found out */
	const ApiRoute *route;
	ApiFunction *function;
	RoostSlice	params[API_SEGMENTS_MAX];	/* of the route's path */
	bool		authenticated;
	bool		by_cookie;		/* the token came in a cookie */
	int64		account_id;
	int64		session_id;
	int64		device_id;
	RoostSlice	refresh_cookie;
	bool		by_refresh_cookie;	/* it is the argument refresh_token */
	ApiIdempotency *idempotency;

	/* what is being bound, for errors */
	const char *field;
	const ApiType *type;

	/* arguments */
	Datum	   *values;
	bool	   *nulls;
	bool	   *bound;
	int			limit;			/* rows the caller wants */
	bool		running;		/* the function's kept FmgrInfo is in use */

	/* the answer */
	int			status;
	StringInfoData headers_out; /* lines "Name: value\n" */
	int			limit_headers;	/* bytes of them that say the rate limit */
	StringInfoData members;		/* of a problem: lines "name: JSON\n" */
	StringInfoData body_out;
	bool		no_body;
	bool		calling;		/* the function is under way */
	bool		value_written;	/* it has written its result itself */
	int			item_count;		/* rows written */
	bool		more_items;		/* there is a row beyond the page */
	char	   *next;			/* cursors of the last and first row, or NULL */
	char	   *previous;
} ApiRequest;

extern int	roost_api_page_limit_max;
extern char *roost_api_base_path;

/* the request that this backend serves, or NULL */
extern ApiRequest *roost_api_request;

/* route.c */
extern void roost_api_route_init(void);
extern void roost_api_route_find(ApiRequest *request);
extern const char *roost_api_method_name(ApiMethod method);

/* function.c */
extern ApiFunction *roost_api_function_resolve(const char *name, MemoryContext context);
extern FmgrInfo *roost_api_function_info(ApiFunction *function, bool *kept);

/* auth.c */
extern void roost_api_authenticate(ApiRequest *request);
extern void roost_api_limit(ApiRequest *request);
extern void roost_api_limit_target(ApiRequest *request);

extern void roost_api_check_csrf(ApiRequest *request);

/* idempotency.c */
extern text *roost_api_idempotency_replay(ApiRequest *request);
extern void roost_api_idempotency_store(ApiRequest *request, text *answer);

/* body.c */
typedef void (*ApiFieldAction) (ApiRequest *request, const char *name, const ApiValue *value);
extern void roost_api_body_parse(ApiRequest *request, ApiFieldAction action);

/* bind.c */
extern void roost_api_bind(ApiRequest *request);

/* value.c */
extern void roost_api_type_fill(ApiType *type, Oid oid, MemoryContext context);
extern Datum roost_api_value(ApiRequest *request, ApiType *type, const ApiValue *value, bool *isnull);

/* call.c */
extern void roost_api_call(ApiRequest *request);

/* response.c */
extern void roost_api_header(ApiRequest *request, const char *name, const char *value);
extern void roost_api_link(ApiRequest *request);
extern text *roost_api_answer(ApiRequest *request);

/* cookie.c */
extern bool roost_api_cookie_wanted(ApiRequest *request);
extern void roost_api_cookie_tokens(ApiRequest *request, TupleDesc desc, Datum *values, bool *nulls);
extern void roost_api_cookie_clear(ApiRequest *request);

/* error.c */
extern void roost_api_error_init(void);
extern void roost_api_rethrow(ApiRequest *request, ErrorData *error) pg_attribute_noreturn();
extern void roost_api_field_error(int sqlstate, const char *field, const char *what) pg_attribute_noreturn();

#endif							/* ROOST_API_H */
