-- Groups: making and changing them, members and roles, who may do what, limits, leaving and removing.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 18200 + n, 'group_' || n FROM generate_series(1, 40) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'group_' || n, 18200 + n FROM generate_series(1, 40) n;
UPDATE roost_data.account SET message_policy = 'friends' WHERE id = 18209;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (18208, 18201, 1), (18206, 18205, 2);

CREATE FUNCTION pg_temp.roles(conversation bigint) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(m.account_id - 18200 || CASE m.role WHEN 'owner' THEN '*' WHEN 'admin' THEN '+' ELSE '' END, ' ' ORDER BY m.account_id) || ' (' || max(c.member_count) || ')'
	FROM roost_data.conversation c LEFT JOIN roost_data.conversation_member m ON m.conversation_id = c.id WHERE c.id = conversation $$;
CREATE FUNCTION pg_temp.history(conversation bigint, after bigint DEFAULT 0) RETURNS TABLE (sender bigint, action roost.message_action, target bigint, detail jsonb) LANGUAGE sql AS
	$$ SELECT m.sender_id - 18200, m.action, m.target_id - 18200, m.detail FROM roost_data.message m WHERE m.conversation_id = conversation AND m.id > after ORDER BY m.id $$;

CREATE FUNCTION pg_temp.told(kind roost.feed_kind, account bigint, conversation bigint, message bigint, target bigint) RETURNS bigint[] LANGUAGE sql AS
	$$ SELECT array_agg(t - 18200 ORDER BY t) FROM unnest(roost_internal.conversation_told(kind, account, conversation, message, target)) t $$;

