-- What live_chaos.pl needs: accounts that do things at random, and what the
-- tables imply for the streams of its clients, computed from the log and the
-- tables without any function of the streams.
CREATE SCHEMA chaos;
CREATE TABLE chaos.account (n integer PRIMARY KEY, id bigint);
CREATE TABLE chaos.client (n integer PRIMARY KEY, account_id bigint, channels text[], transport text);
CREATE TABLE chaos.line (kind text, n integer, a bigint, b bigint, c text, d text, e text, f text);
CREATE TABLE chaos.span (n integer, low bigint, high bigint, resets integer, disorder integer, doubles integer, connects integer);
CREATE TABLE chaos.heard (n integer, seq bigint, part integer, event text, home boolean, subject bigint);

CREATE FUNCTION chaos.somebody() RETURNS bigint LANGUAGE sql VOLATILE AS
	$$ SELECT id FROM chaos.account OFFSET floor(random() * (SELECT count(*) FROM chaos.account)) LIMIT 1 $$;
CREATE FUNCTION chaos.some_post() RETURNS bigint LANGUAGE sql VOLATILE AS
	$$ SELECT id FROM (SELECT id FROM roost_data.post ORDER BY id DESC LIMIT 30) p ORDER BY random() LIMIT 1 $$;

-- One act; what cannot be done is left.
CREATE FUNCTION chaos.act() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_actor constant bigint := chaos.somebody();
	v_other constant bigint := chaos.somebody();
	v_post constant bigint := chaos.some_post();
	v_choice constant float8 := random();
	v_text constant text := 'acted #tag' || floor(random() * 5) || ' ' || random();
BEGIN
	CASE
	WHEN v_choice < 0.30 THEN PERFORM roost.post_create(v_actor, v_text);
	WHEN v_choice < 0.38 THEN PERFORM roost.post_create(v_actor, v_text, visibility => 'followers');
	WHEN v_choice < 0.45 THEN PERFORM roost.post_create(v_actor, v_text || (SELECT ' @' || username FROM roost_data.account WHERE id = v_other), reply_to_id => v_post);
	WHEN v_choice < 0.65 THEN PERFORM roost.post_like(v_actor, v_post);
	WHEN v_choice < 0.72 THEN PERFORM roost.post_unlike(l.account_id, l.post_id) FROM (SELECT * FROM roost_data.post_like ORDER BY id DESC LIMIT 1) l;
	WHEN v_choice < 0.80 THEN PERFORM roost.post_retweet(v_actor, v_post);
	WHEN v_choice < 0.84 THEN PERFORM roost.account_follow(v_actor, v_other::text);
	WHEN v_choice < 0.88 THEN PERFORM roost.account_unfollow(v_actor, v_other::text) WHERE NOT chaos.is_kept(v_actor, v_other);
	WHEN v_choice < 0.94 THEN PERFORM roost.post_edit(p.author_id, p.id, v_text) FROM roost_data.post p WHERE p.id = v_post AND p.retweet_of_id IS NULL;
	WHEN v_choice < 0.97 THEN PERFORM roost.post_delete(p.author_id, p.id) FROM roost_data.post p WHERE p.id = v_post AND p.id > (SELECT max(id) FROM chaos.kept_post);
	ELSE PERFORM roost.post_like(v_actor, k.id) FROM (SELECT id FROM chaos.kept_post ORDER BY random() LIMIT 1) k;
	END CASE;
EXCEPTION WHEN raise_exception OR no_data_found OR integrity_constraint_violation OR data_exception OR insufficient_privilege
	OR object_not_in_prerequisite_state OR transaction_rollback OR program_limit_exceeded OR configuration_limit_exceeded THEN
	NULL;
END
$$;

