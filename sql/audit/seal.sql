-- Sealing: the background worker puts committed entries into the chain.

CREATE OR REPLACE FUNCTION roost_internal.audit_partition(sealed_at timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
DECLARE
	v_from constant timestamptz := pg_catalog.date_trunc('month', sealed_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
	v_to constant timestamptz := (pg_catalog.date_trunc('month', sealed_at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
	v_name constant text := 'audit_' || pg_catalog.to_char(sealed_at AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
	IF pg_catalog.to_regclass('roost_data.' || v_name) IS NOT NULL THEN
		RETURN true;
	END IF;
	BEGIN
		LOCK TABLE ONLY roost_data.audit IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
	EXCEPTION WHEN lock_not_available THEN
		RETURN false;
	END;
	-- Made apart and then attached: nobody who reads has to wait.
	EXECUTE pg_catalog.format('CREATE TABLE roost_data.%I (LIKE roost_data.audit INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', v_name);
	EXECUTE pg_catalog.format('CREATE TRIGGER audit_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON roost_data.%I FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.audit_guard()', v_name);
	EXECUTE pg_catalog.format('ALTER TABLE roost_data.%I ENABLE ALWAYS TRIGGER audit_guard', v_name);
	EXECUTE pg_catalog.format('ALTER TABLE roost_data.%I OWNER TO %s', v_name,
		(SELECT c.relowner::regrole FROM pg_catalog.pg_class c WHERE c.oid = 'roost_data.audit'::regclass));
	EXECUTE pg_catalog.format('ALTER TABLE roost_data.audit ATTACH PARTITION roost_data.%I FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_to);
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_partition(timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_partition(timestamptz) IS 'Makes the partition of roost_data.audit for a time unless it is there. False if somebody holds a lock in its way: it waits for nobody.';

CREATE OR REPLACE FUNCTION roost_internal.audit_seal(former text, batch integer,
	OUT sealed bigint, OUT snapshot text, OUT from_seq bigint, OUT from_hash bytea, OUT seq bigint, OUT hash bytea)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_former constant pg_snapshot := former::pg_snapshot;
	v_now timestamptz := roost_internal.clock_now();
	v_state roost_data.audit_state;
	v_entry roost_data.audit_entry;
	v_ids bigint[] := '{}';
	v_seq bigint;
	v_hash bytea;
BEGIN
	sealed := 0;
	-- Taken before the look: what commits between the two is looked for again.
	snapshot := pg_current_snapshot()::text;
	SELECT s.* INTO v_state FROM roost_data.audit_state s;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	from_seq := v_state.seq;
	from_hash := v_state.hash;
	v_seq := v_state.seq;
	v_hash := v_state.hash;
	-- The time of sealing never goes back, whatever the clock does.
	v_now := greatest(v_now, v_state.sealed_at);
	FOR v_entry IN
		-- What has committed since the former look was under way then, or not yet begun.
		SELECT e.* FROM roost_data.audit_entry e
		WHERE v_former IS NULL OR e.transaction >= pg_snapshot_xmax(v_former)::text::bigint
			OR e.transaction = ANY (ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(v_former) x))
		ORDER BY e.id LIMIT batch
	LOOP
		IF sealed = 0 AND NOT roost_internal.audit_partition(v_now) THEN
			RETURN;
		END IF;
		v_seq := v_seq + 1;
		v_hash := roost_internal.audit_digest(v_hash, v_seq, v_now, v_entry.id, v_entry.at, v_entry.action, v_entry.object_type, v_entry.object_id,
			v_entry.account_id, v_entry.actor_id, v_entry.session_id, v_entry.session_role, v_entry.role, v_entry.source, v_entry.cause,
			v_entry.application, v_entry.request_id, v_entry.address, v_entry.transaction, v_entry.detail);
		INSERT INTO roost_data.audit (seq, sealed_at, id, at, action, object_type, object_id, account_id, actor_id, session_id, session_role, role, source,
			cause, application, request_id, address, transaction, detail, hash)
		VALUES (v_seq, v_now, v_entry.id, v_entry.at, v_entry.action, v_entry.object_type, v_entry.object_id, v_entry.account_id, v_entry.actor_id,
			v_entry.session_id, v_entry.session_role, v_entry.role, v_entry.source, v_entry.cause, v_entry.application, v_entry.request_id,
			v_entry.address, v_entry.transaction, v_entry.detail, v_hash);
		v_ids := v_ids || v_entry.id;
		sealed := sealed + 1;
	END LOOP;
	IF sealed > 0 THEN
		DELETE FROM roost_data.audit_entry e WHERE e.id = ANY (v_ids);
		UPDATE roost_data.audit_state SET seq = v_seq, hash = v_hash, sealed_at = v_now;
	END IF;
	-- After a full batch there may be more of what this look has seen.
	IF sealed = batch THEN
		snapshot := former;
	END IF;
	seq := v_seq;
	hash := v_hash;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_seal(text, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_seal(text, integer) IS 'Seals up to batch committed entries of the audit trail; only the background worker can. former: the snapshot that the call before returned, whose entries need not be looked for again, or null for all. Returns how many it sealed, a snapshot for the next call, and the head of the chain before (from_seq, from_hash) and after; nulls when it could not seal.';
