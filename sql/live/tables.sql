-- Tables of the live module.  Who is online is not among them: it is kept in
-- shared memory only.

CREATE TABLE IF NOT EXISTS roost_data.presence_setting (
	account_id bigint PRIMARY KEY,
	presence text NOT NULL CHECK (presence IN ('everyone', 'followed', 'nobody'))
);
COMMENT ON TABLE roost_data.presence_setting IS 'Who may see whether an account is online; those without a row show it to the accounts they follow.';
