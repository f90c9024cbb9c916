-- Partitions of the log and the mailbox.

CREATE OR REPLACE FUNCTION roost_internal.feed_partitions() RETURNS TABLE (parent text, from_seq bigint, to_seq bigint, relation regclass, actor_index regclass)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH part AS (
		SELECT p.relname::text AS parent, i.inhrelid, regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(\d+)''?\) TO \(''?(\d+)''?\)')::bigint[] AS bounds
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
		WHERE i.inhparent IN ('roost_data.feed_log'::regclass, 'roost_data.mailbox'::regclass) AND NOT i.inhdetachpending
	)
	SELECT p.parent, p.bounds[1], p.bounds[2], p.inhrelid::regclass,
		(SELECT x.indexrelid::regclass FROM pg_inherits xi JOIN pg_index x ON x.indexrelid = xi.inhrelid
		WHERE xi.inhparent = to_regclass('roost_data.mailbox_actor_id_post_id_idx') AND x.indrelid = p.inhrelid)
	FROM part p
	ORDER BY p.bounds[2], p.parent
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_partitions() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_partitions() IS 'The partitions of roost_data.feed_log and roost_data.mailbox (parent), and the index by which a mailbox''s one is read by actor and post; from_seq is in it, to_seq is not. Those that end first come first.';

