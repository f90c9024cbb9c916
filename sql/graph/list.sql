-- Followers, followees and requests as pages, newest first.

CREATE OR REPLACE FUNCTION roost_internal.is_near(viewer_id bigint, account_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN account_id = viewer_id OR EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = viewer_id AND f.followee_id = is_near.account_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.is_near(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.is_near(bigint, bigint) IS 'Whether the viewer (null: a stranger) is the account or follows it: to these a limited account is named in lists of accounts, to nobody else.';

CREATE OR REPLACE FUNCTION roost_internal.graph_list_check(viewer_id bigint, account_id bigint) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF viewer_id IS DISTINCT FROM graph_list_check.account_id
		AND (SELECT a.is_private FROM roost_data.account a WHERE a.id = graph_list_check.account_id)
		AND NOT EXISTS (SELECT FROM roost_data.follow f
			WHERE f.follower_id = viewer_id AND f.followee_id = graph_list_check.account_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is private',
			HINT = 'Its lists are shown to those it lets follow it.';
	ELSIF roost_internal.is_blocked(viewer_id, account_id) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not allowed',
			DETAIL = 'One of the two accounts has blocked the other.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.graph_list_check(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.graph_list_check(bigint, bigint) IS 'Raises 42501 unless the viewer (null: a stranger) may see whom the account follows and who follows it: of private accounts only followers and the account itself may, and nobody between whom and it there is a block.';

CREATE OR REPLACE FUNCTION roost.follower_list(
	account_id roost.account_ref,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
	v_before bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	PERFORM roost_internal.graph_list_check(actor_id, v_account_id);
	SELECT pg_catalog.array_agg(p.follower_id ORDER BY p.id DESC), pg_catalog.array_agg(p.id ORDER BY p.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT f.follower_id, f.id
		FROM roost_data.follow f JOIN roost_data.account a ON a.id = f.follower_id AND a.status = 'active'
		WHERE f.followee_id = v_account_id AND f.id < v_before AND f.id > v_after
			AND NOT EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = actor_id AND b.blocked_id = f.follower_id)
			AND NOT EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = f.follower_id AND b.blocked_id = actor_id)
			-- who follows oneself, and reads what one writes, one sees in any case
			AND (a.limited_at IS NULL OR actor_id = v_account_id OR roost_internal.is_near(actor_id, f.follower_id))
		ORDER BY f.id DESC
		LIMIT follower_list."limit"
	) p;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.follower_list(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.follower_list(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor) IS 'Who follows an account, the newest follower first. Accounts are left out between which and the caller there is a block, and limited ones, unless the caller follows them or it is its own list. P0002 no such account, 42501 it is private and the caller does not follow it, or one of the two has blocked the other.';
SELECT roost_internal.route('GET', '/users/:account_id/followers', 'roost.follower_list', auth => 'optional', cache => 'list');

CREATE OR REPLACE FUNCTION roost.following_list(
	account_id roost.account_ref,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
	v_before bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	PERFORM roost_internal.graph_list_check(actor_id, v_account_id);
	SELECT pg_catalog.array_agg(p.followee_id ORDER BY p.id DESC), pg_catalog.array_agg(p.id ORDER BY p.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT f.followee_id, f.id
		FROM roost_data.follow f JOIN roost_data.account a ON a.id = f.followee_id AND a.status = 'active'
		WHERE f.follower_id = v_account_id AND f.id < v_before AND f.id > v_after
			AND NOT EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = actor_id AND b.blocked_id = f.followee_id)
			AND NOT EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = f.followee_id AND b.blocked_id = actor_id)
			AND (a.limited_at IS NULL OR roost_internal.is_near(actor_id, f.followee_id))
		ORDER BY f.id DESC
		LIMIT following_list."limit"
	) p;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.following_list(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.following_list(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor) IS 'Whom an account follows, the newest follow first. Accounts are left out between which and the caller there is a block, and limited ones that the caller does not follow. P0002 no such account, 42501 it is private and the caller does not follow it, or one of the two has blocked the other.';
SELECT roost_internal.route('GET', '/users/:account_id/following', 'roost.following_list', auth => 'optional', cache => 'list');

CREATE OR REPLACE FUNCTION roost.follow_request_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(p.follower_id ORDER BY p.id DESC), pg_catalog.array_agg(p.id ORDER BY p.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT r.follower_id, r.id
		FROM roost_data.follow_request r JOIN roost_data.account a ON a.id = r.follower_id AND a.status = 'active'
		WHERE r.followee_id = actor_id AND r.id < v_before AND r.id > v_after
		ORDER BY r.id DESC
		LIMIT follow_request_list."limit"
	) p;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.follow_request_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_request_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The accounts that have asked to follow the caller and wait for an answer, the newest request first.';
SELECT roost_internal.route('GET', '/follow-requests', 'roost.follow_request_list', auth => 'user');

CREATE OR REPLACE FUNCTION roost_internal.follower_ids(account_id bigint, after bigint DEFAULT 0, "limit" integer DEFAULT NULL)
RETURNS TABLE (follow_id bigint, follower_id bigint)
LANGUAGE sql STABLE
AS $$
	SELECT f.id, f.follower_id
	FROM roost_data.follow f
	WHERE f.followee_id = follower_ids.account_id AND f.id > follower_ids.after
	ORDER BY f.id
	LIMIT follower_ids."limit"
$$;
REVOKE ALL ON FUNCTION roost_internal.follower_ids(bigint, bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.follower_ids(bigint, bigint, integer) IS 'The followers of an account in the order in which they came, from the one after follow id "after" on, at most "limit" of them (null: all). The one way in which others read followers.';

CREATE OR REPLACE FUNCTION roost_internal.followee_ids(account_id bigint) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(SELECT f.followee_id FROM roost_data.follow f WHERE f.follower_id = followee_ids.account_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.followee_ids(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.followee_ids(bigint) IS 'The ids of the accounts that an account follows, in no particular order.';
