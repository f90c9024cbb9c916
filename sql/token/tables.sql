-- Tables of the token module.

CREATE TABLE IF NOT EXISTS roost_data.signing_key (
	kid text COLLATE "C" PRIMARY KEY CHECK (kid ~ '^[A-Za-z0-9_.-]{1,128}$'),
	algorithm text COLLATE "C" NOT NULL CHECK (algorithm IN ('HS256', 'EdDSA')),
	secret bytea NOT NULL,
	public_key bytea,
	created_at timestamptz NOT NULL DEFAULT now(),
	not_before timestamptz NOT NULL DEFAULT now(),
	retired_at timestamptz,
	CHECK (CASE algorithm WHEN 'HS256' THEN octet_length(secret) BETWEEN 32 AND 1024 ELSE octet_length(secret) = 32 AND public_key IS NOT NULL END)
);
COMMENT ON TABLE roost_data.signing_key IS 'Keys that sign access tokens. Only the owner reads it. The key with the newest not_before that has come signs; all verify until retired_at.';
COMMENT ON COLUMN roost_data.signing_key.secret IS 'HS256: at least 32 random bytes. EdDSA: the 32-byte seed.';
CREATE OR REPLACE TRIGGER signing_key_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON roost_data.signing_key
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.key_changed();

CREATE TABLE IF NOT EXISTS roost_data.revocation (
	id bigint PRIMARY KEY,
	revoked_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL DEFAULT now() + roost_internal.token_lifetime()
);
COMMENT ON TABLE roost_data.revocation IS 'Sessions and accounts whose access tokens are refused, by id, until none of those tokens can live any more (expires_at). Triggers on roost_data.session and roost_data.account write it; a row inserted by hand has the same effect at once, and deleting it takes that back.';
CREATE INDEX IF NOT EXISTS revocation_expires_at_idx ON roost_data.revocation (expires_at);
CREATE OR REPLACE TRIGGER revocation_emit AFTER INSERT OR UPDATE OR DELETE ON roost_data.revocation
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('session_revoked', 'id', 'expires_at');

INSERT INTO roost_data.signing_key (kid, algorithm, secret, public_key)
SELECT k.kid, 'HS256', k.secret, k.public_key
FROM roost_internal.key_material('HS256') k
WHERE NOT EXISTS (SELECT FROM roost_data.signing_key);

CREATE TABLE IF NOT EXISTS roost_data.login_lockout (
	kind text COLLATE "C" CHECK (kind IN ('account', 'address')),
	key bigint,
	failures integer NOT NULL CHECK (failures > 0),
	last_failed_at timestamptz NOT NULL,
	locked_until timestamptz,
	PRIMARY KEY (kind, key)
);
COMMENT ON TABLE roost_data.login_lockout IS 'Failed logins, as the worker saved them last; the truth is in shared memory and read from here after a start. See roost.stat_lockout.';
COMMENT ON COLUMN roost_data.login_lockout.key IS 'An account, a digest of a user name or e-mail address (negative), or a digest of a network address.';

CREATE OR REPLACE TRIGGER signing_key_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.signing_key
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('signing_key', 'kid', 'algorithm', 'not_before', 'retired_at', 'secret!', 'public_key!');
-- By hand: those that follow from the end of a session or account stand beside it.
CREATE OR REPLACE TRIGGER revocation_audit AFTER INSERT OR UPDATE ON roost_data.revocation
	FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION roost_internal.audit_watch('revocation', 'id', 'revoked_at', 'expires_at');
CREATE OR REPLACE TRIGGER revocation_delete_audit AFTER DELETE ON roost_data.revocation
	FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND OLD.expires_at > now()) EXECUTE FUNCTION roost_internal.audit_watch('revocation', 'id', 'revoked_at', 'expires_at');
CREATE OR REPLACE TRIGGER login_lockout_audit AFTER INSERT OR UPDATE ON roost_data.login_lockout
	FOR EACH ROW WHEN (NEW.kind = 'account' AND NEW.key > 0 AND NEW.locked_until IS NOT NULL)
	EXECUTE FUNCTION roost_internal.audit_watch('lockout', 'key', '@key', 'locked_until');
