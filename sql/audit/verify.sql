-- Checking the chain.

CREATE OR REPLACE FUNCTION roost_internal.audit_gap() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT g.gap FROM (
			SELECT 1 AS n, format('%s is not guarded', c.oid::regclass) AS gap
			FROM pg_class c
			WHERE (c.oid IN ('roost_data.audit'::regclass, 'roost_data.audit_entry'::regclass, 'roost_data.audit_state'::regclass, 'roost_data.audit_anchor'::regclass)
					OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid AND i.inhparent = 'roost_data.audit'::regclass))
				AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'roost_internal.audit_guard()'::regprocedure AND t.tgenabled = 'A')
			UNION ALL
			SELECT 2, format('the trigger %s of %s does not fire always: changes are not noted', t.tgname, c.oid::regclass)
			FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
			WHERE t.tgfoid = 'roost_internal.audit_watch()'::regprocedure AND c.relnamespace = 'roost_data'::regnamespace AND t.tgenabled <> 'A'
			UNION ALL
			SELECT 3, format('the event trigger %s does not fire always: changes of tables and functions are not noted', e.evtname)
			FROM pg_event_trigger e WHERE e.evtname IN ('roost_audit_ddl', 'roost_audit_drop') AND e.evtenabled <> 'A'
		) g ORDER BY g.n, g.gap LIMIT 1);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_gap() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_gap() IS 'What keeps the audit trail from noting changes at present: a trigger that is disabled, a table of the trail without its guard; null if there is nothing.';

CREATE OR REPLACE FUNCTION roost.audit_verify(from_seq bigint DEFAULT NULL, expected_seq bigint DEFAULT NULL, expected_hash text DEFAULT NULL) RETURNS roost.audit_report
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
	v_report roost.audit_report;
	v_state roost_data.audit_state;
	v_anchor roost_data.audit_anchor;
	v_seq bigint := 0;
	v_hash bytea := decode(repeat('00', 32), 'hex');
	v_last record;
	v_bad record;
