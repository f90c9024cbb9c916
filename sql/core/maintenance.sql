-- Maintenance: what has to happen from time to time.

CREATE OR REPLACE FUNCTION roost.maintenance_run(module_name text DEFAULT NULL) RETURNS TABLE (module text, purged bigint, error text)
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

CREATE OR REPLACE FUNCTION roost_internal.maintenance_jobs(OUT job text, OUT schedule text, OUT command text, OUT database text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES
		('roost-maintenance', '17 * * * *', 'SELECT roost.maintenance_run()', current_database()::text),
		('roost-chat', '*/2 * * * *', 'SELECT roost.maintenance_run(''chat'')', current_database()::text),
		('roost-bi', '*/5 * * * *', 'SELECT roost.maintenance_run(''bi'')', current_database()::text),
		('roost-history', '47 3 * * *', 'DELETE FROM cron.job_run_details d USING cron.job j WHERE j.jobid = d.jobid AND j.jobname LIKE ''roost-%'' AND d.end_time < now() - interval ''7 days''',
			coalesce(current_setting('cron.database_name', true), 'postgres'))
$$;
REVOKE ALL ON FUNCTION roost_internal.maintenance_jobs() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.maintenance_jobs() IS 'The jobs for pg_cron: name, schedule, command and the database it runs in. roost-history deletes what pg_cron recorded about runs of roost''s jobs more than a week ago.';

CREATE OR REPLACE FUNCTION roost.maintenance_schedule() RETURNS TABLE (job text, scheduled boolean, command text)
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

CREATE OR REPLACE FUNCTION roost.maintenance_unschedule() RETURNS integer
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

CREATE OR REPLACE FUNCTION roost_internal.maintenance_run_due(age interval) RETURNS void
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
