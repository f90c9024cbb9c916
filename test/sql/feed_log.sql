-- The log of events: what is logged, in which order, and what is not.
SELECT roost.worker_sync('1 minute');
SELECT last_seq AS before FROM roost.feed_position() \gset
INSERT INTO roost_data.account (id, username) SELECT n, 'feed_log_' || n FROM generate_series(8101, 8103) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 8101 AND 8103;
CREATE FUNCTION feed_log_new() RETURNS TABLE (kind roost.feed_kind, account_id bigint, author_id bigint, target_id bigint, post boolean, retweet boolean, reply_to_account_id bigint)
LANGUAGE plpgsql AS $$
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	RETURN QUERY SELECT l.kind, l.account_id, l.author_id, l.target_id, l.post_id IS NOT NULL, l.retweet_of_id IS NOT NULL, l.reply_to_account_id
	FROM roost_internal.feed_read(current_setting('feed_log.seen')::bigint, 100) l ORDER BY l.seq;
	PERFORM set_config('feed_log.seen', (SELECT last_seq::text FROM roost.feed_position()), false);
END
$$;
SELECT set_config('feed_log.seen', :'before', false) IS NOT NULL AS begun;

-- every kind
SELECT id AS post FROM roost.post_create(8101, 'hello @feed_log_8102') \gset
SELECT id AS reply FROM roost.post_create(8102, 'an answer', reply_to_id => :post) \gset
SELECT id AS quote FROM roost.post_create(8103, 'see', quote_of_id => :post) \gset
SELECT (roost.post_retweet(8102, :post)).id = :post AS retweeted;
SELECT (roost.post_like(8103, :post)).liked;
SELECT (roost.account_follow(8103, '8101')).following;
SELECT (roost.post_edit(8101, :post, 'hello')).id = :post AS edited;
SELECT (roost.post_unlike(8103, :post)).liked;
SELECT (roost.account_unfollow(8103, '8101')).following;
SELECT (roost.post_delete(8103, :quote)).id = :quote AS deleted;
SELECT * FROM feed_log_new();
UPDATE roost_data.account SET is_private = true WHERE id = 8101;
SELECT (roost.account_follow(8103, '8101')).requested;
SELECT (roost.follow_request_accept(8101, '8103')).followed_by;
SELECT * FROM feed_log_new();

-- what others see of an account, and who is refused; nothing else of them
UPDATE roost_data.account SET bio = 'new' WHERE id = 8101;
UPDATE roost_data.account SET display_name = 'new', is_verified = true WHERE id = 8102;
UPDATE roost_data.account SET bio = 'new', last_active_at = now(), last_login_at = now(), message_policy = 'friends', updated_at = now() WHERE id = 8101;
INSERT INTO roost_data.session (id, account_id, device_id, refresh_key, refresh_digest, expires_at) VALUES (8104, 8103, 1, '', '', now() + interval '1 day');
UPDATE roost_data.session SET revoked_at = now() WHERE id = 8104;
UPDATE roost_data.session SET revoked_at = NULL WHERE id = 8104;
DELETE FROM roost_data.session WHERE id = 8104;
INSERT INTO roost_data.revocation (id) VALUES (8105);
DELETE FROM roost_data.revocation WHERE id IN (8104, 8105);
SELECT roost.worker_sync('1 minute');
SELECT l.kind, l.id, l.account_id, num_nonnulls(l.post_id, l.author_id, l.target_id, l.retweet_of_id, l.reply_to_account_id) AS others
FROM roost_internal.feed_read(current_setting('feed_log.seen')::bigint, 100) l;
SELECT count(*) FROM feed_log_new();

-- with a post go its likes and retweets
UPDATE roost_data.account SET is_private = false WHERE id = 8101;
SELECT (roost.post_like(8102, :post)).liked;
SELECT (roost.post_delete(8101, :post)).id = :post AS deleted;
SELECT * FROM feed_log_new() ORDER BY kind, account_id;

-- only what was committed
BEGIN;
SELECT count(roost.post_create(8101, 'rolled back'));
ROLLBACK;
BEGIN;
SELECT count(roost.post_create(8101, 'stays'));
SAVEPOINT a;
SELECT count(roost.post_create(8102, 'goes'));
ROLLBACK TO a;
SELECT count(roost.post_create(8103, 'stays, too'));
COMMIT;
SELECT kind, account_id FROM feed_log_new();
BEGIN;
SELECT count(roost.post_create(8101, 'prepared'));
PREPARE TRANSACTION 'feed_log';
SELECT count(*) FROM feed_log_new();
COMMIT PREPARED 'feed_log';
SELECT kind, account_id FROM feed_log_new();

-- what was undone in its own transaction is there in both ways
BEGIN;
SELECT (roost.account_follow(8101, '8102')).following;
SELECT (roost.account_unfollow(8101, '8102')).following;
COMMIT;
SELECT kind, account_id, target_id FROM feed_log_new();

-- no gaps, no difference; traces go when they were logged
SELECT count(*) = max(seq) - min(seq) + 1 AS dense FROM roost_data.feed_log;
SELECT problem, what, account_id FROM roost_internal.feed_check() WHERE account_id BETWEEN 8101 AND 8103;
SELECT epoch IS NOT NULL AS epoch, first_seq <= last_seq AS range FROM roost.feed_position();
SELECT unflushed_from IS NULL AS flushed, batches > 0 AS batches, rows > 0 AS rows, notifies > 0 AS notifies, completions > 0 AS completions FROM roost.stat_feed;

-- a difference is found
BEGIN;
DELETE FROM roost_data.feed_log WHERE seq = (SELECT max(seq) FROM roost_data.feed_log);
INSERT INTO roost_data.mailbox (account_id, seq, actor_id, created_at, day, kind) SELECT 8102, l.seq, 8103, d.day::timestamp AT TIME ZONE 'UTC', d.day, 'follow'
FROM (SELECT max(seq) AS seq FROM roost_data.feed_log) l, LATERAL (SELECT max(day) AS day FROM roost_data.feed_day WHERE seq <= l.seq) d;
SELECT problem, what FROM roost_internal.feed_check() WHERE account_id BETWEEN 8101 AND 8103 ORDER BY problem, what;
ROLLBACK;
DROP FUNCTION feed_log_new();

DELETE FROM roost_data.follow WHERE follower_id BETWEEN 8101 AND 8103;
DELETE FROM roost_data.post WHERE author_id BETWEEN 8101 AND 8103;