CREATE TABLE chaos.kept_post (id bigint);
-- Follows that nobody here undoes, so that there are some to rely on.
CREATE FUNCTION chaos.is_kept(follower bigint, followee bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT (b.n - a.n + (SELECT count(*) FROM chaos.account)) % (SELECT count(*) FROM chaos.account) BETWEEN 1 AND 8
	FROM chaos.account a, chaos.account b WHERE a.id = follower AND b.id = followee
$$;

-- Whom an account follows since before the first cursor, and whom it may have followed at any time.
CREATE MATERIALIZED VIEW chaos.follows AS
	WITH changed AS (
		SELECT DISTINCT account_id AS follower_id, target_id AS followee_id FROM roost_data.feed_log
		WHERE kind IN ('follow_created', 'follow_deleted') AND seq > (SELECT min(low) FROM chaos.span)
	)
	SELECT coalesce(f.follower_id, c.follower_id) AS follower_id, coalesce(f.followee_id, c.followee_id) AS followee_id, c.follower_id IS NULL AS always
	FROM roost_data.follow f FULL JOIN changed c ON c.follower_id = f.follower_id AND c.followee_id = f.followee_id
	WITH NO DATA;

-- The rows of the log as events: what they are called, what they are about, and their topics.
CREATE MATERIALIZED VIEW chaos.event AS
	SELECT l.seq, l.kind::text, l.account_id, l.target_id, l.post_id,
		CASE l.kind WHEN 'post_created' THEN CASE WHEN l.retweet_of_id IS NULL THEN 'tweet:new' ELSE 'tweet:retweeted' END
			WHEN 'post_updated' THEN 'tweet:updated' WHEN 'post_deleted' THEN 'tweet:deleted' WHEN 'like_created' THEN 'tweet:liked' WHEN 'like_deleted' THEN 'tweet:unliked'
			WHEN 'follow_created' THEN 'user:followed' WHEN 'follow_deleted' THEN 'user:unfollowed' WHEN 'account_updated' THEN 'user:updated' END AS event,
		CASE WHEN l.kind IN ('follow_created', 'follow_deleted') THEN l.target_id WHEN l.kind = 'account_updated' THEN l.id ELSE l.post_id END AS subject,
		p.id IS NOT NULL AS stands,
		coalesce(p.visibility, 'followers')::text AS visibility,
		coalesce(p.author_id, l.author_id, l.account_id) AS author_id,
		l.kind IN ('post_created', 'post_updated', 'post_deleted') AS is_post,
		array_remove(ARRAY[
			CASE WHEN l.kind IN ('post_created', 'post_updated', 'post_deleted') THEN 'user:' || l.account_id WHEN l.kind = 'account_updated' THEN 'user:' || l.id END,
			CASE l.kind WHEN 'post_created' THEN 'post:' || coalesce(l.retweet_of_id, p.reply_to_id) WHEN 'follow_created' THEN NULL WHEN 'follow_deleted' THEN NULL ELSE 'post:' || l.post_id END,
			CASE WHEN l.kind IN ('post_created', 'post_updated') AND p.visibility = 'public' AND p.reply_to_id IS NULL AND p.retweet_of_id IS NULL THEN 'public' END]
			|| CASE WHEN l.kind IN ('post_created', 'post_updated') AND p.visibility = 'public' AND NOT x.edited THEN (SELECT array_agg('hashtag:' || h) FROM unnest(p.hashtags) h) END, NULL) AS topics,
		l.kind IN ('post_created', 'post_updated') AND p.visibility = 'public' AND x.edited AS may_be_tagged,
		l.kind = 'post_deleted' AND l.retweet_of_id IS NULL AS may_be_public,
		l.kind = 'like_created' AND NOT EXISTS (SELECT FROM roost_data.post_like k WHERE k.id = l.id) AS undone
	FROM roost_data.feed_log l
	LEFT JOIN roost_data.post p ON p.id = l.post_id
	-- has other hashtags now, perhaps
	CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM roost_data.feed_log u WHERE u.kind = 'post_updated' AND u.post_id = l.post_id AND u.seq > l.seq) AS edited) x
	WHERE l.kind NOT IN ('session_revoked', 'events_lost')
	WITH NO DATA;

