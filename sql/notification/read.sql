-- What has been read.  The marker is a place in the mailbox, so it says the same
-- to all devices of an account.

CREATE OR REPLACE FUNCTION roost_internal.notification_newest(account_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT m.seq FROM roost_data.mailbox m
		WHERE m.account_id = notification_newest.account_id AND m.seq < (SELECT roost_internal.feed_end())
		ORDER BY m.seq DESC LIMIT 1);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_newest(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_newest(bigint) IS 'The newest entry of an account''s mailbox, whether it is told or not; null if it is empty.';

CREATE OR REPLACE FUNCTION roost.notification_unread_get(actor_id roost.id) RETURNS roost.notification_unread
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_newest constant bigint := roost_internal.notification_newest(actor_id);
	v_read constant bigint := (SELECT t.read_seq FROM roost_data.notification_marker t WHERE t.account_id = actor_id);
	v_after constant bigint := coalesce(v_read, 0);
	v_kinds constant roost.mailbox_kind[] := roost_internal.notification_kinds(actor_id, NULL);
	v_plain constant boolean := roost_internal.notification_plain(actor_id);
	v_count integer := 0;
	v_looked integer := 0;
BEGIN
	IF v_newest > v_after AND v_kinds = enum_range(NULL::roost.mailbox_kind) THEN
		SELECT count(s.shown), count(*) INTO v_count, v_looked
		FROM (
			SELECT m.kind, m.actor_id, m.post_id FROM roost_data.mailbox m
			WHERE m.account_id = notification_unread_get.actor_id AND m.seq > v_after AND m.seq <= v_newest
			ORDER BY m.seq DESC LIMIT 1001
		) e
		LEFT JOIN LATERAL roost_internal.notification_shown(notification_unread_get.actor_id, e.kind, e.actor_id, e.post_id, v_plain) s ON true;
	ELSIF v_newest > v_after THEN
		-- Past all that is kept out, which may be most of it.
		SELECT count(s.shown), count(*) INTO v_count, v_looked
		FROM (
			SELECT m.kind, m.actor_id, m.post_id
			FROM (SELECT d.day, d.seq, lead(d.seq, 1, v_newest + 1) OVER (ORDER BY d.day) AS next_seq FROM roost_data.feed_day d) d
			CROSS JOIN unnest(v_kinds) k
			CROSS JOIN LATERAL (
				SELECT t.seq, t.kind, t.actor_id, t.post_id FROM roost_data.mailbox t
				WHERE t.account_id = notification_unread_get.actor_id AND t.day = d.day AND t.kind = k
					AND t.seq >= d.seq AND t.seq < d.next_seq AND t.seq > v_after AND t.seq <= v_newest
				LIMIT 1001) m
			WHERE d.next_seq > v_after + 1
			ORDER BY d.day DESC LIMIT 1001
		) e
		LEFT JOIN LATERAL roost_internal.notification_shown(notification_unread_get.actor_id, e.kind, e.actor_id, e.post_id, v_plain) s ON true;
	END IF;
	RETURN ROW(least(v_count, 1000), v_looked > 1000, v_newest, v_read)::roost.notification_unread;
END
$$;
REVOKE ALL ON FUNCTION roost.notification_unread_get(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_unread_get(roost.id) IS 'How many acts the actor has not read, of those it may see and wants to hear of; looks at the newest 1001 and counts up to 1000.';
SELECT roost_internal.route('GET', '/notifications/unread', 'roost.notification_unread_get', tags => '{notification}');

CREATE OR REPLACE FUNCTION roost.notification_read(actor_id roost.id, up_to roost.id DEFAULT NULL) RETURNS roost.notification_unread
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_read bigint;
BEGIN
	PERFORM roost_internal.account_hold(actor_id);
	PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	-- The marker never goes back, nor beyond what there is.
	INSERT INTO roost_data.notification_marker AS t (account_id, read_seq, updated_at)
	SELECT actor_id, least(up_to, n.seq), roost_internal.clock_now()
	FROM (SELECT roost_internal.notification_newest(actor_id) AS seq) n WHERE n.seq IS NOT NULL
	ON CONFLICT (account_id) DO UPDATE SET read_seq = excluded.read_seq, updated_at = excluded.updated_at
	WHERE t.read_seq < excluded.read_seq
	RETURNING t.read_seq INTO v_read;
	IF FOUND THEN
		-- for its other devices
		PERFORM roost_internal.feed_tell('notification_read', actor_id, actor_id, message_id => v_read);
	END IF;
	RETURN roost.notification_unread_get(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.notification_read(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_read(roost.id, roost.id) IS 'Says that the actor has read its notifications up to the act up_to (latest_id of a notification, id of a live one), or all there are. What was read stays read: an older up_to changes nothing. Returns what is left. P0002 the actor is not active.';
SELECT roost_internal.route('POST', '/notifications/read', 'roost.notification_read', tags => '{notification}');

CREATE OR REPLACE FUNCTION roost_internal.notification_event(
	kind roost.feed_kind, id bigint, account_id bigint, conversation_id bigint, message_id bigint, target_id bigint
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Of several the last one tells how things stand.
	IF EXISTS (SELECT FROM roost_data.notification_marker t WHERE t.account_id = notification_event.account_id AND t.read_seq = message_id) THEN
		RETURN roost_internal.to_json(roost.notification_unread_get(account_id));
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'What the log says of notifications that were read, as JSON: roost.notification_unread as it stands now; null if the account has read further since (message_id is how far), for that is told by itself.';
