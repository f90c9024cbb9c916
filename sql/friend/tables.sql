-- Tables of the friend module.  See docs/friend.md.

CREATE TABLE IF NOT EXISTS roost_data.friend_request (
	requester_id bigint NOT NULL,
	recipient_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (recipient_id, requester_id),
	CHECK (requester_id <> recipient_id)
);
COMMENT ON TABLE roost_data.friend_request IS 'Who has asked whom to become friends and waits for an answer. There is one request between two accounts at most. The id carries the bucket of the recipient.';
CREATE INDEX IF NOT EXISTS friend_request_recipient_id_id_idx ON roost_data.friend_request (recipient_id, id DESC);
CREATE INDEX IF NOT EXISTS friend_request_requester_id_id_idx ON roost_data.friend_request (requester_id, id DESC);

CREATE TABLE IF NOT EXISTS roost_data.friendship (
	account_id bigint NOT NULL,
	friend_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	request_id bigint,
	accepted_by bigint,
	PRIMARY KEY (account_id, friend_id),
	CHECK (account_id <> friend_id)
);
COMMENT ON TABLE roost_data.friendship IS 'Friends: one row for each of the two, written and deleted together. The id is that of the owner''s row; request_id was the request, and accepted_by is the one of the two that accepted it.';
CREATE INDEX IF NOT EXISTS friendship_account_id_id_idx ON roost_data.friendship (account_id, id DESC);

-- Mailboxes say who has asked and who has accepted.
CREATE OR REPLACE TRIGGER friend_request_truncate_trace AFTER TRUNCATE ON roost_data.friend_request
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER friend_request_truncate_lose AFTER TRUNCATE ON roost_data.friend_request
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();
CREATE OR REPLACE TRIGGER friendship_truncate_trace AFTER TRUNCATE ON roost_data.friendship
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER friendship_truncate_lose AFTER TRUNCATE ON roost_data.friendship
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();

-- A block keeps them out.
CREATE OR REPLACE TRIGGER friend_request_insert_block AFTER INSERT ON roost_data.friend_request
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.friend_block_check();
CREATE OR REPLACE TRIGGER friendship_insert_block AFTER INSERT ON roost_data.friendship
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.friend_block_check();
