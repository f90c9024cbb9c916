-- The list of conversations, which is kept in memory, says what the tables say: a seeded walk of messages, settings and
-- members, each step in a transaction of its own, and after each one pages of some accounts, read twice, also further pages of
-- walks that began earlier.
\pset format unaligned
\pset tuples_only on
CREATE SCHEMA chat_list;
INSERT INTO roost_data.account (id, username) SELECT n, 'chat_list_' || n FROM generate_series(18601, 18612) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 18601 AND 18612;

-- By definition.
CREATE FUNCTION chat_list.page(actor_id bigint, "limit" integer, archived boolean, pinned boolean, place bigint, since bigint, OUT ids bigint[], OUT cursors text[])
LANGUAGE sql STABLE
AS $$
	WITH own AS (
		SELECT c.id, coalesce(c.last_message_id, c.id) AS newest, m.pinned_at IS NOT NULL AS pinned,
			roost_internal.member_archived(m.archived_id, roost_internal.member_muted(m.muted, m.muted_until), c.last_message_id) AS archived
		FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id
		WHERE m.account_id = page.actor_id AND NOT (c.kind = 'direct' AND c.last_message_id IS NULL AND c.created_by IS DISTINCT FROM page.actor_id)
	), began AS (
		SELECT coalesce(page.since, (SELECT max(o.newest) FROM own o), 0) AS id
	), walk AS (
		SELECT o.id, o.pinned, b.id AS since, CASE WHEN o.newest <= b.id THEN o.newest
			ELSE coalesce((SELECT max(t.id) FROM roost_data.message t WHERE t.conversation_id = o.id AND t.id <= b.id), CASE WHEN o.id <= b.id THEN o.id END) END AS place
		FROM own o, began b WHERE o.archived = page.archived
	), found AS (
		SELECT w.* FROM walk w WHERE w.place IS NOT NULL AND (page.place IS NULL OR (w.pinned::integer, w.place) < (page.pinned::integer, page.place))
		ORDER BY w.pinned DESC, w.place DESC LIMIT page."limit"
	)
	SELECT coalesce(array_agg(f.id ORDER BY f.pinned DESC, f.place DESC), '{}'),
		coalesce(array_agg(concat_ws('.', f.pinned::integer, f.place, f.since) ORDER BY f.pinned DESC, f.place DESC), '{}') FROM found f
$$;

CREATE FUNCTION chat_list.act() RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	v_actor constant bigint := 18601 + floor(random() * 12);
	v_other constant bigint := 18601 + floor(random() * 12);
	v_room bigint := (SELECT m.conversation_id FROM roost_data.conversation_member m WHERE m.account_id = v_actor ORDER BY random() LIMIT 1);
	v_group bigint := (SELECT m.conversation_id FROM roost_data.conversation_member m WHERE m.account_id = v_actor AND m.role = 'owner' ORDER BY random() LIMIT 1);
BEGIN
	CASE floor(random() * 16)
	WHEN 0, 1 THEN PERFORM roost.message_create(v_actor, recipient_id => v_other::text, text => 'hello');
	WHEN 2, 3, 4, 5 THEN PERFORM roost.message_create(v_actor, conversation_id => v_room, text => 'there');
	WHEN 6 THEN PERFORM roost.conversation_create(v_actor, 'direct', ARRAY[v_other::text]::roost.account_ref[]);
	WHEN 7 THEN PERFORM roost.conversation_create(v_actor, 'group', ARRAY[v_other::text]::roost.account_ref[], title => 'some');
	WHEN 8, 9 THEN PERFORM roost.conversation_settings(v_actor, v_room, archived => random() < 0.6);
	WHEN 10 THEN PERFORM roost.conversation_settings(v_actor, v_room, pinned => random() < 0.5);
	WHEN 11 THEN PERFORM roost.conversation_settings(v_actor, v_room, muted => random() < 0.5);
	WHEN 12 THEN PERFORM roost.conversation_clear(v_actor, v_room);
	WHEN 13 THEN PERFORM roost.conversation_member_add(v_actor, v_group, ARRAY[v_other::text]::roost.account_ref[]);
	WHEN 14 THEN PERFORM roost.conversation_member_remove(v_actor, v_group, v_other::text);
	ELSE PERFORM roost.conversation_read(v_actor, v_room);
	END CASE;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- Returns how many pages are others than they should be.
