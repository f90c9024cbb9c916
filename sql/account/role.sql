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

-- Who changes what roles allow, or who has them, does so one at a time: it
-- writes the row of the role user last, as a guard.

CREATE OR REPLACE FUNCTION roost_internal.role_write_kept() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.role r SET rank = r.rank WHERE r.name = 'user';
	IF NOT EXISTS (
		SELECT FROM roost_data.role_permission p JOIN roost_data.account a ON a.role = p.role AND a.role <> 'user' AND a.status = 'active'
		WHERE p.permission = 'role.write')
	THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'no account could change roles any more',
			DETAIL = 'This would take the permission role.write from the last active account that has it.',
			HINT = 'Give it to another account first.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.role_write_kept() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.role_write_kept() IS 'Raises 55000 unless an active account has the permission role.write, after what this transaction has done. Two that ask at once wait for each other; with a snapshot of its own kept (REPEATABLE READ) the later one fails.';

CREATE OR REPLACE FUNCTION roost_internal.account_role_there() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM FROM roost_data.role r WHERE r.name = NEW.role FOR KEY SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '23503', COLUMN = 'role', MESSAGE = pg_catalog.format('role "%s" does not exist', NEW.role);
	END IF;
	RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_role_there() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_role_there() IS 'Row trigger of roost_data.account: refuses (23503) a role that there is not, and keeps it until the end of the transaction.';

CREATE OR REPLACE FUNCTION roost_internal.account_role_kept() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF EXISTS (SELECT FROM roost_data.role_permission p WHERE p.role = OLD.role AND p.permission = 'role.write')
		AND NOT EXISTS (SELECT FROM roost_data.role_permission p WHERE NEW.status = 'active' AND p.role = NEW.role AND p.permission = 'role.write')
	THEN
		PERFORM roost_internal.role_write_kept();
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_role_kept() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_role_kept() IS 'Row trigger of roost_data.account: refuses (55000) to take the permission role.write from the last active account that has it: by another role, suspension or deletion.';

CREATE OR REPLACE FUNCTION roost_internal.role_unused() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF OLD.name = 'user' OR EXISTS (SELECT FROM roost_data.account a WHERE a.role = OLD.name AND a.role <> 'user') THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'name', MESSAGE = pg_catalog.format('role "%s" is in use', OLD.name),
			HINT = 'Give its accounts another role first.';
	END IF;
	RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.role_unused() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.role_unused() IS 'Row trigger of roost_data.role: refuses (55000) to delete or rename the role user, and one that an account has.';

CREATE OR REPLACE FUNCTION roost.permission_list(actor_id roost.id) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'role.read');
	RETURN QUERY SELECT p.permission FROM roost_internal.permission_list() p;
