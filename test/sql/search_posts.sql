-- Who finds which posts: every visibility, state, relation and setting; filters, pages, ranking, edits, bounds.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset footer off
BEGIN;
SET TimeZone = 'UTC';
-- The worker keeps out while somebody else is at it.
SELECT pg_advisory_xact_lock(hashtextextended('roost.search_run', 0));
INSERT INTO roost_data.account (id, username, is_private, status, limited_at)
SELECT 72000 + v.n, 'sp_' || v.name, v.name = 'private', CASE v.name WHEN 'suspended' THEN 'suspended' ELSE 'active' END, CASE v.name WHEN 'limited' THEN now() END
FROM (VALUES (1, 'open'), (2, 'private'), (3, 'suspended'), (4, 'limited'), (5, 'hidden'), (6, 'blocker'), (7, 'blocked'), (8, 'muted'), (9, 'reader'), (10, 'follower'), (11, 'other')) v (n, name);
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 72001 AND 72011;
INSERT INTO roost_data.search_setting (account_id, posts_indexed) VALUES (72005, false);
-- the follower follows all; the reader nobody, but it has blocked, is blocked and has muted
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 72010, 72000 + n, n FROM generate_series(1, 8) n;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (72006, 72009, 1), (72009, 72007, 2);
INSERT INTO roost_data.account_mute (account_id, muted_id, id) VALUES (72009, 72008, 1);
SELECT roost_internal.id_floor('2200-01-01Z') AS base \gset
CREATE FUNCTION pg_temp.post(n integer, author integer, text text, visibility roost.visibility DEFAULT 'public', state roost.post_state DEFAULT 'visible', reply_to integer DEFAULT NULL,
	quote_of integer DEFAULT NULL, retweet_of integer DEFAULT NULL, language text DEFAULT 'en', media jsonb DEFAULT NULL, warning text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, visibility, state, text, reply_to_id, reply_to_account_id, quote_of_id, retweet_of_id, language, media, content_warning, hashtags, mention_ids)
	SELECT b + n, 72000 + author, b + n, roost.id_time((b + n)::roost.id), visibility, state, text, b + reply_to, CASE WHEN reply_to IS NOT NULL THEN 72001 END, b + quote_of, b + retweet_of, language, media, warning,
		e.hashtags, e.mention_ids
	FROM (SELECT roost_internal.id_floor('2200-01-01Z') AS b) i, roost_internal.post_entities(text) e
$$;
CREATE FUNCTION pg_temp.index() RETURNS void LANGUAGE sql AS $$
	SELECT roost_internal.search_index(ARRAY(SELECT id FROM roost_data.post WHERE author_id BETWEEN 72001 AND 72011))
$$;
CREATE FUNCTION pg_temp.found(q text, viewer bigint DEFAULT NULL, "order" roost.search_order DEFAULT 'recent') RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg((p.id::bigint - roost_internal.id_floor('2200-01-01Z'))::text, ' '), '-') FROM roost.search_posts(q, viewer, "order") p
$$;
SELECT count(pg_temp.post(a * 10 + v.n, a, 'zebrafish by ' || a, v.visibility)) FROM generate_series(1, 8) a,
	(VALUES (1, 'public'::roost.visibility), (2, 'unlisted'), (3, 'followers'), (4, 'direct')) v (n, visibility);
SELECT count(pg_temp.post(100 + v.n, 1, 'zebrafish state', 'public', v.state)) FROM (VALUES (1, 'limited'::roost.post_state), (2, 'held'), (3, 'removed')) v (n, state);
SELECT pg_temp.post(110, 1, '', retweet_of => 11), pg_temp.post(111, 1, 'zebrafish for @sp_other', 'direct');
SELECT pg_temp.index();

