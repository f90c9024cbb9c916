-- Tables of the feed module: the log of what was committed, and what of it is
-- addressed to whom.  The background worker is their only writer.
--
-- Both are partitioned by ranges of seq.  The worker adds partitions ahead of
-- time and drops those that are older than roost.event_retention and
-- roost.notification_retention.

CREATE TABLE IF NOT EXISTS roost_data.feed_log (
	seq bigint NOT NULL,
	id bigint NOT NULL,
	account_id bigint,
	post_id bigint,
	author_id bigint,
	target_id bigint,
	retweet_of_id bigint,
	reply_to_account_id bigint,
	created_at timestamptz NOT NULL,
	kind roost.feed_kind NOT NULL,
	room_id bigint,
	conversation_id bigint,
	message_id bigint,
	PRIMARY KEY (seq)
) PARTITION BY RANGE (seq);
COMMENT ON TABLE roost_data.feed_log IS 'What was committed, in the order in which the worker logged it: seq has no gaps and only grows. account_id is who did it; post_id the post that was written or liked, author_id its author; target_id whom it concerns: the followed account, the author of the post that was liked, retweeted or quoted. What is told to a room has its room_id: a conversation, or an account.';
CREATE INDEX IF NOT EXISTS feed_log_account_id_seq_idx ON roost_data.feed_log (account_id, seq);
CREATE INDEX IF NOT EXISTS feed_log_room_id_seq_idx ON roost_data.feed_log (room_id, seq) WHERE room_id IS NOT NULL;
COMMENT ON COLUMN roost_data.feed_log.id IS 'Of the row that was made, changed or is gone: of the post, the like, the follow, the request, the account, the message; of what else is told to a room, its own. Not of events_lost, which has 0.';
COMMENT ON COLUMN roost_data.feed_log.created_at IS 'When it was logged; never earlier than in the row before.';

CREATE TABLE IF NOT EXISTS roost_data.mailbox (
	account_id bigint NOT NULL,
	seq bigint NOT NULL,
	actor_id bigint NOT NULL,
	post_id bigint,
	group_id bigint NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL,
	kind roost.mailbox_kind NOT NULL,
	day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
	PRIMARY KEY (account_id, seq)
) PARTITION BY RANGE (seq);
COMMENT ON TABLE roost_data.mailbox IS 'What others did to an account, one entry an act, as long as the act stands. seq is that of the row of roost_data.feed_log. post_id is the post liked, or the retweet, quote, reply or post with the mention. Who reads it leaves out what the account may not see: roost_internal.mailbox_read().';
COMMENT ON COLUMN roost_data.mailbox.group_id IS 'The post whose likes or retweets are told together: the post liked, or the retweet''s original; else 0.';
COMMENT ON COLUMN roost_data.mailbox.day IS 'Of created_at, in UTC.';
CREATE INDEX IF NOT EXISTS mailbox_actor_id_post_id_idx ON roost_data.mailbox (actor_id, post_id);
CREATE INDEX IF NOT EXISTS mailbox_account_id_day_kind_group_id_seq_idx ON roost_data.mailbox (account_id, day, kind, group_id, seq);

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = 'roost_data.feed_log'::pg_catalog.regclass) THEN
		CREATE TABLE roost_data.feed_log_1 PARTITION OF roost_data.feed_log FOR VALUES FROM (1) TO (8193);
		CREATE TABLE roost_data.mailbox_1 PARTITION OF roost_data.mailbox FOR VALUES FROM (1) TO (8193);
	END IF;
END
$$;

CREATE TABLE IF NOT EXISTS roost_data.feed_state (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	epoch bigint,
	first_seq bigint NOT NULL DEFAULT 1,
	seq bigint NOT NULL DEFAULT 0,
	horizon bigint NOT NULL,
	horizon_seq bigint NOT NULL DEFAULT 0,
	since bigint NOT NULL,
	mail_first_seq bigint NOT NULL DEFAULT 1,
	mail_since bigint NOT NULL,
	system_identifier bigint,
	database_id oid,
	table_id oid,
	timeline integer,
	updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10);
