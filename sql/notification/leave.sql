-- Taking preferences along, and leaving (see sql/account/leave.sql).

CREATE OR REPLACE FUNCTION roost_internal.notification_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'preferences', (SELECT to_jsonb(roost.notification_preferences_get($1::roost.id))),
		'read', (SELECT jsonb_build_object('up_to', t.read_seq::text, 'at', t.updated_at) FROM roost_data.notification_marker t WHERE t.account_id = $1),
		'muted', coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.muted_id::text, 'username', a.username, 'since', t.created_at) ORDER BY t.id)
			FROM roost_data.notification_mute t JOIN roost_data.account a ON a.id = t.muted_id WHERE t.account_id = $1), '[]'),
		'muted_threads', coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.thread_id::text, 'since', t.created_at) ORDER BY t.id)
			FROM roost_data.notification_thread_mute t WHERE t.account_id = $1), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_export(bigint) IS 'What an account wants to hear of, whom and what it has muted, and how far it has read. What others did to it is in the export of module feed.';

CREATE OR REPLACE FUNCTION roost_internal.notification_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold_alone(notification_account_delete.account_id);
	DELETE FROM roost_data.notification_preference t WHERE t.account_id = notification_account_delete.account_id;
	DELETE FROM roost_data.notification_marker t WHERE t.account_id = notification_account_delete.account_id;
	DELETE FROM roost_data.notification_thread_mute t WHERE t.account_id = notification_account_delete.account_id;
	DELETE FROM roost_data.notification_mute t WHERE t.account_id = notification_account_delete.account_id;
	DELETE FROM roost_data.notification_mute t WHERE t.muted_id = notification_account_delete.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_account_delete(bigint) IS 'Removes what an account wants to hear of and how far it has read, and takes it from those who had muted it.';
