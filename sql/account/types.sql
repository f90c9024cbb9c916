-- Types of the account module: what callers write, and what they get back.
-- The composites are the wire format; attributes are only ever added at the
-- end.

CREATE DOMAIN roost.username AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z0-9_]{1,30}$');
COMMENT ON DOMAIN roost.username IS 'A user name: 1 to 30 letters a-z, digits and underscores. Unique without regard to case; shown as it was typed.';

CREATE DOMAIN roost.account_ref AS text COLLATE "C" CHECK (VALUE ~ '^([0-9]{1,19}|@[A-Za-z0-9_]{1,30})$');
COMMENT ON DOMAIN roost.account_ref IS 'Names an account: its id in decimal digits, or its user name with @ before it.';

CREATE DOMAIN roost.email AS text COLLATE "C" CHECK (
	octet_length(VALUE) <= 254
	AND VALUE ~ '^[A-Za-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$');
COMMENT ON DOMAIN roost.email IS 'An e-mail address of at most 254 ASCII characters, for instance ada@example.org. Upper and lower case are the same.';

CREATE DOMAIN roost.password AS text CHECK (octet_length(VALUE) BETWEEN 1 AND 1024);
COMMENT ON DOMAIN roost.password IS 'A password of at most 1024 bytes. What a new one must be like is told by the server where it is refused.';

CREATE DOMAIN roost.login_identifier AS text COLLATE "C" CHECK (octet_length(VALUE) BETWEEN 1 AND 254);
COMMENT ON DOMAIN roost.login_identifier IS 'A user name or an e-mail address.';

CREATE DOMAIN roost.secret_token AS text COLLATE "C" CHECK (octet_length(VALUE) BETWEEN 16 AND 256 AND VALUE ~ '^[A-Za-z0-9._-]+$');
COMMENT ON DOMAIN roost.secret_token IS 'A token as roost handed it out in a mail or in an answer.';

