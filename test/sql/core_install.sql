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
