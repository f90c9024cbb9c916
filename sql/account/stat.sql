-- Counters of accounts, without a hot row.

CREATE OR REPLACE FUNCTION roost_internal.account_stat_add(account_id bigint, followers bigint, following bigint, posts bigint) RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_account_stat_add_sql';
REVOKE ALL ON FUNCTION roost_internal.account_stat_add(bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_stat_add(bigint, bigint, bigint, bigint) IS 'Adds to the counters of an account, within the transaction. Never waits for another one: it adds to a slot that nobody holds, or makes a new one.';

CREATE OR REPLACE FUNCTION roost_internal.account_stat_fold() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_sum record;
	v_count bigint := 0;
BEGIN
	FOR v_account_id IN
		SELECT s.account_id FROM roost_data.account_stat s GROUP BY s.account_id HAVING pg_catalog.count(*) > 1
	LOOP
		-- Only the slots that nobody holds; the others are folded another time.
		WITH idle AS (
			SELECT s.account_id, s.slot FROM roost_data.account_stat s
			WHERE s.account_id = v_account_id
			FOR UPDATE SKIP LOCKED
		), gone AS (
			DELETE FROM roost_data.account_stat s USING idle i
			WHERE s.account_id = i.account_id AND s.slot = i.slot
			RETURNING s.follower_count, s.following_count, s.post_count
		)
		SELECT sum(g.follower_count) AS followers, sum(g.following_count) AS following, sum(g.post_count) AS posts,
			pg_catalog.count(*) AS slots
		INTO v_sum FROM gone g;
		IF v_sum.slots > 0 THEN
			PERFORM roost_internal.account_stat_add(v_account_id, v_sum.followers::bigint, v_sum.following::bigint, v_sum.posts::bigint);
			v_count := v_count + v_sum.slots - 1;
		END IF;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_stat_fold() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_stat_fold() IS 'Puts the slots of each account''s counters together that no transaction holds. Returns how many rows that saved.';
