-- Every kind of post, of every kind of account, for every kind of viewer, on every surface: what is shown is what the rule says.
\set VERBOSITY terse
\pset format unaligned
SET client_min_messages = warning;

-- Nothing here is rolled back: a transaction that has written reads the tables.
CREATE SCHEMA surface;
-- 1 open, 2 private, 3 limited, 4 both, 5 suspended; 10 retweets and quotes, 11 is answered and quoted;
-- 21 follows, 22 is mentioned, 23 both, 24 neither, 25 was blocked, 26 has blocked, 27 follows and has muted, 28 follows and has muted a word
INSERT INTO roost_data.account (id, username, is_private, limited_at, status)
SELECT 2900 + n, 'surface_' || n, n IN (2, 4), CASE WHEN n IN (3, 4) THEN now() END, CASE n WHEN 5 THEN 'suspended' ELSE 'active' END FROM unnest('{1,2,3,4,5,10,11,21,22,23,24,25,26,27,28}'::int[]) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id)
SELECT v, a, v * 100 + a FROM unnest('{2921,2923,2927,2928}'::bigint[]) v, generate_series(2901, 2905) a
UNION ALL SELECT v, 2910, v * 100 + 2910 FROM unnest('{2901,2902,2903,2904,2921,2922,2923,2924,2925,2926,2927,2928}'::bigint[]) v;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) SELECT a, 2925, a FROM generate_series(2901, 2905) a UNION ALL SELECT 2926, a, a FROM generate_series(2901, 2905) a;
INSERT INTO roost_data.account_mute (account_id, muted_id, id) SELECT 2927, a, a FROM generate_series(2901, 2905) a;
SELECT whole_word FROM roost.muted_word_create(2928, 'Surface');

-- root + n: a post, + 1000 an answer like it, + 2000 a quote of it, + 3000 a retweet of it
SELECT pg_advisory_lock(hashtextextended('roost.trend_run', 0)); -- no trends are computed meanwhile
SELECT roost_internal.id_next() AS root \gset
CREATE TABLE surface.kind AS
SELECT :root + row_number() OVER () AS id, row_number() OVER () AS n, a AS author_id, v AS visibility, s AS state
FROM generate_series(2901, 2905) a, unnest(enum_range(NULL::roost.visibility)) v, unnest(enum_range(NULL::roost.post_state)) s;
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) VALUES (:root, 2911, :root, roost.id_time(:root), 'root');
-- some are written as they are, others become it
INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, quote_of_id, created_at, visibility, state, text, mention_ids, hashtags)
SELECT id + part, author_id, CASE part WHEN 0 THEN id ELSE :root END, CASE part WHEN 1000 THEN :root END, CASE part WHEN 1000 THEN 2911 END, CASE part WHEN 0 THEN :root END,
	roost.id_time(id), CASE n % 3 WHEN 0 THEN visibility ELSE 'public' END, CASE n % 2 WHEN 0 THEN state ELSE 'visible' END, CASE n % 5 WHEN 0 THEN 'on the surface' ELSE 'below' END,
	'{2922,2923,2925,2926,2927,2928}', '{sfc}'
