-- What an account wants to hear of.

CREATE OR REPLACE FUNCTION roost.notification_preferences_get(actor_id roost.id) RETURNS roost.notification_preferences
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_preferences roost.notification_preferences;
BEGIN
	SELECT t.follow, t.follow_request, t."like", t.retweet, t.quote, t.reply, t.mention, t.friend_request, t.friend_accepted INTO v_preferences
	FROM roost_data.notification_preference t WHERE t.account_id = actor_id;
	IF NOT FOUND THEN
		v_preferences := ROW('everyone', 'everyone', 'everyone', 'everyone', 'everyone', 'everyone', 'everyone', 'everyone', 'everyone');
	END IF;
	RETURN v_preferences;
END
$$;
REVOKE ALL ON FUNCTION roost.notification_preferences_get(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_preferences_get(roost.id) IS 'Of whose acts the actor wants to hear, for each type of notification.';
SELECT roost_internal.route('GET', '/notifications/preferences', 'roost.notification_preferences_get', tags => '{notification}');

CREATE OR REPLACE FUNCTION roost.notification_preferences_set(
	actor_id roost.id,
	follow roost.notification_policy DEFAULT NULL,
	follow_request roost.notification_policy DEFAULT NULL,
	"like" roost.notification_policy DEFAULT NULL,
	retweet roost.notification_policy DEFAULT NULL,
	quote roost.notification_policy DEFAULT NULL,
	reply roost.notification_policy DEFAULT NULL,
	mention roost.notification_policy DEFAULT NULL,
	friend_request roost.notification_policy DEFAULT NULL,
	friend_accepted roost.notification_policy DEFAULT NULL
) RETURNS roost.notification_preferences
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- One device at a time: the row comes and goes.
	PERFORM roost_internal.own_hold(actor_id);
	INSERT INTO roost_data.notification_preference AS t (account_id) VALUES (actor_id) ON CONFLICT ON CONSTRAINT notification_preference_pkey DO NOTHING;
	UPDATE roost_data.notification_preference t SET
		follow = coalesce(notification_preferences_set.follow, t.follow),
		follow_request = coalesce(notification_preferences_set.follow_request, t.follow_request),
		"like" = coalesce(notification_preferences_set."like", t."like"),
		retweet = coalesce(notification_preferences_set.retweet, t.retweet),
		quote = coalesce(notification_preferences_set.quote, t.quote),
		reply = coalesce(notification_preferences_set.reply, t.reply),
		mention = coalesce(notification_preferences_set.mention, t.mention),
		friend_request = coalesce(notification_preferences_set.friend_request, t.friend_request),
		friend_accepted = coalesce(notification_preferences_set.friend_accepted, t.friend_accepted)
	WHERE t.account_id = actor_id;
	-- Who wants to hear of all has no row: then nothing is asked of single entries.
	DELETE FROM roost_data.notification_preference t
	WHERE t.account_id = actor_id
		AND 'everyone' = ALL (ARRAY[t.follow, t.follow_request, t."like", t.retweet, t.quote, t.reply, t.mention, t.friend_request, t.friend_accepted]);
	RETURN roost.notification_preferences_get(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.notification_preferences_set(roost.id, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_preferences_set(roost.id, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy, roost.notification_policy) IS 'Changes of whose acts the actor wants to hear, for the types that are given: everyone''s, of accounts it follows, or nobody''s. Counts at once, also for what has happened. Returns all preferences. P0002 the actor is not active.';
SELECT roost_internal.route('PUT', '/notifications/preferences', 'roost.notification_preferences_set', limit_class => 'write', tags => '{notification}');

CREATE OR REPLACE FUNCTION roost.notification_mute(actor_id roost.id, account_id roost.account_ref) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	IF v_account_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'account_id', MESSAGE = 'nobody is notified of what they do themselves';
	END IF;
	PERFORM roost_internal.pair_exist(actor_id, v_account_id);
	PERFORM roost_internal.own_hold(actor_id);
	IF (SELECT count(*) FROM (SELECT FROM roost_data.notification_mute t WHERE t.account_id = actor_id LIMIT 10000) s) = 10000
		AND NOT EXISTS (SELECT FROM roost_data.notification_mute t WHERE t.account_id = actor_id AND t.muted_id = v_account_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = '53400', MESSAGE = 'too many accounts are muted', DETAIL = 'At most 10000 can be.';
	END IF;
	INSERT INTO roost_data.notification_mute (account_id, muted_id, id) VALUES (actor_id, v_account_id, roost_internal.id_next(actor_id))
	ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION roost.notification_mute(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_mute(roost.id, roost.account_ref) IS 'Lets the actor hear no more of what an account does to it. Again: changes nothing. P0002 no such account, 22023 the actor itself, 53400 more than 10,000.';
SELECT roost_internal.route('PUT', '/notifications/muted/:account_id', 'roost.notification_mute', limit_class => 'write', status => 204, tags => '{notification}');

CREATE OR REPLACE FUNCTION roost.notification_unmute(actor_id roost.id, account_id roost.account_ref) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	DELETE FROM roost_data.notification_mute t WHERE t.account_id = actor_id AND t.muted_id = v_account_id;
END
$$;
REVOKE ALL ON FUNCTION roost.notification_unmute(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_unmute(roost.id, roost.account_ref) IS 'Lets the actor hear again of an account, also of what it did meanwhile. Again: changes nothing. P0002 no such account.';
SELECT roost_internal.route('DELETE', '/notifications/muted/:account_id', 'roost.notification_unmute', limit_class => 'write', status => 204, tags => '{notification}');

CREATE OR REPLACE FUNCTION roost.notification_mute_list(
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
	SELECT array_agg(p.muted_id ORDER BY p.id DESC), array_agg(p.id ORDER BY p.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT t.muted_id, t.id
		FROM roost_data.notification_mute t JOIN roost_data.account a ON a.id = t.muted_id AND a.status = 'active'
		WHERE t.account_id = actor_id AND t.id < v_before AND t.id > v_after
		ORDER BY t.id DESC LIMIT notification_mute_list."limit"
	) p;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.notification_mute_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_mute_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The accounts of which the actor does not want to hear, the last muted first. Nobody else gets this list.';
SELECT roost_internal.route('GET', '/notifications/muted', 'roost.notification_mute_list', tags => '{notification}');

CREATE OR REPLACE FUNCTION roost.notification_thread_mute(actor_id roost.id, post_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post_id constant bigint := roost_internal.post_seen(actor_id, post_id);
BEGIN
	PERFORM roost_internal.own_hold(actor_id);
	INSERT INTO roost_data.notification_thread_mute (account_id, thread_id, id)
	SELECT actor_id, p.thread_id, roost_internal.id_next(actor_id) FROM roost_data.post p WHERE p.id = v_post_id
	ON CONFLICT DO NOTHING;
	-- The newest 1,000 are kept.
	DELETE FROM roost_data.notification_thread_mute t
	WHERE t.account_id = actor_id AND t.id <= (
		SELECT s.id FROM roost_data.notification_thread_mute s WHERE s.account_id = actor_id ORDER BY s.id DESC OFFSET 1000 LIMIT 1);
END
$$;
REVOKE ALL ON FUNCTION roost.notification_thread_mute(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_thread_mute(roost.id, roost.id) IS 'Lets the actor hear no more of the thread of a post: of likes, retweets, quotes, replies and mentions there. Again: changes nothing. The newest 1,000 threads are remembered. P0002 no such post, or the actor is not active.';
SELECT roost_internal.route('POST', '/tweets/:post_id/mute', 'roost.notification_thread_mute', limit_class => 'write', status => 204, tags => '{notification}');

CREATE OR REPLACE FUNCTION roost.notification_thread_unmute(actor_id roost.id, post_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post_id constant bigint := roost_internal.post_original(post_id);
BEGIN
	DELETE FROM roost_data.notification_thread_mute t
	WHERE t.account_id = actor_id AND t.thread_id = coalesce((SELECT p.thread_id FROM roost_data.post p WHERE p.id = v_post_id), v_post_id);
END
$$;
REVOKE ALL ON FUNCTION roost.notification_thread_unmute(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_thread_unmute(roost.id, roost.id) IS 'Lets the actor hear again of the thread of a post, also of what happened there meanwhile. Again, or of a post that is gone: changes nothing.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id/mute', 'roost.notification_thread_unmute', limit_class => 'write', status => 204, tags => '{notification}');
