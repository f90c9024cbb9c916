-- Counters are what the rows say, whatever the statement that wrote them.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 2600 + n, 'counter_' || n FROM generate_series(1, 20) n;
CREATE TEMP VIEW wrong AS
SELECT p.id, 'post' AS what FROM roost_data.post p LEFT JOIN (
		SELECT post_id, sum(like_count) AS likes, sum(retweet_count) AS retweets, sum(reply_count) AS replies, sum(quote_count) AS quotes
		FROM roost_data.post_stat GROUP BY 1) s ON s.post_id = p.id
WHERE p.author_id BETWEEN 2601 AND 2620 AND (coalesce(s.likes, 0), coalesce(s.retweets, 0), coalesce(s.replies, 0), coalesce(s.quotes, 0)) IS DISTINCT FROM (
	(SELECT count(*) FROM roost_data.post_like l WHERE l.post_id = p.id),
	(SELECT count(*) FROM roost_data.post r WHERE r.retweet_of_id = p.id),
	(SELECT count(*) FROM roost_data.post r WHERE r.reply_to_id = p.id),
	(SELECT count(*) FROM roost_data.post r WHERE r.quote_of_id = p.id))
UNION ALL
SELECT a.id, 'account' FROM roost_bi.account a
WHERE a.id BETWEEN 2601 AND 2620 AND a.post_count <> (SELECT count(*) FROM roost_data.post p WHERE p.author_id = a.id);

-- one statement, many rows of all kinds; some answer posts of the same statement
INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, quote_of_id, retweet_of_id, created_at, text, hashtags)
SELECT n, 2601 + n % 20, n, CASE WHEN n > 100 AND n % 3 = 0 THEN n / 2 END, CASE WHEN n > 100 AND n % 5 = 0 AND n % 7 <> 0 THEN 7 END,
	CASE WHEN n > 100 AND n % 7 = 0 AND n % 3 <> 0 THEN n / 7 END, now(),
	CASE WHEN n > 100 AND n % 7 = 0 AND n % 3 <> 0 THEN '' ELSE 'x' END, CASE WHEN n % 10 = 0 THEN '{bulk,load}'::text[] END
FROM generate_series(1, 2000) n;
INSERT INTO roost_data.post_like (account_id, post_id, id) SELECT 2601 + n % 20, 1 + n % 97, n FROM generate_series(1, 1900) n;
SELECT count(*) FROM wrong;
SELECT count(*) FROM roost_data.post_hashtag WHERE hashtag IN ('bulk', 'load') AND post_id <= 2000;
-- each counter was written once
SELECT max(slots) FROM (SELECT count(*) AS slots FROM roost_data.post_stat WHERE post_id <= 2000 GROUP BY post_id) s;

-- taking away
DELETE FROM roost_data.post_like WHERE account_id IN (2603, 2604);
SELECT count(*) FROM wrong;
DELETE FROM roost_data.post WHERE id % 11 = 0 AND author_id BETWEEN 2601 AND 2620;
SELECT count(*) FROM wrong;
SELECT count(*) FROM roost_data.post_stat s WHERE s.post_id <= 2000 AND NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = s.post_id);
SELECT count(*) FROM roost_data.post_hashtag h WHERE h.post_id <= 2000 AND NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = h.post_id);
SELECT count(*) FROM roost_data.post r WHERE r.retweet_of_id <= 2000 AND NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = r.retweet_of_id);

-- a subtransaction that is rolled back counts nothing
SAVEPOINT a;
INSERT INTO roost_data.post_like (account_id, post_id, id) VALUES (2601, 500, 9001);
ROLLBACK TO a;
SELECT count(*) FROM wrong;

-- slots are folded, and the sums stay
INSERT INTO roost_data.post_stat (post_id, slot, like_count, reply_count) SELECT 50, -n, n - 2, 1 FROM generate_series(1, 3) n;
INSERT INTO roost_data.post_stat (post_id, slot, reply_count) VALUES (50, -4, -3);
SELECT count(*) FROM wrong;
SELECT roost_internal.post_maintenance() >= 4;
SELECT count(*) FROM roost_data.post_stat WHERE post_id = 50;
SELECT count(*) FROM wrong;
SELECT roost_internal.post_maintenance();

-- an account leaves
SELECT roost_internal.post_account_delete(2605);
SELECT (SELECT count(*) FROM roost_data.post WHERE author_id = 2605), (SELECT count(*) FROM roost_data.post_like WHERE account_id = 2605);
SELECT count(*) FROM wrong;
SELECT jsonb_array_length(e -> 'posts') = (SELECT count(*) FROM roost_data.post WHERE author_id = 2606),
	jsonb_array_length(e -> 'likes') = (SELECT count(*) FROM roost_data.post_like WHERE account_id = 2606), e -> 'bookmarks'
FROM roost_internal.post_export(2606) e;
SELECT roost_internal.post_export(2605);

-- the triggers know their place
CREATE TEMP TABLE elsewhere (id bigint);
CREATE TRIGGER t AFTER INSERT ON elsewhere FOR EACH ROW EXECUTE FUNCTION roost_internal.post_count();
INSERT INTO elsewhere VALUES (1);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