FROM surface.kind, unnest('{0,1000}'::int[]) part;
UPDATE roost_data.post p SET state = k.state, visibility = k.visibility FROM surface.kind k WHERE p.id IN (k.id, k.id + 1000);
INSERT INTO roost_data.post (id, author_id, thread_id, quote_of_id, retweet_of_id, created_at, text)
SELECT id + 2000, 2910, id + 2000, id, NULL::bigint, roost.id_time(id), 'quote' FROM surface.kind UNION ALL SELECT id + 3000, 2910, id + 3000, NULL, id, roost.id_time(id), '' FROM surface.kind;
CREATE TABLE surface.viewer AS SELECT v AS id FROM unnest('{null,2901,2902,2903,2904,2921,2922,2923,2924,2925,2926,2927,2928}'::bigint[]) v;
INSERT INTO roost_data.post_like (account_id, post_id, id) SELECT v.id, k.id, k.id FROM surface.viewer v, surface.kind k WHERE v.id IS NOT NULL;
INSERT INTO roost_data.post_bookmark (account_id, post_id, id) SELECT v.id, k.id, k.id FROM surface.viewer v, surface.kind k WHERE v.id IS NOT NULL;
INSERT INTO roost_data.post_like (account_id, post_id, id) SELECT a, :root, a FROM generate_series(2901, 2905) a;
UPDATE roost_data.post SET pinned_at = '2026-01-01Z' WHERE id IN (SELECT id FROM surface.kind);
INSERT INTO roost_data.trend_post ("window", language, post_id, accounts, expected, score, place, since, computed_at) SELECT 'day', '', id, 1, 1, 1, 1000 + n, now(), now() FROM surface.kind;
SELECT roost.worker_sync('1 minute');

-- The rule in words of SQL (docs/safety.md)
CREATE TABLE surface.truth AS
SELECT v.id AS viewer_id, k.id + part AS id, k.author_id, part, k.state,
	CASE WHEN a.status <> 'active' THEN false
		WHEN v.id = k.author_id THEN true
		WHEN k.state IN ('held', 'removed') THEN false
		WHEN v.id IN (2925, 2926) THEN false
		WHEN k.visibility = 'direct' THEN f.mentioned AND (f.follows OR a.limited_at IS NULL)
		WHEN k.visibility = 'followers' OR a.is_private OR a.limited_at IS NOT NULL THEN f.follows OR f.mentioned AND a.limited_at IS NULL
		ELSE true END AS sees,
	k.visibility = 'public' AND k.state = 'visible' AND NOT a.is_private AND a.limited_at IS NULL AND a.status = 'active' AS listed,
	v.id IS NULL OR v.id = k.author_id OR NOT (v.id = 2927 OR v.id = 2928 AND k.n % 5 = 0) AS wants,
	coalesce(v.id = k.author_id, false) AS own, f.follows, f.mentioned
FROM surface.kind k JOIN roost_data.account a ON a.id = k.author_id CROSS JOIN unnest('{0,1000}'::int[]) part CROSS JOIN surface.viewer v
CROSS JOIN LATERAL (SELECT coalesce(v.id IN (2921, 2923, 2927, 2928), false) AS follows, coalesce(v.id IN (2922, 2923, 2925, 2926, 2927, 2928), false) AS mentioned) f;
SELECT count(*), count(*) FILTER (WHERE sees) AS seen, count(*) FILTER (WHERE listed) AS listed, count(*) FILTER (WHERE NOT wants) AS unwanted FROM surface.truth;
CREATE TABLE surface.shown (surface text, viewer_id bigint, id bigint);
CREATE FUNCTION surface.get(viewer_id bigint, post_id bigint) RETURNS roost.post LANGUAGE plpgsql AS $$
BEGIN
	RETURN roost.post_get(post_id, viewer_id);
EXCEPTION WHEN no_data_found THEN
	RETURN NULL;
END
$$;
CREATE FUNCTION surface.account(viewer_id bigint, account_id bigint) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT t.id::bigint FROM roost.timeline_account(account_id::text, viewer_id, 10000, replies => true) t;
EXCEPTION WHEN insufficient_privilege OR no_data_found THEN
	RETURN;
END
$$;
CREATE FUNCTION surface.pins(viewer_id bigint, account_id bigint) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT t.id::bigint FROM roost.pin_list(account_id::text, viewer_id) t;
EXCEPTION WHEN insufficient_privilege OR no_data_found THEN
	RETURN;
END
$$;

