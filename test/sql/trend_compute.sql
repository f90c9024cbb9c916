-- Trends: a burst is one, mere volume is not; accounts count, not posts; languages; what is not public; fading; hiding.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
SET TimeZone = 'UTC';
BEGIN;
SET extra_float_digits = -12;
-- The worker keeps out while somebody else is at it.
SELECT pg_advisory_xact_lock(hashtextextended('roost.trend_run', 0));
DELETE FROM roost_data.trend_state; DELETE FROM roost_data.trend_hashtag; DELETE FROM roost_data.trend_post;
DELETE FROM roost_data.trend_hashtag_use; DELETE FROM roost_data.trend_hashtag_hour; DELETE FROM roost_data.trend_post_use;
SELECT roost_internal.clock_freeze('2035-03-10 12:30:00+00');
INSERT INTO roost_data.account (id, username, is_private, status)
SELECT 8000 + n, 'trend_' || n, n BETWEEN 60 AND 69, CASE WHEN n BETWEEN 70 AND 79 THEN 'suspended' ELSE 'active' END FROM generate_series(1, 99) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'trend_' || n, 8000 + n FROM generate_series(1, 99) n;
CREATE FUNCTION pg_temp.post(author integer, hashtags text[], age interval, seen_by roost.visibility DEFAULT 'public', language text DEFAULT 'en', reply_to bigint DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, visibility, text, hashtags, language, reply_to_id, reply_to_account_id)
	SELECT i.id, 8000 + author, i.id, roost_internal.clock_now() - age, seen_by, 'text', hashtags, language, reply_to, CASE WHEN reply_to IS NOT NULL THEN 1 END
	FROM (SELECT roost_internal.id_at(roost_internal.clock_now() - age, 8000 + author, hashtextextended(concat(author, hashtags, age, reply_to), 0)) AS id) i
	RETURNING id
$$;
-- looks at everything anew: to look twice changes nothing
CREATE FUNCTION pg_temp.run() RETURNS boolean LANGUAGE sql AS $$
	UPDATE roost_data.trend_state SET post_id = 0, like_id = 0;
	SELECT roost_internal.trend_run(100000, roost_internal.id_floor(roost_internal.clock_now()))
$$;
CREATE VIEW pg_temp.hashtags AS SELECT t."window", t.language, t.place, t.hashtag, t.accounts, round(t.expected::numeric, 2) AS expected, round(t.score::numeric, 2) AS score FROM roost_data.trend_hashtag t ORDER BY 1, 2, 3;

