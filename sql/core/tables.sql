-- Tables of the core module.

CREATE SCHEMA IF NOT EXISTS roost_data;
COMMENT ON SCHEMA roost_data IS 'The tables of roost. Only the owner reads them; callers use the functions in schema roost.';
CREATE SCHEMA IF NOT EXISTS roost_bi;
COMMENT ON SCHEMA roost_bi IS 'Documented read-only views for BI tools: no secrets, no addresses, no private content.';

CREATE TABLE IF NOT EXISTS roost_data.schema_version (
	version text COLLATE "C" PRIMARY KEY,
	installed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.schema_version IS 'The versions of the tables that roost.install() has brought this database to, one row each.';

CREATE SEQUENCE IF NOT EXISTS roost_data.id_high;
COMMENT ON SEQUENCE roost_data.id_high IS 'Milliseconds since 1970 below which all ids made here lie; moved ahead by roost_internal.id_next(). Never set it back.';

CREATE TABLE IF NOT EXISTS roost_data.maintenance (
	module text COLLATE "C" PRIMARY KEY,
	finished_at timestamptz NOT NULL,
	purged bigint,
	error text
);
COMMENT ON TABLE roost_data.maintenance IS 'The last maintenance of each module: when it ended, how many rows it removed, and the error if it failed.';
