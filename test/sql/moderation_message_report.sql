-- Reports of messages: who can report what, what moderators are shown, what they decide, and appeals.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset footer off
BEGIN;
SET LOCAL roost.limit_enabled = off;
INSERT INTO roost_data.account (id, username, created_at) SELECT 75000 + n, 'mr_' || n, now() - interval '10 days' FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 75001 AND 75009;
SELECT roost.role_grant('75008', 'moderator'), roost.role_grant('75009', 'admin');
-- 1 and 2 write to each other; 1, 2, 3 and 4 are in a group, 4 since later, with a block between 1 and 5
SELECT conversation_id AS direct FROM roost.message_create(75001, '75002', text => 'one') \gset
SELECT count(roost.message_create(CASE n % 2 WHEN 0 THEN 75002 ELSE 75001 END, conversation_id => :direct, text => 'line ' || n)) FROM generate_series(1, 7) n;
SELECT id AS rude FROM roost.message_create(75001, conversation_id => :direct, text => 'something rude', media => '[{"type": "image", "url": "https://example.org/a.png"}]') \gset
SELECT count(roost.message_create(75002, conversation_id => :direct, text => 'after it'));
INSERT INTO roost_data.conversation (id, kind, title, member_count) VALUES (7501, 'group', 'the group', 5);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT 7501, 75000 + n FROM unnest('{1,2,3,5}'::integer[]) n;
SELECT id AS earlier FROM roost.message_create(75003, conversation_id => 7501, text => 'before 4 came') \gset
INSERT INTO roost_data.conversation_member (conversation_id, account_id, since_id) VALUES (7501, 75004, :earlier);
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (75005, 75001, 1);
SELECT id AS by_5 FROM roost.message_create(75005, conversation_id => 7501, text => 'by 5') \gset
SELECT id AS in_group FROM roost.message_create(75001, conversation_id => 7501, text => 'to the group') \gset
SELECT id AS by_3 FROM roost.message_create(75003, conversation_id => 7501, text => 'by 3') \gset

-- one reports what one sees, of others
SELECT roost.report_create(75003, 'spam', message_id => :rude);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(75004, 'spam', message_id => :earlier);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(75005, 'spam', message_id => :in_group);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(75001, 'spam', message_id => :rude);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(75002, 'spam', message_id => :rude, conversation_id => 7501);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(75002, 'spam', '75003', message_id => :rude);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(75002, 'spam', post_id => 1, message_id => :rude);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(75002, 'nonsense', message_id => :rude);
\echo :LAST_ERROR_SQLSTATE
SELECT subject_type, subject_id = :rude AS same, (account).username, status FROM roost.report_create(75002, 'harassment', message_id => :rude, comment => 'again');

-- moderators are shown the message and five before it, and nothing that was said later
SELECT id AS case FROM roost_data.moderation_case WHERE subject_type = 'message' AND subject_id = :rude \gset
SELECT (snapshot ->> 'conversation_id')::bigint = :direct AS place, snapshot ->> 'kind' AS kind, snapshot ->> 'username' AS username, snapshot ->> 'text' AS text, jsonb_array_length(snapshot -> 'media') AS media,
	jsonb_path_query_array(snapshot, '$.before[*].text') AS before, jsonb_path_query_array(snapshot, '$.before[*].username') AS by, (account).username AS about, post ->> 'state' AS state, post ? 'text' AS live_text
FROM roost.case_get(75008, :case);
SELECT text FROM roost.message_update(75001, :rude, text => 'something nice');
SELECT snapshot ->> 'text' AS text, post ->> 'edited_at' IS NOT NULL AS edited FROM roost.case_get(75008, :case);
SELECT roost.message_list(75008, :direct);
SELECT roost.message_get(75008, :rude);
-- each reporter shows what it sees: 5 nothing of 1
SELECT count(roost.report_create(75002, 'spam', message_id => :by_3)), count(roost.report_create(75005, 'spam', message_id => :by_3)), count(roost.report_create(75004, 'spam', message_id => :by_3));
SELECT (r.reporter).username, jsonb_path_query_array(coalesce(r.snapshot, c.snapshot), '$.before[*].text') AS before
FROM roost_data.moderation_case k, roost.case_get(75008, k.id::roost.id) c, unnest(c.reports) r WHERE k.subject_id = :by_3 AND k.subject_type = 'message' ORDER BY 1;

