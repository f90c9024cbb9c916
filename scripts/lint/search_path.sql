-- A SECURITY DEFINER function that looks names up in the caller's search_path runs the caller's code as its owner.
SELECT p.oid::regprocedure || ' is SECURITY DEFINER without search_path = pg_catalog, pg_temp'
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('roost', 'roost_internal', 'roost_data') AND p.prosecdef
	AND NOT coalesce(p.proconfig && ARRAY['search_path=pg_catalog, pg_temp', 'search_path=pg_catalog, roost, pg_temp'], false)
ORDER BY 1;
