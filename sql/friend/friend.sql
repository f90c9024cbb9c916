-- Friends, and who may write to whom.
--
-- Whatever is written between two accounts here (a request, its end, the
-- friendship) is written under the lock of the pair, taken alone: of two who ask
-- each other at the same moment the second one finds the request of the first
-- one, and a request is answered or taken back, not both.  A block takes the
-- same lock (sql/graph/block.sql).  It comes after those of the accounts.  What
-- counts toward a limit is added under a lock of its account, which comes last:
-- so the limits are exact, whatever the devices of an account do at once.

CREATE OR REPLACE FUNCTION roost_internal.friend_hold(actor_id bigint, account_id bigint, active boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF active THEN
		PERFORM roost_internal.pair_exist(actor_id, account_id);
	ELSE
		PERFORM roost_internal.account_hold(actor_id, account_id);
		IF NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active') THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
		END IF;
	END IF;
	PERFORM pg_advisory_xact_lock(1919905654, roost_internal.pair_key(actor_id, account_id));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_hold(bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_hold(bigint, bigint, boolean) IS 'Lets nobody else change what is between two accounts until the end of the transaction. P0002 unless both are active; with active false, for what ends something, the other one need not be.';

CREATE OR REPLACE FUNCTION roost_internal.friend_count_hold(account_id bigint, other_id bigint DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_key constant integer := hashint8(account_id);
	v_other constant integer := coalesce(hashint8(other_id), v_key);
BEGIN
	PERFORM pg_advisory_xact_lock(1919905658, least(v_key, v_other));
	IF v_other <> v_key THEN
		PERFORM pg_advisory_xact_lock(1919905658, greatest(v_key, v_other));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_count_hold(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_count_hold(bigint, bigint) IS 'Lets nobody else add to the friends, and to the requests, of one or two accounts until the end of the transaction, so that they may be counted. To be called after the pair is held and before anything is written.';

CREATE OR REPLACE FUNCTION roost_internal.is_friend(account_id bigint, other_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN EXISTS (SELECT FROM roost_data.friendship f WHERE f.account_id = is_friend.account_id AND f.friend_id = other_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.is_friend(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.is_friend(bigint, bigint) IS 'Whether two accounts are friends.';

CREATE OR REPLACE FUNCTION roost_internal.may_message(actor_id bigint, account_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_policy text;
	v_limited boolean;
	v_follows boolean;
BEGIN
	SELECT a.message_policy, s.limited_at IS NOT NULL INTO v_policy, v_limited
	FROM roost_data.account a CROSS JOIN roost_data.account s
	WHERE a.id = may_message.account_id AND a.status = 'active' AND s.id = actor_id AND s.status = 'active' AND s.id <> a.id;
	IF NOT FOUND OR roost_internal.is_blocked(actor_id, account_id) THEN
		RETURN false;
	ELSIF v_policy = 'everyone' AND NOT v_limited OR roost_internal.is_friend(actor_id, account_id) THEN
		RETURN true;
	END IF;
	RETURN v_policy <> 'friends' AND EXISTS (SELECT FROM roost_data.follow f
		WHERE f.follower_id = may_message.account_id AND f.followee_id = actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.may_message(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.may_message(bigint, bigint) IS 'Whether the actor may begin a conversation with an account, or add it to a group: both are active, neither has blocked the other, and the account''s message_policy allows it: everyone; followed: those it follows, and friends; friends. From a limited account only those who follow it take messages, and its friends. Nobody writes to oneself.';

CREATE OR REPLACE FUNCTION roost_internal.friend_one(actor_id bigint, account_id bigint) RETURNS roost.friend
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_friend roost.friend;
BEGIN
	SELECT ROW(a.id, a.username, a.display_name, a.avatar_url)::roost.author, f.created_at, p.online AND s.seen, CASE WHEN s.seen THEN p.since END, f.id
	INTO v_friend
	FROM roost_data.friendship f JOIN roost_data.account a ON a.id = f.friend_id
	CROSS JOIN LATERAL (SELECT roost_internal.may_see_presence(f.account_id, f.friend_id) AS seen) s
	CROSS JOIN LATERAL roost_internal.presence_state(ARRAY[f.friend_id]) p
	WHERE f.account_id = actor_id AND f.friend_id = friend_one.account_id;
	RETURN v_friend;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_one(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_one(bigint, bigint) IS 'A friend as the actor sees it, null if it is none.';

CREATE OR REPLACE FUNCTION roost.friend_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.friend
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY
	SELECT ROW(p.friend_id, p.username, p.display_name, p.avatar_url)::roost.author, p.created_at, o.online AND s.seen, CASE WHEN s.seen THEN o.since END, p.id
	FROM (
		SELECT f.friend_id, f.created_at, f.id, a.username, a.display_name, a.avatar_url
		FROM roost_data.friendship f JOIN roost_data.account a ON a.id = f.friend_id AND a.status = 'active'
		WHERE f.account_id = actor_id AND f.id < v_before AND f.id > v_after
		ORDER BY f.id DESC
		LIMIT friend_list."limit"
	) p
	CROSS JOIN LATERAL (SELECT roost_internal.may_see_presence(actor_id, p.friend_id) AS seen) s
	CROSS JOIN LATERAL roost_internal.presence_state(ARRAY[p.friend_id]) o
	ORDER BY p.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.friend_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.friend_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The friends of the caller, the newest friendship first, and which of them are online, as far as they show that. Nobody else gets this list.';
SELECT roost_internal.route('GET', '/friends', 'roost.friend_list', lane => 'fast');

CREATE OR REPLACE FUNCTION roost_internal.friend_room(account_id bigint, other boolean) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_max constant integer := current_setting('roost.friend_max');
BEGIN
	IF (SELECT count(*) FROM roost_data.friendship f WHERE f.account_id = friend_room.account_id) >= v_max THEN
		RAISE EXCEPTION USING ERRCODE = '53400', COLUMN = 'account_id',
			MESSAGE = CASE WHEN other THEN 'the other account has too many friends' ELSE 'too many friends' END,
			DETAIL = format('An account can have %s.', v_max);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_room(bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_room(bigint, boolean) IS 'Raises 53400 if an account has as many friends as it can have (roost.friend_max); other says whether it is the one that the caller wants as a friend. The caller holds their number (roost_internal.friend_count_hold).';

CREATE OR REPLACE FUNCTION roost_internal.friend_make(actor_id bigint, account_id bigint, request_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	PERFORM roost_internal.friend_room(actor_id, false);
	PERFORM roost_internal.friend_room(account_id, true);
	INSERT INTO roost_data.friendship (account_id, friend_id, id, created_at, request_id, accepted_by)
	VALUES (actor_id, friend_make.account_id, roost_internal.id_next(actor_id), v_now, friend_make.request_id, actor_id),
		(friend_make.account_id, actor_id, roost_internal.id_next(friend_make.account_id), v_now, friend_make.request_id, actor_id);
	PERFORM roost_internal.feed_tell('friend_accepted', actor_id, account_id, message_id => request_id, target_id => account_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_make(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_make(bigint, bigint, bigint) IS 'Makes friends of the actor and the account whose request it accepts, and has both told. The caller holds the pair and the number of friends of both, and has deleted the request. 53400 if one of them has too many, 42501 if there is a block.';

CREATE OR REPLACE FUNCTION roost_internal.friend_unmake(actor_id bigint, account_id bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.friendship f
	WHERE (f.account_id, f.friend_id) IN ((actor_id, friend_unmake.account_id), (friend_unmake.account_id, actor_id));
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM roost_internal.feed_tell('friend_removed', actor_id, account_id, target_id => account_id);
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_unmake(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_unmake(bigint, bigint) IS 'Ends a friendship for the actor, and has both told; false if there is none.';

CREATE OR REPLACE FUNCTION roost.friend_remove(actor_id roost.id, account_id roost.account_ref) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_find(account_id);
BEGIN
	-- A friend that is suspended can be left, too; as anything else it does not exist.
	IF NOT roost_internal.is_friend(actor_id, v_account_id) THEN
		v_account_id := roost_internal.account_resolve(account_id);
	END IF;
	PERFORM roost_internal.friend_hold(actor_id, v_account_id, false);
	PERFORM roost_internal.friend_unmake(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.friend_remove(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.friend_remove(roost.id, roost.account_ref) IS 'Ends the friendship with an account, for both, also while that is suspended. Again, or of one that is no friend: changes nothing. Requests that wait stay. P0002 no such account.';
SELECT roost_internal.route('DELETE', '/friends/:account_id', 'roost.friend_remove', limit_class => 'write', status => 204);

CREATE OR REPLACE FUNCTION roost_internal.friend_block_check() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_one bigint[];
	v_two bigint[];
BEGIN
	IF TG_TABLE_NAME = 'friendship' THEN
		SELECT array_agg(c.account_id), array_agg(c.friend_id) INTO v_one, v_two FROM changed c;
	ELSE
		SELECT array_agg(c.requester_id), array_agg(c.recipient_id) INTO v_one, v_two FROM changed c;
	END IF;
	IF v_one IS NOT NULL THEN
		PERFORM roost_internal.block_refuse(v_one, v_two);
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_block_check() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_block_check() IS 'Statement trigger of roost_data.friendship and roost_data.friend_request: refuses those between accounts of which one has blocked the other.';

CREATE OR REPLACE FUNCTION roost_internal.friend_block_apply(account_id bigint, blocked_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_request_id bigint;
BEGIN
	PERFORM roost_internal.friend_unmake(account_id, blocked_id);
	DELETE FROM roost_data.friend_request r
	WHERE r.requester_id = friend_block_apply.account_id AND r.recipient_id = blocked_id RETURNING r.id INTO v_request_id;
	IF FOUND THEN
		PERFORM roost_internal.feed_tell('friend_request_cancelled', account_id, blocked_id, message_id => v_request_id, target_id => blocked_id);
	END IF;
	DELETE FROM roost_data.friend_request r
	WHERE r.recipient_id = friend_block_apply.account_id AND r.requester_id = blocked_id RETURNING r.id INTO v_request_id;
	IF FOUND THEN
		PERFORM roost_internal.feed_tell('friend_request_rejected', account_id, blocked_id, message_id => v_request_id, target_id => blocked_id);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_block_apply(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_block_apply(bigint, bigint) IS 'Ends friendship and requests between an account and one that it has blocked, as if it had removed, cancelled or rejected them. The caller holds the pair.';

CREATE OR REPLACE FUNCTION roost_internal.friend_event(kind roost.feed_kind, id bigint, account_id bigint, conversation_id bigint, message_id bigint, target_id bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account roost.author;
	v_target roost.author;
BEGIN
	SELECT a.id, a.username, a.display_name, a.avatar_url INTO v_account FROM roost_data.account a WHERE a.id = friend_event.account_id;
	SELECT a.id, a.username, a.display_name, a.avatar_url INTO v_target FROM roost_data.account a WHERE a.id = friend_event.target_id;
	-- What is not so any more is told by the event that ended it.
	IF kind = 'friend_requested' AND NOT EXISTS (SELECT FROM roost_data.friend_request r
			WHERE r.recipient_id = friend_event.target_id AND r.requester_id = friend_event.account_id AND r.id = friend_event.message_id)
		OR kind = 'friend_accepted' AND NOT roost_internal.is_friend(account_id, target_id)
	THEN
		RETURN NULL;
	END IF;
	RETURN format('{"account":%s,"target":%s,"request_id":%s}', roost_internal.to_json(v_account), roost_internal.to_json(v_target),
		coalesce('"' || message_id || '"', 'null'));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.friend_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.friend_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'The data of an event of friends as JSON: who did it, to whom, and the request (message_id); null where a request, or a friendship, that it tells of is gone. docs/friend.md has the kinds.';
