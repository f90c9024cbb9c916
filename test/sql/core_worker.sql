-- The worker runs, in this database, once.
SELECT roost.worker_sync('1 minute');
SELECT state, pid IS NOT NULL AS pid, started_at <= last_turn_at AS turned, lag >= 0 AS lag, queue_depth >= 0 AS depth, in_doubt, turns > 0 AS turns, failures, standby
FROM roost.stat_worker;
SELECT failing, batches >= 0 AS batches, last_batch <= max_batch AS batch, last_delay <= max_delay AS delay, gap BETWEEN 0.0005 AND 0.004 AS gap
FROM roost.stat_worker;
SELECT backend_type, datname, pid = (SELECT pid FROM roost.stat_worker) AS known
FROM pg_stat_activity WHERE backend_type LIKE 'roost %' ORDER BY 1;
SELECT count(*) > 10 AS kinds, count(*) = count(DISTINCT kind) AS distinct, bool_and(events >= 0) AS counted FROM roost.stat_event;

SELECT status, version = roost.version() AS version, worker, worker_lag >= 0 AS lag, standby, queue_depth >= 0 AS depth, reason FROM roost.health();
SELECT split_part(roost.handle('GET', '/health', '', '', NULL, '192.0.2.1'), E'\n\n', 2)::jsonb - 'version' - 'worker_lag' - 'queue_depth' AS health;

-- Held up, it does not answer in time, and events wait; then they are all there.
CREATE TABLE core_worker (id bigint);
CREATE TRIGGER core_worker_emit AFTER INSERT ON core_worker
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('job_added', 'id');
SELECT events AS events_before FROM roost.stat_event WHERE kind = 'job_added' \gset
SELECT batches AS batches_before FROM roost.stat_worker \gset
SELECT roost_internal.debug_point_arm('worker_turn');
-- (a turn that has begun already ends first)
DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks l JOIN roost.stat_worker w ON w.pid = l.pid WHERE l.locktype = 'advisory' AND NOT l.granted) LOOP PERFORM roost.worker_sync('0'); END LOOP; END $$;
INSERT INTO core_worker VALUES (1), (2), (3);
SELECT roost.worker_sync('0');
SELECT roost.worker_sync('-1 second');
SELECT queue_depth > 0 AS waiting FROM roost.stat_worker;
SELECT roost_internal.debug_point_release('worker_turn');
SELECT roost.worker_sync('1 minute');
SELECT events - :events_before AS came FROM roost.stat_event WHERE kind = 'job_added';
SELECT batches - :batches_before AS batches, last_batch, last_delay > 0 AS delay FROM roost.stat_worker;
DROP TABLE core_worker;

-- Only those who watch over the server see it.
CREATE ROLE core_worker_reader;
SET ROLE core_worker_reader;
\set VERBOSITY terse
SELECT * FROM roost.stat_worker;
SELECT * FROM roost.stat_event;
SELECT roost.worker_sync('1 minute');
SELECT (roost.health()).status;
RESET ROLE;
GRANT pg_monitor TO core_worker_reader;
SET ROLE core_worker_reader;
SELECT state FROM roost.stat_worker;
SELECT count(*) > 0 AS kinds FROM roost.stat_event;
RESET ROLE;
DROP ROLE core_worker_reader;
