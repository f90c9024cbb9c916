-- Follow, unfollow, relationships, followers and following as pages, counters.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 1000 + n, 'graph_' || n FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'graph_' || n, 1000 + n FROM generate_series(1, 9) n;
CREATE TEMP VIEW counter AS
	SELECT id - 1000 AS account, follower_count, following_count FROM roost_bi.account WHERE id BETWEEN 1001 AND 1009 ORDER BY id;

-- following is idempotent; an account is named by id or user name
SELECT * FROM roost.account_follow(1001, '1002');
SELECT * FROM roost.account_follow(1001, '@Graph_2');
SELECT * FROM roost.account_follow(1002, '1001');
SELECT count(*) FROM roost_data.follow WHERE follower_id = 1001;
SELECT * FROM counter WHERE account <= 2;

-- unfollowing too
SELECT * FROM roost.account_unfollow(1001, '1002');
SELECT * FROM roost.account_unfollow(1001, '1002');
SELECT * FROM counter WHERE account <= 2;

-- neither oneself, nor nobody, nor the suspended; nor as one of them
SELECT roost.account_follow(1001, '1001');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_follow(1001, '@graph_1');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_follow(1001, '4711');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_follow(4711, '1001');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_follow(1001, 'graph_2');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET status = 'suspended' WHERE id = 1009;
SELECT roost.account_follow(1001, '1009');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_follow(1009, '1001');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET status = 'active' WHERE id = 1009;

-- many relationships at once, in the order asked; unknown ones are left out
SELECT roost.account_follow(1003, '1004'), roost.account_follow(1005, '1003');
SELECT * FROM roost.relationship_list(1003, '{1005,4711,1004,1006}');
SELECT * FROM roost.relationship_get(1003, '@graph_5');
SELECT count(*) FROM roost.relationship_list(1003, (SELECT array_agg(n) FROM generate_series(1, 201) n)::roost.id[]);
\echo :LAST_ERROR_SQLSTATE

-- pages: newest first, no overlap, none missing
SELECT count(roost.account_follow(1000 + n, '1001')) FROM generate_series(3, 9) n;
CREATE TEMP TABLE page AS SELECT 1 AS page, * FROM roost.follower_list('1001', 1004, 3);
INSERT INTO page SELECT 2, * FROM roost.follower_list('1001', 1004, 3, before => (SELECT min(cursor)::text FROM page));
INSERT INTO page SELECT 3, * FROM roost.follower_list('1001', 1004, 3, before => (SELECT min(cursor)::text FROM page));
SELECT page, id, username, follower_count, following_count, (relationship).following, (relationship).followed_by FROM page ORDER BY page, cursor DESC;
SELECT id FROM roost.follower_list('1001', NULL, 3, after => (SELECT max(cursor)::text FROM page WHERE page = 2));
SELECT id, relationship IS NULL AS stranger FROM roost.following_list('@graph_3');
SELECT * FROM counter;

-- a suspended follower neither shows nor shortens the page
UPDATE roost_data.account SET status = 'suspended' WHERE id = 1008;
SELECT id FROM roost.follower_list('1001', NULL, 3);

-- what other modules read
SELECT follower_id FROM roost_internal.follower_ids(1001, 0, 3);
SELECT follower_id FROM roost_internal.follower_ids(1001, (SELECT max(id) FROM roost_data.follow WHERE followee_id = 1001 AND follower_id <= 1007));
SELECT array(SELECT unnest(roost_internal.followee_ids(1003)) ORDER BY 1);
SELECT roost_internal.followee_ids(4711);

-- bulk writes count once a statement and stay exact
DELETE FROM roost_data.follow WHERE followee_id = 1001;
SELECT * FROM counter;
INSERT INTO roost_data.follow (follower_id, followee_id, id)
SELECT 1000 + a, 1000 + b, roost_internal.id_next(1000 + a) FROM generate_series(1, 9) a, generate_series(1, 9) b WHERE a <> b ON CONFLICT DO NOTHING;
SELECT DISTINCT follower_count, following_count FROM roost_bi.account WHERE id BETWEEN 1001 AND 1009;

ROLLBACK;
