-- Failed logins.

CREATE OR REPLACE FUNCTION roost_internal.login_failed(login_key bigint, address text) RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_lockout_failed';
REVOKE ALL ON FUNCTION roost_internal.login_failed(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_failed(bigint, text) IS 'Counts a failed login of an account, or of whatever number stands for it, and of an IPv4 or IPv6 address; either may be null. Takes effect at once, also if the transaction fails.';

CREATE OR REPLACE FUNCTION roost_internal.login_unlock(login_key bigint, address text) RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_lockout_unlock';
REVOKE ALL ON FUNCTION roost_internal.login_unlock(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_unlock(bigint, text) IS 'Forgets the failed logins of an account and of an address, and unlocks them; either may be null. Takes effect at once.';

CREATE OR REPLACE FUNCTION roost_internal.login_succeeded(login_key bigint) RETURNS void
LANGUAGE sql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $$ SELECT roost_internal.login_unlock(login_key, NULL) $$;
REVOKE ALL ON FUNCTION roost_internal.login_succeeded(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_succeeded(bigint) IS 'Forgets the failed logins of an account after a successful one. The address stays: its owner might be guessing passwords of others in between.';

CREATE OR REPLACE FUNCTION roost_internal.login_locked(login_key bigint, address text) RETURNS integer
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_lockout_locked';
REVOKE ALL ON FUNCTION roost_internal.login_locked(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_locked(bigint, text) IS 'For how many more seconds logins of an account, or from an address, are refused; null when they are not.';

CREATE OR REPLACE FUNCTION roost_internal.lockout_stat(OUT kind text, OUT account_id bigint, OUT failures integer, OUT last_failed_at timestamptz, OUT locked_until timestamptz) RETURNS SETOF record
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_lockout_stat';
REVOKE ALL ON FUNCTION roost_internal.lockout_stat() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.lockout_stat() IS 'The rows of roost.stat_lockout.';

CREATE OR REPLACE VIEW roost.stat_lockout AS SELECT * FROM roost_internal.lockout_stat();
COMMENT ON VIEW roost.stat_lockout IS 'Accounts and addresses with failed logins that are not forgotten yet, and until when they are locked (null: never were). Addresses, and names that nobody has, are not shown: account_id is null for them.';

CREATE OR REPLACE FUNCTION roost_internal.lockout_save(kinds text[], keys bigint[], failures integer[], last_failed_at timestamptz[], locked_until timestamptz[]) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_data.login_lockout l
	USING unnest(kinds, keys, lockout_save.failures) AS u (kind, key, failures)
	WHERE l.kind = u.kind AND l.key = u.key AND u.failures = 0;
	INSERT INTO roost_data.login_lockout (kind, key, failures, last_failed_at, locked_until)
	SELECT u.kind, u.key, u.failures, u.last_failed_at, nullif(u.locked_until, 'epoch')
	FROM unnest(kinds, keys, lockout_save.failures, lockout_save.last_failed_at, lockout_save.locked_until) AS u (kind, key, failures, last_failed_at, locked_until)
	WHERE u.failures > 0
	ON CONFLICT (kind, key) DO UPDATE SET failures = excluded.failures, last_failed_at = excluded.last_failed_at, locked_until = excluded.locked_until
$$;
REVOKE ALL ON FUNCTION roost_internal.lockout_save(text[], bigint[], integer[], timestamptz[], timestamptz[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.lockout_save(text[], bigint[], integer[], timestamptz[], timestamptz[]) IS 'Saves counters of failed logins; called by the worker. Those with no failures left are deleted.';

CREATE OR REPLACE FUNCTION roost_internal.lockout_maintenance() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH purged AS (
		DELETE FROM roost_data.login_lockout l
		WHERE greatest(l.last_failed_at, l.locked_until) + current_setting('roost.lockout_decay')::interval < now()
		RETURNING 1
	)
	SELECT count(*) FROM purged
$$;
REVOKE ALL ON FUNCTION roost_internal.lockout_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.lockout_maintenance() IS 'Deletes failed logins that are forgotten; returns how many. Part of roost.maintenance_run().';