-- always: 40 accounts an hour for 8 days; burst: 2 an hour, then 20 in the last hour
SELECT count(pg_temp.post(n, '{always}', make_interval(hours => h, mins => n % 25))) FROM generate_series(1, 40) n, generate_series(0, 191) h;
SELECT count(pg_temp.post(n, '{burst}', make_interval(hours => h, mins => 5))) FROM generate_series(1, 2) n, generate_series(1, 191) h;
SELECT count(pg_temp.post(n, '{burst}', make_interval(mins => n))) FROM generate_series(1, 20) n;
-- one account, many posts; a few accounts; private, suspended and for followers only
SELECT count(pg_temp.post(50, '{spam}', make_interval(mins => n % 50, secs => n))) FROM generate_series(1, 200) n;
SELECT count(pg_temp.post(n, '{few}', '10 minutes')) FROM generate_series(1, 4) n;
SELECT count(pg_temp.post(n, '{private}', '10 minutes')) FROM generate_series(60, 69) n;
SELECT count(pg_temp.post(n, '{suspended}', '10 minutes')) FROM generate_series(70, 79) n;
SELECT count(pg_temp.post(n, '{followers}', '10 minutes', 'followers')) FROM generate_series(1, 10) n;
-- two languages; another region is the same one
SELECT count(pg_temp.post(n, '{fado}', '10 minutes', language => CASE WHEN n % 2 = 0 THEN 'pt-BR' ELSE 'pt' END)) FROM generate_series(1, 8) n;
SELECT count(pg_temp.post(n, '{fado}', '11 minutes', language => NULL)) FROM generate_series(11, 12) n;
-- in parts: nothing is scored before all is known
SELECT roost_internal.trend_run(6000, roost_internal.id_floor(roost_internal.clock_now())), roost_internal.trend_run(2000, roost_internal.id_floor(roost_internal.clock_now()));
SELECT count(*) FROM roost_data.trend_hashtag;
SELECT roost_internal.trend_run(5000, roost_internal.id_floor(roost_internal.clock_now())), roost_internal.trend_run(5000, roost_internal.id_floor(roost_internal.clock_now()));
SELECT * FROM pg_temp.hashtags WHERE "window" = 'hour';
SELECT * FROM pg_temp.hashtags WHERE "window" = 'day';
SELECT sum(accounts) FROM roost_data.trend_hashtag_hour WHERE hashtag = 'always';
SELECT sum(accounts) FROM roost_data.trend_hashtag_hour WHERE hashtag = 'spam';
-- again, with nothing new: nothing changes; a second post of the same account changes nothing either
SELECT pg_temp.post(1, '{burst}', '30 seconds') IS NOT NULL AS posted, pg_temp.run();
SELECT * FROM pg_temp.hashtags WHERE "window" = 'hour' AND language = '';
-- one more account does
SELECT pg_temp.post(21, '{burst}', '20 seconds') IS NOT NULL AS posted, pg_temp.run();
SELECT * FROM pg_temp.hashtags WHERE "window" = 'hour' AND language = '';
-- the threshold and the support are settings
SET roost.trend_support = 4; SET roost.trend_threshold = 2;
SELECT pg_temp.post(1, '{few}', '5 seconds') IS NOT NULL AS posted, pg_temp.run();
SELECT hashtag, accounts, score FROM pg_temp.hashtags WHERE "window" = 'hour' AND language = '';
RESET roost.trend_support; RESET roost.trend_threshold;

-- the calls
SELECT hashtag, accounts, round(score::numeric, 2) AS score, since, cursor FROM roost.trend_hashtag_list();
SELECT hashtag, cursor FROM roost.trend_hashtag_list('hour', "limit" => 1);
SELECT hashtag, cursor FROM roost.trend_hashtag_list('hour', "limit" => 1, before => '1');
SELECT hashtag, cursor FROM roost.trend_hashtag_list('hour', after => '2');
SELECT hashtag FROM roost.trend_hashtag_list('hour', 'pt-PT');
SELECT roost.trend_hide('Burst');
SELECT hashtag FROM roost.trend_hashtag_list('hour');
SELECT DISTINCT hashtag FROM roost_bi.trend WHERE kind = 'hashtag' ORDER BY 1;
SELECT roost.trend_hide('burst', false);
SELECT hashtag FROM roost.trend_hashtag_list('hour');

