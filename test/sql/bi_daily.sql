-- Counting in the background: activity, days, retention, authors; who may see it.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
SET TimeZone = 'UTC'; SET DateStyle = 'ISO';
BEGIN;
-- Nobody else counts meanwhile; a year in which no other test has left anything.
SELECT pg_advisory_xact_lock(hashtextextended('roost.bi', 0));
SELECT roost_internal.clock_freeze('2001-03-02 12:00:00+00');
CREATE FUNCTION pg_temp.account(name text, at timestamptz, private boolean DEFAULT false) RETURNS bigint LANGUAGE sql AS $$
	WITH made AS (INSERT INTO roost_data.account (id, username, is_private, created_at)
		SELECT roost_internal.id_at(at, NULL, hashtextextended(name, 1)), name, private, at RETURNING id, username)
	INSERT INTO roost_data.account_handle SELECT username, id FROM made RETURNING account_id
$$;
CREATE FUNCTION pg_temp.seen(who bigint, at timestamptz) RETURNS void LANGUAGE sql AS $$
	UPDATE roost_data.account SET last_active_at = seen.at WHERE id = who
$$;
SELECT pg_temp.account('bid_ada', '2001-01-30 10:00+00') AS ada, pg_temp.account('bid_bob', '2001-01-30 23:59:59+00') AS bob,
	pg_temp.account('bid_cleo', '2001-02-01 00:00+00', true) AS cleo \gset

-- Days are marked once, by UTC, over the end of a month.
SELECT pg_temp.seen(:ada, t) FROM unnest('{2001-01-30 10:00+00,2001-01-30 23:00+00,2001-01-31 00:00+00,2001-02-01 01:00+02,2001-03-01 00:00+00,2001-03-02 08:00+00}'::timestamptz[]) t;
SELECT pg_temp.seen(:bob, t) FROM unnest('{2001-01-31 12:00+00,2001-02-06 12:00+00}'::timestamptz[]) t;
SELECT pg_temp.seen(:cleo, t) FROM unnest('{2001-02-02 12:00+00}'::timestamptz[]) t;
SELECT t.month, a.username, t.days::bit(31) FROM roost_data.account_activity t JOIN roost_data.account a ON a.id = t.account_id AND a.username LIKE 'bid\_%' ORDER BY 1, 2;
SELECT d::date AS day, roost_internal.active_accounts(d::date, 1) AS daily, roost_internal.active_accounts(d::date, 7) AS weekly, roost_internal.active_accounts(d::date, 30) AS monthly
FROM unnest('{2001-01-30,2001-01-31,2001-02-05,2001-02-06,2001-02-07,2001-03-02}'::date[]) d;

-- A day: posts, replies, quotes, retweets, likes, follows; twice is the same.
CREATE FUNCTION pg_temp.post(author bigint, at timestamptz, reply bigint DEFAULT NULL, quote bigint DEFAULT NULL, retweet bigint DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, reply_to_id, reply_to_account_id, quote_of_id, retweet_of_id)
	SELECT i.id, author, i.id, at, CASE WHEN retweet IS NULL THEN 'text' ELSE '' END, reply, CASE WHEN reply IS NOT NULL THEN (SELECT author_id FROM roost_data.post WHERE id = reply) END, quote, retweet
	FROM (SELECT roost_internal.id_at(at, author, hashtextextended(concat(author, at, reply, quote, retweet), 0)) AS id) i RETURNING id
$$;
SELECT pg_temp.post(:ada, '2001-02-06 00:00+00') AS post \gset
SELECT pg_temp.post(:bob, '2001-02-06 10:00+00', reply => :post) IS NOT NULL AS reply, pg_temp.post(:bob, '2001-02-06 23:59:59.999+00', quote => :post) IS NOT NULL AS quote,
	pg_temp.post(:cleo, '2001-02-06 11:00+00', retweet => :post) IS NOT NULL AS retweet, pg_temp.post(:bob, '2001-02-07 00:00+00') IS NOT NULL AS next_day;
