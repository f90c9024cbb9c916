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

ALTER TABLE roost_data.account ADD COLUMN IF NOT EXISTS limited_at timestamptz, ADD COLUMN IF NOT EXISTS suspended_until timestamptz,
	ADD COLUMN IF NOT EXISTS suspended_for text;
COMMENT ON COLUMN roost_data.account.limited_at IS 'Since when its reach is limited (docs/safety.md): only its followers see its posts. Null: it is not. It is not told.';
COMMENT ON COLUMN roost_data.account.suspended_until IS 'When a suspension ends; null for one that has no end.';
COMMENT ON COLUMN roost_data.account.suspended_for IS 'Why it is suspended, as its owner is told who tries to log in.';
CREATE INDEX IF NOT EXISTS account_suspended_until_idx ON roost_data.account (suspended_until) WHERE suspended_until IS NOT NULL;
CREATE INDEX IF NOT EXISTS account_role_idx ON roost_data.account (role, id) WHERE role <> 'user';
CREATE INDEX IF NOT EXISTS account_status_idx ON roost_data.account (status, id DESC) WHERE status <> 'active';
CREATE INDEX IF NOT EXISTS account_limited_idx ON roost_data.account (id DESC) WHERE limited_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS roost_data.role (
	name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z_]{1,30}$'),
	rank integer NOT NULL CHECK (rank BETWEEN 0 AND 1000),
	description text NOT NULL DEFAULT ''
);
COMMENT ON TABLE roost_data.role IS 'Roles of accounts (account.role). Nobody acts on an account whose role has the same or a higher rank.';

CREATE TABLE IF NOT EXISTS roost_data.role_permission (
	role text COLLATE "C" NOT NULL REFERENCES roost_data.role ON UPDATE CASCADE ON DELETE CASCADE,
	permission text COLLATE "C" NOT NULL,
	PRIMARY KEY (role, permission)
);
COMMENT ON TABLE roost_data.role_permission IS 'What each role may do; roost_internal.permission_list() has the permissions there are.';
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM roost_data.role) THEN
		INSERT INTO roost_data.role (name, rank, description) VALUES
			('user', 0, 'Everybody'),
			('moderator', 50, 'Handles reports and cases'),
			('admin', 100, 'May do everything');
		INSERT INTO roost_data.role_permission (role, permission)
		SELECT 'moderator', unnest('{report.read,case.handle,post.moderate,account.read,account.limit,account.suspend,policy.read,health.read}'::text[])
		UNION ALL SELECT 'admin', p.permission FROM roost_internal.permission_list() p;
	END IF;
END
$$;

-- Not a foreign key: registering would lock the row of the role user each time.
CREATE OR REPLACE TRIGGER account_role_there BEFORE INSERT OR UPDATE OF role ON roost_data.account
	FOR EACH ROW WHEN (NEW.role <> 'user') EXECUTE FUNCTION roost_internal.account_role_there();
CREATE OR REPLACE TRIGGER account_role_kept AFTER UPDATE OF role, status ON roost_data.account
	FOR EACH ROW WHEN (OLD.role <> 'user' AND OLD.status = 'active' AND (OLD.role, OLD.status) IS DISTINCT FROM (NEW.role, NEW.status))
	EXECUTE FUNCTION roost_internal.account_role_kept();
CREATE OR REPLACE TRIGGER role_unused BEFORE DELETE OR UPDATE OF name ON roost_data.role
	FOR EACH ROW EXECUTE FUNCTION roost_internal.role_unused();

CREATE TABLE IF NOT EXISTS roost_data.account_handle (
	username text COLLATE "C" PRIMARY KEY CHECK (username ~ '^[a-z0-9_]{1,30}$'),
	account_id bigint NOT NULL REFERENCES roost_data.account ON DELETE CASCADE
);
COMMENT ON TABLE roost_data.account_handle IS 'The user names in use, in lower case, and whose they are.';
CREATE INDEX IF NOT EXISTS account_handle_account_id_idx ON roost_data.account_handle (account_id);

