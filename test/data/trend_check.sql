-- See test/data/trend.  Communities are hashtags; 2,000 accounts post; the
-- posts are spread over 8 days in a fixed random order, so that what is usual
-- differs by community and by nothing else.
SET client_min_messages = warning;
SELECT roost_internal.clock_freeze('2035-06-15 12:00:00+00');
-- the worker, whose clock goes on, looks at nothing meanwhile
SELECT pg_advisory_lock(hashtextextended('roost.trend_run', 0));
CREATE SCHEMA raw;
CREATE TABLE raw.post (id text PRIMARY KEY, created bigint, community text, score integer, ups integer, downs integer, comments integer, title text, text text);
\copy raw.post FROM PROGRAM 'xzcat "$ROOST_TEST_DATA/posts/posts.tsv.xz"'
SET session_replication_role = replica;
INSERT INTO roost_data.account (id, username) SELECT n, 'trend_' || n FROM generate_series(1, 2000) n;
SET session_replication_role = origin;
CREATE TABLE raw.made AS
SELECT p.id, p.community, 1 + ('x' || left(md5(p.id), 7))::bit(28)::bigint % 2000 AS author,
	roost_internal.clock_now() - interval '8 days' * ((row_number() OVER (ORDER BY md5('order ' || p.id)) - 0.5) / count(*) OVER ()) AS at
FROM raw.post p;
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, hashtags, language)
SELECT i.id, m.author, i.id, m.at, left(p.title, 500), ARRAY[roost_internal.hashtag_fold(m.community)], 'en'
FROM raw.made m JOIN raw.post p USING (id) CROSS JOIN LATERAL (SELECT roost_internal.id_at(m.at, m.author, hashtextextended(m.id, 0)) AS id) i
ON CONFLICT DO NOTHING;
CREATE SEQUENCE raw.test;
CREATE FUNCTION raw.ok(good boolean, what text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s %s - %s', CASE WHEN good THEN 'ok' ELSE 'not ok' END, nextval('raw.test'), what)
$$;
CREATE FUNCTION raw.run() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		EXIT WHEN NOT roost_internal.trend_run(5000, roost_internal.id_floor(roost_internal.clock_now()));
	END LOOP;
END
$$;
-- the worker, if it comes first, has seen nothing of these days
DELETE FROM roost_data.trend_state;
SELECT clock_timestamp() AS started \gset
SELECT raw.run();
SELECT format('# %s posts of 8 days in %s s', (SELECT count(*) FROM roost_data.post), round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1));
SELECT raw.ok(count(*) > 35, 'communities are known: ' || count(*)) FROM (SELECT DISTINCT hashtag FROM roost_data.trend_hashtag_hour) h;
SELECT raw.ok((SELECT count(DISTINCT account_id) FROM roost_data.trend_hashtag_use WHERE at > roost_internal.clock_now() - interval '1 day' AND hashtag = h.hashtag) > 90, 'the largest one is large: ' || hashtag)
FROM (SELECT hashtag, sum(accounts) FROM roost_data.trend_hashtag_hour GROUP BY 1 ORDER BY 2 DESC LIMIT 1) h;
SELECT raw.ok(count(*) = 0, coalesce('no community is a trend' || string_agg(' ' || hashtag || ' ' || accounts || ' for ' || expected || ': ' || score, ','), 'no community is a trend'))
FROM roost_data.trend_hashtag;

-- 20 more accounts in half an hour, for a middle-sized community and for a new hashtag
CREATE TABLE raw.planted AS
SELECT hashtag FROM (SELECT hashtag, row_number() OVER (ORDER BY sum(accounts), hashtag) AS n, count(*) OVER () AS all FROM roost_data.trend_hashtag_hour GROUP BY 1) h WHERE n = "all" / 2
UNION ALL SELECT 'planted';
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, hashtags, language)
SELECT i.id, n, i.id, t.at, 'planted', ARRAY[hashtag], 'en'
FROM raw.planted, generate_series(1, 20) n
CROSS JOIN LATERAL (SELECT roost_internal.clock_now() + n * interval '90 seconds' AS at) t
CROSS JOIN LATERAL (SELECT roost_internal.id_at(t.at, n, hashtextextended(hashtag || n, 0)) AS id) i;
-- one account posts a thousand times
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, hashtags, language)
SELECT i.id, 7, i.id, t.at, 'spam', '{spam}', 'en'
FROM generate_series(1, 1000) n
CROSS JOIN LATERAL (SELECT roost_internal.clock_now() + n * interval '1 second' AS at) t
CROSS JOIN LATERAL (SELECT roost_internal.id_at(t.at, 7, n) AS id) i;
SELECT roost_internal.clock_freeze(roost_internal.clock_now() + interval '31 minutes');
SELECT raw.run();
SELECT raw.ok(array_agg(t.hashtag ORDER BY t.hashtag) = (SELECT array_agg(p.hashtag ORDER BY p.hashtag) FROM raw.planted p),
	'what was planted is a trend of the hour, nothing else is: ' || string_agg(format('%s %s for %s', t.hashtag, t.accounts, round(t.expected::numeric, 2)), ', '))
FROM roost.trend_hashtag_list('hour', "limit" => 100) t;
SELECT raw.ok(bool_and(t.hashtag IN (SELECT hashtag FROM raw.planted)) AND bool_or(t.hashtag = 'planted'), 'and of the day: ' || string_agg(t.hashtag, ', '))
FROM roost.trend_hashtag_list('day', "limit" => 100) t;
SELECT raw.ok(count(*) = 0, 'one account is no trend') FROM roost_data.trend_hashtag WHERE hashtag = 'spam';
SELECT '1..' || currval('raw.test');
