-- Types of the token module.

CREATE TYPE roost.token_identity AS (
	account_id roost.id,
	session_id roost.id,
	device_id roost.id,
	issued_at timestamptz,
	expires_at timestamptz
);
COMMENT ON TYPE roost.token_identity IS 'What a valid access token says. device_id may be null; expires_at is when it ends at the latest, revocation apart.';

CREATE TYPE roost.signing_key AS (
	kid text,
	algorithm text,
	created_at timestamptz,
	not_before timestamptz,
	retired_at timestamptz,
	signs boolean
);
COMMENT ON TYPE roost.signing_key IS 'A signing key without its secret: algorithm (HS256 or EdDSA), since when it may sign, until when its tokens are accepted (null: no end), and whether it is the one that signs now.';
