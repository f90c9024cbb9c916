-- Requests to become friends.

CREATE OR REPLACE FUNCTION roost_internal.friend_request_one(actor_id bigint, account_id bigint, id bigint, outgoing boolean, accepted boolean, created_at timestamptz)
RETURNS roost.friend_request
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_author roost.author;
BEGIN
	SELECT a.id, a.username, a.display_name, a.avatar_url INTO v_author FROM roost_data.account a WHERE a.id = friend_request_one.account_id;
	RETURN ROW(id, v_author, outgoing, accepted, created_at)::roost.friend_request;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_request_one(bigint, bigint, bigint, boolean, boolean, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_request_one(bigint, bigint, bigint, boolean, boolean, timestamptz) IS 'A request as the actor sees it: account_id is the other one.';

CREATE OR REPLACE FUNCTION roost.friend_request_create(actor_id roost.id, account_id roost.account_ref) RETURNS roost.friend_request
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
	v_max constant integer := current_setting('roost.friend_request_max');
	v_request roost_data.friend_request;
BEGIN
	IF v_account_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'account_id', MESSAGE = 'nobody is a friend of oneself';
	END IF;
	PERFORM roost_internal.friend_hold(actor_id, v_account_id);
	PERFORM roost_internal.block_refuse(ARRAY[actor_id::bigint], ARRAY[v_account_id]);
	IF roost_internal.is_friend(actor_id, v_account_id) THEN
		RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'account_id', MESSAGE = 'the two accounts are friends already';
	END IF;
	SELECT * INTO v_request FROM roost_data.friend_request r WHERE r.recipient_id = actor_id AND r.requester_id = v_account_id;
	PERFORM roost_internal.friend_count_hold(actor_id, CASE WHEN FOUND THEN v_account_id END);
	-- The other one has asked: this is the answer.
	DELETE FROM roost_data.friend_request r WHERE r.recipient_id = actor_id AND r.requester_id = v_account_id RETURNING * INTO v_request;
	IF FOUND THEN
		PERFORM roost_internal.friend_make(actor_id, v_account_id, v_request.id);
		PERFORM roost.response_status(200);
		RETURN roost_internal.friend_request_one(actor_id, v_account_id, v_request.id, false, true, v_request.created_at);
	END IF;
	SELECT * INTO v_request FROM roost_data.friend_request r WHERE r.recipient_id = v_account_id AND r.requester_id = actor_id;
	IF FOUND THEN
		PERFORM roost.response_status(200);
	ELSE
		IF (SELECT count(*) FROM roost_data.friend_request r WHERE r.requester_id = actor_id) >= v_max THEN
			RAISE EXCEPTION USING ERRCODE = '53400', COLUMN = 'account_id', MESSAGE = 'too many requests wait for an answer',
				DETAIL = format('An account can have %s.', v_max), HINT = 'Take some of them back.';
		END IF;
		PERFORM roost_internal.friend_room(actor_id, false);
		INSERT INTO roost_data.friend_request (requester_id, recipient_id, id, created_at)
		VALUES (actor_id, v_account_id, roost_internal.id_next(v_account_id), roost_internal.clock_now())
		RETURNING * INTO v_request;
		PERFORM roost_internal.feed_tell('friend_requested', actor_id, v_account_id, message_id => v_request.id, target_id => v_account_id);
	END IF;
	RETURN roost_internal.friend_request_one(actor_id, v_account_id, v_request.id, true, false, v_request.created_at);
END
$$;
REVOKE ALL ON FUNCTION roost.friend_request_create(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.friend_request_create(roost.id, roost.account_ref) IS 'Asks an account to become a friend of the caller. If it has asked the caller, they are friends now: "accepted" is true. Asking again gives the request that waits (200). 22023 oneself, 23505 they are friends already, 42501 one of the two has blocked the other, 53400 the caller has too many friends or requests that wait (roost.friend_max, roost.friend_request_max), P0002 no such account.';
SELECT roost_internal.route('POST', '/friends/requests', 'roost.friend_request_create', limit_class => 'follow', status => 201);

CREATE OR REPLACE FUNCTION roost.friend_request_list(
	actor_id roost.id,
	direction roost.friend_request_direction DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.friend_request
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY
	SELECT p.id::roost.id, ROW(p.account_id, p.username, p.display_name, p.avatar_url)::roost.author, p.outgoing, false, p.created_at
	FROM (
		(SELECT r.id, a.id AS account_id, a.username, a.display_name, a.avatar_url, false AS outgoing, r.created_at
		FROM roost_data.friend_request r JOIN roost_data.account a ON a.id = r.requester_id AND a.status = 'active'
		WHERE r.recipient_id = actor_id AND r.id < v_before AND r.id > v_after AND direction IS DISTINCT FROM 'outgoing'
			AND (a.limited_at IS NULL OR EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = actor_id AND f.followee_id = a.id))
		ORDER BY r.id DESC
		LIMIT friend_request_list."limit")
		UNION ALL
		(SELECT r.id, a.id, a.username, a.display_name, a.avatar_url, true, r.created_at
		FROM roost_data.friend_request r JOIN roost_data.account a ON a.id = r.recipient_id AND a.status = 'active'
		WHERE r.requester_id = actor_id AND r.id < v_before AND r.id > v_after AND direction IS DISTINCT FROM 'incoming'
		ORDER BY r.id DESC
		LIMIT friend_request_list."limit")
	) p
	ORDER BY p.id DESC
	LIMIT friend_request_list."limit";
END
$$;
REVOKE ALL ON FUNCTION roost.friend_request_list(roost.id, roost.friend_request_direction, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.friend_request_list(roost.id, roost.friend_request_direction, integer, roost.cursor, roost.cursor) IS 'The requests that wait for the caller (incoming; those of limited accounts only if it follows them), those that it has made (outgoing), or both, the newest first. Nobody else gets this list.';
SELECT roost_internal.route('GET', '/friends/requests', 'roost.friend_request_list');

CREATE OR REPLACE FUNCTION roost_internal.friend_request_missing() RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'request_id', MESSAGE = 'the friend request does not exist';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_request_missing() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_request_missing() IS 'Raises P0002: there is no such request, or it is not the caller''s.';

CREATE OR REPLACE FUNCTION roost.friend_request_accept(actor_id roost.id, request_id roost.id) RETURNS roost.friend
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_friend roost.friend;
BEGIN
	SELECT r.requester_id INTO v_account_id FROM roost_data.friend_request r
	WHERE r.recipient_id = actor_id AND r.id = friend_request_accept.request_id;
	IF FOUND THEN
		PERFORM roost_internal.friend_hold(actor_id, v_account_id);
		PERFORM roost_internal.block_refuse(ARRAY[actor_id::bigint], ARRAY[v_account_id]);
		PERFORM roost_internal.friend_count_hold(actor_id, v_account_id);
		DELETE FROM roost_data.friend_request r
		WHERE r.recipient_id = actor_id AND r.requester_id = v_account_id AND r.id = friend_request_accept.request_id;
		IF FOUND THEN
			PERFORM roost_internal.friend_make(actor_id, v_account_id, request_id);
			RETURN roost_internal.friend_one(actor_id, v_account_id);
		END IF;
	END IF;
	-- Accepted before, maybe at this moment.
	SELECT f.friend_id INTO v_account_id FROM roost_data.friendship f
	WHERE f.account_id = actor_id AND f.request_id = friend_request_accept.request_id AND f.accepted_by = actor_id;
	v_friend := roost_internal.friend_one(actor_id, v_account_id);
	-- It may also end at this moment.
	IF (v_friend.account).id IS NULL THEN
		PERFORM roost_internal.friend_request_missing();
	END IF;
	RETURN v_friend;
END
$$;
REVOKE ALL ON FUNCTION roost.friend_request_accept(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.friend_request_accept(roost.id, roost.id) IS 'Accepts a request that waits for the caller: the two are friends. Again, as long as they are: changes nothing. Returns the friend. 42501 one of the two has blocked the other, 53400 one of them has too many friends (roost.friend_max), P0002 no such request, or it was taken back.';
SELECT roost_internal.route('POST', '/friends/requests/:request_id/accept', 'roost.friend_request_accept', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.friend_request_reject(actor_id roost.id, request_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
BEGIN
	SELECT r.requester_id INTO v_account_id FROM roost_data.friend_request r
	WHERE r.recipient_id = actor_id AND r.id = friend_request_reject.request_id;
	IF FOUND THEN
		PERFORM roost_internal.friend_hold(actor_id, v_account_id, false);
	END IF;
	DELETE FROM roost_data.friend_request r
	WHERE r.recipient_id = actor_id AND r.requester_id = v_account_id AND r.id = friend_request_reject.request_id;
	IF NOT FOUND THEN
		PERFORM roost_internal.friend_request_missing();
	END IF;
	PERFORM roost_internal.feed_tell('friend_request_rejected', actor_id, v_account_id, message_id => request_id, target_id => v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.friend_request_reject(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.friend_request_reject(roost.id, roost.id) IS 'Rejects a request that waits for the caller, also one of an account that is suspended; the other one may ask again. P0002 no such request, or it was taken back.';
SELECT roost_internal.route('POST', '/friends/requests/:request_id/reject', 'roost.friend_request_reject', limit_class => 'write', status => 204);

CREATE OR REPLACE FUNCTION roost.friend_request_cancel(actor_id roost.id, request_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
BEGIN
	SELECT r.recipient_id INTO v_account_id FROM roost_data.friend_request r
	WHERE r.requester_id = actor_id AND r.id = friend_request_cancel.request_id;
	IF FOUND THEN
		PERFORM roost_internal.friend_hold(actor_id, v_account_id, false);
	END IF;
	DELETE FROM roost_data.friend_request r
	WHERE r.recipient_id = v_account_id AND r.requester_id = actor_id AND r.id = friend_request_cancel.request_id;
	IF NOT FOUND THEN
		PERFORM roost_internal.friend_request_missing();
	END IF;
	PERFORM roost_internal.feed_tell('friend_request_cancelled', actor_id, v_account_id, message_id => request_id, target_id => v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.friend_request_cancel(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.friend_request_cancel(roost.id, roost.id) IS 'Takes back a request that the caller has made, also one to an account that is suspended. P0002 no such request, or it was answered.';
SELECT roost_internal.route('DELETE', '/friends/requests/:request_id', 'roost.friend_request_cancel', limit_class => 'write', status => 204);
