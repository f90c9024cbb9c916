-- What the log and the mailbox are, by definition; tests compare.  They join
-- whole tables, whatever the planner believes of those that were never analyzed.

CREATE OR REPLACE FUNCTION roost_internal.feed_undoing(kind roost.feed_kind) RETURNS roost.feed_kind
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE kind WHEN 'post_created' THEN 'post_deleted' WHEN 'like_created' THEN 'like_deleted' WHEN 'follow_created' THEN 'follow_deleted'
		WHEN 'follow_request_created' THEN 'follow_request_deleted' END::roost.feed_kind
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_undoing(roost.feed_kind) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_undoing(roost.feed_kind) IS 'What undoes it: post_deleted for post_created, and so on.';

CREATE OR REPLACE FUNCTION roost_internal.mailbox_definition() RETURNS TABLE (
	account_id bigint, kind roost.mailbox_kind, actor_id bigint, post_id bigint, group_id bigint, id bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
AS $$
	WITH quoted AS (
		-- Whose post it was, if that is gone: the log says it, and when it does no longer the entry itself.
		SELECT l.id, l.target_id FROM roost_data.feed_log l WHERE l.kind = 'post_created' AND l.target_id IS NOT NULL
		UNION
		SELECT m.post_id, m.account_id FROM roost_data.mailbox m
		WHERE m.kind = 'quote' AND m.seq < (SELECT s.first_seq FROM roost_data.feed_state s)
	), act AS (
		SELECT p.author_id AS account_id, 'like'::roost.mailbox_kind AS kind, t.account_id AS actor_id, t.post_id, t.post_id AS group_id, t.id
		FROM roost_data.post_like t JOIN roost_data.post p ON p.id = t.post_id
		UNION ALL
		SELECT t.followee_id, 'follow', t.follower_id, NULL, 0, t.id FROM roost_data.follow t
		UNION ALL
		SELECT t.followee_id, 'follow_request', t.follower_id, NULL, 0, t.id FROM roost_data.follow_request t
		UNION ALL
		SELECT t.recipient_id, 'friend_request', t.requester_id, NULL, 0, t.id FROM roost_data.friend_request t
		UNION ALL
		SELECT t.account_id, 'friend_accepted', t.friend_id, NULL, 0, t.id FROM roost_data.friendship t WHERE t.accepted_by = t.friend_id
		UNION ALL
		SELECT w.account_id, min(w.kind), p.author_id, p.id, coalesce(p.retweet_of_id, 0), p.id
		FROM roost_data.post p
		LEFT JOIN roost_data.post o ON o.id = coalesce(p.retweet_of_id, p.quote_of_id)
		LEFT JOIN quoted q ON q.id = p.id AND p.quote_of_id IS NOT NULL
		CROSS JOIN LATERAL (
			SELECT coalesce(o.author_id, q.target_id) AS account_id, (CASE WHEN p.retweet_of_id IS NULL THEN 'quote' ELSE 'retweet' END)::roost.mailbox_kind AS kind
			UNION ALL SELECT p.reply_to_account_id, 'reply'
			UNION ALL SELECT unnest(p.mention_ids), 'mention'
		) w
		GROUP BY p.id, w.account_id
	)
	SELECT a.* FROM act a JOIN roost_data.account t ON t.id = a.account_id AND t.status <> 'deleted'
	WHERE a.account_id <> a.actor_id
$$;
REVOKE ALL ON FUNCTION roost_internal.mailbox_definition() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.mailbox_definition() IS 'The entries of all mailboxes, by definition, as if they were kept for ever: of every act in the tables (id), to whom it is addressed; a post that concerns an account in several ways is its retweet, quote, reply or mention, in this order. Nobody gets an entry for an own act, or after the account was deleted. Slow.';

CREATE OR REPLACE FUNCTION roost_internal.feed_check() RETURNS TABLE (problem text, what text, seq bigint, id bigint, account_id bigint, post_id bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
AS $$
	WITH there AS MATERIALIZED (
		SELECT 'post' AS what, p.id, p.author_id AS account_id, p.id AS post_id, NULL::bigint AS target_id, p.retweet_of_id, p.reply_to_account_id FROM roost_data.post p
		UNION ALL SELECT 'like', t.id, t.account_id, t.post_id, NULL, NULL, NULL FROM roost_data.post_like t
		UNION ALL SELECT 'follow', t.id, t.follower_id, NULL, t.followee_id, NULL, NULL FROM roost_data.follow t
		UNION ALL SELECT 'follow_request', t.id, t.follower_id, NULL, t.followee_id, NULL, NULL FROM roost_data.follow_request t
		-- target_id: the conversation
		UNION ALL SELECT 'message', m.id, m.sender_id, NULL, m.conversation_id, NULL, NULL FROM roost_data.message m
	), logged AS MATERIALIZED (
		SELECT l.*, substring(l.kind::text, '^(.*)_[a-z]+$') AS what, substring(l.kind::text, '[a-z]+$') AS verb FROM roost_data.feed_log l
	), turn AS MATERIALIZED (
		SELECT l.*, lag(l.verb) OVER w AS verb_before, lead(l.verb) OVER w AS verb_after
		FROM logged l WHERE l.verb IN ('created', 'deleted') AND l.what <> 'account' AND (l.room_id IS NULL OR l.kind = 'message_created')
		-- a message has its id in its conversation alone
		WINDOW w AS (PARTITION BY l.what, l.id, l.account_id, l.room_id ORDER BY l.seq)
	), made AS (
		SELECT * FROM turn t WHERE t.verb = 'created' AND t.verb_after IS NULL
	), gone AS (
		SELECT * FROM turn t WHERE t.verb = 'deleted' AND t.verb_after IS NULL
	), bounds AS (
		SELECT min(l.seq) AS low, max(l.seq) AS high, count(*) AS n FROM logged l
	), wanted AS MATERIALIZED (
		SELECT * FROM roost_internal.mailbox_definition()
	), kept AS MATERIALIZED (
		SELECT m.* FROM roost_data.mailbox m
	)
	SELECT 'not logged', t.what, NULL::bigint, t.id, t.account_id, t.post_id
	FROM there t WHERE t.id >= (SELECT s.since FROM roost_data.feed_state s) AND NOT EXISTS (SELECT FROM made l WHERE l.what = t.what AND l.id = t.id AND l.account_id = t.account_id)
	UNION ALL
	SELECT 'does not exist', l.what, l.seq, l.id, l.account_id, l.post_id
	FROM made l WHERE l.what <> 'message' AND NOT EXISTS (SELECT FROM there t WHERE t.what = l.what AND t.id = l.id AND t.account_id = l.account_id)
	UNION ALL
	SELECT 'still exists', l.what, l.seq, l.id, l.account_id, l.post_id
	FROM gone l WHERE EXISTS (SELECT FROM there t WHERE t.what = l.what AND t.id = l.id AND t.account_id = l.account_id)
	UNION ALL
	SELECT 'logged twice', t.what, t.seq, t.id, t.account_id, t.post_id
	FROM turn t WHERE t.verb = t.verb_before
	UNION ALL
	SELECT 'is not what the table says', l.what, l.seq, l.id, l.account_id, l.post_id
	FROM made l JOIN there t ON t.what = l.what AND t.id = l.id AND t.account_id = l.account_id
	LEFT JOIN roost_data.post p ON l.what = 'like' AND p.id = l.post_id
	WHERE (l.post_id, l.retweet_of_id, l.reply_to_account_id) IS DISTINCT FROM (t.post_id, t.retweet_of_id, t.reply_to_account_id)
		OR l.what LIKE 'follow%' AND l.target_id IS DISTINCT FROM t.target_id
		OR l.what = 'message' AND (l.room_id, l.conversation_id, l.message_id) IS DISTINCT FROM (t.target_id, t.target_id, t.id)
		OR l.what = 'post' AND l.author_id <> l.account_id
		OR l.what = 'like' AND (l.author_id, l.target_id) IS DISTINCT FROM (p.author_id, p.author_id)
			AND NOT EXISTS (SELECT FROM gone g WHERE g.what = 'post' AND g.id = l.post_id)
	UNION ALL
	SELECT 'seq has gaps', 'log', b.high, NULL, NULL, NULL FROM bounds b WHERE b.n <> b.high - b.low + 1
	UNION ALL
	SELECT 'seq is not in the state''s range', 'log', b.high, NULL, NULL, NULL
	FROM bounds b, roost_data.feed_state s WHERE s.seq > b.high OR s.first_seq > b.low
	UNION ALL
	SELECT 'time steps back', 'log', l.seq, l.id, l.account_id, l.post_id
	FROM (SELECT *, lag(created_at) OVER (ORDER BY seq) AS before FROM logged) l WHERE l.created_at < l.before
	UNION ALL
	SELECT 'no entry', w.kind::text, NULL, NULL, w.account_id, w.post_id
	FROM wanted w WHERE w.id >= (SELECT greatest(s.since, s.mail_since) FROM roost_data.feed_state s)
		AND NOT EXISTS (SELECT FROM kept k WHERE k.account_id = w.account_id AND k.kind = w.kind AND k.actor_id = w.actor_id AND k.post_id IS NOT DISTINCT FROM w.post_id)
		-- what is held may not have made its entries yet
		AND NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = w.post_id AND p.author_id = w.actor_id AND p.state IN ('held', 'removed'))
	UNION ALL
	SELECT 'trace not logged once', t.kind::text, NULL, t.id, t.account_id, NULL
	FROM roost_data.feed_trace t WHERE (t.kind IN ('filter_changed', 'post_hidden', 'post_released') OR t.room_id IS NOT NULL)
		AND t.id >= (SELECT s.since FROM roost_data.feed_state s)
		AND (SELECT count(*) FROM logged l WHERE l.kind = t.kind AND l.id = t.row_id AND l.account_id IS NOT DISTINCT FROM t.account_id) <> 1
	UNION ALL
	SELECT 'entry too many', k.kind::text, k.seq, k.actor_id, k.account_id, k.post_id
	FROM kept k WHERE NOT EXISTS (SELECT FROM wanted w WHERE k.account_id = w.account_id AND k.kind = w.kind AND k.actor_id = w.actor_id AND k.post_id IS NOT DISTINCT FROM w.post_id)
	UNION ALL
	SELECT 'entry of another group', k.kind::text, k.seq, k.actor_id, k.account_id, k.post_id
	FROM kept k JOIN wanted w ON k.account_id = w.account_id AND k.kind = w.kind AND k.actor_id = w.actor_id AND k.post_id = w.post_id
	WHERE k.group_id <> w.group_id
	UNION ALL
	SELECT 'entry of another day', k.kind::text, k.seq, k.actor_id, k.account_id, k.post_id
	FROM kept k WHERE k.day <> (k.created_at AT TIME ZONE 'UTC')::date
		OR k.day IS DISTINCT FROM (SELECT max(d.day) FROM roost_data.feed_day d WHERE d.seq <= k.seq)
	UNION ALL
	SELECT 'entry twice', k.kind::text, max(k.seq), k.actor_id, k.account_id, k.post_id
	FROM kept k GROUP BY k.kind, k.actor_id, k.account_id, k.post_id HAVING count(*) > 1
	UNION ALL
	SELECT 'entry of another row of the log', k.kind::text, k.seq, k.actor_id, k.account_id, k.post_id
	FROM kept k WHERE k.seq >= (SELECT s.first_seq FROM roost_data.feed_state s)
		AND NOT EXISTS (SELECT FROM logged l WHERE l.seq = k.seq AND l.account_id = k.actor_id AND l.post_id IS NOT DISTINCT FROM k.post_id)
	UNION ALL
	SELECT 'entry should be gone', k.kind::text, k.seq, k.actor_id, k.account_id, k.post_id
	FROM kept k WHERE k.seq < (SELECT s.mail_first_seq FROM roost_data.feed_state s)
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_check() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_check() IS 'Compares the log and the mailboxes with the tables; every row is a difference, none means equal. Call roost.worker_sync() before, and let nobody write meanwhile: what is not logged yet is a difference, too. Reads everything: for tests and after accidents. docs/feed.md says what equal means.';

CREATE OR REPLACE FUNCTION roost_internal.feed_gone() RETURNS TABLE (
	kind roost.feed_kind, id bigint, account_id bigint, post_id bigint, target_id bigint, retweet_of_id bigint, reply_to_account_id bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
AS $$
	SELECT roost_internal.feed_undoing(l.kind), l.id, l.account_id, l.post_id, l.target_id, l.retweet_of_id, l.reply_to_account_id
	FROM roost_data.feed_log l
	WHERE l.kind IN ('post_created', 'like_created', 'follow_created', 'follow_request_created')
		AND NOT EXISTS (SELECT FROM roost_data.feed_log d WHERE d.kind = roost_internal.feed_undoing(l.kind)
			AND d.id = l.id AND d.account_id = l.account_id AND d.seq > l.seq)
		AND NOT EXISTS (SELECT FROM roost_data.post t WHERE l.kind = 'post_created' AND t.id = l.id AND t.author_id = l.account_id)
		AND NOT EXISTS (SELECT FROM roost_data.post_like t WHERE l.kind = 'like_created' AND t.id = l.id AND t.account_id = l.account_id)
		AND NOT EXISTS (SELECT FROM roost_data.follow t WHERE l.kind = 'follow_created' AND t.id = l.id AND t.follower_id = l.account_id)
		AND NOT EXISTS (SELECT FROM roost_data.follow_request t WHERE l.kind = 'follow_request_created' AND t.id = l.id AND t.follower_id = l.account_id)
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_gone() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_gone() IS 'What the log says was created and not deleted since, and is not in its table: as rows that say it was deleted. Reads everything.';
