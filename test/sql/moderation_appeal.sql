-- Appeals: once, by the account concerned, also when it cannot log in; decided by somebody else; overturning undoes.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
-- a day has 24 hours
SET timezone = 'UTC';
BEGIN;

INSERT INTO roost_data.account (id, username, created_at) SELECT 8500 + n, 'appeal_' || n, now() - interval '100 days' FROM generate_series(1, 13) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'appeal_' || n, 8500 + n FROM generate_series(1, 13) n;
INSERT INTO roost_data.account_email (email, account_id, verified_at) SELECT 'appeal_' || n || '@example.org', 8500 + n, now() FROM generate_series(1, 3) n;
INSERT INTO roost_data.account_credential (account_id, password_hash) SELECT 8500 + n, roost_internal.password_hash('correct horse ' || n) FROM generate_series(1, 3) n;
SELECT roost.role_grant('8509', 'moderator'), roost.role_grant('8511', 'admin'), roost.role_grant('8512', 'admin');
SELECT id AS post FROM roost.post_create(8501, 'a post') \gset

-- a post that was removed, by a case
SELECT category FROM roost.report_create(8504, 'spam', post_id => :post);
SELECT id AS case FROM roost_data.moderation_case WHERE subject_id = :post \gset
SELECT id AS removal FROM roost.case_decide(8509, :case, 'remove', 'Advertising.') \gset
SELECT roost.appeal_create(8501, :removal, '  ');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.appeal_create(8504, :removal, 'not mine');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.appeal_create(8501, 1, 'no such');
\echo :LAST_ERROR_SQLSTATE
SELECT id AS appeal, decision_id = :removal AS of_it, text, status, reason, decided_at FROM roost.appeal_create(8501, :removal, ' It was a joke. ') \gset a_
SELECT :'a_of_it' AS of_it, :'a_text' AS text, :'a_status' AS status;
SELECT roost.appeal_create(8501, :removal, 'and again');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM roost_data.moderation_case WHERE id = :case;
SELECT appeal_status, can_appeal FROM roost.decision_get(8501, :removal);
SELECT text, status FROM roost.appeal_list(8501);
SELECT count(*) FROM roost.appeal_list(8504);
-- what waits for an appeal can neither be decided nor reopened
SELECT roost.case_decide(8509, :case, 'dismiss');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_reopen(8509, :case);
\echo :LAST_ERROR_SQLSTATE
SELECT (account).username, status FROM roost.case_list(8509, 'appealed');

-- the queue: for who may
SELECT roost.appeal_queue(8509);
\echo :LAST_ERROR_SQLSTATE
SELECT (account).username, text, (decision).decision, (decision).reason, ((decision).decided_by).username, status FROM roost.appeal_queue(8511);
SELECT count(*) FROM roost.appeal_queue(8511, 'upheld');
SELECT roost.appeal_decide(8509, :a_appeal, 'overturn');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.appeal_decide(8511, 1, 'overturn');
\echo :LAST_ERROR_SQLSTATE

-- overturned: the post is back, reporters are told otherwise
SELECT status, reason, (decided_by).username, (decision).reverted_at IS NOT NULL AS reverted FROM roost.appeal_decide(8511, :a_appeal, 'overturn', 'So it was.');
SELECT roost.appeal_decide(8512, :a_appeal, 'uphold');
\echo :LAST_ERROR_SQLSTATE
SELECT state FROM roost_data.post WHERE id = :post;
SELECT status, outcome FROM roost_data.moderation_case WHERE id = :case;
SELECT outcome FROM roost.report_list(8504);
SELECT text, status, reason FROM roost.appeal_list(8501);
SELECT appeal_status, reverted_at IS NOT NULL AS reverted, can_appeal FROM roost.decision_get(8501, :removal);
SELECT e.kind, (e.account).username FROM roost.case_get(8511, :case) c, unnest(c.events) e;
SELECT strike_count FROM roost.admin_account_get(8511, '8501');
SELECT round(weight::numeric, 1) AS weight FROM roost_data.account_reputation WHERE account_id = 8501 AND kind = 'decision';

