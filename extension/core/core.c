/*-------------------------------------------------------------------------
 *
 * core.c
 *		The core module: settings that belong to no other module.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "core/core.h"
#include "core/json.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_core_version);

char	   *roost_database = NULL;
char	   *roost_public_url = NULL;
static char *core_site_name = NULL;

/*
 * Define the settings of the core module.
 */
static void
core_define_gucs(void)
{
	DefineCustomStringVariable("roost.database",
							   "Names the database whose roost owns the shared memory and the worker of this cluster.",
							   "In other databases roost works without them, from the tables alone.",
							   &roost_database,
							   "postgres",
							   PGC_POSTMASTER,
							   0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("roost.public_url",
							   "Address under which people reach this site, for links in profiles, posts and mails.",
							   NULL,
							   &roost_public_url,
							   "http://localhost:8080",
							   PGC_SIGHUP,
							   0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("roost.site_name",
							   "Name of this site, as mails call it.",
							   NULL,
							   &core_site_name,
							   "roost",
							   PGC_SIGHUP,
							   0,
							   NULL, NULL, NULL);
}

/*
 * Returns whether this backend is in the database that owns the shared
 * memory.  Call it in a transaction.
 */
bool
roost_core_is_home(void)
{
	static bool known = false;
	static bool home = false;

	if (!known)
	{
		char	   *name = get_database_name(MyDatabaseId);

		home = name != NULL && strcmp(name, roost_database) == 0;
		known = true;
	}
	return home;
}

/*
 * Returns whether the extension and its tables are in this database.  Call it
 * in a transaction.
 */
bool
roost_core_is_installed(void)
{
	Oid			schema = get_namespace_oid("roost_data", true);

	return OidIsValid(get_extension_oid("roost", true)) &&
		OidIsValid(schema) &&
		OidIsValid(get_relname_relid("schema_version", schema));
}

/*
 * roost.version() returns the version of the loaded library.
 */
Datum
roost_core_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ROOST_VERSION));
}

const RoostModule roost_core_module = {
	.name = "roost core",
	.define_gucs = core_define_gucs,
	.init = roost_json_init,
};
