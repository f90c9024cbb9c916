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
DELETE FROM roost_data.account_stat WHERE account_id IN (1, 2);
