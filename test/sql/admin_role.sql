-- Each kind of role can do its work and nothing else.
\set VERBOSITY terse
CREATE ROLE role_gateway;
CREATE ROLE role_worker;
CREATE ROLE role_analyst;
CREATE ROLE role_admin;
SELECT roost.grant_gateway('role_gateway');
SELECT roost.grant_worker('role_worker');
SELECT roost.grant_analyst('role_analyst');
SELECT roost.grant_admin('role_admin');

-- what each may execute beyond what everybody may
CREATE VIEW role_execute AS
SELECT r.rolname, p.oid::regprocedure::text AS function
FROM pg_roles r, pg_proc p
WHERE r.rolname LIKE 'role\_%' AND p.pronamespace IN ('roost'::regnamespace, 'roost_internal'::regnamespace)
	AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
	AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0);
SELECT * FROM role_execute WHERE rolname <> 'role_admin' ORDER BY rolname COLLATE "C", function COLLATE "C";
-- an admin: everything of schema roost but what belongs to the owner, and what its views call
SELECT count(*) > 50 AS many FROM role_execute WHERE rolname = 'role_admin';
SELECT function FROM role_execute WHERE rolname = 'role_admin' AND function LIKE 'roost\_internal.%' ORDER BY function COLLATE "C";
SELECT p.oid::regprocedure::text COLLATE "C" AS function FROM pg_proc p
WHERE p.pronamespace = 'roost'::regnamespace AND NOT has_function_privilege('role_admin', p.oid, 'EXECUTE') ORDER BY 1;

-- what each may read
SELECT r.rolname, c.relnamespace::regnamespace AS schema, count(*) > 0 AS reads
FROM pg_roles r, pg_class c
WHERE r.rolname LIKE 'role\_%' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
	AND c.relnamespace IN ('roost'::regnamespace, 'roost_internal'::regnamespace, 'roost_data'::regnamespace, 'roost_bi'::regnamespace)
	AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
GROUP BY 1, 2 ORDER BY rolname COLLATE "C", 2;

SET ROLE role_gateway;
SELECT split_part(roost.handle('GET', '/health', '', '', NULL, '192.0.2.77'), E'\n', 1) AS status;
SELECT count(*) FROM roost_data.account;
SELECT roost.account_delete(1, 'x');
SELECT roost.grant_gateway('role_worker');
RESET ROLE;
SET ROLE role_analyst;
SELECT count(*) >= 0 AS reads FROM roost_bi.account;
SELECT roost.handle('GET', '/health', '', '', NULL, '192.0.2.77');
SELECT count(*) FROM roost_data.account_email;
RESET ROLE;
SET ROLE role_admin;
SELECT count(*) >= 0 AS reads FROM roost.stat_worker;
SELECT roost.uninstall('roost');
RESET ROLE;

DROP VIEW role_execute;
DROP OWNED BY role_gateway, role_worker, role_analyst, role_admin;
DROP ROLE role_gateway, role_worker, role_analyst, role_admin;
