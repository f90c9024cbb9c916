-- Reading the trail: what moderators see, and what accounts see of themselves.

CREATE OR REPLACE FUNCTION roost_internal.audit_read_note(actor_id bigint, detail jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- One entry for pages of the same thing within ten minutes.
	IF NOT EXISTS (
		SELECT FROM (SELECT a.action, a.at, a.detail FROM roost_data.audit a WHERE a.actor_id = audit_read_note.actor_id ORDER BY a.seq DESC LIMIT 100) r
		WHERE r.action = 'audit.read' AND r.at > roost_internal.clock_now() - interval '10 minutes' AND r.detail = audit_read_note.detail)
	AND NOT EXISTS (
		SELECT FROM roost_data.audit_entry e WHERE e.actor_id = audit_read_note.actor_id AND e.action = 'audit.read' AND e.detail = audit_read_note.detail) THEN
		PERFORM roost_internal.audit_add('audit.read', 'audit', NULL, audit_read_note.detail, audit_read_note.actor_id);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_read_note(bigint, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_read_note(bigint, jsonb) IS 'Adds the entry audit.read for an actor who reads what detail says, unless there was one in the last ten minutes.';

CREATE OR REPLACE FUNCTION roost.audit_list(
	actor_id roost.id,
	actor roost.id DEFAULT NULL,
	account roost.id DEFAULT NULL,
	action text DEFAULT NULL,
	object_type text DEFAULT NULL,
	object_id text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.audit_item
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_where text := '';
	v_order text := 'DESC';
	v_address boolean;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'audit.read');
	v_address := roost_internal.has_permission(actor_id, 'account.address');
	PERFORM roost_internal.audit_read_note(actor_id, jsonb_strip_nulls(jsonb_build_object('actor', actor::text, 'account', account::text, 'action', action,
		'object_type', object_type, 'object_id', object_id, 'since', since, 'until', until)));
	-- Only the conditions that there are, for each of them has its index.
	v_where := concat(
		CASE WHEN actor IS NOT NULL THEN ' AND a.actor_id = $1' END,
		CASE WHEN account IS NOT NULL THEN ' AND a.account_id = $2' END,
		CASE WHEN action IS NOT NULL THEN ' AND a.action = $3' END,
		CASE WHEN object_type IS NOT NULL THEN ' AND a.object_type = $4' END,
		CASE WHEN object_id IS NOT NULL THEN ' AND a.object_id = $5' END,
		CASE WHEN since IS NOT NULL THEN ' AND a.at >= $6 AND a.sealed_at >= $6' END,
		CASE WHEN until IS NOT NULL THEN ' AND a.at < $7' END,
		CASE WHEN before IS NOT NULL THEN ' AND a.seq < $8' END,
		CASE WHEN after IS NOT NULL THEN ' AND a.seq > $9' END);
	IF after IS NOT NULL AND before IS NULL THEN
		v_order := 'ASC';
	END IF;
	RETURN QUERY EXECUTE format($query$
		SELECT r.seq, r.at, r.action, r.object_type, r.object_id, r.account_id::roost.id, c.username, r.actor_id::roost.id, d.username, r.session_id::roost.id,
			r.role, r.session_role, r.source, r.cause, r.application, CASE WHEN $11 THEN r.request_id END, CASE WHEN $11 THEN r.address END,
			r.detail, encode(r.hash, 'hex'), r.seq
		FROM (SELECT a.* FROM roost_data.audit a WHERE true%s ORDER BY a.seq %s LIMIT $10) r
		LEFT JOIN roost_data.account c ON c.id = r.account_id
		LEFT JOIN roost_data.account d ON d.id = r.actor_id
		ORDER BY r.seq DESC
	$query$, v_where, v_order)
	USING actor::bigint, account::bigint, action, object_type, object_id, since, until,
		roost_internal.cursor_id(before), roost_internal.cursor_id(after), "limit", v_address;
END
$$;
REVOKE ALL ON FUNCTION roost.audit_list(roost.id, roost.id, roost.id, text, text, text, timestamptz, timestamptz, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.audit_list(roost.id, roost.id, roost.id, text, text, text, timestamptz, timestamptz, integer, roost.cursor, roost.cursor) IS 'A page of the audit trail, newest first: of an account that acted (actor), of one that it concerns (account), of an action, of an object, from since up to until. Takes the permission audit.read (else 42501); that it was read is an entry, too. Network addresses take account.address as well.';
SELECT roost_internal.route('GET', '/admin/audit', 'roost.audit_list', limit_class => 'default', lane => 'slow');

CREATE OR REPLACE FUNCTION roost.audit_inspect(actor_id roost.id, from_seq bigint DEFAULT NULL, expected_seq bigint DEFAULT NULL, expected_hash text DEFAULT NULL) RETURNS roost.audit_report
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_report roost.audit_report;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'audit.read');
	SELECT * INTO v_report FROM roost.audit_verify(from_seq, expected_seq, expected_hash);
	PERFORM roost_internal.audit_add('audit.verify', 'audit', v_report.head_seq,
		jsonb_strip_nulls(jsonb_build_object('ok', v_report.ok, 'reason', v_report.reason, 'bad_seq', v_report.bad_seq)), actor_id);
	RETURN v_report;
END
$$;
REVOKE ALL ON FUNCTION roost.audit_inspect(roost.id, bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.audit_inspect(roost.id, bigint, bigint, text) IS 'roost.audit_verify() for an actor with the permission audit.read (else 42501); adds the entry audit.verify with the result.';
SELECT roost_internal.route('POST', '/admin/audit/verify', 'roost.audit_inspect', limit_class => 'default', lane => 'slow');

CREATE OR REPLACE FUNCTION roost.audit_head_show(actor_id roost.id) RETURNS roost.audit_head
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'audit.read');
	RETURN roost.audit_head();
END
$$;
REVOKE ALL ON FUNCTION roost.audit_head_show(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.audit_head_show(roost.id) IS 'roost.audit_head() for an actor with the permission audit.read (else 42501).';
SELECT roost_internal.route('GET', '/admin/audit/head', 'roost.audit_head_show');

CREATE OR REPLACE FUNCTION roost_internal.security_kind(action text, cause text, detail jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE $1
		WHEN 'account.create' THEN 'registered'
		WHEN 'session.create' THEN 'login'
		WHEN 'session.delete' THEN 'session_ended'
		WHEN 'session.update' THEN CASE WHEN $3->'new'->>'revoked_at' IS NOT NULL THEN 'session_ended' END
		WHEN 'login.failed' THEN 'login_failed'
		WHEN 'lockout.create' THEN 'locked'
		WHEN 'lockout.update' THEN 'locked'
		WHEN 'credential.create' THEN CASE WHEN $2 IS DISTINCT FROM 'roost.auth_register' THEN 'password_changed' END
		WHEN 'credential.update' THEN CASE WHEN $3->'changed' ? 'password_changed_at' OR $2 IS NULL THEN 'password_changed' END
		WHEN 'email.create' THEN CASE WHEN $2 IS DISTINCT FROM 'roost.auth_register' THEN 'email_changed' END
		WHEN 'email.update' THEN CASE WHEN $3->'changed' ? 'email' THEN 'email_changed' WHEN $3->'new'->>'verified_at' IS NOT NULL THEN 'email_verified' END
		WHEN 'key_device.create' THEN 'keys_linked'
		WHEN 'key_device.update' THEN 'keys_changed'
		WHEN 'key_device.delete' THEN 'keys_unlinked'
		WHEN 'account.update' THEN CASE
			WHEN $3->'new' ? 'role' THEN 'role_changed'
			WHEN $3->'new' ? 'status' THEN 'status_changed'
			WHEN $3->'new' ? 'is_verified' THEN 'verification_changed'
			WHEN $3->'changed' ? 'username' THEN 'username_changed' END
	END
$$;
REVOKE ALL ON FUNCTION roost_internal.security_kind(text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.security_kind(text, text, jsonb) IS 'What an entry of the audit trail is to the account that it concerns; null for what it is not told, such as that its reach is limited.';

CREATE OR REPLACE FUNCTION roost.security_event_list(actor_id roost.id, "limit" integer DEFAULT 20, before roost.cursor DEFAULT NULL, after roost.cursor DEFAULT NULL) RETURNS SETOF roost.security_event
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ascending constant boolean := before IS NULL AND after IS NOT NULL;
BEGIN
	RETURN QUERY
	SELECT r.seq, r.at, r.kind,
		CASE WHEN r.actor_id = security_event_list.actor_id THEN 'self' WHEN r.actor_id IS NOT NULL THEN 'other' ELSE 'system' END,
		s.session_id::roost.id, coalesce(d.name, ''),
		CASE r.kind
			WHEN 'login_failed' THEN r.detail
			WHEN 'locked' THEN jsonb_build_object('until', r.detail->'new'->'locked_until')
			WHEN 'session_ended' THEN jsonb_strip_nulls(jsonb_build_object('how', r.cause))
			WHEN 'role_changed' THEN jsonb_build_object('old', r.detail->'old'->'role', 'new', r.detail->'new'->'role')
			WHEN 'status_changed' THEN jsonb_build_object('old', r.detail->'old'->'status', 'new', r.detail->'new'->'status')
			WHEN 'keys_linked' THEN jsonb_build_object('device', r.detail->'new'->'number')
			WHEN 'keys_changed' THEN jsonb_build_object('device', split_part(r.object_id, '/', 2)::integer, 'identity_changed', coalesce(r.detail->'changed' ? 'identity_key', false))
			WHEN 'keys_unlinked' THEN jsonb_build_object('device', r.detail->'old'->'number')
			WHEN 'verification_changed' THEN jsonb_build_object('new', r.detail->'new'->'is_verified')
		END,
		r.seq
	FROM (
		SELECT a.*, roost_internal.security_kind(a.action, a.cause, a.detail) AS kind
		FROM roost_data.audit a
		WHERE a.account_id = security_event_list.actor_id AND a.seq < v_before AND a.seq > v_after
			AND roost_internal.security_kind(a.action, a.cause, a.detail) IS NOT NULL
		ORDER BY CASE WHEN v_ascending THEN a.seq END, a.seq DESC LIMIT security_event_list."limit"
	) r
	LEFT JOIN LATERAL (SELECT CASE WHEN r.object_type = 'session' THEN r.object_id::bigint END AS session_id) s ON true
	LEFT JOIN roost_data.session e ON e.id = s.session_id AND e.account_id = security_event_list.actor_id
	LEFT JOIN roost_data.device d ON d.id = e.device_id
	ORDER BY r.seq DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.security_event_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.security_event_list(roost.id, integer, roost.cursor, roost.cursor) IS 'What has happened to the security of the actor''s account, newest first: logins, failed logins (several within a minute are one), ended sessions, changes of password, address, name and role, devices that published keys of another identity or were unlinked. A page shows what is in the audit trail, which is up to a second behind.';
SELECT roost_internal.route('GET', '/me/security-events', 'roost.security_event_list', lane => 'slow');

CREATE OR REPLACE FUNCTION roost_internal.audit_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('security_events', coalesce((
		SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('at', e.at, 'kind', e.kind, 'by', e.by, 'session_id', e.session_id::text, 'detail', e.detail)) ORDER BY e.id)
		FROM roost.security_event_list($1, 10000) e), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_export(bigint) IS 'What the audit trail says to the account about itself, the newest 10,000 entries. Nothing of it goes away with the account: it holds ids, no names or addresses.';
