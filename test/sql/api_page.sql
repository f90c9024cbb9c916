-- Pages, links, entity tags, HEAD, headers and status set by functions.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA api_page;
CREATE TYPE api_page.item AS (id roost.id, name text);
CREATE TYPE api_page.ranked AS (name text, cursor text);
CREATE TYPE api_page.lost AS (name text);
CREATE FUNCTION api_page.list("limit" int DEFAULT 3, before roost.cursor DEFAULT NULL, after roost.cursor DEFAULT NULL, word text DEFAULT 'n') RETURNS SETOF api_page.item
LANGUAGE plpgsql STABLE AS $$ BEGIN
	RETURN QUERY SELECT i::bigint::roost.id, word || i FROM generate_series(10, 1, -1) i
	WHERE (before IS NULL OR i < roost_internal.cursor_id(before)) AND (after IS NULL OR i > roost_internal.cursor_id(after)) LIMIT "limit";
END $$;
CREATE FUNCTION api_page.ranked("limit" int, before roost.cursor DEFAULT NULL) RETURNS SETOF api_page.ranked
LANGUAGE sql STABLE AS $$ SELECT 'r' || i, 'p' || i FROM generate_series(1, 5) i WHERE before IS NULL OR 'p' || i > before LIMIT "limit" $$;
CREATE FUNCTION api_page.oldest("limit" int DEFAULT 3, after roost.cursor DEFAULT NULL) RETURNS SETOF api_page.item
LANGUAGE sql STABLE AS $$ SELECT i::bigint::roost.id, 'n' || i FROM generate_series(1, 7) i WHERE after IS NULL OR i > roost_internal.cursor_id(after) LIMIT "limit" $$;
CREATE FUNCTION api_page.lost("limit" int) RETURNS SETOF api_page.lost LANGUAGE sql STABLE AS $$ SELECT 'x' FROM generate_series(1, "limit") $$;
CREATE FUNCTION api_page.all_rows() RETURNS SETOF api_page.item LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN NEXT (1, 'a')::api_page.item; RETURN NEXT NULL; RETURN NEXT (2, NULL)::api_page.item; END $$;
-- gives one row at a time
CREATE FUNCTION api_page.numbers(first int, last int) RETURNS SETOF int LANGUAGE internal IMMUTABLE STRICT AS 'generate_series_int4';
CREATE FUNCTION api_page.count_up(n int) RETURNS SETOF int LANGUAGE sql STABLE STRICT AS 'SELECT generate_series(1, n)';
CREATE FUNCTION api_page.columns() RETURNS TABLE (id roost.id, at timestamptz) LANGUAGE sql STABLE AS $$ VALUES (1::bigint::roost.id, '2026-01-01Z'::timestamptz) $$;
CREATE FUNCTION api_page.pair(OUT a int, OUT b roost.id) LANGUAGE sql STABLE AS 'SELECT 1, 2::bigint::roost.id';
CREATE FUNCTION api_page.nothing() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION api_page.null_row() RETURNS api_page.item LANGUAGE sql STABLE AS 'SELECT NULL::api_page.item';
CREATE FUNCTION api_page.talk(status int DEFAULT NULL, header text DEFAULT NULL, fail boolean DEFAULT false) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN
	IF status IS NOT NULL THEN PERFORM roost.response_status(status); END IF;
	IF header IS NOT NULL THEN PERFORM roost.response_header('X-Said', header); END IF;
	IF fail THEN RAISE EXCEPTION 'no' USING ERRCODE = '53400'; END IF;
	RETURN concat_ws(',', roost.request_header('X-Request-Id'), roost.request_header('authorization'), roost.request_header('cookie'), roost.request_header('none'));
END $$;
SELECT roost.route_add('GET', '/api-page/' || proname, 'api_page.' || proname, auth => 'none', limit_class => 'none')
FROM pg_proc WHERE pronamespace = 'api_page'::regnamespace ORDER BY proname;
CREATE FUNCTION api_page.get(path text, query text DEFAULT '', headers text DEFAULT E'host: example.org\nx-forwarded-proto: https') RETURNS text LANGUAGE sql AS
$$ SELECT roost.handle('GET', path, query, headers, NULL, NULL) $$;

