-- Functions with actor_id trust their caller to say who acts: no stranger may call them.
SELECT p.oid::regprocedure || ' takes actor_id and PUBLIC may execute it'
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'roost' AND 'actor_id' = ANY (p.proargnames)
	AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')
ORDER BY 1;
