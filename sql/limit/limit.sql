-- Rate limits: counting, policies, exemptions, statistics.

CREATE OR REPLACE FUNCTION roost.limit_hit(class text, account_id bigint DEFAULT NULL, address text DEFAULT NULL, target text DEFAULT NULL, cost integer DEFAULT 1) RETURNS roost.limit_state
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_limit_hit';
COMMENT ON FUNCTION roost.limit_hit(text, bigint, text, text, integer) IS 'Takes cost units of every policy of a class that applies to the account, the address (of IPv6 the /64 counts) or the target (any text), or of none if one of them has too few left. Cost 0 only looks. A class without policies allows everything. What was taken stays taken when the transaction rolls back. Error 22004 without a class, 22023 for a cost below 0 or above 1000000.';
REVOKE ALL ON FUNCTION roost.limit_hit(text, bigint, text, text, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost.limit_reset(class text, account_id bigint DEFAULT NULL, address text DEFAULT NULL, target text DEFAULT NULL) RETURNS integer
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_limit_reset';
COMMENT ON FUNCTION roost.limit_reset(text, bigint, text, text) IS 'Forgets what an account, an address or a target has used of the policies of a class, or of all classes if it is null. Returns how many counts that were.';
REVOKE ALL ON FUNCTION roost.limit_reset(text, bigint, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost.limit_policy_set(class text, name text, "limit" integer, period interval, burst integer DEFAULT NULL, key text DEFAULT 'account_or_address', enabled boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_burst integer := coalesce(burst, "limit");
BEGIN
	PERFORM roost_internal.limit_policy_check(class, name, "limit", period, v_burst, key, enabled);
	INSERT INTO roost_data.limit_policy AS p (class, name, "limit", period, burst, key, enabled)
	VALUES (limit_policy_set.class, limit_policy_set.name, limit_policy_set."limit", limit_policy_set.period, v_burst, limit_policy_set.key, limit_policy_set.enabled)
	ON CONFLICT ON CONSTRAINT limit_policy_pkey DO UPDATE
	SET "limit" = excluded."limit", period = excluded.period, burst = excluded.burst, key = excluded.key, enabled = excluded.enabled;
END
$$;
REVOKE ALL ON FUNCTION roost.limit_policy_set(text, text, integer, interval, integer, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_policy_set(text, text, integer, interval, integer, text, boolean) IS 'Sets a rate limit, new or old: in its class, "limit" units a period, burst of them at once (default: limit), counted by key: account, address, account_or_address (the address of those who are not logged in) or target. Every backend obeys it from its next request. Routes name a class; the class default counts every request besides. Error 22023, with the argument as column, for a value out of range.';

CREATE OR REPLACE FUNCTION roost_internal.limit_policy_check(class text, name text, "limit" integer, period interval, burst integer, key text, enabled boolean) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_column text;
	v_detail text;
BEGIN
	IF class IS NULL OR class !~ '^[a-z][a-z0-9_]{0,62}$' OR class = 'none' THEN
		v_column := 'class';
		v_detail := 'A class starts with a letter and has lower-case letters, digits and underscores, at most 63; it cannot be "none".';
	ELSIF name IS NULL OR name !~ '^[a-z][a-z0-9_]{0,62}$' THEN
		v_column := 'name';
		v_detail := 'A name starts with a letter and has lower-case letters, digits and underscores, at most 63.';
	ELSIF "limit" IS NULL OR "limit" NOT BETWEEN 1 AND 1000000 THEN
		v_column := 'limit';
		v_detail := 'A limit is between 1 and 1000000.';
	ELSIF period IS NULL OR period NOT BETWEEN interval '1 millisecond' AND interval '366 days' THEN
		v_column := 'period';
		v_detail := 'A period is between a millisecond and 366 days.';
	ELSIF burst NOT BETWEEN 1 AND 1000000 OR period * burst / "limit" > interval '3660 days' THEN
		v_column := 'burst';
		v_detail := 'A burst is between 1 and 1000000, and comes back within ten years.';
	ELSIF key IS NULL OR key NOT IN ('account', 'address', 'account_or_address', 'target') THEN
		v_column := 'key';
		v_detail := 'A key is account, address, account_or_address or target.';
	ELSIF enabled IS NULL THEN
		v_column := 'enabled';
		v_detail := 'A policy is enabled or not.';
	ELSE
		RETURN;
	END IF;
	RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('invalid %s of a rate limit', v_column), DETAIL = v_detail, COLUMN = v_column;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.limit_policy_check(text, text, integer, interval, integer, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.limit_policy_check(text, text, integer, interval, integer, text, boolean) IS 'Raises 22023, with the name of the argument as column, unless the values make a rate limit.';

CREATE OR REPLACE FUNCTION roost.limit_policy_list() RETURNS TABLE (class text, name text, "limit" integer, period interval, burst integer, key text, enabled boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.class, p.name, p."limit", p.period, p.burst, p.key, p.enabled
	FROM roost_data.limit_policy p ORDER BY p.class, p.name
$$;
REVOKE ALL ON FUNCTION roost.limit_policy_list() FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_policy_list() IS 'The rate limits: in each class, "limit" units a period, burst of them at once, counted by key.';

CREATE OR REPLACE FUNCTION roost.limit_exempt(account_id bigint DEFAULT NULL, network cidr DEFAULT NULL, reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF num_nonnulls(account_id, network) <> 1 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'an exemption needs either an account or a network', COLUMN = 'account_id';
	END IF;
	IF coalesce(btrim(reason), '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'an exemption needs a reason', COLUMN = 'reason';
	END IF;
	IF account_id IS NOT NULL THEN
		INSERT INTO roost_data.limit_exemption AS e (account_id, reason) VALUES (limit_exempt.account_id, limit_exempt.reason)
		ON CONFLICT ON CONSTRAINT limit_exemption_account_id_key DO UPDATE SET reason = excluded.reason;
	ELSE
		INSERT INTO roost_data.limit_exemption AS e (network, reason) VALUES (limit_exempt.network, limit_exempt.reason)
		ON CONFLICT ON CONSTRAINT limit_exemption_network_key DO UPDATE SET reason = excluded.reason;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.limit_exempt(bigint, cidr, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_exempt(bigint, cidr, text) IS 'Frees an account, or every address of a network, from all rate limits; a reason is required. Error 22023 without exactly one of the two, or without a reason.';

CREATE OR REPLACE FUNCTION roost.limit_unexempt(account_id bigint DEFAULT NULL, network cidr DEFAULT NULL) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM roost_data.limit_exemption e
		WHERE e.account_id = limit_unexempt.account_id OR e.network = limit_unexempt.network
		RETURNING e.id
	)
	SELECT EXISTS (SELECT FROM gone)
$$;
REVOKE ALL ON FUNCTION roost.limit_unexempt(bigint, cidr) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_unexempt(bigint, cidr) IS 'Lets the rate limits apply to an account or a network again; false if it was not exempt.';

CREATE OR REPLACE FUNCTION roost.limit_exemption_list() RETURNS TABLE (account_id bigint, network cidr, reason text, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.account_id, e.network, e.reason, e.created_at FROM roost_data.limit_exemption e ORDER BY e.id
$$;
REVOKE ALL ON FUNCTION roost.limit_exemption_list() FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_exemption_list() IS 'The accounts and networks to which no rate limit applies, and why.';

CREATE OR REPLACE FUNCTION roost_internal.limit_stat(
	OUT enabled boolean, OUT entries bigint, OUT live bigint, OUT checks bigint, OUT denied bigint, OUT evicted bigint, OUT dumped_at timestamptz)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_limit_stat';
COMMENT ON FUNCTION roost_internal.limit_stat() IS 'The row of roost.stat_limit.';

CREATE OR REPLACE FUNCTION roost_internal.limit_denied(class text, name text) RETURNS bigint
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_limit_denied';
COMMENT ON FUNCTION roost_internal.limit_denied(text, text) IS 'How often a policy has refused something since the server started.';

CREATE OR REPLACE VIEW roost.stat_limit AS SELECT * FROM roost_internal.limit_stat();
COMMENT ON VIEW roost.stat_limit IS 'The rate limits'' memory, one row: enabled (roost.limit_enabled), entries (room, of 16 bytes each), live (in use), checks and denied (since the server started), evicted (live entries that gave way to others: if it grows, raise roost.limit_size), dumped_at (when they were last saved to disk).';

CREATE OR REPLACE VIEW roost.stat_limit_policy AS
	SELECT p.class, p.name, p.enabled, roost_internal.limit_denied(p.class, p.name) AS denied FROM roost.limit_policy_list() p;
COMMENT ON VIEW roost.stat_limit_policy IS 'How often each rate limit has refused something since the server started.';

REVOKE ALL ON FUNCTION roost_internal.limit_stat(), roost_internal.limit_denied(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roost_internal.limit_stat(), roost_internal.limit_denied(text, text), roost.limit_policy_list() TO pg_monitor;
GRANT SELECT ON roost.stat_limit, roost.stat_limit_policy TO pg_monitor;
