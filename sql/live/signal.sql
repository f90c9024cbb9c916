-- Signals: who is typing, and who gets what.  See docs/live.md.

CREATE OR REPLACE FUNCTION roost_internal.typing_start(account_id bigint, channel text) RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_typing_start';
REVOKE ALL ON FUNCTION roost_internal.typing_start(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.typing_start(bigint, text) IS 'Notes that an account writes in a channel; false if it has said so within the last 3 seconds, and nobody is told.';

CREATE OR REPLACE FUNCTION roost_internal.typing_stop(account_id bigint, channel text) RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_typing_stop';
REVOKE ALL ON FUNCTION roost_internal.typing_stop(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.typing_stop(bigint, text) IS 'Notes that an account does not write in a channel any more; false if it did not.';

CREATE OR REPLACE FUNCTION roost_internal.signal_list(after bigint DEFAULT 0) RETURNS TABLE (n bigint, event text, account_id bigint, channel text, at timestamptz)
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_signal_list';
REVOKE ALL ON FUNCTION roost_internal.signal_list(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.signal_list(bigint) IS 'The newest signals of this server after the given one, at most 1,000, in order, sent or not. They are in memory only.';

CREATE OR REPLACE FUNCTION roost_internal.channel_post(channel text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF channel ~ '^post:[1-9][0-9]{0,18}$' AND pg_catalog.substr(channel, 6)::numeric <= 9223372036854775807 THEN
		RETURN pg_catalog.substr(channel, 6)::bigint;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.channel_post(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.channel_post(text) IS 'The id in a channel post:<id>; null for other channels.';

CREATE OR REPLACE FUNCTION roost_internal.channel_conversation(channel text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF channel ~ '^conversation:[1-9][0-9]{0,18}$' AND pg_catalog.substr(channel, 14)::numeric <= 9223372036854775807 THEN
		RETURN pg_catalog.substr(channel, 14)::bigint;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.channel_conversation(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.channel_conversation(text) IS 'The id in a channel conversation:<id>; null for other channels.';

CREATE OR REPLACE FUNCTION roost_internal.may_signal(account_id bigint, channel text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post_id bigint := roost_internal.channel_post(channel);
	v_conversation_id constant bigint := roost_internal.channel_conversation(channel);
BEGIN
	IF v_conversation_id IS NOT NULL THEN
		RETURN EXISTS (
			SELECT FROM roost_data.conversation_member m
			JOIN roost_data.account a ON a.id = m.account_id AND a.status = 'active'
			JOIN roost_data.conversation c ON c.id = m.conversation_id
			WHERE m.conversation_id = v_conversation_id AND m.account_id = may_signal.account_id
				AND (c.kind <> 'direct' OR NOT EXISTS (
					SELECT FROM roost_data.conversation_member o
					WHERE o.conversation_id = c.id AND o.account_id <> m.account_id AND roost_internal.is_blocked(m.account_id, o.account_id))));
	END IF;
	RETURN EXISTS (SELECT FROM roost_data.account a WHERE a.id = may_signal.account_id AND a.status = 'active')
		AND EXISTS (
			SELECT FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
			WHERE p.id = v_post_id
				AND roost_internal.may_see(may_signal.account_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.may_signal(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.may_signal(bigint, text) IS 'Whether an account may say in a channel that it is writing: in post:<id> if it may see the post, in conversation:<id> if it is a member (of a direct one, if there is no block between the two).';

CREATE OR REPLACE FUNCTION roost.live_signal(account_id bigint, event text, channel text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_limit roost.limit_state;
BEGIN
	IF event IS NULL OR event NOT IN ('typing:start', 'typing:stop') THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'event', MESSAGE = 'unknown kind of signal', HINT = 'Signals are typing:start and typing:stop.';
	END IF;
	v_limit := roost.limit_hit('signal', account_id);
	IF NOT v_limit.allowed THEN
		RAISE EXCEPTION USING ERRCODE = 'RO429', MESSAGE = 'too many signals', DETAIL = pg_catalog.format('Try again in %s s.', v_limit.retry_after);
	END IF;
	-- what was begun may be ended, even if the post has gone since
	IF event = 'typing:stop' AND pg_catalog.octet_length(channel) < 48 AND roost_internal.typing_stop(account_id, channel) THEN
		RETURN;
	END IF;
	IF NOT coalesce(roost_internal.may_signal(account_id, channel), false) THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'channel', MESSAGE = 'the channel does not exist';
	END IF;
	IF event = 'typing:start' THEN
		PERFORM roost_internal.typing_start(account_id, channel);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.live_signal(bigint, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.live_signal(bigint, text, text) IS 'An account says that it is writing (event typing:start, every few seconds) or does not any more (typing:stop) in a channel: post:<id> for a reply, conversation:<id> for a message. Others are told of a start at most every 3 seconds; 6 seconds after the last one it has stopped. 22023 another event, P0002 a post that it may not see, a conversation of which it is no member, or no such channel, RO429 too many signals. Nothing of it is stored.';

CREATE OR REPLACE FUNCTION roost_internal.typing_viewers(account_id bigint, channel text, viewer_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post_id bigint := roost_internal.channel_post(channel);
	v_conversation_id constant bigint := roost_internal.channel_conversation(channel);
	v_viewer_ids bigint[] := roost_internal.live_viewers(account_id, viewer_ids);
	v_private boolean;
BEGIN
	SELECT a.is_private OR a.limited_at IS NOT NULL INTO v_private
	FROM roost_data.account a LEFT JOIN roost_data.presence_setting s ON s.account_id = a.id
	WHERE a.id = typing_viewers.account_id AND a.status = 'active' AND s.presence IS DISTINCT FROM 'nobody';
	IF NOT FOUND THEN
		RETURN '{}';
	ELSIF v_conversation_id IS NOT NULL THEN
		-- who has left while writing is not shown either
		RETURN ARRAY(
			SELECT m.account_id FROM roost_data.conversation_member m
			WHERE m.conversation_id = v_conversation_id AND m.account_id = ANY (v_viewer_ids)
				AND EXISTS (SELECT FROM roost_data.conversation_member o WHERE o.conversation_id = v_conversation_id AND o.account_id = typing_viewers.account_id));
	ELSIF v_private THEN
		v_viewer_ids := ARRAY(SELECT f.follower_id FROM roost_data.follow f
			WHERE f.follower_id = ANY (v_viewer_ids) AND f.followee_id = typing_viewers.account_id);
	END IF;
	RETURN ARRAY(
		SELECT v.id
		FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		CROSS JOIN unnest(v_viewer_ids) v(id)
		WHERE p.id = v_post_id
			AND roost_internal.may_see(nullif(v.id, 0), p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.typing_viewers(bigint, text, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.typing_viewers(bigint, text, bigint[]) IS 'Those of the viewers (0: without an account) that may see that another account is writing in a channel: they may see the post, the account is active and does not hide from everybody, and they follow it if it is private or limited; in conversation:<id> both are members.';

CREATE OR REPLACE FUNCTION roost.live_see(account_ids bigint[], channels text[], viewer_ids bigint[]) RETURNS TABLE (n integer, data text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_signal record;
	v_seen_ids bigint[];
	v_data text;
BEGIN
	FOR v_signal IN
		SELECT s.account_id, s.channel, array_agg(s.viewer_id ORDER BY s.ordinality) AS viewer_ids, array_agg(s.ordinality::integer ORDER BY s.ordinality) AS ns
		FROM unnest(account_ids, channels, viewer_ids) WITH ORDINALITY s(account_id, channel, viewer_id)
		GROUP BY s.account_id, s.channel
	LOOP
		v_data := NULL;
		IF v_signal.channel IN ('online', 'offline', 'online_followed', 'offline_followed') THEN
			v_seen_ids := roost_internal.presence_viewers(v_signal.account_id, v_signal.viewer_ids, v_signal.channel IN ('offline', 'offline_followed'));
			IF v_signal.channel IN ('online_followed', 'offline_followed') THEN
				v_seen_ids := ARRAY(SELECT f.follower_id FROM roost_data.follow f
					WHERE f.follower_id = ANY (v_seen_ids) AND f.followee_id = v_signal.account_id);
			END IF;
		ELSE
			v_seen_ids := roost_internal.typing_viewers(v_signal.account_id, v_signal.channel, v_signal.viewer_ids);
			SELECT pg_catalog.json_build_object('account', pg_catalog.json_build_object('id', a.id::text, 'username', a.username,
				'display_name', a.display_name, 'avatar_url', a.avatar_url), 'channel', v_signal.channel)::text
			INTO v_data FROM roost_data.account a WHERE a.id = v_signal.account_id;
		END IF;
		IF EXISTS (SELECT FROM roost_data.account_mute m WHERE m.muted_id = v_signal.account_id) THEN
			v_seen_ids := ARRAY(SELECT v.id FROM unnest(v_seen_ids) v (id) WHERE NOT EXISTS (
				SELECT FROM roost_data.account_mute m WHERE m.account_id = v.id AND m.muted_id = v_signal.account_id
					AND (m.expires_at IS NULL OR m.expires_at > roost_internal.clock_now())));
		END IF;
		RETURN QUERY
		SELECT v.n, CASE WHEN row_number() OVER (ORDER BY v.n) = 1 THEN v_data END
		FROM unnest(v_signal.ns, v_signal.viewer_ids) v(n, viewer_id)
		WHERE v.viewer_id = ANY (v_seen_ids);
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost.live_see(bigint[], text[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.live_see(bigint[], text[], bigint[]) IS 'Which viewers (0: without an account) may see a signal of the account of the same index: that it came online or has left (channel online, offline; online_followed, offline_followed: and they follow it), or is writing in a channel; who has muted the account does not. Returns their indexes, from 1; data, in the first row of each account and channel of typing, is {"account": {author}, "channel"}.';
