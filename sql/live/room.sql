-- Rooms: to whom a row of the log is told, and what it says.  A room is a
-- conversation, told to its members, or an account, told to it and to the one
-- that did it.  Each module knows its own events; here they meet.

CREATE OR REPLACE FUNCTION roost_internal.room_passes(state text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN left(state, 2) IN ('40', '53', '55', '57', '58');
END
$$;
REVOKE ALL ON FUNCTION roost_internal.room_passes(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.room_passes(text) IS 'Whether an error is one that passes, so that the reader of the log tries again: one row that fails each time must not stop the streams of all.';

CREATE OR REPLACE FUNCTION roost_internal.room_warn(kind roost.feed_kind, which text, state text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- The error's own words may quote what somebody wrote.
	RAISE WARNING USING ERRCODE = state, MESSAGE = format('event "%s" %s cannot be told', kind, which), DETAIL = format('It failed with SQLSTATE %s.', state);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.room_warn(roost.feed_kind, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.room_warn(roost.feed_kind, text, text) IS 'Warns that a row of the log is left out, because what should tell it failed with this SQLSTATE.';

CREATE OR REPLACE FUNCTION roost_internal.room_told(
	kind roost.feed_kind, account_id bigint, room_id bigint, conversation_id bigint, message_id bigint, target_id bigint
) RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF room_id = conversation_id THEN
		RETURN roost_internal.conversation_told(kind, account_id, conversation_id, message_id, target_id);
	ELSIF account_id IS NULL OR account_id = room_id OR kind IN ('member_removed', 'key_low', 'envelope_created') THEN
		-- who removed a member is told in the conversation; who sent an envelope, of its message
		RETURN ARRAY[room_id];
	ELSIF kind NOT IN ('friend_request_cancelled', 'friend_request_rejected', 'friend_removed')
		AND roost_internal.is_blocked(room_id, account_id)
	THEN
		RETURN ARRAY[account_id];
	ELSIF kind = 'friend_requested' AND EXISTS (SELECT FROM roost_data.account a WHERE a.id = room_told.account_id AND a.limited_at IS NOT NULL)
		AND NOT EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = room_id AND f.followee_id = room_told.account_id)
	THEN
		RETURN ARRAY[account_id];
	END IF;
	RETURN ARRAY[room_id, account_id];
EXCEPTION WHEN OTHERS THEN
	IF roost_internal.room_passes(SQLSTATE) THEN
		RAISE;
	END IF;
	PERFORM roost_internal.room_warn(kind, format('of room %s', room_id), SQLSTATE);
	RETURN '{}';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.room_told(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.room_told(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'The accounts that are told of a row of the log with a room, as things stand now: those that the conversation says, or the account and the one that did it. If one of these two has blocked the other it is only who did it; but an end of what was between them is told to both. Requests of limited accounts are told to those only who follow them. If what should say it fails it is nobody, with a warning; errors that pass (roost_internal.room_passes) are raised.';

CREATE OR REPLACE FUNCTION roost_internal.room_tells(
	kind roost.feed_kind, account_id bigint, room_id bigint, conversation_id bigint, message_id bigint, target_id bigint, viewer_id bigint
) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF room_id = conversation_id THEN
		-- without a list of a thousand
		RETURN viewer_id = ANY (roost_internal.conversation_told(kind, account_id, conversation_id, message_id, target_id, viewer_id));
	END IF;
	RETURN viewer_id = ANY (roost_internal.room_told(kind, account_id, room_id, conversation_id, message_id, target_id));
EXCEPTION WHEN OTHERS THEN
	IF roost_internal.room_passes(SQLSTATE) THEN
		RAISE;
	END IF;
	PERFORM roost_internal.room_warn(kind, format('of room %s', room_id), SQLSTATE);
	RETURN false;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.room_tells(roost.feed_kind, bigint, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.room_tells(roost.feed_kind, bigint, bigint, bigint, bigint, bigint, bigint) IS 'Whether an account is among those that roost_internal.room_told() names.';

CREATE OR REPLACE FUNCTION roost_internal.room_event(
	kind roost.feed_kind, id bigint, account_id bigint, conversation_id bigint, message_id bigint, target_id bigint
) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- in the order of roost.feed_kind
	CASE
	WHEN kind < 'message_created' THEN
		RETURN NULL;
	WHEN kind <= 'message_read' THEN
		RETURN roost_internal.message_event(kind, id, account_id, conversation_id, message_id, target_id);
	WHEN kind <= 'member_changed' THEN
		RETURN roost_internal.conversation_event(kind, id, account_id, conversation_id, message_id, target_id);
	WHEN kind <= 'friend_removed' THEN
		RETURN roost_internal.friend_event(kind, id, account_id, conversation_id, message_id, target_id);
	WHEN kind <= 'key_low' THEN
		RETURN roost_internal.key_event(kind, id, account_id, conversation_id, message_id, target_id);
	WHEN kind = 'envelope_created' THEN
		RETURN roost_internal.envelope_event(kind, id, account_id, conversation_id, message_id, target_id);
	WHEN kind = 'notification_read' THEN
		RETURN roost_internal.notification_event(kind, id, account_id, conversation_id, message_id, target_id);
	ELSE
		RETURN NULL;
	END CASE;
EXCEPTION WHEN OTHERS THEN
	IF roost_internal.room_passes(SQLSTATE) THEN
		RAISE;
	END IF;
	PERFORM roost_internal.room_warn(kind, format('with id %s', id), SQLSTATE);
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.room_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.room_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'What a row of the log with a room says, as JSON and as things stand now; null if there is nothing to tell any more, or, with a warning, if what should tell it fails. Errors that pass (SQLSTATE classes 40, 53, 55, 57, 58) are raised.';
