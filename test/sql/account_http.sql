-- Accounts over HTTP: what comes in, what goes out, and what is refused.

\set VERBOSITY terse
UPDATE roost_data.limit_policy SET enabled = false;
-- The status line, and the body without what differs from run to run.
CREATE FUNCTION pg_temp.answer(method text, path text, body text DEFAULT NULL, token text DEFAULT NULL, headers text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_answer text;
	v_column text;
BEGIN
	v_answer := roost.handle(method, path, '', concat_ws(E'\n', 'host: localhost', 'content-type: application/json', 'authorization: Bearer ' || token, headers), body, '192.0.2.33');
	v_answer := rtrim(left(v_answer, 3) || ' ' || substr(v_answer, position(E'\n\n' IN v_answer) + 2), E' \n');
	v_answer := regexp_replace(v_answer, '"age":\d+', '"age":N');
	RETURN regexp_replace(regexp_replace(v_answer, '"\d{15,}"', '"ID"', 'g'), '"\d{4}-\d\d-\d\dT[0-9:.]+Z"', '"TIME"', 'g');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_column = COLUMN_NAME;
	RETURN concat_ws(' ', SQLSTATE, nullif(v_column, ''), SQLERRM);
END
$$;
SELECT regexp_replace(pg_temp.answer('POST', '/auth/register', '{"username": "Htp_Ada", "email": "htp.ada@example.org", "password": "correct horse battery", "display_name": "Ada"}'), '_token":"[^"]+"', '_token":"T"', 'g');
SELECT substring(roost.handle('POST', '/api/v1/auth/login', '', 'content-type: application/json', '{"identifier": "htp_ada", "password": "correct horse battery", "device": {"id": "x", "name": "phone"}}', '192.0.2.33'), '"access_token":"([^"]+)"') AS token \gset
SELECT pg_temp.answer('GET', p, token => :'token') FROM unnest(ARRAY['/auth/me', '/users/me', '/users/@htp_ada', '/users/by-username/HTP_ADA', '/auth/devices', '/auth/sessions']) p;
SELECT pg_temp.answer('GET', p) FROM unnest(ARRAY['/users/@htp_ada', '/users/1', '/users/htp_ada', '/auth/me', '/auth/sessions', '/users/me/export']) p;

SELECT b, pg_temp.answer('POST', '/auth/register', b) FROM unnest(ARRAY[
	'{}', '[]', '{"username": "htp_bob"}',
	'{"username": "htp_ada", "email": "htp.bob@example.org", "password": "correct horse battery"}',
	'{"username": "htp bob", "email": "htp.bob@example.org", "password": "correct horse battery"}',
	'{"username": "htp_bob", "email": "nonsense", "password": "correct horse battery"}',
	'{"username": "htp_bob", "email": "htp.bob@example.org", "password": "short"}',
	'{"username": 1, "email": "htp.bob@example.org", "password": "correct horse battery"}',
	'{"username": "htp_bob", "email": "htp.bob@example.org", "password": "correct horse battery", "role": "admin"}',
	'{"username": "htp_bob", "email": "htp.bob@example.org", "password": "correct horse battery", "client_address": "127.0.0.1"}',
	'{"username": "htp_bob", "email": "htp.bob@example.org", "password": "correct horse battery", "device": {"idd": "x"}}',
	'{"username": "htp_bob", "email": "htp.bob@example.org", "password": "correct horse battery", "birth_date": "2999-01-01"}']) b;
SELECT b, pg_temp.answer('PATCH', '/users/me', b, :'token') FROM unnest(ARRAY[
	'{"bio": "x", "birth_date": "1990-01-01", "is_private": true}', '{"birth_date": null}', '{"bio": ""}', '{"is_verified": true}', '{"actor_id": "1"}', '{"is_private": "yes"}', '{"message_policy": "nobody"}']) b;
SELECT pg_temp.answer('POST', '/auth/login', '{"identifier": "htp_ada", "password": "wrong wrong wrong"}');
SELECT pg_temp.answer('POST', '/auth/forgot-password', b) FROM unnest(ARRAY['{"email": "htp.ada@example.org"}', '{"email": "htp.nobody@example.org"}']) b;
SELECT pg_temp.answer('POST', '/auth/refresh', '{"refresh_token": "made-up-token-of-some-length"}'), pg_temp.answer('POST', '/auth/refresh', '{}');
SELECT pg_temp.answer('DELETE', '/auth/sessions/1', token => :'token'), pg_temp.answer('DELETE', '/auth/sessions/x', token => :'token');

-- Cookies instead of tokens, for who asks; refreshing by cookie takes the CSRF token.
SELECT roost.handle('POST', '/auth/login', '', E'content-type: application/json\nhost: localhost\nx-roost-cookies: 1', '{"identifier": "htp_ada", "password": "correct horse battery"}', '192.0.2.33') AS answer \gset
SELECT substring(:'answer', 'roost_refresh=([^;]+)') AS refresh, substring(:'answer', 'roost_csrf=([^;]+)') AS csrf \gset
SELECT (regexp_matches(:'answer', 'Set-Cookie: (\w+)=[^;]+(; [^\n]*)', 'g')) AS cookies;
SELECT :'answer' ~ '"access_token":null,"refresh_token":null' AS no_tokens_in_the_body;
SELECT left(pg_temp.answer('POST', '/auth/refresh', '{}', NULL, E'x-roost-cookies: 1\ncookie: roost_refresh=' || :'refresh' || '; roost_csrf=' || :'csrf'), 60) AS without_csrf,
	left(pg_temp.answer('POST', '/auth/refresh', '{}', NULL, E'x-roost-cookies: 1\ncookie: roost_refresh=' || :'refresh' || '; roost_csrf=' || :'csrf' || E'\nx-csrf-token: ' || :'csrf'), 50) AS with_csrf;

SELECT pg_temp.answer('POST', '/auth/logout', NULL, :'token');
SELECT pg_temp.answer('GET', '/auth/me', NULL, :'token');
UPDATE roost_data.limit_policy SET enabled = true;
