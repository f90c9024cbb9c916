-- Reports: what people say that a moderator should look at, and the cases in
-- which that gathers.

CREATE OR REPLACE FUNCTION roost_internal.case_priority(severity integer, weight double precision, reach bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT $1 + pg_catalog.round(10 * pg_catalog.log(2.0, (1 + $2)::numeric))::integer + pg_catalog.round(4 * pg_catalog.log((1 + $3)::numeric))::integer
$$;
REVOKE ALL ON FUNCTION roost_internal.case_priority(integer, double precision, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.case_priority(integer, double precision, bigint) IS 'How urgent a case is: the severity of the worst category (0 to 100), 10 for each doubling of 1 + the weight of its reports, and 4 for each tenfold of 1 + the followers of the account.';

CREATE OR REPLACE FUNCTION roost_internal.reporter_credibility(account_id bigint) RETURNS double precision
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_action bigint;
	v_none bigint;
	v_account roost_data.account;
BEGIN
	SELECT count(*) FILTER (WHERE c.outcome = 'action'), count(*) FILTER (WHERE c.outcome = 'no_action') INTO v_action, v_none
	FROM (SELECT r.case_id FROM roost_data.report r WHERE r.reporter_id = reporter_credibility.account_id ORDER BY r.id DESC LIMIT 100) r
	JOIN roost_data.moderation_case c ON c.id = r.case_id;
	SELECT a.* INTO v_account FROM roost_data.account a WHERE a.id = reporter_credibility.account_id;
	RETURN 2.0 * (v_action + 1) / (v_action + v_none + 2)
		* CASE WHEN v_account.limited_at IS NOT NULL THEN 0.25 WHEN v_account.created_at > roost_internal.clock_now() - interval '1 day' THEN 0.5 ELSE 1 END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.reporter_credibility(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.reporter_credibility(bigint) IS 'How much a report of this account weighs, between 0 and 2: 1 for who never reported, more the greater the share of its newest 100 reports that led to a measure; half of that on the account''s first day, a quarter if it is limited.';

CREATE OR REPLACE FUNCTION roost_internal.case_event_add(case_id bigint, kind text, account_id bigint DEFAULT NULL, text text DEFAULT NULL, detail jsonb DEFAULT '{}') RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint := roost_internal.id_next(account_id);
BEGIN
	INSERT INTO roost_data.moderation_event (id, case_id, kind, account_id, text, detail, created_at)
	VALUES (v_id, case_event_add.case_id, case_event_add.kind, case_event_add.account_id, nullif(case_event_add.text, ''), case_event_add.detail, roost_internal.clock_now());
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.case_event_add(bigint, text, bigint, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.case_event_add(bigint, text, bigint, text, jsonb) IS 'Notes what happened to a case, and who did it; returns the id of the event.';

CREATE OR REPLACE FUNCTION roost_internal.subject_snapshot(subject_type text, subject_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE subject_type
		WHEN 'post' THEN (
			SELECT jsonb_build_object('username', a.username, 'display_name', a.display_name, 'text', p.text, 'content_warning', p.content_warning,
				'visibility', p.visibility, 'media', p.media, 'urls', p.urls, 'created_at', p.created_at, 'edited_at', p.edited_at)
			FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id WHERE p.id = subject_snapshot.subject_id)
		WHEN 'account' THEN (
			SELECT jsonb_build_object('username', a.username, 'display_name', a.display_name, 'bio', a.bio, 'avatar_url', a.avatar_url, 'header_url', a.header_url)
			FROM roost_data.account a WHERE a.id = subject_snapshot.subject_id)
	END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.subject_snapshot(text, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.subject_snapshot(text, bigint) IS 'What there is to see of a post or an account now; null for anything else.';

CREATE OR REPLACE FUNCTION roost_internal.case_gather(subject_type text, subject_id bigint, account_id bigint, category text, source text, weight double precision, snapshot jsonb,
	OUT case_id bigint, OUT opened boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_severity integer := coalesce((SELECT t.severity FROM roost_data.report_category t WHERE t.name = category), 10);
	v_reach bigint := (SELECT coalesce(sum(s.follower_count), 0) FROM roost_data.account_stat s WHERE s.account_id = case_gather.account_id);
BEGIN
	INSERT INTO roost_data.moderation_case AS c (id, subject_type, subject_id, account_id, category, source, severity, weight, reach, priority, snapshot, created_at, updated_at)
	VALUES (roost_internal.id_next(case_gather.account_id), case_gather.subject_type, case_gather.subject_id, case_gather.account_id, case_gather.category, case_gather.source,
		v_severity, case_gather.weight, v_reach, roost_internal.case_priority(v_severity, case_gather.weight, v_reach), case_gather.snapshot, v_now, v_now)
	ON CONFLICT (subject_type, subject_id) WHERE status IN ('open', 'assigned') DO UPDATE SET
		category = CASE WHEN excluded.severity > c.severity THEN excluded.category ELSE c.category END,
		severity = greatest(c.severity, excluded.severity),
		weight = c.weight + excluded.weight,
		reach = excluded.reach,
		priority = roost_internal.case_priority(greatest(c.severity, excluded.severity), c.weight + excluded.weight, excluded.reach),
		snapshot = coalesce(c.snapshot, excluded.snapshot),
		version = c.version + 1,
		updated_at = excluded.updated_at
	RETURNING c.id, c.version = 1 INTO case_id, opened;
	IF opened THEN
		PERFORM roost_internal.case_event_add(case_id, 'opened', NULL, NULL, jsonb_build_object('source', source, 'category', category));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.case_gather(text, bigint, bigint, text, text, double precision, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.case_gather(text, bigint, bigint, text, text, double precision, jsonb) IS 'The open case about a subject, with this weight added to it; a new one if there is none. It stays open, and its row locked, until the end of the transaction: who reports at the same moment comes to the same case.';

CREATE OR REPLACE FUNCTION roost_internal.case_open(subject_type text, subject_id bigint, account_id bigint, category text, source text, detail jsonb DEFAULT '{}') RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_case record;
BEGIN
	SELECT * INTO v_case FROM roost_internal.case_gather(subject_type, subject_id, account_id, category, source, 1,
		roost_internal.subject_snapshot(subject_type, subject_id));
	-- The newest twenty are enough to decide by.
	UPDATE roost_data.moderation_case c SET verdicts = (
		SELECT jsonb_agg(v.value ORDER BY v.n) FROM jsonb_array_elements(c.verdicts || jsonb_build_object('source', case_open.source,
			'category', case_open.category, 'at', roost_internal.clock_now(), 'detail', detail)) WITH ORDINALITY v (value, n)
		WHERE v.n > jsonb_array_length(c.verdicts) - 19)
	WHERE c.id = v_case.case_id;
	PERFORM roost_internal.case_event_add(v_case.case_id, 'flagged', NULL, NULL, jsonb_build_object('source', source, 'category', category));
	RETURN v_case.case_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.case_open(text, bigint, bigint, text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.case_open(text, bigint, bigint, text, text, jsonb) IS 'For filters: opens a case about a subject (account, post, …) that concerns account_id, or adds to the one that is open. source: the name of the filter; detail: what it found, shown to moderators. Returns the id of the case.';

CREATE OR REPLACE FUNCTION roost_internal.author(account_id bigint) RETURNS roost.author
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_author roost.author;
BEGIN
	SELECT a.id, a.username, a.display_name, a.avatar_url INTO v_author FROM roost_data.account a
	WHERE a.id = author.account_id AND a.status <> 'deleted';
	RETURN CASE WHEN FOUND THEN v_author END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.author(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.author(bigint) IS 'The short form of an account, suspended or not; null if it was deleted.';

CREATE OR REPLACE FUNCTION roost_internal.report_view(report_id bigint) RETURNS roost.report
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_report roost.report;
BEGIN
	SELECT r.id, c.subject_type, c.subject_id, roost_internal.author(r.account_id), r.category, r.comment,
		CASE WHEN c.status IN ('open', 'assigned') THEN 'open' ELSE 'decided' END, c.outcome, r.created_at, c.decided_at
	INTO v_report
	FROM roost_data.report r JOIN roost_data.moderation_case c ON c.id = r.case_id WHERE r.id = report_view.report_id;
	RETURN v_report;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.report_view(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.report_view(bigint) IS 'A report as its author sees it.';

CREATE OR REPLACE FUNCTION roost_internal.report_add(reporter_id bigint, subject_type text, subject_id bigint, account_id bigint, category text, comment text, evidence text, snapshot jsonb DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_snapshot jsonb := coalesce(report_add.snapshot, roost_internal.subject_snapshot(subject_type, subject_id));
	v_comment text := nullif(btrim(comment), '');
	v_credibility double precision := roost_internal.reporter_credibility(reporter_id);
	v_case_id bigint;
	v_new boolean;
	v_report roost_data.report;
BEGIN
	PERFORM FROM roost_data.report_category t WHERE t.name = category AND t.enabled;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'category', MESSAGE = 'unknown category',
			HINT = 'GET /reports/categories has those that there are.';
	END IF;
	SELECT g.case_id INTO v_case_id FROM roost_internal.case_gather(subject_type, subject_id, account_id, category, 'report', 0, v_snapshot) g;
	v_new := NOT EXISTS (SELECT FROM roost_data.report r WHERE r.case_id = v_case_id AND r.reporter_id = report_add.reporter_id);
	INSERT INTO roost_data.report AS r (id, case_id, reporter_id, account_id, category, comment, evidence, snapshot, credibility, created_at, updated_at)
	SELECT roost_internal.id_next(report_add.reporter_id), c.id, report_add.reporter_id, report_add.account_id, report_add.category, v_comment, nullif(report_add.evidence, ''),
		CASE WHEN v_snapshot IS DISTINCT FROM c.snapshot THEN v_snapshot END, v_credibility, v_now, v_now
	FROM roost_data.moderation_case c WHERE c.id = v_case_id
	ON CONFLICT ON CONSTRAINT report_case_id_reporter_id_key DO UPDATE SET
		category = excluded.category,
		comment = nullif(concat_ws(E'\n\n', r.comment, excluded.comment), ''),
		evidence = nullif(concat_ws(E'\n\n', r.evidence, excluded.evidence), ''),
		snapshot = coalesce(r.snapshot, excluded.snapshot),
		updated_at = excluded.updated_at
	RETURNING r.* INTO v_report;
	IF char_length(v_report.comment) > 8000 OR octet_length(v_report.evidence) > 262144 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = CASE WHEN char_length(v_report.comment) > 8000 THEN 'comment' ELSE 'evidence' END,
			MESSAGE = 'the report is too large', DETAIL = 'The comments of one report have at most 8000 characters together, its evidence 256 KiB.';
	END IF;
	-- Whoever reports again adds to the report, not to its weight.
	IF v_new THEN
		UPDATE roost_data.moderation_case c SET report_count = c.report_count + 1, weight = c.weight + v_credibility,
			priority = roost_internal.case_priority(c.severity, c.weight + v_credibility, c.reach)
		WHERE c.id = v_case_id;
	END IF;
	RETURN v_report.id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.report_add(bigint, text, bigint, bigint, text, text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.report_add(bigint, text, bigint, bigint, text, text, text, jsonb) IS 'Adds a report about a subject of any type that concerns account_id, or adds to the reporter''s open report about it; the caller has checked that the reporter may see it. evidence: what the reporter shares of it; snapshot: what it sees (of a post or an account that is known). Returns the id of the report. 22023 unknown category, 54000 too large.';

CREATE OR REPLACE FUNCTION roost.report_create(
	actor_id roost.id,
	category text,
	account_id roost.account_ref DEFAULT NULL,
	post_id roost.id DEFAULT NULL,
	comment roost.report_comment DEFAULT NULL,
	evidence roost.report_evidence DEFAULT NULL,
	message_id roost.id DEFAULT NULL,
	conversation_id roost.id DEFAULT NULL
) RETURNS roost.report
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_type text := 'account';
	v_id bigint;
	v_account_id bigint;
BEGIN
	IF post_id IS NOT NULL AND message_id IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'message_id', MESSAGE = 'one thing is reported at a time';
	ELSIF message_id IS NOT NULL THEN
		v_id := roost_internal.message_report(actor_id, message_id, conversation_id, CASE WHEN account_id IS NOT NULL THEN roost_internal.account_resolve(account_id) END,
			category, comment, evidence);
		RETURN roost_internal.report_view(v_id);
	ELSIF post_id IS NOT NULL THEN
		v_type := 'post';
		SELECT t.post_id, t.author_id INTO v_id, v_account_id FROM roost_internal.post_target(actor_id, post_id) t;
		IF account_id IS NOT NULL AND roost_internal.account_resolve(account_id) <> v_account_id THEN
			RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'account_id', MESSAGE = 'the post is another account''s';
		END IF;
	ELSIF account_id IS NOT NULL THEN
		v_id := roost_internal.account_resolve(account_id);
		v_account_id := v_id;
		PERFORM roost_internal.account_hold(actor_id, v_id);
		PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active';
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
		END IF;
		PERFORM roost_internal.account_resolve(account_id);
	ELSE
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'post_id', MESSAGE = 'nothing is reported', HINT = 'Give post_id, message_id or account_id.';
	END IF;
	IF v_account_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = CASE v_type WHEN 'post' THEN 'post_id' ELSE 'account_id' END, MESSAGE = 'nobody reports themselves';
	END IF;
	v_id := roost_internal.report_add(actor_id, v_type, v_id, v_account_id, category, comment, evidence);
	RETURN roost_internal.report_view(v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.report_create(roost.id, text, roost.account_ref, roost.id, roost.report_comment, roost.report_evidence, roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.report_create(roost.id, text, roost.account_ref, roost.id, roost.report_comment, roost.report_evidence, roost.id, roost.id) IS 'Tells the moderators about an account, a post (of a retweet: its original) or a message (message_id; conversation_id, if it is known, saves looking for it) that the actor may see. Of a message they are shown the message and up to five before it, as the actor sees them; of an encrypted one only what the actor gives as evidence. category: one of GET /reports/categories. evidence: what the actor chooses to show of what only it can read. Reporting the same thing again, as long as it is not decided, adds to the report. Nobody but moderators learns who reported. P0002 there is no such account, post or message, 22023 unknown category, or one''s own, 54000 too much.';
SELECT roost_internal.route('POST', '/reports', 'roost.report_create', limit_class => 'report', status => 201, tags => '{moderation}');

CREATE OR REPLACE FUNCTION roost.report_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.report
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT v.* FROM (
		SELECT r.id FROM roost_data.report r
		WHERE r.reporter_id = actor_id
			AND r.id < coalesce(roost_internal.cursor_id(before), 9223372036854775807) AND r.id > coalesce(roost_internal.cursor_id(after), 0)
		ORDER BY r.id DESC LIMIT coalesce(report_list."limit", 20)
	) r CROSS JOIN LATERAL roost_internal.report_view(r.id) v
	ORDER BY r.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.report_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.report_list(roost.id, integer, roost.cursor, roost.cursor) IS 'What the actor has reported, newest first, and what became of it.';
SELECT roost_internal.route('GET', '/reports', 'roost.report_list', tags => '{moderation}');

CREATE OR REPLACE FUNCTION roost.report_category_list() RETURNS SETOF roost.report_category
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT t.name::text, t.description FROM roost_data.report_category t WHERE t.enabled ORDER BY t.place, t.name;
END
$$;
REVOKE ALL ON FUNCTION roost.report_category_list() FROM PUBLIC;
COMMENT ON FUNCTION roost.report_category_list() IS 'What a report may be about.';
SELECT roost_internal.route('GET', '/reports/categories', 'roost.report_category_list', auth => 'none', tags => '{moderation}');