-- tens are accounts: 1 open, 2 private, 3 suspended, 4 limited, 5 does not want to be found, 6 has blocked the reader, 7 is blocked by it, 8 muted;
-- ones are visibilities: 1 public, 2 unlisted, 3 followers, 4 direct; 101 limited, 102 held, 103 removed
SELECT v.viewer, pg_temp.found('zebrafish', v.id) AS recent
FROM (VALUES ('stranger', NULL::bigint), ('reader', 72009), ('follower', 72010), ('other', 72011), ('open', 72001), ('private', 72002), ('limited', 72004), ('hidden', 72005)) v (viewer, id);
-- another order finds the same
SELECT v.viewer FROM (VALUES ('stranger', NULL::bigint), ('reader', 72009), ('follower', 72010), ('open', 72001)) v (viewer, id)
WHERE (SELECT array_agg(x ORDER BY x) FROM unnest(string_to_array(pg_temp.found('zebrafish', v.id), ' ')) x)
	IS DISTINCT FROM (SELECT array_agg(x ORDER BY x) FROM unnest(string_to_array(pg_temp.found('zebrafish', v.id, 'top'), ' ')) x);
-- naming the author opens nothing
SELECT pg_temp.found('from:sp_private'), pg_temp.found('from:sp_private', 72010) AS follower, pg_temp.found('from:sp_muted', 72009) AS muted, pg_temp.found('from:sp_blocker', 72009) AS blocker, pg_temp.found('from:me', 72001) AS me;
-- a muted word, and its end
INSERT INTO roost_data.muted_word (account_id, id, phrase, folded) VALUES (72011, 1, 'zebrafish', 'zebrafish');
SELECT pg_temp.found('zebrafish', 72011);
DELETE FROM roost_data.muted_word WHERE account_id = 72011;
-- what changes counts at once, though the index does not know it yet
UPDATE roost_data.account SET is_private = true WHERE id = 72001;
SELECT pg_temp.found('zebrafish') AS private;
UPDATE roost_data.account SET is_private = false, limited_at = now() WHERE id = 72001;
SELECT pg_temp.found('zebrafish') AS limited;
UPDATE roost_data.account SET limited_at = NULL, status = 'suspended' WHERE id = 72001;
SELECT pg_temp.found('zebrafish') AS suspended, pg_temp.found('zebrafish', 72010) AS follower;
UPDATE roost_data.account SET status = 'active' WHERE id = 72001;
UPDATE roost_data.post SET visibility = 'followers' WHERE id = :base + 11;
SELECT pg_temp.found('zebrafish') AS followers_only;
UPDATE roost_data.post SET visibility = 'public', state = 'removed' WHERE id = :base + 11;
SELECT pg_temp.found('zebrafish') AS removed;
UPDATE roost_data.post SET state = 'visible', text = 'nothing of the kind', edited_at = now() WHERE id = :base + 11;
SELECT pg_temp.found('zebrafish') AS edited;
SELECT roost_internal.search_index(ARRAY[:base + 11]);
SELECT pg_temp.found('zebrafish'), pg_temp.found('"of the kind"') AS new;
DELETE FROM roost_data.post WHERE id = :base + 11;
SELECT pg_temp.found('kind') AS deleted;
SELECT roost_internal.search_index(ARRAY[:base + 11]);
-- the setting
SELECT roost.search_settings_get(72001), roost.search_settings_set(72001, posts_indexed => false), roost.search_settings_set(72001, by_email => true), roost.search_settings_get(72001);
SELECT roost.search_settings_set(72003, true);
SELECT roost_internal.search_export(72001);
SELECT roost_internal.search_account_delete(72001);
SELECT roost.search_settings_get(72001);

-- filters
SELECT pg_temp.post(201, 1, 'quokka one #Outback @sp_other see https://quokka.example.org/x'), pg_temp.post(202, 11, 'quokka two', reply_to => 201), pg_temp.post(203, 11, 'quokka three', quote_of => 201),
	pg_temp.post(204, 1, 'quokka four', language => 'de', media => '[{"url": "https://example.org/1.png", "type": "image", "description": "a wombat"}]'), pg_temp.post(205, 11, 'quokka five', warning => 'marsupials');