INSERT INTO roost_data.post_like (account_id, post_id, id, created_at) SELECT a, :post, roost_internal.id_at('2001-02-06 12:00+00', a, a), '2001-02-06 12:00+00' FROM unnest(ARRAY[:bob, :cleo]) a;
INSERT INTO roost_data.follow (follower_id, followee_id, id, created_at) VALUES (:bob, :ada, roost_internal.id_at('2001-02-06 13:00+00', :bob, 7), '2001-02-06 13:00+00');
CREATE VIEW pg_temp.days AS SELECT day, registrations, active_accounts, active_accounts_7d, active_accounts_30d, stickiness, posting_accounts, posts, replies, retweets, quotes, likes, follows, engagement_rate, final
FROM roost_bi.daily_activity WHERE day BETWEEN '2001-01-01' AND '2001-12-31' ORDER BY day;
SELECT roost_internal.bi_day(d::date) FROM unnest('{2001-01-30,2001-02-06,2001-02-06,2001-02-07,2001-03-02}'::date[]) d;
SELECT * FROM pg_temp.days;

-- Retention: a cohort without accounts has no row.
SELECT roost_internal.bi_retention(d::date) FROM unnest('{2001-01-31,2001-02-02,2001-02-06,2001-02-06,2001-03-01}'::date[]) d;
SELECT * FROM roost_bi.retention WHERE cohort BETWEEN '2001-01-01' AND '2001-12-31' ORDER BY cohort, age;

-- Maintenance counts the days that are over and today, and forgets what is old.
INSERT INTO roost_data.account_activity VALUES ('1999-12-01', :ada, 1), ('2000-02-01', :ada, 1);
INSERT INTO roost_data.author_day (account_id, day, posts) VALUES (:ada, '2000-01-30', 1), (:ada, '2000-02-01', 2);
DELETE FROM roost_data.platform_day WHERE day BETWEEN '2001-01-01' AND '2001-12-31';
SELECT roost_internal.bi_maintenance() >= 2 AS purged;
SELECT count(*), min(day), max(day), count(*) FILTER (WHERE NOT final) AS open FROM pg_temp.days;
SELECT (SELECT count(*) FROM roost_data.account_activity WHERE account_id = :ada AND month < '2001-01-01') AS months, (SELECT min(day) FROM roost_data.author_day WHERE account_id = :ada) AS day;
-- The present day adds to the days before; it says what all that is there says.
SAVEPOINT present;
SELECT roost_internal.clock_freeze('2001-03-02 13:00:00+00');
SELECT pg_temp.account('bid_dan', '2001-03-02 09:00+00') AS dan \gset
SELECT pg_temp.seen(:dan, '2001-03-02 09:30+00'), pg_temp.seen(:bob, '2001-03-02 10:00+00');
UPDATE roost_data.account SET status = 'deleted', updated_at = roost_internal.clock_now() WHERE id = :cleo;
SELECT roost_internal.bi_day('2001-03-02'), roost_internal.bi_day('2001-03-02');
SELECT before_day FROM roost_data.bi_state;
SELECT d.registrations, d.active_accounts, d.accounts = (SELECT count(*) FROM roost_data.account a WHERE a.status <> 'deleted' AND a.id < roost_internal.id_floor('2001-03-03 00:00+00')) AS accounts,
	(d.active_accounts, d.active_accounts_7d, d.active_accounts_30d) = (roost_internal.active_accounts(d.day, 1), roost_internal.active_accounts(d.day, 7), roost_internal.active_accounts(d.day, 30)) AS active
