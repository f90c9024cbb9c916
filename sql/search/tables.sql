-- Tables of the search module.
--
-- The index of posts is in parts by ranges of ids, roost_data.search_post_<no>,
-- each with a GIN index of its own.  roost_internal.search_run() is their only
-- writer, in the background worker; everything there comes from
-- roost_data.post and can be made anew from it.

CREATE TABLE IF NOT EXISTS roost_data.search_state (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	seq bigint,
	indexed_at timestamptz,
	started_at timestamptz
) WITH (fillfactor = 10);
COMMENT ON TABLE roost_data.search_state IS 'How far search has followed the log of events: everything up to seq is in the index (null: it has not begun), but for posts in roost_data.search_gap. started_at is when it was built from the beginning last.';
INSERT INTO roost_data.search_state (seq) VALUES (NULL) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS roost_data.search_gap (
	low_id bigint PRIMARY KEY,
	high_id bigint NOT NULL,
	CHECK (low_id < high_id)
);
COMMENT ON TABLE roost_data.search_gap IS 'Posts that are still to be indexed: those with ids from low_id up to, and without, high_id. They are read from the table, oldest first. A row with low_id below 0: all of them, from the beginning.';

CREATE TABLE IF NOT EXISTS roost_data.search_part (
	low_id bigint PRIMARY KEY,
	no integer NOT NULL UNIQUE,
	posts bigint NOT NULL DEFAULT 0,
	max_id bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE roost_data.search_part IS 'The parts of the index: roost_data.search_post_<no> has the posts with ids from low_id up to, and without, that of the next part. posts is how many there are, max_id the highest id there was.';

CREATE TABLE IF NOT EXISTS roost_data.search_hashtag (
	hashtag text COLLATE "C" PRIMARY KEY,
	posts bigint NOT NULL,
	magnitude smallint NOT NULL GENERATED ALWAYS AS (floor(ln(greatest(posts, 1)::double precision) / ln(2::double precision))) STORED
) WITH (fillfactor = 80);
COMMENT ON TABLE roost_data.search_hashtag IS 'How many indexed posts that are public have each hashtag; magnitude is the logarithm of that to the base of 2.';
CREATE INDEX IF NOT EXISTS search_hashtag_1_idx ON roost_data.search_hashtag ((left(hashtag, 1)), magnitude DESC, hashtag);
CREATE INDEX IF NOT EXISTS search_hashtag_2_idx ON roost_data.search_hashtag ((left(hashtag, 2)), magnitude DESC, hashtag);
CREATE INDEX IF NOT EXISTS search_hashtag_3_idx ON roost_data.search_hashtag ((left(hashtag, 3)), magnitude DESC, hashtag);

CREATE TABLE IF NOT EXISTS roost_data.search_account (
	account_id bigint PRIMARY KEY,
	tsv tsvector NOT NULL
);
COMMENT ON TABLE roost_data.search_account IS 'The names of active accounts: their words, and their trigrams with ~ in front. Kept by triggers.';
CREATE INDEX IF NOT EXISTS search_account_tsv_idx ON roost_data.search_account USING gin (tsv);

CREATE TABLE IF NOT EXISTS roost_data.search_setting (
	account_id bigint PRIMARY KEY,
	posts_indexed boolean NOT NULL DEFAULT true,
	by_email boolean NOT NULL DEFAULT false,
	updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.search_setting IS 'How accounts want to be found; those without a row: as the defaults say.';

SELECT roost_internal.search_part_add(0) WHERE NOT EXISTS (SELECT FROM roost_data.search_part);

CREATE OR REPLACE TRIGGER search_account_insert AFTER INSERT ON roost_data.account
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.search_account_added();
CREATE OR REPLACE TRIGGER search_account_update AFTER UPDATE ON roost_data.account
	FOR EACH ROW WHEN ((OLD.id, OLD.username, OLD.display_name, OLD.status) IS DISTINCT FROM (NEW.id, NEW.username, NEW.display_name, NEW.status))
	EXECUTE FUNCTION roost_internal.search_account_changed();
CREATE OR REPLACE TRIGGER search_account_delete AFTER DELETE ON roost_data.account
	FOR EACH ROW EXECUTE FUNCTION roost_internal.search_account_changed();
CREATE OR REPLACE TRIGGER search_post_truncate AFTER TRUNCATE ON roost_data.post
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.search_truncated();

-- Accounts that were there before.
SELECT roost_internal.search_account_fill() WHERE NOT EXISTS (SELECT FROM roost_data.search_account);
