-- From 0.1.0 to 0.2.0: types, and what is dropped or has another signature.
-- Functions, comments and routes follow from the source files; tables are
-- brought up to date by roost.install().

DROP FUNCTION roost_internal.timeline_newest(bigint[], bigint[], integer, bigint, bigint, roost.timeline_replies);

-- Core: more columns.
ALTER TYPE roost.health ADD ATTRIBUTE queue_depth bigint, ADD ATTRIBUTE reason text;
COMMENT ON TYPE roost.health IS 'The state of the service: status (ok, degraded), version, worker (its state), worker_lag (seconds the oldest waiting event has waited), standby (this server is in recovery), queue_depth (events that wait for the worker), reason (why it is degraded, or null).';
DROP VIEW roost.stat_worker;
DROP FUNCTION roost_internal.worker_stat();
