-- Words, hosts and labelled texts, kept by who writes policies; in force at once.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;
INSERT INTO roost_data.account (id, username, role) VALUES (7701, 'list_admin', 'admin'), (7702, 'list_moderator', 'moderator'), (7703, 'list_user', 'user');

-- Words.
SELECT * FROM roost.moderation_word_set(7701, ' frobnicate ', 'EN', severity => 0.95);
SELECT round(score::numeric, 2) FROM roost.profanity_score('you fr0bnicate', 'en');
SELECT word, severity, allowed FROM roost.moderation_word_set(7701, 'frobnicate', 'en', allowed => true);
SELECT score FROM roost.profanity_score('you fr0bnicate', 'en');
SELECT word, language, cursor FROM roost.moderation_word_list(7702, q => 'FROB');
SELECT array_agg(word) = (SELECT (array_agg(w.word ORDER BY w.language, w.word COLLATE "C"))[3:5] FROM roost_data.moderation_word w) FROM roost.moderation_word_list(7702, "limit" => 3, before => '2');
SELECT count(*) FROM roost.moderation_word_list(7702, language => 'xx');
SELECT roost.moderation_word_set(7701, '  ');
SELECT roost.moderation_word_set(7701, 'x', 'e n');
SELECT roost.moderation_word_set(7701, 'x', 'en', kind => 'A');
SELECT roost.moderation_word_set(7701, 'x', 'en', severity => 'NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.moderation_word_delete(7701, 'frobnicate', 'en');
SELECT roost.moderation_word_delete(7701, 'frobnicate', 'en');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.moderation_word_set(7702, 'x');
SELECT roost.moderation_word_delete(7702, 'x');
SELECT roost.moderation_word_list(7703);
\echo :LAST_ERROR_SQLSTATE

-- Hosts: a blocked one is refused in posts and profiles.
SELECT host, kind, note FROM roost.moderation_url_host_set(7701, 'https://Bad.Example.org:8080/x?y', note => 'fraud');
SELECT host FROM roost.moderation_url_host_set(7701, 'bücher.example.org', 'allowed');
SELECT id FROM roost.post_create(7703, 'look: http://www.bad.example.org/1');
\echo :LAST_ERROR_SQLSTATE
SELECT id FROM roost.post_create(7703, 'a picture', media => '[{"url": "https://bad.example.org/a.png", "type": "image"}]');
UPDATE roost_data.account SET bio = 'http://bad.example.org' WHERE id = 7703;
UPDATE roost_data.account SET display_name = 'see bad.example.org' WHERE id = 7703;
UPDATE roost_data.account SET avatar_url = 'https://www.bad.example.org/me.png' WHERE id = 7703;
UPDATE roost_data.account SET avatar_url = 'https://good.example.org/me.png', header_url = 'https://bad.example.org./h.png' WHERE id = 7703;
SELECT id FROM roost.account_update(7703, avatar_url => 'https://bad.example.org/me.png');
INSERT INTO roost_data.account (id, username, header_url) VALUES (7709, 'listed_9', 'https://bad.example.org/h.png');
SELECT avatar_url FROM roost.account_update(7703, avatar_url => 'https://good.example.org/me.png');
SELECT title FROM roost.conversation_create(7703, 'group', title => 'friends', avatar_url => 'https://bad.example.org/g.png');
SELECT id IS NOT NULL FROM roost.post_create(7703, 'look: http://notbad.example.org/1');
SELECT host, kind, note FROM roost.moderation_url_host_list(7702, q => 'bad.example');
SELECT count(*) > 10 FROM roost.moderation_url_host_list(7702, kind => 'shortener', "limit" => 100);
SELECT roost.moderation_url_host_set(7701, 'no host');
SELECT roost.moderation_url_host_set(7701, 'example.org', 'evil');
SELECT roost.moderation_url_host_set(7701, 'example.org', note => repeat('x', 301));
SELECT roost.moderation_url_host_delete(7701, 'BAD.example.org');
SELECT roost.moderation_url_host_delete(7701, 'bad.example.org');
\echo :LAST_ERROR_SQLSTATE
SELECT id IS NOT NULL FROM roost.post_create(7703, 'look: http://www.bad.example.org/1');
SELECT roost.moderation_url_host_set(7702, 'example.org');
SELECT roost.moderation_url_host_delete(7702, 'example.org');
SELECT roost.moderation_url_host_list(7703);
\echo :LAST_ERROR_SQLSTATE

-- Labelled texts, and learning from them.
DELETE FROM roost_data.spam_sample;
SELECT roost.moderation_spam_train(7701);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.moderation_spam_sample_add(7701, 'win a free prize now ' || n, true), roost.moderation_spam_sample_add(7701, 'see you at lunch tomorrow ' || n, false) FROM generate_series(1, 20) n;
SELECT samples, spam FROM roost.moderation_spam_train(7701);
SELECT roost.spam_score('a free prize for you') > roost.spam_score('lunch tomorrow then');
SELECT roost.moderation_spam_sample_add(7701, ' ', true);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.moderation_spam_sample_add(7702, 'x', true);
SELECT roost.moderation_spam_train(7702);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- what was refused was recorded all the same
SELECT roost.worker_sync('1 minute');
DELETE FROM roost_data.moderation_verdict WHERE policy IN ('url_blocked', 'profile_url_blocked') AND account_id IS NULL;
