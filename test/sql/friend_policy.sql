-- Who may write to whom: message_policy, blocks, limited and suspended accounts; what a block does to friends; the list of friends and who of them shows that it is online.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username, message_policy) SELECT 61100 + n, 'policy_' || n, (ARRAY['everyone', 'followed', 'friends'])[least(n, 3)] FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'policy_' || n, 61100 + n FROM generate_series(1, 9) n;
CREATE FUNCTION pg_temp.befriend(one bigint, two bigint) RETURNS boolean LANGUAGE sql AS $$
	SELECT r.accepted FROM roost.friend_request_create(one, two::text), roost.friend_request_create(two, one::text) r $$;
-- may one write to 61101 (everyone), 61102 (followed), 61103 (friends)?
CREATE FUNCTION pg_temp.may(one bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE WHEN roost_internal.may_message(one, id) THEN username END, ' ' ORDER BY id) FROM roost_data.account WHERE id IN (61101, 61102, 61103) $$;

SELECT pg_temp.may(61104) AS stranger;
SELECT count(roost.account_follow(61104, n::text)) FROM generate_series(61102, 61103) n;
SELECT pg_temp.may(61104) AS follower;
SELECT count(roost.account_follow(n, '61105')) FROM generate_series(61102, 61103) n;
SELECT pg_temp.may(61105) AS followed;
SELECT pg_temp.befriend(61106, 61102), pg_temp.befriend(61106, 61103);
SELECT pg_temp.may(61106) AS friend;
SELECT roost_internal.may_message(61101, 61101) AS oneself, roost_internal.may_message(61101, 4711) AS nobody, roost_internal.may_message(4711, 61101) AS by_nobody, roost_internal.may_message(NULL, 61101) AS by_stranger;

-- limited: only who follows it, and friends
UPDATE roost_data.account SET limited_at = now() WHERE id IN (61104, 61105, 61106);
SELECT roost_internal.room_told('friend_requested', 61104, 61101, NULL, NULL, 61101) AS stranger, roost_internal.room_told('friend_requested', 61105, 61102, NULL, NULL, 61102) AS follower,
	roost_internal.room_told('friend_requested', 61107, 61101, NULL, NULL, 61101) AS not_limited;
SELECT pg_temp.may(61104) AS stranger, pg_temp.may(61105) AS followed, pg_temp.may(61106) AS friend;
SELECT FROM roost.account_follow(61101, '61104');
SELECT pg_temp.may(61104) AS followed_by_one;
UPDATE roost_data.account SET limited_at = NULL WHERE id IN (61104, 61105, 61106);

-- suspended: nobody, in neither direction
UPDATE roost_data.account SET status = 'suspended' WHERE id IN (61101, 61106);
SELECT pg_temp.may(61105) AS followed, pg_temp.may(61106) AS suspended;
UPDATE roost_data.account SET status = 'active' WHERE id IN (61101, 61106);

-- a block ends friendship and requests, tells both what ended, and keeps new ones out, in both directions
SELECT pg_temp.befriend(61107, 61101);
SELECT count(roost.friend_request_create(n, (n + 1)::text)), count(roost.friend_request_create(61109, '61107')) FROM generate_series(61107, 61107) n;
DELETE FROM roost_data.feed_trace WHERE account_id BETWEEN 61101 AND 61109;
SELECT blocking, friend FROM roost.account_block(61101, '61107');
SELECT blocking, friend_requested, friend_requested_by FROM roost.account_block(61107, '61108');
SELECT blocking, friend_requested, friend_requested_by FROM roost.account_block(61107, '61109');
SELECT kind, account_id, room_id, target_id FROM roost_data.feed_trace WHERE account_id BETWEEN 61101 AND 61109 AND kind::text LIKE 'friend%' ORDER BY id;
SELECT count(*) FROM roost_data.friend_request WHERE 61107 IN (requester_id, recipient_id);
SELECT pg_temp.may(61107) AS blocked, roost_internal.may_message(61101, 61107) AS blocking;
SELECT FROM roost.friend_request_create(61107, '61101');
\echo :LAST_ERROR_SQLSTATE
SELECT FROM roost.friend_request_create(61108, '61107');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.friendship (account_id, friend_id, id) VALUES (61101, 61107, 1), (61107, 61101, 2);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.friend_request (requester_id, recipient_id, id) VALUES (61101, 61107, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT blocking, friend FROM roost.account_unblock(61101, '61107');

-- many blocks at once
SELECT pg_temp.befriend(61101, n) FROM generate_series(61104, 61106) n;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) SELECT 61101, n, n FROM generate_series(61102, 61150) n;
SELECT count(*) FROM roost_data.friendship WHERE 61101 IN (account_id, friend_id);

-- the list, newest first, in pages; only of active accounts
SELECT pg_temp.befriend(61109, n) FROM generate_series(61102, 61106) n;
SELECT (account).username, online, changed_at FROM roost.friend_list(61109);
SELECT (account).username FROM roost.friend_list(61109, 2);
SELECT (account).username FROM roost.friend_list(61109, 2, before => (SELECT min(cursor)::text FROM roost.friend_list(61109, 2)));
SELECT (account).username FROM roost.friend_list(61109, 2, after => (SELECT min(cursor)::text FROM roost.friend_list(61109, 5)));
UPDATE roost_data.account SET status = 'suspended' WHERE id = 61105;
SELECT (account).username FROM roost.friend_list(61109);

-- friends see whether one is online, as those do whom one follows
SELECT roost_internal.may_see_presence(61109, 61104) AS friend, roost_internal.may_see_presence(61104, 61109) AS other, roost_internal.may_see_presence(61108, 61109) AS stranger;
SELECT FROM roost.presence_settings_set(61104, 'nobody');
SELECT roost_internal.may_see_presence(61109, 61104);

ROLLBACK;
