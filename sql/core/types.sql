-- Types of the core module.

CREATE DOMAIN roost.id AS bigint CHECK (VALUE >= 0);
COMMENT ON DOMAIN roost.id IS 'An identifier made by roost: milliseconds since 1970 in the high 48 bits, 6 bits of sequence, 10 bits of bucket. A decimal string in JSON.';

CREATE TYPE roost.health AS (status text, version text, worker text, worker_lag numeric, standby boolean, queue_depth bigint, reason text);
COMMENT ON TYPE roost.health IS 'The state of the service: status (ok, degraded), version, worker (its state), worker_lag (seconds the oldest waiting event has waited), standby (this server is in recovery), queue_depth (events that wait for the worker), reason (why it is degraded, or null).';
