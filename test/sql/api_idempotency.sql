-- Idempotency keys: the first answer is given again, its effect happens once.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA api_key;
CREATE TABLE api_key.item (id bigint GENERATED ALWAYS AS IDENTITY, name text CHECK (name <> 'bad'));
CREATE TYPE api_key.tokens AS (access_token text, expires_in int);
CREATE FUNCTION api_key.add(name text DEFAULT NULL, note text DEFAULT NULL) RETURNS api_key.item LANGUAGE plpgsql AS $$
DECLARE v_item api_key.item; BEGIN
	INSERT INTO api_key.item (name) VALUES (add.name) RETURNING * INTO v_item;
	PERFORM roost.response_header('Location', '/item/' || v_item.id);
	RETURN v_item;
END $$;
CREATE FUNCTION api_key.login(password text) RETURNS api_key.tokens LANGUAGE sql AS $$ SELECT 'token-' || (SELECT count(*) FROM api_key.item), 60 $$;
SELECT roost.route_add('POST', '/api-key/add', 'api_key.add', auth => 'none', limit_class => 'none', status => 201);
SELECT roost.route_add('PUT', '/api-key/add', 'api_key.add', auth => 'none', limit_class => 'none');
SELECT roost.route_add('GET', '/api-key/add', 'api_key.add', auth => 'none', limit_class => 'none');
SELECT roost.route_add('POST', '/api-key/login', 'api_key.login', auth => 'none', limit_class => 'none', sensitive => true);
SELECT roost.route_add('POST', '/api-key/limited', 'api_key.add', auth => 'none', limit_class => 'default');
CREATE FUNCTION api_key.post(key text, body text, method text DEFAULT 'POST', address text DEFAULT '192.0.2.1', path text DEFAULT '/api-key/add', query text DEFAULT '') RETURNS text LANGUAGE sql AS
$$ SELECT roost.handle(method, path, query, E'content-type: application/json\nidempotency-key: ' || key, body, address) $$;

