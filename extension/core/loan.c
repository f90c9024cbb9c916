/*-------------------------------------------------------------------------
 *
 * loan.c
 *		Prepared expressions of tables, lent to statements.
 *
 * For every statement that writes a table PostgreSQL parses and prepares the
 * CHECK constraints, the conditions of triggers and the predicates of partial
 * indexes anew.  For a statement that writes one row that is a good part of the
 * work, so a backend keeps them for the tables of schema roost_data, and lends
 * them to each INSERT and UPDATE when that starts.  What is not lent PostgreSQL
 * prepares itself.
 *
 * Kept: a LoanTable for each table that this backend has written, in a memory
 * context of its own.  There are as many as roost_data has tables.  Any change
 * of a table or its triggers makes its LoanTable stale: nobody else gets it, and
 * it goes when the last statement that has it has ended.
 *
 * Lent are expressions of columns, constants, operators and functions that come
 * with PostgreSQL, are written in C and immutable: they keep nothing of a statement, depend
 * on nothing that can change, and while one is evaluated nothing else is, so
 * statements that are nested can have the same.  It is looked for others both in
 * what was written and in what planning makes of it: planning replaces a function
 * by its result or its body, and nobody tells when that is another one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "core/invalidation.h"
#include "roost.h"

#define LOAN_TABLES	64			/* that a backend starts with room for */

typedef struct LoanIndex
{
	Oid			oid;
	ExprState  *predicate;
} LoanIndex;

typedef struct LoanTable
{
	MemoryContext context;
	int			users;			/* statements that have it, and who makes it */
	bool		stale;
	int			num_checks;
	ExprState **checks;			/* NULL: not lent */
	int			num_triggers;
	ExprState **conditions;		/* NULL among them: none, or not lent */
	int			num_indexes;	/* -1: not looked at yet */
	LoanIndex  *indexes;		/* those with a predicate */
} LoanTable;

typedef struct LoanEntry
{
	Oid			relid;
	LoanTable  *table;
} LoanEntry;

static HTAB *loan_tables = NULL;
static ExecutorStart_hook_type loan_previous_start = NULL;

static void loan_start(QueryDesc *query, int flags);
static void loan_lend(EState *estate, ModifyTableState *state);
static void loan_lend_indexes(LoanTable *table, ModifyTableState *state);
static LoanTable *loan_find(ResultRelInfo *result);
static LoanTable *loan_make(ResultRelInfo *result);
static void loan_checks(LoanTable *table, TupleConstr *constraints);
static void loan_conditions(LoanTable *table, TriggerDesc *triggers);
static void loan_indexes(LoanTable *table, ResultRelInfo *result);
static Node *loan_index_predicate(Relation index);
static ExprState *loan_prepare(Node *expression);
static bool loan_calls_other(Node *node, void *context);
static bool loan_function_other(Oid function, void *context);
static bool loan_refuses(Node *node, void *context);
static bool loan_function_refused(Oid function, void *context);
static void loan_return(void *table);
static void loan_let_go(LoanTable *table);
static void loan_relation_changed(Oid relid);

/*
 * ExecutorStart hook.
 */
static void
loan_start(QueryDesc *query, int flags)
{
	if (loan_previous_start)
		loan_previous_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
	if ((query->operation == CMD_INSERT || query->operation == CMD_UPDATE) &&
		(flags & EXEC_FLAG_EXPLAIN_ONLY) == 0 && IsA(query->planstate, ModifyTableState))
		loan_lend(query->estate, (ModifyTableState *) query->planstate);
}

/*
 * Lends a statement what is prepared for its table.
 */
static void
loan_lend(EState *estate, ModifyTableState *state)
{
	ResultRelInfo *result = state->resultRelInfo;
	Relation	relation = result->ri_RelationDesc;
	LoanTable  *table;
	MemoryContextCallback *callback;

	if (state->mt_nrels != 1 || relation->rd_rel->relkind != RELKIND_RELATION || result->ri_FdwRoutine != NULL ||
		RelationGetNamespace(relation) != get_namespace_oid("roost_data", true))
		return;
	table = loan_find(result);
	callback = MemoryContextAlloc(estate->es_query_cxt, sizeof(MemoryContextCallback));
	callback->func = loan_return;
	callback->arg = table;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, callback);
	table->users++;

	if (table->checks != NULL && relation->rd_att->constr->num_check == table->num_checks)
		result->ri_ConstraintExprs = table->checks;
	if (result->ri_TrigDesc != NULL && result->ri_TrigDesc->numtriggers == table->num_triggers)
		memcpy(result->ri_TrigWhenExprs, table->conditions, table->num_triggers * sizeof(ExprState *));
	/* an UPDATE may find no row, and then opens no index */
	if (state->operation == CMD_INSERT && table->num_indexes != 0 && result->ri_IndexRelationDescs == NULL)
		loan_lend_indexes(table, state);
}

