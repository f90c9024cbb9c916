-- Follow requests: what private accounts decide.

CREATE OR REPLACE FUNCTION roost.follow_request_accept(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
BEGIN
	-- Before the request is held: who blocks deletes it.
	PERFORM roost_internal.block_refuse(ARRAY[actor_id::bigint], ARRAY[v_account_id]);
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = v_account_id AND r.followee_id = actor_id;
	IF FOUND THEN
		INSERT INTO roost_data.follow (follower_id, followee_id, id)
		VALUES (v_account_id, actor_id, roost_internal.id_next(v_account_id))
		ON CONFLICT DO NOTHING;
	ELSIF NOT EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = v_account_id AND f.followee_id = actor_id) THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the follow request does not exist';
	END IF;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.follow_request_accept(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_request_accept(roost.id, roost.account_ref) IS 'Lets the account that asked follow the caller. Doing it again changes nothing. Returns the relationship ("followed_by" is true). 42501 one of the two has blocked the other, P0002 it has not asked, or has taken its request back.';
SELECT roost_internal.route('POST', '/follow-requests/:account_id/accept', 'roost.follow_request_accept', auth => 'user', limit_class => 'follow');

CREATE OR REPLACE FUNCTION roost.follow_request_reject(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
BEGIN
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = v_account_id AND r.followee_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the follow request does not exist';
	END IF;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.follow_request_reject(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_request_reject(roost.id, roost.account_ref) IS 'Refuses an account''s request to follow the caller; it may ask again. Returns the relationship. P0002 there is no such request.';
SELECT roost_internal.route('POST', '/follow-requests/:account_id/reject', 'roost.follow_request_reject', auth => 'user', limit_class => 'follow');

CREATE OR REPLACE FUNCTION roost.follow_request_cancel(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
BEGIN
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = actor_id AND r.followee_id = v_account_id;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.follow_request_cancel(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_request_cancel(roost.id, roost.account_ref) IS 'Takes back the request that the caller sent to an account, if it still waits; a follow it has become stays. Returns the relationship. P0002 no such account.';
SELECT roost_internal.route('DELETE', '/follow-requests/:account_id', 'roost.follow_request_cancel', auth => 'user', limit_class => 'follow');

CREATE OR REPLACE FUNCTION roost_internal.follow_request_open() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold_alone(NEW.id);
	WITH waiting AS (
		DELETE FROM roost_data.follow_request r WHERE r.followee_id = NEW.id RETURNING r.follower_id, r.id
	)
	INSERT INTO roost_data.follow (follower_id, followee_id, id)
	SELECT w.follower_id, NEW.id, roost_internal.id_next(w.follower_id) FROM (SELECT * FROM waiting ORDER BY id) w
	ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.follow_request_open() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.follow_request_open() IS 'Row trigger of roost_data.account, when an account stops being private: accepts every request that waits for it.';