COMMENT ON TABLE roost_data.feed_state IS 'How the log stands, one row, a moment behind the log itself.';
COMMENT ON COLUMN roost_data.feed_state.epoch IS 'Changes when the log cannot vouch for having gone on without a break: cursors of another epoch are void.';
COMMENT ON COLUMN roost_data.feed_state.first_seq IS 'The first row that is kept.';
COMMENT ON COLUMN roost_data.feed_state.seq IS 'The last row at the time; later ones may be there.';
COMMENT ON COLUMN roost_data.feed_state.horizon IS 'What is not logged has an id from here on, except imports with times of the past.';
COMMENT ON COLUMN roost_data.feed_state.horizon_seq IS 'Rows up to this seq are of events before the horizon.';
COMMENT ON COLUMN roost_data.feed_state.since IS 'Of what has an id from here on, the log has everything.';
COMMENT ON COLUMN roost_data.feed_state.mail_first_seq IS 'Mailboxes have no entries of rows before this one.';
COMMENT ON COLUMN roost_data.feed_state.mail_since IS 'Of what has an id from here on, the mailboxes have every entry that was made.';
INSERT INTO roost_data.feed_state (horizon, since, mail_since)
SELECT n.id, n.id, n.id FROM (SELECT roost_internal.id_next() AS id WHERE NOT EXISTS (SELECT FROM roost_data.feed_state) OFFSET 0) n
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS roost_data.feed_day (
	day date PRIMARY KEY,
	seq bigint NOT NULL
);
COMMENT ON TABLE roost_data.feed_day IS 'With which row of the log each day (UTC) began, as far back as mailboxes reach: entries of a day are those from its seq up to, and without, that of the next day here.';

CREATE TABLE IF NOT EXISTS roost_data.feed_trace (
	id bigint PRIMARY KEY,
	kind roost.feed_kind NOT NULL,
	row_id bigint NOT NULL,
	account_id bigint,
	post_id bigint,
	target_id bigint,
	retweet_of_id bigint,
	reply_to_account_id bigint
);
COMMENT ON TABLE roost_data.feed_trace IS 'What leaves no row with a new id behind: updates and deletions, until they are surely logged. From it the log is completed after a crash.';

-- What is told to a room: room_id is a conversation or an account.
ALTER TABLE roost_data.feed_trace ADD COLUMN IF NOT EXISTS room_id bigint, ADD COLUMN IF NOT EXISTS conversation_id bigint, ADD COLUMN IF NOT EXISTS message_id bigint;

-- What is new is found by its id after a crash.
CREATE INDEX IF NOT EXISTS post_like_id_brin ON roost_data.post_like USING brin (id) WITH (pages_per_range = 32);
CREATE INDEX IF NOT EXISTS follow_id_brin ON roost_data.follow USING brin (id) WITH (pages_per_range = 32);

CREATE OR REPLACE TRIGGER post_update_trace AFTER UPDATE ON roost_data.post
	REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_post_update();
CREATE OR REPLACE TRIGGER post_delete_trace AFTER DELETE ON roost_data.post
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_post('post_deleted');
CREATE OR REPLACE TRIGGER post_like_delete_trace AFTER DELETE ON roost_data.post_like
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_like();
CREATE OR REPLACE TRIGGER follow_delete_trace AFTER DELETE ON roost_data.follow
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_follow('follow_deleted');
CREATE OR REPLACE TRIGGER follow_request_delete_trace AFTER DELETE ON roost_data.follow_request
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_follow('follow_request_deleted');
CREATE OR REPLACE TRIGGER import_post_trace AFTER DELETE OR TRUNCATE ON roost_data.import_post
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER import_like_trace AFTER DELETE OR TRUNCATE ON roost_data.import_like
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER import_follow_trace AFTER DELETE OR TRUNCATE ON roost_data.import_follow
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER post_truncate_trace AFTER TRUNCATE ON roost_data.post
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER post_like_truncate_trace AFTER TRUNCATE ON roost_data.post_like
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER follow_truncate_trace AFTER TRUNCATE ON roost_data.follow
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER follow_request_truncate_trace AFTER TRUNCATE ON roost_data.follow_request
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER post_key_trace AFTER UPDATE ON roost_data.post
	FOR EACH ROW WHEN ((OLD.id, OLD.author_id) IS DISTINCT FROM (NEW.id, NEW.author_id)) EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER post_like_key_trace AFTER UPDATE ON roost_data.post_like
	FOR EACH ROW WHEN ((OLD.id, OLD.account_id, OLD.post_id) IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.post_id)) EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER follow_key_trace AFTER UPDATE ON roost_data.follow
	FOR EACH ROW WHEN ((OLD.id, OLD.follower_id, OLD.followee_id) IS DISTINCT FROM (NEW.id, NEW.follower_id, NEW.followee_id)) EXECUTE FUNCTION roost_internal.feed_trace_all();
