/*-------------------------------------------------------------------------
 *
 * route.c
 *		What the database says about its routes: which lane, which name.
 *
 * roost.gateway_config() gives the list.  It is kept as a tree of path
 * segments, in which a literal wins over a parameter, as in roost.handle.
 * The tree only chooses lanes and labels: a path that it does not know goes
 * to the database like any other, which answers 404.  A new tree replaces the
 * old one at once, so nobody keeps a pointer into it.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <strings.h>

#include <jansson.h>

#include "log.h"
#include "metrics.h"
#include "route.h"

#define ROUTE_LIMIT METRICS_ROUTES
#define FORWARD_LIMIT 64

typedef struct RouteNode
{
	char	   *segment;		/* NULL for a parameter */
	struct RouteNode *sibling;
	struct RouteNode *children; /* literals before the parameter */
	unsigned	methods;		/* bits of Method */
	Route		routes[METHOD_COUNT];
} RouteNode;

static RouteNode *route_root;
static char *route_base;
static char *loaded_text;
static char *loaded_version;
static unsigned loads;
static char *forwarded[FORWARD_LIMIT];
static int	forwarded_count;

/* What is forwarded as long as the database has not said anything. */
static const char *const forwarded_standard[] = {"authorization", "content-type", "user-agent"};

/* Gives a node and all below and behind it back. */
static void
node_free(RouteNode *node)
{
	while (node)
	{
		RouteNode  *next = node->sibling;

		node_free(node->children);
		free(node->segment);
		free(node);
		node = next;
	}
}

/* Returns the child for a segment of a pattern, made if need be. */
static RouteNode *
node_child(RouteNode *parent, const char *segment, size_t length)
{
	bool		parameter = *segment == ':';
	RouteNode **link = &parent->children;
	RouteNode  *node;

	for (; (node = *link) != NULL && node->segment; link = &node->sibling)
		if (!parameter && strlen(node->segment) == length && memcmp(node->segment, segment, length) == 0)
			return node;
	if (node && parameter)
		return node;
	node = memory_new(sizeof(RouteNode));
	if (!parameter)
	{
		node->segment = memory_new(length + 1);
		memcpy(node->segment, segment, length);
	}
	node->sibling = *link;
	*link = node;
	return node;
}

/* Returns how answers of a route may be kept. */
static CacheKind
cache_kind(const char *name)
{
	return name == NULL ? CACHE_NONE : strcmp(name, "ids") == 0 ? CACHE_IDS : strcmp(name, "list") == 0 ? CACHE_LIST :
		strcmp(name, "time") == 0 ? CACHE_TIME : CACHE_NONE;
}

/* Returns whether a segment of a pattern is a parameter for an id: ":id", ":post_id". */
static bool
segment_is_id(const char *segment, size_t length)
{
	return *segment == ':' && length >= 3 && memcmp(segment + length - 2, "id", 2) == 0 &&
		(length == 3 || segment[length - 3] == '_');
}

/* Returns whether a segment of a pattern is a parameter that logs are not to hold: who has a code may join by it. */
static bool
segment_is_secret(const char *segment, size_t length)
{
	return (length == 5 && memcmp(segment, ":code", 5) == 0) || (length == 9 && memcmp(segment, ":reaction", 9) == 0);
}

/* Adds one element of "routes"; returns whether it can be read. */
static bool
route_add(RouteNode *root, const char *base, const json_t *element)
{
	const char *method_name = json_string_value(json_object_get(element, "method"));
	const char *path = json_string_value(json_object_get(element, "path"));
	const char *lane = json_string_value(json_object_get(element, "lane"));
	const char *cursor = path;
	const char *segment;
	size_t		length;
	Method		method;
	RouteNode  *node = root;
	Route	   *route;
	uint32_t	ids = 0;
	uint32_t	secrets = 0;
	int			place = 0;

	if (method_name == NULL || path == NULL || *path != '/' || lane == NULL)
		return false;
	method = http_method(method_name);
	if (method == METHOD_OTHER)
		return false;
	if (*base && strncmp(path, base, strlen(base)) == 0 && path[strlen(base)] == '/')
		cursor += strlen(base);
	while ((segment = text_token(&cursor, '/', &length)) != NULL)
	{
		node = node_child(node, segment, length);
		if (segment_is_id(segment, length) && place < 32)
			ids |= UINT32_C(1) << place;
		if (segment_is_secret(segment, length) && place < 32)
			secrets |= UINT32_C(1) << place;
		place++;
	}
	node->methods |= 1u << method;
	route = &node->routes[method];
	route->lane = strcmp(lane, "write") == 0 ? LANE_WRITE : strcmp(lane, "slow") == 0 ? LANE_SLOW : LANE_FAST;
	route->sensitive = json_is_true(json_object_get(element, "sensitive"));
	route->standby = json_is_true(json_object_get(element, "standby"));
	route->cache = cache_kind(json_string_value(json_object_get(element, "cache")));
	route->id_segments = ids;
	route->secret_segments = secrets;
	route->metric = metrics_route(method_name, path);
	return true;
}