CREATE TABLE IF NOT EXISTS roost_data.reserved_handle (
	username text COLLATE "C" PRIMARY KEY CHECK (username ~ '^[a-z0-9_]{1,30}$'),
	until timestamptz,
	account_id bigint,
	reason text NOT NULL DEFAULT ''
);
COMMENT ON TABLE roost_data.reserved_handle IS 'User names that nobody may take: the operator''s own, and those of deleted or renamed accounts until the given time (null: for ever). account_id: whose it was; that account may take it back.';
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

CREATE TABLE IF NOT EXISTS roost_data.banned_email (
	digest bytea PRIMARY KEY,
	account_id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.banned_email IS 'Digests of the verified addresses of banned accounts (account_id): nobody else registers with them. They outlive the account.';
CREATE INDEX IF NOT EXISTS banned_email_account_id_idx ON roost_data.banned_email (account_id);

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
	refresh_key text COLLATE "C" NOT NULL,
	refresh_digest bytea NOT NULL,
	former_digest bytea,
	refreshed_at timestamptz,
	user_agent text CHECK (char_length(user_agent) <= 300),
	address inet,
	created_at timestamptz NOT NULL DEFAULT now(),
	last_used_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	revoked_at timestamptz
);
COMMENT ON TABLE roost_data.session IS 'Logins. The refresh tokens of a session are a family: each is exchanged for the next, and expires_at moves on. The tokens themselves are nowhere. Revoking a session ends its access tokens at once.';
COMMENT ON COLUMN roost_data.session.refresh_key IS 'Secret with which each refresh token is made from the one before, and recognized long after.';
COMMENT ON COLUMN roost_data.session.refresh_digest IS 'Digest of the refresh token that is valid now.';
COMMENT ON COLUMN roost_data.session.former_digest IS 'Digest of the one that was exchanged for it at refreshed_at.';
CREATE INDEX IF NOT EXISTS session_account_id_idx ON roost_data.session (account_id, id DESC);
CREATE INDEX IF NOT EXISTS session_device_id_idx ON roost_data.session (device_id);
CREATE INDEX IF NOT EXISTS session_expires_at_idx ON roost_data.session (expires_at);
CREATE INDEX IF NOT EXISTS session_revoked_at_idx ON roost_data.session (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE OR REPLACE TRIGGER session_changed AFTER UPDATE OF revoked_at OR DELETE ON roost_data.session
	FOR EACH ROW EXECUTE FUNCTION roost_internal.session_changed();
CREATE OR REPLACE TRIGGER account_changed AFTER UPDATE OF status OR DELETE ON roost_data.account
	FOR EACH ROW EXECUTE FUNCTION roost_internal.account_changed();

-- Events for copies of what others see of an account, and what events cannot say.
-- account_updated: what stands in posts and decides who sees them;
-- profile_updated: only what stands in the profile.
CREATE OR REPLACE TRIGGER account_update_event AFTER UPDATE ON roost_data.account
	FOR EACH ROW WHEN ((OLD.username, OLD.display_name, OLD.avatar_url, OLD.is_private, OLD.status, OLD.limited_at IS NULL) IS DISTINCT FROM (NEW.username, NEW.display_name, NEW.avatar_url, NEW.is_private, NEW.status, NEW.limited_at IS NULL))
	EXECUTE FUNCTION roost_internal.event_emit('account_updated', 'id');
CREATE OR REPLACE TRIGGER account_profile_event AFTER UPDATE ON roost_data.account
	FOR EACH ROW WHEN ((OLD.bio, OLD.header_url, OLD.language, OLD.is_verified) IS DISTINCT FROM (NEW.bio, NEW.header_url, NEW.language, NEW.is_verified)
		AND (OLD.username, OLD.display_name, OLD.avatar_url, OLD.is_private, OLD.status, OLD.limited_at IS NULL) IS NOT DISTINCT FROM (NEW.username, NEW.display_name, NEW.avatar_url, NEW.is_private, NEW.status, NEW.limited_at IS NULL))
	EXECUTE FUNCTION roost_internal.event_emit('profile_updated', 'id');
CREATE OR REPLACE TRIGGER account_delete_event AFTER DELETE ON roost_data.account
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('account_deleted', 'id');
CREATE OR REPLACE TRIGGER account_update_lose AFTER UPDATE ON roost_data.account
	FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION roost_internal.event_lose();
CREATE OR REPLACE TRIGGER account_truncate_lose AFTER TRUNCATE ON roost_data.account
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();
-- Rows that logical replication brings change the caches of this server, too.
ALTER TABLE roost_data.account ENABLE ALWAYS TRIGGER account_update_event, ENABLE ALWAYS TRIGGER account_profile_event, ENABLE ALWAYS TRIGGER account_delete_event,
	ENABLE ALWAYS TRIGGER account_update_lose, ENABLE ALWAYS TRIGGER account_truncate_lose;

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
CREATE INDEX IF NOT EXISTS email_token_email_idx ON roost_data.email_token (email, created_at);
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

CREATE TABLE IF NOT EXISTS roost_data.import_map (
	kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z]{1,20}$'),
	external_id text COLLATE "C" NOT NULL,
	id bigint NOT NULL,
	PRIMARY KEY (kind, external_id)
);
COMMENT ON TABLE roost_data.import_map IS 'What an imported thing was called where it came from, and its id here; it makes imports repeatable.';

