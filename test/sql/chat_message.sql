-- Messages: writing, idempotence, answering, changing, deleting, forwarding, reactions, and who may do what.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
SET timezone = 'UTC';
BEGIN;

INSERT INTO roost_data.account (id, username, display_name) SELECT 6100 + n, 'chatter_' || n, 'Chatter ' || n FROM generate_series(1, 8) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'chatter_' || n, 6100 + n FROM generate_series(1, 8) n;
INSERT INTO roost_data.conversation (id, kind, title, created_by, member_count) VALUES (6100, 'group', 'g', 6101, 4), (7124, 'group', 'h', 6105, 1);
INSERT INTO roost_data.conversation_member (conversation_id, account_id, role)
VALUES (6100, 6101, 'owner'), (6100, 6102, 'admin'), (6100, 6103, 'member'), (6100, 6104, 'member'), (7124, 6105, 'owner');

-- to an account: the conversation is made, once; in both directions it is the same
SELECT id AS a, conversation_id AS direct, text, state, delivered_count, read_count, (sender).username, reactions, mine FROM (
	SELECT m.*, (m.reply_to IS NULL) AS mine FROM roost.message_create(6101, '@Chatter_2', NULL, E'A\u030aslo, one', NULL, NULL, 'c-1') m) t \gset
SELECT :'text' = U&'\00C5slo, one', :'state', :'delivered_count', :'read_count', :'username', :'reactions';
SELECT count(*) FROM roost_data.conversation_direct WHERE conversation_id = :direct AND low_id = 6101;
SELECT id AS b FROM roost.message_create(6102, '6101', NULL, 'two', NULL, :a) \gset
SELECT conversation_id = :direct, (reply_to).id = :a, (reply_to).text, ((reply_to).sender).username, created_at = roost.id_time(:b), roost.id_bucket(:b) = roost.id_bucket(:direct)
FROM roost.message_get(6101, :b);
SELECT last_message_id = :b FROM roost_data.conversation WHERE id = :direct;

-- the same client_id again: the same message; another content: refused; another sender, another conversation: another message
SELECT id = :a, client_id FROM roost.message_create(6101, NULL, :direct, U&'\00C5slo, one', NULL, NULL, 'c-1');
SELECT roost.message_create(6101, NULL, :direct, 'something else', NULL, NULL, 'c-1');
\echo :LAST_ERROR_SQLSTATE
SELECT id > :b AS other, client_id FROM roost.message_create(6102, NULL, :direct, 'mine', NULL, NULL, 'c-1');
SELECT id > :b AS other FROM roost.message_create(6101, NULL, 6100, 'there', NULL, NULL, 'c-1');
SELECT client_id IS NULL FROM roost.message_get(6102, :a);

-- what is not taken
SELECT roost.message_create(6101, NULL, NULL, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6101, '6102', :direct, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6101, '6102', NULL, E' \n\u200b');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6101, '6102', NULL, repeat('x', 4097));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6101, '6101', NULL, 'self');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6101, '6199', NULL, 'nobody');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6105, NULL, 6100, 'no member');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6103, NULL, 6100, 'answers what it cannot see', NULL, :a);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6101, '6102', NULL, NULL, '[{"url": "ftp://x", "type": "image"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT text IS NULL, media FROM roost.message_create(6101, '6102', NULL, NULL, '[{"url": "https://x.example/1.png", "type": "image"}]');
SELECT length(text) FROM roost.message_create(6101, '6102', NULL, repeat('x', 4096));
SET LOCAL roost.message_max_length = 3;
SELECT roost.message_create(6101, '6102', NULL, 'four');
\echo :LAST_ERROR_SQLSTATE
RESET roost.message_max_length;

-- finding by the id alone: only for members
SELECT f.conversation_id = :direct, f.kind, f.sender_id FROM roost_internal.message_find(6102, :a) f;
SELECT roost_internal.message_find(6103, :a);
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.message_find(6101, :a, 6100);
\echo :LAST_ERROR_SQLSTATE

-- changing: its sender alone, as long as that is allowed
SELECT text, edited_at >= created_at FROM roost.message_update(6101, :a, NULL, 'changed');
SELECT edited_at IS NULL FROM roost.message_update(6102, :b, :direct, 'two');
SELECT roost.message_update(6102, :a, NULL, 'not mine');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_update(6103, :a, NULL, 'not seen');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_update(6101, :a, NULL, '');
\echo :LAST_ERROR_SQLSTATE
SELECT text IS NULL, jsonb_array_length(media) FROM roost.message_update(6101, :a, NULL, '', '[{"url": "https://x.example/2.png", "type": "image"}]');
SELECT text, media IS NULL FROM roost.message_update(6101, :a, NULL, 'back', '[]');
SELECT id = :a FROM roost.message_create(6101, NULL, :direct, 'since it was changed nobody knows', NULL, NULL, 'c-1');
SET LOCAL roost.message_edit_window = 0;
SELECT roost.message_update(6101, :a, NULL, 'too late');
\echo :LAST_ERROR_SQLSTATE
SET LOCAL roost.message_edit_window = -1;
SELECT text FROM roost.message_update(6101, :a, NULL, 'never too late');
RESET roost.message_edit_window;

