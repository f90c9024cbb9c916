-- Resuming: what stream_resume() gives, in pieces of any size, is what
-- stream_read(), stream_data(), stream_see() and stream_notify() give for the same channels.
-- A seeded walk makes a history in which accounts are opened, closed,
-- suspended and deleted, and a long stretch of likes makes room for indexes.
CREATE SCHEMA live_resume;
INSERT INTO roost_data.account (id, username) SELECT n, 'live_resume_' || n FROM generate_series(9601, 9612) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 9601 AND 9612;
SELECT roost.worker_sync('1 minute');
SELECT epoch AS epoch, last_seq AS begin FROM roost.stream_position() \gset

-- Groups in which some of them are, two with a block between them.
CREATE TABLE live_resume.group AS SELECT n, roost_internal.id_next() AS id FROM generate_series(1, 3) n;
INSERT INTO roost_data.conversation (id, kind, title, member_count) SELECT id, 'group', 'group ' || n, 2 FROM live_resume.group;
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT g.id, a FROM live_resume.group g, generate_series(9601, 9612) a WHERE (a + g.n) % 3 < 2;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (9601, 9604, roost_internal.id_next(9601));

CREATE FUNCTION live_resume.post() RETURNS bigint
LANGUAGE sql
AS $$
	SELECT id FROM roost_data.post WHERE author_id BETWEEN 9601 AND 9612 ORDER BY random() LIMIT 1
$$;

CREATE FUNCTION live_resume.act() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	v_actor constant bigint := 9601 + floor(random() * 11);
	v_other constant bigint := 9601 + floor(random() * 12);
	v_post constant bigint := live_resume.post();
	v_text constant text := 'about #Tag' || floor(random() * 3) || ' @live_resume_' || v_other;
	v_visibility constant roost.visibility := (enum_range(NULL::roost.visibility))[1 + floor(random() * random() * 4)];
BEGIN
	CASE floor(random() * 26)
	WHEN 0, 1, 2 THEN PERFORM roost.post_create(v_actor, v_text, visibility => v_visibility);
	WHEN 3 THEN PERFORM roost.post_create(v_actor, 'an answer', reply_to_id => v_post, visibility => v_visibility);
	WHEN 4 THEN PERFORM roost.post_create(v_actor, v_text, quote_of_id => v_post);
	WHEN 5 THEN PERFORM roost.post_retweet(v_actor, v_post);
	WHEN 6, 7 THEN PERFORM roost.post_like(v_actor, v_post);
	WHEN 8 THEN PERFORM roost.post_unlike(v_actor, v_post);
	WHEN 9, 10 THEN PERFORM roost.account_follow(v_actor, v_other::text);
	WHEN 11 THEN PERFORM roost.account_unfollow(v_actor, v_other::text);
	WHEN 12 THEN PERFORM roost.follow_request_accept(v_actor, r.follower_id::text) FROM roost_data.follow_request r WHERE r.followee_id = v_actor;
	WHEN 13 THEN PERFORM roost.post_edit(p.author_id, p.id, 'changed, ' || v_text) FROM roost_data.post p WHERE p.id = v_post;
	WHEN 14 THEN PERFORM roost.post_delete(p.author_id, p.id) FROM roost_data.post p WHERE p.id = v_post AND random() < 0.5;
	WHEN 15 THEN PERFORM roost.account_update(v_actor, bio => 'at ' || random());
	WHEN 16 THEN UPDATE roost_data.account SET is_private = random() < 0.4 WHERE id = v_actor AND random() < 0.4 AND status = 'active';
	WHEN 17 THEN PERFORM roost.notification_preferences_set(v_actor, follow => p, "like" => p, mention => p)
		FROM (SELECT (enum_range(NULL::roost.notification_policy))[1 + floor(random() * 3)] AS p OFFSET 0) s;
	WHEN 18 THEN PERFORM roost.notification_mute(v_actor, v_other::text);
	WHEN 19, 20 THEN PERFORM roost.message_create(v_actor, recipient_id => v_other::text, text => v_text);
	WHEN 21, 22 THEN PERFORM roost.message_create(v_actor, conversation_id => (SELECT id FROM live_resume.group ORDER BY random() LIMIT 1), text => v_text);
	WHEN 23 THEN PERFORM roost.friend_request_create(v_actor, v_other::text);
	WHEN 24 THEN PERFORM roost.friend_remove(v_actor, v_other::text);
	ELSE
		UPDATE roost_data.account SET status = CASE WHEN random() < 0.3 THEN 'suspended' ELSE 'active' END
		WHERE id = v_actor AND random() < 0.3 AND status <> 'deleted';
	END CASE;
