\echo Use "CREATE EXTENSION roost CASCADE" to load this file. \quit
-- The schemas of the extension.  roost_data and roost_bi are made by
-- roost.install(), because what they hold belongs to the user.

CREATE SCHEMA roost;
COMMENT ON SCHEMA roost IS 'Public functions and types of roost: the only thing callers use.';
GRANT USAGE ON SCHEMA roost TO PUBLIC;

CREATE SCHEMA roost_internal;
COMMENT ON SCHEMA roost_internal IS 'Helpers and triggers of roost; not for callers, may change at any release.';

-- Types of the core module.

CREATE DOMAIN roost.id AS bigint CHECK (VALUE >= 0);
COMMENT ON DOMAIN roost.id IS 'An identifier made by roost: milliseconds since 1970 in the high 48 bits, 6 bits of sequence, 10 bits of bucket. A decimal string in JSON.';

CREATE TYPE roost.health AS (status text, version text, worker text, worker_lag numeric, standby boolean);
COMMENT ON TYPE roost.health IS 'The state of the service: status (ok, degraded), version, worker (its state), worker_lag (seconds the oldest waiting event has waited), standby (this server is in recovery).';

CREATE FUNCTION roost_internal.tables_core() RETURNS text LANGUAGE sql IMMUTABLE AS $roost_function$ SELECT $roost_tables$
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
$roost_tables$ $roost_function$;
COMMENT ON FUNCTION roost_internal.tables_core() IS 'The text of sql/core/tables.sql, run by roost.install().';

-- Installation of the tables.

CREATE FUNCTION roost.version() RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_core_version';
COMMENT ON FUNCTION roost.version() IS 'The version of the loaded library, for instance ''0.1.0''.';

CREATE FUNCTION roost.install() RETURNS text
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
	FOREACH v_module IN ARRAY roost_internal.table_modules() LOOP
		EXECUTE pg_catalog.format('SELECT roost_internal.tables_%s()', v_module) INTO v_ddl;
		EXECUTE v_ddl;
	END LOOP;
	INSERT INTO roost_data.schema_version (version) VALUES (roost.version()) ON CONFLICT DO NOTHING;
	RETURN roost.version();
END
$$;
REVOKE ALL ON FUNCTION roost.install() FROM PUBLIC;
COMMENT ON FUNCTION roost.install() IS 'Creates the tables, indexes, triggers and views of roost in this database, or brings them to the version of the extension after ALTER EXTENSION roost UPDATE. They belong to the caller, not to the extension. Safe to call again. Returns the version reached. 55000 if the database is not in UTF-8.';

CREATE FUNCTION roost.uninstall(confirm text) RETURNS void
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

-- Ids, and what tests do with the clock and with wait points.

