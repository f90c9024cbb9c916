-- Follow and unfollow.
--
-- Following holds both accounts; opening one to everyone and deleting it take
-- it alone (sql/account/leave.sql).  A block between the two is found by the
-- triggers of the tables (block.sql).

CREATE OR REPLACE FUNCTION roost.account_follow(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
	v_private boolean;
BEGIN
	IF v_account_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'account_id', MESSAGE = 'an account cannot follow itself';
	END IF;
	PERFORM roost_internal.account_hold(actor_id, v_account_id);
	SELECT a.is_private INTO v_private FROM roost_data.account a WHERE a.id = v_account_id AND a.status = 'active';
	IF NOT FOUND OR NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active') THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
	IF v_private THEN
		INSERT INTO roost_data.follow_request (follower_id, followee_id, id)
		SELECT actor_id, v_account_id, roost_internal.id_next(actor_id)
		WHERE NOT EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = actor_id AND f.followee_id = v_account_id)
		ON CONFLICT DO NOTHING;
	ELSE
		INSERT INTO roost_data.follow (follower_id, followee_id, id)
		VALUES (actor_id, v_account_id, roost_internal.id_next(actor_id))
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_follow(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_follow(roost.id, roost.account_ref) IS 'Follows an account, or asks a private one for its consent: then "requested" is true and "following" comes with the consent. Doing it again changes nothing. Returns the relationship. 23514 oneself, 42501 one of the two has blocked the other, P0002 no such account.';
SELECT roost_internal.route('POST', '/users/:account_id/follow', 'roost.account_follow', auth => 'user', limit_class => 'follow');

CREATE OR REPLACE FUNCTION roost.account_unfollow(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
BEGIN
	-- The request first: who is accepting it holds the row, and the follow is
	-- there to be seen when that one has committed.
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = actor_id AND r.followee_id = v_account_id;
	DELETE FROM roost_data.follow f WHERE f.follower_id = actor_id AND f.followee_id = v_account_id;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_unfollow(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_unfollow(roost.id, roost.account_ref) IS 'Stops following an account, and takes back a request that still waits. Doing it again changes nothing. Returns the relationship. P0002 no such account.';
SELECT roost_internal.route('POST', '/users/:account_id/unfollow', 'roost.account_unfollow', auth => 'user', limit_class => 'follow');
SELECT roost_internal.route('DELETE', '/users/:account_id/follow', 'roost.account_unfollow', auth => 'user', limit_class => 'follow');
