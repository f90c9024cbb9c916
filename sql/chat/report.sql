-- Reports of messages: what moderators are shown, and what they decide.
--
-- Moderators see of a conversation what somebody who was in it has reported,
-- and nothing else.

CREATE OR REPLACE FUNCTION roost_internal.message_snapshot(viewer_id bigint, conversation_id bigint, message_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	RETURN (
		SELECT jsonb_strip_nulls(jsonb_build_object('conversation_id', c.id::text, 'kind', c.kind, 'encrypted', x.encrypted, 'title', nullif(c.title, ''), 'member_count', c.member_count,
			'username', a.username, 'display_name', a.display_name, 'text', x.text, 'media', x.media, 'created_at', x.created_at, 'edited_at', x.edited_at, 'deleted_at', x.deleted_at,
			'before', (SELECT jsonb_agg(jsonb_build_object('username', s.username, 'text', y.text, 'media', y.media, 'created_at', y.created_at) ORDER BY y.id)
				FROM (SELECT t.id, t.sender_id, t.text, t.media, t.created_at FROM roost_data.message t
					WHERE t.conversation_id = x.conversation_id AND t.id < x.id AND t.id > greatest(m.since_id, m.cleared_id)
						AND NOT t.encrypted AND t.action IS NULL AND t.deleted_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > v_now)
						AND NOT EXISTS (SELECT FROM roost_data.message_hidden h
							WHERE h.conversation_id = t.conversation_id AND h.account_id = viewer_id AND h.message_id = t.id)
						AND (c.kind = 'direct' OR NOT roost_internal.is_blocked(viewer_id, t.sender_id))
					ORDER BY t.id DESC LIMIT 5) y
				LEFT JOIN roost_data.account s ON s.id = y.sender_id AND s.status <> 'deleted'
				WHERE NOT x.encrypted)))
		FROM roost_data.message x
		JOIN roost_data.conversation c ON c.id = x.conversation_id
		JOIN roost_data.conversation_member m ON m.conversation_id = c.id AND m.account_id = viewer_id
		LEFT JOIN roost_data.account a ON a.id = x.sender_id
		WHERE x.conversation_id = message_snapshot.conversation_id AND x.id = message_snapshot.message_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_snapshot(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_snapshot(bigint, bigint, bigint) IS 'What a moderator is shown of a message that the viewer, a member, has reported: the message, and up to five before it that the viewer sees. Of an encrypted message only that there is one.';

CREATE OR REPLACE FUNCTION roost_internal.message_report(reporter_id bigint, message_id bigint, conversation_id bigint, account_id bigint, category text, comment text, evidence text) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_found record;
	v_snapshot jsonb;
BEGIN
	PERFORM roost_internal.account_hold(reporter_id);
	PERFORM FROM roost_data.account a WHERE a.id = reporter_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	SELECT * INTO v_found FROM roost_internal.message_find(reporter_id, message_id, conversation_id);
	IF v_found.sender_id = reporter_id THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'message_id', MESSAGE = 'nobody reports themselves';
	ELSIF account_id IS NOT NULL AND account_id <> v_found.sender_id THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'account_id', MESSAGE = 'the message is another account''s';
	ELSIF EXISTS (SELECT FROM roost_data.message x WHERE x.conversation_id = v_found.conversation_id AND x.id = message_report.message_id AND x.action IS NOT NULL) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'message_id', MESSAGE = 'nobody wrote the message';
	END IF;
	v_snapshot := roost_internal.message_snapshot(reporter_id, v_found.conversation_id, message_id);
	-- The reporter has left meanwhile, or the message is gone: there is nothing to show.
	IF v_snapshot IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
	END IF;
	RETURN roost_internal.report_add(reporter_id, 'message', message_id, v_found.sender_id, category, comment, evidence, v_snapshot);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_report(bigint, bigint, bigint, bigint, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_report(bigint, bigint, bigint, bigint, text, text, text) IS 'Reports a message that the reporter sees (P0002 if it does not); conversation_id and account_id may be null. Returns the id of the report.';

CREATE OR REPLACE FUNCTION roost_internal.message_case_place(case_id bigint, message_id bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	SELECT c.id INTO v_id FROM roost_data.moderation_case k JOIN roost_data.conversation c ON c.id = (k.snapshot->>'conversation_id')::bigint
	WHERE k.id = case_id AND k.subject_type = 'message' FOR NO KEY UPDATE OF c;
	IF NOT EXISTS (SELECT FROM roost_data.message x WHERE x.conversation_id = v_id AND x.id = message_case_place.message_id) THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
	END IF;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_case_place(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_case_place(bigint, bigint) IS 'The conversation of the message that a case is about, which is held from then on. P0002 the message is gone.';

CREATE OR REPLACE FUNCTION roost_internal.message_restore(message_id bigint, undo jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET roost.moderation_enabled = off
AS $$
DECLARE
	v_conversation_id constant bigint := undo->>'conversation_id';
	v_sender_id bigint;
BEGIN
	PERFORM FROM roost_data.conversation c WHERE c.id = v_conversation_id FOR NO KEY UPDATE;
	UPDATE roost_data.message x SET deleted_at = NULL, text = undo->>'text', media = nullif(undo->'media', 'null'), reply_to_id = (undo->>'reply_to_id')::bigint
	WHERE x.conversation_id = v_conversation_id AND x.id = message_restore.message_id AND x.deleted_at IS NOT NULL AND undo ? 'conversation_id' AND NOT undo ? 'deleted'
	RETURNING x.sender_id INTO v_sender_id;
	IF FOUND THEN
		PERFORM roost_internal.feed_tell('message_edited', v_sender_id, v_conversation_id, v_conversation_id, message_id);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_restore(bigint, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_restore(bigint, jsonb) IS 'Brings back a message that a moderator has removed, as it was: text, media and what it answers; its reactions are gone, and so is what an encrypted one has had waiting for devices.';

CREATE OR REPLACE FUNCTION roost_internal.decision_message(decision roost.decision, message_id bigint, case_id bigint, OUT undo jsonb, OUT told boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_conversation_id constant bigint := roost_internal.message_case_place(case_id, message_id);
	v_message roost_data.message;
	v_undo jsonb;
BEGIN
	-- Its row, too: maintenance deletes what has disappeared without the conversation.
	SELECT x.* INTO v_message FROM roost_data.message x WHERE x.conversation_id = v_conversation_id AND x.id = decision_message.message_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
	END IF;
	told := true;
	undo := jsonb_strip_nulls(jsonb_build_object('conversation_id', v_conversation_id::text, 'deleted', CASE WHEN v_message.deleted_at IS NOT NULL THEN true END,
		'text', v_message.text, 'media', v_message.media, 'reply_to_id', v_message.reply_to_id::text));
	IF decision = 'remove' THEN
		-- What its sender has deleted meanwhile is a measure nevertheless.
		IF v_message.deleted_at IS NULL THEN
			PERFORM roost_internal.message_erase(v_conversation_id, message_id);
			PERFORM roost_internal.feed_tell('message_deleted', v_message.sender_id, v_conversation_id, v_conversation_id, message_id);
		END IF;
	ELSIF decision = 'restore' THEN
		SELECT CASE d.decision WHEN 'remove' THEN d.undo END INTO v_undo FROM roost_data.moderation_decision d
		WHERE d.subject_type = 'message' AND d.subject_id = decision_message.message_id AND d.decision IN ('remove', 'restore') AND d.reverted_at IS NULL
		ORDER BY d.id DESC LIMIT 1;
		IF v_undo IS NULL OR v_undo ? 'deleted' OR v_message.deleted_at IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'no moderator has removed the message';
		END IF;
		PERFORM roost_internal.message_restore(message_id, v_undo);
	ELSE
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'decision', MESSAGE = 'a message can only be removed or restored';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_message(roost.decision, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_message(roost.decision, bigint, bigint) IS 'Does to a message what a decision in a case says: remove makes a tombstone of it for everyone, restore brings it back. Returns what it replaced, and that its sender is told. P0002 the message is gone, 55000 there is nothing to restore, 22023 any other decision.';
