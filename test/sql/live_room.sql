-- What is told to rooms: to whom, as what, on which channels, and what somebody
-- who was away is told of it.
SELECT roost.worker_sync('1 minute');
INSERT INTO roost_data.account (id, username, display_name) SELECT n, 'room_' || n, 'R ' || n FROM generate_series(9401, 9406) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 9401 AND 9406;
SELECT epoch, last_seq AS begin FROM roost.stream_position() \gset
SELECT set_config('room.seen', :'begin', false), set_config('room.epoch', :'epoch', false) \gset ignore_

-- Ids as names: accounts A to F, conversations and messages as they are named here.
CREATE TABLE room_name (id bigint PRIMARY KEY, name text);
INSERT INTO room_name SELECT n, chr(65 + n - 9401) FROM generate_series(9401, 9406) n;
CREATE FUNCTION room_names(list text) RETURNS text
LANGUAGE sql STABLE
AS $$
	SELECT string_agg(coalesce(coalesce(substring(w.word, '^.*:'), '') || n.name, w.word), ' ' ORDER BY coalesce(n.name, w.word))
	FROM string_to_table($1, ' ') WITH ORDINALITY w (word, i)
	LEFT JOIN room_name n ON n.id::text = substring(w.word, '[^:]*$')
$$;
CREATE FUNCTION room_new() RETURNS TABLE (event text, topics text, told text, notify text, strangers boolean, hard boolean, has text)
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM roost.worker_sync('1 minute');
	RETURN QUERY SELECT r.event, room_names(r.topics), room_names(r.told), room_names(r.notify), r.strangers, r.hard,
		(SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(r.data::jsonb) k)
	FROM roost.stream_read(current_setting('room.seen')::bigint, 100, true) r WHERE r.room ORDER BY r.seq;
	PERFORM set_config('room.seen', (SELECT last_seq::text FROM roost.stream_position()), false);