/* Takes the list of headers that roost.handle wants to see. */
static void
forwarded_load(const json_t *names)
{
	size_t		index;
	json_t	   *name;

	while (forwarded_count > 0)
		free(forwarded[--forwarded_count]);
	json_array_foreach(names, index, name)
	{
		char	   *copy = memory_copy(json_string_value(name));

		if (copy == NULL || forwarded_count == FORWARD_LIMIT)
		{
			free(copy);
			continue;
		}
		for (char *c = copy; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char) (*c | 0x20);
		forwarded[forwarded_count++] = copy;
	}
}

/*
 * Takes the result of roost.gateway_config(); returns false and keeps what it
 * has if that cannot be read.
 */
bool
route_load(const char *text, size_t length)
{
	json_t	   *document;
	json_t	   *routes;
	json_t	   *element;
	json_error_t error;
	const char *base;
	RouteNode  *root;
	size_t		index;
	size_t		skipped = 0;

	if (loaded_text && strlen(loaded_text) == length && memcmp(loaded_text, text, length) == 0)
		return true;
	document = json_loadb(text, length, 0, &error);
	routes = json_object_get(document, "routes");
	base = json_string_value(json_object_get(document, "base_path"));
	if (!json_is_array(routes) || json_array_size(routes) >= ROUTE_LIMIT)
	{
		log_error("roost.gateway_config() cannot be read: %s",
				  document == NULL ? error.text : "no list of routes, or too long a one");
		json_decref(document);
		return false;
	}
	root = memory_new(sizeof(RouteNode));
	json_array_foreach(routes, index, element)
		skipped += !route_add(root, base ? base : "", element);
	if (skipped > 0)
		log_warning("%zu routes of roost.gateway_config() cannot be read", skipped);
	node_free(route_root);
	route_root = root;
	free(route_base);
	route_base = memory_copy(base ? base : "");
	forwarded_load(json_object_get(document, "headers"));
	free(loaded_text);
	loaded_text = memory_copy(text);
	free(loaded_version);
	loaded_version = memory_copy(json_string_value(json_object_get(document, "version")));
	loads++;
	log_info("%zu routes, %d forwarded headers", json_array_size(routes) - skipped, forwarded_count);
	json_decref(document);
	return true;
}

/* Returns whether the database has ever said what there is. */
bool
route_is_loaded(void)
{
	return route_root != NULL;
}

/* Returns the node below this one that a path leads to and that has the methods, or NULL. */
static const RouteNode *
node_find(const RouteNode *node, const char *path, unsigned methods)
{
	size_t		length;
	const char *segment = text_token(&path, '/', &length);

	if (segment == NULL)
		return node->methods & methods ? node : NULL;
	for (const RouteNode *child = node->children; child; child = child->sibling)
		if (child->segment == NULL ||
			(strncmp(child->segment, segment, length) == 0 && child->segment[length] == '\0'))
		{
			const RouteNode *found = node_find(child, path, methods);

			if (found)
				return found;
		}
	return NULL;
}

/* Returns how often another list of routes has been read. */
unsigned
route_loads(void)
{
	return loads;
}

/* Returns the version of the list, as the database says it. */
const char *
route_version(void)
{
	return loaded_version ? loaded_version : "";
}

/* Returns the path without the base path. */
const char *
route_without_base(const char *path)
{
	size_t		length = route_base ? strlen(route_base) : 0;

	if (length > 0 && strncmp(path, route_base, length) == 0 && path[length] == '/')
		return path + length;
	return path;
}

/* Returns the route of a request; an unknown one is fast (and answers 404). */
Route
route_find(Method method, const char *path)
{
	static const Route unknown = {.lane = LANE_FAST};
	const RouteNode *node = NULL;

	if (method == METHOD_HEAD)
		method = METHOD_GET;
	if (route_root && method < METHOD_COUNT)
		node = node_find(route_root, route_without_base(path), 1u << method);
	return node ? node->routes[method] : unknown;
}

/* Returns the methods that a path has, as bits; 0 if it is unknown. */
unsigned
route_methods(const char *path)
{
	unsigned	methods = 0;

	path = route_without_base(path);
	for (Method method = 0; route_root && method < METHOD_COUNT; method++)
		if (node_find(route_root, path, 1u << method))
			methods |= 1u << method;
	return methods;
}

/* Returns the names of the headers to forward, in lower case. */
const char *const *
route_forwarded_headers(int *count)
{
	*count = forwarded_count > 0 ? forwarded_count : (int) lengthof(forwarded_standard);
	return forwarded_count > 0 ? (const char *const *) forwarded : forwarded_standard;
}