-- posts: more than its author's others; each account once; never one's own
SELECT pg_temp.post(90, NULL, '40 minutes') AS hit, pg_temp.post(91, NULL, '41 minutes', language => 'pt') AS usual, pg_temp.post(94, '{secret}', '42 minutes') AS tagged, pg_temp.post(92, NULL, '43 minutes') AS lonely, pg_temp.post(93, NULL, '44 minutes', 'followers') AS hidden \gset
SELECT count(pg_temp.post(91, NULL, make_interval(days => n))) FROM generate_series(3, 8) n;
SELECT count(roost_internal.post_stat_add(p.id, 10, 0, 0, 0)) FROM roost_data.post p WHERE p.author_id = 8091 AND p.id <> :usual;
INSERT INTO roost_data.post_like (account_id, post_id, id, created_at)
SELECT 8000 + n, p, roost_internal.id_at(roost_internal.clock_now() - interval '5 minutes', 8000 + n, p + n), roost_internal.clock_now() - interval '5 minutes'
FROM generate_series(1, 9) n, unnest(ARRAY[:hit, :usual, :tagged, :hidden]) p;
SELECT count(pg_temp.post(n, NULL, '3 minutes', reply_to => :hit)) FROM generate_series(5, 12) n;
SELECT count(pg_temp.post(92, NULL, make_interval(secs => n), reply_to => :lonely)) FROM generate_series(1, 12) n;
SELECT pg_temp.run();
CREATE VIEW pg_temp.posts AS SELECT t."window", t.language, t.place, CASE t.post_id WHEN current_setting('trend.hit')::bigint THEN 'hit' WHEN current_setting('trend.tagged')::bigint THEN 'tagged' ELSE 'other' END AS post, t.accounts, round(t.expected::numeric, 2) AS expected, round(t.score::numeric, 2) AS score FROM roost_data.trend_post t ORDER BY 1, 2, 3;
SET trend.hit = :hit; SET trend.tagged = :tagged;
SELECT * FROM pg_temp.posts;
SELECT id = :hit AS hit, like_count, liked FROM roost.trend_post_list(8001, 'hour');
SELECT id = :tagged AS tagged FROM roost.trend_post_list(NULL, 'hour', before => '1');
SELECT count(*) FROM roost.trend_post_list(NULL, 'hour', 'pt');
SELECT roost.trend_hide('secret');
SELECT id = :hit AS hit FROM roost.trend_post_list(NULL, 'day');
-- what is deleted or no longer public is gone at once
UPDATE roost_data.post SET visibility = 'followers' WHERE id = :hit;
SELECT count(*) FROM roost.trend_post_list(8001);
SELECT count(*) FROM roost_bi.trend WHERE kind = 'post' AND post_id = :hit;
UPDATE roost_data.post SET visibility = 'public' WHERE id = :hit;
UPDATE roost_data.account SET status = 'suspended' WHERE id = 8090;
SELECT count(*) FROM roost.trend_post_list(8001);
UPDATE roost_data.account SET status = 'active' WHERE id = 8090;
DELETE FROM roost_data.post WHERE id = :hit;
SELECT count(*) FROM roost.trend_post_list(8001);

-- fading: half in two hours, then gone; the burst becomes what is usual
SELECT roost_internal.clock_freeze('2035-03-10 14:30:00+00');
SELECT pg_temp.run();
SELECT hashtag, score FROM pg_temp.hashtags WHERE "window" = 'hour' AND language = '';
SELECT post, score FROM pg_temp.posts WHERE "window" = 'hour' AND language = '';
SELECT roost_internal.clock_freeze('2035-03-10 23:30:00+00');
SELECT pg_temp.run();
SELECT count(*) FROM roost_data.trend_hashtag WHERE "window" = 'hour';

-- what is too old goes, and what is noted of an account with it
SELECT roost_internal.clock_freeze('2035-03-11 14:00:00+00');
SELECT roost_internal.trend_maintenance() > 0 AS purged;
SELECT (SELECT count(*) FROM roost_data.trend_hashtag_use WHERE at < '2035-03-10 13:00+00') AS uses, (SELECT count(*) FROM roost_data.trend_hashtag_hour WHERE hour < '2035-03-02 14:00+00') AS hours;
SELECT pg_temp.post(5, '{late}', '1 minute') IS NOT NULL AS posted, pg_temp.run();
SELECT count(*) FROM roost_data.trend_hashtag_use WHERE account_id = 8005;
SELECT roost_internal.trend_account_delete(8005);
SELECT count(*) FROM roost_data.trend_hashtag_use WHERE account_id = 8005;
SELECT roost_internal.clock_freeze(NULL);
ROLLBACK;

-- nothing below the given id: nothing to do
SELECT roost_internal.trend_run(1, 1);
-- over HTTP
SELECT split_part(roost.handle('GET', p, q, '', NULL, '192.0.2.90'), E'\n', 1) AS status FROM (VALUES ('/trends', ''), ('/trends/hashtags', 'window=hour&language=en'), ('/trends/posts', 'window=day')) t (p, q);
SELECT roost.handle('GET', '/trends', 'window=year', '', NULL, '192.0.2.90');
\echo :LAST_ERROR_SQLSTATE
