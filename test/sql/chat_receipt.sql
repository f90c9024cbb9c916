-- Receipts, history, unread messages, messages that disappear, exports, events.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
SET timezone = 'UTC';
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 6200 + n, 'reader_' || n FROM generate_series(1, 6) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'reader_' || n, 6200 + n FROM generate_series(1, 6) n;
INSERT INTO roost_data.conversation (id, kind, title, created_by, member_count) VALUES (6200, 'group', 'g', 6201, 4);
INSERT INTO roost_data.conversation_member (conversation_id, account_id, role)
SELECT 6200, 6200 + n, 'member' FROM generate_series(1, 4) n;

CREATE FUNCTION pg_temp.told() RETURNS SETOF text LANGUAGE sql AS $$
	WITH gone AS (DELETE FROM roost_data.feed_trace WHERE conversation_id = 6200 AND kind IN ('message_delivered', 'message_read') RETURNING id, kind, account_id, room_id)
	SELECT kind || ' by ' || account_id || ' to ' || room_id FROM gone ORDER BY id
$$;

SELECT id AS m1 FROM roost.message_create(6201, NULL, 6200, 'one') \gset
SELECT id AS m2 FROM roost.message_create(6202, NULL, 6200, 'two') \gset
SELECT id AS m3 FROM roost.message_create(6201, NULL, 6200, 'three') \gset

-- delivered and read by all, one after the other; each sender is told once, nobody if nothing moves
SELECT roost.message_delivered(6203, :m2);
SELECT * FROM pg_temp.told();
SELECT roost.message_delivered(6203, :m1);
SELECT * FROM pg_temp.told();
SELECT text, state, delivered_count, read_count FROM roost.message_list(6201, 6200);
SELECT text, state, delivered_count, read_count FROM roost.message_list(6204, 6200);
SELECT roost.message_delivered(6202, :m3, 6200), roost.message_delivered(6204, :m3);
SELECT * FROM pg_temp.told();
SELECT text, state, delivered_count, read_count FROM roost.message_list(6201, 6200);
SELECT roost.message_read(6203, :m1), roost.message_read(6204, :m1);
SELECT * FROM pg_temp.told();
SELECT roost.conversation_read(6202, 6200);
SELECT * FROM pg_temp.told();
SELECT text, state, delivered_count, read_count FROM roost.message_list(6201, 6200);
SELECT (account).username, delivered, read FROM roost.message_receipt_list(6201, :m1);
SELECT (account).username, delivered, read FROM roost.message_receipt_list(6201, :m3, 6200, 1);
SELECT (account).username, delivered, read FROM roost.message_receipt_list(6201, :m3, 6200, 10, '6204');
SELECT delivered_id = :m3, read_id = :m3, receipt_id = :m3 FROM roost_data.conversation_member WHERE conversation_id = 6200 AND account_id = 6202;

-- read is also delivered, and goes as far as one says
SELECT roost.conversation_read(6203, 6200, :m3);
SELECT * FROM pg_temp.told();
SELECT roost.conversation_read(6203, 6200, :m1), roost.message_read(6203, :m2);
SELECT * FROM pg_temp.told();

-- what is refused
SELECT roost.conversation_read(6206, 6200);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_read(6203, 6200, :m3 + 65536);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_read(6203, 6200, :m1 + 1);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_read(6206, :m1);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_receipt_list(6202, :m1);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_receipt_list(6206, :m1);
\echo :LAST_ERROR_SQLSTATE

-- who turns read receipts off neither sends nor sees them; its own devices are told, and others of what it has got
SELECT * FROM roost.chat_settings_get(6203);
SELECT * FROM roost.chat_settings_set(6203, false);
SELECT * FROM roost.chat_settings_get(6203);
SELECT id AS m4 FROM roost.message_create(6203, NULL, 6200, 'four') \gset
SELECT id AS m5 FROM roost.message_create(6201, NULL, 6200, 'five') \gset
SELECT roost.conversation_read(6203, 6200);
SELECT * FROM pg_temp.told();
SELECT read_id = :m5, receipt_id = :m3 FROM roost_data.conversation_member WHERE conversation_id = 6200 AND account_id = 6203;
SELECT roost.conversation_read(6201, 6200);
SELECT * FROM pg_temp.told();
SELECT text, state, delivered_count, read_count FROM roost.message_get(6203, :m4);
SELECT (account).username, delivered, read FROM roost.message_receipt_list(6203, :m4);
SELECT text, state, delivered_count, read_count FROM roost.message_get(6201, :m5);
SELECT (account).username, delivered_id = :m5, read_id IS NULL FROM roost.conversation_member_list(6203, 6200) WHERE (account).id = 6201;
SELECT * FROM roost.chat_settings_set(6203, true);
SELECT text, state, delivered_count, read_count FROM roost.message_get(6203, :m4);
SELECT read_count FROM roost.message_get(6201, :m5);

