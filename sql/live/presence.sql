-- Who is online, and who may see it.  See docs/live.md.

CREATE OR REPLACE FUNCTION roost.live_beat(gateway_id bigint, online bigint[], offline bigint[], entire boolean) RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_live_beat';
REVOKE ALL ON FUNCTION roost.live_beat(bigint, bigint[], bigint[], boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.live_beat(bigint, bigint[], bigint[], boolean) IS 'A gateway tells which accounts have come online and which have left it, at least every 5 seconds; after 15 seconds of silence it is forgotten. With entire, online has all accounts that are connected to it. Returns whether it must tell everything, because the server does not know it. Nothing of it is stored. 22023 invalid id, 25006 on a standby.';

CREATE OR REPLACE FUNCTION roost_internal.presence_state(account_ids bigint[]) RETURNS TABLE (account_id bigint, online boolean, since timestamptz)
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_presence_state';
REVOKE ALL ON FUNCTION roost_internal.presence_state(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.presence_state(bigint[]) IS 'For each id whether the account has a connection, and since when that is so (null: not known). Does not ask who may see it.';

CREATE OR REPLACE FUNCTION roost_internal.live_viewers(account_id bigint, viewer_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_blocked_ids bigint[] := ARRAY(
		SELECT b.blocked_id FROM roost_data.account_block b WHERE b.account_id = live_viewers.account_id AND b.blocked_id = ANY (viewer_ids)
		UNION ALL
		SELECT b.account_id FROM roost_data.account_block b WHERE b.blocked_id = live_viewers.account_id AND b.account_id = ANY (viewer_ids));
BEGIN
	IF v_blocked_ids = '{}' THEN
		RETURN array_remove(viewer_ids, live_viewers.account_id);
	END IF;
	RETURN ARRAY(SELECT v.id FROM unnest(viewer_ids) WITH ORDINALITY v (id, n)
		WHERE v.id <> live_viewers.account_id AND v.id <> ALL (v_blocked_ids) ORDER BY v.n);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.live_viewers(bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.live_viewers(bigint, bigint[]) IS 'Those of the viewers (0: without an account) that may see anything live of another account: not itself, nor those between whom and it there is a block.';

CREATE OR REPLACE FUNCTION roost_internal.presence_viewers(account_id bigint, viewer_ids bigint[], leaving boolean DEFAULT false) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_status text;
	v_presence text;
	v_viewer_ids bigint[] := roost_internal.live_viewers(account_id, viewer_ids);
BEGIN
	SELECT a.status, coalesce(s.presence, 'followed') INTO v_status, v_presence
	FROM roost_data.account a LEFT JOIN roost_data.presence_setting s ON s.account_id = a.id
	WHERE a.id = presence_viewers.account_id;
	IF v_status IS NULL OR v_presence = 'nobody' OR v_status <> 'active' AND NOT leaving THEN
		RETURN '{}';
	ELSIF v_presence = 'everyone' THEN
		RETURN v_viewer_ids;
	END IF;
	RETURN ARRAY(
		SELECT f.followee_id FROM roost_data.follow f WHERE f.follower_id = presence_viewers.account_id AND f.followee_id = ANY (v_viewer_ids)
		UNION
		SELECT f.friend_id FROM roost_data.friendship f WHERE f.account_id = presence_viewers.account_id AND f.friend_id = ANY (v_viewer_ids));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.presence_viewers(bigint, bigint[], boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.presence_viewers(bigint, bigint[], boolean) IS 'Those of the viewers (0: without an account) that may see whether another account is online: by its setting, and only while it is active (that it is leaving may be seen in any case).';

CREATE OR REPLACE FUNCTION roost_internal.may_see_presence(viewer_id bigint, account_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF viewer_id = account_id THEN
		RETURN EXISTS (SELECT FROM roost_data.account a WHERE a.id = may_see_presence.account_id AND a.status = 'active');
	END IF;
	RETURN roost_internal.presence_viewers(account_id, ARRAY[coalesce(viewer_id, 0)]) <> '{}';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.may_see_presence(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.may_see_presence(bigint, bigint) IS 'Whether the viewer (null: a stranger) may see whether the account is online. Everybody may see it of oneself.';

CREATE OR REPLACE FUNCTION roost.presence_list(account_ids roost.id[], actor_id roost.id DEFAULT NULL) RETURNS SETOF roost.presence
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF pg_catalog.cardinality(account_ids) > 100 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'account_ids', MESSAGE = 'too many ids', DETAIL = 'At most 100 accounts can be asked for at once.';
	END IF;
	RETURN QUERY
	SELECT s.account_id::roost.id, s.online AND s.seen, CASE WHEN s.seen THEN s.since END
	FROM (
		SELECT p.account_id, p.online, p.since, roost_internal.may_see_presence(actor_id, p.account_id) AS seen, p.ordinality
		FROM roost_internal.presence_state(account_ids::bigint[]) WITH ORDINALITY p
	) s
	ORDER BY s.ordinality;
END
$$;
REVOKE ALL ON FUNCTION roost.presence_list(roost.id[], roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.presence_list(roost.id[], roost.id) IS 'Whether accounts (at most 100) are online and since when that is so, as far as they let the caller see it, in the order of the ids. Those that do not are offline, like those that do not exist. 54000 for more ids.';
SELECT roost_internal.route('GET', '/presence', 'roost.presence_list', auth => 'optional', lane => 'fast', tags => '{live}');

CREATE OR REPLACE FUNCTION roost.presence_settings_get(actor_id roost.id) RETURNS roost.presence_settings
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ROW(coalesce((SELECT s.presence FROM roost_data.presence_setting s WHERE s.account_id = actor_id), 'followed'))::roost.presence_settings;
END
$$;
REVOKE ALL ON FUNCTION roost.presence_settings_get(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.presence_settings_get(roost.id) IS 'Who may see whether the caller is online.';
SELECT roost_internal.route('GET', '/presence/settings', 'roost.presence_settings_get', tags => '{live}');

CREATE OR REPLACE FUNCTION roost.presence_settings_set(actor_id roost.id, presence roost.presence_policy) RETURNS roost.presence_settings
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF presence IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '23502', COLUMN = 'presence', MESSAGE = 'the setting is null';
	END IF;
	PERFORM roost_internal.account_hold(actor_id);
	PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	INSERT INTO roost_data.presence_setting AS s (account_id, presence) VALUES (actor_id, presence_settings_set.presence::text)
	ON CONFLICT ON CONSTRAINT presence_setting_pkey DO UPDATE SET presence = excluded.presence;
	RETURN ROW(presence)::roost.presence_settings;
END
$$;
REVOKE ALL ON FUNCTION roost.presence_settings_set(roost.id, roost.presence_policy) FROM PUBLIC;
COMMENT ON FUNCTION roost.presence_settings_set(roost.id, roost.presence_policy) IS 'Sets who may see whether the caller is online: everyone, followed (the accounts it follows and its friends; so it is at first) or nobody. Holds for what is asked or happens from then on. Returns the settings. P0002 no such account.';
SELECT roost_internal.route('PUT', '/presence/settings', 'roost.presence_settings_set', limit_class => 'write', tags => '{live}');

CREATE OR REPLACE FUNCTION roost_internal.presence_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('presence', coalesce((SELECT s.presence FROM roost_data.presence_setting s WHERE s.account_id = $1), 'followed'))
$$;
REVOKE ALL ON FUNCTION roost_internal.presence_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.presence_export(bigint) IS 'Who may see whether the account is online.';

CREATE OR REPLACE FUNCTION roost_internal.presence_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.presence_setting s WHERE s.account_id = presence_account_delete.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.presence_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.presence_account_delete(bigint) IS 'Forgets who may see whether the account is online.';

CREATE OR REPLACE FUNCTION roost_internal.presence_stat(
	OUT online bigint, OUT leaving bigint, OUT remembered bigint, OUT room bigint, OUT gateways bigint, OUT gateways_lost bigint, OUT beats bigint, OUT refused bigint,
	OUT typing bigint, OUT swallowed bigint, OUT evicted bigint, OUT signals bigint, OUT dropped bigint, OUT notifies bigint)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_presence_stat_sql';
COMMENT ON FUNCTION roost_internal.presence_stat() IS 'The row of roost.stat_presence.';

CREATE OR REPLACE VIEW roost.stat_presence AS SELECT * FROM roost_internal.presence_stat();
COMMENT ON VIEW roost.stat_presence IS 'Presence, typing and their signals since the server started, one row; see the columns.';
COMMENT ON COLUMN roost.stat_presence.online IS 'Accounts that are online.';
COMMENT ON COLUMN roost.stat_presence.leaving IS 'Those of them without a connection, in their time of grace.';
COMMENT ON COLUMN roost.stat_presence.remembered IS 'Accounts offline of which is known since when.';
COMMENT ON COLUMN roost.stat_presence.room IS 'Accounts there is room for, online or remembered (roost.presence_memory).';
COMMENT ON COLUMN roost.stat_presence.gateways IS 'Processes of gateways that tell who is online.';
COMMENT ON COLUMN roost.stat_presence.gateways_lost IS 'Gateways that were not heard of for 15 seconds.';
COMMENT ON COLUMN roost.stat_presence.beats IS 'What gateways have told, empty beats included.';
COMMENT ON COLUMN roost.stat_presence.refused IS 'Accounts and gateways that found no room; if it grows, raise roost.presence_memory.';
COMMENT ON COLUMN roost.stat_presence.typing IS 'Accounts and channels in which they are writing.';
COMMENT ON COLUMN roost.stat_presence.swallowed IS 'Signals typing:start that came within 3 seconds of another.';
COMMENT ON COLUMN roost.stat_presence.evicted IS 'Accounts whose writing ended early to make room for others.';
COMMENT ON COLUMN roost.stat_presence.signals IS 'Signals for gateways: user:online, user:offline, typing:start, typing:stop.';
COMMENT ON COLUMN roost.stat_presence.dropped IS 'Signals that were not sent: too many waited, or roost.notify_interval is -1.';
COMMENT ON COLUMN roost.stat_presence.notifies IS 'Notifications on channel roost_signal.';

REVOKE ALL ON FUNCTION roost_internal.presence_stat() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roost_internal.presence_stat() TO pg_monitor;
GRANT SELECT ON roost.stat_presence TO pg_monitor;
