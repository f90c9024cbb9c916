-- Policies: what is done with scores, by every way in which posts and profiles
-- are written; what edits and moderators change; trials, reports, verdicts.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
SELECT roost_internal.clock_freeze('2031-01-01 00:00:00+00');
BEGIN;
UPDATE roost_data.moderation_policy SET enabled = false;
INSERT INTO roost_data.account (id, username, created_at) SELECT 7300 + n, 'judged_' || n, '2030-01-01' FROM generate_series(1, 4) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'judged_' || n, 7300 + n FROM generate_series(1, 4) n;
INSERT INTO roost_data.account_stat (account_id, slot, post_count) SELECT 7300 + n, 0, 10 FROM generate_series(1, 4) n;
UPDATE roost_data.account SET role = 'admin' WHERE id = 7301;
UPDATE roost_data.account SET role = 'moderator' WHERE id = 7302;
CREATE FUNCTION pg_temp.state(post_id bigint) RETURNS text LANGUAGE sql AS $$SELECT state || ' ' || coalesce(labels::text, '') FROM roost_data.post WHERE id = post_id$$;
CREATE FUNCTION pg_temp.verdicts(post_id bigint) RETURNS TABLE (policy text, score numeric, threshold numeric, action text, dry_run boolean, explanation jsonb) LANGUAGE sql
	AS $$SELECT policy, round(score::numeric, 3), round(threshold::numeric, 3), action, dry_run, explanation FROM roost_data.moderation_verdict WHERE subject_id = post_id ORDER BY id$$;

-- Who may see and change policies.
SELECT count(*) > 10 FROM roost.moderation_policy_list(7302);
SELECT * FROM roost.moderation_policy_list(7303);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.moderation_policy_create(7302, 'tags', 'hashtags', 3, 'limit');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.moderation_policy_delete(7302, 'spam');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.moderation_policy_update(7302, 'spam', enabled => true);
\echo :LAST_ERROR_SQLSTATE

-- What makes a policy.
SELECT (p).* FROM roost.moderation_policy_create(7301, 'tags', 'hashtags', 3, 'limit', adaptive => false) p;
SELECT name FROM roost.moderation_policy_create(7301, 'tags', 'hashtags', 3, 'limit', adaptive => false);
\echo :LAST_ERROR_SQLSTATE
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 1.5, 'limit');
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 'NaN', 'limit');
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 0.5, 'limit', below => 0.5);
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 0.5, 'label');
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'rate', 1, 'reject');
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 0.5, 'reject', limit_class => 'post');
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 0.5, 'reject', account_age => '-1 day');
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 0.5, 'reject', followers => 0);
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 0.5, 'reject', priority => 1001);
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 0.5, 'reject', message => repeat('x', 301));
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 0.5, 'hold', case_category => 'A b');
\echo :LAST_ERROR_SQLSTATE
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'smell', 0.5, 'hold');
SELECT name FROM roost.moderation_policy_create(7301, 'bad', 'spam', 0.5, 'shout');
SELECT name FROM roost.moderation_policy_create(7301, 'Bad', 'spam', 0.5, 'hold');
\echo :LAST_ERROR_SQLSTATE
SELECT below, languages, account_age, followers, message FROM roost.moderation_policy_update(7301, 'tags', below => 9, languages => '{en}', account_age => '1 day', followers => 5, message => 'm');
SELECT below, languages, account_age, followers, message, threshold FROM roost.moderation_policy_update(7301, 'tags', below => 0, languages => '{}', account_age => '0', followers => 0, message => '');
SELECT name FROM roost.moderation_policy_update(7301, 'nothing', enabled => true);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.moderation_policy_delete(7301, 'spam');
\echo :LAST_ERROR_SQLSTATE

-- A dry run records, and does nothing.
SELECT id AS post FROM roost.post_create(7303, '#one #two #three') \gset
SELECT pg_temp.state(:post);
SELECT * FROM pg_temp.verdicts(:post);
SELECT count(*) FROM roost_data.account_reputation WHERE account_id = 7303;

