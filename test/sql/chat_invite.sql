-- Invitations: who makes them, whom they let in, how often and how long, and whom they do not.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 18300 + n, 'invite_' || n FROM generate_series(1, 40) n;
SELECT id AS chat FROM roost.conversation_create(18301, 'group', '{18302,18303}', 'Open house', 'Come in.') \gset
SELECT count(roost.conversation_member_update(18301, :chat, '18302', 'admin'));

-- admins make and see them; 128 random bits
SELECT code AS any, length(code), title, description, member_count, (created_by).username AS by, expires_at, max_uses, uses FROM roost.invite_create(18302, :chat) \gset
\echo :length :title - :description - :member_count :by :uses
SELECT code AS two, max_uses, expires_at - created_at AS lifetime FROM roost.invite_create(18301, :chat, 3600, 2) \gset
\echo :max_uses :lifetime
SELECT roost.invite_create(18303, :chat);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_create(18304, :chat);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_create(18301, :chat, 59);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_create(18301, :chat, max_uses => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_create(18301, roost_internal.conversation_direct(18301, 18302));
\echo :LAST_ERROR_SQLSTATE
SELECT code = :'two', (created_by).username, max_uses, uses FROM roost.invite_list(18302, :chat);
SELECT code = :'two' AS newest, cursor AS next FROM roost.invite_list(18302, :chat, 1) \gset
\echo :newest
SELECT code = :'any' FROM roost.invite_list(18302, :chat, 1, :'next');
SELECT roost.invite_list(18303, :chat);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_list(18304, :chat);
\echo :LAST_ERROR_SQLSTATE

-- who is not in it sees what it is to, and no more
SELECT conversation_id = :chat, title, description, member_count, created_by, max_uses, uses FROM roost.invite_get(18304, :'two');
SELECT (created_by).username, max_uses, uses FROM roost.invite_get(18303, :'two');
SELECT roost.invite_get(18304, 'AAAAAAAAAAAAAAAAAAAAAA');
\echo :LAST_ERROR_SQLSTATE

-- joining: once, twice is the same, uses are counted
SELECT title, role, member_count, unread_count, (last_message).action, ((last_message).sender).username, (last_message).target FROM roost.invite_join(18304, :'two');
SELECT title, role, member_count FROM roost.invite_join(18304, :'two');
SELECT uses FROM roost.invite_get(18304, :'two');
SELECT member_count FROM roost.invite_join(18305, :'two');
SELECT roost.invite_join(18306, :'two');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_get(18306, :'two');
\echo :LAST_ERROR_SQLSTATE
SELECT member_count FROM roost.invite_join(18304, :'two');
SELECT kind, account_id, target_id FROM roost_data.feed_trace WHERE conversation_id = :chat AND kind = 'member_added' ORDER BY id;
-- a new member sees nothing of before
SELECT m.since_id > (SELECT min(t.id) FROM roost_data.message t WHERE t.conversation_id = :chat) FROM roost_data.conversation_member m WHERE m.conversation_id = :chat AND m.account_id = 18305;

-- who was removed does not come back by it; who left does
SELECT roost.conversation_member_remove(18301, :chat, '18304');
SELECT roost.invite_join(18304, :'any');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_member_remove(18305, :chat, 'me');
SELECT member_count FROM roost.invite_join(18305, :'any');
SELECT count(*) FROM roost.conversation_member_add(18302, :chat, '{18304}');
SELECT roost.conversation_member_remove(18304, :chat, 'me');
SELECT member_count FROM roost.invite_join(18304, :'any');

-- revoked, expired
SELECT roost.invite_revoke(18303, :chat, :'any');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_revoke(18301, :chat, 'AAAAAAAAAAAAAAAAAAAAAA');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_revoke(18301, :chat, :'any');
SELECT roost.invite_revoke(18301, :chat, :'any');
SELECT roost.invite_join(18307, :'any');
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.clock_freeze('2020-01-01 12:00:00Z');
SELECT code AS hour, expires_at FROM roost.invite_create(18301, :chat, 3600) \gset
\echo :expires_at
SELECT title FROM roost.invite_get(18307, :'hour');
SELECT roost_internal.clock_freeze('2020-01-01 13:00:00Z');
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT roost.invite_join(18307, :'hour');
\set VERBOSITY terse
\echo :LAST_ERROR_SQLSTATE
-- maintenance keeps what has ended for 30 days
SELECT roost_internal.conversation_maintenance() IS NOT NULL;
SELECT count(*) FROM roost_data.conversation_invite WHERE code = :'hour';
SELECT roost_internal.clock_freeze('2020-02-01 13:00:00Z');
SELECT roost_internal.conversation_maintenance() IS NOT NULL;
SELECT count(*) FROM roost_data.conversation_invite WHERE code = :'hour';
SELECT roost_internal.clock_freeze(NULL);

-- limits: of invitations, of the group, of the account
SELECT code AS last FROM roost.invite_create(18301, :chat) \gset
SET roost.invite_max = 2;
SELECT count(roost.invite_create(18301, :chat));
SELECT roost.invite_create(18301, :chat);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_revoke(18301, :chat, :'last');
SELECT code AS gone FROM roost.invite_create(18301, :chat) \gset
SELECT roost.invite_delete(18307, :'gone');
SELECT roost.invite_delete(18303, :'gone');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_delete(18301, :'gone');
SELECT roost.invite_get(18307, :'gone');
SELECT code AS last FROM roost.invite_create(18301, :chat) \gset
SET roost.group_max_members = 5;
SELECT roost.invite_join(18307, :'last');
\echo :LAST_ERROR_SQLSTATE
SELECT uses FROM roost.invite_get(18301, :'last');
SET roost.group_max_members = 6;
SET roost.conversation_max = 1;
SELECT count(roost.conversation_create(18307, 'group'));
SELECT roost.invite_join(18307, :'last');
\echo :LAST_ERROR_SQLSTATE
SELECT member_count FROM roost.invite_join(18308, :'last');

-- into a group that nobody is left in nobody comes
SELECT count(*) FROM (SELECT roost.conversation_member_remove(account_id, conversation_id, 'me') FROM roost_data.conversation_member WHERE conversation_id = :chat) t;
SELECT roost.invite_join(18309, :'last');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.invite_get(18309, :'last');
\echo :LAST_ERROR_SQLSTATE

ROLLBACK;
