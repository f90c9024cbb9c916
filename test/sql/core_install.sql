-- roost.install() can run again and again, and says what it reached.
SELECT roost.install() = roost.version() AS installed;
SELECT count(*) AS versions FROM roost_data.schema_version WHERE version = roost.version();

-- The tables are the caller's, not the extension's.
SELECT count(*) FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' AND c.relnamespace = 'roost_data'::regnamespace;

-- A careless DROP EXTENSION is refused, because the tables need its types.
\set VERBOSITY terse
DROP EXTENSION roost;
\echo :LAST_ERROR_SQLSTATE

-- Only roost.uninstall() drops data, and only when the database is named.
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT roost.uninstall('postgres');
SELECT roost.uninstall(NULL);

-- What others built upon the tables keeps them.
CREATE VIEW install_mine AS SELECT version FROM roost_data.schema_version;
\set VERBOSITY terse
SELECT roost.uninstall(current_database()::text);
\echo :LAST_ERROR_SQLSTATE
DROP VIEW install_mine;

BEGIN;
SELECT roost.uninstall(confirm => current_database()::text);
SELECT count(*) FROM pg_namespace WHERE nspname IN ('roost_data', 'roost_bi');
DROP EXTENSION roost;
CREATE EXTENSION roost;
SELECT roost.install() = roost.version() AS installed;
ROLLBACK;
