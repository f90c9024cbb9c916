-- The audit trail: what other modules call.

CREATE OR REPLACE FUNCTION roost_internal.audit_add(action text, object_type text, object_id bigint, detail jsonb DEFAULT '{}', actor_id bigint DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_add(text, text, bigint, jsonb, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_add(text, text, bigint, jsonb, bigint) IS 'Adds an entry to the audit trail with this transaction: what was done (for instance case.decide), to what (its type and id), and what else there is to say, never a secret; actor_id is the account that did it, by default that of the request.';

CREATE OR REPLACE FUNCTION roost_internal.audit_watch() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_watch() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_watch() IS 'AFTER ROW trigger: audit_watch(''type'', ''key column'', ''column'', …) adds an entry when a row is inserted or deleted or one of the columns changes, with the old and new values of these columns; of ''column!'' it only says that it has changed.';
