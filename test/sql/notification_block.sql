-- Blocks, mutes, muted words and limits in notifications: at once, of all that has happened, and alike for lists, counts,
-- streams and roost_internal.mailbox_read().
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
-- No day ends meanwhile.
SELECT roost_internal.clock_freeze(date_trunc('day', clock_timestamp()) + interval '12 hours', everywhere => true);
INSERT INTO roost_data.account (id, username) SELECT 98470 + n, 'told_' || n FROM generate_series(1, 4) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 98471 AND 98474;
-- 98471 follows 98472 and not 98473; both do everything that there is, and 98474 asks to follow
SELECT (roost.account_follow(98471, '98472')).following;
SELECT (roost.account_follow(n, '98471')).following FROM generate_series(98472, 98473) n;
INSERT INTO roost_data.follow_request (follower_id, followee_id, id) VALUES (98474, 98471, roost_internal.id_next(98474));
SELECT id AS post FROM roost.post_create(98471, 'mine, about cats') \gset
SELECT count(roost.post_like(n, :post)), count(roost.post_retweet(n, :post)), count(roost.post_create(n, 'an answer about Dogs', reply_to_id => :post)),
	count(roost.post_create(n, 'quote', quote_of_id => :post)), count(roost.post_create(n, 'hello @told_1 #Birds')) FROM generate_series(98472, 98473) n;
SELECT roost.worker_sync('1 minute');

-- What is told of each account, and whether list, count, stream and mailbox_read() say the same.
CREATE FUNCTION pg_temp.told() RETURNS TABLE (account text, listed text, agree boolean) LANGUAGE sql AS $$
	WITH listed AS (
		SELECT a.username, l.type FROM roost.notification_list(98471) l, unnest(l.accounts) a
	), streamed AS (
		SELECT i #>> '{account,username}' AS username, (i ->> 'type')::roost.mailbox_kind AS type
		FROM roost_data.mailbox m, LATERAL (SELECT roost_internal.notification_item(98471, m.seq)::jsonb AS i) i WHERE m.account_id = 98471 AND i IS NOT NULL
	), mailed AS (
		SELECT a.username, m.kind AS type FROM roost_internal.mailbox_read(98471, 0, 1000) m JOIN roost_data.account a ON a.id = m.actor_id
	)
	SELECT s.username::text, string_agg(l.type::text, ' ' ORDER BY l.type), NOT EXISTS (SELECT * FROM listed EXCEPT ALL SELECT * FROM streamed)
		AND NOT EXISTS (SELECT * FROM streamed EXCEPT ALL SELECT * FROM listed)
		AND NOT EXISTS (SELECT * FROM mailed EXCEPT ALL SELECT * FROM listed)
		AND NOT EXISTS (SELECT * FROM listed EXCEPT ALL SELECT * FROM mailed)
		AND (SELECT count(*) FROM listed) = (SELECT (u).count FROM roost.notification_unread_get(98471) u)
	FROM roost_data.account s LEFT JOIN listed l ON l.username = s.username WHERE s.id BETWEEN 98472 AND 98474 GROUP BY s.username ORDER BY s.username
$$;
BEGIN;
SELECT * FROM pg_temp.told();

-- a block, by either, keeps out all that the other has done; unblocked it is told again (a follow until the worker has heard of its end)
SAVEPOINT s;
SELECT (roost.account_block(98471, '98473')).blocking;
SELECT * FROM pg_temp.told();
SELECT (roost.account_unblock(98471, '98473')).blocking;
SELECT * FROM pg_temp.told();
ROLLBACK TO s;
SELECT (roost.account_block(98472, '98471')).blocking, (roost.account_block(98474, '98471')).blocking;
SELECT * FROM pg_temp.told();
ROLLBACK TO s;

-- a mute does with notifications and does not without, until it expires or ends
SELECT (roost.account_mute(98471, '98473')).muting;
SELECT * FROM pg_temp.told();
SELECT (roost.account_mute(98471, '98473', notifications => false)).muting;
SELECT * FROM pg_temp.told();
SELECT (roost.account_mute(98471, '98473', 60)).muting, (roost.account_mute(98471, '98472')).muting;
SELECT * FROM pg_temp.told();
SELECT roost_internal.clock_freeze(date_trunc('day', clock_timestamp()) + interval '12 hours 1 minute', everywhere => true);
SELECT * FROM pg_temp.told();
SELECT (roost.account_unmute(98471, '98472')).muting;
SELECT * FROM pg_temp.told();
ROLLBACK TO s;

-- muted words: in what others write, not in one's own post that they like
SELECT count(roost.muted_word_create(98471, w)) FROM unnest('{dogs,#birds,cats}'::text[]) w;
SELECT * FROM pg_temp.told();
SELECT count(roost.account_mute(98471, '98473', notifications => false));
SELECT * FROM pg_temp.told();
ROLLBACK TO s;

-- limited accounts are heard by those who follow them
UPDATE roost_data.account SET limited_at = now() WHERE id IN (98472, 98473, 98474);
SELECT * FROM pg_temp.told();
ROLLBACK TO s;

-- a suspended account is not heard either
UPDATE roost_data.account SET status = 'suspended' WHERE id = 98472;
SELECT * FROM pg_temp.told();
ROLLBACK;

SELECT count(roost_internal.account_erase(n)) FROM generate_series(98471, 98474) n;
SELECT roost.worker_sync('1 minute');
SELECT roost_internal.clock_freeze(NULL, everywhere => true);
