-- Import of follows, for those who move in.

CREATE OR REPLACE FUNCTION roost_internal.import_time_refusal(created_at timestamptz, present timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE WHEN created_at < '1970-01-01 00:00:00Z'::timestamptz OR created_at > present
		THEN 'created_at is before 1970 or in the future' END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_time_refusal(timestamptz, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_time_refusal(timestamptz, timestamptz) IS 'Why something cannot have been made at the time, or null. Null is a good time: the thing is made at present.';

CREATE OR REPLACE FUNCTION roost_internal.import_id(created_at timestamptz, owner_id bigint, n bigint) RETURNS bigint
LANGUAGE sql VOLATILE
AS $$
	SELECT CASE WHEN created_at IS NULL THEN roost_internal.id_next(owner_id)
		ELSE roost_internal.id_floor(created_at) + (n << 10) + (owner_id & 1023) END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_id(timestamptz, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_id(timestamptz, bigint, bigint) IS 'The id of the n-th thing (from 0) that owners of one bucket have made in the millisecond of created_at; from the 64th on it falls into the milliseconds after. Without a time: a new id.';

CREATE OR REPLACE FUNCTION roost.follow_import() RETURNS roost.import_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_present constant timestamptz := roost_internal.clock_now();
	v_result roost.import_result;
	v_staged bigint;
BEGIN
	LOCK TABLE roost_data.import_follow IN ACCESS EXCLUSIVE MODE;
	LOCK TABLE roost_data.account_block IN SHARE MODE;
	ANALYZE roost_data.import_follow;
	SELECT pg_catalog.count(*) INTO v_staged FROM roost_data.import_follow;
	RAISE NOTICE '% follows to import', v_staged;

	UPDATE roost_data.import_follow s SET error = CASE
		WHEN t.follower_id IS NULL THEN 'follower is not an imported account'
		WHEN t.followee_id IS NULL THEN 'followee is not an imported account'
		WHEN t.follower_id = t.followee_id THEN 'an account cannot follow itself'
		WHEN t.blocked THEN 'one of the two accounts has blocked the other'
		ELSE roost_internal.import_time_refusal(s.created_at, v_present) END
	FROM (
		SELECT i.ctid AS row, r.id AS follower_id, e.id AS followee_id,
			EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = r.id AND b.blocked_id = e.id)
				OR EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = e.id AND b.blocked_id = r.id) AS blocked
		FROM roost_data.import_follow i
		LEFT JOIN (roost_data.import_map rm JOIN roost_data.account r ON r.id = rm.id AND r.status <> 'deleted')
			ON rm.kind = 'account' AND rm.external_id = i.follower
		LEFT JOIN (roost_data.import_map em JOIN roost_data.account e ON e.id = em.id AND e.status <> 'deleted')
			ON em.kind = 'account' AND em.external_id = i.followee
	) t
	WHERE s.ctid = t.row AND (s.error IS NOT NULL OR t.follower_id IS NULL OR t.followee_id IS NULL
		OR t.follower_id = t.followee_id OR t.blocked
		OR roost_internal.import_time_refusal(s.created_at, v_present) IS NOT NULL);

	INSERT INTO roost_data.follow (follower_id, followee_id, id, created_at)
	SELECT s.follower_id, s.followee_id,
		roost_internal.import_id(s.created_at, s.follower_id,
			pg_catalog.row_number() OVER (PARTITION BY pg_catalog.date_trunc('milliseconds', s.created_at)) - 1),
		coalesce(s.created_at, v_present)
	FROM (
		SELECT DISTINCT ON (rm.id, em.id) rm.id AS follower_id, em.id AS followee_id, t.created_at
		FROM roost_data.import_follow t
		JOIN roost_data.import_map rm ON rm.kind = 'account' AND rm.external_id = t.follower
		JOIN roost_data.import_map em ON em.kind = 'account' AND em.external_id = t.followee
		WHERE t.error IS NULL
		ORDER BY rm.id, em.id, t.created_at
	) s
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS v_result.inserted = ROW_COUNT;
	SELECT pg_catalog.count(*) INTO v_result.refused FROM roost_data.import_follow s WHERE s.error IS NOT NULL;
	IF v_result.refused = 0 THEN
		TRUNCATE roost_data.import_follow;
	ELSE
		DELETE FROM roost_data.import_follow s WHERE s.error IS NULL;
	END IF;
	v_result.existing := v_staged - v_result.inserted - v_result.refused;
	RAISE NOTICE '% follows imported', v_result.inserted;
	PERFORM roost_internal.audit_add('import.follow', 'import', NULL, to_jsonb(v_result));
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.follow_import() FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_import() IS 'Makes follows of the rows of roost_data.import_follow, at the times they were made (null: now); private accounts are not asked. Rows done, and follows that exist already, leave the table; refused ones stay, with the reason in error, and are tried again by the next call.';