-- what can be decided: not what posts can be
SELECT roost.case_decide(75008, :case, 'limit');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(75008, :case, 'label', labels => '{graphic}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(75008, :case, 'restore');
\echo :LAST_ERROR_SQLSTATE
SELECT count(roost.message_react(75002, :rude, '👍')) AS reacted;
SELECT id, decision, subject_type, told FROM roost.case_decide(75008, :case, 'remove', 'Be kind.') \gset d_
SELECT :'d_decision' AS decision, :'d_subject_type' AS about, :'d_told' AS told;
SELECT text, media, deleted_at IS NOT NULL AS deleted, reactions FROM roost.message_get(75002, :rude);
SELECT decision, subject_type, reason, can_appeal FROM roost.decision_list(75001);
SELECT status, outcome FROM roost.report_list(75002) WHERE subject_id = :rude;
SELECT kind, count FROM roost_data.account_reputation WHERE account_id = 75001;
SELECT action, object_type, actor_id FROM roost_data.audit_entry WHERE object_id = :'rude' OR action LIKE 'case.decide' AND actor_id = 75008 ORDER BY id;
SELECT count(*) FROM roost_data.audit_entry e WHERE e::text LIKE '%something nice%';
-- an appeal that is granted brings it back, as it was when it was removed
SELECT id AS appeal FROM roost.appeal_create(75001, :d_id, 'it was nice') \gset
SELECT status FROM roost.appeal_decide(75009, :appeal, 'overturn');
SELECT text, jsonb_array_length(media) AS media, deleted_at IS NULL AS back FROM roost.message_get(75002, :rude);
SELECT count FROM roost_data.account_reputation WHERE account_id = 75001;

-- removed again, and restored by a moderator; nothing is restored that its sender has deleted
SELECT (roost.case_reopen(75008, :case)).status;
SELECT decision FROM roost.case_decide(75008, :case, 'remove');
SELECT (roost.case_reopen(75008, :case)).status;
SELECT decision FROM roost.case_decide(75008, :case, 'restore');
SELECT text FROM roost.message_get(75002, :rude);
SELECT roost.message_delete(75001, :rude, "for" => 'everyone');
SELECT (roost.case_reopen(75008, :case)).status;
SELECT decision FROM roost.case_decide(75008, :case, 'remove');
SELECT (roost.case_reopen(75008, :case)).status;
SELECT roost.case_decide(75008, :case, 'restore');
SELECT text FROM roost.message_get(75002, :rude);
-- a warning or a suspension is about the sender
SELECT (account).username, decision FROM roost.case_decide(75008, :case, 'suspend', until => now() + interval '1 day');

-- an encrypted message: that there is one, and what the reporter says
INSERT INTO roost_data.message (id, conversation_id, sender_id, encrypted) SELECT roost_internal.id_next(7501), 7501, 75003, true RETURNING id AS sealed \gset
SELECT subject_type FROM roost.report_create(75002, 'hate', message_id => :sealed, evidence => 'what it said');
SELECT c.snapshot ->> 'encrypted' AS encrypted, c.snapshot ? 'text' AS text, c.snapshot ? 'before' AS before, (c.reports[1]).evidence
FROM roost_data.moderation_case k, roost.case_get(75008, k.id::roost.id) c WHERE k.subject_id = :sealed AND k.subject_type = 'message';
-- what nobody wrote cannot be reported
INSERT INTO roost_data.message (id, conversation_id, sender_id, action) SELECT roost_internal.id_next(7501), 7501, 75003, 'updated' RETURNING id AS told \gset
SELECT roost.report_create(75002, 'hate', message_id => :told);
\echo :LAST_ERROR_SQLSTATE
-- whose message is gone when it comes to it
DELETE FROM roost_data.message WHERE id = :sealed AND conversation_id = 7501;
SELECT roost.case_decide(75008, (SELECT id FROM roost_data.moderation_case WHERE subject_id = :sealed)::roost.id, 'remove');
\echo :LAST_ERROR_SQLSTATE
-- texts go with the case
UPDATE roost_data.moderation_case SET status = 'closed', updated_at = now() - interval '1 year' WHERE id = :case;
SELECT roost_internal.moderation_maintenance() > 0 AS purged;
SELECT count(*) FROM roost_data.moderation_decision WHERE subject_id = :rude AND undo::text LIKE '%nice%';
ROLLBACK;
