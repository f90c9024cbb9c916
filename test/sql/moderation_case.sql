-- Cases: the queue, looking at one, assigning, noting, deciding once, reopening; and who may not.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username, created_at) SELECT 98900 + n, 'case_' || n, now() - interval '10 days' FROM generate_series(1, 12) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'case_' || n, 98900 + n FROM generate_series(1, 12) n;
INSERT INTO roost_data.account_stat (account_id, slot, follower_count) VALUES (98904, 0, 999);
SELECT roost.role_grant('98909', 'moderator'), roost.role_grant('98910', 'moderator'), roost.role_grant('98911', 'admin');
SELECT id AS post FROM roost.post_create(98901, 'first text') \gset

-- priority: what is worse, reported by more, or of somebody with more readers comes first
SELECT category FROM roost.report_create(98905, 'spam', '98902');
SELECT category FROM roost.report_create(98905, 'minors', '98903');
SELECT category FROM roost.report_create(98905, 'spam', '98904');
SELECT r.category FROM generate_series(98905, 98907) n, roost.report_create(n::roost.id, 'spam', post_id => :post) r;
SELECT (account).username, category, report_count, priority, status, source, assignee FROM roost.case_list(98909);
SELECT roost_internal.case_priority(20, 1, 0) AS one_report, roost_internal.case_priority(20, 3, 0) AS three, roost_internal.case_priority(20, 1, 999) AS read_by_many;
-- pages: each case once, in order
WITH RECURSIVE page AS (
	(SELECT 1 AS n, c.* FROM roost.case_list(98909, "limit" => 1) c)
	UNION ALL
	SELECT p.n + 1, c.* FROM page p CROSS JOIN LATERAL roost.case_list(98909, "limit" => 1, before => p.cursor::roost.cursor) c
) SELECT n, (account).username FROM page;
SELECT roost.case_list(98909, before => 'nonsense');
\echo :LAST_ERROR_SQLSTATE

-- filters
SELECT (account).username FROM roost.case_list(98909, category => 'minors');
SELECT count(*) FROM roost.case_list(98909, account_id => '@case_1');
SELECT count(*) FROM roost.case_list(98909, subject_type => 'post');
SELECT count(*) FROM roost.case_list(98909, source => 'report');
SELECT count(*) FROM roost.case_list(98909, source => 'spam_filter');
SELECT count(*) FROM roost.case_list(98909, 'unassigned');
SELECT count(*) FROM roost.case_list(98909, 'assigned');
SELECT count(*) FROM roost.case_list(98909, 'decided');

-- who may look
SELECT roost.case_list(98905);
\echo :LAST_ERROR_SQLSTATE
SELECT id AS case FROM roost_data.moderation_case WHERE subject_id = :post \gset
SELECT roost.case_get(98905, :case);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_list(98905, account_id => '@nobody_at_all');
\echo :LAST_ERROR_SQLSTATE

-- looking
SELECT (c).subject_type, (c).report_count, (c).snapshot->>'text' AS text, (c).post->>'state' AS state, ((c).target).username, ((c).target).report_count,
	cardinality((c).reports) AS reports, cardinality((c).events) AS events, (c).decisions, (c).history, (c).verdicts
FROM roost.case_get(98909, :case) c;
SELECT (r.reporter).username, r.category, r.credibility FROM roost.case_get(98909, :case) c, unnest(c.reports) r ORDER BY 1;
SELECT (r.reporter).username FROM roost.case_report_list(98909, :case, 2) r ORDER BY 1;
SELECT roost.case_get(98909, 1);
\echo :LAST_ERROR_SQLSTATE

-- assigning
SELECT status, (assignee).username, version FROM roost.case_assign(98909, :case);
SELECT status, (assignee).username, version FROM roost.case_assign(98909, :case, 'me');
SELECT status, (assignee).username FROM roost.case_assign(98910, :case, '@case_9');
SELECT status, (assignee).username FROM roost.case_assign(98909, :case, '98910');
SELECT count(*) FROM roost.case_list(98910, assignee => 'me');
SELECT count(*) FROM roost.case_list(98909, assignee => '@case_10');
SELECT count(*) FROM roost.case_list(98909, assignee => 'me');
SELECT count(*) FROM roost.case_list(98909, assignee => 'none');
SELECT status, (assignee).username FROM roost.case_assign(98909, :case, 'none');
SELECT roost.case_assign(98909, :case, '98905');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_assign(98909, :case, '@nobody_at_all');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_assign(98905, :case);
\echo :LAST_ERROR_SQLSTATE

-- notes
SELECT kind, (account).username, text FROM roost.case_note(98910, :case, 'seen this one before');
SELECT roost.case_note(98910, :case, ' ');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_note(98905, :case, 'let me in');
\echo :LAST_ERROR_SQLSTATE