CREATE TABLE IF NOT EXISTS roost_data.import_account (
	external_id text COLLATE "C" PRIMARY KEY,
	username text,
	email text,
	email_verified boolean NOT NULL DEFAULT true,
	password_hash text,
	display_name text,
	bio text,
	avatar_url text,
	header_url text,
	birth_date date,
	language text,
	is_private boolean NOT NULL DEFAULT false,
	created_at timestamptz,
	error text
);
COMMENT ON TABLE roost_data.import_account IS 'Accounts to import: COPY them here, then SELECT roost.account_import(). What was imported leaves the table; what was refused stays, with the reason in error.';
COMMENT ON COLUMN roost_data.import_account.password_hash IS 'argon2id, argon2i ($argon2...) or bcrypt ($2a$, $2b$, $2y$); without one the account sets a password by mail. Never a plain password.';

INSERT INTO roost_data.mail_template (name, language, subject, text, html) VALUES
	('verify_email', 'en', 'Verify your e-mail address',
		E'Hello {{display_name}},\n\nplease open this link to verify your e-mail address for @{{username}} on {{site_name}}:\n\n{{public_url}}/verify-email?token={{token}}\n\nThe link works for {{hours}} hours. If you did not ask for it, do nothing.\n',
		'<p>Hello {{display_name}},</p><p>please open this link to verify your e-mail address for @{{username}} on {{site_name}}:</p><p><a href="{{public_url}}/verify-email?token={{token}}">{{public_url}}/verify-email?token={{token}}</a></p><p>The link works for {{hours}} hours. If you did not ask for it, do nothing.</p>'),
	('address_taken', 'en', 'You already have an account on {{site_name}}',
		E'Hello,\n\nsomebody, perhaps you, has just used this e-mail address for the account @{{username}} on {{site_name}}. The address already belongs to another account, so it was not added to that one.\n\nIf you have forgotten your password, ask for a new one:\n\n{{public_url}}/forgot-password\n\nIf it was not you, do nothing.\n',
		'<p>Hello,</p><p>somebody, perhaps you, has just used this e-mail address for the account @{{username}} on {{site_name}}. The address already belongs to another account, so it was not added to that one.</p><p>If you have forgotten your password, ask for a new one:</p><p><a href="{{public_url}}/forgot-password">{{public_url}}/forgot-password</a></p><p>If it was not you, do nothing.</p>'),
	('reset_password', 'en', 'Set a new password',
		E'Hello {{display_name}},\n\nopen this link to set a new password for @{{username}} on {{site_name}}:\n\n{{public_url}}/reset-password?token={{token}}\n\nThe link works for {{hours}} hour(s), once. If you did not ask for it, do nothing; your password stays as it is.\n',
		'<p>Hello {{display_name}},</p><p>open this link to set a new password for @{{username}} on {{site_name}}:</p><p><a href="{{public_url}}/reset-password?token={{token}}">{{public_url}}/reset-password?token={{token}}</a></p><p>The link works for {{hours}} hour(s), once. If you did not ask for it, do nothing; your password stays as it is.</p>'),
	('password_changed', 'en', 'Your password was changed',
		E'Hello {{display_name}},\n\nthe password of @{{username}} on {{site_name}} was just changed, and other devices were logged out.\n\nIf it was not you, set a new password at once:\n\n{{public_url}}/forgot-password\n',
		'<p>Hello {{display_name}},</p><p>the password of @{{username}} on {{site_name}} was just changed, and other devices were logged out.</p><p>If it was not you, set a new password at once:</p><p><a href="{{public_url}}/forgot-password">{{public_url}}/forgot-password</a></p>'),
	('email_changed', 'en', 'Your e-mail address was changed',
		E'Hello {{display_name}},\n\n@{{username}} on {{site_name}} now has another e-mail address; this one no longer belongs to it.\n\nIf it was not you, change your password and tell the people who run {{site_name}}.\n',
		'<p>Hello {{display_name}},</p><p>@{{username}} on {{site_name}} now has another e-mail address; this one no longer belongs to it.</p><p>If it was not you, change your password and tell the people who run {{site_name}}.</p>'),
	('account_deleted', 'en', 'Your account was deleted',
		E'Hello {{display_name}},\n\n@{{username}} on {{site_name}} was deleted, with everything that belonged to it. Farewell.\n',
		'<p>Hello {{display_name}},</p><p>@{{username}} on {{site_name}} was deleted, with everything that belonged to it. Farewell.</p>')
