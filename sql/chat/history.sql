-- Reading messages.

CREATE OR REPLACE FUNCTION roost_internal.message_ids(viewer_id bigint, conversation_id bigint, "limit" integer, before bigint, after bigint, forward boolean DEFAULT false) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_direct boolean;
	v_after bigint;
BEGIN
	SELECT c.kind = 'direct', greatest(m.since_id, m.cleared_id, after) INTO v_direct, v_after
	FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id
	WHERE m.conversation_id = message_ids.conversation_id AND m.account_id = viewer_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	END IF;
	-- Written twice, so that the index gives either order.
	IF forward THEN
		RETURN ARRAY(SELECT x.id FROM roost_data.message x
			WHERE x.conversation_id = message_ids.conversation_id AND x.id < before AND x.id > v_after
				AND (x.expires_at IS NULL OR x.expires_at > v_now)
				AND NOT EXISTS (SELECT FROM roost_data.message_hidden h
					WHERE h.conversation_id = message_ids.conversation_id AND h.message_id = x.id AND h.account_id = viewer_id)
				AND (v_direct OR x.action IS NOT NULL OR NOT roost_internal.is_blocked(viewer_id, x.sender_id))
			ORDER BY x.id LIMIT "limit");
	END IF;
	RETURN ARRAY(SELECT x.id FROM roost_data.message x
		WHERE x.conversation_id = message_ids.conversation_id AND x.id < before AND x.id > v_after
			AND (x.expires_at IS NULL OR x.expires_at > v_now)
			AND NOT EXISTS (SELECT FROM roost_data.message_hidden h
				WHERE h.conversation_id = message_ids.conversation_id AND h.message_id = x.id AND h.account_id = viewer_id)
			AND (v_direct OR x.action IS NOT NULL OR NOT roost_internal.is_blocked(viewer_id, x.sender_id))
		ORDER BY x.id DESC LIMIT "limit");
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_ids(bigint, bigint, integer, bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_ids(bigint, bigint, integer, bigint, bigint, boolean) IS 'The ids of messages between two ids (neither is among them) that the viewer can see, the newest first; forward: the oldest first. P0002 unless it is a member of the conversation.';

CREATE OR REPLACE FUNCTION roost.message_list(
	actor_id roost.id,
	conversation_id roost.id,
	"limit" integer DEFAULT 50,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.message
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- What disappears between the ids and the rows stays on this page: a page that is not full is the last one.
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.message_row(actor_id, conversation_id, roost_internal.message_ids(actor_id, conversation_id, "limit",
		coalesce(roost_internal.cursor_id(before), 9223372036854775807), coalesce(roost_internal.cursor_id(after), 0)), v_now);
END
$$;
REVOKE ALL ON FUNCTION roost.message_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'The history of a conversation as the actor sees it, the newest message first; before goes on with older ones, after gives newer ones. What was written before it joined, what it has deleted or what has disappeared is left out, and in a group what those have written with a block between them. P0002 it is a member of no such conversation.';
SELECT roost_internal.route('GET', '/conversations/:conversation_id/messages', 'roost.message_list', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.conversation_export(
	actor_id roost.id,
	conversation_id roost.id,
	"limit" integer DEFAULT 100,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.message
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now(); -- as in message_list()
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.message_row(actor_id, conversation_id, roost_internal.message_ids(actor_id, conversation_id, "limit",
		9223372036854775807, coalesce(roost_internal.cursor_id(after), 0), true), v_now);
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_export(roost.id, roost.id, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_export(roost.id, roost.id, integer, roost.cursor) IS 'Everything of a conversation that the actor can see, the oldest message first, in pages: after takes the last page''s next. Of encrypted messages there is who wrote them and when. P0002 it is a member of no such conversation.';
SELECT roost_internal.route('GET', '/conversations/:conversation_id/export', 'roost.conversation_export', lane => 'slow', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.message_get(actor_id roost.id, message_id roost.id, conversation_id roost.id DEFAULT NULL) RETURNS roost.message
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_conversation_id bigint;
	v_message roost.message;
BEGIN
	SELECT f.conversation_id INTO v_conversation_id FROM roost_internal.message_find(actor_id, message_id, conversation_id) f;
	SELECT * INTO v_message FROM roost_internal.message_row(actor_id, v_conversation_id, ARRAY[message_id::bigint], '-infinity'); -- it was there a moment ago
	RETURN v_message;
END
$$;
REVOKE ALL ON FUNCTION roost.message_get(roost.id, roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_get(roost.id, roost.id, roost.id) IS 'A message as the actor sees it. conversation_id, if it is known, saves looking for it. P0002 there is none that it can see.';
SELECT roost_internal.route('GET', '/messages/:message_id', 'roost.message_get', tags => '{chat}');
