-- Taking everything along, and leaving.
--
-- A module contributes roost_internal.<module>_export(account_id bigint)
-- RETURNS jsonb and roost_internal.<module>_account_delete(account_id bigint);
-- both are found in the catalog by their names.

CREATE OR REPLACE FUNCTION roost_internal.account_hooks(suffix text) RETURNS TABLE (module text, function regprocedure)
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT left(p.proname, -length($1)), p.oid::regprocedure
	FROM pg_proc p
	WHERE p.pronamespace = 'roost_internal'::regnamespace AND right(p.proname, length($1)) = $1
		AND p.proargtypes = '20'::oidvector AND p.prokind = 'f'
	ORDER BY p.proname
$$;
REVOKE ALL ON FUNCTION roost_internal.account_hooks(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_hooks(text) IS 'The functions roost_internal.<module><suffix>(bigint), and the modules they speak for.';

CREATE OR REPLACE FUNCTION roost_internal.account_hold(account_id bigint, other_id bigint DEFAULT NULL) RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_account_hold';
REVOKE ALL ON FUNCTION roost_internal.account_hold(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_hold(bigint, bigint) IS 'Keeps one or two accounts from being deleted, or opened to everyone, until the end of the transaction: for what somebody does to another, and what must go when they go. What is read afterwards about their status still holds at the commit.';

CREATE OR REPLACE FUNCTION roost_internal.account_hold_alone(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT pg_catalog.pg_advisory_xact_lock(1919905651, pg_catalog.hashint8($1))
$$;
REVOKE ALL ON FUNCTION roost_internal.account_hold_alone(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_hold_alone(bigint) IS 'Waits for all that hold the account, and keeps others out until the end of the transaction. The row of the account is locked before.';

CREATE OR REPLACE FUNCTION roost_internal.account_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'profile', to_jsonb(roost_internal.account_me($1)) || jsonb_build_object('id', $1::text),
		'email', (SELECT jsonb_build_object('address', e.email, 'verified_at', e.verified_at, 'created_at', e.created_at)
			FROM roost_data.account_email e WHERE e.account_id = $1),
		'password_changed_at', (SELECT c.password_changed_at FROM roost_data.account_credential c WHERE c.account_id = $1),
		'devices', coalesce((SELECT jsonb_agg(to_jsonb(d) ORDER BY d.id)
			FROM (SELECT t.id::text, t.client_id, t.name, t.platform, t.created_at, t.last_seen_at FROM roost_data.device t WHERE t.account_id = $1) d), '[]'),
		'sessions', coalesce((SELECT jsonb_agg(to_jsonb(s) ORDER BY s.id)
			FROM (SELECT t.id::text, t.device_id::text, t.user_agent, host(t.address) AS address, t.created_at, t.last_used_at, t.expires_at, t.revoked_at
				FROM roost_data.session t WHERE t.account_id = $1) s), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.account_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_export(bigint) IS 'What the account module holds of an account, without secrets.';

CREATE OR REPLACE FUNCTION roost.account_export(actor_id roost.id) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_hook record;
	v_part jsonb;
	v_export jsonb := pg_catalog.jsonb_build_object('exported_at', roost_internal.clock_now());
BEGIN
	PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status <> 'deleted';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	FOR v_hook IN SELECT * FROM roost_internal.account_hooks('_export') LOOP
		EXECUTE pg_catalog.format('SELECT %s($1)', v_hook.function::regproc) INTO v_part USING actor_id::bigint;
		v_export := v_export || pg_catalog.jsonb_build_object(v_hook.module, v_part);
	END LOOP;
	RETURN v_export;
END
$$;
REVOKE ALL ON FUNCTION roost.account_export(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_export(roost.id) IS 'Everything roost holds of the actor, one field a module.';
SELECT roost_internal.route('GET', '/users/me/export', 'roost.account_export', limit_class => 'export', lane => 'slow', sensitive => true);

CREATE OR REPLACE FUNCTION roost.account_delete(actor_id roost.id, password roost.password, client_address inet DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.password_prove(actor_id, password, 'password', client_address);
	PERFORM roost_internal.account_erase(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_delete(roost.id, roost.password, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_delete(roost.id, roost.password, inet) IS 'Deletes the actor''s account and everything that belongs to it, for good. The user name stays reserved for 30 days. 42501 if the password is wrong, 53400 while locked after failed attempts.';
SELECT roost_internal.route('DELETE', '/users/me', 'roost.account_delete', limit_class => 'password', status => 204, lane => 'slow', cookies => true);

CREATE OR REPLACE FUNCTION roost_internal.account_erase(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_hook record;
BEGIN
	PERFORM roost_internal.account_notice_send(account_erase.account_id, 'account_deleted');
	PERFORM FROM roost_data.account a WHERE a.id = account_erase.account_id FOR NO KEY UPDATE;
	-- One at a time: two who leave at once may have followed and liked each other.
	PERFORM pg_catalog.pg_advisory_xact_lock(1919905650, 0);
	PERFORM roost_internal.account_hold_alone(account_erase.account_id);
	-- With them go keys of devices, and so the conversations are held: they come after the accounts.
	PERFORM roost_internal.session_revoke(account_erase.account_id);
	FOR v_hook IN SELECT * FROM roost_internal.account_hooks('_account_delete') LOOP
		EXECUTE pg_catalog.format('SELECT %s($1)', v_hook.function::regproc) USING account_erase.account_id;
	END LOOP;
	-- Again: who held something of the account may have written to it meanwhile.
	PERFORM roost_internal.job_account_delete(account_erase.account_id);
	PERFORM roost_internal.handle_release(account_erase.account_id, 'deleted');
	UPDATE roost_data.reserved_handle r SET account_id = NULL WHERE r.account_id = account_erase.account_id;
	DELETE FROM roost_data.account_credential t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.account_email t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.email_token t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.device t WHERE t.account_id = account_erase.account_id;
	-- Twice: the first one waits for who is folding slots, whose new slot only the second one sees.
	DELETE FROM roost_data.account_stat t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.account_stat t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.import_map t WHERE t.kind = 'account' AND t.id = account_erase.account_id;
	-- Addresses and user agents of the ended sessions; maintenance removes the rest.
	UPDATE roost_data.session t SET address = NULL, user_agent = NULL WHERE t.account_id = account_erase.account_id;
	UPDATE roost_data.account a SET
		username = 'deleted_' || a.id, display_name = '', bio = '', avatar_url = NULL, header_url = NULL, birth_date = NULL,
		language = 'en', is_private = false, is_verified = false, status = 'deleted', role = 'user', message_policy = 'everyone',
		updated_at = roost_internal.clock_now(), last_login_at = NULL, last_active_at = NULL,
		limited_at = NULL, suspended_until = NULL, suspended_for = NULL
	WHERE a.id = account_erase.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_erase(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_erase(bigint) IS 'Ends the sessions of an account, lets every module delete what it holds of it, and empties it.';

CREATE OR REPLACE FUNCTION roost_internal.account_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_rows bigint;
	v_count bigint := 0;
BEGIN
	-- Ended sessions stay a day longer than any access token of theirs.
	DELETE FROM roost_data.session s
	WHERE s.expires_at < v_now - interval '1 day' OR s.revoked_at < v_now - interval '1 day' - roost_internal.token_lifetime();
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	DELETE FROM roost_data.email_token t WHERE t.expires_at < v_now - interval '1 day';
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	DELETE FROM roost_data.device d
	WHERE d.client_id IS NULL AND d.last_seen_at < v_now - interval '1 day'
		AND NOT EXISTS (SELECT FROM roost_data.session s WHERE s.device_id = d.id);
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	DELETE FROM roost_data.reserved_handle r WHERE r.until < v_now;
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	PERFORM roost_internal.suspension_lift(a.id) FROM roost_data.account a WHERE a.suspended_until <= v_now ORDER BY a.id;
	RETURN v_count + v_rows + roost_internal.account_stat_fold();
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_maintenance() IS 'Deletes what has expired (sessions, tokens of mails, devices without a name of their own, reserved user names) folds counters, and ends suspensions whose time is over. Returns how many rows went away.';