-- One that is none limits; below the threshold nothing is recorded.
SELECT dry_run FROM roost.moderation_policy_update(7301, 'tags', dry_run => false);
SELECT id AS post FROM roost.post_create(7303, '#one #two #three') \gset
SELECT pg_temp.state(:post);
SELECT id AS few FROM roost.post_create(7303, '#one #two') \gset
SELECT pg_temp.state(:few);
SELECT * FROM pg_temp.verdicts(:few);

-- Of several the strictest counts, and all labels.
SELECT name FROM roost.moderation_policy_create(7301, 'tags_label', 'hashtags', 4, 'label', label => 'tags', dry_run => false, adaptive => false);
SELECT name FROM roost.moderation_policy_create(7301, 'tags_hold', 'hashtags', 5, 'hold', label => 'many', dry_run => false, adaptive => false, case_category => 'spam');
SELECT name FROM roost.moderation_policy_create(7301, 'tags_reject', 'hashtags', 6, 'reject', dry_run => false, message => 'too many hashtags', priority => 5, adaptive => false);
SELECT id AS four FROM roost.post_create(7304, '#a1 #a2 #a3 #a4') \gset
SELECT pg_temp.state(:four);
SELECT id AS five FROM roost.post_create(7304, '#a1 #a2 #a3 #a4 #a5') \gset
SELECT pg_temp.state(:five);
SELECT * FROM pg_temp.verdicts(:five);
SELECT id FROM roost.post_create(7304, '#a1 #a2 #a3 #a4 #a5 #a6');
\echo :LAST_ERROR_SQLSTATE

-- What is held waits in the moderators' queue, with what the filter found.
SELECT subject_type, account_id, category, source, status FROM roost_data.moderation_case WHERE subject_id = :five;
SELECT id AS case_id FROM roost_data.moderation_case WHERE subject_id = :five \gset
SELECT state FROM roost_data.post WHERE id = :five;

-- A moderator's own posts are exempt, and so are languages that are not meant.
SELECT id AS own FROM roost.post_create(7302, '#a1 #a2 #a3 #a4 #a5 #a6') \gset
SELECT pg_temp.state(:own);
UPDATE roost_data.moderation_policy SET languages = '{en}' WHERE name = 'tags_reject';
SELECT id IS NOT NULL FROM roost.post_create(7304, '#b1 #b2 #b3 #b4 #b5 #b6', language => 'de');
SELECT id FROM roost.post_create(7304, '#b1 #b2 #b3 #b4 #b5 #b6', language => 'en');
SELECT id FROM roost.post_create(7304, '#b1 #b2 #b3 #b4 #b5 #b6', language => 'en-GB');
UPDATE roost_data.moderation_policy SET languages = NULL, exempt_verified = true WHERE name = 'tags_reject';
UPDATE roost_data.account SET is_verified = true WHERE id = 7304;
SELECT id IS NOT NULL FROM roost.post_create(7304, '#b1 #b2 #b3 #b4 #b5 #b6');
UPDATE roost_data.account SET is_verified = false WHERE id = 7304;

-- Followers and age narrow a policy down.
UPDATE roost_data.moderation_policy SET followers = 1 WHERE name = 'tags_reject';
UPDATE roost_data.account_stat SET follower_count = 1 WHERE account_id = 7304;
SELECT id IS NOT NULL FROM roost.post_create(7304, '#c1 #c2 #c3 #c4 #c5 #c6');
UPDATE roost_data.moderation_policy SET followers = NULL, account_age = '1 year' WHERE name = 'tags_reject';
SELECT id IS NOT NULL FROM roost.post_create(7304, '#c1 #c2 #c3 #c4 #c5 #c6');
UPDATE roost_data.moderation_policy SET account_age = '2 years' WHERE name = 'tags_reject';
SELECT id FROM roost.post_create(7304, '#c1 #c2 #c3 #c4 #c5 #c6');
UPDATE roost_data.moderation_policy SET account_age = NULL WHERE name = 'tags_reject';