FROM roost_data.platform_day d WHERE d.day = '2001-03-02';
SELECT count(*) FILTER (WHERE (t.daily, t.weekly, t.monthly) = (roost_internal.active_accounts(d, 1), roost_internal.active_accounts(d, 7), roost_internal.active_accounts(d, 30))) AS same, count(*) AS days, sum(t.daily) AS daily
FROM generate_series(0, 45) g, LATERAL (SELECT '2001-01-25'::date + g) s (d), LATERAL roost_internal.active_accounts_today(d) t;
-- no time zone of a session has a say, also where a day was left out
INSERT INTO roost_data.account_activity VALUES ('2011-12-01', :ada, 1 << 29);
SET LOCAL TimeZone = 'Pacific/Apia';
SELECT roost_internal.active_accounts('2011-12-30', 1) AS on_it, roost_internal.active_accounts('2011-12-31', 1) AS after_it, roost_internal.active_accounts('2011-12-31', 7) AS week;
SELECT daily FROM roost_internal.active_accounts_today('2011-12-30');
SELECT roost_internal.account_activity_add(ARRAY[:bob]::bigint[], '2011-12-30');
SELECT month, days = 1 << 29 AS day FROM roost_data.account_activity WHERE account_id = :bob AND month > '2011-01-01';
ROLLBACK TO present;
SAVEPOINT later;
SELECT roost_internal.clock_freeze('2001-03-03 00:10:00+00');
SELECT roost_internal.bi_maintenance() >= 0 AS ran;
SELECT day, final FROM pg_temp.days WHERE day >= '2001-03-01' ORDER BY day;
SELECT roost_internal.clock_freeze('2001-03-03 00:20:00+00');
SELECT roost_internal.bi_maintenance() >= 0 AS ran;
SELECT day, final FROM pg_temp.days WHERE day >= '2001-03-01' ORDER BY day;
ROLLBACK TO later;

-- Who may see it.
SELECT * FROM roost.platform_days(:ada);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.platform_health(:ada);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.platform_retention(:ada);
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET role = 'moderator' WHERE id = :ada;
SELECT day, active_accounts, posts, engagement_rate FROM roost.platform_days(:ada, '2001-02-05', '2001-02-07');
SELECT count(*) FROM roost.platform_days(:ada);
SELECT * FROM roost.platform_retention(:ada, '2001-01-30', '2001-01-30') WHERE active > 0;
SELECT registrations_today, active_today, active_week, active_month, posts_today, engagements_today, accounts >= 0 AS accounts, database_bytes > 0 AS bytes, open_cases >= 0 AS cases
FROM roost.platform_health(:ada);
SELECT * FROM roost.platform_days(:ada, '2001-02-07', '2001-02-05');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.platform_days(:ada, '1999-02-07', '2001-02-05');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.platform_days(:ada, '-infinity', 'infinity');
\echo :LAST_ERROR_SQLSTATE

-- What an account takes along, and leaves.
SELECT roost_internal.bi_export(:ada);
SELECT roost_internal.bi_account_delete(:ada);
SELECT (SELECT count(*) FROM roost_data.account_activity WHERE account_id = :ada) AS activity, (SELECT count(*) FROM roost_data.author_day WHERE account_id = :ada) AS days;
ROLLBACK;

-- The log, counted once: what one wrote, and what others did; oneself is nobody else.
INSERT INTO roost_data.account (id, username, is_private) SELECT 98720 + n, 'bil_' || n, n = 3 FROM generate_series(1, 4) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 98721 AND 98724;
SELECT roost_internal.clock_freeze(NULL);
-- ids may be ahead of the clock
SELECT roost_internal.clock_freeze(greatest(clock_timestamp(), roost.id_time(roost_internal.id_next())), everywhere => true);
SELECT id AS post FROM roost.post_create(98721, 'mine') \gset
SELECT (roost.post_create(98722, 'answer', reply_to_id => :post)).reply_to_id = :post AS reply, (roost.post_create(98721, 'thread', reply_to_id => :post)).reply_to_id = :post AS own_reply,
	(roost.post_create(98723, 'quote', quote_of_id => :post)).quote_of_id = :post AS quote;
