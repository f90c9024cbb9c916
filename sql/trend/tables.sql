-- Tables of the trend module.
--
-- What is kept of uses is as old as the longest window, what is kept of hours
-- as old as the baseline; roost_internal.trend_maintenance() removes the rest.
-- An account's uses are its own rows; nothing here refers to another table.

CREATE TABLE IF NOT EXISTS roost_data.trend_state (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	post_id bigint NOT NULL,
	like_id bigint NOT NULL,
	started_at timestamptz NOT NULL,
	computed_at timestamptz,
	complete boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE roost_data.trend_state IS 'How far trends have been computed: everything up to post_id and like_id has been looked at, and what began at started_at. complete: all that was looked at has been scored.';

CREATE TABLE IF NOT EXISTS roost_data.trend_hashtag_use (
	hashtag text COLLATE "C" NOT NULL,
	account_id bigint NOT NULL,
	hour timestamptz NOT NULL,
	at timestamptz NOT NULL,
	language text COLLATE "C" NOT NULL,
	PRIMARY KEY (hashtag, account_id, hour)
);
COMMENT ON TABLE roost_data.trend_hashtag_use IS 'Who used which hashtag in a public post lately, once an hour; at is the last time in that hour. language is that of the post without region, und if unknown.';
CREATE INDEX IF NOT EXISTS trend_hashtag_use_at_idx ON roost_data.trend_hashtag_use (at);
CREATE INDEX IF NOT EXISTS trend_hashtag_use_account_id_idx ON roost_data.trend_hashtag_use (account_id);

CREATE TABLE IF NOT EXISTS roost_data.trend_hashtag_hour (
	hashtag text COLLATE "C" NOT NULL,
	language text COLLATE "C" NOT NULL,
	hour timestamptz NOT NULL,
	accounts bigint NOT NULL,
	PRIMARY KEY (hashtag, language, hour)
);
COMMENT ON TABLE roost_data.trend_hashtag_hour IS 'How many accounts used a hashtag in an hour: what is usual.';
CREATE INDEX IF NOT EXISTS trend_hashtag_hour_hour_idx ON roost_data.trend_hashtag_hour (hour);

CREATE TABLE IF NOT EXISTS roost_data.trend_post_use (
	post_id bigint NOT NULL,
	account_id bigint NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (post_id, account_id)
);
COMMENT ON TABLE roost_data.trend_post_use IS 'Who liked, retweeted, quoted or answered which young post lately, once each; at is the last time.';
CREATE INDEX IF NOT EXISTS trend_post_use_at_idx ON roost_data.trend_post_use (at);
CREATE INDEX IF NOT EXISTS trend_post_use_account_id_idx ON roost_data.trend_post_use (account_id);

CREATE TABLE IF NOT EXISTS roost_data.trend_hashtag (
	"window" roost.trend_window NOT NULL,
	language text COLLATE "C" NOT NULL,
	hashtag text COLLATE "C" NOT NULL,
	accounts bigint NOT NULL,
	expected double precision NOT NULL,
	score double precision NOT NULL,
	place integer NOT NULL,
	since timestamptz NOT NULL,
	computed_at timestamptz NOT NULL,
	PRIMARY KEY ("window", language, hashtag)
);
COMMENT ON TABLE roost_data.trend_hashtag IS 'The hashtags that are used more than usual, by window and language (empty: all together), the 100 with the highest score of each. place: 1 is the highest.';

CREATE TABLE IF NOT EXISTS roost_data.trend_post (
	"window" roost.trend_window NOT NULL,
	language text COLLATE "C" NOT NULL,
	post_id bigint NOT NULL,
	accounts bigint NOT NULL,
	expected double precision NOT NULL,
	score double precision NOT NULL,
	place integer NOT NULL,
	since timestamptz NOT NULL,
	computed_at timestamptz NOT NULL,
	PRIMARY KEY ("window", language, post_id)
);
COMMENT ON TABLE roost_data.trend_post IS 'The posts that more is done to than to others of their authors, by window and language (empty: all together), the 100 with the highest score of each. place: 1 is the highest.';

CREATE TABLE IF NOT EXISTS roost_data.trend_hidden (
	hashtag text COLLATE "C" PRIMARY KEY,
	hidden_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.trend_hidden IS 'Hashtags that are never shown as trends.';

-- The newest likes, by their ids; small, and next to nothing to keep up.
CREATE INDEX IF NOT EXISTS post_like_id_idx ON roost_data.post_like USING brin (id) WITH (pages_per_range = 16);

CREATE OR REPLACE VIEW roost_bi.trend AS
SELECT 'hashtag' AS kind, t."window", nullif(t.language, '') AS language, t.hashtag, NULL::bigint AS post_id,
	t.accounts, t.expected, t.score, t.place, t.since, t.computed_at
FROM roost_data.trend_hashtag t
WHERE NOT EXISTS (SELECT FROM roost_data.trend_hidden h WHERE h.hashtag = t.hashtag)
UNION ALL
SELECT 'post', t."window", nullif(t.language, ''), NULL, t.post_id, t.accounts, t.expected, t.score, t.place, t.since, t.computed_at
FROM roost_data.trend_post t
JOIN roost_data.post p ON p.id = t.post_id
JOIN roost_data.account a ON a.id = p.author_id
WHERE p.visibility = 'public' AND p.state = 'visible' AND NOT a.is_private AND a.limited_at IS NULL AND a.status = 'active';
COMMENT ON VIEW roost_bi.trend IS 'What is a trend now: kind is hashtag or post; language is null for all together; accounts in the window, how many were expected, score, place and since when.';