-- Nothing hides in the descriptions of media, behind many links, or in a preview.
INSERT INTO roost_data.moderation_word (language, word, kind, severity) VALUES ('', 'zorkblat', 'slur', 1);
SELECT name FROM roost.moderation_policy_create(7301, 'slurs', 'profanity', 0.9, 'hold', dry_run => false, adaptive => false);
SELECT name FROM roost.moderation_policy_create(7301, 'sites', 'url', 1, 'reject', dry_run => false, adaptive => false, message => 'a blocked site');
SELECT host FROM roost.moderation_url_host_set(7301, 'blocked.example.com');
SELECT id AS described FROM roost.post_create(7304, 'A nice picture of us.', media => '[{"type": "image", "url": "https://images.example.com/a.png"}, {"type": "image", "url": "https://images.example.com/b.png", "description": "zorkblat"}]') \gset
SELECT pg_temp.state(:described);
SELECT explanation->'words'->0->>'word' AS word FROM roost_data.moderation_verdict WHERE subject_id = :described AND policy = 'slurs';
SELECT id FROM roost.post_create(7304, 'A picture.', media => '[{"type": "image", "url": "https://images.example.com/a.png", "description": "more at https://blocked.example.com/x"}]');
SELECT id FROM roost.post_create(7304, 'A picture.', media => '[{"type": "image", "url": "https://images.example.com/a.png", "preview_url": "https://blocked.example.com/x"}]');
SELECT id FROM roost.post_create(7304, repeat('http://t.co ', 34) || 'https://blocked.example.com/x');
SELECT id AS fine FROM roost.post_create(7304, 'A picture.', media => '[{"type": "image", "url": "https://images.example.com/a.png", "description": "a cat in a basket"}]') \gset
SELECT pg_temp.state(:fine);
DELETE FROM roost_data.moderation_policy WHERE name IN ('slurs', 'sites');

-- allow: what has a lower priority is not asked.
SELECT name FROM roost.moderation_policy_create(7301, 'tags_allow', 'hashtags', 1, 'allow', dry_run => false, priority => 9);
SELECT id AS allowed FROM roost.post_create(7304, '#c1 #c2 #c3 #c4 #c5 #c6') \gset
SELECT pg_temp.state(:allowed);
SELECT roost.moderation_policy_delete(7301, 'tags_allow');

-- By INSERT and by COPY it is the same; an import is not judged.
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, hashtags) VALUES (730001, 7304, 730001, '2031-01-01', 'x', '{a,b,c}');
SELECT pg_temp.state(730001);
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, hashtags) VALUES (730002, 7304, 730002, '2031-01-01', 'x', '{a,b,c,d,e,f}');
\echo :LAST_ERROR_SQLSTATE
COPY roost_data.post (id, author_id, thread_id, created_at, text, hashtags) FROM stdin;
730003	7304	730003	2031-01-01	y	{a,b,c}
\.
SELECT pg_temp.state(730003);
INSERT INTO roost_data.import_map (kind, external_id, id) VALUES ('account', 'judged', 7304);
INSERT INTO roost_data.import_post (external_id, author, created_at, text) VALUES ('judged', 'judged', '2010-01-01', '#a1 #a2 #a3 #a4 #a5 #a6');
SELECT inserted FROM roost.post_import();
SELECT pg_temp.state(id) FROM roost_data.import_map WHERE kind = 'post' AND external_id = 'judged';
-- a retweet has nothing to judge
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, retweet_of_id) VALUES (730004, 7303, 730004, '2031-01-01', '', 730001);
SELECT pg_temp.state(730004);

