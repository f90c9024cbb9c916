-- Rate limits for those who run the platform; see docs/limit.md.

CREATE OR REPLACE FUNCTION roost.limit_rule_list(actor_id roost.id) RETURNS SETOF roost.limit_rule
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'limit.read');
	RETURN QUERY SELECT p.class, p.name, p."limit", extract(epoch FROM p.period)::double precision, p.burst, p.key, p.enabled,
		roost_internal.limit_denied(p.class, p.name)
	FROM roost_data.limit_policy p ORDER BY p.class, p.name;
END
$$;
REVOKE ALL ON FUNCTION roost.limit_rule_list(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_rule_list(roost.id) IS 'The rate limits, and how often each has refused something. 42501 without the permission limit.read.';
SELECT roost_internal.route('GET', '/admin/limits', 'roost.limit_rule_list', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.limit_rule_set(
	actor_id roost.id,
	class text,
	name text,
	"limit" integer DEFAULT NULL,
	period double precision DEFAULT NULL,
	burst integer DEFAULT NULL,
	key text DEFAULT NULL,
	enabled boolean DEFAULT NULL
) RETURNS roost.limit_rule
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_old roost_data.limit_policy;
	v_rule roost.limit_rule;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'limit.write');
	SELECT * INTO v_old FROM roost_data.limit_policy p WHERE p.class = limit_rule_set.class AND p.name = limit_rule_set.name FOR UPDATE;
	IF period IS NOT NULL AND NOT period BETWEEN 0.001 AND 31622400 THEN -- also not a number
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'period', MESSAGE = 'invalid period of a rate limit',
			DETAIL = 'A period is between 0.001 seconds and 366 days.';
	END IF;
	PERFORM roost.limit_policy_set(limit_rule_set.class, limit_rule_set.name, coalesce(limit_rule_set."limit", v_old."limit"),
		coalesce(make_interval(secs => limit_rule_set.period), v_old.period), coalesce(limit_rule_set.burst, v_old.burst),
		coalesce(limit_rule_set.key, v_old.key, 'account_or_address'), coalesce(limit_rule_set.enabled, v_old.enabled, true));
	SELECT p.class, p.name, p."limit", extract(epoch FROM p.period)::double precision, p.burst, p.key, p.enabled, roost_internal.limit_denied(p.class, p.name)
	INTO v_rule FROM roost_data.limit_policy p WHERE p.class = limit_rule_set.class AND p.name = limit_rule_set.name;
	RETURN v_rule;
END
$$;
REVOKE ALL ON FUNCTION roost.limit_rule_set(roost.id, text, text, integer, double precision, integer, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_rule_set(roost.id, text, text, integer, double precision, integer, text, boolean) IS 'Changes what is given of a rate limit, or makes a new one (then limit and period, in seconds, are needed; burst is limit and key account_or_address unless given). Every server process obeys it from its next request. 22023 a value out of range, 42501 without the permission limit.write.';
SELECT roost_internal.route('PUT', '/admin/limits/:class/:name', 'roost.limit_rule_set', limit_class => 'write', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost_internal.limit_exemption_rows(only_id bigint DEFAULT NULL) RETURNS SETOF roost.limit_exemption
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT e.id::roost.id, CASE WHEN a.id IS NOT NULL THEN ROW(a.id, a.username, a.display_name, a.avatar_url)::roost.author END,
		e.network::text, e.reason, e.created_at
	FROM roost_data.limit_exemption e LEFT JOIN roost_data.account a ON a.id = e.account_id
	WHERE only_id IS NULL OR e.id = only_id
	ORDER BY e.id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.limit_exemption_rows(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.limit_exemption_rows(bigint) IS 'The exemptions, or one of them, as those who run the platform see them.';

CREATE OR REPLACE FUNCTION roost.limit_exemption_show(actor_id roost.id) RETURNS SETOF roost.limit_exemption
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'limit.read');
	RETURN QUERY SELECT * FROM roost_internal.limit_exemption_rows();
END
$$;
REVOKE ALL ON FUNCTION roost.limit_exemption_show(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_exemption_show(roost.id) IS 'To whom no rate limit applies. 42501 without the permission limit.read.';
SELECT roost_internal.route('GET', '/admin/limit-exemptions', 'roost.limit_exemption_show', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.limit_exemption_add(actor_id roost.id, reason text, account_id roost.account_ref DEFAULT NULL, network text DEFAULT NULL) RETURNS roost.limit_exemption
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_network cidr;
	v_exemption roost.limit_exemption;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'limit.write');
	IF reason IS NOT NULL AND char_length(reason) > 300 THEN
		RAISE EXCEPTION USING ERRCODE = '22001', COLUMN = 'reason', MESSAGE = 'the reason is too long', DETAIL = 'It has at most 300 characters.';
	END IF;
	IF account_id IS NOT NULL THEN
		v_account_id := roost_internal.account_resolve(account_id);
	END IF;
	BEGIN
		v_network := network::cidr;
	EXCEPTION WHEN invalid_text_representation THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'network', MESSAGE = 'invalid network', DETAIL = 'A network is written like 192.0.2.0/24 or 2001:db8::/32.';
	END;
	PERFORM roost.limit_exempt(v_account_id, v_network, reason);
	SELECT r.* INTO v_exemption FROM roost_data.limit_exemption e, roost_internal.limit_exemption_rows(e.id) r
	WHERE e.account_id = v_account_id OR e.network = v_network;
	RETURN v_exemption;
END
$$;
REVOKE ALL ON FUNCTION roost.limit_exemption_add(roost.id, text, roost.account_ref, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_exemption_add(roost.id, text, roost.account_ref, text) IS 'Frees an account, or all addresses of a network, from rate limits. 22001 reason too long, 22023 not exactly one of account_id and network, no reason, or not a network; 42501 without the permission limit.write, P0002 no such account.';
SELECT roost_internal.route('POST', '/admin/limit-exemptions', 'roost.limit_exemption_add', limit_class => 'write', status => 201, tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.limit_exemption_remove(actor_id roost.id, exemption_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'limit.write');
	DELETE FROM roost_data.limit_exemption e WHERE e.id = exemption_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'exemption_id', MESSAGE = 'the exemption does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.limit_exemption_remove(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_exemption_remove(roost.id, roost.id) IS 'Lets the rate limits apply again. 42501 without the permission limit.write, P0002 no such exemption.';
SELECT roost_internal.route('DELETE', '/admin/limit-exemptions/:exemption_id', 'roost.limit_exemption_remove', limit_class => 'write', status => 204, tags => '{admin}');