-- deciding: once, and what was looked at
SELECT roost.case_decide(98909, :case, 'remove', version => 1);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(98905, :case, 'dismiss');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(98909, :case, 'ban');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(98909, :case, 'suspend');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(98909, :case, 'remove', until => now() + interval '1 day');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(98909, :case, 'remove', labels => '{nude}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(98909, :case, 'remove', category => 'nonsense');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, subject_type, category, reason, note, told, source, (decided_by).username, case_id = :case AS of_case
FROM roost.case_decide(98909, :case, 'remove', 'Advertising.', 'the third time', version => (SELECT version FROM roost_data.moderation_case WHERE id = :case));
SELECT roost.case_decide(98910, :case, 'dismiss');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_assign(98910, :case);
\echo :LAST_ERROR_SQLSTATE
SELECT status, decision, decided_at IS NOT NULL AS decided FROM roost.case_list(98909, 'decided');
SELECT e.kind, (e.account).username, e.text, e.detail - 'decision_id' AS detail FROM roost.case_get(98909, :case) c, unnest(c.events) e;
SELECT outcome, count(*) FROM roost.report_list(98905) GROUP BY 1 ORDER BY 1;
SELECT state FROM roost_data.post WHERE id = :post;

-- reopening
SELECT status, decision, decided_at FROM roost.case_reopen(98910, :case, 'I am not sure');
SELECT roost.case_reopen(98910, :case);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_reopen(98905, :case);
\echo :LAST_ERROR_SQLSTATE
SELECT outcome FROM roost.report_list(98906);
SELECT decision FROM roost.case_decide(98910, :case, 'restore');
SELECT status, outcome FROM roost_data.moderation_case WHERE id = :case;
SELECT outcome FROM roost.report_list(98906);
-- not when another one about the same is open
SELECT subject_type FROM roost.report_create(98906, 'spam', post_id => :post);
SELECT roost.case_reopen(98910, :case);
\echo :LAST_ERROR_SQLSTATE

-- a post that is held waits for release or removal; holding does not end the case
SELECT id AS second FROM roost_data.moderation_case WHERE subject_id = :post AND status = 'open' \gset
SELECT decision, told FROM roost.case_decide(98909, :second, 'hold', 'We look at it.');
SELECT status, decision, outcome FROM roost_data.moderation_case WHERE id = :second;
SELECT roost.case_decide(98909, :second, 'dismiss');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, told FROM roost.case_decide(98909, :second, 'release');
SELECT status, outcome FROM roost_data.moderation_case WHERE id = :second;

-- what was done outside of the case, or by a filter, answers it too, and counts once
SELECT subject_type FROM roost.report_create(98906, 'spam', post_id => :post);
SELECT id AS third FROM roost_data.moderation_case WHERE subject_id = :post AND status = 'open' \gset
SELECT id AS removal FROM roost.post_moderate(98909, :post, 'remove', 'Seen elsewhere.') \gset
SELECT roost.case_decide(98909, :third, 'limit');
\echo :LAST_ERROR_SQLSTATE
SELECT id = :removal AS same, case_id = :third AS of_case, reason FROM roost.case_decide(98910, :third, 'remove', 'Not told, as it was told before.');
SELECT status, outcome FROM roost_data.moderation_case WHERE id = :third;
SELECT strike_count AS strikes FROM roost.admin_account_get(98911, '98901') \gset before_
SELECT decision FROM roost.post_moderate(98909, :post, 'restore');
UPDATE roost_data.post SET state = 'limited' WHERE id = :post;
SELECT roost_internal.case_open('post', :post, 98901, 'spam', 'spam_filter', '{"score": 0.9}') AS fourth \gset
SELECT roost.post_moderate(98909, :post, 'limit');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, case_id = :fourth AS of_case FROM roost.case_decide(98910, :fourth, 'limit');
SELECT strike_count - :before_strikes AS more_strikes FROM roost.admin_account_get(98911, '98901');
SELECT decision FROM roost.post_moderate(98909, :post, 'release');
SELECT decision FROM roost.account_moderate(98909, '98904', 'limit');
SELECT (decided_by).username FROM roost.case_decide(98910, (SELECT id FROM roost_data.moderation_case WHERE subject_id = 98904)::roost.id, 'limit_account');

-- decisions about posts need a post; one that is gone can only be dismissed, or its author be told
SELECT id AS other FROM roost_data.moderation_case WHERE subject_id = 98902 \gset
SELECT roost.case_decide(98909, :other, 'remove');
\echo :LAST_ERROR_SQLSTATE
SELECT id AS gone FROM roost.post_create(98902, 'short-lived') \gset
SELECT subject_type FROM roost.report_create(98906, 'spam', post_id => :gone);
SELECT count(*) FROM roost.post_delete(98902, :gone);
SELECT roost.case_decide(98909, (SELECT id FROM roost_data.moderation_case WHERE subject_id = :gone)::roost.id, 'remove');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, subject_type FROM roost.case_decide(98909, (SELECT id FROM roost_data.moderation_case WHERE subject_id = :gone)::roost.id, 'warn', 'Do not.');

-- nobody handles cases about themselves, nor acts on accounts of the same or a higher rank
SELECT r.category FROM unnest('{98909,98911}'::text[]) n, roost.report_create(98906, 'harassment', n::roost.account_ref) r;
SELECT id AS own FROM roost_data.moderation_case WHERE subject_id = 98909 \gset
SELECT id AS above FROM roost_data.moderation_case WHERE subject_id = 98911 \gset
SELECT count(*) FILTER (WHERE id = :own) AS own, count(*) FILTER (WHERE id = :above) AS above FROM roost.case_list(98909, "limit" => 100);
SELECT roost.case_get(98909, :own);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_report_list(98909, :own);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(98909, :own, 'dismiss');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_note(98909, :own, 'not me');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_assign(98910, :own, '98909');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(98910, :own, 'warn');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_decide(98910, :above, 'limit_account');
\echo :LAST_ERROR_SQLSTATE
SELECT decision FROM roost.case_decide(98911, :own, 'warn', 'Be polite.');
SELECT decision FROM roost.case_decide(98910, :above, 'dismiss');

-- a moderator does not learn of itself what others know: that it is limited, reported, or judged by filters
SELECT subject_type FROM roost.report_create(98905, 'spam', account_id => '98910');
SELECT decision FROM roost.account_moderate(98911, '98910', 'limit');
INSERT INTO roost_data.moderation_verdict (id, at, subject, subject_id, account_id, policy, signal, score, threshold, action, dry_run, text_hash)
VALUES (98919, now(), 'profile', 98910, 98910, 'about_self', 'spam', 1, 0.9, 'hold', false, 1);
SELECT limited_at, strike_count, open_case_count, report_count FROM roost.admin_account_get(98910, '98910');
SELECT limited_at, strike_count FROM roost.admin_account_list(98910, q => 'case_10') WHERE id = 98910;
SELECT count(*) FROM roost.admin_account_list(98910, status => 'limited', "limit" => 100) WHERE id = 98910;
SELECT count(*) FROM roost.moderation_verdict_list(98910, policy => 'about_self');
SELECT reputation FROM roost.account_reputation_get(98910, '98910');
SELECT limited_at IS NOT NULL AS limited, strike_count, open_case_count, report_count FROM roost.admin_account_get(98911, '98910');
SELECT count(*) FROM roost.admin_account_list(98911, status => 'limited', "limit" => 100) WHERE id = 98910;
SELECT count(*) FROM roost.moderation_verdict_list(98911, policy => 'about_self');
SELECT reputation < 0 AS reputation FROM roost.account_reputation_get(98911, '98910');

-- a moderator who is suspended does nothing, with whatever token
UPDATE roost_data.account SET status = 'suspended' WHERE id = 98910;
SELECT roost.case_list(98910);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_note(98910, :case, 'still here');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.case_assign(98909, (SELECT id FROM roost_data.moderation_case WHERE subject_id = 98903)::roost.id, '98910');
\echo :LAST_ERROR_SQLSTATE

-- maintenance: what nobody can appeal against is closed; texts go after a while, what happened stays
SELECT subject_type FROM roost.report_create(98905, 'spam', post_id => :post, comment => 'a comment', evidence => 'proof');
SELECT id AS last FROM roost_data.moderation_case WHERE subject_id = :post AND status = 'open' \gset
SELECT decision FROM roost.case_decide(98909, :last, 'remove', 'Advertising.', 'a note');
SELECT roost_internal.moderation_maintenance() >= 0 AS ran;
SELECT status FROM roost_data.moderation_case WHERE id = :last;
UPDATE roost_data.moderation_case SET decided_at = now() - interval '31 days' WHERE id = :last;
SELECT roost_internal.moderation_maintenance() >= 0 AS ran;
SELECT status, snapshot IS NOT NULL AS snapshot FROM roost_data.moderation_case WHERE id = :last;
UPDATE roost_data.moderation_case SET updated_at = now() - interval '181 days' WHERE id = :last;
SELECT roost_internal.moderation_maintenance() >= 0 AS ran;
SELECT c.status, c.snapshot, c.purged_at IS NOT NULL AS purged, r.category, r.comment, r.evidence, d.decision, d.reason, d.note
FROM roost_data.moderation_case c JOIN roost_data.report r ON r.case_id = c.id JOIN roost_data.moderation_decision d ON d.case_id = c.id WHERE c.id = :last;
-- reporters are told by mail, once
SELECT count(*) FILTER (WHERE told_at IS NULL) AS untold FROM roost_data.report WHERE case_id = :last;

-- what analysts see
SELECT status, category, subject_type, source, age, cases, reports FROM roost_bi.moderation_queue WHERE category IN ('minors') ORDER BY 1, 2, 3;
SELECT decision, subject_type, category, report_count FROM roost_bi.decision WHERE case_id = :case ORDER BY id;

ROLLBACK;
