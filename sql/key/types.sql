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
