/*-------------------------------------------------------------------------
 *
 * route.c
 *		Finds the route of a request.
 *
 * Each backend keeps the table roost_internal.route as a tree of path
 * segments in its own memory.  A trigger on the table sends a relcache
 * invalidation when it changes; that, and every change of a function or type,
 * marks the tree stale, and the next request that is not nested in another one
 * builds a new one.  The tree is as large as the table, so no bound is needed.
 *
 * Functions are resolved when their route is first used, so that one broken
 * route does not break the others.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "api/api.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "core/invalidation.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(roost_api_route_changed);

/* columns of roost_internal.route, in the order of sql/api/types.sql */
enum
{
	ROUTE_METHOD,
	ROUTE_PATH,
	ROUTE_SHAPE,
	ROUTE_FUNCTION,
	ROUTE_AUTH,
	ROUTE_LIMIT_CLASS,
	ROUTE_STATUS,
	ROUTE_LANE,
	ROUTE_COOKIES,
	ROUTE_SENSITIVE,
	ROUTE_BUILTIN
};

/* one segment of paths */
typedef struct ApiNode
{
	const char *literal;		/* NULL for a parameter */
	size_t		length;
	struct ApiNode *sibling;	/* next child of the same parent */
	struct ApiNode *literals;	/* children */
	struct ApiNode *param;
	ApiRoute   *routes[API_METHODS];
} ApiNode;

static const char *const route_methods[API_METHODS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

static MemoryContext route_context = NULL;
static ApiNode *route_root = NULL;
static Oid	route_relation = InvalidOid;
static bool route_stale = false;

static void route_load(void);
static void route_add(ApiNode *root, Datum *values);
static ApiNode *route_child(ApiNode *parent, RoostSlice segment);
static void route_split(ApiRequest *request);
static bool route_match(ApiRequest *request, const ApiNode *node, int depth, int nparams,
						unsigned int *allowed);
static void route_options(ApiRequest *request, unsigned int allowed);
static void route_relation_changed(Oid relid);
static void route_catalog_changed(Datum arg, int cacheid, uint32 hashvalue);

/*
 * Registers the callbacks that keep the tree fresh.
 */
void
roost_api_route_init(void)
{
	roost_invalidation_register(route_relation_changed);
	CacheRegisterSyscacheCallback(PROCOID, route_catalog_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, route_catalog_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(ENUMOID, route_catalog_changed, (Datum) 0);
}

/*
 * Trigger on roost_internal.route: tells all backends that it changed.
 */
Datum
roost_api_route_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function must be called by a trigger")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}

/*
 * Returns the name of a method.
 */
const char *
roost_api_method_name(ApiMethod method)
{
	return route_methods[method];
}

/*
 * Finds the route, the function and the path parameters of a request.  Raises
 * an error if there is none.  The method OPTIONS leaves the route empty and
 * fills in the answer.
 */
void
roost_api_route_find(ApiRequest *request)
{
	unsigned int allowed = 0;
	int			method = API_METHODS;

	if (route_root == NULL || (route_stale && request->outer == NULL))
		route_load();
	route_split(request);

	request->head = request->method_name.length == 4 &&
		memcmp(request->method_name.data, "HEAD", 4) == 0;
	for (int i = 0; i < API_METHODS; i++)
	{
		if (strlen(route_methods[i]) == request->method_name.length &&
			memcmp(route_methods[i], request->method_name.data, request->method_name.length) == 0)
			method = i;
	}
	request->method = request->head ? API_GET : method;

	if (route_match(request, route_root, 0, 0, &allowed))
	{
		ApiRoute   *route = (ApiRoute *) request->route;

		if (route->function == NULL)
			route->function = roost_api_function_resolve(route->function_name, route_context);
		request->function = route->function;
		return;
	}
	if (allowed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_ROUTE_NOT_FOUND),
				 errmsg("no such route")));
	route_options(request, allowed);
}

/*
 * Answers OPTIONS, or refuses the method, on a path that has others.
 */
