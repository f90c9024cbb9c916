-- Copies of a text, by other accounts or by the same: what counts as one, and
-- what does not.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
SELECT roost_internal.clock_freeze('2031-01-01 00:00:00+00');
BEGIN;
UPDATE roost_data.moderation_policy SET enabled = false;
INSERT INTO roost_data.moderation_policy (name, signal, threshold, action, label, dry_run, adaptive) VALUES ('copies', 'duplicate', 1, 'label', 'copies', false, false), ('again', 'repeat', 1, 'label', 'again', false, false);
INSERT INTO roost_data.account (id, username) SELECT 7500 + n, 'copier_' || n FROM generate_series(1, 60) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'copier_' || n, 7500 + n FROM generate_series(1, 60) n;
-- Writes a post; returns how many other accounts and how many own posts had that text.
CREATE FUNCTION pg_temp.copies(author bigint, text text, reply_to bigint DEFAULT NULL, quote_of bigint DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_id bigint;
BEGIN
	SELECT id INTO v_id FROM roost.post_create(author, text, reply_to, quote_of);
	RETURN (SELECT format('%s others, %s own', coalesce(max(v.score) FILTER (WHERE v.policy = 'copies'), 0), coalesce(max(v.score) FILTER (WHERE v.policy = 'again'), 0))
		FROM roost_data.moderation_verdict v WHERE v.subject_id = v_id);
END $$;

-- The first one is no copy.
SELECT id AS original FROM roost.post_create(7501, 'Buy the very best watches at half the price today, only at watches.example.com/abc') \gset
SELECT labels FROM roost_data.post WHERE id = :original;

-- Copies that were changed a little.
SELECT n, pg_temp.copies(7501 + n::integer, text) FROM (VALUES
	(1, 'Buy the very best watches at half the price today, only at watches.example.com/abc'),
	(2, 'BUY THE VERY BEST WATCHES AT HALF THE PRICE TODAY, ONLY AT WATCHES.EXAMPLE.COM/ABC'),
	(3, E'Buy  the very\n\nbest   watches at half the price today , only at watches.example.com/abc'),
	(4, 'Buy the very best watches 🔥🔥🔥 at half the price today ⌚ only at watches.example.com/abc 😍'),
	(5, 'Buy the very best watches at half the price now, only at watches.example.com/abc'),
	(6, '@copier_9 @copier_10 Buy the very best watches at half the price today, only at watches.example.com/abc'),
	(7, 'Buy the very best watches at half the price today!!! only at watches.example.com/abc'),
	(8, 'Вuy the vеry bеst wаtches at hаlf the price todаy, only at watches.example.com/abc')
) t (n, text) ORDER BY n;
-- by the same account
SELECT pg_temp.copies(7501, 'Buy the very best watches at half the price today, only at watches.example.com/abc');
SELECT explanation - 'accounts' - 'copies' FROM roost_data.moderation_verdict WHERE policy = 'again' ORDER BY id DESC LIMIT 1;

-- Another text is none, nor one that shares some words.
SELECT pg_temp.copies(7520, 'My grandfather collected very old watches and showed them to everybody who came');
SELECT pg_temp.copies(7521, 'Half the price of what I paid for the best seats in the house, and only on Sundays');

-- Greetings are no copies, whoever writes them; nor what is only mentions.
SELECT DISTINCT pg_temp.copies(7500 + n, 'Good morning everyone! ☀️') FROM generate_series(1, 20) n;
SELECT DISTINCT pg_temp.copies(7500 + n, 'thanks, have a nice day') FROM generate_series(1, 20) n;
SELECT DISTINCT pg_temp.copies(7500 + n, '@copier_1 @copier_2 @copier_3 @copier_4 @copier_5 yes') FROM generate_series(1, 20) n;

-- Nor are quotes and retweets.
SELECT DISTINCT pg_temp.copies(7520 + n, 'Everybody should read this post, it says what I have always thought', quote_of => :original) FROM generate_series(1, 5) n;
SELECT count(roost.post_retweet(7520 + n, :original)) FROM generate_series(1, 5) n;
-- and one who quotes is not what others copy
SELECT pg_temp.copies(7540, 'Everybody should read this post, it says what I have always thought');
-- an answer with the same long text is one
SELECT pg_temp.copies(7541, 'Everybody should read this post, it says what I have always thought', reply_to => :original);

-- An edit is compared with what others wrote, not with the post itself.
SELECT id AS edited FROM roost.post_create(7550, 'The quick brown fox jumps over the lazy dog behind the barn') \gset
SELECT id IS NOT NULL FROM roost.post_edit(7550, :edited, 'The quick brown fox jumped over the lazy dog behind the barn');
SELECT labels FROM roost_data.post WHERE id = :edited;
SELECT id IS NOT NULL FROM roost.post_edit(7550, :edited, 'Buy the very best watches at half the price today, only at watches.example.com/abc');
SELECT labels FROM roost_data.post WHERE id = :edited;

-- What was deleted counts until its time is over.
SELECT id AS gone FROM roost.post_create(7551, 'What was written and deleted at once has been written all the same') \gset
DELETE FROM roost_data.post WHERE id = :gone;
SELECT pg_temp.copies(7552, 'What was written and deleted at once has been written all the same');

-- The window, and what it keeps.
SELECT count(*) > 10 FROM roost_data.post_fingerprint;
SELECT roost_internal.clock_freeze('2031-01-01 00:59:59+00');
SELECT pg_temp.copies(7553, 'What was written and deleted at once has been written all the same');
SELECT roost_internal.clock_freeze('2031-01-01 02:00:00+00');
SELECT pg_temp.copies(7554, 'What was written and deleted at once has been written all the same');
SET roost.moderation_duplicate_window = '1d';
SELECT pg_temp.copies(7555, 'What was written and deleted at once has been written all the same');
RESET roost.moderation_duplicate_window;
SELECT roost_internal.verdict_maintenance() > 10;
SELECT min(at) FROM roost_data.post_fingerprint;

-- No more are looked at than there is need for.
INSERT INTO roost_data.account (id, username) SELECT 7600 + n, 'flooder_' || n FROM generate_series(1, 300) n;
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text)
SELECT 760000 + n, 7600 + n, 760000 + n, '2031-01-01', 'A flood of the same text from very many accounts in a very short time' FROM generate_series(1, 300) n;
SELECT split_part(pg_temp.copies(7501, 'A flood of the same text from very many accounts in a very short time'), ' ', 1)::integer BETWEEN 64 AND 128 AS enough;

-- A column and indexes that the table does not come with.
ALTER TABLE roost_data.post_fingerprint ADD COLUMN note text;
CREATE INDEX post_fingerprint_none_idx ON roost_data.post_fingerprint (author_id) WHERE author_id < 0;
CREATE INDEX post_fingerprint_sum_idx ON roost_data.post_fingerprint ((author_id + 1)) WHERE author_id > 0;
SELECT pg_temp.copies(7556 + n, 'A column and some indexes have been added to this table by its owner') FROM generate_series(1, 2) n;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT count(*) FROM roost_data.post_fingerprint WHERE author_id < 0;
SELECT count(*), count(note) FROM roost_data.post_fingerprint WHERE author_id + 1 = 7559 AND author_id > 0;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Without a policy about copies nothing is kept.
UPDATE roost_data.moderation_policy SET enabled = false;
SELECT count(*) AS before FROM roost_data.post_fingerprint \gset
SELECT id IS NOT NULL FROM roost.post_create(7501, 'A flood of the same text from very many accounts in a very short time');
SELECT count(*) - :before FROM roost_data.post_fingerprint;
ROLLBACK;
SELECT roost_internal.clock_freeze(NULL);
