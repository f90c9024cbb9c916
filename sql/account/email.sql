-- Proving an e-mail address, forgotten passwords, changed passwords.

CREATE OR REPLACE FUNCTION roost_internal.email_token_send(
	account_id bigint,
	purpose text,
	email text,
	template text,
	lifetime interval,
	keep boolean DEFAULT true
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_token text := roost_internal.random_token(32);
	v_account roost_data.account;
BEGIN
	PERFORM roost_internal.account_hold(email_token_send.account_id);
	SELECT a.* INTO v_account FROM roost_data.account a WHERE a.id = email_token_send.account_id;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	INSERT INTO roost_data.email_token (digest, account_id, purpose, email, created_at, expires_at)
	VALUES (roost_internal.token_digest(v_token), v_account.id, purpose, email, v_now, v_now + lifetime);
	PERFORM roost_internal.mail_add(email, template, v_account.language, jsonb_build_object(
		'username', v_account.username,
		'display_name', coalesce(nullif(v_account.display_name, ''), v_account.username),
		'token', v_token,
		'hours', ceil(date_part('epoch', lifetime) / 3600)), v_account.id);
	-- No address is flooded, by however many accounts that name it.
	IF EXISTS (
		SELECT FROM roost_data.email_token t WHERE t.email = email_token_send.email AND t.created_at > v_now - interval '1 hour'
		OFFSET current_setting('roost.account_mail_limit')::integer) OR NOT keep OR v_account.status = 'deleted' THEN
		RAISE EXCEPTION USING ERRCODE = 'RO000';
	END IF;
EXCEPTION WHEN SQLSTATE 'RO000' THEN
	-- Undone, after the same work: the time of the answer tells nothing.
END
$$;
REVOKE ALL ON FUNCTION roost_internal.email_token_send(bigint, text, text, text, interval, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_token_send(bigint, text, text, text, interval, boolean) IS 'Makes a token for an account and address, and a mail that carries it. Beyond roost.account_mail_limit of them an hour for one address, without keep, or of a deleted account, nothing is left of it.';

CREATE OR REPLACE FUNCTION roost_internal.email_verify_send(account_id bigint, email text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_taken boolean := EXISTS (
		SELECT FROM roost_data.account_email e
		WHERE e.email = email_verify_send.email AND e.verified_at IS NOT NULL AND e.account_id <> email_verify_send.account_id);
BEGIN
	-- The same work in both cases; the mail "address_taken" does not show the token.
	PERFORM roost_internal.email_token_send(email_verify_send.account_id, 'verify', email_verify_send.email,
		CASE WHEN v_taken THEN 'address_taken' ELSE 'verify_email' END,
		pg_catalog.current_setting('roost.account_verify_lifetime')::interval);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.email_verify_send(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_verify_send(bigint, text) IS 'Sends the mail with which an account proves an address; or, if another account has proved it, one that says so. The caller cannot tell which.';

CREATE OR REPLACE FUNCTION roost_internal.account_notice_send(account_id bigint, template text) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT roost_internal.mail_add(e.email, $2, a.language, jsonb_build_object(
		'username', a.username, 'display_name', coalesce(nullif(a.display_name, ''), a.username)),
		CASE WHEN $2 <> 'account_deleted' THEN a.id END)
	FROM roost_data.account a
	JOIN roost_data.account_email e ON e.account_id = a.id
	WHERE a.id = $1 AND e.verified_at IS NOT NULL
$$;
REVOKE ALL ON FUNCTION roost_internal.account_notice_send(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_notice_send(bigint, text) IS 'Sends a mail without a token to the verified address of an account, if it has one.';

CREATE OR REPLACE FUNCTION roost_internal.email_token_take(token text, purpose text) RETURNS roost_internal.email_token_owner
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_owner roost_internal.email_token_owner;
	v_used boolean;
BEGIN
	-- The account first: whoever changes credentials holds its lock.
	SELECT t.account_id INTO v_account_id FROM roost_data.email_token t WHERE t.digest = roost_internal.token_digest(token);
	PERFORM FROM roost_data.account a WHERE a.id = v_account_id AND a.status = 'active' FOR NO KEY UPDATE;
	IF FOUND THEN
		PERFORM roost_internal.audit_actor(v_account_id, 'a mail''s ' || purpose || ' token');
		UPDATE roost_data.email_token t SET used_at = roost_internal.clock_now()
		WHERE t.digest = roost_internal.token_digest(token) AND t.purpose = email_token_take.purpose
			AND t.used_at IS NULL AND t.expires_at > roost_internal.clock_now()
		RETURNING t.account_id, t.email INTO v_owner;
	END IF;
	IF v_owner.account_id IS NULL THEN
		SELECT t.used_at IS NOT NULL INTO v_used FROM roost_data.email_token t
		WHERE t.digest = roost_internal.token_digest(token) AND t.purpose = email_token_take.purpose
			AND (t.used_at IS NOT NULL OR t.expires_at <= roost_internal.clock_now());
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'token', MESSAGE = 'the token is not valid',
			DETAIL = CASE WHEN v_used THEN 'It was used before.' WHEN NOT v_used THEN 'It has expired.'
				ELSE 'It is incomplete, or of an older mail that no longer counts.' END, HINT = 'Ask for a new mail.';
	END IF;
	RETURN v_owner;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.email_token_take(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_token_take(text, text) IS 'Uses a token from a mail up, locks its account, and returns which account and address it stands for. 22023 if it is not valid; the detail says whether it was used or has expired, as long as it is kept.';

CREATE OR REPLACE FUNCTION roost_internal.email_token_drop(account_id bigint, email text) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_data.email_token t
	WHERE t.account_id = $1 AND t.used_at IS NULL AND (t.purpose = 'reset' OR t.email IS DISTINCT FROM $2)
$$;
REVOKE ALL ON FUNCTION roost_internal.email_token_drop(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_token_drop(bigint, text) IS 'Makes the tokens in mails worthless that whoever knew the former password may have asked for: those that set a password, and those that bring another address.';

CREATE OR REPLACE FUNCTION roost_internal.email_verified(account_id bigint, email text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF roost_internal.email_banned(email, account_id) THEN
		RETURN false;
	END IF;
	UPDATE roost_data.account_email e SET email = email_verified.email, verified_at = roost_internal.clock_now()
	WHERE e.account_id = email_verified.account_id AND (e.verified_at IS NULL OR e.email <> email_verified.email);
	RETURN true;
EXCEPTION WHEN unique_violation THEN
	RETURN false;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.email_verified(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_verified(bigint, text) IS 'Makes an address the verified one of an account. False if another account has verified it, or it is that of a banned account.';

CREATE OR REPLACE FUNCTION roost.auth_verify_email(token roost.secret_token) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_owner roost_internal.email_token_owner := roost_internal.email_token_take(token, 'verify');
	v_former text;
BEGIN
	SELECT e.email INTO v_former FROM roost_data.account_email e
	WHERE e.account_id = v_owner.account_id AND e.verified_at IS NOT NULL AND e.email <> v_owner.email;
	IF v_former IS NOT NULL THEN
		PERFORM roost_internal.account_notice_send(v_owner.account_id, 'email_changed');
	END IF;
	IF NOT roost_internal.email_verified(v_owner.account_id, v_owner.email) THEN
		RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'token', MESSAGE = 'the e-mail address belongs to another account';
	END IF;
	DELETE FROM roost_data.email_token t WHERE t.account_id = v_owner.account_id AND t.purpose = 'verify' AND t.used_at IS NULL;
END
$$;
REVOKE ALL ON FUNCTION roost.auth_verify_email(roost.secret_token) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_verify_email(roost.secret_token) IS 'Proves an e-mail address with the token from the mail; from now on it is the account''s address. 22023 if the token is not valid, 23505 if another account has proved the address meanwhile.';
SELECT roost_internal.route('POST', '/auth/verify-email', 'roost.auth_verify_email', auth => 'none', limit_class => 'login', status => 204);

CREATE OR REPLACE FUNCTION roost.auth_resend_verification(actor_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.email_verify_send(e.account_id, e.email)
	FROM roost_data.account_email e
	WHERE e.account_id = actor_id AND e.verified_at IS NULL;
END
$$;
REVOKE ALL ON FUNCTION roost.auth_resend_verification(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_resend_verification(roost.id) IS 'Sends the actor another mail to verify the address, unless it is verified.';
SELECT roost_internal.route('POST', '/auth/resend-verification', 'roost.auth_resend_verification', limit_class => 'mail', status => 204);

CREATE OR REPLACE FUNCTION roost_internal.password_prove(actor_id bigint, password text, field text, client_address inet) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_hash text;
BEGIN
	PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active' FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	PERFORM roost_internal.login_check(actor_id, client_address);
	SELECT c.password_hash INTO v_hash FROM roost_data.account_credential c WHERE c.account_id = actor_id;
	IF roost_internal.password_verify(password, v_hash) IS NOT TRUE THEN
		PERFORM roost_internal.login_failed(actor_id, pg_catalog.host(client_address));
		PERFORM roost_internal.audit_login_failed(actor_id);
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = field, MESSAGE = 'the password is wrong';
	END IF;
	PERFORM roost_internal.login_succeeded(actor_id);
	PERFORM roost_internal.audit_actor(actor_id, 'the password');
END
$$;
REVOKE ALL ON FUNCTION roost_internal.password_prove(bigint, text, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_prove(bigint, text, text, inet) IS 'Locks the account and checks that the actor knows its password: 42501 if not, 53400 while locked after failed attempts.';

CREATE OR REPLACE FUNCTION roost.auth_change_email(actor_id roost.id, email roost.email, password roost.password, client_address inet DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.password_prove(actor_id, password, 'password', client_address);
	PERFORM roost_internal.email_verify_send(actor_id, pg_catalog.lower(email));
END
$$;
REVOKE ALL ON FUNCTION roost.auth_change_email(roost.id, roost.email, roost.password, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_change_email(roost.id, roost.email, roost.password, inet) IS 'Sends a mail to a new address; once its link is opened, that address is the account''s. Until then the former one stays. 42501 if the password is wrong, 53400 while locked after failed attempts.';
SELECT roost_internal.route('POST', '/auth/change-email', 'roost.auth_change_email', limit_class => 'password', status => 204, lane => 'slow');

CREATE OR REPLACE FUNCTION roost.auth_change_password(
	actor_id roost.id,
	session_id roost.id,
	current_password roost.password,
	new_password roost.password,
	client_address inet DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account roost.me;
BEGIN
	PERFORM roost_internal.password_prove(actor_id, current_password, 'current_password', client_address);
	v_account := roost_internal.account_me(actor_id);
	PERFORM roost_internal.password_set(actor_id, new_password, 'new_password', v_account.username, v_account.email);
	PERFORM roost_internal.session_revoke(actor_id, keep_id => session_id);
	PERFORM roost_internal.email_token_drop(actor_id, v_account.email);
	PERFORM roost_internal.account_notice_send(actor_id, 'password_changed');
END
$$;
REVOKE ALL ON FUNCTION roost.auth_change_password(roost.id, roost.id, roost.password, roost.password, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_change_password(roost.id, roost.id, roost.password, roost.password, inet) IS 'Changes the actor''s password and ends all sessions but session_id. 42501 if the current one is wrong, 22023 if the new one is weak (the message says why), 53400 while locked after failed attempts.';
SELECT roost_internal.route('POST', '/auth/change-password', 'roost.auth_change_password', limit_class => 'password', status => 204, lane => 'slow');

CREATE OR REPLACE FUNCTION roost.auth_forgot_password(email roost.email) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_email text := pg_catalog.lower(email);
	v_account_id bigint;
BEGIN
	SELECT e.account_id INTO v_account_id
	FROM roost_data.account_email e
	JOIN roost_data.account a ON a.id = e.account_id AND a.status = 'active'
	WHERE e.email = v_email
	ORDER BY e.verified_at IS NULL, e.created_at DESC, e.account_id DESC
	LIMIT 1;
	PERFORM roost_internal.email_token_send(coalesce(v_account_id, (SELECT min(a.id) FROM roost_data.account a)), 'reset', v_email,
		'reset_password', current_setting('roost.account_reset_lifetime')::interval, keep => v_account_id IS NOT NULL);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_forgot_password(roost.email) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_forgot_password(roost.email) IS 'Sends a mail to set a new password, if the address belongs to an account. The answer and its time are the same if not.';
SELECT roost_internal.route('POST', '/auth/forgot-password', 'roost.auth_forgot_password', auth => 'none', limit_class => 'mail', status => 204, lane => 'slow');

CREATE OR REPLACE FUNCTION roost.auth_reset_password(token roost.secret_token, password roost.password) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_owner roost_internal.email_token_owner := roost_internal.email_token_take(token, 'reset');
	v_account roost.me := roost_internal.account_me(v_owner.account_id);
BEGIN
	PERFORM roost_internal.password_set(v_owner.account_id, password, 'password', v_account.username, v_account.email);
	PERFORM roost_internal.session_revoke(v_owner.account_id);
	PERFORM roost_internal.email_token_drop(v_owner.account_id, v_account.email);
	-- Whoever opened the link reads the mail of that address.
	IF v_account.email = v_owner.email THEN
		PERFORM roost_internal.email_verified(v_owner.account_id, v_owner.email);
	END IF;
	PERFORM roost_internal.login_succeeded(v_owner.account_id);
	PERFORM roost_internal.login_succeeded(roost_internal.login_key(v_owner.email));
	PERFORM roost_internal.login_succeeded(roost_internal.login_key(v_account.username));
	PERFORM roost_internal.account_notice_send(v_owner.account_id, 'password_changed');
END
$$;
REVOKE ALL ON FUNCTION roost.auth_reset_password(roost.secret_token, roost.password) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_reset_password(roost.secret_token, roost.password) IS 'Sets a new password with the token from the mail, ends all sessions of the account and unlocks it. 22023 if the token is not valid, or the password is weak (the message says why; the token stays valid).';
SELECT roost_internal.route('POST', '/auth/reset-password', 'roost.auth_reset_password', auth => 'none', limit_class => 'password', status => 204, lane => 'slow');
