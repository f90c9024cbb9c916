-- Posts kept in shared memory: whatever changes, a reader gets what the tables say.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on

-- 1 writes; 2 follows 1 and 3; 3 is mentioned and may become private; 4 is anybody
INSERT INTO roost_data.account (id, username) SELECT 3100 + n, 'Kept_' || n FROM generate_series(1, 4) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'kept_' || n, 3100 + n FROM generate_series(1, 4) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (3102, 3101, 31001), (3102, 3103, 31002);
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, visibility, retweet_of_id, quote_of_id, mention_ids) VALUES
	(31001, 3101, 31001, '2026-01-01Z', 'plain', 'public', NULL, NULL, NULL),
	(31002, 3103, 31002, '2026-01-02Z', 'of three', 'public', NULL, NULL, NULL),
	(31003, 3101, 31003, '2026-01-03Z', 'for followers', 'followers', NULL, NULL, NULL),
	(31004, 3101, 31004, '2026-01-04Z', '@kept_3 for one', 'direct', NULL, NULL, '{3103}'),
	(31005, 3102, 31005, '2026-01-05Z', 'a quote', 'public', NULL, 31002, NULL),
	(31006, 3104, 31006, '2026-01-06Z', '', 'public', 31001, NULL, NULL);

-- A page for each viewer, read until it comes from memory, and from the tables.
CREATE FUNCTION pg_temp.hits() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT hits FROM roost.stat_post_cache $$;
CREATE FUNCTION pg_temp.page(viewer_id bigint) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT roost_internal.post_hydrate_json(viewer_id, '{31006,31005,31004,31003,31002,31001,31099}')
$$;
CREATE FUNCTION pg_temp.compare(kept boolean DEFAULT true, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE
	v_viewer bigint;
	v_first text;
	v_second text;
	v_tables text;
	v_hits bigint;
	v_seen text := '';
	v_kept boolean := true;
	v_end constant timestamptz := clock_timestamp() + interval '1 minute';
BEGIN
	FOREACH v_viewer IN ARRAY '{null,3101,3102,3103,3104}'::bigint[] LOOP
		v_first := pg_temp.page(v_viewer);
		-- a transaction of the worker may be in the way for a moment
		FOR i IN 1..2000000000 LOOP
			v_hits := pg_temp.hits();
			v_second := pg_temp.page(v_viewer);
			EXIT WHEN pg_temp.hits() - v_hits >= CASE WHEN i < 20000 THEN 4 ELSE 1 END OR NOT kept OR clock_timestamp() > v_end;
		END LOOP;
		v_kept := v_kept AND pg_temp.hits() > v_hits;
		PERFORM set_config('roost.post_cache', 'off', true);
		v_tables := pg_temp.page(v_viewer);
		PERFORM set_config('roost.post_cache', 'on', true);
		IF v_first IS DISTINCT FROM v_tables OR v_second IS DISTINCT FROM v_tables THEN
			RAISE EXCEPTION '% sees % and % instead of %', v_viewer, v_first, v_second, v_tables;
		END IF;
		v_seen := v_seen || ' ' || json_array_length(v_tables::json);
	END LOOP;
	answer := format('same; posts%s; from %s', v_seen, CASE WHEN v_kept THEN 'memory' ELSE 'the tables' END);
END
$$;

-- until it has looked for prepared transactions nothing is kept
SELECT roost.worker_sync('1 minute');
SELECT pg_temp.compare();

\echo text, warning, pin
SELECT count(*) FROM roost.post_edit(3101, 31001, 'edited #tag');
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_edit(3101, 31001, 'edited again', content_warning => 'careful');
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_pin(3101, 31001);
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_unpin(3101, 31001);
SELECT pg_temp.compare();
UPDATE roost_data.post SET text = 'by hand', language = 'de' WHERE id = 31002;
SELECT pg_temp.compare();

\echo counters and marks
SELECT count(*) FROM roost.post_like(3102, 31001);
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_like(3104, 31001);
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_unlike(3102, 31001);
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_bookmark(3102, 31002);
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_retweet(3103, 31001);
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_unretweet(3103, 31001);
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_create(3104, 'an answer', reply_to_id => 31001);
SELECT pg_temp.compare();
SELECT count(*) FROM roost.post_create(3104, 'a quote', quote_of_id => 31001);
SELECT pg_temp.compare();
INSERT INTO roost_data.post_like (account_id, post_id, id) SELECT 3100 + n, 31002, 31100 + n FROM generate_series(1, 3) n;
SELECT pg_temp.compare();
UPDATE roost_data.post_stat SET like_count = 100 WHERE post_id = 31002;
SELECT pg_temp.compare();
DELETE FROM roost_data.post_stat WHERE post_id = 31002;
SELECT pg_temp.compare();
SELECT roost_internal.post_maintenance() >= 0;
SELECT pg_temp.compare();

\echo counters alone do not make a post be rendered anew
SELECT stored FROM roost.stat_post_cache \gset
SELECT count(*) FROM roost.post_like(3103, 31001);
SELECT pg_temp.compare();
SELECT stored = :stored AS nothing_stored FROM roost.stat_post_cache;

\echo the author
UPDATE roost_data.account SET username = 'Renamed' WHERE id = 3101;
SELECT pg_temp.compare();
UPDATE roost_data.account SET display_name = 'Ünï', avatar_url = 'https://example.org/a.png' WHERE id = 3103;
SELECT pg_temp.compare();
UPDATE roost_data.account SET status = 'suspended' WHERE id = 3103;
SELECT pg_temp.compare();
UPDATE roost_data.account SET status = 'active' WHERE id = 3103;
SELECT pg_temp.compare();
UPDATE roost_data.account SET is_private = true WHERE id = 3103;
SELECT pg_temp.compare();
DELETE FROM roost_data.follow WHERE follower_id = 3102 AND followee_id = 3103;
SELECT pg_temp.compare();
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (3104, 3103, 31003);
SELECT pg_temp.compare();
UPDATE roost_data.account SET is_private = false WHERE id = 3103;
SELECT pg_temp.compare();
\echo what nobody sees of an account
UPDATE roost_data.account SET bio = 'x', last_active_at = now() WHERE id = 3101;
SELECT pg_temp.compare();

\echo visibility
UPDATE roost_data.post SET visibility = 'followers' WHERE id = 31002;
SELECT pg_temp.compare();
UPDATE roost_data.post SET visibility = 'direct' WHERE id = 31001;
SELECT pg_temp.compare();
UPDATE roost_data.post SET mention_ids = '{3104}' WHERE id = 31001;
SELECT pg_temp.compare();
UPDATE roost_data.post SET visibility = 'public', mention_ids = NULL WHERE id IN (31001, 31002);
SELECT pg_temp.compare();

\echo own changes, a rollback, a savepoint
BEGIN;
SELECT count(*) FROM roost.post_edit(3101, 31001, 'for now');
SELECT pg_temp.compare(kept => false);
ROLLBACK;
SELECT pg_temp.compare();
BEGIN;
SAVEPOINT a;
UPDATE roost_data.post SET text = 'inside' WHERE id = 31001;
UPDATE roost_data.account SET display_name = 'inside' WHERE id = 3101;
SELECT pg_temp.compare(kept => false);
ROLLBACK TO a;
SELECT pg_temp.compare(kept => false);
UPDATE roost_data.post SET text = 'after' WHERE id = 31002;
SAVEPOINT b;
SELECT count(*) FROM roost.post_like(3101, 31002);
RELEASE b;
COMMIT;
SELECT pg_temp.compare();
DO $$ BEGIN BEGIN UPDATE roost_data.post SET text = 'never' WHERE id = 31001; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN END; END $$;
SELECT pg_temp.compare();

\echo a prepared transaction
BEGIN;
UPDATE roost_data.post SET text = 'prepared' WHERE id = 31001;
PREPARE TRANSACTION 'post_cache';
SELECT pg_temp.compare();
COMMIT PREPARED 'post_cache';
SELECT roost.worker_sync('1 minute');
SELECT pg_temp.compare();

\echo one snapshot for all
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.compare();
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT pg_temp.compare(kept => false);
COMMIT;

\echo gone and back
SELECT count(*) FROM roost.post_delete(3103, 31002);
SELECT pg_temp.compare();
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) VALUES (31002, 3103, 31002, '2026-02-02Z', 'another one');
SELECT pg_temp.compare();
DELETE FROM roost_data.account WHERE id = 3103;
SELECT pg_temp.compare();
TRUNCATE roost_data.post_stat;
SELECT pg_temp.compare();

\echo too old
SELECT roost_internal.clock_freeze('2126-01-01Z');
SELECT stored FROM roost.stat_post_cache \gset
SELECT pg_temp.compare();
SELECT stored > :stored AS stored_anew FROM roost.stat_post_cache;
SELECT roost_internal.clock_freeze(NULL);

\echo another file of the table
SELECT hits FROM roost.stat_post_cache \gset
VACUUM FULL roost_data.post;
SELECT length(pg_temp.page(NULL)) > 100;
SELECT hits = :hits AS no_hits FROM roost.stat_post_cache;
SELECT pg_temp.compare();

SELECT posts > 0 AS posts, bytes > 0, bytes < memory, hits > 0, misses > 0, recounts > 0, stored > 0, enabled FROM roost.stat_post_cache;
DELETE FROM roost_data.post WHERE author_id BETWEEN 3101 AND 3104;
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 3101 AND 3104;
DELETE FROM roost_data.account_stat WHERE account_id BETWEEN 3101 AND 3104;
DELETE FROM roost_data.account_handle WHERE account_id BETWEEN 3101 AND 3104;
DELETE FROM roost_data.account WHERE id BETWEEN 3101 AND 3104;