EXCEPTION WHEN no_data_found OR object_not_in_prerequisite_state OR check_violation OR insufficient_privilege OR invalid_parameter_value OR unique_violation THEN
	NULL;
END
$$;

-- By definition.
CREATE FUNCTION live_resume.followed(account_id bigint, followee_id bigint, at bigint) RETURNS boolean
LANGUAGE sql STABLE
AS $$
	SELECT coalesce(
		(SELECT l.kind = 'follow_created' FROM roost_data.feed_log l WHERE l.kind IN ('follow_created', 'follow_deleted')
			AND l.account_id = $1 AND l.target_id = $2 AND l.seq <= $3 ORDER BY l.seq DESC LIMIT 1),
		(SELECT l.kind = 'follow_deleted' FROM roost_data.feed_log l WHERE l.kind IN ('follow_created', 'follow_deleted')
			AND l.account_id = $1 AND l.target_id = $2 AND l.seq > $3 ORDER BY l.seq LIMIT 1),
		EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = $1 AND f.followee_id = $2))
$$;

CREATE TABLE live_resume.row AS SELECT r.* FROM roost.stream_read(0, 1) r LIMIT 0;
CREATE FUNCTION live_resume.read(after bigint) RETURNS TABLE (n bigint, dense boolean)
LANGUAGE plpgsql
AS $$
BEGIN
	TRUNCATE live_resume.row;
	LOOP
		INSERT INTO live_resume.row SELECT * FROM roost.stream_read(greatest(after, (SELECT max(seq) FROM live_resume.row)), 5000, true);
		EXIT WHEN NOT FOUND;
	END LOOP;
	UPDATE live_resume.row r SET data = d.data FROM roost.stream_data(ARRAY(SELECT seq FROM live_resume.row)) d WHERE d.seq = r.seq;
	RETURN QUERY SELECT count(*), count(*) = max(seq) - after AND max(seq) = (SELECT last_seq FROM roost.stream_position()) FROM live_resume.row;
END
$$;
CREATE FUNCTION live_resume.wanted(account_id bigint, channels text[]) RETURNS TABLE (seq bigint, part integer, event text, home boolean, topics text, data text)
LANGUAGE sql STABLE
AS $$
	WITH entry AS MATERIALIZED (
		SELECT r.*, 'home' = ANY ($2) AND (r.account_ids = $1::text OR r.home_id IS NOT NULL AND live_resume.followed($1, r.home_id, r.seq)) AS is_home FROM live_resume.row r
	), told AS MATERIALIZED (
		SELECT n.seq FROM live_resume.row n WHERE 'notifications' = ANY ($2) AND $1::text = ANY (string_to_array(n.notify, ' '))
	), notice AS MATERIALIZED (
		SELECT n.seq, n.data FROM roost.stream_notify(ARRAY(SELECT t.seq FROM told t), ARRAY(SELECT $1 FROM told t)) n
	), mine AS MATERIALIZED (
		SELECT e.*, e.room AND 'messages' = ANY ($2) AS is_message FROM entry e WHERE e.event IS NOT NULL
			AND (NOT e.room OR $1::text = ANY (string_to_array(e.told, ' ')))
			AND (e.is_home IS TRUE OR e.room AND 'messages' = ANY ($2) OR string_to_array(e.topics, ' ') && $2
				OR $1::text = ANY (string_to_array(e.target_ids, ' ')) AND e.seq IN (SELECT n.seq FROM notice n))
	), asked AS (
		SELECT s.seq FROM roost.stream_see(ARRAY(SELECT m.seq FROM mine m), ARRAY(SELECT coalesce($1, 0) FROM mine m)) s
	)
	SELECT m.seq, 0, m.event, m.is_home IS TRUE, CASE WHEN m.is_message THEN concat_ws(' ', 'messages', m.topics) ELSE m.topics END, m.data FROM mine m WHERE m.everyone OR m.seq IN (SELECT a.seq FROM asked a)
	UNION ALL
	SELECT n.seq, 1, 'notification:new', false, NULL, n.data FROM notice n
	ORDER BY 1, 2
