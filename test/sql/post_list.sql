-- Answers, quotes, threads, tag pages and permalinks.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 2500 + n, 'lister_' || n FROM generate_series(1, 5) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'lister_' || n, 2500 + n FROM generate_series(1, 5) n;

-- pages of answers, newest first
SELECT id AS root FROM roost.post_create(2501, 'root') \gset
CREATE TEMP TABLE answer AS SELECT n, (roost.post_create(2502, 'answer ' || n, reply_to_id => :root)).id FROM generate_series(1, 5) n;
SELECT text FROM roost.post_reply_list(:root, "limit" => 2);
SELECT text FROM roost.post_reply_list(:root, "limit" => 2, before => (SELECT id::text FROM answer WHERE n = 4));
SELECT text FROM roost.post_reply_list(:root, after => (SELECT id::text FROM answer WHERE n = 4));
SELECT text FROM roost.post_reply_list(:root, "limit" => 0);
SELECT roost.post_reply_list(:root, before => 'x y');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost.post_create(2503, 'quote', quote_of_id => :root);
SELECT text, (quote_of).text FROM roost.post_quote_list(:root);
SELECT count(*) FROM roost.post_quote_list(:root, before => :'root');

-- a thread: a line down to the post, a tree below it
SELECT id AS a1 FROM answer WHERE n = 1 \gset
SELECT id AS b1 FROM roost.post_create(2503, 'b1', reply_to_id => :a1) \gset
SELECT id AS b2 FROM roost.post_create(2504, 'b2', reply_to_id => :a1) \gset
SELECT id AS c1 FROM roost.post_create(2505, 'c1', reply_to_id => :b1) \gset
SELECT id AS hidden FROM roost.post_create(2505, '@lister_4 for two', reply_to_id => :b1, visibility => 'direct') \gset
SELECT id AS below FROM roost.post_create(2504, 'below', reply_to_id => :hidden) \gset
CREATE FUNCTION pg_temp.texts(posts roost.post[]) RETURNS text[] LANGUAGE sql AS $$ SELECT array_agg(p.text ORDER BY n) FROM unnest(posts) WITH ORDINALITY p(id, author, text, created_at, edited_at, visibility, reply_to_id, reply_to_account_id, thread_id, quote_of_id, like_count, retweet_count, reply_count, quote_count, liked, retweeted, bookmarked, pinned, mentions, hashtags, urls, media, language, content_warning, url, retweet_of, quote_of, cursor, n) $$;
SELECT pg_temp.texts(ancestors), pg_temp.texts(descendants) FROM roost.post_context(:a1);
SELECT pg_temp.texts(ancestors), pg_temp.texts(descendants) FROM roost.post_context(:a1, 2504);
SELECT pg_temp.texts(ancestors), pg_temp.texts(descendants) FROM roost.post_context(:c1);
SELECT pg_temp.texts(ancestors) FROM roost.post_context(:below);
SELECT pg_temp.texts(ancestors) FROM roost.post_context(:below, 2505);
SELECT id AS alone FROM roost.post_create(2501, 'alone') \gset
SELECT ancestors, descendants FROM roost.post_context(:alone);

-- strangers get a bounded part: 40 above, 60 below, 20 deep
CREATE FUNCTION pg_temp.chain(post_id bigint, n integer) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. n LOOP
		post_id := (roost.post_create(2501, i::text, reply_to_id => post_id)).id;
	END LOOP;
	RETURN post_id;
END
$$;
SELECT id AS long FROM roost.post_create(2501, '0') \gset
SELECT pg_temp.chain(:long, 50) AS "end" \gset
SELECT cardinality(ancestors), (ancestors[1]).text, cardinality(descendants) FROM roost.post_context(:end);
SELECT cardinality(ancestors), (ancestors[1]).text, cardinality(descendants) FROM roost.post_context(:end, 2501);
SELECT cardinality(descendants), (descendants[20]).text FROM roost.post_context(:long);
SELECT cardinality(descendants), (descendants[50]).text FROM roost.post_context(:long, 2501);
SELECT count(roost.post_create(2502, 'many', reply_to_id => :root)) FROM generate_series(1, 70);
SELECT cardinality(descendants) FROM roost.post_context(:root);
SELECT cardinality(descendants) FROM roost.post_context(:root, 2501);

-- tag pages: public posts, newest first, whatever the case and width
CREATE TEMP TABLE tagged AS SELECT n, (roost.post_create(2501, 'tag ' || n || ' #Tést #Tést #other')).id FROM generate_series(1, 3) n;
SELECT count(*) FROM roost.post_create(2501, 'unlisted #tést', visibility => 'unlisted');
SELECT text FROM roost.hashtag_post_list('TÉST');
SELECT text FROM roost.hashtag_post_list('tést', "limit" => 1, before => (SELECT max(id)::text FROM tagged));
SELECT text FROM roost.hashtag_post_list('ｏｔｈｅｒ', "limit" => 1);
SELECT count(*) FROM roost.hashtag_post_list('none');

-- permalinks: the id decides
SELECT id AS link, url FROM roost.post_create(2501, 'Words of a link!') \gset
SELECT type, id = :link, replace(url, :'link', 'ID'), (post).text, account IS NULL FROM roost.url_resolve(:'url');
SELECT replace(u, :'link', 'ID'), (post).text FROM unnest(ARRAY['/@lister_1/words-of-a-link-' || :link, '/@other/x-y-' || :link, '/@other/' || :link, 'https://elsewhere.example/@lister_1/x-' || :link || '/?a=b#c']) u,
	roost.url_resolve(u);
SELECT type, id, url, (account).username, post IS NULL FROM roost.url_resolve('/@LISTER_2');
SELECT roost.url_resolve('/@lister_1/words-of-a-link-4711');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.url_resolve('/@nobody_here');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.url_resolve('/@lister_1/words-of-a-link');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.url_resolve('javascript:alert(1)');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.url_resolve('/@lister_1/99999999999999999999');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
