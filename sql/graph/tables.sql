-- Tables of the graph module.
--
-- A row's owner is the follower.  Follow and request are told apart by the
-- table they stand in; for one pair at most one of the two exists.

CREATE TABLE IF NOT EXISTS roost_data.follow (
	follower_id bigint NOT NULL,
	followee_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (follower_id, followee_id),
	CONSTRAINT follow_self_check CHECK (follower_id <> followee_id)
);
COMMENT ON TABLE roost_data.follow IS 'Who follows whom, once each; id orders the lists.';
CREATE INDEX IF NOT EXISTS follow_followee_id_id_idx ON roost_data.follow (followee_id, id DESC) INCLUDE (follower_id);
CREATE INDEX IF NOT EXISTS follow_follower_id_id_idx ON roost_data.follow (follower_id, id DESC) INCLUDE (followee_id);

CREATE TABLE IF NOT EXISTS roost_data.follow_request (
	follower_id bigint NOT NULL,
	followee_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (follower_id, followee_id),
	CONSTRAINT follow_request_self_check CHECK (follower_id <> followee_id)
);
COMMENT ON TABLE roost_data.follow_request IS 'Who waits for a private account''s consent to follow it; id orders the lists.';
CREATE INDEX IF NOT EXISTS follow_request_followee_id_id_idx ON roost_data.follow_request (followee_id, id DESC) INCLUDE (follower_id);

CREATE TABLE IF NOT EXISTS roost_data.suggestion_dismissal (
	account_id bigint NOT NULL,
	dismissed_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, dismissed_id)
);
COMMENT ON TABLE roost_data.suggestion_dismissal IS 'Whom an account does not want to be suggested.';
CREATE INDEX IF NOT EXISTS suggestion_dismissal_account_id_id_idx ON roost_data.suggestion_dismissal (account_id, id DESC);
CREATE INDEX IF NOT EXISTS suggestion_dismissal_dismissed_id_idx ON roost_data.suggestion_dismissal (dismissed_id);

CREATE TABLE IF NOT EXISTS roost_data.account_popular (
	account_id bigint PRIMARY KEY,
	follower_count bigint NOT NULL,
	place integer NOT NULL
);
COMMENT ON TABLE roost_data.account_popular IS 'The accounts with the most followers as of the last maintenance, for suggestions to those who follow nobody. place: 1 has the most.';

-- Counters: once a statement, however many rows it writes.
CREATE OR REPLACE TRIGGER follow_insert_count AFTER INSERT ON roost_data.follow
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.follow_count('1');
CREATE OR REPLACE TRIGGER follow_delete_count AFTER DELETE ON roost_data.follow
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.follow_count('-1');

-- Events for the worker.
CREATE OR REPLACE TRIGGER follow_insert_event AFTER INSERT ON roost_data.follow
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('follow_created', 'follower_id', 'followee_id', 'id');
CREATE OR REPLACE TRIGGER follow_delete_event AFTER DELETE ON roost_data.follow
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('follow_deleted', 'follower_id', 'followee_id', 'id');
CREATE OR REPLACE TRIGGER follow_request_insert_event AFTER INSERT ON roost_data.follow_request
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('follow_request_created', 'follower_id', 'followee_id', 'id');
CREATE OR REPLACE TRIGGER follow_request_delete_event AFTER DELETE ON roost_data.follow_request
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('follow_request_deleted', 'follower_id', 'followee_id', 'id');

-- What events cannot say.
CREATE OR REPLACE TRIGGER follow_update_lose AFTER UPDATE ON roost_data.follow
	FOR EACH ROW WHEN ((OLD.follower_id, OLD.followee_id) IS DISTINCT FROM (NEW.follower_id, NEW.followee_id)) EXECUTE FUNCTION roost_internal.event_lose();
CREATE OR REPLACE TRIGGER follow_truncate_lose AFTER TRUNCATE ON roost_data.follow
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();

-- Rows that logical replication brings change the caches of this server, too.
ALTER TABLE roost_data.follow ENABLE ALWAYS TRIGGER follow_insert_event, ENABLE ALWAYS TRIGGER follow_delete_event,
	ENABLE ALWAYS TRIGGER follow_update_lose, ENABLE ALWAYS TRIGGER follow_truncate_lose;

-- An account that stops being private lets in those who wait.
CREATE OR REPLACE TRIGGER account_open_requests AFTER UPDATE OF is_private ON roost_data.account
	FOR EACH ROW WHEN (OLD.is_private AND NOT NEW.is_private) EXECUTE FUNCTION roost_internal.follow_request_open();

CREATE TABLE IF NOT EXISTS roost_data.import_follow (
	follower text COLLATE "C",
	followee text COLLATE "C",
	created_at timestamptz,
	error text
);
COMMENT ON TABLE roost_data.import_follow IS 'Follows to import: COPY them here after their accounts are imported, then SELECT roost.follow_import(). follower and followee are external ids of accounts. What was imported leaves the table; what was refused stays, with the reason in error.';

CREATE OR REPLACE VIEW roost_bi.follow AS
SELECT f.id, f.follower_id, f.followee_id, f.created_at
FROM roost_data.follow f
JOIN roost_data.account r ON r.id = f.follower_id AND r.status = 'active' AND NOT r.is_private
JOIN roost_data.account e ON e.id = f.followee_id AND e.status = 'active' AND NOT e.is_private;
COMMENT ON VIEW roost_bi.follow IS 'Who follows whom and since when, among active accounts that are not private.';
