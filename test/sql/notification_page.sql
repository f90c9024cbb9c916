-- Pages of notifications are what their definition says: of random mailboxes, few
-- or many entries a group, while new ones come; nothing is left out or doubled.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
SELECT roost.worker_sync('1 minute');
BEGIN;
INSERT INTO roost_data.account (id, username) SELECT 98300 + n, 'note_page_' || n FROM generate_series(1, 40) n;
UPDATE roost_data.account SET status = 'suspended' WHERE id = 98340;
UPDATE roost_data.account SET is_private = true WHERE id = 98339;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 98301, 98300 + n, roost_internal.id_next(98301) FROM generate_series(2, 10) n;
CREATE TEMP TABLE post AS SELECT n, (roost.post_create(98301, 'post ' || n)).id::bigint AS id FROM generate_series(1, 12) n;
CREATE TEMP TABLE answer AS SELECT 98300 + n AS author_id, (roost.post_create((98300 + n)::bigint, 'answer ' || n, reply_to_id => (SELECT id FROM post WHERE post.n = 1))).id::bigint AS id FROM generate_series(2, 39) n;
-- A part of the mailbox of its own, in days to come.
SELECT roost_internal.feed_partition_add('mailbox', 1000000000000, 1000000050000), roost_internal.feed_partition_add('mailbox', 1000000050000, 1000001000000);
CREATE SEQUENCE pg_temp.place START 1000000000000;
CREATE FUNCTION pg_temp.act(v_day date, v_kind roost.mailbox_kind, v_post integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_seq constant bigint := nextval('pg_temp.place');
	v_actor constant bigint := 98302 + v_seq * 7919 % 39;
BEGIN
	INSERT INTO roost_data.feed_day (day, seq) VALUES (v_day, v_seq) ON CONFLICT DO NOTHING;
	INSERT INTO roost_data.mailbox (account_id, seq, actor_id, post_id, group_id, created_at, kind, day)
	SELECT 98301, v_seq, v_actor,
		CASE WHEN v_kind IN ('follow', 'follow_request') THEN NULL WHEN v_kind = 'like' THEN p.id ELSE a.id END,
		CASE WHEN v_kind IN ('like', 'retweet') THEN p.id ELSE 0 END,
		v_day::timestamp AT TIME ZONE 'UTC' + interval '1 hour', v_kind, v_day
	FROM post p LEFT JOIN answer a ON a.author_id = v_actor
	WHERE p.n = v_post AND (a.id IS NOT NULL OR v_kind IN ('follow', 'follow_request', 'like'));
END
$$;
-- The definition. Of a group the newest 200 entries are looked at.
CREATE FUNCTION pg_temp.definition(v_types roost.mailbox_kind[], v_read bigint) RETURNS TABLE (n bigint, id text, account_count bigint, latest_id bigint, is_read boolean, first_actor bigint)
LANGUAGE sql AS $$
	WITH entry AS (
		SELECT m.*, roost_internal.notification_id(m.kind, m.day, m.group_id, m.seq) AS id FROM roost_data.mailbox m WHERE m.account_id = 98301
	), raw AS (
		SELECT e.*, EXISTS (SELECT FROM roost_internal.notification_shown(98301, e.kind, e.actor_id, e.post_id, false))
			AND row_number() OVER (PARTITION BY e.id ORDER BY e.seq DESC) <= 200 AS told
		FROM entry e
	), grouped AS (
		SELECT r.id, max(r.seq) AS place, count(*) FILTER (WHERE r.told) AS told, max(r.seq) FILTER (WHERE r.told) AS latest_id,
			(array_agg(r.actor_id ORDER BY r.seq DESC) FILTER (WHERE r.told))[1] AS first_actor
		FROM raw r WHERE v_types IS NULL OR r.kind = ANY (v_types) GROUP BY r.id
	)
	SELECT row_number() OVER (ORDER BY g.place DESC), g.id, least(g.told, 100), g.latest_id, g.latest_id <= v_read, g.first_actor
	FROM grouped g WHERE g.latest_id > 0
$$;
-- All pages; between two of them others go on.
CREATE FUNCTION pg_temp.pages(v_limit integer, v_types roost.mailbox_kind[], v_unread boolean, v_busy boolean) RETURNS TABLE (n bigint, id text, account_count bigint, latest_id bigint, is_read boolean, first_actor bigint)
LANGUAGE plpgsql AS $$
DECLARE
	v_row roost.notification;
	v_cursor text;
	v_count integer;
BEGIN
	n := 0;
	LOOP
		v_count := 0;
		FOR v_row IN SELECT * FROM roost.notification_list(98301, v_types, v_unread, v_limit, v_cursor) LOOP
			n := n + 1;
			v_count := v_count + 1;
			v_cursor := v_row.cursor;
			id := v_row.id;
			account_count := v_row.account_count;
			latest_id := v_row.latest_id;
			is_read := v_row.read;
			first_actor := ((v_row.accounts)[1]).id;
			RETURN NEXT;
		END LOOP;
		EXIT WHEN v_count < v_limit;
		IF v_busy THEN
			PERFORM pg_temp.act('2040-02-01', (enum_range(NULL::roost.mailbox_kind))[1 + k % 7], 1 + k % 12) FROM generate_series(1, 5) k;
			PERFORM pg_temp.act(d.day, 'like', 1 + k) FROM generate_series(1, 5) k, (SELECT max(t.day) AS day FROM roost_data.feed_day t) d;
		END IF;
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.compare(v_types roost.mailbox_kind[] DEFAULT NULL, v_unread boolean DEFAULT false, v_busy boolean DEFAULT false, v_limits integer[] DEFAULT '{1,7,20,200}') RETURNS TABLE (page integer, groups bigint, differ bigint) LANGUAGE plpgsql AS $$
DECLARE
	v_read bigint := coalesce((SELECT t.read_seq FROM roost_data.notification_marker t WHERE t.account_id = 98301), 0);
BEGIN
	FOREACH page IN ARRAY v_limits LOOP
		CREATE TEMP TABLE wanted AS SELECT row_number() OVER (ORDER BY d.n) AS n, d.id, d.account_count, d.latest_id, d.is_read, d.first_actor
			FROM pg_temp.definition(v_types, v_read) d WHERE NOT v_unread OR NOT d.is_read;
		CREATE TEMP TABLE got AS SELECT * FROM pg_temp.pages(page, v_types, v_unread, v_busy);
		SELECT count(*) INTO groups FROM wanted;
		SELECT count(*) INTO differ FROM ((SELECT * FROM wanted EXCEPT SELECT * FROM got) UNION ALL (SELECT * FROM got EXCEPT SELECT * FROM wanted)) x;
		DROP TABLE wanted, got;
		RETURN NEXT;
	END LOOP;
END
$$;

-- few entries a day
SELECT count(pg_temp.act('2040-01-01'::date + n / 40, (enum_range(NULL::roost.mailbox_kind))[1 + abs(hashint4(n)) % 7], 1 + abs(hashint4(n + 1000)) % 12)) FROM generate_series(0, 399) n;
SELECT * FROM pg_temp.compare();
SELECT * FROM pg_temp.compare('{mention,like}');
-- many of few groups, and something else among them
SELECT count(pg_temp.act('2040-01-11'::date + n / 1200, CASE WHEN n % 97 = 0 THEN 'reply' WHEN n % 5 = 0 THEN 'retweet' ELSE 'like' END::roost.mailbox_kind, 1 + (n / 600) % 12)) FROM generate_series(0, 3599) n;
SELECT * FROM pg_temp.compare(v_limits => '{3,20}');
SELECT * FROM pg_temp.compare('{reply}', v_limits => '{20}');
SELECT * FROM pg_temp.compare('{mention}', v_limits => '{5}');
SELECT * FROM pg_temp.compare('{follow_request}', v_limits => '{5}');
SELECT account_count, more, cardinality(accounts) FROM roost.notification_list(98301, '{like}', "limit" => 1);
-- many that stand alone
SELECT count(pg_temp.act('2040-01-15', CASE WHEN n % 3 = 0 THEN 'reply' ELSE 'like' END::roost.mailbox_kind, 1)) FROM generate_series(0, 2399) n;
SELECT * FROM pg_temp.compare('{reply,follow}', v_limits => '{150}');
-- while others go on
SELECT * FROM pg_temp.compare(v_busy => true, v_limits => '{20}');
SELECT * FROM pg_temp.compare('{like,follow}', v_busy => true, v_limits => '{2}');
-- some read, some not wanted
SELECT count(*) FROM roost.notification_read(98301, 1000000003000);
SELECT * FROM pg_temp.compare(v_unread => true, v_limits => '{20,100}');
SELECT count(*) FROM roost.notification_preferences_set(98301, "like" => 'followed', follow => 'nobody');
SELECT count(roost.notification_mute(98301, '98305'));
SELECT * FROM pg_temp.compare(v_limits => '{20}');
SELECT * FROM pg_temp.compare(v_unread => true, v_busy => true, v_limits => '{30}');
-- what came since
SELECT cursor AS first FROM roost.notification_list(98301, "limit" => 1) \gset
SELECT count(*) FROM roost.notification_list(98301, after => :'first');
SELECT count(pg_temp.act('2040-02-01', k, 1)) FROM unnest('{mention,like,reply}'::roost.mailbox_kind[]) k;
SELECT type, account_count > 0 AS told FROM roost.notification_list(98301, after => :'first');
-- it counts what it shows, up to 1000
SELECT (u).more, (u).count BETWEEN 100 AND 1000 AS some, (u).latest_id = (SELECT max(seq) FROM roost_data.mailbox WHERE account_id = 98301) AS latest FROM roost.notification_unread_get(98301) u;
SELECT count(*) FROM roost.notification_read(98301, (SELECT max(seq) - 50 FROM roost_data.mailbox WHERE account_id = 98301));
SELECT (u).count = (SELECT count(*) FROM roost_data.mailbox m
	CROSS JOIN LATERAL roost_internal.notification_shown(98301, m.kind, m.actor_id, m.post_id, false)
	WHERE m.account_id = 98301 AND m.seq > (u).read_id) AS exact, (u).more, (u).count > 0 AS some
FROM roost.notification_unread_get(98301) u;
ROLLBACK;