CREATE FUNCTION chat_list.wrong(account_id bigint, archived boolean, before text) RETURNS integer
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	v_before constant text[] := string_to_array(before, '.');
	v_wrong integer := 0;
	v_is record;
	v_should record;
BEGIN
	SELECT * INTO v_should FROM chat_list.page(account_id, 3, archived, v_before[1] = '1', v_before[2]::bigint, v_before[3]::bigint);
	FOR i IN 1 .. 2 LOOP
		SELECT * INTO v_is FROM roost_internal.conversation_page(account_id, 3, archived, v_before[1] = '1', v_before[2]::bigint, v_before[3]::bigint);
		v_wrong := v_wrong + (v_is IS DISTINCT FROM v_should)::integer;
	END LOOP;
	RETURN v_wrong;
END
$$;

SELECT setseed(0.25);
CREATE TABLE chat_list.walk (account_id bigint, archived boolean, cursor text);
CREATE TABLE chat_list.result (what text);
DO $$
DECLARE
	v_wrong integer;
	v_account_id bigint;
BEGIN
	FOR i IN 1 .. 200 LOOP
		INSERT INTO chat_list.result SELECT chat_list.act();
		-- some walks go on later, with the cursor of a page of now
		IF i % 10 = 0 THEN
			v_account_id := 18601 + floor(random() * 12);
			INSERT INTO chat_list.walk SELECT v_account_id, false, c FROM chat_list.page(v_account_id, 3, false, NULL, NULL, NULL) p, unnest(p.cursors) c;
		END IF;
		COMMIT;
		SELECT sum(chat_list.wrong(a, x, NULL)) INTO v_wrong FROM generate_series(18601, 18604) a, (VALUES (false), (true)) v (x);
		v_wrong := v_wrong + (SELECT coalesce(sum(chat_list.wrong(w.account_id, w.archived, w.cursor)), 0) FROM (SELECT * FROM chat_list.walk ORDER BY random() LIMIT 5) w);
		COMMIT;
		IF v_wrong > 0 THEN
			RAISE WARNING '% pages are wrong after step %', v_wrong, i;
		END IF;
	END LOOP;
END
$$;
SELECT count(*) FILTER (WHERE r.what = 'done') > 120 AS acted, (SELECT count(*) > 20 FROM chat_list.walk) AS walked,
	(SELECT bool_and(cardinality(p.ids) = 3) FROM generate_series(18601, 18612) a, roost_internal.conversation_page(a, 3, false, NULL, NULL, NULL) p) AS listed
FROM chat_list.result r;

-- A conversation without messages stays in the archive.
SELECT id AS quiet FROM roost.conversation_create(18601, 'direct', '{18612}') \gset
SELECT count(*) FROM roost_data.message WHERE conversation_id = :quiet \gset had_
SELECT :had_count > 0 OR (roost.conversation_settings(18601, :quiet, archived => true)).archived;
SELECT :had_count > 0 OR (NOT :quiet = ANY (p.ids) AND :quiet = ANY (q.ids))
FROM roost_internal.conversation_page(18601, 200, false, NULL, NULL, NULL) p, roost_internal.conversation_page(18601, 200, true, NULL, NULL, NULL) q;

