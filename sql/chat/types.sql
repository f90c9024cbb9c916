-- Types of the chat module: conversations and messages.

CREATE DOMAIN roost.message_text AS text CHECK (octet_length(VALUE) <= 65536 AND VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f]');
COMMENT ON DOMAIN roost.message_text IS 'The text of a message: at most roost.message_max_length characters, no control characters but tab and line feed.';

CREATE DOMAIN roost.message_client_id AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z0-9_.:-]{1,64}$');
COMMENT ON DOMAIN roost.message_client_id IS 'The name that a client gives its message before it has an id: 1 to 64 of A-Z, a-z, 0-9, _ . : and -. Sending it again is answered with the message that was made.';

CREATE DOMAIN roost.reaction AS text CHECK (octet_length(VALUE) BETWEEN 1 AND 64 AND char_length(VALUE) <= 16 AND VALUE !~ '[[:cntrl:][:space:]<>&\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]');
COMMENT ON DOMAIN roost.reaction IS 'A reaction: one emoji, or a short word; at most 16 characters without spaces, and without those that turn the direction of writing.';

CREATE DOMAIN roost.conversation_title AS text CHECK (char_length(VALUE) <= 100 AND VALUE !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.conversation_title IS 'The title of a group: at most 100 characters in one line.';

CREATE DOMAIN roost.conversation_description AS text CHECK (char_length(VALUE) <= 500 AND VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.conversation_description IS 'What a group is about: at most 500 characters.';

CREATE DOMAIN roost.invite_code AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z0-9_-]{8,64}$');
COMMENT ON DOMAIN roost.invite_code IS 'The code of an invitation to a group.';

CREATE DOMAIN roost.member_ref AS text COLLATE "C" CHECK (VALUE ~ '^([0-9]{1,19}|@[A-Za-z0-9_]{1,30}|me)$');
COMMENT ON DOMAIN roost.member_ref IS 'Names a member of a conversation: the id of its account, its user name with @ before it, or "me".';

CREATE TYPE roost.conversation_kind AS ENUM ('direct', 'group');
COMMENT ON TYPE roost.conversation_kind IS 'direct: two accounts, one conversation a pair; group: as many as roost.group_max_members.';

CREATE TYPE roost.conversation_encryption AS ENUM ('none', 'e2ee');
COMMENT ON TYPE roost.conversation_encryption IS 'none: the server keeps the texts; e2ee: it passes envelopes on that only devices can open.';

CREATE TYPE roost.member_role AS ENUM ('member', 'admin', 'owner');
COMMENT ON TYPE roost.member_role IS 'What a member of a group may do: member: write; admin: besides change the group, invite, add and remove members, delete messages; owner: besides appoint and dismiss admins and owners. A group has an owner as long as it has members.';

CREATE TYPE roost.message_state AS ENUM ('sent', 'delivered', 'read');
COMMENT ON TYPE roost.message_state IS 'How far a message has come with all who were to get it: sent (stored), delivered (a device of each has it), read (each has opened it).';

CREATE TYPE roost.message_action AS ENUM ('created', 'joined', 'left', 'added', 'removed', 'role', 'updated', 'timer', 'encrypted');
COMMENT ON TYPE roost.message_action IS 'What a message tells that nobody wrote: the group was created; somebody joined by an invitation, left, was added or removed by the sender, has another role; title, description or picture, or the timer was changed; the conversation is encrypted from here on.';

CREATE TYPE roost.message_reaction AS (
	reaction text,
	count integer,
	mine boolean
);
COMMENT ON TYPE roost.message_reaction IS 'How many members reacted so, and whether the reader did (false in events).';

CREATE TYPE roost.message_embed AS (
	id roost.id,
	sender roost.author,
	text text,
	encrypted boolean,
	created_at timestamptz,
	deleted_at timestamptz
);
COMMENT ON TYPE roost.message_embed IS 'A message that another one answers; text is its beginning (200 characters), null if it is encrypted, deleted or only has media.';

CREATE TYPE roost.message AS (
	id roost.id,
	conversation_id roost.id,
	sender roost.author,
	text text,
	media jsonb,
	encrypted boolean,
	action roost.message_action,
	target roost.author,
	detail jsonb,
	reply_to roost.message_embed,
	forwarded boolean,
	reactions roost.message_reaction[],
	state roost.message_state,
	delivered_count integer,
	read_count integer,
	client_id text,
	created_at timestamptz,
	edited_at timestamptz,
	deleted_at timestamptz,
	expires_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.message IS 'A message. text is null if it is encrypted (its content came to the device in an envelope), if it was deleted for everyone (deleted_at) or only has media. action is not null for what nobody wrote: then sender did that, to target, and detail says more. state, delivered_count and read_count say how far it has come (without its sender); they are shown to its sender and null for others. client_id is shown to its sender. expires_at: when it disappears. cursor is the position in a list.';

CREATE TYPE roost.message_reactor AS (
	account roost.author,
	reactions text[],
	reacted_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.message_reactor IS 'How somebody reacted to a message, in the order in which it was done, and when first.';

CREATE TYPE roost.message_receipt AS (
	account roost.author,
	delivered boolean,
	read boolean,
	cursor bigint
);
COMMENT ON TYPE roost.message_receipt IS 'How far a message has come with one of those who were to get it.';

CREATE TYPE roost.conversation_member AS (
	account roost.author,
	role roost.member_role,
	joined_at timestamptz,
	read_id roost.id,
	delivered_id roost.id,
	cursor bigint
);
COMMENT ON TYPE roost.conversation_member IS 'A member of a conversation. read_id and delivered_id: up to which message it has read, and its devices have, everything; null: none yet.';

CREATE TYPE roost.conversation AS (
	id roost.id,
	kind roost.conversation_kind,
	encryption roost.conversation_encryption,
	title text,
	description text,
	avatar_url text,
	created_at timestamptz,
	member_count integer,
	members roost.author[],
	role roost.member_role,
	expire_after integer,
	can_send boolean,
	read_id roost.id,
	unread_count integer,
	last_message roost.message,
	muted boolean,
	muted_until timestamptz,
	archived boolean,
	pinned boolean,
	cursor text
);
COMMENT ON TYPE roost.conversation IS 'A conversation as one of its members sees it. members are up to eight of the others (of a direct one: the other). expire_after: seconds after which new messages disappear, null never. can_send: false if one of the two of a direct conversation has blocked the other or takes no messages from it. unread_count: messages by others after read_id, at most 1000. muted: nobody is to be disturbed by it, until muted_until if that is not null. cursor is the position in a list.';

CREATE TYPE roost.conversation_unread AS (
	conversations integer,
	messages integer,
	muted integer
);
COMMENT ON TYPE roost.conversation_unread IS 'What an account has not read: conversations that are not muted, messages in them (at most 1000), and muted conversations.';

CREATE TYPE roost.conversation_invite AS (
	code text,
	conversation_id roost.id,
	title text,
	description text,
	avatar_url text,
	member_count integer,
	created_by roost.author,
	created_at timestamptz,
	expires_at timestamptz,
	max_uses integer,
	uses integer,
	revoked_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.conversation_invite IS 'An invitation to a group. expires_at and max_uses null: no end. Who is not a member sees neither created_by nor the uses.';

CREATE TYPE roost.message_scope AS ENUM ('me', 'everyone');
COMMENT ON TYPE roost.message_scope IS 'For whom a message is deleted.';

CREATE TYPE roost.chat_settings AS (
	read_receipts boolean
);
COMMENT ON TYPE roost.chat_settings IS 'What an account has set for its conversations. read_receipts: others are told what it has read, and it is told what others have.';

CREATE DOMAIN roost.envelope_type AS smallint CHECK (VALUE IN (2, 3, 7, 8));
COMMENT ON DOMAIN roost.envelope_type IS 'What an envelope holds, as libsignal counts: 2 a message of a session, 3 one that begins a session, 7 one with a sender key, 8 plaintext (a request to repeat).';

CREATE DOMAIN roost.envelope_content AS bytea CHECK (octet_length(VALUE) BETWEEN 1 AND 65536);
COMMENT ON DOMAIN roost.envelope_content IS 'Ciphertext of 1 byte to 64 KiB.';

CREATE DOMAIN roost.devices_version AS text COLLATE "C" CHECK (VALUE ~ '^[0-9a-f]{32}$');
COMMENT ON DOMAIN roost.devices_version IS 'The devices_version of GET /encryption/conversations/:conversation_id/devices.';

CREATE TYPE roost.envelope_input AS (
	account_id roost.id,
	device roost.key_device_number,
	registration_id integer,
	type roost.envelope_type,
	content roost.envelope_content
);
COMMENT ON TYPE roost.envelope_input IS 'An envelope for a device: ciphertext (base64) that only that device can open. registration_id is the one that it had when this was encrypted.';

CREATE TYPE roost.envelope_gap AS (
	envelopes integer,
	messages integer,
	since timestamptz,
	until timestamptz
);
COMMENT ON TYPE roost.envelope_gap IS 'What a device has lost of a conversation, because it waited too long or too much waited: how many envelopes, of how many messages, and when the oldest and the newest of them were sent.';

CREATE TYPE roost.envelope AS (
	id roost.id,
	conversation_id roost.id,
	message_id roost.id,
	sender_id roost.id,
	sender_device integer,
	type integer,
	content text,
	created_at timestamptz,
	lost roost.envelope_gap
);
COMMENT ON TYPE roost.envelope IS 'An envelope that waits for the device that asks. message_id is null if it is no message, but keys of a group, say. sender_device is the number of the device that sent it; content is base64. With type 0 it is none, but says what the device has lost of the conversation (lost, null in envelopes); then message_id, sender_id, sender_device and content are null.';