static void
route_options(ApiRequest *request, unsigned int allowed)
{
	StringInfoData allow;

	initStringInfo(&allow);
	for (int i = 0; i < API_METHODS; i++)
	{
		if (allowed & (1u << i))
			appendStringInfo(&allow, "%s%s%s", allow.len > 0 ? ", " : "", route_methods[i],
							 i == API_GET ? ", HEAD" : "");
	}
	appendStringInfoString(&allow, ", OPTIONS");
	roost_api_header(request, "Allow", allow.data);
	if (request->method_name.length != 7 || memcmp(request->method_name.data, "OPTIONS", 7) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_METHOD_NOT_ALLOWED),
				 errmsg("the method is not allowed here"),
				 errdetail("Allowed: %s.", allow.data)));
	request->status = 204;
}

/*
 * Matches the segments from depth on under a node.  Literals win over
 * parameters, but only where they have the method.  Collects the methods of
 * all nodes that match.
 */
static bool
route_match(ApiRequest *request, const ApiNode *node, int depth, int nparams,
			unsigned int *allowed)
{
	RoostSlice	segment;

	if (depth == request->nsegments)
	{
		for (int i = 0; i < API_METHODS; i++)
		{
			if (node->routes[i])
				*allowed |= 1u << i;
		}
		if (request->method >= API_METHODS || node->routes[request->method] == NULL)
			return false;
		request->route = node->routes[request->method];
		return true;
	}
	segment = request->segments[depth];
	for (const ApiNode *child = node->literals; child; child = child->sibling)
	{
		if (child->length == segment.length &&
			memcmp(child->literal, segment.data, segment.length) == 0)
		{
			if (route_match(request, child, depth + 1, nparams, allowed))
				return true;
			break;
		}
	}
	if (node->param == NULL || segment.length == 0)
		return false;
	request->params[nparams] = segment;
	return route_match(request, node->param, depth + 1, nparams + 1, allowed);
}

/*
 * Decodes the path into segments, without the base path.
 */
static void
route_split(ApiRequest *request)
{
	RoostSlice	rest = request->path;
	RoostSlice	segment;
	size_t		base = strlen(roost_api_base_path);
	char	   *room = palloc(rest.length + 1);

	if (base > 0 && rest.length > base && rest.data[base] == '/' &&
		memcmp(rest.data, roost_api_base_path, base) == 0)
	{
		rest.data += base;
		rest.length -= base;
	}
	while (roost_uri_next_segment(&rest, &segment))
	{
		int			length = roost_uri_decode(segment, false, room);

		if (length == ROOST_URI_BAD_ESCAPE)
			ereport(ERROR,
					(errcode(ERRCODE_ROOST_MALFORMED_REQUEST),
					 errmsg("the path holds a bad percent escape")));
		if (length == ROOST_URI_BAD_UTF8)
			ereport(ERROR,
					(errcode(ERRCODE_ROOST_MALFORMED_REQUEST),
					 errmsg("the path is not valid UTF-8")));
		if (length < 0)
			ereport(ERROR,
					(errcode(ERRCODE_ROOST_MALFORMED_REQUEST),
					 errmsg("the path holds a control character")));
		segment.data = room;
		segment.length = length;
		if (roost_uri_is_dots(segment))
			ereport(ERROR,
					(errcode(ERRCODE_ROOST_MALFORMED_REQUEST),
					 errmsg("the path holds a \".\" or \"..\" segment")));
		if (request->nsegments == API_SEGMENTS_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_ROOST_ROUTE_NOT_FOUND),
					 errmsg("no such route"),
					 errdetail("The path has more than %d segments.", API_SEGMENTS_MAX)));
		request->segments[request->nsegments++] = segment;
		room += length;
	}
	if (rest.length > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_MALFORMED_REQUEST),
				 errmsg("the path does not begin with a slash")));
}

/*
 * Reads the table into a new tree.
 */
