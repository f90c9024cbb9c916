-- Tables of the chat module.  See docs/chat.md.
--
-- Everything that changes a conversation, its members or adds a message holds
-- the row of the conversation (FOR NO KEY UPDATE) first, and takes new ids
-- after that: so the ids of the messages of a conversation ascend in the order
-- in which they can be seen, and nobody leaves while writing.  Markers of what
-- was read only hold the row of the member.

CREATE TABLE IF NOT EXISTS roost_data.conversation (
	id bigint PRIMARY KEY,
	kind roost.conversation_kind NOT NULL,
	encryption roost.conversation_encryption NOT NULL DEFAULT 'none',
	title text NOT NULL DEFAULT '' CHECK (char_length(title) <= 100),
	description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 500),
	avatar_url text NOT NULL DEFAULT '' CHECK (octet_length(avatar_url) <= 2048),
	created_by bigint,
	created_at timestamptz NOT NULL DEFAULT now(),
	expire_after integer CHECK (expire_after BETWEEN 5 AND 31536000),
	member_count integer NOT NULL DEFAULT 0,
	last_message_id bigint
) WITH (fillfactor = 70);
COMMENT ON TABLE roost_data.conversation IS 'Conversations. expire_after: seconds after which new messages disappear. member_count is kept by whoever holds the row (0: the next maintenance deletes it); last_message_id is the newest message that was added.';

-- Lists of conversations are kept in memory (extension/chat/member.c).  Where rows come by
-- replication, members may come before their conversation, and stay without it.
CREATE OR REPLACE TRIGGER conversation_stamp AFTER INSERT OR DELETE OR UPDATE OF id, kind, created_by, last_message_id ON roost_data.conversation
	FOR EACH ROW EXECUTE FUNCTION roost_internal.stamp_changed('conversation', 'id');
ALTER TABLE roost_data.conversation ENABLE ALWAYS TRIGGER conversation_stamp;

CREATE INDEX IF NOT EXISTS conversation_empty_idx ON roost_data.conversation (id) WHERE member_count = 0;

CREATE TABLE IF NOT EXISTS roost_data.conversation_direct (
	low_id bigint NOT NULL,
	high_id bigint NOT NULL,
	conversation_id bigint NOT NULL UNIQUE,
	PRIMARY KEY (low_id, high_id),
	CHECK (low_id < high_id)
);
COMMENT ON TABLE roost_data.conversation_direct IS 'The one conversation of two accounts.';

