-- Tables of the key module.  See docs/key.md.

CREATE TABLE IF NOT EXISTS roost_data.key_device (
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	number smallint NOT NULL CHECK (number BETWEEN 1 AND 127),
	device_id bigint NOT NULL,
	registration_id integer NOT NULL CHECK (registration_id BETWEEN 1 AND 16383),
	identity_key bytea NOT NULL CHECK (octet_length(identity_key) = 33),
	signed_prekey_id integer NOT NULL CHECK (signed_prekey_id BETWEEN 0 AND 16777215),
	signed_prekey bytea NOT NULL CHECK (octet_length(signed_prekey) = 33),
	signed_prekey_signature bytea NOT NULL CHECK (octet_length(signed_prekey_signature) = 64),
	kyber_prekey_id integer NOT NULL CHECK (kyber_prekey_id BETWEEN 0 AND 16777215),
	kyber_prekey bytea NOT NULL CHECK (octet_length(kyber_prekey) = 1569),
	kyber_prekey_signature bytea NOT NULL CHECK (octet_length(kyber_prekey_signature) = 64),
	linked_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	low_told_at timestamptz,
	PRIMARY KEY (account_id, number)
);
COMMENT ON TABLE roost_data.key_device IS 'Devices of accounts with keys for end-to-end encryption: public keys and their signatures, nothing secret. kyber_prekey is the one of last resort. device_id is that of roost_data.device: who logs in with the same device finds its keys.';
CREATE UNIQUE INDEX IF NOT EXISTS key_device_device_id_idx ON roost_data.key_device (device_id);

CREATE TABLE IF NOT EXISTS roost_data.key_prekey (
	account_id bigint NOT NULL,
	number smallint NOT NULL,
	id integer NOT NULL CHECK (id BETWEEN 0 AND 16777215),
	is_kyber boolean NOT NULL,
	key bytea NOT NULL,
	signature bytea,
	PRIMARY KEY (account_id, number, is_kyber, id),
	FOREIGN KEY (account_id, number) REFERENCES roost_data.key_device ON DELETE CASCADE,
	CHECK (octet_length(key) = CASE WHEN is_kyber THEN 1569 ELSE 33 END),
	CHECK ((signature IS NOT NULL) = is_kyber AND (signature IS NULL OR octet_length(signature) = 64))
);
COMMENT ON TABLE roost_data.key_prekey IS 'One-time prekeys: each is handed out once, and is gone then.';
ALTER TABLE roost_data.key_prekey ALTER COLUMN key SET STORAGE EXTERNAL;
