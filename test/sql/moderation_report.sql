-- Reports: what can be reported by whom, how they gather in one case, and what the reporter is told.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username, display_name, is_private, created_at)
SELECT 98700 + n, 'report_' || n, 'Report ' || n, n = 3, now() - interval '10 days' FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'report_' || n, 98700 + n FROM generate_series(1, 9) n;
SELECT roost.role_grant('98709', 'moderator');
SELECT id AS post FROM roost.post_create(98701, 'buy cheap things') \gset
SELECT id AS closed FROM roost.post_create(98703, 'among friends') \gset
SELECT id AS shared FROM roost.post_retweet(98704, :post) \gset

SELECT name FROM roost.report_category_list();
INSERT INTO roost_data.report_category (name, description, severity, place) VALUES ('spoiler', 'Tells the end of a film', 5, 0);
UPDATE roost_data.report_category SET enabled = false WHERE name = 'copyright';
SELECT count(*), min(name) FILTER (WHERE description LIKE '%film%') FROM roost.report_category_list();

-- a post, and its retweet, which is the same
SELECT subject_type, subject_id = :post AS same, (account).username, category, comment, status, outcome FROM roost.report_create(98702, 'spam', post_id => :post, comment => ' again and again ');
SELECT id AS r_report FROM roost.report_list(98702) \gset
SELECT subject_id = :post AS same FROM roost.report_create(98705, 'hate', post_id => (SELECT id FROM roost_data.post WHERE retweet_of_id = :post)::roost.id);
-- an account
SELECT subject_type, subject_id, category FROM roost.report_create(98702, 'impersonation', '@report_1');
SELECT subject_type, subject_id = :post AS same FROM roost.report_create(98705, 'spoiler', account_id => '98701', post_id => :post);

-- what cannot be reported
SELECT roost.report_create(98702, 'spam');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98702, 'nonsense', '98701');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98702, 'copyright', '98701');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98702, NULL, '98701');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98701, 'spam', '98701');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98701, 'spam', post_id => :post);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98702, 'spam', '98703', post_id => :post);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98702, 'spam', post_id => :closed);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98702, 'spam', post_id => 1);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98702, 'spam', '@nobody_at_all');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98702, 'spam', '98701', comment => repeat('x', 2001));
\echo :LAST_ERROR_SQLSTATE
-- who follows sees it
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (98706, 98703, roost_internal.id_next());
SELECT subject_type FROM roost.report_create(98706, 'other', post_id => :closed);

-- everything about a subject is in one case, which grows more urgent
SELECT id AS case, status, category, report_count, source, priority AS at_two FROM roost_data.moderation_case WHERE subject_id = :post \gset c_
SELECT :'c_status' AS status, :'c_category' AS category, :c_report_count AS reports, :'c_source' AS source;
SELECT category FROM roost.report_create(98707, 'minors', post_id => :post);
SELECT category, report_count, priority > :c_at_two AS more_urgent, severity, weight FROM roost_data.moderation_case WHERE id = :c_case;
SELECT count(*) FROM roost_data.moderation_case WHERE account_id = 98701;

-- the same reporter again adds to its report, and does not weigh more
SELECT comment FROM roost.report_create(98702, 'harassment', post_id => :post, comment => E'now it\nthreatens', evidence => 'what it wrote to me');
SELECT report_count, weight, category FROM roost_data.moderation_case WHERE id = :c_case;
SELECT category, comment, evidence FROM roost_data.report WHERE id = :r_report;
SELECT count(*) FROM (SELECT roost.report_create(98702, 'spam', post_id => :post, comment => repeat('y', 1990)) FROM generate_series(1, 3)) t;
SELECT roost.report_create(98702, 'spam', post_id => :post, comment => repeat('y', 1990));
\echo :LAST_ERROR_SQLSTATE

-- the snapshot is kept when the post changes or goes; only where it differs from that of the case
SELECT text FROM roost.post_edit(98701, :post, 'nothing to see here');
SELECT count(*) FROM roost.report_create(98708, 'spam', post_id => :post);
SELECT count(*) FROM roost.post_delete(98701, :post);
SELECT snapshot->>'text' AS text, snapshot->>'username' AS username FROM roost_data.moderation_case WHERE id = :c_case;
SELECT reporter_id, snapshot->>'text' AS text FROM roost_data.report WHERE case_id = :c_case ORDER BY reporter_id;
SELECT (c).snapshot->>'text' AS text, (c).post IS NULL AS gone, cardinality((c).reports) AS reports FROM roost.case_get(98709, :c_case) c;