-- once, and again
SELECT api_key.post('k-1', '{"name":"a"}');
SELECT api_key.post('k-1', '{"name":"a"}');
SELECT api_key.post('"k-1"', '{"name":"a"}') LIKE E'201\nIdempotency-Replayed: true\n%';
SELECT api_key.post('k-1', '{"name":"a"}', path => '/api/v1/api-key/add') LIKE E'201\nIdempotency-Replayed: true\n%';
SELECT count(*) FROM api_key.item;
-- another request under the same key
SELECT api_key.post('k-1', '{"name":"b"}');
\echo :LAST_ERROR_SQLSTATE
SELECT api_key.post('k-1', '{"name":"a"}', 'PUT');
SELECT api_key.post('k-1', '{"name":"a"}', query => 'note=x');
-- another key, another client
SELECT split_part(api_key.post('k-2', '{"name":"a"}'), E'\n\n', 2), split_part(api_key.post('k-1', '{"name":"a"}', address => '192.0.2.2'), E'\n\n', 2);
-- not for reading
SELECT roost.handle('GET', '/api-key/add', 'name=g', 'idempotency-key: k-3', NULL, '192.0.2.1') LIKE E'200\n%' FROM generate_series(1, 2);
SELECT count(*) FROM api_key.item;
-- a failure is not kept: a repetition tries again
SELECT api_key.post('k-4', '{"name":"bad"}');
\echo :LAST_ERROR_SQLSTATE
SELECT api_key.post('k-4', '{"nam":1}');
SELECT split_part(api_key.post('k-4', '{"name":"good"}'), E'\n\n', 2);
-- with the effect, or not at all
BEGIN;
SELECT left(api_key.post('k-5', '{"name":"undone"}'), 3);
ROLLBACK;
SELECT left(api_key.post('k-5', '{"name":"done"}'), 3);
SELECT name FROM api_key.item WHERE name LIKE '%done';
-- what a key may be
SELECT api_key.post(k, '{}') FROM (VALUES ('')) t(k);
SELECT api_key.post('a b', '{}');
SELECT api_key.post('ä', '{}');
SELECT api_key.post(repeat('k', 256), '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT left(api_key.post(repeat('k', 255), '{}'), 3);
-- headers about the rate limit are those of the moment, not the first ones
SELECT regexp_replace(split_part(api_key.post('k-6', '{}', path => '/api-key/limited', address => '192.0.2.66'), E'Location', 1), '\d+(?=\n)', 'N', 'g') FROM generate_series(1, 2);
SELECT answer::text ~ encode('RateLimit', 'hex') FROM roost_data.idempotency_key WHERE owner = 'address:192.0.2.66';

-- secrets: kept only under the client's key
SELECT api_key.post('0123456789abcde', '{"password":"s3cret-word"}', path => '/api-key/login');
\echo :LAST_ERROR_SQLSTATE
SELECT api_key.post('0123456789abcdef', '{"password":"s3cret-word"}', path => '/api-key/login');
SELECT api_key.post('0123456789abcdef', '{"password":"s3cret-word"}', path => '/api-key/login');
SELECT count(*), bool_or(k::text ~ encode('token-', 'hex')), bool_or(k::text ~ encode('s3cret-word', 'hex')), bool_or(k::text ~ encode('0123456789abcdef', 'hex')),
	bool_or(sha256('s3cret-word') = k.request_hash)
FROM roost_data.idempotency_key k WHERE k.encrypted;
SELECT count(*) > 0 FROM roost_data.idempotency_key k WHERE NOT k.encrypted AND k::text ~ encode('"name":"a"', 'hex');
-- a damaged record is an error of the server, not an answer
BEGIN;
UPDATE roost_data.idempotency_key SET answer = set_byte(answer, 30, get_byte(answer, 30) # 1) WHERE encrypted;
SELECT api_key.post('0123456789abcdef', '{"password":"s3cret-word"}', path => '/api-key/login');
ROLLBACK;

-- after a day it is forgotten
UPDATE roost_data.idempotency_key SET created_at = now() - interval '23 hours 59 minutes' WHERE owner = 'address:192.0.2.1';
SELECT split_part(api_key.post('k-1', '{"name":"a"}'), E'\n', 2);
SELECT roost_internal.api_maintenance();
UPDATE roost_data.idempotency_key SET created_at = now() - interval '24 hours 1 minute' WHERE owner = 'address:192.0.2.1';
SELECT split_part(api_key.post('k-1', '{"name":"a"}'), E'\n', 2);
SELECT roost_internal.api_maintenance() >= 3;
SELECT count(*) FROM roost_data.idempotency_key WHERE owner = 'address:192.0.2.1';

-- whoever serves requests cannot read the table, nor take over its owner
CREATE ROLE roost_test_server;
SELECT roost.grant_gateway('roost_test_server');
GRANT USAGE, CREATE ON SCHEMA api_key TO roost_test_server;
GRANT ALL ON api_key.item TO roost_test_server;
SET SESSION AUTHORIZATION roost_test_server;
CREATE FUNCTION api_key.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped as %', current_user; END $$;
CREATE OPERATOR api_key.= (LEFTARG = text, RIGHTARG = text, FUNCTION = api_key.trap);
SET search_path = api_key, pg_catalog;
SELECT left(roost.handle('POST', '/api-key/add', '', E'content-type: application/json\nidempotency-key: k-7', '{"name":"a"}', '192.0.2.3'), 3) FROM generate_series(1, 2);
RESET search_path;
SELECT count(*) FROM roost_data.idempotency_key;
RESET SESSION AUTHORIZATION;
DROP OWNED BY roost_test_server CASCADE;
DROP ROLE roost_test_server;

DELETE FROM roost_data.idempotency_key WHERE owner LIKE 'address:192.0.2.%';
SELECT bool_and(roost.route_remove(method, path)) FROM roost_internal.route WHERE path LIKE '/api-key/%';
DROP SCHEMA api_key CASCADE;
