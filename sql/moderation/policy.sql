-- Policies: what is done with scores.

CREATE OR REPLACE FUNCTION roost_internal.moderation_policy_row(name text) RETURNS roost.moderation_policy
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_policy roost.moderation_policy;
BEGIN
	SELECT p.name, p.enabled, p.dry_run, p.subject, p.signal, p.threshold, p.below, p.languages, p.new_accounts, p.account_age, p.followers,
		p.exempt_roles, p.exempt_verified, p.adaptive, p.action, p.label, p.message, p.case_category, p.limit_class, p.priority, p.updated_at
	INTO v_policy FROM roost_data.moderation_policy p WHERE p.name = moderation_policy_row.name;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'name', MESSAGE = 'the policy does not exist';
	END IF;
	RETURN v_policy;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.moderation_policy_row(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.moderation_policy_row(text) IS 'The policy of this name. P0002 if there is none.';

CREATE OR REPLACE FUNCTION roost_internal.moderation_policy_check(policy roost_internal.moderation_rule) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_share constant boolean := policy.signal IN ('profanity', 'spam', 'gibberish', 'url', 'capitals', 'repetition', 'lookalike', 'rate');
	v_column text;
	v_detail text;
BEGIN
	IF policy.threshold IS NULL OR NOT (policy.threshold > 0 AND policy.threshold <= CASE WHEN v_share THEN 1 ELSE 1000000 END) THEN
		v_column := 'threshold';
		v_detail := pg_catalog.format('The threshold of %s is above 0 and at most %s.', policy.signal, CASE WHEN v_share THEN 1 ELSE 1000000 END);
	ELSIF NOT (policy.below > policy.threshold AND policy.below <= 1000000) THEN
		v_column := 'below';
		v_detail := 'The upper bound is greater than the threshold, and at most 1000000.';
	ELSIF NOT (pg_catalog.cardinality(policy.languages) <= 100) THEN
		v_column := 'languages';
		v_detail := 'There are at most 100 languages.';
	ELSIF NOT (policy.account_age > interval '0') THEN
		v_column := 'account_age';
		v_detail := 'The age is greater than 0.';
	ELSIF NOT (policy.followers > 0) THEN
		v_column := 'followers';
		v_detail := 'The number of followers is greater than 0.';
	ELSIF policy.action = 'label' AND policy.label IS NULL THEN
		v_column := 'label';
		v_detail := 'The action label needs a word to put on.';
	ELSIF NOT (pg_catalog.char_length(policy.message) <= 300) THEN
		v_column := 'message';
		v_detail := 'The message has at most 300 characters.';
	ELSIF NOT (policy.case_category ~ '^[a-z][a-z0-9_]{0,62}$') THEN
		v_column := 'case_category';
		v_detail := 'A category starts with a letter and has lower-case letters, digits and underscores, at most 63.';
	ELSIF (policy.signal = 'rate') <> (policy.limit_class IS NOT NULL) OR NOT (policy.limit_class ~ '^[a-z][a-z0-9_]{0,62}$' AND policy.limit_class <> 'none') THEN
		v_column := 'limit_class';
		v_detail := 'A policy on rate names a class of rate limits, and no other policy does.';
	ELSIF policy.priority NOT BETWEEN -1000 AND 1000 THEN
		v_column := 'priority';
		v_detail := 'A priority is between -1000 and 1000.';
	ELSE
		RETURN;
	END IF;
	RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = pg_catalog.format('invalid %s of a policy', v_column), DETAIL = v_detail, COLUMN = v_column;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.moderation_policy_check(roost_internal.moderation_rule) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.moderation_policy_check(roost_internal.moderation_rule) IS 'Raises 22023, with the name of the field as column, unless the values make a policy.';

CREATE OR REPLACE FUNCTION roost.moderation_policy_list(actor_id roost.id) RETURNS SETOF roost.moderation_policy
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.read');
	RETURN QUERY
	SELECT (roost_internal.moderation_policy_row(p.name)).*
	FROM roost_data.moderation_policy p ORDER BY p.subject, p.priority DESC, p.name;
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_policy_list(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_policy_list(roost.id) IS 'All policies, by subject, in the order in which they are asked. 42501 without policy.read.';
SELECT roost_internal.route('GET', '/admin/policies', 'roost.moderation_policy_list');

CREATE OR REPLACE FUNCTION roost.moderation_policy_create(
	actor_id roost.id,
	name roost.moderation_name,
	signal roost.moderation_signal,
	threshold double precision,
	action roost.moderation_action,
	subject roost.moderation_subject DEFAULT 'post',
	dry_run boolean DEFAULT true,
	enabled boolean DEFAULT true,
	below double precision DEFAULT NULL,
	languages roost.language[] DEFAULT NULL,
	new_accounts boolean DEFAULT false,
	account_age interval DEFAULT NULL,
	followers integer DEFAULT NULL,
	exempt_roles text[] DEFAULT '{moderator,admin}',
	exempt_verified boolean DEFAULT false,
	adaptive boolean DEFAULT true,
	label roost.moderation_label DEFAULT NULL,
	message text DEFAULT NULL,
	case_category text DEFAULT NULL,
	limit_class text DEFAULT NULL,
	priority integer DEFAULT 0
) RETURNS roost.moderation_policy
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.write');
	PERFORM roost_internal.moderation_policy_check(ROW(signal, threshold, below, nullif(languages::text[], '{}'), account_age, followers, action, label,
		nullif(message, ''), nullif(case_category, ''), nullif(limit_class, ''), coalesce(priority, 0))::roost_internal.moderation_rule);
	INSERT INTO roost_data.moderation_policy AS p (name, enabled, dry_run, subject, signal, threshold, below, languages, new_accounts, account_age, followers,
		exempt_roles, exempt_verified, adaptive, action, label, message, case_category, limit_class, priority, updated_at)
	VALUES (moderation_policy_create.name, coalesce(enabled, true), coalesce(dry_run, true), coalesce(subject, 'post'), signal, threshold, below,
		nullif(languages::text[], '{}'), coalesce(new_accounts, false), account_age, followers, coalesce(exempt_roles, '{}'),
		coalesce(exempt_verified, false), coalesce(adaptive, true), action, label, nullif(message, ''), nullif(case_category, ''), nullif(limit_class, ''),
		coalesce(priority, 0), roost_internal.clock_now())
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'name', MESSAGE = 'there is a policy of that name';
	END IF;
	RETURN roost_internal.moderation_policy_row(name);
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_policy_create(roost.id, roost.moderation_name, roost.moderation_signal, double precision, roost.moderation_action, roost.moderation_subject, boolean, boolean, double precision, roost.language[], boolean, interval, integer, text[], boolean, boolean, roost.moderation_label, text, text, text, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_policy_create(roost.id, roost.moderation_name, roost.moderation_signal, double precision, roost.moderation_action, roost.moderation_subject, boolean, boolean, double precision, roost.language[], boolean, interval, integer, text[], boolean, boolean, roost.moderation_label, text, text, text, integer) IS
'Makes a policy: when signal is at least threshold (and less than below), action is taken, or only recorded as long as dry_run is set, which is the default. languages, new_accounts, account_age and followers narrow it down (default: everybody), exempt_roles and exempt_verified take accounts out. Returns it. 22023 with the field for a value out of range, 23505 a policy of that name exists, 42501 without policy.write.';
SELECT roost_internal.route('POST', '/admin/policies', 'roost.moderation_policy_create', limit_class => 'write', status => 201);

CREATE OR REPLACE FUNCTION roost.moderation_policy_get(actor_id roost.id, name roost.moderation_name) RETURNS roost.moderation_policy
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.read');
	RETURN roost_internal.moderation_policy_row(name);
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_policy_get(roost.id, roost.moderation_name) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_policy_get(roost.id, roost.moderation_name) IS 'One policy. 42501 without policy.read, P0002 no such policy.';
SELECT roost_internal.route('GET', '/admin/policies/:name', 'roost.moderation_policy_get');

CREATE OR REPLACE FUNCTION roost.moderation_policy_update(
	actor_id roost.id,
	name roost.moderation_name,
	enabled boolean DEFAULT NULL,
	dry_run boolean DEFAULT NULL,
	threshold double precision DEFAULT NULL,
	below double precision DEFAULT NULL,
	languages roost.language[] DEFAULT NULL,
	new_accounts boolean DEFAULT NULL,
	account_age interval DEFAULT NULL,
	followers integer DEFAULT NULL,
	exempt_roles text[] DEFAULT NULL,
	exempt_verified boolean DEFAULT NULL,
	adaptive boolean DEFAULT NULL,
	action roost.moderation_action DEFAULT NULL,
	label roost.moderation_label DEFAULT NULL,
	message text DEFAULT NULL,
	case_category text DEFAULT NULL,
	limit_class text DEFAULT NULL,
	priority integer DEFAULT NULL
) RETURNS roost.moderation_policy
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_old roost_data.moderation_policy;
	v_new roost_internal.moderation_rule;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.write');
	SELECT * INTO v_old FROM roost_data.moderation_policy p WHERE p.name = moderation_policy_update.name FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'name', MESSAGE = 'the policy does not exist';
	END IF;
	v_new := ROW(v_old.signal, coalesce(threshold, v_old.threshold), nullif(coalesce(below, v_old.below), 0),
		nullif(coalesce(languages::text[], v_old.languages), '{}'), nullif(coalesce(account_age, v_old.account_age), interval '0'),
		nullif(coalesce(followers, v_old.followers), 0), coalesce(action, v_old.action), coalesce(label, v_old.label),
		nullif(coalesce(message, v_old.message), ''), nullif(coalesce(case_category, v_old.case_category), ''),
		nullif(coalesce(limit_class, v_old.limit_class), ''), coalesce(priority, v_old.priority))::roost_internal.moderation_rule;
	PERFORM roost_internal.moderation_policy_check(v_new);
	UPDATE roost_data.moderation_policy p SET
		enabled = coalesce(moderation_policy_update.enabled, p.enabled), dry_run = coalesce(moderation_policy_update.dry_run, p.dry_run),
		threshold = v_new.threshold, below = v_new.below, languages = v_new.languages,
		new_accounts = coalesce(moderation_policy_update.new_accounts, p.new_accounts), account_age = v_new.account_age, followers = v_new.followers,
		exempt_roles = coalesce(moderation_policy_update.exempt_roles, p.exempt_roles),
		exempt_verified = coalesce(moderation_policy_update.exempt_verified, p.exempt_verified),
		adaptive = coalesce(moderation_policy_update.adaptive, p.adaptive),
		action = v_new.action, label = v_new.label, message = v_new.message, case_category = v_new.case_category, limit_class = v_new.limit_class,
		priority = v_new.priority, updated_at = roost_internal.clock_now()
	WHERE p.name = v_old.name;
	RETURN roost_internal.moderation_policy_row(v_old.name);
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_policy_update(roost.id, roost.moderation_name, boolean, boolean, double precision, double precision, roost.language[], boolean, interval, integer, text[], boolean, boolean, roost.moderation_action, roost.moderation_label, text, text, text, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_policy_update(roost.id, roost.moderation_name, boolean, boolean, double precision, double precision, roost.language[], boolean, interval, integer, text[], boolean, boolean, roost.moderation_action, roost.moderation_label, text, text, text, integer) IS
'Changes what is given of a policy; 0 takes away below, account_age and followers, an empty list or text the rest. What it judges (subject, signal) stays: make another one. Returns it. 22023 with the field for a value out of range, 42501 without policy.write, P0002 no such policy.';
SELECT roost_internal.route('PATCH', '/admin/policies/:name', 'roost.moderation_policy_update', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.moderation_policy_delete(actor_id roost.id, name roost.moderation_name) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.write');
	DELETE FROM roost_data.moderation_policy p WHERE p.name = moderation_policy_delete.name AND NOT p.builtin;
	IF NOT FOUND THEN
		PERFORM roost_internal.moderation_policy_row(name);
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'name', MESSAGE = 'the policy is built in',
			HINT = 'Set enabled to false instead.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_policy_delete(roost.id, roost.moderation_name) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_policy_delete(roost.id, roost.moderation_name) IS 'Deletes a policy; what it has said stays until its time is over. 42501 without policy.write, 55000 a built-in policy, P0002 no such policy.';
SELECT roost_internal.route('DELETE', '/admin/policies/:name', 'roost.moderation_policy_delete', limit_class => 'write', status => 204);