-- Who may be told of an event, or must be: of posts that are gone nobody must, of follows that changed meanwhile nobody must.
CREATE FUNCTION chaos.expected(strict boolean) RETURNS TABLE (n integer, seq bigint, part integer) LANGUAGE sql STABLE AS $$
	WITH audience AS (SELECT DISTINCT account_id, channels FROM chaos.client),
	told AS (
		SELECT a.account_id, a.channels, e.seq
		FROM audience a JOIN chaos.event e ON e.topics && a.channels
			OR (NOT strict AND (e.may_be_public AND 'public' = ANY (a.channels) OR e.may_be_tagged AND a.channels::text LIKE '%hashtag:%'))
			OR ('home' = ANY (a.channels) AND (e.account_id = a.account_id
				OR e.is_post AND EXISTS (SELECT FROM chaos.follows f WHERE f.follower_id = a.account_id AND f.followee_id = e.account_id AND (f.always OR NOT strict))))
			OR ('notifications' = ANY (a.channels) AND e.kind IN ('like_created', 'follow_created') AND e.target_id = a.account_id
				AND (NOT strict OR EXISTS (SELECT FROM roost_data.mailbox m WHERE m.account_id = a.account_id AND m.seq = e.seq)))
		WHERE (NOT strict OR e.kind IN ('follow_created', 'follow_deleted', 'account_updated', 'post_deleted') OR e.stands AND NOT e.undone)
			-- who sees it: everybody, its author, or the followers
			AND (e.visibility IN ('public', 'unlisted') OR e.post_id IS NULL OR NOT strict AND NOT e.stands OR e.kind = 'post_deleted' OR e.author_id = a.account_id
				OR EXISTS (SELECT FROM chaos.follows f WHERE f.follower_id = a.account_id AND f.followee_id = e.author_id AND (f.always OR NOT strict)))
	)
	SELECT c.n, t.seq, 0 FROM chaos.client c JOIN told t ON t.account_id IS NOT DISTINCT FROM c.account_id AND t.channels = c.channels
	UNION
	SELECT c.n, m.seq, 1 FROM chaos.client c JOIN roost_data.mailbox m ON m.account_id = c.account_id AND 'notifications' = ANY (c.channels)
	JOIN chaos.event e ON e.seq = m.seq
	WHERE NOT strict OR m.post_id IS NULL OR e.stands AND e.visibility = 'public' AND NOT e.undone
$$;

CREATE MATERIALIZED VIEW chaos.may AS SELECT * FROM chaos.expected(false) WITH NO DATA;
CREATE INDEX ON chaos.may (n, seq, part);
CREATE INDEX ON chaos.event (seq);
CREATE MATERIALIZED VIEW chaos.must AS
	SELECT x.* FROM chaos.expected(true) x JOIN chaos.span s ON s.n = x.n AND x.seq > s.low AND x.seq <= s.high WITH NO DATA;
CREATE INDEX ON chaos.must (n);

CREATE FUNCTION chaos.prepare() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO chaos.span SELECT n, a, b, c::integer, d::integer, e::integer, f::integer FROM chaos.line WHERE kind = 'span';
	INSERT INTO chaos.heard SELECT n, a, b, c, d = '1', nullif(e, '')::bigint FROM chaos.line WHERE kind = 'heard';
	CREATE INDEX ON chaos.heard (n, seq, part);
	ANALYZE chaos.span;
	ANALYZE chaos.heard;
	ANALYZE chaos.client;
	CREATE INDEX ON roost_data.feed_log (post_id) WHERE kind = 'post_updated';
	REFRESH MATERIALIZED VIEW chaos.follows;
	REFRESH MATERIALIZED VIEW chaos.event;
	ANALYZE chaos.follows;
	ANALYZE chaos.event;
	REFRESH MATERIALIZED VIEW chaos.may;
	ANALYZE chaos.may;
	REFRESH MATERIALIZED VIEW chaos.must;
	ANALYZE chaos.must;
END
$$;

-- What was to be received and was not.
CREATE VIEW chaos.lost AS
	SELECT c.n, c.transport, c.account_id, c.channels, x.seq, x.part, e.kind, e.event, e.subject, e.account_id AS actor_id
	FROM chaos.must x JOIN chaos.client c ON c.n = x.n JOIN chaos.event e ON e.seq = x.seq
	WHERE NOT EXISTS (SELECT FROM chaos.heard h WHERE h.n = x.n AND h.seq = x.seq AND h.part = x.part);

-- What was received and is none of the client's, or before its cursor, or not what the log says.
CREATE VIEW chaos.wrong AS
	SELECT h.*, c.transport, c.account_id, c.channels, e.kind AS log_kind, e.event AS log_event, e.subject AS log_subject
	FROM chaos.heard h JOIN chaos.client c ON c.n = h.n LEFT JOIN chaos.event e ON e.seq = h.seq
	LEFT JOIN chaos.span s ON s.n = h.n AND h.seq > s.low AND h.seq <= s.high
	LEFT JOIN chaos.may ON may.n = h.n AND may.seq = h.seq AND may.part = h.part
	WHERE e.seq IS NULL
		OR h.part = 0 AND (h.event <> e.event OR h.subject <> e.subject)
		OR h.part = 1 AND (h.event <> 'notification:new' OR NOT 'notifications' = ANY (c.channels))
		OR h.part > 1
		OR h.home AND NOT ('home' = ANY (c.channels) AND (e.account_id = c.account_id
			OR e.is_post AND (c.account_id, e.account_id) IN (SELECT f.follower_id, f.followee_id FROM chaos.follows f)))
		OR s.n IS NULL
		OR h.part = 0 AND e.stands AND may.n IS NULL;
