-- Partitions of the log and the mailbox: both have the same bounds.

CREATE OR REPLACE FUNCTION roost_internal.feed_partitions() RETURNS TABLE (from_seq bigint, to_seq bigint, log regclass, mailbox regclass, actor_index regclass)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH part AS (
		SELECT i.inhparent, i.inhrelid, regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(\d+)''?\) TO \(''?(\d+)''?\)')::bigint[] AS bounds
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent IN ('roost_data.feed_log'::regclass, 'roost_data.mailbox'::regclass) AND NOT i.inhdetachpending
	)
	SELECT l.bounds[1], l.bounds[2], l.inhrelid::regclass, m.inhrelid::regclass, x.indexrelid::regclass
	FROM part l
	LEFT JOIN part m ON m.inhparent = 'roost_data.mailbox'::regclass AND m.bounds = l.bounds
	LEFT JOIN pg_inherits xi ON xi.inhparent = to_regclass('roost_data.mailbox_actor_id_post_id_idx')
		AND EXISTS (SELECT FROM pg_index x WHERE x.indexrelid = xi.inhrelid AND x.indrelid = m.inhrelid)
	LEFT JOIN pg_index x ON x.indexrelid = xi.inhrelid
	WHERE l.inhparent = 'roost_data.feed_log'::regclass AND (m.inhrelid IS NULL OR xi.inhrelid IS NOT NULL)
	ORDER BY 1
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_partitions() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_partitions() IS 'The partitions of roost_data.feed_log and roost_data.mailbox that belong together, and the index by which the mailbox''s one is read by actor and post; from_seq is in it, to_seq is not.';

CREATE OR REPLACE FUNCTION roost_internal.feed_partition_add(from_seq bigint, to_seq bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_parent text;
	v_name text;
BEGIN
	-- Made apart and then attached: nobody who reads has to wait.
	FOREACH v_parent IN ARRAY ARRAY['feed_log', 'mailbox'] LOOP
		v_name := format('roost_data.%I', v_parent || '_' || from_seq);
		EXECUTE format('CREATE TABLE %s (LIKE roost_data.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', v_name, v_parent);
		EXECUTE format('ALTER TABLE %s OWNER TO %s', v_name,
			(SELECT c.relowner::regrole FROM pg_class c WHERE c.oid = format('roost_data.%I', v_parent)::regclass));
		EXECUTE format('ALTER TABLE roost_data.%I ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)', v_parent, v_name, from_seq, to_seq);
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_partition_add(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_partition_add(bigint, bigint) IS 'Adds a partition from one seq up to, and without, the other, to both tables.';

CREATE OR REPLACE FUNCTION roost_internal.feed_expire(retention interval, size bigint, OUT first_seq bigint, OUT since bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_first bigint := (SELECT s.first_seq FROM roost_data.feed_state s);
	v_size bigint;
	v_part record;
	v_last timestamptz;
	v_since timestamptz;
	v_seq bigint;
BEGIN
	SELECT sum(pg_total_relation_size(p.log) + pg_total_relation_size(p.mailbox)) INTO v_size FROM roost_internal.feed_partitions() p;
	-- Whole partitions; the last one is being written, or waits for that.
	FOR v_part IN SELECT p.*, lead(p.from_seq) OVER (ORDER BY p.from_seq) AS next_seq FROM roost_internal.feed_partitions() p ORDER BY p.from_seq LOOP
		SELECT l.created_at INTO v_last FROM roost_data.feed_log l WHERE l.seq = v_part.to_seq - 1;
		EXIT WHEN v_part.next_seq IS NULL
			OR v_part.to_seq > v_first AND (v_last IS NULL OR v_last >= v_now - retention AND NOT (size > 0 AND v_size > size));
		v_size := v_size - pg_total_relation_size(v_part.log) - pg_total_relation_size(v_part.mailbox);
		BEGIN
			LOCK TABLE ONLY roost_data.feed_log, ONLY roost_data.mailbox IN ACCESS EXCLUSIVE MODE NOWAIT;
			EXECUTE format('LOCK TABLE %s, %s IN ACCESS EXCLUSIVE MODE NOWAIT', v_part.log, v_part.mailbox);
		EXCEPTION WHEN lock_not_available THEN
			EXIT; -- somebody reads it: the next time
		END;
		EXECUTE format('DROP TABLE %s, %s', v_part.log, v_part.mailbox);
		v_first := greatest(v_first, v_part.next_seq);
		v_since := coalesce(v_last, v_since);
	END LOOP;
	-- Where little happens a partition lasts long: then its old rows go by themselves.
	IF EXISTS (SELECT FROM roost_data.feed_log l WHERE l.seq = v_first AND l.created_at < v_now - retention * 1.125) THEN
		SELECT max(l.seq), max(l.created_at) INTO v_seq, v_last FROM (
			SELECT t.seq, t.created_at FROM roost_data.feed_log t WHERE t.seq >= v_first AND t.seq < v_first + 10000 ORDER BY t.seq
		) l WHERE l.created_at < v_now - retention;
		DELETE FROM roost_data.feed_log l WHERE l.seq BETWEEN v_first AND v_seq;
		DELETE FROM roost_data.mailbox m WHERE m.seq BETWEEN v_first AND v_seq;
		v_first := v_seq + 1;
		v_since := v_last;
	END IF;
	-- Ids run a little ahead of the clock at times.
	UPDATE roost_data.feed_state s SET first_seq = v_first,
		since = greatest(s.since, roost_internal.id_floor(v_since + interval '10 seconds'))
	WHERE s.first_seq < v_first;
	SELECT s.first_seq, s.since INTO first_seq, since FROM roost_data.feed_state s;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_expire(interval, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_expire(interval, bigint) IS 'Drops what the log and the mailboxes keep longer than the time, or beyond the size in bytes (0: no limit). Does not wait for who reads it. Returns the first row that is kept, and from which id on they have everything. The worker calls it.';