CREATE OR REPLACE FUNCTION roost_internal.feed_partition_add(parent text, from_seq bigint, to_seq bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_name constant text := format('roost_data.%I', parent || '_' || from_seq);
BEGIN
	-- Made apart and then attached: nobody who reads has to wait.
	EXECUTE format('CREATE TABLE %s (LIKE roost_data.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', v_name, parent);
	EXECUTE format('ALTER TABLE %s OWNER TO %s', v_name,
		(SELECT c.relowner::regrole FROM pg_class c WHERE c.oid = format('roost_data.%I', parent)::regclass));
	EXECUTE format('ALTER TABLE roost_data.%I ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)', parent, v_name, from_seq, to_seq);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_partition_add(text, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_partition_add(text, bigint, bigint) IS 'Adds a partition from one seq up to, and without, the other, to feed_log or mailbox.';

CREATE OR REPLACE FUNCTION roost_internal.feed_partition_drop(parent text, relation regclass) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	BEGIN
		EXECUTE format('LOCK TABLE ONLY roost_data.%I, %s IN ACCESS EXCLUSIVE MODE NOWAIT', parent, relation);
	EXCEPTION WHEN lock_not_available THEN
		RETURN false;
	END;
	EXECUTE format('DROP TABLE %s', relation);
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_partition_drop(text, regclass) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_partition_drop(text, regclass) IS 'Drops a partition of feed_log or mailbox; false if somebody reads the table: it waits for nobody.';

CREATE OR REPLACE FUNCTION roost_internal.feed_day_end(to_seq bigint) RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (max(d.day) + 1)::timestamp AT TIME ZONE 'UTC' FROM roost_data.feed_day d WHERE d.seq < $1
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_day_end(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_day_end(bigint) IS 'The end of the day in which the last row before a seq was logged; null if that is not known.';

CREATE OR REPLACE FUNCTION roost_internal.feed_expire(retention interval, mail_retention interval, size bigint,
	OUT first_seq bigint, OUT since bigint, OUT dropped boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_state roost_data.feed_state;
	v_size bigint;
	v_part record;
	v_last timestamptz;
	v_since timestamptz;
	v_mail_since timestamptz;
	v_seq bigint;
BEGIN
	SELECT s.* INTO v_state FROM roost_data.feed_state s;
	first_seq := v_state.first_seq;
	dropped := false;
	SELECT sum(pg_total_relation_size(p.relation)) INTO v_size FROM roost_internal.feed_partitions() p;
	-- Whole partitions, the oldest first; the last one of a table is being written, or waits for that.
	FOR v_part IN SELECT p.*, lead(p.from_seq) OVER (PARTITION BY p.parent ORDER BY p.from_seq) AS next_seq FROM roost_internal.feed_partitions() p ORDER BY p.to_seq, p.parent LOOP
		CONTINUE WHEN v_part.next_seq IS NULL;
		IF v_part.parent = 'feed_log' THEN
			SELECT l.created_at INTO v_last FROM roost_data.feed_log l WHERE l.seq = v_part.to_seq - 1;
			CONTINUE WHEN v_part.to_seq > first_seq
				AND (v_last IS NULL OR v_last >= v_now - retention AND NOT (size > 0 AND v_size > size));
		ELSE
			v_last := coalesce(roost_internal.feed_day_end(v_part.to_seq), v_now);
			CONTINUE WHEN v_part.to_seq > v_state.mail_first_seq
				AND (v_part.to_seq > v_state.seq OR v_last >= v_now - mail_retention AND NOT (size > 0 AND v_size > size));
		END IF;
		v_size := v_size - pg_total_relation_size(v_part.relation);
		EXIT WHEN NOT roost_internal.feed_partition_drop(v_part.parent, v_part.relation); -- the next time
		dropped := true;
		IF v_part.parent = 'feed_log' THEN
			first_seq := greatest(first_seq, v_part.next_seq);
			v_since := coalesce(v_last, v_since);
		ELSE
			v_state.mail_first_seq := greatest(v_state.mail_first_seq, v_part.next_seq);
			v_mail_since := least(v_last, v_now);
		END IF;
	END LOOP;
	-- Where little happens a partition lasts long: then its old rows go by themselves.
	IF EXISTS (SELECT FROM roost_data.feed_log l WHERE l.seq = first_seq AND l.created_at < v_now - retention * 1.125) THEN
		SELECT max(l.seq), max(l.created_at) INTO v_seq, v_last FROM (
			SELECT t.seq, t.created_at FROM roost_data.feed_log t WHERE t.seq >= first_seq AND t.seq < first_seq + 10000 ORDER BY t.seq
		) l WHERE l.created_at < v_now - retention;
		DELETE FROM roost_data.feed_log l WHERE l.seq BETWEEN first_seq AND v_seq;
		first_seq := v_seq + 1;
		v_since := v_last;
	END IF;
	IF v_state.mail_first_seq <= v_state.seq AND roost_internal.feed_day_end(v_state.mail_first_seq + 1) < v_now - mail_retention * 1.125 THEN
		SELECT least(coalesce(min(d.seq), v_state.seq + 1), v_state.mail_first_seq + 100000) INTO v_seq
		FROM roost_data.feed_day d WHERE (d.day + 1)::timestamp AT TIME ZONE 'UTC' > v_now - mail_retention;
		DELETE FROM roost_data.mailbox m WHERE m.seq >= v_state.mail_first_seq AND m.seq < v_seq;
		v_state.mail_first_seq := v_seq;
		v_mail_since := roost_internal.feed_day_end(v_seq);
	END IF;
	-- Ids run a little ahead of the clock at times.
	UPDATE roost_data.feed_state s SET first_seq = feed_expire.first_seq, mail_first_seq = v_state.mail_first_seq,
		since = greatest(s.since, roost_internal.id_floor(v_since + interval '10 seconds')),
		mail_since = greatest(s.mail_since, roost_internal.id_floor(v_mail_since + interval '10 seconds'))
	WHERE (s.first_seq, s.mail_first_seq) IS DISTINCT FROM (feed_expire.first_seq, v_state.mail_first_seq);
	IF FOUND THEN
		DELETE FROM roost_data.feed_day d WHERE EXISTS (SELECT FROM roost_data.feed_day n WHERE n.day > d.day
			AND n.seq <= least(v_state.mail_first_seq, feed_expire.first_seq));
	END IF;
	SELECT s.since INTO since FROM roost_data.feed_state s;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_expire(interval, interval, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_expire(interval, interval, bigint) IS 'Drops what the log and the mailboxes keep longer than the two times, or, the oldest first, beyond the size in bytes of both (0: no limit). Does not wait for who reads it. Returns the first row of the log that is kept, from which id on it has everything, and whether partitions have gone. The worker calls it.';

CREATE OR REPLACE FUNCTION roost_internal.mailbox_sweep() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_rows bigint;
BEGIN
	DELETE FROM roost_data.mailbox m
	WHERE (m.seq < (SELECT s.first_seq FROM roost_data.feed_state s) OR m.kind IN ('friend_request', 'friend_accepted')) AND NOT CASE m.kind
		WHEN 'like' THEN EXISTS (SELECT FROM roost_data.post_like t WHERE t.account_id = m.actor_id AND t.post_id = m.post_id)
		WHEN 'follow' THEN EXISTS (SELECT FROM roost_data.follow t WHERE t.follower_id = m.actor_id AND t.followee_id = m.account_id)
		WHEN 'follow_request' THEN EXISTS (SELECT FROM roost_data.follow_request t WHERE t.follower_id = m.actor_id AND t.followee_id = m.account_id)
		WHEN 'friend_request' THEN EXISTS (SELECT FROM roost_data.friend_request t WHERE t.requester_id = m.actor_id AND t.recipient_id = m.account_id)
		WHEN 'friend_accepted' THEN EXISTS (SELECT FROM roost_data.friendship t WHERE t.account_id = m.account_id AND t.friend_id = m.actor_id AND t.accepted_by = m.actor_id)
		ELSE EXISTS (SELECT FROM roost_data.post t WHERE t.id = m.post_id AND t.author_id = m.actor_id) END;
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	RETURN v_rows;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.mailbox_sweep() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.mailbox_sweep() IS 'Removes entries whose act is no more, of rows that the log does not keep any longer, and those of friends: the worker calls it when rows may have gone without a trace. Reads all mailboxes.';