-- reactions: five different ones of an account
SELECT reactions FROM roost.message_react(6102, :a, U&'\+01F44D');
SELECT reactions FROM roost.message_react(6101, :a, U&'\+01F44D', :direct);
SELECT reactions FROM roost.message_react(6101, :a, 'wow');
SELECT reactions FROM roost.message_react(6101, :a, 'wow');
SELECT reactions FROM roost.message_get(6102, :a);
SELECT reactions FROM roost_internal.message_row(0, :direct, ARRAY[:a]);
SELECT count(roost.message_react(6101, :a, r)) FROM (VALUES ('a'), ('b'), ('c')) v (r);
SELECT roost.message_react(6101, :a, 'd');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_react(6101, :a, 'two words');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_react(6103, :a, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT count(roost.message_unreact(6101, :a, r)) FROM (VALUES ('a'), ('b'), ('c'), ('never')) v (r);
SELECT reactions FROM roost.message_unreact(6101, :a, 'wow');
-- who has reacted; all of one's own taken back
SELECT count(roost.message_react(6101, :a, r)) FROM (VALUES ('b'), ('a')) v (r);
SELECT (account).username, reactions, reacted_at IS NOT NULL FROM roost.message_reaction_list(6102, :a);
SELECT (account).username, reactions FROM roost.message_reaction_list(6102, :a, :direct, 'b');
SELECT (account).username FROM roost.message_reaction_list(6101, :a, NULL, NULL, 1, before => '6102');
SELECT * FROM roost.message_reaction_list(6103, :a);
\echo :LAST_ERROR_SQLSTATE
SELECT reactions FROM roost.message_unreact(6101, :a);
SELECT reactions FROM roost.message_react(6101, :a, U&'\+01F44D');

-- forwarding: text and media, never whose it was
SELECT text, forwarded, (sender).username, conversation_id FROM roost.message_forward(6102, :a, NULL, 6100);
SELECT id AS f, text, forwarded FROM roost.message_forward(6102, :a, '@chatter_3', NULL, 'f-1') \gset
SELECT :'text', :'forwarded';
SELECT id = :f FROM roost.message_forward(6102, :a, '@chatter_3', NULL, 'f-1');
SELECT roost.message_update(6102, :f, NULL, 'it said something else');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_forward(6103, :a, NULL, 6100);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_forward(6102, :a);
\echo :LAST_ERROR_SQLSTATE

-- deleting for oneself: the others keep it
SELECT roost.message_delete(6102, :a);
SELECT roost.message_delete(6102, :a);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_get(6102, :a);
\echo :LAST_ERROR_SQLSTATE
SELECT text FROM roost.message_get(6101, :a);
SELECT reply_to FROM roost.message_get(6102, :b);
SELECT (reply_to).text FROM roost.message_get(6101, :b);

-- deleting for everyone: a tombstone stays
SELECT roost.message_delete(6101, :b, NULL, 'everyone');
\echo :LAST_ERROR_SQLSTATE
SET LOCAL roost.message_delete_window = 0;
SELECT roost.message_delete(6101, :a, NULL, 'everyone');
\echo :LAST_ERROR_SQLSTATE
RESET roost.message_delete_window;
SELECT roost.message_delete(6101, :a, NULL, 'everyone');
SELECT roost.message_delete(6101, :a, NULL, 'everyone');
SELECT text, media, reactions, deleted_at IS NOT NULL, client_id FROM roost.message_get(6101, :a);
SELECT (reply_to).id = :a, (reply_to).text, (reply_to).deleted_at IS NOT NULL FROM roost.message_get(6101, :b);
SELECT count(*) FROM roost_data.message_reaction WHERE message_id = :a;
SELECT roost.message_update(6101, :a, NULL, 'back again');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_react(6101, :a, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_forward(6101, :a, NULL, 6100);
\echo :LAST_ERROR_SQLSTATE
SELECT id = :a, deleted_at IS NOT NULL FROM roost.message_create(6101, NULL, :direct, 'changed', NULL, NULL, 'c-1');

-- in a group admins delete those of members at any time, owners all
SELECT id AS m3 FROM roost.message_create(6103, NULL, 6100, 'of a member') \gset
SELECT id AS m2 FROM roost.message_create(6102, NULL, 6100, 'of an admin') \gset
SELECT id AS m1 FROM roost.message_create(6101, NULL, 6100, 'of the owner') \gset
SET LOCAL roost.message_delete_window = 0;
SELECT roost.message_delete(6104, :m3, NULL, 'everyone');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_delete(6103, :m3, NULL, 'everyone');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_delete(6102, :m1, NULL, 'everyone');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_delete(6102, :m3, NULL, 'everyone');
SELECT roost.message_delete(6101, :m2, NULL, 'everyone');
SELECT id IN (:m1), deleted_at IS NOT NULL FROM roost.message_list(6104, 6100, 3);
RESET roost.message_delete_window;

-- what nobody wrote is only deleted for oneself
INSERT INTO roost_data.message (id, conversation_id, sender_id, action, target_id) VALUES (roost_internal.id_next(6100), 6100, 6101, 'added', 6104) RETURNING id AS s \gset
SELECT action, (sender).username, (target).username, state FROM roost.message_get(6101, :s);
SELECT roost.message_delete(6101, :s, NULL, 'everyone');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_update(6101, :s, NULL, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_react(6103, :s, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_delete(6101, :s);

-- an encrypted conversation takes no texts, and gives none away
UPDATE roost_data.conversation SET encryption = 'e2ee' WHERE id = 7124;
INSERT INTO roost_data.message (id, conversation_id, sender_id, encrypted) VALUES (roost_internal.id_next(7124), 7124, 6105, true) RETURNING id AS e \gset
SELECT roost.message_create(6105, NULL, 7124, 'plain');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_update(6105, :e, NULL, 'plain');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_forward(6105, :e, '6106');
\echo :LAST_ERROR_SQLSTATE
SELECT text, encrypted FROM roost.message_get(6105, :e);

-- a block of the two of a direct conversation: nothing new, but the history stays
SELECT id AS n FROM roost.message_create(6102, NULL, :direct, 'before the block') \gset
SELECT blocking FROM roost.account_block(6101, '6102');
SELECT roost.message_create(6102, NULL, :direct, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6101, '6102', NULL, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_update(6102, :n, NULL, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_react(6102, :n, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT text FROM roost.message_get(6101, :n);
SELECT roost.message_delete(6102, :n, NULL, 'everyone');

-- in a group with a block neither sees what the other writes, nor its reactions and what answers it
SELECT id AS g1 FROM roost.message_create(6102, NULL, 6100, 'by 2') \gset
SELECT id AS g2 FROM roost.message_create(6103, NULL, 6100, 'by 3, to 2', NULL, :g1) \gset
SELECT reactions FROM roost.message_react(6102, :g2, 'x');
SELECT id IN (:g2), text, reply_to, reactions FROM roost.message_list(6101, 6100, 1);
SELECT text, (reply_to).text, reactions FROM roost.message_list(6104, 6100, 2);
SELECT roost.message_get(6101, :g1);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6101, NULL, 6100, 'x', NULL, :g1);
\echo :LAST_ERROR_SQLSTATE
-- in events there is no text of what is answered: not everybody who is told may see it
SELECT (reply_to).id = :g1, (reply_to).text FROM roost_internal.message_row(NULL, 6100, ARRAY[:g2]);

-- who takes no messages, and who is not active
SELECT id AS to4 FROM roost.message_create(6103, '6104', NULL, 'unasked') \gset
UPDATE roost_data.account SET message_policy = 'friends' WHERE id = 6104;
SELECT roost.message_create(6103, '6104', NULL, 'again');
\echo :LAST_ERROR_SQLSTATE
SELECT text FROM roost.message_create(6104, '6103', NULL, 'an answer');
SELECT text FROM roost.message_create(6103, '6104', NULL, 'now we talk');
UPDATE roost_data.account SET status = 'suspended' WHERE id = 6103;
SELECT roost.message_create(6103, NULL, 6100, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_react(6103, :g2, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(6104, '6103', NULL, 'x');
\echo :LAST_ERROR_SQLSTATE

-- an account that is gone has no name
UPDATE roost_data.account SET status = 'deleted', username = 'deleted_6103' WHERE id = 6103;
SELECT text, sender FROM roost.message_get(6104, :g2);

-- the log has each of it once
SELECT kind, account_id, CASE room_id WHEN :direct THEN 'direct' WHEN 6100 THEN 'group' ELSE 'own' END, count(*)
FROM roost_data.feed_trace WHERE conversation_id IN (:direct, 6100) AND kind::text LIKE 'message%' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
ROLLBACK;
