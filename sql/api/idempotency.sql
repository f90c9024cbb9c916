-- Idempotency keys; kept and replayed in C (extension/api/idempotency.c).

CREATE OR REPLACE FUNCTION roost_internal.api_maintenance() RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM roost_data.idempotency_key k WHERE k.created_at < now() - interval '24 hours' RETURNING 1)
	SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION roost_internal.api_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.api_maintenance() IS 'Deletes idempotency keys older than 24 hours. Returns how many.';
