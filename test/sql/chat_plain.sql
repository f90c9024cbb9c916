-- The shorter way to show a message says the same as the longer one, to whom ever and of whatever messages.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
BEGIN;
SET LOCAL roost.limit_enabled = off;
SELECT setseed(0.25);
INSERT INTO roost_data.account (id, username, created_at) SELECT 79000 + n, 'plain_' || n, now() - interval '10 days' FROM generate_series(1, 5) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'plain_' || n, 79000 + n FROM generate_series(1, 5) n;
-- 4 keeps what it has read to itself; 2 joins the group later
INSERT INTO roost_data.chat_setting (account_id, read_receipts) VALUES (79004, false);
SELECT id AS club FROM roost.conversation_create(79001, 'group', ARRAY['79003', '79004', '79005']::roost.account_ref[], 'club') \gset

CREATE FUNCTION pg_temp.act(step integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c_ids constant bigint[] := ARRAY(SELECT i FROM generate_series(79001, 79005) i ORDER BY random());
	v_club constant bigint := (SELECT c.id FROM roost_data.conversation c WHERE c.title = 'club' AND c.created_by = 79001);
	v_group constant boolean := random() < 0.4 AND EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = v_club AND m.account_id = c_ids[1]);
	v_id bigint;
	v_conversation_id bigint;
BEGIN
	v_id := (roost.message_create(c_ids[1], CASE WHEN v_group THEN NULL ELSE c_ids[2]::text END, CASE WHEN v_group THEN v_club END, 'message ' || step,
		client_id => CASE WHEN random() < 0.5 THEN 'c' || step END)).id;
	SELECT m.conversation_id INTO v_conversation_id FROM roost_data.message m WHERE m.id = v_id;
	CASE (random() * 9)::integer
	WHEN 0 THEN PERFORM roost.message_react(c_ids[1], v_id, '👍', v_conversation_id);
	WHEN 1 THEN PERFORM roost.message_delete(c_ids[1], v_id, v_conversation_id, 'everyone');
	WHEN 2 THEN PERFORM roost.message_update(c_ids[1], v_id, v_conversation_id, 'edited ' || step);
	WHEN 3 THEN PERFORM roost.message_create(c_ids[1], NULL, v_conversation_id, 'answer ' || step, reply_to_id => v_id);
	WHEN 4 THEN PERFORM roost.message_forward(c_ids[1], v_id, NULL, v_conversation_id);
	WHEN 5 THEN UPDATE roost_data.message SET expires_at = now() + CASE WHEN random() < 0.5 THEN interval '1 hour' ELSE interval '-1 hour' END WHERE conversation_id = v_conversation_id AND id = v_id;
	WHEN 6, 7 THEN PERFORM roost.conversation_read(m.account_id, v_conversation_id, v_id) FROM roost_data.conversation_member m WHERE m.conversation_id = v_conversation_id AND random() < 0.5;
	ELSE PERFORM roost.message_delivered(m.account_id, v_id, v_conversation_id) FROM roost_data.conversation_member m WHERE m.conversation_id = v_conversation_id AND random() < 0.5;
	END CASE;
	IF step = 200 THEN
		PERFORM roost.conversation_member_add(79001, v_club, ARRAY['79002']::roost.account_ref[]);
	ELSIF step = 300 THEN
		PERFORM roost.chat_settings_set(79003, false), roost.chat_settings_set(79004, true);
	ELSIF step = 350 THEN
		PERFORM roost.conversation_clear(79001, v_conversation_id) FROM roost_data.conversation_member m WHERE m.conversation_id = v_conversation_id AND m.account_id = 79001;
	END IF;
END
$$;
SELECT count(pg_temp.act(n)) AS steps FROM generate_series(1, 400) n;
UPDATE roost_data.account SET status = 'suspended' WHERE id = 79005;

CREATE TEMP TABLE seen AS
SELECT v.viewer_id, c.kind, m.id, x.sender_id, x.reply_to_id,
	roost_internal.message_plain(v.viewer_id, m.conversation_id, m.id,
		(SELECT o.account_id FROM roost_data.conversation_member o WHERE c.kind = 'direct' AND o.conversation_id = c.id AND o.account_id <> v.viewer_id)) AS plain,
	(SELECT t FROM roost_internal.message_row(v.viewer_id, m.conversation_id, ARRAY[m.id::bigint]) t) AS whole
FROM (SELECT NULL::bigint AS viewer_id UNION ALL SELECT i FROM generate_series(79001, 79005) i) v
CROSS JOIN (SELECT x.id, x.conversation_id FROM roost_data.message x WHERE x.sender_id BETWEEN 79001 AND 79005) m
JOIN roost_data.message x ON x.conversation_id = m.conversation_id AND x.id = m.id
JOIN roost_data.conversation c ON c.id = m.conversation_id
WHERE v.viewer_id IS NULL OR EXISTS (SELECT FROM roost_data.conversation_member o WHERE o.conversation_id = c.id AND o.account_id = v.viewer_id);

-- What its sender is told of a message to a group is for the longer way alone, as are all that the shorter one leaves to it.
SELECT kind, viewer_id IS NULL AS neutral, viewer_id = sender_id AS own, count(*) > 20 AS many, bool_and(plain IS NOT DISTINCT FROM whole) AS same
FROM seen WHERE (plain).id IS NOT NULL AND NOT (kind = 'group' AND coalesce(viewer_id = sender_id, false)) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT (plain).state, (whole).state AS whole, count(*) > 5 AS many FROM seen WHERE kind = 'direct' AND viewer_id = sender_id AND (plain).id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2;
SELECT bool_and((whole).action IS NOT NULL OR reply_to_id IS NOT NULL OR cardinality((whole).reactions) > 0) AS left_to_the_longer_way
FROM seen WHERE (plain).id IS NULL AND (whole).id IS NOT NULL;
ROLLBACK;
