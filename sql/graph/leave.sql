-- Taking follows along, and leaving (see sql/account/leave.sql).

CREATE OR REPLACE FUNCTION roost_internal.graph_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'following', coalesce((SELECT jsonb_agg(jsonb_build_object('id', f.followee_id::text, 'username', a.username, 'since', f.created_at) ORDER BY f.id)
			FROM roost_data.follow f JOIN roost_data.account a ON a.id = f.followee_id WHERE f.follower_id = $1), '[]'),
		'followers', coalesce((SELECT jsonb_agg(jsonb_build_object('id', f.follower_id::text, 'username', a.username, 'since', f.created_at) ORDER BY f.id)
			FROM roost_data.follow f JOIN roost_data.account a ON a.id = f.follower_id WHERE f.followee_id = $1), '[]'),
		'requests_sent', coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.followee_id::text, 'username', a.username, 'since', r.created_at) ORDER BY r.id)
			FROM roost_data.follow_request r JOIN roost_data.account a ON a.id = r.followee_id WHERE r.follower_id = $1), '[]'),
		'requests_received', coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.follower_id::text, 'username', a.username, 'since', r.created_at) ORDER BY r.id)
			FROM roost_data.follow_request r JOIN roost_data.account a ON a.id = r.follower_id WHERE r.followee_id = $1), '[]'),
		'suggestions_dismissed', coalesce((SELECT jsonb_agg(jsonb_build_object('id', d.dismissed_id::text, 'username', a.username, 'since', d.created_at) ORDER BY d.id)
			FROM roost_data.suggestion_dismissal d JOIN roost_data.account a ON a.id = d.dismissed_id WHERE d.account_id = $1), '[]'),
		'blocks', coalesce((SELECT jsonb_agg(jsonb_build_object('id', b.blocked_id::text, 'username', a.username, 'since', b.created_at) ORDER BY b.id)
			FROM roost_data.account_block b JOIN roost_data.account a ON a.id = b.blocked_id WHERE b.account_id = $1), '[]'),
		'mutes', coalesce((SELECT jsonb_agg(jsonb_build_object('id', m.muted_id::text, 'username', a.username, 'since', m.created_at,
				'notifications', m.notifications, 'expires_at', m.expires_at) ORDER BY m.id)
			FROM roost_data.account_mute m JOIN roost_data.account a ON a.id = m.muted_id WHERE m.account_id = $1), '[]'),
		'muted_words', coalesce((SELECT jsonb_agg(jsonb_build_object('phrase', w.phrase, 'whole_word', w.whole_word, 'since', w.created_at,
				'expires_at', w.expires_at) ORDER BY w.id)
			FROM roost_data.muted_word w WHERE w.account_id = $1), '[]'),
		'lists', coalesce((SELECT jsonb_agg(jsonb_build_object('id', l.id::text, 'title', l.title, 'created_at', l.created_at,
				'members', coalesce((SELECT jsonb_agg(jsonb_build_object('id', m.member_id::text, 'username', a.username, 'since', m.created_at) ORDER BY m.id)
					FROM roost_data.list_member m JOIN roost_data.account a ON a.id = m.member_id WHERE m.list_id = l.id), '[]')) ORDER BY l.id)
			FROM roost_data.list l WHERE l.account_id = $1), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.graph_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.graph_export(bigint) IS 'Whom an account follows, who follows it, the requests in both directions, whom it does not want to be suggested, whom it has blocked and muted, its muted words and its lists, oldest first. Not who has blocked or muted it.';

CREATE OR REPLACE FUNCTION roost_internal.graph_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold_alone(graph_account_delete.account_id);
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = graph_account_delete.account_id;
	DELETE FROM roost_data.follow_request r WHERE r.followee_id = graph_account_delete.account_id;
	DELETE FROM roost_data.follow f WHERE f.follower_id = graph_account_delete.account_id;
	DELETE FROM roost_data.follow f WHERE f.followee_id = graph_account_delete.account_id;
	DELETE FROM roost_data.suggestion_dismissal d WHERE d.account_id = graph_account_delete.account_id;
	DELETE FROM roost_data.suggestion_dismissal d WHERE d.dismissed_id = graph_account_delete.account_id;
	DELETE FROM roost_data.account_popular p WHERE p.account_id = graph_account_delete.account_id;
	DELETE FROM roost_data.account_block b WHERE b.account_id = graph_account_delete.account_id;
	DELETE FROM roost_data.account_block b WHERE b.blocked_id = graph_account_delete.account_id;
	DELETE FROM roost_data.account_mute m WHERE m.account_id = graph_account_delete.account_id;
	DELETE FROM roost_data.account_mute m WHERE m.muted_id = graph_account_delete.account_id;
	DELETE FROM roost_data.muted_word w WHERE w.account_id = graph_account_delete.account_id;
	DELETE FROM roost_data.list_member m WHERE m.member_id = graph_account_delete.account_id;
	DELETE FROM roost_data.list l WHERE l.account_id = graph_account_delete.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.graph_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.graph_account_delete(bigint) IS 'Ends all follows, requests, dismissed suggestions, blocks and mutes of an account, in both directions, deletes its muted words and lists, and takes it off those of others.';