-- from page to page; next is null exactly at the end
SELECT api_page.get('/api/v1/api-page/list');
SELECT api_page.get('/api-page/list', 'before=8&word=%C3%A9&limit=7');
SELECT api_page.get('/api-page/list', 'limit=7&before=7');
-- where the oldest come first, "after" turns the page
SELECT api_page.get('/api-page/oldest');
SELECT api_page.get('/api-page/oldest', 'after=3&limit=2');
SELECT api_page.get('/api-page/oldest', 'after=5');
SELECT api_page.get('/api-page/list', 'before=1');
SELECT api_page.get('/api-page/list', 'after=8&limit=1');
SELECT api_page.get('/api-page/list', 'after=10');
-- every row once, whatever the size
CREATE FUNCTION api_page.walk(size int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_next text; v_page jsonb; v_seen text[] := '{}'; BEGIN
	LOOP
		v_page := split_part(api_page.get('/api-page/list', 'limit=' || size || coalesce('&before=' || v_next, '')), E'\n\n', 2)::jsonb;
		v_seen := v_seen || ARRAY(SELECT i->>'id' FROM jsonb_array_elements(v_page->'items') i);
		v_next := v_page->>'next';
		EXIT WHEN v_next IS NULL;
	END LOOP;
	RETURN v_seen::text;
END $$;
SELECT DISTINCT api_page.walk(size) FROM generate_series(1, 12) size;
-- the attribute cursor is the position and is not shown
SELECT split_part(api_page.get('/api-page/ranked', 'limit=2'), E'\n\n', 2), split_part(api_page.get('/api-page/ranked', 'limit=2&before=p2'), E'\n\n', 2), split_part(api_page.get('/api-page/ranked', 'limit=2&before=p4'), E'\n\n', 2);
-- limits of the limit
SELECT api_page.get('/api-page/list', 'limit=0');
SELECT api_page.get('/api-page/list', 'limit=-1');
SELECT api_page.get('/api-page/list', 'limit=201');
\echo :LAST_ERROR_SQLSTATE
SELECT api_page.get('/api-page/list', 'limit=200') LIKE '200%';
-- cursors that are none
SELECT api_page.get('/api-page/list', 'before=' || repeat('9', 19));
\echo :LAST_ERROR_SQLSTATE
SELECT api_page.get('/api-page/list', 'before=a%20b');
SELECT api_page.get('/api-page/list', 'before=');
-- rows without a position cannot be paged
SELECT api_page.get('/api-page/lost', 'limit=1');

-- addresses: none without a host, none of a forged one
SELECT substring(api_page.get('/api-page/list', '', '') from 'Link: [^\n]*');
SELECT substring(api_page.get('/api-page/list', '', E'host: a"><b\n') from 'Link: [^\n]*');
SELECT substring(api_page.get('/api-page/list', 'word=<">%20', E'host: [::1]:8080\n') from 'Link: [^\n]*');

-- other shapes
SELECT split_part(api_page.get('/api-page/all_rows'), E'\n\n', 2);
SELECT split_part(api_page.get('/api-page/count_up', 'n=3'), E'\n\n', 2), split_part(api_page.get('/api-page/count_up', 'n=0'), E'\n\n', 2);
SELECT split_part(api_page.get('/api-page/numbers', 'first=3&last=6'), E'\n\n', 2), split_part(api_page.get('/api-page/numbers', 'first=3&last=2'), E'\n\n', 2);
SELECT split_part(api_page.get('/api-page/columns'), E'\n\n', 2), split_part(api_page.get('/api-page/pair'), E'\n\n', 2), split_part(api_page.get('/api-page/null_row'), E'\n\n', 2);
SELECT api_page.get('/api-page/nothing');
-- a strict function is not called with null
SELECT roost.route_add('POST', '/api-page/count_up', 'api_page.count_up', auth => 'none', limit_class => 'none');
SELECT split_part(roost.handle('POST', '/api-page/count_up', '', 'content-type: application/json', '{"n":null}', NULL), E'\n\n', 2);

-- entity tags
SELECT substring(api_page.get('/api-page/pair') from 'ETag: ([^\n]*)') AS tag \gset
SELECT substring(api_page.get('/api-page/pair') from 'ETag: ([^\n]*)') = :'tag' AS same, substring(api_page.get('/api-page/columns') from 'ETag: ([^\n]*)') = :'tag' AS same;
SELECT replace(api_page.get('/api-page/pair', '', 'if-none-match: ' || :'tag'), :'tag', 'TAG');
SELECT left(api_page.get('/api-page/pair', '', 'if-none-match: ' || h), 3) FROM unnest(ARRAY[substr(:'tag', 3), '"other", ' || :'tag', '*', '"other"', '', substr(:'tag', 1, 10)]) h;
-- HEAD is GET without the body
SELECT replace(roost.handle('HEAD', '/api-page/pair', '', '', NULL, NULL), :'tag', 'TAG');
SELECT left(roost.handle('HEAD', '/api-page/pair', '', 'if-none-match: ' || :'tag', NULL, NULL), 3);

-- functions read the request's headers (but no secrets) and write the answer's
SELECT api_page.get('/api-page/talk', 'status=202&header=h%C3%A9', E'x-request-id: 42\nauthorization: Bearer s3cret\ncookie: a=s3cret');
SELECT api_page.get('/api-page/talk', 'status=404');
SELECT api_page.get('/api-page/talk', 'status=304');
SELECT api_page.get('/api-page/talk', 'header=a%0AX-Evil:%201');
\echo :LAST_ERROR_SQLSTATE
-- headers go with errors, too
SELECT api_page.get('/api-page/talk', 'header=still&fail=true');
-- outside a request they do nothing
SELECT roost.request_header('x'), roost.response_header('X', 'y'), roost.response_status(201);
SELECT roost.response_header('X y', 'z');

SELECT bool_and(roost.route_remove(method, path)) FROM roost_internal.route WHERE path LIKE '/api-page/%';
DROP SCHEMA api_page CASCADE;
