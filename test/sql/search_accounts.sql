-- Who finds which accounts: names, prefixes, similar names, addresses, states, blocks; hashtags; pages; HTTP.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset footer off
BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('roost.search_run', 0));
INSERT INTO roost_data.account (id, username, display_name, is_private, status, limited_at)
SELECT 73000 + v.n, v.username, v.display_name, v.kind = 'private', CASE v.kind WHEN 'suspended' THEN 'suspended' ELSE 'active' END, CASE v.kind WHEN 'limited' THEN now() END
FROM (VALUES (1, 'quillon', 'Marguerite Quillon', ''), (2, 'quillon_two', 'Someone', ''), (3, 'qui_a', 'Zoé Quillonova', 'private'), (4, 'quillon_gone', 'Gone', 'suspended'),
	(5, 'quillon_limited', 'Limited', 'limited'), (6, 'quillon_blocker', 'Blocker', ''), (7, 'quillon_blocked', 'Blocked', ''), (8, 'quilon', 'Near', ''), (9, 'sa_reader', 'Reader', ''),
	(10, 'sa_follower', 'Follower', ''), (11, 'sa_kanji', '東京タワー', ''), (12, 'sa_accent', 'Ærøskøbing Łódź', ''), (13, 'quillon_popular', 'Popular', '')) v (n, username, display_name, kind);
INSERT INTO roost_data.account_handle (username, account_id) SELECT lower(username), id FROM roost_data.account WHERE id BETWEEN 73001 AND 73013 AND status <> 'deleted';
INSERT INTO roost_data.account_stat (account_id, slot, follower_count) VALUES (73013, 0, 5000), (73002, 0, 3);
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (73010, 73005, 1), (73010, 73002, 2);
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (73006, 73009, 1), (73009, 73007, 2);
CREATE FUNCTION pg_temp.found(q text, viewer bigint DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(a.username, ' '), '-') FROM roost.search_accounts(q, viewer) a
$$;
-- exact, prefix, words, similar; whom one follows before popular ones; states and blocks
SELECT v.viewer, pg_temp.found('quillon', v.id) FROM (VALUES ('stranger', NULL::bigint), ('reader', 73009), ('follower', 73010), ('limited', 73005), ('blocked', 73007)) v (viewer, id);
SELECT q, pg_temp.found(q) FROM unnest('{@quillon,QUILLON_,qui,quillom,quilllon,qullion,"marguerite quil","quillon marguerite",margeurite,zoe,ZOÉ,東京,タワ,タ,aeroskobing,lodz,"near nobody",z,"","   ",@,"%_\\''",xyzzyxyzzy}'::text[]) q;
-- names that change
UPDATE roost_data.account SET display_name = 'Renamed Wolverine' WHERE id = 73008;
SELECT pg_temp.found('wolverine'), pg_temp.found('near') AS old;
UPDATE roost_data.account SET status = 'suspended' WHERE id = 73008;
SELECT pg_temp.found('wolverine');
UPDATE roost_data.account SET status = 'active' WHERE id = 73008;
SELECT pg_temp.found('wolverine');
DELETE FROM roost_data.account_handle WHERE account_id = 73008;
DELETE FROM roost_data.account WHERE id = 73008;
SELECT pg_temp.found('wolverine'), count(*) FROM roost_data.search_account WHERE account_id = 73008;

-- addresses: only a whole one, verified, if its owner allows it
INSERT INTO roost_data.account_email (email, account_id, verified_at) VALUES ('marguerite@quillon.example', 73001, now()), ('two@quillon.example', 73002, now()), ('unverified@quillon.example', 73003, NULL), ('blocker@quillon.example', 73006, now());
INSERT INTO roost_data.search_setting (account_id, by_email) VALUES (73001, true), (73003, true), (73006, true);
SELECT q, pg_temp.found(q, 73010) AS found, pg_temp.found(q) AS stranger FROM unnest('{Marguerite@Quillon.example," marguerite@quillon.example ",two@quillon.example,unverified@quillon.example,nobody@quillon.example,marguerite@quillon,@quillon.example}'::text[]) q;
SELECT pg_temp.found('blocker@quillon.example', 73009) AS behind_a_block;
-- the same limit whether there is one or not
SELECT roost.limit_reset('search_email', 73011), roost.limit_reset('search_email', 73012);
SELECT count(roost.search('nobody' || n || '@quillon.example', 73011)) FROM generate_series(1, 20) n;
SELECT roost.search('nobody@quillon.example', 73011); \echo :LAST_ERROR_SQLSTATE
SELECT count(roost.search('marguerite@quillon.example', 73012)) FROM generate_series(1, 20) n;
SELECT roost.search('marguerite@quillon.example', 73012); \echo :LAST_ERROR_SQLSTATE
SELECT cardinality((roost.search('marguerite@quillon.example', NULL)).accounts) AS strangers_find_none;