-- Rows that are changed by hand, in a transaction that has written, and while a trigger is disabled.
SELECT conversation_id AS room FROM roost_data.conversation_member WHERE account_id = 18602 AND pinned_at IS NULL ORDER BY conversation_id LIMIT 1 \gset
UPDATE roost_data.conversation SET last_message_id = roost_internal.id_next(id) WHERE id = :room;
SELECT chat_list.wrong(18602, false, NULL) + chat_list.wrong(18602, true, NULL);
UPDATE roost_data.conversation_member SET pinned_at = now() WHERE conversation_id = :room AND account_id = 18602;
SELECT chat_list.wrong(18602, false, NULL) + chat_list.wrong(18602, true, NULL);
BEGIN;
UPDATE roost_data.conversation_member SET pinned_at = NULL WHERE conversation_id = :room AND account_id = 18602;
SELECT chat_list.wrong(18602, false, NULL) + chat_list.wrong(18602, true, NULL);
ROLLBACK;
SELECT chat_list.wrong(18602, false, NULL) + chat_list.wrong(18602, true, NULL);
-- Members may come before their conversation, where rows come by replication.
CREATE FUNCTION chat_list.same(account_id bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT bool_and(i.ids = s.ids) FROM (VALUES (false), (true)) v (archived),
		LATERAL roost_internal.conversation_page(account_id, 200, archived, NULL, NULL, NULL) i, LATERAL chat_list.page(account_id, 200, archived, NULL, NULL, NULL) s
$$;
SELECT chat_list.same(18603);
SELECT conversation_id AS room FROM roost_data.conversation_member WHERE account_id = 18603 ORDER BY conversation_id DESC LIMIT 1 \gset
CREATE TABLE chat_list.kept AS SELECT * FROM roost_data.conversation WHERE id = :room;
SET session_replication_role = replica;
DELETE FROM roost_data.conversation WHERE id = :room;
SELECT chat_list.same(18603);
INSERT INTO roost_data.conversation SELECT * FROM chat_list.kept;
SELECT chat_list.same(18603);
UPDATE roost_data.conversation SET created_by = NULL, last_message_id = NULL WHERE id = :room;
UPDATE roost_data.conversation SET created_by = 18603 WHERE id = :room;
SELECT chat_list.same(18603);
UPDATE roost_data.conversation SET created_by = 18699, kind = 'direct' WHERE id = :room;
SELECT chat_list.same(18603);
RESET session_replication_role;
UPDATE roost_data.conversation c SET kind = k.kind, created_by = k.created_by, last_message_id = k.last_message_id FROM chat_list.kept k WHERE c.id = k.id;
SELECT chat_list.same(18603);
SELECT conversation_id AS room FROM roost_data.conversation_member WHERE account_id = 18602 AND pinned_at IS NULL ORDER BY conversation_id LIMIT 1 \gset
ALTER TABLE roost_data.conversation_member DISABLE TRIGGER conversation_member_stamp;
DELETE FROM roost_data.conversation_member WHERE conversation_id = :room AND account_id = 18602;
SELECT chat_list.wrong(18602, false, NULL) + chat_list.wrong(18602, true, NULL);
ALTER TABLE roost_data.conversation_member ENABLE ALWAYS TRIGGER conversation_member_stamp;
SELECT chat_list.wrong(18602, false, NULL) + chat_list.wrong(18602, true, NULL);

-- arguments
SELECT roost_internal.conversation_page(NULL, 1, false, NULL, NULL, NULL);
SELECT roost_internal.conversation_page(18601, -1, false, NULL, NULL, NULL);
SELECT ids = '{}' FROM roost_internal.conversation_page(18601, 0, false, NULL, NULL, NULL);
SELECT ids = '{}' FROM roost_internal.conversation_page(18699, 3, false, NULL, NULL, NULL);
-- one more than the largest page that roost.api_page_limit_max allows
SELECT ids = '{}' FROM roost_internal.conversation_page(18699, 10001, false, NULL, NULL, NULL);

SET client_min_messages = warning;
DELETE FROM roost_data.message x USING roost_data.conversation_member m WHERE x.conversation_id = m.conversation_id AND m.account_id BETWEEN 18601 AND 18612;
DELETE FROM roost_data.conversation_direct d WHERE d.low_id BETWEEN 18601 AND 18612;
DELETE FROM roost_data.conversation c USING roost_data.conversation_member m WHERE c.id = m.conversation_id AND m.account_id BETWEEN 18601 AND 18612;
DELETE FROM roost_data.conversation c WHERE c.created_by BETWEEN 18601 AND 18612;
DELETE FROM roost_data.conversation_ban b WHERE b.account_id BETWEEN 18601 AND 18612;
SELECT chat_list.wrong(18603, false, NULL), ids = '{}' FROM roost_internal.conversation_page(18603, 3, false, NULL, NULL, NULL);
DELETE FROM roost_data.account WHERE id BETWEEN 18601 AND 18612;
DROP SCHEMA chat_list CASCADE;