-- An edit is judged anew: what policies did can be undone by it, but a post
-- that is held stays held.
SELECT id IS NOT NULL FROM roost.post_edit(7304, :four, '#a1 #a2 #a3');
SELECT pg_temp.state(:four);
SELECT id IS NOT NULL FROM roost.post_edit(7304, :four, 'plain');
SELECT pg_temp.state(:four);
SELECT id IS NOT NULL FROM roost.post_edit(7304, :four, '#a1 #a2 #a3 #a4 #a5');
SELECT pg_temp.state(:four);
UPDATE roost_data.post SET text = 'plain', hashtags = NULL WHERE id = :four;
SELECT pg_temp.state(:four);
UPDATE roost_data.post SET text = 'plainer', hashtags = '{a,b,c,d,e,f}' WHERE id = :four;
\echo :LAST_ERROR_SQLSTATE
SELECT text FROM roost_data.post WHERE id = :four;
UPDATE roost_data.post SET state = 'visible', labels = NULL WHERE id = :four;
UPDATE roost_data.post SET text = 'released', hashtags = NULL WHERE id = :four;
SELECT pg_temp.state(:four);

-- What a moderator has decided no edit undoes, nor what nobody has edited.
UPDATE roost_data.post SET state = 'limited', labels = '{graphic}' WHERE id = :few;
SELECT id IS NOT NULL FROM roost.post_edit(7303, :few, 'nothing to see here');
SELECT pg_temp.state(:few);
SELECT id IS NOT NULL FROM roost.post_edit(7303, :few, '#a1 #a2 #a3 #a4');
SELECT pg_temp.state(:few);
SELECT id IS NOT NULL FROM roost.post_edit(7303, :few, 'nothing to see here');
SELECT pg_temp.state(:few);
UPDATE roost_data.post SET state = 'visible', labels = NULL WHERE id = :post;
SELECT id IS NOT NULL FROM roost.post_edit(7303, :post, visibility => 'unlisted');
SELECT pg_temp.state(:post);
UPDATE roost_data.post SET text = text WHERE id = :post;
SELECT pg_temp.state(:post);
-- a moderator who limits what a policy had limited has decided so
SELECT id AS confirmed FROM roost.post_create(7303, '#one #two #three') \gset
SELECT pg_temp.state(:confirmed);
UPDATE roost_data.post SET state = 'limited' WHERE id = :confirmed;
SELECT id IS NOT NULL FROM roost.post_edit(7303, :confirmed, 'plain');
SELECT pg_temp.state(:confirmed);
UPDATE roost_data.post SET state = 'removed' WHERE id = :confirmed;
UPDATE roost_data.post SET text = '#a1 #a2 #a3 #a4 #a5 #a6' WHERE id = :confirmed;
SELECT pg_temp.state(:confirmed);

-- Profiles: rejected, or looked at.
SELECT name FROM roost.moderation_policy_create(7301, 'loud', 'capitals', 0.7, 'reject', subject => 'profile', dry_run => false, message => 'not so loud');
SELECT name FROM roost.moderation_policy_create(7301, 'linked', 'links', 2, 'hold', subject => 'profile', dry_run => false, case_category => 'spam');
SELECT id FROM roost.account_update(7303, bio => 'I AM THE KING OF THE WORLD');
\echo :LAST_ERROR_SQLSTATE
SELECT bio FROM roost.account_update(7303, bio => 'see example.org and example.net');
SELECT subject, policy, action, subject_id = account_id AS own FROM roost_data.moderation_verdict WHERE account_id = 7303 AND subject = 'profile' AND action = 'hold';
SELECT subject_type, category, source FROM roost_data.moderation_case WHERE subject_id = 7303;
INSERT INTO roost_data.account (id, username, display_name) VALUES (7309, 'judged_9', 'THE LOUDEST PERSON ON THIS PLANET');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET is_private = true, bio = bio WHERE id = 7303;

