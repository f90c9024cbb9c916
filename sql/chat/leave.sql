-- What goes with an account, and what it may take along.

CREATE OR REPLACE FUNCTION roost_internal.chat_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'read_receipts', (roost.chat_settings_get($1)).read_receipts,
		'conversations', coalesce((
			SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', c.id::text, 'kind', c.kind, 'encryption', c.encryption,
				'title', nullif(c.title, ''), 'with', o.username, 'role', m.role, 'joined_at', m.joined_at, 'muted', m.muted, 'muted_until', m.muted_until,
				'archived', m.archived_id IS NOT NULL, 'pinned', m.pinned_at IS NOT NULL, 'read_id', nullif(m.read_id, 0)::text)) ORDER BY c.id)
			FROM roost_data.conversation_member m
			JOIN roost_data.conversation c ON c.id = m.conversation_id
			LEFT JOIN LATERAL (
				SELECT a.username FROM roost_data.conversation_member t JOIN roost_data.account a ON a.id = t.account_id
				WHERE c.kind = 'direct' AND t.conversation_id = c.id AND t.account_id <> $1
			) o ON true
			WHERE m.account_id = $1), '[]'),
		'messages', coalesce((
			SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', t.id::text, 'conversation_id', t.conversation_id::text, 'text', t.text, 'media', t.media,
				'encrypted', nullif(t.encrypted, false), 'reply_to_id', t.reply_to_id::text, 'created_at', t.created_at, 'edited_at', t.edited_at,
				'expires_at', t.expires_at)) ORDER BY t.id)
			FROM roost_data.conversation_member m
			JOIN roost_data.message t ON t.conversation_id = m.conversation_id AND t.sender_id = $1 AND t.action IS NULL AND t.deleted_at IS NULL
				AND t.id > m.cleared_id AND (t.expires_at IS NULL OR t.expires_at > roost_internal.clock_now())
				AND NOT EXISTS (SELECT FROM roost_data.message_hidden h WHERE h.conversation_id = t.conversation_id AND h.message_id = t.id AND h.account_id = $1)
			WHERE m.account_id = $1), '[]'),
		'reactions', coalesce((
			SELECT jsonb_agg(jsonb_build_object('message_id', r.message_id::text, 'reaction', r.reaction, 'at', r.created_at) ORDER BY r.message_id, r.reaction)
			FROM roost_data.message_reaction r WHERE r.account_id = $1), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.chat_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.chat_export(bigint) IS 'The conversations that an account is in and what it has set for them, the messages that it wrote there and has not deleted, and its reactions, oldest first. Of encrypted messages there is no text. What others wrote: roost.conversation_export().';

CREATE OR REPLACE FUNCTION roost_internal.chat_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	PERFORM roost_internal.account_hold_alone(account_id);
	FOR v_id IN
		SELECT m.conversation_id FROM roost_data.conversation_member m WHERE m.account_id = chat_account_delete.account_id ORDER BY m.conversation_id
	LOOP
		PERFORM roost_internal.conversation_turn(v_id);
		PERFORM FROM roost_data.conversation c WHERE c.id = v_id FOR NO KEY UPDATE;
		-- An admin may have been faster.
		PERFORM FROM roost_data.conversation_member m WHERE m.conversation_id = v_id AND m.account_id = chat_account_delete.account_id;
		IF FOUND THEN
			PERFORM roost_internal.member_drop(v_id, account_id, account_id);
		END IF;
	END LOOP;
	DELETE FROM roost_data.conversation_ban b WHERE b.account_id = chat_account_delete.account_id;
	DELETE FROM roost_data.message_reaction r WHERE r.account_id = chat_account_delete.account_id;
	DELETE FROM roost_data.message_hidden h WHERE h.account_id = chat_account_delete.account_id;
	DELETE FROM roost_data.chat_setting s WHERE s.account_id = chat_account_delete.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.chat_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.chat_account_delete(bigint) IS 'Takes an account out of its conversations and deletes its reactions. What it wrote stays with those it wrote to, without a name; a conversation that nobody is left in goes with the next maintenance.';

CREATE OR REPLACE FUNCTION roost_internal.conversation_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c_batch constant integer := 10000;
	c_most constant bigint := 200000;
	v_old constant timestamptz := roost_internal.clock_now() - interval '30 days';
	v_ids bigint[];
	v_rows bigint;
	v_count bigint;
	v_gone record;
BEGIN
	DELETE FROM roost_data.conversation_invite i WHERE i.revoked_at < v_old OR i.expires_at < v_old;
	GET DIAGNOSTICS v_count = ROW_COUNT;
	-- Nobody sees these, nor comes in again.
	FOR v_gone IN SELECT c.id, c.encryption FROM roost_data.conversation c WHERE c.member_count = 0 ORDER BY c.id LIMIT c_batch LOOP
		LOOP
			v_ids := ARRAY(SELECT m.id FROM roost_data.message m WHERE m.conversation_id = v_gone.id ORDER BY m.id LIMIT c_batch);
			EXIT WHEN v_ids = '{}' OR v_count > c_most;
			IF v_gone.encryption = 'e2ee' THEN
				PERFORM roost_internal.envelope_sweep(v_ids);
			END IF;
			DELETE FROM roost_data.message m WHERE m.conversation_id = v_gone.id AND m.id = ANY (v_ids);
			GET DIAGNOSTICS v_rows = ROW_COUNT;
			v_count := v_count + v_rows;
		END LOOP;
		EXIT WHEN v_count > c_most;
		DELETE FROM roost_data.message_reaction r WHERE r.conversation_id = v_gone.id;
		DELETE FROM roost_data.message_hidden h WHERE h.conversation_id = v_gone.id;
		DELETE FROM roost_data.conversation_direct d WHERE d.conversation_id = v_gone.id;
		DELETE FROM roost_data.conversation c WHERE c.id = v_gone.id;
		v_count := v_count + 1;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.conversation_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_maintenance() IS 'Deletes conversations that nobody is left in, with their messages (about 200,000 rows at once), and invitations that ended 30 days ago. Returns how many rows went away.';
