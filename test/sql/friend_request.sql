-- Friends: asking, accepting, rejecting, taking back, crossing requests, removing, limits, what is told of it, leaving.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 61000 + n, 'friend_' || n FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'friend_' || n, 61000 + n FROM generate_series(1, 9) n;
CREATE TEMP VIEW told AS SELECT t.kind, t.account_id, t.room_id, t.target_id, t.message_id,
	roost_internal.friend_event(t.kind, t.row_id, t.account_id, t.conversation_id, t.message_id, t.target_id)::jsonb AS data
FROM roost_data.feed_trace t WHERE t.kind::text LIKE 'friend%' AND t.account_id BETWEEN 61001 AND 61009 ORDER BY t.id;
CREATE FUNCTION pg_temp.request(actor bigint, other text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s outgoing %s accepted %s', (r.account).username, r.outgoing, r.accepted) FROM roost.friend_request_create(actor, other) r $$;
CREATE FUNCTION pg_temp.id(requester bigint, recipient bigint) RETURNS bigint LANGUAGE sql AS $$
	SELECT id FROM roost_data.friend_request WHERE requester_id = requester AND recipient_id = recipient $$;
CREATE FUNCTION pg_temp.drain() RETURNS void LANGUAGE sql AS $$ DELETE FROM roost_data.feed_trace WHERE kind::text LIKE 'friend%' AND account_id BETWEEN 61001 AND 61009 $$;

-- asking, by id or name; asking again is the same request, and told once
SELECT pg_temp.request(61001, '61002');
SELECT pg_temp.request(61001, '@friend_2');
SELECT count(*) FROM roost_data.friend_request WHERE requester_id = 61001;
SELECT kind, account_id, room_id, target_id, message_id = pg_temp.id(61001, 61002) AS request, data #>> '{account,username}' AS account, data #>> '{target,username}' AS target,
	data ->> 'request_id' = message_id::text AS request_id FROM told;
SELECT (account).username, outgoing, accepted FROM roost.friend_request_list(61001);
SELECT (account).username, outgoing, accepted FROM roost.friend_request_list(61002);
SELECT friend, friend_requested, friend_requested_by FROM roost.relationship_get(61001, '61002');
SELECT (relationship).friend, (relationship).friend_requested, (relationship).friend_requested_by FROM roost.account_get(61002, '61001');

-- not oneself, nobody, no other's request
SELECT pg_temp.request(61001, '61001');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.request(61001, '@nobody_here');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.friend_request_accept(61001, pg_temp.id(61001, 61002));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.friend_request_accept(61003, pg_temp.id(61001, 61002));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.friend_request_reject(61001, pg_temp.id(61001, 61002));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.friend_request_cancel(61002, pg_temp.id(61001, 61002));
\echo :LAST_ERROR_SQLSTATE

-- accepting, and again; then there is nothing to ask, answer or take back
SELECT pg_temp.id(61001, 61002) AS request, pg_temp.drain() \gset
SELECT (account).username, since IS NOT NULL AS since, online, changed_at FROM roost.friend_request_accept(61002, :request);
SELECT (account).username FROM roost.friend_request_accept(61002, :request);
SELECT kind, account_id, room_id, target_id, message_id = :request AS request, data ->> 'request_id' = :'request' AS request_id FROM told;
SELECT account_id, friend_id, accepted_by, request_id = :request AS request FROM roost_data.friendship WHERE account_id BETWEEN 61001 AND 61009 ORDER BY 1;
SELECT friend, friend_requested, friend_requested_by FROM roost.relationship_list(61001, '{61002,61003}');
SELECT friend, friend_requested, friend_requested_by FROM roost.relationship_get(61002, '61001');
SELECT roost.friend_request_accept(61001, :request);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.friend_request_cancel(61001, :request);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.friend_request_reject(61002, :request);
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.request(61001, '61002');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.request(61002, '61001');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost_data.friend_request WHERE recipient_id BETWEEN 61001 AND 61009;

-- who asks the one that has asked accepts
SELECT pg_temp.drain(), pg_temp.request(61003, '61004'), pg_temp.request(61004, '61003');
SELECT kind, account_id, room_id, target_id, data IS NULL AS over FROM told;
SELECT account_id, friend_id, accepted_by FROM roost_data.friendship WHERE 61003 IN (account_id, friend_id) ORDER BY 1;

-- rejecting, asking again, taking back
SELECT pg_temp.drain(), pg_temp.request(61005, '61006'), pg_temp.id(61005, 61006) AS request \gset
SELECT roost.friend_request_reject(61006, :request);
SELECT roost.friend_request_reject(61006, :request);
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.request(61005, '61006'), pg_temp.id(61005, 61006) <> :request AS another, pg_temp.id(61005, 61006) AS request \gset
SELECT roost.friend_request_cancel(61005, :request);
SELECT roost.friend_request_accept(61006, :request);
\echo :LAST_ERROR_SQLSTATE
SELECT kind, account_id, room_id, target_id, data IS NULL AS over FROM told;
SELECT count(*) FROM roost.friend_request_list(61005);

-- removing, by either; again changes nothing
SELECT pg_temp.drain(), roost.friend_remove(61003, '@friend_4'), roost.friend_remove(61004, '61003'), roost.friend_remove(61003, '61007');
SELECT kind, account_id, room_id, target_id, message_id, data ->> 'request_id' AS request_id FROM told;
SELECT count(*) FROM roost_data.friendship WHERE 61003 IN (account_id, friend_id);
SELECT roost.friend_remove(61003, '@nobody_here');
\echo :LAST_ERROR_SQLSTATE

-- pages of requests in either direction and of both
SELECT pg_temp.request(61001, (61002 + n)::text), pg_temp.request(61006 + n, '61001') FROM generate_series(1, 3) n;
SELECT (account).username, outgoing FROM roost.friend_request_list(61001);
SELECT (account).username FROM roost.friend_request_list(61001, 'incoming', 2);
SELECT (account).username FROM roost.friend_request_list(61001, 'outgoing', 2, before => (SELECT min(id)::text FROM roost.friend_request_list(61001, 'outgoing', 2)));
SELECT (account).username FROM roost.friend_request_list(61001, NULL, 4, after => (SELECT min(id)::text FROM roost.friend_request_list(61001)));

-- those of accounts that are suspended are not shown, nor those of limited ones unless one follows them
UPDATE roost_data.account SET status = 'suspended' WHERE id = 61007;
UPDATE roost_data.account SET limited_at = now() WHERE id = 61008;
SELECT (account).username FROM roost.friend_request_list(61001, 'incoming');
SELECT roost.friend_request_accept(61001, pg_temp.id(61007, 61001));
\echo :LAST_ERROR_SQLSTATE
SELECT FROM roost.account_follow(61001, '61008');
SELECT (account).username FROM roost.friend_request_list(61001, 'incoming');
SELECT (account).username, outgoing FROM roost.friend_request_list(61008);
-- rejecting one of theirs, taking one's own back, and leaving a friend is possible
SAVEPOINT suspended;
SELECT pg_temp.id(61007, 61001) AS theirs, pg_temp.id(61001, 61003) AS own, pg_temp.drain() \gset
UPDATE roost_data.account SET status = 'suspended' WHERE id = 61003;
INSERT INTO roost_data.friendship (account_id, friend_id, id) VALUES (61001, 61006, 1), (61006, 61001, 2);
UPDATE roost_data.account SET status = 'suspended' WHERE id = 61006;
SELECT roost.friend_request_reject(61001, :theirs);
SELECT roost.friend_request_reject(61001, :theirs);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.friend_request_cancel(61001, :own);
SELECT roost.friend_remove(61001, '@friend_6');
SELECT kind, account_id, room_id, message_id IN (:theirs, :own) AS request FROM told;
SELECT roost.friend_remove(61001, '@friend_6');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO suspended;
UPDATE roost_data.account SET status = 'active', limited_at = NULL WHERE id IN (61007, 61008);

-- limits: requests that wait, friends of either
SET LOCAL roost.friend_request_max = 3;
SELECT pg_temp.request(61001, '61006');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.request(61001, '61003');
SELECT pg_temp.request(61001, '61007');
SELECT pg_temp.request(61001, '61006');
\echo :LAST_ERROR_SQLSTATE
RESET roost.friend_request_max;
SET LOCAL roost.friend_max = 2;
SELECT count(*) FROM roost_data.friendship WHERE account_id = 61001;
SELECT pg_temp.request(61001, '61006');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.friend_request_accept(61001, pg_temp.id(61008, 61001));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.friend_request_accept(61003, pg_temp.id(61001, 61003));
\echo :LAST_ERROR_SQLSTATE
RESET roost.friend_max;

-- what an account takes along, and what is left when it goes
SELECT jsonb_path_query_array(e, '$.friends[*].username') AS friends, jsonb_path_query_array(e, '$.requests_sent[*].username') AS sent,
	jsonb_path_query_array(e, '$.requests_received[*].username') AS received FROM roost_internal.friend_export(61001) e;
SELECT pg_temp.drain(), roost_internal.account_erase(61001);
SELECT kind, account_id, room_id, target_id, data #>> '{account,username}' AS account FROM told ORDER BY room_id;
SELECT count(*) FROM roost_data.friendship WHERE 61001 IN (account_id, friend_id);
SELECT count(*) FROM roost_data.friend_request WHERE 61001 IN (requester_id, recipient_id);

ROLLBACK;
