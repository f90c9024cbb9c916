-- Tables of the bi module: what is counted in the background, and views of it.

CREATE TABLE IF NOT EXISTS roost_data.account_activity (
	month date NOT NULL CHECK (extract(day FROM month) = 1),
	account_id bigint NOT NULL,
	days integer NOT NULL,
	PRIMARY KEY (month, account_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE roost_data.account_activity IS 'On which days of a month (UTC) an account was active: bit 0 of days is the first. Kept for 13 months.';

CREATE OR REPLACE TRIGGER account_active AFTER UPDATE OF last_active_at ON roost_data.account
	FOR EACH ROW WHEN (NEW.last_active_at IS NOT NULL
		AND (OLD.last_active_at IS NULL OR (OLD.last_active_at AT TIME ZONE 'UTC')::date <> (NEW.last_active_at AT TIME ZONE 'UTC')::date))
	EXECUTE FUNCTION roost_internal.account_active();

CREATE INDEX IF NOT EXISTS account_deleted_idx ON roost_data.account (updated_at) WHERE status = 'deleted';
CREATE INDEX IF NOT EXISTS account_restricted_idx ON roost_data.account (id) WHERE status = 'suspended' OR limited_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS roost_data.author_day (
	account_id bigint NOT NULL,
	day date NOT NULL,
	posts bigint NOT NULL DEFAULT 0,
	replies bigint NOT NULL DEFAULT 0,
	retweets bigint NOT NULL DEFAULT 0,
	likes_received bigint NOT NULL DEFAULT 0,
	replies_received bigint NOT NULL DEFAULT 0,
	retweets_received bigint NOT NULL DEFAULT 0,
	quotes_received bigint NOT NULL DEFAULT 0,
	followers_gained bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (account_id, day)
) WITH (fillfactor = 90);
COMMENT ON TABLE roost_data.author_day IS 'What an account did and got on each day (UTC), counted from the log of events in the background. Kept for 13 months.';
CREATE INDEX IF NOT EXISTS author_day_day_idx ON roost_data.author_day USING brin (day);

CREATE TABLE IF NOT EXISTS roost_data.platform_day (
	day date PRIMARY KEY,
	accounts bigint NOT NULL,
	registrations bigint NOT NULL,
	active_accounts bigint NOT NULL,
	active_accounts_7d bigint NOT NULL,
	active_accounts_30d bigint NOT NULL,
	posting_accounts bigint NOT NULL,
	posts bigint NOT NULL,
	replies bigint NOT NULL,
	retweets bigint NOT NULL,
	quotes bigint NOT NULL,
	likes bigint NOT NULL,
	follows bigint NOT NULL,
	reports bigint NOT NULL DEFAULT 0,
	decisions bigint NOT NULL DEFAULT 0,
	final boolean NOT NULL DEFAULT false,
	computed_at timestamptz NOT NULL
);
COMMENT ON TABLE roost_data.platform_day IS 'What happened on each day (UTC). A day is counted again until it is over (final): what is deleted later still counts.';

CREATE TABLE IF NOT EXISTS roost_data.message_day (
	day date PRIMARY KEY,
	messages bigint NOT NULL DEFAULT 0,
	encrypted_messages bigint NOT NULL DEFAULT 0,
	conversations bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE roost_data.message_day IS 'How many messages were written on each day (UTC), how many of them in encrypted conversations, and how many conversations were begun; counted from the log of events in the background. What was deleted later still counts.';

CREATE TABLE IF NOT EXISTS roost_data.platform_retention (
	cohort date NOT NULL,
	age integer NOT NULL CHECK (age > 0),
	accounts bigint NOT NULL,
	active bigint NOT NULL,
	PRIMARY KEY (cohort, age)
);
COMMENT ON TABLE roost_data.platform_retention IS 'Of the accounts that registered on a day, how many were active age days later.';

CREATE TABLE IF NOT EXISTS roost_data.bi_state (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	seq bigint NOT NULL DEFAULT 0,
	computed_at timestamptz
) WITH (fillfactor = 10);
ALTER TABLE roost_data.bi_state ADD COLUMN IF NOT EXISTS before_day date, ADD COLUMN IF NOT EXISTS active_before_7d bigint, ADD COLUMN IF NOT EXISTS active_before_30d bigint;
COMMENT ON TABLE roost_data.bi_state IS 'Up to which row the log of events has been counted, one row; and how many accounts were active in the 6 and in the 29 days before before_day, so that what comes to them on that day need only be added.';

CREATE OR REPLACE VIEW roost_bi.daily_activity AS
SELECT d.day, d.accounts, d.registrations, d.active_accounts, d.active_accounts_7d, d.active_accounts_30d,
	round(d.active_accounts::numeric / nullif(d.active_accounts_30d, 0), 4) AS stickiness,
	d.posting_accounts, d.posts, d.replies, d.retweets, d.quotes, d.likes, d.follows,
	round((d.likes + d.retweets + d.quotes + d.replies)::numeric / nullif(d.posts, 0), 4) AS engagement_rate,
	d.reports, d.decisions, d.final, d.computed_at,
	coalesce(m.messages, 0) AS messages, coalesce(m.encrypted_messages, 0) AS encrypted_messages, coalesce(m.conversations, 0) AS conversations
FROM roost_data.platform_day d LEFT JOIN roost_data.message_day m ON m.day = d.day;
COMMENT ON VIEW roost_bi.daily_activity IS 'A row a day (UTC): accounts at its end, registrations, active accounts on the day and in the 7 and 30 days up to it, stickiness (daily by monthly active), accounts that posted, posts (without retweets), replies, retweets, quotes, likes, follows, engagement_rate (likes, retweets, quotes and replies a post), reports, decisions of moderators; final: the day is over. Counted in the background, also what nobody but the author sees. messages, encrypted_messages, conversations: messages that were written, those of them in encrypted conversations, conversations that were begun; nothing says who writes with whom.';

CREATE OR REPLACE VIEW roost_bi.retention AS
SELECT r.cohort, r.age, r.accounts, r.active, round(r.active::numeric / nullif(r.accounts, 0), 4) AS rate
FROM roost_data.platform_retention r;
COMMENT ON VIEW roost_bi.retention IS 'Of the accounts that registered on the day cohort (UTC), how many were active age days later (1 to 30, 60, 90, 180, 365), and which share. Small cohorts may tell of single people: sum them.';

CREATE OR REPLACE VIEW roost_bi.author_daily AS
SELECT d.account_id, d.day, d.posts, d.replies, d.retweets, d.likes_received, d.replies_received, d.retweets_received, d.quotes_received, d.followers_gained
FROM roost_data.author_day d
JOIN roost_data.account a ON a.id = d.account_id AND a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL;
COMMENT ON VIEW roost_bi.author_daily IS 'A row an account and day (UTC), of active accounts that are neither private nor limited: what it wrote and what others did to it. What was taken back still counts.';
