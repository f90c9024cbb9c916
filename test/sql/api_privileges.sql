-- Who may do what: every function of roost that others than its owner may call,
-- every relation they may read, and that no function runs with its owner's
-- rights on the caller's search path.
\pset format unaligned
\pset footer off
BEGIN;
CREATE ROLE regress_stranger;
CREATE ROLE regress_gateway;
CREATE ROLE regress_worker;
CREATE ROLE regress_analyst;
CREATE ROLE regress_admin;
CREATE ROLE regress_monitor IN ROLE pg_monitor;
SELECT roost.grant_gateway('regress_gateway'), roost.grant_worker('regress_worker'), roost.grant_analyst('regress_analyst'), roost.grant_admin('regress_admin');

CREATE TEMP VIEW role AS
SELECT * FROM (VALUES (1, 'regress_stranger', 'everyone'), (2, 'regress_gateway', 'gateway'), (3, 'regress_worker', 'worker'),
	(4, 'regress_analyst', 'analyst'), (5, 'regress_monitor', 'monitor'), (6, 'regress_admin', 'admin')) r (n, role, label);

-- Functions of schema roost; "-": the owner only.
SELECT p.oid::regprocedure AS function,
	CASE WHEN p.prosecdef THEN 'definer' ELSE 'invoker' END AS security,
	coalesce((SELECT string_agg(r.label, ' ' ORDER BY r.n) FROM role r
		WHERE has_function_privilege(r.role, p.oid, 'EXECUTE')
			AND (r.n = 1 OR NOT has_function_privilege('regress_stranger', p.oid, 'EXECUTE'))), '-') AS callers
FROM pg_proc p WHERE p.pronamespace = 'roost'::regnamespace
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- Schemas and what is in them.
SELECT r.label, n.nspname AS schema, has_schema_privilege(r.role, n.oid, 'USAGE') AS usage, has_schema_privilege(r.role, n.oid, 'CREATE') AS create
FROM role r, pg_namespace n WHERE n.nspname LIKE 'roost%'
	AND (has_schema_privilege(r.role, n.oid, 'USAGE') OR has_schema_privilege(r.role, n.oid, 'CREATE'))
ORDER BY r.n, n.nspname COLLATE "C";
SELECT c.oid::regclass AS relation, string_agg(DISTINCT r.label || ' ' || a.privilege, ', ') AS grants
FROM role r, pg_class c, (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) a (privilege)
WHERE c.relnamespace::regnamespace::text LIKE 'roost%' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_table_privilege(r.role, c.oid, a.privilege)
GROUP BY c.oid ORDER BY c.oid::regclass::text COLLATE "C";
SELECT c.oid::regclass AS sequence
FROM pg_class c WHERE c.relnamespace::regnamespace::text LIKE 'roost%' AND c.relkind = 'S'
	AND EXISTS (SELECT FROM role r WHERE has_sequence_privilege(r.role, c.oid, 'USAGE, SELECT, UPDATE'));

-- Functions with their owner's rights have a search path of their own, that puts temporary objects last.
SELECT p.oid::regprocedure AS function, p.proconfig FROM pg_proc p
WHERE p.pronamespace IN ('roost'::regnamespace, 'roost_internal'::regnamespace) AND p.prosecdef
	AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);

-- Functions that are told who acts are called by no stranger.
SELECT p.oid::regprocedure AS function FROM pg_proc p
WHERE p.pronamespace IN ('roost'::regnamespace, 'roost_internal'::regnamespace)
	AND p.proargnames[1:p.pronargs] && '{actor_id,viewer_id,session_id}'
	AND EXISTS (SELECT FROM role r WHERE r.label <> 'admin' AND has_function_privilege(r.role, p.oid, 'EXECUTE'));

-- Internal functions that are not even revoked, behind a schema without USAGE: none reads or writes a table.
SELECT p.oid::regprocedure AS function FROM pg_proc p
WHERE p.pronamespace = 'roost_internal'::regnamespace AND has_function_privilege('regress_stranger', p.oid, 'EXECUTE')
	AND p.proname !~ '^tables_'
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- Settings that hold people back are not the caller's to change.
SELECT s.name, s.context FROM pg_settings s WHERE s.name LIKE 'roost.%' AND s.context NOT IN ('postmaster', 'sighup', 'superuser');
ROLLBACK;

