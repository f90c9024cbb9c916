-- Verdicts, reputation, fingerprints: how long they stay, taking them along,
-- and leaving (see sql/account/leave.sql).

CREATE OR REPLACE FUNCTION roost_internal.verdict_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_rows bigint;
	v_count bigint := 0;
BEGIN
	DELETE FROM roost_data.moderation_verdict v WHERE v.at < v_now - current_setting('roost.moderation_retention')::interval;
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	DELETE FROM roost_data.post_fingerprint f WHERE f.at < v_now - current_setting('roost.moderation_duplicate_window')::interval;
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	DELETE FROM roost_data.message_fingerprint f WHERE f.at < v_now - current_setting('roost.moderation_duplicate_window')::interval;
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	DELETE FROM roost_data.post_judgement j WHERE NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = j.post_id);
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	-- After ten half-lives without another entry next to nothing is left of most.
	DELETE FROM roost_data.account_reputation r
	WHERE r.updated_at < v_now - 10 * current_setting('roost.moderation_half_life')::interval AND r.weight < 10;
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	RETURN v_count + v_rows;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.verdict_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.verdict_maintenance() IS 'Removes verdicts older than roost.moderation_retention, fingerprints older than roost.moderation_duplicate_window, and what has faded from the reputation of accounts. Returns how many rows went away.';

CREATE OR REPLACE FUNCTION roost_internal.verdict_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.moderation_verdict v WHERE v.account_id = verdict_account_delete.account_id;
	DELETE FROM roost_data.account_reputation r WHERE r.account_id = verdict_account_delete.account_id;
	DELETE FROM roost_data.post_fingerprint f WHERE f.author_id = verdict_account_delete.account_id;
	DELETE FROM roost_data.message_fingerprint f WHERE f.sender_id = verdict_account_delete.account_id;
	DELETE FROM roost_data.post_judgement j WHERE j.author_id = verdict_account_delete.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.verdict_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.verdict_account_delete(bigint) IS 'Removes what policies said about an account and its posts, its reputation and its fingerprints.';

CREATE OR REPLACE FUNCTION roost_internal.verdict_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('filtered', coalesce((
		SELECT jsonb_agg(jsonb_build_object('at', v.at, 'subject', v.subject, 'subject_id', v.subject_id::text, 'action', v.action) ORDER BY v.id)
		FROM roost_data.moderation_verdict v
		WHERE v.account_id = $1 AND NOT v.dry_run AND v.action IN ('hold', 'reject')), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.verdict_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.verdict_export(bigint) IS 'Which posts of an account, and changes of its profile, filters have held or refused: what it was told at the time.';
