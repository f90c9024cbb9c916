-- Reputation: what speaks for and against an account, how it fades, and how it
-- moves thresholds; what is narrower for new accounts.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
SELECT roost_internal.clock_freeze('2031-01-01 00:00:00+00');
BEGIN;
UPDATE roost_data.moderation_policy SET enabled = false;
INSERT INTO roost_data.account (id, username, created_at) VALUES (7401, 'rep_mod', '2030-01-01 00:00+00'), (7402, 'rep_old', '2030-01-01 00:00+00'), (7403, 'rep_half', '2030-10-03 00:00+00'), (7404, 'rep_new', '2031-01-01 00:00+00'), (7405, 'rep_fan', '2030-01-01 00:00+00');
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 7401 AND 7405;
INSERT INTO roost_data.account_stat (account_id, slot, post_count) VALUES (7401, 0, 500), (7402, 0, 500), (7403, 0, 100), (7404, 0, 3);
UPDATE roost_data.account SET role = 'moderator' WHERE id = 7401;
CREATE FUNCTION pg_temp.reputation(id bigint) RETURNS numeric LANGUAGE sql AS $$SELECT round(roost_internal.reputation(id)::numeric, 4)$$;
-- What C makes of it: the thresholds of policies on hashtags (20) and capitals (0.9).
INSERT INTO roost_data.moderation_policy (name, signal, threshold, action) VALUES ('rep_tags', 'hashtags', 20, 'limit'), ('rep_fixed', 'hashtags', 20, 'limit'), ('rep_caps', 'capitals', 0.9, 'limit'), ('rep_all', 'capitals', 1, 'limit');
UPDATE roost_data.moderation_policy SET adaptive = false WHERE name = 'rep_fixed';
CREATE FUNCTION pg_temp.thresholds(id bigint) RETURNS text LANGUAGE sql
	AS $$SELECT string_agg(policy || ' ' || round(threshold::numeric, 4), ', ' ORDER BY policy) FROM roost_internal.moderation_trial('post', 'x', NULL, id) WHERE policy LIKE 'rep\_%'$$;
CREATE FUNCTION pg_temp.formula(id bigint) RETURNS text LANGUAGE sql
	AS $$SELECT format('rep_all 1.0000, rep_caps %s, rep_fixed 20.0000, rep_tags %s', round((1 / (1 + exp(-(ln(0.9 / 0.1) + r))))::numeric, 4), round(greatest(round(20 * 2 ^ r), 1)::numeric, 4)) FROM roost_internal.reputation(id) r$$;

-- Age and posts speak for an account.
SELECT id, pg_temp.reputation(id) FROM roost_data.account WHERE id BETWEEN 7401 AND 7404 ORDER BY id;
SELECT id, pg_temp.thresholds(id), pg_temp.thresholds(id) = pg_temp.formula(id) AS same FROM roost_data.account WHERE id BETWEEN 7402 AND 7404 ORDER BY id;
SELECT pg_temp.thresholds(NULL);

-- What it has done speaks against it, and fades.
SELECT roost_internal.reputation_add(7402, 'decision', 2);
SELECT pg_temp.reputation(7402), pg_temp.thresholds(7402), pg_temp.thresholds(7402) = pg_temp.formula(7402) AS same;
SELECT roost_internal.clock_freeze('2031-01-31 00:00:00+00');
SELECT round(roost_internal.reputation_burden(7402)::numeric, 4) AS half, pg_temp.thresholds(7402) = pg_temp.formula(7402) AS same;
SELECT roost_internal.reputation_add(7402, 'decision', 2);
SELECT kind, count, round(weight::numeric, 4) AS weight FROM roost_data.account_reputation WHERE account_id = 7402;
-- one that was wrong is taken back
SELECT roost_internal.reputation_add(7402, 'decision', -2);
SELECT kind, count, round(weight::numeric, 4) AS weight FROM roost_data.account_reputation WHERE account_id = 7402;
SELECT roost_internal.reputation_add(7402, 'decision', -100);
SELECT kind, count, weight FROM roost_data.account_reputation WHERE account_id = 7402;
-- nothing makes it worse than -2
SELECT roost_internal.reputation_add(7402, 'report', 1000000);
SELECT round(roost_internal.reputation(7402)::numeric, 3), pg_temp.thresholds(7402) = pg_temp.formula(7402) AS same, pg_temp.thresholds(7402);
SELECT roost_internal.clock_freeze('2131-01-31 00:00:00+00');
SELECT pg_temp.reputation(7402), pg_temp.thresholds(7402) = pg_temp.formula(7402) AS same;
SELECT roost_internal.clock_freeze('2031-01-01 00:00:00+00');

-- What filters do counts, but 1 at most; dry runs and labels do not.
SELECT roost_internal.reputation_filtered(7403, '{label,hold}', '{false,true}');
SELECT count(*) FROM roost_data.account_reputation WHERE account_id = 7403;
SELECT roost_internal.reputation_filtered(7403, '{label,limit,hold}', '{false,false,false}');
SELECT roost_internal.reputation_filtered(7403, '{limit}', '{false}');
SELECT roost_internal.reputation_filtered(7403, '{reject}', '{false}');
SELECT kind, count, weight, roost_internal.reputation_burden(7403) AS burden FROM roost_data.account_reputation WHERE account_id = 7403;
SELECT pg_temp.thresholds(7403) = pg_temp.formula(7403) AS same;

