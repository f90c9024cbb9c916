-- Tokens in cookies, the CSRF check, and who is who.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA api_cookie;
CREATE FUNCTION api_cookie.who(actor_id roost.id, session_id roost.id, device_id roost.id DEFAULT NULL) RETURNS jsonb LANGUAGE sql STABLE AS
$$ SELECT jsonb_build_object('actor', actor_id IS NOT NULL, 'session', session_id IS NOT NULL) $$;
SELECT roost.route_add(m, '/api-cookie/user', 'api_cookie.who', auth => 'user', limit_class => 'none') FROM unnest('{GET,POST}'::text[]) m;
SELECT roost.route_add('GET', '/api-cookie/optional', 'api_cookie.who', auth => 'optional', limit_class => 'none');
SELECT roost.route_add('GET', '/api-cookie/none', 'api_cookie.who', auth => 'none', limit_class => 'none');
-- every call from another address, because of the rate limits
CREATE SEQUENCE api_cookie.address;
CREATE FUNCTION api_cookie.call(method text, path text, headers text, body text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_context text; BEGIN
	RETURN roost.handle(method, path, '', headers, body, '198.51.100.' || nextval('api_cookie.address'));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, (SELECT string_agg(m[1], ', ') FROM regexp_matches(v_context, '^roost-header: (WWW[^\n]*)', 'gn') m));
END $$;

SELECT api_cookie.call('POST', '/auth/register', E'content-type: application/json\nx-roost-cookies: 1\nhost: example.org',
	'{"username":"api_cookie","email":"api_cookie@example.org","password":"correct horse battery 9"}') AS answer \gset
SELECT regexp_replace(m[1], '=[^;]+;', '=…;') FROM regexp_matches(:'answer', '^Set-Cookie: ([^\n]*)', 'gn') m;
SELECT split_part(:'answer', E'\n\n', 2)::jsonb - 'account' - 'session_id' - 'id';
SELECT substring(:'answer' from 'roost_access=([^;]+)') AS access, substring(:'answer' from 'roost_refresh=([^;]+)') AS refresh, substring(:'answer' from 'roost_csrf=([^;]+)') AS csrf \gset
-- not Secure on plain http to this machine alone
SELECT h, api_cookie.call('POST', '/auth/login', E'content-type: application/json\nx-roost-cookies: 1\nhost: ' || h, '{"identifier":"api_cookie","password":"correct horse battery 9"}') ~ 'Secure'
FROM unnest(ARRAY['localhost:8080', '127.0.0.1', '[::1]:80', E'localhost\nx-forwarded-proto: https', 'localhost.example.org']) h;
-- not asked for: in the body
SELECT api_cookie.call('POST', '/auth/login', 'content-type: application/json', '{"identifier":"api_cookie","password":"correct horse battery 9"}') ~ 'Set-Cookie';

-- who is who
SELECT p, split_part(api_cookie.call('GET', '/api-cookie/' || p, h), E'\n\n', 2) FROM unnest('{user,optional,none}'::text[]) p, unnest(ARRAY['authorization: Bearer ' || :'access', 'authorization: bearer ' || :'access', 'cookie: a=b; roost_access=' || :'access' || '; c=d']) h;
SELECT p, regexp_replace(api_cookie.call('GET', '/api-cookie/' || p, h), '^200.*\n\n', '') FROM unnest('{user,optional,none}'::text[]) p,
	unnest(ARRAY['', 'authorization: Basic YTpi', 'authorization: Bearer ', 'authorization: Bearer ' || :'access' || 'x', 'cookie: roost_access=x', 'cookie: xroost_access=' || :'access']) h;
-- the answer to somebody is not for everybody
SELECT m[1] FROM regexp_matches(api_cookie.call('GET', '/api-cookie/user', 'authorization: Bearer ' || :'access'), '^((?:Cache|Vary)[^\n]*)', 'gn') m;

-- the CSRF check: for cookies, and only where something may change
SELECT left(api_cookie.call('POST', '/api-cookie/user', h), 5) FROM unnest(ARRAY[
	'authorization: Bearer ' || :'access',
	'cookie: roost_access=' || :'access' || '; roost_csrf=' || :'csrf' || E'\nx-csrf-token: ' || :'csrf',
	'cookie: roost_access=' || :'access' || '; roost_csrf=' || :'csrf',
	'cookie: roost_access=' || :'access' || '; roost_csrf=' || :'csrf' || E'\nx-csrf-token: ' || reverse(:'csrf'),
	'cookie: roost_access=' || :'access' || E'; roost_csrf=\nx-csrf-token: ',
	'cookie: roost_access=' || :'access' || E'\nx-csrf-token: x']) h;
-- refresh lives on the cookie, too
SELECT api_cookie.call('POST', '/auth/refresh', 'cookie: roost_refresh=' || :'refresh' || '; roost_csrf=' || :'csrf');
SELECT left(api_cookie.call('POST', '/auth/refresh', E'x-roost-cookies: 1\ncookie: roost_refresh=' || :'refresh' || '; roost_csrf=' || :'csrf' || E'\nx-csrf-token: ' || :'csrf'), 3);
SELECT api_cookie.call('POST', '/auth/refresh', 'x-csrf-token: x');
-- a token that is not valid any more takes the cookies away; not one in the body, nor without the proof, nor a login that fails
CREATE FUNCTION api_cookie.cleared(path text, headers text, body text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_context text; BEGIN
	RETURN roost.handle('POST', path, '', headers, body, '198.51.100.' || nextval('api_cookie.address'));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(E'\n', SQLSTATE, (SELECT string_agg(m[1], E'\n') FROM regexp_matches(v_context, '^roost-header: (Set-Cookie[^\n]*)', 'gn') m));
END $$;
SELECT c.path, api_cookie.cleared(c.path, c.headers || E'\ncookie: roost_access=a; roost_refresh=1.made-up-token-of-some-length; roost_csrf=c', c.body) FROM (VALUES
	('/auth/refresh', E'x-roost-cookies: 1\nx-csrf-token: c', NULL),
	('/auth/refresh', E'x-roost-cookies: 1\nhost: localhost\nx-csrf-token: c', NULL),
	('/auth/refresh', 'x-roost-cookies: 1', NULL),
	('/auth/refresh', E'content-type: application/json\nx-csrf-token: c', '{"refresh_token":"1.made-up-token-of-some-length"}'),
	('/auth/login', E'content-type: application/json\nx-roost-cookies: 1\nx-csrf-token: c', '{"identifier":"api_cookie","password":"not this one 9"}')) c(path, headers, body);
-- logging out takes them away
SELECT m[1] FROM regexp_matches(api_cookie.call('POST', '/auth/logout', 'cookie: roost_access=' || :'access' || '; roost_csrf=' || :'csrf' || E'\nx-csrf-token: ' || :'csrf'), '^Set-Cookie: ([^\n]*)', 'gn') m;
SELECT api_cookie.call('GET', '/api-cookie/user', 'authorization: Bearer ' || :'access');

SELECT bool_and(roost.route_remove(method, path)) FROM roost_internal.route WHERE path LIKE '/api-cookie/%';
DROP SCHEMA api_cookie CASCADE;