CREATE OR REPLACE TRIGGER post_like_key_lose AFTER UPDATE ON roost_data.post_like
	FOR EACH ROW WHEN ((OLD.id, OLD.account_id, OLD.post_id) IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.post_id)) EXECUTE FUNCTION roost_internal.event_lose();
CREATE OR REPLACE TRIGGER post_like_truncate_lose AFTER TRUNCATE ON roost_data.post_like
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();
CREATE OR REPLACE TRIGGER follow_request_truncate_lose AFTER TRUNCATE ON roost_data.follow_request
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();
CREATE OR REPLACE TRIGGER post_insert_trace AFTER INSERT ON roost_data.post
	FOR EACH ROW EXECUTE FUNCTION roost_internal.feed_trace_old('id');
CREATE OR REPLACE TRIGGER follow_insert_trace AFTER INSERT ON roost_data.follow
	FOR EACH ROW EXECUTE FUNCTION roost_internal.feed_trace_old('id');
ALTER TABLE roost_data.post ENABLE ALWAYS TRIGGER post_insert_trace;
ALTER TABLE roost_data.follow ENABLE ALWAYS TRIGGER follow_insert_trace;
CREATE OR REPLACE TRIGGER feed_trace_insert_event AFTER INSERT ON roost_data.feed_trace
	FOR EACH ROW WHEN (NEW.kind = 'account_deleted') EXECUTE FUNCTION roost_internal.event_emit('account_deleted', 'row_id');
CREATE OR REPLACE TRIGGER feed_trace_insert_filter_event AFTER INSERT ON roost_data.feed_trace
	FOR EACH ROW WHEN (NEW.kind = 'filter_changed') EXECUTE FUNCTION roost_internal.event_emit('filter_changed', 'id', 'account_id', 'target_id');
CREATE OR REPLACE TRIGGER feed_trace_insert_hidden_event AFTER INSERT ON roost_data.feed_trace
	FOR EACH ROW WHEN (NEW.kind = 'post_hidden') EXECUTE FUNCTION roost_internal.event_emit('post_hidden', 'id', 'account_id', 'post_id', 'retweet_of_id');
CREATE OR REPLACE TRIGGER feed_trace_insert_released_event AFTER INSERT ON roost_data.feed_trace
	FOR EACH ROW WHEN (NEW.kind = 'post_released') EXECUTE FUNCTION roost_internal.event_emit('post_released', 'id', 'account_id', 'post_id', 'retweet_of_id');
CREATE OR REPLACE TRIGGER feed_trace_insert_room_event AFTER INSERT ON roost_data.feed_trace
	FOR EACH ROW WHEN (NEW.room_id IS NOT NULL) EXECUTE FUNCTION roost_internal.event_emit('room_told', 'id', 'account_id', 'target_id', 'room_id', 'conversation_id', 'message_id', 'kind');
CREATE OR REPLACE TRIGGER account_block_insert_trace AFTER INSERT ON roost_data.account_block
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_filter();
CREATE OR REPLACE TRIGGER account_block_update_trace AFTER UPDATE ON roost_data.account_block
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_filter();
CREATE OR REPLACE TRIGGER account_block_delete_trace AFTER DELETE ON roost_data.account_block
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_filter();
CREATE OR REPLACE TRIGGER account_block_truncate_lose AFTER TRUNCATE ON roost_data.account_block
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();
CREATE OR REPLACE TRIGGER account_mute_insert_trace AFTER INSERT ON roost_data.account_mute
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_filter();
CREATE OR REPLACE TRIGGER account_mute_update_trace AFTER UPDATE ON roost_data.account_mute
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_filter();
CREATE OR REPLACE TRIGGER account_mute_delete_trace AFTER DELETE ON roost_data.account_mute
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_filter();
CREATE OR REPLACE TRIGGER account_mute_truncate_lose AFTER TRUNCATE ON roost_data.account_mute
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();
CREATE OR REPLACE TRIGGER muted_word_insert_trace AFTER INSERT ON roost_data.muted_word
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_filter();
CREATE OR REPLACE TRIGGER muted_word_update_trace AFTER UPDATE ON roost_data.muted_word
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_filter();
CREATE OR REPLACE TRIGGER muted_word_delete_trace AFTER DELETE ON roost_data.muted_word
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.feed_trace_filter();
CREATE OR REPLACE TRIGGER muted_word_truncate_lose AFTER TRUNCATE ON roost_data.muted_word
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();
