-- Accounts as moderators see them.

CREATE OR REPLACE FUNCTION roost_internal.admin_account_view(account_id bigint, viewer_id bigint DEFAULT NULL) RETURNS roost.admin_account
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account roost.admin_account;
BEGIN
	SELECT a.id, a.username, a.display_name, a.bio, a.avatar_url, a.header_url, roost_internal.account_url(a.username), a.language, a.is_private, a.is_verified,
		a.status, a.limited_at, a.suspended_until, a.role, (SELECT r.rank FROM roost_data.role r WHERE r.name = a.role),
		EXISTS (SELECT FROM roost_data.account_email e WHERE e.account_id = a.id AND e.verified_at IS NOT NULL),
		a.created_at, a.last_login_at, a.last_active_at,
		coalesce(s.follower_count, 0), coalesce(s.following_count, 0), coalesce(s.post_count, 0),
		(SELECT count(*) FROM roost_data.session t WHERE t.account_id = a.id AND t.revoked_at IS NULL AND t.expires_at > roost_internal.clock_now()),
		(SELECT count(*) FROM roost_data.moderation_decision d WHERE d.account_id = a.id AND d.reverted_at IS NULL AND roost_internal.decision_measure(d.decision, d.labels)),
		(SELECT count(*) FROM roost_data.moderation_case c WHERE c.account_id = a.id AND c.status IN ('open', 'assigned', 'appealed')),
		(SELECT count(*) FROM roost_data.report r WHERE r.account_id = a.id),
		(SELECT count(*) FROM roost_data.report r WHERE r.reporter_id = a.id),
		(SELECT count(*) FROM roost_data.report r JOIN roost_data.moderation_case c ON c.id = r.case_id WHERE r.reporter_id = a.id AND c.outcome = 'action')
	INTO v_account
	FROM roost_data.account a
	LEFT JOIN LATERAL (
		SELECT sum(t.follower_count) AS follower_count, sum(t.following_count) AS following_count, sum(t.post_count) AS post_count
		FROM roost_data.account_stat t WHERE t.account_id = a.id
	) s ON true
	WHERE a.id = admin_account_view.account_id;
	-- What moderators say about oneself is for others.
	IF viewer_id = admin_account_view.account_id THEN
		v_account.limited_at := NULL;
		v_account.strike_count := NULL;
		v_account.open_case_count := NULL;
		v_account.report_count := NULL;
	END IF;
	RETURN v_account;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.admin_account_view(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.admin_account_view(bigint, bigint) IS 'An account as moderators see it, without addresses; without what is said about it, if it is the viewer itself.';

CREATE OR REPLACE FUNCTION roost.admin_account_list(
	actor_id roost.id,
	q text DEFAULT NULL,
	status roost.account_filter DEFAULT NULL,
	role roost.role_name DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL
) RETURNS SETOF roost.admin_account
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	v_q text := lower(ltrim(btrim(q), '@'));
	v_before bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_limit integer := coalesce(admin_account_list."limit", 20);
	v_ids bigint[];
	v_found bigint[];
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'account.read');
	IF v_q LIKE '%@%' THEN
		PERFORM roost_internal.permission_check(actor_id, 'account.address');
		v_ids := ARRAY(SELECT e.account_id FROM roost_data.account_email e WHERE e.email = v_q);
		-- What was looked for is an address, and not for the trail.
		PERFORM roost_internal.audit_add('account.search_address', 'account', f.id, '{}', actor_id)
		FROM unnest(coalesce(nullif(v_ids, '{}'), '{NULL}')) f (id);
	ELSIF v_q <> '' THEN
		IF v_q !~ '^[a-z0-9_]{1,30}$' THEN
			RETURN;
		END IF;
		-- A range of the index, whatever the database's collation.
		v_ids := ARRAY(SELECT h.account_id FROM roost_data.account_handle h
			WHERE h.username >= v_q COLLATE "C" AND h.username < (v_q || '~') COLLATE "C");
	END IF;
	v_found := ARRAY(
		SELECT a.id FROM roost_data.account a
		WHERE a.id < v_before AND (v_ids IS NULL OR a.id = ANY (v_ids))
			AND (admin_account_list.role IS NULL OR a.role = admin_account_list.role AND a.status <> 'deleted')
			AND CASE admin_account_list.status WHEN 'limited' THEN a.limited_at IS NOT NULL AND a.id <> actor_id ELSE true END
			AND (admin_account_list.status IS NULL OR admin_account_list.status = 'limited' OR a.status = admin_account_list.status::text)
			AND (admin_account_list.status IS NOT NULL OR a.status <> 'deleted')
		ORDER BY a.id DESC LIMIT v_limit);
	RETURN QUERY SELECT v.* FROM unnest(v_found) WITH ORDINALITY u (id, n) CROSS JOIN LATERAL roost_internal.admin_account_view(u.id, actor_id) v ORDER BY u.n;
