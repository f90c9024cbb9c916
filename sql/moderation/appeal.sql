-- Appeals: what the account concerned says to a decision, and what becomes of
-- it.  Somebody else than who decided looks at it.

CREATE OR REPLACE FUNCTION roost_internal.appeal_view(appeal_id bigint) RETURNS roost.appeal
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_appeal roost.appeal;
BEGIN
	SELECT a.id, a.decision_id, a.text, a.status, a.reason, a.created_at, a.decided_at INTO v_appeal
	FROM roost_data.moderation_appeal a WHERE a.id = appeal_view.appeal_id;
	RETURN v_appeal;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.appeal_view(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.appeal_view(bigint) IS 'An appeal as its author sees it.';

CREATE OR REPLACE FUNCTION roost_internal.appeal_add(account_id bigint, decision_id bigint, text text) RETURNS roost.appeal
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_decision roost_data.moderation_decision;
	v_id bigint := roost_internal.id_next(account_id);
BEGIN
	IF coalesce(btrim(text), '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'text', MESSAGE = 'the appeal is empty';
	END IF;
	-- The case before the decision, as whoever decides.
	PERFORM FROM roost_data.moderation_case c
	WHERE c.id = (SELECT d.case_id FROM roost_data.moderation_decision d WHERE d.id = appeal_add.decision_id AND d.account_id = appeal_add.account_id)
	FOR NO KEY UPDATE;
	SELECT d.* INTO v_decision FROM roost_data.moderation_decision d
	WHERE d.id = appeal_add.decision_id AND d.account_id = appeal_add.account_id AND d.told FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'decision_id', MESSAGE = 'the decision does not exist';
	ELSIF EXISTS (SELECT FROM roost_data.moderation_appeal a WHERE a.decision_id = v_decision.id) THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'decision_id', MESSAGE = 'there was an appeal against this decision before';
	ELSIF NOT roost_internal.decision_can_appeal(v_decision.decision, v_decision.labels, v_decision.told, v_decision.created_at, v_decision.reverted_at) THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'decision_id', MESSAGE = 'there is no appeal against this decision',
			DETAIL = 'It was undone, is none against the account, or was made too long ago.';
	END IF;
	INSERT INTO roost_data.moderation_appeal (id, decision_id, account_id, text, created_at)
	VALUES (v_id, v_decision.id, appeal_add.account_id, btrim(appeal_add.text), roost_internal.clock_now());
	UPDATE roost_data.moderation_case c SET status = 'appealed', version = c.version + 1, updated_at = roost_internal.clock_now()
	WHERE c.id = v_decision.case_id AND c.status = 'decided';
	IF v_decision.case_id IS NOT NULL THEN
		PERFORM roost_internal.case_event_add(v_decision.case_id, 'appealed', appeal_add.account_id, NULL,
			jsonb_build_object('decision_id', v_decision.id::text, 'appeal_id', v_id::text));
	END IF;
	RETURN roost_internal.appeal_view(v_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.appeal_add(bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.appeal_add(bigint, bigint, text) IS 'Appeals against a decision that the account was told of: P0002 there is none, 55000 it cannot be appealed against, or was before, 22023 an empty text.';

CREATE OR REPLACE FUNCTION roost.appeal_create(actor_id roost.id, decision_id roost.id, text roost.report_comment) RETURNS roost.appeal
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold(actor_id);
	PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	RETURN roost_internal.appeal_add(actor_id, decision_id, text);
END
$$;
REVOKE ALL ON FUNCTION roost.appeal_create(roost.id, roost.id, roost.report_comment) FROM PUBLIC;
COMMENT ON FUNCTION roost.appeal_create(roost.id, roost.id, roost.report_comment) IS 'Appeals against a decision about the actor or a post of its own, once, within roost.appeal_window. P0002 there is no such decision, 55000 it cannot be appealed against, or was before, 22023 an empty text.';
SELECT roost_internal.route('POST', '/moderation/decisions/:decision_id/appeal', 'roost.appeal_create', limit_class => 'report', status => 201, tags => '{moderation}');

CREATE OR REPLACE FUNCTION roost.appeal_create_suspended(
	identifier roost.login_identifier,
	password roost.password,
	text roost.report_comment,
	decision_id roost.id DEFAULT NULL,
	client_address inet DEFAULT NULL
) RETURNS roost.appeal
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_decision_id bigint := decision_id;
BEGIN
	SELECT p.account_id INTO v_account_id FROM roost_internal.login_prove(identifier, password, client_address, 'suspended') p;
	PERFORM roost_internal.account_hold(v_account_id);
	PERFORM FROM roost_data.account a WHERE a.id = v_account_id AND a.status = 'suspended';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the account is not suspended', HINT = 'Log in, and appeal against a decision.';
	END IF;
	IF v_decision_id IS NULL THEN
		SELECT d.id INTO v_decision_id FROM roost_data.moderation_decision d
		WHERE d.account_id = v_account_id AND d.told AND d.reverted_at IS NULL AND d.decision IN ('suspend', 'ban')
		ORDER BY d.id DESC LIMIT 1;
	END IF;
	RETURN roost_internal.appeal_add(v_account_id, v_decision_id, text);
END
$$;
REVOKE ALL ON FUNCTION roost.appeal_create_suspended(roost.login_identifier, roost.password, roost.report_comment, roost.id, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost.appeal_create_suspended(roost.login_identifier, roost.password, roost.report_comment, roost.id, inet) IS 'Appeals against a decision, by default that by which the account is suspended, for accounts that cannot log in; once for each decision. 28P01 and 53400 as for a login, with the same answer for an account that is not suspended, so that nobody tries passwords here unseen; 55000 the decision cannot be appealed against, or was before; P0002 there is no such decision; 22023 an empty text.';
SELECT roost_internal.route('POST', '/appeals', 'roost.appeal_create_suspended', auth => 'none', limit_class => 'login', status => 201, lane => 'slow', sensitive => true, tags => '{moderation}');

CREATE OR REPLACE FUNCTION roost.appeal_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.appeal
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT v.* FROM (
		SELECT a.id FROM roost_data.moderation_appeal a
		WHERE a.account_id = actor_id
			AND a.id < coalesce(roost_internal.cursor_id(before), 9223372036854775807) AND a.id > coalesce(roost_internal.cursor_id(after), 0)
		ORDER BY a.id DESC LIMIT coalesce(appeal_list."limit", 20)
	) a CROSS JOIN LATERAL roost_internal.appeal_view(a.id) v
	ORDER BY a.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.appeal_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.appeal_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The actor''s appeals, newest first, and what became of them.';
SELECT roost_internal.route('GET', '/moderation/appeals', 'roost.appeal_list', tags => '{moderation}');

CREATE OR REPLACE FUNCTION roost_internal.appeal_entry(appeal_id bigint) RETURNS roost.appeal_entry
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_entry roost.appeal_entry;
BEGIN
	SELECT a.id, a.decision_id, a.text, a.status, a.reason, a.created_at, a.decided_at, roost_internal.author(a.account_id),
		roost_internal.decision_entry(a.decision_id), roost_internal.author(a.decided_by)
	INTO v_entry FROM roost_data.moderation_appeal a WHERE a.id = appeal_entry.appeal_id;
	RETURN v_entry;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.appeal_entry(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.appeal_entry(bigint) IS 'An appeal as moderators see it.';

CREATE OR REPLACE FUNCTION roost.appeal_queue(
	actor_id roost.id,
	status roost.appeal_filter DEFAULT 'open',
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL
) RETURNS SETOF roost.appeal_entry
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	v_status text := nullif(coalesce(status::text, 'open'), 'all');
	v_before bigint := roost_internal.cursor_id(before);
	v_ids bigint[];
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'appeal.decide');
	-- What waits longest comes first.
	IF v_status = 'open' THEN
		v_ids := ARRAY(SELECT a.id FROM roost_data.moderation_appeal a
			WHERE a.status = 'open' AND a.account_id <> actor_id AND a.id > coalesce(v_before, 0)
			ORDER BY a.id LIMIT coalesce(appeal_queue."limit", 20));
	ELSE
		v_ids := ARRAY(SELECT a.id FROM roost_data.moderation_appeal a
			WHERE (v_status IS NULL OR a.status = v_status::roost.appeal_status) AND a.account_id <> actor_id
				AND a.id < coalesce(v_before, 9223372036854775807)
			ORDER BY a.id DESC LIMIT coalesce(appeal_queue."limit", 20));
	END IF;
	RETURN QUERY SELECT e.* FROM unnest(v_ids) WITH ORDINALITY u (id, n) CROSS JOIN LATERAL roost_internal.appeal_entry(u.id) e ORDER BY u.n;
END
$$;
REVOKE ALL ON FUNCTION roost.appeal_queue(roost.id, roost.appeal_filter, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.appeal_queue(roost.id, roost.appeal_filter, integer, roost.cursor) IS 'Appeals: open ones (the default) with the oldest first, others with the newest first. 42501 without the permission appeal.decide.';
SELECT roost_internal.route('GET', '/admin/appeals', 'roost.appeal_queue', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.appeal_decide(actor_id roost.id, appeal_id roost.id, decision roost.appeal_verdict, reason roost.report_comment DEFAULT NULL) RETURNS roost.appeal_entry
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_appeal roost_data.moderation_appeal;
	v_decision roost_data.moderation_decision;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'appeal.decide');
	-- In the order of roost_internal.decision_hold(): the appeal comes last.
	SELECT d.* INTO v_decision FROM roost_data.moderation_appeal a JOIN roost_data.moderation_decision d ON d.id = a.decision_id
	WHERE a.id = appeal_decide.appeal_id AND a.account_id <> actor_id;
	IF FOUND THEN
		PERFORM roost_internal.decision_hold(v_decision.account_id, v_decision.subject_type, v_decision.subject_id);
		PERFORM FROM roost_data.moderation_case c WHERE c.id = v_decision.case_id FOR NO KEY UPDATE;
	END IF;
	SELECT a.* INTO v_appeal FROM roost_data.moderation_appeal a WHERE a.id = appeal_decide.appeal_id AND a.account_id <> actor_id FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'appeal_id', MESSAGE = 'the appeal does not exist';
	ELSIF v_appeal.status <> 'open' THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the decision was %s', v_appeal.status);
	END IF;
	PERFORM roost_internal.permission_check(actor_id, 'appeal.decide', v_appeal.account_id);
	SELECT d.* INTO v_decision FROM roost_data.moderation_decision d WHERE d.id = v_appeal.decision_id;
	IF v_decision.decided_by = actor_id AND EXISTS (
		SELECT FROM roost_data.role_permission p JOIN roost_data.account a ON a.role = p.role AND a.role <> 'user' AND a.status = 'active'
		WHERE p.permission = 'appeal.decide' AND a.id NOT IN (actor_id, v_appeal.account_id))
	THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not allowed', DETAIL = 'Whoever decided does not decide the appeal as well.';
	END IF;
	UPDATE roost_data.moderation_appeal a SET status = CASE appeal_decide.decision WHEN 'uphold' THEN 'upheld' ELSE 'overturned' END::roost.appeal_status,
		reason = nullif(btrim(appeal_decide.reason), ''), decided_by = actor_id, decided_at = v_now
	WHERE a.id = v_appeal.id;
	IF decision = 'overturn' THEN
		PERFORM roost_internal.decision_revert(v_decision.id, actor_id);
	END IF;
	UPDATE roost_data.moderation_case c SET status = 'closed', outcome = CASE appeal_decide.decision WHEN 'overturn' THEN 'no_action' ELSE c.outcome END,
		version = c.version + 1, updated_at = v_now
	WHERE c.id = v_decision.case_id AND c.status = 'appealed'
		AND NOT EXISTS (SELECT FROM roost_data.moderation_appeal a JOIN roost_data.moderation_decision d ON d.id = a.decision_id
			WHERE d.case_id = c.id AND a.status = 'open');
	IF v_decision.case_id IS NOT NULL THEN
		PERFORM roost_internal.case_event_add(v_decision.case_id, 'appeal_decided', actor_id, reason,
			jsonb_build_object('appeal_id', v_appeal.id::text, 'decision', decision));
	END IF;
	PERFORM roost_internal.audit_add('appeal.' || decision, 'appeal', v_appeal.id, jsonb_build_object('decision_id', v_decision.id::text,
		'account_id', v_appeal.account_id::text), actor_id);
	PERFORM roost_internal.account_mail_add(v_appeal.account_id, CASE decision WHEN 'uphold' THEN 'appeal_upheld' ELSE 'appeal_overturned' END,
		jsonb_build_object('reason', reason));
	RETURN roost_internal.appeal_entry(v_appeal.id);
END
$$;
REVOKE ALL ON FUNCTION roost.appeal_decide(roost.id, roost.id, roost.appeal_verdict, roost.report_comment) FROM PUBLIC;
COMMENT ON FUNCTION roost.appeal_decide(roost.id, roost.id, roost.appeal_verdict, roost.report_comment) IS 'Decides an appeal: uphold, or overturn, which undoes the decision (unless a later one about the same stands). reason is told to the account. Whoever decided does not decide the appeal, unless nobody else may. Returns the appeal. 42501 without the permission appeal.decide, or one''s own decision, or an account of the same or a higher rank; 55000 it is decided already; P0002 no such appeal.';
SELECT roost_internal.route('POST', '/admin/appeals/:appeal_id/decide', 'roost.appeal_decide', tags => '{admin}');
