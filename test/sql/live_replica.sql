-- Messages that replication brings are in the history, in the log, on streams, and found by who resumes.
SELECT roost.worker_sync('1 minute');
INSERT INTO roost_data.account (id, username) VALUES (9421, 'replica_a'), (9422, 'replica_b');
SELECT conversation_id AS pair FROM roost.message_create(9421, recipient_id => '9422', text => 'one') \gset
SELECT roost.worker_sync('1 minute');
SELECT epoch, last_seq AS begin FROM roost.stream_position() \gset
-- an id of the past, as those of another server are
SELECT roost_internal.id_next(:pair) AS message \gset
SELECT roost.worker_sync('1 minute');
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO roost_data.message (id, conversation_id, sender_id, text) VALUES (:message, :pair, 9421, 'two');
UPDATE roost_data.conversation SET last_message_id = :message WHERE id = :pair;
COMMIT;
SELECT roost.worker_sync('1 minute');
SELECT text FROM roost.message_list(9422, :pair);
SELECT unread_count, (last_message).text FROM roost.conversation_get(9422, :pair);
SELECT event, data::jsonb #>> '{message,text}' AS text FROM roost.stream_read(:begin, 100, true) WHERE room ORDER BY seq;
SELECT event, data::jsonb #>> '{message,text}' AS text FROM roost.stream_resume(9422, :epoch, :begin, '{messages}', 100) WHERE event IS NOT NULL;
SELECT problem, what FROM roost_internal.feed_check() WHERE id = :message;
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'roost_data.message'::regclass AND tgname LIKE 'message_insert%' ORDER BY 1;
SET client_min_messages = warning;
DELETE FROM roost_data.conversation WHERE id = :pair;
DELETE FROM roost_data.conversation_direct WHERE conversation_id = :pair;
DELETE FROM roost_data.message WHERE conversation_id = :pair;
SELECT count(roost_internal.account_erase(n)) FROM generate_series(9421, 9422) n;
SELECT roost.worker_sync('1 minute');
