-- A built-in function answers null only if its description says when; else what it did is undone, and it is not found.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA api_missing;
CREATE TABLE api_missing.note (text text);
CREATE TYPE api_missing.pair AS (a int, b text);
CREATE FUNCTION api_missing.vanish(text text) RETURNS api_missing.pair LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO api_missing.note VALUES (text); RETURN NULL; END $$;
CREATE FUNCTION api_missing.maybe(text text) RETURNS api_missing.pair LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO api_missing.note VALUES (text); RETURN NULL; END $$;
COMMENT ON FUNCTION api_missing.maybe(text) IS 'Notes a text. Returns a pair, Null if there is none.';
CREATE FUNCTION api_missing.almost(text text) RETURNS text LANGUAGE sql AS $$ SELECT NULL::text $$;
COMMENT ON FUNCTION api_missing.almost(text) IS 'A text (annull if that is a word).';
CREATE FUNCTION api_missing.nothing(text text) RETURNS void LANGUAGE sql AS $$ SELECT $$;
CREATE FUNCTION api_missing.rows(text text) RETURNS SETOF text LANGUAGE sql AS $$ SELECT NULL::text $$;
SELECT roost.route_add('POST', '/api-missing/' || proname, 'api_missing.' || proname, auth => 'none', limit_class => 'none')
FROM pg_proc WHERE pronamespace = 'api_missing'::regnamespace ORDER BY proname;
CREATE FUNCTION api_missing.post(path text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_detail text;
	v_answer text;
BEGIN
	v_answer := roost.handle('POST', '/api-missing/' || path, '', 'content-type: application/json', '{"text": "one"}', NULL);
	RETURN split_part(v_answer, E'\n', 1) || ' ' || regexp_replace(v_answer, '^.*\n\n', '');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, v_detail);
END $$;

-- functions of users answer what they like
SELECT path, api_missing.post(path) FROM unnest('{vanish,maybe,almost,nothing,rows}'::text[]) path;
SELECT count(*) FROM api_missing.note;
DELETE FROM api_missing.note;
-- built-in ones do not
UPDATE roost_internal.route SET builtin = true WHERE path LIKE '/api-missing/%';
SELECT path, api_missing.post(path) FROM unnest('{vanish,maybe,almost,nothing,rows}'::text[]) path;
SELECT count(*) FROM api_missing.note;
-- those that may
SELECT DISTINCT r.function FROM roost_internal.route r JOIN pg_proc p ON p.oid = to_regproc(r.function)
WHERE r.builtin AND r.function LIKE 'roost.%' AND obj_description(p.oid, 'pg_proc') ~* '\mnull if\M' ORDER BY 1;
DELETE FROM roost_internal.route WHERE path LIKE '/api-missing/%';
DROP SCHEMA api_missing CASCADE;
