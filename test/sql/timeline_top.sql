-- The order "top": the terms of the formula, pages that fit together while everything changes, and what was seen.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;
SET extra_float_digits = -6;
SELECT roost_internal.clock_freeze('2026-03-01 12:00:00+00');

-- 1 reads; it follows 2, 3 and 4, and not 5.
INSERT INTO roost_data.account (id, username) SELECT 7000 + n, 'top_' || n FROM generate_series(1, 5) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'top_' || n, 7000 + n FROM generate_series(1, 5) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (7001, 7002, 70001), (7001, 7003, 70002), (7001, 7004, 70003);
CREATE TEMP TABLE made (name text PRIMARY KEY, id bigint);
CREATE FUNCTION pg_temp.post(name text, author integer, age interval, seen_by roost.visibility DEFAULT 'public', retweet_of text DEFAULT NULL, reply_to text DEFAULT NULL, quote_of text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO made SELECT post.name, roost_internal.id_at(roost_internal.clock_now() - age, 7000 + author, hashtext(post.name));
	INSERT INTO roost_data.post (id, author_id, thread_id, retweet_of_id, reply_to_id, reply_to_account_id, quote_of_id, created_at, visibility, text)
	SELECT m.id, 7000 + author, m.id, (SELECT r.id FROM made r WHERE r.name = retweet_of), p.id, p.author_id, (SELECT q.id FROM made q WHERE q.name = quote_of),
		roost_internal.clock_now() - age, seen_by, CASE WHEN retweet_of IS NULL THEN post.name ELSE '' END
	FROM made m LEFT JOIN roost_data.post p ON p.id = (SELECT r.id FROM made r WHERE r.name = reply_to)
	WHERE m.name = post.name
$$;
CREATE FUNCTION pg_temp.count(name text, likes integer, replies integer, retweets integer, quotes integer) RETURNS void LANGUAGE sql AS $$
	SELECT roost_internal.post_stat_add(m.id, likes, retweets, replies, quotes) FROM made m WHERE m.name = count.name
$$;
CREATE FUNCTION pg_temp.top(reader integer, "limit" integer DEFAULT 20, before text DEFAULT NULL, after text DEFAULT NULL, own boolean DEFAULT true) RETURNS TABLE (name text, cursor bigint) LANGUAGE sql AS $$
	SELECT m.name, p.cursor FROM roost.timeline_home(7000 + reader, "limit", before, after, 'top', own => own) p LEFT JOIN made m USING (id) ORDER BY p.cursor DESC
$$;
CREATE FUNCTION pg_temp.explain(reader integer, name text) RETURNS SETOF roost.timeline_explanation LANGUAGE sql AS $$
	SELECT roost.timeline_explain(7000 + reader, m.id) FROM made m WHERE m.name = explain.name
$$;
SELECT pg_temp.post('old', 2, '8 hours'), pg_temp.post('middle', 3, '4 hours'), pg_temp.post('new', 4, '1 hour'), pg_temp.post('stranger', 5, '2 hours');
SET roost.rank_half_life = '4h';
SET roost.rank_seen = 1;
-- without engagement the newest comes first
SELECT name FROM pg_temp.top(1);
-- each term alone; a half-life of four hours
SELECT pg_temp.count('old', 4, 1, 1, 2);
SELECT pg_temp.count('middle', -3, 0, 0, 0);
SELECT name FROM pg_temp.top(1);
\x on
SELECT place, score, age, decay, likes, replies, retweets, quotes, engagement, interaction, affinity, above, diversity, seen_count, seen, entry_id = post_id AS itself FROM pg_temp.explain(1, 'old');
SELECT place, score, age, decay, likes, engagement FROM pg_temp.explain(1, 'middle');
-- of no followed account: no place, but terms
SELECT place, entry_id, score, age, engagement FROM pg_temp.explain(1, 'stranger');
\x off
-- what the reader may not see, or does not exist, has no explanation
SELECT pg_temp.post('secret', 2, '1 hour', 'direct');
SELECT pg_temp.explain(1, 'secret');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.timeline_explain(7001, 99);
\echo :LAST_ERROR_SQLSTATE
-- weights are settings
SET roost.rank_like = 0; SET roost.rank_reply = 0; SET roost.rank_retweet = 0; SET roost.rank_quote = 0.5;
SELECT name, (e).engagement, (e).quotes FROM pg_temp.top(1) t, LATERAL pg_temp.explain(1, t.name) e ORDER BY t.cursor DESC;
RESET roost.rank_like; RESET roost.rank_reply; RESET roost.rank_retweet; RESET roost.rank_quote;

-- a retweet brings the post at its own time, with the original's counters
SELECT pg_temp.post('retweet', 3, '30 minutes', retweet_of => 'stranger');
SELECT pg_temp.count('stranger', 0, 0, 1, 0);
SELECT name FROM pg_temp.top(1);
SELECT entry_id = (SELECT id FROM made WHERE name = 'retweet') AS by_retweet, post_id = (SELECT id FROM made WHERE name = 'stranger') AS of_stranger, place, retweets, age FROM pg_temp.explain(1, 'stranger');
SELECT place FROM pg_temp.explain(1, 'retweet');

-- affinity: likes, replies, retweets and quotes of the reader, with their weights; its own posts do not matter
SELECT pg_temp.post('liked', 4, '40 days'), pg_temp.post('mine', 1, '39 days');
INSERT INTO roost_data.post_like (account_id, post_id, id) SELECT 7001, m.id, 700100 + row_number() OVER () FROM made m WHERE m.name IN ('liked', 'mine');
SELECT interaction, affinity FROM pg_temp.explain(1, 'new');
SELECT pg_temp.post('my reply', 1, '38 days', reply_to => 'liked'), pg_temp.post('my quote', 1, '37 days', quote_of => 'liked'), pg_temp.post('my retweet', 1, '36 days', retweet_of => 'liked');
SELECT interaction, affinity FROM pg_temp.explain(1, 'new');
SELECT interaction, affinity FROM pg_temp.explain(1, 'mine');
-- of the retweeter and the author the one that the reader cares more for
SELECT pg_temp.post('my reply to a stranger', 1, '35 days', reply_to => 'stranger');
SELECT interaction FROM pg_temp.explain(1, 'stranger');
SET roost.rank_interactions = 1;
SELECT interaction FROM pg_temp.explain(1, 'new');
SET roost.rank_interactions = 0;
SELECT interaction, affinity FROM pg_temp.explain(1, 'new');
RESET roost.rank_interactions;
SET roost.rank_affinity = 0;
SELECT interaction, affinity FROM pg_temp.explain(1, 'new');

-- diversity: the more entries of an account stand above, the lower
SELECT pg_temp.post('flood ' || n, 2, make_interval(mins => n)) FROM generate_series(1, 4) n;
SET roost.rank_diversity = 0.5; SET roost.rank_diversity_floor = 0.1;
SELECT name, (e).above, (e).diversity FROM pg_temp.top(1, 8, own => false) t, LATERAL pg_temp.explain(1, t.name) e ORDER BY t.cursor DESC;
RESET roost.rank_diversity; RESET roost.rank_diversity_floor;
SET roost.rank_candidates = 10;
SELECT count(*) FROM pg_temp.top(1, 50);
RESET roost.rank_candidates;

-- Pages fit together while time goes by and counters change: everything once.
INSERT INTO made SELECT 'many ' || n, roost_internal.id_at(roost_internal.clock_now() - make_interval(mins => n), 7002 + n % 3, n) FROM generate_series(1, 300) n;
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text)
SELECT m.id, 7002 + substr(m.name, 6)::integer % 3, m.id, now(), m.name FROM made m WHERE m.name LIKE 'many %';
CREATE FUNCTION pg_temp.walk(step integer, disturb text DEFAULT NULL) RETURNS TABLE (pages integer, shown integer, distinct_posts integer, missed integer) LANGUAGE plpgsql AS $$
DECLARE
	v_before text;
	v_ids bigint[] := '{}';
	v_page bigint[];
	v_all bigint[] := (SELECT array_agg(p.id) FROM roost.timeline_home(7001, 1000, "order" => 'top') p);
