-- Decisions: what moderators do to posts and accounts.
--
-- Each one is a row that says what it replaced.  Decisions about the same
-- thing (the state of a post, its labels, whether an account is suspended …)
-- stand one upon the other: undoing one that is covered by a later one only
-- changes what the later one would bring back.

CREATE OR REPLACE FUNCTION roost_internal.decision_about(decision roost.decision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN $1 IN ('limit', 'hold', 'release', 'remove', 'restore') THEN 'post_state'
		WHEN $1 = 'label' THEN 'post_labels'
		WHEN $1 IN ('limit_account', 'unlimit_account') THEN 'account_limit'
		WHEN $1 IN ('suspend', 'ban', 'unsuspend') THEN 'account_status'
		WHEN $1 IN ('verify', 'unverify') THEN 'account_verified'
		ELSE 'nothing' END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_about(roost.decision) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_about(roost.decision) IS 'What a decision changes: decisions about the same are undone in order.';

CREATE OR REPLACE FUNCTION roost_internal.decision_permission(decision roost.decision, is_ban boolean DEFAULT false) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN $1 IN ('dismiss', 'warn', 'label') THEN 'case.handle'
		WHEN $1 IN ('limit', 'hold', 'release', 'remove', 'restore') THEN 'post.moderate'
		WHEN $1 IN ('limit_account', 'unlimit_account') THEN 'account.limit'
		WHEN $1 = 'ban' OR $1 IN ('suspend', 'unsuspend') AND $2 THEN 'account.ban'
		WHEN $1 IN ('suspend', 'unsuspend') THEN 'account.suspend'
		WHEN $1 IN ('verify', 'unverify') THEN 'account.role' END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_permission(roost.decision, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_permission(roost.decision, boolean) IS 'The permission that a decision takes; is_ban: the account is banned now.';

CREATE OR REPLACE FUNCTION roost_internal.decision_measure(decision roost.decision, labels text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT $1 IN ('warn', 'limit', 'hold', 'remove', 'limit_account', 'suspend', 'ban') OR $1 = 'label' AND coalesce($2, '{}') <> '{}'
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_measure(roost.decision, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_measure(roost.decision, text[]) IS 'Whether a decision is one against the account. To take labels away is none.';

CREATE OR REPLACE FUNCTION roost_internal.decision_weight(decision roost.decision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN $1 = 'ban' THEN 4.0 WHEN $1 = 'suspend' THEN 2.0 WHEN $1 IN ('remove', 'limit_account') THEN 1.0
		WHEN $1 IN ('warn', 'limit') THEN 0.5 WHEN $1 = 'label' THEN 0.25 END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_weight(roost.decision) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_weight(roost.decision) IS 'How much a decision speaks against the account with the filters; null if it does not.';

CREATE OR REPLACE FUNCTION roost_internal.account_mail_add(account_id bigint, template text, value jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.mail_add(e.email, template, a.language,
		jsonb_build_object('username', a.username, 'display_name', coalesce(nullif(a.display_name, ''), a.username)) || jsonb_strip_nulls(value), a.id)
	FROM roost_data.account a JOIN roost_data.account_email e ON e.account_id = a.id AND e.verified_at IS NOT NULL
	WHERE a.id = account_mail_add.account_id AND a.status <> 'deleted';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_mail_add(bigint, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_mail_add(bigint, text, jsonb) IS 'Sends a mail to the verified address of an account, if it has one.';

CREATE OR REPLACE FUNCTION roost_internal.decision_post(decision roost.decision, post_id bigint, labels text[], confirm boolean, OUT undo jsonb, OUT told boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post record;
	v_state roost.post_state;
BEGIN
	SELECT p.state, p.labels INTO v_post FROM roost_data.post p WHERE p.id = decision_post.post_id FOR NO KEY UPDATE;
	-- What a moderator has decided no filter judges anew.
	DELETE FROM roost_data.post_judgement j WHERE j.post_id = decision_post.post_id;
	IF decision = 'label' THEN
		IF labels IS NULL OR cardinality(labels) > 10 OR array_position(labels, NULL) IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'labels', MESSAGE = 'labels are missing or too many', DETAIL = 'A post has at most 10 labels.';
		END IF;
		undo := jsonb_build_object('labels', to_jsonb(v_post.labels));
		told := true;
		UPDATE roost_data.post p SET labels = (SELECT nullif(array_agg(DISTINCT l COLLATE "C"), '{}') FROM unnest(decision_post.labels) l)
		WHERE p.id = decision_post.post_id;
		RETURN;
	END IF;
	v_state := CASE decision WHEN 'limit' THEN 'limited' WHEN 'hold' THEN 'held' WHEN 'remove' THEN 'removed' ELSE 'visible' END;
	IF confirm AND decision IN ('limit', 'remove') AND v_state = v_post.state THEN
		undo := '{"state": "visible"}';
		told := decision <> 'limit';
		RETURN;
	ELSIF v_state = v_post.state OR decision = 'release' AND v_post.state = 'removed' OR decision = 'restore' AND v_post.state <> 'removed'
		OR decision IN ('limit', 'hold') AND v_post.state = 'removed'
	THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the post is %s', v_post.state);
	END IF;
	undo := jsonb_build_object('state', v_post.state);
	-- Of a limited post nobody is told, nor that it no longer is.
	told := decision <> 'limit' AND NOT (decision = 'release' AND v_post.state = 'limited');
	UPDATE roost_data.post p SET state = v_state WHERE p.id = decision_post.post_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_post(roost.decision, bigint, text[], boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_post(roost.decision, bigint, text[], boolean) IS 'Does to a post what a decision says; returns what it replaced, and whether its author is told. confirm: a filter may have done it already. 55000 if the post is in that state already, or in one that does not go with it.';

CREATE OR REPLACE FUNCTION roost_internal.decision_account(decision roost.decision, account_id bigint, until timestamptz, reason text, OUT undo jsonb, OUT told boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_account roost_data.account;
	v_wrong text;
BEGIN
	SELECT a.* INTO v_account FROM roost_data.account a WHERE a.id = decision_account.account_id FOR NO KEY UPDATE;
	v_wrong := CASE
		WHEN decision = 'limit_account' AND v_account.limited_at IS NOT NULL THEN 'limited'
		WHEN decision = 'unlimit_account' AND v_account.limited_at IS NULL THEN 'not limited'
		WHEN decision = 'unsuspend' AND v_account.status <> 'suspended' THEN 'not suspended'
		WHEN decision = 'ban' AND v_account.status = 'suspended' AND v_account.suspended_until IS NULL THEN 'banned'
		WHEN decision = 'verify' AND v_account.is_verified THEN 'verified'
		WHEN decision = 'unverify' AND NOT v_account.is_verified THEN 'not verified' END;
	IF v_wrong IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the account is %s', v_wrong);
	END IF;
	told := decision IN ('suspend', 'ban', 'unsuspend');
	IF decision IN ('limit_account', 'unlimit_account') THEN
		undo := jsonb_build_object('limited_at', v_account.limited_at);
		UPDATE roost_data.account a SET limited_at = CASE decision WHEN 'limit_account' THEN v_now END WHERE a.id = v_account.id;
	ELSIF decision IN ('verify', 'unverify') THEN
		undo := jsonb_build_object('is_verified', v_account.is_verified);
		UPDATE roost_data.account a SET is_verified = decision = 'verify' WHERE a.id = v_account.id;
	ELSE
		IF decision = 'suspend' AND (until IS NULL OR until <= v_now OR until > v_now + interval '10 years') THEN
			RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'until', MESSAGE = 'the end of the suspension is missing or not within ten years',
				HINT = 'To suspend for good takes the decision ban.';
		END IF;
		undo := jsonb_build_object('status', v_account.status, 'suspended_until', v_account.suspended_until, 'suspended_for', v_account.suspended_for);
		PERFORM roost_internal.account_status_set(v_account.id, CASE decision WHEN 'unsuspend' THEN 'active' ELSE 'suspended' END,
			CASE decision WHEN 'suspend' THEN until END, CASE WHEN decision <> 'unsuspend' THEN reason END);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_account(roost.decision, bigint, timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_account(roost.decision, bigint, timestamptz, text) IS 'Does to an account what a decision says; returns what it replaced, and whether the account is told. 55000 if it is in that state already, 22023 a suspension without an end in the future.';

CREATE OR REPLACE FUNCTION roost_internal.account_status_set(account_id bigint, status text, until timestamptz, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.account a SET status = account_status_set.status, suspended_until = until, suspended_for = reason
	WHERE a.id = account_status_set.account_id AND a.status <> 'deleted';
	IF account_status_set.status = 'suspended' THEN
		PERFORM roost_internal.session_revoke(account_status_set.account_id);
	END IF;
	DELETE FROM roost_data.banned_email b WHERE b.account_id = account_status_set.account_id;
	IF account_status_set.status = 'suspended' AND until IS NULL THEN
		INSERT INTO roost_data.banned_email (digest, account_id, created_at)
		SELECT roost_internal.email_ban_digest(e.email), e.account_id, roost_internal.clock_now()
		FROM roost_data.account_email e WHERE e.account_id = account_status_set.account_id AND e.verified_at IS NOT NULL
		ON CONFLICT DO NOTHING;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_status_set(bigint, text, timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_status_set(bigint, text, timestamptz, text) IS 'Suspends an account (until null: for good, with its verified address) or opens it again. Its sessions end with the commit.';

CREATE OR REPLACE FUNCTION roost_internal.decision_hold(account_id bigint, subject_type text, subject_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM FROM roost_data.account a WHERE a.id = decision_hold.account_id FOR NO KEY UPDATE;
	IF subject_type = 'post' THEN
		PERFORM FROM roost_data.post p WHERE p.id = decision_hold.subject_id FOR NO KEY UPDATE;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_hold(bigint, text, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_hold(bigint, text, bigint) IS 'Locks the account that a decision concerns, and the post that it is about. Locks are taken in one order: the account (its row, then roost_internal.account_hold), the post, the case, the decision, the appeal; for the account that leaves, and the author who edits while a filter opens a case, go the same way.';

CREATE OR REPLACE FUNCTION roost_internal.decision_add(
	actor_id bigint, decision roost.decision, subject_type text, subject_id bigint, account_id bigint,
	case_id bigint, category text, reason text, note text, until timestamptz, labels text[]
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_about text := roost_internal.decision_about(decision);
	v_id bigint;
	v_reason text := nullif(btrim(reason), '');
	v_why text;
	v_type text := subject_type;
	v_subject bigint := subject_id;
	v_effect record;
BEGIN
	IF category IS NOT NULL AND NOT EXISTS (SELECT FROM roost_data.report_category t WHERE t.name = category) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'category', MESSAGE = 'unknown category';
	ELSIF until IS NOT NULL AND decision <> 'suspend' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'until', MESSAGE = 'only a suspension has an end';
	ELSIF labels IS NOT NULL AND decision <> 'label' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'labels', MESSAGE = 'only the decision label has labels';
	END IF;
	-- Decisions about one account or post are made one at a time.
	IF v_about LIKE 'post\_%' AND subject_type = 'message' THEN
		PERFORM roost_internal.message_case_place(case_id, subject_id);
	ELSIF v_about LIKE 'post\_%' THEN
		PERFORM FROM roost_data.post p WHERE p.id = subject_id AND subject_type = 'post' FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'post_id', MESSAGE = 'the post does not exist';
		END IF;
	ELSIF decision <> 'dismiss' THEN
		PERFORM FROM roost_data.account a WHERE a.id = decision_add.account_id AND a.status <> 'deleted' FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
		END IF;
	END IF;
	PERFORM roost_internal.permission_check(actor_id, roost_internal.decision_permission(decision,
		EXISTS (SELECT FROM roost_data.account a WHERE a.id = decision_add.account_id AND a.status = 'suspended' AND a.suspended_until IS NULL)),
		CASE WHEN decision <> 'dismiss' THEN account_id END);
	-- What the account is told where the moderator says nothing.
	v_why := coalesce(v_reason, (SELECT nullif(t.description, '') FROM roost_data.report_category t WHERE t.name = category));
	IF v_about LIKE 'post\_%' AND subject_type = 'message' THEN
		SELECT * INTO v_effect FROM roost_internal.decision_message(decision, subject_id, case_id);
	ELSIF v_about LIKE 'post\_%' THEN
		SELECT * INTO v_effect FROM roost_internal.decision_post(decision, subject_id, labels, case_id IS NOT NULL);
	ELSIF v_about LIKE 'account\_%' THEN
		v_type := 'account';
		v_subject := account_id;
		SELECT * INTO v_effect FROM roost_internal.decision_account(decision, account_id, until, v_why);
	ELSE
		SELECT NULL::jsonb AS undo, decision = 'warn' AS told INTO v_effect;
	END IF;
	v_id := roost_internal.id_next(account_id);
	INSERT INTO roost_data.moderation_decision (id, decision, subject_type, subject_id, account_id, case_id, category, reason, note, labels, until, told, undo, decided_by, created_at)
	VALUES (v_id, decision_add.decision, v_type, v_subject, decision_add.account_id, decision_add.case_id, decision_add.category, v_reason, nullif(btrim(decision_add.note), ''),
		(SELECT coalesce(array_agg(DISTINCT l COLLATE "C"), '{}') FROM unnest(decision_add.labels) l HAVING decision_add.labels IS NOT NULL), decision_add.until, v_effect.told, v_effect.undo, actor_id, roost_internal.clock_now());
	PERFORM roost_internal.audit_add('moderation.' || decision, v_type, v_subject,
		jsonb_strip_nulls(jsonb_build_object('decision_id', v_id::text, 'account_id', account_id::text, 'case_id', case_id::text, 'category', category, 'until', until, 'labels', to_jsonb(labels))), actor_id);
	IF roost_internal.decision_weight(decision) > 0 AND roost_internal.decision_measure(decision, labels) THEN
		PERFORM roost_internal.reputation_add(account_id, 'decision', roost_internal.decision_weight(decision));
	END IF;
	IF decision IN ('warn', 'remove', 'suspend', 'ban', 'unsuspend') THEN
		PERFORM roost_internal.account_mail_add(account_id, 'decision_' || decision, jsonb_build_object('reason', coalesce(v_why, '-'),
			'until', to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')));
	END IF;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_add(bigint, roost.decision, text, bigint, bigint, bigint, text, text, text, timestamptz, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_add(bigint, roost.decision, text, bigint, bigint, bigint, text, text, text, timestamptz, text[]) IS 'Carries a decision out, writes it down, and tells the account if it is one that is told. Returns its id. 42501 without the permission, or if the account is of the same or a higher rank; 55000 where the state does not allow it; P0002 the post or account is gone; 22023 values that do not go with the decision.';

CREATE OR REPLACE FUNCTION roost_internal.decision_standing(decision roost.decision, subject_type text, subject_id bigint, account_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_about text := roost_internal.decision_about(decision);
	v_last record;
BEGIN
	IF decision NOT IN ('limit', 'remove', 'limit_account', 'ban') OR decision = 'remove' AND subject_type = 'message' THEN
		RETURN NULL;
	END IF;
	SELECT d.id, d.decision INTO v_last FROM roost_data.moderation_decision d
	WHERE d.subject_type = CASE WHEN v_about LIKE 'account\_%' THEN 'account' ELSE decision_standing.subject_type END
		AND d.subject_id = CASE WHEN v_about LIKE 'account\_%' THEN decision_standing.account_id ELSE decision_standing.subject_id END
		AND d.reverted_at IS NULL AND roost_internal.decision_about(d.decision) = v_about
	ORDER BY d.id DESC LIMIT 1;
	IF v_last.decision = decision AND (CASE decision
		WHEN 'limit' THEN EXISTS (SELECT FROM roost_data.post p WHERE p.id = subject_id AND p.state = 'limited')
		WHEN 'remove' THEN EXISTS (SELECT FROM roost_data.post p WHERE p.id = subject_id AND p.state = 'removed')
		WHEN 'limit_account' THEN EXISTS (SELECT FROM roost_data.account a WHERE a.id = account_id AND a.limited_at IS NOT NULL)
		ELSE EXISTS (SELECT FROM roost_data.account a WHERE a.id = account_id AND a.status = 'suspended' AND a.suspended_until IS NULL) END)
	THEN
		RETURN v_last.id;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_standing(roost.decision, text, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_standing(roost.decision, text, bigint, bigint) IS 'The decision by which a post or an account is limited, removed or banned already; null if it is not by a decision.';

CREATE OR REPLACE FUNCTION roost_internal.decision_revert(decision_id bigint, actor_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_decision roost_data.moderation_decision;
	v_about text;
	v_next bigint;
	v_undo jsonb;
	v_active boolean;
BEGIN
	SELECT d.* INTO v_decision FROM roost_data.moderation_decision d WHERE d.id = decision_revert.decision_id FOR UPDATE;
	v_about := roost_internal.decision_about(v_decision.decision);
	-- Whoever decides about it holds its row.
	IF v_decision.subject_type = 'post' THEN
		PERFORM FROM roost_data.post p WHERE p.id = v_decision.subject_id FOR NO KEY UPDATE;
	ELSIF v_decision.subject_type = 'message' THEN
		PERFORM FROM roost_data.conversation c WHERE c.id = (v_decision.undo->>'conversation_id')::bigint FOR NO KEY UPDATE;
	ELSE
		PERFORM FROM roost_data.account a WHERE a.id = v_decision.account_id FOR NO KEY UPDATE;
	END IF;
	UPDATE roost_data.moderation_decision d SET reverted_at = roost_internal.clock_now(), reverted_by = actor_id WHERE d.id = v_decision.id;
	IF roost_internal.decision_weight(v_decision.decision) > 0 AND roost_internal.decision_measure(v_decision.decision, v_decision.labels) THEN
		PERFORM roost_internal.reputation_add(v_decision.account_id, 'decision', -roost_internal.decision_weight(v_decision.decision));
	END IF;
	v_undo := v_decision.undo;
	SELECT d.id INTO v_next FROM roost_data.moderation_decision d
	WHERE d.subject_type = v_decision.subject_type AND d.subject_id = v_decision.subject_id AND d.id > v_decision.id
		AND d.reverted_at IS NULL AND roost_internal.decision_about(d.decision) = v_about
	ORDER BY d.id LIMIT 1;
	IF v_next IS NOT NULL AND v_about <> 'nothing' THEN
		UPDATE roost_data.moderation_decision d SET undo = v_undo WHERE d.id = v_next;
	ELSIF v_about = 'post_state' AND v_decision.subject_type = 'message' THEN
		IF v_decision.decision = 'remove' THEN
			PERFORM roost_internal.message_restore(v_decision.subject_id, v_undo);
		END IF;
	ELSIF v_about = 'post_state' THEN
		-- Nobody would come back to a post that is held.
		UPDATE roost_data.post p SET state = CASE v_undo->>'state' WHEN 'held' THEN 'visible' ELSE v_undo->>'state' END::roost.post_state
		WHERE p.id = v_decision.subject_id;
	ELSIF v_about = 'post_labels' THEN
		UPDATE roost_data.post p SET labels = (SELECT array_agg(l COLLATE "C") FROM jsonb_array_elements_text(nullif(v_undo->'labels', 'null')) l)
		WHERE p.id = v_decision.subject_id;
	ELSIF v_about = 'account_limit' THEN
		UPDATE roost_data.account a SET limited_at = (v_undo->>'limited_at')::timestamptz WHERE a.id = v_decision.account_id AND a.status <> 'deleted';
	ELSIF v_about = 'account_verified' THEN
		UPDATE roost_data.account a SET is_verified = (v_undo->>'is_verified')::boolean WHERE a.id = v_decision.account_id AND a.status <> 'deleted';
	ELSIF v_about = 'account_status' THEN
		v_active := v_undo->>'status' = 'active' OR (v_undo->>'suspended_until')::timestamptz <= roost_internal.clock_now();
		IF v_active THEN
			PERFORM roost_internal.account_status_set(v_decision.account_id, 'active', NULL, NULL);
		ELSE
			PERFORM roost_internal.account_status_set(v_decision.account_id, 'suspended', (v_undo->>'suspended_until')::timestamptz, v_undo->>'suspended_for');
		END IF;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_revert(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_revert(bigint, bigint) IS 'Undoes a decision: what it replaced comes back, unless a later one about the same stands.';

CREATE OR REPLACE FUNCTION roost_internal.decision_entry(decision_id bigint) RETURNS roost.moderation_decision
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_entry roost.moderation_decision;
BEGIN
	SELECT d.id, d.decision, d.subject_type, d.subject_id, roost_internal.author(d.account_id), d.case_id, d.category, d.reason, d.note, d.labels, d.until,
		d.told, d.source, roost_internal.author(d.decided_by), d.created_at, d.reverted_at, a.status
	INTO v_entry
	FROM roost_data.moderation_decision d LEFT JOIN roost_data.moderation_appeal a ON a.decision_id = d.id
	WHERE d.id = decision_entry.decision_id;
	RETURN v_entry;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_entry(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_entry(bigint) IS 'A decision as moderators see it.';

CREATE OR REPLACE FUNCTION roost_internal.decision_case_check(actor_id bigint, case_id bigint, account_id bigint) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF case_id IS NOT NULL AND NOT EXISTS (
		SELECT FROM roost_data.moderation_case c WHERE c.id = decision_case_check.case_id AND c.account_id = decision_case_check.account_id AND c.account_id <> actor_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'case_id', MESSAGE = 'there is no such case about this account';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_case_check(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_case_check(bigint, bigint, bigint) IS 'Raises P0002 unless the case, if there is one, is about the account.';

CREATE OR REPLACE FUNCTION roost.post_moderate(
	actor_id roost.id,
	post_id roost.id,
	action roost.post_action,
	reason roost.report_comment DEFAULT NULL,
	text roost.report_comment DEFAULT NULL,
	category text DEFAULT NULL,
	labels roost.moderation_label[] DEFAULT NULL,
	case_id roost.id DEFAULT NULL
) RETURNS roost.moderation_decision
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post_id bigint;
	v_author_id bigint;
	v_case_id bigint;
	v_id bigint;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, roost_internal.decision_permission(action::text::roost.decision));
	SELECT coalesce(o.id, p.id), coalesce(o.author_id, p.author_id) INTO v_post_id, v_author_id
	FROM roost_data.post p LEFT JOIN roost_data.post o ON o.id = p.retweet_of_id WHERE p.id = post_moderate.post_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'post_id', MESSAGE = 'the post does not exist';
	END IF;
	PERFORM roost_internal.permission_check(actor_id, roost_internal.decision_permission(action::text::roost.decision), v_author_id);
	PERFORM roost_internal.decision_case_check(actor_id, case_id, v_author_id);
	PERFORM roost_internal.decision_hold(v_author_id, 'post', v_post_id);
	v_case_id := case_id;
	-- What is held waits in the queue.
	IF action = 'hold' AND v_case_id IS NULL THEN
		v_case_id := roost_internal.case_open('post', v_post_id, v_author_id, coalesce(category, 'other'), 'moderator');
	END IF;
	v_id := roost_internal.decision_add(actor_id, action::text::roost.decision, 'post', v_post_id, v_author_id, v_case_id, category, reason, text, NULL, labels);
	RETURN roost_internal.decision_entry(v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_moderate(roost.id, roost.id, roost.post_action, roost.report_comment, roost.report_comment, text, roost.moderation_label[], roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_moderate(roost.id, roost.id, roost.post_action, roost.report_comment, roost.report_comment, text, roost.moderation_label[], roost.id) IS 'Moderates a post (of a retweet: its original). action: label (labels: all that it is to have), limit, hold (which opens a case, so that somebody comes back to it), release (what is held or limited), remove, restore (what was removed). reason is told to the author, text is a note for moderators; category: the rule that was broken; case_id: the case this belongs to, which stays as it is. Returns the decision. 42501 without the permission (post.moderate; case.handle for label), or if the author has the same or a higher rank; 55000 the post is in that state already; P0002 no such post.';
SELECT roost_internal.route('POST', '/admin/tweets/:post_id/:action', 'roost.post_moderate', status => 201, tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.account_moderate(
	actor_id roost.id,
	account_id roost.account_ref,
	action roost.account_action,
	reason roost.report_comment DEFAULT NULL,
	text roost.report_comment DEFAULT NULL,
	category text DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	case_id roost.id DEFAULT NULL
) RETURNS roost.moderation_decision
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_decision roost.decision := CASE action WHEN 'limit' THEN 'limit_account' WHEN 'unlimit' THEN 'unlimit_account' WHEN 'restore' THEN 'unsuspend' ELSE action::text END;
	v_account_id bigint;
	v_id bigint;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, roost_internal.decision_permission(v_decision));
	v_account_id := roost_internal.account_known(account_id);
	PERFORM roost_internal.decision_case_check(actor_id, case_id, v_account_id);
	v_id := roost_internal.decision_add(actor_id, v_decision, 'account', v_account_id, v_account_id, case_id, category, reason, text, until, NULL);
	RETURN roost_internal.decision_entry(v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_moderate(roost.id, roost.account_ref, roost.account_action, roost.report_comment, roost.report_comment, text, timestamptz, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_moderate(roost.id, roost.account_ref, roost.account_action, roost.report_comment, roost.report_comment, text, timestamptz, roost.id) IS 'Moderates an account. action: warn, limit (its reach; it is not told), unlimit, suspend (until that time: its sessions end, nobody sees its posts), ban (for good; its verified address registers no other account), restore (ends a suspension or a ban; everything is as it was), verify, unverify. reason is told to the account, text is a note for moderators; category: the rule that was broken; case_id: the case this belongs to. Returns the decision. 42501 without the permission, or if the account has the same or a higher rank; 55000 it is in that state already; 22023 suspend without a time in the next ten years; P0002 no such account.';
SELECT roost_internal.route('POST', '/admin/accounts/:account_id/:action', 'roost.account_moderate', status => 201, tags => '{admin}');

CREATE OR REPLACE FUNCTION roost_internal.decision_can_appeal(decision roost.decision, labels text[], told boolean, created_at timestamptz, reverted_at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN told AND reverted_at IS NULL AND roost_internal.decision_measure(decision, labels)
		AND created_at > roost_internal.clock_now() - pg_catalog.current_setting('roost.appeal_window')::interval;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.decision_can_appeal(roost.decision, text[], boolean, timestamptz, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.decision_can_appeal(roost.decision, text[], boolean, timestamptz, timestamptz) IS 'Whether the account concerned may appeal against such a decision now, if it has not yet.';

CREATE OR REPLACE FUNCTION roost_internal.strike_view(account_id bigint, ids bigint[]) RETURNS SETOF roost.strike
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT d.id::roost.id, d.decision, d.subject_type::text, d.subject_id::roost.id, d.category::text, d.reason, d.labels::text[], d.until, d.created_at, d.reverted_at, a.status,
		a.id IS NULL AND roost_internal.decision_can_appeal(d.decision, d.labels, d.told, d.created_at, d.reverted_at)
	FROM roost_data.moderation_decision d LEFT JOIN roost_data.moderation_appeal a ON a.decision_id = d.id
	WHERE d.id = ANY (ids) AND d.account_id = strike_view.account_id AND d.told
	ORDER BY d.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.strike_view(bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.strike_view(bigint, bigint[]) IS 'Decisions as the account concerned sees them, newest first; those that it is not told of are left out.';

CREATE OR REPLACE FUNCTION roost.decision_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.strike
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT s.* FROM roost_internal.strike_view(actor_id, ARRAY(
		SELECT d.id FROM roost_data.moderation_decision d
		WHERE d.account_id = actor_id AND d.told
			AND d.id < coalesce(roost_internal.cursor_id(before), 9223372036854775807) AND d.id > coalesce(roost_internal.cursor_id(after), 0)
		ORDER BY d.id DESC LIMIT coalesce(decision_list."limit", 20))) s;
END
$$;
REVOKE ALL ON FUNCTION roost.decision_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.decision_list(roost.id, integer, roost.cursor, roost.cursor) IS 'What moderators decided about the actor and its posts, as far as it is told, newest first.';
SELECT roost_internal.route('GET', '/moderation/decisions', 'roost.decision_list', tags => '{moderation}');

CREATE OR REPLACE FUNCTION roost.decision_get(actor_id roost.id, decision_id roost.id) RETURNS roost.strike
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_strike roost.strike;
BEGIN
	SELECT s.* INTO v_strike FROM roost_internal.strike_view(actor_id, ARRAY[decision_id::bigint]) s;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'decision_id', MESSAGE = 'the decision does not exist';
	END IF;
	RETURN v_strike;
END
$$;
REVOKE ALL ON FUNCTION roost.decision_get(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.decision_get(roost.id, roost.id) IS 'A decision about the actor or a post of its own. P0002 if there is none that it was told of.';
SELECT roost_internal.route('GET', '/moderation/decisions/:decision_id', 'roost.decision_get', tags => '{moderation}');
