-- Sessions, devices and refresh tokens.

CREATE OR REPLACE FUNCTION roost_internal.user_agent_name(user_agent text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.concat_ws(' on ',
		CASE
			WHEN $1 ~ 'Edg(e|A|iOS)?/' THEN 'Edge'
			WHEN $1 ~ 'OPR/|Opera' THEN 'Opera'
			WHEN $1 ~ 'Firefox/|FxiOS/' THEN 'Firefox'
			WHEN $1 ~ 'Chrome/|CriOS/|Chromium/' THEN 'Chrome'
			WHEN $1 ~ 'Safari/' THEN 'Safari'
			ELSE pg_catalog.left(nullif(pg_catalog.substring($1, '^[A-Za-z0-9][A-Za-z0-9._ -]*'), ''), 60)
		END,
		CASE
			WHEN $1 ~ 'Android' THEN 'Android'
			WHEN $1 ~ 'iPhone|iPod' THEN 'iPhone'
			WHEN $1 ~ 'iPad' THEN 'iPad'
			WHEN $1 ~ 'Windows' THEN 'Windows'
			WHEN $1 ~ 'Macintosh|Mac OS X' THEN 'macOS'
			WHEN $1 ~ 'CrOS' THEN 'ChromeOS'
			WHEN $1 ~ 'Linux' THEN 'Linux'
		END)
$$;
REVOKE ALL ON FUNCTION roost_internal.user_agent_name(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.user_agent_name(text) IS 'What to call a device that did not name itself, for instance "Firefox on Linux"; empty if nothing is known.';

CREATE OR REPLACE FUNCTION roost_internal.device_record(account_id bigint, device jsonb, user_agent text) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_device jsonb := CASE pg_catalog.jsonb_typeof(device) WHEN 'string' THEN pg_catalog.jsonb_build_object('name', device) ELSE device END;
	v_id bigint;
BEGIN
	INSERT INTO roost_data.device AS d (id, account_id, client_id, name, platform, created_at, last_seen_at)
	VALUES (roost_internal.id_next(device_record.account_id), device_record.account_id, v_device->>'id',
		coalesce(v_device->>'name', roost_internal.user_agent_name(user_agent)), coalesce(v_device->>'platform', ''), v_now, v_now)
	ON CONFLICT ON CONSTRAINT device_account_id_client_id_key DO UPDATE SET
		name = coalesce(v_device->>'name', d.name),
		platform = coalesce(v_device->>'platform', d.platform),
		last_seen_at = v_now
	RETURNING d.id INTO v_id;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.device_record(bigint, jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.device_record(bigint, jsonb, text) IS 'The id of the device that logs in (a value of roost.device_input): the known one of that client id, or a new one.';

CREATE OR REPLACE FUNCTION roost_internal.session_revoke(account_id bigint, session_ids bigint[] DEFAULT NULL, keep_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_count bigint;
BEGIN
	-- Who locks several sessions of an account locks the account first.
	PERFORM FROM roost_data.account a WHERE a.id = session_revoke.account_id FOR NO KEY UPDATE;
	UPDATE roost_data.session s SET revoked_at = roost_internal.clock_now()
	WHERE s.account_id = session_revoke.account_id AND s.revoked_at IS NULL
		AND (session_ids IS NULL OR s.id = ANY (session_ids))
		AND s.id IS DISTINCT FROM keep_id;
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.session_revoke(bigint, bigint[], bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_revoke(bigint, bigint[], bigint) IS 'Ends sessions of an account, all of them or those given, but not keep_id; their access tokens end with the commit. Returns how many.';

CREATE OR REPLACE FUNCTION roost_internal.session_kill(session_id bigint) RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_reuse_session_kill';
REVOKE ALL ON FUNCTION roost_internal.session_kill(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_kill(bigint) IS 'Ends a session even if the transaction fails: refreshing stops at once, access tokens end when the background worker has come round.';

CREATE OR REPLACE FUNCTION roost_internal.session_killed(session_id bigint) RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_reuse_session_killed';
REVOKE ALL ON FUNCTION roost_internal.session_killed(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_killed(bigint) IS 'Whether roost_internal.session_kill has ended a session lately.';

CREATE OR REPLACE FUNCTION roost_internal.session_end(session_ids bigint[]) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT roost_internal.audit_actor(NULL, 'refresh token used twice');
	SELECT roost_internal.session_revoke(s.account_id, array_agg(s.id))
	FROM roost_data.session s WHERE s.id = ANY ($1) GROUP BY s.account_id ORDER BY s.account_id
$$;
REVOKE ALL ON FUNCTION roost_internal.session_end(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_end(bigint[]) IS 'Revokes sessions; the background worker calls it for those that roost_internal.session_kill has ended.';

-- A refresh token is <session id>.<secret>.<tag>.  The secret is random at
-- first; each later one is a keyed hash of the one before, so that two
-- requests with one token get the same answer although only digests are
-- stored.  The tag says that the session once gave the token out; so an old
-- one that comes back is told from a made-up one without keeping them all.

CREATE OR REPLACE FUNCTION roost_internal.refresh_mac(refresh_key text, message text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT pg_catalog.translate(pg_catalog.encode(
		pg_catalog.sha256(pg_catalog.convert_to($1, 'UTF8') ||
			pg_catalog.sha256(pg_catalog.convert_to($1 || $2, 'UTF8'))), 'base64'), '+/=', '-_')
$$;
REVOKE ALL ON FUNCTION roost_internal.refresh_mac(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.refresh_mac(text, text) IS 'A keyed hash of a message, as base64url. The key has a fixed length; hashing twice keeps the hash from being extended.';

CREATE OR REPLACE FUNCTION roost_internal.refresh_token_make(session_id bigint, refresh_key text, secret text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT pg_catalog.concat_ws('.', $1, $3, pg_catalog.left(roost_internal.refresh_mac($2, 'tag.' || $1 || '.' || $3), 22))
$$;
REVOKE ALL ON FUNCTION roost_internal.refresh_token_make(bigint, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.refresh_token_make(bigint, text, text) IS 'The refresh token with this secret.';

CREATE OR REPLACE FUNCTION roost_internal.refresh_token_next(session_id bigint, refresh_key text, token text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT roost_internal.refresh_token_make($1, $2, roost_internal.refresh_mac($2, 'next.' || pg_catalog.split_part($3, '.', 2)))
$$;
REVOKE ALL ON FUNCTION roost_internal.refresh_token_next(bigint, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.refresh_token_next(bigint, text, text) IS 'The refresh token that a token is exchanged for.';

CREATE OR REPLACE FUNCTION roost_internal.session_token(account_id bigint, session_id bigint, device_id bigint, refresh_token text) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		roost_internal.token_make(account_id, session_id, device_id),
		refresh_token,
		'Bearer',
		pg_catalog.date_part('epoch', pg_catalog.current_setting('roost.token_access_ttl')::interval)::integer,
		session_id,
		roost_internal.account_me(account_id))::roost.session_token;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.session_token(bigint, bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_token(bigint, bigint, bigint, text) IS 'What a client gets for a session: a new access token and the given refresh token.';

CREATE OR REPLACE FUNCTION roost_internal.session_create(account_id bigint, device jsonb, client_address inet, user_agent text) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_session_id bigint := roost_internal.id_next(session_create.account_id);
	v_device_id bigint;
	v_refresh_key text := roost_internal.random_token(32);
	v_refresh_token text := roost_internal.refresh_token_make(v_session_id, v_refresh_key, roost_internal.random_token(32));
BEGIN
	PERFORM roost_internal.audit_actor(session_create.account_id, 'roost.session_create');
	UPDATE roost_data.account a SET last_login_at = v_now, last_active_at = v_now
	WHERE a.id = session_create.account_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	v_device_id := roost_internal.device_record(session_create.account_id, device, user_agent);
	-- One session a device, and not too many of them.
	PERFORM roost_internal.session_revoke(session_create.account_id, ARRAY(
		SELECT s.id FROM roost_data.session s
		WHERE s.account_id = session_create.account_id AND s.revoked_at IS NULL AND s.device_id = v_device_id
		UNION ALL
		(SELECT s.id FROM roost_data.session s
		WHERE s.account_id = session_create.account_id AND s.revoked_at IS NULL
		ORDER BY s.last_used_at DESC, s.id DESC
		OFFSET pg_catalog.current_setting('roost.account_session_limit')::integer - 1)));
	INSERT INTO roost_data.session (id, account_id, device_id, refresh_key, refresh_digest, user_agent, address, created_at, last_used_at, expires_at)
	VALUES (v_session_id, session_create.account_id, v_device_id, v_refresh_key, roost_internal.token_digest(v_refresh_token),
		pg_catalog.left(session_create.user_agent, 300), client_address, v_now, v_now,
		v_now + pg_catalog.current_setting('roost.token_refresh_ttl')::interval);
	RETURN roost_internal.session_token(session_create.account_id, v_session_id, v_device_id, v_refresh_token);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.session_create(bigint, jsonb, inet, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_create(bigint, jsonb, inet, text) IS 'Logs an account in on a device and returns its tokens. An earlier session of the device ends, and beyond roost.account_session_limit sessions the one longest unused. 42501 if the account has been deleted or suspended meanwhile.';

CREATE OR REPLACE FUNCTION roost.session_list(actor_id roost.id, session_id roost.id DEFAULT NULL) RETURNS SETOF roost.session
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.id, s.device_id, coalesce(d.name, ''), coalesce(d.platform, ''), s.user_agent, host(s.address), s.created_at, s.last_used_at, s.expires_at,
		s.id IS NOT DISTINCT FROM $2
	FROM roost_data.session s
	LEFT JOIN roost_data.device d ON d.id = s.device_id
	WHERE s.account_id = $1 AND s.revoked_at IS NULL AND s.expires_at > roost_internal.clock_now()
	ORDER BY s.last_used_at DESC, s.id DESC
$$;
REVOKE ALL ON FUNCTION roost.session_list(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.session_list(roost.id, roost.id) IS 'The actor''s sessions that still hold, the one used last first; session_id is marked as current.';
SELECT roost_internal.route('GET', '/auth/sessions', 'roost.session_list');
SELECT roost_internal.route('GET', '/sessions', 'roost.session_list');

CREATE OR REPLACE FUNCTION roost.session_delete(actor_id roost.id, id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.audit_actor(actor_id, 'roost.session_delete');
	IF roost_internal.session_revoke(actor_id, ARRAY[id::bigint]) = 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'id', MESSAGE = 'the session does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.session_delete(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.session_delete(roost.id, roost.id) IS 'Ends one of the actor''s sessions; its tokens end at once. P0002 if there is no such session.';
SELECT roost_internal.route('DELETE', '/auth/sessions/:id', 'roost.session_delete', status => 204);
SELECT roost_internal.route('DELETE', '/sessions/:id', 'roost.session_delete', status => 204);

CREATE OR REPLACE FUNCTION roost.device_list(actor_id roost.id, device_id roost.id DEFAULT NULL) RETURNS SETOF roost.device
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT d.id, d.name, d.platform, d.created_at, d.last_seen_at, d.id IS NOT DISTINCT FROM $2
	FROM roost_data.device d
	WHERE d.account_id = $1
	ORDER BY d.last_seen_at DESC, d.id DESC
$$;
REVOKE ALL ON FUNCTION roost.device_list(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.device_list(roost.id, roost.id) IS 'The actor''s devices, the one seen last first; device_id is marked as current.';
SELECT roost_internal.route('GET', '/auth/devices', 'roost.device_list');
SELECT roost_internal.route('GET', '/devices', 'roost.device_list');

CREATE OR REPLACE FUNCTION roost.device_delete(actor_id roost.id, id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.audit_actor(actor_id, 'roost.device_delete');
	-- Before its sessions are looked for: who logs in on it holds the account.
	PERFORM FROM roost_data.account a WHERE a.id = actor_id FOR NO KEY UPDATE;
	PERFORM roost_internal.session_revoke(actor_id, ARRAY(
		SELECT s.id FROM roost_data.session s
		WHERE s.device_id = device_delete.id AND s.account_id = actor_id));
	DELETE FROM roost_data.device d WHERE d.id = device_delete.id AND d.account_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'id', MESSAGE = 'the device does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.device_delete(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.device_delete(roost.id, roost.id) IS 'Removes one of the actor''s devices and ends its session. P0002 if there is no such device.';
SELECT roost_internal.route('DELETE', '/auth/devices/:id', 'roost.device_delete', status => 204);
SELECT roost_internal.route('DELETE', '/devices/:id', 'roost.device_delete', status => 204);
