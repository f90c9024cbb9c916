-- Types of the bi module.

CREATE TYPE roost.analytics_day AS (
	day date,
	posts bigint,
	replies bigint,
	retweets bigint,
	likes_received bigint,
	replies_received bigint,
	retweets_received bigint,
	quotes_received bigint,
	followers_gained bigint
);
COMMENT ON TYPE roost.analytics_day IS 'A day (UTC) of an account: posts, replies and retweets it wrote, and what others did: likes, replies, retweets and quotes of its posts (whenever those were written), and new followers. What was taken back later still counts.';

CREATE TYPE roost.platform_health AS (
	at timestamptz,
	version text,
	status text,
	worker text,
	worker_lag double precision,
	queue_depth bigint,
	database_bytes bigint,
	computed_at timestamptz,
	accounts bigint,
	registrations_today bigint,
	active_today bigint,
	active_week bigint,
	active_month bigint,
	posts_today bigint,
	engagements_today bigint,
	suspended_accounts bigint,
	limited_accounts bigint,
	open_cases bigint,
	oldest_case_at timestamptz,
	open_reports bigint,
	open_appeals bigint
);
COMMENT ON TYPE roost.platform_health IS 'How the platform is: the service as in roost.health() and the size of the database in bytes; as of computed_at the accounts there are and what happened today (UTC): registrations, accounts that were active today, in the last 7 and in the last 30 days, posts, engagements (likes, retweets, quotes, replies); and what waits for moderators now.';

CREATE TYPE roost.platform_day AS (
	day date,
	accounts bigint,
	registrations bigint,
	active_accounts bigint,
	active_accounts_7d bigint,
	active_accounts_30d bigint,
	posting_accounts bigint,
	posts bigint,
	replies bigint,
	retweets bigint,
	quotes bigint,
	likes bigint,
	follows bigint,
	engagement_rate double precision,
	reports bigint,
	decisions bigint,
	messages bigint,
	encrypted_messages bigint,
	conversations bigint,
	computed_at timestamptz
);
COMMENT ON TYPE roost.platform_day IS 'A day (UTC) of the platform: accounts at its end, registrations, accounts that were active on it, in the 7 and in the 30 days up to it, accounts that posted, posts (with replies and quotes, without retweets), replies, retweets, quotes, likes, follows, engagement_rate ((likes + retweets + quotes + replies) / posts; null without posts), reports, decisions of moderators, messages (and those of them in encrypted conversations), conversations that were begun, and when that was counted. The present day is not over yet.';

CREATE TYPE roost.platform_retention AS (
	cohort date,
	age integer,
	accounts bigint,
	active bigint,
	rate double precision
);
COMMENT ON TYPE roost.platform_retention IS 'Of the accounts that registered on the day cohort (UTC), how many were active age days later, and which share that is.';
