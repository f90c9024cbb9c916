-- Waiting for the caches of timelines, and looking into them.

CREATE OR REPLACE FUNCTION roost.timeline_sync(timeout interval DEFAULT '10 seconds') RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_worker_sync';
REVOKE ALL ON FUNCTION roost.timeline_sync(interval) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_sync(interval) IS 'Waits until the caches of timelines have everything that was committed before the call. Timelines are exact without it; it is for tests, and for measuring. False if it took longer than the timeout, for instance because the background worker does not run.';

CREATE OR REPLACE FUNCTION roost_internal.timeline_inbox(reader_id bigint, OUT ids bigint[], OUT pulled_ids bigint[])
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_timeline_inbox';
REVOKE ALL ON FUNCTION roost_internal.timeline_inbox(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_inbox(bigint) IS 'What stands in a reader''s inbox, newest first, and the accounts whose posts are not put into it. Nulls if there is none, or none that is good for this statement; reads no table and builds nothing.';

CREATE OR REPLACE FUNCTION roost_internal.timeline_outbox(author_id bigint) RETURNS bigint[]
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_timeline_outbox';
REVOKE ALL ON FUNCTION roost_internal.timeline_outbox(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_outbox(bigint) IS 'What stands in an author''s outbox, newest first; null if there is none. Reads no table and builds nothing.';