CREATE FUNCTION roost_internal.id_next(owner_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_id_next_sql';
COMMENT ON FUNCTION roost_internal.id_next(bigint) IS 'A new id, larger than every earlier one of this server, also after a crash and when the clock steps back. Its bucket is the owner''s, or random without an owner (accounts). Error 25006 in a read-only transaction, 55000 before roost.install().';
REVOKE ALL ON FUNCTION roost_internal.id_next(bigint) FROM PUBLIC;

CREATE FUNCTION roost_internal.id_at(created_at timestamptz, owner_id bigint, salt bigint) RETURNS bigint
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_id_at';
COMMENT ON FUNCTION roost_internal.id_at(timestamptz, bigint, bigint) IS 'The id of something imported that was made at created_at: the same for the same arguments. The sequence comes from the salt, the bucket from the owner (from the salt without an owner); two things of one millisecond and owner may collide (1 in 64), then take another salt. Error 22023 for a time before 1970 or after the year 6429.';
REVOKE ALL ON FUNCTION roost_internal.id_at(timestamptz, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION roost_internal.id_floor(at timestamptz) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_id_floor';
COMMENT ON FUNCTION roost_internal.id_floor(timestamptz) IS 'The smallest id of a time: ids below it were made before. Error 22023 for a time before 1970 or after the year 6429.';
REVOKE ALL ON FUNCTION roost_internal.id_floor(timestamptz) FROM PUBLIC;

CREATE FUNCTION roost.id_time(id roost.id) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_id_time';
COMMENT ON FUNCTION roost.id_time(roost.id) IS 'When an id was made, to the millisecond.';

CREATE FUNCTION roost.id_bucket(id roost.id) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_id_bucket';
COMMENT ON FUNCTION roost.id_bucket(roost.id) IS 'The bucket of an id, 0 to 1023: the same for everything of one owner.';

CREATE FUNCTION roost_internal.clock_now() RETURNS timestamptz
LANGUAGE c VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'roost_clock_now';
COMMENT ON FUNCTION roost_internal.clock_now() IS 'The time of roost''s clock: the wall clock, unless a test has frozen it.';
REVOKE ALL ON FUNCTION roost_internal.clock_now() FROM PUBLIC;

CREATE FUNCTION roost_internal.clock_freeze(at timestamptz, everywhere boolean DEFAULT false) RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_clock_freeze';
COMMENT ON FUNCTION roost_internal.clock_freeze(timestamptz, boolean) IS 'For tests: stops roost''s clock at a time, in this session or in the whole server; NULL lets it run again. Error 0A000 unless built with ROOST_DEBUG=1.';
REVOKE ALL ON FUNCTION roost_internal.clock_freeze(timestamptz, boolean) FROM PUBLIC;

CREATE FUNCTION roost_internal.debug_point_arm(name text) RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_debug_point_arm';
COMMENT ON FUNCTION roost_internal.debug_point_arm(text) IS 'For tests: other sessions that reach the named point in the code wait there until this session releases it or ends. Error 0A000 unless built with ROOST_DEBUG=1.';
REVOKE ALL ON FUNCTION roost_internal.debug_point_arm(text) FROM PUBLIC;

CREATE FUNCTION roost_internal.debug_point_release(name text) RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_debug_point_release';
COMMENT ON FUNCTION roost_internal.debug_point_release(text) IS 'For tests: lets the sessions that wait at the named point go on; false if this session had not armed it. Error 0A000 unless built with ROOST_DEBUG=1.';
REVOKE ALL ON FUNCTION roost_internal.debug_point_release(text) FROM PUBLIC;

-- Events: what row triggers append and the worker gets after the commit.

CREATE FUNCTION roost_internal.event_emit() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_event_emit';
COMMENT ON FUNCTION roost_internal.event_emit() IS 'AFTER ROW trigger: event_emit(''kind'', ''column'', …) hands an event with the values of up to four columns (integers, booleans, timestamps) to the worker when the transaction commits. Of an update it takes the new row. Kinds are listed in extension/core/event.h.';
REVOKE ALL ON FUNCTION roost_internal.event_emit() FROM PUBLIC;

CREATE FUNCTION roost_internal.relation_changed() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_relation_changed';
COMMENT ON FUNCTION roost_internal.relation_changed() IS 'AFTER STATEMENT trigger of small tables that every backend caches: makes them read it again after the commit.';
REVOKE ALL ON FUNCTION roost_internal.relation_changed() FROM PUBLIC;

-- The background worker: statistics, and waiting for it.

CREATE FUNCTION roost_internal.worker_stat(
	OUT pid integer, OUT state text, OUT started_at timestamptz, OUT last_turn_at timestamptz, OUT lag double precision,
	OUT queue_depth bigint, OUT queue_size bigint, OUT events bigint, OUT losses bigint, OUT in_doubt integer,
	OUT turns bigint, OUT failures bigint, OUT standby boolean)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_worker_stat';
COMMENT ON FUNCTION roost_internal.worker_stat() IS 'The row of roost.stat_worker.';

CREATE OR REPLACE VIEW roost.stat_worker AS SELECT * FROM roost_internal.worker_stat();
COMMENT ON VIEW roost.stat_worker IS 'The background worker, one row: pid, state (running, standby, starting, not installed, no database, no slot, stopped), started_at, last_turn_at, lag (seconds the oldest waiting event has waited), queue_depth and queue_size (events), events (processed since the server started), losses (times that events were dropped and caches were built anew), in_doubt (prepared transactions with events), turns, failures (errors of its steps, see the server log), standby (this server is in recovery).';
COMMENT ON COLUMN roost.stat_worker.lag IS 'Seconds the oldest waiting event has waited; 0 when none waits.';

CREATE FUNCTION roost_internal.worker_event_stat(OUT kind text, OUT events bigint) RETURNS SETOF record
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_worker_event_stat';
COMMENT ON FUNCTION roost_internal.worker_event_stat() IS 'The rows of roost.stat_event.';

CREATE OR REPLACE VIEW roost.stat_event AS SELECT * FROM roost_internal.worker_event_stat();
COMMENT ON VIEW roost.stat_event IS 'How many events of each kind the background worker has processed since the server started.';

CREATE FUNCTION roost.worker_sync(timeout interval DEFAULT '10 seconds') RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_worker_sync';
COMMENT ON FUNCTION roost.worker_sync(interval) IS 'Waits until the background worker has processed everything that was committed before the call (not what the calling transaction itself has written). False if it has not within the timeout, for instance because it does not run.';

REVOKE ALL ON FUNCTION roost_internal.worker_stat(), roost_internal.worker_event_stat(), roost.worker_sync(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roost_internal.worker_stat(), roost_internal.worker_event_stat() TO pg_monitor;
GRANT SELECT ON roost.stat_worker, roost.stat_event TO pg_monitor;

-- Maintenance: what has to happen from time to time.

CREATE FUNCTION roost.maintenance_run(module_name text DEFAULT NULL) RETURNS TABLE (module text, purged bigint, error text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_only text := module_name;
	v_name text;
	v_purged bigint;
	v_error text;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('roost.maintenance_run', 0));
	FOR v_name IN
		SELECT p.proname FROM pg_proc p
		WHERE p.pronamespace = 'roost_internal'::regnamespace AND p.proname LIKE '%\_maintenance'
			AND p.pronargs = 0 AND p.prokind = 'f' AND p.prorettype = 'bigint'::regtype AND NOT p.proretset
			AND (v_only IS NULL OR p.proname = v_only || '_maintenance')
		ORDER BY p.proname
	LOOP
		v_error := NULL;
		v_purged := NULL;
		BEGIN
			EXECUTE format('SELECT roost_internal.%I()', v_name) INTO v_purged;
		EXCEPTION WHEN OTHERS THEN
			v_error := SQLERRM;
			RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = format('maintenance function "%s" failed: %s', v_name, SQLERRM);
		END;
		module := regexp_replace(v_name, '_maintenance$', '');
		purged := v_purged;
		error := v_error;
		INSERT INTO roost_data.maintenance AS m (module, finished_at, purged, error)
		VALUES (regexp_replace(v_name, '_maintenance$', ''), clock_timestamp(), v_purged, v_error)
		ON CONFLICT (module) DO UPDATE SET finished_at = excluded.finished_at, purged = excluded.purged, error = excluded.error;
		RETURN NEXT;
	END LOOP;
	IF v_only IS NOT NULL AND v_name IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = format('module "%s" has no maintenance', v_only);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.maintenance_run(text) FROM PUBLIC;
COMMENT ON FUNCTION roost.maintenance_run(text) IS 'Purges what has expired and folds counters, in one module or in all: calls every function roost_internal.<module>_maintenance(). Returns a row for each: module, purged (rows removed), error (the message if it failed; the others go on). Two runs wait for each other. Error P0002 for a module without maintenance.';

CREATE FUNCTION roost_internal.maintenance_jobs(OUT job text, OUT schedule text, OUT command text, OUT database text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES
		('roost-maintenance', '17 * * * *', 'SELECT roost.maintenance_run()', current_database()::text),
		('roost-history', '47 3 * * *', 'DELETE FROM cron.job_run_details d USING cron.job j WHERE j.jobid = d.jobid AND j.jobname LIKE ''roost-%'' AND d.end_time < now() - interval ''7 days''',
			coalesce(current_setting('cron.database_name', true), 'postgres'))
$$;
REVOKE ALL ON FUNCTION roost_internal.maintenance_jobs() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.maintenance_jobs() IS 'The jobs for pg_cron: name, schedule, command and the database it runs in. roost-history deletes what pg_cron recorded about runs of roost''s jobs more than a week ago.';

CREATE FUNCTION roost.maintenance_schedule() RETURNS TABLE (job text, scheduled boolean, command text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_here boolean := EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron');
	v_job record;
BEGIN
	FOR v_job IN SELECT * FROM roost_internal.maintenance_jobs() LOOP
		job := v_job.job;
		scheduled := v_here;
		command := format('SELECT cron.schedule_in_database(%L, %L, %L, %L);', v_job.job, v_job.schedule, v_job.command, v_job.database);
		IF v_here THEN
			EXECUTE 'SELECT cron.schedule($1, $2, $3)' USING v_job.job, v_job.schedule, v_job.command;
			command := v_job.command;
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost.maintenance_schedule() FROM PUBLIC;
COMMENT ON FUNCTION roost.maintenance_schedule() IS 'Has pg_cron run the maintenance, as the calling role. Where pg_cron is not in this database nothing is scheduled (scheduled is false), and command holds the statements to run in the database where it is. Without pg_cron the background worker runs the maintenance, see roost.maintenance_interval. Safe to call again.';

CREATE FUNCTION roost.maintenance_unschedule() RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_count integer := 0;
BEGIN
	IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		EXECUTE 'SELECT count(cron.unschedule(j.jobid)) FROM cron.job j WHERE j.jobname IN (SELECT m.job FROM roost_internal.maintenance_jobs() m)' INTO v_count;
	END IF;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost.maintenance_unschedule() FROM PUBLIC;
COMMENT ON FUNCTION roost.maintenance_unschedule() IS 'Removes the jobs of roost.maintenance_schedule() from pg_cron in this database; returns how many there were.';

CREATE FUNCTION roost_internal.maintenance_run_due(age interval) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM roost_data.maintenance m WHERE m.finished_at > now() - age) THEN
		PERFORM roost.maintenance_run();
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.maintenance_run_due(interval) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.maintenance_run_due(interval) IS 'Runs the maintenance if none has run for this long; the background worker calls it.';

-- Types and the route table of the api module.

CREATE DOMAIN roost.cursor AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z0-9_.~-]{1,128}$');
COMMENT ON DOMAIN roost.cursor IS 'A position in a list, as given in "next" of the page before. Opaque: 1 to 128 letters, digits, ".", "_", "~" or "-".';

-- Owned by the extension.  Routes of users (builtin = false) are part of a
-- dump; both may exist for one method and path, then the user's one answers.
CREATE TABLE roost_internal.route (
	method text COLLATE "C" NOT NULL CHECK (method IN ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
	path text COLLATE "C" NOT NULL,
	shape text COLLATE "C" NOT NULL,
	function text COLLATE "C" NOT NULL,
	auth text COLLATE "C" NOT NULL CHECK (auth IN ('none', 'optional', 'user')),
	limit_class text COLLATE "C" NOT NULL,
	status smallint NOT NULL CHECK (status BETWEEN 200 AND 299),
	lane text COLLATE "C" NOT NULL CHECK (lane IN ('fast', 'write', 'slow')),
	cookies boolean NOT NULL,
	sensitive boolean NOT NULL,
	builtin boolean NOT NULL,
	tags text[] NOT NULL,
	CONSTRAINT route_pkey PRIMARY KEY (method, shape, builtin)
);
COMMENT ON TABLE roost_internal.route IS 'Which function answers which HTTP method and path; see roost_internal.route() and roost.route_add().';
COMMENT ON COLUMN roost_internal.route.path IS 'Path under the base path; a segment ":name" binds the argument of that name.';
COMMENT ON COLUMN roost_internal.route.shape IS 'The path with every parameter written as ":", so that two names for one path collide.';
COMMENT ON COLUMN roost_internal.route.function IS 'Qualified name of the function, with its argument types only if the name alone is ambiguous.';
COMMENT ON COLUMN roost_internal.route.auth IS 'none: a token is ignored; optional: a token is used if sent; user: a valid token is required.';
COMMENT ON COLUMN roost_internal.route.limit_class IS 'Class of rate limit policies of which each request takes one unit; "none" takes nothing.';
COMMENT ON COLUMN roost_internal.route.lane IS 'Which of the gateway''s connection groups runs it: fast, write or slow.';
COMMENT ON COLUMN roost_internal.route.cookies IS 'The result holds tokens, which clients may ask to get as cookies.';
COMMENT ON COLUMN roost_internal.route.sensitive IS 'The result holds secrets: never stored in clear.';
COMMENT ON COLUMN roost_internal.route.builtin IS 'Made by the extension itself; not part of a dump.';
SELECT pg_catalog.pg_extension_config_dump('roost_internal.route', 'WHERE NOT builtin');

CREATE FUNCTION roost_internal.tables_api() RETURNS text LANGUAGE sql IMMUTABLE AS $roost_function$ SELECT $roost_tables$
-- Tables of the api module.

CREATE TABLE IF NOT EXISTS roost_data.idempotency_key (
	owner text COLLATE "C" NOT NULL,
	key_hash bytea NOT NULL,
	request_hash bytea NOT NULL,
	encrypted boolean NOT NULL,
	answer bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (owner, key_hash)
);
CREATE INDEX IF NOT EXISTS idempotency_key_created_at_idx ON roost_data.idempotency_key (created_at);
COMMENT ON TABLE roost_data.idempotency_key IS 'Answers to requests that came with an Idempotency-Key, kept for 24 hours to be given again. The key itself is not kept, only hashes.';
COMMENT ON COLUMN roost_data.idempotency_key.owner IS 'Who sent the request: "account:" and id, or "address:" and network address.';
COMMENT ON COLUMN roost_data.idempotency_key.key_hash IS 'SHA-256 of owner and key.';
COMMENT ON COLUMN roost_data.idempotency_key.request_hash IS 'HMAC-SHA-256 of method, path, query, body and refresh token under the key.';
COMMENT ON COLUMN roost_data.idempotency_key.encrypted IS 'The answer holds secrets: it is nonce, tag and text of AES-256-GCM under a key derived from the client''s.';
$roost_tables$ $roost_function$;
COMMENT ON FUNCTION roost_internal.tables_api() IS 'The text of sql/api/tables.sql, run by roost.install().';

-- Registration of routes.

CREATE FUNCTION roost_internal.cursor_id(cursor roost.cursor) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_api_cursor_id';
COMMENT ON FUNCTION roost_internal.cursor_id(roost.cursor) IS 'The number a cursor stands for. 22023 if it is none that roost gave out.';

CREATE FUNCTION roost_internal.in_extension_script() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_in_extension_script';
COMMENT ON FUNCTION roost_internal.in_extension_script() IS 'True while CREATE EXTENSION roost or ALTER EXTENSION roost UPDATE runs.';

CREATE FUNCTION roost_internal.route_function(function text) RETURNS regprocedure
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_found oid[];
BEGIN
	IF function LIKE '%(%' THEN
		v_found := ARRAY[pg_catalog.to_regprocedure(function)::oid];
	ELSE
		SELECT pg_catalog.array_agg(p.oid) INTO v_found
		FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		WHERE ARRAY[n.nspname, p.proname]::text[] = pg_catalog.parse_ident(function) AND p.prokind = 'f';
	END IF;
	IF v_found[1] IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '42883', MESSAGE = pg_catalog.format('function %s does not exist', function),
			HINT = 'Name it with its schema, for instance roost.version.';
	ELSIF pg_catalog.cardinality(v_found) > 1 THEN
		RAISE EXCEPTION USING ERRCODE = '42725', MESSAGE = pg_catalog.format('function %s is not unique', function),
			HINT = 'Add the argument types, for instance app.item_get(bigint).';
	END IF;
	RETURN v_found[1]::regprocedure;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.route_function(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.route_function(text) IS 'The function that a route names: schema-qualified, with argument types if the name alone is ambiguous. 42883 unknown, 42725 ambiguous.';

CREATE FUNCTION roost_internal.route_check(function regprocedure, path text) RETURNS void
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_context constant text[] := '{actor_id,session_id,device_id,client_address,user_agent}';
	v_proc record;
	v_arguments text[];
	v_name text;
BEGIN
	SELECT p.proargmodes, p.proargnames, p.pronargs, p.prokind, p.provariadic INTO v_proc
	FROM pg_catalog.pg_proc p WHERE p.oid = function;
	IF v_proc.prokind <> 'f' OR v_proc.provariadic <> 0 THEN
		RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = pg_catalog.format('%s cannot answer a route', function),
			HINT = 'It must be a plain function without a VARIADIC argument.';
	END IF;
	SELECT coalesce(pg_catalog.array_agg(v_proc.proargnames[i] ORDER BY i), '{}') INTO v_arguments
	FROM pg_catalog.generate_series(1, coalesce(pg_catalog.cardinality(v_proc.proargmodes), v_proc.pronargs)) i
	WHERE coalesce(v_proc.proargmodes[i], 'i') IN ('i', 'b');
	FOREACH v_name IN ARRAY v_arguments LOOP
		IF v_name IS NULL OR v_name !~ '^[a-z][a-z0-9_]*$' THEN
			RAISE EXCEPTION USING ERRCODE = '42P13', MESSAGE = pg_catalog.format('an argument of %s has no usable name', function),
				DETAIL = pg_catalog.format('Its name is "%s".', v_name),
				HINT = 'Arguments are bound by name: lower case letters, digits and underscores.';
		END IF;
	END LOOP;
	IF path !~ '^(/(:[a-z][a-z0-9_]*|[A-Za-z0-9._~-]*[A-Za-z0-9_~-][A-Za-z0-9._~-]*))+$' OR pg_catalog.length(path) > 256 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'path', MESSAGE = pg_catalog.format('invalid path "%s"', path),
			HINT = 'Segments are letters, digits, ".", "_", "~" and "-", or ":" and the name of an argument.';
	END IF;
	FOR v_name IN SELECT m[1] FROM pg_catalog.regexp_matches(path, ':([a-z0-9_]+)', 'g') m LOOP
		IF v_name <> ALL (v_arguments) OR v_name = ANY (v_context) THEN
			RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'path',
				MESSAGE = pg_catalog.format('path parameter ":%s" names no argument of %s that a caller may set', v_name, function);
		END IF;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.route_check(regprocedure, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.route_check(regprocedure, text) IS 'Raises an error unless the function can answer the path: usable argument names, a well-formed path, and a settable argument for every path parameter.';

CREATE FUNCTION roost_internal.route(
	method text,
	path text,
	function text,
	auth text DEFAULT 'user',
	limit_class text DEFAULT NULL,
	status integer DEFAULT 200,
	lane text DEFAULT NULL,
	cookies boolean DEFAULT false,
	sensitive boolean DEFAULT false,
	tags text[] DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_function regprocedure := roost_internal.route_function(route.function);
	v_name text;
	v_stable boolean;
	v_unique boolean;
BEGIN
	PERFORM roost_internal.route_check(v_function, route.path);
	SELECT pg_catalog.format('%I.%I', n.nspname, p.proname), p.provolatile <> 'v',
		NOT EXISTS (SELECT FROM pg_catalog.pg_proc o
			WHERE o.pronamespace = p.pronamespace AND o.proname = p.proname AND o.prokind = 'f' AND o.oid <> p.oid)
	INTO v_name, v_stable, v_unique
	FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
	WHERE p.oid = v_function;
	INSERT INTO roost_internal.route AS r
		(method, path, shape, function, auth, limit_class, status, lane, cookies, sensitive, builtin, tags)
	VALUES (
		pg_catalog.upper(route.method),
		route.path,
		pg_catalog.regexp_replace(route.path, ':[a-z0-9_]+', ':', 'g'),
		CASE WHEN v_unique THEN v_name ELSE v_function::text END,
		route.auth,
		coalesce(route.limit_class, 'default'),
		route.status,
		coalesce(route.lane, CASE WHEN v_stable THEN 'fast' ELSE 'write' END),
		route.cookies,
		route.sensitive,
		roost_internal.in_extension_script(),
		coalesce(route.tags, ARRAY[pg_catalog.split_part(route.path, '/', 2)]))
	ON CONFLICT ON CONSTRAINT route_pkey DO UPDATE
	SET path = excluded.path, function = excluded.function, auth = excluded.auth, limit_class = excluded.limit_class,
		status = excluded.status, lane = excluded.lane, cookies = excluded.cookies, sensitive = excluded.sensitive, tags = excluded.tags;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.route(text, text, text, text, text, integer, text, boolean, boolean, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.route(text, text, text, text, text, integer, text, boolean, boolean, text[]) IS 'Lets a function answer an HTTP method and path, or changes how it does; used by roost itself under each function. Callers use roost.route_add(), which has the same arguments.';

CREATE FUNCTION roost.route_add(
	method text,
	path text,
	function text,
	auth text DEFAULT 'user',
	limit_class text DEFAULT NULL,
	status integer DEFAULT 200,
	lane text DEFAULT NULL,
	cookies boolean DEFAULT false,
	sensitive boolean DEFAULT false,
	tags text[] DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT pg_catalog.has_function_privilege(session_user, roost_internal.route_function(route_add.function)::oid, 'EXECUTE') THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = pg_catalog.format('permission denied for function %s', route_add.function);
	END IF;
	PERFORM roost_internal.route(route_add.method, route_add.path, route_add.function, route_add.auth, route_add.limit_class,
		route_add.status, route_add.lane, route_add.cookies, route_add.sensitive, route_add.tags);
END
$$;
REVOKE ALL ON FUNCTION roost.route_add(text, text, text, text, text, integer, text, boolean, boolean, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.route_add(text, text, text, text, text, integer, text, boolean, boolean, text[]) IS
'Lets your own function answer an HTTP method and path, or changes how it does. function: schema-qualified, with argument types if the name alone is ambiguous. path: segments, ":name" binds the argument of that name. auth: none (a token is ignored), optional, user. limit_class: rate limit policies to count against, "none" for no limit (default "default"). status: of a success. lane: fast, write or slow (default fast if the function is STABLE, else write). cookies: the result holds tokens that clients may take as cookies. sensitive: the result holds secrets. The route is part of a dump and wins over a built-in one of the same method and path. 42883 no such function, 42725 ambiguous name, 22023 bad path, 42501 you may not execute the function.';

CREATE FUNCTION roost.route_remove(method text, path text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM roost_internal.route r
		WHERE r.method = pg_catalog.upper($1) AND r.shape = pg_catalog.regexp_replace($2, ':[a-z0-9_]+', ':', 'g') AND NOT r.builtin
		RETURNING 1)
	SELECT EXISTS (SELECT FROM gone)
$$;
REVOKE ALL ON FUNCTION roost.route_remove(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.route_remove(text, text) IS 'Takes away a route made by roost.route_add(). True if there was one. Built-in routes stay.';

CREATE FUNCTION roost_internal.route_drop(method text, path text) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_internal.route r
	WHERE r.method = $1 AND r.shape = pg_catalog.regexp_replace($2, ':[a-z0-9_]+', ':', 'g') AND r.builtin
$$;
REVOKE ALL ON FUNCTION roost_internal.route_drop(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.route_drop(text, text) IS 'Takes away a built-in route; for update scripts.';

CREATE FUNCTION roost_internal.to_json(value anyelement) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_json_to_json';
REVOKE ALL ON FUNCTION roost_internal.to_json(anyelement) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.to_json(anyelement) IS 'A value as it stands in an HTTP answer: composites as objects, roost.id as decimal strings, timestamps in RFC 3339 in UTC with milliseconds.';

-- Generated from extension/errcodes.txt by scripts/generate-errcodes; do not edit.

CREATE FUNCTION roost.error_codes()
RETURNS TABLE (sqlstate text, code text, status integer, title text, explanation text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES
		('RO400', 'malformed_request', 400, 'Malformed request', 'The path or query string cannot be read: a bad percent escape, invalid UTF-8, a control character or a ".." segment.'),
		('RO404', 'route_not_found', 404, 'No such route', 'Nothing answers this path.'),
		('RO405', 'method_not_allowed', 405, 'Method not allowed', 'The path exists but not for this method; the header Allow lists the methods it has.'),
		('RO408', 'request_timeout', 408, 'Request timeout', 'The request did not arrive in time.'),
		('RO413', 'body_too_large', 413, 'Body too large', 'The body is longer than the server takes.'),
		('RO414', 'uri_too_long', 414, 'URI too long', 'The request line is longer than the server takes.'),
		('RO415', 'unsupported_media_type', 415, 'Unsupported media type', 'The body must be JSON, with Content-Type: application/json.'),
		('RO417', 'expectation_failed', 417, 'Expectation failed', 'The header Expect asks for something that is not offered.'),
		('RO431', 'headers_too_large', 431, 'Headers too large', 'The request line and headers are longer than the server takes.'),
		('RO501', 'not_implemented', 501, 'Not implemented', 'The method or transfer coding is not known.'),
		('RO505', 'version_not_supported', 505, 'HTTP version not supported', 'The request is of a version of HTTP that is not spoken.'),
		('ROJSN', 'malformed_json', 400, 'Malformed JSON', 'The body is not JSON, or is nested too deeply.'),
		('RODUP', 'duplicate_field', 422, 'Duplicate field', 'A field is given more than once.'),
		('ROMIS', 'missing_field', 422, 'Missing field', 'A required field is not given.'),
		('ROTYP', 'wrong_type', 422, 'Wrong type', 'A field holds another type of JSON value than the one it takes.'),
		('ROUNK', 'unknown_field', 422, 'Unknown field', 'A field does not belong to this operation.'),
		('22001', 'value_too_long', 422, 'Value too long', 'A text is longer than allowed.'),
		('22003', 'out_of_range', 422, 'Out of range', 'A number is too large or too small.'),
		('22007', 'invalid_time', 422, 'Invalid time', 'A date or time cannot be read.'),
		('22008', 'invalid_time', 422, 'Invalid time', 'A date or time is out of range.'),
		('22021', 'invalid_encoding', 422, 'Invalid encoding', 'A text is not valid UTF-8.'),
		('22023', 'invalid_value', 422, 'Invalid value', 'A value is not among those allowed.'),
		('22P02', 'invalid_syntax', 422, 'Invalid syntax', 'A value cannot be read as the type it should have.'),
		('22P05', 'invalid_character', 422, 'Invalid character', 'A text holds a character that cannot be stored, such as NUL.'),
		('22***', 'invalid_value', 422, 'Invalid value', 'A value cannot be used.'),
		('23502', 'missing_value', 422, 'Missing value', 'A value that must not be null is null.'),
		('23503', 'invalid_reference', 422, 'Invalid reference', 'A value refers to something that does not exist.'),
		('23505', 'already_exists', 409, 'Already exists', 'The value is taken.'),
		('23514', 'rule_violated', 422, 'Rule violated', 'A value breaks a rule.'),
		('23P01', 'conflict', 409, 'Conflict', 'The value conflicts with an existing one.'),
		('23***', 'rule_violated', 422, 'Rule violated', 'A value breaks a rule.'),
		('44000', 'rule_violated', 422, 'Rule violated', 'A value breaks a rule.'),
		('54000', 'too_large', 413, 'Too large', 'More than one operation can take.'),
		('28000', 'not_authenticated', 401, 'Not authenticated', 'The credentials are not valid.'),
		('28P01', 'not_authenticated', 401, 'Not authenticated', 'The credentials are not valid.'),
		('42501', 'not_allowed', 403, 'Not allowed', 'The account may not do this.'),
		('RO401', 'token_required', 401, 'Token required', 'The operation needs an access token and none was sent.'),
		('ROCSR', 'csrf_failed', 403, 'CSRF check failed', 'A request with cookies must repeat the cookie roost_csrf in the header X-CSRF-Token.'),
		('ROTOK', 'invalid_token', 401, 'Invalid token', 'The access token is malformed, expired, revoked or not of this server.'),
		('55000', 'wrong_state', 409, 'Wrong state', 'The object is not in a state that allows this.'),
		('55006', 'wrong_state', 409, 'In use', 'The object is in use.'),
		('55***', 'wrong_state', 409, 'Wrong state', 'The object is not in a state that allows this.'),
		('P0001', 'rejected', 422, 'Rejected', 'The operation was rejected.'),
		('P0002', 'not_found', 404, 'Not found', 'The object does not exist, or the account may not see it.'),
		('RO409', 'idempotency_key_reused', 409, 'Idempotency key reused', 'The Idempotency-Key was used before with another request.'),
		('53400', 'limit_reached', 429, 'Limit reached', 'A limit on the number of such objects or actions is reached.'),
		('RO429', 'too_many_requests', 429, 'Too many requests', 'The rate limit is used up; the header Retry-After says when to try again.'),
		('08***', 'unavailable', 503, 'Unavailable', 'The database cannot be reached; try again.'),
		('25006', 'read_only', 503, 'Read only', 'This server only reads at the moment; try again.'),
		('40***', 'busy', 503, 'Busy', 'The operation met another one at the same time and was undone; try again.'),
		('53***', 'overloaded', 503, 'Overloaded', 'The server is out of a resource; try again later.'),
		('55P03', 'busy', 503, 'Busy', 'The object is locked by another operation; try again.'),
		('57014', 'timeout', 504, 'Timeout', 'The operation took too long and was undone.'),
		('57***', 'unavailable', 503, 'Unavailable', 'The server is starting or stopping; try again.'),
		('RO503', 'overloaded', 503, 'Overloaded', 'Too many requests are waiting; try again.'),
		('0A000', 'not_supported', 501, 'Not supported', 'The server does not offer this.'),
		('XX***', 'internal_error', 500, 'Internal error', 'Something went wrong inside the server; the details are in its log.')
$$;
COMMENT ON FUNCTION roost.error_codes() IS 'Every error of roost: SQLSTATE ("***" for the rest of its class), the code and HTTP status it has in application/problem+json, title and explanation.';

-- Requests.

CREATE FUNCTION roost_internal.route_changed() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'roost_api_route_changed';
COMMENT ON FUNCTION roost_internal.route_changed() IS 'Trigger on roost_internal.route: every backend reads the routes again.';

CREATE OR REPLACE TRIGGER route_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON roost_internal.route
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.route_changed();

CREATE FUNCTION roost.handle(method text, path text, query text, headers text, body text, client_address text) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_handle';
REVOKE ALL ON FUNCTION roost.handle(text, text, text, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.handle(text, text, text, text, text, text) IS
'Answers one HTTP request: finds the route, checks the access token and the rate limit, binds path, query and body to the arguments of the route''s function, calls it and writes its result as JSON. path: with or without the base path, still percent-encoded; query: the raw query string without "?"; headers: lines "name: value" with lower-case names; body: the raw body or NULL; client_address: who sent it. Returns the status, header lines "Name: value", an empty line and the body. Errors are PostgreSQL errors whose context holds lines "roost-header: Name: value"; roost.error_codes() gives their HTTP status.';

CREATE FUNCTION roost.request_header(name text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_request_header';
COMMENT ON FUNCTION roost.request_header(text) IS 'A header of the HTTP request that is being answered; NULL if it was not sent or outside a request. Of all headers a client may send, only those in roost.gateway_config() arrive; Authorization and Cookie are never told.';

CREATE FUNCTION roost.response_header(name text, value text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_response_header';
COMMENT ON FUNCTION roost.response_header(text, text) IS 'Adds a header to the answer to the HTTP request, also if it becomes an error; does nothing outside a request. 22023 if name or value cannot stand in a header.';

CREATE FUNCTION roost.response_status(status integer) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_response_status';
COMMENT ON FUNCTION roost.response_status(integer) IS 'Sets the HTTP status of the answer, 200 to 399 but not 304; failures are errors. Does nothing outside a request. 22023 for any other status.';

CREATE FUNCTION roost.gateway_config() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH route AS (
		SELECT DISTINCT ON (r.method, r.shape) r.method, r.path, r.lane, r.sensitive, r.method = 'GET' AND p.provolatile <> 'v' AS standby
		FROM roost_internal.route r
		LEFT JOIN pg_catalog.pg_proc p ON p.oid = CASE WHEN r.function LIKE '%(%'
			THEN pg_catalog.to_regprocedure(r.function)::oid ELSE pg_catalog.to_regproc(r.function)::oid END
		ORDER BY r.method, r.shape, r.builtin
	), config AS (
		SELECT pg_catalog.jsonb_build_object(
			'base_path', pg_catalog.current_setting('roost.api_base_path'),
			'headers', '["accept-language", "authorization", "content-type", "cookie", "host", "idempotency-key", "if-none-match", "user-agent", "x-csrf-token", "x-forwarded-proto", "x-request-id", "x-roost-cookies"]'::jsonb,
			'routes', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
				'method', route.method, 'path', route.path, 'lane', route.lane, 'sensitive', route.sensitive, 'standby', coalesce(route.standby, false))
				ORDER BY route.path, route.method) FROM route)) AS config
	)
	SELECT pg_catalog.jsonb_build_object('version', pg_catalog.md5(config::text)) || config FROM config
$$;
REVOKE ALL ON FUNCTION roost.gateway_config() FROM PUBLIC;
COMMENT ON FUNCTION roost.gateway_config() IS
'What a gateway must know: {"version", "base_path", "headers": names of the request headers to forward, "routes": [{"method", "path", "lane", "sensitive": the answer holds secrets (it is not compressed), "standby": may run on a hot standby}]}. version changes with any of it.';

-- Idempotency keys; kept and replayed in C (extension/api/idempotency.c).

CREATE FUNCTION roost_internal.api_maintenance() RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM roost_data.idempotency_key k WHERE k.created_at < now() - interval '24 hours' RETURNING 1)
	SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION roost_internal.api_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.api_maintenance() IS 'Deletes idempotency keys older than 24 hours. Returns how many.';

CREATE FUNCTION roost_internal.api_account_delete(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_data.idempotency_key k WHERE k.owner = 'account:' || $1
$$;
REVOKE ALL ON FUNCTION roost_internal.api_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.api_account_delete(bigint) IS 'Forgets the answers that were kept for an account.';

-- The description of the HTTP interface, made of routes, signatures, types and
-- comments.

CREATE FUNCTION roost_internal.schema_name(type oid) RETURNS text
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT regexp_replace(CASE n.nspname WHEN 'roost' THEN '' ELSE n.nspname || '.' END || t.typname, '[^A-Za-z0-9._-]', '-', 'g')
	FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = $1
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_name(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_name(oid) IS 'The name of a type among the components of roost.openapi().';

CREATE FUNCTION roost_internal.schema_ref(type oid) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_type pg_type;
BEGIN
	SELECT t.* INTO v_type FROM pg_type t WHERE t.oid = type;
	IF v_type.typtype IN ('d', 'e', 'c') THEN
		RETURN jsonb_build_object('$ref', '#/components/schemas/' || roost_internal.schema_name(type));
	ELSIF v_type.typelem <> 0 AND v_type.typlen = -1 THEN
		RETURN jsonb_build_object('type', 'array', 'items', roost_internal.schema_ref(v_type.typelem));
	END IF;
	RETURN CASE v_type.typname
		WHEN 'bool' THEN '{"type": "boolean"}'
		WHEN 'int2' THEN '{"type": "integer", "format": "int32"}'
		WHEN 'int4' THEN '{"type": "integer", "format": "int32"}'
		WHEN 'int8' THEN '{"type": "integer", "format": "int64"}'
		WHEN 'float4' THEN '{"type": "number"}'
		WHEN 'float8' THEN '{"type": "number"}'
		WHEN 'numeric' THEN '{"type": "number"}'
		WHEN 'json' THEN '{}'
		WHEN 'jsonb' THEN '{}'
		WHEN 'timestamptz' THEN '{"type": "string", "format": "date-time"}'
		WHEN 'date' THEN '{"type": "string", "format": "date"}'
		WHEN 'uuid' THEN '{"type": "string", "format": "uuid"}'
		WHEN 'bytea' THEN '{"type": "string", "contentEncoding": "base64url"}'
		WHEN 'record' THEN '{"type": "object"}'
		ELSE '{"type": "string"}'
	END::jsonb;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_ref(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_ref(oid) IS 'A JSON Schema for values of a type; of domains, enums and composites a reference to the component.';

CREATE FUNCTION roost_internal.schema_nullable(schema jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN $1 ? '$ref' THEN jsonb_build_object('anyOf', jsonb_build_array($1, '{"type": "null"}'::jsonb))
		WHEN $1 ? 'type' THEN $1 || jsonb_build_object('type', jsonb_build_array($1->'type', 'null'))
		ELSE $1
	END
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_nullable(jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_nullable(jsonb) IS 'A JSON Schema that also allows null.';

CREATE FUNCTION roost_internal.schema_domain(type oid) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_schema jsonb;
	v_check text;
	v_match text[];
BEGIN
	IF type = 'roost.id'::regtype THEN
		RETURN '{"type": "string", "pattern": "^[0-9]{1,19}$", "examples": ["117653765206245835"]}';
	END IF;
	SELECT roost_internal.schema_ref(t.typbasetype) INTO v_schema FROM pg_type t WHERE t.oid = type;
	FOR v_check IN SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE c.contypid = type AND c.contype = 'c' LOOP
		-- only what holds in every case may be said
		CONTINUE WHEN v_check ~ '\m(OR|CASE|NOT)\M';
		v_match := regexp_match(v_check, '(?:char|character|octet)?_?length\(\(?VALUE\)?(?:::text)?\) <= (\d+)');
		IF v_match IS NOT NULL THEN
			v_schema := v_schema || jsonb_build_object('maxLength', v_match[1]::integer);
		END IF;
		v_match := regexp_match(v_check, '(?:char|character)?_?length\(\(?VALUE\)?(?:::text)?\) >= (\d+)');
		IF v_match IS NOT NULL AND v_check !~ 'octet_length' THEN
			v_schema := v_schema || jsonb_build_object('minLength', v_match[1]::integer);
		END IF;
		v_match := regexp_match(v_check, '\(VALUE >= (-?\d+)\)');
		IF v_match IS NOT NULL THEN
			v_schema := v_schema || jsonb_build_object('minimum', v_match[1]::numeric);
		END IF;
		v_match := regexp_match(v_check, '\(VALUE <= (-?\d+)\)');
		IF v_match IS NOT NULL THEN
			v_schema := v_schema || jsonb_build_object('maximum', v_match[1]::numeric);
		END IF;
		v_match := regexp_match(v_check, 'VALUE(?: COLLATE "C")?\)? ~ ''((?:[^'']|'''')+)''');
		IF v_match IS NOT NULL AND v_match[1] !~ '\\[mMyYAZ]|\[:|\(\?' THEN
			v_schema := v_schema || jsonb_build_object('pattern', replace(v_match[1], '''''', ''''));
		END IF;
	END LOOP;
	RETURN v_schema;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_domain(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_domain(oid) IS 'A JSON Schema for a domain: its base type with the lengths, bounds and pattern that its CHECK constraints plainly state.';

CREATE FUNCTION roost_internal.schema_component(type oid) RETURNS jsonb
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE t.typtype
		WHEN 'd' THEN roost_internal.schema_domain(t.oid)
		WHEN 'e' THEN jsonb_build_object('type', 'string', 'enum',
			(SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
		ELSE (SELECT jsonb_build_object('type', 'object', 'required', jsonb_agg(a.attname ORDER BY a.attnum),
				'properties', jsonb_object_agg(a.attname, CASE a.attname
					WHEN 'id' THEN roost_internal.schema_ref(a.atttypid)
					ELSE roost_internal.schema_nullable(roost_internal.schema_ref(a.atttypid)) END))
			FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'cursor')
	END || jsonb_strip_nulls(jsonb_build_object('description', obj_description(t.oid, 'pg_type')))
	FROM pg_type t WHERE t.oid = $1
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_component(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_component(oid) IS 'The JSON Schema of a domain, enum or composite, with its comment as the description.';

CREATE FUNCTION roost_internal.openapi_route() RETURNS TABLE (
	method text, path text, shape text, function oid, auth text, status integer, tags text[], operation_id text, params text[], names text[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH route AS (
		SELECT DISTINCT ON (r.method, r.shape) r.*,
			CASE WHEN r.function LIKE '%(%' THEN to_regprocedure(r.function)::oid ELSE to_regproc(r.function)::oid END AS proc,
			ARRAY(SELECT m[1] FROM regexp_matches(r.path, ':([a-z0-9_]+)', 'g') m) AS params
		FROM roost_internal.route r
		ORDER BY r.method, r.shape, r.builtin
	), path AS (
		-- one spelling for all methods of a path
		SELECT DISTINCT ON (r.shape) r.shape, r.path, r.params AS names FROM route r ORDER BY r.shape, r.method
	)
	SELECT r.method, regexp_replace(p.path, ':([a-z0-9_]+)', '{\1}', 'g'), r.shape, r.proc, r.auth, r.status, r.tags,
		CASE count(*) OVER (PARTITION BY f.proname) WHEN 1 THEN f.proname
			ELSE f.proname || '_' || row_number() OVER (PARTITION BY f.proname ORDER BY r.path, r.method) END,
		r.params, p.names
	FROM route r JOIN path p USING (shape) JOIN pg_proc f ON f.oid = r.proc
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_route() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_route() IS 'The routes as roost.openapi() shows them: params are the arguments of the path, names what the path calls them.';

CREATE FUNCTION roost_internal.openapi_argument(function oid) RETURNS TABLE (
	name text, type oid, required boolean, schema jsonb, number bigint)
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.name, a.type, a.number <= p.pronargs - p.pronargdefaults,
		roost_internal.schema_ref(a.type)
			|| CASE WHEN a.name = 'limit' AND p.proretset
				THEN jsonb_build_object('minimum', 1, 'maximum', current_setting('roost.api_page_limit_max')::integer) ELSE '{}' END
			|| CASE WHEN a.standard ~ '^(-?\d{1,9}|true|false)$' THEN jsonb_build_object('default', a.standard::jsonb)
				WHEN a.standard ~ '^''[^'']+''::' THEN jsonb_build_object('default', split_part(a.standard, '''', 2))
				ELSE '{}' END,
		a.number
	FROM pg_proc p,
		LATERAL (
			SELECT u.name, t.type, row_number() OVER (ORDER BY t.ordinality) AS number,
				pg_get_function_arg_default(p.oid, t.ordinality::integer) AS standard
			FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY t(type, ordinality)
			JOIN unnest(p.proargnames) WITH ORDINALITY u(name, ordinality) USING (ordinality)
			WHERE coalesce(p.proargmodes[t.ordinality], 'i') IN ('i', 'b')) a
	WHERE p.oid = $1 AND a.name NOT IN ('actor_id', 'session_id', 'device_id', 'client_address', 'user_agent')
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_argument(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_argument(oid) IS 'The arguments of a function that callers may set over HTTP.';

CREATE FUNCTION roost_internal.openapi_result(function oid) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_proc pg_proc;
	v_row jsonb;
BEGIN
	SELECT p.* INTO v_proc FROM pg_proc p WHERE p.oid = function;
	IF v_proc.prorettype = 'void'::regtype THEN
		RETURN NULL;
	END IF;
	SELECT CASE WHEN v_proc.prorettype = 'record'::regtype AND count(*) > 0
		THEN jsonb_build_object('type', 'object', 'required', jsonb_agg(n.name ORDER BY t.ordinality), 'properties',
			jsonb_object_agg(n.name, CASE n.name WHEN 'id' THEN roost_internal.schema_ref(t.type)
				ELSE roost_internal.schema_nullable(roost_internal.schema_ref(t.type)) END))
		ELSE roost_internal.schema_ref(v_proc.prorettype) END
	INTO v_row
	FROM unnest(v_proc.proallargtypes) WITH ORDINALITY t(type, ordinality)
	JOIN unnest(v_proc.proargnames) WITH ORDINALITY n(name, ordinality) USING (ordinality)
	WHERE v_proc.proargmodes[t.ordinality] IN ('o', 'b', 't') AND n.name <> 'cursor';
	IF NOT v_proc.proretset THEN
		RETURN v_row;
	ELSIF EXISTS (SELECT FROM roost_internal.openapi_argument(function) a WHERE a.name = 'limit') THEN
		RETURN jsonb_build_object('type', 'object', 'required', '["items", "next"]'::jsonb, 'properties', jsonb_build_object(
			'items', jsonb_build_object('type', 'array', 'items', v_row),
			'next', '{"type": ["string", "null"], "description": "Value of \"before\" for the next page; null at the end."}'::jsonb));
	END IF;
	RETURN jsonb_build_object('type', 'object', 'required', '["items"]'::jsonb, 'properties', jsonb_build_object(
		'items', jsonb_build_object('type', 'array', 'items', v_row)));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_result(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_result(oid) IS 'The JSON Schema of what a function answers over HTTP; NULL if nothing.';

CREATE FUNCTION roost_internal.openapi_parameters(method text, function oid, params text[], names text[]) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(p.parameter ORDER BY p.place, p.number), '[]') FROM (
		SELECT 1 AS place, array_position($3, a.name)::bigint AS number, jsonb_build_object('name', $4[array_position($3, a.name)], 'in', 'path',
			'required', true, 'schema', a.schema) AS parameter
		FROM roost_internal.openapi_argument($2) a WHERE a.name = ANY ($3)
		UNION ALL
		SELECT 2, a.number, jsonb_build_object('name', a.name, 'in', 'query', 'required', a.required, 'schema', a.schema)
			|| CASE WHEN a.schema->>'type' = 'array' THEN '{"style": "form", "explode": false}'::jsonb ELSE '{}' END
		FROM roost_internal.openapi_argument($2) a WHERE a.name <> ALL ($3) AND $1 = 'GET'
		UNION ALL
		SELECT 3, 1, '{"$ref": "#/components/parameters/IdempotencyKey"}'::jsonb WHERE $1 <> 'GET'
		UNION ALL
		SELECT 3, 2, '{"$ref": "#/components/parameters/IfNoneMatch"}'::jsonb WHERE $1 = 'GET') p
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_parameters(text, oid, text[], text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_parameters(text, oid, text[], text[]) IS 'The parameters of an operation: those of the path, of the query string (GET) and of the headers.';

CREATE FUNCTION roost_internal.openapi_body(function oid, params text[]) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('required', bool_or(a.required), 'content', jsonb_build_object('application/json', jsonb_build_object('schema',
		jsonb_build_object('type', 'object', 'additionalProperties', false,
			'properties', jsonb_object_agg(a.name, CASE WHEN a.required THEN a.schema ELSE roost_internal.schema_nullable(a.schema) END))
		|| jsonb_strip_nulls(jsonb_build_object('required', jsonb_agg(a.name ORDER BY a.number) FILTER (WHERE a.required))))))
	FROM roost_internal.openapi_argument($1) a
	WHERE a.name <> ALL ($2)
	HAVING count(*) > 0
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_body(oid, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_body(oid, text[]) IS 'The request body of an operation; NULL if it takes none.';

CREATE FUNCTION roost_internal.openapi_operation(method text, function oid, auth text, status integer, tags text[], operation_id text, params text[], names text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_comment text := coalesce(obj_description(function, 'pg_proc'), operation_id);
	v_result jsonb := roost_internal.openapi_result(function);
	v_success jsonb;
	v_headers jsonb := '{"RateLimit-Limit": {"$ref": "#/components/headers/RateLimit-Limit"}, "RateLimit-Remaining": {"$ref": "#/components/headers/RateLimit-Remaining"}, "RateLimit-Reset": {"$ref": "#/components/headers/RateLimit-Reset"}}';
	v_body jsonb := CASE WHEN method <> 'GET' THEN roost_internal.openapi_body(function, params) END;
BEGIN
	IF method = 'GET' THEN
		v_headers := v_headers || '{"ETag": {"$ref": "#/components/headers/ETag"}}';
	END IF;
	IF v_result->'properties' ? 'next' THEN
		v_headers := v_headers || '{"Link": {"$ref": "#/components/headers/Link"}}';
	END IF;
	v_success := jsonb_build_object('description', CASE WHEN v_result IS NULL THEN 'Done.' ELSE 'The result.' END, 'headers', v_headers);
	IF v_result IS NOT NULL THEN
		v_success := v_success || jsonb_build_object('content', jsonb_build_object('application/json', jsonb_build_object('schema', v_result)));
	END IF;
	RETURN jsonb_strip_nulls(jsonb_build_object(
		'operationId', operation_id,
		'summary', rtrim((regexp_match(v_comment, '^(?:[^.:;(]|\.(?! |$))+'))[1], ' ,'),
		'description', v_comment,
		'tags', to_jsonb(tags),
		'security', CASE auth WHEN 'none' THEN '[]'::jsonb
			WHEN 'optional' THEN '[{}, {"bearer": []}, {"cookie": []}]'::jsonb
			ELSE '[{"bearer": []}, {"cookie": []}]'::jsonb END,
		'parameters', roost_internal.openapi_parameters(method, function, params, names),
		'responses', jsonb_build_object(CASE WHEN v_result IS NULL AND status = 200 THEN '204' ELSE status::text END, v_success)
			|| CASE WHEN method = 'GET' THEN '{"304": {"description": "Not changed since the answer with the given ETag."}}'::jsonb ELSE '{}' END
			|| '{"4XX": {"$ref": "#/components/responses/Problem"}, "5XX": {"$ref": "#/components/responses/Problem"}}',
		'requestBody', v_body));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_operation(text, oid, text, integer, text[], text, text[], text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_operation(text, oid, text, integer, text[], text, text[], text[]) IS 'One operation of roost.openapi().';

CREATE FUNCTION roost_internal.openapi_schemas() RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE used(type) AS (
		SELECT u.type
		FROM roost_internal.openapi_route() r JOIN pg_proc p ON p.oid = r.function,
			LATERAL (
				SELECT a.type FROM roost_internal.openapi_argument(p.oid) a
				UNION ALL SELECT p.prorettype
				UNION ALL SELECT t.type FROM unnest(p.proallargtypes, p.proargmodes) t(type, mode) WHERE t.mode IN ('o', 'b', 't')) u(type)
		UNION
		SELECT n.type
		FROM used u JOIN pg_type t ON t.oid = u.type,
			LATERAL (
				SELECT t.typelem WHERE t.typelem <> 0 AND t.typlen = -1
				UNION ALL SELECT t.typbasetype WHERE t.typtype = 'd'
				UNION ALL SELECT a.atttypid FROM pg_attribute a
					WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'cursor') n(type)
	)
	SELECT coalesce(jsonb_object_agg(roost_internal.schema_name(t.oid), roost_internal.schema_component(t.oid)), '{}')
	FROM used u JOIN pg_type t ON t.oid = u.type WHERE t.typtype IN ('d', 'e', 'c')
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_schemas() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_schemas() IS 'The schemas of all types that routes use.';

CREATE FUNCTION roost_internal.openapi_components() RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'securitySchemes', '{
			"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "The access_token of a login."},
			"cookie": {"type": "apiKey", "in": "cookie", "name": "roost_access", "description": "Set by a login with the header X-Roost-Cookies: 1. Requests that change something then need the header X-CSRF-Token with the value of the cookie roost_csrf."}}'::jsonb,
		'parameters', '{
			"IdempotencyKey": {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 255}, "description": "A random UUID. The same request with the same key gets the first answer again, for 24 hours."},
			"IfNoneMatch": {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "description": "The ETag of an earlier answer; 304 if it still holds."}}'::jsonb,
		'headers', '{
			"RateLimit-Limit": {"description": "Requests per period of the limit nearest to its end.", "schema": {"type": "integer"}},
			"RateLimit-Remaining": {"description": "Requests left of it.", "schema": {"type": "integer"}},
			"RateLimit-Reset": {"description": "Seconds until all of them are back.", "schema": {"type": "integer"}},
			"ETag": {"description": "Changes with the body.", "schema": {"type": "string"}},
			"Link": {"description": "Addresses of the next (older) and the previous (newer) page.", "schema": {"type": "string"}}}'::jsonb,
		'responses', '{
			"Problem": {"description": "An error, see /errors.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}}}'::jsonb,
		'schemas', roost_internal.openapi_schemas() || '{
			"problem": {"type": "object", "description": "An error (RFC 9457).", "required": ["title", "status", "code"], "properties": {
				"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
				"code": {"type": "string", "description": "For programs; see /errors."},
				"detail": {"type": "string"}, "field": {"type": "string", "description": "The field that is wrong."}, "hint": {"type": "string"}}}}'::jsonb)
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_components() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_components() IS 'The components of roost.openapi().';

CREATE FUNCTION roost.openapi() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'openapi', '3.1.0',
		'info', jsonb_build_object('title', 'roost', 'version', roost.version(), 'license', '{"name": "PostgreSQL License", "identifier": "PostgreSQL"}'::jsonb,
			'description', 'Every operation is a SQL function; this description is made of their signatures and comments.'),
		'servers', jsonb_build_array(jsonb_build_object('url', coalesce(nullif(current_setting('roost.api_base_path'), ''), '/'))),
		'tags', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', t.tag, 'description', 'Operations under /' || t.tag || '.') ORDER BY t.tag), '[]')
			FROM (SELECT DISTINCT unnest(r.tags) AS tag FROM roost_internal.openapi_route() r) t),
		'paths', (SELECT coalesce(jsonb_object_agg(p.path, p.operations), '{}') FROM (
			SELECT r.path, jsonb_object_agg(lower(r.method),
				roost_internal.openapi_operation(r.method, r.function, r.auth, r.status, r.tags, r.operation_id, r.params, r.names)) AS operations
			FROM roost_internal.openapi_route() r GROUP BY r.path) p),
		'components', roost_internal.openapi_components())
$$;
REVOKE ALL ON FUNCTION roost.openapi() FROM PUBLIC;
COMMENT ON FUNCTION roost.openapi() IS 'The description of the HTTP interface in OpenAPI 3.1, made of routes, signatures, types and comments; your own routes are in it, too.';
SELECT roost_internal.route('GET', '/openapi.json', 'roost.openapi', auth => 'none', lane => 'slow');

SELECT roost_internal.route('GET', '/errors', 'roost.error_codes', auth => 'none');

-- Is everything well?

CREATE FUNCTION roost.health() RETURNS roost.health
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN w.state IN ('running', 'standby') AND w.lag < 60 THEN 'ok' ELSE 'degraded' END,
		roost.version(), w.state, pg_catalog.round(w.lag::numeric, 3), w.standby
	FROM roost_internal.worker_stat() w
$$;
COMMENT ON FUNCTION roost.health() IS 'Whether the service is well: status is ok, or degraded when the background worker does not run or is a minute behind (requests are still answered). Cheap, reads no table.';
SELECT roost_internal.route('GET', '/health', 'roost.health', auth => 'none', limit_class => 'none');

-- Types of the limit module.

CREATE TYPE roost.limit_state AS (allowed boolean, "limit" bigint, remaining bigint, reset bigint, retry_after bigint);
COMMENT ON TYPE roost.limit_state IS 'How things stand with the policy that is nearest to its end: allowed, limit (units at once; 0 if no policy applied), remaining (units left), reset (seconds until all are back), retry_after (seconds until it is worth trying again, 0 if allowed).';

CREATE FUNCTION roost_internal.tables_limit() RETURNS text LANGUAGE sql IMMUTABLE AS $roost_function$ SELECT $roost_tables$
-- Tables of the limit module.

CREATE TABLE IF NOT EXISTS roost_data.limit_policy (
	class text COLLATE "C" NOT NULL CHECK (class ~ '^[a-z][a-z0-9_]{0,62}$' AND class <> 'none'),
	name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
	"limit" integer NOT NULL CHECK ("limit" BETWEEN 1 AND 1000000),
	period interval NOT NULL CHECK (period BETWEEN interval '1 millisecond' AND interval '366 days'),
	burst integer NOT NULL CHECK (burst BETWEEN 1 AND 1000000),
	key text COLLATE "C" NOT NULL CHECK (key IN ('account', 'address', 'account_or_address', 'target')),
	enabled boolean NOT NULL DEFAULT true,
	CHECK (period * burst / "limit" <= interval '3660 days'),
	PRIMARY KEY (class, name)
);
COMMENT ON TABLE roost_data.limit_policy IS 'Rate limits: of each class, "limit" units a period, burst of them at once, counted by account, address (of IPv6 the /64), account_or_address (the address of those who are not logged in) or target (what the request is about). To drop a built-in policy set enabled to false: roost.install() adds missing ones.';

CREATE OR REPLACE TRIGGER limit_policy_changed AFTER INSERT OR UPDATE OR DELETE ON roost_data.limit_policy
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.relation_changed();

INSERT INTO roost_data.limit_policy (class, name, "limit", period, burst, key) VALUES
	('default', 'second', 5, '1 second', 10, 'account_or_address'),
	('default', 'five_minutes', 300, '5 minutes', 300, 'account_or_address'),
	('login', 'address', 30, '5 minutes', 30, 'address'),
	('login', 'target', 10, '5 minutes', 10, 'target'),
	('register', 'address', 30, '30 minutes', 30, 'address'),
	('refresh', 'address', 150, '5 minutes', 150, 'address'),
	('password', 'account_or_address', 10, '1 hour', 10, 'account_or_address'),
	('password', 'target', 5, '1 hour', 5, 'target'),
	('mail', 'address', 20, '1 hour', 20, 'address'),
	('mail', 'target', 5, '1 hour', 5, 'target'),
	('export', 'account', 2, '1 day', 2, 'account'),
	('write', 'account', 150, '5 minutes', 150, 'account_or_address'),
	('post', 'account', 300, '3 hours', 300, 'account'),
	('delete', 'account', 60, '30 minutes', 60, 'account'),
	('follow', 'account', 400, '1 day', 200, 'account'),
	('like', 'account', 1000, '1 day', 500, 'account'),
	('message', 'account', 60, '1 minute', 60, 'account'),
	('upload', 'account', 30, '30 minutes', 30, 'account'),
	('search', 'account', 60, '1 minute', 60, 'account_or_address')
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS roost_data.limit_exemption (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account_id bigint UNIQUE,
	network cidr UNIQUE,
	reason text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	CHECK (num_nonnulls(account_id, network) = 1)
);
COMMENT ON TABLE roost_data.limit_exemption IS 'Accounts and networks to which no rate limit applies, and why.';

CREATE OR REPLACE TRIGGER limit_exemption_changed AFTER INSERT OR UPDATE OR DELETE ON roost_data.limit_exemption
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.relation_changed();
$roost_tables$ $roost_function$;
COMMENT ON FUNCTION roost_internal.tables_limit() IS 'The text of sql/limit/tables.sql, run by roost.install().';

-- Rate limits: counting, policies, exemptions, statistics.

CREATE FUNCTION roost.limit_hit(class text, account_id bigint DEFAULT NULL, address text DEFAULT NULL, target text DEFAULT NULL, cost integer DEFAULT 1) RETURNS roost.limit_state
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_limit_hit';
COMMENT ON FUNCTION roost.limit_hit(text, bigint, text, text, integer) IS 'Takes cost units of every policy of a class that applies to the account, the address (of IPv6 the /64 counts) or the target (any text), or of none if one of them has too few left. Cost 0 only looks. A class without policies allows everything. What was taken stays taken when the transaction rolls back. Error 22004 without a class, 22023 for a cost below 0 or above 1000000.';
REVOKE ALL ON FUNCTION roost.limit_hit(text, bigint, text, text, integer) FROM PUBLIC;

CREATE FUNCTION roost.limit_reset(class text, account_id bigint DEFAULT NULL, address text DEFAULT NULL, target text DEFAULT NULL) RETURNS integer
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_limit_reset';
COMMENT ON FUNCTION roost.limit_reset(text, bigint, text, text) IS 'Forgets what an account, an address or a target has used of the policies of a class, or of all classes if it is null. Returns how many counts that were.';
REVOKE ALL ON FUNCTION roost.limit_reset(text, bigint, text, text) FROM PUBLIC;

CREATE FUNCTION roost.limit_policy_set(class text, name text, "limit" integer, period interval, burst integer DEFAULT NULL, key text DEFAULT 'account_or_address', enabled boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_burst integer := coalesce(burst, "limit");
BEGIN
	PERFORM roost_internal.limit_policy_check(class, name, "limit", period, v_burst, key, enabled);
	INSERT INTO roost_data.limit_policy AS p (class, name, "limit", period, burst, key, enabled)
	VALUES (limit_policy_set.class, limit_policy_set.name, limit_policy_set."limit", limit_policy_set.period, v_burst, limit_policy_set.key, limit_policy_set.enabled)
	ON CONFLICT ON CONSTRAINT limit_policy_pkey DO UPDATE
	SET "limit" = excluded."limit", period = excluded.period, burst = excluded.burst, key = excluded.key, enabled = excluded.enabled;
END
$$;
REVOKE ALL ON FUNCTION roost.limit_policy_set(text, text, integer, interval, integer, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_policy_set(text, text, integer, interval, integer, text, boolean) IS 'Sets a rate limit, new or old: in its class, "limit" units a period, burst of them at once (default: limit), counted by key: account, address, account_or_address (the address of those who are not logged in) or target. Every backend obeys it from its next request. Routes name a class; the class default counts every request besides. Error 22023, with the argument as column, for a value out of range.';

CREATE FUNCTION roost_internal.limit_policy_check(class text, name text, "limit" integer, period interval, burst integer, key text, enabled boolean) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_column text;
	v_detail text;
BEGIN
	IF class IS NULL OR class !~ '^[a-z][a-z0-9_]{0,62}$' OR class = 'none' THEN
		v_column := 'class';
		v_detail := 'A class starts with a letter and has lower-case letters, digits and underscores, at most 63; it cannot be "none".';
	ELSIF name IS NULL OR name !~ '^[a-z][a-z0-9_]{0,62}$' THEN
		v_column := 'name';
		v_detail := 'A name starts with a letter and has lower-case letters, digits and underscores, at most 63.';
	ELSIF "limit" IS NULL OR "limit" NOT BETWEEN 1 AND 1000000 THEN
		v_column := 'limit';
		v_detail := 'A limit is between 1 and 1000000.';
	ELSIF period IS NULL OR period NOT BETWEEN interval '1 millisecond' AND interval '366 days' THEN
		v_column := 'period';
		v_detail := 'A period is between a millisecond and 366 days.';
	ELSIF burst NOT BETWEEN 1 AND 1000000 OR period * burst / "limit" > interval '3660 days' THEN
		v_column := 'burst';
		v_detail := 'A burst is between 1 and 1000000, and comes back within ten years.';
	ELSIF key IS NULL OR key NOT IN ('account', 'address', 'account_or_address', 'target') THEN
		v_column := 'key';
		v_detail := 'A key is account, address, account_or_address or target.';
	ELSIF enabled IS NULL THEN
		v_column := 'enabled';
		v_detail := 'A policy is enabled or not.';
	ELSE
		RETURN;
	END IF;
	RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('invalid %s of a rate limit', v_column), DETAIL = v_detail, COLUMN = v_column;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.limit_policy_check(text, text, integer, interval, integer, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.limit_policy_check(text, text, integer, interval, integer, text, boolean) IS 'Raises 22023, with the name of the argument as column, unless the values make a rate limit.';

CREATE FUNCTION roost.limit_policy_list() RETURNS TABLE (class text, name text, "limit" integer, period interval, burst integer, key text, enabled boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.class, p.name, p."limit", p.period, p.burst, p.key, p.enabled
	FROM roost_data.limit_policy p ORDER BY p.class, p.name
$$;
REVOKE ALL ON FUNCTION roost.limit_policy_list() FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_policy_list() IS 'The rate limits: in each class, "limit" units a period, burst of them at once, counted by key.';

CREATE FUNCTION roost.limit_exempt(account_id bigint DEFAULT NULL, network cidr DEFAULT NULL, reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF num_nonnulls(account_id, network) <> 1 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'an exemption needs either an account or a network', COLUMN = 'account_id';
	END IF;
	IF coalesce(btrim(reason), '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'an exemption needs a reason', COLUMN = 'reason';
	END IF;
	IF account_id IS NOT NULL THEN
		INSERT INTO roost_data.limit_exemption AS e (account_id, reason) VALUES (limit_exempt.account_id, limit_exempt.reason)
		ON CONFLICT ON CONSTRAINT limit_exemption_account_id_key DO UPDATE SET reason = excluded.reason;
	ELSE
		INSERT INTO roost_data.limit_exemption AS e (network, reason) VALUES (limit_exempt.network, limit_exempt.reason)
		ON CONFLICT ON CONSTRAINT limit_exemption_network_key DO UPDATE SET reason = excluded.reason;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.limit_exempt(bigint, cidr, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_exempt(bigint, cidr, text) IS 'Frees an account, or every address of a network, from all rate limits; a reason is required. Error 22023 without exactly one of the two, or without a reason.';

CREATE FUNCTION roost.limit_unexempt(account_id bigint DEFAULT NULL, network cidr DEFAULT NULL) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM roost_data.limit_exemption e
		WHERE e.account_id = limit_unexempt.account_id OR e.network = limit_unexempt.network
		RETURNING e.id
	)
	SELECT EXISTS (SELECT FROM gone)
$$;
REVOKE ALL ON FUNCTION roost.limit_unexempt(bigint, cidr) FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_unexempt(bigint, cidr) IS 'Lets the rate limits apply to an account or a network again; false if it was not exempt.';

CREATE FUNCTION roost.limit_exemption_list() RETURNS TABLE (account_id bigint, network cidr, reason text, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.account_id, e.network, e.reason, e.created_at FROM roost_data.limit_exemption e ORDER BY e.id
$$;
REVOKE ALL ON FUNCTION roost.limit_exemption_list() FROM PUBLIC;
COMMENT ON FUNCTION roost.limit_exemption_list() IS 'The accounts and networks to which no rate limit applies, and why.';

CREATE FUNCTION roost_internal.limit_stat(
	OUT enabled boolean, OUT entries bigint, OUT live bigint, OUT checks bigint, OUT denied bigint, OUT evicted bigint, OUT dumped_at timestamptz)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_limit_stat';
COMMENT ON FUNCTION roost_internal.limit_stat() IS 'The row of roost.stat_limit.';

CREATE FUNCTION roost_internal.limit_denied(class text, name text) RETURNS bigint
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_limit_denied';
COMMENT ON FUNCTION roost_internal.limit_denied(text, text) IS 'How often a policy has refused something since the server started.';

CREATE OR REPLACE VIEW roost.stat_limit AS SELECT * FROM roost_internal.limit_stat();
COMMENT ON VIEW roost.stat_limit IS 'The rate limits'' memory, one row: enabled (roost.limit_enabled), entries (room, of 16 bytes each), live (in use), checks and denied (since the server started), evicted (live entries that gave way to others: if it grows, raise roost.limit_size), dumped_at (when they were last saved to disk).';

CREATE OR REPLACE VIEW roost.stat_limit_policy AS
	SELECT p.class, p.name, p.enabled, roost_internal.limit_denied(p.class, p.name) AS denied FROM roost.limit_policy_list() p;
COMMENT ON VIEW roost.stat_limit_policy IS 'How often each rate limit has refused something since the server started.';

REVOKE ALL ON FUNCTION roost_internal.limit_stat(), roost_internal.limit_denied(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roost_internal.limit_stat(), roost_internal.limit_denied(text, text), roost.limit_policy_list() TO pg_monitor;
GRANT SELECT ON roost.stat_limit, roost.stat_limit_policy TO pg_monitor;

-- Types of the job module.

CREATE TYPE roost.job AS (
	id bigint,
	queue text,
	kind text,
	payload jsonb,
	attempt integer,
	max_attempts integer,
	locked_until timestamptz,
	created_at timestamptz
);
COMMENT ON TYPE roost.job IS 'A job in the hands of a worker until locked_until. attempt: 1 the first time; name it when reporting.';

CREATE FUNCTION roost_internal.tables_job() RETURNS text LANGUAGE sql IMMUTABLE AS $roost_function$ SELECT $roost_tables$
-- Tables of the job module.

CREATE TABLE IF NOT EXISTS roost_data.job (
	id bigint PRIMARY KEY,
	queue text COLLATE "C" NOT NULL CHECK (queue ~ '^[a-z][a-z0-9_]{0,39}$'),
	kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,59}$'),
	payload jsonb NOT NULL DEFAULT '{}',
	secret boolean NOT NULL DEFAULT false,
	run_at timestamptz NOT NULL DEFAULT now(),
	attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
	max_attempts integer NOT NULL DEFAULT 10 CHECK (max_attempts > 0),
	locked_until timestamptz,
	last_error text,
	done_at timestamptz,
	dead_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.job IS 'Work for processes outside the database (mails, later push and media), one row each. A worker takes it under a lease; see roost.job_take.';
COMMENT ON COLUMN roost_data.job.queue IS 'What a worker asks for, for instance mail.';
COMMENT ON COLUMN roost_data.job.kind IS 'What is to be done within the queue.';
COMMENT ON COLUMN roost_data.job.secret IS 'The payload holds a secret: it is emptied when the job is done or dead.';
COMMENT ON COLUMN roost_data.job.run_at IS 'Not before this time. While a worker holds the job it equals locked_until, so that a job whose worker died becomes due again by itself.';
COMMENT ON COLUMN roost_data.job.attempts IS 'How often it was taken. The worker names this number when it reports, so that one whose lease ran out cannot report for its successor.';
COMMENT ON COLUMN roost_data.job.dead_at IS 'When it was given up after max_attempts attempts.';
CREATE INDEX IF NOT EXISTS job_queue_run_at_idx ON roost_data.job (queue, run_at, id) WHERE done_at IS NULL AND dead_at IS NULL;
CREATE INDEX IF NOT EXISTS job_finished_idx ON roost_data.job ((coalesce(done_at, dead_at))) WHERE done_at IS NOT NULL OR dead_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS roost_data.mail_template (
	name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z][a-z_]{0,59}$'),
	language text COLLATE "C" NOT NULL CHECK (language = lower(language)),
	subject text NOT NULL,
	text text NOT NULL,
	html text NOT NULL,
	PRIMARY KEY (name, language)
);
COMMENT ON TABLE roost_data.mail_template IS 'The mails that roost writes, for the operator to edit and translate. {{name}} stands for a value; values are escaped in html.';
COMMENT ON COLUMN roost_data.mail_template.language IS 'Lower case, for instance en or pt-br. A mail is written in the language asked for, else without its region, else in en.';
$roost_tables$ $roost_function$;
COMMENT ON FUNCTION roost_internal.tables_job() IS 'The text of sql/job/tables.sql, run by roost.install().';

-- The job queue: work for processes outside the database.

CREATE FUNCTION roost_internal.job_add(
	queue text,
	kind text,
	payload jsonb,
	run_at timestamptz DEFAULT now(),
	max_attempts integer DEFAULT 10,
	secret boolean DEFAULT false
) RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO roost_data.job (id, queue, kind, payload, run_at, max_attempts, secret)
	VALUES (roost_internal.id_next(), $1, $2, $3, $4, $5, $6)
	RETURNING id
$$;
REVOKE ALL ON FUNCTION roost_internal.job_add(text, text, jsonb, timestamptz, integer, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.job_add(text, text, jsonb, timestamptz, integer, boolean) IS 'Puts a job into a queue, to be taken once the transaction has committed and run_at has come, and at most max_attempts times. secret: the payload holds a secret and is emptied when the job is done or dead. Returns its id.';

CREATE FUNCTION roost.job_take(queue text, "limit" integer DEFAULT 1, lease interval DEFAULT '1 minute')
RETURNS SETOF roost.job
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_ids bigint[];
BEGIN
	IF "limit" IS NULL OR "limit" NOT BETWEEN 1 AND 1000 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'limit', MESSAGE = 'limit must be between 1 and 1000';
	END IF;
	IF lease IS NULL OR lease < '1 second' OR lease > '1 day' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'lease', MESSAGE = 'lease must be between 1 second and 1 day';
	END IF;
	-- A worker that died in its last attempt leaves a job that nobody reports.
	UPDATE roost_data.job j SET
		dead_at = v_now,
		locked_until = NULL,
		last_error = coalesce(j.last_error || E'\n', '') || 'the lease ran out',
		payload = CASE WHEN j.secret THEN '{}' ELSE j.payload END
	WHERE j.id = ANY (ARRAY(
		SELECT d.id FROM roost_data.job d
		WHERE d.queue = job_take.queue AND d.done_at IS NULL AND d.dead_at IS NULL AND d.run_at <= v_now
			AND d.attempts >= d.max_attempts
		ORDER BY d.run_at, d.id LIMIT job_take."limit" FOR UPDATE SKIP LOCKED));
	v_ids := ARRAY(
		SELECT d.id FROM roost_data.job d
		WHERE d.queue = job_take.queue AND d.done_at IS NULL AND d.dead_at IS NULL AND d.run_at <= v_now
			AND d.attempts < d.max_attempts
		ORDER BY d.run_at, d.id LIMIT job_take."limit" FOR UPDATE SKIP LOCKED);
	RETURN QUERY
	WITH taken AS (
		UPDATE roost_data.job j SET attempts = j.attempts + 1, locked_until = v_now + lease, run_at = v_now + lease
		WHERE j.id = ANY (v_ids)
		RETURNING j.*
	)
	SELECT t.id, t.queue::text, t.kind::text, t.payload, t.attempts, t.max_attempts, t.locked_until, t.created_at
	FROM taken t ORDER BY pg_catalog.array_position(v_ids, t.id);
END
$$;
REVOKE ALL ON FUNCTION roost.job_take(text, integer, interval) FROM PUBLIC;
COMMENT ON FUNCTION roost.job_take(text, integer, interval) IS 'Takes up to "limit" due jobs of a queue (1 to 1000, the longest due first) for the time of the lease (1 second to 1 day). Several workers may take at once; each job goes to one of them, none waits for another. Report with roost.job_done or roost.job_fail before the lease ends, naming the attempt; a job not reported is due again then. 22023 for a limit or lease out of range.';

CREATE FUNCTION roost.job_done(id bigint, attempt integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.job j SET
		done_at = roost_internal.clock_now(),
		locked_until = NULL,
		payload = CASE WHEN j.secret THEN '{}' ELSE j.payload END
	WHERE j.id = job_done.id AND j.attempts = job_done.attempt AND j.locked_until IS NOT NULL;
	RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION roost.job_done(bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.job_done(bigint, integer) IS 'Reports that a job is done; attempt is the number that roost.job_take gave. False if another worker has taken the job since, or it is finished already.';

CREATE FUNCTION roost_internal.job_delay(attempts integer) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT least(interval '15 seconds' * pg_catalog.pow(2, least($1, 20) - 1), interval '6 hours')
$$;
REVOKE ALL ON FUNCTION roost_internal.job_delay(integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.job_delay(integer) IS 'How long a job rests after so many failed attempts: 15 seconds, doubled each time, at most 6 hours.';

CREATE FUNCTION roost.job_fail(id bigint, attempt integer, error text, retry_at timestamptz DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_job roost_data.job;
	v_dead boolean;
BEGIN
	SELECT j.* INTO v_job FROM roost_data.job j
	WHERE j.id = job_fail.id AND j.attempts = job_fail.attempt AND j.locked_until IS NOT NULL
	FOR UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	v_dead := v_job.attempts >= v_job.max_attempts;
	UPDATE roost_data.job j SET
		locked_until = NULL,
		last_error = pg_catalog.left(job_fail.error, 2000),
		dead_at = CASE WHEN v_dead THEN v_now END,
		payload = CASE WHEN v_dead AND j.secret THEN '{}' ELSE j.payload END,
		-- up to a quarter more, so that jobs that failed together do not return together
		run_at = coalesce(retry_at, v_now + roost_internal.job_delay(j.attempts) * (1 + 0.25 * pg_catalog.random()))
	WHERE j.id = v_job.id;
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION roost.job_fail(bigint, integer, text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost.job_fail(bigint, integer, text, timestamptz) IS 'Reports that a job failed; attempt is the number that roost.job_take gave. It is due again at retry_at, or after 15 seconds, doubled with each attempt up to 6 hours, and dead after its last attempt. Keep secrets out of error (2000 characters are kept). False if another worker has taken the job since, or it is finished already.';

CREATE FUNCTION roost.job_retry(id bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.job j SET dead_at = NULL, attempts = 0, run_at = roost_internal.clock_now()
	WHERE j.id = job_retry.id AND j.dead_at IS NOT NULL AND NOT j.secret;
	RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION roost.job_retry(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost.job_retry(bigint) IS 'Brings a dead job back, as if it had never been tried. False if it is not dead, or its payload was emptied because it held a secret.';

CREATE FUNCTION roost_internal.job_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_count bigint;
BEGIN
	DELETE FROM roost_data.job j
	WHERE (j.done_at IS NOT NULL OR j.dead_at IS NOT NULL)
		AND coalesce(j.done_at, j.dead_at) < v_now - CASE WHEN j.dead_at IS NULL THEN interval '1 day' ELSE interval '30 days' END
		AND coalesce(j.done_at, j.dead_at) < v_now - interval '1 day';
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.job_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.job_maintenance() IS 'Deletes jobs that were done more than a day ago, and those that died more than 30 days ago. Returns how many.';

CREATE FUNCTION roost_internal.stat_job()
RETURNS TABLE (queue text, kind text, waiting bigint, scheduled bigint, running bigint, dead bigint, oldest_due_at timestamptz, last_error text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT j.queue, j.kind,
		pg_catalog.count(*) FILTER (WHERE j.dead_at IS NULL AND j.locked_until IS NULL AND j.run_at <= now.now
			OR j.dead_at IS NULL AND j.locked_until <= now.now),
		pg_catalog.count(*) FILTER (WHERE j.dead_at IS NULL AND j.locked_until IS NULL AND j.run_at > now.now),
		pg_catalog.count(*) FILTER (WHERE j.dead_at IS NULL AND j.locked_until > now.now),
		pg_catalog.count(*) FILTER (WHERE j.dead_at IS NOT NULL),
		min(j.run_at) FILTER (WHERE j.dead_at IS NULL AND j.run_at <= now.now),
		(pg_catalog.array_agg(j.last_error ORDER BY j.run_at DESC) FILTER (WHERE j.last_error IS NOT NULL))[1]
	FROM roost_data.job j, (SELECT roost_internal.clock_now() AS now) now
	WHERE j.done_at IS NULL
	GROUP BY j.queue, j.kind
	ORDER BY j.queue, j.kind
$$;
REVOKE ALL ON FUNCTION roost_internal.stat_job() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.stat_job() IS 'The rows of the view roost.stat_job.';

CREATE OR REPLACE VIEW roost.stat_job AS SELECT * FROM roost_internal.stat_job();
COMMENT ON VIEW roost.stat_job IS 'The jobs not yet done, by queue and kind: waiting (due), scheduled (later), running (under a lease), dead (given up), since when the oldest is due, and the newest error. No payloads.';

GRANT EXECUTE ON FUNCTION roost_internal.stat_job() TO pg_monitor;
GRANT SELECT ON roost.stat_job TO pg_monitor;

-- Mails are jobs of the queue "mail", with subject, text and html rendered.

CREATE FUNCTION roost_internal.html_escape(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
		$1, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;')
$$;
REVOKE ALL ON FUNCTION roost_internal.html_escape(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.html_escape(text) IS 'The text with the characters that mean something in HTML replaced.';

CREATE FUNCTION roost_internal.mail_fill(template text, value jsonb, html boolean) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Each part after the first begins with the name of a value and "}}".
	SELECT string_agg(
		CASE
			WHEN n = 1 THEN part
			WHEN position('}}' IN part) = 0 THEN '{{' || part
			WHEN $3 THEN roost_internal.html_escape(coalesce($2->>split_part(part, '}}', 1), '')) || substr(part, position('}}' IN part) + 2)
			ELSE coalesce($2->>split_part(part, '}}', 1), '') || substr(part, position('}}' IN part) + 2)
		END, '' ORDER BY n)
	FROM regexp_split_to_table($1, '\{\{') WITH ORDINALITY AS p (part, n)
$$;
REVOKE ALL ON FUNCTION roost_internal.mail_fill(text, jsonb, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.mail_fill(text, jsonb, boolean) IS 'The template with each {{name}} replaced by that value, or nothing if there is none; values are not looked through again. html: values are escaped.';

CREATE FUNCTION roost_internal.mail_add(recipient text, template text, language text, value jsonb, account_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_language text := pg_catalog.lower(mail_add.language);
	v_value jsonb := pg_catalog.jsonb_build_object(
		'site_name', pg_catalog.current_setting('roost.site_name'),
		'public_url', pg_catalog.rtrim(pg_catalog.current_setting('roost.public_url'), '/')) || value;
	v_template roost_data.mail_template;
BEGIN
	SELECT t.* INTO v_template
	FROM roost_data.mail_template t
	WHERE t.name = mail_add.template AND t.language IN (v_language, pg_catalog.split_part(v_language, '-', 1), 'en')
	ORDER BY t.language = v_language DESC, t.language = pg_catalog.split_part(v_language, '-', 1) DESC
	LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = pg_catalog.format('mail template "%s" is missing', template),
			HINT = 'Run SELECT roost.install().';
	END IF;
	RETURN roost_internal.job_add('mail', v_template.name, pg_catalog.jsonb_build_object(
		'account_id', mail_add.account_id::text,
		'to', recipient,
		'template', v_template.name,
		'language', v_template.language,
		'subject', pg_catalog.regexp_replace(roost_internal.mail_fill(v_template.subject, v_value, false), '[\r\n]+', ' ', 'g'),
		'text', roost_internal.mail_fill(v_template.text, v_value, false),
		'html', roost_internal.mail_fill(v_template.html, v_value, true)), secret => true);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.mail_add(text, text, text, jsonb, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.mail_add(text, text, text, jsonb, bigint) IS 'Puts a mail into the queue "mail": {account_id, to, template, language, subject, text, html}. value: what the template''s {{names}} stand for; site_name and public_url are always there. account_id: whose mail it is; it is not sent once that account is deleted (null: in any case). Returns the job''s id. 55000 if there is no such template.';

CREATE FUNCTION roost_internal.job_account_delete(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_data.job j
	WHERE j.queue = 'mail' AND j.done_at IS NULL AND j.dead_at IS NULL AND j.payload->>'account_id' = $1::text
$$;
REVOKE ALL ON FUNCTION roost_internal.job_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.job_account_delete(bigint) IS 'Removes the mails of an account that have not been sent.';

-- Types of the token module.

CREATE TYPE roost.token_identity AS (
	account_id roost.id,
	session_id roost.id,
	device_id roost.id,
	issued_at timestamptz,
	expires_at timestamptz
);
COMMENT ON TYPE roost.token_identity IS 'What a valid access token says. device_id may be null; expires_at is when it ends at the latest, revocation apart.';

CREATE TYPE roost.signing_key AS (
	kid text,
	algorithm text,
	created_at timestamptz,
	not_before timestamptz,
	retired_at timestamptz,
	signs boolean
);
COMMENT ON TYPE roost.signing_key IS 'A signing key without its secret: algorithm (HS256 or EdDSA), since when it may sign, until when its tokens are accepted (null: no end), and whether it is the one that signs now.';

CREATE FUNCTION roost_internal.tables_token() RETURNS text LANGUAGE sql IMMUTABLE AS $roost_function$ SELECT $roost_tables$
-- Tables of the token module.

CREATE TABLE IF NOT EXISTS roost_data.signing_key (
	kid text COLLATE "C" PRIMARY KEY CHECK (kid ~ '^[A-Za-z0-9_.-]{1,128}$'),
	algorithm text COLLATE "C" NOT NULL CHECK (algorithm IN ('HS256', 'EdDSA')),
	secret bytea NOT NULL,
	public_key bytea,
	created_at timestamptz NOT NULL DEFAULT now(),
	not_before timestamptz NOT NULL DEFAULT now(),
	retired_at timestamptz,
	CHECK (CASE algorithm WHEN 'HS256' THEN octet_length(secret) BETWEEN 32 AND 1024 ELSE octet_length(secret) = 32 AND public_key IS NOT NULL END)
);
COMMENT ON TABLE roost_data.signing_key IS 'Keys that sign access tokens. Only the owner reads it. The key with the newest not_before that has come signs; all verify until retired_at.';
COMMENT ON COLUMN roost_data.signing_key.secret IS 'HS256: at least 32 random bytes. EdDSA: the 32-byte seed.';
CREATE OR REPLACE TRIGGER signing_key_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON roost_data.signing_key
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.key_changed();

CREATE TABLE IF NOT EXISTS roost_data.revocation (
	id bigint PRIMARY KEY,
	revoked_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL DEFAULT now() + roost_internal.token_lifetime()
);
COMMENT ON TABLE roost_data.revocation IS 'Sessions and accounts whose access tokens are refused, by id, until none of those tokens can live any more (expires_at). Triggers on roost_data.session and roost_data.account write it; a row inserted by hand has the same effect at once, and deleting it takes that back.';
CREATE INDEX IF NOT EXISTS revocation_expires_at_idx ON roost_data.revocation (expires_at);
CREATE OR REPLACE TRIGGER revocation_emit AFTER INSERT OR UPDATE OR DELETE ON roost_data.revocation
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('session_revoked', 'id', 'expires_at');

INSERT INTO roost_data.signing_key (kid, algorithm, secret, public_key)
SELECT k.kid, 'HS256', k.secret, k.public_key
FROM roost_internal.key_material('HS256') k
WHERE NOT EXISTS (SELECT FROM roost_data.signing_key);

CREATE TABLE IF NOT EXISTS roost_data.login_lockout (
	kind text COLLATE "C" CHECK (kind IN ('account', 'address')),
	key bigint,
	failures integer NOT NULL CHECK (failures > 0),
	last_failed_at timestamptz NOT NULL,
	locked_until timestamptz,
	PRIMARY KEY (kind, key)
);
COMMENT ON TABLE roost_data.login_lockout IS 'Failed logins, as the worker saved them last; the truth is in shared memory and read from here after a start. See roost.stat_lockout.';
COMMENT ON COLUMN roost_data.login_lockout.key IS 'An account, a digest of a user name or e-mail address (negative), or a digest of a network address.';
$roost_tables$ $roost_function$;
COMMENT ON FUNCTION roost_internal.tables_token() IS 'The text of sql/token/tables.sql, run by roost.install().';

-- Passwords and random secrets.

CREATE FUNCTION roost_internal.password_hash(password text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_hash';
REVOKE ALL ON FUNCTION roost_internal.password_hash(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_hash(text) IS 'The argon2id hash of a password with a new salt, as a PHC string. Parameters: roost.password_memory, _iterations, _parallelism; about 15 ms. Error 22001 over 4096 bytes. Pass the password as a parameter, so that it never stands in a logged statement.';

CREATE FUNCTION roost_internal.password_verify(password text, hash text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_verify';
REVOKE ALL ON FUNCTION roost_internal.password_verify(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_verify(text, text) IS 'Whether the hash was made of the password. Hashes: argon2id and argon2i (PHC string, version 19, at most 1 GiB and 4 GiB in all passes), bcrypt ($2a$, $2b$, $2y$, cost 4 to 16). Anything else is false, never an error.';

CREATE FUNCTION roost_internal.password_verify_dummy(password text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_verify_dummy';
REVOKE ALL ON FUNCTION roost_internal.password_verify_dummy(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_verify_dummy(text) IS 'False, after the time that a verification takes. Call it when there is no account, so that the time of the answer does not tell.';

CREATE FUNCTION roost_internal.password_needs_rehash(hash text) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_needs_rehash';
REVOKE ALL ON FUNCTION roost_internal.password_needs_rehash(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_needs_rehash(text) IS 'Whether a hash is of another kind or has other parameters than a new one would have.';

CREATE FUNCTION roost_internal.password_check(password text, username text, email text) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_check';
REVOKE ALL ON FUNCTION roost_internal.password_check(text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_check(text, text, text) IS 'Why a password is refused, as a message without the password in it, or NULL when it is good: between roost.password_min_length and 1000 characters and not easy to guess (common words, keyboard walks, years, repetitions, the user name or e-mail address). User name and e-mail may be NULL.';

CREATE FUNCTION roost_internal.random_token(bytes integer) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_secret_random_token';
REVOKE ALL ON FUNCTION roost_internal.random_token(integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.random_token(integer) IS 'Random bytes (16 to 256) as base64url, for secrets that are sent to somebody.';

CREATE FUNCTION roost_internal.token_digest(token text) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_secret_token_digest';
REVOKE ALL ON FUNCTION roost_internal.token_digest(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.token_digest(text) IS 'The SHA-256 of a random token: what tables hold instead of the token.';

CREATE FUNCTION roost_internal.equal_constant_time(a bytea, b bytea) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_secret_equal';
REVOKE ALL ON FUNCTION roost_internal.equal_constant_time(bytea, bytea) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.equal_constant_time(bytea, bytea) IS 'Whether two secrets are equal, in a time that depends on their length only.';

-- Keys that sign access tokens.

CREATE FUNCTION roost_internal.key_changed() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'roost_key_changed';
REVOKE ALL ON FUNCTION roost_internal.key_changed() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_changed() IS 'Trigger: makes every backend read the signing keys again once a change to them has committed.';

CREATE FUNCTION roost_internal.key_material(algorithm text, OUT kid text, OUT secret bytea, OUT public_key bytea) RETURNS record
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_key_material';
REVOKE ALL ON FUNCTION roost_internal.key_material(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_material(text) IS 'A new random key for HS256 or EdDSA: its name, its secret, and for EdDSA its public part. Stores nothing. 22023 for another algorithm.';

CREATE FUNCTION roost_internal.key_generate(algorithm text, not_before timestamptz DEFAULT now()) RETURNS text
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO roost_data.signing_key (kid, algorithm, secret, public_key, created_at, not_before)
	SELECT m.kid, key_generate.algorithm, m.secret, m.public_key, clock_timestamp(), key_generate.not_before
	FROM roost_internal.key_material(key_generate.algorithm) m
	RETURNING kid
$$;
REVOKE ALL ON FUNCTION roost_internal.key_generate(text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_generate(text, timestamptz) IS 'Makes and stores a key for HS256 or EdDSA that signs from not_before on, and returns its name. Other keys stay as they are.';

CREATE FUNCTION roost.key_rotate(algorithm text DEFAULT 'HS256', not_before timestamptz DEFAULT now()) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_kid text;
BEGIN
	LOCK TABLE roost_data.signing_key IN SHARE ROW EXCLUSIVE MODE;
	UPDATE roost_data.signing_key k
	SET retired_at = greatest(key_rotate.not_before, now()) + roost_internal.token_lifetime()
	WHERE k.retired_at IS NULL;
	v_kid := roost_internal.key_generate(key_rotate.algorithm, greatest(key_rotate.not_before, now()));
	DELETE FROM roost_data.signing_key k WHERE k.retired_at < now();
	RETURN v_kid;
END
$$;
REVOKE ALL ON FUNCTION roost.key_rotate(text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_rotate(text, timestamptz) IS 'Makes a new signing key (HS256 or EdDSA) and returns its name. It signs from not_before on, at once by default; give those who fetch the public keys time by naming a later moment. Older keys are accepted until the last token they may have signed has ended; keys past that are deleted. 22023 for another algorithm.';

CREATE FUNCTION roost.key_retire(kid text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_algorithm text;
BEGIN
	LOCK TABLE roost_data.signing_key IN SHARE ROW EXCLUSIVE MODE;
	DELETE FROM roost_data.signing_key k WHERE k.kid = key_retire.kid RETURNING k.algorithm INTO v_algorithm;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = 'there is no such key';
	END IF;
	IF NOT EXISTS (SELECT FROM roost_data.signing_key k WHERE k.retired_at IS NULL AND k.not_before <= now()) THEN
		PERFORM roost_internal.key_generate(v_algorithm);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.key_retire(text) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_retire(text) IS 'Deletes a signing key, for instance because its secret has leaked: every access token that it has signed ends at once, and clients refresh. Makes a new key of the same algorithm if none is left to sign. P0002 for an unknown name.';

CREATE FUNCTION roost.key_list() RETURNS SETOF roost.signing_key
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT k.kid, k.algorithm, k.created_at, k.not_before, k.retired_at,
		k.kid = first_value(k.kid) OVER (ORDER BY k.not_before <= now() AND coalesce(k.retired_at > now(), true) DESC, k.not_before DESC, k.created_at DESC)
	FROM roost_data.signing_key k
	ORDER BY k.not_before DESC, k.created_at DESC
$$;
REVOKE ALL ON FUNCTION roost.key_list() FROM PUBLIC;
COMMENT ON FUNCTION roost.key_list() IS 'The signing keys without their secrets, newest first.';

CREATE FUNCTION roost.token_jwks() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('keys', coalesce(jsonb_agg(jsonb_build_object(
		'kty', 'OKP', 'crv', 'Ed25519', 'use', 'sig', 'alg', k.algorithm, 'kid', k.kid,
		'x', translate(encode(k.public_key, 'base64'), '+/=', '-_')) ORDER BY k.not_before DESC), '[]'))
	FROM roost_data.signing_key k
	WHERE k.algorithm = 'EdDSA' AND coalesce(k.retired_at > now(), true)
$$;
COMMENT ON FUNCTION roost.token_jwks() IS 'The public keys with which others verify access tokens, as a JWK set (RFC 7517). Empty while tokens are signed with HS256; see roost.key_rotate().';
SELECT roost_internal.route('GET', '/.well-known/jwks.json', 'roost.token_jwks', auth => 'none');

-- Access tokens.

CREATE FUNCTION roost_internal.token_lifetime() RETURNS interval
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_token_lifetime_sql';
REVOKE ALL ON FUNCTION roost_internal.token_lifetime() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.token_lifetime() IS 'For how long an access token issued now may be accepted at most: roost.token_access_ttl and some minutes for clocks that differ.';

CREATE FUNCTION roost_internal.token_make(account_id bigint, session_id bigint, device_id bigint) RETURNS text
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_token_make';
REVOKE ALL ON FUNCTION roost_internal.token_make(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.token_make(bigint, bigint, bigint) IS 'A new access token for a session, valid for roost.token_access_ttl; device_id may be null. Claims: iss, aud, sub (account), sid, did, jti, iat, nbf, exp. 55000 when there is no signing key.';

CREATE FUNCTION roost.token_verify(token text) RETURNS roost.token_identity
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_token_verify';
COMMENT ON FUNCTION roost.token_verify(text) IS 'Who sends an access token. Checks form, key, signature, issuer, audience, times and revocation; 28000 with the reason when it is not accepted.';

CREATE FUNCTION roost.token_account(token text) RETURNS roost.id
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_token_account';
COMMENT ON FUNCTION roost.token_account(text) IS 'The account of an access token, for instance in a row security policy. The same checks and error as roost.token_verify().';

CREATE FUNCTION roost_internal.signature_valid(algorithm text, key bytea, message bytea, signature bytea) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_jwk_signature_valid';
REVOKE ALL ON FUNCTION roost_internal.signature_valid(text, bytea, bytea, bytea) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.signature_valid(text, bytea, bytea, bytea) IS 'Whether a signature of a message is right: HS256 with a secret of at least 32 bytes, EdDSA (Ed25519) with a public key. False for other algorithms and keys.';

CREATE FUNCTION roost.jws_verify(token text, keys jsonb) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_jwk_jws_verify';
COMMENT ON FUNCTION roost.jws_verify(text, jsonb) IS 'The payload of a signed token of somebody else (RFC 7515, compact form, at most 8192 letters). keys is a JWK or a JWK set (RFC 7517); HS256 with "kty": "oct" and EdDSA with Ed25519 keys are offered. 28000 with the reason when the token is not accepted, 22023 for a set that is ambiguous: two keys of one name, or both secret and public ones.';

CREATE FUNCTION roost_internal.jwt_claims(token text, keys jsonb) RETURNS jsonb
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_jwk_jwt_claims';
REVOKE ALL ON FUNCTION roost_internal.jwt_claims(text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.jwt_claims(text, jsonb) IS 'The claims of a signed token whose times are right; see roost.jwt_verify().';

CREATE FUNCTION roost.jwt_verify(token text, keys jsonb, issuer text DEFAULT NULL, audience text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_claims jsonb := roost_internal.jwt_claims(token, keys);
	v_audience jsonb := v_claims -> 'aud';
BEGIN
	IF issuer IS NOT NULL AND v_claims ->> 'iss' IS DISTINCT FROM issuer THEN
		RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'token is not accepted: it is from another issuer';
	ELSIF v_audience IS NULL AND audience IS NOT NULL OR v_audience IS NOT NULL AND NOT coalesce(v_audience ? audience, false) THEN
		RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'token is not accepted: it is for another audience';
	END IF;
	RETURN v_claims;
END
$$;
COMMENT ON FUNCTION roost.jwt_verify(text, jsonb, text, text) IS 'The claims of a JSON Web Token of somebody else, for instance an identity provider: form, key and signature as in roost.jws_verify(), exp, nbf and iat (seconds without exponent) against the clock, iss if an issuer is given, aud if an audience is given. A token that names an audience needs one. Names of claims occur once and have no escapes. 28000 with the reason when it is not accepted; null for a null token.';

-- Revocation of access tokens.

CREATE FUNCTION roost_internal.session_revoked(session_id bigint) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_revocation_check_sql';
REVOKE ALL ON FUNCTION roost_internal.session_revoked(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_revoked(bigint) IS 'Whether the access tokens of a session are refused; also takes the id of an account.';

CREATE FUNCTION roost_internal.session_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		IF OLD.revoked_at IS NULL AND OLD.expires_at > now() THEN
			INSERT INTO roost_data.revocation (id) VALUES (OLD.id) ON CONFLICT DO NOTHING;
		END IF;
	ELSIF NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL THEN
		INSERT INTO roost_data.revocation (id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
	ELSIF NEW.revoked_at IS NULL AND OLD.revoked_at IS NOT NULL THEN
		DELETE FROM roost_data.revocation r WHERE r.id = NEW.id;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.session_changed() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_changed() IS 'AFTER ROW trigger for UPDATE OF revoked_at OR DELETE on roost_data.session: ends the session''s access tokens at commit when it is revoked or deleted.';

CREATE FUNCTION roost_internal.account_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		INSERT INTO roost_data.revocation (id) VALUES (OLD.id) ON CONFLICT DO NOTHING;
	ELSIF NEW.status <> 'active' AND OLD.status = 'active' THEN
		INSERT INTO roost_data.revocation (id) VALUES (NEW.id)
		ON CONFLICT (id) DO UPDATE SET revoked_at = excluded.revoked_at, expires_at = excluded.expires_at;
		UPDATE roost_data.session s SET revoked_at = now() WHERE s.account_id = NEW.id AND s.revoked_at IS NULL;
	ELSIF NEW.status = 'active' AND OLD.status <> 'active' THEN
		DELETE FROM roost_data.revocation r WHERE r.id = NEW.id;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_changed() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_changed() IS 'AFTER ROW trigger for UPDATE OF status OR DELETE on roost_data.account: an account that is no longer active loses all its sessions and access tokens at commit, also those being issued at that moment.';

CREATE FUNCTION roost_internal.token_maintenance() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH purged AS (DELETE FROM roost_data.revocation r WHERE r.expires_at < now() RETURNING 1),
		retired AS (DELETE FROM roost_data.signing_key k WHERE k.retired_at < now() RETURNING 1)
	SELECT (SELECT count(*) FROM purged) + (SELECT count(*) FROM retired)
$$;
REVOKE ALL ON FUNCTION roost_internal.token_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.token_maintenance() IS 'Deletes revocations and signing keys that no token can need any more; returns how many. Part of roost.maintenance_run().';

-- Failed logins.

CREATE FUNCTION roost_internal.login_failed(login_key bigint, address text) RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_lockout_failed';
REVOKE ALL ON FUNCTION roost_internal.login_failed(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_failed(bigint, text) IS 'Counts a failed login of an account, or of whatever number stands for it, and of an IPv4 or IPv6 address; either may be null. Takes effect at once, also if the transaction fails.';

CREATE FUNCTION roost_internal.login_unlock(login_key bigint, address text) RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_lockout_unlock';
REVOKE ALL ON FUNCTION roost_internal.login_unlock(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_unlock(bigint, text) IS 'Forgets the failed logins of an account and of an address, and unlocks them; either may be null. Takes effect at once.';

CREATE FUNCTION roost_internal.login_succeeded(login_key bigint) RETURNS void
LANGUAGE sql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $$ SELECT roost_internal.login_unlock(login_key, NULL) $$;
REVOKE ALL ON FUNCTION roost_internal.login_succeeded(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_succeeded(bigint) IS 'Forgets the failed logins of an account after a successful one. The address stays: its owner might be guessing passwords of others in between.';

CREATE FUNCTION roost_internal.login_locked(login_key bigint, address text) RETURNS integer
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_lockout_locked';
REVOKE ALL ON FUNCTION roost_internal.login_locked(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_locked(bigint, text) IS 'For how many more seconds logins of an account, or from an address, are refused; null when they are not.';

CREATE FUNCTION roost_internal.lockout_stat(OUT kind text, OUT account_id bigint, OUT failures integer, OUT last_failed_at timestamptz, OUT locked_until timestamptz) RETURNS SETOF record
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_lockout_stat';
REVOKE ALL ON FUNCTION roost_internal.lockout_stat() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.lockout_stat() IS 'The rows of roost.stat_lockout.';

CREATE OR REPLACE VIEW roost.stat_lockout AS SELECT * FROM roost_internal.lockout_stat();
COMMENT ON VIEW roost.stat_lockout IS 'Accounts and addresses with failed logins that are not forgotten yet, and until when they are locked (null: never were). Addresses, and names that nobody has, are not shown: account_id is null for them.';

CREATE FUNCTION roost_internal.lockout_save(kinds text[], keys bigint[], failures integer[], last_failed_at timestamptz[], locked_until timestamptz[]) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_data.login_lockout l
	USING unnest(kinds, keys, lockout_save.failures) AS u (kind, key, failures)
	WHERE l.kind = u.kind AND l.key = u.key AND u.failures = 0;
	INSERT INTO roost_data.login_lockout (kind, key, failures, last_failed_at, locked_until)
	SELECT u.kind, u.key, u.failures, u.last_failed_at, nullif(u.locked_until, 'epoch')
	FROM unnest(kinds, keys, lockout_save.failures, lockout_save.last_failed_at, lockout_save.locked_until) AS u (kind, key, failures, last_failed_at, locked_until)
	WHERE u.failures > 0
	ON CONFLICT (kind, key) DO UPDATE SET failures = excluded.failures, last_failed_at = excluded.last_failed_at, locked_until = excluded.locked_until
$$;
REVOKE ALL ON FUNCTION roost_internal.lockout_save(text[], bigint[], integer[], timestamptz[], timestamptz[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.lockout_save(text[], bigint[], integer[], timestamptz[], timestamptz[]) IS 'Saves counters of failed logins; called by the worker. Those with no failures left are deleted.';

CREATE FUNCTION roost_internal.lockout_maintenance() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH purged AS (
		DELETE FROM roost_data.login_lockout l
		WHERE greatest(l.last_failed_at, l.locked_until) + current_setting('roost.lockout_decay')::interval < now()
		RETURNING 1
	)
	SELECT count(*) FROM purged
$$;
REVOKE ALL ON FUNCTION roost_internal.lockout_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.lockout_maintenance() IS 'Deletes failed logins that are forgotten; returns how many. Part of roost.maintenance_run().';

-- Types of the account module: what callers write, and what they get back.
-- The composites are the wire format; attributes are only ever added at the
-- end.

CREATE DOMAIN roost.username AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z0-9_]{1,30}$');
COMMENT ON DOMAIN roost.username IS 'A user name: 1 to 30 letters a-z, digits and underscores. Unique without regard to case; shown as it was typed.';

CREATE DOMAIN roost.account_ref AS text COLLATE "C" CHECK (VALUE ~ '^([0-9]{1,19}|@[A-Za-z0-9_]{1,30})$');
COMMENT ON DOMAIN roost.account_ref IS 'Names an account: its id in decimal digits, or its user name with @ before it.';

CREATE DOMAIN roost.email AS text COLLATE "C" CHECK (
	octet_length(VALUE) <= 254
	AND VALUE ~ '^[A-Za-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$');
COMMENT ON DOMAIN roost.email IS 'An e-mail address of at most 254 ASCII characters, for instance ada@example.org. Upper and lower case are the same.';

CREATE DOMAIN roost.password AS text CHECK (octet_length(VALUE) BETWEEN 1 AND 1024);
COMMENT ON DOMAIN roost.password IS 'A password of at most 1024 bytes. What a new one must be like is told by the server where it is refused.';

CREATE DOMAIN roost.login_identifier AS text COLLATE "C" CHECK (octet_length(VALUE) BETWEEN 1 AND 254);
COMMENT ON DOMAIN roost.login_identifier IS 'A user name or an e-mail address.';

CREATE DOMAIN roost.secret_token AS text COLLATE "C" CHECK (octet_length(VALUE) BETWEEN 16 AND 256 AND VALUE ~ '^[A-Za-z0-9._-]+$');
COMMENT ON DOMAIN roost.secret_token IS 'A token as roost handed it out in a mail or in an answer.';

CREATE DOMAIN roost.display_name AS text CHECK (char_length(VALUE) <= 50 AND VALUE !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.display_name IS 'A name for people to read: at most 50 characters on one line, without control and text-direction characters. May be empty.';

CREATE DOMAIN roost.bio AS text CHECK (char_length(VALUE) <= 500 AND VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.bio IS 'A few words about oneself: at most 500 characters; line breaks are kept. May be empty.';

CREATE DOMAIN roost.url AS text CHECK (VALUE = '' OR (octet_length(VALUE) <= 2048 AND VALUE ~ '^https?://[^\s"<>\\^`{|}\u0001-\u0020\u007f]+$'));
COMMENT ON DOMAIN roost.url IS 'An http or https address of at most 2048 bytes. Empty stands for none.';

CREATE DOMAIN roost.language AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$');
COMMENT ON DOMAIN roost.language IS 'A language tag of BCP 47, for instance en or pt-BR.';

CREATE DOMAIN roost.birth_date AS date CHECK (VALUE >= '1900-01-01');
COMMENT ON DOMAIN roost.birth_date IS 'A day of birth, from 1900 on and not in the future.';

CREATE DOMAIN roost.device_input AS jsonb CHECK (
	VALUE IS NULL OR CASE jsonb_typeof(VALUE)
		WHEN 'string' THEN char_length(VALUE #>> '{}') BETWEEN 1 AND 100
		WHEN 'object' THEN
			VALUE - '{id,name,platform}'::text[] = '{}'
			AND (VALUE->'id' IS NULL OR jsonb_typeof(VALUE->'id') = 'string' AND VALUE->>'id' ~ '^[A-Za-z0-9._:-]{1,64}$')
			AND (VALUE->'name' IS NULL OR jsonb_typeof(VALUE->'name') = 'string' AND char_length(VALUE->>'name') BETWEEN 1 AND 100)
			AND (VALUE->'platform' IS NULL OR jsonb_typeof(VALUE->'platform') = 'string' AND char_length(VALUE->>'platform') BETWEEN 1 AND 30)
		ELSE false
	END);
COMMENT ON DOMAIN roost.device_input IS 'The device that logs in: its name (1 to 100 characters), or an object with any of "id" (chosen by the client and kept by it; 1 to 64 letters, digits and ._:-; the next login with it continues the same device), "name" and "platform" (1 to 30 characters, for instance ios).';

CREATE TYPE roost.message_policy AS ENUM ('everyone', 'followed', 'friends');
COMMENT ON TYPE roost.message_policy IS 'Who may write messages to an account: everyone, the accounts it follows, or friends only.';

CREATE TYPE roost.relationship AS (
	account_id roost.id,
	following boolean,
	followed_by boolean,
	requested boolean,
	requested_by boolean
);
COMMENT ON TYPE roost.relationship IS 'How the viewer and the account account_id stand to each other: following (the viewer follows it), followed_by (it follows the viewer), requested and requested_by (a follow request waits).';

CREATE TYPE roost.author AS (
	id roost.id,
	username text,
	display_name text,
	avatar_url text
);
COMMENT ON TYPE roost.author IS 'The short form of an account, inside posts and lists.';

CREATE TYPE roost.account AS (
	id roost.id,
	username text,
	display_name text,
	bio text,
	avatar_url text,
	header_url text,
	url text,
	language text,
	is_private boolean,
	is_verified boolean,
	created_at timestamptz,
	follower_count bigint,
	following_count bigint,
	post_count bigint,
	relationship roost.relationship,
	cursor bigint
);
COMMENT ON TYPE roost.account IS 'The public profile of an account. url is its page; is_private: followers need its consent; is_verified: the operator vouches for it; relationship is null for a stranger.';

CREATE TYPE roost.me AS (
	id roost.id,
	username text,
	display_name text,
	bio text,
	avatar_url text,
	header_url text,
	url text,
	language text,
	is_private boolean,
	is_verified boolean,
	created_at timestamptz,
	follower_count bigint,
	following_count bigint,
	post_count bigint,
	email text,
	email_verified boolean,
	birth_date date,
	age integer,
	message_policy roost.message_policy,
	role text,
	last_login_at timestamptz,
	last_active_at timestamptz
);
COMMENT ON TYPE roost.me IS 'An account as its owner sees it: the public profile and what is for nobody else. age is in whole years.';

CREATE TYPE roost.session_token AS (
	access_token text,
	refresh_token text,
	token_type text,
	expires_in integer,
	session_id roost.id,
	account roost.me
);
COMMENT ON TYPE roost.session_token IS 'What a login gives: a short-lived access token for the header "Authorization: Bearer <token>" (expires_in seconds) and a refresh token that is exchanged once for the next pair.';

CREATE TYPE roost.session AS (
	id roost.id,
	device_id roost.id,
	device_name text,
	platform text,
	user_agent text,
	address text,
	created_at timestamptz,
	last_used_at timestamptz,
	expires_at timestamptz,
	current boolean
);
COMMENT ON TYPE roost.session IS 'A login that still holds. address is where it was last refreshed from; current marks the one that asks.';

CREATE TYPE roost.device AS (
	id roost.id,
	name text,
	platform text,
	created_at timestamptz,
	last_seen_at timestamptz,
	current boolean
);
COMMENT ON TYPE roost.device IS 'A device that has logged in. current marks the one that asks.';

CREATE TYPE roost_internal.email_token_owner AS (
	account_id bigint,
	email text
);
COMMENT ON TYPE roost_internal.email_token_owner IS 'What a token from a mail stands for.';

CREATE TYPE roost.import_result AS (
	inserted bigint,
	existing bigint,
	refused bigint
);
COMMENT ON TYPE roost.import_result IS 'What an import did: rows made, rows that were there already (known external id), and rows refused (with the reason in the staging table).';

CREATE FUNCTION roost_internal.tables_account() RETURNS text LANGUAGE sql IMMUTABLE AS $roost_function$ SELECT $roost_tables$
-- Tables of the account module.
--
-- What strangers may see stands in account; addresses and secrets stand in
-- tables of their own.  User names are unique in account_handle, verified
-- addresses in account_email.

CREATE TABLE IF NOT EXISTS roost_data.account (
	id bigint PRIMARY KEY,
	username text COLLATE "C" NOT NULL CHECK (username ~ '^[A-Za-z0-9_]{1,30}$'),
	display_name text NOT NULL DEFAULT '' CHECK (char_length(display_name) <= 50),
	bio text NOT NULL DEFAULT '' CHECK (char_length(bio) <= 500),
	avatar_url text CHECK (octet_length(avatar_url) <= 2048),
	header_url text CHECK (octet_length(header_url) <= 2048),
	birth_date date,
	language text COLLATE "C" NOT NULL DEFAULT 'en',
	is_private boolean NOT NULL DEFAULT false,
	is_verified boolean NOT NULL DEFAULT false,
	status text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'deleted')),
	role text COLLATE "C" NOT NULL DEFAULT 'user' CHECK (role ~ '^[a-z_]{1,30}$'),
	message_policy text COLLATE "C" NOT NULL DEFAULT 'everyone' CHECK (message_policy IN ('everyone', 'followed', 'friends')),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	last_login_at timestamptz,
	last_active_at timestamptz
) WITH (fillfactor = 90);
COMMENT ON TABLE roost_data.account IS 'Accounts. A deleted one stays as an empty row, so that its id keeps meaning nobody else.';
COMMENT ON COLUMN roost_data.account.username IS 'As it was typed; unique without regard to case through account_handle. A deleted account is called deleted_<id>.';
COMMENT ON COLUMN roost_data.account.is_private IS 'Following it takes its consent.';
COMMENT ON COLUMN roost_data.account.is_verified IS 'The operator vouches for it. Whether the e-mail address is verified stands in account_email.';
COMMENT ON COLUMN roost_data.account.last_active_at IS 'Last sign of life, written at most once in five minutes.';

CREATE TABLE IF NOT EXISTS roost_data.account_handle (
	username text COLLATE "C" PRIMARY KEY CHECK (username ~ '^[a-z0-9_]{1,30}$'),
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE
);
COMMENT ON TABLE roost_data.account_handle IS 'The user names in use, in lower case, and whose they are.';
CREATE INDEX IF NOT EXISTS account_handle_account_id_idx ON roost_data.account_handle (account_id);

CREATE TABLE IF NOT EXISTS roost_data.reserved_handle (
	username text COLLATE "C" PRIMARY KEY CHECK (username ~ '^[a-z0-9_]{1,30}$'),
	until timestamptz,
	account_id bigint,
	reason text NOT NULL DEFAULT ''
);
COMMENT ON TABLE roost_data.reserved_handle IS 'User names that nobody may take: the operator''s own, and those of deleted or renamed accounts until the given time (null: for ever). account_id: whose it was; that account may take it back.';
INSERT INTO roost_data.reserved_handle (username, reason)
SELECT unnest('{about,abuse,account,admin,administrator,api,auth,billing,contact,everyone,help,here,home,info,legal,login,logout,mail,me,moderator,news,official,postmaster,privacy,public,register,root,roost,search,security,settings,signup,staff,status,support,system,terms,undefined,webmaster}'::text[]), 'built in'
WHERE NOT EXISTS (SELECT FROM roost_data.reserved_handle);

CREATE TABLE IF NOT EXISTS roost_data.account_email (
	email text COLLATE "C" NOT NULL CHECK (email ~ '^[^@A-Z[:space:]]+@[^@A-Z[:space:]]+$' AND octet_length(email) <= 254),
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	verified_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (email, account_id)
);
COMMENT ON TABLE roost_data.account_email IS 'The e-mail address of each account, in lower case. Anybody may name any address when registering; it is unique, and worth anything, from the moment its owner opens the link of the mail (verified_at).';
CREATE UNIQUE INDEX IF NOT EXISTS account_email_verified_idx ON roost_data.account_email (email) WHERE verified_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS account_email_account_id_idx ON roost_data.account_email (account_id);

CREATE TABLE IF NOT EXISTS roost_data.account_credential (
	account_id bigint PRIMARY KEY REFERENCES roost_data.account ON DELETE CASCADE,
	password_hash text,
	password_changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.account_credential IS 'Password hashes (argon2id, or bcrypt until the next login). Null: no password; the account waits for one to be set by mail.';

CREATE TABLE IF NOT EXISTS roost_data.account_stat (
	account_id bigint NOT NULL,
	slot integer NOT NULL,
	follower_count bigint NOT NULL DEFAULT 0,
	following_count bigint NOT NULL DEFAULT 0,
	post_count bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (account_id, slot)
) WITH (fillfactor = 70);
COMMENT ON TABLE roost_data.account_stat IS 'Counters of an account: the sum over its slots. A writer adds to a slot that nobody holds, so writers never wait for each other; maintenance folds slots together.';

CREATE TABLE IF NOT EXISTS roost_data.device (
	id bigint PRIMARY KEY,
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	client_id text COLLATE "C" CHECK (octet_length(client_id) <= 64),
	name text NOT NULL DEFAULT '' CHECK (char_length(name) <= 100),
	platform text NOT NULL DEFAULT '' CHECK (char_length(platform) <= 30),
	created_at timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (account_id, client_id)
);
COMMENT ON TABLE roost_data.device IS 'Devices that have logged in, one session each. client_id is the name that the device gave itself; a device without one lives as long as its session.';

CREATE TABLE IF NOT EXISTS roost_data.session (
	id bigint PRIMARY KEY,
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	device_id bigint NOT NULL,
	refresh_key text COLLATE "C" NOT NULL,
	refresh_digest bytea NOT NULL,
	former_digest bytea,
	refreshed_at timestamptz,
	user_agent text CHECK (char_length(user_agent) <= 300),
	address inet,
	created_at timestamptz NOT NULL DEFAULT now(),
	last_used_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	revoked_at timestamptz
);
COMMENT ON TABLE roost_data.session IS 'Logins. The refresh tokens of a session are a family: each is exchanged for the next, and expires_at moves on. The tokens themselves are nowhere. Revoking a session ends its access tokens at once.';
COMMENT ON COLUMN roost_data.session.refresh_key IS 'Secret with which each refresh token is made from the one before, and recognized long after.';
COMMENT ON COLUMN roost_data.session.refresh_digest IS 'Digest of the refresh token that is valid now.';
COMMENT ON COLUMN roost_data.session.former_digest IS 'Digest of the one that was exchanged for it at refreshed_at.';
CREATE INDEX IF NOT EXISTS session_account_id_idx ON roost_data.session (account_id, id DESC);
CREATE INDEX IF NOT EXISTS session_device_id_idx ON roost_data.session (device_id);
CREATE INDEX IF NOT EXISTS session_expires_at_idx ON roost_data.session (expires_at);
CREATE INDEX IF NOT EXISTS session_revoked_at_idx ON roost_data.session (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE OR REPLACE TRIGGER session_changed AFTER UPDATE OF revoked_at OR DELETE ON roost_data.session
	FOR EACH ROW EXECUTE FUNCTION roost_internal.session_changed();
CREATE OR REPLACE TRIGGER account_changed AFTER UPDATE OF status OR DELETE ON roost_data.account
	FOR EACH ROW EXECUTE FUNCTION roost_internal.account_changed();

CREATE TABLE IF NOT EXISTS roost_data.email_token (
	digest bytea PRIMARY KEY,
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	purpose text COLLATE "C" NOT NULL CHECK (purpose IN ('verify', 'reset')),
	email text COLLATE "C" NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	used_at timestamptz
);
COMMENT ON TABLE roost_data.email_token IS 'Digests of the tokens in mails, and what each one proves: that its bearer reads the mail sent to email.';
CREATE INDEX IF NOT EXISTS email_token_account_id_idx ON roost_data.email_token (account_id, purpose);
CREATE INDEX IF NOT EXISTS email_token_email_idx ON roost_data.email_token (email, created_at);
CREATE INDEX IF NOT EXISTS email_token_expires_at_idx ON roost_data.email_token (expires_at);

CREATE OR REPLACE VIEW roost_bi.account AS
SELECT a.id, a.username, a.display_name, a.language, a.is_private, a.is_verified, a.status, a.role, a.created_at, a.last_login_at, a.last_active_at,
	coalesce(s.follower_count, 0) AS follower_count,
	coalesce(s.following_count, 0) AS following_count,
	coalesce(s.post_count, 0) AS post_count
FROM roost_data.account a
LEFT JOIN LATERAL (
	SELECT sum(t.follower_count)::bigint AS follower_count, sum(t.following_count)::bigint AS following_count, sum(t.post_count)::bigint AS post_count
	FROM roost_data.account_stat t WHERE t.account_id = a.id
) s ON true
WHERE a.status <> 'deleted';
COMMENT ON VIEW roost_bi.account IS 'Accounts with their counters; no addresses, no dates of birth, no secrets.';

CREATE TABLE IF NOT EXISTS roost_data.import_map (
	kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z]{1,20}$'),
	external_id text COLLATE "C" NOT NULL,
	id bigint NOT NULL,
	PRIMARY KEY (kind, external_id)
);
COMMENT ON TABLE roost_data.import_map IS 'What an imported thing was called where it came from, and its id here; it makes imports repeatable.';

CREATE TABLE IF NOT EXISTS roost_data.import_account (
	external_id text COLLATE "C" PRIMARY KEY,
	username text,
	email text,
	email_verified boolean NOT NULL DEFAULT true,
	password_hash text,
	display_name text,
	bio text,
	avatar_url text,
	header_url text,
	birth_date date,
	language text,
	is_private boolean NOT NULL DEFAULT false,
	created_at timestamptz,
	error text
);
COMMENT ON TABLE roost_data.import_account IS 'Accounts to import: COPY them here, then SELECT roost.account_import(). What was imported leaves the table; what was refused stays, with the reason in error.';
COMMENT ON COLUMN roost_data.import_account.password_hash IS 'argon2id, argon2i ($argon2...) or bcrypt ($2a$, $2b$, $2y$); without one the account sets a password by mail. Never a plain password.';

INSERT INTO roost_data.mail_template (name, language, subject, text, html) VALUES
	('verify_email', 'en', 'Verify your e-mail address',
		E'Hello {{display_name}},\n\nplease open this link to verify your e-mail address for @{{username}} on {{site_name}}:\n\n{{public_url}}/verify-email?token={{token}}\n\nThe link works for {{hours}} hours. If you did not ask for it, do nothing.\n',
		'<p>Hello {{display_name}},</p><p>please open this link to verify your e-mail address for @{{username}} on {{site_name}}:</p><p><a href="{{public_url}}/verify-email?token={{token}}">{{public_url}}/verify-email?token={{token}}</a></p><p>The link works for {{hours}} hours. If you did not ask for it, do nothing.</p>'),
	('address_taken', 'en', 'You already have an account on {{site_name}}',
		E'Hello,\n\nsomebody, perhaps you, has just used this e-mail address for the account @{{username}} on {{site_name}}. The address already belongs to another account, so it was not added to that one.\n\nIf you have forgotten your password, ask for a new one:\n\n{{public_url}}/forgot-password\n\nIf it was not you, do nothing.\n',
		'<p>Hello,</p><p>somebody, perhaps you, has just used this e-mail address for the account @{{username}} on {{site_name}}. The address already belongs to another account, so it was not added to that one.</p><p>If you have forgotten your password, ask for a new one:</p><p><a href="{{public_url}}/forgot-password">{{public_url}}/forgot-password</a></p><p>If it was not you, do nothing.</p>'),
	('reset_password', 'en', 'Set a new password',
		E'Hello {{display_name}},\n\nopen this link to set a new password for @{{username}} on {{site_name}}:\n\n{{public_url}}/reset-password?token={{token}}\n\nThe link works for {{hours}} hour(s), once. If you did not ask for it, do nothing; your password stays as it is.\n',
		'<p>Hello {{display_name}},</p><p>open this link to set a new password for @{{username}} on {{site_name}}:</p><p><a href="{{public_url}}/reset-password?token={{token}}">{{public_url}}/reset-password?token={{token}}</a></p><p>The link works for {{hours}} hour(s), once. If you did not ask for it, do nothing; your password stays as it is.</p>'),
	('password_changed', 'en', 'Your password was changed',
		E'Hello {{display_name}},\n\nthe password of @{{username}} on {{site_name}} was just changed, and other devices were logged out.\n\nIf it was not you, set a new password at once:\n\n{{public_url}}/forgot-password\n',
		'<p>Hello {{display_name}},</p><p>the password of @{{username}} on {{site_name}} was just changed, and other devices were logged out.</p><p>If it was not you, set a new password at once:</p><p><a href="{{public_url}}/forgot-password">{{public_url}}/forgot-password</a></p>'),
	('email_changed', 'en', 'Your e-mail address was changed',
		E'Hello {{display_name}},\n\n@{{username}} on {{site_name}} now has another e-mail address; this one no longer belongs to it.\n\nIf it was not you, change your password and tell the people who run {{site_name}}.\n',
		'<p>Hello {{display_name}},</p><p>@{{username}} on {{site_name}} now has another e-mail address; this one no longer belongs to it.</p><p>If it was not you, change your password and tell the people who run {{site_name}}.</p>'),
	('account_deleted', 'en', 'Your account was deleted',
		E'Hello {{display_name}},\n\n@{{username}} on {{site_name}} was deleted, with everything that belonged to it. Farewell.\n',
		'<p>Hello {{display_name}},</p><p>@{{username}} on {{site_name}} was deleted, with everything that belonged to it. Farewell.</p>')
ON CONFLICT DO NOTHING;
$roost_tables$ $roost_function$;
COMMENT ON FUNCTION roost_internal.tables_account() IS 'The text of sql/account/tables.sql, run by roost.install().';

-- Counters of accounts, without a hot row.

CREATE FUNCTION roost_internal.account_stat_add(account_id bigint, followers bigint, following bigint, posts bigint) RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_account_stat_add_sql';
REVOKE ALL ON FUNCTION roost_internal.account_stat_add(bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_stat_add(bigint, bigint, bigint, bigint) IS 'Adds to the counters of an account, within the transaction. Never waits for another one: it adds to a slot that nobody holds, or makes a new one.';

CREATE FUNCTION roost_internal.account_stat_fold() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_sum record;
	v_count bigint := 0;
BEGIN
	FOR v_account_id IN
		SELECT s.account_id FROM roost_data.account_stat s GROUP BY s.account_id HAVING pg_catalog.count(*) > 1
	LOOP
		-- Only the slots that nobody holds; the others are folded another time.
		WITH idle AS (
			SELECT s.account_id, s.slot FROM roost_data.account_stat s
			WHERE s.account_id = v_account_id
			FOR UPDATE SKIP LOCKED
		), gone AS (
			DELETE FROM roost_data.account_stat s USING idle i
			WHERE s.account_id = i.account_id AND s.slot = i.slot
			RETURNING s.follower_count, s.following_count, s.post_count
		)
		SELECT sum(g.follower_count) AS followers, sum(g.following_count) AS following, sum(g.post_count) AS posts,
			pg_catalog.count(*) AS slots
		INTO v_sum FROM gone g;
		IF v_sum.slots > 0 THEN
			PERFORM roost_internal.account_stat_add(v_account_id, v_sum.followers::bigint, v_sum.following::bigint, v_sum.posts::bigint);
			v_count := v_count + v_sum.slots - 1;
		END IF;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_stat_fold() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_stat_fold() IS 'Puts the slots of each account''s counters together that no transaction holds. Returns how many rows that saved.';

-- Profiles: reading and changing accounts.

CREATE FUNCTION roost_internal.account_url(username text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT pg_catalog.rtrim(pg_catalog.current_setting('roost.public_url'), '/') || '/@' || $1
$$;
REVOKE ALL ON FUNCTION roost_internal.account_url(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_url(text) IS 'The address of an account''s page.';

CREATE FUNCTION roost_internal.account_resolve(account_id roost.account_ref) RETURNS bigint
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	IF pg_catalog.left(account_id, 1) = '@' THEN
		SELECT h.account_id INTO v_id FROM roost_data.account_handle h
		WHERE h.username = pg_catalog.lower(pg_catalog.substr(account_resolve.account_id, 2));
	ELSIF account_id::numeric <= 9223372036854775807 THEN
		v_id := account_id::bigint;
	END IF;
	PERFORM FROM roost_data.account a WHERE a.id = v_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_resolve(roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_resolve(roost.account_ref) IS 'The id of the active account that an id or @name means. P0002 if there is none.';

CREATE FUNCTION roost_internal.account_me(account_id bigint) RETURNS roost.me
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_me roost.me;
BEGIN
	SELECT a.id, a.username, a.display_name, a.bio, a.avatar_url, a.header_url, roost_internal.account_url(a.username),
		a.language, a.is_private, a.is_verified, a.created_at,
		coalesce(s.follower_count, 0), coalesce(s.following_count, 0), coalesce(s.post_count, 0),
		e.email, e.verified_at IS NOT NULL, a.birth_date,
		pg_catalog.date_part('year', pg_catalog.age(roost_internal.clock_now() AT TIME ZONE 'UTC', a.birth_date)),
		a.message_policy, a.role, a.last_login_at, a.last_active_at
	INTO v_me
	FROM roost_data.account a
	LEFT JOIN roost_data.account_email e ON e.account_id = a.id
	LEFT JOIN LATERAL (
		SELECT sum(t.follower_count) AS follower_count, sum(t.following_count) AS following_count, sum(t.post_count) AS post_count
		FROM roost_data.account_stat t WHERE t.account_id = a.id
	) s ON true
	WHERE a.id = account_me.account_id AND a.status <> 'deleted';
	RETURN v_me;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_me(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_me(bigint) IS 'An account as its owner sees it; null if there is none.';

CREATE FUNCTION roost_internal.account_touch(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE roost_data.account a SET last_active_at = roost_internal.clock_now()
	WHERE a.id = (
		SELECT t.id FROM roost_data.account t
		WHERE t.id = $1 AND (t.last_active_at IS NULL OR t.last_active_at < roost_internal.clock_now() - interval '5 minutes')
		FOR NO KEY UPDATE SKIP LOCKED)
$$;
REVOKE ALL ON FUNCTION roost_internal.account_touch(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_touch(bigint) IS 'Notes that an account is active now; writes at most once in five minutes, and never waits for another transaction.';

CREATE FUNCTION roost.account_me(actor_id roost.id) RETURNS roost.me
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_me roost.me := roost_internal.account_me(actor_id);
BEGIN
	IF v_me.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	RETURN v_me;
END
$$;
REVOKE ALL ON FUNCTION roost.account_me(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_me(roost.id) IS 'The actor''s own account.';
SELECT roost_internal.route('GET', '/auth/me', 'roost.account_me');
SELECT roost_internal.route('GET', '/users/me', 'roost.account_me');

CREATE FUNCTION roost.account_get(actor_id roost.id, account_id roost.account_ref) RETURNS roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account roost.account;
BEGIN
	SELECT * INTO v_account
	FROM roost_internal.account_hydrate(actor_id, ARRAY[roost_internal.account_resolve(account_id)]);
	RETURN v_account;
END
$$;
REVOKE ALL ON FUNCTION roost.account_get(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_get(roost.id, roost.account_ref) IS 'The public profile of the account with this id or @name, and how the actor (NULL: a stranger) stands to it. P0002 if there is none.';
SELECT roost_internal.route('GET', '/users/:account_id', 'roost.account_get', auth => 'optional');

CREATE FUNCTION roost.account_get_by_username(actor_id roost.id, username roost.username) RETURNS roost.account
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (roost.account_get($1, ('@' || $2)::roost.account_ref)).*
$$;
REVOKE ALL ON FUNCTION roost.account_get_by_username(roost.id, roost.username) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_get_by_username(roost.id, roost.username) IS 'The public profile of the account with this user name, and how the actor (NULL: a stranger) stands to it. P0002 if there is none.';
SELECT roost_internal.route('GET', '/users/by-username/:username', 'roost.account_get_by_username', auth => 'optional');

CREATE FUNCTION roost.account_list(actor_id roost.id, ids roost.id[] DEFAULT NULL, username roost.username DEFAULT NULL) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_ids bigint[] := coalesce(ids, '{}');
BEGIN
	IF pg_catalog.cardinality(v_ids) > 100 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'ids', MESSAGE = 'too many ids', DETAIL = 'At most 100 accounts can be asked for at once.';
	END IF;
	IF username IS NOT NULL THEN
		v_ids := v_ids || ARRAY(SELECT h.account_id FROM roost_data.account_handle h WHERE h.username = pg_catalog.lower(account_list.username));
	ELSIF ids IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'ids', MESSAGE = 'no account is asked for', HINT = 'Give ids or username.';
	END IF;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids);
END
$$;
REVOKE ALL ON FUNCTION roost.account_list(roost.id, roost.id[], roost.username) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_list(roost.id, roost.id[], roost.username) IS 'The public profiles of several accounts, by ids (at most 100, answered in that order) or user name, as the actor (NULL: a stranger) sees them. Those that do not exist are left out. 54000 for more ids, 22023 for neither.';
SELECT roost_internal.route('GET', '/users', 'roost.account_list', auth => 'optional');

CREATE FUNCTION roost_internal.handle_take(account_id bigint, username text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_handle text := pg_catalog.lower(handle_take.username);
	v_reserved boolean;
BEGIN
	v_reserved := EXISTS (
		SELECT FROM roost_data.reserved_handle r
		WHERE r.username = v_handle AND coalesce(r.until, 'infinity') > roost_internal.clock_now()
			AND r.account_id IS DISTINCT FROM handle_take.account_id);
	IF NOT v_reserved THEN
		INSERT INTO roost_data.account_handle (username, account_id) VALUES (v_handle, handle_take.account_id)
		ON CONFLICT DO NOTHING;
	END IF;
	IF v_reserved OR NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'username', MESSAGE = 'the user name is taken';
	END IF;
	DELETE FROM roost_data.reserved_handle r WHERE r.username = v_handle;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.handle_take(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.handle_take(bigint, text) IS 'Gives a user name to an account. 23505 if it is taken or reserved.';

CREATE FUNCTION roost_internal.handle_release(account_id bigint, reason text) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM roost_data.account_handle h WHERE h.account_id = $1 RETURNING h.username
	)
	INSERT INTO roost_data.reserved_handle AS r (username, until, account_id, reason)
	SELECT g.username, roost_internal.clock_now() + current_setting('roost.account_handle_rest')::interval, $1, $2
	FROM gone g
	WHERE current_setting('roost.account_handle_rest')::interval > '0'
	ON CONFLICT (username) DO UPDATE SET until = excluded.until, account_id = excluded.account_id, reason = excluded.reason
	WHERE r.until IS NOT NULL
$$;
REVOKE ALL ON FUNCTION roost_internal.handle_release(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.handle_release(bigint, text) IS 'Takes the user name from an account; nobody else gets it for roost.account_handle_rest.';

CREATE FUNCTION roost_internal.birth_date_check(birth_date date) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF birth_date > (roost_internal.clock_now() AT TIME ZONE 'UTC')::date + 1 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'birth_date', MESSAGE = 'the day of birth is in the future';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.birth_date_check(date) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.birth_date_check(date) IS 'Refuses a day of birth in the future with 22023; it may be tomorrow here and today elsewhere.';

CREATE FUNCTION roost.account_update(
	actor_id roost.id,
	username roost.username DEFAULT NULL,
	display_name roost.display_name DEFAULT NULL,
	bio roost.bio DEFAULT NULL,
	avatar_url roost.url DEFAULT NULL,
	header_url roost.url DEFAULT NULL,
	birth_date roost.birth_date DEFAULT 'infinity',
	language roost.language DEFAULT NULL,
	is_private boolean DEFAULT NULL,
	message_policy roost.message_policy DEFAULT NULL
) RETURNS roost.me
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account roost_data.account;
BEGIN
	IF birth_date <> 'infinity' THEN
		PERFORM roost_internal.birth_date_check(birth_date);
	END IF;
	SELECT a.* INTO v_account FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active' FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	IF pg_catalog.lower(username) <> pg_catalog.lower(v_account.username) THEN
		PERFORM roost_internal.handle_release(actor_id, 'renamed');
		PERFORM roost_internal.handle_take(actor_id, username);
	END IF;
	UPDATE roost_data.account a SET
		username = coalesce(account_update.username, a.username),
		display_name = coalesce(account_update.display_name, a.display_name),
		bio = coalesce(account_update.bio, a.bio),
		avatar_url = nullif(coalesce(account_update.avatar_url, a.avatar_url), ''),
		header_url = nullif(coalesce(account_update.header_url, a.header_url), ''),
		birth_date = CASE WHEN account_update.birth_date = 'infinity' THEN a.birth_date ELSE account_update.birth_date END,
		language = coalesce(account_update.language, a.language),
		is_private = coalesce(account_update.is_private, a.is_private),
		message_policy = coalesce(account_update.message_policy::text, a.message_policy),
		updated_at = roost_internal.clock_now()
	WHERE a.id = actor_id;
	RETURN roost_internal.account_me(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_update(roost.id, roost.username, roost.display_name, roost.bio, roost.url, roost.url, roost.birth_date, roost.language, boolean, roost.message_policy) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_update(roost.id, roost.username, roost.display_name, roost.bio, roost.url, roost.url, roost.birth_date, roost.language, boolean, roost.message_policy) IS 'Changes the fields of the actor''s account that are given. Empty text empties a field, null takes the birth_date away. The former user name stays reserved for the account for 30 days. 23505 if the user name is taken, 22023 for a birth_date in the future.';
SELECT roost_internal.route('PATCH', '/users/me', 'roost.account_update', limit_class => 'write');

-- Sessions, devices and refresh tokens.

CREATE FUNCTION roost_internal.user_agent_name(user_agent text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.concat_ws(' on ',
		CASE
			WHEN $1 ~ 'Edg(e|A|iOS)?/' THEN 'Edge'
			WHEN $1 ~ 'OPR/|Opera' THEN 'Opera'
			WHEN $1 ~ 'Firefox/|FxiOS/' THEN 'Firefox'
			WHEN $1 ~ 'Chrome/|CriOS/|Chromium/' THEN 'Chrome'
			WHEN $1 ~ 'Safari/' THEN 'Safari'
			ELSE pg_catalog.left(nullif(pg_catalog.substring($1, '^[A-Za-z0-9][A-Za-z0-9._ -]*'), ''), 60)
		END,
		CASE
			WHEN $1 ~ 'Android' THEN 'Android'
			WHEN $1 ~ 'iPhone|iPod' THEN 'iPhone'
			WHEN $1 ~ 'iPad' THEN 'iPad'
			WHEN $1 ~ 'Windows' THEN 'Windows'
			WHEN $1 ~ 'Macintosh|Mac OS X' THEN 'macOS'
			WHEN $1 ~ 'CrOS' THEN 'ChromeOS'
			WHEN $1 ~ 'Linux' THEN 'Linux'
		END)
$$;
REVOKE ALL ON FUNCTION roost_internal.user_agent_name(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.user_agent_name(text) IS 'What to call a device that did not name itself, for instance "Firefox on Linux"; empty if nothing is known.';

CREATE FUNCTION roost_internal.device_record(account_id bigint, device jsonb, user_agent text) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_device jsonb := CASE pg_catalog.jsonb_typeof(device) WHEN 'string' THEN pg_catalog.jsonb_build_object('name', device) ELSE device END;
	v_id bigint;
BEGIN
	INSERT INTO roost_data.device AS d (id, account_id, client_id, name, platform, created_at, last_seen_at)
	VALUES (roost_internal.id_next(device_record.account_id), device_record.account_id, v_device->>'id',
		coalesce(v_device->>'name', roost_internal.user_agent_name(user_agent)), coalesce(v_device->>'platform', ''), v_now, v_now)
	ON CONFLICT ON CONSTRAINT device_account_id_client_id_key DO UPDATE SET
		name = coalesce(v_device->>'name', d.name),
		platform = coalesce(v_device->>'platform', d.platform),
		last_seen_at = v_now
	RETURNING d.id INTO v_id;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.device_record(bigint, jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.device_record(bigint, jsonb, text) IS 'The id of the device that logs in (a value of roost.device_input): the known one of that client id, or a new one.';

CREATE FUNCTION roost_internal.session_revoke(account_id bigint, session_ids bigint[] DEFAULT NULL, keep_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_count bigint;
BEGIN
	-- Who locks several sessions of an account locks the account first.
	PERFORM FROM roost_data.account a WHERE a.id = session_revoke.account_id FOR NO KEY UPDATE;
	UPDATE roost_data.session s SET revoked_at = roost_internal.clock_now()
	WHERE s.account_id = session_revoke.account_id AND s.revoked_at IS NULL
		AND (session_ids IS NULL OR s.id = ANY (session_ids))
		AND s.id IS DISTINCT FROM keep_id;
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.session_revoke(bigint, bigint[], bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_revoke(bigint, bigint[], bigint) IS 'Ends sessions of an account, all of them or those given, but not keep_id; their access tokens end with the commit. Returns how many.';

CREATE FUNCTION roost_internal.session_kill(session_id bigint) RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_reuse_session_kill';
REVOKE ALL ON FUNCTION roost_internal.session_kill(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_kill(bigint) IS 'Ends a session even if the transaction fails: refreshing stops at once, access tokens end when the background worker has come round.';

CREATE FUNCTION roost_internal.session_killed(session_id bigint) RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_reuse_session_killed';
REVOKE ALL ON FUNCTION roost_internal.session_killed(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_killed(bigint) IS 'Whether roost_internal.session_kill has ended a session lately.';

CREATE FUNCTION roost_internal.session_end(session_ids bigint[]) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT roost_internal.session_revoke(s.account_id, array_agg(s.id))
	FROM roost_data.session s WHERE s.id = ANY ($1) GROUP BY s.account_id ORDER BY s.account_id
$$;
REVOKE ALL ON FUNCTION roost_internal.session_end(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_end(bigint[]) IS 'Revokes sessions; the background worker calls it for those that roost_internal.session_kill has ended.';

-- A refresh token is <session id>.<secret>.<tag>.  The secret is random at
-- first; each later one is a keyed hash of the one before, so that two
-- requests with one token get the same answer although only digests are
-- stored.  The tag says that the session once gave the token out; so an old
-- one that comes back is told from a made-up one without keeping them all.

CREATE FUNCTION roost_internal.refresh_mac(refresh_key text, message text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT pg_catalog.translate(pg_catalog.encode(
		pg_catalog.sha256(pg_catalog.convert_to($1, 'UTF8') ||
			pg_catalog.sha256(pg_catalog.convert_to($1 || $2, 'UTF8'))), 'base64'), '+/=', '-_')
$$;
REVOKE ALL ON FUNCTION roost_internal.refresh_mac(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.refresh_mac(text, text) IS 'A keyed hash of a message, as base64url. The key has a fixed length; hashing twice keeps the hash from being extended.';

CREATE FUNCTION roost_internal.refresh_token_make(session_id bigint, refresh_key text, secret text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT pg_catalog.concat_ws('.', $1, $3, pg_catalog.left(roost_internal.refresh_mac($2, 'tag.' || $1 || '.' || $3), 22))
$$;
REVOKE ALL ON FUNCTION roost_internal.refresh_token_make(bigint, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.refresh_token_make(bigint, text, text) IS 'The refresh token with this secret.';

CREATE FUNCTION roost_internal.refresh_token_next(session_id bigint, refresh_key text, token text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT roost_internal.refresh_token_make($1, $2, roost_internal.refresh_mac($2, 'next.' || pg_catalog.split_part($3, '.', 2)))
$$;
REVOKE ALL ON FUNCTION roost_internal.refresh_token_next(bigint, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.refresh_token_next(bigint, text, text) IS 'The refresh token that a token is exchanged for.';

CREATE FUNCTION roost_internal.session_token(account_id bigint, session_id bigint, device_id bigint, refresh_token text) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		roost_internal.token_make(account_id, session_id, device_id),
		refresh_token,
		'Bearer',
		pg_catalog.date_part('epoch', pg_catalog.current_setting('roost.token_access_ttl')::interval)::integer,
		session_id,
		roost_internal.account_me(account_id))::roost.session_token;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.session_token(bigint, bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_token(bigint, bigint, bigint, text) IS 'What a client gets for a session: a new access token and the given refresh token.';

CREATE FUNCTION roost_internal.session_create(account_id bigint, device jsonb, client_address inet, user_agent text) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_session_id bigint := roost_internal.id_next(session_create.account_id);
	v_device_id bigint;
	v_refresh_key text := roost_internal.random_token(32);
	v_refresh_token text := roost_internal.refresh_token_make(v_session_id, v_refresh_key, roost_internal.random_token(32));
BEGIN
	UPDATE roost_data.account a SET last_login_at = v_now, last_active_at = v_now
	WHERE a.id = session_create.account_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	v_device_id := roost_internal.device_record(session_create.account_id, device, user_agent);
	-- One session a device, and not too many of them.
	PERFORM roost_internal.session_revoke(session_create.account_id, ARRAY(
		SELECT s.id FROM roost_data.session s
		WHERE s.account_id = session_create.account_id AND s.revoked_at IS NULL AND s.device_id = v_device_id
		UNION ALL
		(SELECT s.id FROM roost_data.session s
		WHERE s.account_id = session_create.account_id AND s.revoked_at IS NULL
		ORDER BY s.last_used_at DESC, s.id DESC
		OFFSET pg_catalog.current_setting('roost.account_session_limit')::integer - 1)));
	INSERT INTO roost_data.session (id, account_id, device_id, refresh_key, refresh_digest, user_agent, address, created_at, last_used_at, expires_at)
	VALUES (v_session_id, session_create.account_id, v_device_id, v_refresh_key, roost_internal.token_digest(v_refresh_token),
		pg_catalog.left(session_create.user_agent, 300), client_address, v_now, v_now,
		v_now + pg_catalog.current_setting('roost.token_refresh_ttl')::interval);
	RETURN roost_internal.session_token(session_create.account_id, v_session_id, v_device_id, v_refresh_token);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.session_create(bigint, jsonb, inet, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.session_create(bigint, jsonb, inet, text) IS 'Logs an account in on a device and returns its tokens. An earlier session of the device ends, and beyond roost.account_session_limit sessions the one longest unused. 42501 if the account has been deleted or suspended meanwhile.';

CREATE FUNCTION roost.session_list(actor_id roost.id, session_id roost.id DEFAULT NULL) RETURNS SETOF roost.session
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.id, s.device_id, coalesce(d.name, ''), coalesce(d.platform, ''), s.user_agent, host(s.address), s.created_at, s.last_used_at, s.expires_at,
		s.id IS NOT DISTINCT FROM $2
	FROM roost_data.session s
	LEFT JOIN roost_data.device d ON d.id = s.device_id
	WHERE s.account_id = $1 AND s.revoked_at IS NULL AND s.expires_at > roost_internal.clock_now()
	ORDER BY s.last_used_at DESC, s.id DESC
$$;
REVOKE ALL ON FUNCTION roost.session_list(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.session_list(roost.id, roost.id) IS 'The actor''s sessions that still hold, the one used last first; session_id is marked as current.';
SELECT roost_internal.route('GET', '/auth/sessions', 'roost.session_list');
SELECT roost_internal.route('GET', '/sessions', 'roost.session_list');

CREATE FUNCTION roost.session_delete(actor_id roost.id, id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF roost_internal.session_revoke(actor_id, ARRAY[id::bigint]) = 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'id', MESSAGE = 'the session does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.session_delete(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.session_delete(roost.id, roost.id) IS 'Ends one of the actor''s sessions; its tokens end at once. P0002 if there is no such session.';
SELECT roost_internal.route('DELETE', '/auth/sessions/:id', 'roost.session_delete', status => 204);
SELECT roost_internal.route('DELETE', '/sessions/:id', 'roost.session_delete', status => 204);

CREATE FUNCTION roost.device_list(actor_id roost.id, device_id roost.id DEFAULT NULL) RETURNS SETOF roost.device
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT d.id, d.name, d.platform, d.created_at, d.last_seen_at, d.id IS NOT DISTINCT FROM $2
	FROM roost_data.device d
	WHERE d.account_id = $1
	ORDER BY d.last_seen_at DESC, d.id DESC
$$;
REVOKE ALL ON FUNCTION roost.device_list(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.device_list(roost.id, roost.id) IS 'The actor''s devices, the one seen last first; device_id is marked as current.';
SELECT roost_internal.route('GET', '/auth/devices', 'roost.device_list');
SELECT roost_internal.route('GET', '/devices', 'roost.device_list');

CREATE FUNCTION roost.device_delete(actor_id roost.id, id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.session_revoke(actor_id, ARRAY(
		SELECT s.id FROM roost_data.session s
		WHERE s.device_id = device_delete.id AND s.account_id = actor_id));
	DELETE FROM roost_data.device d WHERE d.id = device_delete.id AND d.account_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'id', MESSAGE = 'the device does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.device_delete(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.device_delete(roost.id, roost.id) IS 'Removes one of the actor''s devices and ends its session. P0002 if there is no such device.';
SELECT roost_internal.route('DELETE', '/auth/devices/:id', 'roost.device_delete', status => 204);
SELECT roost_internal.route('DELETE', '/devices/:id', 'roost.device_delete', status => 204);

-- Registering, logging in, refreshing, logging out.

CREATE FUNCTION roost_internal.password_set(account_id bigint, password text, field text, username text, email text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_reason text := roost_internal.password_check(password, username, email);
BEGIN
	IF v_reason IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = field, MESSAGE = v_reason;
	END IF;
	INSERT INTO roost_data.account_credential AS c (account_id, password_hash, password_changed_at)
	VALUES (password_set.account_id, roost_internal.password_hash(password), roost_internal.clock_now())
	ON CONFLICT ON CONSTRAINT account_credential_pkey DO UPDATE
	SET password_hash = excluded.password_hash, password_changed_at = excluded.password_changed_at;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.password_set(bigint, text, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_set(bigint, text, text, text, text) IS 'Gives an account a password; 22023 naming the field, and why, if it is too weak.';

CREATE FUNCTION roost.auth_register(
	username roost.username,
	email roost.email,
	password roost.password,
	display_name roost.display_name DEFAULT '',
	birth_date roost.birth_date DEFAULT NULL,
	language roost.language DEFAULT 'en',
	device roost.device_input DEFAULT NULL,
	client_address inet DEFAULT NULL,
	user_agent text DEFAULT NULL
) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_email text := pg_catalog.lower(email);
	v_id bigint := roost_internal.id_next();
BEGIN
	PERFORM roost_internal.birth_date_check(birth_date);
	INSERT INTO roost_data.account (id, username, display_name, birth_date, language, created_at, updated_at)
	VALUES (v_id, username, coalesce(display_name, ''), birth_date, coalesce(language, 'en'), v_now, v_now);
	PERFORM roost_internal.handle_take(v_id, username);
	PERFORM roost_internal.password_set(v_id, password, 'password', username, v_email);
	INSERT INTO roost_data.account_email (email, account_id, created_at) VALUES (v_email, v_id, v_now);
	PERFORM roost_internal.email_verify_send(v_id, v_email);
	RETURN roost_internal.session_create(v_id, device, client_address, user_agent);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_register(roost.username, roost.email, roost.password, roost.display_name, roost.birth_date, roost.language, roost.device_input, inet, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_register(roost.username, roost.email, roost.password, roost.display_name, roost.birth_date, roost.language, roost.device_input, inet, text) IS 'Makes an account, logs it in and sends a mail to verify the address. The answer is the same whether or not the address belongs to an account already (then the mail says so). 23505 if the user name is taken, 22023 for a weak password (the message says why) or a birth_date in the future.';
SELECT roost_internal.route('POST', '/auth/register', 'roost.auth_register', auth => 'none', limit_class => 'register', status => 201, lane => 'slow', cookies => true, sensitive => true);

CREATE FUNCTION roost_internal.login_key(identifier text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT -1 - (pg_catalog.hashtextextended(pg_catalog.lower(pg_catalog.ltrim($1, '@')), 8712) & 9223372036854775807)
$$;
REVOKE ALL ON FUNCTION roost_internal.login_key(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_key(text) IS 'The number under which failed logins with a user name or e-mail address are counted: negative, so that it is no account''s. What belongs to nobody is locked like anything else, and so tells nothing.';

CREATE FUNCTION roost_internal.login_candidates(identifier text) RETURNS TABLE (account_id bigint, status text, password_hash text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF identifier LIKE '_%@%' THEN
		-- Always two rows: who has verified the address, and who last named it.
		RETURN QUERY
		SELECT a.id, a.status::text, c.password_hash
		FROM (VALUES (true), (false)) AS kind (verified)
		LEFT JOIN LATERAL (
			SELECT e.account_id FROM roost_data.account_email e
			WHERE e.email = pg_catalog.lower(identifier) AND (e.verified_at IS NOT NULL) = kind.verified
			ORDER BY e.created_at DESC, e.account_id DESC LIMIT 1
		) e ON true
		LEFT JOIN roost_data.account a ON a.id = e.account_id
		LEFT JOIN roost_data.account_credential c ON c.account_id = a.id
		ORDER BY kind.verified DESC;
	ELSE
		RETURN QUERY
		SELECT a.id, a.status::text, c.password_hash
		FROM (VALUES (pg_catalog.lower(pg_catalog.ltrim(identifier, '@')))) AS wanted (username)
		LEFT JOIN roost_data.account_handle h ON h.username = wanted.username
		LEFT JOIN roost_data.account a ON a.id = h.account_id
		LEFT JOIN roost_data.account_credential c ON c.account_id = a.id;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.login_candidates(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_candidates(text) IS 'The accounts that may be meant by a user name (one row) or an e-mail address (two rows), with nulls where there is none, so that a login costs the same time in every case.';

CREATE FUNCTION roost_internal.login_check(login_key bigint, client_address inet) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_seconds integer := roost_internal.login_locked(login_key, pg_catalog.host(client_address));
BEGIN
	IF v_seconds > 0 THEN
		PERFORM roost.response_header('Retry-After', v_seconds::text);
		RAISE EXCEPTION USING ERRCODE = '53400', MESSAGE = 'too many failed logins',
			DETAIL = pg_catalog.format('Logging in is refused for another %s seconds.', v_seconds),
			HINT = 'Wait, or set a new password by mail.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.login_check(bigint, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.login_check(bigint, inet) IS 'Refuses with 53400 while an account or address is locked after failed logins.';

CREATE FUNCTION roost.auth_login(
	identifier roost.login_identifier,
	password roost.password,
	device roost.device_input DEFAULT NULL,
	client_address inet DEFAULT NULL,
	user_agent text DEFAULT NULL
) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_key bigint := roost_internal.login_key(identifier);
	v_candidate record;
	v_matches boolean;
	v_found record;
BEGIN
	-- One at a time for a name: guesses at once would all be made before the first one counts.
	PERFORM pg_catalog.pg_advisory_xact_lock(1919905649, pg_catalog.hashint8(v_key));
	PERFORM roost_internal.login_check(v_key, client_address);
	FOR v_candidate IN SELECT * FROM roost_internal.login_candidates(identifier) LOOP
		v_matches := CASE WHEN v_candidate.password_hash IS NULL THEN roost_internal.password_verify_dummy(password)
			ELSE roost_internal.password_verify(password, v_candidate.password_hash) END;
		IF v_matches AND v_found IS NULL THEN
			v_found := v_candidate;
		END IF;
	END LOOP;
	IF v_found IS NULL THEN
		PERFORM roost_internal.login_failed(v_key, pg_catalog.host(client_address));
		RAISE EXCEPTION USING ERRCODE = '28P01', MESSAGE = 'wrong user name, e-mail address or password';
	END IF;
	IF v_found.status <> 'active' THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is suspended';
	END IF;
	PERFORM roost_internal.login_succeeded(v_key);
	IF roost_internal.password_needs_rehash(v_found.password_hash) THEN
		UPDATE roost_data.account_credential c SET password_hash = roost_internal.password_hash(password)
		WHERE c.account_id = v_found.account_id AND c.password_hash = v_found.password_hash;
	END IF;
	RETURN roost_internal.session_create(v_found.account_id, device, client_address, user_agent);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_login(roost.login_identifier, roost.password, roost.device_input, inet, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_login(roost.login_identifier, roost.password, roost.device_input, inet, text) IS 'Logs in with a user name or e-mail address. 28P01 if they do not belong together (the answer does not tell which is wrong), 53400 while locked after failed logins (Retry-After in seconds), 42501 if the account is suspended.';
SELECT roost_internal.route('POST', '/auth/login', 'roost.auth_login', auth => 'none', limit_class => 'login', lane => 'slow', cookies => true, sensitive => true);

CREATE FUNCTION roost.auth_refresh(
	refresh_token roost.secret_token,
	client_address inet DEFAULT NULL,
	user_agent text DEFAULT NULL
) RETURNS roost.session_token
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_session roost_data.session;
	v_next text;
BEGIN
	-- The lock puts requests with tokens of one family in a row.
	SELECT s.* INTO v_session
	FROM roost_data.session s JOIN roost_data.account a ON a.id = s.account_id
	WHERE s.id = pg_catalog.substring(refresh_token, '^([0-9]{1,18})\.')::bigint
		AND s.revoked_at IS NULL AND s.expires_at > v_now AND a.status = 'active'
	FOR NO KEY UPDATE OF s;
	IF roost_internal.token_digest(refresh_token) IS DISTINCT FROM roost_internal.token_digest(
		roost_internal.refresh_token_make(v_session.id, v_session.refresh_key, pg_catalog.split_part(refresh_token, '.', 2)))
		OR roost_internal.session_killed(v_session.id) THEN
		RAISE EXCEPTION USING ERRCODE = '28000', COLUMN = 'refresh_token', MESSAGE = 'the refresh token is not valid', HINT = 'Log in again.';
	END IF;

	v_next := roost_internal.refresh_token_next(v_session.id, v_session.refresh_key, refresh_token);
	IF roost_internal.token_digest(refresh_token) = v_session.refresh_digest THEN
		UPDATE roost_data.session s SET
			refresh_digest = roost_internal.token_digest(v_next),
			former_digest = v_session.refresh_digest,
			refreshed_at = v_now,
			last_used_at = v_now,
			expires_at = v_now + pg_catalog.current_setting('roost.token_refresh_ttl')::interval,
			address = coalesce(client_address, s.address),
			user_agent = coalesce(pg_catalog.left(auth_refresh.user_agent, 300), s.user_agent)
		WHERE s.id = v_session.id;
		UPDATE roost_data.device d SET last_seen_at = v_now WHERE d.id = v_session.device_id;
		PERFORM roost_internal.account_touch(v_session.account_id);
	ELSIF roost_internal.token_digest(refresh_token) IS DISTINCT FROM v_session.former_digest
		OR v_session.refreshed_at <= v_now - pg_catalog.current_setting('roost.account_reuse_window')::interval THEN
		PERFORM roost_internal.session_kill(v_session.id);
		RAISE EXCEPTION USING ERRCODE = '28000', COLUMN = 'refresh_token', MESSAGE = 'the refresh token was used before',
			DETAIL = 'The session has ended, because somebody else may have a copy of the token.', HINT = 'Log in again.';
	END IF;
	RETURN roost_internal.session_token(v_session.account_id, v_session.id, v_session.device_id, v_next);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_refresh(roost.secret_token, inet, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_refresh(roost.secret_token, inet, text) IS 'Exchanges a refresh token (over HTTP it may come as the cookie roost_refresh) for the next pair of tokens. The old one gives the same pair again for 10 seconds, for tabs that refresh at the same time; used later, it ends the session. 28000 if it is not valid.';
SELECT roost_internal.route('POST', '/auth/refresh', 'roost.auth_refresh', auth => 'none', limit_class => 'refresh', cookies => true, sensitive => true);

CREATE FUNCTION roost.auth_logout(actor_id roost.id, session_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.session_revoke(actor_id, ARRAY[session_id::bigint]);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_logout(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_logout(roost.id, roost.id) IS 'Ends the session that asks; its tokens end at once.';
SELECT roost_internal.route('POST', '/auth/logout', 'roost.auth_logout', status => 204, cookies => true);

CREATE FUNCTION roost.auth_logout_all(actor_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.session_revoke(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_logout_all(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_logout_all(roost.id) IS 'Ends all of the actor''s sessions, also the one that asks.';
SELECT roost_internal.route('POST', '/auth/logout-all', 'roost.auth_logout_all', status => 204, cookies => true);

-- Proving an e-mail address, forgotten passwords, changed passwords.

CREATE FUNCTION roost_internal.email_token_send(
	account_id bigint,
	purpose text,
	email text,
	template text,
	lifetime interval,
	keep boolean DEFAULT true
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_token text := roost_internal.random_token(32);
	v_account roost_data.account;
BEGIN
	SELECT a.* INTO v_account FROM roost_data.account a WHERE a.id = email_token_send.account_id;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	INSERT INTO roost_data.email_token (digest, account_id, purpose, email, created_at, expires_at)
	VALUES (roost_internal.token_digest(v_token), v_account.id, purpose, email, v_now, v_now + lifetime);
	PERFORM roost_internal.mail_add(email, template, v_account.language, jsonb_build_object(
		'username', v_account.username,
		'display_name', coalesce(nullif(v_account.display_name, ''), v_account.username),
		'token', v_token,
		'hours', ceil(date_part('epoch', lifetime) / 3600)), v_account.id);
	-- No address is flooded, by however many accounts that name it.
	IF EXISTS (
		SELECT FROM roost_data.email_token t WHERE t.email = email_token_send.email AND t.created_at > v_now - interval '1 hour'
		OFFSET current_setting('roost.account_mail_limit')::integer) OR NOT keep THEN
		RAISE EXCEPTION USING ERRCODE = 'RO000';
	END IF;
EXCEPTION WHEN SQLSTATE 'RO000' THEN
	-- Undone, after the same work: the time of the answer tells nothing.
END
$$;
REVOKE ALL ON FUNCTION roost_internal.email_token_send(bigint, text, text, text, interval, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_token_send(bigint, text, text, text, interval, boolean) IS 'Makes a token for an account and address, and a mail that carries it. Beyond roost.account_mail_limit of them an hour for one address, or without keep, nothing is left of it.';

CREATE FUNCTION roost_internal.email_verify_send(account_id bigint, email text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_taken boolean := EXISTS (
		SELECT FROM roost_data.account_email e
		WHERE e.email = email_verify_send.email AND e.verified_at IS NOT NULL AND e.account_id <> email_verify_send.account_id);
BEGIN
	-- The same work in both cases; the mail "address_taken" does not show the token.
	PERFORM roost_internal.email_token_send(email_verify_send.account_id, 'verify', email_verify_send.email,
		CASE WHEN v_taken THEN 'address_taken' ELSE 'verify_email' END,
		pg_catalog.current_setting('roost.account_verify_lifetime')::interval);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.email_verify_send(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_verify_send(bigint, text) IS 'Sends the mail with which an account proves an address; or, if another account has proved it, one that says so. The caller cannot tell which.';

CREATE FUNCTION roost_internal.account_notice_send(account_id bigint, template text) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT roost_internal.mail_add(e.email, $2, a.language, jsonb_build_object(
		'username', a.username, 'display_name', coalesce(nullif(a.display_name, ''), a.username)),
		CASE WHEN $2 <> 'account_deleted' THEN a.id END)
	FROM roost_data.account a
	JOIN roost_data.account_email e ON e.account_id = a.id
	WHERE a.id = $1 AND e.verified_at IS NOT NULL
$$;
REVOKE ALL ON FUNCTION roost_internal.account_notice_send(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_notice_send(bigint, text) IS 'Sends a mail without a token to the verified address of an account, if it has one.';

CREATE FUNCTION roost_internal.email_token_take(token text, purpose text) RETURNS roost_internal.email_token_owner
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_owner roost_internal.email_token_owner;
BEGIN
	-- The account first: whoever changes credentials holds its lock.
	SELECT t.account_id INTO v_account_id FROM roost_data.email_token t WHERE t.digest = roost_internal.token_digest(token);
	PERFORM FROM roost_data.account a WHERE a.id = v_account_id AND a.status = 'active' FOR NO KEY UPDATE;
	IF FOUND THEN
		UPDATE roost_data.email_token t SET used_at = roost_internal.clock_now()
		WHERE t.digest = roost_internal.token_digest(token) AND t.purpose = email_token_take.purpose
			AND t.used_at IS NULL AND t.expires_at > roost_internal.clock_now()
		RETURNING t.account_id, t.email INTO v_owner;
	END IF;
	IF v_owner.account_id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'token', MESSAGE = 'the token is not valid',
			DETAIL = 'It has expired, was used before, or is incomplete.', HINT = 'Ask for a new mail.';
	END IF;
	RETURN v_owner;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.email_token_take(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_token_take(text, text) IS 'Uses a token from a mail up, locks its account, and returns which account and address it stands for. 22023 if it is not valid.';

CREATE FUNCTION roost_internal.email_token_drop(account_id bigint, email text) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_data.email_token t
	WHERE t.account_id = $1 AND (t.purpose = 'reset' OR t.email IS DISTINCT FROM $2)
$$;
REVOKE ALL ON FUNCTION roost_internal.email_token_drop(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_token_drop(bigint, text) IS 'Makes the tokens in mails worthless that whoever knew the former password may have asked for: those that set a password, and those that bring another address.';

CREATE FUNCTION roost_internal.email_verified(account_id bigint, email text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.account_email e SET email = email_verified.email, verified_at = roost_internal.clock_now()
	WHERE e.account_id = email_verified.account_id AND (e.verified_at IS NULL OR e.email <> email_verified.email);
	RETURN true;
EXCEPTION WHEN unique_violation THEN
	RETURN false;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.email_verified(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.email_verified(bigint, text) IS 'Makes an address the verified one of an account. False if another account has verified it.';

CREATE FUNCTION roost.auth_verify_email(token roost.secret_token) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_owner roost_internal.email_token_owner := roost_internal.email_token_take(token, 'verify');
	v_former text;
BEGIN
	SELECT e.email INTO v_former FROM roost_data.account_email e
	WHERE e.account_id = v_owner.account_id AND e.verified_at IS NOT NULL AND e.email <> v_owner.email;
	IF v_former IS NOT NULL THEN
		PERFORM roost_internal.account_notice_send(v_owner.account_id, 'email_changed');
	END IF;
	IF NOT roost_internal.email_verified(v_owner.account_id, v_owner.email) THEN
		RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'token', MESSAGE = 'the e-mail address belongs to another account';
	END IF;
	DELETE FROM roost_data.email_token t WHERE t.account_id = v_owner.account_id AND t.purpose = 'verify';
END
$$;
REVOKE ALL ON FUNCTION roost.auth_verify_email(roost.secret_token) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_verify_email(roost.secret_token) IS 'Proves an e-mail address with the token from the mail; from now on it is the account''s address. 22023 if the token is not valid, 23505 if another account has proved the address meanwhile.';
SELECT roost_internal.route('POST', '/auth/verify-email', 'roost.auth_verify_email', auth => 'none', limit_class => 'login', status => 204);

CREATE FUNCTION roost.auth_resend_verification(actor_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.email_verify_send(e.account_id, e.email)
	FROM roost_data.account_email e
	WHERE e.account_id = actor_id AND e.verified_at IS NULL;
END
$$;
REVOKE ALL ON FUNCTION roost.auth_resend_verification(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_resend_verification(roost.id) IS 'Sends the actor another mail to verify the address, unless it is verified.';
SELECT roost_internal.route('POST', '/auth/resend-verification', 'roost.auth_resend_verification', limit_class => 'mail', status => 204);

CREATE FUNCTION roost_internal.password_prove(actor_id bigint, password text, field text, client_address inet) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_hash text;
BEGIN
	PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active' FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	PERFORM roost_internal.login_check(actor_id, client_address);
	SELECT c.password_hash INTO v_hash FROM roost_data.account_credential c WHERE c.account_id = actor_id;
	IF roost_internal.password_verify(password, v_hash) IS NOT TRUE THEN
		PERFORM roost_internal.login_failed(actor_id, pg_catalog.host(client_address));
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = field, MESSAGE = 'the password is wrong';
	END IF;
	PERFORM roost_internal.login_succeeded(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.password_prove(bigint, text, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_prove(bigint, text, text, inet) IS 'Locks the account and checks that the actor knows its password: 42501 if not, 53400 while locked after failed attempts.';

CREATE FUNCTION roost.auth_change_email(actor_id roost.id, email roost.email, password roost.password, client_address inet DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.password_prove(actor_id, password, 'password', client_address);
	PERFORM roost_internal.email_verify_send(actor_id, pg_catalog.lower(email));
END
$$;
REVOKE ALL ON FUNCTION roost.auth_change_email(roost.id, roost.email, roost.password, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_change_email(roost.id, roost.email, roost.password, inet) IS 'Sends a mail to a new address; once its link is opened, that address is the account''s. Until then the former one stays. 42501 if the password is wrong, 53400 while locked after failed attempts.';
SELECT roost_internal.route('POST', '/auth/change-email', 'roost.auth_change_email', limit_class => 'password', status => 204, lane => 'slow');

CREATE FUNCTION roost.auth_change_password(
	actor_id roost.id,
	session_id roost.id,
	current_password roost.password,
	new_password roost.password,
	client_address inet DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account roost.me := roost_internal.account_me(actor_id);
BEGIN
	PERFORM roost_internal.password_prove(actor_id, current_password, 'current_password', client_address);
	PERFORM roost_internal.password_set(actor_id, new_password, 'new_password', v_account.username, v_account.email);
	PERFORM roost_internal.session_revoke(actor_id, keep_id => session_id);
	PERFORM roost_internal.email_token_drop(actor_id, v_account.email);
	PERFORM roost_internal.account_notice_send(actor_id, 'password_changed');
END
$$;
REVOKE ALL ON FUNCTION roost.auth_change_password(roost.id, roost.id, roost.password, roost.password, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_change_password(roost.id, roost.id, roost.password, roost.password, inet) IS 'Changes the actor''s password and ends all sessions but session_id. 42501 if the current one is wrong, 22023 if the new one is weak (the message says why), 53400 while locked after failed attempts.';
SELECT roost_internal.route('POST', '/auth/change-password', 'roost.auth_change_password', limit_class => 'password', status => 204, lane => 'slow');

CREATE FUNCTION roost.auth_forgot_password(email roost.email) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_email text := pg_catalog.lower(email);
	v_account_id bigint;
BEGIN
	SELECT e.account_id INTO v_account_id
	FROM roost_data.account_email e
	JOIN roost_data.account a ON a.id = e.account_id AND a.status = 'active'
	WHERE e.email = v_email
	ORDER BY e.verified_at IS NULL, e.created_at DESC, e.account_id DESC
	LIMIT 1;
	PERFORM roost_internal.email_token_send(coalesce(v_account_id, (SELECT min(a.id) FROM roost_data.account a)), 'reset', v_email,
		'reset_password', current_setting('roost.account_reset_lifetime')::interval, keep => v_account_id IS NOT NULL);
END
$$;
REVOKE ALL ON FUNCTION roost.auth_forgot_password(roost.email) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_forgot_password(roost.email) IS 'Sends a mail to set a new password, if the address belongs to an account. The answer and its time are the same if not.';
SELECT roost_internal.route('POST', '/auth/forgot-password', 'roost.auth_forgot_password', auth => 'none', limit_class => 'mail', status => 204, lane => 'slow');

CREATE FUNCTION roost.auth_reset_password(token roost.secret_token, password roost.password) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_owner roost_internal.email_token_owner := roost_internal.email_token_take(token, 'reset');
	v_account roost.me := roost_internal.account_me(v_owner.account_id);
BEGIN
	PERFORM roost_internal.password_set(v_owner.account_id, password, 'password', v_account.username, v_account.email);
	PERFORM roost_internal.session_revoke(v_owner.account_id);
	PERFORM roost_internal.email_token_drop(v_owner.account_id, v_account.email);
	-- Whoever opened the link reads the mail of that address.
	IF v_account.email = v_owner.email THEN
		PERFORM roost_internal.email_verified(v_owner.account_id, v_owner.email);
	END IF;
	PERFORM roost_internal.login_succeeded(v_owner.account_id);
	PERFORM roost_internal.login_succeeded(roost_internal.login_key(v_owner.email));
	PERFORM roost_internal.login_succeeded(roost_internal.login_key(v_account.username));
	PERFORM roost_internal.account_notice_send(v_owner.account_id, 'password_changed');
END
$$;
REVOKE ALL ON FUNCTION roost.auth_reset_password(roost.secret_token, roost.password) FROM PUBLIC;
COMMENT ON FUNCTION roost.auth_reset_password(roost.secret_token, roost.password) IS 'Sets a new password with the token from the mail, ends all sessions of the account and unlocks it. 22023 if the token is not valid, or the password is weak (the message says why; the token stays valid).';
SELECT roost_internal.route('POST', '/auth/reset-password', 'roost.auth_reset_password', auth => 'none', limit_class => 'password', status => 204, lane => 'slow');

-- Taking everything along, and leaving.
--
-- A module contributes roost_internal.<module>_export(account_id bigint)
-- RETURNS jsonb and roost_internal.<module>_account_delete(account_id bigint);
-- both are found in the catalog by their names.

CREATE FUNCTION roost_internal.account_hooks(suffix text) RETURNS TABLE (module text, function regprocedure)
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT left(p.proname, -length($1)), p.oid::regprocedure
	FROM pg_proc p
	WHERE p.pronamespace = 'roost_internal'::regnamespace AND right(p.proname, length($1)) = $1
		AND p.proargtypes = '20'::oidvector AND p.prokind = 'f'
	ORDER BY p.proname
$$;
REVOKE ALL ON FUNCTION roost_internal.account_hooks(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_hooks(text) IS 'The functions roost_internal.<module><suffix>(bigint), and the modules they speak for.';

CREATE FUNCTION roost_internal.account_hold(account_id bigint, other_id bigint DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_key constant integer := pg_catalog.hashint8(account_id);
	v_other constant integer := coalesce(pg_catalog.hashint8(other_id), v_key);
BEGIN
	PERFORM pg_catalog.pg_advisory_xact_lock_shared(1919905651, least(v_key, v_other));
	IF v_other <> v_key THEN
		PERFORM pg_catalog.pg_advisory_xact_lock_shared(1919905651, greatest(v_key, v_other));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_hold(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_hold(bigint, bigint) IS 'Keeps one or two accounts from being deleted, or opened to everyone, until the end of the transaction: for what somebody does to another, and what must go when they go. What is read afterwards about their status still holds at the commit.';

CREATE FUNCTION roost_internal.account_hold_alone(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT pg_catalog.pg_advisory_xact_lock(1919905651, pg_catalog.hashint8($1))
$$;
REVOKE ALL ON FUNCTION roost_internal.account_hold_alone(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_hold_alone(bigint) IS 'Waits for all that hold the account, and keeps others out until the end of the transaction. The row of the account is locked before.';

CREATE FUNCTION roost_internal.account_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'profile', to_jsonb(roost_internal.account_me($1)) || jsonb_build_object('id', $1::text),
		'email', (SELECT jsonb_build_object('address', e.email, 'verified_at', e.verified_at, 'created_at', e.created_at)
			FROM roost_data.account_email e WHERE e.account_id = $1),
		'password_changed_at', (SELECT c.password_changed_at FROM roost_data.account_credential c WHERE c.account_id = $1),
		'devices', coalesce((SELECT jsonb_agg(to_jsonb(d) ORDER BY d.id)
			FROM (SELECT t.id::text, t.client_id, t.name, t.platform, t.created_at, t.last_seen_at FROM roost_data.device t WHERE t.account_id = $1) d), '[]'),
		'sessions', coalesce((SELECT jsonb_agg(to_jsonb(s) ORDER BY s.id)
			FROM (SELECT t.id::text, t.device_id::text, t.user_agent, host(t.address) AS address, t.created_at, t.last_used_at, t.expires_at, t.revoked_at
				FROM roost_data.session t WHERE t.account_id = $1) s), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.account_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_export(bigint) IS 'What the account module holds of an account, without secrets.';

CREATE FUNCTION roost.account_export(actor_id roost.id) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_hook record;
	v_part jsonb;
	v_export jsonb := pg_catalog.jsonb_build_object('exported_at', roost_internal.clock_now());
BEGIN
	PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status <> 'deleted';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
	FOR v_hook IN SELECT * FROM roost_internal.account_hooks('_export') LOOP
		EXECUTE pg_catalog.format('SELECT %s($1)', v_hook.function::regproc) INTO v_part USING actor_id::bigint;
		v_export := v_export || pg_catalog.jsonb_build_object(v_hook.module, v_part);
	END LOOP;
	RETURN v_export;
END
$$;
REVOKE ALL ON FUNCTION roost.account_export(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_export(roost.id) IS 'Everything roost holds of the actor, one field a module.';
SELECT roost_internal.route('GET', '/users/me/export', 'roost.account_export', limit_class => 'export', lane => 'slow', sensitive => true);

CREATE FUNCTION roost.account_delete(actor_id roost.id, password roost.password, client_address inet DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.password_prove(actor_id, password, 'password', client_address);
	PERFORM roost_internal.account_erase(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_delete(roost.id, roost.password, inet) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_delete(roost.id, roost.password, inet) IS 'Deletes the actor''s account and everything that belongs to it, for good. The user name stays reserved for 30 days. 42501 if the password is wrong, 53400 while locked after failed attempts.';
SELECT roost_internal.route('DELETE', '/users/me', 'roost.account_delete', limit_class => 'password', status => 204, lane => 'slow', cookies => true);

CREATE FUNCTION roost_internal.account_erase(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_hook record;
BEGIN
	PERFORM roost_internal.account_notice_send(account_erase.account_id, 'account_deleted');
	PERFORM roost_internal.session_revoke(account_erase.account_id);
	-- One at a time: two who leave at once may have followed and liked each other.
	PERFORM pg_catalog.pg_advisory_xact_lock(1919905650, 0);
	PERFORM roost_internal.account_hold_alone(account_erase.account_id);
	FOR v_hook IN SELECT * FROM roost_internal.account_hooks('_account_delete') LOOP
		EXECUTE pg_catalog.format('SELECT %s($1)', v_hook.function::regproc) USING account_erase.account_id;
	END LOOP;
	PERFORM roost_internal.handle_release(account_erase.account_id, 'deleted');
	UPDATE roost_data.reserved_handle r SET account_id = NULL WHERE r.account_id = account_erase.account_id;
	DELETE FROM roost_data.account_credential t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.account_email t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.email_token t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.device t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.account_stat t WHERE t.account_id = account_erase.account_id;
	DELETE FROM roost_data.import_map t WHERE t.kind = 'account' AND t.id = account_erase.account_id;
	-- Addresses and user agents of the ended sessions; maintenance removes the rest.
	UPDATE roost_data.session t SET address = NULL, user_agent = NULL WHERE t.account_id = account_erase.account_id;
	UPDATE roost_data.account a SET
		username = 'deleted_' || a.id, display_name = '', bio = '', avatar_url = NULL, header_url = NULL, birth_date = NULL,
		language = 'en', is_private = false, is_verified = false, status = 'deleted', role = 'user', message_policy = 'everyone',
		updated_at = roost_internal.clock_now(), last_login_at = NULL, last_active_at = NULL
	WHERE a.id = account_erase.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_erase(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_erase(bigint) IS 'Ends the sessions of an account, lets every module delete what it holds of it, and empties it.';

CREATE FUNCTION roost_internal.account_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_rows bigint;
	v_count bigint := 0;
BEGIN
	-- Ended sessions stay a day longer than any access token of theirs.
	DELETE FROM roost_data.session s
	WHERE s.expires_at < v_now - interval '1 day' OR s.revoked_at < v_now - interval '1 day' - roost_internal.token_lifetime();
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	DELETE FROM roost_data.email_token t WHERE t.expires_at < v_now - interval '1 day';
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	DELETE FROM roost_data.device d
	WHERE d.client_id IS NULL AND d.last_seen_at < v_now - interval '1 day'
		AND NOT EXISTS (SELECT FROM roost_data.session s WHERE s.device_id = d.id);
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	v_count := v_count + v_rows;
	DELETE FROM roost_data.reserved_handle r WHERE r.until < v_now;
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	RETURN v_count + v_rows + roost_internal.account_stat_fold();
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_maintenance() IS 'Deletes what has expired (sessions, tokens of mails, devices without a name of their own, reserved user names) and folds counters. Returns how many rows went away.';

-- Import of accounts, for those who move in.

CREATE FUNCTION roost_internal.import_account_refusal(
	username text,
	email text,
	password_hash text,
	display_name text,
	bio text,
	avatar_url text,
	header_url text,
	birth_date date,
	language text,
	created_at timestamptz
) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	v_type text;
	v_rule text;
BEGIN
	IF username IS NULL THEN
		RETURN 'username is missing';
	ELSIF password_hash !~ '^\$(argon2id?|2[aby])\$.{20,}$' THEN
		RETURN 'password_hash is of an unknown kind';
	ELSIF created_at < '1970-01-01' OR created_at > roost_internal.clock_now() THEN
		RETURN 'created_at is before 1970 or in the future';
	END IF;
	-- The domains know the rules.
	PERFORM username::roost.username, email::roost.email, display_name::roost.display_name, bio::roost.bio,
		avatar_url::roost.url, header_url::roost.url, birth_date::roost.birth_date, language::roost.language;
	RETURN NULL;
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS v_type = PG_DATATYPE_NAME;
	SELECT d.description INTO v_rule FROM pg_catalog.pg_description d
	WHERE d.classoid = 'pg_catalog.pg_type'::regclass AND d.objoid = pg_catalog.to_regtype('roost.' || v_type) AND d.objsubid = 0;
	RETURN pg_catalog.format('%s is not valid: %s', v_type, v_rule);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_account_refusal(text, text, text, text, text, text, text, date, text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_account_refusal(text, text, text, text, text, text, text, date, text, timestamptz) IS 'Why an account cannot be imported, or null.';

CREATE FUNCTION roost_internal.import_account_insert(try bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_count bigint;
BEGIN
	-- The ids of one millisecond are few: many accounts of one time take the
	-- following milliseconds as well, and where two meet, one tries again.
	WITH candidate AS (
		SELECT s.external_id, CASE WHEN s.created_at IS NULL THEN roost_internal.id_next()
			ELSE roost_internal.id_at(
				s.created_at + row_number() OVER (PARTITION BY date_trunc('milliseconds', s.created_at)) / 512 * interval '1 ms',
				NULL, hashtextextended(s.external_id, try)) END AS id
		FROM roost_data.import_account s
		WHERE s.error IS NULL
			AND NOT EXISTS (SELECT FROM roost_data.import_map m WHERE m.kind = 'account' AND m.external_id = s.external_id)
	), mapped AS (
		INSERT INTO roost_data.import_map (kind, external_id, id)
		SELECT DISTINCT ON (c.id) 'account', c.external_id, c.id FROM candidate c
		WHERE NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = c.id)
		ORDER BY c.id, c.external_id
		RETURNING external_id, id
	)
	INSERT INTO roost_data.account (id, username, display_name, bio, avatar_url, header_url, birth_date, language, is_private, created_at)
	SELECT m.id, s.username, coalesce(s.display_name, ''), coalesce(s.bio, ''), nullif(s.avatar_url, ''), nullif(s.header_url, ''), s.birth_date,
		coalesce(s.language, 'en'), s.is_private, coalesce(s.created_at, roost.id_time(m.id))
	FROM roost_data.import_account s JOIN mapped m ON m.external_id = s.external_id;
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_account_insert(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_account_insert(bigint) IS 'Makes accounts of the staged rows without an error, with ids that say when they were made; returns how many. A few may have to wait for the next try, which picks other ids.';

CREATE FUNCTION roost.account_import() RETURNS roost.import_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_result roost.import_result;
	v_wanted bigint;
	v_try bigint := 0;
BEGIN
	LOCK TABLE roost_data.import_account IN ACCESS EXCLUSIVE MODE;
	ANALYZE roost_data.import_account;
	DELETE FROM roost_data.import_account s USING roost_data.import_map m
	WHERE m.kind = 'account' AND m.external_id = s.external_id;
	GET DIAGNOSTICS v_result.existing = ROW_COUNT;

	UPDATE roost_data.import_account s SET error = NULL WHERE s.error IS NOT NULL;
	UPDATE roost_data.import_account s SET error = r.error
	FROM (
		SELECT t.external_id, roost_internal.import_account_refusal(t.username, t.email, t.password_hash, t.display_name, t.bio,
			t.avatar_url, t.header_url, t.birth_date, t.language, t.created_at) AS error
		FROM roost_data.import_account t
	) r
	WHERE r.external_id = s.external_id AND r.error IS NOT NULL;
	UPDATE roost_data.import_account s SET error = 'username is taken'
	FROM (
		SELECT t.external_id, row_number() OVER (PARTITION BY lower(t.username) ORDER BY t.created_at, t.external_id) AS n
		FROM roost_data.import_account t WHERE t.error IS NULL
	) n
	WHERE n.external_id = s.external_id
		AND (n.n > 1 OR EXISTS (SELECT FROM roost_data.account_handle h WHERE h.username = lower(s.username) COLLATE "C"));
	UPDATE roost_data.import_account s SET error = 'email belongs to another account'
	FROM (
		SELECT t.external_id, row_number() OVER (PARTITION BY lower(t.email) ORDER BY t.created_at, t.external_id) AS n
		FROM roost_data.import_account t WHERE t.error IS NULL AND t.email_verified AND t.email IS NOT NULL
	) n
	WHERE n.external_id = s.external_id
		AND (n.n > 1 OR EXISTS (SELECT FROM roost_data.account_email e WHERE e.email = lower(s.email) COLLATE "C" AND e.verified_at IS NOT NULL));
	SELECT count(*) FILTER (WHERE s.error IS NULL), count(*) FILTER (WHERE s.error IS NOT NULL)
	INTO v_wanted, v_result.refused
	FROM roost_data.import_account s;

	v_result.inserted := 0;
	WHILE v_result.inserted < v_wanted LOOP
		v_result.inserted := v_result.inserted + roost_internal.import_account_insert(v_try);
		v_try := v_try + 1;
	END LOOP;
	INSERT INTO roost_data.account_handle (username, account_id)
	SELECT lower(s.username), m.id
	FROM roost_data.import_account s JOIN roost_data.import_map m ON m.kind = 'account' AND m.external_id = s.external_id;
	INSERT INTO roost_data.account_email (email, account_id, verified_at)
	SELECT lower(s.email), m.id, CASE WHEN s.email_verified THEN now() END
	FROM roost_data.import_account s JOIN roost_data.import_map m ON m.kind = 'account' AND m.external_id = s.external_id
	WHERE s.email IS NOT NULL;
	INSERT INTO roost_data.account_credential (account_id, password_hash)
	SELECT m.id, s.password_hash
	FROM roost_data.import_account s JOIN roost_data.import_map m ON m.kind = 'account' AND m.external_id = s.external_id
	WHERE s.password_hash IS NOT NULL;

	DELETE FROM roost_data.import_account s WHERE s.error IS NULL;
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.account_import() FROM PUBLIC;
COMMENT ON FUNCTION roost.account_import() IS 'Makes accounts of the rows of roost_data.import_account, with their creation times, addresses and password hashes (argon2 or bcrypt), and remembers their external ids in roost_data.import_map. Rows done, and rows imported before, leave the table; refused ones stay, with the reason in error, and are tried again by the next call. Reserved user names may be imported.';

CREATE FUNCTION roost_internal.tables_graph() RETURNS text LANGUAGE sql IMMUTABLE AS $roost_function$ SELECT $roost_tables$
-- Tables of the graph module.
--
-- A row's owner is the follower.  Follow and request are told apart by the
-- table they stand in; for one pair at most one of the two exists.

CREATE TABLE IF NOT EXISTS roost_data.follow (
	follower_id bigint NOT NULL,
	followee_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (follower_id, followee_id),
	CONSTRAINT follow_self_check CHECK (follower_id <> followee_id)
);
COMMENT ON TABLE roost_data.follow IS 'Who follows whom, once each; id orders the lists.';
CREATE INDEX IF NOT EXISTS follow_followee_id_id_idx ON roost_data.follow (followee_id, id DESC) INCLUDE (follower_id);
CREATE INDEX IF NOT EXISTS follow_follower_id_id_idx ON roost_data.follow (follower_id, id DESC) INCLUDE (followee_id);

CREATE TABLE IF NOT EXISTS roost_data.follow_request (
	follower_id bigint NOT NULL,
	followee_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (follower_id, followee_id),
	CONSTRAINT follow_request_self_check CHECK (follower_id <> followee_id)
);
COMMENT ON TABLE roost_data.follow_request IS 'Who waits for a private account''s consent to follow it; id orders the lists.';
CREATE INDEX IF NOT EXISTS follow_request_followee_id_id_idx ON roost_data.follow_request (followee_id, id DESC) INCLUDE (follower_id);

-- Counters: once a statement, however many rows it writes.
CREATE OR REPLACE TRIGGER follow_insert_count AFTER INSERT ON roost_data.follow
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.follow_count('1');
CREATE OR REPLACE TRIGGER follow_delete_count AFTER DELETE ON roost_data.follow
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.follow_count('-1');

-- Events for the worker.
CREATE OR REPLACE TRIGGER follow_insert_event AFTER INSERT ON roost_data.follow
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('follow_created', 'follower_id', 'followee_id', 'id');
CREATE OR REPLACE TRIGGER follow_delete_event AFTER DELETE ON roost_data.follow
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('follow_deleted', 'follower_id', 'followee_id', 'id');

-- An account that stops being private lets in those who wait.
CREATE OR REPLACE TRIGGER account_open_requests AFTER UPDATE OF is_private ON roost_data.account
	FOR EACH ROW WHEN (OLD.is_private AND NOT NEW.is_private) EXECUTE FUNCTION roost_internal.follow_request_open();

CREATE TABLE IF NOT EXISTS roost_data.import_follow (
	follower text COLLATE "C",
	followee text COLLATE "C",
	created_at timestamptz,
	error text
);
COMMENT ON TABLE roost_data.import_follow IS 'Follows to import: COPY them here after their accounts are imported, then SELECT roost.follow_import(). follower and followee are external ids of accounts. What was imported leaves the table; what was refused stays, with the reason in error.';

CREATE OR REPLACE VIEW roost_bi.follow AS
SELECT f.id, f.follower_id, f.followee_id, f.created_at
FROM roost_data.follow f
JOIN roost_data.account r ON r.id = f.follower_id AND r.status = 'active' AND NOT r.is_private
JOIN roost_data.account e ON e.id = f.followee_id AND e.status = 'active' AND NOT e.is_private;
COMMENT ON VIEW roost_bi.follow IS 'Who follows whom and since when, among active accounts that are not private.';
$roost_tables$ $roost_function$;
COMMENT ON FUNCTION roost_internal.tables_graph() IS 'The text of sql/graph/tables.sql, run by roost.install().';

-- Counters of followers and followees.

CREATE FUNCTION roost_internal.follow_count() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_sign bigint := TG_ARGV[0]::bigint;
BEGIN
	PERFORM roost_internal.account_stat_add(d.account_id, d.followers * v_sign, d.following * v_sign, 0)
	FROM (
		SELECT c.account_id, pg_catalog.sum(c.follower)::bigint AS followers, pg_catalog.sum(c.following)::bigint AS following
		FROM (
			SELECT followee_id AS account_id, 1 AS follower, 0 AS following FROM changed
			UNION ALL
			SELECT follower_id, 0, 1 FROM changed
		) c
		GROUP BY c.account_id
	) d;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.follow_count() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.follow_count() IS 'Statement trigger of roost_data.follow: adds the statement''s rows (argument 1) or takes them away (argument -1) in the counters of both sides, one addition an account.';

-- How accounts stand to each other, and accounts as a viewer sees them.

CREATE FUNCTION roost_internal.relationship_list(viewer_id bigint, ids bigint[]) RETURNS SETOF roost.relationship
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT i.id::roost.id,
		EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = viewer_id AND f.followee_id = i.id),
		EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = i.id AND f.followee_id = viewer_id),
		EXISTS (SELECT FROM roost_data.follow_request r WHERE r.follower_id = viewer_id AND r.followee_id = i.id),
		EXISTS (SELECT FROM roost_data.follow_request r WHERE r.follower_id = i.id AND r.followee_id = viewer_id)
	FROM pg_catalog.unnest(ids) WITH ORDINALITY AS i (id, n)
	ORDER BY i.n;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.relationship_list(bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.relationship_list(bigint, bigint[]) IS 'The relationships of the viewer with each of the accounts, in the order of ids.';

CREATE FUNCTION roost_internal.relationship(viewer_id bigint, account_id bigint) RETURNS roost.relationship
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_relationship roost.relationship;
BEGIN
	SELECT * INTO v_relationship FROM roost_internal.relationship_list(viewer_id, ARRAY[relationship.account_id]);
	RETURN v_relationship;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.relationship(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.relationship(bigint, bigint) IS 'The relationship of the viewer with the account.';

CREATE FUNCTION roost_internal.account_hydrate(viewer_id bigint, ids bigint[], cursors bigint[] DEFAULT NULL) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT a.id::roost.id, a.username, a.display_name, a.bio, a.avatar_url, a.header_url,
		roost_internal.account_url(a.username), a.language, a.is_private, a.is_verified, a.created_at,
		coalesce(s.follower_count, 0), coalesce(s.following_count, 0), coalesce(s.post_count, 0),
		CASE WHEN viewer_id IS NOT NULL THEN ROW(
			a.id::roost.id,
			EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = viewer_id AND f.followee_id = a.id),
			EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = a.id AND f.followee_id = viewer_id),
			EXISTS (SELECT FROM roost_data.follow_request r WHERE r.follower_id = viewer_id AND r.followee_id = a.id),
			EXISTS (SELECT FROM roost_data.follow_request r WHERE r.follower_id = a.id AND r.followee_id = viewer_id)
		)::roost.relationship END,
		cursors[i.n]
	FROM pg_catalog.unnest(ids) WITH ORDINALITY AS i (id, n)
	JOIN roost_data.account a ON a.id = i.id AND a.status = 'active'
	LEFT JOIN LATERAL (
		SELECT pg_catalog.sum(t.follower_count)::bigint AS follower_count,
			pg_catalog.sum(t.following_count)::bigint AS following_count,
			pg_catalog.sum(t.post_count)::bigint AS post_count
		FROM roost_data.account_stat t WHERE t.account_id = a.id
	) s ON true
	ORDER BY i.n;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_hydrate(bigint, bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_hydrate(bigint, bigint[], bigint[]) IS 'The accounts as the viewer sees them (null: a stranger), in the order of ids, with their counters and, for a viewer, the relationship; cursors gives each row its position in a list. Accounts that are not active are left out.';

CREATE FUNCTION roost.relationship_get(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN roost_internal.relationship(actor_id, roost_internal.account_resolve(account_id));
END
$$;
REVOKE ALL ON FUNCTION roost.relationship_get(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.relationship_get(roost.id, roost.account_ref) IS 'How the caller and an account stand to each other. P0002 no such account.';
SELECT roost_internal.route('GET', '/users/:account_id/relationship', 'roost.relationship_get', auth => 'user');

CREATE FUNCTION roost.relationship_list(actor_id roost.id, ids roost.id[]) RETURNS SETOF roost.relationship
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF pg_catalog.cardinality(ids) > 200 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'ids', MESSAGE = 'too many ids',
			DETAIL = pg_catalog.format('There are %s of them, at most 200 are answered at once.', pg_catalog.cardinality(ids));
	END IF;
	RETURN QUERY
	SELECT r.*
	FROM roost_internal.relationship_list(actor_id, ids::bigint[]) r
	JOIN roost_data.account a ON a.id = r.account_id AND a.status = 'active';
END
$$;
REVOKE ALL ON FUNCTION roost.relationship_list(roost.id, roost.id[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.relationship_list(roost.id, roost.id[]) IS 'How the caller stands to each of up to 200 accounts, one row for each that exists. 54000 too many ids.';
SELECT roost_internal.route('GET', '/relationships', 'roost.relationship_list', auth => 'user');

-- Follow and unfollow.
--
-- Following holds both accounts; opening one to everyone and deleting it take
-- it alone (sql/account/leave.sql).

CREATE FUNCTION roost.account_follow(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
	v_private boolean;
BEGIN
	IF v_account_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'account_id', MESSAGE = 'an account cannot follow itself';
	END IF;
	PERFORM roost_internal.account_hold(actor_id, v_account_id);
	SELECT a.is_private INTO v_private FROM roost_data.account a WHERE a.id = v_account_id AND a.status = 'active';
	IF NOT FOUND OR NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active') THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
	IF v_private THEN
		INSERT INTO roost_data.follow_request (follower_id, followee_id, id)
		SELECT actor_id, v_account_id, roost_internal.id_next(actor_id)
		WHERE NOT EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = actor_id AND f.followee_id = v_account_id)
		ON CONFLICT DO NOTHING;
	ELSE
		INSERT INTO roost_data.follow (follower_id, followee_id, id)
		VALUES (actor_id, v_account_id, roost_internal.id_next(actor_id))
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_follow(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_follow(roost.id, roost.account_ref) IS 'Follows an account, or asks a private one for its consent: then "requested" is true and "following" comes with the consent. Doing it again changes nothing. Returns the relationship. 23514 oneself, P0002 no such account.';
SELECT roost_internal.route('POST', '/users/:account_id/follow', 'roost.account_follow', auth => 'user', limit_class => 'follow');

CREATE FUNCTION roost.account_unfollow(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
BEGIN
	-- The request first: who is accepting it holds the row, and the follow is
	-- there to be seen when that one has committed.
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = actor_id AND r.followee_id = v_account_id;
	DELETE FROM roost_data.follow f WHERE f.follower_id = actor_id AND f.followee_id = v_account_id;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_unfollow(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_unfollow(roost.id, roost.account_ref) IS 'Stops following an account, and takes back a request that still waits. Doing it again changes nothing. Returns the relationship. P0002 no such account.';
SELECT roost_internal.route('POST', '/users/:account_id/unfollow', 'roost.account_unfollow', auth => 'user', limit_class => 'follow');
SELECT roost_internal.route('DELETE', '/users/:account_id/follow', 'roost.account_unfollow', auth => 'user', limit_class => 'follow');

-- Follow requests: what private accounts decide.

CREATE FUNCTION roost.follow_request_accept(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
BEGIN
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = v_account_id AND r.followee_id = actor_id;
	IF FOUND THEN
		INSERT INTO roost_data.follow (follower_id, followee_id, id)
		VALUES (v_account_id, actor_id, roost_internal.id_next(v_account_id))
		ON CONFLICT DO NOTHING;
	ELSIF NOT EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = v_account_id AND f.followee_id = actor_id) THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the follow request does not exist';
	END IF;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.follow_request_accept(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_request_accept(roost.id, roost.account_ref) IS 'Lets the account that asked follow the caller. Doing it again changes nothing. Returns the relationship ("followed_by" is true). P0002 it has not asked, or has taken its request back.';
SELECT roost_internal.route('POST', '/follow-requests/:account_id/accept', 'roost.follow_request_accept', auth => 'user', limit_class => 'follow');

CREATE FUNCTION roost.follow_request_reject(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
BEGIN
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = v_account_id AND r.followee_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the follow request does not exist';
	END IF;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.follow_request_reject(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_request_reject(roost.id, roost.account_ref) IS 'Refuses an account''s request to follow the caller; it may ask again. Returns the relationship. P0002 there is no such request.';
SELECT roost_internal.route('POST', '/follow-requests/:account_id/reject', 'roost.follow_request_reject', auth => 'user', limit_class => 'follow');

CREATE FUNCTION roost.follow_request_cancel(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
BEGIN
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = actor_id AND r.followee_id = v_account_id;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.follow_request_cancel(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_request_cancel(roost.id, roost.account_ref) IS 'Takes back the request that the caller sent to an account, if it still waits; a follow it has become stays. Returns the relationship. P0002 no such account.';
SELECT roost_internal.route('DELETE', '/follow-requests/:account_id', 'roost.follow_request_cancel', auth => 'user', limit_class => 'follow');

CREATE FUNCTION roost_internal.follow_request_open() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold_alone(NEW.id);
	WITH waiting AS (
		DELETE FROM roost_data.follow_request r WHERE r.followee_id = NEW.id RETURNING r.follower_id, r.id
	)
	INSERT INTO roost_data.follow (follower_id, followee_id, id)
	SELECT w.follower_id, NEW.id, roost_internal.id_next(w.follower_id) FROM (SELECT * FROM waiting ORDER BY id) w
	ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.follow_request_open() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.follow_request_open() IS 'Row trigger of roost_data.account, when an account stops being private: accepts every request that waits for it.';

-- Followers, followees and requests as pages, newest first.

CREATE FUNCTION roost_internal.graph_list_check(viewer_id bigint, account_id bigint) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF viewer_id IS DISTINCT FROM graph_list_check.account_id
		AND (SELECT a.is_private FROM roost_data.account a WHERE a.id = graph_list_check.account_id)
		AND NOT EXISTS (SELECT FROM roost_data.follow f
			WHERE f.follower_id = viewer_id AND f.followee_id = graph_list_check.account_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is private',
			HINT = 'Its lists are shown to those it lets follow it.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.graph_list_check(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.graph_list_check(bigint, bigint) IS 'Raises 42501 unless the viewer (null: a stranger) may see whom the account follows and who follows it: of private accounts only followers and the account itself may.';

CREATE FUNCTION roost.follower_list(
	account_id roost.account_ref,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
	v_before bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	PERFORM roost_internal.graph_list_check(actor_id, v_account_id);
	SELECT pg_catalog.array_agg(p.follower_id ORDER BY p.id DESC), pg_catalog.array_agg(p.id ORDER BY p.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT f.follower_id, f.id
		FROM roost_data.follow f JOIN roost_data.account a ON a.id = f.follower_id AND a.status = 'active'
		WHERE f.followee_id = v_account_id AND f.id < v_before AND f.id > v_after
		ORDER BY f.id DESC
		LIMIT follower_list."limit"
	) p;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.follower_list(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.follower_list(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor) IS 'Who follows an account, the newest follower first. P0002 no such account, 42501 it is private and the caller does not follow it.';
SELECT roost_internal.route('GET', '/users/:account_id/followers', 'roost.follower_list', auth => 'optional');

CREATE FUNCTION roost.following_list(
	account_id roost.account_ref,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := roost_internal.account_resolve(account_id);
	v_before bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	PERFORM roost_internal.graph_list_check(actor_id, v_account_id);
	SELECT pg_catalog.array_agg(p.followee_id ORDER BY p.id DESC), pg_catalog.array_agg(p.id ORDER BY p.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT f.followee_id, f.id
		FROM roost_data.follow f JOIN roost_data.account a ON a.id = f.followee_id AND a.status = 'active'
		WHERE f.follower_id = v_account_id AND f.id < v_before AND f.id > v_after
		ORDER BY f.id DESC
		LIMIT following_list."limit"
	) p;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.following_list(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.following_list(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor) IS 'Whom an account follows, the newest follow first. P0002 no such account, 42501 it is private and the caller does not follow it.';
SELECT roost_internal.route('GET', '/users/:account_id/following', 'roost.following_list', auth => 'optional');

CREATE FUNCTION roost.follow_request_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(p.follower_id ORDER BY p.id DESC), pg_catalog.array_agg(p.id ORDER BY p.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT r.follower_id, r.id
		FROM roost_data.follow_request r JOIN roost_data.account a ON a.id = r.follower_id AND a.status = 'active'
		WHERE r.followee_id = actor_id AND r.id < v_before AND r.id > v_after
		ORDER BY r.id DESC
		LIMIT follow_request_list."limit"
	) p;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.follow_request_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_request_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The accounts that have asked to follow the caller and wait for an answer, the newest request first.';
SELECT roost_internal.route('GET', '/follow-requests', 'roost.follow_request_list', auth => 'user');

CREATE FUNCTION roost_internal.follower_ids(account_id bigint, after bigint DEFAULT 0, "limit" integer DEFAULT NULL)
RETURNS TABLE (follow_id bigint, follower_id bigint)
LANGUAGE sql STABLE
AS $$
	SELECT f.id, f.follower_id
	FROM roost_data.follow f
	WHERE f.followee_id = follower_ids.account_id AND f.id > follower_ids.after
	ORDER BY f.id
	LIMIT follower_ids."limit"
$$;
REVOKE ALL ON FUNCTION roost_internal.follower_ids(bigint, bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.follower_ids(bigint, bigint, integer) IS 'The followers of an account in the order in which they came, from the one after follow id "after" on, at most "limit" of them (null: all). The one way in which others read followers.';

CREATE FUNCTION roost_internal.followee_ids(account_id bigint) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(SELECT f.followee_id FROM roost_data.follow f WHERE f.follower_id = followee_ids.account_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.followee_ids(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.followee_ids(bigint) IS 'The ids of the accounts that an account follows, in no particular order.';

-- Taking follows along, and leaving (see sql/account/leave.sql).

CREATE FUNCTION roost_internal.graph_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'following', coalesce((SELECT jsonb_agg(jsonb_build_object('id', f.followee_id::text, 'username', a.username, 'since', f.created_at) ORDER BY f.id)
			FROM roost_data.follow f JOIN roost_data.account a ON a.id = f.followee_id WHERE f.follower_id = $1), '[]'),
		'followers', coalesce((SELECT jsonb_agg(jsonb_build_object('id', f.follower_id::text, 'username', a.username, 'since', f.created_at) ORDER BY f.id)
			FROM roost_data.follow f JOIN roost_data.account a ON a.id = f.follower_id WHERE f.followee_id = $1), '[]'),
		'requests_sent', coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.followee_id::text, 'username', a.username, 'since', r.created_at) ORDER BY r.id)
			FROM roost_data.follow_request r JOIN roost_data.account a ON a.id = r.followee_id WHERE r.follower_id = $1), '[]'),
		'requests_received', coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.follower_id::text, 'username', a.username, 'since', r.created_at) ORDER BY r.id)
			FROM roost_data.follow_request r JOIN roost_data.account a ON a.id = r.follower_id WHERE r.followee_id = $1), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.graph_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.graph_export(bigint) IS 'Whom an account follows, who follows it, and the requests in both directions, each list oldest first.';

CREATE FUNCTION roost_internal.graph_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold_alone(graph_account_delete.account_id);
	DELETE FROM roost_data.follow_request r WHERE r.follower_id = graph_account_delete.account_id;
	DELETE FROM roost_data.follow_request r WHERE r.followee_id = graph_account_delete.account_id;
	DELETE FROM roost_data.follow f WHERE f.follower_id = graph_account_delete.account_id;
	DELETE FROM roost_data.follow f WHERE f.followee_id = graph_account_delete.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.graph_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.graph_account_delete(bigint) IS 'Ends all follows and requests of an account, in both directions.';

-- Import of follows, for those who move in.

CREATE FUNCTION roost_internal.import_time_refusal(created_at timestamptz, present timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE WHEN created_at < '1970-01-01 00:00:00Z'::timestamptz OR created_at > present
		THEN 'created_at is before 1970 or in the future' END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_time_refusal(timestamptz, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_time_refusal(timestamptz, timestamptz) IS 'Why something cannot have been made at the time, or null. Null is a good time: the thing is made at present.';

CREATE FUNCTION roost_internal.import_id(created_at timestamptz, owner_id bigint, n bigint) RETURNS bigint
LANGUAGE sql VOLATILE
AS $$
	SELECT CASE WHEN created_at IS NULL THEN roost_internal.id_next(owner_id)
		ELSE roost_internal.id_floor(created_at) + (n << 10) + (owner_id & 1023) END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_id(timestamptz, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_id(timestamptz, bigint, bigint) IS 'The id of the n-th thing (from 0) that owners of one bucket have made in the millisecond of created_at; from the 64th on it falls into the milliseconds after. Without a time: a new id.';

CREATE FUNCTION roost.follow_import() RETURNS roost.import_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_present constant timestamptz := roost_internal.clock_now();
	v_result roost.import_result;
	v_staged bigint;
BEGIN
	LOCK TABLE roost_data.import_follow IN ACCESS EXCLUSIVE MODE;
	ANALYZE roost_data.import_follow;
	SELECT pg_catalog.count(*) INTO v_staged FROM roost_data.import_follow;
	RAISE NOTICE '% follows to import', v_staged;

	UPDATE roost_data.import_follow s SET error = CASE
		WHEN t.follower_id IS NULL THEN 'follower is not an imported account'
		WHEN t.followee_id IS NULL THEN 'followee is not an imported account'
		WHEN t.follower_id = t.followee_id THEN 'an account cannot follow itself'
		ELSE roost_internal.import_time_refusal(s.created_at, v_present) END
	FROM (
		SELECT i.ctid AS row, r.id AS follower_id, e.id AS followee_id
		FROM roost_data.import_follow i
		LEFT JOIN (roost_data.import_map rm JOIN roost_data.account r ON r.id = rm.id AND r.status <> 'deleted')
			ON rm.kind = 'account' AND rm.external_id = i.follower
		LEFT JOIN (roost_data.import_map em JOIN roost_data.account e ON e.id = em.id AND e.status <> 'deleted')
			ON em.kind = 'account' AND em.external_id = i.followee
	) t
	WHERE s.ctid = t.row AND (s.error IS NOT NULL OR t.follower_id IS NULL OR t.followee_id IS NULL
		OR t.follower_id = t.followee_id OR roost_internal.import_time_refusal(s.created_at, v_present) IS NOT NULL);

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
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.follow_import() FROM PUBLIC;
COMMENT ON FUNCTION roost.follow_import() IS 'Makes follows of the rows of roost_data.import_follow, at the times they were made (null: now); private accounts are not asked. Rows done, and follows that exist already, leave the table; refused ones stay, with the reason in error, and are tried again by the next call.';

-- Types of the post module: the wire format of a post, and its validation.

CREATE DOMAIN roost.post_text AS text CHECK (octet_length(VALUE) <= 65536 AND VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f]');
COMMENT ON DOMAIN roost.post_text IS 'The text of a post: up to 64 KiB of UTF-8, without control characters other than newline and tab. How many characters roost.post_create() takes is the setting roost.post_max_length.';

CREATE DOMAIN roost.post_warning AS text CHECK (char_length(VALUE) <= 300 AND VALUE !~ '[\u0001-\u001f\u007f-\u009f]');
COMMENT ON DOMAIN roost.post_warning IS 'A content warning: one line of up to 300 characters, shown instead of the text until the reader asks for it.';

CREATE DOMAIN roost.post_media AS jsonb CHECK (
	VALUE IS NULL OR CASE WHEN jsonb_typeof(VALUE) = 'array' THEN
		jsonb_array_length(VALUE) <= 10
		AND octet_length(VALUE::text) <= 65536
		AND NOT jsonb_path_exists(VALUE, 'strict $[*] ? (!(@.type() == "object"))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (!(@.url.type() == "string" && @.url like_regex "^https?://[^[:space:]\"<>]+$"))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (!(@."type".type() == "string" && (@."type" == "image" || @."type" == "video" || @."type" == "audio")))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (exists(@.preview_url) && !(@.preview_url.type() == "string" && @.preview_url like_regex "^https?://[^[:space:]\"<>]+$"))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (exists(@.description) && !(@.description.type() == "string"))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (exists(@.width) && !(@.width.type() == "number" && @.width > 0 && @.width <= 65535))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (exists(@.height) && !(@.height.type() == "number" && @.height > 0 && @.height <= 65535))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*].keyvalue() ? (!(@.key == "url" || @.key == "type" || @.key == "preview_url" || @.key == "description" || @.key == "width" || @.key == "height"))')
	ELSE false END);
COMMENT ON DOMAIN roost.post_media IS 'What is attached to a post: a list of up to 10 objects {"url" (http or https), "type" (image, video or audio), and optionally "preview_url", "description" (for those who do not see it), "width" and "height" (pixels)}.';

CREATE DOMAIN roost.hashtag AS text CHECK (char_length(VALUE) BETWEEN 1 AND 280 AND VALUE !~ '[[:space:][:cntrl:]#]');
COMMENT ON DOMAIN roost.hashtag IS 'A hashtag without its #, in any case.';

CREATE TYPE roost.visibility AS ENUM ('public', 'unlisted', 'followers', 'direct');
COMMENT ON TYPE roost.visibility IS 'Who sees a post: public (everyone, and it is listed), unlisted (everyone who has the link, not in public lists), followers (the author''s followers and those mentioned), direct (those mentioned). Posts of a private account are seen by its followers at most.';

CREATE TYPE roost.post_embed AS (
	id roost.id,
	author roost.author,
	text text,
	created_at timestamptz,
	edited_at timestamptz,
	visibility roost.visibility,
	reply_to_id roost.id,
	reply_to_account_id roost.id,
	thread_id roost.id,
	quote_of_id roost.id,
	like_count bigint,
	retweet_count bigint,
	reply_count bigint,
	quote_count bigint,
	liked boolean,
	retweeted boolean,
	bookmarked boolean,
	pinned boolean,
	mentions jsonb,
	hashtags text[],
	urls jsonb,
	media jsonb,
	language text,
	content_warning text,
	url text
);
COMMENT ON TYPE roost.post_embed IS 'A post inside another one. thread_id is the first post of the thread; liked, retweeted and bookmarked speak of the reader and are false for anonymous ones; pinned says that its author has pinned it; mentions is a list of {id, username, start, end} and urls of {url, start, end}, positions in code points of text, end exclusive; hashtags are in lower case without #; media is the list given by the author; url is the permalink.';

CREATE TYPE roost.post AS (
	id roost.id,
	author roost.author,
	text text,
	created_at timestamptz,
	edited_at timestamptz,
	visibility roost.visibility,
	reply_to_id roost.id,
	reply_to_account_id roost.id,
	thread_id roost.id,
	quote_of_id roost.id,
	like_count bigint,
	retweet_count bigint,
	reply_count bigint,
	quote_count bigint,
	liked boolean,
	retweeted boolean,
	bookmarked boolean,
	pinned boolean,
	mentions jsonb,
	hashtags text[],
	urls jsonb,
	media jsonb,
	language text,
	content_warning text,
	url text,
	retweet_of roost.post_embed,
	quote_of roost.post_embed,
	cursor bigint
);
COMMENT ON TYPE roost.post IS 'A post as its reader sees it: the fields of roost.post_embed, then the post it retweets (its own text is then empty) and the post it quotes (null where the reader may not see that one). cursor is its position in a list and never written to JSON.';

CREATE TYPE roost.post_revision AS (
	revision integer,
	text text,
	content_warning text,
	language text,
	media jsonb,
	created_at timestamptz
);
COMMENT ON TYPE roost.post_revision IS 'One version of a post''s content: revision counts from 1, the newest is the present one; created_at is when it was written.';

CREATE TYPE roost.post_context AS (
	ancestors roost.post[],
	descendants roost.post[]
);
COMMENT ON TYPE roost.post_context IS 'The thread around a post, each part oldest first: ancestors from the start of the thread down to the post it answers, descendants all answers under it.';

CREATE TYPE roost.resolved AS (
	type text,
	id roost.id,
	url text,
	account roost.account,
	post roost.post
);
COMMENT ON TYPE roost.resolved IS 'What an address stands for: type is account or post, id its id, url the present form of the address; account or post is the thing itself.';

CREATE FUNCTION roost_internal.tables_post() RETURNS text LANGUAGE sql IMMUTABLE AS $roost_function$ SELECT $roost_tables$
-- Tables of the post module.
--
-- A row's owner is the account it belongs to: a post's author, a like's
-- account.  Nothing refers to another owner's row by a foreign key, so a
-- reply outlives the post it answers; what must not outlive a post is removed
-- by its delete trigger, and hydration never shows what has lost its post.

CREATE TABLE IF NOT EXISTS roost_data.post (
	id bigint PRIMARY KEY,
	author_id bigint NOT NULL,
	thread_id bigint NOT NULL,
	reply_to_id bigint,
	reply_to_account_id bigint,
	quote_of_id bigint,
	retweet_of_id bigint,
	created_at timestamptz NOT NULL,
	edited_at timestamptz,
	pinned_at timestamptz,
	visibility roost.visibility NOT NULL DEFAULT 'public',
	language text COLLATE "C",
	text text NOT NULL,
	content_warning text,
	mention_ids bigint[],
	hashtags text[] COLLATE "C",
	mentions jsonb,
	urls jsonb,
	media jsonb,
	CONSTRAINT post_text_check CHECK (octet_length(text) <= 65536),
	CONSTRAINT post_retweet_check CHECK (retweet_of_id IS NULL OR (text = '' AND reply_to_id IS NULL AND quote_of_id IS NULL AND media IS NULL))
);
COMMENT ON TABLE roost_data.post IS 'Posts and retweets. A retweet is a row of its own with retweet_of_id and an empty text. thread_id is the first post of the thread (its own id for that one). mention_ids, hashtags (lower case), mentions and urls come from the text and are NULL where there are none.';
CREATE INDEX IF NOT EXISTS post_author_id_id_idx ON roost_data.post (author_id, id DESC) INCLUDE (visibility, reply_to_account_id, retweet_of_id);
CREATE INDEX IF NOT EXISTS post_reply_to_id_id_idx ON roost_data.post (reply_to_id, id DESC) WHERE reply_to_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS post_quote_of_id_id_idx ON roost_data.post (quote_of_id, id DESC) WHERE quote_of_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS post_retweet_of_id_id_idx ON roost_data.post (retweet_of_id, id DESC) WHERE retweet_of_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS post_author_id_retweet_of_id_idx ON roost_data.post (author_id, retweet_of_id) WHERE retweet_of_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS post_author_id_pinned_at_idx ON roost_data.post (author_id, pinned_at DESC) WHERE pinned_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS roost_data.post_stat (
	post_id bigint NOT NULL,
	slot integer NOT NULL,
	like_count bigint NOT NULL DEFAULT 0,
	retweet_count bigint NOT NULL DEFAULT 0,
	reply_count bigint NOT NULL DEFAULT 0,
	quote_count bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (post_id, slot)
) WITH (fillfactor = 80);
COMMENT ON TABLE roost_data.post_stat IS 'Counters of posts: the sum over a post''s slots is the number; a post without a row has none. A slot alone may be negative.';

CREATE TABLE IF NOT EXISTS roost_data.post_like (
	account_id bigint NOT NULL,
	post_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, post_id)
);
COMMENT ON TABLE roost_data.post_like IS 'Who likes which post, once each; id orders the lists.';
CREATE INDEX IF NOT EXISTS post_like_post_id_id_idx ON roost_data.post_like (post_id, id DESC);
CREATE INDEX IF NOT EXISTS post_like_account_id_id_idx ON roost_data.post_like (account_id, id DESC);

CREATE TABLE IF NOT EXISTS roost_data.post_bookmark (
	account_id bigint NOT NULL,
	post_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, post_id)
);
COMMENT ON TABLE roost_data.post_bookmark IS 'Posts that accounts have put aside; nobody else sees it. id orders the list.';
CREATE INDEX IF NOT EXISTS post_bookmark_post_id_idx ON roost_data.post_bookmark (post_id);
CREATE INDEX IF NOT EXISTS post_bookmark_account_id_id_idx ON roost_data.post_bookmark (account_id, id DESC);

CREATE TABLE IF NOT EXISTS roost_data.post_revision (
	post_id bigint NOT NULL,
	revision integer NOT NULL,
	text text NOT NULL,
	content_warning text,
	language text COLLATE "C",
	media jsonb,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (post_id, revision)
);
COMMENT ON TABLE roost_data.post_revision IS 'Former versions of edited posts; the present one is in roost_data.post. created_at is when that version was written.';

CREATE TABLE IF NOT EXISTS roost_data.post_hashtag (
	hashtag text COLLATE "C" NOT NULL,
	post_id bigint NOT NULL,
	PRIMARY KEY (hashtag, post_id)
);
COMMENT ON TABLE roost_data.post_hashtag IS 'The public posts of each hashtag (lower case), kept by the triggers of roost_data.post.';

-- Counters and lists: once a statement, however many rows it writes.  What a
-- post leaves behind is removed after it has been taken from the counters.
CREATE OR REPLACE TRIGGER post_insert_count AFTER INSERT ON roost_data.post
	REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_count();
CREATE OR REPLACE TRIGGER post_delete_1_count AFTER DELETE ON roost_data.post
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_count();
CREATE OR REPLACE TRIGGER post_delete_2_rest AFTER DELETE ON roost_data.post
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_deleted();
CREATE OR REPLACE TRIGGER post_update_hashtags AFTER UPDATE OF hashtags, visibility ON roost_data.post
	FOR EACH ROW WHEN ((OLD.hashtags, OLD.visibility) IS DISTINCT FROM (NEW.hashtags, NEW.visibility))
	EXECUTE FUNCTION roost_internal.post_hashtags_changed();
CREATE OR REPLACE TRIGGER post_like_insert_count AFTER INSERT ON roost_data.post_like
	REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_like_count();
CREATE OR REPLACE TRIGGER post_like_delete_count AFTER DELETE ON roost_data.post_like
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_like_count();

-- Events for the worker.
CREATE OR REPLACE TRIGGER post_insert_event AFTER INSERT ON roost_data.post
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('post_created', 'id', 'author_id', 'retweet_of_id', 'reply_to_account_id');
CREATE OR REPLACE TRIGGER post_update_event AFTER UPDATE ON roost_data.post
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('post_updated', 'id', 'author_id', 'retweet_of_id', 'reply_to_account_id');
CREATE OR REPLACE TRIGGER post_delete_event AFTER DELETE ON roost_data.post
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('post_deleted', 'id', 'author_id', 'retweet_of_id', 'reply_to_account_id');
CREATE OR REPLACE TRIGGER post_like_insert_event AFTER INSERT ON roost_data.post_like
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('like_created', 'post_id', 'account_id');
CREATE OR REPLACE TRIGGER post_like_delete_event AFTER DELETE ON roost_data.post_like
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('like_deleted', 'post_id', 'account_id');

CREATE OR REPLACE VIEW roost_bi.post AS
SELECT p.id, p.author_id, p.created_at, p.edited_at, p.visibility, p.reply_to_id, p.reply_to_account_id, p.thread_id, p.quote_of_id, p.retweet_of_id,
	p.language, p.text, p.content_warning, p.hashtags, p.mention_ids,
	coalesce(s.like_count, 0) AS like_count, coalesce(s.retweet_count, 0) AS retweet_count,
	coalesce(s.reply_count, 0) AS reply_count, coalesce(s.quote_count, 0) AS quote_count
FROM roost_data.post p
JOIN roost_data.account a ON a.id = p.author_id
LEFT JOIN LATERAL (
	SELECT sum(t.like_count)::bigint AS like_count, sum(t.retweet_count)::bigint AS retweet_count,
		sum(t.reply_count)::bigint AS reply_count, sum(t.quote_count)::bigint AS quote_count
	FROM roost_data.post_stat t WHERE t.post_id = p.id
) s ON true
WHERE p.visibility <= 'unlisted' AND NOT a.is_private AND a.status = 'active';
COMMENT ON VIEW roost_bi.post IS 'Posts and retweets that everybody may see, with their counters.';

CREATE OR REPLACE VIEW roost_bi.engagement AS
SELECT e.kind, e.account_id, e.post_id, e.created_at
FROM (
	SELECT 'like' AS kind, l.account_id, l.post_id, l.created_at FROM roost_data.post_like l
	UNION ALL
	SELECT CASE WHEN r.retweet_of_id IS NOT NULL THEN 'retweet' WHEN r.quote_of_id IS NOT NULL THEN 'quote' ELSE 'reply' END,
		r.author_id, coalesce(r.retweet_of_id, r.quote_of_id, r.reply_to_id), r.created_at
	FROM roost_data.post r JOIN roost_data.account ra ON ra.id = r.author_id
	WHERE coalesce(r.retweet_of_id, r.quote_of_id, r.reply_to_id) IS NOT NULL
		AND r.visibility <= 'unlisted' AND NOT ra.is_private AND ra.status = 'active'
) e
JOIN roost_data.post p ON p.id = e.post_id
JOIN roost_data.account a ON a.id = p.author_id
WHERE p.visibility <= 'unlisted' AND NOT a.is_private AND a.status = 'active';
COMMENT ON VIEW roost_bi.engagement IS 'What accounts did to posts that everybody may see: kind is like, retweet, quote or reply (a quote that is also a reply counts as a quote). No bookmarks.';

CREATE TABLE IF NOT EXISTS roost_data.import_post (
	external_id text COLLATE "C" PRIMARY KEY,
	author text COLLATE "C",
	created_at timestamptz,
	text text,
	reply_to text COLLATE "C",
	quote_of text COLLATE "C",
	retweet_of text COLLATE "C",
	visibility text,
	content_warning text,
	language text,
	hashtags text[],
	media jsonb,
	id bigint,
	author_id bigint,
	thread_id bigint,
	error text
);
COMMENT ON TABLE roost_data.import_post IS 'Posts and retweets to import: COPY them here after their accounts are imported, then SELECT roost.post_import(). author is the external id of an account; reply_to, quote_of and retweet_of are external ids of posts, here or imported before. What was imported leaves the table; what was refused stays, with the reason in error.';
COMMENT ON COLUMN roost_data.import_post.visibility IS 'public (also if null), unlisted, followers or direct. A retweet has that of its original.';
COMMENT ON COLUMN roost_data.import_post.hashtags IS 'Hashtags besides those in the text.';
COMMENT ON COLUMN roost_data.import_post.id IS 'For the import''s own use, as are author_id and thread_id.';

CREATE TABLE IF NOT EXISTS roost_data.import_like (
	account text COLLATE "C",
	post text COLLATE "C",
	created_at timestamptz,
	error text
);
COMMENT ON TABLE roost_data.import_like IS 'Likes to import: COPY them here after their posts are imported, then SELECT roost.like_import(). account and post are external ids. What was imported leaves the table; what was refused stays, with the reason in error.';
$roost_tables$ $roost_function$;
COMMENT ON FUNCTION roost_internal.tables_post() IS 'The text of sql/post/tables.sql, run by roost.install().';

-- The text of posts.

CREATE FUNCTION roost.text_entities(text text) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_text_entities';
COMMENT ON FUNCTION roost.text_entities(text) IS 'What is found in a text: {"mentions": [{"username", "start", "end"}], "hashtags": [{"hashtag", …}], "cashtags": [{"cashtag", …}], "urls": [{"url", …}]}, each list in the order of the text. start and end (exclusive) count code points and take in the @, # or $. A mention that goes on as @user/words has the words as "list". Nothing is looked up; whether a user exists is not known here.';

CREATE FUNCTION roost_internal.post_entities(text text, OUT mention_ids bigint[], OUT hashtags text[], OUT mentions jsonb, OUT urls jsonb)
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_post_entities';
REVOKE ALL ON FUNCTION roost_internal.post_entities(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_entities(text) IS 'What a post keeps of its text, for the columns of roost_data.post: ids of the active accounts mentioned, folded hashtags, mentions and links with their positions. NULL where there is none.';

CREATE FUNCTION roost_internal.post_text_normal(text text, limited boolean) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_text_normal';
REVOKE ALL ON FUNCTION roost_internal.post_text_normal(text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_text_normal(text, boolean) IS 'The text in NFC. If limited, 22001 when it then has more than roost.post_max_length characters.';

CREATE FUNCTION roost_internal.text_is_blank(text text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_text_is_blank';
REVOKE ALL ON FUNCTION roost_internal.text_is_blank(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.text_is_blank(text) IS 'Whether a reader would see nothing of the text: it is empty, or all spaces and invisible characters.';

CREATE FUNCTION roost_internal.hashtag_fold(hashtag text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_hashtag_fold';
REVOKE ALL ON FUNCTION roost_internal.hashtag_fold(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.hashtag_fold(text) IS 'A hashtag as it is stored: in NFKC and lower case.';

CREATE FUNCTION roost_internal.post_path(username text, id bigint, text text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_path_sql';
REVOKE ALL ON FUNCTION roost_internal.post_path(text, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_path(text, bigint, text) IS 'A post''s permalink: /@username/words-of-the-text-id. roost.url_resolve() reads only the id.';

-- Who may see a post: the one rule, used by everything that shows posts.

CREATE FUNCTION roost_internal.may_see(
	viewer_id bigint,
	author_id bigint,
	visibility roost.visibility,
	mention_ids bigint[],
	is_private boolean,
	status text
) RETURNS boolean
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_post_may_see_sql';
REVOKE ALL ON FUNCTION roost_internal.may_see(bigint, bigint, roost.visibility, bigint[], boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.may_see(bigint, bigint, roost.visibility, bigint[], boolean, text) IS 'Whether the viewer (null: a stranger) may see a post of the author, whose account is private or not and has the status. Nobody sees posts of an account that is not active; public and unlisted posts of an account that is not private are everybody''s; the author and those mentioned see the post; followers see all but direct ones.';

-- Posts as their readers see them.

CREATE FUNCTION roost_internal.post_hydrate(viewer_id bigint, ids bigint[], cursors bigint[] DEFAULT NULL) RETURNS SETOF roost.post
LANGUAGE c STABLE ROWS 50
AS 'MODULE_PATHNAME', 'roost_post_hydrate';
REVOKE ALL ON FUNCTION roost_internal.post_hydrate(bigint, bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_hydrate(bigint, bigint[], bigint[]) IS 'The posts with these ids, in this order, as the viewer (null: a stranger) sees them; those that it may not see or that are gone are left out, and so is a retweet whose original is. cursor is the id, or what cursors has at its place.';

CREATE FUNCTION roost_internal.post_visible(viewer_id bigint, ids bigint[], seen bigint[], OUT visible_ids bigint[], OUT post_ids bigint[])
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_post_visible';
REVOKE ALL ON FUNCTION roost_internal.post_visible(bigint, bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_visible(bigint, bigint[], bigint[]) IS 'Those of the ids that the viewer may see, in their order, and the posts that they show: the original of a retweet, else the post itself. Each post once, with the first of its ids, and none that is among seen.';

CREATE FUNCTION roost_internal.post_one(viewer_id bigint, post_id bigint) RETURNS roost.post
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_post_one';
REVOKE ALL ON FUNCTION roost_internal.post_one(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_one(bigint, bigint) IS 'The post as the viewer (null: a stranger) sees it after what this transaction has done; null if it may not.';

CREATE FUNCTION roost.post_get(post_id roost.id, actor_id roost.id DEFAULT NULL) RETURNS roost.post
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_post_get';
REVOKE ALL ON FUNCTION roost.post_get(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_get(roost.id, roost.id) IS 'A post as the actor (null: a stranger) sees it. P0002 if there is none that it may see.';
SELECT roost_internal.route('GET', '/tweets/:post_id', 'roost.post_get', auth => 'optional');

-- Writing, editing and deleting posts.
--
-- What is done to a post (an answer, a like …) shares an advisory lock of the
-- post, and its deletion takes the lock alone: what is written for a post that
-- goes away at the same moment either goes away with it or is refused.  The
-- lock is in memory, so a thousand people who like one post do not queue for
-- its row.  Both accounts are held as well (sql/account/leave.sql), because
-- with an account its posts and all it did to others' go.

CREATE FUNCTION roost_internal.post_target(viewer_id bigint, INOUT post_id bigint, field text DEFAULT 'post_id', OUT author_id bigint, OUT thread_id bigint, OUT shared boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_retweet_of_id bigint;
	v_author_there boolean;
	v_viewer_there boolean;
BEGIN
	LOOP
		PERFORM pg_catalog.pg_advisory_xact_lock_shared(1919905652, pg_catalog.hashint8(post_id));
		SELECT p.author_id, p.thread_id, p.retweet_of_id, p.visibility <= 'unlisted' AND NOT a.is_private
		INTO author_id, thread_id, v_retweet_of_id, shared
		FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.id = post_target.post_id
			AND roost_internal.may_see(viewer_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status);
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = field, MESSAGE = 'the post does not exist';
		END IF;
		EXIT WHEN v_retweet_of_id IS NULL;
		post_id := v_retweet_of_id;
	END LOOP;
	PERFORM roost_internal.account_hold(viewer_id, author_id);
	SELECT pg_catalog.bool_or(a.id = post_target.author_id), pg_catalog.bool_or(a.id = viewer_id) INTO v_author_there, v_viewer_there
	FROM roost_data.account a WHERE a.id = ANY (ARRAY[viewer_id, author_id]) AND a.status = 'active';
	IF v_viewer_there IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	ELSIF v_author_there IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = field, MESSAGE = 'the post does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_target(bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_target(bigint, bigint, text) IS 'The post that something is to be done to, which stays until the end of the transaction: the original of a retweet, else the post itself. shared: everybody may see it. P0002 if there is none that the viewer may see, with the name of the field that named it; 42501 if the viewer''s account is not active.';

CREATE FUNCTION roost.post_create(
	actor_id roost.id,
	text roost.post_text DEFAULT '',
	reply_to_id roost.id DEFAULT NULL,
	quote_of_id roost.id DEFAULT NULL,
	visibility roost.visibility DEFAULT 'public',
	content_warning roost.post_warning DEFAULT NULL,
	language roost.language DEFAULT NULL,
	media roost.post_media DEFAULT NULL
) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.id_next(actor_id);
	v_text constant text := roost_internal.post_text_normal(coalesce(text, ''), true);
	v_media constant jsonb := nullif(media::jsonb, '[]');
	v_target record;
	v_reply_to_id bigint;
	v_reply_to_account_id bigint;
	v_thread_id bigint := v_id;
	v_quote_of_id bigint;
	v_entities record;
	v_post roost.post;
BEGIN
	IF v_media IS NULL AND quote_of_id IS NULL AND roost_internal.text_is_blank(v_text) THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'text', MESSAGE = 'the post is empty',
			HINT = 'Give a text, media, or a post to quote.';
	END IF;
	IF reply_to_id IS NOT NULL THEN
		SELECT * INTO v_target FROM roost_internal.post_target(actor_id, reply_to_id, 'reply_to_id');
		v_reply_to_id := v_target.post_id;
		v_reply_to_account_id := v_target.author_id;
		v_thread_id := v_target.thread_id;
	END IF;
	IF quote_of_id IS NOT NULL THEN
		SELECT t.post_id INTO v_quote_of_id FROM roost_internal.post_target(actor_id, quote_of_id, 'quote_of_id') t;
	END IF;
	v_entities := roost_internal.post_entities(v_text);
	PERFORM roost_internal.account_hold(actor_id);
	INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, quote_of_id, created_at, visibility,
		language, text, content_warning, mention_ids, hashtags, mentions, urls, media)
	VALUES (v_id, actor_id, v_thread_id, v_reply_to_id, v_reply_to_account_id, v_quote_of_id, roost.id_time(v_id),
		coalesce(post_create.visibility, 'public'), language, v_text, nullif(content_warning, ''),
		v_entities.mention_ids, v_entities.hashtags, v_entities.mentions, v_entities.urls, v_media);
	v_post := roost_internal.post_one(actor_id, v_id);
	IF v_post.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	RETURN v_post;
END
$$;
REVOKE ALL ON FUNCTION roost.post_create(roost.id, roost.post_text, roost.id, roost.id, roost.visibility, roost.post_warning, roost.language, roost.post_media) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_create(roost.id, roost.post_text, roost.id, roost.id, roost.visibility, roost.post_warning, roost.language, roost.post_media) IS
'Posts a text of at most roost.post_max_length characters (after normalization to NFC); it may be empty if there is media or a post to quote. Mentions, hashtags and links are taken from the text. An answer to a retweet, or a quote of one, goes to its original. Returns the post. 22001 text too long, 23514 empty, P0002 the post to answer or quote does not exist or the actor may not see it.';
SELECT roost_internal.route('POST', '/tweets', 'roost.post_create', limit_class => 'post', status => 201);

CREATE FUNCTION roost_internal.post_own(actor_id bigint, post_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_author_id bigint;
BEGIN
	PERFORM pg_catalog.pg_advisory_xact_lock(1919905652, pg_catalog.hashint8(post_id));
	PERFORM roost_internal.account_hold(actor_id);
	SELECT p.author_id INTO v_author_id
	FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
	WHERE p.id = post_own.post_id
		AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'post_id', MESSAGE = 'the post does not exist';
	ELSIF v_author_id <> actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'post_id', MESSAGE = 'the post is another account''s';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_own(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_own(bigint, bigint) IS 'Makes sure that the post is the actor''s, and that nobody else does anything to it until the end of the transaction. P0002 if there is none that the actor may see, 42501 another''s.';

CREATE FUNCTION roost.post_edit(
	actor_id roost.id,
	post_id roost.id,
	text roost.post_text DEFAULT NULL,
	visibility roost.visibility DEFAULT NULL,
	content_warning roost.post_warning DEFAULT NULL,
	language roost.language DEFAULT NULL,
	media roost.post_media DEFAULT NULL
) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_old record;
	v_text text;
	v_warning text;
	v_language text;
	v_media jsonb;
	v_entities record;
BEGIN
	PERFORM roost_internal.post_own(actor_id, post_id);
	SELECT * INTO v_old FROM roost_data.post p WHERE p.id = post_id FOR NO KEY UPDATE;
	IF v_old.retweet_of_id IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'post_id', MESSAGE = 'a retweet cannot be edited';
	END IF;
	v_text := coalesce(roost_internal.post_text_normal(text, true), v_old.text);
	v_warning := nullif(coalesce(content_warning, v_old.content_warning), '');
	v_language := coalesce(language, v_old.language);
	v_media := nullif(coalesce(media::jsonb, v_old.media), '[]');
	IF v_media IS NULL AND v_old.quote_of_id IS NULL AND roost_internal.text_is_blank(v_text) THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'text', MESSAGE = 'the post is empty';
	END IF;
	IF (v_text, v_warning, v_language, v_media) IS DISTINCT FROM (v_old.text, v_old.content_warning, v_old.language, v_old.media) THEN
		INSERT INTO roost_data.post_revision (post_id, revision, text, content_warning, language, media, created_at)
		SELECT v_old.id, 1 + coalesce(max(r.revision), 0), v_old.text, v_old.content_warning, v_old.language, v_old.media,
			coalesce(v_old.edited_at, v_old.created_at)
		FROM roost_data.post_revision r WHERE r.post_id = v_old.id;
		v_entities := roost_internal.post_entities(v_text);
		UPDATE roost_data.post p SET text = v_text, content_warning = v_warning, language = v_language, media = v_media,
			mention_ids = v_entities.mention_ids, hashtags = v_entities.hashtags, mentions = v_entities.mentions, urls = v_entities.urls,
			edited_at = greatest(roost_internal.clock_now(), v_old.edited_at, v_old.created_at) -- ids may run ahead of the clock
		WHERE p.id = v_old.id;
	END IF;
	IF visibility IS DISTINCT FROM v_old.visibility AND visibility IS NOT NULL THEN
		UPDATE roost_data.post p SET visibility = post_edit.visibility,
			pinned_at = CASE WHEN post_edit.visibility <> 'direct' THEN p.pinned_at END
		WHERE p.id = v_old.id;
	END IF;
	RETURN roost_internal.post_one(actor_id, post_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_edit(roost.id, roost.id, roost.post_text, roost.visibility, roost.post_warning, roost.language, roost.post_media) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_edit(roost.id, roost.id, roost.post_text, roost.visibility, roost.post_warning, roost.language, roost.post_media) IS
'Changes what is given of an own post; an empty content_warning or media takes it away. The version before is kept in the post''s history. Whom it answers or quotes stays. Returns the post. 22001 text too long, 23514 empty, 42501 another''s post, 55000 a retweet, P0002 no such post.';
SELECT roost_internal.route('PATCH', '/tweets/:post_id', 'roost.post_edit', limit_class => 'write');
SELECT roost_internal.route('PUT', '/tweets/:post_id', 'roost.post_edit', limit_class => 'write');

CREATE FUNCTION roost.post_delete(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post roost.post;
BEGIN
	PERFORM roost_internal.post_own(actor_id, post_id);
	v_post := roost_internal.post_one(actor_id, post_id);
	DELETE FROM roost_data.post p WHERE p.id = post_id;
	RETURN v_post;
END
$$;
REVOKE ALL ON FUNCTION roost.post_delete(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_delete(roost.id, roost.id) IS 'Deletes an own post with its likes, bookmarks, history and retweets; answers to it stay. Returns the post as it was, so that it can be written anew. 42501 another''s post, P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id', 'roost.post_delete', limit_class => 'delete');

-- Likes, retweets, bookmarks and pins.  Doing or undoing one twice changes
-- nothing more; each returns the post as it then is.

CREATE FUNCTION roost_internal.post_undone(actor_id bigint, post_id bigint, done boolean) RETURNS roost.post
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post roost.post := roost_internal.post_one(actor_id, post_id);
BEGIN
	IF v_post.id IS NULL AND NOT done THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'post_id', MESSAGE = 'the post does not exist';
	END IF;
	RETURN v_post;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_undone(bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_undone(bigint, bigint, boolean) IS 'The post from which something was taken back (done) or not. Null if something was, though the actor no longer sees the post; P0002 if nothing was.';

CREATE FUNCTION roost_internal.post_original(post_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN coalesce((SELECT p.retweet_of_id FROM roost_data.post p WHERE p.id = post_id), post_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_original(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_original(bigint) IS 'The post that a retweet shows; another one''s own id.';

CREATE FUNCTION roost.post_like(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	SELECT t.post_id INTO v_id FROM roost_internal.post_target(actor_id, post_id) t;
	INSERT INTO roost_data.post_like (account_id, post_id, id) VALUES (actor_id, v_id, roost_internal.id_next(actor_id))
	ON CONFLICT DO NOTHING;
	RETURN roost_internal.post_one(actor_id, v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_like(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_like(roost.id, roost.id) IS 'Likes a post, or the original of a retweet. Again: changes nothing. Returns the post. P0002 no such post.';
SELECT roost_internal.route('POST', '/tweets/:post_id/like', 'roost.post_like', limit_class => 'like');

CREATE FUNCTION roost.post_unlike(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_original(post_id);
BEGIN
	DELETE FROM roost_data.post_like l WHERE l.account_id = actor_id AND l.post_id = v_id;
	RETURN roost_internal.post_undone(actor_id, v_id, FOUND);
END
$$;
REVOKE ALL ON FUNCTION roost.post_unlike(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_unlike(roost.id, roost.id) IS 'Takes a like back. Again: changes nothing. Returns the post, null if the actor no longer sees it. P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id/like', 'roost.post_unlike', limit_class => 'write');
SELECT roost_internal.route('POST', '/tweets/:post_id/unlike', 'roost.post_unlike', limit_class => 'write');

CREATE FUNCTION roost.post_retweet(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.id_next(actor_id);
	v_target record;
	v_visibility roost.visibility;
BEGIN
	SELECT * INTO v_target FROM roost_internal.post_target(actor_id, post_id);
	SELECT p.visibility INTO v_visibility FROM roost_data.post p WHERE p.id = v_target.post_id;
	IF v_visibility = 'direct' OR NOT v_target.shared AND v_target.author_id <> actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'post_id', MESSAGE = 'the post is not for everyone',
			HINT = 'Only its author may retweet a post for followers, and nobody a direct one.';
	END IF;
	INSERT INTO roost_data.post (id, author_id, thread_id, retweet_of_id, created_at, visibility, text)
	VALUES (v_id, actor_id, v_id, v_target.post_id, roost.id_time(v_id), v_visibility, '')
	ON CONFLICT (author_id, retweet_of_id) WHERE retweet_of_id IS NOT NULL DO NOTHING;
	RETURN roost_internal.post_one(actor_id, v_target.post_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_retweet(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_retweet(roost.id, roost.id) IS 'Shows a post, or the original of a retweet, to the actor''s followers as a post of its own with retweet_of. Again: changes nothing. Returns the original. 42501 the post is not for everyone, P0002 no such post.';
SELECT roost_internal.route('POST', '/tweets/:post_id/retweet', 'roost.post_retweet', limit_class => 'post');

CREATE FUNCTION roost.post_unretweet(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_original(post_id);
BEGIN
	DELETE FROM roost_data.post p WHERE p.author_id = actor_id AND p.retweet_of_id = v_id;
	RETURN roost_internal.post_undone(actor_id, v_id, FOUND);
END
$$;
REVOKE ALL ON FUNCTION roost.post_unretweet(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_unretweet(roost.id, roost.id) IS 'Takes a retweet back; post_id is the original or the retweet. Again: changes nothing. Returns the original, null if the actor no longer sees it. P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id/retweet', 'roost.post_unretweet', limit_class => 'write');
SELECT roost_internal.route('POST', '/tweets/:post_id/unretweet', 'roost.post_unretweet', limit_class => 'write');

CREATE FUNCTION roost.post_bookmark(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	SELECT t.post_id INTO v_id FROM roost_internal.post_target(actor_id, post_id) t;
	INSERT INTO roost_data.post_bookmark (account_id, post_id, id) VALUES (actor_id, v_id, roost_internal.id_next(actor_id))
	ON CONFLICT DO NOTHING;
	RETURN roost_internal.post_one(actor_id, v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_bookmark(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_bookmark(roost.id, roost.id) IS 'Puts a post, or the original of a retweet, aside for the actor alone. Again: changes nothing. Returns the post. P0002 no such post.';
SELECT roost_internal.route('POST', '/tweets/:post_id/bookmark', 'roost.post_bookmark', limit_class => 'write');

CREATE FUNCTION roost.post_unbookmark(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_original(post_id);
BEGIN
	DELETE FROM roost_data.post_bookmark b WHERE b.account_id = actor_id AND b.post_id = v_id;
	RETURN roost_internal.post_undone(actor_id, v_id, FOUND);
END
$$;
REVOKE ALL ON FUNCTION roost.post_unbookmark(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_unbookmark(roost.id, roost.id) IS 'Takes a bookmark back. Again: changes nothing. Returns the post, null if the actor no longer sees it. P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id/bookmark', 'roost.post_unbookmark', limit_class => 'write');
SELECT roost_internal.route('POST', '/tweets/:post_id/unbookmark', 'roost.post_unbookmark', limit_class => 'write');

CREATE FUNCTION roost.post_pin(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_pinnable boolean;
BEGIN
	PERFORM roost_internal.post_own(actor_id, post_id);
	-- One pin of an account at a time, so that the number is known.
	PERFORM pg_catalog.pg_advisory_xact_lock(1919905653, pg_catalog.hashint8(actor_id));
	SELECT p.retweet_of_id IS NULL AND p.visibility <> 'direct' INTO v_pinnable FROM roost_data.post p WHERE p.id = post_id;
	IF NOT v_pinnable THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'post_id', MESSAGE = 'the post cannot be pinned',
			DETAIL = 'Retweets and direct posts cannot.';
	END IF;
	IF (SELECT pg_catalog.count(*) >= 5 FROM roost_data.post p
		WHERE p.author_id = actor_id AND p.pinned_at IS NOT NULL AND p.id <> post_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = '53400', MESSAGE = 'too many pinned posts', DETAIL = 'An account can pin 5 posts.';
	END IF;
	UPDATE roost_data.post p SET pinned_at = roost_internal.clock_now() WHERE p.id = post_id AND p.pinned_at IS NULL;
	RETURN roost_internal.post_one(actor_id, post_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_pin(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_pin(roost.id, roost.id) IS 'Pins an own post to the actor''s profile, five at most. Again: changes nothing. Returns the post. 42501 another''s post, 53400 five are pinned, 55000 a retweet or a direct post, P0002 no such post.';
SELECT roost_internal.route('POST', '/tweets/:post_id/pin', 'roost.post_pin', limit_class => 'write');

CREATE FUNCTION roost.post_unpin(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.post_own(actor_id, post_id);
	UPDATE roost_data.post p SET pinned_at = NULL WHERE p.id = post_id AND p.pinned_at IS NOT NULL;
	RETURN roost_internal.post_one(actor_id, post_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_unpin(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_unpin(roost.id, roost.id) IS 'Unpins an own post. Again: changes nothing. Returns the post. 42501 another''s post, P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id/pin', 'roost.post_unpin', limit_class => 'write');
SELECT roost_internal.route('POST', '/tweets/:post_id/unpin', 'roost.post_unpin', limit_class => 'write');

-- Reading posts and what belongs to them.

CREATE FUNCTION roost_internal.post_seen(viewer_id bigint, post_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint := post_id;
	v_retweet_of_id bigint;
BEGIN
	LOOP
		SELECT p.retweet_of_id INTO v_retweet_of_id
		FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.id = v_id
			AND roost_internal.may_see(viewer_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status);
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'post_id', MESSAGE = 'the post does not exist';
		END IF;
		EXIT WHEN v_retweet_of_id IS NULL;
		v_id := v_retweet_of_id;
	END LOOP;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_seen(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_seen(bigint, bigint) IS 'The id of a post, or of a retweet''s original, that the viewer (null: a stranger) may see; P0002 if there is none.';

CREATE FUNCTION roost.post_reply_list(
	post_id roost.id,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, ARRAY(
		SELECT p.id FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.reply_to_id = v_id AND p.id < v_before AND p.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status)
		ORDER BY p.id DESC LIMIT post_reply_list."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.post_reply_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_reply_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'The answers given to a post itself, newest first; roost.post_context() has the whole thread. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/replies', 'roost.post_reply_list', auth => 'optional');

CREATE FUNCTION roost.post_quote_list(
	post_id roost.id,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, ARRAY(
		SELECT p.id FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.quote_of_id = v_id AND p.id < v_before AND p.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status)
		ORDER BY p.id DESC LIMIT post_quote_list."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.post_quote_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_quote_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'The posts that quote a post, newest first. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/quotes', 'roost.post_quote_list', auth => 'optional');

CREATE FUNCTION roost.post_like_list(
	post_id roost.id,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(s.account_id ORDER BY s.id DESC), pg_catalog.array_agg(s.id ORDER BY s.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT l.account_id, l.id
		FROM roost_data.post_like l JOIN roost_data.account a ON a.id = l.account_id AND a.status = 'active'
		WHERE l.post_id = v_id AND l.id < v_before AND l.id > v_after
		ORDER BY l.id DESC LIMIT post_like_list."limit"
	) s;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.post_like_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_like_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'Who likes a post, the newest like first. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/likes', 'roost.post_like_list', auth => 'optional');

CREATE FUNCTION roost.post_retweet_list(
	post_id roost.id,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(s.author_id ORDER BY s.id DESC), pg_catalog.array_agg(s.id ORDER BY s.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT p.author_id, p.id
		FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.retweet_of_id = v_id AND p.id < v_before AND p.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status)
		ORDER BY p.id DESC LIMIT post_retweet_list."limit"
	) s;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.post_retweet_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_retweet_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'Who has retweeted a post, the newest retweet first, as far as the actor may see them. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/retweets', 'roost.post_retweet_list', auth => 'optional');

CREATE FUNCTION roost.post_history(post_id roost.id, actor_id roost.id DEFAULT NULL) RETURNS SETOF roost.post_revision
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
BEGIN
	RETURN QUERY
	SELECT h.* FROM (
		SELECT r.revision, r.text, r.content_warning, r.language::text, coalesce(r.media, '[]'), r.created_at
		FROM roost_data.post_revision r WHERE r.post_id = v_id
		UNION ALL
		SELECT 1 + (SELECT pg_catalog.count(*) FROM roost_data.post_revision r WHERE r.post_id = v_id)::integer,
			p.text, p.content_warning, p.language::text, coalesce(p.media, '[]'), coalesce(p.edited_at, p.created_at)
		FROM roost_data.post p WHERE p.id = v_id
	) h ORDER BY h.revision;
END
$$;
REVOKE ALL ON FUNCTION roost.post_history(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_history(roost.id, roost.id) IS 'All versions of a post, the first one first and the present one last. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/history', 'roost.post_history', auth => 'optional');

CREATE FUNCTION roost.post_context(post_id roost.id, actor_id roost.id DEFAULT NULL) RETURNS roost.post_context
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_up constant integer := CASE WHEN actor_id IS NULL THEN 40 ELSE 4096 END;
	v_down constant integer := CASE WHEN actor_id IS NULL THEN 60 ELSE 4096 END;
	v_depth constant integer := CASE WHEN actor_id IS NULL THEN 20 ELSE 4096 END;
	v_ancestors bigint[];
	v_descendants bigint[] := '{}';
	v_level bigint[] := ARRAY[v_id];
	v_level_number integer := 0;
BEGIN
	WITH RECURSIVE up AS (
		SELECT p.reply_to_id AS id, 1 AS n FROM roost_data.post p WHERE p.id = v_id
		UNION ALL
		SELECT p.reply_to_id, u.n + 1 FROM up u JOIN roost_data.post p ON p.id = u.id WHERE u.n < v_up
	)
	SELECT pg_catalog.array_agg(u.id ORDER BY u.n DESC) INTO v_ancestors FROM up u WHERE u.id IS NOT NULL;

	-- Level by level; what the actor may not see hides what is under it.
	WHILE v_level_number < v_depth AND pg_catalog.cardinality(v_descendants) < v_down LOOP
		v_level := ARRAY(
			SELECT p.id FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
			WHERE p.reply_to_id = ANY (v_level)
				AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status)
			ORDER BY p.id LIMIT v_down - pg_catalog.cardinality(v_descendants));
		EXIT WHEN v_level = '{}';
		v_descendants := v_descendants || v_level;
		v_level_number := v_level_number + 1;
	END LOOP;

	RETURN ROW(
		ARRAY(SELECT h::roost.post FROM roost_internal.post_hydrate(actor_id, v_ancestors) h),
		ARRAY(SELECT h::roost.post FROM roost_internal.post_hydrate(actor_id,
			ARRAY(SELECT d FROM pg_catalog.unnest(v_descendants) d ORDER BY d)) h)
	)::roost.post_context;
END
$$;
REVOKE ALL ON FUNCTION roost.post_context(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_context(roost.id, roost.id) IS 'The thread around a post: the posts it answers, from the start of the thread on, and all answers under it, oldest first, as far as the actor may see them. Strangers get the nearest 40 above and 60 below, 20 levels deep; others 4096 each. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/context', 'roost.post_context', auth => 'optional', lane => 'slow');

CREATE FUNCTION roost.bookmark_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(s.post_id ORDER BY s.id DESC), pg_catalog.array_agg(s.id ORDER BY s.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT b.post_id, b.id
		FROM roost_data.post_bookmark b
		JOIN roost_data.post p ON p.id = b.post_id
		JOIN roost_data.account a ON a.id = p.author_id
		WHERE b.account_id = actor_id AND b.id < v_before AND b.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status)
		ORDER BY b.id DESC LIMIT bookmark_list."limit"
	) s;
	RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.bookmark_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.bookmark_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The actor''s bookmarks, the newest bookmark first.';
SELECT roost_internal.route('GET', '/bookmarks', 'roost.bookmark_list');

CREATE FUNCTION roost.like_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(s.post_id ORDER BY s.id DESC), pg_catalog.array_agg(s.id ORDER BY s.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT l.post_id, l.id
		FROM roost_data.post_like l
		JOIN roost_data.post p ON p.id = l.post_id
		JOIN roost_data.account a ON a.id = p.author_id
		WHERE l.account_id = actor_id AND l.id < v_before AND l.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status)
		ORDER BY l.id DESC LIMIT like_list."limit"
	) s;
	RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.like_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.like_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The posts that the actor likes, the newest like first. Nobody else gets this list.';
SELECT roost_internal.route('GET', '/likes', 'roost.like_list');

CREATE FUNCTION roost.hashtag_post_list(
	hashtag roost.hashtag,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_hashtag constant text := roost_internal.hashtag_fold(hashtag);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, ARRAY(
		SELECT h.post_id
		FROM roost_data.post_hashtag h
		JOIN roost_data.post p ON p.id = h.post_id
		JOIN roost_data.account a ON a.id = p.author_id
		WHERE h.hashtag = v_hashtag AND h.post_id < v_before AND h.post_id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status)
		ORDER BY h.post_id DESC LIMIT hashtag_post_list."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.hashtag_post_list(roost.hashtag, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.hashtag_post_list(roost.hashtag, roost.id, integer, roost.cursor, roost.cursor) IS 'The public posts with a hashtag, newest first. Case and width of its letters do not matter.';
SELECT roost_internal.route('GET', '/hashtags/:hashtag/tweets', 'roost.hashtag_post_list', auth => 'optional');

CREATE FUNCTION roost.pin_list(account_id roost.account_ref, actor_id roost.id DEFAULT NULL) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, ARRAY(
		SELECT p.id FROM roost_data.post p
		WHERE p.author_id = v_account_id AND p.pinned_at IS NOT NULL ORDER BY p.pinned_at DESC));
END
$$;
REVOKE ALL ON FUNCTION roost.pin_list(roost.account_ref, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.pin_list(roost.account_ref, roost.id) IS 'The posts that an account has pinned, the last pinned first, as far as the actor may see them. P0002 no such account.';
SELECT roost_internal.route('GET', '/users/:account_id/pinned', 'roost.pin_list', auth => 'optional');

CREATE FUNCTION roost.url_resolve(url text, actor_id roost.id DEFAULT NULL) RETURNS roost.resolved
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_part constant text[] := pg_catalog.regexp_match(pg_catalog.left(url, 2048),
		'^(?:https?://[^/?#]+)?/@([A-Za-z0-9_]{1,30})(?:/(?:[^/?#]*-)?([0-9]{1,18}))?/?(?:[?#].*)?$');
	v_account roost.account;
	v_post roost.post;
BEGIN
	IF v_part IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'url', MESSAGE = 'the address is none of an account or a post',
			HINT = 'It looks like /@username or /@username/words-123.';
	END IF;
	IF v_part[2] IS NULL THEN
		v_account := roost.account_get(actor_id, ('@' || v_part[1])::roost.account_ref);
		RETURN ROW('account', v_account.id, v_account.url, v_account, NULL::roost.post)::roost.resolved;
	END IF;
	v_post := roost.post_get(v_part[2]::roost.id, actor_id);
	RETURN ROW('post', v_post.id, v_post.url, NULL::roost.account, v_post)::roost.resolved;
END
$$;
REVOKE ALL ON FUNCTION roost.url_resolve(text, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.url_resolve(text, roost.id) IS 'What the address of a page stands for: /@username, or a post''s permalink /@username/words-id, with or without https:// and host. Of a permalink only the id counts, so old ones keep working when a post is edited or its author renamed. 22023 another address, P0002 nothing the actor may see.';
SELECT roost_internal.route('GET', '/resolve', 'roost.url_resolve', auth => 'optional');

-- Triggers of the tables, export, deletion of accounts, maintenance.

CREATE FUNCTION roost_internal.post_count() RETURNS trigger
LANGUAGE c VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_post_count';
REVOKE ALL ON FUNCTION roost_internal.post_count() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_count() IS 'Statement trigger of roost_data.post: adds the statement''s rows (INSERT) or takes them away (DELETE) in the counters of their authors and of the posts they answer, quote or retweet, and lists new public posts under their hashtags.';

CREATE FUNCTION roost_internal.post_like_count() RETURNS trigger
LANGUAGE c VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_post_like_count';
REVOKE ALL ON FUNCTION roost_internal.post_like_count() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_like_count() IS 'Statement trigger of roost_data.post_like: adds the statement''s rows (INSERT) or takes them away (DELETE) in the counters of the posts.';

CREATE FUNCTION roost_internal.post_stat_add(post_id bigint, likes bigint, retweets bigint, replies bigint, quotes bigint) RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_post_stat_add';
REVOKE ALL ON FUNCTION roost_internal.post_stat_add(bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_stat_add(bigint, bigint, bigint, bigint, bigint) IS 'Adds to the counters of a post, within the transaction. Never waits for another one: it adds to a slot that nobody holds, or makes a new one.';

CREATE FUNCTION roost_internal.post_deleted() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_ids constant bigint[] := (SELECT pg_catalog.array_agg(g.id) FROM gone g);
BEGIN
	-- A statement without rows fires, too; here the retweets of retweets end.
	IF v_ids IS NULL THEN
		RETURN NULL;
	END IF;
	DELETE FROM roost_data.post p WHERE p.retweet_of_id = ANY (v_ids);
	DELETE FROM roost_data.post_like l WHERE l.post_id = ANY (v_ids);
	DELETE FROM roost_data.post_bookmark b WHERE b.post_id = ANY (v_ids);
	DELETE FROM roost_data.post_revision r WHERE r.post_id = ANY (v_ids);
	DELETE FROM roost_data.post_hashtag h USING gone g, LATERAL pg_catalog.unnest(g.hashtags) t
	WHERE h.hashtag = t AND h.post_id = g.id;
	DELETE FROM roost_data.post_stat s WHERE s.post_id = ANY (v_ids);
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_deleted() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_deleted() IS 'Statement trigger of roost_data.post: removes what must not outlive the posts deleted.';

CREATE FUNCTION roost_internal.post_hashtags_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.post_hashtag h WHERE h.hashtag = ANY (OLD.hashtags) AND h.post_id = OLD.id;
	IF NEW.visibility = 'public' THEN
		INSERT INTO roost_data.post_hashtag (hashtag, post_id)
		SELECT DISTINCT t, NEW.id FROM pg_catalog.unnest(NEW.hashtags) t;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_hashtags_changed() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_hashtags_changed() IS 'Row trigger of roost_data.post: lists a changed post under its present hashtags.';

CREATE FUNCTION roost_internal.post_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'posts', (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
				'id', p.id::text, 'created_at', p.created_at, 'edited_at', p.edited_at, 'pinned_at', p.pinned_at,
				'visibility', p.visibility, 'text', nullif(p.text, ''), 'content_warning', p.content_warning, 'language', p.language,
				'reply_to_id', p.reply_to_id::text, 'quote_of_id', p.quote_of_id::text, 'retweet_of_id', p.retweet_of_id::text,
				'mentions', p.mentions, 'hashtags', p.hashtags, 'urls', p.urls, 'media', p.media,
				'history', (SELECT jsonb_agg(jsonb_build_object('text', r.text, 'content_warning', r.content_warning,
						'language', r.language, 'media', r.media, 'created_at', r.created_at) ORDER BY r.revision)
					FROM roost_data.post_revision r WHERE r.post_id = p.id)
			)) ORDER BY p.id), '[]') FROM roost_data.post p WHERE p.author_id = $1),
		'likes', (SELECT coalesce(jsonb_agg(jsonb_build_object('post_id', l.post_id::text, 'created_at', l.created_at) ORDER BY l.id), '[]')
			FROM roost_data.post_like l WHERE l.account_id = $1),
		'bookmarks', (SELECT coalesce(jsonb_agg(jsonb_build_object('post_id', b.post_id::text, 'created_at', b.created_at) ORDER BY b.id), '[]')
			FROM roost_data.post_bookmark b WHERE b.account_id = $1))
$$;
REVOKE ALL ON FUNCTION roost_internal.post_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_export(bigint) IS 'Everything of an account in this module, oldest first: {"posts": […], "likes": […], "bookmarks": […]}; posts with their former versions.';

CREATE FUNCTION roost_internal.post_account_delete(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	-- In the order in which the deletion of a post goes on to what belongs to it.
	DELETE FROM roost_data.post p WHERE p.author_id = $1;
	DELETE FROM roost_data.post_like l WHERE l.account_id = $1;
	DELETE FROM roost_data.post_bookmark b WHERE b.account_id = $1;
$$;
REVOKE ALL ON FUNCTION roost_internal.post_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_account_delete(bigint) IS 'Removes everything of an account in this module: its posts with all that belongs to them, its likes and its bookmarks. Hold the account alone first (roost_internal.account_hold_alone), so that nobody does anything to its posts any more.';

CREATE FUNCTION roost_internal.post_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post_id bigint;
	v_sum record;
	v_count bigint := 0;
BEGIN
	FOR v_post_id IN
		SELECT s.post_id FROM roost_data.post_stat s GROUP BY s.post_id HAVING pg_catalog.count(*) > 1
	LOOP
		-- Only the slots that nobody holds; the others are folded another time.
		WITH idle AS (
			SELECT s.post_id, s.slot FROM roost_data.post_stat s WHERE s.post_id = v_post_id FOR UPDATE SKIP LOCKED
		), gone AS (
			DELETE FROM roost_data.post_stat s USING idle i WHERE s.post_id = i.post_id AND s.slot = i.slot
			RETURNING s.like_count, s.retweet_count, s.reply_count, s.quote_count
		)
		SELECT sum(g.like_count)::bigint AS likes, sum(g.retweet_count)::bigint AS retweets,
			sum(g.reply_count)::bigint AS replies, sum(g.quote_count)::bigint AS quotes, pg_catalog.count(*) AS slots
		INTO v_sum FROM gone g;
		IF v_sum.slots > 0 THEN
			PERFORM roost_internal.post_stat_add(v_post_id, v_sum.likes, v_sum.retweets, v_sum.replies, v_sum.quotes);
			v_count := v_count + v_sum.slots - 1;
		END IF;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_maintenance() IS 'Puts the slots of each post''s counters together that no transaction holds. Returns how many rows that saved.';

-- Import of posts and likes, for those who move in.
--
-- Everything is done to the whole staging table at once: what cannot be is
-- marked with a reason, the rest gets its ids and its places in threads, and
-- then goes into the tables in one statement, so that counters are written once
-- a post and an account.

CREATE FUNCTION roost_internal.import_text(text text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT pg_catalog.regexp_replace(pg_catalog.regexp_replace(text, '\r\n?', E'\n', 'g'), '[\u0001-\u0008\u000b-\u001f\u007f-\u009f]', '', 'g')
$$;
REVOKE ALL ON FUNCTION roost_internal.import_text(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_text(text) IS 'A text from elsewhere with line ends as newlines and without other control characters, which old data are full of.';

CREATE FUNCTION roost_internal.import_post_refusal(
	text text,
	retweet_of text,
	quote_of text,
	visibility text,
	content_warning text,
	language text,
	hashtags text[],
	media jsonb
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_type text;
	v_rule text;
BEGIN
	IF visibility NOT IN ('public', 'unlisted', 'followers', 'direct') THEN
		RETURN 'visibility is not public, unlisted, followers or direct';
	ELSIF retweet_of IS NOT NULL AND (quote_of IS NOT NULL OR text <> '' OR media IS NOT NULL) THEN
		RETURN 'a retweet has no text, media or quote of its own';
	ELSIF retweet_of IS NULL AND quote_of IS NULL AND media IS NULL AND roost_internal.text_is_blank(coalesce(text, '')) THEN
		RETURN 'the post is empty';
	END IF;
	-- The domains know the rules.
	PERFORM roost_internal.import_text(text)::roost.post_text, content_warning::roost.post_warning, language::roost.language, hashtags::roost.hashtag[], media::roost.post_media;
	RETURN NULL;
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS v_type = PG_DATATYPE_NAME;
	SELECT d.description INTO v_rule FROM pg_catalog.pg_description d
	WHERE d.classoid = 'pg_catalog.pg_type'::regclass AND d.objoid = pg_catalog.to_regtype('roost.' || v_type) AND d.objsubid = 0;
	RETURN pg_catalog.format('%s is not valid: %s', v_type, v_rule);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_refusal(text, text, text, text, text, text, text[], jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_refusal(text, text, text, text, text, text, text[], jsonb) IS 'Why a post cannot be imported whatever else there is, or null.';

CREATE FUNCTION roost_internal.import_post_parents() RETURNS TABLE (external_id text, parent text, kind text, id bigint, staged boolean)
LANGUAGE sql STABLE
AS $$
	SELECT s.external_id, r.parent, r.kind, coalesce(p.id, m.id), p.external_id IS NOT NULL
	FROM roost_data.import_post s
	CROSS JOIN LATERAL (VALUES (s.reply_to, 'reply_to'), (s.quote_of, 'quote_of'), (s.retweet_of, 'retweet_of')) r (parent, kind)
	LEFT JOIN roost_data.import_post p ON p.external_id = r.parent AND p.error IS NULL
	LEFT JOIN (roost_data.import_map m JOIN roost_data.post o ON o.id = m.id) ON m.kind = 'post' AND m.external_id = r.parent
	WHERE s.error IS NULL AND r.parent IS NOT NULL
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_parents() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_parents() IS 'The posts to which good rows of the staging table refer: kind says how, id is null for one that neither stands there as a good row itself nor was imported before.';

CREATE FUNCTION roost_internal.import_post_refuse_orphans() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_count bigint;
BEGIN
	LOOP
		UPDATE roost_data.import_post s SET error = p.kind || ' is not an imported post'
		FROM roost_internal.import_post_parents() p
		WHERE p.external_id = s.external_id AND p.id IS NULL AND NOT p.staged;
		GET DIAGNOSTICS v_count = ROW_COUNT;
		EXIT WHEN v_count = 0;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_refuse_orphans() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_refuse_orphans() IS 'Marks the rows that refer to a post that is neither imported nor a good row, and those that refer to them, and so on.';

CREATE FUNCTION roost_internal.import_post_refuse(present timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.import_post s SET
		id = NULL,
		thread_id = NULL,
		author_id = a.id,
		error = CASE WHEN a.id IS NULL THEN 'author is not an imported account' ELSE coalesce(
			roost_internal.import_time_refusal(s.created_at, present),
			roost_internal.import_post_refusal(s.text, s.retweet_of, s.quote_of, s.visibility, s.content_warning, s.language, s.hashtags, s.media)) END
	FROM roost_data.import_post t
	LEFT JOIN (roost_data.import_map m JOIN roost_data.account a ON a.id = m.id AND a.status <> 'deleted')
		ON m.kind = 'account' AND m.external_id = t.author
	WHERE t.external_id = s.external_id;

	UPDATE roost_data.import_post s SET error = 'retweet_of is a retweet itself'
	WHERE s.error IS NULL AND s.retweet_of IS NOT NULL AND (
		EXISTS (SELECT FROM roost_data.import_post t WHERE t.external_id = s.retweet_of AND t.retweet_of IS NOT NULL)
		OR EXISTS (SELECT FROM roost_data.import_map m JOIN roost_data.post p ON p.id = m.id
			WHERE m.kind = 'post' AND m.external_id = s.retweet_of AND p.retweet_of_id IS NOT NULL));
	UPDATE roost_data.import_post s SET error = 'the author has retweeted that post already'
	FROM (
		SELECT t.external_id, pg_catalog.row_number() OVER (PARTITION BY t.author_id, t.retweet_of ORDER BY t.created_at, t.external_id) AS n
		FROM roost_data.import_post t WHERE t.error IS NULL AND t.retweet_of IS NOT NULL
	) n
	WHERE n.external_id = s.external_id AND (n.n > 1 OR EXISTS (
		SELECT FROM roost_data.import_map m JOIN roost_data.post p ON p.retweet_of_id = m.id
		WHERE m.kind = 'post' AND m.external_id = s.retweet_of AND p.author_id = s.author_id));
	PERFORM roost_internal.import_post_refuse_orphans();
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_refuse(timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_refuse(timestamptz) IS 'Finds the authors of the posts to import, and marks the rows that cannot be imported.';

CREATE FUNCTION roost_internal.import_post_ids() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_step bigint := 1;
	v_count bigint;
BEGIN
	UPDATE roost_data.import_post s SET id = roost_internal.import_id(s.created_at, s.author_id, n.n - 1)
	FROM (
		SELECT t.external_id, pg_catalog.row_number() OVER (
			PARTITION BY t.author_id & 1023, pg_catalog.date_trunc('milliseconds', t.created_at) ORDER BY t.external_id) AS n
		FROM roost_data.import_post t WHERE t.error IS NULL
	) n
	WHERE n.external_id = s.external_id;
	-- Where an id is in use, it moves on, further every time.
	LOOP
		UPDATE roost_data.import_post s SET id = s.id + (v_step << 10)
		FROM (
			SELECT t.external_id, t.id, pg_catalog.row_number() OVER (PARTITION BY t.id ORDER BY t.external_id) AS n
			FROM roost_data.import_post t WHERE t.error IS NULL
		) n
		WHERE n.external_id = s.external_id AND (n.n > 1 OR EXISTS (SELECT FROM roost_data.post p WHERE p.id = n.id));
		GET DIAGNOSTICS v_count = ROW_COUNT;
		EXIT WHEN v_count = 0;
		v_step := v_step * 2;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_ids() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_ids() IS 'Gives the posts to import ids that say when they were made.';

CREATE FUNCTION roost_internal.import_post_threads() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH RECURSIVE place AS (
		SELECT s.external_id, coalesce(p.thread_id, s.id) AS thread_id
		FROM roost_data.import_post s
		LEFT JOIN (roost_data.import_map m JOIN roost_data.post p ON p.id = m.id) ON m.kind = 'post' AND m.external_id = s.reply_to
		WHERE s.error IS NULL AND (s.reply_to IS NULL OR p.id IS NOT NULL)
		UNION ALL
		SELECT s.external_id, f.thread_id
		FROM place f JOIN roost_data.import_post s ON s.reply_to = f.external_id
		WHERE s.error IS NULL
	)
	UPDATE roost_data.import_post s SET thread_id = f.thread_id FROM place f WHERE f.external_id = s.external_id;
	UPDATE roost_data.import_post s SET error = 'reply_to leads back to the post' WHERE s.error IS NULL AND s.thread_id IS NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_threads() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_threads() IS 'Gives the posts to import the first post of their thread, and marks those whose thread has none.';

CREATE FUNCTION roost.post_import() RETURNS roost.import_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_present constant timestamptz := roost_internal.clock_now();
	v_result roost.import_result;
	v_good bigint;
BEGIN
	LOCK TABLE roost_data.import_post IN ACCESS EXCLUSIVE MODE;
	DELETE FROM roost_data.import_post s USING roost_data.import_map m
	WHERE m.kind = 'post' AND m.external_id = s.external_id;
	GET DIAGNOSTICS v_result.existing = ROW_COUNT;
	ANALYZE roost_data.import_post;
	PERFORM roost_internal.import_post_refuse(v_present);
	PERFORM roost_internal.import_post_ids();
	PERFORM roost_internal.import_post_threads();
	-- what answers, quotes or retweets a post out of a circle
	PERFORM roost_internal.import_post_refuse_orphans();
	SELECT pg_catalog.count(*) FILTER (WHERE s.error IS NULL), pg_catalog.count(*) FILTER (WHERE s.error IS NOT NULL)
	INTO v_good, v_result.refused FROM roost_data.import_post s;
	RAISE NOTICE '% posts to import, % refused', v_good, v_result.refused;

	WITH parent AS MATERIALIZED (
		SELECT p.external_id,
			pg_catalog.max(p.id) FILTER (WHERE p.kind = 'reply_to') AS reply_to_id,
			pg_catalog.max(p.id) FILTER (WHERE p.kind = 'quote_of') AS quote_of_id,
			pg_catalog.max(p.id) FILTER (WHERE p.kind = 'retweet_of') AS retweet_of_id
		FROM roost_internal.import_post_parents() p
		GROUP BY p.external_id
	), staged AS MATERIALIZED (
		SELECT s.id, s.author_id, s.visibility, s.retweet_of FROM roost_data.import_post s WHERE s.error IS NULL
	)
	INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, quote_of_id, retweet_of_id, created_at,
		visibility, language, text, content_warning, mention_ids, hashtags, mentions, urls, media)
	SELECT s.id, s.author_id, s.thread_id, r.reply_to_id, coalesce(rs.author_id, rp.author_id), r.quote_of_id, r.retweet_of_id,
		coalesce(s.created_at, v_present),
		coalesce(CASE WHEN r.retweet_of_id IS NULL THEN s.visibility::roost.visibility ELSE coalesce(os.visibility::roost.visibility, op.visibility) END, 'public'),
		s.language, coalesce(n.text, ''), nullif(s.content_warning, ''),
		e.mention_ids,
		nullif(ARRAY(SELECT h FROM pg_catalog.unnest(e.hashtags) WITH ORDINALITY u (h, i)
			UNION ALL
			(SELECT DISTINCT roost_internal.hashtag_fold(u) FROM pg_catalog.unnest(s.hashtags) u
				WHERE roost_internal.hashtag_fold(u) <> ALL (coalesce(e.hashtags, '{}')))), '{}'),
		e.mentions, e.urls, nullif(s.media, '[]')
	FROM roost_data.import_post s
	CROSS JOIN LATERAL (SELECT roost_internal.post_text_normal(roost_internal.import_text(s.text), false) AS text) n
	LEFT JOIN LATERAL roost_internal.post_entities(n.text) e ON true
	LEFT JOIN parent r ON r.external_id = s.external_id
	LEFT JOIN staged rs ON rs.id = r.reply_to_id
	LEFT JOIN roost_data.post rp ON rp.id = r.reply_to_id
	LEFT JOIN staged os ON os.id = r.retweet_of_id
	LEFT JOIN roost_data.post op ON op.id = r.retweet_of_id
	WHERE s.error IS NULL
	ORDER BY s.id;
	GET DIAGNOSTICS v_result.inserted = ROW_COUNT;
	INSERT INTO roost_data.import_map (kind, external_id, id)
	SELECT 'post', s.external_id, s.id FROM roost_data.import_post s WHERE s.error IS NULL;
	DELETE FROM roost_data.import_post s WHERE s.error IS NULL;
	RAISE NOTICE '% posts imported', v_result.inserted;
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.post_import() FROM PUBLIC;
COMMENT ON FUNCTION roost.post_import() IS 'Makes posts and retweets of the rows of roost_data.import_post, at the times they were made (null: now), with mentions, hashtags and links taken from their texts (up to 64 KiB; control characters are dropped), and remembers their external ids in roost_data.import_map. Posts may answer, quote and retweet each other and those imported before, in any order of rows. Rows done, and rows imported before, leave the table; refused ones stay, with the reason in error, and are tried again by the next call.';

CREATE FUNCTION roost.like_import() RETURNS roost.import_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_present constant timestamptz := roost_internal.clock_now();
	v_result roost.import_result;
	v_staged bigint;
BEGIN
	LOCK TABLE roost_data.import_like IN ACCESS EXCLUSIVE MODE;
	ANALYZE roost_data.import_like;
	SELECT pg_catalog.count(*) INTO v_staged FROM roost_data.import_like;
	RAISE NOTICE '% likes to import', v_staged;

	UPDATE roost_data.import_like s SET error = CASE
		WHEN t.account_id IS NULL THEN 'account is not an imported account'
		WHEN t.post_id IS NULL THEN 'post is not an imported post'
		ELSE roost_internal.import_time_refusal(s.created_at, v_present) END
	FROM (
		SELECT i.ctid AS row, a.id AS account_id, p.id AS post_id
		FROM roost_data.import_like i
		LEFT JOIN (roost_data.import_map am JOIN roost_data.account a ON a.id = am.id AND a.status <> 'deleted')
			ON am.kind = 'account' AND am.external_id = i.account
		LEFT JOIN (roost_data.import_map pm JOIN roost_data.post p ON p.id = pm.id)
			ON pm.kind = 'post' AND pm.external_id = i.post
	) t
	WHERE s.ctid = t.row AND (s.error IS NOT NULL OR t.account_id IS NULL OR t.post_id IS NULL
		OR roost_internal.import_time_refusal(s.created_at, v_present) IS NOT NULL);

	INSERT INTO roost_data.post_like (account_id, post_id, id, created_at)
	SELECT s.account_id, s.post_id,
		roost_internal.import_id(s.created_at, s.account_id,
			pg_catalog.row_number() OVER (PARTITION BY pg_catalog.date_trunc('milliseconds', s.created_at)) - 1),
		coalesce(s.created_at, v_present)
	FROM (
		SELECT DISTINCT ON (am.id, coalesce(p.retweet_of_id, p.id)) am.id AS account_id, coalesce(p.retweet_of_id, p.id) AS post_id, t.created_at
		FROM roost_data.import_like t
		JOIN roost_data.import_map am ON am.kind = 'account' AND am.external_id = t.account
		JOIN roost_data.import_map pm ON pm.kind = 'post' AND pm.external_id = t.post
		JOIN roost_data.post p ON p.id = pm.id
		WHERE t.error IS NULL
		ORDER BY 1, 2, t.created_at
	) s
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS v_result.inserted = ROW_COUNT;
	DELETE FROM roost_data.import_like s WHERE s.error IS NULL;
	SELECT pg_catalog.count(*) INTO v_result.refused FROM roost_data.import_like;
	v_result.existing := v_staged - v_result.inserted - v_result.refused;
	RAISE NOTICE '% likes imported', v_result.inserted;
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.like_import() FROM PUBLIC;
COMMENT ON FUNCTION roost.like_import() IS 'Makes likes of the rows of roost_data.import_like, at the times they were made (null: now); of a retweet its original is liked. Rows done, and likes that exist already, leave the table; refused ones stay, with the reason in error, and are tried again by the next call.';

-- Types of the timeline module.

CREATE TYPE roost.timeline_order AS ENUM ('recent', 'top');
COMMENT ON TYPE roost.timeline_order IS 'recent: newest first. top: what is talked about first; every tenfold of engagement counts like 12 hours of youth.';

CREATE TYPE roost.timeline_replies AS ENUM ('following', 'all', 'none');
COMMENT ON TYPE roost.timeline_replies IS 'Which replies a home timeline shows: following (those to accounts the reader follows, and to the reader), all, or none.';

CREATE FUNCTION roost_internal.tables_timeline() RETURNS text LANGUAGE sql IMMUTABLE AS $roost_function$ SELECT $roost_tables$
-- Tables of the timeline module: an index for what everybody may list.

CREATE INDEX IF NOT EXISTS post_public_id_idx ON roost_data.post (id DESC)
	WHERE visibility = 'public' AND reply_to_id IS NULL AND retweet_of_id IS NULL;
$roost_tables$ $roost_function$;
COMMENT ON FUNCTION roost_internal.tables_timeline() IS 'The text of sql/timeline/tables.sql, run by roost.install().';

-- What a home timeline is.

CREATE FUNCTION roost_internal.timeline_definition(
	reader_id bigint,
	replies roost.timeline_replies DEFAULT 'following',
	own boolean DEFAULT true
) RETURNS TABLE (id bigint, post_id bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH known AS (
		SELECT pg_catalog.unnest(roost_internal.followee_ids(reader_id)) AS account_id UNION ALL SELECT reader_id
	)
	SELECT e.id, p.id
	FROM roost_data.post e
	JOIN roost_data.account ea ON ea.id = e.author_id
	JOIN roost_data.post p ON p.id = coalesce(e.retweet_of_id, e.id)
	JOIN roost_data.account pa ON pa.id = p.author_id
	WHERE e.author_id IN (SELECT account_id FROM known)
		AND (own OR e.author_id <> reader_id)
		AND CASE replies
			WHEN 'all' THEN true
			WHEN 'following' THEN e.reply_to_account_id IS NULL OR e.reply_to_account_id IN (SELECT account_id FROM known)
			ELSE e.reply_to_account_id IS NULL END
		AND roost_internal.may_see(reader_id, e.author_id, e.visibility, e.mention_ids, ea.is_private, ea.status)
		AND roost_internal.may_see(reader_id, p.author_id, p.visibility, p.mention_ids, pa.is_private, pa.status)
$$;
REVOKE ALL ON FUNCTION roost_internal.timeline_definition(bigint, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_definition(bigint, roost.timeline_replies, boolean) IS 'The home timeline of a reader, by definition: every entry, and the post it shows (another one for a retweet). A page is its entries newest first, each post only where it appears first. Slow; what is fast must equal it.';

-- The home timeline, read by pull: followees first, then their newest posts.
--
-- Only ids are read until a page is known, from the index of post (author_id,
-- id DESC) alone.  See extension/timeline/newest.c.

CREATE FUNCTION roost_internal.timeline_newest(
	author_ids bigint[],
	known_ids bigint[],
	"limit" integer,
	before_id bigint,
	after_id bigint,
	replies roost.timeline_replies
) RETURNS bigint[]
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_timeline_newest';
REVOKE ALL ON FUNCTION roost_internal.timeline_newest(bigint[], bigint[], integer, bigint, bigint, roost.timeline_replies) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_newest(bigint[], bigint[], integer, bigint, bigint, roost.timeline_replies) IS 'The ids of the newest "limit" posts of the authors between the two ids (exclusive), newest first; of replies all, none, or only those to a known account.';

CREATE FUNCTION roost_internal.timeline_home_ids(
	reader_id bigint,
	"limit" integer,
	before_id bigint,
	after_id bigint,
	replies roost.timeline_replies,
	own boolean
) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_followees constant bigint[] := roost_internal.followee_ids(reader_id);
	v_known constant bigint[] := v_followees || reader_id;
	v_before bigint := before_id;
	v_limit constant integer := coalesce("limit", 20);
	v_want integer := v_limit + 4;
	v_newest bigint[];
	v_ids bigint[];
	v_posts bigint[];
	v_page bigint[] := '{}';
	v_seen bigint[] := '{}';
BEGIN
	LOOP
		v_newest := roost_internal.timeline_newest(CASE WHEN own THEN v_known ELSE v_followees END, v_known,
			v_want, v_before, after_id, replies);
		SELECT p.visible_ids, p.post_ids INTO v_ids, v_posts
		FROM roost_internal.post_visible(reader_id, v_newest, v_seen) p;
		v_page := v_page || v_ids;
		EXIT WHEN pg_catalog.cardinality(v_newest) < v_want
			OR pg_catalog.cardinality(v_page) >= v_limit;
		v_before := v_newest[v_want];
		v_seen := v_seen || v_posts;
		v_want := v_want * 2;
	END LOOP;
	RETURN v_page[1:v_limit];
END
$$;
REVOKE ALL ON FUNCTION roost_internal.timeline_home_ids(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_home_ids(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) IS 'One page of roost_internal.timeline_definition(): the ids of at most "limit" entries between the two ids (exclusive), newest first, each post once.';

CREATE FUNCTION roost_internal.timeline_top(
	reader_id bigint,
	"limit" integer,
	before_rank bigint,
	after_rank bigint,
	replies roost.timeline_replies,
	own boolean
) RETURNS TABLE (id bigint, rank bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT r.id, r.rank
	FROM (
		SELECT e.id,
			-- the entry's id, its time moved by what the post has brought about
			e.id + ((43200000 * pg_catalog.log10(1 + s.engagement))::bigint << 16) AS rank
		FROM roost_data.post e
		CROSS JOIN LATERAL (
			SELECT greatest(coalesce(pg_catalog.sum(
				t.like_count + 2 * t.reply_count + 3 * t.retweet_count + 3 * t.quote_count), 0), 0)::double precision AS engagement
			FROM roost_data.post_stat t WHERE t.post_id = coalesce(e.retweet_of_id, e.id)
		) s
		WHERE e.id = ANY (roost_internal.timeline_home_ids(reader_id, 1000, 9223372036854775807, 0, replies, own))
	) r
	WHERE r.rank < before_rank AND r.rank > after_rank
	ORDER BY r.rank DESC, r.id DESC
	LIMIT timeline_top."limit";
END
$$;
REVOKE ALL ON FUNCTION roost_internal.timeline_top(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_top(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) IS 'The newest 1,000 entries of a home timeline, ranked: each stands where an entry without engagement would stand that is 12 hours younger per tenfold of 1 + likes + 2 replies + 3 retweets + 3 quotes. rank is a place between ids, and depends on nothing but the entry: pages do not shift as time goes by.';

CREATE FUNCTION roost.timeline_home(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL,
	"order" roost.timeline_order DEFAULT 'recent',
	replies roost.timeline_replies DEFAULT 'following',
	own boolean DEFAULT true
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_ranks bigint[];
BEGIN
	IF "order" = 'top' THEN
		SELECT pg_catalog.array_agg(t.id ORDER BY t.rank DESC, t.id DESC), pg_catalog.array_agg(t.rank ORDER BY t.rank DESC, t.id DESC)
		INTO v_ids, v_ranks
		FROM roost_internal.timeline_top(actor_id, timeline_home."limit", v_before, v_after, replies, own) t;
		RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, v_ids, v_ranks);
	ELSE
		RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id,
			roost_internal.timeline_home_ids(actor_id, timeline_home."limit", v_before, v_after, replies, own));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.timeline_home(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_home(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) IS 'The home timeline: posts and retweets of the accounts that the caller follows and, unless own is false, its own; each post once a page. order: recent (newest first) or top. replies: following (replies to accounts it follows and to itself), all or none. Cursors of one order mean nothing in the other.';
SELECT roost_internal.route('GET', '/tweets/home', 'roost.timeline_home', auth => 'user', tags => '{timeline}');

-- Timelines that do not depend on whom the reader follows.

CREATE FUNCTION roost.timeline_public(
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, ARRAY(
		SELECT p.id
		FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id AND a.status = 'active' AND NOT a.is_private
		WHERE p.visibility = 'public' AND p.reply_to_id IS NULL AND p.retweet_of_id IS NULL
			AND p.id < v_before AND p.id > v_after
		ORDER BY p.id DESC
		LIMIT timeline_public."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.timeline_public(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_public(roost.id, integer, roost.cursor, roost.cursor) IS 'Public posts of all accounts that are not private, newest first, without replies and retweets. Open to strangers.';
SELECT roost_internal.route('GET', '/tweets/public', 'roost.timeline_public', auth => 'optional', tags => '{timeline}');

CREATE FUNCTION roost.timeline(
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL,
	"order" roost.timeline_order DEFAULT 'recent',
	replies roost.timeline_replies DEFAULT 'following',
	own boolean DEFAULT true
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF actor_id IS NULL THEN
		RETURN QUERY SELECT * FROM roost.timeline_public(NULL, timeline."limit", before, after);
	ELSE
		RETURN QUERY SELECT * FROM roost.timeline_home(actor_id, timeline."limit", before, after, "order", replies, own);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.timeline(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) IS 'The home timeline of the caller; the public timeline for strangers, for whom order, replies and own mean nothing.';
SELECT roost_internal.route('GET', '/tweets', 'roost.timeline', auth => 'optional', tags => '{timeline}');

CREATE FUNCTION roost.timeline_account(
	account_id roost.account_ref,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL,
	replies boolean DEFAULT false,
	retweets boolean DEFAULT true
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	PERFORM roost_internal.graph_list_check(actor_id, v_account_id);
	RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, ARRAY(
		SELECT e.id
		FROM (
			SELECT t.id, t.visibility, t.retweet_of_id FROM roost_data.post t
			WHERE t.author_id = v_account_id AND t.id < v_before AND t.id > v_after
				AND (replies OR t.reply_to_account_id IS NULL)
				AND (retweets OR t.retweet_of_id IS NULL)
			ORDER BY t.id DESC
		) e
		WHERE NOT EXISTS (
				SELECT FROM roost_data.post t JOIN roost_data.account a ON a.id = t.author_id
				WHERE t.id = e.id AND e.visibility > 'unlisted'
					AND NOT roost_internal.may_see(actor_id, t.author_id, t.visibility, t.mention_ids, a.is_private, a.status))
			AND (e.retweet_of_id IS NULL OR EXISTS (
				SELECT FROM roost_data.post t JOIN roost_data.account a ON a.id = t.author_id
				WHERE t.id = e.retweet_of_id
					AND roost_internal.may_see(actor_id, t.author_id, t.visibility, t.mention_ids, a.is_private, a.status)))
		ORDER BY e.id DESC
		LIMIT timeline_account."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.timeline_account(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor, boolean, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_account(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor, boolean, boolean) IS 'The posts of an account that the caller may see, newest first: with replies only if asked for, with retweets unless told otherwise. P0002 no such account, 42501 it is private and the caller does not follow it.';
SELECT roost_internal.route('GET', '/users/:account_id/tweets', 'roost.timeline_account', auth => 'optional', tags => '{timeline}');

-- What a role may do.  roost makes no roles; these functions grant.

CREATE FUNCTION roost.grant_gateway(role name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
	EXECUTE format('GRANT USAGE ON SCHEMA roost TO %I', role);
	EXECUTE format('GRANT EXECUTE ON FUNCTION roost.handle(text, text, text, text, text, text), roost.gateway_config() TO %I', role);
END
$$;
REVOKE ALL ON FUNCTION roost.grant_gateway(name) FROM PUBLIC;
COMMENT ON FUNCTION roost.grant_gateway(name) IS 'Lets a role serve requests: it may execute roost.handle and roost.gateway_config, and reads no table. Give it LOGIN and a password yourself; it should own nothing and belong to no other role.';

CREATE FUNCTION roost.grant_worker(role name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
	EXECUTE format('GRANT USAGE ON SCHEMA roost TO %I', role);
	EXECUTE format('GRANT EXECUTE ON FUNCTION roost.job_take(text, integer, interval), roost.job_done(bigint, integer), roost.job_fail(bigint, integer, text, timestamptz) TO %I', role);
END
$$;
REVOKE ALL ON FUNCTION roost.grant_worker(name) FROM PUBLIC;
COMMENT ON FUNCTION roost.grant_worker(name) IS 'Lets a role work on jobs: take them, with what they hold (mails with their tokens, too), and report. It reads no table.';

CREATE FUNCTION roost.grant_analyst(role name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
	EXECUTE format('GRANT USAGE ON SCHEMA roost, roost_bi TO %I', role);
	EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA roost_bi TO %I', role);
END
$$;
REVOKE ALL ON FUNCTION roost.grant_analyst(name) FROM PUBLIC;
COMMENT ON FUNCTION roost.grant_analyst(name) IS 'Lets a role read the views of roost_bi and nothing else. Call it again after an update that brought new views.';

CREATE FUNCTION roost.grant_admin(role name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_function regprocedure;
BEGIN
	PERFORM roost.grant_analyst(role);
	EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA roost TO %I', role);
	-- A view reads with its owner's rights, but calls functions with the reader's.
	FOR v_function IN
		SELECT DISTINCT d.refobjid::regprocedure
		FROM pg_depend d JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
		JOIN pg_class c ON c.oid = w.ev_class AND c.relnamespace = 'roost'::regnamespace
		JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid AND p.pronamespace = 'roost_internal'::regnamespace
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function, role);
	END LOOP;
	EXECUTE format('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA roost TO %I', role);
	EXECUTE format('REVOKE EXECUTE ON FUNCTION roost.install(), roost.uninstall(text), roost.grant_gateway(name), roost.grant_worker(name), roost.grant_analyst(name), roost.grant_admin(name) FROM %I', role);
END
$$;
REVOKE ALL ON FUNCTION roost.grant_admin(name) FROM PUBLIC;
COMMENT ON FUNCTION roost.grant_admin(name) IS 'Lets a role call every function of schema roost as any account (actor_id), and read roost_bi and the views of statistics; not install, uninstall or grant, which belong to the owner. Call it again after an update that brought new functions.';

CREATE FUNCTION roost_internal.table_modules() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$ SELECT '{core,api,limit,job,token,account,graph,post,timeline}'::text[] $$;
COMMENT ON FUNCTION roost_internal.table_modules() IS 'The modules that have tables, in the order of sql/install.list.';