/*
 * Opens the indexes, as the first row would, and lends their predicates.
 */
static void
loan_lend_indexes(LoanTable *table, ModifyTableState *state)
{
	ResultRelInfo *result = state->resultRelInfo;
	MemoryContext caller = MemoryContextSwitchTo(state->ps.state->es_query_cxt);

	ExecOpenIndices(result, ((ModifyTable *) state->ps.plan)->onConflictAction != ONCONFLICT_NONE);
	MemoryContextSwitchTo(caller);
	if (table->num_indexes < 0)
		loan_indexes(table, result);
	for (int i = 0; i < result->ri_NumIndices; i++)
	{
		for (int k = 0; k < table->num_indexes; k++)
		{
			if (table->indexes[k].oid == RelationGetRelid(result->ri_IndexRelationDescs[i]))
				result->ri_IndexRelationInfo[i]->ii_PredicateState = table->indexes[k].predicate;
		}
	}
}

/*
 * Returns what is prepared for a table.
 */
static LoanTable *
loan_find(ResultRelInfo *result)
{
	Oid			relid = RelationGetRelid(result->ri_RelationDesc);
	LoanEntry  *entry;
	LoanTable  *table;

	if (loan_tables == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(LoanEntry)};

		loan_tables = hash_create("roost loans", LOAN_TABLES, &control, HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(loan_tables, &relid, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->table;

	table = loan_make(result);
	entry = hash_search(loan_tables, &relid, HASH_ENTER, NULL);
	entry->table = table;
	return table;
}

/*
 * Prepares the expressions of a table.  The statement has locked it, so they do
 * not change meanwhile.
 */
static LoanTable *
loan_make(ResultRelInfo *result)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "roost loan", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	LoanTable  *table = palloc0(sizeof(LoanTable));

	table->context = context;
	table->num_indexes = -1;
	loan_checks(table, result->ri_RelationDesc->rd_att->constr);
	loan_conditions(table, result->ri_TrigDesc);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, CacheMemoryContext);
	return table;
}

static void
loan_checks(LoanTable *table, TupleConstr *constraints)
{
	ExprState **checks;

	if (constraints == NULL || constraints->num_check == 0)
		return;
	checks = palloc(constraints->num_check * sizeof(ExprState *));
	for (int i = 0; i < constraints->num_check; i++)
	{
		checks[i] = loan_prepare(stringToNode(constraints->check[i].ccbin));
		if (checks[i] == NULL)
			return;
	}
	table->num_checks = constraints->num_check;
	table->checks = checks;
}

/*
 * Prepares the conditions of triggers as TriggerEnabled() does.
 */
static void
loan_conditions(LoanTable *table, TriggerDesc *triggers)
{
	if (triggers == NULL)
		return;
	table->num_triggers = triggers->numtriggers;
	table->conditions = palloc0(table->num_triggers * sizeof(ExprState *));
	for (int i = 0; i < table->num_triggers; i++)
	{
		Node	   *condition;

		if (triggers->triggers[i].tgqual == NULL)
			continue;
		condition = stringToNode(triggers->triggers[i].tgqual);
		ChangeVarNodes(condition, PRS2_OLD_VARNO, INNER_VAR, 0);
		ChangeVarNodes(condition, PRS2_NEW_VARNO, OUTER_VAR, 0);
		table->conditions[i] = loan_prepare((Node *) make_ands_implicit((Expr *) condition));
	}
}

/*
 * Prepares the predicates of the indexes, which are open.
 */
static void
loan_indexes(LoanTable *table, ResultRelInfo *result)
{
	MemoryContext caller = MemoryContextSwitchTo(table->context);
	int			count = 0;

	table->indexes = palloc(Max(result->ri_NumIndices, 1) * sizeof(LoanIndex));
	for (int i = 0; i < result->ri_NumIndices; i++)
	{
		ExprState  *predicate = loan_prepare(loan_index_predicate(result->ri_IndexRelationDescs[i]));

		if (predicate != NULL)
			table->indexes[count++] = (LoanIndex)
		{
			RelationGetRelid(result->ri_IndexRelationDescs[i]), predicate
		};
	}
	table->num_indexes = count;
	MemoryContextSwitchTo(caller);
}

