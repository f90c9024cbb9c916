-- Reactions to messages.

CREATE OR REPLACE FUNCTION roost_internal.reaction_hold(actor_id bigint, message_id bigint, INOUT conversation_id bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_other_id bigint;
	v_why text;
BEGIN
	SELECT f.conversation_id, o.account_id INTO reaction_hold.conversation_id, v_other_id
	FROM roost_internal.message_find(actor_id, message_id, conversation_id) f
	LEFT JOIN LATERAL (SELECT m.account_id FROM roost_data.conversation_member m
		WHERE m.conversation_id = f.conversation_id AND m.account_id <> actor_id AND f.kind = 'direct') o ON f.kind = 'direct';
	PERFORM roost_internal.account_hold(actor_id);
	IF v_other_id IS NOT NULL THEN
		PERFORM roost_internal.block_refuse(ARRAY[actor_id], ARRAY[v_other_id]);
	END IF;
	IF NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active') THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	-- The member's row: it does not leave, and its other devices wait.
	PERFORM FROM roost_data.conversation_member m
	WHERE m.conversation_id = reaction_hold.conversation_id AND m.account_id = actor_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
	END IF;
	PERFORM pg_advisory_xact_lock_shared(1919905656, hashint8(message_id));
	SELECT CASE WHEN x.deleted_at IS NOT NULL THEN 'the message was deleted' WHEN x.action IS NOT NULL THEN 'nobody wrote the message' END INTO v_why
	FROM roost_data.message x WHERE x.conversation_id = reaction_hold.conversation_id AND x.id = reaction_hold.message_id
		AND (x.expires_at IS NULL OR x.expires_at > roost_internal.clock_now());
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
	ELSIF v_why IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'message_id', MESSAGE = v_why;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.reaction_hold(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.reaction_hold(bigint, bigint, bigint) IS 'Holds a message that the actor reacts to: it is not deleted for everyone, the actor does not leave, and no block comes between the two of a direct conversation until the end of the transaction. 42501 a block, or an account that is not active, 55000 the message was deleted, or nobody wrote it, P0002 no such message.';

CREATE OR REPLACE FUNCTION roost.message_react(actor_id roost.id, message_id roost.id, reaction roost.reaction, conversation_id roost.id DEFAULT NULL) RETURNS roost.message
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_conversation_id constant bigint := roost_internal.reaction_hold(actor_id, message_id, conversation_id);
BEGIN
	IF roost_internal.text_is_blank(reaction) THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'reaction', MESSAGE = 'nobody would see the reaction';
	END IF;
	INSERT INTO roost_data.message_reaction (conversation_id, message_id, account_id, reaction, created_at)
	VALUES (v_conversation_id, message_react.message_id, actor_id, roost_internal.post_text_normal(message_react.reaction, false), roost_internal.clock_now())
	ON CONFLICT DO NOTHING;
	IF FOUND THEN
		IF (SELECT count(*) > 5 FROM roost_data.message_reaction r
			WHERE r.conversation_id = v_conversation_id AND r.message_id = message_react.message_id AND r.account_id = actor_id)
		THEN
			RAISE EXCEPTION USING ERRCODE = '53400', COLUMN = 'reaction', MESSAGE = 'too many reactions', DETAIL = 'An account can give a message 5.';
		END IF;
		PERFORM roost_internal.feed_tell('message_reacted', actor_id, v_conversation_id, v_conversation_id, message_id);
	END IF;
	RETURN roost_internal.message_answer(actor_id, v_conversation_id, message_id);
END
$$;
REVOKE ALL ON FUNCTION roost.message_react(roost.id, roost.id, roost.reaction, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_react(roost.id, roost.id, roost.reaction, roost.id) IS 'Reacts to a message with an emoji or a short word; up to five different ones of an account. Again: changes nothing. conversation_id, if it is known, saves looking for it. Returns the message. 23514 there is nothing to see in it, 42501 a block, or an account that is not active, 53400 five reactions are given, 55000 the message was deleted, or nobody wrote it, P0002 no such message.';
SELECT roost_internal.route('PUT', '/messages/:message_id/reactions/:reaction', 'roost.message_react', limit_class => 'message', tags => '{chat}');
SELECT roost_internal.route('POST', '/messages/:message_id/reactions', 'roost.message_react', limit_class => 'message', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.message_unreact(actor_id roost.id, message_id roost.id, reaction roost.reaction DEFAULT NULL, conversation_id roost.id DEFAULT NULL) RETURNS roost.message
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_conversation_id bigint;
BEGIN
	SELECT f.conversation_id INTO v_conversation_id FROM roost_internal.message_find(actor_id, message_id, conversation_id) f;
	DELETE FROM roost_data.message_reaction r
	WHERE r.conversation_id = v_conversation_id AND r.message_id = message_unreact.message_id AND r.account_id = actor_id
		AND (message_unreact.reaction IS NULL OR r.reaction = roost_internal.post_text_normal(message_unreact.reaction, false));
	IF FOUND THEN
		PERFORM roost_internal.feed_tell('message_reacted', actor_id, v_conversation_id, v_conversation_id, message_id);
	END IF;
	RETURN roost_internal.message_answer(actor_id, v_conversation_id, message_id);
END
$$;
REVOKE ALL ON FUNCTION roost.message_unreact(roost.id, roost.id, roost.reaction, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_unreact(roost.id, roost.id, roost.reaction, roost.id) IS 'Takes a reaction back, or without one all that the caller has given the message. Again: changes nothing. Returns the message. P0002 no such message.';
SELECT roost_internal.route('DELETE', '/messages/:message_id/reactions/:reaction', 'roost.message_unreact', limit_class => 'message', tags => '{chat}');
SELECT roost_internal.route('DELETE', '/messages/:message_id/reactions', 'roost.message_unreact', limit_class => 'message', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.message_reaction_list(
	actor_id roost.id,
	message_id roost.id,
	conversation_id roost.id DEFAULT NULL,
	reaction roost.reaction DEFAULT NULL,
	"limit" integer DEFAULT 100,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.message_reactor
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_reaction constant text := roost_internal.post_text_normal(reaction, false);
	v_found record;
BEGIN
	SELECT * INTO v_found FROM roost_internal.message_find(actor_id, message_id, conversation_id);
	RETURN QUERY
	SELECT roost_internal.author(r.account_id), array_agg(r.reaction ORDER BY r.created_at, r.reaction), min(r.created_at), r.account_id
	FROM roost_data.message_reaction r
	WHERE r.conversation_id = v_found.conversation_id AND r.message_id = message_reaction_list.message_id AND r.account_id < v_before AND r.account_id > v_after
		AND (v_found.kind = 'direct' OR NOT roost_internal.is_blocked(actor_id, r.account_id))
	GROUP BY r.account_id
	HAVING v_reaction IS NULL OR v_reaction = ANY (array_agg(r.reaction))
	ORDER BY r.account_id DESC
	LIMIT "limit";
END
$$;
REVOKE ALL ON FUNCTION roost.message_reaction_list(roost.id, roost.id, roost.id, roost.reaction, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_reaction_list(roost.id, roost.id, roost.id, roost.reaction, integer, roost.cursor, roost.cursor) IS 'Who has reacted to a message, and how; with reaction only who reacted so. In groups without those with a block between them and the caller, as in the counts. P0002 no such message.';
SELECT roost_internal.route('GET', '/messages/:message_id/reactions', 'roost.message_reaction_list', tags => '{chat}');
