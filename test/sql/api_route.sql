-- Routes: what may be registered, users' own, which one answers.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA api_route;
CREATE FUNCTION api_route.echo(a text DEFAULT NULL, b text DEFAULT NULL, actor_id roost.id DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE AS 'SELECT concat_ws(''-'', ''echo'', a, b)';
CREATE FUNCTION api_route.many(a int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION api_route.many(a text) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 2';
CREATE FUNCTION api_route.nameless(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION api_route.odd("A b" int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION api_route.rest(VARIADIC a int[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE api_route.total(int) (SFUNC = int4pl, STYPE = int);
CREATE FUNCTION api_route.body(method text, path text) RETURNS text LANGUAGE sql AS
$$ SELECT split_part(roost.handle(method, path, '', '', NULL, NULL), E'\n\n', 2) $$;

-- refused
SELECT roost.route_add('GET', '/x', 'api_route.none');
SELECT roost.route_add('GET', '/x', 'echo');
SELECT roost.route_add('GET', '/x', 'api_route.many');
SELECT roost.route_add('GET', '/x', 'api_route.many(bigint)');
SELECT roost.route_add('GET', '/x', 'api_route.nameless');
SELECT roost.route_add('GET', '/x', 'api_route.odd');
SELECT roost.route_add('GET', '/x', 'api_route.rest');
SELECT roost.route_add('GET', '/x', 'api_route.total');
SELECT roost.route_add('GET', '/x/:c', 'api_route.echo');
SELECT roost.route_add('GET', '/x/:actor_id', 'api_route.echo');
SELECT roost.route_add('GET', 'x', 'api_route.echo');
SELECT roost.route_add('GET', '/x/', 'api_route.echo');
SELECT roost.route_add('GET', '/x/../y', 'api_route.echo');
SELECT roost.route_add('GET', '/x//y', 'api_route.echo');
SELECT roost.route_add('GET', '/x?y', 'api_route.echo');
SELECT roost.route_add('FETCH', '/x', 'api_route.echo');
SELECT roost.route_add('GET', '/x', 'api_route.echo', auth => 'maybe');
SELECT roost.route_add('GET', '/x', 'api_route.echo', status => 404);
SELECT roost.route_add('GET', '/x', 'api_route.echo', lane => 'sideways');

-- accepted; the lane follows volatility, the name stays as short as it is unique
SELECT roost.route_add('get', '/api-route/:a', 'api_route.echo', auth => 'none', limit_class => 'none');
SELECT roost.route_add('POST', '/api-route/many', 'api_route.many(text)', auth => 'none', limit_class => 'none', tags => '{test}');
SELECT roost.route_add('PUT', '/api-route/echo', 'api_route.echo(text, text, roost.id)', limit_class => 'none');
SELECT method, path, shape, function, auth, limit_class, status, lane, cookies, sensitive, builtin, tags
FROM roost_internal.route WHERE path LIKE '/api-route/%' ORDER BY path, method;

-- the same path under another name is the same route
SELECT roost.route_add('GET', '/api-route/:b', 'api_route.echo', auth => 'none', limit_class => 'none');
SELECT count(*), min(path) FROM roost_internal.route WHERE method = 'GET' AND shape = '/api-route/:';

-- a literal wins over a parameter, but only with the method and the rest of the path
SELECT roost.route_add('GET', '/api-route/:a/tail/:b', 'api_route.echo', auth => 'none', limit_class => 'none');
SELECT roost.route_add('GET', '/api-route/fixed/tail', 'api_route.echo', auth => 'none', limit_class => 'none');
SELECT roost.route_add('DELETE', '/api-route/only-delete', 'api_route.echo', auth => 'none', limit_class => 'none');
SELECT api_route.body('GET', '/api-route/one');
SELECT api_route.body('GET', '/api-route/fixed/tail');
SELECT api_route.body('GET', '/api-route/fixed/tail/x');
SELECT api_route.body('GET', '/api-route/only-delete');
SELECT api_route.body('GET', '/api/v1/api-route/%C3%A9%2F%20+');
SELECT roost.handle('OPTIONS', '/api-route/only-delete', '', '', NULL, NULL);

-- no route, no such method
SELECT roost.handle('GET', '/api-route', '', '', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.handle('GET', '/api-route/a/b', '', '', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.handle('GET', '/api-route/', '', '', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.handle('GET', '', '', '', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.handle('GET', repeat('/a', 40), '', '', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT roost.handle('PATCH', '/api-route/only-delete', '', '', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.handle('get', '/api-route/x', '', '', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.handle(NULL, NULL, NULL, NULL, NULL, NULL);
\set VERBOSITY terse

-- malformed paths
SELECT roost.handle('GET', '/api-route/' || p, '', '', NULL, NULL) FROM (VALUES ('%00')) t(p);
SELECT roost.handle('GET', '/api-route/%1', '', '', NULL, NULL);
SELECT roost.handle('GET', '/api-route/%zz', '', '', NULL, NULL);
SELECT roost.handle('GET', '/api-route/%ff', '', '', NULL, NULL);
SELECT roost.handle('GET', '/api-route/%c0%ae', '', '', NULL, NULL);
SELECT roost.handle('GET', '/api-route/%ed%a0%80', '', '', NULL, NULL);
SELECT roost.handle('GET', '/api-route/%0a', '', '', NULL, NULL);
SELECT roost.handle('GET', '/api-route/..', '', '', NULL, NULL);
SELECT roost.handle('GET', '/api-route/%2e%2E/x', '', '', NULL, NULL);
SELECT roost.handle('GET', '/./api-route', '', '', NULL, NULL);
SELECT roost.handle('GET', 'api-route', '', '', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE

-- answers that gateways may keep: only to GET, 200, for everybody, without secrets
SELECT roost.route_add('GET', '/api-route/kept', 'api_route.echo', auth => 'none', cache => 'list');
SELECT r->>'cache' FROM jsonb_array_elements(roost.gateway_config()->'routes') r WHERE r->>'path' LIKE '/api-route/kept';
SELECT roost.route_add('GET', '/api-route/kept', 'api_route.echo', auth => 'none', cache => 'ever');
SELECT roost.route_add('PUT', '/api-route/kept', 'api_route.echo', auth => 'none', cache => 'ids');
SELECT roost.route_add('GET', '/api-route/kept', 'api_route.echo', auth => 'user', cache => 'ids');
SELECT roost.route_add('GET', '/api-route/kept', 'api_route.echo', auth => 'none', cache => 'ids', status => 202);
SELECT roost.route_add('GET', '/api-route/kept', 'api_route.echo', auth => 'none', cache => 'ids', cookies => true);
SELECT roost.route_add('GET', '/api-route/kept', 'api_route.echo', auth => 'none', cache => 'ids', sensitive => true);
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION api_route.whence(client_address text DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$ SELECT client_address $$;
SELECT roost.route_add('GET', '/api-route/kept', 'api_route.whence', auth => 'none', cache => 'ids');
SELECT roost.gateway_config()->>'version' AS before \gset
CREATE OR REPLACE FUNCTION api_route.whence(client_address text DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'changed' $$;
SELECT roost.gateway_config()->>'version' = :'before' AS same;
CREATE FUNCTION api_route.kept() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'kept' $$;
SELECT roost.route_add('GET', '/api-route/kept', 'api_route.kept', auth => 'none', cache => 'ids');
SELECT roost.gateway_config()->>'version' AS before \gset
CREATE OR REPLACE FUNCTION api_route.kept() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'changed' $$;
SELECT roost.gateway_config()->>'version' = :'before' AS same;
SELECT roost.route_add('GET', '/api-route/kept', 'api_route.echo', auth => 'none');
SELECT r->>'cache' FROM jsonb_array_elements(roost.gateway_config()->'routes') r WHERE r->>'path' LIKE '/api-route/kept';
SELECT roost.route_remove('GET', '/api-route/kept');

-- a user's route wins over a built-in one, and gives way again
CREATE FUNCTION api_route.mine() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'mine' $$;
SELECT roost.route_add('GET', '/errors', 'api_route.mine', auth => 'none', limit_class => 'none');
SELECT api_route.body('GET', '/errors');
SELECT roost.route_remove('GET', '/errors'), roost.route_remove('GET', '/errors');
SELECT left(api_route.body('GET', '/errors'), 10);

-- changes take effect at once: route, function, argument
SELECT roost.route_add('GET', '/api-route/change', 'api_route.mine', auth => 'none', limit_class => 'none', status => 202);
SELECT split_part(roost.handle('GET', '/api-route/change', '', '', NULL, NULL), E'\n', 1);
CREATE OR REPLACE FUNCTION api_route.mine() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'changed' $$;
SELECT api_route.body('GET', '/api-route/change');
DROP FUNCTION api_route.mine();
CREATE FUNCTION api_route.mine(n int DEFAULT 5) RETURNS int LANGUAGE sql STABLE AS $$ SELECT n $$;
SELECT api_route.body('GET', '/api-route/change');
-- a function that is gone breaks its own route alone
DROP FUNCTION api_route.mine(int);
SELECT api_route.body('GET', '/api-route/change');
\echo :LAST_ERROR_SQLSTATE
SELECT api_route.body('GET', '/api-route/one');

-- who may: the right to execute route_add and the function
CREATE ROLE roost_test_router;
GRANT USAGE ON SCHEMA api_route TO roost_test_router;
SET SESSION AUTHORIZATION roost_test_router;
SELECT roost.route_add('GET', '/api-route/r', 'api_route.echo');
SELECT roost.handle('GET', '/', '', '', NULL, NULL);
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION roost.route_add TO roost_test_router;
REVOKE EXECUTE ON FUNCTION api_route.echo FROM PUBLIC;
SET SESSION AUTHORIZATION roost_test_router;
SELECT roost.route_add('GET', '/api-route/r', 'api_route.echo');
SELECT roost.route_add('GET', '/api-route/r', 'api_route.many(int)');
RESET SESSION AUTHORIZATION;

-- a function without SECURITY DEFINER runs with the rights of who serves
CREATE FUNCTION api_route.who() RETURNS name LANGUAGE sql STABLE AS 'SELECT current_user';
SELECT roost.route_add('GET', '/api-route/who', 'api_route.who', auth => 'none', limit_class => 'none');
REVOKE ALL ON SCHEMA api_route FROM roost_test_router;
SELECT roost.grant_gateway('roost_test_router');
SET SESSION AUTHORIZATION roost_test_router;
SELECT split_part(roost.handle('GET', '/api-route/who', '', '', NULL, NULL), E'\n\n', 2);
SELECT api_route.who();
RESET SESSION AUTHORIZATION;

-- what the gateway is told
SELECT r FROM jsonb_array_elements(roost.gateway_config()->'routes') r WHERE r->>'path' LIKE '/api-route/%' ORDER BY r->>'path', r->>'method';
SELECT roost.gateway_config()->>'version' AS before \gset
SELECT roost.gateway_config()->>'version' = :'before' AS same;
SELECT roost.route_remove('GET', '/api-route/who');
SELECT roost.gateway_config()->>'version' = :'before' AS same;

SELECT bool_and(roost.route_remove(method, path)) FROM roost_internal.route WHERE path LIKE '/api-route/%';
DROP OWNED BY roost_test_router;
DROP ROLE roost_test_router;
DROP SCHEMA api_route CASCADE;
