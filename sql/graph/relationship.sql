-- How accounts stand to each other, and accounts as a viewer sees them.

CREATE OR REPLACE FUNCTION roost_internal.relationship_list(viewer_id bigint, ids bigint[]) RETURNS SETOF roost.relationship
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT i.id::roost.id,
		EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = viewer_id AND f.followee_id = i.id),
		EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = i.id AND f.followee_id = viewer_id),
		EXISTS (SELECT FROM roost_data.follow_request r WHERE r.follower_id = viewer_id AND r.followee_id = i.id),
		EXISTS (SELECT FROM roost_data.follow_request r WHERE r.follower_id = i.id AND r.followee_id = viewer_id),
		EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = viewer_id AND b.blocked_id = i.id),
		EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = i.id AND b.blocked_id = viewer_id),
		EXISTS (SELECT FROM roost_data.account_mute m WHERE m.account_id = viewer_id AND m.muted_id = i.id
			AND (m.expires_at IS NULL OR m.expires_at > roost_internal.clock_now())),
		EXISTS (SELECT FROM roost_data.friendship f WHERE f.account_id = viewer_id AND f.friend_id = i.id),
		EXISTS (SELECT FROM roost_data.friend_request r WHERE r.recipient_id = i.id AND r.requester_id = viewer_id),
		EXISTS (SELECT FROM roost_data.friend_request r WHERE r.recipient_id = viewer_id AND r.requester_id = i.id)
	FROM pg_catalog.unnest(ids) WITH ORDINALITY AS i (id, n)
	ORDER BY i.n;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.relationship_list(bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.relationship_list(bigint, bigint[]) IS 'The relationships of the viewer with each of the accounts, in the order of ids.';

CREATE OR REPLACE FUNCTION roost_internal.relationship(viewer_id bigint, account_id bigint) RETURNS roost.relationship
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_relationship roost.relationship;
BEGIN
	SELECT * INTO v_relationship FROM roost_internal.relationship_list(viewer_id, ARRAY[relationship.account_id]);
	RETURN v_relationship;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.relationship(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.relationship(bigint, bigint) IS 'The relationship of the viewer with the account.';

CREATE OR REPLACE FUNCTION roost_internal.account_hydrate(viewer_id bigint, ids bigint[], cursors bigint[] DEFAULT NULL) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT a.id::roost.id, a.username, a.display_name, a.bio, a.avatar_url, a.header_url,
		roost_internal.account_url(a.username), a.language, a.is_private, a.is_verified, a.created_at,
		coalesce(s.follower_count, 0), coalesce(s.following_count, 0), coalesce(s.post_count, 0),
		CASE WHEN viewer_id IS NOT NULL THEN ROW(
			a.id::roost.id,
			EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = viewer_id AND f.followee_id = a.id),
			EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = a.id AND f.followee_id = viewer_id),
			EXISTS (SELECT FROM roost_data.follow_request r WHERE r.follower_id = viewer_id AND r.followee_id = a.id),
			EXISTS (SELECT FROM roost_data.follow_request r WHERE r.follower_id = a.id AND r.followee_id = viewer_id),
			EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = viewer_id AND b.blocked_id = a.id),
			EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = a.id AND b.blocked_id = viewer_id),
			EXISTS (SELECT FROM roost_data.account_mute m WHERE m.account_id = viewer_id AND m.muted_id = a.id
				AND (m.expires_at IS NULL OR m.expires_at > roost_internal.clock_now())),
			EXISTS (SELECT FROM roost_data.friendship f WHERE f.account_id = viewer_id AND f.friend_id = a.id),
			EXISTS (SELECT FROM roost_data.friend_request r WHERE r.recipient_id = a.id AND r.requester_id = viewer_id),
			EXISTS (SELECT FROM roost_data.friend_request r WHERE r.recipient_id = viewer_id AND r.requester_id = a.id)
		)::roost.relationship END,
		cursors[i.n]
	FROM pg_catalog.unnest(ids) WITH ORDINALITY AS i (id, n)
	JOIN roost_data.account a ON a.id = i.id AND a.status = 'active'
	LEFT JOIN LATERAL (
		SELECT pg_catalog.sum(t.follower_count)::bigint AS follower_count,
			pg_catalog.sum(t.following_count)::bigint AS following_count,
			pg_catalog.sum(t.post_count)::bigint AS post_count
		FROM roost_data.account_stat t WHERE t.account_id = a.id
	) s ON true
	ORDER BY i.n;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_hydrate(bigint, bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_hydrate(bigint, bigint[], bigint[]) IS 'The accounts as the viewer sees them (null: a stranger), in the order of ids, with their counters and, for a viewer, the relationship; cursors gives each row its position in a list. Accounts that are not active are left out.';

CREATE OR REPLACE FUNCTION roost.relationship_get(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN roost_internal.relationship(actor_id, roost_internal.account_resolve(account_id));
END
$$;
REVOKE ALL ON FUNCTION roost.relationship_get(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.relationship_get(roost.id, roost.account_ref) IS 'How the caller and an account stand to each other. P0002 no such account.';
SELECT roost_internal.route('GET', '/users/:account_id/relationship', 'roost.relationship_get', auth => 'user');

CREATE OR REPLACE FUNCTION roost.relationship_list(actor_id roost.id, ids roost.id[]) RETURNS SETOF roost.relationship
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF pg_catalog.cardinality(ids) > 200 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'ids', MESSAGE = 'too many ids',
			DETAIL = pg_catalog.format('There are %s of them, at most 200 are answered at once.', pg_catalog.cardinality(ids));
	END IF;
	RETURN QUERY
	SELECT r.*
	FROM roost_internal.relationship_list(actor_id, ids::bigint[]) r
	JOIN roost_data.account a ON a.id = r.account_id AND a.status = 'active';
END
$$;
REVOKE ALL ON FUNCTION roost.relationship_list(roost.id, roost.id[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.relationship_list(roost.id, roost.id[]) IS 'How the caller stands to each of up to 200 accounts, one row for each that exists. 54000 too many ids.';
SELECT roost_internal.route('GET', '/relationships', 'roost.relationship_list', auth => 'user');
