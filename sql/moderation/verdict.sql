-- Verdicts: what policies said.

CREATE OR REPLACE FUNCTION roost_internal.verdict_add(subject text, subject_id bigint, account_id bigint, text_hash bigint,
	policies text[], signals text[], scores double precision[], thresholds double precision[], actions text[], dry_runs boolean[], explanations text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO roost_data.moderation_verdict (id, at, subject, subject_id, account_id, policy, signal, score, threshold, action, dry_run, text_hash, explanation)
	SELECT roost_internal.id_next(account_id), roost_internal.clock_now(), subject, subject_id, account_id,
		v.policy, v.signal, v.score, v.threshold, v.action, v.dry_run, text_hash, v.explanation::jsonb
	FROM unnest(policies, signals, scores, thresholds, actions, dry_runs, explanations) v (policy, signal, score, threshold, action, dry_run, explanation);
	PERFORM roost_internal.reputation_filtered(account_id, actions, dry_runs);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.verdict_add(text, bigint, bigint, bigint, text[], text[], double precision[], double precision[], text[], boolean[], text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.verdict_add(text, bigint, bigint, bigint, text[], text[], double precision[], double precision[], text[], boolean[], text[]) IS 'Records what policies said about a post or profile, and what of it was done counts against the account.';

CREATE OR REPLACE FUNCTION roost_internal.verdict_save(times timestamptz[], subjects text[], subject_ids bigint[], account_ids bigint[], text_hashes bigint[],
	policies text[], signals text[], scores double precision[], thresholds double precision[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account record;
	-- Held as by roost_internal.account_hold(), but the worker waits for nobody: who leaves at this moment is gone.
	v_held constant bigint[] := ARRAY(SELECT u.id FROM (SELECT DISTINCT i.id FROM unnest(account_ids) i (id) WHERE i.id IS NOT NULL) u
		WHERE pg_catalog.pg_try_advisory_xact_lock_shared(1919905651, pg_catalog.hashint8(u.id)));
BEGIN
	INSERT INTO roost_data.moderation_verdict (id, at, subject, subject_id, account_id, policy, signal, score, threshold, action, dry_run, text_hash)
	SELECT roost_internal.id_next(a.id), v.at, v.subject, CASE WHEN a.id IS NOT NULL THEN nullif(v.subject_id, 0) END, a.id,
		v.policy, v.signal, v.score, v.threshold, 'reject', false, v.text_hash
	FROM unnest(times, subjects, subject_ids, account_ids, text_hashes, policies, signals, scores, thresholds) v
		(at, subject, subject_id, account_id, text_hash, policy, signal, score, threshold)
	LEFT JOIN roost_data.account a ON a.id = v.account_id AND a.id = ANY (v_held) AND a.status <> 'deleted';
	-- Always in the same order: two who add to the same accounts never wait for each other.
	FOR v_account IN
		SELECT u.id, pg_catalog.count(*)::integer AS count FROM unnest(account_ids) u (id)
		JOIN roost_data.account a ON a.id = u.id AND a.id = ANY (v_held) AND a.status <> 'deleted'
		GROUP BY u.id ORDER BY u.id
	LOOP
		FOR i IN 1 .. v_account.count LOOP
			PERFORM roost_internal.reputation_filtered(v_account.id, '{reject}', '{f}');
		END LOOP;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.verdict_save(timestamptz[], text[], bigint[], bigint[], bigint[], text[], text[], double precision[], double precision[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.verdict_save(timestamptz[], text[], bigint[], bigint[], bigint[], text[], text[], double precision[], double precision[]) IS 'Records what was refused; the background worker calls it, because the transactions that were refused are gone. subject_ids has 0 for posts that never were. Of accounts that are not there (any more, or because they were refused) the id is not kept.';

CREATE OR REPLACE FUNCTION roost_internal.verdict_of(subject text, subject_id bigint, "limit" integer DEFAULT 50) RETURNS SETOF roost.moderation_verdict
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT v.id::roost.id, v.at, v.subject, v.subject_id::roost.id, v.account_id::roost.id, v.policy, v.signal, v.score, v.threshold, v.action, v.dry_run,
		pg_catalog.to_hex(v.text_hash), v.explanation, v.id
	FROM roost_data.moderation_verdict v
	WHERE v.subject_id = verdict_of.subject_id AND v.subject = verdict_of.subject
	ORDER BY v.id DESC LIMIT verdict_of."limit";
END
$$;
REVOKE ALL ON FUNCTION roost_internal.verdict_of(text, bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.verdict_of(text, bigint, integer) IS 'What policies said about a post (subject post) or an account''s profile (subject profile), newest first.';

CREATE OR REPLACE FUNCTION roost_internal.verdict_account(account_id roost.account_ref) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	IF pg_catalog.left(account_id, 1) = '@' THEN
		SELECT h.account_id INTO v_id FROM roost_data.account_handle h WHERE h.username = pg_catalog.lower(pg_catalog.substr(verdict_account.account_id, 2));
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
REVOKE ALL ON FUNCTION roost_internal.verdict_account(roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.verdict_account(roost.account_ref) IS 'The id of the account that an id or @name means, also of a suspended one. P0002 if there is none.';

CREATE OR REPLACE FUNCTION roost.moderation_verdict_list(
	actor_id roost.id,
	policy roost.moderation_name DEFAULT NULL,
	account_id roost.account_ref DEFAULT NULL,
	subject_id roost.id DEFAULT NULL,
	action roost.moderation_action DEFAULT NULL,
	dry_run boolean DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.moderation_verdict
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_account_id bigint;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.read');
	IF account_id IS NOT NULL THEN
		v_account_id := roost_internal.verdict_account(account_id);
	END IF;
	RETURN QUERY EXECUTE
		'SELECT v.id::roost.id, v.at, v.subject, v.subject_id::roost.id, v.account_id::roost.id, v.policy, v.signal, v.score, v.threshold, v.action, v.dry_run,
			pg_catalog.to_hex(v.text_hash), v.explanation, v.id
		FROM roost_data.moderation_verdict v WHERE v.id < $1 AND v.id > $2 AND v.account_id IS DISTINCT FROM $9'
		|| CASE WHEN policy IS NOT NULL THEN ' AND v.policy = $3' ELSE '' END
		|| CASE WHEN v_account_id IS NOT NULL THEN ' AND v.account_id = $4' ELSE '' END
		|| CASE WHEN subject_id IS NOT NULL THEN ' AND v.subject_id = $5' ELSE '' END
		|| CASE WHEN action IS NOT NULL THEN ' AND v.action = $6' ELSE '' END
		|| CASE WHEN dry_run IS NOT NULL THEN ' AND v.dry_run = $7' ELSE '' END
		|| ' ORDER BY v.id DESC LIMIT $8'
	USING v_before, v_after, policy::text, v_account_id, subject_id::bigint, action::text, dry_run, "limit", actor_id::bigint;
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_verdict_list(roost.id, roost.moderation_name, roost.account_ref, roost.id, roost.moderation_action, boolean, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_verdict_list(roost.id, roost.moderation_name, roost.account_ref, roost.id, roost.moderation_action, boolean, integer, roost.cursor, roost.cursor) IS 'What policies said, newest first: all, or of one policy, account (an id or @name), post, action, or of dry runs only; nothing about the actor itself. 42501 without policy.read, P0002 no such account.';
SELECT roost_internal.route('GET', '/admin/verdicts', 'roost.moderation_verdict_list');

CREATE OR REPLACE FUNCTION roost.moderation_policy_report(actor_id roost.id, name roost.moderation_name, since timestamptz DEFAULT NULL) RETURNS SETOF roost.moderation_report
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.read');
	-- A policy that is gone has a report as long as its verdicts are kept.
	IF NOT EXISTS (SELECT FROM roost_data.moderation_verdict v WHERE v.policy = moderation_policy_report.name) THEN
		PERFORM roost_internal.moderation_policy_row(name);
	END IF;
	RETURN QUERY
	SELECT min(v.policy), v.action, v.dry_run, count(*), count(DISTINCT v.account_id),
		count(*) FILTER (WHERE NOT v.dry_run AND v.action IN ('limit', 'hold') AND p.state = 'visible'),
		min(v.score), percentile_cont(0.5) WITHIN GROUP (ORDER BY v.score), max(v.score), min(v.at), max(v.at)
	FROM roost_data.moderation_verdict v
	LEFT JOIN roost_data.post p ON p.id = v.subject_id AND v.subject = 'post'
	WHERE v.policy = moderation_policy_report.name AND v.id >= coalesce(roost_internal.id_floor(since), 0)
	GROUP BY v.action, v.dry_run
	ORDER BY v.dry_run, v.action;
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_policy_report(roost.id, roost.moderation_name, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_policy_report(roost.id, roost.moderation_name, timestamptz) IS 'How often a policy has said something since a time (null: as long as verdicts are kept), by action and whether it was a dry run: to judge what it would do. released counts posts that were limited or held and are visible now. 42501 without policy.read, P0002 no such policy.';
SELECT roost_internal.route('GET', '/admin/policies/:name/report', 'roost.moderation_policy_report', lane => 'slow');

CREATE OR REPLACE FUNCTION roost_internal.verdict_stat(OUT refused bigint, OUT waiting bigint, OUT lost bigint)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_verdict_stat';
COMMENT ON FUNCTION roost_internal.verdict_stat() IS 'The row of roost.stat_moderation.';
REVOKE ALL ON FUNCTION roost_internal.verdict_stat() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roost_internal.verdict_stat() TO pg_monitor;

CREATE OR REPLACE VIEW roost.stat_moderation AS SELECT * FROM roost_internal.verdict_stat();
COMMENT ON VIEW roost.stat_moderation IS 'What policies refused since the server started, one row: refused, waiting (those of them that the background worker has not written to roost_data.moderation_verdict yet), lost (those that had to make room before it could).';
GRANT SELECT ON roost.stat_moderation TO pg_monitor;
