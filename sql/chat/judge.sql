-- Asking the policies about messages and groups.

CREATE OR REPLACE FUNCTION roost_internal.message_judge() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_moderation_message';
REVOKE ALL ON FUNCTION roost_internal.message_judge() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_judge() IS 'BEFORE ROW trigger of roost_data.message: asks the policies about a message that is written or edited, and refuses it (23514, or 53400 for its rate) where they refuse or would hold it.';

CREATE OR REPLACE FUNCTION roost_internal.group_judge() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_moderation_group';
REVOKE ALL ON FUNCTION roost_internal.group_judge() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.group_judge() IS 'BEFORE ROW trigger of roost_data.conversation: asks the policies about title, description and the address of the picture, and refuses them (23514).';

CREATE OR REPLACE FUNCTION roost_internal.message_is_request(conversation_id bigint, sender_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_other_id bigint;
BEGIN
	-- The usual case first: somebody has answered lately.
	IF EXISTS (SELECT FROM (SELECT m.sender_id FROM roost_data.message m
			WHERE m.conversation_id = message_is_request.conversation_id ORDER BY m.id DESC LIMIT 20) m
		WHERE m.sender_id <> message_is_request.sender_id)
	THEN
		RETURN false;
	END IF;
	SELECT o.account_id INTO v_other_id FROM roost_data.conversation c JOIN roost_data.conversation_member o ON o.conversation_id = c.id
	WHERE c.id = message_is_request.conversation_id AND c.kind = 'direct' AND o.account_id <> message_is_request.sender_id;
	RETURN FOUND
		AND NOT EXISTS (SELECT FROM roost_data.friendship f WHERE f.account_id = v_other_id AND f.friend_id = message_is_request.sender_id)
		AND NOT EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = v_other_id AND f.followee_id = message_is_request.sender_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_is_request(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_is_request(bigint, bigint) IS 'Whether the other one of a direct conversation has nothing to do with the sender: it is no friend, does not follow it, and none of the newest 20 messages is its own.';
