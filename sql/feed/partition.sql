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
