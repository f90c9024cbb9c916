-- Tables of the key module.  See docs/key.md.

CREATE TABLE IF NOT EXISTS roost_data.key_device (
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	number smallint NOT NULL CHECK (number BETWEEN 1 AND 127),
	device_id bigint NOT NULL REFERENCES roost_data.device ON DELETE CASCADE,
	registration_id integer NOT NULL CHECK (registration_id BETWEEN 1 AND 16383),
	identity_key bytea NOT NULL CHECK (octet_length(identity_key) = 33),
	signed_prekey_id integer NOT NULL CHECK (signed_prekey_id BETWEEN 0 AND 16777215),
	signed_prekey bytea NOT NULL CHECK (octet_length(signed_prekey) = 33),
	signed_prekey_signature bytea NOT NULL CHECK (octet_length(signed_prekey_signature) = 64),
	kyber_prekey_id integer NOT NULL CHECK (kyber_prekey_id BETWEEN 0 AND 16777215),
	kyber_prekey bytea NOT NULL CHECK (octet_length(kyber_prekey) = 1569),
	kyber_prekey_signature bytea NOT NULL CHECK (octet_length(kyber_prekey_signature) = 64),
	linked_at timestamptz NOT NULL DEFAULT now(),
	signed_prekey_at timestamptz NOT NULL DEFAULT now(),
	kyber_prekey_at timestamptz NOT NULL DEFAULT now(),
	used_at timestamptz NOT NULL DEFAULT now(),
	low_told_at timestamptz,
	prekey_epoch integer NOT NULL DEFAULT 0,
	prekey_from integer NOT NULL DEFAULT 0,
	kyber_prekey_from integer NOT NULL DEFAULT 0,
	-- what a message to a large group must know of its devices is read from this index alone
	PRIMARY KEY (account_id, number) INCLUDE (registration_id)
);
COMMENT ON TABLE roost_data.key_device IS 'Devices of accounts with keys for end-to-end encryption: public keys and their signatures, nothing secret. kyber_prekey is the one of last resort. device_id is that of roost_data.device: who logs in with the same device finds its keys. signed_prekey_at, kyber_prekey_at: since when they are these; used_at: when the device last published or fetched something, to the day; low_told_at: when it was told that few one-time prekeys are left, null since there are enough. prekey_from, kyber_prekey_from: there is no one-time prekey with a smaller id, so that nobody walks over those that are gone; prekey_epoch counts how often some were added.';
ALTER TABLE roost_data.key_device SET (fillfactor = 75);
CREATE UNIQUE INDEX IF NOT EXISTS key_device_device_id_idx ON roost_data.key_device (device_id);
CREATE INDEX IF NOT EXISTS key_device_used_at_idx ON roost_data.key_device (used_at);

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
-- Rows live briefly.
ALTER TABLE roost_data.key_prekey SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

CREATE TABLE IF NOT EXISTS roost_data.key_registration (
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	number smallint NOT NULL,
	registration_id integer NOT NULL,
	identity_key bytea NOT NULL,
	published_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, number, registration_id)
);
COMMENT ON TABLE roost_data.key_registration IS 'Which identity key a registration id stood for when a device of this number was last published with it; it stays when the device is unlinked. Senders know a device by its number and registration id, so neither the device nor the next one of its number takes the same id with another identity key. Of each number the last 50.';

CREATE OR REPLACE TRIGGER key_device_unlinked AFTER DELETE ON roost_data.key_device
	FOR EACH ROW EXECUTE FUNCTION roost_internal.key_device_unlinked();
CREATE OR REPLACE TRIGGER key_device_session AFTER UPDATE OF revoked_at ON roost_data.session
	FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION roost_internal.key_device_session();
CREATE OR REPLACE TRIGGER key_device_audit AFTER INSERT OR UPDATE OF account_id, number, device_id, registration_id, identity_key OR DELETE ON roost_data.key_device
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('key_device', 'account_id,number', '@account_id', 'account_id', 'number', 'device_id', 'registration_id', 'identity_key!');