-- pages
INSERT INTO roost_data.account (id, username, display_name) SELECT 73100 + n, 'pagewise_' || n, '' FROM generate_series(1, 57) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 73101 AND 73157;
INSERT INTO roost_data.account_stat (account_id, slot, follower_count) SELECT 73100 + n, 0, n % 5 FROM generate_series(1, 57) n;
CREATE FUNCTION pg_temp.walk(q text, kind roost.search_type, "limit" integer, OUT pages integer, OUT total bigint, OUT distinct_items bigint) LANGUAGE plpgsql AS $$
DECLARE
	v_result roost.search_result;
	v_items text[] := '{}';
BEGIN
	pages := 0;
	LOOP
		v_result := roost.search(q, NULL, kind, "limit" => "limit", before => v_result.next::roost.cursor);
		pages := pages + 1;
		v_items := v_items || ARRAY(SELECT a.username FROM unnest(v_result.accounts) a) || ARRAY(SELECT h.hashtag FROM unnest(v_result.hashtags) h);
		EXIT WHEN v_result.next IS NULL OR pages > 100;
	END LOOP;
	SELECT count(*), count(DISTINCT i) INTO total, distinct_items FROM unnest(v_items) i;
END
$$;
SELECT * FROM pg_temp.walk('pagewise', 'accounts', 10);
SELECT * FROM pg_temp.walk('pagewise', 'accounts', 57);

-- hashtags
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, hashtags, visibility)
SELECT i.id, CASE WHEN n % 7 = 6 THEN 73003 ELSE 73001 END, i.id, now(), '#tag', ARRAY['numbat' || CASE WHEN n % 7 = 0 THEN '' ELSE (n % 7)::text END], CASE WHEN n % 7 = 5 THEN 'followers' ELSE 'public' END::roost.visibility
FROM generate_series(1, 60) n, LATERAL (SELECT roost_internal.id_floor('2200-01-03Z') + n AS id) i;
INSERT INTO roost_data.post_hashtag (hashtag, post_id) SELECT unnest(p.hashtags), p.id FROM roost_data.post p WHERE p.id > roost_internal.id_floor('2200-01-03Z') AND p.visibility = 'public' ON CONFLICT DO NOTHING;
SELECT roost_internal.search_index(ARRAY(SELECT p.id FROM roost_data.post p WHERE p.id > roost_internal.id_floor('2200-01-03Z')));
-- 5 is for followers, 6 of a private account
SELECT q, (SELECT string_agg(h.hashtag || ' ' || h.posts, ', ') FROM roost.search_hashtags(q) h) FROM unnest('{n,nu,numbat,#NUMBAT,numbat1,numbat5,numbat6,numbat99,"",#,"a b"}'::text[]) q;
SELECT (SELECT string_agg(h.hashtag, ', ') FROM roost.search_hashtags('numbat6', 73003) h) AS own;
SELECT * FROM pg_temp.walk('numbat', 'hashtags', 2);
SELECT roost.trend_hide('numbat2');
SELECT string_agg(h.hashtag, ' ') FROM roost.search_hashtags('numbat') h;

-- HTTP
CREATE FUNCTION pg_temp.http(path text, query text, headers text DEFAULT '') RETURNS text LANGUAGE sql AS $$
	SELECT split_part(r, E'\n', 1) || ' ' || regexp_replace(r, '^.*?\n\n', '') FROM (SELECT roost.handle('GET', path, query, headers, NULL, '192.0.2.73') AS r) t
$$;
SELECT pg_temp.http('/search', 'q=xyzzyxyzzy');
SELECT pg_temp.http('/search', 'q=xyzzyxyzzy&type=hashtags');
SELECT pg_temp.http('/search', 'q=numbat1&type=hashtags&limit=1');
SELECT pg_temp.http('/search', 'q=a&type=nothing');
SELECT pg_temp.http('/search', 'q=a&order=best');
SELECT pg_temp.http('/search', 'q=a&limit=1000');
SELECT pg_temp.http('/search', 'q=a&before=17');
SELECT pg_temp.http('/search', 'q=a&type=accounts&before=17');
SELECT pg_temp.http('/search', 'q=since:never');
SELECT pg_temp.http('/search', '');
SELECT pg_temp.http('/me/search-settings', '');
SELECT pg_temp.http('/me/search-settings', '', 'authorization: Bearer ' || roost_internal.token_make(73001, 1, 1));
ROLLBACK;