BEGIN
	-- One snapshot for all of it, for the function is STABLE.
	SELECT count(*), min(e.at) INTO v_report.unsealed, v_report.unsealed_since FROM roost_data.audit_entry e;
	SELECT s.* INTO v_state FROM roost_data.audit_state s;
	SELECT a.* INTO v_anchor FROM roost_data.audit_anchor a ORDER BY a.seq DESC LIMIT 1;
	IF FOUND THEN
		v_seq := v_anchor.seq;
		v_hash := v_anchor.hash;
	END IF;
	v_report.anchor_seq := v_seq;
	SELECT a.seq, a.hash INTO v_last FROM roost_data.audit a ORDER BY a.seq DESC LIMIT 1;
	v_report.head_seq := coalesce(v_last.seq, v_seq);
	v_report.head_hash := encode(coalesce(v_last.hash, v_hash), 'hex');
	v_report.rows := 0;
	v_report.ok := false;

	-- The beginning.
	SELECT a.seq INTO v_report.bad_seq FROM (SELECT n.*, lag(n.seq, 1, 0::bigint) OVER (ORDER BY n.seq) AS former_seq FROM roost_data.audit_anchor n) a
	WHERE a.from_seq <> a.former_seq + 1 OR a.seq < a.from_seq ORDER BY a.seq LIMIT 1;
	IF FOUND THEN
		v_report.reason := 'the anchors do not follow one another';
		RETURN v_report;
	END IF;
	IF v_anchor.seq IS NOT NULL AND NOT EXISTS (
		SELECT FROM roost_data.audit a WHERE a.action = 'audit.retention' AND a.object_id = v_anchor.seq::text AND a.detail->>'hash' = encode(v_anchor.hash, 'hex')
		UNION ALL
		SELECT FROM roost_data.audit_entry e WHERE e.action = 'audit.retention' AND e.object_id = v_anchor.seq::text AND e.detail->>'hash' = encode(v_anchor.hash, 'hex')) THEN
		v_report.bad_seq := v_anchor.seq;
		v_report.reason := 'the anchor has no entry in the trail: rows were not dropped by retention, or the anchor was changed';
		RETURN v_report;
	END IF;
	SELECT e.object_id::bigint INTO v_report.bad_seq
	FROM (SELECT a.object_id, a.detail FROM roost_data.audit a WHERE a.action = 'audit.retention' AND a.object_type = 'audit'
		UNION ALL SELECT w.object_id, w.detail FROM roost_data.audit_entry w WHERE w.action = 'audit.retention' AND w.object_type = 'audit') e
	LEFT JOIN roost_data.audit_anchor n ON n.seq::text = e.object_id
	WHERE (n.from_seq::text, encode(n.hash, 'hex')) IS DISTINCT FROM (e.detail->>'from_seq', e.detail->>'hash') ORDER BY 1 LIMIT 1;
	IF FOUND THEN
		v_report.reason := 'the anchor is missing, or is another one than its entry in the trail says';
		RETURN v_report;
	END IF;
	SELECT a.seq INTO v_report.bad_seq FROM roost_data.audit a WHERE a.seq <= v_seq ORDER BY a.seq LIMIT 1;
	IF FOUND THEN
		v_report.reason := 'the row stands before the beginning of the chain';
		RETURN v_report;
	END IF;
	IF from_seq > v_seq + 1 THEN
		SELECT a.seq, a.hash INTO v_seq, v_hash FROM roost_data.audit a WHERE a.seq = audit_verify.from_seq - 1;
		IF NOT FOUND THEN
			v_report.bad_seq := from_seq - 1;
			v_report.reason := 'the row is missing';
			RETURN v_report;
		END IF;
	END IF;
	v_report.from_seq := v_seq + 1;

	-- The rows.
	SELECT t.seq, t.former_seq INTO v_bad
	FROM (
		SELECT a.*, lag(a.seq, 1, v_seq) OVER w AS former_seq, lag(a.hash, 1, v_hash) OVER w AS former_hash
		FROM roost_data.audit a WHERE a.seq > v_seq WINDOW w AS (ORDER BY a.seq)
	) t
	WHERE t.seq <> t.former_seq + 1
		OR t.hash <> roost_internal.audit_digest(t.former_hash, t.seq, t.sealed_at, t.id, t.at, t.action, t.object_type, t.object_id,
			t.account_id, t.actor_id, t.session_id, t.session_role, t.role, t.source, t.cause, t.application, t.request_id, t.address, t.transaction, t.detail)
	LIMIT 1;
	IF FOUND THEN
		IF v_bad.seq = v_bad.former_seq THEN
			v_report.bad_seq := v_bad.seq;
			v_report.reason := 'there are two rows of this seq';
		ELSIF v_bad.seq > v_bad.former_seq + 1 THEN
			v_report.bad_seq := v_bad.former_seq + 1;
			v_report.reason := format('rows %s to %s are missing', v_bad.former_seq + 1, v_bad.seq - 1);
		ELSE
			v_report.bad_seq := v_bad.seq;
			v_report.reason := 'the hash does not follow: this row was changed, or the hash before it';
		END IF;
		v_report.rows := v_report.bad_seq - v_seq - 1;
		RETURN v_report;
	END IF;
	v_report.rows := v_report.head_seq - v_seq;

	-- The end.
	IF v_state.seq IS NULL THEN
		v_report.bad_seq := v_report.head_seq;
		v_report.reason := 'the head is missing';
	ELSIF v_state.seq > v_report.head_seq THEN
		v_report.bad_seq := v_report.head_seq + 1;
		v_report.reason := format('rows %s to %s are missing at the end', v_report.head_seq + 1, v_state.seq);
	ELSIF v_state.seq < v_report.head_seq THEN
		v_report.bad_seq := v_state.seq + 1;
		v_report.reason := 'the row stands behind the head of the chain';
	ELSIF encode(v_state.hash, 'hex') <> v_report.head_hash THEN
		v_report.bad_seq := v_report.head_seq;
		v_report.reason := 'the head has another hash than the last row';
	ELSIF expected_seq > v_report.head_seq THEN
		v_report.bad_seq := v_report.head_seq + 1;
		v_report.reason := format('rows %s to %s are missing at the end: a head was noted there', v_report.head_seq + 1, expected_seq);
	ELSIF expected_seq > v_report.anchor_seq AND NOT EXISTS (
			SELECT FROM roost_data.audit a WHERE a.seq = expected_seq AND (expected_hash IS NULL OR encode(a.hash, 'hex') = lower(expected_hash)))
		OR expected_seq <= v_report.anchor_seq AND EXISTS (
			SELECT FROM roost_data.audit_anchor n WHERE n.seq = expected_seq AND encode(n.hash, 'hex') <> lower(expected_hash)) THEN
		v_report.bad_seq := expected_seq;
		v_report.reason := 'the row has another hash than was noted: the chain was made anew from here or from a row before it';
	ELSE
		v_report.reason := roost_internal.audit_gap();
		v_report.ok := v_report.reason IS NULL;
	END IF;
	RETURN v_report;
