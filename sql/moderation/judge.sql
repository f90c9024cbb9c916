-- Asking the policies: triggers, cases, trials.

CREATE OR REPLACE FUNCTION roost_internal.post_judge() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_moderation_post';
COMMENT ON FUNCTION roost_internal.post_judge() IS 'BEFORE ROW trigger of roost_data.post: asks the policies about a post that is written or edited, sets its state and labels, or refuses it (23514, or 53400 for its rate). What a moderator has decided stays.';
REVOKE ALL ON FUNCTION roost_internal.post_judge() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.profile_judge() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_moderation_profile';
COMMENT ON FUNCTION roost_internal.profile_judge() IS 'BEFORE and AFTER ROW trigger of roost_data.account: asks the policies about user name, display name, bio and the addresses of pictures, refuses them (23514) or opens a case.';
REVOKE ALL ON FUNCTION roost_internal.profile_judge() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.name_key(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.replace(pg_catalog.translate(pg_catalog.regexp_replace(pg_catalog.lower(roost.text_skeleton($1)), '[[:space:][:punct:]]', '', 'g'),
		'013457i', 'oleastl'), 'rn', 'm')
$$;
REVOKE ALL ON FUNCTION roost_internal.name_key(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.name_key(text) IS 'What a name looks like at a glance: its skeleton (roost.text_skeleton) without blanks and signs, digits as the letters that they stand for, i as l, rn as m. Names that may be taken for each other have the same.';

CREATE OR REPLACE FUNCTION roost_internal.profile_lookalike(names text[], account_id bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_keys constant text[] := ARRAY(SELECT k FROM unnest(names) n, LATERAL roost_internal.name_key(n) k WHERE length(k) > 3);
BEGIN
	IF v_keys = '{}' THEN
		RETURN NULL;
	END IF;
	RETURN (
		SELECT s.username FROM (
			SELECT lower(a.username) FROM roost_data.role r JOIN roost_data.account a ON a.role = r.name
			WHERE r.rank > 0 AND a.role <> 'user' AND a.status = 'active' AND a.id <> profile_lookalike.account_id
			UNION ALL
			-- those that nobody may take
			SELECT h.username FROM roost_data.reserved_handle h WHERE h.until IS NULL AND length(h.username) > 4
		) s (username)
		WHERE roost_internal.name_key(s.username) = ANY (v_keys) ORDER BY 1 LIMIT 1);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.profile_lookalike(text[], bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.profile_lookalike(text[], bigint) IS 'The user name of the staff (accounts whose role has a rank), or one of those that are reserved for good, that one of the names of an account may be taken for; null if there is none.';

CREATE OR REPLACE FUNCTION roost_internal.moderation_trial(subject text, text text, language text, account_id bigint)
RETURNS TABLE (policy text, signal text, score double precision, threshold double precision, fires boolean, action text, enabled boolean, dry_run boolean, explanation text)
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_moderation_trial';
COMMENT ON FUNCTION roost_internal.moderation_trial(text, text, text, bigint) IS 'What every policy of a subject, disabled ones too, would say of a text, by an account or (null) by nobody in particular. Rates are not counted.';
REVOKE ALL ON FUNCTION roost_internal.moderation_trial(text, text, text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.post_judgement_set(post_id bigint, author_id bigint, state text, labels text[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF state = 'visible' AND labels IS NULL THEN
		DELETE FROM roost_data.post_judgement j WHERE j.post_id = post_judgement_set.post_id;
	ELSE
		INSERT INTO roost_data.post_judgement AS j (post_id, author_id, state, labels)
		VALUES (post_judgement_set.post_id, post_judgement_set.author_id, post_judgement_set.state::roost.post_state, post_judgement_set.labels)
		ON CONFLICT ON CONSTRAINT post_judgement_pkey DO UPDATE SET state = excluded.state, labels = excluded.labels;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_judgement_set(bigint, bigint, text, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_judgement_set(bigint, bigint, text, text[]) IS 'Notes what policies have made of a post.';

CREATE OR REPLACE FUNCTION roost_internal.post_judgement_void() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.post_judgement j WHERE j.post_id = NEW.id;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_judgement_void() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_judgement_void() IS 'AFTER ROW trigger of roost_data.post, for statements that set state or labels: what stands there now is somebody''s decision, no longer that of policies.';

CREATE OR REPLACE FUNCTION roost_internal.post_held() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_moderation_post_held';
COMMENT ON FUNCTION roost_internal.post_held() IS 'AFTER ROW trigger of roost_data.post: opens a case for a post that policies have just held.';
REVOKE ALL ON FUNCTION roost_internal.post_held() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.verdict_case(subject text, subject_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_verdict record;
BEGIN
	-- The newest is what this text was held for.
	SELECT v.account_id, v.policy, v.explanation, v.signal, v.score, v.threshold, p.case_category INTO v_verdict
	FROM roost_data.moderation_verdict v LEFT JOIN roost_data.moderation_policy p ON p.name = v.policy
	WHERE v.subject_id = verdict_case.subject_id AND v.subject = verdict_case.subject AND v.action = 'hold' AND NOT v.dry_run
	ORDER BY v.id DESC LIMIT 1;
	IF NOT FOUND OR pg_catalog.to_regprocedure('roost_internal.case_open(text, bigint, bigint, text, text, jsonb)') IS NULL THEN
		RETURN;
	END IF;
	PERFORM roost_internal.case_open(CASE subject WHEN 'profile' THEN 'account' ELSE subject END, subject_id, v_verdict.account_id,
		coalesce(v_verdict.case_category, 'other'), v_verdict.policy,
		jsonb_build_object('signal', v_verdict.signal, 'score', v_verdict.score, 'threshold', v_verdict.threshold, 'explanation', v_verdict.explanation));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.verdict_case(text, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.verdict_case(text, bigint) IS 'Opens a case about a post or profile that policies have held, or adds to the one that is open.';

CREATE OR REPLACE FUNCTION roost.moderation_policy_try(
	actor_id roost.id,
	text roost.post_text,
	language roost.language DEFAULT NULL,
	subject roost.moderation_subject DEFAULT 'post',
	account_id roost.account_ref DEFAULT NULL
) RETURNS SETOF roost.moderation_trial
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.read');
	IF account_id IS NOT NULL THEN
		v_account_id := roost_internal.verdict_account(account_id);
	END IF;
	RETURN QUERY
	SELECT t.policy, t.signal, t.score, t.threshold, t.fires, t.action, t.enabled, t.dry_run, t.explanation::jsonb
	FROM roost_internal.moderation_trial(coalesce(subject, 'post'), moderation_policy_try.text, moderation_policy_try.language, v_account_id) t;
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_policy_try(roost.id, roost.post_text, roost.language, roost.moderation_subject, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_policy_try(roost.id, roost.post_text, roost.language, roost.moderation_subject, roost.account_ref) IS 'What every policy, disabled ones too, would say of a text by an account (an id or @name; null: by nobody in particular), with the scores; fires says which would act. Nothing is recorded or counted. 42501 without policy.read, P0002 no such account.';
SELECT roost_internal.route('POST', '/admin/policies/try', 'roost.moderation_policy_try');