END
$$;
CREATE FUNCTION room_missed(account_id bigint, after bigint, VARIADIC channels text[]) RETURNS TABLE (event text, topics text, about text)
LANGUAGE sql STABLE
AS $$
	SELECT r.event, room_names(r.topics), coalesce(r.data::jsonb #>> '{message,text}', room_names(r.data::jsonb ->> 'message_id'), room_names(r.data::jsonb #>> '{target,id}'))
	FROM roost.stream_resume($1, current_setting('room.epoch')::bigint, $2, $3, 1000) r WHERE r.event IS NOT NULL
$$;
CREATE FUNCTION room_write(sender_id bigint, conversation text, text text) RETURNS void
LANGUAGE sql
AS $$
	INSERT INTO room_name SELECT (roost.message_create(sender_id, conversation_id => n.id, text => $3)).id, $3 FROM room_name n WHERE n.name = $2
$$;

-- A direct conversation: both are told, and nobody else.
SELECT (roost.message_create(9401, recipient_id => '9402', text => 'one')).conversation_id AS pair \gset
INSERT INTO room_name VALUES (:pair, 'pair');
SELECT * FROM room_new();
-- What is said of rows is only asked for when somebody wants it.
SELECT event, room_names(topics) AS topics, told, data FROM roost.stream_read(:begin, 100) WHERE room;
SELECT room_names(d.told) AS told, d.everyone, d.strangers, d.data::jsonb #>> '{message,text}' AS text
FROM roost.stream_read(:begin, 100) r, LATERAL roost.stream_data(ARRAY[r.seq]) d WHERE r.event = 'message:received';
SELECT room_names(s.viewer_id::text) AS sees
FROM roost.stream_read(:begin, 100) r, LATERAL roost.stream_see(ARRAY[r.seq, r.seq, r.seq, r.seq], '{9401,9402,9403,0}') s WHERE r.event = 'message:received' ORDER BY 1;

-- A group, in which A and C have a block between them.
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (9403, 9401, roost_internal.id_next(9403));
SELECT roost_internal.id_next() AS group \gset
INSERT INTO room_name VALUES (:group, 'group');
INSERT INTO roost_data.conversation (id, kind, title, member_count) VALUES (:group, 'group', 'a group', 3);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT :group, a FROM unnest('{9401,9402,9403}'::bigint[]) a;
SELECT room_write(9401, 'group', 'by A'), room_write(9402, 'group', 'by B'), room_write(9403, 'group', 'by C');
SELECT * FROM room_new();
SELECT last_seq AS middle FROM roost.stream_position() \gset

-- D joins, and is told from then on; C leaves, and is not any more, but that it has left.
INSERT INTO roost_data.conversation_member (conversation_id, account_id, since_id) SELECT :group, 9404, max(id) FROM roost_data.message WHERE conversation_id = :group;
SELECT roost_internal.feed_tell('member_added', 9401, :group, :group, NULL, 9404);
SELECT room_write(9402, 'group', 'with D');
DELETE FROM roost_data.conversation_member WHERE conversation_id = :group AND account_id = 9403;
SELECT roost_internal.feed_tell('member_removed', 9402, :group, :group, NULL, 9403), roost_internal.feed_tell('member_removed', 9402, 9403, :group, NULL, 9403);
SELECT room_write(9402, 'group', 'without C');
SELECT * FROM room_new();
-- Away since the beginning, or since the middle.
SELECT * FROM room_missed(9401, :begin, 'messages');
SELECT * FROM room_missed(9403, :begin, 'messages');
SELECT * FROM room_missed(9403, :begin, 'conversation:' || :group);
SELECT * FROM room_missed(9404, :begin, 'messages');
SELECT * FROM room_missed(9402, :middle, 'conversation:' || :group);
SELECT * FROM room_missed(9402, :begin, 'conversation:' || :pair, 'public');
SELECT * FROM room_missed(9405, :begin, 'conversation:' || :group, 'messages');
SELECT * FROM room_missed(NULL, :begin, 'conversation:' || :group, 'messages');

-- What stands now: a message that is gone by then is not told, one that was deleted for everyone neither.
SELECT room_write(9402, 'group', 'deleted'), room_write(9402, 'group', 'gone');
UPDATE roost_data.message SET deleted_at = now(), text = NULL WHERE id = (SELECT id FROM room_name WHERE name = 'deleted');
DELETE FROM roost_data.message WHERE id = (SELECT id FROM room_name WHERE name = 'gone');
SELECT * FROM room_new();

-- Friends: both of them; of a block nobody else but who it is that asks.
SELECT (roost.friend_request_create(9405, '9406')).id > 0 AS requested;
SELECT * FROM room_new();
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (9406, 9405, roost_internal.id_next(9406));
SELECT roost_internal.feed_tell('message_read', 9405, 9406, :pair), roost_internal.feed_tell('friend_removed', 9406, 9405, target_id => 9405);
SELECT * FROM room_new();
SELECT * FROM room_missed(9405, :middle, 'messages');
SELECT * FROM room_missed(9406, :middle, 'messages', 'notifications');

-- Of one who has very many conversations, and of a long log.
SELECT last_seq AS middle FROM roost.stream_position() \gset
WITH many AS (
	INSERT INTO roost_data.conversation (id, kind, member_count) SELECT roost_internal.id_next(), 'group', 1 FROM generate_series(1, 3000) RETURNING id
)
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT m.id, a FROM many m, unnest('{9405,9406}'::bigint[]) a;
DELETE FROM roost_data.account_block WHERE account_id = 9406;
INSERT INTO roost_data.message (id, conversation_id, sender_id, text)
SELECT roost_internal.id_next(m.conversation_id), m.conversation_id, 9405, 'many' FROM roost_data.conversation_member m, generate_series(1, 4) WHERE m.account_id = 9405;
SELECT roost.worker_sync('1 minute');
CREATE FUNCTION room_pieces(account_id bigint, after bigint, OUT events bigint, OUT rows bigint, OUT ascending boolean)
LANGUAGE plpgsql
AS $$
DECLARE
	v_seqs bigint[] := '{}';
	v_row record;
	v_seq bigint := after;
BEGIN
	LOOP
		FOR v_row IN SELECT * FROM roost.stream_resume(account_id, current_setting('room.epoch')::bigint, v_seq, '{messages}', 1000) LOOP
			IF v_row.event = 'message:received' THEN
				v_seqs := v_seqs || v_row.seq;
			END IF;
		END LOOP;
		v_seq := v_row.seq;
		EXIT WHEN v_row.part = 0;
	END LOOP;
	SELECT count(*), count(DISTINCT s), bool_and(s > b) IS TRUE INTO events, rows, ascending FROM (SELECT s, lag(s, 1, 0::bigint) OVER (ORDER BY n) AS b FROM unnest(v_seqs) WITH ORDINALITY u (s, n)) x;
END
$$;
SELECT * FROM room_pieces(9406, :middle);

-- What was read of notifications: to one's own devices, once for each step, with what is unread then; of several missed ones the last tells.
SELECT set_config('room.seen', (SELECT last_seq::text FROM roost.stream_position()), false) AS read_begin \gset
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT n, 9401, roost_internal.id_next(n) FROM generate_series(9404, 9406) n;
SELECT roost.worker_sync('1 minute');
SELECT min(seq) AS first_act, max(seq) AS last_act FROM roost_data.mailbox WHERE account_id = 9401 AND kind = 'follow' AND actor_id BETWEEN 9404 AND 9406 \gset
SELECT (u).count FROM roost.notification_read(9401, :first_act) u;
SELECT * FROM room_new();
SELECT (u).count FROM roost.notification_read(9401, :first_act) u;
SELECT count(*) FROM room_new();
SELECT (u).count FROM roost.notification_read(9401) u;
SELECT roost.worker_sync('1 minute');
-- Also a gateway that asks for no rooms is told whom that is for; what it says it asks for.
SELECT r.event, r.topics, room_names(r.told) AS told, r.data IS NULL AS asks, (SELECT count(*) FROM roost.stream_data(ARRAY[r.seq])) AS says FROM roost.stream_read(:read_begin, 100) r WHERE r.event = 'notification:read';
SELECT c.channels, r.event, r.topics, r.data::jsonb = jsonb_build_object('count', 0, 'more', false, 'latest_id', :'last_act', 'read_id', :'last_act') AS data
FROM (VALUES ('{notifications}'::text[]), ('{messages}'), ('{home,notifications}'), ('{home}')) c (channels)
CROSS JOIN LATERAL roost.stream_resume(9401, :epoch, :read_begin, c.channels, 1000) r WHERE r.event IN ('notification:read') ORDER BY 1;
SELECT count(*) FROM roost.stream_resume(9404, :epoch, :read_begin, '{notifications,messages}', 1000) r WHERE r.event = 'notification:read';

SET client_min_messages = warning;
DELETE FROM roost_data.conversation c USING roost_data.conversation_member m WHERE m.conversation_id = c.id AND m.account_id BETWEEN 9401 AND 9406;
DELETE FROM roost_data.message WHERE sender_id BETWEEN 9401 AND 9406;
DELETE FROM roost_data.conversation_direct WHERE low_id BETWEEN 9401 AND 9406;
DELETE FROM roost_data.friend_request WHERE requester_id BETWEEN 9401 AND 9406;
DELETE FROM roost_data.account_block WHERE account_id BETWEEN 9401 AND 9406;
DROP FUNCTION room_pieces, room_write, room_missed, room_new, room_names;
DROP TABLE room_name;
SELECT roost_internal.account_erase(n) FROM generate_series(9401, 9406) n;
SELECT roost.worker_sync('1 minute');
