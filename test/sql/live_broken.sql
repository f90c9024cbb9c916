-- What fails for one row of the log is not told, and stops nobody's stream.
SELECT roost.worker_sync('1 minute');
INSERT INTO roost_data.account (id, username) VALUES (9411, 'broken_a'), (9412, 'broken_b');
SELECT epoch, last_seq AS begin FROM roost.stream_position() \gset
SELECT conversation_id AS pair FROM roost.message_create(9411, recipient_id => '9412', text => 'one') \gset
SELECT id AS two FROM roost.message_create(9411, conversation_id => :pair, text => 'two secret') \gset
SELECT count(*) FROM roost.message_create(9412, conversation_id => :pair, text => 'three');
SELECT roost.worker_sync('1 minute');

-- A function that stumbles over what is in one message.
BEGIN;
ALTER FUNCTION roost_internal.message_event RENAME TO message_event_whole;
CREATE FUNCTION roost_internal.message_event(kind roost.feed_kind, id bigint, account_id bigint, conversation_id bigint, message_id bigint, target_id bigint) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF current_setting('broken.state', true) > '' THEN
		RAISE EXCEPTION USING ERRCODE = current_setting('broken.state'), MESSAGE = 'later';
	ELSIF (SELECT m.text FROM roost_data.message m WHERE m.conversation_id = $4 AND m.id = $5) ~ 'secret' THEN
		PERFORM (SELECT m.text FROM roost_data.message m WHERE m.conversation_id = $4 AND m.id = $5)::integer;
	END IF;
	RETURN roost_internal.message_event_whole(kind, id, account_id, conversation_id, message_id, target_id);
END
$$;
-- The warning says which row, and nothing of what it says.
\set SHOW_CONTEXT never
SELECT roost_internal.room_event('message_created', 17, 9411, :pair, :two, NULL) IS NULL AS nothing \gset ignore_
SET client_min_messages = error;
SELECT event, data::jsonb #>> '{message,text}' AS text FROM roost.stream_read(:begin, 100, true) WHERE room ORDER BY seq;
SELECT event, data::jsonb #>> '{message,text}' AS text FROM roost.stream_resume(9412, :epoch, :begin, '{messages}', 100) WHERE event IS NOT NULL;
SELECT d.data::jsonb #>> '{message,text}' AS text
FROM roost.stream_data(ARRAY(SELECT r.seq FROM roost.stream_read(:begin, 100) r WHERE r.room)) d ORDER BY d.seq;
-- What passes is raised, so that the reader tries again: nothing is left out.
SAVEPOINT s;
SET LOCAL broken.state = '40001';
SELECT count(*) FROM roost.stream_read(:begin, 100, true);
ROLLBACK TO s;
SET LOCAL broken.state = '53200';
SELECT count(*) FROM roost.stream_read(:begin, 100, true);
ROLLBACK TO s;
-- Reading writes nothing, so standbys can do it.
SET TRANSACTION READ ONLY;
SELECT count(*) FROM roost.stream_read(:begin, 100, true) WHERE event = 'message:received';
ROLLBACK;
SELECT count(*) FROM roost.stream_read(:begin, 100, true) WHERE event = 'message:received';

-- One that stumbles when it should say who is told: as if nobody were.
BEGIN;
ALTER FUNCTION roost_internal.conversation_told RENAME TO conversation_told_whole;
CREATE FUNCTION roost_internal.conversation_told(kind roost.feed_kind, account_id bigint, conversation_id bigint, message_id bigint, target_id bigint, viewer_id bigint DEFAULT NULL) RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF current_setting('broken.state', true) > '' THEN
		RAISE EXCEPTION USING ERRCODE = current_setting('broken.state'), MESSAGE = 'later';
	ELSIF (SELECT m.text FROM roost_data.message m WHERE m.conversation_id = $3 AND m.id = $4) ~ 'secret' THEN
		PERFORM (SELECT m.text FROM roost_data.message m WHERE m.conversation_id = $3 AND m.id = $4)::integer;
	END IF;
	RETURN '{9411,9412}';
END
$$;
SET LOCAL client_min_messages = error;
SELECT roost_internal.room_told('message_created', 9411, :pair, :pair, :two, NULL) AS told, roost_internal.room_tells('message_created', 9411, :pair, :pair, :two, NULL, 9412) AS tells;
SELECT event, data::jsonb #>> '{message,text}' AS text FROM roost.stream_read(:begin, 100, true) WHERE room ORDER BY seq;
SELECT event, data::jsonb #>> '{message,text}' AS text FROM roost.stream_resume(9412, :epoch, :begin, '{messages}', 100) WHERE event IS NOT NULL;
SELECT d.data::jsonb #>> '{message,text}' AS text
FROM roost.stream_data(ARRAY(SELECT r.seq FROM roost.stream_read(:begin, 100) r WHERE r.room)) d ORDER BY d.seq;
SELECT count(*) FROM roost.stream_see(ARRAY(SELECT r.seq FROM roost.stream_read(:begin, 100) r WHERE r.room), array_fill(9412::bigint, ARRAY[(SELECT count(*)::int FROM roost.stream_read(:begin, 100) r WHERE r.room)]));
SAVEPOINT s;
SET LOCAL broken.state = '40001';
SELECT count(*) FROM roost.stream_read(:begin, 100, true);
ROLLBACK TO s;
SET LOCAL broken.state = '53200';
SELECT count(*) FROM roost.stream_see(ARRAY(SELECT r.seq FROM roost.stream_read(:begin, 100) r WHERE r.room LIMIT 1), '{9412}');
ROLLBACK TO s;
SET TRANSACTION READ ONLY;
SELECT count(*) FROM roost.stream_read(:begin, 100, true) WHERE event = 'message:received';
ROLLBACK;

SET client_min_messages = warning;
DELETE FROM roost_data.conversation WHERE id = :pair;
DELETE FROM roost_data.conversation_direct WHERE conversation_id = :pair;
DELETE FROM roost_data.message WHERE conversation_id = :pair;
SELECT roost_internal.account_erase(n) FROM generate_series(9411, 9412) n;
SELECT roost.worker_sync('1 minute');
