-- Importing follows, posts and likes: what is taken, what is refused and why, and doing it again.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL datestyle = iso;

INSERT INTO roost_data.import_account (external_id, username, created_at) SELECT 'ip' || n, 'import_' || n, '2010-01-01Z' FROM generate_series(1, 4) n;
SELECT * FROM roost.account_import();
UPDATE roost_data.account SET is_private = true WHERE username = 'import_4';

-- follows: what is refused stays, with the reason; private accounts are not asked
INSERT INTO roost_data.import_follow (follower, followee, created_at) VALUES
	('ip1', 'ip2', '2011-01-01Z'), ('ip2', 'ip1', '2011-01-01Z'), ('ip1', 'ip4', NULL), ('ip1', 'ip2', '2010-06-01Z'),
	('ip1', 'ip1', NULL), ('ip1', 'nobody', NULL), (NULL, 'ip1', NULL), ('ip3', 'ip1', '2300-01-01Z'), ('ip3', 'ip2', '1969-01-01Z');
SELECT * FROM roost.follow_import();
SELECT follower, followee, error FROM roost_data.import_follow ORDER BY follower, followee;
SELECT r.username, e.username, f.created_at < now() AND roost.id_time(f.id) = f.created_at AS then
FROM roost_data.follow f JOIN roost_data.account r ON r.id = f.follower_id JOIN roost_data.account e ON e.id = f.followee_id
WHERE r.username LIKE 'import_%' ORDER BY 1, 2;
SELECT username, follower_count, following_count FROM roost_bi.account WHERE username LIKE 'import_%' ORDER BY 1;
-- mended rows are tried again
UPDATE roost_data.import_follow SET created_at = '2012-01-01Z' WHERE follower = 'ip3';
SELECT * FROM roost.follow_import();
SELECT count(*) FILTER (WHERE error IS NULL) AS no_reason, count(*) FROM roost_data.import_follow;

-- posts: in any order, with what their texts mention
INSERT INTO roost_data.import_post (external_id, author, created_at, text, reply_to, quote_of, retweet_of, visibility, hashtags) VALUES
	('c', 'ip2', '2012-01-03Z', 'answer to an answer', 'b', NULL, NULL, NULL, NULL),
	('b', 'ip1', '2012-01-02Z', 'answer', 'a', NULL, NULL, 'unlisted', NULL),
	('a', 'ip2', '2012-01-01Z', E'hello @import_3 #One https://example.org/\r\nbye\u0007', NULL, NULL, NULL, NULL, '{Two,ONE}'),
	('q', 'ip3', '2012-01-04Z', 'look', NULL, 'a', NULL, NULL, NULL),
	('r', 'ip3', '2012-01-05Z', NULL, NULL, NULL, 'b', NULL, NULL),
	('r2', 'ip3', '2012-01-06Z', NULL, NULL, NULL, 'b', NULL, NULL),
	('r3', 'ip1', '2012-01-06Z', NULL, NULL, NULL, 'r', NULL, NULL),
	('r4', 'ip1', '2012-01-06Z', 'a text', NULL, NULL, 'a', NULL, NULL),
	('v', 'ip1', '2012-01-06Z', 'odd visibility', NULL, NULL, NULL, 'friends', NULL),
	('e', 'ip1', '2012-01-06Z', E' \u200b ', NULL, NULL, NULL, NULL, NULL),
	('l', 'ip1', '2012-01-06Z', repeat('x', 65537), NULL, NULL, NULL, NULL, NULL),
	('m', 'ip1', '2012-01-06Z', repeat('y', 65536), NULL, NULL, NULL, NULL, NULL),
	('h', 'ip1', '2012-01-06Z', 'odd hashtag', NULL, NULL, NULL, NULL, '{"a b"}'),
	('n', 'nobody', '2012-01-06Z', 'no author', NULL, NULL, NULL, NULL, NULL),
	('nn', 'ip1', '2012-01-06Z', 'answer to a refused one', 'n', NULL, NULL, NULL, NULL),
	('nnn', 'ip1', '2012-01-06Z', 'quote of that', NULL, 'nn', NULL, NULL, NULL),
	('u', 'ip1', '2012-01-06Z', 'unknown parent', 'zzz', NULL, NULL, NULL, NULL),
	('x', 'ip1', '2012-01-06Z', 'circle', 'y', NULL, NULL, NULL, NULL),
	('y', 'ip1', '2012-01-06Z', 'circle', 'x', NULL, NULL, NULL, NULL),
	('xx', 'ip1', '2012-01-06Z', 'quote of a circle', NULL, 'x', NULL, NULL, NULL),
	('f', 'ip1', '2300-01-01Z', 'future', NULL, NULL, NULL, NULL, NULL);
