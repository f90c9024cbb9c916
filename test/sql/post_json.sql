-- Posts written as JSON straight from the rows, and by way of composites, are the same bytes.
\set VERBOSITY terse
\pset format unaligned
BEGIN;

-- 1 writes; 2 follows 1 and 5; 3 is mentioned; 4 is anybody; 5 is private; 6 will be gone
INSERT INTO roost_data.account (id, username, display_name, avatar_url, is_private)
SELECT 2900 + n, 'Json_' || n, CASE n WHEN 1 THEN E'Zoë "Q" \\ 😀' ELSE '' END, CASE n WHEN 1 THEN 'https://example.org/a.png?x="1"' END, n = 5
FROM generate_series(1, 6) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'json_' || n, 2900 + n FROM generate_series(1, 6) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (2902, 2901, 1), (2902, 2905, 2);

CREATE TEMP TABLE made (what text, id bigint);
INSERT INTO made SELECT v.what, (roost.post_create(v.author, v.text, visibility => v.visibility::roost.visibility, content_warning => v.warning, language => v.language, media => v.media)).id
FROM (VALUES
	('plain', 2901, 'hello', 'public', NULL, NULL, NULL::jsonb),
	('escapes', 2901, E'tab\tline\nquote " back \\ slash / e\u0301 \u2028 😀 </script>', 'public', NULL, 'en', NULL),
	('entities', 2901, '@json_3 #One #two #Ünï https://example.org/?q="a" and bare example.org/x', 'public', NULL, 'de', NULL),
	('warning', 2901, 'behind it #tag', 'public', E'a "warning" \\', 'en', NULL),
	('media', 2902, '', 'public', NULL, NULL, '[{"url": "https://example.org/1.png", "type": "image", "width": 10, "height": 2.5, "description": "a \"b\""}, {"url": "https://example.org/2.mp4", "type": "video"}]'),
	('unlisted', 2902, 'unlisted', 'unlisted', NULL, NULL, NULL),
	('followers', 2901, 'for followers', 'followers', NULL, NULL, NULL),
	('direct', 2901, '@json_3 for one', 'direct', NULL, NULL, NULL),
	('private', 2905, 'of a private account', 'public', NULL, NULL, NULL),
	('long', 2902, repeat('word ', 90), 'public', NULL, NULL, NULL),
	('gone', 2906, 'by one who leaves', 'public', NULL, NULL, NULL),
	('deleted', 2902, 'to be deleted', 'public', NULL, NULL, NULL)
) v(what, author, text, visibility, warning, language, media);
CREATE FUNCTION pg_temp.made(what text) RETURNS bigint LANGUAGE sql AS $$ SELECT m.id FROM made m WHERE m.what = made.what $$;
INSERT INTO made SELECT 'reply', (roost.post_create(2903, 'an answer', reply_to_id => pg_temp.made('plain'))).id;
INSERT INTO made SELECT 'reply to deleted', (roost.post_create(2903, 'an answer', reply_to_id => pg_temp.made('deleted'))).id;
INSERT INTO made SELECT 'quote of ' || q, (roost.post_create(2901, 'quote of ' || q, quote_of_id => pg_temp.made(q))).id FROM unnest('{plain,escapes,gone,deleted}'::text[]) q;
INSERT INTO made SELECT 'quote of private', (roost.post_create(2902, 'look', quote_of_id => pg_temp.made('private'))).id;
INSERT INTO made SELECT 'quote of quote', (roost.post_create(2904, 'twice', quote_of_id => pg_temp.made('quote of plain'))).id;
CREATE TEMP TABLE retweeted AS SELECT q AS what, (roost.post_retweet(2904, pg_temp.made(q))).id FROM unnest('{plain,entities,quote of plain,gone,deleted}'::text[]) q;
INSERT INTO made SELECT 'retweet of ' || m.what, p.id FROM roost_data.post p JOIN made m ON m.id = p.retweet_of_id;
SELECT count(*) FROM roost.post_edit(2901, pg_temp.made('entities'), 'now @json_2 #three');
SELECT count(*) FROM roost.post_pin(2901, pg_temp.made('plain'));
SELECT count(*) FROM made m, unnest('{2902,2903,2904}'::bigint[]) v WHERE m.what IN ('plain', 'escapes', 'long') AND (roost.post_like(v, m.id)).id IS NOT NULL;
SELECT count(*) FROM made m WHERE m.what IN ('media', 'plain') AND (roost.post_bookmark(2902, m.id)).id IS NOT NULL;
SELECT count(*) FROM roost.post_delete(2902, pg_temp.made('deleted'));
DELETE FROM roost_data.account WHERE id = 2906;
-- what only a hand can write
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, hashtags, mentions, media, language, visibility)
VALUES (7, 2901, 7, 'infinity', '', '{a,NULL,"b\"c"}', '{}', 'null', '', 'unlisted'), (8, 2901, 8, '0044-03-15 12:00+00 BC', 'ides', '{}', '[]', '[1, 1.50, -0.0]', 'la', 'public'), (9, 2901, 9, '1999-12-31 23:59:59.9996+00', 'round', '{{a,b},{c,d}}', NULL, NULL, NULL, 'public');
INSERT INTO made VALUES ('infinite', 7), ('before', 8), ('round', 9);

-- every post to every viewer, in both orders, as one page and alone
CREATE FUNCTION pg_temp.generic(viewer_id bigint, ids bigint[]) RETURNS text LANGUAGE sql AS $$
	SELECT '[' || coalesce(string_agg(roost_internal.to_json(h), ','), '') || ']' FROM roost_internal.post_hydrate(viewer_id, ids) h
$$;
CREATE TEMP VIEW viewer AS SELECT unnest('{null,2901,2902,2903,2904,2905,1}'::bigint[]) AS id;
SELECT coalesce(v.id::text, 'stranger') AS viewer, json_array_length(j.json::json) AS posts, j.json = g.json AS same, d.json = e.json AS same_upwards
FROM viewer v, (SELECT array_agg(id ORDER BY id DESC) AS down, array_agg(id ORDER BY id) AS up FROM made) m,
	LATERAL roost_internal.post_hydrate_json(v.id, m.down) j(json), LATERAL pg_temp.generic(v.id, m.down) g(json),
	LATERAL roost_internal.post_hydrate_json(v.id, m.up) d(json), LATERAL pg_temp.generic(v.id, m.up) e(json);
SELECT count(*), count(*) FILTER (WHERE j.json <> '[]') AS seen
FROM made m, viewer v, LATERAL roost_internal.post_hydrate_json(v.id, ARRAY[m.id]) j(json), LATERAL pg_temp.generic(v.id, ARRAY[m.id]) g(json)
WHERE j.json = g.json;

-- twice, unknown, null, none
SELECT j.json = g.json AS same, json_array_length(j.json::json) AS posts
FROM (SELECT ARRAY[id, 1, NULL, id] AS ids FROM made WHERE what = 'plain') m, LATERAL roost_internal.post_hydrate_json(2902, m.ids) j(json), LATERAL pg_temp.generic(2902, m.ids) g(json);
SELECT roost_internal.post_hydrate_json(2902, '{}'), roost_internal.post_hydrate_json(2902, NULL), roost_internal.post_hydrate_json(NULL, '{1}');

-- one of them in full
SELECT jsonb_pretty(roost_internal.post_hydrate_json(2902, ARRAY[pg_temp.made('infinite'), pg_temp.made('before'), pg_temp.made('round')])::jsonb #- '{0,author}' #- '{1,author}' #- '{2,author}');
ROLLBACK;
