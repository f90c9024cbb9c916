-- Waiting for the caches of timelines.

CREATE OR REPLACE FUNCTION roost.timeline_sync(timeout interval DEFAULT '10 seconds') RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_worker_sync';
REVOKE ALL ON FUNCTION roost.timeline_sync(interval) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_sync(interval) IS 'Waits until the caches of timelines have everything that was committed before the call. Timelines are exact without it; it is for tests, and for measuring. False if it took longer than the timeout, for instance because the background worker does not run.';