-- one's own reports, and nobody else's
SELECT subject_type, category, status, outcome FROM roost.report_list(98702);
SELECT subject_type FROM roost.report_list(98702, 1);
SELECT subject_type FROM roost.report_list(98702, 20, before => (SELECT max(id)::text FROM roost.report_list(98702)));
SELECT count(*) FROM roost.report_list(98701);
SELECT decision FROM roost.case_decide(98709, :c_case, 'dismiss');
SELECT subject_type, status, outcome, decided_at IS NOT NULL AS decided FROM roost.report_list(98702);

-- what was decided is over: the next report opens another case
SELECT count(*) FROM roost.report_create(98705, 'spam', account_id => '98701');
SELECT report_count FROM roost_data.moderation_case WHERE subject_type = 'account' AND subject_id = 98701;

-- credibility: the share of reports that led to something
SELECT roost_internal.reporter_credibility(98702) AS dismissed_once, roost_internal.reporter_credibility(98704) AS never;
SELECT decision FROM roost.case_decide(98709, (SELECT id FROM roost_data.moderation_case WHERE subject_type = 'account' AND subject_id = 98701)::roost.id, 'warn');
SELECT round(roost_internal.reporter_credibility(98702)::numeric, 3) AS one_each;
UPDATE roost_data.account SET limited_at = now() WHERE id = 98704;
SELECT roost_internal.reporter_credibility(98704) AS limited;
UPDATE roost_data.account SET limited_at = NULL, created_at = now() WHERE id = 98704;
SELECT roost_internal.reporter_credibility(98704) AS new;

-- filters open cases, too, and add to open ones
SELECT roost_internal.case_open('account', 98703, 98703, 'spam', 'spam_filter', '{"score": 0.99}') AS flagged \gset
SELECT roost_internal.case_open('account', 98703, 98703, 'spam', 'gibberish', '{"score": 0.7}') = :flagged AS same;
SELECT count(roost_internal.case_open('account', 98703, 98703, 'spam', 'gibberish', jsonb_build_object('n', n))) FROM generate_series(1, 30) n;
SELECT source, category, status, report_count, jsonb_array_length(verdicts) AS verdicts, verdicts->-1->'detail' AS last FROM roost_data.moderation_case WHERE id = :flagged;
SELECT subject_type FROM roost.report_create(98702, 'spam', '98703');
SELECT source, report_count FROM roost_data.moderation_case WHERE id = :flagged;
-- other things than posts and accounts, for modules to come
SELECT roost_internal.report_add(98702, 'message', 77, 98703, 'harassment', 'rude', 'the plain text') > 0 AS reported;
SELECT subject_type, subject_id, (account).username FROM roost.report_list(98702, 1);

-- an account that is not active reports nothing
UPDATE roost_data.account SET status = 'suspended' WHERE id = 98707;
SELECT roost.report_create(98707, 'spam', '98703');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(98707, 'spam', post_id => :closed);
\echo :LAST_ERROR_SQLSTATE

-- leaving: the report stays, the name goes; what is open about who left is closed
SELECT jsonb_array_length(e->'reports') AS reports, e->'reports'->0->>'comment' LIKE 'again and again%' AS comment, e->'decisions' AS decisions FROM roost_internal.moderation_export(98702) e;
SELECT roost_internal.account_erase(98702), roost_internal.account_erase(98703);
SELECT count(*) FROM roost_data.report WHERE case_id = :c_case AND reporter_id IS NULL;
SELECT (r).reporter IS NULL AS nameless FROM roost.case_get(98709, :c_case) c, unnest(c.reports) r WHERE (r).id = :r_report;
SELECT roost_internal.moderation_maintenance() > 0 AS closed;
SELECT status, outcome FROM roost_data.moderation_case WHERE account_id = 98703 ORDER BY id;
SELECT subject_type, account IS NULL AS nobody, outcome FROM roost.report_list(98706);

ROLLBACK;
