-- Maintenance runs what modules have: functions roost_internal.<module>_maintenance().
SELECT count(*) > 0 AS modules, count(error) AS errors, bool_and(purged >= 0) AS counted FROM roost.maintenance_run();

-- One that fails does not keep the others from running, and is on record.
CREATE FUNCTION roost_internal.aaa_maintenance() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'not today'; END $$;
CREATE FUNCTION roost_internal.zzz_maintenance() RETURNS bigint LANGUAGE sql AS 'SELECT 42::bigint';
SELECT * FROM roost.maintenance_run() WHERE module IN ('aaa', 'zzz');
SELECT * FROM roost.maintenance_run('zzz');
SELECT module, purged, error, finished_at <= clock_timestamp() AS finished FROM roost_data.maintenance WHERE module IN ('aaa', 'zzz') ORDER BY module;
DROP FUNCTION roost_internal.aaa_maintenance();
DROP FUNCTION roost_internal.zzz_maintenance();
DELETE FROM roost_data.maintenance WHERE module IN ('aaa', 'zzz');
\set VERBOSITY terse
SELECT * FROM roost.maintenance_run('zzz');
\echo :LAST_ERROR_SQLSTATE

-- The worker runs it only when nobody else has.
UPDATE roost_data.maintenance SET finished_at = now() - interval '1 hour';
SELECT roost_internal.maintenance_run_due('2 hours');
SELECT max(finished_at) < now() - interval '30 minutes' AS stayed FROM roost_data.maintenance;
SELECT roost_internal.maintenance_run_due('30 minutes');
SELECT min(finished_at) > now() - interval '30 minutes' AS ran FROM roost_data.maintenance;

-- pg_cron is in this database: it takes the jobs, once. (Rolled back: it would run them, one at every second minute.)
BEGIN;
SELECT * FROM roost.maintenance_schedule();
SELECT job, scheduled FROM roost.maintenance_schedule();
SELECT jobname, schedule, database = current_database() AS here, username = current_user AS mine FROM cron.job ORDER BY jobname;
-- what they say can be run
SELECT count(*) > 0 AS runs FROM roost.maintenance_run();
INSERT INTO cron.job_run_details (jobid, runid, database, username, command, status, start_time, end_time)
SELECT jobid, n, database, username, command, 'succeeded', now() - n * interval '5 days', now() - n * interval '5 days'
FROM cron.job, generate_series(1, 2) n WHERE jobname = 'roost-maintenance';
SELECT command FROM cron.job WHERE jobname = 'roost-history' \gset
:command;
SELECT runid FROM cron.job_run_details;
SELECT roost.maintenance_unschedule(), roost.maintenance_unschedule() AS again;
SELECT count(*) FROM cron.job;
ROLLBACK;

-- Where it is not, it says what to run where it is.
BEGIN;
DROP EXTENSION pg_cron;
SELECT job, scheduled, command FROM roost.maintenance_schedule();
SELECT roost.maintenance_unschedule();
ROLLBACK;

CREATE ROLE core_maintenance_caller;
SET ROLE core_maintenance_caller;
SELECT * FROM roost.maintenance_run();
SELECT * FROM roost.maintenance_schedule();
SELECT roost.maintenance_unschedule();
RESET ROLE;
DROP ROLE core_maintenance_caller;
