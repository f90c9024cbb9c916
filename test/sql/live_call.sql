-- Calls: who may say what to whom, what is passed on and for how long; typing in conversations.
\set VERBOSITY terse
\pset format unaligned
\set SHOW_CONTEXT never
SET roost.limit_enabled = off;
INSERT INTO roost_data.account (id, username) SELECT 61400 + n, 'call_' || n FROM generate_series(1, 40) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 61401 AND 61440;
-- 1 and 2 have a conversation, 3 and 4 another one with a block; 1, 2, 3 and 4 a group, and all of them a large one
INSERT INTO roost_data.conversation (id, kind, member_count) VALUES (61491, 'direct', 2), (61492, 'direct', 2), (61493, 'group', 4), (61494, 'group', 40);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) VALUES (61491, 61401), (61491, 61402), (61492, 61403), (61492, 61404), (61493, 61401), (61493, 61402), (61493, 61403), (61493, 61404);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT 61494, 61400 + n FROM generate_series(1, 40) n;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (61404, 61403, 1);
CREATE TABLE call_mark AS SELECT coalesce(max(n), 0) AS n FROM roost_internal.signal_list();
-- what was signalled since the last time, and what it says
CREATE FUNCTION call_heard() RETURNS TABLE (account_id bigint, event text, session_id bigint, told bigint[], data text) LANGUAGE plpgsql AS $$
DECLARE
	v_mark bigint := (SELECT m.n FROM call_mark m);
BEGIN
	UPDATE call_mark m SET n = (SELECT coalesce(max(s.n), 0) FROM roost_internal.signal_list() s);
	RETURN QUERY SELECT s.account_id, c.event, c.session_id, ARRAY(SELECT t FROM unnest(c.told) t ORDER BY t), c.data
	FROM roost_internal.signal_list(v_mark) s CROSS JOIN LATERAL roost.live_call(ARRAY[substr(s.channel, 6)::bigint]) c WHERE s.channel LIKE 'call:%' ORDER BY s.n;
END
$$;

-- a call: the other one is told, of answer and hangup also one's other devices
SELECT roost.call_send(61401, 61491, 'call:offer', '{"sdp": "v=0 \"quoted\""}', session_id => 11);
SELECT roost.call_send(61402, 61491, 'call:ringing');
SELECT roost.call_send(61402, 61491, 'call:answer', '{"sdp": "a"}', session_id => 12);
SELECT roost.call_send(61401, 61491, 'call:candidate', '{"candidate": "c"}', "to" => 61402, session_id => 11);
SELECT roost.call_send(61401, 61491, 'call:hangup', session_id => 11);
SELECT account_id, event, session_id, told, data::jsonb - 'account' AS data, data::jsonb #>> '{account,username}' AS account FROM call_heard();
-- by the frame of a socket
SELECT roost.live_call_send(61402, 12, 'call:offer', 'conversation:61491', '{"sdp":"b"}', '61401');
SELECT account_id, event, session_id, told, data::jsonb -> 'data' AS data FROM call_heard();

-- in a group all others but those with a block between, or one of them
SELECT roost.call_send(61401, 61493, 'call:offer', '{}');
SELECT roost.call_send(61403, 61493, 'call:offer', '{}');
SELECT roost.call_send(61403, 61493, 'call:answer', '{}', 61401);
SELECT roost.call_send(61403, 61493, 'call:offer', '{}', 61404);
SELECT roost.call_send(61401, 61494, 'call:offer', '{}', 61440);
SELECT account_id, event, told FROM call_heard();
SELECT roost.call_send(61401, 61494, 'call:offer', '{}');
\echo :LAST_ERROR_SQLSTATE

