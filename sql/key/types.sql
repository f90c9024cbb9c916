-- Types of the key module: keys of devices for end-to-end encryption.

CREATE DOMAIN roost.key_base64 AS text COLLATE "C" CHECK (octet_length(VALUE) <= 4096 AND VALUE ~ '^[A-Za-z0-9+/_-]+={0,2}$');
COMMENT ON DOMAIN roost.key_base64 IS 'A key or a signature in base64 (with or without padding; also base64url): an identity key or a prekey is 33 bytes (0x05 and a Curve25519 point), a Kyber-1024 key 1,569 bytes (0x08 and the key), a signature 64 bytes.';

CREATE DOMAIN roost.key_device_number AS integer CHECK (VALUE BETWEEN 1 AND 127);
COMMENT ON DOMAIN roost.key_device_number IS 'The number of a device among those of its account: 1 to 127.';

CREATE TYPE roost.key_device AS (
	account_id roost.id,
	device integer,
	registration_id integer,
	identity_key text
);
COMMENT ON TYPE roost.key_device IS 'A device with keys: its number among those of its account, its registration id (another one after it was set up anew), its identity key in base64.';

CREATE DOMAIN roost.key_registration_id AS integer CHECK (VALUE BETWEEN 1 AND 16383);
COMMENT ON DOMAIN roost.key_registration_id IS 'A registration id: 1 to 16383, chosen at random when a device is set up.';

CREATE DOMAIN roost.key_id AS integer CHECK (VALUE BETWEEN 0 AND 16777215);
COMMENT ON DOMAIN roost.key_id IS 'The number of a prekey among those of its kind and device: 0 to 16777215.';

CREATE TYPE roost.key_prekey_input AS (
	id roost.key_id,
	key roost.key_base64
);
COMMENT ON TYPE roost.key_prekey_input IS 'A one-time prekey that a device publishes.';

CREATE TYPE roost.key_signed_prekey_input AS (
	id roost.key_id,
	key roost.key_base64,
	signature roost.key_base64
);
COMMENT ON TYPE roost.key_signed_prekey_input IS 'A signed prekey or a Kyber prekey that a device publishes; the signature, by its identity key, is of the whole key with its first byte.';

CREATE TYPE roost.key_prekey AS (
	id integer,
	key text
);
COMMENT ON TYPE roost.key_prekey IS 'A one-time prekey in base64.';

CREATE TYPE roost.key_signed_prekey AS (
	id integer,
	key text,
	signature text
);
COMMENT ON TYPE roost.key_signed_prekey IS 'A prekey with the signature of its device''s identity key, in base64.';

CREATE TYPE roost.key_kyber_prekey AS (
	id integer,
	key text,
	signature text,
	last_resort boolean
);
COMMENT ON TYPE roost.key_kyber_prekey IS 'A Kyber prekey with the signature of its device''s identity key, in base64. last_resort: it is handed out again and again, because no one-time one is left.';

CREATE TYPE roost.key_bundle AS (
	device integer,
	registration_id integer,
	identity_key text,
	signed_prekey roost.key_signed_prekey,
	prekey roost.key_prekey,
	kyber_prekey roost.key_kyber_prekey
);
COMMENT ON TYPE roost.key_bundle IS 'What it takes to begin a session with a device. prekey is null if no one-time prekey is left.';

CREATE TYPE roost.key_bundle_set AS (
	account_id roost.id,
	devices roost.key_bundle[]
);
COMMENT ON TYPE roost.key_bundle_set IS 'Bundles of devices of an account; none if it has no device with keys.';

CREATE TYPE roost.key_status AS (
	device integer,
	registration_id integer,
	identity_key text,
	linked_at timestamptz,
	signed_prekey_id integer,
	signed_prekey_at timestamptz,
	kyber_prekey_id integer,
	kyber_prekey_at timestamptz,
	prekey_count integer,
	kyber_prekey_count integer
);
COMMENT ON TYPE roost.key_status IS 'What the server has of the keys of the device that asks: the ids of its signed prekey and of its Kyber prekey of last resort and since when they are these, and how many one-time prekeys of each kind are left.';

CREATE TYPE roost.key_own_device AS (
	device integer,
	device_id roost.id,
	name text,
	platform text,
	registration_id integer,
	identity_key text,
	linked_at timestamptz,
	used_at timestamptz,
	current boolean
);
COMMENT ON TYPE roost.key_own_device IS 'A device with keys of the account that asks. used_at: the day on which it last published or fetched anything; current: it is the one that asks.';

CREATE TYPE roost.key_device_set AS (
	devices roost.key_device[],
	devices_version text
);
COMMENT ON TYPE roost.key_device_set IS 'The devices of a conversation, and a name for exactly these: another device, or one that was set up anew, is another version.';