-- What a stranger and the gateway try by hand.
CREATE ROLE regress_gateway;
SELECT roost.grant_gateway('regress_gateway'), roost.limit_exempt(network => '192.0.2.77/32', reason => 'test');
\set VERBOSITY sqlstate
SET ROLE regress_gateway;
SELECT count(*) FROM roost_data.account;
SELECT * FROM roost_data.signing_key;
SELECT roost.account_me(1);
SELECT roost_internal.token_make(1, 1, 1);
SELECT roost.job_take('mail');
SELECT * FROM roost.stat_lockout;
SET roost.limit_enabled = off;
SET roost.password_memory = 8;
SELECT roost.handle('GET', '/users/me', '', E'actor_id: 1\nx-actor-id: 1\nx-roost-account: 1', NULL, '127.0.0.1');
SELECT roost.handle('GET', '/users/me', 'actor_id=1', E'authorization: Bearer 1', NULL, '127.0.0.1');
SELECT roost.handle('POST', '/tweets', '', 'content-type: application/json', '{"actor_id": "1", "text": "mine"}', '127.0.0.1');
-- The search path is the caller's: operators and functions found first there must not be taken.
RESET ROLE;
CREATE SCHEMA regress_trap AUTHORIZATION regress_gateway;
SET ROLE regress_gateway;
\set VERBOSITY default
DO $$
DECLARE
	v_type text;
BEGIN
	FOREACH v_type IN ARRAY '{bigint,text,bytea,integer,boolean,timestamptz,inet}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION regress_trap.sprung(a %1$s, b %1$s) RETURNS boolean LANGUAGE plpgsql AS
			$f$ BEGIN RAISE EXCEPTION ''sprung as %%'', current_user; END $f$', v_type);
		EXECUTE format('CREATE OPERATOR regress_trap.= (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = regress_trap.sprung)', v_type);
		EXECUTE format('CREATE OPERATOR regress_trap.< (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = regress_trap.sprung)', v_type);
		EXECUTE format('CREATE OPERATOR regress_trap.> (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = regress_trap.sprung)', v_type);
		EXECUTE format('CREATE OPERATOR regress_trap.>= (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = regress_trap.sprung)', v_type);
	END LOOP;
	CREATE FUNCTION regress_trap.now() RETURNS timestamptz LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'sprung as %', current_user; END $f$;
	CREATE FUNCTION regress_trap.lower(text) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'sprung as %', current_user; END $f$;
END
$$;
SELECT gen_random_uuid() AS key \gset
CREATE TEMP TABLE account (id bigint);
CREATE TEMP TABLE post (id bigint);
SET search_path = regress_trap, pg_temp, pg_catalog;
\pset tuples_only on
SELECT pg_catalog.split_part(roost.handle('POST', '/auth/register', '', E'content-type: application/json\nidempotency-key: ' OPERATOR(pg_catalog.||) :'key',
	'{"username": "regress_trapper", "email": "trapper@example.org", "password": "never to be guessed"}', '192.0.2.77'), E'\n', 1);
SELECT pg_catalog.split_part(roost.handle('POST', '/auth/register', '', E'content-type: application/json\nidempotency-key: ' OPERATOR(pg_catalog.||) :'key',
	'{"username": "regress_trapper", "email": "trapper@example.org", "password": "never to be guessed"}', '192.0.2.77'), E'\n', 1);
SELECT (roost.handle('POST', '/auth/login', '', 'content-type: application/json',
	'{"identifier": "regress_trapper", "password": "never to be guessed"}', '192.0.2.77')) AS login \gset
SELECT 'authorization: Bearer ' OPERATOR(pg_catalog.||) (pg_catalog.regexp_match(:'login', '"access_token":"([^"]+)"'))[1] AS token \gset
SELECT pg_catalog.split_part(roost.handle('POST', '/tweets', '', :'token' OPERATOR(pg_catalog.||) E'\ncontent-type: application/json',
	'{"text": "a #trap for @regress_trapper"}', '192.0.2.77'), E'\n', 1);
SELECT pg_catalog.split_part(roost.handle(m, p, '', :'token', NULL, '192.0.2.77'), E'\n', 1), m, p
FROM (VALUES (1, 'GET', '/tweets/home'), (2, 'GET', '/tweets/public'), (3, 'GET', '/users/me'), (4, 'GET', '/users/@regress_trapper'),
	(5, 'GET', '/users/@regress_trapper/tweets'), (6, 'GET', '/hashtags/trap/tweets'), (7, 'GET', '/bookmarks'), (8, 'GET', '/health'),
	(9, 'GET', '/openapi.json'), (10, 'GET', '/auth/sessions'), (11, 'POST', '/auth/logout')) r (n, m, p) ORDER BY n;
SELECT roost.health() IS NULL, roost.gateway_config() IS NULL;
RESET search_path;
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA regress_trap CASCADE;
DROP TABLE account, post;
SELECT roost_internal.account_erase(a.id) FROM roost_data.account a WHERE a.username = 'regress_trapper';
DELETE FROM roost_data.reserved_handle WHERE username = 'regress_trapper';
DELETE FROM roost_data.idempotency_key WHERE owner = 'address:192.0.2.77';
SELECT roost.limit_unexempt(network => '192.0.2.77/32');
DROP OWNED BY regress_gateway;
DROP ROLE regress_gateway;
