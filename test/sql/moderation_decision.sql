-- Decisions: what each one does, who may, what the account is told, and that all of it can be undone.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
-- a day has 24 hours
SET timezone = 'UTC';
BEGIN;
-- days are counted from :t0
SELECT date_trunc('hour', now()) + interval '1 hour' AS t0 \gset
SELECT roost_internal.clock_freeze(:'t0');

INSERT INTO roost_data.account (id, username, created_at) SELECT 8400 + n, 'decision_' || n, now() - interval '100 days' FROM generate_series(1, 12) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'decision_' || n, 8400 + n FROM generate_series(1, 12) n;
INSERT INTO roost_data.account_email (email, account_id, verified_at) SELECT 'decision_' || n || '@example.org', 8400 + n, now() - interval '100 days' FROM generate_series(1, 3) n;
INSERT INTO roost_data.account_credential (account_id, password_hash) SELECT 8400 + n, roost_internal.password_hash('correct horse ' || n) FROM generate_series(1, 3) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (8404, 8401, roost_internal.id_next()), (8401, 8404, roost_internal.id_next());
SELECT roost.role_grant('8409', 'moderator'), roost.role_grant('8410', 'moderator'), roost.role_grant('8411', 'admin');
SELECT id AS post FROM roost.post_create(8401, 'a post') \gset
CREATE FUNCTION pg_temp.seen(OUT by_author bigint, OUT by_follower bigint, OUT by_stranger bigint) AS $$
	SELECT (SELECT count(*) FROM roost_internal.post_hydrate(8401, ARRAY[p.id])), (SELECT count(*) FROM roost_internal.post_hydrate(8404, ARRAY[p.id])),
		(SELECT count(*) FROM roost_internal.post_hydrate(NULL, ARRAY[p.id]))
	FROM roost_data.post p WHERE p.author_id = 8401
$$ LANGUAGE sql;

-- posts
SELECT decision, subject_type, told, reason, note, category FROM roost.post_moderate(8409, :post, 'limit', 'not told anyway', 'a note', 'spam');
SELECT state FROM roost_data.post WHERE id = :post;
SELECT * FROM pg_temp.seen();
SELECT roost.post_moderate(8409, :post, 'limit');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8409, :post, 'restore');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, told FROM roost.post_moderate(8409, :post, 'release');
SELECT roost.post_moderate(8409, :post, 'release');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, told FROM roost.post_moderate(8409, :post, 'hold');
SELECT c.status, c.source, c.category, cardinality((roost.case_get(8410, c.id)).decisions) AS decisions FROM roost.case_list(8410, account_id => '8401') c;
SELECT * FROM pg_temp.seen();
SELECT decision, told FROM roost.post_moderate(8409, :post, 'release');
SELECT decision, told, reason FROM roost.post_moderate(8409, :post, 'remove', ' Against the rules. ');
SELECT * FROM pg_temp.seen();
SELECT roost.post_moderate(8409, :post, 'limit');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8409, :post, 'hold');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8409, :post, 'release');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, told FROM roost.post_moderate(8409, :post, 'restore');
SELECT * FROM pg_temp.seen();
SELECT decision, labels FROM roost.post_moderate(8409, :post, 'label', labels => '{nudity,ai,nudity}');
SELECT labels FROM roost_internal.post_hydrate(NULL, ARRAY[:post]);
SELECT decision, labels FROM roost.post_moderate(8409, :post, 'label', labels => '{}');
SELECT labels FROM roost_data.post WHERE id = :post;
SELECT roost.post_moderate(8409, :post, 'label');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8409, :post, 'label', labels => '{NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8409, :post, 'label', labels => '{Not A Word}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8409, :post, 'label', labels => '{a,b,c,d,e,f,g,h,i,j,k}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8409, 1, 'remove');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8409, :post, 'remove', category => 'nonsense');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8404, :post, 'remove');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_moderate(8404, :post, 'label', labels => '{x}');
\echo :LAST_ERROR_SQLSTATE
-- a retweet stands for its original
SELECT id AS shared FROM roost.post_retweet(8404, :post) \gset
SELECT (account).username, subject_id = :post AS same FROM roost.post_moderate(8409, (SELECT id FROM roost_data.post WHERE retweet_of_id = :post)::roost.id, 'remove');
SELECT decision FROM roost.post_moderate(8409, :post, 'restore');

-- accounts: a warning
SELECT decision, told FROM roost.account_moderate(8409, '@decision_1', 'warn', 'Be kind.', category => 'harassment');
-- its reach, of which it is not told
SELECT decision, told FROM roost.account_moderate(8409, '@decision_1', 'limit');
SELECT * FROM pg_temp.seen();
SELECT roost.account_moderate(8409, '@decision_1', 'limit');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, told FROM roost.account_moderate(8409, '@decision_1', 'unlimit');
SELECT roost.account_moderate(8409, '@decision_1', 'unlimit');
\echo :LAST_ERROR_SQLSTATE
-- a badge is for admins to give
SELECT roost.account_moderate(8409, '@decision_1', 'verify');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, told FROM roost.account_moderate(8411, '@decision_1', 'verify');
SELECT (roost.account_get(NULL, '8401')).is_verified;
SELECT roost.account_moderate(8411, '@decision_1', 'verify');
\echo :LAST_ERROR_SQLSTATE