-- Moderators see it, nobody else does.
SELECT account_id, round(reputation::numeric, 4) AS reputation, round(standing::numeric, 4) AS standing, burden, is_new, history - 'x' -> 'filter' -> 'count' AS filtered FROM roost.account_reputation_get(7401, '@rep_half');
SELECT is_new, history FROM roost.account_reputation_get(7401, '7404');
SELECT * FROM roost.account_reputation_get(7402, '7404');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.account_reputation_get(7401, '@rep_nobody');
\echo :LAST_ERROR_SQLSTATE

-- A repeat offender meets a lower threshold than others.
SELECT name, dry_run FROM roost_data.moderation_policy WHERE name LIKE 'rep\_%' ORDER BY 1;
UPDATE roost_data.moderation_policy SET dry_run = false, threshold = 4 WHERE name = 'rep_tags';
UPDATE roost_data.moderation_policy SET enabled = false WHERE name <> 'rep_tags';
SELECT id AS post FROM roost.post_create(7404, '#a1 #a2 #a3') \gset
SELECT state FROM roost_data.post WHERE id = :post;
SELECT roost_internal.reputation_add(7404, 'decision', 1);
SELECT id AS post FROM roost.post_create(7404, '#a1 #a2 #a3') \gset
SELECT state FROM roost_data.post WHERE id = :post;
SELECT score, threshold FROM roost_data.moderation_verdict WHERE subject_id = :post;
UPDATE roost_data.moderation_policy SET enabled = false;

-- New accounts: by age, or by few posts.
SELECT id, roost_internal.account_is_new(id) FROM unnest('{7402,7404,7405,7499}'::bigint[]) id ORDER BY id;
INSERT INTO roost_data.moderation_policy (name, signal, threshold, action, new_accounts, adaptive, dry_run) VALUES ('rep_links', 'links', 2, 'limit', true, false, false), ('rep_strangers', 'strangers', 2, 'hold', true, false, false);
CREATE FUNCTION pg_temp.written_id(author bigint, text text) RETURNS bigint LANGUAGE sql AS $$SELECT id FROM roost.post_create(author, text)$$;
SELECT pg_temp.written_id(7402, 'example.org example.com') AS a, pg_temp.written_id(7404, 'example.org example.com') AS b, pg_temp.written_id(7405, 'example.org example.com') AS c,
	pg_temp.written_id(7404, 'hello @rep_old @rep_half') AS d \gset
SELECT array_agg(state ORDER BY id) FROM roost_data.post WHERE id IN (:a, :b, :c, :d);
-- whom the mentioned follow is no stranger, nor is who mentions itself
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (7402, 7404, 740001);
SELECT pg_temp.written_id(7404, 'hello @rep_old @rep_half @rep_new') AS e \gset
SELECT state FROM roost_data.post WHERE id = :e;
-- a day and five posts later it is none any more
UPDATE roost_data.account_stat SET post_count = 10 WHERE account_id = 7404;
SELECT roost_internal.account_is_new(7404);
SELECT roost_internal.clock_freeze('2031-01-02 00:00:00+00');
SELECT roost_internal.account_is_new(7404);
SELECT pg_temp.written_id(7404, 'hello @rep_mod @rep_half') AS f \gset
SELECT state FROM roost_data.post WHERE id = :f;
SET roost.moderation_new_account_age = '2d';
SELECT roost_internal.account_is_new(7404);
RESET roost.moderation_new_account_age;

-- How often new accounts may post: counted over HTTP, by a class of rate limits.
INSERT INTO roost_data.limit_policy (class, name, "limit", period, burst, key) VALUES ('rep_new', 'hour', 2, '1 hour', 2, 'account');
INSERT INTO roost_data.moderation_policy (name, signal, threshold, action, new_accounts, dry_run, limit_class, message) VALUES ('rep_rate', 'rate', 1, 'reject', true, false, 'rep_new', 'not that often');
SET roost.moderation_new_account_age = '2d';
SELECT count(roost.post_create(7404, 'by SQL ' || n)) FROM generate_series(1, 4) n;
SELECT roost_internal.token_make(7404, 740002, NULL) AS token \gset
\set VERBOSITY default
SELECT split_part(roost.handle('POST', '/tweets', '', E'content-type: application/json\nauthorization: Bearer ' || :'token', '{"text": "by HTTP"}', '192.0.2.74'), E'\n', 1) FROM generate_series(1, 2);
SELECT roost.handle('POST', '/tweets', '', E'content-type: application/json\nauthorization: Bearer ' || :'token', '{"text": "by HTTP"}', '192.0.2.74');
\echo :LAST_ERROR_SQLSTATE
SET roost.moderation_new_account_age = 0;
SELECT split_part(roost.handle('POST', '/tweets', '', E'content-type: application/json\nauthorization: Bearer ' || :'token', '{"text": "by HTTP"}', '192.0.2.74'), E'\n', 1);
SELECT roost.limit_reset('rep_new', 7404);
ROLLBACK;
SELECT roost_internal.clock_freeze(NULL);
