-- What hostile and careless callers try with conversations.
\set VERBOSITY terse
SET client_min_messages = warning;
SET roost.password_memory = '1MB';
SET roost.limit_enabled = off;
SET roost.moderation_enabled = off;
SELECT ((roost.auth_register('hostile' || n, 'hostile' || n || '@example.org', 'a fine password')).account).id AS id FROM generate_series(1, 4) n ORDER BY 1 \g (format=unaligned) /dev/null
SELECT id AS ada FROM roost_data.account WHERE username = 'hostile1' \gset
SELECT id AS bob FROM roost_data.account WHERE username = 'hostile2' \gset
SELECT id AS cat FROM roost_data.account WHERE username = 'hostile3' \gset
SELECT id AS dan FROM roost_data.account WHERE username = 'hostile4' \gset
SELECT id AS room FROM roost.conversation_create(:ada, 'group', ARRAY[:'bob', :'cat']::roost.account_ref[], 'the room') \gset
SELECT id AS said FROM roost.message_create(:bob, conversation_id => :room, text => 'something to react to') \gset

-- reactions that nobody sees, or that turn the text beside them around
SELECT roost.message_react(:ada, :said, E'\u200b');
SELECT roost.message_react(:ada, :said, E'\u200d');
SELECT roost.message_react(:ada, :said, E'\ufe0f');
SELECT roost.message_react(:ada, :said, E'\u202eabc');
SELECT roost.message_react(:ada, :said, E'\u2066abc');
SELECT reactions FROM roost.message_react(:ada, :said, E'\U0001F469\u200D\U0001F692');
SELECT reactions FROM roost.message_react(:ada, :said, E'\u2764\uFE0F');
SELECT reactions FROM roost.message_react(:ada, :said, E'\u0645\u200C\u0646');

-- an owner that is suspended rules no more, whatever its sessions still say
UPDATE roost_data.account SET status = 'suspended' WHERE id = :ada;
SELECT id FROM roost.conversation_update(:ada, :room, title => 'ruled from outside');
SELECT code FROM roost.invite_create(:ada, :room);
SELECT role FROM roost.conversation_member_update(:ada, :room, :'bob', 'owner');
SELECT roost.conversation_member_remove(:ada, :room, :'cat');
SELECT roost.message_delete(:ada, :said, :room, 'everyone');
UPDATE roost_data.account SET status = 'active' WHERE id = :ada;
SELECT title, member_count, (last_message).deleted_at IS NULL FROM roost.conversation_get(:bob, :room);

-- a member that has blocked an admin stays one, and keeps nobody else out
SELECT blocking FROM roost.account_block(:bob, :'ada');
SELECT (account).username, role FROM roost.conversation_member_add(:ada, :room, ARRAY[:'bob', :'dan']::roost.account_ref[]);
SELECT roost.conversation_member_remove(:bob, :room, 'me');
SELECT role FROM roost.conversation_member_add(:ada, :room, ARRAY[:'bob']::roost.account_ref[]);
SELECT blocking FROM roost.account_unblock(:bob, :'ada');
SELECT (account).username FROM roost.conversation_member_add(:ada, :room, ARRAY[:'bob']::roost.account_ref[]);

-- what an account has set goes along, and goes with it
SELECT roost.chat_settings_set(:dan, false);
SELECT roost.account_export(:dan) #> '{chat,read_receipts}';
SELECT roost.account_delete(:dan, 'a fine password');
SELECT count(*) FROM roost_data.chat_setting WHERE account_id = :dan;

-- no message outlives its deletion among the answers that are kept to be given again
SELECT (roost.auth_login('hostile1', 'a fine password')).access_token AS token \gset
SELECT left(roost.handle('POST', '/messages', '', E'content-type: application/json\nidempotency-key: once\nauthorization: Bearer ' || :'token',
	format('{"conversation_id": "%s", "text": "burn after reading"}', :'room'), '192.0.2.71'), 3) FROM generate_series(1, 2);
SELECT count(*), bool_or(k::text ~ encode('burn after', 'hex')) FROM roost_data.idempotency_key k WHERE k.owner = 'account:' || :'ada';
SELECT count(*) FROM roost.message_list(:bob, :room) WHERE text ~ 'burn';

SELECT roost_internal.account_erase(id) FROM roost_data.account WHERE username ~ '^hostile';
SELECT roost_internal.conversation_maintenance() > 0;