-- suspending: sessions end, posts vanish, the handle stays, what it is about is told who knows the password
SELECT (s).session_id AS session FROM roost.auth_login('decision_1', 'correct horse 1') s \gset
SELECT roost.account_moderate(8409, '@decision_1', 'suspend', until => :'t0');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_moderate(8409, '@decision_1', 'suspend', until => 'infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_moderate(8409, '@decision_1', 'suspend');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_moderate(8409, '@decision_1', 'warn', until => (:'t0'::timestamptz + interval '1 days'));
\echo :LAST_ERROR_SQLSTATE
SELECT decision, told, until - :'t0' AS until FROM roost.account_moderate(8409, '@decision_1', 'suspend', 'You went too far.', until => (:'t0'::timestamptz + interval '7 days'));
SELECT status, suspended_until - :'t0' AS until, suspended_for FROM roost_data.account WHERE id = 8401;
SELECT roost_internal.session_revoked(:session) OR revoked_at IS NOT NULL AS ended FROM roost_data.session WHERE id = :session;
SELECT * FROM pg_temp.seen();
SELECT count(*) FROM roost_data.account_handle WHERE account_id = 8401;
DO $$
DECLARE
	v_detail text; v_hint text;
BEGIN
	PERFORM roost.auth_login('decision_1', 'correct horse 1');
EXCEPTION WHEN insufficient_privilege THEN
	GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
	RAISE NOTICE '% / % / %', SQLERRM, regexp_replace(v_detail, '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z', 'TIME'), v_hint;
END $$;
SELECT roost.auth_login('decision_1', 'wrong');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_create(8401, 'with a token that still lives');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.report_create(8401, 'spam', '8404');
\echo :LAST_ERROR_SQLSTATE
-- it can be made longer or shorter, and ends by itself
SELECT decision FROM roost.account_moderate(8410, '@decision_1', 'suspend', until => (:'t0'::timestamptz + interval '2 days'));
SELECT roost_internal.clock_freeze((:'t0'::timestamptz + interval '172799 seconds'));
SELECT roost_internal.account_maintenance() >= 0 AS ran;
SELECT status FROM roost_data.account WHERE id = 8401;
SELECT roost_internal.clock_freeze((:'t0'::timestamptz + interval '2 days'));
SELECT token_type FROM roost.auth_login('decision_1', 'correct horse 1');
SELECT status, suspended_until, suspended_for FROM roost_data.account WHERE id = 8401;
SELECT * FROM pg_temp.seen();
SELECT count(*) AS follows FROM roost_data.follow WHERE 8401 IN (follower_id, followee_id);
-- or with the maintenance
SELECT decision FROM roost.account_moderate(8409, '@decision_1', 'suspend', until => (:'t0'::timestamptz + interval '3 days'));
SELECT roost_internal.clock_freeze((:'t0'::timestamptz + interval '3 days'));
SELECT roost_internal.account_maintenance() >= 0 AS ran;
SELECT status FROM roost_data.account WHERE id = 8401;
-- or by a moderator
SELECT decision FROM roost.account_moderate(8409, '@decision_1', 'suspend', until => (:'t0'::timestamptz + interval '4 days'));
SELECT decision, told FROM roost.account_moderate(8410, '@decision_1', 'restore');
SELECT roost.account_moderate(8410, '@decision_1', 'restore');
\echo :LAST_ERROR_SQLSTATE
SELECT token_type FROM roost.auth_login('decision_1', 'correct horse 1');

-- banning: for good, with the address
SELECT roost.account_moderate(8409, '@decision_2', 'ban');
\echo :LAST_ERROR_SQLSTATE
SELECT decision, until FROM roost.account_moderate(8411, '@decision_2', 'ban', 'Never again.');
SELECT roost.account_moderate(8411, '@decision_2', 'ban');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.auth_login('decision_2', 'correct horse 2');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.auth_register('decision_again', 'Decision_2@example.org', 'a long enough pass phrase');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.auth_register('decision_again', 'decision_2+new@example.org', 'a long enough pass phrase');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.account_email (email, account_id) VALUES ('decision_2+x@example.org', 8405);
SELECT roost_internal.email_verified(8405, 'decision_2+x@example.org');
SELECT roost_internal.clock_freeze((:'t0'::timestamptz + interval '3656 days'));
SELECT roost_internal.account_maintenance() >= 0 AS ran;
SELECT status FROM roost_data.account WHERE id = 8402;
SELECT roost_internal.clock_freeze((:'t0'::timestamptz + interval '4 days'));
-- who may not ban neither shortens nor lifts a ban
SELECT roost.account_moderate(8409, '@decision_2', 'suspend', until => (:'t0'::timestamptz + interval '5 days'));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_moderate(8409, '@decision_2', 'restore');
\echo :LAST_ERROR_SQLSTATE
SELECT decision FROM roost.account_moderate(8411, '@decision_2', 'restore');
SELECT token_type FROM roost.auth_login('decision_2', 'correct horse 2');
SELECT roost_internal.email_verified(8405, 'decision_2+x@example.org');
-- the ban outlives the account
SELECT decision FROM roost.account_moderate(8411, '@decision_3', 'ban');
SELECT roost_internal.account_erase(8403);
SELECT roost.auth_register('decision_again', 'decision_3@example.org', 'a long enough pass phrase');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_moderate(8411, '8403', 'restore');
\echo :LAST_ERROR_SQLSTATE

-- nobody acts on the same or a higher rank, or on themselves; nor without rights
SELECT roost.account_moderate(8409, '8410', 'warn');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_moderate(8409, '8411', 'suspend', until => (:'t0'::timestamptz + interval '6 days'));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_moderate(8411, '8411', 'limit');
\echo :LAST_ERROR_SQLSTATE
SELECT id AS by_moderator FROM roost.post_create(8410, 'of a moderator') \gset
SELECT roost.post_moderate(8409, :by_moderator, 'remove');
\echo :LAST_ERROR_SQLSTATE
SELECT decision FROM roost.post_moderate(8411, :by_moderator, 'remove');
SELECT roost.account_moderate(8404, '8401', 'warn');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_moderate(8404, '@nobody_at_all', 'warn');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_moderate(8409, '@nobody_at_all', 'warn');
\echo :LAST_ERROR_SQLSTATE
SELECT decision FROM roost.account_moderate(8411, '8410', 'suspend', until => (:'t0'::timestamptz + interval '29 days'));
SELECT roost.account_moderate(8410, '8401', 'warn');
\echo :LAST_ERROR_SQLSTATE

-- a decision may belong to a case about the same account
SELECT roost_internal.case_open('account', 8401, 8401, 'spam', 'test') AS case \gset
SELECT case_id = :case AS belongs FROM roost.account_moderate(8409, '8401', 'warn', case_id => :case);
SELECT roost.account_moderate(8409, '8402', 'warn', case_id => :case);
\echo :LAST_ERROR_SQLSTATE

-- what the account sees: no moderator, no note, nothing that it is not told of
SELECT decision, subject_type, category, reason, until - :'t0' AS until, appeal_status, can_appeal FROM roost.decision_list(8401) ORDER BY id;
SELECT decision FROM roost.decision_list(8401, 2);
SELECT count(*) FROM roost.decision_list(8404);
SELECT roost.decision_get(8404, (SELECT max(id) FROM roost.decision_list(8401))::roost.id);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.decision_get(8401, (SELECT max(id) FROM roost_data.moderation_decision WHERE account_id = 8401 AND decision = 'limit_account')::roost.id);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*), count(*) FILTER (WHERE d->>'decision' LIKE '%limit%') AS untold FROM jsonb_array_elements(roost_internal.moderation_export(8401)->'decisions') d;
-- what moderators see
SELECT decision, told, (decided_by).username FROM roost.admin_decision_list(8409, '8401', 3);
SELECT roost.admin_decision_list(8404, '8401');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.admin_decision_list(8410, '8410');
\echo :LAST_ERROR_SQLSTATE
-- the mails, in the order in which they were written
SELECT j.kind, j.payload->>'to' AS recipient FROM roost_data.job j WHERE j.queue = 'mail' AND j.payload->>'to' LIKE 'decision\_%' ORDER BY j.id;