-- who joins later is no recipient of what was written before, and does not see it
INSERT INTO roost_data.conversation_member (conversation_id, account_id, since_id) VALUES (6200, 6205, :m5);
SELECT delivered_count FROM roost.message_get(6201, :m5);
SELECT id AS m6 FROM roost.message_create(6201, NULL, 6200, 'six') \gset
SELECT text FROM roost.message_list(6205, 6200);
SELECT roost.message_get(6205, :m5);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_read(6205, 6200);
SELECT text, state, delivered_count, read_count FROM roost.message_list(6201, 6200) WHERE text IN ('five', 'six');
-- who leaves is none any more
DELETE FROM roost_data.conversation_member WHERE conversation_id = 6200 AND account_id IN (6202, 6203, 6204);
SELECT text, state, delivered_count, read_count FROM roost.message_get(6201, :m6);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) VALUES (6200, 6202), (6200, 6203), (6200, 6204);
SELECT * FROM pg_temp.told();

-- pages in both directions
SELECT string_agg(text, ' ') FROM roost.message_list(6202, 6200, 2);
SELECT string_agg(text, ' ') FROM roost.message_list(6202, 6200, 2, :'m5');
SELECT string_agg(text, ' ') FROM roost.message_list(6202, 6200, 2, NULL, :'m2');
SELECT string_agg(text, ' ') FROM roost.message_list(6202, 6200, 10, :'m5', :'m2');
SELECT string_agg(text, ' ') FROM roost.conversation_export(6202, 6200, 4);
SELECT string_agg(text, ' ') FROM roost.conversation_export(6202, 6200, 4, :'m4');
SELECT roost.message_list(6206, 6200);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_export(6206, 6200);
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.conversation_member SET cleared_id = :m4 WHERE conversation_id = 6200 AND account_id = 6204;
SELECT string_agg(text, ' ') FROM roost.message_list(6204, 6200);
SELECT roost.message_delete(6204, :m6);
SELECT string_agg(text, ' ') FROM roost.message_list(6204, 6200);
SELECT string_agg(text, ' ') FROM roost.conversation_export(6204, 6200);

-- a block: no receipts between the two, and neither counts for the other; in a direct conversation the markers others see stay
SELECT blocking FROM roost.account_block(6202, '6201');
SELECT id AS m7 FROM roost.message_create(6201, NULL, 6200, 'seven') \gset
SELECT roost.conversation_read(6202, 6200);
SELECT * FROM pg_temp.told();
SELECT (account).username FROM roost.message_receipt_list(6201, :m7);
SELECT string_agg(text, ' ') FROM roost.message_list(6202, 6200);
SELECT id AS d1, conversation_id AS direct FROM roost.message_create(6203, '6204', NULL, 'between two') \gset
SELECT blocking FROM roost.account_block(6204, '6203');
SELECT roost.conversation_read(6204, :direct);
SELECT read_id = :d1, receipt_id, delivered_id FROM roost_data.conversation_member WHERE conversation_id = :direct AND account_id = 6204;
SELECT state FROM roost.message_get(6203, :d1);

