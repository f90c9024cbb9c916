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

CREATE OR REPLACE FUNCTION roost_internal.api_account_delete(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_data.idempotency_key k WHERE k.owner = 'account:' || $1
$$;
REVOKE ALL ON FUNCTION roost_internal.api_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.api_account_delete(bigint) IS 'Forgets the answers that were kept for an account.';
