-- What the log says of conversations, and to whom.

CREATE OR REPLACE FUNCTION roost_internal.message_event(kind roost.feed_kind, id bigint, account_id bigint, conversation_id bigint, message_id bigint, target_id bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_where constant text := format('"message_id":"%s","conversation_id":"%s"', message_id, conversation_id);
	v_message roost.message;
	v_author roost.author;
BEGIN
	IF kind IN ('message_deleted', 'message_hidden') THEN
		RETURN format('{%s,"for":"%s"}', v_where, CASE WHEN kind = 'message_deleted' THEN 'everyone' ELSE 'me' END);
	ELSIF kind IN ('message_delivered', 'message_read') THEN
		v_author := roost_internal.author(account_id);
		RETURN CASE WHEN v_author.id IS NOT NULL THEN format('{%s,"account":%s,"at":%s}', v_where, roost_internal.to_json(v_author), roost_internal.to_json(roost.id_time(id))) END;
	END IF;
	v_message := roost_internal.message_plain(NULL, conversation_id, message_id);
	IF v_message.id IS NULL THEN
		SELECT * INTO v_message FROM roost_internal.message_row(NULL, conversation_id, ARRAY[message_id]);
	END IF;
	IF v_message.id IS NULL OR v_message.deleted_at IS NOT NULL THEN
		RETURN NULL;
	ELSIF kind = 'message_reacted' THEN
		v_author := roost_internal.author(account_id);
		RETURN CASE WHEN v_author.id IS NOT NULL THEN format('{%s,"account":%s,"reactions":%s}', v_where, roost_internal.to_json(v_author), roost_internal.to_json(v_message.reactions)) END;
	END IF;
	RETURN format('{"message":%s}', roost_internal.to_json(v_message));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'What the log says of messages, as JSON and as things stand now (docs/chat.md); null if there is nothing to tell any more: the message was deleted or has disappeared, or the account is gone.';