-- upheld: all stays
SELECT id AS warning FROM roost.account_moderate(8511, '8501', 'warn', 'Be kind.') \gset
SELECT id AS appeal FROM roost.appeal_create(8501, :warning, 'I was kind.') \gset
-- whoever decided does not decide the appeal, as long as somebody else may
SELECT roost.appeal_decide(8511, :appeal, 'uphold');
\echo :LAST_ERROR_SQLSTATE
SELECT status, reason FROM roost.appeal_decide(8512, :appeal, 'uphold');
SELECT appeal_status, reverted_at FROM roost.decision_get(8501, :warning);
SELECT id AS warning FROM roost.account_moderate(8511, '8501', 'warn', 'Be kind.') \gset
SELECT id AS appeal FROM roost.appeal_create(8501, :warning, 'I was.') \gset
UPDATE roost_data.account SET role = 'user' WHERE role <> 'user' AND id NOT IN (8509, 8511);
SELECT status FROM roost.appeal_decide(8511, :appeal, 'overturn');
SELECT roost.role_grant('8512', 'admin');

-- without a session: the suspended one proves with the password who it is
-- of who is not suspended, the right password is answered like a wrong one
SELECT roost.appeal_create_suspended('appeal_2', 'correct horse 2', 'why?');
\echo :LAST_ERROR_SQLSTATE
SELECT decision FROM roost.account_moderate(8509, '8502', 'limit');
SELECT decision FROM roost.account_moderate(8509, '8502', 'warn', 'First.');
SELECT decision FROM roost.account_moderate(8509, '8502', 'suspend', 'Second.', until => now() + interval '5 days');
SELECT roost.appeal_create_suspended('appeal_2', 'wrong', 'why?');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.appeal_create_suspended('nobody_at_all', 'wrong', 'why?');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.appeal_create(8502, (SELECT max(id) FROM roost_data.moderation_decision WHERE account_id = 8502)::roost.id, 'with an old token');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.appeal_create_suspended('appeal_2', 'correct horse 2', 'why?', :removal);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.appeal_create_suspended('appeal_2', 'correct horse 2', 'why?', (SELECT id FROM roost_data.moderation_decision WHERE account_id = 8502 AND decision = 'limit_account')::roost.id);
\echo :LAST_ERROR_SQLSTATE
SELECT text, status FROM roost.appeal_create_suspended('appeal_2@example.org', 'correct horse 2', 'Please look again.');
SELECT (decision).decision, (decision).reason FROM roost.appeal_queue(8511);
SELECT roost.appeal_create_suspended('appeal_2', 'correct horse 2', 'Please look again.');
\echo :LAST_ERROR_SQLSTATE
SELECT text FROM roost.appeal_create_suspended('appeal_2', 'correct horse 2', 'That, too.', (SELECT id FROM roost_data.moderation_decision WHERE account_id = 8502 AND decision = 'warn')::roost.id);
-- guesses are counted with those of logins
SELECT count(*) FROM (SELECT roost_internal.login_failed(roost_internal.login_key('appeal_3'), '192.0.2.85') FROM generate_series(1, 10)) t;
SELECT roost.appeal_create_suspended('appeal_3', 'correct horse 3', 'why?', client_address => '192.0.2.85');
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.login_unlock(roost_internal.login_key('appeal_3'), '192.0.2.85');
SELECT a.id AS appeal FROM roost.appeal_queue(8511) a WHERE (a.decision).decision = 'suspend' \gset
SELECT status FROM roost.appeal_decide(8511, :appeal, 'overturn');
SELECT status, suspended_until, limited_at IS NOT NULL AS still_limited FROM roost_data.account WHERE id = 8502;
SELECT token_type FROM roost.auth_login('appeal_2', 'correct horse 2');

