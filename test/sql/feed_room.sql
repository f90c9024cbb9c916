-- What is told to rooms: messages, what conversations and friends say; once, in order, and whom it puts an entry into the mailbox.
SELECT roost.worker_sync('1 minute');
INSERT INTO roost_data.account (id, username) SELECT n, 'feed_room_' || n FROM generate_series(8131, 8133) n;
CREATE FUNCTION feed_room_new() RETURNS TABLE (kind roost.feed_kind, account_id bigint, target_id bigint, room_id bigint, conversation_id bigint, message boolean)
LANGUAGE plpgsql AS $$
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	RETURN QUERY SELECT l.kind, l.account_id, l.target_id, l.room_id, l.conversation_id, l.message_id IS NOT NULL
	FROM roost_internal.feed_read(current_setting('feed_room.seen')::bigint, 100) l ORDER BY l.seq;
	PERFORM set_config('feed_room.seen', (SELECT last_seq::text FROM roost.feed_position()), false);
END
$$;
SELECT set_config('feed_room.seen', last_seq::text, false) IS NOT NULL AS begun FROM roost.feed_position();

-- every kind, in order
INSERT INTO roost_data.message (id, conversation_id, sender_id, text) VALUES (roost_internal.id_next(8139), 8139, 8131, 'hello');
SELECT count(roost_internal.feed_tell(k, 8131, 8139, 8139, 1, 8132)) FROM unnest(enum_range('message_edited'::roost.feed_kind, NULL)) k WHERE k::text NOT LIKE 'friend%';
SELECT * FROM feed_room_new();

-- what was rolled back, and what was prepared
BEGIN;
SAVEPOINT s;
SELECT roost_internal.feed_tell('message_deleted', 8131, 8139, 8139, 1);
ROLLBACK TO s;
INSERT INTO roost_data.message (id, conversation_id, sender_id, text) VALUES (roost_internal.id_next(8139), 8139, 8132, 'hello');
SELECT roost_internal.feed_tell('message_read', 8132, 8131, 8139, 1);
PREPARE TRANSACTION 'feed_room';
SELECT count(*) FROM feed_room_new();
COMMIT PREPARED 'feed_room';
SELECT * FROM feed_room_new();

-- a message that goes says nothing
DELETE FROM roost_data.message WHERE conversation_id = 8139 AND sender_id = 8132;
SELECT count(*) FROM feed_room_new();
SELECT problem, what FROM roost_internal.feed_check() WHERE account_id BETWEEN 8131 AND 8133;

-- a request, and what becomes of it
CREATE FUNCTION feed_room_mail(OUT account_id bigint, OUT kind roost.mailbox_kind, OUT actor_id bigint) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	RETURN QUERY SELECT a.id, m.kind, m.actor_id FROM roost_data.account a CROSS JOIN LATERAL roost_internal.mailbox_read(a.id, 0, 100) m
	WHERE a.id BETWEEN 8131 AND 8133 ORDER BY m.seq;
END
$$;
SELECT roost_internal.feed_tell('friend_requested', 8131, 8132, target_id => 8132);
SELECT roost_internal.feed_tell('friend_requested', 8131, 8133, target_id => 8133);
SELECT * FROM feed_room_mail();
SELECT roost_internal.feed_tell('friend_request_cancelled', 8131, 8132, target_id => 8132);
SELECT roost_internal.feed_tell('friend_request_rejected', 8133, 8131, target_id => 8131);
SELECT * FROM feed_room_mail();
SELECT roost_internal.feed_tell('friend_requested', 8131, 8132, target_id => 8132);
SELECT roost_internal.feed_tell('friend_accepted', 8132, 8131, target_id => 8131);
SELECT * FROM feed_room_mail();
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (8131, 8132, roost_internal.id_next());
SELECT * FROM feed_room_mail();
DELETE FROM roost_data.account_block WHERE account_id = 8131;
SELECT roost_internal.feed_tell('friend_removed', 8131, 8132, target_id => 8132);
SELECT * FROM feed_room_mail();

SELECT count(*) FROM feed_room_new();

-- what the log might lack after a loss is neither missing nor there twice
BEGIN;
INSERT INTO roost_data.message (id, conversation_id, sender_id, text) VALUES (roost_internal.id_next(8139), 8139, 8133, 'hello');
SELECT roost_internal.feed_tell('member_added', NULL, 8139, 8139, target_id => 8133);
SELECT roost_internal.feed_tell('friend_requested', 8131, 8132, target_id => 8132);
SELECT roost_internal.feed_tell('friend_request_cancelled', 8131, 8132, target_id => 8132);
SELECT roost_internal.feed_tell('friend_requested', 8131, 8133, target_id => 8133);
SELECT roost.cache_forget();
COMMIT;
SELECT kind, account_id, room_id FROM feed_room_new() WHERE kind <> 'events_lost' ORDER BY kind, account_id, room_id;
SELECT * FROM feed_room_mail();
SELECT roost.cache_forget();
SELECT count(*) FROM feed_room_new() WHERE kind <> 'events_lost';
SELECT problem, what FROM roost_internal.feed_check() WHERE what LIKE 'message%' OR what LIKE 'member%';

DELETE FROM roost_data.message WHERE conversation_id = 8139;
SELECT roost_internal.account_erase(id) FROM roost_data.account WHERE id BETWEEN 8131 AND 8133;
DROP FUNCTION feed_room_new(), feed_room_mail();
SELECT roost.worker_sync('1 minute');
