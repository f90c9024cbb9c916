-- Policies about messages: what is refused, delivered and recorded; to whom; who has not answered; what groups say of themselves.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset footer off
BEGIN;
SET LOCAL roost.limit_enabled = off;
INSERT INTO roost_data.account (id, username, created_at) SELECT 74000 + n, 'mm_' || n, now() - interval '1 year' FROM generate_series(1, 60) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 74001 AND 74060;
UPDATE roost_data.moderation_policy SET dry_run = true WHERE subject IN ('message', 'message_request', 'group');
INSERT INTO roost_data.moderation_word (language, word, kind, severity) VALUES ('', 'zounds', 'test', 1);
INSERT INTO roost_data.moderation_url_host (host, kind) VALUES ('blocked.example', 'blocked');
INSERT INTO roost_data.moderation_policy (name, dry_run, subject, signal, threshold, action, message) VALUES
	('mm_reject', false, 'message', 'profanity', 0.9, 'reject', 'not here');
CREATE FUNCTION pg_temp.send(sender bigint, recipient bigint, text text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM roost.message_create(sender, recipient::text, text => text);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT id AS message, conversation_id AS room FROM roost.message_create(74001, '74002', text => 'good morning') \gset
-- refused when it is written and when it is edited, whatever way it comes; nothing is judged twice
SELECT pg_temp.send(74001, 74002, 'well, zounds');
UPDATE roost_data.message SET text = 'zounds' WHERE id = :message AND conversation_id = :room;
INSERT INTO roost_data.message (id, conversation_id, sender_id, text) VALUES (roost_internal.id_next(:room), :room, 74001, 'zounds');
INSERT INTO roost_data.message (id, conversation_id, sender_id, media) VALUES (roost_internal.id_next(:room), :room, 74001, '[{"type": "image", "url": "https://example.org/a.png", "description": "zounds"}]');
UPDATE roost_data.message SET client_id = 'x' WHERE id = :message AND conversation_id = :room;
-- encrypted ones, and what nobody wrote, are not judged
INSERT INTO roost_data.message (id, conversation_id, sender_id, encrypted) VALUES (roost_internal.id_next(:room), :room, 74001, true);
INSERT INTO roost_data.message (id, conversation_id, sender_id, action, text) VALUES (roost_internal.id_next(:room), :room, 74001, 'updated', 'zounds');
-- nor where that is turned off
SET LOCAL roost.moderation_enabled = off;
SELECT pg_temp.send(74001, 74002, 'zounds');
SET LOCAL roost.moderation_enabled = on;
-- a message cannot be held; what would be limited or labelled is delivered and recorded, without its words
UPDATE roost_data.moderation_policy SET action = 'hold' WHERE name = 'mm_reject';
SELECT pg_temp.send(74001, 74002, 'zounds');
UPDATE roost_data.moderation_policy SET action = 'limit' WHERE name = 'mm_reject';
SELECT pg_temp.send(74001, 74002, 'zounds');
UPDATE roost_data.moderation_policy SET action = 'label', label = 'rude' WHERE name = 'mm_reject';
SELECT pg_temp.send(74001, 74002, 'zounds');
SELECT subject, subject_id IS NOT NULL AS known, policy, action, explanation FROM roost_data.moderation_verdict WHERE account_id = 74001 ORDER BY id;
SELECT kind, count FROM roost_data.account_reputation WHERE account_id = 74001;
SELECT count(*) FROM roost_data.moderation_case WHERE account_id = 74001;
DELETE FROM roost_data.moderation_policy WHERE name = 'mm_reject';

-- the built-in ones
UPDATE roost_data.moderation_policy SET dry_run = false WHERE subject IN ('message', 'message_request', 'group');
SELECT pg_temp.send(74001, 74002, 'see https://blocked.example/x');
SELECT pg_temp.send(74001, 74002, 'WINNER!! You have won a £1000 cash prize! Call 09061701461 now to claim, free entry, txt WIN to 80086') AS spam;
-- not to friends, to who follows one, who has answered, nor in groups
INSERT INTO roost_data.friendship (account_id, friend_id, id) VALUES (74003, 74001, 1), (74001, 74003, 2);
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (74004, 74001, 1);
SELECT pg_temp.send(74005, 74001, 'hi');
INSERT INTO roost_data.conversation (id, kind, member_count) VALUES (7401, 'group', 2);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) VALUES (7401, 74001), (7401, 74006);
\set spam 'WINNER!! You have won a £1000 cash prize! Call 09061701461 now to claim, free entry, txt WIN to 80086'
SELECT pg_temp.send(74001, 74003, :'spam') AS friend, pg_temp.send(74001, 74004, :'spam') AS follower, pg_temp.send(74001, 74005, :'spam') AS answered;
SELECT text IS NOT NULL AS "group" FROM roost.message_create(74001, conversation_id => 7401, text => :'spam');
SELECT roost_internal.message_is_request(conversation_id, sender), sender FROM (SELECT conversation_id FROM roost_data.conversation_direct WHERE low_id = 74001 AND high_id = 74002) c, unnest('{74001,74002}'::bigint[]) sender;
-- the same to many: who has not answered
SELECT answer, count(*) FROM (SELECT pg_temp.send(74008, 74000 + n, 'have you seen this wonderful offer of mine, friend number ' || n || ', it will not last for long') AS answer FROM generate_series(9, 40) n) s GROUP BY 1 ORDER BY 1;
-- from many
SELECT answer, count(*) FROM (SELECT pg_temp.send(74010 + n, 74007, 'please vote for the marvellous penguin today at the town hall of Springfield') AS answer FROM generate_series(1, 40) n) s GROUP BY 1 ORDER BY 1;
-- posts and messages are not compared
SELECT text FROM roost.post_create(74050, 'please vote for the marvellous penguin today at the town hall of Springfield');
SELECT count(*) FROM roost_data.moderation_verdict WHERE account_id = 74050;
-- groups
INSERT INTO roost_data.conversation (id, kind, title, created_by) VALUES (7402, 'group', 'https://blocked.example', 74001);
UPDATE roost_data.conversation SET description = 'at https://blocked.example' WHERE id = 7401;
UPDATE roost_data.conversation SET description = 'fine', title = 'Fine' WHERE id = 7401;
SELECT policy, fires, action FROM roost_internal.moderation_trial('message_request', :'spam', 'en', 74001) ORDER BY 1;
-- nothing is left of an account that goes
SELECT count(*) > 0 AS kept FROM roost_data.message_fingerprint WHERE sender_id = 74008;
SELECT roost_internal.verdict_account_delete(74008);
SELECT count(*) FROM roost_data.message_fingerprint WHERE sender_id = 74008;
ROLLBACK;
