-- The conversations of an account, and what it sets for itself.

CREATE OR REPLACE FUNCTION roost_internal.conversation_one(actor_id bigint, conversation_id bigint) RETURNS roost.conversation
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_row roost.conversation;
BEGIN
	SELECT * INTO v_row FROM roost_internal.conversation_row(actor_id, ARRAY[conversation_id]);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	END IF;
	RETURN v_row;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.conversation_one(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_one(bigint, bigint) IS 'A conversation as the actor sees it. P0002 unless it is a member.';

CREATE OR REPLACE FUNCTION roost.conversation_get(actor_id roost.id, conversation_id roost.id) RETURNS roost.conversation
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN roost_internal.conversation_one(actor_id, conversation_id);
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_get(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_get(roost.id, roost.id) IS 'A conversation of the caller. P0002 it is a member of no such conversation.';
SELECT roost_internal.route('GET', '/conversations/:conversation_id', 'roost.conversation_get', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost_internal.conversation_page(actor_id bigint, "limit" integer, archived boolean,
	pinned boolean, place bigint, since bigint, OUT ids bigint[], OUT cursors text[])
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_chat_conversation_page';
REVOKE ALL ON FUNCTION roost_internal.conversation_page(bigint, integer, boolean, boolean, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_page(bigint, integer, boolean, boolean, bigint, bigint) IS 'The conversations of the actor, or with archived those in its archive, that stand on a page of its list, and their cursors: pinned ones first, then by the newest message, after the place (pinned, id of a message) that a cursor names, as the list was when since was the newest message (null: now). A direct conversation without any message only if the actor has begun it. From memory, where it can be: extension/chat/member.c.';

CREATE OR REPLACE FUNCTION roost.conversation_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	archived boolean DEFAULT false
) RETURNS SETOF roost.conversation
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- pinned, the message that it stood at, the newest message when the walk began
	v_before constant text[] := regexp_match(before, '^([01])\.(\d{1,18})\.(\d{1,18})$');
	v_ids bigint[];
	v_cursors text[];
	v_row roost.conversation;
BEGIN
	IF before IS NOT NULL AND v_before IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'before', MESSAGE = 'this is no cursor that was given out';
	END IF;
	SELECT p.ids, p.cursors INTO v_ids, v_cursors
	FROM roost_internal.conversation_page(actor_id, "limit", archived, v_before[1] = '1', v_before[2]::bigint, v_before[3]::bigint) p;
	FOR v_row IN SELECT * FROM roost_internal.conversation_row(actor_id, v_ids) LOOP
		v_row.cursor := v_cursors[array_position(v_ids, v_row.id::bigint)];
		RETURN NEXT v_row;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_list(roost.id, integer, roost.cursor, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_list(roost.id, integer, roost.cursor, boolean) IS 'The conversations of the caller, or with archived those in its archive: pinned ones first, then by the newest message. Pages after the first show the list as it was when that was read, whatever is written meanwhile. A direct conversation without any message is shown to its maker only. 22023 no cursor that was given out.';
SELECT roost_internal.route('GET', '/conversations', 'roost.conversation_list', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.conversation_unread(actor_id roost.id) RETURNS roost.conversation_unread
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_blocks constant boolean := roost_internal.has_blocks(actor_id);
	v_unread roost.conversation_unread := ROW(0, 0, 0);
	v_count integer;
	v_from record;
BEGIN
	FOR v_from IN
		SELECT m.conversation_id, c.kind, greatest(m.read_id, m.since_id, m.cleared_id) AS after_id, roost_internal.member_muted(m.muted, m.muted_until) AS muted
		FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id
		WHERE m.account_id = actor_id AND c.last_message_id > greatest(m.read_id, m.since_id, m.cleared_id)
	LOOP
		-- Beyond 1000 it is only asked whether there are any.
		v_count := roost_internal.unread_count(actor_id, v_from.conversation_id, v_from.after_id, v_blocks AND v_from.kind = 'group',
			CASE WHEN v_from.muted THEN 1 ELSE greatest(1000 - v_unread.messages, 1) END);
		IF v_count > 0 AND v_from.muted THEN
			v_unread.muted := v_unread.muted + 1;
		ELSIF v_count > 0 THEN
			v_unread.conversations := v_unread.conversations + 1;
			v_unread.messages := least(v_unread.messages + v_count, 1000);
		END IF;
	END LOOP;
	RETURN v_unread;
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_unread(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_unread(roost.id) IS 'How much the caller has not read: conversations, messages in them (at most 1000), and how many muted conversations besides.';
SELECT roost_internal.route('GET', '/conversations/unread', 'roost.conversation_unread', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.conversation_settings(
	actor_id roost.id,
	conversation_id roost.id,
	muted boolean DEFAULT NULL,
	muted_until timestamptz DEFAULT NULL,
	archived boolean DEFAULT NULL,
	pinned boolean DEFAULT NULL
) RETURNS roost.conversation
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_last_id bigint;
	v_own roost_data.conversation_member;
	v_new roost_data.conversation_member;
BEGIN
	IF muted_until IS NOT NULL AND NOT coalesce(muted, true) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'muted_until', MESSAGE = 'muted_until goes with muted';
	ELSIF muted_until <= v_now OR muted_until = 'infinity' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'muted_until', MESSAGE = 'muted_until is a time to come';
	END IF;
	SELECT m.* INTO v_own FROM roost_data.conversation_member m
	WHERE m.conversation_id = conversation_settings.conversation_id AND m.account_id = actor_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	END IF;
	SELECT coalesce(c.last_message_id, 0) INTO v_last_id FROM roost_data.conversation c WHERE c.id = conversation_settings.conversation_id;
	v_new := v_own;
	IF muted IS NOT NULL OR muted_until IS NOT NULL THEN
		v_new.muted := coalesce(muted, true);
		v_new.muted_until := muted_until;
	END IF;
	IF archived IS NOT NULL THEN
		v_new.archived_id := CASE WHEN archived THEN v_last_id END;
	ELSIF v_own.archived_id < v_last_id AND NOT roost_internal.member_muted(v_own.muted, v_own.muted_until) THEN
		-- It has come back already; muting it now does not put it away again.
		v_new.archived_id := NULL;
	END IF;
	IF pinned IS NOT NULL THEN
		v_new.pinned_at := CASE WHEN pinned THEN coalesce(v_own.pinned_at, v_now) END;
	END IF;
	IF v_new IS DISTINCT FROM v_own THEN
		UPDATE roost_data.conversation_member m SET muted = v_new.muted, muted_until = v_new.muted_until,
			archived_id = v_new.archived_id, pinned_at = v_new.pinned_at
		WHERE m.conversation_id = conversation_settings.conversation_id AND m.account_id = actor_id;
		PERFORM roost_internal.feed_tell('conversation_settings', actor_id, actor_id, conversation_id);
	END IF;
	RETURN roost_internal.conversation_one(actor_id, conversation_id);
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_settings(roost.id, roost.id, boolean, timestamptz, boolean, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_settings(roost.id, roost.id, boolean, timestamptz, boolean, boolean) IS 'Changes what the caller has set for itself of a conversation; what is not given stays. muted: nobody is disturbed by it, until muted_until if that is given; archived: in the archive until the next message, or as long as it is muted; pinned: first in the list. Returns the conversation. 22023 muted_until is past or given with muted false, P0002 no such conversation.';
SELECT roost_internal.route('PATCH', '/conversations/:conversation_id/settings', 'roost.conversation_settings', limit_class => 'write', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.conversation_clear(actor_id roost.id, conversation_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_last_id constant bigint := coalesce((SELECT c.last_message_id FROM roost_data.conversation c WHERE c.id = conversation_id), 0);
BEGIN
	UPDATE roost_data.conversation_member m SET cleared_id = greatest(m.cleared_id, v_last_id), read_id = greatest(m.read_id, v_last_id),
		archived_id = v_last_id, pinned_at = NULL
	WHERE m.conversation_id = conversation_clear.conversation_id AND m.account_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	END IF;
	DELETE FROM roost_data.message_hidden h
	WHERE h.conversation_id = conversation_clear.conversation_id AND h.account_id = actor_id AND h.message_id <= v_last_id;
	PERFORM roost_internal.feed_tell('conversation_cleared', actor_id, actor_id, conversation_id, v_last_id);
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_clear(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_clear(roost.id, roost.id) IS 'Deletes the history of a conversation for the caller, and puts it into its archive until the next message (a muted one stays there). The others keep theirs and are not told. P0002 no such conversation.';
SELECT roost_internal.route('DELETE', '/conversations/:conversation_id', 'roost.conversation_clear', limit_class => 'write', status => 204, tags => '{chat}');
