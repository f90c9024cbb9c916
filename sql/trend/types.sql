-- Types of the trend module.

CREATE TYPE roost.trend_window AS ENUM ('hour', 'day');
COMMENT ON TYPE roost.trend_window IS 'The time that a trend is about: the last hour or the last 24 hours.';

CREATE TYPE roost.trend_hashtag AS (
	hashtag text,
	accounts bigint,
	expected double precision,
	score double precision,
	since timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.trend_hashtag IS 'A hashtag that is used more than usual: accounts is how many accounts used it in the window, expected how many usually do in as long a time, score by how much that is more than chance would explain (it fades when the burst is over), since when it has been a trend.';
