-- Counters of accounts: slots, and their sum.

SELECT roost_internal.account_stat_add(1, 1, 0, 0), roost_internal.account_stat_add(1, 2, 3, 4);
SELECT follower_count, following_count, post_count FROM roost_data.account_stat WHERE account_id = 1;

-- Under a fixed snapshot a slot of its own.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT roost_internal.account_stat_add(1, -1, 10, 0);
COMMIT;
SELECT count(*), sum(follower_count) AS followers, sum(following_count) AS following, sum(post_count) AS posts FROM roost_data.account_stat WHERE account_id = 1;

-- Folding keeps the sums and other accounts.
SELECT roost_internal.account_stat_add(2, 5, 0, 0);
SELECT roost_internal.account_stat_fold() >= 1 AS folded;
SELECT account_id, count(*), sum(follower_count) AS followers, sum(following_count) AS following, sum(post_count) AS posts
FROM roost_data.account_stat WHERE account_id IN (1, 2) GROUP BY account_id ORDER BY account_id;
SELECT roost_internal.account_stat_fold();

-- A table that is not as it comes: its constraints and rules hold, and it works without its primary key.
\set VERBOSITY terse
BEGIN;
ALTER TABLE roost_data.account_stat ADD CONSTRAINT account_stat_post_count_check CHECK (post_count >= 0);
SELECT roost_internal.account_stat_add(2, 0, 0, -5);
ROLLBACK;
BEGIN;
CREATE TABLE account_stat_seen (post_count bigint);
CREATE RULE account_stat_see AS ON UPDATE TO roost_data.account_stat DO ALSO INSERT INTO account_stat_seen VALUES (NEW.post_count);
SELECT roost_internal.account_stat_add(2, 0, 0, 5);
SELECT post_count FROM account_stat_seen;
ROLLBACK;
BEGIN;
ALTER TABLE roost_data.account_stat DROP CONSTRAINT account_stat_pkey;
CREATE INDEX ON roost_data.account_stat (slot);
SELECT roost_internal.account_stat_add(2, 0, 0, 5);
SELECT follower_count, post_count FROM roost_data.account_stat WHERE account_id = 2;
ROLLBACK;
DELETE FROM roost_data.account_stat WHERE account_id IN (1, 2);
