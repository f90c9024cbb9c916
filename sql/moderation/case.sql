-- Cases: what moderators do with what was reported.

CREATE OR REPLACE FUNCTION roost_internal.case_view(case_id bigint) RETURNS roost.moderation_case
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_case roost.moderation_case;
BEGIN
	SELECT c.id, c.status, c.priority, c.category, c.source, c.subject_type, c.subject_id, roost_internal.author(c.account_id), roost_internal.author(c.assignee_id),
		c.report_count, c.decision, c.version, c.created_at, c.updated_at, c.decided_at, c.priority || '.' || c.id
	INTO v_case FROM roost_data.moderation_case c WHERE c.id = case_view.case_id;
	RETURN v_case;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.case_view(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.case_view(bigint) IS 'A case as moderators see it in a list; cursor is its place in the queue.';

CREATE OR REPLACE FUNCTION roost_internal.case_lock(actor_id bigint, case_id bigint, version integer DEFAULT NULL,
	OUT id bigint, OUT status text, OUT account_id bigint, OUT assignee_id bigint, OUT subject_type text, OUT subject_id bigint, OUT category text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_version integer;
BEGIN
	SELECT c.id, c.status, c.account_id, c.assignee_id, c.subject_type, c.subject_id, c.category, c.version
	INTO id, status, account_id, assignee_id, subject_type, subject_id, category, v_version
	FROM roost_data.moderation_case c WHERE c.id = case_lock.case_id AND c.account_id IS DISTINCT FROM actor_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'case_id', MESSAGE = 'the case does not exist';
	ELSIF v_version <> case_lock.version THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'version', MESSAGE = 'the case has changed meanwhile', HINT = 'Look at it again.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.case_lock(bigint, bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.case_lock(bigint, bigint, integer) IS 'Locks a case for somebody who will change it. P0002 if there is none, or it concerns that account itself; 55000 if it is no longer at the version.';

CREATE OR REPLACE FUNCTION roost_internal.case_waits(status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT $1 IN ('open', 'assigned')
$$;
REVOKE ALL ON FUNCTION roost_internal.case_waits(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.case_waits(text) IS 'Whether a case with this status waits for a decision.';

CREATE OR REPLACE FUNCTION roost.case_list(
	actor_id roost.id,
	status roost.case_filter DEFAULT 'open',
	category text DEFAULT NULL,
	assignee roost.assignee DEFAULT NULL,
	account_id roost.account_ref DEFAULT NULL,
	subject_type text DEFAULT NULL,
	source text DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL
) RETURNS SETOF roost.moderation_case
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	v_status roost.case_filter := coalesce(case_list.status, 'open');
	v_by_priority boolean := v_status IN ('open', 'unassigned', 'assigned', 'appealed');
	v_statuses text[] := CASE v_status WHEN 'open' THEN '{open,assigned,appealed}' WHEN 'unassigned' THEN '{open}' WHEN 'all' THEN NULL ELSE ARRAY[v_status::text] END;
	v_assignee_id bigint;
	v_account_id bigint;
	v_place text[] := regexp_match(before, '^([0-9]{1,9})\.([0-9]{1,18})$');
	v_limit integer := coalesce(case_list."limit", 20);
	v_ids bigint[];
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'report.read');
	IF before IS NOT NULL AND v_place IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'before', MESSAGE = 'invalid cursor', HINT = 'Use the value of "next" from the page before.';
	END IF;
	v_account_id := roost_internal.account_known(account_id);
	v_assignee_id := CASE WHEN assignee = 'me' THEN actor_id WHEN assignee <> 'none' THEN roost_internal.account_known(assignee::text) END;
	IF v_by_priority THEN
		v_ids := ARRAY(
			SELECT c.id FROM roost_data.moderation_case c
			WHERE c.status IN ('open', 'assigned', 'appealed') AND c.status = ANY (v_statuses)
				AND (v_place IS NULL OR (c.priority, c.id) < (v_place[1]::integer, v_place[2]::bigint))
				AND (case_list.category IS NULL OR c.category = case_list.category)
				AND (case_list.source IS NULL OR c.source = case_list.source)
				AND (case_list.subject_type IS NULL OR c.subject_type = case_list.subject_type)
				AND (v_account_id IS NULL OR c.account_id = v_account_id)
				AND (assignee IS NULL OR c.assignee_id IS NOT DISTINCT FROM v_assignee_id)
				AND c.account_id IS DISTINCT FROM actor_id
			ORDER BY c.priority DESC, c.id DESC LIMIT v_limit);
	ELSE
		v_ids := ARRAY(
			SELECT c.id FROM roost_data.moderation_case c
			WHERE (v_statuses IS NULL OR c.status = v_statuses[1])
				AND (v_place IS NULL OR c.id < v_place[2]::bigint)
				AND (case_list.category IS NULL OR c.category = case_list.category)
				AND (case_list.source IS NULL OR c.source = case_list.source)
				AND (case_list.subject_type IS NULL OR c.subject_type = case_list.subject_type)
				AND (v_account_id IS NULL OR c.account_id = v_account_id)
				AND (assignee IS NULL OR c.assignee_id IS NOT DISTINCT FROM v_assignee_id)
				AND c.account_id IS DISTINCT FROM actor_id
			ORDER BY c.id DESC LIMIT v_limit);
	END IF;
	RETURN QUERY SELECT v.* FROM unnest(v_ids) WITH ORDINALITY u (id, n) CROSS JOIN LATERAL roost_internal.case_view(u.id) v ORDER BY u.n;
END
$$;
REVOKE ALL ON FUNCTION roost.case_list(roost.id, roost.case_filter, text, roost.assignee, roost.account_ref, text, text, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.case_list(roost.id, roost.case_filter, text, roost.assignee, roost.account_ref, text, text, integer, roost.cursor) IS 'Cases: those that wait (status open, the default; or unassigned, assigned, appealed) by priority, the most urgent first; decided, closed or all newest first. category, assignee (id, @name, me or none), account_id (whom it concerns), subject_type and source leave out others. Never those about the actor itself. 42501 without the permission report.read.';
SELECT roost_internal.route('GET', '/admin/cases', 'roost.case_list', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost_internal.case_reports(case_id bigint, "limit" integer, before bigint DEFAULT NULL) RETURNS SETOF roost.case_report
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT r.id::roost.id, roost_internal.author(r.reporter_id), r.category::text, r.comment, r.evidence, r.snapshot, r.credibility, r.created_at
	FROM roost_data.report r
	WHERE r.case_id = case_reports.case_id AND r.id < coalesce(before, 9223372036854775807)
	ORDER BY r.id DESC LIMIT case_reports."limit";
END
$$;
REVOKE ALL ON FUNCTION roost_internal.case_reports(bigint, integer, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.case_reports(bigint, integer, bigint) IS 'The reports of a case, newest first.';

CREATE OR REPLACE FUNCTION roost.case_get(actor_id roost.id, case_id roost.id) RETURNS roost.case_detail
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_case roost_data.moderation_case;
	v_head roost.moderation_case;
	v_detail roost.case_detail;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'report.read');
	SELECT c.* INTO v_case FROM roost_data.moderation_case c WHERE c.id = case_get.case_id AND c.account_id IS DISTINCT FROM actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'case_id', MESSAGE = 'the case does not exist';
	END IF;
	v_head := roost_internal.case_view(v_case.id);
	v_detail := ROW(v_head.id, v_head.status, v_head.priority, v_head.category, v_head.source, v_head.subject_type, v_head.subject_id, v_head.account, v_head.assignee,
		v_head.report_count, v_head.decision, v_head.version, v_head.created_at, v_head.updated_at, v_head.decided_at,
		v_case.snapshot,
		CASE v_case.subject_type WHEN 'post' THEN (
			SELECT jsonb_build_object('id', p.id::text, 'text', p.text, 'content_warning', p.content_warning, 'visibility', p.visibility, 'state', p.state,
				'labels', to_jsonb(p.labels), 'media', p.media, 'urls', p.urls, 'created_at', p.created_at, 'edited_at', p.edited_at)
			FROM roost_data.post p WHERE p.id = v_case.subject_id)
			-- Of a message only what became of it: what was said since is nobody's business.
			WHEN 'message' THEN (
			SELECT jsonb_build_object('id', x.id::text, 'state', CASE WHEN x.deleted_at IS NULL THEN 'visible' ELSE 'removed' END, 'created_at', x.created_at, 'edited_at', x.edited_at, 'deleted_at', x.deleted_at)
			FROM roost_data.message x WHERE x.conversation_id = (v_case.snapshot->>'conversation_id')::bigint AND x.id = v_case.subject_id) END,
		CASE WHEN v_case.account_id IS NOT NULL THEN roost_internal.admin_account_view(v_case.account_id) END,
		ARRAY(SELECT r FROM roost_internal.case_reports(v_case.id, 100) r),
		ARRAY(SELECT ROW(e.id, e.kind, roost_internal.author(e.account_id), e.text, e.detail, e.created_at)::roost.case_event
			FROM (SELECT t.* FROM roost_data.moderation_event t WHERE t.case_id = v_case.id ORDER BY t.id DESC LIMIT 200) e ORDER BY e.created_at, e.id),
		ARRAY(SELECT roost_internal.decision_entry(d.id) FROM roost_data.moderation_decision d WHERE d.case_id = v_case.id ORDER BY d.id DESC),
		ARRAY(SELECT roost_internal.decision_entry(d.id) FROM (
			SELECT t.id FROM roost_data.moderation_decision t WHERE t.account_id = v_case.account_id AND t.case_id IS DISTINCT FROM v_case.id
			ORDER BY t.id DESC LIMIT 50) d),
		v_case.verdicts)::roost.case_detail;
	RETURN v_detail;
END
$$;
REVOKE ALL ON FUNCTION roost.case_get(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.case_get(roost.id, roost.id) IS 'A case with all that helps to decide it. 42501 without the permission report.read; P0002 no such case, or one about the actor itself.';
SELECT roost_internal.route('GET', '/admin/cases/:case_id', 'roost.case_get', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.case_report_list(actor_id roost.id, case_id roost.id, "limit" integer DEFAULT 20, before roost.cursor DEFAULT NULL) RETURNS SETOF roost.case_report
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'report.read');
	PERFORM FROM roost_data.moderation_case c WHERE c.id = case_report_list.case_id AND c.account_id IS DISTINCT FROM actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'case_id', MESSAGE = 'the case does not exist';
	END IF;
	RETURN QUERY SELECT r.* FROM roost_internal.case_reports(case_id, coalesce(case_report_list."limit", 20), roost_internal.cursor_id(before)) r;
END
$$;
REVOKE ALL ON FUNCTION roost.case_report_list(roost.id, roost.id, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.case_report_list(roost.id, roost.id, integer, roost.cursor) IS 'All reports of a case, newest first. 42501 without the permission report.read, P0002 no such case.';
SELECT roost_internal.route('GET', '/admin/cases/:case_id/reports', 'roost.case_report_list', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.case_assign(actor_id roost.id, case_id roost.id, account_id roost.assignee DEFAULT 'me') RETURNS roost.moderation_case
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_case record;
	v_to bigint;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'case.handle');
	v_to := CASE WHEN coalesce(account_id, 'me') = 'me' THEN actor_id WHEN account_id <> 'none' THEN roost_internal.account_known(account_id::text) END;
	-- Who leaves now gets no case any more.
	PERFORM roost_internal.account_hold(v_to) WHERE v_to IS NOT NULL;
	v_case := roost_internal.case_lock(actor_id, case_id);
	IF NOT roost_internal.case_waits(v_case.status) THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the case is %s', v_case.status);
	ELSIF v_to IS NOT NULL AND (v_to = v_case.account_id OR NOT roost_internal.has_permission(v_to, 'case.handle')) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'account_id', MESSAGE = 'this account cannot handle the case';
	END IF;
	IF v_to IS DISTINCT FROM v_case.assignee_id THEN
		UPDATE roost_data.moderation_case c SET assignee_id = v_to, status = CASE WHEN v_to IS NULL THEN 'open' ELSE 'assigned' END,
			version = c.version + 1, updated_at = roost_internal.clock_now()
		WHERE c.id = v_case.id;
		PERFORM roost_internal.case_event_add(v_case.id, CASE WHEN v_to IS NULL THEN 'unassigned' ELSE 'assigned' END, actor_id, NULL,
			jsonb_strip_nulls(jsonb_build_object('account_id', v_to::text)));
		PERFORM roost_internal.audit_add('case.assign', 'case', v_case.id, jsonb_build_object('account_id', v_to::text), actor_id);
	END IF;
	RETURN roost_internal.case_view(v_case.id);
END
$$;
REVOKE ALL ON FUNCTION roost.case_assign(roost.id, roost.id, roost.assignee) FROM PUBLIC;
COMMENT ON FUNCTION roost.case_assign(roost.id, roost.id, roost.assignee) IS 'Gives a case that waits to an account (id or @name; me, the default, is the actor), or to nobody (none). 42501 without the permission case.handle, P0002 no such case or account, 22023 an account that may not handle it, 55000 the case is decided.';
SELECT roost_internal.route('POST', '/admin/cases/:case_id/assign', 'roost.case_assign', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.case_note(actor_id roost.id, case_id roost.id, text roost.report_comment) RETURNS roost.case_event
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_case record;
	v_id bigint;
	v_event roost.case_event;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'case.handle');
	v_case := roost_internal.case_lock(actor_id, case_id);
	IF coalesce(btrim(text), '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'text', MESSAGE = 'the note is empty';
	END IF;
	v_id := roost_internal.case_event_add(v_case.id, 'note', actor_id, text);
	UPDATE roost_data.moderation_case c SET version = c.version + 1, updated_at = roost_internal.clock_now() WHERE c.id = v_case.id;
	SELECT e.id, e.kind, roost_internal.author(e.account_id), e.text, e.detail, e.created_at INTO v_event FROM roost_data.moderation_event e WHERE e.id = v_id;
	RETURN v_event;
END
$$;
REVOKE ALL ON FUNCTION roost.case_note(roost.id, roost.id, roost.report_comment) FROM PUBLIC;
COMMENT ON FUNCTION roost.case_note(roost.id, roost.id, roost.report_comment) IS 'Adds a note for other moderators to a case. 42501 without the permission case.handle, P0002 no such case, 22023 an empty note.';
SELECT roost_internal.route('POST', '/admin/cases/:case_id/notes', 'roost.case_note', status => 201, tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.case_decide(
	actor_id roost.id,
	case_id roost.id,
	decision roost.decision,
	reason roost.report_comment DEFAULT NULL,
	text roost.report_comment DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	labels roost.moderation_label[] DEFAULT NULL,
	category text DEFAULT NULL,
	version integer DEFAULT NULL
) RETURNS roost.moderation_decision
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_case record;
	v_measure boolean := roost_internal.decision_measure(decision, labels);
	v_id bigint;
	v_told boolean;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, roost_internal.decision_permission(decision));
	PERFORM roost_internal.decision_hold(c.account_id, c.subject_type, c.subject_id)
	FROM roost_data.moderation_case c WHERE c.id = case_decide.case_id AND c.account_id IS DISTINCT FROM actor_id;
	v_case := roost_internal.case_lock(actor_id, case_id, version);
	IF NOT roost_internal.case_waits(v_case.status) THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the case is %s', v_case.status);
	ELSIF decision = 'dismiss' AND v_case.subject_type = 'post'
		AND EXISTS (SELECT FROM roost_data.post p WHERE p.id = v_case.subject_id AND p.state = 'held')
	THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the post is held', HINT = 'Decide release or remove.';
	ELSIF roost_internal.decision_about(decision) LIKE 'post\_%' AND v_case.subject_type <> 'post' AND NOT (v_case.subject_type = 'message' AND decision IN ('remove', 'restore')) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'decision', MESSAGE = 'the case is not about a post',
			HINT = 'Of a message nothing but remove and restore can be decided.';
	END IF;
	-- What stands already is not done, nor counted, again.
	IF v_case.subject_type = 'message' AND roost_internal.decision_about(decision) LIKE 'post\_%' THEN
		PERFORM roost_internal.message_case_place(v_case.id, v_case.subject_id);
	END IF;
	v_id := roost_internal.decision_standing(decision, v_case.subject_type, v_case.subject_id, v_case.account_id);
	IF v_id IS NULL THEN
		v_id := roost_internal.decision_add(actor_id, decision, v_case.subject_type, v_case.subject_id, v_case.account_id, v_case.id,
			coalesce(category, v_case.category), reason, text, until, labels);
	ELSE
		PERFORM roost_internal.permission_check(actor_id, roost_internal.decision_permission(decision), v_case.account_id);
		UPDATE roost_data.moderation_decision d SET case_id = v_case.id WHERE d.id = v_id AND d.case_id IS NULL;
	END IF;
	SELECT d.told INTO v_told FROM roost_data.moderation_decision d WHERE d.id = v_id;
	-- What is held waits for another decision.
	UPDATE roost_data.moderation_case c SET
		decision = case_decide.decision,
		status = CASE WHEN case_decide.decision = 'hold' THEN c.status WHEN v_measure AND v_told THEN 'decided' ELSE 'closed' END,
		outcome = CASE WHEN case_decide.decision = 'hold' THEN NULL WHEN v_measure THEN 'action' ELSE 'no_action' END,
		decided_at = CASE WHEN case_decide.decision <> 'hold' THEN v_now END,
		version = c.version + 1, updated_at = v_now
	WHERE c.id = v_case.id;
	PERFORM roost_internal.case_event_add(v_case.id, 'decided', actor_id, text,
		jsonb_build_object('decision', decision, 'decision_id', v_id::text));
	PERFORM roost_internal.audit_add('case.decide', 'case', v_case.id, jsonb_build_object('decision', decision, 'decision_id', v_id::text), actor_id);
	RETURN roost_internal.decision_entry(v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.case_decide(roost.id, roost.id, roost.decision, roost.report_comment, roost.report_comment, timestamptz, roost.moderation_label[], text, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.case_decide(roost.id, roost.id, roost.decision, roost.report_comment, roost.report_comment, timestamptz, roost.moderation_label[], text, integer) IS 'Decides a case, and does what was decided: to the post, to the message (remove, restore), or to the account concerned. reason is told to that account, text is a note for moderators; until: the end of a suspension; labels: with the decision label; category: the rule that was broken (default: that of the case); version: the one that was looked at. After hold the case stays open. Where the post is limited or removed, or the account limited or banned, by a decision already, that one is taken for the case. Returns the decision. 42501 without the permission that the decision takes, or if the account has the same or a higher rank; 55000 somebody has decided meanwhile, the case is at another version, or the post or account in a state that does not go with it; P0002 no such case (or one about the actor), or the post is gone; 22023 values that do not go with the decision.';
SELECT roost_internal.route('POST', '/admin/cases/:case_id/decide', 'roost.case_decide', status => 201, tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.case_reopen(actor_id roost.id, case_id roost.id, text roost.report_comment DEFAULT NULL) RETURNS roost.moderation_case
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_case record;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'case.handle');
	v_case := roost_internal.case_lock(actor_id, case_id);
	IF v_case.status NOT IN ('decided', 'closed') THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the case is %s', v_case.status);
	END IF;
	BEGIN
		UPDATE roost_data.moderation_case c SET status = CASE WHEN c.assignee_id IS NULL THEN 'open' ELSE 'assigned' END,
			outcome = NULL, decided_at = NULL, version = c.version + 1, updated_at = roost_internal.clock_now()
		WHERE c.id = v_case.id;
	EXCEPTION WHEN unique_violation THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'another case about the same is open';
	END;
	PERFORM roost_internal.case_event_add(v_case.id, 'reopened', actor_id, text);
	PERFORM roost_internal.audit_add('case.reopen', 'case', v_case.id, '{}', actor_id);
	RETURN roost_internal.case_view(v_case.id);
END
$$;
REVOKE ALL ON FUNCTION roost.case_reopen(roost.id, roost.id, roost.report_comment) FROM PUBLIC;
COMMENT ON FUNCTION roost.case_reopen(roost.id, roost.id, roost.report_comment) IS 'Opens a decided or closed case again; what was decided stays as it is until something else is. 42501 without the permission case.handle, P0002 no such case, 55000 it is open, or waits for an appeal, or another case about the same is open.';
SELECT roost_internal.route('POST', '/admin/cases/:case_id/reopen', 'roost.case_reopen', tags => '{admin}');