END
$$;
REVOKE ALL ON FUNCTION roost.permission_list(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.permission_list(roost.id) IS 'The permissions that a role may have. 42501 without the permission role.read.';
SELECT roost_internal.route('GET', '/admin/permissions', 'roost.permission_list', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost_internal.role_get(name text) RETURNS roost.role
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_role roost.role;
BEGIN
	SELECT r.name, r.rank, r.description, ARRAY(SELECT p.permission FROM roost_data.role_permission p WHERE p.role = r.name ORDER BY p.permission),
		CASE WHEN r.name <> 'user' THEN (SELECT count(*) FROM roost_data.account a WHERE a.role = r.name AND a.role <> 'user') END
	INTO v_role FROM roost_data.role r WHERE r.name = role_get.name;
	RETURN v_role;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.role_get(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.role_get(text) IS 'A role; null if there is none.';

CREATE OR REPLACE FUNCTION roost.role_list(actor_id roost.id) RETURNS SETOF roost.role
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'role.read');
	RETURN QUERY SELECT g.* FROM roost_data.role r CROSS JOIN LATERAL roost_internal.role_get(r.name) g ORDER BY r.rank DESC, r.name;
END
$$;
REVOKE ALL ON FUNCTION roost.role_list(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.role_list(roost.id) IS 'The roles, those of the highest rank first. 42501 without the permission role.read.';
SELECT roost_internal.route('GET', '/admin/roles', 'roost.role_list', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost_internal.role_rank(account_id bigint) RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN coalesce((SELECT r.rank FROM roost_data.account a JOIN roost_data.role r ON r.name = a.role
		WHERE a.id = role_rank.account_id AND a.status = 'active'), 0);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.role_rank(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.role_rank(bigint) IS 'The rank of an active account''s role; 0 where there is none.';

CREATE OR REPLACE FUNCTION roost_internal.role_within(actor_id bigint, permissions text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_missing text;
BEGIN
	SELECT p.permission INTO v_missing FROM unnest(permissions) p (permission)
	WHERE NOT roost_internal.has_permission(actor_id, p.permission) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not allowed',
			DETAIL = pg_catalog.format('Nobody gives what they do not have themselves: the permission %s.', v_missing);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.role_within(bigint, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.role_within(bigint, text[]) IS 'Raises 42501 unless the actor has all these permissions itself.';

CREATE OR REPLACE FUNCTION roost.role_set(actor_id roost.id, name roost.role_name, rank integer, permissions text[], description text DEFAULT NULL) RETURNS roost.role
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_rank integer;
	v_unknown text;
	v_old roost.role;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'role.write');
	v_rank := roost_internal.role_rank(actor_id);
	SELECT p.permission INTO v_unknown FROM unnest(permissions) p (permission)
	WHERE p.permission IS NULL OR p.permission NOT IN (SELECT l.permission FROM roost_internal.permission_list() l) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'permissions', MESSAGE = pg_catalog.format('unknown permission "%s"', v_unknown);
	ELSIF role_set.rank IS NULL OR role_set.rank NOT BETWEEN 0 AND 1000 OR name = 'user' AND role_set.rank <> 0 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'rank', MESSAGE = 'invalid rank', DETAIL = 'A rank is between 0 and 1000; that of user is 0.';
	ELSIF name = 'user' AND cardinality(permissions) > 0 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'permissions', MESSAGE = 'everybody has the role user',
			HINT = 'Make a role of its own for this.';
	ELSIF permissions IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22004', COLUMN = 'permissions', MESSAGE = 'permissions are missing';
	ELSIF char_length(role_set.description) > 300 THEN
		RAISE EXCEPTION USING ERRCODE = '22001', COLUMN = 'description', MESSAGE = 'the description is longer than 300 characters';
	ELSIF role_set.rank >= v_rank THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'rank', MESSAGE = 'not allowed', DETAIL = 'The rank must be lower than one''s own.';
	END IF;
	PERFORM roost_internal.role_within(actor_id, permissions);
	INSERT INTO roost_data.role AS r (name, rank, description) VALUES (role_set.name, role_set.rank, coalesce(role_set.description, ''))
	-- Locked by this, or made: who deletes it at this moment was first.
	ON CONFLICT ON CONSTRAINT role_pkey DO UPDATE SET rank = r.rank;
	v_old := roost_internal.role_get(role_set.name);
	IF v_old.rank >= v_rank THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not allowed', DETAIL = 'The role has the same or a higher rank than one''s own.';
	END IF;
	UPDATE roost_data.role r SET rank = role_set.rank, description = coalesce(role_set.description, r.description) WHERE r.name = role_set.name;
	DELETE FROM roost_data.role_permission p WHERE p.role = role_set.name AND p.permission <> ALL (role_set.permissions);
	INSERT INTO roost_data.role_permission (role, permission)
	SELECT DISTINCT role_set.name, u.permission COLLATE "C" FROM unnest(role_set.permissions) u (permission)
	ON CONFLICT DO NOTHING;
	PERFORM roost_internal.role_write_kept();
	RETURN roost_internal.role_get(role_set.name);
END
$$;
REVOKE ALL ON FUNCTION roost.role_set(roost.id, roost.role_name, integer, text[], text) FROM PUBLIC;
COMMENT ON FUNCTION roost.role_set(roost.id, roost.role_name, integer, text[], text) IS 'Makes a role or changes it: its rank (0 to 1000, lower than that of the actor''s own role), all its permissions (none that the actor has not), and its description (null: as it is). Takes effect at once for all who have it. 42501 without the permission role.write, or above one''s own role; 22023 unknown permission, or one for the role user, which everybody has.';
SELECT roost_internal.route('PUT', '/admin/roles/:name', 'roost.role_set', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.role_delete(actor_id roost.id, name roost.role_name) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_old roost.role;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'role.write');
	PERFORM FROM roost_data.role r WHERE r.name = role_delete.name FOR UPDATE;
	v_old := roost_internal.role_get(name);
	IF v_old.name IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'name', MESSAGE = 'the role does not exist';
	ELSIF v_old.rank >= roost_internal.role_rank(actor_id) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not allowed', DETAIL = 'The role has the same or a higher rank than one''s own.';
	END IF;
	DELETE FROM roost_data.role r WHERE r.name = role_delete.name;
END
$$;
REVOKE ALL ON FUNCTION roost.role_delete(roost.id, roost.role_name) FROM PUBLIC;
COMMENT ON FUNCTION roost.role_delete(roost.id, roost.role_name) IS 'Deletes a role of a lower rank than the actor''s. 42501 without the permission role.write, P0002 no such role, 55000 an account has it, or it is the role user.';
SELECT roost_internal.route('DELETE', '/admin/roles/:name', 'roost.role_delete', status => 204, tags => '{admin}');

CREATE OR REPLACE FUNCTION roost_internal.account_known(account_id roost.account_ref) RETURNS bigint
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	IF pg_catalog.left(account_id, 1) = '@' THEN
		SELECT h.account_id INTO v_id FROM roost_data.account_handle h
		WHERE h.username = pg_catalog.lower(pg_catalog.substr(account_known.account_id, 2));
	ELSIF account_id::numeric <= 9223372036854775807 THEN
		v_id := account_id::bigint;
	END IF;
	PERFORM FROM roost_data.account a WHERE a.id = v_id AND a.status <> 'deleted';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_known(roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_known(roost.account_ref) IS 'The id of the account, active or suspended, that an id or @name means: for moderators. P0002 if there is none.';

CREATE OR REPLACE FUNCTION roost_internal.account_known_held(account_id roost.account_ref) RETURNS bigint
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.account_known(account_id);
BEGIN
	PERFORM FROM roost_data.account a WHERE a.id = v_id AND a.status <> 'deleted' FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_known_held(roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_known_held(roost.account_ref) IS 'roost_internal.account_known(), with the account locked: it is there until the end of the transaction.';

CREATE OR REPLACE FUNCTION roost.role_grant(account_id roost.account_ref, role roost.role_name) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_known_held(account_id);
BEGIN
	UPDATE roost_data.account a SET role = role_grant.role, updated_at = roost_internal.clock_now()
	WHERE a.id = v_account_id AND a.role <> role_grant.role;
END
$$;
REVOKE ALL ON FUNCTION roost.role_grant(roost.account_ref, roost.role_name) FROM PUBLIC;
COMMENT ON FUNCTION roost.role_grant(roost.account_ref, roost.role_name) IS 'For the owner of the database: gives the account with this id or @name a role, whatever it is. So the first admin is made: SELECT roost.role_grant(''@ada'', ''admin''). P0002 no such account, 23503 no such role, 55000 if no account could change roles any more.';