-- messages that disappear: at their time nobody sees them; a minute later they are gone
UPDATE roost_data.conversation SET expire_after = 60 WHERE id = 6200;
SELECT id AS x, expires_at = created_at + interval '60 s' AS minute FROM roost.message_create(6203, NULL, 6200, 'soon gone', NULL, NULL, 'x-1') \gset
SELECT :'minute';
SELECT id AS y FROM roost.message_create(6202, NULL, 6200, 'answers', NULL, :x) \gset
SELECT reactions FROM roost.message_react(6202, :x, 'x', 6200);
SELECT roost.message_delete(6205, :x, 6200);
UPDATE roost_data.message SET expires_at = '2001-01-01' WHERE conversation_id = 6200 AND id = :x;
SELECT roost.message_get(6203, :x);
\echo :LAST_ERROR_SQLSTATE
SELECT text, reply_to FROM roost.message_list(6203, 6200, 1);
SELECT roost.message_update(6203, :x, NULL, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.message_event('message_created', :x, 6203, 6200, :x, NULL);
SELECT roost_internal.chat_maintenance();
SELECT count(*) FROM roost_data.message WHERE id = :x;
SELECT count(*) FROM roost_data.message_reaction WHERE message_id = :x;
SELECT count(*) FROM roost_data.message_hidden WHERE message_id = :x;
SELECT roost_internal.chat_maintenance();

-- what events say
\pset tuples_only off
SELECT e->'message'->>'text' AS text, e->'message'->'state' AS state, e->'message'->'client_id' AS client, e->'message'->'sender'->>'username' AS sender
FROM (SELECT roost_internal.message_event('message_created', :m7, 6201, 6200, :m7, NULL)::jsonb AS e) t;
SELECT replace(roost_internal.message_event('message_deleted', 1, 6201, 6200, :m7, NULL), :'m7', 'm7') AS deleted;
SELECT replace(roost_internal.message_event('message_hidden', 1, 6201, 6200, :m7, NULL), :'m7', 'm7') AS hidden;
SELECT replace(roost_internal.message_event('message_read', 65536000, 6202, 6200, :m7, NULL), :'m7', 'm7') AS read;
SELECT reactions FROM roost.message_react(6203, :m7, 'ok');
SELECT replace(roost_internal.message_event('message_reacted', 1, 6203, 6200, :m7, NULL), :'m7', 'm7') AS reacted;
SELECT roost.message_delete(6201, :m7, NULL, 'everyone');
SELECT roost_internal.message_event('message_created', :m7, 6201, 6200, :m7, NULL) IS NULL AS nothing, roost_internal.message_event('message_reacted', 1, 6203, 6200, :m7, NULL) IS NULL AS nothing,
	roost_internal.message_event('message_edited', 1, 6201, 6200, 1, NULL) IS NULL AS nothing;

-- the short way to a message says what the long one does: to both of a direct conversation and to nobody, whatever they have got, read and keep to themselves
INSERT INTO roost_data.conversation (id, kind, created_by, member_count) VALUES (6250, 'direct', 6205, 2);
INSERT INTO roost_data.conversation_direct (low_id, high_id, conversation_id) VALUES (6205, 6206, 6250);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) VALUES (6250, 6205), (6250, 6206);
CREATE FUNCTION pg_temp.ways() RETURNS TABLE (messages bigint, short bigint, states text, different bigint) LANGUAGE sql AS $$
	SELECT count(*), count((p).id), string_agg(DISTINCT coalesce((p).state::text, '-'), ' ' ORDER BY coalesce((p).state::text, '-')),
		count(*) FILTER (WHERE (p).id IS NOT NULL AND roost_internal.to_json(p) <> roost_internal.to_json(r))
	FROM (SELECT x.id, v.viewer, (SELECT t FROM roost_internal.message_row(v.viewer, 6250, ARRAY[x.id]) t) AS r,
			roost_internal.message_plain(v.viewer, 6250, x.id, 12411 - v.viewer) AS p
		FROM roost_data.message x CROSS JOIN (VALUES (6205::bigint), (6206), (NULL)) v (viewer) WHERE x.conversation_id = 6250 OFFSET 0) t
$$;
SELECT id AS d1, state, delivered_count, read_count FROM roost.message_create(6205, '6206', NULL, 'one', NULL, NULL, 'd-1') \gset
SELECT id AS d2 FROM roost.message_create(6206, NULL, 6250, 'two') \gset
SELECT id AS d3 FROM roost.message_create(6205, NULL, 6250, 'three', NULL, :d2) \gset
SELECT id AS d4 FROM roost.message_create(6205, NULL, 6250, 'four') \gset
SELECT id AS d5 FROM roost.message_create(6205, NULL, 6250, 'five') \gset
SELECT :'state' AS state, :'delivered_count' AS delivered, :'read_count' AS read;
SELECT * FROM pg_temp.ways();
SELECT roost.message_delivered(6206, :d4, 6250), roost.conversation_read(6206, 6250, :d1);
SELECT * FROM pg_temp.ways();
SELECT text FROM roost.message_update(6205, :d4, 6250, 'changed');
SELECT text FROM roost.message_react(6206, :d5, 'ok', 6250);
SELECT roost.message_delete(6205, :d1, 6250, 'everyone');
UPDATE roost_data.account SET status = 'deleted' WHERE id = 6206;
SELECT roost.chat_settings_set(6205, false);
SELECT * FROM pg_temp.ways();
UPDATE roost_data.conversation_member SET since_id = :d4 WHERE conversation_id = 6250 AND account_id = 6206;
UPDATE roost_data.message SET expires_at = 'epoch' WHERE conversation_id = 6250 AND id = :d2;
SELECT * FROM pg_temp.ways();
SELECT (last_message).text, (last_message).state, (last_message).delivered_count, can_send FROM roost.conversation_get(6205, 6250);
ROLLBACK;
