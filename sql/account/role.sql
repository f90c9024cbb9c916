-- Roles: what an account may do beyond what everybody may.  docs/safety.md
-- says what each permission allows.

CREATE OR REPLACE FUNCTION roost_internal.permission_list(OUT permission text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT unnest('{report.read,case.handle,post.moderate,account.read,account.address,account.limit,account.suspend,account.ban,account.role,appeal.decide,
		policy.read,policy.write,limit.read,limit.write,role.read,role.write,audit.read,health.read}'::text[])
$$;
REVOKE ALL ON FUNCTION roost_internal.permission_list() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.permission_list() IS 'The permissions that there are.';

CREATE OR REPLACE FUNCTION roost_internal.has_permission(account_id bigint, permission text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN EXISTS (
		SELECT FROM roost_data.account a JOIN roost_data.role_permission r ON r.role = a.role
		WHERE a.id = has_permission.account_id AND a.status = 'active' AND r.permission = has_permission.permission);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.has_permission(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.has_permission(bigint, text) IS 'Whether the account is active and its role has the permission.';

CREATE OR REPLACE FUNCTION roost_internal.permission_check(actor_id bigint, permission text, target_id bigint DEFAULT NULL) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT roost_internal.has_permission(actor_id, permission) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not allowed',
			DETAIL = pg_catalog.format('This takes the permission %s.', permission);
	ELSIF target_id IS NOT NULL AND coalesce((
			SELECT t.rank >= o.rank
			FROM roost_data.account a JOIN roost_data.role o ON o.name = a.role,
				roost_data.account b JOIN roost_data.role t ON t.name = b.role
			WHERE a.id = actor_id AND b.id = target_id), false) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not allowed',
			DETAIL = 'The account has the same or a higher rank.';
	END IF;
	PERFORM roost_internal.audit_actor(actor_id, permission);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.permission_check(bigint, text, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.permission_check(bigint, text, bigint) IS 'Raises 42501 unless the actor is active and its role has the permission, and, where a target is given, a higher rank than that account.';
