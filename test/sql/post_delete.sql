-- Deleting posts: what goes with them, what stays.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 2400 + n, 'deleter_' || n FROM generate_series(1, 5) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'deleter_' || n, 2400 + n FROM generate_series(1, 5) n;
CREATE TEMP VIEW posts AS SELECT id - 2400 AS account, post_count FROM roost_bi.account WHERE id BETWEEN 2401 AND 2405 ORDER BY id;

SELECT id AS root FROM roost.post_create(2401, 'root #gone') \gset
SELECT id AS reply FROM roost.post_create(2402, 'reply', reply_to_id => :root) \gset
SELECT id AS reply2 FROM roost.post_create(2403, 'reply to reply', reply_to_id => :reply) \gset
SELECT id AS quote FROM roost.post_create(2404, 'quote', quote_of_id => :root) \gset
SELECT count(*) FROM generate_series(2402, 2405) a, roost.post_like(a, :root);
SELECT count(*) FROM generate_series(2402, 2403) a, roost.post_retweet(a, :root);
SELECT count(*) FROM generate_series(2402, 2405) a, roost.post_bookmark(a, :root);
SELECT id AS edited FROM roost.post_edit(2401, :root, 'root, edited #gone') \gset
SELECT * FROM posts;

-- others' posts
SELECT roost.post_delete(2402, :root);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_delete(2402, 4711);
\echo :LAST_ERROR_SQLSTATE

-- the post comes back for the last time, to be written anew
SELECT id = :root, text, like_count, retweet_count, reply_count, quote_count FROM roost.post_delete(2401, :root);
SELECT roost.post_get(:root);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_delete(2401, :root);
\echo :LAST_ERROR_SQLSTATE
SELECT (SELECT count(*) FROM roost_data.post_like WHERE post_id = :root) AS likes,
	(SELECT count(*) FROM roost_data.post_bookmark WHERE post_id = :root) AS bookmarks,
	(SELECT count(*) FROM roost_data.post_revision WHERE post_id = :root) AS revisions,
	(SELECT count(*) FROM roost_data.post_stat WHERE post_id = :root) AS stats,
	(SELECT count(*) FROM roost_data.post WHERE retweet_of_id = :root) AS retweets,
	(SELECT count(*) FROM roost_data.post_hashtag WHERE post_id = :root) AS hashtags;
SELECT * FROM posts;

-- answers and quotes stay, with a thread that lacks its start
SELECT text, reply_to_id = :root AS reply_to_id, thread_id = :root AS thread_id FROM roost.post_get(:reply);
SELECT text, quote_of_id = :root AS quote_of_id, quote_of IS NULL AS no_quote FROM roost.post_get(:quote);
SELECT (SELECT array_agg(text) FROM unnest(ancestors)) AS ancestors, (SELECT array_agg(text) FROM unnest(descendants)) AS descendants FROM roost.post_context(:reply);
SELECT (SELECT array_agg(text) FROM unnest(ancestors)) AS ancestors FROM roost.post_context(:reply2);

-- a retweet of what its author no longer sees can be deleted, but not shown
SELECT retweet_count FROM roost.post_retweet(2405, :reply);
SELECT id AS hidden FROM roost_data.post WHERE retweet_of_id = :reply \gset
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (2402, 2405, 1);
SELECT roost.post_delete(2405, :hidden) IS NULL AS unseen;
SELECT count(*) FROM roost_data.post WHERE id = :hidden;
SELECT text, retweet_count FROM roost.post_get(:reply);

-- taking away from what is gone leaves nothing behind
SELECT text FROM roost.post_delete(2402, :reply);
SELECT text FROM roost.post_delete(2404, :quote);
SELECT text FROM roost.post_delete(2403, :reply2);
SELECT * FROM posts;
SELECT count(*) FROM roost_data.post_stat WHERE post_id IN (:root, :reply, :reply2, :quote);
ROLLBACK;