-- Names that may be taken for the staff's; in a dry run nothing but that is recorded.
SELECT subject, enabled, dry_run, signal, action FROM roost.moderation_policy_update(7301, 'profile_lookalike', enabled => true);
SELECT n, roost_internal.profile_lookalike(ARRAY[n], 7303) FROM unnest('{judged_1,Judged 1,JUDGED-1,jυdged_l,judged_3,Admin,аdmin,adm1n,A d m i n,Ａｄｍｉｎ,rnoderator,m0derat0r,Ann,administration,me,home}'::text[]) n;
SELECT roost_internal.profile_lookalike('{judged_1}', 7301) AS oneself;
SELECT display_name FROM roost.account_update(7303, display_name => 'Jυdged l');
SELECT policy, action, dry_run, explanation FROM roost_data.moderation_verdict WHERE account_id = 7303 AND signal = 'lookalike';
SELECT enabled, dry_run, action FROM roost.moderation_policy_update(7301, 'profile_lookalike', dry_run => false, action => 'reject', message => 'this is the name of somebody else');
SELECT display_name FROM roost.account_update(7303, display_name => 'Jυdged 1');
\echo :LAST_ERROR_SQLSTATE
SELECT display_name FROM roost.account_update(7303, display_name => 'Judged 3');
SELECT display_name FROM roost.account_update(7301, display_name => 'Judged 1') AS staff;
SELECT policy, fires, explanation FROM roost.moderation_policy_try(7302, 'judged 1', subject => 'profile') WHERE signal = 'lookalike';

-- Other subjects are an open set: nothing asks them but what is made for them.
SELECT subject FROM roost.moderation_policy_create(7301, 'words', 'capitals', 0.9, 'reject', subject => 'track', dry_run => false);

-- A trial says what every policy would say, and records nothing. (What was refused before is recorded by the worker.)
SELECT roost.worker_sync('1 minute');
SELECT count(*) AS before FROM roost_data.moderation_verdict \gset
SELECT policy, signal, round(score::numeric, 3) AS score, threshold, fires, action, enabled, dry_run, explanation
FROM roost.moderation_policy_try(7302, 'LOOK AT THIS LOVELY THING #a1 #a2 #a3 #a4') WHERE enabled OR policy = 'capitals' ORDER BY 1;
SELECT policy, threshold, fires FROM roost.moderation_policy_try(7302, '#a1 #a2 #a3', account_id => '7302') WHERE policy = 'tags';
SELECT policy, threshold, fires FROM roost.moderation_policy_try(7302, '#a1 #a2 #a3', account_id => '@judged_3') WHERE policy = 'tags';
SELECT policy, threshold < 30 AS lower, fires FROM roost.moderation_policy_try(7302, '#a1 #a2 #a3', account_id => '@judged_3') WHERE policy = 'hashtags';
-- A few words are not enough to be sure that they are spam, whatever the model says.
SELECT t AS text, score <= 0.97 AS "few words", fires
FROM unnest('{reply,follow me,check this https://example.com}'::text[]) t
CROSS JOIN LATERAL roost.moderation_policy_try(7302, t, account_id => '7302') WHERE policy = 'new_account_spam';
SELECT policy, fires FROM roost.moderation_policy_try(7302, 'A VERY LOUD PROFILE INDEED IS THIS', subject => 'profile') WHERE enabled ORDER BY 1;
-- addresses that are no links in a post are judged as well, each once
SELECT t.text, round(y.score::numeric, 2) AS score, y.explanation FROM unnest(ARRAY['see http://192.168.1.1/x now', 'see (HTTPS://somebody@example.org/login)', 'see http://0x7f000001/', 'http://', 'see http://example.org/a and https://roost.example.org:8443/b',
	'see http:/example.org and ftp://192.168.1.1']) t (text), roost.moderation_policy_try(7302, t.text) y WHERE y.policy = 'url_suspicious';
