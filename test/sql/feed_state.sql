-- Posts that are held, removed, limited and released: what the log says, and
-- which entries they make, once.
INSERT INTO roost_data.account (id, username) SELECT n, 'feed_state_' || n FROM generate_series(9571, 9575) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 9571 AND 9575;
SELECT roost.worker_sync('1 minute');
SELECT set_config('feed_state.seen', (SELECT last_seq::text FROM roost.feed_position()), false) IS NOT NULL AS begun;
CREATE FUNCTION feed_state_new() RETURNS TABLE (kind roost.feed_kind, account_id bigint, author_id bigint, target_id bigint, post boolean, own_id boolean, reply_to_account_id bigint)
LANGUAGE plpgsql AS $$
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	RETURN QUERY SELECT l.kind, l.account_id, l.author_id, l.target_id, l.post_id IS NOT NULL, l.id <> l.post_id, l.reply_to_account_id
	FROM roost_internal.feed_read(current_setting('feed_state.seen')::bigint, 100) l ORDER BY l.kind, l.reply_to_account_id, l.target_id, l.account_id, l.seq;
	PERFORM set_config('feed_state.seen', (SELECT last_seq::text FROM roost.feed_position()), false);
END
$$;
CREATE FUNCTION feed_state_mail() RETURNS TABLE (account_id bigint, kind roost.mailbox_kind, actor_id bigint)
LANGUAGE sql AS $$
	SELECT m.account_id, m.kind, m.actor_id FROM roost_data.mailbox m WHERE m.actor_id BETWEEN 9571 AND 9575 ORDER BY m.account_id, m.kind, m.actor_id, m.seq
$$;
CREATE FUNCTION feed_state_insert(author_id bigint, state roost.post_state, mention_ids bigint[] DEFAULT NULL, reply_to_id bigint DEFAULT NULL, quote_of_id bigint DEFAULT NULL, retweet_of_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE sql AS $$
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, state, mention_ids, reply_to_id, reply_to_account_id, quote_of_id, retweet_of_id)
	SELECT i, $1, i, now(), CASE WHEN $6 IS NULL THEN 'text' ELSE '' END, $2, $3, $4, (SELECT p.author_id FROM roost_data.post p WHERE p.id = $4), $5, $6
	FROM (SELECT roost_internal.id_next($1) AS i) n RETURNING id
$$;

-- held from the beginning: no entries until it is released, then each once
SELECT id AS post FROM roost.post_create(9571, 'mine') \gset
SELECT feed_state_insert(9572, 'held', '{9573}', reply_to_id => :post) AS answer, feed_state_insert(9572, 'held', '{9573,9574}', quote_of_id => :post) AS quote,
	feed_state_insert(9572, 'held', retweet_of_id => :post) AS retweet \gset
SELECT * FROM feed_state_new();
SELECT * FROM feed_state_mail();
UPDATE roost_data.post SET state = 'removed' WHERE id = :answer;
UPDATE roost_data.post SET mention_ids = '{9575}' WHERE id = :quote;
SELECT * FROM feed_state_new();
SELECT * FROM feed_state_mail();
UPDATE roost_data.post SET state = 'visible' WHERE id IN (:answer, :quote, :retweet);
SELECT * FROM feed_state_new();
SELECT * FROM feed_state_mail();
-- again, and with nothing new to say
UPDATE roost_data.post SET state = 'held' WHERE id IN (:answer, :quote, :retweet);
UPDATE roost_data.post SET state = 'limited' WHERE id IN (:answer, :quote, :retweet);
UPDATE roost_data.post SET state = 'visible' WHERE id IN (:answer, :quote, :retweet);
UPDATE roost_data.post SET state = 'visible' WHERE id IN (:answer, :quote, :retweet);
SELECT kind, target_id, count(*) FROM feed_state_new() GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM feed_state_mail();
-- an edit while it is held takes mentions away, and adds those that are new when it is released
UPDATE roost_data.post SET state = 'held' WHERE id = :quote;
UPDATE roost_data.post SET mention_ids = '{9574}' WHERE id = :quote;
SELECT count(*) FROM feed_state_new();
SELECT * FROM feed_state_mail() WHERE kind = 'mention';
UPDATE roost_data.post SET state = 'limited' WHERE id = :quote;
SELECT count(*) FROM feed_state_new();
SELECT * FROM feed_state_mail() WHERE kind = 'mention';
SELECT problem, what, account_id FROM roost_internal.feed_check() WHERE account_id BETWEEN 9571 AND 9575;

-- with the post the entries go, whatever its state
DELETE FROM roost_data.post WHERE id IN (:answer, :quote, :retweet);
SELECT count(*) FROM feed_state_new();
SELECT * FROM feed_state_mail();

-- what was undone in its own transaction
BEGIN;
SELECT feed_state_insert(9572, 'held', '{9573}') AS short \gset
UPDATE roost_data.post SET state = 'visible' WHERE id = :short;
COMMIT;
SELECT kind, author_id, target_id FROM feed_state_new();
SELECT * FROM feed_state_mail();
DELETE FROM roost_data.post WHERE id = :short;

-- filters: each change once, with whom it is about; words without
SELECT count(*) FROM feed_state_new();
SELECT (roost.account_block(9571, '9572')).blocking, (roost.account_mute(9572, '9573')).muting, (roost.muted_word_create(9573, 'spam')).phrase;
SELECT * FROM feed_state_new();
UPDATE roost_data.account_mute SET expires_at = now() + interval '1 hour' WHERE account_id = 9572;
INSERT INTO roost_data.muted_word (account_id, id, phrase, folded) SELECT 9573, roost_internal.id_next(9573), n::text, n::text FROM generate_series(1, 3) n;
SELECT * FROM feed_state_new();
DELETE FROM roost_data.muted_word WHERE account_id = 9573;
SELECT (roost.account_unblock(9571, '9572')).blocking, (roost.account_unmute(9572, '9573')).muting;
SELECT * FROM feed_state_new();
BEGIN;
SELECT (roost.account_block(9571, '9572')).blocking;
ROLLBACK;
SELECT * FROM feed_state_new();
SELECT problem, what, account_id FROM roost_internal.feed_check() WHERE account_id BETWEEN 9571 AND 9575;

DROP FUNCTION feed_state_new(), feed_state_mail(), feed_state_insert(bigint, roost.post_state, bigint[], bigint, bigint, bigint);
DELETE FROM roost_data.post WHERE author_id BETWEEN 9571 AND 9575;
DELETE FROM roost_data.account_handle WHERE account_id BETWEEN 9571 AND 9575;
DELETE FROM roost_data.account WHERE id BETWEEN 9571 AND 9575;
