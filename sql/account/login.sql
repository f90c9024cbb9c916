-- Registering, logging in, refreshing, logging out.

CREATE OR REPLACE FUNCTION roost_internal.password_set(account_id bigint, password text, field text, username text, email text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_reason text := roost_internal.password_check(password, username, email);
BEGIN
	IF v_reason IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = field, MESSAGE = v_reason;
	END IF;
	INSERT INTO roost_data.account_credential AS c (account_id, password_hash, password_changed_at)
	VALUES (password_set.account_id, roost_internal.password_hash(password), roost_internal.clock_now())
	ON CONFLICT ON CONSTRAINT account_credential_pkey DO UPDATE
	SET password_hash = excluded.password_hash, password_changed_at = excluded.password_changed_at;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.password_set(bigint, text, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_set(bigint, text, text, text, text) IS 'Gives an account a password; 22023 naming the field, and why, if it is too weak.';

CREATE OR REPLACE FUNCTION roost_internal.email_ban_digest(email text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT sha256(convert_to(regexp_replace(lower($1), '\+[^@]*@', '@'), 'UTF8'))
$$;
REVOKE ALL ON FUNCTION roost_internal.email_ban_digest(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_ban_digest(text) IS 'The digest under which an address is banned; what follows a + before the @ does not count.';

CREATE OR REPLACE FUNCTION roost_internal.email_banned(email text, account_id bigint DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN EXISTS (SELECT FROM roost_data.banned_email b
		WHERE b.digest = roost_internal.email_ban_digest(email) AND b.account_id IS DISTINCT FROM email_banned.account_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.email_banned(text, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_banned(text, bigint) IS 'Whether an address is that of a banned account other than account_id.';

CREATE OR REPLACE FUNCTION roost.auth_register(
	username roost.username,
	email roost.email,
	password roost.password,
	display_name roost.display_name DEFAULT '',
	birth_date roost.birth_date DEFAULT NULL,
	language roost.language DEFAULT 'en',
	device roost.device_input DEFAULT NULL,
	client_address inet DEFAULT NULL,
	user_agent text DEFAULT NULL
) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_email text := pg_catalog.lower(email);
	v_id bigint := roost_internal.id_next();
BEGIN
	PERFORM roost_internal.birth_date_check(birth_date);
	IF roost_internal.email_banned(v_email) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'email', MESSAGE = 'this e-mail address cannot be used';
	END IF;
	PERFORM roost_internal.audit_actor(v_id, 'roost.auth_register');
	INSERT INTO roost_data.account (id, username, display_name, birth_date, language, created_at, updated_at)
	VALUES (v_id, username, coalesce(display_name, ''), birth_date, coalesce(language, 'en'), v_now, v_now);
	PERFORM roost_internal.handle_take(v_id, username);
	PERFORM roost_internal.password_set(v_id, password, 'password', username, v_email);
	INSERT INTO roost_data.account_email (email, account_id, created_at) VALUES (v_email, v_id, v_now);
	PERFORM roost_internal.email_verify_send(v_id, v_email);
	RETURN roost_internal.session_create(v_id, device, client_address, user_agent);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_register(roost.username, roost.email, roost.password, roost.display_name, roost.birth_date, roost.language, roost.device_input, inet, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_register(roost.username, roost.email, roost.password, roost.display_name, roost.birth_date, roost.language, roost.device_input, inet, text) IS 'Makes an account, logs it in and sends a mail to verify the address. The answer is the same whether or not the address belongs to an account already (then the mail says so). 23505 if the user name is taken, 22023 for a weak password (the message says why) or a birth_date in the future, 42501 for the verified address of a banned account.';
SELECT roost_internal.route('POST', '/auth/register', 'roost.auth_register', auth => 'none', limit_class => 'register', status => 201, lane => 'slow', cookies => true, sensitive => true);

CREATE OR REPLACE FUNCTION roost_internal.login_key(identifier text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT -1 - (pg_catalog.hashtextextended(pg_catalog.lower(pg_catalog.ltrim($1, '@')), 8712) & 9223372036854775807)
$$;
REVOKE ALL ON FUNCTION roost_internal.login_key(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_key(text) IS 'The number under which failed logins with a user name or e-mail address are counted: negative, so that it is no account''s. What belongs to nobody is locked like anything else, and so tells nothing.';

CREATE OR REPLACE FUNCTION roost_internal.login_candidates(identifier text) RETURNS TABLE (account_id bigint, status text, password_hash text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF identifier LIKE '_%@%' THEN
		-- Always two rows: who has verified the address, and who last named it.
		RETURN QUERY
		SELECT a.id, a.status::text, c.password_hash
		FROM (VALUES (true), (false)) AS kind (verified)
		LEFT JOIN LATERAL (
			SELECT e.account_id FROM roost_data.account_email e
			WHERE e.email = pg_catalog.lower(identifier) AND (e.verified_at IS NOT NULL) = kind.verified
			ORDER BY e.created_at DESC, e.account_id DESC LIMIT 1
		) e ON true
		LEFT JOIN roost_data.account a ON a.id = e.account_id
		LEFT JOIN roost_data.account_credential c ON c.account_id = a.id
		ORDER BY kind.verified DESC;
	ELSE
		RETURN QUERY
		SELECT a.id, a.status::text, c.password_hash
		FROM (VALUES (pg_catalog.lower(pg_catalog.ltrim(identifier, '@')))) AS wanted (username)
		LEFT JOIN roost_data.account_handle h ON h.username = wanted.username
		LEFT JOIN roost_data.account a ON a.id = h.account_id
		LEFT JOIN roost_data.account_credential c ON c.account_id = a.id;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.login_candidates(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_candidates(text) IS 'The accounts that may be meant by a user name (one row) or an e-mail address (two rows), with nulls where there is none, so that a login costs the same time in every case.';

CREATE OR REPLACE FUNCTION roost_internal.login_check(login_key bigint, client_address inet) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_seconds integer := roost_internal.login_locked(login_key, pg_catalog.host(client_address));
BEGIN
	IF v_seconds > 0 THEN
		PERFORM roost.response_header('Retry-After', v_seconds::text);
		RAISE EXCEPTION USING ERRCODE = '53400', MESSAGE = 'too many failed logins',
			DETAIL = pg_catalog.format('Logging in is refused for another %s seconds.', v_seconds),
			HINT = 'Wait, or set a new password by mail.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.login_check(bigint, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_check(bigint, inet) IS 'Refuses with 53400 while an account or address is locked after failed logins.';

CREATE OR REPLACE FUNCTION roost_internal.login_prove(identifier text, password text, client_address inet, status text DEFAULT NULL, OUT account_id bigint, OUT password_hash text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_key bigint := roost_internal.login_key(identifier);
	v_candidate record;
	v_matches boolean;
	v_meant bigint;
BEGIN
	-- One at a time for a name: guesses at once would all be made before the first one counts.
	PERFORM pg_catalog.pg_advisory_xact_lock(1919905649, pg_catalog.hashint8(v_key));
	PERFORM roost_internal.login_check(v_key, client_address);
	FOR v_candidate IN SELECT * FROM roost_internal.login_candidates(identifier) LOOP
		v_matches := CASE WHEN v_candidate.password_hash IS NULL THEN roost_internal.password_verify_dummy(password)
			ELSE roost_internal.password_verify(password, v_candidate.password_hash) END;
		v_meant := coalesce(v_meant, v_candidate.account_id);
		IF v_matches AND account_id IS NULL AND coalesce(v_candidate.status = login_prove.status, login_prove.status IS NULL) THEN
			account_id := v_candidate.account_id;
			password_hash := v_candidate.password_hash;
		END IF;
	END LOOP;
	IF account_id IS NULL THEN
		PERFORM roost_internal.login_failed(v_key, pg_catalog.host(client_address));
		PERFORM roost_internal.audit_login_failed(v_meant);
		RAISE EXCEPTION USING ERRCODE = '28P01', MESSAGE = 'wrong user name, e-mail address or password';
	END IF;
	PERFORM roost_internal.login_succeeded(v_key);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.login_prove(text, text, inet, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_prove(text, text, inet, text) IS 'The account, active or suspended (status: which of them is wanted, null for either), whose name and password these are, and its password hash. 28P01 if they do not belong together, or to an account of another status, 53400 while locked after failed logins.';

CREATE OR REPLACE FUNCTION roost_internal.suspension_lift(account_id bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_until timestamptz;
BEGIN
	SELECT a.suspended_until INTO v_until FROM roost_data.account a
	WHERE a.id = suspension_lift.account_id AND a.status = 'suspended' AND a.suspended_until <= roost_internal.clock_now()
	FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	UPDATE roost_data.account a SET status = 'active', suspended_until = NULL, suspended_for = NULL WHERE a.id = suspension_lift.account_id;
	PERFORM roost_internal.audit_add('account.suspension_end', 'account', account_id, jsonb_build_object('until', v_until));
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.suspension_lift(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.suspension_lift(bigint) IS 'Ends the suspension of an account whose time is over; false if there is nothing to end.';

CREATE OR REPLACE FUNCTION roost_internal.login_admit(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account roost_data.account;
BEGIN
	SELECT a.* INTO v_account FROM roost_data.account a WHERE a.id = login_admit.account_id;
	IF v_account.status = 'suspended' AND NOT roost_internal.suspension_lift(v_account.id) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is suspended',
			DETAIL = CASE WHEN v_account.suspended_until IS NULL THEN 'It is suspended for good.'
				ELSE format('It is suspended until %s.', to_char(v_account.suspended_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) END
				|| coalesce(' ' || nullif(v_account.suspended_for, ''), ''),
			HINT = 'To object, send identifier, password and text to POST /appeals.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.login_admit(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_admit(bigint) IS 'Refuses (42501) a suspended account, saying until when, why, and how to appeal; ends a suspension whose time is over. Only for who has proved to own it.';

CREATE OR REPLACE FUNCTION roost.auth_login(
	identifier roost.login_identifier,
	password roost.password,
	device roost.device_input DEFAULT NULL,
	client_address inet DEFAULT NULL,
	user_agent text DEFAULT NULL
) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_found record;
BEGIN
	SELECT * INTO v_found FROM roost_internal.login_prove(identifier, password, client_address);
	PERFORM roost_internal.login_admit(v_found.account_id);
	IF roost_internal.password_needs_rehash(v_found.password_hash) THEN
		UPDATE roost_data.account_credential c SET password_hash = roost_internal.password_hash(password)
		WHERE c.account_id = v_found.account_id AND c.password_hash = v_found.password_hash;
	END IF;
	RETURN roost_internal.session_create(v_found.account_id, device, client_address, user_agent);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_login(roost.login_identifier, roost.password, roost.device_input, inet, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_login(roost.login_identifier, roost.password, roost.device_input, inet, text) IS 'Logs in with a user name or e-mail address. 28P01 if they do not belong together (the answer does not tell which is wrong), 53400 while locked after failed logins (Retry-After in seconds), 42501 if the account is suspended (the answer says until when, why, and how to appeal).';
SELECT roost_internal.route('POST', '/auth/login', 'roost.auth_login', auth => 'none', limit_class => 'login', lane => 'slow', cookies => true, sensitive => true);

CREATE OR REPLACE FUNCTION roost.auth_refresh(
	refresh_token roost.secret_token,
	client_address inet DEFAULT NULL,
	user_agent text DEFAULT NULL
) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_session roost_data.session;
	v_next text;
BEGIN
	-- The lock puts requests with tokens of one family in a row.
	SELECT s.* INTO v_session
	FROM roost_data.session s JOIN roost_data.account a ON a.id = s.account_id
	WHERE s.id = pg_catalog.substring(refresh_token, '^([0-9]{1,18})\.')::bigint
		AND s.revoked_at IS NULL AND s.expires_at > v_now AND a.status = 'active'
	FOR NO KEY UPDATE OF s;
	IF roost_internal.token_digest(refresh_token) IS DISTINCT FROM roost_internal.token_digest(
		roost_internal.refresh_token_make(v_session.id, v_session.refresh_key, pg_catalog.split_part(refresh_token, '.', 2)))
		OR roost_internal.session_killed(v_session.id) THEN
		RAISE EXCEPTION USING ERRCODE = '28000', COLUMN = 'refresh_token', MESSAGE = 'the refresh token is not valid', HINT = 'Log in again.';
	END IF;

	v_next := roost_internal.refresh_token_next(v_session.id, v_session.refresh_key, refresh_token);
	IF roost_internal.token_digest(refresh_token) = v_session.refresh_digest THEN
		UPDATE roost_data.session s SET
			refresh_digest = roost_internal.token_digest(v_next),
			former_digest = v_session.refresh_digest,
			refreshed_at = v_now,
			last_used_at = v_now,
			expires_at = v_now + pg_catalog.current_setting('roost.token_refresh_ttl')::interval,
			address = coalesce(client_address, s.address),
			user_agent = coalesce(pg_catalog.left(auth_refresh.user_agent, 300), s.user_agent)
		WHERE s.id = v_session.id;
		-- Whoever logs in on the device holds it, and waits for the session.
		UPDATE roost_data.device d SET last_seen_at = v_now
		WHERE d.id = (SELECT t.id FROM roost_data.device t WHERE t.id = v_session.device_id FOR NO KEY UPDATE SKIP LOCKED);
		PERFORM roost_internal.account_touch(v_session.account_id);
	ELSIF roost_internal.token_digest(refresh_token) IS DISTINCT FROM v_session.former_digest
		OR v_session.refreshed_at <= v_now - pg_catalog.current_setting('roost.account_reuse_window')::interval THEN
		PERFORM roost_internal.session_kill(v_session.id);
		RAISE EXCEPTION USING ERRCODE = '28000', COLUMN = 'refresh_token', MESSAGE = 'the refresh token was used before',
			DETAIL = 'The session has ended, because somebody else may have a copy of the token.', HINT = 'Log in again.';
	END IF;
	RETURN roost_internal.session_token(v_session.account_id, v_session.id, v_session.device_id, v_next);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_refresh(roost.secret_token, inet, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_refresh(roost.secret_token, inet, text) IS 'Exchanges a refresh token (over HTTP it may come as the cookie roost_refresh) for the next pair of tokens. The old one gives the same pair again for 10 seconds, for tabs that refresh at the same time; used later, it ends the session. 28000 if it is not valid.';
SELECT roost_internal.route('POST', '/auth/refresh', 'roost.auth_refresh', auth => 'none', limit_class => 'refresh', cookies => true, sensitive => true);

CREATE OR REPLACE FUNCTION roost.auth_logout(actor_id roost.id, session_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.audit_actor(actor_id, 'roost.auth_logout');
	PERFORM roost_internal.session_revoke(actor_id, ARRAY[session_id::bigint]);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_logout(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_logout(roost.id, roost.id) IS 'Ends the session that asks; its tokens end at once.';
SELECT roost_internal.route('POST', '/auth/logout', 'roost.auth_logout', status => 204, cookies => true);

CREATE OR REPLACE FUNCTION roost.auth_logout_all(actor_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.audit_actor(actor_id, 'roost.auth_logout_all');
	PERFORM roost_internal.session_revoke(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_logout_all(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_logout_all(roost.id) IS 'Ends all of the actor''s sessions, also the one that asks.';
SELECT roost_internal.route('POST', '/auth/logout-all', 'roost.auth_logout_all', status => 204, cookies => true);