/*
 * Returns the predicate of an index as it was written, as a list, or NULL.  The
 * index's own copy has been planned.
 */
static Node *
loan_index_predicate(Relation index)
{
	bool		isnull;
	Datum		predicate = SysCacheGetAttr(INDEXRELID, index->rd_indextuple, Anum_pg_index_indpred, &isnull);

	if (isnull)
		return NULL;
	return (Node *) make_ands_implicit((Expr *) stringToNode(TextDatumGetCString(predicate)));
}

/*
 * Prepares an expression, or a list of which all must be true; NULL if it
 * cannot be lent.
 */
static ExprState *
loan_prepare(Node *expression)
{
	if (expression == NULL || loan_calls_other(expression, NULL))
		return NULL;
	expression = (Node *) expression_planner((Expr *) expression);
	if (expression == NULL || loan_refuses(expression, NULL))
		return NULL;
	return IsA(expression, List) ? ExecInitQual((List *) expression, NULL) : ExecInitExpr((Expr *) expression, NULL);
}

/*
 * Returns whether an expression depends on what does not come with PostgreSQL:
 * on a function, or on the constraints of a domain.
 */
static bool
loan_calls_other(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return IsA(node, CoerceToDomain) || check_functions_in_node(node, loan_function_other, context) ||
		expression_tree_walker(node, loan_calls_other, context);
}

static bool
loan_function_other(Oid function, void *context)
{
	return function >= FirstUnpinnedObjectId;
}

/*
 * Returns whether there is something in an expression that cannot be lent.
 */
static bool
loan_refuses(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			/* not a whole row */
			if (((Var *) node)->varattno <= 0)
				return true;
			break;
		case T_NullTest:
			if (((NullTest *) node)->argisrow)
				return true;
			break;
		case T_ScalarArrayOpExpr:
			/* a hash table lives as long as a statement */
			if (OidIsValid(((ScalarArrayOpExpr *) node)->hashfuncid))
				return true;
			break;
		case T_Const:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_BoolExpr:
		case T_BooleanTest:
		case T_FuncExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_CoalesceExpr:
		case T_List:
			break;
		default:
			return true;
	}
	return check_functions_in_node(node, loan_function_refused, context) ||
		expression_tree_walker(node, loan_refuses, context);
}

static bool
loan_function_refused(Oid function, void *context)
{
	HeapTuple	tuple;
	bool		refused;

	if (loan_function_other(function, context))
		return true;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	/* one in SQL keeps a plan for a transaction */
	refused = ((Form_pg_proc) GETSTRUCT(tuple))->prolang != INTERNALlanguageId ||
		((Form_pg_proc) GETSTRUCT(tuple))->provolatile != PROVOLATILE_IMMUTABLE;
	ReleaseSysCache(tuple);
	return refused;
}

/*
 * A statement has ended.
 */
static void
loan_return(void *table)
{
	((LoanTable *) table)->users--;
	loan_let_go(table);
}

static void
loan_let_go(LoanTable *table)
{
	if (table->stale && table->users == 0)
		MemoryContextDelete(table->context);
}

/*
 * Called when a table may have changed.
 */
static void
loan_relation_changed(Oid relid)
{
	HASH_SEQ_STATUS scan;
	LoanEntry  *entry;

	if (loan_tables == NULL)
		return;
	if (OidIsValid(relid))
	{
		entry = hash_search(loan_tables, &relid, HASH_REMOVE, NULL);
		if (entry != NULL)
		{
			entry->table->stale = true;
			loan_let_go(entry->table);
		}
		return;
	}
	hash_seq_init(&scan, loan_tables);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		(void) hash_search(loan_tables, &entry->relid, HASH_REMOVE, NULL);
		entry->table->stale = true;
		loan_let_go(entry->table);
	}
}

static void
loan_init(void)
{
	roost_invalidation_register(loan_relation_changed);
	loan_previous_start = ExecutorStart_hook;
	ExecutorStart_hook = loan_start;
}

const RoostModule roost_loan_module = {
	.name = "roost loans",
	.init = loan_init,
};
