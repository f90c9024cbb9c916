-- Installation of the tables.

CREATE OR REPLACE FUNCTION roost.version() RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_core_version';
COMMENT ON FUNCTION roost.version() IS 'The version of the loaded library, for instance ''0.2.0''.';

CREATE OR REPLACE FUNCTION roost.install() RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
DECLARE
	v_module text;
	v_ddl text;
BEGIN
	IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'roost needs a database in UTF-8',
			DETAIL = format('The encoding of database "%s" is %s.', current_database(), pg_catalog.getdatabaseencoding()),
			HINT = format('Make one: CREATE DATABASE %I ENCODING ''UTF8'' LOCALE ''C.UTF-8'' TEMPLATE template0.', 'roost');
	END IF;
	-- First what the background worker locks first, as in roost.uninstall().
	IF to_regclass('roost_data.feed_state') IS NOT NULL THEN
		LOCK TABLE roost_data.feed_state IN ACCESS EXCLUSIVE MODE;
	END IF;
	PERFORM roost_internal.audit_ddl_watch(false);
	FOREACH v_module IN ARRAY roost_internal.table_modules() LOOP
		EXECUTE pg_catalog.format('SELECT roost_internal.tables_%s()', v_module) INTO v_ddl;
		EXECUTE v_ddl;
	END LOOP;
	PERFORM roost_internal.audit_enable();
	PERFORM roost_internal.audit_add('schema.install', 'schema', NULL, pg_catalog.jsonb_build_object('version', roost.version()));
	PERFORM roost_internal.audit_ddl_watch(true);
	INSERT INTO roost_data.schema_version (version) VALUES (roost.version()) ON CONFLICT DO NOTHING;
	RETURN roost.version();
END
$$;
REVOKE ALL ON FUNCTION roost.install() FROM PUBLIC;
COMMENT ON FUNCTION roost.install() IS 'Creates the tables, indexes, triggers and views of roost in this database, or brings them to the version of the extension after ALTER EXTENSION roost UPDATE. They belong to the caller, not to the extension. Safe to call again. Returns the version reached. 55000 if the database is not in UTF-8.';

CREATE OR REPLACE FUNCTION roost.uninstall(confirm text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
DECLARE
	v_kind record;
	v_names text;
BEGIN
	IF confirm IS DISTINCT FROM current_database()::text THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'confirm', MESSAGE = 'the confirmation does not match',
			DETAIL = 'All accounts, posts and other data of roost in this database would be lost.',
			HINT = format('To do that, call roost.uninstall(confirm => %L).', current_database());
	END IF;
	-- First what the background worker locks first, and no deadlock comes of the rest.
	IF to_regclass('roost_data.feed_state') IS NOT NULL THEN
		LOCK TABLE roost_data.feed_state IN ACCESS EXCLUSIVE MODE;
	END IF;
	PERFORM roost_internal.audit_ddl_watch(false);
	PERFORM roost.maintenance_unschedule();
	-- Without CASCADE: what others built upon the tables is theirs to drop first.
	FOR v_kind IN
		SELECT k.kind, k.relkinds FROM (VALUES (1, 'VIEW', 'v'), (2, 'MATERIALIZED VIEW', 'm'), (3, 'TABLE', 'rp'), (4, 'SEQUENCE', 'S')) k (step, kind, relkinds)
		ORDER BY k.step
	LOOP
		SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ') INTO v_names
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname IN ('roost_data', 'roost_bi') AND position(c.relkind IN v_kind.relkinds) > 0;
		IF v_names IS NOT NULL THEN
			EXECUTE format('DROP %s %s', v_kind.kind, v_names);
		END IF;
	END LOOP;
	DROP SCHEMA IF EXISTS roost_bi, roost_data;
END
$$;
REVOKE ALL ON FUNCTION roost.uninstall(text) FROM PUBLIC;
COMMENT ON FUNCTION roost.uninstall(text) IS 'Drops every table and view of roost in this database with all data, for ever; confirm must be the name of this database (else 22023). Refuses (2BP01) while your own objects depend on them. Afterwards DROP EXTENSION roost succeeds, or roost.install() starts anew.';
