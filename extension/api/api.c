/*-------------------------------------------------------------------------
 *
 * api.c
 *		The api module: settings and callbacks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/api.h"
#include "roost.h"
#include "utils/guc.h"

int			roost_api_page_limit_max = API_PAGE_LIMIT_MAX;
char	   *roost_api_base_path = NULL;

/*
 * Accepts an empty base path, or one that begins and does not end with a
 * slash.
 */
static bool
api_check_base_path(char **value, void **extra, GucSource source)
{
	size_t		length = strlen(*value);

	return length == 0 || ((*value)[0] == '/' && (*value)[length - 1] != '/');
}

/*
 * Define the settings of the api module.
 */
static void
api_define_gucs(void)
{
	DefineCustomStringVariable("roost.api_base_path",
							   "Path that all routes have in front.",
							   "The same paths without it answer, too.",
							   &roost_api_base_path,
							   API_BASE_PATH_DEFAULT,
							   PGC_SIGHUP,
							   0,
							   api_check_base_path, NULL, NULL);
	DefineCustomIntVariable("roost.api_page_limit_max",
							"The most items that one page holds.",
							NULL,
							&roost_api_page_limit_max,
							API_PAGE_LIMIT_MAX,
							API_PAGE_LIMIT_MIN,
							API_PAGE_LIMIT_MAX_MAX,
							PGC_SIGHUP,
							0,
							NULL, NULL, NULL);
}

/*
 * Registers callbacks and hooks.
 */
static void
api_init(void)
{
	roost_api_route_init();
	roost_api_error_init();
}

const RoostModule roost_api_module = {
	.name = "roost api",
	.define_gucs = api_define_gucs,
	.init = api_init,
};