-- the maker owns it; members are named once, by id or name; the history begins with it
SELECT id AS chat, last_message, title, description, avatar_url, member_count, role, can_send
FROM roost.conversation_create(18201, 'group', '{18202,@Group_3,18203,18201,18204}', ' The five ', 'We are four.', 'https://a.example/g.png') \gset
\echo :title - :description - :avatar_url - :member_count :role :can_send
SELECT pg_temp.roles(:chat);
SELECT * FROM pg_temp.history(:chat);
SELECT kind, account_id, room_id = :chat FROM roost_data.feed_trace WHERE conversation_id = :chat ORDER BY id;
SELECT title, role, unread_count, (last_message).action FROM roost.conversation_list(18203);
SELECT title, member_count FROM roost.conversation_create(18210, 'group');
-- not with who is blocked, does not want it, is not there
SELECT roost.conversation_create(18201, 'group', '{18202,18208}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_create(18201, 'group', '{18202,18209}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT roost.conversation_create(18201, 'group', '{18202,18299}');
\set VERBOSITY terse
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_create(18201, 'group', (SELECT array_agg(n::text) FROM generate_series(1, 101) n)::roost.account_ref[]);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost_data.conversation_member WHERE account_id = 18202;

-- admins change it, members do not; what has changed is told once
SELECT roost.conversation_update(18202, :chat, title => 'Mine');
\echo :LAST_ERROR_SQLSTATE
SELECT role FROM roost.conversation_member_update(18201, :chat, '18202', 'admin');
SELECT title, description, avatar_url, expire_after FROM roost.conversation_update(18202, :chat, title => 'Ours', description => 'We are four.', avatar_url => '', expire_after => 86400);
SELECT title FROM roost.conversation_update(18202, :chat, title => 'Ours', expire_after => 86400);
SELECT * FROM pg_temp.history(:chat) OFFSET 1;
SELECT kind, account_id, target_id FROM roost_data.feed_trace WHERE conversation_id = :chat ORDER BY id OFFSET 1;

-- adding: admins, those who let them; all or none; who is there already is no error
SELECT roost.conversation_member_add(18203, :chat, '{18205}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_add(18211, :chat, '{18209}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_add(18202, :chat, '{18205,18209}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_add(18201, :chat, '{18205,18208}');
\echo :LAST_ERROR_SQLSTATE
SELECT last_message_id AS last FROM roost_data.conversation WHERE id = :chat \gset
SELECT roost.conversation_member_add(18202, :chat);
\echo :LAST_ERROR_SQLSTATE
SELECT (account).username, role, read_id FROM roost.conversation_member_add(18202, :chat, '{18205,@group_6}', account_id => '18203');
SELECT pg_temp.roles(:chat);
SELECT * FROM pg_temp.history(:chat, :last);
-- a new member sees what comes since then, its own coming as the first
SELECT account_id, since_id = :last FROM roost_data.conversation_member WHERE conversation_id = :chat AND account_id >= 18205 ORDER BY 1;
SELECT unread_count, (last_message).action, ((last_message).target).username FROM roost.conversation_get(18205, :chat);
SELECT pg_temp.told('message_created', 18201, :chat, :last, NULL);
-- with a block between them neither is told what the other writes; who comes and goes all are
SELECT (roost.message_create(18205, conversation_id => :chat, text => 'five here')).id AS five \gset
SELECT pg_temp.told('message_created', 18205, :chat, :five, NULL);
SELECT pg_temp.told('member_added', 18205, :chat, :five, 18206);
SELECT pg_temp.told('conversation_updated', 18201, :chat, :last, NULL);
SELECT unread_count, (last_message).text FROM roost.conversation_get(18206, :chat);
SELECT unread_count, (last_message).text FROM roost.conversation_get(18204, :chat);
SELECT j - 'conversation_id' - 'joined_at' #- '{member,joined_at}' FROM (SELECT roost_internal.conversation_event('member_added', 1, 18202, :chat, NULL, 18205)::jsonb) t (j);

-- the list of members: owners, admins, members, in pages; markers, but not of those with a block between
UPDATE roost_data.conversation_member SET read_id = :five, receipt_id = :five WHERE conversation_id = :chat AND account_id IN (18204, 18206);
UPDATE roost_data.conversation_member SET delivered_id = :five WHERE conversation_id = :chat AND account_id = 18203;
SELECT (account).username, role, read_id = :five AS read, delivered_id = :five AS delivered FROM roost.conversation_member_list(18205, :chat);
SELECT (account).username, cursor AS next FROM roost.conversation_member_list(18205, :chat, 1) \gset
SELECT (account).username FROM roost.conversation_member_list(18205, :chat, 2, :'next');
SELECT roost.conversation_member_list(18211, :chat);
\echo :LAST_ERROR_SQLSTATE

-- roles are for owners to give; there is always one
SELECT roost.conversation_member_update(18202, :chat, '18203', 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_update(18201, :chat, 'me', 'member');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_update(18201, :chat, '18207', 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT role FROM roost.conversation_member_update(18201, :chat, '@group_3', 'owner');
SELECT role FROM roost.conversation_member_update(18203, :chat, '18201', 'admin');
SELECT role FROM roost.conversation_member_update(18203, :chat, '18204', 'admin');
SELECT pg_temp.roles(:chat);

-- removing: admins remove members, an owner anybody; who was removed stays out; again is nothing
SELECT last_message_id AS last FROM roost_data.conversation WHERE id = :chat \gset
SELECT roost.conversation_member_remove(18205, :chat, '18206');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_remove(18201, :chat, '18202');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_remove(18201, :chat, '18203');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_remove(18201, :chat, '18206');
SELECT roost.conversation_member_remove(18201, :chat, '18206');
SELECT roost.conversation_member_remove(18203, :chat, '18204');
SELECT roost.conversation_get(18206, :chat);
\echo :LAST_ERROR_SQLSTATE
SELECT account_id, banned_by FROM roost_data.conversation_ban WHERE conversation_id = :chat ORDER BY 1;
SELECT pg_temp.roles(:chat);
SELECT * FROM pg_temp.history(:chat, :last);
SELECT room_id = :chat AS group, CASE WHEN room_id <> :chat THEN room_id - 18200 END AS room, account_id - 18200 AS by, target_id - 18200 AS gone FROM roost_data.feed_trace WHERE conversation_id = :chat AND kind = 'member_removed' ORDER BY id;
SELECT pg_temp.told('member_removed', 18201, :chat, NULL, 18206), roost_internal.conversation_event('member_removed', 1, 18201, :chat, NULL, 18206)::jsonb - 'conversation_id';
SELECT count(*) FROM roost.conversation_member_add(18203, :chat, '{18206}');
SELECT account_id FROM roost_data.conversation_ban WHERE conversation_id = :chat ORDER BY 1;

-- leaving: the last owner makes the longest-standing admin one, else a member, the active before the suspended
UPDATE roost_data.conversation_member SET joined_at = now() + account_id * interval '1 second' WHERE conversation_id = :chat;
UPDATE roost_data.account SET status = 'suspended' WHERE id = 18201;
SELECT roost.conversation_member_remove(18203, :chat, 'me');
SELECT pg_temp.roles(:chat);
SELECT roost.conversation_member_remove(18203, :chat, 'me');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_remove(18202, :chat, '18201');
SELECT roost.conversation_member_remove(18202, :chat, '18202');
SELECT pg_temp.roles(:chat);
SELECT * FROM pg_temp.history(:chat) OFFSET 15;
SELECT roost.conversation_member_remove(18205, :chat, 'me');
SELECT roost.conversation_member_remove(18206, :chat, 'me');
SELECT pg_temp.roles(:chat);
-- nobody is left: it goes, with all that was in it
SELECT pg_temp.told('member_removed', 18206, :chat, NULL, 18206), roost_internal.conversation_event('conversation_updated', 1, 18206, :chat, NULL, NULL) IS NULL;
SELECT count(*) > 0 FROM roost_data.message WHERE conversation_id = :chat;
SELECT roost_internal.conversation_maintenance() > 0;
SELECT count(*) FROM roost_data.message WHERE conversation_id = :chat;
SELECT count(*) FROM roost_data.conversation WHERE id = :chat;

-- a direct conversation is no group
SELECT roost_internal.conversation_direct(18211, 18212) AS direct \gset
SELECT roost.conversation_member_add(18211, :direct, '{18213}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_remove(18211, :direct, 'me');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_update(18211, :direct, 'me', 'owner');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost.conversation_member_list(18211, :direct);

-- how many there may be
SET roost.group_max_members = 3;
SET roost.conversation_max = 2;
SELECT id AS small FROM roost.conversation_create(18221, 'group', '{18222,18223}') \gset
SELECT roost.conversation_create(18221, 'group', '{18222,18223,18224}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_add(18221, :small, '{18224}');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost.conversation_member_add(18221, :small, '{18223}');
SELECT count(roost.conversation_create(18221, 'group'));
SELECT roost.conversation_create(18221, 'group');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_create(18225, 'group', '{18221}');
\echo :LAST_ERROR_SQLSTATE
SELECT count(roost.conversation_create(18221, 'direct', '{18225}'));
-- others add an account to three quarters of them, the rest is its own
SET roost.conversation_max = 4;
SELECT count(roost.conversation_create(18225, 'group', '{18221}'));
SELECT roost.conversation_create(18225, 'group', '{18221}');
\echo :LAST_ERROR_SQLSTATE
SELECT count(roost.conversation_create(18221, 'group'));

-- a title of which nothing would be seen is none
RESET roost.conversation_max;
SELECT count(*) FILTER (WHERE title = '' AND description = '') FROM unnest(ARRAY['   ', E'\u00a0\u3000', E'\u200b \ufeff', E'\u2800', E'\u3164', E'\u00ad']) t,
	LATERAL roost.conversation_create(18230, 'group', '{}', t, t);
SELECT id AS plain FROM roost.conversation_create(18230, 'group', '{18231,18232}', E' Fam\u00edlia \u2764\ufe0f ') \gset
SELECT title = E'Fam\u00edlia \u2764\ufe0f' FROM roost.conversation_get(18230, :plain);
SELECT title, description FROM roost.conversation_update(18230, :plain, title => E'\u200b\u200b');
-- what a kind and accounts may not be
SELECT roost.conversation_create(18230, NULL, '{18231}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_add(18230, :plain, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT member_count FROM roost.conversation_create(18230, 'group', NULL);
-- an owner that is suspended is none: the last active one cannot resign, and has an heir when it leaves
SELECT role FROM roost.conversation_member_update(18230, :plain, '@group_31', 'owner');
UPDATE roost_data.account SET status = 'suspended' WHERE id = 18231;
SELECT roost.conversation_member_update(18230, :plain, 'me', 'member');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_remove(18230, :plain, 'me');
SELECT pg_temp.roles(:plain);
SELECT roost.conversation_member_remove(18232, :plain, 'me');
SELECT pg_temp.roles(:plain);
UPDATE roost_data.account SET status = 'active' WHERE id = 18231;
SELECT role FROM roost.conversation_get(18231, :plain);
-- and goes by name, too
SELECT role FROM roost.conversation_member_add(18231, :plain, '{18233}');
UPDATE roost_data.account SET status = 'suspended' WHERE id = 18233;
SELECT roost.conversation_member_remove(18231, :plain, '@group_33');
SELECT pg_temp.roles(:plain);
-- but to who meets it nowhere it does not exist
SELECT roost.conversation_member_remove(18231, :plain, '@group_33');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_remove(18231, :plain, '18233');
\echo :LAST_ERROR_SQLSTATE

ROLLBACK;
