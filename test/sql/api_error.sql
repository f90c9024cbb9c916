-- Errors on their way to the client: SQLSTATE, field, and nothing of the tables.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA api_error;
CREATE TABLE api_error.owner (id int PRIMARY KEY);
CREATE TABLE api_error.item (id int PRIMARY KEY, name text UNIQUE, secret text NOT NULL CHECK (secret <> 'bad'), owner_id int REFERENCES api_error.owner, UNIQUE (secret, name));
INSERT INTO api_error.item VALUES (1, 'taken', 's3cret');
CREATE FUNCTION api_error.add(name text DEFAULT 'n', secret text DEFAULT 's3cret', owner_id int DEFAULT NULL) RETURNS void LANGUAGE sql AS
$$ INSERT INTO api_error.item VALUES (2, name, secret, owner_id) $$;
CREATE FUNCTION api_error.fail(state text, message text DEFAULT 'the message', detail text DEFAULT '', hint text DEFAULT '', field text DEFAULT '') RETURNS void LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail, HINT = hint, COLUMN = field; END $$;
CREATE FUNCTION api_error.divide() RETURNS int LANGUAGE sql AS 'SELECT 1 / 0';
CREATE FUNCTION api_error.swallow() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
	RETURN split_part(roost.handle('GET', '/api-error/fail', 'state=P0002', '', NULL, NULL), E'\n', 1);
EXCEPTION WHEN no_data_found THEN RETURN 'caught ' || SQLERRM; END $$;
CREATE FUNCTION api_error.recurse() RETURNS text LANGUAGE sql AS $$ SELECT roost.handle('GET', '/api-error/recurse', '', '', NULL, NULL) $$;
CREATE FUNCTION api_error.sometimes(fail boolean) RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN NEXT 1; IF fail THEN PERFORM 1 / 0; END IF; RETURN NEXT 2; END $$;
CREATE FUNCTION api_error.more(name text, value jsonb DEFAULT '{"a": ["x\ny", 1]}', times int DEFAULT 1, state text DEFAULT '55000') RETURNS boolean LANGUAGE plpgsql AS
$$ BEGIN
	PERFORM roost.problem_member(name || repeat('a', i), value) FROM generate_series(0, times - 1) i;
	IF state = '' THEN RETURN true; END IF;
	RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'the message';
END $$;
SELECT roost.route_add('GET', '/api-error/' || proname, 'api_error.' || proname, auth => 'none', limit_class => 'none')
FROM pg_proc WHERE pronamespace = 'api_error'::regnamespace ORDER BY proname;
CREATE FUNCTION api_error.get(path text, query text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_field text; v_detail text; v_hint text; v_context text; v_state text;
BEGIN
	RETURN roost.handle('GET', '/api-error/' || path, query, '', NULL, NULL);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_field = COLUMN_NAME, v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT, v_context = PG_EXCEPTION_CONTEXT, v_state = RETURNED_SQLSTATE;
	RETURN concat_ws(' | ', v_state, (SELECT e.status FROM roost.error_codes() e WHERE e.sqlstate IN (v_state, left(v_state, 2) || '***', 'XX***') ORDER BY e.sqlstate = v_state DESC, e.sqlstate = 'XX***' LIMIT 1),
		nullif('field ' || v_field, 'field '), SQLERRM, nullif(v_detail, ''), nullif(v_hint, ''), regexp_replace(v_context, '\n?PL/pgSQL function api_error.get.*', ''));
END $$;

-- violated constraints of tables do not show rows
SELECT api_error.get('add', 'name=taken&secret=x');
SELECT api_error.get('add', 'name=taken&secret=s3cret');
SELECT api_error.get('add', 'secret=bad');
SELECT api_error.get('add', 'owner_id=7');
CREATE OR REPLACE FUNCTION api_error.add(name text DEFAULT 'n', secret text DEFAULT 's3cret', owner_id int DEFAULT NULL) RETURNS void LANGUAGE sql AS
$$ INSERT INTO api_error.item VALUES (2, name, NULL, owner_id) $$;
SELECT api_error.get('add');
-- what functions raise comes through
SELECT api_error.get('fail', 'state=' || state || '&detail=The+detail.&hint=The+hint.&field=name') FROM unnest('{22023,23505,23514,28000,42501,53400,55000,P0002,P0001,40001,0A000,RO412}'::text[]) state;
-- so do the members that a function adds to the problem, if it fails
SELECT api_error.get('more', 'name=devices');
SELECT api_error.get('more', 'name=devices&times=3&value=[]');
SELECT api_error.get('more', 'name=devices&state=');
SELECT api_error.get('more', 'name=' || name) FROM unnest('{Devices,"a b",detail,request_id,""}'::text[]) name;
SELECT api_error.get('more', 'name=' || repeat('a', 33));
SELECT api_error.get('more', 'name=a&times=30&value="' || repeat('x', 20000) || '"');
SELECT roost.problem_member('devices', '1');
-- faults of the server keep their context for the log
SELECT api_error.get('fail', 'state=XX001');
SELECT api_error.get('divide');
-- so is a right that its roles lack
CREATE ROLE roost_test_poor;
SELECT roost.grant_gateway('roost_test_poor');
SET SESSION AUTHORIZATION roost_test_poor;
SELECT roost.handle('GET', '/api-error/add', '', '', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
DROP OWNED BY roost_test_poor;
DROP ROLE roost_test_poor;
-- an error inside an inner request can be caught; the outer one goes on
SELECT split_part(api_error.get('swallow'), E'\n\n', 2);
SELECT split_part(api_error.get('swallow'), E'\n\n', 2);
-- endless recursion ends
SELECT left(api_error.get('recurse'), 5);
-- a failed call leaves nothing behind
SELECT split_part(api_error.get('sometimes', 'fail=' || f), E'\n\n', 2) || left(api_error.get('sometimes', 'fail=' || f), 5) FROM unnest('{false,true,false,true,false}'::boolean[]) f;

-- the list of errors: one row a state, and a sentence each
SELECT count(*) = count(DISTINCT sqlstate), bool_and(explanation ~ '^[A-Z].*\.$' AND title ~ '^[A-Z]' AND code ~ '^[a-z_]+$') FROM roost.error_codes();
SELECT sqlstate, code, status FROM roost.error_codes() WHERE sqlstate LIKE 'RO%' ORDER BY 1;

SELECT bool_and(roost.route_remove(method, path)) FROM roost_internal.route WHERE path LIKE '/api-error/%';
DROP SCHEMA api_error CASCADE;
