/*-------------------------------------------------------------------------
 *
 * function.c
 *		Looks up what is to know about a function behind a route.
 *
 * The result lives as long as the tree of routes.  The FmgrInfo is kept from
 * call to call, because PL/pgSQL hangs its compiled function on it.  It is
 * made anew after a call that failed, whose caches may point nowhere.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "api/api.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

static Oid	function_find(const char *name);
static void function_arguments(ApiFunction *function, HeapTuple tuple, MemoryContext context);
static ApiSource function_source(const char *name);
static void function_defaults(ApiFunction *function, HeapTuple tuple);
static void function_result(ApiFunction *function);
static bool function_may_be_null(Oid oid);

/*
 * Returns what is to know about a function, in the given context.
 */
ApiFunction *
roost_api_function_resolve(const char *name, MemoryContext context)
{
	Oid			oid = function_find(name);
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	Form_pg_proc form;
	MemoryContext caller;
	ApiFunction *function;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", oid);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	caller = MemoryContextSwitchTo(context);
	function = palloc0(sizeof(ApiFunction));
	function->oid = oid;
	function->set = form->proretset;
	function->strict = form->proisstrict;
	function->result = form->prorettype;
	function->collation = OidIsValid(get_typcollation(form->prorettype)) ? DEFAULT_COLLATION_OID : InvalidOid;

	/* a set made value by value leaves its state behind in C functions */
	function->keeps_info = !form->proretset ||
		(form->prolang != INTERNALlanguageId && form->prolang != ClanguageId);
	function_arguments(function, tuple, context);
	function_defaults(function, tuple);
	function_result(function);
	function->may_be_null = function_may_be_null(oid);
	function->context = AllocSetContextCreate(context, "roost function", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(caller);
	ReleaseSysCache(tuple);
	return function;
}

/*
 * Returns the FmgrInfo for a call.  If it is the kept one, *kept is true and
 * the caller marks the function ready again after success.
 */
FmgrInfo *
roost_api_function_info(ApiFunction *function, bool *kept)
{
	FmgrInfo   *info = &function->info;

	*kept = function->keeps_info && !function->running;
	if (!*kept)
	{
		info = palloc0(sizeof(FmgrInfo));
		fmgr_info(function->oid, info);
		return info;
	}
	if (!function->ready)
	{
		MemoryContextReset(function->context);
		fmgr_info_cxt(function->oid, info, function->context);
	}
	function->ready = false;
	return info;
}

/*
 * Finds a function by the name stored in a route.  Whoever serves requests
 * need not have rights on the schemas of the functions behind them: that a
 * function may be called was decided when its route was made.
 */
static Oid
function_find(const char *name)
{
	Oid			user;
	int			context;
	Datum		result;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, context | SECURITY_LOCAL_USERID_CHANGE);
	result = DirectFunctionCall1(strchr(name, '(') ? regprocedurein : regprocin, CStringGetDatum(name));
	SetUserIdAndSecContext(user, context);
	return DatumGetObjectId(result);
}

/*
 * Fills in the arguments.
 */
static void
function_arguments(ApiFunction *function, HeapTuple tuple, MemoryContext context)
{
	Oid		   *types;
	char	  **names;
	char	   *modes;
	int			all = get_func_arg_info(tuple, &types, &names, &modes);

	function->limit = function->before = function->after = function->target = -1;
	function->arguments = palloc0(Max(all, 1) * sizeof(ApiArgument));
	for (int i = 0; i < all; i++)
	{
		ApiArgument *argument = &function->arguments[function->nargs];

		if (modes && modes[i] != PROARGMODE_IN && modes[i] != PROARGMODE_INOUT)
			continue;
		argument->name = names && names[i] ? names[i] : "";
		argument->source = function_source(argument->name);
		roost_api_type_fill(&argument->type, types[i], context);
		if (strcmp(argument->name, "limit") == 0 && argument->type.base == INT4OID && function->set)
			function->limit = function->nargs;
		else if (strcmp(argument->name, "before") == 0)
			function->before = function->nargs;
		else if (strcmp(argument->name, "after") == 0)
			function->after = function->nargs;
		else if ((strcmp(argument->name, "identifier") == 0 || strcmp(argument->name, "email") == 0) &&
				 argument->type.base == TEXTOID && function->target < 0)
			function->target = function->nargs;
		function->nargs++;
	}
}

/*
 * Returns where an argument of a name comes from.
 */
static ApiSource
function_source(const char *name)
{
	static const struct
	{
		const char *name;
		ApiSource	source;
	}			sources[] = {
		{"actor_id", API_ACTOR_ID},
		{"session_id", API_SESSION_ID},
		{"device_id", API_DEVICE_ID},
		{"client_address", API_CLIENT_ADDRESS},
		{"user_agent", API_USER_AGENT},
	};

	for (int i = 0; i < lengthof(sources); i++)
	{
		if (strcmp(sources[i].name, name) == 0)
			return sources[i].source;
	}
	return API_INPUT;
}

/*
 * Fills in the defaults of the last arguments; those that are constant are
 * worked out now.
 */
static void
function_defaults(ApiFunction *function, HeapTuple tuple)
{
	bool		isnull;
	Datum		stored = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proargdefaults, &isnull);
	List	   *defaults;
	ListCell   *cell;
	int			i;

	if (isnull)
		return;
	defaults = (List *) stringToNode(TextDatumGetCString(stored));
	i = function->nargs - list_length(defaults);
	foreach(cell, defaults)
	{
		ApiArgument *argument = &function->arguments[i++];
		Node	   *expression = eval_const_expressions(NULL, lfirst(cell));

		argument->has_default = true;
		if (IsA(expression, Const))
		{
			argument->default_value = ((Const *) expression)->constvalue;
			argument->default_null = ((Const *) expression)->constisnull;
		}
		else
			argument->default_expression = (Expr *) expression;
	}
}

/*
 * Fills in the shape of the rows of a set.
 */
static void
function_result(ApiFunction *function)
{
	TupleDesc	desc = NULL;
	Oid			type;

	if (!function->set)
		return;
	switch (get_func_result_type(function->oid, &type, &desc))
	{
		case TYPEFUNC_COMPOSITE:
		case TYPEFUNC_COMPOSITE_DOMAIN:
			function->desc = CreateTupleDescCopy(desc);
			function->desc->tdtypeid = desc->tdtypeid;
			function->desc->tdtypmod = desc->tdtypmod;
			BlessTupleDesc(function->desc);
			break;
		case TYPEFUNC_SCALAR:
			function->scalar_set = true;
			function->desc = CreateTemplateTupleDesc(1);
			TupleDescInitEntry(function->desc, 1, "value", type, -1, 0);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
					 errmsg("the rows of a function behind a route have no known columns"),
					 errhint("Declare RETURNS TABLE or RETURNS SETOF a composite type.")));
	}
}

/*
 * Returns whether the description of a function says when it is null, as
 * roost_internal.openapi_result() reads it: with the words "null if".
 */
static bool
function_may_be_null(Oid oid)
{
	const char *words = "null if";
	int			length = strlen(words);
	const char *comment = GetComment(oid, ProcedureRelationId, 0);

	for (const char *at = comment; at && *at; at++)
	{
		if (pg_strncasecmp(at, words, length) == 0 &&
			(at == comment || !isalnum((unsigned char) at[-1])) && !isalnum((unsigned char) at[length]))
			return true;
	}
	return false;
}
