-- Tables of the account module.
--
-- What strangers may see stands in account; addresses and secrets stand in
-- tables of their own.  User names are unique in account_handle, verified
-- addresses in account_email.

CREATE TABLE IF NOT EXISTS roost_data.account (
	id bigint PRIMARY KEY,
	username text COLLATE "C" NOT NULL CHECK (username ~ '^[A-Za-z0-9_]{1,30}$'),
	display_name text NOT NULL DEFAULT '' CHECK (char_length(display_name) <= 50),
	bio text NOT NULL DEFAULT '' CHECK (char_length(bio) <= 500),
	avatar_url text CHECK (octet_length(avatar_url) <= 2048),
	header_url text CHECK (octet_length(header_url) <= 2048),
	birth_date date,
	language text COLLATE "C" NOT NULL DEFAULT 'en',
	is_private boolean NOT NULL DEFAULT false,
	is_verified boolean NOT NULL DEFAULT false,
	status text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'deleted')),
	role text COLLATE "C" NOT NULL DEFAULT 'user' CHECK (role ~ '^[a-z_]{1,30}$'),
	message_policy text COLLATE "C" NOT NULL DEFAULT 'everyone' CHECK (message_policy IN ('everyone', 'followed', 'friends')),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	last_login_at timestamptz,
	last_active_at timestamptz
) WITH (fillfactor = 90);
COMMENT ON TABLE roost_data.account IS 'Accounts. A deleted one stays as an empty row, so that its id keeps meaning nobody else.';
COMMENT ON COLUMN roost_data.account.username IS 'As it was typed; unique without regard to case through account_handle. A deleted account is called deleted_<id>.';
COMMENT ON COLUMN roost_data.account.is_private IS 'Following it takes its consent.';
COMMENT ON COLUMN roost_data.account.is_verified IS 'The operator vouches for it. Whether the e-mail address is verified stands in account_email.';
COMMENT ON COLUMN roost_data.account.last_active_at IS 'Last sign of life, written at most once in five minutes.';

CREATE TABLE IF NOT EXISTS roost_data.account_handle (
	username text COLLATE "C" PRIMARY KEY CHECK (username ~ '^[a-z0-9_]{1,30}$'),
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE
);
COMMENT ON TABLE roost_data.account_handle IS 'The user names in use, in lower case, and whose they are.';
CREATE INDEX IF NOT EXISTS account_handle_account_id_idx ON roost_data.account_handle (account_id);

CREATE TABLE IF NOT EXISTS roost_data.reserved_handle (
	username text COLLATE "C" PRIMARY KEY CHECK (username ~ '^[a-z0-9_]{1,30}$'),
	until timestamptz,
	reason text NOT NULL DEFAULT ''
);
COMMENT ON TABLE roost_data.reserved_handle IS 'User names that nobody may take: the operator''s own, and those of deleted or renamed accounts until the given time (null: for ever).';
INSERT INTO roost_data.reserved_handle (username, reason)
SELECT unnest('{about,abuse,account,admin,administrator,api,auth,billing,contact,everyone,help,here,home,info,legal,login,logout,mail,me,moderator,news,official,postmaster,privacy,public,register,root,roost,search,security,settings,signup,staff,status,support,system,terms,undefined,webmaster}'::text[]), 'built in'
WHERE NOT EXISTS (SELECT FROM roost_data.reserved_handle);

CREATE TABLE IF NOT EXISTS roost_data.account_email (
	email text COLLATE "C" NOT NULL CHECK (email ~ '^[^@A-Z[:space:]]+@[^@A-Z[:space:]]+$' AND octet_length(email) <= 254),
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	verified_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (email, account_id)
);
COMMENT ON TABLE roost_data.account_email IS 'The e-mail address of each account, in lower case. Anybody may name any address when registering; it is unique, and worth anything, from the moment its owner opens the link of the mail (verified_at).';
CREATE UNIQUE INDEX IF NOT EXISTS account_email_verified_idx ON roost_data.account_email (email) WHERE verified_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS account_email_account_id_idx ON roost_data.account_email (account_id);