-- decisions stand one upon the other: undoing one that is covered changes what the next would bring back
SELECT id AS first FROM roost.post_moderate(8509, :post, 'hold') \gset
SELECT id AS second FROM roost.post_moderate(8509, :post, 'remove') \gset
SELECT a.id AS a1 FROM roost.appeal_create(8501, :first, 'first') a \gset
SELECT a.id AS a2 FROM roost.appeal_create(8501, :second, 'second') a \gset
SELECT status FROM roost.appeal_decide(8511, :a1, 'overturn');
SELECT state FROM roost_data.post WHERE id = :post;
SELECT status FROM roost.appeal_decide(8511, :a2, 'overturn');
SELECT state FROM roost_data.post WHERE id = :post;
-- a removal of what was held: it does not go back to waiting
SELECT decision FROM roost.post_moderate(8509, :post, 'hold');
SELECT id AS third FROM roost.post_moderate(8509, :post, 'remove') \gset
SELECT a.id AS a3 FROM roost.appeal_create(8501, :third, 'third') a \gset
SELECT status FROM roost.appeal_decide(8511, :a3, 'overturn');
SELECT state FROM roost_data.post WHERE id = :post;
-- a suspension, then a ban: without the ban the suspension is still there, until its time is over
SELECT id AS s1 FROM roost.account_moderate(8511, '8501', 'suspend', until => now() + interval '5 days') \gset
SELECT id AS s2 FROM roost.account_moderate(8511, '8501', 'ban') \gset
SELECT a.id AS a4 FROM roost.appeal_create_suspended('appeal_1', 'correct horse 1', 'ban') a \gset
SELECT status FROM roost.appeal_decide(8512, :a4, 'overturn');
SELECT status, suspended_until - now() AS rest, roost_internal.email_banned('appeal_1@example.org') AS banned FROM roost_data.account WHERE id = 8501;
SELECT a.id AS a5 FROM roost.appeal_create_suspended('appeal_1', 'correct horse 1', 'suspension', :s1) a \gset
SELECT status FROM roost.appeal_decide(8512, :a5, 'overturn');
SELECT status, suspended_until FROM roost_data.account WHERE id = 8501;
-- labels come back
SELECT decision FROM roost.post_moderate(8509, :post, 'label', labels => '{one}');
SELECT id AS l2 FROM roost.post_moderate(8509, :post, 'label', labels => '{one,two}') \gset
SELECT a.id AS a6 FROM roost.appeal_create(8501, :l2, 'not two') a \gset
SELECT status FROM roost.appeal_decide(8511, :a6, 'overturn');
SELECT labels FROM roost_data.post WHERE id = :post;
-- a post that is gone meanwhile
SELECT id AS r2 FROM roost.post_moderate(8509, :post, 'remove') \gset
SELECT a.id AS a7 FROM roost.appeal_create(8501, :r2, 'too late') a \gset
SELECT count(*) FROM roost.post_delete(8501, :post);
SELECT status FROM roost.appeal_decide(8511, :a7, 'overturn');

-- only so long, only against measures, and not against one's own rank
SELECT id AS lifted FROM roost.account_moderate(8509, '8502', 'suspend', until => now() + interval '5 days') \gset
SELECT id AS lifting FROM roost.account_moderate(8509, '8502', 'restore') \gset
SELECT roost.appeal_create(8502, :lifting, 'thank you');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.moderation_decision SET created_at = now() - interval '31 days' WHERE id = :lifted;
SELECT roost.appeal_create(8502, :lifted, 'late');
\echo :LAST_ERROR_SQLSTATE
SELECT can_appeal FROM roost.decision_get(8502, :lifted);
SELECT id AS w2 FROM roost.account_moderate(8511, '8509', 'warn') \gset
SELECT a.id AS a8 FROM roost.appeal_create(8509, :w2, 'I object') a \gset
SELECT roost.role_set(8511, 'judge', 50, '{appeal.decide}');
SELECT roost.role_grant('8513', 'judge');
SELECT roost.appeal_decide(8513, :a8, 'overturn');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_grant('8509', 'judge');
SELECT count(*) FROM roost.appeal_queue(8509) a WHERE a.id = :a8;
SELECT roost.appeal_decide(8509, :a8, 'overturn');
\echo :LAST_ERROR_SQLSTATE

-- mails, taking along, leaving
SELECT j.kind, count(*) FROM roost_data.job j WHERE j.queue = 'mail' AND j.kind LIKE 'appeal%' GROUP BY 1 ORDER BY 1;
SELECT jsonb_array_length(e->'appeals') AS appeals, e->'appeals'->0->>'text' AS first FROM roost_internal.moderation_export(8501) e;
SELECT a.status, a.text FROM roost_data.moderation_appeal a WHERE a.account_id = 8502 ORDER BY a.id;
SELECT roost_internal.account_erase(8502);
SELECT a.status, a.text FROM roost_data.moderation_appeal a WHERE a.account_id = 8502 ORDER BY a.id;

ROLLBACK;
