-- Lists of posts that requests get as JSON straight from the rows: the same pages as by way of composites.
\set VERBOSITY terse
\pset format unaligned
BEGIN;

-- A user's route to the same function gets composites.
CREATE TEMP TABLE pair AS SELECT r.path, '/by-rows' || r.path AS other, r.function, r.auth
FROM roost_internal.route r JOIN pg_proc p ON p.oid = roost_internal.route_function(r.function)
WHERE r.method = 'GET' AND p.prorettype = 'roost.post'::regtype AND r.builtin;
SELECT path, function FROM pair ORDER BY path COLLATE "C";
SELECT count(roost.route_add('GET', other, function, auth => auth, limit_class => 'none')) > 0 AS added FROM pair;

-- 1 reads and follows 2, 3 and the private 4; 5 is private and not followed
INSERT INTO roost_data.account (id, username, is_private) SELECT 3000 + n, 'page_' || n, n >= 4 FROM generate_series(1, 5) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'page_' || n, 3000 + n FROM generate_series(1, 5) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 3001, 3000 + n, n FROM generate_series(2, 4) n;
INSERT INTO roost_data.list (id, account_id, title) VALUES (3001, 3001, 'list');
INSERT INTO roost_data.list_member (list_id, member_id, account_id, id) SELECT 3001, 3000 + n, 3001, n FROM generate_series(2, 5) n;
SELECT id AS root FROM roost.post_create(3002, 'root #page') \gset
CREATE TEMP TABLE made AS
SELECT n, (roost.post_create(3001 + n % 5, 'post ' || n || ' #page', visibility => (CASE n % 4 WHEN 3 THEN 'followers' ELSE 'public' END)::roost.visibility,
	reply_to_id => CASE WHEN n % 3 = 1 THEN :root END, quote_of_id => CASE WHEN n % 3 = 2 THEN :root END)).id
FROM generate_series(1, 30) n;
SELECT count(*) FROM made, LATERAL (SELECT roost.post_retweet(3003, made.id)) r WHERE n % 6 = 2 AND n % 4 <> 3 AND 3001 + n % 5 < 3004;
SELECT count(*) FROM made, LATERAL (SELECT roost.post_like(3001, made.id)) r WHERE n % 2 = 0 AND 3001 + n % 5 < 3005;
SELECT count(*) FROM made, LATERAL (SELECT roost.post_bookmark(3001, made.id)) r WHERE n % 3 = 0 AND 3001 + n % 5 < 3005;
SELECT count(*) FROM made, LATERAL (SELECT roost.post_pin(3002, made.id)) r WHERE 3001 + n % 5 = 3002 AND n < 15;

-- the answer of a request, whole; the address of the other route is taken out of its links
CREATE FUNCTION pg_temp.get(path text, query text, actor_id bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN replace(roost.handle('GET', replace(replace(replace(replace(path, ':post_id', current_setting('page.root')), ':account_id', '@page_2'), ':hashtag', 'PAGE'), ':list_id', '3001'),
		query, CASE WHEN actor_id IS NULL THEN '' ELSE 'authorization: Bearer ' || roost_internal.token_make(actor_id, 1, 1) END, NULL, '192.0.2.7'), '/by-rows', '');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT set_config('page.root', :'root', true) = :'root' AS root;
UPDATE roost_internal.route SET limit_class = 'none' WHERE path IN (SELECT path FROM pair);

-- whole, and page by page
SELECT p.path, count(*) AS answers, count(*) FILTER (WHERE a.answer = b.answer) AS same, count(DISTINCT a.answer) AS different, count(*) FILTER (WHERE a.answer ~ '"next":"[0-9]+"') AS goes_on, count(*) FILTER (WHERE a.answer !~ '^200') AS refused
FROM pair p, unnest('{null,3001,3004,3005}'::bigint[]) v,
	unnest(CASE WHEN p.path IN ('/tweets/:post_id', '/users/:account_id/pinned') THEN '{""}' ELSE '{"",limit=1,limit=3,limit=7,limit=200}'::text[] END) q,
	LATERAL pg_temp.get(p.path, q, v) a(answer), LATERAL pg_temp.get(p.other, q, v) b(answer)
GROUP BY 1 ORDER BY p.path COLLATE "C";
CREATE FUNCTION pg_temp.walk(path text, page_limit integer, actor_id bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_all text := '';
	v_answer text;
	v_next text;
BEGIN
	LOOP
		v_answer := pg_temp.get(path, format('limit=%s', page_limit) || coalesce('&before=' || v_next, ''), actor_id);
		v_all := v_all || v_answer;
		v_next := substring(v_answer FROM '"next":"([0-9]+)"');
		EXIT WHEN v_next IS NULL;
	END LOOP;
	RETURN v_all;
END
$$;
SELECT p.path, n, regexp_count(a.answers, '"next":') AS pages, a.answers = b.answers AS same
FROM pair p, unnest('{1,2,5,9}'::integer[]) n, LATERAL pg_temp.walk(p.path, n, 3001) a(answers), LATERAL pg_temp.walk(p.other, n, 3001) b(answers)
WHERE p.path NOT IN ('/tweets/:post_id', '/users/:account_id/pinned')
ORDER BY p.path COLLATE "C", 2;

-- HEAD, and an entity tag that is known
SELECT regexp_replace(roost.handle('HEAD', '/tweets/public', 'limit=2', '', NULL, '192.0.2.7'), 'ETag.*?\n', '') =
	regexp_replace(replace(roost.handle('HEAD', '/by-rows/tweets/public', 'limit=2', '', NULL, '192.0.2.7'), '/by-rows', ''), 'ETag.*?\n', '') AS same;
SELECT split_part(roost.handle('GET', '/tweets/public', '', 'if-none-match: ' || substring(pg_temp.get('/tweets/public', '', NULL) FROM 'ETag: (\S+)'), NULL, '192.0.2.7'), E'\n', 1);

-- a function that calls another one and returns something else of it gets its rows
SELECT pg_temp.get('/resolve', 'url=/@page_2/root-' || :root, 3001) ~ '"type":"post".*"post":\{"id":"[0-9]+"' AS found;
ROLLBACK;