SELECT pg_temp.index();
SELECT q, pg_temp.found(q) FROM unnest('{quokka,"quokka -two","quokka from:sp_open","quokka -from:sp_open","from:sp_open OR two quokka","quokka to:sp_other","quokka to:sp_open","quokka is:reply","quokka is:quote","quokka -is:reply -is:quote",
	"quokka has:media","quokka has:image","quokka has:video","quokka has:link","quokka lang:de","quokka lang:en","#outback","#Out","@sp_other quokka",quokka.example.org,wombat,marsupials,"\"quokka four\"","\"four quokka\"",quok*,"quokka since:2200-01-01","quokka since:2200-01-02","quokka until:2200-01-01","until:2200-01-02 since:2200-01-01 has:link",nosuchword,"from:nobody_at_all",""}'::text[]) q;
SELECT (p).content_warning, (p).text FROM roost.search_posts('marsupials') p;

-- top: the text, what others did, age
INSERT INTO roost_data.post_stat (post_id, slot, like_count) VALUES (:base + 202, 0, 100), (:base + 201, 0, 1);
SELECT pg_temp.found('quokka', "order" => 'top');
SELECT roost_internal.search_post_score(0.5, '2026-01-01Z', 1, 1, 1, 1) - roost_internal.search_post_score(0.5, '2026-01-01Z', 0, 0, 0, 0) AS engagement,
	roost_internal.search_post_score(0.5, '2026-01-02Z', 0, 0, 0, 0) - roost_internal.search_post_score(0.5, '2026-01-01Z', 0, 0, 0, 0) AS day,
	roost_internal.search_post_score(0.5, '2026-01-01Z', -5, 0, 0, 0) - roost_internal.search_post_score(0.5, '2026-01-01Z', 0, 0, 0, 0) AS negative;

-- pages: everything once, in whatever parts it lies, also where there is too much for the index alone
SET roost.search_part_size = 100;
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text)
SELECT i.id, 72011, i.id, roost.id_time(i.id::roost.id), CASE WHEN n % 3 = 0 THEN 'aardvark common' WHEN n % 1000 = 1 THEN 'aardvark rare' ELSE 'aardvark' END
FROM generate_series(1, 6000) n, LATERAL (SELECT roost_internal.id_floor('2200-01-02Z') + n AS id) i;
SELECT count(roost_internal.search_index(b.ids)) FROM (SELECT array_agg(p.id ORDER BY p.id) AS ids FROM roost_data.post p WHERE p.id > roost_internal.id_floor('2200-01-02Z') GROUP BY p.id / 2500 ORDER BY p.id / 2500) b;
SELECT count(*) > 2 AS parts FROM roost_data.search_part;
CREATE FUNCTION pg_temp.walk(q text, "order" roost.search_order, "limit" integer, OUT pages integer, OUT total bigint, OUT distinct_ids bigint, OUT ordered boolean, OUT partial bigint) LANGUAGE plpgsql AS $$
DECLARE
	v_next text;
	v_page record;
	v_ids bigint[] := '{}';
BEGIN
	pages := 0; partial := 0;
	LOOP
		SELECT * INTO v_page FROM roost_internal.search_post_page(NULL, q, "order", "limit", v_next, NULL);
		pages := pages + 1;
		v_ids := v_ids || v_page.ids;
		partial := partial + v_page.partial::integer;
		v_next := v_page.next;
		EXIT WHEN v_next IS NULL OR pages > 2000;
	END LOOP;
	SELECT count(*), count(DISTINCT id), bool_and("order" = 'top' OR id < before) INTO total, distinct_ids, ordered
	FROM (SELECT id, lag(id, 1, 9223372036854775807) OVER (ORDER BY n) AS before FROM unnest(v_ids) WITH ORDINALITY u (id, n)) s;