CREATE TABLE IF NOT EXISTS roost_data.conversation_member (
	conversation_id bigint NOT NULL REFERENCES roost_data.conversation ON DELETE CASCADE,
	account_id bigint NOT NULL,
	role roost.member_role NOT NULL DEFAULT 'member',
	joined_at timestamptz NOT NULL DEFAULT now(),
	since_id bigint NOT NULL DEFAULT 0,
	cleared_id bigint NOT NULL DEFAULT 0,
	delivered_id bigint NOT NULL DEFAULT 0,
	read_id bigint NOT NULL DEFAULT 0,
	receipt_id bigint NOT NULL DEFAULT 0,
	muted boolean NOT NULL DEFAULT false,
	muted_until timestamptz,
	archived_id bigint,
	pinned_at timestamptz,
	PRIMARY KEY (conversation_id, account_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE roost_data.conversation_member IS 'Who is in a conversation. since_id: sees messages with a greater id, those since it joined; cleared_id: has deleted everything up to this one for itself; delivered_id, read_id: has got, has read everything up to this one; receipt_id: up to which one others are told that it has read (it may keep that to itself); archived_id: put into the archive when this was the last message (0: there was none).';
-- A message carries the bucket of its conversation: so it is found among those
-- of one account that have this bucket, without an index of all messages by id.
CREATE INDEX IF NOT EXISTS conversation_member_account_id_idx ON roost_data.conversation_member (account_id, (conversation_id & 1023), conversation_id);

CREATE OR REPLACE TRIGGER conversation_member_stamp AFTER INSERT OR DELETE ON roost_data.conversation_member
	FOR EACH ROW EXECUTE FUNCTION roost_internal.stamp_changed('member', 'account_id');
-- What is read often only moves the other columns.
CREATE OR REPLACE TRIGGER conversation_member_update_stamp
	AFTER UPDATE OF conversation_id, account_id, since_id, muted, muted_until, archived_id, pinned_at ON roost_data.conversation_member
	FOR EACH ROW EXECUTE FUNCTION roost_internal.stamp_changed('member', 'account_id');
CREATE OR REPLACE TRIGGER conversation_member_truncate_stamp AFTER TRUNCATE ON roost_data.conversation_member
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.stamp_changed('member', 'account_id');
ALTER TABLE roost_data.conversation_member ENABLE ALWAYS TRIGGER conversation_member_stamp,
	ENABLE ALWAYS TRIGGER conversation_member_update_stamp, ENABLE ALWAYS TRIGGER conversation_member_truncate_stamp;

CREATE TABLE IF NOT EXISTS roost_data.conversation_invite (
	conversation_id bigint NOT NULL REFERENCES roost_data.conversation ON DELETE CASCADE,
	id bigint NOT NULL,
	code text COLLATE "C" NOT NULL UNIQUE,
	created_by bigint,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz,
	max_uses integer CHECK (max_uses > 0),
	uses integer NOT NULL DEFAULT 0,
	revoked_at timestamptz,
	PRIMARY KEY (conversation_id, id)
);
COMMENT ON TABLE roost_data.conversation_invite IS 'Invitations to groups.';

CREATE TABLE IF NOT EXISTS roost_data.conversation_ban (
	conversation_id bigint NOT NULL REFERENCES roost_data.conversation ON DELETE CASCADE,
	account_id bigint NOT NULL,
	banned_by bigint,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (conversation_id, account_id)
);
COMMENT ON TABLE roost_data.conversation_ban IS 'Who was removed from a group: no invitation lets it in, until an admin adds it again.';
CREATE INDEX IF NOT EXISTS conversation_ban_account_id_idx ON roost_data.conversation_ban (account_id);

CREATE TABLE IF NOT EXISTS roost_data.message (
	id bigint NOT NULL,
	conversation_id bigint NOT NULL,
	sender_id bigint NOT NULL,
	reply_to_id bigint,
	target_id bigint,
	created_at timestamptz NOT NULL DEFAULT now(),
	edited_at timestamptz,
	deleted_at timestamptz,
	expires_at timestamptz,
	encrypted boolean NOT NULL DEFAULT false,
	forwarded boolean NOT NULL DEFAULT false,
	action roost.message_action,
	text text,
	media jsonb,
	detail jsonb,
	client_id text COLLATE "C",
	PRIMARY KEY (conversation_id, id),
	CHECK (NOT encrypted OR text IS NULL)
);
COMMENT ON TABLE roost_data.message IS 'Messages. Of an encrypted one there is no content here. One that was deleted for everyone stays as a tombstone (deleted_at) without text, media and reactions.';
-- Not unique: who writes holds the conversation.  32 bits of a hash each, so
-- that it takes little room and stays near what else is written to.
CREATE INDEX IF NOT EXISTS message_client_id_idx ON roost_data.message
	(((hashint8(conversation_id)::bigint << 32) | (hashtextextended(client_id, sender_id) & 4294967295))) WHERE client_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_expires_at_idx ON roost_data.message (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_id_brin ON roost_data.message USING brin (id) WITH (pages_per_range = 32);
CREATE OR REPLACE TRIGGER message_insert_event AFTER INSERT ON roost_data.message
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('message_created', 'id', 'sender_id', 'conversation_id');
CREATE OR REPLACE TRIGGER message_insert_trace AFTER INSERT ON roost_data.message
	FOR EACH ROW EXECUTE FUNCTION roost_internal.feed_trace_old('id');
-- Rows that logical replication brings are told, too.
ALTER TABLE roost_data.message ENABLE ALWAYS TRIGGER message_insert_event, ENABLE ALWAYS TRIGGER message_insert_trace;

CREATE TABLE IF NOT EXISTS roost_data.message_reaction (
	conversation_id bigint NOT NULL,
	message_id bigint NOT NULL,
	account_id bigint NOT NULL,
	reaction text COLLATE "C" NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (conversation_id, message_id, account_id, reaction)
);
COMMENT ON TABLE roost_data.message_reaction IS 'Reactions to messages.';
CREATE INDEX IF NOT EXISTS message_reaction_account_id_idx ON roost_data.message_reaction (account_id);

CREATE TABLE IF NOT EXISTS roost_data.message_hidden (
	conversation_id bigint NOT NULL,
	account_id bigint NOT NULL,
	message_id bigint NOT NULL,
	PRIMARY KEY (conversation_id, message_id, account_id)
);
COMMENT ON TABLE roost_data.message_hidden IS 'Messages that an account has deleted for itself.';
CREATE INDEX IF NOT EXISTS message_hidden_account_id_idx ON roost_data.message_hidden (account_id);

CREATE TABLE IF NOT EXISTS roost_data.message_envelope (
	account_id bigint NOT NULL,
	number smallint NOT NULL,
	id bigint NOT NULL,
	conversation_id bigint NOT NULL,
	message_id bigint,
	sender_id bigint NOT NULL,
	sender_number smallint NOT NULL,
	kind smallint NOT NULL,
	content bytea,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, number, id)
);
COMMENT ON TABLE roost_data.message_envelope IS 'What waits for a device (its account and its number there): ciphertext that only that device can open, until it is acknowledged or roost.envelope_retention has passed. message_id is null for what is no message, such as keys of a group. content is null where the ciphertext is the same for all: see message_ciphertext.';
ALTER TABLE roost_data.message_envelope ALTER COLUMN content SET STORAGE EXTERNAL;
-- Rows live briefly, and each fetch begins with the oldest.
ALTER TABLE roost_data.message_envelope SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- The rows of one message stand together, and these in the order of time.
CREATE INDEX IF NOT EXISTS message_envelope_message_id_idx ON roost_data.message_envelope ((coalesce(message_id, id)));

CREATE TABLE IF NOT EXISTS roost_data.envelope_gap (
	account_id bigint NOT NULL,
	number smallint NOT NULL,
	id bigint NOT NULL,
	conversation_id bigint NOT NULL,
	envelopes integer NOT NULL,
	messages integer NOT NULL,
	since timestamptz NOT NULL,
	until timestamptz NOT NULL,
	PRIMARY KEY (account_id, number, id)
);
COMMENT ON TABLE roost_data.envelope_gap IS 'What a device has lost of a conversation because it waited too long or too much waited, until the device has acknowledged that: how many envelopes, of how many messages, sent since and until when. One for each conversation; with more it gets another id.';

CREATE TABLE IF NOT EXISTS roost_data.message_ciphertext (
	message_id bigint PRIMARY KEY,
	content bytea NOT NULL
);
COMMENT ON TABLE roost_data.message_ciphertext IS 'The ciphertext of a message that is the same for all devices of a group (sender keys), as long as an envelope waits.';
ALTER TABLE roost_data.message_ciphertext ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE roost_data.message_ciphertext SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE TABLE IF NOT EXISTS roost_data.chat_setting (
	account_id bigint PRIMARY KEY REFERENCES roost_data.account ON DELETE CASCADE,
	read_receipts boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE roost_data.chat_setting IS 'Settings of accounts for their conversations. read_receipts: tells others what it has read, and is told what others have.';

CREATE OR REPLACE TRIGGER message_judge BEFORE INSERT OR UPDATE OF text, media ON roost_data.message
	FOR EACH ROW WHEN (NOT NEW.encrypted AND NEW.action IS NULL AND NEW.deleted_at IS NULL) EXECUTE FUNCTION roost_internal.message_judge();
CREATE OR REPLACE TRIGGER conversation_judge BEFORE INSERT OR UPDATE OF title, description, avatar_url ON roost_data.conversation
	FOR EACH ROW WHEN (NEW.title <> '' OR NEW.description <> '' OR NEW.avatar_url <> '') EXECUTE FUNCTION roost_internal.group_judge();
CREATE OR REPLACE TRIGGER key_device_insert_envelope BEFORE INSERT OR DELETE ON roost_data.key_device
	FOR EACH ROW EXECUTE FUNCTION roost_internal.envelope_device_change();
CREATE OR REPLACE TRIGGER key_device_update_envelope BEFORE UPDATE OF registration_id, identity_key ON roost_data.key_device
	FOR EACH ROW WHEN (OLD.registration_id <> NEW.registration_id OR OLD.identity_key <> NEW.identity_key) EXECUTE FUNCTION roost_internal.envelope_device_change();
