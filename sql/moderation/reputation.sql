-- Reputation: what speaks for and against an account.
--
-- burden B: the weights of what it has done, halved every
-- roost.moderation_half_life; what only filters have done counts 1 at most.
-- standing S: min(1, days / 180) * min(1, posts / 200) / (1 + B).
-- reputation = S - 2 B / (B + 2), between -2 and 1.
--
-- A threshold t of an adaptive policy becomes, for a score between 0 and 1,
-- that with logit(t') = logit(t) + reputation, and for a count
-- t' = t * 2 ^ reputation, rounded.  extension/moderation/standing.c and
-- threshold.h do the same.

CREATE OR REPLACE FUNCTION roost_internal.reputation_add(account_id bigint, kind text, weight double precision DEFAULT 1) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_half_life constant double precision := extract(epoch FROM current_setting('roost.moderation_half_life')::interval);
BEGIN
	INSERT INTO roost_data.account_reputation AS r (account_id, kind, count, weight, updated_at)
	VALUES (reputation_add.account_id, reputation_add.kind, CASE WHEN reputation_add.weight < 0 THEN 0 ELSE 1 END, greatest(reputation_add.weight, 0), v_now)
	ON CONFLICT ON CONSTRAINT account_reputation_pkey DO UPDATE SET
		count = greatest(r.count + CASE WHEN reputation_add.weight < 0 THEN -1 ELSE 1 END, 0),
		weight = least(greatest(r.weight * power(0.5, least(greatest(extract(epoch FROM v_now - r.updated_at), 0) / v_half_life, 1000)) + reputation_add.weight, 0), 1000000),
		updated_at = greatest(v_now, r.updated_at);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.reputation_add(bigint, text, double precision) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.reputation_add(bigint, text, double precision) IS 'Adds to what speaks against an account: kind is a word (report, decision, …; filter is what policies did), weight how much (1: a post that was rightly removed). A negative weight takes one back.';

CREATE OR REPLACE FUNCTION roost_internal.reputation_filtered(account_id bigint, actions text[], dry_runs boolean[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_weight double precision;
BEGIN
	SELECT max(CASE v.action WHEN 'reject' THEN 0.5 WHEN 'hold' THEN 0.5 WHEN 'limit' THEN 0.25 END) INTO v_weight
	FROM unnest(actions, dry_runs) v (action, dry_run) WHERE NOT v.dry_run;
	IF v_weight > 0 AND account_id IS NOT NULL THEN
		PERFORM roost_internal.reputation_add(account_id, 'filter', v_weight);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.reputation_filtered(bigint, text[], boolean[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.reputation_filtered(bigint, text[], boolean[]) IS 'Adds what policies did to one post or profile to what speaks against its account: 0.5 for a rejection or a hold, 0.25 for a limit, nothing for labels and dry runs.';

CREATE OR REPLACE FUNCTION roost_internal.reputation_burden(account_id bigint) RETURNS double precision
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_half_life constant double precision := extract(epoch FROM current_setting('roost.moderation_half_life')::interval);
	v_burden double precision;
BEGIN
	SELECT sum(CASE WHEN w.kind = 'filter' THEN least(w.weight, 1) ELSE w.weight END) INTO v_burden
	FROM (
		SELECT r.kind, r.weight * power(0.5, least(greatest(extract(epoch FROM v_now - r.updated_at), 0) / v_half_life, 1000)) AS weight
		FROM roost_data.account_reputation r WHERE r.account_id = reputation_burden.account_id
	) w;
	RETURN coalesce(v_burden, 0);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.reputation_burden(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.reputation_burden(bigint) IS 'The weight of what speaks against an account now; what only filters have done counts 1 at most.';

CREATE OR REPLACE FUNCTION roost_internal.reputation(account_id bigint) RETURNS double precision
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_burden constant double precision := roost_internal.reputation_burden(account_id);
BEGIN
	RETURN roost_internal.reputation_standing(account_id) / (1 + v_burden) - 2 * v_burden / (v_burden + 2);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.reputation(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.reputation(bigint) IS 'How an account stands with the filters, from -2 (nothing it writes goes unnoticed) over 0 (new) to 1 (has written much for long, and nothing wrong).';

CREATE OR REPLACE FUNCTION roost_internal.reputation_standing(account_id bigint) RETURNS double precision
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_days double precision;
	v_posts bigint;
BEGIN
	SELECT extract(epoch FROM roost_internal.clock_now() - a.created_at) / 86400 INTO v_days FROM roost_data.account a WHERE a.id = reputation_standing.account_id;
	SELECT sum(s.post_count) INTO v_posts FROM roost_data.account_stat s WHERE s.account_id = reputation_standing.account_id;
	RETURN greatest(least(coalesce(v_days, 0) / 180, 1), 0) * greatest(least(coalesce(v_posts, 0) / 200.0, 1), 0);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.reputation_standing(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.reputation_standing(bigint) IS 'What speaks for an account, from 0 to 1: 1 after 180 days and 200 posts.';

CREATE OR REPLACE FUNCTION roost_internal.account_is_new(account_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN coalesce((SELECT roost_internal.clock_now() < a.created_at + current_setting('roost.moderation_new_account_age')::interval
		FROM roost_data.account a WHERE a.id = account_is_new.account_id), true)
		OR coalesce((SELECT sum(s.post_count) FROM roost_data.account_stat s WHERE s.account_id = account_is_new.account_id), 0)
			< current_setting('roost.moderation_new_account_posts')::integer;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_is_new(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_is_new(bigint) IS 'Whether policies for new accounts apply: younger than roost.moderation_new_account_age, or fewer posts than roost.moderation_new_account_posts.';

CREATE OR REPLACE FUNCTION roost.account_reputation_get(actor_id roost.id, account_id roost.account_ref) RETURNS roost.account_reputation
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
	v_result roost.account_reputation;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'account.read');
	v_id := roost_internal.verdict_account(account_id);
	IF v_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not allowed', DETAIL = 'How one stands oneself is for others.';
	END IF;
	v_result.account_id := v_id;
	v_result.reputation := roost_internal.reputation(v_id);
	v_result.burden := roost_internal.reputation_burden(v_id);
	v_result.standing := roost_internal.reputation_standing(v_id);
	v_result.is_new := roost_internal.account_is_new(v_id);
	v_result.history := coalesce((SELECT jsonb_object_agg(r.kind, jsonb_build_object('count', r.count, 'weight', r.weight, 'updated_at', r.updated_at))
		FROM roost_data.account_reputation r WHERE r.account_id = v_id), '{}');
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.account_reputation_get(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_reputation_get(roost.id, roost.account_ref) IS 'How an account (an id or @name) stands with the filters, and why. 42501 without account.read, or about oneself; P0002 no such account.';
SELECT roost_internal.route('GET', '/admin/accounts/:account_id/reputation', 'roost.account_reputation_get');