BEGIN
	pages := 0;
	LOOP
		SELECT array_agg(p.id ORDER BY p.cursor DESC), min(p.cursor)::text INTO v_page, v_before FROM roost.timeline_home(7001, step, v_before, "order" => 'top') p;
		EXIT WHEN v_page IS NULL;
		pages := pages + 1;
		v_ids := v_ids || v_page;
		IF disturb IS NOT NULL THEN
			EXECUTE disturb USING v_page, v_ids;
		END IF;
	END LOOP;
	shown := cardinality(v_ids);
	distinct_posts := (SELECT count(DISTINCT i) FROM unnest(v_ids) i);
	missed := (SELECT count(*) FROM unnest(v_all) i WHERE i <> ALL (v_ids) AND EXISTS (SELECT FROM roost_data.post p WHERE p.id = i));
	RETURN NEXT;
END
$$;
SELECT * FROM pg_temp.walk(17);
-- those not shown yet get many likes, those shown lose theirs, time goes by, new posts come
CREATE FUNCTION pg_temp.disturb(page bigint[], shown bigint[]) RETURNS void LANGUAGE sql AS $$
	SELECT roost_internal.post_stat_add(m.id, CASE WHEN m.id = ANY (shown) THEN -5 ELSE 1 + m.id % 97 END, 0, 0, 0) FROM made m;
	SELECT roost_internal.clock_freeze(roost_internal.clock_now() + '7 minutes');
	SELECT pg_temp.post('late ' || cardinality(shown), 3, '0');