-- not by or to who is no member, nor where there is a block; nobody who is suspended
SELECT roost.call_send(61403, 61491, 'call:offer', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.call_send(61401, 4711, 'call:offer', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.call_send(61401, 61491, 'call:offer', '{}', 61403);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.call_send(61401, 61491, 'call:offer', '{}', 61401);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.call_send(61403, 61492, 'call:offer', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.live_call_send(61403, 0, 'call:offer', 'conversation:61492', '{}', NULL);
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET status = 'suspended' WHERE id = 61402;
SELECT roost.call_send(61402, 61493, 'call:offer', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.call_send(61401, 61491, 'call:offer', '{}');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET status = 'active' WHERE id = 61402;
-- nor to who takes no messages from one, unless it has written
UPDATE roost_data.account SET message_policy = 'friends' WHERE id = 61402;
SELECT roost.call_send(61401, 61491, 'call:offer', '{}');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET message_policy = 'everyone' WHERE id = 61402;

-- what is no signal of a call
SELECT roost.live_call_send(61401, 0, 'call:whistle', 'conversation:61491', '{}', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.live_call_send(61401, 0, 'call:offer', 'post:61491', '{}', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.live_call_send(61401, 0, 'call:offer', 'conversation:99999999999999999999', '{}', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.live_call_send(61401, 0, 'call:offer', 'conversation:61491', '{', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.live_call_send(61401, 0, 'call:offer', 'conversation:61491', '[]', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.live_call_send(61401, 0, 'call:offer', 'conversation:61491', '{}', '@call_2');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM call_heard();

-- the size: 16,384 bytes, also of an account with the longest name
UPDATE roost_data.account SET display_name = repeat('"', 50), avatar_url = 'https://example.org/' || repeat('a', 2000) WHERE id = 61401;
SELECT roost.call_send(61401, 61491, 'call:offer', jsonb_build_object('sdp', repeat('x', 16384 - 11)));
SELECT octet_length((data::jsonb -> 'data')::text), length(data::jsonb #>> '{data,sdp}') FROM call_heard();
\set VERBOSITY default
SELECT roost.call_send(61401, 61491, 'call:offer', jsonb_build_object('sdp', repeat('x', 16385 - 11)));
\set VERBOSITY terse
\echo :LAST_ERROR_SQLSTATE

-- the last 256 are there, what came before is gone
CREATE TABLE call_kept AS SELECT n, roost_internal.call_put(61401, 0, 'call:candidate', '{61402}', format('{"n":%s}', n)) AS ref FROM generate_series(1, 300) n;
SELECT count(*), min(k.n), max(k.n), bool_and(c.data = format('{"n":%s}', k.n)) AS right FROM call_kept k JOIN roost.live_call(ARRAY(SELECT ref FROM call_kept ORDER BY n)) c ON c.n = k.ref;
SELECT count(*) FROM roost.live_call('{0,-1,1,9223372036854775807}');
-- what came after a number, for 10 seconds
SELECT roost_internal.clock_freeze(clock_timestamp() + interval '1 second');
SELECT count(roost_internal.call_put(61401, 7, 'call:candidate', '{61402}', format('{"n":%s}', n))) FROM generate_series(1, 3) n;
SELECT max(ref) + 2 AS after FROM call_kept \gset
SELECT event, session_id, told, data FROM roost.live_call_missed(:after);
SELECT count(*) FROM roost.live_call_missed(:after + 1);
SELECT count(*) BETWEEN 3 AND 256 AS last, bool_and(n > b) AS ascending FROM (SELECT n, lag(n, 1, 0::bigint) OVER () AS b FROM roost.live_call_missed(0)) m;
SELECT roost_internal.clock_freeze(roost_internal.clock_now() + interval '11 seconds');
SELECT count(*) FROM roost.live_call_missed(0);
SELECT roost_internal.clock_freeze(NULL);
-- a number that is not given out yet
SELECT count(*) FROM roost.live_call_missed(9223372036854775807);
SELECT roost.live_call(array_agg(n)) FROM generate_series(1, 1001) n;
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.call_put(61401, 0, 'typing:start', '{61402}', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.call_put(61401, 0, 'call:offer', array_agg(n), '{}') FROM generate_series(1, 33) n;
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.call_put(61401, 0, 'call:offer', '{61402}', repeat(' ', 20481));
\echo :LAST_ERROR_SQLSTATE

-- limits count signals of calls like others
SET roost.limit_enabled = on;
SELECT count(roost.live_call_send(61430, 0, 'call:candidate', 'conversation:61494', '{}', '61431')) FROM generate_series(1, 200);
\echo :LAST_ERROR_SQLSTATE
SET roost.limit_enabled = off;

-- typing in conversations: members say it, members see it
SELECT who, where_, roost_internal.may_signal(61400 + who, 'conversation:' || where_) FROM (VALUES (1, 61491), (3, 61491), (3, 61492), (4, 61492), (3, 61493), (1, 4711)) v (who, where_);
SELECT roost_internal.may_signal(NULL, 'conversation:61493'), roost_internal.may_signal(61401, 'conversation:0'), roost_internal.may_signal(61401, 'conversation:99999999999999999999');
SELECT roost_internal.typing_viewers(61401, 'conversation:61493', '{0,61401,61402,61403,61404,61405}') AS by_one, roost_internal.typing_viewers(61403, 'conversation:61493', '{0,61401,61402,61403,61404,61405}') AS by_three,
	roost_internal.typing_viewers(61405, 'conversation:61493', '{61401,61402}') AS by_stranger, roost_internal.typing_viewers(61403, 'conversation:61492', '{61404}') AS blocked;
SELECT n, data::jsonb #>> '{account,username}' AS account, data::jsonb ->> 'channel' AS channel FROM roost.live_see('{61401,61401,61401}', '{conversation:61493,conversation:61493,conversation:61493}', '{61402,61405,61403}');
SELECT presence FROM roost.presence_settings_set(61401, 'nobody');
SELECT roost_internal.typing_viewers(61401, 'conversation:61493', '{61402}') AS hidden;

DROP TABLE call_mark, call_kept;
DROP FUNCTION call_heard();
DELETE FROM roost_data.conversation WHERE id BETWEEN 61491 AND 61494;
SELECT count(roost_internal.account_erase(id)) FROM roost_data.account WHERE id BETWEEN 61401 AND 61440;
