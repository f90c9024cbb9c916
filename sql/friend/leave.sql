-- Taking friends along, and leaving (see sql/account/leave.sql).

CREATE OR REPLACE FUNCTION roost_internal.friend_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'friends', coalesce((SELECT jsonb_agg(jsonb_build_object('id', f.friend_id::text, 'username', a.username, 'since', f.created_at) ORDER BY f.id)
			FROM roost_data.friendship f JOIN roost_data.account a ON a.id = f.friend_id WHERE f.account_id = $1), '[]'),
		'requests_sent', coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.recipient_id::text, 'username', a.username, 'since', r.created_at) ORDER BY r.id)
			FROM roost_data.friend_request r JOIN roost_data.account a ON a.id = r.recipient_id WHERE r.requester_id = $1), '[]'),
		'requests_received', coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.requester_id::text, 'username', a.username, 'since', r.created_at) ORDER BY r.id)
			FROM roost_data.friend_request r JOIN roost_data.account a ON a.id = r.requester_id WHERE r.recipient_id = $1), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_export(bigint) IS 'The friends of an account and the requests in both directions, oldest first.';

CREATE OR REPLACE FUNCTION roost_internal.friend_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_other_id bigint;
	v_id bigint;
BEGIN
	PERFORM roost_internal.account_hold_alone(friend_account_delete.account_id);
	FOR v_other_id, v_id IN
		DELETE FROM roost_data.friend_request r WHERE r.requester_id = friend_account_delete.account_id RETURNING r.recipient_id, r.id
	LOOP
		PERFORM roost_internal.feed_tell('friend_request_cancelled', friend_account_delete.account_id, v_other_id, message_id => v_id, target_id => v_other_id);
	END LOOP;
	FOR v_other_id, v_id IN
		DELETE FROM roost_data.friend_request r WHERE r.recipient_id = friend_account_delete.account_id RETURNING r.requester_id, r.id
	LOOP
		PERFORM roost_internal.feed_tell('friend_request_rejected', friend_account_delete.account_id, v_other_id, message_id => v_id, target_id => v_other_id);
	END LOOP;
	FOR v_other_id IN DELETE FROM roost_data.friendship f WHERE f.account_id = friend_account_delete.account_id RETURNING f.friend_id LOOP
		DELETE FROM roost_data.friendship f WHERE f.account_id = v_other_id AND f.friend_id = friend_account_delete.account_id;
		PERFORM roost_internal.feed_tell('friend_removed', friend_account_delete.account_id, v_other_id, target_id => v_other_id);
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_account_delete(bigint) IS 'Ends the friendships and requests of an account, in both directions, and has the others told.';
