-- Blocks: who has nothing to do with whom, and what that ends.
--
-- What two accounts have with each other (a follow, friendship, a request, an entry
-- in a list) and a block between them are written under a lock of the pair: shared
-- for the one, alone for the other.  The triggers take it, so it holds for rows
-- that a trusted role writes as well, and no follow outlives a block whatever
-- happens at the same moment.  Statements with many rows lock the tables
-- instead.  The lock of a pair comes after those of its accounts
-- (sql/account/leave.sql).

CREATE OR REPLACE FUNCTION roost_internal.pair_key(account_id bigint, other_id bigint) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
AS $$
	SELECT (hashint8extended(least($1, $2), greatest($1, $2)) & 2147483647)::integer
$$;
REVOKE ALL ON FUNCTION roost_internal.pair_key(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.pair_key(bigint, bigint) IS 'The key of the advisory lock of two accounts, in either order.';

CREATE OR REPLACE FUNCTION roost_internal.is_blocked(account_id bigint, other_id bigint) RETURNS boolean
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_post_is_blocked';
REVOKE ALL ON FUNCTION roost_internal.is_blocked(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.is_blocked(bigint, bigint) IS 'Whether one of the two accounts has blocked the other. Nobody has blocked a stranger (null).';

CREATE OR REPLACE FUNCTION roost_internal.block_refuse(account_ids bigint[], other_ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_key integer;
BEGIN
	IF cardinality(account_ids) = 1 THEN
		PERFORM pg_advisory_xact_lock_shared(1919905654, roost_internal.pair_key(account_ids[1], other_ids[1]));
		IF NOT roost_internal.is_blocked(account_ids[1], other_ids[1]) THEN
			RETURN;
		END IF;
	ELSIF cardinality(account_ids) > 32 THEN
		LOCK TABLE roost_data.account_block IN SHARE MODE;
	ELSE
		FOR v_key IN SELECT DISTINCT roost_internal.pair_key(u.a, u.b) AS key FROM unnest(account_ids, other_ids) u (a, b) ORDER BY key LOOP
			PERFORM pg_advisory_xact_lock_shared(1919905654, v_key);
		END LOOP;
	END IF;
	IF EXISTS (SELECT FROM unnest(account_ids, other_ids) u (a, b) JOIN roost_data.account_block t ON t.account_id = u.a AND t.blocked_id = u.b)
		OR EXISTS (SELECT FROM unnest(account_ids, other_ids) u (a, b) JOIN roost_data.account_block t ON t.account_id = u.b AND t.blocked_id = u.a)
	THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'account_id', MESSAGE = 'not allowed',
			DETAIL = 'One of the two accounts has blocked the other.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.block_refuse(bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.block_refuse(bigint[], bigint[]) IS 'Raises 42501 if one of two accounts at the same place has blocked the other, and keeps blocks between them out until the end of the transaction.';

CREATE OR REPLACE FUNCTION roost_internal.follow_block_check() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_followers bigint[];
	v_followees bigint[];
BEGIN
	SELECT array_agg(c.follower_id), array_agg(c.followee_id) INTO v_followers, v_followees FROM changed c;
	IF v_followers IS NOT NULL THEN
		PERFORM roost_internal.block_refuse(v_followers, v_followees);
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.follow_block_check() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.follow_block_check() IS 'Statement trigger of follows and follow requests: refuses those between accounts of which one has blocked the other.';

CREATE OR REPLACE FUNCTION roost_internal.list_member_block_check() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_accounts bigint[];
	v_members bigint[];
BEGIN
	SELECT array_agg(c.account_id), array_agg(c.member_id) INTO v_accounts, v_members FROM changed c WHERE c.account_id <> c.member_id;
	IF v_accounts IS NOT NULL THEN
		PERFORM roost_internal.block_refuse(v_accounts, v_members);
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.list_member_block_check() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.list_member_block_check() IS 'Statement trigger of roost_data.list_member: refuses accounts that the owner of the list has blocked, or that have blocked it.';

CREATE OR REPLACE FUNCTION roost_internal.block_apply() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_count constant bigint := (SELECT count(*) FROM changed);
	v_key integer;
	v_one bigint;
	v_two bigint;
BEGIN
	IF v_count > 32 THEN
		LOCK TABLE roost_data.follow_request, roost_data.follow, roost_data.list_member, roost_data.friend_request, roost_data.friendship IN SHARE ROW EXCLUSIVE MODE;
	ELSE
		FOR v_key IN SELECT DISTINCT roost_internal.pair_key(c.account_id, c.blocked_id) AS key FROM changed c ORDER BY key LOOP
			PERFORM pg_advisory_xact_lock(1919905654, v_key);
		END LOOP;
	END IF;
	-- By key, one after the other: no plan can turn out wrong.
	FOR v_one, v_two IN
		SELECT c.account_id, c.blocked_id FROM changed c UNION ALL SELECT c.blocked_id, c.account_id FROM changed c
	LOOP
		DELETE FROM roost_data.follow_request r WHERE r.follower_id = v_one AND r.followee_id = v_two;
		DELETE FROM roost_data.follow f WHERE f.follower_id = v_one AND f.followee_id = v_two;
		DELETE FROM roost_data.list_member m WHERE m.account_id = v_one AND m.member_id = v_two;
	END LOOP;
	PERFORM roost_internal.friend_block_apply(c.account_id, c.blocked_id) FROM changed c;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.block_apply() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.block_apply() IS 'Statement trigger of roost_data.account_block: ends follows, friendships, requests and list entries between the accounts, in both directions.';

CREATE OR REPLACE FUNCTION roost_internal.pair_exist(actor_id bigint, account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold(actor_id, account_id);
	IF NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active')
		OR NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = pair_exist.account_id AND a.status = 'active')
	THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.pair_exist(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.pair_exist(bigint, bigint) IS 'Holds both accounts (roost_internal.account_hold) and raises P0002 unless they are active.';

CREATE OR REPLACE FUNCTION roost.account_block(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	IF v_account_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'account_id', MESSAGE = 'an account cannot block itself';
	END IF;
	PERFORM roost_internal.pair_exist(actor_id, v_account_id);
	INSERT INTO roost_data.account_block (account_id, blocked_id, id)
	VALUES (actor_id, v_account_id, roost_internal.id_next(actor_id)) ON CONFLICT DO NOTHING;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_block(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_block(roost.id, roost.account_ref) IS 'Blocks an account: from now on neither sees nor can do anything to the other (its profile stays to be seen), and follows, friendship, requests and list entries between the two end, in both directions. The account is not told. Again: changes nothing. Returns the relationship. 23514 oneself, P0002 no such account.';
SELECT roost_internal.route('POST', '/users/:account_id/block', 'roost.account_block', auth => 'user', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.account_unblock(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	DELETE FROM roost_data.account_block b WHERE b.account_id = actor_id AND b.blocked_id = v_account_id;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_unblock(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_unblock(roost.id, roost.account_ref) IS 'Ends the caller''s block of an account. What the block has ended does not come back, and a block by the other account stays. Again: changes nothing. Returns the relationship. P0002 no such account.';
SELECT roost_internal.route('POST', '/users/:account_id/unblock', 'roost.account_unblock', auth => 'user', limit_class => 'write');
SELECT roost_internal.route('DELETE', '/users/:account_id/block', 'roost.account_unblock', auth => 'user', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.block_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(p.blocked_id ORDER BY p.id DESC), pg_catalog.array_agg(p.id ORDER BY p.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT b.blocked_id, b.id
		FROM roost_data.account_block b JOIN roost_data.account a ON a.id = b.blocked_id AND a.status = 'active'
		WHERE b.account_id = actor_id AND b.id < v_before AND b.id > v_after
		ORDER BY b.id DESC
		LIMIT block_list."limit"
	) p;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.block_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.block_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The accounts that the caller has blocked, the last one first. Nobody else gets this list.';
SELECT roost_internal.route('GET', '/blocks', 'roost.block_list', auth => 'user');