CREATE TABLE IF NOT EXISTS roost_data.account_credential (
	account_id bigint PRIMARY KEY REFERENCES roost_data.account ON DELETE CASCADE,
	password_hash text,
	password_changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.account_credential IS 'Password hashes (argon2id, or bcrypt until the next login). Null: no password; the account waits for one to be set by mail.';

CREATE TABLE IF NOT EXISTS roost_data.account_stat (
	account_id bigint NOT NULL,
	slot integer NOT NULL,
	follower_count bigint NOT NULL DEFAULT 0,
	following_count bigint NOT NULL DEFAULT 0,
	post_count bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (account_id, slot)
) WITH (fillfactor = 70);
COMMENT ON TABLE roost_data.account_stat IS 'Counters of an account: the sum over its slots. A writer adds to a slot that nobody holds, so writers never wait for each other; maintenance folds slots together.';

CREATE TABLE IF NOT EXISTS roost_data.device (
	id bigint PRIMARY KEY,
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	client_id text COLLATE "C" CHECK (octet_length(client_id) <= 64),
	name text NOT NULL DEFAULT '' CHECK (char_length(name) <= 100),
	platform text NOT NULL DEFAULT '' CHECK (char_length(platform) <= 30),
	created_at timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (account_id, client_id)
);
COMMENT ON TABLE roost_data.device IS 'Devices that have logged in, one session each. client_id is the name that the device gave itself; a device without one lives as long as its session.';

CREATE TABLE IF NOT EXISTS roost_data.session (
	id bigint PRIMARY KEY,
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	device_id bigint NOT NULL,
	user_agent text CHECK (char_length(user_agent) <= 300),
	address inet,
	created_at timestamptz NOT NULL DEFAULT now(),
	last_used_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	revoked_at timestamptz
);
COMMENT ON TABLE roost_data.session IS 'Logins. Its refresh tokens are a family: each is exchanged for the next, and expires_at moves with it. A revoked session ends its access tokens at once.';
CREATE INDEX IF NOT EXISTS session_account_id_idx ON roost_data.session (account_id, id DESC);
CREATE INDEX IF NOT EXISTS session_device_id_idx ON roost_data.session (device_id);
CREATE INDEX IF NOT EXISTS session_expires_at_idx ON roost_data.session (expires_at);
CREATE INDEX IF NOT EXISTS session_revoked_at_idx ON roost_data.session (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE OR REPLACE TRIGGER session_changed AFTER UPDATE OF revoked_at OR DELETE ON roost_data.session
	FOR EACH ROW EXECUTE FUNCTION roost_internal.session_changed();
CREATE OR REPLACE TRIGGER account_changed AFTER UPDATE OF status OR DELETE ON roost_data.account
	FOR EACH ROW EXECUTE FUNCTION roost_internal.account_changed();

CREATE TABLE IF NOT EXISTS roost_data.refresh_token (
	digest bytea PRIMARY KEY,
	session_id bigint NOT NULL REFERENCES roost_data.session ON DELETE CASCADE,
	parent_digest bytea,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	used_at timestamptz,
	replaced_by bytea
);
COMMENT ON TABLE roost_data.refresh_token IS 'Digests of refresh tokens; the tokens themselves are nowhere. used_at and replaced_by: exchanged for that one.';
CREATE INDEX IF NOT EXISTS refresh_token_session_id_idx ON roost_data.refresh_token (session_id);
CREATE INDEX IF NOT EXISTS refresh_token_expires_at_idx ON roost_data.refresh_token (expires_at);

CREATE TABLE IF NOT EXISTS roost_data.email_token (
	digest bytea PRIMARY KEY,
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE,
	purpose text COLLATE "C" NOT NULL CHECK (purpose IN ('verify', 'reset')),
	email text COLLATE "C" NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	used_at timestamptz
);
COMMENT ON TABLE roost_data.email_token IS 'Digests of the tokens in mails, and what each one proves: that its bearer reads the mail sent to email.';
CREATE INDEX IF NOT EXISTS email_token_account_id_idx ON roost_data.email_token (account_id, purpose);
CREATE INDEX IF NOT EXISTS email_token_expires_at_idx ON roost_data.email_token (expires_at);

CREATE OR REPLACE VIEW roost_bi.account AS
SELECT a.id, a.username, a.display_name, a.language, a.is_private, a.is_verified, a.status, a.role, a.created_at, a.last_login_at, a.last_active_at,
	coalesce(s.follower_count, 0) AS follower_count,
	coalesce(s.following_count, 0) AS following_count,
	coalesce(s.post_count, 0) AS post_count
FROM roost_data.account a
LEFT JOIN LATERAL (
	SELECT sum(t.follower_count)::bigint AS follower_count, sum(t.following_count)::bigint AS following_count, sum(t.post_count)::bigint AS post_count
	FROM roost_data.account_stat t WHERE t.account_id = a.id
) s ON true
WHERE a.status <> 'deleted';
COMMENT ON VIEW roost_bi.account IS 'Accounts with their counters; no addresses, no dates of birth, no secrets.';
