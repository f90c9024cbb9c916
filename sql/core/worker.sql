-- The background worker: statistics, and waiting for it.

CREATE OR REPLACE FUNCTION roost_internal.worker_stat(
	OUT pid integer, OUT state text, OUT started_at timestamptz, OUT last_turn_at timestamptz, OUT lag double precision,
	OUT queue_depth bigint, OUT queue_size bigint, OUT events bigint, OUT losses bigint, OUT in_doubt integer,
	OUT turns bigint, OUT failures bigint, OUT standby boolean, OUT failing integer,
	OUT batches bigint, OUT last_batch integer, OUT max_batch integer, OUT last_delay double precision, OUT max_delay double precision, OUT gap double precision,
	OUT memory_bytes bigint, OUT strategy text, OUT push_limit integer, OUT posts bigint, OUT pulled_posts bigint, OUT deliveries bigint, OUT fanout_time double precision, OUT pulled_accounts bigint,
	OUT follower_list_hits bigint, OUT follower_list_misses bigint, OUT follower_lists bigint, OUT follower_list_bytes bigint)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_worker_stat';
COMMENT ON FUNCTION roost_internal.worker_stat() IS 'The row of roost.stat_worker.';

CREATE OR REPLACE VIEW roost.stat_worker AS SELECT * FROM roost_internal.worker_stat();
COMMENT ON VIEW roost.stat_worker IS 'The background worker, one row: pid, state (running, standby, starting, not installed, no database, no slot, stopped), started_at, last_turn_at, lag (seconds the oldest waiting event has waited), queue_depth and queue_size (events), events (processed since the server started), losses (times that events were dropped and caches were built anew), in_doubt (prepared transactions with events), turns, failures (errors of its steps, see the server log), standby (this server is in recovery), failing (steps whose last call ended in an error). Batches: batches, last_batch and max_batch (events; events / batches is the average), last_delay and max_delay (seconds from the oldest event of a batch to its end), gap (seconds between turns with events at least, larger under load). memory_bytes (the worker''s own memory). Fan-out: strategy and push_limit (settings that the worker follows by now), posts (that it took to their readers), pulled_posts (of accounts with so many followers that readers fetch them), deliveries (ids put into inboxes), fanout_time (seconds), pulled_accounts, follower_list_hits and follower_list_misses (lists of followers found in memory, read from the index), follower_lists and follower_list_bytes (in memory).';
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
