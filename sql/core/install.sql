-- Installation of the tables.

CREATE OR REPLACE FUNCTION roost.version() RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_core_version';
COMMENT ON FUNCTION roost.version() IS 'The version of the loaded library, for instance ''0.1.0''.';

CREATE OR REPLACE FUNCTION roost.install() RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
DECLARE
	v_module text;
	v_ddl text;
BEGIN
	FOREACH v_module IN ARRAY roost_internal.table_modules() LOOP
		EXECUTE pg_catalog.format('SELECT roost_internal.tables_%s()', v_module) INTO v_ddl;
		EXECUTE v_ddl;
	END LOOP;
	INSERT INTO roost_data.schema_version (version) VALUES (roost.version()) ON CONFLICT DO NOTHING;
	RETURN roost.version();
END
$$;
REVOKE ALL ON FUNCTION roost.install() FROM PUBLIC;
COMMENT ON FUNCTION roost.install() IS 'Creates the tables, indexes, triggers and views of roost in this database, or brings them to the version of the extension after ALTER EXTENSION roost UPDATE. They belong to the caller, not to the extension. Safe to call again. Returns the version reached.';