\echo one post
INSERT INTO surface.shown SELECT 'get', t.viewer_id, (surface.get(t.viewer_id, t.id)).id FROM surface.truth t;
INSERT INTO surface.shown SELECT 'rule', t.viewer_id, t.id FROM surface.truth t JOIN roost_data.post p ON p.id = t.id JOIN roost_data.account a ON a.id = p.author_id
WHERE roost_internal.may_see(t.viewer_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status);
INSERT INTO surface.shown SELECT 'everybody', v.id, p.id FROM surface.viewer v, roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
WHERE v.id IS NULL AND roost_internal.everybody_sees(p.visibility, p.state, a.is_private, a.limited_at IS NOT NULL, a.status);
INSERT INTO surface.shown SELECT 'bi', v.id, p.id FROM surface.viewer v, roost_bi.post p WHERE v.id IS NULL;
-- Outside a transaction that writes, so from memory: twice, and the other way round.
CREATE FUNCTION surface.memory(backwards boolean) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT string_agg(coalesce(v.id::text, '') || ':' || (SELECT coalesce(string_agg(j ->> 'id', ',' ORDER BY j ->> 'id'), '') FROM json_array_elements(
		roost_internal.post_hydrate_json(v.id, ARRAY(SELECT t.id FROM surface.truth t WHERE t.viewer_id IS NULL ORDER BY CASE WHEN backwards THEN -t.id ELSE t.id END))::json) j), ' ') FROM surface.viewer v
$$;
SELECT count(surface.memory(false));
SELECT hits AS hits FROM roost.stat_post_cache \gset
SELECT surface.memory(true) AS memory \gset
SELECT hits > :hits AS from_memory FROM roost.stat_post_cache;
INSERT INTO surface.shown SELECT 'memory', nullif(split_part(l, ':', 1), '')::bigint, i::bigint FROM string_to_table(:'memory', ' ') l, string_to_table(split_part(l, ':', 2), ',') i WHERE i <> '';
INSERT INTO surface.shown SELECT 'embed', t.viewer_id, (q.quote_of).id FROM surface.truth t, surface.get(t.viewer_id, t.id + 2000) q WHERE t.part = 0;
INSERT INTO surface.shown SELECT 'embed in json', t.viewer_id, (j -> 'quote_of' ->> 'id')::bigint FROM surface.truth t, json_array_elements(roost_internal.post_hydrate_json(t.viewer_id, ARRAY[t.id + 2000])::json) j WHERE t.part = 0;
INSERT INTO surface.shown SELECT 'retweet', t.viewer_id, (q.retweet_of).id FROM surface.truth t, surface.get(t.viewer_id, t.id + 3000) q WHERE t.part = 0;

\echo lists
INSERT INTO surface.shown SELECT 'home', v.id, coalesce(p.retweet_of_id, p.id) FROM surface.viewer v, unnest(roost_internal.timeline_home_ids(v.id, 10000, 9223372036854775807, 0, 'all', true)) i JOIN roost_data.post p ON p.id = i;
INSERT INTO surface.shown SELECT 'top', v.id, coalesce((p.retweet_of).id, p.id) FROM surface.viewer v, roost.timeline_home(v.id, 1000, "order" => 'top', replies => 'all') p WHERE v.id IS NOT NULL;
INSERT INTO surface.shown SELECT 'account', v.id, i FROM surface.viewer v, generate_series(2901, 2905) a, surface.account(v.id, a) i;
INSERT INTO surface.shown SELECT 'pins', v.id, i FROM surface.viewer v, generate_series(2901, 2905) a, surface.pins(v.id, a) i;
INSERT INTO surface.shown SELECT 'public', v.id, p.id FROM surface.viewer v, roost.timeline_public(v.id, 10000) p;
INSERT INTO surface.shown SELECT 'tag', v.id, p.id FROM surface.viewer v, roost.hashtag_post_list('sfc', v.id, 10000) p;
INSERT INTO surface.shown SELECT 'answers', v.id, p.id FROM surface.viewer v, roost.post_reply_list(:root, v.id, 10000) p;
INSERT INTO surface.shown SELECT 'thread', v.id, p.id FROM surface.viewer v, roost.post_context(:root, v.id) c, unnest(c.descendants) p;
INSERT INTO surface.shown SELECT 'quotes', v.id, p.id FROM surface.viewer v, roost.post_quote_list(:root, v.id, 10000) p;
INSERT INTO surface.shown SELECT 'likes', v.id, p.id FROM surface.viewer v, roost.like_list(v.id, 10000) p;
INSERT INTO surface.shown SELECT 'bookmarks', v.id, p.id FROM surface.viewer v, roost.bookmark_list(v.id, 10000) p;
INSERT INTO surface.shown SELECT 'trends', v.id, p.id FROM surface.viewer v, roost.trend_post_list(v.id, 'day', NULL, 10000) p;
INSERT INTO surface.shown SELECT 'mailbox', v.id, m.post_id FROM surface.viewer v, roost_internal.mailbox_read(v.id, 0, 10000) m WHERE m.kind = 'mention';