CREATE DOMAIN roost.display_name AS text CHECK (char_length(VALUE) <= 50 AND VALUE !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.display_name IS 'A name for people to read: at most 50 characters on one line, without control and text-direction characters. May be empty.';

CREATE DOMAIN roost.bio AS text CHECK (char_length(VALUE) <= 500 AND VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.bio IS 'A few words about oneself: at most 500 characters; line breaks are kept. May be empty.';

CREATE DOMAIN roost.url AS text CHECK (VALUE = '' OR (octet_length(VALUE) <= 2048 AND VALUE ~ '^https?://[^\s"<>\\^`{|}\u0001-\u0020\u007f]+$'));
COMMENT ON DOMAIN roost.url IS 'An http or https address of at most 2048 bytes. Empty stands for none.';

CREATE DOMAIN roost.language AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$');
COMMENT ON DOMAIN roost.language IS 'A language tag of BCP 47, for instance en or pt-BR.';

CREATE DOMAIN roost.birth_date AS date CHECK (VALUE >= '1900-01-01');
COMMENT ON DOMAIN roost.birth_date IS 'A day of birth, from 1900 on and not in the future.';

CREATE DOMAIN roost.device_input AS jsonb CHECK (
	VALUE IS NULL OR CASE jsonb_typeof(VALUE)
		WHEN 'string' THEN char_length(VALUE #>> '{}') BETWEEN 1 AND 100
		WHEN 'object' THEN
			VALUE - '{id,name,platform}'::text[] = '{}'
			AND (VALUE->'id' IS NULL OR jsonb_typeof(VALUE->'id') = 'string' AND VALUE->>'id' ~ '^[A-Za-z0-9._:-]{1,64}$')
			AND (VALUE->'name' IS NULL OR jsonb_typeof(VALUE->'name') = 'string' AND char_length(VALUE->>'name') BETWEEN 1 AND 100)
			AND (VALUE->'platform' IS NULL OR jsonb_typeof(VALUE->'platform') = 'string' AND char_length(VALUE->>'platform') BETWEEN 1 AND 30)
		ELSE false
	END);
COMMENT ON DOMAIN roost.device_input IS 'The device that logs in: its name (1 to 100 characters), or an object with any of "id" (chosen by the client and kept by it; 1 to 64 letters, digits and ._:-; the next login with it continues the same device), "name" and "platform" (1 to 30 characters, for instance ios).';

CREATE TYPE roost.message_policy AS ENUM ('everyone', 'followed', 'friends');
COMMENT ON TYPE roost.message_policy IS 'Who may write messages to an account: everyone, the accounts it follows and its friends, or friends only.';

CREATE TYPE roost.relationship AS (
	account_id roost.id,
	following boolean,
	followed_by boolean,
	requested boolean,
	requested_by boolean,
	blocking boolean,
	blocked_by boolean,
	muting boolean,
	friend boolean,
	friend_requested boolean,
	friend_requested_by boolean
);
COMMENT ON TYPE roost.relationship IS 'How the viewer and the account account_id stand to each other: following (the viewer follows it), followed_by (it follows the viewer), requested and requested_by (a follow request waits), blocking and blocked_by, muting (the viewer has muted it), friend, friend_requested (the viewer has asked it to become a friend) and friend_requested_by.';

CREATE TYPE roost.author AS (
	id roost.id,
	username text,
	display_name text,
	avatar_url text
);
COMMENT ON TYPE roost.author IS 'The short form of an account, inside posts and lists.';

CREATE TYPE roost.account AS (
	id roost.id,
	username text,
	display_name text,
	bio text,
	avatar_url text,
	header_url text,
	url text,
	language text,
	is_private boolean,
	is_verified boolean,
	created_at timestamptz,
	follower_count bigint,
	following_count bigint,
	post_count bigint,
	relationship roost.relationship,
	cursor bigint
);
COMMENT ON TYPE roost.account IS 'The public profile of an account. url is its page; is_private: followers need its consent; is_verified: the operator vouches for it; relationship is null for a stranger.';

CREATE TYPE roost.me AS (
	id roost.id,
	username text,
	display_name text,
	bio text,
	avatar_url text,
	header_url text,
	url text,
	language text,
	is_private boolean,
	is_verified boolean,
	created_at timestamptz,
	follower_count bigint,
	following_count bigint,
	post_count bigint,
	email text,
	email_verified boolean,
	birth_date date,
	age integer,
	message_policy roost.message_policy,
	role text,
	last_login_at timestamptz,
	last_active_at timestamptz,
	permissions text[]
);
COMMENT ON TYPE roost.me IS 'An account as its owner sees it: the public profile and what is for nobody else. age is in whole years; permissions is what its role allows beyond what everybody may.';

CREATE TYPE roost.session_token AS (
	access_token text,
	refresh_token text,
	token_type text,
	expires_in integer,
	session_id roost.id,
	account roost.me
);
COMMENT ON TYPE roost.session_token IS 'What a login gives: a short-lived access token for the header "Authorization: Bearer <token>" (expires_in seconds) and a refresh token that is exchanged once for the next pair.';

CREATE TYPE roost.session AS (
	id roost.id,
	device_id roost.id,
	device_name text,
	platform text,
	user_agent text,
	address text,
	created_at timestamptz,
	last_used_at timestamptz,
	expires_at timestamptz,
	current boolean
);
COMMENT ON TYPE roost.session IS 'A login that still holds. address is where it was last refreshed from; current marks the one that asks.';

CREATE TYPE roost.device AS (
	id roost.id,
	name text,
	platform text,
	created_at timestamptz,
	last_seen_at timestamptz,
	current boolean
);
COMMENT ON TYPE roost.device IS 'A device that has logged in. current marks the one that asks.';

CREATE TYPE roost_internal.email_token_owner AS (
	account_id bigint,
	email text
);
COMMENT ON TYPE roost_internal.email_token_owner IS 'What a token from a mail stands for.';

CREATE TYPE roost.import_result AS (
	inserted bigint,
	existing bigint,
	refused bigint
);
COMMENT ON TYPE roost.import_result IS 'What an import did: rows made, rows that were there already (known external id), and rows refused (with the reason in the staging table).';

CREATE DOMAIN roost.role_name AS text COLLATE "C" CHECK (VALUE ~ '^[a-z_]{1,30}$');
COMMENT ON DOMAIN roost.role_name IS 'The name of a role: 1 to 30 letters a-z and underscores.';

CREATE TYPE roost.role AS (
	name text,
	rank integer,
	description text,
	permissions text[],
	account_count bigint
);
COMMENT ON TYPE roost.role IS 'A role: nobody acts on an account whose role has the same or a higher rank (0 to 1000); account_count is how many accounts have it (null for user, which all others have).';
