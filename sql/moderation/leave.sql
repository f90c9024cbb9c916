-- Export, deletion of accounts, maintenance.

CREATE OR REPLACE FUNCTION roost_internal.moderation_export(account_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN jsonb_build_object(
		'reports', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id::text, 'subject_type', c.subject_type, 'subject_id', c.subject_id::text,
				'category', r.category, 'comment', r.comment, 'evidence', r.evidence, 'created_at', r.created_at, 'outcome', c.outcome) ORDER BY r.id), '[]')
			FROM roost_data.report r JOIN roost_data.moderation_case c ON c.id = r.case_id WHERE r.reporter_id = moderation_export.account_id),
		'decisions', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id::text, 'decision', d.decision, 'subject_type', d.subject_type, 'subject_id', d.subject_id::text,
				'category', d.category, 'reason', d.reason, 'labels', d.labels, 'until', d.until, 'created_at', d.created_at, 'reverted_at', d.reverted_at) ORDER BY d.id), '[]')
			FROM roost_data.moderation_decision d WHERE d.account_id = moderation_export.account_id AND d.told),
		'appeals', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id::text, 'decision_id', a.decision_id::text, 'text', a.text, 'status', a.status,
				'reason', a.reason, 'created_at', a.created_at, 'decided_at', a.decided_at) ORDER BY a.id), '[]')
			FROM roost_data.moderation_appeal a WHERE a.account_id = moderation_export.account_id));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.moderation_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.moderation_export(bigint) IS 'What an account has reported, what was decided about it as far as it is told, and its appeals.';

CREATE OR REPLACE FUNCTION roost_internal.case_close_gone() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_id bigint;
	v_count bigint := 0;
BEGIN
	-- Who decides one now holds it; another time will do.
	FOR v_id IN
		SELECT c.id FROM roost_data.moderation_case c JOIN roost_data.account a ON a.id = c.account_id AND a.status = 'deleted'
		WHERE c.status IN ('open', 'assigned', 'appealed')
		FOR NO KEY UPDATE OF c SKIP LOCKED
	LOOP
		UPDATE roost_data.moderation_case c SET status = 'closed', outcome = coalesce(c.outcome, 'gone'), decided_at = coalesce(c.decided_at, v_now), version = c.version + 1, updated_at = v_now
		WHERE c.id = v_id;
		PERFORM roost_internal.case_event_add(v_id, 'closed', NULL, NULL, '{"why": "the account was deleted"}');
		v_count := v_count + 1;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.case_close_gone() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.case_close_gone() IS 'Closes the cases that wait although the account concerned is deleted; returns how many.';

