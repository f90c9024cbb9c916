-- What was delivered and read: two markers of each member, which only go
-- forward, and a third one, up to where others are told that it has read.

CREATE OR REPLACE FUNCTION roost_internal.receipt_tell(actor_id bigint, conversation_id bigint, direct boolean, message_id bigint, delivered_id bigint, receipt_id bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_sender record;
	v_read boolean := false;
BEGIN
	FOR v_sender IN
		SELECT t.sender_id, max(t.id) > delivered_id AS delivered, max(t.id) > receipt_id
			AND NOT EXISTS (SELECT FROM roost_data.chat_setting s WHERE s.account_id = t.sender_id AND NOT s.read_receipts) AS read
		FROM (SELECT x.sender_id, x.id FROM roost_data.message x
			WHERE x.conversation_id = receipt_tell.conversation_id AND x.id > least(receipt_tell.delivered_id, receipt_tell.receipt_id) AND x.id <= receipt_tell.message_id
				AND x.sender_id <> actor_id AND x.action IS NULL
			ORDER BY x.id DESC LIMIT CASE WHEN direct THEN 1 ELSE 200 END) t
		WHERE EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = receipt_tell.conversation_id AND m.account_id = t.sender_id)
			AND (direct OR NOT roost_internal.is_blocked(actor_id, t.sender_id))
		GROUP BY t.sender_id
		ORDER BY max(t.id) DESC
		LIMIT 100
	LOOP
		IF v_sender.read OR v_sender.delivered THEN
			PERFORM roost_internal.feed_tell(CASE WHEN v_sender.read THEN 'message_read' ELSE 'message_delivered' END::roost.feed_kind,
				actor_id, v_sender.sender_id, receipt_tell.conversation_id, receipt_tell.message_id);
			v_read := v_read OR v_sender.read;
		END IF;
	END LOOP;
	RETURN v_read;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.receipt_tell(bigint, bigint, boolean, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.receipt_tell(bigint, bigint, boolean, bigint, bigint, bigint) IS 'Tells those who wrote that the actor has got (after delivered_id) or read (after receipt_id) everything up to message_id: the senders of the newest 200 messages between, 100 at most; who has turned read receipts off hears only of the former. Returns whether somebody was told that it has read.';

CREATE OR REPLACE FUNCTION roost_internal.receipt_mark(actor_id bigint, conversation_id bigint, message_id bigint, read boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_direct boolean;
	v_quiet boolean;
	v_private boolean;
	v_since_id bigint;
	v_old record;
	v_new record;
BEGIN
	SELECT m.delivered_id, m.read_id, m.receipt_id INTO v_old FROM roost_data.conversation_member m
	WHERE m.conversation_id = receipt_mark.conversation_id AND m.account_id = actor_id FOR NO KEY UPDATE;
	IF NOT FOUND OR message_id <= (CASE WHEN read THEN least(v_old.read_id, v_old.delivered_id) ELSE v_old.delivered_id END) THEN
		RETURN;
	END IF;
	SELECT c.kind = 'direct', c.kind = 'direct' AND roost_internal.is_blocked(actor_id, (SELECT o.account_id FROM roost_data.conversation_member o
			WHERE o.conversation_id = c.id AND o.account_id <> actor_id AND c.kind = 'direct')),
		EXISTS (SELECT FROM roost_data.chat_setting s WHERE s.account_id = actor_id AND NOT s.read_receipts)
	INTO v_direct, v_quiet, v_private
	FROM roost_data.conversation c WHERE c.id = receipt_mark.conversation_id;
	SELECT CASE WHEN v_quiet THEN v_old.delivered_id ELSE greatest(v_old.delivered_id, message_id) END AS delivered_id,
		CASE WHEN read THEN greatest(v_old.read_id, message_id) ELSE v_old.read_id END AS read_id,
		CASE WHEN read AND NOT v_quiet AND NOT v_private THEN greatest(v_old.receipt_id, message_id) ELSE v_old.receipt_id END AS receipt_id
	INTO v_new;
	IF v_new = v_old THEN
		RETURN;
	END IF;
	UPDATE roost_data.conversation_member m SET delivered_id = v_new.delivered_id, read_id = v_new.read_id, receipt_id = v_new.receipt_id
	WHERE m.conversation_id = receipt_mark.conversation_id AND m.account_id = actor_id
	RETURNING m.since_id INTO v_since_id;
	IF NOT roost_internal.receipt_tell(actor_id, conversation_id, v_direct, message_id,
			(CASE WHEN v_new.delivered_id > v_old.delivered_id THEN greatest(v_old.delivered_id, v_since_id) ELSE 9223372036854775807 END),
			(CASE WHEN v_new.receipt_id > v_old.receipt_id THEN greatest(v_old.receipt_id, v_since_id) ELSE 9223372036854775807 END))
		AND v_new.read_id > v_old.read_id
	THEN
		PERFORM roost_internal.feed_tell('message_read', actor_id, actor_id, conversation_id, message_id); -- for its other devices
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.receipt_mark(bigint, bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.receipt_mark(bigint, bigint, bigint, boolean) IS 'The actor has got, or also read, everything in the conversation up to a message: moves its markers forward, never back, and tells those who wrote. Where it is no member, or nothing moves, nothing is done. Read receipts that it has turned off, and a block in a direct conversation, keep the markers that others see where they are.';

CREATE OR REPLACE FUNCTION roost.conversation_read(actor_id roost.id, conversation_id roost.id, message_id roost.id DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_last_id bigint;
BEGIN
	SELECT coalesce(c.last_message_id, 0) INTO v_last_id
	FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id
	WHERE m.conversation_id = conversation_read.conversation_id AND m.account_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	ELSIF message_id > v_last_id OR (message_id & 1023) <> (conversation_id & 1023) THEN
		-- One that has disappeared since it was read is as good as any.
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
	END IF;
	PERFORM roost_internal.receipt_mark(actor_id, conversation_id, coalesce(message_id, v_last_id), true);
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_read(roost.id, roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_read(roost.id, roost.id, roost.id) IS 'The actor has read everything in a conversation, or everything up to a message. Markers only go forward: an earlier message changes nothing. P0002 it is a member of no such conversation, or the message is none of it.';
SELECT roost_internal.route('POST', '/conversations/:conversation_id/read', 'roost.conversation_read', status => 204, tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.message_read(actor_id roost.id, message_id roost.id, conversation_id roost.id DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.receipt_mark(actor_id, f.conversation_id, message_id, true)
	FROM roost_internal.message_find(actor_id, message_id, conversation_id) f;
END
$$;
REVOKE ALL ON FUNCTION roost.message_read(roost.id, roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_read(roost.id, roost.id, roost.id) IS 'The actor has read everything in a conversation up to this message. Again, or after a later one: changes nothing. conversation_id, if it is known, saves looking for it. P0002 no such message.';
SELECT roost_internal.route('POST', '/messages/:message_id/read', 'roost.message_read', status => 204, tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.message_delivered(actor_id roost.id, message_id roost.id, conversation_id roost.id DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.receipt_mark(actor_id, f.conversation_id, message_id)
	FROM roost_internal.message_find(actor_id, message_id, conversation_id) f;
END
$$;
REVOKE ALL ON FUNCTION roost.message_delivered(roost.id, roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_delivered(roost.id, roost.id, roost.id) IS 'A device of the actor has got everything in a conversation up to this message. Again, or after a later one: changes nothing. conversation_id, if it is known, saves looking for it. P0002 no such message.';
SELECT roost_internal.route('POST', '/messages/:message_id/delivered', 'roost.message_delivered', status => 204, tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.message_receipt_list(
	actor_id roost.id,
	message_id roost.id,
	conversation_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 100,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.message_receipt
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_receipts constant boolean := NOT EXISTS (SELECT FROM roost_data.chat_setting s WHERE s.account_id = actor_id AND NOT s.read_receipts);
	v_found record;
BEGIN
	SELECT * INTO v_found FROM roost_internal.message_find(actor_id, message_id, conversation_id);
	IF v_found.sender_id <> actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'message_id', MESSAGE = 'the message is another account''s';
	END IF;
	RETURN QUERY
	SELECT roost_internal.author(m.account_id), m.delivered_id >= message_id, CASE WHEN v_receipts THEN m.receipt_id >= message_id END, m.account_id
	FROM roost_data.conversation_member m
	WHERE m.conversation_id = v_found.conversation_id AND m.account_id < v_before AND m.account_id > v_after AND m.account_id <> actor_id
		AND m.since_id < message_id AND (v_found.kind = 'direct' OR NOT roost_internal.is_blocked(actor_id, m.account_id))
	ORDER BY m.account_id DESC
	LIMIT "limit";
END
$$;
REVOKE ALL ON FUNCTION roost.message_receipt_list(roost.id, roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_receipt_list(roost.id, roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'To whom a message of the actor went, and who has got and read it. read is null while the actor has turned read receipts off, false for others who have. 42501 another account''s message, P0002 no such message.';
SELECT roost_internal.route('GET', '/messages/:message_id/receipts', 'roost.message_receipt_list', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.chat_settings_get(actor_id roost.id) RETURNS roost.chat_settings
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ROW(coalesce((SELECT s.read_receipts FROM roost_data.chat_setting s WHERE s.account_id = actor_id), true))::roost.chat_settings;
END
$$;
REVOKE ALL ON FUNCTION roost.chat_settings_get(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.chat_settings_get(roost.id) IS 'What the actor has set for its conversations.';
SELECT roost_internal.route('GET', '/messages/settings', 'roost.chat_settings_get', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.chat_settings_set(actor_id roost.id, read_receipts boolean DEFAULT NULL) RETURNS roost.chat_settings
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold(actor_id);
	INSERT INTO roost_data.chat_setting (account_id, read_receipts)
	SELECT a.id, coalesce(chat_settings_set.read_receipts, true) FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active'
	ON CONFLICT (account_id) DO UPDATE SET read_receipts = coalesce(chat_settings_set.read_receipts, chat_setting.read_receipts);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	RETURN roost.chat_settings_get(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.chat_settings_set(roost.id, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.chat_settings_set(roost.id, boolean) IS 'Sets whether the actor tells others what it has read, and is told what others have: it has both or neither. What was told stays told; what is not given stays as it is. Returns the settings. 42501 the account is not active.';
SELECT roost_internal.route('PUT', '/messages/settings', 'roost.chat_settings_set', limit_class => 'write', tags => '{chat}');
