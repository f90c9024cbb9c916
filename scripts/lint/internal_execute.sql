-- Helpers are no interface: a stranger may call none that runs with its owner's rights or changes anything.
SELECT p.oid::regprocedure || ' is a helper that PUBLIC may execute'
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'roost_internal' AND (p.prosecdef OR p.provolatile = 'v') AND p.prorettype <> 'trigger'::regtype
	AND has_schema_privilege('public', n.oid, 'USAGE')
	AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')
ORDER BY 1;