static void
route_load(void)
{
	Relation	relation;
	Snapshot	snapshot;
	TableScanDesc scan;
	HeapTuple	tuple;
	ApiNode    *root;
	Datum	   *values;
	bool	   *nulls;
	MemoryContext caller;

	if (route_context)
		MemoryContextDelete(route_context);
	route_root = NULL;
	route_context = NULL;

	/* before the first look, so that a change during it is not missed */
	route_stale = false;
	route_context = AllocSetContextCreate(TopMemoryContext, "roost routes",
										  ALLOCSET_DEFAULT_SIZES);
	route_relation = get_relname_relid("route", get_namespace_oid("roost_internal", false));
	relation = table_open(route_relation, AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = table_beginscan(relation, snapshot, 0, NULL);

	caller = MemoryContextSwitchTo(route_context);
	root = palloc0(sizeof(ApiNode));
	values = palloc(RelationGetDescr(relation)->natts * sizeof(Datum));
	nulls = palloc(RelationGetDescr(relation)->natts * sizeof(bool));
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		heap_deform_tuple(tuple, RelationGetDescr(relation), values, nulls);
		route_add(root, values);
	}
	MemoryContextSwitchTo(caller);

	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(relation, AccessShareLock);
	route_root = root;
}

/*
 * Enters a row of the table into the tree; a user's route wins over a
 * built-in one.
 */
static void
route_add(ApiNode *root, Datum *values)
{
	ApiRoute   *route = palloc0(sizeof(ApiRoute));
	char	   *auth = TextDatumGetCString(values[ROUTE_AUTH]);
	char	   *method = TextDatumGetCString(values[ROUTE_METHOD]);
	ApiNode    *node = root;
	RoostSlice	rest;
	RoostSlice	segment;

	route->path = TextDatumGetCString(values[ROUTE_PATH]);
	route->function_name = TextDatumGetCString(values[ROUTE_FUNCTION]);
	route->limit_class = TextDatumGetCString(values[ROUTE_LIMIT_CLASS]);
	route->status = DatumGetInt16(values[ROUTE_STATUS]);
	route->cookies = DatumGetBool(values[ROUTE_COOKIES]);
	route->sensitive = DatumGetBool(values[ROUTE_SENSITIVE]);
	route->builtin = DatumGetBool(values[ROUTE_BUILTIN]);
	route->auth = strcmp(auth, "user") == 0 ? API_AUTH_USER :
		strcmp(auth, "optional") == 0 ? API_AUTH_OPTIONAL : API_AUTH_NONE;
	while (route->method < API_METHODS - 1 && strcmp(route_methods[route->method], method) != 0)
		route->method++;

	rest.data = route->path;
	rest.length = strlen(route->path);
	while (roost_uri_next_segment(&rest, &segment))
	{
		if (segment.length > 0 && segment.data[0] == ':' && route->nparams < API_SEGMENTS_MAX)
			route->params[route->nparams++] = pnstrdup(segment.data + 1, segment.length - 1);
		node = route_child(node, segment);
	}
	if (node->routes[route->method] && route->builtin)
		return;
	node->routes[route->method] = route;
}

/*
 * Returns the child of a node for a segment, making it if necessary.
 */
static ApiNode *
route_child(ApiNode *parent, RoostSlice segment)
{
	ApiNode    *child;

	if (segment.length > 0 && segment.data[0] == ':')
	{
		if (parent->param == NULL)
			parent->param = palloc0(sizeof(ApiNode));
		return parent->param;
	}
	for (child = parent->literals; child; child = child->sibling)
	{
		if (child->length == segment.length &&
			memcmp(child->literal, segment.data, segment.length) == 0)
			return child;
	}
	child = palloc0(sizeof(ApiNode));
	child->literal = segment.data;
	child->length = segment.length;
	child->sibling = parent->literals;
	parent->literals = child;
	return child;
}

/*
 * Relcache callback: marks the tree stale if the table changed.
 */
static void
route_relation_changed(Oid relid)
{
	if (relid == route_relation || !OidIsValid(relid))
		route_stale = true;
}

/*
 * Syscache callback: some function, type or enum label changed.
 */
static void
route_catalog_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	route_stale = true;
}
