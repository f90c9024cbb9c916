-- The index of posts: how it follows the log of events.

CREATE OR REPLACE FUNCTION roost_internal.search_part_add(low_id bigint) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_no constant integer := 1 + coalesce((SELECT max(p.no) FROM roost_data.search_part p), 0);
	v_name constant text := format('roost_data.search_post_%s', v_no);
BEGIN
	EXECUTE format('CREATE TABLE %s (id bigint PRIMARY KEY, tsv tsvector NOT NULL, hashtags text[] COLLATE "C")', v_name);
	EXECUTE format('CREATE INDEX search_post_%s_tsv_idx ON %s USING gin (tsv) WITH (gin_pending_list_limit = 1024)', v_no, v_name);
	EXECUTE format('ALTER TABLE %s OWNER TO %s', v_name,
		(SELECT c.relowner::regrole FROM pg_class c WHERE c.oid = 'roost_data.search_part'::regclass));
	EXECUTE format('COMMENT ON TABLE %s IS %L', v_name, 'A part of the index of search, see roost_data.search_part. hashtags has those that are counted in roost_data.search_hashtag.');
	INSERT INTO roost_data.search_part (low_id, no) VALUES (search_part_add.low_id, v_no);
	RETURN v_no;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_part_add(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_part_add(bigint) IS 'Adds a part to the index, for ids from low_id on, and returns its number. No post from there on may be in the part before.';

CREATE OR REPLACE FUNCTION roost_internal.search_part_vacate(low_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_part roost_data.search_part;
	v_high_id bigint;
BEGIN
	UPDATE roost_data.search_part p SET posts = 0, max_id = 0 WHERE p.low_id = search_part_vacate.low_id RETURNING * INTO STRICT v_part;
	SELECT coalesce(min(p.low_id), 9223372036854775807) INTO v_high_id FROM roost_data.search_part p WHERE p.low_id > search_part_vacate.low_id;
	EXECUTE format('UPDATE roost_data.search_hashtag h SET posts = h.posts - u.n FROM (SELECT t.tag, count(*) AS n FROM roost_data.search_post_%s p, unnest(p.hashtags) t (tag) WHERE t.tag IS NOT NULL GROUP BY 1) u WHERE h.hashtag = u.tag', v_part.no);
	EXECUTE format('TRUNCATE roost_data.search_post_%s', v_part.no);
	-- What was still to be indexed there is part of it now.
	DELETE FROM roost_data.search_gap g WHERE g.low_id >= v_part.low_id AND g.high_id <= v_high_id;
	INSERT INTO roost_data.search_gap (low_id, high_id) VALUES (v_part.low_id, v_high_id) ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_part_vacate(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_part_vacate(bigint) IS 'Empties the part that begins with low_id; its posts are to be indexed again.';

CREATE OR REPLACE FUNCTION roost_internal.search_restart() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_no integer;
BEGIN
	-- Whatever is logged later comes by the log, whatever is there by the gap.
	UPDATE roost_data.search_state s SET started_at = roost_internal.clock_now(), indexed_at = roost_internal.clock_now(),
		seq = coalesce((SELECT max(l.seq) FROM roost_data.feed_log l), (SELECT f.seq FROM roost_data.feed_state f));
	FOR v_no IN SELECT p.no FROM roost_data.search_part p LOOP
		EXECUTE format('TRUNCATE roost_data.search_post_%s', v_no);
	END LOOP;
	UPDATE roost_data.search_part SET posts = 0, max_id = 0;
	DELETE FROM roost_data.search_hashtag;
	DELETE FROM roost_data.search_gap;
	INSERT INTO roost_data.search_gap (low_id, high_id) VALUES (0, roost_internal.id_floor(roost_internal.clock_now() + interval '1 second'));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_restart() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_restart() IS 'Empties the index; all posts are to be indexed again.';

CREATE OR REPLACE FUNCTION roost_internal.search_index(ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_size constant bigint := current_setting('roost.search_part_size');
	v_part roost_data.search_part;
	v_bundle record;
	v_low_id bigint;
	v_tags text[];
	v_tags_gone text[];
	v_added bigint;
	v_gone bigint;
BEGIN
	-- A part that is full takes nothing newer than what it has: that begins the next one.
	SELECT * INTO v_part FROM roost_data.search_part p
	WHERE p.low_id <= (SELECT max(i.id) FROM unnest(ids) i (id)) ORDER BY p.low_id DESC LIMIT 1;
	IF v_part.posts >= v_size THEN
		SELECT min(i.id) INTO v_low_id FROM unnest(ids) i (id) WHERE i.id > v_part.max_id AND i.id > v_part.low_id;
		IF v_low_id IS NOT NULL THEN
			PERFORM roost_internal.search_part_add(v_low_id);
		END IF;
	END IF;
	FOR v_bundle IN
		SELECT p.no, p.low_id, p.max_id, array_agg(i.id ORDER BY i.id) AS ids, min(i.id) AS min_id
		FROM unnest(ids) i (id)
		CROSS JOIN LATERAL (SELECT t.* FROM roost_data.search_part t WHERE t.low_id <= i.id ORDER BY t.low_id DESC LIMIT 1) p
		GROUP BY 1, 2, 3
	LOOP
		v_gone := 0;
		v_tags_gone := NULL;
		IF v_bundle.min_id <= v_bundle.max_id THEN
			EXECUTE format('WITH gone AS (DELETE FROM roost_data.search_post_%s t WHERE t.id = ANY ($1) RETURNING t.hashtags)
				SELECT count(*), (SELECT array_agg(u.tag) FROM gone g, unnest(g.hashtags) u (tag)) FROM gone', v_bundle.no)
			INTO v_gone, v_tags_gone USING v_bundle.ids;
		END IF;
		EXECUTE format('WITH added AS (
				INSERT INTO roost_data.search_post_%s (id, tsv, hashtags)
				SELECT p.id, roost_internal.search_vector(roost_internal.search_text(p.text, p.content_warning, p.media), p.language,
						roost_internal.search_marks(p.author_id, p.visibility, p.reply_to_id, p.reply_to_account_id, p.quote_of_id, p.language, p.mention_ids, p.media)),
					CASE WHEN p.visibility = ''public'' AND p.state = ''visible'' THEN p.hashtags END
				FROM roost_data.post p WHERE p.id = ANY ($1) AND p.retweet_of_id IS NULL ORDER BY p.id
				RETURNING hashtags)
			SELECT count(*), (SELECT array_agg(u.tag) FROM added a, unnest(a.hashtags) u (tag)) FROM added', v_bundle.no)
		INTO v_added, v_tags USING v_bundle.ids;
		UPDATE roost_data.search_part p SET posts = p.posts + v_added - v_gone,
			max_id = greatest(p.max_id, v_bundle.ids[cardinality(v_bundle.ids)])
		WHERE p.low_id = v_bundle.low_id;
		IF v_tags IS NOT NULL OR v_tags_gone IS NOT NULL THEN
			INSERT INTO roost_data.search_hashtag AS h (hashtag, posts)
			SELECT c.tag, sum(c.n) FROM (
				SELECT u.tag, 1 AS n FROM unnest(v_tags) u (tag) UNION ALL SELECT u.tag, -1 FROM unnest(v_tags_gone) u (tag)
			) c WHERE c.tag IS NOT NULL GROUP BY c.tag HAVING sum(c.n) <> 0
			ON CONFLICT (hashtag) DO UPDATE SET posts = h.posts + excluded.posts;
		END IF;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_index(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_index(bigint[]) IS 'Brings the index up to the tables for the posts with these ids, whether they are new, changed or gone.';

CREATE OR REPLACE FUNCTION roost_internal.search_run("limit" integer DEFAULT 200) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
	v_state roost_data.search_state;
	v_first bigint;
	v_last bigint;
	v_rows integer;
	v_at timestamptz;
	v_ids bigint[];
	v_gap roost_data.search_gap;
	v_low bigint;
BEGIN
	-- One writer at a time; who comes meanwhile has nothing to do.
	IF NOT pg_try_advisory_xact_lock(hashtextextended('roost.search_run', 0)) THEN
		RETURN false;
	END IF;
	SELECT * INTO v_state FROM roost_data.search_state s FOR UPDATE;
	SELECT f.first_seq INTO v_first FROM roost_data.feed_state f;
	IF v_state.seq IS NULL OR v_state.seq < v_first - 1 OR EXISTS (SELECT FROM roost_data.search_gap g WHERE g.low_id < 0)
		OR v_state.seq > greatest((SELECT max(l.seq) FROM roost_data.feed_log l), (SELECT f.seq FROM roost_data.feed_state f)) THEN
		-- It has just begun, or the log does not lead on from here.
		PERFORM roost_internal.search_restart();
		RETURN true;
	END IF;
	SELECT max(l.seq), count(*), max(l.created_at), array_agg(DISTINCT l.post_id) FILTER (
			WHERE l.kind IN ('post_created', 'post_updated', 'post_deleted') AND l.retweet_of_id IS NULL
				AND NOT EXISTS (SELECT FROM roost_data.search_gap g WHERE l.post_id >= g.low_id AND l.post_id < g.high_id))
	INTO v_last, v_rows, v_at, v_ids
	FROM (SELECT t.* FROM roost_data.feed_log t WHERE t.seq > v_state.seq AND t.seq <= v_state.seq + 4 * "limit" ORDER BY t.seq LIMIT "limit") l;
	IF v_last IS NOT NULL THEN
		IF v_ids IS NOT NULL THEN
			PERFORM roost_internal.search_index(v_ids);
		END IF;
		UPDATE roost_data.search_state s SET seq = v_last, indexed_at = v_at;
		IF v_rows >= "limit" THEN
			RETURN true;
		END IF;
	END IF;
	-- Up to date: then what was there before.
	SELECT * INTO v_gap FROM roost_data.search_gap g ORDER BY g.low_id DESC LIMIT 1;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	SELECT array_agg(p.id) FILTER (WHERE p.retweet_of_id IS NULL), count(*), max(p.id) + 1 INTO v_ids, v_rows, v_low
	FROM (SELECT t.id, t.retweet_of_id FROM roost_data.post t WHERE t.id >= v_gap.low_id AND t.id < v_gap.high_id ORDER BY t.id LIMIT "limit") p;
	IF v_ids IS NOT NULL THEN
		PERFORM roost_internal.search_index(v_ids);
	END IF;
	IF v_rows < "limit" THEN
		DELETE FROM roost_data.search_gap g WHERE g.low_id = v_gap.low_id;
	ELSE
		UPDATE roost_data.search_gap g SET low_id = v_low WHERE g.low_id = v_gap.low_id;
	END IF;
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_run(integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_run(integer) IS 'Indexes what the next "limit" rows of the log are about, or, if there are none, the next "limit" posts that were there before. Returns whether there is more to do. The background worker calls it. While another call is under way: false, nothing is done.';

CREATE OR REPLACE FUNCTION roost.search_rebuild() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('roost.search_run', 0));
	PERFORM roost_internal.search_restart();
	DELETE FROM roost_data.search_account;
	PERFORM roost_internal.search_account_fill();
END
$$;
REVOKE ALL ON FUNCTION roost.search_rebuild() FROM PUBLIC;
COMMENT ON FUNCTION roost.search_rebuild() IS 'Builds the index of search anew: that of accounts at once, that of posts bit by bit by the background worker. Until it is done (roost.stat_search) only part of the posts is found.';

CREATE OR REPLACE FUNCTION roost_internal.search_truncated() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Nothing is waited for: the worker may be reading the posts that are being locked.
	INSERT INTO roost_data.search_gap (low_id, high_id) VALUES (-1, 0) ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_truncated() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_truncated() IS 'Trigger: lets the index of posts be built anew when their table was emptied.';

CREATE OR REPLACE FUNCTION roost_internal.search_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_low_id bigint;
	v_rows bigint;
BEGIN
	DELETE FROM roost_data.search_hashtag h WHERE h.posts <= 0;
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	-- An import of past times may have made a part too large.
	SELECT p.low_id INTO v_low_id FROM roost_data.search_part p
	WHERE p.posts > 4 * current_setting('roost.search_part_size')::bigint ORDER BY p.low_id DESC LIMIT 1;
	IF FOUND AND NOT EXISTS (SELECT FROM roost_data.search_gap)
		AND pg_try_advisory_xact_lock(hashtextextended('roost.search_run', 0)) THEN
		PERFORM roost_internal.search_part_vacate(v_low_id);
	END IF;
	RETURN v_rows;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_maintenance() IS 'Removes hashtags that no post has any more, and lets a part of the index that has grown too large be divided. Returns how many hashtags that were.';

CREATE OR REPLACE FUNCTION roost_internal.search_check() RETURNS TABLE (problem text, id bigint, part integer)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_part record;
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS search_check_row (id bigint, part integer, tsv tsvector, hashtags text[]);
	TRUNCATE pg_temp.search_check_row;
	FOR v_part IN SELECT p.no, p.low_id, p.posts, lead(p.low_id, 1, 9223372036854775807) OVER (ORDER BY p.low_id) AS high_id FROM roost_data.search_part p LOOP
		EXECUTE format('INSERT INTO pg_temp.search_check_row SELECT t.id, %s, t.tsv, t.hashtags FROM roost_data.search_post_%1$s t', v_part.no);
		RETURN QUERY SELECT 'in the wrong part'::text, r.id, r.part FROM pg_temp.search_check_row r
			WHERE r.part = v_part.no AND (r.id < v_part.low_id OR r.id >= v_part.high_id);
		RETURN QUERY SELECT 'the part has another number of posts'::text, count(*), v_part.no FROM pg_temp.search_check_row r
			WHERE r.part = v_part.no HAVING count(*) <> v_part.posts;
	END LOOP;
	ANALYZE pg_temp.search_check_row;
	RETURN QUERY SELECT 'there is still a gap'::text, g.low_id, NULL::integer FROM roost_data.search_gap g;
	RETURN QUERY SELECT 'not indexed'::text, p.id, NULL::integer FROM roost_data.post p
		WHERE p.retweet_of_id IS NULL AND NOT EXISTS (SELECT FROM pg_temp.search_check_row r WHERE r.id = p.id);
	RETURN QUERY SELECT 'does not exist'::text, r.id, r.part FROM pg_temp.search_check_row r
		WHERE NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = r.id AND p.retweet_of_id IS NULL);
	RETURN QUERY SELECT 'indexed twice'::text, r.id, max(r.part) FROM pg_temp.search_check_row r GROUP BY r.id HAVING count(*) > 1;
	RETURN QUERY SELECT 'is not what the table says'::text, r.id, r.part FROM pg_temp.search_check_row r JOIN roost_data.post p ON p.id = r.id
		WHERE r.hashtags IS DISTINCT FROM CASE WHEN p.visibility = 'public' AND p.state = 'visible' THEN p.hashtags END
			OR r.tsv <> roost_internal.search_vector(roost_internal.search_text(p.text, p.content_warning, p.media), p.language,
				roost_internal.search_marks(p.author_id, p.visibility, p.reply_to_id, p.reply_to_account_id, p.quote_of_id, p.language, p.mention_ids, p.media));
	RETURN QUERY SELECT 'another number of hashtag ' || coalesce(h.hashtag, c.tag), coalesce(h.posts, 0) - coalesce(c.n, 0), NULL::integer
		FROM (SELECT t.* FROM roost_data.search_hashtag t WHERE t.posts <> 0) h
		FULL JOIN (SELECT u.tag, count(*) AS n FROM pg_temp.search_check_row r, unnest(r.hashtags) u (tag) WHERE u.tag IS NOT NULL GROUP BY 1) c ON c.tag = h.hashtag
		WHERE h.posts IS DISTINCT FROM c.n;
	RETURN QUERY SELECT 'account is not indexed'::text, a.id, NULL::integer FROM roost_data.account a
		WHERE a.status = 'active' AND NOT EXISTS (SELECT FROM roost_data.search_account s
			WHERE s.account_id = a.id AND s.tsv = roost_internal.search_name_vector(a.username, a.display_name));
	RETURN QUERY SELECT 'account is not active'::text, s.account_id, NULL::integer FROM roost_data.search_account s
		WHERE NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = s.account_id AND a.status = 'active');
	DROP TABLE pg_temp.search_check_row;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_check() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_check() IS 'Compares the index with the tables; every row is a difference, none means equal. Call roost.search_sync() before, and let nobody write meanwhile: what is not indexed yet is a difference, too. Reads everything: for tests and after accidents.';

CREATE OR REPLACE FUNCTION roost_internal.search_stat(
	OUT posts bigint, OUT parts bigint, OUT bytes bigint, OUT seq bigint, OUT behind bigint, OUT lag double precision, OUT filling integer, OUT started_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF to_regclass('roost_data.search_state') IS NULL THEN
		RETURN;
	END IF;
	SELECT sum(p.posts), count(*), sum(pg_total_relation_size(to_regclass('roost_data.search_post_' || p.no))) INTO posts, parts, bytes
	FROM roost_data.search_part p;
	SELECT s.seq, s.started_at, greatest(l.seq - s.seq, 0) INTO seq, started_at, behind
	FROM roost_data.search_state s CROSS JOIN (SELECT max(t.seq) AS seq FROM roost_data.feed_log t) l;
	lag := coalesce((SELECT greatest(extract(epoch FROM roost_internal.clock_now() - l.created_at), 0) FROM roost_data.feed_log l WHERE l.seq = search_stat.seq + 1), 0);
	filling := (EXISTS (SELECT FROM roost_data.search_gap) OR seq IS NULL)::integer;
	behind := coalesce(behind, 0);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_stat() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_stat() IS 'The row of roost.stat_search.';

CREATE OR REPLACE VIEW roost.stat_search AS SELECT * FROM roost_internal.search_stat();
COMMENT ON VIEW roost.stat_search IS 'The index of search, one row: posts in it, parts, bytes on disk, seq (the last row of the log it has followed), behind (rows of the log after that), lag (seconds since the first of these was logged), filling (1 while posts from before are still being indexed), started_at (when it was built from the beginning last).';
GRANT EXECUTE ON FUNCTION roost_internal.search_stat() TO pg_monitor;
GRANT SELECT ON roost.stat_search TO pg_monitor;

CREATE OR REPLACE FUNCTION roost.search_sync(timeout interval DEFAULT '10 seconds') RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_until constant timestamptz := clock_timestamp() + timeout;
	v_seq bigint;
BEGIN
	IF NOT roost.worker_sync(timeout) THEN
		RETURN false;
	END IF;
	v_seq := coalesce((SELECT max(l.seq) FROM roost_data.feed_log l), 0);
	LOOP
		PERFORM FROM roost_data.search_state s WHERE s.seq >= v_seq AND NOT EXISTS (SELECT FROM roost_data.search_gap);
		IF FOUND THEN
			RETURN true;
		ELSIF clock_timestamp() > v_until THEN
			RETURN false;
		END IF;
		PERFORM roost.worker_sync(v_until - clock_timestamp());
		PERFORM pg_sleep(0.005);
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost.search_sync(interval) FROM PUBLIC;
COMMENT ON FUNCTION roost.search_sync(interval) IS 'Waits until everything that was committed before the call can be found. False if it cannot within the timeout. Works in transactions of isolation level READ COMMITTED.';