$$;
SELECT * FROM pg_temp.walk(17, 'SELECT pg_temp.disturb($1, $2)');
-- what was seen sinks, but not in pages that have begun
SET roost.rank_seen = 0.1; SET roost.rank_seen_delay = 0;
SELECT * FROM pg_temp.walk(50, 'SELECT pg_temp.disturb($1, $2)');
SET roost.rank_seen = 1; RESET roost.rank_seen_delay;
-- deleted posts and unfollowed accounts are gone at once, also from pages that have begun
CREATE TEMP TABLE first AS SELECT * FROM pg_temp.top(1, 5);
DELETE FROM roost_data.post p USING made m WHERE m.id = p.id AND m.name LIKE 'many %0';
SELECT (roost.account_unfollow(7001, '7003')).following;
SELECT count(*) FILTER (WHERE p.id IS NULL) AS deleted, count(*) FILTER (WHERE p.author_id = 7003) AS unfollowed, count(*) > 100 AS many
FROM pg_temp.top(1, 500, (SELECT min(cursor)::text FROM first)) t LEFT JOIN made m USING (name) LEFT JOIN roost_data.post p ON p.id = m.id;
-- after: what stands above
SELECT count(*) FROM pg_temp.top(1, 500, after => (SELECT min(cursor)::text FROM first)) WHERE name IN (SELECT name FROM first);
SELECT count(*) = (SELECT count(*) FROM first JOIN made USING (name) JOIN roost_data.post p USING (id) WHERE p.author_id <> 7003) - 1 AS all_but_the_last
FROM pg_temp.top(1, 500, after => (SELECT min(cursor)::text FROM first JOIN made USING (name) JOIN roost_data.post p USING (id) WHERE p.author_id <> 7003));
-- another filter has another order; the page goes on below the same place in time
SELECT bool_and(t.cursor < f.cursor) AS below, count(*) > 0 AS some
FROM (SELECT min(cursor) AS cursor FROM first) f, pg_temp.top(1, 20, (SELECT min(cursor)::text FROM first), own => false) t;
-- the limit is any number
SELECT count(*) FROM pg_temp.top(1, 0);
SELECT count(*) = (SELECT count(*) FROM pg_temp.top(1)) AS default_limit FROM pg_temp.top(1, NULL);
SELECT pg_temp.top(1, 20, 'x y');
\echo :LAST_ERROR_SQLSTATE

-- What was shown sinks, once some time has passed.
RESET roost.rank_seen; RESET roost.rank_seen_delay;
CREATE TEMP TABLE seen AS SELECT * FROM pg_temp.top(2, 2);
SELECT name IN (SELECT name FROM seen) AS again, seen_count, seen FROM pg_temp.top(2, 2) t, LATERAL pg_temp.explain(2, t.name) e;
SELECT roost_internal.clock_freeze(roost_internal.clock_now() + '11 minutes');
SELECT seen_count, seen FROM seen t, LATERAL pg_temp.explain(2, t.name) e;
SELECT bool_or(name IN (SELECT name FROM seen)) AS again FROM pg_temp.top(2, 2);
-- another reader has not seen it
SELECT sum(seen_count) FROM seen t, LATERAL pg_temp.explain(3, t.name) e WHERE t.name <> 'secret';
-- seen again
SELECT count(*) FROM pg_temp.top(2, 200);
SELECT roost_internal.clock_freeze(roost_internal.clock_now() + '11 minutes');
SELECT seen_count, seen FROM seen t, LATERAL pg_temp.explain(2, t.name) e;
SELECT roost_internal.clock_freeze(NULL);
ROLLBACK;

-- over HTTP: what a request shows counts, not the one row more that it asks for; pages through next
BEGIN;
INSERT INTO roost_data.account (id, username) VALUES (7011, 'top_http');
INSERT INTO roost_data.account_handle (username, account_id) VALUES ('top_http', 7011);
CREATE TEMP TABLE made AS SELECT n, (roost.post_create(7011, 'post ' || n)).id FROM generate_series(1, 7) n;
CREATE FUNCTION pg_temp.get(path text, query text DEFAULT '') RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN split_part(roost.handle('GET', path, query, 'authorization: Bearer ' || roost_internal.token_make(7011, 1, 1), NULL, '192.0.2.77'), E'\n\n', 2)::jsonb;
END
$$;
SET roost.rank_seen_delay = 0;
CREATE TEMP TABLE page AS SELECT pg_temp.get('/tweets/home', 'order=top&limit=3') AS one;
SELECT i->>'text' AS shown FROM page, jsonb_array_elements(one->'items') i;
SELECT n, (roost.timeline_explain(7011, id)).seen_count FROM made ORDER BY n DESC;
SELECT i->>'text' AS shown FROM page, jsonb_array_elements(pg_temp.get('/tweets/home', 'order=top&limit=3&before=' || (one->>'next'))->'items') i;
SELECT x - 'post_id' - 'entry_id' - 'age' - 'decay' - 'score' AS explained, x->>'post_id' = id::text AS itself FROM made, LATERAL pg_temp.get('/tweets/' || id || '/explain') x WHERE n = 7;
RESET roost.rank_seen_delay;
ROLLBACK;
