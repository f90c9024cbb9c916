-- What alice and bob (data.sql) do with a database that was updated: all that is new is there for them.
SET client_min_messages = warning;
DO $$
DECLARE
	v_alice constant bigint := (SELECT account_id FROM roost_data.account_handle WHERE username = 'alice');
	v_bob constant bigint := (SELECT account_id FROM roost_data.account_handle WHERE username = 'bob');
	v_message roost.message;
	v_group bigint;
BEGIN
	v_message := roost.message_create(v_alice, recipient_id => '@bob', text => 'after the update', client_id => 'one');
	PERFORM roost.message_react(v_bob, v_message.id, '+'), roost.message_read(v_bob, v_message.id);
	ASSERT (roost.message_get(v_alice, v_message.id)).state = 'read', 'receipts';
	ASSERT (SELECT count(*) FROM roost.message_search(v_bob, q => 'update')) = 1, 'search';
	v_group := (roost.conversation_create(v_bob, 'group', '{@alice}', 'Crew')).id;
	PERFORM roost.invite_create(v_bob, v_group), roost.conversation_member_remove(v_alice, v_group, 'me');
	ASSERT (SELECT count(*) FROM roost.conversation_list(v_bob)) = 2, 'conversations';
	PERFORM roost.friend_request_accept(v_bob, (roost.friend_request_create(v_alice, '@bob')).id);
	ASSERT (SELECT count(*) FROM roost.friend_list(v_alice)) = 1, 'friends';
	ASSERT (SELECT count(*) FROM roost.key_device_list(v_alice)) = 0, 'keys';
	ASSERT jsonb_array_length(roost.account_export(v_alice) -> 'chat' -> 'messages') = 1, 'export';
	PERFORM roost_internal.account_erase(v_alice);
	ASSERT (SELECT (m.sender).id IS NULL FROM roost.message_list(v_bob, v_message.conversation_id) m), 'leaving';
END
$$;