ON CONFLICT DO NOTHING;

-- What is watched: never an address, a hash, or the name of somebody who may leave.
CREATE OR REPLACE TRIGGER account_audit AFTER INSERT OR UPDATE OF id, username, role, status, is_verified, limited_at, suspended_until OR DELETE ON roost_data.account
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('account', 'id', '@id', 'username!', 'role', 'status', 'is_verified', 'limited_at', 'suspended_until');
CREATE OR REPLACE TRIGGER account_private_audit AFTER UPDATE OF is_private ON roost_data.account
	FOR EACH ROW WHEN (OLD.is_private <> NEW.is_private) EXECUTE FUNCTION roost_internal.audit_watch('account', 'id', '@id', '~id', 'is_private');
CREATE OR REPLACE TRIGGER account_handle_audit AFTER UPDATE OR DELETE ON roost_data.account_handle
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('handle', 'account_id', '@account_id', '~account_id', 'username!');
CREATE OR REPLACE TRIGGER banned_email_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.banned_email
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('banned_email', 'account_id', '@account_id', 'digest!');
CREATE OR REPLACE TRIGGER account_credential_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.account_credential
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('credential', 'account_id', '@account_id', 'password_hash!', 'password_changed_at!');
CREATE OR REPLACE TRIGGER account_email_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.account_email
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('email', 'account_id', '@account_id', 'email!', 'verified_at');
CREATE OR REPLACE TRIGGER session_audit AFTER INSERT OR UPDATE OF id, account_id, device_id, refresh_key, revoked_at ON roost_data.session
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('session', 'id', '@account_id', 'account_id', 'device_id', 'revoked_at', 'refresh_key!');
CREATE OR REPLACE TRIGGER session_delete_audit AFTER DELETE ON roost_data.session
	FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now())
	EXECUTE FUNCTION roost_internal.audit_watch('session', 'id', '@account_id', 'account_id', 'device_id');
CREATE OR REPLACE TRIGGER role_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.role
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('role', 'name', 'rank', 'description');
CREATE OR REPLACE TRIGGER role_permission_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.role_permission
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('role_permission', 'role,permission');
CREATE OR REPLACE TRIGGER reserved_handle_insert_audit AFTER INSERT ON roost_data.reserved_handle
	FOR EACH ROW WHEN (NEW.account_id IS NULL) EXECUTE FUNCTION roost_internal.audit_watch('reserved_handle', 'username', 'until', 'reason');
CREATE OR REPLACE TRIGGER reserved_handle_audit AFTER UPDATE OR DELETE ON roost_data.reserved_handle
	FOR EACH ROW WHEN (OLD.account_id IS NULL AND (OLD.until IS NULL OR OLD.until > now()))
	EXECUTE FUNCTION roost_internal.audit_watch('reserved_handle', 'username', 'until', 'reason', 'account_id');