\echo who likes a post
SELECT coalesce(v.id - 2900, 0) AS viewer, array_agg(a.id - 2900 ORDER BY a.id) AS likers FROM surface.viewer v, roost.post_like_list(:root, v.id, 100) a GROUP BY v.id ORDER BY v.id NULLS FIRST;

-- What should be shown, and the difference
CREATE VIEW surface.expected AS
SELECT s.surface, t.viewer_id, t.id
FROM surface.truth t CROSS JOIN LATERAL (VALUES
	('get', t.sees), ('rule', t.sees), ('memory', t.sees), ('everybody', t.sees AND t.viewer_id IS NULL), ('bi', t.sees AND t.viewer_id IS NULL),
	('embed', t.sees AND t.part = 0), ('embed in json', t.sees AND t.part = 0), ('retweet', t.sees AND t.part = 0),
	('home', t.viewer_id IS NOT NULL AND t.sees AND t.wants AND (t.part = 0 OR t.follows OR t.own)),
	('top', t.viewer_id IS NOT NULL AND t.sees AND t.wants AND (t.part = 0 OR t.follows OR t.own)),
	-- of a private account, only those get a list who follow it
	('account', t.sees AND (t.follows OR t.own OR t.author_id NOT IN (2902, 2904))), ('pins', t.sees AND t.part = 0),
	('public', t.listed AND t.sees AND t.wants AND t.part = 0), ('tag', t.listed AND t.sees AND t.wants),
	('answers', t.sees AND t.wants AND t.part = 1000), ('thread', t.sees AND t.wants AND t.part = 1000), ('quotes', t.sees AND t.part = 0),
	('likes', t.viewer_id IS NOT NULL AND t.sees AND t.part = 0), ('bookmarks', t.viewer_id IS NOT NULL AND t.sees AND t.part = 0), ('trends', t.listed AND t.sees AND t.wants AND t.part = 0),
	('mailbox', t.mentioned AND t.sees AND t.wants)) s (surface, shown)
WHERE s.shown;
SELECT surface, count(e.id) AS expected, count(*) FILTER (WHERE e.id IS NULL) AS too_much, count(*) FILTER (WHERE s.id IS NULL) AS missing
FROM (SELECT surface, coalesce(viewer_id, 0) AS viewer_id, id FROM surface.expected) e
FULL JOIN (SELECT DISTINCT surface, coalesce(viewer_id, 0) AS viewer_id, id FROM surface.shown WHERE id IN (SELECT t.id FROM surface.truth t)) s USING (surface, viewer_id, id)
GROUP BY 1 ORDER BY 1;
-- those that are wrong, if there are
SELECT surface, viewer_id, id - :root AS n, author_id, visibility, state, e.id IS NOT NULL AS expected
FROM (SELECT surface, coalesce(viewer_id, 0) AS viewer_id, id FROM surface.expected) e
FULL JOIN (SELECT DISTINCT surface, coalesce(viewer_id, 0) AS viewer_id, id FROM surface.shown WHERE id IN (SELECT t.id FROM surface.truth t)) s USING (surface, viewer_id, id)
JOIN roost_data.post p USING (id)
WHERE e.id IS NULL OR s.id IS NULL ORDER BY 1, 2, 3 LIMIT 10;
-- tags are kept for what is public and visible
SELECT count(*) AS listed, count(*) FILTER (WHERE p.visibility = 'public' AND p.state = 'visible') AS rightly,
	(SELECT count(*) FROM roost_data.post t WHERE t.id IN (SELECT id FROM surface.truth) AND t.visibility = 'public' AND t.state = 'visible') AS all
