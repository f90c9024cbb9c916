-- Types of the graph module.

CREATE TYPE roost.suggestion AS (
	account roost.account,
	followed_by roost.author[],
	followed_by_count bigint,
	cursor bigint
);
COMMENT ON TYPE roost.suggestion IS 'An account that one might follow, and why: up to three accounts one follows that follow it, and how many there are. Where there are none it is popular.';

CREATE TYPE roost.muted_account AS (
	account roost.account,
	notifications boolean,
	expires_at timestamptz,
	muted_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.muted_account IS 'An account that one has muted: notifications says whether one is not notified of what it does either, expires_at when it ends (null: when one says so), muted_at since when it is muted.';

CREATE TYPE roost.muted_word AS (
	id roost.id,
	phrase text,
	whole_word boolean,
	expires_at timestamptz,
	created_at timestamptz
);
COMMENT ON TYPE roost.muted_word IS 'A word or phrase that one has muted: whole_word says that it is found only where it is not part of a longer word, expires_at when it ends (null: when one says so).';

CREATE DOMAIN roost.list_title AS text CHECK (char_length(VALUE) <= 100 AND VALUE ~ '\S' AND VALUE !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.list_title IS 'The name of a list: 1 to 100 characters on one line, without control and text-direction characters, not only spaces.';

CREATE TYPE roost.list AS (
	id roost.id,
	title text,
	member_count bigint,
	created_at timestamptz
);
COMMENT ON TYPE roost.list IS 'A list of accounts that one keeps, and how many are on it.';
