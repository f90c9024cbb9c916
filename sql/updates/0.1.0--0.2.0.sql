-- From 0.1.0 to 0.2.0: types, and what is dropped or has another signature.
-- Functions, comments and routes follow from the source files; tables are
-- brought up to date by roost.install().

DROP FUNCTION roost_internal.timeline_newest(bigint[], bigint[], integer, bigint, bigint, roost.timeline_replies);

-- Core: more columns.
ALTER TYPE roost.health ADD ATTRIBUTE queue_depth bigint, ADD ATTRIBUTE reason text;
COMMENT ON TYPE roost.health IS 'The state of the service: status (ok, degraded), version, worker (its state), worker_lag (seconds the oldest waiting event has waited), standby (this server is in recovery), queue_depth (events that wait for the worker), reason (why it is degraded, or null).';
DROP VIEW roost.stat_worker;
DROP FUNCTION roost_internal.worker_stat();

CREATE TYPE roost.feed_kind AS ENUM ('post_created', 'post_updated', 'post_deleted', 'follow_created', 'follow_deleted', 'like_created', 'like_deleted',
	'follow_request_created', 'follow_request_deleted', 'account_deleted', 'events_lost');
COMMENT ON TYPE roost.feed_kind IS 'What a row of the log says. A retweet is a post. events_lost: the log had to be completed from the tables; what was derived from its rows and not from tables is void.';

CREATE TYPE roost.mailbox_kind AS ENUM ('follow', 'follow_request', 'like', 'retweet', 'quote', 'reply', 'mention');
COMMENT ON TYPE roost.mailbox_kind IS 'What somebody did to an account, or to a post of it.';