END
$$;
REVOKE ALL ON FUNCTION roost.audit_verify(bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.audit_verify(bigint, bigint, text) IS 'Checks the chain of the audit trail, from a row on or all of it, and against a head that roost.audit_head() gave earlier (expected_seq, expected_hash). Returns ok, or the first row that is wrong or missing and why; without a row, which trigger does not watch at present. About a second for 500,000 rows.';

CREATE OR REPLACE FUNCTION roost.audit_head() RETURNS roost.audit_head
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.seq, encode(s.hash, 'hex'), s.sealed_at FROM roost_data.audit_state s
$$;
REVOKE ALL ON FUNCTION roost.audit_head() FROM PUBLIC;
COMMENT ON FUNCTION roost.audit_head() IS 'The last row of the audit trail. Note it where whoever can change the database cannot, and give it to roost.audit_verify() later.';

CREATE OR REPLACE FUNCTION roost_internal.audit_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_retention constant interval := current_setting('roost.audit_retention')::interval;
	v_part record;
	v_first bigint;
	v_last roost_data.audit;
	v_purged bigint := 0;
BEGIN
	IF v_retention = interval '0' THEN
		RETURN 0;
	END IF;
	FOR v_part IN
		SELECT i.inhrelid::regclass AS relation,
			substring(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)')::timestamptz AS upto
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'roost_data.audit'::regclass
		ORDER BY 2
	LOOP
		EXIT WHEN v_part.upto > roost_internal.clock_now() - v_retention;
		BEGIN
			EXECUTE format('LOCK TABLE ONLY roost_data.audit, %s IN ACCESS EXCLUSIVE MODE NOWAIT', v_part.relation);
		EXCEPTION WHEN lock_not_available THEN
			EXIT;
		END;
		EXECUTE format('SELECT min(seq) FROM %s', v_part.relation) INTO v_first;
		EXECUTE format('SELECT * FROM %s ORDER BY seq DESC LIMIT 1', v_part.relation) INTO v_last;
		IF v_first IS NOT NULL THEN
			INSERT INTO roost_data.audit_anchor (seq, hash, from_seq, dropped_at) VALUES (v_last.seq, v_last.hash, v_first, roost_internal.clock_now());
			PERFORM roost_internal.audit_add('audit.retention', 'audit', v_last.seq,
				jsonb_build_object('from_seq', v_first, 'seq', v_last.seq, 'hash', encode(v_last.hash, 'hex')));
			v_purged := v_purged + v_last.seq - v_first + 1;
		END IF;
		EXECUTE format('DROP TABLE %s', v_part.relation);
	END LOOP;
	RETURN v_purged;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_maintenance() IS 'Drops the months of the audit trail that are older than roost.audit_retention, and keeps an anchor with which the rest is verified; returns how many rows went. Part of roost.maintenance_run().';
