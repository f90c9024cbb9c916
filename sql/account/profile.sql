-- Profiles: reading and changing accounts.

CREATE OR REPLACE FUNCTION roost_internal.account_url(username text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT pg_catalog.rtrim(pg_catalog.current_setting('roost.public_url'), '/') || '/@' || $1
$$;
REVOKE ALL ON FUNCTION roost_internal.account_url(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_url(text) IS 'The address of an account''s page.';

CREATE OR REPLACE FUNCTION roost_internal.account_resolve(account_id roost.account_ref) RETURNS bigint
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	IF pg_catalog.left(account_id, 1) = '@' THEN
		SELECT h.account_id INTO v_id FROM roost_data.account_handle h
		WHERE h.username = pg_catalog.lower(pg_catalog.substr(account_resolve.account_id, 2));
	ELSIF account_id::numeric <= 9223372036854775807 THEN
		v_id := account_id::bigint;
	END IF;
	PERFORM FROM roost_data.account a WHERE a.id = v_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_resolve(roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_resolve(roost.account_ref) IS 'The id of the active account that an id or @name means. P0002 if there is none.';

CREATE OR REPLACE FUNCTION roost_internal.account_find(account_id roost.account_ref) RETURNS bigint
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	IF left(account_id, 1) = '@' THEN
		SELECT h.account_id INTO v_id FROM roost_data.account_handle h WHERE h.username = lower(substr(account_find.account_id, 2));
	ELSIF account_id::numeric <= 9223372036854775807 THEN
		v_id := account_id::bigint;
	END IF;
	RETURN (SELECT a.id FROM roost_data.account a WHERE a.id = v_id AND a.status <> 'deleted');
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_find(roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_find(roost.account_ref) IS 'The id of the account that an id or @name means, also of one that is suspended; null if there is none. For what accounts may still do about each other then.';

CREATE OR REPLACE FUNCTION roost_internal.account_me(account_id bigint) RETURNS roost.me
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_me roost.me;
BEGIN
	SELECT a.id, a.username, a.display_name, a.bio, a.avatar_url, a.header_url, roost_internal.account_url(a.username),
		a.language, a.is_private, a.is_verified, a.created_at,
		coalesce(s.follower_count, 0), coalesce(s.following_count, 0), coalesce(s.post_count, 0),
		e.email, e.verified_at IS NOT NULL, a.birth_date,
		pg_catalog.date_part('year', pg_catalog.age(roost_internal.clock_now() AT TIME ZONE 'UTC', a.birth_date)),
		a.message_policy, a.role, a.last_login_at, a.last_active_at,
		CASE WHEN a.status = 'active' THEN ARRAY(SELECT r.permission FROM roost_data.role_permission r WHERE r.role = a.role ORDER BY r.permission) ELSE '{}' END
	INTO v_me
	FROM roost_data.account a
	LEFT JOIN roost_data.account_email e ON e.account_id = a.id
	LEFT JOIN LATERAL (
		SELECT sum(t.follower_count) AS follower_count, sum(t.following_count) AS following_count, sum(t.post_count) AS post_count
		FROM roost_data.account_stat t WHERE t.account_id = a.id
	) s ON true
	WHERE a.id = account_me.account_id AND a.status <> 'deleted';
	RETURN v_me;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_me(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_me(bigint) IS 'An account as its owner sees it; null if there is none.';

CREATE OR REPLACE FUNCTION roost_internal.account_touch(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE roost_data.account a SET last_active_at = roost_internal.clock_now()
	WHERE a.id = (
		SELECT t.id FROM roost_data.account t
		WHERE t.id = $1 AND (t.last_active_at IS NULL OR t.last_active_at < roost_internal.clock_now() - interval '5 minutes')
		FOR NO KEY UPDATE SKIP LOCKED)
$$;
REVOKE ALL ON FUNCTION roost_internal.account_touch(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_touch(bigint) IS 'Notes that an account is active now; writes at most once in five minutes, and never waits for another transaction.';

CREATE OR REPLACE FUNCTION roost.account_me(actor_id roost.id) RETURNS roost.me
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_me roost.me := roost_internal.account_me(actor_id);
BEGIN
	IF v_me.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	RETURN v_me;
END
$$;
REVOKE ALL ON FUNCTION roost.account_me(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_me(roost.id) IS 'The actor''s own account.';
SELECT roost_internal.route('GET', '/auth/me', 'roost.account_me');
SELECT roost_internal.route('GET', '/users/me', 'roost.account_me');

CREATE OR REPLACE FUNCTION roost.account_get(actor_id roost.id, account_id roost.account_ref) RETURNS roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account roost.account;
BEGIN
	SELECT * INTO v_account
	FROM roost_internal.account_hydrate(actor_id, ARRAY[roost_internal.account_resolve(account_id)]);
	RETURN v_account;
END
$$;
REVOKE ALL ON FUNCTION roost.account_get(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_get(roost.id, roost.account_ref) IS 'The public profile of the account with this id or @name, and how the actor (NULL: a stranger) stands to it. P0002 if there is none.';
SELECT roost_internal.route('GET', '/users/:account_id', 'roost.account_get', auth => 'optional', cache => 'ids');

CREATE OR REPLACE FUNCTION roost.account_get_by_username(actor_id roost.id, username roost.username) RETURNS roost.account
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (roost.account_get($1, ('@' || $2)::roost.account_ref)).*
$$;
REVOKE ALL ON FUNCTION roost.account_get_by_username(roost.id, roost.username) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_get_by_username(roost.id, roost.username) IS 'The public profile of the account with this user name, and how the actor (NULL: a stranger) stands to it. P0002 if there is none.';
SELECT roost_internal.route('GET', '/users/by-username/:username', 'roost.account_get_by_username', auth => 'optional', cache => 'ids');

CREATE OR REPLACE FUNCTION roost.account_list(actor_id roost.id, ids roost.id[] DEFAULT NULL, username roost.username DEFAULT NULL) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_ids bigint[] := coalesce(ids, '{}');
BEGIN
	IF pg_catalog.cardinality(v_ids) > 100 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'ids', MESSAGE = 'too many ids', DETAIL = 'At most 100 accounts can be asked for at once.';
	END IF;
	IF username IS NOT NULL THEN
		v_ids := v_ids || ARRAY(SELECT h.account_id FROM roost_data.account_handle h WHERE h.username = pg_catalog.lower(account_list.username));
	ELSIF ids IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'ids', MESSAGE = 'no account is asked for', HINT = 'Give ids or username.';
	END IF;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids);
END
$$;
REVOKE ALL ON FUNCTION roost.account_list(roost.id, roost.id[], roost.username) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_list(roost.id, roost.id[], roost.username) IS 'The public profiles of several accounts, by ids (at most 100, answered in that order) or user name, as the actor (NULL: a stranger) sees them. Those that do not exist are left out. 54000 for more ids, 22023 for neither.';
SELECT roost_internal.route('GET', '/users', 'roost.account_list', auth => 'optional');

CREATE OR REPLACE FUNCTION roost_internal.handle_take(account_id bigint, username text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_handle text := pg_catalog.lower(handle_take.username);
BEGIN
	INSERT INTO roost_data.account_handle (username, account_id) VALUES (v_handle, handle_take.account_id)
	ON CONFLICT DO NOTHING;
	-- Looked up once the name is held: who gives it up at this moment has reserved it by then.
	IF NOT FOUND OR EXISTS (
		SELECT FROM roost_data.reserved_handle r
		WHERE r.username = v_handle AND coalesce(r.until, 'infinity') > roost_internal.clock_now()
			AND r.account_id IS DISTINCT FROM handle_take.account_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'username', MESSAGE = 'the user name is taken';
	END IF;
	DELETE FROM roost_data.reserved_handle r WHERE r.username = v_handle;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.handle_take(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.handle_take(bigint, text) IS 'Gives a user name to an account. 23505 if it is taken or reserved.';

CREATE OR REPLACE FUNCTION roost_internal.handle_release(account_id bigint, reason text, keep text DEFAULT NULL) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM roost_data.account_handle h WHERE h.account_id = $1 AND h.username IS DISTINCT FROM $3 RETURNING h.username
	)
	INSERT INTO roost_data.reserved_handle AS r (username, until, account_id, reason)
	SELECT g.username, roost_internal.clock_now() + current_setting('roost.account_handle_rest')::interval, $1, $2
	FROM gone g
	WHERE current_setting('roost.account_handle_rest')::interval > '0'
	ON CONFLICT (username) DO UPDATE SET until = excluded.until, account_id = excluded.account_id, reason = excluded.reason
	WHERE r.until IS NOT NULL
$$;
REVOKE ALL ON FUNCTION roost_internal.handle_release(bigint, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.handle_release(bigint, text, text) IS 'Takes the user name from an account, unless it is keep; nobody else gets it for roost.account_handle_rest.';

CREATE OR REPLACE FUNCTION roost_internal.birth_date_check(birth_date date) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF birth_date > (roost_internal.clock_now() AT TIME ZONE 'UTC')::date + 1 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'birth_date', MESSAGE = 'the day of birth is in the future';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.birth_date_check(date) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.birth_date_check(date) IS 'Refuses a day of birth in the future with 22023; it may be tomorrow here and today elsewhere.';

CREATE OR REPLACE FUNCTION roost.account_update(
	actor_id roost.id,
	username roost.username DEFAULT NULL,
	display_name roost.display_name DEFAULT NULL,
	bio roost.bio DEFAULT NULL,
	avatar_url roost.url DEFAULT NULL,
	header_url roost.url DEFAULT NULL,
	birth_date roost.birth_date DEFAULT 'infinity',
	language roost.language DEFAULT NULL,
	is_private boolean DEFAULT NULL,
	message_policy roost.message_policy DEFAULT NULL
) RETURNS roost.me
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account roost_data.account;
BEGIN
	IF birth_date <> 'infinity' THEN
		PERFORM roost_internal.birth_date_check(birth_date);
	END IF;
	SELECT a.* INTO v_account FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active' FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	PERFORM roost_internal.audit_actor(actor_id, 'roost.account_update');
	IF pg_catalog.lower(username) <> pg_catalog.lower(v_account.username) THEN
		-- The new one first: two who take each other's do not wait in a circle.
		PERFORM roost_internal.handle_take(actor_id, username);
		PERFORM roost_internal.handle_release(actor_id, 'renamed', pg_catalog.lower(username));
	END IF;
	IF v_account.is_private AND NOT is_private THEN
		-- Before a filter may open a case: who reports the account holds it, and then the case.
		PERFORM roost_internal.account_hold_alone(actor_id);
	END IF;
	UPDATE roost_data.account a SET
		username = coalesce(account_update.username, a.username),
		display_name = coalesce(account_update.display_name, a.display_name),
		bio = coalesce(account_update.bio, a.bio),
		avatar_url = nullif(coalesce(account_update.avatar_url, a.avatar_url), ''),
		header_url = nullif(coalesce(account_update.header_url, a.header_url), ''),
		birth_date = CASE WHEN account_update.birth_date = 'infinity' THEN a.birth_date ELSE account_update.birth_date END,
		language = coalesce(account_update.language, a.language),
		is_private = coalesce(account_update.is_private, a.is_private),
		message_policy = coalesce(account_update.message_policy::text, a.message_policy),
		updated_at = roost_internal.clock_now()
	WHERE a.id = actor_id;
	RETURN roost_internal.account_me(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_update(roost.id, roost.username, roost.display_name, roost.bio, roost.url, roost.url, roost.birth_date, roost.language, boolean, roost.message_policy) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_update(roost.id, roost.username, roost.display_name, roost.bio, roost.url, roost.url, roost.birth_date, roost.language, boolean, roost.message_policy) IS 'Changes the fields of the actor''s account that are given. Empty text empties a field, null takes the birth_date away. The former user name stays reserved for the account for 30 days. 23505 if the user name is taken, 22023 for a birth_date in the future.';
SELECT roost_internal.route('PATCH', '/users/me', 'roost.account_update', limit_class => 'write');