END
$$;
SET roost.search_time = '1min';
SELECT q, w.* FROM unnest('{rare,common,"aardvark -common","\"common rare\"",aardvark}'::text[]) q, pg_temp.walk(q, 'recent', 150) w;
SELECT w.* FROM pg_temp.walk('common', 'top', 30) w;
-- little effort: pages are partial, and lose nothing
SET roost.search_effort = 500;
SELECT q, w.total, w.distinct_ids, w.ordered, w.partial > 0 AS partial FROM unnest('{rare,common,"aardvark common","\"common aardvark\""}'::text[]) q, pg_temp.walk(q, 'recent', 150) w;
-- where a search stops tells nothing of posts that the reader may not see
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, visibility)
SELECT b + n, 72002, b + n, now(), 'hushword', 'followers' FROM generate_series(1, 40) n, (SELECT roost_internal.id_floor('2200-01-03Z') AS b) i;
SELECT roost_internal.search_index(ARRAY(SELECT id FROM roost_data.post WHERE id > roost_internal.id_floor('2200-01-03Z')));
SET roost.search_effort = 100;
SELECT h.next IS NOT DISTINCT FROM a.next AS same, EXISTS (SELECT FROM roost_data.post p WHERE p.id = h.next::bigint AND p.text = 'hushword') AS told
FROM roost_internal.search_post_page(72011, 'hushword', 'recent', 20, NULL, NULL) h, roost_internal.search_post_page(72011, 'absentword', 'recent', 20, NULL, NULL) a;
RESET roost.search_effort;
-- newer than
SELECT count(*), min(p.id::bigint - roost_internal.id_floor('2200-01-02Z')), max(p.id::bigint - roost_internal.id_floor('2200-01-02Z')) FROM roost.search_posts('aardvark', after => (roost_internal.id_floor('2200-01-02Z') + 5990)::text) p;
SELECT count(*), min(p.id::bigint - roost_internal.id_floor('2200-01-02Z')) FROM roost.search_posts('rare', "limit" => 3, after => (roost_internal.id_floor('2200-01-02Z') + 3000)::text) p;
SELECT roost.search_posts('aardvark', "limit" => 0); \echo :LAST_ERROR_SQLSTATE
SELECT roost.search_posts('aardvark', before => 'x'); \echo :LAST_ERROR_SQLSTATE
SELECT roost.search_posts('aardvark', "order" => 'top', before => '17'); \echo :LAST_ERROR_SQLSTATE
-- what only SQL can write does not stop the index
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, hashtags, media, language, content_warning)
SELECT b + n, 72011, b + n, now(), 'strange cassowary ' || n, CASE n WHEN 1 THEN '{odd}'::text[] END, CASE n WHEN 2 THEN '{"a": 1}' WHEN 3 THEN '[1, {"type": null, "description": 7}]' WHEN 4 THEN '"x"' END::jsonb,
	CASE n WHEN 5 THEN '' WHEN 6 THEN '-' END, CASE n WHEN 7 THEN repeat(md5('x'), 100000) WHEN 8 THEN (SELECT string_agg(md5(k::text), ' ') FROM generate_series(1, 30000) k) END
FROM generate_series(1, 8) n, (SELECT roost_internal.id_floor('2200-01-04Z') AS b) i;
SELECT roost_internal.search_index(ARRAY(SELECT id FROM roost_data.post WHERE id > roost_internal.id_floor('2200-01-04Z')));
SELECT count(*) FROM roost.search_posts('cassowary');
-- what is truncated is gone; hashtags are counted
SELECT hashtag, posts FROM roost_data.search_hashtag WHERE hashtag = 'outback';
DELETE FROM roost_data.post WHERE id = :base + 201;
SELECT roost_internal.search_index(ARRAY[:base + 201]);
SELECT hashtag, posts FROM roost_data.search_hashtag WHERE hashtag = 'outback';
SELECT * FROM roost_internal.search_check() WHERE problem NOT IN ('not indexed', 'there is still a gap', 'account is not indexed', 'account is not active') AND (id IS NULL OR id >= :base);
-- a part that has grown too large is emptied, to be divided
SELECT roost_internal.search_part_vacate(max(low_id)) FROM roost_data.search_part;
SELECT count(*) FROM roost_data.search_gap WHERE high_id = 9223372036854775807;
ROLLBACK;
