-- Changing, deleting and passing on messages.
--
-- Who changes a message, or deletes it for everyone, holds the conversation;
-- who reacts to it does not.  A reaction shares an advisory lock of the message
-- and its deletion takes that lock alone: none outlives the message.

CREATE OR REPLACE FUNCTION roost_internal.message_window_check(name text, created_at timestamptz) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_window constant interval := current_setting('roost.' || name);
BEGIN
	IF v_window >= '0' AND least(created_at, roost_internal.clock_now()) <= roost_internal.clock_now() - v_window THEN -- ids may run ahead of the clock
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'message_id', MESSAGE = 'the message is too old for that',
			DETAIL = format('It can be done for %s after it was written.', current_setting('roost.' || name));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_window_check(text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_window_check(text, timestamptz) IS 'Raises 55000 if a message was written so long ago that the setting (message_edit_window, message_delete_window) does not allow it any more.';

CREATE OR REPLACE FUNCTION roost.message_update(
	actor_id roost.id,
	message_id roost.id,
	conversation_id roost.id DEFAULT NULL,
	text roost.message_text DEFAULT NULL,
	media roost.post_media DEFAULT NULL
) RETURNS roost.message
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_found record;
	v_hold record;
	v_old record;
	v_new record;
BEGIN
	v_found := roost_internal.message_find(actor_id, message_id, conversation_id);
	IF v_found.sender_id <> actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'message_id', MESSAGE = 'the message is another account''s';
	END IF;
	v_hold := roost_internal.message_hold(actor_id, v_found.conversation_id);
	SELECT x.text, x.media, x.created_at, x.edited_at, CASE WHEN x.action IS NOT NULL THEN 'nobody wrote the message' WHEN x.deleted_at IS NOT NULL THEN 'the message was deleted'
		WHEN x.encrypted THEN 'an encrypted message cannot be changed' WHEN x.forwarded THEN 'a forwarded message cannot be changed' END AS why
	INTO v_old
	FROM roost_data.message x WHERE x.conversation_id = v_found.conversation_id AND x.id = message_id
		AND x.id > v_hold.after AND (x.expires_at IS NULL OR x.expires_at > roost_internal.clock_now());
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
	ELSIF v_old.why IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'message_id', MESSAGE = v_old.why;
	END IF;
	PERFORM roost_internal.message_window_check('message_edit_window', v_old.created_at);
	v_new := roost_internal.message_text_check(coalesce(text, v_old.text), coalesce(media, v_old.media));
	IF (v_new.normal, v_new.media) IS DISTINCT FROM (v_old.text, v_old.media) THEN
		UPDATE roost_data.message x SET text = v_new.normal, media = v_new.media,
			edited_at = greatest(roost_internal.clock_now(), v_old.created_at, v_old.edited_at) -- ids may run ahead of the clock
		WHERE x.conversation_id = v_found.conversation_id AND x.id = message_id;
		PERFORM roost_internal.feed_tell('message_edited', actor_id, v_found.conversation_id, v_found.conversation_id, message_id);
	END IF;
	RETURN roost_internal.message_answer(actor_id, v_found.conversation_id, message_id);
END
$$;
REVOKE ALL ON FUNCTION roost.message_update(roost.id, roost.id, roost.id, roost.message_text, roost.post_media) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_update(roost.id, roost.id, roost.id, roost.message_text, roost.post_media) IS 'Changes the text or the media of a message of the actor; what is not given stays, an empty text or list is taken away. conversation_id, if it is known, saves looking for it. Returns the message; edited_at says that it was changed. 22001 text too long, 23514 neither text nor media is left, 42501 another account''s message, or not allowed any more (as for writing), 55000 it is encrypted, forwarded, deleted, or older than roost.message_edit_window, P0002 no such message.';
SELECT roost_internal.route('PATCH', '/messages/:message_id', 'roost.message_update', limit_class => 'message', tags => '{chat}');
SELECT roost_internal.route('PUT', '/messages/:message_id', 'roost.message_update', limit_class => 'message', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost_internal.message_erase(conversation_id bigint, message_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(1919905656, hashint8(message_id));
	DELETE FROM roost_data.message_reaction r WHERE r.conversation_id = message_erase.conversation_id AND r.message_id = message_erase.message_id;
	UPDATE roost_data.message x SET text = NULL, media = NULL, reply_to_id = NULL, deleted_at = greatest(roost_internal.clock_now(), x.created_at)
	WHERE x.conversation_id = message_erase.conversation_id AND x.id = message_erase.message_id;
	IF (SELECT x.encrypted FROM roost_data.message x WHERE x.conversation_id = message_erase.conversation_id AND x.id = message_erase.message_id) THEN
		PERFORM roost_internal.envelope_drop(conversation_id, ARRAY[message_id]);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_erase(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_erase(bigint, bigint) IS 'Makes a tombstone of a message: text, media, reactions and what waits for devices go. The caller holds the conversation, and tells.';

CREATE OR REPLACE FUNCTION roost.message_delete(actor_id roost.id, message_id roost.id, conversation_id roost.id DEFAULT NULL, "for" roost.message_scope DEFAULT 'me') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_found record;
	v_old record;
	v_sender_role roost.member_role;
BEGIN
	v_found := roost_internal.message_find(actor_id, message_id, conversation_id);
	PERFORM roost_internal.account_hold(actor_id);
	IF "for" = 'everyone' THEN
		PERFORM roost_internal.conversation_hold(actor_id, v_found.conversation_id);
		SELECT m.role INTO v_found.role FROM roost_data.conversation_member m WHERE m.conversation_id = v_found.conversation_id AND m.account_id = actor_id;
		SELECT m.role INTO v_sender_role FROM roost_data.conversation_member m WHERE m.conversation_id = v_found.conversation_id AND m.account_id = v_found.sender_id;
		SELECT x.created_at, x.deleted_at, x.action INTO v_old
		FROM roost_data.message x WHERE x.conversation_id = v_found.conversation_id AND x.id = message_id;
		IF NOT FOUND OR v_old.deleted_at IS NOT NULL THEN
			RETURN;
		ELSIF v_old.action IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'message_id', MESSAGE = 'nobody wrote the message',
				HINT = 'It can be deleted for oneself.';
		ELSIF v_found.kind = 'group' AND v_found.role >= 'admin'
			AND (v_found.sender_id = actor_id OR v_found.role = 'owner' OR coalesce(v_sender_role, 'member') < v_found.role)
		THEN
			NULL; -- at any time
		ELSIF v_found.sender_id <> actor_id THEN
			RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'message_id', MESSAGE = 'the message is another account''s',
				HINT = 'It can be deleted for oneself.';
		ELSE
			PERFORM roost_internal.message_window_check('message_delete_window', v_old.created_at);
		END IF;
		PERFORM roost_internal.message_erase(v_found.conversation_id, message_id);
		PERFORM roost_internal.feed_tell('message_deleted', actor_id, v_found.conversation_id, v_found.conversation_id, message_id);
	ELSE
		-- The member's row, as for a reaction: what it hides goes when it leaves, or clears the history.
		PERFORM FROM roost_data.conversation_member m
		WHERE m.conversation_id = v_found.conversation_id AND m.account_id = actor_id AND message_id > greatest(m.since_id, m.cleared_id) FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
		END IF;
		INSERT INTO roost_data.message_hidden (conversation_id, account_id, message_id) VALUES (v_found.conversation_id, actor_id, message_delete.message_id)
		ON CONFLICT DO NOTHING;
		IF FOUND THEN
			PERFORM roost_internal.feed_tell('message_hidden', actor_id, actor_id, v_found.conversation_id, message_id);
		END IF;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.message_delete(roost.id, roost.id, roost.id, roost.message_scope) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_delete(roost.id, roost.id, roost.id, roost.message_scope) IS 'Deletes a message. for me: only the actor sees it no more, whoever wrote it; for everyone: a tombstone (deleted_at) stays in its place, without text, media and reactions. For everyone its sender may do so for roost.message_delete_window, in a group admins at any time those of members, owners all. Again: changes nothing. conversation_id, if it is known, saves looking for it. 42501 another account''s message, 55000 it is too old, or tells what was done to a group, P0002 no such message (one that the actor has deleted for itself is none).';
SELECT roost_internal.route('DELETE', '/messages/:message_id', 'roost.message_delete', limit_class => 'write', status => 204, tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.message_forward(
	actor_id roost.id,
	message_id roost.id,
	recipient_id roost.account_ref DEFAULT NULL,
	conversation_id roost.id DEFAULT NULL,
	client_id roost.message_client_id DEFAULT NULL
) RETURNS roost.message
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_from bigint;
	v_to bigint;
	v_old record;
	v_message record;
BEGIN
	SELECT f.conversation_id INTO v_from FROM roost_internal.message_find(actor_id, message_id) f;
	v_to := roost_internal.message_place(actor_id, recipient_id, conversation_id);
	SELECT x.text, x.media, CASE WHEN x.action IS NOT NULL THEN 'nobody wrote the message' WHEN x.deleted_at IS NOT NULL THEN 'the message was deleted'
		WHEN x.encrypted THEN 'an encrypted message cannot be forwarded' END AS why
	INTO v_old
	FROM roost_data.message x WHERE x.conversation_id = v_from AND x.id = message_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
	ELSIF v_old.why IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'message_id', MESSAGE = v_old.why;
	END IF;
	v_message := roost_internal.message_add(actor_id, v_to, false, v_old.text, v_old.media, NULL, client_id, true);
	RETURN roost_internal.message_answer(actor_id, v_to, v_message.id, v_message.added);
END
$$;
REVOKE ALL ON FUNCTION roost.message_forward(roost.id, roost.id, roost.account_ref, roost.id, roost.message_client_id) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_forward(roost.id, roost.id, roost.account_ref, roost.id, roost.message_client_id) IS 'Writes the text and the media of a message that the actor sees to another conversation (conversation_id), or to an account; forwarded says so, and nobody is told whose it was. With a client_id that the actor has used there it returns the message that was made (200). Errors are those of roost.message_create(), and 55000 the message is encrypted or deleted, P0002 no such message.';
SELECT roost_internal.route('POST', '/messages/:message_id/forward', 'roost.message_forward', limit_class => 'message', status => 201, tags => '{chat}');
