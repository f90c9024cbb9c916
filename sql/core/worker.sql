-- The background worker: statistics, and waiting for it.

CREATE OR REPLACE FUNCTION roost_internal.worker_stat(
	OUT pid integer, OUT state text, OUT started_at timestamptz, OUT last_turn_at timestamptz, OUT lag double precision,
	OUT queue_depth bigint, OUT queue_size bigint, OUT events bigint, OUT losses bigint, OUT in_doubt integer,
	OUT turns bigint, OUT failures bigint, OUT standby boolean)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_worker_stat';
COMMENT ON FUNCTION roost_internal.worker_stat() IS 'The row of roost.stat_worker.';

CREATE OR REPLACE VIEW roost.stat_worker AS SELECT * FROM roost_internal.worker_stat();
COMMENT ON VIEW roost.stat_worker IS 'The background worker, one row: pid, state (running, standby, starting, not installed, no database, no slot, stopped), started_at, last_turn_at, lag (seconds the oldest waiting event has waited), queue_depth and queue_size (events), events (processed since the server started), losses (times that events were dropped and caches were built anew), in_doubt (prepared transactions with events), turns, failures (errors of its steps, see the server log), standby (this server is in recovery).';
COMMENT ON COLUMN roost.stat_worker.lag IS 'Seconds the oldest waiting event has waited; 0 when none waits.';

CREATE OR REPLACE FUNCTION roost_internal.worker_event_stat(OUT kind text, OUT events bigint) RETURNS SETOF record
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_worker_event_stat';
COMMENT ON FUNCTION roost_internal.worker_event_stat() IS 'The rows of roost.stat_event.';

CREATE OR REPLACE VIEW roost.stat_event AS SELECT * FROM roost_internal.worker_event_stat();
COMMENT ON VIEW roost.stat_event IS 'How many events of each kind the background worker has processed since the server started.';

CREATE OR REPLACE FUNCTION roost.worker_sync(timeout interval DEFAULT '10 seconds') RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_worker_sync';
COMMENT ON FUNCTION roost.worker_sync(interval) IS 'Waits until the background worker has processed everything that was committed before the call (not what the calling transaction itself has written). False if it has not within the timeout, for instance because it does not run.';

REVOKE ALL ON FUNCTION roost_internal.worker_stat(), roost_internal.worker_event_stat(), roost.worker_sync(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roost_internal.worker_stat(), roost_internal.worker_event_stat() TO pg_monitor;
GRANT SELECT ON roost.stat_worker, roost.stat_event TO pg_monitor;