$$;

-- In pieces.
CREATE FUNCTION live_resume.pieces(account_id bigint, epoch bigint, after bigint, channels text[], most integer)
RETURNS TABLE (seq bigint, part integer, event text, home boolean, topics text, data text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	v_seq bigint := after;
	v_last record;
	v_count integer;
BEGIN
	LOOP
		v_count := 0;
		FOR v_last IN SELECT * FROM roost.stream_resume(account_id, epoch, v_seq, channels, most) LOOP
			IF v_last.event IS NOT NULL THEN
				v_count := v_count + 1;
				RETURN QUERY SELECT v_last.seq, v_last.part, v_last.event, v_last.home, v_last.topics, v_last.data;
			END IF;
		END LOOP;
		IF v_last.event IS NOT NULL OR v_count > most + 1 OR v_last.part = 1 AND v_last.seq <= v_seq THEN
			RAISE EXCEPTION 'a piece after % of at most % has %, and ends in %', v_seq, most, v_count, v_last;
		END IF;
		v_seq := v_last.seq;
		EXIT WHEN v_last.part = 0;
	END LOOP;
END
$$;

CREATE FUNCTION live_resume.compare(account_id bigint, epoch bigint, after bigint, channels text[], most integer, OUT same boolean, OUT count bigint)
LANGUAGE sql STABLE
AS $$
	WITH wanted AS MATERIALIZED (SELECT row_number() OVER () AS n, w.* FROM live_resume.wanted($1, $4) w),
		found AS MATERIALIZED (SELECT row_number() OVER () AS n, f.* FROM live_resume.pieces($1, $2, $3, $4, $5) f)
	SELECT NOT EXISTS (TABLE wanted EXCEPT ALL TABLE found) AND NOT EXISTS (TABLE found EXCEPT ALL TABLE wanted), (SELECT count(*) FROM wanted)
$$;

CREATE TABLE live_resume.case AS
SELECT n, account_id::bigint, channels::text[] FROM (VALUES (1, 9601, '{home}'), (2, 9602, '{home,notifications}'), (3, 9603, '{notifications}'), (4, NULL, '{user:9601,user:9605}'),
	(5, 9604, '{user:9602,notifications,presence}'), (6, NULL, '{public}'), (7, 9605, '{hashtag:tag1,user:9606}'), (8, 9606, '{}'), (9, NULL, '{home,notifications}'),
	(10, 9612, '{home,user:9612,notifications}'), (14, 9601, '{messages}'), (15, 9602, '{home,messages,notifications}'), (16, 9604, '{messages,public}'),
	(17, NULL, '{messages}'), (18, 9612, '{messages,notifications}')) c (n, account_id, channels);
INSERT INTO live_resume.case SELECT 19, 9603, array_agg('conversation:' || id) FROM live_resume.group;
INSERT INTO live_resume.case SELECT 20, 9605, array_agg('conversation:' || id) || '{user:9601}'::text[] FROM live_resume.group WHERE n = 1;
SELECT setseed(0.42);
SELECT count(live_resume.act()) FROM generate_series(1, 500);
INSERT INTO live_resume.case SELECT 11, 9607, ARRAY(SELECT 'post:' || live_resume.post() FROM generate_series(1, 10)) || '{home}'::text[];
INSERT INTO live_resume.case SELECT 12, 9608, ARRAY(SELECT 'post:' || live_resume.post() FROM generate_series(1, 30));
-- every account meets an end
SELECT roost_internal.account_erase(9609);
SELECT roost.worker_sync('1 minute');
SELECT last_seq AS middle FROM roost.stream_position() \gset

-- A history that is short: row by row.
SELECT n > 200 AS some, dense FROM live_resume.read(:begin);
SELECT count(*) > 50 AS rooms, count(DISTINCT event) > 4 AS kinds FROM live_resume.row WHERE room AND event IS NOT NULL;
SELECT m.most, count(*) AS cases, sum(r.count) > 20 AS some, array_agg(c.n) FILTER (WHERE NOT r.same) AS other
FROM live_resume.case c, (VALUES (1), (7), (1000)) m (most), LATERAL live_resume.compare(c.account_id, :epoch, :begin, c.channels, m.most) r
GROUP BY m.most ORDER BY m.most;

-- One that is long: by indexes where they help, over the end of a partition; for somebody who follows very many.
INSERT INTO roost_data.account (id, username) SELECT n, 'live_resume_' || n FROM generate_series(9701, 9703) n;
UPDATE roost_data.account SET status = 'active' WHERE id BETWEEN 9601 AND 9608;
INSERT INTO roost_data.post_like (account_id, post_id, id)
SELECT 9600 + a, p.id, roost_internal.id_next(9600 + a) FROM generate_series(100, 300) a,
	(SELECT t.id FROM roost_data.post t WHERE t.author_id BETWEEN 9601 AND 9612 AND t.retweet_of_id IS NULL ORDER BY t.id LIMIT 40) p;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 9610, 20000 + n, roost_internal.id_next(9610) FROM generate_series(1, 4500) n;
INSERT INTO live_resume.case VALUES (13, 9610, '{home}');
SELECT setseed(0.43);
SELECT count(live_resume.act()) FROM generate_series(1, 500);
SELECT roost.worker_sync('1 minute');
SELECT n > 8192 AS long, dense FROM live_resume.read(:begin);
SELECT m.most, count(*) AS cases, sum(r.count) > 20 AS some, array_agg(c.n) FILTER (WHERE NOT r.same) AS other
FROM live_resume.case c, (VALUES (3), (1000)) m (most), LATERAL live_resume.compare(c.account_id, :epoch, :begin, c.channels, m.most) r
WHERE m.most = 1000 OR c.n NOT IN (6, 11, 12)
GROUP BY m.most ORDER BY m.most;
-- and from the middle
DELETE FROM live_resume.row WHERE seq <= :middle;
SELECT count(*) AS cases, sum(r.count) > 20 AS some, array_agg(c.n) FILTER (WHERE NOT r.same) AS other
FROM live_resume.case c, LATERAL live_resume.compare(c.account_id, :epoch, :middle, c.channels, 50) r;

SET client_min_messages = warning;
DROP SCHEMA live_resume CASCADE;
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 9601 AND 9612 OR followee_id BETWEEN 9601 AND 9612;
DELETE FROM roost_data.friendship WHERE account_id BETWEEN 9601 AND 9612;
DELETE FROM roost_data.friend_request WHERE requester_id BETWEEN 9601 AND 9612;
DELETE FROM roost_data.message m USING roost_data.conversation_member c WHERE c.conversation_id = m.conversation_id AND c.account_id BETWEEN 9601 AND 9612;
DELETE FROM roost_data.conversation_direct WHERE low_id BETWEEN 9601 AND 9612;
DELETE FROM roost_data.conversation c USING roost_data.conversation_member m WHERE m.conversation_id = c.id AND m.account_id BETWEEN 9601 AND 9612;
DELETE FROM roost_data.account_block WHERE account_id = 9601;
DELETE FROM roost_data.post WHERE author_id BETWEEN 9601 AND 9612;