FROM roost_data.post_hashtag h JOIN roost_data.post p ON p.id = h.post_id WHERE h.hashtag = 'sfc';

\echo what one may do
UPDATE roost_data.post SET pinned_at = NULL WHERE id IN (SELECT id FROM surface.kind);
CREATE FUNCTION surface.try(command text, viewer_id bigint, post_id bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command USING viewer_id, post_id;
	RAISE EXCEPTION USING ERRCODE = 'P0001';
EXCEPTION WHEN raise_exception THEN
	RETURN 'done';
WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT c.what, r.result, count(*), count(*) FILTER (WHERE r.result IS DISTINCT FROM CASE
	WHEN NOT t.sees THEN 'P0002'
	WHEN c.own AND NOT t.own THEN '42501'
	WHEN t.state > 'limited' AND c.what NOT IN ('delete', 'unpin') THEN '55000'
	WHEN c.what = 'retweet' AND (p.visibility = 'direct' OR (p.visibility = 'followers' OR a.is_private) AND NOT t.own) THEN '42501'
	WHEN c.what = 'pin' AND p.visibility = 'direct' THEN '55000'
	ELSE 'done' END) AS wrong
FROM (VALUES ('like', 'SELECT roost.post_like($1, $2)', false), ('bookmark', 'SELECT roost.post_bookmark($1, $2)', false), ('retweet', 'SELECT roost.post_retweet($1, $2)', false),
	('answer', 'SELECT roost.post_create($1, ''x'', reply_to_id => $2)', false), ('quote', 'SELECT roost.post_create($1, ''x'', quote_of_id => $2)', false),
	('edit', 'SELECT roost.post_edit($1, $2, ''x'')', true), ('pin', 'SELECT roost.post_pin($1, $2)', true), ('unpin', 'SELECT roost.post_unpin($1, $2)', true), ('delete', 'SELECT roost.post_delete($1, $2)', true)) c (what, command, own),
	surface.truth t JOIN roost_data.post p ON p.id = t.id JOIN roost_data.account a ON a.id = t.author_id, surface.try(c.command, t.viewer_id, t.id + CASE WHEN c.what IN ('pin', 'unpin') THEN 1000 ELSE 0 END) r (result)
WHERE t.viewer_id IS NOT NULL AND t.part = 0
GROUP BY 1, 2 ORDER BY 1, 2;

DELETE FROM roost_data.trend_post WHERE post_id IN (SELECT id FROM surface.kind);
DELETE FROM roost_data.post WHERE author_id BETWEEN 2901 AND 2928;
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 2901 AND 2928;
DELETE FROM roost_data.account_block WHERE account_id BETWEEN 2901 AND 2928;
DELETE FROM roost_data.account_mute WHERE account_id BETWEEN 2901 AND 2928;
DELETE FROM roost_data.muted_word WHERE account_id BETWEEN 2901 AND 2928;
DELETE FROM roost_data.account_stat WHERE account_id BETWEEN 2901 AND 2928;
DELETE FROM roost_data.account WHERE id BETWEEN 2901 AND 2928;
DROP SCHEMA surface CASCADE;
SELECT pg_advisory_unlock(hashtextextended('roost.trend_run', 0));