END
$$;
REVOKE ALL ON FUNCTION roost.admin_account_list(roost.id, text, roost.account_filter, roost.role_name, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.admin_account_list(roost.id, text, roost.account_filter, roost.role_name, integer, roost.cursor) IS 'Accounts as moderators see them, newest first: all that are not deleted; those whose user name begins with q, or whose e-mail address is q (which takes the permission account.address as well, and leaves a trail); with this status (active, limited, suspended, deleted) or role. Whether one is limited oneself, and what is said about one, is left out. 42501 without the permission account.read.';
SELECT roost_internal.route('GET', '/admin/accounts', 'roost.admin_account_list', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.admin_account_get(actor_id roost.id, account_id roost.account_ref) RETURNS roost.admin_account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'account.read');
	RETURN roost_internal.admin_account_view(roost_internal.account_known(account_id), actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.admin_account_get(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.admin_account_get(roost.id, roost.account_ref) IS 'An account, active or suspended, as moderators see it; of oneself not whether it is limited, nor reports, cases and strikes. 42501 without the permission account.read, P0002 no such account.';
SELECT roost_internal.route('GET', '/admin/accounts/:account_id', 'roost.admin_account_get', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.admin_account_addresses(actor_id roost.id, account_id roost.account_ref) RETURNS roost.account_addresses
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_addresses roost.account_addresses;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'account.address');
	v_account_id := roost_internal.account_known(account_id);
	PERFORM roost_internal.permission_check(actor_id, 'account.address', v_account_id);
	PERFORM roost_internal.audit_add('account.read_address', 'account', v_account_id, '{}', actor_id);
	SELECT e.email, e.verified_at INTO v_addresses.email, v_addresses.email_verified_at FROM roost_data.account_email e WHERE e.account_id = v_account_id;
	v_addresses.sessions := ARRAY(
		SELECT ROW(host(s.address), s.user_agent, s.created_at, s.last_used_at)::roost.session_address
		FROM roost_data.session s WHERE s.account_id = v_account_id ORDER BY s.last_used_at DESC, s.id DESC LIMIT 100);
	RETURN v_addresses;
END
$$;
REVOKE ALL ON FUNCTION roost.admin_account_addresses(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.admin_account_addresses(roost.id, roost.account_ref) IS 'The e-mail address of an account, and the network addresses of its newest 100 sessions that are kept. Each look leaves a trail. 42501 without the permission account.address, or for an account of the same or a higher rank; P0002 no such account.';
SELECT roost_internal.route('GET', '/admin/accounts/:account_id/addresses', 'roost.admin_account_addresses', sensitive => true, tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.admin_decision_list(
	actor_id roost.id,
	account_id roost.account_ref,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL
) RETURNS SETOF roost.moderation_decision
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'account.read');
	v_account_id := roost_internal.account_known(account_id);
	IF v_account_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not allowed', DETAIL = 'What moderators say about oneself is for others.';
	END IF;
	RETURN QUERY
	SELECT e.* FROM (
		SELECT d.id FROM roost_data.moderation_decision d
		WHERE d.account_id = v_account_id AND d.id < coalesce(roost_internal.cursor_id(before), 9223372036854775807)
		ORDER BY d.id DESC LIMIT coalesce(admin_decision_list."limit", 20)
	) d CROSS JOIN LATERAL roost_internal.decision_entry(d.id) e
	ORDER BY d.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.admin_decision_list(roost.id, roost.account_ref, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.admin_decision_list(roost.id, roost.account_ref, integer, roost.cursor) IS 'What was decided about an account and its posts, newest first. 42501 without the permission account.read, or about oneself; P0002 no such account.';
SELECT roost_internal.route('GET', '/admin/accounts/:account_id/decisions', 'roost.admin_decision_list', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.account_role_set(actor_id roost.id, account_id roost.account_ref, role roost.role_name) RETURNS roost.admin_account
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_role roost.role;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'account.role');
	v_account_id := roost_internal.account_known_held(account_id);
	PERFORM FROM roost_data.role r WHERE r.name = account_role_set.role FOR KEY SHARE;
	v_role := roost_internal.role_get(role);
	-- Oneself one may only step down.
	IF v_account_id <> actor_id THEN
		PERFORM roost_internal.permission_check(actor_id, 'account.role', v_account_id);
	END IF;
	IF v_role.name IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'role', MESSAGE = pg_catalog.format('role "%s" does not exist', role);
	ELSIF v_role.rank > roost_internal.role_rank(actor_id) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'role', MESSAGE = 'not allowed', DETAIL = 'The role has a higher rank than one''s own.';
	END IF;
	PERFORM roost_internal.role_within(actor_id, v_role.permissions);
	UPDATE roost_data.account a SET role = v_role.name, updated_at = roost_internal.clock_now() WHERE a.id = v_account_id AND a.role <> v_role.name;
	RETURN roost_internal.admin_account_view(v_account_id, actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_role_set(roost.id, roost.account_ref, roost.role_name) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_role_set(roost.id, roost.account_ref, roost.role_name) IS 'Gives an account of a lower rank a role that allows nothing that the actor may not do itself, or oneself a lower one. Takes effect at once. 42501 without the permission account.role, or above one''s own role; 22023 no such role; 55000 if nobody could change roles any more; P0002 no such account.';
SELECT roost_internal.route('PUT', '/admin/accounts/:account_id/role', 'roost.account_role_set', tags => '{admin}');