-- reputation: what was decided against it
SELECT count, round(weight::numeric, 1) AS weight FROM roost_data.account_reputation WHERE account_id = 8402 AND kind = 'decision';

-- accounts as moderators see them
SELECT username, status, role, rank, strike_count, session_count, email_verified, is_verified FROM roost.admin_account_get(8409, '@decision_1');
SELECT username, status FROM roost.admin_account_list(8409, 'Decision_1') ORDER BY 1;
SELECT username FROM roost.admin_account_list(8409, '@decision_1', "limit" => 2);
SELECT username FROM roost.admin_account_list(8409, 'decision', 'suspended');
SELECT username FROM roost.admin_account_list(8409, 'decision', role => 'moderator') ORDER BY 1;
SELECT count(*) FROM roost.admin_account_list(8409, 'decision', 'limited');
SELECT count(*) FROM roost.admin_account_list(8409, 'no such%name');
SELECT username FROM roost.admin_account_list(8411, 'DECISION_1@example.org');
SELECT count(*) FROM roost.admin_account_list(8411, 'nobody@example.org');
SELECT roost.admin_account_list(8409, 'decision_1@example.org');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.admin_account_list(8404);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.admin_account_get(8404, '8401');
\echo :LAST_ERROR_SQLSTATE
SELECT email, cardinality(sessions) > 0 AS sessions FROM roost.admin_account_addresses(8411, '@decision_1');
SELECT roost.admin_account_addresses(8409, '@decision_1');
\echo :LAST_ERROR_SQLSTATE

SELECT roost_internal.clock_freeze(NULL);
ROLLBACK;