SELECT * FROM roost.moderation_policy_try(7303, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.moderation_policy_try(7302, 'x', account_id => '@nobody_there');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) = :before FROM roost_data.moderation_verdict;

-- What policies have said, and how often.
SELECT policy, action, dry_run, verdicts, accounts, released, least, median, greatest FROM roost.moderation_policy_report(7302, 'tags');
SELECT policy, verdicts FROM roost.moderation_policy_report(7302, 'tags', '2150-01-02');
SELECT * FROM roost.moderation_policy_report(7302, 'nothing');
\echo :LAST_ERROR_SQLSTATE
SELECT policy, action, subject_id = :five AS five FROM roost.moderation_verdict_list(7302, subject_id => :five);
SELECT count(*) FROM roost.moderation_verdict_list(7302, policy => 'tags', dry_run => true, "limit" => 100);
SELECT count(*), bool_and(account_id = 7304) FROM roost.moderation_verdict_list(7302, account_id => '@judged_4', action => 'limit', "limit" => 100);
SELECT count(*) FROM roost.moderation_verdict_list(7302, policy => 'tags_hold', "limit" => 1);
SELECT * FROM roost.moderation_verdict_list(7303);
\echo :LAST_ERROR_SQLSTATE
-- pages
SELECT array_agg(cursor ORDER BY cursor DESC) AS all FROM roost.moderation_verdict_list(7302, policy => 'tags', "limit" => 100) \gset
SELECT cursor AS second FROM roost.moderation_verdict_list(7302, policy => 'tags', "limit" => 2) ORDER BY cursor LIMIT 1 \gset
SELECT array_agg(cursor ORDER BY cursor DESC) = (:'all'::bigint[])[3:4] FROM roost.moderation_verdict_list(7302, policy => 'tags', "limit" => 2, before => :'second');

-- No verdict holds a text.
SELECT count(*) FROM roost_data.moderation_verdict v WHERE v::text LIKE '%#a1%';

-- Off, nothing is judged; a stranger cannot turn it off.
SET roost.moderation_enabled = off;
SELECT id AS off FROM roost.post_create(7304, '#a1 #a2 #a3 #a4 #a5 #a6') \gset
SELECT pg_temp.state(:off);
RESET roost.moderation_enabled;

-- Who leaves takes it along.
SELECT count(*) > 0 FROM roost_data.post_judgement j JOIN roost_data.post p ON p.id = j.post_id WHERE p.author_id = 7304;
SELECT jsonb_path_query_array(roost_internal.verdict_export(7304), '$.filtered[*].action');
SELECT roost_internal.account_erase(7304);
SELECT (SELECT count(*) FROM roost_data.moderation_verdict WHERE account_id = 7304) AS verdicts, (SELECT count(*) FROM roost_data.account_reputation WHERE account_id = 7304) AS reputation,
	(SELECT count(*) FROM roost_data.post_fingerprint WHERE author_id = 7304) AS fingerprints, (SELECT count(*) FROM roost_data.post_judgement j WHERE j.post_id = :five) AS judgements;

-- Verdicts are kept for a while.
SELECT count(*) > 0 FROM roost_data.moderation_verdict WHERE account_id = 7303;
SELECT roost_internal.clock_freeze('2032-01-01 00:00:00+00');
SELECT roost_internal.verdict_maintenance() > 0;
SELECT count(*) FROM roost_data.moderation_verdict WHERE account_id = 7303;
ROLLBACK;
-- what was refused is there all the same, of accounts that are not without their ids
SELECT roost.worker_sync('1 minute');
SELECT DISTINCT subject, policy, subject_id, account_id, explanation FROM roost_data.moderation_verdict WHERE policy IN ('tags_reject', 'loud') ORDER BY 1, 2;
DELETE FROM roost_data.moderation_verdict WHERE policy IN ('tags_reject', 'loud');
SELECT roost_internal.clock_freeze(NULL);