SELECT (roost.post_retweet(98722, :post)).retweeted, (roost.post_like(98722, :post)).liked, (roost.post_like(98721, :post)).liked AS own, (roost.account_follow(98722, '98721')).following;
SELECT (roost.post_like(98724, :post)).liked;
-- messages, of which one is encrypted; what nobody wrote does not count
SELECT roost.worker_sync('1 minute');
SELECT roost_internal.bi_maintenance() >= 0 AS ran;
SELECT coalesce(sum(messages), 0) AS messages, coalesce(sum(encrypted_messages), 0) AS sealed, coalesce(sum(conversations), 0) AS conversations FROM roost_data.message_day \gset
SELECT id AS room FROM roost.conversation_create(98721, 'group', '{98722,98723}', 'bil') \gset
SELECT count(roost.message_create(98721, conversation_id => :room, text => 'one')), count(roost.message_create(98724, '98721', text => 'two'));
INSERT INTO roost_data.message (id, conversation_id, sender_id, encrypted) SELECT roost_internal.id_next(:room), :room, 98722, true;
SELECT roost.worker_sync('1 minute');
SELECT (roost.post_unlike(98724, :post)).liked;
SELECT roost.worker_sync('1 minute');
SELECT roost_internal.bi_maintenance() >= 0 AS ran, roost_internal.bi_maintenance() >= 0 AS again;
SELECT account_id, posts, replies, retweets, likes_received, replies_received, retweets_received, quotes_received, followers_gained
FROM roost_data.author_day WHERE account_id BETWEEN 98721 AND 98724 ORDER BY account_id;
SELECT sum(messages) - :messages AS messages, sum(encrypted_messages) - :sealed AS encrypted, sum(conversations) - :conversations AS conversations FROM roost_data.message_day;
-- active without a session
SELECT account_id, days = 1 << (extract(day FROM roost_internal.clock_now() AT TIME ZONE 'UTC')::integer - 1) AS today FROM roost_data.account_activity WHERE account_id BETWEEN 98721 AND 98724 ORDER BY 1;
-- analysts do not see private accounts'
SELECT account_id, posts FROM roost_bi.author_daily WHERE account_id BETWEEN 98721 AND 98724 ORDER BY account_id;
SELECT count(*), sum(posts) AS posts, sum(likes_received) AS likes FROM roost.analytics_daily(98721);
SELECT text, like_count FROM roost.analytics_posts(98721);
SELECT count(*) FROM roost.analytics_posts(98721, count => 1);
SELECT * FROM roost.analytics_posts(98721, count => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.analytics_posts(98721, 'infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.analytics_daily(98721, '2020-01-02', '2020-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.clock_freeze(NULL, everywhere => true);

-- Who leaves while it is counted does not stay among the counted.
INSERT INTO roost_data.account (id, username) VALUES (98729, 'bi_leaver');
BEGIN;
SELECT roost_internal.account_erase(98729);
INSERT INTO roost_data.account_activity (month, account_id, days) VALUES (date_trunc('month', now() AT TIME ZONE 'UTC')::date, 98729, 1);
COMMIT;
SELECT roost.worker_sync('1 minute');
SELECT roost_internal.bi_maintenance() >= 0 AS counted;
SELECT count(*) FROM roost_data.account_activity WHERE account_id = 98729;
DELETE FROM roost_data.account WHERE id = 98729;

-- An analyst reads the views, and not what is behind them.
CREATE ROLE bi_daily_analyst;
SELECT roost.grant_analyst('bi_daily_analyst');
SET ROLE bi_daily_analyst;
SELECT count(*) >= 0 AS days FROM roost_bi.daily_activity;
SELECT count(*) >= 0 AS cohorts FROM roost_bi.retention;
SELECT count(*) > 0 AS authors FROM roost_bi.author_daily;
SELECT * FROM roost_data.account_activity;
SELECT roost_internal.bi_maintenance();
SELECT roost.platform_days(98721);
RESET ROLE;
DROP OWNED BY bi_daily_analyst;
DROP ROLE bi_daily_analyst;

-- nothing stays for other tests
DELETE FROM roost_data.message WHERE sender_id BETWEEN 98721 AND 98724;
DELETE FROM roost_data.conversation_direct WHERE high_id BETWEEN 98721 AND 98724;
DELETE FROM roost_data.conversation c WHERE EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = c.id AND m.account_id BETWEEN 98721 AND 98724);
DELETE FROM roost_data.post WHERE author_id BETWEEN 98721 AND 98724;
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 98721 AND 98724;
DELETE FROM roost_data.author_day WHERE account_id BETWEEN 98721 AND 98724;
DELETE FROM roost_data.account_activity WHERE account_id BETWEEN 98721 AND 98724;
DELETE FROM roost_data.account WHERE id BETWEEN 98721 AND 98724;
SELECT roost.worker_sync('1 minute');
