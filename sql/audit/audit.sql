-- The audit trail: what other modules call.

CREATE OR REPLACE FUNCTION roost_internal.request_actor() RETURNS bigint
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_api_request_actor';
REVOKE ALL ON FUNCTION roost_internal.request_actor() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.request_actor() IS 'The account whose access token the HTTP request brought that is being answered; null without one, and outside a request.';

CREATE OR REPLACE FUNCTION roost_internal.request_session() RETURNS bigint
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_api_request_session';
REVOKE ALL ON FUNCTION roost_internal.request_session() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.request_session() IS 'The session of that access token.';

CREATE OR REPLACE FUNCTION roost_internal.audit_add(action text, object_type text, object_id bigint, detail jsonb DEFAULT '{}', actor_id bigint DEFAULT NULL) RETURNS void
LANGUAGE c VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_audit_add';
REVOKE ALL ON FUNCTION roost_internal.audit_add(text, text, bigint, jsonb, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_add(text, text, bigint, jsonb, bigint) IS 'Adds an entry to the audit trail with this transaction: what was done (for instance case.decide), to what (its type and id), and what else there is to say, never a secret; actor_id is the account that did it, by default that of the request, or the one noted with audit_actor(). If the object is no account, "account_id" in detail says which account it concerns.';

CREATE OR REPLACE FUNCTION roost_internal.audit_actor(actor_id bigint, cause text DEFAULT NULL) RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_audit_actor_note';
REVOKE ALL ON FUNCTION roost_internal.audit_actor(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_actor(bigint, text) IS 'Notes for entries of the audit trail which account acts in the statement that runs now, for callers in SQL (a request names its own), and by what.';

CREATE OR REPLACE FUNCTION roost_internal.audit_watch() RETURNS trigger
LANGUAGE c VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_audit_watch';
REVOKE ALL ON FUNCTION roost_internal.audit_watch() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_watch() IS 'AFTER ROW trigger: audit_watch(''type'', ''key column'', ''column'', …) adds an entry when a row is inserted or deleted or one of the columns changes, with the old and new values of these columns; of ''column!'' it only says that it has changed. Several key columns are written with commas. ''@column'' names the account that the row concerns; ''~column'' an account that may change the row without an entry. Also AFTER TRUNCATE. roost.install() enables these triggers always and adds those for TRUNCATE.';

CREATE OR REPLACE FUNCTION roost_internal.audit_guard() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_audit_guard';
REVOKE ALL ON FUNCTION roost_internal.audit_guard() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_guard() IS 'BEFORE trigger: raises 42501, unless the background worker seals, or roost_internal.audit_add() or a trigger adds an entry.';

CREATE OR REPLACE FUNCTION roost_internal.audit_digest(VARIADIC "values" "any") RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_audit_digest';
REVOKE ALL ON FUNCTION roost_internal.audit_digest("any") FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_digest("any") IS 'The SHA-256 of values (bigint, timestamptz, text, bytea, jsonb) in canonical form: of each one its length in four bytes, then its bytes as the type''s send function or, for jsonb, its text has them; a length of ffffffff for null.';

CREATE OR REPLACE FUNCTION roost_internal.audit_enable() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
DECLARE
	v_trigger record;
BEGIN
	FOR v_trigger IN
		SELECT c.oid::regclass AS relation, c.relname, t.tgname, t.tgenabled,
			pg_catalog.split_part(pg_catalog.encode(t.tgargs, 'escape'), '\000', 1) AS type
		FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
		WHERE t.tgfoid = 'roost_internal.audit_watch()'::regprocedure AND c.relnamespace = 'roost_data'::regnamespace
		ORDER BY c.relname, t.tgname
	LOOP
		IF v_trigger.tgname <> v_trigger.relname || '_audit_truncate' THEN
			EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER %I AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.audit_watch(%L)',
				v_trigger.relname || '_audit_truncate', v_trigger.relation, v_trigger.type);
			EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', v_trigger.relation, v_trigger.relname || '_audit_truncate');
		END IF;
		EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', v_trigger.relation, v_trigger.tgname);
	END LOOP;
	-- Each partition of the trail has a guard of its own.
	FOR v_trigger IN
		SELECT i.inhrelid::regclass AS relation FROM pg_catalog.pg_inherits i WHERE i.inhparent = 'roost_data.audit'::regclass ORDER BY i.inhrelid
	LOOP
		EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER audit_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.audit_guard()', v_trigger.relation);
		EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER audit_guard', v_trigger.relation);
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.audit_enable() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_enable() IS 'Makes the triggers of audit_watch() fire always, whatever session_replication_role says, and adds those for TRUNCATE; and guards the partitions of roost_data.audit. roost.install() calls it.';
