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

CREATE TABLE IF NOT EXISTS roost_data.account_block (
	account_id bigint NOT NULL,
	blocked_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, blocked_id),
	CONSTRAINT account_block_self_check CHECK (account_id <> blocked_id)
);
COMMENT ON TABLE roost_data.account_block IS 'Who has blocked whom, once each; id orders the list. A block works in both directions.';
CREATE INDEX IF NOT EXISTS account_block_blocked_id_account_id_idx ON roost_data.account_block (blocked_id, account_id);
CREATE INDEX IF NOT EXISTS account_block_account_id_id_idx ON roost_data.account_block (account_id, id DESC);

CREATE TABLE IF NOT EXISTS roost_data.account_mute (
	account_id bigint NOT NULL,
	muted_id bigint NOT NULL,
	id bigint NOT NULL,
	notifications boolean NOT NULL DEFAULT true,
	expires_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, muted_id),
	CONSTRAINT account_mute_self_check CHECK (account_id <> muted_id)
);
COMMENT ON TABLE roost_data.account_mute IS 'Of whose posts an account does not want to be shown anything until expires_at (null: until it says otherwise); notifications: nor of what that one does to it. id orders the list.';
CREATE INDEX IF NOT EXISTS account_mute_muted_id_idx ON roost_data.account_mute (muted_id);
CREATE INDEX IF NOT EXISTS account_mute_account_id_id_idx ON roost_data.account_mute (account_id, id DESC);
CREATE INDEX IF NOT EXISTS account_mute_expires_at_idx ON roost_data.account_mute (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS roost_data.muted_word (
	account_id bigint NOT NULL,
	id bigint NOT NULL,
	phrase text NOT NULL CHECK (char_length(phrase) BETWEEN 1 AND 100),
	folded text COLLATE "C" NOT NULL CHECK (octet_length(folded) BETWEEN 1 AND 1000),
	whole_word boolean NOT NULL DEFAULT true,
	expires_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, id)
);
COMMENT ON TABLE roost_data.muted_word IS 'Words and phrases of which an account does not want to be shown posts. folded is what is looked for: NFKC and lower case; with # before it only a hashtag.';
CREATE UNIQUE INDEX IF NOT EXISTS muted_word_account_id_folded_idx ON roost_data.muted_word (account_id, folded);
CREATE INDEX IF NOT EXISTS muted_word_expires_at_idx ON roost_data.muted_word (expires_at) WHERE expires_at IS NOT NULL;

-- What is known of a viewer (extension/post/viewer.c), also of rows that logical
-- replication brings.
CREATE OR REPLACE TRIGGER account_block_stamp AFTER INSERT OR UPDATE OR DELETE ON roost_data.account_block
	FOR EACH ROW EXECUTE FUNCTION roost_internal.stamp_changed('viewer', 'account_id', 'blocked_id');
CREATE OR REPLACE TRIGGER account_block_truncate_stamp AFTER TRUNCATE ON roost_data.account_block
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.stamp_changed('viewer', 'account_id', 'blocked_id');
ALTER TABLE roost_data.account_block ENABLE ALWAYS TRIGGER account_block_stamp, ENABLE ALWAYS TRIGGER account_block_truncate_stamp;
CREATE OR REPLACE TRIGGER account_mute_stamp AFTER INSERT OR UPDATE OR DELETE ON roost_data.account_mute
	FOR EACH ROW EXECUTE FUNCTION roost_internal.stamp_changed('viewer', 'account_id');
CREATE OR REPLACE TRIGGER account_mute_truncate_stamp AFTER TRUNCATE ON roost_data.account_mute
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.stamp_changed('viewer', 'account_id');
ALTER TABLE roost_data.account_mute ENABLE ALWAYS TRIGGER account_mute_stamp, ENABLE ALWAYS TRIGGER account_mute_truncate_stamp;
CREATE OR REPLACE TRIGGER muted_word_stamp AFTER INSERT OR UPDATE OR DELETE ON roost_data.muted_word
	FOR EACH ROW EXECUTE FUNCTION roost_internal.stamp_changed('viewer', 'account_id');
CREATE OR REPLACE TRIGGER muted_word_truncate_stamp AFTER TRUNCATE ON roost_data.muted_word
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.stamp_changed('viewer', 'account_id');
ALTER TABLE roost_data.muted_word ENABLE ALWAYS TRIGGER muted_word_stamp, ENABLE ALWAYS TRIGGER muted_word_truncate_stamp;

CREATE TABLE IF NOT EXISTS roost_data.list (
	id bigint PRIMARY KEY,
	account_id bigint NOT NULL,
	title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 100),
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.list IS 'Lists of accounts that an account keeps; nobody else sees them.';
CREATE INDEX IF NOT EXISTS list_account_id_id_idx ON roost_data.list (account_id, id DESC);

CREATE TABLE IF NOT EXISTS roost_data.list_member (
	list_id bigint NOT NULL REFERENCES roost_data.list ON DELETE CASCADE,
	member_id bigint NOT NULL,
	account_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (list_id, member_id)
);
COMMENT ON TABLE roost_data.list_member IS 'The accounts on a list; account_id is whose list it is, id orders them.';
CREATE INDEX IF NOT EXISTS list_member_account_id_member_id_idx ON roost_data.list_member (account_id, member_id);
CREATE INDEX IF NOT EXISTS list_member_member_id_idx ON roost_data.list_member (member_id);
CREATE INDEX IF NOT EXISTS list_member_list_id_id_idx ON roost_data.list_member (list_id, id DESC);

-- A block ends what is between two accounts, and keeps it out.
CREATE OR REPLACE TRIGGER account_block_insert_apply AFTER INSERT ON roost_data.account_block
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.block_apply();
CREATE OR REPLACE TRIGGER account_block_update_apply AFTER UPDATE ON roost_data.account_block
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.block_apply();
CREATE OR REPLACE TRIGGER follow_insert_block AFTER INSERT ON roost_data.follow
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.follow_block_check();
CREATE OR REPLACE TRIGGER follow_request_insert_block AFTER INSERT ON roost_data.follow_request
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.follow_block_check();
CREATE OR REPLACE TRIGGER list_member_insert_block AFTER INSERT ON roost_data.list_member
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.list_member_block_check();

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
