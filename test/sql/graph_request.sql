-- Private accounts: requests, their acceptance, refusal and withdrawal, and who sees their lists.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username, is_private) SELECT 1100 + n, 'request_' || n, n = 1 FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'request_' || n, 1100 + n FROM generate_series(1, 9) n;

-- following a private account asks for its consent, once
SELECT * FROM roost.account_follow(1102, '1101');
SELECT * FROM roost.account_follow(1102, '@request_1');
SELECT count(*) FROM roost_data.follow_request WHERE followee_id BETWEEN 1101 AND 1109;
SELECT count(*) FROM roost_data.follow WHERE followee_id BETWEEN 1101 AND 1109;
SELECT * FROM roost.relationship_get(1101, '1102');
SELECT count(roost.account_follow(1100 + n, '1101')) FROM generate_series(3, 7) n;
SELECT id, (relationship).requested_by FROM roost.follow_request_list(1101, 2);
SELECT id FROM roost.follow_request_list(1101, 2, before => (SELECT min(cursor)::text FROM roost.follow_request_list(1101, 2)));
SELECT id FROM roost.follow_request_list(1102);

-- accept: idempotent; only what was asked
SELECT * FROM roost.follow_request_accept(1101, '1102');
SELECT * FROM roost.follow_request_accept(1101, '1102');
SELECT roost.follow_request_accept(1101, '1109');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.follow_request_accept(1102, '1103');
\echo :LAST_ERROR_SQLSTATE
SELECT follower_count, following_count FROM roost_bi.account WHERE id IN (1101, 1102) ORDER BY id;

-- who follows already does not ask again
SELECT * FROM roost.account_follow(1102, '1101');

-- reject: the account may ask again
SELECT * FROM roost.follow_request_reject(1101, '@request_3');
SELECT roost.follow_request_reject(1101, '1103');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.account_follow(1103, '1101');

-- withdraw, by name or by unfollowing
SELECT * FROM roost.follow_request_cancel(1103, '1101');
SELECT * FROM roost.follow_request_cancel(1103, '1101');
SELECT * FROM roost.account_unfollow(1104, '1101');
SELECT roost.follow_request_accept(1101, '1104');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.follow_request_cancel(1102, '1101');

-- lists of a private account: for itself and its followers
SELECT id FROM roost.follower_list('1101', 1101);
SELECT id FROM roost.follower_list('1101', 1102);
SELECT id FROM roost.follower_list('1101', 1105);
\echo :LAST_ERROR_SQLSTATE
SELECT id FROM roost.follower_list('1101');
\echo :LAST_ERROR_SQLSTATE
SELECT id FROM roost.following_list('1101');
\echo :LAST_ERROR_SQLSTATE

-- opening the account lets everyone in who waits
SELECT id FROM roost.follow_request_list(1101);
UPDATE roost_data.account SET is_private = false WHERE id = 1101;
SELECT id FROM roost.follow_request_list(1101);
SELECT id FROM roost.follower_list('1101');
SELECT follower_count FROM roost_bi.account WHERE id = 1101;

-- closing it again keeps its followers
UPDATE roost_data.account SET is_private = true WHERE id = 1101;
SELECT id FROM roost.follower_list('1101', 1105);
SELECT * FROM roost.account_follow(1108, '1101');

-- follows of private accounts are not for analysts; a deleted account leaves none, and takes its requests along
SELECT count(*) FROM roost_bi.follow WHERE followee_id = 1101;
SELECT jsonb_array_length(e->'followers') AS followers, jsonb_array_length(e->'requests_received') AS received, e->'followers'->0->>'username' AS first
FROM roost_internal.graph_export(1101) e;
SELECT roost_internal.account_erase(1101), roost_internal.account_erase(1108);
SELECT count(*) FROM roost_data.follow WHERE 1101 IN (follower_id, followee_id);
SELECT count(*) FROM roost_data.follow_request WHERE 1101 IN (follower_id, followee_id);
SELECT DISTINCT following_count FROM roost_bi.account WHERE id BETWEEN 1102 AND 1107;

ROLLBACK;
