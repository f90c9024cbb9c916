-- Counters of followers and followees.

CREATE OR REPLACE FUNCTION roost_internal.follow_count() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_sign bigint := TG_ARGV[0]::bigint;
BEGIN
	PERFORM roost_internal.account_stat_add(d.account_id, d.followers * v_sign, d.following * v_sign, 0)
	FROM (
		SELECT c.account_id, pg_catalog.sum(c.follower)::bigint AS followers, pg_catalog.sum(c.following)::bigint AS following
		FROM (
			SELECT followee_id AS account_id, 1 AS follower, 0 AS following FROM changed
			UNION ALL
			SELECT follower_id, 0, 1 FROM changed
		) c
		GROUP BY c.account_id
	) d;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.follow_count() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.follow_count() IS 'Statement trigger of roost_data.follow: adds the statement''s rows (argument 1) or takes them away (argument -1) in the counters of both sides, one addition an account.';