SELECT * FROM roost.post_import();
SELECT external_id, left(error, 60) AS error FROM roost_data.import_post ORDER BY external_id COLLATE "C";
SELECT m.external_id, a.username, left(replace(p.text, E'\n', '|'), 50) AS text, p.created_at AT TIME ZONE 'UTC' AS created, roost.id_time(p.id) = p.created_at AS id_says_so,
	t.external_id AS thread, r.external_id AS reply_to, ra.username AS reply_to_account, q.external_id AS quote_of, o.external_id AS retweet_of, p.visibility, p.hashtags, p.mentions->0->>'username' AS mention, p.urls->0->>'url' AS url
FROM roost_data.import_map m JOIN roost_data.post p ON p.id = m.id JOIN roost_data.account a ON a.id = p.author_id
LEFT JOIN roost_data.import_map t ON t.id = p.thread_id
LEFT JOIN roost_data.import_map r ON r.id = p.reply_to_id
LEFT JOIN roost_data.account ra ON ra.id = p.reply_to_account_id
LEFT JOIN roost_data.import_map q ON q.id = p.quote_of_id
LEFT JOIN roost_data.import_map o ON o.id = p.retweet_of_id
WHERE m.kind = 'post' AND a.username LIKE 'import_%' ORDER BY m.external_id;
SELECT m.external_id, s.reply_count, s.retweet_count, s.quote_count FROM roost_data.import_map m CROSS JOIN LATERAL roost.post_get(m.id) s
WHERE kind = 'post' AND external_id IN ('a', 'b', 'c') ORDER BY 1;
SELECT username, post_count FROM roost_bi.account WHERE username LIKE 'import_%' ORDER BY 1;

-- a second batch refers to the first; what was there stays as it is
DELETE FROM roost_data.import_post;
INSERT INTO roost_data.import_post (external_id, author, created_at, text, reply_to, retweet_of) VALUES
	('a', 'ip2', '2012-01-01Z', 'changed', NULL, NULL), ('d', 'ip4', '2012-02-01Z', 'late answer', 'c', NULL),
	('r5', 'ip3', '2012-01-06Z', NULL, NULL, 'b'), ('r6', 'ip1', '2012-01-06Z', NULL, NULL, 'r'), ('now', 'ip2', NULL, 'now', NULL, NULL);
SELECT * FROM roost.post_import();
SELECT external_id, error FROM roost_data.import_post ORDER BY 1;
SELECT left(p.text, 5) AS unchanged FROM roost_data.import_map m JOIN roost_data.post p ON p.id = m.id WHERE m.external_id = 'a' AND m.kind = 'post';
SELECT t.external_id AS thread FROM roost_data.import_map m JOIN roost_data.post p ON p.id = m.id JOIN roost_data.import_map t ON t.id = p.thread_id
WHERE m.external_id = 'd' AND m.kind = 'post';

-- 300 posts of one author and one moment, twice: all get ids, near that moment
DELETE FROM roost_data.import_post;
INSERT INTO roost_data.import_post (external_id, author, created_at, text) SELECT 'same' || n, 'ip1', '2013-01-01Z', 'same ' || n FROM generate_series(1, 300) n;
SELECT * FROM roost.post_import();
INSERT INTO roost_data.import_post (external_id, author, created_at, text) SELECT 'again' || n, 'ip1', '2013-01-01Z', 'again ' || n FROM generate_series(1, 300) n;
SELECT * FROM roost.post_import();
SELECT count(DISTINCT p.id), max(roost.id_time(p.id)) < '2013-01-01 00:00:01Z' AS near, bool_and(roost.id_bucket(p.id) = roost.id_bucket(p.author_id)) AS bucket
FROM roost_data.import_map m JOIN roost_data.post p ON p.id = m.id WHERE m.kind = 'post' AND m.external_id ~ '^(same|again)';

-- likes
INSERT INTO roost_data.import_like (account, post, created_at) VALUES
	('ip1', 'a', '2012-03-01Z'), ('ip3', 'a', NULL), ('ip1', 'a', '2012-02-01Z'), ('ip1', 'r', '2012-03-01Z'), ('ip1', 'zzz', NULL), ('nobody', 'a', NULL), ('ip2', 'a', '1960-01-01Z');
SELECT * FROM roost.like_import();
SELECT account, post, error FROM roost_data.import_like ORDER BY 1, 2;
SELECT m.external_id, s.like_count FROM roost_data.import_map m CROSS JOIN LATERAL roost.post_get(m.id) s WHERE kind = 'post' AND external_id IN ('a', 'b') ORDER BY 1;
SELECT l.created_at AT TIME ZONE 'UTC' AS first_time FROM roost_data.post_like l JOIN roost_data.import_map m ON m.id = l.post_id AND m.kind = 'post' AND m.external_id = 'a'
JOIN roost_data.account a ON a.id = l.account_id AND a.username = 'import_1';
SELECT * FROM roost.like_import();
ROLLBACK;
