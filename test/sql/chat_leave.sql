-- What an account takes along of its conversations, and what becomes of them when it is deleted.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 18400 + n, 'away_' || n FROM generate_series(1, 9) n;
SELECT id AS chat FROM roost.conversation_create(18401, 'group', '{18402,18403}', 'Crew') \gset
SELECT roost_internal.conversation_direct(18401, 18402) AS direct, roost_internal.conversation_direct(18401, 18403) AS both \gset
SELECT count(roost.message_create(18401, conversation_id => c, text => 'from one')), count(roost.message_create(18402, conversation_id => c, text => 'from two'))
FROM unnest(ARRAY[:chat, :direct]) c;
SELECT (roost.message_create(18401, conversation_id => :both, text => 'to three')).id AS three \gset
INSERT INTO roost_data.message_reaction (conversation_id, message_id, account_id, reaction)
SELECT conversation_id, id, 18401, '+' FROM roost_data.message WHERE conversation_id = :direct AND sender_id = 18402;
SELECT count(roost.conversation_settings(18401, :direct, pinned => true));

-- what it has set, written and reacted; not what others wrote
SELECT jsonb_agg(c - 'id' - 'joined_at') FROM jsonb_array_elements(roost_internal.chat_export(18401) -> 'conversations') c;
SELECT jsonb_agg(m - 'id' - 'conversation_id' - 'created_at') FROM jsonb_array_elements(roost_internal.chat_export(18401) -> 'messages') m;
SELECT jsonb_agg(r - 'message_id' - 'at') FROM jsonb_array_elements(roost_internal.chat_export(18401) -> 'reactions') r;
SELECT roost.account_export(18402) -> 'chat' ? 'messages';
-- nor what it has deleted, for itself or for everyone, what has disappeared, and the content of what is encrypted
SELECT count(roost.message_create(18402, conversation_id => :chat, text => t)) FROM unnest('{hidden,erased,gone,sealed}'::text[]) t;
SELECT roost.message_delete(18402, m.id, :chat, CASE m.text WHEN 'hidden' THEN 'me' ELSE 'everyone' END::roost.message_scope) FROM roost_data.message m WHERE m.conversation_id = :chat AND m.text IN ('hidden', 'erased');
UPDATE roost_data.message SET expires_at = now() WHERE conversation_id = :chat AND text = 'gone';
UPDATE roost_data.message SET text = NULL, encrypted = true WHERE conversation_id = :chat AND text = 'sealed';
SELECT m - 'id' - 'conversation_id' - 'created_at' FROM jsonb_array_elements(roost_internal.chat_export(18402) -> 'messages') m;
-- of a conversation it takes what it sees; what comes while it turns pages comes last, and nothing comes twice
SELECT array_agg(m.id ORDER BY m.id) AS first, max(m.id) AS last FROM roost.conversation_export(18402, :chat, 2) m \gset
SELECT (roost.message_create(18401, conversation_id => :chat, text => 'meanwhile')).id AS meanwhile \gset
SELECT (roost.message_delete(18401, (SELECT min(m.id) FROM roost_data.message m WHERE m.conversation_id = :chat AND m.text = 'from one'), :chat, 'everyone')) IS NULL AS deleted \gset ignore_
SELECT m.action, m.text, m.encrypted, m.deleted_at IS NOT NULL AS deleted, m.id = ANY (:'first'::bigint[]) AS again, m.id = :meanwhile AS meanwhile FROM roost.conversation_export(18402, :chat, 100, :'last') m;
SELECT count(*) FROM roost.conversation_export(18402, :chat, 100, :'meanwhile');
SELECT roost.conversation_clear(18401, :both);
SELECT jsonb_array_length(roost_internal.chat_export(18401) -> 'messages');
SELECT roost_internal.chat_export(18409);

-- gone: its groups have another owner, the others keep the history, without a name
SELECT roost_internal.account_erase(18401);
SELECT account_id, role FROM roost_data.conversation_member WHERE conversation_id = :chat ORDER BY 1;
SELECT count(*) FROM roost_data.conversation_member WHERE account_id = 18401;
SELECT count(*) FROM roost_data.message_reaction WHERE account_id = 18401;
SELECT member_count, members, can_send, (last_message).text, (last_message).sender IS NULL FROM roost.conversation_get(18403, :both);
SELECT roost.conversation_create(18403, 'direct', '{18401}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(18403, conversation_id => :both, text => 'anybody there?');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost.conversation_list(18403);

-- when the second is gone, too, so is the conversation
SELECT count(*) FROM roost_data.message WHERE conversation_id = :both;
SELECT roost_internal.account_erase(18403);
SELECT roost_internal.conversation_maintenance() > 0;
SELECT count(*) FROM roost_data.message WHERE conversation_id = :both;
SELECT count(*) FROM roost_data.conversation_direct WHERE conversation_id = :both;
SELECT member_count FROM roost.conversation_get(18402, :chat);

ROLLBACK;
