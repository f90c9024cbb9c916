-- Revocation of access tokens.

CREATE OR REPLACE FUNCTION roost_internal.session_revoked(session_id bigint) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_revocation_check_sql';
REVOKE ALL ON FUNCTION roost_internal.session_revoked(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_revoked(bigint) IS 'Whether the access tokens of a session are refused; also takes the id of an account.';

CREATE OR REPLACE FUNCTION roost_internal.session_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		IF OLD.revoked_at IS NULL AND OLD.expires_at > now() THEN
			INSERT INTO roost_data.revocation (id) VALUES (OLD.id) ON CONFLICT DO NOTHING;
		END IF;
	ELSIF NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL THEN
		INSERT INTO roost_data.revocation (id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
	ELSIF NEW.revoked_at IS NULL AND OLD.revoked_at IS NOT NULL THEN
		DELETE FROM roost_data.revocation r WHERE r.id = NEW.id;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.session_changed() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_changed() IS 'AFTER ROW trigger for UPDATE OF revoked_at OR DELETE on roost_data.session: ends the session''s access tokens at commit when it is revoked or deleted.';

CREATE OR REPLACE FUNCTION roost_internal.account_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		INSERT INTO roost_data.revocation (id) VALUES (OLD.id) ON CONFLICT DO NOTHING;
	ELSIF NEW.status <> 'active' AND OLD.status = 'active' THEN
		INSERT INTO roost_data.revocation (id) VALUES (NEW.id)
		ON CONFLICT (id) DO UPDATE SET revoked_at = excluded.revoked_at, expires_at = excluded.expires_at;
		UPDATE roost_data.session s SET revoked_at = now() WHERE s.account_id = NEW.id AND s.revoked_at IS NULL;
	ELSIF NEW.status = 'active' AND OLD.status <> 'active' THEN
		DELETE FROM roost_data.revocation r WHERE r.id = NEW.id;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_changed() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_changed() IS 'AFTER ROW trigger for UPDATE OF status OR DELETE on roost_data.account: an account that is no longer active loses all its sessions and access tokens at commit, also those being issued at that moment.';

CREATE OR REPLACE FUNCTION roost_internal.token_maintenance() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH purged AS (DELETE FROM roost_data.revocation r WHERE r.expires_at < now() RETURNING 1),
		retired AS (DELETE FROM roost_data.signing_key k WHERE k.retired_at < now() RETURNING 1)
	SELECT (SELECT count(*) FROM purged) + (SELECT count(*) FROM retired)
$$;
REVOKE ALL ON FUNCTION roost_internal.token_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.token_maintenance() IS 'Deletes revocations and signing keys that no token can need any more; returns how many. Part of roost.maintenance_run().';
