-- Streams: who opens one, and what the log says to clients.  Only the gateway
-- calls roost.stream_*; docs/live.md says how the parts meet.

CREATE OR REPLACE FUNCTION roost.stream_open(token text, client_address text, OUT account_id bigint, OUT session_id bigint, OUT expires_at float8)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_stream_open';
REVOKE ALL ON FUNCTION roost.stream_open(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_open(text, text) IS 'Who opens a stream with an access token, and until when it is valid (seconds since 1970); nulls without a token. Takes one unit of the rate limits of class stream. Errors as of roost.handle: ROTOK not valid, revoked, expired or of an account that is not active; RO429 too many.';

CREATE OR REPLACE FUNCTION roost.stream_check(session_ids bigint[], account_ids bigint[]) RETURNS TABLE (session_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT u.session_id
	FROM unnest(session_ids, account_ids) u (session_id, account_id)
	LEFT JOIN roost_data.session s ON s.id = u.session_id
	LEFT JOIN roost_data.account a ON a.id = u.account_id
	WHERE u.session_id IS NOT NULL
		AND (a.status IS DISTINCT FROM 'active' OR s.revoked_at IS NOT NULL OR s.expires_at <= roost_internal.clock_now()
			OR roost_internal.session_revoked(u.session_id) OR roost_internal.session_revoked(u.account_id));
END
$$;
REVOKE ALL ON FUNCTION roost.stream_check(bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_check(bigint[], bigint[]) IS 'Those of the sessions, each of the account at the same place, that are revoked or have expired, or whose account is not active.';

CREATE OR REPLACE FUNCTION roost.stream_position(OUT epoch bigint, OUT first_seq bigint, OUT last_seq bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT p.epoch, p.first_seq, p.last_seq INTO epoch, first_seq, last_seq FROM roost.feed_position() p;
END
$$;
REVOKE ALL ON FUNCTION roost.stream_position() FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_position() IS 'How far the log reaches, as roost.feed_position().';

CREATE OR REPLACE FUNCTION roost.stream_home(account_id bigint, OUT seq bigint, OUT followee_ids text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- One snapshot: who sees a row of the log sees what it is about.
	SELECT p.last_seq INTO seq FROM roost.feed_position() p;
	followee_ids := array_to_string(roost_internal.followee_ids(stream_home.account_id), ' ');
END
$$;
REVOKE ALL ON FUNCTION roost.stream_home(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_home(bigint) IS 'Whom an account follows (ids with spaces between), and the row of the log that this is at least as new as.';

CREATE OR REPLACE FUNCTION roost_internal.stream_post(post_id bigint, OUT data text, OUT everyone boolean)
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_stream_post';
REVOKE ALL ON FUNCTION roost_internal.stream_post(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.stream_post(bigint) IS 'A post as it looks to nobody in particular, whoever may see it: JSON, null if nobody may; and whether everybody may see it, and what it retweets.';

CREATE OR REPLACE FUNCTION roost_internal.stream_author(account_id bigint) RETURNS text
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT roost_internal.to_json(ROW(a.id, a.username, a.display_name, a.avatar_url)::roost.author)
		FROM roost_data.account a WHERE a.id = stream_author.account_id AND a.status = 'active');
END
$$;
REVOKE ALL ON FUNCTION roost_internal.stream_author(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.stream_author(bigint) IS 'The short form of an account as JSON; null if it is not active.';

CREATE OR REPLACE FUNCTION roost_internal.stream_mailed(seq bigint, account_ids bigint[]) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT string_agg(m.account_id::text, ' ' ORDER BY m.account_id) FROM roost_data.mailbox m
		WHERE m.account_id = ANY (account_ids) AND m.seq = stream_mailed.seq);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.stream_mailed(bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.stream_mailed(bigint, bigint[]) IS 'Those of the accounts that have an entry of this row of the log in their mailbox, with spaces between.';

CREATE OR REPLACE FUNCTION roost_internal.stream_event(
	seq bigint, kind roost.feed_kind, id bigint, account_id bigint, post_id bigint, author_id bigint, target_id bigint,
	retweet_of_id bigint, reply_to_account_id bigint,
	OUT event text, OUT everyone boolean, OUT home_id bigint, OUT topics text, OUT account_ids text, OUT target_ids text, OUT notify text,
	OUT follow text, OUT revoked bigint, OUT touched text, OUT hard boolean, OUT lost boolean, OUT data text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post record;
	v_json text;
	v_account text;
	v_target text;
	v_private boolean;
BEGIN
	everyone := false;
	hard := kind IN ('post_updated', 'post_deleted', 'account_updated', 'account_deleted');
	lost := kind = 'events_lost';
	CASE
	WHEN kind IN ('post_created', 'post_updated') THEN
		SELECT p.* INTO v_post FROM roost_data.post p WHERE p.id = stream_event.post_id;
		touched := concat_ws(' ', post_id, account_id, v_post.reply_to_id, v_post.quote_of_id, retweet_of_id);
		SELECT s.data, s.everyone INTO v_json, everyone FROM roost_internal.stream_post(post_id) s;
		IF v_json IS NOT NULL THEN
			event := CASE WHEN kind = 'post_updated' THEN 'tweet:updated' WHEN retweet_of_id IS NOT NULL THEN 'tweet:retweeted' ELSE 'tweet:new' END;
			data := '{"post":' || v_json || '}';
			home_id := account_id;
			account_ids := account_id;
			topics := concat_ws(' ', 'user:' || account_id,
				'post:' || CASE WHEN kind = 'post_updated' THEN post_id ELSE coalesce(retweet_of_id, v_post.reply_to_id) END,
				CASE WHEN v_post.visibility = 'public' THEN (SELECT string_agg('hashtag:' || h.tag, ' ') FROM unnest(v_post.hashtags) h (tag)) END,
				CASE WHEN everyone AND v_post.visibility = 'public' AND v_post.reply_to_id IS NULL AND v_post.retweet_of_id IS NULL THEN 'public' END);
			notify := roost_internal.stream_mailed(seq, ARRAY[target_id, reply_to_account_id] || v_post.mention_ids);
		END IF;
	WHEN kind = 'post_deleted' THEN
		SELECT a.is_private INTO v_private FROM roost_data.account a WHERE a.id = stream_event.account_id;
		touched := concat_ws(' ', post_id, account_id, retweet_of_id);
		event := 'tweet:deleted';
		everyone := v_private IS FALSE;
		data := format('{"post_id":"%s","author_id":"%s"}', post_id, account_id);
		home_id := account_id;
		account_ids := account_id;
		topics := concat_ws(' ', 'user:' || account_id, 'post:' || post_id, CASE WHEN everyone AND retweet_of_id IS NULL THEN 'public' END);
	WHEN kind IN ('like_created', 'like_deleted') THEN
		touched := post_id;
		SELECT s.data, s.everyone INTO v_json, everyone FROM roost_internal.stream_post(post_id) s;
		v_account := roost_internal.stream_author(account_id);
		IF v_json IS NOT NULL AND v_account IS NOT NULL THEN
			event := CASE WHEN kind = 'like_created' THEN 'tweet:liked' ELSE 'tweet:unliked' END;
			data := format('{"post_id":"%s","author_id":"%s","account":%s,"like_count":%s}', post_id, author_id, v_account,
				(SELECT coalesce(sum(s.like_count), 0) FROM roost_data.post_stat s WHERE s.post_id = stream_event.post_id));
			account_ids := account_id;
			topics := 'post:' || post_id;
			IF kind = 'like_created' THEN
				notify := roost_internal.stream_mailed(seq, ARRAY[target_id]);
				target_ids := notify;
			END IF;
		END IF;
	WHEN kind IN ('follow_created', 'follow_deleted', 'follow_request_created') THEN
		IF kind <> 'follow_request_created' THEN
			touched := concat_ws(' ', account_id, target_id);
			follow := concat_ws(' ', CASE WHEN kind = 'follow_created' THEN '+' ELSE '-' END, account_id, target_id);
		END IF;
		v_account := roost_internal.stream_author(account_id);
		v_target := roost_internal.stream_author(target_id);
		IF v_account IS NOT NULL AND v_target IS NOT NULL THEN
			event := CASE kind WHEN 'follow_created' THEN 'user:followed' WHEN 'follow_deleted' THEN 'user:unfollowed' ELSE 'user:follow_requested' END;
			data := format('{"account":%s,"target":%s}', v_account, v_target);
			everyone := true;
			account_ids := account_id;
			IF kind <> 'follow_deleted' THEN
				notify := roost_internal.stream_mailed(seq, ARRAY[target_id]);
				target_ids := notify;
			END IF;
		END IF;
	WHEN kind = 'account_updated' THEN
		touched := id;
		SELECT roost_internal.to_json(h) INTO v_account FROM roost_internal.account_hydrate(NULL, ARRAY[id]) h;
		IF v_account IS NOT NULL THEN
			event := 'user:updated';
			data := '{"account":' || v_account || '}';
			everyone := true;
			account_ids := id;
			topics := 'user:' || id;
		END IF;
	WHEN kind = 'account_deleted' THEN
		touched := id;
		event := 'user:deleted';
		data := format('{"account_id":"%s"}', id);
		everyone := true;
		topics := 'user:' || id;
	WHEN kind = 'session_revoked' THEN
		revoked := id;
	ELSE
		NULL;
	END CASE;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.stream_event(bigint, roost.feed_kind, bigint, bigint, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.stream_event(bigint, roost.feed_kind, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS 'What a row of the log says to clients: the columns of roost.stream_read().';

CREATE OR REPLACE FUNCTION roost.stream_read(after bigint, "limit" integer) RETURNS TABLE (
	seq bigint, event text, everyone boolean, home_id bigint, topics text, account_ids text, target_ids text, notify text,
	follow text, revoked bigint, touched text, hard boolean, lost boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT l.seq, e.event, e.everyone, e.home_id, e.topics, e.account_ids, e.target_ids, e.notify,
		e.follow, e.revoked, e.touched, e.hard, e.lost
	FROM roost_internal.feed_read(after, "limit") l
	CROSS JOIN LATERAL roost_internal.stream_event(l.seq, l.kind, l.id, l.account_id, l.post_id, l.author_id, l.target_id, l.retweet_of_id, l.reply_to_account_id) e;
END
$$;
REVOKE ALL ON FUNCTION roost.stream_read(bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_read(bigint, integer) IS 'The rows of the log after a seq, oldest first and none left out, as events for clients; docs/live.md has the columns.';

CREATE OR REPLACE FUNCTION roost.stream_data(seqs bigint[]) RETURNS TABLE (seq bigint, data text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT l.seq, e.data
	FROM unnest(seqs) s (seq)
	JOIN roost_data.feed_log l ON l.seq = s.seq
	CROSS JOIN LATERAL roost_internal.stream_event(l.seq, l.kind, l.id, l.account_id, l.post_id, l.author_id, l.target_id, l.retweet_of_id, l.reply_to_account_id) e
	WHERE l.seq < (SELECT roost_internal.feed_end()) AND e.data IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION roost.stream_data(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_data(bigint[]) IS 'The data of the events of some rows of the log, as JSON; rows without an event are left out.';

CREATE OR REPLACE FUNCTION roost_internal.stream_may_see(seq bigint, viewer_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_row record;
BEGIN
	SELECT l.kind, l.account_id, l.post_id, l.target_id, a.is_private, a.status INTO v_row
	FROM roost_data.feed_log l LEFT JOIN roost_data.account a ON a.id = l.account_id
	WHERE l.seq = stream_may_see.seq AND l.seq < (SELECT roost_internal.feed_end());
	RETURN CASE
		WHEN v_row.kind IN ('post_created', 'post_updated') THEN
			EXISTS (SELECT FROM roost_internal.post_hydrate(viewer_id, ARRAY[v_row.post_id]))
		WHEN v_row.kind IN ('like_created', 'like_deleted') THEN
			v_row.status = 'active' AND EXISTS (SELECT FROM roost_internal.post_hydrate(viewer_id, ARRAY[v_row.post_id]))
		WHEN v_row.kind = 'post_deleted' THEN
			v_row.is_private IS FALSE OR viewer_id = v_row.account_id
			OR EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = viewer_id AND f.followee_id = v_row.account_id)
		WHEN v_row.kind IN ('follow_created', 'follow_request_created') THEN viewer_id IN (v_row.account_id, v_row.target_id)
		WHEN v_row.kind = 'follow_deleted' THEN viewer_id = v_row.account_id
		WHEN v_row.kind = 'account_updated' THEN v_row.status = 'active'
		WHEN v_row.kind = 'account_deleted' THEN true
		ELSE false END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.stream_may_see(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.stream_may_see(bigint, bigint) IS 'Whether the viewer (null: nobody) may see the event of a row of the log.';

CREATE OR REPLACE FUNCTION roost.stream_see(seqs bigint[], viewer_ids bigint[]) RETURNS TABLE (seq bigint, viewer_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT u.seq, u.viewer_id FROM unnest(seqs, viewer_ids) u (seq, viewer_id)
	WHERE roost_internal.stream_may_see(u.seq, nullif(u.viewer_id, 0));
END
$$;
REVOKE ALL ON FUNCTION roost.stream_see(bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_see(bigint[], bigint[]) IS 'Those of the pairs, a row of the log and the account (0: nobody) at the same place, where the account may see the event.';

CREATE OR REPLACE FUNCTION roost.stream_notify(seqs bigint[], account_ids bigint[]) RETURNS TABLE (seq bigint, account_id bigint, data text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT u.seq, u.account_id, '{"notification":' || n.item || '}'
	FROM unnest(seqs, account_ids) u (seq, account_id)
	CROSS JOIN LATERAL roost_internal.notification_item(u.account_id, u.seq) n (item)
	WHERE n.item IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION roost.stream_notify(bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_notify(bigint[], bigint[]) IS 'The data of notification:new for those of the pairs, a row of the log and the account at the same place, that are an entry in its mailbox which it may see and wants.';

CREATE OR REPLACE FUNCTION roost.stream_resume(account_id bigint, epoch bigint, after bigint, channels text[], "limit" integer)
RETURNS TABLE (seq bigint, part integer, event text, home boolean, topics text, data text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_scan constant integer := 5000;
	v_account_id constant bigint := nullif(stream_resume.account_id, 0);
	v_home constant boolean := v_account_id IS NOT NULL AND 'home' = ANY (channels);
	v_notifications constant boolean := v_account_id IS NOT NULL AND 'notifications' = ANY (channels);
	v_position record;
	v_row record;
	v_data text;
	v_wanted boolean;
	v_count integer := 0;
BEGIN
	SELECT * INTO v_position FROM roost.feed_position();
	IF v_position.epoch IS DISTINCT FROM stream_resume.epoch OR after < v_position.first_seq - 1 OR after > v_position.last_seq OR after IS NULL THEN
		RETURN QUERY SELECT v_position.last_seq, 0, 'reset'::text, false, NULL::text, v_position.epoch::text;
		RETURN;
	END IF;
	seq := after;
	part := 0;
	FOR v_row IN SELECT e.*, l.seq FROM roost_internal.feed_read(after, v_scan) l
		CROSS JOIN LATERAL roost_internal.stream_event(l.seq, l.kind, l.id, l.account_id, l.post_id, l.author_id, l.target_id, l.retweet_of_id, l.reply_to_account_id) e LOOP
		IF v_count >= greatest("limit", 1) THEN
			part := 1;
			EXIT;
		END IF;
		home := v_home AND v_row.event IS NOT NULL AND (v_account_id = ANY (string_to_array(v_row.account_ids, ' ')::bigint[])
			OR EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = v_account_id AND f.followee_id = v_row.home_id));
		v_wanted := v_row.event IS NOT NULL AND (home OR string_to_array(v_row.topics, ' ') && channels
			OR v_notifications AND v_account_id = ANY (string_to_array(v_row.target_ids, ' ')::bigint[]));
		IF v_wanted AND (v_row.everyone OR roost_internal.stream_may_see(v_row.seq, v_account_id)) THEN
			v_count := v_count + 1;
			RETURN QUERY SELECT v_row.seq, 0, v_row.event, home, v_row.topics, v_row.data;
		END IF;
		IF v_notifications AND v_account_id = ANY (string_to_array(v_row.notify, ' ')::bigint[]) THEN
			v_data := '{"notification":' || roost_internal.notification_item(v_account_id, v_row.seq) || '}';
			IF v_data IS NOT NULL THEN
				v_count := v_count + 1;
				RETURN QUERY SELECT v_row.seq, 1, 'notification:new'::text, false, NULL::text, v_data;
			END IF;
		END IF;
		seq := v_row.seq;
	END LOOP;
	IF part = 0 AND seq < v_position.last_seq THEN
		part := 1;
	END IF;
	RETURN QUERY SELECT stream_resume.seq, stream_resume.part, NULL::text, false, NULL::text, NULL::text;
END
$$;
REVOKE ALL ON FUNCTION roost.stream_resume(bigint, bigint, bigint, text[], integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_resume(bigint, bigint, bigint, text[], integer) IS 'What the channels of an account (0: nobody) have shown after a cursor, oldest first, about limit events at a time: event is part 0 of its row of the log, its notification:new part 1; home says whether it is in the home timeline. The last row has no event: seq is the position that is covered, part 1 if there is more. If it is not possible to resume there is one row with the event reset, the position to begin with and the epoch as data.';
