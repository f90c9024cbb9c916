-- Tables of the api module.

CREATE TABLE IF NOT EXISTS roost_data.idempotency_key (
	owner text COLLATE "C" NOT NULL,
	key_hash bytea NOT NULL,
	request_hash bytea NOT NULL,
	encrypted boolean NOT NULL,
	answer bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (owner, key_hash)
);
CREATE INDEX IF NOT EXISTS idempotency_key_created_at_idx ON roost_data.idempotency_key (created_at);
COMMENT ON TABLE roost_data.idempotency_key IS 'Answers to requests that came with an Idempotency-Key, kept for 24 hours to be given again. The key itself is not kept, only hashes.';
COMMENT ON COLUMN roost_data.idempotency_key.owner IS 'Who sent the request: "account:" and id, or "address:" and network address.';
COMMENT ON COLUMN roost_data.idempotency_key.key_hash IS 'SHA-256 of owner and key.';
COMMENT ON COLUMN roost_data.idempotency_key.request_hash IS 'HMAC-SHA-256 of method, path, query, body and refresh token under the key.';
COMMENT ON COLUMN roost_data.idempotency_key.encrypted IS 'The answer holds secrets, or is one to an account: it is nonce, tag and text of AES-256-GCM under a key derived from the client''s.';