CREATE OR REPLACE FUNCTION roost_internal.moderation_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.report r SET reporter_id = NULL WHERE r.reporter_id = moderation_account_delete.account_id;
	UPDATE roost_data.moderation_appeal a SET text = '', status = CASE a.status WHEN 'open' THEN 'upheld' ELSE a.status END,
		decided_at = coalesce(a.decided_at, roost_internal.clock_now())
	WHERE a.account_id = moderation_account_delete.account_id;
	UPDATE roost_data.moderation_case c SET assignee_id = NULL, status = CASE c.status WHEN 'assigned' THEN 'open' ELSE c.status END, version = c.version + 1
	WHERE c.id IN (SELECT t.id FROM roost_data.moderation_case t WHERE t.assignee_id = moderation_account_delete.account_id
		ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.moderation_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.moderation_account_delete(bigint) IS 'Takes an account''s name off its reports, its appeals out of the queue, and its cases back to everybody. Decisions about it stay; maintenance closes the cases.';

CREATE OR REPLACE FUNCTION roost_internal.report_tell() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_report record;
	v_count bigint := 0;
BEGIN
	FOR v_report IN
		SELECT r.id, r.reporter_id, c.outcome
		FROM roost_data.report r JOIN roost_data.moderation_case c ON c.id = r.case_id AND c.status IN ('decided', 'appealed', 'closed')
		WHERE r.told_at IS NULL
		ORDER BY r.case_id, r.id LIMIT 1000
		FOR NO KEY UPDATE OF r SKIP LOCKED
	LOOP
		UPDATE roost_data.report r SET told_at = roost_internal.clock_now() WHERE r.id = v_report.id;
		PERFORM roost_internal.account_mail_add(v_report.reporter_id, 'report_decided', jsonb_build_object('outcome', CASE v_report.outcome
			WHEN 'action' THEN 'We looked at it, and have done something about it.'
			WHEN 'gone' THEN 'It was deleted before we could look at it.'
			ELSE 'We looked at it, and found nothing against our rules.' END));
		v_count := v_count + 1;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.report_tell() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.report_tell() IS 'Sends mails to at most 1000 of those whose reports were decided; returns how many reports that were.';

CREATE OR REPLACE FUNCTION roost_internal.moderation_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_old bigint[];
	v_count bigint;
BEGIN
	v_count := roost_internal.case_close_gone();
	-- A deleted account may have held on to cases that were locked at the moment.
	UPDATE roost_data.moderation_case c SET assignee_id = NULL, status = CASE c.status WHEN 'assigned' THEN 'open' ELSE c.status END, version = c.version + 1
	FROM roost_data.account a WHERE c.assignee_id = a.id AND a.status = 'deleted';
	UPDATE roost_data.moderation_case c SET status = 'closed', version = c.version + 1, updated_at = v_now
	WHERE c.status = 'decided' AND c.decided_at <= v_now - current_setting('roost.appeal_window')::interval;
	UPDATE roost_data.moderation_case c SET status = 'closed', outcome = 'gone', decided_at = v_now, version = c.version + 1, updated_at = v_now
	WHERE c.status IN ('open', 'assigned') AND c.subject_type = 'post' AND c.updated_at <= v_now - current_setting('roost.appeal_window')::interval
		AND NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = c.subject_id);
	UPDATE roost_data.moderation_case c SET status = 'closed', outcome = 'gone', decided_at = v_now, version = c.version + 1, updated_at = v_now
	WHERE c.status IN ('open', 'assigned') AND c.subject_type = 'message' AND c.updated_at <= v_now - current_setting('roost.appeal_window')::interval
		AND NOT EXISTS (SELECT FROM roost_data.message x WHERE x.conversation_id = (c.snapshot->>'conversation_id')::bigint AND x.id = c.subject_id);
	PERFORM roost_internal.report_tell();
	-- What people wrote and what was shown goes; that it happened stays.
	v_old := ARRAY(SELECT c.id FROM roost_data.moderation_case c
		WHERE c.status = 'closed' AND c.purged_at IS NULL AND c.updated_at <= v_now - current_setting('roost.report_retention')::interval
		ORDER BY c.updated_at LIMIT 10000 FOR NO KEY UPDATE SKIP LOCKED);
	UPDATE roost_data.report r SET comment = NULL, evidence = NULL, snapshot = NULL WHERE r.case_id = ANY (v_old);
	UPDATE roost_data.moderation_event e SET text = NULL WHERE e.case_id = ANY (v_old) AND e.text IS NOT NULL;
	UPDATE roost_data.moderation_appeal a SET text = '' FROM roost_data.moderation_decision d WHERE d.id = a.decision_id AND d.case_id = ANY (v_old);
	UPDATE roost_data.moderation_decision d SET note = NULL WHERE d.case_id = ANY (v_old) AND d.note IS NOT NULL;
	UPDATE roost_data.moderation_decision d SET undo = d.undo - 'text' - 'media' WHERE d.case_id = ANY (v_old) AND d.subject_type = 'message' AND d.undo ?| '{text,media}';
	UPDATE roost_data.moderation_case c SET snapshot = NULL, verdicts = '[]', purged_at = v_now WHERE c.id = ANY (v_old);
	RETURN v_count + cardinality(v_old);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.moderation_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.moderation_maintenance() IS 'Closes cases against which nobody can appeal any more, or whose subject is gone; tells reporters by mail what became of their reports; and removes texts and evidence of cases closed longer than roost.report_retention ago. Returns how many cases it closed or purged.';
